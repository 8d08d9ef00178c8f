//! Endpoints, one a file.

pub(crate) mod change;
pub(crate) mod device;
pub(crate) mod evidence;
pub(crate) mod layer_content;
pub(crate) mod layers;
pub(crate) mod list;
pub(crate) mod site;
pub(crate) mod site_devices;
pub(crate) mod site_geojson;
pub(crate) mod sites;

use model::{Device, DeviceId, DeviceRole, Severity};
use platform::http::Problem;
use serde::Serialize;
use sqlx::AnyConnection;
use utoipa::ToSchema;

use crate::inventory::Known;
use crate::{AssetsError, store};

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
    /// The site it stands at: its id.
    pub site: Option<String>,
    /// The site's name.
    pub site_name: Option<String>,
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
    /// Kind of device as guessed: `camera`, `plc`, `controller`, `router`, `unknown` …; absent while
    /// no sensor has told of it.
    pub kind: Option<String>,
    /// The kind in plain words.
    pub kind_words: Option<String>,
    /// How sure the guess is, 0 to 1.
    pub kind_confidence: Option<f64>,
    /// Maker of its network interface, where known.
    pub maker: Option<String>,
    /// Names it is called by.
    pub names: Vec<String>,
    /// Protocols it speaks.
    pub protocols: Vec<String>,
    /// Parts it plays: `client`, `server`, `controller`, `outstation`, `router` …
    pub parts: Vec<String>,
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
            site: None,
            site_name: None,
            role: device.role,
            criticality: device.criticality,
            mac: device.mac,
            addresses: device.addresses.iter().map(ToString::to_string).collect(),
            first_seen: device.first_seen,
            last_seen: device.last_seen,
            kind: None,
            kind_words: None,
            kind_confidence: None,
            maker: None,
            names: Vec::new(),
            protocols: Vec::new(),
            parts: Vec::new(),
            watch: None,
        }
    }
}

impl DeviceView {
    /// Adds what a sensor knows; of several kinds the surest stands.
    fn learn(&mut self, known: &Known) {
        if self.kind_confidence.is_none_or(|sure| sure < known.guess.confidence) {
            self.kind = Some(store::kind_word(&known.guess));
            self.kind_words = Some(known.guess.kind.words().to_owned());
            self.kind_confidence = Some(known.guess.confidence);
        }
        if self.maker.is_none() {
            self.maker.clone_from(&known.maker);
        }
        let parts = serde_json::to_value(&known.facts.parts).ok();
        let parts: Vec<String> =
            parts.and_then(|parts| serde_json::from_value(parts).ok()).unwrap_or_default();
        add(&mut self.names, known.facts.names.iter().map(|name| name.value.1.clone()));
        add(&mut self.protocols, known.facts.protocols.iter().cloned());
        add(&mut self.parts, parts.into_iter());
    }
}

fn add(all: &mut Vec<String>, more: impl Iterator<Item = String>) {
    for one in more {
        if !all.contains(&one) {
            all.push(one);
        }
    }
}

/// The devices, in the order of their ids, with what sensors know of them.
pub(crate) async fn with_facts(
    connection: &mut AnyConnection,
    devices: Vec<Device>,
) -> Result<Vec<DeviceView>, AssetsError> {
    let mut views: Vec<DeviceView> = devices.into_iter().map(DeviceView::from).collect();
    let ids = views.iter().map(|view| view.id);
    let (Some(first), Some(last)) = (ids.clone().min(), ids.max()) else { return Ok(views) };
    for known in store::facts_of(connection, first, last).await? {
        if let Some(view) = views.iter_mut().find(|view| view.id == known.device) {
            view.learn(&known);
        }
    }
    for (device, site, name) in crate::sites::store::of_devices(connection, first, last).await? {
        if let Some(view) = views.iter_mut().find(|view| view.id == device) {
            view.site = Some(site);
            view.site_name = Some(name);
        }
    }
    Ok(views)
}

/// The id in a path; what is no id names nothing here.
pub(crate) fn device_id(text: &str) -> Result<DeviceId, Problem> {
    text.parse().map_err(|_| {
        Problem::not_found(format!("device '{}'", text.chars().take(64).collect::<String>()))
    })
}
