//! What a client certificate says, read once: TLS has verified that an authority we trust signed it, this tells which
//! one and what for.

use std::net::IpAddr;
use std::sync::Arc;

use model::Timestamp;
use x509_parser::objects::{oid_registry, oid2abbrev};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::Identity;
use crate::authority::{PROGRAM_URI, common_name, fingerprint, public_key_digest};

/// Alternative names of a certificate that are looked at.
const MAX_NAMES: usize = 64;

/// For whom a certificate was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// By our authority for a node: its id, and the digest of its key.
    Node { name: String, key: String },
    /// By our authority for a program.
    Program,
    /// By an authority outside.
    Outside,
    /// By our authority, but it names nobody.
    Nobody,
}

/// A certificate read.
#[derive(Clone, Debug)]
pub(crate) struct Shown {
    pub(crate) holder: Holder,
    /// SHA-256 of the whole, hex.
    pub(crate) fingerprint: String,
    pub(crate) not_after: Timestamp,
    /// The parts of the subject, `CN=reader`, sorted.
    pub(crate) subject: Vec<String>,
    /// `dns:NAME`, `email:ADDRESS`, `uri:URI`, `ip:ADDRESS`.
    pub(crate) names: Vec<String>,
}

impl Identity {
    /// Reads a certificate; the same bytes are read once.
    pub(crate) fn shown_certificate(&self, der: &[u8]) -> Option<Arc<Shown>> {
        let key = fingerprint(der);
        let (known, change) = self.inner.shown.get(&key);
        if known.is_some() {
            return known;
        }
        let (_, certificate) = X509Certificate::from_der(der).ok()?;
        let names = names(&certificate);
        let holder = if !self.inner.authority.has_signed(&certificate) {
            Holder::Outside
        } else if names.iter().any(|name| name.starts_with(&format!("uri:{PROGRAM_URI}"))) {
            Holder::Program
        } else {
            match (common_name(der), public_key_digest(der)) {
                (Some(name), Some(key)) => Holder::Node { name, key },
                _ => Holder::Nobody,
            }
        };
        let shown = Arc::new(Shown {
            holder,
            fingerprint: key.clone(),
            not_after: Timestamp::from_secs(certificate.validity().not_after.timestamp()),
            subject: subject(&certificate),
            names,
        });
        self.inner.shown.keep(change, key, Arc::clone(&shown));
        Some(shown)
    }
}

fn subject(certificate: &X509Certificate<'_>) -> Vec<String> {
    let mut parts: Vec<String> = certificate
        .subject()
        .iter_attributes()
        .map(|part| {
            let kind = oid2abbrev(part.attr_type(), oid_registry())
                .map_or_else(|_| part.attr_type().to_id_string(), str::to_owned);
            // What is no text stays different from every text.
            format!("{kind}={}", part.as_str().unwrap_or("\u{0}"))
        })
        .collect();
    parts.sort();
    parts
}

fn names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return vec![] };
    let all = extension.value.general_names.iter().take(MAX_NAMES);
    all.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(format!("dns:{}", name.to_ascii_lowercase())),
        GeneralName::RFC822Name(name) => Some(format!("email:{}", name.to_ascii_lowercase())),
        GeneralName::URI(uri) => Some(format!("uri:{uri}")),
        GeneralName::IPAddress(bytes) => {
            let four = <[u8; 4]>::try_from(*bytes).map(IpAddr::from);
            let ip = four.or_else(|_| <[u8; 16]>::try_from(*bytes).map(IpAddr::from)).ok()?;
            Some(format!("ip:{ip}"))
        }
        _ => None,
    })
    .collect()
}
