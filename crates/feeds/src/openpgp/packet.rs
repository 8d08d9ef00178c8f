//! Packets (RFC 9580 §4) and the numbers in them.

use super::MAX_PACKETS;

pub(super) const SIGNATURE: u8 = 2;
pub(super) const PUBLIC_KEY: u8 = 6;
pub(super) const USER_ID: u8 = 13;
pub(super) const PUBLIC_SUBKEY: u8 = 14;
pub(super) const USER_ATTRIBUTE: u8 = 17;

/// A packet.
#[derive(Debug, Clone)]
pub(super) struct Packet {
    pub(super) tag: u8,
    pub(super) body: Vec<u8>,
}

/// Bytes read one after the other.
pub(super) struct Bytes<'b>(pub(super) &'b [u8]);

const SHORT: &str = "a packet ends too early";

impl<'b> Bytes<'b> {
    pub(super) fn take(&mut self, count: usize) -> Result<&'b [u8], &'static str> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(SHORT)?;
        self.0 = rest;
        Ok(head)
    }

    pub(super) fn byte(&mut self) -> Result<u8, &'static str> {
        self.take(1)?.first().copied().ok_or(SHORT)
    }

    /// A number of `count` bytes, at most four.
    pub(super) fn number(&mut self, count: usize) -> Result<u32, &'static str> {
        Ok(self.take(count)?.iter().fold(0, |sum, byte| (sum << 8) | u32::from(*byte)))
    }

    pub(super) fn sized(&mut self, count: usize) -> Result<&'b [u8], &'static str> {
        let length = self.number(count)?;
        self.take(usize::try_from(length).map_err(|_| SHORT)?)
    }

    /// A multiprecision integer without leading zeros (§3.2).
    pub(super) fn integer(&mut self) -> Result<Vec<u8>, &'static str> {
        let bits = usize::try_from(self.number(2)?).map_err(|_| SHORT)?;
        let bytes = self.take(bits.div_ceil(8))?;
        let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
        Ok(bytes.get(zeros..).unwrap_or_default().to_vec())
    }

    /// A length as packets of the new format and subpackets have it (§4.2.1, §5.2.3.7).
    pub(super) fn length(&mut self, may_be_partial: bool) -> Result<usize, &'static str> {
        let first = self.byte()?;
        let length = match first {
            0..192 => u32::from(first),
            192..=223 => (u32::from(first) - 192) * 256 + u32::from(self.byte()?) + 192,
            255 => self.number(4)?,
            _ if may_be_partial => return Err("a packet in parts, which is not read here"),
            _ => (u32::from(first) - 192) * 256 + u32::from(self.byte()?) + 192,
        };
        usize::try_from(length).map_err(|_| SHORT)
    }
}

/// All packets of a file.
pub(super) fn all(bytes: &[u8]) -> Result<Vec<Packet>, &'static str> {
    let (mut rest, mut packets) = (Bytes(bytes), Vec::new());
    while !rest.0.is_empty() {
        if packets.len() >= MAX_PACKETS {
            return Err("it has more packets than are read");
        }
        let head = rest.byte()?;
        if head & 0x80 == 0 {
            return Err("it is no OpenPGP file");
        }
        let (tag, length) = if head & 0x40 == 0 {
            let count = match head & 3 {
                0 => 1,
                1 => 2,
                2 => 4,
                _ => return Err("a packet without length"),
            };
            let length = usize::try_from(rest.number(count)?).map_err(|_| SHORT)?;
            ((head >> 2) & 0x0f, length)
        } else {
            (head & 0x3f, rest.length(true)?)
        };
        packets.push(Packet { tag, body: rest.take(length)?.to_vec() });
    }
    Ok(packets)
}
