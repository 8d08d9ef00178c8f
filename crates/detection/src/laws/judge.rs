//! Reports of GOOSE and MMS through the phases of their models. As for windows, everything is worked
//! out on copies that take effect with the transaction.

use std::collections::HashSet;

use analytics::host::Host;
use analytics::operations::Report;
use analytics::windows::DEFAULT_WINDOW_US;
use model::DeviceId;

use super::finding::{self, Broken};
use super::memory::{self, Protocol, Turn};
use super::state::LawState;
use crate::engine::Engine;
use crate::error::DetectionError;
use crate::finding::Lane;
use crate::machines::judge::{Parties, Source};
use crate::plan::StoredReport;
use crate::stage::Stage;
use crate::state::{DeviceState, Phase};

/// A score above which a window alerts: one scale for every detector.
const ALERTS: f64 = 1.0;
/// Silence is looked for this often, packet time.
const ADVANCED_EVERY_US: i64 = DEFAULT_WINDOW_US;

/// What is left to do once it is known whose devices are named.
#[derive(Debug, Default)]
pub(crate) struct LawNews {
    broken: Vec<Broken>,
    lessons: Vec<(Protocol, Vec<Report>)>,
}

impl LawNews {
    /// Everybody it names.
    pub(crate) fn hosts(&self) -> HashSet<Host> {
        let lessons = self.lessons.iter().flat_map(|(_, reports)| reports);
        let learned = lessons.flat_map(Report::ends);
        self.speakers().chain(learned).collect()
    }

    /// Whose broken laws are to be told.
    pub(crate) fn speakers(&self) -> impl Iterator<Item = Host> {
        self.broken.iter().map(|broken| broken.window.device)
    }

    /// Broken laws alone.
    pub(crate) const fn of(broken: Vec<Broken>) -> Self {
        Self { broken, lessons: Vec::new() }
    }
}

impl Stage<'_> {
    /// Judges the reports of a batch where there is a model; the others are told back.
    pub(crate) fn judge_laws(
        &mut self,
        engine: &Engine,
        source: Source<'_>,
        reports: Vec<Report>,
    ) -> LawNews {
        let (goose, mms): (Vec<_>, Vec<_>) =
            reports.into_iter().partition(|report| matches!(report, Report::Goose(_)));
        let mut news = LawNews::default();
        for (protocol, mut reports) in [(Protocol::Goose, goose), (Protocol::Mms, mms)] {
            reports.retain(|report| report.first_us().is_some());
            reports.sort_by_key(Report::first_us);
            let known = engine.law(source.edge, protocol).cloned();
            let Some(mut law) = known else {
                if !reports.is_empty() {
                    news.lessons.push((protocol, reports));
                }
                continue;
            };
            if law.row.phase != Phase::Watching {
                news.lessons.push((protocol, reports));
                continue;
            }
            let late = source.at_us.saturating_sub(law.row.advanced_us) >= ADVANCED_EVERY_US;
            if !reports.is_empty() || late {
                news.broken.extend(self.judge_law(&mut law, source, &reports));
                self.laws.insert(law.key(), law);
            }
        }
        news
    }

    /// Judges reports by a model in use; gives the windows that break its laws so that they alert.
    pub(crate) fn judge_law(
        &mut self,
        law: &mut LawState,
        source: Source<'_>,
        reports: &[Report],
    ) -> Vec<Broken> {
        let Some(model) = law.model.clone() else { return vec![] };
        let row = &mut law.row;
        let anew = row.epoch != source.epoch;
        row.epoch = source.epoch;
        row.advanced_us = source.at_us;
        for report in reports {
            row.judged += count(report);
            row.untold += i64::try_from(report.untold()).unwrap_or(i64::MAX);
            row.last_us = row.last_us.max(report.first_us().unwrap_or(row.last_us));
        }
        let empty = memory::LawMemory::new(row.protocol);
        let before = std::mem::replace(&mut law.memory, empty);
        let (windows, after) =
            memory::judge(&model, before, reports, Turn::of_batch(anew, source.at_us));
        law.memory = after;
        let mut alerting = Vec::new();
        for window in windows {
            let reasons = model.judge(&window);
            let broken = Broken { protocol: row.protocol, window, reasons };
            if broken.score() > ALERTS {
                alerting.push(broken);
            } else if !broken.reasons.is_empty() {
                row.informed += 1;
            }
        }
        alerting
    }

    /// Learns what is to be learned, and tells of broken laws.
    pub(crate) fn settle_laws(
        &mut self,
        engine: &Engine,
        source: Source<'_>,
        news: LawNews,
        parties: &Parties,
    ) -> Result<(), DetectionError> {
        for broken in &news.broken {
            self.tell_law(engine, source.edge, broken, parties);
        }
        for (protocol, reports) in news.lessons {
            let known = engine.law(source.edge, protocol).cloned();
            let mut law = known.unwrap_or_else(|| LawState::new(source.edge, protocol));
            // What was missing of a run would be learned as lawful: all of it is kept out.
            let against = reports.iter().any(|it| self.speaks_against(engine, it, parties));
            for report in reports {
                // A batch may span more than the learning: what comes after it is not learned.
                self.end_law_learning(&mut law, source, report.first_us().unwrap_or(source.at_us));
                match law.row.phase {
                    Phase::Learning if against => law.row.kept_out += count(&report),
                    Phase::Learning => self.learn_law(&mut law, source, &report),
                    Phase::Training | Phase::Draining => {
                        self.law_waits(&mut law, source.epoch, &report)?;
                    }
                    Phase::Watching | Phase::Failed => law.row.unjudged += count(&report),
                }
            }
            self.end_law_learning(&mut law, source, source.at_us);
            self.laws.insert(law.key(), law);
        }
        Ok(())
    }

    fn end_law_learning(&mut self, law: &mut LawState, source: Source<'_>, at_us: i64) {
        let row = &mut law.row;
        if row.phase == Phase::Learning
            && row.epoch == source.epoch
            && row.learned_enough(at_us, self.config)
        {
            row.phase = Phase::Training;
            self.plan.train_law.push((row.edge.clone(), row.protocol, row.generation));
        }
    }

    fn learn_law(&mut self, law: &mut LawState, source: Source<'_>, report: &Report) {
        let row = &mut law.row;
        let first_us = report.first_us().unwrap_or(source.at_us);
        // A source that starts again sends the same time once more: it would count twice.
        if row.reports > 0 && source.epoch != row.epoch && first_us < row.last_us {
            self.plan.forget_reports(&row.edge, row.protocol.train_role());
            (row.messages, row.reports) = (0, 0);
        }
        row.epoch = source.epoch;
        if row.reports >= i64::from(self.config.max_training_reports) {
            row.unjudged += count(report);
            return;
        }
        if row.reports == 0 {
            (row.first_us, row.last_us) = (first_us, first_us);
        }
        row.last_us = row.last_us.max(first_us);
        row.messages += count(report);
        row.untold += i64::try_from(report.untold()).unwrap_or(i64::MAX);
        row.reports += 1;
        row.place += 1;
        let (edge, role) = (row.edge.clone(), row.protocol.train_role());
        self.plan.reports.push(StoredReport::of_law((edge, role), row.place, row.epoch, report));
    }

    fn law_waits(
        &mut self,
        law: &mut LawState,
        epoch: i64,
        report: &Report,
    ) -> Result<(), DetectionError> {
        let row = &mut law.row;
        if row.waiting >= i64::from(self.config.max_waiting_windows) {
            return Err(DetectionError::Waiting {
                device: format!("{} behind {}", row.protocol.title(), row.edge),
                waiting: row.waiting,
                limit: self.config.max_waiting_windows,
            });
        }
        row.waiting += 1;
        row.place += 1;
        row.epoch = epoch;
        let (edge, role) = (row.edge.clone(), row.protocol.wait_role());
        self.plan.reports.push(StoredReport::of_law((edge, role), row.place, epoch, report));
        Ok(())
    }

    /// Whether an alert or an open incident speaks against what a report shows.
    fn speaks_against(&self, engine: &Engine, report: &Report, parties: &Parties) -> bool {
        let first = report.first_us().unwrap_or(0);
        let speaks = |id: DeviceId| {
            let state = self.changed.get(&id).or_else(|| engine.device(id));
            state.is_some_and(|state| state.alerts_in(first, first + DEFAULT_WINDOW_US))
                || self.incidents.contains(&id)
        };
        report.ends().iter().filter_map(|host| parties.get(host)).any(|device| speaks(device.id))
    }

    /// Tells of a window that broke laws, as a finding about its device.
    pub(crate) fn tell_law(
        &mut self,
        engine: &Engine,
        edge: &str,
        broken: &Broken,
        parties: &Parties,
    ) {
        let key = (edge.to_owned(), broken.protocol);
        let Some(mut law) = self.laws.remove(&key).or_else(|| engine.laws.get(&key).cloned())
        else {
            return;
        };
        match parties.get(&broken.window.device) {
            Some(device) => {
                let known = self.changed.remove(&device.id);
                let known = known.or_else(|| engine.device(device.id).cloned());
                // A publisher without IP has sent no window so far.
                let mut state = known.unwrap_or_else(|| DeviceState::new(device, edge));
                self.tell_law_of(&mut state, &mut law, broken);
                self.changed.insert(state.row.device, state);
            }
            None => law.row.unwatched += 1,
        }
        self.laws.insert(key, law);
    }

    fn tell_law_of(&mut self, state: &mut DeviceState, law: &mut LawState, broken: &Broken) {
        let now = self.now;
        let words: Vec<_> = state.normal.iter().filter(|word| word.is_active(now)).collect();
        let protocol = broken.protocol;
        let mut alerting = broken.reasons.iter().filter(|reason| reason.ratio > ALERTS);
        let by = |reason: &analytics::laws::LawReason| {
            let (name, _, technique) = protocol.law(reason.law);
            words.iter().find(|word| word.covers_law(name, technique, reason.ratio))
        };
        let first = broken.reasons.first().and_then(by).map(|word| word.id);
        if let Some(word) = first.filter(|_| alerting.all(|reason| by(reason).is_some())) {
            *self.plan.hits.entry(word).or_default() += 1;
            law.row.suppressed += 1;
            return;
        }
        law.row.unusual += 1;
        let Some(model) = &law.model else { return };
        let gap_us = self.config.finding_gap_us();
        match &mut state.findings[Lane::Laws as usize] {
            Some(open) if finding::covers(open, broken, gap_us) => {
                finding::extend(open, model, broken);
            }
            _ => {
                // Places order the findings of a device; laws have none of their own.
                state.row.place += 1;
                let id = ports::mint(self.clock, self.random);
                let fresh = finding::open(id, &state.row, (model, &law.hash), broken, self.now);
                self.put(state, Lane::Laws, fresh);
            }
        }
    }
}

fn count(report: &Report) -> i64 {
    i64::try_from(report.count()).unwrap_or(i64::MAX)
}
