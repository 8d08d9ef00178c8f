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

    #[test]
    fn recipients_cannot_compare_what_they_were_given() {
        let address: IpAddr = "192.168.100.113".parse().unwrap();
        let map = |recipient| pseudonyms().pseudonym(recipient, address);
        assert_eq!(map("one"), map("one"));
        assert_ne!(map("one"), map("two"));
    }
}
