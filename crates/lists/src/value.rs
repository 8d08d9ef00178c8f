//! What the values of a field mean.

use model::Timestamp;

use crate::error::QueryError;
use crate::field::{Field, Kind};
use crate::lex::Given;
use crate::parse::{Asker, Compare};

const HOUR_US: i64 = 3_600_000_000;
const DAY_US: i64 = 24 * HOUR_US;
/// Largest count before the unit of a relative time.
const MAX_AGO: i64 = 100_000;

/// A condition over a column.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// One of these texts.
    Texts {
        /// The column.
        column: &'static str,
        /// The texts.
        any: Vec<String>,
    },
    /// One of these marks of a row.
    Marks {
        /// The kind of mark.
        kind: &'static str,
        /// The values.
        any: Vec<String>,
    },
    /// One of these phrases in a column of the full text; true: any ending.
    Phrases {
        /// The column.
        column: &'static str,
        /// The phrases.
        any: Vec<(String, bool)>,
    },
    /// In one of these spans, both ends included: ranks, times in microseconds.
    Wholes {
        /// The column.
        column: &'static str,
        /// From and to.
        any: Vec<(i64, i64)>,
    },
    /// In one of these spans of numbers; the flag tells whether the end belongs to it.
    Reals {
        /// The column.
        column: &'static str,
        /// From and to, with whether each belongs to the span.
        any: Vec<(End, End)>,
    },
    /// One of these conditions, written by the list.
    Flags(Vec<&'static str>),
}

/// The test that a field with values stands for.
pub(crate) fn test(
    field: &'static Field,
    compare: Compare,
    given: &[Given],
    asker: Asker<'_>,
) -> Result<Test, QueryError> {
    let wrong = |one: &Given| {
        let said: String = one.text.chars().take(40).collect();
        let what = format!("`{said}` is not what `{}` takes", field.name);
        QueryError::new(one.at, what, format!("it takes {}", field.help))
    };
    let column = field.column;
    let wholes = |span: &dyn Fn(&str) -> Option<(i64, i64)>| {
        let any = given.iter().map(|one| whole(compare, &one.text, span).ok_or_else(|| wrong(one)));
        Ok(Test::Wholes { column, any: any.collect::<Result<_, _>>()? })
    };
    match field.kind {
        Kind::Word(words) => {
            let known = |one: &Given| {
                let word = words.iter().find(|word| word.eq_ignore_ascii_case(&one.text));
                word.map(|word| (*word).to_owned()).ok_or_else(|| wrong(one))
            };
            Ok(Test::Texts { column, any: given.iter().map(known).collect::<Result<_, _>>()? })
        }
        Kind::Rank(words) => wholes(&|text| {
            let short = text.get(4..).filter(|_| text[..4].eq_ignore_ascii_case("tlp:"));
            let text = short.unwrap_or(text);
            let rank = words.iter().position(|word| word.eq_ignore_ascii_case(text))?;
            i64::try_from(rank).ok().map(|rank| (rank, rank))
        }),
        Kind::Time => wholes(&|text| time(text, compare, asker.now_us)),
        Kind::Exact => {
            let read = |one: &Given| match one.text.as_str() {
                "none" if !one.quoted => String::new(),
                "me" if !one.quoted => asker.me.to_owned(),
                text => text.to_owned(),
            };
            Ok(Test::Texts { column, any: given.iter().map(read).collect() })
        }
        Kind::Mark => {
            Ok(Test::Marks { kind: column, any: given.iter().map(|it| it.text.clone()).collect() })
        }
        Kind::Number => {
            let any = given.iter().map(|one| real(compare, &one.text).ok_or_else(|| wrong(one)));
            Ok(Test::Reals { column, any: any.collect::<Result<_, _>>()? })
        }
        Kind::Flag(flags) => {
            let known = |one: &Given| {
                let flag = flags.iter().find(|(word, _)| word.eq_ignore_ascii_case(&one.text));
                flag.map(|(_, condition)| *condition).ok_or_else(|| wrong(one))
            };
            Ok(Test::Flags(given.iter().map(known).collect::<Result<_, _>>()?))
        }
        Kind::Phrase => Err(QueryError::new(1, "a phrase is read elsewhere", "report this")),
    }
}

/// The span that a sign and a value, or two with `..` between them, stand for.
fn whole(
    compare: Compare,
    text: &str,
    span: &dyn Fn(&str) -> Option<(i64, i64)>,
) -> Option<(i64, i64)> {
    if compare == Compare::Is
        && let Some((from, to)) = text.split_once("..")
    {
        let from = if from.is_empty() { i64::MIN } else { span(from)?.0 };
        let to = if to.is_empty() { i64::MAX } else { upper(to, span)? };
        return (text != "..").then_some((from, to));
    }
    let (first, last) = span(text)?;
    Some(match compare {
        Compare::Is => (first, last),
        Compare::Below => (i64::MIN, first.saturating_sub(1)),
        Compare::AtMost => (i64::MIN, last),
        Compare::Above if first == last => (first.saturating_add(1), i64::MAX),
        Compare::Above => (last.saturating_add(1), i64::MAX),
        Compare::AtLeast => (first, i64::MAX),
    })
}

/// The end of a range; a relative time there is a moment, not a span up to now.
fn upper(text: &str, span: &dyn Fn(&str) -> Option<(i64, i64)>) -> Option<i64> {
    let (first, last) = span(text)?;
    Some(if last == i64::MAX { first } else { last })
}

/// A day stands for all of its 24 hours; `-7d` after `:` for what lies since then.
fn time(text: &str, compare: Compare, now_us: i64) -> Option<(i64, i64)> {
    if text == "now" {
        return Some((now_us, now_us));
    }
    if let Some(ago) = text.strip_prefix('-') {
        let (count, unit) = ago.split_at_checked(ago.len().checked_sub(1)?)?;
        let unit_us = match unit {
            "m" => 60_000_000,
            "h" => HOUR_US,
            "d" => DAY_US,
            "w" => 7 * DAY_US,
            _ => return None,
        };
        if !count.bytes().all(|sign| sign.is_ascii_digit()) {
            return None;
        }
        let count = count.parse::<i64>().ok().filter(|count| *count <= MAX_AGO)?;
        let at = now_us.saturating_sub(count * unit_us);
        return Some((at, if compare == Compare::Is { i64::MAX } else { at }));
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some((at.as_micros(), at.as_micros()));
    }
    let start = format!("{text}T00:00:00Z").parse::<Timestamp>().ok()?.as_micros();
    Some((start, start + DAY_US - 1))
}

pub(crate) type End = Option<(f64, bool)>;

fn real(compare: Compare, text: &str) -> Option<(End, End)> {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    if compare == Compare::Is
        && let Some((from, to)) = text.split_once("..")
    {
        let end = |text: &str| {
            if text.is_empty() { Some(None) } else { number(text).map(|it| Some((it, true))) }
        };
        let (from, to) = (end(from)?, end(to)?);
        return (from.is_some() || to.is_some()).then_some((from, to));
    }
    let at = number(text)?;
    Some(match compare {
        Compare::Is => (Some((at, true)), Some((at, true))),
        Compare::Below => (None, Some((at, false))),
        Compare::AtMost => (None, Some((at, true))),
        Compare::Above => (Some((at, false)), None),
        Compare::AtLeast => (Some((at, true)), None),
    })
}
