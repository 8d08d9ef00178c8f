//! Publishing: an event as STIX in the store of intelligence, under its label.

use std::collections::{HashMap, HashSet};

use intel::from_misp::{self, FromMisp, is_common};
use intel::{Prepared, Put};
use serde_json::{Value, json};
use sqlx::AnyConnection;

use super::events::{write, write_in};
use super::show::{self, Parts};
use super::withdraw;
use super::{Answer, Ask};
use crate::error::MispError;
use crate::room::Misphub;
use crate::store::events::{self, Event};
use crate::store::{Name, others, published};

/// Readings of an event that is changed while it is being published.
const MAX_TRIES: usize = 5;

/// `events/publish/ID` and `events/alert/ID`
pub(crate) async fn publish(ask: &Ask) -> Result<Answer, MispError> {
    let (id, not_carried) = run(&ask.room, &ask.name("event")?, ask.sight.most()).await?;
    let text = "Event published";
    Ok(json!({ "saved": true, "success": true, "name": text, "message": text,
        "url": "/events/publish", "id": id.to_string(), "x_sereno_not_carried": not_carried })
    .into())
}

/// `events/unpublish/ID`: what it put into the store is withdrawn.
pub(crate) async fn unpublish(ask: &Ask) -> Result<Answer, MispError> {
    let (name, most) = (ask.name("event")?, ask.sight.most());
    let id = write(ask, move |sql, writer| {
        Box::pin(async move {
            let event = events::get(sql, &name, most).await?;
            let mut event = event.ok_or_else(|| MispError::not_found("event"))?;
            event.published = false;
            events::update(sql, &event).await?;
            withdraw::event(sql, event.id, writer.now_s).await?;
            Ok(event.id)
        })
    })
    .await?;
    let text = "Event unpublished.";
    Ok(json!({ "saved": true, "success": true, "name": text, "message": text,
        "url": "/events/publish", "id": id.to_string() })
    .into())
}

/// Publishes an event: read and converted outside of the writer, kept only if it is still what was converted. Its
/// number, and what was not carried.
pub(crate) async fn run(room: &Misphub, name: &Name, most: i64) -> Result<(i64, Value), MispError> {
    for _ in 0..MAX_TRIES {
        let stix = as_stix(room, name, most).await?;
        let name = name.clone();
        let done = write_in(room, move |sql, writer| {
            Box::pin(async move {
                let event = events::get(sql, &name, most).await?;
                let mut event = event.ok_or_else(|| MispError::not_found("event"))?;
                if event.revision != stix.event.revision {
                    return Ok(None);
                }
                event.published = true;
                event.publish_stamp = stix.event.publish_stamp;
                events::update(sql, &event).await?;
                let told = stix.keep(sql, &event, writer.now_s).await?;
                Ok(Some((event.id, told)))
            })
        })
        .await?;
        if let Some(done) = done {
            return Ok(done);
        }
    }
    let text = "the event is being changed by somebody else and is not published; publish it again";
    Err(MispError::new(axum::http::StatusCode::CONFLICT, text))
}

/// A published event as the store of intelligence keeps it.
struct AsStix {
    /// The event that was converted.
    event: Event,
    source: String,
    /// Whether it is an event of this node's organisation.
    own: bool,
    objects: Vec<Prepared>,
    /// What has no place in STIX, as JSON.
    not_carried: Vec<Value>,
}

/// The event as STIX objects; those that break a rule of STIX are told like what has no place in it.
async fn as_stix(room: &Misphub, name: &Name, most: i64) -> Result<AsStix, MispError> {
    let mut sql = room.platform().db.read().await?;
    let event = events::get(&mut sql, name, most).await?;
    let mut event = event.ok_or_else(|| MispError::not_found("event"))?;
    // Converted as what it will be: a published event is a report from the first time on.
    event.published = true;
    event.publish_stamp = room.now_s();
    let orgs = others::orgs(&mut sql).await?;
    let mut shown = show::event(&mut sql, &event, Parts::default(), most, &orgs).await?;
    // Everybody who sees the event sees its objects; members of a sharing group are not for everybody.
    show::without_groups(&mut shown);
    show::without_nulls(&mut shown);
    drop(sql);
    let org = orgs.into_iter().find(|org| org.id == event.orgc);
    let own = org.as_ref().is_some_and(|org| org.uuid == room.own_uuid());
    let source = org.map_or_else(String::new, |org| org.name);
    let tlp = event.tlp;
    let converted = tokio::task::spawn_blocking(move || from_misp::prepared(shown, tlp));
    let outcome =
        converted.await.map_err(|_| MispError::bad_request("the event could not be converted"))?;
    let FromMisp { objects, not_carried } = outcome.map_err(MispError::bad_request)?;
    Ok(AsStix { event, source, own, objects, not_carried })
}

impl AsStix {
    /// Keeps the objects, withdraws what the event said before and says no longer; what was not carried.
    async fn keep(
        self,
        sql: &mut AnyConnection,
        event: &Event,
        now_s: i64,
    ) -> Result<Value, MispError> {
        let now_us = now_s.saturating_mul(1_000_000);
        let source = intel::Source {
            key: format!("misp:{}", self.source),
            name: format!("MISP: {}", self.source),
            kind: if self.own { "own" } else { "misp" }.into(),
            tlp: intel::label(event.tlp),
            licence: String::new(),
        };
        let source = intel::sources::ensure(sql, &source, now_us).await?;
        let (mut objects, mut told) = (self.objects, self.not_carried);
        let said: HashSet<String> = objects.iter().map(|object| object.id.clone()).collect();
        let before = published::of(sql, event.id).await?;
        let mut gone: Vec<_> = before.into_iter().filter(|one| !said.contains(&one.id)).collect();
        // What older versions of this program stored at the first publication, besides the report of the later ones.
        gone.push(published::Stored { id: format!("grouping--{}", event.uuid), source });
        withdraw::stored(sql, event.id, &gone, now_s).await?;
        intel::withdraw::renew(sql, source, &mut objects, now_us).await?;
        let unmarked = event.tlp;
        let batch = intel::Batch { source, unmarked, collection: None, objects: &objects, now_us };
        let puts = intel::write::store(sql, &batch).await?;
        let mut by_label: HashMap<i64, Vec<&str>> = HashMap::new();
        for (object, put) in objects.iter().zip(puts) {
            if put == Put::Conflict {
                told.push(json!({ "place": object.id, "what": object.kind,
                    "why": "known with other content, which stays" }));
            }
            if matches!(put, Put::Same | Put::Conflict) {
                by_label.entry(object.tlp.unwrap_or(unmarked)).or_default().push(&object.id);
            }
        }
        for (tlp, ids) in by_label {
            intel::withdraw::raise(sql, source, &ids, tlp).await?;
        }
        let ids = objects.iter().map(|object| object.id.as_str()).filter(|id| !is_common(id));
        published::note(sql, event.id, source, &ids.collect::<Vec<_>>()).await?;
        Ok(Value::Array(told))
    }
}
