//! What happens with a window of a watched device: it is judged, told of, and perhaps learned from.

use std::sync::Arc;

use analytics::guard::drift::DriftEvent;
use analytics::guard::learning::Seen;
use analytics::guard::mimicry::Rhythm;
use analytics::model::Judgement;
use analytics::policy::is_local;
use analytics::record::{KeyCount, WindowRecord};
use model::{AttackKind, FindingId, SuppressionId};

use crate::context::Context;
use crate::finding::{Alert, GuardNews, Lane, News, OpenFinding};
use crate::judge::Watch;
use crate::news::WindowNews;
use crate::plan::{KeptWindow, ScoreRow};
use crate::stage::Stage;
use crate::state::DeviceState;
use crate::store::kept;
use crate::suppress::{self, Suppression};

/// A borrowed model was made of other devices: a window alerts only when it is this many times
/// above the threshold.
const BORROWED_SLACK: f64 = 1.5;

/// What became of an alerting window.
enum Raised {
    /// It is a part of this finding.
    Finding(FindingId),
    /// A person called it normal.
    Normal(SuppressionId),
}

impl Stage<'_> {
    /// Scores a window; an alerting one opens a finding or goes on with one.
    pub(crate) fn watch(&mut self, state: &mut DeviceState, epoch: i64, record: &WindowRecord) {
        let Some(watch) = state.watch.as_ref().map(Arc::clone) else {
            state.fail("its model is not loaded".into());
            state.row.unscored += 1;
            return;
        };
        (state.row.epoch, state.row.last_us) = (epoch, record.end_us);
        let all = Arc::clone(&state.normal);
        let normal: Vec<&Suppression> = all.iter().filter(|one| one.is_active(self.now)).collect();
        let judgement = watch.judge(record, &mut state.context, &normal);
        let row = &mut state.row;
        row.scored += 1;
        row.place += 1;
        row.last_score = Some(judgement.score);
        self.plan.scores.push(ScoreRow::new(row, record, Some(&judgement)));
        self.news.push(WindowNews::new(row.device, record, Some(&judgement)));
        let raised =
            judgement.alert().then(|| self.raise(state, &watch, &normal, record, &judgement));
        let finding = match raised {
            Some(Raised::Finding(id)) => {
                state.row.alerting += 1;
                Some(id)
            }
            Some(Raised::Normal(id)) => {
                *self.plan.hits.entry(id).or_default() += 1;
                state.memory.suppressed += 1;
                None
            }
            None => None,
        };
        if self.config.learn_online {
            self.learn_from(state, &watch, &normal, record, &judgement, finding);
        }
    }

    /// An alerting window opens a finding or goes on with one, unless people called it normal.
    fn raise(
        &mut self,
        state: &mut DeviceState,
        watch: &Watch,
        normal: &[&Suppression],
        record: &WindowRecord,
        judgement: &Judgement,
    ) -> Raised {
        if let Some(by) = suppress::of_window(normal, record, judgement) {
            return Raised::Normal(by);
        }
        let told = state.context.told(record);
        let alert = Alert { row: &state.row, watch, record, judgement, told: &told, now: self.now };
        let gap_us = self.config.finding_gap_us();
        let lane = Lane::of(&state.findings, &alert, gap_us);
        match &mut state.findings[lane as usize] {
            Some(open) if open.covers(record, gap_us) => {
                open.extend(&alert);
                Raised::Finding(open.finding.id)
            }
            _ => {
                let fresh = OpenFinding::open(ports::mint(self.clock, self.random), &alert);
                if let Some(by) = suppress::of_finding(normal, &fresh.finding) {
                    return Raised::Normal(by);
                }
                let id = fresh.finding.id;
                self.put(state, lane, fresh);
                Raised::Finding(id)
            }
        }
    }

    /// A new finding takes its lane; the one before is written down as it ended.
    pub(crate) fn put(&mut self, state: &mut DeviceState, lane: Lane, fresh: OpenFinding) {
        if let Some(mut ended) = state.findings[lane as usize].replace(fresh)
            && (ended.dirty || ended.pending())
        {
            let news = ended.pending().then_some(News::Updated);
            self.plan.write_finding(lane, &mut ended, news, self.now);
        }
    }

    /// What the guards say of a window, and what the model may learn from it.
    fn learn_from(
        &mut self,
        state: &mut DeviceState,
        watch: &Arc<Watch>,
        normal: &[&Suppression],
        record: &WindowRecord,
        judgement: &Judgement,
        finding: Option<FindingId>,
    ) {
        let alert = finding.is_some();
        // What people called normal moves no alarm, and teaches only by their word.
        let score = if alert { judgement.score } else { judgement.score.min(1.0) };
        let known = |key: &KeyCount| watch.knows(key, normal);
        let seen = Seen {
            record,
            score,
            range: judgement.range.min(score),
            network: judgement.network.map(|network| network.min(score)),
            incident_open: self.incidents.contains(&state.row.device),
            alert,
            known: &known,
        };
        let lesson = state.memory.learning.observe(&seen, &self.config.refit_rule());
        let role = match (alert, lesson.teaches()) {
            (true, _) => kept::ALERT,
            (false, true) => kept::LESSON,
            (false, false) => kept::DOUBT,
        };
        let row = &state.row;
        self.plan.kept.push(KeptWindow {
            device: row.device,
            place: row.place,
            role,
            epoch: row.epoch,
            score: Some(judgement.score),
            finding,
            record: serde_json::to_string(record).unwrap_or_default(),
        });
        if lesson.refit {
            self.plan.refit.push((row.device, row.generation, record.start_us));
        }
        if !lesson.learned.is_empty() {
            state.watch = Some(Arc::new(watch.with_keys(&lesson.learned)));
            self.plan.keys.push((row.device, lesson.learned));
        }
        if let Some(DriftEvent::Changed { since_us, recent, reference }) = lesson.drift
            && !is_attacked(state)
        {
            let news = GuardNews::Habits { since_us, recent, reference };
            self.tell(state, Lane::Habits, news, record.end_us);
        }
        if let Some(rhythm) = lesson.rhythm
            && is_worth_telling(state, &rhythm)
        {
            self.tell(state, Lane::Rhythm, GuardNews::Rhythm(rhythm), record.end_us);
        }
    }

    /// A finding of a guard, unless people called its technique normal.
    pub(crate) fn tell(
        &mut self,
        state: &mut DeviceState,
        lane: Lane,
        news: GuardNews,
        at_us: i64,
    ) {
        let id = ports::mint(self.clock, self.random);
        let fresh = news.open(id, &state.row, at_us, self.now);
        let all = Arc::clone(&state.normal);
        let normal: Vec<&Suppression> = all.iter().filter(|one| one.is_active(self.now)).collect();
        match suppress::of_finding(&normal, &fresh.finding) {
            Some(by) => *self.plan.hits.entry(by).or_default() += 1,
            None => self.put(state, lane, fresh),
        }
    }

    /// Judges a window of a learning device by a model it borrows: the pooled one of its type, else
    /// that of all. Nothing where there is none or where it plainly does not fit.
    pub(crate) fn judge_borrowed(
        &mut self,
        state: &mut DeviceState,
        record: &WindowRecord,
    ) -> Option<(Judgement, bool)> {
        if state.memory.borrowed_is_unfit() {
            return None;
        }
        let prior = self.priors.for_kind(state.memory.kind.as_deref())?;
        let watch = Arc::clone(&prior.watch);
        // The pooled model judges neither novelty nor context.
        let judgement = watch.judge(record, &mut Context::default(), &[]);
        let alert = judgement.score > BORROWED_SLACK;
        state.memory.borrowed_judged += 1;
        state.memory.borrowed_alerts += u64::from(alert);
        state.row.place += 1;
        state.row.last_score = Some(judgement.score);
        if alert {
            let all = Arc::clone(&state.normal);
            let normal: Vec<&Suppression> =
                all.iter().filter(|one| one.is_active(self.now)).collect();
            let row = &mut state.row;
            row.scored += 1;
            self.plan.scores.push(ScoreRow::new(row, record, Some(&judgement)));
            self.news.push(WindowNews::new(row.device, record, Some(&judgement)));
            match self.raise(state, &watch, &normal, record, &judgement) {
                Raised::Finding(_) => state.row.alerting += 1,
                Raised::Normal(id) => *self.plan.hits.entry(id).or_default() += 1,
            }
        }
        Some((judgement, alert))
    }
}

/// Whether an attack already explains why the scores rise.
fn is_attacked(state: &DeviceState) -> bool {
    state.findings[..Lane::Rhythm as usize].iter().flatten().any(|open| {
        open.finding.kind != AttackKind::Anomaly
            && open.finding.last_at.as_micros() >= state.row.last_us - 600_000_000
    })
}

/// A rhythm is told of hosts on the outside that no finding names yet.
fn is_worth_telling(state: &DeviceState, rhythm: &Rhythm) -> bool {
    let Some(peer) = rhythm.key.0.ip() else { return false };
    let broadcast = matches!(peer, std::net::IpAddr::V4(v4) if v4.is_broadcast());
    let outside = !is_local(peer) && !peer.is_multicast() && !peer.is_unspecified() && !broadcast;
    let named = state.findings.iter().flatten().any(|open| {
        open.finding.kind == AttackKind::CommandAndControl
            && open.finding.evidence.iter().any(|party| party.peer == peer)
    });
    outside && !named
}
