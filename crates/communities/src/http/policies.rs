//! `/api/v1/sharing/policies`: what may leave, as text and in plain words.

use axum::Json;
use axum::extract::{Path, Query, State};
use model::Timestamp;
use platform::http::{Caller, Json as Body, Page, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::error::CommunityError;
use crate::members::at;
use crate::policy::desk::Shown;
use crate::policy::trial::Tried;
use crate::room::Communities;
use crate::store;

/// A policy in force.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SharingPolicy {
    /// Its id.
    id: String,
    /// Part of the program; it cannot be changed.
    built_in: bool,
    /// `permit` or `forbid`.
    effect: &'static str,
    /// The sentence people read when it decides.
    reason: String,
    /// What it says, in plain words made from the policy itself.
    words: String,
    /// Cedar.
    text: String,
    /// Version of an own policy, from 1.
    version: Option<i64>,
    /// Who changed it last.
    changed_by: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    changed_at: Option<Timestamp>,
}

impl From<Shown> for SharingPolicy {
    fn from(it: Shown) -> Self {
        Self {
            id: it.id,
            built_in: it.built_in,
            effect: if it.forbids { "forbid" } else { "permit" },
            reason: it.reason,
            words: it.words,
            text: it.text,
            version: it.stored.as_ref().map(|stored| stored.version),
            changed_by: it.stored.as_ref().map(|stored| stored.changed_by.clone()),
            changed_at: it.stored.as_ref().map(|stored| at(stored.changed_us)),
        }
    }
}

/// A policy with its versions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SharingPolicyHistory {
    /// The policy in force; absent when it was removed.
    policy: Option<SharingPolicy>,
    /// All versions, the newest first; an empty text is a removal.
    versions: Vec<SharingPolicyVersion>,
}

/// A version of a policy.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SharingPolicyVersion {
    /// From 1.
    version: i64,
    /// Cedar; empty when it was removed.
    text: String,
    /// Who changed it.
    changed_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    changed_at: Timestamp,
}

/// A new text.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SharingPolicyText {
    /// One Cedar policy with `@reason("…")`.
    text: String,
    /// Also when it breaks tests.
    #[serde(default)]
    force: bool,
}

/// What became of a change.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SharingPolicyChanged {
    /// The policy; absent when it was removed.
    policy: Option<SharingPolicy>,
    /// Every test, run against the policies as they are now.
    tests: Vec<Tried>,
}

/// How it is removed.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct SharingPolicyRemoval {
    /// Also when it breaks tests.
    force: Option<bool>,
}

/// All policies in force, own ones first.
#[utoipa::path(get, path = "/api/v1/sharing/policies", tag = "sharing", responses(
    (status = 200, description = "Policies", body = Page<SharingPolicy>)))]
pub(crate) async fn list(
    State(room): State<Communities>,
) -> Result<Json<Page<SharingPolicy>>, Problem> {
    let shown = room.shown_policies().await?;
    Ok(Json(Page::whole(shown.into_iter().map(SharingPolicy::from).collect())))
}

async fn found(room: &Communities, id: &str) -> Result<Option<SharingPolicy>, CommunityError> {
    let shown = room.shown_policies().await?;
    Ok(shown.into_iter().find(|policy| policy.id == id).map(SharingPolicy::from))
}

/// One policy with its versions.
#[utoipa::path(get, path = "/api/v1/sharing/policies/{id}", tag = "sharing",
    params(("id" = String, Path, description = "Id")), responses(
    (status = 200, description = "The policy", body = SharingPolicyHistory),
    (status = 404, description = "No such policy", body = Problem)))]
pub(crate) async fn show(
    State(room): State<Communities>,
    Path(id): Path<String>,
) -> Result<Json<SharingPolicyHistory>, Problem> {
    let policy = found(&room, &id).await?;
    let mut sql = room.platform().db.read().await?;
    let versions = store::policies::versions(&mut sql, &id).await?;
    if policy.is_none() && versions.is_empty() {
        return Err(CommunityError::unknown("policy", &id).into());
    }
    let versions = versions.into_iter().map(|stored| SharingPolicyVersion {
        version: stored.version,
        text: stored.text,
        changed_by: stored.changed_by,
        changed_at: at(stored.changed_us),
    });
    Ok(Json(SharingPolicyHistory { policy, versions: versions.collect() }))
}

/// Puts a policy in force. It is read, checked and tried before it counts.
#[utoipa::path(put, path = "/api/v1/sharing/policies/{id}", tag = "sharing", request_body = SharingPolicyText,
    params(("id" = String, Path, description = "Id")), responses(
    (status = 200, description = "In force", body = SharingPolicyChanged),
    (status = 409, description = "It breaks tests", body = Problem),
    (status = 422, description = "It cannot be used; each error with line and column", body = Problem)))]
pub(crate) async fn put(
    State(room): State<Communities>,
    caller: Caller,
    Path(id): Path<String>,
    Body(request): Body<SharingPolicyText>,
) -> Result<Json<SharingPolicyChanged>, Problem> {
    if request.text.trim().is_empty() {
        let error = CommunityError::invalid("the policy is empty", "Remove it with DELETE.");
        return Err(error.into());
    }
    let tests = room.set_policy(&caller.name, &id, Some(&request.text), request.force).await?;
    Ok(Json(SharingPolicyChanged { policy: found(&room, &id).await?, tests }))
}

/// Takes an own policy away; its versions stay.
#[utoipa::path(delete, path = "/api/v1/sharing/policies/{id}", tag = "sharing",
    params(("id" = String, Path, description = "Id"), SharingPolicyRemoval), responses(
    (status = 200, description = "Removed", body = SharingPolicyChanged),
    (status = 404, description = "No such own policy", body = Problem),
    (status = 409, description = "It breaks tests", body = Problem)))]
pub(crate) async fn remove(
    State(room): State<Communities>,
    caller: Caller,
    Path(id): Path<String>,
    Query(removal): Query<SharingPolicyRemoval>,
) -> Result<Json<SharingPolicyChanged>, Problem> {
    let force = removal.force.unwrap_or(false);
    let tests = room.set_policy(&caller.name, &id, None, force).await?;
    Ok(Json(SharingPolicyChanged { policy: None, tests }))
}
