//! `DELETE /api/v1/peers/{id}`: ends the exchange with a node.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::PeerId;
use platform::http::{Caller, Problem};

use crate::Identity;
use crate::note::clean;

/// Ends the exchange: the peer's certificate opens nothing from the next request on.
#[utoipa::path(delete, path = "/api/v1/peers/{id}", tag = "identity",
    params(("id" = String, Path, description = "The peer's id")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(crate) async fn remove(
    State(identity): State<Identity>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let wanted: PeerId =
        id.parse().map_err(|_| Problem::not_found(format!("peer '{}'", clean(&id))))?;
    identity.remove_peer(&caller, wanted).await?;
    Ok(StatusCode::NO_CONTENT)
}
