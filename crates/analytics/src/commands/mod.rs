//! Commands of operational technology, judged one by one.
//!
//! Nothing here counts packets: each [`Operation`] that a protocol parser tells is compared with what
//! its pair of devices did in training: functions, objects, values, order, rate, refusals. The model
//! is a short text ([`CommandModel::to_text`]) that an engineer reads and corrects
//! ([`CommandModel::from_text`]).
//!
//! Unusual is not yet wrong: every finding says what was expected and on how much training that
//! rests. A kind of deviation that training itself kept showing (forward in time) only informs.

mod deviate;
mod finding;
mod intervals;
mod judge;
mod learn;
mod model;
mod summarise;
mod summary;
mod text;
mod values;
mod windows;

use protocols::app::{Operation, Protocol};
use protocols::flow::{End, Sighting};

use crate::host::Host;

pub use finding::{CommandFinding, Deviation};
pub use intervals::{Interval, Intervals, MAX_INTERVALS};
pub use judge::{CommandJudge, CommandStats};
pub use learn::CommandLearner;
pub use model::{
    CommandModel, FunctionModel, MAX_FUNCTIONS, MAX_NAMES, MAX_PAIRS, MAX_POINTS, MODEL_VERSION,
    PairModel, SpacePoints, Training,
};
pub use summarise::{Summariser, SummaryStats};
pub use summary::{About, Entry, MAX_ENTRIES, Step, Summary, SummaryError, pairs};
pub use text::TextError;
pub use values::{PointValues, Verdict};
pub use windows::{CommandWindow, CommandWindows};

/// One operation between two devices.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Command<'a> {
    /// Time of capture, microseconds.
    pub ts_us: i64,
    /// Who sent it.
    pub from: Host,
    /// Who received it.
    pub to: Host,
    /// The protocol.
    pub protocol: Protocol,
    /// What it asks or tells.
    pub operation: Operation<'a>,
}

/// Tells each operation of a message between two known ends.
///
/// The unit of the address is part of the pair. GOOSE is left out: its publishers have a model of
/// their own ([`crate::goose`]).
pub fn each_command<'a>(sighting: &Sighting<'a>, each: &mut dyn FnMut(Command<'a>)) {
    let host = |end: &End| end.ip.map(Host::from).or_else(|| end.mac.map(Host::mac));
    let (Some(from), Some(to)) = (host(&sighting.from), host(&sighting.to)) else { return };
    if sighting.protocol == Protocol::Goose {
        return;
    }
    let (ts_us, protocol) = (sighting.ts_ns.div_euclid(1_000), sighting.protocol);
    sighting
        .record
        .operations(&mut |operation| each(Command { ts_us, from, to, protocol, operation }));
}
