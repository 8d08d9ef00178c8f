//! The room against a real database.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod http;
mod identity;
mod inventory;
mod kinds;
mod sites;

use std::path::Path;

use assets::{Assets, Config, MIGRATIONS};
use model::Timestamp;
use platform::Platform;
use ports::AddressSighting;

pub(crate) const MAC: &str = "b8:27:eb:7d:6b:a6";

pub(crate) async fn open(folder: &Path) -> (Platform, Assets) {
    let platform = platform::testing::platform(folder, &[MIGRATIONS]).await.unwrap();
    let assets = Assets::new(platform.clone(), Config::default()).unwrap();
    (platform, assets)
}

pub(crate) fn seen(mac: Option<&str>, address: &str, at_s: i64) -> AddressSighting {
    AddressSighting {
        sensor: "harbour-gw".into(),
        mac: mac.map(str::to_owned),
        address: Some(address.parse().unwrap()),
        seen_at: Timestamp::from_secs(1_533_042_911 + at_s),
    }
}
