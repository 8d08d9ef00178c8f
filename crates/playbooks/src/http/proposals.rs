//! `GET /api/v1/proposals`, `GET …/{id}`, `POST …/{id}/answer`: runs that wait for people to say yes.

use axum::extract::{Path, Query, State};
use model::{IncidentId, PlaybookId, ProposalId, RunId, Timestamp};
use platform::http::{Beyond, Caller, Json, Page, PageQuery, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::position;
use crate::automation::Level;
use crate::automation::proposals::{Answer, Proposal, ProposalState, Voice};
use crate::store::proposals::Which;
use crate::{Playbooks, PlaybooksError, store};

/// A run that waits for people.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProposalView {
    #[schema(value_type = String)]
    id: ProposalId,
    #[schema(value_type = String)]
    playbook: PlaybookId,
    /// The playbook's name.
    name: String,
    #[schema(value_type = Option<String>)]
    incident: Option<IncidentId>,
    /// `ask` or `recommend`.
    level: Level,
    /// Why it does not start by itself.
    reasons: Vec<String>,
    /// What would have started it.
    trigger: String,
    /// Values that its run is given, besides those of the incident.
    #[schema(value_type = std::collections::BTreeMap<String, String>)]
    given: crate::cacao::variables::Values,
    /// How many people must say yes.
    persons: u32,
    /// Who has.
    voices: Vec<Voice>,
    state: ProposalState,
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    /// When it is over without an answer.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    decided_at: Option<Timestamp>,
    decided_by: Option<String>,
    comment: Option<String>,
    /// The run that came of it.
    #[schema(value_type = Option<String>)]
    run: Option<RunId>,
}

impl From<Proposal> for ProposalView {
    fn from(it: Proposal) -> Self {
        Self {
            id: it.id,
            playbook: it.playbook,
            name: it.name,
            incident: it.incident,
            level: it.level,
            reasons: it.reasons,
            trigger: it.trigger,
            given: it.given,
            persons: it.persons,
            voices: it.voices,
            state: it.state,
            recorded_at: it.recorded_at,
            expires_at: it.expires_at,
            decided_at: it.decided_at,
            decided_by: it.decided_by,
            comment: it.comment,
            run: it.run,
        }
    }
}

/// Which proposals.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct ProposalsQuery {
    /// `open`, `accepted`, `declined`, `expired`, `decided` (all but open); all when absent.
    state: Option<String>,
    /// Items wanted, 1 to 500; 50 when absent.
    limit: Option<u32>,
    /// Where to go on, from `next`.
    cursor: Option<String>,
}

/// Proposals, newest first.
#[utoipa::path(get, path = "/api/v1/proposals", tag = "playbooks", params(ProposalsQuery),
    responses((status = 200, body = Page<ProposalView>), (status = 400, body = Problem)))]
pub(crate) async fn list(
    State(room): State<Playbooks>,
    beyond: Beyond,
    Query(query): Query<ProposalsQuery>,
) -> Result<Json<Page<ProposalView>>, Problem> {
    let word = query.state.as_deref().filter(|word| !word.is_empty() && *word != "all");
    let state = match word {
        None => Which::All,
        Some("decided") => Which::Decided,
        Some(word) => Which::State(ProposalState::from_word(word).ok_or_else(|| {
            Problem::bad_request(format!("state '{}' is not a choice", word.escape_default()))
                .remedy("Use open, accepted, declined, expired, decided or all.")
        })?),
    };
    let paging = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = paging.limit();
    let before = paging.after()?.map(|key| position(&key)).transpose()?;
    let mut sql = room.platform().db.read().await?;
    let found =
        store::proposals::list(&mut sql, state, &beyond.0, before, i64::from(limit) + 1).await?;
    let items = found.into_iter().map(ProposalView::from).collect();
    Ok(Json(Page::from_surplus(items, limit, |it: &ProposalView| {
        format!("{} {}", it.recorded_at.as_micros(), it.id)
    })))
}

/// One proposal.
#[utoipa::path(get, path = "/api/v1/proposals/{id}", tag = "playbooks",
    params(("id" = String, Path, description = "The proposal's id")),
    responses((status = 200, body = ProposalView), (status = 404, body = Problem)))]
pub(crate) async fn one(
    State(room): State<Playbooks>,
    beyond: Beyond,
    Path(text): Path<String>,
) -> Result<Json<ProposalView>, Problem> {
    Ok(Json(found(&room, &beyond, super::id("proposal", &text)?).await?.into()))
}

/// A proposal that is here and not beyond the caller's sight.
pub(crate) async fn found(
    room: &Playbooks,
    beyond: &Beyond,
    id: ProposalId,
) -> Result<Proposal, PlaybooksError> {
    let mut sql = room.platform().db.read().await?;
    let found = store::proposals::one(&mut sql, id).await?;
    found.filter(|proposal| !beyond.hides(proposal.tlp)).ok_or(PlaybooksError::NoProposal(id))
}

/// Yes or no.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ProposalAnswer {
    /// Start it, or not.
    accept: bool,
    /// What is to be said about it, up to 4,000 characters.
    #[serde(default)]
    comment: String,
    /// In whose place, by name of account: needs a delegation from that person.
    #[serde(default, rename = "for")]
    giver: Option<String>,
}

/// Answers a proposal. With the last yes that is needed the run starts; one no ends it.
#[utoipa::path(post, path = "/api/v1/proposals/{id}/answer", tag = "playbooks",
    operation_id = "answer_proposal",
    params(("id" = String, Path, description = "The proposal's id")), request_body = ProposalAnswer,
    responses((status = 200, body = ProposalView), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn answer(
    State(room): State<Playbooks>,
    caller: Caller,
    beyond: Beyond,
    Path(text): Path<String>,
    Json(body): Json<ProposalAnswer>,
) -> Result<Json<ProposalView>, Problem> {
    let id: ProposalId = super::id("proposal", &text)?;
    let report = match found(&room, &beyond, id).await?.incident {
        None => None,
        Some(incident) => room.incidents.report(incident).await?,
    };
    let said = room.approvals.said(&caller, body.giver.as_deref()).await?;
    let answer = Answer { accept: body.accept, comment: body.comment, said };
    Ok(Json(room.engine.decide(id, answer, report).await?.into()))
}
