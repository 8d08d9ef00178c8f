//! The live feed continues where a page left it.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures::StreamExt;
use platform::http::Caller;
use tower::ServiceExt;

use crate::node::{call, open};

/// The ids of the first `count` facts of the feed.
async fn ids(app: &axum::Router, after: &str, count: usize) -> Vec<i64> {
    let mut request =
        Request::get("/api/v1/events").header("last-event-id", after).body(Body::empty()).unwrap();
    request.extensions_mut().insert(Caller::local_admin());
    let response = app.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut stream = response.into_body().into_data_stream();
    let mut text = String::new();
    while text.matches("\nid: ").count() < count {
        let chunk = tokio::time::timeout(Duration::from_secs(20), stream.next()).await;
        text.push_str(std::str::from_utf8(&chunk.unwrap().unwrap().unwrap()).unwrap());
    }
    text.lines().filter_map(|line| line.strip_prefix("id: ")?.parse().ok()).collect()
}

#[tokio::test]
async fn a_page_that_reconnects_misses_no_fact() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path()).await;
    let app = node.app();
    // Each refused request for a token body is nothing; each made token is a fact.
    for number in 0..5 {
        let mut request = Request::post("/api/v1/tokens")
            .header("content-type", "application/json")
            .body(Body::from(format!(r#"{{"role": "read-only", "label": "t{number}"}}"#)))
            .unwrap();
        request.extensions_mut().insert(Caller::local_admin());
        let made = app.clone().oneshot(request).await.unwrap();
        assert!(made.status().is_success(), "{:?}", made.status());
    }
    let (_, facts) = call(&app, "GET", "/api/v1/facts", Some(Caller::local_admin())).await;
    let newest = facts["items"][0]["seq"].as_i64().unwrap();
    let all = ids(&app, "0", usize::try_from(newest).unwrap()).await;
    assert_eq!(all, (1..=newest).collect::<Vec<_>>());
    let rest = ids(&app, &(newest - 2).to_string(), 2).await;
    assert_eq!(rest, [newest - 1, newest]);
}
