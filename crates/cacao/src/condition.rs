//! Conditions of condition steps: STIX comparison expressions over variables (CACAO §4.8, STIX 2.1 §9.5).
//!
//! `__verdict__:value = 'known' AND (__score__:value >= 3 OR __severity__:value IN ('high', 'critical'))`
//!
//! They are read by the pattern reader of the crate `stix`: whatever its grammar allows inside brackets is a condition, with a
//! variable as the object and `value` as the path.
//!
//! Decided where the standards say nothing
//! - A variable keeps its value as text. What it is compared to says how the text is read: beside a number as a number, beside
//!   `true` and `false` as one of the two, beside `t'…'` as a time, otherwise as text.
//! - A text on the right may refer to variables (`__a__:value = '__b__:value'`). They are filled in after the condition was read, so
//!   no value can change what is asked; in `LIKE` and `MATCHES` they are refused, where a value could.
//! - `EXISTS __a__:value` is true when the variable has a value. Any other question to a variable without one is an error.

use std::borrow::Cow;

use serde_json::{Number, Value};
use stix::pattern::{Comparison, Constant, MatchError, Op, Path, Prepared, Step, Test};

use crate::variables::{FillError, Values, fill, is_name, references};

/// Longest condition, in bytes.
pub const MAX_CONDITION_BYTES: usize = 4_096;

/// Why a condition cannot be read or answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// No comparison expression; where, and what was expected.
    #[error(
        "condition, {0} (a condition is a STIX comparison expression such as __name__:value = 'text')"
    )]
    Syntax(#[from] stix::pattern::PatternError),
    /// It asks something else than a variable.
    #[error("condition: {0} is no variable; write __name__:value")]
    NoVariable(String),
    /// A value would be read as part of an expression.
    #[error(
        "condition: {0} stands in the text of LIKE or MATCHES, where its value would be read as an expression; compare with = or IN"
    )]
    VariableInExpression(String),
    /// Longer than the limit.
    #[error("a condition has at most {MAX_CONDITION_BYTES} bytes; this one has {0}")]
    TooLong(usize),
    /// A constant without a meaning, or an expression that takes too long.
    #[error("condition: {0}")]
    Meaning(#[from] MatchError),
    /// A variable without a value.
    #[error("variable {0} has no value when the condition is looked at")]
    NoValue(String),
    /// A text that grows too long when its variables are filled in.
    #[error("condition: {0}")]
    Fill(FillError),
}

/// A condition that was read.
#[derive(Clone, Debug)]
pub struct Condition {
    comparison: Comparison,
    /// Ready to be answered, where no text waits for values.
    prepared: Option<Prepared>,
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// Where it stops being one.
    pub fn parse(text: &str) -> Result<Self, ConditionError> {
        if text.len() > MAX_CONDITION_BYTES {
            return Err(ConditionError::TooLong(text.len()));
        }
        let comparison = Comparison::parse(text)?;
        let mut waits = false;
        for test in comparison.tests() {
            if variable(&test.path).is_none() {
                return Err(ConditionError::NoVariable(test.path.to_string()));
            }
            let named = texts(&test.op).into_iter().find_map(|text| references(text).pop());
            if let (Some(name), Op::Like(_) | Op::Matches(_)) = (named, &test.op) {
                return Err(ConditionError::VariableInExpression(name.to_owned()));
            }
            waits |= named.is_some();
        }
        if !waits {
            let prepared = Some(comparison.prepare()?);
            return Ok(Self { comparison, prepared });
        }
        // What does not wait for values must have a meaning by itself already.
        for test in comparison.tests() {
            if texts(&test.op).into_iter().all(|text| references(text).is_empty()) {
                Comparison::Test(test.clone()).prepare()?;
            }
        }
        Ok(Self { comparison, prepared: None })
    }

    /// The answer for these values.
    ///
    /// # Errors
    /// A variable without a value; a text that has no meaning with its values filled in.
    pub fn holds(&self, values: &Values) -> Result<bool, ConditionError> {
        let prepared = match &self.prepared {
            Some(prepared) => Cow::Borrowed(prepared),
            None => Cow::Owned(filled(&self.comparison, values)?.prepare()?),
        };
        prepared.holds(&|test: &Test| {
            let name = variable(&test.path).unwrap_or_default();
            match values.get(name) {
                Some(text) => Ok(Some(read_for(&test.op, text))),
                None if test.op == Op::Exists => Ok(None),
                None => Err(ConditionError::NoValue(name.to_owned())),
            }
        })
    }

    /// The variables it looks at, on either side.
    pub fn variables(&self) -> Vec<&str> {
        let of_test = |test| {
            let Test { path, op, .. }: &Test = test;
            let right = texts(op).into_iter().flat_map(references);
            variable(path).into_iter().chain(right).collect::<Vec<_>>()
        };
        self.comparison.tests().into_iter().flat_map(of_test).collect()
    }

    /// What it says, to be walked through.
    pub fn comparison(&self) -> &Comparison {
        &self.comparison
    }

    /// What is allowed and probably not meant, one sentence each.
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        for test in self.comparison.tests() {
            if let Op::Less(Constant::Text(text))
            | Op::LessOrEqual(Constant::Text(text))
            | Op::Greater(Constant::Text(text))
            | Op::GreaterOrEqual(Constant::Text(text)) = &test.op
                && text.trim().parse::<f64>().is_ok()
            {
                doubts.push(format!(
                    "'{text}' in quotes is compared as text, where '10' comes before '9'; write the number without quotes"
                ));
            }
        }
        doubts
    }
}

/// The variable that a path names.
pub(crate) fn variable(path: &Path) -> Option<&str> {
    let value = matches!(path.steps.as_slice(), [Step::Key(key)] if key == "value");
    (value && is_name(&path.kind)).then_some(path.kind.as_str())
}

/// The texts that an operator compares to.
fn texts(op: &Op) -> Vec<&str> {
    fn text(constant: &Constant) -> Option<&str> {
        match constant {
            Constant::Text(text) => Some(text),
            _ => None,
        }
    }
    match op {
        Op::Equal(one)
        | Op::NotEqual(one)
        | Op::Less(one)
        | Op::LessOrEqual(one)
        | Op::Greater(one)
        | Op::GreaterOrEqual(one) => text(one).into_iter().collect(),
        Op::In(set) => set.iter().filter_map(text).collect(),
        Op::Like(text) | Op::Matches(text) | Op::IsSubset(text) | Op::IsSuperset(text) => {
            vec![text]
        }
        Op::Exists => vec![],
    }
}

/// The same with the values of variables in its texts.
fn filled(comparison: &Comparison, values: &Values) -> Result<Comparison, ConditionError> {
    let all = |many: &[Comparison]| {
        many.iter().map(|one| filled(one, values)).collect::<Result<Vec<_>, _>>()
    };
    let text = |text: &String| {
        fill(text, values).map_err(|cause| match cause {
            FillError::NoValue(name) => ConditionError::NoValue(name),
            FillError::TooLong => ConditionError::Fill(cause),
        })
    };
    let constant = |constant: &Constant| match constant {
        Constant::Text(it) => text(it).map(Constant::Text),
        other => Ok(other.clone()),
    };
    Ok(match comparison {
        Comparison::And(many) => Comparison::And(all(many)?),
        Comparison::Or(many) => Comparison::Or(all(many)?),
        Comparison::Test(test) => {
            let op = match &test.op {
                Op::Equal(it) => Op::Equal(constant(it)?),
                Op::NotEqual(it) => Op::NotEqual(constant(it)?),
                Op::Less(it) => Op::Less(constant(it)?),
                Op::LessOrEqual(it) => Op::LessOrEqual(constant(it)?),
                Op::Greater(it) => Op::Greater(constant(it)?),
                Op::GreaterOrEqual(it) => Op::GreaterOrEqual(constant(it)?),
                Op::In(set) => Op::In(set.iter().map(constant).collect::<Result<_, _>>()?),
                Op::IsSubset(it) => Op::IsSubset(text(it)?),
                Op::IsSuperset(it) => Op::IsSuperset(text(it)?),
                other => other.clone(),
            };
            Comparison::Test(Test { op, ..test.clone() })
        }
    })
}

/// A value as what it is compared to reads it.
fn read_for(op: &Op, text: &str) -> Value {
    let constant = match op {
        Op::Equal(one)
        | Op::NotEqual(one)
        | Op::Less(one)
        | Op::LessOrEqual(one)
        | Op::Greater(one)
        | Op::GreaterOrEqual(one) => Some(one),
        Op::In(set) => set.first(),
        _ => None,
    };
    let plain = text.trim();
    let read = match constant {
        Some(Constant::Integer(_) | Constant::Float(_)) => match plain.parse::<i64>() {
            Ok(whole) => Some(Value::from(whole)),
            Err(_) => plain.parse().ok().and_then(Number::from_f64).map(Value::Number),
        },
        Some(Constant::Boolean(_)) => [("true", true), ("false", false)]
            .into_iter()
            .find_map(|(word, value)| plain.eq_ignore_ascii_case(word).then_some(value.into())),
        _ => None,
    };
    read.unwrap_or_else(|| Value::from(text))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn values() -> Values {
        [
            ("__verdict__", "unknown"),
            ("__score__", "7"),
            ("__quote__", "it's"),
            ("__same__", "unknown"),
            ("__on__", "true"),
            ("__ip__", "10.1.2.3"),
            ("__net__", "10.0.0.0/8"),
            ("__at__", "2026-11-22T03:00:00.000Z"),
        ]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into()
    }

    fn check(text: &str, expect: bool) {
        assert_eq!(Condition::parse(text).unwrap().holds(&values()), Ok(expect), "{text}");
    }

    #[test]
    fn comparisons_read_as_the_standard_says() {
        check("__verdict__:value = 'unknown'", true);
        check("__verdict__:value != 'unknown'", false);
        check("__score__:value > 10", false);
        check("__score__:value >= 7.0", true);
        check("__score__:value < 10", true);
        check("__verdict__:value IN ('known', 'unknown')", true);
        check("__verdict__:value NOT IN ('known')", true);
        check("__verdict__:value LIKE 'un%'", true);
        check("__verdict__:value LIKE '_known'", false);
        check("__verdict__:value MATCHES '^u[a-z]+n$'", true);
        check(
            "__ip__:value ISSUBSET '10.0.0.0/8' AND __ip__:value NOT ISSUBSET '10.2.0.0/16'",
            true,
        );
        check("__net__:value ISSUPERSET '10.9.0.0/16'", true);
        check(r"__quote__:value = 'it\'s'", true);
        check("__at__:value > t'2026-11-22T02:00:00Z'", true);
        check("__on__:value = true AND __on__:value = 'true'", true);
        check("__score__:value IN (5, 6, 7)", true);
        // A text that is no number compares with none, whichever way it is asked.
        check("__verdict__:value < 5 OR __verdict__:value >= 5", false);
    }

    #[test]
    fn and_binds_before_or_and_brackets_before_both() {
        let (yes, no) = ("__score__:value = 7", "__score__:value = 8");
        check(&format!("{yes} OR {yes} AND {no}"), true);
        check(&format!("({yes} OR {yes}) AND {no}"), false);
    }

    #[test]
    fn a_text_may_refer_to_variables_and_their_values_change_no_question() {
        check("__verdict__:value = '__same__:value'", true);
        check("__verdict__:value IN ('x', '__same__:value')", true);
        check("__ip__:value ISSUBSET '__net__:value'", true);
        let mut sly = values();
        sly.insert("__same__".into(), "x' OR __score__:value = 7 OR __verdict__:value = 'y".into());
        let asks = Condition::parse("__verdict__:value = '__same__:value'").unwrap();
        assert_eq!(asks.holds(&sly), Ok(false));
        assert_eq!(asks.variables(), ["__verdict__", "__same__"]);
        let wide = Condition::parse("__ip__:value ISSUBSET '__verdict__:value'").unwrap();
        assert!(matches!(wide.holds(&values()), Err(ConditionError::Meaning(_))));
        for text in ["__a__:value LIKE '__b__:value%'", "__a__:value MATCHES '__b__:value'"] {
            let refused = Condition::parse(text);
            assert!(matches!(refused, Err(ConditionError::VariableInExpression(_))), "{text}");
        }
    }

    #[test]
    fn a_variable_without_a_value_is_asked_only_whether_it_has_one() {
        check("EXISTS __score__:value AND NOT EXISTS __gone__:value", true);
        check("EXISTS __gone__:value AND __gone__:value = 1", false);
        let gone = Condition::parse("__gone__:value = 1").unwrap().holds(&values());
        assert_eq!(gone, Err(ConditionError::NoValue("__gone__".into())));
    }

    #[test]
    fn what_is_no_condition_is_named() {
        for text in [
            "",
            "__a__:value",
            "__a__ = 1",
            "'a' = ",
            "1 = 1",
            "x = 'y",
            "ipv4-addr:value = '10.0.0.1'",
            "__a__:name = 'x'",
            "__a__:value.b = 'x'",
            "[__a__:value = 1]",
            "__a__:value ISSUBSET 'nowhere'",
            "__a__:value MATCHES '('",
            "__a__:value IN (1, 'a')",
        ] {
            assert!(Condition::parse(text).is_err(), "{text}");
        }
        let deep = format!("{}__a__:value = 1{}", "(".repeat(100), ")".repeat(100));
        assert!(Condition::parse(&deep).is_err());
        let long = format!("__a__:value = '{}'", "x".repeat(MAX_CONDITION_BYTES));
        assert!(matches!(Condition::parse(&long), Err(ConditionError::TooLong(_))));
    }

    #[test]
    fn numbers_in_quotes_are_doubted() {
        let doubts = |text: &str| Condition::parse(text).unwrap().doubts().len();
        assert_eq!(doubts("__a__:value > '9' AND __b__:value <= '1.5'"), 2);
        assert_eq!(doubts("__a__:value > 9 AND __b__:value = '9' AND __c__:value > 'a'"), 0);
    }

    proptest! {
        #[test]
        fn any_text_is_a_condition_or_an_error(text in r#"[_av:lue='()ANDORI<>!% \\,1é]{0,80}"#) {
            if let Ok(condition) = Condition::parse(&text) {
                let _ = condition.holds(&values());
            }
        }

        #[test]
        fn negation_is_the_opposite(a in 0..3_i32, b in 0..3_i32) {
            let given: Values = [("__n__".to_owned(), a.to_string())].into();
            let plain = Condition::parse(&format!("__n__:value < {b}")).unwrap().holds(&given).unwrap();
            let not = Condition::parse(&format!("__n__:value NOT < {b}")).unwrap().holds(&given).unwrap();
            prop_assert_eq!(plain, !not);
        }
    }
}
