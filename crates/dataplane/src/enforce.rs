//! Carries out orders, keeps the policy, and reads the counters.

mod inlined;
mod protect;
mod shared;
mod standing;
mod steps;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use model::Outcome;
use ports::edge::{
    Count, DeviceCounters, Dropped, FromEdge, GatewayPolicy, Mode, Order, Standing, Totals, Verb,
};

use crate::clock;
use crate::inline::Device;
use crate::nft::{Form, Placed};
use crate::outbox::Outbox;
use crate::prove::Prove;

pub use protect::Protected;
pub use shared::{MAX_ADDRESSES, Shared};
pub use standing::{Book, Held, MAX_RULES, MAX_STANDING};

/// How often counters are read.
pub const COUNTERS_EVERY: Duration = Duration::from_millis(250);
/// How often the gateway gives the kernel a sign of life.
pub const BEAT_EVERY: Duration = Duration::from_secs(1);
/// A watch that has not gone round for so long is dead: no sign of life is given for it.
pub const WATCH_DEAD_AFTER: Duration = Duration::from_secs(10);
/// Orders whose outcome is remembered, so that a repeated one is answered and not done again.
pub const MAX_REMEMBERED: usize = 1_024;
/// Longest order, seconds (30 days).
pub const MAX_TIMEOUT_S: u32 = 30 * 86_400;

/// Counts of one device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceReading {
    /// Forwarded from and to it since the table was made.
    pub forwarded: Count,
    /// Dropped, by reason.
    pub dropped: Dropped,
}

/// What the table shows of one order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderReading {
    /// Seconds until it ends.
    pub left_s: u32,
    /// It has not ended.
    pub alive: bool,
    /// What it caught.
    pub caught: Count,
}

/// What the table holds; devices by MAC address in lower-case colon form, or by internet address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Blocked as a whole now, with the seconds left.
    pub blocked: BTreeMap<String, u32>,
    /// Devices.
    pub devices: BTreeMap<String, DeviceReading>,
    /// Orders with rules of their own.
    pub orders: BTreeMap<u16, OrderReading>,
    /// All packets.
    pub totals: Totals,
    /// Frames of the self-test that passed.
    pub probe_passed: u64,
    /// Frames of the self-test that were dropped.
    pub probe_dropped: u64,
}

/// Something that can stop frames of a device.
pub trait Table: Send {
    /// How devices are told.
    fn form(&self) -> Form;
    /// Puts the policy into effect.
    ///
    /// # Errors
    /// What failed, for people; the old policy then still holds.
    fn policy(&mut self, policy: &GatewayPolicy) -> Result<(), String>;
    /// Puts an order into effect for `timeout_s` seconds, anew if it is in effect.
    ///
    /// # Errors
    /// What failed, for people.
    fn place(&mut self, placed: &Placed, timeout_s: u32) -> Result<(), String>;
    /// Takes an order out of effect.
    ///
    /// # Errors
    /// What failed, for people.
    fn remove(&mut self, placed: &Placed) -> Result<(), String>;
    /// Gives a sign of life; without one the fail mode takes over.
    ///
    /// # Errors
    /// What failed, for people.
    fn beat(&mut self) -> Result<(), String>;
    /// Reads everything back.
    ///
    /// # Errors
    /// What failed, for people.
    fn read(&mut self) -> Result<Reading, String>;
}

/// What a gateway enforces with.
pub struct Arms {
    /// The table.
    pub table: Box<dyn Table>,
    /// Shows that a block holds, or why that cannot be shown here.
    pub prover: Result<Box<dyn Prove>, String>,
    /// Whom no order may cut off.
    pub protected: Protected,
    /// What is kept over restarts.
    pub book: Book,
    /// What the table of an earlier process held.
    pub before: Option<Reading>,
}

/// What the link hands on.
#[derive(Clone, Debug, PartialEq)]
pub enum Ask {
    /// An order.
    Order(Order),
    /// A policy.
    Policy(Box<GatewayPolicy>),
}

/// File of an edge's state, where one is kept.
pub type StateFile = Option<PathBuf>;

/// Takes orders one by one.
pub struct Enforcement {
    arms: Result<Arms, String>,
    remembered: HashMap<String, Outcome>,
    order_of_keys: VecDeque<String>,
    shared: Arc<Shared>,
    failing: bool,
    beaten_at: Duration,
}

impl Enforcement {
    /// With something to enforce with, or with the reason why there is nothing: then every order is
    /// answered "not enforced".
    pub fn new(arms: Result<Arms, String>, shared: Arc<Shared>) -> Self {
        let (remembered, order_of_keys) = (HashMap::new(), VecDeque::new());
        let mut enforcement = Self {
            arms,
            remembered,
            order_of_keys,
            shared,
            failing: false,
            beaten_at: Duration::ZERO,
        };
        if let Ok(arms) = &mut enforcement.arms {
            arms.take_up();
            enforcement.shared.set_mode(arms.book.policy.mode);
            enforcement.shared.inline.set_suspects(arms.suspects());
        }
        enforcement
    }

    /// Runs until told to stop or nobody can order any more.
    pub fn run(&mut self, asks: &Receiver<Ask>, outbox: &Outbox, stop: &AtomicBool) {
        let mut read_at = Duration::ZERO;
        while !stop.load(Ordering::Relaxed) {
            self.beat();
            let passed = clock::monotonic().saturating_sub(read_at);
            match asks.recv_timeout(COUNTERS_EVERY.saturating_sub(passed)) {
                Ok(Ask::Order(order)) => {
                    self.lift_all_if_asked();
                    let outcome = self.carry_out(&order);
                    outbox.answer(FromEdge::OrderDone { key: order.key, outcome });
                    // The effect shows at once.
                    read_at = Duration::ZERO;
                }
                Ok(Ask::Policy(policy)) => {
                    let version = policy.version;
                    let problem = self.take_policy(*policy).err();
                    outbox.answer(FromEdge::PolicyTaken { version, problem });
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

    /// A sign of life, unless the watch is dead: then nobody looks at what passes.
    fn beat(&mut self) {
        let now = clock::monotonic();
        if now.saturating_sub(self.beaten_at) < BEAT_EVERY
            || self.shared.stands_still(WATCH_DEAD_AFTER)
        {
            return;
        }
        if let Ok(arms) = &mut self.arms {
            self.beaten_at = now;
            if let Err(error) = arms.table.beat() {
                tracing::error!(%error, "no sign of life could be given: the fail mode takes over soon");
            }
        }
    }

    fn lift_all_if_asked(&mut self) {
        if self.shared.take_restart()
            && let Ok(arms) = &mut self.arms
            && let Err(error) = arms.end(|_| true)
        {
            tracing::error!(%error, "orders could not be lifted for the new start");
        }
    }

    /// Puts a policy into effect and keeps it.
    ///
    /// # Errors
    /// Why it does not hold, for people; the one before still does.
    pub fn take_policy(&mut self, policy: GatewayPolicy) -> Result<(), String> {
        let mode = policy.mode;
        self.arms.as_mut().map_err(|reason| reason.clone())?.take_policy(policy)?;
        self.shared.set_mode(mode);
        Ok(())
    }

    /// Carries an order out, once per key.
    pub fn carry_out(&mut self, order: &Order) -> Outcome {
        if let Some(outcome) = self.remembered.get(&order.key) {
            return outcome.clone();
        }
        let outcome = match &mut self.arms {
            Ok(arms) => {
                let outcome = arms.attempt(order, &self.shared);
                self.shared.inline.set_suspects(arms.suspects());
                outcome
            }
            Err(reason) => {
                Outcome::NotEnforced { reason: reason.clone(), data: serde_json::Value::Null }
            }
        };
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

    /// The counters as they stand; `None` when they cannot be read (said once).
    pub fn counters(&mut self, refused_packets: u64) -> Option<FromEdge> {
        let at = self.shared.at();
        let capture_dropped = self.shared.dropped().saturating_add(refused_packets);
        let (mut devices, mut totals, mut standing) = (Vec::new(), Totals::default(), Vec::new());
        if let Ok(arms) = &mut self.arms {
            match arms.table.read() {
                Ok(mut reading) => {
                    self.failing = false;
                    self.shared.inline.take_from(&mut reading);
                    standing = arms.standing(&reading);
                    self.shared.inline.set_suspects(arms.suspects());
                    devices = lines(&reading);
                    totals = reading.totals;
                }
                Err(error) => {
                    if !self.failing {
                        tracing::error!(%error, "counters cannot be read");
                    }
                    self.failing = true;
                    return None;
                }
            }
        }
        let judging = self.shared.inline.judging();
        Some(FromEdge::Counters { at, devices, capture_dropped, totals, standing, judging })
    }
}

fn lines(reading: &Reading) -> Vec<DeviceCounters> {
    let mut devices = reading.devices.clone();
    for blocked in reading.blocked.keys() {
        devices.entry(blocked.clone()).or_default();
    }
    let line = |(mac, counts): (String, DeviceReading)| {
        let mut dropped = Count::default();
        counts.dropped.values().for_each(|count| dropped += *count);
        DeviceCounters {
            blocked: reading.blocked.contains_key(&mac),
            mac,
            forwarded_packets: counts.forwarded.packets,
            forwarded_bytes: counts.forwarded.bytes,
            dropped_packets: dropped.packets,
            dropped_bytes: dropped.bytes,
            reasons: counts.dropped,
        }
    };
    devices.into_iter().map(line).collect()
}

impl Arms {
    /// Orders in force, as the table shows them; forgets those that have ended.
    fn standing(&mut self, reading: &Reading) -> Vec<Standing> {
        let form = self.table.form();
        let mut shown = Vec::new();
        let mut ended = Vec::new();
        for held in &self.book.standing {
            match steps::seen(held, form, reading) {
                Some((left_s, caught)) => shown.push(Standing {
                    key: held.key.clone(),
                    verb: held.verb.name().to_owned(),
                    target: held.name(),
                    why: held.why.clone(),
                    left_s,
                    caught,
                    dry_run: held.dry_run,
                }),
                None => ended.push(held.id),
            }
        }
        if !ended.is_empty()
            && let Err(error) = self.end(|held| ended.contains(&held.id))
        {
            tracing::warn!(%error, "what is left of an order that has ended cannot be cleared away");
        }
        shown
    }

    /// Devices of which only what was usual may pass.
    fn suspects(&self) -> BTreeSet<Device> {
        let suspects =
            self.book.standing.iter().filter(|held| matches!(held.verb, Verb::Suspect { .. }));
        let form = self.table.form();
        suspects
            .flat_map(|held| {
                let mac = held.target.mac.as_deref().and_then(analytics::host::parse_mac);
                let addresses = held.target.addresses.iter().copied().map(Device::Address);
                match form {
                    Form::Bridge => mac.map(Device::Mac).into_iter().collect::<Vec<_>>(),
                    Form::Router => addresses.collect(),
                }
            })
            .collect()
    }

    fn take_policy(&mut self, policy: GatewayPolicy) -> Result<(), String> {
        self.table.policy(&policy)?;
        let left_dry = policy.mode == Mode::Enforce && self.book.policy.mode != Mode::Enforce;
        self.protected.add(&policy.protect, &[], "is named by the node as not to be cut off");
        self.book.policy = policy;
        self.book.keep();
        if left_dry {
            // What was only tried does not take effect behind anybody's back.
            self.end(|held| held.dry_run)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "enforce_tests.rs"]
mod tests;
