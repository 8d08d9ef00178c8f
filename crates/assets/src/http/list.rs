//! `GET /api/v1/devices`: the inventory.

use axum::extract::{Query, State};
use model::{Device, DeviceId};
use platform::http::{Json, Page, PageQuery, Problem};
use serde::Deserialize;
use sqlx::AnyConnection;
use utoipa::IntoParams;

use super::{DeviceView, with_facts};
use crate::{Assets, AssetsError, sites, store};

/// Longest text searched for, characters.
const MAX_SEARCH: usize = 100;

/// Which devices are wanted.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub(crate) struct Wanted {
    /// Only devices of this kind: `camera`, `plc`, `controller`, `router`, `unknown` …
    kind: Option<String>,
    /// Only devices whose name, maker or facts contain this text.
    q: Option<String>,
    /// Only devices of this site: its id or its name.
    site: Option<String>,
}

/// Every known device, oldest record first.
#[utoipa::path(get, path = "/api/v1/devices", tag = "assets", params(PageQuery, Wanted),
    responses((status = 200, body = Page<DeviceView>), (status = 400, body = Problem)))]
pub(crate) async fn list(
    State(assets): State<Assets>,
    Query(query): Query<PageQuery>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<DeviceView>>, Problem> {
    let (limit, after) = (query.limit(), query.after()?);
    let mut connection = assets.platform.db.read().await.map_err(AssetsError::from)?;
    let surplus = i64::from(limit) + 1;
    let filtered = wanted.kind.is_some() || wanted.q.is_some() || wanted.site.is_some();
    let mut devices = if let Some(wanted) = &wanted.site {
        let missing = || AssetsError::NoSite(wanted.chars().take(80).collect());
        let site = sites::store::find(&mut connection, wanted).await.map_err(AssetsError::from)?;
        let site = site.ok_or_else(missing)?;
        let ids = sites::store::devices(&mut connection, &site.id, after.as_deref(), surplus).await;
        read(&mut connection, ids.map_err(AssetsError::from)?).await?
    } else if filtered {
        if wanted.q.as_ref().is_some_and(|text| text.chars().count() > MAX_SEARCH) {
            let detail = format!("q is longer than {MAX_SEARCH} characters: search for less");
            return Err(Problem::bad_request(detail));
        }
        let what = (wanted.kind.as_deref(), wanted.q.as_deref());
        let ids = store::matching(&mut connection, what, after.as_deref(), surplus).await?;
        read(&mut connection, ids).await?
    } else {
        store::devices(&mut connection, after.as_deref(), surplus).await?
    };
    assets.memory.freshen(&mut devices);
    let items = with_facts(&mut connection, devices).await?;
    let total = if filtered { None } else { Some(store::count(&mut connection).await?) };
    let mut page = Page::from_surplus(items, limit, |device: &DeviceView| device.id.to_string());
    page.total = total.and_then(|total| u64::try_from(total).ok());
    Ok(Json(page))
}

async fn read(
    connection: &mut AnyConnection,
    ids: Vec<DeviceId>,
) -> Result<Vec<Device>, AssetsError> {
    let mut devices = Vec::with_capacity(ids.len());
    for id in ids {
        devices.extend(store::device(connection, id).await?);
    }
    Ok(devices)
}
