//! From arrival time to packet time.
//!
//! The replayer says, just before each frame, "wall time w is packet time p". One thread sends, and
//! the kernel stamps a frame inside the sender's own call, so a frame's stamp lies between its own
//! mark and the next one: the latest mark not after the arrival is the frame's own.

use std::collections::VecDeque;

/// Marks kept. More than the replayer lets be on the way, so a frame's mark is never gone.
pub const MAX_MARKS: usize = 4_096;

/// The marks of a replay, oldest first.
#[derive(Debug, Default)]
pub struct FrameTimes {
    marks: VecDeque<(i64, i64)>,
}

impl FrameTimes {
    /// Notes that a frame of packet time `packet_ns` is sent at `sent_ns` or right after.
    pub fn mark(&mut self, sent_ns: i64, packet_ns: i64) {
        if self.marks.len() >= MAX_MARKS {
            self.marks.pop_front();
        }
        self.marks.push_back((sent_ns, packet_ns));
    }

    /// Packet time of a frame that arrived at `arrival_ns`; `None` before the first mark.
    ///
    /// A stamp before all marks (the clock was set back) takes the oldest.
    #[must_use]
    pub fn packet_time(&self, arrival_ns: i64) -> Option<i64> {
        let after = self.marks.partition_point(|(sent_ns, _)| *sent_ns <= arrival_ns);
        self.marks.get(after.saturating_sub(1)).map(|(_, packet_ns)| *packet_ns)
    }

    /// Forgets everything, for a new start of the source.
    pub fn clear(&mut self) {
        self.marks.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever the pauses between sends and the delays in the kernel, as long as a frame is
        /// stamped before the next mark is made, every frame gets exactly its own packet time.
        #[test]
        fn every_frame_gets_its_own_time(
            steps in proptest::collection::vec((1_i64..1_000_000, 0_i64..1_000_000, -5_i64..1_000_000_000), 1..300)
        ) {
            let mut times = FrameTimes::default();
            let (mut wall, mut packet) = (1_700_000_000_000_000_000_i64, 1_533_042_911_000_000_000_i64);
            for (pause, delay, gap) in steps {
                wall += pause;
                packet += gap;
                times.mark(wall, packet);
                wall += delay;
                prop_assert_eq!(times.packet_time(wall), Some(packet));
            }
        }
    }

    #[test]
    fn without_marks_there_is_no_time_and_marks_stay_bounded() {
        let mut times = FrameTimes::default();
        assert_eq!(times.packet_time(5), None);
        for at in 0..10_000 {
            times.mark(at, at * 2);
        }
        assert_eq!(times.marks.len(), MAX_MARKS);
        assert_eq!(times.packet_time(9_999), Some(19_998));
        assert_eq!(times.packet_time(0), Some((10_000 - MAX_MARKS as i64) * 2));
    }
}
