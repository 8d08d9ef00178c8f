//! `GET /api/v1/answer-mails`: whom questions were put to by mail, and what became of each mail.

use axum::extract::{Query, State};
use model::Timestamp;
use platform::http::{Beyond, Json, Page, PageQuery, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::position;
use crate::Playbooks;
use crate::approvals::Kind;
use crate::store::letters::{self, Letter};

/// A mail to one person. Its link is never given out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AnswerMail {
    id: String,
    kind: Kind,
    /// The proposal's id, `RUN/POSITION`, or the delegation's id.
    about: String,
    /// `made`; `again`: nobody had answered; `passed`: somebody asked this person instead.
    round: String,
    person: String,
    /// In whose place the answer would be given.
    #[serde(rename = "for")]
    giver: Option<String>,
    passed_by: Option<String>,
    /// `queued`, `sent` (the server has it), `failed`, `dropped` (not needed any more).
    state: String,
    /// Why it did not go, or not yet.
    reason: Option<String>,
    /// Tries so far.
    attempts: i64,
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    sent_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// When its link answered.
    #[schema(value_type = Option<String>, format = DateTime)]
    used_at: Option<Timestamp>,
}

impl From<Letter> for AnswerMail {
    fn from(it: Letter) -> Self {
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        Self {
            id: it.id,
            kind: it.kind,
            about: it.about,
            round: it.round,
            person: it.name,
            giver: some(it.giver_name),
            passed_by: some(it.passed_by),
            state: it.state,
            reason: it.reason,
            attempts: it.attempts,
            recorded_at: it.recorded_at,
            sent_at: it.sent_at,
            expires_at: it.expires_at,
            used_at: it.used_at,
        }
    }
}

/// Which mails.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct MailsQuery {
    /// Only those about this: a proposal's id, `RUN/POSITION`, a delegation's id.
    about: Option<String>,
    /// Items wanted, 1 to 500; 50 when absent.
    limit: Option<u32>,
    /// Where to go on, from `next`.
    cursor: Option<String>,
}

/// Mails that ask for answers, newest first, with their delivery.
#[utoipa::path(get, path = "/api/v1/answer-mails", tag = "playbooks", operation_id = "list_answer_mails",
    params(MailsQuery),
    responses((status = 200, body = Page<AnswerMail>), (status = 400, body = Problem)))]
pub(crate) async fn list(
    State(room): State<Playbooks>,
    beyond: Beyond,
    Query(query): Query<MailsQuery>,
) -> Result<Json<Page<AnswerMail>>, Problem> {
    let paging = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = paging.limit();
    let before = paging.after()?.map(|key| position(&key)).transpose()?;
    let about = query.about.unwrap_or_default();
    let mut sql = room.platform().db.read().await?;
    let found = letters::list(&mut sql, &about, &beyond.0, before, i64::from(limit) + 1).await?;
    let items = found.into_iter().map(AnswerMail::from).collect();
    Ok(Json(Page::from_surplus(items, limit, |it: &AnswerMail| {
        format!("{} {}", it.recorded_at.as_micros(), it.id)
    })))
}
