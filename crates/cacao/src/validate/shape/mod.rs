//! What the schema of CACAO v2.0 says, as tables: one row per property (`tables`), the vocabularies (`words`), and what a row
//! cannot say about one object (`objects`).

mod objects;
mod tables;
mod words;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::{Map, Value};

use self::words::Vocabulary;
use super::Findings;
use crate::MAX_WORKFLOW_STEPS;
use crate::variables::references;

/// What a property must look like.
enum Form {
    Text,
    TextOrNull,
    Flag,
    Whole(i64, i64),
    Exactly(&'static str),
    OneOf(&'static [&'static str]),
    /// A text that should be one of an open vocabulary.
    Word(&'static Vocabulary),
    Words(&'static Vocabulary),
    WordsOrNone(&'static Vocabulary),
    Id,
    /// An identifier whose type is this word.
    IdOf(&'static str),
    Ids,
    Time,
    TimeOrNull,
    Texts,
    /// Names of variables.
    Arguments,
    Base64,
    /// `METHOD TARGET VERSION` (RFC 9112 §3).
    StartLine,
    Port,
    Object(&'static [Row]),
    Objects(&'static [Row]),
    /// A list whose members a function looks at.
    List(Check),
    /// A dictionary of objects by identifier.
    Dictionary(CheckEntry),
    /// The same, never empty.
    Filled(CheckEntry),
    /// Whatever a function says.
    By(Check),
}

/// Looks at a value: its place, itself.
type Check = fn(&str, &Value, &mut Findings);
/// Looks at an object of a dictionary: its place, its key, itself.
type CheckEntry = fn(&str, &str, &Map<String, Value>, &mut Findings);

/// One property: its name, whether it must be there, its form.
type Row = (&'static str, bool, Form);

const NO: bool = false;

/// Whether this is a type of variables of the standard.
pub(super) fn is_variable_type(kind: &str) -> bool {
    words::VARIABLES.words.contains(&kind)
}

/// Checks a whole playbook.
pub(super) fn check(value: &Value, found: &mut Findings) {
    let Value::Object(map) = value else {
        found.error("", "a playbook is a JSON object");
        return;
    };
    rows("", map, &tables::PLAYBOOK, found);
    let steps = map.get("workflow").and_then(Value::as_object).map_or(0, Map::len);
    if steps > MAX_WORKFLOW_STEPS {
        found.error("/workflow", format!("{steps} steps; at most {MAX_WORKFLOW_STEPS} are taken"));
    }
}

fn rows(place: &str, map: &Map<String, Value>, table: &[Row], found: &mut Findings) {
    for (name, must, form) in table {
        match map.get(*name) {
            Some(value) => property(&format!("{place}/{name}"), value, form, found),
            None if *must => found.error(place, format!("'{name}' is missing")),
            None => {}
        }
    }
}

/// An object of these rows.
fn object(place: &str, value: &Value, table: &[Row], found: &mut Findings) {
    match value {
        Value::Object(map) => rows(place, map, table, found),
        _ => found.error(place, "must be an object"),
    }
}

fn property(place: &str, value: &Value, form: &Form, found: &mut Findings) {
    match form {
        Form::Flag if !value.is_boolean() => found.error(place, "must be true or false"),
        Form::Flag => {}
        Form::Whole(low, high) => whole(place, value, *low, *high, found),
        Form::TextOrNull | Form::TimeOrNull if value.is_null() => {}
        Form::Time | Form::TimeOrNull => time(place, value, found),
        Form::Id => identifier(place, value, None, found),
        Form::IdOf(kind) => identifier(place, value, Some(kind), found),
        Form::Object(table) => object(place, value, table, found),
        Form::By(check) => check(place, value, found),
        Form::Dictionary(check) => dictionary(place, value, *check, found),
        Form::Filled(check) => {
            if value.as_object().is_some_and(Map::is_empty) {
                found.error(place, "must not be empty; leave the property out");
            }
            dictionary(place, value, *check, found);
        }
        Form::Ids => list(place, value, found, |place, item, found| {
            identifier(place, item, None, found);
        }),
        Form::Objects(table) => list(place, value, found, |place, item, found| {
            object(place, item, table, found);
        }),
        Form::List(check) => list(place, value, found, check),
        Form::Texts => list(place, value, found, |p, item, f| property(p, item, &Form::Text, f)),
        Form::Arguments => list(place, value, found, |place, item, found| {
            if !item.as_str().is_some_and(tables::is_argument) {
                found.error(place, "must be the name of a variable, such as __name__ (§10.18)");
            }
        }),
        Form::Words(words) => list(place, value, found, |place, item, found| {
            property(place, item, &Form::Word(words), found);
        }),
        Form::WordsOrNone(_) if is_empty_list(value) => {}
        Form::WordsOrNone(words) => property(place, value, &Form::Words(words), found),
        _ => match value.as_str() {
            Some(value) => text(place, value, form, found),
            None => found.error(place, "must be a text"),
        },
    }
}

fn is_empty_list(value: &Value) -> bool {
    value.as_array().is_some_and(Vec::is_empty)
}

/// Forms of a text.
fn text(place: &str, value: &str, form: &Form, found: &mut Findings) {
    match form {
        Form::Exactly(word) if value != *word => found.error(place, format!("must be '{word}'")),
        Form::OneOf(words) if !words.contains(&value) => {
            found.error(place, format!("must be one of {}", words.join(", ")));
        }
        Form::Word(words) if !words.knows(value) => {
            let name = words.name;
            found.warning(
                place,
                format!("'{value}' is no word of {name}; other programs may not know it"),
            );
        }
        Form::Base64 => {
            let packed: String = value.split_whitespace().collect();
            if STANDARD.decode(&packed).is_err() && URL_SAFE.decode(&packed).is_err() {
                found.error(place, "must be base64 (RFC 4648)");
            }
        }
        Form::StartLine => start_line(place, value, found),
        Form::Port
            if references(value).is_empty() && !value.parse::<u16>().is_ok_and(|it| it > 0) =>
        {
            found.error(place, "must be a port as text, '1' to '65535'");
        }
        _ => {}
    }
}

fn start_line(place: &str, value: &str, found: &mut Findings) {
    let mut words = value.split_whitespace();
    let method = words.next().unwrap_or_default();
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"];
    if value.chars().any(char::is_control) {
        found.error(place, "must be one line");
    } else if !known.contains(&method) && references(method).is_empty() {
        found.warning(place, format!("should begin with a method such as GET, not '{method}'"));
    } else if words.next().is_none() {
        found.warning(place, "should name what is asked for, such as GET /status HTTP/1.1");
    }
}

fn whole(place: &str, value: &Value, low: i64, high: i64, found: &mut Findings) {
    if value.as_i64().is_some_and(|number| (low..=high).contains(&number)) {
        return;
    }
    let range = match (low, high) {
        (i64::MIN, _) => String::new(),
        (low, i64::MAX) => format!(" from {low}"),
        (low, high) => format!(" from {low} to {high}"),
    };
    found.error(place, format!("must be a whole number{range}"));
}

fn list(
    place: &str,
    value: &Value,
    found: &mut Findings,
    check: impl Fn(&str, &Value, &mut Findings),
) {
    let Value::Array(items) = value else {
        found.error(place, "must be a list");
        return;
    };
    if items.is_empty() {
        found.error(place, "must not be an empty list; leave the property out");
    }
    for (index, item) in items.iter().enumerate() {
        check(&format!("{place}/{index}"), item, found);
    }
}

fn dictionary(place: &str, value: &Value, check: CheckEntry, found: &mut Findings) {
    let Value::Object(map) = value else {
        found.error(place, "must be an object");
        return;
    };
    for (id, item) in map {
        let here = format!("{place}/{id}");
        if !is_identifier(id) {
            found.error(&here, "the key must be an identifier of the form type--UUID");
        }
        match item {
            Value::Object(item) => check(&here, id, item, found),
            _ => found.error(&here, "must be an object"),
        }
    }
}

fn type_of(id: &str) -> &str {
    id.split_once("--").map_or("", |(kind, _)| kind)
}

/// `type--UUID`, the type at least three letters, digits or hyphens; RFC 4122 versions 1 to 5 (§10.10).
fn is_identifier(text: &str) -> bool {
    let Some((kind, uuid)) = text.split_once("--") else { return false };
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase());
    let last = kind.chars().last();
    let good_kind = kind.len() >= 3
        && edge(kind.chars().next())
        && (edge(last) || last.is_some_and(|c| c.is_ascii_digit()))
        && kind.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let bytes = uuid.as_bytes();
    let good_uuid = bytes.len() == 36
        && bytes.iter().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => *b == b'-',
            14 => (b'1'..=b'5').contains(b),
            19 => matches!(b.to_ascii_lowercase(), b'8' | b'9' | b'a' | b'b'),
            _ => b.is_ascii_hexdigit(),
        });
    good_kind && good_uuid
}

fn identifier(place: &str, value: &Value, kind: Option<&str>, found: &mut Findings) {
    let text = value.as_str().unwrap_or_default();
    if !is_identifier(text) {
        found.error(place, "must be an identifier of the form type--UUID (§10.10)");
    } else if let Some(kind) = kind.filter(|kind| type_of(text) != *kind) {
        found.error(place, format!("must be an identifier of the type '{kind}'"));
    }
}

fn time(place: &str, value: &Value, found: &mut Findings) {
    let text = value.as_str().unwrap_or_default();
    if !text.ends_with('Z') || text.parse::<model::Timestamp>().is_err() {
        found.error(place, "must be a time such as 2026-11-22T03:00:00.000Z (§10.16)");
        return;
    }
    let decimals = text.split_once('.').map_or(0, |(_, rest)| rest.len() - 1);
    if decimals != 3 {
        found.warning(place, "should have exactly three decimals (§3.1)");
    }
}
