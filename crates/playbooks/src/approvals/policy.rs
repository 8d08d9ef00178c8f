//! Whom the policy of automation asks by mail.

use platform::people::Person;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Roles, or persons, named in one list at most.
pub(crate) const MAX_NAMED: usize = 100;
/// Longest name of a role or person, in characters.
const MAX_NAME_CHARS: usize = 100;

/// Who is asked by mail, with a link that answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MailLinks {
    /// Whether anybody is. Off, links that are out answer nothing.
    pub on: bool,
    /// Roles whose people are asked.
    pub roles: Vec<String>,
    /// People who are asked, by name of account.
    pub persons: Vec<String>,
    /// Roles that are asked when nobody answered in time; with `then_persons` empty too, the first ones once more.
    pub then_roles: Vec<String>,
    /// People who are asked when nobody answered in time.
    pub then_persons: Vec<String>,
}

impl MailLinks {
    /// Whether a person is asked in this round.
    pub(crate) fn names(&self, person: &Person, round: &str) -> bool {
        let later = round == super::asking::AGAIN
            && !(self.then_roles.is_empty() && self.then_persons.is_empty());
        let (roles, persons) = if later {
            (&self.then_roles, &self.then_persons)
        } else {
            (&self.roles, &self.persons)
        };
        persons.contains(&person.caller.name)
            || person.caller.roles.iter().any(|role| roles.contains(role))
    }

    /// What is out of bounds, one line each.
    pub(crate) fn errors(&self) -> Vec<String> {
        let mut errors = Vec::new();
        for (list, names) in [
            ("roles", &self.roles),
            ("persons", &self.persons),
            ("then_roles", &self.then_roles),
            ("then_persons", &self.then_persons),
        ] {
            if names.len() > MAX_NAMED {
                errors.push(format!(
                    "mail_links.{list} has {} names; at most {MAX_NAMED}",
                    names.len()
                ));
            }
            let wrong =
                |name: &&String| name.trim().is_empty() || name.chars().count() > MAX_NAME_CHARS;
            if names.iter().any(|name| wrong(&name)) {
                errors.push(format!(
                    "mail_links.{list}: a name has 1 to {MAX_NAME_CHARS} characters"
                ));
            }
        }
        if self.on && self.roles.is_empty() && self.persons.is_empty() {
            errors.push("mail_links is on and asks nobody; name roles or persons".into());
        }
        errors
    }
}
