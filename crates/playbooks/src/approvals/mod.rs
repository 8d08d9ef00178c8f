//! Who answers questions of playbooks, and by which way: proposals and manual steps, on the console, through the API, or by
//! a link in a mail; in one's own voice, or in the place of somebody who gave theirs for a time.
//!
//! Invariants
//! - **A link answers one question of one person once.** It is authenticated over the person, the question, its version and
//!   its end with a key of the folder `keys/`; looking at its page changes nothing; what it answers it answers in the
//!   transaction that spends it.
//! - **A link is worth what its person may do now**: an account that went, a right that was lost, a label beyond its sight,
//!   or a policy that names it no more leave the link without effect.
//! - **Delegation never widens.** Who answers in another's place must be allowed to answer at all, and the other must
//!   still be. For two persons each answer is one voice, and neither of its two names counts again.
//! - **Red stays inside.** A mail about TLP:RED says that something waits, and nothing else.

pub(crate) mod asking;
pub(crate) mod compose;
pub(crate) mod delegations;
pub(crate) mod limit;
pub(crate) mod page;
pub(crate) mod passing;
pub(crate) mod policy;
pub(crate) mod question;
pub(crate) mod said;
pub(crate) mod sending;
pub(crate) mod token;

use std::sync::{Arc, OnceLock};

use platform::Platform;
use platform::http::{Caller, Gate};
use platform::people::{PeopleDirectory, Person};
use ports::{Authorizer, IncidentReader, PortError};
use tokio::sync::OnceCell;

pub use policy::MailLinks;
pub(crate) use said::{Method, Said, Spent};

use crate::actuators::Outside;
use crate::engine::Engine;
use crate::store::letters::Letter;

/// The right that answers proposals and manual steps.
pub(crate) const RIGHT: &str = "playbooks.run";

/// What a mail is about.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
#[schema(as = LetterKind)]
pub(crate) enum Kind {
    /// A run that waits for a yes.
    Proposal,
    /// A manual step.
    Step,
    /// A voice given or taken back.
    Delegation,
}

impl Kind {
    /// The word used in the database and the API.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Proposal => "proposal",
            Self::Step => "step",
            Self::Delegation => "delegation",
        }
    }

    /// The kind a word names.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        [Self::Proposal, Self::Step, Self::Delegation].into_iter().find(|it| it.word() == word)
    }
}

/// Asks people, and takes what they answer.
pub(crate) struct Approvals {
    pub(crate) engine: Arc<Engine>,
    pub(crate) people: Arc<dyn PeopleDirectory>,
    pub(crate) authorizer: Arc<dyn Authorizer>,
    pub(crate) incidents: Arc<dyn IncidentReader>,
    pub(crate) outside: Arc<Outside>,
    /// Where people reach this node; set once the doors are known, `None` where nobody said.
    pub(crate) url: OnceLock<Option<String>>,
    pub(crate) openings: limit::Openings,
    /// Opened once: two that made the key at the same time would make two keys.
    pub(crate) mint: OnceCell<token::Mint>,
}

impl Approvals {
    pub(crate) fn platform(&self) -> &Platform {
        &self.engine.platform
    }

    /// What makes links and judges them.
    ///
    /// # Errors
    /// The node's key cannot be read.
    pub(crate) async fn mint(&self) -> Result<&token::Mint, PortError> {
        self.mint.get_or_try_init(|| token::Mint::open(self.platform())).await
    }

    /// Whether a person of this house may answer at all.
    pub(crate) fn may(&self, caller: &Caller) -> bool {
        let gate = Gate(Arc::clone(&self.authorizer));
        caller.outside.is_none() && gate.check(caller, RIGHT, "/api/v1/proposals").is_ok()
    }

    /// Whether somebody may answer what is bound by this label.
    pub(crate) fn may_answer(&self, caller: &Caller, tlp: Option<model::Tlp>) -> bool {
        let gate = Gate(Arc::clone(&self.authorizer));
        self.may(caller) && tlp.is_none_or(|tlp| !gate.labels_beyond(caller).contains(&tlp))
    }

    /// The person of a mail, if they may still answer it; so must whoever they answer for.
    ///
    /// # Errors
    /// The accounts cannot be read.
    pub(crate) async fn entitled(
        &self,
        letter: &Letter,
        tlp: Option<model::Tlp>,
    ) -> Result<Option<Person>, PortError> {
        let person = self.people.person(&letter.account).await?;
        let Some(person) = person.filter(|it| self.may_answer(&it.caller, tlp)) else {
            return Ok(None);
        };
        if letter.giver.is_empty() {
            return Ok(Some(person));
        }
        let giver = self.people.person(&letter.giver).await?;
        Ok(giver.filter(|it| self.may(&it.caller)).map(|_| person))
    }
}
