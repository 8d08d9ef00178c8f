//! The rules applied to a batch for one recipient.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use ports::Pseudonymiser;
use ports::disclosure::Redaction;
use serde_json::{Map, Value};
use stix::{Object, validate};

use super::addresses::Hiding;
use super::edit::{self, Changes};
use super::ids::{self, NewId, Pair};
use super::rule::{Action, Compiled, Redactor, Rule};
use crate::policy::facts::Recipient;

/// Bytes that replacements write into one object at most: rules that feed each other must not fill the memory.
const MAX_REPLACED_BYTES: usize = 4 << 20;
/// Times all rules are applied until nothing changes any more.
const MAX_ROUNDS: usize = 4;

/// An object as it would leave.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Redacted {
    /// `Err`: it stays, and why.
    pub(crate) object: Result<Value, String>,
    /// What was changed.
    pub(crate) redactions: Vec<Redaction>,
}

/// The rules for one recipient.
pub(crate) struct Work<'a> {
    rules: Vec<&'a Compiled>,
    hiding: Hiding<'a>,
    /// Types of observables whose ids the rules may change.
    renames: BTreeSet<&'static str>,
}

/// What observables of the types in `REFER` refer to in what makes their ids.
const REFERRED: [&str; 6] =
    ["ipv4-addr", "ipv6-addr", "mac-addr", "domain-name", "directory", "email-addr"];
const REFER: [&str; 3] = ["network-traffic", "email-message", "file"];

/// Whether a rule may change an observable of a type and with it its id, by itself.
fn touches(rule: &Rule, kind: &str) -> bool {
    let named = rule.types.is_empty() || rule.types.contains(kind);
    named
        && match &rule.action {
            Action::Drop => false,
            Action::Replace { .. } | Action::Pseudonymise => true,
            Action::Remove { properties } => properties.iter().any(|p| ids::depends(kind, p)),
        }
}

/// Whether a rule may change the id of an observable of a type, by itself or through one it refers to.
fn renames(rule: &Rule, kind: &str) -> bool {
    touches(rule, kind)
        || (REFER.contains(&kind) && REFERRED.into_iter().any(|referred| touches(rule, referred)))
}

/// An object after its own changes, before ids are put in order.
struct Edited {
    before: Map<String, Value>,
    after: Map<String, Value>,
    redactions: Vec<Redaction>,
    rules: BTreeSet<String>,
    stays: Option<String>,
}

impl Redactor {
    /// The rules that are for a recipient.
    pub(crate) fn work<'a>(
        &'a self,
        recipient: &'a Recipient,
        with: &'a dyn Pseudonymiser,
    ) -> Work<'a> {
        let rules: Vec<&Compiled> =
            self.rules.iter().filter(|rule| rule.rule.to.include(recipient)).collect();
        let hides = rules.iter().any(|rule| rule.rule.action == Action::Pseudonymise);
        let own = if hides { self.own.as_slice() } else { &[] };
        let domains = self.domains.as_slice();
        let may = |kind: &&'static str| rules.iter().any(|rule| renames(&rule.rule, kind));
        let renames = ids::OBSERVABLES.iter().copied().filter(may).collect();
        Work { hiding: Hiding::new(own, domains, with, &recipient.id), renames, rules }
    }
}

impl Work<'_> {
    /// Whether no rule is for the recipient: then objects leave as they are.
    pub(crate) fn is_idle(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether any id may change.
    pub(crate) fn renames_any(&self) -> bool {
        !self.renames.is_empty()
    }

    /// Whether a rule may change an observable of this type and with it its id.
    pub(crate) fn may_rename(&self, kind: &str) -> bool {
        self.renames.contains(kind)
    }

    /// Ids that objects refer to, whose own new id must be known although they are not among the objects.
    pub(crate) fn wanted(&self, objects: &[&Object]) -> BTreeSet<String> {
        let held: BTreeSet<&str> = objects.iter().map(|object| object.id_text()).collect();
        let mut wanted = BTreeSet::new();
        for object in objects {
            for (_, id) in stix::object::references(object) {
                let kind = stix::id::check(&id).unwrap_or_default();
                if self.may_rename(kind)
                    && stix::id::uuid_version(&id) == 5
                    && !held.contains(id.as_str())
                {
                    wanted.insert(id);
                }
            }
        }
        wanted
    }

    /// Objects as they would leave, in their order. `around` are others that they refer to: they give ids alone.
    pub(crate) fn batch(&self, objects: &[&Object], around: &[Object]) -> Vec<Redacted> {
        let mut edited: Vec<Edited> = objects.iter().map(|object| self.edit(object)).collect();
        let mut beside: Vec<Edited> = around.iter().map(|object| self.edit(object)).collect();
        let known: BTreeSet<String> = edited
            .iter()
            .chain(&beside)
            .filter_map(|e| e.before.get("id").and_then(Value::as_str).map(str::to_owned))
            .collect();
        let mut all: Vec<Pair<'_>> =
            edited.iter_mut().chain(beside.iter_mut()).map(|e| (&e.before, &mut e.after)).collect();
        let renamed = ids::settle(&mut all);
        edited.into_iter().map(|e| self.finish(e, &renamed, &known)).collect()
    }

    /// An object's own changes.
    fn edit(&self, object: &Object) -> Edited {
        let before = object.properties().clone();
        let mut after = before.clone();
        let mut changes = Changes::default();
        let rules = self
            .rules
            .iter()
            .filter(|rule| rule.rule.types.is_empty() || rule.rule.types.contains(object.kind()));
        let rules: Vec<&Compiled> = rules.copied().collect();
        let mut stays = rules
            .iter()
            .find(|rule| rule.rule.action == Action::Drop)
            .map(|rule| format!("withheld: redaction rule '{}' keeps it back", rule.rule.name));
        if stays.is_none() {
            let mut rounds = 0;
            let written = Cell::new(0_usize);
            while self.round(&rules, &mut after, &mut changes, (rounds, &written)) {
                rounds += 1;
                if rounds >= MAX_ROUNDS || written.get() > MAX_REPLACED_BYTES {
                    break;
                }
            }
            if written.get() > MAX_REPLACED_BYTES {
                stays = Some(format!(
                    "withheld: replacements would write more than {MAX_REPLACED_BYTES} bytes"
                ));
            } else if rounds >= MAX_ROUNDS {
                stays = Some(format!(
                    "withheld: the redaction rules still change it after {MAX_ROUNDS} rounds"
                ));
            }
            if after != before {
                edit::tidy_markings(&mut after);
            }
        }
        let (redactions, rules) = changes.into_parts();
        Edited { before, after, redactions, rules, stays }
    }

    /// A value that is no STIX object after the rules for texts: those for every type, and the named ones; which changed
    /// it. `None` when it cannot be done within the bounds.
    pub(crate) fn rewrite(
        &self,
        value: &Value,
        named: &BTreeSet<String>,
    ) -> Option<(Value, BTreeSet<String>)> {
        let for_texts =
            |action: &Action| matches!(action, Action::Replace { .. } | Action::Pseudonymise);
        let rules: Vec<&Compiled> = self
            .rules
            .iter()
            .filter(|rule| for_texts(&rule.rule.action))
            .filter(|rule| rule.rule.types.is_empty() || named.contains(&rule.rule.id))
            .copied()
            .collect();
        let mut map = value.as_object()?.clone();
        let (mut changes, written) = (Changes::default(), Cell::new(0_usize));
        for round in 0..MAX_ROUNDS {
            if !self.round(&rules, &mut map, &mut changes, (round, &written)) {
                return Some((Value::Object(map), changes.into_parts().1));
            }
            if written.get() > MAX_REPLACED_BYTES {
                return None;
            }
        }
        None
    }

    /// Applies every rule once; true when something changed.
    fn round(
        &self,
        rules: &[&Compiled],
        map: &mut Map<String, Value>,
        changes: &mut Changes,
        (round, written): (usize, &Cell<usize>),
    ) -> bool {
        let mut changed = false;
        let mut hidden = round > 0;
        for rule in rules {
            let id = rule.rule.id.as_str();
            match (&rule.rule.action, &rule.regex) {
                (Action::Remove { properties }, _) => {
                    for property in properties {
                        changed |= edit::remove(map, property, id, changes);
                    }
                }
                (Action::Replace { with, .. }, Some(regex)) => {
                    let replace = |text: &str| {
                        let grown = regex.find_iter(text).count().saturating_mul(with.len());
                        written.set(written.get().saturating_add(grown));
                        if written.get() > MAX_REPLACED_BYTES {
                            return None;
                        }
                        let new = regex.replace_all(text, regex::NoExpand(with));
                        matches!(new, std::borrow::Cow::Owned(_)).then(|| new.into_owned())
                    };
                    changed |= edit::texts(map, id, changes, &replace);
                }
                // Once for each object, whatever rules ask for it: a pseudonym looks like what it stands for.
                (Action::Pseudonymise, _) if !hidden => {
                    hidden = true;
                    changed |= edit::texts(map, id, changes, &|text| self.hiding.all(text));
                }
                // What other rules wrote may be an own address; pseudonyms that may look like one stay.
                (Action::Pseudonymise, _) if self.hiding.apart => {
                    changed |= edit::texts(map, id, changes, &|text| self.hiding.text(text));
                }
                _ => {}
            }
        }
        changed
    }

    /// Puts an object into the form in which it leaves, or says why it stays.
    fn finish(
        &self,
        mut edited: Edited,
        renamed: &HashMap<String, NewId>,
        known: &BTreeSet<String>,
    ) -> Redacted {
        let redactions = std::mem::take(&mut edited.redactions);
        let stays =
            |reason: String| Redacted { object: Err(reason), redactions: redactions.clone() };
        if let Some(reason) = edited.stays.take() {
            return stays(reason);
        }
        if let Some(reason) = self.lost_reference(&edited.before, renamed, known) {
            return stays(reason);
        }
        if edited.after == edited.before {
            return Redacted { object: Ok(Value::Object(edited.after)), redactions };
        }
        if !edited.rules.is_empty() {
            let held = edited.after.get("x_sereno_redacted").and_then(Value::as_array);
            let held = held.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned);
            let marks: BTreeSet<String> = held.take(100).chain(edited.rules).collect();
            edited.after.insert("x_sereno_redacted".into(), marks.into_iter().collect());
        }
        let object = Object::from_map(edited.after);
        let report = validate::object(&object);
        match report.first_error() {
            None => Redacted { object: Ok(object.into()), redactions },
            Some(problem) => stays(format!(
                "withheld: after redaction it would break STIX 2.1 {}: {} {}",
                problem.clause, problem.property, problem.message
            )),
        }
    }

    /// Why an object cannot leave because of what it refers to: an id that tells what redaction hides.
    fn lost_reference(
        &self,
        before: &Map<String, Value>,
        renamed: &HashMap<String, NewId>,
        known: &BTreeSet<String>,
    ) -> Option<String> {
        let object = Object::from_map(before.clone());
        let own = std::iter::once(object.id_text().to_owned());
        let all = own.chain(stix::object::references(&object).into_iter().map(|(_, id)| id));
        for id in all {
            if renamed.get(&id) == Some(&NewId::None) {
                return Some(format!(
                    "withheld: after redaction nothing is left that identifies {id}"
                ));
            }
            let kind = stix::id::check(&id).unwrap_or_default();
            if self.may_rename(kind) && stix::id::uuid_version(&id) == 5 && !known.contains(&id) {
                return Some(format!(
                    "withheld: it refers to {id}, which is not known here, so that its redacted id cannot be told"
                ));
            }
        }
        None
    }
}

/// How many objects each rule changed, for summaries.
pub(crate) fn by_rule<'r>(all: impl Iterator<Item = &'r [Redaction]>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for redactions in all {
        let rules: BTreeSet<&str> = redactions.iter().map(|r| r.rule.as_str()).collect();
        for rule in rules {
            *counts.entry(rule.to_owned()).or_insert(0) += 1;
        }
    }
    counts
}

#[cfg(test)]
#[path = "work_tests.rs"]
mod tests;
