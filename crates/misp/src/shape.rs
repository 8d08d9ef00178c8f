//! What an attribute type becomes in STIX: one table for both directions.

use serde_json::{Map, Value, json};
use stix::Object;

use crate::sound::whole_key;

/// The STIX form of an attribute type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// One observable with the value in one property.
    One(&'static str, &'static str),
    /// `autonomous-system` with a number.
    As,
    /// A text property of an `email-message`.
    Message(&'static str),
    /// `received_lines`
    Received,
    /// A header field, with its name in patterns.
    Header(&'static str, &'static str),
    /// Recipient.
    To,
    /// Sender.
    From,
    /// Attached file's name.
    Attached,
    /// A hash of a file: names in objects and in patterns.
    Hash(&'static str, &'static str),
    /// `filename|hash`
    NamedHash(&'static str, &'static str),
    /// A certificate's fingerprint.
    Certificate(&'static str),
    /// An address as `src` or `dst` of traffic.
    Ip(&'static str),
    /// The same with a port.
    IpPort(&'static str),
    /// `hostname|port`
    HostPort,
    /// `domain|ip`
    DomainIp,
    /// `regkey|value`
    RegistryValue,
    /// `github-username`
    Account,
    /// A file with content.
    Attachment,
    /// An infected file with content.
    Sample,
    /// An indicator where it is for detection, custom otherwise: the path.
    Only(&'static str),
    /// `vulnerability`
    Vulnerability,
    /// `campaign`
    Campaign,
    /// A rule of another language.
    Rule,
    /// `x-misp-attribute`
    Custom,
}

/// Names of hash algorithms: MISP, in objects, in patterns. The spelling is that of misp-stix.
const HASHES: [(&str, &str, &str); 21] = [
    ("md5", "MD5", "MD5"),
    ("sha1", "SHA-1", "SHA-1"),
    ("sha224", "SHA224", "SHA-224"),
    ("sha256", "SHA-256", "SHA-256"),
    ("sha384", "SHA384", "SHA-384"),
    ("sha512", "SHA-512", "SHA-512"),
    ("sha512/224", "SHA224", "SHA-224"),
    ("sha512/256", "SHA-256", "SHA-256"),
    ("sha3-224", "SHA3224", "SHA3-224"),
    ("sha3-256", "SHA3-256", "SHA3-256"),
    ("sha3-384", "SHA3384", "SHA3-384"),
    ("sha3-512", "SHA3-512", "SHA3-512"),
    ("ssdeep", "SSDEEP", "SSDEEP"),
    ("tlsh", "TLSH", "TLSH"),
    ("authentihash", "AUTHENTIHASH", "AUTHENTIHASH"),
    ("imphash", "IMPHASH", "IMPHASH"),
    ("vhash", "VHASH", "VHASH"),
    ("impfuzzy", "IMPFUZZY", "IMPFUZZY"),
    ("pehash", "PEHASH", "PEHASH"),
    ("cdhash", "CDHASH", "CDHASH"),
    ("telfhash", "TELFHASH", "TELFHASH"),
];

/// The algorithm of a MISP type: its names in objects and in patterns.
pub(crate) fn hash_names(kind: &str) -> Option<(&'static str, &'static str)> {
    HASHES.iter().find(|(name, ..)| *name == kind).map(|(_, object, pattern)| (*object, *pattern))
}

/// The MISP type for the name of an algorithm in STIX.
pub(crate) fn hash_type(name: &str) -> Option<&'static str> {
    HASHES
        .iter()
        .find(|(_, object, pattern)| {
            object.eq_ignore_ascii_case(name) || pattern.eq_ignore_ascii_case(name)
        })
        .map(|(kind, ..)| *kind)
}

/// The form of a type.
pub(crate) fn shape(kind: &str) -> Shape {
    match kind {
        "AS" => Shape::As,
        "domain" | "hostname" => Shape::One("domain-name", "value"),
        "url" | "uri" | "link" => Shape::One("url", "value"),
        "email" => Shape::One("email-addr", "value"),
        "mac-address" => Shape::One("mac-addr", "value"),
        "mutex" => Shape::One("mutex", "name"),
        "filename" => Shape::One("file", "name"),
        "regkey" => Shape::One("windows-registry-key", "key"),
        "email-body" => Shape::Message("body"),
        "email-subject" => Shape::Message("subject"),
        "email-message-id" => Shape::Message("message_id"),
        "email-header" => Shape::Received,
        "email-reply-to" => Shape::Header("Reply-To", "reply_to"),
        "email-x-mailer" => Shape::Header("X-Mailer", "x_mailer"),
        "email-dst" => Shape::To,
        "email-src" => Shape::From,
        "email-attachment" => Shape::Attached,
        "ip-src" => Shape::Ip("src"),
        "ip-dst" => Shape::Ip("dst"),
        "ip-src|port" => Shape::IpPort("src"),
        "ip-dst|port" => Shape::IpPort("dst"),
        "hostname|port" => Shape::HostPort,
        "domain|ip" => Shape::DomainIp,
        "regkey|value" => Shape::RegistryValue,
        "github-username" => Shape::Account,
        "attachment" => Shape::Attachment,
        "malware-sample" => Shape::Sample,
        "size-in-bytes" => Shape::Only("file:size"),
        "port" => Shape::Only("network-traffic:dst_port"),
        "http-method" => {
            Shape::Only("network-traffic:extensions.'http-request-ext'.request_method")
        }
        "user-agent" => {
            Shape::Only("network-traffic:extensions.'http-request-ext'.request_header.'User-Agent'")
        }
        "vulnerability" => Shape::Vulnerability,
        "campaign-name" => Shape::Campaign,
        "sigma" | "snort" | "suricata" | "yara" => Shape::Rule,
        "x509-fingerprint-md5" => Shape::Certificate("MD5"),
        "x509-fingerprint-sha1" => Shape::Certificate("SHA-1"),
        "x509-fingerprint-sha256" => Shape::Certificate("SHA-256"),
        _ => match (hash_names(kind), kind.strip_prefix("filename|").and_then(hash_names)) {
            (Some((object, pattern)), _) => Shape::Hash(object, pattern),
            (None, Some((object, pattern))) => Shape::NamedHash(object, pattern),
            (None, None) => Shape::Custom,
        },
    }
}

/// Observables and the tests of the pattern, for one attribute.
#[derive(Debug, Default)]
pub(crate) struct Built {
    pub(crate) observables: Vec<Map<String, Value>>,
    /// Object path and value.
    pub(crate) tests: Vec<(String, String)>,
}

impl Built {
    fn add(mut self, kind: &str, uuid: &str, properties: Value) -> Self {
        let mut map = Map::new();
        map.insert("type".to_owned(), kind.into());
        map.insert("spec_version".to_owned(), "2.1".into());
        map.insert("id".to_owned(), format!("{kind}--{uuid}").into());
        if let Value::Object(properties) = properties {
            map.extend(properties);
        }
        self.observables.push(map);
        self
    }

    fn test(mut self, path: impl Into<String>, value: &str) -> Self {
        self.tests.push((path.into(), value.to_owned()));
        self
    }
}

fn address_kind(address: &str) -> Option<&'static str> {
    let bare = address.split_once('/').map_or(address, |(bare, _)| bare);
    match bare.parse::<std::net::IpAddr>().ok()? {
        std::net::IpAddr::V4(_) => Some("ipv4-addr"),
        std::net::IpAddr::V6(_) => Some("ipv6-addr"),
    }
}

/// A key of a path, quoted where the grammar wants it.
pub(crate) fn quoted(key: &str) -> String {
    if key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        key.to_owned()
    } else {
        format!("'{key}'")
    }
}

fn pair(value: &str) -> Option<(&str, &str)> {
    value.split_once('|').filter(|(_, second)| !second.contains('|'))
}

/// Observables and pattern of a value. `None`: the value does not fit the form, so it becomes a custom object.
pub(crate) fn build(shape: Shape, uuid: &str, value: &str, data: Option<&str>) -> Option<Built> {
    let built = Built::default();
    Some(match shape {
        Shape::One(kind, property) => {
            let value = match kind {
                "mac-addr" => value.to_ascii_lowercase(),
                "windows-registry-key" => whole_key(value),
                _ => value.to_owned(),
            };
            built.test(format!("{kind}:{property}"), &value).add(
                kind,
                uuid,
                json!({property: value}),
            )
        }
        Shape::As => {
            let digits =
                value.strip_prefix("AS").or_else(|| value.strip_prefix("as")).unwrap_or(value);
            let number: u32 = digits.parse().ok()?;
            built.test("autonomous-system:number", &number.to_string()).add(
                "autonomous-system",
                uuid,
                json!({"number": number}),
            )
        }
        Shape::Ip(_) | Shape::IpPort(_) | Shape::HostPort | Shape::DomainIp => {
            return traffic(shape, uuid, value);
        }
        Shape::Hash(..) | Shape::NamedHash(..) | Shape::Certificate(_) => {
            return hashed(shape, uuid, value);
        }
        Shape::RegistryValue => {
            let (key, data) = pair(value)?;
            let key = whole_key(key.trim());
            built
                .test("windows-registry-key:key", &key)
                .test("windows-registry-key:values.data", data.trim())
                .add(
                    "windows-registry-key",
                    uuid,
                    json!({"key": key, "values": [{"data": data.trim()}]}),
                )
        }
        Shape::Account => built
            .test("user-account:account_type", "github")
            .test("user-account:account_login", value)
            .add("user-account", uuid, json!({"account_login": value, "account_type": "github"})),
        Shape::Only(path) => built.test(path, value),
        Shape::Attachment | Shape::Sample => return file(shape, uuid, value, data),
        Shape::Vulnerability | Shape::Campaign | Shape::Rule | Shape::Custom => return None,
        _ => message(shape, uuid, value),
    })
}

/// Addresses and names, alone and in traffic.
fn traffic(shape: Shape, uuid: &str, value: &str) -> Option<Built> {
    let built = Built::default();
    let id = |kind: &str| format!("{kind}--{uuid}");
    Some(match shape {
        Shape::Ip(side) => {
            let kind = address_kind(value)?;
            built
                .test(format!("network-traffic:{side}_ref.type"), kind)
                .test(format!("network-traffic:{side}_ref.value"), value)
                .add(
                    "network-traffic",
                    uuid,
                    json!({format!("{side}_ref"): id(kind), "protocols": ["tcp"]}),
                )
                .add(kind, uuid, json!({"value": value}))
        }
        Shape::IpPort(side) => {
            let (address, port) = pair(value)?;
            let kind = address_kind(address)?;
            let number: u16 = port.parse().ok()?;
            built
                .test(format!("network-traffic:{side}_ref.type"), kind)
                .test(format!("network-traffic:{side}_ref.value"), address)
                .test(format!("network-traffic:{side}_port"), port)
                .add(
                    "network-traffic",
                    uuid,
                    json!({format!("{side}_ref"): id(kind), format!("{side}_port"): number, "protocols": ["tcp"]}),
                )
                .add(kind, uuid, json!({"value": address}))
        }
        Shape::HostPort => {
            let (host, port) = pair(value)?;
            let number: u16 = port.parse().ok()?;
            let refers =
                json!({"dst_ref": id("domain-name"), "dst_port": number, "protocols": ["tcp"]});
            built
                .test("domain-name:value", host)
                .test("network-traffic:dst_port", port)
                .add("domain-name", uuid, json!({"value": host}))
                .add("network-traffic", uuid, refers)
        }
        Shape::DomainIp => {
            let (domain, address) = pair(value)?;
            let kind = address_kind(address)?;
            built
                .test("domain-name:value", domain)
                .test("domain-name:resolves_to_refs[*].value", address)
                .add("domain-name", uuid, json!({"value": domain, "resolves_to_refs": [id(kind)]}))
                .add(kind, uuid, json!({"value": address}))
        }
        _ => return None,
    })
}

/// Hashes of files and certificates.
fn hashed(shape: Shape, uuid: &str, value: &str) -> Option<Built> {
    let built = Built::default();
    Some(match shape {
        Shape::Hash(object, pattern) => built
            .test(format!("file:hashes.{}", quoted(pattern)), value)
            .add("file", uuid, json!({"hashes": {object: value}})),
        Shape::NamedHash(object, pattern) => {
            let (name, hash) = pair(value)?;
            built
                .test("file:name", name)
                .test(format!("file:hashes.{}", quoted(pattern)), hash)
                .add("file", uuid, json!({"hashes": {object: hash}, "name": name}))
        }
        Shape::Certificate(name) => built
            .test(format!("x509-certificate:hashes.{}", quoted(name)), value)
            .add("x509-certificate", uuid, json!({"hashes": {name: value}})),
        _ => return None,
    })
}

fn message(shape: Shape, uuid: &str, value: &str) -> Built {
    let built = Built::default();
    let address = format!("email-addr--{uuid}");
    let file = format!("file--{uuid}");
    match shape {
        Shape::Message(property) => built.test(format!("email-message:{property}"), value).add(
            "email-message",
            uuid,
            json!({"is_multipart": false, property: value}),
        ),
        Shape::Received => built.test("email-message:received_lines", value).add(
            "email-message",
            uuid,
            json!({"is_multipart": false, "received_lines": [value]}),
        ),
        Shape::Header(name, key) => {
            built.test(format!("email-message:additional_header_fields.{key}"), value).add(
                "email-message",
                uuid,
                json!({"is_multipart": false, "additional_header_fields": {name: value}}),
            )
        }
        Shape::To => built
            .test("email-message:to_refs[*].value", value)
            .add("email-message", uuid, json!({"is_multipart": false, "to_refs": [address]}))
            .add("email-addr", uuid, json!({"value": value})),
        Shape::From => built
            .test("email-message:from_ref.value", value)
            .add("email-message", uuid, json!({"is_multipart": false, "from_ref": address}))
            .add("email-addr", uuid, json!({"value": value})),
        _ => built
            .test("email-message:body_multipart[*].body_raw_ref.name", value)
            .add(
                "email-message",
                uuid,
                json!({"is_multipart": true, "body_multipart": [{"body_raw_ref": file,
                    "content_disposition": format!("attachment; filename='{value}'")}]}),
            )
            .add("file", uuid, json!({"name": value})),
    }
}

/// Files with content. A sample without content is a name with a hash, an attachment without content a name.
fn file(shape: Shape, uuid: &str, value: &str, data: Option<&str>) -> Option<Built> {
    let built = Built::default();
    let artifact = format!("artifact--{uuid}");
    if shape == Shape::Attachment {
        let Some(data) = data else { return build(Shape::One("file", "name"), uuid, value, None) };
        return Some(
            built
                .test("file:name", value)
                .test("file:content_ref.payload_bin", data)
                .add("file", uuid, json!({"name": value, "content_ref": artifact}))
                .add("artifact", uuid, json!({"payload_bin": data})),
        );
    }
    let Some(data) = data else { return build(Shape::NamedHash("MD5", "MD5"), uuid, value, None) };
    let (name, hash) =
        value.split_once('|').map_or((value, None), |(name, hash)| (name, Some(hash)));
    let mut properties = json!({"name": name, "content_ref": artifact});
    let mut built = built.test("file:content_ref.payload_bin", data).test("file:name", name);
    if let Some(hash) = hash {
        properties["hashes"] = json!({"MD5": hash});
        built = built.test("file:hashes.MD5", hash);
    }
    let rest = json!({"mime_type": "application/zip", "encryption_algorithm": "mime-type-indicated",
        "decryption_key": "infected"});
    for name in ["mime_type", "encryption_algorithm", "decryption_key"] {
        built =
            built.test(format!("file:content_ref.{name}"), rest[name].as_str().unwrap_or_default());
    }
    let mut content = rest;
    content["payload_bin"] = data.into();
    Some(built.add("file", uuid, properties).add("artifact", uuid, content))
}

/// The value back from the observables; with content where there is.
pub(crate) fn value(shape: Shape, objects: &[&Object]) -> Option<(String, Option<String>)> {
    let of = |kind: &str| objects.iter().copied().find(|object| object.kind() == kind);
    let text = |kind: &str, name: &str| of(kind)?.get(name).and_then(crate::carry::text_of);
    let inner = |kind: &str, name: &str, key: &str| {
        of(kind)?.get(name)?.get(key)?.as_str().map(str::to_owned)
    };
    let address = || {
        let object =
            objects.iter().find(|object| matches!(object.kind(), "ipv4-addr" | "ipv6-addr"))?;
        object.text("value").map(str::to_owned)
    };
    let plain = match shape {
        Shape::One(kind, property) => text(kind, property)?,
        Shape::As => format!("AS{}", text("autonomous-system", "number")?),
        Shape::Hash(object, _) => inner("file", "hashes", object)?,
        Shape::NamedHash(object, _) => {
            format!("{}|{}", text("file", "name")?, inner("file", "hashes", object)?)
        }
        Shape::Certificate(name) => inner("x509-certificate", "hashes", name)?,
        Shape::Ip(_) => address()?,
        Shape::IpPort(side) => {
            format!("{}|{}", address()?, text("network-traffic", &format!("{side}_port"))?)
        }
        Shape::HostPort => {
            format!("{}|{}", text("domain-name", "value")?, text("network-traffic", "dst_port")?)
        }
        Shape::DomainIp => format!("{}|{}", text("domain-name", "value")?, address()?),
        Shape::RegistryValue => {
            let data = of("windows-registry-key")?.get("values")?.get(0)?.get("data")?.as_str()?;
            format!("{}|{data}", text("windows-registry-key", "key")?)
        }
        Shape::Account => text("user-account", "account_login")?,
        Shape::Message(property) => text("email-message", property)?,
        Shape::Received => of("email-message")?.texts("received_lines").next()?.to_owned(),
        Shape::Header(name, _) => inner("email-message", "additional_header_fields", name)?,
        Shape::To | Shape::From => text("email-addr", "value")?,
        Shape::Attached => text("file", "name")?,
        Shape::Attachment => text("file", "name")?,
        Shape::Sample => match inner("file", "hashes", "MD5") {
            Some(hash) => format!("{}|{hash}", text("file", "name")?),
            None => text("file", "name")?,
        },
        Shape::Only(_) | Shape::Vulnerability | Shape::Campaign | Shape::Rule | Shape::Custom => {
            return None;
        }
    };
    Some((plain, text("artifact", "payload_bin")))
}
