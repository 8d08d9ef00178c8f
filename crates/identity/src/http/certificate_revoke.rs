//! `DELETE /api/v1/certificates/{id}`: makes a client certificate worthless.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::CertificateId;
use platform::http::{Caller, Problem};

use crate::Identity;
use crate::note::clean;

/// Revokes a client certificate; it opens nothing from the next request on, also on connections that stand.
#[utoipa::path(delete, path = "/api/v1/certificates/{id}", tag = "identity",
    params(("id" = String, Path, description = "The certificate's id")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(crate) async fn revoke(
    State(identity): State<Identity>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let wanted: CertificateId =
        id.parse().map_err(|_| Problem::not_found(format!("certificate '{}'", clean(&id))))?;
    identity.revoke_certificate(&caller, wanted).await?;
    Ok(StatusCode::NO_CONTENT)
}
