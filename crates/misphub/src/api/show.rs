//! Events, attributes and objects as MISP writes them: numbers as texts.

use std::collections::{HashMap, HashSet};

use platform::db::DbError;
use serde_json::{Value, json};
use sqlx::AnyConnection;

use super::beside;
use crate::fields::Fields;
use crate::store::attributes::Attribute;
use crate::store::events::Event;
use crate::store::objects::{Object, Reference};
use crate::store::others::Org;
use crate::store::sightings::{self, Sighting};
use crate::store::tags::{self, Tag};
use crate::store::{attributes, objects};

/// Which parts of an event are shown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Parts {
    /// Only the event itself and its tags.
    pub(crate) metadata: bool,
    /// Also what is marked as deleted.
    pub(crate) deleted: bool,
    /// Without sightings.
    pub(crate) no_sightings: bool,
    /// With open proposals: for people, not for what is published.
    pub(crate) proposals: bool,
    /// With events that share a value, up to this rank: for the caller's eyes only, never for what leaves.
    pub(crate) related: Option<i64>,
    /// With clusters up to this rank; that of the event where nothing is said.
    pub(crate) clusters: Option<i64>,
}

impl Parts {
    /// All that somebody may see who sees so much.
    pub(crate) const fn seen_by(most: i64) -> Self {
        Self {
            metadata: false,
            deleted: false,
            no_sightings: false,
            proposals: true,
            related: Some(most),
            clusters: Some(most),
        }
    }
}

/// Takes sharing groups with their members out, wherever they stand: who belongs to one is told only to those who may
/// see everything. They stay stored.
pub(crate) fn without_groups(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_groups),
        Value::Object(fields) => {
            fields.retain(|name, _| {
                !matches!(name.as_str(), "SharingGroup" | "SharingGroupOrg" | "SharingGroupServer")
            });
            fields.values_mut().for_each(without_groups);
        }
        _ => {}
    }
}

/// Takes out what is null: it says nothing, and STIX has no null.
pub(crate) fn without_nulls(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        _ => {}
    }
}

pub(super) fn set(fields: &mut Fields, name: &str, value: impl Into<Value>) {
    fields.insert(name.to_owned(), value.into());
}

pub(super) fn number(fields: &mut Fields, name: &str, value: i64) {
    set(fields, name, value.to_string());
}

pub(crate) fn org(org: &Org) -> Value {
    json!({ "id": org.id.to_string(), "name": org.name, "uuid": org.uuid, "local": true })
}

pub(crate) fn tag(tag: &Tag) -> Value {
    let mut fields = tag.body.clone();
    number(&mut fields, "id", tag.id);
    set(&mut fields, "name", tag.name.clone());
    fields.entry("colour").or_insert_with(|| "#0088cc".into());
    fields.entry("exportable").or_insert(true.into());
    set(&mut fields, "local", tag.local);
    Value::Object(fields)
}

/// As in MISP, a tag that is not exportable stands on no thing that is told; a label holds all the same.
fn is_told(tag: &Tag) -> bool {
    crate::fields::truth(&tag.body, "exportable").unwrap_or(true)
}

pub(crate) fn attribute(attribute: &Attribute, tags: &[Tag]) -> Value {
    let mut fields = attribute.body.clone();
    number(&mut fields, "id", attribute.id);
    number(&mut fields, "event_id", attribute.event);
    number(&mut fields, "object_id", attribute.object);
    set(&mut fields, "uuid", attribute.uuid.clone());
    set(&mut fields, "type", attribute.kind.clone());
    set(&mut fields, "category", attribute.category.clone());
    set(&mut fields, "value", attribute.value.clone());
    set(&mut fields, "to_ids", attribute.to_ids);
    number(&mut fields, "timestamp", attribute.stamp);
    set(&mut fields, "deleted", attribute.deleted);
    for (name, usual) in [
        ("distribution", json!("5")),
        ("sharing_group_id", json!("0")),
        ("comment", json!("")),
        ("disable_correlation", json!(false)),
        ("object_relation", Value::Null),
        ("first_seen", Value::Null),
        ("last_seen", Value::Null),
    ] {
        fields.entry(name).or_insert(usual);
    }
    let tags: Vec<Value> = tags.iter().filter(|tag| is_told(tag)).map(tag).collect();
    if !tags.is_empty() {
        set(&mut fields, "Tag", tags);
    }
    Value::Object(fields)
}

pub(crate) fn object(object: &Object, attributes: Vec<Value>, references: Vec<Value>) -> Value {
    let mut fields = object.body.clone();
    number(&mut fields, "id", object.id);
    number(&mut fields, "event_id", object.event);
    set(&mut fields, "uuid", object.uuid.clone());
    set(&mut fields, "name", object.name.clone());
    number(&mut fields, "timestamp", object.stamp);
    set(&mut fields, "deleted", object.deleted);
    for (name, usual) in [
        ("distribution", "5"),
        ("sharing_group_id", "0"),
        ("comment", ""),
        ("meta-category", "misc"),
        ("description", ""),
    ] {
        fields.entry(name).or_insert(usual.into());
    }
    set(&mut fields, "ObjectReference", references);
    set(&mut fields, "Attribute", attributes);
    Value::Object(fields)
}

pub(crate) fn reference(reference: &Reference) -> Value {
    let mut fields = reference.body.clone();
    number(&mut fields, "id", reference.id);
    number(&mut fields, "event_id", reference.event);
    number(&mut fields, "object_id", reference.object);
    set(&mut fields, "uuid", reference.uuid.clone());
    set(&mut fields, "deleted", false);
    Value::Object(fields)
}

pub(crate) fn sighting(sighting: &Sighting, orgs: &[Org]) -> Value {
    json!({
        "id": sighting.id.to_string(),
        "uuid": sighting.uuid,
        "attribute_id": sighting.attribute.to_string(),
        "attribute_uuid": sighting.attribute_uuid,
        "event_id": sighting.event.to_string(),
        "org_id": sighting.org.to_string(),
        "type": sighting.kind,
        "source": sighting.source,
        "date_sighting": sighting.seen.to_string(),
        "Organisation": orgs.iter().find(|found| found.id == sighting.org).map(org),
    })
}

/// Objects of an event with their attributes and references, by number.
pub(crate) async fn objects(
    sql: &mut AnyConnection,
    event: i64,
    wanted: &HashSet<i64>,
) -> Result<Vec<(i64, Value)>, DbError> {
    let tags = tags::of_attributes(sql, event).await?;
    let none = Vec::new();
    let mut own: HashMap<i64, Vec<Value>> = HashMap::new();
    for a in attributes::of_event(sql, event, false).await? {
        if wanted.contains(&a.object) {
            let shown = attribute(&a, tags.get(&a.id).unwrap_or(&none));
            own.entry(a.object).or_default().push(shown);
        }
    }
    let mut refer: HashMap<i64, Vec<Value>> = HashMap::new();
    for r in objects::references(sql, event).await?.iter().filter(|r| wanted.contains(&r.object)) {
        refer.entry(r.object).or_default().push(reference(r));
    }
    let found = objects::of_event(sql, event, true).await?;
    let found = found.iter().filter(|found| wanted.contains(&found.id)).map(|found| {
        let own = own.remove(&found.id).unwrap_or_default();
        (found.id, object(found, own, refer.remove(&found.id).unwrap_or_default()))
    });
    Ok(found.collect())
}

/// The event itself with its tags.
async fn head(sql: &mut AnyConnection, event: &Event, orgs: &[Org]) -> Result<Fields, DbError> {
    let mut fields = event.body.clone();
    number(&mut fields, "id", event.id);
    set(&mut fields, "uuid", event.uuid.clone());
    set(&mut fields, "info", event.info.clone());
    set(&mut fields, "date", event.date.clone());
    set(&mut fields, "published", event.published);
    number(&mut fields, "timestamp", event.stamp);
    number(&mut fields, "publish_timestamp", event.publish_stamp);
    number(&mut fields, "orgc_id", event.orgc);
    let own = orgs.first();
    number(&mut fields, "org_id", own.map_or(0, |own| own.id));
    for (name, usual) in [
        ("threat_level_id", "4"),
        ("analysis", "0"),
        ("distribution", "1"),
        ("sharing_group_id", "0"),
        ("extends_uuid", ""),
    ] {
        fields.entry(name).or_insert(usual.into());
    }
    fields.entry("locked").or_insert(false.into());
    set(&mut fields, "Org", own.map(org));
    set(&mut fields, "Orgc", orgs.iter().find(|found| found.id == event.orgc).map(org));
    let tags = tags::of(sql, "event", event.id).await?;
    let tags = tags.iter().filter(|tag| is_told(tag)).map(tag);
    set(&mut fields, "Tag", tags.collect::<Vec<_>>());
    if !fields.contains_key("SharingGroup")
        && let Some(group) = beside::group(sql, &fields).await?
    {
        set(&mut fields, "SharingGroup", group);
    }
    Ok(fields)
}

/// An event with its parts, as `{"Event": …}`; `orgs` are all organisations.
pub(crate) async fn event(
    sql: &mut AnyConnection,
    event: &Event,
    parts: Parts,
    most: i64,
    orgs: &[Org],
) -> Result<Value, DbError> {
    let mut fields = head(sql, event, orgs).await?;
    if parts.metadata {
        return Ok(json!({ "Event": fields }));
    }
    let tags = tags::of_attributes(sql, event.id).await?;
    let mut sightings: HashMap<i64, Vec<Value>> = HashMap::new();
    if !parts.no_sightings {
        let wanted = sightings::Wanted {
            attribute: 0,
            event: event.id,
            kind: String::new(),
            source: String::new(),
            from: i64::MIN,
            to: i64::MAX,
            most,
        };
        for found in sightings::find(sql, &wanted).await? {
            sightings.entry(found.attribute).or_default().push(sighting(&found, orgs));
        }
    }
    let none = Vec::new();
    let mut alone: Vec<Value> = Vec::new();
    let mut of_objects: HashMap<i64, Vec<Value>> = HashMap::new();
    for found in attributes::of_event(sql, event.id, parts.deleted).await? {
        let mut shown = attribute(&found, tags.get(&found.id).unwrap_or(&none));
        if let (Some(seen), Value::Object(map)) = (sightings.remove(&found.id), &mut shown) {
            set(map, "Sighting", seen);
        }
        if found.object == 0 {
            alone.push(shown);
        } else {
            of_objects.entry(found.object).or_default().push(shown);
        }
    }
    let mut references: HashMap<i64, Vec<Value>> = HashMap::new();
    for found in objects::references(sql, event.id).await? {
        references.entry(found.object).or_default().push(reference(&found));
    }
    let shown: Vec<Value> = objects::of_event(sql, event.id, parts.deleted)
        .await?
        .iter()
        .map(|found| {
            let attributes = of_objects.remove(&found.id).unwrap_or_default();
            object(found, attributes, references.remove(&found.id).unwrap_or_default())
        })
        .collect();
    let count = alone.len()
        + shown.iter().filter_map(|o| o["Attribute"].as_array()).map(Vec::len).sum::<usize>();
    set(&mut fields, "attribute_count", count.to_string());
    set(&mut fields, "Attribute", alone);
    set(&mut fields, "Object", shown);
    for name in ["ShadowAttribute", "RelatedEvent", "Galaxy", "EventReport"] {
        fields.entry(name).or_insert_with(|| Value::Array(vec![]));
    }
    let mut fields = Value::Object(fields);
    beside::put(sql, event, &mut fields, parts, orgs).await?;
    Ok(json!({ "Event": fields }))
}
