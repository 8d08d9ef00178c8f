//! To a MISP server: published events of this node's organisation, each in the state it has, with its UUIDs and times.

use ports::misp::EventOut;
use reqwest::Url;
use serde_json::{Value, json};

use super::taxii::MAX_WITHHELD;
use super::{MAX_REASON_CHARS, judge};
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
        // The other side has it as new or newer where it does not want it.
        let out = match wanted {
            false => EventOut::default(),
            true => desk
                .outgoing(&head.uuid, highest, push.new.recipient, judge::address(push))
                .await
                .map_err(judge::fault)?,
        };
        let refusal = match &out.event {
            None => None,
            Some(event) => deliver(line, &base, &head.uuid, event).await?,
        };
        note(room, push, head, out, refusal).await?;
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
    out: EventOut,
    refusal: Option<String>,
) -> Result<(), Fault> {
    let id = push.id.clone();
    let version_us = head.stamp.saturating_mul(1_000_000);
    let unsent = |state, reason: &str| Unsent {
        id: head.uuid.clone(),
        version_us,
        state,
        status: None,
        reason: Some(reason.chars().take(MAX_REASON_CHARS).collect()),
    };
    let (goes, stays) = (out.event.is_some(), !out.reasons.is_empty());
    let said = judge::reason(push, &out.reasons.join("; "));
    let said = match goes {
        true => format!("{} of its parts stay: {said}", out.stayed),
        false => said,
    };
    let withheld = stays.then(|| unsent("withheld", &said));
    let refused = refusal.map(|reason| unsent("failed", &reason));
    let done: Result<(), FeedError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let now_us = tx.now().as_micros();
                // A state that was refused, or that may not go, is not sent again: the next one is.
                let stamp = head.stamp.to_string();
                progress::set_item(tx.sql(), &id, &head.uuid, &stamp, now_us).await?;
                let sent = goes && refused.is_none();
                pushes::taken(tx.sql(), &id, &head.uuid, version_us).await?;
                let held_back = i64::from(stays && !goes);
                pushes::advance(tx.sql(), &id, 0, i64::from(sent), held_back).await?;
                // What the other side says counts for more where both are to be told.
                if let Some(one) = refused.or(withheld) {
                    pushes::put_unsent(tx.sql(), &id, &one, now_us).await?;
                    pushes::trim_withheld(tx.sql(), &id, MAX_WITHHELD).await?;
                }
                Ok(())
            })
        })
        .await;
    Ok(done?)
}
