//! Any bytes as datagrams of exporters of flows.

use std::net::{IpAddr, Ipv4Addr};

use crate::netflow::Collector;

/// Most datagrams of one input.
const MAX_DATAGRAMS: usize = 64;

/// Datagrams one behind the other, each behind two bytes: the highest two bits name the exporter,
/// the others say how long it is.
///
/// # Panics
/// When flows told and counted differ: that is the finding.
pub fn netflow(mut data: &[u8]) {
    let mut collector = Collector::new();
    let (mut told, mut failed) = (0_u64, 0_u64);
    for _ in 0..MAX_DATAGRAMS {
        let Some((&head, rest)) = data.split_first_chunk::<2>() else { break };
        let head = u16::from_be_bytes(head);
        let (datagram, rest) = rest.split_at(rest.len().min(usize::from(head & 0x3fff)));
        data = rest;
        let [exporter, _] = (head >> 14).to_le_bytes();
        let exporter = IpAddr::V4(Ipv4Addr::new(10, 0, 0, exporter));
        let mut flows = 0;
        if let Err(error) = collector.read(exporter, datagram, |_| flows += 1) {
            assert!(!error.to_string().is_empty(), "an error without words");
            failed += 1;
        }
        assert!(flows <= datagram.len(), "{flows} flows in {} bytes", datagram.len());
        told += flows as u64;
    }
    let stats = collector.stats();
    assert_eq!((stats.flows, stats.malformed), (told, failed), "counted and told differ");
}
