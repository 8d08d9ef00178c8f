//! Other nodes: who they are, how we call them, and how the exchange ends.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use model::event::AccessNoted;
use model::{NodeId, PeerId, Timestamp};
use platform::http::{Caller, CallerKind};
use platform::peers::{Peer, PeerDirectory};
use ports::PortError;
use ports::disclosure::Recipient;

use crate::Identity;
use crate::contact::{Contact, NoteContacts};
use crate::error::IdentityError;
use crate::store::peers::{self, PeerRow};
use crate::tls;

/// Seconds until a connection to a peer must stand.
pub(crate) const CONNECT_TIMEOUT_S: u64 = 5;
/// Seconds until a peer must have answered.
pub(crate) const ANSWER_TIMEOUT_S: u64 = 30;

/// Names of the files under `keys/` for a node we call.
pub(crate) fn key_files(node: NodeId) -> (String, String) {
    (format!("peer-{node}.key.pem"), format!("peer-{node}.crt.pem"))
}

impl Identity {
    /// The peer whose certificate names this node and holds a key of this digest, or why it opens nothing.
    pub(crate) async fn peer_caller(
        &self,
        node: &str,
        key: &str,
    ) -> Result<Result<Caller, (String, &'static str)>, IdentityError> {
        let refused = |who: &str, why| Ok(Err((who.to_owned(), why)));
        let mut sql = self.platform().db.read().await?;
        let Some(row) = peers::peer_of_node(&mut sql, node).await? else {
            return refused(node, "the certificate names no node we exchange with");
        };
        drop(sql);
        if row.revoked {
            return refused(&row.peer.name, "the exchange with this node was ended");
        }
        if row.certificate.as_deref() != Some(key) {
            return refused(&row.peer.name, "the certificate's key was replaced by a newer one");
        }
        self.note_contact(row.peer.id, true);
        Ok(Ok(Caller {
            kind: CallerKind::Peer { peer: row.peer.id, node: row.peer.node },
            id: row.peer.id.to_string(),
            name: row.peer.name,
            roles: vec!["peer".into()],
            grants: vec![],
            outside: Some(Recipient::Peer(row.peer.id)),
        }))
    }

    /// Remembers that a peer was reached, called us, or could not be reached.
    pub fn note_contact(&self, peer: PeerId, ok: bool) {
        self.inner.contacts.note(peer, ok);
    }

    /// When a peer was last heard of since this process started.
    pub fn contact(&self, peer: PeerId) -> Option<Contact> {
        self.inner.contacts.last(peer)
    }

    /// Ends the exchange with a peer: its certificate opens nothing any more and we forget ours.
    ///
    /// # Errors
    /// No such peer, or the database said no.
    pub async fn remove_peer(&self, by: &Caller, id: PeerId) -> Result<(), IdentityError> {
        let row = self.peer_row(id).await?;
        let row = row.ok_or_else(|| IdentityError::NotFound(format!("peer {id}")))?;
        let (actor, name) = (by.name.clone(), row.peer.name.clone());
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if !peers::revoke_peer(tx, id).await? {
                        return Err(IdentityError::NotFound(format!("peer {id}")));
                    }
                    let detail = format!("by {actor}; its certificate is revoked");
                    let note = AccessNoted { what: "peer_removed".into(), who: name, detail };
                    tx.publish(&actor, &note).await?;
                    Ok(())
                })
            })
            .await?;
        self.forget_client(id);
        // Files left behind by a crash here open nothing: the peer's row is gone.
        let (key, certificate) = key_files(row.peer.node);
        for file in [key, certificate] {
            let _ = std::fs::remove_file(self.platform().data.key_file(&file));
        }
        Ok(())
    }

    pub(crate) async fn peer_row(&self, id: PeerId) -> Result<Option<PeerRow>, IdentityError> {
        let mut sql = self.platform().db.read().await?;
        Ok(peers::peer(&mut sql, id).await?.filter(|row| !row.revoked))
    }

    pub(crate) fn forget_client(&self, id: PeerId) {
        self.inner.clients.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
    }

    /// A client that trusts one authority and shows `own` (certificate and key, PEM).
    pub(crate) fn http_client(
        &self,
        ca_pem: &str,
        own: Option<(&str, &str)>,
    ) -> Result<reqwest::Client, IdentityError> {
        Self::finish(self.client_builder(ca_pem, own)?)
    }

    fn finish(builder: reqwest::ClientBuilder) -> Result<reqwest::Client, IdentityError> {
        builder.build().map_err(IdentityError::certificate)
    }

    fn client_builder(
        &self,
        ca_pem: &str,
        own: Option<(&str, &str)>,
    ) -> Result<reqwest::ClientBuilder, IdentityError> {
        let config = tls::client_config(ca_pem, own, Arc::clone(&self.platform().clock))?;
        Ok(reqwest::Client::builder()
            .tls_backend_preconfigured(config)
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_secs(CONNECT_TIMEOUT_S))
            .timeout(Duration::from_secs(ANSWER_TIMEOUT_S)))
    }

    async fn make_client(&self, id: PeerId) -> Result<(reqwest::Client, Timestamp), IdentityError> {
        let row = self.peer_row(id).await?;
        let row = row.ok_or_else(|| IdentityError::NotFound(format!("peer {id}")))?;
        let name = &row.peer.name;
        let (Some(_), Some(ca)) = (&row.peer.url, &row.ca) else {
            return Err(IdentityError::Invalid(format!(
                "{name} calls us; to call it, join with an invitation of theirs"
            )));
        };
        let data = &self.platform().data;
        let (key_file, certificate_file) = key_files(row.peer.node);
        let (Some(key), Some(certificate)) =
            (data.read_key(&key_file)?, data.read_key(&certificate_file)?)
        else {
            return Err(IdentityError::Certificate(format!(
                "keys/{key_file} or keys/{certificate_file} is missing; join {name} again"
            )));
        };
        let (certificate, until) = self.renewed_client(&row.peer, ca, &key, certificate).await?;
        let notes = NoteContacts { contacts: Arc::clone(&self.inner.contacts), peer: id };
        let builder = self.client_builder(ca, Some((&certificate, &key)))?.connector_layer(notes);
        Ok((Self::finish(builder)?, until))
    }
}

#[async_trait]
impl PeerDirectory for Identity {
    async fn peers(&self) -> Result<Vec<Peer>, PortError> {
        let mut sql = self.platform().db.read().await.map_err(IdentityError::from)?;
        let rows = peers::peers(&mut sql).await.map_err(IdentityError::from)?;
        Ok(rows.into_iter().map(|row| row.peer).collect())
    }

    async fn peer(&self, id: PeerId) -> Result<Option<Peer>, PortError> {
        Ok(self.peer_row(id).await?.map(|row| row.peer))
    }

    async fn client(&self, id: PeerId) -> Result<reqwest::Client, PortError> {
        let clients = || self.inner.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.platform().now();
        if let Some((client, until)) = clients().get(&id)
            && *until > now
        {
            return Ok(client.clone());
        }
        let (client, until) = self.make_client(id).await?;
        clients().insert(id, (client.clone(), until));
        Ok(client)
    }

    fn note_contact(&self, id: PeerId, reached: bool) {
        Self::note_contact(self, id, reached);
    }
}
