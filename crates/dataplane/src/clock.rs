//! The edge's clocks. Packet time of a replay never comes from here.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

fn read(clock: ClockId) -> Duration {
    // Both clocks exist on every Linux; zero is the harmless answer were it otherwise.
    clock_gettime(clock).map_or(Duration::ZERO, Duration::from)
}

/// Wall time, nanoseconds since 1970: the clock the kernel stamps frames with.
pub(crate) fn realtime_ns() -> i64 {
    i64::try_from(read(ClockId::CLOCK_REALTIME).as_nanos()).unwrap_or(i64::MAX)
}

/// Time that only goes forward, since the machine started.
pub(crate) fn monotonic() -> Duration {
    read(ClockId::CLOCK_MONOTONIC)
}
