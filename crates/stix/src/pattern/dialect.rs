//! Regular expressions from PCRE's notation into that of the engines: brackets and set signs inside a class, braces
//! that are no quantifier, `$` and `\Z` before a last line feed, `\h \H \v \V \R \N \e \Q…\E`, octal escapes,
//! comments. Not there: callouts, verbs such as `(*SKIP)`, `\H`, `\V`, `\N`, `\R` inside a class; they are refused.

use std::fmt::Write;

use super::matcher::MatchError;

/// The end of the text, or before a last line feed: consumed where nothing may follow anyway.
pub(super) const END_LINEAR: &str = r"(?:\n?\z)";
pub(super) const END_BOUNDED: &str = r"(?=\n?\z)";

/// From PCRE's notation into the engines'.
pub(super) fn translated(pattern: &str, end: &str) -> Result<String, MatchError> {
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
