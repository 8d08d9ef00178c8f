//! Reading a query: places in every error, bounds on everything.

use crate::error::QueryError;
use crate::field::{Field, Kind, List};
use crate::lex::{Given, Token, tokens};
use crate::value::{Test, test};

/// Longest query, bytes of UTF-8.
pub const MAX_QUERY_BYTES: usize = 4_096;
/// Terms of one query.
pub const MAX_TERMS: usize = 64;
/// Values behind one field.
pub const MAX_VALUES: usize = 32;
/// Words and phrases of texts: each costs a walk through the full text.
pub const MAX_WORDS: usize = 16;
/// Brackets inside each other.
pub const MAX_DEPTH: usize = 16;
/// Characters before `*`: fewer would stand for a large part of all words.
const MIN_PREFIX_CHARS: usize = 2;

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

impl Compare {
    /// The sign in a query.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Is => ":",
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Above => ">",
            Self::AtLeast => ">=",
        }
    }
}

/// Characters before a term, plus one. Two terms are the same wherever they stand.
#[derive(Clone, Copy, Debug)]
pub struct Place(pub usize);

impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// A field with what it should hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// Where it stands.
    pub at: Place,
    /// The field's name.
    pub name: &'static str,
    /// The sign.
    pub compare: Compare,
    /// The values as they were written, with whether in quotes: there `none` and `me` are texts.
    pub given: Vec<(String, bool)>,
    /// What they mean.
    pub test: Test,
}

/// A query.
#[derive(Clone, Debug, PartialEq)]
pub enum Query {
    /// Everything.
    All,
    /// All of them hold.
    And(Vec<Query>),
    /// One of them holds.
    Or(Vec<Query>),
    /// It does not hold.
    Not(Box<Query>),
    /// A word, the beginning of a word, or a phrase, anywhere in the texts.
    Words {
        /// Where it stands.
        at: Place,
        /// As written, without quotes and `*`.
        text: String,
        /// Words that begin so.
        prefix: bool,
    },
    /// A field.
    Term(Term),
}

/// Who asks, and when.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// What relative times count from, microseconds UTC.
    pub now_us: i64,
    /// The name that `me` stands for.
    pub me: &'a str,
}

/// Reads a query over a list.
///
/// # Errors
/// [`QueryError`] with the place and the remedy.
pub fn parse(text: &str, list: &List, asker: Asker<'_>) -> Result<Query, QueryError> {
    if text.len() > MAX_QUERY_BYTES {
        let what = format!("the query has {} bytes, the limit is {MAX_QUERY_BYTES}", text.len());
        return Err(QueryError::new(1, what, "shorten it (MAX_QUERY_BYTES)"));
    }
    if let Some(at) = text.chars().position(char::is_control) {
        return Err(QueryError::new(at + 1, "a control character", "take it out"));
    }
    let tokens = tokens(text)?;
    if tokens.is_empty() {
        return Ok(Query::All);
    }
    let end = text.chars().count() + 1;
    let mut parser = Parser { tokens: &tokens, list, asker, at: 0, terms: 0, words: 0, end };
    let query = parser.or(0)?;
    match parser.peek() {
        None => Ok(query),
        Some(_) => {
            Err(parser.wrong("a closing bracket without an opening one", "take it out, or add `(`"))
        }
    }
}

struct Parser<'t> {
    tokens: &'t [(usize, Token)],
    list: &'t List,
    asker: Asker<'t>,
    at: usize,
    terms: usize,
    words: usize,
    end: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(_, token)| token)
    }

    fn place(&self) -> usize {
        self.tokens.get(self.at).map_or(self.end, |(place, _)| *place)
    }

    fn wrong(&self, what: impl Into<String>, remedy: impl Into<String>) -> QueryError {
        QueryError::new(self.place(), what, remedy)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(said)) if said == word)
    }

    fn or(&mut self, depth: usize) -> Result<Query, QueryError> {
        if depth > MAX_DEPTH {
            let what = format!("more than {MAX_DEPTH} brackets inside each other (MAX_DEPTH)");
            return Err(self.wrong(what, "take some out"));
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
            } else if matches!(self.peek(), None | Some(Token::Close)) || self.is_word("OR") {
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
        Ok(match query {
            Query::Not(inner) if negated => *inner,
            query if negated => Query::Not(Box::new(query)),
            query => query,
        })
    }

    fn term(&mut self, depth: usize) -> Result<Query, QueryError> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            let what = format!("more than {MAX_TERMS} terms (MAX_TERMS)");
            return Err(self.wrong(what, "values of one field can share it: state:new,triaged"));
        }
        let place = self.place();
        match self.peek().cloned() {
            Some(Token::Open) => {
                self.at += 1;
                let inner = self.or(depth + 1)?;
                if self.peek() != Some(&Token::Close) {
                    return Err(self.wrong("a bracket is never closed", "add `)`"));
                }
                self.at += 1;
                Ok(inner)
            }
            Some(Token::Quoted(text)) => {
                self.at += 1;
                self.text(&text, place)
            }
            Some(Token::Word(word)) if word != "AND" && word != "OR" => {
                self.at += 1;
                self.text(&word, place)
            }
            Some(Token::Field(name, compare, given)) => {
                self.at += 1;
                self.field(&name, place, compare, &given)
            }
            _ => Err(self.wrong(
                "something is missing here",
                "write a word, a phrase in quotes, or field:value",
            )),
        }
    }

    fn text(&mut self, text: &str, place: usize) -> Result<Query, QueryError> {
        let (text, prefix) = self.phrase(text, place)?;
        Ok(Query::Words { at: Place(place), text, prefix })
    }

    fn field(
        &mut self,
        name: &str,
        place: usize,
        compare: Compare,
        given: &[Given],
    ) -> Result<Query, QueryError> {
        let Some(field) = self.list.field(name) else {
            let names: Vec<&str> = self.list.fields.iter().map(|field| field.name).collect();
            let said: String = name.chars().take(40).collect();
            let remedy = format!("fields are {}; quotes make a text a phrase", names.join(", "));
            return Err(QueryError::new(place, format!("there is no field `{said}`"), remedy));
        };
        if compare != Compare::Is && !field.kind.has_order() {
            let what = format!("`{}` has no order", field.name);
            return Err(QueryError::new(place, what, format!("write {}:value", field.name)));
        }
        if compare != Compare::Is && given.len() > 1 {
            let what = format!("`{}` can be compared with one value only", compare.sign());
            return Err(QueryError::new(place, what, "a comma stands behind `:`"));
        }
        if let Some(empty) = given.iter().find(|one| one.text.trim().is_empty()) {
            let remedy = format!("`{}` takes {}", field.name, field.help);
            return Err(QueryError::new(empty.at, "a value is missing here", remedy));
        }
        let test = match field.kind {
            Kind::Phrase => self.phrases(field, given)?,
            _ => test(field, compare, given, self.asker)?,
        };
        let given = given.iter().map(|one| (one.text.clone(), one.quoted)).collect();
        Ok(Query::Term(Term { at: Place(place), name: field.name, compare, given, test }))
    }

    fn phrases(&mut self, field: &'static Field, given: &[Given]) -> Result<Test, QueryError> {
        let mut any = Vec::with_capacity(given.len());
        for one in given {
            any.push(self.phrase(&one.text, one.at)?);
        }
        Ok(Test::Phrases { column: field.column, any })
    }

    fn phrase(&mut self, text: &str, place: usize) -> Result<(String, bool), QueryError> {
        self.words += text.split_whitespace().count();
        if self.words > MAX_WORDS {
            let what = format!("more than {MAX_WORDS} words to look for (MAX_WORDS)");
            return Err(QueryError::new(place, what, "leave the common ones out"));
        }
        let prefix = text.ends_with('*');
        let text = text.trim_end_matches('*').to_owned();
        if !text.chars().any(char::is_alphanumeric) {
            let what = "a word needs at least one letter or digit";
            return Err(QueryError::new(place, what, "write one"));
        }
        if prefix && text.chars().count() < MIN_PREFIX_CHARS {
            let what = format!("before `*` stand at least {MIN_PREFIX_CHARS} characters");
            return Err(QueryError::new(place, what, "write more of the word"));
        }
        Ok((text, prefix))
    }
}
