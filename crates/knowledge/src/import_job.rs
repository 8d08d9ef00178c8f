//! Imports that people follow: the file is kept until every object of it is accounted for, in the background, with counts
//! that grow. The counts of a commit and its objects are one transaction, so a node that dies goes on behind the last one.

use std::path::PathBuf;

use async_trait::async_trait;
use intel::{Prepared, Source};
use platform::jobs::{Job, JobEnd, JobHandler};
use stix::Tlp;

use crate::error::KnowledgeError;
use crate::import::{self, ImportReport, Judged, OBJECTS_PER_COMMIT, Origin};
use crate::room::Knowledge;
use crate::store::imports::{self, Kept};

/// The kind of the durable job.
pub(crate) const KIND: &str = "knowledge.import";
/// Imports that have not ended at most: each is a file on the disk.
pub(crate) const MAX_OPEN: usize = 6;
/// Imports remembered after they ended.
pub(crate) const MAX_REMEMBERED: i64 = 200;
/// Problems of one import kept at most; the rest are counted.
pub(crate) const MAX_PROBLEMS: usize = 10_000;
/// A file that killed the node so often is given up.
const MAX_TRIES: i64 = 5;

/// Stores imported files.
pub(crate) struct Importer(pub(crate) Knowledge);

#[async_trait]
impl JobHandler for Importer {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, job: &Job) -> JobEnd {
        let outcome = if job.attempts > MAX_TRIES {
            let text = format!("the node ended {MAX_TRIES} times while it read this file");
            self.0.end_import(&job.key, &text).await
        } else {
            self.0.run_import(&job.key).await
        };
        match outcome {
            Ok(()) => JobEnd::Done,
            Err(error) if job.attempts > MAX_TRIES => JobEnd::Failed { reason: error.to_string() },
            Err(error) => JobEnd::Retry { reason: error.to_string(), after_ms: 0 },
        }
    }
}

impl Knowledge {
    /// Where the file of an import waits.
    pub(crate) fn import_file(&self, id: &str) -> PathBuf {
        self.platform().data.root().join("imports").join(format!("{id}.json"))
    }

    /// Stores what is left of an import.
    pub(crate) async fn run_import(&self, id: &str) -> Result<(), KnowledgeError> {
        let mut sql = self.platform().db.read().await?;
        let kept = imports::get(&mut sql, id).await?;
        drop(sql);
        let Some(kept) = kept.filter(|kept| kept.ended_us.is_none()) else { return Ok(()) };
        let _turn = self.import_turn().await;
        let Ok(bytes) = tokio::fs::read(self.import_file(id)).await else {
            let text = "the file is not on this node any more; import it again";
            return self.end_import(id, text).await;
        };
        let max_bytes = self.config().max_import_bytes;
        let judging = move || import::judge(&bytes, max_bytes, MAX_PROBLEMS);
        let judged = match tokio::task::spawn_blocking(judging).await {
            Ok(judged) => judged,
            Err(_) => return self.end_import(id, "the file could not be judged").await,
        };
        match judged {
            Err(text) => self.end_import(id, &text).await,
            Ok(judged) => {
                self.store_judged(kept, judged).await?;
                self.end_import(id, "").await
            }
        }
    }

    /// Stores the sound objects that are not stored yet; each commit with its counts.
    async fn store_judged(&self, kept: Kept, judged: Judged) -> Result<(), KnowledgeError> {
        let Judged { sound, report } = judged;
        let id = kept.id.clone();
        if kept.state == "waiting" {
            let id = id.clone();
            let begun: Result<(), KnowledgeError> = self
                .platform()
                .db
                .write(move |tx| {
                    Box::pin(async move { Ok(imports::begin(tx.sql(), &id, &report).await?) })
                })
                .await;
            begun?;
        }
        let source = kept.source();
        let mut left = sound.into_iter().skip(usize::try_from(kept.done).unwrap_or(usize::MAX));
        loop {
            let (places, objects): (Vec<usize>, Vec<Prepared>) =
                left.by_ref().take(OBJECTS_PER_COMMIT).unzip();
            if objects.is_empty() {
                return Ok(());
            }
            self.store_counted(id.clone(), source.clone(), places, objects).await?;
        }
    }

    async fn store_counted(
        &self,
        id: String,
        source: Source,
        places: Vec<usize>,
        objects: Vec<Prepared>,
    ) -> Result<(), KnowledgeError> {
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let ids: Vec<String> = objects.iter().map(|one| one.id.clone()).collect();
                    let puts = import::store_in(tx, &source, &objects).await?;
                    let mut report = ImportReport::default();
                    report.count_all(OBJECTS_PER_COMMIT, &puts, &places, &ids);
                    let done = objects.len() as u64;
                    Ok(imports::advance(tx.sql(), &id, done, &report).await?)
                })
            })
            .await
    }

    /// An import is over; with an error nothing more of it is stored. Its file goes.
    pub(crate) async fn end_import(&self, id: &str, error: &str) -> Result<(), KnowledgeError> {
        let (wanted, text) = (id.to_owned(), error.to_owned());
        let ended: Result<(), KnowledgeError> = self
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let now_us = tx.now().as_micros();
                    Ok(imports::end(tx.sql(), &wanted, &text, now_us).await?)
                })
            })
            .await;
        ended?;
        if let Err(error) = tokio::fs::remove_file(self.import_file(id)).await
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, id, "the file of an import could not be removed");
        }
        Ok(())
    }

    /// Removes files that no import waits for: their upload was cut off when the node died.
    pub(crate) async fn sweep_imports(&self) -> Result<(), KnowledgeError> {
        let mut sql = self.platform().db.read().await?;
        let open = imports::open(&mut sql).await?;
        drop(sql);
        let folder = self.platform().data.root().join("imports");
        let Ok(mut files) = tokio::fs::read_dir(&folder).await else { return Ok(()) };
        while let Ok(Some(file)) = files.next_entry().await {
            let name = file.file_name().to_string_lossy().into_owned();
            let waits = name.strip_suffix(".json").is_some_and(|id| open.iter().any(|o| o == id));
            if !waits && let Err(error) = tokio::fs::remove_file(file.path()).await {
                tracing::warn!(%error, name, "what is left of an upload could not be removed");
            }
        }
        Ok(())
    }
}

impl Kept {
    fn source(&self) -> Source {
        // The label was read when the import was made.
        let tlp = Tlp::from_label(&self.tlp).unwrap_or(Tlp::Red);
        Origin::person(&self.made_by, &self.label, tlp).source
    }
}
