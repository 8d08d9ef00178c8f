//! Search over everything: playbooks by name and description, runs by the name of what ran.

use async_trait::async_trait;
use model::Timestamp;
use platform::Platform;
use platform::db::DbError;
use ports::PortError;
use ports::find::{Find, Found, Wanted};
use sqlx::{AnyConnection, Row};

use crate::{Playbooks, PlaybooksError};

/// Playbooks looked at, newest first.
const MAX_PLAYBOOKS_LOOKED_AT: i64 = 5_000;
/// Runs looked at, newest first.
const MAX_RUNS_LOOKED_AT: i64 = 2_000;

async fn playbooks(sql: &mut AnyConnection, wanted: &Wanted) -> Result<Vec<Found>, DbError> {
    let like = wanted.like();
    let rows = sqlx::query(
        "SELECT p.id, p.name, p.description FROM \
         (SELECT * FROM playbooks_playbooks ORDER BY id DESC LIMIT $1) AS p \
         WHERE p.name LIKE $2 ESCAPE '\\' OR p.description LIKE $3 ESCAPE '\\' \
         ORDER BY p.name, p.id LIMIT $4",
    )
    .bind(MAX_PLAYBOOKS_LOOKED_AT)
    .bind(&like)
    .bind(&like)
    .bind(i64::from(wanted.limit))
    .fetch_all(sql)
    .await?;
    let found = rows.iter().map(|row| {
        let id: String = row.try_get("id")?;
        let path = format!("/playbooks/{id}");
        let (title, detail) = (row.try_get("name")?, row.try_get("description")?);
        Ok(Found { id, title, detail, path, at: None })
    });
    found.collect()
}

async fn runs(sql: &mut AnyConnection, wanted: &Wanted) -> Result<Vec<Found>, DbError> {
    let text = format!(
        "SELECT r.id, r.name, r.state, r.trigger_text, r.started_at FROM \
         (SELECT id, name, state, trigger_text, started_at, tlp FROM playbooks_runs \
         ORDER BY started_at DESC, id DESC LIMIT $1) AS r \
         WHERE (r.name LIKE $2 ESCAPE '\\' OR r.id LIKE $3 ESCAPE '\\') {} \
         ORDER BY r.started_at DESC, r.id DESC LIMIT $4",
        crate::store::without(&wanted.beyond)
    );
    let like = wanted.like();
    let rows = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(MAX_RUNS_LOOKED_AT)
        .bind(&like)
        .bind(&like)
        .bind(i64::from(wanted.limit))
        .fetch_all(sql)
        .await?;
    let found = rows.iter().map(|row| {
        let id: String = row.try_get("id")?;
        let (state, trigger): (String, String) =
            (row.try_get("state")?, row.try_get("trigger_text")?);
        Ok(Found {
            path: format!("/runs/{id}"),
            title: row.try_get("name")?,
            detail: format!("{}, {trigger}", state.replace('_', " ")),
            at: Some(Timestamp::from_micros(row.try_get("started_at")?)),
            id,
        })
    });
    found.collect()
}

#[async_trait]
impl Find for Playbooks {
    fn kind(&self) -> &'static str {
        "playbooks"
    }

    fn permission(&self) -> &'static str {
        "playbooks.read"
    }

    async fn find(&self, wanted: &Wanted) -> Result<Vec<Found>, PortError> {
        let mut sql = self.platform().db.read().await.map_err(PlaybooksError::from)?;
        Ok(playbooks(&mut sql, wanted).await.map_err(PlaybooksError::from)?)
    }
}

/// Finds runs.
pub struct Runs(pub Platform);

#[async_trait]
impl Find for Runs {
    fn kind(&self) -> &'static str {
        "runs"
    }

    fn permission(&self) -> &'static str {
        "playbooks.read"
    }

    async fn find(&self, wanted: &Wanted) -> Result<Vec<Found>, PortError> {
        let mut sql = self.0.db.read().await.map_err(PlaybooksError::from)?;
        Ok(runs(&mut sql, wanted).await.map_err(PlaybooksError::from)?)
    }
}
