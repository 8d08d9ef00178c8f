//! Reading a query: positioned errors, bounded size and depth.

use stix::{Timestamp, Tlp};

use crate::sight::rank;

/// Longest query, in bytes.
pub const MAX_QUERY_BYTES: usize = 4_096;
/// Terms of one query.
const MAX_TERMS: usize = 64;
/// Words, each of which costs a walk through the full text.
const MAX_WORDS: usize = 16;
/// Characters before `*`: fewer would stand for a large part of all words.
const MIN_PREFIX_CHARS: usize = 2;
/// Brackets inside each other.
const MAX_DEPTH: usize = 16;

/// Why a query cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("at character {at}: {what}")]
pub struct QueryError {
    /// Characters before the place, plus one.
    pub at: usize,
    /// What is wrong and what would be right.
    pub what: String,
}

/// How a field is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// `:` or `=`
    Is,
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

/// What can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// STIX type.
    Type,
    /// STIX id.
    Id,
    /// Words of the name.
    Name,
    /// A value that the object names, exactly.
    Value,
    /// Name or key of who said it.
    Source,
    /// TLP label.
    Tlp,
    /// 0 to 100.
    Confidence,
    /// When the object was made.
    Created,
    /// When this version was made.
    Modified,
    /// When this node learned of it.
    Known,
    /// Labels, aliases and kinds.
    Label,
    /// External ids, such as ATT&CK techniques and CVE numbers.
    Reference,
    /// Objects in relation with this id.
    Related,
    /// `revoked`, `custom`.
    Is,
}

/// Every field: names, what it takes, in the order in which they are offered.
pub(super) const FIELDS: &[(&str, Field, &str)] = &[
    ("type", Field::Type, "a STIX type, e.g. indicator"),
    ("value", Field::Value, "an address, domain, hash … exactly"),
    ("name", Field::Name, "words of the name"),
    ("label", Field::Label, "a label, alias or kind"),
    ("technique", Field::Reference, "an external id, e.g. T1059 or CVE-2026-1"),
    ("ref", Field::Reference, "an external id"),
    ("source", Field::Source, "who said it"),
    ("tlp", Field::Tlp, "clear, green, amber, amber+strict, red; also < <= > >="),
    ("confidence", Field::Confidence, "0 to 100; also < <= > >="),
    ("created", Field::Created, "a day, a time, or -7d; with < <= > >="),
    ("modified", Field::Modified, "a day, a time, or -7d; with < <= > >="),
    ("known", Field::Known, "since when this node knows it; a day, a time, or -7d"),
    ("related", Field::Related, "a STIX id"),
    ("id", Field::Id, "a STIX id"),
    ("is", Field::Is, "revoked or custom"),
];

/// A query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Query {
    /// Everything.
    All,
    /// All of them hold.
    And(Vec<Query>),
    /// One of them holds.
    Or(Vec<Query>),
    /// It does not hold.
    Not(Box<Query>),
    /// A word, the beginning of a word, or a phrase, anywhere in the text.
    Words {
        /// As written, without quotes.
        text: String,
        /// Words that begin so.
        prefix: bool,
    },
    /// A field with a text.
    Text(Field, String),
    /// A field with a number: rank, confidence, microseconds UTC.
    Number(Field, Compare, i64),
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Open,
    Close,
    Minus,
    Word(String),
    Quoted(String),
    Compare(Compare),
}

/// Reads a query; `now_us` is what relative times count from.
///
/// # Errors
/// [`QueryError`] with the place and the remedy.
pub fn parse(text: &str, now_us: i64) -> Result<Query, QueryError> {
    if let Some(at) = text.chars().position(char::is_control) {
        let what = "a control character; take it out".into();
        return Err(QueryError { at: at + 1, what });
    }
    if text.len() > MAX_QUERY_BYTES {
        let what = format!("the query has {} bytes, the limit is {MAX_QUERY_BYTES}", text.len());
        return Err(QueryError { at: 1, what });
    }
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Ok(Query::All);
    }
    let end = text.chars().count() + 1;
    let mut parser = Parser { tokens: &tokens, at: 0, terms: 0, words: 0, end, now_us };
    let query = parser.or(0)?;
    match parser.peek() {
        None => Ok(query),
        Some(_) => Err(parser.wrong("a closing bracket without an opening one")),
    }
}

fn tokens(text: &str) -> Result<Vec<(usize, Token)>, QueryError> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let start = at + 1;
        let next = chars.get(at + 1);
        // Signs between a field and its value belong to it only directly behind a word.
        let behind_word = matches!(tokens.last(), Some((_, Token::Word(_))))
            && at > 0
            && !chars[at - 1].is_whitespace();
        let (token, length) = match chars[at] {
            c if c.is_whitespace() => {
                at += 1;
                continue;
            }
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ':' | '=' if behind_word => (Token::Compare(Compare::Is), 1),
            '<' if behind_word && next == Some(&'=') => (Token::Compare(Compare::AtMost), 2),
            '<' if behind_word => (Token::Compare(Compare::Below), 1),
            '>' if behind_word && next == Some(&'=') => (Token::Compare(Compare::AtLeast), 2),
            '>' if behind_word => (Token::Compare(Compare::Above), 1),
            '-' if !matches!(tokens.last(), Some((_, Token::Compare(_)))) => (Token::Minus, 1),
            '"' => {
                let close = chars[at + 1..].iter().position(|c| *c == '"');
                let Some(close) = close else {
                    let what = "a quote that is never closed".into();
                    return Err(QueryError { at: start, what });
                };
                (Token::Quoted(chars[at + 1..=at + close].iter().collect()), close + 2)
            }
            _ => {
                let valued = matches!(tokens.last(), Some((_, Token::Compare(_))));
                let ends = |c: &char| {
                    c.is_whitespace()
                        || matches!(c, '(' | ')' | '"')
                        || (!valued && matches!(c, ':' | '=' | '<' | '>'))
                };
                let length =
                    chars[at + 1..].iter().position(ends).map_or(chars.len() - at, |n| n + 1);
                (Token::Word(chars[at..at + length].iter().collect()), length)
            }
        };
        tokens.push((start, token));
        at += length;
    }
    Ok(tokens)
}

struct Parser<'t> {
    tokens: &'t [(usize, Token)],
    at: usize,
    terms: usize,
    words: usize,
    end: usize,
    now_us: i64,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn place(&self) -> usize {
        self.tokens.get(self.at).map_or(self.end, |(place, _)| *place)
    }

    fn wrong(&self, what: impl Into<String>) -> QueryError {
        QueryError { at: self.place(), what: what.into() }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(said)) if said == word)
    }

    fn or(&mut self, depth: usize) -> Result<Query, QueryError> {
        if depth > MAX_DEPTH {
            return Err(self.wrong(format!("more than {MAX_DEPTH} brackets inside each other")));
        }
        let mut any = vec![self.and(depth)?];
        while self.is_word("OR") {
            self.at += 1;
            any.push(self.and(depth)?);
        }
        Ok(if any.len() == 1 { any.remove(0) } else { Query::Or(any) })
    }

    fn and(&mut self, depth: usize) -> Result<Query, QueryError> {
        let mut all = vec![self.not(depth)?];
        loop {
            if self.is_word("AND") {
                self.at += 1;
            } else if self.peek().is_none()
                || self.peek() == Some(&Token::Close)
                || self.is_word("OR")
            {
                break;
            }
            all.push(self.not(depth)?);
        }
        Ok(if all.len() == 1 { all.remove(0) } else { Query::And(all) })
    }

    fn not(&mut self, depth: usize) -> Result<Query, QueryError> {
        let mut negated = false;
        while self.peek() == Some(&Token::Minus) || self.is_word("NOT") {
            negated = !negated;
            self.at += 1;
        }
        let query = self.term(depth)?;
        Ok(if negated { Query::Not(Box::new(query)) } else { query })
    }

    fn term(&mut self, depth: usize) -> Result<Query, QueryError> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(self.wrong(format!("more than {MAX_TERMS} terms")));
        }
        let place = self.place();
        match self.peek().cloned() {
            Some(Token::Open) => {
                self.at += 1;
                let inner = self.or(depth + 1)?;
                if self.peek() != Some(&Token::Close) {
                    return Err(self.wrong("the bracket is never closed; add `)`"));
                }
                self.at += 1;
                Ok(inner)
            }
            Some(Token::Quoted(text)) => {
                self.at += 1;
                self.words(&text, place)
            }
            Some(Token::Word(word)) if !["AND", "OR"].contains(&word.as_str()) => {
                self.at += 1;
                match self.peek().cloned() {
                    Some(Token::Compare(compare)) => {
                        self.at += 1;
                        self.field(&word, place, compare)
                    }
                    _ => self.words(&word, place),
                }
            }
            _ => Err(self.wrong("a word, a phrase in quotes, or field:value is expected here")),
        }
    }

    fn field(&mut self, name: &str, place: usize, compare: Compare) -> Result<Query, QueryError> {
        let lower = name.to_ascii_lowercase();
        let Some((_, field, takes)) = FIELDS.iter().find(|(known, _, _)| *known == lower) else {
            let names: Vec<&str> = FIELDS.iter().map(|(name, _, _)| *name).collect();
            let what = format!(
                "there is no field `{name}`; fields are {}; for words with a sign in them use quotes",
                names.join(", ")
            );
            return Err(QueryError { at: place, what });
        };
        let at = self.place();
        let value = match self.peek().cloned() {
            Some(Token::Word(value) | Token::Quoted(value)) if !value.trim().is_empty() => value,
            _ => return Err(self.wrong(format!("`{name}` takes {takes}"))),
        };
        self.at += 1;
        let number = match field {
            Field::Tlp => Tlp::from_label(&value).map(rank),
            Field::Confidence => value.parse().ok().filter(|n| (0..=100).contains(n)),
            Field::Created | Field::Modified | Field::Known => {
                return self.time(*field, compare, &value).ok_or_else(|| QueryError {
                    at,
                    what: format!("`{value}` is no time; {name} takes {takes}"),
                });
            }
            _ if compare != Compare::Is => {
                let what = format!("`{name}` has no order; write {name}:{value}");
                return Err(QueryError { at: place, what });
            }
            Field::Is if !["revoked", "custom"].contains(&value.as_str()) => None,
            _ => return Ok(Query::Text(*field, value)),
        };
        let what = || format!("`{value}` is not what {name} takes: {takes}");
        number
            .map(|n| Query::Number(*field, compare, n))
            .ok_or_else(|| QueryError { at, what: what() })
    }

    fn words(&mut self, text: &str, place: usize) -> Result<Query, QueryError> {
        self.words += text.split_whitespace().count();
        if self.words > MAX_WORDS {
            let what =
                format!("more than {MAX_WORDS} words to look for; leave the common ones out");
            return Err(QueryError { at: place, what });
        }
        words(text, place)
    }

    /// A day stands for all of its 24 hours.
    fn time(&self, field: Field, compare: Compare, value: &str) -> Option<Query> {
        const DAY_US: i64 = 86_400_000_000;
        if let Some(ago) = value.strip_prefix('-') {
            let (count, unit_us) = match ago.as_bytes().last()? {
                b'h' => (&ago[..ago.len() - 1], 3_600_000_000),
                b'd' => (&ago[..ago.len() - 1], DAY_US),
                b'w' => (&ago[..ago.len() - 1], 7 * DAY_US),
                b'm' => (&ago[..ago.len() - 1], 60_000_000),
                _ => return None,
            };
            let count: i64 = count.parse().ok().filter(|n| (0..=100_000).contains(n))?;
            let compare = if compare == Compare::Is { Compare::AtLeast } else { compare };
            return Some(Query::Number(field, compare, self.now_us - count * unit_us));
        }
        if let Ok(at) = Timestamp::parse(value) {
            return Some(Query::Number(field, compare, at.unix_us()));
        }
        let start = Timestamp::parse(&format!("{value}T00:00:00Z")).ok()?.unix_us();
        Some(match compare {
            Compare::Is => Query::And(vec![
                Query::Number(field, Compare::AtLeast, start),
                Query::Number(field, Compare::Below, start + DAY_US),
            ]),
            Compare::Below | Compare::AtLeast => Query::Number(field, compare, start),
            Compare::AtMost => Query::Number(field, Compare::Below, start + DAY_US),
            Compare::Above => Query::Number(field, Compare::AtLeast, start + DAY_US),
        })
    }
}

fn words(text: &str, place: usize) -> Result<Query, QueryError> {
    let prefix = text.ends_with('*');
    let text = text.trim_end_matches('*').to_owned();
    if !text.chars().any(char::is_alphanumeric) {
        let what = "a word needs at least one letter or digit".into();
        return Err(QueryError { at: place, what });
    }
    if prefix && text.chars().count() < MIN_PREFIX_CHARS {
        let what = format!("before `*` stand at least {MIN_PREFIX_CHARS} characters");
        return Err(QueryError { at: place, what });
    }
    Ok(Query::Words { text, prefix })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expect: &str) {
        assert_eq!(format!("{:?}", parse(text, 1_000_000_000_000_000).unwrap()), expect, "{text}");
    }

    #[test]
    fn reads_terms_and_their_combinations() {
        check("", "All");
        check("trojan*", "Words { text: \"trojan\", prefix: true }");
        check("type:tool", "Text(Type, \"tool\")");
        check("tlp<=green", "Number(Tlp, AtMost, 1)");
        check("value:https://x.example/?a=b", "Text(Value, \"https://x.example/?a=b\")");
        check("value:2001:db8::1", "Text(Value, \"2001:db8::1\")");
        check("ref:T1059.001", "Text(Reference, \"T1059.001\")");
        check("known>-1d", "Number(Known, Above, 999913600000000)");
        check(
            "created:1970-01-02",
            "And([Number(Created, AtLeast, 86400000000), Number(Created, Below, 172800000000)])",
        );
        check(
            "a OR -is:revoked (b c)",
            "Or([Words { text: \"a\", prefix: false }, And([Not(Text(Is, \"revoked\")), \
             And([Words { text: \"b\", prefix: false }, Words { text: \"c\", prefix: false }])])])",
        );
    }

    #[test]
    fn says_where_and_what() {
        for (text, at) in [
            ("a (b", 5),
            ("a b)", 4),
            ("\"open", 1),
            ("colour:red", 1),
            ("tlp:purple", 5),
            ("x confidence>=101", 15),
            ("type<tool", 1),
            ("created:yesterday", 9),
            ("OR", 1),
            ("type:", 6),
            ("a OR", 5),
            ("--", 3),
        ] {
            let error = parse(text, 0).unwrap_err();
            assert_eq!(error.at, at, "{text}: {error}");
        }
        assert!(parse(&"(".repeat(4_000), 0).is_err());
        assert!(parse(&"a ".repeat(65), 0).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
            let _ = parse(&text, 0);
        }

        #[test]
        fn signs_of_the_language_never_break_it(text in "[a-z():<>=\"* -]{0,60}") {
            let _ = parse(&text, 0);
        }
    }
}
