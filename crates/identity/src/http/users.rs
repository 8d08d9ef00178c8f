//! `/api/v1/users`: accounts that administrators make.

use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use platform::http::{Caller, Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Identity;

/// What the account shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateUser {
    /// Its name.
    name: String,
    /// `administrator`, `analyst`, `operator`, `assessor`, `read-only` or `taxii`.
    role: String,
    /// Rights on single TAXII collections, `ID:read` or `ID:write`; with grants it has no others.
    #[serde(default)]
    grants: Vec<String>,
}

/// An account just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct CreatedUser {
    /// Its name.
    name: String,
    /// Its password; it is shown this once.
    password: String,
}

/// An account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UserItem {
    /// Its name.
    name: String,
    /// Its roles.
    roles: Vec<String>,
    /// Its rights on single TAXII collections.
    grants: Vec<String>,
}

/// The accounts.
#[utoipa::path(get, path = "/api/v1/users", tag = "identity", responses(
    (status = 200, description = "Accounts, by name", body = Vec<UserItem>)))]
pub(crate) async fn list(
    State(identity): State<Identity>,
) -> Result<axum::Json<Vec<UserItem>>, Problem> {
    let all = identity.users().await?.into_iter();
    let items = all.map(|u| UserItem { name: u.name, roles: u.roles, grants: u.grants });
    Ok(axum::Json(items.collect()))
}

/// Makes an account; its password is made by the node, shown once and not kept.
#[utoipa::path(post, path = "/api/v1/users", tag = "identity",
    responses((status = 201, body = CreatedUser), (status = 409, body = Problem),
    (status = 422, body = Problem)))]
pub(crate) async fn create(
    State(identity): State<Identity>,
    caller: Caller,
    Json(asked): Json<CreateUser>,
) -> Result<(StatusCode, [(HeaderName, HeaderValue); 1], Json<CreatedUser>), Problem> {
    let CreateUser { name, role, grants } = asked;
    let password = identity.create_user(&caller, &name, role, grants).await?;
    let unkept = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((StatusCode::CREATED, unkept, Json(CreatedUser { name: name.trim().into(), password })))
}

/// Takes an account away.
#[utoipa::path(delete, path = "/api/v1/users/{name}", tag = "identity",
    params(("name" = String, Path, description = "The account")),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn remove(
    State(identity): State<Identity>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    identity.remove_user(&caller, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}
