//! Keys, and whether a signature holds.

use ring::digest;
use ring::signature::{self as algorithms, RsaPublicKeyComponents, UnparsedPublicKey};

use super::packet::Bytes;
use super::signature::Signature;

const RSA: u8 = 1;
const RSA_SIGN: u8 = 3;
const ECDSA: u8 = 19;
const EDDSA_LEGACY: u8 = 22;
const ED25519: u8 = 27;

const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2b, 0x81, 0x04, 0x00, 0x22];
const ED25519_LEGACY: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];

/// A public key.
#[derive(Debug, Clone)]
pub(super) enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
    /// Of a kind that is not known here.
    Other,
}

/// A public key with what its packet says.
#[derive(Debug, Clone)]
pub(super) struct Public {
    /// The packet, which is what gets signed.
    pub(super) body: Vec<u8>,
    pub(super) created_s: u32,
    pub(super) material: Material,
    pub(super) fingerprint: [u8; 20],
}

impl Public {
    pub(super) fn read(body: &[u8]) -> Result<Self, &'static str> {
        let mut rest = Bytes(body);
        if rest.byte()? != 4 {
            return Err("a key of another version than 4");
        }
        let created_s = rest.number(4)?;
        let material = match rest.byte()? {
            RSA | RSA_SIGN => Material::Rsa { n: rest.integer()?, e: rest.integer()? },
            ECDSA => match rest.sized(1)? {
                P256 => Material::P256(rest.integer()?),
                P384 => Material::P384(rest.integer()?),
                _ => Material::Other,
            },
            EDDSA_LEGACY if rest.sized(1)? == ED25519_LEGACY => {
                let point = rest.integer()?;
                // 0x40 says that the point is as it is (RFC 9580 §11.2.2).
                Material::Ed25519(point.strip_prefix(&[0x40]).unwrap_or_default().to_vec())
            }
            ED25519 => Material::Ed25519(rest.take(32)?.to_vec()),
            _ => Material::Other,
        };
        let hashed = as_signed(body)?;
        let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &hashed);
        let fingerprint = digest.as_ref().try_into().map_err(|_| "a digest of no use")?;
        Ok(Self { body: body.to_vec(), created_s, material, fingerprint })
    }
}

/// A key packet as it is hashed (§5.2.4).
pub(super) fn as_signed(body: &[u8]) -> Result<Vec<u8>, &'static str> {
    let length = u16::try_from(body.len()).map_err(|_| "a key that is too long")?;
    let mut out = vec![0x99];
    out.extend(length.to_be_bytes());
    out.extend(body);
    Ok(out)
}

/// Whether a signature over `data` was made by a key.
///
/// # Errors
/// Key, digest or both are of a kind that is not known here.
pub(super) fn holds(
    signature: &Signature,
    key: &Public,
    mut data: Vec<u8>,
) -> Result<bool, &'static str> {
    let length = u32::try_from(signature.head.len()).map_err(|_| "a signature that is too long")?;
    data.extend(&signature.head);
    data.extend([0x04, 0xff]);
    data.extend(length.to_be_bytes());
    let kind = match signature.hash {
        8 => &digest::SHA256,
        9 => &digest::SHA384,
        10 => &digest::SHA512,
        1..=3 => return Err("it was made with MD5, SHA-1 or RIPEMD, which prove nothing today"),
        _ => return Err("it was made with a digest that is not known here"),
    };
    let mut numbers = Bytes(&signature.numbers);
    match (&key.material, signature.algorithm) {
        (Material::Rsa { n, e }, RSA | RSA_SIGN) => {
            let parameters = match signature.hash {
                8 => &algorithms::RSA_PKCS1_2048_8192_SHA256,
                9 => &algorithms::RSA_PKCS1_2048_8192_SHA384,
                _ => &algorithms::RSA_PKCS1_2048_8192_SHA512,
            };
            if n.len() < 256 {
                return Err("it was made with RSA of fewer than 2,048 bits");
            }
            let Some(made) = padded(&numbers.integer()?, n.len()) else { return Ok(false) };
            Ok(RsaPublicKeyComponents { n, e }.verify(parameters, &data, &made).is_ok())
        }
        (Material::P256(point), ECDSA) if signature.hash == 8 => {
            let key = UnparsedPublicKey::new(&algorithms::ECDSA_P256_SHA256_FIXED, point);
            Ok(pair(&mut numbers, 32)?.is_some_and(|made| key.verify(&data, &made).is_ok()))
        }
        (Material::P384(point), ECDSA) if signature.hash == 9 => {
            let key = UnparsedPublicKey::new(&algorithms::ECDSA_P384_SHA384_FIXED, point);
            Ok(pair(&mut numbers, 48)?.is_some_and(|made| key.verify(&data, &made).is_ok()))
        }
        (Material::Ed25519(point), EDDSA_LEGACY | ED25519) => {
            // Here the digest is what is signed (§5.2.3.3, §5.2.3.4).
            let digest = digest::digest(kind, &data);
            let key = UnparsedPublicKey::new(&algorithms::ED25519, point);
            let made = match signature.algorithm {
                EDDSA_LEGACY => pair(&mut numbers, 32)?,
                _ => Some(numbers.take(64)?.to_vec()),
            };
            Ok(made.is_some_and(|made| key.verify(digest.as_ref(), &made).is_ok()))
        }
        (Material::Other, _) => Err("its key is of a kind that is not known here"),
        _ => Err("key and digest do not go together here"),
    }
}

/// With zeros before it, `length` bytes long.
fn padded(number: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut out = vec![0; length.checked_sub(number.len())?];
    out.extend(number);
    Some(out)
}

fn pair(numbers: &mut Bytes<'_>, length: usize) -> Result<Option<Vec<u8>>, &'static str> {
    let (r, s) = (numbers.integer()?, numbers.integer()?);
    Ok(padded(&r, length).zip(padded(&s, length)).map(|(mut r, s)| {
        r.extend(s);
        r
    }))
}
