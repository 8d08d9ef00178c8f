//! When a frame is due.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::EdgeError;

/// How many times faster than real time a replay may be.
pub const SPEEDS: RangeInclusive<f64> = 1.0..=100_000.0;
/// Longest wait between two frames: a gap of ten years in a capture is not waited for.
pub const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// What can change about the pace.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum PaceChange {
    /// Stand still or go on, by a person.
    Pause(bool),
    /// Stand still or go on, by the gateway.
    Hold(bool),
    /// Both speeds; a value out of bounds is brought to the nearest.
    Speed(f64),
}

/// Where packet time and wall time were last tied together, and the rate since.
#[derive(Debug)]
pub(super) struct Pace {
    speed: f64,
    train_speed: f64,
    training: bool,
    paused: bool,
    held: bool,
    base: Option<(Duration, i64)>,
    last_packet_ns: i64,
}

impl Pace {
    pub(super) fn new(speed: f64, train_speed: Option<f64>) -> Result<Self, EdgeError> {
        let train_speed = train_speed.unwrap_or(speed);
        for value in [speed, train_speed] {
            if !SPEEDS.contains(&value) {
                return Err(EdgeError::Settings(format!(
                    "speed {value} is out of bounds: choose {} to {}",
                    SPEEDS.start(),
                    SPEEDS.end()
                )));
            }
        }
        Ok(Self {
            speed,
            train_speed,
            training: false,
            paused: false,
            held: false,
            base: None,
            last_packet_ns: 0,
        })
    }

    pub(super) const fn speed(&self) -> f64 {
        if self.training { self.train_speed } else { self.speed }
    }

    pub(super) const fn paused(&self) -> bool {
        self.paused
    }

    pub(super) const fn stands(&self) -> bool {
        self.paused || self.held
    }

    /// A new start: not paused; what the gateway holds back it still holds back.
    pub(super) fn go_on(&mut self) {
        self.paused = false;
        self.base = None;
    }

    pub(super) fn training(&mut self, training: bool) {
        self.training = training;
        self.base = None;
    }

    /// Something about the pace changes at `now`: packet time goes on from where it stands.
    pub(super) fn change(&mut self, now: Duration, change: PaceChange) {
        let reached_ns = self.packet_time(now).min(self.last_packet_ns);
        match change {
            PaceChange::Pause(paused) => self.paused = paused,
            PaceChange::Hold(held) => self.held = held,
            PaceChange::Speed(factor) if factor.is_nan() => {}
            PaceChange::Speed(factor) => {
                self.speed = factor.clamp(*SPEEDS.start(), *SPEEDS.end());
                self.train_speed = self.speed;
            }
        }
        self.base = Some((now, reached_ns));
    }

    /// The next frame is known; a step back or too long a gap ties the times together anew.
    pub(super) fn meet(&mut self, packet_ns: i64, now: Duration) {
        let longest_ns = LONGEST_WAIT.as_nanos() as f64 * self.speed();
        let gap_ns = packet_ns.saturating_sub(self.last_packet_ns);
        let odd = gap_ns < 0 || gap_ns as f64 > longest_ns;
        if self.base.is_none() || odd {
            self.base = Some((now, packet_ns));
        }
        self.last_packet_ns = packet_ns;
    }

    /// How long until the frame of `packet_ns` is due.
    pub(super) fn wait(&self, packet_ns: i64, now: Duration) -> Duration {
        let Some((since, base_ns)) = self.base else { return Duration::ZERO };
        let ahead_ns = packet_ns.saturating_sub(base_ns).max(0) as f64 / self.speed();
        let due = since.saturating_add(Duration::from_nanos(ahead_ns as u64));
        due.saturating_sub(now).min(LONGEST_WAIT)
    }

    /// Packet time at `now`.
    pub(super) fn packet_time(&self, now: Duration) -> i64 {
        let Some((since, base_ns)) = self.base else { return self.last_packet_ns };
        if self.stands() {
            return base_ns;
        }
        let passed_ns = now.saturating_sub(since).as_nanos() as f64 * self.speed();
        base_ns.saturating_add(passed_ns as i64)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const S: i64 = 1_000_000_000;

    #[test]
    fn frames_are_due_at_the_speed_and_a_decade_is_not_waited_for() {
        let mut pace = Pace::new(10.0, None).unwrap();
        let t0 = Duration::from_secs(100);
        pace.meet(1_000 * S, t0);
        assert_eq!(pace.wait(1_000 * S, t0), Duration::ZERO);
        pace.meet(1_010 * S, t0);
        assert_eq!(pace.wait(1_010 * S, t0), Duration::from_secs(1));
        assert_eq!(pace.packet_time(t0 + Duration::from_millis(500)), 1_005 * S);
        pace.meet(400_000_000 * S, t0);
        assert_eq!(pace.wait(400_000_000 * S, t0), Duration::ZERO);
        pace.meet(5 * S, t0);
        assert_eq!(pace.wait(5 * S, t0), Duration::ZERO);
    }

    #[test]
    fn a_pause_within_a_gap_keeps_the_rest_of_the_gap() {
        let mut pace = Pace::new(10.0, None).unwrap();
        let at = |secs| Duration::from_secs(secs);
        pace.meet(1_000 * S, at(100));
        pace.meet(1_040 * S, at(100));
        pace.change(at(101), PaceChange::Pause(true));
        assert_eq!(pace.packet_time(at(500)), 1_010 * S);
        pace.change(at(500), PaceChange::Pause(false));
        assert_eq!(pace.wait(1_040 * S, at(500)), at(3));
        pace.change(at(501), PaceChange::Speed(20.0));
        assert_eq!(pace.wait(1_040 * S, at(501)), at(1));
    }

    #[test]
    fn speeds_are_bounded() {
        for speed in [0.0, -1.0, f64::NAN, 1e9] {
            assert!(Pace::new(speed, None).is_err(), "{speed}");
        }
        let mut pace = Pace::new(1.0, Some(5.0)).unwrap();
        pace.training(true);
        assert!((pace.speed() - 5.0).abs() < f64::EPSILON);
        pace.change(Duration::ZERO, PaceChange::Speed(1e12));
        assert!((pace.speed() - 100_000.0).abs() < f64::EPSILON);
    }
}
