//! Galaxies and clusters.

use std::collections::HashMap;

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{Name, body_of, number_of, one_in_sight, stored};
use crate::fields::Fields;

/// Names of one statement.
const NAMES: usize = 500;

/// A galaxy.
#[derive(Clone, Debug)]
pub(crate) struct Galaxy {
    pub(crate) id: i64,
    pub(crate) uuid: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) body: Fields,
}

/// A cluster.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    pub(crate) id: i64,
    pub(crate) uuid: String,
    pub(crate) galaxy: i64,
    pub(crate) value: String,
    /// `misp-galaxy:TYPE="VALUE"`
    pub(crate) tag: String,
    /// Made here, not loaded.
    pub(crate) own: bool,
    pub(crate) published: bool,
    pub(crate) deleted: bool,
    /// TLP rank.
    pub(crate) tlp: i64,
    /// Seconds since 1970.
    pub(crate) stamp: i64,
    pub(crate) body: Fields,
}

/// Adds a galaxy, or writes the one of this type anew; its number.
pub(crate) async fn put_galaxy(sql: &mut AnyConnection, of: &Galaxy) -> Result<i64, DbError> {
    let known = sqlx::query("SELECT id FROM misphub_galaxies WHERE type = $1 OR uuid = $2")
        .bind(&of.kind)
        .bind(&of.uuid)
        .fetch_optional(&mut *sql)
        .await?;
    if let Some(row) = known {
        let id: i64 = row.try_get(0)?;
        sqlx::query("UPDATE misphub_galaxies SET name = $1, body = $2 WHERE id = $3")
            .bind(&of.name)
            .bind(stored(&of.body))
            .bind(id)
            .execute(sql)
            .await?;
        return Ok(id);
    }
    let row = sqlx::query(
        "INSERT INTO misphub_galaxies (uuid, type, name, body) VALUES ($1, $2, $3, $4) RETURNING id",
    )
    .bind(&of.uuid)
    .bind(&of.kind)
    .bind(&of.name)
    .bind(stored(&of.body))
    .fetch_one(sql)
    .await?;
    Ok(row.try_get(0)?)
}

/// All galaxies, by number.
pub(crate) async fn galaxies(sql: &mut AnyConnection) -> Result<Vec<Galaxy>, DbError> {
    let rows = sqlx::query("SELECT * FROM misphub_galaxies ORDER BY id LIMIT 10000")
        .fetch_all(sql)
        .await?;
    rows.iter().map(galaxy).collect()
}

/// A galaxy by number, UUID or type.
pub(crate) async fn get_galaxy(
    sql: &mut AnyConnection,
    said: &str,
) -> Result<Option<Galaxy>, DbError> {
    let row = sqlx::query(
        "SELECT * FROM misphub_galaxies WHERE id = $1 OR uuid = $2 OR type = $2 LIMIT 1",
    )
    .bind(said.parse::<i64>().unwrap_or_default())
    .bind(said.to_lowercase())
    .fetch_optional(sql)
    .await?;
    row.as_ref().map(galaxy).transpose()
}

/// Takes a galaxy away with its clusters.
pub(crate) async fn delete_galaxy(sql: &mut AnyConnection, id: i64) -> Result<(), DbError> {
    let texts = [
        "DELETE FROM misphub_cluster_relations WHERE cluster IN (SELECT id FROM misphub_clusters WHERE galaxy = $1)",
        "DELETE FROM misphub_clusters WHERE galaxy = $1",
        "DELETE FROM misphub_galaxies WHERE id = $1",
    ];
    super::delete_all(sql, &texts, id).await
}

/// Adds a cluster; its number. `None` when its UUID is taken.
pub(crate) async fn insert(sql: &mut AnyConnection, of: &Cluster) -> Result<Option<i64>, DbError> {
    let row = sqlx::query(
        "INSERT INTO misphub_clusters (uuid, galaxy, value, tag, lower, own, published, deleted, tlp, stamp, body) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (uuid) DO NOTHING RETURNING id",
    )
    .bind(&of.uuid)
    .bind(of.galaxy)
    .bind(&of.value)
    .bind(&of.tag)
    .bind(of.tag.to_lowercase())
    .bind(i64::from(of.own))
    .bind(i64::from(of.published))
    .bind(i64::from(of.deleted))
    .bind(of.tlp)
    .bind(of.stamp)
    .bind(stored(&of.body))
    .fetch_optional(sql)
    .await?;
    number_of(row)
}

/// Writes a cluster anew.
pub(crate) async fn update(sql: &mut AnyConnection, of: &Cluster) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE misphub_clusters SET value = $1, tag = $2, lower = $3, published = $4, deleted = $5, tlp = $6, \
         stamp = $7, body = $8 WHERE id = $9",
    )
    .bind(&of.value)
    .bind(&of.tag)
    .bind(of.tag.to_lowercase())
    .bind(i64::from(of.published))
    .bind(i64::from(of.deleted))
    .bind(of.tlp)
    .bind(of.stamp)
    .bind(stored(&of.body))
    .bind(of.id)
    .execute(sql)
    .await?;
    Ok(())
}

/// A cluster in sight.
pub(crate) async fn get(
    sql: &mut AnyConnection,
    name: &Name,
    most: i64,
) -> Result<Option<Cluster>, DbError> {
    let text = "SELECT * FROM misphub_clusters WHERE (id = $1 OR uuid = $2) AND tlp <= $3";
    let row = one_in_sight(sql, text, name, most).await?;
    row.as_ref().map(cluster).transpose()
}

/// What clusters are wanted; 0 and empty stand for any.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    pub(crate) galaxy: i64,
    /// In lower case.
    pub(crate) words: String,
    /// `Some(true)`: made here; `Some(false)`: loaded.
    pub(crate) own: Option<bool>,
    pub(crate) deleted: bool,
    pub(crate) uuids: Vec<String>,
    pub(crate) published: Option<bool>,
    pub(crate) limit: i64,
    pub(crate) offset: i64,
}

/// Clusters in sight, by number.
pub(crate) async fn find(
    sql: &mut AnyConnection,
    wanted: &Wanted,
    most: i64,
) -> Result<Vec<Cluster>, DbError> {
    let marks = vec!["?"; wanted.uuids.len()].join(", ");
    let by_uuid = match wanted.uuids.is_empty() {
        true => String::new(),
        false => format!(" AND uuid IN ({marks})"),
    };
    let text = format!(
        "SELECT * FROM misphub_clusters WHERE tlp <= ? AND deleted = ? AND (? = 0 OR galaxy = ?) \
         AND (? = -1 OR own = ?) AND (? = -1 OR published = ?) \
         AND (? = '' OR instr(lower, ?) > 0 OR instr(LOWER(body), ?) > 0){by_uuid} \
         ORDER BY id LIMIT ? OFFSET ?"
    );
    let (own, published) =
        (wanted.own.map_or(-1, i64::from), wanted.published.map_or(-1, i64::from));
    let mut query = sqlx::query(sqlx::AssertSqlSafe(text))
        .persistent(false)
        .bind(most)
        .bind(i64::from(wanted.deleted))
        .bind(wanted.galaxy)
        .bind(wanted.galaxy)
        .bind(own)
        .bind(own)
        .bind(published)
        .bind(published)
        .bind(&wanted.words)
        .bind(&wanted.words)
        .bind(&wanted.words);
    for uuid in &wanted.uuids {
        query = query.bind(uuid);
    }
    let rows = query.bind(wanted.limit).bind(wanted.offset).fetch_all(sql).await?;
    rows.iter().map(cluster).collect()
}

/// Clusters in sight by the tags that put them on things, in lower case; of several with one tag the oldest.
pub(crate) async fn by_tags(
    sql: &mut AnyConnection,
    tags: &[String],
    most: i64,
) -> Result<HashMap<String, Cluster>, DbError> {
    let mut found = HashMap::new();
    for chunk in tags.chunks(NAMES) {
        let marks = vec!["?"; chunk.len()].join(", ");
        let text = format!(
            "SELECT * FROM misphub_clusters WHERE deleted = 0 AND tlp <= ? AND lower IN ({marks}) ORDER BY id"
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text)).persistent(false).bind(most);
        for tag in chunk {
            query = query.bind(tag);
        }
        for row in &query.fetch_all(&mut *sql).await? {
            let one = cluster(row)?;
            found.entry(one.tag.to_lowercase()).or_insert(one);
        }
    }
    Ok(found)
}

/// How many clusters in sight a galaxy has.
pub(crate) async fn count(sql: &mut AnyConnection, galaxy: i64, most: i64) -> Result<i64, DbError> {
    let row = sqlx::query(
        "SELECT COUNT(*) FROM misphub_clusters WHERE galaxy = $1 AND deleted = 0 AND tlp <= $2",
    )
    .bind(galaxy)
    .bind(most)
    .fetch_one(sql)
    .await?;
    Ok(row.try_get(0)?)
}

/// Takes a cluster away for good.
pub(crate) async fn delete(sql: &mut AnyConnection, id: i64) -> Result<(), DbError> {
    let texts = [
        "DELETE FROM misphub_cluster_relations WHERE cluster = $1",
        "DELETE FROM misphub_clusters WHERE id = $1",
    ];
    super::delete_all(sql, &texts, id).await
}

/// A relation from a cluster to another, which may be unknown here.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub(crate) id: i64,
    pub(crate) cluster: i64,
    /// UUID.
    pub(crate) target: String,
    pub(crate) kind: String,
    pub(crate) body: Fields,
}

/// Adds a relation, or writes it anew; its number.
pub(crate) async fn put_relation(sql: &mut AnyConnection, of: &Relation) -> Result<i64, DbError> {
    let row = sqlx::query(
        "INSERT INTO misphub_cluster_relations (cluster, target, type, body) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (cluster, target, type) DO UPDATE SET body = excluded.body RETURNING id",
    )
    .bind(of.cluster)
    .bind(&of.target)
    .bind(&of.kind)
    .bind(stored(&of.body))
    .fetch_one(sql)
    .await?;
    Ok(row.try_get(0)?)
}

/// The relations of a cluster, by number.
pub(crate) async fn relations(
    sql: &mut AnyConnection,
    cluster: i64,
) -> Result<Vec<Relation>, DbError> {
    let rows = sqlx::query(
        "SELECT * FROM misphub_cluster_relations WHERE cluster = $1 ORDER BY id LIMIT 10000",
    )
    .bind(cluster)
    .fetch_all(sql)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Relation {
                id: row.try_get("id")?,
                cluster: row.try_get("cluster")?,
                target: row.try_get("target")?,
                kind: row.try_get("type")?,
                body: body_of(row, "misphub_cluster_relations.body")?,
            })
        })
        .collect()
}

/// Takes a relation of a cluster in sight away; the cluster's number.
pub(crate) async fn delete_relation(
    sql: &mut AnyConnection,
    id: i64,
    most: i64,
) -> Result<Option<i64>, DbError> {
    let row = sqlx::query(
        "DELETE FROM misphub_cluster_relations WHERE id = $1 \
         AND cluster IN (SELECT id FROM misphub_clusters WHERE tlp <= $2 AND own = 1) RETURNING cluster",
    )
    .bind(id)
    .bind(most)
    .fetch_optional(sql)
    .await?;
    number_of(row)
}

fn galaxy(row: &AnyRow) -> Result<Galaxy, DbError> {
    Ok(Galaxy {
        id: row.try_get("id")?,
        uuid: row.try_get("uuid")?,
        kind: row.try_get("type")?,
        name: row.try_get("name")?,
        body: body_of(row, "misphub_galaxies.body")?,
    })
}

fn cluster(row: &AnyRow) -> Result<Cluster, DbError> {
    Ok(Cluster {
        id: row.try_get("id")?,
        uuid: row.try_get("uuid")?,
        galaxy: row.try_get("galaxy")?,
        value: row.try_get("value")?,
        tag: row.try_get("tag")?,
        own: row.try_get::<i64, _>("own")? != 0,
        published: row.try_get::<i64, _>("published")? != 0,
        deleted: row.try_get::<i64, _>("deleted")? != 0,
        tlp: row.try_get("tlp")?,
        stamp: row.try_get("stamp")?,
        body: body_of(row, "misphub_clusters.body")?,
    })
}
