//! An answer with who gives it, in whose place, and how.

use model::{PlaybookId, Timestamp};
use platform::db::Tx;
use platform::http::{Caller, CallerKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Kind;
use crate::PlaybooksError;
use crate::store::{delegations, letters};

/// By which way an answer came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = AnswerMethod)]
pub(crate) enum Method {
    /// Not noted: by an earlier version.
    #[default]
    Unknown,
    /// By a signed-in person.
    Console,
    /// With a token.
    Api,
    /// By the link of a mail.
    Link,
    /// By the owner of the data folder.
    CommandLine,
}

impl Method {
    /// In words, for the log.
    pub(crate) const fn words(self) -> &'static str {
        match self {
            Self::Unknown => "by a way that was not noted",
            Self::Console => "signed in",
            Self::Api => "with a token",
            Self::Link => "by link",
            Self::CommandLine => "on the command line",
        }
    }
}

/// The link that an answer spends.
#[derive(Clone, Debug)]
pub(crate) struct Spent {
    /// The mail's id.
    pub(crate) letter: String,
    /// What the question was when it was asked.
    pub(crate) version: String,
}

/// Who answers.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// The name.
    pub(crate) person: String,
    /// The account's id; empty for those without one.
    pub(crate) account: String,
    /// Account and name of the person in whose place.
    pub(crate) giver: Option<(String, String)>,
    pub(crate) method: Method,
    pub(crate) link: Option<Spent>,
}

impl Said {
    /// The caller's own voice.
    pub(crate) fn own(caller: &Caller) -> Self {
        let (method, account) = match caller.kind {
            CallerKind::User => (Method::Console, caller.id.clone()),
            CallerKind::LocalAdmin => (Method::CommandLine, String::new()),
            _ => (Method::Api, String::new()),
        };
        Self { person: caller.name.clone(), account, giver: None, method, link: None }
    }

    pub(crate) fn giver_name(&self) -> Option<&str> {
        self.giver.as_ref().map(|(_, name)| name.as_str())
    }

    /// "Ana", "Ana for Ben", "Ana (by link)".
    pub(crate) fn words(&self) -> String {
        words(&self.person, self.giver_name(), self.method)
    }

    /// Spends the link and looks whether the voice is still given, in the transaction of the answer.
    ///
    /// # Errors
    /// The link was used, or nobody gave this person that voice.
    pub(crate) async fn admit(
        &self,
        tx: &mut Tx,
        kind: Kind,
        playbook: PlaybookId,
    ) -> Result<(), PlaybooksError> {
        let now: Timestamp = tx.now();
        if let Some(link) = &self.link
            && !letters::spend(tx.sql(), &link.letter, now).await?
        {
            return Err(PlaybooksError::Conflict("this link was used before".into()));
        }
        let Some((giver, name)) = &self.giver else { return Ok(()) };
        let open = delegations::open(tx.sql(), now, super::delegations::MAX_OPEN).await?;
        let given = open.iter().any(|it| {
            it.holds(now)
                && it.giver == *giver
                && it.taker == self.account
                && super::delegations::covers(it, kind, playbook)
        });
        if given {
            return Ok(());
        }
        Err(PlaybooksError::Conflict(format!(
            "{name} has not given {} this voice, or not any more",
            self.person
        )))
    }
}

/// Who answered, in words.
pub(crate) fn words(person: &str, giver: Option<&str>, method: Method) -> String {
    let place = giver.map(|giver| format!(" for {giver}")).unwrap_or_default();
    let way = if method == Method::Link { " (by link)" } else { "" };
    format!("{person}{place}{way}")
}
