//! Tests of policies: what must be answered, run at every change.

use std::collections::BTreeSet;

use model::Tlp;
use ports::disclosure::Said;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::engine::Engine;
use super::facts::{Facts, MAX_LABELS, Pap, Recipient, rank};
use crate::error::CommunityError;
use crate::members::{MAX_NAME, checked_text};
use crate::organisations::KINDS;

/// Tests at most.
pub(crate) const MAX_TESTS: usize = 1_000;

/// A question and the answer it must have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SharingTest)]
pub struct Trial {
    /// What people call it.
    pub name: String,
    /// Who would receive it.
    pub recipient: TrialRecipient,
    /// What would be shared.
    pub object: TrialObject,
    /// Whether it must be allowed.
    pub expected: bool,
}

/// The recipient of a test.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = SharingTestRecipient)]
pub struct TrialRecipient {
    /// Id of its node, or its own where it has none; may be empty.
    pub id: String,
    /// Name; may be empty.
    pub name: String,
    /// `operator`, `cert`, `authority`, `vendor` or `other`.
    pub kind: String,
    /// Sector; may be empty.
    pub sector: String,
    /// ISO 3166-1 alpha-2; may be empty.
    pub country: String,
    /// Ids of communities that both are in.
    pub communities: BTreeSet<String>,
}

/// The object of a test.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SharingTestObject)]
pub struct TrialObject {
    /// STIX type.
    #[serde(rename = "type")]
    pub kind: String,
    /// TLP, like `TLP:GREEN`.
    pub tlp: String,
    /// PAP, like `PAP:RED`.
    #[serde(default)]
    pub pap: Option<String>,
    /// 0 to 100.
    #[serde(default)]
    pub confidence: Option<i64>,
    /// Its labels.
    #[serde(default)]
    pub labels: BTreeSet<String>,
    /// Others said it first: another node, unless `origin` says more.
    #[serde(default)]
    pub received: bool,
    /// By which way it came here first: `own`, `feed`, `import`, `peer`, `misp` or `taxii`.
    #[serde(default)]
    pub origin: Option<String>,
    /// What the source is called that said it first.
    #[serde(default)]
    pub source: Option<String>,
    /// Id of the community it came through.
    #[serde(default)]
    pub through: Option<String>,
    /// Whether that community lets it go elsewhere; true when absent.
    #[serde(default)]
    pub onward: Option<bool>,
    /// Id of the community it would be shared with; absent: the recipient is named; `open`: nobody is named.
    #[serde(default)]
    pub to_community: Option<String>,
    /// Highest TLP of that community; TLP:RED when absent.
    #[serde(default)]
    pub ceiling: Option<String>,
}

/// How a test went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = SharingTestResult)]
pub(crate) struct Tried {
    /// The test.
    pub(crate) name: String,
    /// Whether the answer was the expected one.
    pub(crate) passed: bool,
    /// Whether it must be allowed.
    pub(crate) expected: bool,
    /// Whether it is.
    pub(crate) allowed: bool,
    /// Why.
    pub(crate) reason: String,
}

impl Trial {
    /// Refuses what cannot be asked.
    pub(crate) fn check(&self) -> Result<(), CommunityError> {
        checked_text("the name of a test", &self.name, 1, MAX_NAME)?;
        let wrong = |what: String| {
            let text = format!("test '{}': {what}", self.name);
            CommunityError::invalid(text, "Mend the test; nothing was changed.")
        };
        let kind = &self.recipient.kind;
        if !kind.is_empty() && !KINDS.contains(&kind.as_str()) {
            return Err(wrong(format!("kind is none of {}", KINDS.join(", "))));
        }
        if self.object.labels.len() > MAX_LABELS || self.recipient.communities.len() > MAX_LABELS {
            return Err(wrong(format!("more than {MAX_LABELS} labels or communities")));
        }
        self.object.facts().map(|_| ()).map_err(wrong)
    }

    /// Asks.
    pub(crate) fn run(&self, engine: &Engine) -> Tried {
        let (allowed, reason) = match self.object.facts() {
            Ok(facts) => {
                let decision = engine.decide(&self.recipient.clone().into(), &facts);
                (decision.allowed, decision.reason.clone())
            }
            Err(reason) => (false, reason),
        };
        let passed = allowed == self.expected;
        Tried { name: self.name.clone(), passed, expected: self.expected, allowed, reason }
    }
}

impl From<TrialRecipient> for Recipient {
    fn from(asked: TrialRecipient) -> Self {
        Self {
            id: asked.id,
            name: asked.name,
            kind: asked.kind,
            sector: asked.sector,
            country: asked.country,
            communities: asked.communities,
        }
    }
}

impl TrialObject {
    fn facts(&self) -> Result<Facts, String> {
        let tlp: Tlp = self.tlp.parse().map_err(|cause| format!("tlp {cause}"))?;
        let ceiling: Tlp = match &self.ceiling {
            Some(text) => text.parse().map_err(|cause| format!("ceiling {cause}"))?,
            None => Tlp::Red,
        };
        let pap = match self.pap.as_deref().filter(|text| !text.is_empty()) {
            Some(text) => Some(Pap::from_label(text).ok_or_else(|| {
                "pap is none of PAP:CLEAR, PAP:GREEN, PAP:AMBER, PAP:RED".to_owned()
            })?),
            None => None,
        };
        let said = match self.origin.as_deref().filter(|word| !word.is_empty()) {
            Some(word) => Said::from_word(word).ok_or_else(|| {
                format!("origin is none of {}", Said::ALL.map(|(_, word)| word).join(", "))
            })?,
            None if self.received => Said::Peer,
            None => Said::Own,
        };
        if self.received && said == Said::Own {
            return Err("origin is own, and received says that others said it first".into());
        }
        let confidence = self.confidence.unwrap_or(-1);
        if !(-1..=100).contains(&confidence) {
            return Err("confidence lies between 0 and 100, or is -1".into());
        }
        Ok(Facts {
            kind: self.kind.clone(),
            tlp,
            pap,
            confidence,
            labels: self.labels.clone(),
            said,
            source: self.source.clone().unwrap_or_default(),
            through: self.through.clone().unwrap_or_default(),
            onward: self.onward.unwrap_or(true),
            to_community: self.to_community.clone().unwrap_or_default(),
            ceiling: rank(ceiling),
        })
    }
}
