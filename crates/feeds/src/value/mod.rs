//! Observable values: what a text is, its one normal form, and how STIX says it.
//!
//! Two spellings of the same thing have the same [`Observable`], so that equality of observables is
//! exact de-duplication. Normal forms: lower case where the kind does not tell cases apart, host
//! names in ASCII (punycode) without a trailing dot, IPv6 compressed, networks without host bits,
//! URLs as the WHATWG URL standard serialises them (default port left out), registry hives in full.

mod bitcoin;
mod digest;
mod host;
mod ids;
mod path;
mod scope;
mod stix_form;
mod tld;

use std::fmt;

pub(crate) use host::url_host;
pub(crate) use path::has_root;
pub use scope::Scope;
pub use tld::{is_file_extension, is_known_tld};

/// Longest text that is taken for a value, in bytes.
pub const MAX_VALUE_BYTES: usize = 4_096;

/// What a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// IPv4 address.
    Ipv4,
    /// IPv4 network in CIDR notation, prefix below 32.
    Ipv4Net,
    /// IPv6 address.
    Ipv6,
    /// IPv6 network in CIDR notation, prefix below 128.
    Ipv6Net,
    /// Host or domain name.
    Domain,
    /// Host and port, `host:port`, IPv6 in brackets.
    Endpoint,
    /// URL with scheme.
    Url,
    /// E-mail address.
    Email,
    /// MD5 of a file.
    Md5,
    /// SHA-1 of a file.
    Sha1,
    /// SHA-224 of a file.
    Sha224,
    /// SHA-256 of a file.
    Sha256,
    /// SHA-384 of a file.
    Sha384,
    /// SHA-512 of a file.
    Sha512,
    /// Context-triggered piecewise hash.
    Ssdeep,
    /// Trend Micro locality sensitive hash.
    Tlsh,
    /// MD5 over the import table of a PE file; has the form of an MD5, so only context tells.
    Imphash,
    /// Vulnerability of the CVE programme.
    Cve,
    /// Advisory of the GitHub advisory database.
    Ghsa,
    /// MAC address of 48 bits.
    Mac,
    /// Autonomous system number.
    Asn,
    /// Name of a file without folder.
    FileName,
    /// Path of a file, Windows or Unix.
    FilePath,
    /// Windows registry key.
    RegistryKey,
    /// Bitcoin address with a right checksum.
    Bitcoin,
    /// HTTP user agent.
    UserAgent,
}

/// Every kind, in the order of its declaration.
pub const KINDS: &[Kind] = &[
    Kind::Ipv4,
    Kind::Ipv4Net,
    Kind::Ipv6,
    Kind::Ipv6Net,
    Kind::Domain,
    Kind::Endpoint,
    Kind::Url,
    Kind::Email,
    Kind::Md5,
    Kind::Sha1,
    Kind::Sha224,
    Kind::Sha256,
    Kind::Sha384,
    Kind::Sha512,
    Kind::Ssdeep,
    Kind::Tlsh,
    Kind::Imphash,
    Kind::Cve,
    Kind::Ghsa,
    Kind::Mac,
    Kind::Asn,
    Kind::FileName,
    Kind::FilePath,
    Kind::RegistryKey,
    Kind::Bitcoin,
    Kind::UserAgent,
];

impl Kind {
    /// Short name, as it is stored and typed by people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv4Net => "ipv4-net",
            Self::Ipv6 => "ipv6",
            Self::Ipv6Net => "ipv6-net",
            Self::Domain => "domain",
            Self::Endpoint => "endpoint",
            Self::Url => "url",
            Self::Email => "email",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::Ssdeep => "ssdeep",
            Self::Tlsh => "tlsh",
            Self::Imphash => "imphash",
            Self::Cve => "cve",
            Self::Ghsa => "ghsa",
            Self::Mac => "mac",
            Self::Asn => "asn",
            Self::FileName => "file-name",
            Self::FilePath => "file-path",
            Self::RegistryKey => "registry-key",
            Self::Bitcoin => "bitcoin",
            Self::UserAgent => "user-agent",
        }
    }

    /// The kind of a name that [`Kind::name`] gives.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        KINDS.iter().copied().find(|kind| kind.name() == name)
    }

    /// Whether values of the kind are hexadecimal digests of a file.
    #[must_use]
    pub const fn is_digest(self) -> bool {
        matches!(
            self,
            Self::Md5 | Self::Sha1 | Self::Sha224 | Self::Sha256 | Self::Sha384 | Self::Sha512
        )
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a text is no value (of the kind asked for).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAValue {
    /// Nothing but blanks.
    #[error("empty")]
    Empty,
    /// Longer than [`MAX_VALUE_BYTES`].
    #[error("longer than {MAX_VALUE_BYTES} bytes; cut it or leave it out")]
    TooLong,
    /// Control characters inside.
    #[error("contains control characters")]
    Control,
    /// No kind fits.
    #[error("is of no known kind")]
    UnknownKind,
    /// A name with `*`: it stands for many values, which an exact value cannot.
    #[error("is a wildcard, which names no single value")]
    Wildcard,
    /// It is not of the kind asked for.
    #[error("is no {0}")]
    NotOf(Kind),
    /// A checksum is wrong.
    #[error("has a wrong checksum for {0}")]
    Checksum(Kind),
}

/// A value with its kind, in normal form.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct Observable {
    kind: Kind,
    value: String,
}

impl Observable {
    /// Judges by the form alone what a text is. An MD5 is never taken for an import hash, and a
    /// name whose last label is both a file ending and a top-level domain is a domain name: say
    /// what you know with [`Observable::of_kind`].
    ///
    /// # Errors
    /// [`NotAValue`] with the reason.
    pub fn classify(text: &str) -> Result<Self, NotAValue> {
        let text = checked(text)?;
        let bytes = text.as_bytes();
        let first = bytes[0];
        let make = |(kind, value)| Self { kind, value };
        if first.is_ascii_hexdigit() || first == b':' {
            if let Some(found) = host::address(text) {
                return Ok(make(found));
            }
            if let Some(found) = digest::hexadecimal(text) {
                return Ok(make(found));
            }
        }
        if let Some(at) = memchr::memchr(b':', bytes)
            && bytes[at..].starts_with(b"://")
        {
            return host::url(text)
                .map(|value| Self { kind: Kind::Url, value })
                .ok_or(NotAValue::NotOf(Kind::Url));
        }
        if let Some(found) = ids::any(text).or_else(|| path::any(text)) {
            return Ok(make(found));
        }
        if bytes.contains(&b'*') {
            return Err(NotAValue::Wildcard);
        }
        let likely = [
            (bytes.contains(&b'@'), host::email as fn(&str) -> Option<String>, Kind::Email),
            (bytes.contains(&b':'), host::endpoint, Kind::Endpoint),
            (bytes.contains(&b':'), digest::ssdeep, Kind::Ssdeep),
            (bytes.contains(&b' '), path::user_agent, Kind::UserAgent),
            (bytes.starts_with(b"T1"), digest::tlsh, Kind::Tlsh),
            (matches!(first, b'1' | b'3' | b'b' | b'B'), bitcoin::address, Kind::Bitcoin),
            (true, name_of_file, Kind::FileName),
            (true, host::domain, Kind::Domain),
        ];
        for (possible, read, kind) in likely {
            if possible && let Some(value) = read(text) {
                return Ok(Self { kind, value });
            }
        }
        Err(NotAValue::UnknownKind)
    }

    /// Reads a text whose kind is known, such as from a column that says so.
    ///
    /// # Errors
    /// [`NotAValue`] with the reason.
    pub fn of_kind(kind: Kind, text: &str) -> Result<Self, NotAValue> {
        let text = checked(text)?;
        let only = |(found, value): (Kind, String)| (found == kind).then_some(value);
        let value = match kind {
            Kind::Ipv4 | Kind::Ipv4Net | Kind::Ipv6 | Kind::Ipv6Net => {
                host::address(text).and_then(only)
            }
            Kind::Domain if text.contains('*') => return Err(NotAValue::Wildcard),
            Kind::Domain => host::domain(text),
            Kind::Endpoint => host::endpoint(text),
            Kind::Url => host::url(text),
            Kind::Email => host::email(text),
            Kind::Imphash => digest::hexadecimal(text)
                .and_then(|(found, value)| (found == Kind::Md5).then_some(value)),
            Kind::Md5 | Kind::Sha1 | Kind::Sha224 | Kind::Sha256 | Kind::Sha384 | Kind::Sha512 => {
                digest::hexadecimal(text).and_then(only)
            }
            Kind::Ssdeep => digest::ssdeep(text),
            Kind::Tlsh => digest::tlsh(text),
            Kind::Cve => ids::cve(text),
            Kind::Ghsa => ids::ghsa(text),
            Kind::Mac => ids::mac(text, true),
            Kind::Asn => ids::asn(text, true),
            Kind::FileName => path::file_name(text),
            Kind::FilePath => path::file_path(text),
            Kind::RegistryKey => path::registry_key(text),
            Kind::Bitcoin => {
                let value = bitcoin::address(text);
                if value.is_none() && bitcoin::has_form(text) {
                    return Err(NotAValue::Checksum(kind));
                }
                value
            }
            Kind::UserAgent => Some(text.to_owned()),
        };
        value.map(|value| Self { kind, value }).ok_or(NotAValue::NotOf(kind))
    }

    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The value in its normal form.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Kind and normal form, for those who store them apart.
    #[must_use]
    pub fn into_parts(self) -> (Kind, String) {
        (self.kind, self.value)
    }

    /// Where the value means something: public, private, for documentation …
    #[must_use]
    pub fn scope(&self) -> Scope {
        scope::of(self)
    }

    /// The host inside a URL, an endpoint or an e-mail address, as an observable of its own.
    #[must_use]
    pub fn host(&self) -> Option<Self> {
        let text = match self.kind {
            Kind::Url => host::url_host(&self.value)?,
            Kind::Endpoint => self.value.rsplit_once(':')?.0,
            Kind::Email => self.value.rsplit_once('@')?.1,
            _ => return None,
        };
        let text = text.trim_start_matches('[').trim_end_matches(']');
        let (kind, value) = host::address(text)
            .or_else(|| host::domain(text).map(|value| (Kind::Domain, value)))?;
        Some(Self { kind, value })
    }
}

impl fmt::Display for Observable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, self.value)
    }
}

/// The normal form of whatever a person or a program asks for: that of its kind where it has one,
/// else trimmed and in lower case.
#[must_use]
pub fn normal(text: &str) -> String {
    Observable::classify(text)
        .map_or_else(|_| text.trim().to_lowercase(), |observable| observable.value)
}

fn checked(text: &str) -> Result<&str, NotAValue> {
    let text = text.trim();
    if text.is_empty() {
        return Err(NotAValue::Empty);
    }
    if text.len() > MAX_VALUE_BYTES {
        return Err(NotAValue::TooLong);
    }
    if text.chars().any(char::is_control) {
        return Err(NotAValue::Control);
    }
    Ok(text)
}

/// A name that ends like a file and not like a host: `setup.exe`, not `main.rs`.
fn name_of_file(text: &str) -> Option<String> {
    let (_, ending) = text.rsplit_once('.')?;
    (is_file_extension(ending) && !is_known_tld(ending)).then(|| path::file_name(text)).flatten()
}

#[cfg(test)]
mod tests;
