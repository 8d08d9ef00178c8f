//! Trains the model of a protocol as durable work. What came meanwhile is judged in the transaction
//! that puts the model in use, so that nobody overtakes it.

use analytics::operations::Report;
use analytics::windows::DEFAULT_WINDOW_US;
use async_trait::async_trait;
use model::Timestamp;
use model::event::LawModelChanged;
use platform::db::DbError;
use platform::jobs::{Job, JobEnd, JobHandler};
use serde::Deserialize;

use super::judge::LawNews;
use super::learn::learn;
use super::memory::{LawMemory, LawModel, Protocol};
use super::state::LawState;
use crate::Detection;
use crate::engine::Engine;
use crate::error::DetectionError;
use crate::machines::judge::Source;
use crate::plan::{How, LawChange};
use crate::stage::Stage;
use crate::state::Phase;
use crate::store;

/// Does the training.
pub(crate) struct LawTrainer(pub(crate) Detection);

#[derive(Deserialize)]
struct Order {
    edge: String,
    protocol: Protocol,
    generation: i64,
}

#[async_trait]
impl JobHandler for LawTrainer {
    fn kind(&self) -> &'static str {
        crate::plan::LAW_JOB
    }

    async fn run(&self, job: &Job) -> JobEnd {
        let order: Order = match serde_json::from_value(job.payload.clone()) {
            Ok(order) => order,
            Err(cause) => return JobEnd::Failed { reason: cause.to_string() },
        };
        match self.0.train_law(&order).await {
            Ok(()) => JobEnd::Done,
            Err(error) => JobEnd::Retry { reason: error.to_string(), after_ms: 0 },
        }
    }
}

impl Detection {
    /// Trains and puts the model in use. Safe to run again at any point: everything it changes is one
    /// transaction at its end.
    async fn train_law(&self, order: &Order) -> Result<(), DetectionError> {
        // Learned again meanwhile, or done before a crash.
        if in_training(&*self.engine().await?, order).is_none() {
            return Ok(());
        }
        let reports = self.stored_reports(order, order.protocol.train_role()).await?;
        let protocol = order.protocol;
        let work = move || learn(protocol, vec![reports], DEFAULT_WINDOW_US);
        let model = match tokio::task::spawn_blocking(work).await {
            Ok(model) => model,
            Err(cause) if cause.is_cancelled() => return Err(DbError::Stopped.into()),
            Err(cause) => {
                tracing::error!(edge = order.edge, %cause, "the training ended abnormally");
                None
            }
        };
        match model {
            Some(model) => self.put_law_in_use(order, model).await,
            None => self.law_failed(order).await,
        }
    }

    async fn stored_reports(
        &self,
        order: &Order,
        role: &str,
    ) -> Result<Vec<Report>, DetectionError> {
        let mut connection = self.inner.platform.db.read().await?;
        let edge = &order.edge;
        let stored =
            store::machines::stored(&mut connection, edge, role, i64::MIN, i64::MAX).await?;
        let read = |(place, text): (i64, String)| {
            let report = serde_json::from_str(&text);
            if let Err(cause) = &report {
                tracing::warn!(edge, place, %cause, "a stored report cannot be read");
            }
            report.ok()
        };
        Ok(stored.into_iter().filter_map(read).collect())
    }

    async fn put_law_in_use(&self, order: &Order, model: LawModel) -> Result<(), DetectionError> {
        let mut engine = self.engine().await?;
        let Some(mut law) = in_training(&engine, order) else { return Ok(()) };
        let version = self.make_law_version(&law.row, &model).await?;
        let fact = LawModelChanged {
            edge: order.edge.clone(),
            protocol: order.protocol.word().to_owned(),
            from: law.row.version,
            to: version.number,
            reason: version.reason.clone(),
        };
        law.model = Some(model);
        law.hash.clone_from(&version.blob);
        law.memory = LawMemory::new(order.protocol);
        law.row.version = version.number;
        law.row.phase = Phase::Watching;
        law.row.reports = 0;
        law.row.waiting = 0;
        let waited = self.stored_reports(order, order.protocol.wait_role()).await?;
        let mut stage = self.stage_with(&engine).await?;
        // The judge begins with the first message that waited.
        let at_us = waited.iter().filter_map(Report::first_us).max().unwrap_or(law.row.last_us);
        let source = Source { edge: &order.edge, epoch: law.row.epoch, at_us };
        let broken = stage.judge_law(&mut law, source, &waited);
        stage.laws.insert(law.key(), law);
        let at = Timestamp::from_micros(at_us);
        let news = LawNews::of(broken);
        let parties = self.law_parties(&mut engine, &order.edge, at, &news).await?;
        stage.settle_laws(&engine, source, news, &parties)?;
        for role in [order.protocol.train_role(), order.protocol.wait_role()] {
            stage.plan.used_reports.push((order.edge.clone(), role, i64::MAX));
        }
        stage.plan.law_changes.push(LawChange {
            how: How::Add(version),
            by: "system".into(),
            fact,
        });
        self.commit_laws(&mut engine, stage).await
    }

    async fn law_failed(&self, order: &Order) -> Result<(), DetectionError> {
        let mut engine = self.engine().await?;
        let Some(mut law) = in_training(&engine, order) else { return Ok(()) };
        law.row.phase = Phase::Failed;
        law.row.reason =
            "no message could be learned from what was stored; let it learn again".to_owned();
        law.row.unjudged += law.row.waiting;
        law.row.waiting = 0;
        let mut stage = self.stage();
        for role in [order.protocol.train_role(), order.protocol.wait_role()] {
            stage.plan.used_reports.push((order.edge.clone(), role, i64::MAX));
        }
        stage.laws.insert(law.key(), law);
        self.commit_laws(&mut engine, stage).await
    }

    /// Writes what a stage changed, the models of laws among it.
    pub(crate) async fn commit_laws(
        &self,
        engine: &mut Engine,
        mut stage: Stage<'_>,
    ) -> Result<(), DetectionError> {
        stage.finish();
        let Stage { changed, laws, plan, .. } = stage;
        self.commit(engine, plan).await?;
        engine.install(changed);
        engine.laws.extend(laws);
        Ok(())
    }
}

fn in_training(engine: &Engine, order: &Order) -> Option<LawState> {
    let key = (order.edge.clone(), order.protocol);
    let own = engine.laws.get(&key)?;
    let due = own.row.generation == order.generation && own.row.phase == Phase::Training;
    due.then(|| own.clone())
}

impl Engine {
    /// The model of a protocol behind an edge.
    pub(crate) fn law(&self, edge: &str, protocol: Protocol) -> Option<&LawState> {
        self.laws.get(&(edge.to_owned(), protocol))
    }
}
