//! `POST /api/v1/gateways/{name}/orders`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::{BlockTarget, EventId};
use platform::http::{Caller, Json, Problem};
use ports::edge::{Order, Verb};
use serde::Deserialize;
use utoipa::ToSchema;

use super::orders::OrderView;
use crate::error::GatewayError;
use crate::{Gateway, store};

/// An order by hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrder {
    /// `block` or `release`.
    verb: String,
    /// The device's MAC address, lower case with colons.
    mac: Option<String>,
    /// Its network addresses.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    addresses: Vec<std::net::IpAddr>,
    /// Seconds of a block; one hour when absent.
    timeout_s: Option<u32>,
}

/// Orders a gateway to block or release a device; the answer follows as a fact.
#[utoipa::path(post, path = "/api/v1/gateways/{name}/orders", tag = "gateway",
    params(("name" = String, Path, description = "The gateway")), request_body = NewOrder,
    responses((status = 202, body = OrderView), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn order(
    State(room): State<Gateway>,
    caller: Caller,
    Path(name): Path<String>,
    Json(body): Json<NewOrder>,
) -> Result<(StatusCode, Json<OrderView>), Problem> {
    let verb = match body.verb.as_str() {
        "block" => Verb::Block { timeout_s: body.timeout_s.unwrap_or(3_600) },
        "release" => Verb::Release,
        other => {
            return Err(
                GatewayError::Invalid(format!("verb '{other}': use block or release")).into()
            );
        }
    };
    let mut connection = room.platform.db.read().await?;
    if store::find_edge(&mut connection, &name).await?.is_none() {
        return Err(GatewayError::NotFound(name).into());
    }
    drop(connection);
    let order = Order {
        key: format!("hand/{}", room.platform.mint::<EventId>()),
        verb,
        target: BlockTarget {
            mac: body.mac.map(|mac| mac.to_ascii_lowercase()),
            addresses: body.addresses,
        },
    };
    let row = room.place(&name, order, &caller.name).await?;
    Ok((StatusCode::ACCEPTED, Json(row.into())))
}
