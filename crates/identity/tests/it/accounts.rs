use axum::extract::ConnectInfo;
use axum::http::{StatusCode, header};
use identity::MAX_PER_NAME;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{Node, PASSWORD, cookie, open};

fn sign_in(name: &str, password: &str) -> Value {
    json!({ "name": name, "password": password })
}

#[tokio::test]
async fn the_first_administrator_is_made_once_even_in_a_race() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    assert!(node.identity.first_run().await.unwrap());
    let body = |name: &str, password: &str| json!({ "organisation": "Harbour", "name": name, "password": password });
    for (name, password) in [("", PASSWORD), ("a\u{7}b", PASSWORD), ("ana", "short")] {
        let refused = node.nobody("POST", "/api/v1/first-run", body(name, password)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}: {}", refused.text);
    }
    let (one, two) = tokio::join!(
        node.nobody("POST", "/api/v1/first-run", body("ana", PASSWORD)),
        node.nobody("POST", "/api/v1/first-run", body("eve", PASSWORD)),
    );
    let mut statuses = [one.status, two.status];
    statuses.sort();
    assert_eq!(statuses, [StatusCode::CREATED, StatusCode::CONFLICT]);
    assert!(!node.identity.first_run().await.unwrap());
    let late = node.nobody("POST", "/api/v1/first-run", body("late", PASSWORD)).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert_eq!(node.noted("user_created").await.len(), 1);

    node.close().await;
    let node = open(folder.path(), 1).await;
    assert!(!node.identity.first_run().await.unwrap(), "an acknowledged account is durable");
}

#[tokio::test]
async fn a_session_is_a_guarded_cookie_that_ends() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    node.first_run().await;
    let answer = node.nobody("POST", "/api/v1/sign-in", sign_in("ana", PASSWORD)).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text);
    let set = answer.headers[header::SET_COOKIE].to_str().unwrap().to_owned();
    for flag in ["sereno_session_", "HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(set.contains(flag), "{set}");
    }
    assert!(!set.contains("Secure"), "this door does not encrypt: {set}");
    let own = cookie(&answer);
    let with_cookie = [("cookie", own.as_str())];

    let me = node.send("GET", "/api/v1/me", &with_cookie, Value::Null, None).await;
    assert_eq!((me.status, &me.json["name"]), (StatusCode::OK, &json!("ana")));
    assert!(me.json["permissions"].as_array().unwrap().contains(&json!("tokens.create")));

    // A change needs the header that only our page sends.
    let body = json!({ "role": "read-only", "label": "x" });
    let forged = node.send("POST", "/api/v1/tokens", &with_cookie, body.clone(), None).await;
    assert_eq!(forged.status, StatusCode::FORBIDDEN, "{}", forged.text);
    assert_eq!(node.noted("cross_site_refused").await.len(), 1);
    let both = [("cookie", own.as_str()), ("x-sereno-request", "1")];
    let honest = node.send("POST", "/api/v1/tokens", &both, body, None).await;
    assert_eq!(honest.status, StatusCode::CREATED, "{}", honest.text);

    let out = node.send("POST", "/api/v1/sign-out", &both, Value::Null, None).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    assert!(out.headers[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    let gone = node.send("GET", "/api/v1/me", &with_cookie, Value::Null, None).await;
    assert_eq!(gone.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_session_expires_and_survives_a_restart_until_then() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    let own = node.first_run().await;
    node.close().await;
    let node = open(folder.path(), 1).await;
    let with_cookie = [("cookie", own.as_str())];
    let me = node.send("GET", "/api/v1/me", &with_cookie, Value::Null, None).await;
    assert_eq!(me.status, StatusCode::OK);
    node.clock.advance_micros(4 * 3_600 * 1_000_000);
    let me = node.send("GET", "/api/v1/me", &with_cookie, Value::Null, None).await;
    assert_eq!(me.status, StatusCode::UNAUTHORIZED);
    // The stale cookie does not keep its owner from signing in again, header or not.
    let again =
        node.send("POST", "/api/v1/sign-in", &with_cookie, sign_in("ana", PASSWORD), None).await;
    assert_eq!(again.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn no_secret_is_stored_or_noted() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    let own = node.first_run().await;
    let secret = own.split('=').nth(1).unwrap().to_owned();
    let body = json!({ "role": "analyst", "label": "feed" });
    let token =
        node.admin("POST", "/api/v1/tokens", body).await.json["token"].as_str().unwrap().to_owned();
    let token_secret = token.rsplit('_').next().unwrap().to_owned();
    node.nobody("POST", "/api/v1/sign-in", sign_in("ana", "a wrong secret word")).await;
    let bad = [("authorization", "Bearer sereno_wrong_secret_word")];
    node.send("GET", "/api/v1/things", &bad, Value::Null, None).await;
    let facts = serde_json::to_string(&node.facts().await).unwrap();
    node.close().await;
    let file = std::fs::read(folder.path().join("sereno.db")).unwrap();
    let stored = String::from_utf8_lossy(&file);
    for word in
        [PASSWORD, secret.as_str(), token_secret.as_str(), "wrong secret word", "wrong_secret"]
    {
        assert!(!facts.contains(word), "in a fact: {word}");
        assert!(!stored.contains(word), "in the database: {word}");
    }
}

async fn from(node: &Node, source: &str, name: &str, password: &str) -> StatusCode {
    in_browser(node, source, "", name, password).await
}

/// The same in a browser that has cookies.
async fn in_browser(
    node: &Node,
    source: &str,
    cookie: &str,
    name: &str,
    password: &str,
) -> StatusCode {
    let address: std::net::SocketAddr = format!("{source}:4000").parse().unwrap();
    let request = axum::http::Request::post("/api/v1/sign-in")
        .header("content-type", "application/json")
        .header("cookie", cookie)
        .extension(ConnectInfo(address))
        .body(axum::body::Body::from(sign_in(name, password).to_string()))
        .unwrap();
    node.app.clone().oneshot(request).await.unwrap().status()
}

#[tokio::test]
async fn guessing_is_slowed_down_and_locks_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    node.first_run().await;
    assert_eq!(from(&node, "10.0.0.1", "ana", PASSWORD).await, StatusCode::NO_CONTENT);
    for n in 0..MAX_PER_NAME {
        let status = from(&node, &format!("10.6.6.{n}"), "ana", "guess guess").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(from(&node, "10.6.6.200", "ana", PASSWORD).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(from(&node, "10.0.0.1", "ana", PASSWORD).await, StatusCode::NO_CONTENT);
    assert_eq!(from(&node, "10.6.6.200", "nobody", PASSWORD).await, StatusCode::UNAUTHORIZED);
    node.clock.advance_micros(identity::WINDOW_S * 1_000_000);
    assert_eq!(from(&node, "10.6.6.200", "ana", PASSWORD).await, StatusCode::NO_CONTENT);
    let refusals = node.noted("sign_in_refused").await.len();
    assert!((1..=3).contains(&refusals), "a flood becomes few facts: {refusals}");
}

#[tokio::test]
async fn a_browser_that_was_here_before_gets_in_wherever_it_is_while_strangers_guess() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    node.first_run().await;
    let signed = node.nobody("POST", "/api/v1/sign-in", sign_in("ana", PASSWORD)).await;
    let mark = signed.headers.get_all(header::SET_COOKIE).iter().nth(1).unwrap().to_str().unwrap();
    for flag in ["sereno_browser_", "HttpOnly", "SameSite=Strict"] {
        assert!(mark.contains(flag), "{mark}");
    }
    let mark = mark.split(';').next().unwrap().to_owned();
    node.close().await;
    // What was known in memory is gone; the mark is not.
    let node = open(folder.path(), 1).await;
    let mut locked = 0;
    for n in 0..600_u32 {
        let source = format!("10.6.{}.{}", n / 200, n % 200);
        let status = from(&node, &source, "ana", "guess guess").await;
        locked += u32::from(status == StatusCode::TOO_MANY_REQUESTS);
    }
    assert!(locked > 500, "strangers wait: {locked}");
    assert_eq!(from(&node, "10.7.7.7", "ana", PASSWORD).await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(in_browser(&node, "10.7.7.7", &mark, "ana", PASSWORD).await, StatusCode::NO_CONTENT);
    // The mark is good for its own person alone, unaltered, and does not open by itself.
    let changed = mark.replacen('=', "=9", 1);
    assert_eq!(
        in_browser(&node, "10.7.7.8", &changed, "ana", PASSWORD).await,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(
        in_browser(&node, "10.7.7.9", &mark, "ana", "guess guess").await,
        StatusCode::UNAUTHORIZED
    );
    node.close().await;
}
