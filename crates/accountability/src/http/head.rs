//! `GET /api/v1/ledger`: the signed tree head.

use axum::extract::State;
use platform::http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{Accountability, TreeHead, merkle, origin_of};

/// The signed tree head with the text that was signed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HeadView {
    #[serde(flatten)]
    head: TreeHead,
    /// The signed text (C2SP tlog-checkpoint); empty before the first entry.
    checkpoint: String,
}

/// The newest signed tree head. Before the first entry: size 0, no signature.
#[utoipa::path(get, path = "/api/v1/ledger", tag = "accountability",
    responses((status = 200, body = HeadView)))]
pub(crate) async fn head(State(log): State<Accountability>) -> Result<Json<HeadView>, Problem> {
    let head = log.head().await?.unwrap_or_else(|| TreeHead {
        origin: origin_of(log.platform.node.id),
        size: 0,
        root: hex::encode(merkle::empty_root()),
        signed_at: log.platform.now(),
        signature: String::new(),
        key: log.key(),
    });
    let signed = !head.signature.is_empty();
    let checkpoint = head.checkpoint().filter(|_| signed).unwrap_or_default();
    Ok(Json(HeadView { head, checkpoint }))
}
