//! STIX 2.1 to MISP: what came out of MISP goes back to what it was; what did not becomes attributes, clusters and
//! `stix2-pattern` attributes.

mod attribute;
mod galaxy;
mod mapped;
mod other;
mod pattern;

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};
use stix::{Bundle, Object, Timestamp};

use crate::carry::{NotCarried, OTHER, Taker, Why, is_empty};
use crate::document::Event;
use crate::level;
use crate::to_stix::derived;

/// The result.
#[derive(Debug, Clone, PartialEq)]
pub struct Converted {
    /// One event for every report or grouping; one for the bundle where there is none.
    pub events: Vec<Event>,
    /// What is in none of them.
    pub not_carried: Vec<NotCarried>,
}

/// Converts a bundle.
#[must_use]
pub fn convert(bundle: Bundle) -> Converted {
    let Bundle { id, objects, other } = bundle;
    let mut reader = Reader::new(objects);
    let mut events = reader.containers(&id);
    let owner = Reader::owners(&events);
    for id in reader.order.clone() {
        let at = owner.get(&id).copied().unwrap_or(0);
        if let Some(event) = events.get_mut(at) {
            reader.object(&id, event);
        }
    }
    reader.relationships(&mut events);
    reader.leftovers();
    let events = events.into_iter().map(|draft| draft.finish(&reader)).collect();
    let mut not_carried = reader.not_carried;
    let other = Taker::new(other, String::new());
    other.report(&mut not_carried);
    Converted { events, not_carried }
}

/// An event that is being filled.
pub(super) struct Draft {
    fields: Map<String, Value>,
    refs: HashSet<String>,
    attributes: Vec<Map<String, Value>>,
    objects: Vec<Map<String, Value>>,
    /// Galaxies of the event by type, with the ids of their clusters.
    reports: Vec<Value>,
    clusters: Vec<String>,
}

/// Where an id of STIX went: attribute or object (by index) of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Went {
    Attribute(usize),
    Object(usize),
}

pub(super) struct Reader {
    objects: HashMap<String, Taker>,
    order: Vec<String>,
    not_carried: Vec<NotCarried>,
    /// MISP UUID to where it went.
    went: HashMap<String, Went>,
    clusters: HashMap<String, (Value, Map<String, Value>)>,
    attached: HashSet<String>,
}

impl Reader {
    fn new(objects: Vec<Object>) -> Self {
        let mut reader = Self {
            objects: HashMap::new(),
            order: Vec::new(),
            not_carried: Vec::new(),
            went: HashMap::new(),
            clusters: HashMap::new(),
            attached: HashSet::new(),
        };
        for (index, object) in objects.into_iter().enumerate() {
            let place = format!("/objects/{index}");
            let id = object.id_text().to_owned();
            if id.is_empty() || reader.objects.contains_key(&id) {
                let why = if id.is_empty() { Why::Malformed } else { Why::Doubled };
                reader.not_carried.push(NotCarried::new(place, &object.to_value(), why));
                continue;
            }
            reader.order.push(id.clone());
            reader.objects.insert(id, Taker::new(object.into_map(), place));
        }
        reader
    }

    fn kind(id: &str) -> &str {
        id.split_once("--").map_or(id, |(kind, _)| kind)
    }

    fn uuid(id: &str) -> &str {
        id.split_once("--").map_or(id, |(_, uuid)| uuid)
    }

    /// Takes an object for good; what of it nobody takes is reported with [`Reader::done`].
    fn take(&mut self, id: &str) -> Option<Taker> {
        self.objects.remove(id)
    }

    fn done(&mut self, mut taker: Taker) {
        for name in ["type", "spec_version", "id", "object_marking_refs", "created_by_ref"] {
            if name == "object_marking_refs" || name == "created_by_ref" {
                continue;
            }
            taker.any(name);
        }
        taker.report(&mut self.not_carried);
    }

    /// A draft for every report and grouping.
    fn containers(&mut self, bundle_id: &str) -> Vec<Draft> {
        let ids: Vec<String> = self
            .order
            .iter()
            .filter(|id| {
                matches!(Self::kind(id), "report" | "grouping") && self.objects.contains_key(*id)
            })
            .cloned()
            .collect();
        let mut drafts: Vec<Draft> = ids.iter().filter_map(|id| self.container(id)).collect();
        if drafts.is_empty() {
            let mut fields = Map::new();
            fields.insert("uuid".to_owned(), Self::uuid(bundle_id).into());
            fields.insert("info".to_owned(), format!("STIX 2.1 {bundle_id}").into());
            drafts.push(Draft::new(fields));
        }
        drafts
    }

    fn container(&mut self, id: &str) -> Option<Draft> {
        let mut taker = self.take(id)?;
        let mut fields = Map::new();
        fields.insert("uuid".to_owned(), Self::uuid(id).into());
        fields.insert("info".to_owned(), taker.text("name").unwrap_or_default().into());
        let other = taker.object(OTHER).unwrap_or_default();
        if let Some(at) = take_time(&mut taker, "modified") {
            fields.insert("timestamp".to_owned(), epoch(at).into());
            if !other.contains_key("date") {
                fields.insert(
                    "date".to_owned(),
                    at.to_string().chars().take(10).collect::<String>().into(),
                );
            }
            same_or_leave(&mut taker, "created", at);
        }
        fields.insert("published".to_owned(), (Self::kind(id) == "report").into());
        if let Some(at) = take_time(&mut taker, "published") {
            fields.insert("publish_timestamp".to_owned(), epoch(at).into());
        }
        if taker.peek("context").and_then(Value::as_str) == Some("suspicious-activity") {
            taker.any("context");
        }
        let mut draft = Draft::new(fields);
        draft.refs =
            taker.list("object_refs").iter().filter_map(Value::as_str).map(str::to_owned).collect();
        if let Some(org) = taker.text("created_by_ref") {
            if let Some(identity) = self.organisation(&org) {
                draft.fields.insert("Orgc".to_owned(), identity);
            } else {
                taker.put("created_by_ref", org.into());
            }
        }
        self.tags(&mut taker, &mut draft.fields, &["Threat-Report", crate::to_stix::TOOL_LABEL]);
        merge(&mut draft.fields, other);
        let empty = format!("note--{}", Self::uuid(id));
        let note =
            self.objects.get(&empty).and_then(|note| note.peek("content")).and_then(Value::as_str);
        if note.is_some_and(|text| text.starts_with("This MISP Event is empty")) {
            self.objects.remove(&empty);
        }
        self.done(taker);
        Some(draft)
    }

    /// The event to which an id belongs.
    fn owners(events: &[Draft]) -> HashMap<String, usize> {
        let mut owners = HashMap::new();
        for (index, event) in events.iter().enumerate() {
            for id in &event.refs {
                owners.entry(id.clone()).or_insert(index);
            }
        }
        owners
    }

    fn organisation(&self, id: &str) -> Option<Value> {
        let identity = self.objects.get(id)?;
        Some(json!({"uuid": Self::uuid(id), "name": identity.peek("name")?.as_str()?}))
    }

    /// Markings and labels back to tags. `own`: labels that the mapping wrote.
    fn tags(&self, taker: &mut Taker, fields: &mut Map<String, Value>, own: &[&str]) {
        let mut tags = Vec::new();
        let mut left = Vec::new();
        for marking in taker.list("object_marking_refs") {
            match marking.as_str().and_then(level::tag_of) {
                Some(tag) => tags.push(json!({"name": tag})),
                None => left.push(marking),
            }
        }
        if !left.is_empty() {
            taker.put("object_marking_refs", left.into());
        }
        let mut confident = false;
        for label in taker.list("labels") {
            match label.as_str() {
                Some(text) if own.contains(&text) => {}
                Some(text) => {
                    confident |= level::confidence_of(text).is_some();
                    tags.push(json!({"name": text}));
                }
                None => {}
            }
        }
        if confident {
            taker.any("confidence");
        }
        if !tags.is_empty() {
            fields.insert("Tag".to_owned(), tags.into());
        }
    }

    /// One object of the bundle, by what it is.
    fn object(&mut self, id: &str, event: &mut Draft) {
        let Some(taker) = self.objects.get(id) else { return };
        let labels = labels(taker);
        let has = |prefix: &str| labels.iter().any(|label| label.starts_with(prefix));
        match Self::kind(id) {
            "relationship" | "marking-definition" | "bundle" => {}
            "note" if has("misp:data-layer=\"Event Report\"") => self.event_report(id, event),
            "x-misp-object" => self.custom_object(id, event),
            "sighting" | "opinion" => {}
            _ if has("misp:galaxy-type=") => self.cluster(id, event),
            _ if has("misp:type=") => self.attribute(id, event),
            _ if has("misp:name=") => self.mapped_object(id, event),
            kind => self.foreign(id, kind, event),
        }
    }

    /// What is left at the end: identities and markings that something refers to are carried by that; others are not.
    fn leftovers(&mut self) {
        for id in self.order.clone() {
            let Some(taker) = self.take(&id) else { continue };
            let known_marking =
                Self::kind(&id) == "marking-definition" && level::tag_of(&id).is_some();
            let organisation = Self::kind(&id) == "identity"
                && taker.peek("identity_class").and_then(Value::as_str) == Some("organization");
            if known_marking {
                continue;
            }
            if organisation && self.attached.contains(&id) {
                let mut taker = taker;
                for name in ["name", "identity_class", "created", "modified"] {
                    taker.any(name);
                }
                self.done(taker);
                continue;
            }
            let place = taker.place.clone();
            self.not_carried.push(NotCarried::new(
                place,
                &Value::Object(taker.rest()),
                Why::NoPlace,
            ));
        }
    }
}

impl Draft {
    fn new(fields: Map<String, Value>) -> Self {
        Self {
            fields,
            refs: HashSet::new(),
            attributes: Vec::new(),
            objects: Vec::new(),
            reports: Vec::new(),
            clusters: Vec::new(),
        }
    }

    fn finish(mut self, reader: &Reader) -> Event {
        let galaxies = reader.galaxies(&self.clusters);
        for (name, items) in [
            ("Attribute", self.attributes.into_iter().map(Value::Object).collect::<Vec<_>>()),
            ("Object", self.objects.into_iter().map(Value::Object).collect()),
            ("EventReport", self.reports),
            ("Galaxy", galaxies),
        ] {
            self.fields.insert(name.to_owned(), items.into());
        }
        Event::from_map(self.fields)
    }
}

fn labels(taker: &Taker) -> Vec<&str> {
    let list = taker.peek("labels").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// The text in `misp:NAME="…"`.
fn label(taker: &Taker, name: &str) -> Option<String> {
    let head = format!("misp:{name}=\"");
    labels(taker)
        .iter()
        .find_map(|label| Some(label.strip_prefix(&head)?.strip_suffix('"')?.to_owned()))
}

/// Fields that travelled under `x_misp_other` go back where they were.
fn merge(fields: &mut Map<String, Value>, other: Map<String, Value>) {
    for (name, value) in other {
        match (fields.get_mut(&name), value) {
            (Some(Value::Array(items)), Value::Array(more)) if name != "Tag" => items.extend(more),
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
            (_, value) => {
                fields.insert(name, value);
            }
        }
    }
}

fn take_time(taker: &mut Taker, name: &str) -> Option<Timestamp> {
    let at = Timestamp::parse(taker.peek(name)?.as_str()?).ok()?;
    // MISP counts whole seconds: a finer time stays on the list.
    if at.unix_us() % 1_000_000 == 0 {
        taker.any(name);
    }
    Some(at)
}

/// Takes a time that says the same as one already carried.
fn same_or_leave(taker: &mut Taker, name: &str, at: Timestamp) {
    let found =
        taker.peek(name).and_then(Value::as_str).and_then(|text| Timestamp::parse(text).ok());
    if found.is_some_and(|found| found.unix_us() == at.unix_us()) {
        taker.any(name);
    }
}

fn epoch(at: Timestamp) -> String {
    at.unix_us().div_euclid(1_000_000).to_string()
}

fn fresh(name: &str) -> String {
    derived(name)
}

fn nothing(map: &Map<String, Value>) -> bool {
    map.values().all(is_empty)
}
