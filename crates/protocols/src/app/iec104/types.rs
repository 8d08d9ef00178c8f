//! Types of ASDU (IEC 60870-5-101 and -104, clause 7): names, effects, length of an element, value.

use super::super::bytes::{Cursor, be16};
use super::super::operation::Effect;

/// How the value of an element is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// Lowest bits of the first byte, by a mask.
    Low(u8),
    /// Step position: seven bits, signed.
    Step,
    /// Fraction of full scale in 16 bits.
    Normalised,
    /// Signed 16 bits.
    Scaled,
    /// Single precision.
    Float,
    /// Unsigned 32 bits.
    Word,
    /// Signed 32 bits.
    Counter,
    /// Unsigned 16 bits.
    Half,
    /// Milliseconds of the minute in a time of seven bytes, whole seconds.
    Clock,
    /// None.
    Nothing,
}

/// What a type is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    /// Bytes of an element behind the address, time included.
    pub(super) size: usize,
    pub(super) coding: Coding,
    pub(super) effect: Effect,
}

const fn kind(name: &'static str, size: usize, coding: Coding, effect: Effect) -> Option<Kind> {
    Some(Kind { name, size, coding, effect })
}

/// The type of a number; segments of files are the one type whose length varies.
pub(super) const fn of(number: u8) -> Option<Kind> {
    match number {
        1..=40 | 70 => monitored(number),
        45..=64 => command(number),
        _ => system(number),
    }
}

const fn monitored(number: u8) -> Option<Kind> {
    use Coding as C;
    use Effect::{Diagnose, Read};
    match number {
        1 => kind("single point", 1, C::Low(1), Read),
        2 => kind("single point with time", 4, C::Low(1), Read),
        3 => kind("double point", 1, C::Low(3), Read),
        4 => kind("double point with time", 4, C::Low(3), Read),
        5 => kind("step position", 2, C::Step, Read),
        6 => kind("step position with time", 5, C::Step, Read),
        7 => kind("bitstring", 5, C::Word, Read),
        8 => kind("bitstring with time", 8, C::Word, Read),
        9 => kind("normalised value", 3, C::Normalised, Read),
        10 => kind("normalised value with time", 6, C::Normalised, Read),
        11 => kind("scaled value", 3, C::Scaled, Read),
        12 => kind("scaled value with time", 6, C::Scaled, Read),
        13 => kind("float value", 5, C::Float, Read),
        14 => kind("float value with time", 8, C::Float, Read),
        15 => kind("integrated total", 5, C::Counter, Read),
        16 => kind("integrated total with time", 8, C::Counter, Read),
        17 => kind("protection event with time", 6, C::Low(3), Read),
        18 => kind("protection start events with time", 7, C::Low(0x3f), Read),
        19 => kind("protection output circuit with time", 7, C::Low(0x0f), Read),
        20 => kind("packed single points with changes", 5, C::Word, Read),
        21 => kind("normalised value without quality", 2, C::Normalised, Read),
        30 => kind("single point with long time", 8, C::Low(1), Read),
        31 => kind("double point with long time", 8, C::Low(3), Read),
        32 => kind("step position with long time", 9, C::Step, Read),
        33 => kind("bitstring with long time", 12, C::Word, Read),
        34 => kind("normalised value with long time", 10, C::Normalised, Read),
        35 => kind("scaled value with long time", 10, C::Scaled, Read),
        36 => kind("float value with long time", 12, C::Float, Read),
        37 => kind("integrated total with long time", 12, C::Counter, Read),
        38 => kind("protection event with long time", 10, C::Low(3), Read),
        39 => kind("protection start events with long time", 11, C::Low(0x3f), Read),
        40 => kind("protection output circuit with long time", 11, C::Low(0x0f), Read),
        70 => kind("end of initialisation", 1, C::Low(0x7f), Diagnose),
        _ => None,
    }
}

const fn command(number: u8) -> Option<Kind> {
    use Coding as C;
    use Effect::{Control, Write};
    match number {
        45 => kind("single command", 1, C::Low(1), Control),
        46 => kind("double command", 1, C::Low(3), Control),
        47 => kind("regulating step command", 1, C::Low(3), Control),
        48 => kind("set point, normalised", 3, C::Normalised, Write),
        49 => kind("set point, scaled", 3, C::Scaled, Write),
        50 => kind("set point, float", 5, C::Float, Write),
        51 => kind("bitstring command", 4, C::Word, Write),
        58 => kind("single command with time", 8, C::Low(1), Control),
        59 => kind("double command with time", 8, C::Low(3), Control),
        60 => kind("regulating step command with time", 8, C::Low(3), Control),
        61 => kind("set point, normalised, with time", 10, C::Normalised, Write),
        62 => kind("set point, scaled, with time", 10, C::Scaled, Write),
        63 => kind("set point, float, with time", 12, C::Float, Write),
        64 => kind("bitstring command with time", 11, C::Word, Write),
        _ => None,
    }
}

const fn system(number: u8) -> Option<Kind> {
    use Coding as C;
    use Effect::{Configure, Diagnose, Read};
    match number {
        100 => kind("interrogation", 1, C::Low(0xff), Read),
        101 => kind("counter interrogation", 1, C::Low(0xff), Read),
        102 => kind("read", 0, C::Nothing, Read),
        103 => kind("clock synchronisation", 7, C::Clock, Configure),
        104 => kind("test", 2, C::Half, Diagnose),
        105 => kind("reset process", 1, C::Low(0xff), Configure),
        106 => kind("delay acquisition", 2, C::Half, Diagnose),
        107 => kind("test with time", 9, C::Half, Diagnose),
        110 => kind("parameter, normalised", 3, C::Normalised, Configure),
        111 => kind("parameter, scaled", 3, C::Scaled, Configure),
        112 => kind("parameter, float", 5, C::Float, Configure),
        113 => kind("parameter activation", 1, C::Low(0xff), Configure),
        120 => kind("file ready", 6, C::Half, Configure),
        121 => kind("section ready", 7, C::Half, Configure),
        122 => kind("call file", 4, C::Half, Configure),
        123 => kind("last section or segment", 5, C::Half, Configure),
        124 => kind("acknowledge file", 4, C::Half, Configure),
        125 => kind("file segment", 0, C::Half, Configure),
        126 => kind("directory", 13, C::Half, Configure),
        127 => kind("query log", 16, C::Half, Configure),
        _ => None,
    }
}

/// Type whose elements state their length: name of file, name of section, length, segment.
pub(super) const SEGMENT: u8 = 125;

/// Value of an element.
pub(super) fn value(coding: Coding, element: &[u8]) -> Option<f64> {
    let mut cursor = Cursor::new(element);
    Some(match coding {
        Coding::Low(mask) => f64::from(cursor.u8()? & mask),
        Coding::Step => f64::from((cursor.u8()? << 1).cast_signed() >> 1),
        Coding::Normalised => f64::from(cursor.le16()?.cast_signed()) / 32768.0,
        Coding::Scaled => f64::from(cursor.le16()?.cast_signed()),
        Coding::Float => f64::from(f32::from_bits(cursor.le32()?)),
        Coding::Word => f64::from(cursor.le32()?),
        Coding::Counter => f64::from(cursor.le32()?.cast_signed()),
        Coding::Half => f64::from(cursor.le16()?),
        Coding::Clock => f64::from(be16(element, 0)?.swap_bytes() / 1000),
        Coding::Nothing => return None,
    })
}
