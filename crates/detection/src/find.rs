//! Search over everything: findings by the words of their titles, devices, addresses and remote parties.

use async_trait::async_trait;
use model::Timestamp;
use platform::db::DbError;
use ports::PortError;
use ports::find::{Find, Found, Wanted};
use serde_json::Value;
use sqlx::{AnyConnection, Row};

use crate::{Detection, DetectionError};

/// Findings with the words that are looked at, newest first: a word that stands in every one costs no more.
const MAX_LOOKED_AT: i64 = 500;

async fn find(sql: &mut AnyConnection, wanted: &Wanted) -> Result<Vec<Found>, DbError> {
    let Some(words) = wanted.match_expression() else { return Ok(vec![]) };
    let rows = sqlx::query(
        "SELECT f.id, f.body, f.recorded_at FROM detection_findings f \
         WHERE f.id IN (SELECT id FROM detection_found WHERE number IN (SELECT rowid FROM detection_words \
         WHERE detection_words MATCH $1 ORDER BY rowid DESC LIMIT $2)) \
         ORDER BY f.recorded_at DESC, f.id DESC LIMIT $3",
    )
    .bind(words)
    .bind(MAX_LOOKED_AT)
    .bind(i64::from(wanted.limit))
    .fetch_all(sql)
    .await?;
    let found = rows.iter().map(|row| {
        let (id, body): (String, String) = (row.try_get("id")?, row.try_get("body")?);
        let body: Value = serde_json::from_str(&body)
            .map_err(|cause| DbError::corrupt("detection_findings.body", cause))?;
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        Ok(Found {
            path: format!("/findings/{id}"),
            title: text("title"),
            detail: format!("{}, {}", text("device_name"), text("severity")),
            at: Some(Timestamp::from_micros(row.try_get("recorded_at")?)),
            id,
        })
    });
    found.collect()
}

#[async_trait]
impl Find for Detection {
    fn kind(&self) -> &'static str {
        "findings"
    }

    fn permission(&self) -> &'static str {
        "detection.read"
    }

    async fn find(&self, wanted: &Wanted) -> Result<Vec<Found>, PortError> {
        let mut sql = self.inner.platform.db.read().await.map_err(DetectionError::from)?;
        Ok(find(&mut sql, wanted).await.map_err(DetectionError::from)?)
    }
}
