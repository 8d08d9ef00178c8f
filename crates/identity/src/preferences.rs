//! How a person wants the console: known keys with known words, kept once for all their browsers.

use model::Timestamp;
use platform::http::{Caller, CallerKind};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use utoipa::ToSchema;

use crate::{Identity, IdentityError};

/// Groups of keys that can be switched off one by one.
pub(crate) const KEY_GROUPS: [&str; 4] = ["go", "move", "act", "undo"];
/// Languages of the console; `crates/web` ships a file of each.
pub(crate) const LANGUAGES: [&str; 7] = ["en", "de", "fr", "es", "et", "fi", "ca"];
/// Bytes of an IANA time zone's name.
const MAX_ZONE_BYTES: usize = 64;

const THEMES: [&str; 5] = ["system", "light", "dark", "contrast-light", "contrast-dark"];
const DENSITIES: [&str; 2] = ["normal", "compact"];

/// How a person wants the console. Absent: as the browser has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Preferences {
    /// `system`, `light`, `dark`, `contrast-light` or `contrast-dark`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) theme: Option<String>,
    /// `normal` or `compact`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) density: Option<String>,
    /// `en`, `de`, `fr`, `es`, `et`, `fi` or `ca`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<String>,
    /// Whether single keys do anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) keys: Option<bool>,
    /// Groups of keys that are off: `go`, `move`, `act`, `undo`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) keys_off: Vec<String>,
    /// Whether the tour was seen or skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tour_seen: Option<bool>,
    /// The time zone shown: `local`, `UTC` or an IANA name, e.g. `Europe/Madrid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) zone: Option<String>,
    /// Whether nothing moves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reduced_motion: Option<bool>,
    /// The view that is this person's first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) home: Option<String>,
}

impl Preferences {
    fn check(&self) -> Result<(), IdentityError> {
        word("theme", self.theme.as_deref(), &THEMES)?;
        word("density", self.density.as_deref(), &DENSITIES)?;
        word("language", self.language.as_deref(), &LANGUAGES)?;
        if self.keys_off.len() > KEY_GROUPS.len() {
            return Err(IdentityError::Invalid(format!(
                "keys_off names more than the {} groups there are",
                KEY_GROUPS.len()
            )));
        }
        for group in &self.keys_off {
            word("keys_off", Some(group), &KEY_GROUPS)?;
        }
        let zone_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+-".contains(&byte);
        if self.zone.as_deref().is_some_and(|zone| {
            zone.is_empty() || zone.len() > MAX_ZONE_BYTES || !zone.bytes().all(zone_byte)
        }) {
            return Err(IdentityError::Invalid(format!(
                "zone is no time zone: use local, UTC or a name like Europe/Madrid (at most {MAX_ZONE_BYTES} bytes)"
            )));
        }
        if self.home.as_deref().is_some_and(|home| home.parse::<model::ViewId>().is_err()) {
            return Err(IdentityError::Invalid("home is not the id of a view".into()));
        }
        Ok(())
    }
}

fn word(key: &str, value: Option<&str>, known: &[&str]) -> Result<(), IdentityError> {
    match value {
        Some(value) if !known.contains(&value) => {
            let shown: String = value.chars().take(40).collect();
            let choices = known.join(", ");
            Err(IdentityError::Invalid(format!("{key} '{shown}' is not a choice: use {choices}")))
        }
        _ => Ok(()),
    }
}

/// Preferences and which version of them it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct KeptPreferences {
    /// Rises with every change; 0: nothing was kept yet.
    pub(crate) version: i64,
    /// What was kept.
    pub(crate) preferences: Preferences,
}

/// The id under which a person's things are kept.
///
/// # Errors
/// Tokens, peers and the admin socket are nobody's console.
pub(crate) fn person(caller: &Caller) -> Result<String, IdentityError> {
    if caller.kind == CallerKind::User {
        return Ok(caller.id.clone());
    }
    Err(IdentityError::Conflict(
        "only people with an account have preferences and views: sign in with name and password"
            .into(),
    ))
}

impl Identity {
    pub(crate) async fn preferences(
        &self,
        caller: &Caller,
    ) -> Result<KeptPreferences, IdentityError> {
        let Ok(user) = person(caller) else { return Ok(KeptPreferences::default()) };
        let mut sql = self.platform().db.read().await?;
        let row = sqlx::query("SELECT body, version FROM identity_preferences WHERE user_id = $1")
            .bind(user)
            .fetch_optional(&mut *sql)
            .await?;
        let Some(row) = row else { return Ok(KeptPreferences::default()) };
        let body: String = row.try_get("body")?;
        // A newer version of the console may have kept words that this one does not know.
        let preferences = serde_json::from_str(&body).unwrap_or_default();
        Ok(KeptPreferences { version: row.try_get("version")?, preferences })
    }

    /// Keeps preferences in place of version `from`; of any version when `None`.
    pub(crate) async fn keep_preferences(
        &self,
        caller: &Caller,
        wanted: Preferences,
        from: Option<i64>,
    ) -> Result<KeptPreferences, IdentityError> {
        wanted.check()?;
        let user = person(caller)?;
        let body = serde_json::json!(wanted).to_string();
        let now: Timestamp = self.platform().now();
        let version = self
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let row = sqlx::query(
                        "SELECT version FROM identity_preferences WHERE user_id = $1",
                    )
                    .bind(&user)
                    .fetch_optional(tx.sql())
                    .await?;
                    let kept: i64 = row.map_or(Ok(0), |row| row.try_get("version"))?;
                    if from.is_some_and(|from| from != kept) {
                        return Err(IdentityError::Conflict(format!(
                            "the preferences were changed elsewhere: version {kept} is kept; read them and change them again"
                        )));
                    }
                    sqlx::query(
                        "INSERT INTO identity_preferences (user_id, body, version, updated_at) \
                         VALUES ($1, $2, $3, $4) ON CONFLICT (user_id) DO UPDATE SET \
                         body = excluded.body, version = excluded.version, updated_at = excluded.updated_at",
                    )
                    .bind(&user)
                    .bind(&body)
                    .bind(kept + 1)
                    .bind(now.as_micros())
                    .execute(tx.sql())
                    .await?;
                    Ok(kept + 1)
                })
            })
            .await?;
        Ok(KeptPreferences { version, preferences: wanted })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_known_words_are_kept() {
        let good = Preferences {
            theme: Some("contrast-dark".into()),
            zone: Some("America/Argentina/Buenos_Aires".into()),
            keys_off: vec!["act".into()],
            ..Preferences::default()
        };
        assert!(good.check().is_ok());
        for bad in [
            Preferences { theme: Some("pink".into()), ..Preferences::default() },
            Preferences { zone: Some("<script>".into()), ..Preferences::default() },
            Preferences { zone: Some(String::new()), ..Preferences::default() },
            Preferences { home: Some("../..".into()), ..Preferences::default() },
            Preferences { keys_off: vec!["all".into()], ..Preferences::default() },
            Preferences { keys_off: vec!["go".into(); 5], ..Preferences::default() },
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
        assert!(serde_json::from_str::<Preferences>(r#"{"colour": "red"}"#).is_err());
    }
}
