//! The room itself: what is due is fetched, one feed after the other.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use intel::{Source, SourceId};
use model::event::FeedMoved;
use platform::Platform;
use platform::http::RoomRouter;
use ports::disclosure::{Disclosure, Organisations};
use ports::misp::MispDesk;
use tokio::sync::{Mutex, MutexGuard, Notify};

use crate::config::Config;
use crate::error::FeedError;
use crate::fetch::{self, Fetched};
use crate::format::Format;
use crate::http;
use crate::load::{self, Counts};
use crate::secret::{self, Auth};
use crate::source;
use crate::store::{self, Ended, Feed, NewFeed};
use crate::sweep;

/// Pause between two looks at what is due, seconds.
const LOOK_EVERY_S: u64 = 30;
/// Feeds at most.
const MAX_FEEDS: usize = 1_000;
/// Minutes between two fetches: from a minute to a month.
const EVERY_MINUTES: std::ops::RangeInclusive<i64> = 1..=43_200;
/// A feed that failed is tried again after so many minutes at the latest.
const AGAIN_MINUTES: i64 = 15;

/// How the file of a run begins and ends.
pub(crate) const PART: (&str, &str) = ("feed-", ".part");

struct Inner {
    platform: Platform,
    config: Config,
    /// Wakes the worker.
    asked: Notify,
    /// Held while a secret is there and its feed not yet.
    adding: Mutex<()>,
    /// One run at a time: each wants the disk for itself.
    running: Mutex<()>,
    /// Who keeps MISP events.
    desk: OnceLock<Arc<dyn MispDesk>>,
    /// Who decides what may leave, and who knows the organisations it may go to.
    deciding: OnceLock<(Arc<dyn Disclosure>, Arc<dyn Organisations>)>,
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
            adding: Mutex::default(),
            running: Mutex::default(),
            desk: OnceLock::new(),
            deciding: OnceLock::new(),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Introduces who keeps MISP events; the first one stays.
    pub fn meet(&self, desk: Arc<dyn MispDesk>) {
        let _ = self.0.desk.set(desk);
    }

    pub(crate) fn desk(&self) -> Option<&Arc<dyn MispDesk>> {
        self.0.desk.get()
    }

    /// Introduces who decides what may leave, and who knows the organisations; the first ones stay.
    pub fn ask(&self, judge: Arc<dyn Disclosure>, organisations: Arc<dyn Organisations>) {
        let _ = self.0.deciding.set((judge, organisations));
    }

    /// Who decides what may leave: without anybody nothing does.
    pub(crate) fn judge(&self) -> Result<&dyn Disclosure, FeedError> {
        let deciding = self.0.deciding.get().map(|(judge, _)| judge.as_ref());
        deciding.ok_or_else(|| FeedError::Conflict("nobody decides here what may leave".into()))
    }

    pub(crate) fn organisations(&self) -> Option<&dyn Organisations> {
        self.0.deciding.get().map(|(_, organisations)| organisations.as_ref())
    }

    /// Waits for the run under way.
    pub(crate) async fn turn(&self) -> MutexGuard<'_, ()> {
        self.0.running.lock().await
    }

    /// Waits until no feed is half added.
    pub(crate) async fn adding(&self) -> MutexGuard<'_, ()> {
        self.0.adding.lock().await
    }

    /// Has the worker look at what is due.
    pub(crate) fn wake(&self) {
        self.0.asked.notify_one();
    }

    /// The HTTP endpoints.
    pub fn router(&self) -> RoomRouter {
        http::routes().with_state(self.clone())
    }

    /// Starts fetching what is due.
    pub fn start(&self) {
        sweep::files(self);
        let own = self.clone();
        self.platform().tasks.spawn("feeds", async move {
            if let Err(error) = sweep::secrets(&own).await {
                tracing::warn!(%error, "secrets that nobody needs could not be looked for");
            }
            loop {
                let (pulled, pushed) = (own.next().await, own.next_push().await);
                match (pulled, pushed) {
                    (Err(error), _) | (_, Err(error)) => {
                        tracing::error!(%error, "feeds cannot be looked after; trying again")
                    }
                    (Ok(false), Ok(false)) => {}
                    _ => continue,
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
        match self.fetch(&feed).await {
            Ok(_) => {}
            // How it went could not be noted, so that it is due still: not again without a pause.
            Err(error @ FeedError::Db(_)) => return Err(error),
            Err(error) => {
                tracing::warn!(feed = feed.new.name, %error, "a feed could not be fetched");
            }
        }
        Ok(true)
    }

    /// Adds a feed.
    ///
    /// # Errors
    /// It cannot be, or its name is taken.
    pub async fn add(&self, new: NewFeed, secret: Option<&str>) -> Result<Feed, FeedError> {
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
        if new.format.is_pulled() && new.url.is_none() {
            return Err(FeedError::Invalid("a server that is asked needs an address".into()));
        }
        new.auth.check(secret)?;
        let (id, new) = (self.new_id(), NewFeed { name, ..new });
        let wanted = id.clone();
        let _adding = self.adding().await;
        if let Some(secret) = secret {
            secret::keep(&self.platform().data, &id, secret)?;
        }
        let added = self.insert(id, new).await;
        if added.is_err() {
            secret::forget(&self.platform().data, &wanted)?;
        }
        added?;
        self.0.asked.notify_one();
        self.feed(&wanted).await
    }

    async fn insert(&self, id: String, new: NewFeed) -> Result<(), FeedError> {
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
            .await
    }

    /// Replaces the secret of a feed or push.
    pub(crate) fn renew(&self, id: &str, auth: &Auth, secret: &str) -> Result<(), FeedError> {
        auth.check(Some(secret))?;
        secret::keep(&self.platform().data, id, secret)
    }

    /// A feed by id or name.
    ///
    /// # Errors
    /// There is none.
    pub async fn feed(&self, name: &str) -> Result<Feed, FeedError> {
        let mut sql = self.platform().db.read().await?;
        store::get(&mut sql, name).await?.ok_or_else(|| Self::unknown(name))
    }

    /// That there is no such feed.
    pub(crate) fn unknown(name: &str) -> FeedError {
        let clip: String = name.chars().take(120).collect();
        FeedError::NotFound(format!("feed '{clip}'"))
    }

    /// Removes a feed with all that it said, after its run where one is under way.
    pub(crate) async fn remove(&self, feed: &Feed) -> Result<(), FeedError> {
        let _one = self.0.running.lock().await;
        let (id, source) = (feed.id.clone(), self.source(feed).await?);
        if feed.new.format.is_pulled() {
            self.take_back(source).await?;
        }
        if let (Format::MispServer(_), Some(desk)) = (&feed.new.format, self.desk()) {
            let mut sql = self.platform().db.read().await?;
            let items = store::progress::items(&mut sql, &feed.id).await?;
            drop(sql);
            for uuid in items.into_keys() {
                let done = desk.remove(&uuid, &format!("feed:{}", feed.id)).await;
                done.map_err(|error| FeedError::Source(error.to_string()))?;
            }
        }
        let done: Result<(), FeedError> = self
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    intel::values::drop_unsaid(tx.sql(), source, i64::MAX).await?;
                    store::remove(tx.sql(), &id).await?;
                    Ok(())
                })
            })
            .await;
        done?;
        secret::forget(&self.platform().data, &feed.id)
    }

    /// Withdraws all objects that a source said, part by part.
    async fn take_back(&self, source: SourceId) -> Result<(), FeedError> {
        let mut after = 0;
        loop {
            let next: Result<Option<i64>, FeedError> = self
                .platform()
                .db
                .write(move |tx| {
                    Box::pin(async move {
                        let now_us = tx.now().as_micros();
                        Ok(intel::withdraw::said_after(tx.sql(), source, after, now_us).await?)
                    })
                })
                .await;
            match next? {
                Some(seq) => after = seq,
                None => return Ok(()),
            }
        }
    }

    /// Fetches a feed now and reads it.
    ///
    /// # Errors
    /// It has no address, it cannot be fetched, or it broke off; the feed notes it too.
    pub async fn fetch(&self, feed: &Feed) -> Result<Option<Counts>, FeedError> {
        let _one = self.0.running.lock().await;
        // It may have been removed or read while this run waited.
        let feed = &self.feed(&feed.id).await?;
        if feed.new.url.is_none() {
            let text = format!("{} has no address; load a file into it", feed.new.name);
            return Err(FeedError::Invalid(text));
        }
        if feed.new.format.is_pulled() {
            let ended = match source::run(self, feed).await {
                Err(error @ FeedError::Db(_)) => return Err(error),
                Err(error) => Ended { error: Some(error.to_string()), ..Ended::default() },
                Ok(ended) => ended,
            };
            return self.note(feed, ended).await;
        }
        let file = self.file(feed);
        let fetched = match secret::needed(&self.platform().data, &feed.id, &feed.new.auth) {
            Ok(secret) => fetch::fetch(self.config(), feed, secret.as_deref(), &file).await,
            Err(error) => Err(error.to_string()),
        };
        let ended = match fetched {
            Ok(Fetched::Unchanged) => Ended::default(),
            Ok(Fetched::Body { etag, last_modified }) => {
                let mut ended = self.read(feed, &file).await;
                if ended.error.is_none() {
                    ended.validators = Some((etag, last_modified));
                }
                ended
            }
            Err(reason) => Ended { error: Some(reason), ..Ended::default() },
        };
        let _ = tokio::fs::remove_file(&file).await;
        self.note(feed, ended).await
    }

    /// Reads bytes that somebody brings into a feed.
    ///
    /// # Errors
    /// They cannot be read to their end; what was read up to there is kept and counted.
    pub async fn load(&self, feed: &Feed, bytes: &[u8]) -> Result<Counts, FeedError> {
        let _one = self.0.running.lock().await;
        let feed = &self.feed(&feed.id).await?;
        if feed.new.format.is_pulled() {
            let text = format!("{} asks a server; no file can be loaded into it", feed.new.name);
            return Err(FeedError::Invalid(text));
        }
        let file = self.file(feed);
        let kept = tokio::fs::write(&file, bytes).await;
        let mut ended = match kept {
            Ok(()) => self.read(feed, &file).await,
            Err(cause) => {
                let _ = tokio::fs::remove_file(&file).await;
                return Err(FeedError::Source(format!("{}: {cause}", file.display())));
            }
        };
        let _ = tokio::fs::remove_file(&file).await;
        // What is known now is no longer what the other side gave: "not changed" would be wrong.
        ended.validators = Some((None, None));
        Ok(self.note(feed, ended).await?.unwrap_or_default())
    }

    async fn read(&self, feed: &Feed, file: &Path) -> Ended {
        match load::run(self, feed, file.to_owned()).await {
            Ok((counts, rejects, error)) => {
                Ended { error, counts: Some(counts), rejects, ..Ended::default() }
            }
            Err(error) => Ended { error: Some(error.to_string()), ..Ended::default() },
        }
    }

    /// Notes how a run ended; what it counted.
    async fn note(&self, feed: &Feed, ended: Ended) -> Result<Option<Counts>, FeedError> {
        let (error, counts) = (ended.error.clone(), ended.counts.clone());
        self.noted(feed, ended).await?;
        match error {
            Some(error) => Err(FeedError::Source(error)),
            None => Ok(counts),
        }
    }

    async fn noted(&self, feed: &Feed, ended: Ended) -> Result<(), FeedError> {
        let outcome = if ended.error.is_some() { "failed" } else { "done" };
        metrics::counter!("sereno_feed_runs_total", "outcome" => outcome).increment(1);
        let (id, every) = (feed.id.clone(), feed.new.every_minutes);
        let moved = moved(feed, &ended);
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let now_us = tx.now().as_micros();
                    let minutes =
                        if ended.error.is_some() { every.min(AGAIN_MINUTES) } else { every };
                    let next_us = ended.again_us.unwrap_or(now_us + minutes * 60_000_000);
                    store::ended(tx.sql(), &id, &ended, now_us, next_us).await?;
                    if let Some(moved) = &moved {
                        tx.publish("system", moved).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// The feed's number as a source of the store.
    pub(crate) async fn source(&self, feed: &Feed) -> Result<SourceId, FeedError> {
        let source = Source {
            key: format!("feed:{}", feed.id),
            name: feed.new.name.clone(),
            kind: feed.new.format.word().into(),
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
        self.platform().data.root().join(format!("{}{}{}", PART.0, feed.id, PART.1))
    }

    pub(crate) fn new_id(&self) -> String {
        let mut bytes = [0; 16];
        self.platform().random.fill(&mut bytes);
        uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
    }

    pub(crate) fn platform(&self) -> &Platform {
        &self.0.platform
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }
}

/// That a feed began to fail, or works again. Facts are read under every role: of a feed beyond TLP:GREEN they tell
/// neither name nor reason.
fn moved(feed: &Feed, ended: &Ended) -> Option<FeedMoved> {
    if ended.error.is_some() == feed.last_error.is_some() {
        return None;
    }
    let shown = matches!(feed.new.tlp, stix::Tlp::Clear | stix::Tlp::Green);
    let label = feed.new.tlp.label();
    Some(FeedMoved {
        feed: feed.id.clone(),
        name: if shown { feed.new.name.clone() } else { format!("under {label}") },
        tlp: label.to_owned(),
        error: ended.error.clone().map(|text| if shown { text } else { "not told".into() }),
    })
}
