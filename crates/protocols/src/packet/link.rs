//! Link layer: Ethernet with VLAN tags and LLC, Linux cooked, loopback, raw IP, IEEE 802.15.4.

use super::{
    DecodeError, Flaw, LinkType, MAX_VLAN_TAGS, Net, PacketView, Transport, WpanAddress,
    ether_type, ip,
};

/// Lowest value of an EtherType; below it the field is an IEEE 802.3 length.
const FIRST_ETHER_TYPE: u16 = 0x0600;
/// LLC service access point of SNAP, which carries an EtherType again (RFC 1042).
const SNAP_SAP: u8 = 0xaa;
/// Protocol value of a Linux cooked frame that holds an LLC frame.
const SLL_LLC: u16 = 0x0004;

/// Takes one captured frame apart.
///
/// `wire_len` is the frame's length on the wire; `captured` may be shorter (snap length).
///
/// # Errors
/// [`DecodeError`] when the link header itself cannot be read. Everything above it is told through
/// [`PacketView::flaw`].
#[inline]
pub fn decode(
    link: LinkType,
    captured: &[u8],
    wire_len: u32,
) -> Result<PacketView<'_>, DecodeError> {
    // A capture that states a wire length below what it holds is wrong about the former.
    let held = u32::try_from(captured.len()).unwrap_or(u32::MAX);
    let mut view = PacketView {
        src_mac: None,
        dst_mac: None,
        vlan: None,
        inner_vlan: None,
        ether_type: 0,
        net: Net::Other(0),
        transport: Transport::None,
        payload: captured,
        payload_len: wire_len.max(held),
        wire_len: wire_len.max(held),
        fragment: None,
        flaw: None,
    };
    if link == LinkType::ETHERNET {
        ethernet(&mut view, captured)?;
    } else {
        other_link(&mut view, link, captured)?;
    }
    Ok(view)
}

/// Everything but Ethernet, kept out of line so that the common case stays small.
#[inline(never)]
fn other_link<'a>(
    view: &mut PacketView<'a>,
    link: LinkType,
    bytes: &'a [u8],
) -> Result<(), DecodeError> {
    match link {
        LinkType::NULL | LinkType::LOOP => loopback(view, bytes),
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD => raw_ip(view, bytes),
        LinkType::IPV4 => {
            network(view, ether_type::IPV4, bytes);
            Ok(())
        }
        LinkType::IPV6 => {
            network(view, ether_type::IPV6, bytes);
            Ok(())
        }
        LinkType::LINUX_SLL => linux_sll(view, bytes),
        LinkType::LINUX_SLL2 => linux_sll2(view, bytes),
        LinkType::IEEE802154 => wpan(view, bytes, 2),
        LinkType::IEEE802154_NO_FCS => wpan(view, bytes, 0),
        other => Err(DecodeError::LinkUnsupported(other)),
    }
}

#[inline]
fn ethernet<'a>(view: &mut PacketView<'a>, bytes: &'a [u8]) -> Result<(), DecodeError> {
    let Some((head, rest)) = bytes.split_first_chunk::<14>() else {
        return Err(DecodeError::LinkTruncated);
    };
    let &[d0, d1, d2, d3, d4, d5, s0, s1, s2, s3, s4, s5, t0, t1] = head;
    view.dst_mac = Some([d0, d1, d2, d3, d4, d5]);
    view.src_mac = Some([s0, s1, s2, s3, s4, s5]);
    tagged(view, u16::from_be_bytes([t0, t1]), rest);
    Ok(())
}

/// What follows an EtherType field: VLAN tags, LLC or a network protocol.
#[inline]
fn tagged<'a>(view: &mut PacketView<'a>, kind: u16, bytes: &'a [u8]) {
    if matches!(kind, ether_type::VLAN | ether_type::SERVICE_VLAN | ether_type::OLD_SERVICE_VLAN) {
        vlan_tags(view, kind, bytes);
    } else if kind < FIRST_ETHER_TYPE {
        length_field(view, kind, bytes);
    } else {
        network(view, kind, bytes);
    }
}

#[inline(never)]
fn vlan_tags<'a>(view: &mut PacketView<'a>, mut kind: u16, mut bytes: &'a [u8]) {
    for depth in 0..=MAX_VLAN_TAGS {
        if !matches!(
            kind,
            ether_type::VLAN | ether_type::SERVICE_VLAN | ether_type::OLD_SERVICE_VLAN
        ) {
            if kind < FIRST_ETHER_TYPE {
                length_field(view, kind, bytes);
            } else {
                network(view, kind, bytes);
            }
            return;
        }
        let Some((&[c0, c1, t0, t1], rest)) = bytes.split_first_chunk::<4>() else {
            unread(view, kind, bytes, Flaw::NetTruncated);
            return;
        };
        let id = u16::from_be_bytes([c0, c1]) & 0x0fff;
        match depth {
            0 => view.vlan = Some(id),
            1 => view.inner_vlan = Some(id),
            _ => {}
        }
        kind = u16::from_be_bytes([t0, t1]);
        bytes = rest;
    }
    unread(view, kind, bytes, Flaw::NestingLimit);
}

/// An IEEE 802.3 frame: its length, then LLC. Cut to the stated length: the rest is padding.
#[inline(never)]
fn length_field<'a>(view: &mut PacketView<'a>, length: u16, bytes: &'a [u8]) {
    let stated = usize::from(length);
    llc(view, length, bytes.get(..stated).unwrap_or(bytes));
    if !matches!(view.net, Net::Llc { .. }) {
        return;
    }
    view.payload_len = u32::from(length).saturating_sub(3);
}

fn llc<'a>(view: &mut PacketView<'a>, kind: u16, bytes: &'a [u8]) {
    let Some((&[dsap, ssap, control], rest)) = bytes.split_first_chunk::<3>() else {
        unread(view, kind, bytes, Flaw::NetTruncated);
        return;
    };
    if dsap == SNAP_SAP
        && ssap == SNAP_SAP
        && control == 0x03
        && let Some((&[0, 0, 0, t0, t1], inner)) = rest.split_first_chunk::<5>()
    {
        let snap = u16::from_be_bytes([t0, t1]);
        if snap >= FIRST_ETHER_TYPE {
            network(view, snap, inner);
            return;
        }
    }
    view.ether_type = kind;
    view.net = Net::Llc { dsap, ssap };
    rest_is_payload(view, rest);
}

fn loopback<'a>(view: &mut PacketView<'a>, bytes: &'a [u8]) -> Result<(), DecodeError> {
    let Some((family, rest)) = bytes.split_first_chunk::<4>() else {
        return Err(DecodeError::LinkTruncated);
    };
    // The family is in the order of the capturing host; families are small numbers, so the
    // smaller reading is the right one.
    let family = u32::from_le_bytes(*family).min(u32::from_be_bytes(*family));
    match family {
        2 => network(view, ether_type::IPV4, rest),
        // IPv6 has a different number on NetBSD, FreeBSD, Darwin and Linux.
        10 | 24 | 28 | 30 => network(view, ether_type::IPV6, rest),
        _ => {
            rest_is_payload(view, rest);
        }
    }
    Ok(())
}

fn raw_ip<'a>(view: &mut PacketView<'a>, bytes: &'a [u8]) -> Result<(), DecodeError> {
    let Some(first) = bytes.first() else {
        return Err(DecodeError::LinkTruncated);
    };
    match first >> 4 {
        4 => network(view, ether_type::IPV4, bytes),
        6 => network(view, ether_type::IPV6, bytes),
        _ => unread(view, 0, bytes, Flaw::NetVersion),
    }
    Ok(())
}

fn linux_sll<'a>(view: &mut PacketView<'a>, bytes: &'a [u8]) -> Result<(), DecodeError> {
    let Some((head, rest)) = bytes.split_first_chunk::<16>() else {
        return Err(DecodeError::LinkTruncated);
    };
    if u16::from_be_bytes([head[4], head[5]]) == 6 {
        view.src_mac = Some([head[6], head[7], head[8], head[9], head[10], head[11]]);
    }
    cooked(view, u16::from_be_bytes([head[14], head[15]]), rest);
    Ok(())
}

fn linux_sll2<'a>(view: &mut PacketView<'a>, bytes: &'a [u8]) -> Result<(), DecodeError> {
    let Some((head, rest)) = bytes.split_first_chunk::<20>() else {
        return Err(DecodeError::LinkTruncated);
    };
    if head[11] == 6 {
        view.src_mac = Some([head[12], head[13], head[14], head[15], head[16], head[17]]);
    }
    cooked(view, u16::from_be_bytes([head[0], head[1]]), rest);
    Ok(())
}

/// The protocol field of a cooked frame is an EtherType, or a small Linux number.
fn cooked<'a>(view: &mut PacketView<'a>, protocol: u16, bytes: &'a [u8]) {
    match protocol {
        SLL_LLC => llc(view, protocol, bytes),
        small if small < FIRST_ETHER_TYPE => {
            view.ether_type = small;
            view.net = Net::Other(small);
            rest_is_payload(view, bytes);
        }
        kind => tagged(view, kind, bytes),
    }
}

/// IEEE 802.15.4 MAC header, frame versions 0 and 1 (IEEE 802.15.4-2006 clause 7.2).
fn wpan<'a>(view: &mut PacketView<'a>, bytes: &'a [u8], fcs: u32) -> Result<(), DecodeError> {
    let Some((&[f0, f1, _sequence], rest)) = bytes.split_first_chunk::<3>() else {
        return Err(DecodeError::LinkTruncated);
    };
    let control = u16::from_le_bytes([f0, f1]);
    if (control >> 12) & 3 > 1 {
        unread(view, 0, rest, Flaw::NetVersion);
        return Ok(());
    }
    let mut cursor = rest;
    let Some((pan, dst, src)) = wpan_addresses(control, &mut cursor) else {
        unread(view, 0, rest, Flaw::NetTruncated);
        return Ok(());
    };
    view.net = Net::Wpan { pan, src, dst };
    let on_wire = payload_on_wire(view, cursor).saturating_sub(fcs);
    let kept = usize::try_from(on_wire).unwrap_or(usize::MAX);
    view.payload = cursor.get(..kept).unwrap_or(cursor);
    view.payload_len = on_wire;
    Ok(())
}

type WpanAddresses = (Option<u16>, WpanAddress, WpanAddress);

fn wpan_addresses(control: u16, cursor: &mut &[u8]) -> Option<WpanAddresses> {
    let (dst_mode, src_mode) = ((control >> 10) & 3, (control >> 14) & 3);
    let same_pan = control & 0x40 != 0;
    let mut pan = None;
    if dst_mode != 0 {
        pan = Some(le16(cursor)?);
    }
    let dst = wpan_address(dst_mode, cursor)?;
    if src_mode != 0 && !same_pan {
        let source_pan = le16(cursor)?;
        pan = pan.or(Some(source_pan));
    }
    let src = wpan_address(src_mode, cursor)?;
    Some((pan, dst, src))
}

fn wpan_address(mode: u16, cursor: &mut &[u8]) -> Option<WpanAddress> {
    match mode {
        0 => Some(WpanAddress::Absent),
        2 => le16(cursor).map(WpanAddress::Short),
        3 => {
            let (head, rest) = cursor.split_first_chunk::<8>()?;
            *cursor = rest;
            Some(WpanAddress::Extended(u64::from_le_bytes(*head)))
        }
        _ => None,
    }
}

fn le16(cursor: &mut &[u8]) -> Option<u16> {
    let (head, rest) = cursor.split_first_chunk::<2>()?;
    *cursor = rest;
    Some(u16::from_le_bytes(*head))
}

/// Hands the bytes behind an EtherType to its protocol.
#[inline]
pub(super) fn network<'a>(view: &mut PacketView<'a>, kind: u16, bytes: &'a [u8]) {
    view.ether_type = kind;
    match kind {
        ether_type::IPV4 => ip::ipv4(view, bytes),
        ether_type::IPV6 => ip::ipv6(view, bytes),
        ether_type::ARP => ip::arp(view, bytes),
        _ => {
            view.net = Net::Other(kind);
            rest_is_payload(view, bytes);
        }
    }
}

/// Bytes from here to the end of the frame on the wire: captured ones and those the capture cut.
#[inline]
fn payload_on_wire(view: &PacketView<'_>, rest: &[u8]) -> u32 {
    // `payload` is still the whole captured frame at this point, so what was read so far (and the
    // padding cut from an LLC frame) is the difference.
    let read = view.payload.len().saturating_sub(rest.len());
    view.wire_len.saturating_sub(u32::try_from(read).unwrap_or(u32::MAX))
}

/// Makes `rest`, a part of the captured frame, the payload.
#[inline]
fn rest_is_payload<'a>(view: &mut PacketView<'a>, rest: &'a [u8]) {
    view.payload_len = payload_on_wire(view, rest);
    view.payload = rest;
}

#[inline(never)]
pub(super) fn unread<'a>(view: &mut PacketView<'a>, kind: u16, bytes: &'a [u8], flaw: Flaw) {
    view.ether_type = kind;
    view.net = Net::Other(kind);
    rest_is_payload(view, bytes);
    view.flaw = Some(flaw);
}
