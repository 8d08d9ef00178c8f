//! Which object templates have a STIX type, and how their relations become properties of it.

use serde_json::{Map, Value, json};
use stix::Timestamp;

use super::plain;
use crate::carry::text_of;
use crate::shape::quoted;
use crate::sound::may_hold_beside;

/// How a relation becomes a property. A property within another is named by its path (`values/0/name`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    /// As text.
    Text,
    /// One of a list of texts.
    List,
    /// A hash; the relation is MISP's type.
    Hash,
    /// A whole number, `AS` cut off.
    Number,
    /// A number.
    Float,
    /// Kilometres, as metres.
    Kilometres,
    /// A time.
    Time,
    /// A part of a name, between blanks.
    NamePart,
    /// `RELATION: VALUE`, one behind the other.
    Contact,
    /// The content of an attachment.
    Data,
    /// A number with a reference: `CAPEC-n` or `CVE-…`.
    Reference(&'static str),
    /// The address of a reference of this source.
    Url(&'static str),
    /// What every object of the template has.
    Fixed(&'static str),
}

impl How {
    /// Whether the property can say one value only.
    pub(crate) const fn is_once(self) -> bool {
        matches!(
            self,
            Self::Hash
                | Self::Number
                | Self::Float
                | Self::Kilometres
                | Self::Time
                | Self::NamePart
                | Self::Data
        )
    }
}

/// A template with its STIX type, whether that is an observable, and the relations that have a property.
pub(crate) type Row =
    (&'static str, &'static str, bool, &'static [(&'static str, &'static str, How)]);

use How::{
    Contact, Data, Fixed, Float, Hash, Kilometres, List, NamePart, Number, Reference, Text, Time,
    Url,
};

/// Templates with a STIX type of their own; every relation that is not named becomes `x_misp_RELATION`.
pub(crate) const TABLE: &[Row] = &[
    ("asn", "autonomous-system", true, &[("asn", "number", Number), ("description", "name", Text)]),
    ("url", "url", true, &[("url", "value", Text)]),
    (
        "file",
        "file",
        true,
        &[
            ("md5", "hashes", Hash),
            ("sha1", "hashes", Hash),
            ("sha256", "hashes", Hash),
            ("sha512", "hashes", Hash),
            ("ssdeep", "hashes", Hash),
            ("filename", "name", Text),
            ("size-in-bytes", "size", Number),
        ],
    ),
    ("mutex", "mutex", true, &[("name", "name", Text)]),
    (
        "artifact",
        "artifact",
        true,
        &[
            ("payload_bin", "payload_bin", Data),
            ("md5", "hashes", Hash),
            ("sha1", "hashes", Hash),
            ("sha256", "hashes", Hash),
            ("sha512", "hashes", Hash),
            ("ssdeep", "hashes", Hash),
            ("mime_type", "mime_type", Text),
            ("encryption_algorithm", "encryption_algorithm", Text),
            ("decryption_key", "decryption_key", Text),
        ],
    ),
    (
        "credential",
        "user-account",
        true,
        &[("username", "user_id", Text), ("password", "credential", Text)],
    ),
    (
        "user-account",
        "user-account",
        true,
        &[
            ("username", "account_login", Text),
            ("user-id", "user_id", Text),
            ("display-name", "display_name", Text),
            ("password", "credential", Text),
            ("account-type", "account_type", Text),
            ("password_last_changed", "credential_last_changed", Time),
            ("group", "extensions/unix-account-ext/groups", List),
            ("group-id", "extensions/unix-account-ext/gid", Number),
            ("home_dir", "extensions/unix-account-ext/home_dir", Text),
        ],
    ),
    (
        "registry-key-value",
        "windows-registry-key",
        true,
        &[
            ("name", "values/0/name", Text),
            ("data", "values/0/data", Text),
            ("data-type", "values/0/data_type", Text),
        ],
    ),
    (
        "attack-pattern",
        "attack-pattern",
        false,
        &[
            ("name", "name", Text),
            ("summary", "description", Text),
            ("id", "", Reference("capec")),
            ("references", "", Url("mitre-attack")),
        ],
    ),
    (
        "course-of-action",
        "course-of-action",
        false,
        &[("name", "name", Text), ("description", "description", Text)],
    ),
    (
        "vulnerability",
        "vulnerability",
        false,
        &[
            ("id", "name", Reference("cve")),
            ("summary", "description", Text),
            ("description", "description", Text),
            ("references", "", Url("url")),
        ],
    ),
    (
        "intrusion-set",
        "intrusion-set",
        false,
        &[
            ("name", "name", Text),
            ("description", "description", Text),
            ("aliases", "aliases", List),
            ("goals", "goals", List),
            ("resource_level", "resource_level", Text),
            ("primary-motivation", "primary_motivation", Text),
            ("secondary-motivation", "secondary_motivations", List),
            ("first_seen", "first_seen", Time),
            ("last_seen", "last_seen", Time),
        ],
    ),
    (
        "identity",
        "identity",
        false,
        &[
            ("name", "name", Text),
            ("description", "description", Text),
            ("identity_class", "identity_class", Text),
            ("roles", "roles", List),
            ("sectors", "sectors", List),
            ("contact_information", "contact_information", Text),
        ],
    ),
    (
        "employee",
        "identity",
        false,
        &[
            ("first-name", "name", NamePart),
            ("last-name", "name", NamePart),
            ("text", "description", Text),
            ("employee-type", "roles", List),
            ("email-address", "contact_information", Contact),
            ("", "identity_class", Fixed("individual")),
        ],
    ),
    (
        "legal-entity",
        "identity",
        false,
        &[
            ("name", "name", Text),
            ("text", "description", Text),
            ("business", "sectors", List),
            ("phone-number", "contact_information", Contact),
            ("website", "contact_information", Contact),
            ("", "identity_class", Fixed("organization")),
        ],
    ),
    (
        "geolocation",
        "location",
        false,
        &[
            ("latitude", "latitude", Float),
            ("longitude", "longitude", Float),
            ("accuracy-radius", "precision", Kilometres),
            ("region", "region", Text),
            ("countrycode", "country", Text),
            ("city", "city", Text),
            ("address", "street_address", Text),
            ("zipcode", "postal_code", Text),
        ],
    ),
];

/// The value of a relation as the property holds it; `None` where it is none.
pub(crate) fn read(how: How, text: &str) -> Option<Value> {
    let number = || text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    match how {
        How::Time => Timestamp::parse(text).ok().map(|at| plain(at).into()),
        How::Float => number().map(Value::from),
        How::Kilometres => number().map(|kilometres| Value::from(kilometres * 1_000.0)),
        _ => Some(text.into()),
    }
}

/// The place of a property, made where it is missing. Paths are those of [`TABLE`].
fn place<'m>(map: &'m mut Map<String, Value>, path: &str) -> &'m mut Value {
    let mut steps = path.split('/');
    let mut at = map.entry(steps.next().unwrap_or_default()).or_insert(Value::Null);
    for step in steps {
        if let Ok(index) = step.parse::<usize>() {
            if !at.is_array() {
                *at = json!([]);
            }
            if let Value::Array(items) = at {
                while items.len() <= index {
                    items.push(Value::Null);
                }
            }
            at = &mut at[index];
        } else {
            if !at.is_object() {
                *at = json!({});
            }
            at = &mut at[step];
        }
    }
    at
}

/// Sets a property.
pub(crate) fn put(map: &mut Map<String, Value>, path: &str, value: Value) {
    *place(map, path) = value;
}

/// Puts a value behind those of a list.
pub(crate) fn append(map: &mut Map<String, Value>, path: &str, value: Value) {
    let at = place(map, path);
    match at {
        Value::Array(items) => items.push(value),
        _ => *at = json!([value]),
    }
}

/// Puts a text behind what is there.
pub(crate) fn join(map: &mut Map<String, Value>, path: &str, text: &str, between: &str) {
    let at = place(map, path);
    *at = match at.as_str() {
        Some(before) => format!("{before}{between}{text}").into(),
        None => text.into(),
    };
}

/// Says an attribute in a property; false where that says something else already.
pub(crate) fn say(map: &mut Map<String, Value>, path: &str, how: How, of: &Value) -> bool {
    let text = |name: &str| of.get(name).and_then(text_of).unwrap_or_default();
    let value = text("value");
    match how {
        How::Number => {
            let number: u64 = value.trim_start_matches("AS").parse().unwrap_or_default();
            put(map, path, number.into());
        }
        How::List => append(map, path, value.into()),
        How::Contact => join(map, path, &format!("{}: {value}", text("object_relation")), " / "),
        How::NamePart => join(map, path, &value, " "),
        How::Data => put(map, path, of.get("data").cloned().unwrap_or_default()),
        _ if is_there(map, path) => return false,
        how => match read(how, &value) {
            Some(value) => put(map, path, value),
            None => return false,
        },
    }
    true
}

/// The value of a property.
pub(crate) fn get<'m>(map: &'m Map<String, Value>, path: &str) -> Option<&'m Value> {
    let mut steps = path.split('/');
    let first = map.get(steps.next()?)?;
    steps.try_fold(first, |at, step| match step.parse::<usize>() {
        Ok(index) => at.get(index),
        Err(_) => at.get(step),
    })
}

/// Whether a property is set.
pub(crate) fn is_there(map: &Map<String, Value>, path: &str) -> bool {
    get(map, path).is_some_and(|value| !value.is_null())
}

/// Properties that may stand only beside another: what is put there to judge the value alone. Whether the other is there
/// is for `fits` of the object to say.
const BESIDE: &[(&str, &str, &str)] = &[
    ("latitude", "longitude", "0"),
    ("longitude", "latitude", "0"),
    ("precision", "latitude", "0"),
    ("precision", "longitude", "0"),
    ("decryption_key", "encryption_algorithm", "\"AES-256-GCM\""),
];

/// Whether the STIX type may hold this value in this property.
pub(crate) fn may(kind: &str, path: &str, value: Value) -> bool {
    let mut map = Map::new();
    put(&mut map, path, value);
    let name = path.split('/').next().unwrap_or_default();
    for (_, other, text) in BESIDE.iter().filter(|(of, ..)| *of == name) {
        map.insert((*other).to_owned(), serde_json::from_str(text).unwrap_or_default());
    }
    may_hold_beside(kind, name, &map)
}

/// A property as it is named in patterns.
pub(crate) fn path(property: &str) -> String {
    let mut written = String::new();
    for step in property.split('/') {
        match step.parse::<usize>() {
            Ok(index) => written.push_str(&format!("[{index}]")),
            Err(_) if written.is_empty() => written.push_str(&quoted(step)),
            Err(_) => written.push_str(&format!(".{}", quoted(step))),
        }
    }
    written
}
