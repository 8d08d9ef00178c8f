//! How severe incidents were when last heard of.

use model::{IncidentId, Severity};
use platform::db::DbError;
use sqlx::AnyConnection;

/// Notes the severity; gives the one before, if the incident was heard of.
pub(crate) async fn note(
    connection: &mut AnyConnection,
    incident: IncidentId,
    severity: Severity,
) -> Result<Option<Severity>, DbError> {
    let row = sqlx::query("SELECT severity FROM playbooks_incidents WHERE id = $1")
        .bind(incident.to_string())
        .fetch_optional(&mut *connection)
        .await?;
    let before = row
        .map(|row| super::parsed(&row, "severity", "playbooks_incidents.severity"))
        .transpose()?;
    if before != Some(severity) {
        sqlx::query(
            "INSERT INTO playbooks_incidents (id, severity) VALUES ($1, $2) \
             ON CONFLICT (id) DO UPDATE SET severity = excluded.severity",
        )
        .bind(incident.to_string())
        .bind(severity.word())
        .execute(connection)
        .await?;
    }
    Ok(before)
}
