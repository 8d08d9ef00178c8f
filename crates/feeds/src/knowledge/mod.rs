//! What is known of attackers' ways: ATT&CK (Enterprise, Mobile, ICS), CAPEC and ATLAS out of STIX
//! objects, D3FEND's countermeasures out of its ontology, Navigator layers, matrices to draw.
//!
//! Unknown types and relations are counted, never guessed at. Terms of use of what is read travel
//! in [`Knowledge::statements`].

pub mod cwe;
pub mod d3fend;
pub mod layer;
pub mod matrix;
mod read;

use std::collections::{BTreeMap, HashMap};

use crate::extract::{Entry, NameKind};

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ItemKind {
    /// `x-mitre-tactic`.
    Tactic,
    /// `attack-pattern` of ATT&CK or ATLAS.
    Technique,
    /// `attack-pattern` of CAPEC.
    AttackPattern,
    /// `intrusion-set`.
    Group,
    /// `malware`.
    Malware,
    /// `tool`.
    Tool,
    /// `campaign`.
    Campaign,
    /// `course-of-action`.
    Mitigation,
    /// `x-mitre-data-source`.
    DataSource,
    /// `x-mitre-data-component`.
    DataComponent,
    /// `x-mitre-detection-strategy`.
    DetectionStrategy,
    /// `x-mitre-analytic`.
    Analytic,
    /// `x-mitre-asset`.
    Asset,
}

/// One item of knowledge.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Item {
    /// What it is.
    pub kind: ItemKind,
    /// STIX id.
    pub stix_id: String,
    /// Identifier for people, `T1059.001`; the STIX id where it has none.
    pub id: String,
    /// Name.
    pub name: String,
    /// Other names.
    pub aliases: Vec<String>,
    /// Description, as written (Markdown with citations).
    pub description: String,
    /// Where it stands on the web.
    pub url: Option<String>,
    /// `enterprise-attack`, `mobile-attack`, `ics-attack`, `atlas`, `capec`.
    pub domains: Vec<String>,
    /// Short names of the tactics, with the kill chain each belongs to.
    pub tactics: Vec<(String, String)>,
    /// Platforms.
    pub platforms: Vec<String>,
    /// Identifiers of the parent: of a sub-technique, of a CAPEC pattern.
    pub parents: Vec<String>,
    /// Other catalogues' identifiers: CWE, CAPEC, ATT&CK.
    pub references: Vec<String>,
    /// Short name, of tactics.
    pub short_name: Option<String>,
    /// Deprecated.
    pub deprecated: bool,
    /// Revoked.
    pub revoked: bool,
    /// What replaces it, where it was revoked.
    pub replaced_by: Option<String>,
}

impl Item {
    /// Neither deprecated nor revoked.
    #[must_use]
    pub const fn is_current(&self) -> bool {
        !self.deprecated && !self.revoked
    }
}

/// A relation between two items, by their places in [`Knowledge::items`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Relation {
    /// From.
    pub source: usize,
    /// To.
    pub target: usize,
    /// What.
    pub kind: RelationKind,
}

/// Kinds of relations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelationKind {
    /// A group, campaign or software uses a technique or software.
    Uses,
    /// A mitigation helps against a technique.
    Mitigates,
    /// A data component or detection strategy detects a technique.
    Detects,
    /// A campaign is attributed to a group.
    AttributedTo,
    /// A technique targets an asset.
    Targets,
    /// A technique is part of another.
    SubtechniqueOf,
    /// An item was replaced by another.
    RevokedBy,
}

/// A matrix: its tactics in order.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct MatrixOrder {
    /// Domain: `enterprise-attack` …
    pub domain: String,
    /// Name.
    pub name: String,
    /// Places of the tactics in [`Knowledge::items`], in order.
    pub tactics: Vec<usize>,
    /// Deprecated.
    pub deprecated: bool,
}

/// Tables.
#[derive(Debug, Default)]
pub struct Knowledge {
    items: Vec<Item>,
    by_id: HashMap<String, usize>,
    by_stix_id: HashMap<String, usize>,
    relations: Vec<Relation>,
    /// Places in `relations` by source and by target.
    from: HashMap<usize, Vec<usize>>,
    to: HashMap<usize, Vec<usize>>,
    /// Matrices.
    pub matrices: Vec<MatrixOrder>,
    /// Statements of marking definitions: terms of use to be shown.
    pub statements: Vec<String>,
    /// Objects that are not read, by type.
    pub not_read: BTreeMap<String, usize>,
    /// Relations whose ends or kind are not known, by `relationship_type`.
    pub loose: BTreeMap<String, usize>,
}

impl Knowledge {
    /// All items, in the order in which they came.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// All relations.
    #[must_use]
    pub fn relations(&self) -> &[Relation] {
        &self.relations
    }

    /// The item of an identifier (`T1059.001`) or STIX id. Where an identifier stands for several
    /// items, a current one is preferred.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Item> {
        self.place(id).map(|at| &self.items[at])
    }

    /// The place of an item.
    #[must_use]
    pub fn place(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).or_else(|| self.by_stix_id.get(id)).copied()
    }

    /// Items of a kind.
    pub fn of_kind(&self, kind: ItemKind) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(move |item| item.kind == kind)
    }

    /// What an item has this relation to.
    pub fn targets(&self, id: &str, kind: RelationKind) -> impl Iterator<Item = &Item> {
        let places = self.place(id).and_then(|at| self.from.get(&at));
        let relations = places.into_iter().flatten().map(|at| &self.relations[*at]);
        relations.filter(move |r| r.kind == kind).map(|r| &self.items[r.target])
    }

    /// What has this relation to an item.
    pub fn sources(&self, id: &str, kind: RelationKind) -> impl Iterator<Item = &Item> {
        let places = self.place(id).and_then(|at| self.to.get(&at));
        let relations = places.into_iter().flatten().map(|at| &self.relations[*at]);
        relations.filter(move |r| r.kind == kind).map(|r| &self.items[r.source])
    }

    /// The table for [`crate::extract`]: what has a name that reports use.
    #[must_use]
    pub fn names(&self) -> Vec<Entry> {
        let named = |item: &Item| {
            let kind = match item.kind {
                ItemKind::Tactic => NameKind::Tactic,
                ItemKind::Technique => NameKind::Technique,
                ItemKind::AttackPattern => NameKind::AttackPattern,
                ItemKind::Group => NameKind::Group,
                ItemKind::Malware | ItemKind::Tool => NameKind::Software,
                ItemKind::Campaign => NameKind::Campaign,
                ItemKind::Mitigation if item.id != item.stix_id => NameKind::Mitigation,
                _ => return None,
            };
            // Mitigations and CAPEC patterns are headings, not names; their identifiers do.
            let names = match kind {
                NameKind::Mitigation | NameKind::AttackPattern | NameKind::Tactic => Vec::new(),
                _ => std::iter::once(&item.name).chain(&item.aliases).cloned().collect(),
            };
            Some(Entry { kind, id: item.id.clone(), names, withdrawn: !item.is_current() })
        };
        self.items.iter().filter_map(named).collect()
    }
}
