//! Triggers, what they did and what they held back.

use model::{PlaybookId, ProposalId, RunId, Timestamp, TriggerId};
use platform::db::DbError;
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{json, json_option, parsed, time, time_option, to_json};
use crate::triggers::{MAX_COOLDOWN_S, Trigger};

const PLACE: &str = "playbooks_triggers";

/// A trigger as kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    pub id: TriggerId,
    pub playbook: PlaybookId,
    pub trigger: Trigger,
    /// Grows with every change.
    pub revision: i64,
    pub changed_by: String,
    pub changed_at: Timestamp,
    /// Schedule: the next moment.
    pub next_at: Option<Timestamp>,
    /// Intelligence: the last version read; others: the last fact before it was made.
    pub cursor: i64,
    /// Intelligence: gathered for the next run.
    pub gathered: Option<Gathered>,
    /// Webhook: what the secret is derived from; none: revoked.
    pub salt: Option<String>,
    pub started: i64,
    pub proposed: i64,
    pub held: i64,
    pub skipped: i64,
    pub last_at: Option<Timestamp>,
    pub last_run: Option<RunId>,
    pub last_proposal: Option<ProposalId>,
    /// Why the last match or moment started nothing.
    pub note: Option<String>,
}

/// Intelligence gathered for one run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Gathered {
    /// STIX ids with the names that lists show.
    pub objects: Vec<(String, String)>,
    /// Values that they name.
    pub values: Vec<String>,
    /// Matches beyond the list.
    pub more: i64,
    /// Rank of the strictest label among them.
    pub rank: i64,
    /// When the first came, microseconds UTC.
    pub since_us: i64,
}

impl Kept {
    /// A new trigger.
    pub(crate) fn new(
        id: TriggerId,
        playbook: PlaybookId,
        trigger: Trigger,
        by: &str,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            playbook,
            trigger,
            revision: 1,
            changed_by: by.to_owned(),
            changed_at: now,
            next_at: None,
            cursor: 0,
            gathered: None,
            salt: None,
            started: 0,
            proposed: 0,
            held: 0,
            skipped: 0,
            last_at: None,
            last_run: None,
            last_proposal: None,
            note: None,
        }
    }
}

/// Writes a trigger, new or changed.
pub(crate) async fn put(connection: &mut AnyConnection, it: &Kept) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO playbooks_triggers (id, playbook, start_on, body, revision, changed_by, changed_at, \
         next_at, cursor, gathered, salt, started, proposed, held, skipped, last_at, last_run, last_proposal, note) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19) \
         ON CONFLICT (id) DO UPDATE SET start_on = excluded.start_on, body = excluded.body, \
         revision = excluded.revision, changed_by = excluded.changed_by, changed_at = excluded.changed_at, \
         next_at = excluded.next_at, cursor = excluded.cursor, gathered = excluded.gathered, \
         salt = excluded.salt, started = excluded.started, proposed = excluded.proposed, \
         held = excluded.held, skipped = excluded.skipped, last_at = excluded.last_at, \
         last_run = excluded.last_run, last_proposal = excluded.last_proposal, note = excluded.note",
    )
    .bind(it.id.to_string())
    .bind(it.playbook.to_string())
    .bind(it.trigger.on())
    .bind(to_json(&it.trigger, PLACE)?)
    .bind(it.revision)
    .bind(&it.changed_by)
    .bind(it.changed_at.as_micros())
    .bind(it.next_at.map(Timestamp::as_micros))
    .bind(it.cursor)
    .bind(it.gathered.as_ref().map(|it| to_json(it, PLACE)).transpose()?)
    .bind(&it.salt)
    .bind(it.started)
    .bind(it.proposed)
    .bind(it.held)
    .bind(it.skipped)
    .bind(it.last_at.map(Timestamp::as_micros))
    .bind(it.last_run.map(|id| id.to_string()))
    .bind(it.last_proposal.map(|id| id.to_string()))
    .bind(&it.note)
    .execute(connection)
    .await?;
    Ok(())
}

/// A trigger by its id.
pub(crate) async fn one(
    connection: &mut AnyConnection,
    id: TriggerId,
) -> Result<Option<Kept>, DbError> {
    let row = sqlx::query("SELECT * FROM playbooks_triggers WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

/// The triggers of playbooks `first` to `last`, in the order of playbooks and of their making.
pub(crate) async fn of(
    connection: &mut AnyConnection,
    first: PlaybookId,
    last: PlaybookId,
) -> Result<Vec<Kept>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM playbooks_triggers WHERE playbook >= $1 AND playbook <= $2 ORDER BY playbook, id",
    )
    .bind(first.to_string())
    .bind(last.to_string())
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

/// All triggers of a kind, those of one playbook together.
pub(crate) async fn on(connection: &mut AnyConnection, kind: &str) -> Result<Vec<Kept>, DbError> {
    let rows =
        sqlx::query("SELECT * FROM playbooks_triggers WHERE start_on = $1 ORDER BY playbook, id")
            .bind(kind)
            .fetch_all(connection)
            .await?;
    rows.iter().map(read).collect()
}

/// Takes a trigger away.
pub(crate) async fn remove(connection: &mut AnyConnection, id: TriggerId) -> Result<(), DbError> {
    sqlx::query("DELETE FROM playbooks_triggers WHERE id = $1")
        .bind(id.to_string())
        .execute(connection)
        .await?;
    Ok(())
}

/// When a playbook last started because of something.
pub(crate) async fn cooled(
    connection: &mut AnyConnection,
    playbook: PlaybookId,
    about: &str,
) -> Result<Option<Timestamp>, DbError> {
    let row = sqlx::query("SELECT at FROM playbooks_cooldowns WHERE playbook = $1 AND about = $2")
        .bind(playbook.to_string())
        .bind(about)
        .fetch_optional(connection)
        .await?;
    row.map(|row| time(&row, "at")).transpose()
}

/// A playbook starts now because of something; forgets what no cool-down reaches any more.
pub(crate) async fn cool(
    connection: &mut AnyConnection,
    playbook: PlaybookId,
    about: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO playbooks_cooldowns (playbook, about, at) VALUES ($1, $2, $3) \
         ON CONFLICT (playbook, about) DO UPDATE SET at = excluded.at",
    )
    .bind(playbook.to_string())
    .bind(about)
    .bind(now.as_micros())
    .execute(&mut *connection)
    .await?;
    let forget = now.plus_secs(-i64::from(MAX_COOLDOWN_S) - 86_400);
    sqlx::query("DELETE FROM playbooks_cooldowns WHERE at < $1")
        .bind(forget.as_micros())
        .execute(connection)
        .await?;
    Ok(())
}

/// How often a playbook started by itself, or would have, since a time.
pub(crate) async fn starts_since(
    connection: &mut AnyConnection,
    playbook: PlaybookId,
    since: Timestamp,
) -> Result<i64, DbError> {
    let row = sqlx::query(
        "SELECT (SELECT COUNT(*) FROM playbooks_runs WHERE playbook = $1 AND started_at > $2 AND by_itself = 1) \
         + (SELECT COUNT(*) FROM playbooks_proposals WHERE playbook = $1 AND recorded_at > $2) AS starts",
    )
    .bind(playbook.to_string())
    .bind(since.as_micros())
    .fetch_one(connection)
    .await?;
    Ok(row.try_get("starts")?)
}

fn read(row: &AnyRow) -> Result<Kept, DbError> {
    Ok(Kept {
        id: parsed(row, "id", PLACE)?,
        playbook: parsed(row, "playbook", PLACE)?,
        trigger: json(&row.try_get::<String, _>("body")?, PLACE)?,
        revision: row.try_get("revision")?,
        changed_by: row.try_get("changed_by")?,
        changed_at: time(row, "changed_at")?,
        next_at: time_option(row, "next_at")?,
        cursor: row.try_get("cursor")?,
        gathered: json_option(row, "gathered", PLACE)?,
        salt: row.try_get("salt")?,
        started: row.try_get("started")?,
        proposed: row.try_get("proposed")?,
        held: row.try_get("held")?,
        skipped: row.try_get("skipped")?,
        last_at: time_option(row, "last_at")?,
        last_run: super::id_option(row, "last_run", PLACE)?,
        last_proposal: super::id_option(row, "last_proposal", PLACE)?,
        note: row.try_get("note")?,
    })
}
