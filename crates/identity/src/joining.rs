//! The invited side: makes a key, asks the inviting node for a certificate, remembers it as a peer,
//! and renews the certificate before its end. Keys and certificates are files under `keys/`, written
//! before the row that makes them count.

use model::event::AccessNoted;
use model::{NodeId, PeerId, Timestamp};
use platform::http::{Caller, Problem};
use platform::peers::Peer;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde::Serialize;

use crate::Identity;
use crate::authority::{common_name, fingerprint, not_after};
use crate::enrolment::{
    Enrolled, Enrolment, INVITATION_VERSION, Invitation, MAX_PEM_BYTES, Renewal, checked_key,
    checked_kind, checked_node, proof_text, refuse_other_key,
};
use crate::error::IdentityError;
use crate::note::clean;
use crate::peers::key_files;
use crate::store::peers::{self, PeerRow};
use crate::users::checked_name;

/// Bytes of an enrolment's answer at most.
const MAX_ANSWER_BYTES: usize = 64 << 10;
/// Our client certificate is renewed this long before its end.
pub const RENEW_CLIENT_BEFORE_DAYS: i64 = 60;
/// Pause after a renewal that did not succeed, seconds.
pub(crate) const RENEWAL_PAUSE_S: i64 = 3_600;

impl Identity {
    /// Accepts another node's invitation: afterwards we can call it.
    ///
    /// # Errors
    /// The invitation is not sound, the other node cannot be reached or refuses, or the database
    /// said no. Until the code is used up it can be tried again.
    pub async fn join(&self, by: &Caller, invitation: &Invitation) -> Result<Peer, IdentityError> {
        let node = self.checked_invitation(invitation)?;
        let _one = self.inner.joining.lock().await;
        let data = &self.platform().data;
        let (key_file, certificate_file) = key_files(node);
        let key = match data.read_key(&key_file)? {
            Some(pem) => KeyPair::from_pem(&pem).map_err(IdentityError::certificate)?,
            None => {
                let key = KeyPair::generate().map_err(IdentityError::certificate)?;
                data.write_key(&key_file, key.serialize_pem().as_bytes())?;
                key
            }
        };
        let client = self.http_client(&invitation.ca_pem, None)?;
        let url = format!("{}/api/v1/peers/enrol", invitation.url.trim_end_matches('/'));
        let enrolled = self.ask(&client, &url, &self.enrolment(invitation, &key)?).await?;
        self.check_certificate(&invitation.ca_pem, &enrolled.certificate, &key)?;
        data.write_key(&certificate_file, enrolled.certificate.as_bytes())?;
        self.store_inviter(by, invitation, node).await
    }

    fn checked_invitation(&self, invitation: &Invitation) -> Result<NodeId, IdentityError> {
        let wrong = |text: &str| Err(IdentityError::Invalid(format!("the invitation: {text}")));
        if invitation.version != INVITATION_VERSION {
            return wrong("its version is not the one this program knows");
        }
        let node = checked_node(&invitation.node)?;
        checked_key(&invitation.signing_key)?;
        checked_kind(&invitation.kind)?;
        checked_name("the inviting organisation's name", &invitation.name)?;
        if node == self.platform().node.id {
            return wrong("it is this node's own");
        }
        let https = reqwest::Url::parse(&invitation.url).is_ok_and(|url| url.scheme() == "https");
        if !https || invitation.ca_pem.len() > MAX_PEM_BYTES {
            return wrong("url must be https:// and ca_pem a certificate");
        }
        if invitation.expires_at <= self.platform().now() {
            return wrong("it has expired; ask for a new one");
        }
        Ok(node)
    }

    fn enrolment(
        &self,
        invitation: &Invitation,
        key: &KeyPair,
    ) -> Result<Enrolment, IdentityError> {
        let node = self.platform().node.id.to_string();
        let csr = self.signing_request(key)?;
        let text = proof_text(&invitation.code, &csr, &node);
        let signer = &self.platform().signer;
        Ok(Enrolment {
            code: invitation.code.clone(),
            node,
            signing_key: hex::encode(signer.public_key()),
            proof: hex::encode(signer.sign(text.as_bytes())),
            csr,
        })
    }

    async fn ask<T: Serialize + Sync>(
        &self,
        client: &reqwest::Client,
        url: &str,
        body: &T,
    ) -> Result<Enrolled, IdentityError> {
        let away = |cause: reqwest::Error| {
            let mut text = format!("{url} does not answer: {cause}");
            let mut source = std::error::Error::source(&cause);
            while let Some(deeper) = source {
                text = format!("{text}: {deeper}");
                source = deeper.source();
            }
            IdentityError::Peer(text)
        };
        let mut response = client.post(url).json(body).send().await.map_err(away)?;
        let status = response.status();
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(away)? {
            if answer.len() + chunk.len() > MAX_ANSWER_BYTES {
                let text = format!("{url} answers with more than {MAX_ANSWER_BYTES} bytes");
                return Err(IdentityError::Peer(text));
            }
            answer.extend_from_slice(&chunk);
        }
        if !status.is_success() {
            let said = serde_json::from_slice::<Problem>(&answer).map(|problem| problem.detail);
            let said = said.map_or_else(|_| status.to_string(), |text| clean(&text));
            return Err(IdentityError::Peer(format!("the other node refused: {said}")));
        }
        serde_json::from_slice(&answer)
            .map_err(|cause| IdentityError::Peer(format!("{url} answers nonsense: {cause}")))
    }

    /// Asks for our client certificate anew when it is near its end; says which one to use and until
    /// when to use it before looking again.
    pub(crate) async fn renewed_client(
        &self,
        peer: &Peer,
        ca_pem: &str,
        key_pem: &str,
        certificate: String,
    ) -> Result<(String, Timestamp), IdentityError> {
        let now = self.platform().now();
        let early_us = RENEW_CLIENT_BEFORE_DAYS * 86_400 * 1_000_000;
        let due = |pem: &str| not_after(pem).map(|end| end.plus_micros(-early_us));
        let at = due(&certificate)?;
        if at > now {
            return Ok((certificate, at));
        }
        match self.renew_from(peer, ca_pem, key_pem, &certificate).await {
            Ok(fresh) => {
                let at = due(&fresh)?.max(now.plus_secs(RENEWAL_PAUSE_S));
                Ok((fresh, at))
            }
            Err(error) => {
                tracing::warn!(%error, peer = peer.name, "the client certificate could not be renewed");
                Ok((certificate, now.plus_secs(RENEWAL_PAUSE_S)))
            }
        }
    }

    async fn renew_from(
        &self,
        peer: &Peer,
        ca_pem: &str,
        key_pem: &str,
        certificate: &str,
    ) -> Result<String, IdentityError> {
        let key = KeyPair::from_pem(key_pem).map_err(IdentityError::certificate)?;
        let client = self.http_client(ca_pem, Some((certificate, key_pem)))?;
        let url = format!("{}/api/v1/peers/renewal", peer.url.as_deref().unwrap_or_default());
        let asked = Renewal { csr: self.signing_request(&key)? };
        let fresh = self.ask(&client, &url, &asked).await?.certificate;
        self.check_certificate(ca_pem, &fresh, &key)?;
        self.platform().data.write_key(&key_files(peer.node).1, fresh.as_bytes())?;
        Ok(fresh)
    }

    fn signing_request(&self, key: &KeyPair) -> Result<String, IdentityError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        let node = self.platform().node.id.to_string();
        params.distinguished_name.push(DnType::CommonName, node);
        let csr = params.serialize_request(key).and_then(|request| request.pem());
        csr.map_err(IdentityError::certificate)
    }

    fn check_certificate(
        &self,
        ca_pem: &str,
        certificate: &str,
        key: &KeyPair,
    ) -> Result<(), IdentityError> {
        let der = CertificateDer::from_pem_slice(certificate.as_bytes())
            .map_err(|cause| IdentityError::Peer(format!("the certificate received: {cause}")))?;
        if common_name(&der).as_deref() != Some(self.platform().node.id.to_string().as_str()) {
            return Err(IdentityError::Peer("the certificate received names another node".into()));
        }
        // Fails when certificate and key do not belong together.
        self.http_client(ca_pem, Some((certificate, &key.serialize_pem()))).map(|_| ())
    }

    async fn store_inviter(
        &self,
        by: &Caller,
        invitation: &Invitation,
        node: NodeId,
    ) -> Result<Peer, IdentityError> {
        let ca = CertificateDer::from_pem_slice(invitation.ca_pem.as_bytes())
            .map_err(IdentityError::certificate)?;
        let id: PeerId = self.platform().mint();
        let row = PeerRow {
            peer: Peer {
                id,
                node,
                name: invitation.name.trim().to_owned(),
                kind: invitation.kind.clone(),
                url: Some(invitation.url.trim_end_matches('/').to_owned()),
                fingerprint: fingerprint(&ca),
                signing_key: invitation.signing_key.to_ascii_lowercase(),
            },
            ca: Some(invitation.ca_pem.clone()),
            certificate: None,
            revoked: false,
        };
        let actor = by.name.clone();
        let peer = self
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    refuse_other_key(tx.sql(), &row.peer).await?;
                    let peer = peers::put_peer(tx, &row).await?;
                    let detail = format!("{} {node}, joined by {actor}; we may call it", peer.kind);
                    let who = peer.name.clone();
                    let note = AccessNoted { what: "peer_added".into(), who, detail };
                    tx.publish(&actor, &note).await?;
                    Ok::<_, IdentityError>(peer)
                })
            })
            .await?;
        self.forget_client(peer.id);
        self.note_contact(peer.id, true);
        Ok(peer)
    }
}
