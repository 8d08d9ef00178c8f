//! Domain names inside a message, with their compression (RFC 1035, 4.1.4).

use std::fmt;

/// Longest name, as octets of the wire form (RFC 1035, 3.1).
const MAX_NAME_BYTES: usize = 255;
/// Octets before the first place a pointer may lead to.
const HEADER_BYTES: usize = 12;
/// Most pointers of one name: as many as labels fit into 255 octets. Chains of pointers without
/// labels between them would have each name walk through the whole message.
const MAX_POINTERS: usize = 127;

/// Why a name cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Fault {
    /// The bytes end first.
    Short,
    /// No bytes behind could mend it.
    Broken(&'static str),
}

/// A domain name, borrowed from its message; equal names have equal labels, whatever their case.
#[derive(Clone, Copy)]
pub struct Name<'a> {
    message: &'a [u8],
    at: usize,
}

impl<'a> Name<'a> {
    /// The name at a place of the message, and where the bytes behind it begin. Pointers lead
    /// backwards only, each further than the one before, so that no name runs in a circle.
    pub(super) fn read(message: &'a [u8], at: usize) -> Result<(Self, usize), Fault> {
        let (mut place, mut floor, mut end, mut length) = (at, at, None, 1);
        let mut pointers = 0;
        loop {
            let octet = *message.get(place).ok_or(Fault::Short)?;
            match octet {
                0 => return Ok((Self { message, at }, end.unwrap_or(place + 1))),
                1..=63 => {
                    length += 1 + usize::from(octet);
                    if length > MAX_NAME_BYTES {
                        return Err(Fault::Broken("a name is longer than 255 octets"));
                    }
                    place += 1 + usize::from(octet);
                }
                0xc0.. => {
                    let low = *message.get(place + 1).ok_or(Fault::Short)?;
                    let target = usize::from(octet & 0x3f) << 8 | usize::from(low);
                    if target >= floor || target < HEADER_BYTES {
                        return Err(Fault::Broken("a name's pointer does not lead backwards"));
                    }
                    pointers += 1;
                    if pointers > MAX_POINTERS {
                        return Err(Fault::Broken("a name has more pointers than labels fit"));
                    }
                    end = end.or(Some(place + 2));
                    (place, floor) = (target, target);
                }
                _ => return Err(Fault::Broken("a label's type is unknown")),
            }
        }
    }

    /// The labels, from the host to the root, without the empty one.
    pub fn labels(&self) -> impl Iterator<Item = &'a [u8]> + Clone + use<'a> {
        Labels { message: self.message, place: self.at, left: MAX_NAME_BYTES }
    }

    /// Whether this is the root.
    #[must_use]
    pub fn is_root(&self) -> bool {
        self.labels().next().is_none()
    }

    /// Whether the name is this text of labels and dots, whatever the case.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        let mut labels = self.labels();
        let same = text.split('.').filter(|part| !part.is_empty()).all(|part| {
            labels.next().is_some_and(|label| label.eq_ignore_ascii_case(part.as_bytes()))
        });
        same && labels.next().is_none()
    }
}

impl PartialEq for Name<'_> {
    fn eq(&self, other: &Self) -> bool {
        let mut others = other.labels();
        self.labels().all(|label| others.next().is_some_and(|o| label.eq_ignore_ascii_case(o)))
            && others.next().is_none()
    }
}

impl Eq for Name<'_> {}

/// Labels with dots between; what is not plain text stands as `\DDD` (RFC 4343, 2.1).
impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str(".");
        }
        for (number, label) in self.labels().enumerate() {
            if number > 0 {
                f.write_str(".")?;
            }
            for &octet in label {
                match octet {
                    b'.' | b'\\' => write!(f, "\\{}", char::from(octet))?,
                    0x20..=0x7e => write!(f, "{}", char::from(octet))?,
                    _ => write!(f, "\\{octet:03}")?,
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

#[derive(Clone)]
struct Labels<'a> {
    message: &'a [u8],
    place: usize,
    /// Octets that may still be read: every step takes at least one, so that this ends.
    left: usize,
}

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let octet = *self.message.get(self.place)?;
            self.left = self.left.checked_sub(1)?;
            match octet {
                1..=63 => {
                    let from = self.place + 1;
                    self.place = from + usize::from(octet);
                    return self.message.get(from..self.place);
                }
                0xc0.. => {
                    let low = *self.message.get(self.place + 1)?;
                    self.place = usize::from(octet & 0x3f) << 8 | usize::from(low);
                }
                _ => return None,
            }
        }
    }
}
