//! Observables, vulnerabilities and techniques out of the text of a report, as a list to review.
//!
//! Nothing that is found here is believed: every [`Candidate`] says what it is, how it was spelt,
//! where it stands, why it was taken for what it is and what a first reader would suggest. Time is
//! linear in the text, memory bounded by [`ExtractLimits`].

mod html;
mod names;
mod refang;
mod report;
mod scan;
mod scan_chunk;

pub use html::{is_html, strip};
pub use names::{Entry, MAX_NAMES, NAME_BYTES, NameKind, Names, NamesError};
pub use refang::{defang, refang};
pub use report::{
    CONTEXT_BYTES, Candidate, Doubt, ExtractError, ExtractLimits, Found, LIMITS, Review,
    Suggestion, extract,
};
