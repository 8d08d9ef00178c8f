//! Link layers by hand-made bytes.

use std::net::{IpAddr, Ipv4Addr};

use protocols::packet::{
    DecodeError, Flaw, LinkType, Net, PacketView, Transport, WpanAddress, decode,
};

pub(crate) const DST: [u8; 6] = [1, 2, 3, 4, 5, 6];
pub(crate) const SRC: [u8; 6] = [10, 11, 12, 13, 14, 15];

/// An Ethernet frame with the given type field.
pub(crate) fn ethernet(kind: u16, rest: &[u8]) -> Vec<u8> {
    [DST.as_slice(), &SRC, &kind.to_be_bytes(), rest].concat()
}

/// A UDP datagram over IPv4 from 10.0.0.1:1000 to 10.0.0.2:53 that holds `hello`.
pub(crate) fn udp4() -> Vec<u8> {
    let mut bytes = vec![0x45, 0, 0, 33, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    bytes.extend([0x03, 0xe8, 0, 53, 0, 13, 0, 0]);
    bytes.extend(b"hello");
    bytes
}

fn view(link: LinkType, bytes: &[u8]) -> PacketView<'_> {
    decode(link, bytes, bytes.len() as u32).unwrap()
}

#[track_caller]
fn check_udp(view: PacketView<'_>) {
    assert_eq!(view.flaw, None);
    assert_eq!(view.src_ip(), Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1))));
    assert_eq!(view.dst_ip(), Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2))));
    assert_eq!(view.transport, Transport::Udp { src_port: 1000, dst_port: 53 });
    assert_eq!((view.payload, view.payload_len), (b"hello".as_slice(), 5));
    assert_eq!(view.ether_type, 0x0800);
}

#[test]
fn ethernet_gives_addresses_and_leaves_padding_out() {
    let mut frame = ethernet(0x0800, &udp4());
    frame.resize(60, 0xee);
    let view = view(LinkType::ETHERNET, &frame);
    assert_eq!((view.src_mac, view.dst_mac), (Some(SRC), Some(DST)));
    assert_eq!((view.vlan, view.wire_len), (None, 60));
    check_udp(view);
}

#[test]
fn vlan_tags_are_read_from_outside_in() {
    let one = ethernet(0x8100, &[&[0x60, 0x65, 0x08, 0x00], udp4().as_slice()].concat());
    let seen = view(LinkType::ETHERNET, &one);
    assert_eq!((seen.vlan, seen.inner_vlan), (Some(101), None));
    check_udp(seen);
    let tags = [0x0f, 0xff, 0x81, 0x00, 0x00, 0x07, 0x08, 0x00];
    for outer in [0x88a8, 0x9100, 0x8100] {
        let two = ethernet(outer, &[tags.as_slice(), &udp4()].concat());
        let seen = view(LinkType::ETHERNET, &two);
        assert_eq!((seen.vlan, seen.inner_vlan), (Some(4095), Some(7)));
        check_udp(seen);
    }
}

#[test]
fn endless_vlan_tags_and_cut_ones_are_flaws() {
    let frame = ethernet(0x8100, &[0, 1, 0x81, 0].repeat(50));
    assert_eq!(view(LinkType::ETHERNET, &frame).flaw, Some(Flaw::NestingLimit));
    let frame = ethernet(0x8100, &[0, 1, 8]);
    let seen = view(LinkType::ETHERNET, &frame);
    assert_eq!((seen.flaw, seen.src_mac), (Some(Flaw::NetTruncated), Some(SRC)));
}

#[test]
fn llc_snap_and_other_types_are_kept() {
    // Spanning tree, padded to 60 bytes.
    let mut frame = ethernet(38, &[0x42, 0x42, 0x03, 0, 0, 2, 2]);
    frame.resize(60, 0);
    let seen = view(LinkType::ETHERNET, &frame);
    assert_eq!(seen.net, Net::Llc { dsap: 0x42, ssap: 0x42 });
    assert_eq!((seen.ether_type, seen.payload.len(), seen.payload_len), (38, 35, 35));

    let snap = [&[0xaa, 0xaa, 3, 0, 0, 0, 8, 0], udp4().as_slice()].concat();
    check_udp(view(LinkType::ETHERNET, &ethernet(snap.len() as u16, &snap)));

    let goose = ethernet(0x88b8, b"apdu");
    let seen = view(LinkType::ETHERNET, &goose);
    assert_eq!((seen.net, seen.payload), (Net::Other(0x88b8), b"apdu".as_slice()));
    assert_eq!(seen.payload_len, 4);
}

#[test]
fn short_frames_are_errors_and_unknown_links_are_named() {
    for length in 0..14 {
        let result = decode(LinkType::ETHERNET, &[0; 14][..length], 60);
        assert_eq!(result, Err(DecodeError::LinkTruncated));
    }
    let error = decode(LinkType(147), b"anything", 8).unwrap_err();
    assert_eq!(error, DecodeError::LinkUnsupported(LinkType(147)));
    assert!(error.to_string().contains("147"));
}

#[test]
fn loopback_families_are_read_in_both_byte_orders() {
    for (link, family) in [
        (LinkType::NULL, [2, 0, 0, 0]),
        (LinkType::NULL, [0, 0, 0, 2]),
        (LinkType::LOOP, [0, 0, 0, 2]),
    ] {
        check_udp(view(link, &[family.as_slice(), &udp4()].concat()));
    }
    let ipv6 = [&[0, 0, 0, 0x60, 0, 0, 0, 0, 0, 59, 1], [0; 32].as_slice()].concat();
    for family in [10, 24, 28, 30] {
        let mut bytes = ipv6.clone();
        bytes[0] = family;
        // One byte of family, three of zero, then the packet.
        bytes.insert(3, 0);
        assert!(matches!(view(LinkType::NULL, &bytes).net, Net::V6 { .. }), "family {family}");
    }
    let seen = view(LinkType::NULL, &[7, 0, 0, 0, 1, 2]);
    assert_eq!((seen.net, seen.payload), (Net::Other(0), [1, 2].as_slice()));
}

#[test]
fn raw_ip_is_told_by_its_version() {
    for link in [LinkType::RAW, LinkType::RAW_BSD, LinkType::RAW_OPENBSD, LinkType::IPV4] {
        check_udp(view(link, &udp4()));
    }
    assert_eq!(view(LinkType::RAW, &[0x10, 0]).flaw, Some(Flaw::NetVersion));
    assert_eq!(view(LinkType::IPV6, &udp4()).flaw, Some(Flaw::NetTruncated));
    assert_eq!(decode(LinkType::RAW, &[], 0), Err(DecodeError::LinkTruncated));
}

#[test]
fn linux_cooked_captures_carry_the_sender() {
    let sll = [&[0, 0, 0, 1, 0, 6], SRC.as_slice(), &[0, 0, 8, 0], &udp4()].concat();
    let seen = view(LinkType::LINUX_SLL, &sll);
    assert_eq!((seen.src_mac, seen.dst_mac), (Some(SRC), None));
    check_udp(seen);
    let sll2 = [&[8, 0, 0, 0, 0, 0, 0, 3, 0, 1, 0, 6], SRC.as_slice(), &[0, 0], &udp4()].concat();
    let seen = view(LinkType::LINUX_SLL2, &sll2);
    assert_eq!(seen.src_mac, Some(SRC));
    check_udp(seen);
    // A tunnel without hardware address, an LLC frame, a Linux-only protocol.
    let mut bare = sll.clone();
    bare[5] = 0;
    assert_eq!(view(LinkType::LINUX_SLL, &bare).src_mac, None);
    let mut llc = sll[..16].to_vec();
    llc[14..16].copy_from_slice(&[0, 4]);
    llc.extend([0x42, 0x42, 3]);
    assert_eq!(view(LinkType::LINUX_SLL, &llc).net, Net::Llc { dsap: 0x42, ssap: 0x42 });
    llc[15] = 0x0c;
    assert_eq!(view(LinkType::LINUX_SLL, &llc).net, Net::Other(0x0c));
    assert_eq!(decode(LinkType::LINUX_SLL, &sll[..15], 15), Err(DecodeError::LinkTruncated));
    assert_eq!(decode(LinkType::LINUX_SLL2, &sll2[..19], 19), Err(DecodeError::LinkTruncated));
}

#[test]
fn personal_area_frames_give_their_addresses() {
    // Data frame, one network, short addresses; two bytes of check sequence at the end.
    let frame = [0x41, 0x88, 7, 0x34, 0x12, 0xff, 0xff, 0x01, 0x00, b'd', b'a', 0xee, 0xee];
    let seen = view(LinkType::IEEE802154, &frame);
    let (src, dst) = (WpanAddress::Short(1), WpanAddress::Short(0xffff));
    assert_eq!(seen.net, Net::Wpan { pan: Some(0x1234), src, dst });
    assert_eq!((seen.payload, seen.payload_len), (b"da".as_slice(), 2));
    let seen = view(LinkType::IEEE802154_NO_FCS, &frame);
    assert_eq!(seen.payload_len, 4);

    // An acknowledgement has no address; an extended source gives its own network.
    let seen = view(LinkType::IEEE802154_NO_FCS, &[0x02, 0x00, 9]);
    let absent = WpanAddress::Absent;
    assert_eq!(seen.net, Net::Wpan { pan: None, src: absent, dst: absent });
    let frame = [0x01, 0xc0, 1, 0xcd, 0xab, 1, 2, 3, 4, 5, 6, 7, 8];
    let src = WpanAddress::Extended(0x0807_0605_0403_0201);
    let seen = view(LinkType::IEEE802154_NO_FCS, &frame);
    assert_eq!(seen.net, Net::Wpan { pan: Some(0xabcd), src, dst: absent });

    // Version 2 of the frame, a cut address.
    assert_eq!(view(LinkType::IEEE802154, &[1, 0x28, 1]).flaw, Some(Flaw::NetVersion));
    assert_eq!(view(LinkType::IEEE802154, &frame[..9]).flaw, Some(Flaw::NetTruncated));
}
