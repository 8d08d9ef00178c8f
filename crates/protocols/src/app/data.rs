//! Values as MMS and GOOSE write them (ISO 9506-2 `Data`, IEC 61850-8-1).

use super::ber::{Elements, MAX_DEPTH, Tlv, signed, unsigned};

/// Leading bytes of a structure and an array.
const ARRAY: u8 = 0xa1;
const STRUCTURE: u8 = 0xa2;

/// A moment of IEC 61850 (`UtcTime`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct UtcTime {
    /// Seconds since 1970.
    pub seconds: u32,
    /// Parts of a second, in units of 2⁻²⁴.
    pub fraction: u32,
    /// Leap second known, clock failure, not synchronised, bits of accuracy.
    pub quality: u8,
}

impl UtcTime {
    /// Nanoseconds since 1970.
    #[must_use]
    pub const fn nanos(&self) -> i64 {
        self.seconds as i64 * 1_000_000_000 + ((self.fraction as i64 * 1_000_000_000) >> 24)
    }

    /// Reads the eight bytes.
    pub(super) fn read(value: &[u8]) -> Option<Self> {
        let &[a, b, c, d, e, f, g, quality] = value else { return None };
        Some(Self {
            seconds: u32::from_be_bytes([a, b, c, d]),
            fraction: u32::from_be_bytes([0, e, f, g]),
            quality,
        })
    }
}

/// One value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Datum<'a> {
    /// True or false.
    Bool(bool),
    /// Bits, the first being the highest of the first byte; so many at the end are unused.
    Bits {
        /// The bytes.
        bytes: &'a [u8],
        /// Unused bits of the last byte.
        unused: u8,
    },
    /// Signed integer.
    Integer(i64),
    /// Unsigned integer.
    Unsigned(u64),
    /// Floating point of single or double precision.
    Float(f64),
    /// Bytes.
    Octets(&'a [u8]),
    /// Text (ASCII or UTF-8).
    Text(&'a [u8]),
    /// A moment.
    Time(UtcTime),
    /// Milliseconds of a day, with or without the day since 1984.
    DayTime(u32),
    /// A failure to read it (`DataAccessError`), in lists of results.
    Failure(u16),
    /// Another tag.
    Other(u8),
}

impl Datum<'_> {
    /// The value as one number: bits as a binary number, texts and bytes as their length, moments as
    /// seconds since 1970; what has no number is -1.
    #[must_use]
    pub fn number(&self) -> f64 {
        match *self {
            Self::Bool(value) => f64::from(u8::from(value)),
            Self::Bits { bytes, unused } => {
                let all = bytes.iter().take(8).fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
                (all >> unused.min(7)) as f64
            }
            Self::Integer(value) => value as f64,
            Self::Unsigned(value) => value as f64,
            Self::Float(value) => value,
            Self::Octets(bytes) | Self::Text(bytes) => bytes.len() as f64,
            Self::Time(time) => time.nanos() as f64 / 1e9,
            Self::DayTime(millis) => f64::from(millis) / 1e3,
            Self::Failure(_) | Self::Other(_) => -1.0,
        }
    }
}

fn float(value: &[u8]) -> Option<f64> {
    match *value {
        [8, a, b, c, d] => Some(f64::from(f32::from_be_bytes([a, b, c, d]))),
        [11, a, b, c, d, e, f, g, h] => Some(f64::from_be_bytes([a, b, c, d, e, f, g, h])),
        _ => None,
    }
}

/// Reads one leaf.
fn leaf<'a>(element: &Tlv<'a>) -> Datum<'a> {
    let value = element.value;
    let read = match element.tag {
        0x80 => unsigned(value).and_then(|code| u16::try_from(code).ok()).map(Datum::Failure),
        0x83 => value.first().map(|byte| Datum::Bool(*byte != 0)),
        0x84 => value.split_first().map(|(unused, bytes)| Datum::Bits { bytes, unused: *unused }),
        0x85 => signed(value).map(Datum::Integer),
        0x86 => unsigned(value).map(Datum::Unsigned),
        0x87 => float(value).map(Datum::Float),
        0x89 => Some(Datum::Octets(value)),
        0x8a | 0x90 => Some(Datum::Text(value)),
        0x8c => value.first_chunk().map(|first| Datum::DayTime(u32::from_be_bytes(*first))),
        0x91 => UtcTime::read(value).map(Datum::Time),
        _ => None,
    };
    read.unwrap_or(Datum::Other(element.tag))
}

/// A list of values, read when somebody asks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Data<'a> {
    bytes: &'a [u8],
}

impl<'a> Data<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// The values as they were written: equal bytes are equal values.
    #[must_use]
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Number of values, structures counted as one.
    #[must_use]
    pub fn entries(&self) -> usize {
        Elements::new(self.bytes).count()
    }

    /// Each entry by itself.
    pub fn each(&self) -> impl Iterator<Item = Self> + 'a {
        let mut rest = self.bytes;
        std::iter::from_fn(move || {
            let (_, behind) = super::ber::read(rest)?;
            let (entry, _) = rest.split_at(rest.len() - behind.len());
            rest = behind;
            Some(Self::new(entry))
        })
    }

    /// Every value, structures and arrays taken apart; nesting beyond ten levels is
    /// [`Datum::Other`].
    #[must_use]
    pub fn leaves(&self) -> Leaves<'a> {
        let mut stack = [Elements::new(&[]); MAX_DEPTH];
        stack[0] = Elements::new(self.bytes);
        Leaves { stack, depth: 0 }
    }
}

/// Iterates over the leaves of [`Data`].
#[derive(Debug, Clone)]
pub struct Leaves<'a> {
    stack: [Elements<'a>; MAX_DEPTH],
    depth: usize,
}

impl<'a> Iterator for Leaves<'a> {
    type Item = Datum<'a>;

    fn next(&mut self) -> Option<Datum<'a>> {
        loop {
            match self.stack[self.depth].next() {
                Some(element) if matches!(element.tag, ARRAY | STRUCTURE) => {
                    if self.depth + 1 == MAX_DEPTH {
                        return Some(Datum::Other(element.tag));
                    }
                    self.depth += 1;
                    self.stack[self.depth] = element.inside();
                }
                Some(element) => return Some(leaf(&element)),
                None if self.depth == 0 => return None,
                None => self.depth -= 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaves_of_structures_come_in_order() {
        let bytes = [
            0x83, 1, 1, 0xa2, 8, 0x84, 2, 3, 0xa8, 0xa1, 2, 0x85, 0, 0x85, 1, 0xfe, 0x86, 1, 200,
            0x87, 5, 8, 0x3f, 0xc0, 0, 0, 0x8a, 2, b'o', b'k',
        ];
        let data = Data::new(&bytes);
        assert_eq!(data.entries(), 6);
        assert_eq!(data.each().count(), 6);
        let leaves: Vec<_> = data.leaves().collect();
        assert_eq!(
            leaves,
            [
                Datum::Bool(true),
                Datum::Bits { bytes: &[0xa8], unused: 3 },
                Datum::Other(0x85),
                Datum::Integer(-2),
                Datum::Unsigned(200),
                Datum::Float(1.5),
                Datum::Text(b"ok"),
            ]
        );
        let numbers: Vec<_> = leaves.iter().map(Datum::number).collect();
        assert_eq!(numbers, [1.0, 21.0, -1.0, -2.0, 200.0, 1.5, 2.0]);
    }

    #[test]
    fn towers_of_structures_end() {
        let mut bytes = vec![0x83, 1, 0];
        for _ in 0..40 {
            let mut outer = vec![STRUCTURE, bytes.len() as u8];
            outer.extend(&bytes);
            bytes = outer;
        }
        assert_eq!(Data::new(&bytes).leaves().collect::<Vec<_>>(), [Datum::Other(STRUCTURE)]);
    }

    #[test]
    fn moments_are_read() {
        let time = UtcTime::read(&[0x5a, 0, 0, 0, 0x80, 0, 0, 0x0a]).unwrap_or_default();
        assert_eq!(time.nanos(), 0x5a00_0000 * 1_000_000_000 + 500_000_000);
        assert_eq!(time.quality, 10);
    }
}
