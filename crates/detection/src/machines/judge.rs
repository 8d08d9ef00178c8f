//! Reports through the phases of their edge's machine model. As for windows, everything is worked
//! out on copies that take effect with the transaction.

use std::collections::HashMap;
use std::sync::Arc;

use analytics::commands::{CommandJudge, Deviation, Summary};
use analytics::host::Host;
use model::{Device, DeviceId};

use super::evidence::UnusualCommand;
use super::finding;
use super::intake::Reports;
use super::state::MachineState;
use crate::engine::Engine;
use crate::error::DetectionError;
use crate::finding::Lane;
use crate::plan::StoredReport;
use crate::stage::Stage;
use crate::state::{DeviceState, Phase};

/// A score above which a command alerts: one scale for every detector.
const ALERTS: f64 = 1.0;

/// Whom the reports of a batch name, as far as they are watched.
pub(crate) type Parties = HashMap<Host, Device>;

/// Where reports come from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) edge: &'a str,
    pub(crate) epoch: i64,
    /// Packet time up to which everything came.
    pub(crate) at_us: i64,
}

impl Stage<'_> {
    /// Takes the reports of a batch, in the order of time.
    pub(crate) fn take_reports(
        &mut self,
        engine: &Engine,
        source: Source<'_>,
        reports: Reports,
        parties: &Parties,
    ) -> Result<(), DetectionError> {
        let known = engine.machine(source.edge).cloned();
        if reports.is_empty() && known.as_ref().is_none_or(|own| own.row.phase != Phase::Learning) {
            return Ok(());
        }
        let mut machine = known.unwrap_or_else(|| MachineState::new(source.edge));
        machine.row.unread += reports.unread;
        let mut judge = machine.in_use.as_ref().map(|it| CommandJudge::new(Arc::clone(&it.model)));
        for report in reports.commands {
            // A batch may span more than the learning: what comes after it is judged, not learned.
            self.end_learning(&mut machine, source.epoch, report.start_us);
            match (machine.row.phase, &mut judge) {
                (Phase::Learning, _) => {
                    self.learn_report(engine, &mut machine, source, report, parties);
                }
                (Phase::Training | Phase::Draining, _) => {
                    self.report_waits(&mut machine, source.epoch, &report)?;
                }
                (Phase::Watching, Some(judge)) => {
                    machine.row.epoch = source.epoch;
                    self.judge_report(engine, &mut machine, judge, &report, parties);
                }
                _ => machine.row.unjudged += count(report.operations()),
            }
        }
        self.end_learning(&mut machine, source.epoch, source.at_us);
        self.plan.machines.push(machine.row.clone());
        self.machines.insert(source.edge.to_owned(), machine);
        Ok(())
    }

    /// Orders the training once enough was learned by a packet time.
    fn end_learning(&mut self, machine: &mut MachineState, epoch: i64, at_us: i64) {
        let row = &mut machine.row;
        if row.phase == Phase::Learning
            && row.epoch == epoch
            && row.learned_enough(at_us, self.config)
        {
            row.phase = Phase::Training;
            self.plan.train_machine.push((row.edge.clone(), row.generation));
        }
    }

    fn learn_report(
        &mut self,
        engine: &Engine,
        machine: &mut MachineState,
        source: Source<'_>,
        report: Summary,
        parties: &Parties,
    ) {
        let row = &mut machine.row;
        // A source that starts again sends the same time once more: it would count twice.
        if row.reports > 0 && source.epoch != row.epoch && report.start_us < row.last_us {
            self.plan.forget_reports(&row.edge, StoredReport::TRAIN);
            (row.operations, row.reports) = (0, 0);
        }
        row.epoch = source.epoch;
        let operations = count(report.operations());
        if self.is_spoken_against(engine, &report, parties) {
            row.kept_out += operations;
            return;
        }
        if row.reports >= i64::from(self.config.max_training_reports) {
            row.unjudged += operations;
            return;
        }
        if row.reports == 0 {
            (row.first_us, row.last_us) = (report.start_us, report.end_us);
        }
        row.last_us = row.last_us.max(report.end_us);
        row.operations += operations;
        row.reports += 1;
        row.place += 1;
        self.plan.reports.push(StoredReport::new(row, StoredReport::TRAIN, &report));
    }

    /// Whether an alert or an open incident speaks against what a report shows.
    fn is_spoken_against(&self, engine: &Engine, report: &Summary, parties: &Parties) -> bool {
        let speaks = |id: DeviceId| {
            let state = self.changed.get(&id).or_else(|| engine.device(id));
            state.is_some_and(|state| state.alerts_in(report.start_us, report.end_us))
                || self.incidents.contains(&id)
        };
        [report.from, report.to].iter().filter_map(|host| parties.get(host)).any(|d| speaks(d.id))
    }

    fn report_waits(
        &mut self,
        machine: &mut MachineState,
        epoch: i64,
        report: &Summary,
    ) -> Result<(), DetectionError> {
        let row = &mut machine.row;
        if row.waiting >= i64::from(self.config.max_waiting_windows) {
            return Err(DetectionError::Waiting {
                device: format!("the machines behind {}", row.edge),
                waiting: row.waiting,
                limit: self.config.max_waiting_windows,
            });
        }
        row.waiting += 1;
        row.place += 1;
        row.epoch = epoch;
        self.plan.reports.push(StoredReport::new(row, StoredReport::WAIT, report));
        Ok(())
    }

    /// Judges a report; unusual commands open findings about their machines or go on with them.
    pub(crate) fn judge_report(
        &mut self,
        engine: &Engine,
        machine: &mut MachineState,
        judge: &mut CommandJudge,
        report: &Summary,
        parties: &Parties,
    ) {
        let mut found: Vec<UnusualCommand> = Vec::new();
        let read = judge.judge(report, &mut |one| {
            let one = UnusualCommand::new(one, report);
            // Order and step are told of an operation as such, whatever else it carries.
            let whole = matches!(one.kind, Deviation::Order | Deviation::Step);
            let same = |own: &&mut UnusualCommand| {
                (own.function, own.first_us) == (one.function, one.first_us)
                    && (whole || (own.object == one.object && own.value == one.value))
            };
            // Several deviations of one operation are one unusual command: the strongest tells.
            match found.iter_mut().find(same) {
                Some(own) if own.score < one.score => *own = one,
                Some(_) => {}
                None => found.push(one),
            }
        });
        let row = &mut machine.row;
        row.last_us = row.last_us.max(report.end_us);
        if let Err(error) = read {
            tracing::warn!(edge = row.edge, %error, "a report of operations was refused");
            row.unread += 1;
            return;
        }
        row.judged += count(report.operations());
        for one in found {
            if one.score > ALERTS {
                self.tell_command(engine, machine, &one, parties);
            } else {
                machine.row.informed += 1;
            }
        }
    }

    fn tell_command(
        &mut self,
        engine: &Engine,
        machine: &mut MachineState,
        one: &UnusualCommand,
        parties: &Parties,
    ) {
        let (own, other) = one.machine(one.role());
        // The machine first; who commands it where only that one is watched.
        let Some(device) = parties.get(&own).or_else(|| parties.get(&other)) else {
            machine.row.unwatched += 1;
            return;
        };
        let known = self.changed.remove(&device.id).or_else(|| engine.device(device.id).cloned());
        let Some(mut state) = known else {
            machine.row.unwatched += 1;
            return;
        };
        let now = self.now;
        let mut normal = state.normal.iter().filter(|word| word.is_active(now));
        if let Some(word) = normal.find(|word| word.covers_command(one)) {
            *self.plan.hits.entry(word.id).or_default() += 1;
            machine.row.suppressed += 1;
        } else {
            machine.row.unusual += 1;
            let model = machine.in_use.as_ref().map_or("", |it| it.hash.as_str());
            self.put_command(&mut state, model, one);
        }
        self.changed.insert(device.id, state);
    }

    fn put_command(&mut self, state: &mut DeviceState, model: &str, one: &UnusualCommand) {
        let gap_us = self.config.finding_gap_us();
        match &mut state.findings[Lane::Commands as usize] {
            Some(open) if finding::covers(open, one, gap_us) => finding::extend(open, one),
            _ => {
                // Places order the findings of a device; commands have none of their own.
                state.row.place += 1;
                let id = ports::mint(self.clock, self.random);
                let fresh = finding::open(id, &state.row, model, one, self.now);
                self.put(state, Lane::Commands, fresh);
            }
        }
    }
}

fn count(operations: u64) -> i64 {
    i64::try_from(operations).unwrap_or(i64::MAX)
}
