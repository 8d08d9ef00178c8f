//! What two hosts said over MMS in one window, message by message.

use serde::{Deserialize, Serialize};

use super::MmsMessage;
use crate::host::Host;

/// Messages of one association in one report; further ones are counted.
const MAX_ROWS: usize = 2_048;
/// Longest name kept, bytes.
const MAX_NAME: usize = 256;

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MmsRow {
    /// Time of capture, microseconds.
    pub ts_us: i64,
    /// Whether it goes from [`MmsReport::a`] to [`MmsReport::b`].
    pub forth: bool,
    /// Type of the PDU.
    pub pdu: u8,
    /// Service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<u32>,
    /// Invoke identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoke: Option<u32>,
    /// Object class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<u32>,
    /// Domain named.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub domain: String,
    /// Item named.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub item: String,
}

/// Messages of one association.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MmsReport {
    /// One end.
    pub a: Host,
    /// The other end.
    pub b: Host,
    /// Tells associations of the pair apart.
    pub channel: u64,
    /// The messages, in the order of time.
    pub rows: Vec<MmsRow>,
    /// Messages that found no place.
    #[serde(default)]
    pub beyond: u64,
}

impl MmsReport {
    /// A report of an association, with nothing in it.
    #[must_use]
    pub fn new(message: &MmsMessage<'_>) -> Self {
        let (a, b) = (message.from.min(message.to), message.from.max(message.to));
        Self { a, b, channel: message.channel, rows: Vec::new(), beyond: 0 }
    }

    /// Takes a message of the association.
    pub fn push(&mut self, message: &MmsMessage<'_>) {
        if self.rows.len() >= MAX_ROWS {
            self.beyond += 1;
            return;
        }
        self.rows.push(MmsRow {
            ts_us: message.ts_us,
            forth: message.from == self.a,
            pdu: message.pdu,
            service: message.service,
            invoke: message.invoke,
            class: message.class,
            domain: cut(message.domain),
            item: cut(message.item),
        });
    }

    /// The messages told, in order.
    pub fn messages(&self) -> impl Iterator<Item = MmsMessage<'_>> {
        self.rows.iter().take(MAX_ROWS).map(|row| MmsMessage {
            ts_us: row.ts_us,
            from: if row.forth { self.a } else { self.b },
            to: if row.forth { self.b } else { self.a },
            channel: self.channel,
            pdu: row.pdu,
            service: row.service,
            invoke: row.invoke,
            class: row.class,
            domain: &row.domain,
            item: &row.item,
        })
    }
}

fn cut(name: &str) -> String {
    let mut end = name.len().min(MAX_NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].to_owned()
}
