//! Invitations: a one-time code and our authority's certificate, handed over on a channel the people
//! trust. The invited node makes a key, proves it holds its signing key, and gets a client
//! certificate. Each step can be repeated after a crash with the same result.

use model::event::AccessNoted;
use model::{NodeId, Timestamp};
use platform::http::{Caller, CallerKind};
use platform::peers::Peer;
use rcgen::{CertificateSigningRequestParams, PublicKeyData};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Identity;
use crate::authority::{fingerprint, public_key_digest};
use crate::error::IdentityError;
use crate::note::clean;
use crate::store::peers::{self, PeerRow};
use crate::users::{checked_name, digest};

/// Version of the invitation's form.
pub(crate) const INVITATION_VERSION: u32 = 1;
/// What a node may be.
pub const KINDS: [&str; 3] = ["operator", "cert", "other"];
/// Bytes of a PEM text at most.
pub(crate) const MAX_PEM_BYTES: usize = 16 << 10;

/// An invitation. It contains a secret: hand it over as you would a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Invitation {
    /// Version of this form.
    pub version: u32,
    /// Where the inviting node listens with TLS.
    pub url: String,
    /// Its certificate authority, PEM.
    pub ca_pem: String,
    /// The one-time code.
    pub code: String,
    /// The inviting node's id.
    pub node: String,
    /// The inviting organisation's name.
    pub name: String,
    /// What it is: `operator`, `cert` or `other`.
    pub kind: String,
    /// Its Ed25519 signing key, hex.
    pub signing_key: String,
    /// Until when it can be used.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// What an invited node sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Enrolment {
    /// The code of the invitation.
    pub code: String,
    /// A certificate signing request, PEM; only its public key counts.
    pub csr: String,
    /// The invited node's id; it becomes the certificate's common name.
    pub node: String,
    /// Its Ed25519 signing key, hex.
    pub signing_key: String,
    /// Signature of that key over [`proof_text`], hex.
    pub proof: String,
}

/// What a peer sends to get its certificate anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Renewal {
    /// A certificate signing request for the key it has, PEM.
    pub csr: String,
}

/// What it gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Enrolled {
    /// Its client certificate, PEM.
    pub certificate: String,
}

/// What the invited node signs: that it, and nobody else, uses this code for this key.
pub fn proof_text(code: &str, csr: &str, node: &str) -> String {
    format!("sereno-enrolment-v1\n{node}\n{}\n{}\n", digest(code), digest(csr))
}

pub(crate) fn checked_kind(kind: &str) -> Result<String, IdentityError> {
    if KINDS.contains(&kind) {
        return Ok(kind.to_owned());
    }
    let text = format!("'{}' is no kind of node; kinds are {}", clean(kind), KINDS.join(", "));
    Err(IdentityError::Invalid(text))
}

pub(crate) fn checked_node(text: &str) -> Result<NodeId, IdentityError> {
    text.parse().map_err(|_| IdentityError::Invalid("node is no node id".into()))
}

pub(crate) fn checked_key(text: &str) -> Result<[u8; 32], IdentityError> {
    let mut key = [0; 32];
    hex::decode_to_slice(text, &mut key)
        .map_err(|_| IdentityError::Invalid("signing_key is not 32 bytes in hex".into()))?;
    Ok(key)
}

impl Identity {
    /// Makes an invitation for an organisation, named and classed as we want to know it.
    ///
    /// # Errors
    /// This node has no TLS address, the name or kind is not acceptable, or the database said no.
    pub async fn invite(
        &self,
        by: &Caller,
        name: &str,
        kind: &str,
    ) -> Result<Invitation, IdentityError> {
        let name = checked_name("an organisation's name", name)?;
        let kind = checked_kind(kind)?;
        let url = self.peer_url().ok_or_else(|| {
            IdentityError::Conflict(
                "this node has no address for other nodes; start it with --tls-listen ADDRESS:PORT, or set identity.peer_url".into(),
            )
        })?;
        let code = self.random_hex();
        let hours = i64::from(self.inner.config.invitation_hours);
        let expires_at = self.platform().now().plus_secs(hours * 3_600);
        let (stored, actor) = (digest(&code), by.name.clone());
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    peers::insert_invitation(tx, &stored, &name, &kind, &actor, expires_at).await?;
                    let detail = format!("as {kind}, by {actor}, until {expires_at}");
                    let note = AccessNoted { what: "peer_invited".into(), who: name, detail };
                    tx.publish(&actor, &note).await?;
                    Ok::<_, IdentityError>(())
                })
            })
            .await?;
        let own = &self.platform().node;
        Ok(Invitation {
            version: INVITATION_VERSION,
            url,
            ca_pem: self.inner.authority.ca_pem.clone(),
            code,
            node: own.id.to_string(),
            name: own.name.clone(),
            kind: own.kind.clone(),
            signing_key: hex::encode(self.platform().signer.public_key()),
            expires_at,
        })
    }

    /// Takes an invited node in. The same node with the same key gets the same certificate again;
    /// any other use of a used code is refused.
    ///
    /// # Errors
    /// The code opens nothing, the request is not sound, or the database said no.
    pub async fn enrol(&self, asked: &Enrolment, source: &str) -> Result<Enrolled, IdentityError> {
        let outcome = self.try_enrol(asked).await;
        if let Err(error) = &outcome {
            let detail = format!("enrolment from {source}: {error}");
            self.refused("peer_refused", &clean(&asked.node), &detail).await;
        }
        outcome
    }

    /// A peer's client certificate anew, for the key it has shown; nothing is stored, so it can be
    /// asked for again.
    ///
    /// # Errors
    /// The caller is no peer, or asks for another key than its own.
    pub async fn renew_client(&self, by: &Caller, csr: &str) -> Result<Enrolled, IdentityError> {
        let CallerKind::Peer { peer, node } = by.kind else {
            return Err(IdentityError::Code("only a peer has a certificate to renew"));
        };
        if csr.len() > MAX_PEM_BYTES {
            return Err(IdentityError::Invalid(format!("csr exceeds {MAX_PEM_BYTES} bytes")));
        }
        let request = CertificateSigningRequestParams::from_pem(csr)
            .map_err(|cause| IdentityError::Invalid(format!("the signing request: {cause}")))?;
        let asked = fingerprint(request.public_key.der_bytes());
        let known = self.peer_row(peer).await?.and_then(|row| row.certificate);
        if known != Some(asked) {
            return Err(IdentityError::Code("a renewal keeps the key; for another key join again"));
        }
        let now = self.platform().now();
        Ok(Enrolled { certificate: self.inner.authority.issue_client(csr, node, now)? })
    }

    async fn try_enrol(&self, asked: &Enrolment) -> Result<Enrolled, IdentityError> {
        let node = checked_node(&asked.node)?;
        let key = checked_key(&asked.signing_key)?;
        if asked.csr.len() > MAX_PEM_BYTES {
            return Err(IdentityError::Invalid(format!("csr exceeds {MAX_PEM_BYTES} bytes")));
        }
        if node == self.platform().node.id {
            return Err(IdentityError::Invalid("a node cannot invite itself".into()));
        }
        let mut proof = [0; 64];
        let decoded = hex::decode_to_slice(&asked.proof, &mut proof).is_ok();
        let text = proof_text(&asked.code, &asked.csr, &asked.node);
        if !decoded || !platform::keys::verify(&key, text.as_bytes(), &proof) {
            return Err(IdentityError::Code(
                "the node did not prove that it holds its signing key",
            ));
        }
        let code = digest(&asked.code);
        let now = self.platform().now();
        let invited = {
            let mut sql = self.platform().db.read().await?;
            peers::invitation(&mut sql, &code).await?
        };
        let invited = invited.ok_or(IdentityError::Code("the code is none of this node's"))?;
        let request = CertificateSigningRequestParams::from_pem(&asked.csr)
            .map_err(|cause| IdentityError::Invalid(format!("the signing request: {cause}")))?;
        let public_key = fingerprint(request.public_key.der_bytes());
        if let Some(used_by) = &invited.used_by {
            let same =
                *used_by == node.to_string() && invited.request.as_ref() == Some(&public_key);
            let certificate = invited.certificate.filter(|_| same);
            let used = IdentityError::Code("the invitation was used already");
            return certificate.map(|certificate| Enrolled { certificate }).ok_or(used);
        }
        if invited.expires_at <= now {
            return Err(IdentityError::Code("the invitation has expired"));
        }
        let certificate = self.inner.authority.issue_client(&asked.csr, node, now)?;
        let peer = self.invited_peer(invited, node, &asked.signing_key, &certificate)?;
        self.take_in(code, public_key, certificate, peer).await
    }

    fn invited_peer(
        &self,
        invited: peers::Invited,
        node: NodeId,
        signing_key: &str,
        certificate: &str,
    ) -> Result<PeerRow, IdentityError> {
        let der = CertificateDer::from_pem_slice(certificate.as_bytes())
            .map_err(IdentityError::certificate)?;
        Ok(PeerRow {
            peer: Peer {
                id: self.platform().mint(),
                node,
                name: invited.name,
                kind: invited.kind,
                url: None,
                fingerprint: self.inner.authority.fingerprint(),
                signing_key: signing_key.to_ascii_lowercase(),
            },
            ca: None,
            certificate: public_key_digest(&der),
            revoked: false,
        })
    }

    async fn take_in(
        &self,
        code: String,
        public_key: String,
        certificate: String,
        row: PeerRow,
    ) -> Result<Enrolled, IdentityError> {
        let answer = certificate.clone();
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let node = row.peer.node;
                    refuse_other_key(tx.sql(), &row.peer).await?;
                    if !peers::use_invitation(tx, &code, node, &public_key, &certificate).await? {
                        return Err(IdentityError::Code("the invitation was used already"));
                    }
                    let peer = peers::put_peer(tx, &row).await?;
                    let detail = format!("{} {node} may call us as {}", peer.kind, peer.id);
                    let note = AccessNoted { what: "peer_added".into(), who: peer.name, detail };
                    tx.publish("system", &note).await?;
                    Ok(())
                })
            })
            .await?;
        Ok(Enrolled { certificate: answer })
    }
}

/// A node id that is known belongs to its signing key: nobody takes it over with a code of their own.
pub(crate) async fn refuse_other_key(
    sql: &mut sqlx::AnyConnection,
    peer: &Peer,
) -> Result<(), IdentityError> {
    match peers::peer_of_node(sql, &peer.node.to_string()).await? {
        Some(known) if known.peer.signing_key != peer.signing_key => Err(IdentityError::Conflict(
            format!("node {} is known under another signing key", peer.node),
        )),
        _ => Ok(()),
    }
}
