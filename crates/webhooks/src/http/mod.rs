//! Endpoints under `/api/v1/webhooks`, one a file. Only those who may write them see them: addresses hold keys.

mod add;
mod change;
mod dead;
mod list;
mod rotate;

use intel::Sight;
use model::Timestamp;
use platform::http::{Caller, Gate, Permission, RoomRouter};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::error::WebhookError;
use crate::room::Webhooks;
use crate::store::Hook;

const LIST: Permission = Permission("webhooks.list");
const WRITE: Permission = Permission("webhooks.write");

pub(crate) fn routes() -> RoomRouter<Webhooks> {
    RoomRouter::default()
        .route(LIST, routes!(list::list))
        .route(WRITE, routes!(add::add))
        .route(WRITE, routes!(change::change))
        .route(WRITE, routes!(change::remove))
        .route(WRITE, routes!(change::test))
        .route(WRITE, routes!(rotate::rotate))
        .route(LIST, routes!(dead::dead))
        .route(WRITE, routes!(dead::resend))
}

/// A webhook as it is shown; its secret is not.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WebhookView {
    /// UUID.
    id: String,
    /// Name.
    name: String,
    /// Who is called.
    url: String,
    /// What is told.
    events: Vec<String>,
    /// STIX types that are told; all when empty.
    types: Vec<String>,
    /// Labels of which an object must carry one; any when empty.
    labels: Vec<String>,
    /// The highest label that is told.
    tlp: String,
    /// `fine`, `failing` or `paused`.
    state: &'static str,
    /// Why it is paused.
    paused_because: Option<String>,
    /// Failed tries in a row.
    failures: i64,
    /// Messages that were taken.
    delivered: i64,
    /// Messages that wait.
    waiting: i64,
    /// Messages that were given up.
    dead: i64,
    /// Facts for which there was no room.
    dropped: i64,
    /// When a message was taken last.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_ok: Option<Timestamp>,
    /// Why the last try failed.
    last_error: Option<String>,
    /// Until when the secret before the last change signs too; absent when only one signs.
    #[schema(value_type = Option<String>, format = DateTime)]
    both_until: Option<Timestamp>,
    /// Who made it.
    created_by: String,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl WebhookView {
    async fn of(room: &Webhooks, hook: Hook) -> Result<Self, WebhookError> {
        let mut sql = room.platform().db.read().await?;
        let (waiting, dead) = crate::store::counts(&mut sql, &hook.id).await?;
        let state = match (&hook.paused, hook.failures) {
            (Some(_), _) => "paused",
            (None, 1..) => "failing",
            _ => "fine",
        };
        Ok(Self {
            id: hook.id,
            name: hook.new.name,
            url: hook.new.url,
            events: hook.new.events,
            types: hook.new.types,
            labels: hook.new.labels,
            tlp: intel::label(hook.new.tlp).label().to_owned(),
            state,
            paused_because: hook.paused,
            failures: hook.failures,
            delivered: hook.delivered,
            waiting,
            dead,
            dropped: hook.dropped,
            last_ok: hook.last_ok_us.map(Timestamp::from_micros),
            last_error: hook.last_error,
            both_until: (hook.before_until_us > room.platform().now().as_micros())
                .then(|| Timestamp::from_micros(hook.before_until_us)),
            created_by: hook.new.by,
            created_at: Timestamp::from_micros(hook.recorded_us),
        })
    }
}

/// A hook by id or name, if all that it tells is in the caller's sight; else it does not exist.
async fn seen(
    room: &Webhooks,
    gate: &Gate,
    caller: &Caller,
    name: &str,
) -> Result<Hook, WebhookError> {
    let hook = room.hook(name).await;
    match hook {
        Ok(hook) if !Sight::of(gate, caller).sees(hook.new.tlp) => {
            let clip: String = name.chars().take(120).collect();
            Err(WebhookError::NotFound(format!("webhook '{clip}'")))
        }
        other => other,
    }
}
