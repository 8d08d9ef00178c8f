//! `POST /api/v1/ledger/verify`: checks the whole log.

use axum::extract::State;
use platform::http::{Json, Problem};

use crate::{Accountability, VerifyReport};

/// Recomputes every commitment, leaf, node and signed head, and names the first altered entry.
#[utoipa::path(post, path = "/api/v1/ledger/verify", tag = "accountability",
    responses((status = 200, body = VerifyReport)))]
pub(crate) async fn verify(
    State(log): State<Accountability>,
) -> Result<Json<VerifyReport>, Problem> {
    Ok(Json(log.verify().await?))
}
