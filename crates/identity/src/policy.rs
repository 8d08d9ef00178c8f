//! Cedar policies behind [`ports::Authorizer`]. The policies stand in `policies/*.cedar`, are part of
//! the program, and may be replaced by id or added to by `policies/*.cedar` in the data folder.
//! Each has an `@id` and an `@reason`, the sentence people read.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::str::FromStr;

use cedar_policy::{Entity, PolicyId, PolicySet, ValidationMode, Validator};
use model::ShareDecision;
use ports::{AccessQuestion, Authorizer};
use rulings::{Question, Rulebook, entity, text, uid};
use serde_json::Value;

use crate::cache::Cache;
use crate::error::IdentityError;

const SCHEMA: &str = include_str!("../policies/schema.cedarschema");
/// The policies of the program: file and text.
const BUILT_IN: [(&str, &str); 2] = [
    ("endpoints.cedar", include_str!("../policies/endpoints.cedar")),
    ("sight.cedar", include_str!("../policies/sight.cedar")),
];

/// The action of which these policies once spoke.
const SHARE: &str = "Action::\"share\"";

/// Roles a person or a token may have; `peer` belongs to certificates alone.
pub const ROLES: [&str; 6] =
    ["administrator", "analyst", "operator", "assessor", "read-only", "taxii"];

/// Policy files of the data folder at most.
pub(crate) const MAX_POLICY_FILES: usize = 64;
/// Bytes of a policy file at most.
pub(crate) const MAX_POLICY_BYTES: u64 = 256 << 10;

/// The policies in force.
pub struct Policies {
    rules: Rulebook,
    /// What was decided about endpoints: the policies never change while the program runs, and every request asks.
    decided: Cache<Asked, ShareDecision>,
}

/// All that a question about an endpoint consists of.
type Asked = (String, String, Vec<String>, String, String);

impl Policies {
    /// The program's policies, then those of `folder` where it exists.
    ///
    /// # Errors
    /// A policy does not parse, lacks `@id` or `@reason`, or does not fit the schema; the text names
    /// the file.
    pub fn load(folder: Option<&Path>) -> Result<Self, IdentityError> {
        let wrong = |place: &str, cause: String| IdentityError::Policy(format!("{place}: {cause}"));
        let schema = rulings::schema(SCHEMA).map_err(|cause| wrong("schema.cedarschema", cause))?;
        let mut policies = BTreeMap::new();
        let own = BUILT_IN.map(|(file, text)| (file.to_owned(), text.to_owned()));
        for (file, text) in
            own.into_iter().chain(folder.map(read_folder).transpose()?.unwrap_or_default())
        {
            let parsed =
                PolicySet::from_str(&text).map_err(|cause| wrong(&file, cause.to_string()))?;
            for policy in parsed.policies() {
                let (Some(id), Some(_)) = (policy.annotation("id"), policy.annotation("reason"))
                else {
                    let cause = format!("{} lacks @id(…) or @reason(…)", policy.id());
                    return Err(wrong(&file, cause));
                };
                // A policy that no question reaches any more would be believed and do nothing.
                if policy.to_string().contains(SHARE) {
                    let cause = format!(
                        "{id} speaks of sharing, which the sharing policies decide: put it there with `sereno policy \
                         put` (docs/communities.md) and take it out of this file"
                    );
                    return Err(wrong(&file, cause));
                }
                policies.insert(id.to_owned(), policy.new_id(PolicyId::new(id)));
            }
        }
        let set = PolicySet::from_policies(policies.into_values())
            .map_err(|cause| wrong("policies", cause.to_string()))?;
        let checked = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
        if let Some(error) = checked.validation_errors().next() {
            return Err(wrong("policies", error.to_string()));
        }
        Ok(Self { rules: Rulebook::new(schema, set), decided: Cache::default() })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.rules.policies().policies().count()
    }
}

impl Authorizer for Policies {
    fn decide(&self, question: &AccessQuestion) -> ShareDecision {
        let only_roles = question.principal_attributes.keys().all(|name| name == "roles");
        if question.resource_kind != "Endpoint" || !only_roles {
            return self.judge(question);
        }
        let key = (
            question.principal_kind.clone(),
            question.principal.clone(),
            roles(question),
            question.action.clone(),
            question.resource.clone(),
        );
        let (known, change) = self.decided.get(&key);
        known.unwrap_or_else(|| {
            let decision = self.judge(question);
            self.decided.keep(change, key, decision.clone());
            decision
        })
    }
}

impl Policies {
    fn judge(&self, question: &AccessQuestion) -> ShareDecision {
        self.rules.ask(put(question), || format!("allows {}", asked(question)))
    }
}

/// The question as the policies are asked it.
fn put(question: &AccessQuestion) -> Result<Question, String> {
    let (action, resource) = match (question.resource_kind.as_str(), question.action.as_str()) {
        ("Endpoint", _) => ("call", endpoint(question)?),
        ("Intel", "see") => ("see", intel(question)?),
        (kind, action) => {
            return Err(format!("no policy speaks of '{action}' on things of kind {kind}"));
        }
    };
    let roles = roles(question)
        .into_iter()
        .map(|role| Ok(Entity::new_no_attrs(uid("Role", &role)?, HashSet::new())));
    let around = roles.collect::<Result<Vec<_>, String>>()?;
    Ok(Question { action, principal: principal(question)?, resource, around })
}

/// What was asked for, in words.
fn asked(question: &AccessQuestion) -> String {
    if question.resource_kind == "Endpoint" {
        let roles = roles(question);
        let who = if roles.is_empty() { "nobody signed in".into() } else { roles.join(", ") };
        return format!("{} to {who}", question.action);
    }
    if question.resource_kind == "Intel" {
        let roles = roles(question);
        let who = if roles.is_empty() { "nobody signed in".into() } else { roles.join(", ") };
        return format!("intelligence marked {} to {who}", question.resource);
    }
    format!("{} {}", question.action, question.resource_kind)
}

fn said(attributes: &BTreeMap<String, Value>, name: &str) -> String {
    attributes.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn roles(question: &AccessQuestion) -> Vec<String> {
    let roles = question.principal_attributes.get("roles").and_then(Value::as_array);
    roles.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn principal(question: &AccessQuestion) -> Result<Entity, String> {
    let parents = roles(question).iter().map(|role| uid("Role", role)).collect::<Result<_, _>>()?;
    entity(&question.principal_kind, &question.principal, vec![], parents)
}

fn endpoint(question: &AccessQuestion) -> Result<Entity, String> {
    let (room, verb) = question.action.split_once('.').unwrap_or((&question.action, ""));
    let attributes = vec![("room", text(room)), ("verb", text(verb))];
    entity("Endpoint", &question.resource, attributes, HashSet::new())
}

fn intel(question: &AccessQuestion) -> Result<Entity, String> {
    let attributes = vec![("tlp", text(&said(&question.resource_attributes, "tlp")))];
    entity("Intel", &question.resource, attributes, HashSet::new())
}

/// `*.cedar` of a folder, by name; nothing when there is no folder.
fn read_folder(folder: &Path) -> Result<Vec<(String, String)>, IdentityError> {
    if !folder.is_dir() {
        return Ok(vec![]);
    }
    let wrong = |place: &Path, cause: String| {
        IdentityError::Policy(format!("{}: {cause}", place.display()))
    };
    let listing = std::fs::read_dir(folder).map_err(|cause| wrong(folder, cause.to_string()))?;
    let mut files: Vec<_> = listing
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "cedar"))
        .collect();
    files.sort();
    if files.len() > MAX_POLICY_FILES {
        let cause = format!("{} policy files; the limit is {MAX_POLICY_FILES}", files.len());
        return Err(wrong(folder, cause));
    }
    let read = files.into_iter().map(|path| {
        let size = path.metadata().map_or(0, |data| data.len());
        if size > MAX_POLICY_BYTES {
            let cause = format!("{size} bytes; the limit is {MAX_POLICY_BYTES}");
            return Err(wrong(&path, cause));
        }
        let text =
            std::fs::read_to_string(&path).map_err(|cause| wrong(&path, cause.to_string()))?;
        Ok((path.display().to_string(), text))
    });
    read.collect()
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
