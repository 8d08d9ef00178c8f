//! Where a run stands: tokens, one per branch under way, each with what follows when it ends.

use std::collections::{BTreeMap, BTreeSet};

use model::Timestamp;
use serde::{Deserialize, Serialize};

use crate::cacao::variables::Values;

/// The run's own variables; further environments belong to branches and to playbooks called.
pub(crate) const ROOT: u32 = 0;

/// The whole of it; stored with every transition.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tree {
    /// The next number for a token or an environment.
    next: u32,
    pub tokens: BTreeMap<u32, Token>,
    pub envs: BTreeMap<u32, Env>,
    /// What the outcomes of all steps so far hold, bytes of JSON.
    #[serde(default)]
    pub output_bytes: usize,
    /// In a rehearsal: variables that an outcome would set, by scope.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unknown: BTreeSet<(u32, String)>,
    /// Scopes whose exception step has taken over.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub excepted: BTreeSet<u32>,
}

/// A branch under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Token {
    /// The token that waits for this one.
    pub parent: Option<u32>,
    /// Its place among the branches of the same step.
    pub branch: u32,
    /// Where its variables are.
    pub env: u32,
    /// What it is inside of, innermost last.
    pub frames: Vec<Frame>,
    pub at: At,
}

/// What a token does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum At {
    /// About to enter this step.
    Go(String),
    /// At the step with this position.
    Step(i64),
    /// Waits for the branches it forked.
    Join,
    /// A branch that ended, with what failed in it.
    Ended(Option<String>),
}

/// A step that a token is inside of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Frame {
    pub kind: FrameKind,
    /// The step's CACAO id.
    pub step: String,
    pub position: i64,
    /// When the step and all inside it have to be over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Timestamp>,
}

/// What becomes of a token whose branch ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FrameKind {
    /// It goes on after the condition.
    Branch,
    /// The loop's condition is asked again.
    Loop { turns: u32 },
    /// It waits for its branches.
    Fork,
    /// It returns to the calling playbook, whose variables are in `env`.
    Call { env: u32 },
    /// It goes on with the frame's step: runs begun by an earlier version.
    Then,
}

/// Variables of a branch, or of a playbook called.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Env {
    /// The environment around it; none for a playbook called.
    pub parent: Option<u32>,
    /// The playbook called (CACAO id); none inside the run's own.
    pub playbook: Option<String>,
    /// What was written here, or handed in.
    pub values: Values,
}

impl Tree {
    /// A run about to enter `step`, inside of `frames`.
    pub(crate) fn at(step: &str, frames: Vec<Frame>) -> Self {
        let mut tree = Self::default();
        let at = At::Go(step.to_owned());
        let token = Token { parent: None, branch: 0, env: ROOT, frames, at };
        let id = tree.mint();
        tree.tokens.insert(id, token);
        tree
    }

    /// A run begun by an earlier version: one token at its position, going on with `returns`.
    pub(crate) fn from_position(position: i64, returns: &[String]) -> Self {
        let frame = |step: &String| Frame {
            kind: FrameKind::Then,
            step: step.clone(),
            position: 0,
            deadline: None,
        };
        let mut tree = Self::at("", returns.iter().map(frame).collect());
        for token in tree.tokens.values_mut() {
            token.at = At::Step(position);
        }
        tree
    }

    /// A number that was never given before. Zero is [`ROOT`].
    pub(crate) fn mint(&mut self) -> u32 {
        self.next += 1;
        self.next
    }

    /// The scope an environment belongs to: the run, or a playbook called.
    pub(crate) fn scope(&self, mut env: u32) -> u32 {
        while let Some(parent) = self.envs.get(&env).and_then(|env| env.parent) {
            env = parent;
        }
        env
    }

    /// The playbook called that an environment belongs to; none inside the run's own.
    pub(crate) fn playbook(&self, env: u32) -> Option<&str> {
        self.envs.get(&self.scope(env))?.playbook.as_deref()
    }

    /// All variables that can be seen in `env`, over the run's own.
    pub(crate) fn visible(&self, env: u32, own: &Values) -> Values {
        let mut chain = vec![env];
        let mut at = env;
        while let Some(parent) = self.envs.get(&at).and_then(|env| env.parent) {
            chain.push(parent);
            at = parent;
        }
        let mut values = Values::new();
        for env in chain.into_iter().rev() {
            let found =
                if env == ROOT { Some(own) } else { self.envs.get(&env).map(|e| &e.values) };
            for (name, value) in found.into_iter().flatten() {
                values.insert(name.clone(), value.clone());
            }
        }
        values
    }

    /// The token at a position.
    pub(crate) fn token_at(&self, position: i64) -> Option<u32> {
        self.tokens.iter().find(|(_, token)| token.at == At::Step(position)).map(|(id, _)| *id)
    }

    /// The tokens forked by `parent`, in the order of their branches.
    pub(crate) fn children(&self, parent: u32) -> Vec<u32> {
        let mut found: Vec<(u32, u32)> = self
            .tokens
            .iter()
            .filter(|(_, token)| token.parent == Some(parent))
            .map(|(id, token)| (token.branch, *id))
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, id)| id).collect()
    }

    /// Frames around a token, through the tokens that wait for it.
    pub(crate) fn around(&self, token: u32) -> Vec<&Frame> {
        let mut frames = Vec::new();
        let mut at = self.tokens.get(&token);
        while let Some(token) = at {
            frames.extend(token.frames.iter().rev());
            at = token.parent.and_then(|parent| self.tokens.get(&parent));
        }
        frames
    }

    /// The earliest deadline of a step that branches are inside of.
    pub(crate) fn first_deadline(&self) -> Option<Timestamp> {
        self.tokens.values().flat_map(|t| &t.frames).filter_map(|frame| frame.deadline).min()
    }
}
