//! How a feed is read, as people write it.

use feeds::csv::{Column, Csv};
use feeds::freetext::FreeText;
use feeds::json::{Field, Json, Layout};
use feeds::plain::{Plain, Separator};
use feeds::record::Kinds;
use feeds::value::Kind;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The form of a feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "form", rename_all = "kebab-case", deny_unknown_fields)]
#[schema(as = FeedFormat)]
pub enum Format {
    /// A value a line; `#` begins a comment.
    Plain {
        /// Kinds of values, e.g. `ipv4`, `domain`; any when empty.
        #[serde(default)]
        kinds: Vec<String>,
        /// Column of the value, from 0; columns are parted by blanks.
        #[serde(default)]
        value: usize,
        /// Column of a score.
        #[serde(default)]
        score: Option<usize>,
    },
    /// Separated values.
    Csv {
        /// Kinds of values.
        #[serde(default)]
        kinds: Vec<String>,
        /// One character; `,` when absent.
        #[serde(default)]
        delimiter: Option<char>,
        /// Whether the first line names the columns.
        #[serde(default)]
        header: bool,
        /// Column of the value: its name, or its place from 0.
        #[serde(default)]
        value: Option<String>,
        /// Column that names the kind.
        #[serde(default)]
        kind: Option<String>,
        /// Column of a score.
        #[serde(default)]
        score: Option<String>,
    },
    /// A JSON document or JSON lines.
    Json {
        /// Kinds of values.
        #[serde(default)]
        kinds: Vec<String>,
        /// Where the records stand, `*` for each member: `/data/*`; lines when absent.
        #[serde(default)]
        path: Option<String>,
        /// JSON pointer to the value within a record; the record itself when empty.
        #[serde(default)]
        value: String,
        /// JSON pointer to the kind.
        #[serde(default)]
        kind: Option<String>,
        /// JSON pointer to a score.
        #[serde(default)]
        score: Option<String>,
    },
    /// CISA's catalogue of known exploited vulnerabilities.
    Kev,
    /// Text with values somewhere in it.
    FreeText {
        /// Kinds of values.
        #[serde(default)]
        kinds: Vec<String>,
    },
    /// A TAXII 2.1 server: discovery, API root or collection.
    Taxii(Taxii),
    /// A MISP feed: the folder with `manifest.json`.
    MispFeed(MispFeed),
    /// A MISP server.
    MispServer(MispServer),
    /// A CSAF 2.0 provider: `provider-metadata.json`.
    Csaf(Csaf2),
}

/// What is read of a TAXII server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = FeedTaxii)]
pub struct Taxii {
    /// UUIDs, aliases or titles of collections; all that may be read when empty.
    pub collections: Vec<String>,
    /// STIX types; all when empty.
    pub types: Vec<String>,
    /// Only what was added after this time (RFC 3339).
    pub added_after: Option<String>,
    /// Objects asked for at once, 1 to 10000; 1000 when absent.
    pub page: Option<u32>,
}

/// What is read of a MISP feed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = FeedMisp)]
pub struct MispFeed {
    /// Only events with one of these tags; all when empty.
    pub tags: Vec<String>,
    /// Only events of these organisations (names); all when empty.
    pub orgs: Vec<String>,
}

/// What is read of a MISP server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = FeedMispServer)]
pub struct MispServer {
    /// Only events with one of these tags; `!tag` leaves out; all when empty.
    pub tags: Vec<String>,
    /// Only events of these organisations (names or UUIDs); all when empty.
    pub orgs: Vec<String>,
    /// Only what was changed after this time (RFC 3339).
    pub since: Option<String>,
}

/// What is read of a CSAF provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = FeedCsaf)]
pub struct Csaf2 {
    /// TLP labels of ROLIE feeds, e.g. `WHITE`; all that may be read when empty.
    pub labels: Vec<String>,
    /// Only advisories changed after this time (RFC 3339).
    pub since: Option<String>,
    /// What becomes of advisories whose OpenPGP signature is not good.
    pub signatures: Signatures,
}

/// What becomes of advisories by their OpenPGP signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = FeedSignatures)]
pub enum Signatures {
    /// Only advisories with a good one are taken.
    Require,
    /// A bad one is refused; none, or one that cannot be judged, is taken and counted.
    #[default]
    Prefer,
    /// Signatures are not asked for.
    Ignore,
}

/// Names of one list of a source.
const MAX_NAMES: usize = 100;

fn names(what: &str, list: &[String]) -> Result<(), String> {
    let sound = |name: &String| {
        (1..=300).contains(&name.chars().count()) && !name.chars().any(char::is_control)
    };
    if list.len() > MAX_NAMES {
        return Err(format!("{what}: at most {MAX_NAMES} may be named"));
    }
    match list.iter().find(|name| !sound(name)) {
        Some(_) => Err(format!("{what}: each has 1 to 300 characters")),
        None => Ok(()),
    }
}

fn time(what: &str, text: Option<&String>) -> Result<(), String> {
    match text.map(|text| stix::Timestamp::parse(text)) {
        Some(Err(cause)) => Err(format!("{what} is no time in UTC: {cause}")),
        _ => Ok(()),
    }
}

impl Format {
    /// Refuses kinds and columns that cannot be.
    ///
    /// # Errors
    /// One sentence that names what is wrong.
    pub fn check(&self) -> Result<(), String> {
        match self {
            Self::Taxii(taxii) => {
                names("collections", &taxii.collections)?;
                names("types", &taxii.types)?;
                if taxii.page.is_some_and(|page| !(1..=10_000).contains(&page)) {
                    return Err("page lies between 1 and 10000".into());
                }
                time("added_after", taxii.added_after.as_ref())
            }
            Self::MispFeed(feed) => {
                names("tags", &feed.tags)?;
                names("orgs", &feed.orgs)
            }
            Self::MispServer(server) => {
                names("tags", &server.tags)?;
                names("orgs", &server.orgs)?;
                time("since", server.since.as_ref())
            }
            Self::Csaf(csaf) => {
                names("labels", &csaf.labels)?;
                time("since", csaf.since.as_ref())
            }
            _ => self.reader().map(|_| ()),
        }
    }

    /// Whether it is a server that is asked, not one file.
    #[must_use]
    pub const fn is_pulled(&self) -> bool {
        matches!(self, Self::Taxii(_) | Self::MispFeed(_) | Self::MispServer(_) | Self::Csaf(_))
    }

    /// The kind of source it is to the store.
    pub(crate) const fn word(&self) -> &'static str {
        match self {
            Self::Taxii(_) => "taxii",
            Self::MispFeed(_) | Self::MispServer(_) => "misp",
            _ => "feed",
        }
    }

    pub(crate) fn reader(&self) -> Result<Reader, String> {
        Ok(match self {
            Self::Plain { kinds: wanted, value, score } => Reader::Plain(Plain {
                kinds: kinds(wanted)?,
                value: *value,
                score: *score,
                separator: Separator::Blank,
                refang: true,
                ..Plain::default()
            }),
            Self::Csv { kinds: wanted, delimiter, header, value, kind, score } => {
                let delimiter = delimiter.unwrap_or(',');
                let delimiter = u8::try_from(delimiter)
                    .ok()
                    .filter(u8::is_ascii)
                    .ok_or_else(|| format!("'{delimiter}' cannot separate columns"))?;
                Reader::Csv(Csv {
                    kinds: kinds(wanted)?,
                    delimiter,
                    header: *header,
                    value: value.as_deref().map_or(Column::At(0), column),
                    kind: kind.as_deref().map(column),
                    score: score.as_deref().map(column),
                    ..Csv::default()
                })
            }
            Self::Json { kinds: wanted, path, value, kind, score } => Reader::Json(Json {
                kinds: kinds(wanted)?,
                layout: path.clone().map_or(Layout::Lines, Layout::Path),
                value: Field::at(value),
                kind: kind.as_deref().map(Field::at),
                score: score.as_deref().map(Field::at),
                ..Json::default()
            }),
            Self::Kev => Reader::Kev,
            Self::FreeText { kinds: wanted } => {
                Reader::FreeText(FreeText { kinds: kinds(wanted)?, doubtful: false })
            }
            Self::Taxii(_) | Self::MispFeed(_) | Self::MispServer(_) | Self::Csaf(_) => {
                return Err("a server is asked, not read as a file".into());
            }
        })
    }
}

/// A format ready to be used.
pub(crate) enum Reader {
    Plain(Plain),
    Csv(Csv),
    Json(Json),
    Kev,
    FreeText(FreeText),
}

fn kinds(names: &[String]) -> Result<Kinds, String> {
    if names.is_empty() {
        return Ok(Kinds::Any);
    }
    let known = |name: &String| {
        Kind::from_name(name).ok_or_else(|| {
            let all: Vec<&str> = feeds::value::KINDS.iter().map(|kind| kind.name()).collect();
            format!("'{name}' is no kind of value; kinds are {}", all.join(", "))
        })
    };
    Ok(Kinds::OneOf(names.iter().map(known).collect::<Result<_, _>>()?))
}

fn column(text: &str) -> Column {
    text.parse().map_or_else(|_| Column::Named(text.to_owned()), Column::At)
}

/// The kind under which the store keeps a value.
pub(crate) const fn stored_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Ipv4 | Kind::Ipv6 => "address",
        Kind::Ipv4Net | Kind::Ipv6Net => "network",
        Kind::Domain => "domain",
        Kind::Endpoint => "endpoint",
        Kind::Url => "url",
        Kind::Email => "email",
        Kind::Md5 | Kind::Sha1 | Kind::Sha224 | Kind::Sha256 | Kind::Sha384 | Kind::Sha512 => {
            "hash"
        }
        Kind::Ssdeep | Kind::Tlsh | Kind::Imphash => "fuzzy-hash",
        Kind::Cve | Kind::Ghsa => "cve",
        Kind::Mac => "mac",
        Kind::Asn => "asn",
        Kind::FileName => "file",
        Kind::FilePath => "file-path",
        Kind::RegistryKey => "registry-key",
        Kind::Bitcoin => "bitcoin",
        Kind::UserAgent => "user-agent",
    }
}
