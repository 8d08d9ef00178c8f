//! `/api/v1/me/sessions`, `/api/v1/users/{name}/sessions`: who is signed in where, and the end of it.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::Timestamp;
use platform::http::{Caller, Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::Door;
use crate::note::clean;
use crate::sessions::{NAME_DIGITS, browser};
use crate::store::access;
use crate::store::sessions::Open;
use crate::{Identity, IdentityError};

/// An open session.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionItem {
    /// Its name; it opens nothing.
    id: String,
    /// When it was opened.
    #[schema(value_type = String, format = DateTime)]
    opened_at: Timestamp,
    /// When it was last used, to a minute.
    #[schema(value_type = String, format = DateTime)]
    seen_at: Timestamp,
    /// When it ends by itself at the latest.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// From which address it was opened.
    source: String,
    /// The browser, in words.
    browser: String,
    /// Whether this request came by it.
    this: bool,
}

/// How many sessions ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ended {
    /// How many.
    ended: u64,
}

fn items(all: Vec<Open>, own: Option<&String>) -> Json<Vec<SessionItem>> {
    let item = |open: Open| SessionItem {
        this: own == Some(&open.digest),
        id: open.digest.chars().take(NAME_DIGITS).collect(),
        opened_at: open.recorded_at,
        seen_at: open.seen_at,
        expires_at: open.expires_at,
        browser: browser(&open.agent),
        source: open.source,
    };
    Json(all.into_iter().map(item).collect())
}

/// My open sessions, the newest first.
#[utoipa::path(get, path = "/api/v1/me/sessions", tag = "identity", operation_id = "own_sessions",
    responses((status = 200, body = Vec<SessionItem>), (status = 409, body = Problem)))]
pub(crate) async fn own(
    State(identity): State<Identity>,
    caller: Caller,
    door: Door,
) -> Result<Json<Vec<SessionItem>>, Problem> {
    let user = identity.own_account(&caller).await?;
    Ok(items(identity.sessions_of(user.id).await?, door.session.as_ref()))
}

/// Ends one of my sessions.
#[utoipa::path(delete, path = "/api/v1/me/sessions/{id}", tag = "identity",
    operation_id = "end_own_session", params(("id" = String, Path, description = "The session's id")),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn end_own(
    State(identity): State<Identity>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    identity.end_session(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all of my sessions but the one that asks.
#[utoipa::path(delete, path = "/api/v1/me/sessions", tag = "identity",
    operation_id = "end_other_sessions",
    responses((status = 200, body = Ended), (status = 409, body = Problem)))]
pub(crate) async fn end_others(
    State(identity): State<Identity>,
    caller: Caller,
    door: Door,
) -> Result<Json<Ended>, Problem> {
    let user = identity.own_account(&caller).await?;
    let but = door.session.unwrap_or_default();
    Ok(Json(Ended { ended: identity.end_sessions(&caller, &user.name, &but).await? }))
}

/// Open sessions of an account, the newest first.
#[utoipa::path(get, path = "/api/v1/users/{name}/sessions", tag = "identity",
    operation_id = "user_sessions", params(("name" = String, Path, description = "The account")),
    responses((status = 200, body = Vec<SessionItem>), (status = 404, body = Problem)))]
pub(crate) async fn of(
    State(identity): State<Identity>,
    Path(name): Path<String>,
    door: Door,
) -> Result<Json<Vec<SessionItem>>, Problem> {
    let user = {
        let mut sql = identity.platform().db.read().await?;
        access::user(&mut sql, &name).await?
    };
    let user = user.ok_or_else(|| IdentityError::NotFound(format!("account {}", clean(&name))))?;
    Ok(items(identity.sessions_of(user.id).await?, door.session.as_ref()))
}

/// Ends all sessions of an account.
#[utoipa::path(delete, path = "/api/v1/users/{name}/sessions", tag = "identity",
    operation_id = "end_user_sessions", params(("name" = String, Path, description = "The account")),
    responses((status = 200, body = Ended), (status = 404, body = Problem)))]
pub(crate) async fn end_all_of(
    State(identity): State<Identity>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Ended>, Problem> {
    Ok(Json(Ended { ended: identity.end_sessions(&caller, &name, "").await? }))
}
