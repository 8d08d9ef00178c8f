//! Tag, length, value (ITU-T X.690, basic encoding rules), as MMS and GOOSE write it.

/// Deepest nesting that is followed; IEC 61850 structures stay far below.
pub(super) const MAX_DEPTH: usize = 10;
/// Bytes of a length that are read: a value of 4 GiB is longer than any message.
const MAX_LENGTH_BYTES: usize = 4;
/// Bytes of a high tag number that are read.
const MAX_TAG_BYTES: usize = 4;

/// Leading byte of a value that holds others.
pub(super) const CONSTRUCTED: u8 = 0x20;

/// One element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tlv<'a> {
    /// Leading byte: class, whether constructed, and tag numbers below 31.
    pub(super) tag: u8,
    /// Tag number, of any size.
    pub(super) number: u32,
    /// What it holds; shorter than stated where [`Self::cut`].
    pub(super) value: &'a [u8],
    /// Whether the bytes end before the value does.
    pub(super) cut: bool,
}

impl<'a> Tlv<'a> {
    /// The elements inside.
    pub(super) const fn inside(&self) -> Elements<'a> {
        Elements { rest: self.value }
    }

    /// The first element inside with this leading byte.
    pub(super) fn child(&self, tag: u8) -> Option<Self> {
        self.inside().find(|inner| inner.tag == tag)
    }
}

/// Leading byte, tag number, length of the header, stated length of the value. Indefinite lengths
/// give `None`: neither standard writes them.
fn header(bytes: &[u8]) -> Option<(u8, u32, usize, usize)> {
    let tag = *bytes.first()?;
    let (mut number, mut at) = (u32::from(tag & 0x1f), 1);
    if number == 0x1f {
        number = 0;
        loop {
            let byte = *bytes.get(at)?;
            at += 1;
            number = number << 7 | u32::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                break;
            }
            if at > MAX_TAG_BYTES {
                return None;
            }
        }
    }
    let first = *bytes.get(at)?;
    at += 1;
    if first < 0x80 {
        return Some((tag, number, at, usize::from(first)));
    }
    let count = usize::from(first & 0x7f);
    if count == 0 || count > MAX_LENGTH_BYTES {
        return None;
    }
    let length = bytes.get(at..at + count)?;
    let length = length.iter().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte));
    Some((tag, number, at + count, length))
}

/// The first element and the bytes behind it.
pub(super) fn read(bytes: &[u8]) -> Option<(Tlv<'_>, &[u8])> {
    let (tag, number, start, length) = header(bytes)?;
    let rest = bytes.get(start..)?;
    let cut = rest.len() < length;
    let (value, rest) = rest.split_at(length.min(rest.len()));
    Some((Tlv { tag, number, value, cut }, rest))
}

/// Leading byte and length of the first element with its header, whether or not it is there whole.
pub(super) fn whole(bytes: &[u8]) -> Option<(u8, usize)> {
    let (tag, _, start, length) = header(bytes)?;
    Some((tag, start.checked_add(length)?))
}

/// Elements one behind the other; ends at the first that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Elements<'a> {
    pub(super) const fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    /// Bytes not read.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Tlv<'a>;

    fn next(&mut self) -> Option<Tlv<'a>> {
        let (element, rest) = read(self.rest)?;
        self.rest = rest;
        Some(element)
    }
}

/// An unsigned integer of at most 8 bytes, leading zero allowed.
pub(super) fn unsigned(value: &[u8]) -> Option<u64> {
    let value = value.strip_prefix(&[0]).unwrap_or(value);
    (value.len() <= 8).then(|| value.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

/// An unsigned integer of at most 4 bytes.
pub(super) fn unsigned32(value: &[u8]) -> Option<u32> {
    unsigned(value).and_then(|number| u32::try_from(number).ok())
}

/// A two's complement integer of at most 8 bytes.
pub(super) fn signed(value: &[u8]) -> Option<i64> {
    let first = *value.first()?;
    let start = if first & 0x80 == 0 { 0 } else { -1 };
    (value.len() <= 8).then(|| value.iter().fold(start, |sum, byte| sum << 8 | i64::from(*byte)))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn elements_are_read_in_short_and_long_form() {
        let bytes = [0x80, 1, 7, 0xbf, 0x48, 0x81, 2, 1, 2, 0x30, 5, 9];
        let all: Vec<_> = Elements::new(&bytes).collect();
        assert_eq!(all.len(), 3);
        assert_eq!((all[0].tag, all[0].number, all[0].value), (0x80, 0, &[7][..]));
        assert_eq!((all[1].tag, all[1].number, all[1].value), (0xbf, 72, &[1, 2][..]));
        assert!(all[2].cut && all[2].value == [9]);
        assert_eq!(whole(&bytes[9..]), Some((0x30, 7)));
    }

    #[test]
    fn broken_headers_give_nothing() {
        for bytes in
            [&[][..], &[0x30], &[0x30, 0x80], &[0x30, 0x85, 0, 0, 0, 0, 1], &[0x30, 0x82, 1]]
        {
            assert_eq!(read(bytes), None);
        }
        assert_eq!(read(&[0x1f, 0xff, 0xff, 0xff, 0xff, 0xff, 1]), None);
    }

    #[test]
    fn integers_keep_their_sign() {
        assert_eq!(signed(&[0xff]), Some(-1));
        assert_eq!(signed(&[0, 0xff]), Some(255));
        assert_eq!(signed(&[0x80, 0]), Some(-32768));
        assert_eq!(unsigned(&[0, 0xff, 0xff, 0xff, 0xff]), Some(u64::from(u32::MAX)));
        assert_eq!(unsigned(&[1; 9]), None);
        assert_eq!(signed(&[]), None);
    }
}
