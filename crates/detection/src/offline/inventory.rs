//! Which devices a capture shows: the engine of `sereno assets --pcap`.

use std::path::Path;

use analytics::inventory::{DeviceFacts, Inventory, InventoryStats};
use protocols::flow::{Stats, Tracker};
use protocols::packet::decode;

use super::input::read_frames;
use super::{CaptureSummary, OfflineError, OfflineProgress};

/// The devices of a capture.
#[derive(Clone, Debug)]
pub struct CaptureInventory {
    /// What is known of each, in the order of their addresses.
    pub devices: Vec<DeviceFacts>,
    /// Devices and what found no place.
    pub stats: InventoryStats,
    /// Conversations and messages read.
    pub conversations: Stats,
    /// What was read.
    pub capture: CaptureSummary,
}

/// Reads a capture for its devices.
///
/// # Errors
/// When it cannot be read or is no capture. One that breaks off is used up to there.
pub fn inventory(
    path: &Path,
    progress: impl FnMut(OfflineProgress),
) -> Result<CaptureInventory, OfflineError> {
    let (mut inventory, mut tracker) = (Inventory::default(), Tracker::default());
    let mut undecodable = 0;
    let mut capture = read_frames(path, progress, |frame| {
        match decode(frame.link, frame.captured, frame.wire_len) {
            Ok(packet) => {
                inventory.packet(frame.ts_ns, &packet);
                let inventory = &mut inventory;
                tracker.push(frame.ts_ns, &packet, &mut |sighting| inventory.message(sighting));
            }
            Err(_) => undecodable += 1,
        }
        Ok::<(), OfflineError>(())
    })?;
    capture.undecodable = undecodable;
    tracker.finish(&mut |sighting| inventory.message(sighting));
    Ok(CaptureInventory {
        devices: inventory.all(),
        stats: inventory.stats(),
        conversations: tracker.stats(),
        capture,
    })
}
