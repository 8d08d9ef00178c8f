//! What is to be told to others: the entries of a collection or the newest versions of all, in an order that can be gone
//! on with, each with the label that holds for it now.

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::sources::SourceId;
use crate::sql::marks;

/// One version on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Where to go on after it.
    pub place: i64,
    /// STIX id.
    pub id: String,
    /// The version, microseconds UTC; 0 for what has none.
    pub version_us: i64,
    /// The rank that holds: its own, or that of the newest version where it is stricter.
    pub tlp: i64,
    /// `2.0` or `2.1`.
    pub spec_version: String,
    /// Who said it first.
    pub source: SourceId,
    /// The object's JSON text.
    pub body: String,
}

/// The rank that holds for a version: it is as protected as the newest one.
pub(crate) const RANK: &str = "MAX(o.tlp, COALESCE((SELECT MAX(x.tlp) FROM intel_objects x WHERE x.node = o.node \
    AND x.superseded_at IS NULL), 0)) AS tlp";

/// The columns but the place and the rank.
const COLUMNS: &str =
    "n.id AS id, o.version AS version, o.spec_version AS spec, o.source AS source, o.body AS body";

fn outgoing(row: &AnyRow) -> Result<Outgoing, DbError> {
    Ok(Outgoing {
        place: row.try_get("place")?,
        id: row.try_get("id")?,
        version_us: row.try_get("version")?,
        tlp: row.try_get("tlp")?,
        spec_version: row.try_get("spec")?,
        source: row.try_get("source")?,
        body: row.try_get("body")?,
    })
}

/// Entries of a collection behind a place.
///
/// # Errors
/// The database says no.
pub async fn of_collection(
    sql: &mut AnyConnection,
    collection: i64,
    after: i64,
    limit: i64,
) -> Result<Vec<Outgoing>, DbError> {
    let text = format!(
        "SELECT e.added AS place, {COLUMNS}, {RANK} FROM intel_entries e JOIN intel_objects o ON o.seq = e.seq \
         JOIN intel_nodes n ON n.node = e.node WHERE e.collection = ? AND e.added > ? ORDER BY e.added LIMIT ?"
    );
    let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(collection).bind(after).bind(limit);
    query.fetch_all(sql).await?.iter().map(outgoing).collect()
}

/// Newest versions behind a place, of these types; of all when none is named.
///
/// # Errors
/// The database says no.
pub async fn newest(
    sql: &mut AnyConnection,
    types: &[String],
    after: i64,
    limit: i64,
) -> Result<Vec<Outgoing>, DbError> {
    let typed = match types.len() {
        0 => String::new(),
        count => format!(" AND o.type IN ({})", marks(count)),
    };
    let text = format!(
        "SELECT o.seq AS place, {COLUMNS}, {RANK} FROM intel_objects o JOIN intel_nodes n ON n.node = o.node \
         WHERE o.seq > ? AND o.superseded_at IS NULL{typed} ORDER BY o.seq LIMIT ?"
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(after);
    for name in types {
        query = query.bind(name);
    }
    query.bind(limit).fetch_all(sql).await?.iter().map(outgoing).collect()
}
