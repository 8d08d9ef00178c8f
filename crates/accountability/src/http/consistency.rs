//! `GET /api/v1/ledger/consistency`: that an earlier log is the beginning of a later one.

use axum::extract::{Query, State};
use platform::http::{Json, Problem};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{Accountability, ConsistencyProof};

/// Which two trees.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct ConsistencyQuery {
    /// Size of the earlier tree, from 1.
    first: u64,
    /// Size of the later tree; the newest when absent.
    second: Option<u64>,
}

/// The proof that nothing was changed or removed between two signed heads.
#[utoipa::path(get, path = "/api/v1/ledger/consistency", tag = "accountability",
    params(ConsistencyQuery),
    responses((status = 200, body = ConsistencyProof), (status = 400, body = Problem)))]
pub(crate) async fn consistency(
    State(log): State<Accountability>,
    Query(query): Query<ConsistencyQuery>,
) -> Result<Json<ConsistencyProof>, Problem> {
    Ok(Json(log.prove_consistency(query.first, query.second).await?))
}
