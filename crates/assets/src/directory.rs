//! Identity by evidence: the same MAC address on the same sensor is the same device, whatever
//! address it has today.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use model::event::DeviceSeen;
use model::{Device, DeviceId, DeviceRole, Severity, Timestamp};
use platform::db::Tx;
use ports::{AddressSighting, AssetDirectory, PortError};

use crate::error::AssetsError;
use crate::evidence::Sighting;
use crate::{Assets, store};

/// Devices remembered; beyond, the memory starts again (it only saves reads).
pub const MAX_REMEMBERED_DEVICES: usize = 16_384;
/// "Last seen" is written at most once in this span of packet time…
pub const TOUCH_PACKET_US: i64 = 60_000_000;
/// …and once in this span of wall time, because a replay runs hundreds of times faster.
pub const TOUCH_WALL_US: i64 = 1_000_000;

/// Confidence from which a guessed kind lends devices each other's models.
const SURE: f64 = 0.7;

struct Remembered {
    device: Device,
    written_seen: Timestamp,
    written_at: Timestamp,
}

/// What was seen last, so that a sighting that says nothing new costs no write.
#[derive(Default)]
pub(crate) struct Memory(Mutex<HashMap<(String, String), Remembered>>);

impl Memory {
    fn locked(&self) -> MutexGuard<'_, HashMap<(String, String), Remembered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The device, unless the sighting says something that must be written.
    fn recall(&self, sighting: &Sighting, role: DeviceRole, now: Timestamp) -> Option<Device> {
        let mut memory = self.locked();
        let known = memory.get_mut(&sighting.key())?;
        let address_known =
            sighting.address.is_none_or(|address| known.device.addresses.contains(&address));
        let due = sighting.seen_at.micros_since(known.written_seen) >= TOUCH_PACKET_US
            && now.micros_since(known.written_at) >= TOUCH_WALL_US;
        if !address_known || due || known.device.role != role {
            return None;
        }
        known.device.last_seen = known.device.last_seen.max(sighting.seen_at);
        Some(known.device.clone())
    }

    fn remember(&self, sighting: &Sighting, device: &Device, now: Timestamp) {
        let mut memory = self.locked();
        // An address that moved to this device must not answer for another one any more.
        if let Some(address) = sighting.address {
            memory.retain(|(sensor, _), known| {
                known.device.id == device.id
                    || *sensor != sighting.sensor
                    || !known.device.addresses.contains(&address)
            });
        }
        if memory.len() >= MAX_REMEMBERED_DEVICES {
            memory.clear();
        }
        let written_seen = device.last_seen;
        memory.insert(
            sighting.key(),
            Remembered { device: device.clone(), written_seen, written_at: now },
        );
    }

    /// Puts the newest "last seen" on devices read from the database.
    pub(crate) fn freshen(&self, devices: &mut [Device]) {
        let memory = self.locked();
        let seen: HashMap<DeviceId, Timestamp> =
            memory.values().map(|known| (known.device.id, known.device.last_seen)).collect();
        for device in devices {
            if let Some(at) = seen.get(&device.id) {
                device.last_seen = device.last_seen.max(*at);
            }
        }
    }

    /// Forgets a device that a person changed.
    pub(crate) fn forget(&self, id: DeviceId) {
        self.locked().retain(|_, known| known.device.id != id);
    }
}

#[async_trait]
impl AssetDirectory for Assets {
    async fn identify(&self, sighting: &AddressSighting) -> Result<Device, PortError> {
        let sighting = Sighting::new(sighting)?;
        let role = sighting.role(&self.config.protected_macs);
        let now = self.platform.now();
        if let Some(device) = self.memory.recall(&sighting, role, now) {
            return Ok(device);
        }
        let (own, limit) = (sighting.clone(), self.config.max_devices);
        let device: Result<Device, AssetsError> = self
            .platform
            .db
            .write(move |tx| Box::pin(async move { identify(tx, &own, role, limit).await }))
            .await;
        let device = device?;
        self.memory.remember(&sighting, &device, now);
        Ok(device)
    }

    async fn device(&self, id: DeviceId) -> Result<Option<Device>, PortError> {
        Ok(self.read_device(id).await?)
    }

    async fn type_of(&self, id: DeviceId) -> Result<Option<String>, PortError> {
        let known = async {
            let mut connection = self.platform.db.read().await?;
            store::facts_of(&mut connection, id, id).await
        };
        let known = known.await.map_err(AssetsError::from)?;
        let sure = known.into_iter().filter(|known| known.guess.confidence >= SURE);
        let surest = sure.max_by(|a, b| a.guess.confidence.total_cmp(&b.guess.confidence));
        Ok(surest.map(|known| store::kind_word(&known.guess)))
    }
}

async fn identify(
    tx: &mut Tx,
    sighting: &Sighting,
    role: DeviceRole,
    limit: u32,
) -> Result<Device, AssetsError> {
    let known = store::find(tx, sighting).await?;
    let id = match known {
        Some(id) => {
            store::touch(tx, id, sighting, role).await?;
            id
        }
        None => {
            if store::count(tx.sql()).await? >= i64::from(limit) {
                return Err(AssetsError::Full(limit));
            }
            let device = fresh(tx.mint(), sighting, role);
            store::insert(tx, &device).await?;
            device.id
        }
    };
    if let Some(mac) = &sighting.mac {
        store::note_evidence(tx, id, &sighting.sensor, ("mac", mac), sighting.seen_at).await?;
    }
    if let Some(address) = sighting.address.map(|address| address.to_string()) {
        store::take_address(tx, id, &sighting.sensor, &address, sighting.seen_at).await?;
        store::note_evidence(tx, id, &sighting.sensor, ("ip", &address), sighting.seen_at).await?;
    }
    store::bound_evidence(tx, id).await?;
    let device =
        store::device(tx.sql(), id).await?.ok_or_else(|| AssetsError::NotFound(id.to_string()))?;
    if known.is_none() && device.role == DeviceRole::Protected {
        let actor = format!("edge:{}", sighting.sensor);
        tx.publish(&actor, &DeviceSeen { device: device.clone() }).await?;
    }
    Ok(device)
}

fn fresh(id: DeviceId, sighting: &Sighting, role: DeviceRole) -> Device {
    let (_, name) = sighting.key();
    Device {
        id,
        name,
        place: None,
        role,
        criticality: Severity::Medium,
        mac: sighting.mac.clone(),
        addresses: vec![],
        first_seen: sighting.seen_at,
        last_seen: sighting.seen_at,
    }
}
