//! restSearch and index: what is asked becomes one condition over attributes and events.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::condition::{Bound, Budget, Condition, Filter, Place, check_pattern, span};
use super::show::{self, Parts};
use super::{Answer, Ask};
use crate::error::MispError;
use crate::fields::{number, text, truth};
use crate::store::attributes::{self, Attribute};
use crate::store::events::{self, Event};
use crate::store::{Name, others, tags};

/// Things on a page at most, and when nothing is said.
const MAX_LIMIT: i64 = 10_000;

/// What is asked of events.
fn of_events(ask: &Ask, condition: &mut Condition) -> Result<(), MispError> {
    let (fields, now_s) = (&ask.fields, ask.room.now_s());
    condition.and("e.tlp <= ", Bound::Number(ask.sight.most()), "");
    condition.filter(
        Filter::read(fields, "eventid")?,
        (
            "EXISTS (SELECT 1 FROM (SELECT CAST(e.id AS TEXT) AS said UNION ALL SELECT e.uuid) v WHERE ",
            "v.said",
            ")",
        ),
    );
    condition.filter(
        Filter::read(fields, "org")?,
        (
            "EXISTS (SELECT 1 FROM (SELECT g.name AS said FROM misphub_orgs g WHERE g.id = e.orgc UNION ALL \
             SELECT g.uuid FROM misphub_orgs g WHERE g.id = e.orgc UNION ALL SELECT CAST(e.orgc AS TEXT)) v WHERE ",
            "v.said",
            ")",
        ),
    );
    condition.filter(Filter::read(fields, "eventinfo")?, ("", "e.info", ""));
    condition.range("e.publish_stamp", span(fields, "publish_timestamp", now_s)?);
    condition.range("e.publish_stamp", span(fields, "last", now_s)?);
    condition.range("e.stamp", span(fields, "event_timestamp", now_s)?);
    if let Some(published) = truth(fields, "published") {
        condition.and("e.published = ", Bound::Number(i64::from(published)), "");
    }
    for (name, sign) in [("from", ">="), ("datefrom", ">="), ("to", "<="), ("dateuntil", "<=")] {
        if let Some((at, _)) = span(fields, name, now_s)? {
            let day = stix::Timestamp::from_unix_us(at.saturating_mul(1_000_000)).to_string();
            let day: String = day.chars().take(10).collect();
            condition.and(&format!("e.date {sign} "), Bound::Text(day), "");
        }
    }
    condition.filter(
        Filter::read(fields, "event_tags")?,
        (
            "EXISTS (SELECT 1 FROM misphub_tagged x JOIN misphub_tags t ON t.id = x.tag \
             WHERE x.kind = 'event' AND x.thing = e.id AND ",
            "t.name",
            ")",
        ),
    );
    Ok(())
}

/// What is asked of attributes; false when nothing is.
fn of_attributes(ask: &Ask, condition: &mut Condition) -> Result<bool, MispError> {
    let (fields, now_s) = (&ask.fields, ask.room.now_s());
    let before = condition.text.len();
    let mut values = Filter::read(fields, "value")?;
    for list in [&mut values.any, &mut values.all, &mut values.none] {
        list.iter_mut().for_each(|value| *value = value.trim().to_lowercase());
    }
    condition.values(values);
    condition.filter(Filter::read(fields, "type")?, ("", "a.type", ""));
    condition.filter(Filter::read(fields, "category")?, ("", "a.category", ""));
    if let Some(to_ids) = truth(fields, "to_ids") {
        condition.and("a.to_ids = ", Bound::Number(i64::from(to_ids)), "");
    }
    condition.filter(
        Filter::read(fields, "object_name")?,
        ("EXISTS (SELECT 1 FROM misphub_objects o WHERE o.id = a.object AND ", "o.name", ")"),
    );
    condition.range("a.stamp", span(fields, "attribute_timestamp", now_s)?);
    Ok(condition.text.len() > before)
}

const TAGGED: Place = (
    "EXISTS (SELECT 1 FROM misphub_tagged x JOIN misphub_tags t ON t.id = x.tag \
     WHERE ((x.kind = 'event' AND x.thing = e.id) OR (x.kind = 'attribute' AND x.thing = a.id)) AND ",
    "t.name",
    ")",
);

const TAGGED_EVENT: Place = (
    "EXISTS (SELECT 1 FROM misphub_tagged x JOIN misphub_tags t ON t.id = x.tag \
     LEFT JOIN misphub_attributes y ON x.kind = 'attribute' AND y.id = x.thing \
     WHERE ((x.kind = 'event' AND x.thing = e.id) OR y.event = e.id) AND ",
    "t.name",
    ")",
);

const NAMED_EVENT: Place = (
    "EXISTS (SELECT 1 FROM (SELECT e.uuid AS uuid UNION ALL SELECT u.uuid FROM misphub_attributes u \
     WHERE u.event = e.id) v WHERE ",
    "v.uuid",
    ")",
);

fn page(ask: &Ask) -> (i64, i64) {
    let limit = number(&ask.fields, "limit").filter(|n| *n > 0).unwrap_or(MAX_LIMIT).min(MAX_LIMIT);
    let page = number(&ask.fields, "page").filter(|n| *n > 0).unwrap_or(1);
    (limit, (page - 1).saturating_mul(limit))
}

/// The events that fit, oldest first.
async fn find_events(
    ask: &Ask,
    sql: &mut AnyConnection,
    budget: &mut Budget,
) -> Result<Vec<Event>, MispError> {
    let mut condition = Condition::default();
    of_events(ask, &mut condition)?;
    condition.filter(Filter::read(&ask.fields, "tags")?, TAGGED_EVENT);
    condition.range("e.stamp", span(&ask.fields, "timestamp", ask.room.now_s())?);
    condition.filter(Filter::read(&ask.fields, "uuid")?, NAMED_EVENT);
    let mut inner = Condition::default();
    if of_attributes(ask, &mut inner)? {
        condition
            .text
            .push_str(" AND e.id IN (SELECT a.event FROM misphub_attributes a WHERE a.deleted = 0");
        condition.text.push_str(&inner.text);
        condition.text.push(')');
        condition.bound.extend(inner.bound);
    }
    for name in ["searchall", "quickFilter", "all"] {
        if let Some(words) = text(&ask.fields, name).filter(|words| !words.is_empty()) {
            let like = format!("%{}%", words.trim_matches('%').to_lowercase());
            check_pattern(name, &like)?;
            condition.text.push_str(
                " AND (LOWER(e.info) LIKE ? OR e.id IN (SELECT a.event FROM misphub_attributes a \
                 WHERE a.deleted = 0 AND a.lower LIKE ?))",
            );
            condition.bound.push(Bound::Text(like.clone()));
            condition.bound.push(Bound::Text(like));
        }
    }
    let (limit, offset) = page(ask);
    let before = "SELECT e.* FROM misphub_events e WHERE 1 = 1";
    let after = format!(" ORDER BY e.id LIMIT {limit} OFFSET {offset}");
    condition.rows(sql, before, &after, budget, |row| Ok(events::event(row)?)).await
}

/// The attributes that fit, oldest first.
async fn find_attributes(
    ask: &Ask,
    sql: &mut AnyConnection,
    budget: &mut Budget,
) -> Result<Vec<Attribute>, MispError> {
    let mut condition = Condition::default();
    of_events(ask, &mut condition)?;
    of_attributes(ask, &mut condition)?;
    condition.filter(Filter::read(&ask.fields, "tags")?, TAGGED);
    condition.filter(Filter::read(&ask.fields, "uuid")?, ("", "a.uuid", ""));
    condition.range("a.stamp", span(&ask.fields, "timestamp", ask.room.now_s())?);
    if !truth(&ask.fields, "deleted").unwrap_or(false) {
        condition.text.push_str(" AND a.deleted = 0");
    }
    let (limit, offset) = page(ask);
    let before =
        "SELECT a.* FROM misphub_attributes a JOIN misphub_events e ON e.id = a.event WHERE 1 = 1";
    let after = format!(" ORDER BY a.id LIMIT {limit} OFFSET {offset}");
    condition.rows(sql, before, &after, budget, |row| Ok(attributes::attribute(row)?)).await
}

/// The form that is asked for: `json`, `csv` or `text`.
fn format(ask: &Ask) -> Result<String, MispError> {
    let format = text(&ask.fields, "returnFormat").unwrap_or_else(|| "json".into());
    if ["json", "csv", "text"].contains(&format.as_str()) {
        return Ok(format);
    }
    let text = format!("returnFormat '{format}' is not written here; json, csv and text are");
    Err(MispError::bad_request(text))
}

fn as_lines(ask: &Ask, format: &str, attributes: &[Attribute]) -> Answer {
    if format == "text" {
        let lines: Vec<&str> = attributes.iter().map(|a| a.value.as_str()).collect();
        return Answer::Text("text/plain; charset=utf-8", lines.join("\n"));
    }
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut lines = Vec::with_capacity(attributes.len() + 1);
    if !truth(&ask.fields, "headerless").unwrap_or(false) {
        lines.push(
            "uuid,event_id,category,type,value,comment,to_ids,date,object_relation,attribute_tag"
                .into(),
        );
    }
    for a in attributes {
        let own = |name: &str| text(&a.body, name).unwrap_or_default();
        lines.push(format!(
            "{},{},{},{},{},{},{},{},{},",
            quoted(&a.uuid),
            a.event,
            quoted(&a.category),
            quoted(&a.kind),
            quoted(&a.value),
            quoted(&own("comment")),
            i64::from(a.to_ids),
            a.stamp,
            quoted(&own("object_relation")),
        ));
    }
    Answer::Text("text/csv; charset=utf-8", lines.join("\n"))
}

/// `events/restSearch`
pub(crate) async fn events(ask: &Ask) -> Result<Answer, MispError> {
    let format = format(ask)?;
    let mut sql = ask.room.platform().db.read().await?;
    let mut budget = Budget::new();
    if format != "json" {
        let found = find_attributes(ask, &mut sql, &mut budget).await?;
        return Ok(as_lines(ask, &format, &found));
    }
    let parts = Parts {
        metadata: truth(&ask.fields, "metadata").unwrap_or(false),
        deleted: truth(&ask.fields, "deleted").unwrap_or(false),
        no_sightings: false,
    };
    let found = find_events(ask, &mut sql, &mut budget).await?;
    let (orgs, mut budget) = (others::orgs(&mut sql).await?, Budget::new());
    let mut shown = Vec::with_capacity(found.len());
    for event in found {
        let one = show::event(&mut sql, &event, parts, ask.sight.most(), &orgs).await?;
        budget.take_value(&one)?;
        shown.push(one);
    }
    Ok(json!({ "response": shown }).into())
}

/// `events/index`: events without their parts.
pub(crate) async fn index(ask: &Ask) -> Result<Answer, MispError> {
    let minimal = truth(&ask.fields, "minimal").unwrap_or(false);
    let mut sql = ask.room.platform().db.read().await?;
    let found = find_events(ask, &mut sql, &mut Budget::new()).await?;
    let (orgs, mut budget) = (others::orgs(&mut sql).await?, Budget::new());
    let mut shown = Vec::with_capacity(found.len());
    for event in found {
        let parts = Parts { metadata: true, ..Parts::default() };
        let Value::Object(mut whole) =
            show::event(&mut sql, &event, parts, ask.sight.most(), &orgs).await?
        else {
            continue;
        };
        let Some(Value::Object(mut own)) = whole.remove("Event") else { continue };
        if minimal {
            let orgc = own.get("Orgc").and_then(|org| org.get("uuid")).cloned();
            shown
                .push(json!({ "id": own["id"], "uuid": own["uuid"], "timestamp": own["timestamp"],
                "published": own["published"], "sighting_timestamp": "0", "orgc_uuid": orgc }));
            continue;
        }
        let tagged: Vec<Value> = own
            .remove("Tag")
            .and_then(|list| list.as_array().cloned())
            .unwrap_or_default()
            .into_iter()
            .map(|tag| json!({ "event_id": own["id"], "tag_id": tag["id"], "local": tag["local"], "Tag": tag }))
            .collect();
        own.insert("EventTag".into(), Value::Array(tagged));
        let count = attributes::count(&mut sql, event.id).await?;
        own.insert("attribute_count".into(), count.to_string().into());
        let own = Value::Object(own);
        budget.take_value(&own)?;
        shown.push(own);
    }
    Ok(Value::Array(shown).into())
}

/// `attributes/restSearch`
pub(crate) async fn attributes(ask: &Ask) -> Result<Answer, MispError> {
    let format = format(ask)?;
    let mut sql = ask.room.platform().db.read().await?;
    let found = find_attributes(ask, &mut sql, &mut Budget::new()).await?;
    if format != "json" {
        return Ok(as_lines(ask, &format, &found));
    }
    let mut budget = Budget::new();
    let mut shown = Vec::with_capacity(found.len());
    let mut known: HashMap<i64, Option<Value>> = HashMap::new();
    for attribute in &found {
        let own = tags::of(&mut sql, "attribute", attribute.id).await?;
        let mut one = show::attribute(attribute, &own);
        let number = attribute.event;
        if let Entry::Vacant(place) = known.entry(number) {
            let event = events::get(&mut sql, &Name::Number(number), i64::MAX).await?;
            place.insert(event.map(|event| {
                let orgc = event.orgc.to_string();
                json!({ "id": event.id.to_string(), "uuid": event.uuid, "info": event.info, "date": event.date,
                    "published": event.published, "orgc_id": orgc })
            }));
        }
        if let (Some(Some(event)), Value::Object(fields)) = (known.get(&number), &mut one) {
            fields.insert("Event".into(), event.clone());
        }
        budget.take_value(&one)?;
        shown.push(one);
    }
    // A bare list is what `attributes/index` answers.
    if ask.method == axum::http::Method::GET && ask.fields.is_empty() {
        return Ok(Value::Array(shown).into());
    }
    Ok(json!({ "response": { "Attribute": shown } }).into())
}

/// `objects/restSearch`: objects that hold an attribute that fits.
pub(crate) async fn objects(ask: &Ask) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let mut condition = Condition::default();
    of_events(ask, &mut condition)?;
    of_attributes(ask, &mut condition)?;
    condition.filter(Filter::read(&ask.fields, "tags")?, TAGGED);
    condition.filter(Filter::read(&ask.fields, "uuid")?, ("", "o.uuid", ""));
    let (limit, offset) = page(ask);
    let before = "SELECT DISTINCT o.id AS id, o.event AS event FROM misphub_objects o \
         JOIN misphub_events e ON e.id = o.event JOIN misphub_attributes a ON a.object = o.id WHERE o.deleted = 0";
    let after = format!(" ORDER BY o.id LIMIT {limit} OFFSET {offset}");
    let read = |row: &AnyRow| Ok((row.try_get::<i64, _>(0)?, row.try_get::<i64, _>(1)?));
    let mut budget = Budget::new();
    let found = condition.rows(&mut sql, before, &after, &mut budget, read).await?;
    // Each event is read once, however many of its objects fit.
    let mut by_event: BTreeMap<i64, HashSet<i64>> = BTreeMap::new();
    for (id, event) in &found {
        by_event.entry(*event).or_default().insert(*id);
    }
    let mut shown: HashMap<i64, Value> = HashMap::with_capacity(found.len());
    for (event, wanted) in by_event {
        for (id, object) in show::objects(&mut sql, event, &wanted).await? {
            budget.take_value(&object)?;
            shown.insert(id, json!({ "Object": object }));
        }
    }
    let shown: Vec<Value> = found.iter().filter_map(|(id, _)| shown.remove(id)).collect();
    Ok(json!({ "response": shown }).into())
}
