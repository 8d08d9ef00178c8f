//! Who is connected now, and the newest readings: memory only, rebuilt by the connections.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ports::edge::{DeviceCounters, Judging, SourceState, Standing, ToEdge, Totals};
use tokio::sync::{Notify, mpsc};

/// Messages waiting for a slow gateway; more and the connection is closed.
pub(crate) const OUTBOX_MESSAGES: usize = 256;

/// What is known of a connected gateway.
#[derive(Debug)]
pub(crate) struct Connected {
    /// Which connection, so that an old one cannot remove a newer one.
    pub(crate) number: u64,
    pub(crate) outbox: mpsc::Sender<ToEdge>,
    pub(crate) replay: Option<SourceState>,
    pub(crate) counters: Vec<DeviceCounters>,
    pub(crate) capture_dropped: u64,
    pub(crate) totals: Totals,
    pub(crate) standing: Vec<Standing>,
    pub(crate) judging: Option<Judging>,
}

/// All connected gateways.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    connected: Mutex<HashMap<String, Connected>>,
    numbers: std::sync::atomic::AtomicU64,
    /// Wakes those who wait for an order's outcome.
    pub(crate) answered: Notify,
}

impl Registry {
    fn locked(&self) -> MutexGuard<'_, HashMap<String, Connected>> {
        self.connected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a gateway in; a second one of the same name replaces the first. `None` when there are
    /// `limit` others already.
    pub(crate) fn enter(&self, name: &str, limit: u32) -> Option<(u64, mpsc::Receiver<ToEdge>)> {
        let number = self.numbers.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let (outbox, inbox) = mpsc::channel(OUTBOX_MESSAGES);
        let mut connected = self.locked();
        if connected.len() >= limit as usize && !connected.contains_key(name) {
            return None;
        }
        let entry = Connected {
            number,
            outbox,
            replay: None,
            counters: vec![],
            capture_dropped: 0,
            totals: Totals::default(),
            standing: vec![],
            judging: None,
        };
        connected.insert(name.to_owned(), entry);
        Some((number, inbox))
    }

    /// Lets a gateway go, unless a newer connection has its name.
    pub(crate) fn leave(&self, name: &str, number: u64) {
        let mut connected = self.locked();
        if connected.get(name).is_some_and(|entry| entry.number == number) {
            connected.remove(name);
        }
    }

    pub(crate) fn is_connected(&self, name: &str) -> bool {
        self.locked().contains_key(name)
    }

    /// Names of connected gateways; those that have seen `mac` first.
    pub(crate) fn names_for(&self, mac: Option<&str>) -> Vec<String> {
        let connected = self.locked();
        let mut names: Vec<(bool, String)> = connected
            .iter()
            .map(|(name, entry)| {
                let seen = entry.counters.iter().any(|line| Some(line.mac.as_str()) == mac);
                (!seen, name.clone())
            })
            .collect();
        names.sort();
        names.into_iter().map(|(_, name)| name).collect()
    }

    /// Hands a message to a gateway; false when it is away or does not keep up.
    pub(crate) fn send(&self, name: &str, message: ToEdge) -> bool {
        self.locked().get(name).is_some_and(|entry| entry.outbox.try_send(message).is_ok())
    }

    /// Changes what is known of a gateway.
    pub(crate) fn note(&self, name: &str, change: impl FnOnce(&mut Connected)) {
        if let Some(entry) = self.locked().get_mut(name) {
            change(entry);
        }
    }

    /// Reads what is known of a gateway.
    pub(crate) fn look<T>(&self, name: &str, read: impl FnOnce(&Connected) -> T) -> Option<T> {
        self.locked().get(name).map(read)
    }
}
