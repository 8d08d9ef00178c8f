//! The secret part of a link: the id of its mail, and an HMAC-SHA256 (RFC 2104) over everything it stands for. Whoever can
//! write the database cannot make one, and one whose row was changed is none any more.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use platform::Platform;
use ports::PortError;
use ring::hmac;
use uuid::Uuid;

use crate::store::letters::Letter;

/// The file of the key, in `keys/`.
const KEY_FILE: &str = "answer-links";
/// Bytes of the key.
const KEY_BYTES: usize = 32;
/// Bytes of an id, and of what authenticates it.
const ID_BYTES: usize = 16;
const TAG_BYTES: usize = 32;
/// Letters of the secret part of a link.
pub(crate) const TOKEN_CHARS: usize = 64;

/// Makes links and judges them.
pub(crate) struct Mint(hmac::Key);

impl Mint {
    /// With the node's key, made when it is first needed.
    ///
    /// # Errors
    /// The file cannot be read or written, or holds no key.
    pub(crate) async fn open(platform: &Platform) -> Result<Self, PortError> {
        let (data, random) = (platform.data.clone(), platform.random.clone());
        let read =
            tokio::task::spawn_blocking(move || data.secret_hex(KEY_FILE, KEY_BYTES, &*random));
        let internal = |cause: String| PortError::Internal(format!("keys/{KEY_FILE}: {cause}"));
        let text = read.await.map_err(|cause| internal(cause.to_string()))?;
        let text = text.map_err(|cause| internal(cause.to_string()))?;
        let bytes = hex::decode(text.trim()).map_err(|cause| internal(cause.to_string()))?;
        if bytes.len() != KEY_BYTES {
            return Err(internal(format!("it does not hold {KEY_BYTES} bytes in hex")));
        }
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &bytes)))
    }

    /// The secret part of the link of a mail; the same every time.
    ///
    /// # Errors
    /// The mail's id is none.
    pub(crate) fn token(&self, letter: &Letter) -> Result<String, PortError> {
        let id = Uuid::parse_str(&letter.id)
            .map_err(|cause| PortError::Internal(format!("playbooks_letters.id: {cause}")))?;
        let mut bytes = id.as_bytes().to_vec();
        bytes.extend_from_slice(hmac::sign(&self.0, &meaning(letter)).as_ref());
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// Whether the link was made here for this mail as it stands.
    pub(crate) fn holds(&self, token: &Token, letter: &Letter) -> bool {
        hmac::verify(&self.0, &meaning(letter), &token.tag).is_ok()
    }
}

/// A link as somebody shows it.
pub(crate) struct Token {
    /// The mail's id.
    pub(crate) letter: String,
    tag: [u8; TAG_BYTES],
}

impl Token {
    /// What cannot be one is none.
    pub(crate) fn read(text: &str) -> Option<Self> {
        if text.len() != TOKEN_CHARS {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (id, tag) = bytes.split_at_checked(ID_BYTES)?;
        let id = Uuid::from_slice(id).ok()?;
        Some(Self { letter: id.to_string(), tag: tag.try_into().ok()? })
    }
}

/// Everything a link stands for. Each part has its length in front: no two meanings are one text.
fn meaning(letter: &Letter) -> Vec<u8> {
    let expires = letter.expires_at.as_micros().to_string();
    let parts = [
        "sereno answer link 1",
        &letter.id,
        letter.kind.word(),
        &letter.about,
        &letter.version,
        &letter.round,
        &letter.account,
        &letter.giver,
        &expires,
    ];
    let mut out = Vec::new();
    for part in parts {
        out.extend_from_slice(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        out.extend_from_slice(part.as_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use model::Timestamp;

    use super::*;
    use crate::approvals::Kind;

    fn letter() -> Letter {
        Letter {
            id: "01890a5d-ac96-774b-bcce-b302099a8057".into(),
            kind: Kind::Proposal,
            about: "p".into(),
            version: "v".into(),
            round: "made".into(),
            account: "ana".into(),
            name: "Ana".into(),
            giver: String::new(),
            giver_name: String::new(),
            passed_by: String::new(),
            tlp: None,
            state: "queued".into(),
            reason: None,
            attempts: 0,
            recorded_at: Timestamp::from_secs(1),
            sent_at: None,
            expires_at: Timestamp::from_secs(100),
            used_at: None,
        }
    }

    fn mint(byte: u8) -> Mint {
        Mint(hmac::Key::new(hmac::HMAC_SHA256, &[byte; KEY_BYTES]))
    }

    #[test]
    fn a_link_stands_for_one_person_question_version_and_end() {
        let (mint, own) = (mint(1), letter());
        let Ok(text) = mint.token(&own) else { panic!("no token") };
        assert_eq!(text.len(), TOKEN_CHARS);
        let Some(token) = Token::read(&text) else { panic!("it cannot be read") };
        assert_eq!(token.letter, own.id);
        assert!(mint.holds(&token, &own));
        let changed: [fn(&mut Letter); 8] = [
            |it| it.account = "eve".into(),
            |it| it.about = "q".into(),
            |it| it.version = "w".into(),
            |it| it.kind = Kind::Step,
            |it| it.round = "again".into(),
            |it| it.giver = "ben".into(),
            |it| it.expires_at = Timestamp::from_secs(101),
            // The same letters at another place.
            |it| (it.about, it.version) = ("pv".into(), String::new()),
        ];
        for (at, change) in changed.iter().enumerate() {
            let mut other = own.clone();
            change(&mut other);
            assert!(!mint.holds(&token, &other), "change {at}");
        }
        assert!(!self::mint(2).holds(&token, &own), "another node's key");
    }

    #[test]
    fn what_is_no_link_is_none() {
        for text in ["", "x", &"é".repeat(32), &"A".repeat(63), &"A".repeat(65), &"!".repeat(64)] {
            assert!(Token::read(text).is_none(), "{text}");
        }
    }
}
