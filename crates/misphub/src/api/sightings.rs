//! Sightings.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::events::write;
use super::{Answer, Ask, show, withdraw};
use crate::error::MispError;
use crate::fields::{Fields, number, text, texts, truth, unwrapped, uuid};
use crate::store::attributes::Attribute;
use crate::store::sightings::{self, Wanted};
use crate::store::{Name, attributes, events, others};

/// `sightings/add` and `sightings/add/ATTRIBUTE`: of an attribute, or of all with a value.
pub(crate) async fn add(ask: &Ask) -> Result<Answer, MispError> {
    let fields = unwrapped(ask.fields.clone(), "Sighting");
    let most = ask.sight.most();
    let mut sql = ask.room.platform().db.read().await?;
    let mut names: Vec<Name> = Vec::new();
    let mut values = texts(&fields, "values");
    values.extend(texts(&fields, "value"));
    if values.is_empty() {
        let said = ask.parts.first().cloned();
        let said =
            said.or_else(|| text(&fields, "attribute_uuid")).or_else(|| text(&fields, "uuid"));
        let said = said.or_else(|| text(&fields, "id"));
        names.extend(said.and_then(|said| Name::parse(&said)));
    }
    let mut found = Vec::new();
    for name in names {
        found.extend(attributes::get(&mut sql, &name, most).await?);
    }
    for value in &values {
        found.extend(attributes::by_value(&mut sql, value, most).await?);
    }
    drop(sql);
    if found.is_empty() {
        return Err(MispError::not_found("attribute"));
    }
    // A UUID in the request names the attribute when the path does not; the sighting gets its own.
    let mut own = fields;
    if ask.parts.is_empty() {
        own.remove("uuid");
    }
    let added = write(ask, move |sql, writer| {
        Box::pin(async move {
            let mut added = Vec::new();
            for attribute in &found {
                added.push(writer.put_sighting(sql, attribute, &own).await?);
                own.remove("uuid");
            }
            Ok(added)
        })
    })
    .await?;
    let mut sql = ask.room.platform().db.read().await?;
    let orgs = others::orgs(&mut sql).await?;
    match added.as_slice() {
        [one] => Ok(json!({ "Sighting": show::sighting(one, &orgs) }).into()),
        many => {
            let text = format!("{} sightings added", many.len());
            Ok(json!({ "saved": true, "success": true, "name": text, "message": text, "url": "/sightings/add",
                "Sighting": show::sighting(&many[0], &orgs) })
            .into())
        }
    }
}

/// Sightings sent at once.
const MAX_AT_ONCE: usize = 10_000;

/// The attributes of an event in sight, by UUID, and the sightings that were sent.
async fn sent(ask: &Ask) -> Result<(Vec<Fields>, HashMap<String, Attribute>), MispError> {
    if ask.list.len() > MAX_AT_ONCE {
        let text = format!("{} sightings at once, the limit is {MAX_AT_ONCE}", ask.list.len());
        return Err(MispError::bad_request(text));
    }
    let mut sql = ask.room.platform().db.read().await?;
    let event = events::get(&mut sql, &ask.name("event")?, ask.sight.most()).await?;
    let event = event.ok_or_else(|| MispError::not_found("event"))?;
    let known = attributes::of_event(&mut sql, event.id, true).await?;
    let list = ask.list.iter().filter_map(Value::as_object).cloned();
    let list = list.map(|fields| unwrapped(fields, "Sighting")).collect();
    Ok((list, known.into_iter().map(|one| (one.uuid.clone(), one)).collect()))
}

/// `sightings/bulkSaveSightings/EVENT`: what another server saw of the attributes of an event that both hold.
pub(crate) async fn add_many(ask: &Ask) -> Result<Answer, MispError> {
    let (list, known) = sent(ask).await?;
    let count = write(ask, move |sql, writer| {
        Box::pin(async move {
            let mut count = 0;
            for fields in list {
                let of = text(&fields, "attribute_uuid").and_then(|said| uuid(&said));
                let Some(attribute) = of.and_then(|of| known.get(&of)) else { continue };
                match writer.put_sighting(sql, attribute, &fields).await {
                    Ok(_) => count += 1,
                    Err(error) if error.is_ours() => return Err(error),
                    Err(_) => {}
                }
            }
            Ok(count)
        })
    })
    .await?;
    let text = format!("{count} sightings added.");
    Ok(json!({ "saved": true, "success": true, "name": text, "message": text, "url": "/sightings/bulkSaveSightings" })
        .into())
}

/// `sightings/filterSightingUuidsForPush/EVENT`: those of the UUIDs that are not here.
pub(crate) async fn filter(ask: &Ask) -> Result<Answer, MispError> {
    let (_, known) = sent(ask).await?;
    let known: Vec<i64> = known.values().map(|one| one.id).collect();
    let mut sql = ask.room.platform().db.read().await?;
    let mut wanted = Vec::new();
    for said in ask.list.iter().filter_map(Value::as_str).filter_map(uuid) {
        let here = sightings::by_uuid(&mut sql, &said).await?;
        // One of an event out of sight is answered like one that is not here.
        if here.is_none_or(|here| !known.contains(&here.attribute)) {
            wanted.push(Value::String(said));
        }
    }
    Ok(Value::Array(wanted).into())
}

/// `sightings/delete/ID`
pub(crate) async fn delete(ask: &Ask) -> Result<Answer, MispError> {
    let (name, most) = (ask.name("sighting")?, ask.sight.most());
    write(ask, move |sql, writer| {
        Box::pin(async move {
            let gone = sightings::delete(sql, &name, most).await?;
            let (uuid, event) = gone.ok_or_else(|| MispError::not_found("sighting"))?;
            withdraw::parts(sql, event, &[&uuid], writer.now_s).await
        })
    })
    .await?;
    let text = "Sighting successfully deleted.";
    Ok(json!({ "saved": true, "success": true, "name": text, "message": text, "url": "/sightings/delete" }).into())
}

const fn all(most: i64) -> Wanted {
    Wanted {
        attribute: 0,
        event: 0,
        kind: String::new(),
        source: String::new(),
        from: i64::MIN,
        to: i64::MAX,
        most,
    }
}

async fn listed(ask: &Ask, wanted: &Wanted, wrap: bool) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let orgs = others::orgs(&mut sql).await?;
    let mut shown = Vec::new();
    let org = number(&ask.fields, "org_id");
    for found in sightings::find(&mut sql, wanted).await? {
        if org.is_some_and(|org| org != found.org) {
            continue;
        }
        let one = show::sighting(&found, &orgs);
        if !wrap {
            shown.push(one);
            continue;
        }
        let mut fields: Fields = one.as_object().cloned().unwrap_or_default();
        if truth(&ask.fields, "includeAttribute").unwrap_or(false)
            && let Some(attribute) =
                attributes::get(&mut sql, &Name::Number(found.attribute), wanted.most).await?
        {
            fields.insert("Attribute".into(), show::attribute(&attribute, &[]));
        }
        if truth(&ask.fields, "includeEvent").unwrap_or(false)
            && let Some(event) =
                events::get(&mut sql, &Name::Number(found.event), wanted.most).await?
        {
            let parts = show::Parts { metadata: true, ..show::Parts::default() };
            let event = show::event(&mut sql, &event, parts, wanted.most, &orgs).await?;
            fields.insert("Event".into(), event["Event"].clone());
        }
        shown.push(json!({ "Sighting": fields }));
    }
    Ok(Value::Array(shown).into())
}

/// `sightings/index` and `sightings/index/EVENT`
pub(crate) async fn index(ask: &Ask) -> Result<Answer, MispError> {
    let mut wanted = all(ask.sight.most());
    if !ask.parts.is_empty() {
        wanted.event = event_number(ask, &ask.name("event")?).await?;
    }
    listed(ask, &wanted, false).await
}

/// `sightings/listSightings`
pub(crate) async fn list(ask: &Ask) -> Result<Answer, MispError> {
    let mut wanted = all(ask.sight.most());
    narrow(ask, &mut wanted).await?;
    listed(ask, &wanted, false).await
}

/// `sightings/restSearch` and `sightings/restSearch/event|attribute`
pub(crate) async fn search(ask: &Ask) -> Result<Answer, MispError> {
    let mut wanted = all(ask.sight.most());
    wanted.kind = text(&ask.fields, "type").unwrap_or_default();
    wanted.source = text(&ask.fields, "source").unwrap_or_default();
    wanted.from = number(&ask.fields, "from").unwrap_or(i64::MIN);
    wanted.to = number(&ask.fields, "to").unwrap_or(i64::MAX);
    let mut shown = Vec::new();
    for wanted in each(ask, wanted).await? {
        if let Answer::Json(Value::Array(list)) = listed(ask, &wanted, true).await? {
            shown.extend(list);
        }
    }
    Ok(json!({ "response": shown }).into())
}

/// Events of one question.
const MAX_EVENTS: usize = 1_000;

/// A server that pulls asks for the sightings of many events at once; those that are not here are left out.
async fn each(ask: &Ask, wanted: Wanted) -> Result<Vec<Wanted>, MispError> {
    let Some(Value::Array(_)) = ask.fields.get("id") else {
        let mut wanted = wanted;
        narrow(ask, &mut wanted).await?;
        return Ok(vec![wanted]);
    };
    let ids = texts(&ask.fields, "id");
    if ids.len() > MAX_EVENTS {
        let text =
            format!("`id` has {} values, the limit is {MAX_EVENTS}; ask in parts", ids.len());
        return Err(MispError::bad_request(text));
    }
    let mut found = Vec::new();
    for id in ids {
        let mut one = ask.clone();
        one.fields.insert("id".into(), id.into());
        let mut own = wanted.clone();
        match narrow(&one, &mut own).await {
            Ok(()) => found.push(own),
            Err(error) if error.is_ours() => return Err(error),
            Err(_) => {}
        }
    }
    Ok(found)
}

async fn narrow(ask: &Ask, wanted: &mut Wanted) -> Result<(), MispError> {
    let context = ask.parts.first().cloned().or_else(|| text(&ask.fields, "context"));
    let Some(said) = text(&ask.fields, "id") else { return Ok(()) };
    let name = Name::parse(&said).ok_or_else(|| MispError::not_found("id"))?;
    match context.as_deref() {
        Some("event") => wanted.event = event_number(ask, &name).await?,
        _ => {
            let mut sql = ask.room.platform().db.read().await?;
            let attribute = attributes::get(&mut sql, &name, wanted.most).await?;
            wanted.attribute = attribute.ok_or_else(|| MispError::not_found("attribute"))?.id;
        }
    }
    Ok(())
}

async fn event_number(ask: &Ask, name: &Name) -> Result<i64, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let event = events::get(&mut sql, name, ask.sight.most()).await?;
    Ok(event.ok_or_else(|| MispError::not_found("event"))?.id)
}
