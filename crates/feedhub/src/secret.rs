//! Passwords and tokens for the servers of others: in `keys/` of the data folder (0600), nowhere else.

use platform::data::{DataError, DataFolder};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::FeedError;

/// How the names of their files begin.
pub(crate) const PREFIX: &str = "feed-";
/// Bytes of a secret at most.
pub(crate) const MAX_SECRET_BYTES: usize = 8_192;

/// How a server wants to know who asks. The secret itself is never shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "scheme", rename_all = "kebab-case", deny_unknown_fields)]
#[schema(as = FeedAuth)]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// Name and password (RFC 7617).
    Basic {
        /// Name.
        user: String,
    },
    /// A token (RFC 6750).
    Bearer,
    /// A key alone in `Authorization`, as MISP takes it.
    Key,
}

impl Auth {
    /// Whether it needs a secret.
    #[must_use]
    pub fn needs_secret(&self) -> bool {
        *self != Self::None
    }

    /// Refuses what cannot stand in a header.
    pub(crate) fn check(&self, secret: Option<&str>) -> Result<(), FeedError> {
        let invalid = |text: &str| Err(FeedError::Invalid(text.to_owned()));
        match (self.needs_secret(), secret) {
            (true, None) => return invalid("a secret is missing: password, token or key"),
            (false, Some(_)) => return invalid("a secret needs a scheme: basic, bearer or key"),
            _ => {}
        }
        let printable = |text: &str| text.chars().all(|c| !c.is_control());
        if let Some(secret) = secret
            && (secret.is_empty() || secret.len() > MAX_SECRET_BYTES || !printable(secret))
        {
            return Err(FeedError::Invalid(format!(
                "a secret has 1 to {MAX_SECRET_BYTES} bytes and no control characters"
            )));
        }
        match self {
            Self::Basic { user } if user.is_empty() || user.contains(':') || !printable(user) => {
                invalid(
                    "a user name has at least one character, no colon and no control characters",
                )
            }
            _ => Ok(()),
        }
    }
}

fn failed(cause: &DataError) -> FeedError {
    FeedError::Source(format!("the secret cannot be kept: {cause}"))
}

/// Keeps the secret of a feed or push.
pub(crate) fn keep(data: &DataFolder, id: &str, secret: &str) -> Result<(), FeedError> {
    data.write_key(&format!("{PREFIX}{id}"), secret.as_bytes()).map_err(|cause| failed(&cause))
}

/// The secret of a feed or push.
fn of(data: &DataFolder, id: &str) -> Result<Option<String>, FeedError> {
    data.read_key(&format!("{PREFIX}{id}")).map_err(|cause| failed(&cause))
}

/// The secret that a scheme needs.
///
/// # Errors
/// It is not there, as after a restore without keys.
pub(crate) fn needed(
    data: &DataFolder,
    id: &str,
    auth: &Auth,
) -> Result<Option<String>, FeedError> {
    if !auth.needs_secret() {
        return Ok(None);
    }
    let lost = "its secret is not in the data folder's keys; give it anew (sereno feed secret)";
    of(data, id)?.map(Some).ok_or_else(|| FeedError::Source(lost.to_owned()))
}

/// Forgets the secret of a feed or push.
pub(crate) fn forget(data: &DataFolder, id: &str) -> Result<(), FeedError> {
    data.remove_key(&format!("{PREFIX}{id}")).map_err(|cause| failed(&cause))
}
