//! `PUT /api/v1/gateways/{name}/policy` and its history.

use std::net::IpAddr;

use axum::extract::{Path, State};
use model::Timestamp;
use platform::http::{Caller, Json, Page, Problem};
use ports::edge::{FailMode, Mode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Gateway;
use crate::error::GatewayError;
use crate::policy::{Change, fail_name, mode_name};
use crate::store::{self, PolicyRow};

/// Changes shown at most; the newest.
const MAX_CHANGES: i64 = 500;

/// What a gateway does between orders.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyView {
    /// Grows with every change; 0: nobody has set one.
    version: u64,
    /// `watch`, `dry_run` or `enforce`.
    mode: String,
    /// What holds when its process is gone: `open` or `closed`.
    fail: String,
    /// Addresses that no order may cut off.
    #[schema(value_type = Vec<String>)]
    protect: Vec<IpAddr>,
    /// The version that the gateway said holds.
    taken: Option<u64>,
    /// Why the newest could not be put into effect.
    problem: Option<String>,
}

impl From<PolicyRow> for PolicyView {
    fn from(row: PolicyRow) -> Self {
        Self {
            version: row.version,
            mode: mode_name(row.mode).into(),
            fail: fail_name(row.fail).into(),
            protect: row.protect,
            taken: row.taken,
            problem: row.problem,
        }
    }
}

/// What is to be different; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPolicy {
    /// `watch`, `dry_run` or `enforce`.
    #[schema(value_type = Option<String>)]
    mode: Option<Mode>,
    /// `open` or `closed`.
    #[schema(value_type = Option<String>)]
    fail: Option<FailMode>,
    /// Addresses that no order may cut off.
    #[schema(value_type = Option<Vec<String>>)]
    protect: Option<Vec<IpAddr>>,
}

/// Sets mode, fail mode or protected addresses of a gateway. It keeps them over restarts; `taken` says when they hold.
#[utoipa::path(put, path = "/api/v1/gateways/{name}/policy", tag = "gateway",
    params(("name" = String, Path, description = "The gateway")), request_body = NewPolicy,
    responses((status = 200, body = PolicyView), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn set(
    State(room): State<Gateway>,
    caller: Caller,
    Path(name): Path<String>,
    Json(body): Json<NewPolicy>,
) -> Result<Json<PolicyView>, Problem> {
    let change = Change { mode: body.mode, fail: body.fail, protect: body.protect, list: None };
    if change.mode.is_none() && change.fail.is_none() && change.protect.is_none() {
        return Err(GatewayError::Invalid("name 'mode', 'fail' or 'protect'".into()).into());
    }
    let row = room.change_policy(&name, change, &caller.name).await?;
    Ok(Json(row.into()))
}

/// One change of a policy.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyChange {
    version: u64,
    set_by: String,
    #[schema(value_type = String)]
    set_at: Timestamp,
    /// What changed, in words.
    change: String,
}

/// Changes of a gateway's policy and allow lists, newest first.
#[utoipa::path(get, path = "/api/v1/gateways/{name}/policy/history", tag = "gateway",
    params(("name" = String, Path, description = "The gateway")),
    responses((status = 200, body = Page<PolicyChange>), (status = 404, body = Problem)))]
pub(crate) async fn history(
    State(room): State<Gateway>,
    Path(name): Path<String>,
) -> Result<Json<Page<PolicyChange>>, Problem> {
    let mut connection = room.platform.db.read().await?;
    if store::find_edge(&mut connection, &name).await?.is_none() {
        return Err(GatewayError::NotFound(name).into());
    }
    let rows = store::history(&mut connection, &name, MAX_CHANGES).await?;
    let views = rows.into_iter().map(|row| PolicyChange {
        version: row.version,
        set_by: row.set_by,
        set_at: row.set_at,
        change: row.change,
    });
    Ok(Json(Page::whole(views.collect())))
}
