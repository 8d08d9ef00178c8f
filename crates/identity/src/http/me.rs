//! `GET /api/v1/me`: who I am here and what I may do.

use axum::extract::State;
use platform::http::{Caller, CallerKind, Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::may;
use crate::Identity;

/// The caller.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Me {
    /// Id of the user or token.
    user: String,
    /// The name in logs and timelines.
    name: String,
    /// Roles held.
    roles: Vec<String>,
    /// Permissions held, `<room>.<verb>`.
    permissions: Vec<String>,
    /// Where mail reaches me.
    mail: Option<String>,
    /// My name as it is shown.
    shown: Option<String>,
    /// Whether this is an account: what stands under "my account" is for those.
    account: bool,
}

/// The caller with everything the policies allow it.
#[utoipa::path(get, path = "/api/v1/me", tag = "identity", responses((status = 200, body = Me)))]
pub(crate) async fn me(
    State(identity): State<Identity>,
    caller: Caller,
) -> Result<Json<Me>, Problem> {
    let own = match caller.kind {
        CallerKind::User => identity.own_account(&caller).await.ok(),
        _ => None,
    };
    let account = own.is_some();
    let (mail, shown) = own.map(|own| (own.mail, own.shown)).unwrap_or_default();
    let mut permissions: Vec<String> =
        identity.access_rules().iter().map(|rule| rule.permission.clone()).collect();
    permissions.sort_unstable();
    permissions.dedup();
    permissions.retain(|permission| permission != "public" && may(&identity, &caller, permission));
    let Caller { id: user, name, roles, .. } = caller;
    Ok(Json(Me { user, name, roles, permissions, mail, shown, account }))
}
