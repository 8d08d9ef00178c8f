//! GOOSE publishers: the laws of IEC 61850-8-1 clause 18.1.2.5, the timing a publisher keeps, and the
//! values its data set takes.
//!
//! A publisher repeats its state (`stNum`, `t`, data) with a rising `sqNum`; only a change of data
//! begins a new state, with `stNum` one higher, `sqNum` 0 and a later `t`. [`GooseJudge`] follows that
//! chain per control block, keeps what does not fit as a fork, and notes each broken law in the window
//! of its time. An emergency is a lawful new state and breaks nothing; a value changed on the way, a
//! message inserted, repeated, delayed or taken out does.
//!
//! Who speaks lawfully in every respect in the place of a silenced publisher, and says what the
//! publisher itself might say, cannot be told from it here.

mod chain;
mod judge;
mod lawful;
mod learn;
mod packet;
mod publisher;
mod report;
mod stream;
#[cfg(test)]
mod tests;
mod values;

use crate::host::Host;

pub use judge::{GooseJudge, GooseMemory};
pub use learn::{GooseLearner, MAX_TRAINING_MESSAGES};
pub use packet::GoosePacket;
pub use publisher::{GooseModel, Header, MAX_PUBLISHERS, Publisher};
pub use report::{GooseGatherer, GooseReport, GooseRow};
pub use values::ValueModel;

/// One entry of a data set.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum Entry {
    /// A boolean.
    Bool(bool),
    /// A whole number, also a bit string or quality.
    Number(i64),
    /// A real number, as the bits of a double.
    Real(u64),
    /// Anything else, by its digest.
    Other(u64),
}

/// Entries of a data set that are read; further ones are left out.
pub const MAX_ENTRIES: usize = 256;

/// One GOOSE message, wherever it came from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GooseMessage<'a> {
    /// Time of capture, microseconds.
    pub ts_us: i64,
    /// Source address.
    pub src: Host,
    /// Destination address.
    pub dst: Host,
    /// Application identifier.
    pub app_id: u32,
    /// Length the header states, 0 where unknown.
    pub length: u32,
    /// Control block reference: names the publisher's stream.
    pub control: &'a str,
    /// Time allowed to live, milliseconds.
    pub ttl_ms: u32,
    /// Data set reference.
    pub data_set: &'a str,
    /// GOOSE identifier.
    pub go_id: &'a str,
    /// Time of the state, microseconds.
    pub t_us: i64,
    /// State number.
    pub state: u32,
    /// Sequence number.
    pub sequence: u32,
    /// Simulation bit.
    pub simulation: bool,
    /// Configuration revision.
    pub conf_rev: u32,
    /// Needs commissioning.
    pub needs_commissioning: bool,
    /// Number of entries stated.
    pub entries: u32,
    /// The entries, at most [`MAX_ENTRIES`].
    pub data: &'a [Entry],
}

/// A law a publisher keeps. The number is its place in [`crate::laws::Breaks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum GooseLaw {
    /// The state number falls or jumps.
    StateNumber,
    /// A sequence number comes twice, or two sequences run side by side.
    Sequence,
    /// Messages are missing between two.
    Missing,
    /// The data differ within one state.
    DataInState,
    /// The time of the state differs within one state.
    TimeInState,
    /// A new state with the data of the old one.
    SameData,
    /// Time of the state, sequence number and capture time do not fit.
    Age,
    /// Nothing heard for longer than the time allowed to live.
    Silence,
    /// A repetition came much earlier than this publisher repeats.
    TooEarly,
    /// The repetitions after a change came slower than this publisher's.
    Curve,
    /// The first message of a state came late after its time.
    Late,
    /// Source, destination, identifier, data set, revision or simulation bit differ.
    Header,
    /// The length is outside the range learned.
    Length,
    /// A control block never seen in training.
    UnknownPublisher,
    /// Values that do not fit together as they did in training.
    ValueRelation,
    /// A state that was taken back, or an old state told after the new one began.
    TakenBack,
    /// Values never seen, of a kind of change that is known.
    NewValue,
}

/// Laws that inform and never alert alone: an emergency may bring values never seen.
pub const WEAK_LAWS: [usize; 1] = [GooseLaw::NewValue as usize];

impl GooseLaw {
    /// Every law, by number.
    pub const ALL: [Self; 17] = [
        Self::StateNumber,
        Self::Sequence,
        Self::Missing,
        Self::DataInState,
        Self::TimeInState,
        Self::SameData,
        Self::Age,
        Self::Silence,
        Self::TooEarly,
        Self::Curve,
        Self::Late,
        Self::Header,
        Self::Length,
        Self::UnknownPublisher,
        Self::ValueRelation,
        Self::TakenBack,
        Self::NewValue,
    ];

    /// Name in output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::StateNumber => "state_number",
            Self::Sequence => "sequence",
            Self::Missing => "missing_messages",
            Self::DataInState => "data_changed_within_state",
            Self::TimeInState => "time_changed_within_state",
            Self::SameData => "state_without_change",
            Self::Age => "state_age",
            Self::Silence => "silence",
            Self::TooEarly => "too_early",
            Self::Curve => "retransmission_curve",
            Self::Late => "late_state",
            Self::Header => "header",
            Self::Length => "length",
            Self::UnknownPublisher => "unknown_publisher",
            Self::ValueRelation => "value_relation",
            Self::TakenBack => "state_taken_back",
            Self::NewValue => "new_value",
        }
    }

    /// What a break means, in plain words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::StateNumber => "the state number falls or jumps",
            Self::Sequence => "sequence numbers come twice: two senders speak as one publisher",
            Self::Missing => "messages are missing from the sequence",
            Self::DataInState => "the data changed although the state did not",
            Self::TimeInState => "the time of the state changed although the state did not",
            Self::SameData => "a new state was told without any change of data",
            Self::Age => "time of the state and sequence number do not fit the time of capture",
            Self::Silence => "the publisher was silent for longer than it allows",
            Self::TooEarly => "messages came earlier than this publisher repeats",
            Self::Curve => "the repetitions after a change came slower than this publisher's",
            Self::Late => "the first message of a state came late",
            Self::Header => "source, destination, data set, revision or simulation bit differ",
            Self::Length => "the length of the message is outside what was learned",
            Self::UnknownPublisher => "a control block never seen before speaks",
            Self::ValueRelation => "values that do not fit together as they always did",
            Self::TakenBack => "a state was told that the publisher later took back",
            Self::NewValue => "values never seen before, by a lawful change",
        }
    }

    /// Technique of ATT&CK for ICS that a break is evidence of, where it is.
    #[must_use]
    pub const fn technique(self) -> Option<&'static str> {
        match self {
            // Spoof Reporting Message.
            Self::StateNumber
            | Self::Sequence
            | Self::DataInState
            | Self::TimeInState
            | Self::SameData
            | Self::Age
            | Self::TooEarly
            | Self::TakenBack
            | Self::ValueRelation => Some("T0856"),
            // Block Reporting Message.
            Self::Missing | Self::Silence | Self::Late => Some("T0804"),
            // Rogue Master is for commands; an unknown or changed source spoofs.
            Self::Header | Self::UnknownPublisher => Some("T0856"),
            Self::Curve | Self::Length | Self::NewValue => None,
        }
    }
}
