//! Tags: on their own, and on events and attributes.

use serde_json::{Value, json};
use sqlx::AnyConnection;

use super::condition::check_pattern;
use super::events::{touch, write};
use intel::from_misp::tagged;

use super::take::checked_tag;
use super::{Answer, Ask, show, withdraw};
use crate::error::MispError;
use crate::fields::{text, truth, unwrapped};
use crate::store::attributes::{self, Attribute};
use crate::store::tags::{self, Tag};
use crate::store::{Name, events, objects};

/// `tags/index`
pub(crate) async fn index(ask: &Ask) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let found = tags::find(&mut sql, "%", ask.sight.most()).await?;
    Ok(json!({ "Tag": found.iter().map(show::tag).collect::<Vec<_>>() }).into())
}

/// `tags/search`
pub(crate) async fn search(ask: &Ask) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let wanted =
        text(&ask.fields, "tagname").or_else(|| ask.parts.first().cloned()).unwrap_or_default();
    let found = if truth(&ask.fields, "strict_tagname").unwrap_or(false) {
        let found = tags::get(&mut sql, &wanted).await?.filter(|tag| tag.name == wanted);
        visible(ask, &mut sql, found).await?.into_iter().collect()
    } else {
        let like = if wanted.contains('%') { wanted } else { format!("%{wanted}%") };
        check_pattern("tagname", &like)?;
        tags::find(&mut sql, &like, ask.sight.most()).await?
    };
    let shown: Vec<Value> = found.iter().map(|tag| json!({ "Tag": show::tag(tag) })).collect();
    Ok(Value::Array(shown).into())
}

/// The tag, unless it is only on events beyond the caller's sight.
async fn visible(
    ask: &Ask,
    sql: &mut AnyConnection,
    tag: Option<Tag>,
) -> Result<Option<Tag>, MispError> {
    let Some(tag) = tag else { return Ok(None) };
    let seen = tags::is_visible(sql, tag.id, ask.sight.most()).await?;
    Ok(Some(tag).filter(|_| seen))
}

async fn found(ask: &Ask) -> Result<Tag, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let name = ask.parts.first().cloned().unwrap_or_default();
    let tag = tags::get(&mut sql, &name).await?;
    visible(ask, &mut sql, tag).await?.ok_or_else(|| MispError::not_found("tag"))
}

/// The TLP's own tags decide who may see what: they are put on things and taken off, never changed themselves.
fn refuse_tlp(name: &str) -> Result<(), MispError> {
    if !name.to_ascii_lowercase().starts_with("tlp:") {
        return Ok(());
    }
    let text = format!("{name} decides who sees events: take it off them instead of changing it");
    Err(MispError::field("name", text))
}

/// `tags/view/ID`
pub(crate) async fn view(ask: &Ask) -> Result<Answer, MispError> {
    Ok(show::tag(&found(ask).await?).into())
}

/// `tags/add`
pub(crate) async fn add(ask: &Ask) -> Result<Answer, MispError> {
    let mut fields = unwrapped(ask.fields.clone(), "Tag");
    let name = checked_tag(&text(&fields, "name").unwrap_or_default())?;
    for field in ["id", "name", "local"] {
        fields.remove(field);
    }
    let wanted = name.clone();
    write(ask, move |sql, _| {
        Box::pin(async move { Ok(tags::ensure(sql, &wanted, &fields).await?) })
    })
    .await?;
    let mut sql = ask.room.platform().db.read().await?;
    let tag = tags::get(&mut sql, &name).await?.ok_or_else(|| MispError::not_found("tag"))?;
    Ok(json!({ "Tag": show::tag(&tag) }).into())
}

/// `tags/edit/ID`
pub(crate) async fn edit(ask: &Ask) -> Result<Answer, MispError> {
    let known = found(ask).await?;
    refuse_tlp(&known.name)?;
    let mut fields = unwrapped(ask.fields.clone(), "Tag");
    let name = match text(&fields, "name") {
        Some(name) => checked_tag(&name)?,
        None => known.name.clone(),
    };
    for field in ["id", "name", "local"] {
        fields.remove(field);
    }
    let tag = write(ask, move |sql, writer| {
        Box::pin(async move {
            let now = tags::get(sql, &known.name).await?.filter(|now| now.id == known.id);
            let mut tag = now.ok_or_else(|| MispError::not_found("tag"))?;
            let other = tags::get(sql, &name).await?;
            if other.is_some_and(|other| other.name == name && other.id != tag.id) {
                return Err(MispError::field("name", "another tag has this name"));
            }
            tag.name = name;
            tag.body.extend(fields);
            tags::update(sql, tag.id, &tag.name, &tag.body).await?;
            let carriers = tags::carriers(sql, tag.id).await?;
            tags::touch_attributes(sql, tag.id, writer.now_s).await?;
            touch_all(sql, carriers, writer.now_s).await?;
            Ok(tag)
        })
    })
    .await?;
    Ok(json!({ "Tag": show::tag(&tag) }).into())
}

/// A tag may be a label: events that carry it, or did, are newer and labelled anew.
async fn touch_all(sql: &mut AnyConnection, list: Vec<i64>, now_s: i64) -> Result<(), MispError> {
    for event in list {
        touch(sql, event, now_s).await?;
    }
    Ok(())
}

/// `tags/delete/ID`
pub(crate) async fn delete(ask: &Ask) -> Result<Answer, MispError> {
    let known = found(ask).await?;
    refuse_tlp(&known.name)?;
    let id = known.id;
    write(ask, move |sql, writer| {
        Box::pin(async move {
            let carriers = tags::carriers(sql, id).await?;
            tags::touch_attributes(sql, id, writer.now_s).await?;
            tags::delete(sql, id).await?;
            touch_all(sql, carriers, writer.now_s).await
        })
    })
    .await?;
    let text = "Tag deleted.";
    Ok(json!({ "saved": true, "success": true, "name": text, "message": text, "url": "/tags/delete" }).into())
}

/// `tags/attachTagToObject`
pub(crate) async fn attach(ask: &Ask) -> Result<Answer, MispError> {
    change(ask, true).await
}

/// `tags/removeTagFromObject`
pub(crate) async fn detach(ask: &Ask) -> Result<Answer, MispError> {
    change(ask, false).await
}

/// What a published attribute became is protected at once, not only when its event is published again.
async fn raise(sql: &mut AnyConnection, of: &Attribute, tlp: i64) -> Result<(), MispError> {
    withdraw::raise_part(sql, of.event, &of.uuid, tlp).await?;
    if of.object != 0
        && let Some(object) = objects::get(sql, &Name::Number(of.object), i64::MAX).await?
    {
        withdraw::raise_part(sql, of.event, &object.uuid, tlp).await?;
    }
    Ok(())
}

async fn change(ask: &Ask, on: bool) -> Result<Answer, MispError> {
    let thing = text(&ask.fields, "uuid").and_then(|text| Name::parse(&text));
    let thing = thing.ok_or_else(|| MispError::not_found("target"))?;
    let name = checked_tag(&text(&ask.fields, "tag").unwrap_or_default())?;
    let local = truth(&ask.fields, "local").unwrap_or(false);
    let (most, said) = (ask.sight.most(), name.clone());
    let kind = write(ask, move |sql, writer| {
        Box::pin(async move {
            let event = events::get(sql, &thing, most).await?;
            let (kind, id, of) = match event {
                Some(event) => ("Event", event.id, event.id),
                None => {
                    let attribute = attributes::get(sql, &thing, most).await?;
                    let mut attribute = attribute.ok_or_else(|| MispError::not_found("target"))?;
                    // Its time tells that it says something else now.
                    attribute.stamp = writer.now_s.max(attribute.stamp);
                    attributes::update(sql, &attribute).await?;
                    if let Some(tlp) = tagged([name.as_str()].into_iter()).filter(|_| on) {
                        raise(sql, &attribute, intel::rank(tlp)).await?;
                    }
                    ("Attribute", attribute.id, attribute.event)
                }
            };
            let table = kind.to_ascii_lowercase();
            if on {
                let tag = tags::ensure(sql, &name, &crate::fields::Fields::new()).await?;
                tags::attach(sql, &table, id, tag, local).await?;
            } else {
                let tag =
                    tags::get(sql, &name).await?.ok_or_else(|| MispError::not_found("tag"))?;
                if !tags::detach(sql, &table, id, tag.id).await? {
                    return Err(MispError::not_found("tag"));
                }
            }
            touch(sql, of, writer.now_s).await?;
            Ok(kind)
        })
    })
    .await?;
    let text = if on {
        format!("Global tag {said} successfully attached to {kind}.")
    } else {
        format!("Tag {said} successfully removed from {kind}.")
    };
    Ok(json!({ "saved": true, "success": true, "name": text, "message": text, "url": "/tags" })
        .into())
}
