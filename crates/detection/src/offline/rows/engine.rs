//! Learns from the rows of a benign time and judges later ones.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use analytics::detector::Detector;
use analytics::goose::{GooseJudge, GooseLearner, GooseModel};
use analytics::host::Host;
use analytics::laws::LawWindow;
use analytics::mms::{MmsJudge, MmsLearner, MmsModel};
use analytics::model_file::ModelFile;
use analytics::policy::DevicePolicy;
use analytics::record::WindowRecord;
use analytics::rows::{
    Feature, FlowWindower, GenericJudge, GenericLearner, GenericModel, GenericReason,
};
use analytics::train::{MAX_TRAINING_WINDOWS, TrainOptions};
use analytics::windows::DEFAULT_WINDOW_US;

use super::columns::{Columns, Shape};
use super::messages::{GooseRow, MmsRow, cells, flow};
use super::parse::{host, time_us};
use super::table::Row;
use super::{Groups, RowSummary, RowsError, RowsSpec, open};
use crate::laws::memory::LawModel;
use crate::offline::laws;
use crate::offline::scored::{ScoredWindow, Why, WhyValue};

/// Reasons told of a window.
const REASONS: usize = 3;
/// Name of the joint judgement.
const ENSEMBLE: &str = "ensemble";
/// Runs judged side by side; rows of one run come together in sound files.
const MAX_OPEN_RUNS: usize = 4_096;

/// Models of one row scenario.
#[derive(Clone, Debug)]
pub struct RowModels {
    /// What the rows were.
    pub shape: Shape,
    /// Publishers, for rows of GOOSE.
    pub goose: Option<Arc<GooseModel>>,
    /// Associations, for rows of MMS.
    pub mms: Option<Arc<MmsModel>>,
    /// Windows of flows, where rows name two ends.
    pub windows: Option<ModelFile>,
    /// Rows of unknown meaning, with the names of their columns.
    pub generic: Option<(GenericModel, Vec<String>)>,
    /// What was read.
    pub summary: RowSummary,
}

/// Every judged window, by detector.
#[derive(Clone, Debug)]
pub struct RowScores {
    /// Windows of all detectors; `detector` tells which, `ensemble` joins them.
    pub windows: Vec<ScoredWindow>,
    /// What was read.
    pub summary: RowSummary,
}

/// Reads a file row by row.
fn read(
    path: &Path,
    spec: &RowsSpec,
    mut each: impl FnMut(&Columns, &[String], &Row, Option<Arc<str>>) -> Result<(), &'static str>,
) -> Result<(Shape, Vec<String>, RowSummary), RowsError> {
    let (mut table, columns) = open(path, spec)?;
    let names = table.columns().to_vec();
    let (mut summary, mut groups) = (RowSummary::default(), Groups::default());
    while let Some(row) = table.next_row()? {
        summary.rows += 1;
        let group = groups.get(columns.text(row, "group"));
        if let Err(reason) = each(&columns, &names, row, group) {
            summary.skip(row.number, reason);
        }
        if summary.rows >= super::MAX_ROWS {
            break;
        }
    }
    Ok((columns.shape(), names, summary))
}

fn policy(spec: &RowsSpec) -> DevicePolicy {
    if spec.devices.is_empty() {
        DevicePolicy::Local
    } else {
        DevicePolicy::Listed(spec.devices.clone())
    }
}

/// Learns from the training rows.
///
/// # Errors
/// When the file cannot be read, breaks its form, or holds nothing to learn from.
pub fn learn(path: &Path, spec: &RowsSpec, options: &TrainOptions) -> Result<RowModels, RowsError> {
    let window_us = DEFAULT_WINDOW_US;
    let (mut goose, mut mms) = (GooseLearner::new(window_us), MmsLearner::new(window_us));
    let mut generic = GenericLearner::new(window_us);
    let (mut goose_row, mut fields) = (GooseRow::default(), Vec::new());
    let mut free: Vec<usize> = Vec::new();
    let (shape, names, summary) = read(path, spec, |columns, _, row, group| {
        match columns.shape() {
            Shape::Goose => goose.push(group.as_deref(), &goose_row.read(columns, row)?),
            Shape::Mms => mms.push(&MmsRow::read(columns, row)?),
            Shape::Flow => {
                flow(columns, row)?;
            }
            Shape::Other => {
                let (device, ts_us) = place_of(columns, row)?;
                if free.is_empty() {
                    free = columns.free().collect();
                }
                cells(&free, row, &mut fields);
                generic.push(group.as_ref(), device, ts_us, &fields);
            }
        }
        Ok(())
    })?;
    let mut models = RowModels {
        shape,
        goose: goose.finish().map(Arc::new),
        mms: mms.finish().map(Arc::new),
        windows: None,
        generic: None,
        summary,
    };
    if shape == Shape::Other {
        let model = generic.finish(options.alpha);
        let named = free.iter().map(|place| names[*place].clone()).collect();
        models.generic = model.map(|model| (model, named));
    } else {
        models.windows = learn_windows(path, spec, options)?;
    }
    let learned = models.goose.is_some()
        || models.mms.is_some()
        || models.windows.is_some()
        || models.generic.is_some();
    if learned {
        return Ok(models);
    }
    let reason = models.summary.reasons.first();
    let problem = match reason {
        Some((row, reason)) => {
            format!("{} rows skipped, row {row}: {reason}", models.summary.skipped)
        }
        None => format!("{} rows, too few windows for a model", models.summary.rows),
    };
    Err(RowsError::Nothing { path: path.to_path_buf(), problem })
}

fn learn_windows(
    path: &Path,
    spec: &RowsSpec,
    options: &TrainOptions,
) -> Result<Option<ModelFile>, RowsError> {
    let (records, _) = records(path, spec)?;
    let mut plain: Vec<WindowRecord> = records.into_iter().map(|(_, record)| record).collect();
    plain.truncate(MAX_TRAINING_WINDOWS);
    plain.sort_by_key(|record| (record.start_us, record.device));
    let trained = analytics::train::train(&plain, options, |_| {}).ok();
    Ok(trained.map(|trained| ModelFile::new(trained, options, DEFAULT_WINDOW_US, policy(spec))))
}

/// Rows as windows of counts, for every detector that judges captures: each row counts as a flow, or
/// as one packet where it tells none. Windows never cross runs.
///
/// # Errors
/// When the file cannot be read or breaks its form.
#[allow(clippy::type_complexity)]
pub fn records(
    path: &Path,
    spec: &RowsSpec,
) -> Result<(Vec<(Option<Arc<str>>, WindowRecord)>, RowSummary), RowsError> {
    let mut runs: BTreeMap<Option<Arc<str>>, FlowWindower> = BTreeMap::new();
    let mut done = Vec::new();
    let (_, _, summary) = read(path, spec, |columns, _, row, group| {
        let flow = flow(columns, row)?;
        if runs.len() >= MAX_OPEN_RUNS && !runs.contains_key(&group) {
            // Runs come one after the other: the first opened is over.
            if let Some((group, mut run)) = runs.pop_first() {
                run.finish();
                done.extend(run.take_ready().into_iter().map(|record| (group.clone(), record)));
            }
        }
        runs.entry(group)
            .or_insert_with(|| FlowWindower::new(DEFAULT_WINDOW_US, policy(spec)))
            .push(&flow);
        Ok(())
    })?;
    for (group, mut run) in runs {
        run.finish();
        done.extend(run.take_ready().into_iter().map(|record| (group.clone(), record)));
    }
    done.sort_by(|(a, x), (b, y)| (x.start_us, x.device, a).cmp(&(y.start_us, y.device, b)));
    Ok((done, summary))
}

/// Device and time of a row of unknown meaning; rows without address belong to one device.
fn place_of(columns: &Columns, row: &Row) -> Result<(Host, i64), &'static str> {
    let ts_us = time_us(columns.text(row, "time")).ok_or("no time")?;
    let device = ["src_ip", "src_mac", "dst_ip", "dst_mac"]
        .iter()
        .find_map(|end| host(columns.text(row, end)))
        .unwrap_or(Host::v4([0, 0, 0, 0].into()));
    Ok((device, ts_us))
}

/// Judges the rows of a file.
///
/// # Errors
/// When the file cannot be read or breaks its form.
pub fn score(path: &Path, spec: &RowsSpec, models: &RowModels) -> Result<RowScores, RowsError> {
    let mut judges = Judges::new(models);
    let (_, _, summary) =
        read(path, spec, |columns, _, row, group| judges.push(columns, row, group))?;
    let mut windows = judges.finish();
    if let Some(file) = &models.windows {
        windows.extend(score_windows(path, spec, file, models.shape)?);
    }
    if !spec.devices.is_empty() {
        let protected: Vec<Arc<str>> =
            spec.devices.iter().map(|device| device.to_string().into()).collect();
        windows.retain(|window| models.generic.is_some() || protected.contains(&window.device));
    }
    windows.sort_by(|a, b| {
        (a.start_us, &a.device, &a.group, a.detector)
            .cmp(&(b.start_us, &b.device, &b.group, b.detector))
    });
    Ok(RowScores { windows, summary })
}

/// The judges of messages and unknown rows.
struct Judges<'m> {
    models: &'m RowModels,
    goose: Option<(Option<Arc<str>>, GooseJudge)>,
    mms: Option<(Option<Arc<str>>, MmsJudge)>,
    generic: GenericJudge,
    free: Vec<usize>,
    goose_row: GooseRow,
    fields: Vec<analytics::rows::Cell>,
    laws: Vec<LawWindow>,
}

impl<'m> Judges<'m> {
    fn new(models: &'m RowModels) -> Self {
        Self {
            models,
            goose: None,
            mms: None,
            generic: GenericJudge::new(DEFAULT_WINDOW_US),
            free: Vec::new(),
            goose_row: GooseRow::default(),
            fields: Vec::new(),
            laws: Vec::new(),
        }
    }

    fn push(
        &mut self,
        columns: &Columns,
        row: &Row,
        group: Option<Arc<str>>,
    ) -> Result<(), &'static str> {
        let window_us = DEFAULT_WINDOW_US;
        if let Some(model) = &self.models.goose {
            let message = self.goose_row.read(columns, row)?;
            if self.goose.as_ref().is_some_and(|(run, _)| *run != group) {
                self.laws
                    .extend(self.goose.take().map(|mut run| run.1.finish()).unwrap_or_default());
            }
            let fresh = || GooseJudge::new(Arc::clone(model), window_us, group.clone());
            self.goose.get_or_insert_with(|| (group.clone(), fresh())).1.push(&message);
        } else if let Some(model) = &self.models.mms {
            let message = MmsRow::read(columns, row)?;
            if self.mms.as_ref().is_some_and(|(run, _)| *run != group) {
                self.laws.extend(self.mms.take().map(|mut run| run.1.finish()).unwrap_or_default());
            }
            let fresh = || MmsJudge::new(Arc::clone(model), window_us, group.clone());
            self.mms.get_or_insert_with(|| (group.clone(), fresh())).1.push(&message);
        } else if self.models.generic.is_some() {
            let (device, ts_us) = place_of(columns, row)?;
            if self.free.is_empty() {
                self.free = columns.free().collect();
            }
            cells(&self.free, row, &mut self.fields);
            self.generic.push(group.as_ref(), device, ts_us, &self.fields);
        }
        Ok(())
    }

    fn finish(mut self) -> Vec<ScoredWindow> {
        self.laws.extend(self.goose.take().map(|mut run| run.1.finish()).unwrap_or_default());
        self.laws.extend(self.mms.take().map(|mut run| run.1.finish()).unwrap_or_default());
        let mut scored = Vec::new();
        let mut put = |window: ScoredWindow| {
            scored.push(ScoredWindow { detector: ENSEMBLE, ..window.clone() });
            scored.push(window);
        };
        let goose = self.models.goose.as_ref().map(|model| LawModel::Goose(Arc::clone(model)));
        let mms = self.models.mms.as_ref().map(|model| LawModel::Mms(Arc::clone(model)));
        if let Some(model) = goose.or(mms) {
            for window in &self.laws {
                put(laws::scored(window.device.to_string().into(), window, &model));
            }
        }
        if let Some((model, names)) = &self.models.generic {
            for (window, reasons) in self.generic.finish(model) {
                let score = reasons.first().map_or(0.0, |reason| reason.ratio);
                put(ScoredWindow {
                    device: window.device.to_string().into(),
                    group: window.group.clone(),
                    start_us: window.start_us,
                    end_us: window.end_us,
                    score,
                    alert: score > 1.0,
                    detector: "rows",
                    why: reasons.iter().take(REASONS).map(|r| why_of(r, names)).collect(),
                });
            }
        }
        scored
    }
}

fn why_of(reason: &GenericReason, names: &[String]) -> Why {
    let column = |place: usize| names.get(place).map_or("?", String::as_str).to_owned();
    let metric = match reason.feature {
        Feature::Rows => "rows".to_owned(),
        Feature::Mean(place) => format!("mean of {}", column(place)),
        Feature::Smallest(place) => format!("smallest {}", column(place)),
        Feature::Largest(place) => format!("largest {}", column(place)),
        Feature::Different(place) => format!("different values of {}", column(place)),
        Feature::New(place) => format!("new values of {}", column(place)),
    };
    Why {
        metric: Cow::Owned(metric),
        measured: WhyValue::Number(reason.measured),
        expected: WhyValue::Number(reason.expected),
    }
}

fn score_windows(
    path: &Path,
    spec: &RowsSpec,
    file: &ModelFile,
    shape: Shape,
) -> Result<Vec<ScoredWindow>, RowsError> {
    let (records, _) = records(path, spec)?;
    let mut scored = Vec::new();
    let (mut run, mut detector) = (None, Detector::new(file.clone()));
    for (group, record) in records {
        if run != group {
            // A run starts without the context of the one before.
            (run, detector) = (group.clone(), Detector::new(file.clone()));
        }
        let verdict = detector.judge(&record);
        let device: Arc<str> = record.device.to_string().into();
        let window = ScoredWindow { group, ..ScoredWindow::of_verdict(device, &record, &verdict) };
        let window = ScoredWindow { detector: "windows", ..window };
        if shape == Shape::Flow {
            scored.push(ScoredWindow { detector: ENSEMBLE, ..window.clone() });
        }
        scored.push(window);
    }
    Ok(scored)
}
