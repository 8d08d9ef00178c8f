//! Transport layer: TCP, UDP, SCTP, ICMP, ICMPv6.

use super::{Flaw, PacketView, TcpFlags, Transport, ip_protocol};

/// Bytes of a TCP header up to and with the window; a capture cut behind them is still readable.
const TCP_READ: usize = 16;
/// Bytes of a TCP header without options.
const TCP_HEADER: usize = 20;
/// Bytes of a UDP header, of an ICMP header.
const SHORT_HEADER: usize = 8;
/// Bytes of the SCTP common header.
const SCTP_HEADER: usize = 12;

/// Reads the transport header at the front of the view's payload and moves the payload behind it.
#[inline]
pub(super) fn read(view: &mut PacketView<'_>, protocol: u8) {
    match protocol {
        ip_protocol::TCP => tcp(view),
        ip_protocol::UDP => udp(view),
        ip_protocol::ICMP => icmp(view, |kind, code| Transport::Icmp { kind, code }),
        ip_protocol::ICMPV6 => icmp(view, |kind, code| Transport::Icmpv6 { kind, code }),
        ip_protocol::SCTP => sctp(view),
        _ => {}
    }
}

/// Moves the payload behind a header of `size` bytes; empty where the capture cut it.
#[inline]
fn behind(view: &mut PacketView<'_>, size: usize) {
    view.payload = view.payload.get(size..).unwrap_or(&[]);
    view.payload_len = view.payload_len.saturating_sub(u32::try_from(size).unwrap_or(u32::MAX));
}

#[inline]
fn tcp(view: &mut PacketView<'_>) {
    let Some((head, _)) = view.payload.split_first_chunk::<TCP_READ>() else {
        view.flaw = Some(Flaw::TransportTruncated);
        return;
    };
    view.transport = Transport::Tcp {
        src_port: u16::from_be_bytes([head[0], head[1]]),
        dst_port: u16::from_be_bytes([head[2], head[3]]),
        seq: u32::from_be_bytes([head[4], head[5], head[6], head[7]]),
        ack: u32::from_be_bytes([head[8], head[9], head[10], head[11]]),
        flags: TcpFlags(head[13]),
        window: u16::from_be_bytes([head[14], head[15]]),
    };
    let size = usize::from(head[12] >> 4) * 4;
    let on_wire = usize::try_from(view.payload_len).unwrap_or(usize::MAX);
    if size < TCP_HEADER || size > on_wire {
        view.flaw = Some(Flaw::TransportLength);
        behind(view, TCP_HEADER);
        return;
    }
    behind(view, size);
}

#[inline]
fn udp(view: &mut PacketView<'_>) {
    let Some((&[s0, s1, d0, d1, l0, l1, _, _], rest)) =
        view.payload.split_first_chunk::<SHORT_HEADER>()
    else {
        view.flaw = Some(Flaw::TransportTruncated);
        return;
    };
    view.transport = Transport::Udp {
        src_port: u16::from_be_bytes([s0, s1]),
        dst_port: u16::from_be_bytes([d0, d1]),
    };
    let stated = u32::from(u16::from_be_bytes([l0, l1]));
    behind(view, SHORT_HEADER);
    match stated.checked_sub(8) {
        Some(length) if length <= view.payload_len => {
            view.payload_len = length;
            let kept = usize::try_from(length).unwrap_or(usize::MAX);
            view.payload = rest.get(..kept).unwrap_or(rest);
        }
        // Zero is the length of a jumbogram (RFC 2675) and of segmentation offload; a first
        // fragment states the length of the whole datagram.
        _ if stated == 0 || view.is_fragment() => {}
        _ => view.flaw = Some(Flaw::TransportLength),
    }
}

#[inline]
fn icmp(view: &mut PacketView<'_>, transport: impl Fn(u8, u8) -> Transport) {
    let Some((&[kind, code, _, _], _)) = view.payload.split_first_chunk::<4>() else {
        view.flaw = Some(Flaw::TransportTruncated);
        return;
    };
    view.transport = transport(kind, code);
    behind(view, SHORT_HEADER);
}

#[inline]
fn sctp(view: &mut PacketView<'_>) {
    let Some((&[s0, s1, d0, d1], _)) = view.payload.split_first_chunk::<4>() else {
        view.flaw = Some(Flaw::TransportTruncated);
        return;
    };
    view.transport = Transport::Sctp {
        src_port: u16::from_be_bytes([s0, s1]),
        dst_port: u16::from_be_bytes([d0, d1]),
    };
    behind(view, SCTP_HEADER);
}
