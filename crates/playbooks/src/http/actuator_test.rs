//! `POST /api/v1/actuators/{name}/test`: whether the other side would take commands.

use std::time::Duration;

use axum::extract::{Path, State};
use platform::http::{Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{ASK_TIMEOUT_S, Playbooks};

/// What came of the test.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActuatorTest {
    /// `true`: it would take commands; `null`: there is nothing to ask without doing something.
    ok: Option<bool>,
    /// One sentence.
    summary: String,
}

/// Asks the other side of an actuator whether it would take commands; changes nothing.
#[utoipa::path(post, path = "/api/v1/actuators/{name}/test", tag = "playbooks",
    params(("name" = String, Path, description = "The actuator's name")),
    responses((status = 200, body = ActuatorTest), (status = 404, body = Problem)))]
pub(crate) async fn test(
    State(room): State<Playbooks>,
    Path(name): Path<String>,
) -> Result<Json<ActuatorTest>, Problem> {
    let found = room.engine.actuators.iter().find(|actuator| actuator.name() == name);
    let actuator = found.ok_or_else(|| {
        let shown: String = name.chars().take(64).collect();
        Problem::not_found(format!("actuator '{shown}'"))
    })?;
    let limit = Duration::from_secs(ASK_TIMEOUT_S);
    Ok(Json(match tokio::time::timeout(limit, actuator.probe()).await {
        Err(_) => {
            ActuatorTest { ok: Some(false), summary: format!("no answer within {ASK_TIMEOUT_S} s") }
        }
        Ok(Err(cause)) => ActuatorTest { ok: Some(false), summary: cause.to_string() },
        Ok(Ok(Some(summary))) => ActuatorTest { ok: Some(true), summary },
        Ok(Ok(None)) => ActuatorTest {
            ok: None,
            summary: "it has no other side to ask without doing something".into(),
        },
    }))
}
