//! Tags: on their own, and on events and attributes.

use serde_json::{Value, json};
use sqlx::AnyConnection;

use super::condition::check_pattern;
use super::events::{touch, write};
use intel::from_misp::tagged;

pub(super) use super::take::checked_tag;
use super::{Answer, Ask, show, withdraw};
use crate::error::MispError;
use crate::fields::{text, truth, unwrapped};
use crate::store::attributes::{self, Attribute};
use crate::store::tags::{self, Tag};
use crate::store::{Name, events, objects};

/// A tag as it is listed.
fn whole(tag: &Tag) -> Value {
    let mut shown = show::tag(tag);
    if let Some(fields) = shown.as_object_mut() {
        for (name, usual) in [
            ("hide_tag", json!(false)),
            ("org_id", json!("0")),
            ("user_id", json!("0")),
            ("numerical_value", Value::Null),
            ("is_galaxy", json!(tag.name.starts_with(super::beside::GALAXY))),
        ] {
            fields.entry(name).or_insert(usual);
        }
    }
    shown
}

/// `tags/index`
pub(crate) async fn index(ask: &Ask) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let found = tags::find(&mut sql, "%", ask.sight.most()).await?;
    Ok(json!({ "Tag": found.iter().map(whole).collect::<Vec<_>>() }).into())
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
    let shown: Vec<Value> = found.iter().map(|tag| json!({ "Tag": whole(tag) })).collect();
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
    Ok(whole(&found(ask).await?).into())
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
    Ok(json!({ "Tag": whole(&tag) }).into())
}

/// `tags/edit/ID`
pub(crate) async fn edit(ask: &Ask) -> Result<Answer, MispError> {
    let known = found(ask).await?;
    let mut fields = unwrapped(ask.fields.clone(), "Tag");
    let name = match text(&fields, "name") {
        Some(name) => checked_tag(&name)?,
        None => known.name.clone(),
    };
    if name != known.name || fields.contains_key("exportable") {
        refuse_tlp(&known.name)?;
    }
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
    Ok(json!({ "Tag": whole(&tag) }).into())
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

/// What a tag is put on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Any,
    Event,
    Attribute,
}

impl Kind {
    pub(super) fn named(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "event" => Some(Self::Event),
            "attribute" => Some(Self::Attribute),
            _ => None,
        }
    }
}

/// The thing that is tagged: its kind, its number and that of its event.
async fn target(
    sql: &mut AnyConnection,
    (name, wanted): &(Name, Kind),
    most: i64,
) -> Result<(Kind, i64, i64), MispError> {
    if *wanted != Kind::Attribute
        && let Some(event) = events::get(sql, name, most).await?
    {
        return Ok((Kind::Event, event.id, event.id));
    }
    let found = match wanted {
        Kind::Event => None,
        Kind::Any | Kind::Attribute => attributes::get(sql, name, most).await?,
    };
    let attribute = found.ok_or_else(|| MispError::not_found("target"))?;
    Ok((Kind::Attribute, attribute.id, attribute.event))
}

/// Puts a tag on a thing or takes it off: what it is and its number.
pub(super) async fn put(
    ask: &Ask,
    thing: (Name, Kind),
    name: String,
    local: bool,
    on: bool,
) -> Result<(Kind, i64), MispError> {
    let name = checked_tag(&name)?;
    let most = ask.sight.most();
    write(ask, move |sql, writer| {
        Box::pin(async move {
            let (kind, id, event) = target(sql, &thing, most).await?;
            let table = if kind == Kind::Event { "event" } else { "attribute" };
            let mut quiet = local;
            if on {
                let tag = tags::ensure(sql, &name, &crate::fields::Fields::new()).await?;
                tags::attach(sql, table, id, tag, local).await?;
            } else {
                let tag =
                    tags::get(sql, &name).await?.ok_or_else(|| MispError::not_found("tag"))?;
                let was = tags::of(sql, table, id).await?;
                quiet = was.iter().any(|known| known.id == tag.id && known.local);
                if !tags::detach(sql, table, id, tag.id).await? {
                    return Err(MispError::not_found("tag"));
                }
                if name.starts_with(super::beside::GALAXY) {
                    forget_cluster(sql, (kind, id), &name).await?;
                }
            }
            if kind == Kind::Attribute {
                mark(sql, id, &name, on, if quiet { 0 } else { writer.now_s }).await?;
            }
            // A local tag is this node's own word: no other server learns of a change. It may be a label all the same.
            touch(sql, event, if quiet { 0 } else { writer.now_s }).await?;
            Ok((kind, id))
        })
    })
    .await
}

/// The time of an attribute tells that it says something else now; what it became is protected at once.
async fn mark(
    sql: &mut AnyConnection,
    id: i64,
    name: &str,
    on: bool,
    now_s: i64,
) -> Result<(), MispError> {
    let known = attributes::get(sql, &Name::Number(id), i64::MAX).await?;
    let mut attribute = known.ok_or_else(|| MispError::not_found("target"))?;
    attribute.stamp = now_s.max(attribute.stamp);
    attributes::update(sql, &attribute).await?;
    if let Some(tlp) = tagged([name].into_iter()).filter(|_| on) {
        raise(sql, &attribute, intel::rank(tlp)).await?;
    }
    Ok(())
}

/// A cluster that came within its event stands in the body too: it goes with its tag.
async fn forget_cluster(
    sql: &mut AnyConnection,
    (kind, id): (Kind, i64),
    name: &str,
) -> Result<(), MispError> {
    let strike = |body: &mut crate::fields::Fields| {
        for galaxy in body.get_mut("Galaxy").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(Value::Array(list)) = galaxy.get_mut("GalaxyCluster") {
                list.retain(|cluster| {
                    !cluster["tag_name"].as_str().is_some_and(|tag| tag.eq_ignore_ascii_case(name))
                });
            }
        }
    };
    let name = Name::Number(id);
    if kind == Kind::Event {
        if let Some(mut event) = events::get(sql, &name, i64::MAX).await? {
            strike(&mut event.body);
            events::update(sql, &event).await?;
        }
    } else if let Some(mut attribute) = attributes::get(sql, &name, i64::MAX).await? {
        strike(&mut attribute.body);
        attributes::update(sql, &attribute).await?;
    }
    Ok(())
}

async fn change(ask: &Ask, on: bool) -> Result<Answer, MispError> {
    let thing = text(&ask.fields, "uuid").and_then(|text| Name::parse(&text));
    let thing = thing.ok_or_else(|| MispError::not_found("target"))?;
    let said = checked_tag(&text(&ask.fields, "tag").unwrap_or_default())?;
    let local = truth(&ask.fields, "local").unwrap_or(false);
    let (kind, id) = put(ask, (thing, Kind::Any), said.clone(), local, on).await?;
    let how = if local { "Local" } else { "Global" };
    let text = if on {
        format!("{how} tag {said} successfully attached to {kind:?}({id}).")
    } else {
        format!("Tag {said} successfully removed from {kind:?}({id}).")
    };
    Ok(json!({ "saved": true, "success": true, "name": text, "message": text, "url": "/tags" })
        .into())
}
