//! The node's side of gateways: who is connected, what was ordered, what really happened, and the
//! counters that show it.
//!
//! Invariants: an order is durable before it is sent and is sent again until the gateway says what
//! became of it; windows are acknowledged after the sink has them on disk; the node never touches
//! the network itself.
//!
//! Entry points: [`Gateway`] ([`ports::Enforcer`], [`ports::Actuator`]), [`Gateway::listen`],
//! [`Gateway::router`], [`Gateway::consumers`], [`Gateway::jobs`].

mod actuator;
mod board;
mod config;
mod connection;
mod error;
pub mod fuzz;
mod http;
mod learn;
mod lift;
pub mod mud;
mod openc2;
mod orders;
mod policy;
mod registry;
mod store;
mod suspect;

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use platform::Platform;
use platform::bus::Consumer;
use platform::db::{Migration, RoomMigrations};
use platform::health::{Component, Health};
use platform::http::{Permission, RoomRouter};
use platform::jobs::JobHandler;
use ports::{InventorySink, WindowSink};
use tokio::net::UnixListener;
use utoipa_axum::routes;

pub use config::Config;
pub use error::GatewayError;
use registry::Registry;

/// The room's tables.
pub const MIGRATIONS: RoomMigrations = RoomMigrations {
    room: "gateway",
    steps: &[
        Migration { number: 1, sql: include_str!("../migrations/0001_gateway.sql") },
        Migration { number: 2, sql: include_str!("../migrations/0002_policy.sql") },
    ],
};

/// Name of the enrolment secret under `keys/`.
pub const TOKEN_FILE: &str = "edge.token";

/// All gateways of a node.
#[derive(Clone)]
pub struct Gateway {
    platform: Platform,
    config: Arc<Config>,
    sink: Arc<dyn WindowSink>,
    inventory: Option<Arc<dyn InventorySink>>,
    registry: Arc<Registry>,
}

impl Gateway {
    /// The gateways of a node; windows go to `sink`.
    pub fn new(platform: Platform, config: Config, sink: Arc<dyn WindowSink>) -> Self {
        Self { platform, config: Arc::new(config), sink, inventory: None, registry: Arc::default() }
    }

    /// Hands what edges tell of devices to `inventory`; without one it is not kept.
    #[must_use]
    pub fn with_inventory(mut self, inventory: Arc<dyn InventorySink>) -> Self {
        self.inventory = Some(inventory);
        self
    }

    /// Opens the socket for edges on this machine and serves them in the background.
    ///
    /// # Errors
    /// The socket or the enrolment secret cannot be made.
    pub fn listen(&self) -> Result<(), GatewayError> {
        let token = self.platform.data.secret_hex(TOKEN_FILE, 32, self.platform.random.as_ref())?;
        let path = self.platform.data.edge_socket();
        let socket = |cause| GatewayError::Socket { place: path.display().to_string(), cause };
        // The folder's lock is ours, so a socket left behind belongs to a dead process.
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).map_err(socket)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(socket)?;
        let (room, token) = (self.clone(), Arc::new(token));
        self.platform.tasks.spawn("gateway socket", async move {
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => {
                        let (room, token) = (room.clone(), Arc::clone(&token));
                        let tasks = room.platform.tasks.clone();
                        tasks.spawn("gateway connection", connection::serve(room, stream, token));
                    }
                    Err(cause) => {
                        tracing::warn!(%cause, "cannot accept a gateway");
                        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                    }
                }
            }
        });
        Ok(())
    }

    /// The room's routes.
    pub fn router(&self) -> RoomRouter {
        RoomRouter::<Self>::default()
            .route(Permission("gateway.read"), routes!(http::gateways::gateways))
            .route(Permission("gateway.read"), routes!(http::gateway::gateway))
            .route(Permission("gateway.read"), routes!(http::policy::history))
            .route(Permission("gateway.policy"), routes!(http::policy::set))
            .route(Permission("gateway.read"), routes!(http::allow::lists))
            .route(Permission("gateway.policy"), routes!(http::allow::set))
            .route(Permission("gateway.policy"), routes!(http::mud::import))
            .route(Permission("gateway.order"), routes!(http::openc2::openc2))
            .route(Permission("gateway.read"), routes!(http::counters::counters))
            .route(Permission("gateway.read"), routes!(http::orders::orders))
            .route(Permission("gateway.order"), routes!(http::order::order))
            .route(Permission("gateway.replay"), routes!(http::replay::replay))
            .with_state(self.clone())
    }

    /// What the room listens to.
    pub fn consumers(&self) -> Vec<Arc<dyn Consumer>> {
        vec![Arc::new(suspect::Findings(self.clone()))]
    }

    /// The room's durable work.
    pub fn jobs(&self) -> Vec<Arc<dyn JobHandler>> {
        vec![
            Arc::new(lift::Lift::new(self.platform.clone())),
            Arc::new(suspect::Suspects(self.clone())),
        ]
    }

    /// How the room is.
    pub async fn health(&self) -> Vec<Component> {
        let known = async {
            let mut connection = self.platform.db.read().await?;
            store::edges(&mut connection).await
        };
        let edges = match known.await {
            Ok(edges) => edges,
            Err(error) => {
                let remedy = "See the node's log; check the disk of the data folder.";
                return vec![Component::not_ok(
                    "gateways",
                    Health::Failed,
                    error.to_string(),
                    remedy,
                )];
            }
        };
        if edges.is_empty() {
            return vec![Component::not_ok(
                "gateways",
                Health::Absent,
                "no gateway has connected yet",
                "Start one: `sereno-edge gateway --help`.",
            )];
        }
        edges.into_iter().map(|edge| self.edge_health(&edge)).collect()
    }

    fn edge_health(&self, edge: &store::Edge) -> Component {
        let name = format!("gateway {}", edge.name);
        if !self.registry.is_connected(&edge.name) {
            let cause = format!("not connected since {}", edge.last_contact);
            return Component::not_ok(&name, Health::Degraded, cause, "Start it again.");
        }
        if let Some(why) = &edge.not_enforcing {
            let cause = format!("connected, but nothing is enforced here: {why}");
            let remedy = "Run `sereno-edge check` on its machine.";
            return Component::not_ok(&name, Health::Degraded, cause, remedy);
        }
        if edge.refused_batches > 0 {
            let cause = format!("{} batches of windows could not be read", edge.refused_batches);
            let remedy = "Give gateway and node the same version.";
            return Component::not_ok(&name, Health::Degraded, cause, remedy);
        }
        Component::ok(&name, "connected and enforcing")
    }
}
