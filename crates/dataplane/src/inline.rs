//! Verdicts on single packets by this process, where the kernel has NFQUEUE.
//!
//! What the table lets pass is handed to this process in the chain FORWARD of iptables and ip6tables and waits for a
//! verdict. The path (`path`) takes what came in runs, hands on to the judge no faster than it can judge
//! ([`crate::shaping::Forwarder`]), sheds what would wait too long, and while a flood goes on looks at windows of it
//! only. The rules say `--queue-bypass`: without this process packets pass.

mod cost;
mod devices;
mod install;
mod path;
mod usual;

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aho_corasick::AhoCorasick;
use ports::edge::Judging;

use crate::EdgeError;
use crate::enforce::Shared;
use crate::nft::Form;
use usual::Usual;

/// Packets that may wait for the judge, here and in the kernel.
pub const MAX_WAITING: u32 = 65_536;
/// Bytes of them that may wait here.
pub const MAX_WAITING_BYTES: usize = 32 << 20;
/// Bytes of a packet that are looked at: all of it, also of segments that the kernel has put together.
pub const LOOKED_AT_BYTES: usize = 65_535;
/// Patterns at most.
pub const MAX_PATTERNS: usize = 10_000;
/// Longest file of patterns, bytes.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// How packets are judged.
#[derive(Clone, Debug, PartialEq)]
pub struct InlineSettings {
    /// Number of the kernel's queue.
    pub queue: u16,
    /// Longest that a packet may wait for the judge.
    pub wait: Duration,
    /// Packets judged together while a flood goes on; 0: never drop batches between them.
    pub flood_window: u32,
    /// Cost of losing a packet that was not of a flood, in judgings.
    pub flood_loss: f64,
    /// How long before a suspicion something must have begun to be usual.
    pub usual_after: Duration,
    /// Time spent on each packet besides judging it, to try out what a slower judge does.
    pub spend: Duration,
}

impl Default for InlineSettings {
    fn default() -> Self {
        Self {
            queue: 31,
            wait: Duration::from_millis(100),
            flood_window: 64,
            flood_loss: 100.0,
            usual_after: Duration::from_secs(600),
            spend: Duration::ZERO,
        }
    }
}

/// How a device is told: on a bridge by its MAC address, at a router by its internet address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Device {
    /// On the link.
    Mac([u8; 6]),
    /// Behind a router.
    Address(IpAddr),
}

impl fmt::Display for Device {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mac([a, b, c, d, e, f]) => {
                write!(out, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
            }
            Self::Address(address) => address.fmt(out),
        }
    }
}

/// A packet that asks for a verdict.
#[derive(Clone, Copy, Debug)]
pub struct Packet<'a> {
    /// Whose it is, where that is known.
    pub device: Option<Device>,
    /// It comes from the device side.
    pub from_device: bool,
    /// Time of a clock that only goes forward, nanoseconds.
    pub now_ns: u64,
    /// From its internet header on; no more than [`LOOKED_AT_BYTES`] of it.
    pub bytes: &'a [u8],
}

/// Judges single packets, on the path of the packet: must be quick.
pub trait Scorer: Send {
    /// Whether the packet may pass.
    fn passes(&mut self, packet: &Packet<'_>) -> bool;
    /// From now on these are the suspects: devices of which the node's detectors, or a person, say that they are not
    /// themselves.
    fn suspects(&mut self, suspects: &BTreeSet<Device>, now_ns: u64);
}

/// All judges of a gateway: a packet passes when none of them objects.
#[derive(Debug)]
pub struct Judges {
    patterns: Option<Patterns>,
    usual: Usual,
}

impl Judges {
    /// Patterns that no packet may hold, and what was usual for a device since `usual_after`.
    #[must_use]
    pub fn new(patterns: Option<Patterns>, usual_after: Duration) -> Self {
        Self { patterns, usual: Usual::new(usual_after) }
    }
}

impl Scorer for Judges {
    fn passes(&mut self, packet: &Packet<'_>) -> bool {
        // What a pattern stops does not become usual.
        self.patterns.as_mut().is_none_or(|patterns| patterns.passes(packet.bytes))
            && self.usual.passes(packet)
    }

    fn suspects(&mut self, suspects: &BTreeSet<Device>, now_ns: u64) {
        self.usual.suspects(suspects, now_ns);
    }
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

impl Patterns {
    fn passes(&self, bytes: &[u8]) -> bool {
        !self.0.is_match(bytes)
    }
}

/// Begins to judge on a thread of its own.
///
/// # Errors
/// Why there can be no verdicts here.
pub fn start(
    settings: &InlineSettings,
    form: Form,
    device_port: u32,
    scorer: Box<dyn Scorer>,
    shared: &Arc<Shared>,
    stop: &Arc<AtomicBool>,
) -> Result<(), EdgeError> {
    let failed = |error: String| {
        EdgeError::Network(format!("packets cannot be judged one by one here: {error}"))
    };
    let number = settings.queue;
    let place = path::Place { form, device_port };
    let mut path = path::Path::open(settings, place, scorer, shared.clone())
        .map_err(|error| failed(format!("queue {number}: {error}")))?;
    install::install(number, form == Form::Bridge).map_err(failed)?;
    shared.inline.set_judging(Judging::default());
    let stop = stop.clone();
    // Not waited for: what it holds when the process ends, the kernel drops with the queue.
    std::thread::Builder::new()
        .name("judge".into())
        .spawn(move || {
            if let Err(error) = path.run(&stop)
                && !stop.load(Ordering::Relaxed)
            {
                tracing::error!(%error, "packets are no longer judged one by one: they pass");
            }
        })
        .map_err(EdgeError::system("starting a thread"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn patterns_are_text_or_bytes_and_wrong_ones_are_named_by_their_line() {
        let patterns = Patterns::parse("# words\n/bin/busybox\n\nhex: de ad BE EF\n").unwrap();
        let passes = |bytes: &[u8]| patterns.passes(bytes);
        assert!(!passes(b"GET /bin/busybox MIRAI"));
        assert!(!passes(&[1, 0xde, 0xad, 0xbe, 0xef]));
        assert!(passes(b"a word"));
        assert!(Patterns::parse("ok\nhex: xy").unwrap_err().starts_with("line 2"));
        assert!(Patterns::parse("# nothing").is_err());
    }
}
