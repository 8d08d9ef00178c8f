//! Signs and words of a query, with their places.

use crate::error::QueryError;
use crate::parse::{Compare, MAX_VALUES};

/// One value behind a field; a quoted one is taken as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Given {
    pub(crate) at: usize,
    pub(crate) text: String,
    pub(crate) quoted: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token {
    Open,
    Close,
    Minus,
    Word(String),
    Quoted(String),
    /// `name:`, `name>=` … with its values.
    Field(String, Compare, Vec<Given>),
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
}

/// The tokens of a text, each with the number of its first character, from 1.
pub(crate) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, QueryError> {
    let mut lexer = Lexer { chars: text.chars().collect(), at: 0 };
    let mut tokens = Vec::new();
    while let Some(sign) = lexer.now() {
        let place = lexer.at + 1;
        if sign.is_whitespace() {
            lexer.at += 1;
            continue;
        }
        let token = match sign {
            '(' => lexer.one(Token::Open),
            ')' => lexer.one(Token::Close),
            '-' => lexer.one(Token::Minus),
            '"' => Token::Quoted(lexer.quoted()?),
            _ => lexer.word()?,
        };
        tokens.push((place, token));
    }
    Ok(tokens)
}

impl Lexer {
    fn now(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn one(&mut self, token: Token) -> Token {
        self.at += 1;
        token
    }

    fn until(&mut self, ends: impl Fn(char) -> bool) -> String {
        let start = self.at;
        while self.now().is_some_and(|sign| !ends(sign)) {
            self.at += 1;
        }
        self.chars[start..self.at].iter().collect()
    }

    fn quoted(&mut self) -> Result<String, QueryError> {
        let place = self.at + 1;
        self.at += 1;
        let text = self.until(|sign| sign == '"');
        if self.now().is_none() {
            return Err(QueryError::new(place, "a quote is never closed", "add `\"` at its end"));
        }
        self.at += 1;
        Ok(text)
    }

    fn word(&mut self) -> Result<Token, QueryError> {
        let place = self.at + 1;
        let name = self.until(|sign| sign.is_whitespace() || "()\":=<>".contains(sign));
        let Some(compare) = self.compare() else { return Ok(Token::Word(name)) };
        if name.is_empty() {
            let remedy = "write field:value, or put the text in quotes";
            return Err(QueryError::new(place, "a sign without a field before it", remedy));
        }
        Ok(Token::Field(name, compare, self.values()?))
    }

    fn compare(&mut self) -> Option<Compare> {
        let or_equal = self.chars.get(self.at + 1) == Some(&'=');
        let (compare, length) = match self.now()? {
            ':' | '=' => (Compare::Is, 1),
            '<' if or_equal => (Compare::AtMost, 2),
            '<' => (Compare::Below, 1),
            '>' if or_equal => (Compare::AtLeast, 2),
            '>' => (Compare::Above, 1),
            _ => return None,
        };
        self.at += length;
        Some(compare)
    }

    /// Values with commas between them; none where a space follows the sign.
    fn values(&mut self) -> Result<Vec<Given>, QueryError> {
        let mut values = Vec::new();
        loop {
            let at = self.at + 1;
            let quoted = self.now() == Some('"');
            let text = if quoted {
                self.quoted()?
            } else {
                self.until(|sign| sign.is_whitespace() || "()\",".contains(sign))
            };
            values.push(Given { at, text, quoted });
            if values.len() > MAX_VALUES {
                let what = format!("more than {MAX_VALUES} values behind one field (MAX_VALUES)");
                return Err(QueryError::new(at, what, "ask in two queries"));
            }
            if self.now() != Some(',') {
                return Ok(values);
            }
            self.at += 1;
        }
    }
}
