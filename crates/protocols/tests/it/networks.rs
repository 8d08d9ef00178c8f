//! Network layers by hand-made bytes.

use std::net::{Ipv4Addr, Ipv6Addr};

use protocols::packet::{Flaw, LinkType, Net, PacketView, Transport, decode};

use crate::links::{SRC, ethernet, udp4};

fn raw(bytes: &[u8]) -> PacketView<'_> {
    decode(LinkType::RAW, bytes, bytes.len() as u32).unwrap()
}

/// A fixed IPv6 header from ::1 to ::2 with the payload behind it.
fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x60, 0, 0, 0];
    bytes.extend((payload.len() as u16).to_be_bytes());
    bytes.extend([next, 63]);
    bytes.extend(Ipv6Addr::from_bits(1).octets());
    bytes.extend(Ipv6Addr::from_bits(2).octets());
    bytes.extend(payload);
    bytes
}

const UDP: [u8; 9] = [0x03, 0xe8, 0, 53, 0, 9, 0, 0, b'x'];

#[test]
fn ipv4_options_are_passed_over() {
    let mut bytes = udp4();
    bytes[0] = 0x47;
    bytes[3] += 8;
    bytes.splice(20..20, [1; 8]);
    let view = raw(&bytes);
    assert_eq!(view.ports(), Some((1000, 53)));
    assert_eq!(view.payload, b"hello");
}

#[test]
fn fragments_have_a_transport_header_in_the_first_only() {
    let mut first = udp4();
    first[6] = 0x20;
    let view = raw(&first);
    let Net::V4 { fragment_offset, more_fragments, protocol, ttl, src, .. } = view.net else {
        panic!("{view:?}");
    };
    assert_eq!((fragment_offset, more_fragments, protocol, ttl), (0, true, 17, 64));
    assert_eq!(src, Ipv4Addr::new(10, 0, 0, 1));
    assert!(view.is_fragment());
    assert_eq!(view.ports(), Some((1000, 53)));

    // The first fragment's UDP length is that of the whole datagram.
    first[24..26].copy_from_slice(&2000_u16.to_be_bytes());
    assert_eq!((raw(&first).flaw, raw(&first).payload), (None, b"hello".as_slice()));

    let mut later = udp4();
    later[6..8].copy_from_slice(&0x0102_u16.to_be_bytes());
    let view = raw(&later);
    let Net::V4 { fragment_offset: 0x0810, more_fragments: false, .. } = view.net else {
        panic!("{view:?}");
    };
    assert_eq!((view.transport, view.flaw), (Transport::None, None));
    assert_eq!(view.payload.len(), 13, "all of it is payload");
}

#[test]
fn lengths_that_contradict_themselves_are_flaws() {
    let cases: [(usize, u8, Flaw); 4] = [
        (0, 0x44, Flaw::NetLength),
        (3, 19, Flaw::NetLength),
        (0, 0x65, Flaw::NetTruncated),
        (0, 0x4f, Flaw::NetLength),
    ];
    for (place, value, flaw) in cases {
        let mut bytes = udp4();
        bytes[place] = value;
        let view = raw(&bytes);
        assert_eq!((view.flaw, view.transport), (Some(flaw), Transport::None), "{place} {value}");
    }
    // Options the capture cut: the addresses are known all the same.
    let mut bytes = udp4();
    bytes[0] = 0x48;
    let view = raw(&bytes[..24]);
    assert_eq!(view.flaw, Some(Flaw::NetTruncated));
    assert!(view.src_ip().is_some());
    assert_eq!(raw(&udp4()[..19]).flaw, Some(Flaw::NetTruncated));
    let frame = ethernet(0x0800, &ipv6(17, &UDP));
    let view = decode(LinkType::ETHERNET, &frame, 100).unwrap();
    assert_eq!((view.flaw, view.net), (Some(Flaw::NetVersion), Net::Other(0x0800)));
}

#[test]
fn a_cut_payload_keeps_its_length_on_the_wire() {
    let mut bytes = udp4();
    bytes[2..4].copy_from_slice(&1028_u16.to_be_bytes());
    bytes[24..26].copy_from_slice(&1008_u16.to_be_bytes());
    let frame = ethernet(0x0800, &bytes);
    let view = decode(LinkType::ETHERNET, &frame, 1042).unwrap();
    assert_eq!((view.payload, view.payload_len), (b"hello".as_slice(), 1000));
    assert_eq!((view.wire_len, view.flaw), (1042, None));
    // A capture that states less than it holds is not believed.
    assert_eq!(decode(LinkType::ETHERNET, &frame, 3).unwrap().wire_len, frame.len() as u32);
}

#[test]
fn a_total_length_of_zero_means_the_rest_of_the_frame() {
    let mut bytes = udp4();
    bytes[2..4].fill(0);
    let view = raw(&bytes);
    assert_eq!((view.payload, view.flaw), (b"hello".as_slice(), None));
}

#[test]
fn ipv6_extension_headers_are_walked() {
    let hop = [60, 0, 5, 2, 0, 0, 0, 0];
    let destination = [43, 0, 1, 4, 0, 0, 0, 0];
    let routing = [51, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let authentication = [44, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2];
    let fragment = [17, 0, 0, 1, 0, 0, 0, 9];
    let chain = [hop.as_slice(), &destination, &routing, &authentication, &fragment, &UDP].concat();
    let bytes = ipv6(0, &chain);
    let view = raw(&bytes);
    let Net::V6 { src, dst, protocol, hop_limit, fragment_offset, more_fragments } = view.net
    else {
        panic!("{view:?}");
    };
    assert_eq!((src, dst), (Ipv6Addr::from_bits(1), Ipv6Addr::from_bits(2)));
    assert_eq!((protocol, hop_limit, fragment_offset, more_fragments), (17, 63, 0, true));
    assert_eq!((view.ports(), view.payload, view.payload_len), (Some((1000, 53)), &b"x"[..], 1));

    let later = ipv6(44, &[&[17, 0, 0x01, 0x00, 0, 0, 0, 9], UDP.as_slice()].concat());
    let view = raw(&later);
    let Net::V6 { fragment_offset: 0x100, more_fragments: false, .. } = view.net else {
        panic!("{view:?}");
    };
    assert_eq!((view.transport, view.payload.len(), view.flaw), (Transport::None, 9, None));
}

#[test]
fn ipv6_chains_are_bounded_and_cut_ones_are_flaws() {
    let hop = [0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(raw(&ipv6(0, &hop.repeat(30))).flaw, Some(Flaw::NestingLimit));
    let mut eight = hop.repeat(8);
    eight[56] = 17;
    eight.extend(UDP);
    assert_eq!(raw(&ipv6(0, &eight)).ports(), Some((1000, 53)));
    assert_eq!(raw(&ipv6(0, &hop[..3])).flaw, Some(Flaw::NetTruncated));
    assert_eq!(raw(&ipv6(60, &[17, 9, 0, 0, 0, 0, 0, 0])).flaw, Some(Flaw::NetTruncated));
    assert_eq!(raw(&ipv6(17, &UDP)[..39]).flaw, Some(Flaw::NetTruncated));
}

#[test]
fn ipv6_without_anything_behind_is_fine() {
    let bytes = ipv6(59, &[]);
    let view = raw(&bytes);
    assert_eq!((view.transport, view.flaw, view.ip_protocol()), (Transport::None, None, Some(59)));
}

#[test]
fn arp_gives_both_sides() {
    let mut body = vec![0, 1, 8, 0, 6, 4, 0, 2];
    body.extend(SRC);
    body.extend([10, 0, 0, 1]);
    body.extend([9; 6]);
    body.extend([10, 0, 0, 2]);
    body.extend([0; 18]);
    let frame = ethernet(0x0806, &body);
    let view = decode(LinkType::ETHERNET, &frame, 60).unwrap();
    let expected = Net::Arp {
        operation: 2,
        sender_mac: SRC,
        sender_ip: Ipv4Addr::new(10, 0, 0, 1),
        target_mac: [9; 6],
        target_ip: Ipv4Addr::new(10, 0, 0, 2),
    };
    assert_eq!((view.net, view.payload.len(), view.flaw), (expected, 0, None));
    assert_eq!(view.src_ip(), Some(Ipv4Addr::new(10, 0, 0, 1).into()));

    let mut token_ring = frame.clone();
    token_ring[18] = 8;
    let view = decode(LinkType::ETHERNET, &token_ring, 60).unwrap();
    assert_eq!((view.flaw, view.net), (Some(Flaw::ArpFormat), Net::Other(0x0806)));
    let view = decode(LinkType::ETHERNET, &frame[..41], 60).unwrap();
    assert_eq!(view.flaw, Some(Flaw::NetTruncated));
}
