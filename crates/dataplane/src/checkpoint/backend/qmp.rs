//! The little of QEMU's machine protocol (QMP) that checkpoints need: JSON lines over a socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::clock;

/// How long an answer may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// How long the socket may take to appear.
const APPEAR_WITHIN: Duration = Duration::from_secs(10);
/// How long a migration to a file may take.
const MIGRATE_WITHIN: Duration = Duration::from_secs(600);
/// Longest line, bytes.
const MAX_LINE_BYTES: u64 = 1 << 20;
/// Most events read over while an answer is waited for.
const MAX_EVENTS: usize = 10_000;
/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// A conversation with a machine.
pub(super) struct Qmp(BufReader<UnixStream>);

impl Qmp {
    /// Connects and greets.
    pub(super) fn connect(path: &Path) -> Result<Self, String> {
        let until = clock::monotonic() + APPEAR_WITHIN;
        let stream = loop {
            match UnixStream::connect(path) {
                Ok(stream) => break stream,
                Err(cause) if clock::monotonic() > until => {
                    return Err(format!("{}: {cause}", path.display()));
                }
                Err(_) => std::thread::sleep(LOOK),
            }
        };
        let both = stream.set_read_timeout(Some(ANSWER_WITHIN));
        both.and_then(|()| stream.set_write_timeout(Some(ANSWER_WITHIN)))
            .map_err(|cause| cause.to_string())?;
        let mut own = Self(BufReader::new(stream));
        own.line()?;
        own.ask("qmp_capabilities", &Value::Null)?;
        Ok(own)
    }

    fn line(&mut self) -> Result<Value, String> {
        let mut text = String::new();
        let read = (&mut self.0).take(MAX_LINE_BYTES).read_line(&mut text);
        match read {
            Ok(0) => Err("the machine closed the conversation".to_owned()),
            Ok(_) => serde_json::from_str(&text)
                .map_err(|cause| format!("an answer that is none: {cause}")),
            Err(cause) => Err(cause.to_string()),
        }
    }

    /// One command and its answer; events in between are read over.
    pub(super) fn ask(&mut self, command: &str, arguments: &Value) -> Result<Value, String> {
        let mut question = json!({ "execute": command });
        if !arguments.is_null() {
            question["arguments"] = arguments.clone();
        }
        let text = format!("{question}\n");
        self.0.get_mut().write_all(text.as_bytes()).map_err(|cause| cause.to_string())?;
        for _ in 0..MAX_EVENTS {
            let mut answer = self.line()?;
            if let Some(error) = answer.get("error") {
                let text = error.get("desc").and_then(Value::as_str).unwrap_or("no reason given");
                return Err(format!("{command}: {text}"));
            }
            if let Some(value) = answer.get_mut("return") {
                return Ok(value.take());
            }
        }
        Err(format!("{command}: no answer among {MAX_EVENTS} messages"))
    }

    /// Writes the machine's state to a file and waits for its end.
    pub(super) fn migrate(&mut self, file: &Path) -> Result<(), String> {
        let uri = format!("exec:cat > {}", quoted(file));
        self.ask("migrate", &json!({ "uri": uri }))?;
        let until = clock::monotonic() + MIGRATE_WITHIN;
        loop {
            let state = self.ask("query-migrate", &Value::Null)?;
            match state.get("status").and_then(Value::as_str).unwrap_or_default() {
                "completed" => return Ok(()),
                "failed" | "cancelled" => {
                    let why = state.get("error-desc").and_then(Value::as_str).unwrap_or_default();
                    return Err(format!("the state could not be written: {why}"));
                }
                _ if clock::monotonic() > until => {
                    let _ = self.ask("migrate_cancel", &Value::Null);
                    return Err(format!("no end within {} s", MIGRATE_WITHIN.as_secs()));
                }
                _ => std::thread::sleep(LOOK),
            }
        }
    }

    /// Waits until the machine has this state.
    pub(super) fn wait_for(&mut self, wanted: &[&str]) -> Result<String, String> {
        let until = clock::monotonic() + MIGRATE_WITHIN;
        loop {
            let state = self.ask("query-status", &Value::Null)?;
            let status = state.get("status").and_then(Value::as_str).unwrap_or_default();
            if wanted.contains(&status) {
                return Ok(status.to_owned());
            }
            if clock::monotonic() > until {
                return Err(format!("the machine is '{status}', not one of {wanted:?}"));
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// A path as one word of the shell that QEMU starts for `exec:`.
pub(super) fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', "'\\''"))
}
