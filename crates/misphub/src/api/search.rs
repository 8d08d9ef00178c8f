//! restSearch and index: what is asked becomes one condition over attributes and events.

use serde_json::{Value, json};
use sqlx::{AnyConnection, Row};

use super::show::{self, Parts};
use super::{Answer, Ask};
use crate::error::MispError;
use crate::fields::{Fields, number, text, texts, truth};
use crate::store::attributes::{self, Attribute};
use crate::store::events::{self, Event};
use crate::store::{Name, objects, tags};

/// Things on a page at most, and when nothing is said.
const MAX_LIMIT: i64 = 10_000;
/// Values of one filter.
const MAX_VALUES: usize = 500;

/// Wanted and unwanted values of one filter: a value, a list, `!value`, or `{"OR", "AND", "NOT"}`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Filter {
    any: Vec<String>,
    all: Vec<String>,
    none: Vec<String>,
}

impl Filter {
    fn read(fields: &Fields, name: &str) -> Result<Self, MispError> {
        let mut filter = Self::default();
        if let Some(Value::Object(parts)) = fields.get(name) {
            filter.any = texts(parts, "OR");
            filter.all = texts(parts, "AND");
            filter.none = texts(parts, "NOT");
        } else {
            for value in texts(fields, name) {
                match value.strip_prefix('!') {
                    Some(unwanted) => filter.none.push(unwanted.to_owned()),
                    None => filter.any.extend(value.split("||").map(str::to_owned)),
                }
            }
        }
        let count = filter.any.len() + filter.all.len() + filter.none.len();
        if count > MAX_VALUES {
            let text = format!("`{name}` has {count} values, the limit is {MAX_VALUES}");
            return Err(MispError::bad_request(text));
        }
        Ok(filter)
    }
}

/// Longest pattern with `%`, bytes: SQLite compares no longer ones.
const MAX_PATTERN_BYTES: usize = 10_000;

/// Refuses patterns that are too long to be compared.
pub(crate) fn check_pattern(name: &str, pattern: &str) -> Result<(), MispError> {
    if pattern.len() <= MAX_PATTERN_BYTES {
        return Ok(());
    }
    let text = format!(
        "`{name}` has a pattern of {} bytes, the limit is {MAX_PATTERN_BYTES}; leave the % out",
        pattern.len()
    );
    Err(MispError::bad_request(text))
}

enum Bound {
    Text(String),
    Number(i64),
}

/// A condition being written; what people wrote is bound, never part of the text.
#[derive(Default)]
struct Condition {
    text: String,
    bound: Vec<Bound>,
}

impl Condition {
    fn and(&mut self, before: &str, value: Bound, after: &str) {
        self.text.push_str(" AND ");
        self.text.push_str(before);
        self.text.push('?');
        self.text.push_str(after);
        self.bound.push(value);
    }

    /// One filter on texts: `make` gives what stands around each value; `%` is any text.
    fn filter(&mut self, filter: Filter, before: &str, after: &str) {
        let sign = |value: &str| if value.contains('%') { " LIKE " } else { " = " };
        if !filter.any.is_empty() {
            self.text.push_str(" AND (1 = 0");
            for value in filter.any {
                self.text.push_str(&format!(" OR {before}{}?{after}", sign(&value)));
                self.bound.push(Bound::Text(value));
            }
            self.text.push(')');
        }
        for (list, not) in [(filter.all, ""), (filter.none, "NOT ")] {
            for value in list {
                self.text.push_str(&format!(" AND {not}({before}{}?{after})", sign(&value)));
                self.bound.push(Bound::Text(value));
            }
        }
    }

    fn range(&mut self, column: &str, range: Option<(i64, i64)>) {
        if let Some((from, to)) = range {
            self.and(&format!("{column} >= "), Bound::Number(from), "");
            self.and(&format!("{column} <= "), Bound::Number(to), "");
        }
    }

    async fn rows(
        self,
        sql: &mut AnyConnection,
        before: &str,
        after: &str,
    ) -> Result<Vec<sqlx::any::AnyRow>, MispError> {
        let text = format!("{before}{}{after}", self.text);
        let mut query = sqlx::query(sqlx::AssertSqlSafe(text)).persistent(false);
        for value in self.bound {
            query = match value {
                Bound::Text(text) => query.bind(text),
                Bound::Number(number) => query.bind(number),
            };
        }
        Ok(query.fetch_all(sql).await?)
    }
}

/// A time or two of them: seconds, `5d`, a day, or a list of two; open at the end.
fn span(fields: &Fields, name: &str, now_s: i64) -> Result<Option<(i64, i64)>, MispError> {
    let read = |value: &Value| match value {
        Value::Number(number) => number.as_f64().map(|n| n as i64),
        Value::String(text) => moment(text, now_s),
        _ => None,
    };
    let wrong =
        || MispError::bad_request(format!("`{name}` is no time: write seconds, 2026-11-30 or 5d"));
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(pair)) => match pair.as_slice() {
            [from, to] => {
                let (a, b) = (read(from).ok_or_else(wrong)?, read(to).ok_or_else(wrong)?);
                Ok(Some((a.min(b), a.max(b))))
            }
            _ => Err(wrong()),
        },
        Some(value) => Ok(Some((read(value).ok_or_else(wrong)?, i64::MAX))),
    }
}

fn moment(text: &str, now_s: i64) -> Option<i64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return Some(seconds as i64);
    }
    if let Ok(at) = stix::Timestamp::parse(&format!("{text}T00:00:00Z")) {
        return Some(at.unix_us() / 1_000_000);
    }
    let unit = match text.as_bytes().last()? {
        b's' => 1,
        b'm' => 60,
        b'h' => 3_600,
        b'd' => 86_400,
        b'w' => 604_800,
        _ => return None,
    };
    let count: i64 = text[..text.len() - 1].parse().ok()?;
    Some(now_s.saturating_sub(count.saturating_mul(unit)))
}

/// What is asked of events.
fn of_events(ask: &Ask, condition: &mut Condition) -> Result<(), MispError> {
    let (fields, now_s) = (&ask.fields, ask.room.now_s());
    condition.and("e.tlp <= ", Bound::Number(ask.sight.most()), "");
    condition.filter(
        Filter::read(fields, "eventid")?,
        "EXISTS (SELECT 1 FROM (SELECT CAST(e.id AS TEXT) AS said UNION ALL SELECT e.uuid) v WHERE v.said",
        ")",
    );
    condition.filter(
        Filter::read(fields, "org")?,
        "EXISTS (SELECT 1 FROM (SELECT g.name AS said FROM misphub_orgs g WHERE g.id = e.orgc UNION ALL \
         SELECT g.uuid FROM misphub_orgs g WHERE g.id = e.orgc UNION ALL SELECT CAST(e.orgc AS TEXT)) v WHERE v.said",
        ")",
    );
    condition.filter(Filter::read(fields, "eventinfo")?, "e.info", "");
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
        "EXISTS (SELECT 1 FROM misphub_tagged x JOIN misphub_tags t ON t.id = x.tag \
         WHERE x.kind = 'event' AND x.thing = e.id AND t.name",
        ")",
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
    // One half of a composite value is found too.
    let halves: Vec<String> = values
        .any
        .iter()
        .filter(|value| !value.contains('%') && !value.contains('|'))
        .flat_map(|value| [format!("{value}|%"), format!("%|{value}")])
        .collect();
    values.any.extend(halves);
    condition.filter(values, "a.lower", "");
    condition.filter(Filter::read(fields, "type")?, "a.type", "");
    condition.filter(Filter::read(fields, "category")?, "a.category", "");
    if let Some(to_ids) = truth(fields, "to_ids") {
        condition.and("a.to_ids = ", Bound::Number(i64::from(to_ids)), "");
    }
    condition.filter(
        Filter::read(fields, "object_name")?,
        "EXISTS (SELECT 1 FROM misphub_objects o WHERE o.id = a.object AND o.name",
        ")",
    );
    condition.range("a.stamp", span(fields, "attribute_timestamp", now_s)?);
    Ok(condition.text.len() > before)
}

const TAGGED: &str = "EXISTS (SELECT 1 FROM misphub_tagged x JOIN misphub_tags t ON t.id = x.tag \
     WHERE ((x.kind = 'event' AND x.thing = e.id) OR (x.kind = 'attribute' AND x.thing = a.id)) AND t.name";

const TAGGED_EVENT: &str = "EXISTS (SELECT 1 FROM misphub_tagged x JOIN misphub_tags t ON t.id = x.tag \
     LEFT JOIN misphub_attributes y ON x.kind = 'attribute' AND y.id = x.thing \
     WHERE ((x.kind = 'event' AND x.thing = e.id) OR y.event = e.id) AND t.name";

fn page(ask: &Ask) -> (i64, i64) {
    let limit = number(&ask.fields, "limit").filter(|n| *n > 0).unwrap_or(MAX_LIMIT).min(MAX_LIMIT);
    let page = number(&ask.fields, "page").filter(|n| *n > 0).unwrap_or(1);
    (limit, (page - 1).saturating_mul(limit))
}

/// The events that fit, oldest first.
async fn find_events(ask: &Ask, sql: &mut AnyConnection) -> Result<Vec<Event>, MispError> {
    let mut condition = Condition::default();
    of_events(ask, &mut condition)?;
    condition.filter(Filter::read(&ask.fields, "tags")?, TAGGED_EVENT, ")");
    condition.range("e.stamp", span(&ask.fields, "timestamp", ask.room.now_s())?);
    let uuids = Filter::read(&ask.fields, "uuid")?;
    let named = "EXISTS (SELECT 1 FROM (SELECT e.uuid AS uuid UNION ALL SELECT u.uuid FROM misphub_attributes u \
         WHERE u.event = e.id) v WHERE v.uuid";
    condition.filter(uuids, named, ")");
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
    let rows = condition.rows(sql, before, &after).await?;
    rows.iter().map(|row| Ok(events::event(row)?)).collect()
}

/// The attributes that fit, oldest first.
async fn find_attributes(ask: &Ask, sql: &mut AnyConnection) -> Result<Vec<Attribute>, MispError> {
    let mut condition = Condition::default();
    of_events(ask, &mut condition)?;
    of_attributes(ask, &mut condition)?;
    condition.filter(Filter::read(&ask.fields, "tags")?, TAGGED, ")");
    condition.filter(Filter::read(&ask.fields, "uuid")?, "a.uuid", "");
    condition.range("a.stamp", span(&ask.fields, "timestamp", ask.room.now_s())?);
    if !truth(&ask.fields, "deleted").unwrap_or(false) {
        condition.text.push_str(" AND a.deleted = 0");
    }
    let (limit, offset) = page(ask);
    let before =
        "SELECT a.* FROM misphub_attributes a JOIN misphub_events e ON e.id = a.event WHERE 1 = 1";
    let after = format!(" ORDER BY a.id LIMIT {limit} OFFSET {offset}");
    let rows = condition.rows(sql, before, &after).await?;
    rows.iter().map(|row| Ok(attributes::attribute(row)?)).collect()
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
    if format != "json" {
        let found = find_attributes(ask, &mut sql).await?;
        return Ok(as_lines(ask, &format, &found));
    }
    let parts = Parts {
        metadata: truth(&ask.fields, "metadata").unwrap_or(false),
        deleted: truth(&ask.fields, "deleted").unwrap_or(false),
        no_sightings: false,
    };
    let mut shown = Vec::new();
    for event in find_events(ask, &mut sql).await? {
        shown.push(show::event(&mut sql, &event, parts, ask.sight.most()).await?);
    }
    Ok(json!({ "response": shown }).into())
}

/// `events/index`: events without their parts.
pub(crate) async fn index(ask: &Ask) -> Result<Answer, MispError> {
    let minimal = truth(&ask.fields, "minimal").unwrap_or(false);
    let mut sql = ask.room.platform().db.read().await?;
    let mut shown = Vec::new();
    for event in find_events(ask, &mut sql).await? {
        let parts = Parts { metadata: true, ..Parts::default() };
        let Value::Object(mut whole) =
            show::event(&mut sql, &event, parts, ask.sight.most()).await?
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
        let count = attributes::of_event(&mut sql, event.id, false).await?.len();
        own.insert("attribute_count".into(), count.to_string().into());
        shown.push(Value::Object(own));
    }
    Ok(Value::Array(shown).into())
}

/// `attributes/restSearch`
pub(crate) async fn attributes(ask: &Ask) -> Result<Answer, MispError> {
    let format = format(ask)?;
    let mut sql = ask.room.platform().db.read().await?;
    let found = find_attributes(ask, &mut sql).await?;
    if format != "json" {
        return Ok(as_lines(ask, &format, &found));
    }
    let mut shown = Vec::with_capacity(found.len());
    for attribute in &found {
        let own = tags::of(&mut sql, "attribute", attribute.id).await?;
        let mut one = show::attribute(attribute, &own);
        if let (Some(event), Value::Object(fields)) =
            (events::get(&mut sql, &Name::Number(attribute.event), i64::MAX).await?, &mut one)
        {
            let orgc = event.orgc.to_string();
            fields.insert("Event".into(), json!({ "id": event.id.to_string(), "uuid": event.uuid,
                "info": event.info, "date": event.date, "published": event.published, "orgc_id": orgc }));
        }
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
    condition.filter(Filter::read(&ask.fields, "tags")?, TAGGED, ")");
    condition.filter(Filter::read(&ask.fields, "uuid")?, "o.uuid", "");
    let (limit, offset) = page(ask);
    let before = "SELECT DISTINCT o.id AS id FROM misphub_objects o JOIN misphub_events e ON e.id = o.event \
         JOIN misphub_attributes a ON a.object = o.id WHERE o.deleted = 0";
    let after = format!(" ORDER BY o.id LIMIT {limit} OFFSET {offset}");
    let mut shown = Vec::new();
    for row in condition.rows(&mut sql, before, &after).await? {
        let name = Name::Number(row.try_get(0)?);
        if let Some(object) = objects::get(&mut sql, &name, ask.sight.most()).await? {
            shown.push(json!({ "Object": show::whole_object(&mut sql, &object, false).await? }));
        }
    }
    Ok(json!({ "response": shown }).into())
}
