//! What a node and a checkpoint agent say to each other, over a socket in the node's `run/` folder.
//!
//! The agent listens; one connection carries one [`Request`] and one [`Reply`], each a frame as in
//! [`crate::edge`] (big-endian `u32` length, JSON). Whoever asks proves itself by the token of
//! `keys/checkpoint.token`; that the answer comes from an agent is shown by the folder, which only
//! the node's user may write. An order with a key is carried out once: asked again, its outcome is told.

use model::Timestamp;
use serde::{Deserialize, Serialize};

/// Version of these messages; an agent refuses another one and says so.
pub const CHECKPOINT_PROTOCOL: u16 = 1;
/// Longest key of an order, bytes.
pub const MAX_KEY_BYTES: usize = 200;
/// Longest margin before the first evidence, seconds (one year).
pub const MAX_MARGIN_S: u32 = 31_536_000;
/// Most known delays that an order carries.
pub const MAX_DELAYS: usize = 1_000;

/// One question or order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// [`CHECKPOINT_PROTOCOL`].
    pub protocol: u16,
    /// The content of the node's `keys/checkpoint.token`.
    pub token: String,
    /// What is wanted.
    pub order: CheckpointOrder,
}

/// What an agent can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum CheckpointOrder {
    /// Services, checkpoints, intervals.
    List,
    /// Take a checkpoint now.
    Take {
        /// The same key takes one.
        key: String,
        /// The service.
        service: String,
    },
    /// Stop the service at a random moment, and start it again, after a random delay, from the newest
    /// checkpoint that is older than the evidence less the margin.
    RestoreBefore {
        /// The same key restores once.
        key: String,
        /// The service.
        service: String,
        /// The first evidence of infection, wall time.
        evidence_at: Timestamp,
        /// Seconds before the evidence from which nothing is trusted; the agent's own when absent.
        #[serde(default)]
        margin_s: Option<u32>,
        /// What to do when no checkpoint is old enough.
        #[serde(default)]
        when_none: WhenNone,
        /// Delays between infection and first evidence that were found out in earlier cases, seconds; at most
        /// [`MAX_DELAYS`].
        #[serde(default)]
        known_delays_s: Vec<u32>,
    },
    /// Stop and start the service as it is, at random moments too.
    Restart {
        /// The same key restarts once.
        key: String,
        /// The service.
        service: String,
    },
    /// What became of the order with this key.
    Outcome {
        /// The order's key.
        key: String,
    },
}

impl CheckpointOrder {
    /// Key and service of an order that changes something.
    pub fn effect(&self) -> Option<(&str, &str)> {
        match self {
            Self::Take { key, service }
            | Self::RestoreBefore { key, service, .. }
            | Self::Restart { key, service } => Some((key, service)),
            Self::List | Self::Outcome { .. } => None,
        }
    }

    /// The verb, as reports and playbooks call it.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Take { .. } => "take",
            Self::RestoreBefore { .. } => "restore_before",
            Self::Restart { .. } => "restart",
            Self::Outcome { .. } => "outcome",
        }
    }
}

/// What to do when no checkpoint is older than the estimated infection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenNone {
    /// Do nothing, and say what is offered instead.
    #[default]
    Refuse,
    /// Take the oldest checkpoint; it may be infected, and the report says with what chance.
    Oldest,
    /// Start from the clean base that the declaration names.
    Clean,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// Wrong token, version or order; nothing was done.
    Refused {
        /// Why, and what to do.
        reason: String,
    },
    /// What is protected here.
    Listing(Box<Listing>),
    /// The order is taken, and will end later.
    Working {
        /// What is happening, one sentence; it does not tell the moments that were drawn.
        doing: String,
    },
    /// Done.
    Done(Box<RecoveryReport>),
    /// It could not be done; the service runs as before, or the text says otherwise.
    Failed {
        /// Why, in plain words.
        reason: String,
        /// What is offered instead.
        #[serde(default)]
        offers: Vec<String>,
    },
}

/// What an agent protects.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Listing {
    /// The agent's name.
    pub agent: String,
    /// Public half of the key that signs its checkpoints, hex.
    pub signer: String,
    /// The counter against rollback, in words: a TPM's, or a file's with what that is worth.
    pub counter: String,
    /// `None` when the store is what the counter says, otherwise what is wrong with it.
    pub rollback: Option<String>,
    /// Bytes of the store on the disk.
    pub stored_bytes: u64,
    /// The services.
    pub services: Vec<ServiceState>,
}

/// One service under protection.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ServiceState {
    /// Its name.
    pub service: String,
    /// Which back-end keeps it.
    pub backend: String,
    /// Why the back-end does not work here; `None` when it does.
    pub unavailable: Option<String>,
    /// Does it run?
    pub running: bool,
    /// Times it ended without being told to, since the agent began to count.
    pub failures: u64,
    /// Seconds of operation counted with these failures.
    pub operating_s: f64,
    /// The interval now, seconds of operating time, and what it was computed from.
    pub interval: Option<IntervalState>,
    /// Its checkpoints, the oldest first.
    pub checkpoints: Vec<CheckpointInfo>,
}

/// An interval and its reasons (docs/recovery.md has the formulas).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IntervalState {
    /// Seconds of operating time between two checkpoints, within the declared bounds.
    pub interval_s: f64,
    /// The optimum before the bounds, after Gelenbe, seconds.
    pub gelenbe_s: f64,
    /// Young's first-order optimum, seconds.
    pub young_s: f64,
    /// Daly's higher-order optimum, seconds.
    pub daly_s: f64,
    /// Failures per second of operating time, estimated.
    pub failure_rate_per_s: f64,
    /// Seconds that one checkpoint holds the service up, measured.
    pub cost_s: f64,
    /// Part of the time in which the service works, 0 to 1, measured.
    pub load: f64,
}

/// One checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckpointInfo {
    /// Its value of the monotonic counter.
    pub counter: u64,
    /// The service.
    pub service: String,
    /// When the state was frozen, wall time.
    pub taken_at: Timestamp,
    /// Bytes of the state.
    pub bytes: u64,
    /// Bytes it added to the store.
    pub new_bytes: u64,
    /// Seconds for which the service stood still.
    pub frozen_s: f64,
    /// True for the state of an interrupted service, kept as evidence: never restored.
    pub evidence: bool,
    /// True when it is younger than an infection that was found later: never restored.
    pub suspect: bool,
}

/// What one order did, and what it cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecoveryReport {
    /// The order's key.
    pub key: String,
    /// The agent.
    pub agent: String,
    /// The service.
    pub service: String,
    /// `take`, `restore_before`, `restart`.
    pub verb: String,
    /// The checkpoint taken or restored; `None` for a restart and for a clean base.
    pub checkpoint: Option<CheckpointInfo>,
    /// What the service was started from, in words.
    pub started_from: String,
    /// The evidence that the order named.
    pub evidence_at: Option<Timestamp>,
    /// The margin that was used, seconds.
    pub margin_s: Option<u32>,
    /// When the order came.
    pub asked_at: Timestamp,
    /// When the service was stopped.
    pub stopped_at: Option<Timestamp>,
    /// When it ran again.
    pub running_at: Option<Timestamp>,
    /// Seconds from stop to start.
    pub downtime_s: f64,
    /// Seconds of work that are lost: from the checkpoint to the stop.
    pub lost_s: f64,
    /// Bytes of state that are lost: what the stopped service had and the checkpoint has not.
    pub lost_bytes: Option<u64>,
    /// The chance that what was restored is infected too, 0 to 1, under [`Self::model`].
    pub chance_infected: Option<f64>,
    /// The model behind that chance, one sentence.
    pub model: Option<String>,
    /// Counter value of the copy of the interrupted state, kept as evidence.
    pub evidence: Option<u64>,
    /// What the counter against rollback is worth here.
    pub counter: String,
    /// One sentence for timelines.
    pub summary: String,
}
