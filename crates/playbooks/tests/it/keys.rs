//! Whose playbooks run: ignore, warn, require; keys that are trusted, revoked and taken away.

use std::sync::Arc;

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use model::Timestamp;
use playbooks::signature::{Signing, SigningKey, new_id, sign};
use playbooks::{Config, Signatures};
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};

use crate::room::{Room, World, block, end, playbook};

fn simple() -> Value {
    playbook(&[("block", block(json!({ "on_completion": "@end@" }))), ("end", end())])
}

fn key() -> SigningKey {
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    SigningKey::from_pkcs8(pkcs8.as_ref(), None).unwrap()
}

fn pem(key: &SigningKey) -> String {
    let body = STANDARD.encode(key.public_spki());
    format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----\n")
}

fn signed(mut playbook: Value, key: &SigningKey, at: &str) -> Value {
    let signing = Signing {
        id: new_id([7; 16]),
        signee: "Harbour CERT".into(),
        created_by: None,
        now: at.parse().unwrap(),
        valid_until: None,
        algorithm: key.algorithm().name(),
        public_key: key.public_spki(),
        sign: &|message| key.sign(message),
    };
    sign(&mut playbook, &signing).unwrap();
    playbook
}

async fn room(folder: &tempfile::TempDir, world: &Arc<World>, signatures: Signatures) -> Room {
    let config = Config { signatures, ..Config::default() };
    Room::open_with(folder.path(), world, config).await
}

async fn start(room: &Room, id: &str) -> (StatusCode, Value) {
    room.call("POST", "/api/v1/runs", json!({ "playbook": id })).await
}

fn warned(answer: &Value) -> bool {
    let warnings = answer["report"]["warnings"].as_array().unwrap();
    warnings.iter().any(|it| it.as_str().unwrap().contains("trusted key"))
}

#[tokio::test]
async fn where_signatures_are_required_only_those_of_trusted_keys_let_a_playbook_run() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let room = room(&folder, &world, Signatures::Require).await;
    let key = key();
    let yesterday = Timestamp::from_micros(room.platform.now().as_micros() - 86_400_000_000);
    let playbook = signed(simple(), &key, &yesterday.to_string());
    let (status, stored) = room.call("POST", "/api/v1/playbooks", playbook).await;
    assert_eq!(status, StatusCode::CREATED, "storing is no running: {stored}");
    assert!(warned(&stored), "{stored}");
    let id = stored["id"].as_str().unwrap().to_owned();

    let (status, problem) = start(&room, &id).await;
    assert!(status.is_client_error(), "{status} {problem}");
    assert!(problem.to_string().contains("sereno playbook key add"), "{problem}");
    assert!(
        room.runs().await.is_empty() && world.verbs().is_empty(),
        "refused before the first step"
    );

    let body = json!({ "name": "Harbour CERT", "pem": pem(&key) });
    let (status, kept) = room.call("POST", "/api/v1/playbook-keys", body.clone()).await;
    assert_eq!(status, StatusCode::CREATED, "{kept}");
    assert_eq!(room.call("POST", "/api/v1/playbook-keys", body).await.0, StatusCode::OK, "again");
    let (_, detail) = room.call("GET", &format!("/api/v1/playbooks/{id}"), Value::Null).await;
    assert!(!warned(&detail), "{detail}");
    let (status, run) = start(&room, &id).await;
    assert!(status.is_success(), "{run}");
    room.ended().await;
    assert_eq!(world.verbs(), ["block"]);

    let fingerprint = kept["fingerprint"].as_str().unwrap();
    let path = format!("/api/v1/playbook-keys/{fingerprint}");
    let (status, _) = room.call("POST", &format!("{path}/revoke"), json!({})).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, problem) = start(&room, &id).await;
    assert!(status.is_client_error() && problem.to_string().contains("revoked"), "{problem}");
    let (_, list) = room.call("GET", "/api/v1/playbook-keys", Value::Null).await;
    assert_eq!(list["signatures"], "require");
    assert!(list["items"][1]["revoked_at"].is_string(), "after the project's key: {list}");
    assert_eq!(room.call("DELETE", &path, Value::Null).await.0, StatusCode::NO_CONTENT);
    assert_eq!(room.call("DELETE", &path, Value::Null).await.0, StatusCode::NOT_FOUND);
    assert!(start(&room, &id).await.0.is_client_error());
    assert_eq!(world.verbs(), ["block"], "nothing since");
    room.close().await;
}

#[tokio::test]
async fn a_forged_playbook_of_a_trusted_signer_does_not_run() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let room = room(&folder, &world, Signatures::Require).await;
    let key = key();
    let mut forged = signed(simple(), &key, "2026-02-12T00:00:00Z");
    forged["name"] = json!("Something else");
    let body = json!({ "name": "Harbour CERT", "pem": pem(&key) });
    room.call("POST", "/api/v1/playbook-keys", body).await;
    let id = room.store(&forged).await;
    let (status, problem) = start(&room, &id).await;
    assert!(status.is_client_error() && problem.to_string().contains("broken"), "{problem}");
    assert!(world.verbs().is_empty());
    room.close().await;
}

#[tokio::test]
async fn a_warning_lets_it_run_and_ignoring_says_nothing() {
    for (signatures, warns) in [(Signatures::Warn, true), (Signatures::Ignore, false)] {
        let folder = tempfile::tempdir().unwrap();
        let world: Arc<World> = Arc::default();
        let room = room(&folder, &world, signatures).await;
        let (_, stored) = room.call("POST", "/api/v1/playbooks", simple()).await;
        assert_eq!(warned(&stored), warns, "{stored}");
        let (status, run) = start(&room, stored["id"].as_str().unwrap()).await;
        assert!(status.is_success(), "{run}");
        room.ended().await;
        assert_eq!(world.verbs(), ["block"]);
        room.close().await;
    }
}

#[tokio::test]
async fn what_is_no_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let room = room(&folder, &Arc::default(), Signatures::Warn).await;
    for body in [
        json!({ "name": "x", "pem": "hello" }),
        json!({ "name": "", "pem": pem(&key()) }),
        json!({ "name": "x".repeat(300), "pem": pem(&key()) }),
        json!({ "name": "x", "pem": "-".repeat(100_000) }),
    ] {
        let (status, problem) = room.call("POST", "/api/v1/playbook-keys", body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    }
    let (status, _) = room.call("POST", "/api/v1/playbook-keys/zz/revoke", json!({})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    room.close().await;
    let wrong = serde_json::from_value::<Config>(json!({ "trusted_keys": ["zz"] }));
    assert!(wrong.unwrap_err().to_string().contains("64 hexadecimal digits"));
}
