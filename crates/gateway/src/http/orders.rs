//! `GET /api/v1/orders`.

use axum::extract::{Query, State};
use model::{BlockTarget, Outcome, Timestamp};
use platform::http::{Json, Page, PageQuery, Problem};
use ports::edge::{Flow, Verb};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Gateway;
use crate::store::{self, OrderRow};

/// An order and what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderView {
    key: String,
    gateway: String,
    /// `block`, `allow`, `rate_limit`, `quarantine`, `redirect`, `release` or `undo`.
    verb: String,
    timeout_s: Option<u32>,
    /// The verb with all it says.
    #[schema(value_type = Object)]
    details: Verb,
    /// Only this traffic of the target.
    #[schema(value_type = Option<Object>)]
    flow: Option<Flow>,
    /// Why it was ordered.
    why: String,
    #[schema(value_type = Object)]
    target: BlockTarget,
    /// `waiting` or `done`.
    state: String,
    #[schema(value_type = Option<Object>)]
    outcome: Option<Outcome>,
    requested_by: String,
    #[schema(value_type = String)]
    requested_at: Timestamp,
    #[schema(value_type = Option<String>)]
    done_at: Option<Timestamp>,
    /// When the block ends by itself.
    #[schema(value_type = Option<String>)]
    lifts_at: Option<Timestamp>,
    /// When it ended.
    #[schema(value_type = Option<String>)]
    lifted_at: Option<Timestamp>,
    /// What the counters show of it.
    seen: Option<Seen>,
}

/// Packets of the device: a block that works lets `dropped_after` rise while `forwarded_after` stands.
#[derive(Debug, Serialize, ToSchema)]
struct Seen {
    forwarded_before: u64,
    forwarded_after: u64,
    dropped_after: u64,
}

impl From<OrderRow> for OrderView {
    fn from(row: OrderRow) -> Self {
        let timeout_s = row.order.verb.timeout_s();
        let enforced = matches!(row.outcome, Some(Outcome::Done { .. }));
        let lifts_at = match (row.done_at, timeout_s) {
            (Some(done), Some(seconds)) if enforced => Some(done.plus_secs(i64::from(seconds))),
            _ => None,
        };
        Self {
            key: row.order.key,
            gateway: row.edge,
            verb: row.order.verb.name().into(),
            timeout_s,
            details: row.order.verb,
            flow: row.order.flow,
            why: row.order.why,
            target: row.order.target,
            state: row.state,
            outcome: row.outcome,
            requested_by: row.requested_by,
            requested_at: row.requested_at,
            done_at: row.done_at,
            lifts_at,
            lifted_at: row.lifted_at,
            seen: row.seen.map(|(forwarded_before, forwarded_after, dropped_after)| Seen {
                forwarded_before,
                forwarded_after,
                dropped_after,
            }),
        }
    }
}

/// Orders to gateways, newest first.
#[utoipa::path(get, path = "/api/v1/orders", tag = "gateway", params(PageQuery),
    responses((status = 200, body = Page<OrderView>)))]
pub(crate) async fn orders(
    State(room): State<Gateway>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<OrderView>>, Problem> {
    let mut connection = room.platform.db.read().await?;
    let rows = store::orders(&mut connection, i64::from(query.limit())).await?;
    Ok(Json(Page { items: rows.into_iter().map(Into::into).collect(), next: None, total: None }))
}
