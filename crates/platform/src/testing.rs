//! A platform in a temporary folder, for the tests of rooms.

use std::path::Path;
use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use model::id::TypedId;
use model::{NodeId, Timestamp};
use ports::fake::FakeAuthorizer;
use serde_json::Value;
use tower::ServiceExt;

use crate::Platform;
use crate::config::NodeIdentity;
use crate::data::DataFolder;
use crate::db::{Db, RoomMigrations};
use crate::http::{Caller, Gate, RoomRouter};
use crate::keys::NodeKey;
use crate::system::{SystemClock, SystemRandom};

/// A platform over `folder` with the real clock.
///
/// # Errors
/// The folder or the database cannot be opened.
pub async fn platform(
    folder: &Path,
    rooms: &[RoomMigrations],
) -> Result<Platform, Box<dyn std::error::Error + Send + Sync>> {
    let data = DataFolder::open(folder)?;
    let clock = Arc::new(SystemClock);
    let random = Arc::new(SystemRandom);
    let db = Db::open(&data.database(), rooms, clock.clone(), random.clone()).await?;
    let signer = NodeKey::open(&data, random.as_ref())?;
    Ok(Platform {
        db,
        clock,
        random,
        live: crate::live::Live::default(),
        signer: Arc::new(signer),
        data: Arc::new(data),
        node: NodeIdentity {
            id: NodeId::mint(Timestamp::from_secs(1_700_000_000), [1; 10]),
            name: "Test Node".into(),
            kind: "operator".into(),
        },
        tasks: crate::tasks::Tasks::default(),
    })
}

/// Largest answer read, bytes.
const MAX_ANSWER_BYTES: usize = 16 << 20;

/// Calls a room's route as the local administrator, whom the policy lets pass or not. `Null` is no
/// body; an answer that is no JSON comes back as `Null`.
pub async fn call(
    room: RoomRouter,
    allowed: bool,
    method: &str,
    path: &str,
    body: &Value,
) -> (StatusCode, Value) {
    call_through(room, Gate(Arc::new(FakeAuthorizer(allowed))), method, path, body).await
}

/// Calls a room's route like [`call`], through a gate of the test's own.
pub async fn call_through(
    room: RoomRouter,
    gate: Gate,
    method: &str,
    path: &str,
    body: &Value,
) -> (StatusCode, Value) {
    let (routes, _) = room.into_parts();
    let app = axum::Router::from(routes).layer(Extension(gate));
    let body = if body.is_null() { Body::empty() } else { Body::from(body.to_string()) };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json")
        .extension(Caller::local_admin())
        .body(body)
        .unwrap_or_default();
    let response = match app.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    let status = response.status();
    let bytes = axum::body::to_bytes(response.into_body(), MAX_ANSWER_BYTES).await;
    (status, serde_json::from_slice(&bytes.unwrap_or_default()).unwrap_or(Value::Null))
}
