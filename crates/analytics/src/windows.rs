//! Tumbling windows per device from one pass over packets.
//!
//! Windows stand on whole multiples of their length. A window is handed out one second late, when
//! it is known which of its connection attempts stayed without answer. At any moment at most two
//! windows are open, the same two for all devices, so idle devices cost nothing and a gap of ten
//! years costs as much as one of ten seconds.

mod devices;
mod hear;
mod keys;
mod open;
mod segment;

pub use open::{ANSWER_WITHIN_US, MAX_PENDING_SYN};
pub use segment::{Class, Segment};

use devices::Devices;
use open::{Attempt, Closed, Open};
use protocols::packet::PacketView;
use serde::Serialize;

use crate::host::Host;
use crate::policy::DevicePolicy;
use crate::record::{KeyCount, RECORD_VERSION, WindowRecord};

/// Length of a window unless chosen otherwise.
pub const DEFAULT_WINDOW_US: i64 = 10_000_000;
/// Bounds of the window length.
pub const WINDOW_RANGE_US: std::ops::RangeInclusive<i64> = 1_000_000..=3_600_000_000;
/// Devices with windows at the same time, unless chosen otherwise.
pub const DEFAULT_MAX_DEVICES: usize = 16_384;
/// Finished windows that may wait to be drained; beyond, the newest are dropped and counted.
pub const MAX_READY: usize = 4 * DEFAULT_MAX_DEVICES;
/// A packet so much older than the open windows means that the clock was set back: the windows
/// start again there. Anything younger is a late packet of the open window.
pub const CLOCK_STEP_US: i64 = 60_000_000;
/// Spare key lists kept for reuse.
const SPARE_LISTS: usize = 256;

/// How windows are cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowConfig {
    /// Length of a window in microseconds, within [`WINDOW_RANGE_US`].
    pub window_us: i64,
    /// Who gets windows.
    pub policy: DevicePolicy,
    /// Devices with windows at the same time.
    pub max_devices: usize,
}

impl Default for WindowConfig {
    fn default() -> Self {
        Self {
            window_us: DEFAULT_WINDOW_US,
            policy: DevicePolicy::Local,
            max_devices: DEFAULT_MAX_DEVICES,
        }
    }
}

/// What the windower saw and what it could not use. Nothing is left out without being counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WindowStats {
    /// Packets handed in.
    pub packets: u64,
    /// Packets that belong to no device under the policy.
    pub unattributed: u64,
    /// Packets older than the open windows; counted into the oldest open window.
    pub late: u64,
    /// Times the packet clock went back by more than [`CLOCK_STEP_US`].
    pub clock_steps: u64,
    /// Packets of new devices for which the device table had no place.
    pub refused_devices: u64,
    /// Connection attempts beyond [`MAX_PENDING_SYN`], counted as failed.
    pub syn_overflow: u64,
    /// Windows with more keys than a record holds.
    pub saturated_windows: u64,
    /// Windows handed out or waiting.
    pub windows: u64,
    /// Windows dropped because nobody drained them.
    pub dropped_windows: u64,
    /// Messages heard that were counted for a device.
    pub messages: u64,
    /// Messages whose window was closed before they were read to their end; not counted.
    pub late_messages: u64,
}

/// The length of a window is out of bounds.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("window length {length_us} µs is out of bounds: choose {min} to {max} µs",
    min = WINDOW_RANGE_US.start(), max = WINDOW_RANGE_US.end())]
pub struct WindowLengthError {
    /// The length asked for, microseconds.
    pub length_us: i64,
}

#[derive(Clone, Copy)]
enum Place {
    Current,
    Previous,
}

/// Cuts a stream of packets into windows per device.
#[derive(Debug)]
pub struct Windower {
    window_us: i64,
    devices: Devices,
    started: bool,
    start_us: i64,
    end_us: i64,
    now_us: i64,
    previous_open: bool,
    active: Vec<u32>,
    active_previous: Vec<u32>,
    ready: Vec<WindowRecord>,
    spare: Vec<Vec<KeyCount>>,
    scratch: Vec<u64>,
    stats: WindowStats,
}

impl Windower {
    /// A windower without devices.
    ///
    /// # Errors
    /// When the window length is outside [`WINDOW_RANGE_US`].
    pub fn new(config: WindowConfig) -> Result<Self, WindowLengthError> {
        if !WINDOW_RANGE_US.contains(&config.window_us) {
            return Err(WindowLengthError { length_us: config.window_us });
        }
        Ok(Self {
            window_us: config.window_us,
            devices: Devices::new(config.policy, config.max_devices.max(1)),
            started: false,
            start_us: 0,
            end_us: 0,
            now_us: 0,
            previous_open: false,
            active: Vec::new(),
            active_previous: Vec::new(),
            ready: Vec::new(),
            spare: Vec::new(),
            scratch: Vec::new(),
            stats: WindowStats::default(),
        })
    }

    /// What was seen so far.
    #[must_use]
    pub fn stats(&self) -> WindowStats {
        WindowStats { refused_devices: self.devices.refused, ..self.stats }
    }

    /// Times the packet clock went back, as [`WindowStats::clock_steps`].
    #[inline]
    #[must_use]
    pub const fn clock_steps(&self) -> u64 {
        self.stats.clock_steps
    }

    /// Start of the oldest open window, microseconds: earlier windows are closed. `None` when none is
    /// open.
    #[must_use]
    pub const fn open_since_us(&self) -> Option<i64> {
        match (self.started, self.previous_open) {
            (false, _) => None,
            (true, true) => Some(self.start_us.saturating_sub(self.window_us)),
            (true, false) => Some(self.start_us),
        }
    }

    /// Counts one decoded packet seen at `ts_ns` (nanoseconds since the Unix epoch, packet time).
    #[inline]
    pub fn push(&mut self, ts_ns: i64, packet: &PacketView<'_>) {
        self.push_segment(ts_ns, &Segment::from(packet));
    }

    /// Counts one packet, already reduced to its facts.
    #[inline]
    pub fn push_segment(&mut self, ts_ns: i64, segment: &Segment) {
        let at_us = ts_ns.div_euclid(1_000);
        self.stats.packets += 1;
        let place = self.place(at_us);
        self.now_us = self.now_us.max(at_us);
        let (sender, receiver) = self.devices.resolve(segment, at_us);
        if sender.is_none() && receiver.is_none() {
            self.stats.unattributed += 1;
            return;
        }
        if let Some(slot) = sender {
            self.account(slot, place, at_us, segment, true);
        }
        if let Some(slot) = receiver {
            self.account(slot, place, at_us, segment, false);
        }
    }

    /// Tells the time while no packet comes, so that finished windows are handed out.
    pub fn advance_to(&mut self, ts_ns: i64) {
        let at_us = ts_ns.div_euclid(1_000);
        if self.started && at_us > self.now_us {
            self.now_us = at_us;
            let _ = self.place(at_us);
        }
    }

    /// Closes the open windows at the end of the input.
    ///
    /// Connection attempts of the last second are not counted as failed: their answer may lie
    /// behind the end.
    pub fn finish(&mut self) {
        let aged = self.now_us.saturating_sub(ANSWER_WITHIN_US);
        self.flush_previous();
        self.flush_current(aged);
        self.started = false;
    }

    /// Hands out every finished window, in the order of time and of first activity.
    pub fn drain(&mut self, mut take: impl FnMut(&WindowRecord)) {
        for mut record in self.ready.drain(..) {
            take(&record);
            if self.spare.len() < SPARE_LISTS {
                record.keys.clear();
                self.spare.push(record.keys);
            }
        }
    }

    /// Takes every finished window, in the same order as [`Windower::drain`].
    #[must_use]
    pub fn take_ready(&mut self) -> Vec<WindowRecord> {
        std::mem::take(&mut self.ready)
    }

    /// Whether finished windows wait.
    #[inline]
    #[must_use]
    pub fn has_ready(&self) -> bool {
        !self.ready.is_empty()
    }

    /// The open window a time falls into; turns the windows when it lies ahead.
    #[inline]
    fn place(&mut self, at_us: i64) -> Place {
        let settled = at_us < self.end_us
            && at_us >= self.start_us
            && !(self.previous_open && at_us >= self.start_us.saturating_add(ANSWER_WITHIN_US));
        if settled && self.started { Place::Current } else { self.turn(at_us) }
    }

    #[cold]
    fn turn(&mut self, at_us: i64) -> Place {
        if !self.started {
            self.restart(at_us);
            return Place::Current;
        }
        if at_us >= self.start_us {
            if at_us >= self.end_us {
                self.cross(at_us);
            }
            if at_us >= self.start_us.saturating_add(ANSWER_WITHIN_US) {
                self.flush_previous();
            }
            return Place::Current;
        }
        if at_us < self.start_us.saturating_sub(CLOCK_STEP_US.max(self.window_us)) {
            self.stats.clock_steps += 1;
            self.flush_previous();
            self.flush_current(self.start_us);
            self.restart(at_us);
            return Place::Current;
        }
        if self.previous_open && at_us >= self.start_us.saturating_sub(self.window_us) {
            return Place::Previous;
        }
        self.stats.late += 1;
        if self.previous_open { Place::Previous } else { Place::Current }
    }

    fn restart(&mut self, at_us: i64) {
        self.started = true;
        self.now_us = at_us;
        self.set_window(at_us);
    }

    fn set_window(&mut self, at_us: i64) {
        self.start_us = at_us.div_euclid(self.window_us).saturating_mul(self.window_us);
        self.end_us = self.start_us.saturating_add(self.window_us);
    }

    /// Enters a later window.
    fn cross(&mut self, at_us: i64) {
        self.flush_previous();
        let ended_us = self.end_us;
        if at_us.saturating_sub(ended_us) >= self.window_us {
            self.flush_current(ended_us);
            self.set_window(at_us);
            return;
        }
        self.set_window(at_us);
        std::mem::swap(&mut self.active, &mut self.active_previous);
        for slot in &self.active_previous {
            if let Some(device) = self.devices.get_mut(*slot) {
                std::mem::swap(&mut device.current, &mut device.previous);
            }
        }
        self.previous_open = !self.active_previous.is_empty();
    }

    fn account(&mut self, slot: u32, place: Place, at_us: i64, segment: &Segment, outgoing: bool) {
        let start_us = self.start_us;
        let Some(device) = self.devices.get_mut(slot) else { return };
        if segment.is_syn() && outgoing {
            let (current, previous) = (&mut device.current, &mut device.previous);
            device.attempts.expire(at_us.saturating_sub(ANSWER_WITHIN_US), |attempt| {
                failed_window(current, previous, attempt.at_us, start_us).add_failed(attempt);
            });
        }
        let (open, active) = match place {
            Place::Current => (&mut device.current, &mut self.active),
            Place::Previous => (&mut device.previous, &mut self.active_previous),
        };
        if open.is_empty() {
            active.push(slot);
        }
        open.add(at_us, segment, outgoing);
        if outgoing && segment.is_syn() {
            if !device.attempts.push(at_us, segment) {
                open.add_failed(&Attempt::new(at_us, segment));
                self.stats.syn_overflow += 1;
            }
        } else if !outgoing && segment.is_syn_ack() {
            device.attempts.answer(at_us, segment);
        }
    }

    fn flush_previous(&mut self) {
        if !self.previous_open {
            return;
        }
        self.previous_open = false;
        let end_us = self.start_us;
        let slots = std::mem::take(&mut self.active_previous);
        for slot in &slots {
            if let Some(device) = self.devices.get_mut(*slot) {
                let previous = &mut device.previous;
                device.attempts.expire(end_us, |attempt| previous.add_failed(attempt));
            }
            self.close(*slot, Place::Previous, end_us);
        }
        self.active_previous = slots;
        self.active_previous.clear();
    }

    /// Closes the current window; attempts made before `aged_us` stayed without answer.
    fn flush_current(&mut self, aged_us: i64) {
        let end_us = self.end_us;
        let slots = std::mem::take(&mut self.active);
        for slot in &slots {
            if let Some(device) = self.devices.get_mut(*slot) {
                let current = &mut device.current;
                device.attempts.expire(aged_us, |attempt| current.add_failed(attempt));
                device.attempts.clear();
            }
            self.close(*slot, Place::Current, end_us);
        }
        self.active = slots;
        self.active.clear();
    }

    fn close(&mut self, slot: u32, place: Place, end_us: i64) {
        let Some(device) = self.devices.get_mut(slot) else { return };
        let open = match place {
            Place::Current => &mut device.current,
            Place::Previous => &mut device.previous,
        };
        let Closed { counts, keys, overflow_packets, pace, talk } =
            open.close(self.spare.pop().unwrap_or_default(), &mut self.scratch);
        device.seen(end_us);
        self.stats.windows += 1;
        self.stats.saturated_windows += u64::from(overflow_packets > 0);
        if self.ready.len() >= MAX_READY {
            self.stats.dropped_windows += 1;
            return;
        }
        self.ready.push(WindowRecord {
            version: RECORD_VERSION,
            device: device.host,
            mac: device.mac.map(Host::mac),
            start_us: end_us.saturating_sub(self.window_us),
            end_us,
            counts,
            keys,
            overflow_packets,
            pace,
            talk,
        });
    }
}

/// The window a failed attempt belongs to; the open one if its own was never opened.
fn failed_window<'a>(
    current: &'a mut Open,
    previous: &'a mut Open,
    attempt_us: i64,
    start_us: i64,
) -> &'a mut Open {
    if attempt_us < start_us && !previous.is_empty() { previous } else { current }
}
