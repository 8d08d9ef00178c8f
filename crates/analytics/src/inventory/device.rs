//! One device while it is being watched: its facts, and what is cheaper kept as bits.

use protocols::app::Protocol;

use super::facts::{
    self, Asked, AskedBy, Dated, DeviceFacts, FACTS_VERSION, Hint, HintKind, MAX_ADDRESSES,
    MAX_ASKED, MAX_HINTS, MAX_NAMES, MAX_SERVICES, NameSource, Part, STREAM_BYTES, Sent, Service,
    note,
};
use crate::host::Host;

/// Internet addresses from one MAC address that make it a router.
pub(super) const ROUTER_ADDRESSES: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Device {
    pub(super) facts: Option<Box<DeviceFacts>>,
    protocols: u32,
    parts: u16,
    /// Addresses not its own seen from this MAC, up to [`ROUTER_ADDRESSES`].
    pub(super) behind: Vec<Host>,
    /// Addresses it claimed on the link itself (ARP, neighbour discovery), the newest
    /// [`MAX_ADDRESSES`]: these are its own even where it hands on packets of others.
    claimed: Vec<Host>,
    pub(super) changed: bool,
    pub(super) told_us: i64,
}

impl Device {
    pub(super) fn new(id: Host, at_us: i64) -> Self {
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
            asked: Vec::new(),
            sent: Sent::default(),
            protocols: Vec::new(),
            parts: Vec::new(),
            first_us: at_us,
            last_us: at_us,
            beyond: 0,
        };
        Self { facts: Some(Box::new(facts)), changed: true, told_us: at_us, ..Self::default() }
    }

    pub(super) fn has(&self, part: Part) -> bool {
        self.parts & 1 << part as u16 != 0
    }

    pub(super) fn play(&mut self, part: Part) -> bool {
        let new = !self.has(part);
        self.parts |= 1 << part as u16;
        new
    }

    pub(super) fn speak(&mut self, protocol: Protocol) -> bool {
        let bit = 1 << protocol as u32;
        let new = self.protocols & bit == 0;
        self.protocols |= bit;
        new
    }

    pub(super) fn offer(&mut self, service: Service, at_us: i64) -> bool {
        self.facts
            .as_mut()
            .is_some_and(|facts| note_service(&mut facts.offers, service, at_us, &mut facts.beyond))
    }

    pub(super) fn use_service(&mut self, service: Service, at_us: i64) -> bool {
        self.facts
            .as_mut()
            .is_some_and(|facts| note_service(&mut facts.uses, service, at_us, &mut facts.beyond))
    }

    pub(super) fn name(&mut self, source: NameSource, name: &[u8], at_us: i64) -> bool {
        let text = facts::printable(name);
        let bound = (MAX_NAMES, false);
        !text.is_empty()
            && self.facts.as_mut().is_some_and(|facts| {
                note(&mut facts.names, (source, text), at_us, bound, &mut facts.beyond)
            })
    }

    pub(super) fn hint(&mut self, kind: HintKind, text: &[u8], at_us: i64) -> bool {
        let text = facts::printable(text);
        let bound = (MAX_HINTS, false);
        !text.is_empty()
            && self.facts.as_mut().is_some_and(|facts| {
                note(&mut facts.hints, Hint { kind, text }, at_us, bound, &mut facts.beyond)
            })
    }

    /// A name of the outside world that it asks for. Once the list is full, new names alone are no
    /// news: who browses would be told again and again.
    pub(super) fn ask(&mut self, by: AskedBy, name: &[u8], at_us: i64) -> bool {
        let name = facts::domain(name);
        let Some(facts) = self.facts.as_mut().filter(|_| !name.is_empty()) else { return false };
        let full = facts.asked.len() >= MAX_ASKED;
        let bound = (MAX_ASKED, true);
        note(&mut facts.asked, Asked { by, name }, at_us, bound, &mut facts.beyond) && !full
    }

    /// What it sent in one span.
    pub(super) fn sent(&mut self, frames: u64, bytes: u64) {
        if let Some(facts) = &mut self.facts {
            let sent = &mut facts.sent;
            sent.frames = sent.frames.saturating_add(frames);
            sent.bytes = sent.bytes.saturating_add(bytes);
            sent.spans += 1;
            sent.streaming += u64::from(bytes >= STREAM_BYTES);
        }
    }

    /// It claims an address on the link.
    pub(super) fn claim(&mut self, address: Host) {
        if !self.claimed.contains(&address) {
            if self.claimed.len() >= MAX_ADDRESSES {
                self.claimed.remove(0);
            }
            self.claimed.push(address);
            self.behind.retain(|foreign| *foreign != address);
        }
    }

    /// Another claims an address.
    pub(super) fn lose(&mut self, address: Host) {
        self.claimed.retain(|own| *own != address);
    }

    pub(super) fn claims(&self, address: Host) -> bool {
        self.claimed.contains(&address)
    }

    /// It turns out to hand on packets of others: addresses it never claimed are not its own.
    pub(super) fn become_router(&mut self) -> bool {
        let new = self.play(Part::Router);
        if new && let Some(facts) = &mut self.facts {
            facts.addresses.retain(|known| self.claimed.contains(&known.value));
        }
        new
    }

    /// The facts with what is kept as bits.
    pub(super) fn whole(&self) -> Option<DeviceFacts> {
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
