//! Sealing in the age format (<https://age-encryption.org/v1>): anybody with the passphrase or the identity opens a
//! backup with the program `age`, also when there is no node any more.

use std::io::{self, Read, Write};
use std::str::FromStr;

use age::secrecy::SecretString;

use crate::error::BackupError;

/// Shortest passphrase taken, characters: backups can be tried offline for years.
pub const MIN_PASSPHRASE_CHARS: usize = 14;
/// Recipients of one backup at most.
pub const MAX_RECIPIENTS: usize = 16;
/// What a sealed file begins with.
const MAGIC: &[u8] = b"age-encryption.org/v1";

/// Who shall be able to open a backup.
#[derive(Clone, Default)]
pub enum Seal {
    /// Whoever reads the file.
    #[default]
    Open,
    /// Who knows the passphrase.
    Passphrase(SecretString),
    /// Who holds the identity of one of these (`age1…`).
    Recipients(Vec<age::x25519::Recipient>),
}

impl Seal {
    /// The seal that a request or the configuration asks for.
    ///
    /// # Errors
    /// Both kinds at once, a passphrase that is too short, too many recipients, or one that is none.
    pub fn of(passphrase: Option<&str>, recipients: &[String]) -> Result<Self, BackupError> {
        let wrong = |text: String| Err(BackupError::Invalid(text));
        match passphrase {
            Some(_) if !recipients.is_empty() => {
                wrong("a backup is sealed by a passphrase or for recipients, not both".into())
            }
            Some(text) if text.chars().count() < MIN_PASSPHRASE_CHARS => {
                wrong(format!("the passphrase has fewer than {MIN_PASSPHRASE_CHARS} characters"))
            }
            Some(text) => Ok(Self::Passphrase(SecretString::from(text.to_owned()))),
            None if recipients.is_empty() => Ok(Self::Open),
            None if recipients.len() > MAX_RECIPIENTS => {
                wrong(format!("more than {MAX_RECIPIENTS} recipients"))
            }
            None => {
                let read = |text: &String| {
                    age::x25519::Recipient::from_str(text.trim()).map_err(|cause| {
                        BackupError::Invalid(format!(
                            "'{text}' is no recipient ({cause}); one begins with age1 and is printed by age-keygen"
                        ))
                    })
                };
                Ok(Self::Recipients(recipients.iter().map(read).collect::<Result<_, _>>()?))
            }
        }
    }

    /// Whether anybody can read it.
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// Writes through the seal; [`Sealed::finish`] must be called at the end.
    pub(crate) fn wrap<W: Write>(&self, out: W) -> io::Result<Sealed<W>> {
        let encryptor = match self {
            Self::Open => return Ok(Sealed::Open(out)),
            Self::Passphrase(text) => age::Encryptor::with_user_passphrase(text.clone()),
            Self::Recipients(all) => {
                age::Encryptor::with_recipients(all.iter().map(|one| one as &dyn age::Recipient))
                    .map_err(io::Error::other)?
            }
        };
        Ok(Sealed::Age(Box::new(encryptor.wrap_output(out)?)))
    }
}

/// A writer behind a seal, or behind none.
pub(crate) enum Sealed<W: Write> {
    Open(W),
    Age(Box<age::stream::StreamWriter<W>>),
}

impl<W: Write> Sealed<W> {
    /// Writes the end; without it the file counts as cut off.
    pub(crate) fn finish(self) -> io::Result<W> {
        match self {
            Self::Open(out) => Ok(out),
            Self::Age(writer) => writer.finish(),
        }
    }
}

impl<W: Write> Write for Sealed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Open(out) => out.write(bytes),
            Self::Age(writer) => writer.write(bytes),
        }
    }
    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Open(out) => out.flush(),
            Self::Age(writer) => writer.flush(),
        }
    }
}

/// What opens a sealed backup.
#[derive(Clone, Default)]
pub struct Opening {
    /// The passphrase.
    pub passphrase: Option<SecretString>,
    /// An age identity (`AGE-SECRET-KEY-1…`), or the text of an identity file with some.
    pub identity: Option<SecretString>,
}

impl Opening {
    /// From texts as a request brings them.
    pub fn of(passphrase: Option<String>, identity: Option<String>) -> Self {
        Self {
            passphrase: passphrase.map(SecretString::from),
            identity: identity.map(SecretString::from),
        }
    }

    /// Reads through the seal of `input`, if it has one.
    pub(crate) fn unwrap<R: Read + 'static>(
        &self,
        mut input: R,
    ) -> Result<Box<dyn Read>, BackupError> {
        let broken = |cause: io::Error| BackupError::Damaged(format!("the backup: {cause}"));
        let mut start = Vec::with_capacity(MAGIC.len());
        input.by_ref().take(MAGIC.len() as u64).read_to_end(&mut start).map_err(broken)?;
        let sealed = start == MAGIC;
        let whole = io::Cursor::new(start).chain(input);
        if !sealed {
            return Ok(Box::new(whole));
        }
        let decryptor = age::Decryptor::new_buffered(io::BufReader::new(whole))
            .map_err(|cause| BackupError::Damaged(format!("the seal cannot be read: {cause}")))?;
        let identities = self.identities(decryptor.is_scrypt())?;
        let opened = decryptor
            .decrypt(identities.iter().map(|one| &**one))
            .map_err(|cause| BackupError::Sealed(format!("the backup does not open: {cause}")))?;
        Ok(Box::new(opened))
    }

    fn identities(&self, by_passphrase: bool) -> Result<Vec<Box<dyn age::Identity>>, BackupError> {
        if by_passphrase {
            let Some(text) = &self.passphrase else {
                return Err(BackupError::Sealed(
                    "the backup is sealed by a passphrase, and none was given".into(),
                ));
            };
            return Ok(vec![Box::new(age::scrypt::Identity::new(text.clone()))]);
        }
        let Some(text) = &self.identity else {
            return Err(BackupError::Sealed(
                "the backup is sealed for recipients, and no identity was given".into(),
            ));
        };
        let text = age::secrecy::ExposeSecret::expose_secret(text);
        let lines = text.lines().map(str::trim).filter(|line| line.starts_with("AGE-SECRET-KEY-"));
        let mut all: Vec<Box<dyn age::Identity>> = vec![];
        for line in lines.take(MAX_RECIPIENTS) {
            // The text of the cause is fixed and never repeats the key.
            let read = age::x25519::Identity::from_str(line).map_err(|cause| {
                BackupError::Sealed(format!("an identity cannot be read: {cause}"))
            })?;
            all.push(Box::new(read));
        }
        if all.is_empty() {
            return Err(BackupError::Sealed(
                "no identity found: one is a line that begins with AGE-SECRET-KEY-1".into(),
            ));
        }
        Ok(all)
    }
}
