//! The pass over a text: identifiers by pattern, names by automaton, values word by word.

use std::sync::OnceLock;

use regex::Regex;

use super::names::{Entry, NameKind, Names, is_word};
use super::report::{Doubt, Found, List};
use crate::value::{Kind, MAX_VALUE_BYTES, Observable, Scope, is_file_extension, is_known_tld};

/// Identifiers. Case matters where an identifier is short: `t1000` is a word.
const IDS: &str = r"(?-u)\b(?:(?i:CVE-[0-9]{4}-[0-9]{4,19}|GHSA(?:-[23456789cfghjmpqrvwx]{4}){3}|AML\.(?:TA|T|M|CS)[0-9]{4}(?:\.[0-9]{3})?|CAPEC-[0-9]{1,4}|CWE-[0-9]{1,4})|T[0-9]{4}(?:\.[0-9]{3})?|(?:TA|[SGCM])[0-9]{4})\b";

fn ids() -> Option<&'static Regex> {
    static REGEX: OnceLock<Option<Regex>> = OnceLock::new();
    REGEX.get_or_init(|| Regex::new(IDS).ok()).as_ref()
}

pub(super) fn scan(text: &str, names: Option<&Names>, list: &mut List<'_>) {
    identifiers(text, names, list);
    if let Some(names) = names {
        for name in names.find(text) {
            let mut doubts = withdrawn(name.entry);
            let reasons = [
                (name.common, Doubt::CommonWord),
                (!name.exact, Doubt::OtherSpelling),
                (name.shared, Doubt::SharedName),
            ];
            doubts.extend(reasons.iter().filter(|(holds, _)| *holds).map(|(_, doubt)| *doubt));
            list.add(knowledge(name.entry), name.start, name.end, doubts);
        }
    }
    let mut at = 0;
    while let Some((start, end)) = chunk(text, at) {
        at = super::scan_chunk::chunk_values(text, start, end, list).max(end);
    }
}

fn knowledge(entry: &Entry) -> Found {
    Found::Knowledge { kind: entry.kind, id: entry.id.clone() }
}

fn withdrawn(entry: &Entry) -> Vec<Doubt> {
    if entry.withdrawn { vec![Doubt::Withdrawn] } else { Vec::new() }
}

fn identifiers(text: &str, names: Option<&Names>, list: &mut List<'_>) {
    let Some(ids) = ids() else { return };
    for found in ids.find_iter(text) {
        let (start, end, id) = (found.start(), found.end(), found.as_str());
        // `\b` lets `T1000-x` and `_T1000` pass; letters of other scripts, too.
        let joined = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        if joined(text[..start].chars().next_back()) || joined(text[end..].chars().next()) {
            continue;
        }
        let kind = match id.as_bytes()[0].to_ascii_uppercase() {
            b'C' if id.len() > 4 && id[..4].eq_ignore_ascii_case("CVE-") => Some(Kind::Cve),
            b'G' if id.len() > 5 && id[..5].eq_ignore_ascii_case("GHSA-") => Some(Kind::Ghsa),
            _ => None,
        };
        if let Some(kind) = kind {
            if let Ok(observable) = Observable::of_kind(kind, id) {
                list.add(Found::Observable(observable), start, end, Vec::new());
            }
            continue;
        }
        if let Some(entry) = names.and_then(|names| names.get(id)) {
            list.add(knowledge(entry), start, end, withdrawn(entry));
            continue;
        }
        let upper = id.to_ascii_uppercase();
        let kind = match upper.as_bytes() {
            [b'C', b'W', b'E', ..] => NameKind::Weakness,
            [b'C', b'A', b'P', ..] => NameKind::AttackPattern,
            [b'T', b'0'..=b'9', ..] | [b'A', b'M', b'L', _, b'T', b'0'..=b'9', ..] => {
                NameKind::Technique
            }
            // Four digits behind a letter are part numbers unless a table says otherwise.
            _ => continue,
        };
        // The table need not hold weaknesses and attack patterns.
        let doubted = kind == NameKind::Technique && names.is_some();
        let doubts = if doubted { vec![Doubt::UnknownId] } else { Vec::new() };
        list.add(Found::Knowledge { kind, id: upper }, start, end, doubts);
    }
}

/// What parts words.
pub(super) fn is_gap(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '"' | '<'
                | '>'
                | '`'
                | '|'
                | '\u{201c}'
                | '\u{201d}'
                | '\u{201e}'
                | '\u{ab}'
                | '\u{bb}'
        )
        || matches!(c, '\u{2018}' | '\u{2019}' | '\u{2022}' | '\u{2013}' | '\u{2014}' | '\u{2026}')
        || c.is_control()
}

/// The next run without gaps, from `at`.
pub(super) fn chunk(text: &str, at: usize) -> Option<(usize, usize)> {
    let rest = text.get(at..)?;
    let start = at + rest.find(|c| !is_gap(c))?;
    let end = text[start..].find(is_gap).map_or(text.len(), |length| start + length);
    Some((start, end))
}

/// Reads a value of a kind and takes it with the doubts that its kind raises.
pub(super) fn take(
    kind: Kind,
    text: &str,
    (start, end): (usize, usize),
    list: &mut List<'_>,
) -> bool {
    if end - start > MAX_VALUE_BYTES || !is_word_or_edge(text, start, end) {
        return false;
    }
    let spelt = &text[start..end];
    let Ok(observable) = Observable::of_kind(kind, spelt) else { return false };
    let mut doubts = match observable.scope() {
        Scope::Public => Vec::new(),
        Scope::Documentation => vec![Doubt::ForExamples],
        _ => vec![Doubt::NotPublic],
    };
    let defanged = list.defanged(start, end);
    match kind {
        Kind::Ipv4 if !defanged && looks_like_version(text, start, observable.value()) => {
            doubts.push(Doubt::LooksLikeVersion);
        }
        Kind::Domain | Kind::Endpoint | Kind::Email => name_doubts(spelt, defanged, &mut doubts),
        Kind::FilePath | Kind::FileName => doubts.push(Doubt::OrdinaryFile),
        Kind::Asn if matches!(observable.value(), "AS400" | "AS1" | "AS2" | "AS3" | "AS4") => {
            doubts.push(Doubt::LooksLikeProduct);
        }
        _ => {}
    }
    list.add(Found::Observable(observable), start, end, doubts);
    true
}

/// Letters of other scripts must not touch a value either.
fn is_word_or_edge(text: &str, start: usize, end: usize) -> bool {
    let edge = |c: Option<char>| !c.is_some_and(char::is_alphanumeric);
    is_word(text, start, end)
        || edge(text[..start].chars().next_back()) && edge(text[end..].chars().next())
}

/// Words that versions follow.
const VERSION_WORDS: &[&str] =
    &["version", "versions", "ver", "v", "release", "build", "firmware", "fw", "update", "through"];

fn looks_like_version(text: &str, start: usize, value: &str) -> bool {
    let mut from = start.saturating_sub(24);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let before = text[from..start].trim_end_matches([' ', ':', '.', '(', '=', '<', '>']);
    let word = before.rsplit(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    VERSION_WORDS.iter().any(|known| known.eq_ignore_ascii_case(word)) || value.ends_with(".0.0")
}

/// Products that are named like hosts.
const PRODUCTS: &[&str] = &["asp.net", "ado.net", "vb.net", "ml.net", "socket.io", "paint.net"];

fn name_doubts(spelt: &str, defanged: bool, doubts: &mut Vec<Doubt>) {
    let host = spelt.rsplit('@').next().unwrap_or(spelt);
    let host = host.split(':').next().unwrap_or(host).trim_end_matches('.');
    let Some((front, last)) = host.rsplit_once('.') else { return };
    if last.bytes().all(|b| b.is_ascii_digit()) {
        return;
    }
    if !is_known_tld(last) && last.is_ascii() {
        doubts.push(Doubt::UnknownTopLevel);
    }
    // Nobody defangs a product or the end of a sentence.
    if defanged {
        return;
    }
    if is_known_tld(last) && is_file_extension(last) && !spelt.contains('@') {
        doubts.push(Doubt::LooksLikeFile);
    }
    if PRODUCTS.iter().any(|product| product.eq_ignore_ascii_case(host)) {
        doubts.push(Doubt::LooksLikeProduct);
    }
    // `ended.In`, `System.Net`: a capital letter where hosts have none.
    let capital = last.starts_with(|c: char| c.is_ascii_uppercase());
    let shouted = front.bytes().any(|b| b.is_ascii_lowercase())
        || last.bytes().skip(1).any(|b| b.is_ascii_lowercase());
    if capital && shouted {
        doubts.push(Doubt::LooksLikeSentence);
    }
}
