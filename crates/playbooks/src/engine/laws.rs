//! Laws over random playbooks, random outcomes and random deaths of the node: every run ends, no
//! command takes effect twice, nothing stays open.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::{BTreeMap, BTreeSet};

use model::id::TypedId;
use model::{Outcome, PlaybookId, RunId, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::book::{Book, Texts};
use super::machine::{Live, Machine};
use super::tree::Tree;
use super::{MAX_STEPS_PER_RUN, command_key};
use crate::cacao::variables::Values;
use crate::config::Config;
use crate::run::{RunState, StepState};
use crate::store::runs::Run;
use crate::store::steps::StepRow;

const AGENT: &str = "x-sereno-actuator--9c0f1d2e-5b77-4bb0-8a7a-000000000001";
const CALLED: &str = "playbook--9c0f1d2e-5b77-4bb0-8a7a-000000000009";
/// Looks at one run; more means that it does not end.
const MAX_LOOKS: usize = 60_000;

/// A piece of a random workflow.
#[derive(Clone, Debug)]
enum Piece {
    /// How its failure is handled, how many commands, a delay, whether it sets the variable.
    Action {
        handled: u8,
        commands: u8,
        delay: bool,
        sets: bool,
    },
    Manual,
    Parallel {
        branches: Vec<Vec<Self>>,
        handled: u8,
        timeout: bool,
    },
    If {
        yes: Vec<Self>,
        no: Vec<Self>,
        follows: bool,
    },
    While {
        body: Vec<Self>,
        handled: u8,
    },
    Switch {
        cases: Vec<Vec<Self>>,
    },
    Call,
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let leaf = prop_oneof![
        6 => (0..4_u8, 1..3_u8, any::<bool>(), any::<bool>()).prop_map(
            |(handled, commands, delay, sets)| Piece::Action { handled, commands, delay, sets }
        ),
        1 => Just(Piece::Manual),
        1 => Just(Piece::Call),
    ];
    let piece =
        leaf.prop_recursive(4, 24, 3, |inner| {
            let some = prop::collection::vec(inner, 0..3);
            prop_oneof![
                (prop::collection::vec(some.clone(), 2..4), 0..4_u8, any::<bool>()).prop_map(
                    |(branches, handled, timeout)| Piece::Parallel { branches, handled, timeout }
                ),
                (some.clone(), some.clone(), any::<bool>())
                    .prop_map(|(yes, no, follows)| Piece::If { yes, no, follows }),
                (some.clone(), 0..4_u8).prop_map(|(body, handled)| Piece::While { body, handled }),
                prop::collection::vec(some, 1..3).prop_map(|cases| Piece::Switch { cases }),
            ]
        });
    prop::collection::vec(piece, 1..4)
}

/// Writes pieces as a CACAO workflow.
#[derive(Default)]
struct Writer {
    steps: serde_json::Map<String, Value>,
}

impl Writer {
    fn add(&mut self, step: Value) -> String {
        let kind = step["type"].as_str().unwrap().to_owned();
        let id = format!("{kind}--5d1f0f0e-8a4b-4b53-9a6d-{:012x}", self.steps.len());
        self.steps.insert(id.clone(), step);
        id
    }

    fn branch(&mut self, pieces: &[Piece]) -> String {
        let end = self.add(json!({ "type": "end" }));
        self.sequence(pieces, end)
    }

    fn sequence(&mut self, pieces: &[Piece], mut next: String) -> String {
        for piece in pieces.iter().rev() {
            next = self.piece(piece, &next);
        }
        next
    }

    fn follow(&mut self, step: &mut Value, handled: u8, next: &str) {
        match handled {
            0 => step["on_completion"] = json!(next),
            1 => step["on_success"] = json!(next),
            2 => {
                step["on_success"] = json!(next);
                step["on_failure"] = json!(next);
            }
            _ => {
                step["on_success"] = json!(next);
                step["on_failure"] = json!(self.add(json!({ "type": "end" })));
            }
        }
    }

    fn piece(&mut self, piece: &Piece, next: &str) -> String {
        let asks = "__x__:value = 'a'";
        let step = match piece {
            Piece::Action { handled, commands, delay, sets } => {
                let command = json!({ "type": "x-sereno-actuator", "command": "do" });
                let all = vec![command; usize::from(*commands)];
                let mut step = json!({ "type": "action", "agent": AGENT, "commands": all });
                if *delay {
                    step["delay"] = json!(500);
                }
                if *sets {
                    step["out_args"] = json!(["__x__"]);
                }
                self.follow(&mut step, *handled, next);
                step
            }
            Piece::Manual => json!({ "type": "action", "agent": AGENT, "on_completion": next,
                "timeout": 5_000, "commands": [{ "type": "manual", "command": "look" }] }),
            Piece::Call => json!({ "type": "playbook-action", "playbook_id": CALLED,
                "on_completion": next, "in_args": ["__x__"], "out_args": ["__x__"] }),
            Piece::Parallel { branches, handled, timeout } => {
                let all: Vec<String> = branches.iter().map(|b| self.branch(b)).collect();
                let mut step = json!({ "type": "parallel", "next_steps": all });
                if *timeout {
                    step["timeout"] = json!(700);
                }
                self.follow(&mut step, *handled, next);
                step
            }
            Piece::If { yes, no, follows } => {
                let (yes, no) = (self.branch(yes), self.branch(no));
                let mut step = json!({ "type": "if-condition", "condition": asks,
                    "on_true": yes, "on_false": no });
                if *follows {
                    step["on_completion"] = json!(next);
                }
                step
            }
            Piece::While { body, handled } => {
                let body = self.branch(body);
                let mut step =
                    json!({ "type": "while-condition", "condition": asks, "on_true": body });
                self.follow(&mut step, *handled, next);
                step
            }
            Piece::Switch { cases } => {
                let mut all = serde_json::Map::new();
                for (name, case) in ["a", "b", "default"].iter().zip(cases) {
                    all.insert((*name).to_owned(), json!(self.branch(case)));
                }
                json!({ "type": "switch-condition", "switch": "__x__:value", "cases": all,
                    "on_completion": next })
            }
        };
        self.add(step)
    }
}

fn text(pieces: &[Piece], id: &str, exception: bool) -> String {
    let mut writer = Writer::default();
    let first = writer.branch(pieces);
    let start = writer.add(json!({ "type": "start", "on_completion": first }));
    let end = writer.add(json!({ "type": "end" }));
    let mut playbook = json!({ "type": "playbook", "spec_version": "cacao-2.0", "id": id,
        "name": "Law", "created_by": "identity--0b0b6e0e-5c6e-4a0f-9d5b-3a1f5a7c2e01",
        "created": "2026-11-22T00:00:00.000Z", "modified": "2026-11-22T00:00:00.000Z",
        "playbook_variables": { "__x__": { "type": "string", "value": "b", "external": true },
            "__fixed__": { "type": "string", "value": "b", "constant": true } },
        "workflow_start": start, "workflow": writer.steps,
        "agent_definitions": { AGENT: { "type": "x-sereno-actuator", "name": "world" } } });
    if exception {
        playbook["workflow_exception"] = json!(end);
    }
    playbook.to_string()
}

fn run(tree: Tree) -> Run {
    let at = Timestamp::from_secs(1_000);
    Run {
        id: RunId::mint(at, [1; 10]),
        playbook: PlaybookId::mint(at, [1; 10]),
        name: "Law".into(),
        book: None,
        body: String::new(),
        state: RunState::Running,
        incident: None,
        tlp: None,
        trigger: String::new(),
        variables: Values::from([("__x__".into(), "b".into()), ("__fixed__".into(), "b".into())]),
        tree,
        position: 0,
        not_enforced: 0,
        failed: 0,
        note: None,
        rehearsal: false,
        by_itself: false,
        retry_of: None,
        started_at: at,
        ended_at: None,
        paused_at: None,
        // Far away: no run may need it to end.
        deadline_at: Some(at.plus_secs(100_000_000)),
        wake_at: Some(at),
        version: 0,
    }
}

/// The node, its disk, and the world outside, which never forgets.
struct World {
    book: Book,
    config: Config,
    now: Timestamp,
    live: Live,
    /// What is on disk.
    disk: Live,
    all: BTreeMap<i64, StepRow>,
    effects: Vec<String>,
    done: BTreeSet<String>,
    dice: Vec<u8>,
    next: usize,
    finished: usize,
}

impl World {
    fn die(&mut self) -> u8 {
        self.next += 1;
        // The dice repeat with another phase, so that no loop sees the same ones for ever.
        let turn = self.next / self.dice.len();
        self.dice[self.next % self.dice.len()].wrapping_add(u8::try_from(turn % 251).unwrap())
    }

    /// One transition: computed, and written unless the node dies right before.
    fn step(&mut self, f: impl FnOnce(&mut Machine<'_>)) -> bool {
        let mut machine = Machine::new(&self.config, &self.book, self.now, &mut self.live);
        f(&mut machine);
        machine.go();
        let Some(changes) = machine.changes() else { return false };
        if self.die() < 12 {
            self.live = self.disk.clone();
            return true;
        }
        for row in changes.rows {
            if let Some(known) = self.all.get(&row.position) {
                assert!(known.ended_at.is_none(), "an ended step moved: {known:?} {row:?}");
            }
            self.all.insert(row.position, row);
        }
        self.finished += usize::from(changes.finished);
        self.disk = self.live.clone();
        true
    }

    fn outcome(&mut self) -> Outcome {
        let die = self.die();
        if die < 50 {
            return Outcome::Failed { reason: "no".into(), retry: false };
        }
        let x = if die < 110 { "a" } else { "b" };
        Outcome::Done { summary: String::new(), data: json!({ "x": x, "fixed": x }) }
    }

    /// Looks at the run once, as the driver does; false when nothing can be done now.
    fn look(&mut self) -> bool {
        if self.step(|machine| machine.tick()) {
            return true;
        }
        let open: Vec<StepRow> = self.live.rows.values().cloned().collect();
        for row in open {
            let stands = self.live.run.tree.token_at(row.position).is_some();
            let waits = matches!(row.state, StepState::Waiting | StepState::Pending);
            assert!(stands || !waits, "nobody needs what is waited for: {row:?}");
            let ready = row.due_at.is_none_or(|due| due <= self.now);
            let action = row.kind == "action" && ready;
            match row.state {
                StepState::Running if action => {
                    let key = command_key(row.run, row.position, row.command);
                    // The outside carries a key out once; the node may die after that.
                    if self.done.insert(key.clone()) {
                        self.effects.push(key);
                    }
                    let outcome = self.outcome();
                    return self.step(|machine| machine.outcome(row.position, outcome));
                }
                StepState::Waiting if self.die() < 128 => {
                    let outcome = self.outcome();
                    return self.step(|machine| machine.outcome(row.position, outcome));
                }
                _ => {}
            }
        }
        false
    }

    fn play_on(&mut self) {
        for _ in 0..MAX_LOOKS {
            if !self.live.run.state.is_open() && self.live.rows.is_empty() {
                return;
            }
            if !self.look() {
                let wake = self.live.run.wake_at.expect("an open run has a time to look at it");
                self.now = wake.max(self.now.plus_micros(1_000));
            }
        }
        panic!("the run does not end: {:#?}", self.live);
    }
}

fn play(pieces: &[Piece], called: &[Piece], exception: bool, dice: Vec<u8>) -> World {
    let own = text(pieces, "playbook--9c0f1d2e-5b77-4bb0-8a7a-000000000008", exception);
    let called = BTreeMap::from([(CALLED.to_owned(), text(called, CALLED, exception))]);
    let book = Texts { own, called }.read().unwrap();
    let tree = Tree::at(&book.own().workflow_start, vec![]);
    let live = Live { run: run(tree), rows: BTreeMap::new() };
    let mut world = World {
        book,
        config: Config::default(),
        now: Timestamp::from_secs(1_000),
        disk: live.clone(),
        live,
        all: BTreeMap::new(),
        effects: vec![],
        done: BTreeSet::new(),
        dice,
        next: 0,
        finished: 0,
    };
    world.play_on();
    world
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_run_ends_and_does_nothing_twice(
        own in pieces(),
        called in pieces(),
        exception in any::<bool>(),
        dice in prop::collection::vec(any::<u8>(), 16..200),
    ) {
        let world = play(&own, &called, exception, dice);
        let run = &world.live.run;
        prop_assert!(!run.state.is_open() && run.ended_at.is_some());
        let note = run.note.clone().unwrap_or_default();
        prop_assert!(!note.contains("longest a run may take"), "only time ended it: {}", note);
        prop_assert_eq!(world.finished, 1, "the end is told once");
        prop_assert!(run.wake_at.is_none(), "nothing is left to look at");
        prop_assert!(run.tree.tokens.is_empty() && run.tree.envs.is_empty());
        prop_assert!(run.position <= MAX_STEPS_PER_RUN);
        prop_assert!(world.all.values().all(|row| row.ended_at.is_some()), "a step stays open");
        let positions: Vec<i64> = world.all.keys().copied().collect();
        prop_assert_eq!(positions, (1..=run.position).collect::<Vec<_>>(), "a step is missing");
        let mut keys = world.effects.clone();
        keys.sort();
        keys.dedup();
        prop_assert_eq!(keys.len(), world.effects.len(), "done twice");
        prop_assert_eq!(&run.variables["__fixed__"], "b", "a constant was written");
        if run.state == RunState::Succeeded {
            prop_assert_eq!(run.failed, 0);
        }
    }

    #[test]
    fn trees_come_back_as_they_were_written(own in pieces(), dice in prop::collection::vec(any::<u8>(), 16..40)) {
        let book = Texts { own: text(&own, CALLED, false), called: BTreeMap::from([
            (CALLED.to_owned(), text(&own, CALLED, false))]) }.read().unwrap();
        let mut live = Live { run: run(Tree::at(&book.own().workflow_start, vec![])), rows: BTreeMap::new() };
        let config = Config::default();
        for die in dice {
            let rows: Vec<i64> = live.rows.keys().copied().collect();
            let now = live.run.started_at.plus_secs(1);
            let mut machine = Machine::new(&config, &book, now, &mut live);
            machine.tick();
            if let Some(row) = rows.get(usize::from(die) % rows.len().max(1)) {
                let kind = machine.live.rows.get(row).map(|row| row.kind.clone());
                if kind.as_deref() == Some("action") {
                    machine.outcome(*row, Outcome::Done { summary: String::new(), data: json!({ "x": "a" }) });
                }
            }
            machine.go();
            machine.changes();
            let text = serde_json::to_string(&live.run.tree).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Tree>(&text).unwrap(), &live.run.tree);
        }
    }
}
