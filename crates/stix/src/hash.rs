//! Names of hash algorithms and the length of what they give.

/// Hexadecimal digits of the hashes that have a fixed length, under their names in `hash-algorithm-ov` or, beyond it, in
/// the same spelling.
const DIGITS: &[(&str, usize)] = &[
    ("MD5", 32),
    ("RIPEMD-160", 40),
    ("SHA-1", 40),
    ("SHA-224", 56),
    ("SHA-256", 64),
    ("SHA-384", 96),
    ("SHA-512", 128),
    ("SHA3-224", 56),
    ("SHA3-256", 64),
    ("SHA3-384", 96),
    ("SHA3-512", 128),
    ("WHIRLPOOL", 128),
];

/// Digits of a hash whose name is spelt as the vocabulary spells it.
pub(crate) fn digits(name: &str) -> Option<usize> {
    DIGITS.iter().find(|(known, _)| *known == name).map(|(_, digits)| *digits)
}

/// As [`digits`], whatever the case and with or without hyphens: `sha256` for `SHA-256`.
pub(crate) fn digits_loosely(name: &str) -> Option<usize> {
    let plain = |text: &str| -> Vec<u8> {
        text.bytes().filter(|b| *b != b'-').map(|b| b.to_ascii_uppercase()).collect()
    };
    let name = plain(name);
    DIGITS.iter().find(|(known, _)| plain(known) == name).map(|(_, digits)| *digits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::HASH_ALGORITHM;

    #[test]
    fn all_of_the_vocabulary_but_the_similarity_hashes_have_a_length() {
        let without: Vec<&&str> =
            HASH_ALGORITHM.values.iter().filter(|name| digits(name).is_none()).collect();
        assert_eq!(without, [&"SSDEEP", &"TLSH"]);
        for (name, length) in DIGITS {
            let loose = name.replace('-', "").to_ascii_lowercase();
            assert_eq!((digits(name), digits_loosely(&loose)), (Some(*length), Some(*length)));
        }
        assert_eq!((digits("sha-1"), digits_loosely("sha")), (None, None));
    }
}
