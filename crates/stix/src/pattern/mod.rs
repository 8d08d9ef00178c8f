//! STIX patterning (STIX 2.1 §9): read, print, normal form, equivalence, matching.
//!
//! Entry points: [`Pattern::parse`] reads (its `Display` prints), [`Pattern::normal`] and [`equivalent`] compare,
//! [`Matcher`] evaluates over [`Observed`] data, [`live::Live`] over observations as they come,
//! [`index::Index`] holds very many simple patterns.
//!
//! Invariants
//! - The grammar is the one that OASIS publishes (STIXPattern.g4): what it accepts is accepted, and what it
//!   refuses is refused with the place; `WITHIN` and `REPEATS` must be above zero. [`Pattern::check`] asks for more:
//!   hashes of the form of their algorithm, each qualifier once on one observation.
//! - Bounds everywhere: length, brackets, nodes, regular expressions, values that a path fans out to, and the steps and
//!   depth of the search for bindings; what passes a bound is an error, never a wrong answer.
//!
//! Decided where the standard and the tools of OASIS differ, or say nothing
//! - `WITHIN 5 SECONDS` holds for observations exactly five seconds apart, as the matcher's own tests ask for; §9.5.1
//!   reads as if it did not.
//! - `NOT` negates what is false because types do not compare, for `<` as for `LIKE` (§9.6.1); the matcher leaves
//!   `NOT <` false.
//! - A text in the data that is no timestamp does not equal a timestamp; the matcher refuses the data.
//! - `MATCHES` has DOTALL, as §9.6.1 demands; the matcher leaves it out. `ISSUBSET` knows IPv6; the matcher does not.
//! - Line feeds inside `b'…'` are ignored, as §9.2 demands; the grammar refuses them.
//! - Objects that are no observables (indicators, identities …) are never matched, though they may be followed.

mod alone;
mod ast;
mod atoms;
mod bind;
mod caution;
mod compare;
mod dialect;
pub mod index;
mod keys;
mod lex;
pub mod live;
mod matcher;
mod normal;
mod observe;
mod parse;
mod partial;
mod print;
mod regex;
mod relax;
mod simple;
mod table;

pub use alone::Prepared;
pub use ast::{Comparison, Constant, Expression, Op, Path, Pattern, Qualifier, Step, Test};
pub use matcher::{MatchError, Matcher};
pub use normal::equivalent;
pub use observe::{ObserveError, Observed};
pub use parse::{MAX_DEPTH, MAX_NODES, MAX_PATTERN_BYTES, PatternError};
pub use partial::{Needed, met_by_port, needed_values};
pub use simple::{
    MAX_VALUES, SimpleValue, equals, looks_like_pattern, simple_values, values_and_networks,
    values_of,
};

/// Reads a pattern.
///
/// # Errors
/// [`PatternError`] with the place and what is expected there.
pub fn parse(text: &str) -> Result<Pattern, PatternError> {
    Pattern::parse(text)
}
