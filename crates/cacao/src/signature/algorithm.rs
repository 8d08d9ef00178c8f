//! Algorithms of signatures (`signature-algorithm-type-ov`, CACAO v2.0 §10.15) and the keys they go with.

use ring::signature::{
    self as ring_signature, EcdsaKeyPair, Ed25519KeyPair, RsaKeyPair, UnparsedPublicKey,
    VerificationAlgorithm,
};
use sha2::{Digest, Sha256};
use x509_parser::prelude::FromDer;
use x509_parser::x509::SubjectPublicKeyInfo;

/// An algorithm this program signs and verifies with. Symmetric ones are refused: whoever could verify could sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3).
    Rs256,
    /// The same with SHA-384.
    Rs384,
    /// The same with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256 (RFC 7518 §3.5).
    Ps256,
    /// The same with SHA-384.
    Ps384,
    /// The same with SHA-512.
    Ps512,
    /// ECDSA over P-256 with SHA-256 (RFC 7518 §3.4).
    Es256,
    /// ECDSA over P-384 with SHA-384.
    Es384,
    /// Ed25519 (RFC 8032).
    Ed25519,
}

const NAMES: [(Algorithm, &str); 9] = [
    (Algorithm::Rs256, "RS256"),
    (Algorithm::Rs384, "RS384"),
    (Algorithm::Rs512, "RS512"),
    (Algorithm::Ps256, "PS256"),
    (Algorithm::Ps384, "PS384"),
    (Algorithm::Ps512, "PS512"),
    (Algorithm::Es256, "ES256"),
    (Algorithm::Es384, "ES384"),
    (Algorithm::Ed25519, "Ed25519"),
];

/// What kind of key this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Rsa,
    P256,
    P384,
    Ed25519,
}

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    family: Family,
    /// The bits of the key as `ring` takes them: an RSA key's DER, a point, 32 bytes.
    bits: Vec<u8>,
    /// SHA-256 of the key's SubjectPublicKeyInfo, hexadecimal: its name here.
    pub fingerprint: String,
}

/// A key that signs.
pub struct SigningKey {
    pair: Pair,
    algorithm: Algorithm,
}

enum Pair {
    Rsa(RsaKeyPair),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Algorithm {
    /// The algorithm of this name.
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(algorithm, _)| *algorithm)
    }

    /// Its name in a signature.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(known, _)| *known == self).map_or("", |(_, name)| name)
    }

    fn family(self) -> Family {
        match self {
            Self::Es256 => Family::P256,
            Self::Es384 => Family::P384,
            Self::Ed25519 => Family::Ed25519,
            _ => Family::Rsa,
        }
    }

    /// Ways to read a signature: of ECDSA the fixed form of JWA, and the DER that other tools write.
    fn readers(self) -> Vec<&'static dyn VerificationAlgorithm> {
        match self {
            Self::Rs256 => vec![&ring_signature::RSA_PKCS1_2048_8192_SHA256],
            Self::Rs384 => vec![&ring_signature::RSA_PKCS1_2048_8192_SHA384],
            Self::Rs512 => vec![&ring_signature::RSA_PKCS1_2048_8192_SHA512],
            Self::Ps256 => vec![&ring_signature::RSA_PSS_2048_8192_SHA256],
            Self::Ps384 => vec![&ring_signature::RSA_PSS_2048_8192_SHA384],
            Self::Ps512 => vec![&ring_signature::RSA_PSS_2048_8192_SHA512],
            Self::Es256 => vec![
                &ring_signature::ECDSA_P256_SHA256_FIXED,
                &ring_signature::ECDSA_P256_SHA256_ASN1,
            ],
            Self::Es384 => vec![
                &ring_signature::ECDSA_P384_SHA384_FIXED,
                &ring_signature::ECDSA_P384_SHA384_ASN1,
            ],
            Self::Ed25519 => vec![&ring_signature::ED25519],
        }
    }
}

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo (RFC 5280 §4.1), DER.
    ///
    /// # Errors
    /// No such structure, or a key of another kind.
    pub fn from_spki(der: &[u8]) -> Result<Self, String> {
        let (rest, info) = SubjectPublicKeyInfo::from_der(der)
            .map_err(|_| "the public key is no SubjectPublicKeyInfo (RFC 5280)".to_owned())?;
        if !rest.is_empty() {
            return Err("bytes follow the public key".into());
        }
        let curve = || {
            let named = info.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok());
            named.map(|oid| oid.to_id_string()).unwrap_or_default()
        };
        let family = match info.algorithm.algorithm.to_id_string().as_str() {
            "1.2.840.113549.1.1.1" | "1.2.840.113549.1.1.10" => Family::Rsa,
            "1.3.101.112" => Family::Ed25519,
            "1.2.840.10045.2.1" => match curve().as_str() {
                "1.2.840.10045.3.1.7" => Family::P256,
                "1.3.132.0.34" => Family::P384,
                other => return Err(format!("keys on the curve {other} are not read here")),
            },
            other => return Err(format!("keys of the kind {other} are not read here")),
        };
        Ok(Self {
            family,
            bits: info.subject_public_key.data.to_vec(),
            fingerprint: hex::encode(Sha256::digest(der)),
        })
    }

    /// Whether the owner of this key signed the message with this algorithm.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn verify(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), String> {
        if algorithm.family() != self.family {
            return Err(format!("its key is none for {}", algorithm.name()));
        }
        let fits = algorithm.readers().into_iter().any(|reader| {
            UnparsedPublicKey::new(reader, &self.bits).verify(message, signature).is_ok()
        });
        let weak =
            if self.family == Family::Rsa { " (RSA keys have 2,048 to 8,192 bits)" } else { "" };
        fits.then_some(()).ok_or_else(|| format!("the value does not fit content and key{weak}"))
    }
}

impl SigningKey {
    /// Reads a private key (PKCS #8, DER), to sign with this algorithm or the usual one of its kind.
    ///
    /// # Errors
    /// No such key, or the algorithm is for another kind.
    pub fn from_pkcs8(der: &[u8], wanted: Option<Algorithm>) -> Result<Self, String> {
        let rsa = || RsaKeyPair::from_pkcs8(der).ok().map(Pair::Rsa);
        let ed25519 = || Ed25519KeyPair::from_pkcs8_maybe_unchecked(der).ok().map(Pair::Ed25519);
        let ecdsa = |algorithm| {
            let random = ring::rand::SystemRandom::new();
            EcdsaKeyPair::from_pkcs8(algorithm, der, &random).ok().map(Pair::Ecdsa)
        };
        let p256 = || ecdsa(&ring_signature::ECDSA_P256_SHA256_FIXED_SIGNING);
        let p384 = || ecdsa(&ring_signature::ECDSA_P384_SHA384_FIXED_SIGNING);
        let (pair, usual) = rsa()
            .map(|pair| (pair, Algorithm::Rs256))
            .or_else(|| ed25519().map(|pair| (pair, Algorithm::Ed25519)))
            .or_else(|| p256().map(|pair| (pair, Algorithm::Es256)))
            .or_else(|| p384().map(|pair| (pair, Algorithm::Es384)))
            .ok_or(
                "the key is no PKCS #8 key of RSA (2,048 bits and more), P-256, P-384 or Ed25519",
            )?;
        let algorithm = wanted.unwrap_or(usual);
        if algorithm.family() != usual.family() {
            return Err(format!("the key is none for {}", algorithm.name()));
        }
        Ok(Self { pair, algorithm })
    }

    /// With what it signs.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The signature of a message.
    ///
    /// # Errors
    /// The system has no randomness.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, String> {
        let failed = |_| "the system gave no randomness to sign with".to_owned();
        let random = ring::rand::SystemRandom::new();
        match &self.pair {
            Pair::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Pair::Ecdsa(pair) => {
                pair.sign(&random, message).map(|s| s.as_ref().to_vec()).map_err(failed)
            }
            Pair::Rsa(pair) => {
                let padding: &dyn ring_signature::RsaEncoding = match self.algorithm {
                    Algorithm::Rs384 => &ring_signature::RSA_PKCS1_SHA384,
                    Algorithm::Rs512 => &ring_signature::RSA_PKCS1_SHA512,
                    Algorithm::Ps256 => &ring_signature::RSA_PSS_SHA256,
                    Algorithm::Ps384 => &ring_signature::RSA_PSS_SHA384,
                    Algorithm::Ps512 => &ring_signature::RSA_PSS_SHA512,
                    _ => &ring_signature::RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(padding, &random, message, &mut signature).map_err(failed)?;
                Ok(signature)
            }
        }
    }

    /// Its public half as SubjectPublicKeyInfo, DER.
    pub fn public_spki(&self) -> Vec<u8> {
        use ring_signature::KeyPair;
        let (kind, bits): (&[u8], &[u8]) = match &self.pair {
            Pair::Rsa(pair) => (RSA_KIND, pair.public_key().as_ref()),
            Pair::Ecdsa(pair) if self.algorithm == Algorithm::Es256 => {
                (P256_KIND, pair.public_key().as_ref())
            }
            Pair::Ecdsa(pair) => (P384_KIND, pair.public_key().as_ref()),
            Pair::Ed25519(pair) => (ED25519_KIND, pair.public_key().as_ref()),
        };
        spki(kind, bits)
    }
}

/// AlgorithmIdentifiers, DER: rsaEncryption; id-ecPublicKey on P-256 and P-384; Ed25519 (RFC 8410).
const RSA_KIND: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
const P256_KIND: &[u8] =
    b"\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
const P384_KIND: &[u8] =
    b"\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22";
const ED25519_KIND: &[u8] = b"\x30\x05\x06\x03\x2b\x65\x70";

/// The SubjectPublicKeyInfo of an Ed25519 key.
pub fn ed25519_spki(key: &[u8; 32]) -> Vec<u8> {
    spki(ED25519_KIND, key)
}

fn spki(kind: &[u8], bits: &[u8]) -> Vec<u8> {
    let mut string = vec![0];
    string.extend_from_slice(bits);
    let body = [kind, &der(0x03, &string)].concat();
    der(0x30, &body)
}

/// A DER value of this tag.
fn der(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match body.len() {
        short @ 0..=0x7f => out.push(short as u8),
        long => {
            let bytes = (long as u32).to_be_bytes();
            let used: Vec<u8> = bytes.into_iter().skip_while(|byte| *byte == 0).collect();
            out.push(0x80 | used.len() as u8);
            out.extend(used);
        }
    }
    out.extend_from_slice(body);
    out
}
