//! What each kind of message tells of the devices at its ends.

use protocols::app::{Carrier, Operation, Protocol, Record, Role, message};
use protocols::flow::{End, Sighting};

use super::device::Device;
use super::facts::{AskedBy, HintKind, NameSource, Part, Service};
use super::{Inventory, mdns};
use crate::host::Host;

const UDP: u8 = 17;
const TCP: u8 = 6;
/// DHCP option 55 is shown as numbers; so many at most.
const MAX_PARAMETERS: usize = 32;
/// Questions read of one message.
const MAX_QUESTIONS: usize = 4;
/// Words kept of a path, and bytes of one.
const MAX_WORDS: usize = 2;
const MAX_WORD_BYTES: usize = 20;

/// Notes what a message tells.
pub(super) fn note(inventory: &mut Inventory, sighting: &Sighting<'_>) {
    let at_us = sighting.ts_ns / 1_000;
    let protocol = sighting.protocol;
    let spoken =
        |end: &End, inventory: &mut Inventory, change: &dyn Fn(&mut Device, i64) -> bool| {
            let (mac, address) = (end.mac.map(Host::mac), end.ip.map(Host::from));
            inventory.with(mac, address, at_us, |device, at_us| {
                device.speak(protocol) | change(device, at_us)
            });
        };
    let from_server = from_server(sighting);
    spoken(&sighting.from, inventory, &|device, at_us| {
        said(device, &sighting.record, protocol, at_us)
            | service(device, sighting, from_server, sighting.from.port, at_us)
    });
    // Who is only spoken to has said nothing; a service it is known for is still confirmed.
    let answers = from_server.map(|from_server| !from_server);
    if answers.is_some() && sighting.from_opener.is_some() {
        spoken(&sighting.to, inventory, &|device, at_us| {
            service(device, sighting, answers, sighting.to.port, at_us)
        });
    }
    if let Record::Dns(message) = &sighting.record {
        named_by_others(inventory, message, protocol, at_us);
    }
}

/// Whether the sender is the one that offers the service; `None` where that cannot be told.
fn from_server(sighting: &Sighting<'_>) -> Option<bool> {
    if let Some(from_opener) = sighting.from_opener {
        return Some(!from_opener);
    }
    let mut role = None;
    sighting.record.operations(&mut |operation: Operation<'_>| {
        role.get_or_insert(operation.role);
    });
    match (&sighting.record, role) {
        (_, Some(Role::Request)) => Some(false),
        (_, Some(Role::Response)) => Some(true),
        (Record::Dns(message), _) => Some(message.is_response()),
        (Record::Ntp(message), _) => match message.mode() {
            3 => Some(false),
            4 => Some(true),
            _ => None,
        },
        (Record::Coap(message), _) => Some(!message.is_request()),
        (Record::Dhcp(message::Dhcp::V4(message)), _) => Some(!message.is_request()),
        _ => None,
    }
}

/// The service a conversation is about, on the side of the device.
fn service(
    device: &mut Device,
    sighting: &Sighting<'_>,
    offers: Option<bool>,
    own_port: u16,
    at_us: i64,
) -> bool {
    let transport = match sighting.carrier {
        Carrier::Tcp => TCP,
        Carrier::Udp => UDP,
        Carrier::Link(_) => return false,
    };
    // On the link everybody speaks and answers with the same port: nobody serves.
    if matches!(sighting.protocol, Protocol::Mdns | Protocol::Ssdp) {
        return false;
    }
    let Some(offers) = offers else { return false };
    let other = if own_port == sighting.from.port { sighting.to.port } else { sighting.from.port };
    let port = if offers { own_port } else { other };
    let service = Service { transport, port, protocol: Some(sighting.protocol.name().to_owned()) };
    if offers { device.offer(service, at_us) } else { device.use_service(service, at_us) }
}

/// What the sender says of itself.
fn said(device: &mut Device, record: &Record<'_>, protocol: Protocol, at_us: i64) -> bool {
    match record {
        Record::Dhcp(message::Dhcp::V4(told)) => dhcp(device, told, at_us),
        Record::Dhcp(message::Dhcp::V6(told)) => {
            told.client_name().is_some_and(|name| device.name(NameSource::Dhcp, name, at_us))
        }
        Record::Dns(told) if protocol == Protocol::Mdns => mdns::told(device, told, at_us),
        Record::Dns(told) if told.is_response() => device.play(Part::DnsServer),
        Record::Dns(told) => asks(device, told, at_us),
        Record::Ntp(told) => told.mode() == 4 && device.play(Part::NtpServer),
        Record::Ssdp(told) => {
            let tells = told.kind != message::ssdp::Kind::Search;
            let target = told
                .target
                .filter(|_| tells)
                .is_some_and(|target| device.hint(HintKind::SsdpTarget, target, at_us));
            let server =
                told.server.is_some_and(|server| device.hint(HintKind::SsdpServer, server, at_us));
            target | server
        }
        Record::Http(told) => http(device, told, at_us),
        Record::Ssh(told) => device.hint(HintKind::Ssh, told.software, at_us),
        Record::Tls(message::Tls::Client(hello)) => {
            let name = hello
                .server_name()
                .is_some_and(|name| device.ask(AskedBy::Tls, name.as_bytes(), at_us));
            let ja4 = hello
                .ja4()
                .is_some_and(|ja4| device.hint(HintKind::Ja4, ja4.as_str().as_bytes(), at_us));
            name | ja4
        }
        Record::Mqtt(told) => match told.packet {
            message::mqtt::Packet::Connect { client, .. } => {
                device.hint(HintKind::MqttClient, client, at_us)
            }
            _ => false,
        },
        Record::Goose(_) => device.play(Part::GoosePublisher),
        _ => operates(device, record),
    }
}

fn dhcp(device: &mut Device, told: &message::dhcp::V4<'_>, at_us: i64) -> bool {
    if !told.is_request() {
        return device.play(Part::DhcpServer);
    }
    let name = told.host_name().is_some_and(|name| device.name(NameSource::Dhcp, name, at_us));
    let vendor =
        told.vendor_class().is_some_and(|class| device.hint(HintKind::DhcpVendor, class, at_us));
    let parameters = told.parameters().is_some_and(|list| {
        let numbers: Vec<String> = list.iter().take(MAX_PARAMETERS).map(u8::to_string).collect();
        device.hint(HintKind::DhcpParameters, numbers.join(",").as_bytes(), at_us)
    });
    name | vendor | parameters
}

/// Addresses (A, AAAA) and services of the web (HTTPS, RFC 9460) of names outside the link.
fn asks(device: &mut Device, told: &message::Dns<'_>, at_us: i64) -> bool {
    let mut changed = false;
    for question in told.questions().take(MAX_QUESTIONS) {
        let name = question.name.to_string();
        let outside = name.contains('.') && !name.ends_with(".arpa") && !name.ends_with(".local");
        if matches!(question.kind, 1 | 28 | 65) && outside {
            changed |= device.ask(AskedBy::Dns, name.as_bytes(), at_us);
        }
    }
    changed
}

/// The program, and for whom and what it asks.
fn http(device: &mut Device, told: &message::Http<'_>, at_us: i64) -> bool {
    let agent = told.agent.is_some_and(|agent| device.hint(HintKind::UserAgent, agent, at_us));
    let message::http::Start::Request { target, .. } = told.start else { return agent };
    let host = told.host.unwrap_or_default();
    let host = host.split(|byte| *byte == b':').next().unwrap_or_default();
    let named = host.contains(&b'.') && host.iter().any(u8::is_ascii_alphabetic);
    let host = named && device.ask(AskedBy::Http, host, at_us);
    let path = first_words(target);
    let path = !path.is_empty() && device.hint(HintKind::HttpPath, &path, at_us);
    agent | host | path
}

/// The beginning of a path: at most [`MAX_WORDS`] parts of letters only, so that no key and no
/// name of a person is kept.
fn first_words(target: &[u8]) -> Vec<u8> {
    let path = target.split(|byte| matches!(byte, b'?' | b'#')).next().unwrap_or_default();
    let path = path.strip_prefix(b"/").unwrap_or_default();
    let word = |part: &&[u8]| {
        (1..=MAX_WORD_BYTES).contains(&part.len()) && part.iter().all(u8::is_ascii_alphabetic)
    };
    let words = path.split(|byte| *byte == b'/').take_while(word).take(MAX_WORDS);
    words.flat_map(|word| [b"/", word].concat()).collect()
}

fn operates(device: &mut Device, record: &Record<'_>) -> bool {
    let mut changed = false;
    record.operations(&mut |operation: Operation<'_>| {
        changed |= device.play(match operation.role {
            Role::Request => Part::Controller,
            Role::Response | Role::Report => Part::Outstation,
        });
    });
    changed
}

/// Names that a DNS answer gives to addresses of the inventory.
fn named_by_others(
    inventory: &mut Inventory,
    message: &message::Dns<'_>,
    protocol: Protocol,
    at_us: i64,
) {
    if protocol != Protocol::Dns || !message.is_response() {
        return;
    }
    for (name, address) in message.hosts() {
        let address = Host::from(address);
        if address.ip().is_some_and(crate::policy::is_local) {
            inventory.with_address(address, at_us, |device, at_us| {
                device.name(NameSource::Dns, name.to_string().as_bytes(), at_us)
            });
        }
    }
}
