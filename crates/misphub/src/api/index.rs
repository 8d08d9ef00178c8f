//! Lists: events without their parts, and objects that hold an attribute that fits.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde_json::{Value, json};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::condition::{Budget, Condition, Filter};
use super::search::{TAGGED, find_events, of_attributes, of_events, page};
use super::show::{self, Parts};
use super::{Answer, Ask};
use crate::error::MispError;
use crate::fields::truth;
use crate::store::{attributes, others};

/// `events/index`: events without their parts.
pub(crate) async fn events(ask: &Ask) -> Result<Answer, MispError> {
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
