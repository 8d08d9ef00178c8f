//! Events: add, view, edit, delete.

use serde_json::json;
use sqlx::AnyConnection;

use super::show::{self, Parts};
use super::take::{Writer, check_size, label};
use super::{Answer, Ask, publish, withdraw};
use crate::error::MispError;
use crate::fields::{Fields, number, take_list, text, truth, unwrapped, uuid};
use crate::room::Misphub;
use crate::store::events::{self, Event};
use crate::store::{Name, others, tags};

/// Characters of the line that says what an event is about.
const MAX_INFO_CHARS: usize = 65_535;

/// `events/add`
pub(crate) async fn add(ask: &Ask) -> Result<Answer, MispError> {
    let fields = unwrapped(ask.fields.clone(), "Event");
    check_size(&fields)?;
    let caller = ask.caller.name.clone();
    let publish = truth(&fields, "published").unwrap_or(false);
    let id = write(ask, move |sql, writer| {
        Box::pin(async move { insert(sql, writer, fields, caller).await })
    })
    .await?;
    answered(ask, id, publish).await
}

pub(crate) async fn insert(
    sql: &mut AnyConnection,
    writer: &Writer,
    mut fields: Fields,
    caller: String,
) -> Result<i64, MispError> {
    let info = text(&fields, "info").unwrap_or_default();
    if info.trim().is_empty() || info.chars().count() > MAX_INFO_CHARS {
        return Err(MispError::field("info", "one line that says what the event is about"));
    }
    let attributes = take_list(&mut fields, "Attribute");
    let objects = take_list(&mut fields, "Object");
    let reports = take_list(&mut fields, "EventReport");
    let list = take_list(&mut fields, "Tag");
    let orgc = orgc(sql, writer, &mut fields).await?;
    let names: Vec<String> = list.iter().filter_map(|tag| text(tag, "name")).collect();
    let tlp = intel::rank(label(&fields, names.iter().map(String::as_str)));
    let mut event = Event {
        id: 0,
        uuid: writer.uuid_of(&fields)?,
        orgc,
        info,
        date: date(&fields, writer.now_s)?,
        // It is published once it is in the store of intelligence, by `answered`.
        published: false,
        stamp: number(&fields, "timestamp").unwrap_or(writer.now_s),
        publish_stamp: number(&fields, "publish_timestamp").unwrap_or(0),
        tlp,
        body: own_fields(fields),
        made_by: caller,
        revision: 0,
    };
    let taken = || MispError::field("uuid", "an event with this UUID exists; edit it");
    event.id = events::insert(sql, &event).await?.ok_or_else(taken)?;
    writer.put_tags(sql, "event", event.id, list).await?;
    parts(sql, writer, event.id, attributes, objects).await?;
    for report in reports {
        writer.put_report(sql, report, event.id).await?;
    }
    Ok(event.id)
}

async fn parts(
    sql: &mut AnyConnection,
    writer: &Writer,
    event: i64,
    attributes: Vec<Fields>,
    objects: Vec<Fields>,
) -> Result<(), MispError> {
    for attribute in attributes {
        writer.put_attribute(sql, attribute, event, 0).await?;
    }
    for object in objects {
        writer.put_object(sql, object, event).await?;
    }
    Ok(())
}

/// Who made the event: as it says, else this node.
async fn orgc(
    sql: &mut AnyConnection,
    writer: &Writer,
    fields: &mut Fields,
) -> Result<i64, MispError> {
    let said = take_list(fields, "Orgc").into_iter().next();
    let known = said.and_then(|org| Some((uuid(&text(&org, "uuid")?)?, text(&org, "name")?)));
    match known {
        Some((uuid, name)) => Ok(others::ensure_org(sql, &uuid, &name).await?),
        None => Ok(writer.org),
    }
}

/// What stands in columns or tables of its own leaves the body.
fn own_fields(mut fields: Fields) -> Fields {
    for name in [
        "id",
        "uuid",
        "info",
        "date",
        "published",
        "timestamp",
        "publish_timestamp",
        "Org",
        "Orgc",
        "org_id",
        "orgc_id",
        "attribute_count",
        "RelatedEvent",
        "ShadowAttribute",
        "EventReport",
        "metadata",
    ] {
        fields.remove(name);
    }
    fields
}

fn date(fields: &Fields, now_s: i64) -> Result<String, MispError> {
    match text(fields, "date").filter(|date| !date.is_empty()) {
        Some(date) => {
            let sound = stix::Timestamp::parse(&format!("{date}T00:00:00Z")).is_ok();
            sound
                .then(|| date.clone())
                .ok_or_else(|| MispError::field("date", format!("'{date}' is no day YYYY-MM-DD")))
        }
        None => {
            let now = stix::Timestamp::from_unix_us(now_s * 1_000_000).to_string();
            Ok(now.chars().take(10).collect())
        }
    }
}

/// Whether what is marked as deleted is wanted too: `deleted` is truth, or a list that holds it.
pub(crate) fn wants_deleted(ask: &Ask) -> bool {
    ask.fields.get("deleted").is_some_and(|value| match value {
        serde_json::Value::Array(items) => {
            items.iter().any(|item| crate::fields::value_truth(item) == Some(true))
        }
        other => crate::fields::value_truth(other).unwrap_or(true),
    })
}

/// `events/view/ID`
pub(crate) async fn view(ask: &Ask) -> Result<Answer, MispError> {
    let most = ask.sight.most();
    let parts = Parts {
        metadata: truth(&ask.fields, "metadata").unwrap_or(false),
        deleted: wants_deleted(ask),
        no_sightings: truth(&ask.fields, "noSightings").unwrap_or(false),
        related: Some(most)
            .filter(|_| truth(&ask.fields, "includeEventCorrelations").unwrap_or(true)),
        ..Parts::seen_by(most)
    };
    let mut sql = ask.room.platform().db.read().await?;
    let event = events::get(&mut sql, &ask.name("event")?, most).await?;
    let event = event.ok_or_else(|| MispError::not_found("event"))?;
    let orgs = others::orgs(&mut sql).await?;
    let mut shown = show::event(&mut sql, &event, parts, most, &orgs).await?;
    let flag = |name: &str| truth(&ask.fields, name).unwrap_or(false);
    super::beside::leave_out(&mut shown["Event"], flag("excludeLocalTags"), flag("excludeGalaxy"));
    Ok(shown.into())
}

/// `events/edit/ID`: what is given replaces what was; parts that are not named stay.
pub(crate) async fn edit(ask: &Ask) -> Result<Answer, MispError> {
    let fields = unwrapped(ask.fields.clone(), "Event");
    check_size(&fields)?;
    let publish = truth(&fields, "published").unwrap_or(false);
    let (name, most) = (ask.name("event")?, ask.sight.most());
    let id = write(ask, move |sql, writer| {
        Box::pin(async move {
            let event = events::get(sql, &name, most).await?;
            let event = event.ok_or_else(|| MispError::not_found("event"))?;
            // A server that synchronises gives the time of the change, so that both hold the same state under it.
            let stamp = number(&fields, "timestamp").filter(|stamp| *stamp > event.stamp);
            let stamp = stamp.map_or(writer.now_s, |stamp| stamp.min(writer.now_s));
            change(sql, writer, event, fields, stamp).await
        })
    })
    .await?;
    answered(ask, id, publish).await
}

pub(crate) async fn change(
    sql: &mut AnyConnection,
    writer: &Writer,
    mut event: Event,
    mut fields: Fields,
    stamp: i64,
) -> Result<i64, MispError> {
    if number(&fields, "timestamp").is_some_and(|stamp| stamp < event.stamp) {
        let message = "what is stored is newer than what is sent; read the event again";
        return Err(MispError::field("timestamp", message));
    }
    let attributes = take_list(&mut fields, "Attribute");
    let objects = take_list(&mut fields, "Object");
    let reports = take_list(&mut fields, "EventReport");
    let list = take_list(&mut fields, "Tag");
    if let Some(info) = text(&fields, "info").filter(|info| !info.trim().is_empty()) {
        event.info = info;
    }
    if fields.contains_key("date") {
        event.date = date(&fields, writer.now_s)?;
    }
    event.published = false;
    event.stamp = stamp.max(event.stamp);
    if fields.contains_key("sharing_group_id") && !fields.contains_key("SharingGroup") {
        event.body.remove("SharingGroup");
    }
    event.body.extend(own_fields(fields));
    if !reports.is_empty() {
        // Reports that came before they had a table stand in the body.
        event.body.remove("EventReport");
    }
    writer.put_tags(sql, "event", event.id, list).await?;
    parts(sql, writer, event.id, attributes, objects).await?;
    for report in reports {
        writer.put_report(sql, report, event.id).await?;
    }
    relabel(sql, &mut event).await?;
    events::update(sql, &event).await?;
    Ok(event.id)
}

/// Brings an event's label in line with its tags.
pub(crate) async fn relabel(sql: &mut AnyConnection, event: &mut Event) -> Result<(), MispError> {
    let list = tags::of(sql, "event", event.id).await?;
    let before = event.tlp;
    event.tlp = intel::rank(label(&event.body, list.iter().map(|tag| tag.name.as_str())));
    if event.tlp > before {
        withdraw::raise(sql, event).await?;
    }
    Ok(())
}

/// Notes that a part of an event changed: the event is newer and no longer as published.
pub(crate) async fn touch(sql: &mut AnyConnection, id: i64, now_s: i64) -> Result<(), MispError> {
    let event = events::get(sql, &Name::Number(id), i64::MAX).await?;
    if let Some(mut event) = event {
        event.stamp = now_s.max(event.stamp);
        // 0 stands for a change that is no news to others.
        if now_s > 0 {
            event.published = false;
        }
        relabel(sql, &mut event).await?;
        events::update(sql, &event).await?;
    }
    Ok(())
}

/// `events/delete/ID`
pub(crate) async fn delete(ask: &Ask) -> Result<Answer, MispError> {
    let (name, most) = (ask.name("event")?, ask.sight.most());
    write(ask, move |sql, writer| {
        Box::pin(async move {
            let event = events::get(sql, &name, most).await?;
            let event = event.ok_or_else(|| MispError::not_found("event"))?;
            withdraw::event(sql, event.id, writer.now_s).await?;
            events::delete(sql, event.id).await?;
            Ok(event.id)
        })
    })
    .await?;
    let text = "Event deleted.";
    Ok(json!({ "saved": true, "success": true, "name": text, "message": text, "url": "/events/delete" }).into())
}

/// The event that was just written, published where that was asked for.
async fn answered(ask: &Ask, id: i64, publish: bool) -> Result<Answer, MispError> {
    let metadata = truth(&ask.fields, "metadata").unwrap_or(false);
    let mut not_carried = None;
    if publish {
        // Who just wrote it publishes it, whatever its label.
        let (_, told) = publish::run(&ask.room, &Name::Number(id), i64::MAX).await?;
        not_carried = Some(told);
    }
    let answer = shown(ask, id, Parts { metadata, ..Parts::seen_by(ask.sight.most()) }).await?;
    Ok(match (answer, not_carried) {
        (Answer::Json(serde_json::Value::Object(mut fields)), Some(told)) => {
            fields.insert("x_sereno_not_carried".into(), told);
            Answer::Json(serde_json::Value::Object(fields))
        }
        (answer, _) => answer,
    })
}

async fn shown(ask: &Ask, id: i64, parts: Parts) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    // Who just wrote it sees it, whatever its label.
    let event = events::get(&mut sql, &Name::Number(id), i64::MAX).await?;
    let event = event.ok_or_else(|| MispError::not_found("event"))?;
    let orgs = others::orgs(&mut sql).await?;
    Ok(show::event(&mut sql, &event, parts, i64::MAX, &orgs).await?.into())
}

type Work<'w, T> =
    std::pin::Pin<Box<dyn std::future::Future<Output = Result<T, MispError>> + Send + 'w>>;

/// One transaction; a refusal takes everything back.
pub(crate) async fn write<T, F>(ask: &Ask, work: F) -> Result<T, MispError>
where
    F: for<'w> FnOnce(&'w mut AnyConnection, &'w Writer) -> Work<'w, T> + Send + 'static,
    T: Send + 'static,
{
    write_in(&ask.room, work).await
}

/// One transaction without a request.
pub(crate) async fn write_in<T, F>(room: &Misphub, work: F) -> Result<T, MispError>
where
    F: for<'w> FnOnce(&'w mut AnyConnection, &'w Writer) -> Work<'w, T> + Send + 'static,
    T: Send + 'static,
{
    let room = room.clone();
    let db = room.platform().db.clone();
    db.write(move |tx| {
        Box::pin(async move {
            let now_s = tx.now().as_micros() / 1_000_000;
            let org = Writer::own_org(&room, tx.sql()).await?;
            let writer = Writer { room, now_s, org };
            work(tx.sql(), &writer).await
        })
    })
    .await
}
