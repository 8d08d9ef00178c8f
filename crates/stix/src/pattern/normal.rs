//! One form for patterns that say the same, as far as simple rewriting goes.
//!
//! In scope: nested AND, OR and FOLLOWEDBY of one kind become flat; AND and OR are sorted; comparisons and
//! alternatives that stand twice stand once, and one that another contains is absorbed; `NOT =` becomes `!=`; `= x OR = y`
//! becomes `IN`, `IN` of one `=`; sets are sorted and hold each constant once; `[a] OR [b]` becomes `[a OR b]`;
//! `REPEATS 1 TIMES` says nothing; timestamps and floats have one spelling. Out of scope: distributing AND over OR,
//! arithmetic of ranges, CIDR notation, and what regular expressions mean.

use super::ast::{Comparison, Constant, Expression, Op, Pattern, Qualifier, Test};
use crate::time::Timestamp;

impl Pattern {
    /// The normal form: matches the same observed data.
    #[must_use]
    pub fn normal(&self) -> Self {
        Self { root: expression(&self.root) }
    }
}

/// Whether two patterns have the same normal form. `false` does not prove that they differ.
#[must_use]
pub fn equivalent(a: &Pattern, b: &Pattern) -> bool {
    a.normal() == b.normal()
}

fn expression(from: &Expression) -> Expression {
    match from {
        Expression::Test(inner) => Expression::Test(comparison(inner)),
        Expression::And(all) => {
            let mut flat = Vec::new();
            for one in all.iter().map(expression) {
                match one {
                    Expression::And(inner) => flat.extend(inner),
                    other => flat.push(other),
                }
            }
            // Each part binds an observation of its own: twice is not once.
            flat.sort_by_cached_key(ToString::to_string);
            Expression::And(flat)
        }
        Expression::Or(any) => alternatives(any),
        Expression::FollowedBy(all) => {
            let mut flat = Vec::new();
            for one in all.iter().map(expression) {
                match one {
                    Expression::FollowedBy(inner) => flat.extend(inner),
                    other => flat.push(other),
                }
            }
            Expression::FollowedBy(flat)
        }
        Expression::Qualified(inner, qualifier) => {
            let inner = expression(inner);
            match qualifier {
                Qualifier::Repeats { times: 1 } => inner,
                Qualifier::StartStop { start, stop } => {
                    let (start, stop) = (time(start), time(stop));
                    Expression::Qualified(Box::new(inner), Qualifier::StartStop { start, stop })
                }
                other => Expression::Qualified(Box::new(inner), other.clone()),
            }
        }
    }
}

fn alternatives(any: &[Expression]) -> Expression {
    let (mut tests, mut others) = (Vec::new(), Vec::new());
    let mut sort = |one| match one {
        Expression::Test(test) => tests.push(test),
        other => others.push(other),
    };
    for one in any.iter().map(expression) {
        match one {
            Expression::Or(inner) => inner.into_iter().for_each(&mut sort),
            other => sort(other),
        }
    }
    if !tests.is_empty() {
        others.push(Expression::Test(comparison(&Comparison::Or(tests))));
    }
    others.sort_by_cached_key(ToString::to_string);
    others.dedup();
    if others.len() == 1 { others.remove(0) } else { Expression::Or(others) }
}

fn comparison(from: &Comparison) -> Comparison {
    let (all, is_and) = match from {
        Comparison::Test(one) => return Comparison::Test(test(one)),
        Comparison::And(all) => (all, true),
        Comparison::Or(any) => (any, false),
    };
    let mut flat = Vec::new();
    for one in all.iter().map(comparison) {
        match one {
            Comparison::And(inner) if is_and => flat.extend(inner),
            Comparison::Or(inner) if !is_and => flat.extend(inner),
            other => flat.push(other),
        }
    }
    if !is_and {
        flat = sets(flat);
    }
    flat.sort_by_cached_key(ToString::to_string);
    flat.dedup();
    absorb(&mut flat, is_and);
    if flat.len() == 1 {
        return flat.remove(0);
    }
    if is_and { Comparison::And(flat) } else { Comparison::Or(flat) }
}

/// `a AND (a OR b)` and `a OR (a AND b)` say `a`.
fn absorb(flat: &mut Vec<Comparison>, is_and: bool) {
    let parts = |one: &Comparison| match one {
        Comparison::Or(parts) if is_and => parts.clone(),
        Comparison::And(parts) if !is_and => parts.clone(),
        _ => vec![],
    };
    let whole = flat.clone();
    flat.retain(|one| {
        let inner = parts(one);
        !whole.iter().any(|other| inner.contains(other))
    });
}

/// Equalities of one path under OR become one set.
fn sets(flat: Vec<Comparison>) -> Vec<Comparison> {
    let mut kept: Vec<Comparison> = Vec::with_capacity(flat.len());
    let mut places: std::collections::HashMap<String, usize> = std::collections::HashMap::new();
    for one in flat {
        let Comparison::Test(Test { path, negated: false, op: Op::Equal(_) | Op::In(_) }) = &one
        else {
            kept.push(one);
            continue;
        };
        let Comparison::Test(found) = &one else { continue };
        let constants = match &found.op {
            Op::Equal(constant) => vec![constant.clone()],
            Op::In(set) => set.clone(),
            _ => vec![],
        };
        // Sets hold one type: each type has its own.
        let kind = constants.first().map(kind).unwrap_or_default();
        let key = format!("{kind} {path}");
        match places.get(&key).copied().map(|at| &mut kept[at]) {
            Some(Comparison::Test(Test { op: Op::In(set), .. })) => set.extend(constants),
            _ => {
                places.insert(key, kept.len());
                let path = path.clone();
                kept.push(Comparison::Test(Test { path, negated: false, op: Op::In(constants) }));
            }
        }
    }
    kept.into_iter()
        .map(|one| match one {
            Comparison::Test(one) => Comparison::Test(test(&one)),
            other => other,
        })
        .collect()
}

const fn kind(constant: &Constant) -> &'static str {
    match constant {
        Constant::Integer(_) | Constant::Float(_) => "number",
        Constant::Text(_) => "text",
        Constant::Boolean(_) => "boolean",
        Constant::Binary(_) | Constant::Hex(_) => "binary",
        Constant::Timestamp(_) => "timestamp",
    }
}

fn test(from: &Test) -> Test {
    let mut negated = from.negated;
    let op = match &from.op {
        Op::Equal(value) if negated => {
            negated = false;
            Op::NotEqual(constant(value))
        }
        Op::NotEqual(value) if negated => {
            negated = false;
            Op::Equal(constant(value))
        }
        Op::Equal(value) => Op::Equal(constant(value)),
        Op::NotEqual(value) => Op::NotEqual(constant(value)),
        Op::Less(value) => Op::Less(constant(value)),
        Op::LessOrEqual(value) => Op::LessOrEqual(constant(value)),
        Op::Greater(value) => Op::Greater(constant(value)),
        Op::GreaterOrEqual(value) => Op::GreaterOrEqual(constant(value)),
        Op::In(set) => {
            let mut set: Vec<Constant> = set.iter().map(constant).collect();
            set.sort_by_cached_key(ToString::to_string);
            set.dedup();
            match set.as_slice() {
                [one] if negated => {
                    negated = false;
                    Op::NotEqual(one.clone())
                }
                [one] => Op::Equal(one.clone()),
                _ => Op::In(set),
            }
        }
        other => other.clone(),
    };
    Test { path: from.path.clone(), negated, op }
}

/// A float that is whole is an integer, binary and hex are the same bytes, a timestamp has one spelling.
#[allow(clippy::cast_possible_truncation)]
fn constant(from: &Constant) -> Constant {
    match from {
        Constant::Float(number) if number.fract() == 0.0 && number.abs() < 9e15 => {
            Constant::Integer(*number as i64)
        }
        Constant::Binary(bytes) => Constant::Hex(bytes.clone()),
        Constant::Timestamp(text) => Constant::Timestamp(time(text)),
        other => other.clone(),
    }
}

/// The spelling of a time; one that does not exist, or is finer than a microsecond, stays as written.
fn time(text: &str) -> String {
    let fine = text.len() > "2016-01-20T12:31:12.123456Z".len();
    match Timestamp::parse(text) {
        Ok(at) if !fine && !text.contains(":60") => at.to_string(),
        _ => text.to_owned(),
    }
}
