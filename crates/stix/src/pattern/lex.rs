//! Words of a pattern: one at a time, with their places.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::parse::PatternError;

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'p> {
    /// A name without hyphen, that is no keyword.
    Name(&'p str),
    /// A name with a hyphen.
    Hyphenated(&'p str),
    /// One of [`KEYWORDS`].
    Keyword(&'p str),
    Integer {
        text: &'p str,
        negative: bool,
    },
    Float {
        text: &'p str,
        negative: bool,
    },
    Text(String),
    Boolean(bool),
    Binary(Vec<u8>),
    Hex(Vec<u8>),
    Timestamp(&'p str),
    /// `=` `!=` `<` `<=` `>` `>=`, other spellings brought to these
    Operator(&'static str),
    Sign(char),
    End,
}

/// Words that are no names.
pub(super) const KEYWORDS: &[&str] = &[
    "AND",
    "OR",
    "NOT",
    "FOLLOWEDBY",
    "LIKE",
    "MATCHES",
    "ISSUPERSET",
    "ISSUBSET",
    "EXISTS",
    "LAST",
    "IN",
    "START",
    "STOP",
    "SECONDS",
    "WITHIN",
    "REPEATS",
    "TIMES",
];

impl Token<'_> {
    /// As an error names it.
    pub(super) fn shown(&self) -> String {
        match self {
            Token::Name(text) | Token::Hyphenated(text) | Token::Keyword(text) => {
                format!("`{}`", clip(text))
            }
            Token::Integer { text, .. } | Token::Float { text, .. } => format!("`{}`", clip(text)),
            Token::Text(text) => format!("the text '{}'", clip(text)),
            Token::Boolean(value) => format!("`{value}`"),
            Token::Binary(_) => "a binary constant".into(),
            Token::Hex(_) => "a hex constant".into(),
            Token::Timestamp(text) => format!("the timestamp {}", clip(text)),
            Token::Operator(sign) => format!("`{sign}`"),
            Token::Sign(sign) => format!("`{sign}`"),
            Token::End => "the end".into(),
        }
    }
}

fn clip(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Reads words from the front.
pub(super) struct Lexer<'p> {
    text: &'p str,
    at: usize,
}

impl<'p> Lexer<'p> {
    pub(super) const fn new(text: &'p str) -> Self {
        Self { text, at: 0 }
    }

    /// The next word and the byte where it begins.
    pub(super) fn next(&mut self) -> Result<(usize, Token<'p>), PatternError> {
        self.skip()?;
        let start = self.at;
        let bytes = self.text.as_bytes();
        let Some(&first) = bytes.get(start) else { return Ok((start, Token::End)) };
        let second = bytes.get(start + 1).copied();
        let token = match first {
            b'[' | b']' | b'(' | b')' | b',' | b':' | b'*' => self.sign(char::from(first)),
            b'=' => self.operator(if second == Some(b'=') { 2 } else { 1 }, "="),
            b'!' if second == Some(b'=') => self.operator(2, "!="),
            b'<' if second == Some(b'>') => self.operator(2, "!="),
            b'<' if second == Some(b'=') => self.operator(2, "<="),
            b'<' => self.operator(1, "<"),
            b'>' if second == Some(b'=') => self.operator(2, ">="),
            b'>' => self.operator(1, ">"),
            b'\'' => {
                self.at += 1;
                Token::Text(self.string(start)?)
            }
            b't' | b'h' | b'b' if second == Some(b'\'') => self.typed(first)?,
            b'0'..=b'9' | b'+' | b'-' | b'.' => self.number(start)?,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => self.name(),
            _ => {
                let sign = self.text[start..].chars().next().unwrap_or(' ');
                return Err(self.error(start, format!("`{sign}` does not belong into a pattern")));
            }
        };
        Ok((start, token))
    }

    pub(super) fn error(&self, byte: usize, message: impl Into<String>) -> PatternError {
        PatternError::at(self.text, byte, message)
    }

    fn sign(&mut self, sign: char) -> Token<'p> {
        self.at += 1;
        Token::Sign(sign)
    }

    fn operator(&mut self, length: usize, sign: &'static str) -> Token<'p> {
        self.at += length;
        Token::Operator(sign)
    }

    /// White space of the grammar, `/* … */` and `// …`.
    fn skip(&mut self) -> Result<(), PatternError> {
        loop {
            let rest = &self.text[self.at..];
            let Some(first) = rest.chars().next() else { return Ok(()) };
            if is_space(first) {
                self.at += first.len_utf8();
            } else if let Some(comment) = rest.strip_prefix("/*") {
                let end = comment.find("*/");
                let end =
                    end.ok_or_else(|| self.error(self.at, "a comment that is never closed"))?;
                self.at += end + 4;
            } else if rest.starts_with("//") {
                self.at += rest.find(['\r', '\n']).unwrap_or(rest.len());
            } else {
                return Ok(());
            }
        }
    }

    /// The rest of a text whose opening quote is read; `\'` and `\\` are its two escapes.
    fn string(&mut self, start: usize) -> Result<String, PatternError> {
        let bytes = self.text.as_bytes();
        let mut out: Vec<u8> = Vec::new();
        loop {
            let rest = &bytes[self.at..];
            let Some(stop) = rest.iter().position(|b| *b == b'\'' || *b == b'\\') else {
                return Err(self.error(start, "a text that is never closed; add a quote"));
            };
            out.extend_from_slice(&rest[..stop]);
            self.at += stop + 1;
            if rest[stop] == b'\'' {
                break;
            }
            match bytes.get(self.at) {
                Some(&escaped @ (b'\'' | b'\\')) => {
                    out.push(escaped);
                    self.at += 1;
                }
                _ => {
                    let text = r"a backslash stands before a quote or a backslash only: \' or \\";
                    return Err(self.error(self.at - 1, text));
                }
            }
        }
        // Cut at ASCII signs only, so it is still UTF-8.
        String::from_utf8(out).map_err(|_| self.error(start, "not UTF-8"))
    }

    /// `t'…'`, `h'…'`, `b'…'`.
    fn typed(&mut self, kind: u8) -> Result<Token<'p>, PatternError> {
        let start = self.at;
        let inner = &self.text[start + 2..];
        let length = inner.find('\'');
        let length = length
            .ok_or_else(|| self.error(start, "a constant that is never closed; add a quote"))?;
        let inner = &inner[..length];
        let token = match kind {
            b't' if is_timestamp(inner.as_bytes()) => Token::Timestamp(inner),
            b't' => {
                let text = "a timestamp constant is written t'YYYY-MM-DDThh:mm:ss[.s+]Z'";
                return Err(self.error(start, text));
            }
            b'h' => {
                let bytes = hex(inner).ok_or_else(|| {
                    self.error(start, "a hex constant has pairs of hexadecimal digits: h'00ff'")
                })?;
                Token::Hex(bytes)
            }
            _ => {
                // §9.2: line feeds inside are ignored, as encoders break long lines.
                let joined = inner.replace(['\r', '\n'], "");
                let bytes = base64(&joined).filter(|_| !joined.is_empty());
                let wrong =
                    || self.error(start, "a binary constant is base64 with padding: b'AAE='");
                Token::Binary(bytes.ok_or_else(wrong)?)
            }
        };
        self.at = start + length + 3;
        Ok(token)
    }

    fn number(&mut self, start: usize) -> Result<Token<'p>, PatternError> {
        let bytes = self.text.as_bytes();
        if bytes[start] == b'.' && !bytes.get(start + 1).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
            return Ok(Token::Sign('.'));
        }
        let negative = bytes[start] == b'-';
        let digits_at = start + usize::from(matches!(bytes[start], b'-' | b'+'));
        let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        let whole = digits(digits_at);
        let point = digits_at + whole;
        let fraction = if bytes.get(point) == Some(&b'.') { digits(point + 1) } else { 0 };
        if fraction > 0 {
            self.at = point + 1 + fraction;
            return Ok(Token::Float { text: &self.text[start..self.at], negative });
        }
        if whole == 0 {
            let sign = char::from(bytes[start]);
            return Err(self.error(start, format!("`{sign}` must be followed by a number")));
        }
        if whole > 1 && bytes[digits_at] == b'0' {
            return Err(self.error(start, "a whole number does not begin with 0"));
        }
        self.at = point;
        Ok(Token::Integer { text: &self.text[start..point], negative })
    }

    fn name(&mut self) -> Token<'p> {
        let rest = &self.text.as_bytes()[self.at..];
        let part = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_' || *b == b'-';
        let length = rest.iter().take_while(|b| part(b)).count();
        let text = &self.text[self.at..self.at + length];
        self.at += length;
        match text {
            "true" => Token::Boolean(true),
            "false" => Token::Boolean(false),
            _ if KEYWORDS.contains(&text) => Token::Keyword(text),
            _ if text.contains('-') => Token::Hyphenated(text),
            _ => Token::Name(text),
        }
    }
}

/// The white space that the grammar lists.
fn is_space(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t' | '\r' | '\n' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{a0}' | '\u{1680}' | '\u{2000}'
            ..='\u{200a}' | '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}'
    )
}

/// Whether a text has the form of a timestamp constant; the grammar does not know how long months are.
fn is_timestamp(text: &[u8]) -> bool {
    let two = |at: usize, most: u8, least: u8| {
        let digits = text.get(at..at + 2).filter(|d| d.iter().all(u8::is_ascii_digit));
        digits.is_some_and(|d| (least..=most).contains(&((d[0] - b'0') * 10 + d[1] - b'0')))
    };
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    let sound = text.len() >= 20
        && text[..4].iter().all(u8::is_ascii_digit)
        && marks.iter().all(|&(at, mark)| text[at] == mark)
        && two(5, 12, 1)
        && two(8, 31, 1)
        && two(11, 23, 0)
        && two(14, 59, 0)
        && two(17, 60, 0);
    let Some(rest) = text.get(19..).filter(|_| sound) else { return false };
    match rest.strip_suffix(b"Z") {
        Some([]) => true,
        Some([b'.', digits @ ..]) => !digits.is_empty() && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// Pairs of hexadecimal digits.
pub(super) fn hex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16);
    let bytes = text.as_bytes();
    if !bytes.len().is_multiple_of(2) {
        return None;
    }
    bytes.chunks(2).map(|pair| u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()).collect()
}

/// Base64 with padding. Bits behind the last byte are not looked at, as the grammar does not either.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical),
);

/// Base64 with padding.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}
