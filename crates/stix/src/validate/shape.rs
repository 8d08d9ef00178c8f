//! One value against one shape.

use serde_json::{Map, Value};

use super::forms::{self, Form};
use super::meta;
use super::path::{Path, Sink, clip};
use super::rules::{Family, Struct, family};
use crate::time::{Timestamp, fraction_digits};
use crate::vocabulary::{HASH_ALGORITHM, Vocabulary};
use crate::{hash, id};

/// Which types a reference may name.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// Any object.
    Any,
    /// Only these types.
    Only(&'static [&'static str]),
    /// Any type but these.
    Not(&'static [&'static str]),
    /// Domain objects and types that the standard does not know.
    Domain,
    /// Cyber observables and types that the standard does not know.
    Observables,
    /// Cyber observables, relations and types that the standard does not know.
    Observed,
    /// What a relationship may join: domain objects, observables, unknown types.
    Ends,
}

/// What the values of a dictionary must be.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Values {
    Any,
    Texts,
    TextLists,
    Integers,
    TextsOrIntegers,
}

/// What a value must look like.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    Text,
    Texts,
    Bool,
    Int(i64, i64),
    Number(f64, f64),
    Timestamp,
    /// Precise to the millisecond at least: three digits, more are allowed (§3.2).
    Millis,
    /// Precise to the second: no fraction (§6.7.6).
    Seconds,
    Id,
    Ref(Target),
    Refs(Target),
    Enum(&'static Vocabulary),
    Enums(&'static Vocabulary),
    Open(&'static Vocabulary),
    Opens(&'static Vocabulary),
    Hashes,
    Must(&'static Form),
    Musts(&'static Form),
    Should(&'static Form),
    Shoulds(&'static Form),
    /// The `hex` type (§2.8).
    Hex,
    Dictionary(Values),
    Struct(&'static Struct),
    Structs(&'static Struct),
    SpecVersion,
    TypeName,
    ExternalReferences,
    GranularMarkings,
    KillChainPhases,
    Extensions,
}

/// Judges `value`; problems name `at` and `clause`.
pub(super) fn check(
    value: &Value,
    shape: Shape,
    at: &Path<'_>,
    clause: &'static str,
    sink: &mut Sink<'_>,
) {
    let one = match shape {
        Shape::Texts => Shape::Text,
        Shape::Refs(target) => Shape::Ref(target),
        Shape::Enums(vocabulary) => Shape::Enum(vocabulary),
        Shape::Opens(vocabulary) => Shape::Open(vocabulary),
        Shape::Musts(form) => Shape::Must(form),
        Shape::Shoulds(form) => Shape::Should(form),
        Shape::Structs(of) => Shape::Struct(of),
        Shape::ExternalReferences => {
            return list(value, at, clause, sink, meta::external_reference);
        }
        Shape::GranularMarkings => return list(value, at, clause, sink, meta::granular_marking),
        Shape::KillChainPhases => return list(value, at, clause, sink, meta::kill_chain_phase),
        _ => return single(value, shape, at, clause, sink),
    };
    list(value, at, clause, sink, |item, at, sink| single(item, one, at, clause, sink));
}

fn single(value: &Value, shape: Shape, at: &Path<'_>, clause: &'static str, sink: &mut Sink<'_>) {
    match shape {
        Shape::Ref(target) => reference(value, target, at, clause, sink),
        Shape::Enum(vocabulary) => word(value, vocabulary, true, at, clause, sink),
        Shape::Open(vocabulary) => word(value, vocabulary, false, at, clause, sink),
        Shape::Timestamp | Shape::Millis | Shape::Seconds => {
            timestamp(value, shape, at, clause, sink);
        }
        Shape::Hashes => hashes(value, at, sink),
        Shape::Extensions => meta::extensions(value, at, sink),
        Shape::Dictionary(values) => dictionary(value, values, at, clause, sink),
        Shape::Struct(of) => structure(value, of, at, sink),
        Shape::Bool if !value.is_boolean() => expected("true or false", value, at, clause, sink),
        Shape::Bool => {}
        Shape::Int(min, max) => {
            if !integer(value).is_some_and(|n| (min..=max).contains(&n)) {
                expected(&format!("an integer from {min} to {max}"), value, at, clause, sink);
            }
        }
        Shape::Number(min, max) => {
            if !value.as_f64().is_some_and(|n| (min..=max).contains(&n)) {
                let what = if min == f64::MIN {
                    "a number".to_owned()
                } else {
                    format!("a number from {min} to {max}")
                };
                expected(&what, value, at, clause, sink);
            }
        }
        _ => formed_text(value, shape, at, clause, sink),
    }
}

/// A whole number within the 54 bits of STIX (§2.10); `1.0` is one, as in JSON Schema.
fn integer(value: &Value) -> Option<i64> {
    const MAX: i64 = (1 << 53) - 1;
    let n = match value.as_i64() {
        Some(n) => n,
        None => {
            let n = value.as_f64().filter(|n| n.fract() == 0.0 && n.abs() < 9.1e15)?;
            format!("{n:.0}").parse().ok()?
        }
    };
    (-MAX..=MAX).contains(&n).then_some(n)
}

/// Texts of a particular form.
fn formed_text(
    value: &Value,
    shape: Shape,
    at: &Path<'_>,
    clause: &'static str,
    sink: &mut Sink<'_>,
) {
    let Some(text) = text(value, at, clause, sink) else { return };
    match shape {
        Shape::Must(form) | Shape::Should(form) => {
            if (form.defangs && sink.defanged) || (form.test)(text) {
                return;
            }
            let message = format!("expected {}, found \"{}\"", form.what, clip(text));
            if matches!(shape, Shape::Must(_)) {
                sink.error(at, clause, message);
            } else {
                sink.warn(at, clause, message);
            }
        }
        Shape::Hex if !(forms::HEX.test)(text) => {
            expected(forms::HEX.what, value, at, clause, sink);
        }
        // An example of the standard itself is in upper case, so it is no error.
        Shape::Hex if text.bytes().any(|b| b.is_ascii_uppercase()) => {
            sink.warn(at, "STIX 2.1 §2.8", "hexadecimal digits are written in lower case, a to f");
        }
        Shape::Id => {
            if let Err(error) = id::check(text) {
                sink.error(at, "STIX 2.1 §2.9", error.to_string());
            }
        }
        Shape::SpecVersion if text != "2.1" => {
            expected("\"2.1\"", value, at, clause, sink);
        }
        Shape::TypeName if !id::is_type_name(text) => {
            expected("a type name: 3 to 250 of a-z, 0-9 and hyphen", value, at, clause, sink);
        }
        _ => {}
    }
}

pub(super) fn expected(
    what: &str,
    value: &Value,
    at: &Path<'_>,
    clause: &'static str,
    sink: &mut Sink<'_>,
) {
    sink.error(at, clause, format!("expected {what}, found {}", shown(value)));
}

/// A value as an error shows it: short, on one line.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(map) => format!("an object of {}", map.len()),
        Value::String(text) => format!("{:?}", clip(text)),
        other => other.to_string(),
    }
}

/// Judges each element of a list. That it may not be empty is judged for all lists alike.
pub(super) fn list(
    value: &Value,
    at: &Path<'_>,
    clause: &'static str,
    sink: &mut Sink<'_>,
    each: impl Fn(&Value, &Path<'_>, &mut Sink<'_>),
) {
    let Some(items) = value.as_array() else {
        return expected("a list", value, at, clause, sink);
    };
    for (index, item) in items.iter().enumerate() {
        each(item, &at.index(index), sink);
    }
}

pub(super) fn text<'v>(
    value: &'v Value,
    at: &Path<'_>,
    clause: &'static str,
    sink: &mut Sink<'_>,
) -> Option<&'v str> {
    let text = value.as_str();
    if text.is_none() {
        expected("a text", value, at, clause, sink);
    }
    text
}

fn timestamp(
    value: &Value,
    shape: Shape,
    at: &Path<'_>,
    clause: &'static str,
    sink: &mut Sink<'_>,
) {
    let Some(text) = text(value, at, clause, sink) else { return };
    if let Err(error) = Timestamp::parse(text) {
        let message = format!("`{}` is no timestamp: {error}", clip(text));
        return sink.error(at, "STIX 2.1 §2.16", message);
    }
    match (shape, fraction_digits(text)) {
        (Shape::Millis, digits) if digits < 3 => {
            let message = format!("needs three digits after the seconds or more, has {digits}");
            sink.error(at, clause, message);
        }
        (Shape::Seconds, digits) if digits > 0 => {
            sink.error(at, clause, "must be precise to the second, without a fraction");
        }
        _ => {}
    }
}

pub(super) fn reference(
    value: &Value,
    target: Target,
    at: &Path<'_>,
    clause: &'static str,
    sink: &mut Sink<'_>,
) {
    let Some(text) = text(value, at, clause, sink) else { return };
    let kind = if let Some(container) = sink.container {
        let Some(object) = container.get(text) else {
            let message = format!("`{}` is no key of `objects`", clip(text));
            return sink.error(at, "STIX 2.1 §4.14", message);
        };
        object.get("type").and_then(Value::as_str).unwrap_or_default()
    } else {
        match id::check(text) {
            Ok(kind) => kind,
            Err(error) => return sink.error(at, "STIX 2.1 §2.9", error.to_string()),
        }
    };
    let group = |families: &[Family]| {
        let meta = matches!(kind, "language-content" | "extension-definition" | "bundle");
        !meta && family(kind).is_none_or(|family| families.contains(&family))
    };
    let (allowed, what) = match target {
        Target::Any => (true, String::new()),
        Target::Only(types) => (types.contains(&kind), types.join(" or ")),
        Target::Not(types) => (!types.contains(&kind), format!("not {}", types.join(", "))),
        Target::Domain => (group(&[Family::Domain]), "a domain object".to_owned()),
        Target::Observables => (group(&[Family::Observable]), "a cyber observable".to_owned()),
        Target::Observed => (
            group(&[Family::Observable, Family::Relation]),
            "a cyber observable or a relation".to_owned(),
        ),
        Target::Ends => (
            group(&[Family::Domain, Family::Observable]),
            "a domain object or a cyber observable".to_owned(),
        ),
    };
    if !allowed {
        sink.error(at, clause, format!("refers to a {}, expected {what}", clip(kind)));
    }
}

pub(super) fn word(
    value: &Value,
    vocabulary: &Vocabulary,
    closed: bool,
    at: &Path<'_>,
    clause: &'static str,
    sink: &mut Sink<'_>,
) {
    let Some(text) = text(value, at, clause, sink) else { return };
    if !vocabulary.values.contains(&text) {
        let message = format!("`{}` is not a value of {}", clip(text), vocabulary.name);
        if closed {
            sink.error(at, clause, message);
        } else {
            sink.warn(at, clause, message);
        }
    }
}

fn dictionary(
    value: &Value,
    values: Values,
    at: &Path<'_>,
    clause: &'static str,
    sink: &mut Sink<'_>,
) {
    let Some(map) = object(value, at, clause, sink) else { return };
    for (key, value) in map {
        let at = at.name(key);
        if !forms::is_dictionary_key(key) {
            let message = "dictionary keys have 1 to 250 characters of a-z, A-Z, 0-9, `-` and `_`";
            sink.error(&at, "STIX 2.1 §2.3", message);
        }
        match values {
            Values::Any => {}
            Values::Texts => {
                let _ = text(value, &at, clause, sink);
            }
            Values::TextLists => check(value, Shape::Texts, &at, clause, sink),
            Values::Integers if integer(value).is_none() => {
                expected("an integer", value, &at, clause, sink);
            }
            Values::TextsOrIntegers if !value.is_string() && integer(value).is_none() => {
                expected("a text or an integer", value, &at, clause, sink);
            }
            Values::Integers | Values::TextsOrIntegers => {}
        }
    }
}

pub(super) fn object<'v>(
    value: &'v Value,
    at: &Path<'_>,
    clause: &'static str,
    sink: &mut Sink<'_>,
) -> Option<&'v Map<String, Value>> {
    let map = value.as_object();
    if map.is_none() {
        expected("an object", value, at, clause, sink);
    }
    map
}

/// A dictionary with fixed properties.
pub(super) fn structure(value: &Value, of: &Struct, at: &Path<'_>, sink: &mut Sink<'_>) {
    let Some(map) = object(value, at, of.clause, sink) else { return };
    let mut known = false;
    for property in of.properties {
        match map.get(property.name) {
            Some(value) => {
                known |= of.one_beside != Some(property.name);
                check(value, property.shape, &at.name(property.name), of.clause, sink);
            }
            None if property.required => {
                let message = format!("`{}` is required and missing", property.name);
                sink.error(&at.name(property.name), of.clause, message);
            }
            None => {}
        }
    }
    let own = |name: &&String| of.properties.iter().any(|property| property.name == **name);
    for name in map.keys().filter(|name| !own(name)) {
        if forms::is_property_name(name) {
            let message = format!("`{}` is not a property of the standard here", clip(name));
            sink.warn(&at.name(name), "STIX 2.1 §11.1", message);
        } else {
            let message = format!("properties are named by {}", forms::PROPERTY_NAME.what);
            sink.error(&at.name(name), "STIX 2.1 §11.1", message);
        }
    }
    if of.one_beside.is_some() && !known && !map.is_empty() {
        let beside = of.one_beside.filter(|name| !name.is_empty());
        let beside = beside.map(|name| format!(" beside `{name}`")).unwrap_or_default();
        sink.error(at, of.clause, format!("needs at least one of its properties{beside}"));
    }
    (of.check)(map, at, sink);
}

/// The `hashes` type (§2.7).
pub(super) fn hashes(value: &Value, at: &Path<'_>, sink: &mut Sink<'_>) {
    const CLAUSE: &str = "STIX 2.1 §2.7";
    let Some(map) = object(value, at, CLAUSE, sink) else { return };
    for (name, value) in map {
        let at = at.name(name);
        let is_known = HASH_ALGORITHM.values.contains(&name.as_str());
        if name.len() < 3 || !forms::is_dictionary_key(name) {
            let message = "hash names have 3 to 250 characters of a-z, A-Z, 0-9, `-` and `_`";
            sink.error(&at, CLAUSE, message);
        } else if !is_known {
            let message = format!("`{name}` is not a value of {}", HASH_ALGORITHM.name);
            sink.warn(&at, CLAUSE, message);
        }
        let Some(text) = text(value, &at, CLAUSE, sink) else { continue };
        if let Some(digits) = hash::digits(name).filter(|_| is_known) {
            if text.len() != digits || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
                sink.error(&at, CLAUSE, format!("a {name} hash has {digits} hexadecimal digits"));
            }
        } else if !forms::is_fuzzy_hash(name, text) {
            sink.error(&at, CLAUSE, format!("not of the form of a {} hash", clip(name)));
        }
    }
}
