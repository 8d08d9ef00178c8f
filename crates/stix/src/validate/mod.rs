//! What is wrong with an object or a bundle, rule by rule, with the clause of STIX 2.1.
//!
//! Table-driven: `domain`, `observables` and `extensions` list the properties of each type with
//! their shapes, `rules` compiles them, `shape` and `forms` judge one value, `checks`, `observed`,
//! `relations` and `meta` hold what the tables cannot say. A type without a table is held to the
//! rules common to all objects. What is covered, and where the text and other validators differ:
//! `docs/stix.md`.

mod checks;
mod custom;
mod domain;
mod extensions;
mod forms;
mod judge;
mod meta;
mod observables;
mod observed;
mod path;
mod relations;
mod rules;
mod shape;

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::bundle::Bundle;
use crate::object::Object;
pub use judge::{Judge, MAX_VERSIONS};
pub use meta::identifies;
use path::{Path, Sink};
use rules::{Compiled, Family};

/// Most problems collected in one report; the rest are counted in [`Report::left_out`].
pub const MAX_PROBLEMS: usize = 1_000;

/// How bad a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// A SHOULD of the standard, or a value outside an open vocabulary.
    Warning,
    /// A MUST of the standard.
    Error,
}

/// One problem of one property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Id of the object, as written; empty where it has none.
    pub object: String,
    /// JSON Pointer within the object.
    pub property: String,
    /// Clause of STIX 2.1 that is broken.
    pub clause: &'static str,
    /// In plain words: what is there and what is expected.
    pub message: String,
}

/// All problems of an object or a bundle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The problems in the order in which they were found.
    pub problems: Vec<Problem>,
    /// Broken MUSTs, those left out included.
    pub errors: u64,
    /// Problems beyond [`MAX_PROBLEMS`].
    pub left_out: u64,
}

impl Report {
    /// Whether no MUST is broken.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        self.errors == 0
    }

    /// The first broken MUST.
    #[must_use]
    pub fn first_error(&self) -> Option<&Problem> {
        self.problems.iter().find(|p| p.severity == Severity::Error)
    }
}

/// Judges one object.
#[must_use]
pub fn object(object: &Object) -> Report {
    let mut report = Report::default();
    judge_one(object, None, &mut report);
    report
}

/// Judges a JSON value that should be a bundle or an object: whatever it is, there is an answer.
#[must_use]
pub fn value(value: &Value) -> Report {
    let Some(map) = value.as_object() else {
        let mut report = Report::default();
        sink(&mut report, "", None).error(&Path::ROOT, "STIX 2.1 §3", "not a JSON object");
        return report;
    };
    if map.get("type").and_then(Value::as_str) != Some("bundle") {
        return object(&Object::from_map(map.clone()));
    }
    let mut judge = Judge::new();
    let mut members = map.clone();
    if let Some(Value::Array(items)) = members.get_mut("objects").map(Value::take) {
        members.shift_remove("objects");
        judge.list_seen();
        for item in items {
            match Object::from_value(item) {
                Some(object) => judge.object(&object),
                None => judge.not_an_object(),
            }
        }
    } else if let Some(other) = map.get("objects") {
        members.insert("objects".into(), other.clone());
    }
    judge.head(&members);
    judge.finish()
}

/// Judges every object of a bundle and the bundle as a whole.
#[must_use]
pub fn bundle(bundle: &Bundle) -> Report {
    let mut report = Report::default();
    head(bundle.other.keys().map(String::as_str), &mut report);
    let mut seen: HashMap<(&str, Option<&str>), &Object> =
        HashMap::with_capacity(bundle.objects.len());
    for (index, object) in (0..).zip(&bundle.objects) {
        judge_one(object, Some(index), &mut report);
        let version = object.text("modified").or_else(|| object.text("created"));
        if let Some(first) = seen.insert((object.id_text(), version), object)
            && first != object
        {
            twice(object.id_text(), Some(index), &mut report);
        }
    }
    report
}

/// Whether an object of a type that the standard does not know is taken for a cyber observable.
pub(crate) fn seems_observable(object: &Object) -> bool {
    rules::find(object.kind()).is_none() && custom::seems_observable(object)
}

/// Collects the problems of one object.
const fn sink<'a>(report: &'a mut Report, object: &'a str, index: Option<u64>) -> Sink<'a> {
    Sink { report, object, index, defanged: false, container: None }
}

/// Properties of a bundle beside `type`, `id` and `objects` (§8).
fn head<'n>(others: impl Iterator<Item = &'n str>, report: &mut Report) {
    let mut sink = sink(report, "bundle", None);
    for name in others {
        let message = match name {
            "spec_version" => "`spec_version` left the bundle with STIX 2.1".to_owned(),
            _ => format!("`{}` is not a property of a bundle", path::clip(name)),
        };
        sink.warn(&Path::ROOT.name(name), "STIX 2.1 §8", message);
    }
}

/// §3.6 leaves open what a reader does with two contents of one version, so it is no broken MUST.
fn twice(id: &str, index: Option<u64>, report: &mut Report) {
    let mut sink = sink(report, id, index);
    let message = "the same version of this object stands twice with different content";
    sink.warn_at("id", "STIX 2.1 §3.6", message);
}

fn judge_one(object: &Object, index: Option<u64>, report: &mut Report) {
    let id = object.id_text();
    let known = rules::find(object.kind());
    let compiled = known.unwrap_or_else(|| rules::of_unknown(family_of_unknown(object)));
    let defanged = compiled.family == Family::Observable
        && object.get("defanged").and_then(Value::as_bool).unwrap_or(false);
    let mut sink = Sink { report, object: id, index, defanged, container: None };
    if object.kind() == "bundle" {
        sink.error_at("type", "STIX 2.1 §8.1", "a bundle is no STIX object and stands in none");
    }
    custom::walk(object.properties(), &mut sink);
    judge_properties(object.properties(), compiled, false, &Path::ROOT, &mut sink);
    checks::identity(object, compiled.family, &mut sink);
    checks::common(object, compiled.family, &mut sink);
    meta::markings(object, &mut sink);
    meta::extension_places(object, &mut sink);
    match compiled.rules {
        Some(rules) => {
            custom::properties(object.properties(), compiled, &Path::ROOT, &mut sink);
            (rules.check)(object, &mut sink);
        }
        None => custom::object_type(object, &mut sink),
    }
}

/// Each property against its table. `contained` observables (§4.14) need only their own
/// properties.
fn judge_properties(
    properties: &Map<String, Value>,
    compiled: &Compiled,
    contained: bool,
    at: &Path<'_>,
    sink: &mut Sink<'_>,
) {
    let own_clause = compiled.rules.map_or(rules::COMMON_CLAUSE, |rules| rules.clause);
    let clause =
        |place: u32| if place < compiled.common { rules::COMMON_CLAUSE } else { own_clause };
    let mut seen = 0_u64;
    for (name, value) in properties {
        let Some(place) = compiled.find(name) else { continue };
        seen |= 1 << place;
        let Some(property) = compiled.properties.get(place as usize) else { continue };
        if contained && name == "id" {
            continue;
        }
        shape::check(value, property.shape, &at.name(name), clause(place), sink);
    }
    let mut missing = compiled.required & !seen;
    if contained {
        missing &= !0 << compiled.common;
    }
    while missing != 0 {
        let place = missing.trailing_zeros();
        missing &= missing - 1;
        let Some(property) = compiled.properties.get(place as usize) else { continue };
        let message = format!("`{}` is required and missing", property.name);
        sink.error(&at.name(property.name), clause(place), message);
    }
}

/// The family of a type without a table: an extension says whether it is an observable. Without one it is the times
/// that tell, which every other object has and observables have not.
fn family_of_unknown(object: &Object) -> Family {
    let map = object.properties();
    if custom::has_extension_type(map, "new-sco") || custom::seems_observable(object) {
        return Family::Observable;
    }
    Family::Domain
}
