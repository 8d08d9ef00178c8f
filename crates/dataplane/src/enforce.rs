//! Carries out orders and reads the counters.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::{BlockTarget, Outcome, Timestamp};
use ports::edge::{DeviceCounters, FromEdge, Order, Verb};
use serde_json::{Value, json};

use crate::clock;
use crate::outbox::Outbox;

/// How often counters are read.
pub const COUNTERS_EVERY: Duration = Duration::from_millis(250);
/// Orders whose outcome is remembered, so that a repeated one is answered and not done again.
pub const MAX_REMEMBERED: usize = 1_024;
/// Longest block, seconds (30 days).
pub const MAX_TIMEOUT_S: u32 = 30 * 86_400;
/// Addresses whose MAC is remembered.
pub const MAX_ADDRESSES: usize = 4_096;

/// Packets and bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Packets.
    pub packets: u64,
    /// Bytes, link header included.
    pub bytes: u64,
}

/// What the table holds, by MAC address in lower-case colon form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Blocked now.
    pub blocked: BTreeSet<String>,
    /// Forwarded from and to the device since the table was made.
    pub forwarded: BTreeMap<String, Count>,
    /// Dropped by an order.
    pub dropped: BTreeMap<String, Count>,
}

/// Something that can stop frames of a device.
pub trait Table: Send {
    /// Drops everything from and to `mac` for `timeout_s` seconds, anew if it is already blocked.
    ///
    /// # Errors
    /// What failed, for people.
    fn block(&mut self, mac: &str, timeout_s: u32) -> Result<(), String>;
    /// Lifts the block of `mac`, if there is one.
    ///
    /// # Errors
    /// What failed, for people.
    fn release(&mut self, mac: &str) -> Result<(), String>;
    /// Lifts all blocks.
    ///
    /// # Errors
    /// What failed, for people.
    fn release_all(&mut self) -> Result<(), String>;
    /// Reads everything back.
    ///
    /// # Errors
    /// What failed, for people.
    fn read(&mut self) -> Result<Reading, String>;
}

/// What the watch knows and the enforcement needs, and the other way round.
#[derive(Debug, Default)]
pub struct Shared {
    at_us: AtomicI64,
    capture_dropped: AtomicU64,
    release_all: AtomicBool,
    macs: Mutex<HashMap<std::net::IpAddr, String>>,
}

impl Shared {
    /// Packet time reached.
    pub fn reached(&self, at: Timestamp) {
        self.at_us.store(at.as_micros(), Ordering::Relaxed);
    }
    /// Packets the capture had to drop since the start.
    pub fn capture_dropped(&self, packets: u64) {
        self.capture_dropped.store(packets, Ordering::Relaxed);
    }
    /// The source starts again: blocks are to be lifted.
    pub fn restart(&self) {
        self.release_all.store(true, Ordering::Relaxed);
    }
    /// An address was seen at a MAC; the oldest are not evicted, beyond the bound new ones are not
    /// kept (orders then need the MAC).
    pub fn seen(&self, address: std::net::IpAddr, mac: String) {
        let mut macs = self.macs.lock().unwrap_or_else(PoisonError::into_inner);
        if macs.len() < MAX_ADDRESSES || macs.contains_key(&address) {
            macs.insert(address, mac);
        }
    }
    fn mac_of(&self, target: &BlockTarget) -> Option<String> {
        let macs = self.macs.lock().unwrap_or_else(PoisonError::into_inner);
        target.addresses.iter().find_map(|address| macs.get(address).cloned())
    }
}

/// Takes orders one by one.
pub struct Enforcement {
    table: Result<Box<dyn Table>, String>,
    remembered: HashMap<String, Outcome>,
    order_of_keys: VecDeque<String>,
    shared: Arc<Shared>,
    failing: bool,
}

impl Enforcement {
    /// With a table, or with the reason why there is none: then every order is answered "not
    /// enforced".
    pub fn new(table: Result<Box<dyn Table>, String>, shared: Arc<Shared>) -> Self {
        let (remembered, order_of_keys) = (HashMap::new(), VecDeque::new());
        Self { table, remembered, order_of_keys, shared, failing: false }
    }

    /// Runs until told to stop or nobody can order any more.
    pub fn run(&mut self, orders: &Receiver<Order>, outbox: &Outbox, stop: &AtomicBool) {
        let mut read_at = Duration::ZERO;
        while !stop.load(Ordering::Relaxed) {
            let passed = clock::monotonic().saturating_sub(read_at);
            match orders.recv_timeout(COUNTERS_EVERY.saturating_sub(passed)) {
                Ok(order) => {
                    self.lift_all_if_asked();
                    let outcome = self.carry_out(&order);
                    outbox.answer(FromEdge::OrderDone { key: order.key, outcome });
                    // The effect shows at once.
                    read_at = Duration::ZERO;
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.lift_all_if_asked();
                    read_at = clock::monotonic();
                    if let Some(counters) = self.counters(outbox.refused_packets()) {
                        outbox.counters(counters);
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn lift_all_if_asked(&mut self) {
        if self.shared.release_all.swap(false, Ordering::Relaxed)
            && let Ok(table) = &mut self.table
            && let Err(error) = table.release_all()
        {
            tracing::error!(%error, "blocks could not be lifted for the new start");
        }
    }

    /// Carries an order out, once per key.
    pub fn carry_out(&mut self, order: &Order) -> Outcome {
        if let Some(outcome) = self.remembered.get(&order.key) {
            return outcome.clone();
        }
        let outcome = self.attempt(order);
        if !matches!(outcome, Outcome::Failed { retry: true, .. }) {
            if self.order_of_keys.len() >= MAX_REMEMBERED
                && let Some(oldest) = self.order_of_keys.pop_front()
            {
                self.remembered.remove(&oldest);
            }
            self.order_of_keys.push_back(order.key.clone());
            self.remembered.insert(order.key.clone(), outcome.clone());
        }
        outcome
    }

    fn attempt(&mut self, order: &Order) -> Outcome {
        let wrong = |reason: String| Outcome::Failed { reason, retry: false };
        let table = match &mut self.table {
            Ok(table) => table,
            Err(reason) => {
                return Outcome::NotEnforced { reason: reason.clone(), data: Value::Null };
            }
        };
        let mac = match &order.target.mac {
            Some(mac) => Some(mac.to_ascii_lowercase()),
            None => self.shared.mac_of(&order.target),
        };
        let Some(mac) = mac else {
            let reason = "this gateway has not seen the device: name it by its MAC address";
            return wrong(reason.to_owned());
        };
        if analytics::host::parse_mac(&mac).is_none() {
            return wrong(format!("'{mac}' is not a MAC address such as b8:27:eb:00:00:01"));
        }
        let result = match order.verb {
            Verb::Block { timeout_s } if !(1..=MAX_TIMEOUT_S).contains(&timeout_s) => {
                return wrong(format!(
                    "a block lasts 1 to {MAX_TIMEOUT_S} seconds, not {timeout_s}"
                ));
            }
            Verb::Block { timeout_s } => block(table.as_mut(), &mac, timeout_s),
            Verb::Release => release(table.as_mut(), &mac),
        };
        result.unwrap_or_else(|reason| Outcome::Failed { reason, retry: true })
    }

    /// The counters as they stand; `None` when they cannot be read (said once).
    pub fn counters(&mut self, refused_packets: u64) -> Option<FromEdge> {
        let at = Timestamp::from_micros(self.shared.at_us.load(Ordering::Relaxed));
        let capture_dropped =
            self.shared.capture_dropped.load(Ordering::Relaxed).saturating_add(refused_packets);
        let devices = match &mut self.table {
            Err(_) => Vec::new(),
            Ok(table) => match table.read() {
                Ok(reading) => {
                    self.failing = false;
                    lines(&reading)
                }
                Err(error) => {
                    if !self.failing {
                        tracing::error!(%error, "counters cannot be read");
                    }
                    self.failing = true;
                    return None;
                }
            },
        };
        Some(FromEdge::Counters { at, devices, capture_dropped })
    }
}

fn data(reading: &Reading, mac: &str) -> Value {
    let count = |of: &BTreeMap<String, Count>| of.get(mac).copied().unwrap_or_default();
    let (forwarded, dropped) = (count(&reading.forwarded), count(&reading.dropped));
    json!({
        "mac": mac,
        "forwarded_before": forwarded.packets,
        "forwarded_bytes_before": forwarded.bytes,
        "dropped_before": dropped.packets,
    })
}

/// Blocks, and reads the table back: only what is seen there is called done.
fn block(table: &mut dyn Table, mac: &str, timeout_s: u32) -> Result<Outcome, String> {
    table.block(mac, timeout_s)?;
    let reading = table.read()?;
    if !reading.blocked.contains(mac) {
        return Err(format!("the table does not show {mac} after it was added"));
    }
    let mut data = data(&reading, mac);
    data["timeout_s"] = json!(timeout_s);
    let summary = format!("{mac} is blocked for {timeout_s} s");
    Ok(Outcome::Done { summary, data })
}

fn release(table: &mut dyn Table, mac: &str) -> Result<Outcome, String> {
    table.release(mac)?;
    let reading = table.read()?;
    if reading.blocked.contains(mac) {
        return Err(format!("the table still shows {mac} after it was removed"));
    }
    Ok(Outcome::Done { summary: format!("{mac} may pass again"), data: data(&reading, mac) })
}

fn lines(reading: &Reading) -> Vec<DeviceCounters> {
    let macs: BTreeSet<&String> = reading
        .forwarded
        .keys()
        .chain(reading.dropped.keys())
        .chain(reading.blocked.iter())
        .collect();
    macs.into_iter()
        .map(|mac| {
            let forwarded = reading.forwarded.get(mac).copied().unwrap_or_default();
            let dropped = reading.dropped.get(mac).copied().unwrap_or_default();
            DeviceCounters {
                mac: mac.clone(),
                forwarded_packets: forwarded.packets,
                forwarded_bytes: forwarded.bytes,
                dropped_packets: dropped.packets,
                dropped_bytes: dropped.bytes,
                blocked: reading.blocked.contains(mac),
            }
        })
        .collect()
}

#[cfg(test)]
#[path = "enforce_tests.rs"]
mod tests;
