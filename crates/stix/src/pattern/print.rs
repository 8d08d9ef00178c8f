//! Printing a pattern: what is printed reads back as the same.

use std::fmt::{self, Display, Formatter, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::ast::{Comparison, Constant, Expression, Op, Path, Pattern, Qualifier, Step, Test};
use super::lex::KEYWORDS;

impl Display for Pattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.root.fmt(f)
    }
}

/// How tightly an expression binds; what binds less than its place asks for stands in brackets.
fn rank(expression: &Expression) -> u8 {
    match expression {
        Expression::FollowedBy(_) => 0,
        Expression::Or(_) => 1,
        Expression::And(_) => 2,
        Expression::Qualified(..) => 3,
        Expression::Test(_) => 4,
    }
}

fn joined(f: &mut Formatter<'_>, all: &[Expression], word: &str, least: u8) -> fmt::Result {
    for (at, one) in all.iter().enumerate() {
        if at > 0 {
            write!(f, " {word} ")?;
        }
        bracketed(f, one, least)?;
    }
    Ok(())
}

fn bracketed(f: &mut Formatter<'_>, one: &Expression, least: u8) -> fmt::Result {
    if rank(one) < least { write!(f, "({one})") } else { one.fmt(f) }
}

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Test(comparison) => write!(f, "[{comparison}]"),
            Self::And(all) => joined(f, all, "AND", 3),
            Self::Or(any) => joined(f, any, "OR", 2),
            Self::FollowedBy(all) => joined(f, all, "FOLLOWEDBY", 1),
            Self::Qualified(inner, qualifier) => {
                // The same qualifier twice on one observation reads as an error without brackets.
                bracketed(f, inner, if repeats_itself(inner, qualifier) { 5 } else { 3 })?;
                write!(f, " {qualifier}")
            }
        }
    }
}

/// Whether the qualifiers below, down to an observation, hold one of this kind.
fn repeats_itself(inner: &Expression, qualifier: &Qualifier) -> bool {
    let mut at = inner;
    let mut same = false;
    while let Expression::Qualified(next, below) = at {
        same |= std::mem::discriminant(below) == std::mem::discriminant(qualifier);
        at = next;
    }
    same
}

impl Display for Qualifier {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::StartStop { start, stop } => write!(f, "START t'{start}' STOP t'{stop}'"),
            Self::Within { seconds } => write!(f, "WITHIN {seconds} SECONDS"),
            Self::Repeats { times } => write!(f, "REPEATS {times} TIMES"),
        }
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let rank = |one: &Self| match one {
            Self::Or(_) => 0,
            Self::And(_) => 1,
            Self::Test(_) => 2,
        };
        let (all, word, least) = match self {
            Self::Test(test) => return test.fmt(f),
            Self::And(all) => (all, " AND ", 2),
            Self::Or(any) => (any, " OR ", 1),
        };
        for (at, one) in all.iter().enumerate() {
            if at > 0 {
                f.write_str(word)?;
            }
            if rank(one) < least { write!(f, "({one})")? } else { one.fmt(f)? }
        }
        Ok(())
    }
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if matches!(self.op, Op::Exists) {
            let not = if self.negated { "NOT " } else { "" };
            return write!(f, "{not}EXISTS {}", self.path);
        }
        write!(f, "{} ", self.path)?;
        if self.negated {
            f.write_str("NOT ")?;
        }
        match &self.op {
            Op::Equal(constant) => write!(f, "= {constant}"),
            Op::NotEqual(constant) => write!(f, "!= {constant}"),
            Op::Less(constant) => write!(f, "< {constant}"),
            Op::LessOrEqual(constant) => write!(f, "<= {constant}"),
            Op::Greater(constant) => write!(f, "> {constant}"),
            Op::GreaterOrEqual(constant) => write!(f, ">= {constant}"),
            Op::In(set) => {
                f.write_str("IN (")?;
                for (at, constant) in set.iter().enumerate() {
                    let comma = if at == 0 { "" } else { ", " };
                    write!(f, "{comma}{constant}")?;
                }
                f.write_char(')')
            }
            Op::Like(text) => word(f, "LIKE", text),
            Op::Matches(text) => word(f, "MATCHES", text),
            Op::IsSubset(text) => word(f, "ISSUBSET", text),
            Op::IsSuperset(text) => word(f, "ISSUPERSET", text),
            Op::Exists => Ok(()),
        }
    }
}

fn word(f: &mut Formatter<'_>, operator: &str, text: &str) -> fmt::Result {
    write!(f, "{operator} ")?;
    quoted(f, text)
}

fn quoted(f: &mut impl Write, text: &str) -> fmt::Result {
    f.write_char('\'')?;
    for c in text.chars() {
        if matches!(c, '\'' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(c)?;
    }
    f.write_char('\'')
}

impl Display for Constant {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => number.fmt(f),
            // The grammar knows no exponents, and a float keeps its point.
            Self::Float(number) if number.fract() == 0.0 => write!(f, "{number:.1}"),
            Self::Float(number) => number.fmt(f),
            Self::Text(text) => quoted(f, text),
            Self::Boolean(value) => value.fmt(f),
            Self::Binary(bytes) => write!(f, "b'{}'", STANDARD.encode(bytes)),
            Self::Hex(bytes) => {
                f.write_str("h'")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
                f.write_char('\'')
            }
            Self::Timestamp(text) => write!(f, "t'{text}'"),
        }
    }
}

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.kind)?;
        for (at, step) in self.steps.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Any => f.write_str("[*]")?,
                Step::Key(key) => {
                    if at > 0 {
                        f.write_char('.')?;
                    }
                    name(f, key)?;
                }
            }
        }
        Ok(())
    }
}

/// A name of a path: in quotes where the grammar asks for them.
fn name(f: &mut impl Write, key: &str) -> fmt::Result {
    let mut bytes = key.bytes();
    let plain = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && !KEYWORDS.contains(&key)
        && !matches!(key, "true" | "false");
    if plain { f.write_str(key) } else { quoted(f, key) }
}
