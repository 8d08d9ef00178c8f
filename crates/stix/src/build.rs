//! Builders for the objects that the platform produces. Each takes what the standard requires of
//! the type, so that what is built is valid; optional properties follow with [`Draft::set`].

use serde_json::{Map, Value, json};

use crate::id::{self, StixId};
use crate::marking::Tlp;
use crate::object::Object;
use crate::time::Timestamp;

/// An object being built.
#[derive(Debug, Clone)]
#[must_use = "call `build` for the object"]
pub struct Draft {
    properties: Map<String, Value>,
}

impl Draft {
    fn domain(id: &StixId, at: Timestamp) -> Self {
        let at = at.to_millis().to_string();
        Self::raw(json!({
            "type": id.kind(), "spec_version": "2.1", "id": id.as_str(),
            "created": at, "modified": at
        }))
    }

    fn observable(kind: &str, properties: &Value) -> Self {
        let contributing = properties.as_object().cloned().unwrap_or_default();
        let id = id::deterministic(kind, &contributing).map(|id| id.to_string());
        let mut draft = Self::raw(json!({
            "type": kind, "spec_version": "2.1", "id": id.unwrap_or_default()
        }));
        draft.properties.extend(contributing);
        draft
    }

    fn raw(value: Value) -> Self {
        Self { properties: value.as_object().cloned().unwrap_or_default() }
    }

    /// Sets one property; `null` and empty lists are left out, as the standard forbids them.
    pub fn set(mut self, name: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        let empty = value.is_null()
            || value.as_array().is_some_and(Vec::is_empty)
            || value.as_object().is_some_and(Map::is_empty);
        if !empty {
            self.properties.insert(name.to_owned(), value);
        }
        self
    }

    /// Sets a later version: `modified`, not before `created`.
    pub fn modified(self, at: Timestamp) -> Self {
        let created = self.properties.get("created").and_then(Value::as_str).map(Timestamp::parse);
        let at = match created {
            Some(Ok(created)) => at.to_millis().max(created),
            _ => at.to_millis(),
        };
        self.set("modified", at.to_string())
    }

    /// Sets `created_by_ref`.
    pub fn created_by(self, identity: &StixId) -> Self {
        self.set("created_by_ref", identity.as_str())
    }

    /// Marks the object with a TLP 2.0 label. The bundle must carry [`Tlp::definition`].
    pub fn marked(mut self, tlp: Tlp) -> Self {
        let refs = self.properties.entry("object_marking_refs").or_insert_with(|| json!([]));
        if let Some(list) = refs.as_array_mut() {
            list.push(tlp.id().into());
        }
        self
    }

    /// Adds an external reference, such as an ATT&CK technique.
    pub fn reference(mut self, source_name: &str, external_id: &str, url: Option<&str>) -> Self {
        let mut entry = json!({"source_name": source_name, "external_id": external_id});
        if let (Some(url), Some(map)) = (url, entry.as_object_mut()) {
            map.insert("url".to_owned(), url.into());
        }
        let list = self.properties.entry("external_references").or_insert_with(|| json!([]));
        if let Some(list) = list.as_array_mut() {
            list.push(entry);
        }
        self
    }

    /// Adds a property extension under the id of its extension definition.
    pub fn extension(mut self, definition: &StixId, body: Map<String, Value>) -> Self {
        let mut full = Map::new();
        full.insert("extension_type".to_owned(), "property-extension".into());
        full.extend(body);
        let all = self.properties.entry("extensions").or_insert_with(|| json!({}));
        if let Some(map) = all.as_object_mut() {
            map.insert(definition.to_string(), Value::Object(full));
        }
        self
    }

    /// The finished object.
    #[must_use]
    pub fn build(self) -> Object {
        Object::from_map(self.properties)
    }
}

/// `identity` (§4.5) of a class of `identity-class-ov`, e.g. `organization`.
pub fn identity(id: &StixId, at: Timestamp, name: &str, class: &str) -> Draft {
    Draft::domain(id, at).set("name", name).set("identity_class", class)
}

/// `infrastructure` (§4.8).
pub fn infrastructure(id: &StixId, at: Timestamp, name: &str) -> Draft {
    Draft::domain(id, at).set("name", name)
}

/// `indicator` (§4.7) with a STIX pattern.
pub fn indicator(id: &StixId, at: Timestamp, pattern: &str, valid_from: Timestamp) -> Draft {
    Draft::domain(id, at)
        .set("pattern", pattern)
        .set("pattern_type", "stix")
        .set("pattern_version", "2.1")
        .set("valid_from", valid_from.to_string())
}

/// `malware` (§4.11).
pub fn malware(id: &StixId, at: Timestamp, name: &str, is_family: bool) -> Draft {
    Draft::domain(id, at).set("name", name).set("is_family", is_family)
}

/// `attack-pattern` (§4.1).
pub fn attack_pattern(id: &StixId, at: Timestamp, name: &str) -> Draft {
    Draft::domain(id, at).set("name", name)
}

/// `course-of-action` (§4.3).
pub fn course_of_action(id: &StixId, at: Timestamp, name: &str) -> Draft {
    Draft::domain(id, at).set("name", name)
}

/// `incident` (§4.6).
pub fn incident(id: &StixId, at: Timestamp, name: &str) -> Draft {
    Draft::domain(id, at).set("name", name)
}

/// `note` (§4.13) about `object_refs`.
pub fn note(id: &StixId, at: Timestamp, content: &str, object_refs: &[String]) -> Draft {
    Draft::domain(id, at).set("content", content).set("object_refs", object_refs.to_vec())
}

/// `observed-data` (§4.14) of cyber observables by reference. The window is ordered and the count
/// kept within 1 to 999,999,999.
pub fn observed_data(
    id: &StixId,
    at: Timestamp,
    window: (Timestamp, Timestamp),
    number_observed: u64,
    object_refs: &[String],
) -> Draft {
    Draft::domain(id, at)
        .set("first_observed", window.0.min(window.1).to_string())
        .set("last_observed", window.0.max(window.1).to_string())
        .set("number_observed", number_observed.clamp(1, 999_999_999))
        .set("object_refs", object_refs.to_vec())
}

/// `relationship` (§5.1).
pub fn relationship(id: &StixId, at: Timestamp, kind: &str, from: &str, to: &str) -> Draft {
    Draft::domain(id, at)
        .set("relationship_type", kind)
        .set("source_ref", from)
        .set("target_ref", to)
}

/// `sighting` (§5.2).
pub fn sighting(id: &StixId, at: Timestamp, sighting_of: &str) -> Draft {
    Draft::domain(id, at).set("sighting_of_ref", sighting_of)
}

/// `extension-definition` (§7.3).
pub fn extension_definition(
    id: &StixId,
    at: Timestamp,
    created_by: &StixId,
    (name, schema, version): (&str, &str, &str),
    extension_types: &[&str],
) -> Draft {
    Draft::domain(id, at)
        .created_by(created_by)
        .set("name", name)
        .set("schema", schema)
        .set("version", version)
        .set("extension_types", extension_types.to_vec())
}

/// `marking-definition` (§7.2) that carries a statement.
pub fn statement_marking(id: &StixId, at: Timestamp, statement: &str) -> Draft {
    let at = at.to_millis().to_string();
    Draft::raw(json!({
        "type": "marking-definition", "spec_version": "2.1", "id": id.as_str(), "created": at,
        "definition_type": "statement", "definition": {"statement": statement}
    }))
}

/// `ipv4-addr` (§6.8).
pub fn ipv4_addr(address: std::net::Ipv4Addr) -> Draft {
    Draft::observable("ipv4-addr", &json!({"value": address.to_string()}))
}

/// `ipv6-addr` (§6.9).
pub fn ipv6_addr(address: std::net::Ipv6Addr) -> Draft {
    Draft::observable("ipv6-addr", &json!({"value": address.to_string()}))
}

/// `ipv4-addr` or `ipv6-addr`.
pub fn ip_addr(address: std::net::IpAddr) -> Draft {
    match address {
        std::net::IpAddr::V4(v4) => ipv4_addr(v4),
        std::net::IpAddr::V6(v6) => ipv6_addr(v6),
    }
}

/// `domain-name` (§6.4).
pub fn domain_name(name: &str) -> Draft {
    Draft::observable("domain-name", &json!({"value": name}))
}

/// `mac-addr` (§6.10): six pairs of lower-case hexadecimal digits with colons.
pub fn mac_addr(address: [u8; 6]) -> Draft {
    let pairs: Vec<String> = address.iter().map(|b| format!("{b:02x}")).collect();
    Draft::observable("mac-addr", &json!({"value": pairs.join(":")}))
}

/// One flow, for [`network_traffic`].
#[derive(Debug, Clone, Default)]
pub struct Traffic {
    /// Id of the source address object.
    pub src_ref: Option<String>,
    /// Id of the destination address object.
    pub dst_ref: Option<String>,
    /// Source port.
    pub src_port: Option<u16>,
    /// Destination port.
    pub dst_port: Option<u16>,
    /// Protocol names from outside in, e.g. `["ipv4", "tcp"]`; at least one.
    pub protocols: Vec<String>,
    /// First packet.
    pub start: Option<Timestamp>,
    /// Last packet.
    pub end: Option<Timestamp>,
}

/// `network-traffic` (§6.12). One of `src_ref` and `dst_ref` is needed.
pub fn network_traffic(traffic: &Traffic) -> Draft {
    let mut map = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            map.insert(name.to_owned(), value);
        }
    };
    put("start", traffic.start.map(|at| at.to_string().into()));
    put("end", traffic.end.map(|at| at.to_string().into()));
    put("src_ref", traffic.src_ref.clone().map(Value::from));
    put("dst_ref", traffic.dst_ref.clone().map(Value::from));
    put("src_port", traffic.src_port.map(Value::from));
    put("dst_port", traffic.dst_port.map(Value::from));
    put("protocols", Some(traffic.protocols.clone().into()));
    Draft::observable("network-traffic", &Value::Object(map))
}
