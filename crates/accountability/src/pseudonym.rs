//! Addresses as recipients see them: ipcrypt-pfx (draft-denis-ipcrypt), which keeps prefixes, with a
//! key of its own per recipient, so that two recipients cannot compare what they were given.

use std::net::IpAddr;

use ipcrypt_rs::IpcryptPfx;
use platform::data::{DataError, DataFolder};
use ports::{Pseudonymiser, Random};
use sha2::{Digest, Sha512};

/// Name of the secret under `keys/`. Whoever has it can map every pseudonym back.
const SECRET_FILE: &str = "pseudonyms.secret";
const SECRET_BYTES: usize = 32;
/// How a label that stands for another one begins.
const MARK: &str = "p";
/// Bytes of the sign in a label: two labels of a house are taken for one in a case of a million million.
const SIGN_BYTES: usize = 5;
/// Bytes of a label that its pseudonym carries: a label has at most 63 letters (RFC 1035 §2.3.4).
const MAX_CARRIED_BYTES: usize = 33;

/// Maps addresses to pseudonyms and back.
pub struct Pseudonyms {
    secret: Vec<u8>,
}

impl Pseudonyms {
    /// With the secret of the data folder, made at first use.
    ///
    /// # Errors
    /// The file system refuses or the file is not what was written.
    pub fn open(data: &DataFolder, random: &dyn Random) -> Result<Self, DataError> {
        let text = data.secret_hex(SECRET_FILE, SECRET_BYTES, random)?;
        let secret = hex::decode(text.trim()).ok().filter(|secret| secret.len() == SECRET_BYTES);
        let secret = secret.ok_or_else(|| DataError::Io {
            path: data.key_file(SECRET_FILE),
            cause: std::io::Error::other(
                "does not hold 32 bytes in hex; restore it from a backup, or old pseudonyms cannot be mapped back",
            ),
        })?;
        Ok(Self { secret })
    }

    /// A digest under the secret, for one use; only parts of it leave.
    fn keyed(&self, of: &str, parts: &[&[u8]]) -> [u8; 64] {
        let mut digest = Sha512::new().chain_update(of).chain_update(&self.secret);
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        digest.finalize().into()
    }

    /// The sign of a label: the same label has the same, and nobody else can make it (RFC 5297's idea of a synthetic IV).
    fn sign(&self, recipient: &str, above: &str, label: &str) -> [u8; SIGN_BYTES] {
        let parts = [recipient, above, label].map(str::as_bytes);
        let digest = self.keyed("sereno labels sign v1\0", &parts);
        let mut sign = [0; SIGN_BYTES];
        sign.copy_from_slice(&digest[..SIGN_BYTES]);
        sign
    }

    /// Covers bytes, or uncovers them.
    fn cover(&self, recipient: &str, sign: &[u8], bytes: &[u8]) -> Vec<u8> {
        let stream = self.keyed("sereno labels cover v1\0", &[recipient.as_bytes(), sign]);
        bytes.iter().zip(stream).map(|(byte, cover)| byte ^ cover).collect()
    }

    fn cipher(&self, recipient: &str) -> IpcryptPfx {
        let mut round = 0_u32;
        loop {
            // The secret has a fixed length and the digest never leaves: no extension is possible.
            let digest = Sha512::new()
                .chain_update(b"sereno pseudonyms v1\0")
                .chain_update(&self.secret)
                .chain_update(round.to_be_bytes())
                .chain_update(recipient)
                .finalize();
            let mut key = [0; IpcryptPfx::KEY_BYTES];
            key.copy_from_slice(&digest[..IpcryptPfx::KEY_BYTES]);
            // The cipher refuses keys with equal halves.
            if key[..16] != key[16..] {
                return IpcryptPfx::new(key);
            }
            round += 1;
        }
    }
}

impl Pseudonymiser for Pseudonyms {
    fn pseudonym(&self, recipient: &str, address: IpAddr) -> IpAddr {
        self.cipher(recipient).encrypt_ipaddr(address)
    }
    fn original(&self, recipient: &str, pseudonym: IpAddr) -> IpAddr {
        self.cipher(recipient).decrypt_ipaddr(pseudonym)
    }
    fn label(&self, recipient: &str, above: &str, label: &str) -> String {
        let sign = self.sign(recipient, above, label);
        let carried = label.as_bytes();
        let carried = if carried.len() > MAX_CARRIED_BYTES { &[] } else { carried };
        let covered = self.cover(recipient, &sign, carried);
        format!("{MARK}{}", base32([&sign[..], &covered].concat().as_slice()))
    }
    fn original_label(&self, recipient: &str, above: &str, pseudonym: &str) -> Option<String> {
        let bytes = from_base32(pseudonym.strip_prefix(MARK)?)?;
        let (sign, covered) = bytes.split_at_checked(SIGN_BYTES)?;
        let label = String::from_utf8(self.cover(recipient, sign, covered)).ok()?;
        (self.sign(recipient, above, &label) == sign).then_some(label)
    }
}

/// The letters of base32hex (RFC 4648 §7) in lower case: a host name may hold them all.
const LETTERS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

fn base32(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.chunks(5) {
        let mut block = [0; 8];
        block[3..3 + chunk.len()].copy_from_slice(chunk);
        let bits = u64::from_be_bytes(block);
        for letter in 0..(chunk.len() * 8).div_ceil(5) {
            let at = usize::try_from(bits >> (35 - 5 * letter) & 31).unwrap_or(0);
            text.push(char::from(LETTERS[at]));
        }
    }
    text
}

/// `None` when it is not what [`base32`] writes.
fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for chunk in text.as_bytes().chunks(8) {
        let mut bits = 0_u64;
        for (at, letter) in chunk.iter().enumerate() {
            let value = LETTERS.iter().position(|known| known == letter)?;
            bits |= (value as u64) << (35 - 5 * at);
        }
        bytes.extend_from_slice(&bits.to_be_bytes()[3..3 + chunk.len() * 5 / 8]);
    }
    (base32(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn pseudonyms() -> Pseudonyms {
        Pseudonyms { secret: vec![7; SECRET_BYTES] }
    }

    fn common_bits(a: u32, b: u32) -> u32 {
        (a ^ b).leading_zeros()
    }

    proptest! {
        #[test]
        fn prefixes_are_kept_and_the_way_back_leads_home(a in any::<u32>(), b in any::<u32>()) {
            let map = |address: u32| match pseudonyms().pseudonym("cert", IpAddr::V4(address.into())) {
                IpAddr::V4(v4) => u32::from(v4),
                IpAddr::V6(v6) => panic!("IPv4 became {v6}"),
            };
            prop_assert_eq!(common_bits(a, b), common_bits(map(a), map(b)));
            let back = pseudonyms().original("cert", IpAddr::V4(map(a).into()));
            prop_assert_eq!(back, IpAddr::V4(a.into()));
        }

        #[test]
        fn ipv6_comes_back(address in any::<u128>()) {
            let address = IpAddr::V6(address.into());
            // IPv4 in IPv6 clothes would come back undressed; nothing on the wire looks like that.
            prop_assume!(!matches!(address, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some()));
            let hidden = pseudonyms().pseudonym("cert", address);
            prop_assert_eq!(pseudonyms().original("cert", hidden), address);
        }
    }

    proptest! {
        #[test]
        fn labels_become_labels_and_come_back(label in "[a-z0-9_-]{1,33}", above in "[a-z.]{1,20}") {
            let hidden = pseudonyms().label("cert", &above, &label);
            prop_assert!(hidden.len() <= 63 && hidden.bytes().all(|b| b.is_ascii_alphanumeric()));
            let back = |above: &str, hidden: &str| pseudonyms().original_label("cert", above, hidden);
            prop_assert_eq!(back(&above, &hidden), Some(label.clone()));
            // Nobody makes one: another domain, another recipient, a letter changed.
            prop_assert_eq!(back("else.where", &hidden), None);
            prop_assert_eq!(pseudonyms().original_label("other", &above, &hidden), None);
            let (head, last) = hidden.split_at(hidden.len() - 1);
            let changed = format!("{head}{}", if last == "0" { "g" } else { "0" });
            prop_assert_eq!(back(&above, &changed), None);
            prop_assert_ne!(hidden, pseudonyms().label("other", &above, &label));
        }
    }

    #[test]
    fn a_long_label_is_hidden_but_not_carried() {
        let long = "a".repeat(63);
        let hidden = pseudonyms().label("cert", "x", &long);
        assert!(hidden.len() < 63);
        assert_ne!(hidden, pseudonyms().label("cert", "x", &"b".repeat(63)));
        assert_eq!(pseudonyms().original_label("cert", "x", &hidden), None);
        for text in ["", "p", "printer", "p0000000", "srv1"] {
            assert_eq!(pseudonyms().original_label("cert", "x", text), None, "{text}");
        }
    }

    #[test]
    fn mac_addresses_come_back_by_the_same_key() {
        let camera = [0xb8, 0x27, 0xeb, 0x7d, 0x6b, 0xa6];
        let hidden = ports::pseudonyms::mac(&pseudonyms(), "cert", camera);
        assert_ne!(hidden, ports::pseudonyms::mac(&pseudonyms(), "other", camera));
        let back = ports::pseudonyms::mac_originals(&pseudonyms(), "cert", hidden);
        assert_eq!((back.len(), back[0]), (2, camera), "{back:x?}");
    }

    #[test]
    fn recipients_cannot_compare_what_they_were_given() {
        let address: IpAddr = "192.168.100.113".parse().unwrap();
        let map = |recipient| pseudonyms().pseudonym(recipient, address);
        assert_eq!(map("one"), map("one"));
        assert_ne!(map("one"), map("two"));
    }
}
