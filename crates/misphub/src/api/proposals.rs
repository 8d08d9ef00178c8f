//! Proposals (MISP: shadow attributes): suggested, told to those who see the event, accepted or discarded.

use serde_json::{Value, json};
use sqlx::AnyConnection;

use super::events::{touch, write};
use super::take::Writer;
use super::{Answer, Ask, attributes as known_ones, form};
use crate::error::MispError;
use crate::fields::{Fields, number, text, truth, unwrapped};
use crate::store::attributes::{self, Attribute};
use crate::store::proposals::{self, Proposal};
use crate::store::{Name, events, others};

/// Open proposals of one event.
const MAX_OPEN: i64 = 10_000;

fn done(text: &str) -> Answer {
    json!({ "saved": true, "success": true, "name": text, "message": text, "url": "/shadow_attributes" }).into()
}

fn unknown() -> MispError {
    MispError::not_found("proposal")
}

/// `shadow_attributes/index` and `shadow_attributes/index/EVENT`: the open ones; `timestamp` says since when.
pub(crate) async fn index(ask: &Ask) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let most = ask.sight.most();
    let event = match ask.parts.first() {
        None => 0,
        Some(_) => {
            let event = events::get(&mut sql, &ask.name("event")?, most).await?;
            event.ok_or_else(|| MispError::not_found("event"))?.id
        }
    };
    let since = number(&ask.fields, "timestamp").unwrap_or(i64::MIN);
    let orgs = others::orgs(&mut sql).await?;
    let found = proposals::open(&mut sql, event, since, most).await?;
    let limit = number(&ask.fields, "limit").filter(|n| *n > 0).unwrap_or(MAX_OPEN);
    let page = number(&ask.fields, "page").filter(|n| *n > 0).unwrap_or(1);
    let skip = usize::try_from((page - 1).saturating_mul(limit)).unwrap_or(usize::MAX);
    let take = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut shown = Vec::with_capacity(found.len().min(take));
    for one in found.iter().skip(skip).take(take) {
        shown.push(json!({ "ShadowAttribute": whole(&mut sql, one, &orgs).await? }));
    }
    Ok(Value::Array(shown).into())
}

/// A proposal with the UUID of its event, by which another server knows where it belongs.
async fn whole(
    sql: &mut AnyConnection,
    one: &Proposal,
    orgs: &[others::Org],
) -> Result<Value, MispError> {
    let mut shown = form::proposal(one, orgs);
    if let Some(event) = events::get(sql, &Name::Number(one.event), i64::MAX).await? {
        shown["event_uuid"] = event.uuid.into();
        shown["event_org_id"] = event.orgc.to_string().into();
        shown["org_uuid"] = shown["Org"]["uuid"].clone();
        if one.attribute != 0 {
            shown["old_uuid"] = one.uuid.clone().into();
        }
    }
    Ok(shown)
}

async fn answered(ask: &Ask, id: i64) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let orgs = others::orgs(&mut sql).await?;
    let found = proposals::get(&mut sql, &Name::Number(id), i64::MAX).await?;
    let found = found.ok_or_else(unknown)?;
    Ok(json!({ "ShadowAttribute": whole(&mut sql, &found, &orgs).await? }).into())
}

/// `shadow_attributes/view/ID`
pub(crate) async fn view(ask: &Ask) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let found = proposals::get(&mut sql, &ask.name("proposal")?, ask.sight.most()).await?;
    let id = found.ok_or_else(unknown)?.id;
    drop(sql);
    answered(ask, id).await
}

/// A proposal out of what somebody sent; `of` is the attribute it would change.
pub(crate) fn proposal(
    writer: &Writer,
    fields: Fields,
    event: i64,
    of: Option<&Attribute>,
) -> Result<Proposal, MispError> {
    let mut fields = fields;
    if let Some(known) = of {
        for (name, value) in [
            ("type", json!(known.kind)),
            ("category", json!(known.category)),
            ("value", json!(known.value)),
            ("to_ids", json!(known.to_ids)),
        ] {
            fields.entry(name).or_insert(value);
        }
        fields.insert("uuid".into(), known.uuid.clone().into());
    }
    let deletes = truth(&fields, "proposal_to_delete").unwrap_or(false);
    let stamp = number(&fields, "timestamp").unwrap_or(writer.now_s);
    for name in
        ["old_id", "org_id", "Org", "event_org_id", "event_uuid", "email", "proposal_to_delete"]
    {
        fields.remove(name);
    }
    // What an attribute must be, a proposal must be too: it is to become one.
    let (like, _, _) = writer.attribute(fields, event, 0)?;
    Ok(Proposal {
        id: 0,
        uuid: like.uuid,
        event,
        attribute: of.map_or(0, |known| known.id),
        org: writer.org,
        kind: like.kind,
        category: like.category,
        value: like.value,
        to_ids: like.to_ids,
        deletes,
        stamp,
        closed: false,
        made_by: String::new(),
        body: like.body,
    })
}

/// Stores a proposal; one that was told before changes nothing, also when it was decided on.
pub(crate) async fn keep(
    sql: &mut AnyConnection,
    proposal: &Proposal,
) -> Result<(i64, bool), MispError> {
    if let Some(known) = proposals::twin(sql, proposal).await? {
        return Ok((known.id, false));
    }
    let count = proposals::count(sql, proposal.event).await?;
    if count >= MAX_OPEN {
        let text = format!(
            "the event has {count} open proposals, the limit is {MAX_OPEN}; accept or discard some"
        );
        return Err(MispError::bad_request(text));
    }
    Ok((proposals::insert(sql, proposal).await?, true))
}

async fn add_one(ask: &Ask, mut proposal: Proposal) -> Result<Answer, MispError> {
    proposal.made_by = ask.caller.name.clone();
    let id = write(ask, move |sql, _| {
        Box::pin(async move {
            // A person may propose again what was discarded.
            match proposals::twin(sql, &proposal).await? {
                Some(known) if !known.closed => Ok(known.id),
                Some(_) => Ok(proposals::insert(sql, &proposal).await?),
                None => Ok(keep(sql, &proposal).await?.0),
            }
        })
    })
    .await?;
    answered(ask, id).await
}

async fn writer(ask: &Ask) -> Result<Writer, MispError> {
    write(ask, |_, writer| Box::pin(async move { Ok(writer.clone()) })).await
}

/// `shadow_attributes/add/EVENT`
pub(crate) async fn add(ask: &Ask) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let event = events::get(&mut sql, &ask.name("event")?, ask.sight.most()).await?;
    let event = event.ok_or_else(|| MispError::not_found("event"))?;
    drop(sql);
    let mut fields = unwrapped(ask.fields.clone(), "ShadowAttribute");
    if fields.contains_key("Attribute") {
        fields = unwrapped(fields, "Attribute");
    }
    let like = proposal(&writer(ask).await?, fields, event.id, None)?;
    add_one(ask, like).await
}

async fn attribute_of(ask: &Ask) -> Result<Attribute, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let found = attributes::get(&mut sql, &ask.name("attribute")?, ask.sight.most()).await?;
    found.ok_or_else(|| MispError::not_found("attribute"))
}

/// `shadow_attributes/edit/ATTRIBUTE`
pub(crate) async fn edit(ask: &Ask) -> Result<Answer, MispError> {
    let known = attribute_of(ask).await?;
    let fields = unwrapped(ask.fields.clone(), "ShadowAttribute");
    let like = proposal(&writer(ask).await?, fields, known.event, Some(&known))?;
    add_one(ask, like).await
}

/// `shadow_attributes/delete/ATTRIBUTE`: proposes that it goes.
pub(crate) async fn delete(ask: &Ask) -> Result<Answer, MispError> {
    let known = attribute_of(ask).await?;
    let fields = Fields::from_iter([("proposal_to_delete".to_owned(), json!(true))]);
    let like = proposal(&writer(ask).await?, fields, known.event, Some(&known))?;
    add_one(ask, like).await?;
    Ok(done("The proposal to delete the attribute has been recorded."))
}

/// `shadow_attributes/accept/ID`
pub(crate) async fn accept(ask: &Ask) -> Result<Answer, MispError> {
    let (name, most) = (ask.name("proposal")?, ask.sight.most());
    write(ask, move |sql, writer| {
        Box::pin(async move {
            let found = proposals::get(sql, &name, most).await?.filter(|found| !found.closed);
            let found = found.ok_or_else(unknown)?;
            take(sql, writer, &found).await?;
            proposals::close(sql, found.id, writer.now_s).await?;
            touch(sql, found.event, writer.now_s).await
        })
    })
    .await?;
    Ok(done("Proposed change accepted."))
}

/// Makes of a proposal what it proposes.
async fn take(sql: &mut AnyConnection, writer: &Writer, of: &Proposal) -> Result<(), MispError> {
    let mut fields = of.body.clone();
    for (name, value) in [
        ("type", json!(of.kind)),
        ("category", json!(of.category)),
        ("value", json!(of.value)),
        ("to_ids", json!(of.to_ids)),
        ("uuid", json!(of.uuid)),
    ] {
        fields.insert(name.into(), value);
    }
    if of.attribute == 0 {
        fields.insert("timestamp".into(), writer.now_s.into());
        writer.put_attribute(sql, fields, of.event, 0).await?;
        return Ok(());
    }
    let known = attributes::get(sql, &Name::Number(of.attribute), i64::MAX).await?;
    let gone = || MispError::bad_request("the attribute is no longer there; discard the proposal");
    let known = known.ok_or_else(gone)?;
    if of.deletes {
        return known_ones::take_away(sql, known, false, writer.now_s).await;
    }
    known_ones::changed(sql, writer, &known, fields).await
}

/// `shadow_attributes/discard/ID`
pub(crate) async fn discard(ask: &Ask) -> Result<Answer, MispError> {
    let (name, most) = (ask.name("proposal")?, ask.sight.most());
    write(ask, move |sql, writer| {
        Box::pin(async move {
            let found = proposals::get(sql, &name, most).await?.filter(|found| !found.closed);
            let found = found.ok_or_else(unknown)?;
            Ok(proposals::close(sql, found.id, writer.now_s).await?)
        })
    })
    .await?;
    Ok(done("Proposal discarded."))
}

/// What another server tells of an event that both hold; `None` when it belongs to none of them.
pub(crate) async fn told(
    sql: &mut AnyConnection,
    writer: &Writer,
    fields: Fields,
    teller: &str,
) -> Result<Option<bool>, MispError> {
    let mut fields = unwrapped(fields, "ShadowAttribute");
    if truth(&fields, "deleted").unwrap_or(false) {
        // It was decided on there; here its own people decide.
        return Ok(Some(false));
    }
    let said = text(&fields, "event_uuid").and_then(|uuid| crate::fields::uuid(&uuid));
    let Some(uuid) = said else { return Ok(None) };
    let Some(event) = events::get(sql, &Name::Uuid(uuid), i64::MAX).await? else {
        return Ok(None);
    };
    let of = match number(&fields, "old_id").filter(|id| *id != 0) {
        None => None,
        // Numbers are each server's own: the attribute is known by the UUID that both share.
        Some(_) => {
            let said = text(&fields, "old_uuid").or_else(|| text(&fields, "uuid"));
            let said = said.and_then(|uuid| crate::fields::uuid(&uuid));
            let Some(uuid) = said else { return Ok(None) };
            let known = attributes::get(sql, &Name::Uuid(uuid), i64::MAX).await?;
            match known.filter(|known| known.event == event.id) {
                None => return Ok(None),
                known => known,
            }
        }
    };
    let org = match fields.get("Org").and_then(Value::as_object) {
        Some(org) => text(org, "uuid").and_then(|u| crate::fields::uuid(&u)).zip(text(org, "name")),
        None => None,
    };
    for name in ["old_uuid", "org_uuid"] {
        fields.remove(name);
    }
    let mut one = proposal(writer, fields, event.id, of.as_ref())?;
    if let Some((uuid, name)) = org {
        one.org = others::ensure_org(sql, &uuid, &name).await?;
    }
    one.made_by = teller.to_owned();
    Ok(Some(keep(sql, &one).await?.1))
}
