//! What a query finds, as one statement over the newest versions (or those known at a time).

use platform::db::DbError;
use sqlx::{AnyConnection, Row};

use super::parse::{Compare, Field, Query};
use crate::graph::IN_SIGHT_IN_ORDER;
use crate::objects::{COLUMNS, Stored, stored};
use crate::sight::Sight;
use crate::terms::normal;

/// Objects on a page at most.
pub const MAX_LIMIT: i64 = 1_000;
/// Objects counted at most: beyond, the answer is "more than".
pub const MAX_COUNT: i64 = 10_000;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'q> {
    /// The query.
    pub query: &'q Query,
    /// Who asks.
    pub sight: Sight,
    /// As known then, microseconds UTC; `None` is now. Words are those of the newest versions.
    pub at_us: Option<i64>,
    /// Go on below this row (from the last answer).
    pub before_seq: Option<i64>,
    /// Objects on the page.
    pub limit: i64,
    /// Whether to count all and by type.
    pub count: bool,
}

/// One object found.
pub type Hit = Stored;

/// A page of what was found, what became known last first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The objects.
    pub hits: Vec<Hit>,
    /// Where to go on.
    pub next_seq: Option<i64>,
    /// By type, the most first, where asked for; the sum stops at [`MAX_COUNT`].
    pub by_type: Vec<(String, i64)>,
    /// Whether there are more than were counted.
    pub more_than_counted: bool,
}

enum Bound {
    Text(String),
    Number(i64),
}

/// A condition being written, for one who may see this much of what was known at this time.
struct Condition {
    text: String,
    bound: Vec<Bound>,
    most: i64,
    at_us: i64,
}

impl Condition {
    fn new(wanted: &Wanted<'_>) -> Self {
        let at_us = wanted.at_us.unwrap_or(i64::MAX);
        Self { text: String::new(), bound: vec![], most: wanted.sight.most(), at_us }
    }

    fn bind(&mut self, value: Bound) {
        self.text.push('?');
        self.bound.push(value);
    }

    fn with(&mut self, before: &str, value: Bound, after: &str) {
        self.text.push_str(before);
        self.bind(value);
        self.text.push_str(after);
    }

    fn joined(&mut self, queries: &[Query], word: &str) {
        self.text.push('(');
        for (at, query) in queries.iter().enumerate() {
            if at > 0 {
                self.text.push_str(word);
            }
            self.query(query);
        }
        self.text.push(')');
    }

    fn query(&mut self, query: &Query) {
        match query {
            Query::All => self.text.push_str("1 = 1"),
            Query::And(all) => self.joined(all, " AND "),
            Query::Or(any) => self.joined(any, " OR "),
            Query::Not(inner) => {
                self.text.push_str("NOT ");
                self.joined(std::slice::from_ref(inner), "");
            }
            Query::Words { text, prefix } => self.words(&phrase(text, *prefix)),
            Query::Text(field, value) => self.field(*field, value),
            Query::Number(field, compare, number) => self.number(*field, *compare, *number),
        }
    }

    fn words(&mut self, expression: &str) {
        let bound = Bound::Text(expression.to_owned());
        self.with("o.node IN (SELECT rowid FROM intel_text WHERE intel_text MATCH ", bound, ")");
    }

    fn number(&mut self, field: Field, compare: Compare, number: i64) {
        let column = match field {
            Field::Tlp => "o.tlp",
            Field::Confidence => "o.confidence",
            Field::Created => "o.created",
            Field::Modified => "o.modified",
            _ => "o.recorded_at",
        };
        let sign = match compare {
            Compare::Is => " = ",
            Compare::Below => " < ",
            Compare::AtMost => " <= ",
            Compare::Above => " > ",
            Compare::AtLeast => " >= ",
        };
        // What carries no such number does not hold, and its contrary does.
        self.text.push_str("COALESCE(");
        self.with(&format!("{column}{sign}"), Bound::Number(number), ", 0)");
    }

    fn field(&mut self, field: Field, value: &str) {
        let text = || Bound::Text(value.to_owned());
        match field {
            Field::Type => self.with("o.type = ", text(), ""),
            Field::Id => self.with("n.id = ", text(), ""),
            Field::Name => self.words(&format!("name : {}", phrase(value, false))),
            Field::Label | Field::Reference => {
                self.words(&format!("tags : {}", phrase(value, false)));
            }
            Field::Value => {
                let value = Bound::Text(normal(value));
                self.with(
                    "o.node IN (SELECT m.node FROM intel_terms t JOIN intel_marks m ON m.term = t.term \
                     WHERE t.value = ",
                    value,
                    ")",
                );
            }
            Field::Source => {
                self.with(
                    "o.seq IN (SELECT d.seq FROM intel_said d JOIN intel_sources s \
                     ON s.source = d.source WHERE s.name = ",
                    text(),
                    " OR s.key = ",
                );
                self.bind(text());
                self.text.push(')');
            }
            Field::Related => {
                self.text.push_str("o.node IN (");
                self.ends("target", "origin", value);
                self.text.push_str(" UNION ");
                self.ends("origin", "target", value);
                self.text.push(')');
            }
            _ if value == "revoked" => self.text.push_str("o.revoked = 1"),
            _ => self.text.push_str("o.type LIKE 'x-%'"),
        }
    }

    /// The far ends of an object's relations, of those in sight.
    fn ends(&mut self, far: &str, near: &str, id: &str) {
        self.with(
            &format!(
                "SELECT e.{far} FROM intel_edges e WHERE e.{near} = (SELECT node FROM intel_nodes WHERE id = "
            ),
            Bound::Text(id.to_owned()),
            &format!(") AND {IN_SIGHT_IN_ORDER}"),
        );
        self.bound.extend([self.most, self.at_us, self.at_us, self.most].map(Bound::Number));
    }

    /// Newest versions, or those known at a time, that the asker may see.
    fn frame(&mut self, wanted: &Wanted<'_>) {
        self.with("o.tlp <= ", Bound::Number(self.most), "");
        match wanted.at_us {
            None => self.text.push_str(" AND o.superseded_at IS NULL AND "),
            Some(at) => {
                self.with(" AND o.recorded_at <= ", Bound::Number(at), "");
                self.with(
                    " AND (o.superseded_at IS NULL OR o.superseded_at > ",
                    Bound::Number(at),
                    ") AND ",
                );
                // Its newest version says who may still know of it, and its words and values are what is searched.
                self.with(
                    "NOT EXISTS (SELECT 1 FROM intel_objects h WHERE h.node = o.node \
                     AND h.superseded_at IS NULL AND h.tlp > ",
                    Bound::Number(self.most),
                    ") AND ",
                );
            }
        }
        self.query(wanted.query);
    }
}

/// Words as FTS5 takes them: quoted, so that no sign of its own language gets through.
fn phrase(text: &str, prefix: bool) -> String {
    let star = if prefix { "*" } else { "" };
    format!("\"{}\"{star}", text.replace('"', "\"\""))
}

/// Finds what is wanted.
///
/// # Errors
/// The database says no.
pub async fn run(sql: &mut AnyConnection, wanted: &Wanted<'_>) -> Result<Found, DbError> {
    let limit = wanted.limit.clamp(1, MAX_LIMIT);
    let mut page = Condition::new(wanted);
    page.frame(wanted);
    page.with(" AND o.seq < ", Bound::Number(wanted.before_seq.unwrap_or(i64::MAX)), "");
    let text = format!(
        "SELECT {COLUMNS} FROM intel_objects o JOIN intel_nodes n ON n.node = o.node \
         WHERE {} ORDER BY o.seq DESC LIMIT {}",
        page.text,
        limit + 1
    );
    let rows = bound(&text, page.bound).fetch_all(&mut *sql).await?;
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut hits: Vec<Hit> = rows.iter().take(most).map(stored).collect::<Result<_, _>>()?;
    let next_seq = (rows.len() > most).then(|| hits.last().map(|hit| hit.seq)).flatten();
    hits.shrink_to_fit();
    let mut found = Found { hits, next_seq, by_type: vec![], more_than_counted: false };
    if wanted.count {
        let mut all = Condition::new(wanted);
        all.frame(wanted);
        let text = format!(
            "SELECT type, COUNT(*) AS held FROM (SELECT o.type AS type FROM intel_objects o \
             JOIN intel_nodes n ON n.node = o.node WHERE {} LIMIT {}) x \
             GROUP BY type ORDER BY held DESC, type",
            all.text,
            MAX_COUNT + 1
        );
        for row in bound(&text, all.bound).fetch_all(&mut *sql).await? {
            found.by_type.push((row.try_get(0)?, row.try_get(1)?));
        }
        let sum: i64 = found.by_type.iter().map(|(_, held)| held).sum();
        found.more_than_counted = sum > MAX_COUNT;
    }
    Ok(found)
}

fn bound(
    text: &str,
    values: Vec<Bound>,
) -> sqlx::query::Query<'static, sqlx::Any, sqlx::any::AnyArguments> {
    // The text is put together of this program's own words; what people wrote is bound.
    let mut query = sqlx::query(sqlx::AssertSqlSafe(text.to_owned())).persistent(false);
    for value in values {
        query = match value {
            Bound::Text(text) => query.bind(text),
            Bound::Number(number) => query.bind(number),
        };
    }
    query
}
