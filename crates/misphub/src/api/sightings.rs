//! Sightings.

use serde_json::{Value, json};

use super::events::write;
use super::{Answer, Ask, show, withdraw};
use crate::error::MispError;
use crate::fields::{Fields, number, text, texts, truth, unwrapped};
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
    narrow(ask, &mut wanted).await?;
    wanted.kind = text(&ask.fields, "type").unwrap_or_default();
    wanted.source = text(&ask.fields, "source").unwrap_or_default();
    wanted.from = number(&ask.fields, "from").unwrap_or(i64::MIN);
    wanted.to = number(&ask.fields, "to").unwrap_or(i64::MAX);
    let shown = listed(ask, &wanted, true).await?;
    Ok(match shown {
        Answer::Json(list) => json!({ "response": list }).into(),
        other => other,
    })
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
