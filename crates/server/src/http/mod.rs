//! What the node answers as a whole. One endpoint, one file.

pub mod access;
pub mod demo;
pub mod doctor;
pub mod events;
pub mod facts;
pub mod fanout;
pub mod node;
pub mod node_change;
pub mod probes;
pub mod search;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use platform::Platform;
use platform::health::Component;
use platform::http::{AccessRule, Permission, RoomRouter};
use ports::find::Find;
use utoipa_axum::routes;

use crate::config::{DemoConfig, NodeConfig};

/// Asks every room how it is.
#[async_trait]
pub trait HealthSource: Send + Sync {
    /// All parts of the node.
    async fn components(&self) -> Vec<Component>;
    /// True while nobody has an account.
    async fn first_run(&self) -> bool;
}

/// State of the node's own endpoints.
#[derive(Clone)]
pub struct NodeState {
    /// The plumbing.
    pub platform: Platform,
    /// The rooms' health.
    pub health: Arc<dyn HealthSource>,
    /// Set when everything runs and every port is open.
    pub ready: Arc<AtomicBool>,
    /// What the configuration says of the node; people cannot change that.
    pub configured: NodeConfig,
    /// Present on demonstration nodes.
    pub demo: DemoConfig,
    /// Renders `/metrics`.
    pub metrics: Option<metrics_exporter_prometheus::PrometheusHandle>,
    /// Every route with its permission.
    pub access: Arc<Vec<AccessRule>>,
    /// Facts as pages hear them.
    pub fanout: fanout::Fanout,
    /// Who finds what, in the order of the answer.
    pub finders: Arc<Vec<Arc<dyn Find>>>,
}

/// The node's own routes.
pub fn router(state: NodeState) -> RoomRouter {
    RoomRouter::<NodeState>::default()
        .route(Permission::PUBLIC, routes!(node::node))
        .route(Permission("node.write"), routes!(node_change::change))
        .route(Permission::PUBLIC, routes!(probes::healthz))
        .route(Permission::PUBLIC, routes!(probes::readyz))
        .route(Permission("metrics.read"), routes!(probes::metrics))
        .route(Permission("events.read"), routes!(events::events))
        .route(Permission("events.read"), routes!(facts::facts))
        .route(Permission("search.read"), routes!(search::search))
        .route(Permission("doctor.read"), routes!(doctor::doctor))
        .route(Permission("access.read"), routes!(access::rules))
        .route(Permission("demo.remove"), routes!(demo::remove))
        .with_state(state)
}
