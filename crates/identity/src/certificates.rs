//! Client certificates: made for programs that are no nodes, revoked, and who calls with one. A node's certificate
//! opens a node's door, a program's its own rights, one of an outside authority an account; none passes for another.

use model::event::AccessNoted;
use model::{CertificateId, Timestamp};
use platform::http::{Caller, CallerKind};
use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use rustls_pki_types::CertificateSigningRequestDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::authority::{CLIENT_DAYS, SERIAL_BYTES, fingerprint};
use crate::error::IdentityError;
use crate::shown::{Holder, Shown};
use crate::store::access;
use crate::store::certificates::{self, Certificate};
use crate::tokens::check_grants;
use crate::users::{caller, checked_name, digest, roles_beside};
use crate::{Identity, ROLES};

/// Certificates in force at most.
pub(crate) const MAX_CERTIFICATES: i64 = 1_000;
/// Longest life of a program's certificate, days.
pub const MAX_CERTIFICATE_DAYS: i64 = CLIENT_DAYS;
/// Largest signing request, bytes.
pub(crate) const MAX_REQUEST_BYTES: usize = 16 << 10;
/// Characters of a certificate's label; X.520 gives a common name no more.
pub(crate) const MAX_LABEL_CHARS: usize = 64;

const ASK_HERE: &str =
    "Ask this node's administrator for a new certificate (`sereno taxii certificate new`).";
const ASK_PEER: &str = "Ask the other organisation for a new invitation.";
const ASK_MAPPING: &str =
    "Ask this node's administrator to map it to an account (`[identity.client_ca]`).";

/// Why a certificate opens nothing.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// Who it seems to be.
    pub(crate) who: String,
    /// Why.
    pub(crate) why: String,
    /// What helps.
    pub(crate) remedy: &'static str,
}

/// What a certificate shall be.
#[derive(Clone, Debug, Default)]
pub struct CertificateRequest {
    /// Its role, one of [`ROLES`].
    pub role: String,
    /// Whose it is; becomes its common name.
    pub label: String,
    /// Rights on single things, `ID:read` or `ID:write`; with grants it has those and no others.
    pub grants: Vec<String>,
    /// The other organisation it is for, by name or id; `None`: it is of the house.
    pub organisation: Option<String>,
    /// How long it lasts, days.
    pub days: i64,
    /// The signing request (PKCS #10, RFC 2986), PEM; of it the key is taken, nothing else.
    pub request: String,
}

/// A certificate just made.
#[derive(Clone, Debug)]
pub struct NewCertificate {
    /// Its id.
    pub id: CertificateId,
    /// The certificate, PEM.
    pub certificate: String,
    /// SHA-256 of it, hex.
    pub fingerprint: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// A new key (ECDSA P-256, PKCS #8) and a signing request for it, both PEM.
///
/// # Errors
/// The key cannot be made.
pub fn new_request() -> Result<(String, String), IdentityError> {
    let key = KeyPair::generate().map_err(IdentityError::certificate)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    let request = params.serialize_request(&key).map_err(IdentityError::certificate)?;
    Ok((key.serialize_pem(), request.pem().map_err(IdentityError::certificate)?))
}

impl Identity {
    /// Signs a request for a program's client certificate.
    ///
    /// # Errors
    /// Unknown role, unusable label, grant, days or request, too many certificates, or the database said no.
    pub async fn create_certificate(
        &self,
        by: &Caller,
        asked: CertificateRequest,
    ) -> Result<NewCertificate, IdentityError> {
        let label = checked(&asked)?;
        let named = self.stands_for(asked.organisation.as_deref(), &asked.role).await?;
        let now = self.platform().now();
        let id: CertificateId = self.platform().mint();
        let mut serial = [0; SERIAL_BYTES];
        self.platform().random.fill(&mut serial);
        // A serial number is positive (RFC 5280 §4.1.2.2).
        serial[0] = (serial[0] & 0x7f) | 0x40;
        let authority = &self.inner.authority;
        let days = (now, asked.days);
        let made = authority.issue_program(&asked.request, (id, &label), days, serial)?;
        same_key(&asked.request, made.der())?;
        let row = Certificate {
            id,
            label,
            roles: vec![asked.role],
            grants: asked.grants,
            recipient: named.as_ref().map(|named| named.recipient),
            fingerprint: fingerprint(made.der()),
            serial: hex::encode(serial),
            made_by: by.name.clone(),
            recorded_at: now,
            expires_at: crate::authority::not_after(&made.pem())?,
            revoked_at: None,
        };
        let answer = NewCertificate {
            id,
            certificate: made.pem(),
            fingerprint: row.fingerprint.clone(),
            expires_at: row.expires_at,
        };
        self.keep_certificate(by.name.clone(), row, named.map(|named| named.name), now).await?;
        Ok(answer)
    }

    async fn keep_certificate(
        &self,
        actor: String,
        row: Certificate,
        organisation: Option<String>,
        now: Timestamp,
    ) -> Result<(), IdentityError> {
        self.platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if certificates::count(tx.sql(), now).await? >= MAX_CERTIFICATES {
                        return Err(IdentityError::Conflict(format!(
                            "there are {MAX_CERTIFICATES} certificates, the limit; revoke some"
                        )));
                    }
                    certificates::insert(tx, &row).await?;
                    let stands_for =
                        organisation.map(|name| format!(" for {name}")).unwrap_or_default();
                    let detail = format!(
                        "certificate {} “{}” with role {}{stands_for}, fingerprint {}",
                        row.id,
                        row.label,
                        row.roles.join(", "),
                        row.fingerprint
                    );
                    let what = "certificate_created".into();
                    tx.publish(&actor, &AccessNoted { what, who: actor.clone(), detail }).await?;
                    Ok(())
                })
            })
            .await
    }

    /// Makes a program's certificate worthless, from the next request on, also on connections that stand.
    ///
    /// # Errors
    /// No such certificate, or the database said no. Revoking twice is "not found".
    pub async fn revoke_certificate(
        &self,
        by: &Caller,
        id: CertificateId,
    ) -> Result<(), IdentityError> {
        let actor = by.name.clone();
        let revoked = self
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    if !certificates::revoke(tx, id).await? {
                        return Err(IdentityError::NotFound(format!("certificate {id}")));
                    }
                    let (what, detail) =
                        ("certificate_revoked".into(), format!("certificate {id}"));
                    tx.publish(&actor, &AccessNoted { what, who: actor.clone(), detail }).await?;
                    Ok(())
                })
            })
            .await;
        self.inner.certificates.clear();
        revoked
    }

    /// Who shows this certificate, or why it opens nothing. TLS has verified at the beginning of the connection that
    /// an authority we trust signed it; its end is looked at with every request, because connections last.
    pub(crate) async fn certificate_caller(
        &self,
        der: &[u8],
    ) -> Result<Result<Caller, Refusal>, IdentityError> {
        let refused = |who: &str, why: &str, remedy| {
            Ok(Err(Refusal { who: who.into(), why: why.into(), remedy }))
        };
        let Some(shown) = self.shown_certificate(der) else {
            return refused("a caller", "the certificate cannot be read", ASK_HERE);
        };
        let over = shown.not_after <= self.platform().now();
        match &shown.holder {
            _ if over => refused("a caller", "the certificate has expired", ASK_HERE),
            Holder::Node { name, key } => Ok(self
                .peer_caller(name, key)
                .await?
                .map_err(|(who, why)| Refusal { who, why: why.into(), remedy: ASK_PEER })),
            Holder::Program => self.program_caller(&shown).await,
            Holder::Outside => self.outside_caller(&shown).await,
            Holder::Nobody => refused("a peer", "the certificate names no node", ASK_PEER),
        }
    }

    async fn program_caller(
        &self,
        shown: &Shown,
    ) -> Result<Result<Caller, Refusal>, IdentityError> {
        let refused =
            |who: String, why: &str| Ok(Err(Refusal { who, why: why.into(), remedy: ASK_HERE }));
        let (known, change) = self.inner.certificates.get(&shown.fingerprint);
        let found = match known {
            Some(row) => Some(row),
            None => {
                let mut sql = self.platform().db.read().await?;
                let found = certificates::by_fingerprint(&mut sql, &shown.fingerprint).await?;
                if let Some(row) = &found {
                    self.inner.certificates.keep(change, row.fingerprint.clone(), row.clone());
                }
                found
            }
        };
        // A database restored from before it was made knows nothing of it.
        let Some(row) = found else {
            return refused("a certificate".into(), "this node does not know this certificate");
        };
        let name = format!("certificate {}", row.label);
        if row.revoked_at.is_some() {
            return refused(name, "the certificate was revoked");
        }
        let roles = roles_beside(&row.grants, row.roles);
        let (kind, id) = (CallerKind::Token, row.id.to_string());
        let outside = row.recipient;
        Ok(Ok(Caller { kind, id, name, roles, grants: row.grants, outside }))
    }

    async fn outside_caller(
        &self,
        shown: &Shown,
    ) -> Result<Result<Caller, Refusal>, IdentityError> {
        let who = shown.subject.join(", ");
        let refused = |why: String| Ok(Err(Refusal { who: who.clone(), why, remedy: ASK_MAPPING }));
        let Some(account) = self.inner.outside.account(shown) else {
            let print = &shown.fingerprint;
            return refused(format!("no account is mapped to the certificate {print}"));
        };
        // Beside names with passwords, which are digests of longer texts: what changes an account empties both.
        let key = digest(&format!("{}\ncertificate\n{}", self.inner.salt, shown.fingerprint));
        let (known, change) = self.inner.passed.get(&key);
        if let Some(known) = known {
            return Ok(Ok(known));
        }
        let mut sql = self.platform().db.read().await?;
        let user = access::user(&mut sql, account).await?;
        let Some(user) = user.filter(|user| user.disabled_at.is_none()) else {
            return refused(format!("there is no account '{account}' for this certificate"));
        };
        let found = caller(&user);
        self.inner.passed.keep(change, key, found.clone());
        Ok(Ok(found))
    }
}

/// Checks everything but the signing request; the label as it will be kept.
fn checked(asked: &CertificateRequest) -> Result<String, IdentityError> {
    let invalid = |text: String| Err(IdentityError::Invalid(text));
    if !ROLES.contains(&asked.role.as_str()) {
        return invalid(format!("'{}' is no role; roles are {}", asked.role, ROLES.join(", ")));
    }
    check_grants(&asked.grants)?;
    if !(1..=MAX_CERTIFICATE_DAYS).contains(&asked.days) {
        let days = asked.days;
        return invalid(format!("{days} days; a certificate lasts 1 to {MAX_CERTIFICATE_DAYS}"));
    }
    if asked.request.len() > MAX_REQUEST_BYTES {
        let size = asked.request.len();
        return invalid(format!("a request of {size} bytes; the limit is {MAX_REQUEST_BYTES}"));
    }
    let label = checked_name("a label", &asked.label)?;
    if label.chars().count() > MAX_LABEL_CHARS {
        return invalid(format!("a certificate's label has at most {MAX_LABEL_CHARS} characters"));
    }
    Ok(label)
}

/// The library derives the kind of the key from the signature's: where they differ (P-384 with SHA-256) the
/// certificate would hold another key than the request.
fn same_key(request_pem: &str, der: &[u8]) -> Result<(), IdentityError> {
    let wrong = || {
        let text = "the signing request: this kind of key is not supported";
        IdentityError::Invalid(format!("{text}; make one with ECDSA P-256, Ed25519 or RSA"))
    };
    let asked = CertificateSigningRequestDer::from_pem_slice(request_pem.as_bytes());
    let asked = asked.map_err(|_| wrong())?;
    let (_, asked) = X509CertificationRequest::from_der(&asked).map_err(|_| wrong())?;
    let (_, made) = X509Certificate::from_der(der).map_err(|_| wrong())?;
    let same = asked.certification_request_info.subject_pki.raw == made.public_key().raw;
    same.then_some(()).ok_or_else(wrong)
}
