//! What is asked of restSearch and index becomes one condition over attributes and events.

use sqlx::AnyConnection;

use super::Ask;
use super::condition::{Bound, Budget, Condition, Filter, Place, check_pattern, span};
use crate::error::MispError;
use crate::fields::{number, text, truth};
use crate::store::attributes::{self, Attribute};
use crate::store::events::{self, Event};

/// Things on a page at most, and when nothing is said.
const MAX_LIMIT: i64 = 10_000;

/// Fields of an event that stand in its body.
const LEVELS: &[(&str, Place)] = &[
    ("threat_level_id", ("", "CAST(json_extract(e.body, '$.threat_level_id') AS TEXT)", "")),
    ("threatlevel", ("", "CAST(json_extract(e.body, '$.threat_level_id') AS TEXT)", "")),
    ("analysis", ("", "CAST(json_extract(e.body, '$.analysis') AS TEXT)", "")),
    ("distribution", ("", "CAST(json_extract(e.body, '$.distribution') AS TEXT)", "")),
];

/// A sharing group: of an event, or of an attribute that has one of its own.
const GROUP_OF_EVENT: Place = (
    "json_extract(e.body, '$.distribution') IN (4, '4') AND ",
    "CAST(json_extract(e.body, '$.sharing_group_id') AS TEXT)",
    "",
);
const GROUP_OF_ATTRIBUTE: Place = (
    "",
    "CASE WHEN json_extract(a.body, '$.distribution') IN (4, '4') \
     THEN CAST(json_extract(a.body, '$.sharing_group_id') AS TEXT) \
     WHEN json_extract(e.body, '$.distribution') IN (4, '4') AND COALESCE(json_extract(a.body, '$.distribution'), 5) IN (5, '5') \
     THEN CAST(json_extract(e.body, '$.sharing_group_id') AS TEXT) ELSE '' END",
    "",
);

/// Who belongs to a sharing group is told to those only who may see everything: for others there are none.
fn of_groups(ask: &Ask, condition: &mut Condition, place: Place) -> Result<(), MispError> {
    let mut filter = Filter::read(&ask.fields, "sharinggroup")?;
    if filter == Filter::default() {
        return Ok(());
    }
    filter.any = filter.any.iter().flat_map(|said| said.split('|')).map(str::to_owned).collect();
    if ask.sight == intel::Sight::ALL {
        condition.filter(filter, place);
    } else {
        condition.text.push_str(" AND 1 = 0");
    }
    Ok(())
}

/// What is asked of events.
pub(super) fn of_events(ask: &Ask, condition: &mut Condition) -> Result<(), MispError> {
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
    for (name, place) in LEVELS {
        condition.filter(Filter::read(fields, name)?, *place);
    }
    condition.filter(Filter::read(fields, "event_tags")?, TAGGED_ITSELF);
    Ok(())
}

/// Words that may stand anywhere, and the field that asks for them; `searchall: true` asks for those of `value`.
fn full_text(ask: &Ask) -> Option<(&'static str, String)> {
    if is_in_full(ask) {
        return text(&ask.fields, "value").map(|words| ("value", words));
    }
    let said = |name: &'static str| match ask.fields.get(name) {
        Some(serde_json::Value::Bool(_)) | None => None,
        Some(_) => text(&ask.fields, name).filter(|words| !words.is_empty()).map(|w| (name, w)),
    };
    ["searchall", "quickFilter", "all"].into_iter().find_map(said)
}

fn is_in_full(ask: &Ask) -> bool {
    ask.fields.get("searchall") == Some(&serde_json::Value::Bool(true))
}

/// What is asked of attributes; false when nothing is.
pub(super) fn of_attributes(ask: &Ask, condition: &mut Condition) -> Result<bool, MispError> {
    let (fields, now_s) = (&ask.fields, ask.room.now_s());
    let before = condition.text.len();
    let name = if fields.contains_key("value") { "value" } else { "attribute" };
    let mut values = Filter::read(fields, name)?;
    if is_in_full(ask) {
        values = Filter::default();
    }
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

pub(super) const TAGGED: Place = (
    "EXISTS (SELECT 1 FROM misphub_tagged x JOIN misphub_tags t ON t.id = x.tag \
     WHERE ((x.kind = 'event' AND x.thing = e.id) OR (x.kind = 'attribute' AND x.thing = a.id)) AND ",
    "t.name",
    ")",
);

/// The event itself.
const TAGGED_ITSELF: Place = (
    "EXISTS (SELECT 1 FROM misphub_tagged x JOIN misphub_tags t ON t.id = x.tag \
     WHERE x.kind = 'event' AND x.thing = e.id AND ",
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

pub(super) fn page(ask: &Ask) -> (i64, i64) {
    let limit = number(&ask.fields, "limit").filter(|n| *n > 0).unwrap_or(MAX_LIMIT).min(MAX_LIMIT);
    let page = number(&ask.fields, "page").filter(|n| *n > 0).unwrap_or(1);
    (limit, (page - 1).saturating_mul(limit))
}

/// The events that fit, oldest first.
pub(super) async fn find_events(
    ask: &Ask,
    sql: &mut AnyConnection,
    budget: &mut Budget,
) -> Result<Vec<Event>, MispError> {
    let mut condition = Condition::default();
    of_events(ask, &mut condition)?;
    let mut tags = Filter::read(&ask.fields, "tags")?;
    // An unwanted tag on an attribute leaves out the attribute, on the event the event.
    let none = Filter { none: std::mem::take(&mut tags.none), ..Filter::default() };
    condition.filter(tags, TAGGED_EVENT);
    condition.filter(none, TAGGED_ITSELF);
    of_groups(ask, &mut condition, GROUP_OF_EVENT)?;
    if let Some(has) = truth(&ask.fields, "hasproposal") {
        let not = if has { "" } else { "NOT " };
        let open =
            "EXISTS (SELECT 1 FROM misphub_proposals p WHERE p.event = e.id AND p.closed = 0)";
        condition.text.push_str(&format!(" AND {not}{open}"));
    }
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
    if let Some((name, words)) = full_text(ask) {
        let like = format!("%{}%", words.trim_matches('%').to_lowercase());
        check_pattern(name, &like)?;
        condition.text.push_str(
            " AND (LOWER(e.info) LIKE ? OR e.id IN (SELECT a.event FROM misphub_attributes a WHERE a.deleted = 0 \
             AND (a.lower LIKE ? OR LOWER(COALESCE(json_extract(a.body, '$.comment'), '')) LIKE ?)))",
        );
        condition.bound.extend((0..3).map(|_| Bound::Text(like.clone())));
    }
    let (limit, offset) = page(ask);
    let before = "SELECT e.* FROM misphub_events e WHERE 1 = 1";
    let order = order(ask)?;
    let after = format!(" ORDER BY {order} LIMIT {limit} OFFSET {offset}");
    condition.rows(sql, before, &after, budget, |row| Ok(events::event(row)?)).await
}

/// By what events can be put in order.
const ORDERS: &[(&str, &str)] = &[
    ("id", "e.id"),
    ("info", "e.info"),
    ("date", "e.date"),
    ("timestamp", "e.stamp"),
    ("publish_timestamp", "e.publish_stamp"),
    ("published", "e.published"),
    ("uuid", "e.uuid"),
    ("orgc_id", "e.orgc"),
    ("Orgc.name", "(SELECT g.name FROM misphub_orgs g WHERE g.id = e.orgc)"),
    ("threat_level_id", "CAST(json_extract(e.body, '$.threat_level_id') AS TEXT)"),
    ("analysis", "CAST(json_extract(e.body, '$.analysis') AS TEXT)"),
    (
        "attribute_count",
        "(SELECT COUNT(*) FROM misphub_attributes n WHERE n.event = e.id AND n.deleted = 0)",
    ),
];

/// `sort` and `direction`, or `order` (`Event.timestamp desc`).
fn order(ask: &Ask) -> Result<String, MispError> {
    let said = text(&ask.fields, "sort").or_else(|| text(&ask.fields, "order"));
    let Some(said) = said.filter(|said| !said.trim().is_empty()) else { return Ok("e.id".into()) };
    let mut words = said.split_whitespace();
    let name = words.next().unwrap_or_default();
    let way = words.next().map(str::to_owned).or_else(|| text(&ask.fields, "direction"));
    let name = name.strip_prefix("Event.").unwrap_or(name);
    let Some((_, column)) = ORDERS.iter().find(|(known, _)| *known == name) else {
        let names: Vec<&str> = ORDERS.iter().map(|(known, _)| *known).collect();
        let text = format!("`sort` knows {}", names.join(", "));
        return Err(MispError::bad_request(text));
    };
    let down = way.is_some_and(|way| way.eq_ignore_ascii_case("desc"));
    Ok(format!("{column}{}, e.id", if down { " DESC" } else { "" }))
}

/// The attributes that fit, oldest first.
pub(super) async fn find_attributes(
    ask: &Ask,
    sql: &mut AnyConnection,
    budget: &mut Budget,
) -> Result<Vec<Attribute>, MispError> {
    let mut condition = Condition::default();
    of_events(ask, &mut condition)?;
    of_attributes(ask, &mut condition)?;
    condition.filter(Filter::read(&ask.fields, "tags")?, TAGGED);
    of_groups(ask, &mut condition, GROUP_OF_ATTRIBUTE)?;
    condition.filter(Filter::read(&ask.fields, "uuid")?, ("", "a.uuid", ""));
    condition.range("a.stamp", span(&ask.fields, "timestamp", ask.room.now_s())?);
    if !super::events::wants_deleted(ask) {
        condition.text.push_str(" AND a.deleted = 0");
    }
    let (limit, offset) = page(ask);
    let before =
        "SELECT a.* FROM misphub_attributes a JOIN misphub_events e ON e.id = a.event WHERE 1 = 1";
    let after = format!(" ORDER BY a.id LIMIT {limit} OFFSET {offset}");
    condition.rows(sql, before, &after, budget, |row| Ok(attributes::attribute(row)?)).await
}
