//! Conditions of condition steps: STIX comparison expressions over variables (CACAO §4.8).
//!
//! `__verdict__:value = 'known' AND (__score__:value >= 3 OR __severity__:value IN ('high', 'critical'))`
//!
//! Operators `=`, `!=`, `<`, `<=`, `>`, `>=`, `IN`, `LIKE` (`%`, `_`), `NOT`, `AND` before `OR`,
//! parentheses. Two sides that both read as numbers are compared as numbers, else as texts.

use crate::variables::{Values, is_name};

/// Longest condition, in bytes.
pub const MAX_CONDITION_BYTES: usize = 4_096;
/// Deepest nesting of parentheses and NOT.
pub const MAX_CONDITION_DEPTH: usize = 32;

/// Why a condition cannot be read or answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    /// Not an expression; where, and what was expected.
    #[error("condition, byte {at}: expected {expected}")]
    Syntax {
        /// Byte offset.
        at: usize,
        /// What would have been right.
        expected: &'static str,
    },
    /// Longer or deeper than the limits.
    #[error("a condition has at most {MAX_CONDITION_BYTES} bytes and {MAX_CONDITION_DEPTH} levels")]
    TooLarge,
    /// A variable without a value.
    #[error("variable {0} has no value when the condition is looked at")]
    NoValue(String),
}

/// A condition that was read.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition {
    /// One comparison.
    Compare(Operand, Operator, Vec<Operand>),
    /// The opposite.
    Not(Box<Condition>),
    /// All of them.
    All(Vec<Condition>),
    /// One of them.
    Any(Vec<Condition>),
}

/// One side of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operand {
    /// `__name__:value`.
    Variable(String),
    /// `'text'`, `12`, `true`.
    Literal(String),
}

/// How two sides are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `IN`
    In,
    /// `LIKE`
    Like,
}

impl Condition {
    /// Reads a condition.
    ///
    /// # Errors
    /// Where it stops being one.
    pub fn parse(text: &str) -> Result<Self, ConditionError> {
        if text.len() > MAX_CONDITION_BYTES {
            return Err(ConditionError::TooLarge);
        }
        let mut reader = Reader { text, at: 0 };
        let condition = reader.any(0)?;
        reader.blanks();
        if reader.at == text.len() {
            Ok(condition)
        } else {
            Err(reader.wrong("AND, OR or the end"))
        }
    }

    /// The answer for these values.
    ///
    /// # Errors
    /// A variable without a value.
    pub fn holds(&self, values: &Values) -> Result<bool, ConditionError> {
        match self {
            Self::Not(inner) => Ok(!inner.holds(values)?),
            Self::All(parts) => {
                parts.iter().try_fold(true, |so_far, part| Ok(so_far && part.holds(values)?))
            }
            Self::Any(parts) => {
                parts.iter().try_fold(false, |so_far, part| Ok(so_far || part.holds(values)?))
            }
            Self::Compare(left, operator, right) => {
                let left = value(left, values)?;
                for right in right {
                    if compare(left, *operator, value(right, values)?) {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }

    /// The variables it looks at.
    pub fn variables(&self) -> Vec<&str> {
        fn name(operand: &Operand) -> Option<&str> {
            match operand {
                Operand::Variable(name) => Some(name),
                Operand::Literal(_) => None,
            }
        }
        match self {
            Self::Not(inner) => inner.variables(),
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::variables).collect(),
            Self::Compare(left, _, right) => {
                std::iter::once(left).chain(right).filter_map(name).collect()
            }
        }
    }
}

fn value<'a>(operand: &'a Operand, values: &'a Values) -> Result<&'a str, ConditionError> {
    match operand {
        Operand::Literal(text) => Ok(text),
        Operand::Variable(name) => values
            .get(name)
            .map(String::as_str)
            .ok_or_else(|| ConditionError::NoValue(name.clone())),
    }
}

fn compare(left: &str, operator: Operator, right: &str) -> bool {
    if operator == Operator::Like {
        return like(left, right);
    }
    let numbers = left.trim().parse::<f64>().ok().zip(right.trim().parse::<f64>().ok());
    let order = match numbers {
        Some((left, right)) => left.partial_cmp(&right),
        None => Some(left.cmp(right)),
    };
    match operator {
        Operator::Equal | Operator::In => order.is_some_and(std::cmp::Ordering::is_eq),
        Operator::NotEqual => !order.is_some_and(std::cmp::Ordering::is_eq),
        Operator::Less => order.is_some_and(std::cmp::Ordering::is_lt),
        Operator::LessOrEqual => order.is_some_and(std::cmp::Ordering::is_le),
        Operator::Greater => order.is_some_and(std::cmp::Ordering::is_gt),
        Operator::GreaterOrEqual => order.is_some_and(std::cmp::Ordering::is_ge),
        Operator::Like => false,
    }
}

/// `%` any run of characters, `_` any one; linear in the length by going back to the last `%` only.
fn like(text: &str, pattern: &str) -> bool {
    let (text, pattern): (Vec<char>, Vec<char>) =
        (text.chars().collect(), pattern.chars().collect());
    let (mut t, mut p, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('%') => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some(c) if *c == '_' || *c == text[t] => {
                t += 1;
                p += 1;
            }
            _ => match star {
                Some((after, from)) => {
                    star = Some((after, from + 1));
                    (p, t) = (after, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '%')
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn wrong(&self, expected: &'static str) -> ConditionError {
        ConditionError::Syntax { at: self.at, expected }
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        self.blanks();
        let found = self.rest().starts_with(symbol);
        if found {
            self.at += symbol.len();
        }
        found
    }

    fn word(&mut self, word: &str) -> bool {
        self.blanks();
        let rest = self.rest();
        let found = rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
            && !rest[word.len()..].starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        if found {
            self.at += word.len();
        }
        found
    }

    fn any(&mut self, depth: usize) -> Result<Condition, ConditionError> {
        let mut parts = vec![self.all(depth)?];
        while self.word("OR") {
            parts.push(self.all(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::Any(parts) })
    }

    fn all(&mut self, depth: usize) -> Result<Condition, ConditionError> {
        let mut parts = vec![self.one(depth)?];
        while self.word("AND") {
            parts.push(self.one(depth)?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::All(parts) })
    }

    fn one(&mut self, depth: usize) -> Result<Condition, ConditionError> {
        if depth >= MAX_CONDITION_DEPTH {
            return Err(ConditionError::TooLarge);
        }
        if self.word("NOT") {
            return Ok(Condition::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.symbol("(") {
            let inner = self.any(depth + 1)?;
            return if self.symbol(")") { Ok(inner) } else { Err(self.wrong("')'")) };
        }
        let left = self.operand()?;
        let negated = self.word("NOT");
        let operator = self.operator()?;
        let right = if operator == Operator::In { self.set()? } else { vec![self.operand()?] };
        let comparison = Condition::Compare(left, operator, right);
        Ok(if negated { Condition::Not(Box::new(comparison)) } else { comparison })
    }

    fn operator(&mut self) -> Result<Operator, ConditionError> {
        const SYMBOLS: [(&str, Operator); 7] = [
            ("!=", Operator::NotEqual),
            ("<>", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("=", Operator::Equal),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        for (symbol, operator) in SYMBOLS {
            if self.symbol(symbol) {
                return Ok(operator);
            }
        }
        if self.word("IN") {
            return Ok(Operator::In);
        }
        if self.word("LIKE") {
            return Ok(Operator::Like);
        }
        Err(self.wrong("=, !=, <, <=, >, >=, IN or LIKE"))
    }

    fn set(&mut self) -> Result<Vec<Operand>, ConditionError> {
        if !self.symbol("(") {
            return Err(self.wrong("'(' after IN"));
        }
        let mut items = vec![self.operand()?];
        while self.symbol(",") {
            items.push(self.operand()?);
        }
        if self.symbol(")") { Ok(items) } else { Err(self.wrong("',' or ')'")) }
    }

    fn operand(&mut self) -> Result<Operand, ConditionError> {
        self.blanks();
        let rest = self.rest();
        match rest.chars().next() {
            Some(quote @ ('\'' | '"')) => self.quoted(quote),
            Some(c) if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '.') => {
                let end = rest
                    .find(|c: char| {
                        !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '.' | ':'))
                    })
                    .unwrap_or(rest.len());
                let word = rest[..end].to_owned();
                let variable = word.strip_suffix(":value").filter(|name| is_name(name));
                let operand = match variable {
                    Some(name) => Operand::Variable(name.to_owned()),
                    None if word == "true" || word == "false" || word.parse::<f64>().is_ok() => {
                        Operand::Literal(word)
                    }
                    None => {
                        return Err(
                            self.wrong("__variable__:value, 'text', a number, true or false")
                        );
                    }
                };
                self.at += end;
                Ok(operand)
            }
            _ => Err(self.wrong("__variable__:value, 'text', a number, true or false")),
        }
    }

    fn quoted(&mut self, quote: char) -> Result<Operand, ConditionError> {
        let mut text = String::new();
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((offset, c)) = chars.next() {
            if c == quote {
                self.at += offset + 1;
                return Ok(Operand::Literal(text));
            }
            let c = if c == '\\' { chars.next().map_or(c, |(_, escaped)| escaped) } else { c };
            text.push(c);
        }
        Err(self.wrong("a closing quote"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn values() -> Values {
        [("__verdict__", "unknown"), ("__score__", "7"), ("__quote__", "it's")]
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
        check(r"__quote__:value = 'it\'s'", true);
    }

    #[test]
    fn and_binds_before_or_and_parentheses_before_both() {
        check("1 = 1 OR 1 = 1 AND 1 = 2", true);
        check("(1 = 1 OR 1 = 1) AND 1 = 2", false);
        check("NOT (1 = 1 AND 1 = 2)", true);
    }

    #[test]
    fn what_is_no_condition_is_named() {
        for text in
            ["", "__a__:value", "__a__ = 1", "'a' = ", "(1 = 1", "1 = 1 1", "1 IN ()", "x = 'y"]
        {
            assert!(Condition::parse(text).is_err(), "{text}");
        }
        let deep = format!("{}1 = 1{}", "(".repeat(100), ")".repeat(100));
        assert_eq!(Condition::parse(&deep), Err(ConditionError::TooLarge));
        let gone = Condition::parse("__gone__:value = 1").unwrap().holds(&values());
        assert_eq!(gone, Err(ConditionError::NoValue("__gone__".into())));
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
            let plain = Condition::parse(&format!("{a} < {b}")).unwrap().holds(&values()).unwrap();
            let not = Condition::parse(&format!("NOT {a} < {b}")).unwrap().holds(&values()).unwrap();
            prop_assert_eq!(plain, !not);
        }
    }
}
