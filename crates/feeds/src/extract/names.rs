//! Names and identifiers of a knowledge table, found in a text.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, MatchKind};

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum NameKind {
    /// Tactic.
    Tactic,
    /// Technique or sub-technique.
    Technique,
    /// Malware or tool.
    Software,
    /// Group of attackers.
    Group,
    /// Campaign.
    Campaign,
    /// Mitigation.
    Mitigation,
    /// Attack pattern of CAPEC.
    AttackPattern,
    /// Weakness, `CWE-n`.
    Weakness,
}

/// One entry of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: NameKind,
    /// Identifier, e.g. `T1059.001`, `AML.T0051`, `G0007`.
    pub id: String,
    /// Name and aliases.
    pub names: Vec<String>,
    /// Whether it is deprecated or revoked.
    pub withdrawn: bool,
}

/// Most names of a table.
pub const MAX_NAMES: usize = 200_000;
/// Longest name that is looked for, in bytes; shortest, in bytes.
pub const NAME_BYTES: std::ops::RangeInclusive<usize> = 3..=120;

/// Single words of everyday or of technical language that are also names of software, groups or
/// techniques: alone they say nothing.
const COMMON: &[&str] = &[
    "access",
    "account",
    "accounts",
    "address",
    "agent",
    "anchor",
    "arp",
    "at",
    "bash",
    "bits",
    "bonus",
    "bundle",
    "carbon",
    "cert",
    "chaos",
    "cmd",
    "code",
    "comet",
    "cron",
    "cuba",
    "dash",
    "data",
    "empire",
    "epic",
    "expand",
    "flame",
    "ftp",
    "fusion",
    "gold",
    "grease",
    "hive",
    "hydro",
    "impact",
    "inception",
    "javascript",
    "kernel",
    "machete",
    "magic",
    "master",
    "maze",
    "mirage",
    "mode",
    "nebula",
    "net",
    "open",
    "orange",
    "orbit",
    "passwd",
    "phantom",
    "phishing",
    "ping",
    "play",
    "power",
    "powershell",
    "proton",
    "proxy",
    "python",
    "reg",
    "remote",
    "route",
    "rover",
    "royal",
    "scheme",
    "script",
    "secret",
    "sensor",
    "server",
    "shark",
    "shell",
    "silence",
    "software",
    "spark",
    "spearphishing",
    "storm",
    "tool",
    "tor",
    "trinity",
    "trojan",
    "turtle",
    "visual basic",
    "vnc",
    "web shell",
    "winter",
    "wiper",
    "xor",
    "zebra",
    "zero",
];
/// Words near which a common word is taken for a name after all.
const CONTEXT: &[&str] = &[
    "malware",
    "ransomware",
    "trojan",
    "backdoor",
    "botnet",
    "wiper",
    "loader",
    "stealer",
    "implant",
    "rat",
    "actor",
    "group",
    "apt",
    "campaign",
    "gang",
    "operators",
    "family",
    "tool",
    "utility",
    "technique",
    "sub-technique",
    "att&ck",
    "mitre",
    "intrusion",
];
/// How far the context reaches to each side, in bytes.
const CONTEXT_REACH: usize = 60;

/// Why a table cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NamesError {
    /// More names than [`MAX_NAMES`].
    #[error("the table holds {0} names, more than {MAX_NAMES}; leave withdrawn entries out")]
    TooMany(usize),
    /// The search automaton cannot be built.
    #[error("the names cannot be compiled: {0}")]
    Compile(String),
}

/// A compiled table.
pub struct Names {
    entries: Vec<Entry>,
    by_id: HashMap<String, usize>,
    automaton: AhoCorasick,
    /// For each pattern: its spelling, the entries it names.
    patterns: Vec<(String, Vec<usize>)>,
    /// Names that are not looked for: too short, too long.
    left_out: usize,
}

impl Names {
    /// Compiles a table. A name that several entries share stands for all of them; withdrawn ones only
    /// where there is no other.
    ///
    /// # Errors
    /// [`NamesError`].
    pub fn new(entries: Vec<Entry>) -> Result<Self, NamesError> {
        let count: usize = entries.iter().map(|entry| entry.names.len()).sum();
        if count > MAX_NAMES {
            return Err(NamesError::TooMany(count));
        }
        let mut by_id = HashMap::new();
        let mut taken: HashMap<String, usize> = HashMap::new();
        let mut patterns: Vec<(String, Vec<usize>)> = Vec::new();
        let mut left_out = 0;
        for (at, entry) in entries.iter().enumerate() {
            by_id.entry(entry.id.to_ascii_uppercase()).or_insert(at);
            for name in &entry.names {
                let name = name.trim();
                let letters = name.chars().any(char::is_alphabetic);
                if !NAME_BYTES.contains(&name.len()) || !letters {
                    left_out += 1;
                    continue;
                }
                let lower = name.to_ascii_lowercase();
                let place = *taken.entry(lower).or_insert_with(|| {
                    patterns.push((name.to_owned(), Vec::new()));
                    patterns.len() - 1
                });
                let shared = &mut patterns[place].1;
                if !entry.withdrawn {
                    shared.retain(|other| !entries[*other].withdrawn);
                }
                let useless = entry.withdrawn && !shared.is_empty();
                if !useless && !shared.contains(&at) {
                    shared.push(at);
                }
            }
        }
        let automaton = AhoCorasickBuilder::new()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .build(patterns.iter().map(|(name, _)| name))
            .map_err(|error| NamesError::Compile(error.to_string()))?;
        Ok(Self { entries, by_id, automaton, patterns, left_out })
    }

    /// The entry of an identifier, whatever its case.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Entry> {
        self.by_id.get(&id.to_ascii_uppercase()).map(|at| &self.entries[*at])
    }

    /// Names that are not looked for, being too short or too long.
    #[must_use]
    pub const fn left_out(&self) -> usize {
        self.left_out
    }

    /// Every name in a text.
    pub(super) fn find<'a>(&'a self, text: &'a str) -> impl Iterator<Item = Name<'a>> {
        self.automaton.find_iter(text).flat_map(move |found| {
            let (start, end) = (found.start(), found.end());
            let (name, places) = &self.patterns[found.pattern().as_usize()];
            let word = is_word(text, start, end);
            let exact = &text[start..end] == name;
            let shared = places.len() > 1;
            places.iter().filter_map(move |at| {
                let entry = &self.entries[*at];
                let common = is_common(name, entry.kind);
                // A common word needs its very spelling and company; a short one its spelling.
                let refused = common && !(exact && in_context(text, start, end))
                    || name.len() <= 4 && !name.contains(' ') && !exact;
                (word && !refused).then_some(Name { start, end, entry, exact, common, shared })
            })
        })
    }
}

/// A name in a text.
pub(super) struct Name<'a> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) entry: &'a Entry,
    /// Spelt as in the table.
    pub(super) exact: bool,
    /// A word of everyday language.
    pub(super) common: bool,
    /// Other entries have the name as well.
    pub(super) shared: bool,
}

/// Single words of a technique are everyday language ("Masquerading"), those of the list as well.
fn is_common(name: &str, kind: NameKind) -> bool {
    let single = !name.contains(' ');
    let listed = COMMON.iter().any(|word| word.eq_ignore_ascii_case(name));
    let everyday = matches!(kind, NameKind::Technique | NameKind::Tactic | NameKind::Mitigation);
    listed || single && everyday && name.bytes().all(|b| b.is_ascii_alphabetic())
}

/// Whether no letter or digit touches the range.
pub(super) fn is_word(text: &str, start: usize, end: usize) -> bool {
    let before = text[..start].chars().next_back();
    let after = text[end..].chars().next();
    let joins = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    // Part of a name of a host or a file: `play.google.com`, `cmd.exe`.
    let dotted =
        text[end..].strip_prefix('.').is_some_and(|rest| rest.starts_with(char::is_alphanumeric));
    let slashed = matches!(before, Some('.' | '/' | '\\' | '@' | '-'));
    !joins(before)
        && !joins(after)
        && !dotted
        && !slashed
        && !matches!(after, Some('-' | '@' | '\\'))
}

fn in_context(text: &str, start: usize, end: usize) -> bool {
    let cut = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let before = &text[cut(start.saturating_sub(CONTEXT_REACH))..start];
    let after = &text[end..cut(end + CONTEXT_REACH).max(end)];
    // Within the clause; lines of running text are broken anywhere.
    let before = before.rsplit(['.', ';']).next().unwrap_or_default();
    let before = before.rsplit("\n\n").next().unwrap_or_default();
    let after = after.split(['.', ';']).next().unwrap_or_default();
    let after = after.split("\n\n").next().unwrap_or_default();
    let words = |part: &str| {
        part.split(|c: char| c.is_whitespace() || ",;:()\"".contains(c))
            .any(|word| CONTEXT.iter().any(|known| known.eq_ignore_ascii_case(word)))
    };
    words(before) || words(after)
}
