//! MMS messages as packets carry them.

use protocols::app::message::Mms;
use protocols::flow::End;

use super::MmsMessage;
use crate::host::Host;

/// Reads messages of packets; its memory is reused.
#[derive(Debug, Default)]
pub struct MmsPacket {
    domain: String,
    item: String,
}

impl MmsPacket {
    /// The message of a packet, with the first variable it names; `None` where an end has no
    /// address.
    pub fn read<'r>(
        &'r mut self,
        ts_ns: i64,
        from: &End,
        to: &End,
        message: &Mms<'_>,
    ) -> Option<MmsMessage<'r>> {
        let host = |end: &End| end.ip.map(Host::from).or_else(|| end.mac.map(Host::mac));
        self.domain.clear();
        self.item.clear();
        if let Some(variable) = message.variables().next() {
            self.domain.push_str(&String::from_utf8_lossy(variable.domain));
            self.item.push_str(&String::from_utf8_lossy(variable.name));
        }
        let (a, b) = (u64::from(from.port), u64::from(to.port));
        Some(MmsMessage {
            ts_us: ts_ns.div_euclid(1_000),
            from: host(from)?,
            to: host(to)?,
            channel: a.min(b) << 16 | a.max(b),
            pdu: message.pdu as u8,
            service: message.service.map(u32::from),
            invoke: message.invoke,
            class: None,
            domain: &self.domain,
            item: &self.item,
        })
    }
}
