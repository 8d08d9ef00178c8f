//! Windows through the phases of their devices. Everything is worked out on copies first; the copies
//! take the place of the originals only after the transaction that holds the same changes.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use analytics::guard::flood::{Place, gives_way};
use analytics::record::WindowRecord;
use model::{Device, DeviceId, Timestamp};
use ports::{Clock, Random};

use crate::config::Config;
use crate::engine::{Engine, Priors};
use crate::error::DetectionError;
use crate::finding::{GuardNews, Lane, News, OpenFinding, UPDATE_PAUSE_US};
use crate::laws::state::{LawKey, LawState};
use crate::machines::state::MachineState;
use crate::news::WindowNews;
use crate::plan::{FindingWrite, Plan, ScoreRow, StoredWindow};
use crate::state::{DeviceState, Phase};

/// What a batch changes.
pub(crate) struct Stage<'a> {
    pub(crate) config: &'a Config,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) random: &'a dyn Random,
    pub(crate) now: Timestamp,
    /// Models that learning devices borrow.
    pub(crate) priors: Arc<Priors>,
    /// Devices with an open incident: nothing is learned from them.
    pub(crate) incidents: Arc<HashSet<DeviceId>>,
    pub(crate) changed: BTreeMap<DeviceId, DeviceState>,
    pub(crate) machines: BTreeMap<String, MachineState>,
    pub(crate) laws: BTreeMap<LawKey, LawState>,
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
            priors: Arc::default(),
            incidents: Arc::default(),
            changed: BTreeMap::new(),
            machines: BTreeMap::new(),
            laws: BTreeMap::new(),
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
        (records, kind): (Vec<WindowRecord>, Option<String>),
    ) -> Result<(), DetectionError> {
        let known = self.changed.remove(&device.id).or_else(|| engine.device(device.id).cloned());
        let mut state = match known {
            Some(state) => state,
            None if self.is_full(engine, &records) => {
                self.beyond_limit += records.len() as u64;
                return Ok(());
            }
            None => DeviceState::new(device, edge),
        };
        state.describe(device, edge, address);
        state.memory.kind = kind.or(state.memory.kind.take());
        for record in records {
            self.window(&mut state, epoch, record)?;
        }
        self.changed.insert(device.id, state);
        Ok(())
    }

    /// Whether there is no place for one more device. A device met briefly long ago gives way.
    fn is_full(&mut self, engine: &Engine, records: &[WindowRecord]) -> bool {
        let new = self.changed.keys().filter(|id| engine.device(**id).is_none()).count();
        let taken = (engine.device_count() + new).saturating_sub(self.plan.removed.len());
        if taken < self.config.max_devices as usize {
            return false;
        }
        let now_us = records.first().map_or(0, |record| record.start_us);
        let free =
            |id: &DeviceId| !self.changed.contains_key(id) && !self.plan.removed.contains(id);
        let places = engine.devices().filter(|state| free(&state.row.device)).map(|state| Place {
            id: state.row.device,
            learned: state.row.learned,
            last_us: state.row.last_us,
            watched: state.row.phase != Phase::Learning || state.row.generation > 0,
        });
        match gives_way(places, now_us) {
            Some(device) => {
                self.plan.removed.insert(device);
                false
            }
            None => true,
        }
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
        (row.epoch, row.last_us) = (epoch, row.last_us.max(record.end_us));
        let borrowed = self.judge_borrowed(state, &record);
        if borrowed.as_ref().is_some_and(|(_, alert)| *alert) {
            // Learned is only what nothing speaks against.
            return Ok(());
        }
        let row = &mut state.row;
        row.learned += 1;
        row.place += i64::from(borrowed.is_none());
        self.plan.windows.push(StoredWindow::train(row, epoch, &record));
        let judgement = borrowed.as_ref().map(|(judgement, _)| judgement);
        self.plan.scores.push(ScoreRow::new(row, &record, judgement));
        self.news.push(WindowNews::new(row.device, &record, judgement));
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

    /// Closes the stage: the rows of the changed devices, and what to tell of their findings: what
    /// goes on, at most once a group and pause.
    pub(crate) fn finish(&mut self) {
        for law in self.laws.values() {
            self.plan.laws.push((law.row.clone(), law.memory.to_json()));
        }
        for state in self.changed.values_mut() {
            let told: Vec<_> = state
                .findings
                .iter()
                .flatten()
                .map(|open| (open.finding.id, about(open), open.tally.published.at))
                .collect();
            for (lane, open) in Lane::ALL.into_iter().zip(&mut state.findings) {
                let Some(open) = open else { continue };
                let crowded = told.iter().any(|(id, what, at)| {
                    *id != open.finding.id
                        && *what == about(open)
                        && self.now.micros_since(*at) < UPDATE_PAUSE_US
                });
                let news = open.news(self.now).filter(|_| !crowded || open.is_urgent());
                if open.dirty || news.is_some() {
                    self.plan.write_finding(lane, open, news, self.now);
                }
            }
            let (context, memory) = (state.context.to_json(), state.memory.to_json());
            self.plan.devices.push((state.row.clone(), context, memory));
        }
    }

    /// Tells of a flood through an edge, as a finding about the edge itself.
    pub(crate) fn tell_flood(&mut self, edge: &str, (devices, windows): (u64, u64), at: Timestamp) {
        let mut row = crate::state::DeviceRow::of_edge(edge);
        row.last_us = at.as_micros();
        let news = GuardNews::Flood { source: edge.to_owned(), devices, windows };
        let id = ports::mint(self.clock, self.random);
        let mut open = news.open(id, &row, at.as_micros(), self.now);
        self.plan.write_finding(Lane::Model, &mut open, None, self.now);
    }

    /// Adds the news of a finding that was only waiting for its time.
    pub(crate) fn tell_pending(&mut self, state: &DeviceState) {
        let mut open = state.findings.iter().flatten();
        if open.any(|open| open.news(self.now).is_some()) {
            self.changed.insert(state.row.device, state.clone());
        }
    }
}

/// What a finding is about, as far as groups are concerned.
fn about(open: &OpenFinding) -> (model::AttackKind, Option<String>) {
    let technique = open.finding.techniques.first();
    (open.finding.kind, technique.map(|technique| technique.id.clone()))
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
