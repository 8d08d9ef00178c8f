//! GOOSE and MMS in captures, judged message by message by the laws that operation judges by.
//!
//! Messages go through the same reports and the same judges as in operation; time is that of the
//! capture's frames, whoever sent them, so that a publisher's silence is told while others speak. A
//! window is given [`patience_us`] after its end: what later messages prove of earlier ones falls
//! into the window of its time.

use std::collections::HashMap;
use std::sync::Arc;

use analytics::host::Host;
use analytics::laws::{KEPT_US, LawWindow};
use analytics::operations::{Gatherer, Report};
use analytics::policy::{DevicePolicy, is_local};
use analytics::record::WindowRecord;
use analytics::windows::CLOCK_STEP_US;
use protocols::flow::Sighting;

use super::scored::{ScoredWindow, Why};
use crate::laws::memory::{LawMemory, LawModel, SETTLED_WINDOWS, Turn, finish, judge};

/// Reasons told of a window.
const REASONS: usize = 3;
/// Addresses whose device is remembered.
const MAX_LINKS: usize = 65_536;

/// How long after its end a window is given: a judge remembers single messages for [`KEPT_US`].
const fn patience_us(window_us: i64) -> i64 {
    KEPT_US.saturating_add(SETTLED_WINDOWS * window_us)
}

/// Judges the messages of one capture by the laws of one or both protocols.
pub(super) struct LawWatch {
    window_us: i64,
    gatherer: Gatherer,
    judges: Vec<(LawModel, LawMemory)>,
    /// Start of the window in which time stands.
    now_us: Option<i64>,
    /// Time of the last frame.
    last_us: i64,
    /// Windows up to here are told.
    done_us: i64,
    /// Messages that were not judged: too many in one window.
    untold: u64,
    late: u64,
}

impl LawWatch {
    pub(super) fn new(models: Vec<LawModel>, window_us: i64) -> Self {
        let with_memory = |model: LawModel| {
            let memory = LawMemory::with_windows(model.protocol(), window_us);
            (model, memory)
        };
        Self {
            window_us,
            gatherer: Gatherer::new(window_us),
            judges: models.into_iter().map(with_memory).collect(),
            now_us: None,
            last_us: i64::MIN,
            done_us: i64::MIN,
            untold: 0,
            late: 0,
        }
    }

    /// Takes a message between machines.
    pub(super) fn message(&mut self, sighting: &Sighting<'_>) {
        self.gatherer.message(sighting);
    }

    /// Messages not judged so far because a window held too many.
    pub(super) const fn untold(&self) -> u64 {
        self.untold + self.gatherer.stats().beyond
    }

    /// Windows in which laws proved broken after they were told.
    pub(super) const fn late(&self) -> u64 {
        self.late
    }

    /// A frame of this time is read, its messages come after: tells the windows that are complete by
    /// then. Gives the time up to which no further window ends; `None` where it is as before.
    pub(super) fn time(
        &mut self,
        ts_us: i64,
        each: &mut dyn FnMut(&LawModel, &LawWindow),
    ) -> Option<i64> {
        let start_us = ts_us.div_euclid(self.window_us).saturating_mul(self.window_us);
        self.last_us = ts_us;
        let before = self.now_us.replace(start_us);
        if before == Some(start_us) {
            return None;
        }
        let settled_us = start_us.saturating_sub(SETTLED_WINDOWS * self.window_us);
        let grace_us = patience_us(self.window_us);
        if before.is_some_and(|before| before.saturating_sub(start_us) > CLOCK_STEP_US) {
            // The clock was set back: what was followed lies in another time.
            self.turn(i64::MAX, Turn { anew: false, settled_us: i64::MIN, grace_us }, each);
            self.turn(i64::MIN, Turn { anew: true, settled_us, grace_us }, each);
            self.done_us = i64::MIN;
            return Some(i64::MAX);
        }
        // One window of patience with frames that come out of order.
        let ended_us = start_us.saturating_sub(self.window_us);
        self.turn(ended_us, Turn { anew: false, settled_us, grace_us }, each);
        self.done_us = settled_us.saturating_sub(grace_us);
        Some(self.done_us)
    }

    /// The capture ends: tells every window that is left.
    pub(super) fn finish(&mut self, each: &mut dyn FnMut(&LawModel, &LawWindow)) {
        let grace_us = patience_us(self.window_us);
        self.turn(i64::MAX, Turn { anew: false, settled_us: self.last_us, grace_us }, each);
        for (model, memory) in std::mem::take(&mut self.judges) {
            let windows = finish(&model, memory);
            self.tell(&model, &windows, each);
        }
    }

    /// Judges the reports of the windows that ended by a time.
    fn turn(&mut self, ended_us: i64, turn: Turn, each: &mut dyn FnMut(&LawModel, &LawWindow)) {
        let reports = self.gatherer.close_before(ended_us);
        self.untold += reports.iter().map(Report::untold).sum::<u64>();
        for (model, memory) in std::mem::take(&mut self.judges) {
            let (windows, after) = judge(&model, memory, &reports, turn);
            self.tell(&model, &windows, each);
            self.judges.push((model, after));
        }
    }

    /// Late evidence about a window that was told already is counted: a window has one row.
    fn tell(
        &mut self,
        model: &LawModel,
        windows: &[LawWindow],
        each: &mut dyn FnMut(&LawModel, &LawWindow),
    ) {
        for window in windows {
            if window.end_us <= self.done_us {
                self.late += 1;
            } else {
                each(model, window);
            }
        }
    }
}

/// A window of laws as the output tells it: how often each law was broken, and how often at most in
/// a window of training.
pub(super) fn scored(device: Arc<str>, window: &LawWindow, model: &LawModel) -> ScoredWindow {
    let reasons = model.judge(window);
    let score = reasons.first().map_or(0.0, |reason| reason.ratio);
    let protocol = model.protocol();
    let why = reasons.iter().take(REASONS);
    ScoredWindow {
        device,
        group: window.group.clone(),
        start_us: window.start_us,
        end_us: window.end_us,
        score,
        alert: score > 1.0,
        detector: protocol.word(),
        why: why
            .map(|reason| {
                Why::numbers(protocol.law(reason.law).0, reason.measured, reason.expected)
            })
            .collect(),
    }
}

/// Names those who speak as windows name devices: a publisher that also speaks IP by its internet
/// address, one that speaks GOOSE alone by its MAC address; who is listed by his MAC address by that.
pub(super) struct Speakers {
    policy: DevicePolicy,
    links: HashMap<Host, Link>,
}

struct Link {
    /// `None` where several share the address, as behind a router.
    device: Option<Host>,
    start_us: i64,
}

impl Speakers {
    pub(super) fn new(policy: DevicePolicy) -> Self {
        Self { policy, links: HashMap::new() }
    }

    /// Learns from a window whose MAC address it is.
    pub(super) fn see(&mut self, record: &WindowRecord) {
        let Some(mac) = record.mac else { return };
        if self.links.len() >= MAX_LINKS && !self.links.contains_key(&mac) {
            return;
        }
        let fresh = Link { device: Some(record.device), start_us: record.start_us };
        let link = self.links.entry(mac).or_insert(fresh);
        if link.device == Some(record.device) {
            link.start_us = record.start_us;
        } else if link.start_us == record.start_us {
            link.device = None;
        } else if link.device.is_some() {
            // An address was given to it anew.
            *link = Link { device: Some(record.device), start_us: record.start_us };
        }
    }

    /// Learns from a message which internet addresses a listed MAC address has.
    pub(super) fn hear(&mut self, sighting: &Sighting<'_>) {
        let DevicePolicy::Listed(names) = &self.policy else { return };
        for end in [&sighting.from, &sighting.to] {
            let (Some(ip), Some(mac)) = (end.ip.map(Host::from), end.mac.map(Host::mac)) else {
                continue;
            };
            if names.contains(&mac) && self.links.len() < MAX_LINKS {
                let start_us = sighting.ts_ns.div_euclid(1_000);
                self.links.insert(ip, Link { device: Some(mac), start_us });
            }
        }
    }

    /// The device of an end.
    pub(super) fn device(&self, end: Host) -> Host {
        self.links.get(&end).and_then(|link| link.device).unwrap_or(end)
    }

    /// Whether one that has no window of counts is a device all the same: one that is listed; where
    /// nobody is, every MAC address that speaks and every local address.
    pub(super) fn is_device(&self, host: Host) -> bool {
        match &self.policy {
            DevicePolicy::Local => host.ip().is_none_or(is_local),
            DevicePolicy::Listed(names) => names.contains(&host),
        }
    }
}

#[cfg(test)]
mod tests;
