//! Entries of a collection with all that is needed to judge each of them before it goes to somebody else.

use platform::db::DbError;
use sqlx::{AnyConnection, Row};

use crate::outgoing::RANK;
use crate::pages::{Asked, Line, Wanted, entries, fitting};
use crate::sources::SourceId;

/// An entry with its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is and where it stands.
    pub line: Line,
    /// Whether it is the newest version of its object in the collection.
    pub is_last: bool,
    /// The rank that holds: its own, or that of the newest version where it is stricter.
    pub tlp: i64,
    /// Who said it first.
    pub source: SourceId,
    /// Whether the one who asks said this very version.
    pub said: bool,
    /// The object's JSON text.
    pub body: String,
}

/// The entries of a page, fewer where their bodies are many, and whether more follow. `asker` is the source of who asks.
///
/// # Errors
/// The database says no.
pub async fn whole(
    sql: &mut AnyConnection,
    collection: i64,
    wanted: &Wanted,
    asker: Option<SourceId>,
) -> Result<(Vec<Entry>, bool), DbError> {
    let fits = fitting(sql, collection, wanted).await?;
    let mut asked = Asked::default();
    asked.say(
        "SELECT n.id AS id, p.added AS added, p.version AS version, p.spec_version AS spec, \
         p.is_last AS is_last, o.source AS source, o.body AS body, ",
    );
    asked.say(RANK);
    asked.number(
        ", EXISTS (SELECT 1 FROM intel_said s WHERE s.seq = p.seq AND s.source = ?) AS said FROM (",
        asker.unwrap_or(-1),
    );
    let one_more = Wanted { limit: fits + 1, ..wanted.clone() };
    let columns = "e.added AS added, e.node AS node, e.version AS version, \
        e.spec_version AS spec_version, e.is_last AS is_last, e.seq AS seq";
    entries(&mut asked, collection, &one_more, columns);
    asked.say(
        ") p JOIN intel_objects o ON o.seq = p.seq JOIN intel_nodes n ON n.node = p.node ORDER BY p.added",
    );
    let mut found = Vec::new();
    for row in asked.rows(sql).await? {
        let (added_us, version): (i64, i64) = (row.try_get("added")?, row.try_get("version")?);
        found.push(Entry {
            line: Line {
                id: row.try_get("id")?,
                added_us,
                version_us: if version == 0 { added_us } else { version },
                spec_version: row.try_get("spec")?,
            },
            is_last: row.try_get::<i64, _>("is_last")? != 0,
            tlp: row.try_get("tlp")?,
            source: row.try_get("source")?,
            said: row.try_get::<i64, _>("said")? != 0,
            body: row.try_get("body")?,
        });
    }
    let shown = usize::try_from(fits).unwrap_or(usize::MAX);
    let more = found.len() > shown;
    found.truncate(shown);
    Ok((found, more))
}
