//! Observed data as patterns see it.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::time::Timestamp;

/// Objects of STIX that are no cyber observables: patterns do not speak of them.
const NOT_OBSERVABLE: &[&str] = &[
    "attack-pattern",
    "bundle",
    "campaign",
    "course-of-action",
    "extension-definition",
    "grouping",
    "identity",
    "incident",
    "indicator",
    "infrastructure",
    "intrusion-set",
    "language-content",
    "location",
    "malware",
    "malware-analysis",
    "marking-definition",
    "note",
    "observed-data",
    "opinion",
    "relationship",
    "report",
    "threat-actor",
    "tool",
    "sighting",
    "vulnerability",
];

/// Why observed data cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct ObserveError {
    /// Where: the id of the object, or its place in the input.
    pub place: String,
    /// What is wrong and what is expected.
    pub what: String,
}

/// One observation: what was seen, how often, when.
#[derive(Clone, Debug)]
pub struct Observation<'d> {
    /// Microseconds UTC.
    pub first_us: i64,
    /// Microseconds UTC, not before `first_us`.
    pub last_us: i64,
    /// From 1.
    pub number: u64,
    /// The observables it refers to.
    pub(super) roots: Vec<&'d Map<String, Value>>,
    /// All that it refers to, by id: only these may be followed (§9.7.4).
    listed: Vec<(&'d str, &'d Map<String, Value>)>,
    /// References to objects that are not there.
    pub missing: usize,
}

impl<'d> Observation<'d> {
    /// What a reference leads to.
    pub(super) fn follow(&self, id: &str) -> Option<&'d Map<String, Value>> {
        // Most refer to a handful, and are asked once or never.
        let found = match self.listed.len() {
            0..=8 => self.listed.iter().find(|(listed, _)| *listed == id),
            _ => {
                let at = self.listed.binary_search_by_key(&id, |(listed, _)| listed);
                at.ok().and_then(|at| self.listed.get(at))
            }
        };
        found.map(|(_, object)| *object)
    }
}

/// Observations with the objects they refer to.
#[derive(Clone, Debug, Default)]
pub struct Observed<'d> {
    pub(super) observations: Vec<Observation<'d>>,
}

impl<'d> Observed<'d> {
    /// Reads bundles, or observed-data objects with their observables, from a list of JSON values.
    ///
    /// # Errors
    /// A value is neither bundle nor object, or an observed-data lacks what a pattern needs.
    pub fn read(values: &'d [Value]) -> Result<Self, ObserveError> {
        let mut objects: Vec<&'d Map<String, Value>> = Vec::new();
        for (at, value) in values.iter().enumerate() {
            collect(value, at, &mut objects)?;
        }
        Self::of(&objects)
    }

    /// From objects at hand.
    ///
    /// # Errors
    /// An observed-data lacks what a pattern needs.
    pub fn of(objects: &[&'d Map<String, Value>]) -> Result<Self, ObserveError> {
        let mut by_id: HashMap<&'d str, &'d Map<String, Value>> = HashMap::new();
        for object in objects {
            if let Some(id) = text(object, "id") {
                by_id.insert(id, object);
            }
        }
        let observed =
            objects.iter().filter(|object| text(object, "type") == Some("observed-data"));
        let observations = observed.map(|object| observation(object, &by_id));
        Ok(Self { observations: observations.collect::<Result<_, _>>()? })
    }

    /// The observations in the order in which they came.
    #[must_use]
    pub fn observations(&self) -> &[Observation<'d>] {
        &self.observations
    }
}

fn observation<'d>(
    object: &'d Map<String, Value>,
    by_id: &HashMap<&'d str, &'d Map<String, Value>>,
) -> Result<Observation<'d>, ObserveError> {
    let place = || text(object, "id").unwrap_or("observed-data without id").to_owned();
    let wrong = |what: String| ObserveError { place: place(), what };
    let time = |name: &str| {
        let text = text(object, name).ok_or_else(|| wrong(format!("`{name}` is missing")))?;
        let read = Timestamp::parse(text);
        read.map(Timestamp::unix_us).map_err(|error| wrong(format!("`{name}`: {error}")))
    };
    let (first_us, last_us) = (time("first_observed")?, time("last_observed")?);
    if last_us < first_us {
        return Err(wrong("`last_observed` lies before `first_observed`".into()));
    }
    let number = object.get("number_observed").and_then(Value::as_u64).filter(|n| *n > 0);
    let number =
        number.ok_or_else(|| wrong("`number_observed` must be a whole number above 0".into()))?;
    let mut missing = 0;
    let mut listed: Vec<(&str, &Map<String, Value>)> = Vec::new();
    match (object.get("object_refs"), object.get("objects")) {
        (Some(Value::Array(refs)), _) => {
            for id in refs {
                match id.as_str().and_then(|id| by_id.get_key_value(id)) {
                    Some((id, object)) => listed.push((id, object)),
                    None => missing += 1,
                }
            }
        }
        (None, Some(Value::Object(local))) => {
            let objects = local.iter().filter_map(|(id, o)| Some((id.as_str(), o.as_object()?)));
            listed.extend(objects);
            missing = local.len() - listed.len();
        }
        _ => return Err(wrong("neither a list `object_refs` nor `objects`".into())),
    }
    let observable = |kind: Option<&str>| kind.is_some_and(|kind| !NOT_OBSERVABLE.contains(&kind));
    let mut roots: Vec<&Map<String, Value>> = listed.iter().map(|(_, object)| *object).collect();
    roots.retain(|object| observable(text(object, "type")));
    listed.sort_unstable_by_key(|(id, _)| *id);
    Ok(Observation { first_us, last_us, number, roots, listed, missing })
}

fn collect<'d>(
    value: &'d Value,
    at: usize,
    objects: &mut Vec<&'d Map<String, Value>>,
) -> Result<(), ObserveError> {
    let wrong = |what: &str| ObserveError { place: format!("value {at}"), what: what.into() };
    let Value::Object(map) = value else {
        return Err(wrong("neither a bundle nor an object"));
    };
    let is_bundle = text(map, "type") == Some("bundle");
    match map.get("objects") {
        Some(Value::Array(items)) if is_bundle => {
            for item in items {
                let object = item.as_object();
                objects.push(
                    object.ok_or_else(|| wrong("`objects` holds something that is no object"))?,
                );
            }
            Ok(())
        }
        None if is_bundle => Ok(()),
        Some(_) if is_bundle => Err(wrong("`objects` of the bundle is no list")),
        _ => {
            objects.push(map);
            Ok(())
        }
    }
}

fn text<'v>(map: &'v Map<String, Value>, name: &str) -> Option<&'v str> {
    map.get(name).and_then(Value::as_str)
}
