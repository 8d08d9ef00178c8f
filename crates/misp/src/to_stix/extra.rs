//! Sightings and reports of events.

use serde_json::{Value, json};
use stix::Timestamp;

use super::{Writer, seconds};
use crate::carry::{Taker, join};

impl Writer {
    /// Sightings: seen (`0`) becomes `sighting`, a false positive (`1`) `opinion`; others stay.
    pub(super) fn sightings(&mut self, taker: &mut Taker, of: &[String], at: Timestamp) {
        let place = join(&taker.place, "Sighting");
        let mut left = Vec::new();
        for (index, item) in taker.list("Sighting").into_iter().enumerate() {
            let place = format!("{place}/{index}");
            let Some(mut record) = self.record(item.clone(), &place) else { continue };
            let kind = record.text("type").unwrap_or_else(|| "0".to_owned());
            let known = record.peek("uuid").is_some() && matches!(kind.as_str(), "0" | "1");
            if !known {
                left.push(item);
                continue;
            }
            let uuid = Self::uuid(&mut record, "sighting");
            let date = record
                .peek("date_sighting")
                .and_then(crate::carry::text_of)
                .and_then(|text| seconds(&text));
            if date.is_some() {
                record.any("date_sighting");
            }
            let who = record.object("Organisation").and_then(|map| {
                let mut org = Taker::new(map, join(&place, "Organisation"));
                let name = org.peek("name").and_then(Value::as_str).unwrap_or_default().to_owned();
                let id = self.identity(&mut org, date.unwrap_or(at));
                let rest = org.rest();
                if !rest.is_empty() {
                    record.put("Organisation", Value::Object(rest));
                }
                id.map(|id| (id, name))
            });
            let target = if kind == "0" { "sighting" } else { "opinion" };
            let created_by = self.created_by.take();
            let mut map = self.draft(target, &uuid, date.unwrap_or(at));
            self.created_by = created_by;
            if kind == "0" {
                let seen: Vec<&String> =
                    of.iter().filter(|id| id.starts_with("observed-data--")).collect();
                map.insert(
                    "sighting_of_ref".to_owned(),
                    of.first().cloned().unwrap_or_default().into(),
                );
                if of.len() > 1 {
                    map.insert("observed_data_refs".to_owned(), json!(seen));
                }
                if let Some((id, _)) = who {
                    map.insert("where_sighted_refs".to_owned(), json!([id]));
                }
                if let Some(source) = record.text("source").filter(|source| !source.is_empty()) {
                    map.insert("description".to_owned(), source.into());
                }
            } else {
                map.insert("explanation".to_owned(), "False positive Sighting".into());
                map.insert("opinion".to_owned(), "strongly-disagree".into());
                map.insert("object_refs".to_owned(), of.to_vec().into());
                if let Some((id, name)) = who {
                    map.insert("authors".to_owned(), json!([name]));
                    map.insert("x_misp_author_ref".to_owned(), id.into());
                }
            }
            self.other(record, &mut map);
            self.add(map, &place, true);
        }
        if !left.is_empty() {
            taker.put("Sighting", left.into());
        }
    }

    /// A report of an event becomes a note on what it mentions, or on the event.
    pub(super) fn event_report(&mut self, mut taker: Taker, container: &str) {
        let uuid = Self::uuid(&mut taker, "event report");
        let at = self.timestamp(&mut taker);
        let mut map = self.draft("note", &uuid, at);
        let content = taker.text("content").unwrap_or_default();
        map.insert("abstract".to_owned(), taker.text("name").unwrap_or_default().into());
        map.insert("labels".to_owned(), json!(["misp:data-layer=\"Event Report\""]));
        let mut refs: Vec<String> = Vec::new();
        for kind in ["@[attribute](", "@![attribute](", "@[object](", "@![object]("] {
            for (at, _) in content.match_indices(kind) {
                let uuid = content.get(at + kind.len()..at + kind.len() + 36).unwrap_or_default();
                for id in self.by_uuid.get(uuid).into_iter().flatten() {
                    if !refs.contains(id) {
                        refs.push(id.clone());
                    }
                }
            }
        }
        if refs.is_empty() {
            refs.push(container.to_owned());
        }
        map.insert("content".to_owned(), content.into());
        map.insert("object_refs".to_owned(), refs.into());
        let place = taker.place.clone();
        self.other(taker, &mut map);
        self.add(map, &place, true);
    }
}
