//! Taking parts of an event in: inside the caller's transaction, so that a part that cannot be stored takes the
//! whole event back.

use serde_json::Value;
use sqlx::AnyConnection;
use stix::Tlp;

use super::withdraw;
use crate::error::MispError;
use crate::fields::{Fields, number, take_list, text, truth, uuid};
use crate::room::Misphub;
use crate::store::attributes::{self, Attribute};
use crate::store::objects::{self, Object, Reference};
use crate::store::sightings::{self, Sighting};
use crate::store::{Name, others, tags};
use crate::types;

/// Parts of one event at most.
const MAX_PARTS: usize = 200_000;
/// Characters of a tag.
const MAX_TAG_CHARS: usize = 255;

/// What is the same for all parts of a write.
#[derive(Clone)]
pub(crate) struct Writer {
    pub(crate) room: Misphub,
    pub(crate) now_s: i64,
    /// The organisation of this node.
    pub(crate) org: i64,
}

impl Writer {
    /// The UUID of a thing, or a new one.
    pub(crate) fn uuid_of(&self, fields: &Fields) -> Result<String, MispError> {
        match text(fields, "uuid").filter(|text| !text.is_empty()) {
            None => Ok(self.room.new_uuid()),
            Some(said) => {
                uuid(&said).ok_or_else(|| MispError::field("uuid", format!("'{said}' is no UUID")))
            }
        }
    }

    /// The node's own organisation, by its number.
    pub(crate) async fn own_org(room: &Misphub, sql: &mut AnyConnection) -> Result<i64, MispError> {
        Ok(others::ensure_org(sql, &room.own_uuid(), &room.platform().node.name).await?)
    }

    /// An attribute as it would be stored.
    pub(crate) fn attribute(
        &self,
        mut fields: Fields,
        event: i64,
        object: i64,
    ) -> Result<(Attribute, Vec<Fields>, Vec<Fields>), MispError> {
        let kind = text(&fields, "type").unwrap_or_default();
        let usual = types::defaults(&kind);
        let category = text(&fields, "category")
            .filter(|category| !category.is_empty())
            .unwrap_or_else(|| usual.map_or("Other", |(category, _)| category).to_owned());
        let value = text(&fields, "value").unwrap_or_default();
        let value = types::normal(&kind, &value);
        types::check(&kind, &category, &value)?;
        let to_ids = truth(&fields, "to_ids").unwrap_or_else(|| usual.is_some_and(|(_, ids)| ids));
        let uuid = self.uuid_of(&fields)?;
        let stamp = number(&fields, "timestamp").unwrap_or(self.now_s);
        let deleted = truth(&fields, "deleted").unwrap_or(false);
        let tags = take_list(&mut fields, "Tag");
        let seen = take_list(&mut fields, "Sighting");
        for name in [
            "id",
            "event_id",
            "object_id",
            "uuid",
            "type",
            "category",
            "value",
            "to_ids",
            "timestamp",
            "deleted",
            "Event",
            "ShadowAttribute",
            "RelatedAttribute",
        ] {
            fields.remove(name);
        }
        let attribute = Attribute {
            id: 0,
            uuid,
            event,
            object,
            kind,
            category,
            value,
            to_ids,
            stamp,
            deleted,
            body: fields,
        };
        Ok((attribute, tags, seen))
    }

    /// Stores an attribute, or a newer state of a known one of the same event.
    pub(crate) async fn put_attribute(
        &self,
        sql: &mut AnyConnection,
        fields: Fields,
        event: i64,
        object: i64,
    ) -> Result<Attribute, MispError> {
        let (mut attribute, tags, seen) = self.attribute(fields, event, object)?;
        match attributes::insert(sql, &attribute).await? {
            Some(id) => attribute.id = id,
            None => {
                let name = Name::Uuid(attribute.uuid.clone());
                let known = attributes::get(sql, &name, i64::MAX).await?;
                let taken = || MispError::field("uuid", "another event holds an attribute with it");
                let known = known.filter(|known| known.event == event).ok_or_else(taken)?;
                attribute.id = known.id;
                attribute.object = known.object;
                if attribute.stamp < known.stamp {
                    return Ok(known);
                }
                attributes::update(sql, &attribute).await?;
                if attribute.deleted && !known.deleted {
                    withdraw::parts(sql, event, &[&attribute.uuid], self.now_s).await?;
                }
            }
        }
        self.put_tags(sql, "attribute", attribute.id, tags).await?;
        for sighting in seen {
            self.put_sighting(sql, &attribute, &sighting).await?;
        }
        Ok(attribute)
    }

    /// Stores a sighting of an attribute; one that is known changes nothing.
    pub(crate) async fn put_sighting(
        &self,
        sql: &mut AnyConnection,
        attribute: &Attribute,
        fields: &Fields,
    ) -> Result<Sighting, MispError> {
        let kind =
            text(fields, "type").filter(|kind| !kind.is_empty()).unwrap_or_else(|| "0".into());
        if !matches!(kind.as_str(), "0" | "1" | "2") {
            let message = "0 (seen), 1 (false positive) or 2 (expired)";
            return Err(MispError::field("type", message));
        }
        let mut sighting = Sighting {
            id: 0,
            uuid: self.uuid_of(fields)?,
            attribute: attribute.id,
            attribute_uuid: attribute.uuid.clone(),
            event: attribute.event,
            org: self.org,
            kind,
            source: text(fields, "source").unwrap_or_default(),
            seen: number(fields, "date_sighting")
                .or_else(|| number(fields, "timestamp"))
                .unwrap_or(self.now_s),
        };
        if let Some(id) = sightings::insert(sql, &sighting).await? {
            sighting.id = id;
            return Ok(sighting);
        }
        let known = sightings::by_uuid(sql, &sighting.uuid).await?;
        let taken = || MispError::field("uuid", "a sighting of another attribute has it");
        known.filter(|known| known.attribute == attribute.id).ok_or_else(taken)
    }

    /// Stores an object with its attributes, or a newer state of a known one of the same event.
    pub(crate) async fn put_object(
        &self,
        sql: &mut AnyConnection,
        mut fields: Fields,
        event: i64,
    ) -> Result<Object, MispError> {
        let name = text(&fields, "name").unwrap_or_default();
        if name.is_empty() {
            return Err(MispError::field("name", "an object needs the name of its template"));
        }
        let uuid = self.uuid_of(&fields)?;
        let attributes = take_list(&mut fields, "Attribute");
        let references = take_list(&mut fields, "ObjectReference");
        let stamp = number(&fields, "timestamp").unwrap_or(self.now_s);
        let deleted = truth(&fields, "deleted").unwrap_or(false);
        for field in ["id", "event_id", "uuid", "name", "timestamp", "deleted", "Event"] {
            fields.remove(field);
        }
        let mut object = Object { id: 0, uuid, event, name, stamp, deleted, body: fields };
        match objects::insert(sql, &object).await? {
            Some(id) => object.id = id,
            None => {
                let known = objects::get(sql, &Name::Uuid(object.uuid.clone()), i64::MAX).await?;
                let taken = || MispError::field("uuid", "another event holds an object with it");
                let known = known.filter(|known| known.event == event).ok_or_else(taken)?;
                object.id = known.id;
                // Its attributes have times of their own.
                if object.stamp >= known.stamp {
                    objects::update(sql, &object).await?;
                    if object.deleted && !known.deleted {
                        withdraw::parts(sql, event, &[&object.uuid], self.now_s).await?;
                    }
                } else {
                    object = known;
                }
            }
        }
        for attribute in attributes {
            self.put_attribute(sql, attribute, event, object.id).await?;
        }
        for reference in references {
            self.put_reference(sql, reference, &object).await?;
        }
        Ok(object)
    }

    /// Stores a reference of an object.
    pub(crate) async fn put_reference(
        &self,
        sql: &mut AnyConnection,
        mut fields: Fields,
        object: &Object,
    ) -> Result<Reference, MispError> {
        let target = text(&fields, "referenced_uuid").and_then(|text| uuid(&text));
        let Some(target) = target else {
            return Err(MispError::field("referenced_uuid", "the UUID of what is referred to"));
        };
        let own = self.uuid_of(&fields)?;
        for field in ["id", "event_id", "object_id", "uuid", "Object", "Attribute", "deleted"] {
            fields.remove(field);
        }
        fields.insert("object_uuid".into(), object.uuid.clone().into());
        fields.insert("referenced_uuid".into(), target.into());
        fields.entry("relationship_type").or_insert_with(|| "related-to".into());
        let mut reference =
            Reference { id: 0, uuid: own, event: object.event, object: object.id, body: fields };
        let taken = || MispError::field("uuid", "a reference of another object has it");
        reference.id = objects::put_reference(sql, &reference).await?.ok_or_else(taken)?;
        Ok(reference)
    }

    /// Puts tags on a thing.
    pub(crate) async fn put_tags(
        &self,
        sql: &mut AnyConnection,
        kind: &str,
        thing: i64,
        list: Vec<Fields>,
    ) -> Result<(), MispError> {
        for mut fields in list {
            let name = checked_tag(&text(&fields, "name").unwrap_or_default())?;
            let local = truth(&fields, "local").unwrap_or(false);
            if truth(&fields, "deleted").unwrap_or(false) {
                if let Some(tag) = tags::get(sql, &name).await? {
                    tags::detach(sql, kind, thing, tag.id).await?;
                }
                continue;
            }
            for field in ["id", "name", "local", "deleted"] {
                fields.remove(field);
            }
            let tag = tags::ensure(sql, &name, &fields).await?;
            tags::attach(sql, kind, thing, tag, local).await?;
        }
        Ok(())
    }
}

/// The name of a tag, if it is one.
pub(crate) fn checked_tag(name: &str) -> Result<String, MispError> {
    let name = name.trim();
    let sound =
        (1..=MAX_TAG_CHARS).contains(&name.chars().count()) && !name.chars().any(char::is_control);
    if sound {
        return Ok(name.to_owned());
    }
    Err(MispError::field(
        "name",
        format!("a tag has 1 to {MAX_TAG_CHARS} characters, none of control"),
    ))
}

/// Refuses events of too many parts before anything is stored.
pub(crate) fn check_size(fields: &Fields) -> Result<(), MispError> {
    let count = |name: &str| fields.get(name).and_then(Value::as_array).map_or(0, Vec::len);
    let parts = count("Attribute") + count("Object") + count("Tag");
    if parts <= MAX_PARTS {
        return Ok(());
    }
    let text = format!("the event has {parts} parts, the limit is {MAX_PARTS}; split it");
    Err(MispError::bad_request(text))
}

/// The label that holds for an event: its TLP tag, else what its distribution means here.
pub(crate) fn label<'t>(fields: &Fields, tag_names: impl Iterator<Item = &'t str>) -> Tlp {
    intel::from_misp::label(number(fields, "distribution"), tag_names)
}
