//! What the grammar accepts and can yet never match.

use super::ast::{Comparison, Expression, Op, Path, Pattern, Qualifier};
use super::atoms;
use crate::time::Timestamp;

impl Pattern {
    /// Every object path, in the order in which they are written.
    #[must_use]
    pub fn paths(&self) -> Vec<&Path> {
        let mut paths = Vec::new();
        atoms::each_path(&self.root, &mut |path| paths.push(path));
        paths
    }

    /// Why the pattern, or a part of it, can never match, in words; empty where nothing is
    /// wrong. Such patterns are read and matched all the same, as the validator of OASIS does.
    #[must_use]
    pub fn cautions(&self) -> Vec<String> {
        let mut found = Vec::new();
        expression(&self.root, &mut found);
        found
    }
}

fn expression(of: &Expression, found: &mut Vec<String>) {
    match of {
        Expression::Test(inner) => drop(types(inner, found)),
        Expression::And(all) | Expression::Or(all) | Expression::FollowedBy(all) => {
            all.iter().for_each(|one| expression(one, found));
        }
        Expression::Qualified(inner, qualifier) => {
            expression(inner, found);
            let Qualifier::StartStop { start, stop } = qualifier else { return };
            match (Timestamp::parse(start), Timestamp::parse(stop)) {
                (Ok(from), Ok(to)) if from >= to => found.push(format!(
                    "START t'{start}' is not before STOP t'{stop}': no moment lies between (§9.5.1)"
                )),
                (Ok(_), Ok(_)) => {}
                _ => {
                    found.push(format!("START t'{start}' STOP t'{stop}' names a day that is none"))
                }
            }
        }
    }
}

/// The types of objects that can satisfy a comparison, sorted: all operands of AND must be satisfiable with the same
/// object (§9.5).
fn types<'p>(of: &'p Comparison, found: &mut Vec<String>) -> Vec<&'p str> {
    match of {
        Comparison::Test(test) => {
            if !test.negated && matches!(&test.op, Op::In(set) if set.is_empty()) {
                found.push(format!("{} is in no empty set", test.path));
            }
            vec![test.path.kind.as_str()]
        }
        Comparison::Or(any) => {
            let mut all: Vec<&str> = any.iter().flat_map(|one| types(one, found)).collect();
            all.sort_unstable();
            all.dedup();
            all
        }
        Comparison::And(all) => {
            let mut shared: Option<Vec<&str>> = None;
            let mut differ = false;
            for one in all {
                let own = types(one, found);
                let Some(held) = shared.take() else {
                    shared = Some(own);
                    continue;
                };
                let both: Vec<&str> =
                    held.iter().copied().filter(|kind| own.contains(kind)).collect();
                if both.is_empty() && !held.is_empty() && !own.is_empty() && !differ {
                    differ = true;
                    found.push(format!(
                        "AND asks one object to be {} and {} at once (§9.5); use [ ] AND [ ] for different \
                         observations",
                        held.join(" or "),
                        own.join(" or ")
                    ));
                }
                shared = Some(both);
            }
            shared.unwrap_or_default()
        }
    }
}
