//! `GET /api/v1/ledger/entries/{index}/proof`: one entry's inclusion proof.

use axum::Extension;
use axum::extract::{Path, Query, State};
use platform::http::{Caller, Gate, Json, Problem};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{Accountability, EntryProof};

/// Which tree.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct ProofQuery {
    /// Size of the tree to prove against; the newest when absent.
    size: Option<u64>,
}

/// The proof that an entry stands in the log; `sereno ledger verify --proof FILE` checks it offline.
/// What the entry says is left out where it is not for the caller.
#[utoipa::path(get, path = "/api/v1/ledger/entries/{index}/proof", tag = "accountability",
    params(("index" = u64, Path, description = "The entry's position, from 0"), ProofQuery),
    responses((status = 200, body = EntryProof), (status = 404, body = Problem)))]
pub(crate) async fn proof(
    State(log): State<Accountability>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Path(index): Path<u64>,
    Query(query): Query<ProofQuery>,
) -> Result<Json<EntryProof>, Problem> {
    let hidden = gate.hidden_facts(&caller);
    Ok(Json(log.prove_without(index, query.size, &hidden).await?))
}
