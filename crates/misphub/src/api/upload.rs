//! STIX that people upload: it becomes events.

use serde_json::{Value, json};

use super::events::{insert, write};
use super::show::{self, Parts};
use super::take::{Writer, check_size};
use super::{Answer, Ask};
use crate::error::MispError;
use crate::fields::Fields;
use crate::store::{Name, events, others};

/// Events of one bundle.
const MAX_EVENTS: usize = 1_000;

/// `events/upload_stix/2`: STIX 2.0 and 2.1. Answered with the (first) event and what was not carried.
pub(crate) async fn upload(ask: &Ask) -> Result<Answer, MispError> {
    let sent = Value::Object(ask.fields.clone());
    let converted = tokio::task::spawn_blocking(move || read(sent)).await;
    let converted =
        converted.map_err(|_| MispError::bad_request("the bundle could not be converted"))??;
    if converted.events.is_empty() || converted.events.len() > MAX_EVENTS {
        let text = format!(
            "{} events would be made of the bundle; from one to {MAX_EVENTS} are taken at once",
            converted.events.len()
        );
        return Err(MispError::bad_request(text));
    }
    let list: Vec<_> = converted.events.into_iter().map(misp::Event::into_map).collect();
    list.iter().try_for_each(check_size)?;
    let caller = ask.caller.name.clone();
    let (ids, refused) = write(ask, move |sql, writer| {
        Box::pin(async move {
            let (mut ids, mut refused) = (Vec::with_capacity(list.len()), Vec::new());
            for mut fields in list {
                storable(writer, &mut fields, &mut refused);
                ids.push(insert(sql, writer, fields, caller.clone()).await?);
            }
            Ok((ids, refused))
        })
    })
    .await?;
    let mut not_carried = converted.not_carried;
    not_carried.extend(refused);
    let mut sql = ask.room.platform().db.read().await?;
    let orgs = others::orgs(&mut sql).await?;
    let first = ids.first().copied().unwrap_or_default();
    let event = events::get(&mut sql, &Name::Number(first), i64::MAX).await?;
    let event = event.ok_or_else(|| MispError::not_found("event"))?;
    let parts = Parts::seen_by(ask.sight.most());
    let mut shown = show::event(&mut sql, &event, parts, i64::MAX, &orgs).await?;
    shown["x_sereno_events"] = ids.iter().map(i64::to_string).collect();
    shown["x_sereno_not_carried"] = Value::Array(not_carried);
    Ok(shown.into())
}

/// Takes attributes out that cannot be stored, and tells them.
fn storable(writer: &Writer, fields: &mut Fields, refused: &mut Vec<Value>) {
    let keep = |list: &mut Value, refused: &mut Vec<Value>| {
        let Value::Array(items) = list else { return };
        items.retain(|one| {
            let Some(fields) = one.as_object() else { return false };
            let Err(error) = writer.attribute(fields.clone(), 0, 0) else { return true };
            refused.push(json!({ "place": "/Attribute", "what": one, "why": error.message() }));
            false
        });
    };
    if let Some(list) = fields.get_mut("Attribute") {
        keep(list, refused);
    }
    for object in fields.get_mut("Object").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(list) = object.get_mut("Attribute") {
            keep(list, refused);
        }
    }
}

/// A bundle as events, with what they do not say.
struct Read {
    events: Vec<misp::Event>,
    not_carried: Vec<Value>,
}

fn read(sent: Value) -> Result<Read, MispError> {
    let wrong = |cause: String| MispError::bad_request(format!("not a bundle of STIX 2: {cause}"));
    let bundle = stix::Bundle::from_value(sent).map_err(|cause| wrong(cause.to_string()))?;
    let (bundle, losses) = stix::upgrade::bundle(&bundle);
    let converted = misp::from_stix::convert(bundle);
    let mut not_carried: Vec<Value> =
        losses.iter().map(|loss| json!({ "place": loss.object, "what": loss.property, "why": loss.what, "value": loss.value })).collect();
    not_carried.extend(converted.not_carried.iter().map(|one| json!(one)));
    Ok(Read { events: converted.events, not_carried })
}

/// `events/upload_stix`: STIX 1 is not read here.
pub(crate) async fn upload_one(ask: &Ask) -> Result<Answer, MispError> {
    let _ = ask;
    Err(MispError::bad_request(
        "STIX 1 is not read; convert it to STIX 2 and send it to events/upload_stix/2",
    ))
}

/// `analyst_data/…`: notes, opinions and relations of MISP 2.5 are not kept here; a server that asks is told so with
/// empty lists.
pub(crate) async fn no_analyst_data(ask: &Ask) -> Result<Answer, MispError> {
    let _ = ask;
    Ok(json!([]).into())
}
