//! Cedar policies asked one question: what every room that asks policies has in common. Which policies are in force, what they may
//! speak of and how a question is filled in is each room's own.
//!
//! Entry points: [`Rulebook::new`], [`Rulebook::ask`]; [`entity`] and the functions beside it make what a question consists of.
//!
//! Invariants
//! - A `forbid` beats every `permit`, and without a `permit` the answer is "no" (Cedar's own law).
//! - **What cannot be decided is denied**: a question that does not fit the schema, an error in a policy.
//! - A decision names the policies that made it, and gives their `@reason` as the sentence that people read.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityId, EntityTypeName, EntityUid, PolicyId,
    PolicySet, Request, RestrictedExpression, Schema,
};
use model::ShareDecision;

#[cfg(test)]
mod tests;

/// Policies with the schema they were checked against.
pub struct Rulebook {
    schema: Schema,
    set: PolicySet,
    authorizer: Authorizer,
}

/// One question: may this principal do this to that?
pub struct Question {
    /// Name of the action in the schema, such as `share`.
    pub action: &'static str,
    /// Who asks or receives.
    pub principal: Entity,
    /// What it is about.
    pub resource: Entity,
    /// Entities that the principal or the resource stand in, such as roles.
    pub around: Vec<Entity>,
}

/// Reads a schema in Cedar's own notation.
///
/// # Errors
/// What does not parse.
pub fn schema(text: &str) -> Result<Schema, String> {
    Schema::from_cedarschema_str(text).map(|(schema, _)| schema).map_err(|cause| cause.to_string())
}

impl Rulebook {
    /// Policies ready to decide. They should have been validated against the schema: what does not fit it is denied here,
    /// question by question, where a validator says it once.
    pub fn new(schema: Schema, set: PolicySet) -> Self {
        Self { schema, set, authorizer: Authorizer::new() }
    }

    /// The policies.
    pub fn policies(&self) -> &PolicySet {
        &self.set
    }

    /// Decides. `unsaid` words what no policy speaks of; it follows "denied because no policy ".
    pub fn ask(
        &self,
        question: Result<Question, String>,
        unsaid: impl FnOnce() -> String,
    ) -> ShareDecision {
        question.and_then(|question| self.decide(question, unsaid)).unwrap_or_else(|cause| {
            tracing::error!(cause, "a policy question failed");
            let reason = format!("denied because the question could not be decided: {cause}");
            ShareDecision { allowed: false, reason, policies: vec![] }
        })
    }

    fn decide(
        &self,
        question: Question,
        unsaid: impl FnOnce() -> String,
    ) -> Result<ShareDecision, String> {
        let Question { action, principal, resource, around } = question;
        let request = Request::new(
            principal.uid(),
            uid("Action", action)?,
            resource.uid(),
            Context::empty(),
            Some(&self.schema),
        )
        .map_err(|cause| cause.to_string())?;
        let all = around.into_iter().chain([principal, resource]);
        let entities =
            Entities::from_entities(all, Some(&self.schema)).map_err(|cause| cause.to_string())?;
        let response = self.authorizer.is_authorized(&request, &self.set, &entities);
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
            (false, true) => format!("denied because no policy {}", unsaid()),
        };
        Ok(ShareDecision { allowed, reason, policies })
    }
}

/// The name of an entity: its type in the schema and its id.
///
/// # Errors
/// The type is no name that Cedar reads.
pub fn uid(kind: &str, id: &str) -> Result<EntityUid, String> {
    let kind = EntityTypeName::from_str(kind).map_err(|cause| cause.to_string())?;
    Ok(EntityUid::from_type_name_and_id(kind, EntityId::new(id)))
}

/// An entity with its attributes, standing in `parents`.
///
/// # Errors
/// The type is no name that Cedar reads, or an attribute cannot be evaluated.
pub fn entity(
    kind: &str,
    id: &str,
    attributes: Vec<(&str, RestrictedExpression)>,
    parents: HashSet<EntityUid>,
) -> Result<Entity, String> {
    let attributes: HashMap<String, RestrictedExpression> =
        attributes.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Entity::new(uid(kind, id)?, attributes, parents).map_err(|cause| cause.to_string())
}

/// An attribute of type `String`.
pub fn text(value: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(value.to_owned())
}

/// An attribute of type `Set<String>`.
pub fn texts<'t>(values: impl IntoIterator<Item = &'t String>) -> RestrictedExpression {
    RestrictedExpression::new_set(values.into_iter().map(|value| text(value)))
}

/// An attribute of type `Bool`.
pub fn flag(value: bool) -> RestrictedExpression {
    RestrictedExpression::new_bool(value)
}

/// An attribute of type `Long`.
pub fn number(value: i64) -> RestrictedExpression {
    RestrictedExpression::new_long(value)
}
