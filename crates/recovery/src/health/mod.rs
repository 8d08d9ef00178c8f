//! Is the device well? One kind of check, one file.

mod http;
mod modbus;
mod tcp;

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Longest address of a web page, bytes.
const MAX_URL_BYTES: usize = 2_048;
/// Longest text looked for in a page, bytes.
const MAX_TEXT_BYTES: usize = 1_024;

/// What is asked of a device, and what the right answer is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Spec {
    /// A port takes connections.
    Tcp {
        /// Address and port.
        #[schema(value_type = String, example = "10.0.0.7:554")]
        address: SocketAddr,
    },
    /// A page answers.
    Http {
        /// Its address, http or https.
        url: String,
        /// The status it must have; any from 200 to 399 when absent.
        #[serde(default)]
        status: Option<u16>,
        /// A text that its first 64 KiB must hold.
        #[serde(default)]
        contains: Option<String>,
    },
    /// A Modbus/TCP holding register lies in its range.
    Modbus {
        /// Address and port.
        #[schema(value_type = String, example = "10.0.0.9:502")]
        address: SocketAddr,
        /// Unit.
        #[serde(default = "first_unit")]
        unit: u8,
        /// Register, from 0.
        register: u16,
        /// Smallest right value.
        min: u16,
        /// Largest right value.
        max: u16,
    },
}

fn first_unit() -> u8 {
    1
}

impl Spec {
    /// The word for its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Tcp { .. } => "tcp",
            Self::Http { .. } => "http",
            Self::Modbus { .. } => "modbus",
        }
    }

    /// Refuses what cannot be asked.
    ///
    /// # Errors
    /// One sentence with the field and the remedy.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::Tcp { address } | Self::Modbus { address, .. } if address.port() == 0 => {
                Err("address: port 0 is none".to_owned())
            }
            Self::Modbus { min, max, .. } if min > max => {
                Err(format!("min {min} is above max {max}: no value could be right"))
            }
            Self::Http { url, status, contains } => {
                let fits = reqwest::Url::parse(url)
                    .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
                if !fits || url.len() > MAX_URL_BYTES {
                    return Err(format!(
                        "url must be an http or https address of at most {MAX_URL_BYTES} bytes"
                    ));
                }
                if status.is_some_and(|status| !(100..=599).contains(&status)) {
                    return Err("status must lie between 100 and 599".to_owned());
                }
                if contains
                    .as_ref()
                    .is_some_and(|text| text.is_empty() || text.len() > MAX_TEXT_BYTES)
                {
                    return Err(format!("contains must have 1 to {MAX_TEXT_BYTES} bytes"));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Asks once. The sentence says what was found.
    ///
    /// # Errors
    /// The device is not well, or does not answer in time.
    pub async fn ask(&self, within: Duration) -> Result<String, String> {
        let asked = async {
            match self {
                Self::Tcp { address } => tcp::ask(*address).await,
                Self::Http { url, status, contains } => {
                    http::ask(url, *status, contains.as_deref(), within).await
                }
                Self::Modbus { address, unit, register, min, max } => {
                    modbus::ask(*address, *unit, *register, (*min, *max)).await
                }
            }
        };
        tokio::time::timeout(within, asked).await.unwrap_or_else(|_| {
            Err(format!("{self} gives no answer within {} s", within.as_secs()))
        })
    }
}

impl std::fmt::Display for Spec {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp { address } => write!(out, "tcp {address}"),
            Self::Http { url, .. } => write!(out, "{url}"),
            Self::Modbus { address, register, .. } => {
                write!(out, "modbus {address} register {register}")
            }
        }
    }
}
