//! Cedar policies behind [`ports::Authorizer`]. The policies stand in `policies/*.cedar`, are part of
//! the program, and may be replaced by id or added to by `policies/*.cedar` in the data folder.
//! Each has an `@id` and an `@reason`, the sentence people read.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::str::FromStr;

use cedar_policy::{
    Authorizer as Engine, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid,
    PolicyId, PolicySet, Request, RestrictedExpression, Schema, ValidationMode, Validator,
};
use model::ShareDecision;
use ports::{AccessQuestion, Authorizer};
use serde_json::Value;

use crate::cache::Cache;
use crate::error::IdentityError;

const SCHEMA: &str = include_str!("../policies/schema.cedarschema");
/// The policies of the program: file and text.
const BUILT_IN: [(&str, &str); 3] = [
    ("endpoints.cedar", include_str!("../policies/endpoints.cedar")),
    ("sharing.cedar", include_str!("../policies/sharing.cedar")),
    ("sight.cedar", include_str!("../policies/sight.cedar")),
];

/// Roles a person or a token may have; `peer` belongs to certificates alone.
pub const ROLES: [&str; 6] =
    ["administrator", "analyst", "operator", "assessor", "read-only", "taxii"];

/// Policy files of the data folder at most.
pub(crate) const MAX_POLICY_FILES: usize = 64;
/// Bytes of a policy file at most.
pub(crate) const MAX_POLICY_BYTES: u64 = 256 << 10;

/// The policies in force.
pub struct Policies {
    schema: Schema,
    set: PolicySet,
    engine: Engine,
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
        let (schema, _) = Schema::from_cedarschema_str(SCHEMA)
            .map_err(|cause| wrong("schema.cedarschema", cause.to_string()))?;
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
                policies.insert(id.to_owned(), policy.new_id(PolicyId::new(id)));
            }
        }
        let set = PolicySet::from_policies(policies.into_values())
            .map_err(|cause| wrong("policies", cause.to_string()))?;
        let checked = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
        if let Some(error) = checked.validation_errors().next() {
            return Err(wrong("policies", error.to_string()));
        }
        Ok(Self { schema, set, engine: Engine::new(), decided: Cache::default() })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.set.policies().count()
    }

    fn ask(&self, question: &AccessQuestion) -> Result<ShareDecision, String> {
        let principal = principal(question)?;
        let (action, resource) = match question.resource_kind.as_str() {
            "Endpoint" => ("call", endpoint(question)?),
            "Incident" => (question.action.as_str(), incident(question)?),
            "Intel" => (question.action.as_str(), intel(question)?),
            other => return Err(format!("no policy speaks of things of kind {other}")),
        };
        let roles = roles(question)
            .into_iter()
            .map(|role| Ok(Entity::new_no_attrs(uid("Role", &role)?, HashSet::new())));
        let mut entities = roles.collect::<Result<Vec<_>, String>>()?;
        let request = Request::new(
            principal.uid(),
            uid("Action", action)?,
            resource.uid(),
            Context::empty(),
            Some(&self.schema),
        )
        .map_err(|cause| cause.to_string())?;
        entities.extend([principal, resource]);
        let entities = Entities::from_entities(entities, Some(&self.schema))
            .map_err(|cause| cause.to_string())?;
        let response = self.engine.is_authorized(&request, &self.set, &entities);
        if let Some(error) = response.diagnostics().errors().next() {
            return Err(error.to_string());
        }
        let deciding: Vec<&PolicyId> = response.diagnostics().reason().collect();
        let mut reasons: Vec<&str> =
            deciding.iter().filter_map(|id| self.set.annotation(id, "reason")).collect();
        reasons.sort_unstable();
        let mut policies: Vec<String> = deciding.iter().map(ToString::to_string).collect();
        policies.sort_unstable();
        let allowed = response.decision() == Decision::Allow;
        let reason = match (allowed, reasons.is_empty()) {
            (true, _) => format!("allowed because {}", reasons.join("; and ")),
            (false, false) => format!("denied because {}", reasons.join("; and ")),
            (false, true) => format!("denied because no policy allows {}", asked(question)),
        };
        Ok(ShareDecision { allowed, reason, policies })
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
        self.ask(question).unwrap_or_else(|cause| {
            tracing::error!(cause, action = question.action, "a policy question failed");
            ShareDecision {
                allowed: false,
                reason: format!("denied because the question could not be decided: {cause}"),
                policies: vec![],
            }
        })
    }
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
    let (thing, who) = (&question.resource_attributes, &question.principal_attributes);
    format!(
        "{} an incident of {} severity marked {} with {} ({})",
        question.action,
        text(thing, "severity"),
        text(thing, "tlp"),
        text(who, "name"),
        organisation_kind(question),
    )
}

fn uid(kind: &str, id: &str) -> Result<EntityUid, String> {
    let kind = EntityTypeName::from_str(kind).map_err(|cause| cause.to_string())?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
}

fn text(attributes: &BTreeMap<String, Value>, name: &str) -> String {
    attributes.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn roles(question: &AccessQuestion) -> Vec<String> {
    let roles = question.principal_attributes.get("roles").and_then(Value::as_array);
    roles.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn organisation_kind(question: &AccessQuestion) -> String {
    let attributes = &question.principal_attributes;
    let kind = text(attributes, "organisation_kind");
    if kind.is_empty() { text(attributes, "kind") } else { kind }
}

fn record(fields: &[(&str, String)]) -> HashMap<String, RestrictedExpression> {
    let value = |text: &String| RestrictedExpression::new_string(text.clone());
    fields.iter().map(|(name, text)| ((*name).to_owned(), value(text))).collect()
}

fn principal(question: &AccessQuestion) -> Result<Entity, String> {
    let parents = roles(question).iter().map(|role| uid("Role", role)).collect::<Result<_, _>>()?;
    let own = uid(&question.principal_kind, &question.principal)?;
    if question.principal_kind != "Peer" {
        return Ok(Entity::new_no_attrs(own, parents));
    }
    let attributes = record(&[
        ("organisation_kind", organisation_kind(question)),
        ("name", text(&question.principal_attributes, "name")),
    ]);
    Entity::new(own, attributes, parents).map_err(|cause| cause.to_string())
}

fn endpoint(question: &AccessQuestion) -> Result<Entity, String> {
    let (room, verb) = question.action.split_once('.').unwrap_or((&question.action, ""));
    let attributes = record(&[("room", room.to_owned()), ("verb", verb.to_owned())]);
    let own = uid("Endpoint", &question.resource)?;
    Entity::new(own, attributes, HashSet::new()).map_err(|cause| cause.to_string())
}

fn intel(question: &AccessQuestion) -> Result<Entity, String> {
    let attributes = record(&[("tlp", text(&question.resource_attributes, "tlp"))]);
    let own = uid("Intel", &question.resource)?;
    Entity::new(own, attributes, HashSet::new()).map_err(|cause| cause.to_string())
}

fn incident(question: &AccessQuestion) -> Result<Entity, String> {
    let asked = &question.resource_attributes;
    let flag = |name: &str| asked.get(name).and_then(Value::as_bool);
    let received = flag("received").or_else(|| flag("origin_own").map(|own| !own)).unwrap_or(true);
    let mut attributes = record(&[
        ("tlp", text(asked, "tlp")),
        ("severity", text(asked, "severity")),
        ("kind", text(asked, "kind")),
    ]);
    attributes.insert("received".into(), RestrictedExpression::new_bool(received));
    let own = uid("Incident", &question.resource)?;
    Entity::new(own, attributes, HashSet::new()).map_err(|cause| cause.to_string())
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
