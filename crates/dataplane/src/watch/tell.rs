//! What a watch has found, into batches for the node.

use analytics::inventory::DeviceFacts;
use analytics::record::WindowRecord;
use model::Timestamp;
use ports::WindowBatch;
use serde::Serialize;
use serde_json::Value;

use super::{MAX_BATCH_FACTS, MAX_BATCH_REPORTS, MAX_REPORT_BYTES, Watch};
use crate::clock;
use crate::outbox::Pushed;

impl Watch {
    /// The next reports, at most [`MAX_BATCH_REPORTS`] and about [`MAX_REPORT_BYTES`].
    fn next_reports(&mut self) -> (Value, u64) {
        let (mut values, mut bytes, mut count) = (Vec::new(), 0, 0);
        while values.len() < MAX_BATCH_REPORTS
            && bytes < MAX_REPORT_BYTES
            && let Some(report) = self.reports.pop_front()
        {
            bytes += report.size();
            count += report.count();
            values.push(report);
        }
        if values.is_empty() { (Value::Null, 0) } else { (json(&values), count) }
    }

    pub(super) fn flush(&mut self, complete_to_us: i64) {
        self.pending_since = None;
        let records = std::mem::take(&mut self.pending);
        if !records.is_empty() {
            self.say(Timestamp::from_micros(complete_to_us), records);
        }
    }

    /// What is new about devices, at most [`MAX_BATCH_FACTS`] at a time.
    fn news(&mut self) -> Value {
        let known = self.inventory.stats();
        if known.beyond > 0 && !self.full {
            self.full = true;
            tracing::warn!(
                known.devices,
                "no place for more devices in the inventory: their windows are told, their names and \
                 kinds are not; put a sensor into each segment, or look for made-up addresses"
            );
        }
        let (news, side) = (&mut self.news, &self.side);
        self.inventory.drain(|facts| {
            if side.holds(facts.mac) {
                news.push(facts);
            }
        });
        if news.is_empty() {
            return Value::Null;
        }
        let now: Vec<DeviceFacts> = news.drain(..news.len().min(MAX_BATCH_FACTS)).collect();
        json(&now)
    }

    pub(super) fn say(&mut self, complete_to: Timestamp, records: Vec<WindowRecord>) {
        let news = self.inventory.has_news() || !self.news.is_empty() || !self.reports.is_empty();
        if records.is_empty() && !news && self.told.is_some_and(|told| told >= complete_to) {
            return;
        }
        let complete_to = self.told.map_or(complete_to, |told| told.max(complete_to));
        self.told_at = clock::monotonic();
        self.told = Some(complete_to);
        let mut records = records;
        loop {
            self.push(complete_to, std::mem::take(&mut records));
            if self.reports.is_empty() || (self.outbox.full() && !self.repeatable) {
                return;
            }
        }
    }

    pub(super) fn push(&mut self, complete_to: Timestamp, records: Vec<WindowRecord>) {
        let windows = records.len() as u64;
        let packets = records.iter().map(WindowRecord::packets).sum();
        // What cannot be kept now waits here.
        let hold = self.outbox.full() && !self.waits;
        let (operations, told) = if hold { (Value::Null, 0) } else { self.next_reports() };
        let batch = WindowBatch {
            edge: self.edge.clone(),
            epoch: 0,
            seq: 0,
            complete_to,
            records: json(&records),
            devices: self.news(),
            operations,
        };
        if self.outbox.push(batch, packets, self.waits) != Pushed::Kept {
            self.stats.refused += windows;
            self.stats.operations_untold += told;
        }
    }
}

fn json(records: &[impl Serialize]) -> Value {
    serde_json::to_value(records).unwrap_or_else(|error| {
        tracing::error!(%error, "records cannot be written as JSON");
        Value::Array(Vec::new())
    })
}
