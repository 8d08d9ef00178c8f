//! A comparison expression without an observation: its values come from whoever asks.

use serde_json::Value;

use super::ast::{Comparison, Op, Test};
use super::compare::{Coding, Compiled};
use super::matcher::MatchError;
use super::regex::Budget;

/// A comparison expression ready to be answered.
#[derive(Clone, Debug)]
pub struct Prepared(Tree);

#[derive(Clone, Debug)]
enum Tree {
    Test(Test, Compiled),
    And(Vec<Tree>),
    Or(Vec<Tree>),
}

impl Comparison {
    /// Makes the expression ready.
    ///
    /// # Errors
    /// A constant of it has no meaning: a day that does not exist, a set of mixed types, a regular expression that cannot be
    /// read, something that is no address range.
    pub fn prepare(&self) -> Result<Prepared, MatchError> {
        tree(self, &mut Budget::default()).map(Prepared)
    }

    /// Every test of the expression, from left to right.
    pub fn tests(&self) -> Vec<&Test> {
        match self {
            Self::Test(test) => vec![test],
            Self::And(all) | Self::Or(all) => all.iter().flat_map(Self::tests).collect(),
        }
    }
}

fn tree(comparison: &Comparison, budget: &mut Budget) -> Result<Tree, MatchError> {
    let mut all = |many: &[Comparison]| {
        many.iter().map(|one| tree(one, budget)).collect::<Result<Vec<_>, _>>()
    };
    Ok(match comparison {
        Comparison::And(many) => Tree::And(all(many)?),
        Comparison::Or(many) => Tree::Or(all(many)?),
        Comparison::Test(test) => Tree::Test(test.clone(), Compiled::new(test, budget)?),
    })
}

impl Prepared {
    /// The answer, where `look` gives the value that a test asks for, or none. Tests that cannot change the answer any more are
    /// not looked at.
    ///
    /// # Errors
    /// What `look` refuses, and a regular expression that takes too long.
    pub fn holds<E: From<MatchError>>(
        &self,
        look: &dyn Fn(&Test) -> Result<Option<Value>, E>,
    ) -> Result<bool, E> {
        holds(&self.0, look)
    }
}

fn holds<E: From<MatchError>>(
    tree: &Tree,
    look: &dyn Fn(&Test) -> Result<Option<Value>, E>,
) -> Result<bool, E> {
    match tree {
        Tree::And(all) => all.iter().try_fold(true, |so_far, one| Ok(so_far && holds(one, look)?)),
        Tree::Or(any) => any.iter().try_fold(false, |so_far, one| Ok(so_far || holds(one, look)?)),
        Tree::Test(test, compiled) => match look(test)? {
            // Of what is not there only its absence is true (§9.6.1).
            None => Ok(test.op == Op::Exists && test.negated),
            Some(_) if test.op == Op::Exists => Ok(!test.negated),
            Some(value) => Ok(compiled.passes(&value, Coding::Plain)?),
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn answer(text: &str) -> bool {
        let look = |test: &Test| {
            Ok::<_, MatchError>(match test.path.kind.as_str() {
                "n" => Some(json!(7)),
                "t" => Some(json!("10.1.2.3")),
                _ => None,
            })
        };
        Comparison::parse(text).unwrap().prepare().unwrap().holds(&look).unwrap()
    }

    #[test]
    fn every_operator_is_answered_without_an_observation() {
        for (text, expect) in [
            ("n:value = 7 AND t:value LIKE '10.%'", true),
            ("n:value > 6.5 AND (t:value = 'x' OR t:value MATCHES '^10')", true),
            ("n:value NOT IN (1, 2, 3)", true),
            ("t:value ISSUBSET '10.0.0.0/8'", true),
            ("t:value ISSUPERSET '10.0.0.0/8'", false),
            ("EXISTS n:value AND NOT EXISTS gone:value", true),
            ("EXISTS gone:value OR gone:value != 1", false),
            ("t:value = 7 OR n:value = '7'", false),
        ] {
            assert_eq!(answer(text), expect, "{text}");
        }
    }

    #[test]
    fn what_stands_beside_the_expression_is_refused_with_its_place() {
        for (text, column) in
            [("n:value = 7]", 12), ("[n:value = 7]", 1), ("n:value = 7 FOLLOWEDBY", 13), ("", 1)]
        {
            assert_eq!(Comparison::parse(text).unwrap_err().column, column, "{text}");
        }
        let unequal = Comparison::parse("n:value IN (1, 'a')").unwrap();
        assert!(unequal.prepare().is_err());
    }
}
