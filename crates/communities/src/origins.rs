//! How what the store holds came here, so that every way out judges it alike.

use std::collections::HashMap;

use ports::disclosure::{Candidate, Known, Origin, Recipient, Said};
use serde_json::Value;

use crate::error::CommunityError;
use crate::room::Communities;

/// How keys of sources begin whose objects were brought by a peer, or by an organisation without a node. A key that
/// begins so was received, also when nobody knows the name behind it any more.
const PEER: &str = "peer:";
const SENDER: &str = "sender:";
const ORGANISATION: &str = "organisation:";

impl Communities {
    /// Objects of the store as a sharing would hand them over.
    pub(crate) async fn candidates(
        &self,
        objects: &[Known],
    ) -> Result<Vec<Candidate>, CommunityError> {
        let ids: Vec<String> = objects
            .iter()
            .map(|known| known.object.get("id").and_then(Value::as_str).unwrap_or_default())
            .map(str::to_owned)
            .collect();
        // Another room reads too: who holds one connection must not wait for a second.
        let told = match self.provenance() {
            Some(provenance) => provenance.origins(&ids).await?,
            None => vec![None; ids.len()],
        };
        let peers = self.peers().peers().await?;
        let by_node: HashMap<String, Recipient> =
            peers.iter().map(|peer| (peer.node.to_string(), Recipient::Peer(peer.id))).collect();
        let mut sql = self.platform().db.read().await?;
        let keys: HashMap<i64, (String, String)> = intel::sources::all(&mut sql)
            .await?
            .into_iter()
            .map(|known| (known.id, (known.source.kind, known.source.key)))
            .collect();
        let words: Vec<&str> = ids.iter().map(String::as_str).collect();
        let first = intel::beside::origins(&mut sql, &words).await?;
        drop(sql);
        let by_source = |source: i64| {
            let (kind, key) = keys.get(&source)?;
            if let Some(id) = key.strip_prefix(ORGANISATION) {
                return Some(id.parse().map_or(Recipient::Unnamed, Recipient::Organisation));
            }
            if let Some(id) = key.strip_prefix(PEER) {
                return Some(id.parse().map_or(Recipient::Unnamed, Recipient::Peer));
            }
            let node = key.strip_prefix(SENDER).filter(|_| kind == "peer")?;
            Some(by_node.get(node).copied().unwrap_or(Recipient::Unnamed))
        };
        let candidate = |((known, id), told): ((&Known, &String), Option<Origin>)| {
            let origin = told.unwrap_or_default();
            let from = origin.from.or_else(|| by_source(known.source));
            // What cannot be told is not taken for our own word.
            let word = first.get(id);
            let said = word.map_or(Said::Feed, |one| Said::of_source(&one.key, &one.kind));
            Candidate {
                object: known.object.clone(),
                tlp: known.tlp,
                from,
                through: origin.through,
                said: from.map_or(said, Said::of_bringer),
                source: word.map(|one| one.name.clone()).unwrap_or_default(),
            }
        };
        let told = told.into_iter().chain(std::iter::repeat(None));
        Ok(objects.iter().zip(&ids).zip(told).map(candidate).collect())
    }
}
