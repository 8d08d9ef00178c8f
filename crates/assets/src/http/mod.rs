//! Endpoints, one a file.

pub(crate) mod change;
pub(crate) mod device;
pub(crate) mod list;

use model::{Device, DeviceId, DeviceRole, Severity};
use platform::http::Problem;
use serde::Serialize;
use utoipa::ToSchema;

/// A device with what is known of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DeviceView {
    /// Stable identity.
    #[schema(value_type = String)]
    pub id: DeviceId,
    /// The name people use.
    pub name: String,
    /// Where it stands.
    pub place: Option<String>,
    /// `unknown`, `protected` or `infrastructure`.
    #[schema(value_type = String)]
    pub role: DeviceRole,
    /// `low`, `medium`, `high` or `critical`.
    #[schema(value_type = String)]
    pub criticality: Severity,
    /// MAC address in lower-case colon form, where seen.
    pub mac: Option<String>,
    /// Addresses that hold now, newest first.
    pub addresses: Vec<String>,
    /// First seen on the wire (packet time).
    #[schema(value_type = String, format = DateTime)]
    pub first_seen: model::Timestamp,
    /// Last seen on the wire (packet time).
    #[schema(value_type = String, format = DateTime)]
    pub last_seen: model::Timestamp,
    /// How far detection is with it; always empty here, see `/api/v1/detection/devices`.
    #[schema(value_type = Option<Object>)]
    pub watch: Option<model::WatchState>,
}

impl From<Device> for DeviceView {
    fn from(device: Device) -> Self {
        Self {
            id: device.id,
            name: device.name,
            place: device.place,
            role: device.role,
            criticality: device.criticality,
            mac: device.mac,
            addresses: device.addresses.iter().map(ToString::to_string).collect(),
            first_seen: device.first_seen,
            last_seen: device.last_seen,
            watch: None,
        }
    }
}

/// The id in a path; what is no id names nothing here.
pub(crate) fn device_id(text: &str) -> Result<DeviceId, Problem> {
    text.parse().map_err(|_| {
        Problem::not_found(format!("device '{}'", text.chars().take(64).collect::<String>()))
    })
}
