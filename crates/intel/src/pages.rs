//! Pages of a collection in the order of places, the bodies as one text.
//!
//! The text of a page is put together by the database from the stored bodies: nothing is parsed, and one row
//! crosses the driver instead of a thousand. Every walk begins where the page begins and ends with it: by place,
//! by place within a type (merged when there are several), or by object.

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::Sight;
use crate::outgoing::RANK;
use crate::sql::marks;

/// Bytes of bodies on one page; a page ends earlier rather than being larger. One body alone may be.
pub const MAX_PAGE_BYTES: i64 = 16 << 20;

/// Which versions of an object are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Versions {
    /// Every one.
    All,
    /// The oldest, the newest, those of these versions (microseconds UTC).
    Only {
        /// The oldest in the collection.
        first: bool,
        /// The newest in the collection.
        last: bool,
        /// These, microseconds UTC; what has no versions goes by its place.
        exact_us: Vec<i64>,
    },
}

impl Versions {
    /// The newest.
    pub const LAST: Self = Self::Only { first: false, last: true, exact_us: vec![] };
}

/// What is wanted of a collection. An empty list asks for everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Only places after this one.
    pub after_us: i64,
    /// STIX ids.
    pub ids: Vec<String>,
    /// STIX types.
    pub types: Vec<String>,
    /// STIX versions.
    pub spec_versions: Vec<String>,
    /// Versions of the objects.
    pub versions: Versions,
    /// Entries on the page at most.
    pub limit: i64,
    /// How far the reader sees: what lies beyond is as if it were not there.
    pub sight: Sight,
}

/// The bodies of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bodies {
    /// Objects on the page.
    pub count: i64,
    /// Place of the first and of the last, microseconds UTC.
    pub ends_us: Option<(i64, i64)>,
    /// The objects' JSON texts, with commas between them.
    pub text: String,
    /// Whether more follow.
    pub more: bool,
}

/// One entry without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// STIX id.
    pub id: String,
    /// Its place, microseconds UTC.
    pub added_us: i64,
    /// Its version, microseconds UTC; its place where there are no versions.
    pub version_us: i64,
    /// STIX version.
    pub spec_version: String,
}

/// A statement in the making: its text, and what is bound to its marks in their order.
#[derive(Default)]
pub(crate) struct Asked {
    text: String,
    bound: Vec<Bound>,
}

enum Bound {
    Number(i64),
    Text(String),
}

impl Asked {
    pub(crate) fn say(&mut self, text: &str) {
        self.text.push_str(text);
    }

    pub(crate) fn number(&mut self, text: &str, number: i64) {
        self.text.push_str(text);
        self.bound.push(Bound::Number(number));
    }

    fn list(&mut self, before: &str, values: &[String], after: &str) {
        self.text.push_str(before);
        self.text.push_str(&marks(values.len()));
        self.text.push_str(after);
        self.bound.extend(values.iter().cloned().map(Bound::Text));
    }

    pub(crate) async fn rows(self, sql: &mut AnyConnection) -> Result<Vec<AnyRow>, DbError> {
        let mut query = sqlx::query(sqlx::AssertSqlSafe(self.text));
        for value in self.bound {
            query = match value {
                Bound::Number(number) => query.bind(number),
                Bound::Text(text) => query.bind(text),
            };
        }
        Ok(query.fetch_all(sql).await?)
    }
}

/// What holds for every entry of an answer, but for its type and its place.
fn rest(asked: &mut Asked, wanted: &Wanted) {
    if !wanted.ids.is_empty() {
        let before = " AND e.node IN (SELECT node FROM intel_nodes WHERE id IN (";
        asked.list(before, &wanted.ids, "))");
    }
    if !wanted.spec_versions.is_empty() {
        asked.list(" AND e.spec_version IN (", &wanted.spec_versions, ")");
    }
    if wanted.sight != Sight::ALL {
        asked.say(" AND (SELECT ");
        asked.say(RANK);
        asked.number(" FROM intel_objects o WHERE o.seq = e.seq) <= ?", wanted.sight.most());
    }
    let Versions::Only { first, last, exact_us } = &wanted.versions else { return };
    asked.say(" AND (1 = 0");
    if *first {
        asked.say(" OR e.is_first = 1");
    }
    if *last {
        asked.say(" OR e.is_last = 1");
    }
    for us in exact_us {
        asked.number(" OR e.version = ?", *us);
        asked.number(" OR (e.version = 0 AND e.added = ?)", *us);
    }
    asked.say(")");
}

/// `SELECT` of the entries of the page in their order.
pub(crate) fn entries(asked: &mut Asked, collection: i64, wanted: &Wanted, columns: &str) {
    // By object there are few rows, wherever they stand: the sign keeps the walk from going by place.
    let order = if wanted.ids.is_empty() { "e.added" } else { "+e.added" };
    let walk = |asked: &mut Asked, kind: Option<&String>| {
        asked.say(&format!("SELECT {columns} FROM intel_entries e WHERE "));
        asked.number("e.collection = ?", collection);
        asked.number(" AND e.added > ?", wanted.after_us);
        if let Some(kind) = kind {
            asked.list(" AND e.type = ", std::slice::from_ref(kind), "");
        }
        rest(asked, wanted);
        asked.number(&format!(" ORDER BY {order} LIMIT ?"), wanted.limit);
    };
    match wanted.types.as_slice() {
        [] => walk(asked, None),
        [one] => walk(asked, Some(one)),
        several => {
            for (at, kind) in several.iter().enumerate() {
                asked.say(if at == 0 { "SELECT * FROM (" } else { " UNION ALL SELECT * FROM (" });
                walk(asked, Some(kind));
                asked.say(")");
            }
            asked.number(" ORDER BY added LIMIT ?", wanted.limit);
        }
    }
}

/// The bodies of a page.
///
/// # Errors
/// The database says no.
pub async fn bodies(
    sql: &mut AnyConnection,
    collection: i64,
    wanted: &Wanted,
) -> Result<Bodies, DbError> {
    match whole(sql, collection, wanted).await? {
        Some(page) => Ok(page),
        None => {
            let fits = fitting(sql, collection, wanted).await?;
            let fewer = Wanted { limit: fits, ..wanted.clone() };
            Ok(joined(sql, collection, &fewer, i64::MAX).await?.unwrap_or_default())
        }
    }
}

async fn whole(
    sql: &mut AnyConnection,
    collection: i64,
    wanted: &Wanted,
) -> Result<Option<Bodies>, DbError> {
    joined(sql, collection, wanted, MAX_PAGE_BYTES).await
}

/// The page, or nothing when its bodies have more than `most_bytes`.
async fn joined(
    sql: &mut AnyConnection,
    collection: i64,
    wanted: &Wanted,
    most_bytes: i64,
) -> Result<Option<Bodies>, DbError> {
    let mut asked = Asked::default();
    asked.say("WITH p AS MATERIALIZED (");
    entries(&mut asked, collection, wanted, "e.added AS added, e.seq AS seq");
    asked.say(
        "), s AS (SELECT COUNT(*) AS held, MIN(p.added) AS first, MAX(p.added) AS last, \
         SUM(octet_length(o.body)) AS size FROM p JOIN intel_objects o ON o.seq = p.seq) \
         SELECT s.held AS held, s.first AS first, s.last AS last, ",
    );
    asked.number("CASE WHEN s.size <= ? THEN ", most_bytes);
    asked.say(
        "(SELECT group_concat(o.body, ',' ORDER BY p.added) FROM p JOIN intel_objects o ON o.seq = p.seq) \
         END AS text, ",
    );
    asked.number(
        "CASE WHEN s.held = ? THEN EXISTS (SELECT 1 FROM intel_entries e WHERE ",
        wanted.limit,
    );
    asked.number("e.collection = ?", collection);
    asked.say(" AND e.added > s.last");
    if !wanted.types.is_empty() {
        asked.list(" AND e.type IN (", &wanted.types, ")");
    }
    rest(&mut asked, wanted);
    asked.say(") ELSE 0 END AS more FROM s");
    let rows = asked.rows(sql).await?;
    let Some(row) = rows.first() else { return Ok(Some(Bodies::default())) };
    let count: i64 = row.try_get("held")?;
    if count == 0 {
        return Ok(Some(Bodies::default()));
    }
    let Some(text) = row.try_get::<Option<String>, _>("text")? else { return Ok(None) };
    let ends_us = Some((row.try_get("first")?, row.try_get("last")?));
    Ok(Some(Bodies { count, ends_us, text, more: row.try_get::<i64, _>("more")? != 0 }))
}

/// How many entries of a page fit into [`MAX_PAGE_BYTES`], at least one.
pub(crate) async fn fitting(
    sql: &mut AnyConnection,
    collection: i64,
    wanted: &Wanted,
) -> Result<i64, DbError> {
    let mut asked = Asked::default();
    asked.say("SELECT octet_length(o.body) FROM (");
    entries(&mut asked, collection, wanted, "e.added AS added, e.seq AS seq");
    asked.say(") p JOIN intel_objects o ON o.seq = p.seq ORDER BY p.added");
    let (mut fits, mut bytes) = (0, 0);
    for row in asked.rows(sql).await? {
        bytes += row.try_get::<i64, _>(0)?;
        if bytes > MAX_PAGE_BYTES {
            break;
        }
        fits += 1;
    }
    Ok(fits.max(1))
}

/// The entries of a page without their bodies, and whether more follow.
///
/// # Errors
/// The database says no.
pub async fn lines(
    sql: &mut AnyConnection,
    collection: i64,
    wanted: &Wanted,
) -> Result<(Vec<Line>, bool), DbError> {
    let mut asked = Asked::default();
    asked.say(
        "SELECT n.id AS id, p.added AS added, p.version AS version, p.spec_version AS spec FROM (",
    );
    let one_more = Wanted { limit: wanted.limit + 1, ..wanted.clone() };
    let columns =
        "e.added AS added, e.node AS node, e.version AS version, e.spec_version AS spec_version";
    entries(&mut asked, collection, &one_more, columns);
    asked.say(") p JOIN intel_nodes n ON n.node = p.node ORDER BY p.added");
    let mut found = Vec::new();
    for row in asked.rows(sql).await? {
        let (added_us, version): (i64, i64) = (row.try_get("added")?, row.try_get("version")?);
        found.push(Line {
            id: row.try_get("id")?,
            added_us,
            version_us: if version == 0 { added_us } else { version },
            spec_version: row.try_get("spec")?,
        });
    }
    let shown = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
    let more = found.len() > shown;
    found.truncate(shown);
    Ok((found, more))
}
