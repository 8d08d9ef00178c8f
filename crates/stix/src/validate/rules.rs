//! What a table says of a type: its properties, their shapes, whether they are required. The tables
//! are in `domain`, `observables` and `extensions`; here they are compiled into hashed ones.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::forms;
use super::path::{Path, Sink};
use super::shape::{Shape, Target};
use super::{domain, observables};
use crate::object::Object;

/// Kinds of objects, by the common properties they share (STIX 2.1 §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// Domain objects, language-content and extension-definition.
    Domain,
    /// `relationship` and `sighting`.
    Relation,
    /// Cyber observables.
    Observable,
    /// Marking definitions, which have no versions.
    Marking,
}

/// One property of a type.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Property {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) required: bool,
}

/// The rules of one type.
#[derive(Debug)]
pub(crate) struct TypeRules {
    pub(crate) name: &'static str,
    pub(crate) family: Family,
    pub(crate) clause: &'static str,
    pub(crate) properties: &'static [Property],
    /// What the table cannot say.
    pub(crate) check: fn(&Object, &mut Sink<'_>),
}

/// A dictionary with fixed properties inside an object.
#[derive(Debug)]
pub(crate) struct Struct {
    pub(crate) clause: &'static str,
    pub(crate) properties: &'static [Property],
    /// At least one of the table's properties is needed, this one (often required) not counted.
    pub(crate) one_beside: Option<&'static str>,
    /// What the table cannot say.
    pub(crate) check: fn(&Map<String, Value>, &Path<'_>, &mut Sink<'_>),
}

/// A required property.
pub(super) const fn must(name: &'static str, shape: Shape) -> Property {
    Property { name, shape, required: true }
}

/// An optional property.
pub(super) const fn may(name: &'static str, shape: Shape) -> Property {
    Property { name, shape, required: false }
}

/// For types of which the table says all.
pub(super) fn nothing_more(_object: &Object, _sink: &mut Sink<'_>) {}

/// Clause of the common properties.
pub(super) const COMMON_CLAUSE: &str = "STIX 2.1 §3.2";
const MARKINGS: Shape = Shape::Refs(Target::Only(&["marking-definition"]));
/// A reference to an identity.
pub(super) const IDENTITY: Shape = Shape::Ref(Target::Only(&["identity"]));

const COMMON: &[Property] = &[
    must("type", Shape::TypeName),
    must("spec_version", Shape::SpecVersion),
    must("id", Shape::Id),
    may("created_by_ref", IDENTITY),
    must("created", Shape::Millis),
    must("modified", Shape::Millis),
    may("revoked", Shape::Bool),
    may("labels", Shape::Texts),
    may("confidence", Shape::Int(0, 100)),
    may("lang", Shape::Must(&forms::LANGUAGE)),
    may("external_references", Shape::ExternalReferences),
    may("object_marking_refs", MARKINGS),
    may("granular_markings", Shape::GranularMarkings),
    may("extensions", Shape::Extensions),
];

const COMMON_OBSERVABLE: &[Property] = &[
    must("type", Shape::TypeName),
    may("spec_version", Shape::SpecVersion),
    must("id", Shape::Id),
    may("object_marking_refs", MARKINGS),
    may("granular_markings", Shape::GranularMarkings),
    may("defanged", Shape::Bool),
    may("extensions", Shape::Extensions),
];

const COMMON_MARKING: &[Property] = &[
    must("type", Shape::TypeName),
    must("spec_version", Shape::SpecVersion),
    must("id", Shape::Id),
    may("created_by_ref", IDENTITY),
    must("created", Shape::Millis),
    may("external_references", Shape::ExternalReferences),
    may("object_marking_refs", MARKINGS),
    may("granular_markings", Shape::GranularMarkings),
    may("extensions", Shape::Extensions),
];

/// The properties common to a family.
const fn common(family: Family) -> &'static [Property] {
    match family {
        Family::Domain | Family::Relation => COMMON,
        Family::Observable => COMMON_OBSERVABLE,
        Family::Marking => COMMON_MARKING,
    }
}

/// Tables of a type, hashed by property name.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) family: Family,
    pub(crate) rules: Option<&'static TypeRules>,
    /// Common properties first.
    pub(crate) properties: Vec<Property>,
    index: HashMap<&'static str, u32>,
    /// How many of `properties` are common ones.
    pub(crate) common: u32,
    /// One bit for each required property.
    pub(crate) required: u64,
}

impl Compiled {
    fn new(family: Family, rules: Option<&'static TypeRules>) -> Self {
        let common = common(family);
        let own: &[Property] = rules.map_or(&[], |rules| rules.properties);
        let properties: Vec<Property> = common.iter().chain(own).copied().collect();
        let (mut index, mut required, mut at) = (HashMap::new(), 0_u64, 0_u32);
        for property in &properties {
            index.insert(property.name, at);
            required |= u64::from(property.required) << at;
            at += 1;
        }
        let common = u32::try_from(common.len()).unwrap_or_default();
        Self { family, rules, properties, index, common, required }
    }

    /// Number of the property in the table.
    pub(crate) fn find(&self, name: &str) -> Option<u32> {
        self.index.get(name).copied()
    }
}

static TYPES: LazyLock<HashMap<&'static str, Compiled>> = LazyLock::new(|| {
    let all = domain::TYPES.iter().chain(observables::TYPES);
    all.map(|rules| (rules.name, Compiled::new(rules.family, Some(rules)))).collect()
});
static UNKNOWN_DOMAIN: LazyLock<Compiled> = LazyLock::new(|| Compiled::new(Family::Domain, None));
static UNKNOWN_OBSERVABLE: LazyLock<Compiled> =
    LazyLock::new(|| Compiled::new(Family::Observable, None));

/// The rules of a type, if there is a table for it.
pub(crate) fn find(kind: &str) -> Option<&'static Compiled> {
    TYPES.get(kind)
}

/// The rules of a type of somebody else.
pub(crate) fn of_unknown(family: Family) -> &'static Compiled {
    match family {
        Family::Observable => &UNKNOWN_OBSERVABLE,
        _ => &UNKNOWN_DOMAIN,
    }
}

/// The family of a type of the standard.
pub(crate) fn family(kind: &str) -> Option<Family> {
    find(kind).map(|compiled| compiled.family)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_fits_the_bits_of_the_required_mask() {
        // 19 domain objects, 2 relations, 3 meta objects; 18 observables (STIX 2.1 §4 to §7)
        assert_eq!((domain::TYPES.len(), observables::TYPES.len()), (24, 18));
        for (name, compiled) in TYPES.iter() {
            assert!(compiled.properties.len() <= 64, "{name}");
            assert_eq!(compiled.index.len(), compiled.properties.len(), "{name}: a name twice");
        }
    }
}
