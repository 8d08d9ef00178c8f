//! What every reader of a feed gives: records, rejects with their place and reason, counts.
//!
//! A reader takes a `Read` and calls a sink for each [`Item`], in the order of the feed; memory
//! stays within the [`Limits`], whatever the feed. The sink answers `Break` to stop, which is how a
//! full queue pushes back. A reader ends with a [`Summary`], also where the feed breaks off: what
//! was read before stays read.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;

use crate::value::{Kind, NotAValue, Observable};

/// What is read at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the whole feed, unpacked.
    pub max_bytes: u64,
    /// Bytes of one line, or of one record of JSON or CSV.
    pub max_record_bytes: usize,
    /// Fields of one record.
    pub max_fields: usize,
    /// Most rejects that are handed to the sink one by one; beyond, they are only counted.
    pub max_rejects: u64,
}

/// 1 GiB, 64 KiB a record, 256 fields, 100,000 rejects told one by one.
pub const DEFAULT_LIMITS: Limits = Limits {
    max_bytes: 1 << 30,
    max_record_bytes: 64 << 10,
    max_fields: 256,
    max_rejects: 100_000,
};

/// Most bytes of what was refused that a reject carries.
pub const MAX_EXCERPT_BYTES: usize = 120;

/// Where in a feed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Line of a text, from 1.
    Line(u64),
    /// JSON pointer (RFC 6901) into a document.
    Pointer(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Pointer(pointer) => f.write_str(if pointer.is_empty() { "/" } else { pointer }),
        }
    }
}

/// Why a record was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// A line or record above [`Limits::max_record_bytes`].
    #[error("longer than {0} bytes (max_record_bytes); raise the limit or split the record")]
    TooLong(usize),
    /// More fields than [`Limits::max_fields`].
    #[error("more than {0} fields (max_fields); is the delimiter right?")]
    TooManyFields(usize),
    /// Bytes that are no UTF-8.
    #[error("not UTF-8; convert the feed or leave the record out")]
    NotUtf8,
    /// A quote that is not closed.
    #[error("a quote is not closed within {0} lines")]
    OpenQuote(usize),
    /// A field that is needed is missing or of another type.
    #[error("field `{0}` is missing or not a text")]
    MissingField(String),
    /// A kind named by the feed that is not known here.
    #[error("kind `{0}` is not known")]
    UnknownKindName(String),
    /// The value cannot be read.
    #[error("the value {0}")]
    Value(#[from] NotAValue),
    /// A value of a kind that the feed was not said to hold.
    #[error("holds a value of kind {0}, which is not wanted from this feed")]
    Unwanted(Kind),
    /// The record breaks a rule of its format.
    #[error("{0}")]
    Format(String),
}

impl Reason {
    /// Short code under which rejects are counted.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong(_) => "too-long",
            Self::TooManyFields(_) => "too-many-fields",
            Self::NotUtf8 => "not-utf8",
            Self::OpenQuote(_) => "open-quote",
            Self::MissingField(_) => "missing-field",
            Self::UnknownKindName(_) => "unknown-kind-name",
            Self::Value(NotAValue::Empty) => "empty-value",
            Self::Value(NotAValue::TooLong) => "value-too-long",
            Self::Value(NotAValue::Control) => "control-characters",
            Self::Value(NotAValue::UnknownKind) => "unknown-kind",
            Self::Value(NotAValue::Wildcard) => "wildcard",
            Self::Value(NotAValue::NotOf(_)) => "other-kind",
            Self::Value(NotAValue::Checksum(_)) => "checksum",
            Self::Unwanted(_) => "unwanted-kind",
            Self::Format(_) => "format",
        }
    }
}

/// A record that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Where it stands.
    pub place: Place,
    /// Why.
    pub reason: Reason,
    /// Its beginning, at most [`MAX_EXCERPT_BYTES`], invalid UTF-8 replaced.
    pub excerpt: String,
}

/// A value with what the feed says of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The value in normal form.
    pub observable: Observable,
    /// Score as the feed counts it; its scale is the feed's.
    pub score: Option<f64>,
    /// Free text.
    pub comment: Option<String>,
    /// First seen, as written.
    pub first_seen: Option<String>,
    /// Last seen, as written.
    pub last_seen: Option<String>,
    /// Tags.
    pub tags: Vec<String>,
    /// Where it stands.
    pub place: Place,
}

/// What a sink is given.
#[derive(Debug, Clone, PartialEq)]
pub enum Item<T = Record> {
    /// A record that was read.
    Record(T),
    /// A record that was refused.
    Reject(Reject),
}

/// What was read, as far as it was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bytes read.
    pub bytes: u64,
    /// Records given to the sink.
    pub records: u64,
    /// Comments, blank lines, headers.
    pub skipped: u64,
    /// Records refused.
    pub rejected: u64,
    /// Rejects by [`Reason::code`].
    pub rejected_by: BTreeMap<&'static str, u64>,
    /// Rejects beyond [`Limits::max_rejects`], which the sink has not seen.
    pub rejects_untold: u64,
    /// Records whose score is no number; the record is given without it.
    pub unread_scores: u64,
}

/// How the reading ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// The whole feed was read.
    Complete,
    /// The sink said stop.
    Stopped,
    /// The feed cannot be read on from here.
    Broken {
        /// Where.
        place: Place,
        /// What is wrong, and the remedy where there is one.
        reason: String,
    },
}

/// Counts and end of a reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// What was read.
    pub counts: Counts,
    /// How it ended.
    pub end: End,
}

impl Summary {
    /// Whether the whole feed was read.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.end == End::Complete
    }
}

/// Takes items; answers `Break` to stop the reader.
pub type Sink<'a, T = Record> = dyn FnMut(Item<T>) -> ControlFlow<()> + 'a;

/// Counts what goes to a sink.
pub(crate) struct Emit<'a, 'b, T> {
    sink: &'a mut Sink<'b, T>,
    pub(crate) counts: Counts,
    limits: Limits,
}

impl<'a, 'b, T> Emit<'a, 'b, T> {
    pub(crate) fn new(sink: &'a mut Sink<'b, T>, limits: Limits) -> Self {
        Self { sink, counts: Counts::default(), limits }
    }

    pub(crate) fn record(&mut self, record: T) -> ControlFlow<()> {
        self.counts.records += 1;
        (self.sink)(Item::Record(record))
    }

    pub(crate) fn reject(&mut self, place: Place, reason: Reason, raw: &[u8]) -> ControlFlow<()> {
        self.counts.rejected += 1;
        *self.counts.rejected_by.entry(reason.code()).or_default() += 1;
        if self.counts.rejected > self.limits.max_rejects {
            self.counts.rejects_untold += 1;
            return ControlFlow::Continue(());
        }
        (self.sink)(Item::Reject(Reject { place, reason, excerpt: excerpt(raw) }))
    }

    pub(crate) fn finish(self, end: End) -> Summary {
        Summary { counts: self.counts, end }
    }
}

fn excerpt(raw: &[u8]) -> String {
    let text = String::from_utf8_lossy(&raw[..raw.len().min(MAX_EXCERPT_BYTES)]);
    let mut end = text.len().min(MAX_EXCERPT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

/// Which values a feed holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Kinds {
    /// Whatever the form says ([`Observable::classify`]).
    #[default]
    Any,
    /// One of these; the first whose form fits.
    OneOf(Vec<Kind>),
}

impl Kinds {
    /// IPv4 and IPv6, addresses and networks.
    #[must_use]
    pub fn addresses() -> Self {
        Self::OneOf(vec![Kind::Ipv4, Kind::Ipv6, Kind::Ipv4Net, Kind::Ipv6Net])
    }

    /// Reads a value.
    ///
    /// # Errors
    /// [`Reason::Value`] and [`Reason::Unwanted`].
    pub fn read(&self, text: &str) -> Result<Observable, Reason> {
        let Self::OneOf(wanted) = self else { return Ok(Observable::classify(text)?) };
        if let [only] = wanted.as_slice() {
            return Ok(Observable::of_kind(*only, text)?);
        }
        match Observable::classify(text) {
            Ok(found) if wanted.contains(&found.kind()) => Ok(found),
            other => wanted
                .iter()
                .find_map(|kind| Observable::of_kind(*kind, text).ok())
                .ok_or_else(|| match other {
                    Ok(found) => Reason::Unwanted(found.kind()),
                    Err(why) => Reason::Value(why),
                }),
        }
    }
}

/// The kinds that names used by feeds stand for (MISP attribute types, OTX, abuse.ch, ours).
#[must_use]
pub fn kinds_of_name(name: &str) -> Option<Kinds> {
    let name = name.trim().to_ascii_lowercase();
    let one = |kind| Some(Kinds::OneOf(vec![kind]));
    if let Some(kind) = Kind::from_name(&name) {
        return one(kind);
    }
    match name.as_str() {
        "ip" | "ip-dst" | "ip-src" | "ipv4-addr" | "ipv6-addr" | "address" | "cidr" => {
            Some(Kinds::addresses())
        }
        "hostname" | "host" | "domain-name" => one(Kind::Domain),
        "ip:port" | "ip-dst|port" | "ip-src|port" | "hostname|port" => one(Kind::Endpoint),
        "uri" | "link" => one(Kind::Url),
        "email-src" | "email-dst" | "email-addr" | "e-mail" => one(Kind::Email),
        "md5_hash" | "filehash-md5" => one(Kind::Md5),
        "sha1_hash" | "filehash-sha1" | "sha-1" => one(Kind::Sha1),
        "sha256_hash" | "filehash-sha256" | "sha-256" => one(Kind::Sha256),
        "sha512_hash" | "filehash-sha512" | "sha-512" => one(Kind::Sha512),
        "filehash-pehash" | "filehash-imphash" => one(Kind::Imphash),
        "vulnerability" => Some(Kinds::OneOf(vec![Kind::Cve, Kind::Ghsa])),
        "mac-address" | "mac-addr" => one(Kind::Mac),
        "as" | "autonomous-system" => one(Kind::Asn),
        "filename" => one(Kind::FileName),
        "filepath" => one(Kind::FilePath),
        "regkey" => one(Kind::RegistryKey),
        "btc" | "bitcoinaddress" => one(Kind::Bitcoin),
        "useragent" => one(Kind::UserAgent),
        _ => None,
    }
}

/// What a format found in one record, before it is judged.
#[derive(Debug, Default)]
pub(crate) struct Raw<'a> {
    pub(crate) value: &'a str,
    pub(crate) kind: Option<&'a str>,
    pub(crate) score: Option<&'a str>,
    pub(crate) comment: Option<&'a str>,
    pub(crate) first_seen: Option<&'a str>,
    pub(crate) last_seen: Option<&'a str>,
    pub(crate) tags: Vec<String>,
}

impl Raw<'_> {
    pub(crate) fn judge(
        self,
        kinds: &Kinds,
        place: Place,
        counts: &mut Counts,
    ) -> Result<Record, (Place, Reason)> {
        let named = match self.kind.map(|name| kinds_of_name(name).ok_or(name)) {
            None => None,
            Some(Ok(named)) => Some(named),
            Some(Err(name)) => {
                let name = name.chars().take(MAX_EXCERPT_BYTES).collect();
                return Err((place, Reason::UnknownKindName(name)));
            }
        };
        let observable = match named.as_ref().unwrap_or(kinds).read(self.value) {
            Ok(observable) => observable,
            Err(reason) => return Err((place, reason)),
        };
        if let (Some(_), Kinds::OneOf(wanted)) = (&named, kinds)
            && !wanted.contains(&observable.kind())
        {
            return Err((place, Reason::Unwanted(observable.kind())));
        }
        let filled = |text: Option<&str>| {
            text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
        };
        let score = match self.score.map(str::trim).filter(|text| !text.is_empty()) {
            None => None,
            Some(text) => {
                let score = text.parse().ok().filter(|score: &f64| score.is_finite());
                counts.unread_scores += u64::from(score.is_none());
                score
            }
        };
        Ok(Record {
            observable,
            score,
            comment: filled(self.comment),
            first_seen: filled(self.first_seen),
            last_seen: filled(self.last_seen),
            tags: self.tags,
            place,
        })
    }
}

/// Separates tags in one field.
pub(crate) fn split_tags(text: &str) -> Vec<String> {
    text.split([',', ';', '|'])
        .map(str::trim)
        .filter(|tag| !tag.is_empty())
        .map(str::to_owned)
        .collect()
}
