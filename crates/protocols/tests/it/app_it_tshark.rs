//! Names, addresses, web and handshakes as tshark reads them in the developer captures of homes, and
//! what those lack as it reads the seeds and what real programs said. Known to differ: answers that
//! tshark, told not to join bodies, takes for a continuation.

use std::collections::BTreeMap;
use std::path::Path;

use protocols::app::message::{Dhcp, Tls, dns, http};
use protocols::app::{Protocol, Record};
use protocols::flow::Sighting;

use crate::tshark::{Agreement, MARK, Row, Seen, available, captures, fields, sightings};

/// Of the captures of homes, every so many are compared without being asked.
const EVERY: usize = 12;
const FILTER: &str = "(dns || mdns || dhcp || dhcpv6 || ssdp || ntp || http || tls.handshake.type <= 2) && !icmp && !icmpv6";
const FIELDS: [&str; 19] = [
    "frame.protocols",
    "dns.id",
    "dns.flags.response",
    "dns.qry.name",
    "dns.flags.rcode",
    "dhcp.option.dhcp",
    "dhcp.option.hostname",
    "dhcpv6.msgtype",
    "http.request.method",
    "http.host",
    "http.response.code",
    "ntp.flags.mode",
    "tls.handshake.type",
    "tls.handshake.extensions_server_name",
    "tls.handshake.ciphersuite",
    "dns.qry.type",
    "http.request.uri",
    "tls.handshake.version",
    "tls.handshake.cipherspec",
];

/// What tshark says of a frame, in words.
fn theirs(row: &Row) -> Vec<String> {
    let protocols = row.first(0);
    let has = |name: &str| protocols.split(':').any(|part| part == name);
    if has("mdns") || has("dns") {
        let protocol = if has("mdns") { "mdns" } else { "dns" };
        let response = matches!(row.first(2), "1" | "True");
        let id = u16::from_str_radix(row.first(1).trim_start_matches("0x"), 16).unwrap_or(0);
        let rcode = if response { row.first(4) } else { "" };
        let name = row.first(3).replace("<Root>", "");
        return vec![dns_word(protocol, response, rcode, id, &name, row.first(15))];
    }
    if has("dhcp") {
        return vec![format!("dhcp type {}{MARK}{}", row.first(5), row.first(6))];
    }
    if has("dhcpv6") {
        return vec![format!("dhcp v6 type {}", row.first(7))];
    }
    if has("ssdp") {
        let kind = if row.first(8).is_empty() { "response" } else { row.first(8) };
        return vec![format!("ssdp {kind}")];
    }
    if has("ntp") {
        return vec![format!("ntp mode {}", row.first(11))];
    }
    let mut words = Vec::new();
    hellos(row, &mut words);
    if has("http") && !has("ssdp") && has("tcp") {
        let at = |field: usize, number: usize| row.fields[field].get(number).map_or("", |t| t);
        for (number, method) in row.fields[8].iter().enumerate() {
            let (host, target) = (at(9, number), at(16, number));
            words.push(format!("http request{MARK}{method} {host} {target}"));
        }
        words.extend(row.fields[10].iter().map(|code| format!("http response{MARK}{code}")));
    }
    words
}

/// The hellos of a frame: version, number of ciphers and host of a client's, cipher of a server's.
fn hellos(row: &Row, words: &mut Vec<String>) {
    let (mut names, ciphers) = (row.fields[13].iter(), &row.fields[14]);
    let mut versions = row.fields[17].iter();
    let servers = row.fields[12].iter().filter(|kind| *kind == "2").count();
    for kind in &row.fields[12] {
        let version = versions.next().map_or("", String::as_str);
        match kind.as_str() {
            "1" if !row.fields[18].is_empty() => {
                words.push(format!("tls ssl2 client{MARK}{version} {}", row.fields[18].len()));
            }
            "1" => {
                let (offered, name) = (ciphers.len() - servers, names.next());
                let name = name.map_or("", String::as_str);
                words.push(format!("tls client{MARK}{version} {offered} {name}"));
            }
            "2" => {
                let cipher = ciphers.last().map_or("", String::as_str).to_lowercase();
                words.push(format!("tls server{MARK}{cipher}"));
            }
            _ => {}
        }
    }
}

fn dns_word(
    protocol: &str,
    response: bool,
    rcode: &str,
    id: u16,
    name: &str,
    asked: &str,
) -> String {
    let kind = if response { format!("answer {rcode}") } else { "query".to_owned() };
    format!("{protocol} {kind}{MARK}{id} {} {asked}", name.to_lowercase())
}

fn text(name: &dns::Name<'_>) -> String {
    let labels: Vec<_> =
        name.labels().map(|label| String::from_utf8_lossy(label).into_owned()).collect();
    labels.join(".")
}

/// What this crate says of a message, in the same words.
fn ours(sighting: &Sighting<'_>, words: &mut Vec<String>) {
    let lossy =
        |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    words.push(match &sighting.record {
        Record::Dns(message) => {
            let name = message.questions().next().map(|q| text(&q.name)).unwrap_or_default();
            let response = message.is_response();
            let rcode = if response { message.rcode().to_string() } else { String::new() };
            let asked = message.questions().next().map(|q| q.kind.to_string()).unwrap_or_default();
            dns_word(sighting.protocol.name(), response, &rcode, message.id, &name, &asked)
        }
        Record::Dhcp(Dhcp::V4(message)) => {
            format!("dhcp type {}{MARK}{}", message.kind, lossy(message.host_name()))
        }
        Record::Dhcp(Dhcp::V6(message)) => format!("dhcp v6 type {}", message.kind),
        Record::Ssdp(message) => match message.kind {
            protocols::app::message::ssdp::Kind::Notify => "ssdp NOTIFY".to_owned(),
            protocols::app::message::ssdp::Kind::Search => "ssdp M-SEARCH".to_owned(),
            protocols::app::message::ssdp::Kind::Response => "ssdp response".to_owned(),
        },
        Record::Ntp(message) => format!("ntp mode {}", message.mode()),
        Record::Http(message) => match message.start {
            http::Start::Request { method, target } => {
                let (method, host) = (lossy(Some(method)), lossy(message.host));
                format!("http request{MARK}{method} {host} {}", lossy(Some(target)))
            }
            http::Start::Response { status } => format!("http response{MARK}{status}"),
        },
        Record::Tls(Tls::Client(hello)) => {
            let name = hello.server_name();
            let name = lossy(name.as_ref().map(|name| name.as_bytes()));
            let offered = hello.ciphers().count();
            format!("tls client{MARK}0x{:04x} {offered} {name}", hello.legacy_version)
        }
        Record::Tls(Tls::OldClient(hello)) => {
            let offered = hello.ciphers().count();
            format!("tls ssl2 client{MARK}0x{:04x} {offered}", hello.version)
        }
        Record::Tls(Tls::Server(hello)) => format!("tls server{MARK}0x{:04x}", hello.cipher),
        _ => return,
    });
}

/// A table for each protocol.
fn tables(agreement: Agreement) -> BTreeMap<String, Agreement> {
    let mut tables = BTreeMap::<String, Agreement>::new();
    for (kind, counts) in agreement.kinds {
        let protocol = kind.split(' ').next().unwrap_or_default().to_owned();
        tables.entry(protocol).or_default().kinds.insert(kind, counts);
    }
    for example in agreement.examples {
        eprintln!("  {example}");
    }
    tables
}

fn homes_agree(every: usize, agreed: &[(&str, [u64; 3])]) {
    let Some((files, _keep)) = captures(&["Setup-", "hakai"]) else { return };
    let mut agreement = Agreement::default();
    for path in files.iter().step_by(every) {
        let rows = fields(path, FILTER, &FIELDS, &["-o", "http.desegment_body:FALSE"]);
        let seen: Vec<Seen> = rows
            .iter()
            .flat_map(|row| theirs(row).into_iter().map(|word| (row.frame, word)))
            .collect();
        let (found, _) = sightings(path, ours);
        agreement.add(path, &found, &seen);
    }
    let tables = tables(agreement);
    for (protocol, agreed) in agreed {
        let table = tables.get(*protocol).unwrap_or_else(|| panic!("{protocol}: nothing seen"));
        table.check(protocol, *agreed);
    }
}

#[test]
fn some_captures_of_homes_agree() {
    homes_agree(
        EVERY,
        &[
            ("dns", [470; 3]),
            ("mdns", [1014; 3]),
            ("dhcp", [79; 3]),
            ("ssdp", [311; 3]),
            ("ntp", [4268; 3]),
            ("http", [1044, 1042, 1042]),
            ("tls", [176; 3]),
        ],
    );
}

#[test]
#[ignore = "minutes: every capture"]
fn all_captures_of_homes_agree() {
    homes_agree(
        1,
        &[
            ("dns", [6259; 3]),
            ("mdns", [10_807; 3]),
            ("dhcp", [1002; 3]),
            ("ssdp", [3180; 3]),
            ("ntp", [6297; 3]),
            ("http", [11_719, 11_684, 11_684]),
            ("tls", [1990; 3]),
        ],
    );
}

/// The seeds of a protocol as a capture: a conversation each.
fn capture_of(protocol: Protocol, folder: &Path) -> std::path::PathBuf {
    use crate::wire::{ACK, Peer, SYN, tcp, udp};
    use protocols::app::Carrier;
    use protocols::capture::{CaptureWriter, WriterOptions};
    use protocols::packet::LinkType;

    let path = folder.join(format!("{}.pcap", protocol.name()));
    let options = WriterOptions { link: LinkType::RAW, ..WriterOptions::default() };
    let mut writer = CaptureWriter::new(std::fs::File::create(&path).unwrap(), options).unwrap();
    let seeds = crate::app_it::seeds();
    let seeds = seeds.iter().filter(|seed| seed.protocol == protocol).enumerate();
    for (number, seed) in seeds {
        let address = |host| std::net::Ipv4Addr::new(10, 0, number as u8, host);
        let up = seed.place.from_opener == Some(true);
        let home = if up { seed.place.dst_port } else { seed.place.src_port };
        let (client, server) = (Peer(address(1), 40_001), Peer(address(2), home));
        let (from, to) = if up { (client, server) } else { (server, client) };
        let mut packets = Vec::new();
        if seed.place.carrier == Carrier::Udp {
            packets.push(udp(from, to, &seed.bytes));
        } else {
            packets.push(tcp(client, server, 99, 0, SYN, &[]));
            packets.push(tcp(server, client, 99, 100, SYN | ACK, &[]));
            let mut seq = 100;
            for segment in seed.bytes.chunks(70) {
                packets.push(tcp(from, to, seq, 100, ACK, segment));
                seq += segment.len() as u32;
            }
        }
        for packet in packets {
            writer.write(number as i64 * 1_000_000_000, &packet, packet.len() as u32).unwrap();
        }
    }
    writer.finish().unwrap();
    path
}

/// Compares the seeds of a protocol and what real programs said of it (`tests/data`, made by
/// `tools/real-captures.sh`); `theirs` gives the words of a frame.
fn seeds_agree(
    protocol: Protocol,
    names: &[&str],
    agreed: [u64; 3],
    theirs: impl Fn(&Row) -> Vec<String>,
    ours: impl Fn(&Sighting<'_>, &mut Vec<String>),
) {
    if !available() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let real = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
    let real = Path::new(real).join(protocol.name()).with_extension("pcap");
    let mut paths = vec![capture_of(protocol, folder.path())];
    paths.extend(real.is_file().then_some(real));
    let mut agreement = Agreement::default();
    for path in &paths {
        let seen: Vec<Seen> = fields(path, protocol.name(), names, &[])
            .iter()
            .flat_map(|row| theirs(row).into_iter().map(|word| (row.frame, word)))
            .collect();
        let (found, _) = sightings(path, &ours);
        let place = |seen: Vec<Seen>| match protocol {
            // A message published is told once its topic is there, by tshark when its payload ended.
            Protocol::Mqtt => seen.into_iter().map(|(_, word)| (0, word)).collect(),
            _ => seen,
        };
        agreement.add(path, &place(found), &place(seen));
    }
    agreement.check(protocol.name(), agreed);
}

#[test]
fn control_packets_and_topics_agree() {
    use protocols::app::message::mqtt::Packet;
    let words = |row: &Row| {
        let topics = row.fields[1].iter().map(|topic| format!("topic {topic}"));
        let clients = row.fields[2].iter().map(|client| format!("client {client}"));
        row.fields[0]
            .iter()
            .map(|kind| format!("type {kind}"))
            .chain(topics)
            .chain(clients)
            .collect()
    };
    seeds_agree(
        Protocol::Mqtt,
        &["mqtt.msgtype", "mqtt.topic", "mqtt.clientid"],
        [180; 3],
        words,
        |sighting, words| {
            let Record::Mqtt(message) = sighting.record else { return };
            let mut topic =
                |topic: &[u8]| words.push(format!("topic {}", String::from_utf8_lossy(topic)));
            let kind = match message.packet {
                Packet::Connect { client, .. } => {
                    words.push(format!("client {}", String::from_utf8_lossy(client)));
                    1
                }
                Packet::ConnectAck { .. } => 2,
                Packet::Publish { topic: name, .. } => {
                    topic(name);
                    3
                }
                Packet::Acknowledge { kind, .. } => kind,
                Packet::Subscribe { filters, .. } => {
                    filters.iter().for_each(|(name, _)| topic(name));
                    8
                }
                Packet::SubscribeAck { .. } => 9,
                Packet::Unsubscribe { filters, .. } => {
                    filters.iter().for_each(|(name, _)| topic(name));
                    10
                }
                Packet::UnsubscribeAck { .. } => 11,
                Packet::Ping => 12,
                Packet::Pong => 13,
                Packet::Disconnect { .. } => 14,
                Packet::Auth { .. } => 15,
            };
            words.push(format!("type {kind}"));
        },
    );
}

#[test]
fn constrained_messages_agree() {
    let words = |row: &Row| vec![format!("{} {}", row.first(0), row.fields[1].join("/"))];
    seeds_agree(
        Protocol::Coap,
        &["coap.code", "coap.opt.uri_path"],
        [80; 3],
        words,
        |sighting, words| {
            let Record::Coap(message) = sighting.record else { return };
            let path: Vec<_> = message.path().map(String::from_utf8_lossy).collect();
            words.push(format!("{} {}", message.code, path.join("/")));
        },
    );
}

#[test]
fn identifications_agree() {
    let words = |row: &Row| row.fields[0].clone();
    seeds_agree(Protocol::Ssh, &["ssh.protocol"], [4; 3], words, |sighting, words| {
        let Record::Ssh(message) = sighting.record else { return };
        let mut word = format!(
            "SSH-{}-{}",
            String::from_utf8_lossy(message.protocol),
            String::from_utf8_lossy(message.software)
        );
        if let Some(comment) = message.comment {
            word += &format!(" {}", String::from_utf8_lossy(comment));
        }
        words.push(word);
    });
}

#[test]
fn negotiations_agree() {
    use protocols::app::message::Telnet;
    // tshark tells the end of a subnegotiation as a command of its own.
    let words = |row: &Row| {
        let commands = row.fields[0].iter().filter(|command| *command != "240");
        commands.map(|command| format!("command {command}")).collect()
    };
    seeds_agree(Protocol::Telnet, &["telnet.cmd"], [53; 3], words, |sighting, words| {
        let Record::Telnet(message) = sighting.record else { return };
        match message {
            Telnet::Negotiation { verb, .. } => words.push(format!("command {verb}")),
            Telnet::Subnegotiation { .. } => words.push("command 250".to_owned()),
            Telnet::Text { .. } => {}
        }
    });
}

#[test]
fn control_and_private_modes_agree() {
    let words = |row: &Row| vec![format!("mode {}", row.first(0))];
    seeds_agree(Protocol::Ntp, &["ntp.flags.mode"], [8; 3], words, |sighting, words| {
        let Record::Ntp(message) = sighting.record else { return };
        words.push(format!("mode {}", message.mode()));
    });
}
