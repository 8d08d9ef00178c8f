//! The file of `sereno detect train`: one line that names the sections, then the sections.
//!
//! The section `ensemble` is the shipped detector in its own form ([`ModelFile`]); every other
//! section holds one more detector. A reader opens the sections it wants; every section has a
//! SHA-256, and the line may carry an Ed25519 signature over them all. A plain [`ModelFile`] reads as
//! a file with the section `ensemble` alone.

use std::path::Path;

use analytics::model_file::{MAX_FILE_BYTES, ModelFile, ModelFileError};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::OfflineError;

/// Name of the form.
pub const FORMAT: &str = "sereno-models";
/// Version of the form. A newer one is refused.
pub const VERSION: u32 = 1;
/// Name of the shipped detector's section.
pub const ENSEMBLE: &str = "ensemble";
/// Sections of a file at most.
const MAX_SECTIONS: usize = 64;
/// Longest first line, bytes.
const MAX_HEADER_BYTES: usize = 64 * 1024;
/// What a signature is over begins with this, so that it means nothing elsewhere.
const CONTEXT: &str = "sereno-models signature 1";

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
    #[serde(default)]
    sections: Vec<Section>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    signature: Option<Signed>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Section {
    name: String,
    bytes: usize,
    sha256: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Signed {
    /// Public key, base64.
    key: String,
    /// Ed25519 signature, base64.
    value: String,
}

/// Who must have signed a model file.
#[derive(Clone, Copy, Debug, Default)]
pub enum Trust<'a> {
    /// Nobody; a signature that is there must still be right.
    #[default]
    Anyone,
    /// The owner of this key.
    Only(&'a VerifyingKey),
}

/// A model file whose sections have their digests.
#[derive(Clone, Debug)]
pub struct ModelStore {
    sections: Vec<(String, Vec<u8>)>,
    signer: Option<VerifyingKey>,
}

impl ModelStore {
    /// A file with the shipped detector alone.
    ///
    /// # Errors
    /// When a number of the models is not finite.
    pub fn new(models: &ModelFile) -> Result<Self, ModelFileError> {
        Ok(Self { sections: vec![(ENSEMBLE.to_owned(), models.to_bytes()?)], signer: None })
    }

    /// Adds a section.
    pub fn add(&mut self, name: &str, bytes: Vec<u8>) {
        self.sections.push((name.to_owned(), bytes));
    }

    /// The stored form, signed where a key is given.
    ///
    /// # Errors
    /// When the header cannot be written, which does not happen.
    pub fn to_bytes(&self, key: Option<&SigningKey>) -> Result<Vec<u8>, ModelFileError> {
        let sections: Vec<Section> = self
            .sections
            .iter()
            .map(|(name, bytes)| Section {
                name: name.clone(),
                bytes: bytes.len(),
                sha256: digest(bytes),
            })
            .collect();
        let signature = key.map(|key| Signed {
            key: key_text(&key.verifying_key()),
            value: BASE64.encode(key.sign(message(VERSION, &sections).as_bytes()).to_bytes()),
        });
        let header = Header { format: FORMAT.to_owned(), version: VERSION, sections, signature };
        let mut bytes = serde_json::to_vec(&header)
            .map_err(|error| ModelFileError::Damaged(error.to_string()))?;
        bytes.push(b'\n');
        self.sections.iter().for_each(|(_, section)| bytes.extend_from_slice(section));
        Ok(bytes)
    }

    /// Reads the stored form, or a plain [`ModelFile`].
    ///
    /// # Errors
    /// When the bytes are foreign, of a newer version, damaged, wrongly signed, or not signed by
    /// whom `trust` asks for.
    pub fn from_bytes(bytes: Vec<u8>, trust: Trust<'_>) -> Result<Self, StoreError> {
        if bytes.len() > MAX_FILE_BYTES {
            return Err(ModelFileError::TooLarge(bytes.len()).into());
        }
        let end = bytes.iter().take(MAX_HEADER_BYTES).position(|byte| *byte == b'\n');
        let header: Option<Header> = end.and_then(|end| serde_json::from_slice(&bytes[..end]).ok());
        let (Some(end), Some(header)) = (end, header) else {
            return Err(ModelFileError::Foreign.into());
        };
        if header.format == analytics::model_file::FORMAT {
            let sections = vec![(ENSEMBLE.to_owned(), bytes)];
            let store = Self { sections, signer: None };
            return store.trusted(trust);
        }
        if header.format != FORMAT {
            return Err(ModelFileError::Foreign.into());
        }
        if header.version > VERSION {
            return Err(StoreError::Newer(header.version));
        }
        let signer = header
            .signature
            .as_ref()
            .map(|signed| signed.check(&message(header.version, &header.sections)))
            .transpose()?;
        let sections = split(&header.sections, &bytes[end + 1..])?;
        Self { sections, signer }.trusted(trust)
    }

    fn trusted(self, trust: Trust<'_>) -> Result<Self, StoreError> {
        match (trust, &self.signer) {
            (Trust::Anyone, _) => Ok(self),
            (Trust::Only(_), None) => Err(StoreError::Unsigned),
            (Trust::Only(key), Some(signer)) if key == signer => Ok(self),
            (Trust::Only(_), Some(signer)) => Err(StoreError::OtherSigner(key_text(signer))),
        }
    }

    /// Reads and checks a file.
    ///
    /// # Errors
    /// As [`ModelStore::from_bytes`], and when the file cannot be read.
    pub fn read(path: &Path, trust: Trust<'_>) -> Result<Self, OfflineError> {
        let read = |source| OfflineError::Read { path: path.to_path_buf(), source };
        let refused = |source| OfflineError::Model { path: path.to_path_buf(), source };
        let size = std::fs::metadata(path).map_err(read)?.len();
        if size > MAX_FILE_BYTES as u64 {
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            return Err(refused(ModelFileError::TooLarge(size).into()));
        }
        Self::from_bytes(std::fs::read(path).map_err(read)?, trust).map_err(refused)
    }

    /// Names of the sections.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sections.iter().map(|(name, _)| name.as_str())
    }

    /// Bytes of a section.
    #[must_use]
    pub fn section(&self, name: &str) -> Option<&[u8]> {
        self.sections.iter().find(|(known, _)| known == name).map(|(_, bytes)| bytes.as_slice())
    }

    /// Key of the signature, if there is one.
    #[must_use]
    pub fn signer(&self) -> Option<&VerifyingKey> {
        self.signer.as_ref()
    }

    /// The shipped detector.
    ///
    /// # Errors
    /// When there is none, or it is refused.
    pub fn models(&self) -> Result<ModelFile, StoreError> {
        let bytes = self
            .section(ENSEMBLE)
            .ok_or_else(|| StoreError::NoSection(ENSEMBLE.to_owned(), self.list()))?;
        Ok(ModelFile::from_bytes(bytes)?)
    }

    /// Names of the sections in one line.
    #[must_use]
    pub fn list(&self) -> String {
        self.names().collect::<Vec<_>>().join(", ")
    }
}

/// Why a model file was refused.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Its form or its shipped models.
    #[error(transparent)]
    File(#[from] ModelFileError),
    /// Written by a later version of the program.
    #[error(
        "written by a newer version (form {0}, this build reads up to {VERSION}): update sereno"
    )]
    Newer(u32),
    /// The signature does not fit the content.
    #[error(
        "wrong signature: the file was changed after it was signed, or signed with another key than it names; do not use it"
    )]
    Signature,
    /// A signature was asked for and there is none.
    #[error("not signed, and a signature is asked for: sign it with `sereno detect train --sign`")]
    Unsigned,
    /// Signed by somebody else than asked for.
    #[error("signed with another key ({0}) than the one asked for; do not use it")]
    OtherSigner(String),
    /// No such detector inside.
    #[error("holds no detector `{0}`: it holds {1}")]
    NoSection(String, String),
    /// A section cannot be opened.
    #[error("detector `{0}` cannot be used: {1}")]
    Section(String, String),
}

impl Signed {
    fn check(&self, message: &str) -> Result<VerifyingKey, StoreError> {
        let bytes = |text: &str| BASE64.decode(text).ok();
        let key: Option<[u8; 32]> = bytes(&self.key).and_then(|key| key.try_into().ok());
        let value: Option<[u8; 64]> = bytes(&self.value).and_then(|value| value.try_into().ok());
        let (Some(key), Some(value)) = (key, value) else { return Err(StoreError::Signature) };
        let key = VerifyingKey::from_bytes(&key).map_err(|_| StoreError::Signature)?;
        key.verify_strict(message.as_bytes(), &Signature::from_bytes(&value))
            .map_err(|_| StoreError::Signature)?;
        Ok(key)
    }
}

/// What is signed: form, version, and name, size and digest of every section.
fn message(version: u32, sections: &[Section]) -> String {
    let mut text = format!("{CONTEXT}\n{FORMAT} {version}\n");
    for section in sections {
        text.push_str(&format!("{} {} {}\n", section.sha256, section.bytes, section.name));
    }
    text
}

fn split(sections: &[Section], mut rest: &[u8]) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
    let damaged = |text: String| StoreError::File(ModelFileError::Damaged(text));
    if sections.len() > MAX_SECTIONS {
        return Err(damaged(format!("{} sections, the limit is {MAX_SECTIONS}", sections.len())));
    }
    let mut found: Vec<(String, Vec<u8>)> = Vec::with_capacity(sections.len());
    for section in sections {
        let Some((bytes, after)) = rest.split_at_checked(section.bytes) else {
            return Err(damaged(format!("section `{}` is cut off", section.name.escape_debug())));
        };
        if digest(bytes) != section.sha256 {
            return Err(damaged(format!(
                "the SHA-256 of section `{}` does not match",
                section.name.escape_debug()
            )));
        }
        if found.iter().any(|(name, _)| *name == section.name) || section.name.contains('\n') {
            return Err(damaged(format!(
                "the name of section `{}` is not its own",
                section.name.escape_debug()
            )));
        }
        found.push((section.name.clone(), bytes.to_vec()));
        rest = after;
    }
    if !rest.is_empty() {
        return Err(damaged(format!("{} bytes behind the last section", rest.len())));
    }
    Ok(found)
}

/// A public key as text: base64.
#[must_use]
pub fn key_text(key: &VerifyingKey) -> String {
    BASE64.encode(key.to_bytes())
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn store() -> ModelStore {
        ModelStore {
            sections: vec![
                (ENSEMBLE.to_owned(), b"first\nsection\n".to_vec()),
                ("knn".to_owned(), vec![0, 255, 10, 13]),
            ],
            signer: None,
        }
    }

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    #[test]
    fn sections_come_back_as_they_went() {
        let bytes = store().to_bytes(None).unwrap();
        let back = ModelStore::from_bytes(bytes, Trust::Anyone).unwrap();
        assert_eq!(back.sections, store().sections);
        assert!(back.signer().is_none());
    }

    #[test]
    fn only_the_right_signature_opens() {
        let (ours, other) = (key(1).verifying_key(), key(2).verifying_key());
        let signed = store().to_bytes(Some(&key(1))).unwrap();
        let open = |bytes: &[u8], trust| ModelStore::from_bytes(bytes.to_vec(), trust);
        assert_eq!(open(&signed, Trust::Only(&ours)).unwrap().signer(), Some(&ours));
        assert!(matches!(open(&signed, Trust::Only(&other)), Err(StoreError::OtherSigner(_))));
        let unsigned = store().to_bytes(None).unwrap();
        assert!(matches!(open(&unsigned, Trust::Only(&ours)), Err(StoreError::Unsigned)));
        // Another signature in the same place, even where nobody asks for one.
        let text = String::from_utf8_lossy(&signed).into_owned();
        let foreign = store().to_bytes(Some(&key(2))).unwrap();
        let value = |bytes: &[u8]| {
            let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
            let header: Header = serde_json::from_slice(&bytes[..end]).unwrap();
            header.signature.unwrap().value
        };
        assert!(text.contains(&value(&signed)));
        let at = signed.windows(88).position(|w| w == value(&signed).as_bytes()).unwrap();
        let mut forged = signed.clone();
        forged[at..at + 88].copy_from_slice(value(&foreign).as_bytes());
        assert!(matches!(open(&forged, Trust::Anyone), Err(StoreError::Signature)));
    }

    #[test]
    fn a_newer_form_says_so() {
        let bytes = b"{\"format\":\"sereno-models\",\"version\":2,\"sections\":[]}\n".to_vec();
        let error = ModelStore::from_bytes(bytes, Trust::Anyone).unwrap_err();
        assert!(error.to_string().contains("newer version"), "{error}");
    }

    proptest! {
        #[test]
        fn a_changed_byte_is_noticed(place in any::<prop::sample::Index>(), bit in 0_u8..8, sign in any::<bool>()) {
            let bytes = store().to_bytes(sign.then(|| key(1)).as_ref()).unwrap();
            let mut changed = bytes.clone();
            changed[place.index(bytes.len())] ^= 1 << bit;
            if let Ok(read) = ModelStore::from_bytes(changed, Trust::Only(&key(1).verifying_key())) {
                // Only spelling may differ (a JSON escape); never the content.
                prop_assert_eq!(read.sections, store().sections);
            }
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = ModelStore::from_bytes(bytes, Trust::Anyone);
        }
    }
}
