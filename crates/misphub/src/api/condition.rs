//! A condition over attributes and events as it is written: bounded in depth and length, whatever is asked.

use futures::TryStreamExt;
use serde_json::Value;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use crate::error::MispError;
use crate::fields::{Fields, texts};

/// Values of one filter.
const MAX_VALUES: usize = 500;

/// Wanted and unwanted values of one filter: a value, a list, `!value`, or `{"OR", "AND", "NOT"}`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) any: Vec<String>,
    pub(crate) all: Vec<String>,
    pub(crate) none: Vec<String>,
}

impl Filter {
    pub(crate) fn read(fields: &Fields, name: &str) -> Result<Self, MispError> {
        let mut filter = Self::default();
        if let Some(Value::Object(parts)) = fields.get(name) {
            filter.any = texts(parts, "OR");
            filter.all = texts(parts, "AND");
            filter.none = texts(parts, "NOT");
        } else {
            for value in texts(fields, name) {
                match value.strip_prefix('!') {
                    Some(unwanted) => filter.none.push(unwanted.to_owned()),
                    None => filter.any.extend(value.split("||").map(str::to_owned)),
                }
            }
        }
        let count = filter.any.len() + filter.all.len() + filter.none.len();
        if count > MAX_VALUES {
            let text = format!("`{name}` has {count} values, the limit is {MAX_VALUES}");
            return Err(MispError::bad_request(text));
        }
        for value in filter.any.iter().chain(&filter.all).chain(&filter.none) {
            if is_pattern(value) {
                check_pattern(name, value)?;
            }
        }
        Ok(filter)
    }
}

/// Longest pattern with `%`, bytes: SQLite compares no longer ones.
const MAX_PATTERN_BYTES: usize = 10_000;

/// Refuses patterns that are too long to be compared.
pub(crate) fn check_pattern(name: &str, pattern: &str) -> Result<(), MispError> {
    if pattern.len() <= MAX_PATTERN_BYTES {
        return Ok(());
    }
    let text = format!(
        "`{name}` has a pattern of {} bytes, the limit is {MAX_PATTERN_BYTES}; leave the % out",
        pattern.len()
    );
    Err(MispError::bad_request(text))
}

/// Whether a text fits a pattern in which `%` is any text, whatever its case, as the database judges.
pub(crate) fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let Some((first, rest)) = pattern.split_once('%') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('%').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.ends_with(last)
}

fn is_pattern(value: &str) -> bool {
    value.contains('%')
}

/// Bytes of an answer: what lies beyond is asked for in pages.
const MAX_ANSWER_BYTES: usize = 128 << 20;

/// What may still be answered.
pub(crate) struct Budget(usize);

impl Budget {
    pub(crate) const fn new() -> Self {
        Self(MAX_ANSWER_BYTES)
    }

    /// Takes so many bytes.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), MispError> {
        match self.0.checked_sub(bytes) {
            Some(left) => {
                self.0 = left;
                Ok(())
            }
            None => Err(MispError::bad_request(format!(
                "the answer is larger than {MAX_ANSWER_BYTES} bytes; ask for less with `limit` and `page`"
            ))),
        }
    }

    /// Takes what a value has in bytes when it is written.
    pub(crate) fn take_value(&mut self, value: &Value) -> Result<(), MispError> {
        let mut count = Count(0);
        let _ = serde_json::to_writer(&mut count, value);
        self.take(count.0)
    }
}

struct Count(usize);

impl std::io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(crate) enum Bound {
    Text(String),
    Number(i64),
}

/// Where a filter looks: what stands before the column, the column, what stands behind the comparison.
pub(crate) type Place = (&'static str, &'static str, &'static str);

/// A condition being written; what people wrote is bound, never part of the text.
#[derive(Default)]
pub(crate) struct Condition {
    pub(crate) text: String,
    pub(crate) bound: Vec<Bound>,
}

/// `(a OR b)`, halved again and again: SQLite takes a thousand levels, and each sign of a row of them is one.
fn tree(parts: &[String], sign: &str) -> String {
    match parts {
        [] => "1 = 0".to_owned(),
        [one] => one.clone(),
        many => {
            let (left, right) = many.split_at(many.len() / 2);
            format!("({}{sign}{})", tree(left, sign), tree(right, sign))
        }
    }
}

impl Condition {
    pub(crate) fn and(&mut self, before: &str, value: Bound, after: &str) {
        self.text.push_str(" AND ");
        self.text.push_str(before);
        self.text.push('?');
        self.text.push_str(after);
        self.bound.push(value);
    }

    /// `column IN (…)` and `column LIKE …` for values of which one must fit; `%` is any text.
    fn one_of(&mut self, column: &str, values: Vec<String>) -> String {
        let (patterns, exact): (Vec<_>, Vec<_>) = values.into_iter().partition(|v| is_pattern(v));
        let mut parts = Vec::with_capacity(patterns.len() + 1);
        if !exact.is_empty() {
            let marks = vec!["?"; exact.len()].join(", ");
            parts.push(format!("{column} IN ({marks})"));
        }
        parts.extend(patterns.iter().map(|_| format!("{column} LIKE ?")));
        self.bound.extend(exact.into_iter().chain(patterns).map(Bound::Text));
        tree(&parts, " OR ")
    }

    /// One filter on texts.
    pub(crate) fn filter(&mut self, filter: Filter, (open, column, close): Place) {
        if !filter.any.is_empty() {
            let any = self.one_of(column, filter.any);
            self.text.push_str(&format!(" AND {open}({any}){close}"));
        }
        let mut all = Vec::with_capacity(filter.all.len());
        for value in filter.all {
            let one = self.one_of(column, vec![value]);
            all.push(format!("{open}({one}){close}"));
        }
        if !all.is_empty() {
            self.text.push_str(&format!(" AND {}", tree(&all, " AND ")));
        }
        if !filter.none.is_empty() {
            let none = self.one_of(column, filter.none);
            self.text.push_str(&format!(" AND NOT {open}({none}){close}"));
        }
    }

    /// The value of an attribute: one half of a composite value is found too.
    pub(crate) fn values(&mut self, mut filter: Filter) {
        let halves: Vec<String> = filter
            .any
            .iter()
            .filter(|value| !is_pattern(value) && !value.contains('|'))
            .cloned()
            .collect();
        if !halves.is_empty() {
            let any = self.one_of("a.lower", std::mem::take(&mut filter.any));
            let first = "substr(a.lower, 1, instr(a.lower, '|') - 1)";
            let first = self.one_of(first, halves.clone());
            let last = self.one_of("substr(a.lower, instr(a.lower, '|') + 1)", halves);
            self.text.push_str(&format!(
                " AND ({any} OR (instr(a.lower, '|') > 0 AND ({first} OR {last})))"
            ));
        }
        self.filter(filter, ("", "a.lower", ""));
    }

    pub(crate) fn range(&mut self, column: &str, range: Option<(i64, i64)>) {
        if let Some((from, to)) = range {
            self.and(&format!("{column} >= "), Bound::Number(from), "");
            self.and(&format!("{column} <= "), Bound::Number(to), "");
        }
    }

    /// Reads the rows one by one, each within the budget.
    pub(crate) async fn rows<T>(
        self,
        sql: &mut AnyConnection,
        before: &str,
        after: &str,
        budget: &mut Budget,
        read: impl Fn(&AnyRow) -> Result<T, MispError>,
    ) -> Result<Vec<T>, MispError> {
        let text = format!("{before}{}{after}", self.text);
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text)).persistent(false);
        for value in self.bound {
            query = match value {
                Bound::Text(text) => query.bind(text),
                Bound::Number(number) => query.bind(number),
            };
        }
        let mut found = Vec::new();
        let mut rows = query.fetch(sql);
        while let Some(row) = rows.try_next().await? {
            let sizes = ["body", "value", "info"]
                .map(|name| row.try_get::<&str, _>(name).map_or(0, str::len));
            budget.take(sizes.iter().sum())?;
            found.push(read(&row)?);
        }
        Ok(found)
    }
}

/// A time or two of them: seconds, `5d`, a day, or a list of two; open at the end.
pub(crate) fn span(
    fields: &Fields,
    name: &str,
    now_s: i64,
) -> Result<Option<(i64, i64)>, MispError> {
    let read = |value: &Value| match value {
        Value::Number(number) => number.as_f64().map(|n| n as i64),
        Value::String(text) => moment(text, now_s),
        _ => None,
    };
    let wrong =
        || MispError::bad_request(format!("`{name}` is no time: write seconds, 2026-11-30 or 5d"));
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(pair)) => match pair.as_slice() {
            [from, to] => {
                let (a, b) = (read(from).ok_or_else(wrong)?, read(to).ok_or_else(wrong)?);
                Ok(Some((a.min(b), a.max(b))))
            }
            _ => Err(wrong()),
        },
        Some(value) => Ok(Some((read(value).ok_or_else(wrong)?, i64::MAX))),
    }
}

fn moment(text: &str, now_s: i64) -> Option<i64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Some(seconds as i64);
    }
    if let Ok(at) = stix::Timestamp::parse(&format!("{text}T00:00:00Z")) {
        return Some(at.unix_us() / 1_000_000);
    }
    let unit = match text.as_bytes().last()? {
        b's' => 1,
        b'm' => 60,
        b'h' => 3_600,
        b'd' => 86_400,
        b'w' => 604_800,
        _ => return None,
    };
    let count: i64 = text[..text.len() - 1].parse().ok()?;
    Some(now_s.saturating_sub(count.saturating_mul(unit)))
}
