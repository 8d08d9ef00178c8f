//! A query as text again.

use crate::field::List;
use crate::parse::{Query, Term};

/// The query as text that reads back as the same query.
#[must_use]
pub fn print(query: &Query, list: &List) -> String {
    match query {
        Query::All => String::new(),
        Query::And(all) => joined(all, " ", list),
        Query::Or(any) => joined(any, " OR ", list),
        Query::Not(inner) => format!("-{}", inside(inner, list)),
        Query::Words { text, prefix, .. } => words(text, *prefix),
        Query::Term(term) => print_term(term),
    }
}

fn joined(queries: &[Query], between: &str, list: &List) -> String {
    let parts: Vec<String> = queries.iter().map(|query| inside(query, list)).collect();
    parts.join(between)
}

fn inside(query: &Query, list: &List) -> String {
    match query {
        Query::And(_) | Query::Or(_) => format!("({})", print(query, list)),
        _ => print(query, list),
    }
}

fn words(text: &str, prefix: bool) -> String {
    let star = if prefix { "*" } else { "" };
    let reserved = ["AND", "OR", "NOT"].contains(&text);
    let bare = |sign: char| sign.is_alphanumeric() || "._/@+".contains(sign);
    if !reserved && text.chars().all(bare) {
        format!("{text}{star}")
    } else {
        format!("\"{text}{star}\"")
    }
}

fn print_term(term: &Term) -> String {
    let write = |(text, quotes): &(String, bool)| {
        if *quotes { format!("\"{text}\"") } else { quoted(text) }
    };
    let values: Vec<String> = term.given.iter().map(write).collect();
    format!("{}{}{}", term.name, term.compare.sign(), values.join(","))
}

/// A value as it stands behind `field:`; in quotes where it needs them.
#[must_use]
pub fn quoted(text: &str) -> String {
    let needs = |sign: char| sign.is_whitespace() || "()\",".contains(sign);
    if text.is_empty() || text.chars().any(needs) {
        format!("\"{}\"", text.replace('"', ""))
    } else {
        text.to_owned()
    }
}
