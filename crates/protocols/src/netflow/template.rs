//! Templates: which field stands where in a record, and reading records by them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::fields as f;
use super::{Clock, Flow, MAX_FIELDS, NetflowError, number};

/// Length that says "the record tells" (RFC 7011, section 7).
const VARIABLE: u16 = u16::MAX;
/// Bit of a field number that an enterprise number follows.
const ENTERPRISE: u16 = 0x8000;
/// Seconds from the epoch of NTP times (1900) to that of Unix.
const NTP_EPOCH: i64 = 2_208_988_800;

/// Whose template it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct TemplateKey {
    pub(super) exporter: IpAddr,
    pub(super) domain: u32,
    pub(super) id: u16,
}

/// The fields of a record, in their order.
#[derive(Debug)]
pub(super) struct Template {
    fields: Vec<Field>,
    least: usize,
}

#[derive(Debug, Clone, Copy)]
struct Field {
    /// Number, or 0 for an enterprise's own.
    id: u16,
    length: u16,
}

/// What a record said, before it is known whether that makes a flow.
#[derive(Default)]
struct Told {
    src: Option<IpAddr>,
    dst: Option<IpAddr>,
    src_mac: Option<[u8; 6]>,
    dst_mac: Option<[u8; 6]>,
    protocol: u8,
    ports: [u16; 2],
    tcp_flags: u8,
    packets: Option<u64>,
    bytes: Option<u64>,
    start_ns: Option<i64>,
    end_ns: Option<i64>,
    sampled: u32,
}

impl Template {
    /// Reads one template record; `None` in the middle: it is withdrawn. Returns what follows.
    pub(super) fn read(
        body: &[u8],
        ipfix: bool,
    ) -> Result<(u16, Option<Self>, &[u8]), NetflowError> {
        let short = |at: usize| number::<2>(body, at).map(u16::from_be_bytes);
        let (Some(id), Some(count)) = (short(0), short(2)) else {
            return Err(NetflowError::Header);
        };
        if count == 0 {
            return Ok((id, None, &body[4..]));
        }
        if usize::from(count) > MAX_FIELDS || id < 256 {
            return Err(NetflowError::Template(id));
        }
        let mut at = 4;
        let (mut fields, mut least) = (Vec::with_capacity(usize::from(count)), 0);
        for _ in 0..count {
            let (Some(number), Some(length)) = (short(at), short(at + 2)) else {
                return Err(NetflowError::Template(id));
            };
            at += 4;
            let foreign = ipfix && number & ENTERPRISE != 0;
            at += if foreign { 4 } else { 0 };
            if length == VARIABLE && !ipfix {
                return Err(NetflowError::Template(id));
            }
            least += if length == VARIABLE { 1 } else { usize::from(length) };
            // A field of no length says nothing: many of them would make each byte of records dear.
            if length > 0 {
                fields.push(Field { id: if foreign { 0 } else { number }, length });
            }
        }
        // A record of no bytes would repeat for ever.
        if least == 0 {
            return Err(NetflowError::Template(id));
        }
        let rest = body.get(at..).ok_or(NetflowError::Template(id))?;
        Ok((id, Some(Self { fields, least }), rest))
    }

    /// Fields that are read.
    #[cfg(test)]
    pub(super) fn fields(&self) -> usize {
        self.fields.len()
    }

    /// Hands on each record of a set: a flow, or `None` where it makes none. Returns their number.
    pub(super) fn records(
        &self,
        mut body: &[u8],
        clock: Clock,
        mut each: impl FnMut(Option<Flow>),
    ) -> u32 {
        let mut count = 0;
        while body.len() >= self.least {
            let mut told = Told::default();
            for field in &self.fields {
                let Some((value, rest)) = field.cut(body) else { return count };
                told.take(field.id, value, clock);
                body = rest;
            }
            count += 1;
            each(told.flow(clock));
        }
        count
    }
}

impl Field {
    fn cut<'a>(&self, body: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        if self.length != VARIABLE {
            return body.split_at_checked(usize::from(self.length));
        }
        let (first, rest) = body.split_first()?;
        if *first < 255 {
            return rest.split_at_checked(usize::from(*first));
        }
        let (length, rest) = rest.split_first_chunk::<2>()?;
        rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
    }
}

/// An unsigned number of one to eight bytes; others may shorten what they export (RFC 7011, 6.2).
fn unsigned(value: &[u8]) -> Option<u64> {
    (1..=8)
        .contains(&value.len())
        .then(|| value.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
}

impl Told {
    fn take(&mut self, id: u16, value: &[u8], clock: Clock) {
        let small = || unsigned(value).unwrap_or(0);
        let v4 = || Some(IpAddr::V4(Ipv4Addr::from(<[u8; 4]>::try_from(value).ok()?)));
        let v6 = || Some(IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(value).ok()?)));
        match id {
            f::SRC_V4 => self.src = v4(),
            f::DST_V4 => self.dst = v4(),
            f::SRC_V6 => self.src = self.src.or_else(v6),
            f::DST_V6 => self.dst = self.dst.or_else(v6),
            f::SRC_MAC => self.src_mac = value.try_into().ok(),
            f::DST_MAC => self.dst_mac = value.try_into().ok(),
            f::PROTOCOL => self.protocol = small() as u8,
            f::TCP_FLAGS => self.tcp_flags = small() as u8,
            f::SRC_PORT => self.ports[0] = small() as u16,
            f::DST_PORT => self.ports[1] = small() as u16,
            f::PACKETS => self.packets = unsigned(value),
            f::PACKETS_TOTAL => self.packets = self.packets.or_else(|| unsigned(value)),
            f::OCTETS => self.bytes = unsigned(value),
            f::OCTETS_TOTAL => self.bytes = self.bytes.or_else(|| unsigned(value)),
            f::SAMPLING => self.sampled = u32::try_from(small()).unwrap_or(u32::MAX),
            _ => self.time(id, value, clock),
        }
    }

    fn time(&mut self, id: u16, value: &[u8], clock: Clock) {
        let after = |unit_ns: i64| i64::try_from(unsigned(value)?).ok()?.checked_mul(unit_ns);
        let uptime = || clock.boot_ns?.checked_add(after(1_000_000)?);
        let before = || clock.exported_ns.checked_sub(after(1_000)?);
        // NTP format: seconds since 1900, then a binary fraction.
        let ntp = || {
            let time = unsigned(value).filter(|_| value.len() == 8)?;
            let seconds = i64::try_from(time >> 32).ok()? - NTP_EPOCH;
            let nanos = ((time & 0xffff_ffff) * 1_000_000_000) >> 32;
            seconds.checked_mul(1_000_000_000)?.checked_add(i64::try_from(nanos).ok()?)
        };
        match id {
            f::FIRST_UPTIME => self.start_ns = uptime(),
            f::LAST_UPTIME => self.end_ns = uptime(),
            f::START_SECONDS => self.start_ns = after(1_000_000_000),
            f::END_SECONDS => self.end_ns = after(1_000_000_000),
            f::START_MS => self.start_ns = after(1_000_000),
            f::END_MS => self.end_ns = after(1_000_000),
            f::START_US | f::START_NS => self.start_ns = ntp(),
            f::END_US | f::END_NS => self.end_ns = ntp(),
            f::START_BEFORE_US => self.start_ns = before(),
            f::END_BEFORE_US => self.end_ns = before(),
            _ => {}
        }
    }

    fn flow(self, clock: Clock) -> Option<Flow> {
        let start_ns = self.start_ns.or(self.end_ns).unwrap_or(clock.exported_ns);
        let end_ns = self.end_ns.unwrap_or(start_ns).max(start_ns);
        Some(Flow {
            src: self.src?,
            dst: self.dst?,
            src_mac: self.src_mac,
            dst_mac: self.dst_mac,
            protocol: self.protocol,
            src_port: self.ports[0],
            dst_port: self.ports[1],
            tcp_flags: self.tcp_flags,
            packets: self.packets?,
            bytes: self.bytes?,
            start_ns,
            end_ns,
            sampled: self.sampled.max(1),
        })
    }
}
