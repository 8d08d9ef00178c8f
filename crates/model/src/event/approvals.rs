//! Facts about who answers questions of playbooks, and about what playbooks are trusted with.

use serde::{Deserialize, Serialize};

use super::Payload;
use crate::{IncidentId, Timestamp, Tlp};

/// A person answered: a proposal, or a manual step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuestionAnswered {
    /// The proposal's id, or `RUN/POSITION` of the step.
    pub question: String,
    /// What was asked, in words.
    pub what: String,
    /// The incident it is about.
    pub incident: Option<IncidentId>,
    /// Who answered.
    pub by: String,
    /// In whose place, where it was not the person's own voice.
    #[serde(default, rename = "for", skip_serializing_if = "Option::is_none")]
    pub giver: Option<String>,
    /// How: `console`, `api`, `link` or `command line`.
    pub method: String,
    /// Yes or no.
    pub accept: bool,
    /// What was said about it.
    pub comment: String,
    /// The label of an incident of others that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tlp: Option<Tlp>,
}
payload!(
    QuestionAnswered,
    "playbooks.question_answered",
    |it| it.question.clone(),
    {
        let word = if it.accept { "yes" } else { "no" };
        let place = it.giver.as_ref().map(|giver| format!(" in place of {giver}"));
        let said = Some(&it.comment).filter(|text| !text.is_empty()).map(|text| format!(": {text}"));
        format!(
            "{} says {word} to {}{} ({}){}",
            it.by,
            it.what,
            place.unwrap_or_default(),
            it.method,
            said.unwrap_or_default()
        )
    },
    at None,
    tlp it.tlp
);

/// Somebody asked another person to answer instead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuestionPassedOn {
    /// The proposal's id, or `RUN/POSITION` of the step.
    pub question: String,
    /// What is asked, in words.
    pub what: String,
    /// Who asks the other.
    pub by: String,
    /// The other.
    pub to: String,
    /// What was said about it.
    pub comment: String,
    /// The label of an incident of others that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tlp: Option<Tlp>,
}
payload!(
    QuestionPassedOn,
    "playbooks.question_passed_on",
    |it| it.question.clone(),
    {
        let said = Some(&it.comment).filter(|text| !text.is_empty()).map(|text| format!(": {text}"));
        format!("{} asks {} to answer {}{}", it.by, it.to, it.what, said.unwrap_or_default())
    },
    at None,
    tlp it.tlp
);

/// A person gave another one their voice for a time, or it was taken back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DelegationChanged {
    /// Its id.
    pub delegation: String,
    /// `made` or `revoked`.
    pub what: String,
    /// Whose voice.
    pub giver: String,
    /// Who may raise it.
    pub taker: String,
    /// For what and how long, in words.
    pub detail: String,
    /// Who did that.
    pub by: String,
}
payload!(
    DelegationChanged,
    "playbooks.delegation_changed",
    |it| it.delegation.clone(),
    format!("Delegation from {} to {} {} by {}: {}", it.giver, it.taker, it.what, it.by, it.detail)
);

/// A key that signs playbooks was trusted, forgotten or revoked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlaybookKeyChanged {
    /// SHA-256 of its SubjectPublicKeyInfo, hexadecimal.
    pub fingerprint: String,
    /// Whose it is, in words.
    pub name: String,
    /// `added`, `removed` or `revoked`.
    pub what: String,
    /// Since when its signatures do not count, for a revoked one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Who.
    pub by: String,
}
payload!(PlaybookKeyChanged, "playbooks.key_changed", |it| it.fingerprint.clone(), {
    let since = it.since.map(|at| format!(", since {at}")).unwrap_or_default();
    format!("Key '{}' ({}) {} by {}{since}", it.name, it.fingerprint, it.what, it.by)
});

/// A secret that playbooks log in with was set or removed; its value is nowhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SecretChanged {
    /// Its name.
    pub name: String,
    /// `set` or `removed`.
    pub what: String,
    /// The hosts it may be used with.
    pub hosts: Vec<String>,
    /// Who.
    pub by: String,
}
payload!(
    SecretChanged,
    "playbooks.secret_changed",
    |it| it.name.clone(),
    match it.hosts.as_slice() {
        [] => format!("Secret '{}' {} by {}", it.name, it.what, it.by),
        hosts => format!("Secret '{}' {} by {} for {}", it.name, it.what, it.by, hosts.join(", ")),
    }
);
