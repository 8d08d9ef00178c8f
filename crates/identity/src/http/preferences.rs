//! `GET` and `PUT /api/v1/me/preferences`: how I want the console.

use axum::extract::State;
use platform::http::{Caller, Json, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::Identity;
use crate::preferences::{KeptPreferences, Preferences};

/// Preferences to keep.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedPreferences {
    /// The version they were made from; absent: whatever is kept is replaced.
    version: Option<i64>,
    /// All of them; what is left out is as the browser has it.
    preferences: Preferences,
}

/// My preferences; version 0 when none were kept.
#[utoipa::path(get, path = "/api/v1/me/preferences", tag = "identity",
    operation_id = "own_preferences", responses((status = 200, body = KeptPreferences)))]
pub(crate) async fn read(
    State(identity): State<Identity>,
    caller: Caller,
) -> Result<Json<KeptPreferences>, Problem> {
    Ok(Json(identity.preferences(&caller).await?))
}

/// Keeps my preferences.
#[utoipa::path(put, path = "/api/v1/me/preferences", tag = "identity",
    operation_id = "set_own_preferences", request_body = WantedPreferences,
    responses((status = 200, body = KeptPreferences), (status = 409, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn write(
    State(identity): State<Identity>,
    caller: Caller,
    Json(wanted): Json<WantedPreferences>,
) -> Result<Json<KeptPreferences>, Problem> {
    let WantedPreferences { version, preferences } = wanted;
    Ok(Json(identity.keep_preferences(&caller, preferences, version).await?))
}
