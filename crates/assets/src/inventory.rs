//! What edges tell of devices: dated facts, the maker and the guessed kind.

use analytics::host::Host;
use analytics::inventory::{DeviceFacts, FACTS_VERSION, KindGuess, Part, guess};
use async_trait::async_trait;
use model::{DeviceId, Timestamp};
use ports::{AddressSighting, AssetDirectory, InventorySink, PortError};
use serde_json::Value;

use crate::error::AssetsError;
use crate::{Assets, store};

/// Devices in one message at most.
pub(crate) const MAX_FACTS: usize = 1_024;

/// What a sensor knows of a device, with what we make of it.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) device: DeviceId,
    pub(crate) sensor: String,
    pub(crate) facts: DeviceFacts,
    pub(crate) guess: KindGuess,
    pub(crate) maker: Option<String>,
}

#[async_trait]
impl InventorySink for Assets {
    async fn note(&self, sensor: &str, facts: &Value) -> Result<(), PortError> {
        let invalid = |detail: String| PortError::Invalid(detail);
        let list = facts.as_array().ok_or_else(|| invalid("facts are not a list".into()))?;
        if list.len() > MAX_FACTS {
            return Err(invalid(format!("facts of more than {MAX_FACTS} devices in one message")));
        }
        for value in list {
            let facts: DeviceFacts = serde_json::from_value(value.clone())
                .map_err(|error| invalid(format!("facts of a device: {error}")))?;
            if facts.version != FACTS_VERSION {
                return Err(invalid(format!(
                    "facts of version {}: this node reads version {FACTS_VERSION}",
                    facts.version
                )));
            }
            self.note_one(sensor, facts).await?;
        }
        Ok(())
    }
}

impl Assets {
    async fn note_one(&self, sensor: &str, facts: DeviceFacts) -> Result<(), PortError> {
        let mac = facts.mac.map(|mac| mac.to_string());
        let sighting = |address: Option<Host>, seen_us: i64| AddressSighting {
            sensor: sensor.to_owned(),
            mac: mac.clone(),
            address: address.and_then(Host::ip),
            seen_at: Timestamp::from_micros(seen_us),
        };
        let mut device = None;
        // Oldest first, so that the newest address is the one that holds.
        let mut addresses: Vec<_> = facts.addresses.iter().collect();
        addresses.sort_by_key(|address| address.last_us);
        let mut sightings: Vec<AddressSighting> =
            addresses.iter().map(|known| sighting(Some(known.value), known.last_us)).collect();
        if sightings.is_empty() {
            sightings.push(sighting(None, facts.last_us));
        }
        for sighting in sightings {
            match self.identify(&sighting).await {
                Ok(found) => device = Some(found.id),
                // A full inventory or an address that names nobody: the windows still count.
                Err(PortError::Unavailable(reason) | PortError::Invalid(reason)) => {
                    tracing::warn!(sensor, reason, "a device finds no place in the inventory");
                }
                Err(other) => return Err(other),
            }
        }
        let Some(device) = device else { return Ok(()) };
        let maker = facts.mac.and_then(Host::as_mac).and_then(|mac| self.makers().of(mac));
        let maker = maker.map(str::to_owned);
        let guess = guess(&facts, maker.as_deref());
        let own: Option<Vec<String>> = (mac.is_some() && facts.plays(Part::Router))
            .then(|| facts.addresses.iter().map(|known| known.value.to_string()).collect());
        let known = Known { device, sensor: sensor.to_owned(), facts, guess, maker };
        let routes = own.is_some();
        let written: Result<(), AssetsError> = self
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if let Some(own) = own {
                        store::release_addresses(tx, device, &known.sensor, &own).await?;
                    }
                    Ok(store::keep_facts(tx, &known).await?)
                })
            })
            .await;
        if routes {
            self.memory.forget(device);
        }
        written.map_err(PortError::from)
    }
}
