//! Where a workflow goes: steps nothing leads to, branches that meet no end, loops that do not end.
//!
//! A branch (`on_true`, `on_false`, a case, a parallel step) goes on to an end step; then the step that opened it goes on
//! (§4.7 to §4.10). So a step has two kinds of successors: those inside its branches, and what comes after it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::Findings;
use crate::condition::Condition;
use crate::variables::bare;
use crate::{Playbook, Step};

/// Checks a workflow whose references all lead to steps.
pub(super) fn check(playbook: &Playbook, found: &mut Findings) {
    let graph = Graph(playbook);
    let reachable = graph.reachable();
    for id in playbook.workflow.keys().filter(|id| !reachable.contains(id.as_str())) {
        found.warning(&place(id), "no step leads to it");
    }
    let ending = graph.ending();
    for id in reachable.iter().filter(|id| !ending.contains(*id)) {
        found.error(&place(id), "no end step can be reached from here: an endless loop");
    }
    graph.loops(&reachable, &ending, found);
    for (id, step) in &playbook.workflow {
        if step.kind == "while-condition" {
            graph.turns(id, step, found);
        }
    }
    graph.branches(&reachable, found);
}

fn place(id: &str) -> String {
    format!("/workflow/{id}")
}

struct Graph<'p>(&'p Playbook);

impl<'p> Graph<'p> {
    fn step(&self, id: &str) -> Option<&'p Step> {
        self.0.workflow.get(id)
    }

    /// Everything that the start and the exception lead to.
    fn reachable(&self) -> BTreeSet<&'p str> {
        let starts = [Some(&self.0.workflow_start), self.0.workflow_exception.as_ref()];
        self.closure(starts.into_iter().flatten().map(String::as_str), Step::successors)
    }

    /// Everything that `next` leads to from these steps, themselves included.
    fn closure(
        &self,
        starts: impl IntoIterator<Item = &'p str>,
        next: fn(&'p Step) -> Vec<&'p str>,
    ) -> BTreeSet<&'p str> {
        let mut seen = BTreeSet::new();
        let mut todo: Vec<&str> = starts.into_iter().collect();
        while let Some(id) = todo.pop() {
            if let Some(step) = self.step(id).filter(|_| seen.insert(id)) {
                todo.extend(next(step));
            }
        }
        seen
    }

    /// The steps from which an end can be reached: a step with no successor ends, too, for want of a place to go on.
    fn ending(&self) -> HashSet<&'p str> {
        let mut before: BTreeMap<&str, Vec<&'p str>> = BTreeMap::new();
        let mut todo: Vec<&'p str> = Vec::new();
        for (id, step) in &self.0.workflow {
            let next = step.successors();
            if next.is_empty() {
                todo.push(id);
            }
            for successor in next {
                before.entry(successor).or_default().push(id);
            }
        }
        let mut ending = HashSet::new();
        while let Some(id) = todo.pop() {
            if ending.insert(id) {
                todo.extend(before.get(id).into_iter().flatten().copied());
            }
        }
        ending
    }

    /// A circle of steps that always follow each other never asks whether to go on.
    fn loops(&self, reachable: &BTreeSet<&'p str>, ending: &HashSet<&str>, found: &mut Findings) {
        let follows = |id: &str| -> Option<&'p str> {
            let step = self.step(id)?;
            step.on_completion.as_deref().or(step.on_success.as_deref())
        };
        // 0: not looked at; otherwise the number of the walk that came by. One pass over every step.
        let mut walked: BTreeMap<&str, usize> = BTreeMap::new();
        for (walk, start) in (1..).zip(reachable.iter().filter(|id| ending.contains(*id))) {
            let mut at = *start;
            while !walked.contains_key(at) {
                walked.insert(at, walk);
                match follows(at) {
                    Some(next) => at = next,
                    None => break,
                }
            }
            if walked.get(at) == Some(&walk) && follows(at).is_some() {
                self.tell_circle(at, &follows, found);
            }
        }
    }

    fn tell_circle(
        &self,
        start: &'p str,
        follows: &dyn Fn(&str) -> Option<&'p str>,
        found: &mut Findings,
    ) {
        let mut at = start;
        for _ in 0..self.0.workflow.len() {
            let Some(next) = follows(at) else { return };
            if next == start {
                let text = "repeats without a condition that could end it";
                found.error(&place(start), text);
                return;
            }
            at = next;
        }
    }

    /// A while whose branch changes nothing that its condition asks goes on for ever, or never begins.
    fn turns(&self, id: &str, step: &'p Step, found: &mut Findings) {
        let Some(Ok(condition)) = step.condition.as_deref().map(Condition::parse) else { return };
        let body = self.closure(step.on_true.as_deref(), Step::successors);
        let set = |name: &str| {
            let mut steps = body.iter().filter_map(|id| self.step(id));
            steps.any(|step| step.out_args.iter().any(|argument| bare(argument) == name))
        };
        let asked = condition.variables();
        if !asked.iter().any(|name| set(name)) {
            let names = asked.join(", ");
            let text = format!(
                "is endless: no step of its branch sets {names} by out_args, so its condition never changes"
            );
            found.error(&place(id), text);
        }
    }

    fn branches(&self, reachable: &BTreeSet<&str>, found: &mut Findings) {
        let mut inside: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (id, step) in &self.0.workflow {
            let entries = step.branches();
            let sequences: Vec<BTreeSet<&str>> =
                entries.iter().map(|entry| self.closure([*entry], Step::after)).collect();
            for (entry, sequence) in entries.iter().zip(&sequences) {
                self.meets_end(entry, sequence, found);
                for member in sequence {
                    inside.entry(member).or_default().insert(id);
                }
            }
            if step.kind == "parallel" {
                self.apart(id, &sequences, found);
            }
        }
        let starts = [Some(&self.0.workflow_start), self.0.workflow_exception.as_ref()];
        let starts = starts.into_iter().flatten().map(String::as_str);
        let main = self.closure(starts, Step::after);
        for (id, openers) in inside.iter().filter(|(id, _)| reachable.contains(**id)) {
            let ends = self.step(id).is_some_and(|step| step.kind == "end");
            let shared = main.contains(*id) || openers.len() > 1;
            if shared && !ends {
                let text = "is reached both inside of a branch and outside of it: it runs inside, and again when the branch has ended";
                found.warning(&place(id), text);
            }
        }
        self.dangling(&main, found);
    }

    /// A branch that goes to no end step does not tell when it is over.
    fn meets_end(&self, entry: &str, sequence: &BTreeSet<&'p str>, found: &mut Findings) {
        let over = |id: &&str| {
            self.step(id).is_some_and(|step| step.kind == "end" || !step.branches().is_empty())
        };
        if !sequence.iter().any(over) {
            let text = "begins a branch that meets no end step (§4.7 to §4.10)";
            found.error(&place(entry), text);
        }
    }

    /// Branches that run at the same time have no step in common.
    fn apart(&self, id: &str, sequences: &[BTreeSet<&str>], found: &mut Findings) {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        let mut told: BTreeSet<&str> = BTreeSet::new();
        for sequence in sequences {
            for member in sequence {
                let ends = self.step(member).is_some_and(|step| step.kind == "end");
                if !seen.insert(member) && !ends && told.insert(member) {
                    let text = format!("lies on two branches of the parallel step {id} (§4.7)");
                    found.error(&place(member), text);
                }
            }
        }
    }

    /// Steps that lead nowhere and are no end.
    fn dangling(&self, main: &BTreeSet<&str>, found: &mut Findings) {
        for id in main {
            let Some(step) = self.step(id) else { continue };
            if step.kind != "end" && step.successors().is_empty() {
                found
                    .warning(&place(id), "leads nowhere; a workflow goes on to an end step (§4.4)");
            }
        }
    }
}
