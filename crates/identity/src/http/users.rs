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
    /// The other organisation it is for, by name or id: what it reads is judged for that one. Absent: it is of the house.
    #[serde(rename = "for")]
    organisation: Option<String>,
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
    /// What the other organisation is called that it is for; absent: it is of the house.
    #[serde(rename = "for")]
    organisation: Option<String>,
    /// Where mail reaches the person.
    mail: Option<String>,
}

/// The accounts.
#[utoipa::path(get, path = "/api/v1/users", tag = "identity", responses(
    (status = 200, description = "Accounts, by name", body = Vec<UserItem>)))]
pub(crate) async fn list(
    State(identity): State<Identity>,
) -> Result<axum::Json<Vec<UserItem>>, Problem> {
    let mut items = Vec::new();
    for user in identity.users().await? {
        let organisation = identity.called(user.recipient).await;
        let (name, roles, grants, mail) = (user.name, user.roles, user.grants, user.mail);
        items.push(UserItem { name, roles, grants, organisation, mail });
    }
    Ok(axum::Json(items))
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
    let CreateUser { name, role, grants, organisation } = asked;
    let password =
        identity.create_user(&caller, &name, role, grants, organisation.as_deref()).await?;
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
