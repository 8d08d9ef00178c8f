//! This node as an author of objects.

use serde_json::{Value, json};
use stix::StixId;
use uuid::Uuid;

/// The namespace of ids that this program derives: the same thing has the same id whoever says it.
pub const NAMESPACE: Uuid = Uuid::from_u128(0x3b0d_4e7a_91c5_4f26_8a6e_d2f1_5c07_b934);

/// Id of an organisation's identity object, the same in everything it sends; `node` is its node id.
#[must_use]
pub fn identity_id(node: &str) -> StixId {
    StixId::derived("identity", NAMESPACE, node)
}

/// A domain object or relation that this node makes, with its author, its times and its marking; `more` adds to it.
#[must_use]
pub fn object(id: &StixId, node: &str, at: &str, tlp: stix::Tlp, more: Value) -> stix::Object {
    let mut object = json!({
        "type": id.kind(),
        "spec_version": "2.1",
        "id": id.as_str(),
        "created_by_ref": identity_id(node).as_str(),
        "created": at,
        "modified": at,
        "object_marking_refs": [tlp.id()],
    });
    if let (Some(own), Value::Object(more)) = (object.as_object_mut(), more) {
        own.extend(more);
    }
    match object {
        Value::Object(map) => stix::Object::from_map(map),
        _ => stix::Object::from_map(serde_json::Map::new()),
    }
}
