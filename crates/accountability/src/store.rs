//! The room's SQL.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use model::event::Fact;
use model::{Timestamp, Tlp};
use platform::db::{DbError, Hidden, Tx};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::entry::{Entry, hash_from_hex};
use crate::error::LedgerError;
use crate::head::TreeHead;
use crate::merkle::{Hash, Node};

/// Name of the consumer, as in `platform_cursors`.
pub(crate) const CONSUMER: &str = "accountability";

const ENTRY: &str = "SELECT idx, fact_seq, kind, subject, actor, sentence, body, salt, leaf_hash, \
                     recorded_at, tlp, erased FROM accountability_entries";

/// Number of entries, going by the last one.
pub(crate) async fn size(sql: &mut AnyConnection) -> Result<u64, DbError> {
    let row = sqlx::query("SELECT COALESCE(MAX(idx) + 1, 0) FROM accountability_entries")
        .fetch_one(sql)
        .await?;
    unsigned(row.try_get(0)?, "accountability_entries.idx")
}

/// Adds an entry; false when its fact has one.
pub(crate) async fn insert(tx: &mut Tx, entry: &Entry) -> Result<bool, DbError> {
    let done = sqlx::query(
        "INSERT INTO accountability_entries (idx, fact_seq, kind, subject, actor, sentence, body, \
         salt, leaf_hash, recorded_at, tlp, erased) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0) \
         ON CONFLICT (fact_seq) DO NOTHING",
    )
    .bind(signed(entry.index))
    .bind(entry.fact_seq)
    .bind(entry.kind.clone())
    .bind(entry.subject.clone())
    .bind(entry.actor.clone())
    .bind(entry.sentence.clone())
    .bind(entry.body.clone())
    .bind(entry.salt.clone())
    .bind(entry.leaf_hash.clone())
    .bind(entry.recorded_at)
    .bind(entry.tlp.map(Tlp::label))
    .execute(tx.sql())
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(crate) async fn insert_node(tx: &mut Tx, node: Node, hash: &Hash) -> Result<(), DbError> {
    sqlx::query("INSERT INTO accountability_nodes (last_leaf, level, hash) VALUES ($1, $2, $3)")
        .bind(signed(node.last))
        .bind(i64::from(node.level))
        .bind(hex::encode(hash))
        .execute(tx.sql())
        .await?;
    Ok(())
}

pub(crate) async fn insert_head(tx: &mut Tx, head: &TreeHead) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO accountability_heads (size, origin, root, signed_at, signature) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(signed(head.size))
    .bind(head.origin.clone())
    .bind(head.root.clone())
    .bind(head.signed_at.as_micros())
    .bind(head.signature.clone())
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// The head signed for this size, or the newest; `key` is not stored but filled in.
pub(crate) async fn head(
    sql: &mut AnyConnection,
    size: Option<u64>,
    key: &str,
) -> Result<Option<TreeHead>, DbError> {
    let row = sqlx::query(
        "SELECT size, origin, root, signed_at, signature FROM accountability_heads \
         WHERE ($1 < 0 OR size = $1) ORDER BY size DESC LIMIT 1",
    )
    .bind(size.map_or(-1, signed))
    .fetch_optional(sql)
    .await?;
    row.map(|row| read_head(&row, key)).transpose()
}

/// Heads of sizes `from..to`.
pub(crate) async fn heads(
    sql: &mut AnyConnection,
    from: u64,
    to: u64,
    key: &str,
) -> Result<BTreeMap<u64, Option<TreeHead>>, DbError> {
    let rows = sqlx::query(
        "SELECT size, origin, root, signed_at, signature FROM accountability_heads \
         WHERE size >= $1 AND size < $2 ORDER BY size",
    )
    .bind(signed(from))
    .bind(signed(to))
    .fetch_all(sql)
    .await?;
    let mut heads = BTreeMap::new();
    for row in &rows {
        let size = unsigned(row.try_get(0)?, "accountability_heads.size")?;
        heads.insert(size, read_head(row, key).ok());
    }
    Ok(heads)
}

fn read_head(row: &AnyRow, key: &str) -> Result<TreeHead, DbError> {
    Ok(TreeHead {
        size: unsigned(row.try_get("size")?, "accountability_heads.size")?,
        origin: row.try_get("origin")?,
        root: row.try_get("root")?,
        signed_at: Timestamp::from_micros(row.try_get("signed_at")?),
        signature: row.try_get("signature")?,
        key: key.to_owned(),
    })
}

pub(crate) async fn entry(sql: &mut AnyConnection, index: u64) -> Result<Option<Entry>, DbError> {
    let query = format!("{ENTRY} WHERE idx = $1");
    let row =
        sqlx::query(sqlx::AssertSqlSafe(query)).bind(signed(index)).fetch_optional(sql).await?;
    row.as_ref().map(read_entry).transpose()
}

/// Entries from `from` on; a row that cannot be read is `None`.
pub(crate) async fn entries_from(
    sql: &mut AnyConnection,
    from: u64,
    limit: i64,
) -> Result<Vec<Option<Entry>>, DbError> {
    let query = format!("{ENTRY} WHERE idx >= $1 ORDER BY idx LIMIT $2");
    let rows = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(signed(from))
        .bind(limit)
        .fetch_all(sql)
        .await?;
    Ok(rows.iter().map(|row| read_entry(row).ok()).collect())
}

/// Which entries a list wants.
#[derive(Clone, Debug, Default)]
pub(crate) struct EntryFilter {
    pub(crate) after: Option<u64>,
    pub(crate) before: Option<u64>,
    pub(crate) subject: Option<String>,
    /// What is left out.
    pub(crate) hidden: Hidden,
}

/// The newest entries that pass, newest first.
pub(crate) async fn newest(
    sql: &mut AnyConnection,
    filter: &EntryFilter,
    limit: i64,
) -> Result<Vec<Entry>, DbError> {
    let hidden = filter.hidden.sql();
    let query = format!(
        "{ENTRY} WHERE idx > $1 AND idx < $2 AND ($3 = '' OR subject = $3) {hidden}\
         ORDER BY idx DESC LIMIT $4"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(filter.after.map_or(-1, signed))
        .bind(filter.before.map_or(i64::MAX, signed))
        .bind(filter.subject.clone().unwrap_or_default())
        .bind(limit)
        .fetch_all(sql)
        .await?;
    rows.iter().map(read_entry).collect()
}

/// A stored label; one that cannot be read counts as the strictest.
fn label(text: Option<String>) -> Option<Tlp> {
    text.map(|text| text.parse().unwrap_or(Tlp::Red))
}

fn read_entry(row: &AnyRow) -> Result<Entry, DbError> {
    Ok(Entry {
        index: unsigned(row.try_get("idx")?, "accountability_entries.idx")?,
        fact_seq: row.try_get("fact_seq")?,
        kind: row.try_get("kind")?,
        subject: row.try_get("subject")?,
        actor: row.try_get("actor")?,
        sentence: row.try_get("sentence")?,
        body: row.try_get("body")?,
        salt: row.try_get("salt")?,
        leaf_hash: row.try_get("leaf_hash")?,
        recorded_at: row.try_get("recorded_at")?,
        tlp: label(row.try_get("tlp")?),
        erased: row.try_get::<i64, _>("erased")? != 0,
    })
}

/// The hashes of these nodes, in their order.
pub(crate) async fn hashes(
    sql: &mut AnyConnection,
    wanted: &[Node],
) -> Result<Vec<Hash>, LedgerError> {
    let mut known = HashMap::with_capacity(wanted.len());
    // Numbers of this program, never input.
    let (mut leaves, mut inner) = (String::from("-1"), String::from("1 = 0"));
    for node in wanted {
        let _ = match node.level {
            0 => write!(leaves, ", {}", node.last),
            level => write!(inner, " OR (last_leaf = {} AND level = {level})", node.last),
        };
    }
    let query = format!(
        "SELECT idx AS last_leaf, 0 AS level, leaf_hash AS hash FROM accountability_entries \
         WHERE idx IN ({leaves}) UNION ALL \
         SELECT last_leaf, level, hash FROM accountability_nodes WHERE {inner}"
    );
    let rows = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_all(sql).await?;
    for row in &rows {
        let (node, hash) = read_node(row)?;
        known.insert(node, hash);
    }
    wanted
        .iter()
        .map(|node| {
            let found = known.get(node).and_then(|text| hash_from_hex(text));
            found.ok_or(LedgerError::Incomplete { last: node.last, level: node.level })
        })
        .collect()
}

/// Inner nodes whose last leaf is in `from..to`.
pub(crate) async fn nodes(
    sql: &mut AnyConnection,
    from: u64,
    to: u64,
) -> Result<HashMap<Node, String>, DbError> {
    let rows = sqlx::query(
        "SELECT last_leaf, level, hash FROM accountability_nodes \
         WHERE last_leaf >= $1 AND last_leaf < $2",
    )
    .bind(signed(from))
    .bind(signed(to))
    .fetch_all(sql)
    .await?;
    rows.iter().map(read_node).collect()
}

fn read_node(row: &AnyRow) -> Result<(Node, String), DbError> {
    let level: i64 = row.try_get("level")?;
    let node = Node {
        last: unsigned(row.try_get("last_leaf")?, "accountability_nodes.last_leaf")?,
        level: u32::try_from(level)
            .map_err(|_| DbError::corrupt("accountability_nodes.level", level))?,
    };
    Ok((node, row.try_get("hash")?))
}

/// Drops what an entry says and keeps its leaf; the fact behind it loses its content too.
pub(crate) async fn erase(tx: &mut Tx, entry: &Entry) -> Result<(), DbError> {
    sqlx::query(
        "UPDATE accountability_entries SET erased = 1, body = NULL, salt = NULL, kind = '', \
         subject = '', actor = '', sentence = '' WHERE idx = $1",
    )
    .bind(signed(entry.index))
    .execute(tx.sql())
    .await?;
    // Version 0 belongs to no payload, so that nobody reads an emptied fact.
    sqlx::query(
        "UPDATE platform_facts SET version = 0, subject = '', actor = '', sentence = '', \
         payload = '{}' WHERE seq = $1",
    )
    .bind(entry.fact_seq)
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// The outbox rows of these positions as facts; a row that cannot be read as a fact is `None`.
pub(crate) async fn facts(
    sql: &mut AnyConnection,
    from: i64,
    to: i64,
) -> Result<HashMap<i64, Option<Fact>>, DbError> {
    let rows = sqlx::query("SELECT * FROM platform_facts WHERE seq >= $1 AND seq <= $2")
        .bind(from)
        .bind(to)
        .fetch_all(sql)
        .await?;
    rows.iter().map(|row| Ok((row.try_get("seq")?, read_fact(row)))).collect()
}

fn read_fact(row: &AnyRow) -> Option<Fact> {
    let id: String = row.try_get("id").ok()?;
    let payload: String = row.try_get("payload").ok()?;
    let version: i64 = row.try_get("version").ok()?;
    Some(Fact {
        seq: row.try_get("seq").ok()?,
        id: id.parse().ok()?,
        kind: row.try_get("kind").ok()?,
        version: u16::try_from(version).ok()?,
        subject: row.try_get("subject").ok()?,
        actor: row.try_get("actor").ok()?,
        sentence: row.try_get("sentence").ok()?,
        payload: serde_json::from_str(&payload).ok()?,
        event_at: row.try_get::<Option<i64>, _>("event_at").ok()?.map(Timestamp::from_micros),
        tlp: label(row.try_get("tlp").ok()?),
        recorded_at: Timestamp::from_micros(row.try_get("recorded_at").ok()?),
    })
}

/// Oldest position still in the outbox, and how far the log has come.
pub(crate) async fn outbox_span(sql: &mut AnyConnection) -> Result<(i64, i64), DbError> {
    let row = sqlx::query(
        "SELECT (SELECT COALESCE(MIN(seq), 1) FROM platform_facts), \
         COALESCE((SELECT seq FROM platform_cursors WHERE consumer = $1), 0)",
    )
    .bind(CONSUMER)
    .fetch_one(sql)
    .await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

/// Positions in `from..=to` that the log had to set aside, with the reason.
pub(crate) async fn set_aside(
    sql: &mut AnyConnection,
    from: i64,
    to: i64,
) -> Result<BTreeMap<i64, String>, DbError> {
    let rows = sqlx::query(
        "SELECT seq, reason FROM platform_dead_facts \
         WHERE consumer = $1 AND seq >= $2 AND seq <= $3 ORDER BY seq",
    )
    .bind(CONSUMER)
    .bind(from)
    .bind(to)
    .fetch_all(sql)
    .await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Largest size a head was signed for, and largest last leaf of a node (−1 when none).
pub(crate) async fn extent(sql: &mut AnyConnection) -> Result<(i64, i64), DbError> {
    let row = sqlx::query(
        "SELECT (SELECT COALESCE(MAX(size), 0) FROM accountability_heads), \
         (SELECT COALESCE(MAX(last_leaf), -1) FROM accountability_nodes)",
    )
    .fetch_one(sql)
    .await?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64, place: &'static str) -> Result<u64, DbError> {
    u64::try_from(number).map_err(|_| DbError::corrupt(place, number))
}
