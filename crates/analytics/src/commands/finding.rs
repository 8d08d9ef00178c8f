//! An unusual command and why.

use protocols::app::{Effect, Protocol, Role};
use serde::{Deserialize, Serialize};

use crate::host::Host;

/// In which way a command is unusual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deviation {
    /// Two devices that never spoke this protocol in these roles.
    NewPair,
    /// A function this pair never used.
    Function,
    /// Points or names this pair never touched.
    Object,
    /// A value never written there.
    Value,
    /// A larger change than ever.
    Step,
    /// More of a function in a window than ever.
    Rate,
    /// A function after one it never followed.
    Order,
    /// A refusal never given.
    Refused,
}

/// Number of deviations.
pub(super) const DEVIATIONS: usize = 8;

impl Deviation {
    /// Every deviation, in order.
    pub const ALL: [Self; DEVIATIONS] = [
        Self::NewPair,
        Self::Function,
        Self::Object,
        Self::Value,
        Self::Step,
        Self::Rate,
        Self::Order,
        Self::Refused,
    ];

    /// Name in output and in the text of a model.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NewPair => "new_pair",
            Self::Function => "unusual_function",
            Self::Object => "unusual_object",
            Self::Value => "unusual_value",
            Self::Step => "unusual_step",
            Self::Rate => "unusual_rate",
            Self::Order => "unusual_order",
            Self::Refused => "refused",
        }
    }

    /// Score of a certain deviation; above 1 alerts.
    pub(super) const fn score(self, effect: Effect) -> f64 {
        let acts = matches!(effect, Effect::Write | Effect::Control | Effect::Configure);
        match self {
            Self::NewPair | Self::Function => {
                if acts {
                    4.0
                } else {
                    3.0
                }
            }
            Self::Object => {
                if acts {
                    3.0
                } else {
                    2.0
                }
            }
            Self::Value => 2.5,
            Self::Step => 1.5,
            Self::Rate => 1.5,
            Self::Order => 1.2,
            Self::Refused => 2.0,
        }
    }

    /// Technique of ATT&CK for ICS the deviation is evidence of, where it is.
    #[must_use]
    pub const fn technique(self, effect: Effect) -> Option<&'static str> {
        match (self, effect) {
            // Rogue Master: commands from who is no master here.
            (Self::NewPair, Effect::Write | Effect::Control | Effect::Configure) => Some("T0848"),
            // Remote System Information Discovery.
            (Self::NewPair | Self::Function | Self::Object, Effect::Diagnose)
            | (Self::Refused, _) => Some("T0888"),
            // Point & Tag Identification.
            (Self::NewPair | Self::Function | Self::Object, Effect::Read) => Some("T0861"),
            // Modify Parameter.
            (Self::Function | Self::Object | Self::Value | Self::Step, Effect::Write) => {
                Some("T0836")
            }
            // Brute Force I/O.
            (Self::Rate, Effect::Write | Effect::Control) => Some("T0806"),
            // Unauthorized Command Message.
            (_, Effect::Control | Effect::Configure) => Some("T0855"),
            // Denial of Service needs more than a rate to be evident.
            _ => None,
        }
    }
}

/// One unusual command.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandFinding {
    /// Time of capture, microseconds.
    pub ts_us: i64,
    /// Who sent it.
    pub from: Host,
    /// Who received it.
    pub to: Host,
    /// The protocol.
    pub protocol: Protocol,
    /// Unit behind the address.
    pub unit: u32,
    /// Who speaks.
    pub role: Role,
    /// Function as the protocol numbers it.
    pub function: u16,
    /// Its name in the words of the field.
    pub name: String,
    /// What it is about, in plain words; empty for nothing in particular.
    pub object: String,
    /// The value that is unusual, or the first one carried.
    pub value: Option<f64>,
    /// In which way it is unusual.
    pub kind: Deviation,
    /// Why, in plain words.
    pub why: String,
    /// What training leads to expect.
    pub expected: String,
    /// Technique of ATT&CK for ICS, where the evidence supports one.
    pub technique: Option<&'static str>,
    /// Above 1 alerts.
    pub score: f64,
}
