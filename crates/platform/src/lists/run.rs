//! The statements of a list.

use lists::{List, Query, Rarity, Sort, Sql, Value, condition, probes};
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::{AnyConnection, Row};

use super::{MAX_COUNT, PROBE_ROWS};
use crate::db::DbError;

/// What is asked of a list.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The list.
    pub list: &'static List,
    /// The query.
    pub query: &'a Query,
    /// A further condition that the room adds, of its own words only: what the reader may see.
    pub sight: &'a str,
    /// How rare the terms are, from [`rarities`].
    pub known: &'a [Rarity],
    /// The order.
    pub sort: &'static Sort,
    /// The largest first.
    pub down: bool,
}

/// One row of a page: its number, its id, and its key in the order of the list as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Number of the row.
    pub seq: i64,
    /// The thing's id.
    pub id: String,
    /// Key of the order.
    pub key: String,
}

/// Binds and fetches. The text holds words of this program only; what people wrote is bound.
async fn fetch(connection: &mut AnyConnection, sql: Sql) -> Result<Vec<AnyRow>, DbError> {
    let mut query: sqlx::query::Query<'_, sqlx::Any, AnyArguments> =
        sqlx::query(sqlx::AssertSqlSafe(sql.text)).persistent(false);
    for value in sql.values {
        query = match value {
            Value::Text(text) => query.bind(text),
            Value::Whole(number) => query.bind(number),
            Value::Real(number) => query.bind(number),
        };
    }
    Ok(query.fetch_all(connection).await?)
}

/// How rare each term of a query is.
///
/// # Errors
/// The database says no.
pub async fn rarities(
    connection: &mut AnyConnection,
    list: &'static List,
    query: &Query,
) -> Result<Vec<Rarity>, DbError> {
    let asked = probes(query, list, PROBE_ROWS + 1);
    let mut known = vec![Rarity::Common; asked.last().map_or(0, |probe| probe.term + 1)];
    for probe in asked {
        let rows = fetch(connection, probe.sql).await?;
        let held: i64 = rows.first().map(|row| row.try_get(0)).transpose()?.unwrap_or(0);
        if held <= PROBE_ROWS {
            known[probe.term] = Rarity::Rare(held);
        }
    }
    Ok(known)
}

impl Wanted<'_> {
    /// `FROM … WHERE …`.
    pub(super) fn from(&self, sql: &mut Sql) {
        sql.push(" FROM ").push(self.list.table).push(" l WHERE ").push(self.sight).push(" AND ");
        condition(sql, self.query, self.list, self.known);
    }

    /// `ORDER BY …`. A leading term has few rows, which are sorted; then the order's own index must not tempt.
    pub(super) fn order(&self, sql: &mut Sql) {
        let led = self.known.iter().any(|rarity| matches!(rarity, Rarity::Rare(_)));
        let way = if self.down { " DESC" } else { "" };
        sql.push(" ORDER BY ")
            .push(if led { "+l." } else { "l." })
            .push(self.sort.column)
            .push(way);
        sql.push(", l.seq").push(way);
    }

    fn after(&self, sql: &mut Sql, key: &str, seq: i64) -> Result<(), DbError> {
        let value = if self.sort.real {
            key.parse().map(Value::Real).ok()
        } else {
            key.parse().map(Value::Whole).ok()
        };
        let value = value.ok_or_else(|| DbError::corrupt("cursor", "its key is no number"))?;
        let led = self.known.iter().any(|rarity| matches!(rarity, Rarity::Rare(_)));
        let sign = if led { "+" } else { "" };
        sql.push(" AND (").push(sign).push("l.").push(self.sort.column);
        sql.push(", l.seq) ").push(if self.down { "<" } else { ">" }).push(" (");
        sql.bind(value).push(", ").bind(Value::Whole(seq)).push(")");
        Ok(())
    }
}

/// Up to `limit` rows after a place.
///
/// # Errors
/// The database says no.
pub async fn page(
    connection: &mut AnyConnection,
    wanted: &Wanted<'_>,
    after: Option<(&str, i64)>,
    limit: i64,
) -> Result<Vec<Hit>, DbError> {
    let mut sql = Sql::default();
    sql.push("SELECT l.seq, l.id, l.").push(wanted.sort.column);
    wanted.from(&mut sql);
    if let Some((key, seq)) = after {
        wanted.after(&mut sql, key, seq)?;
    }
    wanted.order(&mut sql);
    sql.push(" LIMIT ").bind(Value::Whole(limit));
    let rows = fetch(connection, sql).await?;
    let hit = |row: &AnyRow| -> Result<Hit, DbError> {
        let key = if wanted.sort.real {
            format!("{:?}", row.try_get::<f64, _>(2)?)
        } else {
            row.try_get::<i64, _>(2)?.to_string()
        };
        Ok(Hit { seq: row.try_get(0)?, id: row.try_get(1)?, key })
    };
    rows.iter().map(hit).collect()
}

/// How many rows there are, and whether counting stopped at [`MAX_COUNT`].
///
/// # Errors
/// The database says no.
pub async fn count(
    connection: &mut AnyConnection,
    wanted: &Wanted<'_>,
) -> Result<(u64, bool), DbError> {
    let mut sql = Sql::default();
    sql.push("SELECT COUNT(*) FROM (SELECT 1");
    wanted.from(&mut sql);
    sql.push(" LIMIT ").bind(Value::Whole(MAX_COUNT + 1)).push(")");
    let rows = fetch(connection, sql).await?;
    let held: i64 = rows.first().map(|row| row.try_get(0)).transpose()?.unwrap_or(0);
    Ok((held.min(MAX_COUNT).unsigned_abs(), held > MAX_COUNT))
}

/// The ids of all rows, up to `most`, for work on all that match.
///
/// # Errors
/// The database says no.
pub async fn snapshot(
    connection: &mut AnyConnection,
    wanted: &Wanted<'_>,
    most: i64,
) -> Result<Vec<Hit>, DbError> {
    page(connection, wanted, None, most).await
}

/// Values of a column, or marks of a kind, among the first rows, with how often.
///
/// # Errors
/// The database says no.
pub(super) async fn values(
    connection: &mut AnyConnection,
    wanted: &Wanted<'_>,
    facet: Source,
    (rows, values): (i64, i64),
) -> Result<Vec<(String, i64)>, DbError> {
    let mut sql = Sql::default();
    match facet {
        Source::Column(column) => {
            sql.push("SELECT CAST(v AS TEXT), COUNT(*) AS n FROM (SELECT l.").push(column);
            sql.push(" AS v");
        }
        Source::Mark(kind) => {
            sql.push("SELECT m.value, COUNT(*) AS n FROM ").push(wanted.list.marks);
            sql.push(" m WHERE m.kind = '").push(kind).push("' AND m.seq IN (SELECT l.seq");
        }
    }
    wanted.from(&mut sql);
    wanted.order(&mut sql);
    sql.push(" LIMIT ").bind(Value::Whole(rows));
    sql.push(") GROUP BY 1 ORDER BY n DESC, 1 LIMIT ").bind(Value::Whole(values));
    let rows = fetch(connection, sql).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Where the values of a facet stand.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// A column of the row.
    Column(&'static str),
    /// A kind of mark.
    Mark(&'static str),
}
