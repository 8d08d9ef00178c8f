//! Which events share values, computed when it is asked: no pairs are stored.

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::attributes::{Attribute, attribute};

/// Values of one event that are looked up.
const MAX_VALUES: i64 = 5_000;
/// Attributes in sight with one value: a value with more correlates with everything and tells nothing.
const MAX_SHARED: i64 = 100;
/// Events, or attributes, that are told.
const MAX_TOLD: i64 = 500;

/// Types whose values are alike by chance.
macro_rules! by_chance {
    () => {
        "('comment', 'http-method', 'aba-rtn', 'gender', 'counter', 'float', 'port', 'nationality', 'cortex', 'boolean', \
         'anonymised', 'size-in-bytes', 'datetime', 'other')"
    };
}

/// Whether an attribute `a` takes part.
macro_rules! takes_part {
    ($a:literal) => {
        concat!(
            $a,
            ".deleted = 0 AND ",
            $a,
            ".type NOT IN ",
            by_chance!(),
            " AND COALESCE(CAST(json_extract(",
            $a,
            ".body, '$.disable_correlation') AS TEXT), '0') IN ('0', 'false', '')"
        )
    };
}

/// The values of the event (or attribute) that correlate: `$1` its number, `$2` the highest rank of TLP. Counted is only
/// what is in sight, so that a limit tells nothing of the rest.
macro_rules! shared {
    ($column:literal) => {
        concat!(
            "FROM (SELECT DISTINCT a.lower AS lower FROM misphub_attributes a WHERE a.",
            $column,
            " = $1 AND ",
            takes_part!("a"),
            " AND NOT EXISTS (SELECT 1 FROM misphub_exclusions x WHERE x.lower = a.lower) LIMIT $3) v \
             JOIN misphub_attributes b ON b.lower = v.lower JOIN misphub_events e ON e.id = b.event \
             WHERE e.tlp <= $2 AND ",
            takes_part!("b"),
            " AND (SELECT COUNT(*) FROM (SELECT 1 FROM misphub_attributes c JOIN misphub_events d ON d.id = c.event \
             WHERE c.lower = v.lower AND c.deleted = 0 AND d.tlp <= $2 LIMIT $4)) < $4 "
        )
    };
}

/// Numbers of the events in sight that share a value with this one, newest first.
pub(crate) async fn events(
    sql: &mut AnyConnection,
    event: i64,
    most: i64,
) -> Result<Vec<i64>, DbError> {
    let text = concat!(
        "SELECT DISTINCT b.event ",
        shared!("event"),
        "AND b.event <> $1 ORDER BY b.event DESC LIMIT $5"
    );
    let rows = asked(sql, text, event, most).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// Attributes of other events in sight with the value of this one.
pub(crate) async fn attributes(
    sql: &mut AnyConnection,
    of: &Attribute,
    most: i64,
) -> Result<Vec<Attribute>, DbError> {
    let text = concat!("SELECT b.* ", shared!("id"), "AND b.id <> $1 ORDER BY b.id LIMIT $5");
    let rows = asked(sql, text, of.id, most).await?;
    let mut found = Vec::with_capacity(rows.len());
    for row in &rows {
        found.push(attribute(row)?);
    }
    found.retain(|other| other.event != of.event);
    Ok(found)
}

async fn asked(
    sql: &mut AnyConnection,
    text: &'static str,
    id: i64,
    most: i64,
) -> Result<Vec<AnyRow>, DbError> {
    let query = sqlx::query(text).bind(id).bind(most).bind(MAX_VALUES).bind(MAX_SHARED);
    Ok(query.bind(MAX_TOLD).fetch_all(sql).await?)
}

/// A value that is left out.
pub(crate) struct Exclusion {
    pub(crate) id: i64,
    pub(crate) value: String,
    pub(crate) comment: String,
}

/// Takes a value out of the correlation; its number.
pub(crate) async fn exclude(
    sql: &mut AnyConnection,
    value: &str,
    comment: &str,
) -> Result<i64, DbError> {
    let row = sqlx::query(
        "INSERT INTO misphub_exclusions (lower, value, comment) VALUES ($1, $2, $3) \
         ON CONFLICT (lower) DO UPDATE SET comment = excluded.comment RETURNING id",
    )
    .bind(value.to_lowercase())
    .bind(value)
    .bind(comment)
    .fetch_one(sql)
    .await?;
    Ok(row.try_get(0)?)
}

/// Values that are left out, by number, at most ten thousand.
pub(crate) async fn exclusions(sql: &mut AnyConnection) -> Result<Vec<Exclusion>, DbError> {
    let rows = sqlx::query("SELECT * FROM misphub_exclusions ORDER BY id LIMIT 10000")
        .fetch_all(sql)
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Exclusion {
                id: row.try_get("id")?,
                value: row.try_get("value")?,
                comment: row.try_get("comment")?,
            })
        })
        .collect()
}

/// Takes an exclusion back; false when there is none.
pub(crate) async fn include(sql: &mut AnyConnection, id: i64) -> Result<bool, DbError> {
    let done = sqlx::query("DELETE FROM misphub_exclusions WHERE id = $1").bind(id).execute(sql);
    Ok(done.await?.rows_affected() == 1)
}
