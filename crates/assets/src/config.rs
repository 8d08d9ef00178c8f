//! Section `[assets]`.

use serde::{Deserialize, Serialize};

use crate::evidence::normal_mac;

/// Settings of the inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// MAC addresses of the devices to protect; empty: every device with a local address.
    pub protected_macs: Vec<String>,
    /// Devices kept at most.
    pub max_devices: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self { protected_macs: vec![], max_devices: 100_000 }
    }
}

impl Config {
    /// Refuses settings that cannot work.
    ///
    /// # Errors
    /// One sentence that names the key and the remedy.
    pub fn check(&self) -> Result<(), String> {
        if let Some(wrong) = self.protected_macs.iter().find(|mac| normal_mac(mac).is_none()) {
            return Err(format!(
                "assets.protected_macs: '{wrong}' is not a MAC address; write it like b8:27:eb:00:00:01"
            ));
        }
        if self.max_devices == 0 {
            return Err("assets.max_devices must be at least 1; leave it out for 100000".into());
        }
        Ok(())
    }
}
