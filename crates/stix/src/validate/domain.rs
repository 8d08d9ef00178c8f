//! Tables of the domain objects (STIX 2.1 §4), relations (§5) and meta objects (§7).

use super::path::Sink;
use super::rules::{Family, Property, TypeRules, may, must, nothing_more};
use super::shape::{Shape, Target, Values};
use super::{checks, forms, meta, relations};
use crate::object::Object;
use crate::vocabulary as v;

const fn entry(
    name: &'static str,
    family: Family,
    clause: &'static str,
    properties: &'static [Property],
    check: fn(&Object, &mut Sink<'_>),
) -> TypeRules {
    TypeRules { name, family, clause, properties, check }
}

const fn domain(
    name: &'static str,
    clause: &'static str,
    properties: &'static [Property],
    check: fn(&Object, &mut Sink<'_>),
) -> TypeRules {
    entry(name, Family::Domain, clause, properties, check)
}

pub(super) const TYPES: &[TypeRules] = &[
    domain("attack-pattern", "STIX 2.1 §4.1", ATTACK_PATTERN, nothing_more),
    domain("campaign", "STIX 2.1 §4.2", CAMPAIGN, checks::seen_order),
    domain("course-of-action", "STIX 2.1 §4.3", NAMED, nothing_more),
    domain("grouping", "STIX 2.1 §4.4", GROUPING, nothing_more),
    domain("identity", "STIX 2.1 §4.5", IDENTITY_TYPE, nothing_more),
    domain("incident", "STIX 2.1 §4.6", NAMED, nothing_more),
    domain("indicator", "STIX 2.1 §4.7", INDICATOR, checks::indicator),
    domain("infrastructure", "STIX 2.1 §4.8", INFRASTRUCTURE, checks::seen_order),
    domain("intrusion-set", "STIX 2.1 §4.9", INTRUSION_SET, checks::seen_order),
    domain("location", "STIX 2.1 §4.10", LOCATION, checks::location),
    domain("malware", "STIX 2.1 §4.11", MALWARE, checks::malware),
    domain("malware-analysis", "STIX 2.1 §4.12", MALWARE_ANALYSIS, checks::malware_analysis),
    domain("note", "STIX 2.1 §4.13", NOTE, nothing_more),
    domain("observed-data", "STIX 2.1 §4.14", OBSERVED_DATA, checks::observed_data),
    domain("opinion", "STIX 2.1 §4.15", OPINION, nothing_more),
    domain("report", "STIX 2.1 §4.16", REPORT, nothing_more),
    domain("threat-actor", "STIX 2.1 §4.17", THREAT_ACTOR, checks::seen_order),
    domain("tool", "STIX 2.1 §4.18", TOOL, nothing_more),
    domain("vulnerability", "STIX 2.1 §4.19", NAMED, nothing_more),
    entry("relationship", Family::Relation, "STIX 2.1 §5.1", RELATIONSHIP, relations::relationship),
    entry("sighting", Family::Relation, "STIX 2.1 §5.2", SIGHTING, checks::sighting),
    domain("language-content", "STIX 2.1 §7.1", LANGUAGE_CONTENT, meta::language_content),
    domain("extension-definition", "STIX 2.1 §7.3", EXTENSION, meta::extension_definition),
    entry(
        "marking-definition",
        Family::Marking,
        "STIX 2.1 §7.2.1",
        MARKING_DEFINITION,
        meta::marking_definition,
    ),
];

const COUNT_MAX: i64 = 999_999_999;
const SOFTWARE: Target = Target::Only(&["software"]);

const NAMED: &[Property] = &[must("name", Shape::Text), may("description", Shape::Text)];

const ATTACK_PATTERN: &[Property] = &[
    must("name", Shape::Text),
    may("description", Shape::Text),
    may("aliases", Shape::Texts),
    may("kill_chain_phases", Shape::KillChainPhases),
];

const CAMPAIGN: &[Property] = &[
    must("name", Shape::Text),
    may("description", Shape::Text),
    may("aliases", Shape::Texts),
    may("first_seen", Shape::Timestamp),
    may("last_seen", Shape::Timestamp),
    may("objective", Shape::Text),
];

const GROUPING: &[Property] = &[
    may("name", Shape::Text),
    may("description", Shape::Text),
    must("context", Shape::Open(&v::GROUPING_CONTEXT)),
    must("object_refs", Shape::Refs(Target::Any)),
];

const IDENTITY_TYPE: &[Property] = &[
    must("name", Shape::Text),
    may("description", Shape::Text),
    may("roles", Shape::Texts),
    may("identity_class", Shape::Open(&v::IDENTITY_CLASS)),
    may("sectors", Shape::Opens(&v::INDUSTRY_SECTOR)),
    may("contact_information", Shape::Text),
];

const INDICATOR: &[Property] = &[
    may("name", Shape::Text),
    may("description", Shape::Text),
    may("indicator_types", Shape::Opens(&v::INDICATOR_TYPE)),
    must("pattern", Shape::Text),
    must("pattern_type", Shape::Open(&v::PATTERN_TYPE)),
    may("pattern_version", Shape::Text),
    must("valid_from", Shape::Timestamp),
    may("valid_until", Shape::Timestamp),
    may("kill_chain_phases", Shape::KillChainPhases),
];

const INFRASTRUCTURE: &[Property] = &[
    must("name", Shape::Text),
    may("description", Shape::Text),
    may("infrastructure_types", Shape::Opens(&v::INFRASTRUCTURE_TYPE)),
    may("aliases", Shape::Texts),
    may("kill_chain_phases", Shape::KillChainPhases),
    may("first_seen", Shape::Timestamp),
    may("last_seen", Shape::Timestamp),
];

const INTRUSION_SET: &[Property] = &[
    must("name", Shape::Text),
    may("description", Shape::Text),
    may("aliases", Shape::Texts),
    may("first_seen", Shape::Timestamp),
    may("last_seen", Shape::Timestamp),
    may("goals", Shape::Texts),
    may("resource_level", Shape::Open(&v::ATTACK_RESOURCE_LEVEL)),
    may("primary_motivation", Shape::Open(&v::ATTACK_MOTIVATION)),
    may("secondary_motivations", Shape::Opens(&v::ATTACK_MOTIVATION)),
];

const LOCATION: &[Property] = &[
    may("name", Shape::Text),
    may("description", Shape::Text),
    may("latitude", Shape::Number(-90.0, 90.0)),
    may("longitude", Shape::Number(-180.0, 180.0)),
    may("precision", Shape::Number(f64::MIN, f64::MAX)),
    may("region", Shape::Open(&v::REGION)),
    may("country", Shape::Should(&forms::COUNTRY)),
    may("administrative_area", Shape::Should(&forms::ADMINISTRATIVE_AREA)),
    may("city", Shape::Text),
    may("street_address", Shape::Text),
    may("postal_code", Shape::Text),
];

const MALWARE: &[Property] = &[
    may("name", Shape::Text),
    may("description", Shape::Text),
    may("malware_types", Shape::Opens(&v::MALWARE_TYPE)),
    must("is_family", Shape::Bool),
    may("aliases", Shape::Texts),
    may("kill_chain_phases", Shape::KillChainPhases),
    may("first_seen", Shape::Timestamp),
    may("last_seen", Shape::Timestamp),
    may("operating_system_refs", Shape::Refs(SOFTWARE)),
    may("architecture_execution_envs", Shape::Opens(&v::PROCESSOR_ARCHITECTURE)),
    may("implementation_languages", Shape::Opens(&v::IMPLEMENTATION_LANGUAGE)),
    may("capabilities", Shape::Opens(&v::MALWARE_CAPABILITIES)),
    may("sample_refs", Shape::Refs(Target::Only(&["file", "artifact"]))),
];

const MALWARE_ANALYSIS: &[Property] = &[
    must("product", Shape::Should(&forms::PRODUCT)),
    may("version", Shape::Text),
    may("host_vm_ref", Shape::Ref(SOFTWARE)),
    may("operating_system_ref", Shape::Ref(SOFTWARE)),
    may("installed_software_refs", Shape::Refs(SOFTWARE)),
    may("configuration_version", Shape::Text),
    may("modules", Shape::Texts),
    may("analysis_engine_version", Shape::Text),
    may("analysis_definition_version", Shape::Text),
    may("submitted", Shape::Timestamp),
    may("analysis_started", Shape::Timestamp),
    may("analysis_ended", Shape::Timestamp),
    may("result_name", Shape::Text),
    may("result", Shape::Open(&v::MALWARE_RESULT)),
    may("analysis_sco_refs", Shape::Refs(Target::Observables)),
    may("sample_ref", Shape::Ref(Target::Only(&["file", "artifact", "network-traffic"]))),
];

const NOTE: &[Property] = &[
    may("abstract", Shape::Text),
    must("content", Shape::Text),
    may("authors", Shape::Texts),
    must("object_refs", Shape::Refs(Target::Any)),
];

const OBSERVED_DATA: &[Property] = &[
    must("first_observed", Shape::Timestamp),
    must("last_observed", Shape::Timestamp),
    must("number_observed", Shape::Int(1, COUNT_MAX)),
    may("objects", Shape::Dictionary(Values::Any)),
    may("object_refs", Shape::Refs(Target::Observed)),
];

const OPINION: &[Property] = &[
    may("explanation", Shape::Text),
    may("authors", Shape::Texts),
    must("opinion", Shape::Enum(&v::OPINION)),
    must("object_refs", Shape::Refs(Target::Any)),
];

const REPORT: &[Property] = &[
    must("name", Shape::Text),
    may("description", Shape::Text),
    may("report_types", Shape::Opens(&v::REPORT_TYPE)),
    must("published", Shape::Timestamp),
    must("object_refs", Shape::Refs(Target::Any)),
];

const THREAT_ACTOR: &[Property] = &[
    must("name", Shape::Text),
    may("description", Shape::Text),
    may("threat_actor_types", Shape::Opens(&v::THREAT_ACTOR_TYPE)),
    may("aliases", Shape::Texts),
    may("first_seen", Shape::Timestamp),
    may("last_seen", Shape::Timestamp),
    may("roles", Shape::Opens(&v::THREAT_ACTOR_ROLE)),
    may("goals", Shape::Texts),
    may("sophistication", Shape::Open(&v::THREAT_ACTOR_SOPHISTICATION)),
    may("resource_level", Shape::Open(&v::ATTACK_RESOURCE_LEVEL)),
    may("primary_motivation", Shape::Open(&v::ATTACK_MOTIVATION)),
    may("secondary_motivations", Shape::Opens(&v::ATTACK_MOTIVATION)),
    may("personal_motivations", Shape::Opens(&v::ATTACK_MOTIVATION)),
];

const TOOL: &[Property] = &[
    must("name", Shape::Text),
    may("description", Shape::Text),
    may("tool_types", Shape::Opens(&v::TOOL_TYPE)),
    may("aliases", Shape::Texts),
    may("kill_chain_phases", Shape::KillChainPhases),
    may("tool_version", Shape::Text),
];

const RELATIONSHIP: &[Property] = &[
    must("relationship_type", Shape::Must(&forms::RELATIONSHIP_TYPE)),
    may("description", Shape::Text),
    must("source_ref", Shape::Ref(Target::Ends)),
    must("target_ref", Shape::Ref(Target::Ends)),
    may("start_time", Shape::Timestamp),
    may("stop_time", Shape::Timestamp),
];

const SIGHTING: &[Property] = &[
    may("description", Shape::Text),
    may("first_seen", Shape::Timestamp),
    may("last_seen", Shape::Timestamp),
    may("count", Shape::Int(0, COUNT_MAX)),
    must("sighting_of_ref", Shape::Ref(Target::Domain)),
    may("observed_data_refs", Shape::Refs(Target::Only(&["observed-data"]))),
    may("where_sighted_refs", Shape::Refs(Target::Only(&["identity", "location"]))),
    may("summary", Shape::Bool),
];

const LANGUAGE_CONTENT: &[Property] = &[
    must("object_ref", Shape::Ref(Target::Not(&["bundle"]))),
    may("object_modified", Shape::Timestamp),
    must("contents", Shape::Dictionary(Values::Any)),
];

const EXTENSION: &[Property] = &[
    must("name", Shape::Text),
    may("description", Shape::Text),
    must("schema", Shape::Text),
    must("version", Shape::Text),
    must("extension_types", Shape::Enums(&v::EXTENSION_TYPE)),
    may("extension_properties", Shape::Musts(&forms::PROPERTY_NAME)),
];

const MARKING_DEFINITION: &[Property] = &[
    may("name", Shape::Text),
    may("definition_type", Shape::Text),
    may("definition", Shape::Dictionary(Values::Any)),
];
