//! `DELETE /api/v1/tokens/{id}`: makes a token worthless.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::TokenId;
use platform::http::{Caller, Problem};

use crate::Identity;
use crate::note::clean;

/// Revokes a token; it opens nothing from the next request on.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "identity",
    params(("id" = String, Path, description = "The token's id")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(crate) async fn revoke(
    State(identity): State<Identity>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let wanted: TokenId =
        id.parse().map_err(|_| Problem::not_found(format!("token '{}'", clean(&id))))?;
    identity.revoke_token(&caller, wanted).await?;
    Ok(StatusCode::NO_CONTENT)
}
