//! Any bytes as messages of any application protocol.

use crate::app::message::{self, dhcp, dns, mqtt};
use crate::app::{Carrier, PROTOCOLS, Parser, Place, Protocol, Record, Scratch, Step};

/// Messages read from one input.
const MAX_MESSAGES: usize = 4096;
/// Places to be at: none in particular, and the home of each protocol.
const PORTS: [u16; 20] = [
    40_000, 53, 5353, 67, 547, 1900, 123, 80, 443, 22, 23, 1883, 5683, 502, 2404, 102, 20_000,
    44_818, 47_808, 4840,
];

/// Any bytes as messages of the parser that byte 0 picks; the rest is read by [`parser`].
///
/// # Panics
/// When a law of the contract breaks: that is the finding.
pub fn app(data: &[u8]) {
    if let Some((&pick, rest)) = data.split_first() {
        parser(Protocol::ALL[usize::from(pick) % PROTOCOLS], rest);
    }
}

/// Any bytes as messages of one parser. Byte 0 gives carrier, opener and cut, byte 1 the port; the
/// rest is what is read. Every step is read twice, and over streams a beginning of it as well:
/// parsers must not care how a sender cuts its segments.
///
/// # Panics
/// When a law of the contract breaks: that is the finding.
pub fn parser(protocol: Protocol, data: &[u8]) {
    let Some((&[flags, port], bytes)) = data.split_first_chunk::<2>() else {
        return;
    };
    let parser = crate::app::parser(protocol);
    let wanted = [Carrier::Tcp, Carrier::Udp, Carrier::Link(0x88b8)];
    let first = usize::from(flags & 3) % wanted.len();
    let Some(carrier) = (0..wanted.len())
        .map(|step| wanted[(first + step) % wanted.len()])
        .find(|carrier| parser.carried_by(*carrier))
    else {
        return;
    };
    let server = PORTS[usize::from(port) % PORTS.len()];
    let from_opener = [None, Some(true), Some(false), None][usize::from(flags >> 2 & 3)];
    let cut = if flags & 0x10 == 0 { 0 } else { u32::from(flags >> 5) * 50 };
    let (src_port, dst_port) =
        if from_opener == Some(true) { (40_001, server) } else { (server, 40_001) };
    let place = Place { carrier, src_port, dst_port, from_opener, cut };
    let said = parser.recognise(&place, bytes);
    assert_eq!(said, parser.recognise(&place, bytes), "recognised in two ways");
    let (mut scratch, mut at) = (Scratch::default(), 0_usize);
    for _ in 0..MAX_MESSAGES {
        let Some(rest @ [_, ..]) = bytes.get(at..) else {
            return;
        };
        let before = scratch;
        let step = parser.next(&place, &mut scratch, rest);
        let mut again = before;
        let same = format!("{:?}", parser.next(&place, &mut again, rest));
        assert_eq!(format!("{step:?}"), same, "read in two ways");
        assert_eq!(scratch, again, "remembered in two ways");
        // A segment cut by the capture is all there will be: what is there is told.
        if carrier == Carrier::Tcp && cut == 0 && rest.len() > 1 {
            let shorter = 1 + (at * 7 + rest.len() * 5 / 8) % (rest.len() - 1);
            beginning(parser, &place, before, &rest[..shorter], &step);
        }
        match step {
            Step::Message { record, consumed } => {
                assert!(consumed >= 1, "a message of nothing");
                record.operations(&mut |operation| {
                    assert!(operation.values.iter().count() <= operation.values.len());
                });
                read_all(&record);
                at = at.saturating_add(consumed);
            }
            Step::Pass { consumed } => {
                assert!(consumed >= 1, "passed over nothing");
                at = at.saturating_add(consumed);
            }
            Step::NeedMore(need) => {
                assert!(need > rest.len(), "needs {need} of {}", rest.len());
                return;
            }
            Step::Malformed { why, consumed } => {
                assert!(!why.is_empty(), "broken without words");
                if consumed == 0 {
                    return;
                }
                at = at.saturating_add(consumed);
            }
            Step::Done => return,
        }
    }
}

/// A beginning of a stream needs more, or says what the whole says.
fn beginning(parser: &dyn Parser, place: &Place, before: Scratch, bytes: &[u8], whole: &Step<'_>) {
    let mut scratch = before;
    match parser.next(place, &mut scratch, bytes) {
        Step::NeedMore(need) => {
            assert!(need > bytes.len(), "a beginning needs {need} of {}", bytes.len());
            assert_eq!(scratch, before, "a beginning is remembered too early");
        }
        step @ Step::Message { .. } => {
            assert_eq!(
                format!("{step:?}"),
                format!("{whole:?}"),
                "a beginning says something else"
            );
        }
        // Bodies of unknown length are passed over as they come; what is broken is broken early.
        Step::Pass { .. } | Step::Malformed { .. } | Step::Done => {}
    }
}

/// Reads everything a message offers to read.
fn read_all(record: &Record<'_>) {
    match record {
        Record::Dns(message) => dns(message),
        Record::Dhcp(message::Dhcp::V4(message)) => dhcp_v4(message),
        Record::Dhcp(message::Dhcp::V6(message)) => {
            let _ = (message.options().count(), message.client_name(), message.address());
        }
        Record::Tls(message::Tls::Client(hello)) => {
            assert!(hello.ja4().is_none_or(|ja4| ja4.as_str().len() == 36));
            let _ = (hello.server_name(), hello.protocols().count(), hello.version());
        }
        Record::Tls(message::Tls::OldClient(hello)) => {
            assert!(hello.ciphers().all(|cipher| cipher < 1 << 24));
        }
        Record::Mqtt(message) => {
            if let mqtt::Packet::Subscribe { filters, .. }
            | mqtt::Packet::Unsubscribe { filters, .. } = message.packet
            {
                assert!(filters.iter().count() >= 1);
            }
        }
        Record::Coap(message) => {
            let read = message.options().map(|(_, value)| value.len()).sum::<usize>();
            let _ = (read, message.path().count(), message.query().count(), message.host());
            let _ = (message.observe(), message.content_format());
        }
        _ => {}
    }
}

fn dns(message: &message::Dns<'_>) {
    let [questions, answers, authorities, additional] = message.counts.map(usize::from);
    assert_eq!(message.questions().count(), questions);
    assert_eq!(message.entries().count(), answers + authorities + additional);
    for entry in message.entries() {
        if let dns::Data::Cname(name) | dns::Data::Ptr(name) | dns::Data::Ns(name) = entry.data() {
            assert!(name.labels().map(<[u8]>::len).sum::<usize>() < 255);
            let _ = (name == entry.name, name.is_root());
        }
        let _ = (entry.texts().count(), entry.name.to_string().len());
    }
    let _ = (message.hosts().count(), message.services().count());
}

fn dhcp_v4(message: &dhcp::V4<'_>) {
    assert!(message.hardware().len() <= 16);
    let _ = (message.options().count(), message.host_name(), message.vendor_class());
    let _ = (message.client_id(), message.parameters(), message.requested_address());
    let _ = (message.your_address(), message.client_address(), message.is_request());
}
