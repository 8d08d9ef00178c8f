//! Voices that people gave to others for a time.

use model::{PlaybookId, Timestamp};
use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{time, time_option};

/// A voice given for a time.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Delegation {
    pub id: String,
    /// Account and name of the person whose voice it is.
    pub giver: String,
    pub giver_name: String,
    /// Account and name of the person who may raise it.
    pub taker: String,
    pub taker_name: String,
    pub proposals: bool,
    pub steps: bool,
    /// Only for this playbook.
    pub playbook: Option<PlaybookId>,
    pub comment: String,
    pub from_at: Timestamp,
    pub until_at: Timestamp,
    pub recorded_at: Timestamp,
    pub made_by: String,
    pub revoked_at: Option<Timestamp>,
    pub revoked_by: Option<String>,
}

impl Delegation {
    /// In force at a time.
    pub(crate) fn holds(&self, at: Timestamp) -> bool {
        self.revoked_at.is_none() && self.from_at <= at && at < self.until_at
    }
}

pub(crate) async fn insert(connection: &mut AnyConnection, it: &Delegation) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO playbooks_delegations (id, giver, giver_name, taker, taker_name, proposals, \
         steps, playbook, comment, from_at, until_at, recorded_at, made_by) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(it.id.clone())
    .bind(it.giver.clone())
    .bind(it.giver_name.clone())
    .bind(it.taker.clone())
    .bind(it.taker_name.clone())
    .bind(i64::from(it.proposals))
    .bind(i64::from(it.steps))
    .bind(it.playbook.map(|id| id.to_string()))
    .bind(it.comment.clone())
    .bind(it.from_at.as_micros())
    .bind(it.until_at.as_micros())
    .bind(it.recorded_at.as_micros())
    .bind(it.made_by.clone())
    .execute(connection)
    .await?;
    Ok(())
}

pub(crate) async fn one(
    connection: &mut AnyConnection,
    id: &str,
) -> Result<Option<Delegation>, DbError> {
    let row = sqlx::query("SELECT * FROM playbooks_delegations WHERE id = $1")
        .bind(id.to_owned())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

/// Takes one back; false when it was before.
pub(crate) async fn revoke(
    connection: &mut AnyConnection,
    id: &str,
    by: &str,
    now: Timestamp,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "UPDATE playbooks_delegations SET revoked_at = $1, revoked_by = $2 \
         WHERE id = $3 AND revoked_at IS NULL",
    )
    .bind(now.as_micros())
    .bind(by.to_owned())
    .bind(id.to_owned())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Those that hold or will, the newest first; at most `limit`.
pub(crate) async fn open(
    connection: &mut AnyConnection,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Delegation>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM playbooks_delegations WHERE until_at > $1 AND revoked_at IS NULL \
         ORDER BY recorded_at DESC, id DESC LIMIT $2",
    )
    .bind(now.as_micros())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

/// All, the newest first, after the position `(recorded_at, id)`.
pub(crate) async fn list(
    connection: &mut AnyConnection,
    before: Option<(i64, String)>,
    limit: i64,
) -> Result<Vec<Delegation>, DbError> {
    let (at, id) = before.unwrap_or((i64::MAX, String::new()));
    let rows = sqlx::query(
        "SELECT * FROM playbooks_delegations \
         WHERE (recorded_at < $1 OR (recorded_at = $1 AND id < $2)) \
         ORDER BY recorded_at DESC, id DESC LIMIT $3",
    )
    .bind(at)
    .bind(id)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<Delegation, DbError> {
    let text = |column: &str| row.try_get::<String, _>(column);
    let flag = |column: &str| row.try_get::<i64, _>(column).map(|it| it != 0);
    let playbook: Option<String> = row.try_get("playbook")?;
    let corrupt = |cause| DbError::corrupt("playbooks_delegations.playbook", cause);
    Ok(Delegation {
        id: text("id")?,
        giver: text("giver")?,
        giver_name: text("giver_name")?,
        taker: text("taker")?,
        taker_name: text("taker_name")?,
        proposals: flag("proposals")?,
        steps: flag("steps")?,
        playbook: playbook.map(|id| id.parse().map_err(corrupt)).transpose()?,
        comment: text("comment")?,
        from_at: time(row, "from_at")?,
        until_at: time(row, "until_at")?,
        recorded_at: time(row, "recorded_at")?,
        made_by: text("made_by")?,
        revoked_at: time_option(row, "revoked_at")?,
        revoked_by: row.try_get("revoked_by")?,
    })
}
