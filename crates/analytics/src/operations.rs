//! What machines were told and said in one window: the wire form between an edge and the node.
//!
//! Commands are told as [`Summary`]s, because polling repeats itself; GOOSE and MMS message by
//! message, because their laws are about the next message. [`Gatherer`] makes the reports from the
//! messages of conversations; the learners and judges of [`crate::commands`], [`crate::goose`] and
//! [`crate::mms`] take them.

use std::collections::BTreeMap;

use protocols::app::Record;
use protocols::flow::Sighting;
use serde::{Deserialize, Serialize};

use crate::commands::{Command, Entry, Summariser, Summary, SummaryStats, each_command};
use crate::goose::{GooseGatherer, GooseMessage, GoosePacket, GooseReport};
use crate::host::Host;
use crate::mms::{MmsMessage, MmsPacket, MmsReport};

/// Control blocks and associations with an open window; messages of further ones are counted.
const MAX_OPEN: usize = 4_096;
/// Different headers of one control block in one window.
const MAX_HEADERS: usize = 8;

/// One report of an edge: an item of the `operations` of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Report {
    /// Commands of one pair in one window.
    Commands(Summary),
    /// Messages of one GOOSE control block in one window.
    Goose(GooseReport),
    /// Messages of one MMS association in one window.
    Mms(MmsReport),
}

impl Report {
    /// The two ends: who sends, and who receives.
    #[must_use]
    pub const fn ends(&self) -> [Host; 2] {
        match self {
            Self::Commands(summary) => [summary.from, summary.to],
            Self::Goose(report) => [report.header.src, report.header.dst],
            Self::Mms(report) => [report.a, report.b],
        }
    }

    /// Time from which on it tells, microseconds; `None` for an empty one.
    #[must_use]
    pub fn first_us(&self) -> Option<i64> {
        match self {
            Self::Commands(summary) => Some(summary.start_us),
            Self::Goose(report) => report.rows.first().map(|row| row.ts_us),
            Self::Mms(report) => report.rows.first().map(|row| row.ts_us),
        }
    }

    /// Operations or messages told.
    #[must_use]
    pub fn count(&self) -> u64 {
        match self {
            Self::Commands(summary) => summary.operations(),
            Self::Goose(report) => report.rows.len() as u64,
            Self::Mms(report) => report.rows.len() as u64,
        }
    }

    /// What found no place in the report and is not told at all.
    #[must_use]
    pub const fn untold(&self) -> u64 {
        match self {
            // Their functions are told all the same.
            Self::Commands(_) => 0,
            Self::Goose(report) => report.beyond,
            Self::Mms(report) => report.beyond,
        }
    }

    /// About how long it is as JSON, bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::Commands(summary) => {
                let values: usize = summary.entries.iter().map(|entry| entry.values.len()).sum();
                let names: usize = summary.entries.iter().map(Entry::name_bytes).sum();
                300 + 160 * summary.entries.len()
                    + 8 * values
                    + names
                    + 40 * summary.order.len()
                    + 120 * summary.steps.len()
            }
            Self::Goose(report) => {
                let entries: usize = report.contents.iter().map(Vec::len).sum();
                500 + 130 * report.rows.len() + 30 * entries
            }
            Self::Mms(report) => {
                let names: usize =
                    report.rows.iter().map(|row| row.domain.len() + row.item.len()).sum();
                200 + 110 * report.rows.len() + names
            }
        }
    }
}

/// What a gatherer did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GatherStats {
    /// About commands.
    pub commands: SummaryStats,
    /// GOOSE and MMS messages taken.
    pub messages: u64,
    /// Messages of control blocks and associations beyond the bound: not told.
    pub beyond: u64,
}

impl std::ops::Add for GatherStats {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        let (a, b) = (self.commands, more.commands);
        Self {
            commands: SummaryStats {
                operations: a.operations + b.operations,
                beyond: a.beyond + b.beyond,
                pairs_beyond: a.pairs_beyond + b.pairs_beyond,
                late: a.late + b.late,
            },
            messages: self.messages + more.messages,
            beyond: self.beyond + more.beyond,
        }
    }
}

/// Makes reports of the messages of conversations.
#[derive(Debug)]
pub struct Gatherer {
    window_us: i64,
    commands: Summariser,
    goose: BTreeMap<(i64, String), Vec<GooseGatherer>>,
    mms: BTreeMap<(i64, Host, Host, u64), MmsReport>,
    goose_packet: GoosePacket,
    mms_packet: MmsPacket,
    messages: u64,
    beyond: u64,
}

impl Gatherer {
    /// A gatherer with windows of this length, at least a microsecond.
    #[must_use]
    pub fn new(window_us: i64) -> Self {
        Self {
            window_us: window_us.max(1),
            commands: Summariser::new(window_us),
            goose: BTreeMap::new(),
            mms: BTreeMap::new(),
            goose_packet: GoosePacket::default(),
            mms_packet: MmsPacket::default(),
            messages: 0,
            beyond: 0,
        }
    }

    /// What was done so far.
    #[must_use]
    pub const fn stats(&self) -> GatherStats {
        GatherStats {
            commands: self.commands.stats(),
            messages: self.messages,
            beyond: self.beyond,
        }
    }

    /// Takes a message of a conversation; others than industrial ones are passed by.
    pub fn sighting(&mut self, sighting: &Sighting<'_>) {
        if !sighting.protocol.is_industrial() {
            return;
        }
        self.message(sighting);
        // What MMS writes and controls is also a command.
        each_command(sighting, &mut |command| self.commands.push(&command));
    }

    /// Takes a message of GOOSE or MMS for its laws, and no commands; others are passed by.
    pub fn message(&mut self, sighting: &Sighting<'_>) {
        let (ts_ns, from, to) = (sighting.ts_ns, &sighting.from, &sighting.to);
        match &sighting.record {
            Record::Goose(message) => {
                let mut packet = std::mem::take(&mut self.goose_packet);
                if let Some(message) = packet.read(ts_ns, from, to, message) {
                    self.goose(&message);
                }
                self.goose_packet = packet;
            }
            Record::Mms(message) => {
                let mut packet = std::mem::take(&mut self.mms_packet);
                if let Some(message) = packet.read(ts_ns, from, to, message) {
                    self.mms(&message);
                }
                self.mms_packet = packet;
            }
            _ => {}
        }
    }

    /// Takes a command that was made elsewhere.
    pub fn command(&mut self, command: &Command<'_>) {
        self.commands.push(command);
    }

    fn start_of(&self, ts_us: i64) -> i64 {
        ts_us.div_euclid(self.window_us).saturating_mul(self.window_us)
    }

    /// Takes a GOOSE message.
    pub fn goose(&mut self, message: &GooseMessage<'_>) {
        self.messages += 1;
        let key = (self.start_of(message.ts_us), message.control.to_owned());
        if self.goose.len() >= MAX_OPEN && !self.goose.contains_key(&key) {
            self.beyond += 1;
            return;
        }
        let headers = self.goose.entry(key).or_default();
        if headers.iter_mut().any(|gatherer| gatherer.push(message)) {
            return;
        }
        if headers.len() >= MAX_HEADERS {
            self.beyond += 1;
            return;
        }
        let mut gatherer = GooseGatherer::new(message);
        gatherer.push(message);
        headers.push(gatherer);
    }

    /// Takes an MMS message.
    pub fn mms(&mut self, message: &MmsMessage<'_>) {
        self.messages += 1;
        let new = MmsReport::new(message);
        let key = (self.start_of(message.ts_us), new.a, new.b, new.channel);
        if self.mms.len() >= MAX_OPEN && !self.mms.contains_key(&key) {
            self.beyond += 1;
            return;
        }
        self.mms.entry(key).or_insert(new).push(message);
    }

    /// Whether a window is open that ended at or before a time.
    #[must_use]
    pub fn has_ended(&self, ts_us: i64) -> bool {
        let ended = |start: i64| start.saturating_add(self.window_us) <= ts_us;
        self.commands.has_ended(ts_us)
            || self.goose.first_key_value().is_some_and(|(key, _)| ended(key.0))
            || self.mms.first_key_value().is_some_and(|(key, _)| ended(key.0))
    }

    /// Reports of the windows that ended at or before a time: commands, then GOOSE, then MMS, each
    /// in the order of time.
    pub fn close_before(&mut self, ts_us: i64) -> Vec<Report> {
        let mut reports: Vec<Report> =
            self.commands.close_before(ts_us).into_iter().map(Report::Commands).collect();
        let window_us = self.window_us;
        let ended = |start: i64| start.saturating_add(window_us) <= ts_us;
        while let Some(entry) = self.goose.first_entry()
            && ended(entry.key().0)
        {
            let gathered = entry.remove().into_iter();
            reports.extend(gathered.map(|gatherer| Report::Goose(gatherer.finish())));
        }
        while let Some(entry) = self.mms.first_entry()
            && ended(entry.key().0)
        {
            reports.push(Report::Mms(entry.remove()));
        }
        reports
    }

    /// Every report that is left.
    pub fn finish(&mut self) -> Vec<Report> {
        self.close_before(i64::MAX)
    }
}
