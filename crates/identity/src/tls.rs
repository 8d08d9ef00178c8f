//! TLS as both ends need it: our server certificate renewed while running, client certificates of our
//! own authority, other nodes' servers by their pinned authority. One provider: ring.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use model::Timestamp;
use ports::Clock;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, ring};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::time_provider::TimeProvider;
use rustls::{
    ClientConfig, DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig,
    SignatureScheme,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, UnixTime};

use crate::authority::{Authority, ServerIdentity};
use crate::error::IdentityError;
use crate::outside::Outside;

/// Protocols offered within TLS.
const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// The provider of this program.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// TLS asks our clock, so that tests can let certificates expire.
struct TlsClock(Arc<dyn Clock>);

impl std::fmt::Debug for TlsClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsClock")
    }
}

fn unix(now: Timestamp) -> UnixTime {
    let micros = u64::try_from(now.as_micros()).unwrap_or(0);
    UnixTime::since_unix_epoch(Duration::from_micros(micros))
}

impl TimeProvider for TlsClock {
    fn current_time(&self) -> Option<UnixTime> {
        Some(unix(self.0.now()))
    }
}

/// The server certificate in force; handshakes under way keep the one they began with.
#[derive(Debug)]
pub(crate) struct Served(RwLock<Arc<CertifiedKey>>);

impl Served {
    pub(crate) fn new(identity: ServerIdentity) -> Result<Arc<Self>, IdentityError> {
        Ok(Arc::new(Self(RwLock::new(certified(identity)?))))
    }

    pub(crate) fn replace(&self, identity: ServerIdentity) -> Result<(), IdentityError> {
        let fresh = certified(identity)?;
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }
}

impl ResolvesServerCert for Served {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn certified(identity: ServerIdentity) -> Result<Arc<CertifiedKey>, IdentityError> {
    let key = ring::sign::any_supported_type(&identity.key).map_err(IdentityError::certificate)?;
    Ok(Arc::new(CertifiedKey::new(identity.chain, key)))
}

/// Takes client certificates of our own authority and of the one outside, or none at all (enrolment, browsers).
#[derive(Debug)]
pub(crate) struct Clients {
    verifier: RwLock<Arc<dyn ClientCertVerifier>>,
    hints: Vec<DistinguishedName>,
    clock: TlsClock,
}

impl Clients {
    pub(crate) fn new(
        authority: &Authority,
        outside: &Outside,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, IdentityError> {
        let verifier = verifier(authority, outside)?;
        let hints = verifier.root_hint_subjects().to_vec();
        Ok(Arc::new(Self { verifier: RwLock::new(verifier), hints, clock: TlsClock(clock) }))
    }

    /// Reads the revocation lists of the authority outside again.
    pub(crate) fn refresh(
        &self,
        authority: &Authority,
        outside: &Outside,
    ) -> Result<(), IdentityError> {
        let fresh = verifier(authority, outside)?;
        *self.verifier.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    fn inner(&self) -> Arc<dyn ClientCertVerifier> {
        Arc::clone(&self.verifier.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn verifier(
    authority: &Authority,
    outside: &Outside,
) -> Result<Arc<dyn ClientCertVerifier>, IdentityError> {
    let mut roots = RootCertStore::empty();
    for root in std::iter::once(&authority.ca_der).chain(&outside.roots) {
        roots.add(root.clone()).map_err(IdentityError::certificate)?;
    }
    let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider());
    let lists = outside.revoked()?;
    if !lists.is_empty() {
        // Our own authority keeps its list in the database; of intermediates nobody publishes lists to us.
        builder = builder
            .with_crls(lists)
            .only_check_end_entity_revocation()
            .allow_unknown_revocation_status();
    }
    builder.allow_unauthenticated().build().map_err(IdentityError::certificate)
}

impl ClientCertVerifier for Clients {
    fn offer_client_auth(&self) -> bool {
        true
    }
    fn client_auth_mandatory(&self) -> bool {
        false
    }
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }
    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        self.inner().verify_client_cert(end_entity, intermediates, unix(self.clock.0.now()))
    }
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner().verify_tls12_signature(message, certificate, signed)
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.inner().verify_tls13_signature(message, certificate, signed)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner().supported_verify_schemes()
    }
}

/// How our TLS listener speaks. A client certificate of an authority we do not trust, or one that has expired, ends
/// the handshake.
pub(crate) fn server_config(
    clients: Arc<Clients>,
    served: Arc<Served>,
    clock: Arc<dyn Clock>,
) -> Result<ServerConfig, IdentityError> {
    let mut config = ServerConfig::builder_with_details(provider(), Arc::new(TlsClock(clock)))
        .with_safe_default_protocol_versions()
        .map_err(IdentityError::certificate)?
        .with_client_cert_verifier(clients)
        .with_cert_resolver(served);
    config.alpn_protocols = ALPN.map(<[u8]>::to_vec).to_vec();
    Ok(config)
}

/// How we call another node: its server by the pinned authority, ourselves by `own` (certificate and
/// key, PEM) once we have been enrolled.
pub(crate) fn client_config(
    ca_pem: &str,
    own: Option<(&str, &str)>,
    clock: Arc<dyn Clock>,
) -> Result<ClientConfig, IdentityError> {
    let ca = CertificateDer::from_pem_slice(ca_pem.as_bytes())
        .map_err(|cause| IdentityError::Certificate(format!("the peer's authority: {cause}")))?;
    let mut roots = RootCertStore::empty();
    roots.add(ca).map_err(IdentityError::certificate)?;
    let builder = ClientConfig::builder_with_details(provider(), Arc::new(TlsClock(clock)))
        .with_safe_default_protocol_versions()
        .map_err(IdentityError::certificate)?
        .with_root_certificates(roots);
    let mut config = match own {
        None => builder.with_no_client_auth(),
        Some((certificate, key)) => {
            let chain = CertificateDer::pem_slice_iter(certificate.as_bytes())
                .collect::<Result<Vec<_>, _>>()
                .map_err(IdentityError::certificate)?;
            let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
                .map_err(IdentityError::certificate)?;
            builder.with_client_auth_cert(chain, key).map_err(IdentityError::certificate)?
        }
    };
    config.alpn_protocols = ALPN.map(<[u8]>::to_vec).to_vec();
    Ok(config)
}
