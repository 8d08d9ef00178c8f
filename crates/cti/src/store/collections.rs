//! TAXII collections.

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

/// What a collection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Peers put here what they share with us.
    Inbox,
    /// One peer reads here what we answer it.
    Outbox,
}

impl Kind {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Outbox => "outbox",
        }
    }
}

/// One collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Collection {
    pub(crate) id: String,
    pub(crate) alias: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) kind: Kind,
    /// The node that reads an outbox.
    pub(crate) peer: Option<String>,
}

/// Adds a collection, once.
pub(crate) async fn ensure(
    sql: &mut AnyConnection,
    collection: &Collection,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO cti_collections (id, alias, title, description, kind, peer, recorded_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
    )
    .bind(&collection.id)
    .bind(&collection.alias)
    .bind(&collection.title)
    .bind(&collection.description)
    .bind(collection.kind.word())
    .bind(&collection.peer)
    .bind(now_us)
    .execute(sql)
    .await?;
    Ok(())
}

/// All collections, oldest first.
pub(crate) async fn all(sql: &mut AnyConnection) -> Result<Vec<Collection>, DbError> {
    let rows = sqlx::query("SELECT * FROM cti_collections ORDER BY recorded_at, id")
        .fetch_all(sql)
        .await?;
    rows.iter().map(collection).collect()
}

/// A collection by id or alias.
pub(crate) async fn find(
    sql: &mut AnyConnection,
    name: &str,
) -> Result<Option<Collection>, DbError> {
    let row = sqlx::query("SELECT * FROM cti_collections WHERE id = $1 OR alias = $1")
        .bind(name)
        .fetch_optional(sql)
        .await?;
    row.as_ref().map(collection).transpose()
}

fn collection(row: &AnyRow) -> Result<Collection, DbError> {
    let kind: String = row.try_get("kind")?;
    Ok(Collection {
        id: row.try_get("id")?,
        alias: row.try_get("alias")?,
        title: row.try_get("title")?,
        description: row.try_get("description")?,
        kind: match kind.as_str() {
            "inbox" => Kind::Inbox,
            "outbox" => Kind::Outbox,
            other => return Err(DbError::corrupt("cti_collections.kind", other)),
        },
        peer: row.try_get("peer")?,
    })
}
