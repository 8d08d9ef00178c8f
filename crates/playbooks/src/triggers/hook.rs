//! Calls of webhooks: who may call, and what of the body reaches the playbook.
//!
//! The secret of a hook is derived from the node's key and a salt, and stands nowhere: a copy of the database lets nobody
//! call, and signatures can be checked all the same. Whoever calls with the wrong secret, an unknown id or a hook that was
//! revoked gets one and the same answer.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cacao::Playbook;
use model::{Timestamp, TriggerId};
use platform::standard_webhook::{PREFIX, key};
use ports::Signer;
use ring::hmac;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::OnWebhook;
use crate::cacao::variables::{MAX_VALUE_BYTES, Values, to_text};

/// Largest body of a call, bytes.
pub const MAX_HOOK_BODY_BYTES: usize = 64 << 10;
/// Calls of one hook within a minute.
pub const MAX_CALLS_PER_MINUTE: u32 = 60;
/// How far the time of a signed call may be off, seconds (Standard Webhooks).
pub const TOLERANCE_S: i64 = 300;
/// Longest `webhook-id`, in characters.
pub const MAX_ID_CHARS: usize = 200;
/// Hooks whose calls are counted at the same time; then all counts begin anew.
const MAX_COUNTED: usize = 10_000;
const MINUTE_US: i64 = 60_000_000;

/// The secret of a hook, 32 bytes: only this node's key makes it of the salt.
pub(crate) fn secret(signer: &dyn Signer, salt: &str) -> [u8; 32] {
    let signed = signer.sign(format!("sereno playbook hook secret {salt}").as_bytes());
    Sha256::digest(signed).into()
}

/// A secret as people and libraries take it.
pub(crate) fn shown(secret: &[u8; 32]) -> String {
    format!("{PREFIX}{}", STANDARD.encode(secret))
}

/// What a caller shows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shown {
    /// `webhook-secret`: the bare secret.
    pub secret: Option<String>,
    /// `webhook-id`.
    pub id: Option<String>,
    /// `webhook-timestamp`, seconds.
    pub timestamp: Option<String>,
    /// `webhook-signature`.
    pub signature: Option<String>,
}

/// Whether a caller knows the secret. Every comparison takes the same time, however much fits.
pub(crate) fn knows(
    secret: &[u8; 32],
    hook: &OnWebhook,
    shown: &Shown,
    body: &[u8],
    now: Timestamp,
) -> bool {
    let signed = is_signed(secret, shown, body, now);
    let told = shown.secret.as_deref().and_then(|text| key(text).ok()).unwrap_or_default();
    // HMAC under a fixed key makes texts of one length of both.
    let fixed = hmac::Key::new(hmac::HMAC_SHA256, b"sereno hook");
    let bare = hmac::verify(&fixed, secret, hmac::sign(&fixed, &told).as_ref()).is_ok();
    signed || (bare && !hook.signed)
}

/// Standard Webhooks, "Signature scheme": HMAC-SHA-256 over `id.timestamp.body`, one of a list.
fn is_signed(secret: &[u8; 32], shown: &Shown, body: &[u8], now: Timestamp) -> bool {
    let (Some(id), Some(at), Some(list)) = (&shown.id, &shown.timestamp, &shown.signature) else {
        return false;
    };
    let Ok(seconds) = at.parse::<i64>() else { return false };
    let off = now.as_micros().div_euclid(1_000_000).saturating_sub(seconds);
    if off.unsigned_abs() > TOLERANCE_S.unsigned_abs() {
        return false;
    }
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mut text = format!("{id}.{at}.").into_bytes();
    text.extend_from_slice(body);
    list.split(' ')
        .filter_map(|one| one.strip_prefix("v1,"))
        .filter_map(|one| STANDARD.decode(one).ok())
        .any(|tag| hmac::verify(&key, &text, &tag).is_ok())
}

/// How often hooks were called lately.
#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<HashMap<TriggerId, (i64, u32)>>);

impl Calls {
    /// Counts a call; how many seconds to wait when there were too many.
    pub(crate) fn admit(&self, hook: TriggerId, now: Timestamp) -> Result<(), i64> {
        let minute = now.as_micros().div_euclid(MINUTE_US);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= MAX_COUNTED {
            counts.clear();
        }
        let (of, count) = counts.entry(hook).or_insert((minute, 0));
        if *of != minute {
            (*of, *count) = (minute, 0);
        }
        if *count >= MAX_CALLS_PER_MINUTE {
            let left = (minute + 1) * MINUTE_US - now.as_micros();
            return Err((left / 1_000_000).max(1));
        }
        *count += 1;
        Ok(())
    }
}

/// What a body gives the playbook.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub values: Values,
    /// Fields at the top of the body that nothing is taken of.
    pub ignored: usize,
}

/// Maps the fields of a body to variables.
///
/// # Errors
/// What is wrong, one line each.
pub(crate) fn take(
    hook: &OnWebhook,
    playbook: &Playbook,
    body: &Map<String, Value>,
) -> Result<Taken, Vec<String>> {
    let mut values = Values::new();
    let mut errors = Vec::new();
    let mut used = std::collections::HashSet::new();
    let whole = Value::Object(body.clone());
    for (field, variable) in &hook.fields {
        let found = match field.strip_prefix('/') {
            Some(rest) => {
                let top = rest.split('/').next().unwrap_or_default();
                used.insert(top.replace("~1", "/").replace("~0", "~"));
                whole.pointer(field)
            }
            None => {
                used.insert(field.clone());
                body.get(field)
            }
        };
        // One that the playbook lost meanwhile is handed to nobody.
        let Some(known) = playbook.playbook_variables.get(variable).filter(|it| it.external) else {
            continue;
        };
        match found.filter(|value| !value.is_null()) {
            None if known.value.is_none() => errors.push(format!("{field} is missing")),
            None => {}
            Some(value) => match text(&known.kind, value) {
                Ok(text) => {
                    values.insert(variable.clone(), text);
                }
                Err(why) => errors.push(format!("{field}: {why}")),
            },
        }
    }
    let ignored = body.keys().filter(|name| !used.contains(*name)).count();
    if errors.is_empty() { Ok(Taken { values, ignored }) } else { Err(errors) }
}

/// A value as the variable keeps it.
fn text(kind: &str, value: &Value) -> Result<String, String> {
    let long = || format!("a value has at most {MAX_VALUE_BYTES} bytes");
    if value.as_str().is_some_and(|text| text.len() > MAX_VALUE_BYTES) {
        return Err(long());
    }
    let text = to_text(value);
    // It was cut there.
    if text.len() >= MAX_VALUE_BYTES {
        return Err(long());
    }
    if text.contains('\0') {
        return Err("a value has no zero byte".to_owned());
    }
    cacao::value::fits(kind, &text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const SECRET: [u8; 32] = [7; 32];

    fn hook(signed: bool) -> OnWebhook {
        OnWebhook { fields: Default::default(), signed, level: None }
    }

    #[test]
    fn only_the_whole_secret_opens_and_not_where_signatures_are_asked() {
        let now = Timestamp::from_secs(1_700_000_000);
        let with = |text: &str| Shown { secret: Some(text.into()), ..Shown::default() };
        assert!(knows(&SECRET, &hook(false), &with(&shown(&SECRET)), b"{}", now));
        assert!(!knows(&SECRET, &hook(true), &with(&shown(&SECRET)), b"{}", now));
        let longer = format!("{PREFIX}{}", STANDARD.encode([7; 33]));
        for wrong in ["", "whsec_", "whsec_AAAA", &shown(&[8; 32]), &longer] {
            assert!(!knows(&SECRET, &hook(false), &with(wrong), b"{}", now), "{wrong}");
        }
        assert!(!knows(&SECRET, &hook(false), &Shown::default(), b"{}", now));
    }

    #[test]
    fn a_signature_holds_for_its_body_its_id_and_its_time() {
        let sign = |id: &str, at: i64, body: &str| Shown {
            id: Some(id.into()),
            timestamp: Some(at.to_string()),
            signature: Some(format!(
                "v1a,xx {}",
                platform::standard_webhook::signature(&SECRET, id, at, body)
            )),
            secret: None,
        };
        let now = Timestamp::from_secs(1_700_000_000);
        let good = sign("msg_1", 1_700_000_000 - TOLERANCE_S, "{}");
        assert!(knows(&SECRET, &hook(true), &good, b"{}", now));
        assert!(knows(&SECRET, &hook(false), &good, b"{}", now));
        assert!(!knows(&SECRET, &hook(true), &good, b"{ }", now));
        assert!(!knows(&[1; 32], &hook(true), &good, b"{}", now));
        let other = Shown { id: Some("msg_2".into()), ..good };
        assert!(!knows(&SECRET, &hook(true), &other, b"{}", now), "another id");
        for off in [TOLERANCE_S + 1, -TOLERANCE_S - 1] {
            let late = sign("msg_1", 1_700_000_000 + off, "{}");
            assert!(!knows(&SECRET, &hook(true), &late, b"{}", now), "{off}");
        }
        let far = sign("msg_1", i64::MIN, "{}");
        assert!(!knows(&SECRET, &hook(true), &far, b"{}", now));
    }

    #[test]
    fn a_minute_has_so_many_calls_for_each_hook() {
        let calls = Calls::default();
        let [one, other] =
            [1, 2].map(|it| model::id::TypedId::mint(Timestamp::from_secs(1), [it; 10]));
        let at = |seconds: i64| Timestamp::from_secs(1_700_000_040 + seconds);
        for _ in 0..MAX_CALLS_PER_MINUTE {
            assert_eq!(calls.admit(one, at(10)), Ok(()));
        }
        assert_eq!(calls.admit(one, at(10)), Err(50));
        assert_eq!(calls.admit(other, at(10)), Ok(()));
        assert_eq!(calls.admit(one, at(60)), Ok(()));
    }
}
