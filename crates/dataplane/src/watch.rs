//! Frames to windows to batches: what the gateway sees of its devices.

mod stats;
mod tell;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use analytics::host::Host;
use analytics::inventory::{DeviceFacts, Inventory};
use analytics::operations::{GatherStats, Gatherer, Report};
use analytics::record::WindowRecord;
use analytics::windows::{
    ANSWER_WITHIN_US, CLOCK_STEP_US, DEFAULT_WINDOW_US, WindowConfig, Windower,
};
use model::Timestamp;
use protocols::flow::{Limits, Tracker};
use protocols::packet::{self, LinkType};

pub use stats::WatchStats;

use crate::enforce::Shared;
use crate::outbox::Outbox;
use crate::{EdgeError, clock};

/// Records in one batch at most.
pub const MAX_BATCH_RECORDS: usize = 64;
/// How long (wall time) a finished window may wait for company.
pub const LINGER: Duration = Duration::from_millis(50);
/// How often an idle source still tells how far packet time has come.
pub const IDLE_EVERY: Duration = Duration::from_secs(1);
/// Devices whose facts are in one batch at most: so many of the longest facts there can be (about 65 kB
/// each) still fit into a frame to the node.
pub const MAX_BATCH_FACTS: usize = 48;
/// Reports of operations in one batch at most.
pub const MAX_BATCH_REPORTS: usize = 64;
/// Bytes of these, about: a batch must fit into a frame.
const MAX_REPORT_BYTES: usize = 128 << 10;
/// Reports that wait for a batch at most; further ones are counted.
const MAX_REPORTS: usize = 16_384;
/// Conversations followed at the same time.
pub const MAX_CONVERSATIONS: usize = 16_384;
/// Device addresses learned on the device side at most.
pub const MAX_DEVICES: usize = 4_096;

/// Who stands on the device side.
#[derive(Clone, Debug)]
pub enum DeviceSide {
    /// Exactly these MAC addresses.
    Listed(HashSet<[u8; 6]>),
    /// Whoever is seen sending there.
    Learned(HashSet<[u8; 6]>),
    /// Everybody: the source does not tell sides apart.
    Everybody,
}

impl DeviceSide {
    fn holds(&self, mac: Option<Host>) -> bool {
        match self {
            Self::Everybody => true,
            Self::Listed(macs) | Self::Learned(macs) => {
                mac.and_then(Host::as_mac).is_some_and(|mac| macs.contains(&mac))
            }
        }
    }
}

/// Cuts what is seen into windows and hands them to the outbox.
pub struct Watch {
    edge: String,
    windower: Windower,
    tracker: Tracker,
    inventory: Inventory,
    /// It was said that the inventory is full.
    full: bool,
    news: Vec<DeviceFacts>,
    gatherer: Gatherer,
    reports: VecDeque<Report>,
    /// What earlier sources of this watch did not tell.
    before: GatherStats,
    /// Late messages of earlier sources.
    late_before: u64,
    outbox: Arc<Outbox>,
    shared: Arc<Shared>,
    side: DeviceSide,
    waits: bool,
    pending: Vec<WindowRecord>,
    pending_since: Option<Duration>,
    at_ns: Option<i64>,
    told: Option<Timestamp>,
    told_at: Duration,
    /// What goes to the outbox when is decided by the packets alone, not by the clock on the wall:
    /// the same packets make the same batches again.
    repeatable: bool,
    /// What is seen now was told of before a restart.
    quiet: bool,
    /// So were the windows up to this packet time (microseconds).
    told_before_us: Option<i64>,
    stats: WatchStats,
}

fn windower() -> Result<Windower, EdgeError> {
    Windower::new(WindowConfig::default()).map_err(|error| EdgeError::Settings(error.to_string()))
}

impl Watch {
    /// A watch that has seen nothing. `waits`: the source can be held, so nothing need be lost.
    ///
    /// # Errors
    /// Never with the default window length.
    pub fn new(
        edge: &str,
        outbox: Arc<Outbox>,
        shared: Arc<Shared>,
        side: DeviceSide,
        waits: bool,
    ) -> Result<Self, EdgeError> {
        Ok(Self {
            edge: edge.to_owned(),
            windower: windower()?,
            tracker: tracker(),
            inventory: Inventory::default(),
            full: false,
            news: Vec::new(),
            gatherer: Gatherer::new(DEFAULT_WINDOW_US),
            reports: VecDeque::new(),
            before: GatherStats::default(),
            late_before: 0,
            outbox,
            shared,
            side,
            waits,
            pending: Vec::new(),
            pending_since: None,
            at_ns: None,
            told: None,
            told_at: clock::monotonic(),
            repeatable: false,
            quiet: false,
            told_before_us: None,
            stats: WatchStats::default(),
        })
    }

    /// Makes the same batches of the same packets, whenever they come; windows up to
    /// `told_before_us` (microseconds of packet time) were told before a restart.
    #[must_use]
    pub fn repeatable(mut self, told_before_us: Option<i64>) -> Self {
        (self.repeatable, self.told_before_us) = (true, told_before_us);
        self
    }

    /// From now on (true) frames were told of before a restart: they are looked at, and nothing of
    /// them is told; or (false) no longer.
    pub fn quiet(&mut self, quiet: bool) {
        self.quiet = quiet;
    }

    /// Hands over everything closed.
    pub fn tell_all(&mut self) {
        let complete_to = self.at_ns.map_or(0, complete_to);
        self.flush(complete_to);
        if !self.reports.is_empty() {
            self.say(Timestamp::from_micros(complete_to), Vec::new());
        }
    }

    /// Packet time (microseconds) before which all windows are closed; `None` when none is open.
    pub fn open_since_us(&self) -> Option<i64> {
        self.windower.open_since_us()
    }

    /// Whether everything closed has gone to the outbox.
    pub fn all_told(&self) -> bool {
        self.pending.is_empty() && self.reports.is_empty() && !self.windower.has_ready()
    }

    /// A new start of the source: windows begin anew.
    ///
    /// # Errors
    /// Never with the default window length.
    pub fn start(&mut self, epoch: u64) -> Result<(), EdgeError> {
        self.late_before = self.messages_late();
        self.windower = windower()?;
        self.tracker = tracker();
        self.stats.facts_refused += self.inventory.stats().beyond;
        self.inventory = Inventory::default();
        self.news.clear();
        self.before = self.gathered();
        self.gatherer = Gatherer::new(DEFAULT_WINDOW_US);
        self.reports.clear();
        self.pending.clear();
        (self.pending_since, self.at_ns, self.told) = (None, None, None);
        self.outbox.start_epoch(epoch);
        Ok(())
    }

    /// One frame, seen at packet time `at_ns` (nanoseconds); `from_device`: it came in on the device
    /// side.
    pub fn frame(
        &mut self,
        at_ns: i64,
        link: LinkType,
        bytes: &[u8],
        wire_len: u32,
        from_device: bool,
    ) {
        self.stats.frames += 1;
        self.reached(at_ns);
        let Ok(view) = packet::decode(link, bytes, wire_len) else {
            self.stats.undecodable += 1;
            return;
        };
        if from_device
            && let DeviceSide::Learned(macs) = &mut self.side
            && macs.len() < MAX_DEVICES
            && let Some(mac) = view.src_mac
        {
            macs.insert(mac);
        }
        self.inventory.packet(at_ns, &view);
        // Before the messages of the packet: they are counted in the windows it opens.
        let steps = self.windower.clock_steps();
        self.windower.push(at_ns, &view);
        if self.windower.clock_steps() != steps {
            // The windows have followed the clock back; so does what is said of packet time.
            (self.at_ns, self.told) = (Some(at_ns), None);
        }
        let (inventory, gatherer, side) = (&mut self.inventory, &mut self.gatherer, &self.side);
        let windower = &mut self.windower;
        self.tracker.push(at_ns, &view, &mut |sighting| {
            inventory.message(sighting);
            windower.hear(sighting);
            let ends = [sighting.from.mac, sighting.to.mac];
            if ends.into_iter().any(|mac| side.holds(mac.map(Host::mac))) {
                gatherer.sighting(sighting);
            }
        });
        self.collect();
    }

    /// Windows that another made (from flow export), complete up to `complete_to_us`.
    pub fn windows(&mut self, records: Vec<WindowRecord>, complete_to_us: i64) {
        self.reached(complete_to_us.saturating_mul(1_000));
        self.take_records(records);
        self.flush(complete_to_us);
        self.say(Timestamp::from_micros(complete_to_us), Vec::new());
    }

    /// Packet time has come this far without a frame.
    pub fn advance(&mut self, at_ns: i64) {
        self.reached(at_ns);
        self.windower.advance_to(at_ns);
        self.collect();
    }

    /// The source has ended: open windows are closed and everything is handed over.
    pub fn finish(&mut self) {
        self.windower.finish();
        self.collect();
        let reports = self.gatherer.finish();
        self.keep_reports(reports);
        if let Some(at_ns) = self.at_ns {
            // The end of the window the last packet lies in: no more will come.
            let end_us = (at_ns / 1_000).div_euclid(DEFAULT_WINDOW_US) * DEFAULT_WINDOW_US
                + DEFAULT_WINDOW_US;
            self.flush(end_us);
            self.say(Timestamp::from_micros(end_us), Vec::new());
            while self.waits && !self.reports.is_empty() {
                self.push(Timestamp::from_micros(end_us), Vec::new());
            }
        }
    }

    /// Hands over what has waited long enough; call it often.
    pub fn settle(&mut self) {
        if self.repeatable {
            return;
        }
        let now = clock::monotonic();
        if self.pending_since.is_some_and(|since| now.saturating_sub(since) >= LINGER) {
            self.flush(self.at_ns.map_or(0, complete_to));
        }
        if now.saturating_sub(self.told_at) >= IDLE_EVERY
            && self.pending.is_empty()
            && let Some(at_ns) = self.at_ns
        {
            self.close_reports();
            self.say(Timestamp::from_micros(complete_to(at_ns)), Vec::new());
        }
    }

    /// Packet time reached.
    pub fn at(&self) -> Option<Timestamp> {
        self.at_ns.map(Timestamp::from_nanos)
    }

    /// What was seen and what could not be used.
    pub fn stats(&self) -> WatchStats {
        let (gathered, windows) = (self.gathered(), self.windower.stats());
        WatchStats {
            operations: gathered.commands.operations + gathered.messages,
            operations_beyond: gathered.commands.beyond,
            operations_untold: self.stats.operations_untold
                + gathered.commands.pairs_beyond
                + gathered.beyond,
            operations_late: gathered.commands.late,
            devices_refused: windows.refused_devices,
            late: windows.late,
            clock_steps: windows.clock_steps,
            facts_refused: self.stats.facts_refused + self.inventory.stats().beyond,
            conversations_given_up: self.tracker.stats().evicted,
            messages_late: self.messages_late(),
            ..self.stats
        }
    }

    /// What all gatherers of this watch did.
    fn gathered(&self) -> GatherStats {
        self.before + self.gatherer.stats()
    }

    fn messages_late(&self) -> u64 {
        self.late_before + self.windower.stats().late_messages
    }

    fn reached(&mut self, at_ns: i64) {
        self.at_ns = Some(self.at_ns.map_or(at_ns, |before| before.max(at_ns)));
    }

    fn collect(&mut self) {
        if self.windower.has_ready() {
            let records = self.windower.take_ready();
            self.close_reports();
            self.take_records(records);
        }
    }

    /// Whether a window that ends there (microseconds) was told before a restart. An older one is
    /// another matter: the clock of the packets was set back.
    fn was_told(&self, end_us: i64) -> bool {
        let told = |told_us: i64| end_us <= told_us && end_us > told_us - CLOCK_STEP_US;
        self.quiet || self.told_before_us.is_some_and(told)
    }

    /// Takes over the reports of windows that are over.
    fn close_reports(&mut self) {
        let ended = self.at_ns.map_or(i64::MIN, complete_to);
        if self.gatherer.has_ended(ended) {
            let reports = self.gatherer.close_before(ended);
            self.keep_reports(reports);
        }
    }

    fn keep_reports(&mut self, reports: Vec<Report>) {
        for report in reports {
            let start_us = report.first_us().map(|at_us| at_us.div_euclid(DEFAULT_WINDOW_US));
            if start_us.is_some_and(|start| self.was_told((start + 1) * DEFAULT_WINDOW_US)) {
                self.stats.told_before += 1;
                continue;
            }
            if self.reports.len() >= MAX_REPORTS {
                self.stats.operations_untold += report.count();
                continue;
            }
            self.stats.operations_untold += report.untold();
            self.reports.push_back(report);
        }
    }

    fn take_records(&mut self, records: Vec<WindowRecord>) {
        for record in records {
            if self.was_told(record.end_us) {
                self.stats.told_before += 1;
                continue;
            }
            self.told_before_us = None;
            if !self.side.holds(record.mac) {
                self.stats.other_side += 1;
                continue;
            }
            if let (Some(address), Some(mac)) = (record.device.ip(), record.mac) {
                self.shared.seen(address, mac.to_string());
            }
            self.pending_since.get_or_insert_with(clock::monotonic);
            self.pending.push(record);
            if self.pending.len() >= MAX_BATCH_RECORDS {
                // Others of the same window may still follow.
                let complete_to = self.pending.last().map_or(0, |last| last.start_us);
                self.flush(complete_to);
            }
        }
    }
}

fn tracker() -> Tracker {
    Tracker::new(Limits { conversations: MAX_CONVERSATIONS, ..Limits::default() })
}

/// Packet time (microseconds) up to which all windows are known once packet time is `at_ns`.
fn complete_to(at_ns: i64) -> i64 {
    (at_ns / 1_000).saturating_sub(ANSWER_WITHIN_US).div_euclid(DEFAULT_WINDOW_US)
        * DEFAULT_WINDOW_US
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
