//! `GET /api/v1/node`: what a page needs before anybody has signed in.

use axum::extract::State;
use platform::http::{Caller, CallerKind, Json};
use serde::Serialize;
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

#[derive(Debug, Serialize, ToSchema)]
struct NodeName {
    id: String,
    name: String,
    kind: String,
    version: String,
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
    let own = &state.platform.node;
    let known = !matches!(caller.kind, CallerKind::Anonymous);
    Json(NodeView {
        node: NodeName {
            id: own.id.to_string(),
            name: own.name.clone(),
            kind: own.kind.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
        },
        first_run: state.health.first_run().await,
        signed_in: known.then_some(SignedIn { user: caller.name, roles: caller.roles }),
        demo: state.demo.credit.clone().map(|credit| DemoView {
            credit,
            peer_console_url: state.demo.peer_console_url.clone(),
        }),
    })
}
