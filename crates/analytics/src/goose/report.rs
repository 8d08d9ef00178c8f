//! What one control block said in one window, message by message: the laws need every one of them.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::{Entry, GooseMessage, Header, MAX_ENTRIES};

/// Messages of one control block and header in one report; further ones are counted.
const MAX_ROWS: usize = 2_048;
/// Different contents of one report; messages with further ones are counted.
const MAX_CONTENTS: usize = 256;
/// Entries of all contents of a report.
const MAX_REPORT_ENTRIES: usize = 16_384;

/// One message, without what all messages of the report share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GooseRow {
    /// Time of capture, microseconds.
    pub ts_us: i64,
    /// Time of the state, microseconds.
    pub t_us: i64,
    /// State number.
    pub state: u32,
    /// Sequence number.
    pub sequence: u32,
    /// Time allowed to live, milliseconds.
    pub ttl_ms: u32,
    /// Length the header states, 0 where unknown.
    pub length: u32,
    /// Place of the content in [`GooseReport::contents`].
    pub content: usize,
}

/// Messages of one control block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GooseReport {
    /// Control block reference.
    pub control: String,
    /// What configuration fixes.
    pub header: Header,
    /// Different contents of the data set.
    pub contents: Vec<Vec<Entry>>,
    /// The messages, in the order of time.
    pub rows: Vec<GooseRow>,
    /// Messages that found no place.
    #[serde(default)]
    pub beyond: u64,
}

impl GooseReport {
    /// The messages told, in order. A row that names a content that is not there is left out.
    pub fn messages(&self) -> impl Iterator<Item = GooseMessage<'_>> {
        self.rows.iter().take(MAX_ROWS).filter_map(|row| {
            let data = self.contents.get(row.content)?;
            Some(GooseMessage {
                ts_us: row.ts_us,
                src: self.header.src,
                dst: self.header.dst,
                app_id: self.header.app_id,
                length: row.length,
                control: &self.control,
                ttl_ms: row.ttl_ms,
                data_set: &self.header.data_set,
                go_id: &self.header.go_id,
                t_us: row.t_us,
                state: row.state,
                sequence: row.sequence,
                simulation: self.header.simulation,
                conf_rev: self.header.conf_rev,
                needs_commissioning: self.header.needs_commissioning,
                entries: self.header.entries,
                data: &data[..data.len().min(MAX_ENTRIES)],
            })
        })
    }
}

/// A report in the making.
#[derive(Debug)]
pub struct GooseGatherer {
    report: GooseReport,
    places: HashMap<Vec<Entry>, usize>,
    entries: usize,
}

impl GooseGatherer {
    /// A report of messages like this one.
    #[must_use]
    pub fn new(message: &GooseMessage<'_>) -> Self {
        let report = GooseReport {
            control: message.control.to_owned(),
            header: Header { ttl_ms: 0, ..Header::of(message) },
            contents: Vec::new(),
            rows: Vec::new(),
            beyond: 0,
        };
        Self { report, places: HashMap::new(), entries: 0 }
    }

    /// Takes a message; `false` when its header is another and it belongs into a report of its own.
    pub fn push(&mut self, message: &GooseMessage<'_>) -> bool {
        let header = Header { ttl_ms: message.ttl_ms, ..self.report.header.clone() };
        if self.report.control != message.control || !header.fits(message) {
            return false;
        }
        let content = match self.places.get(message.data) {
            Some(place) => *place,
            None if self.report.contents.len() >= MAX_CONTENTS
                || self.entries + message.data.len() > MAX_REPORT_ENTRIES =>
            {
                self.report.beyond += 1;
                return true;
            }
            None => {
                self.entries += message.data.len();
                self.report.contents.push(message.data.to_vec());
                self.places.insert(message.data.to_vec(), self.report.contents.len() - 1);
                self.report.contents.len() - 1
            }
        };
        if self.report.rows.len() >= MAX_ROWS {
            self.report.beyond += 1;
            return true;
        }
        self.report.rows.push(GooseRow {
            ts_us: message.ts_us,
            t_us: message.t_us,
            state: message.state,
            sequence: message.sequence,
            ttl_ms: message.ttl_ms,
            length: message.length,
            content,
        });
        true
    }

    /// The report.
    #[must_use]
    pub fn finish(self) -> GooseReport {
        self.report
    }
}
