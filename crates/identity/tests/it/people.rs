//! Accounts as people and administrators change them, and sessions.

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use identity::Encrypted;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::{Node, PASSWORD, cookie, open};

const OTHER: &str = "a lantern over the harbour";

async fn made(node: &Node, name: &str, role: &str) -> String {
    let body = json!({ "name": name, "role": role });
    let made = node.admin("POST", "/api/v1/users", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text);
    made.json["password"].as_str().unwrap().to_owned()
}

async fn status(node: &Node, own: &str) -> StatusCode {
    node.with(own, "GET", "/api/v1/me", Value::Null).await.status
}

#[tokio::test]
async fn an_administrator_changes_others_and_never_shuts_the_door_behind_everybody() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    let ana = node.first_run().await;
    let password = made(&node, "ben", "analyst").await;
    let ben = node.sign_in("ben", &password).await;
    let patch = async |who: &str, body: Value| {
        node.with(&ana, "PATCH", &format!("/api/v1/users/{who}"), body).await
    };
    for body in [json!({"disabled": true}), json!({"role": "analyst"})] {
        let refused = patch("ana", body.clone()).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{body}: {}", refused.text);
        // Nor may anybody else: she is the last one.
        let refused = node.admin("PATCH", "/api/v1/users/ana", body).await;
        assert!(refused.text.contains("last administrator"), "{}", refused.text);
    }
    assert_eq!(
        node.with(&ana, "DELETE", "/api/v1/users/ana", Value::Null).await.status,
        StatusCode::CONFLICT
    );
    assert_eq!(
        patch("ben", json!({"role": "peer"})).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(patch("nobody", json!({"disabled": true})).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        node.with(&ben, "PATCH", "/api/v1/users/ben", json!({"role": "administrator"}))
            .await
            .status,
        StatusCode::FORBIDDEN
    );

    // Other rights: what was opened with the former ones ends.
    assert_eq!(patch("ben", json!({"role": "administrator"})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(status(&node, &ben).await, StatusCode::UNAUTHORIZED);
    let ben = node.sign_in("ben", &password).await;

    // Switched off: nothing opens, and the answer is that of a wrong password.
    assert_eq!(patch("ben", json!({"disabled": true})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(status(&node, &ben).await, StatusCode::UNAUTHORIZED);
    let body = json!({"name": "ben", "password": password});
    let off = node.nobody("POST", "/api/v1/sign-in", body).await;
    let wrong =
        node.nobody("POST", "/api/v1/sign-in", json!({"name": "nobody", "password": "x"})).await;
    assert_eq!((off.status, &off.text), (StatusCode::UNAUTHORIZED, &wrong.text));
    // An administrator who is switched off does not count as one.
    assert_eq!(
        node.admin("DELETE", "/api/v1/users/ana", Value::Null).await.status,
        StatusCode::CONFLICT
    );
    assert_eq!(patch("ben", json!({"disabled": false})).await.status, StatusCode::NO_CONTENT);
    node.sign_in("ben", &password).await;
    let listed = node.admin("GET", "/api/v1/users", Value::Null).await;
    assert!(listed.json[1]["signed_in_at"].is_string(), "{}", listed.text);
    for what in ["user_role_changed", "user_disabled", "user_enabled"] {
        assert_eq!(node.noted(what).await[0].payload["who"], "ana", "{what}");
    }
    node.close().await;
}

#[tokio::test]
async fn people_change_their_password_and_everything_else_ends() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    let desk = node.first_run().await;
    let phone = node.sign_in("ana", PASSWORD).await;
    let put = async |old: &str, new: &str| {
        node.with(&desk, "PUT", "/api/v1/me/password", json!({"old": old, "new": new})).await
    };
    assert_eq!(put("a wrong one", OTHER).await.status, StatusCode::UNAUTHORIZED);
    for weak in ["short", "password1234", "Administrator2026!"] {
        assert_eq!(put(PASSWORD, weak).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{weak}");
    }
    assert_eq!(status(&node, &phone).await, StatusCode::OK, "nothing has changed so far");
    let changed = put(PASSWORD, OTHER).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{}", changed.text);
    let renewed = cookie(&changed);
    assert_eq!(status(&node, &renewed).await, StatusCode::OK);
    for former in [&desk, &phone] {
        assert_eq!(status(&node, former).await, StatusCode::UNAUTHORIZED);
    }
    node.sign_in("ana", OTHER).await;
    let facts = serde_json::to_string(&node.facts().await).unwrap();
    assert!(facts.contains("password_changed") && !facts.contains(OTHER));
    node.close().await;
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_and_the_account_works_again() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    let ana = node.first_run().await;
    let path = "/api/v1/users/ana/password";
    let made = node.admin("POST", path, json!({"recover": true})).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.text);
    assert_eq!(made.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(status(&node, &ana).await, StatusCode::UNAUTHORIZED);
    node.sign_in("ana", made.json["password"].as_str().unwrap()).await;
    let said = node.admin("POST", path, json!({"password": OTHER})).await;
    assert_eq!(said.json["password"], OTHER);
    node.sign_in("ana", OTHER).await;
    let weak = node.admin("POST", path, json!({"password": "qwertyuiop"})).await;
    assert_eq!(weak.status, StatusCode::UNPROCESSABLE_ENTITY);
    let none = node.admin("POST", "/api/v1/users/nobody/password", json!({})).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    node.close().await;
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one_or_all() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    let desk = node.first_run().await;
    node.clock.advance_micros(120 * 1_000_000);
    let phone = node.sign_in("ana", PASSWORD).await;
    let listed = node.with(&desk, "GET", "/api/v1/me/sessions", Value::Null).await;
    let all = listed.json.as_array().unwrap();
    assert_eq!(all.len(), 2, "{}", listed.text);
    assert_eq!((&all[0]["this"], &all[1]["this"]), (&json!(false), &json!(true)));
    assert_ne!(all[1]["seen_at"], all[1]["opened_at"], "it was used just now");
    let secret = phone.split('=').nth(1).unwrap();
    assert!(!listed.text.contains(secret));
    // Those of others are no business of anybody but administrators.
    let password = made(&node, "ben", "analyst").await;
    let ben = node.sign_in("ben", &password).await;
    let one = format!("/api/v1/me/sessions/{}", all[0]["id"].as_str().unwrap());
    assert_eq!(node.with(&ben, "DELETE", &one, Value::Null).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        node.with(&ben, "GET", "/api/v1/users/ana/sessions", Value::Null).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(node.with(&desk, "DELETE", &one, Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(status(&node, &phone).await, StatusCode::UNAUTHORIZED);
    assert_eq!(node.with(&desk, "DELETE", &one, Value::Null).await.status, StatusCode::NOT_FOUND);
    let again = node.sign_in("ana", PASSWORD).await;
    let ended = node.with(&desk, "DELETE", "/api/v1/me/sessions", Value::Null).await;
    assert_eq!(ended.json["ended"], 1);
    assert_eq!(
        (status(&node, &again).await, status(&node, &desk).await),
        (StatusCode::UNAUTHORIZED, StatusCode::OK)
    );
    let ended = node.with(&desk, "DELETE", "/api/v1/users/ben/sessions", Value::Null).await;
    assert_eq!(ended.json["ended"], 1);
    assert_eq!(status(&node, &ben).await, StatusCode::UNAUTHORIZED);
    let token = node.admin("GET", "/api/v1/me/sessions", Value::Null).await;
    assert_eq!(token.status, StatusCode::CONFLICT, "the admin socket has none");
    node.close().await;
}

#[tokio::test]
async fn a_session_that_is_used_lives_to_its_end_and_an_idle_one_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    let own = node.first_run().await;
    for hour in 1..12 {
        node.clock.advance_micros(3_600 * 1_000_000);
        assert_eq!(status(&node, &own).await, StatusCode::OK, "hour {hour}");
    }
    node.clock.advance_micros(3_600 * 1_000_000);
    assert_eq!(status(&node, &own).await, StatusCode::UNAUTHORIZED, "the absolute end");
    let own = node.sign_in("ana", PASSWORD).await;
    node.clock.advance_micros(4 * 3_600 * 1_000_000);
    assert_eq!(status(&node, &own).await, StatusCode::UNAUTHORIZED, "idle");
    node.close().await;
}

#[tokio::test]
async fn a_cookie_that_was_put_there_beforehand_is_worth_nothing_after_the_sign_in() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    node.first_run().await;
    let name = node.identity.cookie_name(false);
    let planted = format!("{name}={}", "ab".repeat(32));
    let body = json!({"name": "ana", "password": PASSWORD});
    let signed = node.with(&planted, "POST", "/api/v1/sign-in", body.clone()).await;
    assert_ne!(cookie(&signed), planted);
    assert_eq!(status(&node, &planted).await, StatusCode::UNAUTHORIZED);
    // A session that is there ends when somebody signs in over it.
    let former = cookie(&signed);
    let again = node.with(&former, "POST", "/api/v1/sign-in", body).await;
    assert_ne!(cookie(&again), former);
    assert_eq!(status(&node, &former).await, StatusCode::UNAUTHORIZED);
    node.close().await;
}

#[tokio::test]
async fn behind_tls_the_cookie_is_bound_to_the_host() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    let plain = node.first_run().await;
    let send = async |method: &str, path: &str, cookie: &str, body: Value| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .header("x-sereno-request", "1")
            .header("cookie", cookie)
            .extension(Encrypted)
            .body(Body::from(body.to_string()))
            .unwrap();
        node.app.clone().oneshot(request).await.unwrap()
    };
    let signed =
        send("POST", "/api/v1/sign-in", "", json!({"name": "ana", "password": PASSWORD})).await;
    let mut own = String::new();
    for set in signed.headers().get_all(header::SET_COOKIE) {
        let set = set.to_str().unwrap();
        assert!(
            set.starts_with("__Host-") && set.contains("; Secure") && set.contains("; Path=/;"),
            "{set}"
        );
        assert!(!set.contains("Domain"), "{set}");
        if set.contains("sereno_session") {
            own = set.split(';').next().unwrap().to_owned();
        }
    }
    assert_eq!(send("GET", "/api/v1/me", &own, Value::Null).await.status(), StatusCode::OK);
    // The name without the prefix can be put there by a neighbour: it opens nothing here.
    assert_eq!(
        send("GET", "/api/v1/me", &plain, Value::Null).await.status(),
        StatusCode::UNAUTHORIZED
    );
    let stripped = own.replace("__Host-", "");
    assert_eq!(
        send("GET", "/api/v1/me", &stripped, Value::Null).await.status(),
        StatusCode::UNAUTHORIZED
    );
    node.close().await;
}
