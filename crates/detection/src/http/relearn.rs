//! `POST /api/v1/detection/devices/{device}/relearn`: learn again what is normal for a device.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::DeviceId;
use model::event::LearningRestarted;
use platform::db::DbError;
use platform::http::{Caller, Problem};

use super::{device_id, no_device};
use crate::Detection;
use crate::error::DetectionError;
use crate::store;

/// Gives the model in use up and learns from the next window on. Until the new model is there the
/// device is not watched, and its state says so.
#[utoipa::path(post, path = "/api/v1/detection/devices/{device}/relearn", tag = "detection",
    params(("device" = String, Path, description = "The device's id")),
    responses((status = 202, description = "It learns again"), (status = 404, body = Problem)))]
pub(crate) async fn relearn(
    State(detection): State<Detection>,
    Path(device): Path<String>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    let id = device_id(&device).ok_or_else(|| no_device(&device))?;
    if detection.learn_again(id, &caller.name).await? {
        Ok(StatusCode::ACCEPTED)
    } else {
        Err(no_device(&device))
    }
}

impl Detection {
    /// Lets a device learn again; false when detection does not know it.
    async fn learn_again(&self, id: DeviceId, by: &str) -> Result<bool, DetectionError> {
        let mut engine = self.engine().await?;
        let Some(mut state) = engine.device(id).cloned() else { return Ok(false) };
        let counts = state.counts();
        state.learn_again();
        let (row, context, by) = (state.row.clone(), state.context.to_json(), by.to_owned());
        let memory = state.memory.to_json();
        let fact = LearningRestarted { device: id, device_name: row.name.clone() };
        engine.sound = false;
        let done: Result<(), DbError> = self
            .inner
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    store::windows::forget(tx, id).await?;
                    store::models::retire(tx, id, counts, "the device learns again").await?;
                    store::kept::forget(tx, id).await?;
                    store::devices::write(tx, &row, &context, &memory).await?;
                    tx.publish(&by, &fact).await?;
                    Ok(())
                })
            })
            .await;
        done?;
        engine.sound = true;
        self.inner.news.state(id, state.row.watch_state(&self.inner.config));
        engine.install([(id, state)]);
        Ok(true)
    }
}
