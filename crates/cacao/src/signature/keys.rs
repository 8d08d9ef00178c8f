//! Keys as they come in signatures and files: PEM, DER, certificates.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::algorithm::{Algorithm, PublicKey, SigningKey};
use model::Timestamp;

/// Certificates in a chain at most.
const MAX_CHAIN: usize = 10;

/// Reads a private key from a file: PKCS #8, PEM or DER.
///
/// # Errors
/// No such key, or the algorithm is for another kind.
pub fn private_key(file: &[u8], wanted: Option<Algorithm>) -> Result<SigningKey, String> {
    if !file.starts_with(b"-----") {
        return SigningKey::from_pkcs8(file, wanted);
    }
    let key = PrivatePkcs8KeyDer::from_pem_slice(file).map_err(|_| {
        "no PKCS #8 key in this PEM file; `openssl pkcs8 -topk8 -nocrypt` makes one of another form"
            .to_owned()
    })?;
    SigningKey::from_pkcs8(key.secret_pkcs8_der(), wanted)
}

/// Reads a public key from a file: a PEM public key or certificate.
///
/// # Errors
/// Neither is in it, or the key is of another kind.
pub fn public_key(file: &[u8]) -> Result<PublicKey, String> {
    public_spki(file).map(|(_, key)| key)
}

/// The same with its SubjectPublicKeyInfo, DER, to be kept.
///
/// # Errors
/// As [`public_key`].
pub fn public_spki(file: &[u8]) -> Result<(Vec<u8>, PublicKey), String> {
    if let Ok(key) = SubjectPublicKeyInfoDer::from_pem_slice(file) {
        return Ok((key.to_vec(), PublicKey::from_spki(&key)?));
    }
    let certificate = CertificateDer::from_pem_slice(file)
        .map_err(|_| "no public key and no certificate in this PEM file".to_owned())?;
    let (_, certificate) =
        X509Certificate::from_der(&certificate).map_err(|_| "no certificate".to_owned())?;
    let spki = certificate.public_key().raw;
    Ok((spki.to_vec(), PublicKey::from_spki(spki)?))
}

/// `public_key`: PEM without header and footer; with them it is read as well.
pub(super) fn embedded(text: &str) -> Result<PublicKey, String> {
    let body: String = text
        .lines()
        .filter(|line| !line.starts_with("-----"))
        .flat_map(str::chars)
        .filter(|letter| !letter.is_ascii_whitespace())
        .collect();
    let der = STANDARD.decode(body).map_err(|_| "public_key is no Base64".to_owned())?;
    PublicKey::from_spki(&der)
}

/// `public_cert_chain` (RFC 7517 §4.7): each certificate is made by the next and holds at this time. Whether the last one is to be
/// trusted is for the caller, who is told all their keys.
pub(super) fn chain(texts: &[&str], at: Timestamp) -> Result<Vec<PublicKey>, String> {
    if texts.len() > MAX_CHAIN {
        return Err(format!("{} certificates; a chain has at most {MAX_CHAIN}", texts.len()));
    }
    let ders = texts.iter().map(|text| {
        STANDARD
            .decode(text)
            .map_err(|_| "public_cert_chain is no Base64 (not base64url)".to_owned())
    });
    let ders = ders.collect::<Result<Vec<_>, _>>()?;
    let read = |der| {
        X509Certificate::from_der(der)
            .map(|(_, certificate)| certificate)
            .map_err(|_| "public_cert_chain holds something that is no certificate".to_owned())
    };
    let certificates = ders.iter().map(|der| read(der)).collect::<Result<Vec<_>, _>>()?;
    let seconds = at.as_micros().div_euclid(1_000_000);
    for (place, certificate) in certificates.iter().enumerate() {
        let holds = certificate.validity();
        if seconds < holds.not_before.timestamp() || seconds > holds.not_after.timestamp() {
            return Err(format!("certificate {} of the chain does not hold at {at}", place + 1));
        }
        let Some(maker) = certificates.get(place + 1) else { break };
        let is_authority =
            maker.basic_constraints().ok().flatten().is_some_and(|basic| basic.value.ca);
        if !is_authority || certificate.verify_signature(Some(maker.public_key())).is_err() {
            return Err(format!(
                "certificate {} of the chain was not made by certificate {}",
                place + 1,
                place + 2
            ));
        }
    }
    certificates.iter().map(|c| PublicKey::from_spki(c.public_key().raw)).collect()
}

/// The thumbprint (`x5t#S256`, RFC 7517 §4.9) of the certificate in a PEM file; `None` when there is none in it.
pub fn thumbprint(file: &[u8]) -> Option<String> {
    let certificate = CertificateDer::from_pem_slice(file).ok()?;
    Some(URL_SAFE_NO_PAD.encode(Sha256::digest(&certificate)))
}
