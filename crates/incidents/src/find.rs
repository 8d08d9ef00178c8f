//! Search over everything: incidents by the words of their titles, their origin, or the beginning of their id.

use async_trait::async_trait;
use model::Timestamp;
use platform::db::DbError;
use ports::PortError;
use ports::find::{Find, Found, Wanted};
use sqlx::{AnyConnection, Row};

use crate::Incidents;

/// Incidents with the words that are looked at, newest first: a word that stands in every title costs no more.
const MAX_LOOKED_AT: i64 = 500;
/// Fewer characters of an id say nothing.
const MIN_ID_CHARS: usize = 6;

async fn find(sql: &mut AnyConnection, wanted: &Wanted) -> Result<Vec<Found>, DbError> {
    let Some(words) = wanted.match_expression() else { return Ok(vec![]) };
    // Labels are constants of this program, never input.
    let hidden: String = wanted
        .beyond
        .iter()
        .map(|tlp| format!("AND (i.received_share IS NULL OR i.tlp <> '{tlp}') "))
        .collect();
    let text = format!(
        "SELECT i.id, i.title, i.state, i.severity, i.origin_name, i.recorded_at FROM incidents_incidents i \
         WHERE i.id IN (SELECT id FROM incidents_found WHERE number IN (SELECT rowid FROM incidents_words \
         WHERE incidents_words MATCH $1 ORDER BY rowid DESC LIMIT $2) \
         UNION ALL SELECT id FROM incidents_incidents WHERE id >= $3 AND id < $4) {hidden}\
         ORDER BY CASE WHEN i.state IN ('closed', 'false_alarm') THEN 1 ELSE 0 END, i.recorded_at DESC LIMIT $5"
    );
    let (from, to) = id_range(&wanted.text);
    let rows = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(words)
        .bind(MAX_LOOKED_AT)
        .bind(from)
        .bind(to)
        .bind(i64::from(wanted.limit))
        .fetch_all(sql)
        .await?;
    let found = rows.iter().map(|row| {
        let id: String = row.try_get("id")?;
        let (state, severity): (String, String) = (row.try_get("state")?, row.try_get("severity")?);
        let origin: String = row.try_get("origin_name")?;
        Ok(Found {
            path: format!("/incidents/{id}"),
            title: row.try_get("title")?,
            detail: format!("{}, {severity}, {origin}", state.replace('_', " ")),
            at: Some(Timestamp::from_micros(row.try_get("recorded_at")?)),
            id,
        })
    });
    found.collect()
}

/// The ids that begin like this; none when it is no beginning of an id.
fn id_range(text: &str) -> (String, String) {
    let text = text.to_lowercase();
    let id = text.len() >= MIN_ID_CHARS
        && text.bytes().all(|one| one.is_ascii_hexdigit() || one == b'-');
    if id { (text.clone(), format!("{text}g")) } else { (String::new(), String::new()) }
}

fn failed(cause: DbError) -> PortError {
    PortError::Internal(cause.to_string())
}

#[async_trait]
impl Find for Incidents {
    fn kind(&self) -> &'static str {
        "incidents"
    }

    fn permission(&self) -> &'static str {
        "incidents.read"
    }

    async fn find(&self, wanted: &Wanted) -> Result<Vec<Found>, PortError> {
        let mut sql = self.platform.db.read().await.map_err(failed)?;
        find(&mut sql, wanted).await.map_err(failed)
    }
}
