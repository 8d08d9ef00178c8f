//! Objects between nodes: as they go and as they come.

pub(crate) mod send;
pub(crate) mod take;

use std::collections::HashMap;

use intel::objects::Stored;
use intel::{Sight, objects as known};
use model::id::TypedId;
use model::{CommunityId, PeerId, ShareDecision, Tlp};
use platform::db::DbError;
use platform::peers::Peer;
use ports::PortError;
use ports::disclosure::{Address, Candidate, Disclosed, Recipient, Said};
use sqlx::AnyConnection;

use crate::error::FederationError;
use crate::room::Federation;
use crate::store::received::{self, Received};
use crate::trail::Trail;

/// Objects in a letter at most.
pub(crate) const MAX_OBJECTS: usize = 500;
/// Key of a peer's source begins so; its node id follows. TAXII uses the same, so that a peer is one source.
const SOURCE_PREFIX: &str = "sender:";
/// Kind of the sources of organisations without a node; their keys name them.
const ORGANISATION: &str = "organisation";

/// Key of a peer's source.
pub(crate) fn source_key(peer: &Peer) -> String {
    format!("{SOURCE_PREFIX}{}", peer.node)
}

/// An object as this node knows it, with how it came here.
pub(crate) struct Known {
    pub(crate) stored: Stored,
    /// The peer it came from; `None` when it was first said here.
    pub(crate) from: Option<PeerId>,
    /// The organisation without a node that said it first here.
    pub(crate) said_by: Option<Recipient>,
    /// What peers brought of it.
    pub(crate) received: Vec<Received>,
    /// Whose word it is, and what that source is called.
    said: (Said, String),
}

impl Known {
    /// What is judged.
    pub(crate) fn candidate(&self) -> Result<Candidate, DbError> {
        let object = serde_json::from_str(&self.stored.body)
            .map_err(|cause| DbError::corrupt("intel_objects.body", cause))?;
        Ok(Candidate {
            object,
            tlp: label(self.stored.tlp),
            from: self.brought_by(),
            through: self.came().and_then(|row| row.community),
            said: self.brought_by().map_or(self.said.0, Said::of_bringer),
            source: self.said.1.clone(),
        })
    }

    /// Who brought it; `None` when it was first said here.
    pub(crate) fn brought_by(&self) -> Option<Recipient> {
        self.from.map(Recipient::Peer).or(self.said_by)
    }

    /// How it came here, where a peer brought it.
    pub(crate) fn came(&self) -> Option<&Received> {
        let from = self.from?;
        self.received.iter().find(|row| row.peer == from).or_else(|| self.received.first())
    }

    /// Where it has been before; one that begins here gets the share's salt.
    pub(crate) fn trail(&self, salt: &str) -> Trail {
        let begins = || Trail { salt: salt.to_owned(), path: vec![] };
        self.came().map_or_else(begins, |row| row.trail.clone())
    }

    /// Whether a node has it without us: it brought it, passed it on, or said this very version.
    pub(crate) fn echoes_to(&self, peer: &Peer) -> bool {
        if self.from == Some(peer.id) {
            return true;
        }
        let by = |row: &Received| row.peer == peer.id;
        match self.from {
            Some(_) => self.received.iter().any(|row| by(row) || row.trail.passed(peer.node)),
            None => {
                self.received.iter().any(|row| by(row) && row.version == self.stored.version_us)
            }
        }
    }
}

/// The newest versions of some objects with how they came here; what is not known is left out.
pub(crate) async fn load(
    room: &Federation,
    sql: &mut AnyConnection,
    ids: &[&str],
) -> Result<HashMap<String, Known>, FederationError> {
    let origins = intel::beside::origins(&mut *sql, ids).await?;
    let peers = match origins.values().any(|origin| origin.kind == "peer") {
        true => room.peers().peers().await?,
        false => vec![],
    };
    let mut brought: HashMap<String, Vec<Received>> = HashMap::new();
    for row in received::of_objects(&mut *sql, ids).await? {
        brought.entry(row.object.clone()).or_default().push(row);
    }
    let mut found = HashMap::with_capacity(ids.len());
    for id in ids {
        let Some(stored) = known::newest(&mut *sql, id, Sight::ALL).await? else { continue };
        let rows = brought.remove(*id).unwrap_or_default();
        let node = origins
            .get(*id)
            .filter(|origin| origin.kind == "peer")
            .and_then(|origin| origin.key.strip_prefix(SOURCE_PREFIX));
        let from = node.map(|node| {
            let listed = peers.iter().find(|peer| peer.node.to_string() == node);
            // A former peer has no number any more, but what it said is still not our own.
            listed
                .map(|peer| peer.id)
                .or_else(|| rows.first().map(|row| row.peer))
                .unwrap_or_else(|| PeerId::from_uuid(uuid::Uuid::nil()))
        });
        // What cannot be told is not taken for our own word.
        let said = origins.get(*id).map_or((Said::Feed, String::new()), |origin| {
            (Said::of_source(&origin.key, &origin.kind), origin.name.clone())
        });
        let said_by = origins.get(*id).filter(|origin| origin.kind == ORGANISATION);
        let said_by = said_by.map(|origin| origin.key.parse().unwrap_or(Recipient::Unnamed));
        found.insert((*id).to_owned(), Known { stored, from, said_by, received: rows, said });
    }
    Ok(found)
}

/// Asks what may leave. A community that is gone, or a recipient nobody knows, is a no and not a fault: a fault would keep
/// the whole link waiting.
pub(crate) async fn judge(
    room: &Federation,
    to: PeerId,
    through: Option<CommunityId>,
    objects: &[Candidate],
) -> Result<Vec<Disclosed>, FederationError> {
    match room.disclosure()?.judge(to.into(), Address::through(through), objects).await {
        Err(error @ (PortError::NotFound(_) | PortError::Invalid(_))) => {
            let no = Disclosed {
                decision: ShareDecision {
                    allowed: false,
                    reason: error.to_string(),
                    policies: vec![],
                },
                object: None,
                redactions: vec![],
            };
            Ok(vec![no; objects.len()])
        }
        answer => Ok(answer?),
    }
}

/// The label of a stored rank.
pub(crate) fn label(rank: i64) -> Tlp {
    match intel::label(rank) {
        stix::Tlp::Clear => Tlp::Clear,
        stix::Tlp::Green => Tlp::Green,
        stix::Tlp::Amber => Tlp::Amber,
        stix::Tlp::AmberStrict => Tlp::AmberStrict,
        stix::Tlp::Red => Tlp::Red,
    }
}
