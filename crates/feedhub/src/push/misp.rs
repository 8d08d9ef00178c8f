//! To a MISP server: published events of this node's organisation, each in the state it has, with its UUIDs and times.

use reqwest::Url;
use serde_json::{Value, json};

use crate::error::FeedError;
use crate::net::{Fault, Line};
use crate::room::Feedhub;
use crate::source::discover::below;
use crate::source::misp_server::{ask, version};
use crate::store::progress;
use crate::store::pushes::{self, Push, Unsent};

/// Bytes of an answer.
const MAX_ANSWER_BYTES: usize = 64 << 20;
/// Events of one run.
const MAX_EVENTS: usize = 1_000;

/// Sends what is new; true when something is left for the next run.
pub(super) async fn run(
    room: &Feedhub,
    push: &Push,
    line: &Line,
    url: &Url,
) -> Result<bool, Fault> {
    let base = below(url, "")?;
    let told = version(line, &base).await?;
    let may = |name: &str| told.get(name).and_then(Value::as_bool);
    if may("perm_sync") == Some(false) {
        return Err(Fault::new("the key may not synchronise at this server (perm_sync)"));
    }
    let desk = room.desk().ok_or_else(|| Fault::new("this node keeps no MISP events"))?;
    let highest = push.new.highest.label();
    let heads = desk.published(highest).await.map_err(|error| Fault::new(error.to_string()))?;
    let mut sql = room.platform().db.read().await.map_err(FeedError::Db)?;
    let sent = progress::items(&mut sql, &push.id).await.map_err(FeedError::Db)?;
    drop(sql);
    let mut waiting: Vec<_> = heads
        .into_iter()
        .filter(|head| sent.get(&head.uuid) != Some(&head.stamp.to_string()))
        .collect();
    let more = waiting.len() > MAX_EVENTS;
    waiting.truncate(MAX_EVENTS);
    if waiting.is_empty() {
        return Ok(false);
    }
    let wants = wanted(line, &base, &waiting).await?;
    for head in waiting {
        let wanted = wants.as_ref().is_none_or(|uuids| uuids.contains(&head.uuid));
        let event = match wanted {
            false => None,
            true => desk
                .outgoing(&head.uuid, highest)
                .await
                .map_err(|error| Fault::new(error.to_string()))?,
        };
        let refusal = match event {
            // The other side has it as new or newer, or it may no longer leave.
            None => None,
            Some(event) => deliver(line, &base, &head.uuid, &event).await?,
        };
        note(room, push, head, wanted, refusal).await?;
    }
    Ok(more)
}

/// Which of the events the other side wants; `None` when it does not say.
async fn wanted(
    line: &Line,
    base: &Url,
    heads: &[ports::misp::EventHead],
) -> Result<Option<Vec<String>>, Fault> {
    let url = below(base, "events/filterEventIdsForPush")?;
    let list: Vec<Value> = heads
        .iter()
        .map(|head| json!({ "Event": { "uuid": head.uuid, "timestamp": head.stamp.to_string() } }))
        .collect();
    match ask(line, &url, Some(&Value::Array(list)), MAX_ANSWER_BYTES).await {
        Ok(Value::Array(list)) => {
            Ok(Some(list.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect()))
        }
        Ok(_) => Ok(None),
        Err(fault) if fault.status.is_some_and(|s| matches!(s.as_u16(), 404 | 405)) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// Adds the event, or brings it up to date where it is known. Why the other side does not take it.
async fn deliver(
    line: &Line,
    base: &Url,
    uuid: &str,
    event: &Value,
) -> Result<Option<String>, Fault> {
    let mut last = String::new();
    for path in [format!("events/edit/{uuid}"), "events/add".to_owned()] {
        let url = below(base, &path)?;
        match ask(line, &url, Some(event), MAX_ANSWER_BYTES).await {
            Ok(told) if told["Event"]["uuid"].is_string() => return Ok(None),
            Ok(_) => last = "the answer names no event".to_owned(),
            Err(fault)
                if fault
                    .status
                    .is_some_and(|s| matches!(s.as_u16(), 400 | 403 | 404 | 405 | 413 | 422)) =>
            {
                // What is said of the newer way counts: the first one fails for every new event.
                last = fault.text;
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(Some(last))
}

async fn note(
    room: &Feedhub,
    push: &Push,
    head: ports::misp::EventHead,
    wanted: bool,
    refusal: Option<String>,
) -> Result<(), Fault> {
    let id = push.id.clone();
    let done: Result<(), FeedError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let now_us = tx.now().as_micros();
                let version_us = head.stamp.saturating_mul(1_000_000);
                // A state that was refused is not sent again: the next one is.
                let stamp = head.stamp.to_string();
                progress::set_item(tx.sql(), &id, &head.uuid, &stamp, now_us).await?;
                match refusal {
                    None => {
                        pushes::taken(tx.sql(), &id, &head.uuid, version_us).await?;
                        pushes::advance(tx.sql(), &id, 0, i64::from(wanted), 0).await?;
                    }
                    Some(reason) => {
                        let reason = Some(reason.chars().take(300).collect());
                        let unsent = Unsent {
                            id: head.uuid,
                            version_us,
                            state: "failed",
                            status: None,
                            reason,
                        };
                        pushes::put_unsent(tx.sql(), &id, &unsent, now_us).await?;
                    }
                }
                Ok(())
            })
        })
        .await;
    Ok(done?)
}
