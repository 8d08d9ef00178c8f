//! `[identity.client_ca]`: an authority outside this node whose client certificates open accounts here.

use std::path::Path;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};

use crate::config::{ClientCa, SubjectAccount};
use crate::error::IdentityError;
use crate::shown::Shown;

/// Certificates in the authority's file at most.
pub(crate) const MAX_ROOTS: usize = 32;
/// Rules from certificate to account at most.
pub(crate) const MAX_ACCOUNTS: usize = 1_000;
/// Largest file of certificates or revocation lists, bytes.
pub(crate) const MAX_FILE_BYTES: u64 = 16 << 20;
/// Attributes of a subject in a rule at most.
const MAX_PARTS: usize = 32;

/// The authority outside, read and checked.
#[derive(Debug, Default)]
pub(crate) struct Outside {
    config: Option<ClientCa>,
    pub(crate) roots: Vec<CertificateDer<'static>>,
    rules: Vec<Rule>,
}

#[derive(Debug)]
struct Rule {
    account: String,
    subject: Option<Vec<String>>,
    san: Option<String>,
    fingerprint: Option<String>,
}

impl Outside {
    /// Reads the files and rules of the configuration.
    pub(crate) fn load(config: Option<&ClientCa>) -> Result<Self, IdentityError> {
        let Some(config) = config else { return Ok(Self::default()) };
        let wrong = |cause: String| IdentityError::Invalid(format!("identity.client_ca: {cause}"));
        let roots = CertificateDer::pem_slice_iter(&read(&config.file)?)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|cause| wrong(format!("{}: {cause}", config.file.display())))?;
        if roots.is_empty() || roots.len() > MAX_ROOTS {
            let (count, file) = (roots.len(), config.file.display());
            return Err(wrong(format!("{file} holds {count} certificates; 1 to {MAX_ROOTS} fit")));
        }
        if config.accounts.len() > MAX_ACCOUNTS {
            let count = config.accounts.len();
            return Err(wrong(format!("{count} accounts; the limit is {MAX_ACCOUNTS}")));
        }
        let rules = config.accounts.iter().map(|asked| rule(asked).map_err(wrong));
        let rules = rules.collect::<Result<_, _>>()?;
        let loaded = Self { config: Some(config.clone()), roots, rules };
        loaded.revoked()?;
        Ok(loaded)
    }

    /// The revocation lists as they are now.
    pub(crate) fn revoked(
        &self,
    ) -> Result<Vec<CertificateRevocationListDer<'static>>, IdentityError> {
        let Some(file) = self.config.as_ref().and_then(|config| config.revoked.as_ref()) else {
            return Ok(vec![]);
        };
        CertificateRevocationListDer::pem_slice_iter(&read(file)?)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|cause| {
                let file = file.display();
                IdentityError::Invalid(format!("identity.client_ca.revoked: {file}: {cause}"))
            })
    }

    /// The account that a certificate opens.
    pub(crate) fn account(&self, shown: &Shown) -> Option<&str> {
        self.rules.iter().find(|rule| rule.fits(shown)).map(|rule| rule.account.as_str())
    }
}

impl Rule {
    fn fits(&self, shown: &Shown) -> bool {
        self.subject.as_ref().is_none_or(|subject| *subject == shown.subject)
            && self.san.as_ref().is_none_or(|san| shown.names.contains(san))
            && self.fingerprint.as_ref().is_none_or(|own| *own == shown.fingerprint)
    }
}

fn rule(asked: &SubjectAccount) -> Result<Rule, String> {
    let account = asked.account.trim().to_owned();
    if account.is_empty() {
        return Err("a rule without `account`".into());
    }
    if asked.subject.is_none() && asked.san.is_none() && asked.fingerprint.is_none() {
        return Err(format!(
            "the rule for {account} would take any certificate; give subject, san or fingerprint"
        ));
    }
    let subject = asked.subject.as_deref().map(parts).transpose()?;
    let san = asked.san.as_deref().map(san).transpose()?;
    let fingerprint = asked.fingerprint.as_deref().map(digest).transpose()?;
    Ok(Rule { account, subject, san, fingerprint })
}

/// `CN=reader, O=Example \, Sons` as sorted parts.
fn parts(text: &str) -> Result<Vec<String>, String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in text.chars() {
        match (escaped, c) {
            (false, '\\') => escaped = true,
            (false, ',') => parts.push(String::new()),
            _ => {
                escaped = false;
                if let Some(last) = parts.last_mut() {
                    last.push(c);
                }
            }
        }
    }
    if parts.len() > MAX_PARTS {
        return Err(format!("a subject of {} parts; the limit is {MAX_PARTS}", parts.len()));
    }
    let read = |part: &String| {
        let (kind, value) = part.split_once('=').ok_or_else(|| {
            format!("'{text}' is no subject; write it like CN=reader, O=Example ISAC")
        })?;
        Ok(format!("{}={}", kind.trim(), value.trim()))
    };
    let mut parts = parts.iter().map(read).collect::<Result<Vec<_>, String>>()?;
    parts.sort();
    Ok(parts)
}

fn san(text: &str) -> Result<String, String> {
    let known = text.split_once(':').and_then(|(kind, value)| match kind {
        "dns" | "email" => Some(format!("{kind}:{}", value.to_ascii_lowercase())),
        "uri" => Some(text.to_owned()),
        "ip" => value.parse::<std::net::IpAddr>().ok().map(|ip| format!("ip:{ip}")),
        _ => None,
    });
    known.ok_or_else(|| {
        format!("'{text}' is no alternative name; write dns:NAME, email:…, uri:… or ip:…")
    })
}

fn digest(text: &str) -> Result<String, String> {
    let hex: String = text.chars().filter(|c| *c != ':').collect::<String>().to_ascii_lowercase();
    let fits = hex.len() == 64 && hex.chars().all(|c| c.is_ascii_hexdigit());
    fits.then_some(hex).ok_or_else(|| format!("'{text}' is no SHA-256 fingerprint (64 hex digits)"))
}

fn read(file: &Path) -> Result<Vec<u8>, IdentityError> {
    let wrong = |cause: String| {
        IdentityError::Invalid(format!("identity.client_ca: {}: {cause}", file.display()))
    };
    let size = std::fs::metadata(file).map_err(|cause| wrong(cause.to_string()))?.len();
    if size > MAX_FILE_BYTES {
        return Err(wrong(format!("{size} bytes; the limit is {MAX_FILE_BYTES}")));
    }
    std::fs::read(file).map_err(|cause| wrong(cause.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn subjects_are_the_same_in_any_order_and_commas_can_be_escaped() {
        assert_eq!(parts("CN=a, O=b").unwrap(), parts("O = b,CN = a").unwrap());
        assert_eq!(parts(r"O=Sons\, Ltd").unwrap(), ["O=Sons, Ltd"]);
        assert_ne!(parts("CN=a").unwrap(), parts("CN=a,CN=b").unwrap());
        assert!(parts("reader").is_err());
    }

    #[test]
    fn a_rule_says_something() {
        let nothing = SubjectAccount { account: "isac".into(), ..SubjectAccount::default() };
        assert!(rule(&nothing).unwrap_err().contains("any certificate"));
        let fingerprint = SubjectAccount {
            account: "isac".into(),
            fingerprint: Some(format!("AB:{}", "cd".repeat(31))),
            ..SubjectAccount::default()
        };
        assert_eq!(
            rule(&fingerprint).unwrap().fingerprint.unwrap(),
            format!("ab{}", "cd".repeat(31))
        );
        let short = SubjectAccount { fingerprint: Some("ab".into()), ..fingerprint };
        assert!(rule(&short).unwrap_err().contains("64 hex digits"));
        assert!(san("reader.example").is_err());
        assert_eq!(san("dns:Reader.Example").unwrap(), "dns:reader.example");
    }
}
