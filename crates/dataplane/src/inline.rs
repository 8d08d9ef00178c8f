//! Verdicts on single packets by this process, where the kernel has NFQUEUE.
//!
//! What the table lets pass is handed to this process in the chain FORWARD of iptables and waits for a verdict. The
//! kernel's queue is the bounded FIFO in front of the judge, who takes one packet at a time: so its wait is
//! bounded as [`crate::shaping::Forwarder`]'s is, and what finds the queue full is shed and counted. The rule says
//! `--queue-bypass`: without this process packets pass. IPv4 only.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aho_corasick::AhoCorasick;
use nfq::{Queue, Verdict};
use ports::edge::Reason;

use crate::EdgeError;
use crate::enforce::Shared;

/// Packets that may wait for a verdict.
pub const MAX_WAITING: u32 = 4_096;
/// Bytes of a packet that are looked at.
pub const LOOKED_AT_BYTES: u16 = 2_048;
/// Patterns at most.
pub const MAX_PATTERNS: usize = 10_000;
/// Longest file of patterns, bytes.
const MAX_FILE_BYTES: u64 = 4 << 20;
/// How often the kernel is asked what it shed.
const SHED_EVERY: Duration = Duration::from_millis(250);
/// The chain of our own.
const CHAIN: &str = "SERENO_INLINE";
/// The kernel's figures of its queues.
const QUEUES: &str = "/proc/thread-self/net/netfilter/nfnetlink_queue";
/// The switch that shows bridged packets to iptables.
const BRIDGED: &str = "/proc/sys/net/bridge/bridge-nf-call-iptables";

/// Judges single packets, on the path of the packet: must be quick.
pub trait Scorer: Send {
    /// Whether the packet (from its internet header on) may pass.
    fn passes(&mut self, packet: &[u8]) -> bool;
}

/// Patterns of bytes that no packet may hold.
#[derive(Debug)]
pub struct Patterns(AhoCorasick);

impl Patterns {
    /// Reads one pattern a line: text, or bytes after `hex:`. Empty lines and those that begin with `#` say nothing.
    ///
    /// # Errors
    /// The line that is not a pattern, or too many of them.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut patterns = Vec::new();
        for (number, line) in (1..).zip(text.lines()) {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let pattern = match line.strip_prefix("hex:") {
                Some(digits) => bytes(digits).ok_or_else(|| {
                    format!("line {number}: hex: takes pairs of hexadecimal digits")
                })?,
                None => line.as_bytes().to_vec(),
            };
            patterns.push(pattern);
        }
        if patterns.is_empty() || patterns.len() > MAX_PATTERNS {
            return Err(format!("{} patterns: 1 to {MAX_PATTERNS} are taken", patterns.len()));
        }
        AhoCorasick::new(patterns).map(Self).map_err(|error| error.to_string())
    }

    /// Reads them from a file.
    ///
    /// # Errors
    /// As [`Patterns::parse`], with the file.
    pub fn read(path: &Path) -> Result<Self, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let size = fs::metadata(path).map_err(|error| failed(&error))?.len();
        if size > MAX_FILE_BYTES {
            return Err(failed(&format!("{size} bytes are more than {MAX_FILE_BYTES}")));
        }
        let text = fs::read_to_string(path).map_err(|error| failed(&error))?;
        Self::parse(&text).map_err(|error| failed(&error))
    }
}

/// Pairs of hexadecimal digits, blanks between them at will.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = digits.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    digits
        .chunks(2)
        .map(|pair| {
            std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok())
        })
        .collect()
}

impl Scorer for Patterns {
    fn passes(&mut self, packet: &[u8]) -> bool {
        !self.0.is_match(packet)
    }
}

fn iptables() -> Result<PathBuf, String> {
    let places = ["/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin"];
    let names = ["iptables-nft", "iptables"];
    names
        .iter()
        .flat_map(|name| places.iter().map(move |place| Path::new(place).join(name)))
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| "the program iptables is missing: install the package iptables".to_owned())
}

fn call(program: &Path, words: &[&str]) -> Result<(), String> {
    let done = Command::new(program).arg("-w").args(words).stdin(Stdio::null()).output();
    let done = done.map_err(|error| format!("{}: {error}", program.display()))?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    Err(format!("iptables {}: {}", words.join(" "), said.lines().next().unwrap_or("refused")))
}

/// Hands what is forwarded to the queue. Made so that it can be made again.
fn install(queue: u16, bridged: bool) -> Result<(), String> {
    if bridged {
        fs::write(BRIDGED, "1").map_err(|error| {
            format!("{BRIDGED}: {error}: bridged packets are not shown to iptables here (CONFIG_BRIDGE_NETFILTER)")
        })?;
    }
    let program = iptables()?;
    let _ = call(&program, &["-N", CHAIN]);
    call(&program, &["-F", CHAIN])?;
    let number = queue.to_string();
    call(&program, &["-A", CHAIN, "-j", "NFQUEUE", "--queue-num", &number, "--queue-bypass"])
        .map_err(|error| {
            format!("{error}: the kernel has no NFQUEUE (CONFIG_NETFILTER_XT_TARGET_NFQUEUE)")
        })?;
    if call(&program, &["-C", "FORWARD", "-j", CHAIN]).is_err() {
        call(&program, &["-I", "FORWARD", "1", "-j", CHAIN])?;
    }
    Ok(())
}

fn open(number: u16) -> io::Result<Queue> {
    let mut queue = Queue::open()?;
    queue.bind(number)?;
    queue.set_copy_range(number, LOOKED_AT_BYTES)?;
    queue.set_queue_max_len(number, MAX_WAITING)?;
    Ok(queue)
}

/// Begins to judge on a thread of its own.
///
/// # Errors
/// Why there can be no verdicts here.
pub fn start(
    number: u16,
    bridged: bool,
    scorer: Box<dyn Scorer>,
    shared: &Arc<Shared>,
    stop: &Arc<AtomicBool>,
) -> Result<(), EdgeError> {
    let failed = |error: String| {
        EdgeError::Network(format!("packets cannot be judged one by one here: {error}"))
    };
    let queue = open(number).map_err(|error| failed(format!("queue {number}: {error}")))?;
    install(number, bridged).map_err(failed)?;
    let (judging, ending) = (shared.clone(), stop.clone());
    // Not waited for: it sleeps in the kernel until a packet comes, and ends with the process.
    std::thread::Builder::new()
        .name("judge".into())
        .spawn(move || {
            if let Err(error) = judge(queue, scorer, &judging)
                && !ending.load(Ordering::Relaxed)
            {
                tracing::error!(%error, "packets are no longer judged one by one: they pass");
            }
        })
        .map_err(EdgeError::system("starting a thread"))?;
    let (shared, stop) = (shared.clone(), stop.clone());
    std::thread::Builder::new()
        .name("shed".into())
        .spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                if let Some(shed) =
                    fs::read_to_string(QUEUES).ok().and_then(|table| shed(&table, number))
                {
                    shared.inline.set_shed(shed);
                }
                std::thread::sleep(SHED_EVERY);
            }
        })
        .map_err(EdgeError::system("starting a thread"))?;
    Ok(())
}

fn judge(mut queue: Queue, mut scorer: Box<dyn Scorer>, shared: &Shared) -> io::Result<()> {
    loop {
        let mut message = match queue.recv() {
            Ok(message) => message,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let passes = scorer.passes(message.get_payload());
        if !passes {
            // The link header is counted as in the table.
            shared.inline.dropped(Reason::Verdict, message.get_original_len() as u64 + 14);
        }
        message.set_verdict(if passes { Verdict::Accept } else { Verdict::Drop });
        queue.verdict(message)?;
    }
}

/// What the kernel shed of a queue: full, or not taken (columns 6 and 7 of its table).
fn shed(table: &str, queue: u16) -> Option<u64> {
    let line = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .find(|words| words.first().and_then(|word| word.parse().ok()) == Some(queue))?;
    let number = |place: usize| line.get(place).and_then(|word| word.parse::<u64>().ok());
    Some(number(5)? + number(6)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn patterns_are_text_or_bytes_and_wrong_ones_are_named_by_their_line() {
        let mut patterns = Patterns::parse("# words\n/bin/busybox\n\nhex: de ad BE EF\n").unwrap();
        assert!(!patterns.passes(b"GET /bin/busybox MIRAI"));
        assert!(!patterns.passes(&[1, 0xde, 0xad, 0xbe, 0xef]));
        assert!(patterns.passes(b"a word"));
        assert!(Patterns::parse("ok\nhex: xy").unwrap_err().starts_with("line 2"));
        assert!(Patterns::parse("# nothing").is_err());
    }

    #[test]
    fn what_the_kernel_shed_is_read() {
        let table = "    0   4321     0 2 65535     0     0        1  1\n    7   1234    12 2  2048    30     4      900  1\n";
        assert_eq!((shed(table, 7), shed(table, 0), shed(table, 1)), (Some(34), Some(0), None));
    }
}
