//! What was usual for a device before it became a suspect.
//!
//! While nothing is said against a device, it is written down with whom it speaks over which service. Once it is a suspect
//! (the node's detectors or a person say so, by an order with a time), only that may pass, and of it only what began
//! long enough before: a detector needs some windows until it speaks, and what the device did meanwhile is what it
//! speaks about. Nothing more is learned of a suspect.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::time::Duration;

use super::devices::ends;
use super::{Device, Packet};

/// Devices that are known at most; of a further one everything passes until it is a suspect, then nothing.
const MAX_DEVICES: usize = 4_096;
/// Services that are kept of one device.
const MAX_SERVICES: usize = 512;
const TCP: u8 = 6;
const UDP: u8 = 17;
const ICMP_V6: u8 = 58;

/// The far end and what is spoken: protocol, and the port of the service where there is one.
type Service = (IpAddr, u8, u16);

/// What was usual for each device.
#[derive(Debug)]
pub(super) struct Usual {
    after_ns: u64,
    /// When each service was first seen, nanoseconds.
    seen: HashMap<Device, HashMap<Service, u64>>,
    /// Since when each suspect is one.
    since: HashMap<Device, u64>,
}

/// What a packet speaks, seen from the device; `None` for what every device must be able to say: neighbour discovery,
/// listener reports and address leases, as with allow lists.
fn service(packet: &Packet<'_>) -> Option<Service> {
    let bytes = packet.bytes;
    let (source, destination) = ends(bytes)?;
    let (protocol, begins) = match bytes.first()? >> 4 {
        4 => {
            let fragment = u16::from_be_bytes([*bytes.get(6)?, *bytes.get(7)?]) & 0x1fff;
            // A later fragment has no ports; what it belongs to was judged by the first.
            if fragment != 0 {
                return None;
            }
            (*bytes.get(9)?, usize::from(bytes[0] & 0x0f) * 4)
        }
        // Behind extension headers the protocol is theirs: unusual unless the device always sent them.
        _ => (*bytes.get(6)?, 40),
    };
    let peer = if packet.from_device { destination } else { source };
    let first = bytes.get(begins).copied().unwrap_or(0);
    if protocol == ICMP_V6 && (130..=143).contains(&first) {
        return None;
    }
    if !matches!(protocol, TCP | UDP) {
        return Some((peer, protocol, 0));
    }
    let port = |at: usize| Some(u16::from_be_bytes(*bytes.get(begins + at..)?.first_chunk()?));
    let (from, to) = (port(0).unwrap_or(0), port(2).unwrap_or(0));
    if protocol == UDP && matches!((from, to), (67 | 68, 67 | 68) | (546 | 547, 546 | 547)) {
        return None;
    }
    // The service is the lower port: the other one changes with every conversation.
    Some((peer, protocol, from.min(to)))
}

impl Usual {
    pub(super) fn new(after: Duration) -> Self {
        let after_ns = u64::try_from(after.as_nanos()).unwrap_or(u64::MAX);
        Self { after_ns, seen: HashMap::new(), since: HashMap::new() }
    }

    pub(super) fn suspects(&mut self, suspects: &BTreeSet<Device>, now_ns: u64) {
        self.since.retain(|device, _| suspects.contains(device));
        for device in suspects {
            self.since.entry(*device).or_insert(now_ns);
        }
    }

    pub(super) fn passes(&mut self, packet: &Packet<'_>) -> bool {
        let Some(device) = packet.device else { return true };
        let Some(service) = service(packet) else { return true };
        if let Some(since) = self.since.get(&device) {
            let first = self.seen.get(&device).and_then(|seen| seen.get(&service));
            return first.is_some_and(|first| first.saturating_add(self.after_ns) <= *since);
        }
        self.learn(device, service, packet.now_ns);
        true
    }

    fn learn(&mut self, device: Device, service: Service, now_ns: u64) {
        if self.seen.len() >= MAX_DEVICES && !self.seen.contains_key(&device) {
            return;
        }
        let seen = self.seen.entry(device).or_default();
        if seen.contains_key(&service) {
            return;
        }
        if seen.len() >= MAX_SERVICES {
            // Whoever looks for an open door makes many new ones: they go, what is usual stays.
            let after_ns = self.after_ns;
            seen.retain(|_, first| first.saturating_add(after_ns) <= now_ns);
        }
        if seen.len() < MAX_SERVICES {
            seen.insert(service, now_ns);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEVICE: Device = Device::Mac([2, 0, 0, 0, 0, 7]);
    const SECOND: u64 = 1_000_000_000;

    /// A datagram between 10.0.0.7 and a peer, from a high port to the service or back.
    fn datagram(peer: u8, port: u16, from_device: bool) -> Vec<u8> {
        let mut bytes = vec![0; 28];
        (bytes[0], bytes[9]) = (0x45, UDP);
        let (mut ends, mut ports) = ([[10, 0, 0, 7], [10, 0, 0, peer]], [40_000, port]);
        if !from_device {
            ends.reverse();
            ports.reverse();
        }
        bytes[12..16].copy_from_slice(&ends[0]);
        bytes[16..20].copy_from_slice(&ends[1]);
        bytes[20..22].copy_from_slice(&ports[0].to_be_bytes());
        bytes[22..24].copy_from_slice(&ports[1].to_be_bytes());
        bytes
    }

    fn passes(usual: &mut Usual, device: Device, at_s: u64, bytes: &[u8]) -> bool {
        let from_device = bytes[15] == 7;
        let now_ns = at_s * SECOND;
        usual.passes(&Packet { device: Some(device), from_device, now_ns, bytes })
    }

    #[test]
    fn of_a_suspect_only_what_began_long_before_passes() {
        let mut usual = Usual::new(Duration::from_secs(600));
        assert!(passes(&mut usual, DEVICE, 0, &datagram(2, 5_001, true)));
        assert!(passes(&mut usual, DEVICE, 500, &datagram(66, 6_667, true)));
        usual.suspects(&BTreeSet::from([DEVICE]), 700 * SECOND);
        assert!(passes(&mut usual, DEVICE, 701, &datagram(2, 5_001, true)));
        assert!(passes(&mut usual, DEVICE, 701, &datagram(2, 5_001, false)), "and its answers");
        assert!(!passes(&mut usual, DEVICE, 701, &datagram(66, 6_667, true)), "began too late");
        assert!(!passes(&mut usual, DEVICE, 701, &datagram(2, 23, true)), "another service");
        assert!(
            !passes(&mut usual, DEVICE, 5_000, &datagram(66, 6_667, true)),
            "waiting is no help"
        );
        assert!(passes(&mut usual, DEVICE, 701, &datagram(255, 67, true)), "address leases do");
        let other = Device::Mac([2, 0, 0, 0, 0, 8]);
        assert!(passes(&mut usual, other, 701, &datagram(66, 6_667, true)));
        usual.suspects(&BTreeSet::new(), 800 * SECOND);
        assert!(passes(&mut usual, DEVICE, 801, &datagram(66, 6_667, true)));
    }

    #[test]
    fn a_scan_does_not_push_out_what_is_usual() {
        let mut usual = Usual::new(Duration::from_secs(600));
        passes(&mut usual, DEVICE, 0, &datagram(2, 5_001, true));
        for port in 1..5_000 {
            passes(&mut usual, DEVICE, 700, &datagram(9, port, true));
        }
        assert!(usual.seen[&DEVICE].len() <= MAX_SERVICES);
        usual.suspects(&BTreeSet::from([DEVICE]), 710 * SECOND);
        assert!(passes(&mut usual, DEVICE, 711, &datagram(2, 5_001, true)));
        assert!(!passes(&mut usual, DEVICE, 711, &datagram(9, 80, true)));
    }
}
