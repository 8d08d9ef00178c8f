//! Standing shares: a person's word about what is shared by itself when it arrives.

use model::{CommunityId, PeerId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::objects::Known;

/// Standing shares at most.
pub(crate) const MAX_STANDING: usize = 100;
/// Entries of each list of a rule at most.
pub(crate) const MAX_ENTRIES: usize = 100;

/// What is shared by itself, and with whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FederationRule)]
pub(crate) struct Rule {
    /// STIX types; all when empty.
    #[serde(default)]
    pub(crate) types: Vec<String>,
    /// An object has at least one of these in `labels` or `indicator_types`; any when empty.
    #[serde(default)]
    pub(crate) labels: Vec<String>,
    /// The strictest label that goes: `clear`, `green`, `amber`, `amber+strict`, `red`.
    pub(crate) highest_tlp: String,
    /// Only what was first said here; true when absent.
    #[serde(default = "yes")]
    pub(crate) own_only: bool,
    /// Recipients, by id.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub(crate) peers: Vec<PeerId>,
    /// Communities, by id.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    pub(crate) communities: Vec<CommunityId>,
}

const fn yes() -> bool {
    true
}

impl Rule {
    /// What is wrong with the rule.
    pub(crate) fn check(&self) -> Result<(), String> {
        if stix::Tlp::from_label(&self.highest_tlp).is_none() {
            return Err(
                "highest_tlp is none of clear, green, amber, amber+strict, red; name one".into()
            );
        }
        if self.peers.is_empty() && self.communities.is_empty() {
            return Err("peers and communities are empty; name a recipient".into());
        }
        let lengths =
            [self.types.len(), self.labels.len(), self.peers.len(), self.communities.len()];
        if lengths.into_iter().any(|length| length > MAX_ENTRIES) {
            return Err(format!("a list of the rule has more than {MAX_ENTRIES} entries"));
        }
        let long = |text: &String| text.is_empty() || text.len() > 200;
        if self.types.iter().chain(&self.labels).any(long) {
            return Err("a type or label has no or more than 200 bytes".into());
        }
        Ok(())
    }

    /// Whether an object is shared by this rule.
    pub(crate) fn fits(&self, object: &Known) -> bool {
        let most = stix::Tlp::from_label(&self.highest_tlp).map_or(-1, intel::rank);
        if object.stored.tlp > most || (self.own_only && object.brought_by().is_some()) {
            return false;
        }
        if !self.types.is_empty() && !self.types.contains(&object.stored.kind) {
            return false;
        }
        if self.labels.is_empty() {
            return true;
        }
        let body: Value = serde_json::from_str(&object.stored.body).unwrap_or_default();
        ["labels", "indicator_types"]
            .iter()
            .filter_map(|name| body.get(*name)?.as_array())
            .flatten()
            .filter_map(Value::as_str)
            .any(|label| self.labels.iter().any(|wanted| wanted == label))
    }
}
