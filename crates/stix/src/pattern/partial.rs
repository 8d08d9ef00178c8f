//! The values that a pattern needs, each with what it needs besides: how an indicator on an endpoint
//! (`dst_ref.value = '198.51.100.7' AND dst_port = 443`) is found by its host.

use super::ast::{Comparison, Constant, Expression, Op, Pattern, Test};
use super::simple::{MAX_VALUES, SimpleValue};

/// Characters of what is needed besides; beyond, it is only counted.
const MAX_NEEDS_CHARS: usize = 400;
/// Parts of one `AND` that are told one by one.
const MAX_PARTS: usize = 16;
/// Types that a reference may be said to have beside its value.
const REFERRED: [&str; 4] = ["ipv4-addr", "ipv6-addr", "mac-addr", "domain-name"];

/// A value that a pattern asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    /// Path and text.
    pub value: SimpleValue,
    /// What must be seen too, as a pattern prints it: tests of the same observation, or whole observations in square
    /// brackets. `None` when the value alone decides.
    pub besides: Option<String>,
}

/// The values of a pattern, with networks (`ISSUBSET`) among them, and what each needs besides. Values under `NOT`, and
/// patterns with qualifiers or an order in time, are left out: no single look-up decides them. At most
/// [`MAX_VALUES`]; empty for a pattern that cannot be read.
#[must_use]
pub fn needed_values(pattern: &str) -> Vec<Needed> {
    let mut found = Vec::new();
    if let Ok(read) = Pattern::parse(pattern) {
        of_expression(&read.root, &[], &mut found);
    }
    found
}

/// Whether a connection on this port meets what [`Needed::besides`] asks for: it asks for nothing but a port, and for
/// this one.
#[must_use]
pub fn met_by_port(besides: &str, port: u16) -> bool {
    let is_met = |one: &Comparison| {
        let Comparison::Test(Test { path, negated, op }) = one else { return false };
        let path = path.to_string();
        let is = |constant: &Constant| *constant == Constant::Integer(i64::from(port));
        let fits = match op {
            Op::Equal(constant) => is(constant),
            Op::In(set) => set.iter().any(is),
            _ => return false,
        };
        path == "network-traffic:dst_port" && fits != *negated
    };
    match Pattern::parse(&format!("[{besides}]")).map(|read| read.root) {
        Ok(Expression::Test(Comparison::And(all))) => all.iter().all(is_met),
        Ok(Expression::Test(Comparison::Or(any))) => any.iter().any(is_met),
        Ok(Expression::Test(one)) => is_met(&one),
        _ => false,
    }
}

fn of_expression(expression: &Expression, outer: &[String], found: &mut Vec<Needed>) {
    match expression {
        Expression::Test(comparison) => of_comparison(comparison, &[], outer, found),
        Expression::Or(any) => any.iter().for_each(|one| of_expression(one, outer, found)),
        Expression::And(all) => {
            for (at, one) in all.iter().enumerate() {
                let mut outer = outer.to_vec();
                outer.extend(others(all, at, |_| true, print_expression));
                of_expression(one, &outer, found);
            }
        }
        Expression::FollowedBy(_) | Expression::Qualified(..) => {}
    }
}

/// The parts beside one, printed; where they are too many, their number.
fn others<T>(
    all: &[T],
    at: usize,
    counts: impl Fn(&T) -> bool,
    print: impl Fn(&T) -> String,
) -> Vec<String> {
    let beside = all.iter().enumerate().filter(|(place, one)| *place != at && counts(one));
    if all.len() > MAX_PARTS {
        return vec![format!("{} more conditions", beside.count())];
    }
    beside.map(|(_, one)| print(one)).collect()
}

/// As it stands within an `AND`: what binds less is in brackets.
fn print_expression(one: &Expression) -> String {
    match one {
        Expression::Or(_) | Expression::FollowedBy(_) => format!("({one})"),
        _ => one.to_string(),
    }
}

fn print_comparison(one: &Comparison) -> String {
    match one {
        Comparison::Or(_) => format!("({one})"),
        _ => one.to_string(),
    }
}

fn of_comparison(
    comparison: &Comparison,
    inner: &[String],
    outer: &[String],
    found: &mut Vec<Needed>,
) {
    match comparison {
        Comparison::Or(any) => {
            any.iter().for_each(|one| of_comparison(one, inner, outer, found));
        }
        Comparison::And(all) => {
            for (at, one) in all.iter().enumerate() {
                let mut inner = inner.to_vec();
                let value = match one {
                    Comparison::Test(test) => Some(test),
                    _ => None,
                };
                inner.extend(others(all, at, |other| !says_type(other, value), print_comparison));
                of_comparison(one, &inner, outer, found);
            }
        }
        Comparison::Test(test) => of_test(test, inner, outer, found),
    }
}

/// Whether a test says no more than the type of what another one refers to, which the value tells by itself.
fn says_type(other: &Comparison, value: Option<&Test>) -> bool {
    let (Comparison::Test(says), Some(value)) = (other, value) else { return false };
    let of = value.path.to_string();
    let of = of.strip_suffix("_ref.value").map(|object| format!("{object}_ref.type"));
    let names =
        matches!(&says.op, Op::Equal(Constant::Text(name)) if REFERRED.contains(&name.as_str()));
    !says.negated && names && of == Some(says.path.to_string())
}

fn of_test(test: &Test, inner: &[String], outer: &[String], found: &mut Vec<Needed>) {
    if test.negated {
        return;
    }
    let texts: Vec<&String> = match &test.op {
        Op::Equal(Constant::Text(text)) | Op::IsSubset(text) => vec![text],
        Op::In(set) => {
            let texts = set.iter().filter_map(|constant| match constant {
                Constant::Text(text) => Some(text),
                _ => None,
            });
            texts.collect()
        }
        _ => return,
    };
    let path = test.path.to_string();
    let besides = told(inner, outer);
    for text in texts {
        if found.len() >= MAX_VALUES {
            return;
        }
        let value = SimpleValue { path: path.clone(), value: text.clone() };
        found.push(Needed { value, besides: besides.clone() });
    }
}

fn told(inner: &[String], outer: &[String]) -> Option<String> {
    if inner.is_empty() && outer.is_empty() {
        return None;
    }
    let mut parts = Vec::new();
    if !inner.is_empty() {
        let same = inner.join(" AND ");
        parts.push(if outer.is_empty() { same } else { format!("[{same}]") });
    }
    parts.extend(outer.iter().cloned());
    let text = parts.join(" AND ");
    let length = text.chars().count();
    if length <= MAX_NEEDS_CHARS {
        return Some(text);
    }
    let clipped: String = text.chars().take(MAX_NEEDS_CHARS).collect();
    Some(format!("{clipped}…"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, expect: &[(&str, Option<&str>)]) {
        let found = needed_values(pattern);
        let found: Vec<(&str, Option<&str>)> =
            found.iter().map(|one| (one.value.value.as_str(), one.besides.as_deref())).collect();
        assert_eq!(found, expect, "{pattern}");
    }

    #[test]
    fn a_value_is_found_with_what_it_needs_besides() {
        check("[ipv4-addr:value = '192.0.2.1']", &[("192.0.2.1", None)]);
        check(
            "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '192.0.2.1' AND network-traffic:dst_port = 443]",
            &[
                (
                    "ipv4-addr",
                    Some(
                        "network-traffic:dst_ref.value = '192.0.2.1' AND network-traffic:dst_port = 443",
                    ),
                ),
                ("192.0.2.1", Some("network-traffic:dst_port = 443")),
            ],
        );
        check(
            "[ipv4-addr:value = '192.0.2.1'] AND [domain-name:value = 'a.example']",
            &[
                ("192.0.2.1", Some("[domain-name:value = 'a.example']")),
                ("a.example", Some("[ipv4-addr:value = '192.0.2.1']")),
            ],
        );
        check(
            "[(ipv4-addr:value = '192.0.2.1' OR domain-name:value IN ('a.example', 'b.example')) AND network-traffic:dst_port = 80]",
            &[
                ("192.0.2.1", Some("network-traffic:dst_port = 80")),
                ("a.example", Some("network-traffic:dst_port = 80")),
                ("b.example", Some("network-traffic:dst_port = 80")),
            ],
        );
        check("[ipv4-addr:value = '192.0.2.1' OR file:name LIKE 'x%']", &[("192.0.2.1", None)]);
        check("[ipv4-addr:value != '192.0.2.1']", &[]);
        check("[ipv4-addr:value NOT = '192.0.2.1']", &[]);
        check("[ipv4-addr:value = '192.0.2.1'] FOLLOWEDBY [url:value = 'x']", &[]);
        check("[ipv4-addr:value = '192.0.2.1'] REPEATS 5 TIMES", &[]);
        check("nonsense", &[]);
    }

    #[test]
    fn an_alternative_besides_stays_one() {
        let found = needed_values(
            "[ipv4-addr:value = '192.0.2.1' AND (network-traffic:dst_port = 80 OR network-traffic:dst_port = 81)]",
        );
        let besides = found.first().and_then(|one| one.besides.as_deref());
        assert!(besides.is_some_and(|text| met_by_port(text, 80) && met_by_port(text, 81)));
        assert!(besides.is_some_and(|text| !met_by_port(text, 82)));
    }

    #[test]
    fn what_is_needed_stays_short_whatever_the_pattern() {
        let many: Vec<String> = (0..100).map(|n| format!("url:value = 'u{n}'")).collect();
        let found = needed_values(&format!("[{}]", many.join(" AND ")));
        assert_eq!(found.len(), 100);
        assert!(found.iter().all(|one| one.besides.as_deref() == Some("99 more conditions")));
        let long =
            format!("[ipv4-addr:value = '192.0.2.1' AND url:value = '{}']", "x".repeat(5_000));
        let found = needed_values(&long);
        let besides = found.first().and_then(|one| one.besides.as_deref()).unwrap_or_default();
        assert!(besides.chars().count() == MAX_NEEDS_CHARS + 1 && besides.ends_with('…'));
    }

    #[test]
    fn only_the_port_asked_for_meets_a_port() {
        let port = "network-traffic:dst_port = 443";
        assert!(met_by_port(port, 443) && !met_by_port(port, 80));
        assert!(met_by_port("network-traffic:dst_port IN (80, 443)", 80));
        assert!(!met_by_port("network-traffic:dst_port NOT = 443", 443));
        for other in ["network-traffic:src_port = 443", "[domain-name:value = 'a.example']", "x"] {
            assert!(!met_by_port(other, 443), "{other}");
        }
        let both = format!("{port} AND network-traffic:src_port = 1");
        assert!(!met_by_port(&both, 443));
    }
}
