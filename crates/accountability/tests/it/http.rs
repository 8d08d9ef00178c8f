use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{folder_with, open};

async fn call(
    log: &accountability::Accountability,
    method: &str,
    path: &str,
) -> (StatusCode, Value) {
    call_as(log, method, path, true).await
}

async fn call_as(
    log: &accountability::Accountability,
    method: &str,
    path: &str,
    allowed: bool,
) -> (StatusCode, Value) {
    platform::testing::call(log.router(), allowed, method, path, &Value::Null).await
}

#[tokio::test]
async fn the_log_is_read_by_the_page_with_head_and_proofs() {
    let folder = folder_with(5).await;
    let (_platform, log) = open(folder.path()).await;
    let (status, head) = call(&log, "GET", "/api/v1/ledger").await;
    assert_eq!((status, &head["size"]), (StatusCode::OK, &json!(5)));
    let checkpoint = head["checkpoint"].as_str().unwrap();
    assert_eq!(checkpoint.lines().nth(1), Some("5"), "{checkpoint}");

    let (_, page) = call(&log, "GET", "/api/v1/ledger/entries?limit=2").await;
    assert_eq!((&page["items"][0]["index"], &page["total"]), (&json!(4), &json!(5)));
    assert!(page["items"][0]["sentence"].as_str().unwrap().contains("user 4"), "{page}");
    let next = format!("/api/v1/ledger/entries?limit=2&cursor={}", page["next"].as_str().unwrap());
    let (_, rest) = call(&log, "GET", &next).await;
    assert_eq!(rest["items"][0]["index"], json!(2));
    let (_, one) = call(&log, "GET", "/api/v1/ledger/entries?subject=user%203").await;
    assert_eq!(one["items"].as_array().unwrap().len(), 1);
    let (_, between) = call(&log, "GET", "/api/v1/ledger/entries?after=0&before=3").await;
    assert_eq!(between["items"].as_array().unwrap().len(), 2);

    let (status, proof) = call(&log, "GET", "/api/v1/ledger/entries/1/proof?size=4").await;
    assert_eq!(
        (status, &proof["size"], &proof["head"]["size"]),
        (StatusCode::OK, &json!(4), &json!(4))
    );
    let (status, _) = call(&log, "GET", "/api/v1/ledger/entries/9/proof").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, consistency) =
        call(&log, "GET", "/api/v1/ledger/consistency?first=2&second=5").await;
    assert_eq!((status, &consistency["second"]), (StatusCode::OK, &json!(5)));
    let (status, problem) = call(&log, "GET", "/api/v1/ledger/consistency?first=6").await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "{problem}");
    let (status, report) = call(&log, "POST", "/api/v1/ledger/verify").await;
    assert_eq!(
        (status, &report["verified"], &report["entries"]),
        (StatusCode::OK, &json!(true), &json!(5))
    );
}

#[tokio::test]
async fn an_empty_log_has_an_empty_head_and_others_may_not_look() {
    let folder = tempfile::tempdir().unwrap();
    let (_platform, log) = open(folder.path()).await;
    let (status, head) = call(&log, "GET", "/api/v1/ledger").await;
    assert_eq!(
        (status, &head["size"], &head["signature"]),
        (StatusCode::OK, &json!(0), &json!(""))
    );
    let (_, report) = call(&log, "POST", "/api/v1/ledger/verify").await;
    assert_eq!(report["verified"], json!(true));
    assert!(log.health().await[0].cause.contains("0 entries"));
    let endpoints = [
        ("GET", "/api/v1/ledger"),
        ("GET", "/api/v1/ledger/entries"),
        ("GET", "/api/v1/ledger/entries/0/proof"),
        ("GET", "/api/v1/ledger/consistency?first=1"),
        ("POST", "/api/v1/ledger/verify"),
    ];
    for (method, path) in endpoints {
        assert_eq!(call_as(&log, method, path, false).await.0, StatusCode::FORBIDDEN, "{path}");
    }
}
