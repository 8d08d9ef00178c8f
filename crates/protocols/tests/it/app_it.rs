//! Parsers of names, addresses, web, shells and things: what they say of small messages, most of
//! them the examples of the standards. The messages are the seeds of the fuzz target `app`: parser,
//! carrier and port stand in three bytes before each.

use std::path::Path;

use protocols::app::message::{Dhcp, Http, Mqtt, Ntp, Tls};
use protocols::app::message::{dns, http, mqtt, ntp, ssdp};
use protocols::app::{
    Carrier, Parser, Place, Protocol, Recognition, Record, Scratch, Step, all, parser,
};

/// A seed: what reads it, where, and the bytes.
pub(crate) struct Seed {
    pub(crate) name: String,
    pub(crate) protocol: Protocol,
    pub(crate) place: Place,
    pub(crate) bytes: Vec<u8>,
}

const HOMES: [u16; 13] = [40_000, 53, 5353, 67, 547, 1900, 123, 80, 443, 22, 23, 1883, 5683];

/// Every seed of these parsers.
pub(crate) fn seeds() -> Vec<Seed> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/app");
    let mut seeds = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(protocol) = name.split_once('-').and_then(|(p, _)| Protocol::from_name(p)) else {
            continue;
        };
        if protocol.is_industrial() {
            continue;
        }
        let file = std::fs::read(path).unwrap();
        assert_eq!(usize::from(file[0]), protocol as usize, "{name}");
        let carrier = if file[1] & 3 == 0 { Carrier::Tcp } else { Carrier::Udp };
        let from_opener = Some(file[1] >> 2 == 1);
        let home = HOMES[usize::from(file[2])];
        let (src_port, dst_port) = if file[1] >> 2 == 1 { (40_001, home) } else { (home, 40_001) };
        let place = Place { carrier, src_port, dst_port, from_opener, cut: 0 };
        seeds.push(Seed { name, protocol, place, bytes: file[3..].to_vec() });
    }
    assert!(seeds.len() >= 46, "only {} seeds", seeds.len());
    seeds.sort_by(|left, right| left.name.cmp(&right.name));
    seeds
}

/// The messages of a seed, which has nothing else in it; told while borrowed.
fn read(name: &str, mut each: impl FnMut(usize, &Record<'_>)) {
    let seeds = seeds();
    let seed = seeds.iter().find(|seed| seed.name == name).expect(name);
    let mut count = 0;
    run(parser(seed.protocol), &seed.place, &mut Scratch::default(), &seed.bytes, &mut |record| {
        each(count, record);
        count += 1;
    });
    assert!(count > 0, "{name}: no message");
}

/// Reads to the end; the bytes must be whole messages.
fn run(
    parser: &dyn Parser,
    place: &Place,
    scratch: &mut Scratch,
    bytes: &[u8],
    each: &mut dyn FnMut(&Record<'_>),
) {
    let mut at = 0;
    while at < bytes.len() {
        match parser.next(place, scratch, &bytes[at..]) {
            Step::Message { record, consumed } => {
                each(&record);
                at += consumed;
            }
            Step::Pass { consumed } => at += consumed,
            Step::Done => return,
            step => panic!("{step:?} at {at}"),
        }
    }
}

#[test]
fn every_seed_is_certain_to_its_parser_alone() {
    for seed in seeds() {
        for other in all() {
            if !other.carried_by(seed.place.carrier) {
                continue;
            }
            let said = other.recognise(&seed.place, &seed.bytes);
            if other.protocol() == seed.protocol {
                assert_eq!(said, Recognition::Certain, "{}", seed.name);
            } else {
                let name = other.protocol().name();
                assert_eq!(said, Recognition::NotForUs, "{} is {name}, too", seed.name);
            }
        }
    }
}

/// What stays certain away from home: all but those whose structure is thin and multicast DNS,
/// which differs from DNS in its port alone.
#[test]
fn ports_are_not_what_is_recognised() {
    let thin = ["coap-empty", "coap-rfc7252-content", "mqtt-server"];
    for seed in seeds() {
        if seed.protocol == Protocol::Mdns {
            continue;
        }
        let place = Place { src_port: 40_001, dst_port: 50_001, ..seed.place };
        let said = parser(seed.protocol).recognise(&place, &seed.bytes);
        let certain = said == Recognition::Certain;
        assert_eq!(certain, !thin.contains(&seed.name.as_str()), "{}: {said:?}", seed.name);
    }
}

#[test]
fn names_are_read_with_their_compression() {
    read("dns-compressed", |_, record| {
        let Record::Dns(message) = record else { panic!() };
        assert!(message.questions().next().unwrap().name.is("padding.f.isi.arpa"));
        let entries: Vec<_> = message.entries().collect();
        assert_eq!(entries[0].name.to_string(), "FOO.F.ISI.ARPA");
        assert_eq!(entries[0].texts().collect::<Vec<_>>(), [&b"hi"[..], b"yo"]);
        assert_eq!(entries[1].name.to_string(), "ARPA");
        let dns::Data::Ns(name) = entries[1].data() else { panic!() };
        assert_eq!(name.to_string(), "F.ISI.ARPA");
        assert!(entries[2].name.is_root());
        let dns::Data::Srv { port: 443, target } = entries[2].data() else { panic!() };
        assert_eq!(target, name);
    });
}

#[test]
fn answers_are_read() {
    read("dns-answer", |_, record| {
        let Record::Dns(message) = record else { panic!() };
        assert!(message.is_response() && message.id == 0x1234 && message.rcode() == 0);
        let entries: Vec<_> = message.entries().collect();
        let dns::Data::Cname(name) = entries[0].data() else { panic!() };
        assert_eq!(name.to_string(), "host.example.com");
        let hosts: Vec<_> = message.hosts().map(|(n, a)| format!("{n} {a}")).collect();
        assert_eq!(hosts, ["host.example.com 192.0.2.1", "host.example.com 2001:db8::1"]);
        assert_eq!(entries[3].section, dns::Section::Additional);
    });
    read("dns-nxdomain", |_, record| {
        let Record::Dns(message) = record else { panic!() };
        assert_eq!((message.rcode(), message.counts), (3, [1, 0, 1, 0]));
    });
    let mut queries = 0;
    read("dns-stream", |_, _| queries += 1);
    assert_eq!(queries, 2);
}

#[test]
fn services_and_hosts_are_told() {
    read("mdns-announce", |_, record| {
        let Record::Dns(message) = record else { panic!() };
        let services: Vec<_> = message.services().map(|(k, i)| format!("{k} {i}")).collect();
        assert_eq!(services, ["_http._tcp.local printer._http._tcp.local"]);
        let hosts: Vec<_> = message.hosts().map(|(n, a)| format!("{n} {a}")).collect();
        assert_eq!(hosts, ["lobby.local 192.0.2.9"]);
    });
}

#[test]
fn pointers_that_run_in_circles_are_malformed() {
    let place =
        Place { carrier: Carrier::Udp, src_port: 1, dst_port: 53, from_opener: None, cut: 0 };
    for name in
        [&[0xc0, 12][..], &[1, b'a', 0xc0, 12], &[0xc0, 14, 0xc0, 12], &[0xc0, 0], &[0x80, 1]]
    {
        let mut bytes = vec![0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        bytes.extend_from_slice(name);
        bytes.extend([0, 1, 0, 1]);
        let step = parser(Protocol::Dns).next(&place, &mut Scratch::default(), &bytes);
        assert!(matches!(step, Step::Malformed { .. }), "{name:x?}: {step:?}");
        assert_eq!(parser(Protocol::Dns).recognise(&place, &bytes), Recognition::NotForUs);
    }
}

#[test]
fn leases_are_read() {
    read("dhcp-discover", |_, record| {
        let Record::Dhcp(Dhcp::V4(message)) = record else { panic!() };
        assert!(message.is_request() && message.kind == 1);
        assert_eq!(message.host_name(), Some(&b"thermostat"[..]));
        assert_eq!(message.vendor_class(), Some(&b"udhcp 1.24.1"[..]));
        assert_eq!(message.parameters(), Some(&[1, 3, 6, 42][..]));
        assert_eq!(message.requested_address().unwrap().to_string(), "192.0.2.7");
        assert_eq!(message.client_id().unwrap()[1..], *message.hardware());
    });
    read("dhcp-offer", |_, record| {
        let Record::Dhcp(Dhcp::V4(message)) = record else { panic!() };
        assert_eq!((message.kind, message.your_address().to_string()), (2, "192.0.2.50".into()));
    });
    read("dhcp-overload", |_, record| {
        let Record::Dhcp(Dhcp::V4(message)) = record else { panic!() };
        assert_eq!(message.host_name(), Some(&b"in-file"[..]));
        assert_eq!(message.vendor_class(), Some(&b"in-name"[..]));
    });
    read("dhcp-v6-solicit", |_, record| {
        let Record::Dhcp(Dhcp::V6(message)) = record else { panic!() };
        assert_eq!((message.kind, message.transaction), (1, Some(0x0010_0874)));
        assert_eq!(message.client_name(), Some(&b"\x03cam\x07example\0"[..]));
        assert_eq!(message.address().unwrap().to_string(), "2001:db8::77");
    });
}

#[test]
fn discoveries_are_read() {
    read("ssdp-notify", |_, record| {
        let Record::Ssdp(message) = record else { panic!() };
        assert_eq!(message.kind, ssdp::Kind::Notify);
        assert_eq!(message.target, Some(&b"upnp:rootdevice"[..]));
        assert_eq!(message.notice, Some(&b"ssdp:alive"[..]));
        assert_eq!(message.server, Some(&b"Linux/4.4 UPnP/1.0 Hub/1.2"[..]));
        assert_eq!(message.location, Some(&b"http://192.0.2.4:80/desc.xml"[..]));
        assert!(message.usn.unwrap().starts_with(b"uuid:2f402f80"));
    });
}

#[test]
fn times_and_amplifiers_are_read() {
    read("ntp-server", |_, record| {
        let Record::Ntp(message) = record else { panic!() };
        assert!(matches!(message.body, ntp::Body::Time { mode: 4, stratum: 2, .. }));
        assert_eq!(message.version, 4);
    });
    read("ntp-monlist", |_, record| {
        let body = ntp::Body::Private { response: false, request: 42, size: 0 };
        assert_eq!(record, &Record::Ntp(Ntp { version: 2, body }));
    });
    read("ntp-monlist-answer", |_, record| {
        let body = ntp::Body::Private { response: true, request: 42, size: 144 };
        assert_eq!(record, &Record::Ntp(Ntp { version: 2, body }));
    });
    read("ntp-control-answer", |_, record| {
        let body = ntp::Body::Control { response: true, opcode: 2, count: 20 };
        assert_eq!(record, &Record::Ntp(Ntp { version: 2, body }));
    });
}

fn status(record: &Record<'_>) -> (u16, http::Body) {
    match record {
        Record::Http(Http { start: http::Start::Response { status }, body, .. }) => {
            (*status, *body)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn heads_are_read_and_bodies_passed_over() {
    read("http-get", |_, record| {
        let Record::Http(message) = record else { panic!() };
        let start = http::Start::Request { method: b"GET", target: b"/hello.txt" };
        assert_eq!((message.start, message.minor, message.body), (start, 1, http::Body::None));
        assert_eq!(message.host, Some(&b"www.example.com"[..]));
        assert_eq!(message.agent, Some(&b"curl/7.64.1"[..]));
    });
    let mut told = Vec::new();
    read("http-answer", |_, record| told.push(status(record)));
    assert_eq!(told, [(200, http::Body::Length(51)), (404, http::Body::None)]);
    told.clear();
    read("http-chunked", |_, record| told.push(status(record)));
    let until_close = (500, http::Body::UntilClose);
    assert_eq!(told, [(200, http::Body::Chunked), (304, http::Body::None), until_close]);
    let mut shown = Vec::new();
    read("http-pipeline", |_, record| {
        let Record::Http(message) = record else { panic!() };
        shown.push((message.authorization, message.body));
    });
    let post = (true, http::Body::Length(3));
    assert_eq!(shown, [(false, http::Body::None), post, (false, http::Body::None)]);
}

#[test]
fn the_answer_to_head_has_no_body_and_to_connect_is_another_protocol() {
    let asked = Place {
        carrier: Carrier::Tcp,
        src_port: 40_000,
        dst_port: 80,
        from_opener: Some(true),
        cut: 0,
    };
    let answered = Place { src_port: 80, dst_port: 40_000, from_opener: Some(false), ..asked };
    let (http, mut scratch) = (parser(Protocol::Http), Scratch::default());
    let questions = b"HEAD / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\nCONNECT a:1 HTTP/1.1\r\n\r\n";
    let mut count = 0;
    run(http, &asked, &mut scratch, questions, &mut |_| count += 1);
    assert_eq!(count, 3);
    let answers = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n\
        HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n\x16\x03 other";
    let mut told = Vec::new();
    run(http, &answered, &mut scratch, answers, &mut |record| told.push(status(record)));
    let none = http::Body::None;
    let expected =
        [(100, none), (200, none), (200, http::Body::Length(2)), (200, http::Body::Upgraded)];
    assert_eq!(told, expected);
    assert_eq!(http.next(&asked, &mut scratch, b"more"), Step::Done);
}

#[test]
fn hellos_are_read_across_records() {
    read("tls-rfc8448-client", |_, record| {
        let Record::Tls(Tls::Client(hello)) = record else { panic!() };
        assert_eq!(hello.server_name().unwrap().as_bytes(), b"server");
        assert_eq!(hello.ciphers().collect::<Vec<_>>(), [0x1301, 0x1303, 0x1302]);
        assert_eq!((hello.legacy_version, hello.version()), (0x0303, 0x0304));
        // t13, a name, 3 ciphers, 9 extensions, no protocol; digests by sha256sum.
        assert_eq!(hello.ja4().unwrap().as_str(), "t13d030900_55b375c5d22e_59cd3dafc54d");
    });
    read("tls-rfc8448-server", |_, record| {
        let Record::Tls(Tls::Server(hello)) = record else { panic!() };
        assert_eq!((hello.version, hello.cipher, hello.retry), (0x0304, 0x1301, false));
    });
    for name in ["tls-grease", "tls-records"] {
        read(name, |_, record| {
            let Record::Tls(Tls::Client(hello)) = record else { panic!() };
            assert_eq!(hello.server_name().unwrap().as_bytes(), b"www.example.org");
            let protocols: Vec<_> = hello.protocols().map(|p| p.as_bytes().to_vec()).collect();
            assert_eq!(protocols, [b"h2".to_vec(), b"http/1.1".to_vec()]);
            // The example of the description.
            assert_eq!(hello.ja4().unwrap().as_str(), "t13d1516h2_8daaf6152771_e5627efa2ab1");
        });
    }
    read("tls-old", |_, record| {
        let Record::Tls(Tls::Client(hello)) = record else { panic!() };
        let ja4 = hello.ja4().unwrap();
        assert!(ja4.as_str().starts_with("t10i020000_") && ja4.as_str().ends_with("_000000000000"));
    });
}

#[test]
fn hellos_in_the_form_of_ssl_2_are_read_as_such() {
    read("tls-ssl2-client", |_, record| {
        let Record::Tls(Tls::OldClient(hello)) = record else { panic!("{record:?}") };
        assert_eq!(hello.version, 0x0301);
        assert_eq!(hello.ciphers().collect::<Vec<_>>(), [0x39, 0x2f, 0x0007_00c0, 0xff]);
    });
    let seeds = seeds();
    let seed = seeds.iter().find(|seed| seed.name == "tls-ssl2-client").unwrap();
    let tls = parser(Protocol::Tls);
    // The server answers in records of TLS, and then all is said.
    let answer = &seeds.iter().find(|seed| seed.name == "tls-rfc8448-server").unwrap().bytes;
    let mut scratch = Scratch::default();
    run(tls, &seed.place, &mut scratch, &seed.bytes, &mut |_| {});
    run(tls, &seed.place, &mut scratch, answer, &mut |_| {});
    assert_eq!(tls.next(&seed.place, &mut scratch, &seed.bytes), Step::Done);
    // Lengths that do not add up to that of the record.
    let mut longer = seed.bytes.clone();
    longer[6] += 3;
    assert_eq!(tls.recognise(&seed.place, &longer), Recognition::NotForUs);
}

#[test]
fn after_both_hellos_nothing_more_is_read() {
    let seeds = seeds();
    let bytes = |name: &str| &seeds.iter().find(|seed| seed.name == name).unwrap().bytes;
    let place = seeds.iter().find(|seed| seed.name == "tls-old").unwrap().place;
    let (tls, mut scratch) = (parser(Protocol::Tls), Scratch::default());
    run(tls, &place, &mut scratch, bytes("tls-rfc8448-client"), &mut |_| {});
    run(tls, &place, &mut scratch, bytes("tls-rfc8448-server"), &mut |_| {});
    assert_eq!(tls.next(&place, &mut scratch, &[0x17, 3, 3, 0, 9]), Step::Done);
}

#[test]
fn identifications_are_read() {
    read("ssh-debian", |_, record| {
        let Record::Ssh(message) = record else { panic!() };
        assert_eq!((message.protocol, message.software), (&b"2.0"[..], &b"OpenSSH_9.2p1"[..]));
        assert_eq!(message.comment, Some(&b"Debian-2+deb12u3"[..]));
    });
}

#[test]
fn control_packets_are_read() {
    read("mqtt-connect", |_, record| {
        let Record::Mqtt(message) = record else { panic!() };
        let expected = mqtt::Packet::Connect {
            level: 4,
            client: b"lamp-7",
            user: Some(b"lamp"),
            password: true,
            clean: true,
            will: Some(b"lamp/7/gone"),
            keep_alive_s: 10,
        };
        assert_eq!(message.packet, expected);
        assert!(!format!("{message:?}").contains("s3cret"));
    });
    let mut packets = 0;
    read("mqtt-all", |number, record| {
        let Record::Mqtt(Mqtt { level: 3, packet, .. }) = record else { panic!("{record:?}") };
        match (number, packet) {
            (1, mqtt::Packet::Subscribe { id: 10, filters }) => {
                let filters: Vec<_> = filters.iter().collect();
                assert_eq!(filters, [(&b"a/b"[..], 1), (b"c/d", 2)]);
            }
            (
                2,
                mqtt::Packet::Publish {
                    topic: b"sensors/temp", retain: true, payload_len: 4, ..
                },
            )
            | (3, mqtt::Packet::Publish { qos: 1, duplicate: true, id: Some(3), .. })
            | (9, mqtt::Packet::Ping)
            | (10, mqtt::Packet::Disconnect { reason: 0 }) => {}
            (1..=3 | 9..=10, other) => panic!("{other:?}"),
            _ => {}
        }
        packets += 1;
    });
    assert_eq!(packets, 11);
    read("mqtt-connect-5", |number, record| {
        let Record::Mqtt(Mqtt { level: 5, packet, .. }) = record else { panic!("{record:?}") };
        match (number, packet) {
            (2, packet) => {
                let (topic, id) = (&b"t/5"[..], Some(9));
                let (qos, retain, duplicate, payload_len) = (1, false, false, 7);
                let expected =
                    mqtt::Packet::Publish { topic, qos, retain, duplicate, id, payload_len };
                assert_eq!(*packet, expected);
            }
            (3, packet) => assert_eq!(*packet, mqtt::Packet::Disconnect { reason: 4 }),
            _ => {}
        }
    });
}

#[test]
fn a_published_payload_is_not_waited_for() {
    let seeds = seeds();
    let place = seeds.iter().find(|seed| seed.name == "mqtt-server").unwrap().place;
    let head = [0x30, 0x80, 0x80, 0x04, 0, 3, b'b', b'i', b'g', 1, 2];
    let step = parser(Protocol::Mqtt).next(&place, &mut Scratch::default(), &head);
    let Step::Message { record: Record::Mqtt(message), consumed } = step else {
        panic!("{step:?}")
    };
    assert_eq!(consumed, 4 + 65_536);
    let mqtt::Packet::Publish { topic: b"big", payload_len, .. } = message.packet else { panic!() };
    assert_eq!(payload_len, 65_536 - 5);
}

#[test]
fn constrained_messages_are_read() {
    read("coap-rfc7252-token", |_, record| {
        let Record::Coap(message) = record else { panic!() };
        assert_eq!((message.code, message.id, message.token), (1, 0x7d35, &[0x20][..]));
        assert_eq!(message.path().collect::<Vec<_>>(), [b"temperature"]);
    });
    read("coap-rfc7252-content", |_, record| {
        let Record::Coap(message) = record else { panic!() };
        assert_eq!((message.code, message.payload_len, message.is_request()), (69, 6, false));
    });
    read("coap-observe", |_, record| {
        let Record::Coap(message) = record else { panic!() };
        assert_eq!((message.host(), message.observe()), (Some(&b"example.net"[..]), Some(0)));
        assert_eq!(message.path().collect::<Vec<_>>(), [&b"sensors"[..], b"temp"]);
        assert_eq!(message.query().collect::<Vec<_>>(), [b"u=m&x=1"]);
    });
}
