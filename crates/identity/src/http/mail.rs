//! `PUT /api/v1/me/mail`, `PUT /api/v1/users/{name}/mail`: where mail reaches a person.

use axum::extract::{Path, State};
use platform::http::{Caller, CallerKind, Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Identity;

/// Where mail reaches a person.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MailAddress {
    /// `NAME@HOST`; absent or empty: none.
    mail: Option<String>,
}

/// Says where mail reaches me.
#[utoipa::path(put, path = "/api/v1/me/mail", tag = "identity", operation_id = "set_own_mail",
    request_body = MailAddress,
    responses((status = 200, body = MailAddress), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn own(
    State(identity): State<Identity>,
    caller: Caller,
    Json(wanted): Json<MailAddress>,
) -> Result<Json<MailAddress>, Problem> {
    if caller.kind != CallerKind::User {
        return Err(Problem::conflict("only people with an account have an address of mail")
            .remedy(
                "Sign in; or name the account: PUT /api/v1/users/NAME/mail, `sereno user mail`.",
            ));
    }
    let mail = identity.set_mail(&caller, &caller.name, wanted.mail.as_deref().unwrap_or_default());
    Ok(Json(MailAddress { mail: mail.await? }))
}

/// Says where mail reaches an account.
#[utoipa::path(put, path = "/api/v1/users/{name}/mail", tag = "identity",
    operation_id = "set_user_mail", params(("name" = String, Path, description = "The account")),
    request_body = MailAddress,
    responses((status = 200, body = MailAddress), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn set(
    State(identity): State<Identity>,
    caller: Caller,
    Path(name): Path<String>,
    Json(wanted): Json<MailAddress>,
) -> Result<Json<MailAddress>, Problem> {
    let mail = identity.set_mail(&caller, &name, wanted.mail.as_deref().unwrap_or_default());
    Ok(Json(MailAddress { mail: mail.await? }))
}
