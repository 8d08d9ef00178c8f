//! Objects: those in the table become the STIX type there, all others `x-misp-object`.

use std::collections::HashSet;

use serde_json::{Map, Value, json};
use stix::validate::identifies;

use super::rows::{How, Row, TABLE};
use super::{Pending, Writer, attribute::pattern, rows};
use crate::carry::{NotCarried, Taker, Why, flag_of, join, text_of};
use crate::describe;
use crate::shape::{hash_names, quoted};
use crate::sound::may_hold;

impl Writer {
    /// One object with its attributes.
    pub(super) fn object(&mut self, mut taker: Taker) {
        let name = taker.text("name").unwrap_or_default();
        let category = taker.text("meta-category").unwrap_or_else(|| "misc".to_owned());
        let uuid = Self::uuid(&mut taker, &name);
        let at = self.timestamp(&mut taker);
        let references = taker.list("ObjectReference");
        let mut attributes = taker.list("Attribute");
        let row = TABLE.iter().find(|row| row.0 == name && fits(row, &attributes));
        let kind = row.map_or("x-misp-object", |row| if row.2 { "observed-data" } else { row.1 });
        let id = format!("{kind}--{uuid}");
        let mut map = self.draft(kind, &uuid, at);
        let label = json!([
            format!("misp:name=\"{}\"", name.replace('|', "-")),
            format!("misp:meta-category=\"{category}\"")
        ]);
        map.insert("labels".to_owned(), label);
        if name.contains('|') {
            taker.put("name", name.clone().into());
        }
        self.object_galaxies(&mut attributes, &id, at, &taker.place);
        let mut after = Vec::new();
        match row {
            None => self.custom_object(&mut taker, &mut map, (&name, &category), attributes),
            Some(row) => {
                let whole = attributes.clone();
                let place = taker.place.clone();
                let (properties, tests) = self.properties(row, &attributes, &place);
                if self.options.keep_other {
                    taker.put("Attribute", whole.into());
                }
                if row.2 {
                    self.seen_times(&mut taker, &mut map, at);
                    map.insert("number_observed".to_owned(), 1.into());
                    let observable = format!("{}--{uuid}", row.1);
                    map.insert("object_refs".to_owned(), json!([observable]));
                    let mut sco = json!({"type": row.1, "spec_version": "2.1", "id": observable});
                    if let Value::Object(sco) = &mut sco {
                        sco.extend(properties);
                        after.push(sco.clone());
                    }
                    if !tests.is_empty() {
                        after.push(self.object_indicator(
                            &uuid,
                            at,
                            &tests,
                            &category,
                            map["labels"].clone(),
                        ));
                        self.relate(&place, "based-on", &format!("indicator--{uuid}"), &id, at);
                    }
                } else {
                    if row.1 == "attack-pattern" {
                        let phase =
                            json!([{"kill_chain_name": "misp-category", "phase_name": category}]);
                        map.insert("kill_chain_phases".to_owned(), phase);
                    }
                    map.extend(properties);
                }
            }
        }
        self.tags(&mut taker, &mut map, &HashSet::new());
        let place = taker.place.clone();
        self.other(taker, &mut map);
        self.by_uuid.entry(uuid).or_default().insert(0, id.clone());
        self.add(map, &place, true);
        for object in after {
            self.add(object, &place, true);
        }
        for (index, reference) in references.into_iter().enumerate() {
            self.reference(reference, &format!("{place}/ObjectReference/{index}"), &id, at);
        }
    }

    fn object_indicator(
        &self,
        uuid: &str,
        at: stix::Timestamp,
        tests: &[(String, String)],
        category: &str,
        labels: Value,
    ) -> Map<String, Value> {
        let mut indicator = self.draft("indicator", uuid, at);
        indicator.insert("pattern".to_owned(), pattern(tests).into());
        indicator.insert("pattern_type".to_owned(), "stix".into());
        indicator.insert("pattern_version".to_owned(), "2.1".into());
        indicator.insert("valid_from".to_owned(), super::plain(at).into());
        let phase = json!([{"kill_chain_name": "misp-category", "phase_name": category}]);
        indicator.insert("kill_chain_phases".to_owned(), phase);
        indicator.insert("labels".to_owned(), labels);
        indicator
    }

    /// Galaxies at the attributes of an object belong to what the object becomes.
    fn object_galaxies(
        &mut self,
        attributes: &mut [Value],
        id: &str,
        at: stix::Timestamp,
        place: &str,
    ) {
        for (index, attribute) in attributes.iter_mut().enumerate() {
            let Some(map) = attribute.as_object_mut() else { continue };
            let galaxies = if self.options.keep_other {
                map.get("Galaxy").cloned()
            } else if map.get("Galaxy").is_some_and(Value::is_array) {
                map.swap_remove("Galaxy")
            } else {
                None
            };
            let Some(Value::Array(galaxies)) = galaxies else { continue };
            let place = format!("{place}/Attribute/{index}/Galaxy");
            for (index, galaxy) in galaxies.into_iter().enumerate() {
                for cluster in self.galaxy(galaxy, &format!("{place}/{index}"), at) {
                    let kind = super::galaxy::relationship(id, &cluster);
                    self.relate(&place, kind, id, &cluster, at);
                }
            }
        }
    }

    fn custom_object(
        &mut self,
        taker: &mut Taker,
        map: &mut Map<String, Value>,
        (name, category): (&str, &str),
        attributes: Vec<Value>,
    ) {
        let mut written = Vec::new();
        let place = join(&taker.place, "Attribute");
        for (index, attribute) in attributes.into_iter().enumerate() {
            let Some(record) = self.record(attribute, &format!("{place}/{index}")) else {
                continue;
            };
            written.push(self.custom_part(record));
        }
        map.insert("x_misp_meta_category".to_owned(), category.into());
        map.insert("x_misp_name".to_owned(), name.into());
        map.insert("x_misp_attributes".to_owned(), written.into());
        if let Some(comment) = taker.text("comment").filter(|comment| !comment.is_empty()) {
            map.insert("x_misp_comment".to_owned(), comment.into());
        }
    }

    /// One attribute of an `x-misp-object`, defaults filled in.
    fn custom_part(&mut self, mut record: Taker) -> Value {
        let mut part = Map::new();
        let kind = record.text("type").unwrap_or_default();
        let known = describe::attribute_type(&kind);
        let default = known.is_some_and(|known| known.to_ids);
        let said = record.flag("to_ids");
        let to_ids = said.unwrap_or(default);
        let category = record
            .text("category")
            .or_else(|| known.map(|known| known.default_category.to_owned()));
        if let Some(uuid) = record.text("uuid") {
            self.by_uuid.entry(uuid.to_ascii_lowercase()).or_default();
            part.insert("uuid".to_owned(), uuid.into());
        }
        part.insert("type".to_owned(), kind.into());
        for name in ["object_relation", "value", "comment", "data"] {
            if let Some(text) = record.text(name).filter(|text| !text.is_empty()) {
                part.insert(name.to_owned(), text.into());
            }
        }
        if let Some(category) = category {
            part.insert("category".to_owned(), category.into());
        }
        if to_ids || (said.is_some() && self.options.keep_other) {
            part.insert("to_ids".to_owned(), to_ids.into());
        } else if default {
            record.put("to_ids", false.into());
        }
        if self.options.keep_other {
            for (name, value) in record.rest() {
                part.entry(name).or_insert(value);
            }
        } else {
            record.report(&mut self.not_carried);
        }
        Value::Object(part)
    }

    /// The properties of a mapped object, and the tests of its pattern.
    fn properties(
        &mut self,
        row: &Row,
        attributes: &[Value],
        place: &str,
    ) -> (Map<String, Value>, Vec<(String, String)>) {
        let (mut map, mut tests, mut references) = (Map::new(), Vec::new(), Vec::new());
        for index in in_order(row, attributes) {
            let attribute = &attributes[index];
            if !self.options.keep_other {
                self.left_of_part(row.0, attribute, &format!("{place}/Attribute/{index}"));
            }
            let get = |name: &str| attribute.get(name).and_then(text_of).unwrap_or_default();
            let (relation, value, kind) = (get("object_relation"), get("value"), get("type"));
            let how = row.3.iter().find(|(known, ..)| *known == relation);
            let to_ids = attribute.get("to_ids").and_then(flag_of).unwrap_or_else(|| {
                describe::attribute_type(&kind).is_some_and(|known| known.to_ids)
            });
            let custom = format!("x_misp_{}", relation.replace(['-', ' '], "_"));
            let property = how.map_or(custom.as_str(), |(_, property, _)| *property);
            let hash =
                how.filter(|(_, _, how)| *how == How::Hash).and_then(|_| hash_names(&relation));
            let tested = !matches!(how.map(|(_, _, how)| *how), Some(How::Data));
            if to_ids
                && tested
                && let Some(path) = path(row.1, property, hash)
            {
                tests.push((path, value.clone()));
            }
            if let Some((name, _)) = hash
                && let Value::Object(hashes) = map.entry("hashes").or_insert_with(|| json!({}))
            {
                hashes.insert(name.to_owned(), value.into());
                continue;
            }
            match how.map(|(_, _, how)| *how) {
                Some(How::Reference(source)) => {
                    let id =
                        if source == "capec" { format!("CAPEC-{value}") } else { value.clone() };
                    references.insert(0, json!({"source_name": source, "external_id": id}));
                    if !property.is_empty() {
                        map.insert(property.to_owned(), value.into());
                    }
                }
                Some(How::Url(source)) => {
                    references.push(json!({"source_name": source, "url": value}))
                }
                how => {
                    if !how.is_some_and(|how| rows::say(&mut map, property, how, attribute)) {
                        let value = match attribute.get("data").and_then(Value::as_str) {
                            Some(data) => json!({"value": value, "data": data}),
                            None => value.into(),
                        };
                        several(&mut map, custom, value);
                    }
                }
            }
        }
        if !references.is_empty() {
            map.insert("external_references".to_owned(), references.into());
        }
        for (_, property, how) in row.3 {
            if let How::Fixed(value) = how {
                map.insert((*property).to_owned(), (*value).into());
            }
        }
        (map, tests)
    }

    /// What a property does not say of an attribute. The type is said where it is the template's.
    fn left_of_part(&mut self, template: &str, attribute: &Value, place: &str) {
        let relation = attribute.get("object_relation").and_then(Value::as_str).unwrap_or_default();
        let implied =
            crate::template::relation(template, relation).map_or("text", |known| known.kind);
        for (name, value) in attribute.as_object().into_iter().flatten() {
            let written = match name.as_str() {
                "type" => {
                    value.as_str() == Some(implied)
                        && crate::template::relation(template, relation).is_some()
                }
                // Of content the name has no place beside it.
                "value" => !(template == "artifact" && relation == "payload_bin"),
                "object_relation" | "to_ids" | "data" => true,
                _ => crate::carry::is_empty(value),
            };
            if !written {
                self.not_carried.push(NotCarried::new(join(place, name), value, Why::NoPlace));
            }
        }
    }

    fn reference(&mut self, reference: Value, place: &str, source: &str, at: stix::Timestamp) {
        let Some(mut taker) = self.record(reference, place) else { return };
        let Some(target) = taker.text("referenced_uuid") else {
            let what = Value::Object(taker.rest());
            self.not_carried.push(NotCarried::new(place.to_owned(), &what, Why::Malformed));
            return;
        };
        let kind = taker.text("relationship_type").unwrap_or_else(|| "related-to".to_owned());
        let uuid = Self::uuid(&mut taker, &format!("{source}\n{kind}\n{target}"));
        let at = match taker.peek("timestamp") {
            Some(_) => self.timestamp(&mut taker),
            None => at,
        };
        let mut extra = Map::new();
        if let Some(comment) = taker.text("comment").filter(|comment| !comment.is_empty()) {
            extra.insert("description".to_owned(), comment.into());
        }
        self.other(taker, &mut extra);
        let (source, target) = (source.to_owned(), target.to_ascii_lowercase());
        self.pending.push(Pending {
            place: place.to_owned(),
            id: format!("relationship--{uuid}"),
            kind,
            source,
            target,
            at,
            extra,
        });
    }
}

/// Attributes by index: mapped relations first, in the order of the table, as misp-stix names them in patterns.
fn in_order(row: &Row, attributes: &[Value]) -> Vec<usize> {
    let rank = |attribute: &Value| {
        let relation = attribute.get("object_relation").and_then(Value::as_str);
        row.3.iter().position(|(known, ..)| Some(*known) == relation).unwrap_or(usize::MAX)
    };
    let mut order: Vec<usize> = (0..attributes.len()).collect();
    order.sort_by_key(|at| rank(&attributes[*at]));
    order
}

/// The object path of a property in patterns; none for what became a reference.
fn path(kind: &str, property: &str, hash: Option<(&str, &str)>) -> Option<String> {
    match hash {
        Some((_, name)) => Some(format!("{kind}:hashes.{}", quoted(name))),
        None if property.is_empty() => None,
        None => Some(format!("{kind}:{}", rows::path(property))),
    }
}

/// Whether an object has what the STIX type requires, in the form it requires: the first relation, of a file any; a
/// relation with a number or hash once.
fn fits(row: &Row, attributes: &[Value]) -> bool {
    let count = |relation: &str| {
        let is_it = |attribute: &&Value| {
            attribute.get("object_relation").and_then(Value::as_str) == Some(relation)
        };
        attributes.iter().filter(is_it).count()
    };
    let readable = |attribute: &Value| {
        let relation = attribute.get("object_relation").and_then(Value::as_str);
        let known = row.3.iter().find(|(known, ..)| Some(*known) == relation);
        let (property, how) =
            known.map_or((None, None), |(_, property, how)| (Some(*property), Some(*how)));
        let text = attribute.get("value").and_then(text_of).unwrap_or_default();
        match how {
            Some(How::Number) if row.0 == "asn" => {
                text.trim_start_matches("AS").parse::<u32>().is_ok()
            }
            Some(How::Number) => text.parse::<u32>().is_ok(),
            Some(How::Reference("capec")) => identifies("capec", &format!("CAPEC-{text}")),
            Some(How::Reference(source)) => identifies(source, &text),
            Some(How::Text) => {
                property.is_none_or(|property| rows::may(row.1, property, text.into()))
            }
            Some(how @ (How::Time | How::Float | How::Kilometres)) => {
                let read = rows::read(how, &text);
                read.is_some_and(|value| property.is_none_or(|name| rows::may(row.1, name, value)))
            }
            Some(How::List) => {
                property.is_none_or(|property| rows::may(row.1, property, json!([text])))
            }
            Some(How::Contact | How::NamePart) => !text.trim().is_empty(),
            Some(How::Data) => {
                let data = attribute.get("data").cloned().unwrap_or_default();
                property.is_none_or(|property| rows::may(row.1, property, data))
            }
            Some(How::Hash) => {
                let name = relation.and_then(hash_names).map_or("", |(name, _)| name);
                may_hold(row.1, "hashes", &json!({name: text}))
            }
            _ => true,
        }
    };
    let once = row.3.iter().all(|(relation, _, how)| !how.is_once() || count(relation) <= 1);
    let enough = match row.0 {
        // Content and links to PE and its sections say more than the properties can.
        "file" => {
            row.3.iter().any(|(relation, ..)| count(relation) > 0)
                && attributes
                    .iter()
                    .all(|attribute| attribute.get("data").is_none_or(crate::carry::is_empty))
        }
        // A place is said by its region, its country, or where it lies; what lies somewhere has both numbers.
        "geolocation" => {
            let lies = (count("latitude"), count("longitude"));
            (count("region") + count("countrycode") > 0 || lies == (1, 1))
                && matches!(lies, (0, 0) | (1, 1))
                && (count("accuracy-radius") == 0 || lies == (1, 1))
        }
        "artifact" => {
            count("payload_bin") == 1
                && count("decryption_key") <= count("encryption_algorithm")
                && count("encryption_algorithm") <= 1
        }
        "employee" => count("first-name") == 1 && count("last-name") == 1,
        _ => row.3.first().is_some_and(|(relation, ..)| count(relation) == 1),
    };
    once && enough && attributes.iter().all(Value::is_object) && attributes.iter().all(readable)
}

fn several(map: &mut Map<String, Value>, name: String, value: Value) {
    match map.get_mut(&name) {
        None => {
            map.insert(name, value);
        }
        Some(Value::Array(items)) => items.push(value),
        Some(one) => {
            let first = one.take();
            *one = Value::Array(vec![first, value]);
        }
    }
}
