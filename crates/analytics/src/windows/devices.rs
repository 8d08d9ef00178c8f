//! Which device a packet belongs to: addresses, MAC bindings, bounded growth.

use std::net::IpAddr;

use hashbrown::{HashMap, HashSet};

use super::open::{Attempts, Open};
use super::segment::{Class, Segment};
use crate::host::Host;
use crate::policy::{DevicePolicy, is_local};

/// State of one device. Everything but the name is empty while the device is idle.
#[derive(Debug)]
pub(super) struct Device {
    pub(super) host: Host,
    pub(super) mac: Option<[u8; 6]>,
    /// Window in progress.
    pub(super) current: Open,
    /// Window before it, until late answers can no longer come.
    pub(super) previous: Open,
    pub(super) attempts: Attempts,
    last_seen_us: i64,
}

/// A device that sent nothing for so long gives its place to a new one when the table is full.
const IDLE_US: i64 = 3_600_000_000;

/// The devices known so far, by address and by MAC address.
#[derive(Debug)]
pub(super) struct Devices {
    /// Names given by a list; `None` means every local address that sends.
    listed: Option<HashSet<Host>>,
    limit: usize,
    slots: Vec<Device>,
    free: Vec<u32>,
    by_host: HashMap<Host, u32>,
    by_mac: HashMap<[u8; 6], u32>,
    swept_us: Option<i64>,
    /// Packets of new devices that found no place.
    pub(super) refused: u64,
}

impl Devices {
    pub(super) fn new(policy: DevicePolicy, limit: usize) -> Self {
        let listed = match policy {
            DevicePolicy::Local => None,
            DevicePolicy::Listed(names) => Some(names.into_iter().collect()),
        };
        Self {
            listed,
            limit: limit.min(u32::MAX as usize),
            slots: Vec::new(),
            free: Vec::new(),
            by_host: HashMap::new(),
            by_mac: HashMap::new(),
            swept_us: None,
            refused: 0,
        }
    }

    #[inline]
    pub(super) fn get_mut(&mut self, slot: u32) -> Option<&mut Device> {
        self.slots.get_mut(slot as usize)
    }

    /// The sending and the receiving device of a packet, where they are devices of ours.
    #[inline]
    pub(super) fn resolve(&mut self, segment: &Segment, now_us: i64) -> (Option<u32>, Option<u32>) {
        if self.listed.is_none() {
            (self.local_sender(segment, now_us), self.local_receiver(segment))
        } else {
            self.listed(segment, now_us)
        }
    }

    /// The device that one end of a message is, as packets found it.
    pub(super) fn find(&self, ip: Option<IpAddr>, mac: Option<[u8; 6]>) -> Option<u32> {
        let host = ip.map(Host::from);
        if self.listed.is_some() {
            return self.by_host.get(&self.listed_name(mac, host)?).copied();
        }
        let by_mac = || self.by_mac.get(&mac?);
        let by_host = || self.by_host.get(&host?);
        match ip {
            // An IPv6 address is one of several of its device, told by the MAC address.
            Some(IpAddr::V6(ip)) if is_local(IpAddr::V6(ip)) => by_mac().or_else(by_host).copied(),
            Some(IpAddr::V4(ip)) if !ip.is_unspecified() => by_host().copied(),
            Some(IpAddr::V6(ip)) if !ip.is_unspecified() => None,
            _ => by_mac().copied(),
        }
    }

    fn local_sender(&mut self, segment: &Segment, now_us: i64) -> Option<u32> {
        let Some(host) = segment.src.filter(|host| !is_unspecified(*host)) else {
            // DHCP requests and frames without an internet protocol: known by their MAC address.
            return self.by_mac.get(&segment.src_mac?).copied();
        };
        let ip = host.ip().filter(|ip| is_local(*ip))?;
        if ip.is_ipv6()
            && let Some(mac) = segment.src_mac
            && let Some(slot) = self.by_mac.get(&mac)
        {
            return Some(*slot);
        }
        let slot = self.find_or_create(host, now_us)?;
        if ip.is_ipv4() && self.slots[slot as usize].mac != segment.src_mac {
            self.bind(slot, segment);
        }
        Some(slot)
    }

    fn local_receiver(&self, segment: &Segment) -> Option<u32> {
        let Some(host) = segment.dst else {
            return self.by_mac.get(&segment.dst_mac?).copied();
        };
        match host.ip()? {
            IpAddr::V4(ip) if is_local(IpAddr::V4(ip)) => self.by_host.get(&host).copied(),
            IpAddr::V6(ip) if is_local(IpAddr::V6(ip)) => segment
                .dst_mac
                .and_then(|mac| self.by_mac.get(&mac))
                .or_else(|| self.by_host.get(&host))
                .copied(),
            _ => None,
        }
    }

    fn listed(&mut self, segment: &Segment, now_us: i64) -> (Option<u32>, Option<u32>) {
        let sender = self.listed_name(segment.src_mac, segment.src);
        let receiver = self.listed_name(segment.dst_mac, segment.dst);
        let sender = sender.and_then(|host| self.find_or_create(host, now_us));
        if let Some(slot) = sender {
            self.slots[slot as usize].mac = segment.src_mac;
        }
        (sender, receiver.and_then(|host| self.find_or_create(host, now_us)))
    }

    fn listed_name(&self, mac: Option<[u8; 6]>, host: Option<Host>) -> Option<Host> {
        let names = self.listed.as_ref()?;
        let mac = mac.map(Host::mac);
        mac.filter(|mac| names.contains(mac)).or_else(|| host.filter(|host| names.contains(host)))
    }

    /// The MAC address now speaks for the device: always when ARP says so, otherwise only if it
    /// spoke for nobody (a router forwards for many).
    #[cold]
    fn bind(&mut self, slot: u32, segment: &Segment) {
        self.slots[slot as usize].mac = segment.src_mac;
        let Some(mac) = segment.src_mac else { return };
        if segment.class == Class::Arp
            || (self.by_mac.len() < self.limit && !self.by_mac.contains_key(&mac))
        {
            self.by_mac.insert(mac, slot);
        }
    }

    #[inline]
    fn find_or_create(&mut self, host: Host, now_us: i64) -> Option<u32> {
        if let Some(slot) = self.by_host.get(&host) {
            return Some(*slot);
        }
        self.create(host, now_us)
    }

    #[cold]
    fn create(&mut self, host: Host, now_us: i64) -> Option<u32> {
        if self.free.is_empty() && self.slots.len() >= self.limit {
            self.sweep(now_us);
        }
        let slot = if let Some(slot) = self.free.pop() {
            self.slots[slot as usize].host = host;
            slot
        } else if self.slots.len() < self.limit {
            self.slots.push(Device {
                host,
                mac: None,
                current: Open::default(),
                previous: Open::default(),
                attempts: Attempts::default(),
                last_seen_us: now_us,
            });
            (self.slots.len() - 1) as u32
        } else {
            self.refused += 1;
            return None;
        };
        self.by_host.insert(host, slot);
        Some(slot)
    }

    /// Frees the places of devices that are idle for long. At most once per idle time, so that a
    /// flood of new addresses does not pay for a scan each.
    fn sweep(&mut self, now_us: i64) {
        if self.swept_us.is_some_and(|swept| now_us.abs_diff(swept) < IDLE_US.unsigned_abs() / 60) {
            return;
        }
        self.swept_us = Some(now_us);
        for (slot, device) in self.slots.iter_mut().enumerate() {
            let idle = device.current.is_empty()
                && device.previous.is_empty()
                && now_us.saturating_sub(device.last_seen_us) >= IDLE_US;
            if idle && self.by_host.remove(&device.host).is_some() {
                device.mac = None;
                device.attempts.clear();
                self.free.push(slot as u32);
            }
        }
        let free: HashSet<u32> = self.free.iter().copied().collect();
        self.by_mac.retain(|_, slot| !free.contains(slot));
    }
}

impl Device {
    /// Remembers that the device closed a window with traffic at this time.
    pub(super) fn seen(&mut self, at_us: i64) {
        self.last_seen_us = at_us;
    }
}

fn is_unspecified(host: Host) -> bool {
    host.ip().is_some_and(|ip| ip.is_unspecified())
}
