//! Changes in one object.

use std::collections::BTreeSet;

use ports::disclosure::Redaction;
use serde_json::{Map, Value};
use stix::Object;
use stix::marking::{SelectorError, effective};

use super::rule::PROTECTED;

/// Changes told of one object at most.
pub(crate) const MAX_CHANGES: usize = 1_000;
/// Values within values that are looked into.
const MAX_DEPTH: usize = 64;

/// What was changed, in the order in which it was.
#[derive(Default)]
pub(crate) struct Changes {
    told: Vec<Redaction>,
    rules: BTreeSet<String>,
}

impl Changes {
    fn note(&mut self, rule: &str, place: &str) {
        self.rules.insert(rule.to_owned());
        let change = Redaction { rule: rule.to_owned(), place: place.to_owned() };
        if self.told.len() < MAX_CHANGES && !self.told.contains(&change) {
            self.told.push(change);
        }
    }

    pub(crate) fn into_parts(self) -> (Vec<Redaction>, BTreeSet<String>) {
        (self.told, self.rules)
    }
}

/// A property's name that is a reference or says what the object is.
fn is_fixed(name: &str) -> bool {
    PROTECTED.contains(&name) || name.ends_with("_ref") || name.ends_with("_refs")
}

fn step(place: &str, name: &str) -> String {
    format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Rewrites every text of an object that may change; true when one did.
pub(crate) fn texts(
    map: &mut Map<String, Value>,
    rule: &str,
    changes: &mut Changes,
    change: &dyn Fn(&str) -> Option<String>,
) -> bool {
    in_map(map, "", rule, changes, change, 0)
}

fn in_map(
    map: &mut Map<String, Value>,
    place: &str,
    rule: &str,
    changes: &mut Changes,
    change: &dyn Fn(&str) -> Option<String>,
    depth: usize,
) -> bool {
    let mut changed = false;
    for (name, value) in map.iter_mut().filter(|(name, _)| !is_fixed(name)) {
        changed |= in_value(value, &step(place, name), rule, changes, change, depth + 1);
    }
    // Names of entries may be values too, like those of a dictionary.
    if depth > 0 && map.keys().any(|name| change(name).is_some()) {
        let renamed = std::mem::take(map).into_iter().map(|(name, value)| {
            let new = change(&name);
            if new.is_some() {
                changes.note(rule, place);
            }
            (new.unwrap_or(name), value)
        });
        *map = renamed.collect();
        changed = true;
    }
    changed
}

fn in_value(
    value: &mut Value,
    place: &str,
    rule: &str,
    changes: &mut Changes,
    change: &dyn Fn(&str) -> Option<String>,
    depth: usize,
) -> bool {
    if depth > MAX_DEPTH {
        // What is too deep to be looked into does not leave.
        changes.note(rule, place);
        *value = Value::Null;
        return true;
    }
    match value {
        Value::String(text) => match change(text) {
            Some(new) => {
                *text = new;
                changes.note(rule, place);
                true
            }
            None => false,
        },
        Value::Array(items) => {
            let mut changed = false;
            for (index, item) in items.iter_mut().enumerate() {
                let place = format!("{place}/{index}");
                changed |= in_value(item, &place, rule, changes, change, depth + 1);
            }
            changed
        }
        Value::Object(map) => in_map(map, place, rule, changes, change, depth),
        _ => false,
    }
}

/// Leaves away what a rule names; true when something was there.
pub(crate) fn remove(
    map: &mut Map<String, Value>,
    property: &str,
    rule: &str,
    changes: &mut Changes,
) -> bool {
    match property.strip_prefix('/') {
        Some(rest) => {
            let steps: Vec<String> = rest.split('/').map(unescaped).collect();
            let mut whole = Value::Object(std::mem::take(map));
            let removed = by_pointer(&mut whole, &steps, "", rule, changes);
            *map = match whole {
                Value::Object(map) => map,
                _ => Map::new(),
            };
            removed
        }
        None => by_name(map, property, "", rule, changes, 0),
    }
}

fn unescaped(step: &str) -> String {
    step.replace("~1", "/").replace("~0", "~")
}

fn by_pointer(
    value: &mut Value,
    steps: &[String],
    place: &str,
    rule: &str,
    changes: &mut Changes,
) -> bool {
    let Some((first, rest)) = steps.split_first() else { return false };
    let wanted = |name: &str| first == "*" || first == name;
    let mut removed = false;
    match value {
        Value::Object(map) => {
            let top = place.is_empty();
            let fits = |name: &String| wanted(name) && !(top && PROTECTED.contains(&name.as_str()));
            let names: Vec<String> = map.keys().filter(|name| fits(name)).cloned().collect();
            for name in names {
                let place = step(place, &name);
                if rest.is_empty() {
                    map.shift_remove(&name);
                    changes.note(rule, &place);
                    removed = true;
                } else if let Some(inner) = map.get_mut(&name) {
                    removed |= by_pointer(inner, rest, &place, rule, changes);
                }
            }
            drop_empty(map);
        }
        Value::Array(items) => {
            for index in (0..items.len()).rev().filter(|index| wanted(&index.to_string())) {
                let place = format!("{place}/{index}");
                if rest.is_empty() {
                    items.remove(index);
                    changes.note(rule, &place);
                    removed = true;
                } else {
                    removed |= by_pointer(&mut items[index], rest, &place, rule, changes);
                }
            }
        }
        _ => {}
    }
    removed
}

fn by_name(
    map: &mut Map<String, Value>,
    pattern: &str,
    place: &str,
    rule: &str,
    changes: &mut Changes,
    depth: usize,
) -> bool {
    let fits = |name: &str| !PROTECTED.contains(&name) && glob(pattern, name);
    let mut removed = false;
    let names: Vec<String> = map.keys().filter(|name| fits(name)).cloned().collect();
    for name in names {
        map.shift_remove(&name);
        changes.note(rule, &step(place, &name));
        removed = true;
    }
    if depth >= MAX_DEPTH {
        return removed;
    }
    for (name, value) in map.iter_mut().filter(|(name, _)| !PROTECTED.contains(&name.as_str())) {
        removed |= inside(value, pattern, &step(place, name), rule, changes, depth + 1);
    }
    if removed {
        drop_empty(map);
    }
    removed
}

fn inside(
    value: &mut Value,
    pattern: &str,
    place: &str,
    rule: &str,
    changes: &mut Changes,
    depth: usize,
) -> bool {
    match value {
        Value::Object(map) => by_name(map, pattern, place, rule, changes, depth),
        Value::Array(items) if depth < MAX_DEPTH => {
            let mut removed = false;
            for (index, item) in items.iter_mut().enumerate() {
                let place = format!("{place}/{index}");
                removed |= inside(item, pattern, &place, rule, changes, depth + 1);
            }
            removed
        }
        _ => false,
    }
}

/// STIX knows no empty lists and dictionaries (§3.4): what a removal emptied goes with it.
fn drop_empty(map: &mut Map<String, Value>) {
    map.retain(|_, value| match value {
        Value::Array(items) => {
            items.retain(|item| !item.as_object().is_some_and(Map::is_empty));
            !items.is_empty()
        }
        Value::Object(inner) => !inner.is_empty(),
        _ => true,
    });
}

/// Whether a name fits a pattern in which `*` stands for any letters.
pub(crate) fn glob(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Granular markings on what is no longer there go too; those on what is there stay.
pub(crate) fn tidy_markings(map: &mut Map<String, Value>) {
    let Some(Value::Array(mut markings)) = map.get("granular_markings").cloned() else { return };
    let object = Object::from_map(map.clone());
    let gone = |selector: &Value| {
        let selector = selector.as_str().unwrap_or_default();
        matches!(effective(&object, selector), Err(SelectorError::Nothing))
    };
    for marking in &mut markings {
        if let Some(Value::Array(selectors)) = marking.get_mut("selectors") {
            selectors.retain(|selector| !gone(selector));
        }
    }
    markings.retain(|marking| {
        marking.get("selectors").and_then(Value::as_array).is_none_or(|all| !all.is_empty())
    });
    match markings.is_empty() {
        true => map.shift_remove("granular_markings"),
        false => map.insert("granular_markings".into(), Value::Array(markings)),
    };
}

/// Puts ids in the place of others in every reference; true when one changed.
pub(crate) fn references(
    map: &mut Map<String, Value>,
    new: &dyn Fn(&str) -> Option<String>,
    depth: usize,
) -> bool {
    let mut changed = false;
    let mut replace = |value: &mut Value| {
        if let Some(id) = value.as_str().and_then(new) {
            *value = Value::String(id);
            changed = true;
        }
    };
    for (name, value) in map.iter_mut() {
        match value {
            Value::String(_) if name.ends_with("_ref") => replace(value),
            Value::Array(items) if name.ends_with("_refs") => {
                items.iter_mut().for_each(&mut replace)
            }
            _ => {}
        }
    }
    if depth >= MAX_DEPTH {
        return changed;
    }
    for value in map.values_mut() {
        match value {
            Value::Object(inner) => changed |= references(inner, new, depth + 1),
            Value::Array(items) => {
                for inner in items.iter_mut().filter_map(Value::as_object_mut) {
                    changed |= references(inner, new, depth + 1);
                }
            }
            _ => {}
        }
    }
    changed
}

#[cfg(test)]
#[path = "edit_tests.rs"]
mod tests;
