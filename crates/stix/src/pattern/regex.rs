//! Regular expressions of `MATCHES`, written for PCRE (§9.6.1), on engines that stay within bounds.
//!
//! What has no look-around, back reference, atomic group or possessive quantifier runs in time linear in the value;
//! the rest is given [`MAX_REGEX_STEPS`] steps a value and is an error beyond. The search function is used, `.`
//! matches line feeds too (DOTALL), binary properties are searched as bytes without the notion of letters.
//!
//! Brought from PCRE's notation into that of the engines: brackets and set signs inside a class, braces that are no
//! quantifier, `$` and `\Z` before a last line feed, `\h \H \v \V \R \N \e \Q…\E`, octal escapes, comments.
//! Not there: callouts, verbs such as `(*SKIP)`, `\H`, `\V`, `\N`, `\R` inside a class; they are refused when the pattern
//! is prepared.

use std::fmt::Write;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::matcher::MatchError;

/// Bytes that a compiled regular expression may take.
const MAX_REGEX_BYTES: usize = 1 << 20;
/// Steps of an expression that looks around or back, per value.
const MAX_REGEX_STEPS: usize = 1_000_000;

/// A regular expression: linear where it can be, else bounded in its steps.
#[derive(Clone, Debug)]
enum Engine {
    Linear(regex::Regex),
    Bounded(Box<fancy_regex::Regex>),
}

#[derive(Clone, Debug)]
enum BytesEngine {
    Linear(regex::bytes::Regex),
    /// Over the bytes as the first 256 code points.
    Bounded(Box<fancy_regex::Regex>),
    /// It names characters that are no bytes.
    Never,
}

/// What `MATCHES` searches for.
#[derive(Clone, Debug)]
pub(super) struct Regex {
    text: Engine,
    bytes: Option<BytesEngine>,
}

impl Regex {
    /// Prepares an expression; `binary` where bytes may have to be searched.
    pub(super) fn new(pattern: &str, binary: bool) -> Result<Self, MatchError> {
        let pattern: String = pattern.nfc().collect();
        let text = match regex::RegexBuilder::new(&translated(&pattern, END_LINEAR)?)
            .size_limit(MAX_REGEX_BYTES)
            .dot_matches_new_line(true)
            .build()
        {
            Ok(regex) => Engine::Linear(regex),
            Err(error) => Engine::Bounded(bounded(&pattern, error)?),
        };
        let bytes = if binary { Some(bytes_engine(&pattern)?) } else { None };
        Ok(Self { text, bytes })
    }

    /// Whether it is found in the NFC form of a text.
    pub(super) fn finds(&self, text: &str) -> Result<bool, MatchError> {
        let composed: String;
        let text = if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
            text
        } else {
            composed = text.nfc().collect();
            &composed
        };
        match &self.text {
            Engine::Linear(regex) => Ok(regex.is_match(text)),
            Engine::Bounded(regex) => searched(regex, text),
        }
    }

    /// Whether it is found in bytes.
    pub(super) fn finds_bytes(&self, bytes: &[u8]) -> Result<bool, MatchError> {
        match &self.bytes {
            Some(BytesEngine::Linear(regex)) => Ok(regex.is_match(bytes)),
            Some(BytesEngine::Bounded(regex)) => {
                searched(regex, &bytes.iter().map(|byte| char::from(*byte)).collect::<String>())
            }
            Some(BytesEngine::Never) | None => Ok(false),
        }
    }
}

fn searched(regex: &fancy_regex::Regex, text: &str) -> Result<bool, MatchError> {
    regex.is_match(text).map_err(|_| MatchError::RegexSteps)
}

fn bounded(pattern: &str, error: regex::Error) -> Result<Box<fancy_regex::Regex>, MatchError> {
    if let regex::Error::CompiledTooBig(limit) = error {
        let what = format!("the regular expression compiles to more than {limit} bytes");
        return Err(MatchError::Pattern(what));
    }
    let built = fancy_regex::RegexBuilder::new(&translated(pattern, END_BOUNDED)?)
        .backtrack_limit(MAX_REGEX_STEPS)
        .delegate_size_limit(MAX_REGEX_BYTES)
        .max_prog_size(MAX_REGEX_BYTES)
        .dot_matches_new_line(true)
        .build();
    let what = |_| MatchError::Pattern(format!("the regular expression cannot be read: {error}"));
    built.map(Box::new).map_err(what)
}

fn bytes_engine(pattern: &str) -> Result<BytesEngine, MatchError> {
    if pattern.chars().any(|c| u32::from(c) > 0xff) {
        return Ok(BytesEngine::Never);
    }
    let mut bytes = String::with_capacity(pattern.len());
    for c in translated(pattern, END_LINEAR)?.chars() {
        // Without Unicode a character is its byte.
        if c.is_ascii() {
            bytes.push(c);
        } else if u32::from(c) <= 0xff {
            let _ = write!(bytes, "\\x{:02x}", u32::from(c));
        }
    }
    let linear = regex::bytes::RegexBuilder::new(&bytes)
        .size_limit(MAX_REGEX_BYTES)
        .unicode(false)
        .dot_matches_new_line(true)
        .build();
    Ok(match linear {
        Ok(regex) => BytesEngine::Linear(regex),
        Err(error) => BytesEngine::Bounded(bounded(pattern, error)?),
    })
}

/// The end of the text, or before a last line feed: consumed where nothing may follow anyway.
const END_LINEAR: &str = r"(?:\n?\z)";
const END_BOUNDED: &str = r"(?=\n?\z)";

/// From PCRE's notation into the engines'.
fn translated(pattern: &str, end: &str) -> Result<String, MatchError> {
    let mut from = Translation { rest: pattern, out: String::new(), end, by_line: false };
    from.by_line = has_multi_line(pattern);
    while let Some(c) = from.take() {
        from.outside(c)?;
    }
    Ok(from.out)
}

/// Whether some group sets the flag `m`, with which `$` stands for the end of any line.
fn has_multi_line(pattern: &str) -> bool {
    pattern.match_indices("(?").any(|(at, _)| {
        let flags = pattern[at + 2..].chars().take_while(|c| c.is_ascii_lowercase());
        flags.into_iter().any(|c| c == 'm')
    })
}

struct Translation<'p> {
    rest: &'p str,
    out: String,
    end: &'p str,
    by_line: bool,
}

impl Translation<'_> {
    fn take(&mut self) -> Option<char> {
        let c = self.rest.chars().next()?;
        self.rest = &self.rest[c.len_utf8()..];
        Some(c)
    }

    fn outside(&mut self, c: char) -> Result<(), MatchError> {
        match c {
            '\\' => self.escape(false)?,
            '[' => self.class()?,
            '{' if !is_quantifier(self.rest) => self.out.push_str(r"\{"),
            '$' if !self.by_line => self.out.push_str(self.end),
            '(' if self.rest.starts_with("?#") => {
                let Some(close) = self.rest.find(')') else {
                    return Err(MatchError::Pattern("a comment that is never closed".into()));
                };
                self.rest = &self.rest[close + 1..];
            }
            other => self.out.push(other),
        }
        Ok(())
    }

    fn escape(&mut self, in_class: bool) -> Result<(), MatchError> {
        let Some(c) = self.take() else {
            return Err(MatchError::Pattern("a regular expression ends with a backslash".into()));
        };
        let text = match (c, in_class) {
            ('h', true) => HORIZONTAL,
            ('v', true) => VERTICAL,
            ('h', false) => return self.set("", HORIZONTAL),
            ('H', false) => return self.set("^", HORIZONTAL),
            ('v', false) => return self.set("", VERTICAL),
            ('V', false) => return self.set("^", VERTICAL),
            ('N', false) => return self.set("^", r"\n"),
            ('R', false) => {
                self.out.push_str(r"(?:\r\n|");
                self.set("", VERTICAL)?;
                self.out.push(')');
                return Ok(());
            }
            ('H' | 'V' | 'N' | 'R', true) => {
                let what = format!("`\\{c}` inside a class is not supported; write its characters");
                return Err(MatchError::Pattern(what));
            }
            ('Z', false) => self.end,
            ('e', _) => r"\x1b",
            ('b', true) => r"\x08",
            ('Q', _) => {
                self.literal();
                return Ok(());
            }
            ('E', _) => "",
            ('0', _) => {
                self.octal();
                return Ok(());
            }
            ('<' | '>', _) => {
                self.out.push(c);
                return Ok(());
            }
            _ => {
                if c.is_ascii() {
                    self.out.push('\\');
                }
                self.out.push(c);
                return Ok(());
            }
        };
        self.out.push_str(text);
        Ok(())
    }

    #[allow(clippy::unnecessary_wraps)]
    fn set(&mut self, sign: &str, members: &str) -> Result<(), MatchError> {
        self.out.push('[');
        self.out.push_str(sign);
        self.out.push_str(members);
        self.out.push(']');
        Ok(())
    }

    /// `\Q…\E`: as it stands.
    fn literal(&mut self) {
        let (text, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
        self.out.push_str(&regex::escape(text));
        self.rest = rest;
    }

    /// `\0` and up to two octal digits more.
    fn octal(&mut self) {
        let digits = self.rest.bytes().take(2).take_while(|b| (b'0'..=b'7').contains(b)).count();
        let code = u32::from_str_radix(&self.rest[..digits], 8).unwrap_or(0);
        self.rest = &self.rest[digits..];
        let _ = write!(self.out, "\\x{code:02x}");
    }

    /// A class behind its bracket.
    fn class(&mut self) -> Result<(), MatchError> {
        self.out.push('[');
        if self.rest.starts_with('^') {
            self.take();
            self.out.push('^');
        }
        let mut first = true;
        while let Some(c) = self.take() {
            match c {
                ']' if first => self.out.push_str(r"\]"),
                ']' => {
                    self.out.push(']');
                    return Ok(());
                }
                '[' => match self.rest.find(":]") {
                    Some(close) if self.rest.starts_with(':') => {
                        self.out.push('[');
                        self.out.push_str(&self.rest[..close + 2]);
                        self.rest = &self.rest[close + 2..];
                    }
                    _ => self.out.push_str(r"\["),
                },
                '&' | '~' => {
                    self.out.push('\\');
                    self.out.push(c);
                }
                // Two of them would take a set away.
                '-' if self.out.ends_with('-') && !self.out.ends_with(r"\-") => {
                    self.out.push_str(r"\-")
                }
                '\\' => self.escape(true)?,
                other => self.out.push(other),
            }
            first = false;
        }
        Err(MatchError::Pattern("a class of a regular expression is never closed".into()))
    }
}

const HORIZONTAL: &str = r"\t\x20\x{a0}";
const VERTICAL: &str = r"\n\x0b\x0c\r\x{85}";

/// Whether `n}`, `n,}` or `n,m}` follows.
fn is_quantifier(rest: &str) -> bool {
    let Some((inner, _)) = rest.split_once('}') else { return false };
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match inner.split_once(',') {
        None => number(inner),
        Some((least, most)) => number(least) && (most.is_empty() || number(most)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn finds(pattern: &str, text: &str) -> bool {
        Regex::new(pattern, false).unwrap().finds(text).unwrap()
    }

    /// As Perl answers, with its flag `s`.
    #[test]
    fn reads_what_is_written_for_pcre() {
        for (pattern, text, expect) in [
            ("a.b", "a\nb", true),
            ("x$", "x\n", true),
            ("x$", "x\n\n", false),
            (r"x\Z", "x\n", true),
            (r"x\z", "x\n", false),
            ("(?m)x$", "x\n\ny", true),
            ("^(a$|b)", "b", true),
            ("a{", "a{", true),
            ("{[0-9a-f]{8}}", "{deadbeef}", true),
            ("[[]x[]]", "[x]", true),
            ("[[:digit:]&&7]", "&", true),
            ("[+--]", ",", true),
            ("[~]", "~", true),
            (r"a\h+b", "a \tb", true),
            (r"[\h]", "\t", true),
            (r"a\Rb", "a\r\nb", true),
            (r"\Q.+\E$", ".+", true),
            (r"\Q.+\E$", "xx", false),
            (r"\047", "'", true),
            (r"\<a\>", "<a>", true),
            (r"a\/b\-c\@d\ e", "a/b-c@d e", true),
            ("a(?#why)b", "ab", true),
            (r"(?<!x)\.exe$", "y.exe\n", true),
            (r"(\w)\1", "aa", true),
            (r"(?<name>a)b", "ab", true),
            (r"\bcafé\b", "un café noir", true),
        ] {
            assert_eq!(finds(pattern, text), expect, "{pattern} on {text:?}");
        }
    }

    #[test]
    fn bytes_are_no_letters() {
        let regex = |pattern: &str| Regex::new(pattern, true).unwrap();
        let bytes = |pattern: &str, bytes: &[u8]| regex(pattern).finds_bytes(bytes).unwrap();
        assert!(bytes(r"\xd4\xc3\xb2\xa1", &[0xd4, 0xc3, 0xb2, 0xa1]));
        assert!(bytes("\u{d4}.\\x00", &[0xd4, b'\n', 0]));
        assert!(!bytes(r"^\w$", &[0xe9]), "a letter in Unicode, no letter of bytes");
        assert!(!bytes("\u{103}", b"\x03"));
        assert!(bytes(r"(?<=\xd4)a", &[0xd4, b'a']));
    }

    #[test]
    fn what_cannot_be_is_refused() {
        for pattern in ["(", "[", "a\\", "(?#", r"[\H]", "(*SKIP)a", "(x{1000}){1000}", "*"] {
            assert!(Regex::new(pattern, true).is_err(), "{pattern}");
        }
        let slow = Regex::new(r"^(a|a)*\1?b(?=c)$", false).unwrap();
        assert_eq!(slow.finds(&"a".repeat(64)), Err(MatchError::RegexSteps));
    }
}
