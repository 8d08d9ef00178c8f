//! What a client asks first: version, who am I, types, organisations.

use serde_json::{Value, json};

use super::events::write;
use super::{Answer, Ask, show};
use crate::error::MispError;
use crate::fields::text;
use crate::store::others::{self, Org};
use crate::types;

/// The version of MISP whose interface this follows.
const MISP_VERSION: &str = "2.5.0";
/// The version of PyMISP it was tried with.
const PYMISP_VERSION: &str = "2.5.0";

/// `servers/getVersion`
pub(crate) async fn version(ask: &Ask) -> Result<Answer, MispError> {
    let _ = ask;
    Ok(json!({ "version": MISP_VERSION, "pymisp_recommended_version": PYMISP_VERSION,
        "perm_sync": true, "perm_sighting": true, "perm_galaxy_editor": true, "request_encoding": [],
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
    let own = own(ask).await?;
    let role = ask.caller.roles.first().cloned().unwrap_or_default();
    let writes = ["administrator", "analyst"].contains(&role.as_str());
    let org = show::org(&own);
    Ok(json!({
        "User": { "id": "1", "org_id": own.id.to_string(), "email": ask.caller.name, "role_id": "1", "autoalert": false,
            "disabled": false, "invited_by": "0" },
        "Role": { "id": "1", "name": role, "perm_add": writes, "perm_modify": writes, "perm_modify_org": writes,
            "perm_publish": writes, "perm_sync": writes, "perm_tagger": writes, "perm_sighting": writes,
            "perm_auth": true, "perm_admin": false, "perm_site_admin": false },
        "UserSetting": {},
        "Organisation": org,
    })
    .into())
}

/// This node's own organisation; the first write of all makes its row.
async fn own(ask: &Ask) -> Result<Org, MispError> {
    let id = write(ask, |_, writer| Box::pin(async move { Ok(writer.org) })).await?;
    let name = ask.room.platform().node.name.clone();
    Ok(Org { id, uuid: ask.room.own_uuid(), name })
}

async fn in_sight(ask: &Ask) -> Result<Vec<Org>, MispError> {
    let own = own(ask).await?;
    let mut sql = ask.room.platform().db.read().await?;
    Ok(others::orgs_in_sight(&mut sql, &own.uuid, ask.sight.most()).await?)
}

/// `organisations/index`; `searchall` narrows it.
pub(crate) async fn organisations(ask: &Ask) -> Result<Answer, MispError> {
    let words = text(&ask.fields, "searchall").unwrap_or_default().to_lowercase();
    let orgs = in_sight(ask).await?;
    let fits = |org: &&Org| org.name.to_lowercase().contains(&words) || org.uuid == words;
    let shown: Vec<Value> =
        orgs.iter().filter(fits).map(|org| json!({ "Organisation": show::org(org) })).collect();
    Ok(Value::Array(shown).into())
}

/// `organisations/view/ID`: also by UUID and by name.
pub(crate) async fn organisation(ask: &Ask) -> Result<Answer, MispError> {
    let said = ask.parts.first().cloned().unwrap_or_default();
    let fits = |org: &Org| {
        org.id.to_string() == said || org.uuid.eq_ignore_ascii_case(&said) || org.name == said
    };
    let found = in_sight(ask).await?.into_iter().find(fits);
    let found = found.ok_or_else(|| MispError::not_found("organisation"))?;
    Ok(json!({ "Organisation": show::org(&found) }).into())
}
