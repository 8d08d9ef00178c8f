//! Stored playbooks.

use model::id::TypedId;
use model::{PlaybookId, Timestamp};
use platform::db::{DbError, Tx};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{parsed, time, triggers};
use crate::store::triggers::Kept;

/// A stored playbook.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub id: PlaybookId,
    pub cacao_id: String,
    pub name: String,
    pub description: String,
    /// The version.
    pub modified: Timestamp,
    /// The CACAO JSON as it came.
    pub body: String,
    /// When it starts by itself.
    pub triggers: Vec<Kept>,
    pub steps: i64,
    pub recorded_at: Timestamp,
}

/// What became of storing a playbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    New,
    Newer,
    /// The same version, or an older one: nothing was changed.
    Known,
}

/// Stores a playbook, or replaces the older version under the same CACAO id (its triggers stay).
pub(crate) async fn put(tx: &mut Tx, stored: &Stored) -> Result<(PlaybookId, Put), DbError> {
    let known = sqlx::query("SELECT id, modified FROM playbooks_playbooks WHERE cacao_id = $1")
        .bind(stored.cacao_id.clone())
        .fetch_optional(tx.sql())
        .await?;
    let Some(row) = known else {
        let id: PlaybookId = tx.mint();
        sqlx::query(
            "INSERT INTO playbooks_playbooks (id, cacao_id, name, description, modified, body, \
             steps, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(id.to_string())
        .bind(stored.cacao_id.clone())
        .bind(stored.name.clone())
        .bind(stored.description.clone())
        .bind(stored.modified.as_micros())
        .bind(stored.body.clone())
        .bind(stored.steps)
        .bind(stored.recorded_at.as_micros())
        .execute(tx.sql())
        .await?;
        return Ok((id, Put::New));
    };
    let id = parsed(&row, "id", "playbooks_playbooks.id")?;
    if time(&row, "modified")? >= stored.modified {
        return Ok((id, Put::Known));
    }
    sqlx::query(
        "UPDATE playbooks_playbooks SET name = $1, description = $2, modified = $3, body = $4, \
         steps = $5, recorded_at = $6 WHERE id = $7",
    )
    .bind(stored.name.clone())
    .bind(stored.description.clone())
    .bind(stored.modified.as_micros())
    .bind(stored.body.clone())
    .bind(stored.steps)
    .bind(stored.recorded_at.as_micros())
    .bind(id.to_string())
    .execute(tx.sql())
    .await?;
    Ok((id, Put::Newer))
}

/// A playbook by its id.
pub(crate) async fn one(
    connection: &mut AnyConnection,
    id: PlaybookId,
) -> Result<Option<Stored>, DbError> {
    let row = sqlx::query("SELECT * FROM playbooks_playbooks WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(&mut *connection)
        .await?;
    with_triggers(connection, row).await
}

/// Forgets a playbook; its runs keep what they execute. False when there is no such playbook.
pub(crate) async fn remove(
    connection: &mut AnyConnection,
    cacao_id: &str,
) -> Result<bool, DbError> {
    sqlx::query(
        "DELETE FROM playbooks_triggers WHERE playbook IN \
         (SELECT id FROM playbooks_playbooks WHERE cacao_id = $1)",
    )
    .bind(cacao_id)
    .execute(&mut *connection)
    .await?;
    let done = sqlx::query("DELETE FROM playbooks_playbooks WHERE cacao_id = $1")
        .bind(cacao_id)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}

/// The playbook with this CACAO id.
pub(crate) async fn by_cacao_id(
    connection: &mut AnyConnection,
    id: &str,
) -> Result<Option<Stored>, DbError> {
    let row = sqlx::query("SELECT * FROM playbooks_playbooks WHERE cacao_id = $1")
        .bind(id)
        .fetch_optional(&mut *connection)
        .await?;
    with_triggers(connection, row).await
}

/// Playbooks after `after`, in the order they were first stored.
pub(crate) async fn list(
    connection: &mut AnyConnection,
    after: Option<String>,
    limit: i64,
) -> Result<Vec<Stored>, DbError> {
    let rows = sqlx::query("SELECT * FROM playbooks_playbooks WHERE id > $1 ORDER BY id LIMIT $2")
        .bind(after.unwrap_or_default())
        .bind(limit)
        .fetch_all(&mut *connection)
        .await?;
    let mut found = rows.iter().map(read).collect::<Result<Vec<Stored>, DbError>>()?;
    if let (Some(first), Some(last)) = (found.first(), found.last()) {
        for kept in triggers::of(connection, first.id, last.id).await? {
            if let Some(stored) = found.iter_mut().find(|it| it.id == kept.playbook) {
                stored.triggers.push(kept);
            }
        }
    }
    Ok(found)
}

/// How many there are.
pub(crate) async fn count(connection: &mut AnyConnection) -> Result<i64, DbError> {
    let row = sqlx::query("SELECT COUNT(*) FROM playbooks_playbooks").fetch_one(connection).await?;
    Ok(row.try_get(0)?)
}

async fn with_triggers(
    connection: &mut AnyConnection,
    row: Option<AnyRow>,
) -> Result<Option<Stored>, DbError> {
    let Some(mut stored) = row.as_ref().map(read).transpose()? else { return Ok(None) };
    stored.triggers = triggers::of(connection, stored.id, stored.id).await?;
    Ok(Some(stored))
}

fn read(row: &AnyRow) -> Result<Stored, DbError> {
    Ok(Stored {
        id: parsed(row, "id", "playbooks_playbooks.id")?,
        cacao_id: row.try_get("cacao_id")?,
        name: row.try_get("name")?,
        description: row.try_get("description")?,
        modified: time(row, "modified")?,
        body: row.try_get("body")?,
        triggers: vec![],
        steps: row.try_get("steps")?,
        recorded_at: time(row, "recorded_at")?,
    })
}

/// A row before it is stored; the id is minted by [`put`].
impl Stored {
    pub(crate) fn unsaved(playbook: &crate::cacao::Playbook, body: String, now: Timestamp) -> Self {
        Self {
            id: PlaybookId::from_uuid(Default::default()),
            cacao_id: playbook.id.clone(),
            name: playbook.name.clone(),
            description: playbook.description.clone().unwrap_or_default(),
            modified: playbook.modified.parse().unwrap_or(now),
            body,
            triggers: vec![],
            steps: i64::try_from(playbook.workflow.len()).unwrap_or(i64::MAX),
            recorded_at: now,
        }
    }
}
