//! Frames by hand for the tests of conversations.

use std::net::Ipv4Addr;

use protocols::flow::{Sighting, Tracker};
use protocols::packet::{LinkType, decode};

pub(crate) const SYN: u8 = 2;
pub(crate) const FIN: u8 = 1;
pub(crate) const RST: u8 = 4;
pub(crate) const ACK: u8 = 16;

/// One end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) Ipv4Addr, pub(crate) u16);

pub(crate) const CLIENT: Peer = Peer(Ipv4Addr::new(10, 0, 0, 1), 40_000);
pub(crate) const SERVER: Peer = Peer(Ipv4Addr::new(10, 0, 0, 2), 502);

/// A raw IPv4 packet. `fragment` is the field of flags and offset.
pub(crate) fn ipv4(from: Peer, to: Peer, protocol: u8, fragment: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x45, 0];
    bytes.extend((20 + body.len() as u16).to_be_bytes());
    bytes.extend([0, 7]);
    bytes.extend(fragment.to_be_bytes());
    bytes.extend([64, protocol, 0, 0]);
    bytes.extend(from.0.octets());
    bytes.extend(to.0.octets());
    bytes.extend(body);
    bytes
}

/// A TCP segment.
pub(crate) fn tcp(from: Peer, to: Peer, seq: u32, ack: u32, flags: u8, data: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(from.1.to_be_bytes());
    body.extend(to.1.to_be_bytes());
    body.extend(seq.to_be_bytes());
    body.extend(ack.to_be_bytes());
    body.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    body.extend(data);
    ipv4(from, to, 6, 0, &body)
}

/// A UDP header and its data.
pub(crate) fn udp_body(from: Peer, to: Peer, data: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    body.extend(from.1.to_be_bytes());
    body.extend(to.1.to_be_bytes());
    body.extend((8 + data.len() as u16).to_be_bytes());
    body.extend([0, 0]);
    body.extend(data);
    body
}

/// A UDP datagram.
pub(crate) fn udp(from: Peer, to: Peer, data: &[u8]) -> Vec<u8> {
    ipv4(from, to, 17, 0, &udp_body(from, to, data))
}

/// A Modbus request to write one register.
pub(crate) fn write_register(transaction: u16, register: u16, value: u16) -> Vec<u8> {
    let mut bytes = transaction.to_be_bytes().to_vec();
    bytes.extend([0, 0, 0, 6, 1, 6]);
    bytes.extend(register.to_be_bytes());
    bytes.extend(value.to_be_bytes());
    bytes
}

/// A tracker with what it told.
#[derive(Default)]
pub(crate) struct Watch {
    pub(crate) tracker: Tracker,
    pub(crate) told: Vec<String>,
    pub(crate) ts_ns: i64,
}

/// A sighting in words, without its time.
fn words(sighting: &Sighting<'_>) -> String {
    format!(
        "{:?} {:?}:{} > {:?}:{} {:?} {:?}",
        sighting.protocol,
        sighting.from.ip,
        sighting.from.port,
        sighting.to.ip,
        sighting.to.port,
        sighting.from_opener,
        sighting.record
    )
}

impl Watch {
    /// Pushes a raw IPv4 packet a millisecond after the one before.
    pub(crate) fn push(&mut self, packet: &[u8]) {
        self.push_cut(packet, packet.len());
    }

    /// Pushes a packet of which only some bytes were captured.
    pub(crate) fn push_cut(&mut self, packet: &[u8], captured: usize) {
        self.ts_ns += 1_000_000;
        let kept = &packet[..captured.min(packet.len())];
        let view = decode(LinkType::RAW, kept, packet.len() as u32).unwrap();
        let told = &mut self.told;
        self.tracker.push(self.ts_ns, &view, &mut |sighting| told.push(words(sighting)));
    }

    /// The three packets that open a connection; the first byte of the client has number `seq`.
    pub(crate) fn connect(&mut self, seq: u32) {
        self.push(&tcp(CLIENT, SERVER, seq.wrapping_sub(1), 0, SYN, &[]));
        self.push(&tcp(SERVER, CLIENT, 4_999, seq, SYN | ACK, &[]));
        self.push(&tcp(CLIENT, SERVER, seq, 5_000, ACK, &[]));
    }

    /// Bytes from the client.
    pub(crate) fn send(&mut self, seq: u32, data: &[u8]) {
        self.push(&tcp(CLIENT, SERVER, seq, 5_000, ACK, data));
    }

    pub(crate) fn finish(&mut self) {
        let told = &mut self.told;
        self.tracker.finish(&mut |sighting| told.push(words(sighting)));
    }
}
