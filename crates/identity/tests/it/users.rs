//! Accounts of TAXII clients, and what slows a source down.

use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use identity::{Config, MAX_PER_SOURCE, NetworkLimit};
use serde_json::{Value, json};

use crate::{Node, open, open_with};

fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

async fn get(node: &Node, authorization: &str) -> crate::Answer {
    let headers = [("authorization", authorization)];
    node.send("GET", "/taxii2/", &headers, Value::Null, None).await
}

#[tokio::test]
async fn an_account_opens_taxii_until_it_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    let body = json!({"name": "isac", "role": "taxii", "grants": ["inbox:read"]});
    let made = node.admin("POST", "/api/v1/users", body.clone()).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    assert_eq!(node.admin("POST", "/api/v1/users", body).await.status, StatusCode::CONFLICT);
    assert!(node.identity.first_run().await.unwrap(), "the administrator is still to come");
    let password = made.json["password"].as_str().unwrap();
    for _ in 0..3 {
        let answer = get(&node, &basic("isac", password)).await;
        assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "isac taxii"));
    }
    assert_eq!(get(&node, &basic("isac", "wrong password")).await.status, StatusCode::UNAUTHORIZED);
    let listed = node.admin("GET", "/api/v1/users", Value::Null).await;
    assert_eq!(
        listed.json,
        json!([{"name": "isac", "roles": ["taxii"], "grants": ["inbox:read"], "for": null, "mail": null,
            "shown": null, "disabled_at": null, "signed_in_at": null}])
    );
    assert_eq!(
        node.admin("DELETE", "/api/v1/users/isac", Value::Null).await.status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(get(&node, &basic("isac", password)).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        node.admin("DELETE", "/api/v1/users/isac", Value::Null).await.status,
        StatusCode::NOT_FOUND
    );
    for body in [
        json!({"name": "token", "role": "taxii"}),
        json!({"name": "a:b", "role": "taxii"}),
        json!({"name": "x", "role": "peer"}),
        json!({"name": "x", "role": "taxii", "grants": ["inbox"]}),
    ] {
        let refused = node.admin("POST", "/api/v1/users", body.clone()).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
}

#[tokio::test]
async fn a_revoked_token_opens_nothing_though_it_was_just_used() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    let made = node.admin("POST", "/api/v1/tokens", json!({"role": "taxii", "label": "x"})).await;
    let bearer = format!("Bearer {}", made.json["token"].as_str().unwrap());
    assert_eq!(get(&node, &bearer).await.status, StatusCode::OK);
    assert_eq!(get(&node, &bearer).await.status, StatusCode::OK);
    let path = format!("/api/v1/tokens/{}", made.json["id"].as_str().unwrap());
    assert_eq!(node.admin("DELETE", &path, Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(get(&node, &bearer).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn guessed_tokens_have_to_wait_and_good_ones_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    let made = node.admin("POST", "/api/v1/tokens", json!({"role": "taxii", "label": "x"})).await;
    let bearer = format!("Bearer {}", made.json["token"].as_str().unwrap());
    let mut waited = None;
    for _ in 0..=10 * MAX_PER_SOURCE {
        let answer = get(&node, "Bearer sereno_guess").await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            waited = answer.headers["retry-after"].to_str().unwrap().parse::<i64>().ok();
        }
    }
    assert!(waited.is_some_and(|seconds| seconds > 0));
    assert_eq!(get(&node, &bearer).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_limit_that_cannot_be_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let limit = NetworkLimit { network: "10.0.0.0/8".into(), requests_per_s: 5.0, failures: 3 };
    let config = Config { limits: vec![limit], ..Config::default() };
    open_with(folder.path(), 1, config.clone()).await.platform.db.close().await;
    let wrong = NetworkLimit { network: "ten".into(), ..config.limits[0].clone() };
    let other = tempfile::tempdir().unwrap();
    let node = open(other.path(), 1).await;
    let refused =
        identity::Identity::open(&node.platform, Config { limits: vec![wrong], ..config });
    assert!(refused.await.is_err_and(|error| error.to_string().contains("identity.limits")));
}

#[tokio::test]
async fn a_browser_that_remembers_a_password_changes_nothing_for_other_sites() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    let body = json!({"role": "administrator", "label": "x"});
    let made = node.admin("POST", "/api/v1/tokens", body.clone()).await;
    let basic = basic("token", made.json["token"].as_str().unwrap());
    let from = |site: &'static str| {
        let headers = [("authorization", basic.clone()), ("sec-fetch-site", site.to_owned())];
        let (node, body) = (&node, body.clone());
        async move {
            let headers: Vec<(&str, &str)> =
                headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
            node.send("POST", "/api/v1/tokens", &headers, body, None).await.status
        }
    };
    assert_eq!(from("cross-site").await, StatusCode::FORBIDDEN);
    assert_eq!(from("same-site").await, StatusCode::FORBIDDEN);
    assert_eq!(from("same-origin").await, StatusCode::CREATED);
    assert!(!node.noted("cross_site_refused").await.is_empty());
}

#[tokio::test]
async fn an_address_of_mail_is_set_by_the_person_or_an_administrator_and_noted() {
    let folder = tempfile::tempdir().unwrap();
    let node = crate::open(folder.path(), 1).await;
    let own = node.first_run().await;
    let headers = [("cookie", own.as_str()), ("x-sereno-request", "1")];
    let body = serde_json::json!({ "mail": "ana@example.org" });
    let set = node.send("PUT", "/api/v1/me/mail", &headers, body, None).await;
    assert_eq!(set.status, axum::http::StatusCode::OK, "{}", set.text);
    let me = node.send("GET", "/api/v1/me", &headers, serde_json::Value::Null, None).await;
    assert_eq!(me.json["mail"], "ana@example.org");
    let bad = serde_json::json!({ "mail": "ana@example.org\r\nBcc: eve@example.org" });
    let refused = node.admin("PUT", "/api/v1/users/ana/mail", bad).await;
    assert_eq!(refused.status, axum::http::StatusCode::UNPROCESSABLE_ENTITY);
    let nobody = serde_json::json!({ "mail": "x@example.org" });
    let refused = node.admin("PUT", "/api/v1/users/nobody/mail", nobody.clone()).await;
    assert_eq!(refused.status, axum::http::StatusCode::NOT_FOUND);
    let refused = node.role("analyst", "PUT", "/api/v1/users/ana/mail", nobody.clone()).await;
    assert_eq!(refused.status, axum::http::StatusCode::FORBIDDEN);
    let refused = node.admin("PUT", "/api/v1/me/mail", nobody).await;
    assert_eq!(refused.status, axum::http::StatusCode::CONFLICT, "the admin socket is no account");
    let noted = node.noted("mail_changed").await;
    assert_eq!(noted.len(), 1, "{noted:?}");
    let gone = node.admin("PUT", "/api/v1/users/ana/mail", serde_json::json!({})).await;
    assert_eq!(gone.json["mail"], serde_json::Value::Null);
    node.close().await;
}
