//! The node's certificate authority, made at first start (ECDSA P-256): it signs the node's own
//! server certificate and the client certificates of the nodes it invites, nothing else.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::{CertificateId, NodeId, Timestamp};
use platform::Platform;
use platform::data::DataFolder;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertificateSigningRequestParams, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType, SerialNumber,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::error::IdentityError;

/// How long the authority lasts.
pub const AUTHORITY_DAYS: i64 = 3_650;
/// How long the server certificate lasts.
pub const SERVER_DAYS: i64 = 397;
/// It is made anew this long before its end.
pub const RENEW_BEFORE_DAYS: i64 = 30;
/// How long a peer's client certificate lasts.
pub const CLIENT_DAYS: i64 = 825;
/// Certificates begin a little in the past, for clocks that are behind.
const BACKDATE_S: i64 = 3_600;
/// Begins the alternative name of a certificate for a program; its id follows.
pub(crate) const PROGRAM_URI: &str = "urn:sereno:client:";
/// Length of the serial number of such a certificate, bytes.
pub(crate) const SERIAL_BYTES: usize = 16;
const DAY_S: i64 = 86_400;

const CA_KEY: &str = "ca.key.pem";
const CA_CERT: &str = "ca.crt.pem";
const SERVER_KEY: &str = "server.key.pem";
const SERVER_CERT: &str = "server.crt.pem";

/// The authority; its key stays inside.
pub(crate) struct Authority {
    pub(crate) ca_pem: String,
    pub(crate) ca_der: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

/// A server certificate with its key.
pub(crate) struct ServerIdentity {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
    pub(crate) not_after: Timestamp,
}

impl Authority {
    /// Reads the authority, or makes it at first start.
    pub(crate) fn open(platform: &Platform) -> Result<Self, IdentityError> {
        let data = &platform.data;
        let (key, ca_pem) = match (data.read_key(CA_KEY)?, data.read_key(CA_CERT)?) {
            (Some(key), Some(ca)) => (KeyPair::from_pem(&key).map_err(in_file(CA_KEY))?, ca),
            // The key is written first: without a certificate nobody has seen it yet.
            _ => make(platform)?,
        };
        let ca_der = CertificateDer::from_pem_slice(ca_pem.as_bytes()).map_err(in_file(CA_CERT))?;
        let issuer = Issuer::from_ca_cert_der(&ca_der, key).map_err(in_file(CA_CERT))?;
        Ok(Self { ca_pem, ca_der, issuer })
    }

    /// SHA-256 of the authority's certificate, hex.
    pub(crate) fn fingerprint(&self) -> String {
        fingerprint(&self.ca_der)
    }

    /// The server certificate, made anew when it is near its end or its names have changed.
    pub(crate) fn server(
        &self,
        data: &DataFolder,
        names: &[String],
        now: Timestamp,
    ) -> Result<ServerIdentity, IdentityError> {
        let wanted = subject_names(names)?;
        if let (Some(key), Some(cert)) = (data.read_key(SERVER_KEY)?, data.read_key(SERVER_CERT)?)
            && let Ok(known) = server_identity(&key, &cert)
            && known.not_after.micros_since(now) > RENEW_BEFORE_DAYS * DAY_S * 1_000_000
            && names_of(&known.chain[0]) == sorted(&wanted)
            && known.is_signed_by(&self.ca_der)
        {
            return Ok(known);
        }
        let key = KeyPair::generate().map_err(IdentityError::certificate)?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "sereno");
        params.subject_alt_names = wanted;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        span(&mut params, now, SERVER_DAYS);
        let cert = params.signed_by(&key, &self.issuer).map_err(IdentityError::certificate)?.pem();
        let key = key.serialize_pem();
        // Certificate last: a key without its certificate is simply made again.
        data.write_key(SERVER_KEY, key.as_bytes())?;
        data.write_key(SERVER_CERT, cert.as_bytes())?;
        server_identity(&key, &cert)
    }

    /// A client certificate for a node, from its signing request; the request's own wishes for name,
    /// usage and length are not looked at.
    pub(crate) fn issue_client(
        &self,
        request_pem: &str,
        node: NodeId,
        now: Timestamp,
    ) -> Result<String, IdentityError> {
        let wrong = |cause| IdentityError::Invalid(format!("the signing request: {cause}"));
        let mut request = CertificateSigningRequestParams::from_pem(request_pem).map_err(wrong)?;
        request.params = client_params(node, now, CLIENT_DAYS);
        Ok(request.signed_by(&self.issuer).map_err(IdentityError::certificate)?.pem())
    }

    /// A client certificate for a program that is no node, from its signing request. Its alternative name
    /// [`PROGRAM_URI`] marks it: it never stands for a node, and a node's certificate never for a program.
    pub(crate) fn issue_program(
        &self,
        request_pem: &str,
        (id, label): (CertificateId, &str),
        (now, days): (Timestamp, i64),
        serial: [u8; SERIAL_BYTES],
    ) -> Result<Certificate, IdentityError> {
        let wrong = |cause| IdentityError::Invalid(format!("the signing request: {cause}"));
        let mut request = CertificateSigningRequestParams::from_pem(request_pem).map_err(wrong)?;
        let uri = format!("{PROGRAM_URI}{id}");
        let mut params = client_params_named(label, now, days);
        params.subject_alt_names =
            vec![SanType::URI(uri.try_into().map_err(IdentityError::certificate)?)];
        params.is_ca = IsCa::ExplicitNoCa;
        params.serial_number = Some(SerialNumber::from_slice(&serial));
        request.params = params;
        request.signed_by(&self.issuer).map_err(IdentityError::certificate)
    }

    /// Whether this authority signed a certificate.
    pub(crate) fn has_signed(&self, certificate: &X509Certificate<'_>) -> bool {
        X509Certificate::from_der(&self.ca_der).is_ok_and(|(_, own)| {
            certificate.issuer() == own.subject()
                && certificate.verify_signature(Some(own.public_key())).is_ok()
        })
    }
}

impl ServerIdentity {
    fn is_signed_by(&self, ca: &CertificateDer<'_>) -> bool {
        let (Ok((_, own)), Ok((_, ca))) =
            (X509Certificate::from_der(&self.chain[0]), X509Certificate::from_der(ca))
        else {
            return false;
        };
        own.verify_signature(Some(ca.public_key())).is_ok()
    }
}

/// The parameters of a node's client certificate.
pub(crate) fn client_params(node: NodeId, now: Timestamp, days: i64) -> CertificateParams {
    client_params_named(&node.to_string(), now, days)
}

fn client_params_named(name: &str, now: Timestamp, days: i64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params.use_authority_key_identifier_extension = true;
    span(&mut params, now, days);
    params
}

/// SHA-256 of a certificate, hex.
pub(crate) fn fingerprint(der: &[u8]) -> String {
    hex::encode(Sha256::digest(der))
}

/// SHA-256 of a certificate's public key, hex: it stays when the certificate is renewed.
pub(crate) fn public_key_digest(der: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    Some(fingerprint(&certificate.public_key().subject_public_key.data))
}

/// When a certificate ends.
pub(crate) fn not_after(pem: &str) -> Result<Timestamp, IdentityError> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(IdentityError::certificate)?;
    let parsed = X509Certificate::from_der(&der).map_err(IdentityError::certificate)?.1;
    Ok(Timestamp::from_secs(parsed.validity().not_after.timestamp()))
}

/// The common name of a certificate, when it has exactly one.
pub(crate) fn common_name(der: &[u8]) -> Option<String> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    let mut names = certificate.subject().iter_common_name();
    let name = names.next()?.as_str().ok()?.to_owned();
    names.next().is_none().then_some(name)
}

fn make(platform: &Platform) -> Result<(KeyPair, String), IdentityError> {
    let key = KeyPair::generate().map_err(IdentityError::certificate)?;
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    // The node's id keeps two authorities of one organisation apart.
    let name = format!("Sereno authority of {}", platform.node.id);
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    span(&mut params, platform.now(), AUTHORITY_DAYS);
    let certificate = params.self_signed(&key).map_err(IdentityError::certificate)?.pem();
    platform.data.write_key(CA_KEY, key.serialize_pem().as_bytes())?;
    platform.data.write_key(CA_CERT, certificate.as_bytes())?;
    Ok((key, certificate))
}

fn span(params: &mut CertificateParams, now: Timestamp, days: i64) {
    let moment = |at: Timestamp| {
        OffsetDateTime::from_unix_timestamp(at.as_micros().div_euclid(1_000_000))
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    };
    params.not_before = moment(now.plus_secs(-BACKDATE_S));
    params.not_after = moment(now.plus_secs(days * DAY_S));
}

fn in_file<E: std::fmt::Display>(file: &'static str) -> impl Fn(E) -> IdentityError {
    move |cause| {
        IdentityError::Certificate(format!("keys/{file}: {cause}; restore it from a backup"))
    }
}

fn subject_names(names: &[String]) -> Result<Vec<SanType>, IdentityError> {
    let dns = |name: &str| {
        let text = name.to_owned().try_into();
        text.map(SanType::DnsName).map_err(|cause| {
            IdentityError::Invalid(format!("'{name}' cannot stand in a certificate: {cause}"))
        })
    };
    let mut all = vec![
        dns("localhost")?,
        SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST)),
    ];
    for name in names {
        let san = name.parse().map_or_else(|_| dns(name), |ip| Ok(SanType::IpAddress(ip)))?;
        if !all.contains(&san) {
            all.push(san);
        }
    }
    Ok(all)
}

fn sorted(names: &[SanType]) -> Vec<String> {
    let mut texts: Vec<String> = names
        .iter()
        .map(|name| match name {
            SanType::IpAddress(ip) => ip.to_string(),
            SanType::DnsName(name) => name.as_str().to_owned(),
            other => format!("{other:?}"),
        })
        .collect();
    texts.sort();
    texts
}

fn names_of(der: &CertificateDer<'_>) -> Vec<String> {
    let Ok((_, certificate)) = X509Certificate::from_der(der) else { return vec![] };
    let Ok(Some(extension)) = certificate.subject_alternative_name() else { return vec![] };
    let mut names: Vec<String> = extension
        .value
        .general_names
        .iter()
        .map(|name| match name {
            GeneralName::DNSName(name) => (*name).to_owned(),
            GeneralName::IPAddress(bytes) => address(bytes),
            other => format!("{other:?}"),
        })
        .collect();
    names.sort();
    names
}

fn address(bytes: &[u8]) -> String {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return IpAddr::from(v4).to_string();
    }
    <[u8; 16]>::try_from(bytes).map(|v6| IpAddr::from(v6).to_string()).unwrap_or_default()
}

fn server_identity(key_pem: &str, cert_pem: &str) -> Result<ServerIdentity, IdentityError> {
    let cert = CertificateDer::from_pem_slice(cert_pem.as_bytes()).map_err(in_file(SERVER_CERT))?;
    let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes()).map_err(in_file(SERVER_KEY))?;
    let parsed = X509Certificate::from_der(&cert).map_err(in_file(SERVER_CERT))?.1;
    let not_after = Timestamp::from_secs(parsed.validity().not_after.timestamp());
    Ok(ServerIdentity { chain: vec![cert], key, not_after })
}
