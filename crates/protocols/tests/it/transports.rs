//! Transport layers by hand-made bytes.

use protocols::packet::{Flaw, LinkType, PacketView, TcpFlags, Transport, decode};

/// An IPv4 packet with the given protocol and payload.
fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let total = (20 + payload.len()) as u16;
    let mut bytes = vec![0x45, 0];
    bytes.extend(total.to_be_bytes());
    bytes.extend([0, 1, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
    bytes.extend(payload);
    bytes
}

fn raw(bytes: &[u8]) -> PacketView<'_> {
    decode(LinkType::RAW, bytes, bytes.len() as u32).unwrap()
}

/// A TCP header of `words` four-byte words with SYN set.
fn tcp(words: u8) -> Vec<u8> {
    let mut bytes = vec![0xc0, 0, 0x01, 0xf6, 1, 2, 3, 4, 5, 6, 7, 8];
    bytes.extend([words << 4, TcpFlags::SYN, 0x10, 0, 0, 0, 0, 0]);
    bytes.resize(20.max(usize::from(words) * 4), 1);
    bytes
}

#[test]
fn tcp_is_read_with_its_options_passed_over() {
    let mut segment = tcp(8);
    segment.extend(b"modbus");
    let packet = ipv4(6, &segment);
    let view = raw(&packet);
    let flags = TcpFlags(TcpFlags::SYN);
    let expected = Transport::Tcp {
        src_port: 0xc000,
        dst_port: 502,
        seq: 0x0102_0304,
        ack: 0x0506_0708,
        flags,
        window: 0x1000,
    };
    assert_eq!((view.transport, view.flaw), (expected, None));
    assert_eq!((view.payload, view.payload_len), (b"modbus".as_slice(), 6));
    assert!(flags.is_open() && !flags.is_open_reply());
    assert!(TcpFlags(0x12).is_open_reply() && !TcpFlags(0x12).is_open());
}

#[test]
fn tcp_headers_cut_by_the_capture_still_tell_ports() {
    let mut packet = ipv4(6, &[tcp(8), b"data".to_vec()].concat());
    let whole = packet.len() as u32;
    // Cut inside the options.
    packet.truncate(20 + 24);
    let view = decode(LinkType::RAW, &packet, whole).unwrap();
    assert_eq!((view.ports(), view.flaw), (Some((0xc000, 502)), None));
    assert_eq!((view.payload, view.payload_len), (b"".as_slice(), 4));
    packet.truncate(20 + 15);
    let view = decode(LinkType::RAW, &packet, whole).unwrap();
    assert_eq!((view.transport, view.flaw), (Transport::None, Some(Flaw::TransportTruncated)));
}

#[test]
fn impossible_tcp_header_lengths_are_flaws() {
    for words in [0, 4, 15] {
        let mut segment = tcp(words);
        segment.truncate(20);
        let packet = ipv4(6, &segment);
        let view = raw(&packet);
        assert_eq!(view.flaw, Some(Flaw::TransportLength), "{words} words");
        assert_eq!(view.ports(), Some((0xc000, 502)));
    }
}

#[test]
fn udp_lengths_bound_the_payload() {
    let datagram = |length: u8| [0, 1, 0, 2, 0, length, 0, 0, b'a', b'b', b'c'];
    for (length, payload, flaw) in [
        (11, "abc", None),
        (9, "a", None),
        (8, "", None),
        (0, "abc", None),
        (7, "abc", Some(Flaw::TransportLength)),
        (12, "abc", Some(Flaw::TransportLength)),
    ] {
        let packet = ipv4(17, &datagram(length));
        let view = raw(&packet);
        assert_eq!((view.payload, view.flaw), (payload.as_bytes(), flaw), "length {length}");
        assert_eq!(view.transport, Transport::Udp { src_port: 1, dst_port: 2 });
    }
    assert_eq!(raw(&ipv4(17, &[0; 7])).flaw, Some(Flaw::TransportTruncated));
}

#[test]
fn icmp_sctp_and_the_rest() {
    let packet = ipv4(1, &[8, 0, 0, 0, 0, 1, 0, 2, b'p']);
    let view = raw(&packet);
    assert_eq!(view.transport, Transport::Icmp { kind: 8, code: 0 });
    assert_eq!((view.payload, view.ports()), (b"p".as_slice(), None));
    let packet = ipv4(58, &[135, 0, 0, 0]);
    let view = raw(&packet);
    assert_eq!(view.transport, Transport::Icmpv6 { kind: 135, code: 0 });
    assert_eq!((view.payload_len, view.flaw), (0, None));
    assert_eq!(raw(&ipv4(1, &[8])).flaw, Some(Flaw::TransportTruncated));

    let packet = ipv4(132, &[0x0b, 0x59, 0x0b, 0x5a, 0, 0, 0, 0, 0, 0, 0, 0, b'c']);
    assert_eq!(raw(&packet).transport, Transport::Sctp { src_port: 2905, dst_port: 2906 });
    assert_eq!(raw(&packet).payload, b"c");
    assert_eq!(raw(&ipv4(132, &[0; 3])).flaw, Some(Flaw::TransportTruncated));

    let packet = ipv4(47, b"gre");
    assert_eq!((raw(&packet).transport, raw(&packet).payload), (Transport::None, &b"gre"[..]));
    assert_eq!(raw(&packet).ip_protocol(), Some(47));
}
