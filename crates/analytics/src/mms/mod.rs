//! MMS associations (ISO 9506-2): which requests one end makes of the other, about which names, in
//! which phase of an association, and whether every answer has a question.
//!
//! After opening an association a client looks around (names, attributes); in rest it only reads and
//! reports. [`MmsModel`] learns both phases per pair; [`MmsJudge`] notes what was never asked, what was
//! only asked while setting up, an association opened over an open one, and answers without question.

mod judge;
mod learn;
mod packet;
mod report;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::laws::LawLimits;

pub use judge::{MmsJudge, MmsMemory};
pub use learn::{MAX_TRAINING_MESSAGES, MmsLearner};
pub use packet::MmsPacket;
pub use report::{MmsReport, MmsRow};

/// Kinds of messages a model holds.
pub const MAX_KINDS: usize = 16_384;
/// Names a model holds.
pub const MAX_NAMES: usize = 262_144;
/// Longest time between messages of one association that is still open.
pub const OPEN_US: i64 = 120_000_000;

/// PDU types, by the tags of `MMSpdu` (ISO 9506-2, clause 7).
pub mod pdu {
    /// confirmed-RequestPDU.
    pub const REQUEST: u8 = 0;
    /// confirmed-ResponsePDU.
    pub const RESPONSE: u8 = 1;
    /// confirmed-ErrorPDU.
    pub const ERROR: u8 = 2;
    /// unconfirmed-PDU.
    pub const UNCONFIRMED: u8 = 3;
    /// rejectPDU.
    pub const REJECT: u8 = 4;
    /// initiate-RequestPDU.
    pub const INITIATE: u8 = 8;
    /// conclude-RequestPDU.
    pub const CONCLUDE: u8 = 11;
}

/// One MMS message, wherever it came from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MmsMessage<'a> {
    /// Time of capture, microseconds.
    pub ts_us: i64,
    /// Who sent it.
    pub from: Host,
    /// Who received it.
    pub to: Host,
    /// Tells associations of one pair apart (the ports, the same for both directions), 0 if unknown.
    pub channel: u64,
    /// Type of the PDU, see [`pdu`].
    pub pdu: u8,
    /// Service, where the PDU has one.
    pub service: Option<u32>,
    /// Invoke identifier.
    pub invoke: Option<u32>,
    /// Object class of a name list, if any.
    pub class: Option<u32>,
    /// Domain named, empty for none.
    pub domain: &'a str,
    /// Item named, empty for none.
    pub item: &'a str,
}

/// A law of an association. The number is its place in [`crate::laws::Breaks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum MmsLaw {
    /// Two hosts that never spoke MMS with each other.
    UnknownPair,
    /// A service never used in this direction.
    UnknownKind,
    /// A service only used while an association is set up.
    OutOfPhase,
    /// An association opened while one is open.
    Reopened,
    /// A name never used.
    NewName,
    /// An answer without a question.
    Unasked,
    /// An invoke identifier that is still open, or falls.
    Invoke,
    /// An answer to a question that broke a law.
    AnswersBreak,
    /// Many more messages than ever in a window.
    Rate,
}

impl MmsLaw {
    /// Every law, by number.
    pub const ALL: [Self; 9] = [
        Self::UnknownPair,
        Self::UnknownKind,
        Self::OutOfPhase,
        Self::Reopened,
        Self::NewName,
        Self::Unasked,
        Self::Invoke,
        Self::AnswersBreak,
        Self::Rate,
    ];

    /// Name in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownPair => "unknown_pair",
            Self::UnknownKind => "unknown_service",
            Self::OutOfPhase => "service_out_of_phase",
            Self::Reopened => "association_reopened",
            Self::NewName => "new_name",
            Self::Unasked => "answer_without_question",
            Self::Invoke => "invoke_identifier",
            Self::AnswersBreak => "answer_to_a_break",
            Self::Rate => "rate",
        }
    }

    /// What a break means, in plain words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::UnknownPair => "these two never spoke MMS with each other",
            Self::UnknownKind => "a service that was never used between these two",
            Self::OutOfPhase => "a service only used while an association is set up",
            Self::Reopened => "an association was opened while one is open",
            Self::NewName => "a name that was never asked for",
            Self::Unasked => "an answer without a question",
            Self::Invoke => "invoke identifiers come twice or fall",
            Self::AnswersBreak => "the answer to an unusual question",
            Self::Rate => "many more messages than ever",
        }
    }

    /// Technique of ATT&CK for ICS that a break is evidence of, where it is.
    #[must_use]
    pub const fn technique(self) -> Option<&'static str> {
        match self {
            // Remote System Information Discovery.
            Self::OutOfPhase | Self::NewName => Some("T0888"),
            // Rogue Master.
            Self::UnknownPair => Some("T0848"),
            Self::UnknownKind
            | Self::Reopened
            | Self::Unasked
            | Self::Invoke
            | Self::AnswersBreak
            | Self::Rate => None,
        }
    }
}

/// A kind of message between two hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Kind {
    /// Who sends it.
    pub from: Host,
    /// Who receives it.
    pub to: Host,
    /// Type of the PDU.
    pub pdu: u8,
    /// Service.
    pub service: Option<u32>,
    /// Object class.
    pub class: Option<u32>,
}

impl Kind {
    pub(crate) const fn of(message: &MmsMessage<'_>) -> Self {
        Self {
            from: message.from,
            to: message.to,
            pdu: message.pdu,
            service: message.service,
            class: message.class,
        }
    }
}

/// How a kind was used.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Use {
    /// Messages.
    pub count: u64,
    /// Whether it is used beyond the set-up of an association.
    pub in_rest: bool,
    /// Latest use after the opening of its association, microseconds.
    pub latest_us: i64,
}

/// What was learned of MMS.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct MmsModel {
    /// Kinds of messages.
    #[serde(with = "crate::as_list")]
    pub kinds: BTreeMap<Kind, Use>,
    /// Names asked for, with the asker.
    pub names: BTreeSet<(Host, String, String)>,
    /// Breaks of training windows, judged by the finished model.
    pub limits: LawLimits,
    /// Most messages in one window.
    pub most_messages: u64,
    /// Messages of the training.
    pub messages: u64,
    /// Share of the messages in the second half whose kind or name the first half had not shown:
    /// the false alarms to expect from things never seen.
    pub forward_novelty: f64,
    /// Kinds, names and messages beyond the bounds.
    pub beyond: u64,
}
