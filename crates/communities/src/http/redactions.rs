//! `/api/v1/sharing/redactions`: rules for changes on the way out.

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use platform::http::{Caller, Json as Body, Page, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::error::CommunityError;
use crate::redact::{Action, Addressees, Rule};
use crate::room::Communities;
use crate::store;

/// What a rule shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedactionRequest {
    /// What people call it.
    name: String,
    /// For whom; everybody when absent.
    #[serde(default)]
    to: Addressees,
    /// STIX types it is for; all when absent.
    #[serde(default)]
    types: BTreeSet<String>,
    /// What it does.
    action: Action,
    /// Not applied for now.
    #[serde(default)]
    paused: bool,
}

/// What changes; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedactionChange {
    /// What people call it.
    name: Option<String>,
    /// For whom.
    to: Option<Addressees>,
    /// STIX types it is for.
    types: Option<BTreeSet<String>>,
    /// What it does.
    action: Option<Action>,
    /// Not applied for now.
    paused: Option<bool>,
}

/// The rules, in the order in which they are applied.
#[utoipa::path(get, path = "/api/v1/sharing/redactions", tag = "sharing", responses(
    (status = 200, description = "Rules", body = Page<Rule>)))]
pub(crate) async fn list(State(room): State<Communities>) -> Result<Json<Page<Rule>>, Problem> {
    let mut sql = room.platform().db.read().await?;
    Ok(Json(Page::whole(store::redactions::all(&mut sql).await?)))
}

/// Adds a rule; it is applied from now on, after the others.
#[utoipa::path(post, path = "/api/v1/sharing/redactions", tag = "sharing", request_body = RedactionRequest, responses(
    (status = 201, description = "The rule", body = Rule),
    (status = 409, description = "There are too many", body = Problem),
    (status = 422, description = "It cannot be", body = Problem)))]
pub(crate) async fn add(
    State(room): State<Communities>,
    caller: Caller,
    Body(request): Body<RedactionRequest>,
) -> Result<(StatusCode, Json<Rule>), Problem> {
    let mut bytes = [0; 6];
    room.platform().random.fill(&mut bytes);
    let rule = Rule {
        id: format!("r-{}", hex::encode(bytes)),
        name: request.name.trim().to_owned(),
        to: request.to,
        types: request.types,
        action: request.action,
        paused: request.paused,
    };
    room.put_rule(&caller.name, rule.clone(), true).await?;
    Ok((StatusCode::CREATED, Json(rule)))
}

/// Changes a rule.
#[utoipa::path(patch, path = "/api/v1/sharing/redactions/{id}", tag = "sharing", request_body = RedactionChange,
    params(("id" = String, Path, description = "Id")), responses(
    (status = 200, description = "The rule", body = Rule),
    (status = 404, description = "No such rule", body = Problem),
    (status = 422, description = "It cannot be", body = Problem)))]
pub(crate) async fn change(
    State(room): State<Communities>,
    caller: Caller,
    Path(id): Path<String>,
    Body(change): Body<RedactionChange>,
) -> Result<Json<Rule>, Problem> {
    let mut sql = room.platform().db.read().await?;
    let all = store::redactions::all(&mut sql).await?;
    drop(sql);
    let found = all.into_iter().find(|rule| rule.id == id);
    let mut rule = found.ok_or_else(|| CommunityError::unknown("redaction rule", &id))?;
    rule.name = change.name.map_or(rule.name, |name| name.trim().to_owned());
    rule.to = change.to.unwrap_or(rule.to);
    rule.types = change.types.unwrap_or(rule.types);
    rule.action = change.action.unwrap_or(rule.action);
    rule.paused = change.paused.unwrap_or(rule.paused);
    room.put_rule(&caller.name, rule.clone(), false).await?;
    Ok(Json(rule))
}

/// Takes a rule away.
#[utoipa::path(delete, path = "/api/v1/sharing/redactions/{id}", tag = "sharing",
    params(("id" = String, Path, description = "Id")), responses(
    (status = 204, description = "Removed"),
    (status = 404, description = "No such rule", body = Problem)))]
pub(crate) async fn remove(
    State(room): State<Communities>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    room.remove_rule(&caller.name, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
