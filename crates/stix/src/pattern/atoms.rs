//! Values that a pattern names, taken out of it so that it can be found by them.

use super::ast::{Comparison, Constant, Expression, Op, Path, Pattern, Step, Test};
use super::compare::{Coding, Range};

/// Most atoms that stand for one pattern.
const MAX_ATOMS: usize = 1_000;
/// Longest value of an atom, in bytes.
const MAX_VALUE_BYTES: usize = 30_000;

/// A comparison that a look-up of one value decides.
#[derive(Clone, Debug)]
pub(super) enum Atom<'p> {
    /// The value equals this.
    Text { path: &'p Path, value: &'p str },
    /// The value is an address or range inside this one.
    Inside { path: &'p Path, range: Range },
}

impl Atom<'_> {
    pub(super) const fn path(&self) -> &Path {
        match self {
            Self::Text { path, .. } | Self::Inside { path, .. } => path,
        }
    }
}

/// The atoms of which any makes the whole pattern match; `None` where no such list says it all.
pub(super) fn alternatives(pattern: &Pattern) -> Option<Vec<Atom<'_>>> {
    let mut atoms = Vec::new();
    in_expression(&pattern.root, &mut atoms)?;
    Some(atoms)
}

fn in_expression<'p>(expression: &'p Expression, atoms: &mut Vec<Atom<'p>>) -> Option<()> {
    match expression {
        Expression::Test(comparison) => in_comparison(comparison, atoms),
        Expression::Or(any) => any.iter().try_for_each(|one| in_expression(one, atoms)),
        _ => None,
    }
}

fn in_comparison<'p>(comparison: &'p Comparison, atoms: &mut Vec<Atom<'p>>) -> Option<()> {
    match comparison {
        Comparison::Or(any) => any.iter().try_for_each(|one| in_comparison(one, atoms)),
        Comparison::And(_) => None,
        Comparison::Test(test) => of_test(test, atoms),
    }
}

/// The atoms of which at least one must be there for the pattern to match; `None` where there is no such list.
pub(super) fn required(pattern: &Pattern) -> Option<Vec<Atom<'_>>> {
    for_expression(&pattern.root)
}

fn for_expression(expression: &Expression) -> Option<Vec<Atom<'_>>> {
    match expression {
        Expression::Test(comparison) => for_comparison(comparison),
        Expression::And(all) | Expression::FollowedBy(all) => {
            fewest(all.iter().filter_map(for_expression))
        }
        Expression::Or(any) => joined(any.iter().map(for_expression)),
        Expression::Qualified(inner, _) => for_expression(inner),
    }
}

fn for_comparison(comparison: &Comparison) -> Option<Vec<Atom<'_>>> {
    match comparison {
        Comparison::And(all) => fewest(all.iter().filter_map(for_comparison)),
        Comparison::Or(any) => joined(any.iter().map(for_comparison)),
        Comparison::Test(test) => {
            let mut atoms = Vec::new();
            of_test(test, &mut atoms)?;
            // Ranges hold too much to be a way to a pattern that asks for more.
            atoms.iter().all(|atom| matches!(atom, Atom::Text { .. })).then_some(atoms)
        }
    }
}

fn fewest<'p>(lists: impl Iterator<Item = Vec<Atom<'p>>>) -> Option<Vec<Atom<'p>>> {
    lists.min_by_key(Vec::len)
}

fn joined<'p>(lists: impl Iterator<Item = Option<Vec<Atom<'p>>>>) -> Option<Vec<Atom<'p>>> {
    let mut all = Vec::new();
    for list in lists {
        all.extend(list?);
        if all.len() > MAX_ATOMS {
            return None;
        }
    }
    Some(all)
}

fn of_test<'p>(test: &'p Test, atoms: &mut Vec<Atom<'p>>) -> Option<()> {
    if test.negated || !is_text(&test.path) {
        return None;
    }
    let constants = match &test.op {
        Op::Equal(constant) => std::slice::from_ref(constant),
        Op::In(set) => set.as_slice(),
        Op::IsSubset(text) => {
            atoms.push(Atom::Inside { path: &test.path, range: Range::parse(text)? });
            return (atoms.len() <= MAX_ATOMS).then_some(());
        }
        _ => return None,
    };
    if atoms.len() + constants.len() > MAX_ATOMS {
        return None;
    }
    for constant in constants {
        let Constant::Text(value) = constant else { return None };
        if value.len() > MAX_VALUE_BYTES {
            return None;
        }
        atoms.push(Atom::Text { path: &test.path, value });
    }
    Some(())
}

/// Whether what a path leads to is compared as text, not as coded bytes.
fn is_text(path: &Path) -> bool {
    let key = path.steps.iter().rev().find_map(|step| match step {
        Step::Key(key) => Some(key),
        _ => None,
    });
    key.is_none_or(|key| Coding::of(key) == Coding::Plain)
}

/// The types of objects that a pattern speaks of, sorted.
pub(super) fn types_of(pattern: &Pattern) -> Vec<String> {
    let mut types = Vec::new();
    each_path(&pattern.root, &mut |path| types.push(path.kind.clone()));
    types.sort();
    types.dedup();
    types
}

/// Calls `each` with every object path, in the order in which they are written.
pub(super) fn each_path<'p>(expression: &'p Expression, each: &mut impl FnMut(&'p Path)) {
    match expression {
        Expression::Test(comparison) => in_comparisons(comparison, each),
        Expression::And(all) | Expression::Or(all) | Expression::FollowedBy(all) => {
            all.iter().for_each(|one| each_path(one, each));
        }
        Expression::Qualified(inner, _) => each_path(inner, each),
    }
}

fn in_comparisons<'p>(comparison: &'p Comparison, each: &mut impl FnMut(&'p Path)) {
    match comparison {
        Comparison::Test(test) => each(&test.path),
        Comparison::And(all) | Comparison::Or(all) => {
            all.iter().for_each(|one| in_comparisons(one, each));
        }
    }
}

/// The path of a pattern that is one test.
pub(super) const fn only_path(pattern: &Pattern) -> Option<&Path> {
    match &pattern.root {
        Expression::Test(Comparison::Test(test)) => Some(&test.path),
        _ => None,
    }
}
