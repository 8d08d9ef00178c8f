//! `POST /api/v1/gateways/{name}/orders`.

use std::net::IpAddr;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::{BlockTarget, EventId};
use platform::http::{Caller, Json, Problem};
use ports::edge::{Flow, Net, Order, Verb};
use serde::Deserialize;
use utoipa::ToSchema;

use super::orders::OrderView;
use crate::error::GatewayError;
use crate::{Gateway, store};

/// Seconds of an order when it does not say.
const DEFAULT_S: u32 = 3_600;

/// An order by hand.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewOrder {
    /// `block`, `allow`, `rate_limit`, `quarantine`, `redirect`, `suspect`, `release` or `undo`.
    verb: String,
    /// The device's MAC address, lower case with colons.
    mac: Option<String>,
    /// Its network addresses.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    addresses: Vec<IpAddr>,
    /// Seconds until it ends by itself; one hour when absent.
    timeout_s: Option<u32>,
    /// Only this traffic of the device: `remote` and `local` (networks), `protocol` (IP protocol number),
    /// `remote_port`, `local_port`, `direction` (`out`, `in`).
    #[schema(value_type = Option<Object>)]
    flow: Option<Flow>,
    /// Why, for those who find it in force.
    #[serde(default)]
    why: String,
    /// `rate_limit`: packets a second.
    packets_s: Option<u32>,
    /// `rate_limit`: bytes a second.
    bytes_s: Option<u32>,
    /// `quarantine`: networks it may still speak to. `redirect`: the one address it is sent to.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    to: Vec<Net>,
    /// `redirect`: another port.
    port: Option<u16>,
    /// `redirect`: the MAC address of the new far end, when it stands on the link of a bridge.
    to_mac: Option<String>,
    /// `undo`: key of the order whose effect is to end.
    order: Option<String>,
}

impl NewOrder {
    fn verb(&self) -> Result<Verb, GatewayError> {
        let timeout_s = self.timeout_s.unwrap_or(DEFAULT_S);
        let invalid = |text: &str| GatewayError::Invalid(text.to_owned());
        Ok(match self.verb.as_str() {
            "block" => Verb::Block { timeout_s },
            "allow" => Verb::Allow { timeout_s },
            "suspect" => Verb::Suspect { timeout_s },
            "release" => Verb::Release,
            "rate_limit" if self.packets_s.or(self.bytes_s).is_none() => {
                return Err(invalid("rate_limit needs 'packets_s' or 'bytes_s'"));
            }
            "rate_limit" => {
                Verb::RateLimit { timeout_s, packets_s: self.packets_s, bytes_s: self.bytes_s }
            }
            "quarantine" => Verb::Quarantine { timeout_s, to: self.to.clone() },
            "redirect" => match self.to.as_slice() {
                [net] if *net == Net::one(net.address()) => Verb::Redirect {
                    timeout_s,
                    to: net.address(),
                    port: self.port,
                    mac: self.to_mac.as_ref().map(|mac| mac.to_ascii_lowercase()),
                },
                _ => return Err(invalid("redirect needs one address in 'to'")),
            },
            "undo" => {
                let order = self.order.clone().filter(|order| !order.is_empty());
                Verb::Undo {
                    order: order
                        .ok_or_else(|| invalid("undo needs 'order': the key of the order"))?,
                }
            }
            other => {
                return Err(invalid(&format!(
                    "verb '{other}': use block, allow, rate_limit, quarantine, redirect, suspect, release or undo"
                )));
            }
        })
    }
}

/// Orders a gateway to stop, slow down, confine or redirect a device, or to end that; the answer follows as a fact.
#[utoipa::path(post, path = "/api/v1/gateways/{name}/orders", tag = "gateway",
    params(("name" = String, Path, description = "The gateway")), request_body = NewOrder,
    responses((status = 202, body = OrderView), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn order(
    State(room): State<Gateway>,
    caller: Caller,
    Path(name): Path<String>,
    Json(body): Json<NewOrder>,
) -> Result<(StatusCode, Json<OrderView>), Problem> {
    let verb = body.verb()?;
    let mut connection = room.platform.db.read().await?;
    if store::find_edge(&mut connection, &name).await?.is_none() {
        return Err(GatewayError::NotFound(name).into());
    }
    drop(connection);
    let why = if body.why.is_empty() { format!("by hand: {}", caller.name) } else { body.why };
    let order = Order {
        key: format!("hand/{}", room.platform.mint::<EventId>()),
        verb,
        target: BlockTarget {
            mac: body.mac.map(|mac| mac.to_ascii_lowercase()),
            addresses: body.addresses,
        },
        flow: body.flow,
        why,
    };
    let row = room.place(&name, order, &caller.name).await?;
    Ok((StatusCode::ACCEPTED, Json(row.into())))
}
