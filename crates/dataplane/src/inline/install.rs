//! The rules that hand what is forwarded to the queue, and what the kernel tells of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The chain of our own.
const CHAIN: &str = "SERENO_INLINE";
/// The kernel's figures of its queues.
const QUEUES: &str = "/proc/thread-self/net/netfilter/nfnetlink_queue";
/// The switches that show bridged packets to iptables and ip6tables.
const BRIDGED: [&str; 2] = [
    "/proc/sys/net/bridge/bridge-nf-call-iptables",
    "/proc/sys/net/bridge/bridge-nf-call-ip6tables",
];
/// The programs of IPv4 and IPv6.
const PROGRAMS: [[&str; 2]; 2] = [["iptables-nft", "iptables"], ["ip6tables-nft", "ip6tables"]];

fn find(names: &[&str]) -> Result<PathBuf, String> {
    let places = ["/usr/sbin", "/sbin", "/usr/local/sbin", "/usr/bin"];
    names
        .iter()
        .flat_map(|name| places.iter().map(move |place| Path::new(place).join(name)))
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| format!("the program {} is missing: install the package iptables", names[1]))
}

fn call(program: &Path, words: &[&str]) -> Result<(), String> {
    let done = Command::new(program).arg("-w").args(words).stdin(Stdio::null()).output();
    let done = done.map_err(|error| format!("{}: {error}", program.display()))?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    let (name, words) = (program.display(), words.join(" "));
    Err(format!("{name} {words}: {}", said.lines().next().unwrap_or("refused")))
}

/// Hands what is forwarded to the queue, IPv4 and IPv6. Made so that it can be made again.
///
/// # Errors
/// What is missing here, for people. A machine without IPv6 needs no rule for it.
pub(super) fn install(queue: u16, bridged: bool) -> Result<(), String> {
    let with_six = Path::new("/proc/thread-self/net/if_inet6").exists();
    for (names, switch) in PROGRAMS.iter().zip(BRIDGED).take(if with_six { 2 } else { 1 }) {
        if bridged {
            fs::write(switch, "1").map_err(|error| {
                format!("{switch}: {error}: bridged packets are not shown to iptables here (CONFIG_BRIDGE_NETFILTER)")
            })?;
        }
        rule(&find(names)?, queue)?;
    }
    Ok(())
}

fn rule(program: &Path, queue: u16) -> Result<(), String> {
    let _ = call(program, &["-N", CHAIN]);
    call(program, &["-F", CHAIN])?;
    let number = queue.to_string();
    call(program, &["-A", CHAIN, "-j", "NFQUEUE", "--queue-num", &number, "--queue-bypass"])
        .map_err(|error| {
            format!("{error}: the kernel has no NFQUEUE (CONFIG_NETFILTER_XT_TARGET_NFQUEUE)")
        })?;
    if call(program, &["-C", "FORWARD", "-j", CHAIN]).is_err() {
        call(program, &["-I", "FORWARD", "1", "-j", CHAIN])?;
    }
    Ok(())
}

/// Packets that the kernel shed of a queue since it was opened; `None` where it does not say.
pub(super) fn shed_by_kernel(queue: u16) -> Option<u64> {
    shed(&fs::read_to_string(QUEUES).ok()?, queue)
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
    use super::*;

    #[test]
    fn what_the_kernel_shed_is_read() {
        let table = "    0   4321     0 2 65535     0     0        1  1\n    7   1234    12 2  2048    30     4      900  1\n";
        assert_eq!((shed(table, 7), shed(table, 0), shed(table, 1)), (Some(34), Some(0), None));
    }
}
