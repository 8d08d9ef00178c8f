//! Flow export: NetFlow version 5, version 9 (RFC 3954) and IPFIX (RFC 7011) datagrams to flows.
//!
//! Version 9 and IPFIX describe their records by templates that the exporter sends now and then;
//! a [`Collector`] remembers them per exporter and observation domain. Records whose template is
//! not known yet are counted ([`Stats::without_template`]), not guessed.

mod fields;
mod fixed;
mod sequence;
mod template;
mod templates;

use std::net::IpAddr;

use sequence::{Sequences, Source, Step};
use template::{Template, TemplateKey};
use templates::Templates;

pub use sequence::MAX_EXPORTERS;
pub use templates::{MAX_TEMPLATES, MAX_TEMPLATES_OF_EXPORTER};

/// Fields of one template; a longer one is refused.
pub const MAX_FIELDS: usize = 128;

/// One flow, in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// Sender.
    pub src: IpAddr,
    /// Receiver.
    pub dst: IpAddr,
    /// Sender's hardware address, where exported.
    pub src_mac: Option<[u8; 6]>,
    /// Receiver's hardware address, where exported.
    pub dst_mac: Option<[u8; 6]>,
    /// IP protocol number.
    pub protocol: u8,
    /// Sender's port, 0 without ports.
    pub src_port: u16,
    /// Receiver's port, 0 without ports.
    pub dst_port: u16,
    /// TCP flags of all its packets together.
    pub tcp_flags: u8,
    /// Packets.
    pub packets: u64,
    /// Bytes (of the IP layer).
    pub bytes: u64,
    /// First packet, nanoseconds since the Unix epoch.
    pub start_ns: i64,
    /// Last packet, nanoseconds since the Unix epoch.
    pub end_ns: i64,
    /// One of so many packets was looked at; 1 where the exporter does not sample.
    pub sampled: u32,
}

impl Flow {
    /// A flow cannot end after it was told of: one time far ahead would make all others late. True
    /// when it claimed to, by more than clocks and rounding explain.
    fn end_by(&mut self, exported_ns: i64) -> bool {
        let latest = exported_ns.saturating_add(CLOCKS_DIFFER_NS);
        let ahead = self.end_ns > latest;
        if ahead {
            self.end_ns = latest;
            self.start_ns = self.start_ns.min(latest);
        }
        ahead
    }
}

/// How far the times of a flow may lie ahead of the time in its datagram's header.
const CLOCKS_DIFFER_NS: i64 = 60_000_000_000;

/// Why a datagram, or the rest of it, could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NetflowError {
    /// Neither version 5, 9 nor 10.
    #[error("version {0} is not NetFlow 5, NetFlow 9 or IPFIX (10)")]
    Version(u16),
    /// It ends inside its header.
    #[error("the datagram ends inside its header")]
    Header,
    /// A set is longer than the datagram, or shorter than its own header.
    #[error("a set of {0} bytes does not fit into the datagram")]
    Set(u16),
    /// A template contradicts itself or has more than [`MAX_FIELDS`] fields.
    #[error("template {0} is not usable")]
    Template(u16),
}

/// What was read and what could not be used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Stats {
    /// Datagrams read.
    pub datagrams: u64,
    /// Datagrams that could not be read, or not to their end.
    pub malformed: u64,
    /// Flows handed on.
    pub flows: u64,
    /// Sets of records whose template is not known (yet).
    pub without_template: u64,
    /// Records without the addresses or counts that make a flow (options, statistics).
    pub not_flows: u64,
    /// Templates that found no place.
    pub templates_refused: u64,
    /// Templates given up: their exporter started again, or nothing used them when room was needed.
    pub templates_forgotten: u64,
    /// Flows the exporter says it sent and that did not arrive (NetFlow 5 and IPFIX count flows).
    pub lost: u64,
    /// Datagrams the exporter says it sent and that did not arrive (NetFlow 9 counts datagrams).
    pub lost_datagrams: u64,
    /// Times an exporter began to count anew.
    pub restarts: u64,
    /// Datagrams of exporters beyond [`MAX_EXPORTERS`]: read, but what is lost of them is not known.
    pub unfollowed: u64,
    /// Flows that end after they were exported, by the exporter's own clock; they count as ending
    /// then.
    pub ahead_of_export: u64,
}

/// Remembers templates and turns datagrams into flows.
#[derive(Debug, Default)]
pub struct Collector {
    templates: Templates,
    sequences: Sequences,
    stats: Stats,
}

/// A datagram's own clock.
#[derive(Debug, Clone, Copy)]
struct Clock {
    /// Export time, nanoseconds since the Unix epoch.
    exported_ns: i64,
    /// The exporter's start, nanoseconds since the Unix epoch, where its header tells.
    boot_ns: Option<i64>,
}

impl Collector {
    /// A collector that knows no templates.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What was read so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let (templates_refused, templates_forgotten) = self.templates.counts();
        Stats { templates_refused, templates_forgotten, ..self.stats }
    }

    /// Reads one datagram from `exporter` and hands on its flows.
    ///
    /// # Errors
    /// When it cannot be read to its end; the flows before were handed on.
    pub fn read(
        &mut self,
        exporter: IpAddr,
        datagram: &[u8],
        mut each: impl FnMut(&Flow),
    ) -> Result<(), NetflowError> {
        self.stats.datagrams += 1;
        let result = match number::<2>(datagram, 0).map(u16::from_be_bytes) {
            Some(5) => fixed::read(self, exporter, datagram, &mut each),
            Some(9) => self.version_9(exporter, datagram, &mut each),
            Some(10) => self.ipfix(exporter, datagram, &mut each),
            Some(version) => Err(NetflowError::Version(version)),
            None => Err(NetflowError::Header),
        };
        self.stats.malformed += u64::from(result.is_err());
        result
    }

    /// RFC 3954, section 5.1: count, uptime, seconds, sequence (of datagrams), source.
    fn version_9(
        &mut self,
        exporter: IpAddr,
        datagram: &[u8],
        each: &mut dyn FnMut(&Flow),
    ) -> Result<(), NetflowError> {
        let (uptime_ms, seconds, sequence, domain) =
            (word(datagram, 4)?, word(datagram, 8)?, word(datagram, 12)?, word(datagram, 16)?);
        let exported_ns = i64::from(seconds) * 1_000_000_000;
        let clock =
            Clock { exported_ns, boot_ns: Some(exported_ns - i64::from(uptime_ms) * 1_000_000) };
        let sets = datagram.get(20..).ok_or(NetflowError::Header)?;
        let source = (exporter, domain);
        let step = self.arrives(source, sequence);
        match step {
            Step::Missing(datagrams) => self.stats.lost_datagrams += u64::from(datagrams),
            Step::Overtaken => {
                self.stats.lost_datagrams = self.stats.lost_datagrams.saturating_sub(1);
            }
            _ => {}
        }
        self.goes_on(source, step, sequence.wrapping_add(1));
        self.sets(source, clock, sets, [0, 1], each).map(|_| ())
    }

    /// RFC 7011, section 3.1: length, export time, sequence (of data records), domain.
    fn ipfix(
        &mut self,
        exporter: IpAddr,
        datagram: &[u8],
        each: &mut dyn FnMut(&Flow),
    ) -> Result<(), NetflowError> {
        let length =
            number::<2>(datagram, 2).map(u16::from_be_bytes).ok_or(NetflowError::Header)?;
        let (seconds, sequence, domain) =
            (word(datagram, 4)?, word(datagram, 8)?, word(datagram, 12)?);
        let sets = datagram.get(16..usize::from(length)).ok_or(NetflowError::Header)?;
        let clock = Clock { exported_ns: i64::from(seconds) * 1_000_000_000, boot_ns: None };
        let source = (exporter, domain);
        let step = self.arrives(source, sequence);
        let records = self.sets(source, clock, sets, [2, 3], each)?;
        self.counted(source, step, sequence, records);
        Ok(())
    }

    /// Looks at the number of a datagram before it is read: templates from before a restart are not
    /// used for what comes after.
    fn arrives(&mut self, source: Source, sequence: u32) -> Step {
        let step = self.sequences.step(source, sequence);
        if step == Step::Restart {
            self.stats.restarts += 1;
            self.templates.forget(source.0, source.1);
        }
        self.stats.unfollowed += u64::from(step == Step::Unfollowed);
        step
    }

    /// Counts what a number that counts flows tells about losses, after `records` were read.
    fn counted(&mut self, source: Source, step: Step, sequence: u32, records: u32) {
        match step {
            Step::Missing(flows) => self.stats.lost += u64::from(flows),
            Step::Overtaken => {
                self.stats.lost = self.stats.lost.saturating_sub(u64::from(records));
            }
            _ => {}
        }
        self.goes_on(source, step, sequence.wrapping_add(records));
    }

    fn goes_on(&mut self, source: Source, step: Step, next: u32) {
        if !matches!(step, Step::Overtaken | Step::Unfollowed) {
            self.sequences.expect(source, next);
        }
    }

    /// The sets of a datagram; returns the number of data records.
    fn sets(
        &mut self,
        (exporter, domain): (IpAddr, u32),
        clock: Clock,
        mut sets: &[u8],
        [templates, options]: [u16; 2],
        each: &mut dyn FnMut(&Flow),
    ) -> Result<u32, NetflowError> {
        let mut records = 0_u32;
        while let Some((head, rest)) = sets.split_first_chunk::<4>() {
            let [a, b, c, d] = *head;
            let (id, length) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
            let body = usize::from(length).checked_sub(4).and_then(|length| rest.get(..length));
            let body = body.ok_or(NetflowError::Set(length))?;
            sets = &rest[body.len()..];
            let key = |id| TemplateKey { exporter, domain, id };
            if id == templates {
                self.learn(body, key, templates == 2)?;
            } else if id == options {
                // Options describe the exporter, not flows.
                self.stats.not_flows += 1;
            } else if let Some(template) = self.templates.find(&key(id)) {
                let stats = &mut self.stats;
                let count = template.records(body, clock, |flow| match flow {
                    Some(mut flow) => {
                        stats.flows += 1;
                        stats.ahead_of_export += u64::from(flow.end_by(clock.exported_ns));
                        each(&flow);
                    }
                    None => stats.not_flows += 1,
                });
                records = records.wrapping_add(count);
            } else {
                self.stats.without_template += 1;
            }
        }
        Ok(records)
    }

    fn learn(
        &mut self,
        mut body: &[u8],
        key: impl Fn(u16) -> TemplateKey,
        ipfix: bool,
    ) -> Result<(), NetflowError> {
        // Up to three bytes of padding may follow.
        while body.len() >= 4 {
            let (id, template, rest) = Template::read(body, ipfix)?;
            body = rest;
            match template {
                None => self.templates.withdraw(&key(id)),
                Some(template) => self.templates.learn(key(id), template),
            }
        }
        Ok(())
    }
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk::<N>().copied()
}

fn word(bytes: &[u8], at: usize) -> Result<u32, NetflowError> {
    number::<4>(bytes, at).map(u32::from_be_bytes).ok_or(NetflowError::Header)
}

#[cfg(test)]
mod tests;
