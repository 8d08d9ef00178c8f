//! The decision to hand an object to a recipient, and where it stands.

use serde::{Deserialize, Serialize};

/// What the policy said, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareDecision {
    /// May it be shared?
    pub allowed: bool,
    /// One sentence for a person.
    pub reason: String,
    /// Ids of the policies that decided.
    pub policies: Vec<String>,
}

/// Where a share stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShareState {
    /// The policy said no.
    Denied,
    /// Signed and waiting for delivery; survives an absent recipient.
    Queued,
    /// The recipient's signed receipt was verified.
    Delivered,
    /// A person at the recipient answered.
    Acknowledged,
    /// The recipient refused it.
    Refused,
}

impl ShareState {
    /// The word used in the database and the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Queued => "queued",
            Self::Delivered => "delivered",
            Self::Acknowledged => "acknowledged",
            Self::Refused => "refused",
        }
    }

    /// The state a word names.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Denied, Self::Queued, Self::Delivered, Self::Acknowledged, Self::Refused]
            .into_iter()
            .find(|state| state.word() == word)
    }
}
