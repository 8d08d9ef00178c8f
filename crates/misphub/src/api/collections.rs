//! Collections of tags. Only writers see them: their names may stand on events that others do not see.

use serde_json::{Value, json};

use super::events::write;
use super::tags::{self, Kind};
use super::{Answer, Ask};
use crate::error::MispError;
use crate::fields::{text, texts, unwrapped};
use crate::store::Name;
use crate::store::collections::{self, Collection};

/// Collections of a node.
const MAX_COLLECTIONS: usize = 1_000;
/// Tags of one collection.
const MAX_TAGS: usize = 200;

fn unknown() -> MispError {
    MispError::not_found("tag collection")
}

fn done(text: &str) -> Answer {
    json!({ "saved": true, "success": true, "name": text, "message": text, "url": "/tag_collections" }).into()
}

fn shown(one: &Collection) -> Value {
    let mut head = one.body.clone();
    let names = head.remove("tags").and_then(|list| list.as_array().cloned()).unwrap_or_default();
    head.insert("id".into(), one.id.to_string().into());
    head.insert("uuid".into(), one.uuid.clone().into());
    head.insert("name".into(), one.name.clone().into());
    let tags: Vec<Value> = names.iter().map(|name| json!({ "Tag": { "name": name } })).collect();
    json!({ "TagCollection": head, "TagCollectionTag": tags })
}

fn names(one: &Collection) -> Vec<String> {
    texts(&one.body, "tags")
}

/// `tag_collections/index`
pub(crate) async fn index(ask: &Ask) -> Result<Answer, MispError> {
    if ask.sight != intel::Sight::ALL {
        return Ok(json!([]).into());
    }
    let mut sql = ask.room.platform().db.read().await?;
    let found = collections::all(&mut sql).await?;
    Ok(Value::Array(found.iter().map(shown).collect()).into())
}

async fn found(ask: &Ask) -> Result<Collection, MispError> {
    if ask.sight != intel::Sight::ALL {
        return Err(unknown());
    }
    let mut sql = ask.room.platform().db.read().await?;
    collections::get(&mut sql, &ask.name("tag collection")?).await?.ok_or_else(unknown)
}

/// `tag_collections/view/ID`
pub(crate) async fn view(ask: &Ask) -> Result<Answer, MispError> {
    Ok(shown(&found(ask).await?).into())
}

fn named(said: Option<String>) -> Result<String, MispError> {
    let sound = |name: &String| (1..=255).contains(&name.trim().chars().count());
    said.filter(sound).ok_or_else(|| MispError::field("name", "a name of 1 to 255 characters"))
}

/// `tag_collections/add`
pub(crate) async fn add(ask: &Ask) -> Result<Answer, MispError> {
    let mut fields = unwrapped(ask.fields.clone(), "TagCollection");
    let name = named(text(&fields, "name"))?;
    let mut list = texts(&fields, "tags");
    for name in &mut list {
        *name = tags::checked_tag(name)?;
    }
    check_count(list.len())?;
    fields.insert("tags".into(), json!(list));
    let added = write(ask, move |sql, writer| {
        Box::pin(async move {
            if collections::all(sql).await?.len() >= MAX_COLLECTIONS {
                let text =
                    format!("there are {MAX_COLLECTIONS} collections, the limit; delete some");
                return Err(MispError::bad_request(text));
            }
            let uuid = writer.uuid_of(&fields)?;
            for name in ["id", "uuid", "name"] {
                fields.remove(name);
            }
            let mut one = Collection { id: 0, uuid, name, body: fields };
            let taken = || MispError::field("uuid", "a collection with this UUID exists");
            one.id = collections::insert(sql, &one).await?.ok_or_else(taken)?;
            Ok(one)
        })
    })
    .await?;
    Ok(shown(&added).into())
}

fn check_count(count: usize) -> Result<(), MispError> {
    if count <= MAX_TAGS {
        return Ok(());
    }
    let text = format!("{count} tags, the limit of a collection is {MAX_TAGS}");
    Err(MispError::field("tags", text))
}

async fn change(
    ask: &Ask,
    change: impl FnOnce(&mut Collection) -> Result<(), MispError> + Send + 'static,
) -> Result<Collection, MispError> {
    let name = Name::Number(found(ask).await?.id);
    write(ask, move |sql, _| {
        Box::pin(async move {
            let mut one = collections::get(sql, &name).await?.ok_or_else(unknown)?;
            change(&mut one)?;
            check_count(names(&one).len())?;
            collections::update(sql, &one).await?;
            Ok(one)
        })
    })
    .await
}

/// `tag_collections/edit/ID`
pub(crate) async fn edit(ask: &Ask) -> Result<Answer, MispError> {
    let mut fields = unwrapped(ask.fields.clone(), "TagCollection");
    let changed = change(ask, move |one| {
        if fields.contains_key("name") {
            one.name = named(text(&fields, "name"))?;
        }
        for name in ["id", "uuid", "name"] {
            fields.remove(name);
        }
        if fields.contains_key("tags") {
            let list: Result<Vec<String>, MispError> =
                texts(&fields, "tags").iter().map(|name| tags::checked_tag(name)).collect();
            fields.insert("tags".into(), json!(list?));
        }
        one.body.extend(fields);
        Ok(())
    });
    Ok(shown(&changed.await?).into())
}

/// `tag_collections/delete/ID`
pub(crate) async fn delete(ask: &Ask) -> Result<Answer, MispError> {
    let id = found(ask).await?.id;
    write(ask, move |sql, _| Box::pin(async move { Ok(collections::delete(sql, id).await?) }))
        .await?;
    Ok(done("Tag collection deleted."))
}

async fn tag_name(ask: &Ask, said: &str) -> Result<String, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let known = crate::store::tags::get(&mut sql, said).await?;
    known.map_or_else(|| tags::checked_tag(said), |tag| Ok(tag.name))
}

/// `tag_collections/addTag/ID/TAG`
pub(crate) async fn add_tag(ask: &Ask) -> Result<Answer, MispError> {
    let said = ask.parts.get(1).cloned().unwrap_or_default();
    let name = tag_name(ask, &said).await?;
    change(ask, move |one| {
        let mut list = names(one);
        if !list.contains(&name) {
            list.push(name);
        }
        one.body.insert("tags".into(), json!(list));
        Ok(())
    })
    .await?;
    Ok(done("Tag added to collection."))
}

/// `tag_collections/removeTag/ID/TAG`
pub(crate) async fn remove_tag(ask: &Ask) -> Result<Answer, MispError> {
    let said = ask.parts.get(1).cloned().unwrap_or_default();
    let name = tag_name(ask, &said).await?;
    change(ask, move |one| {
        let mut list = names(one);
        let before = list.len();
        list.retain(|known| *known != name);
        if list.len() == before {
            return Err(MispError::not_found("tag"));
        }
        one.body.insert("tags".into(), json!(list));
        Ok(())
    })
    .await?;
    Ok(done("Tag removed from collection."))
}

/// `events/addTag/ID/TAG`, `attributes/addTag/ID/TAG`: by number or name, or `collection_N` for all of a collection.
pub(crate) async fn tag_event(ask: &Ask) -> Result<Answer, MispError> {
    on_thing(ask, Kind::Event, true).await
}

pub(crate) async fn untag_event(ask: &Ask) -> Result<Answer, MispError> {
    on_thing(ask, Kind::Event, false).await
}

pub(crate) async fn tag_attribute(ask: &Ask) -> Result<Answer, MispError> {
    on_thing(ask, Kind::Attribute, true).await
}

pub(crate) async fn untag_attribute(ask: &Ask) -> Result<Answer, MispError> {
    on_thing(ask, Kind::Attribute, false).await
}

async fn on_thing(ask: &Ask, kind: Kind, on: bool) -> Result<Answer, MispError> {
    let thing = ask.name("target")?;
    let said = ask.parts.get(1).cloned().or_else(|| text(&ask.fields, "tag")).unwrap_or_default();
    let local = crate::fields::truth(&ask.fields, "local").unwrap_or(false);
    let list = match said.strip_prefix("collection_").and_then(Name::parse) {
        Some(collection) if ask.sight == intel::Sight::ALL => {
            let mut sql = ask.room.platform().db.read().await?;
            names(&collections::get(&mut sql, &collection).await?.ok_or_else(unknown)?)
        }
        Some(_) => return Err(unknown()),
        None => vec![tag_name(ask, &said).await?],
    };
    for name in list {
        tags::put(ask, (thing.clone(), kind), name, local, on).await?;
    }
    Ok(done(if on { "Tag(s) added." } else { "Tag removed." }))
}
