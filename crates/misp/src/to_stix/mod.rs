//! MISP to STIX 2.1, in the way of misp-stix.
//!
//! An attribute becomes `observed-data` with observables, an `indicator` where it is for detection, and a `based-on`
//! relationship between them; what STIX has no type for becomes `x-misp-attribute` or `x-misp-object`.

mod attribute;
mod extra;
mod galaxy;
mod object;
pub(crate) mod rows;

pub(crate) use rows::{How, TABLE};

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Map, Value, json};
use stix::{Bundle, Object, StixId, Timestamp};
use uuid::Uuid;

use crate::carry::{NotCarried, OTHER, Taker, Why, join};
use crate::document::Document;
use crate::level;

/// Namespace of ids that MISP has no UUID for (relationships, records without one).
pub const NAMESPACE: Uuid = Uuid::from_u128(0x7f6a_11c4_2c7e_5b0f_9a41_5d1e_6c0b_0e21);
/// The label by which misp-stix, and [`crate::from_stix`], know that a bundle came out of MISP.
pub const TOOL_LABEL: &str = "misp:tool=\"MISP-STIX-Converter\"";

/// How to convert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Keep what STIX has no property for under the custom property `x_misp_other` of the object, so that the way back
    /// restores it. Without it the result is what misp-stix writes, and all of it is listed as not carried.
    pub keep_other: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { keep_other: true }
    }
}

/// The result.
#[derive(Debug, Clone, PartialEq)]
pub struct Converted {
    /// The objects, in a bundle whose id is that of the first event.
    pub bundle: Bundle,
    /// What is not in it.
    pub not_carried: Vec<NotCarried>,
}

/// Converts a document. Events come as `report` (published) or `grouping`.
#[must_use]
pub fn convert(document: Document, options: Options) -> Converted {
    let mut writer = Writer::new(options);
    let mut bundle_uuid = None;
    for (index, event) in document.events.into_iter().enumerate() {
        let taker = Taker::new(event.into_map(), format!("/events/{index}"));
        bundle_uuid.get_or_insert(writer.event(taker));
    }
    writer.begin(None, Timestamp::from_unix_us(0));
    for (index, record) in document.attributes.into_iter().enumerate() {
        let _ = writer.attribute(Taker::new(record.into_map(), format!("/attributes/{index}")));
    }
    for (index, record) in document.objects.into_iter().enumerate() {
        writer.object(Taker::new(record.into_map(), format!("/objects/{index}")));
    }
    writer.end();
    let uuid = bundle_uuid.unwrap_or_else(|| derived(&format!("bundle\n{}", writer.objects.len())));
    let objects = std::mem::take(&mut writer.objects).into_iter().map(Object::from_map).collect();
    let bundle =
        Bundle::new(&StixId::new("bundle", Uuid::parse_str(&uuid).unwrap_or_default()), objects);
    Converted { bundle, not_carried: writer.not_carried }
}

pub(crate) fn derived(name: &str) -> String {
    Uuid::new_v5(&NAMESPACE, name.as_bytes()).to_string()
}

/// A relationship that waits until all objects are there.
struct Pending {
    place: String,
    id: String,
    kind: String,
    source: String,
    /// An id, or a UUID of MISP.
    target: String,
    at: Timestamp,
    extra: Map<String, Value>,
}

struct Writer {
    options: Options,
    objects: Vec<Map<String, Value>>,
    not_carried: Vec<NotCarried>,
    seen: HashSet<String>,
    /// Ids of the objects made of a UUID of MISP, the one to point at first.
    by_uuid: HashMap<String, Vec<String>>,
    refs: Vec<String>,
    referred: HashSet<String>,
    created_by: Option<String>,
    event_at: Timestamp,
    pending: Vec<Pending>,
    markings: BTreeMap<&'static str, ()>,
}

impl Writer {
    fn new(options: Options) -> Self {
        Self {
            options,
            objects: Vec::new(),
            not_carried: Vec::new(),
            seen: HashSet::new(),
            by_uuid: HashMap::new(),
            refs: Vec::new(),
            referred: HashSet::new(),
            created_by: None,
            event_at: Timestamp::from_unix_us(0),
            pending: Vec::new(),
            markings: BTreeMap::new(),
        }
    }

    fn begin(&mut self, created_by: Option<String>, at: Timestamp) {
        self.refs.clear();
        self.referred.clear();
        self.created_by = created_by;
        self.event_at = at;
    }

    /// The UUID of a record. One that is missing or none that STIX takes (RFC 4122, version 1 to 5) is derived of the place, so
    /// that the same record gets the same id again; such a text stays in the record.
    fn uuid(taker: &mut Taker, salt: &str) -> String {
        let parsed = taker.peek("uuid").and_then(Value::as_str).filter(|text| text.len() == 36);
        match parsed.and_then(|text| Uuid::parse_str(text).ok()) {
            Some(uuid)
                if uuid.get_variant() == uuid::Variant::RFC4122
                    && (1..=5).contains(&uuid.get_version_num()) =>
            {
                taker.any("uuid");
                uuid.to_string()
            }
            _ => derived(&format!("{salt}\n{}", taker.place)),
        }
    }

    /// `timestamp`, seconds since 1970; that of the event where there is none.
    fn timestamp(&self, taker: &mut Taker) -> Timestamp {
        match taker
            .peek("timestamp")
            .and_then(crate::carry::text_of)
            .and_then(|text| seconds(&text))
        {
            Some(at) => {
                taker.any("timestamp");
                at
            }
            None => self.event_at,
        }
    }

    fn draft(&self, kind: &str, uuid: &str, at: Timestamp) -> Map<String, Value> {
        let mut map = Map::new();
        map.insert("type".to_owned(), kind.into());
        map.insert("spec_version".to_owned(), "2.1".into());
        map.insert("id".to_owned(), format!("{kind}--{uuid}").into());
        if let Some(created_by) = &self.created_by {
            map.insert("created_by_ref".to_owned(), created_by.clone().into());
        }
        let at = at.to_millis().to_string();
        map.insert("created".to_owned(), at.clone().into());
        map.insert("modified".to_owned(), at.into());
        map
    }

    /// Adds an object, once per id. `in_event`: the report refers to it.
    fn add(&mut self, map: Map<String, Value>, place: &str, in_event: bool) {
        let id = map.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        if in_event {
            self.refer(&id);
        }
        if !self.seen.insert(id) {
            self.not_carried.push(NotCarried::new(
                place.to_owned(),
                &Value::Object(map),
                Why::Doubled,
            ));
            return;
        }
        self.objects.push(map);
    }

    /// The report of the event refers to an object, once.
    fn refer(&mut self, id: &str) {
        if self.referred.insert(id.to_owned()) {
            self.refs.push(id.to_owned());
        }
    }

    /// Tags: markings, labels, confidence. Everything of a tag but its name is other.
    fn tags(
        &mut self,
        taker: &mut Taker,
        map: &mut Map<String, Value>,
        leave_out: &HashSet<String>,
    ) {
        let (mut labels, mut markings, mut confidence, mut left) =
            (Vec::new(), Vec::new(), None, Vec::new());
        let tags = taker.list("Tag");
        for tag in &tags {
            let name = tag.get("name").and_then(Value::as_str);
            let more = tag.as_object().is_none_or(|tag| {
                tag.iter().any(|(k, v)| k != "name" && !crate::carry::is_empty(v))
            });
            if more || name.is_none() {
                left.push(tag.clone());
            }
            let Some(name) = name.filter(|name| !leave_out.contains(*name)) else { continue };
            if let Some(id) = level::marking_of(name) {
                self.markings.insert(id, ());
                markings.push(Value::from(id));
                continue;
            }
            if let Some(score) = level::confidence_of(name) {
                confidence = Some(confidence.map_or(score, |least: u8| least.min(score)));
            }
            labels.push(Value::from(name));
        }
        if let Some(Value::Array(known)) = map.get_mut("labels") {
            known.append(&mut labels);
        } else if !labels.is_empty() {
            map.insert("labels".to_owned(), labels.into());
        }
        if let Some(score) = confidence {
            map.insert("confidence".to_owned(), score.into());
        }
        if !markings.is_empty() {
            map.insert("object_marking_refs".to_owned(), markings.into());
        }
        if self.options.keep_other && !left.is_empty() {
            taker.put("Tag", tags.into());
        } else if !left.is_empty() {
            taker.put("Tag", left.into());
        }
    }

    /// What nobody took goes under `x_misp_other`, or on the list.
    fn other(&mut self, taker: Taker, map: &mut Map<String, Value>) {
        if !self.options.keep_other {
            taker.report(&mut self.not_carried);
            return;
        }
        let rest = taker.rest();
        if !rest.is_empty() {
            map.insert(OTHER.to_owned(), Value::Object(rest));
        }
    }

    fn relate(&mut self, place: &str, kind: &str, source: &str, target: &str, at: Timestamp) {
        let id = format!("relationship--{}", derived(&format!("{source}\n{kind}\n{target}")));
        let (kind, source, target) = (kind.to_owned(), source.to_owned(), target.to_owned());
        self.pending.push(Pending {
            place: place.to_owned(),
            id,
            kind,
            source,
            target,
            at,
            extra: Map::new(),
        });
    }

    /// Writes waiting relationships and the marking definitions.
    fn end(&mut self) {
        for pending in std::mem::take(&mut self.pending) {
            let target = if pending.target.contains("--") {
                pending.target
            } else if let Some(id) = self.by_uuid.get(&pending.target).and_then(|ids| ids.first()) {
                id.clone()
            } else {
                let what =
                    json!({"relationship_type": pending.kind, "referenced_uuid": pending.target});
                self.not_carried.push(NotCarried::new(pending.place, &what, Why::Dangling));
                continue;
            };
            let mut map = Map::new();
            map.insert("type".to_owned(), "relationship".into());
            map.insert("spec_version".to_owned(), "2.1".into());
            map.insert("id".to_owned(), pending.id.into());
            let at = pending.at.to_millis().to_string();
            map.insert("created".to_owned(), at.clone().into());
            map.insert("modified".to_owned(), at.into());
            map.insert("relationship_type".to_owned(), pending.kind.into());
            map.insert("source_ref".to_owned(), pending.source.into());
            map.insert("target_ref".to_owned(), target.into());
            map.extend(pending.extra);
            self.add(map, &pending.place, false);
        }
        for id in std::mem::take(&mut self.markings).into_keys() {
            if let Some(definition) = level::definition(id)
                && self.seen.insert(id.to_owned())
            {
                self.objects.push(definition.into_map());
            }
        }
    }

    /// One event; returns its UUID.
    fn event(&mut self, mut taker: Taker) -> String {
        let uuid = Self::uuid(&mut taker, "event");
        self.begin(None, Timestamp::from_unix_us(0));
        let date =
            taker.peek("date").and_then(Value::as_str).map(|date| format!("{date}T00:00:00Z"));
        let day = date.and_then(|text| Timestamp::parse(&text).ok());
        self.event_at = day.unwrap_or(self.event_at);
        let dated = day.is_some() && taker.peek("timestamp").is_none();
        let at = self.timestamp(&mut taker);
        if dated {
            taker.any("date");
        }
        self.event_at = at;
        self.created_by = self.organisation(&mut taker, at);
        let published = taker.flag("published");
        let before = self.objects.len();
        let place = taker.place.clone();
        for (index, galaxy) in taker.list("Galaxy").into_iter().enumerate() {
            let _ = self.galaxy(galaxy, &format!("{place}/Galaxy/{index}"), at);
        }
        let clusters: HashSet<String> = self.cluster_tags(before);
        for (index, item) in taker.list("Attribute").into_iter().enumerate() {
            if let Some(record) = self.record(item, &format!("{place}/Attribute/{index}")) {
                let _ = self.attribute(record);
            }
        }
        for (index, item) in taker.list("Object").into_iter().enumerate() {
            if let Some(record) = self.record(item, &format!("{place}/Object/{index}")) {
                self.object(record);
            }
        }
        let kind = if published == Some(true) { "report" } else { "grouping" };
        for (index, item) in taker.list("EventReport").into_iter().enumerate() {
            if let Some(record) = self.record(item, &format!("{place}/EventReport/{index}")) {
                self.event_report(record, &format!("{kind}--{uuid}"));
            }
        }
        let map = self.container(taker, (kind, &uuid), at, &clusters);
        let id = map.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        self.by_uuid.entry(uuid.clone()).or_default().push(id);
        self.seen_or_add(map, before, &place);
        self.end();
        uuid
    }

    fn seen_or_add(&mut self, map: Map<String, Value>, at: usize, place: &str) {
        let id = map.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        if self.seen.insert(id) {
            self.objects.insert(at, map);
        } else {
            self.not_carried.push(NotCarried::new(
                place.to_owned(),
                &Value::Object(map),
                Why::Doubled,
            ));
        }
    }

    fn record(&mut self, item: Value, place: &str) -> Option<Taker> {
        match item {
            Value::Object(map) => Some(Taker::new(map, place.to_owned())),
            other => {
                self.not_carried.push(NotCarried::new(place.to_owned(), &other, Why::Malformed));
                None
            }
        }
    }

    /// The report or grouping of an event.
    fn container(
        &mut self,
        mut taker: Taker,
        (kind, uuid): (&str, &str),
        at: Timestamp,
        clusters: &HashSet<String>,
    ) -> Map<String, Value> {
        let mut map = self.draft(kind, uuid, at);
        map.insert("name".to_owned(), taker.text("info").unwrap_or_default().into());
        map.insert("labels".to_owned(), json!(["Threat-Report", TOOL_LABEL]));
        if kind == "report" {
            let stamp = taker
                .peek("publish_timestamp")
                .and_then(crate::carry::text_of)
                .and_then(|text| seconds(&text));
            if stamp.is_some() {
                taker.any("publish_timestamp");
            }
            map.insert("published".to_owned(), plain(stamp.unwrap_or(at)).into());
        } else {
            map.insert("context".to_owned(), "suspicious-activity".into());
        }
        self.tags(&mut taker, &mut map, clusters);
        if self.refs.is_empty() {
            let mut note = self.draft("note", uuid, at);
            let text = "This MISP Event is empty and contains no attribute, object, galaxy or tag.";
            note.insert("content".to_owned(), text.into());
            note.insert("object_refs".to_owned(), json!([format!("{kind}--{uuid}")]));
            let place = taker.place.clone();
            self.add(note, &place, true);
        }
        map.insert("object_refs".to_owned(), std::mem::take(&mut self.refs).into());
        self.other(taker, &mut map);
        map
    }

    /// `Orgc`, else `Org`: who made the event.
    fn organisation(&mut self, taker: &mut Taker, at: Timestamp) -> Option<String> {
        let name = if taker.peek("Orgc").is_some_and(Value::is_object) { "Orgc" } else { "Org" };
        let mut org = Taker::new(taker.object(name)?, join(&taker.place, name));
        let id = self.identity(&mut org, at);
        let rest = org.rest();
        if name == "Orgc" {
            // misp-stix does not say to whom the event belongs now; where that is the maker, nothing is lost.
            if let (Some(id), Some(Value::Object(owner))) = (&id, taker.peek("Org"))
                && owner.get("uuid").and_then(Value::as_str).is_some_and(|uuid| id.ends_with(uuid))
                && owner.iter().all(|(key, _)| key == "uuid" || key == "name")
            {
                taker.any("Org");
            }
        }
        if !rest.is_empty() {
            taker.put(name, Value::Object(rest));
        }
        id
    }

    /// An organisation as `identity`, by its UUID; the record stays as it is where it has none.
    fn identity(&mut self, org: &mut Taker, at: Timestamp) -> Option<String> {
        let uuid = org.peek("uuid").and_then(Value::as_str)?.to_ascii_lowercase();
        let id = format!("identity--{uuid}");
        StixId::parse(&id).ok()?;
        let name = org.peek("name").and_then(Value::as_str)?.to_owned();
        org.any("uuid");
        org.any("name");
        if !self.seen.contains(&id) {
            let created_by = self.created_by.take();
            let mut map = self.draft("identity", &uuid, at);
            self.created_by = created_by;
            map.insert("name".to_owned(), name.into());
            map.insert("identity_class".to_owned(), "organization".into());
            let place = org.place.clone();
            self.add(map, &place, false);
        }
        Some(id)
    }
}

/// Reads seconds since 1970.
pub(crate) fn seconds(text: &str) -> Option<Timestamp> {
    let seconds: i64 = text.parse().ok()?;
    // Years 0 to 9999, what RFC 3339 can say.
    (-62_135_596_800..=253_402_300_799)
        .contains(&seconds)
        .then(|| Timestamp::from_unix_us(seconds.saturating_mul(1_000_000)))
}

/// A time without a fraction of zero.
pub(crate) fn plain(at: Timestamp) -> String {
    at.to_string().replace(".000Z", "Z")
}
