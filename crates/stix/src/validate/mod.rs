//! What is wrong with an object or a bundle, rule by rule, with the clause of STIX 2.1.
//!
//! Table-driven: `rules` lists the properties of each type with their shapes, `shape` judges one
//! value, `checks` holds what the tables cannot say. A type without a table is held to the rules
//! common to all objects.

mod checks;
mod observables;
mod rules;
mod shape;

use std::collections::HashMap;

use serde_json::Value;

use crate::bundle::Bundle;
use crate::object::Object;
use rules::{Family, Property, TypeRules};

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

/// Collects the problems of one object.
struct Sink<'a> {
    report: &'a mut Report,
    object: &'a str,
}

impl Sink<'_> {
    fn put(&mut self, severity: Severity, property: &str, clause: &'static str, message: String) {
        if severity == Severity::Error {
            self.report.errors += 1;
        }
        let problem = Problem {
            severity,
            object: self.object.chars().take(300).collect(),
            property: property.to_owned(),
            clause,
            message,
        };
        let problems = &mut self.report.problems;
        if problems.len() < MAX_PROBLEMS {
            return problems.push(problem);
        }
        self.report.left_out += 1;
        // A full report still shows errors: they take the places of warnings from the end.
        if severity == Severity::Error
            && let Some(at) = problems.iter().rposition(|p| p.severity == Severity::Warning)
        {
            problems[at] = problem;
        }
    }

    fn error(&mut self, property: &str, clause: &'static str, message: impl Into<String>) {
        self.put(Severity::Error, property, clause, message.into());
    }

    fn warn(&mut self, property: &str, clause: &'static str, message: impl Into<String>) {
        self.put(Severity::Warning, property, clause, message.into());
    }
}

/// Judges one object.
#[must_use]
pub fn object(object: &Object) -> Report {
    let mut report = Report::default();
    judge(object, &mut report);
    report
}

/// Judges every object of a bundle and the bundle as a whole.
#[must_use]
pub fn bundle(bundle: &Bundle) -> Report {
    let mut report = Report::default();
    let mut seen: HashMap<(&str, Option<&str>), &Object> = HashMap::new();
    for object in &bundle.objects {
        judge(object, &mut report);
        let version = object.text("modified").or_else(|| object.text("created"));
        if let Some(first) = seen.insert((object.id_text(), version), object)
            && first != object
        {
            let mut sink = Sink { report: &mut report, object: object.id_text() };
            let message = "the same version of this object stands twice with different content";
            sink.warn("/id", "STIX 2.1 §3.6", message);
        }
    }
    report
}

fn judge(object: &Object, report: &mut Report) {
    let mut sink = Sink { report, object: object.id_text() };
    let rules = rules::find(object.kind());
    let family = rules.map_or_else(|| family_of_unknown(object), |rules| rules.family);
    checks::identity(object, &mut sink);
    walk(object, &mut sink);
    let common = rules::common(family);
    let own: &[Property] = rules.map_or(&[], |rules| rules.properties);
    for property in common.iter().chain(own) {
        match object.get(property.name) {
            Some(value) => {
                let pointer = format!("/{}", property.name);
                shape::check(value, property.shape, &pointer, property.clause, &mut sink);
            }
            None if property.required => {
                let message = format!("`{}` is required and missing", property.name);
                sink.error(&format!("/{}", property.name), property.clause, message);
            }
            None => {}
        }
    }
    checks::common(object, family, &mut sink);
    if let Some(rules) = rules {
        custom_properties(object, common, rules, &mut sink);
        (rules.check)(object, &mut sink);
    }
}

/// An object of a type without a table: it is an observable when it carries neither `created` nor
/// `modified`, which every other object must have.
fn family_of_unknown(object: &Object) -> Family {
    let known = crate::id::is_cyber_observable(object.kind());
    let bare = object.get("created").is_none() && object.get("modified").is_none();
    if known || (bare && object.extension_of_new_type("new-sco")) {
        Family::Observable
    } else {
        Family::Domain
    }
}

impl Object {
    /// Whether an extension declares this object a new one of the given extension type.
    fn extension_of_new_type(&self, extension_type: &str) -> bool {
        self.get("extensions").and_then(Value::as_object).is_some_and(|all| {
            all.values()
                .any(|e| e.get("extension_type").and_then(Value::as_str) == Some(extension_type))
        })
    }
}

/// Property names, nulls, empty lists and dictionaries, over the whole object.
fn walk(object: &Object, sink: &mut Sink<'_>) {
    for (name, value) in object.properties() {
        let pointer = format!("/{name}");
        if name != "id" && !shape::is_property_name(name) {
            let message = "property names have 3 to 250 characters of a-z, 0-9 and `_`";
            sink.error(&pointer, "STIX 2.1 §3.1", message);
        }
        empties(value, &pointer, sink);
    }
}

fn empties(value: &Value, pointer: &str, sink: &mut Sink<'_>) {
    match value {
        Value::Null => {
            sink.error(
                pointer,
                "STIX 2.1 §2",
                "null is not a value of STIX; leave the property out",
            );
        }
        Value::Array(items) if items.is_empty() => {
            sink.error(pointer, "STIX 2.1 §2.11", "an empty list; leave the property out");
        }
        Value::Object(map) if map.is_empty() => {
            sink.error(pointer, "STIX 2.1 §2.3", "an empty dictionary; leave the property out");
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                empties(item, &format!("{pointer}/{index}"), sink);
            }
        }
        Value::Object(map) => {
            for (name, item) in map {
                empties(item, &format!("{pointer}/{name}"), sink);
            }
        }
        _ => {}
    }
}

/// Properties that no table names: custom ones, which STIX 2.1 §11.1 deprecates in favour of
/// extensions. A top-level extension may bring any.
fn custom_properties(object: &Object, common: &[Property], rules: &TypeRules, sink: &mut Sink<'_>) {
    if object.extension_of_new_type("toplevel-property-extension") {
        return;
    }
    for name in object.properties().keys() {
        let known = common.iter().chain(rules.properties).any(|p| p.name == name);
        if !known {
            let message = format!("`{name}` is not a property of {}; use an extension", rules.name);
            sink.warn(&format!("/{name}"), "STIX 2.1 §11.1", message);
        }
    }
}
