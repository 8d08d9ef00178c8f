//! Search over everything: devices by name, place, MAC or internet address.

use async_trait::async_trait;
use model::Timestamp;
use platform::db::DbError;
use ports::PortError;
use ports::find::{Find, Found, Wanted};
use sqlx::{AnyConnection, Row};

use crate::{Assets, AssetsError};

/// Devices looked at, newest first.
const MAX_LOOKED_AT: i64 = 20_000;

async fn find(sql: &mut AnyConnection, wanted: &Wanted) -> Result<Vec<Found>, DbError> {
    let like = wanted.like();
    let rows = sqlx::query(
        "SELECT d.id, d.name, d.place, d.mac, d.recorded_at FROM \
         (SELECT * FROM assets_devices ORDER BY id DESC LIMIT $1) AS d \
         WHERE d.name LIKE $2 ESCAPE '\\' OR d.place LIKE $3 ESCAPE '\\' OR d.mac LIKE $4 ESCAPE '\\' \
         OR EXISTS (SELECT 1 FROM assets_evidence e WHERE e.device = d.id AND e.valid_to IS NULL \
         AND e.value LIKE $5 ESCAPE '\\') ORDER BY d.name, d.id LIMIT $6",
    )
    .bind(MAX_LOOKED_AT)
    .bind(&like)
    .bind(&like)
    .bind(&like)
    .bind(&like)
    .bind(i64::from(wanted.limit))
    .fetch_all(sql)
    .await?;
    let found = rows.iter().map(|row| {
        let id: String = row.try_get("id")?;
        let (place, mac): (Option<String>, Option<String>) =
            (row.try_get("place")?, row.try_get("mac")?);
        Ok(Found {
            path: format!("/devices/{id}"),
            title: row.try_get("name")?,
            detail: place.into_iter().chain(mac).collect::<Vec<_>>().join(", "),
            at: Some(Timestamp::from_micros(row.try_get("recorded_at")?)),
            id,
        })
    });
    found.collect()
}

#[async_trait]
impl Find for Assets {
    fn kind(&self) -> &'static str {
        "devices"
    }

    fn permission(&self) -> &'static str {
        "assets.read"
    }

    async fn find(&self, wanted: &Wanted) -> Result<Vec<Found>, PortError> {
        let mut sql = self.platform.db.read().await.map_err(AssetsError::from)?;
        Ok(find(&mut sql, wanted).await.map_err(AssetsError::from)?)
    }
}
