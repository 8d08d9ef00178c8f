//! A push as it is shown, and who may see it.

use model::Timestamp;
use platform::http::Problem;
use serde::Serialize;
use utoipa::ToSchema;

use super::Asker;
use crate::error::FeedError;
use crate::fetch;
use crate::room::Feedhub;
use crate::secret::Auth;
use crate::store::pushes::{self, Origin, Push};

/// A push.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PushView {
    /// UUID.
    id: String,
    /// Name.
    name: String,
    /// The other side. Without its query for those who may not write feeds.
    url: String,
    /// How the other side is told who asks; the secret is never shown.
    auth: Auth,
    /// What goes out.
    origin: Origin,
    /// The highest label that leaves.
    highest: String,
    /// What the organisation is called that it goes to; absent: one of kind other without a name.
    #[serde(rename = "for")]
    organisation: Option<String>,
    /// How often.
    every_minutes: i64,
    /// `never`, `fine`, `failing` or `paused`.
    state: &'static str,
    /// Why the last try did not do.
    last_error: Option<String>,
    /// Last tried.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_try: Option<Timestamp>,
    /// Last done to its end.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_ok: Option<Timestamp>,
    /// When it is its turn next.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_at: Option<Timestamp>,
    /// Acknowledged by the other side so far.
    sent: i64,
    /// Passed over because their label is too high, the sharing policies keep them back, or the other side said them.
    withheld: i64,
    /// Handed over, the other side is not done.
    pending: i64,
    /// Refused by the other side.
    failed: i64,
}

impl Asker {
    /// A push by id or name, if its highest label is in sight.
    pub(crate) async fn push(&self, room: &Feedhub, name: &str) -> Result<Push, FeedError> {
        match room.push(name).await {
            Ok(push) if !self.sees_push(&push) => {
                let clip: String = name.chars().take(120).collect();
                Err(FeedError::NotFound(format!("push '{clip}'")))
            }
            other => other,
        }
    }

    pub(crate) fn sees_push(&self, push: &Push) -> bool {
        self.sees_label(push.new.highest)
    }

    /// A push as it is shown to this one.
    pub(crate) async fn push_view(&self, room: &Feedhub, push: Push) -> Result<PushView, Problem> {
        let organisation = room.called(push.new.recipient).await;
        let mut sql = room.platform().db.read().await?;
        let (pending, failed) = pushes::unsent_counts(&mut sql, &push.id).await?;
        let state = match (&push.last_error, push.last_try_us) {
            _ if push.paused => "paused",
            (Some(_), _) => "failing",
            (None, None) => "never",
            (None, Some(_)) => "fine",
        };
        let url = match fetch::address(&push.new.url) {
            Ok(url) if !self.writes() => fetch::shown(&url),
            _ => push.new.url,
        };
        Ok(PushView {
            id: push.id,
            name: push.new.name,
            url,
            auth: push.new.auth,
            origin: push.new.origin,
            highest: push.new.highest.label().to_owned(),
            organisation,
            every_minutes: push.new.every_minutes,
            state,
            last_error: push.last_error,
            last_try: push.last_try_us.map(Timestamp::from_micros),
            last_ok: push.last_ok_us.map(Timestamp::from_micros),
            next_at: (!push.paused).then(|| Timestamp::from_micros(push.next_us)),
            sent: push.sent,
            withheld: push.withheld,
            pending,
            failed,
        })
    }
}
