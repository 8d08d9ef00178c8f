//! Endpoints under `/api/v1/feeds` and `/api/v1/pushes`, one a file.

mod add;
mod change;
mod discover;
mod list;
mod load;
mod push_add;
mod push_change;
mod push_failures;
mod push_list;
mod push_run;
mod push_view;
mod rejects;
mod run;

use std::future::Future;

use intel::Sight;
use model::Timestamp;
use platform::http::{Caller, Gate, Permission, RoomRouter};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use crate::error::FeedError;
use crate::fetch;
use crate::format::Format;
use crate::load::Counts;
use crate::room::Feedhub;
use crate::secret::Auth;
use crate::store::Feed;

const READ: Permission = Permission("feeds.read");
const WRITE: Permission = Permission("feeds.write");

pub(crate) fn routes() -> RoomRouter<Feedhub> {
    RoomRouter::default()
        .route(READ, routes!(list::list))
        .route(WRITE, routes!(add::add))
        .route(WRITE, routes!(change::change))
        .route(WRITE, routes!(change::remove))
        .route(WRITE, routes!(run::run))
        .route(WRITE, routes!(load::load))
        .route(READ, routes!(rejects::rejects))
        .route(WRITE, routes!(discover::discover))
        .route(READ, routes!(push_list::list))
        .route(WRITE, routes!(push_add::add))
        .route(WRITE, routes!(push_change::change))
        .route(WRITE, routes!(push_change::remove))
        .route(WRITE, routes!(push_run::run))
        .route(READ, routes!(push_failures::failures))
        .route(READ, routes!(push_failures::withheld))
}

/// A feed as it is shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FeedView {
    /// UUID.
    id: String,
    /// Name.
    name: String,
    /// Where it is fetched; absent when it is loaded by hand. Without its query for those who may not write feeds.
    url: Option<String>,
    /// How it is read.
    format: Format,
    /// How the server is told who asks; the secret is never shown.
    auth: Auth,
    /// How often it is fetched.
    every_minutes: i64,
    /// TLP of what it says.
    tlp: String,
    /// Its terms of use.
    licence: String,
    /// Whether each run lists everything it knows.
    whole: bool,
    /// `never`, `fine`, `failing` or `paused`.
    state: &'static str,
    /// Why the last try did not do.
    last_error: Option<String>,
    /// Last tried.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_try: Option<Timestamp>,
    /// Last read to its end.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_ok: Option<Timestamp>,
    /// When it is fetched next.
    #[schema(value_type = Option<String>, format = DateTime)]
    next_at: Option<Timestamp>,
    /// What the last run counted.
    counts: Option<Counts>,
}

/// Who asks, and what that one may see.
pub(crate) struct Asker {
    sight: Sight,
    writes: bool,
}

impl Asker {
    pub(crate) fn new(gate: &Gate, caller: &Caller) -> Self {
        let writes = gate.check(caller, WRITE.0, "/api/v1/feeds").is_ok();
        Self { sight: Sight::of(gate, caller), writes }
    }

    /// Whether what the feed says is in sight; else the feed does not exist.
    pub(crate) const fn sees(&self, feed: &Feed) -> bool {
        self.sees_label(feed.new.tlp)
    }

    /// Whether what carries this label is in sight.
    pub(crate) const fn sees_label(&self, tlp: stix::Tlp) -> bool {
        self.sight.sees(intel::rank(tlp))
    }

    /// Whether this one may write feeds.
    pub(crate) const fn writes(&self) -> bool {
        self.writes
    }

    /// A feed by id or name, if it is in sight.
    pub(crate) async fn feed(&self, room: &Feedhub, name: &str) -> Result<Feed, FeedError> {
        match room.feed(name).await {
            Ok(feed) if !self.sees(&feed) => Err(Feedhub::unknown(name)),
            other => other,
        }
    }

    /// A feed as it is shown to this one: keys stand in the query of addresses, so only who may write sees it.
    pub(crate) fn view(&self, mut feed: Feed) -> FeedView {
        if !self.writes {
            feed.new.url = feed.new.url.map(|url| match fetch::address(&url) {
                Ok(url) => fetch::shown(&url),
                Err(_) => String::new(),
            });
        }
        feed.into()
    }
}

/// Lets work go on whose caller hangs up: what was begun is noted and cleaned up.
#[allow(clippy::disallowed_methods)] // it ends with its work, and a panic is this caller's answer, not the node's end
pub(crate) async fn finished<T: Send + 'static>(
    work: impl Future<Output = Result<T, FeedError>> + Send + 'static,
) -> Result<T, FeedError> {
    match tokio::spawn(work).await {
        Ok(done) => done,
        Err(cause) => {
            tracing::error!(%cause, "the work of a feed failed");
            Err(platform::db::DbError::Panicked.into())
        }
    }
}

impl From<Feed> for FeedView {
    fn from(feed: Feed) -> Self {
        let state = match (&feed.last_error, feed.last_try_us) {
            _ if feed.paused => "paused",
            (Some(_), _) => "failing",
            (None, None) => "never",
            (None, Some(_)) => "fine",
        };
        let fetched = feed.new.url.is_some() && !feed.paused;
        Self {
            id: feed.id,
            name: feed.new.name,
            url: feed.new.url,
            format: feed.new.format,
            auth: feed.new.auth,
            every_minutes: feed.new.every_minutes,
            tlp: feed.new.tlp.label().to_owned(),
            licence: feed.new.licence,
            whole: feed.new.whole,
            state,
            last_error: feed.last_error,
            last_try: feed.last_try_us.map(Timestamp::from_micros),
            last_ok: feed.last_ok_us.map(Timestamp::from_micros),
            next_at: fetched.then(|| Timestamp::from_micros(feed.next_us)),
            counts: feed.counts,
        }
    }
}
