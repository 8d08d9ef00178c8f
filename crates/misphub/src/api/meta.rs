//! What a client asks first: version, who am I, types; organisations and sharing groups.

use serde_json::{Value, json};

use super::events::write;
use super::take::Writer;
use super::{Answer, Ask, show};
use crate::error::MispError;
use crate::fields::{Fields, text, unwrapped};
use crate::store::Name;
use crate::store::others::{self, Group};
use crate::types;

/// The version of MISP whose interface this follows.
const MISP_VERSION: &str = "2.5.0";
/// The version of PyMISP it was tried with.
const PYMISP_VERSION: &str = "2.5.0";

/// `servers/getVersion`
pub(crate) async fn version(ask: &Ask) -> Result<Answer, MispError> {
    let _ = ask;
    Ok(json!({ "version": MISP_VERSION, "pymisp_recommended_version": PYMISP_VERSION,
        "perm_sync": true, "perm_sighting": true, "perm_galaxy_editor": false, "request_encoding": [],
        "filter_sightings": true })
    .into())
}

/// `servers/getPyMISPVersion`
pub(crate) async fn client_version(ask: &Ask) -> Result<Answer, MispError> {
    let _ = ask;
    Ok(json!({ "version": PYMISP_VERSION }).into())
}

/// `attributes/describeTypes`
pub(crate) async fn describe_types(ask: &Ask) -> Result<Answer, MispError> {
    let _ = ask;
    Ok(Answer::Text("application/json", types::DESCRIPTION.to_owned()))
}

/// `users/view/me`: only the caller itself.
pub(crate) async fn user(ask: &Ask) -> Result<Answer, MispError> {
    if ask.parts.first().map(String::as_str) != Some("me") {
        return Err(MispError::not_found("user"));
    }
    let node = &ask.room.platform().node;
    let role = ask.caller.roles.first().cloned().unwrap_or_default();
    let writes = ["administrator", "analyst"].contains(&role.as_str());
    let org = json!({ "id": "1", "name": node.name, "uuid": node.id.to_string(), "local": true });
    Ok(json!({
        "User": { "id": "1", "org_id": "1", "email": ask.caller.name, "role_id": "1", "autoalert": false,
            "disabled": false, "invited_by": "0" },
        "Role": { "id": "1", "name": role, "perm_add": writes, "perm_modify": writes, "perm_modify_org": writes,
            "perm_publish": writes, "perm_sync": writes, "perm_tagger": writes, "perm_sighting": writes,
            "perm_auth": true, "perm_admin": false, "perm_site_admin": false },
        "UserSetting": {},
        "Organisation": org,
    })
    .into())
}

/// `organisations/index`
pub(crate) async fn organisations(ask: &Ask) -> Result<Answer, MispError> {
    let mut sql = ask.room.platform().db.read().await?;
    let own = ask.room.own_uuid();
    let orgs = others::orgs_in_sight(&mut sql, &own, ask.sight.most()).await?;
    let shown: Vec<Value> =
        orgs.iter().map(|org| json!({ "Organisation": show::org(org) })).collect();
    Ok(Value::Array(shown).into())
}

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
    let unknown = || MispError::not_found("sharing group");
    if !may_see_groups(ask) {
        return Err(unknown());
    }
    let wanted = ask.name("sharing group")?;
    let mut sql = ask.room.platform().db.read().await?;
    let fits = |group: &Group| match &wanted {
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
