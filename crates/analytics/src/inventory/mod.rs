//! Passive inventory: which devices there are, from what they say on the wire.
//!
//! A device on the link is its MAC address; its internet addresses, names and services are dated
//! facts and may change. An address behind a router is a device of its own. Only senders are
//! devices: a scan must not invent thousands.

mod device;
mod facts;
mod kind;
mod mdns;
mod messages;

use hashbrown::HashMap;
use protocols::flow::Sighting;
use protocols::packet::{Net, PacketView, Transport, ip_protocol};
use serde::Serialize;

pub use facts::{
    Asked, AskedBy, Dated, DeviceFacts, FACTS_VERSION, Hint, HintKind, MAX_ADDRESSES, MAX_ASKED,
    MAX_HINTS, MAX_NAMES, MAX_SERVICES, MAX_TEXT, NameSource, Part, SPAN_US, STREAM_BYTES, Sent,
    Service, seen_as_it_is,
};
pub use kind::{DeviceKind, KindGuess, Reason, guess};

use crate::host::{Host, mix};
use crate::policy::is_local;
use device::{Device, ROUTER_ADDRESSES};
use facts::note;

/// Devices remembered unless chosen otherwise; beyond, new ones are counted and not remembered.
pub const DEFAULT_MAX_DEVICES: usize = 16_384;
/// How often a device that only goes on is told again, packet time.
pub const TOUCH_US: i64 = 600_000_000;
/// Recently seen pairs of MAC and internet address; a pair is looked at once in a span.
const RECENT: usize = 1_024;
/// Hop limit of neighbour discovery (RFC 4861, 3.1): who sends it cannot be behind a router.
const ON_LINK_HOPS: u8 = 255;

const TCP: u8 = 6;

/// What was noted and what was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct InventoryStats {
    /// Devices remembered.
    pub devices: u64,
    /// Packets of senders that found no place.
    pub beyond: u64,
}

/// A pair of MAC and internet address, and what it sent in the span that began at `since_us`.
#[derive(Clone, Copy, Debug)]
struct Recent {
    mac: Host,
    address: Host,
    since_us: i64,
    frames: u64,
    bytes: u64,
}

/// Collects facts about devices.
#[derive(Debug)]
pub struct Inventory {
    devices: HashMap<Host, Device>,
    /// Which MAC address an internet address was last seen with.
    owners: HashMap<Host, Host>,
    max_devices: usize,
    changed: Vec<Host>,
    recent: Vec<Recent>,
    beyond: u64,
}

impl Default for Inventory {
    fn default() -> Self {
        Self::new(DEFAULT_MAX_DEVICES)
    }
}

impl Inventory {
    /// An inventory of at most so many devices.
    #[must_use]
    pub fn new(max_devices: usize) -> Self {
        let nobody = Host::mac([0; 6]);
        let nothing =
            Recent { mac: nobody, address: nobody, since_us: i64::MIN, frames: 0, bytes: 0 };
        Self {
            devices: HashMap::new(),
            owners: HashMap::new(),
            max_devices: max_devices.max(1),
            changed: Vec::new(),
            recent: vec![nothing; RECENT],
            beyond: 0,
        }
    }

    /// What was noted so far.
    #[must_use]
    pub fn stats(&self) -> InventoryStats {
        InventoryStats { devices: self.devices.len() as u64, beyond: self.beyond }
    }

    /// Notes who sent a packet, and what it says of connections.
    pub fn packet(&mut self, ts_ns: i64, packet: &PacketView<'_>) {
        let at_us = ts_ns / 1_000;
        let (mac, address) = sender(packet);
        if let (Some(mac), Some(address)) = (mac, address) {
            self.seen(mac, address, packet, at_us);
        } else if let Some(only) = mac.or(address)
            && only.ip().is_none_or(is_local)
        {
            self.device(only, at_us);
        }
        if let Transport::Tcp { src_port, flags, .. } = packet.transport
            && flags.is_open_reply()
        {
            self.answered(packet, src_port, at_us);
        }
    }

    /// Counts a packet of a pair, and looks at the pair itself once in a span.
    fn seen(&mut self, mac: Host, address: Host, packet: &PacketView<'_>, at_us: i64) {
        let place = mix(mac.digest() ^ address.digest().rotate_left(1)) as usize % RECENT;
        let known = self.recent[place];
        let goes_on = at_us.saturating_sub(known.since_us) < SPAN_US && at_us >= known.since_us;
        if (known.mac, known.address) != (mac, address) || !goes_on {
            self.recent[place] = Recent { mac, address, since_us: at_us, frames: 0, bytes: 0 };
            self.account(known);
            self.sender(mac, address, claims(packet), at_us);
        } else if claims(packet) {
            self.sender(mac, address, true, at_us);
        }
        let span = &mut self.recent[place];
        span.frames += 1;
        span.bytes += u64::from(packet.wire_len);
    }

    /// Puts a span that has ended to the account of its device.
    fn account(&mut self, span: Recent) {
        if span.frames > 0
            && let Some(id) = self.id(Some(span.mac), Some(span.address))
            && let Some(device) = self.devices.get_mut(&id)
        {
            device.sent(span.frames, span.bytes);
        }
    }

    /// Notes what a message tells of its sender and receiver.
    pub fn message(&mut self, sighting: &Sighting<'_>) {
        messages::note(self, sighting);
    }

    /// Hands on the facts of each device that changed or was last told [`TOUCH_US`] ago.
    pub fn drain(&mut self, mut each: impl FnMut(DeviceFacts)) {
        for id in std::mem::take(&mut self.changed) {
            if let Some(device) = self.devices.get_mut(&id) {
                device.changed = false;
                if let Some(facts) = device.whole() {
                    device.told_us = facts.last_us;
                    each(facts);
                }
            }
        }
    }

    /// Whether [`Self::drain`] has something to tell.
    #[must_use]
    pub fn has_news(&self) -> bool {
        !self.changed.is_empty()
    }

    /// The facts of every device, in the order of their addresses.
    #[must_use]
    pub fn all(&mut self) -> Vec<DeviceFacts> {
        for place in 0..self.recent.len() {
            let span = self.recent[place];
            self.recent[place].since_us = i64::MIN;
            self.recent[place].frames = 0;
            self.account(span);
        }
        let mut all: Vec<_> = self.devices.iter().collect();
        all.sort_by_key(|(id, _)| **id);
        all.into_iter().filter_map(|(_, device)| device.whole()).collect()
    }

    /// A connection was answered: who answers offers the service, who is answered uses it.
    fn answered(&mut self, packet: &PacketView<'_>, port: u16, at_us: i64) {
        let service = || Service { transport: TCP, port, protocol: None };
        let of = |mac: Option<[u8; 6]>, ip: Option<std::net::IpAddr>| {
            (mac.map(Host::mac), ip.map(Host::from))
        };
        let (mac, address) = of(packet.src_mac, packet.src_ip());
        self.with(mac, address, at_us, |device, at_us| {
            device.play(Part::Server) | device.offer(service(), at_us)
        });
        let (mac, address) = of(packet.dst_mac, packet.dst_ip());
        self.with(mac, address, at_us, |device, at_us| {
            device.play(Part::Client) | device.use_service(service(), at_us)
        });
    }

    fn sender(&mut self, mac: Host, address: Host, claims: bool, at_us: i64) {
        let local = address.ip().is_some_and(is_local);
        let known = self.devices.get(&mac);
        let routed = known.is_some_and(|device| device.has(Part::Router));
        let own = claims || known.is_some_and(|device| device.claims(address));
        if !own && (!local || routed) {
            self.foreign(mac, address, local, at_us);
            return;
        }
        self.take(mac, address, claims);
        let Some(device) = self.device(mac, at_us) else { return };
        let Some(facts) = &mut device.facts else { return };
        let bound = (MAX_ADDRESSES, true);
        let new = note(&mut facts.addresses, address, at_us, bound, &mut facts.beyond);
        // Leases change; a router's addresses are there at the same time.
        let now = |known: &&Dated<Host>| {
            is_v4(known.value) && at_us.saturating_sub(known.last_us) < TOUCH_US
        };
        let together = facts.addresses.iter().filter(now).count();
        if claims {
            device.claim(address);
        }
        let routes = !own && together >= ROUTER_ADDRESSES && device.become_router();
        if new || routes {
            self.news(mac);
        }
    }

    /// An address that is not the sender's own: its packets were handed on.
    fn foreign(&mut self, mac: Host, address: Host, local: bool, at_us: i64) {
        if let Some(device) = self.device(mac, at_us) {
            let known = device.behind.contains(&address);
            if !known && device.behind.len() < ROUTER_ADDRESSES {
                device.behind.push(address);
            }
            // One foreign address may be a misconfigured host; many are a router's.
            if device.behind.len() >= ROUTER_ADDRESSES && device.become_router() {
                self.news(mac);
            }
        }
        if local {
            self.device(address, at_us);
        }
    }

    /// Remembers who has an address now; who claimed it before has lost it.
    fn take(&mut self, mac: Host, address: Host, claims: bool) {
        let place = self.owners.len() < self.max_devices.saturating_mul(MAX_ADDRESSES);
        if !place && !self.owners.contains_key(&address) {
            return;
        }
        let before = self.owners.insert(address, mac);
        if claims
            && let Some(before) = before.filter(|before| *before != mac)
            && let Some(device) = self.devices.get_mut(&before)
        {
            device.lose(address);
        }
    }

    /// The device of an end of a packet, if it is one we know, changed by `change`.
    fn with(
        &mut self,
        mac: Option<Host>,
        address: Option<Host>,
        at_us: i64,
        change: impl FnOnce(&mut Device, i64) -> bool,
    ) {
        let Some(id) = self.id(mac, address) else { return };
        let Some(device) = self.devices.get_mut(&id) else { return };
        if change(device, at_us) {
            self.news(id);
        }
    }

    /// The device that has an internet address now, changed by `change`.
    fn with_address(
        &mut self,
        address: Host,
        at_us: i64,
        change: impl FnOnce(&mut Device, i64) -> bool,
    ) {
        let mac = self.owners.get(&address).copied();
        self.with(mac, Some(address), at_us, change);
    }

    /// Which device an end is: its MAC address, unless that is a router's and the address another's.
    fn id(&self, mac: Option<Host>, address: Option<Host>) -> Option<Host> {
        let Some(mac) = mac else { return address };
        // Who asks for an address has none yet (RFC 2131, 4.1): the MAC address alone names it.
        let speaks = address.filter(|address| address.ip().is_none_or(|ip| !ip.is_unspecified()));
        let Some(address) = speaks else { return Some(mac) };
        let device = self.devices.get(&mac)?;
        let own = device
            .facts
            .as_ref()
            .is_some_and(|facts| facts.addresses.iter().any(|known| known.value == address));
        let behind = device.has(Part::Router) && self.devices.contains_key(&address);
        if own && !behind {
            Some(mac)
        } else {
            address.ip().is_some_and(is_local).then_some(address)
        }
    }

    /// The device of an id, made if there is a place for it.
    fn device(&mut self, id: Host, at_us: i64) -> Option<&mut Device> {
        if !self.devices.contains_key(&id) {
            if self.devices.len() >= self.max_devices {
                self.beyond += 1;
                return None;
            }
            self.devices.insert(id, Device::new(id, at_us));
            self.changed.push(id);
        }
        let device = self.devices.get_mut(&id)?;
        if let Some(facts) = &mut device.facts {
            facts.last_us = facts.last_us.max(at_us);
            if !device.changed && at_us.saturating_sub(device.told_us) >= TOUCH_US {
                device.changed = true;
                self.changed.push(id);
            }
        }
        Some(device)
    }

    fn news(&mut self, id: Host) {
        if let Some(device) = self.devices.get_mut(&id)
            && !device.changed
        {
            device.changed = true;
            self.changed.push(id);
        }
    }
}

/// MAC and internet address of the sender; addresses that name nobody are left out.
fn sender(packet: &PacketView<'_>) -> (Option<Host>, Option<Host>) {
    let names_a_host = |mac: &[u8; 6]| mac[0] & 1 == 0 && *mac != [0; 6];
    let mac = packet.src_mac.filter(names_a_host).map(Host::mac);
    let address = packet
        .src_ip()
        .filter(|address| !address.is_unspecified() && !address.is_multicast())
        .map(Host::from);
    (mac, address)
}

/// Whether a packet shows that its sender is on the link with the address it names: ARP, and ICMPv6
/// that no router handed on.
fn claims(packet: &PacketView<'_>) -> bool {
    match packet.net {
        Net::Arp { .. } => true,
        Net::V6 { protocol, hop_limit, .. } => {
            protocol == ip_protocol::ICMPV6 && hop_limit == ON_LINK_HOPS
        }
        _ => false,
    }
}

fn is_v4(host: Host) -> bool {
    host.ip().is_some_and(|address| address.is_ipv4())
}

#[cfg(test)]
mod tests;
