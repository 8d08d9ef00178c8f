//! STIX patterns (§9): the simple ones, a disjunction of equalities, which are what lists of
//! addresses and names are made of. They turn an indicator into rows of a value index; a pattern
//! of any other form yields `None` and is left to a matcher.

use super::ast::{Comparison, Constant, Expression, Op, Pattern, Test};

/// Most values taken of one pattern.
pub const MAX_VALUES: usize = 1_000;

/// One equality: an object path like `ipv4-addr:value` and the text it must equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimpleValue {
    /// Object path as written, e.g. `ipv4-addr:value`.
    pub path: String,
    /// The text, with its escapes resolved.
    pub value: String,
}

/// The values of a pattern of the form `[a = 'x' OR b IN ('y', 'z')] OR [c = 'w']`; `None` for
/// every other pattern.
#[must_use]
pub fn simple_values(pattern: &str) -> Option<Vec<SimpleValue>> {
    values_of(&Pattern::parse(pattern).ok()?)
}

/// The values of a pattern that is read, as [`simple_values`] gives them.
#[must_use]
pub fn values_of(pattern: &Pattern) -> Option<Vec<SimpleValue>> {
    let mut values = Vec::new();
    of_expression(&pattern.root, false, &mut values)?;
    Some(values)
}

/// Like [`simple_values`], with networks that an address shall lie in (`ISSUBSET`) among the values, and with addresses
/// of connections whose type stands beside them: for an index that finds an address in the networks around it.
#[must_use]
pub fn values_and_networks(pattern: &str) -> Option<Vec<SimpleValue>> {
    let mut values = Vec::new();
    of_expression(&Pattern::parse(pattern).ok()?.root, true, &mut values)?;
    Some(values)
}

fn of_expression(
    expression: &Expression,
    networks: bool,
    values: &mut Vec<SimpleValue>,
) -> Option<()> {
    match expression {
        Expression::Test(comparison) => of_comparison(comparison, networks, values),
        Expression::Or(any) => any.iter().try_for_each(|one| of_expression(one, networks, values)),
        _ => None,
    }
}

fn of_comparison(
    comparison: &Comparison,
    networks: bool,
    values: &mut Vec<SimpleValue>,
) -> Option<()> {
    let test = match comparison {
        Comparison::Or(any) => {
            return any.iter().try_for_each(|one| of_comparison(one, networks, values));
        }
        Comparison::And(all) => networks.then(|| typed_value(all)).flatten()?,
        Comparison::Test(test) => test,
    };
    if let Op::IsSubset(network) = &test.op {
        if !networks || test.negated || values.len() >= MAX_VALUES {
            return None;
        }
        values.push(SimpleValue { path: test.path.to_string(), value: network.clone() });
        return Some(());
    }
    let constants = match &test.op {
        Op::Equal(constant) => std::slice::from_ref(constant),
        Op::In(set) if !set.is_empty() => set.as_slice(),
        _ => return None,
    };
    if test.negated || values.len() + constants.len() > MAX_VALUES {
        return None;
    }
    let path = test.path.to_string();
    for constant in constants {
        let Constant::Text(value) = constant else { return None };
        values.push(SimpleValue { path: path.clone(), value: value.clone() });
    }
    Some(())
}

/// The second of two tests of which the first says only what type the other's value has: how MISP and its converters
/// write the address of a connection, `dst_ref.type = 'ipv4-addr' AND dst_ref.value = '198.51.100.7'`.
fn typed_value(all: &[Comparison]) -> Option<&Test> {
    let [Comparison::Test(first), Comparison::Test(second)] = all else { return None };
    let says_type = |test: &Test, of: &Test| {
        let (path, of) = (test.path.to_string(), of.path.to_string());
        let of = of.strip_suffix("_ref.value").map(|object| format!("{object}_ref.type"));
        let known = ["ipv4-addr", "ipv6-addr", "mac-addr", "domain-name"];
        let names =
            matches!(&test.op, Op::Equal(Constant::Text(name)) if known.contains(&name.as_str()));
        !test.negated && names && of.as_deref() == Some(path.as_str())
    };
    match (says_type(first, second), says_type(second, first)) {
        (true, _) => Some(second),
        (_, true) => Some(first),
        _ => None,
    }
}

/// The pattern `[path = 'value']`, escaped.
#[must_use]
pub fn equals(path: &str, value: &str) -> String {
    format!("[{path} = '{}']", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Whether a pattern has at least the outer form of one: it is not empty, starts with `[` or `(`,
/// and its brackets close outside of texts.
#[must_use]
pub fn looks_like_pattern(pattern: &str) -> bool {
    let (mut open, mut in_text, mut escaped) = (Vec::new(), false, false);
    if !pattern.trim_start().starts_with(['[', '(']) {
        return false;
    }
    for c in pattern.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '\'' => in_text = !in_text,
            _ if in_text => {}
            '[' | '(' => open.push(c),
            ']' if open.pop() != Some('[') => return false,
            ')' if open.pop() != Some('(') => return false,
            _ => {}
        }
    }
    open.is_empty() && !in_text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn check(pattern: &str, expect: &[(&str, &str)]) {
        let got = simple_values(pattern).unwrap();
        let got: Vec<_> = got.iter().map(|v| (v.path.as_str(), v.value.as_str())).collect();
        assert_eq!(got, expect, "{pattern}");
    }

    #[test]
    fn takes_the_values_of_simple_patterns() {
        check("[ipv4-addr:value = '198.51.100.1']", &[("ipv4-addr:value", "198.51.100.1")]);
        check(
            "[ ipv4-addr:value == '1.2.3.4' OR domain-name:value IN ('a.example', 'b\\'s') ] OR [url:value='http://x']",
            &[
                ("ipv4-addr:value", "1.2.3.4"),
                ("domain-name:value", "a.example"),
                ("domain-name:value", "b's"),
                ("url:value", "http://x"),
            ],
        );
    }

    #[test]
    fn leaves_other_patterns_alone() {
        for pattern in [
            "",
            "[",
            "[ipv4-addr:value = '1' AND domain-name:value = '2']",
            "[ipv4-addr:value != '1']",
            "[ipv4-addr:value = '1'] FOLLOWEDBY [url:value = 'x']",
            "[ipv4-addr:value = 'open",
            "[ipv4-addr:value IN ()]",
            "[ipv4-addr:value = '1'] WITHIN 5 SECONDS",
        ] {
            assert_eq!(simple_values(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn the_type_beside_a_value_is_no_condition_of_its_own() {
        let typed = "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '198.51.100.7']";
        let found = values_and_networks(typed).unwrap();
        let found: Vec<_> = found.iter().map(|v| (v.path.as_str(), v.value.as_str())).collect();
        assert_eq!(found, [("network-traffic:dst_ref.value", "198.51.100.7")]);
        assert_eq!(simple_values(typed), None, "a matcher must look at the type too");
        for other in [
            "[network-traffic:src_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '198.51.100.7']",
            "[network-traffic:dst_ref.type != 'ipv4-addr' AND network-traffic:dst_ref.value = '198.51.100.7']",
            "[network-traffic:dst_port = 80 AND network-traffic:dst_ref.value = '198.51.100.7']",
        ] {
            assert_eq!(values_and_networks(other), None, "{other}");
        }
    }

    #[test]
    fn outer_form() {
        assert!(looks_like_pattern("([a:b = ']'] AND [c:d = 'e']) WITHIN 5 SECONDS"));
        for pattern in ["", "rule x {}", "[a:b = 'c'", "[a:b = 'c)]", "[(a:b = 'c'])"] {
            assert!(!looks_like_pattern(pattern), "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_taken(value in "\\PC{0,40}") {
            let pattern = equals("domain-name:value", &value);
            prop_assert!(looks_like_pattern(&pattern));
            let got = simple_values(&pattern).unwrap();
            prop_assert_eq!(&got[0].value, &value);
        }

        #[test]
        fn any_text_is_taken_or_left(text in "[\\[\\]()a:=' ,\\\\OR]{0,60}") {
            let _ = (simple_values(&text), looks_like_pattern(&text));
        }
    }
}
