//! Makers of network interfaces, by the prefix of the MAC address.
//!
//! The tables are those of the IEEE as the Debian package `ieee-data` installs them, read at run
//! time where they are present; none is part of the product.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// Where Debian's `ieee-data` puts the tables.
pub const FOLDER: &str = "/usr/share/ieee-data";
/// The tables, longest prefix first, with its hexadecimal digits.
const TABLES: [(&str, usize); 3] = [("oui36.csv", 9), ("mam.csv", 7), ("oui.csv", 6)];
/// Bytes of a table at most.
const MAX_TABLE_BYTES: u64 = 32 << 20;
/// Characters of a maker's name.
const MAX_NAME: usize = 80;

/// The tables that were found.
#[derive(Debug, Default)]
pub struct Makers {
    by_prefix: HashMap<Box<str>, Box<str>>,
}

impl Makers {
    /// Reads the tables of a folder; a missing folder gives no makers.
    #[must_use]
    pub fn read(folder: &Path) -> Self {
        let mut by_prefix = HashMap::new();
        for (table, digits) in TABLES {
            let path = folder.join(table);
            let small = fs::metadata(&path).is_ok_and(|found| found.len() <= MAX_TABLE_BYTES);
            let Some(bytes) = small.then(|| fs::read(&path).ok()).flatten() else { continue };
            for line in String::from_utf8_lossy(&bytes).lines().skip(1) {
                let Some((prefix, name)) = entry(line) else { continue };
                if prefix.len() == digits && prefix.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    by_prefix.insert(prefix.to_ascii_lowercase().into(), name.into());
                }
            }
        }
        Self { by_prefix }
    }

    /// Number of prefixes known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_prefix.len()
    }

    /// Whether no table was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_prefix.is_empty()
    }

    /// The maker of an interface; `None` for unknown prefixes and addresses a device made up.
    #[must_use]
    pub fn of(&self, mac: [u8; 6]) -> Option<&str> {
        if mac[0] & 0b11 != 0 {
            return None;
        }
        let [a, b, c, d, e, f] = mac;
        let digits = format!("{a:02x}{b:02x}{c:02x}{d:02x}{e:02x}{f:02x}");
        TABLES
            .iter()
            .find_map(|(_, length)| self.by_prefix.get(&digits[..*length]).map(|name| &**name))
    }
}

/// Prefix and name of a line: `registry,prefix,name,address`, names quoted where they hold commas.
fn entry(line: &str) -> Option<(&str, String)> {
    let (_, rest) = line.split_once(',')?;
    let (prefix, rest) = rest.split_once(',')?;
    let name = match rest.strip_prefix('"') {
        Some(quoted) => {
            let mut name = String::new();
            let mut letters = quoted.chars().peekable();
            while let Some(letter) = letters.next() {
                match letter {
                    '"' if letters.peek() == Some(&'"') => {
                        letters.next();
                        name.push('"');
                    }
                    '"' => break,
                    other => name.push(other),
                }
            }
            name
        }
        None => rest.split(',').next()?.to_owned(),
    };
    let name: String = name.trim().chars().take(MAX_NAME).collect();
    (!name.is_empty()).then_some((prefix, name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    #[test]
    fn the_longest_prefix_names_the_maker() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write(
            "oui.csv",
            "h\nMA-L,002272,American Micro-Fuel,US\nMA-L,70B3D5,IEEE Registration,US\n",
        );
        write("oui36.csv", "h\nMA-S,70B3D5F2F,\"TELE, \"\"PLAT\"\" FORMS\",\"x, y\"\nbroken\n");
        write("mam.csv", "h\nMA-M,70B3D5F,Middle Sized,US\nMA-M,xyz,Nobody,US\n");
        let makers = Makers::read(folder.path());
        assert_eq!(makers.len(), 4);
        assert_eq!(makers.of([0x00, 0x22, 0x72, 1, 2, 3]), Some("American Micro-Fuel"));
        assert_eq!(makers.of([0x70, 0xb3, 0xd5, 0xf2, 0xf1, 3]), Some("TELE, \"PLAT\" FORMS"));
        assert_eq!(makers.of([0x70, 0xb3, 0xd5, 0xf1, 0, 0]), Some("Middle Sized"));
        assert_eq!(makers.of([0x70, 0xb3, 0xd5, 0, 0, 0]), Some("IEEE Registration"));
        assert_eq!(makers.of([0x02, 0x22, 0x72, 1, 2, 3]), None, "made up by the device");
        assert!(Makers::read(Path::new("/no/such")).is_empty());
    }
}
