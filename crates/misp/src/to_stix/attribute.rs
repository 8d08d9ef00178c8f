//! Attributes.

use std::collections::HashSet;

use serde_json::{Map, Value, json};
use stix::Timestamp;
use stix::validate::identifies;

use super::{Writer, plain};
use crate::carry::{NotCarried, Taker, Why, join};
use crate::describe;
use crate::shape::{self, Built, Shape, shape};
use crate::sound::is_sound;

/// What every form of an attribute needs.
struct Head {
    uuid: String,
    kind: String,
    category: String,
    value: String,
    to_ids: bool,
    at: Timestamp,
}

/// A text of a pattern, escaped as §9 of STIX 2.1 wants it.
pub(super) fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('\'', "\\'")
}

pub(super) fn pattern(tests: &[(String, String)]) -> String {
    let tests: Vec<String> =
        tests.iter().map(|(path, value)| format!("{path} = '{}'", escaped(value))).collect();
    format!("[{}]", tests.join(" AND "))
}

impl Writer {
    /// One attribute; returns the ids it became, the one to point at first.
    pub(super) fn attribute(&mut self, mut taker: Taker) -> Vec<String> {
        let (Some(kind), Some(value)) = (taker.text("type"), taker.text("value")) else {
            let place = taker.place.clone();
            let what = Value::Object(taker.rest());
            self.not_carried.push(NotCarried::new(place, &what, Why::Malformed));
            return Vec::new();
        };
        let known = describe::attribute_type(&kind);
        let uuid = Self::uuid(&mut taker, &format!("{kind}\n{value}"));
        let default_category = known.map_or("Other", |known| known.default_category);
        let category = taker.text("category").unwrap_or_else(|| default_category.to_owned());
        let to_ids =
            taker.flag("to_ids").unwrap_or_else(|| known.is_some_and(|known| known.to_ids));
        let at = self.timestamp(&mut taker);
        let head = Head { uuid, kind, category, value, to_ids, at };
        let ids = self.form(&head, taker);
        self.by_uuid.entry(head.uuid).or_insert_with(|| ids.clone());
        ids
    }

    fn form(&mut self, head: &Head, mut taker: Taker) -> Vec<String> {
        let form = shape(&head.kind);
        match form {
            Shape::Vulnerability | Shape::Campaign => return self.domain_object(form, head, taker),
            Shape::Rule => {
                return self.indicator_only(head, taker, &format!("[{}]", head.value), &head.kind);
            }
            Shape::Only(path) if head.to_ids => {
                let text = pattern(&[(path.to_owned(), head.value.clone())]);
                return self.indicator_only(head, taker, &text, "stix");
            }
            Shape::Custom | Shape::Only(_) => return self.custom(head, taker),
            _ => {}
        }
        let with_data = matches!(form, Shape::Attachment | Shape::Sample);
        let data = if with_data { taker.text("data") } else { None };
        match shape::build(form, &head.uuid, &head.value, data.as_deref()) {
            Some(built) if built.observables.iter().all(is_sound) => {
                self.observed(form, head, taker, built)
            }
            _ => {
                if let Some(data) = data {
                    taker.put("data", data.into());
                }
                self.custom(head, taker)
            }
        }
    }

    fn labels(head: &Head) -> Value {
        json!([
            format!("misp:type=\"{}\"", head.kind),
            format!("misp:category=\"{}\"", head.category)
        ])
    }

    /// Writes an object of an attribute with what all of them have.
    fn finish(
        &mut self,
        mut taker: Taker,
        head: &Head,
        mut map: Map<String, Value>,
    ) -> Vec<String> {
        let id = map.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let tags = self.attribute_galaxies(&mut taker, &id, head.at);
        self.tags(&mut taker, &mut map, &tags);
        self.sightings(&mut taker, std::slice::from_ref(&id), head.at);
        let place = taker.place.clone();
        self.other(taker, &mut map);
        self.add(map, &place, true);
        vec![id]
    }

    fn attribute_galaxies(
        &mut self,
        taker: &mut Taker,
        id: &str,
        at: Timestamp,
    ) -> HashSet<String> {
        let before = self.objects.len();
        let place = join(&taker.place, "Galaxy");
        for (index, galaxy) in taker.list("Galaxy").into_iter().enumerate() {
            for cluster in self.galaxy(galaxy, &format!("{place}/{index}"), at) {
                let kind = super::galaxy::relationship(id, &cluster);
                self.relate(&place, kind, id, &cluster, at);
            }
        }
        self.cluster_tags(before)
    }

    fn domain_object(&mut self, form: Shape, head: &Head, mut taker: Taker) -> Vec<String> {
        let kind = if form == Shape::Campaign { "campaign" } else { "vulnerability" };
        let mut map = self.draft(kind, &head.uuid, head.at);
        map.insert("name".to_owned(), head.value.clone().into());
        map.insert("labels".to_owned(), Self::labels(head));
        if let Some(comment) = taker.text("comment").filter(|comment| !comment.is_empty()) {
            map.insert("description".to_owned(), comment.into());
        }
        if kind == "vulnerability" && identifies("cve", &head.value) {
            let reference = json!([{"source_name": "cve", "external_id": head.value}]);
            map.insert("external_references".to_owned(), reference);
        }
        self.keep_to_ids(&mut taker, head, false);
        self.finish(taker, head, map)
    }

    /// Where the form does not say whether the attribute is for detection, the flag is kept among the rest.
    fn keep_to_ids(&self, taker: &mut Taker, head: &Head, implied: bool) {
        if head.to_ids != implied {
            taker.put("to_ids", head.to_ids.into());
        }
    }

    fn custom(&mut self, head: &Head, mut taker: Taker) -> Vec<String> {
        let mut map = self.draft("x-misp-attribute", &head.uuid, head.at);
        map.insert("labels".to_owned(), Self::labels(head));
        map.insert("x_misp_category".to_owned(), head.category.clone().into());
        if let Some(comment) = taker.text("comment").filter(|comment| !comment.is_empty()) {
            map.insert("x_misp_comment".to_owned(), comment.into());
        }
        map.insert("x_misp_type".to_owned(), head.kind.clone().into());
        map.insert("x_misp_value".to_owned(), head.value.clone().into());
        let default = describe::attribute_type(&head.kind).is_some_and(|known| known.to_ids);
        self.keep_to_ids(&mut taker, head, default && !matches!(shape(&head.kind), Shape::Only(_)));
        self.finish(taker, head, map)
    }

    fn indicator(
        &self,
        head: &Head,
        taker: &mut Taker,
        text: &str,
        language: &str,
    ) -> Map<String, Value> {
        let mut map = self.draft("indicator", &head.uuid, head.at);
        if let Some(comment) = taker.text("comment").filter(|comment| !comment.is_empty()) {
            map.insert("description".to_owned(), comment.into());
        }
        map.insert("pattern".to_owned(), text.into());
        map.insert("pattern_type".to_owned(), language.into());
        map.insert("pattern_version".to_owned(), "2.1".into());
        map.insert("valid_from".to_owned(), plain(head.at).into());
        let phase = json!([{"kill_chain_name": "misp-category", "phase_name": head.category}]);
        map.insert("kill_chain_phases".to_owned(), phase);
        map.insert("labels".to_owned(), Self::labels(head));
        map
    }

    fn indicator_only(
        &mut self,
        head: &Head,
        mut taker: Taker,
        text: &str,
        language: &str,
    ) -> Vec<String> {
        let map = self.indicator(head, &mut taker, text, language);
        self.keep_to_ids(&mut taker, head, true);
        self.finish(taker, head, map)
    }

    fn observed(
        &mut self,
        form: Shape,
        head: &Head,
        mut taker: Taker,
        built: Built,
    ) -> Vec<String> {
        let place = taker.place.clone();
        let observables: Vec<stix::Object> =
            built.observables.into_iter().map(stix::Object::from_map).collect();
        let back = shape::value(form, &observables.iter().collect::<Vec<_>>());
        if back.is_none_or(|(value, _)| value != head.value) {
            taker.put("value", head.value.clone().into());
        }
        let mut map = self.draft("observed-data", &head.uuid, head.at);
        self.seen_times(&mut taker, &mut map, head.at);
        map.insert("number_observed".to_owned(), 1.into());
        let refs: Vec<Value> = observables.iter().map(|object| object.id_text().into()).collect();
        map.insert("object_refs".to_owned(), refs.into());
        map.insert("labels".to_owned(), Self::labels(head));
        let id = format!("observed-data--{}", head.uuid);
        let tags = self.attribute_galaxies(&mut taker, &id, head.at);
        let indicator =
            head.to_ids.then(|| self.indicator(head, &mut taker, &pattern(&built.tests), "stix"));
        self.tags(&mut taker, &mut map, &tags);
        let mut ids = vec![id.clone()];
        let indicator = indicator.map(|mut indicator| {
            ids.insert(0, format!("indicator--{}", head.uuid));
            for name in ["object_marking_refs", "confidence", "labels"] {
                if let Some(value) = map.get(name) {
                    indicator.insert(name.to_owned(), value.clone());
                }
            }
            indicator
        });
        self.sightings(&mut taker, &ids, head.at);
        self.other(taker, &mut map);
        let markings = map.get("object_marking_refs").cloned();
        self.add(map, &place, true);
        for object in observables {
            // The value stands in the observable: it is no less protected than the attribute.
            let mut object = object.into_map();
            if let Some(markings) = &markings {
                object.insert("object_marking_refs".to_owned(), markings.clone());
            }
            self.add(object, &place, true);
        }
        if let Some(indicator) = indicator {
            self.add(indicator, &place, true);
            self.relate(&place, "based-on", &ids[0], &id, head.at);
        }
        ids
    }

    /// `first_seen` and `last_seen`; the time of the attribute where there is none, and never in the wrong order.
    pub(super) fn seen_times(
        &self,
        taker: &mut Taker,
        map: &mut Map<String, Value>,
        at: Timestamp,
    ) {
        let mut read = |name: &str| {
            let text = taker.peek(name)?.as_str()?.replace(' ', "T");
            let found = Timestamp::parse(&text.replace("+00:00", "Z")).ok()?;
            if !self.options.keep_other {
                taker.any(name);
            }
            Some(found)
        };
        let (first, last) = (read("first_seen"), read("last_seen"));
        let (mut from, mut to) = (first.unwrap_or(at), last.unwrap_or(at));
        if from > to {
            if last.is_some() { from = to } else { to = from }
        }
        map.insert("first_observed".to_owned(), plain(from).into());
        map.insert("last_observed".to_owned(), plain(to).into());
    }
}
