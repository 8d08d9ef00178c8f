//! What each conversation of a device did lately: persistence shows in one conversation long before
//! it shows in the sums of a device.
//!
//! A conversation is a peer with protocol and service port. Of each, a few fading counts and the
//! minutes of the last hour (one bit each) are kept, so memory does not grow with traffic.

use serde::{Deserialize, Serialize};

use crate::features::Values;
use crate::host::Host;
use crate::metrics::Metric;
use crate::novelty::Usual;
use crate::record::{KeyCount, WindowRecord};

/// Conversations remembered of a device; of more, the longest unused gives way.
pub(crate) const MAX_CONVERSATIONS: usize = 32;
/// Time over which the fading counts fall to 1/e.
const FADE_US: f64 = 300_000_000.0;
/// Bits of a mask of windows (five minutes of five seconds) and of minutes (one hour).
const SLOTS: u32 = 60;
const SHORT_SLOT_US: i64 = 5_000_000;
const LONG_SLOT_US: i64 = 60_000_000;
/// Minutes without failure that end a run of failures: what a device suffered before says nothing
/// about the failure that comes after such a pause.
const LONGEST_PAUSE: u32 = 5;

/// One bit for each slot of time, the newest lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Slots(u64);

impl Slots {
    fn pass(&mut self, slots: i64) {
        self.0 = if (0..i64::from(SLOTS)).contains(&slots) {
            (self.0 << slots) & ((1 << SLOTS) - 1)
        } else {
            0
        };
    }

    fn mark(&mut self) -> u32 {
        self.0 |= 1;
        self.0.count_ones()
    }

    /// Whether the newest mark lies behind a pause that ends a run.
    fn paused(self) -> bool {
        self.0.trailing_zeros() > LONGEST_PAUSE
    }

    /// Marks the newest slot and counts back from it, up to a pause of more than [`LONGEST_PAUSE`].
    fn mark_run(&mut self) -> u32 {
        self.0 |= 1;
        let (mut left, mut marked) = (self.0, 0);
        loop {
            let pause = left.trailing_zeros();
            if pause > LONGEST_PAUSE {
                return marked;
            }
            left >>= pause;
            let run = left.trailing_ones();
            marked += run;
            left >>= run;
        }
    }
}

/// One conversation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Conversation {
    peer: Host,
    protocol: u8,
    port: u16,
    /// Start of the last window with it.
    at_us: i64,
    failed: f32,
    unanswered: f32,
    traffic: f32,
    new_windows: Slots,
    new_minutes: Slots,
    failed_minutes: Slots,
    unanswered_minutes: Slots,
    traffic_minutes: Slots,
}

impl Conversation {
    fn new(key: &KeyCount, at_us: i64) -> Self {
        let (failed, unanswered, traffic) = (0.0, 0.0, 0.0);
        let none = Slots::default();
        Self {
            peer: key.peer,
            protocol: key.protocol,
            port: key.port,
            at_us,
            failed,
            unanswered,
            traffic,
            new_windows: none,
            new_minutes: none,
            failed_minutes: none,
            unanswered_minutes: none,
            traffic_minutes: none,
        }
    }

    fn is(&self, key: &KeyCount) -> bool {
        self.peer == key.peer && self.port == key.port && self.protocol == key.protocol
    }

    /// Lets the time pass up to `at_us`; a step back starts the conversation again.
    fn pass(&mut self, key: &KeyCount, at_us: i64) {
        if at_us < self.at_us {
            *self = Self::new(key, at_us);
            return;
        }
        if at_us == self.at_us {
            return;
        }
        if self.failed + self.unanswered + self.traffic > 0.0 {
            let left = (-(at_us.saturating_sub(self.at_us) as f64) / FADE_US).exp() as f32;
            self.failed *= left;
            self.unanswered *= left;
            self.traffic *= left;
        }
        let slots = |slot_us: i64| at_us.div_euclid(slot_us) - self.at_us.div_euclid(slot_us);
        let (short, long) = (slots(SHORT_SLOT_US), slots(LONG_SLOT_US));
        self.at_us = at_us;
        self.new_windows.pass(short);
        for minutes in [
            &mut self.new_minutes,
            &mut self.failed_minutes,
            &mut self.unanswered_minutes,
            &mut self.traffic_minutes,
        ] {
            minutes.pass(long);
        }
        if self.failed_minutes.paused() {
            self.failed = 0.0;
        }
        if self.unanswered_minutes.paused() {
            self.unanswered = 0.0;
        }
    }

    /// Counts answered packets and tells what there is of them now.
    fn exchange(&mut self, key: &KeyCount) -> Usual {
        self.traffic += key.packets as f32;
        Usual { traffic: self.traffic, minutes: self.traffic_minutes.mark_run() as u8 }
    }
}

/// The conversations of one device.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lately(Vec<Conversation>);

impl Lately {
    fn conversation(&mut self, key: &KeyCount, at_us: i64) -> &mut Conversation {
        let place = self.0.iter().position(|conversation| conversation.is(key));
        let place = place.unwrap_or_else(|| {
            if self.0.len() < MAX_CONVERSATIONS {
                self.0.push(Conversation::new(key, at_us));
                return self.0.len() - 1;
            }
            let oldest =
                self.0.iter().enumerate().min_by_key(|(_, conversation)| conversation.at_us);
            let place = oldest.map_or(0, |(place, _)| place);
            self.0[place] = Conversation::new(key, at_us);
            place
        });
        let conversation = &mut self.0[place];
        conversation.pass(key, at_us);
        conversation
    }

    /// Follows the answered traffic only, and hands out what there is of it.
    pub(crate) fn follow(&mut self, record: &WindowRecord, mut each: impl FnMut(&KeyCount, Usual)) {
        for key in record.keys.iter().filter(|key| key.received > 0) {
            each(key, self.conversation(key, record.start_us).exchange(key));
        }
    }

    /// Completes the values of a window by what its conversations did lately.
    pub(crate) fn complete(
        &mut self,
        record: &WindowRecord,
        values: &mut Values,
        mut usual: impl FnMut(&KeyCount) -> Option<Usual>,
    ) {
        let silence = values[Metric::UdpUnanswered.index()] > 0.0;
        let mut raise = |metric: Metric, value: f64| {
            let kept = &mut values[metric.index()];
            *kept = kept.max(value);
        };
        for key in &record.keys {
            let usual = usual(key);
            let unanswered = if silence && !key.peer.is_group() { key.unanswered() } else { 0 };
            if usual.is_some() && key.received == 0 && key.failed == 0 && unanswered == 0 {
                continue;
            }
            let conversation = self.conversation(key, record.start_us);
            if usual.is_none() {
                raise(Metric::NewKeyContext, f64::from(conversation.new_windows.mark()));
                raise(Metric::NewKeyHour, f64::from(conversation.new_minutes.mark()));
            }
            if key.failed > 0 {
                conversation.failed += key.failed as f32;
                raise(Metric::FailedKeyContext, f64::from(conversation.failed));
                raise(Metric::FailedKeyHour, f64::from(conversation.failed_minutes.mark_run()));
            }
            if unanswered > 0 {
                conversation.unanswered += unanswered as f32;
                raise(Metric::UnansweredKeyContext, f64::from(conversation.unanswered));
                raise(
                    Metric::UnansweredKeyHour,
                    f64::from(conversation.unanswered_minutes.mark_run()),
                );
            }
            if key.received > 0 {
                let now = conversation.exchange(key);
                if let Some(most) = usual.filter(|usual| usual.minutes > 0) {
                    let beyond = |now: f64, most: f64| (1.0 + now) / (1.0 + most) - 1.0;
                    let traffic = beyond(f64::from(now.traffic), f64::from(most.traffic));
                    raise(Metric::TrafficKeyContext, traffic);
                    let minutes = beyond(f64::from(now.minutes), f64::from(most.minutes));
                    raise(Metric::TrafficKeyHour, minutes);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::metrics::{COUNTS, METRICS};
    use crate::pace::Pace;
    use crate::record::RECORD_VERSION;
    use proptest::prelude::*;

    const MINUTE_US: i64 = 60_000_000;

    fn window(at_us: i64, key: KeyCount) -> WindowRecord {
        let mut counts = [0; COUNTS];
        counts[Metric::UdpUnanswered.index()] = u64::from(key.is_udp() && key.received == 0);
        WindowRecord {
            version: RECORD_VERSION,
            device: Host::v4([10, 0, 0, 1].into()),
            mac: None,
            start_us: at_us,
            end_us: at_us + 10_000_000,
            counts,
            keys: vec![key],
            overflow_packets: 0,
            pace: Pace::default(),
            talk: None,
        }
    }

    fn key(last: u8, protocol: u8, received: u32, failed: u32) -> KeyCount {
        let peer = Host::v4([192, 0, 2, last].into());
        KeyCount { received, failed, ..KeyCount::new(peer, protocol, 50, 2) }
    }

    fn values(lately: &mut Lately, at_us: i64, key: KeyCount, usual: Option<Usual>) -> Values {
        let record = window(at_us, key);
        let mut values = [0.0; METRICS];
        values[Metric::UdpUnanswered.index()] = record.count(Metric::UdpUnanswered) as f64;
        lately.complete(&record, &mut values, |_| usual);
        values
    }

    #[test]
    fn one_attempt_a_minute_fills_the_hour_and_is_forgotten() {
        let mut lately = Lately::default();
        let known = Some(Usual::default());
        let mut at = |minute: i64, last: u8| {
            values(&mut lately, minute * MINUTE_US, key(last, 6, 0, 1), known)
                [Metric::FailedKeyHour.index()]
        };
        let minutes: Vec<f64> = (0..90).map(|minute| at(minute, 1)).collect();
        assert_eq!((minutes[0], minutes[30], minutes[89]), (1.0, 31.0, 60.0));
        assert_eq!(at(90, 2), 1.0, "another peer is another conversation");
        assert_eq!(at(200, 1), 1.0);
        assert_eq!(at(100, 1), 1.0, "a step back starts again");
    }

    #[test]
    fn a_pause_of_more_than_five_minutes_begins_a_new_run() {
        let mut lately = Lately::default();
        let mut at = |minute: i64| {
            let now = values(&mut lately, minute * MINUTE_US, key(1, 6, 0, 1), None);
            (now[Metric::FailedKeyHour.index()], now[Metric::FailedKeyContext.index()])
        };
        let runs: Vec<f64> = [0, 1, 7, 13].into_iter().map(|minute| at(minute).0).collect();
        assert_eq!(runs, [1.0, 2.0, 3.0, 4.0], "five minutes without are borne");
        assert_eq!(at(20), (1.0, 1.0), "six are not, and what faded is forgotten");
    }

    #[test]
    fn what_leaks_beside_answers_is_unanswered() {
        let mut lately = Lately::default();
        let mut unanswered = |packets: u32, received: u32| {
            let own = KeyCount { packets, ..key(1, 17, received, 0) };
            let mut record = window(0, own);
            record.counts[Metric::UdpUnanswered.index()] = u64::from(own.unanswered());
            let mut values = [0.0; METRICS];
            values[Metric::UdpUnanswered.index()] = f64::from(own.unanswered());
            lately.complete(&record, &mut values, |_| Some(Usual::default()));
            values[Metric::UnansweredKeyContext.index()]
        };
        assert_eq!(unanswered(4, 2), 0.0, "a question and its answer, twice");
        assert_eq!(unanswered(5, 1), 3.0, "four sent, one came back");
    }

    #[test]
    fn failures_fade() {
        let mut lately = Lately::default();
        let mut at = |second: i64| {
            values(&mut lately, second * 1_000_000, key(1, 6, 0, 4), None)
                [Metric::FailedKeyContext.index()]
        };
        assert_eq!(at(0), 4.0);
        assert!((at(300) - (4.0 + 4.0 / 1.0_f64.exp())).abs() < 1e-3);
    }

    #[test]
    fn traffic_is_measured_by_the_most_of_training() {
        let mut lately = Lately::default();
        let usual = Some(Usual { traffic: 3.0, minutes: 1 });
        let first = values(&mut lately, 0, key(1, 17, 1, 0), usual);
        assert_eq!(first[Metric::TrafficKeyContext.index()], 0.0);
        for turn in 1..5 {
            values(&mut lately, turn * MINUTE_US, key(1, 17, 1, 0), usual);
        }
        let later = values(&mut lately, 5 * MINUTE_US, key(1, 17, 1, 0), usual);
        assert!(later[Metric::TrafficKeyContext.index()] > 0.5);
        assert_eq!(later[Metric::TrafficKeyHour.index()], 2.5);
        assert_eq!(later[Metric::NewKeyContext.index()], 0.0);
        let later = values(&mut lately, 6 * MINUTE_US, key(1, 17, 1, 0), Some(Usual::default()));
        assert_eq!(later[Metric::TrafficKeyHour.index()], 0.0, "nothing is known of a later key");
    }

    #[test]
    fn groups_never_answer() {
        let mut lately = Lately::default();
        let group = KeyCount::new(Host::v4([224, 0, 0, 251].into()), 17, 5353, 3);
        let heard = values(&mut lately, 0, group, Some(Usual::default()));
        assert_eq!(heard[Metric::UnansweredKeyContext.index()], 0.0);
        let single = values(&mut lately, 0, key(1, 17, 0, 0), Some(Usual::default()));
        assert_eq!(single[Metric::UnansweredKeyContext.index()], 2.0);
    }

    proptest! {
        #[test]
        fn memory_is_bounded_and_survives_storing(steps in proptest::collection::vec((0_u8..80, any::<i64>(), 0_u32..3, 0_u32..3), 1..200)) {
            let mut lately = Lately::default();
            for (last, at_us, received, failed) in steps {
                let json = serde_json::to_string(&lately).unwrap();
                let mut stored: Lately = serde_json::from_str(&json).unwrap();
                let key = key(last, if failed > 0 { 6 } else { 17 }, received, failed);
                let at_us = at_us / 2;
                prop_assert_eq!(values(&mut lately, at_us, key, None), values(&mut stored, at_us, key, None));
                prop_assert!(lately.0.len() <= MAX_CONVERSATIONS);
            }
        }
    }
}
