//! A query as a condition over the read model of a list (alias `l`), with everything that people wrote as parameters.
//!
//! A database without statistics guesses which index to use, and guesses badly where most rows are alike. So the list
//! asks first how rare each term is ([`probes`], bounded), and the condition is written for the answer: the rarest term
//! leads through its index, every other one is hidden from the indexes by a `+` sign, and without a rare term the rows
//! are walked in the order of the list, where the page is full soon.

use crate::field::List;
use crate::parse::{Query, Term};
use crate::value::Test;

/// A parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number, rank, or time in microseconds.
    Whole(i64),
    /// A number.
    Real(f64),
}

/// A statement or a part of one, with the values of `$1`, `$2` …
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sql {
    /// Words of this program only.
    pub text: String,
    /// What people wrote.
    pub values: Vec<Value>,
}

impl Sql {
    /// Adds words of this program.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a parameter.
    pub fn bind(&mut self, value: Value) -> &mut Self {
        self.values.push(value);
        self.text.push('$');
        self.text.push_str(&self.values.len().to_string());
        self
    }

    fn texts(&mut self, any: &[String]) {
        for (at, text) in any.iter().enumerate() {
            self.push(if at == 0 { "(" } else { ", " }).bind(Value::Text(text.clone()));
        }
        self.push(")");
    }
}

/// How rare a term is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rarity {
    /// Few rows hold it: it may lead.
    Rare(i64),
    /// Many do, or nobody knows.
    Common,
}

/// A question how many rows hold the term `term` of the query, up to a bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// Which of the terms that must all hold.
    pub term: usize,
    /// `SELECT COUNT(*) …`.
    pub sql: Sql,
}

/// The terms that must all hold.
fn terms(query: &Query) -> &[Query] {
    match query {
        Query::All => &[],
        Query::And(all) => all,
        other => std::slice::from_ref(other),
    }
}

/// What should be asked before the query is run; `most` rows are counted at most.
#[must_use]
pub fn probes(query: &Query, list: &List, most: i64) -> Vec<Probe> {
    let mut asked = Vec::new();
    for (term, query) in terms(query).iter().enumerate() {
        let mut sql = Sql::default();
        sql.push("SELECT COUNT(*) FROM (SELECT 1 FROM ");
        let probed = match query {
            Query::Words { text, prefix, .. } => {
                sql.push(list.text).push(" WHERE ").push(list.text).push(" MATCH ");
                sql.bind(Value::Text(phrase(text, *prefix)));
                true
            }
            Query::Term(Term { test: Test::Phrases { column, any }, .. }) => {
                sql.push(list.text).push(" WHERE ").push(list.text).push(" MATCH ");
                sql.bind(Value::Text(phrases(column, any)));
                true
            }
            Query::Term(Term { test: Test::Marks { kind, any }, .. }) => {
                sql.push(list.marks).push(" WHERE kind = '").push(kind).push("' AND value IN ");
                sql.texts(any);
                true
            }
            Query::Term(Term {
                test: test @ (Test::Texts { .. } | Test::Wholes { .. } | Test::Reals { .. }),
                ..
            }) => {
                sql.push(list.table).push(" l WHERE ");
                simple(&mut sql, test, "");
                true
            }
            _ => false,
        };
        if probed {
            sql.push(" LIMIT ").bind(Value::Whole(most)).push(")");
            asked.push(Probe { term, sql });
        }
    }
    asked
}

/// The condition, behind what `sql` holds already. `known`: how rare each term is, in the order of the terms that must
/// all hold; what is missing counts as common.
pub fn condition(sql: &mut Sql, query: &Query, list: &List, known: &[Rarity]) {
    let leader = known
        .iter()
        .enumerate()
        .filter_map(|(at, rarity)| match rarity {
            Rarity::Rare(rows) => Some((*rows, at)),
            Rarity::Common => None,
        })
        .min()
        .map(|(_, at)| at);
    let all = terms(query);
    if all.is_empty() {
        sql.push("1 = 1");
        return;
    }
    for (at, term) in all.iter().enumerate() {
        if at > 0 {
            sql.push(" AND ");
        }
        let rare = matches!(known.get(at), Some(Rarity::Rare(_)));
        let style = Style { leads: leader == Some(at), rare };
        write(sql, term, list, style);
    }
}

/// How a term is written.
#[derive(Clone, Copy)]
struct Style {
    /// May use an index.
    leads: bool,
    /// Few rows hold it, so that their set is made once.
    rare: bool,
}

const COMMON: Style = Style { leads: false, rare: false };

fn write(sql: &mut Sql, query: &Query, list: &List, style: Style) {
    match query {
        Query::All => {
            sql.push("1 = 1");
        }
        Query::And(all) => joined(sql, all, " AND ", list),
        Query::Or(any) => joined(sql, any, " OR ", list),
        Query::Not(inner) => {
            sql.push("NOT (");
            write(sql, inner, list, COMMON);
            sql.push(")");
        }
        Query::Words { text, prefix, .. } => matching(sql, phrase(text, *prefix), list, style),
        Query::Term(Term { test, .. }) => match test {
            Test::Phrases { column, any } => matching(sql, phrases(column, any), list, style),
            Test::Marks { kind, any } => {
                if style.rare {
                    sql.push(if style.leads { "l.seq" } else { "+l.seq" });
                    sql.push(" IN (SELECT seq FROM ").push(list.marks).push(" WHERE kind = '");
                } else {
                    sql.push("EXISTS (SELECT 1 FROM ").push(list.marks);
                    sql.push(" m WHERE m.seq = l.seq AND m.kind = '");
                }
                sql.push(kind).push("' AND value IN ");
                sql.texts(any);
                sql.push(")");
            }
            test => simple(sql, test, if style.leads { "" } else { "+" }),
        },
    }
}

fn joined(sql: &mut Sql, queries: &[Query], word: &str, list: &List) {
    sql.push("(");
    for (at, query) in queries.iter().enumerate() {
        if at > 0 {
            sql.push(word);
        }
        write(sql, query, list, COMMON);
    }
    sql.push(")");
}

/// Of few rows the set is made once; of many each row is looked up, as the page is full soon.
fn matching(sql: &mut Sql, expression: String, list: &List, style: Style) {
    if style.rare {
        sql.push(if style.leads { "l.seq" } else { "+l.seq" });
        sql.push(" IN (SELECT rowid FROM ").push(list.text).push(" WHERE ");
        sql.push(list.text).push(" MATCH ").bind(Value::Text(expression)).push(")");
    } else {
        sql.push("EXISTS (SELECT 1 FROM ").push(list.text).push(" WHERE ").push(list.text);
        sql.push(" MATCH ").bind(Value::Text(expression)).push(" AND rowid = l.seq)");
    }
}

/// Tests of columns of the row itself. `sign` before a column keeps the database from its index.
fn simple(sql: &mut Sql, test: &Test, sign: &str) {
    match test {
        Test::Texts { column, any } => {
            sql.push(sign).push("l.").push(column).push(" IN ");
            sql.texts(any);
        }
        Test::Wholes { column, any } => {
            any_of(sql, any, |sql, (from, to)| span(sql, sign, column, *from, *to));
        }
        Test::Reals { column, any } => any_of(sql, any, |sql, (from, to)| {
            let mut first = true;
            for (end, closed, open) in [(from, " >= ", " > "), (to, " <= ", " < ")] {
                let Some((at, belongs)) = end else { continue };
                if !first {
                    sql.push(" AND ");
                }
                first = false;
                sql.push(sign).push("l.").push(column);
                sql.push(if *belongs { closed } else { open }).bind(Value::Real(*at));
            }
        }),
        Test::Flags(any) => any_of(sql, any, |sql, condition| {
            sql.push(condition);
        }),
        Test::Marks { .. } | Test::Phrases { .. } => {
            sql.push("1 = 1");
        }
    }
}

fn span(sql: &mut Sql, sign: &str, column: &str, from: i64, to: i64) {
    sql.push(sign).push("l.").push(column);
    if from == to {
        sql.push(" = ").bind(Value::Whole(from));
    } else if from == i64::MIN {
        sql.push(" <= ").bind(Value::Whole(to));
    } else if to == i64::MAX {
        sql.push(" >= ").bind(Value::Whole(from));
    } else {
        sql.push(" BETWEEN ").bind(Value::Whole(from)).push(" AND ").bind(Value::Whole(to));
    }
}

fn any_of<T>(sql: &mut Sql, any: &[T], mut one: impl FnMut(&mut Sql, &T)) {
    for (at, item) in any.iter().enumerate() {
        sql.push(if at == 0 { "((" } else { " OR (" });
        one(sql, item);
        sql.push(")");
    }
    sql.push(")");
}

/// Words as FTS5 takes them: quoted, so that no sign of its own language gets through.
fn phrase(text: &str, prefix: bool) -> String {
    let star = if prefix { "*" } else { "" };
    format!("\"{}\"{star}", text.replace('"', "\"\""))
}

fn phrases(column: &str, any: &[(String, bool)]) -> String {
    let any: Vec<String> = any.iter().map(|(text, prefix)| phrase(text, *prefix)).collect();
    format!("{{{column}}} : ({})", any.join(" OR "))
}

/// Reads, prints, reads again, writes the SQL; panics where a law of the crate does not hold.
#[doc(hidden)]
#[allow(clippy::panic)]
pub fn fuzz_query(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let list = &crate::sample::LIST;
    let asker = crate::Asker { now_us: 1_700_000_000_000_000, me: "ana" };
    let query = match crate::parse(text, list, asker) {
        Ok(query) => query,
        Err(error) => {
            assert!(error.at >= 1 && error.at <= text.chars().count() + 1, "{text:?}: {error}");
            return;
        }
    };
    let printed = crate::print(&query, list);
    // A printed query may be longer than a written one, never more than by its brackets and quotes.
    if printed.len() <= crate::MAX_QUERY_BYTES {
        match crate::parse(&printed, list, asker) {
            Ok(again) => assert_eq!(again, query, "{text:?} printed {printed:?}"),
            Err(error) => panic!("{text:?} printed {printed:?}: {error}"),
        }
    }
    let mut sql = Sql::default();
    condition(&mut sql, &query, list, &[]);
    assert_eq!(sql.text.matches('$').count(), sql.values.len(), "{}", sql.text);
    let own = |sign: char| sign.is_ascii_alphanumeric() || " .,()<>=$_+'*".contains(sign);
    assert!(sql.text.chars().all(own), "a character of {text:?} in {}", sql.text);
    let quotes = sql.text.matches('\'').count();
    assert_eq!(quotes % 2, 0, "{}", sql.text);
}
