//! Labels of packets: who sent and received them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use analytics::host::Host;
use protocols::packet::decode;

use super::labels::Labels;
use super::truth::Truth;
use crate::offline::input::read_frames;
use crate::offline::scenario::{Protected, Scenario};
use crate::offline::{OfflineError, OfflineProgress};

/// Finds the protected devices in packets.
struct Ends {
    by_ip: HashMap<IpAddr, u32>,
    by_mac: HashMap<[u8; 6], u32>,
    /// Devices known by nothing else: every frame of theirs counts, whatever address is inside.
    only_mac: HashMap<[u8; 6], u32>,
}

impl Ends {
    fn new(devices: &[Protected]) -> Self {
        let mut ends =
            Self { by_ip: HashMap::new(), by_mac: HashMap::new(), only_mac: HashMap::new() };
        for (device, number) in devices.iter().zip(0..) {
            let ip = device.ip.and_then(Host::ip);
            if let Some(ip) = ip {
                ends.by_ip.insert(ip, number);
            }
            if let Some(mac) = device.mac.and_then(Host::as_mac) {
                ends.by_mac.insert(mac, number);
                if ip.is_none() {
                    ends.only_mac.insert(mac, number);
                }
            }
        }
        ends
    }

    /// The device at one end. A foreign IPv4 address behind the device's MAC is a routed packet, not
    /// the device's own; its IPv6 addresses and what it sends before it has an address are its own.
    fn device(&self, ip: Option<IpAddr>, mac: Option<[u8; 6]>) -> Option<u32> {
        let only = mac.and_then(|mac| self.only_mac.get(&mac)).copied();
        if only.is_some() {
            return only;
        }
        match ip {
            Some(ip) if self.by_ip.contains_key(&ip) => self.by_ip.get(&ip).copied(),
            Some(IpAddr::V4(address)) if !address.is_unspecified() => None,
            _ => mac.and_then(|mac| self.by_mac.get(&mac)).copied(),
        }
    }
}

/// Reads the test capture beside its labels.
pub(super) fn truth_of_captures(
    scenario: &Scenario,
    labels: &Labels,
    window_us: i64,
) -> Result<Truth, OfflineError> {
    let ends = Ends::new(&scenario.devices);
    let names = scenario.devices.iter().map(|device| Arc::clone(&device.name));
    let mut truth = Truth::new(names, window_us);
    let mut frames = 0;
    for path in scenario.test.iter() {
        let summary = read_frames(
            path,
            |_: OfflineProgress| {},
            |frame| {
                let label = labels.get(frames);
                frames += 1;
                let Some(label) = label else { return Ok(()) };
                truth.count(label);
                let Ok(packet) = decode(frame.link, frame.captured, frame.wire_len) else {
                    return Ok(());
                };
                let at_us = frame.ts_ns.div_euclid(1_000);
                let from = ends.device(packet.src_ip(), packet.src_mac);
                let to = ends.device(packet.dst_ip(), packet.dst_mac);
                for device in from.into_iter().chain(to.filter(|to| Some(*to) != from)) {
                    truth.note(device, None, at_us, label);
                }
                Ok::<(), OfflineError>(())
            },
        )?;
        if frames != labels.len() && summary.error.is_none() {
            return Err(OfflineError::Unknown(format!(
                "{} holds labels of {} frames, the test part holds {frames}: they do not belong together",
                scenario.name,
                labels.len()
            )));
        }
    }
    Ok(truth)
}
