//! Sources that are asked rather than read as one file: TAXII, MISP, CSAF. What came is kept with the place up to which
//! it was read, in one transaction.

pub(crate) mod csaf;
mod csaf_check;
mod csaf_list;
mod csaf_stix;
pub(crate) mod discover;
mod item;
pub(crate) mod misp_feed;
pub(crate) mod misp_server;
pub(crate) mod taxii;
mod walk;

use intel::{Batch, Prepared, Put, SourceId};
use reqwest::Url;
use serde_json::Value;
use stix::{Object, upgrade, validate};

use crate::error::FeedError;
use crate::fetch;
use crate::format::Format;
use crate::load::Counts;
use crate::net::{Fault, Line};
use crate::room::Feedhub;
use crate::secret;
use crate::store::{Ended, Feed, Rejected, progress};

/// Seconds of one run; what is left is read in the next, which follows when others had their turn.
const RUN_S: i64 = 600;
/// Refused things kept for people to look at; the rest are counted.
const MAX_REJECTS_KEPT: usize = 1_000;
/// Reasons told apart in the counts.
const MAX_REASONS: usize = 50;
/// Characters kept of a reason or excerpt.
const MAX_TEXT_CHARS: usize = 300;

/// Objects taken apart, and those refused.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub(crate) sound: Vec<Prepared>,
    pub(crate) rejects: Vec<(Rejected, &'static str)>,
    /// Things judged.
    pub(crate) records: u64,
}

impl Judged {
    pub(crate) fn refuse(
        &mut self,
        kind: &'static str,
        place: String,
        reason: &str,
        excerpt: &str,
    ) {
        let clip = |text: &str| text.chars().take(MAX_TEXT_CHARS).collect::<String>();
        let reject = Rejected { place: clip(&place), reason: clip(reason), excerpt: clip(excerpt) };
        self.rejects.push((reject, kind));
    }

    /// Judges objects; those of STIX 2.0 are brought to 2.1. Takes time: not for a thread of the runtime.
    pub(crate) fn of(values: Vec<Value>, place: &str) -> Self {
        let mut judged = Self::default();
        for (at, value) in values.into_iter().enumerate() {
            judged.records += 1;
            let Some(object) = Object::from_value(value) else {
                judged.refuse("shape", format!("{place} {at}"), "not a JSON object", "");
                continue;
            };
            if upgrade::is_2_0(&object) {
                for object in upgrade::object(&object).objects {
                    judged.object(&object, place, at);
                }
            } else {
                judged.object(&object, place, at);
            }
        }
        judged
    }

    fn object(&mut self, object: &Object, place: &str, at: usize) {
        match validate::object(object).first_error() {
            None => self.sound.push(Prepared::new(object)),
            Some(error) => {
                let reason = format!("{} ({}): {}", error.property, error.clause, error.message);
                let place = format!("{place} {at}{}", error.property);
                self.refuse("stix", place, &reason, object.id_text());
            }
        }
    }
}

/// One run over one source.
pub(crate) struct Run<'r> {
    pub(crate) room: &'r Feedhub,
    pub(crate) feed: &'r Feed,
    pub(crate) source: SourceId,
    pub(crate) line: Line,
    pub(crate) url: Url,
    pub(crate) counts: Counts,
    rejects: Vec<Rejected>,
    ends_us: i64,
    /// Whether something is left for the next run.
    pub(crate) more: bool,
    /// What went wrong with a part, while the rest was read.
    pub(crate) problem: Option<String>,
}

/// Reads what is new at a source.
pub(crate) async fn run(room: &Feedhub, feed: &Feed) -> Result<Ended, FeedError> {
    let url = fetch::address(feed.new.url.as_deref().unwrap_or_default());
    let url = url.map_err(FeedError::Invalid)?;
    let secret = secret::needed(&room.platform().data, &feed.id, &feed.new.auth)?;
    let line = Line::new(room.config(), &url, feed.new.auth.clone(), secret);
    let mut run = Run {
        room,
        feed,
        source: room.source(feed).await?,
        line,
        url,
        counts: Counts::default(),
        rejects: vec![],
        ends_us: room.platform().now().as_micros() + RUN_S * 1_000_000,
        more: false,
        problem: None,
    };
    let done = match &feed.new.format {
        Format::Taxii(wanted) => taxii::run(&mut run, wanted).await,
        Format::MispFeed(wanted) => misp_feed::run(&mut run, wanted).await,
        Format::MispServer(wanted) => misp_server::run(&mut run, wanted).await,
        Format::Csaf(wanted) => csaf::run(&mut run, wanted).await,
        _ => Err(Fault::new("this is read as one file")),
    };
    Ok(run.ended(done))
}

impl Run<'_> {
    fn ended(self, done: Result<(), Fault>) -> Ended {
        let now_us = self.room.platform().now().as_micros();
        let again_us = match &done {
            Err(fault) => fault.again_s.map(|pause| now_us + pause * 1_000_000),
            // Others first; and a source that goes on without end and says nothing new has to wait for its time.
            Ok(()) => (self.more && self.counts.new + self.counts.updated > 0).then_some(now_us),
        };
        let error = done.err().map(|fault| fault.text).or(self.problem);
        Ended {
            error,
            counts: Some(self.counts),
            rejects: self.rejects,
            validators: None,
            again_us,
        }
    }

    /// Whether the run has had its time.
    pub(crate) fn is_over(&self) -> bool {
        self.room.platform().now().as_micros() >= self.ends_us
    }

    /// Bytes of one answer at most, given what this kind of answer may have.
    pub(crate) fn most(&self, most: usize) -> usize {
        most.min(self.room.config().max_bytes)
    }

    /// The state kept under a name.
    pub(crate) async fn cursor(&self, name: &str) -> Result<Option<String>, Fault> {
        let mut sql = self.room.platform().db.read().await.map_err(FeedError::Db)?;
        Ok(progress::cursor(&mut sql, &self.feed.id, name).await.map_err(FeedError::Db)?)
    }

    /// Keeps a state under a name.
    pub(crate) async fn set_cursor(&self, name: &str, state: String) -> Result<(), Fault> {
        let (feed, name) = (self.feed.id.clone(), name.to_owned());
        let done: Result<(), FeedError> = self
            .room
            .platform()
            .db
            .write(move |tx| {
                Box::pin(
                    async move { Ok(progress::set_cursor(tx.sql(), &feed, &name, &state).await?) },
                )
            })
            .await;
        Ok(done?)
    }

    /// Notes something refused.
    pub(crate) fn refuse(&mut self, kind: &'static str, reject: Rejected) {
        self.counts.rejected += 1;
        let reasons = &mut self.counts.rejected_by;
        if reasons.len() < MAX_REASONS || reasons.contains_key(kind) {
            *reasons.entry(kind.to_owned()).or_default() += 1;
        }
        if self.rejects.len() < MAX_REJECTS_KEPT {
            self.rejects.push(reject);
        }
    }

    pub(crate) fn refuse_all(&mut self, rejects: Vec<(Rejected, &'static str)>) {
        for (reject, kind) in rejects {
            self.refuse(kind, reject);
        }
    }

    /// Keeps objects and the place up to which the source was read, in one transaction.
    pub(crate) async fn keep(
        &mut self,
        judged: Judged,
        cursor: (String, String),
    ) -> Result<(), Fault> {
        let Judged { sound, rejects, records } = judged;
        self.counts.records += records;
        self.refuse_all(rejects);
        let (feed, source) = (self.feed.id.clone(), self.source);
        let unmarked = intel::rank(self.feed.new.tlp);
        let kept: Result<(Vec<Prepared>, Vec<Put>), FeedError> = self
            .room
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let now_us = tx.now().as_micros();
                    let batch =
                        Batch { source, unmarked, collection: None, objects: &sound, now_us };
                    let puts = intel::write::store(tx.sql(), &batch).await?;
                    progress::set_cursor(tx.sql(), &feed, &cursor.0, &cursor.1).await?;
                    Ok((sound, puts))
                })
            })
            .await;
        let (sound, puts) = kept?;
        for (object, put) in sound.iter().zip(puts) {
            self.count(put, &object.id);
        }
        Ok(())
    }

    /// Counts what became of an object.
    pub(crate) fn count(&mut self, put: Put, id: &str) {
        match put {
            Put::New => self.counts.new += 1,
            Put::Updated | Put::Older => self.counts.updated += 1,
            Put::Same => self.counts.same += 1,
            Put::Beside | Put::Conflict => {
                let reject = Rejected {
                    place: id.to_owned(),
                    reason: "this version is known with other content, which stays".to_owned(),
                    excerpt: String::new(),
                };
                self.refuse("conflict", reject);
            }
        }
    }
}
