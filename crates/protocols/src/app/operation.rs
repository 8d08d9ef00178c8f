//! What a message asks of a machine, or tells of it: the same shape for every industrial protocol.

use super::data::Data;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Asks or commands.
    Request,
    /// Answers.
    Response,
    /// Tells without being asked (spontaneous data, GOOSE, unsolicited responses).
    Report,
}

/// What it does to the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// Reads or reports values.
    Read,
    /// Writes stored values (registers, tags, set points).
    Write,
    /// Operates an output (switch, breaker, start, stop).
    Control,
    /// Changes program, configuration, clock or firmware, or restarts.
    Configure,
    /// Asks about the machine itself (identity, lists, diagnosis).
    Diagnose,
    /// Opens, keeps or closes the conversation.
    Session,
}

/// One operation, borrowed from its message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Operation<'a> {
    /// Who speaks.
    pub role: Role,
    /// What it does.
    pub effect: Effect,
    /// Function as the protocol numbers it (Modbus function code, IEC 104 type identification, S7
    /// function, DNP3 function code, CIP service, BACnet service, MMS service …). Numbers of
    /// separate spaces of one protocol are kept apart by their upper byte.
    pub function: u16,
    /// Name of the function in the words of the field, such as `write single register`.
    pub name: &'a str,
    /// Unit behind the address (Modbus unit, IEC 104 common address, DNP3 destination …), else 0.
    pub unit: u32,
    /// Number that joins question and answer, where the protocol has one.
    pub transaction: Option<u32>,
    /// Exception or error code of a refusal.
    pub refused: Option<u16>,
    /// Cause of transmission, qualifier and the like: the finer word of the protocol, else 0.
    pub cause: u16,
    /// What is read or written.
    pub object: Object<'a>,
    /// The values carried.
    pub values: Values<'a>,
}

/// What an operation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Object<'a> {
    /// Nothing in particular.
    None,
    /// Numbered points.
    Range {
        /// Address space (coils, holding registers, data block number, object type …).
        space: u32,
        /// First point.
        start: u32,
        /// Number of points.
        count: u32,
    },
    /// A named object (CIP symbol, GOOSE control block, OPC UA endpoint).
    Name(&'a [u8]),
    /// A named object of a named domain (MMS logical device and variable).
    Member {
        /// The domain.
        domain: &'a [u8],
        /// The object in it.
        name: &'a [u8],
    },
}

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Coding {
    Bits,
    U8,
    I8,
    U16Be,
    U16Le,
    I16Be,
    I16Le,
    I32Be,
    I32Le,
    U32Be,
    U32Le,
    F32Be,
    F32Le,
    F64Le,
    /// Leaves of MMS data.
    Data,
}

/// The values an operation carries, read only when somebody asks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Values<'a> {
    coding: Coding,
    count: usize,
    bytes: &'a [u8],
    single: Option<f64>,
}

impl<'a> Values<'a> {
    const fn of(coding: Coding, count: usize, bytes: &'a [u8]) -> Self {
        Self { coding, count, bytes, single: None }
    }

    /// No values.
    #[must_use]
    pub const fn none() -> Self {
        Self::of(Coding::U8, 0, &[])
    }

    /// One value that the parser already knows.
    #[must_use]
    pub const fn one(value: f64) -> Self {
        Self { coding: Coding::U8, count: 1, bytes: &[], single: Some(value) }
    }

    /// `count` bits, lowest bit of the first byte first (Modbus coils).
    #[must_use]
    pub const fn bits(count: usize, bytes: &'a [u8]) -> Self {
        Self::of(Coding::Bits, count, bytes)
    }

    /// Unsigned bytes.
    #[must_use]
    pub const fn u8(bytes: &'a [u8]) -> Self {
        Self::of(Coding::U8, bytes.len(), bytes)
    }

    /// Unsigned 16-bit words, most significant byte first.
    #[must_use]
    pub const fn u16_be(bytes: &'a [u8]) -> Self {
        Self::of(Coding::U16Be, bytes.len() / 2, bytes)
    }

    /// Unsigned 16-bit words, least significant byte first.
    #[must_use]
    pub const fn u16_le(bytes: &'a [u8]) -> Self {
        Self::of(Coding::U16Le, bytes.len() / 2, bytes)
    }

    /// Signed 16-bit words, least significant byte first.
    #[must_use]
    pub const fn i16_le(bytes: &'a [u8]) -> Self {
        Self::of(Coding::I16Le, bytes.len() / 2, bytes)
    }

    /// Signed 16-bit words, most significant byte first.
    #[must_use]
    pub const fn i16_be(bytes: &'a [u8]) -> Self {
        Self::of(Coding::I16Be, bytes.len() / 2, bytes)
    }

    /// Signed 32-bit words, most significant byte first.
    #[must_use]
    pub const fn i32_be(bytes: &'a [u8]) -> Self {
        Self::of(Coding::I32Be, bytes.len() / 4, bytes)
    }

    /// Unsigned 32-bit words, most significant byte first.
    #[must_use]
    pub const fn u32_be(bytes: &'a [u8]) -> Self {
        Self::of(Coding::U32Be, bytes.len() / 4, bytes)
    }

    /// Unsigned 32-bit words, least significant byte first.
    #[must_use]
    pub const fn u32_le(bytes: &'a [u8]) -> Self {
        Self::of(Coding::U32Le, bytes.len() / 4, bytes)
    }

    /// Signed bytes.
    #[must_use]
    pub const fn i8(bytes: &'a [u8]) -> Self {
        Self::of(Coding::I8, bytes.len(), bytes)
    }

    /// Signed 32-bit words, least significant byte first.
    #[must_use]
    pub const fn i32_le(bytes: &'a [u8]) -> Self {
        Self::of(Coding::I32Le, bytes.len() / 4, bytes)
    }

    /// Double-precision numbers, least significant byte first.
    #[must_use]
    pub const fn f64_le(bytes: &'a [u8]) -> Self {
        Self::of(Coding::F64Le, bytes.len() / 8, bytes)
    }

    /// Single-precision numbers, most significant byte first.
    #[must_use]
    pub const fn f32_be(bytes: &'a [u8]) -> Self {
        Self::of(Coding::F32Be, bytes.len() / 4, bytes)
    }

    /// Single-precision numbers, least significant byte first.
    #[must_use]
    pub const fn f32_le(bytes: &'a [u8]) -> Self {
        Self::of(Coding::F32Le, bytes.len() / 4, bytes)
    }

    /// The leaves of MMS data, structures and arrays taken apart, each as [`Datum::number`].
    ///
    /// [`Datum::number`]: super::message::mms::Datum::number
    #[must_use]
    pub(super) fn data(data: Data<'a>) -> Self {
        Self::of(Coding::Data, data.leaves().count(), data.bytes())
    }

    /// Number of values stated; the bytes may hold fewer when the capture is cut.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The values, as far as they were captured.
    pub fn iter(&self) -> impl Iterator<Item = f64> + 'a {
        let Self { coding, count, bytes, single } = *self;
        let mut leaves = Data::new(if coding == Coding::Data { bytes } else { &[] }).leaves();
        (0..count).map_while(move |place| match coding {
            Coding::Data => leaves.next().map(|leaf| leaf.number()),
            _ => single.or_else(|| value(coding, bytes, place)),
        })
    }
}

fn value(coding: Coding, bytes: &[u8], place: usize) -> Option<f64> {
    let two = || Some(*bytes.get(place.checked_mul(2)?..)?.first_chunk::<2>()?);
    let four = || Some(*bytes.get(place.checked_mul(4)?..)?.first_chunk::<4>()?);
    Some(match coding {
        Coding::Bits => f64::from(bytes.get(place / 8)? >> (place % 8) & 1),
        Coding::U8 => f64::from(*bytes.get(place)?),
        Coding::I8 => f64::from(bytes.get(place)?.cast_signed()),
        Coding::U16Be => f64::from(u16::from_be_bytes(two()?)),
        Coding::U16Le => f64::from(u16::from_le_bytes(two()?)),
        Coding::I16Le => f64::from(i16::from_le_bytes(two()?)),
        Coding::I16Be => f64::from(i16::from_be_bytes(two()?)),
        Coding::I32Be => f64::from(i32::from_be_bytes(four()?)),
        Coding::I32Le => f64::from(i32::from_le_bytes(four()?)),
        Coding::U32Be => f64::from(u32::from_be_bytes(four()?)),
        Coding::U32Le => f64::from(u32::from_le_bytes(four()?)),
        Coding::F32Be => f64::from(f32::from_be_bytes(four()?)),
        Coding::F32Le => f64::from(f32::from_le_bytes(four()?)),
        Coding::F64Le => {
            f64::from_le_bytes(*bytes.get(place.checked_mul(8)?..)?.first_chunk::<8>()?)
        }
        Coding::Data => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_in_their_coding() {
        let read = |values: Values<'_>| values.iter().collect::<Vec<_>>();
        assert_eq!(
            read(Values::bits(10, &[0b0000_0101, 0b10])),
            [1., 0., 1., 0., 0., 0., 0., 0., 0., 1.]
        );
        assert_eq!(read(Values::u16_be(&[1, 0, 0, 2])), [256.0, 2.0]);
        assert_eq!(read(Values::i16_le(&[0xff, 0xff])), [-1.0]);
        assert_eq!(read(Values::f32_le(&1.5_f32.to_le_bytes())), [1.5]);
        assert_eq!(read(Values::one(7.0)), [7.0]);
        assert!(read(Values::none()).is_empty());
    }

    #[test]
    fn cut_values_end_early() {
        assert_eq!(Values::bits(16, &[0xff]).iter().count(), 8);
        assert_eq!(Values::u32_be(&[0, 0, 0]).iter().count(), 0);
    }
}
