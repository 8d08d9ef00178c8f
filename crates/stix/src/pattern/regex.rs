//! Regular expressions of `MATCHES`, written for PCRE (§9.6.1), on engines that stay within bounds.
//!
//! What has no look-around, back reference, atomic group or possessive quantifier runs in time linear in the value;
//! the rest is given [`MAX_REGEX_STEPS`] steps a value and is an error beyond. The search function is used, `.`
//! matches line feeds too (DOTALL), binary properties are searched as bytes without the notion of letters.
//!
//! All expressions of one pattern share one [`Budget`] of memory; what they are written in is brought into the
//! notation of the engines by `dialect`.

use std::fmt::Write;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::dialect::{END_BOUNDED, END_LINEAR, translated};
use super::matcher::MatchError;

/// Bytes that all compiled regular expressions of a pattern may take together.
const MAX_PATTERN_REGEX_BYTES: usize = 16 << 20;
/// Bytes that one of them may take: `\w{128}` is one that needs so much.
const MAX_REGEX_BYTES: usize = 8 << 20;
/// Least that an expression is charged for, which also bounds their number: 256 in one pattern.
const MIN_REGEX_BYTES: usize = 64 << 10;
/// Bytes of states that an expression remembers from search to search.
const CACHE_BYTES: usize = 256 << 10;
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

/// What the expressions of one pattern may still take.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { left: MAX_PATTERN_REGEX_BYTES }
    }
}

/// Why an expression was not compiled.
enum Failure {
    /// It needs more than it was allowed.
    TooBig,
    Other(String),
}

impl Budget {
    /// Compiles with the least allowance that suffices, which is what is charged: the engines do not say what they
    /// take, only that it was not enough.
    fn spend<T>(
        &mut self,
        build: impl Fn(usize) -> Result<T, Failure>,
    ) -> Result<Result<T, String>, MatchError> {
        let mut allowed = MIN_REGEX_BYTES;
        while allowed <= MAX_REGEX_BYTES.min(self.left) {
            match build(allowed) {
                Ok(built) => {
                    self.left -= allowed;
                    return Ok(Ok(built));
                }
                Err(Failure::Other(what)) => return Ok(Err(what)),
                Err(Failure::TooBig) => allowed *= 2,
            }
        }
        let what = if allowed > MAX_REGEX_BYTES {
            format!("a regular expression compiles to more than {MAX_REGEX_BYTES} bytes")
        } else {
            format!(
                "the regular expressions of the pattern compile to more than \
                 {MAX_PATTERN_REGEX_BYTES} bytes, each counted with {MIN_REGEX_BYTES} at least"
            )
        };
        Err(MatchError::Pattern(what))
    }
}

impl From<regex::Error> for Failure {
    fn from(error: regex::Error) -> Self {
        match error {
            regex::Error::CompiledTooBig(_) => Self::TooBig,
            error => Self::Other(error.to_string()),
        }
    }
}

impl Regex {
    /// Prepares an expression; `binary` where bytes may have to be searched.
    pub(super) fn new(
        pattern: &str,
        binary: bool,
        budget: &mut Budget,
    ) -> Result<Self, MatchError> {
        let pattern: String = pattern.nfc().collect();
        let linear = translated(&pattern, END_LINEAR)?;
        let built = budget.spend(|allowed| {
            let regex = regex::RegexBuilder::new(&linear)
                .size_limit(allowed)
                .dfa_size_limit(CACHE_BYTES)
                .dot_matches_new_line(true)
                .build()?;
            Ok(regex)
        })?;
        let text = match built {
            Ok(regex) => Engine::Linear(regex),
            Err(error) => Engine::Bounded(bounded(&pattern, &error, budget)?),
        };
        let bytes = if binary { Some(bytes_engine(&pattern, budget)?) } else { None };
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

/// For what the linear engine does not read, which said `error`.
fn bounded(
    pattern: &str,
    error: &str,
    budget: &mut Budget,
) -> Result<Box<fancy_regex::Regex>, MatchError> {
    let pattern = translated(pattern, END_BOUNDED)?;
    let built = budget.spend(|allowed| {
        // It is a program of which every second instruction may hold an expression of the linear engine (two in a
        // row are made one): many small ones or a few large ones.
        let mut failure = Failure::TooBig;
        for each in [4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20] {
            let built = fancy_regex::RegexBuilder::new(&pattern)
                .backtrack_limit(MAX_REGEX_STEPS)
                .delegate_size_limit(each)
                .delegate_dfa_size_limit(CACHE_BYTES)
                .max_prog_size(2 * allowed / each)
                .dot_matches_new_line(true)
                .build();
            match built {
                Ok(regex) => return Ok(Box::new(regex)),
                Err(error) => failure = failure_of(&error),
            }
            if matches!(failure, Failure::Other(_)) {
                break;
            }
        }
        Err(failure)
    })?;
    built
        .map_err(|_| MatchError::Pattern(format!("the regular expression cannot be read: {error}")))
}

fn failure_of(error: &fancy_regex::Error) -> Failure {
    use fancy_regex::{CompileError, Error};
    match error {
        Error::CompileError(inner) => match inner.as_ref() {
            CompileError::PatternTooComplex => Failure::TooBig,
            CompileError::InnerError(inner) if inner.size_limit().is_some() => Failure::TooBig,
            _ => Failure::Other(error.to_string()),
        },
        _ => Failure::Other(error.to_string()),
    }
}

fn bytes_engine(pattern: &str, budget: &mut Budget) -> Result<BytesEngine, MatchError> {
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
    let linear = budget.spend(|allowed| {
        let regex = regex::bytes::RegexBuilder::new(&bytes)
            .size_limit(allowed)
            .dfa_size_limit(CACHE_BYTES)
            .unicode(false)
            .dot_matches_new_line(true)
            .build()?;
        Ok(regex)
    })?;
    Ok(match linear {
        Ok(regex) => BytesEngine::Linear(regex),
        Err(error) => BytesEngine::Bounded(bounded(pattern, &error, budget)?),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn finds(pattern: &str, text: &str) -> bool {
        Regex::new(pattern, false, &mut Budget::default()).unwrap().finds(text).unwrap()
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
        let regex = |pattern: &str| Regex::new(pattern, true, &mut Budget::default()).unwrap();
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
            assert!(Regex::new(pattern, true, &mut Budget::default()).is_err(), "{pattern}");
        }
        let slow = Regex::new(r"^(a|a)*\1?b(?=c)$", false, &mut Budget::default()).unwrap();
        assert_eq!(slow.finds(&"a".repeat(64)), Err(MatchError::RegexSteps));
    }

    /// A pattern takes its budget and no more, and one expression that is long for a reason is read.
    #[test]
    fn the_expressions_of_a_pattern_share_a_budget() {
        let mut budget = Budget::default();
        for pattern in [r"^\w{32}$", r"\w{64}", r"(?<!\w)\w{12}x"] {
            assert!(Regex::new(pattern, false, &mut budget).is_ok(), "{pattern}");
        }
        let many = |pattern: &str| {
            let mut budget = Budget::default();
            (0..1_000).take_while(|_| Regex::new(pattern, false, &mut budget).is_ok()).count()
        };
        assert_eq!(many("a"), 256);
        assert_eq!(many(r"\w{14}"), 16);
        assert!((8..200).contains(&many(r"(?=\w{4})a")));
        let calls = format!("(?=a)(\\w){}", "(?1)".repeat(400));
        assert!(many(&calls) < 4, "what is called is there as often as it is called");
    }
}
