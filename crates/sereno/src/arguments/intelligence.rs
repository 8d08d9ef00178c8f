//! What `sereno intel` and `sereno stix` take.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Decay, Place, WarninglistCommand};

#[derive(Debug, Subcommand)]
pub(crate) enum IntelCommand {
    /// What is known of an address. Exit 0 known, 1 unknown.
    Lookup {
        #[command(flatten)]
        place: Place,
        /// The value.
        value: String,
    },
    /// Where the knowledge comes from.
    Sources(Place),
    /// Search what is known: words, type:indicator, tlp<=green, value:198.51.100.7 … Exit 0 found, 1 nothing.
    Search {
        #[command(flatten)]
        place: Place,
        /// The query; all of it when empty.
        #[arg(default_value = "")]
        query: String,
        /// As known on this time, e.g. 2026-11-30T08:00:00Z.
        #[arg(long)]
        at: Option<String>,
        /// Objects shown, at most 500.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// One object with its versions, who said it, its relations and values.
    Show {
        #[command(flatten)]
        place: Place,
        /// STIX id.
        id: String,
        /// As known on this time.
        #[arg(long)]
        at: Option<String>,
    },
    /// What stands in relation with an object.
    Relations {
        #[command(flatten)]
        place: Place,
        /// STIX id.
        id: String,
    },
    /// How two objects hang together. Exit 0 found, 1 not.
    Path {
        #[command(flatten)]
        place: Place,
        /// STIX id where it begins.
        from: String,
        /// STIX id where it ends.
        to: String,
    },
    /// Take a STIX 2.1 bundle in, D3FEND's ontology or a table of CWE. Exit 0 all stored, 1 some refused.
    Import {
        #[command(flatten)]
        place: Place,
        /// The file: a bundle, or with --catalogue d3fend its ontology in Turtle, with --catalogue cwe a CSV table, packed
        /// or not.
        file: PathBuf,
        /// d3fend or cwe.
        #[arg(long)]
        catalogue: Option<String>,
        /// What the source is called.
        #[arg(long, default_value = "")]
        label: String,
        /// TLP of objects that carry no marking.
        #[arg(long, default_value = "amber")]
        tlp: String,
    },
    /// Everything a query finds, as a STIX bundle.
    Export {
        #[command(flatten)]
        place: Place,
        /// The query.
        query: String,
    },
    /// Values that so many name that they tell nothing.
    Common(Place),
    /// An ATT&CK matrix with how many relations speak of each technique, as JSON.
    Matrix {
        #[command(flatten)]
        place: Place,
        /// enterprise-attack, ics-attack, mobile-attack or mitre-atlas; the first that is loaded when absent.
        #[arg(long)]
        domain: Option<String>,
        /// As a layer for the ATT&CK Navigator.
        #[arg(long)]
        layer: bool,
    },
    /// A layer of the ATT&CK Navigator: take FILE in, or with --out write what is known into it.
    Navigator {
        #[command(flatten)]
        place: Place,
        /// The layer.
        file: PathBuf,
        /// Write it.
        #[arg(long)]
        out: bool,
        /// Which matrix is written; the first that is loaded when absent.
        #[arg(long, requires = "out")]
        domain: Option<String>,
        /// TLP label of what is taken in.
        #[arg(long, default_value = "amber")]
        tlp: String,
        /// What the source is called.
        #[arg(long, default_value = "")]
        label: String,
    },
    /// What a report names: values and techniques, as a list to review; with --store, what is accepted is kept.
    Extract {
        #[command(flatten)]
        place: Place,
        /// Text, Markdown or HTML.
        file: PathBuf,
        /// Store the report with what --accept names. Exit 0 stored, 1 stored before.
        #[arg(long, requires = "accept")]
        store: bool,
        /// `all` for what is suggested without doubt, or a file with one key (kind:value) a line.
        #[arg(long)]
        accept: Option<String>,
        /// What the report is called; the file's name when absent.
        #[arg(long)]
        title: Option<String>,
        /// TLP label of everything that is made of it.
        #[arg(long, default_value = "amber")]
        tlp: String,
        /// What the source is called.
        #[arg(long, default_value = "")]
        source: String,
        /// 0 to 100.
        #[arg(long)]
        confidence: Option<u8>,
    },
    /// Say of an object that it was seen, was no indicator, or has ended.
    Sight {
        #[command(flatten)]
        place: Place,
        /// STIX id.
        id: String,
        /// sighting, false-positive or expiration.
        #[arg(long = "type", default_value = "sighting")]
        kind: String,
        /// How often it was seen.
        #[arg(long)]
        count: Option<u64>,
        /// When; now when absent.
        #[arg(long)]
        at: Option<String>,
        /// Where, in words.
        #[arg(long = "where")]
        seen_where: Option<String>,
        /// Why, in words.
        #[arg(long)]
        comment: Option<String>,
    },
    /// How fast values fade, and how much each source's word weighs.
    Decay(Decay),
    /// Lists of well-known values: what stands on one raises nothing.
    #[command(subcommand)]
    Warninglist(WarninglistCommand),
    /// What becomes known, as it does; ends with Ctrl-C.
    Tail {
        #[command(flatten)]
        place: Place,
        /// STIX types, parted by commas; all when absent.
        #[arg(long)]
        types: Option<String>,
        /// Start after this place; the newest when absent.
        #[arg(long)]
        after: Option<i64>,
        /// End after so many changes.
        #[arg(long)]
        limit: Option<u64>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum StixCommand {
    /// Are all objects valid STIX 2.1? Exit 0 or 1.
    Validate {
        /// A bundle or an object.
        file: PathBuf,
    },
    /// STIX 2.0 to STIX 2.1. Exit 0, 1 where something could not be carried, 2 where FILE cannot be read as STIX.
    Upgrade {
        /// A bundle or an object of STIX 2.0; what is 2.1 already stays as it is.
        file: PathBuf,
        /// Write the result here instead of to standard output.
        #[arg(short, long)]
        out: Option<PathBuf>,
    },
    /// STIX patterns.
    #[command(subcommand)]
    Pattern(PatternCommand),
    /// Questions as JSON lines on standard input, one answer a line: {"id","op":"validate","object"},
    /// {"id","op":"check","pattern"}, {"id","op":"match","pattern","observed":[bundle, …]}.
    Batch,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PatternCommand {
    /// Is this a pattern? Exit 0 or 1; an error names its place. What can never match is told beside.
    Check {
        /// The pattern.
        #[arg(allow_hyphen_values = true)]
        pattern: String,
    },
    /// The pattern in its normal form. Exit 0, or 2 where it cannot be read.
    Normal {
        /// The pattern.
        #[arg(allow_hyphen_values = true)]
        pattern: String,
    },
    /// Do two patterns say the same, by their normal forms? Exit 0 yes, 1 not shown, 2 one cannot be read.
    Equal {
        /// One pattern.
        #[arg(allow_hyphen_values = true)]
        a: String,
        /// The other.
        #[arg(allow_hyphen_values = true)]
        b: String,
    },
    /// Does the pattern match? Exit 0 match, 1 no match, 2 the pattern cannot be read, 3 the data cannot.
    Match {
        /// The pattern.
        #[arg(allow_hyphen_values = true)]
        pattern: String,
        /// A STIX 2.1 bundle, or a list of bundles, with observed-data and the objects they refer to; `-` reads
        /// standard input.
        observed: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum FeedCommand {
    /// The feeds and how they are.
    List(Place),
    /// Add a feed.
    #[command(visible_alias = "add")]
    New(Box<NewFeed>),
    /// Fetch a feed now.
    Run {
        #[command(flatten)]
        place: Place,
        /// Name or id.
        feed: String,
    },
    /// Read a file into a feed; gzip and zip are unpacked.
    Load {
        #[command(flatten)]
        place: Place,
        /// Name or id.
        feed: String,
        /// The file.
        file: PathBuf,
    },
    /// What the last run refused, with place and reason.
    Rejects {
        #[command(flatten)]
        place: Place,
        /// Name or id.
        feed: String,
    },
    /// Fetch it no longer for now.
    Pause {
        #[command(flatten)]
        place: Place,
        /// Name or id.
        feed: String,
    },
    /// Fetch it again.
    Resume {
        #[command(flatten)]
        place: Place,
        /// Name or id.
        feed: String,
    },
    /// Give it another password, token or key.
    Secret {
        #[command(flatten)]
        place: Place,
        /// Name or id.
        feed: String,
        /// A file with the secret in its first line; `-` is standard input.
        #[arg(long)]
        secret_file: PathBuf,
    },
    /// Remove a feed with all that it said.
    Remove {
        #[command(flatten)]
        place: Place,
        /// Name or id.
        feed: String,
    },
    /// What a TAXII 2.1 server offers: API roots and collections, with the rights of these credentials.
    Discover {
        #[command(flatten)]
        place: Place,
        /// Discovery, an API root or a collection.
        url: String,
        #[command(flatten)]
        credentials: Credentials,
    },
    /// What of ours goes to the servers of others.
    #[command(subcommand)]
    Push(PushCommand),
}

/// A new feed.
#[derive(Debug, Args)]
pub(crate) struct NewFeed {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Its name.
    pub(crate) name: String,
    /// Where it is fetched; without it, files are loaded by hand.
    #[arg(long)]
    pub(crate) url: Option<String>,
    /// Read as a file: plain, csv, json, kev, free-text. Asked as a server: taxii, misp-feed, misp-server, csaf.
    #[arg(long, default_value = "plain")]
    pub(crate) form: String,
    /// Kinds of values it holds, e.g. ipv4; any when absent.
    #[arg(long)]
    pub(crate) kind: Vec<String>,
    /// More of the format as JSON, e.g. '{"header":true,"value":"ioc"}'.
    #[arg(long)]
    pub(crate) format: Option<String>,
    #[command(flatten)]
    pub(crate) credentials: Credentials,
    /// A collection of a TAXII server: UUID, alias or title; all that may be read when absent.
    #[arg(long)]
    pub(crate) collection: Vec<String>,
    /// A STIX type to read of a TAXII server; all when absent.
    #[arg(long = "type")]
    pub(crate) types: Vec<String>,
    /// A tag that events of MISP must have; `!tag` leaves events out (misp-server).
    #[arg(long)]
    pub(crate) tag: Vec<String>,
    /// An organisation whose events of MISP are read.
    #[arg(long)]
    pub(crate) org: Vec<String>,
    /// Only what was added or changed after this time (RFC 3339).
    #[arg(long)]
    pub(crate) since: Option<String>,
    /// Minutes between two fetches.
    #[arg(long, default_value_t = 60)]
    pub(crate) every_minutes: i64,
    /// TLP of what it says.
    #[arg(long, default_value = "clear")]
    pub(crate) tlp: String,
    /// Its terms of use.
    #[arg(long, default_value = "")]
    pub(crate) licence: String,
    /// Keep what a later run no longer lists.
    #[arg(long)]
    pub(crate) keep: bool,
}

/// How a server wants to know who asks. The secret comes from a file or from standard input, never from the command line.
#[derive(Clone, Debug, Args)]
pub(crate) struct Credentials {
    /// none, basic, bearer or key (alone in `Authorization`, as MISP takes it).
    #[arg(long, default_value = "none")]
    pub(crate) auth: String,
    /// The name for basic.
    #[arg(long)]
    pub(crate) user: Option<String>,
    /// A file with the password, token or key in its first line; `-` is standard input.
    #[arg(long)]
    pub(crate) secret_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PushCommand {
    /// The pushes and how they are.
    List(Place),
    /// Add a push.
    #[command(visible_alias = "add")]
    New {
        #[command(flatten)]
        place: Place,
        /// Its name.
        name: String,
        /// A collection of a TAXII 2.1 server, or a MISP server (with --events).
        #[arg(long)]
        to: String,
        /// What goes out: one of our collections, as ROOT/COLLECTION.
        #[arg(long, group = "origin")]
        collection: Option<String>,
        /// What goes out: the newest versions of all that is known of these STIX types; `all` is every type.
        #[arg(long = "type", group = "origin")]
        types: Vec<String>,
        /// What goes out: published MISP events made here.
        #[arg(long, group = "origin")]
        events: bool,
        /// The organisation it goes to, by name or id: what goes is judged and redacted for it [default: one of kind
        /// other without a name, to which little may go].
        #[arg(long = "for")]
        organisation: Option<String>,
        /// The highest label that leaves.
        #[arg(long, default_value = "green")]
        highest: String,
        #[command(flatten)]
        credentials: Credentials,
        /// Minutes between two runs.
        #[arg(long, default_value_t = 60)]
        every_minutes: i64,
    },
    /// Send now what is new.
    Run {
        #[command(flatten)]
        place: Place,
        /// Name or id.
        push: String,
    },
    /// What the other side did not take, with its reasons.
    Failures {
        #[command(flatten)]
        place: Place,
        /// Name or id.
        push: String,
    },
    /// What the sharing policies keep back, with their reasons.
    Withheld {
        #[command(flatten)]
        place: Place,
        /// Name or id.
        push: String,
    },
    /// Name the organisation it goes to. It begins again: all is judged for this one.
    For {
        #[command(flatten)]
        place: Place,
        /// Name or id.
        push: String,
        /// The organisation, by name or id.
        organisation: String,
    },
    /// Send nothing for now.
    Pause {
        #[command(flatten)]
        place: Place,
        /// Name or id.
        push: String,
    },
    /// Send again.
    Resume {
        #[command(flatten)]
        place: Place,
        /// Name or id.
        push: String,
    },
    /// Give it another password, token or key.
    Secret {
        #[command(flatten)]
        place: Place,
        /// Name or id.
        push: String,
        /// A file with the secret in its first line; `-` is standard input.
        #[arg(long)]
        secret_file: PathBuf,
    },
    /// Remove a push; what the other side has stays there.
    Remove {
        #[command(flatten)]
        place: Place,
        /// Name or id.
        push: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum MispCommand {
    /// A MISP event, or several, as a STIX 2.1 bundle; what cannot be carried is listed. Exit 0 all carried, 1 not.
    ToStix {
        /// A file of MISP's core format.
        file: PathBuf,
        /// As misp-stix writes it, without properties of our own for the way back.
        #[arg(long)]
        plain: bool,
    },
    /// A STIX 2.1 bundle as MISP events; what cannot be carried is listed. Exit 0 all carried, 1 not.
    FromStix {
        /// A bundle.
        file: PathBuf,
    },
}
