//! `POST /api/v1/devices/site`: devices put to a site, or taken from theirs.

use axum::extract::State;
use model::DeviceId;
use platform::http::{Caller, Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::sites::{DevicesMoved, store};
use crate::{Assets, AssetsError};

/// Devices moved at once.
pub(crate) const MAX_DEVICES: usize = 1_000;

/// Which devices go where.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Assignment {
    /// Ids of devices, 1 to 1000.
    devices: Vec<String>,
    /// The site's id or name; `null` takes them from theirs.
    site: Option<String>,
}

/// What was done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Assigned {
    /// Devices put there.
    moved: u64,
    /// The site's id.
    site: Option<String>,
}

/// Puts devices to a site; all of them or none.
#[utoipa::path(post, path = "/api/v1/devices/site", tag = "assets", request_body = Assignment,
    responses((status = 200, body = Assigned), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn assign(
    State(assets): State<Assets>,
    caller: Caller,
    Json(asked): Json<Assignment>,
) -> Result<Json<Assigned>, Problem> {
    if asked.devices.is_empty() || asked.devices.len() > MAX_DEVICES {
        return Err(AssetsError::Invalid(format!(
            "name 1 to {MAX_DEVICES} devices; send more in parts"
        ))
        .into());
    }
    let ids = asked.devices.iter().map(|id| super::device_id(id));
    let ids = ids.collect::<Result<Vec<DeviceId>, Problem>>()?;
    let done: Result<Assigned, AssetsError> = assets
        .platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                let site = match &asked.site {
                    None => None,
                    Some(wanted) => {
                        Some(store::find(tx.sql(), wanted).await?.ok_or_else(|| {
                            AssetsError::NoSite(wanted.chars().take(80).collect())
                        })?)
                    }
                };
                let to = site.as_ref().map(|site| site.id.as_str());
                for id in &ids {
                    if !store::put_device(tx, *id, to).await? {
                        return Err(AssetsError::NotFound(id.to_string()));
                    }
                }
                let fact = DevicesMoved {
                    site: to.map(str::to_owned),
                    name: site.as_ref().map(|site| site.name.clone()),
                    devices: ids.iter().map(ToString::to_string).collect(),
                };
                tx.publish(&caller.name, &fact).await?;
                let moved = u64::try_from(ids.len()).unwrap_or(u64::MAX);
                Ok(Assigned { moved, site: site.map(|site| site.id) })
            })
        })
        .await;
    Ok(Json(done?))
}
