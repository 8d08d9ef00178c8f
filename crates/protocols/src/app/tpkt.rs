//! TPKT (RFC 1006) and the connection-oriented transport protocol (ISO 8073, X.224) that S7
//! communication and MMS share on their way over TCP.

use super::bytes::{Cursor, be16};

/// Registered port of ISO transport over TCP.
pub(super) const PORT: u16 = 102;
/// Length of a TPKT header.
pub(super) const HEADER: usize = 4;
/// Shortest packet: header and a COTP data header.
const SHORTEST: usize = 7;
/// Packets of one fragmented message that are waited for.
pub(super) const MAX_FRAGMENTS: usize = 64;
/// Bytes of one fragmented message that are waited for.
pub(super) const MAX_FRAGMENTED: usize = 1 << 16;

/// What a transport packet says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cotp<'a> {
    /// A connection is asked for or confirmed.
    Connect {
        /// Whether it is the confirmation.
        confirm: bool,
        /// Selector of the caller.
        calling: &'a [u8],
        /// Selector of the called.
        called: &'a [u8],
    },
    /// Data, as far as captured.
    Data {
        /// Whether the message ends here.
        last: bool,
        /// The bytes.
        payload: &'a [u8],
    },
    /// Disconnect, error and the like, by type.
    Other(u8),
}

/// The first transport packet of some bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packet<'a> {
    /// It is whole.
    Whole {
        /// What it says.
        cotp: Cotp<'a>,
        /// Its length.
        length: usize,
    },
    /// It is not whole; so many bytes are needed.
    Short(usize),
    /// It is none.
    Broken,
}

/// Reads the first packet; one that is only begun is [`Packet::Short`].
pub(super) fn packet(bytes: &[u8]) -> Packet<'_> {
    match stated(bytes) {
        Some(length) => match bytes.get(..length) {
            Some(all) => {
                cotp(&all[HEADER..]).map_or(Packet::Broken, |cotp| Packet::Whole { cotp, length })
            }
            None => Packet::Short(length),
        },
        None if begins(bytes) => Packet::Short(SHORTEST),
        None => Packet::Broken,
    }
}

/// Whether too few bytes to tell could begin a packet.
fn begins(bytes: &[u8]) -> bool {
    bytes.len() < HEADER && [3, 0].iter().zip(bytes).all(|(want, have)| want == have)
}

fn stated(bytes: &[u8]) -> Option<usize> {
    let length = usize::from(be16(bytes, 2)?);
    (bytes[0] == 3 && bytes[1] == 0 && length >= SHORTEST).then_some(length)
}

/// Reads what is behind the TPKT header.
fn cotp(bytes: &[u8]) -> Option<Cotp<'_>> {
    let mut cursor = Cursor::new(bytes);
    let indicator = usize::from(cursor.u8()?);
    let mut header = Cursor::new(cursor.take(indicator)?);
    let kind = header.u8()?;
    match kind & 0xf0 {
        0xf0 if indicator == 2 => {
            let last = header.u8()? & 0x80 != 0;
            Some(Cotp::Data { last, payload: cursor.rest() })
        }
        0xe0 | 0xd0 => {
            header.take(5)?;
            let (calling, called) = selectors(header);
            Some(Cotp::Connect { confirm: kind & 0xf0 == 0xd0, calling, called })
        }
        0x80 | 0xc0 | 0x70 | 0x60 | 0x20 | 0x10 | 0x50 => Some(Cotp::Other(kind & 0xf0)),
        _ => None,
    }
}

/// Calling and called selector among the parameters (X.224 13.3.4).
fn selectors(mut parameters: Cursor<'_>) -> (&[u8], &[u8]) {
    let (mut calling, mut called) = (&[][..], &[][..]);
    while let (Some(code), Some(length)) = (parameters.u8(), parameters.u8()) {
        let value = parameters.up_to(usize::from(length));
        match code {
            0xc1 => calling = value,
            0xc2 => called = value,
            _ => {}
        }
    }
    (calling, called)
}

/// The start of a packet that was cut by the capture: as [`packet`], with what there is.
pub(super) fn begun(bytes: &[u8]) -> Option<Cotp<'_>> {
    let length = stated(bytes)?;
    cotp(&bytes[HEADER..length.min(bytes.len())])
}

/// The first data behind connection packets, or the last connection packet where there is none yet.
pub(super) fn first_data(mut bytes: &[u8]) -> Option<Cotp<'_>> {
    let mut last = None;
    for _ in 0..MAX_FRAGMENTS {
        match begun(bytes) {
            Some(Cotp::Data { payload: [], .. }) => {}
            Some(data @ Cotp::Data { .. }) => return Some(data),
            Some(other) => last = Some(other),
            None => return last,
        }
        bytes = stated(bytes).and_then(|length| bytes.get(length..)).unwrap_or_default();
    }
    last
}

/// Whether the last of some packets is only begun, so that more bytes may tell more.
pub(super) fn is_begun(mut bytes: &[u8]) -> bool {
    for _ in 0..MAX_FRAGMENTS {
        match packet(bytes) {
            Packet::Whole { length, .. } => bytes = &bytes[length..],
            Packet::Short(_) => return true,
            Packet::Broken => return false,
        }
    }
    false
}

/// A message in one or more data packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Gathered<'a> {
    /// All of it is there.
    Whole {
        /// What the first packet holds: the rest is not contiguous with it.
        head: &'a [u8],
        /// Whether there is a rest.
        more: bool,
        /// Bytes of all its packets.
        consumed: usize,
    },
    /// So many bytes are needed.
    Short(usize),
    /// A packet of another kind stands in between, or none at all.
    Broken,
}

/// Joins data packets up to the last one of the message. `head` is the payload of the first packet
/// and `first` its length.
pub(super) fn gather<'a>(bytes: &'a [u8], head: &'a [u8], first: usize) -> Gathered<'a> {
    let mut consumed = first;
    for _ in 0..MAX_FRAGMENTS {
        let rest = bytes.get(consumed..).unwrap_or_default();
        match packet(rest) {
            Packet::Whole { cotp: Cotp::Data { last, .. }, length } => {
                consumed += length;
                if last || consumed > MAX_FRAGMENTED {
                    return Gathered::Whole { head, more: true, consumed };
                }
            }
            Packet::Short(need) => return Gathered::Short(consumed + need),
            _ => return Gathered::Broken,
        }
    }
    Gathered::Whole { head, more: true, consumed }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A connection request with the selectors of a Siemens programming device.
    const REQUEST: [u8; 22] =
        [3, 0, 0, 22, 17, 0xe0, 0, 0, 0, 1, 0, 0xc1, 2, 1, 0, 0xc2, 2, 1, 2, 0xc0, 1, 9];

    #[test]
    fn connections_and_data_are_told_apart() {
        let connect = Cotp::Connect { confirm: false, calling: &[1, 0], called: &[1, 2] };
        assert_eq!(packet(&REQUEST), Packet::Whole { cotp: connect, length: 22 });
        assert_eq!(packet(&REQUEST[..9]), Packet::Short(22));
        assert_eq!(packet(&[3]), Packet::Short(SHORTEST));
        assert_eq!(packet(b"HTTP"), Packet::Broken);
        assert!(is_begun(&REQUEST[..4]) && !is_begun(b"HTTP"));
        let data = [3, 0, 0, 8, 2, 0xf0, 0x80, 0x32];
        let mut both = REQUEST.to_vec();
        both.extend(data);
        assert_eq!(first_data(&both), Some(Cotp::Data { last: true, payload: &[0x32] }));
        assert_eq!(first_data(&REQUEST), Some(connect));
    }

    #[test]
    fn fragments_are_joined() {
        let bytes =
            [3, 0, 0, 8, 2, 0xf0, 0, 1, 3, 0, 0, 8, 2, 0xf0, 0, 2, 3, 0, 0, 8, 2, 0xf0, 0x80, 3];
        assert_eq!(
            gather(&bytes, &bytes[7..8], 8),
            Gathered::Whole { head: &[1], more: true, consumed: 24 }
        );
        assert_eq!(gather(&bytes[..20], &bytes[7..8], 8), Gathered::Short(24));
        assert_eq!(gather(&bytes[..16], &bytes[7..8], 8), Gathered::Short(16 + SHORTEST));
    }
}
