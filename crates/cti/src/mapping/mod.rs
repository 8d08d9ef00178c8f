//! Between `model::Incident` and STIX 2.1. What the standard has no word for travels in one property
//! extension, so that a node of ours reads back what another wrote, and others read plain STIX.

pub(crate) mod hide;
pub(crate) mod incoming;
pub(crate) mod outgoing;

use serde_json::{Map, Value};
use stix::{Object, StixId, Timestamp, build};
use uuid::Uuid;

/// Property extension on incident, observed-data, note and address objects.
pub(crate) const EXTENSION: &str = "extension-definition--c2a6d9e4-3f51-4e0b-8d27-6b9f1e7a5c34";
/// Identity that publishes the extension.
const PUBLISHER: &str = "identity--7d3b5f0e-92c4-4a8e-b1d6-0f4c8a2e6b95";
/// 2026-11-22T00:00:00Z: when the extension was written.
const PUBLISHED_US: i64 = 1_795_305_600_000_000;

/// A well-known id of this module.
fn known(text: &str) -> StixId {
    StixId::parse(text).unwrap_or_else(|_| StixId::new("identity", Uuid::nil()))
}

/// Id of the extension definition.
pub(crate) fn extension_id() -> StixId {
    known(EXTENSION)
}

/// The extension definition and the identity behind it.
pub(crate) fn extension_objects() -> [Object; 2] {
    let at = Timestamp::from_unix_us(PUBLISHED_US);
    let publisher = known(PUBLISHER);
    let schema = "incident, share, origin, origin_name, severity, event_at, recorded_at: of an \
                  incident; finding: JSON of a finding on observed-data; pseudonym: the address is \
                  not the real one; acknowledgement, signature: on a note";
    [
        build::identity(&publisher, at, "Sereno", "organization").build(),
        build::extension_definition(
            &extension_id(),
            at,
            &publisher,
            ("Sereno exchange", schema, "1.0"),
            &["property-extension"],
        )
        .build(),
    ]
}

/// Pairs as the body of an extension; empty texts are left out.
pub(crate) fn body<const N: usize>(pairs: [(&str, Value); N]) -> Map<String, Value> {
    pairs
        .into_iter()
        .filter(|(_, value)| !value.is_null() && value.as_str() != Some(""))
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// A time of the model as STIX has it.
pub(crate) const fn stix_time(at: model::Timestamp) -> Timestamp {
    Timestamp::from_unix_us(at.as_micros())
}

/// A marking of the model as STIX has it.
pub(crate) const fn stix_tlp(tlp: model::Tlp) -> stix::Tlp {
    match tlp {
        model::Tlp::Clear => stix::Tlp::Clear,
        model::Tlp::Green => stix::Tlp::Green,
        model::Tlp::Amber => stix::Tlp::Amber,
        model::Tlp::AmberStrict => stix::Tlp::AmberStrict,
        model::Tlp::Red => stix::Tlp::Red,
    }
}

/// A marking of STIX as the model has it.
pub(crate) const fn model_tlp(tlp: stix::Tlp) -> model::Tlp {
    match tlp {
        stix::Tlp::Clear => model::Tlp::Clear,
        stix::Tlp::Green => model::Tlp::Green,
        stix::Tlp::Amber => model::Tlp::Amber,
        stix::Tlp::AmberStrict => model::Tlp::AmberStrict,
        stix::Tlp::Red => model::Tlp::Red,
    }
}

/// Id of an organisation's identity object, the same in everything it sends.
pub(crate) fn identity_id(node: model::NodeId) -> StixId {
    ::intel::own::identity_id(&node.to_string())
}
