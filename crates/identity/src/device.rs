//! Browsers that people signed in from before: a mark that only this node can make, kept in a cookie of its own. It opens
//! nothing; whoever shows it is counted for themself when passwords are guessed under the same name.

use model::UserId;
use platform::Platform;
use ring::hmac;

use crate::Identity;
use crate::error::IdentityError;

/// The key file under `keys/`.
const KEY_FILE: &str = "identity.key";
/// How long a browser is remembered, days.
pub(crate) const DEVICE_DAYS: i64 = 180;

/// The key, made at the first start.
pub(crate) fn key(platform: &Platform) -> Result<[u8; 32], IdentityError> {
    let text = platform.data.secret_hex(KEY_FILE, 32, platform.random.as_ref())?;
    let mut key = [0; 32];
    hex::decode_to_slice(text.trim(), &mut key).map_err(|_| {
        IdentityError::Certificate(format!(
            "keys/{KEY_FILE} does not hold 32 bytes in hex; restore it from a backup"
        ))
    })?;
    Ok(key)
}

fn text(user: UserId, until_s: i64) -> String {
    format!("device\n{user}\n{until_s}")
}

impl Identity {
    fn device_key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.inner.key)
    }

    /// The mark of a browser in which this person signs in now.
    pub(crate) fn device_mark(&self, user: UserId) -> String {
        let until_s = self.platform().now().as_micros() / 1_000_000 + DEVICE_DAYS * 86_400;
        let tag = hmac::sign(&self.device_key(), text(user, until_s).as_bytes());
        format!("{until_s}.{}", hex::encode(tag))
    }

    /// Whether this is such a mark of the person, and still counts.
    pub(crate) fn knows_device(&self, user: UserId, mark: &str) -> bool {
        let Some((until, tag)) = mark.split_once('.') else { return false };
        let (Ok(until_s), Ok(tag)) = (until.parse::<i64>(), hex::decode(tag)) else { return false };
        let signed = hmac::verify(&self.device_key(), text(user, until_s).as_bytes(), &tag);
        signed.is_ok() && until_s > self.platform().now().as_micros() / 1_000_000
    }
}
