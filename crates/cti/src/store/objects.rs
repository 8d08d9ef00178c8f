//! STIX objects by version, and their place in collections.

use platform::db::DbError;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};
use stix::{Object, Tlp};

use crate::taxii::filter::{Filter, Versions};

/// Whether an object was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Put {
    /// This version was not there.
    New,
    /// This version was there with the same content.
    Same,
    /// This version was there with other content, which is kept.
    Different,
}

/// The version key of an object, microseconds UTC; 0 for what has no versions.
pub(crate) fn version_key(object: &Object) -> i64 {
    object.version().map_or(0, stix::Timestamp::unix_us)
}

/// Stores one version, once.
pub(crate) async fn put(
    sql: &mut AnyConnection,
    object: &Object,
    origin: &str,
    now_us: i64,
) -> Result<Put, DbError> {
    let body = object.to_json();
    let done = sqlx::query(
        "INSERT INTO cti_objects (id, version, type, created, modified, revoked, spec_version, tlp, \
         origin, body, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (id, version) DO NOTHING",
    )
    .bind(object.id_text())
    .bind(version_key(object))
    .bind(object.kind())
    .bind(object.created().map(stix::Timestamp::unix_us))
    .bind(object.modified().map(stix::Timestamp::unix_us))
    .bind(i64::from(object.is_revoked()))
    .bind(object.text("spec_version").unwrap_or("2.1"))
    .bind(Tlp::of(object).map(Tlp::label))
    .bind(origin)
    .bind(body)
    .bind(now_us)
    .execute(&mut *sql)
    .await?;
    if done.rows_affected() == 1 {
        return Ok(Put::New);
    }
    let known = get(sql, object.id_text(), version_key(object)).await?;
    Ok(if known.as_ref() == Some(object) { Put::Same } else { Put::Different })
}

/// One version of an object.
pub(crate) async fn get(
    sql: &mut AnyConnection,
    id: &str,
    version: i64,
) -> Result<Option<Object>, DbError> {
    let row = sqlx::query("SELECT body FROM cti_objects WHERE id = $1 AND version = $2")
        .bind(id)
        .bind(version)
        .fetch_optional(sql)
        .await?;
    row.map(|row| body(&row)).transpose()
}

fn body(row: &AnyRow) -> Result<Object, DbError> {
    let text: String = row.try_get("body")?;
    Ok(Object::from_map(super::json(&text, "cti_objects.body")?))
}

/// Puts one version into a collection, once; later than everything that is in it.
pub(crate) async fn add_to_collection(
    sql: &mut AnyConnection,
    collection: &str,
    object: &Object,
    now_us: i64,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO cti_collection_objects (collection, object, version, date_added) \
         VALUES ($1, $2, $3, (SELECT CASE WHEN COALESCE(MAX(date_added), 0) >= $4 \
           THEN MAX(date_added) + 1 ELSE $4 END FROM cti_collection_objects WHERE collection = $1)) \
         ON CONFLICT (collection, object, version) DO NOTHING",
    )
    .bind(collection)
    .bind(object.id_text())
    .bind(version_key(object))
    .bind(now_us)
    .execute(sql)
    .await?;
    Ok(())
}

/// One object in a collection.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    /// The id.
    pub(crate) id: String,
    /// The version as TAXII shows it, microseconds UTC: `date_added` for cyber observables.
    pub(crate) version_us: i64,
    /// When it was added to the collection, microseconds UTC.
    pub(crate) added_us: i64,
    /// The STIX version of the object.
    pub(crate) spec_version: String,
    /// The object.
    pub(crate) object: Object,
}

/// Up to `limit` members of a collection after `after_us`, in the order in which they were added.
pub(crate) async fn members(
    sql: &mut AnyConnection,
    collection: &str,
    filter: &Filter,
    limit: i64,
) -> Result<Vec<Member>, DbError> {
    let mut text = String::from(
        "SELECT c.date_added AS added, o.id AS id, o.version AS version, o.spec_version AS spec, \
         o.body AS body FROM cti_collection_objects c JOIN cti_objects o \
         ON o.id = c.object AND o.version = c.version WHERE c.collection = $1 AND c.date_added > $2",
    );
    let mut texts: Vec<&str> = Vec::new();
    for (column, values) in [
        ("o.id", &filter.ids),
        ("o.type", &filter.types),
        ("o.spec_version", &filter.spec_versions),
    ] {
        if !values.is_empty() {
            let first = texts.len() + 3;
            let marks: Vec<String> =
                (first..first + values.len()).map(|n| format!("${n}")).collect();
            text.push_str(&format!(" AND {column} IN ({})", marks.join(", ")));
            texts.extend(values.iter().map(String::as_str));
        }
    }
    // Numbers below are this program's own, never input.
    text.push_str(&versions_clause(&filter.versions));
    text.push_str(&format!(" ORDER BY c.date_added LIMIT {limit}"));
    let mut query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(collection).bind(filter.after_us);
    for value in texts {
        query = query.bind(value.to_owned());
    }
    let rows = query.fetch_all(sql).await?;
    rows.iter().map(member).collect()
}

fn versions_clause(versions: &Versions) -> String {
    let extreme = |function: &str| {
        format!(
            "c.version = (SELECT {function}(x.version) FROM cti_collection_objects x \
             WHERE x.collection = c.collection AND x.object = c.object)"
        )
    };
    let mut any = Vec::new();
    match versions {
        Versions::All => return String::new(),
        Versions::Only { first, last, exact_us } => {
            if *first {
                any.push(extreme("MIN"));
            }
            if *last {
                any.push(extreme("MAX"));
            }
            for us in exact_us {
                any.push(format!("c.version = {us} OR (c.version = 0 AND c.date_added = {us})"));
            }
        }
    }
    format!(" AND ({})", any.join(" OR "))
}

fn member(row: &AnyRow) -> Result<Member, DbError> {
    let (version, added_us): (i64, i64) = (row.try_get("version")?, row.try_get("added")?);
    Ok(Member {
        id: row.try_get("id")?,
        version_us: if version == 0 { added_us } else { version },
        added_us,
        spec_version: row.try_get("spec")?,
        object: body(row)?,
    })
}

/// The newest version of an object, microseconds UTC; 0 where none is stored.
pub(crate) async fn newest(sql: &mut AnyConnection, id: &str) -> Result<i64, DbError> {
    let row = sqlx::query("SELECT COALESCE(MAX(version), 0) FROM cti_objects WHERE id = $1")
        .bind(id)
        .fetch_one(sql)
        .await?;
    Ok(row.try_get(0)?)
}

/// How many objects are stored.
pub(crate) async fn count(sql: &mut AnyConnection) -> Result<i64, DbError> {
    Ok(sqlx::query("SELECT COUNT(*) FROM cti_objects").fetch_one(sql).await?.try_get(0)?)
}
