//! Runs that wait for people to say yes.

use model::{IncidentId, PlaybookId, ProposalId, RunId, Timestamp, Tlp};
use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{json, json_option, parsed, time, time_option, to_json};
use crate::automation::Level;
use crate::automation::proposals::{Proposal, ProposalState};

const PLACE: &str = "playbooks_proposals";

/// Stores a new one; false when the same start was proposed before.
pub(crate) async fn insert(connection: &mut AnyConnection, it: &Proposal) -> Result<bool, DbError> {
    let done = sqlx::query(
        "INSERT INTO playbooks_proposals (id, playbook, name, incident, level, reasons, trigger_text, \
         start_key, persons, state, voices, recorded_at, escalate_at, expires_at, given, tlp) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
         ON CONFLICT (start_key) DO NOTHING",
    )
    .bind(it.id.to_string())
    .bind(it.playbook.to_string())
    .bind(&it.name)
    .bind(it.incident.map(|id| id.to_string()))
    .bind(it.level.word())
    .bind(to_json(&it.reasons, PLACE)?)
    .bind(&it.trigger)
    .bind(&it.start_key)
    .bind(i64::from(it.persons))
    .bind(it.state.word())
    .bind(to_json(&it.voices, PLACE)?)
    .bind(it.recorded_at.as_micros())
    .bind(it.escalate_at.map(Timestamp::as_micros))
    .bind(it.expires_at.as_micros())
    .bind(to_json(&it.given, PLACE)?)
    .bind(it.tlp.map(Tlp::label))
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes what can change.
pub(crate) async fn update(connection: &mut AnyConnection, it: &Proposal) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE playbooks_proposals SET state = $1, voices = $2, escalate_at = $3, decided_at = $4, \
         decided_by = $5, comment = $6, run = $7 WHERE id = $8",
    )
    .bind(it.state.word())
    .bind(to_json(&it.voices, PLACE)?)
    .bind(it.escalate_at.map(Timestamp::as_micros))
    .bind(it.decided_at.map(Timestamp::as_micros))
    .bind(&it.decided_by)
    .bind(&it.comment)
    .bind(it.run.map(|id| id.to_string()))
    .bind(it.id.to_string())
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn one(
    connection: &mut AnyConnection,
    id: ProposalId,
) -> Result<Option<Proposal>, DbError> {
    let row = sqlx::query("SELECT * FROM playbooks_proposals WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

/// The proposal with this start key.
pub(crate) async fn by_key(
    connection: &mut AnyConnection,
    start_key: &str,
) -> Result<Option<ProposalId>, DbError> {
    let row = sqlx::query("SELECT id FROM playbooks_proposals WHERE start_key = $1")
        .bind(start_key)
        .fetch_optional(connection)
        .await?;
    row.map(|row| parsed(&row, "id", PLACE)).transpose()
}

/// Which proposals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    All,
    /// All that do not wait any more.
    Decided,
    State(ProposalState),
}

/// Newest first, after the position `(recorded_at, id)`, without what labels beyond the reader's sight bind.
pub(crate) async fn list(
    connection: &mut AnyConnection,
    which: Which,
    beyond: &[Tlp],
    before: Option<(i64, String)>,
    limit: i64,
) -> Result<Vec<Proposal>, DbError> {
    let (at, id) = before.unwrap_or((i64::MAX, String::new()));
    let hidden = super::without(beyond);
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT * FROM playbooks_proposals \
         WHERE ($1 = '' OR state = $1 OR ($1 = 'decided' AND state <> 'open')) \
         AND (recorded_at < $2 OR (recorded_at = $2 AND id < $3)) {hidden}\
         ORDER BY recorded_at DESC, id DESC LIMIT $4",
    )))
    .bind(match which {
        Which::All => "",
        Which::Decided => "decided",
        Which::State(state) => state.word(),
    })
    .bind(at)
    .bind(id)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<Proposal, DbError> {
    let word = |name: &str| row.try_get::<String, _>(name);
    let unknown = || DbError::corrupt(PLACE, "unknown word");
    let optional = |name: &str| row.try_get::<Option<String>, _>(name);
    let incident: Option<String> = optional("incident")?;
    let run: Option<String> = optional("run")?;
    Ok(Proposal {
        id: parsed(row, "id", PLACE)?,
        playbook: parsed::<PlaybookId>(row, "playbook", PLACE)?,
        name: word("name")?,
        incident: incident
            .map(|id| id.parse::<IncidentId>().map_err(|cause| DbError::corrupt(PLACE, cause)))
            .transpose()?,
        level: match word("level")?.as_str() {
            "recommend" => Level::Recommend,
            "ask" => Level::Ask,
            _ => return Err(unknown()),
        },
        reasons: json(&word("reasons")?, PLACE)?,
        trigger: word("trigger_text")?,
        start_key: word("start_key")?,
        given: json_option(row, "given", PLACE)?.unwrap_or_default(),
        tlp: super::label(row)?,
        persons: u32::try_from(row.try_get::<i64, _>("persons")?).unwrap_or(1),
        state: ProposalState::from_word(&word("state")?).ok_or_else(unknown)?,
        voices: json_option(row, "voices", PLACE)?.unwrap_or_default(),
        recorded_at: time(row, "recorded_at")?,
        escalate_at: time_option(row, "escalate_at")?,
        expires_at: time(row, "expires_at")?,
        decided_at: time_option(row, "decided_at")?,
        decided_by: optional("decided_by")?,
        comment: optional("comment")?,
        run: run
            .map(|id| id.parse::<RunId>().map_err(|cause| DbError::corrupt(PLACE, cause)))
            .transpose()?,
    })
}
