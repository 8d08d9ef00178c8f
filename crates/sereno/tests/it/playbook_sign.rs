//! Playbooks signed, verified and compared on the command line, with keys that OpenSSL made.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::programs::{json as read, output, sereno};

const SHIPPED: &str = include_str!("../../../../data/playbooks/contain-and-tell.json");

/// A shipped playbook without the signature it comes with.
fn unsigned() -> String {
    let mut playbook: Value = serde_json::from_str(SHIPPED).unwrap();
    playbook.as_object_mut().unwrap().remove("signatures");
    playbook.to_string()
}

fn playbook(words: &[&str]) -> Output {
    output(sereno().arg("playbook").args(words))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A private key and its public half, by OpenSSL.
fn key(folder: &Path, name: &str, arguments: &[&str]) -> (PathBuf, PathBuf) {
    let (private, public) =
        (folder.join(format!("{name}.pem")), folder.join(format!("{name}.pub")));
    let openssl = |words: &[&str]| {
        let out = Command::new("openssl").args(words).output().expect("openssl is installed");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    };
    openssl(&[&["genpkey", "-out", text(&private)], arguments].concat());
    openssl(&["pkey", "-in", text(&private), "-pubout", "-out", text(&public)]);
    (private, public)
}

#[test]
fn every_kind_of_key_signs_and_only_its_public_half_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let kinds: [(&str, &[&str]); 4] = [
        ("RS256", &["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]),
        ("ES256", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"]),
        ("ES384", &["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"]),
        ("Ed25519", &["-algorithm", "ED25519"]),
    ];
    let file = folder.join("playbook.json");
    std::fs::write(&file, unsigned()).unwrap();
    let (_, other) = key(folder, "other", &["-algorithm", "ED25519"]);
    for (count, (name, arguments)) in (1..).zip(kinds) {
        let (private, public) = key(folder, name, arguments);
        let signed =
            playbook(&["sign", "--json", "--key", text(&private), "--signee", name, text(&file)]);
        assert_eq!(signed.status.code(), Some(0), "{signed:?}");
        assert_eq!(read(&signed)["algorithm"], name);
        let verify = |public: &Path| {
            let out = playbook(&["verify", "--json", "--key", text(public), text(&file)]);
            (out.status.code(), read(&out))
        };
        let (code, verdict) = verify(&public);
        assert_eq!((code, &verdict["valid"]), (Some(0), &json!(true)), "{verdict}");
        assert_eq!(verdict["signatures"].as_array().unwrap().len(), count);
        let (code, verdict) = verify(&other);
        assert_eq!((code, &verdict["valid"]), (Some(1), &json!(false)), "{verdict}");
        let revoked =
            playbook(&["verify", "--key", text(&public), "--revoked", text(&public), text(&file)]);
        assert_eq!(revoked.status.code(), Some(1));
    }
    let valid = playbook(&["validate", text(&file)]);
    assert_eq!(valid.status.code(), Some(0), "a signed playbook still keeps the standard");
}

#[test]
fn times_counter_signatures_and_changes_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (file, out) = (folder.join("playbook.json"), folder.join("signed.json"));
    std::fs::write(&file, unsigned()).unwrap();
    let (private, _) = key(folder, "a", &["-algorithm", "ED25519"]);
    let until = "2100-01-01T00:00:00Z";
    let signed = playbook(&[
        "sign",
        "--key",
        text(&private),
        "--signee",
        "A",
        "--valid-until",
        until,
        "--out",
        text(&out),
        text(&file),
    ]);
    let id = String::from_utf8(signed.stdout).unwrap().trim().to_owned();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), unsigned(), "--out leaves the file alone");
    let verify =
        |words: &[&str]| playbook(&[&["verify"], words, &[text(&out)]].concat()).status.code();
    assert_eq!(verify(&[]), Some(0));
    assert_eq!(verify(&["--at", until]), Some(1));
    assert_eq!(verify(&["--at", "1999-01-01T00:00:00Z"]), Some(1));
    assert_eq!(verify(&["--at", "yesterday"]), Some(2));
    let countered =
        playbook(&["sign", "--key", text(&private), "--signee", "B", "--counter", &id, text(&out)]);
    assert_eq!(countered.status.code(), Some(0), "{countered:?}");
    let shown = String::from_utf8(playbook(&["verify", text(&out)]).stdout).unwrap();
    assert!(
        shown.contains("by A") && shown.contains("  good Ed25519") && shown.contains("by B"),
        "{shown}"
    );

    let mut forged: Value = serde_json::from_slice(&std::fs::read(&out).unwrap()).unwrap();
    forged["name"] = json!("Do nothing");
    let forged_file = folder.join("forged.json");
    std::fs::write(&forged_file, forged.to_string()).unwrap();
    let verdict = playbook(&["verify", "--json", text(&forged_file)]);
    assert_eq!((verdict.status.code(), &read(&verdict)["valid"]), (Some(1), &json!(false)));
    let changes = playbook(&["diff", "--json", text(&out), text(&forged_file)]);
    assert_eq!(changes.status.code(), Some(1));
    assert_eq!(read(&changes)["changes"][0]["place"], "/name");
    assert_eq!(playbook(&["diff", text(&out), text(&out)]).status.code(), Some(0));
}

#[test]
fn what_cannot_be_signed_or_verified_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let file = folder.join("playbook.json");
    let (private, _) = key(folder, "a", &["-algorithm", "ED25519"]);
    let sign = |words: &[&str]| {
        let out = playbook(&[&["sign", "--signee", "A"], words, &[text(&file)]].concat());
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    std::fs::write(&file, r#"{"type":"playbook"}"#).unwrap();
    let (code, said) = sign(&["--key", text(&private)]);
    assert!(code != Some(0) && said.contains("only a playbook that keeps the standard"), "{said}");
    std::fs::write(&file, SHIPPED.replacen('{', r#"{"name":"twice","#, 1)).unwrap();
    let (code, said) = sign(&["--key", text(&private)]);
    assert!(code == Some(3) && said.contains("stands twice"), "{said}");
    std::fs::write(&file, unsigned()).unwrap();
    let (code, said) = sign(&["--key", text(&private), "--algorithm", "HS256"]);
    assert!(code == Some(2) && said.contains("HS256"), "{said}");
    let (code, said) = sign(&["--key", text(&private), "--algorithm", "RS256"]);
    assert!(code == Some(3) && said.contains("none for RS256"), "{said}");
    let (code, said) = sign(&["--key", text(&file)]);
    assert!(code == Some(3) && said.contains("no PKCS #8 key"), "{said}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), unsigned());
    let unsigned = playbook(&["verify", "--json", text(&file)]);
    assert_eq!(
        (unsigned.status.code(), &read(&unsigned)["reason"]),
        (Some(1), &json!("it is not signed"))
    );
}

#[test]
fn a_playbook_goes_to_stix_and_back_with_its_signature() {
    let folder = tempfile::tempdir().unwrap();
    let (file, bundle) = (folder.path().join("p.json"), folder.path().join("b.json"));
    std::fs::write(&file, SHIPPED).unwrap();
    let out = playbook(&["stix", text(&file)]);
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    std::fs::write(&bundle, &out.stdout).unwrap();
    let valid = output(sereno().args(["stix", "validate"]).arg(&bundle));
    assert_eq!(valid.status.code(), Some(0), "{valid:?}");
    let back = playbook(&["stix", text(&bundle)]);
    assert_eq!(String::from_utf8(back.stdout).unwrap(), SHIPPED, "letter by letter");
    let other = playbook(&["stix", "--id", "playbook--x", text(&bundle)]);
    assert_eq!(other.status.code(), Some(3), "{other:?}");
}

#[test]
fn what_ships_is_listed_with_the_key_that_signed_it() {
    let out = playbook(&["list", "--shipped", "--json"]);
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    let answer = read(&out);
    let items = answer["items"].as_array().unwrap();
    assert!(items.len() > 8);
    assert!(items.iter().all(|it| it["signature"] == "well signed"), "{answer}");
}

#[test]
fn keys_are_trusted_revoked_and_taken_away_beside_no_running_node() {
    let folder = tempfile::tempdir().unwrap();
    let (_, public) = key(folder.path(), "cert", &["-algorithm", "ED25519"]);
    let data = folder.path().join("data");
    let keys = |words: &[&str]| {
        let out = playbook(&[&["key"], words, &["--data", text(&data)]].concat());
        (out.status.code(), String::from_utf8_lossy(&out.stdout).into_owned(), out)
    };
    let (code, fingerprint, out) = keys(&["add", "--name", "Harbour CERT", text(&public)]);
    assert_eq!(code, Some(0), "{out:?}");
    let fingerprint = fingerprint.trim();
    assert_eq!(fingerprint.len(), 64);
    let (_, listed, _) = keys(&["list", "--json"]);
    assert!(listed.contains("Harbour CERT") && listed.contains("Sereno project"), "{listed}");
    assert_eq!(keys(&["revoke", fingerprint, "--since", "2026-01-01T00:00:00Z"]).0, Some(0));
    let (_, listed, _) = keys(&["list", "--json"]);
    assert!(listed.contains("2026-01-01"), "{listed}");
    assert_eq!(keys(&["remove", fingerprint]).0, Some(0));
    assert_ne!(keys(&["remove", fingerprint]).0, Some(0), "it is gone");
}
