//! Where in the captures the open windows begin: what a restart must read again, and not one frame
//! more.

use std::collections::VecDeque;

use analytics::windows::{CLOCK_STEP_US, DEFAULT_WINDOW_US};

/// A frame of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Number of the opened capture, in the order they were opened.
    pub capture: u64,
    /// Number of the frame in it, from 0.
    pub frame: u64,
}

/// The first frame of each window that may be open.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// Start of the window in microseconds, and its first frame; the oldest first.
    open: VecDeque<(i64, Place)>,
}

impl Marks {
    /// Notes that a frame goes to the windows.
    pub(crate) fn note(&mut self, ts_ns: i64, place: Place) {
        let at_us = ts_ns.div_euclid(1_000);
        let start_us = at_us.div_euclid(DEFAULT_WINDOW_US).saturating_mul(DEFAULT_WINDOW_US);
        if let Some((newest_us, _)) = self.open.back() {
            // As the windows themselves judge it: the clock was set back, all begins anew.
            if at_us < newest_us.saturating_sub(CLOCK_STEP_US.max(DEFAULT_WINDOW_US)) {
                self.open.clear();
            } else if start_us <= *newest_us {
                return;
            }
        }
        self.open.push_back((start_us, place));
    }

    /// Windows before `since_us` are closed. At most three are kept: a frame opens one, and at most
    /// two are open.
    pub(crate) fn close_before(&mut self, since_us: i64) {
        while self.open.get(1).is_some_and(|(start_us, _)| *start_us <= since_us) {
            self.open.pop_front();
        }
    }

    /// All windows are closed.
    pub(crate) fn clear(&mut self) {
        self.open.clear();
    }

    /// The first frame that is not told of.
    pub(crate) fn first(&self) -> Option<Place> {
        self.open.front().map(|(_, place)| *place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(frame: u64) -> Place {
        Place { capture: 0, frame }
    }

    #[test]
    fn the_mark_is_the_first_frame_of_the_oldest_open_window() {
        let mut marks = Marks::default();
        for (frame, second) in [1_i64, 9, 10, 12, 9, 21].into_iter().enumerate() {
            marks.note(second * 1_000_000_000, at(frame as u64));
        }
        assert_eq!(marks.first(), Some(at(0)));
        marks.close_before(0);
        assert_eq!(marks.first(), Some(at(0)), "the window from 0 is open");
        marks.close_before(10_000_000);
        assert_eq!(marks.first(), Some(at(2)));
        marks.close_before(20_000_000);
        assert_eq!(marks.first(), Some(at(5)));
    }

    #[test]
    fn a_clock_set_back_begins_anew() {
        let mut marks = Marks::default();
        marks.note(1_000_000_000_000, at(0));
        marks.note(100_000_000_000, at(1));
        assert_eq!(marks.first(), Some(at(1)));
    }
}
