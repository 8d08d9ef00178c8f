//! Back from the properties of a mapped object to the attributes that they were made of.

use serde_json::{Map, Value};

use super::other::part;
use crate::carry::{Taker, text_of};
use crate::to_stix::How;
use crate::to_stix::rows::{self, Row};

/// The attributes that the properties of a mapped object were made of.
pub(super) fn attributes(row: &Row, source: &mut Taker) -> Vec<Value> {
    let name = row.0;
    let mut attributes = Vec::new();
    let mut contacts = None;
    let mut nested = Map::new();
    for (relation, property, how) in row.3.iter().filter(|(_, property, _)| !property.is_empty()) {
        let mut put = |value: &str| attributes.push(part(name, relation, value, None));
        if property.contains('/') {
            let whole = source.peek_all();
            if let Some(found) = rows::get(&whole, property).cloned() {
                rows::put(&mut nested, property, found.clone());
                list_of(found).iter().filter_map(text_of).for_each(|item| put(&item));
            }
            continue;
        }
        match how {
            How::Hash => {
                let Some((algorithm, _)) = crate::shape::hash_names(relation) else { continue };
                let mut hashes = source.object("hashes").unwrap_or_default();
                if let Some(Value::String(hash)) = hashes.swap_remove(algorithm) {
                    put(&hash);
                }
                source.put("hashes", Value::Object(hashes));
            }
            How::List => {
                source.list(property).iter().filter_map(text_of).for_each(|item| put(&item));
            }
            How::Fixed(_) => {
                source.any(property);
            }
            How::Contact => {
                let said = contacts.get_or_insert_with(|| contact(row, source, property));
                let own = format!("{relation}: ");
                said.split(" / ").filter_map(|one| one.strip_prefix(&own)).for_each(put);
            }
            How::NamePart => name_part(relation, source.peek(property)).into_iter().for_each(put),
            How::Data => {
                if let Some(data) = source.text(property) {
                    attributes.push(part(name, relation, relation, Some(&data)));
                }
            }
            how => {
                if let Some(value) = source.text(property) {
                    put(&plain(name, *how, value));
                }
            }
        }
    }
    if row.3.iter().any(|(_, _, how)| *how == How::NamePart) {
        source.any("name");
    }
    // What is within a property and was not read is told with the whole of it.
    for (name, read) in nested {
        if source.peek(&name) == Some(&read) {
            source.any(&name);
        }
    }
    attributes
}

/// A property as MISP writes its value.
fn plain(template: &str, how: How, value: String) -> String {
    match how {
        How::Number if template == "asn" => format!("AS{value}"),
        How::Kilometres => match value.parse::<f64>() {
            Ok(metres) => (metres / 1_000.0).to_string(),
            Err(_) => value,
        },
        _ => value,
    }
}

/// The parts of a name cannot be told apart but by their places: the first, and all the rest.
fn name_part<'v>(relation: &str, whole: Option<&'v Value>) -> Option<&'v str> {
    let whole = whole.and_then(Value::as_str).unwrap_or_default();
    let (first, rest) = whole.split_once(' ').unwrap_or((whole, ""));
    Some(if relation == "first-name" { first } else { rest }).filter(|said| !said.is_empty())
}

/// What is said of how to reach somebody, when all of it has a relation; else it stays and is told.
fn contact(row: &Row, source: &mut Taker, property: &str) -> String {
    let said = source.peek(property).and_then(Value::as_str).unwrap_or_default();
    let known = |one: &str| {
        row.3.iter().any(|(relation, _, how)| {
            *how == How::Contact && one.strip_prefix(relation).is_some_and(|r| r.starts_with(": "))
        })
    };
    if said.split(" / ").all(known) {
        source.text(property).unwrap_or_default()
    } else {
        String::new()
    }
}

fn list_of(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        one => vec![one],
    }
}
