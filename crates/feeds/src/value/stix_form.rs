//! How STIX 2.1 says a value: cyber observable, its deterministic id, a pattern.

use serde_json::{Map, Value, json};
use stix::{Object, StixId, id};

use super::{Kind, Observable};

impl Observable {
    /// The cyber observable (STIX 2.1 §6). `None` for kinds that the standard has no observable
    /// for: endpoints (a traffic needs a protocol), vulnerabilities, bitcoin addresses, user agents.
    #[must_use]
    pub fn sco(&self) -> Option<Object> {
        let (kind, name, value) = self.contributing()?;
        let mut properties = Map::new();
        properties.insert("type".into(), json!(kind));
        properties.insert("spec_version".into(), json!("2.1"));
        properties.insert("id".into(), Value::Null);
        properties.insert(name.into(), value);
        if self.kind == Kind::Asn {
            properties.insert("name".into(), json!(self.value));
        }
        properties["id"] = json!(id::deterministic(kind, &properties)?.as_str());
        Some(Object::from_map(properties))
    }

    /// The deterministic id of [`Observable::sco`] (STIX 2.1 §2.9).
    #[must_use]
    pub fn id(&self) -> Option<StixId> {
        let (kind, name, value) = self.contributing()?;
        let mut properties = Map::new();
        properties.insert(name.into(), value);
        id::deterministic(kind, &properties)
    }

    /// A digest as STIX writes it: TLSH as 70 digits, as before its version 4.
    fn hash(&self) -> &str {
        match self.kind {
            Kind::Tlsh => self.value.strip_prefix("T1").unwrap_or(&self.value),
            _ => &self.value,
        }
    }

    /// Object type, and the one property that makes the id.
    fn contributing(&self) -> Option<(&'static str, &'static str, Value)> {
        let text = || json!(self.value);
        Some(match self.kind {
            Kind::Ipv4 | Kind::Ipv4Net => ("ipv4-addr", "value", text()),
            Kind::Ipv6 | Kind::Ipv6Net => ("ipv6-addr", "value", text()),
            Kind::Domain => ("domain-name", "value", text()),
            Kind::Url => ("url", "value", text()),
            Kind::Email => ("email-addr", "value", text()),
            Kind::Mac => ("mac-addr", "value", text()),
            Kind::Asn => {
                let number: u32 = self.value.strip_prefix("AS")?.parse().ok()?;
                ("autonomous-system", "number", json!(number))
            }
            Kind::RegistryKey => ("windows-registry-key", "key", text()),
            Kind::FileName => ("file", "name", text()),
            Kind::FilePath => {
                let cut = self.value.rfind(['\\', '/'])? + 1;
                let name = &self.value[cut..];
                if name.is_empty() {
                    ("directory", "path", text())
                } else {
                    ("file", "name", json!(name))
                }
            }
            _ => {
                let mut hashes = Map::new();
                hashes.insert(hash_name(self.kind)?.into(), json!(self.hash()));
                ("file", "hashes", Value::Object(hashes))
            }
        })
    }

    /// A pattern that finds the value (STIX 2.1 §9). `None` for vulnerabilities and bitcoin
    /// addresses, of which no observation speaks.
    #[must_use]
    pub fn pattern(&self) -> Option<String> {
        let value = quoted(&self.value);
        Some(match self.kind {
            Kind::Ipv4Net => format!("[ipv4-addr:value ISSUBSET {value}]"),
            Kind::Ipv6Net => format!("[ipv6-addr:value ISSUBSET {value}]"),
            Kind::Asn => {
                format!("[autonomous-system:number = {}]", self.value.strip_prefix("AS")?)
            }
            Kind::Endpoint => {
                let (host, port) = self.value.rsplit_once(':')?;
                let host = quoted(host.trim_matches(['[', ']']));
                format!(
                    "[network-traffic:dst_ref.value = {host} AND network-traffic:dst_port = {port}]"
                )
            }
            Kind::UserAgent => format!(
                "[network-traffic:extensions.'http-request-ext'.request_header.'User-Agent' = {value}]"
            ),
            Kind::FilePath => {
                let cut = self.value.rfind(['\\', '/'])?;
                let (folder, name) = (&self.value[..cut], &self.value[cut + 1..]);
                match (folder.is_empty(), name.is_empty()) {
                    (_, true) => format!("[directory:path = {value}]"),
                    (true, false) => format!("[file:name = {}]", quoted(name)),
                    (false, false) => format!(
                        "[file:name = {} AND file:parent_directory_ref.path = {}]",
                        quoted(name),
                        quoted(folder)
                    ),
                }
            }
            Kind::Cve | Kind::Ghsa | Kind::Bitcoin => return None,
            _ => match hash_name(self.kind) {
                Some(name) => format!("[file:hashes.'{name}' = '{}']", self.hash()),
                None => {
                    let (kind, property, _) = self.contributing()?;
                    stix::pattern::equals(&format!("{kind}:{property}"), &self.value)
                }
            },
        })
    }
}

/// Keys of `hashes` (STIX 2.1 `hash-algorithm-ov`; `IMPHASH` and `SHA-224`, `SHA-384` are not in
/// the open vocabulary and follow its spelling).
fn hash_name(kind: Kind) -> Option<&'static str> {
    Some(match kind {
        Kind::Md5 => "MD5",
        Kind::Sha1 => "SHA-1",
        Kind::Sha224 => "SHA-224",
        Kind::Sha256 => "SHA-256",
        Kind::Sha384 => "SHA-384",
        Kind::Sha512 => "SHA-512",
        Kind::Ssdeep => "SSDEEP",
        Kind::Tlsh => "TLSH",
        Kind::Imphash => "IMPHASH",
        _ => return None,
    })
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
