//! Advisories as rows: one vulnerability, one product, one status.

use std::collections::HashMap;

use serde::Serialize;

use super::{Advisory, Product, ProductStatus, Remediation, Vulnerability};

/// How a product stands to a vulnerability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// `known_affected`, `first_affected`, `last_affected`.
    Affected,
    /// `fixed`, `first_fixed`.
    Fixed,
    /// `known_not_affected`.
    NotAffected,
    /// `recommended`.
    Recommended,
    /// `under_investigation`.
    UnderInvestigation,
}

impl ProductStatus {
    /// The lists with their names.
    pub(super) fn lists(&self) -> [(&'static str, &[String]); 8] {
        [
            ("first_affected", &self.first_affected),
            ("first_fixed", &self.first_fixed),
            ("fixed", &self.fixed),
            ("known_affected", &self.known_affected),
            ("known_not_affected", &self.known_not_affected),
            ("last_affected", &self.last_affected),
            ("recommended", &self.recommended),
            ("under_investigation", &self.under_investigation),
        ]
    }

    /// Every product id with its status; an id that stands in two lists of one status comes once.
    #[must_use]
    pub fn by_product(&self) -> Vec<(&str, Status)> {
        let mut found: Vec<(&str, Status)> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for (name, ids) in self.lists() {
            let status = match name {
                "first_affected" | "known_affected" | "last_affected" => Status::Affected,
                "first_fixed" | "fixed" => Status::Fixed,
                "known_not_affected" => Status::NotAffected,
                "recommended" => Status::Recommended,
                _ => Status::UnderInvestigation,
            };
            for id in ids {
                if seen.insert((id.as_str(), status)) {
                    found.push((id, status));
                }
            }
        }
        found
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VulnerabilityRecord<'a> {
    /// Identifier of the advisory.
    pub advisory: &'a str,
    /// TLP label of the advisory (version 1).
    pub tlp: &'a str,
    /// CVE, else the first identifier of another system, else the title.
    pub vulnerability: Option<&'a str>,
    /// Identifier of the product in the document.
    pub product_id: &'a str,
    /// The product, where the document defines it.
    pub product: Option<&'a Product>,
    /// Status.
    pub status: Status,
    /// CVSS base score and vector for this product.
    pub cvss: Option<(f64, &'a str)>,
    /// Remediations meant for this product.
    pub remediations: Vec<&'a Remediation>,
    /// Why it is not affected.
    pub justification: Option<&'a str>,
}

/// What is meant for which product, looked up instead of searched: documents name ten thousand
/// products in each of a hundred remediations.
struct Index<'a> {
    vulnerability: &'a Vulnerability,
    cvss: HashMap<&'a str, (f64, &'a str)>,
    remediations: Targets<'a>,
    flags: Targets<'a>,
}

/// Places in a list by product and by group; those that name neither are for all products.
#[derive(Default)]
struct Targets<'a> {
    by_name: HashMap<&'a str, Vec<usize>>,
    all: Vec<usize>,
}

impl<'a> Targets<'a> {
    fn add(&mut self, at: usize, products: &'a [String], groups: &'a [String]) {
        if products.is_empty() && groups.is_empty() {
            self.all.push(at);
        }
        for name in products.iter().chain(groups) {
            self.by_name.entry(name).or_default().push(at);
        }
    }

    /// Places meant for a product, in the order of the list.
    fn of(&self, id: &str, groups: &[String]) -> Vec<usize> {
        let names = std::iter::once(id).chain(groups.iter().map(String::as_str));
        let mut found: Vec<usize> =
            names.filter_map(|name| self.by_name.get(name)).flatten().copied().collect();
        found.extend(&self.all);
        found.sort_unstable();
        found.dedup();
        found
    }
}

impl<'a> Index<'a> {
    fn new(vulnerability: &'a Vulnerability) -> Self {
        let mut cvss: HashMap<&str, (f64, &str)> = HashMap::new();
        for score in &vulnerability.scores {
            let Some(base) = score.base() else { continue };
            for id in &score.products {
                let best = cvss.entry(id).or_insert(base);
                if base.0 > best.0 {
                    *best = base;
                }
            }
        }
        let (mut remediations, mut flags) = (Targets::default(), Targets::default());
        for (at, remediation) in vulnerability.remediations.iter().enumerate() {
            remediations.add(at, &remediation.product_ids, &remediation.group_ids);
        }
        for (at, flag) in vulnerability.flags.iter().enumerate() {
            flags.add(at, &flag.product_ids, &flag.group_ids);
        }
        Self { vulnerability, cvss, remediations, flags }
    }
}

impl Advisory {
    /// Every vulnerability with every product that it names a status for.
    pub fn records(&self) -> impl Iterator<Item = VulnerabilityRecord<'_>> {
        self.vulnerabilities.iter().flat_map(move |vulnerability| {
            let index = Index::new(vulnerability);
            vulnerability
                .product_status
                .by_product()
                .into_iter()
                .map(move |(id, status)| self.record(&index, id, status))
        })
    }

    fn record<'a>(
        &'a self,
        index: &Index<'a>,
        id: &'a str,
        status: Status,
    ) -> VulnerabilityRecord<'a> {
        let groups = self.products.groups_of(id);
        let vulnerability = index.vulnerability;
        let remediations = index.remediations.of(id, groups);
        let flag = index.flags.of(id, groups).first().copied();
        VulnerabilityRecord {
            advisory: &self.document.tracking.id,
            tlp: self.document.distribution.label(),
            vulnerability: vulnerability.name(),
            product_id: id,
            product: self.products.get(id),
            status,
            cvss: index.cvss.get(id).copied(),
            remediations: remediations
                .into_iter()
                .map(|at| &vulnerability.remediations[at])
                .collect(),
            justification: flag.map(|at| vulnerability.flags[at].label.as_str()),
        }
    }
}

impl Vulnerability {
    /// CVE, else the first identifier of another system, else the title.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        let other = self.ids.first().map(|id| id.text.as_str());
        self.cve.as_deref().or(other).or(self.title.as_deref())
    }
}
