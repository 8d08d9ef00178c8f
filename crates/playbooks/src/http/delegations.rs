//! `GET`, `POST /api/v1/delegations`, `DELETE …/{id}`: voices given to others for a time.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use model::{PlaybookId, Timestamp};
use platform::http::{Caller, Json, Page, PageQuery, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::position;
use crate::approvals::delegations::Wanted;
use crate::store::delegations::{self, Delegation};
use crate::{Playbooks, PlaybooksError};

/// What a delegation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DelegatedKind {
    /// Runs that wait for a yes.
    Proposals,
    /// Manual steps.
    Steps,
}

/// A voice given for a time.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DelegationView {
    id: String,
    /// Whose voice.
    giver: String,
    /// Who may raise it.
    taker: String,
    kinds: Vec<DelegatedKind>,
    /// Only for this playbook; absent: for all.
    #[schema(value_type = Option<String>)]
    playbook: Option<PlaybookId>,
    comment: String,
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    made_by: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    revoked_by: Option<String>,
    /// In force now.
    active: bool,
}

impl DelegationView {
    fn of(it: Delegation, now: Timestamp) -> Self {
        let kinds = [(it.proposals, DelegatedKind::Proposals), (it.steps, DelegatedKind::Steps)];
        Self {
            active: it.holds(now),
            id: it.id,
            giver: it.giver_name,
            taker: it.taker_name,
            kinds: kinds.into_iter().filter(|(is, _)| *is).map(|(_, kind)| kind).collect(),
            playbook: it.playbook,
            comment: it.comment,
            from: it.from_at,
            until: it.until_at,
            recorded_at: it.recorded_at,
            made_by: it.made_by,
            revoked_at: it.revoked_at,
            revoked_by: it.revoked_by,
        }
    }
}

/// A voice to be given.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DelegationWanted {
    /// Whose voice, by name of account; absent: the caller's.
    #[serde(default)]
    giver: Option<String>,
    /// Who may raise it, by name of account; must be allowed to answer themselves.
    taker: String,
    /// `proposals`, `steps`; absent: both.
    #[serde(default)]
    kinds: Option<Vec<DelegatedKind>>,
    /// Only for this playbook.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    playbook: Option<PlaybookId>,
    /// Absent: now.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    from: Option<Timestamp>,
    /// At most 92 days after `from`.
    #[schema(value_type = String, format = DateTime)]
    until: Timestamp,
    /// Up to 300 characters.
    #[serde(default)]
    comment: String,
}

/// Delegations, newest first; those that have ended stay.
#[utoipa::path(get, path = "/api/v1/delegations", tag = "playbooks", operation_id = "list_delegations",
    params(PageQuery),
    responses((status = 200, body = Page<DelegationView>), (status = 400, body = Problem)))]
pub(crate) async fn list(
    State(room): State<Playbooks>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<DelegationView>>, Problem> {
    let limit = query.limit();
    let before = query.after()?.map(|key| position(&key)).transpose()?;
    let mut sql = room.platform().db.read().await?;
    let found = delegations::list(&mut sql, before, i64::from(limit) + 1).await?;
    let now = room.platform().now();
    let items = found.into_iter().map(|it| DelegationView::of(it, now)).collect();
    Ok(Json(Page::from_surplus(items, limit, |it: &DelegationView| {
        format!("{} {}", it.recorded_at.as_micros(), it.id)
    })))
}

/// Gives a voice to somebody for a time. Nobody gains a right: the taker must be allowed to answer, and the giver must still be.
#[utoipa::path(post, path = "/api/v1/delegations", tag = "playbooks", operation_id = "delegate",
    request_body = DelegationWanted,
    responses((status = 201, body = DelegationView), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn make(
    State(room): State<Playbooks>,
    caller: Caller,
    Json(wanted): Json<DelegationWanted>,
) -> Result<(StatusCode, Json<DelegationView>), Problem> {
    let has = |kind| wanted.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind));
    let wanted = Wanted {
        proposals: has(DelegatedKind::Proposals),
        steps: has(DelegatedKind::Steps),
        giver: wanted.giver,
        taker: wanted.taker,
        playbook: wanted.playbook,
        from: wanted.from,
        until: wanted.until,
        comment: wanted.comment,
    };
    let made = room.approvals.delegate(&caller, wanted).await?;
    Ok((StatusCode::CREATED, Json(DelegationView::of(made, room.platform().now()))))
}

/// Ends a delegation; giver and taker may, and whoever manages playbooks.
#[utoipa::path(delete, path = "/api/v1/delegations/{id}", tag = "playbooks", operation_id = "end_delegation",
    params(("id" = String, Path, description = "The delegation's id")),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn end(
    State(room): State<Playbooks>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    if uuid::Uuid::parse_str(&id).is_err() {
        return Err(PlaybooksError::NoDelegation(id.chars().take(64).collect()).into());
    }
    room.approvals.take_back(&caller, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
