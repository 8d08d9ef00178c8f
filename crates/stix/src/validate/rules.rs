//! The tables: for each type its properties, their shapes, whether they are required, and the
//! clause. A new type is one more entry.

use super::observables;
use super::shape::{Shape, Target};
use super::{Sink, checks};
use crate::object::Object;
use crate::vocabulary as v;

/// Kinds of objects, by the common properties they share (STIX 2.1 §3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// Domain, relationship, language and extension-definition objects.
    Domain,
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
    pub(crate) clause: &'static str,
}

/// The rules of one type.
pub(crate) struct TypeRules {
    pub(crate) name: &'static str,
    pub(crate) family: Family,
    pub(crate) properties: &'static [Property],
    /// What the table cannot say.
    pub(crate) check: fn(&Object, &mut Sink<'_>),
}

/// A required property.
pub(super) const fn must(name: &'static str, shape: Shape, clause: &'static str) -> Property {
    Property { name, shape, required: true, clause }
}

/// An optional property.
pub(super) const fn may(name: &'static str, shape: Shape, clause: &'static str) -> Property {
    Property { name, shape, required: false, clause }
}

pub(super) fn nothing_more(_object: &Object, _sink: &mut Sink<'_>) {}

const fn domain(
    name: &'static str,
    properties: &'static [Property],
    check: fn(&Object, &mut Sink<'_>),
) -> TypeRules {
    TypeRules { name, family: Family::Domain, properties, check }
}

/// The rules of a type, if there is a table for it.
pub(super) fn find(kind: &str) -> Option<&'static TypeRules> {
    TYPES.iter().chain(observables::TYPES).find(|rules| rules.name == kind)
}

/// The properties common to a family.
pub(super) const fn common(family: Family) -> &'static [Property] {
    match family {
        Family::Domain => COMMON,
        Family::Observable => COMMON_OBSERVABLE,
        Family::Marking => COMMON_MARKING,
    }
}

const C: &str = "STIX 2.1 §3.2";
const MARKINGS: Shape = Shape::Refs(Target::Only(&["marking-definition"]));
const IDENTITY: Shape = Shape::Ref(Target::Only(&["identity"]));
const COUNT_MAX: i64 = 999_999_999;

const COMMON: &[Property] = &[
    must("type", Shape::TypeName, C),
    must("spec_version", Shape::SpecVersion, C),
    must("id", Shape::Id, C),
    may("created_by_ref", IDENTITY, C),
    must("created", Shape::Millis, C),
    must("modified", Shape::Millis, C),
    may("revoked", Shape::Bool, C),
    may("labels", Shape::Texts, C),
    may("confidence", Shape::Int(0, 100), C),
    may("lang", Shape::Text, C),
    may("external_references", Shape::ExternalReferences, C),
    may("object_marking_refs", MARKINGS, C),
    may("granular_markings", Shape::GranularMarkings, C),
    may("extensions", Shape::Extensions, C),
];

const COMMON_OBSERVABLE: &[Property] = &[
    must("type", Shape::TypeName, C),
    may("spec_version", Shape::SpecVersion, C),
    must("id", Shape::Id, C),
    may("object_marking_refs", MARKINGS, C),
    may("granular_markings", Shape::GranularMarkings, C),
    may("defanged", Shape::Bool, C),
    may("extensions", Shape::Extensions, C),
];

const COMMON_MARKING: &[Property] = &[
    must("type", Shape::TypeName, C),
    must("spec_version", Shape::SpecVersion, C),
    must("id", Shape::Id, C),
    may("created_by_ref", IDENTITY, C),
    must("created", Shape::Millis, C),
    may("external_references", Shape::ExternalReferences, C),
    may("object_marking_refs", MARKINGS, C),
    may("granular_markings", Shape::GranularMarkings, C),
    may("extensions", Shape::Extensions, C),
];

const TYPES: &[TypeRules] = &[
    domain("attack-pattern", ATTACK_PATTERN, nothing_more),
    domain("course-of-action", COURSE_OF_ACTION, nothing_more),
    domain("grouping", GROUPING, nothing_more),
    domain("identity", IDENTITY_TYPE, nothing_more),
    domain("incident", INCIDENT, nothing_more),
    domain("indicator", INDICATOR, checks::indicator),
    domain("infrastructure", INFRASTRUCTURE, checks::seen_order),
    domain("malware", MALWARE, checks::malware),
    domain("note", NOTE, nothing_more),
    domain("observed-data", OBSERVED_DATA, checks::observed_data),
    domain("opinion", OPINION, nothing_more),
    domain("report", REPORT, nothing_more),
    domain("tool", TOOL, nothing_more),
    domain("vulnerability", VULNERABILITY, nothing_more),
    domain("relationship", RELATIONSHIP, checks::relationship),
    domain("sighting", SIGHTING, checks::seen_order),
    domain("extension-definition", EXTENSION_DEFINITION, checks::extension_definition),
    TypeRules {
        name: "marking-definition",
        family: Family::Marking,
        properties: MARKING_DEFINITION,
        check: checks::marking_definition,
    },
];

const ATTACK_PATTERN: &[Property] = &[
    must("name", Shape::Text, "STIX 2.1 §4.1"),
    may("description", Shape::Text, "STIX 2.1 §4.1"),
    may("aliases", Shape::Texts, "STIX 2.1 §4.1"),
    may("kill_chain_phases", Shape::KillChainPhases, "STIX 2.1 §4.1"),
];

const COURSE_OF_ACTION: &[Property] =
    &[must("name", Shape::Text, "STIX 2.1 §4.3"), may("description", Shape::Text, "STIX 2.1 §4.3")];

const GROUPING: &[Property] = &[
    may("name", Shape::Text, "STIX 2.1 §4.4"),
    may("description", Shape::Text, "STIX 2.1 §4.4"),
    must("context", Shape::Open(&v::GROUPING_CONTEXT), "STIX 2.1 §4.4"),
    must("object_refs", Shape::Refs(Target::Any), "STIX 2.1 §4.4"),
];

const IDENTITY_TYPE: &[Property] = &[
    must("name", Shape::Text, "STIX 2.1 §4.5"),
    may("description", Shape::Text, "STIX 2.1 §4.5"),
    may("roles", Shape::Texts, "STIX 2.1 §4.5"),
    may("identity_class", Shape::Open(&v::IDENTITY_CLASS), "STIX 2.1 §4.5"),
    may("sectors", Shape::Opens(&v::INDUSTRY_SECTOR), "STIX 2.1 §4.5"),
    may("contact_information", Shape::Text, "STIX 2.1 §4.5"),
];

const INCIDENT: &[Property] =
    &[must("name", Shape::Text, "STIX 2.1 §4.6"), may("description", Shape::Text, "STIX 2.1 §4.6")];

const INDICATOR: &[Property] = &[
    may("name", Shape::Text, "STIX 2.1 §4.7"),
    may("description", Shape::Text, "STIX 2.1 §4.7"),
    may("indicator_types", Shape::Opens(&v::INDICATOR_TYPE), "STIX 2.1 §4.7"),
    must("pattern", Shape::Text, "STIX 2.1 §4.7"),
    must("pattern_type", Shape::Open(&v::PATTERN_TYPE), "STIX 2.1 §4.7"),
    may("pattern_version", Shape::Text, "STIX 2.1 §4.7"),
    must("valid_from", Shape::Timestamp, "STIX 2.1 §4.7"),
    may("valid_until", Shape::Timestamp, "STIX 2.1 §4.7"),
    may("kill_chain_phases", Shape::KillChainPhases, "STIX 2.1 §4.7"),
];

const INFRASTRUCTURE: &[Property] = &[
    must("name", Shape::Text, "STIX 2.1 §4.8"),
    may("description", Shape::Text, "STIX 2.1 §4.8"),
    may("infrastructure_types", Shape::Opens(&v::INFRASTRUCTURE_TYPE), "STIX 2.1 §4.8"),
    may("aliases", Shape::Texts, "STIX 2.1 §4.8"),
    may("kill_chain_phases", Shape::KillChainPhases, "STIX 2.1 §4.8"),
    may("first_seen", Shape::Timestamp, "STIX 2.1 §4.8"),
    may("last_seen", Shape::Timestamp, "STIX 2.1 §4.8"),
];

const MALWARE: &[Property] = &[
    may("name", Shape::Text, "STIX 2.1 §4.11"),
    may("description", Shape::Text, "STIX 2.1 §4.11"),
    may("malware_types", Shape::Opens(&v::MALWARE_TYPE), "STIX 2.1 §4.11"),
    must("is_family", Shape::Bool, "STIX 2.1 §4.11"),
    may("aliases", Shape::Texts, "STIX 2.1 §4.11"),
    may("kill_chain_phases", Shape::KillChainPhases, "STIX 2.1 §4.11"),
    may("first_seen", Shape::Timestamp, "STIX 2.1 §4.11"),
    may("last_seen", Shape::Timestamp, "STIX 2.1 §4.11"),
    may("operating_system_refs", Shape::Refs(Target::Only(&["software"])), "STIX 2.1 §4.11"),
    may("architecture_execution_envs", Shape::Texts, "STIX 2.1 §4.11"),
    may("implementation_languages", Shape::Texts, "STIX 2.1 §4.11"),
    may("capabilities", Shape::Texts, "STIX 2.1 §4.11"),
    may("sample_refs", Shape::Refs(Target::Only(&["file", "artifact"])), "STIX 2.1 §4.11"),
];

const NOTE: &[Property] = &[
    may("abstract", Shape::Text, "STIX 2.1 §4.13"),
    must("content", Shape::Text, "STIX 2.1 §4.13"),
    may("authors", Shape::Texts, "STIX 2.1 §4.13"),
    must("object_refs", Shape::Refs(Target::Any), "STIX 2.1 §4.13"),
];

const OBSERVED_DATA: &[Property] = &[
    must("first_observed", Shape::Timestamp, "STIX 2.1 §4.14"),
    must("last_observed", Shape::Timestamp, "STIX 2.1 §4.14"),
    must("number_observed", Shape::Int(1, COUNT_MAX), "STIX 2.1 §4.14"),
    // a dictionary of whole objects: deprecated, but still allowed
    may("objects", Shape::Dictionary, "STIX 2.1 §4.14"),
    may("object_refs", Shape::Refs(Target::Any), "STIX 2.1 §4.14"),
];

const OPINION: &[Property] = &[
    may("explanation", Shape::Text, "STIX 2.1 §4.15"),
    may("authors", Shape::Texts, "STIX 2.1 §4.15"),
    must("opinion", Shape::Enum(&v::OPINION), "STIX 2.1 §4.15"),
    must("object_refs", Shape::Refs(Target::Any), "STIX 2.1 §4.15"),
];

const REPORT: &[Property] = &[
    must("name", Shape::Text, "STIX 2.1 §4.16"),
    may("description", Shape::Text, "STIX 2.1 §4.16"),
    may("report_types", Shape::Opens(&v::REPORT_TYPE), "STIX 2.1 §4.16"),
    must("published", Shape::Timestamp, "STIX 2.1 §4.16"),
    must("object_refs", Shape::Refs(Target::Any), "STIX 2.1 §4.16"),
];

const TOOL: &[Property] = &[
    must("name", Shape::Text, "STIX 2.1 §4.18"),
    may("description", Shape::Text, "STIX 2.1 §4.18"),
    may("tool_types", Shape::Opens(&v::TOOL_TYPE), "STIX 2.1 §4.18"),
    may("aliases", Shape::Texts, "STIX 2.1 §4.18"),
    may("kill_chain_phases", Shape::KillChainPhases, "STIX 2.1 §4.18"),
    may("tool_version", Shape::Text, "STIX 2.1 §4.18"),
];

const VULNERABILITY: &[Property] = &[
    must("name", Shape::Text, "STIX 2.1 §4.19"),
    may("description", Shape::Text, "STIX 2.1 §4.19"),
];

/// What a relationship may not join (STIX 2.1 §5.1.1): neither relationships nor meta objects.
const END: Shape = Shape::Ref(Target::Not(&[
    "relationship",
    "sighting",
    "bundle",
    "marking-definition",
    "language-content",
]));

const RELATIONSHIP: &[Property] = &[
    must("relationship_type", Shape::RelationshipType, "STIX 2.1 §5.1"),
    may("description", Shape::Text, "STIX 2.1 §5.1"),
    must("source_ref", END, "STIX 2.1 §5.1"),
    must("target_ref", END, "STIX 2.1 §5.1"),
    may("start_time", Shape::Timestamp, "STIX 2.1 §5.1"),
    may("stop_time", Shape::Timestamp, "STIX 2.1 §5.1"),
];

const SIGHTING: &[Property] = &[
    may("description", Shape::Text, "STIX 2.1 §5.2"),
    may("first_seen", Shape::Timestamp, "STIX 2.1 §5.2"),
    may("last_seen", Shape::Timestamp, "STIX 2.1 §5.2"),
    may("count", Shape::Int(0, COUNT_MAX), "STIX 2.1 §5.2"),
    must("sighting_of_ref", END, "STIX 2.1 §5.2"),
    may("observed_data_refs", Shape::Refs(Target::Only(&["observed-data"])), "STIX 2.1 §5.2"),
    may(
        "where_sighted_refs",
        Shape::Refs(Target::Only(&["identity", "location"])),
        "STIX 2.1 §5.2",
    ),
    may("summary", Shape::Bool, "STIX 2.1 §5.2"),
];

const EXTENSION_DEFINITION: &[Property] = &[
    must("created_by_ref", IDENTITY, "STIX 2.1 §7.3"),
    must("name", Shape::Text, "STIX 2.1 §7.3"),
    may("description", Shape::Text, "STIX 2.1 §7.3"),
    must("schema", Shape::Text, "STIX 2.1 §7.3"),
    must("version", Shape::Text, "STIX 2.1 §7.3"),
    must("extension_types", Shape::Enums(&v::EXTENSION_TYPE), "STIX 2.1 §7.3"),
    may("extension_properties", Shape::Texts, "STIX 2.1 §7.3"),
];

const MARKING_DEFINITION: &[Property] = &[
    may("name", Shape::Text, "STIX 2.1 §7.2.1"),
    may("definition_type", Shape::Text, "STIX 2.1 §7.2.1"),
    may("definition", Shape::Dictionary, "STIX 2.1 §7.2.1"),
];
