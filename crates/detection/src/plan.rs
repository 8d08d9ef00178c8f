//! What one transaction writes.

use std::collections::{BTreeMap, BTreeSet};

use analytics::commands::Summary;
use analytics::guard::keys::Key;
use analytics::metrics::Metric;
use analytics::model::Judgement;
use analytics::operations::Report;
use analytics::record::WindowRecord;
use model::event::{FindingGrouped, FindingRaised, FindingUpdated, LawModelChanged};
use model::{DeviceId, Finding, FindingId, SuppressionId};
use platform::db::{DbError, Tx};
use serde_json::json;

use crate::config::Config;
use crate::finding::{Lane, News, Tally};
use crate::laws::memory::Protocol;
use crate::laws::state::LawRow;
use crate::machines::state::MachineRow;
use crate::state::DeviceRow;
use crate::store::law_models::{self, LawModelRow};
use crate::{groups, store};

/// Kind of the durable work that fits a model.
pub(crate) const FIT_JOB: &str = "detection.fit";
/// Kind of the durable work that fits a watched device's model again.
pub(crate) const REFIT_JOB: &str = "detection.refit";
/// Kind of the durable work that fits pooled models.
pub(crate) const PRIOR_JOB: &str = "detection.prior";
/// Kind of the durable work that trains the machine model of an edge.
pub(crate) const MACHINE_JOB: &str = "detection.machine";
/// Kind of the durable work that trains the model of GOOSE or MMS behind an edge.
pub(crate) const LAW_JOB: &str = "detection.law";
/// Scores older than the limit are removed each time so many new ones came.
const SCORES_BETWEEN_CLEANINGS: i64 = 512;

/// A window that waits, for the fitting or for its end.
#[derive(Clone, Debug)]
pub(crate) struct StoredWindow {
    pub(crate) device: DeviceId,
    pub(crate) role: &'static str,
    pub(crate) place: i64,
    pub(crate) epoch: i64,
    pub(crate) record: String,
}

impl StoredWindow {
    pub(crate) const TRAIN: &'static str = "train";
    pub(crate) const WAIT: &'static str = "wait";

    pub(crate) fn train(row: &DeviceRow, epoch: i64, record: &WindowRecord) -> Self {
        Self::new(row, epoch, record, Self::TRAIN)
    }

    pub(crate) fn wait(row: &DeviceRow, epoch: i64, record: &WindowRecord) -> Self {
        Self::new(row, epoch, record, Self::WAIT)
    }

    fn new(row: &DeviceRow, epoch: i64, record: &WindowRecord, role: &'static str) -> Self {
        // A record was read from JSON and always prints; an empty text would be found on reading.
        let record = serde_json::to_string(record).unwrap_or_default();
        Self { device: row.device, role, place: row.place, epoch, record }
    }
}

/// A report of operations that waits, for the training or for its end.
#[derive(Clone, Debug)]
pub(crate) struct StoredReport {
    pub(crate) edge: String,
    pub(crate) role: &'static str,
    pub(crate) place: i64,
    pub(crate) epoch: i64,
    pub(crate) report: String,
}

impl StoredReport {
    pub(crate) const TRAIN: &'static str = "train";
    pub(crate) const WAIT: &'static str = "wait";
    /// Both roles of reports of commands.
    pub(crate) const COMMAND_ROLES: [&'static str; 2] = [Self::TRAIN, Self::WAIT];

    pub(crate) fn new(row: &MachineRow, role: &'static str, report: &Summary) -> Self {
        // It was read from JSON and always prints.
        let report = serde_json::to_string(report).unwrap_or_default();
        Self { edge: row.edge.clone(), role, place: row.place, epoch: row.epoch, report }
    }

    /// A report of GOOSE or MMS.
    pub(crate) fn of_law(
        (edge, role): (String, &'static str),
        place: i64,
        epoch: i64,
        report: &Report,
    ) -> Self {
        let report = serde_json::to_string(report).unwrap_or_default();
        Self { edge, role, place, epoch, report }
    }
}

/// What becomes of the versions of a model of laws, and what is told of it.
#[derive(Clone, Debug)]
pub(crate) struct LawChange {
    pub(crate) how: How,
    /// Who did it.
    pub(crate) by: String,
    pub(crate) fact: LawModelChanged,
}

/// In which way.
#[derive(Clone, Debug)]
pub(crate) enum How {
    /// A new version is in use.
    Add(LawModelRow),
    /// An earlier one is in use again.
    Activate(LawModelRow),
    /// None is in use.
    Retire(String, Protocol),
}

impl LawChange {
    async fn write(&self, tx: &mut Tx) -> Result<(), DbError> {
        match &self.how {
            How::Add(row) => law_models::add(tx, row).await?,
            How::Activate(row) => law_models::activate(tx, row).await?,
            How::Retire(edge, protocol) => law_models::retire(tx, edge, *protocol).await?,
        }
        tx.publish(&self.by, &self.fact).await?;
        Ok(())
    }
}

/// A window kept to learn from or to compare models on.
#[derive(Clone, Debug)]
pub(crate) struct KeptWindow {
    pub(crate) device: DeviceId,
    pub(crate) place: i64,
    pub(crate) role: &'static str,
    pub(crate) epoch: i64,
    pub(crate) score: Option<f64>,
    pub(crate) finding: Option<FindingId>,
    pub(crate) record: String,
}

/// A row of `detection_scores`.
#[derive(Clone, Debug)]
pub(crate) struct ScoreRow {
    pub(crate) device: DeviceId,
    pub(crate) epoch: i64,
    pub(crate) start_us: i64,
    pub(crate) end_us: i64,
    pub(crate) place: i64,
    /// Nothing while the device learns.
    pub(crate) score: Option<f64>,
    pub(crate) alert: bool,
    /// Packets out, in; bytes out, in.
    pub(crate) traffic: [i64; 4],
    pub(crate) top: Option<(&'static str, f64, f64)>,
}

impl ScoreRow {
    /// A window that was judged, or learned from.
    pub(crate) fn new(
        row: &DeviceRow,
        record: &WindowRecord,
        judgement: Option<&Judgement>,
    ) -> Self {
        let count = |metric| i64::try_from(record.count(metric)).unwrap_or(i64::MAX);
        Self {
            device: row.device,
            epoch: row.epoch,
            start_us: record.start_us,
            end_us: record.end_us,
            place: row.place,
            score: judgement.map(|judgement| judgement.score),
            alert: judgement.is_some_and(Judgement::alert),
            traffic: [
                count(Metric::PacketsOut),
                count(Metric::PacketsIn),
                count(Metric::BytesOut),
                count(Metric::BytesIn),
            ],
            top: judgement
                .and_then(|judgement| judgement.reasons().next())
                .map(|reason| (reason.metric.name(), reason.measured, reason.expected)),
        }
    }
}

/// A finding to write, and what to tell of it.
#[derive(Clone, Debug)]
pub(crate) struct FindingWrite {
    pub(crate) lane: Lane,
    pub(crate) place: i64,
    pub(crate) finding: Finding,
    pub(crate) tally: Tally,
    pub(crate) news: Option<News>,
}

/// A batch that was taken.
#[derive(Clone, Debug)]
pub(crate) struct BatchRow {
    pub(crate) edge: String,
    pub(crate) epoch: i64,
    pub(crate) seq: i64,
    pub(crate) windows: i64,
    pub(crate) refused: i64,
}

/// Everything one transaction writes, in this order.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) batch: Option<BatchRow>,
    /// Devices met briefly that give way to others.
    pub(crate) removed: BTreeSet<DeviceId>,
    /// Devices whose stored windows are of no use any more.
    forget: Vec<DeviceId>,
    pub(crate) windows: Vec<StoredWindow>,
    /// Stored windows that were used: device, role, up to this place.
    pub(crate) used: Vec<(DeviceId, &'static str, i64)>,
    /// Row, context memory and guards' memory.
    pub(crate) devices: Vec<(DeviceRow, String, String)>,
    pub(crate) kept: Vec<KeptWindow>,
    pub(crate) keys: Vec<(DeviceId, Vec<Key>)>,
    /// Windows that suppressions covered.
    pub(crate) hits: BTreeMap<SuppressionId, i64>,
    pub(crate) scores: Vec<ScoreRow>,
    pub(crate) findings: Vec<FindingWrite>,
    /// Models to fit: device and generation.
    pub(crate) fit: Vec<(DeviceId, i64)>,
    /// Models to fit again: device, generation and packet time.
    pub(crate) refit: Vec<(DeviceId, i64, i64)>,
    /// Machine models of edges as they stand.
    pub(crate) machines: Vec<MachineRow>,
    /// Edges whose stored reports of a role are of no use any more.
    forget_reports: Vec<(String, &'static str)>,
    pub(crate) reports: Vec<StoredReport>,
    /// Stored reports that were used: edge, role, up to this place.
    pub(crate) used_reports: Vec<(String, &'static str, i64)>,
    /// Machine models to train: edge and generation.
    pub(crate) train_machine: Vec<(String, i64)>,
    /// Models of laws as they stand, with what their judges remember.
    pub(crate) laws: Vec<(LawRow, String)>,
    pub(crate) law_changes: Vec<LawChange>,
    /// Models of laws to train: edge, protocol and generation.
    pub(crate) train_law: Vec<(String, Protocol, i64)>,
    max_scores: i64,
    max_findings: i64,
    max_kept: i64,
    group_gap_us: i64,
}

impl Plan {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            max_scores: i64::from(config.max_scores_per_device),
            max_findings: i64::from(config.max_findings_per_device),
            max_kept: i64::from(config.max_kept_windows),
            group_gap_us: config.group_gap_us(),
            ..Self::default()
        }
    }

    /// The stored windows of a device are gone, also those of this plan.
    pub(crate) fn forget_windows(&mut self, device: DeviceId) {
        self.windows.retain(|window| window.device != device);
        self.forget.push(device);
    }

    /// The stored reports of an edge for a role are gone, also those of this plan.
    pub(crate) fn forget_reports(&mut self, edge: &str, role: &'static str) {
        self.reports.retain(|report| report.edge != edge || report.role != role);
        self.forget_reports.push((edge.to_owned(), role));
    }

    /// Writes it.
    pub(crate) async fn execute(self, tx: &mut Tx) -> Result<(), DbError> {
        if let Some(batch) = &self.batch {
            store::windows::take_batch(tx, batch).await?;
        }
        for device in &self.removed {
            store::windows::forget(tx, *device).await?;
            store::devices::remove(tx, *device).await?;
        }
        for device in &self.forget {
            store::windows::forget(tx, *device).await?;
        }
        for window in &self.windows {
            store::windows::keep(tx, window).await?;
        }
        for (device, role, place) in &self.used {
            store::windows::used(tx, *device, role, *place).await?;
        }
        for (row, context, memory) in &self.devices {
            store::devices::write(tx, row, context, memory).await?;
        }
        store::kept::keep(tx, &self.kept).await?;
        for (device, keys) in &self.keys {
            store::kept::add_keys(tx, *device, keys).await?;
        }
        for (suppression, windows) in &self.hits {
            store::suppressions::hit(tx, *suppression, *windows).await?;
        }
        store::scores::insert(tx, &self.scores).await?;
        self.clean_scores(tx).await?;
        for write in &self.findings {
            self.write_finding_row(tx, write).await?;
        }
        for (device, generation) in &self.fit {
            let (key, now) = (format!("{device}/{generation}"), tx.now());
            let payload = json!({ "device": device, "generation": generation });
            tx.enqueue(FIT_JOB, &key, &payload, now).await?;
        }
        store::machines::write(tx, &self.machines).await?;
        for (edge, role) in &self.forget_reports {
            store::machines::used(tx, edge, role, i64::MAX).await?;
        }
        store::machines::keep(tx, &self.reports).await?;
        for (edge, role, place) in &self.used_reports {
            store::machines::used(tx, edge, role, *place).await?;
        }
        for (edge, generation) in &self.train_machine {
            let (key, now) = (format!("{edge}/{generation}"), tx.now());
            let payload = json!({ "edge": edge, "generation": generation });
            tx.enqueue(MACHINE_JOB, &key, &payload, now).await?;
        }
        store::laws::write(tx, &self.laws).await?;
        for change in &self.law_changes {
            change.write(tx).await?;
        }
        for (edge, protocol, generation) in &self.train_law {
            let word = protocol.word();
            let (key, now) = (format!("{edge}/{word}/{generation}"), tx.now());
            let payload = json!({ "edge": edge, "protocol": protocol, "generation": generation });
            tx.enqueue(LAW_JOB, &key, &payload, now).await?;
        }
        for (device, generation, at_us) in &self.refit {
            let (key, now) = (format!("{device}/{generation}/{at_us}"), tx.now());
            let payload = json!({ "device": device, "generation": generation, "at_us": at_us });
            tx.enqueue(REFIT_JOB, &key, &payload, now).await?;
        }
        Ok(())
    }

    async fn clean_scores(&self, tx: &mut Tx) -> Result<(), DbError> {
        let due = self.scores.iter().filter(|score| score.place % SCORES_BETWEEN_CLEANINGS == 0);
        for score in due {
            store::scores::clean(tx, score.device, score.place - self.max_scores).await?;
            store::kept::clean(tx, score.device, self.max_kept).await?;
        }
        Ok(())
    }

    async fn write_finding_row(&self, tx: &mut Tx, write: &FindingWrite) -> Result<(), DbError> {
        store::findings::write(tx, write).await?;
        let finding = write.finding.clone();
        if write.news.is_some()
            && let Some(group) = groups::join(tx, &finding, self.group_gap_us).await?
        {
            let actor = "system";
            tx.publish(actor, &FindingGrouped { group, finding: finding.id }).await?;
        }
        match write.news {
            Some(News::Raised) => {
                store::findings::clean(tx, finding.device, self.max_findings).await?;
                tx.publish("system", &FindingRaised { finding }).await?;
            }
            Some(News::Updated) => {
                tx.publish("system", &FindingUpdated { finding }).await?;
            }
            None => {}
        }
        Ok(())
    }
}
