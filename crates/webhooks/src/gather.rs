//! What hooks are told of: facts from the bus, and versions that become known in the store.

use async_trait::async_trait;
use intel::changes::{self, Change};
use intel::{Sight, objects};
use model::event::{
    Fact, FeedMoved, IncidentOpened, IntelHit, IntelRuleChanged, Payload, ShareMoved,
};
use model::{Timestamp, Tlp};
use platform::bus::{ConsumeError, Consumer};
use serde_json::{Value, json};
use std::time::Duration;

use crate::error::WebhookError;
use crate::room::Webhooks;
use crate::store::{self, Hook, MAX_WAITING, Message};

/// Every event, with what it tells.
pub(crate) const EVENTS: &[(&str, &str)] = &[
    ("object.new", "an object that was not known"),
    ("object.updated", "a newer version of an object"),
    ("object.revoked", "an object that its author takes back"),
    ("sighting", "a sighting, or an opinion or note that reports one"),
    (
        "lookup.hit",
        "the node's own work met a value that is known (of what TLP:GREEN lets everybody here read)",
    ),
    ("feed.failed", "a feed began to fail"),
    ("feed.works", "a feed works again"),
    ("share.moved", "a share was delivered, refused or acknowledged"),
    ("incident.opened", "an incident was opened"),
    ("rule.changed", "somebody changed how intelligence fades or what is well known"),
];
/// Versions read at once for one hook.
const PAGE: i64 = 200;
/// Objects larger than so many bytes are named, not told whole.
const MAX_OBJECT_BYTES: usize = 256 << 10;
/// Pause between two looks at what became known.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The body of a message, as Standard Webhooks writes it.
fn body(event: &str, at: Timestamp, data: &Value) -> String {
    json!({ "type": event, "timestamp": at.to_string(), "data": data }).to_string()
}

/// A fact as an event, with the label under which it may leave.
fn of_fact(fact: &Fact) -> Result<Option<(&'static str, Tlp, Value)>, serde_json::Error> {
    if let Some(moved) = fact.read::<ShareMoved>()? {
        let data = json!({ "share": moved.share, "incident": moved.incident, "peer": moved.peer_name,
            "state": moved.state, "detail": moved.detail });
        return Ok(Some(("share.moved", Tlp::AmberStrict, data)));
    }
    if let Some(moved) = fact.read::<FeedMoved>()? {
        let event = if moved.error.is_some() { "feed.failed" } else { "feed.works" };
        let tlp = stix::Tlp::from_label(&moved.tlp).map_or(Tlp::Red, |tlp| match tlp {
            stix::Tlp::Clear => Tlp::Clear,
            stix::Tlp::Green => Tlp::Green,
            stix::Tlp::Amber => Tlp::Amber,
            stix::Tlp::AmberStrict => Tlp::AmberStrict,
            stix::Tlp::Red => Tlp::Red,
        });
        let data = json!({ "feed": moved.feed, "name": moved.name, "error": moved.error });
        return Ok(Some((event, tlp, data)));
    }
    if let Some(hit) = fact.read::<IntelHit>()? {
        let data = json!({ "value": hit.value, "summary": hit.summary, "sources": hit.sources });
        return Ok(Some(("lookup.hit", Tlp::Green, data)));
    }
    if let Some(opened) = fact.read::<IncidentOpened>()? {
        let incident = opened.report.incident;
        let data = json!({ "incident": incident.id, "title": incident.title, "severity": incident.severity,
            "received": opened.received });
        return Ok(Some(("incident.opened", incident.tlp, data)));
    }
    if let Some(rule) = fact.read::<IntelRuleChanged>()? {
        let data = json!({ "what": rule.what, "detail": rule.detail });
        return Ok(Some(("rule.changed", Tlp::AmberStrict, data)));
    }
    Ok(None)
}

const fn rank(tlp: Tlp) -> i64 {
    match tlp {
        Tlp::Clear => 0,
        Tlp::Green => 1,
        Tlp::Amber => 2,
        Tlp::AmberStrict => 3,
        Tlp::Red => 4,
    }
}

/// Takes facts that hooks want to be told of.
pub(crate) struct Facts(pub(crate) Webhooks);

#[async_trait]
impl Consumer for Facts {
    fn name(&self) -> &'static str {
        "webhooks"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &[
            ShareMoved::KIND,
            FeedMoved::KIND,
            IntelHit::KIND,
            IncidentOpened::KIND,
            IntelRuleChanged::KIND,
        ]
    }

    async fn handle(&self, tx: &mut platform::db::Tx, fact: &Fact) -> Result<(), ConsumeError> {
        let Some((event, tlp, data)) = of_fact(fact)? else { return Ok(()) };
        let message = Message {
            id: format!("msg_{}", fact.id),
            event: event.to_owned(),
            body: body(event, fact.recorded_at, &data),
        };
        let now_us = tx.now().as_micros();
        for hook in store::all(tx.sql()).await? {
            let wanted =
                hook.new.events.iter().any(|one| one == event) && rank(tlp) <= hook.new.tlp;
            // What was true before the hook was made is none of its business.
            if !wanted || fact.recorded_at.as_micros() < hook.recorded_us {
                continue;
            }
            if store::counts(tx.sql(), &hook.id).await?.0 >= MAX_WAITING {
                store::drop_one(tx.sql(), &hook.id).await?;
            } else {
                store::enqueue(tx.sql(), &hook.id, std::slice::from_ref(&message), now_us).await?;
            }
        }
        self.0.wake();
        Ok(())
    }
}

/// Follows what becomes known, until the node stops.
pub(crate) async fn follow(room: Webhooks) {
    loop {
        match step(&room).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%error, "webhooks cannot read what becomes known; trying again")
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// One page for each hook that is behind; whether there may be more.
async fn step(room: &Webhooks) -> Result<bool, WebhookError> {
    let mut sql = room.platform().db.read().await?;
    let last = objects::last_seq(&mut sql).await?;
    let hooks = store::all(&mut sql).await?;
    let mut more = false;
    for hook in hooks.into_iter().filter(|hook| hook.new.cursor < last) {
        let reads =
            hook.new.events.iter().any(|event| event.starts_with("object.") || event == "sighting");
        let mut cursor = last;
        let mut messages = Vec::new();
        if reads {
            if store::counts(&mut sql, &hook.id).await?.0 + PAGE > MAX_WAITING {
                continue;
            }
            let sight = Sight::up_to(intel::label(hook.new.tlp));
            let found =
                changes::after(&mut sql, hook.new.cursor, &hook.new.types, sight, PAGE).await?;
            if i64::try_from(found.len()).unwrap_or(PAGE) >= PAGE {
                more = true;
                cursor = found.last().map_or(last, |change| change.stored.seq);
            }
            messages = found.iter().filter_map(|change| message(&hook, change)).collect();
        }
        let id = hook.id.clone();
        let kept: Result<(), WebhookError> = room
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let now_us = tx.now().as_micros();
                    if !messages.is_empty() {
                        store::enqueue(tx.sql(), &id, &messages, now_us).await?;
                    }
                    Ok(store::move_cursor(tx.sql(), &id, cursor).await?)
                })
            })
            .await;
        kept?;
        room.wake();
    }
    Ok(more)
}

/// A change as a message of a hook, where it wants one.
fn message(hook: &Hook, change: &Change) -> Option<Message> {
    let stored = &change.stored;
    let object: Value = serde_json::from_str(&stored.body).ok()?;
    if !hook.new.labels.is_empty() {
        let labels = object.get("labels").and_then(Value::as_array);
        let named = labels.into_iter().flatten().filter_map(Value::as_str);
        if !named.into_iter().any(|label| hook.new.labels.iter().any(|wanted| wanted == label)) {
            return None;
        }
    }
    let reports = object
        .get("labels")
        .and_then(Value::as_array)
        .is_some_and(|labels| labels.iter().any(|label| label == intel::reports::ENDED));
    let wants = |event: &str| hook.new.events.iter().any(|one| one == event);
    let is_sighting = matches!(stored.kind.as_str(), "sighting" | "opinion") || reports;
    let own = format!("object.{}", change.word());
    let event = if is_sighting && wants("sighting") { "sighting".to_owned() } else { own };
    if !wants(&event) {
        return None;
    }
    let large = stored.body.len() > MAX_OBJECT_BYTES;
    let data = json!({
        "seq": stored.seq, "change": change.word(), "id": stored.id, "type": stored.kind, "name": stored.name,
        "tlp": intel::label(stored.tlp).label(), "object": if large { Value::Null } else { object },
    });
    Some(Message {
        id: format!("msg_{}_{}", hook.id, stored.seq),
        body: body(&event, Timestamp::from_micros(stored.recorded_us), &data),
        event,
    })
}
