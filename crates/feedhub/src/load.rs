//! Reading a feed into the store: a reader on a thread of its own, batches through a short channel, each batch
//! committed before the next is taken.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use feeds::Seen;
use feeds::record::{DEFAULT_LIMITS, End, Item, Limits, Record, Reject, Sink, Summary};
use feeds::unpack::{DEFAULT_PACK_LIMITS, PackLimits, open};
use feeds::value::{Kind, Observable};
use feeds::warninglist::{Matcher, shipped};
use intel::values::{self, Listed};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use utoipa::ToSchema;

use crate::error::FeedError;
use crate::format::{Format, Reader, stored_kind};
use crate::room::Feedhub;
use crate::store::{Feed, NewFeed, Rejected};

/// Values of one transaction.
const VALUES_PER_COMMIT: usize = 4_096;
/// Batches between reader and writer.
const BATCHES_WAITING: usize = 2;
/// Refused lines kept for people to look at; the rest are counted.
const MAX_REJECTS_KEPT: usize = 1_000;
/// Values of one feed; what lies beyond ends the run with an error.
const MAX_VALUES: usize = 20_000_000;

/// What became of a feed's lines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = FeedCounts)]
pub struct Counts {
    /// Values read.
    pub records: u64,
    /// Values this feed did not say before.
    pub new: u64,
    /// Values with another score than before.
    pub updated: u64,
    /// Values as before.
    pub same: u64,
    /// Values that stood in the feed before in this run.
    pub duplicate: u64,
    /// Values on a list of well-known ones, not kept.
    pub well_known: u64,
    /// Lines refused.
    pub rejected: u64,
    /// Refused lines by reason.
    pub rejected_by: BTreeMap<String, u64>,
    /// Values the feed no longer says.
    pub gone: u64,
    /// Comments and empty lines.
    pub skipped: u64,
    /// Bytes read, unpacked.
    pub bytes: u64,
    /// OpenPGP signatures of documents.
    #[serde(default)]
    pub signatures: SignatureCounts,
}

/// What the OpenPGP signatures of documents were worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = FeedSignatureCounts)]
pub struct SignatureCounts {
    /// Made over the document by a key that the publisher names.
    pub good: u64,
    /// Not so; the document was refused.
    pub bad: u64,
    /// None was offered, or the publisher names no key.
    pub missing: u64,
    /// Of a kind that cannot be judged here.
    pub unknown: u64,
}

/// Lists of well-known values; empty where they cannot be compiled, which a test of `feeds` forbids.
static WELL_KNOWN: LazyLock<Option<Matcher>> = LazyLock::new(|| {
    shipped().and_then(|lists| Matcher::new(&lists)).ok().map(|(matcher, _)| matcher)
});

/// What the reader knows at its end.
struct Read {
    summary: Summary,
    rejects: Vec<Rejected>,
    duplicate: u64,
    well_known: u64,
    full: bool,
}

/// Reads a file into the store under the feed's name.
pub(crate) async fn run(
    room: &Feedhub,
    feed: &Feed,
    file: PathBuf,
) -> Result<(Counts, Vec<Rejected>, Option<String>), FeedError> {
    let started_us = room.platform().now().as_micros();
    let source = room.source(feed).await?;
    let (batches, mut waiting) = mpsc::channel::<Vec<Listed>>(BATCHES_WAITING);
    let reader = feed.new.format.reader().map_err(FeedError::Invalid)?;
    let max_bytes = room.config().max_bytes as u64;
    let reading =
        tokio::task::spawn_blocking(move || read(&file, &reader, max_bytes, started_us, &batches));
    let mut counts = Counts::default();
    while let Some(batch) = waiting.recv().await {
        let lines = Arc::new(batch);
        let written: Result<values::ListCounts, FeedError> = room
            .platform()
            .db
            .write(move |tx| {
                Box::pin(
                    async move { Ok(values::list(tx.sql(), source, &lines, started_us).await?) },
                )
            })
            .await;
        let written = written?;
        counts.new += written.new;
        counts.updated += written.updated;
        counts.same += written.same;
    }
    let done = reading
        .await
        .map_err(|cause| FeedError::Source(format!("the reader failed: {cause}")))??;
    counts.records = done.summary.counts.records;
    counts.rejected = done.summary.counts.rejected;
    counts.rejected_by = done
        .summary
        .counts
        .rejected_by
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect();
    counts.skipped = done.summary.counts.skipped;
    counts.bytes = done.summary.counts.bytes;
    counts.duplicate = done.duplicate;
    counts.well_known = done.well_known;
    let error = match &done.summary.end {
        End::Complete => said_nothing(&feed.new, &counts),
        End::Stopped if done.full => {
            Some(format!("more than {MAX_VALUES} values; the rest was not read"))
        }
        End::Stopped => Some("the run was stopped".to_owned()),
        End::Broken { place, reason } => Some(format!("broke off at {place}: {reason}")),
    };
    if error.is_none() && feed.new.whole {
        let gone: Result<u64, FeedError> = room
            .platform()
            .db
            .write(move |tx| {
                Box::pin(
                    async move { Ok(values::drop_unsaid(tx.sql(), source, started_us).await?) },
                )
            })
            .await;
        counts.gone = gone?;
    }
    metrics::counter!("sereno_feed_values_total", "outcome" => "new").increment(counts.new);
    metrics::counter!("sereno_feed_values_total", "outcome" => "rejected")
        .increment(counts.rejected);
    Ok((counts, done.rejects, error))
}

/// Why an answer that was read to its end says nothing of what the feed knows: it came empty, or is something else, such
/// as a page that tells of maintenance. A list that is truly empty has bytes and no line that is refused.
fn said_nothing(feed: &NewFeed, counts: &Counts) -> Option<String> {
    let kept = counts.new + counts.updated + counts.same + counts.well_known;
    // In free text nothing is refused, so that a page without values looks like any other.
    let is_text = matches!(feed.format, Format::FreeText { .. });
    match (kept, counts.bytes, counts.rejected) {
        (1.., ..) => None,
        (0, 0, _) => Some("nothing came; what was known before stays".into()),
        (0, _, 0) if !is_text => None,
        (0, _, refused) => Some(format!(
            "no value in it, {refused} lines refused: this is not the feed; what was known before stays"
        )),
    }
}

/// Bounds of a body of at most so many bytes: what is larger only because it is unpacked has the usual bound.
fn limits(max_bytes: u64) -> (PackLimits, Limits) {
    let max_unpacked = DEFAULT_PACK_LIMITS.max_unpacked.max(max_bytes);
    let pack = PackLimits { max_packed: max_bytes, max_unpacked, ..DEFAULT_PACK_LIMITS };
    (pack, Limits { max_bytes: max_unpacked, ..DEFAULT_LIMITS })
}

/// What is being gathered for the writer.
struct Gather<'g> {
    batch: Vec<Listed>,
    batches: &'g mpsc::Sender<Vec<Listed>>,
    seen: Seen,
    since_us: i64,
    read: Read,
}

impl Gather<'_> {
    fn take(&mut self, observable: &Observable, score: Option<f64>) -> ControlFlow<()> {
        match self.seen.insert(observable) {
            Ok(true) => {}
            Ok(false) => {
                self.read.duplicate += 1;
                return ControlFlow::Continue(());
            }
            Err(_) => {
                self.read.full = true;
                return ControlFlow::Break(());
            }
        }
        if WELL_KNOWN.as_ref().is_some_and(|lists| !lists.lists(observable).is_empty()) {
            self.read.well_known += 1;
            return ControlFlow::Continue(());
        }
        self.batch.push(Listed {
            value: intel::terms::normal(observable.value()),
            kind: stored_kind(observable.kind()),
            score,
            since_us: 0,
            until_us: None,
        });
        if self.batch.len() >= VALUES_PER_COMMIT { self.send() } else { ControlFlow::Continue(()) }
    }

    /// Waits for the writer: that is the back-pressure.
    fn send(&mut self) -> ControlFlow<()> {
        let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(VALUES_PER_COMMIT));
        match self.batches.blocking_send(batch) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    }

    fn reject(&mut self, reject: Reject) -> ControlFlow<()> {
        if self.read.rejects.len() < MAX_REJECTS_KEPT {
            self.read.rejects.push(Rejected {
                place: reject.place.to_string(),
                reason: reject.reason.to_string(),
                excerpt: reject.excerpt,
            });
        }
        ControlFlow::Continue(())
    }
}

fn read(
    file: &PathBuf,
    reader: &Reader,
    max_bytes: u64,
    since_us: i64,
    batches: &mpsc::Sender<Vec<Listed>>,
) -> Result<Read, FeedError> {
    let wrong = |cause: &dyn std::fmt::Display| FeedError::Source(cause.to_string());
    let file = File::open(file).map_err(|cause| wrong(&cause))?;
    let (pack, limits) = limits(max_bytes);
    let unpacked = open(BufReader::new(file), None, pack).map_err(|cause| wrong(&cause))?;
    let read = Read {
        summary: Summary { counts: feeds::record::Counts::default(), end: End::Complete },
        rejects: Vec::new(),
        duplicate: 0,
        well_known: 0,
        full: false,
    };
    let mut gather =
        Gather { batch: Vec::new(), batches, seen: Seen::new(MAX_VALUES), since_us, read };
    let summary = match reader {
        Reader::Kev => feeds::kev::read(unpacked, limits, &mut |item| match item {
            Item::Record(known) => match Observable::of_kind(Kind::Cve, &known.cve) {
                Ok(cve) => gather.take(&cve, Some(100.0)),
                Err(_) => ControlFlow::Continue(()),
            },
            Item::Reject(reject) => gather.reject(reject),
        }),
        values => {
            let mut sink = |item: Item<Record>| match item {
                Item::Record(record) => gather.take(&record.observable, record.score),
                Item::Reject(reject) => gather.reject(reject),
            };
            with(values, unpacked, limits, &mut sink)
        }
    };
    if !gather.batch.is_empty() {
        let _ = gather.send();
    }
    gather.read.summary = summary;
    let _ = gather.since_us;
    Ok(gather.read)
}

fn with(
    reader: &Reader,
    unpacked: impl std::io::Read,
    limits: Limits,
    sink: &mut Sink<'_>,
) -> Summary {
    match reader {
        Reader::Plain(format) => feeds::plain::read(unpacked, format, limits, sink),
        Reader::Csv(format) => feeds::csv::read(unpacked, format, limits, sink),
        Reader::Json(format) => feeds::json::read(unpacked, format, limits, sink),
        Reader::FreeText(format) => feeds::freetext::read(unpacked, format, limits, sink),
        Reader::Kev => Summary { counts: feeds::record::Counts::default(), end: End::Complete },
    }
}

/// Whether a format can be read at all.
pub(crate) fn check(format: &Format) -> Result<(), FeedError> {
    format.check().map_err(FeedError::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_fetched_may_be_read() {
        let usual = DEFAULT_PACK_LIMITS.max_unpacked;
        assert_eq!(limits(1_024).1.max_bytes, usual);
        let (pack, read) = limits(4 << 30);
        assert_eq!(
            (pack.max_packed, pack.max_unpacked, read.max_bytes),
            (4 << 30, 4 << 30, 4 << 30)
        );
    }
}
