#![allow(clippy::unwrap_used, clippy::panic)]
use super::*;

/// Made with GnuPG 2.2 for this test; its private half is nowhere.
const KEY: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEaw1z6BYJKwYBBAHaRw8BAQdAUtqwg3lIJQKo4EOZ6J1TbfgeV92n5CYqG8Fc
QZWG8Yi0GVBTSVJUIDxwc2lydEBleGFtcGxlLmNvbT6IkAQTFggAOBYhBFk1AlPG
8g1jRXqita654AXS7bxaBQJrDXPoAhsDBQsJCAcCBhUKCQgLAgQWAgMBAh4BAheA
AAoJEK654AXS7bxaDfQA/REPbtd7ws5hneV6zbGRMhRJ8nD2ze01OYgh3Ey6q67U
AQCppg6HK5Xtb+rcyrOYJfE1jK6CQJ+NvyNXeljmxvZmBQ==
=AtI9
-----END PGP PUBLIC KEY BLOCK-----
";
const SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----

iHUEABYIAB0WIQRZNQJTxvINY0V6orWuueAF0u28WgUCaw1z6QAKCRCuueAF0u28
Ws8aAPwOpA3EDvCRL1aAqDbZBI3H/K5JhNmcekOVgBgtslxwYQD9GjKpmExUwYkz
uJoWlAwImEcklwWgHUSJPmB20ybQvAw=
=sIot
-----END PGP SIGNATURE-----
";
const DATA: &[u8] = b"{\"document\":{}}\n";
const FINGERPRINT: &str = "59350253c6f20d63457aa2b5aeb9e005d2edbc5a";
/// When the signature was made.
const THEN_S: i64 = 1_796_043_753;

fn ring() -> Keyring {
    let mut ring = Keyring::default();
    ring.add(KEY.as_bytes(), Some("5935 0253 C6F2 0D63 457A  A2B5 AEB9 E005 D2ED BC5A")).unwrap();
    ring
}

#[test]
fn a_signature_holds_over_its_own_bytes_only() {
    let good = Verdict::Good(FINGERPRINT.into());
    assert_eq!(ring().verify(SIGNATURE.as_bytes(), DATA, THEN_S), good);
    for at in 0..DATA.len() {
        let mut other = DATA.to_vec();
        other[at] ^= 1;
        let verdict = ring().verify(SIGNATURE.as_bytes(), &other, THEN_S);
        assert!(matches!(verdict, Verdict::Bad(_)), "{at}: {verdict:?}");
    }
    assert_eq!(
        ring().verify(SIGNATURE.as_bytes(), DATA, THEN_S - 2 * 86_400),
        Verdict::Bad("it was made in the future".into())
    );
    let Verdict::Bad(why) = Keyring::default().verify(SIGNATURE.as_bytes(), DATA, THEN_S) else {
        panic!("nobody is known")
    };
    assert!(why.contains(FINGERPRINT), "{why}");
}

#[test]
fn no_change_of_what_is_signed_in_the_signature_is_good() {
    let bytes = armor::open(SIGNATURE.as_bytes()).unwrap();
    // Two bytes of packet head, then version, type, algorithms, and 29 bytes of hashed parts with their length.
    let hashed = 2..2 + 4 + 2 + 29;
    // After them the key's id and two bytes of the digest, which help to find and prove nothing.
    // The numbers come with their lengths in bits, of which several name the same bytes.
    let end = bytes.len();
    let numbers = (end - 66..end - 34).chain(end - 32..end);
    for at in hashed.chain(numbers) {
        let mut other = bytes.clone();
        other[at] ^= 0x04;
        let verdict = ring().verify(&other, DATA, THEN_S);
        assert!(!matches!(verdict, Verdict::Good(_)), "byte {at}");
    }
    for length in 0..bytes.len() {
        let verdict = ring().verify(&bytes[..length], DATA, THEN_S);
        assert!(matches!(verdict, Verdict::Unknown(_)), "{length}: {verdict:?}");
    }
}

#[test]
fn files_that_are_none_are_told() {
    let mut ring = Keyring::default();
    for text in ["", "hello", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA", SIGNATURE] {
        assert!(matches!(ring.add(text.as_bytes(), None), Err(KeyError::Shape(_))), "{text}");
    }
    assert!(ring.is_empty());
    let other = "00".repeat(20);
    let fault = ring.add(KEY.as_bytes(), Some(&other)).unwrap_err();
    assert!(matches!(fault, KeyError::Fingerprint { found, .. } if found == FINGERPRINT));
    assert!(ring.is_empty());
    assert_eq!(
        ring.add(&vec![0; MAX_KEY_BYTES + 1], None),
        Err(KeyError::TooLarge(MAX_KEY_BYTES + 1))
    );
    let verdict = ring.verify(&vec![0x80; MAX_SIGNATURE_BYTES + 1], DATA, THEN_S);
    assert!(matches!(verdict, Verdict::Unknown(_)));
    let key = armor::open(KEY.as_bytes()).unwrap();
    for length in 0..key.len() {
        // What ends too early is no key, or one without the words about itself that are missing.
        let _ = Keyring::default().add(&key[..length], None);
    }
}

#[test]
fn lines_of_a_text_end_with_cr_lf() {
    assert_eq!(with_crlf(b"a\nb\r\nc"), b"a\r\nb\r\nc");
}
