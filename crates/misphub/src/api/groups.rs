//! Sharing groups and their members.

use serde_json::{Value, json};

use super::events::write;
use super::take::Writer;
use super::{Answer, Ask, show};
use crate::error::MispError;
use crate::fields::{Fields, text, truth, unwrapped};
use crate::store::Name;
use crate::store::others::{self, Group, Org};

/// Members, or servers, of one sharing group.
const MAX_MEMBERS: usize = 10_000;

fn shown(group: &Group) -> Value {
    let mut body = group.body.clone();
    let mut own = body.get("SharingGroup").and_then(Value::as_object).cloned().unwrap_or_default();
    own.insert("id".into(), group.id.to_string().into());
    own.insert("uuid".into(), group.uuid.clone().into());
    own.insert("name".into(), group.name.clone().into());
    for (name, usual) in [
        ("description", json!("")),
        ("releasability", json!("")),
        ("active", json!(true)),
        ("local", json!(true)),
    ] {
        own.entry(name).or_insert(usual);
    }
    body.insert("SharingGroup".into(), Value::Object(own));
    for name in ["SharingGroupOrg", "SharingGroupServer"] {
        body.entry(name).or_insert_with(|| Value::Array(vec![]));
    }
    Value::Object(body)
}

/// Members are told to those only who may see everything: administrators and analysts of this organisation.
fn may_see_groups(ask: &Ask) -> bool {
    ask.sight == intel::Sight::ALL
}

/// `sharing_groups/index`
pub(crate) async fn sharing_groups(ask: &Ask) -> Result<Answer, MispError> {
    if !may_see_groups(ask) {
        return Ok(json!({ "response": [] }).into());
    }
    let mut sql = ask.room.platform().db.read().await?;
    let groups = others::groups(&mut sql).await?;
    Ok(json!({ "response": groups.iter().map(shown).collect::<Vec<_>>() }).into())
}

async fn group(ask: &Ask) -> Result<Group, MispError> {
    named(ask, &ask.name("sharing group")?).await
}

async fn named(ask: &Ask, wanted: &Name) -> Result<Group, MispError> {
    let unknown = || MispError::not_found("sharing group");
    if !may_see_groups(ask) {
        return Err(unknown());
    }
    let mut sql = ask.room.platform().db.read().await?;
    let fits = |group: &Group| match wanted {
        Name::Number(id) => group.id == *id,
        Name::Uuid(uuid) => group.uuid == *uuid,
    };
    others::groups(&mut sql).await?.into_iter().find(fits).ok_or_else(unknown)
}

/// `sharing_groups/view/ID`
pub(crate) async fn sharing_group(ask: &Ask) -> Result<Answer, MispError> {
    Ok(shown(&group(ask).await?).into())
}

/// `sharing_groups/add` and `sharing_groups/edit/ID`: what is given replaces what was, the rest stays.
pub(crate) async fn put_sharing_group(ask: &Ask) -> Result<Answer, MispError> {
    let known = if ask.parts.is_empty() { None } else { Some(group(ask).await?.id) };
    let said = unwrapped(ask.fields.clone(), "SharingGroup");
    let group = write(ask, move |sql, writer| {
        Box::pin(async move {
            let known = match known {
                Some(id) => others::groups(sql).await?.into_iter().find(|group| group.id == id),
                None => None,
            };
            let mut group = extended(writer, known.as_ref(), said)?;
            if known.is_none() && others::has_group(sql, &group.uuid).await? {
                let text = "a sharing group with this UUID exists; edit it";
                return Err(MispError::field("uuid", text));
            }
            let id = others::put_group(sql, &group).await?;
            let taken = || MispError::field("name", "another sharing group has this name");
            group.id = id.ok_or_else(taken)?;
            Ok(group)
        })
    })
    .await?;
    Ok(shown(&group).into())
}

fn extended(writer: &Writer, known: Option<&Group>, mut said: Fields) -> Result<Group, MispError> {
    let mut body = known.map(|group| group.body.clone()).unwrap_or_default();
    for name in ["SharingGroupOrg", "SharingGroupServer"] {
        if let Some(list) = said.remove(name) {
            body.insert(name.into(), list);
        }
    }
    let name = text(&said, "name").or_else(|| known.map(|group| group.name.clone()));
    let name = name.filter(|name| !name.trim().is_empty());
    let name = name.ok_or_else(|| MispError::field("name", "a sharing group needs a name"))?;
    let uuid = match known {
        Some(group) => group.uuid.clone(),
        None => writer.uuid_of(&said)?,
    };
    for name in ["id", "uuid", "name"] {
        said.remove(name);
    }
    let own = body.entry("SharingGroup").or_insert_with(|| json!({}));
    match own {
        Value::Object(own) => own.extend(said),
        other => *other = Value::Object(said),
    }
    Ok(Group { id: known.map_or(0, |group| group.id), uuid, name, body })
}

/// `sharing_groups/delete/ID`
pub(crate) async fn delete_sharing_group(ask: &Ask) -> Result<Answer, MispError> {
    let name = Name::Number(group(ask).await?.id);
    write(ask, move |sql, _| Box::pin(async move { Ok(others::delete_group(sql, &name).await?) }))
        .await?;
    let text = "SharingGroup deleted";
    Ok(json!({ "saved": true, "success": true, "name": text, "message": text, "url": "/sharing_groups/delete" }).into())
}

/// Takes the list of members (or servers) of a group through a change.
async fn members(
    ask: &Ask,
    list: &'static str,
    change: impl FnOnce(&mut Vec<Value>) -> Result<(), MispError> + Send + 'static,
) -> Result<(), MispError> {
    let said = text(&ask.fields, "sg_id").and_then(|said| Name::parse(&said));
    let wanted = said.ok_or_else(|| MispError::not_found("sharing group"))?;
    let id = named(ask, &wanted).await?.id;
    write(ask, move |sql, _| {
        Box::pin(async move {
            let group = others::groups(sql).await?.into_iter().find(|group| group.id == id);
            let mut group = group.ok_or_else(|| MispError::not_found("sharing group"))?;
            let mut known = group.body.get(list).and_then(Value::as_array).cloned();
            let known = known.get_or_insert_default();
            change(known)?;
            if known.len() > MAX_MEMBERS {
                let text = format!("a sharing group has at most {MAX_MEMBERS} members");
                return Err(MispError::field(list, text));
            }
            group.body.insert(list.into(), Value::Array(known.clone()));
            others::put_group(sql, &group).await?;
            Ok(())
        })
    })
    .await
}

fn done(text: &str) -> Answer {
    json!({ "saved": true, "success": true, "name": text, "message": text, "url": "/sharing_groups" }).into()
}

/// The organisation that is named by number, UUID or name; one that is not known here is told by its UUID.
async fn organisation(ask: &Ask) -> Result<Org, MispError> {
    if !may_see_groups(ask) {
        return Err(MispError::not_found("sharing group"));
    }
    let said = text(&ask.fields, "org_id").unwrap_or_default();
    let mut sql = ask.room.platform().db.read().await?;
    let fits = |org: &Org| {
        org.id.to_string() == said || org.uuid.eq_ignore_ascii_case(&said) || org.name == said
    };
    let found = others::orgs(&mut sql).await?.into_iter().find(fits);
    found.ok_or_else(|| MispError::not_found("organisation"))
}

fn is_org(member: &Value, org: &Org) -> bool {
    member["org_id"].as_str() == Some(&org.id.to_string())
        || member["Organisation"]["uuid"].as_str() == Some(&org.uuid)
}

/// `sharing_groups/addOrg`
pub(crate) async fn add_org(ask: &Ask) -> Result<Answer, MispError> {
    let extend = truth(&ask.fields, "extend").unwrap_or(false);
    let org = organisation(ask).await?;
    members(ask, "SharingGroupOrg", move |list| {
        list.retain(|member| !is_org(member, &org));
        list.push(json!({ "org_id": org.id.to_string(), "extend": extend, "Organisation": show::org(&org) }));
        Ok(())
    })
    .await?;
    Ok(done("Organisation added to the sharing group."))
}

/// `sharing_groups/removeOrg`
pub(crate) async fn remove_org(ask: &Ask) -> Result<Answer, MispError> {
    let org = organisation(ask).await?;
    members(ask, "SharingGroupOrg", move |list| {
        let before = list.len();
        list.retain(|member| !is_org(member, &org));
        if list.len() < before { Ok(()) } else { Err(MispError::not_found("organisation")) }
    })
    .await?;
    Ok(done("Organisation removed from the sharing group."))
}

fn server(ask: &Ask) -> Result<String, MispError> {
    let said = text(&ask.fields, "server_id").filter(|said| (1..=2_000).contains(&said.len()));
    said.ok_or_else(|| MispError::field("server_id", "the number or address of a server"))
}

/// `sharing_groups/addServer`: noted as it is told; Sereno's own communities decide what goes where.
pub(crate) async fn add_server(ask: &Ask) -> Result<Answer, MispError> {
    let all_orgs = truth(&ask.fields, "all_orgs").unwrap_or(false);
    let id = server(ask)?;
    members(ask, "SharingGroupServer", move |list| {
        list.retain(|one| one["server_id"].as_str() != Some(&id));
        list.push(json!({ "server_id": id, "all_orgs": all_orgs }));
        Ok(())
    })
    .await?;
    Ok(done("Server added to the sharing group."))
}

/// `sharing_groups/removeServer`
pub(crate) async fn remove_server(ask: &Ask) -> Result<Answer, MispError> {
    let id = server(ask)?;
    members(ask, "SharingGroupServer", move |list| {
        let before = list.len();
        list.retain(|one| one["server_id"].as_str() != Some(&id));
        if list.len() < before { Ok(()) } else { Err(MispError::not_found("server")) }
    })
    .await?;
    Ok(done("Server removed from the sharing group."))
}
