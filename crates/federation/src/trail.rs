//! The way an object came, in blinded tokens: a node finds itself and those it knows on it, and learns no strangers.

use model::NodeId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Nodes an object passes at most; what came farther goes no further.
pub(crate) const MAX_HOPS: usize = 16;
/// Characters of a salt and of a token.
const TOKEN_CHARS: usize = 32;

/// Where an object has been.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Trail {
    /// Chosen by the first node, hex; it makes tokens of one share useless for another.
    pub(crate) salt: String,
    /// One token a node, the first first.
    pub(crate) path: Vec<String>,
}

impl Trail {
    /// The token of a node: the first half of SHA-256 over the salt and its id. Node ids hold 74 random bits, so tokens
    /// cannot be tried out.
    fn token(&self, node: NodeId) -> String {
        let mut hash = hex::encode(Sha256::digest(format!("{}\n{node}", self.salt)));
        hash.truncate(TOKEN_CHARS);
        hash
    }

    /// Whether the object has been at a node.
    pub(crate) fn passed(&self, node: NodeId) -> bool {
        self.path.contains(&self.token(node))
    }

    /// With this node at its end.
    pub(crate) fn through(mut self, node: NodeId) -> Self {
        let token = self.token(node);
        if !self.path.contains(&token) {
            self.path.push(token);
        }
        self
    }

    /// Whether it may go one node further.
    pub(crate) const fn may_go_on(&self) -> bool {
        self.path.len() < MAX_HOPS
    }

    /// What is wrong with a trail from outside.
    pub(crate) fn check(&self) -> Result<(), String> {
        let sound =
            |text: &str| text.len() == TOKEN_CHARS && text.bytes().all(|b| b.is_ascii_hexdigit());
        if !sound(&self.salt) || !self.path.iter().all(|token| sound(token)) {
            return Err(format!("salt and path are not {TOKEN_CHARS} hexadecimal characters each"));
        }
        if self.path.is_empty() || self.path.len() > MAX_HOPS {
            return Err(format!("a path names 1 to {MAX_HOPS} nodes"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use model::Timestamp;
    use model::id::TypedId;

    fn node(number: u8) -> NodeId {
        NodeId::mint(Timestamp::from_secs(1_700_000_000), [number; 10])
    }

    #[test]
    fn a_node_finds_itself_on_a_trail_and_nobody_else() {
        let salt = "0".repeat(32);
        let trail = Trail { salt, path: vec![] }.through(node(1)).through(node(2)).through(node(1));
        assert_eq!(trail.path.len(), 2);
        assert!(trail.passed(node(1)) && trail.passed(node(2)) && !trail.passed(node(3)));
        trail.check().unwrap();
        let other = Trail { salt: "1".repeat(32), path: trail.path.clone() };
        assert!(!other.passed(node(1)), "a token tells a node under another salt");
    }

    #[test]
    fn a_trail_from_outside_is_bounded() {
        let token = "a".repeat(32);
        let trail = |count| Trail { salt: token.clone(), path: vec![token.clone(); count] };
        assert!(trail(0).check().is_err() && trail(MAX_HOPS + 1).check().is_err());
        trail(MAX_HOPS).check().unwrap();
        assert!(!trail(MAX_HOPS).may_go_on());
        let odd = Trail { salt: "é".repeat(16), path: vec![token.clone()] };
        assert!(odd.check().is_err());
    }
}
