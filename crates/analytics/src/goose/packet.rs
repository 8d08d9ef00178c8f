//! GOOSE messages as packets carry them.

use protocols::app::message::Goose;
use protocols::app::message::mms::{Data, Datum};
use protocols::flow::End;

use super::{Entry, GooseMessage, MAX_ENTRIES};
use crate::host::Host;

/// Reads messages of packets; its memory is reused.
#[derive(Debug, Default)]
pub struct GoosePacket {
    control: String,
    data_set: String,
    go_id: String,
    entries: Vec<Entry>,
}

impl GoosePacket {
    /// The message of a packet; `None` where the link has no source address.
    pub fn read<'r>(
        &'r mut self,
        ts_ns: i64,
        from: &End,
        to: &End,
        message: &Goose<'_>,
    ) -> Option<GooseMessage<'r>> {
        let host = |end: &End| end.mac.map(Host::mac).or_else(|| end.ip.map(Host::from));
        let src = host(from)?;
        put(&mut self.control, message.control_block);
        put(&mut self.data_set, message.data_set);
        put(&mut self.go_id, message.id);
        self.entries.clear();
        read_entries(&message.data, &mut self.entries);
        Some(GooseMessage {
            ts_us: ts_ns.div_euclid(1_000),
            src,
            dst: host(to).unwrap_or(src),
            app_id: u32::from(message.app_id),
            length: 0,
            control: &self.control,
            ttl_ms: message.time_allowed_to_live,
            data_set: &self.data_set,
            go_id: &self.go_id,
            t_us: message.changed.nanos().div_euclid(1_000),
            state: message.state,
            sequence: message.sequence,
            simulation: message.simulation,
            conf_rev: message.revision,
            needs_commissioning: message.needs_commissioning,
            entries: message.entries,
            data: &self.entries,
        })
    }
}

fn put(text: &mut String, bytes: &[u8]) {
    text.clear();
    text.push_str(&String::from_utf8_lossy(bytes));
}

fn read_entries(data: &Data<'_>, entries: &mut Vec<Entry>) {
    for datum in data.leaves().take(MAX_ENTRIES) {
        entries.push(match datum {
            Datum::Bool(value) => Entry::Bool(value),
            Datum::Integer(value) => Entry::Number(value),
            Datum::Unsigned(value) => Entry::Number(i64::try_from(value).unwrap_or(i64::MAX)),
            Datum::Float(value) => Entry::Real(value.to_bits()),
            Datum::Bits { bytes, unused } => {
                let bits =
                    bytes.iter().take(7).fold(0_i64, |sum, byte| sum << 8 | i64::from(*byte));
                Entry::Number(bits << 8 | i64::from(unused))
            }
            Datum::Octets(bytes) | Datum::Text(bytes) => Entry::Other(digest(bytes)),
            // Times within the data change with every state: they are no content.
            Datum::Time(_) | Datum::DayTime(_) => Entry::Other(0),
            Datum::Failure(code) => Entry::Number(i64::from(code)),
            Datum::Other(tag) => Entry::Other(u64::from(tag)),
        });
    }
}

fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
