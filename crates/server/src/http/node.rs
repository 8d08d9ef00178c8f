//! `GET /api/v1/node`: what a page needs before anybody has signed in.

use std::collections::HashMap;

use axum::extract::State;
use platform::db::DbError;
use platform::http::{Caller, CallerKind, Json};
use serde::Serialize;
use sqlx::Row;
use utoipa::ToSchema;

use super::NodeState;

/// The node, as anybody who reaches the port may know it.
#[derive(Debug, Serialize, ToSchema)]
pub struct NodeView {
    /// Who this node is.
    node: NodeName,
    /// True while nobody has an account: the first-run page creates the administrator.
    first_run: bool,
    /// Who is signed in.
    signed_in: Option<SignedIn>,
    /// Present on demonstration nodes.
    demo: Option<DemoView>,
}

/// Who a node is.
#[derive(Debug, Serialize, ToSchema)]
pub struct NodeName {
    /// Identity, minted at first start.
    id: String,
    /// The organisation's name.
    name: String,
    /// `operator`, `cert`, `developer`, `assessor`, `trainer` or `other`.
    kind: String,
    /// Version of the program.
    version: String,
}

/// Name and kind as they stand: people change them while the node runs, and the configuration wins over people.
pub async fn named(state: &NodeState) -> NodeName {
    let own = &state.platform.node;
    let stored = async {
        let mut sql = state.platform.db.read().await?;
        let rows = sqlx::query(
            "SELECT name, value FROM platform_settings WHERE name IN ('node.name', 'node.kind')",
        )
        .fetch_all(&mut *sql)
        .await?;
        let pair = |row: &sqlx::any::AnyRow| Ok((row.try_get("name")?, row.try_get("value")?));
        rows.iter().map(pair).collect::<Result<HashMap<String, String>, DbError>>()
    };
    // Without an answer of the database: as it was at the start.
    let mut stored = stored.await.unwrap_or_default();
    let mut value = |configured: &Option<String>, name: &str, start: &str| {
        let known = configured.clone().or_else(|| stored.remove(name));
        known.unwrap_or_else(|| start.to_owned())
    };
    NodeName {
        id: own.id.to_string(),
        name: value(&state.configured.name, "node.name", &own.name),
        kind: value(&state.configured.kind, "node.kind", &own.kind),
        version: env!("CARGO_PKG_VERSION").into(),
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct SignedIn {
    user: String,
    roles: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct DemoView {
    /// Who made the capture that is replayed.
    credit: String,
    /// The other node's console.
    peer_console_url: Option<String>,
}

/// Who this node is, whether it needs a first account, who is signed in.
#[utoipa::path(get, path = "/api/v1/node", tag = "node", responses((status = 200, body = NodeView)))]
pub async fn node(State(state): State<NodeState>, caller: Caller) -> Json<NodeView> {
    let known = !matches!(caller.kind, CallerKind::Anonymous);
    Json(NodeView {
        node: named(&state).await,
        first_run: state.health.first_run().await,
        signed_in: known.then_some(SignedIn { user: caller.name, roles: caller.roles }),
        demo: state.demo.credit.clone().map(|credit| DemoView {
            credit,
            peer_console_url: state.demo.peer_console_url.clone(),
        }),
    })
}
