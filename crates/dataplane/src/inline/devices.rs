//! Whose a packet is.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Device;
use crate::enforce::MAX_ADDRESSES;
use crate::nfqueue::Queued;
use crate::nft::Form;

/// Source and destination of a packet, from its internet header on.
pub(super) fn ends(packet: &[u8]) -> Option<(IpAddr, IpAddr)> {
    fn four(bytes: &[u8]) -> Option<IpAddr> {
        bytes.first_chunk::<4>().map(|bytes| IpAddr::V4(Ipv4Addr::from(*bytes)))
    }
    fn six(bytes: &[u8]) -> Option<IpAddr> {
        bytes.first_chunk::<16>().map(|bytes| IpAddr::V6(Ipv6Addr::from(*bytes)))
    }
    match packet.first()? >> 4 {
        4 => Some((four(packet.get(12..)?)?, four(packet.get(16..)?)?)),
        6 => Some((six(packet.get(8..)?)?, six(packet.get(24..)?)?)),
        _ => None,
    }
}

/// The MAC address behind each address of the device side, as its packets showed it: a packet towards a device tells
/// the kernel's queue no MAC address. Beyond [`MAX_ADDRESSES`] new ones are not kept: their packets then are
/// counted for the gateway alone.
#[derive(Debug, Default)]
pub(super) struct Neighbours(HashMap<IpAddr, [u8; 6]>);

impl Neighbours {
    pub(super) fn device(
        &mut self,
        form: Form,
        from_device: bool,
        packet: &Queued<'_>,
    ) -> Option<Device> {
        let (source, destination) = ends(packet.bytes)?;
        match (form, from_device) {
            (Form::Router, true) => Some(Device::Address(source)),
            (Form::Router, false) => Some(Device::Address(destination)),
            (Form::Bridge, true) => {
                let mac = packet.mac?;
                if self.0.get(&source) != Some(&mac)
                    && (self.0.len() < MAX_ADDRESSES || self.0.contains_key(&source))
                {
                    self.0.insert(source, mac);
                }
                Some(Device::Mac(mac))
            }
            (Form::Bridge, false) => self.0.get(&destination).copied().map(Device::Mac),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_device_is_known_by_the_packets_it_sent() {
        let mut neighbours = Neighbours::default();
        let mut bytes = [0_u8; 28];
        bytes[0] = 0x45;
        bytes[12..16].copy_from_slice(&[10, 0, 0, 7]);
        bytes[16..20].copy_from_slice(&[10, 0, 0, 2]);
        let mac = Some([2, 0, 0, 0, 0, 7]);
        let sent = Queued { id: 1, from: 3, to: 4, mac, length: 28, bytes: &bytes };
        let mut back = bytes;
        back[12..16].copy_from_slice(&[10, 0, 0, 2]);
        back[16..20].copy_from_slice(&[10, 0, 0, 7]);
        let got = Queued { mac: Some([2; 6]), bytes: &back, ..sent };
        assert_eq!(neighbours.device(Form::Bridge, false, &got), None);
        let device = neighbours.device(Form::Bridge, true, &sent).unwrap();
        assert_eq!(device.to_string(), "02:00:00:00:00:07");
        assert_eq!(neighbours.device(Form::Bridge, false, &got), Some(device));
        assert_eq!(neighbours.device(Form::Router, false, &got).unwrap().to_string(), "10.0.0.7");
        assert_eq!(ends(&[0x60; 20]), None, "cut within its header");
    }
}
