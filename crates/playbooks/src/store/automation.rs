//! The policy of automation.

use model::Timestamp;
use platform::db::DbError;
use sqlx::{AnyConnection, Row};

use super::{json, to_json};
use crate::automation::Automation;

/// The policy as it stands; the default where nobody has changed it.
pub(crate) async fn current(connection: &mut AnyConnection) -> Result<Automation, DbError> {
    let row = sqlx::query("SELECT body FROM playbooks_automation WHERE id = 1")
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else { return Ok(Automation::default()) };
    json(&row.try_get::<String, _>("body")?, "playbooks_automation.body")
}

/// Replaces the policy.
pub(crate) async fn put(
    connection: &mut AnyConnection,
    policy: &Automation,
    person: &str,
    now: Timestamp,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO playbooks_automation (id, body, changed_by, changed_at) VALUES (1, $1, $2, $3) \
         ON CONFLICT (id) DO UPDATE SET body = excluded.body, changed_by = excluded.changed_by, \
         changed_at = excluded.changed_at",
    )
    .bind(to_json(policy, "playbooks_automation.body")?)
    .bind(person)
    .bind(now.as_micros())
    .execute(connection)
    .await?;
    Ok(())
}
