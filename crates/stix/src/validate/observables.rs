//! Tables of the cyber observables (STIX 2.1 §6).

use super::rules::{Family, Property, TypeRules, may, must, nothing_more};
use super::shape::{Shape, Target};
use super::{Sink, checks};
use crate::object::Object;

const fn observable(
    name: &'static str,
    properties: &'static [Property],
    check: fn(&Object, &mut Sink<'_>),
) -> TypeRules {
    TypeRules { name, family: Family::Observable, properties, check }
}

/// Largest integer of STIX (§2.8): 2^53 - 1.
const INT_MAX: i64 = (1 << 53) - 1;
const COUNT: Shape = Shape::Int(0, INT_MAX);
const PORT: Shape = Shape::Int(0, 65_535);
const AUTONOMOUS: Shape = Shape::Refs(Target::Only(&["autonomous-system"]));
const TRAFFIC: Shape = Shape::Refs(Target::Only(&["network-traffic"]));
const ADDRESS: Target = Target::Only(&["ipv4-addr", "ipv6-addr", "mac-addr", "domain-name"]);

pub(super) const TYPES: &[TypeRules] = &[
    observable("artifact", ARTIFACT, checks::artifact),
    observable("autonomous-system", AUTONOMOUS_SYSTEM, nothing_more),
    observable("domain-name", DOMAIN_NAME, nothing_more),
    observable("email-addr", EMAIL_ADDR, nothing_more),
    observable("file", FILE, checks::file),
    observable("ipv4-addr", IPV4, nothing_more),
    observable("ipv6-addr", IPV6, nothing_more),
    observable("mac-addr", MAC, nothing_more),
    observable("mutex", MUTEX, nothing_more),
    observable("network-traffic", NETWORK_TRAFFIC, checks::network_traffic),
    observable("url", URL, nothing_more),
];

const ARTIFACT: &[Property] = &[
    may("mime_type", Shape::Text, "STIX 2.1 §6.1"),
    may("payload_bin", Shape::Base64, "STIX 2.1 §6.1"),
    may("url", Shape::Text, "STIX 2.1 §6.1"),
    may("hashes", Shape::Hashes, "STIX 2.1 §6.1"),
    may("encryption_algorithm", Shape::Text, "STIX 2.1 §6.1"),
    may("decryption_key", Shape::Text, "STIX 2.1 §6.1"),
];

const AUTONOMOUS_SYSTEM: &[Property] = &[
    must("number", Shape::Int(0, 4_294_967_295), "STIX 2.1 §6.2"),
    may("name", Shape::Text, "STIX 2.1 §6.2"),
    may("rir", Shape::Text, "STIX 2.1 §6.2"),
];

const DOMAIN_NAME: &[Property] = &[
    must("value", Shape::Text, "STIX 2.1 §6.4"),
    may(
        "resolves_to_refs",
        Shape::Refs(Target::Only(&["ipv4-addr", "ipv6-addr", "domain-name"])),
        "STIX 2.1 §6.4",
    ),
];

const EMAIL_ADDR: &[Property] = &[
    must("value", Shape::Text, "STIX 2.1 §6.5"),
    may("display_name", Shape::Text, "STIX 2.1 §6.5"),
    may("belongs_to_ref", Shape::Ref(Target::Only(&["user-account"])), "STIX 2.1 §6.5"),
];

const FILE: &[Property] = &[
    may("hashes", Shape::Hashes, "STIX 2.1 §6.7"),
    may("size", COUNT, "STIX 2.1 §6.7"),
    may("name", Shape::Text, "STIX 2.1 §6.7"),
    may("name_enc", Shape::Text, "STIX 2.1 §6.7"),
    may("magic_number_hex", Shape::Hex, "STIX 2.1 §6.7"),
    may("mime_type", Shape::Text, "STIX 2.1 §6.7"),
    may("ctime", Shape::Timestamp, "STIX 2.1 §6.7"),
    may("mtime", Shape::Timestamp, "STIX 2.1 §6.7"),
    may("atime", Shape::Timestamp, "STIX 2.1 §6.7"),
    may("parent_directory_ref", Shape::Ref(Target::Only(&["directory"])), "STIX 2.1 §6.7"),
    may("contains_refs", Shape::Refs(Target::Any), "STIX 2.1 §6.7"),
    may("content_ref", Shape::Ref(Target::Only(&["artifact"])), "STIX 2.1 §6.7"),
];

const IPV4: &[Property] = &[
    must("value", Shape::Ipv4, "STIX 2.1 §6.8"),
    may("resolves_to_refs", Shape::Refs(Target::Only(&["mac-addr"])), "STIX 2.1 §6.8"),
    may("belongs_to_refs", AUTONOMOUS, "STIX 2.1 §6.8"),
];

const IPV6: &[Property] = &[
    must("value", Shape::Ipv6, "STIX 2.1 §6.9"),
    may("resolves_to_refs", Shape::Refs(Target::Only(&["mac-addr"])), "STIX 2.1 §6.9"),
    may("belongs_to_refs", AUTONOMOUS, "STIX 2.1 §6.9"),
];

const MAC: &[Property] = &[must("value", Shape::Mac, "STIX 2.1 §6.10")];

const MUTEX: &[Property] = &[must("name", Shape::Text, "STIX 2.1 §6.11")];

const NETWORK_TRAFFIC: &[Property] = &[
    may("start", Shape::Timestamp, "STIX 2.1 §6.12"),
    may("end", Shape::Timestamp, "STIX 2.1 §6.12"),
    may("is_active", Shape::Bool, "STIX 2.1 §6.12"),
    may("src_ref", Shape::Ref(ADDRESS), "STIX 2.1 §6.12"),
    may("dst_ref", Shape::Ref(ADDRESS), "STIX 2.1 §6.12"),
    may("src_port", PORT, "STIX 2.1 §6.12"),
    may("dst_port", PORT, "STIX 2.1 §6.12"),
    must("protocols", Shape::Texts, "STIX 2.1 §6.12"),
    may("src_byte_count", COUNT, "STIX 2.1 §6.12"),
    may("dst_byte_count", COUNT, "STIX 2.1 §6.12"),
    may("src_packets", COUNT, "STIX 2.1 §6.12"),
    may("dst_packets", COUNT, "STIX 2.1 §6.12"),
    may("ipfix", Shape::Dictionary, "STIX 2.1 §6.12"),
    may("src_payload_ref", Shape::Ref(Target::Only(&["artifact"])), "STIX 2.1 §6.12"),
    may("dst_payload_ref", Shape::Ref(Target::Only(&["artifact"])), "STIX 2.1 §6.12"),
    may("encapsulates_refs", TRAFFIC, "STIX 2.1 §6.12"),
    may("encapsulated_by_ref", Shape::Ref(Target::Only(&["network-traffic"])), "STIX 2.1 §6.12"),
];

const URL: &[Property] = &[must("value", Shape::Text, "STIX 2.1 §6.15")];
