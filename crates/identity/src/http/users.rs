//! `/api/v1/users`: accounts that administrators make.

use axum::extract::{Path, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use model::Timestamp;
use platform::http::{Caller, Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Identity;
use crate::people::Change;

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
    /// The name that is shown.
    shown: Option<String>,
    /// Since when it is switched off; absent: it is in use.
    #[schema(value_type = Option<String>, format = DateTime)]
    disabled_at: Option<Timestamp>,
    /// When the person last signed in.
    #[schema(value_type = Option<String>, format = DateTime)]
    signed_in_at: Option<Timestamp>,
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
        items.push(UserItem {
            name: user.name,
            roles: user.roles,
            grants: user.grants,
            organisation,
            mail: user.mail,
            shown: user.shown,
            disabled_at: user.disabled_at,
            signed_in_at: user.signed_in_at,
        });
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

/// What changes of an account; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeUser {
    /// Its role.
    role: Option<String>,
    /// Whether it is switched off: nobody signs in with it, and its sessions end.
    disabled: Option<bool>,
    /// The name that is shown; empty: none.
    shown: Option<String>,
}

/// Changes an account: its role, whether it is in use, the name that is shown.
#[utoipa::path(patch, path = "/api/v1/users/{name}", tag = "identity", operation_id = "change_user",
    params(("name" = String, Path, description = "The account")), request_body = ChangeUser,
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn change(
    State(identity): State<Identity>,
    caller: Caller,
    Path(name): Path<String>,
    Json(asked): Json<ChangeUser>,
) -> Result<StatusCode, Problem> {
    let ChangeUser { role, disabled, shown } = asked;
    identity.change_user(&caller, &name, Change { role, disabled, shown }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A new password for somebody.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResetPassword {
    /// The password; absent: the node makes one.
    password: Option<String>,
    /// Also switches the account on again.
    #[serde(default)]
    recover: bool,
}

/// Gives an account a new password, shown once; all of its sessions end.
#[utoipa::path(post, path = "/api/v1/users/{name}/password", tag = "identity",
    operation_id = "reset_password", params(("name" = String, Path, description = "The account")),
    request_body = ResetPassword, responses((status = 200, body = CreatedUser),
    (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn password(
    State(identity): State<Identity>,
    caller: Caller,
    Path(name): Path<String>,
    Json(asked): Json<ResetPassword>,
) -> Result<([(HeaderName, HeaderValue); 1], Json<CreatedUser>), Problem> {
    let password = identity.reset_password(&caller, &name, asked.password, asked.recover).await?;
    let unkept = [(header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((unkept, Json(CreatedUser { name, password })))
}
