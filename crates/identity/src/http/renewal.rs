//! `POST /api/v1/peers/renewal`: a peer's client certificate anew.

use axum::extract::State;
use platform::http::{Caller, Json, Problem};

use crate::{Enrolled, Identity, Renewal};

/// Gives a peer a fresh certificate for the key it has shown.
#[utoipa::path(post, path = "/api/v1/peers/renewal", tag = "identity",
    responses((status = 200, body = Enrolled), (status = 403, body = Problem)))]
pub(crate) async fn renew(
    State(identity): State<Identity>,
    caller: Caller,
    Json(asked): Json<Renewal>,
) -> Result<Json<Enrolled>, Problem> {
    Ok(Json(identity.renew_client(&caller, &asked.csr).await?))
}
