//! `GET /api/v1/devices`: the inventory.

use axum::extract::{Query, State};
use platform::http::{Json, Page, PageQuery, Problem};

use super::DeviceView;
use crate::{Assets, AssetsError, store};

/// Every known device, oldest record first.
#[utoipa::path(get, path = "/api/v1/devices", tag = "assets", params(PageQuery),
    responses((status = 200, body = Page<DeviceView>)))]
pub(crate) async fn list(
    State(assets): State<Assets>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<DeviceView>>, Problem> {
    let (limit, after) = (query.limit(), query.after()?);
    let mut connection = assets.platform.db.read().await.map_err(AssetsError::from)?;
    let total = store::count(&mut connection).await?;
    let mut devices =
        store::devices(&mut connection, after.as_deref(), i64::from(limit) + 1).await?;
    assets.memory.freshen(&mut devices);
    let items = devices.into_iter().map(DeviceView::from).collect();
    let mut page = Page::from_surplus(items, limit, |device: &DeviceView| device.id.to_string());
    page.total = u64::try_from(total).ok();
    Ok(Json(page))
}
