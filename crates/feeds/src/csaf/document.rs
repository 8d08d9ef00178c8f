//! The parts of a document as they stand in it (§3.2.1, §3.2.3). Unknown properties are passed over.

use serde::{Deserialize, Serialize};

use super::{Problems, Products};
use crate::value::{Kind, Observable};

/// `/document`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Profile, e.g. `csaf_security_advisory`, `csaf_vex`.
    pub category: String,
    /// Title.
    pub title: String,
    /// Who publishes.
    pub publisher: Publisher,
    /// Identifier and versions.
    pub tracking: Tracking,
    /// How it may be shared.
    #[serde(default)]
    pub distribution: Distribution,
    /// Notes on the whole document.
    #[serde(default)]
    pub notes: Vec<Note>,
    /// References.
    #[serde(default)]
    pub references: Vec<Reference>,
    /// Language tag.
    #[serde(default)]
    pub lang: Option<String>,
}

/// `/document/publisher`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publisher {
    /// `vendor`, `coordinator` …
    pub category: String,
    /// Name.
    pub name: String,
    /// URL that, with the tracking id, names the document world-wide.
    pub namespace: String,
}

/// `/document/tracking`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracking {
    /// Identifier, unique per publisher.
    pub id: String,
    /// `draft`, `interim`, `final`.
    pub status: String,
    /// Version, an integer or semantic.
    pub version: String,
    /// When this version appeared.
    pub current_release_date: String,
    /// When the first version appeared.
    pub initial_release_date: String,
    /// All versions.
    #[serde(default)]
    pub revision_history: Vec<Revision>,
    /// Other identifiers of the document.
    #[serde(default)]
    pub aliases: Vec<String>,
}

/// One version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// When.
    pub date: String,
    /// Version.
    pub number: String,
    /// What changed.
    #[serde(default)]
    pub summary: String,
}

/// `/document/distribution`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// In words.
    #[serde(default)]
    pub text: Option<String>,
    /// Traffic light.
    #[serde(default)]
    pub tlp: Option<Tlp>,
}

impl Distribution {
    /// The label; a document without one may be shared freely (§3.2.1.5.2).
    #[must_use]
    pub fn label(&self) -> &str {
        self.tlp.as_ref().map_or("WHITE", |tlp| &tlp.label)
    }
}

/// TLP of version 1: `WHITE`, `GREEN`, `AMBER`, `RED`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tlp {
    /// Label.
    pub label: String,
}

/// A note.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// `summary`, `description`, `general` …
    pub category: String,
    /// Text.
    pub text: String,
    /// Title.
    #[serde(default)]
    pub title: Option<String>,
}

/// A reference.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// `self` or `external`.
    #[serde(default)]
    pub category: Option<String>,
    /// What it is.
    #[serde(default)]
    pub summary: String,
    /// Where.
    pub url: String,
}

/// `/vulnerabilities/n`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Vulnerability {
    /// CVE.
    #[serde(default)]
    pub cve: Option<String>,
    /// Identifiers of other systems.
    #[serde(default)]
    pub ids: Vec<VulnerabilityId>,
    /// Title.
    #[serde(default)]
    pub title: Option<String>,
    /// Weakness.
    #[serde(default)]
    pub cwe: Option<Cwe>,
    /// Notes.
    #[serde(default)]
    pub notes: Vec<Note>,
    /// Which products it concerns, and how.
    #[serde(default)]
    pub product_status: ProductStatus,
    /// What can be done.
    #[serde(default)]
    pub remediations: Vec<Remediation>,
    /// CVSS.
    #[serde(default)]
    pub scores: Vec<Score>,
    /// Exploitation, impact, targets.
    #[serde(default)]
    pub threats: Vec<Threat>,
    /// Why products are not affected.
    #[serde(default)]
    pub flags: Vec<Flag>,
    /// References.
    #[serde(default)]
    pub references: Vec<Reference>,
    /// Published.
    #[serde(default)]
    pub release_date: Option<String>,
    /// Discovered.
    #[serde(default)]
    pub discovery_date: Option<String>,
}

/// An identifier of another system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VulnerabilityId {
    /// System.
    pub system_name: String,
    /// Identifier.
    pub text: String,
}

/// A weakness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cwe {
    /// `CWE-n`.
    pub id: String,
    /// Name.
    #[serde(default)]
    pub name: String,
}

/// Product ids by status (§3.2.3.9).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ProductStatus {
    /// First affected releases.
    pub first_affected: Vec<String>,
    /// First fixed releases.
    pub first_fixed: Vec<String>,
    /// Fixed, though perhaps not recommended.
    pub fixed: Vec<String>,
    /// Affected.
    pub known_affected: Vec<String>,
    /// Not affected.
    pub known_not_affected: Vec<String>,
    /// Last affected releases.
    pub last_affected: Vec<String>,
    /// Recommended to fix it.
    pub recommended: Vec<String>,
    /// Not yet known.
    pub under_investigation: Vec<String>,
}

/// A remediation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remediation {
    /// `vendor_fix`, `workaround`, `mitigation`, `no_fix_planned`, `none_available`.
    pub category: String,
    /// In words.
    pub details: String,
    /// Where to get it.
    #[serde(default)]
    pub url: Option<String>,
    /// From when.
    #[serde(default)]
    pub date: Option<String>,
    /// For these products.
    #[serde(default)]
    pub product_ids: Vec<String>,
    /// For these groups.
    #[serde(default)]
    pub group_ids: Vec<String>,
}

/// A CVSS score; the objects of FIRST are kept as they are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// For these products.
    #[serde(default)]
    pub products: Vec<String>,
    /// CVSS 3.0 or 3.1.
    #[serde(default)]
    pub cvss_v3: Option<serde_json::Value>,
    /// CVSS 2.
    #[serde(default)]
    pub cvss_v2: Option<serde_json::Value>,
}

impl Score {
    /// Base score 0–10 and vector, version 3 before version 2.
    #[must_use]
    pub fn base(&self) -> Option<(f64, &str)> {
        let score = self.cvss_v3.as_ref().or(self.cvss_v2.as_ref())?;
        let base = score.get("baseScore")?.as_f64().filter(|base| (0.0..=10.0).contains(base))?;
        Some((base, score.get("vectorString")?.as_str()?))
    }
}

/// A threat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Threat {
    /// `exploit_status`, `impact`, `target_set`.
    pub category: String,
    /// In words.
    pub details: String,
    /// For these products.
    #[serde(default)]
    pub product_ids: Vec<String>,
    /// For these groups.
    #[serde(default)]
    pub group_ids: Vec<String>,
}

/// Why products are not affected (VEX justification).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flag {
    /// e.g. `vulnerable_code_not_present`.
    pub label: String,
    /// For these products.
    #[serde(default)]
    pub product_ids: Vec<String>,
    /// For these groups.
    #[serde(default)]
    pub group_ids: Vec<String>,
}

impl Document {
    pub(super) fn check(&self, problems: &mut Problems) {
        let tracking = &self.tracking;
        if !["draft", "interim", "final"].contains(&tracking.status.as_str()) {
            let text = format!("`{}` is no status (§3.2.1.12.7)", tracking.status);
            problems.add("/document/tracking/status".into(), text);
        }
        if !["WHITE", "GREEN", "AMBER", "RED"].contains(&self.distribution.label()) {
            let text = format!("`{}` is no label (§3.2.1.5.2.1)", self.distribution.label());
            problems.add("/document/distribution/tlp/label".into(), text);
        }
        if tracking.revision_history.is_empty() {
            let text = "no version is listed (§3.2.1.12.6)";
            problems.add("/document/tracking/revision_history".into(), text);
        }
    }
}

impl Vulnerability {
    pub(super) fn check(&self, index: usize, products: &Products, problems: &mut Problems) {
        let at = |rest: &str| format!("/vulnerabilities/{index}{rest}");
        if let Some(cve) = &self.cve
            && Observable::of_kind(Kind::Cve, cve).is_err()
        {
            problems.add(at("/cve"), format!("`{cve}` is no CVE identifier (§3.2.3.2)"));
        }
        // §6.1.1: every product id that is used is defined.
        let mut used: Vec<(&str, &str)> = Vec::new();
        for (status, ids) in self.product_status.lists() {
            used.extend(ids.iter().map(|id| (status, id.as_str())));
        }
        for remediation in &self.remediations {
            used.extend(remediation.product_ids.iter().map(|id| ("remediations", id.as_str())));
        }
        for score in &self.scores {
            used.extend(score.products.iter().map(|id| ("scores", id.as_str())));
        }
        for (place, id) in used {
            if products.get(id).is_none() {
                let text = format!("product `{id}` ({place}) is not in the product tree (§6.1.1)");
                problems.add(at(""), text);
            }
        }
        // §6.1.6: no product has contradicting states.
        let status = &self.product_status;
        let fine: std::collections::HashSet<&String> = status
            .known_not_affected
            .iter()
            .chain(&status.fixed)
            .chain(&status.first_fixed)
            .collect();
        let affected =
            status.known_affected.iter().chain(&status.first_affected).chain(&status.last_affected);
        for id in affected.filter(|id| fine.contains(id)) {
            let text = format!("product `{id}` is affected and not affected (§6.1.6)");
            problems.add(at("/product_status"), text);
        }
    }
}
