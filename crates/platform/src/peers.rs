//! Other nodes we exchange with, and the authenticated way to reach them. `identity` implements it.

use async_trait::async_trait;
use model::{NodeId, PeerId};
use ports::PortError;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Another node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Peer {
    /// Our id for it.
    #[schema(value_type = String)]
    pub id: PeerId,
    /// Its node id; the common name of its certificate.
    #[schema(value_type = String)]
    pub node: NodeId,
    /// Its organisation's name.
    pub name: String,
    /// `operator`, `cert` or `other`.
    pub kind: String,
    /// Base URL with mutual TLS, e.g. `https://127.0.0.1:9443`; `None` when it only calls us.
    pub url: Option<String>,
    /// SHA-256 of the certificate authority we trust it by, hex.
    pub fingerprint: String,
    /// Its Ed25519 signing key, hex; receipts and acknowledgements verify against it.
    pub signing_key: String,
}

/// The peers of this node.
#[async_trait]
pub trait PeerDirectory: Send + Sync {
    /// All peers.
    async fn peers(&self) -> Result<Vec<Peer>, PortError>;
    /// One peer.
    async fn peer(&self, id: PeerId) -> Result<Option<Peer>, PortError>;
    /// A client that authenticates us to the peer and the peer to us (mutual TLS, pinned authority).
    async fn client(&self, id: PeerId) -> Result<reqwest::Client, PortError>;
    /// Remembers whether the peer could be reached just now, for those who look.
    fn note_contact(&self, _id: PeerId, _reached: bool) {}
}
