use axum::http::{StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ports::PortError;
use ports::disclosure::{Named, Organisations, Recipient};
use serde_json::{Value, json};

use crate::{Node, open};

async fn make(node: &Node, body: Value) -> (String, String) {
    let answer = node.admin("POST", "/api/v1/tokens", body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    let field = |name: &str| answer.json[name].as_str().unwrap().to_owned();
    (field("id"), field("token"))
}

async fn with(node: &Node, authorization: &str, path: &str) -> crate::Answer {
    node.send("GET", path, &[("authorization", authorization)], Value::Null, None).await
}

#[tokio::test]
async fn a_token_opens_what_its_role_may_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    let (_, token) = make(&node, json!({ "role": "read-only", "label": "dashboard" })).await;
    assert!(token.starts_with("sereno_"), "{token}");
    node.close().await;
    let node = open(folder.path(), 1).await;
    let bearer = format!("Bearer {token}");
    assert_eq!(with(&node, &bearer, "/api/v1/things").await.status, StatusCode::OK);
    let me = with(&node, &bearer, "/api/v1/me").await;
    assert_eq!(me.json["name"], json!("token dashboard"));
    let change =
        node.send("POST", "/api/v1/things", &[("authorization", &bearer)], json!({}), None).await;
    assert_eq!(change.status, StatusCode::FORBIDDEN, "{}", change.text);
    assert!(change.text.contains("no policy allows incidents.write"), "{}", change.text);
}

#[tokio::test]
async fn taxii_clients_use_basic_authorization() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    let body = json!({ "role": "taxii", "label": "isac", "grants": ["inbox:write"] });
    let (_, token) = make(&node, body).await;
    let basic = |user: &str| format!("Basic {}", STANDARD.encode(format!("{user}:{token}")));
    let answer = with(&node, &basic("token"), "/taxii2/").await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "token isac taxii"));
    assert_eq!(with(&node, &basic("token"), "/api/v1/things").await.status, StatusCode::FORBIDDEN);
    assert_eq!(with(&node, &basic("ana"), "/taxii2/").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn revoked_expired_and_wrong_tokens_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    let soon = node.platform.now().plus_secs(60).to_string();
    let (_, short) =
        make(&node, json!({ "role": "analyst", "label": "short", "expires_at": soon })).await;
    let (id, long) = make(&node, json!({ "role": "analyst", "label": "long" })).await;
    let check = async |authorization: String, words: &str| {
        let answer = with(&node, &authorization, "/api/v1/things").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{authorization}");
        assert!(answer.text.contains(words), "{}", answer.text);
        assert!(answer.headers.contains_key(header::WWW_AUTHENTICATE));
    };
    for token in [&short, &long] {
        let answer = with(&node, &format!("Bearer {token}"), "/api/v1/things").await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    node.clock.advance_micros(60_000_000);
    check(format!("Bearer {short}"), "has expired").await;
    let gone = node.admin("DELETE", &format!("/api/v1/tokens/{id}"), Value::Null).await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    check(format!("Bearer {long}"), "was revoked").await;
    let again = node.admin("DELETE", &format!("/api/v1/tokens/{id}"), Value::Null).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);

    let mut guessed = long.clone();
    let last = if guessed.pop() == Some('0') { '1' } else { '0' };
    guessed.push(last);
    check(format!("Bearer {guessed}"), "no token of this node").await;
    check("Bearer ".into(), "no token of this node").await;
    check("Bearer sereno_x_y".into(), "no token of this node").await;
    check("Basic !!!".into(), "Basic authorization takes").await;
    check("Digest x".into(), "only Bearer and Basic").await;
    assert!(!node.noted("denied").await.is_empty());
    let on_public = with(&node, &format!("Bearer {long}"), "/api/v1/sign-out").await;
    assert_eq!(on_public.status, StatusCode::UNAUTHORIZED, "a bad credential is never ignored");
}

#[tokio::test]
async fn tokens_are_listed_without_secrets_and_checked_when_made() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    for n in 0..3 {
        make(&node, json!({ "role": "operator", "label": format!("t{n}") })).await;
        node.clock.advance_micros(2_000);
    }
    let page = node.admin("GET", "/api/v1/tokens?limit=2", Value::Null).await;
    assert_eq!(page.json["items"][0]["label"], json!("t2"), "{}", page.text);
    assert!(!page.text.contains("digest"));
    let next = page.json["next"].as_str().unwrap();
    let rest =
        node.admin("GET", &format!("/api/v1/tokens?limit=2&cursor={next}"), Value::Null).await;
    assert_eq!(rest.json["items"].as_array().unwrap().len(), 1);
    for wrong in [
        json!({ "role": "peer", "label": "x" }),
        json!({ "role": "king", "label": "x" }),
        json!({ "role": "analyst", "label": "" }),
        json!({ "role": "analyst", "label": "x", "grants": ["inbox:burn"] }),
        json!({ "role": "analyst", "label": "x", "expires_at": "2001-01-01T00:00:00Z" }),
        json!({ "role": "analyst", "label": "x", "rolle": "y" }),
    ] {
        let answer = node.admin("POST", "/api/v1/tokens", wrong.clone()).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}: {}", answer.text);
    }
}

/// Knows one organisation, until it does not.
struct Isac(std::sync::atomic::AtomicBool);

fn isac() -> Recipient {
    "organisation:01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap()
}

#[async_trait::async_trait]
impl Organisations for Isac {
    async fn organisation(&self, name: &str) -> Result<Named, PortError> {
        match name {
            "Harbour ISAC" => Ok(Named { recipient: isac(), name: name.to_owned() }),
            other => Err(PortError::NotFound(format!("organisation '{other}'"))),
        }
    }
    async fn name_of(&self, recipient: Recipient) -> Result<Option<String>, PortError> {
        let known = self.0.load(std::sync::atomic::Ordering::SeqCst) && recipient == isac();
        Ok(known.then(|| "Harbour ISAC".to_owned()))
    }
}

#[tokio::test]
async fn tokens_and_accounts_may_be_for_another_organisation() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    let body =
        json!({ "role": "taxii", "label": "isac", "for": "Harbour ISAC", "grants": ["c2:read"] });
    let early = node.admin("POST", "/api/v1/tokens", body.clone()).await;
    assert_eq!(early.status, StatusCode::UNPROCESSABLE_ENTITY, "nobody knows organisations");
    let known = std::sync::Arc::new(Isac(true.into()));
    node.identity.set_organisations(known.clone());
    let (_, token) = make(&node, body).await;
    let (_, house) = make(&node, json!({ "role": "taxii", "label": "house" })).await;
    let whose =
        async |authorization: String| with(&node, &authorization, "/taxii2/outside").await.text;
    assert_eq!(whose(format!("Bearer {token}")).await, isac().to_string());
    assert_eq!(whose(format!("Bearer {house}")).await, "of the house");
    // any other role reads what is of the house
    for (role, name) in
        [("read-only", "Harbour ISAC"), ("administrator", "Harbour ISAC"), ("taxii", "Nobody")]
    {
        for path in ["/api/v1/tokens", "/api/v1/users"] {
            let body = match path {
                "/api/v1/tokens" => json!({ "role": role, "label": "x", "for": name }),
                _ => json!({ "role": role, "name": "x", "for": name }),
            };
            let refused = node.admin("POST", path, body).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{role} {name}");
            assert!(refused.text.contains("for"), "{}", refused.text);
        }
    }
    let body = json!({ "name": "isac", "role": "taxii", "for": "Harbour ISAC" });
    let made = node.admin("POST", "/api/v1/users", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    let pair = format!("isac:{}", made.json["password"].as_str().unwrap());
    let basic = format!("Basic {}", STANDARD.encode(pair));
    for _ in 0..2 {
        assert_eq!(whose(basic.clone()).await, isac().to_string(), "also from the cache");
    }
    let tokens = node.admin("GET", "/api/v1/tokens", Value::Null).await.json;
    // Tokens made in the same millisecond stand in any order.
    let listed = |tokens: &Value, label: &str| -> Value {
        let mut all = tokens["items"].as_array().unwrap().iter();
        all.find(|token| token["label"] == label).unwrap()["for"].clone()
    };
    assert_eq!(listed(&tokens, "isac"), "Harbour ISAC");
    assert_eq!(listed(&tokens, "house"), Value::Null);
    let users = node.admin("GET", "/api/v1/users", Value::Null).await.json;
    assert_eq!(users[0]["for"], "Harbour ISAC");
    known.0.store(false, std::sync::atomic::Ordering::SeqCst);
    let tokens = node.admin("GET", "/api/v1/tokens", Value::Null).await.json;
    assert_eq!(listed(&tokens, "isac"), "(no longer known)", "it is not of the house now");
    assert_eq!(whose(format!("Bearer {token}")).await, isac().to_string());
}
