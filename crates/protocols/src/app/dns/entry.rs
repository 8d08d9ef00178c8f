//! Questions and resource records of a message.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::name::{Fault, Name};
use crate::app::bytes::be16;

/// Octets of a question behind its name, and of a resource record between name and data.
const QUESTION_BYTES: usize = 4;
const ENTRY_BYTES: usize = 10;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question<'a> {
    /// About which name.
    pub name: Name<'a>,
    /// Type of the records wanted, as numbered by IANA (1 is A, 28 is AAAA, 12 is PTR …).
    pub kind: u16,
    /// Class; in multicast DNS the top bit asks for a unicast answer.
    pub class: u16,
}

impl<'a> Question<'a> {
    pub(super) fn read(message: &'a [u8], at: usize) -> Result<(Self, usize), Fault> {
        let (name, at) = Name::read(message, at)?;
        let (Some(kind), Some(class)) = (be16(message, at), be16(message, at + 2)) else {
            return Err(Fault::Short);
        };
        Ok((Self { name, kind, class }, at + QUESTION_BYTES))
    }
}

/// Where a resource record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Answers to the questions.
    Answer,
    /// Who is in charge.
    Authority,
    /// What may help besides.
    Additional,
}

/// A resource record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Where it stands.
    pub section: Section,
    /// Whose it is.
    pub name: Name<'a>,
    /// Type, as numbered by IANA.
    pub kind: u16,
    /// Class; in multicast DNS the top bit empties caches first.
    pub class: u16,
    /// Time to live, seconds.
    pub ttl_s: u32,
    message: &'a [u8],
    at: usize,
    len: usize,
}

/// What a resource record says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data<'a> {
    /// An address (A, AAAA).
    Address(IpAddr),
    /// The canonical name.
    Cname(Name<'a>),
    /// A name pointed to: the host of an address, or an instance of a service.
    Ptr(Name<'a>),
    /// A name server.
    Ns(Name<'a>),
    /// Where a service is found.
    Srv {
        /// Port.
        port: u16,
        /// Host.
        target: Name<'a>,
    },
    /// Texts, each behind an octet with its length; read by [`Entry::texts`].
    Txt(&'a [u8]),
    /// Any other, or data that are not as their type wants.
    Other(&'a [u8]),
}

impl<'a> Entry<'a> {
    pub(super) fn read(
        message: &'a [u8],
        at: usize,
        section: Section,
    ) -> Result<(Self, usize), Fault> {
        let (name, at) = Name::read(message, at)?;
        let Some(&[k0, k1, c0, c1, t0, t1, t2, t3, l0, l1]) =
            message.get(at..).and_then(|rest| rest.first_chunk::<ENTRY_BYTES>())
        else {
            return Err(Fault::Short);
        };
        let (at, len) = (at + ENTRY_BYTES, usize::from(u16::from_be_bytes([l0, l1])));
        if message.len() < at + len {
            return Err(Fault::Short);
        }
        let entry = Self {
            section,
            name,
            kind: u16::from_be_bytes([k0, k1]),
            class: u16::from_be_bytes([c0, c1]),
            ttl_s: u32::from_be_bytes([t0, t1, t2, t3]),
            message,
            at,
            len,
        };
        Ok((entry, at + len))
    }

    /// What it says.
    #[must_use]
    pub fn data(&self) -> Data<'a> {
        let bytes = self.message.get(self.at..self.at + self.len).unwrap_or_default();
        let name = |skip: usize| {
            let (name, end) = Name::read(self.message, self.at + skip).ok()?;
            (end <= self.at + self.len).then_some(name)
        };
        let read = match self.kind {
            1 => <[u8; 4]>::try_from(bytes).ok().map(|a| Data::Address(Ipv4Addr::from(a).into())),
            28 => <[u8; 16]>::try_from(bytes).ok().map(|a| Data::Address(Ipv6Addr::from(a).into())),
            5 => name(0).map(Data::Cname),
            12 => name(0).map(Data::Ptr),
            2 => name(0).map(Data::Ns),
            33 => be16(bytes, 4).and_then(|port| name(6).map(|target| Data::Srv { port, target })),
            16 => Some(Data::Txt(bytes)),
            _ => None,
        };
        read.unwrap_or(Data::Other(bytes))
    }

    /// The texts of a TXT record, as far as their lengths are right.
    pub fn texts(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let mut rest = match self.data() {
            Data::Txt(bytes) => bytes,
            _ => &[],
        };
        std::iter::from_fn(move || {
            let (&len, behind) = rest.split_first()?;
            let (text, behind) = behind.split_at_checked(usize::from(len))?;
            rest = behind;
            Some(text)
        })
    }
}
