//! The room's SQL and nothing else.

mod daily;
mod incidents;
mod marks;

pub(crate) use daily::{Counted, count_by_item, daily, finding, move_counts, put_finding};
pub(crate) use incidents::{Case, calling, changes_since, find, put, recent_origins, waiting};
pub(crate) use marks::{Campaign, campaigns, note};

use model::{Timestamp, Tlp};

/// Microseconds of a day.
const DAY_US: i64 = 86_400_000_000;

/// The day of a moment: days since 1970-01-01, UTC.
pub(crate) const fn day_of(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(DAY_US)
}

/// The condition that leaves out what labels beyond sight bind. Labels are constants of this program, never input.
fn without(beyond: &[Tlp]) -> String {
    beyond.iter().map(|tlp| format!("AND bound <> '{}' ", tlp.label())).collect()
}
