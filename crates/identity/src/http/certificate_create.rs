//! `POST /api/v1/certificates`: a client certificate for a program.

use axum::extract::State;
use axum::http::StatusCode;
use model::{CertificateId, Timestamp};
use platform::http::{Caller, Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{CertificateRequest, Identity};

/// What the certificate shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateCertificate {
    /// `taxii`, or another role of tokens.
    role: String,
    /// Whose it is.
    label: String,
    /// Rights on single TAXII collections, `ID:read` or `ID:write`; with grants it has no others.
    #[serde(default)]
    grants: Vec<String>,
    /// The other organisation it is for, by name or id: what it reads is judged for that one. Absent: it is of the house.
    #[serde(rename = "for")]
    organisation: Option<String>,
    /// How long it lasts, 1 to 825 days.
    days: i64,
    /// The signing request (PKCS #10), PEM: the key stays with whoever made it. Only the key is taken from it.
    request: String,
}

/// A certificate just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedCertificate {
    /// Its id, for revoking it.
    #[schema(value_type = String)]
    id: CertificateId,
    /// The certificate, PEM.
    certificate: String,
    /// SHA-256 of it, hex.
    fingerprint: String,
    /// When it ends.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// The authority by which the client knows this node's server certificate, PEM.
    authority: String,
}

/// Signs a client certificate for a program that is no node, e.g. a TAXII client.
#[utoipa::path(post, path = "/api/v1/certificates", tag = "identity",
    responses((status = 201, body = CreatedCertificate), (status = 422, body = Problem)))]
pub(crate) async fn create(
    State(identity): State<Identity>,
    caller: Caller,
    Json(asked): Json<CreateCertificate>,
) -> Result<(StatusCode, Json<CreatedCertificate>), Problem> {
    let CreateCertificate { role, label, grants, organisation, days, request } = asked;
    let asked = CertificateRequest { role, label, grants, organisation, days, request };
    let made = identity.create_certificate(&caller, asked).await?;
    let created = CreatedCertificate {
        id: made.id,
        certificate: made.certificate,
        fingerprint: made.fingerprint,
        expires_at: made.expires_at,
        authority: identity.ca_pem().to_owned(),
    };
    Ok((StatusCode::CREATED, Json(created)))
}
