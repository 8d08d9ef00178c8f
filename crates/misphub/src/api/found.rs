//! restSearch: what was found, in the form that is asked for.

use std::collections::HashMap;

use serde_json::{Value, json};
use sqlx::AnyConnection;

use super::beside::Behind;
use super::condition::{Budget, Filter, like};
use super::events::wants_deleted;
use super::formats::{self, Format};
use super::search::{find_attributes, find_events};
use super::show::{self, Parts};
use super::{Answer, Ask};
use crate::error::MispError;
use crate::fields::{Fields, truth, value_truth};
use crate::store::attributes::Attribute;
use crate::store::events::Event;
use crate::store::others::Org;
use crate::store::sightings::{self, Wanted};
use crate::store::{Name, correlate, events, objects, others, tags};

fn flag(ask: &Ask, name: &str) -> bool {
    truth(&ask.fields, name).unwrap_or(false)
}

/// The question with what a form of the answer implies.
fn implied(ask: &Ask, format: Format) -> Ask {
    let mut ask = ask.clone();
    if format.is_for_tools() {
        for name in ["to_ids", "published"] {
            ask.fields.entry(name).or_insert(true.into());
        }
    }
    ask
}

/// Which attributes of an event that fits are shown.
struct Keep {
    to_ids: Option<bool>,
    excuses: Option<intel::excuse::Excuses>,
    attachments: bool,
    /// Tags that keep an attribute out, `%` any text.
    without: Vec<String>,
    /// `deleted: 1` asks for what is deleted and nothing else, a list for both.
    only_deleted: bool,
}

impl Keep {
    async fn read(ask: &Ask, sql: &mut AnyConnection) -> Result<Self, MispError> {
        let excuses = match flag(ask, "enforceWarninglist") {
            true => Some(intel::excuse::Excuses::current(sql).await?),
            false => None,
        };
        Ok(Self {
            to_ids: truth(&ask.fields, "to_ids"),
            excuses,
            attachments: flag(ask, "withAttachments"),
            without: Filter::read(&ask.fields, "tags")?.none,
            only_deleted: flag(ask, "deleted"),
        })
    }

    fn takes(&self, attribute: &Value) -> bool {
        let value = attribute["value"].as_str().unwrap_or_default();
        let tags = attribute["Tag"].as_array().into_iter().flatten();
        let mut names = tags.filter_map(|tag| tag["name"].as_str());
        let unwanted = |name: &str| self.without.iter().any(|pattern| like(pattern, name));
        !names.any(unwanted)
            && (!self.only_deleted || value_truth(&attribute["deleted"]) == Some(true))
            && self.to_ids.is_none_or(|wanted| value_truth(&attribute["to_ids"]) == Some(wanted))
            && self.excuses.as_ref().is_none_or(|lists| lists.names(value).is_empty())
    }

    fn trim(&self, event: &mut Value) {
        let Some(fields) = event.as_object_mut() else { return };
        let trim = |list: &mut Value| {
            if let Value::Array(items) = list {
                items.retain(|one| self.takes(one));
                for one in items.iter_mut().filter(|_| !self.attachments) {
                    if let Some(fields) = one.as_object_mut() {
                        fields.remove("data");
                    }
                }
            }
        };
        if let Some(list) = fields.get_mut("Attribute") {
            trim(list);
        }
        for object in fields.get_mut("Object").and_then(Value::as_array_mut).into_iter().flatten() {
            trim(&mut object["Attribute"]);
        }
    }
}

/// `events/restSearch`
pub(crate) async fn events(ask: &Ask) -> Result<Answer, MispError> {
    let format = Format::read(ask)?;
    let ask = &implied(ask, format);
    let mut sql = ask.room.platform().db.read().await?;
    let most = ask.sight.most();
    let found = find_events(ask, &mut sql, &mut Budget::new()).await?;
    let keep = Keep::read(ask, &mut sql).await?;
    let parts = Parts {
        metadata: flag(ask, "metadata") && format == Format::Json,
        deleted: wants_deleted(ask),
        no_sightings: false,
        proposals: format == Format::Json,
        related: (flag(ask, "includeEventCorrelations") || flag(ask, "includeCorrelations"))
            .then_some(most)
            .filter(|_| format == Format::Json),
        clusters: Some(most),
    };
    let (orgs, mut budget) = (others::orgs(&mut sql).await?, Budget::new());
    let mut shown = Vec::with_capacity(found.len());
    for event in found {
        let mut one = show::event(&mut sql, &event, parts, most, &orgs).await?;
        keep.trim(&mut one["Event"]);
        budget.take_value(&one)?;
        shown.push(one);
    }
    drop(sql);
    match format {
        Format::Json => Ok(json!({ "response": shown }).into()),
        Format::Stix2 => formats::stix2(shown).await,
        other => Ok(formats::lines(ask, other, &flat(shown))),
    }
}

/// The attributes of events, each with its event and its object beside it.
fn flat(shown: Vec<Value>) -> Vec<Value> {
    let mut found = Vec::new();
    for mut one in shown {
        let mut event = one["Event"].take();
        let fields = event.as_object_mut();
        let take = |name: &str| match fields.as_ref().and_then(|fields| fields.get(name)) {
            Some(Value::Array(items)) => items.clone(),
            _ => vec![],
        };
        let (alone, objects) = (take("Attribute"), take("Object"));
        let mut head = event;
        if let Some(fields) = head.as_object_mut() {
            fields.retain(|name, value| !value.is_array() || name == "Tag");
        }
        let mut put = |mut attribute: Value, object: Option<&Value>| {
            attribute["Event"] = head.clone();
            if let Some(object) = object {
                attribute["Object"] = json!({ "uuid": object["uuid"], "name": object["name"],
                    "meta-category": object["meta-category"] });
            }
            found.push(attribute);
        };
        alone.into_iter().for_each(|attribute| put(attribute, None));
        for object in &objects {
            for attribute in object["Attribute"].as_array().into_iter().flatten() {
                put(attribute.clone(), Some(object));
            }
        }
    }
    found
}

/// Events by number, as they stand beside their attributes.
#[derive(Default)]
struct Heads(HashMap<i64, Option<(Event, Value)>>);

impl Heads {
    async fn get(
        &mut self,
        sql: &mut AnyConnection,
        number: i64,
        orgs: &[Org],
    ) -> Result<Option<&(Event, Value)>, MispError> {
        if let std::collections::hash_map::Entry::Vacant(place) = self.0.entry(number) {
            let event = events::get(sql, &Name::Number(number), i64::MAX).await?;
            let head = match event {
                None => None,
                Some(event) => {
                    let mut head = super::form::brief(&event, orgs);
                    let list = tags::of(sql, "event", event.id).await?;
                    head["Tag"] = list.iter().map(show::tag).collect();
                    Some((event, head))
                }
            };
            place.insert(head);
        }
        Ok(self.0.get(&number).and_then(Option::as_ref))
    }
}

/// `attributes/restSearch`
pub(crate) async fn attributes(ask: &Ask) -> Result<Answer, MispError> {
    let format = Format::read(ask)?;
    let ask = &implied(ask, format);
    let mut sql = ask.room.platform().db.read().await?;
    let found = find_attributes(ask, &mut sql, &mut Budget::new()).await?;
    let keep = Keep::read(ask, &mut sql).await?;
    let orgs = others::orgs(&mut sql).await?;
    let (mut heads, mut budget) = (Heads::default(), Budget::new());
    let mut shown = Vec::with_capacity(found.len());
    for attribute in &found {
        let mut one = one(ask, &mut sql, attribute, &mut heads, &orgs).await?;
        if !keep.takes(&one) {
            continue;
        }
        if !keep.attachments
            && let Some(fields) = one.as_object_mut()
        {
            fields.remove("data");
        }
        budget.take_value(&one)?;
        shown.push(one);
    }
    if format == Format::Stix2 {
        return formats::stix2(as_events(shown)).await;
    }
    if format != Format::Json {
        let known = objects_of(&mut sql, &found).await?;
        formats::with_objects(&mut shown, &known);
        return Ok(formats::lines(ask, format, &shown));
    }
    let behind = Behind::of(&mut sql, shown.iter(), ask.sight.most()).await?;
    shown.iter_mut().for_each(|one| behind.put(one));
    if ask.method == axum::http::Method::GET && ask.fields.is_empty() {
        // A bare list is what `attributes/index` answers.
        return Ok(Value::Array(shown).into());
    }
    Ok(json!({ "response": { "Attribute": shown } }).into())
}

/// An attribute with what is asked for beside it.
async fn one(
    ask: &Ask,
    sql: &mut AnyConnection,
    attribute: &Attribute,
    heads: &mut Heads,
    orgs: &[Org],
) -> Result<Value, MispError> {
    let most = ask.sight.most();
    let own = tags::of(sql, "attribute", attribute.id).await?;
    let mut shown = show::attribute(attribute, &own);
    if let Some((event, head)) = heads.get(sql, attribute.event, orgs).await? {
        shown["Event"] = head.clone();
        if flag(ask, "includeEventUuid") {
            shown["event_uuid"] = event.uuid.clone().into();
        }
        if flag(ask, "includeEventTags") {
            let mut all = shown["Tag"].as_array().cloned().unwrap_or_default();
            let inherited = head["Tag"].as_array().into_iter().flatten().cloned();
            all.extend(inherited.map(|mut tag| {
                tag["inherited"] = 1.into();
                tag
            }));
            shown["Tag"] = Value::Array(all);
        }
    }
    if flag(ask, "includeSightings") {
        let wanted = Wanted {
            attribute: attribute.id,
            event: 0,
            kind: String::new(),
            source: String::new(),
            from: i64::MIN,
            to: i64::MAX,
            most,
        };
        let seen = sightings::find(sql, &wanted).await?;
        shown["Sighting"] = seen.iter().map(|one| show::sighting(one, orgs)).collect();
    }
    if flag(ask, "includeCorrelations") {
        let mut related = Vec::new();
        for other in correlate::attributes(sql, attribute, most).await? {
            if let Some((_, head)) = heads.get(sql, other.event, orgs).await? {
                let mut one = show::attribute(&other, &[]);
                one["Event"] = head.clone();
                related.push(one);
            }
        }
        shown["RelatedAttribute"] = Value::Array(related);
    }
    Ok(shown)
}

/// Attributes in the events that hold them, for a form that knows only events.
fn as_events(attributes: Vec<Value>) -> Vec<Value> {
    let mut events: Vec<Value> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for mut attribute in attributes {
        let head = attribute["Event"].take();
        if let Some(fields) = attribute.as_object_mut() {
            fields.remove("Event");
            fields.remove("object_relation");
        }
        let uuid = head["uuid"].as_str().unwrap_or_default().to_owned();
        let place = *places.entry(uuid).or_insert_with(|| {
            let mut event = head;
            event["Attribute"] = json!([]);
            events.push(json!({ "Event": event }));
            events.len() - 1
        });
        if let Some(list) = events[place]["Event"]["Attribute"].as_array_mut() {
            list.push(attribute);
        }
    }
    events
}

async fn objects_of(
    sql: &mut AnyConnection,
    found: &[Attribute],
) -> Result<HashMap<i64, Fields>, MispError> {
    let mut known = HashMap::new();
    for attribute in found.iter().filter(|attribute| attribute.object != 0) {
        if known.contains_key(&attribute.object) {
            continue;
        }
        let name = Name::Number(attribute.object);
        if let Some(object) = objects::get(sql, &name, i64::MAX).await? {
            let shown = json!({ "uuid": object.uuid, "name": object.name,
                "meta-category": object.body.get("meta-category") });
            if let Value::Object(fields) = shown {
                known.insert(object.id, fields);
            }
        }
    }
    Ok(known)
}

/// An attribute as it is viewed: with what stands behind its tags.
pub(super) async fn viewed(
    ask: &Ask,
    sql: &mut AnyConnection,
    shown: &mut Value,
) -> Result<(), MispError> {
    let behind = Behind::of(sql, std::iter::once(&*shown), ask.sight.most()).await?;
    behind.put(shown);
    Ok(())
}
