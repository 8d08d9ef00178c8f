//! Passive inventory: which devices there are, from what they say on the wire.
//!
//! A device on the link is its MAC address; its internet addresses, names and services are dated
//! facts and may change. An address behind a router is a device of its own. Only senders are
//! devices: a scan must not invent thousands.

mod facts;
mod kind;
mod messages;

use hashbrown::HashMap;
use protocols::app::Protocol;
use protocols::flow::Sighting;
use protocols::packet::{Net, PacketView, Transport};
use serde::Serialize;

pub use facts::{
    Dated, DeviceFacts, FACTS_VERSION, Hint, HintKind, MAX_ADDRESSES, MAX_HINTS, MAX_NAMES,
    MAX_SERVICES, MAX_TEXT, NameSource, Part, Service,
};
pub use kind::{DeviceKind, KindGuess, Reason, guess};

use crate::host::{Host, mix};
use crate::policy::is_local;
use facts::note;

/// Devices remembered unless chosen otherwise; beyond, new ones are counted and not remembered.
pub const DEFAULT_MAX_DEVICES: usize = 16_384;
/// How often a device that only goes on is told again, packet time.
pub const TOUCH_US: i64 = 600_000_000;
/// Internet addresses from one MAC address that make it a router.
const ROUTER_ADDRESSES: usize = 8;
/// Recently seen pairs of MAC and internet address (a cache; it changes no answer).
const RECENT: usize = 1_024;
/// A pair seen so recently is not looked at again, packet time.
const RECENT_US: i64 = 10_000_000;

const TCP: u8 = 6;

/// What was noted and what was not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct InventoryStats {
    /// Devices remembered.
    pub devices: u64,
    /// Packets of senders that found no place.
    pub beyond: u64,
}

#[derive(Debug, Default)]
struct Device {
    facts: Option<Box<DeviceFacts>>,
    protocols: u32,
    parts: u16,
    /// Foreign and surplus addresses seen from this MAC, up to [`ROUTER_ADDRESSES`].
    behind: Vec<Host>,
    changed: bool,
    told_us: i64,
}

/// Collects facts about devices.
#[derive(Debug)]
pub struct Inventory {
    devices: HashMap<Host, Device>,
    /// Which MAC address an internet address was last seen with.
    owners: HashMap<Host, Host>,
    max_devices: usize,
    changed: Vec<Host>,
    recent: Vec<(Host, Host, i64)>,
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
        Self {
            devices: HashMap::new(),
            owners: HashMap::new(),
            max_devices: max_devices.max(1),
            changed: Vec::new(),
            recent: vec![(nobody, nobody, i64::MIN); RECENT],
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
            let place = mix(mac.digest() ^ address.digest().rotate_left(1)) as usize % RECENT;
            let (known_mac, known_address, seen_us) = self.recent[place];
            let recent = at_us.saturating_sub(seen_us) < RECENT_US && at_us >= seen_us;
            if (known_mac, known_address) != (mac, address) || !recent {
                self.recent[place] = (mac, address, at_us);
                let claims = matches!(packet.net, Net::Arp { .. });
                self.sender(mac, address, claims, at_us);
            }
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
    pub fn all(&self) -> Vec<DeviceFacts> {
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
        let routed = self.devices.get(&mac).is_some_and(|device| device.has(Part::Router));
        if !claims && (!local || routed) {
            if let Some(device) = self.device(mac, at_us) {
                let known = device.behind.contains(&address);
                if !known && device.behind.len() < ROUTER_ADDRESSES {
                    device.behind.push(address);
                }
                // One foreign address may be a misconfigured host; many are a router's.
                if device.behind.len() >= ROUTER_ADDRESSES && device.play(Part::Router) {
                    self.news(mac);
                }
            }
            if local {
                self.device(address, at_us);
            }
            return;
        }
        let place = self.owners.len() < self.max_devices.saturating_mul(MAX_ADDRESSES);
        if place || self.owners.contains_key(&address) {
            self.owners.insert(address, mac);
        }
        let Some(device) = self.device(mac, at_us) else { return };
        let Some(facts) = &mut device.facts else { return };
        let bound = (MAX_ADDRESSES, true);
        let new = note(&mut facts.addresses, address, at_us, bound, &mut facts.beyond);
        let private = facts.addresses.iter().filter(|known| is_v4(known.value)).count();
        let routes = !claims && private >= ROUTER_ADDRESSES && device.play(Part::Router);
        if new || routes {
            self.news(mac);
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
        let Some(address) = address else { return Some(mac) };
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

fn is_v4(host: Host) -> bool {
    host.ip().is_some_and(|address| address.is_ipv4())
}

impl Device {
    fn new(id: Host, at_us: i64) -> Self {
        let on_link = id.as_mac().is_some();
        let address = Dated { value: id, first_us: at_us, last_us: at_us };
        let facts = DeviceFacts {
            version: FACTS_VERSION,
            mac: on_link.then_some(id),
            addresses: if on_link { Vec::new() } else { vec![address] },
            names: Vec::new(),
            hints: Vec::new(),
            offers: Vec::new(),
            uses: Vec::new(),
            protocols: Vec::new(),
            parts: Vec::new(),
            first_us: at_us,
            last_us: at_us,
            beyond: 0,
        };
        Self { facts: Some(Box::new(facts)), changed: true, told_us: at_us, ..Self::default() }
    }

    fn has(&self, part: Part) -> bool {
        self.parts & 1 << part as u16 != 0
    }

    fn play(&mut self, part: Part) -> bool {
        let new = !self.has(part);
        self.parts |= 1 << part as u16;
        new
    }

    fn speak(&mut self, protocol: Protocol) -> bool {
        let bit = 1 << protocol as u32;
        let new = self.protocols & bit == 0;
        self.protocols |= bit;
        new
    }

    fn offer(&mut self, service: Service, at_us: i64) -> bool {
        self.facts
            .as_mut()
            .is_some_and(|facts| note_service(&mut facts.offers, service, at_us, &mut facts.beyond))
    }

    fn use_service(&mut self, service: Service, at_us: i64) -> bool {
        self.facts
            .as_mut()
            .is_some_and(|facts| note_service(&mut facts.uses, service, at_us, &mut facts.beyond))
    }

    fn name(&mut self, source: NameSource, name: &[u8], at_us: i64) -> bool {
        let text = facts::printable(name);
        let bound = (MAX_NAMES, false);
        !text.is_empty()
            && self.facts.as_mut().is_some_and(|facts| {
                note(&mut facts.names, (source, text), at_us, bound, &mut facts.beyond)
            })
    }

    fn hint(&mut self, kind: HintKind, text: &[u8], at_us: i64) -> bool {
        let text = facts::printable(text);
        let bound = (MAX_HINTS, false);
        !text.is_empty()
            && self.facts.as_mut().is_some_and(|facts| {
                note(&mut facts.hints, Hint { kind, text }, at_us, bound, &mut facts.beyond)
            })
    }

    /// The facts with what is kept as bits.
    fn whole(&self) -> Option<DeviceFacts> {
        let mut facts = self.facts.as_deref()?.clone();
        let spoken = Protocol::ALL.into_iter().filter(|p| self.protocols & 1 << *p as u32 != 0);
        facts.protocols = spoken.map(|protocol| protocol.name().to_owned()).collect();
        facts.parts = Part::ALL.into_iter().filter(|part| self.has(*part)).collect();
        Some(facts)
    }
}

/// A service known without its protocol learns it; otherwise as [`note`].
fn note_service(
    services: &mut Vec<Dated<Service>>,
    service: Service,
    at_us: i64,
    beyond: &mut u64,
) -> bool {
    let same = |known: &&mut Dated<Service>| {
        (known.value.transport, known.value.port) == (service.transport, service.port)
    };
    if let Some(known) = services.iter_mut().find(same) {
        known.last_us = known.last_us.max(at_us);
        let learned = known.value.protocol.is_none() && service.protocol.is_some();
        if learned {
            known.value.protocol = service.protocol;
        }
        return learned;
    }
    note(services, service, at_us, (MAX_SERVICES, false), beyond)
}

#[cfg(test)]
mod tests;
