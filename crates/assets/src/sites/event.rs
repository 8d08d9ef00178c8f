//! What is told of sites.

use model::Timestamp;
use model::event::Payload;
use serde::{Deserialize, Serialize};

/// A person made, changed or removed a site or a map layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct SiteChanged {
    /// The site's or layer's id.
    pub(crate) id: String,
    /// What happened, one sentence.
    pub(crate) change: String,
}

impl Payload for SiteChanged {
    const KIND: &'static str = "assets.site_changed";
    fn subject(&self) -> String {
        self.id.clone()
    }
    fn sentence(&self) -> String {
        self.change.clone()
    }
    fn event_at(&self) -> Option<Timestamp> {
        None
    }
}

/// Devices were put to a site, or taken from theirs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct DevicesMoved {
    /// The site; none: taken away from where they stood.
    pub(crate) site: Option<String>,
    /// Its name.
    pub(crate) name: Option<String>,
    /// The devices.
    pub(crate) devices: Vec<String>,
}

impl Payload for DevicesMoved {
    const KIND: &'static str = "assets.devices_moved";
    fn subject(&self) -> String {
        self.site.clone().unwrap_or_else(|| "no site".into())
    }
    fn sentence(&self) -> String {
        let count = self.devices.len();
        let devices = if count == 1 { "1 device".to_owned() } else { format!("{count} devices") };
        match &self.name {
            Some(name) => format!("{devices} put to the site {name}"),
            None => format!("{devices} taken from their site"),
        }
    }
}
