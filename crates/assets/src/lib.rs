//! Inventory and identity of devices: [`model::DeviceId`] is minted here and nowhere else.
//!
//! Invariants: no table keys on an address; MAC address, address and name are dated evidence rows; a
//! device keeps its id when its address changes; a sighting that says nothing new costs no write.
//!
//! Entry points: [`Assets`] ([`ports::AssetDirectory`], [`ports::InventorySink`]), [`Assets::router`].

mod board;
mod config;
mod directory;
mod error;
mod evidence;
mod find;
mod http;
mod inventory;
mod layers;
pub mod makers;
mod sites;
mod store;

use std::path::Path;
use std::sync::{Arc, OnceLock};

use model::{Device, DeviceId};
use platform::Platform;
use platform::db::{Migration, RoomMigrations};
use platform::health::{Component, Health};
use platform::http::{Permission, RoomRouter};
use tokio::sync::Semaphore;
use utoipa_axum::routes;

pub use config::Config;
pub use directory::{MAX_REMEMBERED_DEVICES, TOUCH_PACKET_US, TOUCH_WALL_US};
pub use error::AssetsError;
pub use sites::{KINDS, MAX_SITES};

/// The room's tables.
pub const MIGRATIONS: RoomMigrations = RoomMigrations {
    room: "assets",
    steps: &[
        Migration { number: 1, sql: include_str!("../migrations/0001_assets.sql") },
        Migration { number: 2, sql: include_str!("../migrations/0002_facts.sql") },
        Migration { number: 10, sql: include_str!("../migrations/0010_sites.sql") },
    ],
};

/// The inventory.
#[derive(Clone)]
pub struct Assets {
    platform: Platform,
    config: Arc<Config>,
    memory: Arc<directory::Memory>,
    makers: Arc<OnceLock<makers::Makers>>,
    uploads: Arc<Semaphore>,
}

impl Assets {
    /// The inventory of a node.
    ///
    /// # Errors
    /// A setting that cannot work.
    pub fn new(platform: Platform, config: Config) -> Result<Self, AssetsError> {
        config.check().map_err(AssetsError::Invalid)?;
        Ok(Self {
            platform,
            config: Arc::new(config),
            memory: Arc::default(),
            makers: Arc::default(),
            uploads: Arc::new(Semaphore::new(1)),
        })
    }

    /// The room's routes.
    pub fn router(&self) -> RoomRouter {
        RoomRouter::<Self>::default()
            .route(Permission("assets.read"), routes!(http::list::list))
            .route(Permission("assets.read"), routes!(http::device::device))
            .route(Permission("assets.read"), routes!(http::evidence::evidence))
            .route(Permission("assets.write"), routes!(http::change::change))
            .route(Permission("assets.write"), routes!(http::site_devices::assign))
            .route(Permission("assets.read"), routes!(http::sites::list))
            .route(Permission("assets.write"), routes!(http::sites::add))
            .route(Permission("assets.read"), routes!(http::site_geojson::export))
            .route(Permission("assets.write"), routes!(http::site_geojson::import))
            .route(Permission("assets.read"), routes!(http::site::site))
            .route(Permission("assets.write"), routes!(http::site::replace))
            .route(Permission("assets.write"), routes!(http::site::remove))
            .route(Permission("assets.read"), routes!(http::layers::list))
            .route(Permission("assets.write"), routes!(http::layers::add))
            .route(Permission("assets.write"), routes!(http::layers::remove))
            .route(Permission("assets.read"), routes!(http::layer_content::content))
            .with_state(self.clone())
    }

    /// How the room is.
    pub async fn health(&self) -> Vec<Component> {
        let count = async {
            let mut connection = self.platform.db.read().await?;
            store::count(&mut connection).await
        };
        let limit = i64::from(self.config.max_devices);
        vec![match count.await {
            Ok(count) if count < limit => {
                let makers = if self.makers().is_empty() {
                    "; makers of their interfaces not known: apt-get install ieee-data, then restart"
                } else {
                    ""
                };
                Component::ok("inventory", format!("{count} devices known{makers}"))
            }
            Ok(count) => Component::not_ok(
                "inventory",
                Health::Degraded,
                format!("{count} devices known, no place for new ones (assets.max_devices)"),
                "Raise assets.max_devices, or name the devices to protect in assets.protected_macs.",
            ),
            Err(error) => Component::not_ok(
                "inventory",
                Health::Failed,
                error.to_string(),
                "See the node's log; check the disk of the data folder.",
            ),
        }]
    }

    /// The makers of network interfaces; the tables are read when first asked for.
    fn makers(&self) -> &makers::Makers {
        self.makers.get_or_init(|| {
            let found = makers::Makers::read(Path::new(makers::FOLDER));
            if found.is_empty() {
                tracing::info!(
                    folder = makers::FOLDER,
                    "makers of network interfaces are not known: apt-get install ieee-data, then restart"
                );
            }
            found
        })
    }

    async fn read_device(&self, id: DeviceId) -> Result<Option<Device>, AssetsError> {
        let mut connection = self.platform.db.read().await?;
        let mut device = store::device(&mut connection, id).await?;
        self.memory.freshen(device.as_mut_slice());
        Ok(device)
    }
}
