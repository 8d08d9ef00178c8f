//! Defanged spellings back into plain ones, with every place traceable to the original.

use std::borrow::Cow;
use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};

/// When a spelling is replaced.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Between {
    /// Always: the spelling has no other use.
    Always,
    /// Only between letters or digits.
    Words,
    /// Only at the beginning of a word.
    Start,
}

/// Spellings and what they stand for, matched longest first and without regard to case. `\.` is not
/// among them: registry keys such as `HKCR\.txt` hold it.
const SPELLINGS: &[(&str, &str, Between)] = &[
    ("hxxp", "http", Between::Start),
    ("hxtp", "http", Between::Start),
    ("htxp", "http", Between::Start),
    ("h**p", "http", Between::Start),
    ("hXXp", "http", Between::Start),
    ("fxp", "ftp", Between::Start),
    ("meow://", "http://", Between::Start),
    ("[://]", "://", Between::Words),
    ("[:]//", "://", Between::Words),
    ("[:]\\\\", "://", Between::Words),
    ("[:/]/", "://", Between::Words),
    (":[//]", "://", Between::Words),
    (":[/][/]", "://", Between::Words),
    ("[:]", ":", Between::Words),
    ("[/]", "/", Between::Words),
    ("[.]", ".", Between::Words),
    ("(.)", ".", Between::Words),
    ("{.}", ".", Between::Words),
    ("[.", ".", Between::Words),
    (".]", ".", Between::Words),
    ("[,]", ".", Between::Words),
    ("[dot]", ".", Between::Words),
    ("(dot)", ".", Between::Words),
    ("{dot}", ".", Between::Words),
    (" [dot] ", ".", Between::Words),
    (" (dot) ", ".", Between::Words),
    (" [.] ", ".", Between::Words),
    ("[punkt]", ".", Between::Words),
    ("[at]", "@", Between::Words),
    ("(at)", "@", Between::Words),
    ("{at}", "@", Between::Words),
    ("[@]", "@", Between::Words),
    (" [at] ", "@", Between::Words),
    (" (at) ", "@", Between::Words),
    // What PDF readers and word processors leave in copied text.
    ("\u{2010}", "-", Between::Words),
    ("\u{2011}", "-", Between::Words),
    ("\u{00ad}", "", Between::Always),
    ("\u{200b}", "", Between::Always),
    ("\u{200c}", "", Between::Always),
    ("\u{200d}", "", Between::Always),
    ("\u{2060}", "", Between::Always),
    ("\u{feff}", "", Between::Always),
];
/// Spellings from here on are typography: who uses them does not defang.
const FIRST_TYPOGRAPHIC: usize = SPELLINGS.len() - 8;

fn automaton() -> Option<&'static AhoCorasick> {
    static AUTOMATON: OnceLock<Option<AhoCorasick>> = OnceLock::new();
    AUTOMATON
        .get_or_init(|| {
            AhoCorasickBuilder::new()
                .ascii_case_insensitive(true)
                .match_kind(MatchKind::LeftmostLongest)
                .build(SPELLINGS.iter().map(|(spelling, ..)| spelling))
                .ok()
        })
        .as_ref()
}

/// A text with its defanged spellings replaced.
pub(crate) struct Plain<'t> {
    pub(crate) text: Cow<'t, str>,
    /// For each replacement: its place in the new text, its end there, its end in the original,
    /// whether it defangs.
    steps: Vec<(usize, usize, usize, bool)>,
}

impl Plain<'_> {
    /// The place in the original of a place in the new text.
    pub(crate) fn original(&self, place: usize) -> usize {
        let at = self.steps.partition_point(|step| step.1 <= place);
        match at.checked_sub(1).map(|at| self.steps[at]) {
            Some((_, end, original, _)) => original + (place - end),
            None => place,
        }
    }

    /// The place in the original where something that ends at `place` in the new text ends: what
    /// was left out behind it does not belong to it.
    pub(crate) fn original_end(&self, start: usize, place: usize) -> usize {
        if place > start { self.original(place - 1) + 1 } else { self.original(start) }
    }

    /// Whether a defanged spelling stood inside a range of the new text.
    pub(crate) fn defanged(&self, start: usize, end: usize) -> bool {
        let from = self.steps.partition_point(|step| step.1 <= start);
        self.steps[from..].iter().take_while(|step| step.0 < end).any(|step| step.3)
    }

    /// Whether anything in the text was defanged.
    pub(crate) fn any_defanged(&self) -> bool {
        self.steps.iter().any(|step| step.3)
    }
}

/// Replaces defanged spellings, in linear time.
pub(crate) fn plain(text: &str) -> Plain<'_> {
    let mut steps = Vec::new();
    let Some(automaton) = automaton() else { return Plain { text: Cow::Borrowed(text), steps } };
    let mut out = String::new();
    let mut copied = 0;
    for found in automaton.find_iter(text) {
        let (_, plain, between) = SPELLINGS[found.pattern().as_usize()];
        if !fits(text, found.start(), found.end(), between) {
            continue;
        }
        out.push_str(&text[copied..found.start()]);
        let start = out.len();
        out.push_str(plain);
        copied = found.end();
        steps.push((start, out.len(), copied, found.pattern().as_usize() < FIRST_TYPOGRAPHIC));
    }
    if steps.is_empty() {
        return Plain { text: Cow::Borrowed(text), steps };
    }
    out.push_str(&text[copied..]);
    Plain { text: Cow::Owned(out), steps }
}

fn fits(text: &str, start: usize, end: usize, between: Between) -> bool {
    let bytes = text.as_bytes();
    let word = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_alphanumeric() || *b >= 0x80);
    let before = start.checked_sub(1).and_then(|at| bytes.get(at));
    match between {
        Between::Always => true,
        Between::Start => {
            let after = &bytes[end..bytes.len().min(end + 1)];
            !word(before)
                && (text[..end].ends_with("//") || matches!(after, b"s" | b"S" | b":" | b"["))
        }
        // `]` and `[` themselves, so that `a[.]b[.]c` and `[:][/]` are read one after the other.
        Between::Words => {
            let edge = |b: Option<&u8>| {
                word(b) || matches!(b, Some(b'[' | b']' | b'/' | b':' | b'-' | b'_'))
            };
            edge(before) && edge(bytes.get(end))
        }
    }
}

/// A value as it was before somebody defanged it: `hxxp://evil[.]example` → `http://evil.example`.
#[must_use]
pub fn refang(text: &str) -> Cow<'_, str> {
    plain(text).text
}

/// A value so that no program makes a link of it: `http://evil.example` → `hxxp://evil[.]example`.
#[must_use]
pub fn defang(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let head = text.get(..4).filter(|head| head.eq_ignore_ascii_case("http"));
    let rest = match head {
        Some(_) => {
            out.push_str("hxxp");
            &text[4..]
        }
        None => text,
    };
    // The path of a URL is left alone.
    let host_end = match rest.find("://") {
        Some(at) => rest[at + 3..].find(['/', '?', '#']).map_or(rest.len(), |end| at + 3 + end),
        None => rest.len(),
    };
    for c in rest[..host_end].chars() {
        match c {
            '.' => out.push_str("[.]"),
            '@' => out.push_str("[@]"),
            _ => out.push(c),
        }
    }
    out.push_str(&rest[host_end..]);
    out
}
