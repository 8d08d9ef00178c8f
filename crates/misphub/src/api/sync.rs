//! What passes between servers: which events another one may push, and this node's own exchange through the port.

use async_trait::async_trait;
use ports::PortError;
use ports::disclosure::{Address, Recipient, Said};
use ports::misp::{EventHead, EventOut, EventTaken, MispDesk};
use serde_json::{Value, json};
use sqlx::AnyConnection;
use stix::Tlp;

use super::events::{change, insert, write_in};
use super::show::{self, Parts};
use super::take::{Writer, check_size};
use super::{Answer, Ask, galaxies, proposals, publish, withdraw};
use crate::error::MispError;
use crate::fields::{Fields, number, text, truth, unwrapped, uuid};
use crate::outside::{self, Reader};
use crate::room::Misphub;
use crate::store::events::{self, Event};
use crate::store::{Name, others, sync};

/// Events of one question.
const MAX_ASKED: usize = 100_000;

/// `events/filterEventIdsForPush`: those of the events that are not here, or here in an older state. What the caller may not
/// see is answered like what is not here.
pub(crate) async fn filter(ask: &Ask) -> Result<Answer, MispError> {
    if ask.list.len() > MAX_ASKED {
        let text = format!("at most {MAX_ASKED} events are asked for at once; ask in parts");
        return Err(MispError::bad_request(text));
    }
    let mut sql = ask.room.platform().db.read().await?;
    let mut wanted = Vec::new();
    for one in &ask.list {
        let Value::Object(fields) = &one["Event"] else { continue };
        let Some(uuid) = text(fields, "uuid").and_then(|text| uuid(&text)) else { continue };
        let stamp = number(fields, "timestamp").unwrap_or(0);
        let known = events::get(&mut sql, &Name::Uuid(uuid.clone()), ask.sight.most()).await?;
        if known.is_none_or(|event| event.stamp < stamp) {
            wanted.push(Value::String(uuid));
        }
    }
    Ok(Value::Array(wanted).into())
}

/// How far what comes from, or goes to, another server may go on from there: one step less, as MISP does it.
fn one_step_less(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(one_step_less),
        Value::Object(fields) => {
            if let Some(level) = number(fields, "distribution") {
                let less = match level {
                    1 => Some(0),
                    2 => Some(1),
                    _ => None,
                };
                if let Some(less) = less {
                    fields.insert("distribution".into(), i64::to_string(&less).into());
                }
            }
            for name in ["Event", "Attribute", "Object", "EventReport"] {
                if let Some(inner) = fields.get_mut(name) {
                    one_step_less(inner);
                }
            }
        }
        _ => {}
    }
}

fn port(error: MispError) -> PortError {
    let text = error.message().to_owned();
    if error.is_ours() { PortError::Unavailable(text) } else { PortError::Invalid(text) }
}

/// The label that holds where an event names none, as a tag of this node's own.
fn labelled(fields: &mut Fields, label: Tlp) {
    let tags = fields.entry("Tag").or_insert_with(|| Value::Array(vec![]));
    let Value::Array(tags) = tags else { return };
    let names = tags.iter().filter_map(|tag| tag["name"].as_str());
    if intel::from_misp::tagged(names).is_none() {
        tags.push(json!({ "name": format!("tlp:{}", label.value()), "local": true }));
    }
}

/// What became of an event, its number, and whether it is still to be published.
type Kept = (EventTaken, i64, bool);

async fn keep(
    sql: &mut AnyConnection,
    writer: &Writer,
    fields: Fields,
    teller: String,
) -> Result<Kept, MispError> {
    let uuid = text(&fields, "uuid").and_then(|text| uuid(&text));
    let uuid = uuid.ok_or_else(|| MispError::field("uuid", "the UUID of the event"))?;
    let stamp = number(&fields, "timestamp")
        .ok_or_else(|| MispError::field("timestamp", "when the event was changed"))?;
    let publish = truth(&fields, "published").unwrap_or(false);
    match events::get(sql, &Name::Uuid(uuid), i64::MAX).await? {
        None => Ok((EventTaken::New, insert(sql, writer, fields, teller).await?, publish)),
        // Made here, or given by another server: that one's word counts.
        Some(event) if event.made_by != teller => Ok((EventTaken::Same, event.id, false)),
        // A node that died between keeping and publishing.
        Some(event) if event.stamp >= stamp => {
            Ok((EventTaken::Same, event.id, publish && !event.published && event.stamp == stamp))
        }
        Some(event) => {
            let id = change(sql, writer, event, fields, stamp).await?;
            if !publish {
                withdraw::event(sql, id, writer.now_s).await?;
            }
            Ok((EventTaken::Updated, id, publish))
        }
    }
}

/// Whether an event may leave to another server: to connected communities or all.
fn may_leave(fields: &Fields) -> bool {
    matches!(number(fields, "distribution"), Some(2 | 3))
}

/// Whether a part may leave with its event: not what is for this organisation, community or a sharing group only.
fn part_leaves(part: &Value, highest: i64) -> bool {
    let level = part.as_object().and_then(|fields| number(fields, "distribution"));
    let tags = part["Tag"].as_array().into_iter().flatten();
    let label = intel::from_misp::tagged(tags.filter_map(|tag| tag["name"].as_str()));
    !matches!(level, Some(0 | 1 | 4)) && label.is_none_or(|tlp| intel::rank(tlp) <= highest)
}

/// A cluster that was made here leaves only as far as it says itself; those of public collections do.
fn cluster_leaves(cluster: &Value) -> bool {
    let level = cluster.as_object().and_then(|fields| number(fields, "distribution"));
    cluster["default"] == json!(true) || !matches!(level, Some(0 | 1 | 4))
}

/// Takes out what may not leave, and numbers that mean something here only.
fn for_others(value: &mut Value, highest: i64) {
    let Value::Object(fields) = value else { return };
    for name in ["id", "event_id", "object_id", "org_id", "orgc_id", "sharing_group_id"] {
        fields.shift_remove(name);
    }
    if let Some(Value::Array(tags)) = fields.get_mut("Tag") {
        tags.retain(|tag| tag["local"] != json!(true));
    }
    if let Some(Value::Array(list)) = fields.get_mut("Galaxy") {
        for galaxy in list {
            if let Some(Value::Array(clusters)) = galaxy.get_mut("GalaxyCluster") {
                clusters.retain(cluster_leaves);
            }
        }
    }
    for name in ["Attribute", "Object", "EventReport"] {
        if let Some(Value::Array(parts)) = fields.get_mut(name) {
            parts.retain(|part| part_leaves(part, highest));
            parts.iter_mut().for_each(|part| for_others(part, highest));
        }
    }
}

fn rank(label: &str) -> Result<i64, PortError> {
    let tlp = Tlp::from_label(label);
    tlp.map(intel::rank).ok_or_else(|| PortError::Invalid(format!("{label} is no label")))
}

fn leaves(event: &Event, highest: i64) -> bool {
    event.published && event.tlp <= highest && may_leave(&event.body)
}

/// Proposals that are told at once.
const MAX_PROPOSALS: usize = 10_000;

/// Keeps what another server proposes: how many are new, and how many belong to nothing here or cannot be kept.
async fn proposed(
    sql: &mut AnyConnection,
    writer: &Writer,
    list: Vec<Value>,
    teller: &str,
) -> Result<(usize, usize), MispError> {
    if list.len() > MAX_PROPOSALS {
        let text = format!("{} proposals at once, the limit is {MAX_PROPOSALS}", list.len());
        return Err(MispError::bad_request(text));
    }
    let (mut new, mut left) = (0, 0);
    for one in list {
        let Value::Object(fields) = one else { continue };
        match proposals::told(sql, writer, fields, teller).await {
            Ok(Some(true)) => new += 1,
            Ok(Some(false)) => {}
            Ok(None) => left += 1,
            Err(error) if error.is_ours() => return Err(error),
            Err(_) => left += 1,
        }
    }
    Ok((new, left))
}

/// `events/pushProposals/ID`: what another server sends of the proposals for an event.
pub(crate) async fn push_proposals(ask: &Ask) -> Result<Answer, MispError> {
    let (name, most) = (ask.name("event")?, ask.sight.most());
    let mut sql = ask.room.platform().db.read().await?;
    let event = events::get(&mut sql, &name, most).await?;
    let event = event.ok_or_else(|| MispError::not_found("event"))?;
    drop(sql);
    let mut list = ask.list.clone();
    for one in &mut list {
        let inner = match one.get_mut("ShadowAttribute") {
            Some(inner) => inner,
            None => one,
        };
        if let Some(fields) = inner.as_object_mut() {
            // It is for this event, which the caller sees, and for no other.
            fields.insert("event_uuid".into(), event.uuid.clone().into());
        }
    }
    let teller = ask.caller.name.clone();
    let (new, left) = write_in(&ask.room, move |sql, writer| {
        Box::pin(async move { proposed(sql, writer, list, &teller).await })
    })
    .await?;
    let text = format!("{new} proposals recorded, {left} not.");
    Ok(json!({ "success": true, "saved": true, "message": text, "counter": new }).into())
}

/// `galaxies/pushCluster`: clusters that another server made, under the label that their distribution gives.
pub(crate) async fn push_clusters(ask: &Ask) -> Result<Answer, MispError> {
    let list = match ask.list.is_empty() {
        true => vec![Value::Object(ask.fields.clone())],
        false => ask.list.clone(),
    };
    let teller = ask.caller.name.clone();
    let count = write_in(&ask.room, move |sql, writer| {
        Box::pin(async move { galaxies::told(sql, writer, list, 0, &teller).await })
    })
    .await?;
    let text = format!("{count} clusters imported.");
    Ok(json!({ "saved": true, "success": true, "name": text, "message": text, "url": "/galaxies/pushCluster" }).into())
}

#[async_trait]
impl MispDesk for Misphub {
    async fn take(&self, event: Value, label: &str, teller: &str) -> Result<EventTaken, PortError> {
        let mut event = event;
        one_step_less(&mut event);
        let Value::Object(fields) = event else {
            return Err(PortError::Invalid("the event is no object".into()));
        };
        let mut fields = unwrapped(fields, "Event");
        check_size(&fields).map_err(port)?;
        let label = Tlp::from_label(label)
            .ok_or_else(|| PortError::Invalid(format!("{label} is no label")))?;
        labelled(&mut fields, label);
        let teller = teller.to_owned();
        let kept = write_in(self, move |sql, writer| {
            Box::pin(async move { keep(sql, writer, fields, teller).await })
        });
        let (taken, id, publish) = kept.await.map_err(port)?;
        if publish {
            publish::run(self, &Name::Number(id), i64::MAX).await.map_err(port)?;
        }
        Ok(taken)
    }

    async fn published(&self, highest: &str) -> Result<Vec<EventHead>, PortError> {
        let highest = rank(highest)?;
        let found = async {
            let mut sql = self.platform().db.read().await?;
            sync::published(&mut sql, highest).await
        };
        let found = found.await.map_err(|error| PortError::Internal(error.to_string()))?;
        let goes = found.into_iter().filter(|event| leaves(event, highest));
        Ok(goes.map(|event| EventHead { uuid: event.uuid, stamp: event.stamp }).collect())
    }

    async fn outgoing(
        &self,
        uuid: &str,
        highest: &str,
        to: Recipient,
        address: Address,
    ) -> Result<EventOut, PortError> {
        let judge = self.judge()?;
        let highest = rank(highest)?;
        let internal = |error: platform::db::DbError| PortError::Internal(error.to_string());
        let mut sql = self.platform().db.read().await.map_err(internal)?;
        let found = events::get(&mut sql, &Name::Uuid(uuid.to_owned()), highest).await;
        let Some(event) = found.map_err(internal)?.filter(|event| leaves(event, highest)) else {
            return Ok(EventOut::default());
        };
        let orgs = others::orgs(&mut sql).await.map_err(internal)?;
        let parts = Parts { deleted: true, ..Parts::default() };
        let shown = show::event(&mut sql, &event, parts, highest, &orgs).await;
        let mut shown = shown.map_err(internal)?;
        drop(sql);
        show::without_groups(&mut shown);
        for_others(&mut shown["Event"], highest);
        one_step_less(&mut shown);
        show::without_nulls(&mut shown);
        let org = orgs.iter().find(|org| org.id == event.orgc);
        let is_own = org.is_some_and(|org| org.uuid == self.own_uuid());
        let said = if is_own { Said::Own } else { Said::Misp };
        let source = org.map_or("", |org| org.name.as_str());
        let reader = Reader { judge, to, address, said, source };
        let seen = outside::event(reader, shown, event.tlp).await?;
        Ok(EventOut { event: seen.event, stayed: seen.stayed, reasons: seen.reasons })
    }

    async fn take_proposals(&self, list: Vec<Value>, teller: &str) -> Result<usize, PortError> {
        let teller = teller.to_owned();
        let done = write_in(self, move |sql, writer| {
            Box::pin(async move { Ok(proposed(sql, writer, list, &teller).await?.0) })
        });
        done.await.map_err(port)
    }

    async fn take_clusters(
        &self,
        list: Vec<Value>,
        label: &str,
        teller: &str,
    ) -> Result<usize, PortError> {
        let (least, teller) = (rank(label)?, teller.to_owned());
        let done = write_in(self, move |sql, writer| {
            Box::pin(async move { galaxies::told(sql, writer, list, least, &teller).await })
        });
        done.await.map_err(port)
    }

    async fn remove(&self, uuid: &str, teller: &str) -> Result<bool, PortError> {
        let (name, teller) = (Name::Uuid(uuid.to_owned()), teller.to_owned());
        let done = write_in(self, move |sql, writer| {
            Box::pin(async move {
                let event = events::get(sql, &name, i64::MAX).await?;
                let Some(event) = event.filter(|event| event.made_by == teller) else {
                    return Ok(false);
                };
                withdraw::event(sql, event.id, writer.now_s).await?;
                events::delete(sql, event.id).await?;
                Ok(true)
            })
        });
        done.await.map_err(port)
    }
}
