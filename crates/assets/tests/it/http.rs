//! The endpoints as a caller sees them.

use axum::http::StatusCode;
use ports::AssetDirectory;
use serde_json::{Value, json};

use crate::{MAC, open, seen};

async fn call(
    assets: &assets::Assets,
    method: &str,
    path: &str,
    body: Value,
) -> (StatusCode, Value) {
    call_as(assets, method, path, body, true).await
}

async fn call_as(
    assets: &assets::Assets,
    method: &str,
    path: &str,
    body: Value,
    allowed: bool,
) -> (StatusCode, Value) {
    platform::testing::call(assets.router(), allowed, method, path, &body).await
}

#[tokio::test]
async fn devices_are_listed_by_the_page_named_and_placed() {
    let folder = tempfile::tempdir().unwrap();
    let (_platform, assets) = open(folder.path()).await;
    let device = assets.identify(&seen(Some(MAC), "192.168.1.5", 0)).await.unwrap();
    assets.identify(&seen(Some("02:00:00:00:00:02"), "192.168.1.6", 0)).await.unwrap();

    let (status, page) = call(&assets, "GET", "/api/v1/devices?limit=1", Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!((page["items"].as_array().unwrap().len(), &page["total"]), (1, &json!(2)));
    let next = page["next"].as_str().unwrap();
    let (_, rest) =
        call(&assets, "GET", &format!("/api/v1/devices?limit=1&cursor={next}"), Value::Null).await;
    assert_eq!(rest["items"].as_array().unwrap().len(), 1);
    assert_eq!(rest["next"], Value::Null);
    assert_ne!(rest["items"][0]["id"], page["items"][0]["id"]);

    let path = format!("/api/v1/devices/{}", device.id);
    let change = json!({ "name": " Meter at quay 4 ", "place": "Quay 4", "criticality": "high" });
    let (status, named) = call(&assets, "PATCH", &path, change).await;
    assert_eq!(status, StatusCode::OK, "{named}");
    assert_eq!((&named["name"], &named["place"]), (&json!("Meter at quay 4"), &json!("Quay 4")));
    let (_, cleared) = call(&assets, "PATCH", &path, json!({ "place": null })).await;
    assert_eq!((&cleared["name"], &cleared["place"]), (&json!("Meter at quay 4"), &Value::Null));
    let (_, read) = call(&assets, "GET", &path, Value::Null).await;
    assert_eq!(read, cleared);
    assert_eq!(read["addresses"], json!(["192.168.1.5"]));

    // The name a person gave outlives every sighting.
    let seen_again = assets.identify(&seen(Some(MAC), "192.168.1.8", 5)).await.unwrap();
    assert_eq!(seen_again.name, "Meter at quay 4");
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (_platform, assets) = open(folder.path()).await;
    let device = assets.identify(&seen(Some(MAC), "192.168.1.5", 0)).await.unwrap();
    let path = format!("/api/v1/devices/{}", device.id);
    for (body, expected) in [
        (json!({ "name": "" }), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({ "name": "x".repeat(81) }), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({ "name": "two\nlines" }), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({ "criticality": "enormous" }), StatusCode::UNPROCESSABLE_ENTITY),
        (json!({ "mac": "02:00:00:00:00:02" }), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let (status, problem) = call(&assets, "PATCH", &path, body.clone()).await;
        assert_eq!(status, expected, "{body}: {problem}");
        assert!(problem["detail"].as_str().unwrap().len() > 10);
    }
    for path in ["/api/v1/devices/nobody", "/api/v1/devices/01890a5d-ac96-774b-bcce-b302099a8057"] {
        assert_eq!(call(&assets, "GET", path, Value::Null).await.0, StatusCode::NOT_FOUND);
        assert_eq!(
            call(&assets, "PATCH", path, json!({"name": "x"})).await.0,
            StatusCode::NOT_FOUND
        );
    }
    assert_eq!(
        call(&assets, "GET", "/api/v1/devices?cursor=%21", Value::Null).await.0,
        StatusCode::BAD_REQUEST
    );
}

#[tokio::test]
async fn others_may_not() {
    let folder = tempfile::tempdir().unwrap();
    let (_platform, assets) = open(folder.path()).await;
    let device = assets.identify(&seen(Some(MAC), "192.168.1.5", 0)).await.unwrap();
    let one = format!("/api/v1/devices/{}", device.id);
    for (method, path) in
        [("GET", "/api/v1/devices"), ("GET", one.as_str()), ("PATCH", one.as_str())]
    {
        let (status, _) = call_as(&assets, method, path, json!({"name": "mine"}), false).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path}");
    }
}
