//! Collections and what stands in them since when.

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::sql::{ROWS, marks, tuples};

/// A collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// Its number here.
    pub number: i64,
    /// UUID.
    pub id: String,
    /// The API root it belongs to.
    pub root: String,
    /// A name that can stand for the id.
    pub alias: String,
    /// Title.
    pub title: String,
    /// Description.
    pub description: String,
    /// What it is for, in the words of the room that made it.
    pub kind: String,
    /// The node that alone reads or writes it.
    pub peer: Option<String>,
    /// Entries in it.
    pub held: i64,
    /// When the newest entry was added, microseconds UTC.
    pub last_added_us: i64,
}

/// What is asked of a new collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCollection {
    /// UUID.
    pub id: String,
    /// The API root it belongs to.
    pub root: String,
    /// A name that can stand for the id.
    pub alias: String,
    /// Title.
    pub title: String,
    /// Description.
    pub description: String,
    /// What it is for.
    pub kind: String,
    /// The node that alone reads or writes it.
    pub peer: Option<String>,
}

/// Adds a collection, once; false when its id or its alias in this root is taken.
///
/// # Errors
/// The database says no.
pub async fn create(
    sql: &mut AnyConnection,
    new: &NewCollection,
    now_us: i64,
) -> Result<bool, DbError> {
    let done = sqlx::query(
        "INSERT INTO intel_collections (id, root, alias, title, description, kind, peer, held, \
         last_added, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, $8) ON CONFLICT DO NOTHING",
    )
    .bind(&new.id)
    .bind(&new.root)
    .bind(&new.alias)
    .bind(&new.title)
    .bind(&new.description)
    .bind(&new.kind)
    .bind(&new.peer)
    .bind(now_us)
    .execute(sql)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// All collections that are there, oldest first.
///
/// # Errors
/// The database says no.
pub async fn all(sql: &mut AnyConnection) -> Result<Vec<Collection>, DbError> {
    let rows =
        sqlx::query("SELECT * FROM intel_collections WHERE removed_at IS NULL ORDER BY collection")
            .fetch_all(sql)
            .await?;
    rows.iter().map(collection).collect()
}

/// A collection of a root by id or alias.
///
/// # Errors
/// The database says no.
pub async fn find(
    sql: &mut AnyConnection,
    root: &str,
    name: &str,
) -> Result<Option<Collection>, DbError> {
    let row = sqlx::query(
        "SELECT * FROM intel_collections \
         WHERE root = $1 AND (id = $2 OR alias = $2) AND removed_at IS NULL",
    )
    .bind(root)
    .bind(name)
    .fetch_optional(sql)
    .await?;
    row.as_ref().map(collection).transpose()
}

/// Takes a collection away with its entries; the objects stay. False when there is none.
///
/// # Errors
/// The database says no.
pub async fn remove(sql: &mut AnyConnection, number: i64, now_us: i64) -> Result<bool, DbError> {
    sqlx::query("DELETE FROM intel_entries WHERE collection = $1")
        .bind(number)
        .execute(&mut *sql)
        .await?;
    let done = sqlx::query(
        "UPDATE intel_collections SET removed_at = $1, held = 0, alias = id \
         WHERE collection = $2 AND removed_at IS NULL",
    )
    .bind(now_us)
    .bind(number)
    .execute(sql)
    .await?;
    Ok(done.rows_affected() == 1)
}

fn collection(row: &AnyRow) -> Result<Collection, DbError> {
    Ok(Collection {
        number: row.try_get("collection")?,
        id: row.try_get("id")?,
        root: row.try_get("root")?,
        alias: row.try_get("alias")?,
        title: row.try_get("title")?,
        description: row.try_get("description")?,
        kind: row.try_get("kind")?,
        peer: row.try_get("peer")?,
        held: row.try_get("held")?,
        last_added_us: row.try_get("last_added")?,
    })
}

/// One version to be put into a collection.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// The object's number.
    pub node: i64,
    /// The version's row.
    pub seq: i64,
    /// The version, microseconds UTC.
    pub version_us: i64,
    /// STIX type.
    pub kind: &'a str,
    /// STIX version.
    pub spec_version: &'a str,
}

/// Puts versions into a collection, each once, in their order, each later than all that is or was in it.
/// How many were not in it.
///
/// # Errors
/// The database says no.
pub async fn add(
    sql: &mut AnyConnection,
    collection: i64,
    entries: &[Entry<'_>],
    now_us: i64,
) -> Result<u64, DbError> {
    let mut added = 0;
    for chunk in entries.chunks(ROWS) {
        added += add_chunk(sql, collection, chunk, now_us).await?;
    }
    Ok(added)
}

async fn add_chunk(
    sql: &mut AnyConnection,
    collection: i64,
    chunk: &[Entry<'_>],
    now_us: i64,
) -> Result<u64, DbError> {
    let mut held = versions_in(sql, collection, chunk).await?;
    let mut fresh: Vec<Entry<'_>> = Vec::with_capacity(chunk.len());
    let mut touched = Vec::new();
    for entry in chunk {
        if held.contains(&(entry.node, entry.version_us)) {
            continue;
        }
        if held.iter().any(|(node, _)| *node == entry.node) {
            touched.push(entry.node);
        }
        held.push((entry.node, entry.version_us));
        fresh.push(*entry);
    }
    if fresh.is_empty() {
        return Ok(0);
    }
    let count = i64::try_from(fresh.len()).unwrap_or(i64::MAX);
    let row = sqlx::query(
        "UPDATE intel_collections SET held = held + $1, last_added = $1 + \
         CASE WHEN last_added >= $2 THEN last_added ELSE $2 - 1 END \
         WHERE collection = $3 RETURNING last_added",
    )
    .bind(count)
    .bind(now_us)
    .bind(collection)
    .fetch_one(&mut *sql)
    .await?;
    let first = row.try_get::<i64, _>(0)? - count + 1;
    let text = format!(
        "INSERT INTO intel_entries (collection, added, node, version, seq, type, spec_version, \
         is_first, is_last) VALUES {}",
        tuples(fresh.len(), 9)
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
    for (place, entry) in (first..).zip(&fresh) {
        query = query
            .bind(collection)
            .bind(place)
            .bind(entry.node)
            .bind(entry.version_us)
            .bind(entry.seq)
            .bind(entry.kind)
            .bind(entry.spec_version)
            .bind(1_i64)
            .bind(1_i64);
    }
    query.execute(&mut *sql).await?;
    touched.sort_unstable();
    touched.dedup();
    for node in touched {
        rank_versions(sql, collection, node).await?;
    }
    Ok(fresh.len() as u64)
}

/// Versions of the chunk's objects that stand in the collection, as (node, version).
async fn versions_in(
    sql: &mut AnyConnection,
    collection: i64,
    chunk: &[Entry<'_>],
) -> Result<Vec<(i64, i64)>, DbError> {
    let text = format!(
        "SELECT node, version FROM intel_entries WHERE collection = ? AND node IN ({})",
        marks(chunk.len())
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(collection);
    for entry in chunk {
        query = query.bind(entry.node);
    }
    let rows = query.fetch_all(sql).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Which of these rows stands in a collection.
pub(crate) async fn held_of(
    sql: &mut AnyConnection,
    collection: i64,
    seqs: &[i64],
) -> Result<Option<i64>, DbError> {
    let text = format!(
        "SELECT seq FROM intel_entries WHERE collection = ? AND seq IN ({}) LIMIT 1",
        marks(seqs.len())
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(collection);
    for seq in seqs {
        query = query.bind(*seq);
    }
    Ok(query.fetch_optional(sql).await?.map(|row| row.try_get(0)).transpose()?)
}

/// Says anew which version of an object is the oldest and which the newest in a collection.
async fn rank_versions(sql: &mut AnyConnection, collection: i64, node: i64) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE intel_entries SET \
         is_first = CASE WHEN version = (SELECT MIN(x.version) FROM intel_entries x \
           WHERE x.collection = $1 AND x.node = $2) THEN 1 ELSE 0 END, \
         is_last = CASE WHEN version = (SELECT MAX(x.version) FROM intel_entries x \
           WHERE x.collection = $1 AND x.node = $2) THEN 1 ELSE 0 END \
         WHERE collection = $1 AND node = $2",
    )
    .bind(collection)
    .bind(node)
    .execute(sql)
    .await?;
    Ok(())
}

/// Takes the versions of an object that stand at these places out of a collection. How many went. The version that is the
/// newest then is given a new place.
///
/// # Errors
/// The database says no.
pub async fn delete(
    sql: &mut AnyConnection,
    collection: i64,
    node: i64,
    places: &[i64],
    now_us: i64,
) -> Result<u64, DbError> {
    let was_last = last_of(sql, collection, node).await?;
    let mut gone = 0;
    for place in places {
        let done = sqlx::query(
            "DELETE FROM intel_entries WHERE collection = $1 AND added = $2 AND node = $3",
        )
        .bind(collection)
        .bind(*place)
        .bind(node)
        .execute(&mut *sql)
        .await?;
        gone += done.rows_affected();
    }
    sqlx::query("UPDATE intel_collections SET held = held - $1 WHERE collection = $2")
        .bind(i64::try_from(gone).unwrap_or(i64::MAX))
        .bind(collection)
        .execute(&mut *sql)
        .await?;
    rank_versions(sql, collection, node).await?;
    let now_last = last_of(sql, collection, node).await?;
    if let (Some(was), Some(is)) = (was_last, now_last)
        && was != is
    {
        move_behind_all(sql, collection, is, now_us).await?;
    }
    Ok(gone)
}

/// The place of the newest version of an object.
async fn last_of(
    sql: &mut AnyConnection,
    collection: i64,
    node: i64,
) -> Result<Option<i64>, DbError> {
    let row = sqlx::query(
        "SELECT added FROM intel_entries WHERE collection = $1 AND node = $2 AND is_last = 1",
    )
    .bind(collection)
    .bind(node)
    .fetch_optional(sql)
    .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Gives an entry a new place: who reads the newest versions only has passed its old one without seeing it.
async fn move_behind_all(
    sql: &mut AnyConnection,
    collection: i64,
    place: i64,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE intel_collections SET last_added = \
         CASE WHEN last_added >= $1 THEN last_added + 1 ELSE $1 END WHERE collection = $2",
    )
    .bind(now_us)
    .bind(collection)
    .execute(&mut *sql)
    .await?;
    sqlx::query(
        "UPDATE intel_entries SET added = (SELECT last_added FROM intel_collections WHERE collection = $1) \
         WHERE collection = $1 AND added = $2",
    )
    .bind(collection)
    .bind(place)
    .execute(sql)
    .await?;
    Ok(())
}
