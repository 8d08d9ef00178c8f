//! Rules as people write them, and what they are compiled to.

use std::collections::BTreeSet;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::names::Domain;
use super::network::Network;
use crate::members::{MAX_NAME, checked_text};
use crate::organisations::KINDS;
use crate::policy::facts::Recipient;

/// Rules at most.
pub const MAX_RULES: usize = 200;
/// Recipients, types or properties in a rule at most.
const MAX_LISTED: usize = 100;
/// Characters of an expression, a property or a replacement at most.
const MAX_TEXT: usize = 500;
/// Memory of a compiled expression, bytes; matching takes time linear in the text whatever it says.
const MAX_REGEX_BYTES: usize = 1 << 20;

/// Properties that no rule takes away or rewrites: they say what an object is, and what holds for it.
pub(crate) const PROTECTED: [&str; 7] = [
    "type",
    "id",
    "spec_version",
    "object_marking_refs",
    "granular_markings",
    "x_sereno_redacted",
    "extension_type",
];

/// For whom a rule is; empty lists mean everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = RedactionAddressees)]
pub struct Addressees {
    /// Kinds of organisation.
    pub kinds: BTreeSet<String>,
    /// Node ids of organisations.
    pub organisations: BTreeSet<String>,
    /// Ids of communities that the recipient and this node are both in.
    pub communities: BTreeSet<String>,
}

impl Addressees {
    pub(crate) fn include(&self, recipient: &Recipient) -> bool {
        let all =
            self.kinds.is_empty() && self.organisations.is_empty() && self.communities.is_empty();
        all || self.kinds.contains(&recipient.kind)
            || self.organisations.contains(&recipient.id)
            || self.communities.iter().any(|id| recipient.communities.contains(id))
    }
}

/// What a rule does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "do", rename_all = "lowercase", deny_unknown_fields)]
#[schema(as = RedactionAction)]
pub enum Action {
    /// Leaves properties away.
    Remove {
        /// Each a JSON pointer (`/external_references/0/url`; `*` stands for any one step), or a property's name at any
        /// depth (`x_internal_*`; `*` stands for any letters).
        properties: Vec<String>,
    },
    /// Replaces text.
    Replace {
        /// A regular expression.
        pattern: String,
        /// What stands instead, as it is.
        with: String,
    },
    /// Replaces addresses of own networks, MAC addresses and host names under own domains by pseudonyms.
    Pseudonymise,
    /// Keeps the object back.
    Drop,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RedactionRule)]
pub struct Rule {
    /// Stands in `x_sereno_redacted` of what it changed.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// For whom.
    #[serde(default)]
    pub to: Addressees,
    /// STIX types it is for; all when empty.
    #[serde(default)]
    pub types: BTreeSet<String>,
    /// What it does.
    pub action: Action,
    /// Not applied for now.
    #[serde(default)]
    pub paused: bool,
}

impl Rule {
    /// Refuses what cannot work.
    ///
    /// # Errors
    /// One sentence that names the place and the limit.
    pub fn check(&self) -> Result<(), String> {
        checked_text("name", &self.name, 1, MAX_NAME).map_err(|cause| cause.to_string())?;
        let to = &self.to;
        let lists =
            [to.kinds.len(), to.organisations.len(), to.communities.len(), self.types.len()];
        if lists.into_iter().any(|length| length > MAX_LISTED) {
            return Err(format!(
                "more than {MAX_LISTED} kinds, organisations, communities or types"
            ));
        }
        if let Some(kind) = to.kinds.iter().find(|kind| !KINDS.contains(&kind.as_str())) {
            let clip: String = kind.chars().take(40).collect();
            return Err(format!("to.kinds: '{clip}' is none of {}", KINDS.join(", ")));
        }
        if self.types.iter().any(|kind| !stix::id::is_type_name(kind)) {
            return Err("types: one of them is no name of a STIX type".into());
        }
        match &self.action {
            Action::Remove { properties } => check_properties(properties),
            Action::Replace { pattern, with } => check_replace(pattern, with),
            Action::Pseudonymise | Action::Drop => Ok(()),
        }
    }
}

fn check_properties(properties: &[String]) -> Result<(), String> {
    if properties.is_empty() || properties.len() > MAX_LISTED {
        return Err(format!("action.properties names 1 to {MAX_LISTED} properties"));
    }
    for property in properties {
        if property.is_empty() || property == "/" || property.chars().count() > MAX_TEXT {
            return Err(format!("a property has 1 to {MAX_TEXT} characters"));
        }
        let first = property.strip_prefix('/').and_then(|rest| rest.split('/').next());
        if PROTECTED.contains(&first.unwrap_or(property)) {
            return Err(format!(
                "'{property}' says what an object is or what holds for it and is never left away"
            ));
        }
    }
    Ok(())
}

fn check_replace(pattern: &str, with: &str) -> Result<(), String> {
    if pattern.is_empty() || pattern.chars().count() > MAX_TEXT || with.chars().count() > MAX_TEXT {
        return Err(format!("pattern and with have at most {MAX_TEXT} characters"));
    }
    let regex = compiled(pattern)?;
    if regex.is_match("") {
        return Err("the pattern matches an empty text, so that everything would change".into());
    }
    if regex.is_match(with) {
        return Err("the pattern matches its own replacement, so that it would never end".into());
    }
    Ok(())
}

fn compiled(pattern: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(pattern).size_limit(MAX_REGEX_BYTES).build();
    built.map_err(|cause| format!("the pattern cannot be read: {cause}"))
}

/// A rule ready to be applied.
pub(crate) struct Compiled {
    pub(crate) rule: Rule,
    pub(crate) regex: Option<Regex>,
}

/// The rules in force.
pub struct Redactor {
    pub(crate) rules: Vec<Compiled>,
    pub(crate) own: Vec<Network>,
    pub(crate) domains: Vec<Domain>,
}

impl Redactor {
    /// Compiles the rules that are not paused.
    ///
    /// # Errors
    /// Which rule cannot work, and why.
    pub fn new(rules: Vec<Rule>, own: Vec<Network>, domains: Vec<Domain>) -> Result<Self, String> {
        let rules = rules.into_iter().filter(|rule| !rule.paused).map(|rule| {
            rule.check().map_err(|cause| format!("redaction rule '{}': {cause}", rule.name))?;
            let regex = match &rule.action {
                Action::Replace { pattern, .. } => Some(compiled(pattern)?),
                _ => None,
            };
            Ok(Compiled { rule, regex })
        });
        Ok(Self { rules: rules.collect::<Result<_, String>>()?, own, domains })
    }
}
