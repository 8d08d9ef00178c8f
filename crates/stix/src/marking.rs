//! Data markings (STIX 2.1 §7.2): Traffic Light Protocol 2.0 as the OASIS extension defines it,
//! and the four fixed marking definitions of TLP 1.

use serde_json::{Map, Value, json};

use crate::object::Object;

/// The extension definition under which OASIS publishes TLP 2.0 for STIX 2.1.
pub const TLP_2_0_EXTENSION: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";

/// A label of the Traffic Light Protocol, from least to most restricted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tlp {
    /// No limit on disclosure.
    Clear,
    /// The community.
    Green,
    /// The recipient's organisation and its clients.
    Amber,
    /// The recipient's organisation only.
    AmberStrict,
    /// The named recipients only.
    Red,
}

impl Tlp {
    /// All labels in order.
    pub const ALL: [Self; 5] =
        [Self::Clear, Self::Green, Self::Amber, Self::AmberStrict, Self::Red];

    /// Id of the TLP 2.0 marking definition.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Clear => "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
            Self::Green => "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
            Self::Amber => "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
            Self::AmberStrict => "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
            Self::Red => "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
        }
    }

    /// The label as written in text, like `TLP:AMBER+STRICT`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Clear => "TLP:CLEAR",
            Self::Green => "TLP:GREEN",
            Self::Amber => "TLP:AMBER",
            Self::AmberStrict => "TLP:AMBER+STRICT",
            Self::Red => "TLP:RED",
        }
    }

    /// The value of `tlp_2_0` in the extension.
    #[must_use]
    pub const fn value(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Green => "green",
            Self::Amber => "amber",
            Self::AmberStrict => "amber+strict",
            Self::Red => "red",
        }
    }

    /// Reads `clear`, `TLP:CLEAR`, and the older `white`, in any case.
    #[must_use]
    pub fn from_label(label: &str) -> Option<Self> {
        let lower = label.to_ascii_lowercase();
        let name = lower.strip_prefix("tlp:").unwrap_or(&lower);
        if name == "white" {
            return Some(Self::Clear);
        }
        Self::ALL.into_iter().find(|tlp| tlp.value() == name)
    }

    /// The label behind the id of a marking definition, of TLP 2.0 or TLP 1.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|tlp| tlp.id() == id)
            .or_else(|| TLP_1.iter().find(|(_, known, _)| *known == id).map(|(tlp, _, _)| *tlp))
    }

    /// The marking definition object of TLP 2.0, as OASIS published it.
    #[must_use]
    pub fn definition(self) -> Object {
        object(json!({
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": self.id(),
            "created": "2022-10-01T00:00:00.000Z",
            "name": self.label(),
            "extensions": {
                TLP_2_0_EXTENSION: { "extension_type": "property-extension", "tlp_2_0": self.value() }
            }
        }))
    }

    /// The strictest label on an object, if any: its own marking references, TLP 1 included.
    #[must_use]
    pub fn of(object: &Object) -> Option<Self> {
        object.marking_refs().filter_map(Self::from_id).max()
    }
}

/// The fixed marking definitions of TLP 1 (STIX 2.1 §7.2.1.4), with the label that follows them.
const TLP_1: [(Tlp, &str, &str); 4] = [
    (Tlp::Clear, "marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc9", "white"),
    (Tlp::Green, "marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da", "green"),
    (Tlp::Amber, "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82", "amber"),
    (Tlp::Red, "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed", "red"),
];

/// The marking definition object of TLP 1 with this id, as STIX 2.1 §7.2.1.4 prints it.
#[must_use]
pub fn tlp_1_definition(id: &str) -> Option<Object> {
    let (_, id, name) = TLP_1.iter().find(|(_, known, _)| *known == id)?;
    Some(object(json!({
        "type": "marking-definition",
        "spec_version": "2.1",
        "id": id,
        "created": "2017-01-20T00:00:00.000Z",
        "name": format!("TLP:{}", name.to_ascii_uppercase()),
        "definition_type": "tlp",
        "definition": { "tlp": name }
    })))
}

/// Why a selector selects nothing (STIX 2.1 §7.2.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// Not property names and `[number]` joined by dots.
    #[error("a selector is names and `[number]` joined by dots, like `labels.[0]`")]
    Form,
    /// The object has no such property or element.
    #[error("the object has no such property or element")]
    Nothing,
}

/// What a selector of a granular marking selects.
///
/// # Errors
/// [`SelectorError`].
pub fn selection<'v>(
    properties: &'v Map<String, Value>,
    selector: &str,
) -> Result<&'v Value, SelectorError> {
    let mut steps = selector.split('.');
    let first = steps.next().unwrap_or_default();
    if !is_name(first) {
        return Err(SelectorError::Form);
    }
    let mut found = properties.get(first);
    for step in steps {
        if let Some(index) = step.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let digits = !index.is_empty() && index.bytes().all(|b| b.is_ascii_digit());
            if !digits {
                return Err(SelectorError::Form);
            }
            let index = index.parse::<usize>().ok();
            found = found.and_then(Value::as_array).zip(index).and_then(|(list, at)| list.get(at));
        } else if is_name(step) {
            found = found.and_then(Value::as_object).and_then(|map| map.get(step));
        } else {
            return Err(SelectorError::Form);
        }
    }
    found.ok_or(SelectorError::Nothing)
}

/// A step that is no list index: a property name or the key of a dictionary.
fn is_name(step: &str) -> bool {
    (1..=250).contains(&step.len())
        && step.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// Whether what `outer` selects holds what `inner` selects, or is the same.
fn covers(outer: &str, inner: &str) -> bool {
    inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// What handling a part of an object asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effective {
    /// The strictest label, if any marking is one of TLP.
    pub tlp: Option<Tlp>,
    /// Ids of all marking definitions that apply, each once, those of the whole object first.
    pub markings: Vec<String>,
}

impl Effective {
    fn add(&mut self, id: &str) {
        if self.markings.iter().any(|known| known == id) {
            return;
        }
        self.tlp = self.tlp.max(Tlp::from_id(id));
        self.markings.push(id.to_owned());
    }
}

/// The markings that apply to what `selector` selects: those of the object (§7.2.2) and every
/// granular one (§7.2.3) on it or on something around it. A granular label of TLP never loosens
/// the label of the object: the strictest counts.
///
/// # Errors
/// [`SelectorError`].
pub fn effective(object: &Object, selector: &str) -> Result<Effective, SelectorError> {
    selection(object.properties(), selector)?;
    Ok(collect(object, |marked| covers(marked, selector)))
}

/// The markings that apply to at least one part of the object: what somebody must be cleared for
/// who gets the object whole.
#[must_use]
pub fn effective_whole(object: &Object) -> Effective {
    collect(object, |_| true)
}

fn collect(object: &Object, applies: impl Fn(&str) -> bool) -> Effective {
    let mut effective = Effective::default();
    object.marking_refs().for_each(|id| effective.add(id));
    let granular = object.get("granular_markings").and_then(Value::as_array);
    for marking in granular.into_iter().flatten() {
        let Some(id) = marking.get("marking_ref").and_then(Value::as_str) else { continue };
        let selectors = marking.get("selectors").and_then(Value::as_array);
        if selectors.into_iter().flatten().filter_map(Value::as_str).any(&applies) {
            effective.add(id);
        }
    }
    effective
}

/// The text of a marking definition that is a statement (§7.2.1.3).
#[must_use]
pub fn statement(definition: &Object) -> Option<&str> {
    let is_statement = definition.text("definition_type") == Some("statement");
    is_statement.then(|| definition.get("definition")?.get("statement")?.as_str())?
}

fn object(value: Value) -> Object {
    Object::from_map(value.as_object().cloned().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn labels_ids_and_definitions_agree() {
        for tlp in Tlp::ALL {
            assert_eq!(Tlp::from_id(tlp.id()), Some(tlp));
            assert_eq!(Tlp::from_label(tlp.label()), Some(tlp));
            assert_eq!(tlp.definition().id_text(), tlp.id());
        }
        assert_eq!(Tlp::from_label("TLP:WHITE"), Some(Tlp::Clear));
        assert_eq!(Tlp::from_label("purple"), None);
        for (tlp, id, _) in TLP_1 {
            assert_eq!(Tlp::from_id(id), Some(tlp));
            assert_eq!(tlp_1_definition(id).unwrap().id_text(), id);
        }
    }

    #[test]
    fn granular_markings_apply_to_what_they_select_and_below() {
        let marked = object(json!({
        "name": "n", "labels": ["a", "b"],
        "external_references": [{"source_name": "s", "url": "u"}],
        "object_marking_refs": [Tlp::Green.id()],
        "granular_markings": [
            {"marking_ref": Tlp::Red.id(), "selectors": ["external_references.[0]"]},
            {"marking_ref": Tlp::Clear.id(), "selectors": ["name"]},
            {"lang": "de", "selectors": ["name"]},
        ]}));
        let tlp = |selector: &str| effective(&marked, selector).unwrap().tlp;
        assert_eq!(tlp("external_references.[0].url"), Some(Tlp::Red));
        // the whole list holds the marked element, but is not itself marked
        assert_eq!(tlp("external_references"), Some(Tlp::Green));
        assert_eq!(tlp("labels.[1]"), Some(Tlp::Green));
        // a looser granular label does not loosen the label of the object
        assert_eq!(tlp("name"), Some(Tlp::Green));
        assert_eq!(effective(&marked, "name").unwrap().markings.len(), 2);
        assert_eq!(effective_whole(&marked).tlp, Some(Tlp::Red));
        assert_eq!(effective(&marked, "labels.[2]"), Err(SelectorError::Nothing));
        assert_eq!(effective(&marked, "labels.[x]"), Err(SelectorError::Form));
        assert_eq!(effective(&marked, ""), Err(SelectorError::Form));
    }

    #[test]
    fn the_strictest_marking_counts() {
        let marked = object(json!({"object_marking_refs": [
            Tlp::Green.id(), TLP_1[3].1, "marking-definition--unknown"]}));
        assert_eq!(Tlp::of(&marked), Some(Tlp::Red));
        assert_eq!(Tlp::of(&object(json!({}))), None);
        assert!(Tlp::Amber < Tlp::AmberStrict && Tlp::AmberStrict < Tlp::Red);
    }
}
