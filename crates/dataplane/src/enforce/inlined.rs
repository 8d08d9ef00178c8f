//! What was dropped behind the table, by verdict or because it would have waited too long.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ports::edge::{Count, Dropped, Judging, Reason, Totals};

use super::{DeviceReading, Reading};
use crate::inline::Device;

/// Devices that are counted by themselves: as many as the table has room for.
const MAX_DEVICES: usize = 4_096;

#[derive(Debug, Default)]
struct Counts {
    suspects: BTreeSet<Device>,
    judging: Option<Judging>,
    dropped: Dropped,
    would_drop: Dropped,
    devices: BTreeMap<Device, Dropped>,
}

/// Packets that were looked at outside the kernel's sets.
#[derive(Debug, Default)]
pub struct Inlined {
    counts: Mutex<Counts>,
    shed_by_kernel: AtomicU64,
}

impl Inlined {
    /// A packet was dropped; or, when `really` is false, would have been.
    pub fn dropped(&self, reason: Reason, device: Option<Device>, bytes: u64, really: bool) {
        let count = Count { packets: 1, bytes };
        let mut counts = self.locked();
        let all = if really { &mut counts.dropped } else { &mut counts.would_drop };
        *all.entry(reason).or_default() += count;
        if let Some(device) = device.filter(|_| really)
            && (counts.devices.len() < MAX_DEVICES || counts.devices.contains_key(&device))
        {
            *counts.devices.entry(device).or_default().entry(reason).or_default() += count;
        }
    }

    /// So many packets were shed by the kernel since the start, which says neither whose they were nor how long.
    pub fn set_shed_by_kernel(&self, packets: u64) {
        self.shed_by_kernel.store(packets, Ordering::Relaxed);
    }

    /// Whether packets are judged one by one here.
    pub fn judges(&self) -> bool {
        self.locked().judging.is_some()
    }

    /// How they are judged now.
    pub fn set_judging(&self, judging: Judging) {
        self.locked().judging = Some(judging);
    }

    pub(super) fn judging(&self) -> Option<Judging> {
        self.locked().judging
    }

    /// From now on these are the suspects.
    pub(super) fn set_suspects(&self, suspects: BTreeSet<Device>) {
        self.locked().suspects = suspects;
    }

    /// The devices of which only what was usual may pass.
    pub fn suspects(&self) -> BTreeSet<Device> {
        self.locked().suspects.clone()
    }

    fn locked(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Packets shed so far, here and by the kernel.
    pub fn shed(&self) -> u64 {
        let counts = self.locked();
        let here = counts.dropped.get(&Reason::Shaping).map_or(0, |count| count.packets);
        here.saturating_add(self.shed_by_kernel.load(Ordering::Relaxed))
    }

    /// The table comes first: what it let pass may have been dropped behind it.
    pub(super) fn take_from(&self, reading: &mut Reading) {
        let counts = self.locked();
        for (reason, count) in &counts.dropped {
            moved(&mut reading.totals, *reason, *count);
        }
        let packets = self.shed_by_kernel.load(Ordering::Relaxed);
        if packets > 0 {
            moved(&mut reading.totals, Reason::Shaping, Count { packets, bytes: 0 });
        }
        for (reason, count) in &counts.would_drop {
            *reading.totals.would_drop.entry(*reason).or_default() += *count;
        }
        for (device, dropped) in &counts.devices {
            // A device that the table does not know has no line there either.
            let Some(line) = reading.devices.get_mut(&device.to_string()) else { continue };
            let DeviceReading { forwarded, dropped: reasons } = line;
            for (reason, count) in dropped {
                less(forwarded, *count);
                *reasons.entry(*reason).or_default() += *count;
            }
        }
    }
}

fn less(passed: &mut Count, count: Count) {
    passed.packets = passed.packets.saturating_sub(count.packets);
    passed.bytes = passed.bytes.saturating_sub(count.bytes);
}

fn moved(totals: &mut Totals, reason: Reason, count: Count) {
    less(&mut totals.passed, count);
    *totals.dropped.entry(reason).or_default() += count;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_behind_the_table_did_not_pass_in_all_and_by_device() {
        let (inlined, mac) = (Inlined::default(), Device::Mac([2, 0, 0, 0, 0, 7]));
        inlined.dropped(Reason::Verdict, Some(mac), 100, true);
        inlined.dropped(Reason::Shaping, Some(mac), 60, true);
        inlined.dropped(Reason::Verdict, Some(mac), 100, false);
        inlined.set_shed_by_kernel(5);
        let mut reading = Reading::default();
        (reading.totals.seen, reading.totals.passed) =
            (Count { packets: 12, bytes: 1_200 }, Count { packets: 12, bytes: 1_200 });
        let forwarded = Count { packets: 8, bytes: 800 };
        let before = DeviceReading { forwarded, dropped: Dropped::new() };
        reading.devices.insert(mac.to_string(), before);
        inlined.take_from(&mut reading);
        let totals = &reading.totals;
        assert_eq!((totals.passed.packets, totals.dropped_packets()), (5, 7));
        assert_eq!(totals.dropped[&Reason::Shaping], Count { packets: 6, bytes: 60 });
        assert_eq!(totals.would_drop[&Reason::Verdict].packets, 1);
        let line = &reading.devices[&mac.to_string()];
        assert_eq!((line.forwarded.packets, line.forwarded.bytes), (6, 640));
        assert_eq!(line.dropped[&Reason::Shaping].packets, 1);
        assert_eq!(inlined.shed(), 6);
    }
}
