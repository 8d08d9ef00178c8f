//! Windows through the phases of their devices. Everything is worked out on copies first; the copies
//! take the place of the originals only after the transaction that holds the same changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use analytics::record::WindowRecord;
use model::{Device, DeviceId, Timestamp};
use ports::{Clock, Random};

use crate::config::Config;
use crate::engine::Engine;
use crate::error::DetectionError;
use crate::finding::{Alert, Lane, News, OpenFinding};
use crate::news::WindowNews;
use crate::plan::{FindingWrite, Plan, ScoreRow, StoredWindow};
use crate::state::{DeviceState, Phase};

/// What a batch changes.
pub(crate) struct Stage<'a> {
    config: &'a Config,
    clock: &'a dyn Clock,
    random: &'a dyn Random,
    now: Timestamp,
    pub(crate) changed: BTreeMap<DeviceId, DeviceState>,
    pub(crate) plan: Plan,
    pub(crate) news: Vec<WindowNews>,
    /// Windows of devices beyond the limit.
    pub(crate) beyond_limit: u64,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(config: &'a Config, clock: &'a dyn Clock, random: &'a dyn Random) -> Self {
        Self {
            config,
            clock,
            random,
            now: clock.now(),
            changed: BTreeMap::new(),
            plan: Plan::new(config),
            news: vec![],
            beyond_limit: 0,
        }
    }

    /// Takes the windows of one device, in the order of time.
    pub(crate) fn take(
        &mut self,
        engine: &Engine,
        (device, address): (&Device, &str),
        (edge, epoch): (&str, i64),
        records: Vec<WindowRecord>,
    ) -> Result<(), DetectionError> {
        let known = self.changed.remove(&device.id).or_else(|| engine.device(device.id).cloned());
        let mut state = match known {
            Some(state) => state,
            None if engine.device_count() + self.changed.len()
                >= self.config.max_devices as usize =>
            {
                self.beyond_limit += records.len() as u64;
                return Ok(());
            }
            None => DeviceState::new(device, edge),
        };
        state.describe(device, edge, address);
        for record in records {
            self.window(&mut state, epoch, record)?;
        }
        self.changed.insert(device.id, state);
        Ok(())
    }

    fn window(
        &mut self,
        state: &mut DeviceState,
        epoch: i64,
        record: WindowRecord,
    ) -> Result<(), DetectionError> {
        match state.row.phase {
            Phase::Learning => self.learn(state, epoch, record),
            Phase::Training | Phase::Draining => self.wait(state, epoch, record),
            Phase::Watching => {
                self.watch(state, epoch, &record);
                Ok(())
            }
            Phase::Failed => {
                state.row.unscored += 1;
                (state.row.epoch, state.row.last_us) = (epoch, record.end_us);
                Ok(())
            }
        }
    }

    fn learn(
        &mut self,
        state: &mut DeviceState,
        epoch: i64,
        record: WindowRecord,
    ) -> Result<(), DetectionError> {
        let row = &mut state.row;
        // A source that starts again sends the same time once more: it would count twice.
        if row.learned > 0 && epoch != row.epoch && record.start_us < row.last_us {
            self.plan.forget_windows(row.device);
            row.learned = 0;
        }
        if row.learned == 0 {
            (row.first_us, row.last_us) = (record.start_us, record.end_us);
        } else if row.learned_enough(record.start_us, self.config) {
            self.begin_training(state);
            return self.wait(state, epoch, record);
        }
        row.learned += 1;
        row.place += 1;
        (row.epoch, row.last_us) = (epoch, row.last_us.max(record.end_us));
        self.plan.windows.push(StoredWindow::train(row, epoch, &record));
        self.plan.scores.push(ScoreRow::new(row, &record, None));
        self.news.push(WindowNews::new(row.device, &record, None));
        Ok(())
    }

    fn begin_training(&mut self, state: &mut DeviceState) {
        state.row.phase = Phase::Training;
        self.plan.fit.push((state.row.device, state.row.generation));
    }

    fn wait(
        &mut self,
        state: &mut DeviceState,
        epoch: i64,
        record: WindowRecord,
    ) -> Result<(), DetectionError> {
        let row = &mut state.row;
        if row.waiting >= i64::from(self.config.max_waiting_windows) {
            return Err(DetectionError::Waiting {
                device: row.name.clone(),
                waiting: row.waiting,
                limit: self.config.max_waiting_windows,
            });
        }
        row.waiting += 1;
        row.place += 1;
        (row.epoch, row.last_us) = (epoch, record.end_us);
        self.plan.windows.push(StoredWindow::wait(row, epoch, &record));
        Ok(())
    }

    /// Scores a window; an alerting one opens a finding or goes on with one.
    pub(crate) fn watch(&mut self, state: &mut DeviceState, epoch: i64, record: &WindowRecord) {
        let Some(watch) = state.watch.as_ref().map(Arc::clone) else {
            state.fail("its model is not loaded".into());
            state.row.unscored += 1;
            return;
        };
        (state.row.epoch, state.row.last_us) = (epoch, record.end_us);
        let judgement = watch.judge(record, &mut state.context);
        let row = &mut state.row;
        row.scored += 1;
        row.place += 1;
        row.alerting += i64::from(judgement.alert());
        row.last_score = Some(judgement.score);
        self.plan.scores.push(ScoreRow::new(row, record, Some(&judgement)));
        self.news.push(WindowNews::new(row.device, record, Some(&judgement)));
        if !judgement.alert() {
            return;
        }
        let alert = Alert { row, watch: &watch, record, judgement: &judgement, now: self.now };
        let gap_us = self.config.finding_gap_us();
        let lane = Lane::of(&state.findings, &alert, gap_us);
        match &mut state.findings[lane as usize] {
            Some(open) if open.covers(record, gap_us) => open.extend(&alert),
            other => {
                let fresh = OpenFinding::open(ports::mint(self.clock, self.random), &alert);
                if let Some(mut ended) = other.replace(fresh)
                    && (ended.dirty || ended.pending())
                {
                    let news = ended.pending().then_some(News::Updated);
                    self.plan.write_finding(lane, &mut ended, news, self.now);
                }
            }
        }
    }

    /// Packet time has reached `at` at this edge: a quiet device may have learned enough.
    pub(crate) fn complete_to(&mut self, engine: &Engine, edge: &str, epoch: i64, at: Timestamp) {
        let at_us = at.as_micros();
        let due = |row: &crate::state::DeviceRow| {
            row.phase == Phase::Learning
                && row.edge == edge
                && row.epoch == epoch
                && row.learned_enough(at_us, self.config)
        };
        let mut ready: Vec<DeviceId> = self
            .changed
            .values()
            .chain(engine.devices())
            .filter(|state| due(&state.row))
            .map(|state| state.row.device)
            .collect();
        ready.sort_unstable();
        ready.dedup();
        for device in ready {
            let known = self.changed.remove(&device).or_else(|| engine.device(device).cloned());
            let Some(mut state) = known else { continue };
            if state.row.phase == Phase::Learning {
                self.begin_training(&mut state);
            }
            self.changed.insert(device, state);
        }
    }

    /// Closes the stage: the rows of the changed devices, and what to tell of their findings.
    pub(crate) fn finish(&mut self) {
        for state in self.changed.values_mut() {
            for (lane, open) in Lane::ALL.into_iter().zip(&mut state.findings) {
                let Some(open) = open else { continue };
                let news = open.news(self.now);
                if open.dirty || news.is_some() {
                    self.plan.write_finding(lane, open, news, self.now);
                }
            }
            self.plan.devices.push((state.row.clone(), state.context.to_json()));
        }
    }

    /// Adds the news of a finding that was only waiting for its time.
    pub(crate) fn tell_pending(&mut self, state: &DeviceState) {
        let mut open = state.findings.iter().flatten();
        if open.any(|open| open.news(self.now).is_some()) {
            self.changed.insert(state.row.device, state.clone());
        }
    }
}

impl Plan {
    /// Writes a finding as it stands and tells of it, where there is something to tell.
    pub(crate) fn write_finding(
        &mut self,
        lane: Lane,
        open: &mut OpenFinding,
        news: Option<News>,
        now: Timestamp,
    ) {
        let news = if open.tally.published.severity.is_none() { Some(News::Raised) } else { news };
        if news.is_some() {
            open.told(now);
        }
        open.dirty = false;
        self.findings.push(FindingWrite {
            lane,
            place: open.place,
            finding: open.finding.clone(),
            tally: open.tally.clone(),
            news,
        });
    }
}
