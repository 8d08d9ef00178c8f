#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;

fn check(text: &str, kind: Kind, value: &str) {
    let got = Observable::classify(text).unwrap_or_else(|why| panic!("{text}: {why}"));
    assert_eq!((got.kind(), got.value()), (kind, value), "{text}");
    let named = Observable::of_kind(kind, text).unwrap();
    assert_eq!(named, got, "{text}: by name");
}

#[test]
fn every_kind_by_its_form() {
    check(" 198.51.100.7 ", Kind::Ipv4, "198.51.100.7");
    check("198.51.100.7/24", Kind::Ipv4Net, "198.51.100.0/24");
    check("198.51.100.7/32", Kind::Ipv4, "198.51.100.7");
    check("0.0.0.0/0", Kind::Ipv4Net, "0.0.0.0/0");
    check("2001:DB8:0:0:0:0:0:1", Kind::Ipv6, "2001:db8::1");
    check("2001:db8::ffff/33", Kind::Ipv6Net, "2001:db8::/33");
    check("::1", Kind::Ipv6, "::1");
    check("Evil.Example.COM.", Kind::Domain, "evil.example.com");
    check("bücher.example", Kind::Domain, "xn--bcher-kva.example");
    check("_dmarc.example.org", Kind::Domain, "_dmarc.example.org");
    check("198.51.100.7:8080", Kind::Endpoint, "198.51.100.7:8080");
    check("[2001:db8::1]:443", Kind::Endpoint, "[2001:db8::1]:443");
    check("C2.example.net:0443", Kind::Endpoint, "c2.example.net:443");
    check("HTTP://EVIL.example:80/a/../B?q", Kind::Url, "http://evil.example/B?q");
    check("https://bücher.example", Kind::Url, "https://xn--bcher-kva.example/");
    check("mqtt://Broker.example:1883/x", Kind::Url, "mqtt://broker.example:1883/x");
    check("A.User+x@Example.COM", Kind::Email, "a.user+x@example.com");
    check("D41D8CD98F00B204E9800998ECF8427E", Kind::Md5, "d41d8cd98f00b204e9800998ecf8427e");
    check(&"ab".repeat(20), Kind::Sha1, &"ab".repeat(20));
    check(&"ab".repeat(28), Kind::Sha224, &"ab".repeat(28));
    check(&"AB".repeat(32), Kind::Sha256, &"ab".repeat(32));
    check(&"ab".repeat(48), Kind::Sha384, &"ab".repeat(48));
    check(&"ab".repeat(64), Kind::Sha512, &"ab".repeat(64));
    check(
        "3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C",
        Kind::Ssdeep,
        "3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C",
    );
    check(&format!("T1{}", "a1".repeat(35)), Kind::Tlsh, &format!("T1{}", "A1".repeat(35)));
    check("cve-2021-44228", Kind::Cve, "CVE-2021-44228");
    check("ghsa-JFH8-c2jp-5v3q", Kind::Ghsa, "GHSA-jfh8-c2jp-5v3q");
    check("00-1A-2b-3C-4d-5E", Kind::Mac, "00:1a:2b:3c:4d:5e");
    check("001a.2b3c.4d5e", Kind::Mac, "00:1a:2b:3c:4d:5e");
    check("as64496", Kind::Asn, "AS64496");
    check("AS1.10", Kind::Asn, "AS65546");
    check("setup.EXE", Kind::FileName, "setup.EXE");
    check(r"C:\Windows\System32\cmd.exe", Kind::FilePath, r"C:\Windows\System32\cmd.exe");
    check(r"\\server\share\x", Kind::FilePath, r"\\server\share\x");
    check(r"%APPDATA%\x\y.dll", Kind::FilePath, r"%APPDATA%\x\y.dll");
    check("/tmp/.x", Kind::FilePath, "/tmp/.x");
    check(r"hklm\Software\Run\", Kind::RegistryKey, r"HKEY_LOCAL_MACHINE\Software\Run");
    check("Mozilla/5.0 (X11)", Kind::UserAgent, "Mozilla/5.0 (X11)");
    // BIP 173's example, the first address ever paid to, a script address
    let bech = "BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4";
    check(bech, Kind::Bitcoin, &bech.to_ascii_lowercase());
    check(
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
        Kind::Bitcoin,
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    );
    check(
        "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
        Kind::Bitcoin,
        "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
    );
    // BIP 350: version 1, Bech32m
    let taproot = "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0";
    check(taproot, Kind::Bitcoin, taproot);
}

#[test]
fn what_is_no_value_is_told_why() {
    for (text, why) in [
        ("  ", NotAValue::Empty),
        ("a\u{0}b.example", NotAValue::Control),
        ("*.example.com", NotAValue::Wildcard),
        ("word", NotAValue::UnknownKind),
        ("1.2.3", NotAValue::UnknownKind),
        ("1.2.3.4.5", NotAValue::UnknownKind),
        ("256.1.1.1", NotAValue::UnknownKind),
        ("a..b.example", NotAValue::UnknownKind),
        ("-a.example", NotAValue::UnknownKind),
        ("http://", NotAValue::NotOf(Kind::Url)),
        ("CVE-21-44228", NotAValue::UnknownKind),
    ] {
        assert_eq!(Observable::classify(text), Err(why), "{text:?}");
    }
    let long = format!("http://x.example/{}", "a".repeat(MAX_VALUE_BYTES));
    assert_eq!(Observable::classify(&long), Err(NotAValue::TooLong));
    let wrong = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb";
    assert_eq!(Observable::of_kind(Kind::Bitcoin, wrong), Err(NotAValue::Checksum(Kind::Bitcoin)));
    // Bech32m where BIP 350 wants Bech32
    let mixed = "bc1p38j9r5y49hruaue7wxjce0updqjuyyx0kh56v8s25huc6995vvpql3jow4";
    assert!(Observable::of_kind(Kind::Bitcoin, mixed).is_err());
}

#[test]
fn scopes() {
    for (text, scope) in [
        ("8.8.8.8", Scope::Public),
        ("10.1.2.3", Scope::Private),
        ("100.64.0.1", Scope::Private),
        ("203.0.113.9", Scope::Documentation),
        ("2001:db8::9", Scope::Documentation),
        ("fe80::1", Scope::LinkLocal),
        ("::ffff:10.0.0.1", Scope::Private),
        ("www.example.com", Scope::Documentation),
        ("notexample.com", Scope::Public),
        ("plc.local", Scope::Private),
        ("http://127.0.0.1/x", Scope::Loopback),
        ("http://user:pw@[fe80::1]:80/x", Scope::LinkLocal),
        ("a@sub.example.org", Scope::Documentation),
        ("10.0.0.1:502", Scope::Private),
    ] {
        assert_eq!(Observable::classify(text).unwrap().scope(), scope, "{text}");
    }
}

#[test]
fn stix_ids_agree_with_the_reference_library() {
    // expected: python `stix2` 3
    for (text, id) in [
        ("198.51.100.3", "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"),
        ("2001:DB8:0::1", "ipv6-addr--6469e3a9-b053-5e34-a025-9396ae051d26"),
        ("D2-FB-49-24-37-18", "mac-addr--757b1725-9903-54f5-a855-1240691d7659"),
        ("198.51.100.77/24", "ipv4-addr--1ea47840-aa39-5aa8-b4a2-cd203eb6662a"),
        ("2001:DB8::1/32", "ipv6-addr--8da31feb-e0f9-54c3-ab30-bd8ccea361dd"),
        ("Evil.example.", "domain-name--69228563-c8d2-54ae-aeca-5f4134cb59aa"),
        ("as64496", "autonomous-system--9ad79ee3-2fde-5015-b0cc-7a96404effca"),
        (r"C:\a\b'.exe", "file--aaa82a68-0c08-5589-b424-b404304e75ad"),
        (r"hklm\a\b", "windows-registry-key--e2dafb5e-7ff8-52d0-b2f0-d15ff290ffa6"),
        ("D41D8CD98F00B204E9800998ECF8427E", "file--02fff920-f614-527c-81d1-6353633a6d21"),
        ("HTTP://A.example:80/x'y", "url--6df9e84e-62a8-579b-8dc7-927ee29705bb"),
        ("A@B.example", "email-addr--20f95e88-019c-5ac7-a027-aba10fdcb3ca"),
        ("3:AXGBicFlgVNhBGcL6wCrFQEv:AXGHsNhxLsr2C", "file--6d7d0480-651b-5eac-9068-52f0bc293f24"),
    ] {
        let observable = Observable::classify(text).unwrap();
        assert_eq!(observable.id().unwrap().as_str(), id);
        assert_eq!(observable.sco().unwrap().id_text(), id);
    }
}

#[test]
fn patterns() {
    for (text, pattern) in [
        ("198.51.100.0/24", "[ipv4-addr:value ISSUBSET '198.51.100.0/24']"),
        ("evil.example", "[domain-name:value = 'evil.example']"),
        ("AS64496", "[autonomous-system:number = 64496]"),
        (r"C:\a\b.exe", r"[file:name = 'b.exe' AND file:parent_directory_ref.path = 'C:\\a']"),
        (
            "198.51.100.7:80",
            "[network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:dst_port = 80]",
        ),
    ] {
        assert_eq!(Observable::classify(text).unwrap().pattern().as_deref(), Some(pattern));
    }
    assert_eq!(Observable::classify("CVE-2021-44228").unwrap().pattern(), None);
}

proptest! {
    #[test]
    fn the_normal_form_is_its_own_normal_form(text in "\\PC{0,60}") {
        if let Ok(once) = Observable::classify(&text) {
            prop_assert_eq!(Observable::of_kind(once.kind(), once.value()), Ok(once));
        }
    }

    #[test]
    fn names_and_urls_are_stable(
        text in "(https?|ftp|mqtt)?(://)?[a-zA-Z0-9äß_-]{1,8}(\\.[a-zA-Z0-9-]{1,6}){1,3}(:[0-9]{1,5})?(/[a-zA-Z0-9 %.?#]{0,8})?"
    ) {
        if let Ok(once) = Observable::classify(&text) {
            prop_assert_eq!(Observable::of_kind(once.kind(), once.value()), Ok(once));
        }
    }

    #[test]
    fn addresses_in_any_spelling_are_one(ip: std::net::Ipv6Addr, v4: std::net::Ipv4Addr) {
        let long = ip.segments().map(|part| format!("{part:04X}")).join(":");
        prop_assert_eq!(Observable::classify(&long), Observable::classify(&ip.to_string()));
        let got = Observable::classify(&v4.to_string()).unwrap();
        prop_assert_eq!(got.value(), v4.to_string());
    }

    #[test]
    fn a_damaged_bitcoin_address_is_refused(at in 3_usize..34, by in 1_usize..58) {
        let good = b"1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa";
        let letters = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
        let place = letters.iter().position(|b| *b == good[at]).unwrap();
        let mut bad = good.to_vec();
        bad[at] = letters[(place + by) % 58];
        let bad = String::from_utf8(bad).unwrap();
        prop_assert!(Observable::of_kind(Kind::Bitcoin, &bad).is_err());
    }
}
