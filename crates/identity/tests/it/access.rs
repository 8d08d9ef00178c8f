use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::open;

/// Endpoints of the room that need a permission, and a role that has not got it.
const GUARDED: [(&str, &str, &str); 13] = [
    ("GET", "/api/v1/users", "analyst"),
    ("POST", "/api/v1/users", "analyst"),
    ("DELETE", "/api/v1/users/ana", "analyst"),
    ("PUT", "/api/v1/users/ana/mail", "analyst"),
    ("GET", "/api/v1/tokens", "taxii"),
    ("POST", "/api/v1/tokens", "analyst"),
    ("DELETE", "/api/v1/tokens/01890a5d-ac96-774b-bcce-b302099a8057", "analyst"),
    ("GET", "/api/v1/access-matrix", "taxii"),
    ("GET", "/api/v1/peers", "taxii"),
    ("DELETE", "/api/v1/peers/01890a5d-ac96-774b-bcce-b302099a8057", "operator"),
    ("POST", "/api/v1/peers/invitations", "analyst"),
    ("POST", "/api/v1/peers/join", "analyst"),
    ("POST", "/api/v1/peers/renewal", "operator"),
];

#[tokio::test]
async fn others_may_not() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    for (method, path, role) in GUARDED {
        let answer = node.role(role, method, path, json!({})).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{role} {method} {path}: {}", answer.text);
        let answer = node.nobody(method, path, json!({})).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{method} {path}: {}", answer.text);
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
    assert_eq!(
        node.nobody("GET", "/api/v1/me", Value::Null).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn what_is_not_there_is_said_to_be_not_there() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    for thing in ["tokens", "peers"] {
        for id in ["nonsense", "01890a5d-ac96-774b-bcce-b302099a8057"] {
            let answer = node.admin("DELETE", &format!("/api/v1/{thing}/{id}"), Value::Null).await;
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{thing}/{id}");
        }
    }
}

#[tokio::test]
async fn the_matrix_shows_every_route_with_its_roles() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path(), 1).await;
    let matrix = node.role("assessor", "GET", "/api/v1/access-matrix", Value::Null).await;
    assert_eq!(matrix.status, StatusCode::OK);
    let routes = matrix.json["routes"].as_array().unwrap().clone();
    let roles = |method: &str, path: &str| {
        let found = routes.iter().find(|route| route["method"] == method && route["path"] == path);
        found.unwrap_or_else(|| panic!("{method} {path} is missing"))["roles"].clone()
    };
    assert_eq!(roles("POST", "/api/v1/tokens"), json!(["administrator"]));
    assert_eq!(roles("POST", "/api/v1/things"), json!(["administrator", "analyst", "operator"]));
    assert_eq!(
        roles("GET", "/taxii2/"),
        json!(["administrator", "analyst", "operator", "assessor", "read-only", "taxii", "peer"])
    );
    let everybody = roles("POST", "/api/v1/sign-in");
    assert_eq!(everybody.as_array().unwrap().len(), 7);
    assert_eq!(routes.len(), 37 + 4);
}
