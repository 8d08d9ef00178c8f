//! `GET /api/v1/gateways/{name}/allow` and `PUT /api/v1/gateways/{name}/allow/{device}`.

use axum::extract::{Path, State};
use model::Timestamp;
use platform::http::{Caller, Json, Page, Problem};
use ports::edge::AllowEntry;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Gateway;
use crate::error::GatewayError;
use crate::learn::MAX_LEARN_S;
use crate::policy::{Change, ListChange, MAX_ENTRIES};
use crate::store::{self, AllowRow, ListRow};

/// Longest name of a device, bytes.
const MAX_DEVICE_BYTES: usize = 64;

/// With whom a device may speak.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AllowListView {
    /// MAC address; at a router the internet address.
    device: String,
    /// `learning`, `frozen` (enforced) or `off`.
    state: String,
    /// When it stops learning.
    #[schema(value_type = Option<String>)]
    learn_until: Option<Timestamp>,
    entries: Vec<AllowEntryView>,
    /// Packets that the list stopped, since the gateway's table was made.
    violations: u64,
}

/// What may pass.
#[derive(Debug, Serialize, ToSchema)]
struct AllowEntryView {
    #[serde(flatten)]
    #[schema(value_type = Object)]
    entry: AllowEntry,
    /// `learned`, `mud` or `hand`.
    source: String,
    packets: u64,
    #[schema(value_type = String)]
    first_seen: Timestamp,
    #[schema(value_type = String)]
    last_seen: Timestamp,
}

/// Allow lists of a gateway's devices, with what they stopped.
#[utoipa::path(get, path = "/api/v1/gateways/{name}/allow", tag = "gateway",
    params(("name" = String, Path, description = "The gateway")),
    responses((status = 200, body = Page<AllowListView>), (status = 404, body = Problem)))]
pub(crate) async fn lists(
    State(room): State<Gateway>,
    Path(name): Path<String>,
) -> Result<Json<Page<AllowListView>>, Problem> {
    let mut connection = room.platform.db.read().await?;
    if store::find_edge(&mut connection, &name).await?.is_none() {
        return Err(GatewayError::NotFound(name).into());
    }
    let lists = store::allow_lists(&mut connection, &name).await?;
    let entries = store::allow_entries(&mut connection, &name).await?;
    let counters = room.registry.look(&name, |entry| entry.counters.clone()).unwrap_or_default();
    let view = |list: ListRow| {
        let line = counters.iter().find(|line| line.mac == list.device);
        let stopped = line.and_then(|line| line.reasons.get(&ports::edge::Reason::AllowList));
        let of_list = entries.iter().filter(|row| row.device == list.device).cloned();
        AllowListView {
            violations: stopped.map_or(0, |count| count.packets),
            entries: of_list.map(entry_view).collect(),
            state: list.state,
            learn_until: list.learn_until,
            device: list.device,
        }
    };
    Ok(Json(Page::whole(lists.into_iter().map(view).collect())))
}

fn entry_view(row: AllowRow) -> AllowEntryView {
    let AllowRow { entry, source, packets, first_seen, last_seen, .. } = row;
    AllowEntryView { entry, source, packets, first_seen, last_seen }
}

/// What of a list is to be different.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAllowList {
    /// `learning` takes up what the device does, `frozen` is enforced, `off` is only kept.
    state: String,
    /// `learning`: seconds from now, up to 90 days; without end when absent.
    learn_s: Option<u32>,
    /// Entries to add: `peer` (network), `protocol` (IP protocol number), `port` (of the peer), `local_port`.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    add: Vec<AllowEntry>,
    /// Entries to take out.
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    remove: Vec<AllowEntry>,
    /// Take all entries out first.
    #[serde(default)]
    anew: bool,
}

/// A device as lists name it.
pub(crate) fn device_name(device: &str) -> Result<String, GatewayError> {
    let device = device.to_ascii_lowercase();
    let lawful = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.');
    if device.is_empty() || device.len() > MAX_DEVICE_BYTES || !device.chars().all(lawful) {
        return Err(GatewayError::Invalid(
            "a device is named by its MAC or internet address".into(),
        ));
    }
    Ok(device)
}

/// Refuses what no gateway can take.
pub(crate) fn check(entries: &[AllowEntry]) -> Result<(), GatewayError> {
    if entries.len() > MAX_ENTRIES {
        return Err(GatewayError::Invalid(format!("an allow list takes {MAX_ENTRIES} entries")));
    }
    for entry in entries {
        let ports = usize::from(entry.port.is_some()) + usize::from(entry.local_port.is_some());
        if ports == 2 || ports == 1 && entry.protocol.is_none() {
            let text = "an entry with a port needs a protocol, and names the port of one end";
            return Err(GatewayError::Invalid(text.into()));
        }
    }
    Ok(())
}

/// Makes an allow list, lets it learn, edits it, freezes it (from then on it is enforced), or puts it aside.
#[utoipa::path(put, path = "/api/v1/gateways/{name}/allow/{device}", tag = "gateway",
    params(("name" = String, Path, description = "The gateway"), ("device" = String, Path, description = "The device's MAC or internet address")),
    request_body = NewAllowList,
    responses((status = 200, body = super::policy::PolicyView), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn set(
    State(room): State<Gateway>,
    caller: Caller,
    Path((name, device)): Path<(String, String)>,
    Json(body): Json<NewAllowList>,
) -> Result<Json<super::policy::PolicyView>, Problem> {
    let device = device_name(&device)?;
    check(&body.add)?;
    if !["learning", "frozen", "off"].contains(&body.state.as_str()) {
        let text = format!("state '{}': use learning, frozen or off", body.state);
        return Err(GatewayError::Invalid(text).into());
    }
    if body.learn_s.is_some_and(|seconds| !(1..=MAX_LEARN_S).contains(&seconds)) {
        return Err(
            GatewayError::Invalid(format!("'learn_s' lies between 1 and {MAX_LEARN_S}")).into()
        );
    }
    let now = room.platform.now();
    let row = |entry| AllowRow {
        device: device.clone(),
        entry,
        source: "hand".into(),
        packets: 0,
        first_seen: now,
        last_seen: now,
    };
    let list = ListRow {
        device: device.clone(),
        state: body.state,
        learn_until: body.learn_s.map(|seconds| now.plus_secs(i64::from(seconds))),
    };
    let add = body.add.into_iter().map(row).collect();
    let list = ListChange { list, add, remove: body.remove, anew: body.anew };
    let policy = room
        .change_policy(&name, Change { list: Some(list), ..Change::default() }, &caller.name)
        .await?;
    Ok(Json(policy.into()))
}
