//! Mails that ask people for answers.

use model::{Timestamp, Tlp};
use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{label, time, time_option, without};
use crate::approvals::Kind;

/// A mail to one person, with what became of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Letter {
    pub id: String,
    pub kind: Kind,
    pub about: String,
    pub version: String,
    pub round: String,
    pub account: String,
    pub name: String,
    /// The account in whose place the answer is given; empty: the person's own voice.
    pub giver: String,
    pub giver_name: String,
    pub passed_by: String,
    pub tlp: Option<Tlp>,
    /// `queued`, `sent`, `failed`, `dropped`.
    pub state: String,
    pub reason: Option<String>,
    pub attempts: i64,
    pub recorded_at: Timestamp,
    pub sent_at: Option<Timestamp>,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
}

/// Keeps a new one; false when the same person was asked the same in the same round before.
pub(crate) async fn insert(connection: &mut AnyConnection, it: &Letter) -> Result<bool, DbError> {
    let done = sqlx::query(
        "INSERT INTO playbooks_letters (id, kind, about, version, round, account, name, giver, \
         giver_name, passed_by, tlp, state, attempts, recorded_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13, $14) \
         ON CONFLICT DO NOTHING",
    )
    .bind(it.id.clone())
    .bind(it.kind.word())
    .bind(it.about.clone())
    .bind(it.version.clone())
    .bind(it.round.clone())
    .bind(it.account.clone())
    .bind(it.name.clone())
    .bind(it.giver.clone())
    .bind(it.giver_name.clone())
    .bind(it.passed_by.clone())
    .bind(it.tlp.map(Tlp::label))
    .bind(it.state.clone())
    .bind(it.recorded_at.as_micros())
    .bind(it.expires_at.as_micros())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes what became of the mail.
pub(crate) async fn settle(
    connection: &mut AnyConnection,
    id: &str,
    state: &str,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<(), DbError> {
    let sent = (state == "sent").then(|| now.as_micros());
    sqlx::query(
        "UPDATE playbooks_letters SET state = $1, reason = $2, attempts = attempts + 1, \
         sent_at = $3 WHERE id = $4 AND state = 'queued'",
    )
    .bind(state.to_owned())
    .bind(reason.map(str::to_owned))
    .bind(sent)
    .bind(id.to_owned())
    .execute(connection)
    .await?;
    Ok(())
}

/// Marks the link of a mail as used; false when it was before.
pub(crate) async fn spend(
    connection: &mut AnyConnection,
    id: &str,
    now: Timestamp,
) -> Result<bool, DbError> {
    let done =
        sqlx::query("UPDATE playbooks_letters SET used_at = $1 WHERE id = $2 AND used_at IS NULL")
            .bind(now.as_micros())
            .bind(id.to_owned())
            .execute(connection)
            .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn one(
    connection: &mut AnyConnection,
    id: &str,
) -> Result<Option<Letter>, DbError> {
    let row = sqlx::query("SELECT * FROM playbooks_letters WHERE id = $1")
        .bind(id.to_owned())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(read).transpose()
}

/// Newest first, without the labels `beyond`; `about` empty means all.
pub(crate) async fn list(
    connection: &mut AnyConnection,
    about: &str,
    beyond: &[Tlp],
    before: Option<(i64, String)>,
    limit: i64,
) -> Result<Vec<Letter>, DbError> {
    let (at, id) = before.unwrap_or((i64::MAX, String::new()));
    let hidden = without(beyond);
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT * FROM playbooks_letters WHERE ($1 = '' OR about = $1) \
         AND (recorded_at < $2 OR (recorded_at = $2 AND id < $3)) {hidden}\
         ORDER BY recorded_at DESC, id DESC LIMIT $4",
    )))
    .bind(about.to_owned())
    .bind(at)
    .bind(id)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(read).collect()
}

/// Takes away what is older, at most `limit` rows; gives how many.
pub(crate) async fn forget(
    connection: &mut AnyConnection,
    before: Timestamp,
    limit: i64,
) -> Result<u64, DbError> {
    let done = sqlx::query(
        "DELETE FROM playbooks_letters WHERE id IN (SELECT id FROM playbooks_letters \
         WHERE recorded_at < $1 ORDER BY recorded_at LIMIT $2)",
    )
    .bind(before.as_micros())
    .bind(limit)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

fn read(row: &AnyRow) -> Result<Letter, DbError> {
    let text = |column: &str| row.try_get::<String, _>(column);
    let kind = text("kind")?;
    Ok(Letter {
        id: text("id")?,
        kind: Kind::from_word(&kind)
            .ok_or_else(|| DbError::corrupt("playbooks_letters.kind", &kind))?,
        about: text("about")?,
        version: text("version")?,
        round: text("round")?,
        account: text("account")?,
        name: text("name")?,
        giver: text("giver")?,
        giver_name: text("giver_name")?,
        passed_by: text("passed_by")?,
        tlp: label(row)?,
        state: text("state")?,
        reason: row.try_get("reason")?,
        attempts: row.try_get("attempts")?,
        recorded_at: time(row, "recorded_at")?,
        sent_at: time_option(row, "sent_at")?,
        expires_at: time(row, "expires_at")?,
        used_at: time_option(row, "used_at")?,
    })
}
