//! `POST /api/v1/pushes`: a new push.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use platform::http::{Caller, Gate, Json as Body, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Asker;
use super::push_view::PushView;
use crate::error::FeedError;
use crate::room::Feedhub;
use crate::secret::Auth;
use crate::store::pushes::{NewPush, Origin};

/// What the push shall be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PushRequest {
    /// Name.
    name: String,
    /// A collection of a TAXII 2.1 server, or a MISP server.
    url: String,
    /// How the server wants to know who asks.
    #[serde(default)]
    auth: Auth,
    /// Password, token or key. It is never shown again.
    #[schema(write_only)]
    secret: Option<String>,
    /// What goes out.
    origin: Origin,
    /// The organisation that it goes to, by name or id: what goes is judged for it. Absent: one of kind other without a
    /// name, to which little may go.
    #[serde(rename = "for")]
    organisation: Option<String>,
    /// The highest label that leaves; `green` when absent.
    highest: Option<String>,
    /// How often; 60 when absent.
    every_minutes: Option<i64>,
}

/// A label that its author may read himself.
pub(crate) fn highest(asker: &Asker, text: &str) -> Result<stix::Tlp, FeedError> {
    stix::Tlp::from_label(text).filter(|label| asker.sees_label(*label)).ok_or_else(|| {
        FeedError::Invalid(
            "highest is none of the labels that you may read (clear, green, amber, amber+strict, red)"
                .into(),
        )
    })
}

/// Adds a push; it goes out at once. Nobody sends what lies beyond his own sight.
#[utoipa::path(post, path = "/api/v1/pushes", tag = "feeds", request_body = PushRequest, responses(
    (status = 201, description = "The push", body = PushView),
    (status = 409, description = "The name is taken", body = Problem),
    (status = 422, description = "It cannot be", body = Problem)))]
pub(crate) async fn add(
    State(room): State<Feedhub>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Body(request): Body<PushRequest>,
) -> Result<(StatusCode, Json<PushView>), Problem> {
    let asker = Asker::new(&gate, &caller);
    let highest = highest(&asker, request.highest.as_deref().unwrap_or("green"))?;
    let recipient = room.recipient(request.organisation.as_deref()).await?;
    let new = NewPush {
        name: request.name,
        url: request.url,
        auth: request.auth,
        origin: request.origin,
        highest,
        recipient,
        every_minutes: request.every_minutes.unwrap_or(60),
    };
    let push = room.add_push(new, request.secret.as_deref()).await?;
    Ok((StatusCode::CREATED, Json(asker.push_view(&room, push).await?)))
}
