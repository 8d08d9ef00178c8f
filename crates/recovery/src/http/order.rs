//! `GET /api/v1/recovery/orders/{key}`.

use axum::extract::{Path, State};
use model::Timestamp;
use platform::http::{Json, Problem};
use ports::checkpoint::RecoveryReport;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Recovery;
use crate::error::RecoveryError;
use crate::store::OrderRow;

/// An order to an agent and what became of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RecoveryOrder)]
pub(crate) struct OrderView {
    key: String,
    agent: String,
    service: String,
    /// `take`, `restore_before`, `restart`.
    verb: String,
    incident: Option<String>,
    requested_by: String,
    /// `waiting`, `working`, `done`, `failed`.
    state: String,
    /// One sentence on how it stands.
    detail: String,
    /// Lost work, downtime, chance of an infected checkpoint, and what they were computed from.
    #[schema(value_type = Option<Object>)]
    report: Option<RecoveryReport>,
    /// What is offered instead, when it failed.
    offers: Vec<String>,
    #[schema(value_type = String, format = DateTime)]
    asked_at: Timestamp,
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
}

impl From<OrderRow> for OrderView {
    fn from(row: OrderRow) -> Self {
        Self {
            verb: row.order.verb().to_owned(),
            key: row.key,
            agent: row.agent,
            service: row.service,
            incident: row.incident,
            requested_by: row.actor,
            state: row.state,
            detail: row.detail,
            report: row.report,
            offers: row.offers,
            asked_at: row.asked_at,
            ended_at: row.ended_at,
        }
    }
}

/// One order.
#[utoipa::path(get, path = "/api/v1/recovery/orders/{key}", tag = "recovery",
    params(("key" = String, Path, description = "The order's key")),
    responses((status = 200, body = OrderView), (status = 404, body = Problem)))]
pub(crate) async fn order(
    State(room): State<Recovery>,
    Path(key): Path<String>,
) -> Result<Json<OrderView>, Problem> {
    let row = room.order(&key).await?;
    let shown: String = key.chars().take(64).collect();
    let row = row.ok_or_else(|| RecoveryError::NotFound(format!("order {shown}")))?;
    Ok(Json(row.into()))
}
