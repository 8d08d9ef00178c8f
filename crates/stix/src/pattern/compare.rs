//! One comparison, ready to be evaluated: constants read, expressions compiled.

use std::cmp::Ordering;
use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::ast::{Constant, Op, Test};
use super::lex::hex;
use super::matcher::MatchError;
use crate::time::Timestamp;

/// Bytes that a compiled regular expression may take.
const MAX_REGEX_BYTES: usize = 1 << 20;
/// Steps of an expression that looks around or back, per value.
const MAX_REGEX_STEPS: usize = 1_000_000;

/// How a property holds its bytes, by the ending of its name (§9.6: binary types).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Plain,
    Base64,
    Hex,
}

impl Coding {
    pub(super) fn of(key: &str) -> Self {
        match key.len().checked_sub(4).and_then(|at| key.get(at..)) {
            Some("_bin") => Self::Base64,
            Some("_hex") => Self::Hex,
            _ => Self::Plain,
        }
    }
}

/// A constant as it is compared.
#[derive(Clone, Debug)]
enum Wanted {
    Integer(i64),
    Float(f64),
    Text(String),
    Boolean(bool),
    Bytes(Vec<u8>),
    Time(i64),
}

/// A regular expression: linear where it can be, else bounded in its steps.
#[derive(Clone, Debug)]
enum Regex {
    Linear(regex::Regex),
    Bounded(Box<fancy_regex::Regex>),
}

#[derive(Clone, Debug)]
enum Judge {
    Equal(Wanted),
    Order(Wanted, fn(Ordering) -> bool),
    In(Vec<Wanted>),
    Like(Vec<char>),
    Matches(Regex),
    IsSubset(Range),
    IsSuperset(Range),
    Exists,
}

/// A comparison of one value.
#[derive(Clone, Debug)]
pub(super) struct Compiled {
    judge: Judge,
    negated: bool,
}

impl Compiled {
    pub(super) fn new(test: &Test) -> Result<Self, MatchError> {
        let mut negated = test.negated;
        let order = |constant: &Constant, holds: fn(Ordering) -> bool| {
            wanted(constant).map(|wanted| Judge::Order(wanted, holds))
        };
        let judge = match &test.op {
            Op::Equal(constant) => Judge::Equal(wanted(constant)?),
            Op::NotEqual(constant) => {
                negated = !negated;
                Judge::Equal(wanted(constant)?)
            }
            Op::Less(constant) => order(constant, Ordering::is_lt)?,
            Op::LessOrEqual(constant) => order(constant, Ordering::is_le)?,
            Op::Greater(constant) => order(constant, Ordering::is_gt)?,
            Op::GreaterOrEqual(constant) => order(constant, Ordering::is_ge)?,
            Op::In(set) => {
                let set = set.iter().map(wanted).collect::<Result<Vec<_>, _>>()?;
                if let Some((first, rest)) = set.split_first()
                    && !rest.iter().all(|other| alike(first, other))
                {
                    let what = format!("the set of {} mixes types; use one type", test.path);
                    return Err(MatchError::Pattern(what));
                }
                Judge::In(set)
            }
            Op::Like(text) => Judge::Like(text.nfc().collect()),
            Op::Matches(text) => Judge::Matches(regex_of(text)?),
            Op::IsSubset(text) => Judge::IsSubset(range_of(text)?),
            Op::IsSuperset(text) => Judge::IsSuperset(range_of(text)?),
            Op::Exists => Judge::Exists,
        };
        Ok(Self { judge, negated })
    }

    /// Whether this asks that nothing be there: then no value at all is what it wants.
    pub(super) const fn wants_nothing(&self) -> bool {
        matches!(self.judge, Judge::Exists) && self.negated
    }

    /// Whether one value passes.
    pub(super) fn passes(&self, value: &Value, coding: Coding) -> Result<bool, MatchError> {
        if coding != Coding::Plain
            && let Value::String(text) = value
        {
            let bytes = match coding {
                Coding::Hex => hex(text),
                _ => STANDARD.decode(text).ok(),
            };
            if let Some(bytes) = bytes {
                return Ok(self.bytes_pass(&bytes)? != self.negated);
            }
        }
        Ok(self.value_passes(value)? != self.negated)
    }

    /// Whether a whole object passes: it only exists, nothing equals it.
    pub(super) const fn object_passes(&self) -> bool {
        matches!(self.judge, Judge::Exists) != self.negated
    }

    fn value_passes(&self, value: &Value) -> Result<bool, MatchError> {
        Ok(match &self.judge {
            Judge::Equal(wanted) => compare(value, wanted) == Some(Ordering::Equal),
            Judge::Order(wanted, holds) => {
                !matches!(wanted, Wanted::Boolean(_)) && compare(value, wanted).is_some_and(holds)
            }
            Judge::In(set) => {
                set.iter().any(|wanted| compare(value, wanted) == Some(Ordering::Equal))
            }
            Judge::Like(pattern) => value.as_str().is_some_and(|text| like(pattern, text)),
            Judge::Matches(regex) => match value.as_str() {
                Some(text) => regex.finds(text)?,
                None => false,
            },
            Judge::IsSubset(range) => {
                value.as_str().and_then(Range::parse).is_some_and(|found| range.holds(&found))
            }
            Judge::IsSuperset(range) => {
                value.as_str().and_then(Range::parse).is_some_and(|found| found.holds(range))
            }
            Judge::Exists => true,
        })
    }

    fn bytes_pass(&self, bytes: &[u8]) -> Result<bool, MatchError> {
        let latin = || bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
        Ok(match &self.judge {
            Judge::Equal(wanted) => compare_bytes(bytes, wanted) == Some(Ordering::Equal),
            Judge::Order(wanted, holds) => compare_bytes(bytes, wanted).is_some_and(holds),
            Judge::In(set) => {
                set.iter().any(|wanted| compare_bytes(bytes, wanted) == Some(Ordering::Equal))
            }
            Judge::Like(pattern) => match std::str::from_utf8(bytes) {
                Ok(text) => like(pattern, text),
                Err(_) => like(pattern, &latin()),
            },
            Judge::Matches(regex) => regex.finds(&latin())?,
            Judge::IsSubset(_) | Judge::IsSuperset(_) => false,
            Judge::Exists => true,
        })
    }
}

fn wanted(constant: &Constant) -> Result<Wanted, MatchError> {
    Ok(match constant {
        Constant::Integer(number) => Wanted::Integer(*number),
        Constant::Float(number) => Wanted::Float(*number),
        Constant::Text(text) => Wanted::Text(text.clone()),
        Constant::Boolean(value) => Wanted::Boolean(*value),
        Constant::Binary(bytes) | Constant::Hex(bytes) => Wanted::Bytes(bytes.clone()),
        Constant::Timestamp(text) => Wanted::Time(time_of(text)?),
    })
}

/// The time of a constant.
pub(super) fn time_of(text: &str) -> Result<i64, MatchError> {
    let read = Timestamp::parse(text);
    read.map(Timestamp::unix_us).map_err(|error| MatchError::Pattern(format!("t'{text}': {error}")))
}

fn alike(a: &Wanted, b: &Wanted) -> bool {
    let number = |w: &Wanted| matches!(w, Wanted::Integer(_) | Wanted::Float(_));
    std::mem::discriminant(a) == std::mem::discriminant(b) || (number(a) && number(b))
}

/// How a value stands to a constant; `None` where their types do not compare.
fn compare(value: &Value, wanted: &Wanted) -> Option<Ordering> {
    match (value, wanted) {
        (Value::String(text), Wanted::Text(other)) => Some(text.as_str().cmp(other)),
        (Value::Number(number), Wanted::Integer(other)) => match number.as_i64() {
            Some(number) => Some(number.cmp(other)),
            None => compare_float(number.as_f64()?, Some(*other), *other as f64),
        },
        (Value::Number(number), Wanted::Float(other)) => number.as_f64()?.partial_cmp(other),
        (Value::Bool(value), Wanted::Boolean(other)) => Some(value.cmp(other)),
        (Value::String(text), Wanted::Bytes(other)) => compare_latin(text, other),
        (Value::String(text), Wanted::Time(other)) => {
            Timestamp::parse(text).ok().map(|at| at.unix_us().cmp(other))
        }
        _ => None,
    }
}

#[allow(clippy::cast_precision_loss)]
fn compare_float(number: f64, _whole: Option<i64>, other: f64) -> Option<Ordering> {
    number.partial_cmp(&other)
}

fn compare_bytes(bytes: &[u8], wanted: &Wanted) -> Option<Ordering> {
    match wanted {
        Wanted::Bytes(other) => Some(bytes.cmp(other)),
        Wanted::Text(text) => compare_latin(text, bytes).map(Ordering::reverse),
        _ => None,
    }
}

/// A text compares with bytes by its code points, all below 256, or not at all (§9.5.1).
fn compare_latin(text: &str, bytes: &[u8]) -> Option<Ordering> {
    let codes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    codes.map(|codes| codes.as_slice().cmp(bytes))
}

/// `%` stands for any number of characters, `_` for one; over the NFC form.
fn like(pattern: &[char], text: &str) -> bool {
    let composed: Vec<char> = text.nfc().collect();
    let (mut at, mut seen) = (0, 0);
    // Where the last `%` stood, and how far it has eaten.
    let mut star: Option<(usize, usize)> = None;
    while seen < composed.len() {
        match pattern.get(at) {
            Some('%') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(c) if *c == '_' || *c == composed[seen] => {
                at += 1;
                seen += 1;
            }
            _ => match star {
                Some((place, eaten)) => {
                    star = Some((place, eaten + 1));
                    at = place + 1;
                    seen = eaten + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|c| *c == '%')
}

fn regex_of(text: &str) -> Result<Regex, MatchError> {
    let text: String = text.nfc().collect();
    let linear = regex::RegexBuilder::new(&text).size_limit(MAX_REGEX_BYTES).build();
    let error = match linear {
        Ok(regex) => return Ok(Regex::Linear(regex)),
        Err(regex::Error::CompiledTooBig(limit)) => {
            let what = format!("the regular expression compiles to more than {limit} bytes");
            return Err(MatchError::Pattern(what));
        }
        Err(error) => error,
    };
    let bounded = fancy_regex::RegexBuilder::new(&text)
        .backtrack_limit(MAX_REGEX_STEPS)
        .delegate_size_limit(MAX_REGEX_BYTES)
        .build();
    let what = |_| MatchError::Pattern(format!("the regular expression cannot be read: {error}"));
    Ok(Regex::Bounded(Box::new(bounded.map_err(what)?)))
}

impl Regex {
    fn finds(&self, text: &str) -> Result<bool, MatchError> {
        let composed: String;
        let text = if is_nfc_quick(text.chars()) == IsNormalized::Yes {
            text
        } else {
            composed = text.nfc().collect();
            &composed
        };
        match self {
            Self::Linear(regex) => Ok(regex.is_match(text)),
            Self::Bounded(regex) => regex.is_match(text).map_err(|_| MatchError::RegexSteps),
        }
    }
}

/// Addresses that share their first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    bits: u128,
    prefix: u32,
    width: u32,
}

impl Range {
    fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let (bits, width) = match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32),
            IpAddr::V6(v6) => (v6.to_bits(), 128),
        };
        let sound = |text: &&str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let prefix = match prefix {
            Some(text) => Some(text).filter(sound)?.parse().ok().filter(|n| *n <= width)?,
            None => width,
        };
        Some(Self { bits, prefix, width })
    }

    fn holds(&self, other: &Self) -> bool {
        let first = |range: &Self| range.bits.checked_shr(range.width - self.prefix).unwrap_or(0);
        self.width == other.width && self.prefix <= other.prefix && first(self) == first(other)
    }
}

fn range_of(text: &str) -> Result<Range, MatchError> {
    let clip: String = text.chars().take(80).collect();
    Range::parse(text)
        .ok_or_else(|| MatchError::Pattern(format!("'{clip}' is no IP address or CIDR range")))
}
