//! No endpoint without a permission, and others may not.

use axum::http::StatusCode;
use platform::http::Caller;

use crate::node::{call, open};

/// Open to everyone who reaches the port: what a page needs before anybody has signed in, and doors.
const PUBLIC: &[(&str, &str)] = &[
    ("GET", "/api/v1/node"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("POST", "/api/v1/first-run"),
    ("POST", "/api/v1/sign-in"),
    ("POST", "/api/v1/sign-out"),
    ("POST", "/api/v1/peers/enrol"),
    ("POST", "/api/v1/hooks/{hook}"),
    // The path itself is the credential.
    ("GET", "/answer/{token}"),
    ("POST", "/answer/{token}"),
];

#[tokio::test]
async fn every_described_route_has_a_rule_and_strangers_are_turned_away() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path()).await;
    let app = node.app();
    let (status, rules) = call(&app, "GET", "/api/v1/routes", Some(Caller::local_admin())).await;
    assert_eq!(status, StatusCode::OK);
    let rules = rules["items"].as_array().unwrap().clone();
    let described: usize = node
        .description()
        .paths
        .paths
        .values()
        .map(|item| {
            [&item.get, &item.post, &item.put, &item.delete, &item.patch]
                .iter()
                .filter(|o| o.is_some())
                .count()
        })
        .sum();
    assert_eq!(rules.len(), described, "every operation stands in the access matrix once");
    for rule in rules {
        let (method, path) = (rule["method"].as_str().unwrap(), rule["path"].as_str().unwrap());
        let public = rule["permission"] == "public";
        assert_eq!(
            public,
            PUBLIC.contains(&(method, path)),
            "{method} {path}: {}",
            rule["permission"]
        );
        if public {
            continue;
        }
        let concrete = concrete(path);
        let (status, _) = call(&app, method, &concrete, None).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{method} {concrete} without a caller");
        let nobody = Caller { roles: vec![], ..Caller::local_admin() };
        let (status, _) = call(&app, method, &concrete, Some(nobody)).await;
        // Everybody who is signed in may see and end their own session.
        if !rule["permission"].as_str().unwrap().starts_with("session.") {
            assert_eq!(status, StatusCode::FORBIDDEN, "{method} {concrete} without a role");
        }
    }
}

/// A path with its parameters filled.
fn concrete(path: &str) -> String {
    path.split('/')
        .map(|part| if part.starts_with('{') { "1" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}

#[tokio::test]
async fn unknown_paths_are_problems_below_the_api_and_pages_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let app = open(folder.path()).await.app();
    let (status, problem) = call(&app, "GET", "/api/v1/nothing", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    assert!(problem["type"].as_str().unwrap().starts_with("urn:sereno:problem:"));
    let (status, _) = call(&app, "GET", "/incidents/1", None).await;
    assert_eq!(status, StatusCode::OK, "the console's own addresses can be typed");
    let (status, _) = call(&app, "GET", "/assets/nothing.js", None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
