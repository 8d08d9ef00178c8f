//! Tables of the cyber observables (STIX 2.1 §6).

use super::forms;
use super::observed as o;
use super::path::Sink;
use super::rules::{Family, Property, Struct, TypeRules, may, must, nothing_more};
use super::shape::{Shape, Target, Values};
use crate::object::Object;
use crate::vocabulary as v;

const fn entry(
    name: &'static str,
    clause: &'static str,
    properties: &'static [Property],
    check: fn(&Object, &mut Sink<'_>),
) -> TypeRules {
    TypeRules { name, family: Family::Observable, clause, properties, check }
}

/// Largest integer of STIX (§2.10): 2^53 - 1.
pub(super) const INT_MAX: i64 = (1 << 53) - 1;
/// A size or a count.
pub(super) const COUNT: Shape = Shape::Int(0, INT_MAX);
/// Any integer.
pub(super) const INTEGER: Shape = Shape::Int(-INT_MAX, INT_MAX);
/// The `hex` type.
pub(super) const HEX: Shape = Shape::Hex;
const PORT: Shape = Shape::Int(0, 65_535);
const SYSTEMS: Shape = Shape::Refs(Target::Only(&["autonomous-system"]));
const MACS: Shape = Shape::Refs(Target::Only(&["mac-addr"]));
const MAILBOX: Target = Target::Only(&["email-addr"]);
const ADDRESS: Target = Target::Only(&["ipv4-addr", "ipv6-addr", "mac-addr", "domain-name"]);
const ARTIFACT_REF: Shape = Shape::Ref(Target::Only(&["artifact"]));
const ACCOUNT_REF: Shape = Shape::Ref(Target::Only(&["user-account"]));

pub(super) const TYPES: &[TypeRules] = &[
    entry("artifact", "STIX 2.1 §6.1", ARTIFACT, o::artifact),
    entry("autonomous-system", "STIX 2.1 §6.2", AUTONOMOUS_SYSTEM, nothing_more),
    entry("directory", "STIX 2.1 §6.3", DIRECTORY, nothing_more),
    entry("domain-name", "STIX 2.1 §6.4", DOMAIN_NAME, nothing_more),
    entry("email-addr", "STIX 2.1 §6.5", EMAIL_ADDR, nothing_more),
    entry("email-message", "STIX 2.1 §6.6", EMAIL_MESSAGE, o::email_message),
    entry("file", "STIX 2.1 §6.7", FILE, o::file),
    entry("ipv4-addr", "STIX 2.1 §6.8", IPV4, nothing_more),
    entry("ipv6-addr", "STIX 2.1 §6.9", IPV6, nothing_more),
    entry("mac-addr", "STIX 2.1 §6.10", MAC, nothing_more),
    entry("mutex", "STIX 2.1 §6.11", MUTEX, nothing_more),
    entry("network-traffic", "STIX 2.1 §6.12", NETWORK_TRAFFIC, o::network_traffic),
    entry("process", "STIX 2.1 §6.13", PROCESS, o::process),
    entry("software", "STIX 2.1 §6.14", SOFTWARE, nothing_more),
    entry("url", "STIX 2.1 §6.15", URL, nothing_more),
    entry("user-account", "STIX 2.1 §6.16", USER_ACCOUNT, o::at_least_one),
    entry("windows-registry-key", "STIX 2.1 §6.17", REGISTRY_KEY, o::at_least_one_own),
    entry("x509-certificate", "STIX 2.1 §6.18", CERTIFICATE, o::at_least_one_own),
];

const ARTIFACT: &[Property] = &[
    may("mime_type", Shape::Should(&forms::MIME)),
    may("payload_bin", Shape::Must(&forms::BASE64)),
    may("url", Shape::Must(&forms::URL)),
    may("hashes", Shape::Hashes),
    may("encryption_algorithm", Shape::Enum(&v::ENCRYPTION_ALGORITHM)),
    may("decryption_key", Shape::Text),
];

const AUTONOMOUS_SYSTEM: &[Property] =
    &[must("number", INTEGER), may("name", Shape::Text), may("rir", Shape::Text)];

const DIRECTORY: &[Property] = &[
    must("path", Shape::Text),
    may("path_enc", Shape::Must(&forms::CHARSET)),
    may("ctime", Shape::Timestamp),
    may("mtime", Shape::Timestamp),
    may("atime", Shape::Timestamp),
    may("contains_refs", Shape::Refs(Target::Only(&["file", "directory"]))),
];

const DOMAIN_NAME: &[Property] = &[
    must("value", Shape::Must(&forms::DOMAIN)),
    may("resolves_to_refs", Shape::Refs(Target::Only(&["ipv4-addr", "ipv6-addr", "domain-name"]))),
];

const EMAIL_ADDR: &[Property] = &[
    must("value", Shape::Must(&forms::EMAIL)),
    may("display_name", Shape::Text),
    may("belongs_to_ref", ACCOUNT_REF),
];

const EMAIL_MESSAGE: &[Property] = &[
    must("is_multipart", Shape::Bool),
    may("date", Shape::Timestamp),
    may("content_type", Shape::Text),
    may("from_ref", Shape::Ref(MAILBOX)),
    may("sender_ref", Shape::Ref(MAILBOX)),
    may("to_refs", Shape::Refs(MAILBOX)),
    may("cc_refs", Shape::Refs(MAILBOX)),
    may("bcc_refs", Shape::Refs(MAILBOX)),
    may("message_id", Shape::Text),
    may("subject", Shape::Text),
    may("received_lines", Shape::Texts),
    may("additional_header_fields", Shape::Dictionary(Values::Any)),
    may("body", Shape::Text),
    may("body_multipart", Shape::Structs(&MIME_PART)),
    may("raw_email_ref", ARTIFACT_REF),
];

static MIME_PART: Struct = Struct {
    clause: "STIX 2.1 §6.6.2",
    properties: &[
        may("body", Shape::Text),
        may("body_raw_ref", Shape::Ref(Target::Only(&["artifact", "file"]))),
        may("content_type", Shape::Text),
        may("content_disposition", Shape::Text),
    ],
    one_beside: None,
    check: o::mime_part,
};

const FILE: &[Property] = &[
    may("hashes", Shape::Hashes),
    may("size", COUNT),
    may("name", Shape::Text),
    may("name_enc", Shape::Must(&forms::CHARSET)),
    may("magic_number_hex", HEX),
    may("mime_type", Shape::Should(&forms::MIME)),
    may("ctime", Shape::Timestamp),
    may("mtime", Shape::Timestamp),
    may("atime", Shape::Timestamp),
    may("parent_directory_ref", Shape::Ref(Target::Only(&["directory"]))),
    may("contains_refs", Shape::Refs(Target::Observables)),
    may("content_ref", ARTIFACT_REF),
];

const IPV4: &[Property] = &[
    must("value", Shape::Must(&forms::IPV4)),
    may("resolves_to_refs", MACS),
    may("belongs_to_refs", SYSTEMS),
];

const IPV6: &[Property] = &[
    must("value", Shape::Must(&forms::IPV6)),
    may("resolves_to_refs", MACS),
    may("belongs_to_refs", SYSTEMS),
];

const MAC: &[Property] = &[must("value", Shape::Must(&forms::MAC))];

const MUTEX: &[Property] = &[must("name", Shape::Text)];

const NETWORK_TRAFFIC: &[Property] = &[
    may("start", Shape::Timestamp),
    may("end", Shape::Timestamp),
    may("is_active", Shape::Bool),
    may("src_ref", Shape::Ref(ADDRESS)),
    may("dst_ref", Shape::Ref(ADDRESS)),
    may("src_port", PORT),
    may("dst_port", PORT),
    must("protocols", Shape::Shoulds(&forms::PROTOCOL)),
    may("src_byte_count", COUNT),
    may("dst_byte_count", COUNT),
    may("src_packets", COUNT),
    may("dst_packets", COUNT),
    may("ipfix", Shape::Dictionary(Values::TextsOrIntegers)),
    may("src_payload_ref", ARTIFACT_REF),
    may("dst_payload_ref", ARTIFACT_REF),
    may("encapsulates_refs", Shape::Refs(Target::Only(&["network-traffic"]))),
    may("encapsulated_by_ref", Shape::Ref(Target::Only(&["network-traffic"]))),
];

const PROCESS: &[Property] = &[
    may("is_hidden", Shape::Bool),
    may("pid", INTEGER),
    may("created_time", Shape::Timestamp),
    may("cwd", Shape::Text),
    may("command_line", Shape::Text),
    may("environment_variables", Shape::Dictionary(Values::Texts)),
    may("opened_connection_refs", Shape::Refs(Target::Only(&["network-traffic"]))),
    may("creator_user_ref", ACCOUNT_REF),
    may("image_ref", Shape::Ref(Target::Only(&["file"]))),
    may("parent_ref", Shape::Ref(Target::Only(&["process"]))),
    may("child_refs", Shape::Refs(Target::Only(&["process"]))),
];

const SOFTWARE: &[Property] = &[
    must("name", Shape::Text),
    may("cpe", Shape::Must(&forms::CPE)),
    may("swid", Shape::Text),
    may("languages", Shape::Musts(&forms::LANGUAGE)),
    may("vendor", Shape::Text),
    may("version", Shape::Text),
];

const URL: &[Property] = &[must("value", Shape::Must(&forms::URL))];

const USER_ACCOUNT: &[Property] = &[
    may("user_id", Shape::Text),
    may("credential", Shape::Text),
    may("account_login", Shape::Text),
    may("account_type", Shape::Open(&v::ACCOUNT_TYPE)),
    may("display_name", Shape::Text),
    may("is_service_account", Shape::Bool),
    may("is_privileged", Shape::Bool),
    may("can_escalate_privs", Shape::Bool),
    may("is_disabled", Shape::Bool),
    may("account_created", Shape::Timestamp),
    may("account_expires", Shape::Timestamp),
    may("credential_last_changed", Shape::Timestamp),
    may("account_first_login", Shape::Timestamp),
    may("account_last_login", Shape::Timestamp),
];

const REGISTRY_KEY: &[Property] = &[
    may("key", Shape::Must(&forms::REGISTRY_KEY)),
    may("values", Shape::Structs(&REGISTRY_VALUE)),
    may("modified_time", Shape::Timestamp),
    may("creator_user_ref", ACCOUNT_REF),
    may("number_of_subkeys", COUNT),
];

static REGISTRY_VALUE: Struct = Struct {
    clause: "STIX 2.1 §6.17.2",
    properties: &[
        may("name", Shape::Text),
        may("data", Shape::Text),
        may("data_type", Shape::Enum(&v::REGISTRY_DATATYPE)),
    ],
    one_beside: Some(""),
    check: o::nothing_in_map,
};

const CERTIFICATE: &[Property] = &[
    may("is_self_signed", Shape::Bool),
    may("hashes", Shape::Hashes),
    may("version", Shape::Text),
    may("serial_number", Shape::Text),
    may("signature_algorithm", Shape::Text),
    may("issuer", Shape::Text),
    may("validity_not_before", Shape::Timestamp),
    may("validity_not_after", Shape::Timestamp),
    may("subject", Shape::Text),
    may("subject_public_key_algorithm", Shape::Text),
    may("subject_public_key_modulus", Shape::Text),
    may("subject_public_key_exponent", INTEGER),
    may("x509_v3_extensions", Shape::Struct(&X509_V3)),
];

static X509_V3: Struct = Struct {
    clause: "STIX 2.1 §6.18.2",
    properties: &[
        may("basic_constraints", Shape::Text),
        may("name_constraints", Shape::Text),
        may("policy_constraints", Shape::Text),
        may("key_usage", Shape::Text),
        may("extended_key_usage", Shape::Text),
        may("subject_key_identifier", Shape::Text),
        may("authority_key_identifier", Shape::Text),
        may("subject_alternative_name", Shape::Text),
        may("issuer_alternative_name", Shape::Text),
        may("subject_directory_attributes", Shape::Text),
        may("crl_distribution_points", Shape::Text),
        may("inhibit_any_policy", Shape::Text),
        may("private_key_usage_period_not_before", Shape::Timestamp),
        may("private_key_usage_period_not_after", Shape::Timestamp),
        may("certificate_policies", Shape::Text),
        may("policy_mappings", Shape::Text),
    ],
    one_beside: Some(""),
    check: o::nothing_in_map,
};
