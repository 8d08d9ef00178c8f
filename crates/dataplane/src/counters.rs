//! What the kernel counts of an interface: /proc/net/dev, which shows the network namespace of the
//! reader (/sys shows the one it was mounted in).

/// Frames of an interface since it exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct InterfaceCounters {
    /// Frames dropped on their way in, before anybody could capture them: dropped, missed, and no
    /// room in the hardware.
    pub(crate) in_dropped: u64,
    /// Frames that went out.
    pub(crate) out: u64,
    /// Frames dropped on their way out.
    pub(crate) out_dropped: u64,
}

/// Reads the counters; `None` where the kernel does not say.
pub(crate) fn read(interface: &str) -> Option<InterfaceCounters> {
    parse(&std::fs::read_to_string("/proc/thread-self/net/dev").ok()?, interface)
}

/// Receive: bytes packets errs drop fifo frame compressed multicast; transmit: bytes packets errs
/// drop fifo colls carrier compressed (net/core/net-procfs.c).
fn parse(table: &str, interface: &str) -> Option<InterfaceCounters> {
    let (_, line) = table
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim() == interface)?;
    let numbers: Vec<u64> =
        line.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    let at = |place: usize| numbers.get(place).copied();
    Some(InterfaceCounters {
        in_dropped: at(3)?.saturating_add(at(4)?),
        out: at(9)?,
        out_dropped: at(11)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:    5040      60    0    0    0     0          0         0     5040      60    0    0    0     0       0          0
right: 300 5 0 7 2 0 0 0 480 8 1 3 0 0 0 0
";

    #[test]
    fn the_line_of_the_interface_is_read() {
        let expected = InterfaceCounters { in_dropped: 9, out: 8, out_dropped: 3 };
        assert_eq!(parse(TABLE, "right"), Some(expected));
        assert_eq!(parse(TABLE, "righ"), None);
        assert_eq!(parse("right: 1 2 x", "right"), None);
    }
}
