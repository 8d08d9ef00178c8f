//! Trains a machine model as durable work: after a crash it starts again from the stored reports, and
//! what came meanwhile is judged afterwards, in order.

use std::collections::HashSet;
use std::sync::Arc;

use analytics::commands::{CommandJudge, CommandLearner, CommandModel, Summary};
use async_trait::async_trait;
use model::Timestamp;
use model::event::MachineModelChanged;
use platform::db::DbError;
use platform::jobs::{Job, JobEnd, JobHandler};
use serde::Deserialize;

use super::state::MachineState;
use crate::Detection;
use crate::engine::Engine;
use crate::error::DetectionError;
use crate::plan::{MACHINE_JOB, StoredReport};
use crate::stage::Stage;
use crate::state::Phase;
use crate::store;
use crate::store::machine_models;

/// Waiting reports judged in one transaction.
const DRAINED_AT_ONCE: i64 = 500;
/// Stored reports read at once.
const READ_AT_ONCE: i64 = 1_000;
/// Length of the windows in which rates are counted, where no report tells one.
const DEFAULT_WINDOW_US: i64 = 10_000_000;

/// Does the training.
pub(crate) struct Trainer(pub(crate) Detection);

#[derive(Deserialize)]
struct Order {
    edge: String,
    generation: i64,
}

#[async_trait]
impl JobHandler for Trainer {
    fn kind(&self) -> &'static str {
        MACHINE_JOB
    }

    async fn run(&self, job: &Job) -> JobEnd {
        let order: Order = match serde_json::from_value(job.payload.clone()) {
            Ok(order) => order,
            Err(cause) => return JobEnd::Failed { reason: cause.to_string() },
        };
        match self.0.train_machine(&order).await {
            Ok(()) => JobEnd::Done,
            Err(error) => JobEnd::Retry { reason: error.to_string(), after_ms: 0 },
        }
    }
}

impl Detection {
    /// Trains, puts the model in use, and judges what waited. Safe to run again at any point.
    async fn train_machine(&self, order: &Order) -> Result<(), DetectionError> {
        let phase = self
            .engine()
            .await?
            .machine(&order.edge)
            .filter(|machine| machine.row.generation == order.generation)
            .map(|machine| machine.row.phase);
        match phase {
            Some(Phase::Training) => {}
            Some(Phase::Draining) => return self.drain_reports(order).await,
            // Learned again or written by hand meanwhile, or done before a crash.
            _ => return Ok(()),
        }
        match self.learn_machine(&order.edge).await? {
            Some(model) => self.put_trained_in_use(order, model).await?,
            None => return self.machine_failed(order).await,
        }
        self.drain_reports(order).await
    }

    /// Learns from the stored reports, a part at a time.
    async fn learn_machine(&self, edge: &str) -> Result<Option<CommandModel>, DetectionError> {
        let mut learner: Option<CommandLearner> = None;
        let mut after = i64::MIN;
        loop {
            let part = {
                let mut connection = self.inner.platform.db.read().await?;
                let role = StoredReport::TRAIN;
                store::machines::stored(&mut connection, edge, role, after, READ_AT_ONCE).await?
            };
            let Some((last, _)) = part.last() else { break };
            after = *last;
            let before = learner.take();
            let work = move || learn_part(before, &part);
            let ended = tokio::task::spawn_blocking(work).await;
            learner = ended
                .map_err(|_| DetectionError::Conflict("the training ended abnormally".into()))?;
        }
        Ok(learner.and_then(CommandLearner::finish))
    }

    async fn put_trained_in_use(
        &self,
        order: &Order,
        model: CommandModel,
    ) -> Result<(), DetectionError> {
        let text = model.to_text().map_err(|cause| DetectionError::Conflict(cause.to_string()))?;
        let mut engine = self.engine().await?;
        let Some(mut machine) = in_phase(&engine, order, Phase::Training) else { return Ok(()) };
        let reason = format!(
            "learned from {} operations over {:.0} minutes",
            model.training.operations,
            model.training.seconds / 60.0
        );
        let made = ("learned", "system", reason.as_str());
        let (row, in_use) = self.make_version(&order.edge, &text, model, made).await?;
        let fact = MachineModelChanged {
            edge: order.edge.clone(),
            from: machine.row.version,
            to: row.number,
            origin: row.origin.clone(),
            reason: row.reason.clone(),
        };
        machine.put_in_use(in_use, row.number);
        machine.row.phase = Phase::Draining;
        machine.row.reports = 0;
        self.write_machine(&mut engine, machine, "system", move |tx| {
            Box::pin(async move {
                machine_models::add(tx, &row).await?;
                store::machines::used(tx, &row.edge, StoredReport::TRAIN, i64::MAX).await?;
                Ok(fact)
            })
        })
        .await
    }

    async fn machine_failed(&self, order: &Order) -> Result<(), DetectionError> {
        let mut engine = self.engine().await?;
        let Some(mut machine) = in_phase(&engine, order, Phase::Training) else { return Ok(()) };
        machine.row.phase = Phase::Failed;
        machine.row.reason =
            "no command could be learned from what was stored; let it learn again".to_owned();
        let mut stage = self.stage();
        for role in StoredReport::COMMAND_ROLES {
            stage.plan.forget_reports(&order.edge, role);
        }
        stage.plan.machines.push(machine.row.clone());
        let Stage { plan, .. } = stage;
        self.commit(&mut engine, plan).await?;
        engine.install_machines([(order.edge.clone(), machine)]);
        Ok(())
    }

    /// Judges the reports that waited; new ones wait behind them until the last is done.
    async fn drain_reports(&self, order: &Order) -> Result<(), DetectionError> {
        loop {
            let mut engine = self.engine().await?;
            let Some(mut machine) = in_phase(&engine, order, Phase::Draining) else {
                return Ok(());
            };
            let Some(in_use) = machine.in_use.clone() else { return Ok(()) };
            let waiting = {
                let mut connection = self.inner.platform.db.read().await?;
                let role = StoredReport::WAIT;
                let (edge, limit) = (&order.edge, DRAINED_AT_ONCE);
                store::machines::stored(&mut connection, edge, role, i64::MIN, limit).await?
            };
            let reports: Vec<Summary> =
                waiting.iter().filter_map(|(_, text)| serde_json::from_str(text).ok()).collect();
            let hosts: HashSet<_> =
                reports.iter().flat_map(|report| [report.from, report.to]).collect();
            let at = Timestamp::from_micros(machine.row.last_us);
            let parties = self.parties(&engine, &order.edge, at, hosts).await?;
            let mut stage = self.stage_with(&engine).await?;
            let mut judge = CommandJudge::new(Arc::clone(&in_use.model));
            for report in &reports {
                stage.judge_report(&engine, &mut machine, &mut judge, report, &parties);
            }
            machine.row.unread += (waiting.len() - reports.len()) as i64;
            let ended = (waiting.len() as i64) < DRAINED_AT_ONCE;
            if let Some((last, _)) = waiting.last() {
                stage.plan.used_reports.push((order.edge.clone(), StoredReport::WAIT, *last));
            }
            machine.row.waiting = (machine.row.waiting - waiting.len() as i64).max(0);
            if ended {
                machine.row.waiting = 0;
                machine.row.phase = Phase::Watching;
            }
            stage.finish();
            stage.plan.machines.push(machine.row.clone());
            let Stage { changed, plan, .. } = stage;
            self.commit(&mut engine, plan).await?;
            engine.install(changed);
            engine.install_machines([(order.edge.clone(), machine)]);
            if ended {
                return Ok(());
            }
        }
    }

    /// Writes a machine model's row, with more in the same transaction, and tells of it.
    pub(crate) async fn write_machine<F>(
        &self,
        engine: &mut Engine,
        machine: MachineState,
        by: &str,
        more: F,
    ) -> Result<(), DetectionError>
    where
        F: for<'t> FnOnce(
                &'t mut platform::db::Tx,
            ) -> std::pin::Pin<
                Box<dyn Future<Output = Result<MachineModelChanged, DbError>> + Send + 't>,
            > + Send
            + 'static,
    {
        let (row, by) = (machine.row.clone(), by.to_owned());
        engine.sound = false;
        let done: Result<(), DbError> = self
            .inner
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let fact = more(tx).await?;
                    store::machines::write(tx, std::slice::from_ref(&row)).await?;
                    tx.publish(&by, &fact).await?;
                    Ok(())
                })
            })
            .await;
        done?;
        engine.sound = true;
        engine.install_machines([(machine.row.edge.clone(), machine)]);
        Ok(())
    }
}

/// Learns some stored reports; one that cannot be read is left out.
fn learn_part(learner: Option<CommandLearner>, part: &[(i64, String)]) -> Option<CommandLearner> {
    let mut learner = learner;
    for (place, text) in part {
        let report: Summary = match serde_json::from_str(text) {
            Ok(report) => report,
            Err(cause) => {
                tracing::warn!(place, %cause, "a stored report cannot be read");
                continue;
            }
        };
        let length = report.end_us - report.start_us;
        let window_us = if length > 0 { length } else { DEFAULT_WINDOW_US };
        let own = learner.get_or_insert_with(|| CommandLearner::new(window_us));
        if let Err(error) = own.take(&report) {
            tracing::warn!(place, %error, "a stored report was refused");
        }
    }
    learner
}

fn in_phase(engine: &Engine, order: &Order, phase: Phase) -> Option<MachineState> {
    engine
        .machine(&order.edge)
        .filter(|own| own.row.generation == order.generation && own.row.phase == phase)
        .cloned()
}
