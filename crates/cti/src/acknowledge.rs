//! A person here acknowledged what a peer shared: a signed note goes into the peer's outbox, where it
//! finds it; and the way back: such a note read at a peer.

use ::intel::{Batch, Prepared, Source, sources};
use async_trait::async_trait;
use model::ShareId;
use model::event::{Fact, IncidentAcknowledged};
use platform::bus::{ConsumeError, Consumer};
use platform::db::Tx;
use serde_json::{Map, Value, json};
use stix::{Object, StixId, build};

use crate::error::CtiError;
use crate::mapping::{EXTENSION, body, extension_id, identity_id, stix_time};
use crate::receipt;
use crate::room::{Cti, outbox};
use crate::store::collections;
use crate::store::received::{self, Received};
use crate::store::shares::Answer;

/// Longest answer kept, characters.
const MAX_TEXT_CHARS: usize = 4_000;

/// Listens for acknowledgements.
pub(crate) struct Acknowledge(pub(crate) Cti);

#[async_trait]
impl Consumer for Acknowledge {
    fn name(&self) -> &'static str {
        "cti.acknowledge"
    }

    fn kinds(&self) -> &'static [&'static str] {
        &["incidents.acknowledged"]
    }

    async fn handle(&self, tx: &mut Tx, fact: &Fact) -> Result<(), ConsumeError> {
        let Some(said) = fact.read::<IncidentAcknowledged>()? else { return Ok(()) };
        let Some(received) = received::get(tx.sql(), said.incident).await? else { return Ok(()) };
        // Only a peer comes back for an answer; what a token sent is answered by other means.
        if received.sender_peer.is_none() {
            return Ok(());
        }
        answer(&self.0, tx, &received, &said).await?;
        Ok(())
    }
}

async fn answer(
    cti: &Cti,
    tx: &mut Tx,
    received: &Received,
    said: &IncidentAcknowledged,
) -> Result<(), CtiError> {
    let note = note(cti, received, said);
    if !received::set_note(tx.sql(), received.incident, note.id_text()).await? {
        return Ok(());
    }
    let now = tx.now().as_micros();
    let outbox = outbox(&received.sender, &received.sender);
    let collection = collections::ensure(tx.sql(), &outbox, now).await?;
    let node = &cti.platform().node;
    let own = Source {
        key: format!("sender:{}", node.id),
        name: node.name.clone(),
        kind: "own".into(),
        tlp: stix::Tlp::Amber,
        licence: String::new(),
    };
    let batch = Batch {
        source: sources::ensure(tx.sql(), &own, now).await?,
        unmarked: ::intel::rank(own.tlp),
        collection: Some(collection),
        objects: &[Prepared::new(&note)],
        now_us: now,
    };
    ::intel::write::store(tx.sql(), &batch).await?;
    Ok(())
}

fn note(cti: &Cti, received: &Received, said: &IncidentAcknowledged) -> Object {
    let node = &cti.platform().node;
    let at = stix_time(said.at);
    let statement = json!({
        "share": received.share.clone().unwrap_or_default(),
        "incident": said.incident.to_string(),
        "node": node.id.to_string(),
        "by": said.by,
        "text": said.text.chars().take(MAX_TEXT_CHARS).collect::<String>(),
        "at": said.at.to_string(),
    });
    let signature = receipt::sign_answer(cti.platform().signer.as_ref(), &statement);
    let content = if said.text.is_empty() { "Acknowledged" } else { &said.text };
    let id = StixId::derived("note", crate::NAMESPACE, &format!("{} {}", node.id, said.incident));
    build::note(&id, at, content, std::slice::from_ref(&received.object))
        .created_by(&identity_id(node.id))
        .set("abstract", format!("Acknowledged by {}", node.name))
        .set("authors", json!([said.by]))
        .extension(
            &extension_id(),
            body([("acknowledgement", statement), ("signature", signature.into())]),
        )
        .build()
}

/// The answer in a note of a peer, if the peer with this node id and key signed it.
pub(crate) fn read(note: &Object, node: &str, key: &str) -> Option<(ShareId, Answer)> {
    let extension: &Map<String, Value> = note.extension(EXTENSION)?;
    let statement = extension.get("acknowledgement")?;
    let signature = extension.get("signature")?.as_str()?;
    let text = |name: &str| statement.get(name)?.as_str();
    if text("node")? != node || !receipt::verify_answer(key, statement, signature) {
        return None;
    }
    let clip = |text: &str| text.chars().take(MAX_TEXT_CHARS).collect::<String>();
    let answer =
        Answer { by: clip(text("by")?), text: clip(text("text")?), at: text("at")?.parse().ok()? };
    Some((text("share")?.parse().ok()?, answer))
}
