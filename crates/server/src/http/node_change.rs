//! `PATCH /api/v1/node`: what the organisation is called and what it is; shapes the console's first page.

use axum::extract::State;
use model::event::AccessNoted;
use platform::db::{DbError, Tx};
use platform::http::{Caller, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use super::NodeState;
use super::node::{NodeName, named};

/// Longest name of an organisation.
const MAX_NAME_CHARS: usize = 100;
/// What an organisation can be.
pub const KINDS: [&str; 6] = ["operator", "cert", "developer", "assessor", "trainer", "other"];

/// What shall change; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NodeChange {
    /// The organisation's name, 1 to 100 characters.
    name: Option<String>,
    /// `operator`, `cert`, `developer`, `assessor`, `trainer` or `other`.
    kind: Option<String>,
}

fn unprocessable(detail: String, remedy: &str) -> Problem {
    Problem::new(axum::http::StatusCode::UNPROCESSABLE_ENTITY, "invalid", detail).remedy(remedy)
}

fn checked(state: &NodeState, asked: NodeChange) -> Result<Vec<(&'static str, String)>, Problem> {
    let mut changes = Vec::new();
    let configured = |key: &str| {
        Problem::conflict(format!("{key} is set by this node's configuration"))
            .remedy("Change it in the configuration file, or take it out there and restart.")
    };
    if let Some(name) = asked.name {
        let name = name.trim().to_owned();
        let length = name.chars().count();
        if state.configured.name.is_some() {
            return Err(configured("node.name"));
        }
        if length == 0 || length > MAX_NAME_CHARS || name.chars().any(char::is_control) {
            let detail = format!("a name has 1 to {MAX_NAME_CHARS} characters on one line");
            return Err(unprocessable(detail, "Give the organisation's name as people write it."));
        }
        changes.push(("node.name", name));
    }
    if let Some(kind) = asked.kind {
        if state.configured.kind.is_some() {
            return Err(configured("node.kind"));
        }
        if !KINDS.contains(&kind.as_str()) {
            let shown: String = kind.chars().take(40).collect();
            let detail = format!("'{shown}' is no kind of organisation");
            return Err(unprocessable(detail, &format!("Use one of {}.", KINDS.join(", "))));
        }
        changes.push(("node.kind", kind));
    }
    if changes.is_empty() {
        return Err(unprocessable("nothing shall change".into(), "Give name, kind or both."));
    }
    Ok(changes)
}

async fn write(tx: &mut Tx, name: &str, value: &str) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO platform_settings (name, value) VALUES ($1, $2) \
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .bind(name)
    .bind(value)
    .execute(tx.sql())
    .await?;
    Ok(())
}

/// Names the organisation and says what it is.
#[utoipa::path(patch, path = "/api/v1/node", tag = "node", request_body = NodeChange,
    responses((status = 200, body = NodeName), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub async fn change(
    State(state): State<NodeState>,
    caller: Caller,
    Json(asked): Json<NodeChange>,
) -> Result<Json<NodeName>, Problem> {
    let changes = checked(&state, asked)?;
    let done: Result<(), DbError> = state
        .platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                for (name, value) in &changes {
                    write(tx, name, value).await?;
                }
                let told = changes.iter().map(|(name, value)| format!("{name}: {value}"));
                let note = AccessNoted {
                    what: "node_described".into(),
                    who: caller.name.clone(),
                    detail: told.collect::<Vec<_>>().join(", "),
                };
                tx.publish(&caller.name, &note).await?;
                Ok(())
            })
        })
        .await;
    done?;
    Ok(Json(named(&state).await))
}
