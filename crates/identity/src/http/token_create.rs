//! `POST /api/v1/tokens`: a new API token.

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use model::{Timestamp, TokenId};
use platform::http::{Caller, Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Identity, TokenRequest};

/// What the token shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateToken {
    /// `administrator`, `analyst`, `operator`, `assessor`, `read-only` or `taxii`.
    role: String,
    /// What it is for.
    label: String,
    /// Rights on single TAXII collections, `ID:read` or `ID:write`; with grants it has no others.
    #[serde(default)]
    grants: Vec<String>,
    /// The other organisation it is for, by name or id: what it reads is judged for that one. Absent: it is of the house.
    #[serde(rename = "for")]
    organisation: Option<String>,
    /// When it ends by itself; never when absent.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
}

/// A token just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedToken {
    /// Its id, for revoking it.
    #[schema(value_type = String)]
    id: TokenId,
    /// The whole text; it is shown this once.
    token: String,
}

/// Makes a token; its text is shown once and not kept.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "identity",
    responses((status = 201, body = CreatedToken), (status = 422, body = Problem)))]
pub(crate) async fn create(
    State(identity): State<Identity>,
    caller: Caller,
    Json(asked): Json<CreateToken>,
) -> Result<(StatusCode, [(HeaderName, HeaderValue); 1], Json<CreatedToken>), Problem> {
    let CreateToken { role, label, grants, organisation, expires_at } = asked;
    let request = TokenRequest { role, label, grants, organisation, expires_at };
    let made = identity.create_token(&caller, request).await?;
    let unkept = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((StatusCode::CREATED, unkept, Json(CreatedToken { id: made.id, token: made.token })))
}
