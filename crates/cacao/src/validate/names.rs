//! Variables: those that are used are defined, those that are set may be set, and their types fit the place.

use std::collections::BTreeSet;

use serde::Serialize;
use stix::pattern::{Constant, Op, Test};

use super::Findings;
use crate::condition::{self, Condition};
use crate::variables::{bare, is_name, references};
use crate::{AgentTarget, Playbook, Step, Variable, fits};

pub(super) fn check(playbook: &Playbook, found: &mut Findings) {
    for (id, step) in &playbook.workflow {
        let place = format!("/workflow/{id}");
        let scope = Scope { playbook, step };
        scope.used(&place, found);
        scope.set(&place, found);
        if step.kind == "switch-condition" {
            scope.switch(&place, found);
        }
        if step.called().is_some_and(|(called, _)| called == playbook.id) {
            found.warning(&place, "runs the playbook it stands in; see to it that this ends");
        }
        for (name, variable) in &step.step_variables {
            let here = format!("{place}/step_variables/{name}");
            if variable.external {
                found.warning(&here, "only variables of the playbook are external (§10.18)");
            }
            if playbook.playbook_variables.contains_key(name) {
                found.warning(&here, "hides the variable of the playbook of the same name");
            }
        }
    }
    for (name, variable) in &playbook.playbook_variables {
        if variable.constant && variable.value.is_none() && !variable.external {
            let place = format!("/playbook_variables/{name}");
            found.warning(&place, "is constant and has no value, so it never has one");
        }
    }
}

/// What a step may name: its own variables, then those of the playbook.
struct Scope<'p> {
    playbook: &'p Playbook,
    step: &'p Step,
}

impl<'p> Scope<'p> {
    fn variable(&self, name: &str) -> Option<&'p Variable> {
        let own = self.step.step_variables.get(name);
        own.or_else(|| self.playbook.playbook_variables.get(name))
    }

    fn used(&self, place: &str, found: &mut Findings) {
        let mut used: BTreeSet<String> = BTreeSet::new();
        let mut of = |text: &str| used.extend(references(text).into_iter().map(str::to_owned));
        for command in &self.step.commands {
            of(&as_text(command));
            for text in [command.decoded(), command.decoded_content()].into_iter().flatten() {
                of(&text);
            }
        }
        let agent = self.step.agent.iter().filter_map(|id| self.playbook.agent_definitions.get(id));
        let targets = &self.playbook.target_definitions;
        let targets = self.step.targets.iter().filter_map(|id| targets.get(id));
        for party in agent.chain(targets) {
            of(&as_text(party));
            self.addresses(place, party, found);
        }
        if let Some(Some(switch)) = self.step.switch().map(|name| is_name(name).then_some(name)) {
            used.insert(switch.to_owned());
        }
        if let Some(text) = &self.step.condition {
            let here = format!("{place}/condition");
            match Condition::parse(text) {
                Ok(condition) => {
                    used.extend(condition.variables().into_iter().map(str::to_owned));
                    self.condition(&here, &condition, found);
                }
                Err(cause) => found.error(&here, cause),
            }
        }
        let arguments = self.step.in_args.iter().chain(&self.step.out_args);
        used.extend(arguments.map(|name| bare(name).to_owned()));
        for name in used.iter().filter(|name| self.variable(name).is_none()) {
            let text =
                format!("variable {name} is defined neither for the step nor for the playbook");
            found.error(place, text);
        }
    }

    fn set(&self, place: &str, found: &mut Findings) {
        for name in &self.step.out_args {
            if self.variable(bare(name)).is_some_and(|variable| variable.constant) {
                found.error(place, format!("out_args sets {name}, which is constant (§10.18)"));
            }
        }
    }

    fn switch(&self, place: &str, found: &mut Findings) {
        let here = format!("{place}/switch");
        let Some(name) = self.step.switch().filter(|name| is_name(name)) else {
            found.error(&here, "must name a variable, such as __name__:value (§4.10)");
            return;
        };
        let Some(variable) = self.variable(name) else { return };
        for (value, _) in self.step.cases() {
            if value != "default"
                && let Err(cause) = fits(&variable.kind, value)
            {
                let text = format!("is never chosen: {name} is compared as its type, and {cause}");
                found.warning(&format!("{place}/cases/{value}"), text);
            }
        }
    }

    /// What a variable is compared to is of its type; otherwise the answer is always the same.
    fn condition(&self, place: &str, condition: &Condition, found: &mut Findings) {
        for doubt in condition.doubts() {
            found.warning(place, doubt);
        }
        for Test { path, op, .. } in condition.comparison().tests() {
            let name = condition::variable(path).unwrap_or_default();
            let Some(variable) = self.variable(name) else { continue };
            let constants: &[Constant] = match op {
                Op::Equal(one) | Op::NotEqual(one) => std::slice::from_ref(one),
                Op::In(set) => set,
                _ => continue,
            };
            for constant in constants {
                if let Constant::Text(text) = constant
                    && references(text).is_empty()
                    && fits(&variable.kind, text).is_err()
                {
                    let kind = &variable.kind;
                    found.warning(place, format!("'{text}' is no value of {name}, a {kind}"));
                }
            }
        }
    }

    /// A variable that stands for an address is of its type, or a text.
    fn addresses(&self, place: &str, party: &AgentTarget, found: &mut Findings) {
        let fields = party.address.iter().filter_map(|(kind, all)| {
            let wanted: &[&str] = match kind.as_str() {
                "ipv4" => &["ipv4-addr", "string"],
                "ipv6" => &["ipv6-addr", "string"],
                "l2mac" => &["mac-addr", "string"],
                "url" => &["uri", "string"],
                "vlan" => &["integer", "long", "string"],
                "dname" => &["string"],
                _ => return None,
            };
            Some((wanted, all.iter().filter_map(|value| value.as_str()).collect::<Vec<_>>()))
        });
        let port: &[&str] = &["integer", "long", "string"];
        let port = party.port.iter().map(|text| (port, vec![text.as_str()]));
        for (wanted, texts) in fields.chain(port) {
            for text in texts {
                let whole = text.strip_suffix(":value").filter(|name| is_name(name));
                let Some((name, variable)) = whole.and_then(|n| Some((n, self.variable(n)?)))
                else {
                    continue;
                };
                let known = super::is_standard_type(&variable.kind);
                if known && !wanted.contains(&variable.kind.as_str()) {
                    let (kind, wanted) = (&variable.kind, wanted.join(" or "));
                    let text = format!(
                        "{name} is of the type {kind}; '{}' needs {wanted} there",
                        party.name
                    );
                    found.error(place, text);
                }
            }
        }
    }
}

fn as_text(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
