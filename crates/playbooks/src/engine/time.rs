//! What time does to a run: delays that are over, deadlines, pauses.

use model::{Outcome, Timestamp};

use super::machine::Machine;
use crate::run::{RunState, StepState};

impl Machine<'_> {
    /// Takes care of all whose time has come.
    pub(crate) fn tick(&mut self) {
        if !self.live.run.state.is_open() {
            return;
        }
        if self.live.run.deadline_at.is_some_and(|deadline| deadline <= self.now) {
            let allowed_s = self.config.run_timeout_s;
            let why = format!("stopped after {allowed_s} s, the longest a run may take");
            self.live.run.failed += 1;
            return self.stop(RunState::Failed, &why);
        }
        if self.live.run.paused_at.is_some() {
            return;
        }
        while let Some((token, depth)) = self.expired() {
            self.expire(token, depth);
            if !self.live.run.state.is_open() {
                return;
            }
        }
        let due: Vec<i64> = self.live.rows.keys().copied().collect();
        for position in due {
            self.row_due(position);
        }
    }

    /// The outermost step whose time is over, with branches inside of it.
    fn expired(&self) -> Option<(u32, usize)> {
        let over = |time: Option<Timestamp>| time.is_some_and(|time| time <= self.now);
        self.live.run.tree.tokens.iter().find_map(|(id, token)| {
            token.frames.iter().position(|frame| over(frame.deadline)).map(|depth| (*id, depth))
        })
    }

    fn row_due(&mut self, position: i64) {
        let Some(row) = self.live.rows.get(&position) else { return };
        let over = row.deadline_at.is_some_and(|deadline| deadline <= self.now);
        match row.state {
            StepState::Pending if row.due_at.is_none_or(|due| due <= self.now) => {
                let row = row.clone();
                let Some(token) = self.live.run.tree.token_at(position) else { return };
                if let Some(step) = self.step(token, &row.step) {
                    self.begin(token, row, step);
                }
            }
            StepState::Waiting if over => {
                let reason = "ACTION_TIMEOUT: nobody answered in the time the step allows";
                self.outcome(position, Outcome::Failed { reason: reason.into(), retry: false });
            }
            StepState::Unsure if over => {
                let reason = "it was interrupted, and nobody said whether it was done";
                self.outcome(position, Outcome::Failed { reason: reason.into(), retry: false });
            }
            _ => {}
        }
    }

    /// A person holds the run: no further step begins.
    pub(crate) fn pause(&mut self) {
        self.moved();
        self.live.run.paused_at = Some(self.now);
        self.live.run.state = RunState::Paused;
    }

    /// A person lets it go on; what was waited for gets the time back.
    pub(crate) fn resume(&mut self) {
        let Some(since) = self.live.run.paused_at.take() else { return };
        self.moved();
        let micros = self.now.micros_since(since).max(0);
        let later = |time: Option<Timestamp>| time.map(|time| time.plus_micros(micros));
        for token in self.live.run.tree.tokens.values_mut() {
            for frame in &mut token.frames {
                frame.deadline = later(frame.deadline);
            }
        }
        let open: Vec<i64> = self.live.rows.keys().copied().collect();
        for position in open {
            let Some(mut row) = self.live.rows.get(&position).cloned() else { continue };
            row.deadline_at = later(row.deadline_at);
            row.due_at = later(row.due_at);
            self.put(row);
        }
        self.live.run.state = RunState::Running;
    }
}
