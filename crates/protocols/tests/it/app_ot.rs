//! Industrial protocols: laws of every parser, agreement with tshark.

use proptest::prelude::*;
use protocols::app::message::{enip, iec104, mms, s7comm};
use protocols::app::{Carrier, Place, Protocol, Recognition, Record, Scratch, Step, parser};
use protocols::flow::Sighting;

use crate::tshark::{Agreement, MARK, Seen, captures, fields, sightings};

/// Ports of the captures at which tshark does not look by itself.
const OPTIONS: [&str; 4] = ["-d", "tcp.port==12001,opcua", "-d", "tcp.port==20001,dnp3"];

/// Compares words for messages over the captures whose path holds one of `paths`: frame by frame, or
/// capture by capture where `anywhere` is set. Of names that begin with `~` the tables show no values.
fn agree(
    protocol: &str,
    paths: &[&str],
    filter: &str,
    names: &[&str],
    agreed: [u64; 3],
    anywhere: bool,
    ours: impl Fn(&Sighting<'_>, &mut Vec<String>),
) {
    let Some((files, _keep)) = captures(paths) else { return };
    let mut agreement = Agreement::default();
    for path in &files {
        let plain: Vec<_> = names.iter().map(|name| name.trim_start_matches('~')).collect();
        let rows = fields(path, filter, &plain, &OPTIONS);
        let theirs: Vec<Seen> = rows
            .iter()
            .flat_map(|row| {
                let columns = row.fields.iter().enumerate();
                columns.flat_map(move |(column, values)| {
                    values.iter().map(move |value| (row.frame, word(names[column], value)))
                })
            })
            .collect();
        let (mut ours, _) = sightings(path, &ours);
        let mut theirs = theirs;
        if anywhere {
            // Behind lost packets and in fragments both complete a message in other frames.
            ours.iter_mut().chain(&mut theirs).for_each(|seen| seen.0 = 0);
        }
        agreement.add(path, &ours, &theirs);
    }
    agreement.check(protocol, agreed);
}

/// The word of a field: its value is shown, or only compared.
fn word(name: &str, value: impl std::fmt::Display) -> String {
    match name.strip_prefix('~') {
        Some(name) => format!("{name}{MARK}{value}"),
        None => format!("{name} {value}"),
    }
}

#[test]
fn iec_104_types_agree() {
    agree(
        "iec104",
        &["IEC60870"],
        "iec60870_104",
        &[
            "iec60870_104.type",
            "iec60870_asdu.typeid",
            "iec60870_asdu.causetx",
            "~iec60870_asdu.addr",
            "~iec60870_asdu.ioa",
        ],
        // A capture made to test dissectors has units of no format; tshark names them all the same.
        [1458, 1472, 1458],
        false,
        |sighting, words| {
            let Record::Iec104(message) = sighting.record else { return };
            let kind = match message.frame {
                iec104::Frame::I { asdu, .. } => {
                    words.push(format!("iec60870_asdu.typeid {}", asdu.kind));
                    words.push(format!("iec60870_asdu.causetx {}", asdu.cause));
                    words.push(word("~iec60870_asdu.addr", asdu.address));
                    let points =
                        asdu.points().map(|point| word("~iec60870_asdu.ioa", point.address));
                    words.extend(points);
                    "0x00000000"
                }
                iec104::Frame::S { .. } => "0x00000001",
                iec104::Frame::U(_) => "0x00000003",
            };
            words.push(format!("iec60870_104.type {kind}"));
        },
    );
}

#[test]
fn s7_functions_agree() {
    agree(
        "s7comm",
        &["/s7/"],
        "s7comm",
        &["s7comm.header.rosctr", "s7comm.param.func", "~s7comm.header.pduref"],
        [55_793, 55_757, 55_757],
        true,
        |sighting, words| {
            let Record::S7comm(message) = sighting.record else { return };
            let s7comm::Body::Unit { kind, reference, .. } = message.body else { return };
            let number = match kind {
                s7comm::Kind::Job => 1,
                s7comm::Kind::Ack => 2,
                s7comm::Kind::AckData => 3,
                s7comm::Kind::UserData => 7,
            };
            words.push(format!("s7comm.header.rosctr {number}"));
            words.push(word("~s7comm.header.pduref", reference));
            if number != 7
                && let Some(function) = message.function()
            {
                words.push(format!("s7comm.param.func 0x{function:02x}"));
            }
        },
    );
}

#[test]
fn dnp3_functions_agree() {
    agree(
        "dnp3",
        &["dnp3"],
        "dnp3",
        &["dnp3.ctl.prifunc", "dnp3.ctl.secfunc", "dnp3.al.func", "~dnp3.src", "~dnp3.dst"],
        [5757, 5755, 5755],
        true,
        |sighting, words| {
            let Record::Dnp3(message) = sighting.record else { return };
            let layer = if message.control & 0x40 == 0 { "sec" } else { "pri" };
            words.push(format!("dnp3.ctl.{layer}func {}", message.link_function()));
            words.push(word("~dnp3.src", message.source));
            words.push(word("~dnp3.dst", message.destination));
            if let Some(application) = message.application {
                words.push(format!("dnp3.al.func {}", application.function));
            }
        },
    );
}

#[test]
fn ethernet_ip_services_agree() {
    agree(
        "enip",
        &["EthernetIP"],
        "enip or cip",
        &["enip.command", "cip.sc", "~enip.session"],
        [91_688; 3],
        false,
        |sighting, words| {
            let Record::Enip(message) = sighting.record else { return };
            if let enip::Content::Cyclic { .. } = message.content {
                return;
            }
            words.push(format!("enip.command 0x{:04x}", message.command));
            words.push(word("~enip.session", format!("0x{:08x}", message.session)));
            message.each_cip(&mut |cip| {
                words.push(format!("cip.sc 0x{:02x}", cip.service));
            });
        },
    );
}

#[test]
fn bacnet_services_agree() {
    agree(
        "bacnet",
        &["BACnet"],
        "bacapp",
        &["bacapp.confirmed_service", "bacapp.unconfirmed_service", "~bacapp.invoke_id"],
        [36; 3],
        false,
        |sighting, words| {
            use protocols::app::message::bacnet::Apdu;
            let Record::Bacnet(message) = sighting.record else { return };
            match message.apdu {
                Some(
                    Apdu::Confirmed { service, invoke, .. }
                    | Apdu::Ack { service, invoke, .. }
                    | Apdu::Refusal { service: Some(service), invoke, .. },
                ) => {
                    words.push(format!("bacapp.confirmed_service {service}"));
                    words.push(word("~bacapp.invoke_id", invoke));
                }
                Some(Apdu::Unconfirmed { service, .. }) => {
                    words.push(format!("bacapp.unconfirmed_service {service}"));
                }
                _ => {}
            }
        },
    );
}

#[test]
fn opc_ua_messages_agree() {
    agree(
        "opcua",
        &["/OPC/"],
        "opcua",
        &["opcua.transport.type", "opcua.servicenodeid.numeric"],
        [42; 3],
        false,
        |sighting, words| {
            use protocols::app::message::opcua::Kind;
            let Record::OpcUa(message) = sighting.record else { return };
            let kind = match message.kind {
                Kind::Hello => "HEL",
                Kind::Acknowledge => "ACK",
                Kind::Error => "ERR",
                Kind::ReverseHello => "RHE",
                Kind::Open => "OPN",
                Kind::Service => "MSG",
                Kind::Close => "CLO",
            };
            words.push(format!("opcua.transport.type {kind}"));
            if message.service != 0 {
                words.push(format!("opcua.servicenodeid.numeric {}", message.service));
            }
        },
    );
}

#[test]
fn mms_services_agree() {
    agree(
        "mms",
        // Eight units end behind their number: without a service they are none, tshark shows the
        // number. The other capture begins in the middle: tshark reads no unit there whose presentation
        // context it did not see agreed upon; this crate does.
        &["MMS - Specific", "8d7c7db0"],
        "mms",
        &[
            "mms.confirmedServiceRequest",
            "mms.confirmedServiceResponse",
            "mms.unconfirmedService",
            "~mms.invokeID",
        ],
        [259, 267, 259],
        false,
        |sighting, words| {
            let Record::Mms(message) = sighting.record else { return };
            words.extend(message.invoke.map(|invoke| word("~mms.invokeID", invoke)));
            let Some(service) = message.service else { return };
            let field = match message.pdu {
                mms::Pdu::ConfirmedRequest => "confirmedServiceRequest",
                mms::Pdu::ConfirmedResponse => "confirmedServiceResponse",
                _ => "unconfirmedService",
            };
            words.push(format!("mms.{field} {service}"));
        },
    );
}

#[test]
fn goose_numbers_agree() {
    agree(
        "goose",
        &["IEC61850"],
        "goose",
        &["~goose.stNum", "~goose.sqNum", "goose.gocbRef", "~goose.confRev"],
        [1976; 3],
        false,
        |sighting, words| {
            let Record::Goose(message) = sighting.record else { return };
            words.push(word("~goose.stNum", message.state));
            words.push(word("~goose.sqNum", message.sequence));
            words.push(word("~goose.confRev", message.revision));
            let block = String::from_utf8_lossy(message.control_block);
            words.push(word("goose.gocbRef", block));
        },
    );
}

/// First bytes that lead far into each parser.
const SEEDS: [&[u8]; 10] = [
    &[0, 1, 0, 0, 0, 9, 1, 16, 0, 1, 0, 1, 2, 0, 7],
    &[0x68, 14, 2, 0, 4, 0, 45, 1, 6, 0, 1, 0, 1, 0, 0, 1],
    &[3, 0, 0, 31, 2, 0xf0, 0x80, 0x32, 1, 0, 0, 5, 0, 0, 14, 0, 0, 4, 1, 0x12, 10, 0x10, 2, 0, 1],
    &[5, 0x64, 5, 0xc0, 1, 0, 0, 4, 0xe9, 0x21],
    &[
        0x6f, 0, 24, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 2,
    ],
    &[0x81, 10, 0, 17, 1, 4, 0, 0, 1, 12, 0x0c, 0, 0, 0, 5, 0x19, 0x55],
    b"MSGF\x40\0\0\0\x01\0\0\0\x02\0\0\0\x03\0\0\0\x09\0\0\0\x01\0\xa1\x02\0\0",
    &[
        3, 0, 0, 34, 2, 0xf0, 0x80, 1, 0, 1, 0, 0x61, 21, 0x30, 19, 2, 1, 3, 0xa0, 14, 0xa0, 12, 2,
        1, 42,
    ],
    &[
        0x30, 1, 0, 40, 0, 0, 0, 0, 0x61, 30, 0x80, 4, b'I', b'E', b'D', b'1', 0x84, 8, 1, 2, 3, 4,
        5, 6,
    ],
    &[2, 0, 2, 0x80, 8, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0xb1, 0, 2, 0, 1, 2],
];

/// Reads bytes to their end as the tracker does; every step must move on, every operation be told.
fn read_all(protocol: Protocol, place: &Place, mut bytes: &[u8]) {
    let parser = parser(protocol);
    let _ = parser.recognise(place, bytes);
    let mut scratch = Scratch(0);
    while !bytes.is_empty() {
        let consumed = match parser.next(place, &mut scratch, bytes) {
            Step::Message { record, consumed } => {
                assert!(consumed > 0, "{protocol:?}: a message of no bytes");
                let mut values = 0;
                record.operations(&mut |operation| values += operation.values.iter().count());
                consumed
            }
            Step::Pass { consumed } => {
                assert!(consumed > 0, "{protocol:?}: nothing passed over");
                consumed
            }
            Step::NeedMore(need) => {
                assert!(need > bytes.len(), "{protocol:?}: asks for what is there");
                break;
            }
            Step::Malformed { why, consumed } => {
                assert!(!why.is_empty());
                if consumed == 0 {
                    break;
                }
                consumed
            }
            Step::Done => break,
        };
        bytes = bytes.get(consumed..).unwrap_or_default();
    }
}

fn places() -> impl Strategy<Value = Place> {
    let carriers = [Carrier::Tcp, Carrier::Udp, Carrier::Link(0x88b8)];
    (0..3_usize, any::<u16>(), any::<u16>(), any::<Option<bool>>(), 0..3_u32).prop_map(
        move |(carrier, src_port, dst_port, from_opener, cut)| Place {
            carrier: carriers[carrier],
            src_port,
            dst_port,
            from_opener,
            cut,
        },
    )
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    (0..SEEDS.len(), changes, prop::collection::vec(any::<u8>(), 0..80)).prop_map(
        |(seed, changes, tail)| {
            let mut bytes = SEEDS[seed].to_vec();
            bytes.extend(tail);
            for (place, byte) in changes {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            bytes
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_stop_a_parser(place in places(), bytes in bytes()) {
        for protocol in Protocol::industrial().iter().copied() {
            read_all(protocol, &place, &bytes);
        }
    }

    #[test]
    fn noise_is_nobodys(place in places(), noise in prop::collection::vec(128_u8..=255, 24..64)) {
        for protocol in Protocol::industrial().iter().copied() {
            let parser = parser(protocol);
            if parser.carried_by(place.carrier) {
                prop_assert_ne!(parser.recognise(&place, &noise), Recognition::Certain);
            }
        }
    }
}

/// Two minutes of changed messages for each parser: `cargo nextest run --run-ignored only`.
#[test]
#[ignore = "runs nine minutes on two cores"]
fn changed_messages_stop_no_parser() {
    std::thread::scope(|scope| {
        for half in Protocol::industrial().chunks(Protocol::industrial().len().div_ceil(2)) {
            scope.spawn(move || half.iter().for_each(|protocol| change(*protocol)));
        }
    });
}

fn change(protocol: Protocol) {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ protocol as u64;
    let mut draw = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let start = std::time::Instant::now();
    let mut rounds = 0_u64;
    while start.elapsed().as_secs() < 120 {
        for _ in 0..1000 {
            let mut bytes = SEEDS[draw() as usize % SEEDS.len()].to_vec();
            bytes.extend((0..draw() % 90).map(|_| draw() as u8));
            for _ in 0..draw() % 8 {
                let place = draw() as usize % bytes.len();
                bytes[place] = draw() as u8;
            }
            let carrier = [Carrier::Tcp, Carrier::Udp, Carrier::Link(0x88b8)];
            let place = Place {
                carrier: carrier[draw() as usize % 3],
                src_port: 0,
                dst_port: draw() as u16,
                from_opener: [None, Some(true), Some(false)][draw() as usize % 3],
                cut: draw() as u32 % 3,
            };
            read_all(protocol, &place, &bytes);
            rounds += 1;
        }
    }
    eprintln!("{}: {rounds} messages", protocol.name());
}
