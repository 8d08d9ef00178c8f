//! Made-up frames.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::IpAddr;

use analytics::host::Host;

/// A name that carries 24 octets of data, as tunnels through DNS write them: base 32, behind a domain
/// of two labels.
pub(crate) fn carrying_name(turn: u64) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut state = turn.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let data: String = (0..39)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            char::from(LETTERS[(state >> 40) as usize % 32])
        })
        .collect();
    format!("{data}.example.net")
}

/// A DNS query for an IPv4 address, or the answer to it with a response code.
pub(crate) fn dns_message(name: &str, answer: Option<u8>) -> Vec<u8> {
    let found = answer == Some(0);
    let mut message = vec![0x12, 0x34];
    message.extend(answer.map_or([0x01, 0x00], |code| [0x81, 0x80 | code]));
    message.extend([0, 1, 0, u8::from(found), 0, 0, 0, 0]);
    for label in name.split('.') {
        message.push(label.len() as u8);
        message.extend(label.as_bytes());
    }
    message.extend([0, 0, 1, 0, 1]);
    if found {
        message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 198, 51, 100, 1]);
    }
    message
}

/// An Ethernet frame with a DNS message, which says itself whether it is a query.
pub(crate) fn dns_frame(from: Host, to: Host, message: &[u8]) -> Vec<u8> {
    let (from_port, to_port): (u16, u16) =
        if message[2] & 0x80 == 0 { (40_123, 53) } else { (53, 40_123) };
    let mut datagram = [from_port.to_be_bytes(), to_port.to_be_bytes()].concat();
    datagram.extend((8 + message.len() as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(message);
    ip_frame(from, to, 17, &datagram)
}

/// An Ethernet frame with a TCP segment: ports, sequence number and acknowledgement, flags, data.
pub(crate) fn tcp_frame(
    from: Host,
    to: Host,
    ports: (u16, u16),
    (seq, ack): (u32, u32),
    flags: u8,
    data: &[u8],
) -> Vec<u8> {
    let mut segment = [ports.0.to_be_bytes(), ports.1.to_be_bytes()].concat();
    segment.extend(seq.to_be_bytes());
    segment.extend(ack.to_be_bytes());
    segment.extend([0x50, flags, 0x20, 0, 0, 0, 0, 0]);
    segment.extend(data);
    ip_frame(from, to, 6, &segment)
}

fn ip_frame(from: Host, to: Host, protocol: u8, data: &[u8]) -> Vec<u8> {
    let (IpAddr::V4(from), IpAddr::V4(to)) = (from.ip().unwrap(), to.ip().unwrap()) else {
        panic!("made-up frames are IPv4");
    };
    let hardware = |address: [u8; 4]| [2, 0, address[0], address[1], address[2], address[3]];
    let mut frame = [hardware(to.octets()), hardware(from.octets())].concat();
    frame.extend([8, 0, 0x45, 0]);
    frame.extend((20 + data.len() as u16).to_be_bytes());
    frame.extend([0, 1, 0, 0, 64, protocol, 0, 0]);
    frame.extend(from.octets());
    frame.extend(to.octets());
    frame.extend(data);
    frame
}
