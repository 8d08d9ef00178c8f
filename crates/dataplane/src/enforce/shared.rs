//! What the watch knows and the enforcement needs, and the other way round.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::{BlockTarget, Timestamp};
use ports::edge::Mode;

use super::inlined::Inlined;
use crate::clock;

/// Addresses whose MAC is remembered.
pub const MAX_ADDRESSES: usize = 4_096;

/// Shared between the threads of an edge.
#[derive(Debug, Default)]
pub struct Shared {
    at_us: AtomicI64,
    capture_dropped: AtomicU64,
    release_all: AtomicBool,
    /// Milliseconds of the monotonic clock at the watch's last turn; 0: it never turned.
    turned_ms: AtomicU64,
    macs: Mutex<HashMap<IpAddr, String>>,
    /// What the mode is: its place in [`MODES`].
    mode: AtomicU8,
    /// What the inline inspection dropped.
    pub inline: Inlined,
}

/// The mode from the start first.
const MODES: [Mode; 3] = [Mode::Enforce, Mode::DryRun, Mode::Watch];

impl Shared {
    /// The mode that holds.
    pub fn mode(&self) -> Mode {
        MODES.get(usize::from(self.mode.load(Ordering::Relaxed))).copied().unwrap_or_default()
    }
    /// Another mode holds from now on.
    pub fn set_mode(&self, mode: Mode) {
        let place = MODES.iter().position(|known| *known == mode).unwrap_or(0);
        self.mode.store(place as u8, Ordering::Relaxed);
    }
    /// Packet time reached.
    pub fn reached(&self, at: Timestamp) {
        self.at_us.store(at.as_micros(), Ordering::Relaxed);
    }
    /// Packet time the watch has reached.
    pub fn at(&self) -> Timestamp {
        Timestamp::from_micros(self.at_us.load(Ordering::Relaxed))
    }
    /// Packets the capture had to drop since the start.
    pub fn capture_dropped(&self, packets: u64) {
        self.capture_dropped.store(packets, Ordering::Relaxed);
    }
    /// Packets the capture had to drop.
    pub fn dropped(&self) -> u64 {
        self.capture_dropped.load(Ordering::Relaxed)
    }
    /// The source starts again: blocks are to be lifted.
    pub fn restart(&self) {
        self.release_all.store(true, Ordering::Relaxed);
    }
    /// Whether blocks are to be lifted; says so once.
    pub fn take_restart(&self) -> bool {
        self.release_all.swap(false, Ordering::Relaxed)
    }
    /// The watch has gone round once more.
    pub fn turned(&self) {
        let now = clock::monotonic().as_millis();
        self.turned_ms.store(u64::try_from(now).unwrap_or(u64::MAX).max(1), Ordering::Relaxed);
    }
    /// Whether the watch has not gone round for so long; never before its first turn.
    pub fn stands_still(&self, longer_than: Duration) -> bool {
        let turned = self.turned_ms.load(Ordering::Relaxed);
        turned > 0 && clock::monotonic() > Duration::from_millis(turned) + longer_than
    }
    /// An address was seen at a MAC; the oldest are not evicted, beyond the bound new ones are not
    /// kept (orders then need the MAC).
    pub fn seen(&self, address: IpAddr, mac: String) {
        let mut macs = self.macs.lock().unwrap_or_else(PoisonError::into_inner);
        if macs.len() < MAX_ADDRESSES || macs.contains_key(&address) {
            macs.insert(address, mac);
        }
    }
    /// The MAC address behind a target's addresses, where it was seen.
    pub fn mac_of(&self, target: &BlockTarget) -> Option<String> {
        let macs = self.macs.lock().unwrap_or_else(PoisonError::into_inner);
        target.addresses.iter().find_map(|address| macs.get(address).cloned())
    }
    /// The addresses seen at a MAC address.
    pub fn addresses_of(&self, mac: &str) -> Vec<IpAddr> {
        let macs = self.macs.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found: Vec<IpAddr> =
            macs.iter().filter(|(_, seen)| *seen == mac).map(|(address, _)| *address).collect();
        found.sort();
        found
    }
}
