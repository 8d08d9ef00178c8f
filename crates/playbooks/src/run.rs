//! States of runs and steps.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// The word used in the database and the API.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
            /// The state a word names.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    };
}

words! {
    /// Where a run stands.
    RunState {
        /// A command is being carried out, or is about to be.
        Running = "running",
        /// A person has to answer.
        Waiting = "waiting",
        /// A person holds it: no further step begins.
        Paused = "paused",
        /// It reached its end.
        Succeeded = "succeeded",
        /// A failure that nothing took care of.
        Failed = "failed",
        /// A person stopped it.
        Cancelled = "cancelled",
    }
}

words! {
    /// Where a step stands.
    StepState {
        /// Not reached yet, or waiting for its delay.
        Pending = "pending",
        /// Being carried out.
        Running = "running",
        /// A person has to answer.
        Waiting = "waiting",
        /// Interrupted while it was carried out: a person has to say whether it was done.
        Unsure = "unsure",
        /// Done.
        Done = "done",
        /// Understood, but without effect here.
        NotEnforced = "not_enforced",
        /// Failed.
        Failed = "failed",
        /// Never carried out.
        Skipped = "skipped",
    }
}

impl RunState {
    /// True while it can go on.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Running | Self::Waiting | Self::Paused)
    }
}
