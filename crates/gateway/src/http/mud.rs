//! `POST /api/v1/gateways/{name}/allow/{device}/mud`.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use platform::http::{Caller, Json, Problem};
use ports::edge::Net;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::allow::{check, device_name};
use crate::Gateway;
use crate::error::GatewayError;
use crate::mud::{self, Meanings, Mud};
use crate::policy::{Change, ListChange};
use crate::store::{AllowRow, ListRow};

/// Names and networks that may be given with a file.
const MAX_MEANINGS: usize = 256;

/// A file, and what its names stand for here.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MudImport {
    /// The MUD file (RFC 8520).
    #[schema(value_type = Object)]
    mud: Value,
    /// Networks of the house (`local-networks`); also where names and time may be asked for.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    local: Vec<Net>,
    /// The device's own controllers (`my-controller`).
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    controllers: Vec<Net>,
    /// Addresses by host name, controller or maker.
    #[serde(default)]
    #[schema(value_type = Object)]
    names: BTreeMap<String, Vec<Net>>,
    /// Enforce the list at once.
    #[serde(default)]
    freeze: bool,
    /// Only show what would be taken over.
    #[serde(default)]
    preview: bool,
}

/// Takes over what a maker says its device needs. What cannot be carried over is listed, never guessed.
#[utoipa::path(post, path = "/api/v1/gateways/{name}/allow/{device}/mud", tag = "gateway",
    params(("name" = String, Path, description = "The gateway"), ("device" = String, Path, description = "The device's MAC or internet address")),
    request_body = MudImport,
    responses((status = 200, body = Mud), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn import(
    State(room): State<Gateway>,
    caller: Caller,
    Path((name, device)): Path<(String, String)>,
    Json(body): Json<MudImport>,
) -> Result<Json<Mud>, Problem> {
    let device = device_name(&device)?;
    let given = body.local.len()
        + body.controllers.len()
        + body.names.values().map(|nets| nets.len() + 1).sum::<usize>();
    if given > MAX_MEANINGS {
        return Err(GatewayError::Invalid(format!(
            "at most {MAX_MEANINGS} names and networks may be given"
        ))
        .into());
    }
    let meanings = Meanings { local: body.local, controllers: body.controllers, names: body.names };
    let text = serde_json::to_vec(&body.mud).map_err(Problem::internal)?;
    let mud = mud::read(&text, &meanings).map_err(GatewayError::Invalid)?;
    check(&mud.entries)?;
    if body.preview {
        return Ok(Json(mud));
    }
    let now = room.platform.now();
    let row = |entry| AllowRow {
        device: device.clone(),
        entry,
        source: "mud".into(),
        packets: 0,
        first_seen: now,
        last_seen: now,
    };
    let add = mud.entries.iter().copied().map(row).collect();
    let state = if body.freeze { "frozen" } else { "off" };
    let list = ListRow { device: device.clone(), state: state.into(), learn_until: None };
    let list = ListChange { list, add, remove: vec![], anew: false };
    room.change_policy(&name, Change { list: Some(list), ..Change::default() }, &caller.name)
        .await?;
    Ok(Json(mud))
}
