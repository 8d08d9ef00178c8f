//! The review list.

use std::borrow::Cow;
use std::ops::Range;

use hashbrown::HashMap;

use super::names::{NameKind, Names};
use super::{html, refang, scan};
use crate::value::{Kind, Observable};

/// What is looked at and kept at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExtractLimits {
    /// Bytes of a text.
    pub max_bytes: usize,
    /// Different candidates.
    pub max_candidates: usize,
    /// Places kept of each candidate; all are counted.
    pub max_places: usize,
}

/// 64 MiB, 100,000 candidates, 16 places each.
pub const LIMITS: ExtractLimits =
    ExtractLimits { max_bytes: 64 << 20, max_candidates: 100_000, max_places: 16 };

/// Furthest that the context of a candidate reaches to each side, in bytes.
pub const CONTEXT_BYTES: usize = 240;

/// Why a text is not looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExtractError {
    /// Longer than [`ExtractLimits::max_bytes`].
    #[error("the text has {0} bytes, more than {1} (max_bytes); split it")]
    TooLarge(usize, usize),
}

/// What a candidate stands for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Found {
    /// A value.
    Observable(Observable),
    /// An entry of the knowledge table: technique, software, group …
    Knowledge {
        /// What it is.
        kind: NameKind,
        /// Its identifier, e.g. `T1059.001`.
        id: String,
    },
}

/// Why a person should look twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Doubt {
    /// An address or name that means something in one network only.
    NotPublic,
    /// An address or name reserved for examples and documentation.
    ForExamples,
    /// Four numbers that follow a word like "version".
    LooksLikeVersion,
    /// A name whose ending is one of files, too.
    LooksLikeFile,
    /// A name whose last label is no top-level domain of the list.
    UnknownTopLevel,
    /// Two sentences without a blank between them.
    LooksLikeSentence,
    /// The name of a product.
    LooksLikeProduct,
    /// Written plainly in a text that defangs: rather a source than an indicator.
    PlainAmongDefanged,
    /// An identifier that the knowledge table does not hold.
    UnknownId,
    /// An identifier that is deprecated or revoked.
    Withdrawn,
    /// A word of everyday language that is also a name.
    CommonWord,
    /// A name spelt in other letters than the table's.
    OtherSpelling,
    /// A name that several entries of the table have.
    SharedName,
    /// A path or a name of a file: malicious or ordinary, the text decides.
    OrdinaryFile,
}

/// What a first reader would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Suggestion {
    /// Take it.
    Accept,
    /// Look at it.
    Doubt,
}

/// Something found in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// What it stands for.
    pub found: Found,
    /// How it is spelt at its first place.
    pub spelling: String,
    /// Whether it was defanged somewhere.
    pub defanged: bool,
    /// Reasons to look twice; a reason that does not hold at some place is no reason.
    pub doubts: Vec<Doubt>,
    /// Places in [`Review::text`], in bytes, at most [`ExtractLimits::max_places`].
    pub places: Vec<Range<usize>>,
    /// How often it stands in the text.
    pub count: usize,
}

impl Candidate {
    /// What a first reader would do.
    #[must_use]
    pub fn suggestion(&self) -> Suggestion {
        if self.doubts.is_empty() { Suggestion::Accept } else { Suggestion::Doubt }
    }
}

/// The list to review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review<'t> {
    /// The text that places refer to: the one given, or what is left of HTML.
    pub text: Cow<'t, str>,
    /// Candidates by their first place.
    pub candidates: Vec<Candidate>,
    /// Finds beyond [`ExtractLimits::max_candidates`], which are not listed.
    pub untold: usize,
}

impl Review<'_> {
    /// The sentence around a place: from the end of the last sentence or line to the end of this
    /// one, at most [`CONTEXT_BYTES`] to each side.
    #[must_use]
    pub fn context(&self, place: &Range<usize>) -> &str {
        let text: &str = &self.text;
        let inside = |mut at: usize, forward: bool| {
            at = at.min(text.len());
            while !text.is_char_boundary(at) {
                if forward { at += 1 } else { at -= 1 }
            }
            at
        };
        let (start, end) = (inside(place.start, false), inside(place.end, true));
        let from = inside(start.saturating_sub(CONTEXT_BYTES), true).min(start);
        let to = inside(end.saturating_add(CONTEXT_BYTES), false).max(end);
        let before = &text[from..start];
        let cut = before.rfind('\n').map(|at| at + 1).max(
            [". ", "! ", "? "].iter().filter_map(|end| before.rfind(end)).max().map(|at| at + 2),
        );
        let after = &text[end..to];
        let stop = [". ", ".\n", "! ", "? ", "\n"].iter().filter_map(|end| after.find(end)).min();
        let stop = stop.map_or(after.len(), |at| at + usize::from(!after[at..].starts_with('\n')));
        text[from + cut.unwrap_or(0)..end + stop].trim()
    }

    /// The values that a first reader would take.
    pub fn accepted(&self) -> impl Iterator<Item = &Observable> {
        self.candidates.iter().filter_map(|candidate| match &candidate.found {
            Found::Observable(observable) if candidate.doubts.is_empty() => Some(observable),
            _ => None,
        })
    }
}

/// Looks through a text; HTML is recognised and stripped first.
///
/// # Errors
/// [`ExtractError::TooLarge`].
pub fn extract<'t>(
    text: &'t str,
    names: Option<&Names>,
    limits: ExtractLimits,
) -> Result<Review<'t>, ExtractError> {
    if text.len() > limits.max_bytes {
        return Err(ExtractError::TooLarge(text.len(), limits.max_bytes));
    }
    let text: Cow<'t, str> =
        if html::is_html(text) { Cow::Owned(html::strip(text)) } else { Cow::Borrowed(text) };
    let plain = refang::plain(&text);
    let mut list = List {
        plain: &plain,
        original: &text,
        limits,
        at: HashMap::new(),
        candidates: Vec::new(),
        untold: 0,
    };
    scan::scan(&plain.text, names, &mut list);
    let List { mut candidates, untold, .. } = list;
    let defangs = plain.any_defanged();
    drop(plain);
    for candidate in &mut candidates {
        // In a text that defangs its indicators a plain address is a source or a victim.
        if let Found::Observable(observable) = &candidate.found
            && defangs
            && !candidate.defanged
            && can_be_defanged(observable.kind())
        {
            candidate.doubts.push(Doubt::PlainAmongDefanged);
        }
        candidate.doubts.sort_unstable();
    }
    candidates.sort_by_key(|candidate| candidate.places.first().map_or(0, |place| place.start));
    Ok(Review { text, candidates, untold })
}

const fn can_be_defanged(kind: Kind) -> bool {
    matches!(kind, Kind::Domain | Kind::Url | Kind::Ipv4 | Kind::Endpoint | Kind::Email)
}

/// Collects finds, one candidate for each value.
pub(super) struct List<'a> {
    plain: &'a refang::Plain<'a>,
    original: &'a str,
    limits: ExtractLimits,
    at: HashMap<Found, usize>,
    candidates: Vec<Candidate>,
    untold: usize,
}

impl List<'_> {
    /// Takes a find at `start..end` of the plain text.
    pub(super) fn add(&mut self, found: Found, start: usize, end: usize, doubts: Vec<Doubt>) {
        let place = self.plain.original(start)..self.plain.original_end(start, end);
        let defanged = self.plain.defanged(start, end);
        if let Some(at) = self.at.get(&found) {
            let candidate = &mut self.candidates[*at];
            candidate.count += 1;
            candidate.defanged |= defanged;
            candidate.doubts.retain(|doubt| doubts.contains(doubt));
            if candidate.places.len() < self.limits.max_places {
                candidate.places.push(place);
            }
            return;
        }
        if self.candidates.len() >= self.limits.max_candidates {
            self.untold += 1;
            return;
        }
        let spelling = self.original.get(place.clone()).unwrap_or_default().to_owned();
        self.at.insert(found.clone(), self.candidates.len());
        let places = vec![place];
        self.candidates.push(Candidate { found, spelling, defanged, doubts, places, count: 1 });
    }

    /// Whether a range of the plain text was defanged.
    pub(super) fn defanged(&self, start: usize, end: usize) -> bool {
        self.plain.defanged(start, end)
    }
}
