//! An event of MISP as objects of the store, each under the label that holds for it.

use std::collections::HashMap;

use serde_json::{Value, json};
use stix::Tlp;

use crate::prepare::Prepared;
use crate::sight::rank;

/// An event as the store keeps it.
#[derive(Debug)]
pub struct FromMisp {
    /// The objects.
    pub objects: Vec<Prepared>,
    /// What has no place in STIX or breaks one of its rules, as JSON.
    pub not_carried: Vec<Value>,
}

/// The strictest label among tags, in any spelling.
pub fn tagged<'t>(names: impl Iterator<Item = &'t str>) -> Option<Tlp> {
    names
        .map(str::to_ascii_lowercase)
        .filter_map(|name| {
            let word = name.strip_prefix("tlp:")?.replace("amber-strict", "amber+strict");
            Tlp::from_label(&word)
        })
        .max()
}

/// The label that holds for an event: its TLP tag, else what its distribution means here.
pub fn label<'t>(distribution: Option<i64>, tag_names: impl Iterator<Item = &'t str>) -> Tlp {
    tagged(tag_names).unwrap_or(match distribution {
        Some(0) => Tlp::AmberStrict,
        Some(4) => Tlp::Amber,
        _ => Tlp::Green,
    })
}

/// Converts an event (`{"Event": …}`); no object is less protected than `least`, a rank, says. Takes time: not for a
/// thread of the runtime.
///
/// # Errors
/// It is no event.
pub fn prepared(shown: Value, least: i64) -> Result<FromMisp, String> {
    let parts = labels_of_parts(&shown);
    let document = misp::document::from_value(shown).map_err(|error| error.to_string())?;
    let converted = misp::to_stix::convert(document, misp::to_stix::Options::default());
    let mut not_carried: Vec<Value> =
        converted.not_carried.iter().filter_map(|one| serde_json::to_value(one).ok()).collect();
    let mut objects = Vec::with_capacity(converted.bundle.objects.len());
    for object in &converted.bundle.objects {
        match stix::validate::object(object).first_error() {
            None => objects.push(Prepared::new(object)),
            Some(error) => not_carried.push(json!({ "place": object.id_text(),
                "what": error.property, "why": error.message })),
        }
    }
    protect(&mut objects, least, &parts);
    Ok(FromMisp { objects, not_carried })
}

/// Labels of attributes by their own tags, and of objects by the tags of their attributes.
fn labels_of_parts(shown: &Value) -> HashMap<String, i64> {
    let list = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let mut found: HashMap<String, i64> = HashMap::new();
    let mut note = |uuid: &Value, attribute: &Value| {
        let tags = list(attribute, "Tag");
        let names = tags.iter().filter_map(|tag| tag["name"].as_str());
        if let (Some(uuid), Some(tlp)) = (uuid.as_str(), tagged(names)) {
            let known = found.entry(uuid.to_owned()).or_default();
            *known = (*known).max(rank(tlp));
        }
    };
    for attribute in list(&shown["Event"], "Attribute") {
        note(&attribute["uuid"], &attribute);
    }
    for object in list(&shown["Event"], "Object") {
        for attribute in list(&object, "Attribute") {
            note(&object["uuid"], &attribute);
        }
    }
    found
}

fn uuid_of(id: &str) -> &str {
    id.split_once("--").map_or("", |(_, uuid)| uuid)
}

/// No object is less protected than its event, than the attribute it came of, or, for observables and relations, than
/// what they belong to.
fn protect(objects: &mut [Prepared], event: i64, parts: &HashMap<String, i64>) {
    let mut labels: HashMap<String, i64> = HashMap::with_capacity(objects.len());
    for object in objects.iter() {
        let own = object.tlp.unwrap_or(0).max(event);
        let own = own.max(parts.get(uuid_of(&object.id)).copied().unwrap_or(0));
        labels.insert(object.id.clone(), own);
    }
    let of = |labels: &HashMap<String, i64>, id: &str| labels.get(id).copied().unwrap_or(event);
    for object in objects.iter().filter(|object| object.kind == "observed-data") {
        let own = of(&labels, &object.id);
        for edge in object.edges.iter().filter(|edge| edge.kind == "object") {
            labels.entry(edge.target.clone()).and_modify(|tlp| *tlp = (*tlp).max(own));
        }
    }
    for object in objects.iter_mut() {
        let mut tlp = of(&labels, &object.id);
        if matches!(object.kind.as_str(), "relationship" | "sighting" | "opinion") {
            let ends = object.edges.iter().flat_map(|edge| [&edge.origin, &edge.target]);
            tlp = ends.map(|id| of(&labels, id)).fold(tlp, i64::max);
        }
        // The definitions of TLP are public.
        object.tlp = Some(if object.kind == "marking-definition" { 0 } else { tlp });
    }
}

/// What names who or how, and says nothing that could be taken back.
#[must_use]
pub fn is_common(id: &str) -> bool {
    id.starts_with("identity--") || id.starts_with("marking-definition--")
}
