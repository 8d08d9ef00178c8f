//! STIX 2.0 read as STIX 2.1: what changed its name or place is moved, what 2.1 does not know any
//! more is returned in a list and never dropped silently. Pure: new ids are computed of the content.

mod observables;

use serde_json::{Map, Value};

use crate::bundle::Bundle;
use crate::id::{self, StixId};
use crate::marking::tlp_1_definition;
use crate::object::Object;
use crate::time::{Timestamp, fraction_digits};
use crate::validate;
use crate::vocabulary as v;

/// Something that was assumed or could not be carried over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Id of the object of STIX 2.0.
    pub object: String,
    /// JSON Pointer in it.
    pub property: String,
    /// What happened, in plain words.
    pub what: &'static str,
    /// The value that was not carried; `None` for an assumption.
    pub value: Option<Value>,
}

/// The outcome of an upgrade.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Upgraded {
    /// Objects of STIX 2.1: observables of an observation stand before it.
    pub objects: Vec<Object>,
    /// What was not carried or was assumed.
    pub losses: Vec<Loss>,
}

impl Upgraded {
    fn lose(&mut self, object: &str, property: String, what: &'static str, value: Option<Value>) {
        self.losses.push(Loss { object: object.to_owned(), property, what, value });
    }
}

/// Whether an object is of STIX 2.0: it says so, or says nothing and is no observable (§3.2), not even one of a type
/// of somebody's own, which has no times.
#[must_use]
pub fn is_2_0(object: &Object) -> bool {
    match object.text("spec_version") {
        Some(version) => version == "2.0",
        None => {
            let is_observable =
                id::is_cyber_observable(object.kind()) || validate::seems_observable(object);
            object.get("spec_version").is_none() && !is_observable
        }
    }
}

/// Upgrades one object; one of STIX 2.1 comes back as it is.
#[must_use]
pub fn object(object: &Object) -> Upgraded {
    let mut out = Upgraded::default();
    one(object, &mut out);
    out
}

/// Upgrades one object into a bundle, since one of STIX 2.0 may become several. The bundle's id is made of the object's.
#[must_use]
pub fn alone(object: &Object) -> (Bundle, Vec<Loss>) {
    let id = StixId::derived("bundle", observables::KEYED, object.id_text());
    bundle(&Bundle::new(&id, vec![object.clone()]))
}

/// Upgrades every object of a bundle. Observables that several observations share stand once.
#[must_use]
pub fn bundle(bundle: &Bundle) -> (Bundle, Vec<Loss>) {
    let mut out = Upgraded::default();
    for object in &bundle.objects {
        one(object, &mut out);
    }
    let mut seen = std::collections::HashSet::new();
    out.objects.retain(|object| {
        !id::is_cyber_observable(object.kind()) || seen.insert(object.id_text().to_owned())
    });
    let mut other = bundle.other.clone();
    other.shift_remove("spec_version");
    (Bundle { id: bundle.id.clone(), objects: out.objects, other }, out.losses)
}

fn one(object: &Object, out: &mut Upgraded) {
    if !is_2_0(object) {
        return out.objects.push(object.clone());
    }
    if let Some(fixed) = tlp_1_definition(object.id_text()) {
        return out.objects.push(fixed);
    }
    let mut map = Map::new();
    for (name, value) in object.properties() {
        map.insert(name.clone(), value.clone());
        if name == "type" {
            map.insert("spec_version".to_owned(), "2.1".into());
        }
    }
    map.insert("spec_version".to_owned(), "2.1".into());
    for name in ["created", "modified"] {
        millis(object, name, &mut map);
    }
    match object.kind() {
        "indicator" => {
            labels(&mut map, "indicator_types", &v::INDICATOR_TYPE);
            map.entry("pattern_type").or_insert_with(|| "stix".into());
            map.entry("pattern_version").or_insert_with(|| "2.0".into());
        }
        "malware" => {
            labels(&mut map, "malware_types", &v::MALWARE_TYPE);
            if !map.contains_key("is_family") {
                map.insert("is_family".to_owned(), false.into());
                let what = "STIX 2.0 does not say whether malware is a family: taken as none";
                out.lose(object.id_text(), "/is_family".to_owned(), what, None);
            }
        }
        "report" => labels(&mut map, "report_types", &v::REPORT_TYPE),
        "threat-actor" => labels(&mut map, "threat_actor_types", &v::THREAT_ACTOR_TYPE),
        "tool" => labels(&mut map, "tool_types", &v::TOOL_TYPE),
        "observed-data" => observables::expand(object, &mut map, out),
        _ => {}
    }
    out.objects.push(Object::from_map(map));
}

/// `labels` of 2.0 that are values of the vocabulary become the types of 2.1; the others stay.
fn labels(map: &mut Map<String, Value>, types: &str, vocabulary: &v::Vocabulary) {
    let Some(list) = map.get("labels").and_then(Value::as_array).cloned() else { return };
    if map.contains_key(types) {
        return;
    }
    let known = |value: &Value| value.as_str().is_some_and(|t| vocabulary.values.contains(&t));
    let (moved, kept): (Vec<Value>, Vec<Value>) = list.into_iter().partition(known);
    if moved.is_empty() {
        return;
    }
    map.insert(types.to_owned(), moved.into());
    if kept.is_empty() {
        map.shift_remove("labels");
    } else {
        map.insert("labels".to_owned(), kept.into());
    }
}

/// At least three digits after the seconds; finer ones stay, since they tell versions apart.
fn millis(object: &Object, name: &str, map: &mut Map<String, Value>) {
    let Some(text) = object.text(name).filter(|text| Timestamp::parse(text).is_ok()) else {
        return;
    };
    let digits = fraction_digits(text);
    if digits < 3 {
        let whole = text.trim_end_matches('Z');
        let point = if digits == 0 { "." } else { "" };
        let padded = format!("{whole}{point}{}Z", &"000"[digits..]);
        map.insert(name.to_owned(), padded.into());
    }
}
