//! `POST /api/v1/webhooks`: a new webhook, with its secret, which is shown this once.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use intel::Sight;
use platform::http::{Caller, Gate, Json as Body, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::WebhookView;
use crate::error::WebhookError;
use crate::room::Webhooks;
use crate::store::NewHook;

/// What the webhook shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookRequest {
    /// Name; the host of the address when absent.
    name: Option<String>,
    /// Who is called: https, a public address.
    url: String,
    /// What is told: `object.new`, `object.updated`, `object.revoked`, `sighting`, `lookup.hit`, `feed.failed`,
    /// `feed.works`, `share.moved`, `incident.opened`, `rule.changed`.
    events: Vec<String>,
    /// Which objects are told.
    #[serde(default)]
    filter: WebhookFilter,
}

/// Which objects are told.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WebhookFilter {
    /// STIX types; all when empty.
    #[serde(default)]
    types: Vec<String>,
    /// Labels of which an object must carry one; any when empty.
    #[serde(default)]
    labels: Vec<String>,
    /// The highest label that is told; `green` when absent.
    tlp: Option<String>,
}

/// A webhook that was made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookMade {
    /// The webhook.
    pub(super) webhook: WebhookView,
    /// What signs its messages; it cannot be shown again.
    pub(super) secret: String,
}

/// Adds a webhook; it is told what becomes known from now on.
#[utoipa::path(post, path = "/api/v1/webhooks", tag = "webhooks", request_body = WebhookRequest, responses(
    (status = 201, description = "The webhook and its secret", body = WebhookMade),
    (status = 409, description = "The name is taken, or there are too many", body = Problem),
    (status = 422, description = "It cannot be", body = Problem)))]
pub(crate) async fn add(
    State(room): State<Webhooks>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Body(request): Body<WebhookRequest>,
) -> Result<(StatusCode, Json<WebhookMade>), Problem> {
    let label = request.filter.tlp.as_deref().unwrap_or("green");
    let tlp = stix::Tlp::from_label(label).ok_or_else(|| {
        WebhookError::Invalid("tlp is none of clear, green, amber, amber+strict, red".into())
    })?;
    let rank = intel::rank(tlp);
    if !Sight::of(&gate, &caller).sees(rank) {
        let text =
            format!("what is {} you may not read, so no webhook of yours tells it", tlp.label());
        return Err(WebhookError::Invalid(text).into());
    }
    let url = crate::send::address(&request.url, room.config().allow_private)
        .map_err(WebhookError::Invalid)?;
    let new = NewHook {
        name: request.name.unwrap_or_else(|| url.host_str().unwrap_or_default().to_owned()),
        url: request.url,
        events: request.events,
        types: request.filter.types,
        labels: request.filter.labels,
        tlp: rank,
        salt: String::new(),
        by: caller.name,
        cursor: 0,
    };
    let (hook, secret) = room.add(new).await?;
    let webhook = WebhookView::of(&room, hook).await?;
    Ok((StatusCode::CREATED, Json(WebhookMade { webhook, secret })))
}
