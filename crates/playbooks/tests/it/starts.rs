//! What tests of triggers share: a clock that is set, triggers, calls of webhooks, runs counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::{Extension, Router};
use model::Timestamp;
use platform::http::Gate;
use platform::system::SystemClock;
use ports::Clock;
use ports::fake::FakeAuthorizer;
use serde_json::Value;
use tower::ServiceExt;

use crate::room::Room;

/// The real clock, set forward or back.
#[derive(Default)]
pub(crate) struct Shifted(AtomicI64);

impl Shifted {
    pub(crate) fn by_s(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for Shifted {
    fn now(&self) -> Timestamp {
        SystemClock.now().plus_micros(self.0.load(Ordering::SeqCst))
    }
}

impl Room {
    /// Adds a trigger to a playbook, and gives what is told of it.
    pub(crate) async fn trigger(&self, playbook: &str, trigger: Value) -> Value {
        let path = format!("/api/v1/playbooks/{playbook}/triggers");
        let (status, made) = self.call("POST", &path, trigger).await;
        assert_eq!(status, StatusCode::CREATED, "{made}");
        made
    }

    /// What the triggers of a playbook did.
    pub(crate) async fn triggers(&self, playbook: &str) -> Vec<Value> {
        let path = format!("/api/v1/playbooks/{playbook}/triggers");
        let (_, list) = self.call("GET", &path, Value::Null).await;
        list["items"].as_array().unwrap().clone()
    }

    /// Calls a webhook as nobody.
    pub(crate) async fn hook(
        &self,
        path: &str,
        headers: &[(&str, String)],
        body: impl Into<Body>,
    ) -> (StatusCode, Value) {
        let (routes, _) = self.room.router().into_parts();
        let app = Router::from(routes).layer(Extension(Gate(Arc::new(FakeAuthorizer(false)))));
        let mut request = Request::builder().method("POST").uri(path);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let response = app.oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let status = response.status();
        let bytes = axum::body::to_bytes(response.into_body(), 4 << 20).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// Waits until there are so many runs, and a moment longer for one too many.
    pub(crate) async fn count(&self, runs: usize) -> Vec<Value> {
        for _ in 0..2_000 {
            if self.runs().await.len() >= runs {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        let all = self.runs().await;
        assert_eq!(all.len(), runs, "{all:#?}");
        all
    }
}
