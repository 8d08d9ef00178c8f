//! IEC 60870-5-104: control information, and the units of IEC 60870-5-101 inside.

#[cfg(test)]
mod tests;
mod types;

use super::bytes::{Cursor, le16};
use super::operation::{Effect, Object, Operation, Role, Values};
use super::{Carrier, Parser, Place, Protocol, Recognition, Record, Scratch, Step};

/// Registered port.
const PORT: u16 = 2404;
/// First byte of every unit.
const START: u8 = 0x68;
/// Start, length, four control bytes.
const HEADER: usize = 6;
/// Least and most the length byte says.
const LENGTHS: std::ops::RangeInclusive<u8> = 4..=253;
/// Type, qualifier, cause, originator, common address.
const ASDU_HEADER: usize = 6;
/// Upper byte of the numbers of control functions.
const CONTROL: u16 = 0x100;
/// Bit of [`Operation::cause`] for test units.
const TEST: u16 = 0x80;
/// Bit of [`Operation::cause`] for commands that only select.
const SELECT: u16 = 0x100;

/// One protocol data unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Message<'a> {
    /// What it is.
    pub frame: Frame<'a>,
    /// Whether the capture cut it.
    pub cut: bool,
}

/// Formats of a unit (IEC 60870-5-104, clause 5).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Frame<'a> {
    /// Numbered information.
    I {
        /// Number of this unit.
        send: u16,
        /// Number of the next unit expected.
        receive: u16,
        /// What it carries.
        asdu: Asdu<'a>,
    },
    /// Acknowledgement.
    S {
        /// Number of the next unit expected.
        receive: u16,
    },
    /// Control: 0x07/0x0b start, 0x13/0x23 stop, 0x43/0x83 test, activation and confirmation.
    U(u8),
}

/// Application service data unit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Asdu<'a> {
    /// Type identification.
    pub kind: u8,
    /// Objects stated.
    pub count: u8,
    /// Whether the objects follow each other from one address on.
    pub sequence: bool,
    /// Cause of transmission, 0 to 63.
    pub cause: u8,
    /// Whether it says no.
    pub negative: bool,
    /// Whether it is for test.
    pub test: bool,
    /// Who began it, 0 where unused.
    pub originator: u8,
    /// Common address.
    pub address: u16,
    /// Objects, as far as captured.
    pub objects: &'a [u8],
}

/// An information object.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point<'a> {
    /// Information object address.
    pub address: u32,
    /// Value, where the type has one.
    pub value: Option<f64>,
    /// The element as it was written: value, quality or qualifier, time.
    pub element: &'a [u8],
}

impl<'a> Asdu<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor::new(bytes);
        let (kind, qualifier) = (cursor.u8()?, cursor.u8()?);
        let (cause, originator) = (cursor.u8()?, cursor.u8()?);
        Some(Self {
            kind,
            count: qualifier & 0x7f,
            sequence: qualifier & 0x80 != 0,
            cause: cause & 0x3f,
            negative: cause & 0x40 != 0,
            test: cause & 0x80 != 0,
            originator,
            address: cursor.le16()?,
            objects: cursor.rest(),
        })
    }

    /// Name of the type.
    #[must_use]
    pub fn name(&self) -> &'static str {
        types::of(self.kind).map_or("unknown type", |kind| kind.name)
    }

    /// The objects, as far as captured; none of an unknown type.
    pub fn points(&self) -> impl Iterator<Item = Point<'a>> + use<'a> {
        let Self { kind: number, sequence, .. } = *self;
        let kind = types::of(number);
        let mut cursor = Cursor::new(self.objects);
        let mut next = 0_u32;
        (0..self.count).map_while(move |place| {
            let kind = kind?;
            next = if sequence && place > 0 { next.wrapping_add(1) } else { cursor.le24()? };
            let size = match number {
                types::SEGMENT => 4 + usize::from(*cursor.rest().get(3)?),
                _ => kind.size,
            };
            let element = cursor.take(size)?;
            let value = types::value(kind.coding, element);
            Some(Point { address: next, value, element })
        })
    }

    /// Bytes its objects must have, where the type is known.
    fn expected(&self) -> Option<usize> {
        let (size, count) = (types::of(self.kind)?.size, usize::from(self.count));
        let addresses = if self.sequence { usize::from(count > 0) } else { count };
        (self.kind != types::SEGMENT).then_some(addresses * 3 + size * count)
    }

    const fn role(&self) -> Role {
        match self.cause {
            5 | 6 | 8 => Role::Request,
            7 | 9 | 10 | 13..=41 | 44..=47 => Role::Response,
            _ => Role::Report,
        }
    }
}

impl<'a> Message<'a> {
    /// Tells each operation: one an information object, one for control, none for
    /// acknowledgements.
    pub fn operations(&self, each: &mut dyn FnMut(Operation<'a>)) {
        match self.frame {
            Frame::I { asdu, .. } => tell(&asdu, each),
            Frame::S { .. } => {}
            Frame::U(control) => each(Operation {
                role: if control & 0xa8 == 0 { Role::Request } else { Role::Response },
                effect: Effect::Session,
                function: CONTROL | u16::from(control),
                name: control_name(control),
                unit: 0,
                transaction: None,
                refused: None,
                cause: 0,
                object: Object::None,
                values: Values::none(),
            }),
        }
    }
}

const fn control_name(control: u8) -> &'static str {
    match control {
        0x07 => "start data transfer",
        0x0b => "start data transfer confirmed",
        0x13 => "stop data transfer",
        0x23 => "stop data transfer confirmed",
        0x43 => "test link",
        _ => "test link confirmed",
    }
}

fn tell<'a>(asdu: &Asdu<'a>, each: &mut dyn FnMut(Operation<'a>)) {
    let kind = types::of(asdu.kind);
    // Causes 44 to 47: type, cause, address or object unknown.
    let refused = asdu.negative || matches!(asdu.cause, 44..=47);
    let test = if asdu.test { TEST } else { 0 };
    let plain = Operation {
        role: asdu.role(),
        effect: kind.map_or(Effect::Diagnose, |kind| kind.effect),
        function: u16::from(asdu.kind),
        name: asdu.name(),
        unit: u32::from(asdu.address),
        transaction: None,
        refused: refused.then_some(u16::from(asdu.cause)),
        cause: u16::from(asdu.cause) | test,
        object: Object::None,
        values: Values::none(),
    };
    let mut told = false;
    for point in asdu.points() {
        told = true;
        // Commands say in the byte behind the value whether they only select.
        let qualifier = match asdu.kind {
            45..=47 | 58..=60 => point.element.first(),
            48 | 49 | 61 | 62 => point.element.get(2),
            50 | 63 => point.element.get(4),
            _ => None,
        };
        let select = if qualifier.is_some_and(|byte| byte & 0x80 != 0) { SELECT } else { 0 };
        each(Operation {
            cause: plain.cause | select,
            object: Object::Range { space: 0, start: point.address, count: 1 },
            values: point.value.map_or(Values::none(), Values::one),
            ..plain
        });
    }
    if !told {
        each(plain);
    }
}

/// What the control bytes say; `None` where they are none of the three formats.
fn format(control: [u8; 4], length: usize) -> Option<Option<Frame<'static>>> {
    let receive = u16::from_le_bytes([control[2], control[3]]) >> 1;
    match control {
        [first, _, third, _] if first & 1 == 0 => (third & 1 == 0).then_some(None),
        [1, 0, third, _] if third & 1 == 0 && length == HEADER => Some(Some(Frame::S { receive })),
        [first @ (0x07 | 0x0b | 0x13 | 0x23 | 0x43 | 0x83), 0, 0, 0] if length == HEADER => {
            Some(Some(Frame::U(first)))
        }
        _ => None,
    }
}

/// Length of the unit and its control bytes, if this is one.
fn header(bytes: &[u8]) -> Option<(usize, [u8; 4])> {
    let &[start, length, a, b, c, d] = bytes.first_chunk::<HEADER>()?;
    let fits = start == START && LENGTHS.contains(&length);
    fits.then_some((usize::from(length) + 2, [a, b, c, d]))
}

/// The parser.
pub(super) struct Iec104;

impl Parser for Iec104 {
    fn protocol(&self) -> Protocol {
        Protocol::Iec104
    }

    fn carried_by(&self, carrier: Carrier) -> bool {
        carrier == Carrier::Tcp
    }

    fn recognise(&self, place: &Place, bytes: &[u8]) -> Recognition {
        if bytes.first() != Some(&START) || bytes.get(1).is_some_and(|byte| !LENGTHS.contains(byte))
        {
            return Recognition::NotForUs;
        }
        if bytes.len() < HEADER {
            return Recognition::Unsure;
        }
        let Some((length, control)) = header(bytes) else { return Recognition::NotForUs };
        if bytes.get(length).is_some_and(|next| *next != START) {
            return Recognition::NotForUs;
        }
        match format(control, length) {
            None => Recognition::NotForUs,
            Some(Some(_)) => Recognition::Certain,
            Some(None) => {
                let Some(asdu) = bytes.get(HEADER..).and_then(Asdu::read) else {
                    return Recognition::Unsure;
                };
                let held = length.checked_sub(HEADER + ASDU_HEADER);
                let fits = asdu.expected().is_some_and(|bytes| Some(bytes) == held);
                match (fits && asdu.count > 0 && asdu.cause > 0, place.uses(PORT)) {
                    (true, _) => Recognition::Certain,
                    (false, true) if held.is_some() => Recognition::Certain,
                    (false, _) => Recognition::NotForUs,
                }
            }
        }
    }

    fn next<'a>(&self, place: &Place, _scratch: &mut Scratch, bytes: &'a [u8]) -> Step<'a> {
        if bytes[0] == START && bytes.len() < HEADER {
            return Step::NeedMore(HEADER);
        }
        let Some((length, control)) = header(bytes) else {
            // The stream goes on where the next unit may start.
            let next = bytes.iter().skip(1).position(|byte| *byte == START);
            let consumed = next.map_or(bytes.len(), |place| place + 1);
            return Step::Malformed { why: "start or length is not IEC 104", consumed };
        };
        let cut = bytes.len() < length;
        if cut && place.cut == 0 {
            return Step::NeedMore(length);
        }
        let frame = match format(control, length) {
            Some(Some(frame)) => Some(frame),
            Some(None) => {
                Asdu::read(&bytes[HEADER..length.min(bytes.len())]).map(|asdu| Frame::I {
                    send: u16::from_le_bytes([control[0], control[1]]) >> 1,
                    receive: le16(bytes, 4).unwrap_or(0) >> 1,
                    asdu,
                })
            }
            None => None,
        };
        match frame {
            Some(frame) => {
                Step::Message { record: Record::Iec104(Message { frame, cut }), consumed: length }
            }
            None => Step::Malformed { why: "control bytes of no format", consumed: length },
        }
    }
}
