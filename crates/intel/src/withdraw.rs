//! Taking back what one source said, saying it anew, and raising its label: for rooms whose sources change their mind.

use std::collections::HashMap;

use platform::db::DbError;
use serde_json::{Map, Value};
use sqlx::{AnyConnection, Row};

use crate::collections;
use crate::prepare::Prepared;
use crate::sources::SourceId;
use crate::sql::{ROWS, marks};
use crate::write::{Batch, store};
use crate::{reports, values};

/// The newest version of an object that a source said.
struct Known {
    seq: i64,
    node: i64,
    id: String,
    version: i64,
    revoked: bool,
    tlp: i64,
    body: String,
    /// Somebody else who says the same.
    other: Option<SourceId>,
}

async fn known(
    sql: &mut AnyConnection,
    source: SourceId,
    ids: &[&str],
) -> Result<Vec<Known>, DbError> {
    let text = format!(
        "SELECT o.seq AS seq, o.node AS node, n.id AS id, o.version AS version, o.revoked AS revoked, o.tlp AS tlp, \
         o.body AS body, (SELECT MIN(x.source) FROM intel_said x WHERE x.seq = o.seq AND x.source <> s.source) AS other \
         FROM intel_nodes n JOIN intel_objects o ON o.node = n.node AND o.superseded_at IS NULL \
         JOIN intel_said s ON s.seq = o.seq AND s.source = ? WHERE n.id IN ({})",
        marks(ids.len())
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(source);
    for id in ids {
        query = query.bind(*id);
    }
    let rows = query.fetch_all(sql).await?;
    rows.iter()
        .map(|row| {
            Ok(Known {
                seq: row.try_get("seq")?,
                node: row.try_get("node")?,
                id: row.try_get("id")?,
                version: row.try_get("version")?,
                revoked: row.try_get::<i64, _>("revoked")? != 0,
                tlp: row.try_get("tlp")?,
                body: row.try_get("body")?,
                other: row.try_get("other")?,
            })
        })
        .collect()
}

/// Takes back what a source said; how many objects. What somebody else says too stays as theirs. What has versions
/// gets one that is revoked; what has none is taken out, its collections included.
///
/// # Errors
/// The database says no.
pub async fn withdraw(
    sql: &mut AnyConnection,
    source: SourceId,
    ids: &[&str],
    now_us: i64,
) -> Result<u64, DbError> {
    let mut gone = 0;
    for chunk in ids.chunks(ROWS) {
        let mut revoked = Vec::new();
        for found in known(sql, source, chunk).await? {
            match found.other {
                Some(other) => leave_to(sql, found.node, source, other).await?,
                None if found.version == 0 => remove(sql, &found, now_us).await?,
                None if found.revoked => continue,
                None => match taken_back(&found, now_us) {
                    Some(object) => revoked.push(object),
                    None => continue,
                },
            }
            gone += 1;
        }
        let batch = Batch { source, unmarked: 0, collection: None, objects: &revoked, now_us };
        store(sql, &batch).await?;
    }
    Ok(gone)
}

/// Takes back a part of all that a source said: the newest versions behind the row `after`. The last row looked at, nothing
/// when there is none left.
///
/// # Errors
/// The database says no.
pub async fn said_after(
    sql: &mut AnyConnection,
    source: SourceId,
    after: i64,
    now_us: i64,
) -> Result<Option<i64>, DbError> {
    let rows = sqlx::query(
        "SELECT s.seq AS seq, n.id AS id FROM intel_said s JOIN intel_objects o ON o.seq = s.seq \
         JOIN intel_nodes n ON n.node = o.node WHERE s.source = $1 AND s.seq > $2 \
         AND o.superseded_at IS NULL AND o.revoked = 0 ORDER BY s.seq LIMIT $3",
    )
    .bind(source)
    .bind(after)
    .bind(i64::try_from(ROWS).unwrap_or(i64::MAX))
    .fetch_all(&mut *sql)
    .await?;
    let Some(last) = rows.last() else { return Ok(None) };
    let seq = last.try_get("seq")?;
    let ids: Vec<String> =
        rows.iter().map(|row| row.try_get("id")).collect::<Result<_, sqlx::Error>>()?;
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    withdraw(sql, source, &ids, now_us).await?;
    Ok(Some(seq))
}

fn fields(body: &str) -> Option<Map<String, Value>> {
    match serde_json::from_str(body) {
        Ok(Value::Object(fields)) => Some(fields),
        _ => None,
    }
}

/// A time after `version`, now where that lies behind it; STIX counts milliseconds.
fn after(version: i64, now_us: i64) -> stix::Timestamp {
    stix::Timestamp::from_unix_us(now_us.max(version.saturating_add(1_000)))
}

fn prepared(fields: Map<String, Value>, least_tlp: Option<i64>) -> Option<Prepared> {
    let object = stix::Object::from_value(Value::Object(fields))?;
    let mut prepared = Prepared::new(&object);
    prepared.tlp = prepared.tlp.max(least_tlp);
    Some(prepared)
}

/// The object as a newer version that is revoked; `None` where it has no `modified` to tell that by.
fn taken_back(known: &Known, now_us: i64) -> Option<Prepared> {
    let mut fields = fields(&known.body).filter(|fields| fields.contains_key("modified"))?;
    let at = after(known.version, now_us).to_millis().to_string();
    fields.insert("modified".to_owned(), at.into());
    fields.insert("revoked".to_owned(), true.into());
    prepared(fields, Some(known.tlp))
}

async fn leave_to(
    sql: &mut AnyConnection,
    node: i64,
    source: SourceId,
    other: SourceId,
) -> Result<(), DbError> {
    let texts = [
        "DELETE FROM intel_said WHERE source = $1 AND $3 = $3 AND seq IN \
         (SELECT seq FROM intel_objects WHERE node = $2)",
        "UPDATE intel_objects SET source = $3 WHERE node = $2 AND source = $1",
        "UPDATE OR REPLACE intel_marks SET source = $3 WHERE node = $2 AND source = $1",
    ];
    for text in texts {
        sqlx::query(text).bind(source).bind(node).bind(other).execute(&mut *sql).await?;
    }
    Ok(())
}

async fn remove(sql: &mut AnyConnection, known: &Known, now_us: i64) -> Result<(), DbError> {
    let rows = sqlx::query("SELECT collection, added FROM intel_entries WHERE seq = $1")
        .bind(known.seq)
        .fetch_all(&mut *sql)
        .await?;
    for row in &rows {
        let place: i64 = row.try_get(1)?;
        collections::delete(sql, row.try_get(0)?, known.node, &[place], now_us).await?;
    }
    values::forget_node(sql, known.node).await?;
    reports::forget(sql, known.node).await?;
    sqlx::query("UPDATE intel_edges SET ended_at = $1 WHERE teller = $2 AND ended_at IS NULL")
        .bind(now_us)
        .bind(known.node)
        .execute(&mut *sql)
        .await?;
    sqlx::query("DELETE FROM intel_text WHERE rowid = $1")
        .bind(known.node)
        .execute(&mut *sql)
        .await?;
    for text in [
        "DELETE FROM intel_said WHERE seq = $1",
        "DELETE FROM intel_unindexed WHERE seq = $1",
        "DELETE FROM intel_objects WHERE seq = $1",
    ] {
        sqlx::query(text).bind(known.seq).execute(&mut *sql).await?;
    }
    Ok(())
}

/// Makes what a source says now newer than what it said before, where it says something else: its clock may tell no
/// difference, and what it took back has a newer version than what it says again. What it says as before becomes
/// exactly what is known, and `created` stays that of the first version. What has no versions is taken out where only
/// this source says it, to be said anew.
///
/// # Errors
/// The database says no.
pub async fn renew(
    sql: &mut AnyConnection,
    source: SourceId,
    objects: &mut [Prepared],
    now_us: i64,
) -> Result<(), DbError> {
    for chunk in objects.chunks_mut(ROWS) {
        let ids: Vec<&str> = chunk.iter().map(|object| object.id.as_str()).collect();
        let found = known(sql, source, &ids).await?;
        let found: HashMap<String, Known> = found.into_iter().map(|k| (k.id.clone(), k)).collect();
        for object in chunk.iter_mut() {
            let Some(known) = found.get(&object.id) else { continue };
            if object.body == known.body {
                continue;
            }
            if known.version == 0 && object.version_us == 0 && known.other.is_none() {
                remove(sql, known, now_us).await?;
            } else if let Some(newer) = renewed(object, known, now_us) {
                *object = newer;
            }
        }
    }
    Ok(())
}

fn renewed(object: &Prepared, known: &Known, now_us: i64) -> Option<Prepared> {
    let (mut said, mut before) = (fields(&object.body)?, fields(&known.body)?);
    if !said.contains_key("modified") || !before.contains_key("modified") {
        return None;
    }
    let as_before = fields(&known.body)?;
    let modified = said.get("modified").cloned()?;
    for name in ["created", "modified"] {
        said.remove(name);
        before.remove(name);
    }
    if said == before && known.version >= object.version_us {
        return prepared(as_before, object.tlp);
    }
    let mut new = fields(&object.body)?;
    if let Some(created) = as_before.get("created").and_then(Value::as_str)
        && stix::Timestamp::parse(created).is_ok_and(|at| at.unix_us() <= object.version_us)
    {
        new.insert("created".to_owned(), created.into());
    }
    let newer = after(known.version, now_us).to_millis().to_string();
    let modified = if known.version >= object.version_us { newer.into() } else { modified };
    new.insert("modified".to_owned(), modified);
    prepared(new, object.tlp)
}

/// Raises the label of what a source was the first to say; it never falls.
///
/// # Errors
/// The database says no.
pub async fn raise(
    sql: &mut AnyConnection,
    source: SourceId,
    ids: &[&str],
    tlp: i64,
) -> Result<(), DbError> {
    for chunk in ids.chunks(ROWS) {
        let nodes = format!(
            "(SELECT n.node FROM intel_nodes n JOIN intel_objects o ON o.node = n.node AND o.source = ? \
             WHERE n.id IN ({}))",
            marks(chunk.len())
        );
        for text in [
            format!("UPDATE intel_objects SET tlp = ? WHERE tlp < ? AND node IN {nodes}"),
            format!("UPDATE intel_edges SET tlp = ? WHERE tlp < ? AND teller IN {nodes}"),
        ] {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(tlp).bind(tlp).bind(source);
            for id in chunk {
                query = query.bind(*id);
            }
            query.execute(&mut *sql).await?;
        }
    }
    Ok(())
}

/// What falls with objects: relations, sightings and opinions of them, and the observables that no other observed
/// data names.
///
/// # Errors
/// The database says no.
pub async fn dependents(sql: &mut AnyConnection, ids: &[&str]) -> Result<Vec<String>, DbError> {
    let mut found = Vec::new();
    for chunk in ids.chunks(ROWS / 2) {
        let nodes = format!("(SELECT node FROM intel_nodes WHERE id IN ({}))", marks(chunk.len()));
        let text = format!(
            "SELECT n.id FROM intel_edges e JOIN intel_nodes n ON n.node = e.teller WHERE e.ended_at IS NULL \
             AND (e.origin IN {nodes} OR e.target IN {nodes}) \
             AND (n.id LIKE 'relationship--%' OR n.id LIKE 'sighting--%' OR n.id LIKE 'opinion--%')"
        );
        let named = format!(
            "SELECT n.id FROM intel_edges e JOIN intel_nodes n ON n.node = e.target WHERE e.ended_at IS NULL \
             AND e.kind = 'object' AND e.teller IN {nodes} AND NOT EXISTS (SELECT 1 FROM intel_edges x \
             JOIN intel_nodes t ON t.node = x.teller WHERE x.target = e.target AND x.kind = 'object' \
             AND x.ended_at IS NULL AND t.id LIKE 'observed-data--%' AND x.teller NOT IN {nodes})"
        );
        for text in [text, named] {
            let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
            for id in chunk.iter().chain(chunk) {
                query = query.bind(*id);
            }
            for row in query.fetch_all(&mut *sql).await? {
                found.push(row.try_get(0)?);
            }
        }
    }
    Ok(found)
}
