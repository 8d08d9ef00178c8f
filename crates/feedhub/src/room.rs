//! The room itself: what is due is fetched, one feed after the other.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use intel::{Source, SourceId};
use platform::Platform;
use platform::health::{Component, Health};
use platform::http::RoomRouter;
use tokio::sync::{Mutex, Notify};

use crate::config::Config;
use crate::error::FeedError;
use crate::fetch::{self, Fetched};
use crate::http;
use crate::load::{self, Counts};
use crate::store::{self, Ended, Feed, NewFeed};

/// Pause between two looks at what is due, seconds.
const LOOK_EVERY_S: u64 = 30;
/// Feeds at most.
const MAX_FEEDS: usize = 1_000;
/// Minutes between two fetches: from a minute to a month.
const EVERY_MINUTES: std::ops::RangeInclusive<i64> = 1..=43_200;
/// A feed that failed is tried again after so many minutes at the latest.
const AGAIN_MINUTES: i64 = 15;

struct Inner {
    platform: Platform,
    config: Config,
    /// Wakes the worker.
    asked: Notify,
    /// One run at a time: each wants the disk for itself.
    running: Mutex<()>,
}

/// The room; cheap to clone.
#[derive(Clone)]
pub struct Feedhub(Arc<Inner>);

impl Feedhub {
    /// Opens the room.
    ///
    /// # Errors
    /// A setting cannot work.
    pub fn open(platform: &Platform, config: Config) -> Result<Self, FeedError> {
        config.check().map_err(FeedError::Invalid)?;
        let inner = Inner {
            platform: platform.clone(),
            config,
            asked: Notify::new(),
            running: Mutex::default(),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// The HTTP endpoints.
    pub fn router(&self) -> RoomRouter {
        http::routes().with_state(self.clone())
    }

    /// Starts fetching what is due.
    pub fn start(&self) {
        let own = self.clone();
        self.platform().tasks.spawn("feeds", async move {
            loop {
                match own.next().await {
                    Ok(true) => continue,
                    Ok(false) => {}
                    Err(error) => {
                        tracing::error!(%error, "feeds cannot be looked after; trying again")
                    }
                }
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_secs(LOOK_EVERY_S)) => {}
                    () = own.0.asked.notified() => {}
                }
            }
        });
    }

    async fn next(&self) -> Result<bool, FeedError> {
        let mut sql = self.platform().db.read().await?;
        let due = store::due(&mut sql, self.platform().now().as_micros()).await?;
        drop(sql);
        let Some(feed) = due else { return Ok(false) };
        if let Err(error) = self.fetch(&feed).await {
            tracing::warn!(feed = feed.new.name, %error, "a feed could not be fetched");
        }
        Ok(true)
    }

    /// Adds a feed.
    ///
    /// # Errors
    /// It cannot be, or its name is taken.
    pub async fn add(&self, new: NewFeed) -> Result<Feed, FeedError> {
        let name = new.name.trim().to_owned();
        if name.is_empty() || name.chars().count() > 120 || name.chars().any(char::is_control) {
            return Err(FeedError::Invalid("a name has 1 to 120 characters".into()));
        }
        if !EVERY_MINUTES.contains(&new.every_minutes) {
            return Err(FeedError::Invalid("every_minutes lies between 1 and 43200".into()));
        }
        if let Some(url) = &new.url {
            fetch::address(url).map_err(FeedError::Invalid)?;
        }
        load::check(&new.format)?;
        let (id, new) = (self.new_id(), NewFeed { name, ..new });
        let wanted = id.clone();
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if store::all(tx.sql()).await?.len() >= MAX_FEEDS {
                        let text = format!("there are {MAX_FEEDS} feeds, the limit");
                        return Err(FeedError::Conflict(text));
                    }
                    let now_us = tx.now().as_micros();
                    if !store::insert(tx.sql(), &id, &new, now_us).await? {
                        let text = format!("there is a feed '{}'", new.name);
                        return Err(FeedError::Conflict(text));
                    }
                    Ok(())
                })
            })
            .await?;
        self.0.asked.notify_one();
        self.feed(&wanted).await
    }

    /// A feed by id or name.
    ///
    /// # Errors
    /// There is none.
    pub async fn feed(&self, name: &str) -> Result<Feed, FeedError> {
        let mut sql = self.platform().db.read().await?;
        let clip: String = name.chars().take(120).collect();
        store::get(&mut sql, name)
            .await?
            .ok_or_else(|| FeedError::NotFound(format!("feed '{clip}'")))
    }

    /// Fetches a feed now and reads it.
    ///
    /// # Errors
    /// It has no address, it cannot be fetched, or it broke off; the feed notes it too.
    pub async fn fetch(&self, feed: &Feed) -> Result<Option<Counts>, FeedError> {
        let _one = self.0.running.lock().await;
        if feed.new.url.is_none() {
            let text = format!("{} has no address; load a file into it", feed.new.name);
            return Err(FeedError::Invalid(text));
        }
        let file = self.file(feed);
        let fetched = fetch::fetch(self.config(), feed, &file).await;
        let outcome = match fetched {
            Ok(Fetched::Unchanged) => Ok((Ended::default(), None)),
            Ok(Fetched::Body { etag, last_modified }) => {
                match load::run(self, feed, file.clone()).await {
                    Ok((counts, rejects, error)) => {
                        let whole = error.is_none();
                        let ended = Ended {
                            error,
                            counts: Some(counts.clone()),
                            etag: etag.filter(|_| whole),
                            last_modified: last_modified.filter(|_| whole),
                            rejects,
                        };
                        Ok((ended, Some(counts)))
                    }
                    Err(error) => Err(error.to_string()),
                }
            }
            Err(reason) => Err(reason),
        };
        let _ = tokio::fs::remove_file(&file).await;
        let (ended, counts) = match outcome {
            Ok(outcome) => outcome,
            Err(reason) => (Ended { error: Some(reason), ..Ended::default() }, None),
        };
        let error = ended.error.clone();
        self.note(feed, ended).await?;
        match error {
            Some(error) => Err(FeedError::Source(error)),
            None => Ok(counts),
        }
    }

    /// Reads bytes that somebody brings into a feed.
    ///
    /// # Errors
    /// They cannot be read to their end; what was read up to there is kept and counted.
    pub async fn load(&self, feed: &Feed, bytes: &[u8]) -> Result<Counts, FeedError> {
        let _one = self.0.running.lock().await;
        let file = self.file(feed);
        let kept = tokio::fs::write(&file, bytes).await;
        kept.map_err(|cause| FeedError::Source(format!("{}: {cause}", file.display())))?;
        let done = load::run(self, feed, file.clone()).await;
        let _ = tokio::fs::remove_file(&file).await;
        let (counts, rejects, error) = done?;
        let ended = Ended {
            error: error.clone(),
            counts: Some(counts.clone()),
            rejects,
            ..Ended::default()
        };
        self.note(feed, ended).await?;
        match error {
            Some(error) => Err(FeedError::Source(error)),
            None => Ok(counts),
        }
    }

    async fn note(&self, feed: &Feed, ended: Ended) -> Result<(), FeedError> {
        let (id, every) = (feed.id.clone(), feed.new.every_minutes);
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let now_us = tx.now().as_micros();
                    let minutes =
                        if ended.error.is_some() { every.min(AGAIN_MINUTES) } else { every };
                    let next_us = now_us + minutes * 60_000_000;
                    Ok(store::ended(tx.sql(), &id, &ended, now_us, next_us).await?)
                })
            })
            .await
    }

    /// The feed's number as a source of the store.
    pub(crate) async fn source(&self, feed: &Feed) -> Result<SourceId, FeedError> {
        let source = Source {
            key: format!("feed:{}", feed.id),
            name: feed.new.name.clone(),
            kind: "feed".into(),
            tlp: feed.new.tlp,
            licence: feed.new.licence.clone(),
        };
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let now_us = tx.now().as_micros();
                    Ok(intel::sources::ensure(tx.sql(), &source, now_us).await?)
                })
            })
            .await
    }

    fn file(&self, feed: &Feed) -> PathBuf {
        self.platform().data.root().join(format!("feed-{}.part", feed.id))
    }

    fn new_id(&self) -> String {
        let mut bytes = [0; 16];
        self.platform().random.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    /// What works and what does not, for the doctor.
    pub async fn health(&self) -> Vec<Component> {
        let feeds = async {
            let mut sql = self.platform().db.read().await?;
            store::all(&mut sql).await
        };
        let feeds = match feeds.await {
            Ok(feeds) => feeds,
            Err(error) => {
                let remedy = "See the node's log; check the disk of the data folder.";
                return vec![Component::not_ok("feeds", Health::Failed, error.to_string(), remedy)];
            }
        };
        let failing: Vec<&Feed> =
            feeds.iter().filter(|feed| feed.last_error.is_some() && !feed.paused).collect();
        vec![match failing.first() {
            None => Component::ok("feeds", format!("{} feeds", feeds.len())),
            Some(first) => {
                let text = format!(
                    "{} of {} feeds fail, {}: {}",
                    failing.len(),
                    feeds.len(),
                    first.new.name,
                    first.last_error.as_deref().unwrap_or_default()
                );
                Component::not_ok(
                    "feeds",
                    Health::Degraded,
                    text,
                    "Mend the address, or pause the feed.",
                )
            }
        }]
    }

    pub(crate) fn platform(&self) -> &Platform {
        &self.0.platform
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }
}
