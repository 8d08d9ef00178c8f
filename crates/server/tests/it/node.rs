//! A whole node in a temporary folder.

use std::path::Path;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use platform::http::Caller;
use serde_json::Value;
use server::config::{DemoConfig, NodeConfig};
use server::wire::{Node, RoomConfigs};
use tower::ServiceExt;

pub(crate) async fn open(folder: &Path) -> Node {
    // The TLS provider is chosen once per process, by whoever comes first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Node::open(folder, &NodeConfig::default(), &DemoConfig::default(), RoomConfigs::default())
        .await
        .unwrap()
}

pub(crate) async fn call(
    app: &Router,
    method: &str,
    path: &str,
    caller: Option<Caller>,
) -> (StatusCode, Value) {
    let mut request = Request::builder()
        .method(Method::from_bytes(method.as_bytes()).unwrap())
        .uri(path)
        .header("content-type", "application/json")
        .body(Body::from("{}"))
        .unwrap();
    if let Some(caller) = caller {
        request.extensions_mut().insert(caller);
    }
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), 4 << 20).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}
