//! Tokens and accounts that are for another organisation.

use std::sync::Arc;

use ports::PortError;
use ports::disclosure::{Named, Organisations, Recipient};

use crate::Identity;
use crate::error::IdentityError;

/// The only role of who stands for another organisation: the others read what is of the house alone.
const ROLE: &str = "taxii";

/// What an organisation is called that is not known any more.
const GONE: &str = "(no longer known)";

impl Identity {
    /// Says who knows the organisations; once, before anything is served.
    pub fn set_organisations(&self, organisations: Arc<dyn Organisations>) {
        if self.inner.organisations.set(organisations).is_err() {
            tracing::warn!("the organisations were set twice; the first stay");
        }
    }

    /// The organisation that a token or an account shall be for, by name or id.
    pub(crate) async fn stands_for(
        &self,
        name: Option<&str>,
        role: &str,
    ) -> Result<Option<Named>, IdentityError> {
        let Some(name) = name else { return Ok(None) };
        if role != ROLE {
            return Err(IdentityError::Invalid(format!(
                "'for' goes with role {ROLE} alone: role {role} reads what is of the house"
            )));
        }
        let organisations = self.inner.organisations.get();
        let organisations = organisations.ok_or_else(|| {
            IdentityError::Invalid("this node keeps no organisations; leave 'for' away".into())
        })?;
        match organisations.organisation(name).await {
            Ok(named) => Ok(Some(named)),
            Err(PortError::NotFound(what)) => Err(IdentityError::Invalid(format!(
                "for: {what} not found; `sereno organisation list` shows all"
            ))),
            Err(PortError::Invalid(text)) => Err(IdentityError::Invalid(format!("for: {text}"))),
            Err(other) => Err(IdentityError::Conflict(other.to_string())),
        }
    }

    /// What the organisation is called that a token or an account is for.
    pub(crate) async fn called(&self, recipient: Option<Recipient>) -> Option<String> {
        let recipient = recipient?;
        let organisations = self.inner.organisations.get()?;
        let name = organisations.name_of(recipient).await.ok().flatten();
        Some(name.unwrap_or_else(|| GONE.to_owned()))
    }
}
