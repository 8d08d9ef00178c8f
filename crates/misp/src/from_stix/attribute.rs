//! Attributes: those that came out of MISP, and foreign indicators and observables.

use serde_json::{Map, Value, json};
use stix::Object;

use super::{
    Draft, Reader, Went, epoch, fresh, label, merge, nothing, pattern, same_or_leave, take_time,
};
use crate::carry::{NotCarried, OTHER, Taker, Why};
use crate::describe;
use crate::shape::{self, Shape, shape};

impl Reader {
    /// An object with the label `misp:type=`: with the others of its UUID one attribute.
    pub(super) fn attribute(&mut self, id: &str, event: &mut Draft) {
        let uuid = Self::uuid(id).to_owned();
        let (observed, indicator) =
            (format!("observed-data--{uuid}"), format!("indicator--{uuid}"));
        let mut main = self.take(&observed);
        let mut indicator = self.take(&indicator);
        if main.is_none() && indicator.is_none() {
            main = self.take(id);
        }
        let Some(kind) =
            main.as_ref().or(indicator.as_ref()).and_then(|taker| label(taker, "type"))
        else {
            return;
        };
        let category =
            main.as_ref().or(indicator.as_ref()).and_then(|taker| label(taker, "category"));
        let mut fields = Map::new();
        fields.insert("uuid".to_owned(), uuid.clone().into());
        fields.insert("type".to_owned(), kind.clone().into());
        if let Some(category) = &category {
            fields.insert("category".to_owned(), category.clone().into());
        }
        let form = shape(&kind);
        let found = main.as_mut().and_then(|taker| self.value_of(form, id, taker));
        let spoken = indicator
            .as_mut()
            .and_then(|taker| self.value_of_pattern(form, taker, found.is_some()));
        let (value, data) = found.or(spoken).unwrap_or_default();
        fields.insert("value".to_owned(), value.into());
        if let Some(data) = data {
            fields.insert("data".to_owned(), data.into());
        }
        fields.insert("to_ids".to_owned(), (indicator.is_some()).into());
        if main.as_ref().is_some_and(|taker| taker.peek("x_misp_type").is_some())
            && !matches!(form, Shape::Only(_))
        {
            let default = describe::attribute_type(&kind).is_some_and(|known| known.to_ids);
            fields.insert("to_ids".to_owned(), default.into());
        }
        let own = [
            format!("misp:type=\"{kind}\""),
            format!("misp:category=\"{}\"", category.unwrap_or_default()),
        ];
        let mut others = Map::new();
        for mut taker in main.into_iter().chain(indicator) {
            self.common(&mut taker, &mut fields, &own);
            merge(&mut others, taker.object(OTHER).unwrap_or_default());
            self.done(taker);
        }
        merge(&mut fields, others);
        self.place_attribute(uuid, fields, event);
    }

    pub(super) fn place_attribute(
        &mut self,
        uuid: String,
        fields: Map<String, Value>,
        event: &mut Draft,
    ) {
        self.went.insert(uuid, Went::Attribute(event.attributes.len()));
        event.attributes.push(fields);
    }

    /// Times, tags and comment, whatever the object.
    fn common(&mut self, taker: &mut Taker, fields: &mut Map<String, Value>, own: &[String]) {
        if let Some(at) = take_time(taker, "modified") {
            fields.insert("timestamp".to_owned(), epoch(at).into());
            for name in ["created", "valid_from"] {
                same_or_leave(taker, name, at);
            }
            for (name, field) in [("first_observed", "first_seen"), ("last_observed", "last_seen")]
            {
                same_or_leave(taker, name, at);
                if let Some(text) = taker.text(name) {
                    fields.insert(field.to_owned(), text.into());
                }
            }
        }
        if taker.peek("number_observed") == Some(&Value::from(1)) {
            taker.any("number_observed");
        }
        for name in ["description", "x_misp_comment"] {
            if let Some(comment) = taker.text(name) {
                fields.insert("comment".to_owned(), comment.into());
            }
        }
        for name in ["x_misp_category", "x_misp_type"] {
            taker.any(name);
        }
        let phases = taker.peek("kill_chain_phases").and_then(Value::as_array);
        if phases.is_some_and(|list| {
            list.iter().all(|phase| phase.get("kill_chain_name") == Some(&"misp-category".into()))
        }) {
            taker.any("kill_chain_phases");
        }
        if let Some(org) = taker.peek("created_by_ref").and_then(Value::as_str).map(str::to_owned) {
            self.attached.insert(org);
            taker.any("created_by_ref");
        }
        let own: Vec<&str> = own.iter().map(String::as_str).collect();
        let mut tagged = Map::new();
        self.tags(taker, &mut tagged, &own);
        fields.extend(tagged);
    }

    fn value_of(
        &mut self,
        form: Shape,
        id: &str,
        taker: &mut Taker,
    ) -> Option<(String, Option<String>)> {
        if let Some(value) = taker.text("x_misp_value") {
            return Some((value, None));
        }
        if matches!(form, Shape::Vulnerability | Shape::Campaign) {
            let name = taker.text("name")?;
            let reference = json!([{"source_name": "cve", "external_id": name}]);
            if taker.peek("external_references") == Some(&reference) {
                taker.any("external_references");
            }
            return Some((name, None));
        }
        let refs = taker.list("object_refs");
        let ids: Vec<String> = refs.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let mut objects: Vec<(String, Object)> = Vec::new();
        for id in &ids {
            if let Some(taker) = self.take(id) {
                objects.push((taker.place.clone(), Object::from_map(taker.into_map())));
            }
        }
        let seen: Vec<&Object> = objects.iter().map(|(_, object)| object).collect();
        let form = match form {
            Shape::Sample if !ids.iter().any(|id| id.starts_with("artifact--")) => {
                Shape::NamedHash("MD5", "MD5")
            }
            form => form,
        };
        let Some(found) = shape::value(form, &seen) else {
            taker.put("object_refs", refs.into());
            for (place, object) in objects {
                self.objects
                    .insert(object.id_text().to_owned(), Taker::new(object.into_map(), place));
            }
            return None;
        };
        let built = shape::build(form, Self::uuid(id), &found.0, found.1.as_deref());
        for (place, object) in objects {
            self.observable(place, object, built.as_ref());
        }
        Some(found)
    }

    /// An observable whose value was taken: what is in it beyond that is listed.
    fn observable(&mut self, place: String, object: Object, built: Option<&shape::Built>) {
        let again = built.and_then(|built| {
            built
                .observables
                .iter()
                .find(|map| map.get("type").and_then(Value::as_str) == Some(object.kind()))
        });
        let mut taker = Taker::new(object.into_map(), place);
        for (name, value) in again.into_iter().flatten() {
            if name.ends_with("_ref") || name.ends_with("_refs") || taker.peek(name) == Some(value)
            {
                taker.any(name);
            }
        }
        // `body_multipart` refers to the file within.
        if again.is_some_and(|map| map.contains_key("body_multipart")) {
            taker.any("body_multipart");
        }
        self.done(taker);
    }

    fn value_of_pattern(
        &self,
        form: Shape,
        taker: &mut Taker,
        known: bool,
    ) -> Option<(String, Option<String>)> {
        let language = taker.text("pattern_type").unwrap_or_default();
        taker.any("pattern_version");
        let text = taker.text("pattern")?;
        if known {
            return None;
        }
        if language != "stix" {
            let inner =
                text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(&text);
            return Some((inner.to_owned(), None));
        }
        let found = pattern::alternatives(&text)?;
        let tests = found.first()?;
        match form {
            Shape::Only(_) => Some((tests.first()?.1.clone(), None)),
            _ => pattern::attribute(tests).map(|(_, value)| (value, None)),
        }
    }

    /// An indicator that did not come out of MISP: an attribute for every alternative that has a type, otherwise the
    /// pattern as it is.
    pub(super) fn foreign_indicator(&mut self, id: &str, event: &mut Draft) {
        let Some(mut taker) = self.take(id) else { return };
        let language = taker.text("pattern_type").unwrap_or_default();
        taker.any("pattern_version");
        let text = taker.text("pattern").unwrap_or_default();
        let found = if language == "stix" { pattern::alternatives(&text) } else { None };
        let values: Option<Vec<_>> = found
            .map(|found| found.iter().map(|tests| pattern::attribute(tests)).collect())
            .unwrap_or_default();
        let rule = describe::attribute_type(&language).map_or("stix2-pattern", |kind| kind.name);
        let values = values.unwrap_or_else(|| vec![(rule.to_owned(), text)]);
        self.foreign_attributes(id, taker, values, true, event);
    }

    /// Attributes for values of a foreign object; the first has its UUID, the others one derived of it.
    pub(super) fn foreign_attributes(
        &mut self,
        id: &str,
        mut taker: Taker,
        values: Vec<(String, String)>,
        to_ids: bool,
        event: &mut Draft,
    ) {
        let mut head = Map::new();
        self.common(&mut taker, &mut head, &[]);
        if let Some(name) = taker.text("name") {
            let comment =
                head.get("comment").and_then(Value::as_str).map(|text| format!("{name}: {text}"));
            head.insert("comment".to_owned(), comment.unwrap_or(name).into());
        }
        self.done(taker);
        for (index, (kind, value)) in values.into_iter().enumerate() {
            let uuid = if index == 0 {
                Self::uuid(id).to_owned()
            } else {
                fresh(&format!("{id}\n{index}"))
            };
            let mut fields = Map::new();
            fields.insert("uuid".to_owned(), uuid.clone().into());
            let category =
                describe::attribute_type(&kind).map_or("Other", |known| known.default_category);
            fields.insert("type".to_owned(), kind.into());
            fields.insert("category".to_owned(), category.into());
            fields.insert("value".to_owned(), value.into());
            fields.insert("to_ids".to_owned(), to_ids.into());
            fields.extend(head.clone());
            self.place_attribute(uuid, fields, event);
        }
    }

    /// A cyber observable that nothing of MISP refers to.
    pub(super) fn foreign_observable(&mut self, id: &str, event: &mut Draft) {
        let Some(mut taker) = self.take(id) else { return };
        let mut values = Vec::new();
        let mut take = |taker: &mut Taker, name: &str, path: &str| {
            if let Some(value) = taker.text(name) {
                match pattern::attribute(&[(path.to_owned(), value.clone())]) {
                    Some(found) => values.push(found),
                    None => taker.put(name, value.into()),
                }
            }
        };
        let kind = Self::kind(id).to_owned();
        for name in ["value", "name", "key", "number", "subject", "body", "message_id"] {
            take(&mut taker, name, &format!("{kind}:{name}"));
        }
        if let Some(hashes) = taker.object("hashes") {
            let mut left = Map::new();
            for (name, hash) in hashes {
                let path = format!("{kind}:hashes.'{name}'");
                let found =
                    hash.as_str().and_then(|hash| pattern::attribute(&[(path, hash.to_owned())]));
                match found {
                    Some(found) => values.push(found),
                    None => {
                        left.insert(name, hash);
                    }
                }
            }
            if !nothing(&left) {
                taker.put("hashes", Value::Object(left));
            }
        }
        if values.is_empty() {
            let place = taker.place.clone();
            self.not_carried.push(NotCarried::new(
                place,
                &Value::Object(taker.rest()),
                Why::NoPlace,
            ));
            return;
        }
        self.foreign_attributes(id, taker, values, false, event);
    }
}
