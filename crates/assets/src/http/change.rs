//! `PATCH /api/v1/devices/{id}`: the name, place and criticality people give.

use axum::extract::{Path, State};
use model::event::DeviceChanged;
use model::{Device, Severity};
use platform::http::{Caller, Json, Problem};
use serde::{Deserialize, Deserializer};
use utoipa::ToSchema;

use super::{DeviceView, device_id};
use crate::{Assets, AssetsError, store};

/// Longest name of a device.
pub(crate) const MAX_NAME_CHARS: usize = 80;
/// Longest place of a device.
pub(crate) const MAX_PLACE_CHARS: usize = 160;

/// What shall change; what is left out stays.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeviceChange {
    /// A new name, 1 to 80 characters.
    name: Option<String>,
    /// Where it stands, up to 160 characters; `null` clears it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    place: Option<Option<String>>,
    /// `low`, `medium`, `high` or `critical`.
    #[schema(value_type = Option<String>)]
    criticality: Option<Severity>,
}

/// Tells "left out" from "null".
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

fn checked(text: &str, what: &str, limit: usize) -> Result<String, AssetsError> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > limit || text.chars().any(char::is_control) {
        return Err(AssetsError::Invalid(format!(
            "the {what} of a device has 1 to {limit} characters on one line"
        )));
    }
    Ok(text.to_owned())
}

/// Names a device, places it, weighs it.
#[utoipa::path(patch, path = "/api/v1/devices/{id}", tag = "assets",
    params(("id" = String, Path, description = "The device's id")),
    request_body = DeviceChange,
    responses((status = 200, body = DeviceView), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn change(
    State(assets): State<Assets>,
    Path(id): Path<String>,
    caller: Caller,
    Json(asked): Json<DeviceChange>,
) -> Result<Json<DeviceView>, Problem> {
    let id = device_id(&id)?;
    let change = store::Change {
        name: asked.name.map(|name| checked(&name, "name", MAX_NAME_CHARS)).transpose()?,
        place: asked
            .place
            .map(|place| place.map(|p| checked(&p, "place", MAX_PLACE_CHARS)).transpose())
            .transpose()?,
        criticality: asked.criticality,
    };
    let device: Result<Device, AssetsError> = assets
        .platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                let missing = || AssetsError::NotFound(id.to_string());
                if !store::change(tx, id, &change, &caller.name).await? {
                    return Err(missing());
                }
                if let Some(name) = &change.name {
                    let (sensor, now) = (format!("person:{}", caller.name), tx.now());
                    store::note_evidence(tx, id, &sensor, ("name", name), now).await?;
                }
                let device = store::device(tx.sql(), id).await?.ok_or_else(missing)?;
                tx.publish(&caller.name, &DeviceChanged { device: device.clone() }).await?;
                Ok(device)
            })
        })
        .await;
    let device = device?;
    assets.memory.forget(id);
    Ok(Json(device.into()))
}
