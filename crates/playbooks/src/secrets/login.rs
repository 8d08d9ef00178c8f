//! How to log in to a party: what a playbook says (CACAO §6), and the secret behind it once it is asked for.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ports::PortError;
use reqwest::header::HeaderValue;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use super::{Covers, Secrets};
use crate::cacao::variables::{Values, fill};
use crate::cacao::{AgentTarget, Playbook};

/// The argument of a command that holds a login; its name keeps it out of plans.
pub(crate) const ARGUMENT: &str = "credentials";

/// A way to log in, as a playbook gives it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Login {
    /// `http-basic`, `user-auth` or `oauth2`.
    pub kind: String,
    /// Who; for `oauth2` the scheme of the header.
    pub user: String,
    /// The name of a secret of this node.
    pub named: Option<String>,
    /// A password or token that stands in the playbook itself.
    pub plain: Option<String>,
}

/// A login with its secret.
pub(crate) struct Opened {
    pub kind: String,
    pub user: String,
    pub secret: Zeroizing<String>,
}

/// What the authentication information of a party says; `None` when it has none.
///
/// # Errors
/// It is not defined, of a type that is not used here, or without a value.
pub(crate) fn of(
    playbook: &Playbook,
    party: &AgentTarget,
    values: &Values,
) -> Result<Option<Login>, String> {
    let Some(id) = party.authentication_info.as_ref() else { return Ok(None) };
    let info = playbook
        .authentication_info_definitions
        .get(id)
        .ok_or_else(|| format!("{id} is not defined"))?;
    let filled = |name: &str| {
        let text = info.get(name).and_then(Value::as_str).unwrap_or_default();
        fill(text, values).map_err(|cause| cause.to_string())
    };
    let kind = info.get("type").and_then(Value::as_str).unwrap_or("?");
    let (user, secret) = match kind {
        "http-basic" => ("user_id", "password"),
        "user-auth" => ("username", "password"),
        "oauth2" => ("oauth_header", "token"),
        other => {
            let other: String = other.chars().take(64).collect();
            return Err(format!(
                "credentials of the type {other} are not used here; http-basic, user-auth and \
                 oauth2 are"
            ));
        }
    };
    let kept = info.get("kms").and_then(Value::as_bool).unwrap_or(false);
    let named = if kept {
        let name = filled("kms_key_identifier")?;
        if name.is_empty() {
            return Err(format!("{id} has kms but no kms_key_identifier: name a secret there"));
        }
        Some(name)
    } else {
        None
    };
    let plain = if kept { None } else { Some(filled(secret)?) };
    Ok(Some(Login { kind: kind.to_owned(), user: filled(user)?, named, plain }))
}

impl Login {
    /// A bearer token by the name of its secret.
    pub(crate) fn token(name: &str) -> Self {
        let (kind, user) = ("oauth2".to_owned(), String::new());
        Self { kind, user, named: Some(name.to_owned()), plain: None }
    }

    /// Whether a password or token of the playbook's own stands in it.
    pub(crate) fn has_plain(&self) -> bool {
        self.plain.as_ref().is_some_and(|plain| !plain.is_empty())
    }

    /// The login in a command's arguments.
    pub(crate) fn in_arguments(
        arguments: &std::collections::BTreeMap<String, Value>,
    ) -> Result<Option<Self>, PortError> {
        match arguments.get(ARGUMENT) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => serde_json::from_value(value.clone())
                .map(Some)
                .map_err(|_| PortError::Invalid("the credentials have no known form".into())),
        }
    }

    /// The login with its secret, for one host; what it holds is covered from then on.
    pub(crate) async fn open(
        &self,
        secrets: &Secrets,
        host: &str,
        covers: &mut Covers,
    ) -> Result<Opened, PortError> {
        let secret = match (&self.named, &self.plain) {
            (Some(name), _) => secrets.open(name, host).await?,
            (None, Some(plain)) => Zeroizing::new(plain.clone()),
            (None, None) => Zeroizing::new(String::new()),
        };
        let opened = Opened { kind: self.kind.clone(), user: self.user.clone(), secret };
        covers.add(opened.word());
        covers.add(&opened.pair());
        Ok(opened)
    }

    /// The same without anything secret.
    pub(crate) fn shown(&self) -> Value {
        serde_json::json!({ "type": self.kind, "secret": self.named })
    }
}

impl Opened {
    fn pair(&self) -> Zeroizing<String> {
        Zeroizing::new(format!("{}:{}", self.user, self.word()))
    }

    /// The secret as one word: what was typed at the end of a line is no part of a password.
    pub(crate) fn word(&self) -> &str {
        self.secret.trim_end_matches(['\r', '\n'])
    }

    /// The value of the header `authorization` (RFC 7617, RFC 6750).
    ///
    /// # Errors
    /// What logs in is more than one line.
    pub(crate) fn header(&self) -> Result<HeaderValue, PortError> {
        let text = Zeroizing::new(match self.kind.as_str() {
            "oauth2" if self.user.is_empty() => format!("Bearer {}", self.word()),
            "oauth2" => format!("{} {}", self.user, self.word()),
            _ => format!("Basic {}", STANDARD.encode(self.pair().as_bytes())),
        });
        let mut value = HeaderValue::from_str(&text).map_err(|_| {
            PortError::Invalid("the credentials are no single line of plain characters".into())
        })?;
        value.set_sensitive(true);
        Ok(value)
    }
}
