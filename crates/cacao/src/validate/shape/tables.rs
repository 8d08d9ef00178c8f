//! The properties of everything in a playbook: one row each.

use super::words::{self, REGIONS};
use super::{Form, NO, Row, objects};
use crate::variables::is_name;

const MUST: bool = true;
const MAX_I: i64 = i64::MAX;

pub(super) static PLAYBOOK: [Row; 34] = [
    ("type", MUST, Form::Exactly("playbook")),
    ("spec_version", MUST, Form::Exactly("cacao-2.0")),
    ("id", MUST, Form::IdOf("playbook")),
    ("name", MUST, Form::Text),
    ("description", NO, Form::Text),
    ("playbook_types", NO, Form::WordsOrNone(&words::PLAYBOOK_TYPES)),
    ("playbook_activities", NO, Form::Words(&words::ACTIVITIES)),
    ("playbook_processing_summary", NO, Form::Object(&SUMMARY)),
    ("created_by", MUST, Form::IdOf("identity")),
    ("created", MUST, Form::Time),
    ("modified", MUST, Form::Time),
    ("revoked", NO, Form::Flag),
    ("valid_from", NO, Form::Time),
    ("valid_until", NO, Form::Time),
    ("derived_from", NO, Form::Ids),
    ("related_to", NO, Form::Ids),
    ("priority", NO, Form::Whole(0, 100)),
    ("severity", NO, Form::Whole(0, 100)),
    ("impact", NO, Form::Whole(0, 100)),
    ("industry_sectors", NO, Form::Words(&words::SECTORS)),
    ("labels", NO, Form::Texts),
    ("external_references", NO, Form::Objects(&REFERENCE)),
    ("markings", NO, Form::Ids),
    ("playbook_variables", NO, Form::By(objects::variables)),
    ("workflow_start", MUST, Form::IdOf("start")),
    ("workflow_exception", NO, Form::Id),
    ("workflow", MUST, Form::Dictionary(objects::step)),
    ("playbook_extensions", NO, Form::By(objects::extensions)),
    ("authentication_info_definitions", NO, Form::Filled(objects::credential)),
    ("agent_definitions", NO, Form::Filled(objects::party)),
    ("target_definitions", NO, Form::Filled(objects::party)),
    ("extension_definitions", NO, Form::Dictionary(objects::extension)),
    ("data_marking_definitions", NO, Form::Dictionary(objects::marking)),
    ("signatures", NO, Form::List(objects::signature)),
];

static SUMMARY: [Row; 11] = [
    ("manual_playbook", NO, Form::Flag),
    ("external_playbooks", NO, Form::Flag),
    ("parallel_processing", NO, Form::Flag),
    ("if_logic", NO, Form::Flag),
    ("while_logic", NO, Form::Flag),
    ("switch_logic", NO, Form::Flag),
    ("temporal_logic", NO, Form::Flag),
    ("data_markings", NO, Form::Flag),
    ("digital_signatures", NO, Form::Flag),
    ("countersigned_signatures", NO, Form::Flag),
    ("extensions", NO, Form::Flag),
];

pub(super) static REFERENCE: [Row; 6] = [
    ("name", MUST, Form::Text),
    ("description", NO, Form::Text),
    ("source", NO, Form::Text),
    ("url", NO, Form::Text),
    ("external_id", NO, Form::Text),
    ("reference_id", NO, Form::Text),
];

pub(super) static STEP: [Row; 12] = [
    ("type", MUST, Form::Text),
    ("name", NO, Form::Text),
    ("description", NO, Form::Text),
    ("external_references", NO, Form::Objects(&REFERENCE)),
    ("delay", NO, Form::Whole(1, MAX_I)),
    ("timeout", NO, Form::Whole(0, MAX_I)),
    ("step_variables", NO, Form::By(objects::variables)),
    ("owner", NO, Form::Id),
    ("on_completion", NO, Form::Id),
    ("on_success", NO, Form::Id),
    ("on_failure", NO, Form::Id),
    ("step_extensions", NO, Form::By(objects::extensions)),
];

/// What a type of step has besides.
pub(super) fn of_step(kind: &str) -> Option<&'static [Row]> {
    Some(match kind {
        "start" | "end" => &[],
        "action" => &ACTION,
        "playbook-action" => &PLAYBOOK_ACTION,
        "parallel" => &PARALLEL,
        "if-condition" => &IF,
        "while-condition" => &WHILE,
        "switch-condition" => &SWITCH,
        _ => return None,
    })
}

static ACTION: [Row; 5] = [
    ("commands", MUST, Form::List(objects::command)),
    ("agent", MUST, Form::Id),
    ("targets", NO, Form::Ids),
    ("in_args", NO, Form::Arguments),
    ("out_args", NO, Form::Arguments),
];
static PLAYBOOK_ACTION: [Row; 4] = [
    ("playbook_id", MUST, Form::Id),
    ("playbook_version", NO, Form::Time),
    ("in_args", NO, Form::Arguments),
    ("out_args", NO, Form::Arguments),
];
static IF: [Row; 3] =
    [("condition", MUST, Form::Text), ("on_true", MUST, Form::Id), ("on_false", NO, Form::Id)];
static WHILE: [Row; 2] = [("condition", MUST, Form::Text), ("on_true", MUST, Form::Id)];
static SWITCH: [Row; 2] = [("switch", MUST, Form::Text), ("cases", MUST, Form::By(objects::cases))];
static PARALLEL: [Row; 1] = [("next_steps", MUST, Form::Ids)];

pub(super) static COMMAND: [Row; 5] = [
    ("type", MUST, Form::Word(&words::COMMANDS)),
    ("description", NO, Form::Text),
    ("version", NO, Form::Text),
    ("playbook_activity", NO, Form::Word(&words::ACTIVITIES)),
    ("external_references", NO, Form::Objects(&REFERENCE)),
];

/// What a type of command has besides (§5).
pub(super) fn of_command(kind: &str) -> &'static [Row] {
    match kind {
        "elastic" | "jupyter" | "kestrel" | "sigma" | "yara" => &ENCODED,
        "http-api" => &HTTP,
        "openc2-http" => &OPENC2,
        crate::ACTUATOR => &ACTUATOR,
        _ => &EITHER,
    }
}

/// The properties that the model reads are of their form in commands of every type.
static EITHER: [Row; 6] = [
    ("command", NO, Form::Text),
    ("command_b64", NO, Form::Base64),
    ("headers", NO, Form::By(objects::headers)),
    ("content", NO, Form::Text),
    ("content_b64", NO, Form::Base64),
    ("arguments", NO, Form::Object(&[])),
];
static ENCODED: [Row; 6] = [
    ("command", NO, Form::Text),
    ("command_b64", MUST, Form::Base64),
    ("headers", NO, Form::By(objects::headers)),
    ("content", NO, Form::Text),
    ("content_b64", NO, Form::Base64),
    ("arguments", NO, Form::Object(&[])),
];
static HTTP: [Row; 6] = [
    ("command_b64", NO, Form::Base64),
    ("arguments", NO, Form::Object(&[])),
    ("command", MUST, Form::StartLine),
    ("headers", NO, Form::By(objects::headers)),
    ("content", NO, Form::Text),
    ("content_b64", NO, Form::Base64),
];
static OPENC2: [Row; 6] = [
    ("command_b64", NO, Form::Base64),
    ("content", NO, Form::Text),
    ("arguments", NO, Form::Object(&[])),
    ("command", MUST, Form::StartLine),
    ("headers", NO, Form::By(objects::headers)),
    ("content_b64", MUST, Form::Base64),
];
static ACTUATOR: [Row; 6] = [
    ("command", MUST, Form::Text),
    ("command_b64", NO, Form::Base64),
    ("headers", NO, Form::By(objects::headers)),
    ("content", NO, Form::Text),
    ("content_b64", NO, Form::Base64),
    ("arguments", NO, Form::Object(&[])),
];

pub(super) static VARIABLE: [Row; 5] = [
    ("type", MUST, Form::Word(&words::VARIABLES)),
    ("description", NO, Form::Text),
    ("value", NO, Form::TextOrNull),
    ("constant", NO, Form::Flag),
    ("external", NO, Form::Flag),
];

pub(super) static PARTY: [Row; 5] = [
    ("type", MUST, Form::Word(&words::PARTIES)),
    ("name", MUST, Form::Text),
    ("description", NO, Form::Text),
    ("location", NO, Form::Object(&LOCATION)),
    ("agent_target_extensions", NO, Form::By(objects::extensions)),
];

/// What a type of agent or target has besides (§7).
pub(super) fn of_party(kind: &str) -> &'static [Row] {
    match kind {
        "group" | "individual" | "organization" => &PEOPLE,
        "location" => &PLACE,
        "sector" => &SECTOR,
        "http-api" | "linux" | "ssh" | "net-address" => &ADDRESSED,
        "security-category" => &CATEGORY,
        _ => &[],
    }
}

static PEOPLE: [Row; 1] = [("contact", NO, Form::Object(&CONTACT))];
static CONTACT: [Row; 3] = [
    ("email", NO, Form::By(objects::texts_by_key)),
    ("phone", NO, Form::By(objects::texts_by_key)),
    ("contact_details", NO, Form::Text),
];
static PLACE: [Row; 1] = [("logical", NO, Form::Texts)];
static SECTOR: [Row; 1] = [("sector", MUST, Form::Word(&words::SECTORS))];
static ADDRESSED: [Row; 4] = [
    ("address", MUST, Form::By(objects::address)),
    ("port", NO, Form::Port),
    ("authentication_info", NO, Form::Id),
    ("category", NO, Form::Words(&words::CATEGORIES)),
];
static CATEGORY: [Row; 1] = [("category", MUST, Form::Words(&words::CATEGORIES))];
static LOCATION: [Row; 13] = [
    ("name", NO, Form::Text),
    ("description", NO, Form::Text),
    ("building_details", NO, Form::Text),
    ("network_details", NO, Form::Text),
    ("region", NO, Form::OneOf(REGIONS)),
    ("country", NO, Form::Text),
    ("administrative_area", NO, Form::Text),
    ("city", NO, Form::Text),
    ("street_address", NO, Form::Text),
    ("postal_code", NO, Form::Text),
    ("latitude", NO, Form::Text),
    ("longitude", NO, Form::Text),
    ("precision", NO, Form::Text),
];

pub(super) static CREDENTIAL: [Row; 4] = [
    ("type", MUST, Form::Word(&words::CREDENTIALS)),
    ("name", NO, Form::Text),
    ("description", NO, Form::Text),
    ("authentication_info_extensions", NO, Form::By(objects::extensions)),
];

/// What a type of authentication information has besides (§6).
pub(super) fn of_credential(kind: &str) -> &'static [Row] {
    match kind {
        "http-basic" => &HTTP_BASIC,
        "oauth2" => &OAUTH2,
        "user-auth" => &USER_AUTH,
        _ => &[],
    }
}

static HTTP_BASIC: [Row; 4] = [
    ("user_id", NO, Form::Text),
    ("password", NO, Form::Text),
    ("kms", NO, Form::Flag),
    ("kms_key_identifier", NO, Form::Text),
];
static OAUTH2: [Row; 4] = [
    ("oauth_header", MUST, Form::Text),
    ("token", MUST, Form::Text),
    ("kms", NO, Form::Flag),
    ("kms_key_identifier", NO, Form::Text),
];
static USER_AUTH: [Row; 4] = [
    ("username", NO, Form::Text),
    ("password", NO, Form::Text),
    ("kms", NO, Form::Flag),
    ("kms_key_identifier", NO, Form::Text),
];

pub(super) static EXTENSION: [Row; 7] = [
    ("type", MUST, Form::Exactly("extension-definition")),
    ("name", MUST, Form::Text),
    ("description", NO, Form::Text),
    ("created_by", MUST, Form::IdOf("identity")),
    ("schema", MUST, Form::Text),
    ("version", MUST, Form::Text),
    ("external_references", NO, Form::Objects(&REFERENCE)),
];

pub(super) static MARKING: [Row; 11] = [
    ("type", MUST, Form::OneOf(&["marking-statement", "marking-tlp", "marking-iep"])),
    ("id", MUST, Form::Id),
    ("name", NO, Form::Text),
    ("description", NO, Form::Text),
    ("created_by", MUST, Form::IdOf("identity")),
    ("created", MUST, Form::Time),
    ("revoked", NO, Form::Flag),
    ("valid_from", NO, Form::Time),
    ("valid_until", NO, Form::Time),
    ("labels", NO, Form::Texts),
    ("marking_extensions", NO, Form::By(objects::extensions)),
];

/// What a type of marking has besides (§9).
pub(super) fn of_marking(kind: &str) -> &'static [Row] {
    match kind {
        "marking-tlp" => &TLP,
        "marking-statement" => &STATEMENT,
        "marking-iep" => &IEP,
        _ => &[],
    }
}

static TLP: [Row; 2] = [
    (
        "tlpv2_level",
        MUST,
        Form::OneOf(&["TLP:RED", "TLP:AMBER", "TLP:AMBER+STRICT", "TLP:GREEN", "TLP:CLEAR"]),
    ),
    ("external_references", NO, Form::Objects(&REFERENCE)),
];
static STATEMENT: [Row; 2] =
    [("statement", MUST, Form::Text), ("external_references", NO, Form::Objects(&REFERENCE))];
/// FIRST's Information Exchange Policy 2.0.
static IEP: [Row; 12] = [
    ("name", MUST, Form::Text),
    ("description", MUST, Form::Text),
    ("tlp", MUST, Form::Text),
    ("iep_version", MUST, Form::Whole(i64::MIN, MAX_I)),
    ("start_date", MUST, Form::Time),
    ("end_date", MUST, Form::TimeOrNull),
    ("encrypt_in_transit", MUST, Form::Text),
    ("permitted_actions", MUST, Form::Text),
    ("affected_party_notifications", MUST, Form::Text),
    ("attribution", MUST, Form::Text),
    ("unmodified_resale", MUST, Form::Text),
    ("external_references", MUST, Form::List(objects::iep_reference)),
];

pub(super) static SIGNATURE: [Row; 19] = [
    ("type", MUST, Form::Exactly("jss")),
    ("id", MUST, Form::Id),
    ("created_by", NO, Form::Id),
    ("created", MUST, Form::Time),
    ("modified", MUST, Form::Time),
    ("revoked", NO, Form::Flag),
    ("signee", MUST, Form::Text),
    ("valid_from", NO, Form::Time),
    ("valid_until", NO, Form::Time),
    ("related_to", MUST, Form::Id),
    ("related_version", MUST, Form::Time),
    ("hash_algorithm", MUST, Form::Text),
    ("algorithm", MUST, Form::Word(&words::ALGORITHMS)),
    ("public_key", NO, Form::Text),
    ("public_cert_chain", NO, Form::Texts),
    ("cert_url", NO, Form::Text),
    ("thumbprint", NO, Form::Text),
    ("value", MUST, Form::Text),
    ("signature", NO, Form::By(objects::counter_signature)),
];

/// Whether a text is an argument: `__name__` or `__name__:value`.
pub(super) fn is_argument(text: &str) -> bool {
    is_name(crate::variables::bare(text))
}
