//! NetFlow version 5: a header of 24 bytes and records of 48.

use std::net::{IpAddr, Ipv4Addr};

use super::{Collector, Flow, NetflowError, number, word};

const HEADER: usize = 24;
const RECORD: usize = 48;

/// Reads the records of a version 5 datagram.
pub(super) fn read(
    collector: &mut Collector,
    exporter: IpAddr,
    datagram: &[u8],
    each: &mut dyn FnMut(&Flow),
) -> Result<(), NetflowError> {
    let count = number::<2>(datagram, 2).map(u16::from_be_bytes).ok_or(NetflowError::Header)?;
    let (uptime_ms, seconds, nanos) = (word(datagram, 4)?, word(datagram, 8)?, word(datagram, 12)?);
    let sequence = word(datagram, 16)?;
    let engine = number::<4>(datagram, 20).ok_or(NetflowError::Header)?;
    // The upper two bits tell the mode of sampling, the rest one of how many.
    let sampled = u32::from(u16::from_be_bytes([engine[2], engine[3]]) & 0x3fff).max(1);
    let exported_ns = i64::from(seconds) * 1_000_000_000 + i64::from(nanos);
    let boot_ns = exported_ns - i64::from(uptime_ms) * 1_000_000;
    let domain = u32::from(u16::from_be_bytes([engine[0], engine[1]]));
    let step = collector.arrives((exporter, domain), sequence);
    let mut read = 0;
    for record in datagram[HEADER..].chunks_exact(RECORD).take(usize::from(count)) {
        let long = |at: usize| word(record, at).unwrap_or(0);
        let short = |at: usize| number::<2>(record, at).map_or(0, u16::from_be_bytes);
        collector.stats.flows += 1;
        read += 1;
        let mut flow = Flow {
            src: IpAddr::V4(Ipv4Addr::from_bits(long(0))),
            dst: IpAddr::V4(Ipv4Addr::from_bits(long(4))),
            src_mac: None,
            dst_mac: None,
            protocol: record[38],
            src_port: short(32),
            dst_port: short(34),
            tcp_flags: record[37],
            packets: u64::from(long(16)),
            bytes: u64::from(long(20)),
            start_ns: boot_ns + i64::from(long(24)) * 1_000_000,
            end_ns: boot_ns + i64::from(long(28)) * 1_000_000,
            sampled,
        };
        collector.stats.ahead_of_export += u64::from(flow.end_by(exported_ns));
        each(&flow);
    }
    collector.counted((exporter, domain), step, sequence, u32::from(count));
    if read < count { Err(NetflowError::Set(count)) } else { Ok(()) }
}
