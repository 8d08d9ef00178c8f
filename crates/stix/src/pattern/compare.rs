//! One comparison, ready to be evaluated: constants read, expressions compiled.

use std::cmp::Ordering;
use std::net::IpAddr;

use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use super::ast::{Constant, Op, Step, Test};
use super::lex::{base64, hex};
use super::matcher::MatchError;
use super::regex::{Budget, Regex};
use crate::time::Timestamp;

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
    pub(super) fn new(test: &Test, budget: &mut Budget) -> Result<Self, MatchError> {
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
            Op::Matches(text) => Judge::Matches(Regex::new(text, is_binary(test), budget)?),
            Op::IsSubset(text) => Judge::IsSubset(range_of(text)?),
            Op::IsSuperset(text) => Judge::IsSuperset(range_of(text)?),
            Op::Exists => Judge::Exists,
        };
        Ok(Self { judge, negated })
    }

    /// Whether this asks that nothing be there: then no value at all is what it wants.
    pub(super) const fn wants_nothing(&self) -> bool {
        self.asks_existence() && self.negated
    }

    /// Whether this asks only if something is there, or that it is not.
    pub(super) const fn asks_existence(&self) -> bool {
        matches!(self.judge, Judge::Exists)
    }

    /// Whether one value passes.
    pub(super) fn passes(&self, value: &Value, coding: Coding) -> Result<bool, MatchError> {
        if coding != Coding::Plain
            && let Value::String(text) = value
        {
            let bytes = match coding {
                Coding::Hex => hex(text),
                _ => base64(text),
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
            Judge::Matches(regex) => regex.finds_bytes(bytes)?,
            Judge::IsSubset(_) | Judge::IsSuperset(_) => false,
            Judge::Exists => true,
        })
    }
}

/// Whether the values of a path are bytes, by the last name of it.
fn is_binary(test: &Test) -> bool {
    let key = test.path.steps.iter().rev().find_map(|step| match step {
        Step::Key(key) => Some(key),
        _ => None,
    });
    key.is_some_and(|key| Coding::of(key) != Coding::Plain)
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
            None if number.is_u64() => Some(Ordering::Greater),
            None => compare_float(number.as_f64()?, *other),
        },
        (Value::Number(number), Wanted::Float(other)) => match number.as_i64() {
            Some(number) => compare_float(*other, number).map(Ordering::reverse),
            None => number.as_f64()?.partial_cmp(other),
        },
        (Value::Bool(value), Wanted::Boolean(other)) => Some(value.cmp(other)),
        (Value::String(text), Wanted::Bytes(other)) => compare_latin(text, other),
        (Value::String(text), Wanted::Time(other)) => {
            Timestamp::parse(text).ok().map(|at| at.unix_us().cmp(other))
        }
        _ => None,
    }
}

/// How a float stands to a whole number, exactly: beyond 2^53 floats skip whole numbers.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
fn compare_float(number: f64, other: i64) -> Option<Ordering> {
    match number.partial_cmp(&(other as f64))? {
        // Rounded alike; a float of this size is whole, and an i128 holds it.
        Ordering::Equal => Some((number as i128).cmp(&i128::from(other))),
        order => Some(order),
    }
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
    let composed: Vec<char> =
        if text.is_ascii() { text.chars().collect() } else { text.nfc().collect() };
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

/// Addresses that share their first bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// As a number; an IPv4 address in the lowest 32.
    pub(super) bits: u128,
    pub(super) prefix: u32,
    /// 32 or 128.
    pub(super) width: u32,
}

impl Range {
    pub(super) fn parse(text: &str) -> Option<Self> {
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

    /// With the bits behind the prefix at zero.
    pub(super) fn network(self) -> Self {
        let host = self.width - self.prefix;
        let bits = self.bits.checked_shr(host).and_then(|bits| bits.checked_shl(host)).unwrap_or(0);
        Self { bits, ..self }
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
