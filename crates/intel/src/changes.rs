//! What became known, in the order in which it did: for streams and for those who are told.

use platform::db::DbError;
use sqlx::{AnyConnection, Row};

use crate::objects::{COLUMNS, Stored, stored};
use crate::sight::Sight;

/// Types that one reader may ask for.
pub const MAX_TYPES: usize = 32;

/// A version that became known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The version; its `seq` is the place in the order.
    pub stored: Stored,
    /// Whether the object was not known before.
    pub is_new: bool,
}

impl Change {
    /// `new`, `updated` or `revoked`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match (self.stored.revoked, self.is_new) {
            (true, _) => "revoked",
            (false, true) => "new",
            (false, false) => "updated",
        }
    }
}

/// Versions in sight after a place, at most `limit`, oldest first; what only a collection got is not among them. An empty
/// list of types means all. What the newest version of an object keeps from somebody, its older versions keep too.
///
/// # Errors
/// The database says no.
pub async fn after(
    sql: &mut AnyConnection,
    seq: i64,
    types: &[String],
    sight: Sight,
    limit: i64,
) -> Result<Vec<Change>, DbError> {
    let types = &types[..types.len().min(MAX_TYPES)];
    let of_types = match types.len() {
        0 => String::new(),
        many => format!("AND o.type IN ({})", crate::sql::marks(many)),
    };
    let text = format!(
        "SELECT {COLUMNS}, NOT EXISTS (SELECT 1 FROM intel_objects p WHERE p.node = o.node AND p.seq < o.seq) AS fresh \
         FROM intel_objects o JOIN intel_nodes n ON n.node = o.node WHERE o.seq > ? {of_types} \
         AND (o.superseded_at IS NULL OR o.superseded_at > o.recorded_at) AND o.tlp <= ? \
         AND NOT EXISTS (SELECT 1 FROM intel_objects x WHERE x.node = o.node AND x.superseded_at IS NULL AND x.tlp > ?) \
         ORDER BY o.seq LIMIT ?"
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(seq);
    for kind in types {
        query = query.bind(kind.as_str());
    }
    let query = query.bind(sight.most()).bind(sight.most()).bind(limit);
    let rows = query.fetch_all(sql).await?;
    rows.iter()
        .map(|row| {
            Ok(Change { stored: stored(row)?, is_new: row.try_get::<i64, _>("fresh")? == 1 })
        })
        .collect()
}
