//! The policies in force, compiled once for each change. The same question is decided once.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};

use cedar_policy::ffi::DetailedError;
use cedar_policy::{Entity, Policy, PolicyId, PolicySet, ValidationMode, Validator};
use model::ShareDecision;
use rulings::{Question, Rulebook, entity, flag, number, text, texts};

use super::facts::{Facts, Recipient, rank};

const SCHEMA: &str = include_str!("../../policies/schema.cedarschema");
const BUILT_IN: &str = include_str!("../../policies/sharing.cedar");

/// The type whose labels built-in policies look at.
const INCIDENT: &str = "incident";

/// Own policies at most.
pub(crate) const MAX_POLICIES: usize = 500;
/// Bytes of a policy at most.
pub(crate) const MAX_POLICY_BYTES: usize = 16 << 10;
/// Questions whose answers are kept at most; then all are forgotten.
const MAX_DECIDED: usize = 50_000;

/// Something wrong in a policy, with its place in the text, from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Line; 0 when it concerns no place.
    pub line: usize,
    /// Column in characters.
    pub column: usize,
    /// What is wrong.
    pub text: String,
}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            0 => f.write_str(&self.text),
            line => write!(f, "line {line}, column {}: {}", self.column, self.text),
        }
    }
}

/// What was decided, by recipient, and how much that is.
#[derive(Default)]
struct Decided {
    answers: HashMap<Recipient, HashMap<Facts, Arc<ShareDecision>>>,
    count: usize,
}

/// Policies ready to decide.
pub struct Engine {
    rules: Rulebook,
    /// Own and built-in policies with their reasons, for lists.
    own: Vec<Policy>,
    built_in: Vec<Policy>,
    /// Whether any own policy looks at them: what none looks at need not part questions. Built-in ones look at labels of
    /// incidents alone.
    looks_at_labels: bool,
    looks_at_confidence: bool,
    looks_at_source: bool,
    decided: RwLock<Decided>,
}

/// Reads one policy and says what is wrong with it, before it is put among the others.
pub(crate) fn parse(id: &str, text: &str) -> Result<Policy, Vec<Wrong>> {
    let policy = Policy::parse(Some(PolicyId::new(id)), text).map_err(|errors| {
        errors.iter().map(|error| place(text, &DetailedError::from(error))).collect::<Vec<_>>()
    })?;
    let whole = |text: String| vec![Wrong { line: 0, column: 0, text }];
    if policy.annotation("reason").is_none_or(|reason| reason.trim().is_empty()) {
        return Err(whole("it lacks @reason(\"…\"), the sentence that people read".into()));
    }
    if let Some(other) = policy.annotation("id").filter(|own| *own != id) {
        return Err(whole(format!("it says @id(\"{other}\") and is kept as '{id}'")));
    }
    let object =
        policy.entity_literals().into_iter().find(|l| l.type_name().to_string() == "Object");
    if let Some(object) = object {
        return Err(whole(format!(
            "it names {object}; policies speak of objects by what they are, like resource.type"
        )));
    }
    Ok(policy)
}

/// A Cedar error as a place in the text.
fn place(text: &str, error: &DetailedError) -> Wrong {
    let mut said = error.message.clone();
    if let Some(help) = &error.help {
        said = format!("{said}; {help}");
    }
    let Some(label) = error.source_locations.first() else {
        return Wrong { line: 0, column: 0, text: said };
    };
    if let Some(more) = label.label.as_ref().filter(|more| !said.contains(more.as_str())) {
        said = format!("{said}: {more}");
    }
    let mut at = label.loc.start.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Wrong { line, column, text: said }
}

fn built_in() -> Result<Vec<Policy>, String> {
    let set = PolicySet::from_str(BUILT_IN).map_err(|cause| cause.to_string())?;
    let mut named = Vec::new();
    for policy in set.policies() {
        let id = policy.annotation("id").ok_or("a built-in policy lacks @id")?;
        named.push(policy.new_id(PolicyId::new(id)));
    }
    named.sort_by(|a, b| a.id().cmp(b.id()));
    Ok(named)
}

impl Engine {
    /// The built-in policies, and these own ones: id and text.
    ///
    /// # Errors
    /// What is wrong, by the id of the policy.
    pub fn compile(own: &[(String, String)]) -> Result<Self, Vec<(String, Wrong)>> {
        let inside = |text: String| vec![(String::new(), Wrong { line: 0, column: 0, text })];
        let (schema, built_in) =
            (rulings::schema(SCHEMA).map_err(inside)?, built_in().map_err(inside)?);
        let mut read = Vec::with_capacity(own.len());
        for (id, text) in own {
            if built_in.iter().any(|policy| policy.id().to_string() == *id) {
                let text = "a built-in policy has this id; it cannot be replaced".to_owned();
                return Err(vec![(id.clone(), Wrong { line: 0, column: 0, text })]);
            }
            let policy = parse(id, text)
                .map_err(|wrong| wrong.into_iter().map(|w| (id.clone(), w)).collect::<Vec<_>>())?;
            read.push(policy);
        }
        let all = built_in.iter().chain(&read).cloned();
        let set = PolicySet::from_policies(all).map_err(|cause| inside(cause.to_string()))?;
        let checked = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
        let wrong: Vec<(String, Wrong)> = checked
            .validation_errors()
            .map(|error| {
                let id = error.policy_id().to_string();
                let text = own.iter().find(|(known, _)| *known == id).map(|(_, text)| text);
                let detailed = DetailedError::from(error);
                (id, place(text.map_or("", String::as_str), &detailed))
            })
            .collect();
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let looks_at = |name: &str| {
            let quoted = format!("\"{name}\"");
            // What cannot be shown as JSON may look at anything.
            read.iter().any(|p| p.to_json().map_or(true, |json| json.to_string().contains(&quoted)))
        };
        Ok(Self {
            looks_at_labels: looks_at("labels"),
            looks_at_confidence: looks_at("confidence"),
            looks_at_source: looks_at("source"),
            rules: Rulebook::new(schema, set),
            own: read,
            built_in,
            decided: RwLock::default(),
        })
    }

    /// The policies, own ones first, with whether they are built in.
    pub(crate) fn policies(&self) -> impl Iterator<Item = (&Policy, bool)> {
        self.own.iter().map(|p| (p, false)).chain(self.built_in.iter().map(|p| (p, true)))
    }

    /// The facts without what no policy looks at.
    pub(crate) fn relevant(&self, mut facts: Facts) -> Facts {
        if !self.looks_at_labels && facts.kind != INCIDENT {
            facts.labels.clear();
        }
        if !self.looks_at_confidence {
            facts.confidence = -1;
        }
        if !self.looks_at_source {
            facts.source.clear();
        }
        facts
    }

    /// How many different questions were asked since the last change.
    #[cfg(test)]
    pub(crate) fn asked(&self) -> usize {
        self.decided.read().unwrap_or_else(PoisonError::into_inner).count
    }

    /// Whether an object may go to a recipient, and why. An error in a policy is a "no".
    pub fn decide(&self, recipient: &Recipient, facts: &Facts) -> Arc<ShareDecision> {
        let known = self.decided.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(decision) = known.answers.get(recipient).and_then(|all| all.get(facts)) {
            return Arc::clone(decision);
        }
        drop(known);
        let decision = Arc::new(self.ask(recipient, facts));
        let mut decided = self.decided.write().unwrap_or_else(PoisonError::into_inner);
        if decided.count >= MAX_DECIDED {
            *decided = Decided::default();
        }
        let of_recipient = decided.answers.entry(recipient.clone()).or_default();
        if of_recipient.insert(facts.clone(), Arc::clone(&decision)).is_none() {
            decided.count += 1;
        }
        decision
    }

    fn ask(&self, recipient: &Recipient, facts: &Facts) -> ShareDecision {
        self.rules.ask(question(recipient, facts), || {
            format!(
                "lets an object of type {} marked {} go to {} ({})",
                facts.kind,
                facts.tlp.label(),
                recipient.name,
                recipient.kind
            )
        })
    }
}

fn question(recipient: &Recipient, facts: &Facts) -> Result<Question, String> {
    Ok(Question {
        action: "share",
        principal: organisation(recipient)?,
        resource: object(facts)?,
        around: vec![],
    })
}

fn organisation(recipient: &Recipient) -> Result<Entity, String> {
    let attributes = vec![
        ("name", text(&recipient.name)),
        ("kind", text(&recipient.kind)),
        ("sector", text(&recipient.sector)),
        ("country", text(&recipient.country)),
        ("communities", texts(&recipient.communities)),
    ];
    entity("Organisation", &recipient.id, attributes, HashSet::new())
}

fn object(facts: &Facts) -> Result<Entity, String> {
    let attributes = vec![
        ("type", text(&facts.kind)),
        ("tlp", text(facts.tlp.label())),
        ("tlp_rank", number(rank(facts.tlp))),
        ("pap", text(facts.pap.map_or("", |pap| pap.label()))),
        ("pap_rank", number(facts.pap.map_or(-1, |pap| pap as i64))),
        ("confidence", number(facts.confidence)),
        ("labels", texts(&facts.labels)),
        ("received", flag(facts.received())),
        ("origin", text(facts.said.word())),
        ("source", text(&facts.source)),
        ("through", text(&facts.through)),
        ("onward", flag(facts.onward)),
        ("to_community", text(&facts.to_community)),
        ("ceiling", number(facts.ceiling)),
    ];
    entity("Object", "object", attributes, HashSet::new())
}

#[cfg(test)]
#[path = "engine_tests.rs"]
mod tests;
