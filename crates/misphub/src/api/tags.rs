//! Tags: on their own, and on events and attributes.

use serde_json::{Value, json};

use super::events::{touch, write};
use super::take::checked_tag;
use super::{Answer, Ask, show};
use crate::error::MispError;
use crate::fields::{text, truth, unwrapped};
use crate::store::tags::{self, Tag};
use crate::store::{Name, attributes, events};

/// `tags/index`
pub(crate) async fn index(ask: &Ask) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let found = tags::find(&mut sql, "%").await?;
    Ok(json!({ "Tag": found.iter().map(show::tag).collect::<Vec<_>>() }).into())
}

/// `tags/search`
pub(crate) async fn search(ask: &Ask) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let wanted =
        text(&ask.fields, "tagname").or_else(|| ask.parts.first().cloned()).unwrap_or_default();
    let found = if truth(&ask.fields, "strict_tagname").unwrap_or(false) {
        tags::get(&mut sql, &wanted).await?.into_iter().filter(|tag| tag.name == wanted).collect()
    } else {
        let like = if wanted.contains('%') { wanted } else { format!("%{wanted}%") };
        tags::find(&mut sql, &like).await?
    };
    let shown: Vec<Value> = found.iter().map(|tag| json!({ "Tag": show::tag(tag) })).collect();
    Ok(Value::Array(shown).into())
}

async fn found(ask: &Ask) -> Result<Tag, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let name = ask.parts.first().cloned().unwrap_or_default();
    tags::get(&mut sql, &name).await?.ok_or_else(|| MispError::not_found("tag"))
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
    let mut fields = unwrapped(ask.fields.clone(), "Tag");
    let name = match text(&fields, "name") {
        Some(name) => checked_tag(&name)?,
        None => known.name.clone(),
    };
    for field in ["id", "name", "local"] {
        fields.remove(field);
    }
    let mut body = known.body.clone();
    body.extend(fields);
    let (id, own) = (known.id, name.clone());
    let taken = {
        let mut sql = ask.room.platform().db.read().await?;
        tags::get(&mut sql, &name).await?.is_some_and(|other| other.name == name && other.id != id)
    };
    if taken {
        return Err(MispError::field("name", "another tag has this name"));
    }
    let stored = body.clone();
    write(ask, move |sql, _| {
        Box::pin(async move { Ok(tags::update(sql, id, &own, &stored).await?) })
    })
    .await?;
    Ok(json!({ "Tag": show::tag(&Tag { id, name, body, local: false }) }).into())
}

/// `tags/delete/ID`
pub(crate) async fn delete(ask: &Ask) -> Result<Answer, MispError> {
    let id = found(ask).await?.id;
    write(ask, move |sql, _| Box::pin(async move { Ok(tags::delete(sql, id).await?) })).await?;
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
                    let attribute = attribute.ok_or_else(|| MispError::not_found("target"))?;
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
