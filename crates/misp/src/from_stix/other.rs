//! Objects, reports of events, sightings, relationships, and what is foreign.

use serde_json::{Map, Value, json};

use super::mapped;
use super::{Draft, Reader, Went, epoch, label, merge, same_or_leave, take_time};
use crate::carry::{NotCarried, OTHER, Taker, Why};
use crate::to_stix::TABLE;

impl Reader {
    fn object_head(&mut self, taker: &mut Taker, uuid: &str) -> Map<String, Value> {
        let mut fields = Map::new();
        fields.insert("uuid".to_owned(), uuid.into());
        let name = label(taker, "name").unwrap_or_default();
        let category = label(taker, "meta-category").unwrap_or_default();
        fields.insert(
            "name".to_owned(),
            taker.text("x_misp_name").unwrap_or_else(|| name.clone()).into(),
        );
        let said = taker.text("x_misp_meta_category").unwrap_or_else(|| category.clone());
        fields.insert("meta-category".to_owned(), said.into());
        if let Some(at) = take_time(taker, "modified") {
            fields.insert("timestamp".to_owned(), epoch(at).into());
            for name in ["created", "first_observed", "last_observed", "valid_from"] {
                same_or_leave(taker, name, at);
            }
        }
        if let Some(comment) = taker.text("x_misp_comment") {
            fields.insert("comment".to_owned(), comment.into());
        }
        if let Some(org) = taker.peek("created_by_ref").and_then(Value::as_str).map(str::to_owned) {
            self.attached.insert(org);
            taker.any("created_by_ref");
        }
        let own = [format!("misp:name=\"{name}\""), format!("misp:meta-category=\"{category}\"")];
        self.tags(taker, &mut fields, &[&own[0], &own[1]]);
        fields
    }

    fn place_object(&mut self, uuid: &str, fields: Map<String, Value>, event: &mut Draft) {
        self.went.insert(uuid.to_owned(), Went::Object(event.objects.len()));
        event.objects.push(fields);
    }

    /// An `x-misp-object`.
    pub(super) fn custom_object(&mut self, id: &str, event: &mut Draft) {
        let Some(mut taker) = self.take(id) else { return };
        let uuid = Self::uuid(id).to_owned();
        let mut fields = self.object_head(&mut taker, &uuid);
        let attributes = taker.list("x_misp_attributes");
        fields.insert("Attribute".to_owned(), attributes.into());
        merge(&mut fields, taker.object(OTHER).unwrap_or_default());
        self.done(taker);
        self.place_object(&uuid, fields, event);
    }

    /// An object of a template that has a STIX type of its own.
    pub(super) fn mapped_object(&mut self, id: &str, event: &mut Draft) {
        let uuid = Self::uuid(id).to_owned();
        let main = self.take(&format!("observed-data--{uuid}"));
        let indicator = self.take(&format!("indicator--{uuid}"));
        let own = if main.is_none() && indicator.is_none() { self.take(id) } else { None };
        let Some(mut taker) = main.or(own).or(indicator) else { return };
        let mut fields = self.object_head(&mut taker, &uuid);
        for name in ["number_observed", "kill_chain_phases"] {
            taker.any(name);
        }
        let name = label_of(&fields);
        let row = TABLE.iter().find(|row| row.0 == name);
        let other = taker.object(OTHER).unwrap_or_default();
        let refs = taker.list("object_refs");
        let observable = refs.first().and_then(Value::as_str).and_then(|id| self.take(id));
        let whole = other.contains_key("Attribute");
        merge(&mut fields, other);
        if whole {
            // The attributes travelled whole: the properties were made of them.
            self.place_object(&uuid, fields, event);
            return;
        }
        let mut attributes = Vec::new();
        let mut source = observable.unwrap_or_else(|| {
            std::mem::replace(&mut taker, Taker::new(Map::new(), String::new()))
        });
        if let Some(row) = row {
            attributes = mapped::attributes(row, &mut source);
        }
        for (property, value) in source.peek_all() {
            let Some(relation) = property.strip_prefix("x_misp_") else { continue };
            let relation = relation.replace('_', "-");
            source.any(&property);
            let items = if let Value::Array(items) = value { items } else { vec![value] };
            for item in &items {
                let text = item.get("value").unwrap_or(item);
                let data = item.get("data").and_then(Value::as_str);
                attributes.push(part(
                    &name,
                    &relation,
                    &crate::carry::text_of(text).unwrap_or_default(),
                    data,
                ));
            }
        }
        fields.insert("Attribute".to_owned(), attributes.into());
        self.done(source);
        self.done(taker);
        self.place_object(&uuid, fields, event);
    }

    pub(super) fn event_report(&mut self, id: &str, event: &mut Draft) {
        let Some(mut taker) = self.take(id) else { return };
        let mut fields = Map::new();
        fields.insert("uuid".to_owned(), Self::uuid(id).into());
        fields.insert("name".to_owned(), taker.text("abstract").unwrap_or_default().into());
        fields.insert("content".to_owned(), taker.text("content").unwrap_or_default().into());
        if let Some(at) = take_time(&mut taker, "modified") {
            fields.insert("timestamp".to_owned(), epoch(at).into());
            same_or_leave(&mut taker, "created", at);
        }
        for name in ["labels", "object_refs", "created_by_ref"] {
            taker.any(name);
        }
        merge(&mut fields, taker.object(OTHER).unwrap_or_default());
        self.done(taker);
        event.reports.push(Value::Object(fields));
    }

    /// An object that did not come out of MISP.
    pub(super) fn foreign(&mut self, id: &str, kind: &str, event: &mut Draft) {
        match kind {
            "indicator" => self.foreign_indicator(id, event),
            "attack-pattern" | "campaign" | "course-of-action" | "intrusion-set" | "malware"
            | "threat-actor" | "tool" | "vulnerability" | "location" => {
                self.foreign_cluster(id, event)
            }
            _ if stix::id::is_cyber_observable(kind) && !self.within(id) => {
                self.foreign_observable(id, event)
            }
            _ => {}
        }
    }

    /// Whether an observation that is still to be read refers to this observable.
    fn within(&self, id: &str) -> bool {
        self.objects.contains_key(&format!("observed-data--{}", Self::uuid(id)))
    }

    /// Relationships and sightings, when everything they may point at is there.
    pub(super) fn relationships(&mut self, events: &mut [Draft]) {
        for id in self.order.clone() {
            match Self::kind(&id) {
                "relationship" => self.relationship(&id, events),
                "sighting" | "opinion" => self.sighting(&id, events),
                _ => {}
            }
        }
    }

    fn find<'a>(
        &self,
        uuid: &str,
        events: &'a mut [Draft],
    ) -> Option<(&'a mut Map<String, Value>, bool)> {
        let went = *self.went.get(uuid)?;
        let same = |map: &Map<String, Value>| map.get("uuid").and_then(Value::as_str) == Some(uuid);
        events.iter_mut().find_map(|event| match went {
            Went::Attribute(at) => {
                event.attributes.get_mut(at).filter(|map| same(map)).map(|map| (map, false))
            }
            Went::Object(at) => {
                event.objects.get_mut(at).filter(|map| same(map)).map(|map| (map, true))
            }
        })
    }

    fn relationship(&mut self, id: &str, events: &mut [Draft]) {
        let Some(taker) = self.objects.get(id) else { return };
        let text =
            |name: &str| taker.peek(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (source, target, kind) =
            (text("source_ref"), text("target_ref"), text("relationship_type"));
        let (from, to) = (Self::uuid(&source).to_owned(), Self::uuid(&target).to_owned());
        if from == to && kind == "based-on" {
            self.take(id);
            return;
        }
        if let Some((galaxy, cluster)) = self.clusters.get(&target).cloned() {
            let Some((fields, _)) = self.find(&from, events) else { return };
            if !holds_cluster(fields, &cluster) {
                add_galaxy(fields, &galaxy, cluster);
            }
            if let Some(mut taker) = self.take(id) {
                for name in ["source_ref", "target_ref", "relationship_type", "created", "modified"]
                {
                    taker.any(name);
                }
                self.done(taker);
            }
            for event in events {
                if event.refs.is_empty() {
                    event.clusters.retain(|known| *known != target);
                }
            }
            return;
        }
        if !matches!(self.went.get(&from), Some(Went::Object(_))) {
            return;
        }
        let Some(mut taker) = self.take(id) else { return };
        let mut reference = Map::new();
        reference.insert("uuid".to_owned(), Self::uuid(id).into());
        reference.insert("object_uuid".to_owned(), from.clone().into());
        reference.insert("referenced_uuid".to_owned(), to.into());
        reference.insert("relationship_type".to_owned(), kind.into());
        if let Some(comment) = taker.text("description") {
            reference.insert("comment".to_owned(), comment.into());
        }
        if let Some(at) = take_time(&mut taker, "modified") {
            reference.insert("timestamp".to_owned(), epoch(at).into());
            same_or_leave(&mut taker, "created", at);
        }
        for name in ["source_ref", "target_ref", "relationship_type"] {
            taker.any(name);
        }
        merge(&mut reference, taker.object(OTHER).unwrap_or_default());
        self.done(taker);
        if let Some((fields, _)) = self.find(&from, events) {
            push(fields, "ObjectReference", Value::Object(reference));
        }
    }

    fn sighting(&mut self, id: &str, events: &mut [Draft]) {
        let Some(taker) = self.objects.get(id) else { return };
        let target = taker.peek("sighting_of_ref").and_then(Value::as_str).or_else(|| {
            taker.peek("object_refs").and_then(|refs| refs.get(0)).and_then(Value::as_str)
        });
        let positive = Self::kind(id) == "opinion"
            && taker.peek("opinion").and_then(Value::as_str) != Some("strongly-disagree");
        let Some(target) = target.map(|id| Self::uuid(id).to_owned()).filter(|_| !positive) else {
            return;
        };
        if !self.went.contains_key(&target) {
            return;
        }
        let Some(mut taker) = self.take(id) else { return };
        let mut sighting = Map::new();
        sighting.insert("uuid".to_owned(), Self::uuid(id).into());
        sighting
            .insert("type".to_owned(), if Self::kind(id) == "sighting" { "0" } else { "1" }.into());
        if let Some(at) = take_time(&mut taker, "modified") {
            sighting.insert("date_sighting".to_owned(), epoch(at).into());
            same_or_leave(&mut taker, "created", at);
        }
        if let Some(source) = taker.text("description") {
            sighting.insert("source".to_owned(), source.into());
        }
        let seen_by = taker.list("where_sighted_refs");
        let who = seen_by
            .first()
            .and_then(Value::as_str)
            .map(str::to_owned)
            .or_else(|| taker.text("x_misp_author_ref"));
        if let Some(who) = who {
            if let Some(organisation) = self.organisation(&who) {
                sighting.insert("Organisation".to_owned(), organisation);
            }
            self.attached.insert(who);
        }
        for name in [
            "sighting_of_ref",
            "observed_data_refs",
            "object_refs",
            "opinion",
            "explanation",
            "authors",
        ] {
            taker.any(name);
        }
        merge(&mut sighting, taker.object(OTHER).unwrap_or_default());
        self.done(taker);
        if let Some((fields, _)) = self.find(&target, events) {
            push(fields, "Sighting", Value::Object(sighting));
        } else {
            let what = Value::Object(sighting);
            self.not_carried.push(NotCarried::new(format!("/objects/{id}"), &what, Why::Dangling));
        }
    }
}

fn label_of(fields: &Map<String, Value>) -> String {
    fields.get("name").and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn push(fields: &mut Map<String, Value>, name: &str, value: Value) {
    if let Value::Array(items) =
        fields.entry(name.to_owned()).or_insert_with(|| Value::Array(Vec::new()))
    {
        items.push(value);
    }
}

/// Whether one of an object's attributes has the cluster already: those that travelled whole do.
fn holds_cluster(fields: &Map<String, Value>, cluster: &Map<String, Value>) -> bool {
    let attributes = fields.get("Attribute").and_then(Value::as_array);
    let galaxies = attributes
        .into_iter()
        .flatten()
        .filter_map(|attribute| attribute.get("Galaxy")?.as_array())
        .flatten();
    galaxies
        .filter_map(|galaxy| galaxy.get("GalaxyCluster")?.as_array())
        .flatten()
        .any(|known| known.get("uuid") == cluster.get("uuid"))
}

fn add_galaxy(fields: &mut Map<String, Value>, galaxy: &Value, cluster: Map<String, Value>) {
    let list = fields.entry("Galaxy".to_owned()).or_insert_with(|| Value::Array(Vec::new()));
    let Value::Array(list) = list else { return };
    let cluster = Value::Object(cluster);
    for known in list.iter_mut() {
        if known.get("type") == galaxy.get("type")
            && let Some(Value::Array(clusters)) = known.get_mut("GalaxyCluster")
        {
            clusters.push(cluster);
            return;
        }
    }
    let mut whole = galaxy.clone();
    whole["GalaxyCluster"] = json!([cluster]);
    list.push(whole);
}

pub(super) fn part(name: &str, relation: &str, value: &str, data: Option<&str>) -> Value {
    let kind = crate::template::relation(name, relation).map_or("text", |known| known.kind);
    let mut part = json!({"type": kind, "object_relation": relation, "value": value});
    if let Some(data) = data {
        part["data"] = data.into();
    }
    part
}
