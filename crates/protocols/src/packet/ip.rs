//! Network layer: IPv4, IPv6 with its extension headers, ARP.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::link::unread;
use super::{Flaw, Fragment, MAX_EXTENSION_HEADERS, Net, PacketView, ether_type, transport};

/// Bytes of an IPv4 header without options.
const IPV4_HEADER: usize = 20;
/// Bytes of the fixed IPv6 header.
const IPV6_HEADER: usize = 40;
/// Protocol number of the IPv6 fragment header (RFC 8200 clause 4.5).
const FRAGMENT: u8 = 44;
/// Upper protocol number that says "nothing follows" (RFC 8200 clause 4.7).
const NO_NEXT_HEADER: u8 = 59;

/// Payload of a network header: the captured part and its length on the wire.
#[inline]
fn set_payload<'a>(view: &mut PacketView<'a>, bytes: &'a [u8], on_wire: usize) {
    view.payload = bytes.get(..on_wire).unwrap_or(bytes);
    view.payload_len = u32::try_from(on_wire).unwrap_or(u32::MAX);
}

/// Reads an IPv4 packet (RFC 791 clause 3.1).
#[inline]
pub(super) fn ipv4<'a>(view: &mut PacketView<'a>, bytes: &'a [u8]) {
    let Some((head, _)) = bytes.split_first_chunk::<IPV4_HEADER>() else {
        return unread(view, ether_type::IPV4, bytes, Flaw::NetTruncated);
    };
    if head[0] >> 4 != 4 {
        return unread(view, ether_type::IPV4, bytes, Flaw::NetVersion);
    }
    let header_len = usize::from(head[0] & 0x0f) * 4;
    let mut total = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let fragment = u16::from_be_bytes([head[6], head[7]]);
    let fragment_offset = (fragment & 0x1fff) << 3;
    let protocol = head[9];
    let stated_on_wire = bytes_on_wire(view, bytes);
    view.net = Net::V4 {
        src: Ipv4Addr::new(head[12], head[13], head[14], head[15]),
        dst: Ipv4Addr::new(head[16], head[17], head[18], head[19]),
        protocol,
        ttl: head[8],
        fragment_offset,
        more_fragments: fragment & 0x2000 != 0,
    };
    if total == 0 {
        // Segmentation offload leaves the length to the network card.
        total = stated_on_wire;
    }
    if header_len < IPV4_HEADER || total < header_len {
        view.flaw = Some(Flaw::NetLength);
        set_payload(view, &bytes[IPV4_HEADER..], total.saturating_sub(IPV4_HEADER));
        return;
    }
    let Some(rest) = bytes.get(header_len..) else {
        view.flaw = Some(Flaw::NetTruncated);
        set_payload(view, &[], total - header_len);
        return;
    };
    set_payload(view, rest, total - header_len);
    if fragment & 0x3fff != 0 {
        let id = u32::from(u16::from_be_bytes([head[4], head[5]]));
        view.fragment = Some(part(view, id, protocol));
    }
    if fragment_offset == 0 {
        transport::read(view, protocol);
    }
    overstated(view, total > stated_on_wire);
}

/// Notes that a packet states more bytes than its frame had on the wire: every receiver discards it,
/// and whoever counted on the missing bytes would be led past those that come.
#[inline]
fn overstated(view: &mut PacketView<'_>, beyond: bool) {
    if beyond {
        view.flaw = view.flaw.or(Some(Flaw::NetLength));
    }
}

/// The payload of the view as a part of a fragmented packet.
fn part<'a>(view: &PacketView<'a>, id: u32, protocol: u8) -> Fragment<'a> {
    Fragment { id, protocol, bytes: view.payload, wire_len: view.payload_len }
}

/// Bytes of the frame on the wire from `rest` on.
#[inline]
fn bytes_on_wire(view: &PacketView<'_>, rest: &[u8]) -> usize {
    let read = view.payload.len().saturating_sub(rest.len());
    usize::try_from(view.wire_len).unwrap_or(usize::MAX).saturating_sub(read)
}

/// Reads an IPv6 packet (RFC 8200 clause 3).
#[inline]
pub(super) fn ipv6<'a>(view: &mut PacketView<'a>, bytes: &'a [u8]) {
    let Some((head, rest)) = bytes.split_first_chunk::<IPV6_HEADER>() else {
        return unread(view, ether_type::IPV6, bytes, Flaw::NetTruncated);
    };
    if head[0] >> 4 != 6 {
        return unread(view, ether_type::IPV6, bytes, Flaw::NetVersion);
    }
    let mut on_wire = usize::from(u16::from_be_bytes([head[4], head[5]]));
    let stated_on_wire = bytes_on_wire(view, rest);
    if on_wire == 0 {
        // A jumbogram (RFC 2675) or segmentation offload.
        on_wire = stated_on_wire;
    }
    let (mut src, mut dst) = ([0_u8; 16], [0_u8; 16]);
    src.copy_from_slice(&head[8..24]);
    dst.copy_from_slice(&head[24..40]);
    set_payload(view, rest, on_wire);
    let chain = extension_headers(view, head[6]);
    view.net = Net::V6 {
        src: Ipv6Addr::from(src),
        dst: Ipv6Addr::from(dst),
        protocol: chain.protocol,
        hop_limit: head[7],
        fragment_offset: chain.fragment_offset,
        more_fragments: chain.more_fragments,
    };
    if chain.fragment_offset == 0 && view.flaw.is_none() && chain.protocol != NO_NEXT_HEADER {
        transport::read(view, chain.protocol);
    }
    overstated(view, on_wire > stated_on_wire);
}

/// Where a chain of extension headers leads.
struct Chain {
    protocol: u8,
    fragment_offset: u16,
    more_fragments: bool,
}

/// Walks the extension headers at the front of the payload and moves the payload behind them.
#[inline]
fn extension_headers(view: &mut PacketView<'_>, first: u8) -> Chain {
    let mut chain = Chain { protocol: first, fragment_offset: 0, more_fragments: false };
    for _ in 0..MAX_EXTENSION_HEADERS {
        // A later fragment holds no further headers of the original packet.
        if !is_extension(chain.protocol) || chain.fragment_offset != 0 {
            return chain;
        }
        let bytes = view.payload;
        let Some((&[next, length, b2, b3], _)) = bytes.split_first_chunk::<4>() else {
            view.flaw = Some(Flaw::NetTruncated);
            return chain;
        };
        let size = match chain.protocol {
            FRAGMENT => 8,
            51 => (usize::from(length) + 2) * 4,
            _ => (usize::from(length) + 1) * 8,
        };
        let Some(rest) = bytes.get(size..) else {
            view.flaw = Some(Flaw::NetTruncated);
            return chain;
        };
        if chain.protocol == FRAGMENT {
            let field = u16::from_be_bytes([b2, b3]);
            chain.fragment_offset = field & 0xfff8;
            chain.more_fragments = field & 1 != 0;
        }
        let is_fragment = chain.protocol == FRAGMENT && u16::from_be_bytes([b2, b3]) & 0xfff9 != 0;
        view.payload = rest;
        view.payload_len = view.payload_len.saturating_sub(u32::try_from(size).unwrap_or(u32::MAX));
        if is_fragment && let Some((&[_, _, _, _, i0, i1, i2, i3], _)) = bytes.split_first_chunk() {
            view.fragment = Some(part(view, u32::from_be_bytes([i0, i1, i2, i3]), next));
        }
        chain.protocol = next;
    }
    if is_extension(chain.protocol) {
        view.flaw = Some(Flaw::NestingLimit);
    }
    chain
}

/// Hop-by-hop, routing, fragment, authentication, destination options, mobility, HIP, Shim6.
#[inline]
const fn is_extension(protocol: u8) -> bool {
    matches!(protocol, 0 | 43 | FRAGMENT | 51 | 60 | 135 | 139 | 140)
}

/// Reads an ARP packet for IPv4 over Ethernet (RFC 826).
#[inline]
pub(super) fn arp<'a>(view: &mut PacketView<'a>, bytes: &'a [u8]) {
    let Some((head, rest)) = bytes.split_first_chunk::<28>() else {
        return unread(view, ether_type::ARP, bytes, Flaw::NetTruncated);
    };
    let &[
        h0,
        h1,
        p0,
        p1,
        hardware_len,
        protocol_len,
        o0,
        o1,
        a0,
        a1,
        a2,
        a3,
        a4,
        a5,
        i0,
        i1,
        i2,
        i3,
        b0,
        b1,
        b2,
        b3,
        b4,
        b5,
        j0,
        j1,
        j2,
        j3,
    ] = head;
    // Hardware types 1 (Ethernet) and 6 (IEEE 802) share the layout.
    let ethernet = matches!(u16::from_be_bytes([h0, h1]), 1 | 6) && hardware_len == 6;
    let ipv4 = u16::from_be_bytes([p0, p1]) == ether_type::IPV4 && protocol_len == 4;
    if !(ethernet && ipv4) {
        return unread(view, ether_type::ARP, bytes, Flaw::ArpFormat);
    }
    view.net = Net::Arp {
        operation: u16::from_be_bytes([o0, o1]),
        sender_mac: [a0, a1, a2, a3, a4, a5],
        sender_ip: Ipv4Addr::new(i0, i1, i2, i3),
        target_mac: [b0, b1, b2, b3, b4, b5],
        target_ip: Ipv4Addr::new(j0, j1, j2, j3),
    };
    // What follows is padding.
    view.payload = &rest[..0];
    view.payload_len = 0;
}
