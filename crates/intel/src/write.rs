//! Keeping a batch of objects, inside the caller's transaction: a few statements over many rows.

use std::collections::HashMap;

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::beside::{self, body_of, same_content};
use crate::collections;
pub(crate) use crate::index::{forget, index};
use crate::objects::{Version, insert};
use crate::prepare::Prepared;
use crate::sources::SourceId;
use crate::sql::{ROWS, marks, tuples};

/// Objects from one source that become known together.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// Who says so.
    pub source: SourceId,
    /// Rank of what carries no TLP marking itself.
    pub unmarked: i64,
    /// Number of the collection they also go into.
    pub collection: Option<i64>,
    /// The objects.
    pub objects: &'a [Prepared],
    /// Now, microseconds UTC.
    pub now_us: i64,
}

/// What became of one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// The id was not known.
    New,
    /// A version newer than all known.
    Updated,
    /// A version that was not known, older than the newest.
    Older,
    /// This version was there with the same content.
    Same,
    /// This version was there with other content, which stays what is known; the collection it came into did not
    /// hold it and has it as it came.
    Beside,
    /// This version was there with other content, which stays; nothing is kept.
    Conflict,
}

/// A version in the database.
#[derive(Clone, Copy, Debug)]
struct Known {
    seq: i64,
    version: i64,
    tlp: i64,
    source: SourceId,
    /// No newer version has superseded it, and it does not stand beside one.
    newest: bool,
}

/// What is to be done with one object of a chunk.
struct Planned<'a> {
    object: &'a Prepared,
    node: i64,
    put: Put,
    seq: i64,
    /// The version is known from this very source under a label that protects less.
    raised: bool,
    /// The row in which it stood beside so far.
    former: Option<i64>,
}

/// Keeps every object of the batch; the answers stand in the order of the objects.
///
/// # Errors
/// The database says no; then nothing of the batch may be kept (roll back).
pub async fn store(sql: &mut AnyConnection, batch: &Batch<'_>) -> Result<Vec<Put>, DbError> {
    let mut puts = Vec::with_capacity(batch.objects.len());
    for chunk in batch.objects.chunks(ROWS) {
        let nodes = intern(sql, ids_of(chunk)).await?;
        let mut planned = plan(sql, batch, chunk, &nodes).await?;
        raise(sql, batch, &planned).await?;
        insert_objects(sql, batch, &mut planned).await?;
        for p in &planned {
            if let Some(before) = p.former {
                beside::take_over(sql, before, p.seq).await?;
            }
        }
        said(sql, batch, &planned).await?;
        let newest: Vec<(i64, &Prepared)> = planned
            .iter()
            .filter(|p| matches!(p.put, Put::New | Put::Updated))
            .map(|p| (p.node, p.object))
            .collect();
        let mut renewed: Vec<i64> =
            planned.iter().filter(|p| p.put == Put::Updated).map(|p| p.node).collect();
        renewed.sort_unstable();
        renewed.dedup();
        forget(sql, &renewed, batch.now_us).await?;
        index(sql, batch, &newest, &nodes).await?;
        if let Some(collection) = batch.collection {
            // Who says a known version differently must not get the known one to read.
            let entries: Vec<collections::Entry<'_>> = planned
                .iter()
                .filter(|p| p.put != Put::Conflict)
                .map(|p| collections::Entry {
                    node: p.node,
                    seq: p.seq,
                    version_us: p.object.version_us,
                    kind: &p.object.kind,
                    spec_version: &p.object.spec_version,
                })
                .collect();
            collections::add(sql, collection, &entries, batch.now_us).await?;
        }
        puts.extend(planned.iter().map(|p| p.put));
    }
    Ok(puts)
}

pub(crate) fn ids_of(objects: &[Prepared]) -> Vec<&str> {
    let mut ids: Vec<&str> = objects
        .iter()
        .flat_map(|object| {
            let ends = object.edges.iter().flat_map(|e| [e.origin.as_str(), e.target.as_str()]);
            std::iter::once(object.id.as_str()).chain(ends)
        })
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The numbers of ids, given out where there is none yet.
pub(crate) async fn intern<'i>(
    sql: &mut AnyConnection,
    ids: Vec<&'i str>,
) -> Result<HashMap<&'i str, i64>, DbError> {
    let mut nodes = HashMap::with_capacity(ids.len());
    for chunk in ids.chunks(ROWS) {
        find_nodes(sql, chunk, &mut nodes).await?;
        let missing: Vec<&str> =
            chunk.iter().filter(|id| !nodes.contains_key(*id)).copied().collect();
        if missing.is_empty() {
            continue;
        }
        let text = format!(
            "INSERT INTO intel_nodes (id) VALUES {} RETURNING node, id",
            tuples(missing.len(), 1)
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
        for id in &missing {
            query = query.bind(*id);
        }
        note_nodes(&query.fetch_all(&mut *sql).await?, chunk, &mut nodes)?;
    }
    Ok(nodes)
}

async fn find_nodes<'i>(
    sql: &mut AnyConnection,
    ids: &[&'i str],
    nodes: &mut HashMap<&'i str, i64>,
) -> Result<(), DbError> {
    let text = format!("SELECT node, id FROM intel_nodes WHERE id IN ({})", marks(ids.len()));
    let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
    for id in ids {
        query = query.bind(*id);
    }
    note_nodes(&query.fetch_all(sql).await?, ids, nodes)
}

/// `ids` is sorted.
fn note_nodes<'i>(
    rows: &[AnyRow],
    ids: &[&'i str],
    nodes: &mut HashMap<&'i str, i64>,
) -> Result<(), DbError> {
    for row in rows {
        let id: &str = row.try_get(1)?;
        if let Ok(at) = ids.binary_search(&id) {
            nodes.insert(ids[at], row.try_get(0)?);
        }
    }
    Ok(())
}

async fn plan<'a>(
    sql: &mut AnyConnection,
    batch: &Batch<'_>,
    chunk: &'a [Prepared],
    nodes: &HashMap<&str, i64>,
) -> Result<Vec<Planned<'a>>, DbError> {
    let mut known: HashMap<i64, Vec<Known>> = HashMap::new();
    let text = format!(
        "SELECT node, version, seq, tlp, source, superseded_at IS NULL FROM intel_objects WHERE node IN ({})",
        marks(chunk.len())
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
    let node_of = |object: &Prepared| nodes.get(object.id.as_str()).copied().unwrap_or_default();
    for object in chunk {
        query = query.bind(node_of(object));
    }
    for row in query.fetch_all(&mut *sql).await? {
        let version = Known {
            version: row.try_get(1)?,
            seq: row.try_get(2)?,
            tlp: row.try_get(3)?,
            source: row.try_get(4)?,
            newest: row.try_get::<i64, _>(5)? != 0,
        };
        known.entry(row.try_get(0)?).or_default().push(version);
    }
    let mut planned: Vec<Planned<'a>> = Vec::with_capacity(chunk.len());
    // Objects of the chunk by node and version, for what stands twice in it.
    let mut here: HashMap<(i64, i64), usize> = HashMap::new();
    for object in chunk {
        let (node, version) = (node_of(object), object.version_us);
        let versions = known.entry(node).or_default();
        let newest = versions.iter().filter(|k| k.newest).map(|k| k.version).max();
        let as_newer = if newest.is_none() { Put::New } else { Put::Updated };
        let (mut known_seq, mut former) = (None, None);
        let put = match versions.iter().find(|k| k.version == version) {
            Some(_) => match here.get(&(node, version)) {
                Some(at) if same_content(&planned[*at].object.body, &object.body) => Put::Same,
                Some(_) => Put::Conflict,
                None => {
                    let (put, seq) = again(sql, batch, object, versions).await?;
                    if put == Put::Same && newest < Some(version) {
                        // It stood beside; whose word counts says it now.
                        former = seq;
                        as_newer
                    } else {
                        known_seq = seq;
                        put
                    }
                }
            },
            None if newest < Some(version) => as_newer,
            None => Put::Older,
        };
        let same = known_seq.and_then(|seq| versions.iter().find(|k| k.seq == seq));
        let seq = known_seq.unwrap_or_default();
        let tlp = object.tlp.unwrap_or(batch.unmarked);
        let raised = put == Put::Same
            && same.is_some_and(|k| k.seq != 0 && k.source == batch.source && k.tlp < tlp);
        if !matches!(put, Put::Same | Put::Conflict) {
            here.insert((node, version), planned.len());
            let newest = put == as_newer;
            versions.push(Known { version, seq: 0, tlp, source: batch.source, newest });
        }
        planned.push(Planned { object, node, put, seq, raised, former });
    }
    Ok(planned)
}

/// What becomes of a version that is known: the same as one of the rows it has, or something else. A collection
/// holds one content of a version, the first it got; what others hold is nothing to those who write to it.
async fn again(
    sql: &mut AnyConnection,
    batch: &Batch<'_>,
    object: &Prepared,
    versions: &[Known],
) -> Result<(Put, Option<i64>), DbError> {
    let mut same = None;
    let rows = versions.iter().filter(|k| k.version == object.version_us);
    for row in rows.clone() {
        if same.is_none() && same_content(&body_of(sql, row.seq).await?, &object.body) {
            same = Some(row.seq);
        }
    }
    let seqs: Vec<i64> = rows.map(|row| row.seq).collect();
    let held = match batch.collection {
        None => None,
        Some(collection) => collections::held_of(sql, collection, &seqs).await?,
    };
    Ok(match (same, held) {
        (Some(seq), held) if held.is_none_or(|held| held == seq) => (Put::Same, Some(seq)),
        (_, Some(_)) => (Put::Conflict, None),
        _ if batch.collection.is_none() => (Put::Conflict, None),
        _ => (Put::Beside, None),
    })
}

/// A source may protect more what it said itself: what it says again under a stricter label is kept under that one.
async fn raise(
    sql: &mut AnyConnection,
    batch: &Batch<'_>,
    planned: &[Planned<'_>],
) -> Result<(), DbError> {
    for p in planned.iter().filter(|p| p.raised) {
        let tlp = p.object.tlp.unwrap_or(batch.unmarked);
        sqlx::query("UPDATE intel_objects SET tlp = $1 WHERE seq = $2 AND tlp < $1")
            .bind(tlp)
            .bind(p.seq)
            .execute(&mut *sql)
            .await?;
        sqlx::query(
            "UPDATE intel_edges SET tlp = $1 WHERE teller = $2 AND ended_at IS NULL AND tlp < $1 \
             AND EXISTS (SELECT 1 FROM intel_objects o WHERE o.seq = $3 AND o.superseded_at IS NULL)",
        )
        .bind(tlp)
        .bind(p.node)
        .bind(p.seq)
        .execute(&mut *sql)
        .await?;
    }
    Ok(())
}

async fn insert_objects(
    sql: &mut AnyConnection,
    batch: &Batch<'_>,
    planned: &mut [Planned<'_>],
) -> Result<(), DbError> {
    let mut newest: HashMap<i64, i64> = HashMap::new();
    for p in planned.iter().filter(|p| matches!(p.put, Put::New | Put::Updated)) {
        let most = newest.entry(p.node).or_insert(p.object.version_us);
        *most = (*most).max(p.object.version_us);
    }
    let mut renewed: Vec<i64> =
        planned.iter().filter(|p| p.put == Put::Updated).map(|p| p.node).collect();
    renewed.sort_unstable();
    renewed.dedup();
    let rows: Vec<Version<'_>> = planned
        .iter()
        .filter(|p| !matches!(p.put, Put::Same | Put::Conflict))
        .map(|p| {
            let is_newest = matches!(p.put, Put::New | Put::Updated)
                && newest.get(&p.node) == Some(&p.object.version_us);
            (p.node, p.object, (!is_newest).then_some(batch.now_us))
        })
        .collect();
    if !rows.is_empty() {
        let seqs = insert(sql, batch, &rows).await?;
        for p in planned.iter_mut().filter(|p| p.seq == 0) {
            p.seq = seqs.get(&(p.node, p.object.version_us)).copied().unwrap_or_default();
        }
    }
    for node in renewed {
        sqlx::query(
            "UPDATE intel_objects SET superseded_at = $1 \
             WHERE node = $2 AND version < $3 AND superseded_at IS NULL",
        )
        .bind(batch.now_us)
        .bind(node)
        .bind(newest.get(&node).copied().unwrap_or_default())
        .execute(&mut *sql)
        .await?;
    }
    Ok(())
}

/// Notes who said each version. A conflicting version was not said by this source.
async fn said(
    sql: &mut AnyConnection,
    batch: &Batch<'_>,
    planned: &[Planned<'_>],
) -> Result<(), DbError> {
    let mut rows: Vec<(i64, Option<i64>)> = planned
        .iter()
        .filter(|p| p.put != Put::Conflict)
        .map(|p| (p.seq, p.object.confidence))
        .collect();
    rows.sort_unstable();
    rows.dedup_by_key(|(seq, _)| *seq);
    if rows.is_empty() {
        return Ok(());
    }
    let text = format!(
        "INSERT INTO intel_said (seq, source, confidence, first_at, last_at) VALUES {} \
         ON CONFLICT (seq, source) DO UPDATE SET last_at = excluded.last_at",
        tuples(rows.len(), 5)
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(text));
    for (seq, confidence) in rows {
        query = query
            .bind(seq)
            .bind(batch.source)
            .bind(confidence)
            .bind(batch.now_us)
            .bind(batch.now_us);
    }
    query.execute(sql).await?;
    Ok(())
}
