//! Relations between objects: neighbours and paths, as known at a time, in sight only.

use std::collections::{HashMap, HashSet};

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::sight::Sight;
use crate::sql::ROWS;

/// Relations that one call returns at most.
pub const MAX_EDGES: i64 = 1_000;
/// Objects that the search for a path looks at.
pub const MAX_VISITED: usize = 50_000;
/// Longest path looked for.
pub const MAX_STEPS: usize = 8;
/// Neighbours of one object that the search for a path follows: what has more is a hub and joins everything.
const MAX_FAN: i64 = 500;

/// One relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relation {
    /// STIX id where it begins.
    pub origin: String,
    /// STIX id where it ends.
    pub target: String,
    /// Its kind.
    pub kind: String,
    /// The object that says so.
    pub teller: String,
    /// When that became known, microseconds UTC.
    pub recorded_us: i64,
    origin_node: i64,
    target_node: i64,
}

/// A relation counts when whoever tells it and both ends are in sight; an end that is only spoken of is.
const IN_SIGHT: &str = "e.tlp <= $2 AND e.recorded_at <= $3 AND (e.ended_at IS NULL OR e.ended_at > $3) \
     AND NOT EXISTS (SELECT 1 FROM intel_objects h WHERE h.node IN (e.origin, e.target) \
       AND h.superseded_at IS NULL AND h.tlp > $2)";

/// The same, bound in this order: sight, time, time, sight.
pub(crate) const IN_SIGHT_IN_ORDER: &str = "e.tlp <= ? AND e.recorded_at <= ? AND (e.ended_at IS NULL OR e.ended_at > ?) \
     AND NOT EXISTS (SELECT 1 FROM intel_objects h WHERE h.node IN (e.origin, e.target) \
       AND h.superseded_at IS NULL AND h.tlp > ?)";

const SELECT: &str = "SELECT e.origin AS origin_node, e.target AS target_node, a.id AS origin, \
     b.id AS target, e.kind AS kind, t.id AS teller, e.recorded_at AS recorded_at FROM intel_edges e \
     JOIN intel_nodes a ON a.node = e.origin JOIN intel_nodes b ON b.node = e.target \
     JOIN intel_nodes t ON t.node = e.teller";

impl Relation {
    /// The numbers of both ends.
    #[must_use]
    pub const fn ends(&self) -> [i64; 2] {
        [self.origin_node, self.target_node]
    }
}

fn relation(row: &AnyRow) -> Result<Relation, DbError> {
    Ok(Relation {
        origin: row.try_get("origin")?,
        target: row.try_get("target")?,
        kind: row.try_get("kind")?,
        teller: row.try_get("teller")?,
        recorded_us: row.try_get("recorded_at")?,
        origin_node: row.try_get("origin_node")?,
        target_node: row.try_get("target_node")?,
    })
}

/// The relations of an object, both directions, from the one after `after` (a place given by the last
/// answer; 0 for the first), and the place to go on from when there are more.
///
/// # Errors
/// The database says no.
pub async fn neighbours(
    sql: &mut AnyConnection,
    node: i64,
    sight: Sight,
    at_us: i64,
    after: i64,
    limit: i64,
) -> Result<(Vec<Relation>, Option<i64>), DbError> {
    let limit = limit.clamp(1, MAX_EDGES);
    let text = format!(
        "SELECT * FROM (SELECT x.edge AS edge, x.* FROM ({SELECT_EDGE} WHERE e.origin = $1 AND {IN_SIGHT} \
         UNION {SELECT_EDGE} WHERE e.target = $1 AND {IN_SIGHT}) x) y WHERE edge > $4 ORDER BY edge LIMIT $5",
        SELECT_EDGE = SELECT.replacen("SELECT ", "SELECT e.edge AS edge, ", 1),
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(node)
        .bind(sight.most())
        .bind(at_us)
        .bind(after)
        .bind(limit + 1)
        .fetch_all(sql)
        .await?;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > most;
    let shown = &rows[..rows.len().min(most)];
    let next = match shown.last() {
        Some(last) if more => Some(last.try_get("edge")?),
        _ => None,
    };
    Ok((shown.iter().map(relation).collect::<Result<_, _>>()?, next))
}

/// How many relations of each kind an object has, the most first.
///
/// # Errors
/// The database says no.
pub async fn kinds(
    sql: &mut AnyConnection,
    node: i64,
    sight: Sight,
    at_us: i64,
) -> Result<Vec<(String, i64)>, DbError> {
    let text = format!(
        "SELECT kind, COUNT(*) AS held FROM (SELECT e.edge, e.kind AS kind FROM intel_edges e \
         WHERE e.origin = $1 AND {IN_SIGHT} UNION SELECT e.edge, e.kind AS kind FROM intel_edges e \
         WHERE e.target = $1 AND {IN_SIGHT}) x GROUP BY kind ORDER BY held DESC, kind"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(node)
        .bind(sight.most())
        .bind(at_us)
        .fetch_all(sql)
        .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// What the search for a path found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Path {
    /// The relations from one end to the other, in order.
    Found(Vec<Relation>),
    /// There is none of at most [`MAX_STEPS`].
    None,
    /// More than [`MAX_VISITED`] objects lie around: narrow it down.
    TooWide,
}

/// A shortest path between two objects, hubs passed by.
///
/// # Errors
/// The database says no.
pub async fn path(
    sql: &mut AnyConnection,
    from: i64,
    to: i64,
    sight: Sight,
    at_us: i64,
) -> Result<Path, DbError> {
    let mut came: HashMap<i64, Relation> = HashMap::new();
    let mut seen: HashSet<i64> = HashSet::from([from]);
    let mut edge = vec![from];
    for _ in 0..MAX_STEPS {
        let mut next = Vec::new();
        for chunk in edge.chunks(ROWS) {
            for relation in around(sql, chunk, sight, at_us).await? {
                for (here, there) in [
                    (relation.origin_node, relation.target_node),
                    (relation.target_node, relation.origin_node),
                ] {
                    if seen.contains(&here) && chunk.contains(&here) && seen.insert(there) {
                        came.insert(there, relation.clone());
                        next.push(there);
                    }
                }
                if seen.contains(&to) {
                    return Ok(Path::Found(walk_back(&came, from, to)));
                }
            }
            if seen.len() > MAX_VISITED {
                return Ok(Path::TooWide);
            }
        }
        if next.is_empty() {
            break;
        }
        edge = next;
    }
    Ok(Path::None)
}

fn walk_back(came: &HashMap<i64, Relation>, from: i64, to: i64) -> Vec<Relation> {
    let mut steps = Vec::new();
    let mut at = to;
    while at != from {
        let Some(relation) = came.get(&at) else { break };
        at = if relation.origin_node == at { relation.target_node } else { relation.origin_node };
        steps.push(relation.clone());
    }
    steps.reverse();
    steps
}

async fn around(
    sql: &mut AnyConnection,
    nodes: &[i64],
    sight: Sight,
    at_us: i64,
) -> Result<Vec<Relation>, DbError> {
    // Numbers of this program's own, never input.
    let list = nodes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut found = Vec::new();
    for side in ["origin", "target"] {
        let text = format!(
            "{SELECT} WHERE e.{side} IN ({list}) AND $1 = $1 AND {IN_SIGHT} \
             AND (SELECT COUNT(*) FROM (SELECT 1 FROM intel_edges f WHERE f.{side} = e.{side} \
               LIMIT {})) < {MAX_FAN}",
            MAX_FAN
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(text))
            .persistent(false)
            .bind(0_i64)
            .bind(sight.most())
            .bind(at_us);
        for row in query.fetch_all(&mut *sql).await? {
            found.push(relation(&row)?);
        }
    }
    Ok(found)
}

/// How many relations in sight lead to each object of a type, of the given kinds; by STIX id.
///
/// # Errors
/// The database says no.
pub async fn mentions(
    sql: &mut AnyConnection,
    kind: &str,
    relations: &[&str],
    sight: Sight,
) -> Result<Vec<(String, i64)>, DbError> {
    // Kinds are constants of the callers, never input.
    let list = relations.iter().map(|kind| format!("'{kind}'")).collect::<Vec<_>>().join(", ");
    let text = format!(
        "SELECT n.id AS id, COUNT(*) AS held FROM intel_objects o JOIN intel_nodes n ON n.node = o.node \
         JOIN intel_edges e ON e.target = o.node LEFT JOIN intel_objects h ON h.node = e.origin \
         AND h.superseded_at IS NULL WHERE o.type = $1 AND o.superseded_at IS NULL AND o.tlp <= $2 \
         AND e.tlp <= $2 AND e.ended_at IS NULL AND COALESCE(h.tlp, 0) <= $2 AND e.kind IN ({list}) \
         GROUP BY n.id"
    );
    let rows =
        sqlx::query(sqlx::AssertSqlSafe(text)).bind(kind).bind(sight.most()).fetch_all(sql).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
