//! What judging costs, and whether more comes than can be judged.

use super::Device;
use crate::shaping::{Costs, Mitigation, Next};

/// Of what was measured lately, one part in so many is new.
const MEMORY: u64 = 64;
/// A single measurement counts as no more than this, nanoseconds: the rest was not judging.
const MOST_NS: u64 = 10_000_000;
/// The forwarder hands on one packet in the time of so many tenths of judging one: above it, so that the judge never
/// has a queue of its own.
const TENTHS: u64 = 11;
/// A flood whose window does not fill for so long is looked at all the same.
const LOOK_AFTER_NS: u64 = 500_000_000;
/// Packets of a flood, as long as none was seen.
const FIRST_FLOOD: f64 = 20_000.0;

/// A moving mean of nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mean(u64);

impl Mean {
    pub(super) fn took(&mut self, nanoseconds: u64) {
        // Kept times MEMORY, so that small differences are not lost.
        let new = nanoseconds.min(MOST_NS);
        self.0 = if self.0 == 0 { new * MEMORY } else { self.0 - self.0 / MEMORY + new };
    }

    pub(super) const fn ns(self) -> u64 {
        self.0 / MEMORY
    }
}

/// The spacing `D` for a judge that takes so long.
pub(super) const fn spacing_ns(judging_ns: u64) -> u64 {
    judging_ns * TENTHS / 10
}

/// Whose packets flood: in which direction, and of which device.
type Flow = (bool, Option<Device>);

/// The one that most packets of a window may be of (Boyer and Moore's vote).
#[derive(Clone, Copy, Debug, Default)]
struct Majority {
    flow: Option<Flow>,
    ahead: u64,
    all: u64,
}

impl Majority {
    fn vote(&mut self, flow: Flow) {
        self.all += 1;
        if self.flow == Some(flow) {
            self.ahead += 1;
        } else if self.ahead == 0 {
            (self.flow, self.ahead) = (Some(flow), 1);
        } else {
            self.ahead -= 1;
        }
    }

    /// Only one that is clearly ahead.
    fn winner(self) -> Option<Flow> {
        self.flow.filter(|_| self.ahead * 4 >= self.all)
    }
}

/// How things stood when a window had been judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// Nanoseconds of a monotonic clock.
    pub(super) now_ns: u64,
    /// Packets waiting, and how many may.
    pub(super) waiting: usize,
    pub(super) limit: usize,
    /// Packets that were shed since the start.
    pub(super) shed: u64,
    /// Nanoseconds that one packet takes, judging and all.
    pub(super) packet_ns: u64,
}

/// Finds floods and says which packets are not worth a look while one goes on.
#[derive(Debug)]
pub(super) struct Mitigating {
    window: u64,
    loss: f64,
    mitigation: Mitigation,
    votes: Majority,
    /// The flood that goes on: of whom, where most of it is of one.
    flood: Option<Option<Flow>>,
    /// Packets it had so far, and those of earlier ones on average.
    packets: u64,
    expected: f64,
    floods: u64,
    came: u64,
    began_ns: u64,
    shed: u64,
}

impl Mitigating {
    pub(super) fn new(window: u32, loss: f64) -> Self {
        let window = u64::from(window);
        let costs = Costs { window, flood_packets: FIRST_FLOOD, judging: 1.0, loss };
        Self {
            window,
            loss,
            mitigation: Mitigation::new(&costs),
            votes: Majority::default(),
            flood: None,
            packets: 0,
            expected: FIRST_FLOOD,
            floods: 0,
            came: 0,
            began_ns: 0,
            shed: 0,
        }
    }

    /// Whether a flood goes on, how many there were, and how many packets are dropped between two windows.
    pub(super) const fn state(&self) -> (bool, u64, u64) {
        (self.flood.is_some(), self.floods, self.mitigation.batch())
    }

    /// A packet has come: whether it is to be judged. `load` is asked at the end of a window.
    pub(super) fn came(&mut self, flow: Flow, load: impl FnOnce() -> Load) -> Next {
        if self.window == 0 {
            return Next::Judge;
        }
        self.came += 1;
        self.votes.vote(flow);
        // Of the others nothing is dropped, and they do not count as a look at the flood.
        let spared = |flood: Option<Option<Flow>>| flood.flatten().is_some_and(|of| of != flow);
        if spared(self.flood) {
            return Next::Judge;
        }
        if self.mitigation.window_ends() && self.came >= self.window {
            self.judged(&load());
            if spared(self.flood) {
                return Next::Judge;
            }
        }
        self.mitigation.came()
    }

    /// Whether a flood goes on and this is most of it.
    pub(super) fn floods(&self, flow: Flow) -> bool {
        self.flood.flatten() == Some(flow)
    }

    /// Ends a flood of which nothing comes any more.
    pub(super) fn look(&mut self, load: &Load) {
        if self.flood.is_some() && load.now_ns.saturating_sub(self.began_ns) >= LOOK_AFTER_NS {
            self.judged(load);
        }
    }

    fn judged(&mut self, load: &Load) {
        let elapsed = load.now_ns.saturating_sub(self.began_ns);
        let shed = load.shed.saturating_sub(self.shed);
        let needed = (self.came + shed).saturating_mul(load.packet_ns);
        // A queue half full, or something shed, begins it; it lasts while more comes than can be judged.
        let crowded = load.waiting * 2 >= load.limit || shed > 0;
        let flood = crowded || (self.flood.is_some() && needed > elapsed);
        if flood {
            self.floods += u64::from(self.flood.is_none());
            self.packets += self.came + shed;
            self.flood = Some(self.votes.winner());
        } else if self.flood.take().is_some() {
            self.expected = self.expected.mul_add(0.75, self.packets as f64 * 0.25);
            self.packets = 0;
            self.mitigation.weigh(&Costs {
                window: self.window,
                flood_packets: self.expected,
                judging: 1.0,
                loss: self.loss,
            });
        }
        self.mitigation.judged(flood);
        (self.came, self.began_ns, self.shed) = (0, load.now_ns, load.shed);
        self.votes = Majority::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOODER: Flow = (true, Some(Device::Mac([2, 0, 0, 0, 0, 7])));
    const OTHER: Flow = (true, Some(Device::Mac([2, 0, 0, 0, 0, 8])));

    /// Packets of which every tenth is of another device, one every `apart_ns`; a packet takes 1,000 ns.
    fn run(mitigating: &mut Mitigating, from_ns: u64, apart_ns: u64, waiting: usize) -> [u64; 2] {
        let mut dropped = [0, 0];
        for number in 0..10_000_u64 {
            let other = number % 10 == 0;
            let load = || Load {
                now_ns: from_ns + number * apart_ns,
                waiting,
                limit: 100,
                shed: 0,
                packet_ns: 1_000,
            };
            if mitigating.came(if other { OTHER } else { FLOODER }, load) == Next::Drop {
                dropped[usize::from(other)] += 1;
            }
        }
        dropped
    }

    #[test]
    fn a_flood_begins_with_a_queue_lasts_while_more_comes_than_can_be_judged_and_spares_others() {
        let mut mitigating = Mitigating::new(64, 100.0);
        assert_eq!(run(&mut mitigating, 0, 500, 0), [0, 0], "fast alone is no flood");
        let [flooder, other] = run(&mut mitigating, 10_000_000, 100, 60);
        // m* = sqrt(2 / 100 * 64 * (20,000 - 64)) - 64 = 96: of 160 packets 96 are dropped.
        assert!((4_500..5_800).contains(&flooder), "{flooder}");
        assert!(other < 200, "only in the window before it was known whose flood it is: {other}");
        // The queue is empty because of what is dropped; still more comes than can be judged.
        assert!(run(&mut mitigating, 20_000_000, 500, 0)[0] > 4_000);
        assert_eq!(mitigating.state(), (true, 1, 96));
        let [after, _] = run(&mut mitigating, 30_000_000, 2_000, 0);
        assert!(after < 400, "it ends with the window that finds none: {after}");
        let (flood, floods, batch) = mitigating.state();
        assert_eq!((flood, floods), (false, 1));
        assert!(batch > 0 && batch != 96, "the next one is expected as the last one was: {batch}");
    }

    #[test]
    fn without_a_window_everything_is_judged() {
        assert_eq!(run(&mut Mitigating::new(0, 1.0), 0, 1, 100), [0, 0]);
    }
}
