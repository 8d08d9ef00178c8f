//! What a question about sharing consists of.

use std::collections::BTreeSet;

use model::{CommunityId, Tlp};
use ports::disclosure::Said;
use serde_json::Value;
use stix::{Object, marking};

/// Labels of an object that a policy can see at most; further ones are left out.
pub(crate) const MAX_LABELS: usize = 100;
/// Characters of a label or type that a policy can see at most.
const MAX_WORD: usize = 250;

/// The recipient.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Recipient {
    /// Id of its node, or its own where it has none.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `operator`, `cert`, `authority`, `vendor` or `other`.
    pub kind: String,
    /// Its sector; may be empty.
    pub sector: String,
    /// ISO 3166-1 alpha-2; may be empty.
    pub country: String,
    /// Ids of the communities both are in.
    pub communities: BTreeSet<String>,
}

/// What stands in `to_community` of what is open to whoever may read it: it names no recipient, and no community has this
/// id.
pub(crate) const OPEN: &str = "open";

/// Where something would go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goes {
    /// To a recipient that the sharing names.
    Named,
    /// To a community, with its highest label.
    Community(CommunityId, Tlp),
    /// To whoever may read it.
    Open,
}

/// Permissible Actions Protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pap {
    /// No limit.
    Clear,
    /// Active actions are allowed.
    Green,
    /// Passive cross-checks.
    Amber,
    /// Nothing that can be noticed.
    Red,
}

impl Pap {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Clear, "PAP:CLEAR"),
        (Self::Clear, "PAP:WHITE"),
        (Self::Green, "PAP:GREEN"),
        (Self::Amber, "PAP:AMBER"),
        (Self::Red, "PAP:RED"),
    ];

    /// Reads `PAP:RED`, in any case, also within quotes or with blanks around.
    #[must_use]
    pub fn from_label(text: &str) -> Option<Self> {
        let upper = text.trim().trim_matches('"').to_ascii_uppercase();
        Self::ALL.into_iter().find(|(_, label)| *label == upper).map(|(pap, _)| pap)
    }

    /// The strictest label that stands somewhere in a text.
    #[must_use]
    pub fn within(text: &str) -> Option<Self> {
        let upper = text.to_ascii_uppercase();
        Self::ALL.into_iter().filter(|(_, label)| upper.contains(label)).map(|(pap, _)| pap).max()
    }

    /// The label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Clear => "PAP:CLEAR",
            Self::Green => "PAP:GREEN",
            Self::Amber => "PAP:AMBER",
            Self::Red => "PAP:RED",
        }
    }
}

/// What is known of an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Facts {
    /// STIX type.
    pub kind: String,
    /// The label that holds here.
    pub tlp: Tlp,
    /// PAP, where it says so.
    pub pap: Option<Pap>,
    /// 0 to 100, -1 unknown.
    pub confidence: i64,
    /// Its labels.
    pub labels: BTreeSet<String>,
    /// By which way it came here first; all but our own word counts as received.
    pub said: Said,
    /// What the source is called that said it first.
    pub source: String,
    /// The community it came through, or empty.
    pub through: String,
    /// Whether that community lets it go elsewhere.
    pub onward: bool,
    /// The community it would be shared with; empty when the sharing names the recipient, `open` when it names nobody.
    pub to_community: String,
    /// Rank of the highest TLP of that community.
    pub ceiling: i64,
}

/// The rank of a label, 0 (clear) to 4 (red).
pub(crate) const fn rank(tlp: Tlp) -> i64 {
    match tlp {
        Tlp::Clear => 0,
        Tlp::Green => 1,
        Tlp::Amber => 2,
        Tlp::AmberStrict => 3,
        Tlp::Red => 4,
    }
}

/// The label of a rank; what lies beyond is red.
pub(crate) const fn tlp(rank: i64) -> Tlp {
    match rank {
        0 => Tlp::Clear,
        1 => Tlp::Green,
        2 => Tlp::Amber,
        3 => Tlp::AmberStrict,
        _ => Tlp::Red,
    }
}

/// The label of the store as that of the loop.
pub(crate) const fn of_stix(label: stix::Tlp) -> Tlp {
    match label {
        stix::Tlp::Clear => Tlp::Clear,
        stix::Tlp::Green => Tlp::Green,
        stix::Tlp::Amber => Tlp::Amber,
        stix::Tlp::AmberStrict => Tlp::AmberStrict,
        stix::Tlp::Red => Tlp::Red,
    }
}

impl Facts {
    /// Whether others said it first.
    pub(crate) fn received(&self) -> bool {
        self.said != Said::Own
    }

    /// With where it would go.
    pub(crate) fn going(mut self, to: Goes) -> Self {
        (self.to_community, self.ceiling) = match to {
            Goes::Named => (String::new(), rank(Tlp::Red)),
            Goes::Community(id, most) => (id.to_string(), rank(most)),
            Goes::Open => (OPEN.to_owned(), rank(Tlp::Red)),
        };
        self
    }
}

/// How an object came here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way<'s> {
    pub(crate) said: Said,
    pub(crate) source: &'s str,
    pub(crate) through: Option<CommunityId>,
    pub(crate) onward: bool,
}

/// The facts about an object. `label` is what holds here: what the object itself says of any part of it can only raise
/// it. `pap` knows what the ids of marking definitions mean.
pub(crate) fn of(
    object: &Object,
    label: Tlp,
    way: Way<'_>,
    pap: impl Fn(&str) -> Option<Pap>,
) -> Facts {
    let marked = marking::effective_whole(object);
    let own = marked.tlp.map_or(Tlp::Clear, of_stix);
    let texts = object.get("labels").and_then(Value::as_array).into_iter().flatten();
    let labels: BTreeSet<String> =
        texts.filter_map(Value::as_str).take(MAX_LABELS).map(clip).collect();
    let stated = marked.markings.iter().filter_map(|id| pap(id));
    let all = object.get("labels").and_then(Value::as_array).into_iter().flatten();
    let said = all.filter_map(Value::as_str).filter_map(Pap::from_label);
    let confidence = object.get("confidence").and_then(Value::as_i64);
    Facts {
        kind: clip(object.kind()),
        tlp: label.max(own),
        pap: stated.chain(said).max(),
        confidence: confidence.filter(|c| (0..=100).contains(c)).unwrap_or(-1),
        labels,
        said: way.said,
        source: clip(way.source),
        through: way.through.map(|id| id.to_string()).unwrap_or_default(),
        onward: way.onward,
        to_community: String::new(),
        ceiling: rank(Tlp::Red),
    }
}

fn clip(text: &str) -> String {
    text.chars().take(MAX_WORD).collect()
}
