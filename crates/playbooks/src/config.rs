//! Section `[playbooks]`.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::actuators::config::ActuatorsConfig;

/// Settings of the room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Install the playbooks that come with the program, with their triggers.
    pub install_shipped: bool,
    /// How long a command may take when its step does not say, seconds.
    pub step_timeout_s: u32,
    /// How long a manual step waits when it does not say, seconds.
    pub manual_timeout_s: u32,
    /// How long a whole run may take, seconds.
    pub run_timeout_s: u32,
    /// How long it is kept what commands did that can be taken back, and what mails asked, days.
    pub keep_days: u32,
    /// What is asked of the signatures of a playbook before it runs: `ignore`, `warn` or `require`.
    pub signatures: Signatures,
    /// Fingerprints of keys that are trusted besides those of `sereno playbook key add`.
    #[serde(deserialize_with = "fingerprints")]
    pub trusted_keys: Vec<String>,
    /// What of the outside playbooks command.
    pub actuators: ActuatorsConfig,
}

/// What is asked of the signatures of a playbook before it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Signatures {
    /// Nothing.
    Ignore,
    /// It runs, and reports say that no signature of a trusted key holds.
    #[default]
    Warn,
    /// It does not run, unless a signature of a trusted key holds.
    Require,
}

/// Fingerprints: SHA-256 of a SubjectPublicKeyInfo, 64 hexadecimal digits.
fn fingerprints<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let keys = Vec::<String>::deserialize(from)?;
    for key in &keys {
        if key.len() != 64 || !key.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        {
            return Err(D::Error::custom(format!(
                "trusted_keys: '{key}' is no fingerprint; it has 64 hexadecimal digits in lower case, as \
                 `sereno playbook verify` shows them"
            )));
        }
    }
    Ok(keys)
}

impl Default for Config {
    fn default() -> Self {
        Self {
            install_shipped: true,
            step_timeout_s: 600,
            manual_timeout_s: 86_400,
            run_timeout_s: 604_800,
            keep_days: 400,
            signatures: Signatures::default(),
            trusted_keys: vec![],
            actuators: ActuatorsConfig::default(),
        }
    }
}
