//! Signatures of playbooks: those of another program, our own, and what must not pass.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cacao::signature::{
    Algorithm, Checked, Signing, SigningKey, State, Trust, Verdict, counter_sign, private_key,
    public_key, sign, verify,
};
use model::Timestamp;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use serde_json::{Value, json};
use sha2::Digest;

/// Seven signatures that OpenSSL 3.0 and Python's own JSON writer made: RS256, RS512 over sha-512, PS256, PS384 over
/// sha-384, ES256 and ES384 as DER, Ed25519. They hold from 2026-02-12 to 2027-02-12.
const OPENSSL: &str = include_str!("../fixtures/signed/openssl.json");

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn summer() -> Timestamp {
    at("2026-06-21T12:00:00Z")
}

fn openssl() -> Value {
    serde_json::from_str(OPENSSL).unwrap()
}

fn unsigned() -> Value {
    let mut playbook = openssl();
    playbook.as_object_mut().unwrap().shift_remove("signatures");
    playbook
}

fn states(verdict: &Verdict) -> Vec<State> {
    verdict.signatures.iter().map(|signature| signature.state).collect()
}

fn ed25519() -> SigningKey {
    let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    private_key(key.as_ref(), None).unwrap()
}

fn p256() -> SigningKey {
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    private_key(key.as_ref(), None).unwrap()
}

/// What a signer says who signs with this key as the n-th of the test.
fn with<T>(key: &SigningKey, n: u32, then: impl FnOnce(&Signing<'_>) -> T) -> T {
    let signing = Signing {
        id: format!("jss--{n:08}-1111-4111-8111-111111111111"),
        signee: format!("signer {n}"),
        created_by: None,
        now: at("2026-05-01T00:00:00Z"),
        valid_until: Some(at("2027-05-01T00:00:00Z")),
        algorithm: key.algorithm().name(),
        public_key: key.public_spki(),
        sign: &|message| key.sign(message),
    };
    then(&signing)
}

fn trust_of(keys: &[&Checked]) -> Trust {
    Trust { trusted: keys.iter().filter_map(|c| c.key.clone()).collect(), ..Trust::default() }
}

#[test]
fn signatures_made_by_openssl_hold_each_by_itself() {
    let playbook = openssl();
    let verdict = verify(&playbook, &Trust::default(), summer());
    assert!(verdict.valid, "{verdict:#?}");
    assert_eq!(states(&verdict), [State::Good; 7]);
    for kept in 0..7 {
        let mut one = playbook.clone();
        one["signatures"] = json!([playbook["signatures"][kept]]);
        assert!(verify(&one, &Trust::default(), summer()).valid, "signature {kept} alone");
    }
}

#[test]
fn a_signature_counts_within_its_time_only() {
    for (time, holds) in [
        ("2026-02-12T09:59:59Z", false),
        ("2026-02-12T10:00:00Z", true),
        ("2027-02-12T09:59:59Z", true),
        ("2027-02-12T10:00:00Z", false),
    ] {
        let verdict = verify(&openssl(), &Trust::default(), at(time));
        assert_eq!(verdict.valid, holds, "{time}");
        let state = if holds { State::Good } else { State::Lapsed };
        assert_eq!(states(&verdict), [state; 7], "{time}");
    }
}

/// Every single value of a document, by JSON pointer.
fn leaves(value: &Value, place: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(name, value)| leaves(value, &format!("{place}/{name}"), found));
        }
        Value::Array(items) => {
            (0..)
                .zip(items)
                .for_each(|(n, value): (usize, _)| leaves(value, &format!("{place}/{n}"), found));
        }
        _ => found.push(place.to_owned()),
    }
}

#[test]
fn no_single_value_can_be_changed_or_added() {
    let mut playbook = unsigned();
    with(&ed25519(), 1, |signing| sign(&mut playbook, signing)).unwrap();
    let mut places = Vec::new();
    leaves(&playbook, "", &mut places);
    assert!(places.len() > 25);
    for place in places {
        let mut forged = playbook.clone();
        let value = forged.pointer_mut(&place).unwrap();
        *value = match &*value {
            Value::String(text) if place.ends_with("/value") => {
                // The last letter of base64url holds spare bits: change the first.
                let first = if text.starts_with('A') { "B" } else { "A" };
                format!("{first}{}", &text[1..]).into()
            }
            Value::String(text) => format!("{text}x").into(),
            Value::Number(number) => json!(number.as_i64().unwrap() + 1),
            other => panic!("{other}"),
        };
        assert!(!verify(&forged, &Trust::default(), summer()).valid, "changed {place}");
    }
    let mut more = playbook.clone();
    more["signatures"][0]["x_more"] = json!(true);
    assert!(!verify(&more, &Trust::default(), summer()).valid);
    playbook["x_more"] = json!(null);
    assert!(!verify(&playbook, &Trust::default(), summer()).valid);
}

#[test]
fn several_sign_and_one_forged_signature_spoils_the_whole() {
    let mut playbook = unsigned();
    for (n, key) in (1..).zip([ed25519(), p256(), ed25519()]) {
        with(&key, n, |signing| sign(&mut playbook, signing)).unwrap();
    }
    let verdict = verify(&playbook, &Trust::default(), summer());
    assert!(verdict.valid && states(&verdict) == [State::Good; 3], "{verdict:#?}");
    // Somebody puts his own key under another one's signature.
    let stranger = STANDARD.encode(ed25519().public_spki());
    playbook["signatures"][0]["public_key"] = stranger.into();
    let verdict = verify(&playbook, &Trust::default(), summer());
    assert!(!verdict.valid);
    assert_eq!(states(&verdict), [State::Broken, State::Good, State::Good]);
}

#[test]
fn only_trusted_and_unrevoked_keys_count() {
    let mut playbook = unsigned();
    with(&ed25519(), 1, |signing| sign(&mut playbook, signing)).unwrap();
    with(&p256(), 2, |signing| sign(&mut playbook, signing)).unwrap();
    let open = verify(&playbook, &Trust::default(), summer());
    let [first, second] = open.signatures.as_slice() else { panic!() };
    let only_first = verify(&playbook, &trust_of(&[first]), summer());
    assert!(only_first.valid);
    assert_eq!(states(&only_first), [State::Good, State::Lapsed]);
    let nobody = Trust { trusted: vec!["00".repeat(32)], ..Trust::default() };
    assert!(!verify(&playbook, &nobody, summer()).valid);
    let revoked = |since| Trust {
        revoked: vec![(first.key.clone().unwrap(), since), (second.key.clone().unwrap(), None)],
        ..Trust::default()
    };
    assert!(!verify(&playbook, &revoked(None), summer()).valid);
    assert!(!verify(&playbook, &revoked(Some(summer())), summer()).valid);
    assert!(verify(&playbook, &revoked(Some(summer().plus_secs(1))), summer()).valid);
}

#[test]
fn a_newer_version_of_a_signature_can_take_it_back() {
    let key = ed25519();
    let mut playbook = unsigned();
    with(&key, 1, |signing| sign(&mut playbook, signing)).unwrap();
    let mut taken_back = playbook["signatures"][0].clone();
    taken_back["modified"] = json!("2026-05-02T00:00:00.000Z");
    taken_back["revoked"] = json!(true);
    taken_back.as_object_mut().unwrap().shift_remove("value");
    let mut only = unsigned();
    only["signatures"] = json!([taken_back]);
    let message = hex::encode(sha2::Sha256::digest(stix::jcs::to_string(&only)));
    let value = key.sign(message.as_bytes()).unwrap();
    taken_back["value"] = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(value).into();
    playbook["signatures"].as_array_mut().unwrap().push(taken_back);
    let verdict = verify(&playbook, &Trust::default(), summer());
    assert!(!verdict.valid);
    assert_eq!(states(&verdict), [State::Superseded, State::Lapsed]);
}

#[test]
fn a_counter_signature_covers_what_it_signs_and_nothing_below_loses() {
    let mut playbook = unsigned();
    with(&ed25519(), 1, |signing| sign(&mut playbook, signing)).unwrap();
    let id = playbook["signatures"][0]["id"].as_str().unwrap().to_owned();
    with(&p256(), 2, |signing| counter_sign(&mut playbook, &id, signing)).unwrap();
    with(&ed25519(), 3, |signing| counter_sign(&mut playbook, &id, signing)).unwrap();
    let verdict = verify(&playbook, &Trust::default(), summer());
    assert!(verdict.valid, "{verdict:#?}");
    let second = verdict.signatures[0].counter.as_ref().unwrap();
    let third = second.counter.as_ref().unwrap();
    assert_eq!((second.signee.as_str(), third.signee.as_str()), ("signer 2", "signer 3"));
    for place in ["/signatures/0/signature/signee", "/signatures/0/signature/signature/created"] {
        let mut forged = playbook.clone();
        *forged.pointer_mut(place).unwrap() = json!("2020-01-01T00:00:00.000Z");
        assert!(!verify(&forged, &Trust::default(), summer()).valid, "{place}");
    }
    playbook["signatures"][0].as_object_mut().unwrap().shift_remove("signature");
    assert!(verify(&playbook, &Trust::default(), summer()).valid);
    let missing = with(&p256(), 4, |signing| counter_sign(&mut playbook, "jss--none", signing));
    assert!(missing.unwrap_err().contains("jss--none"));
}

/// Something done to a playbook.
type Change = fn(&mut Value);

#[test]
fn what_is_no_signature_is_refused_with_its_reason() {
    let one = |change: &dyn Fn(&mut Value)| {
        let mut playbook = openssl();
        playbook["signatures"] = json!([playbook["signatures"][6]]);
        change(&mut playbook);
        let verdict = verify(&playbook, &Trust::default(), summer());
        assert!(!verdict.valid);
        verdict.reason
    };
    let cases: [(&str, Change); 9] = [
        ("not signed", |p| p["signatures"] = json!([])),
        ("no list", |p| p["signatures"] = json!({})),
        ("no type", |p| p["signatures"] = json!(["x"])),
        ("at most 100", |p| p["signatures"] = json!(vec![json!({}); 101])),
        ("HS256 is not verified", |p| p["signatures"][0]["algorithm"] = json!("HS256")),
        ("md5 is not known", |p| p["signatures"][0]["hash_algorithm"] = json!("md5")),
        ("no base64url", |p| p["signatures"][0]["value"] = json!("++//")),
        ("no Base64", |p| p["signatures"][0]["public_key"] = json!("…")),
        ("none for RS256", |p| p["signatures"][0]["algorithm"] = json!("RS256")),
    ];
    for (expected, change) in cases {
        let reason = one(&change);
        assert!(
            reason.contains(expected)
                || expected == "type is not jss" && reason.contains("no type"),
            "{expected}: {reason}"
        );
    }
    let mut deep = json!({ "type": "jss" });
    (0..200).for_each(|_| deep = json!({ "type": "jss", "signature": deep }));
    let reason = one(&|p| p["signatures"] = json!([deep.clone()]));
    assert!(reason.contains("broken"), "{reason}");
}

#[test]
fn keys_are_read_from_pem_and_only_for_their_algorithms() {
    let key = p256();
    let body = STANDARD.encode(key.public_spki());
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n");
    let public = public_key(pem.as_bytes()).unwrap();
    let signature = key.sign(b"word").unwrap();
    public.verify(Algorithm::Es256, b"word", &signature).unwrap();
    assert!(public.verify(Algorithm::Es256, b"other", &signature).is_err());
    assert!(public.verify(Algorithm::Es384, b"word", &signature).unwrap_err().contains("ES384"));
    assert!(public_key(b"nothing").is_err());
    let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    assert!(private_key(der.as_ref(), Some(Algorithm::Rs256)).is_err());
    assert!(private_key(b"-----BEGIN RSA PRIVATE KEY-----\n", None).is_err());
}
