//! STIX that people upload: it becomes events.

use serde_json::{Value, json};

use super::events::{insert, write};
use super::show::{self, Parts};
use super::take::check_size;
use super::{Answer, Ask};
use crate::error::MispError;
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
    let ids = write(ask, move |sql, writer| {
        Box::pin(async move {
            let mut ids = Vec::with_capacity(list.len());
            for fields in list {
                ids.push(insert(sql, writer, fields, caller.clone()).await?);
            }
            Ok(ids)
        })
    })
    .await?;
    let mut sql = ask.room.platform().db.read().await?;
    let orgs = others::orgs(&mut sql).await?;
    let first = ids.first().copied().unwrap_or_default();
    let event = events::get(&mut sql, &Name::Number(first), i64::MAX).await?;
    let event = event.ok_or_else(|| MispError::not_found("event"))?;
    let parts = Parts::seen_by(ask.sight.most());
    let mut shown = show::event(&mut sql, &event, parts, i64::MAX, &orgs).await?;
    shown["x_sereno_events"] = ids.iter().map(i64::to_string).collect();
    shown["x_sereno_not_carried"] = json!(converted.not_carried);
    Ok(shown.into())
}

fn read(sent: Value) -> Result<misp::from_stix::Converted, MispError> {
    let wrong = |cause: String| MispError::bad_request(format!("not a bundle of STIX 2: {cause}"));
    let bundle = stix::Bundle::from_value(sent).map_err(|cause| wrong(cause.to_string()))?;
    Ok(misp::from_stix::convert(bundle))
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
