//! `GET /api/v1/findings`: findings, newest first.

use axum::extract::{Query, State};
use platform::http::{Json, Page, PageQuery, Problem};
use serde::Deserialize;
use utoipa::IntoParams;

use super::finding::FindingView;
use super::wanted_device;
use crate::Detection;
use crate::error::DetectionError;
use crate::store;

/// Which findings.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct FindingsQuery {
    /// Only findings about this device.
    device: Option<String>,
    /// Findings wanted, 1 to 500.
    limit: Option<u32>,
    /// Where to go on.
    cursor: Option<String>,
}

/// Findings, newest first.
#[utoipa::path(get, path = "/api/v1/findings", tag = "detection", params(FindingsQuery),
    responses((status = 200, body = Page<FindingView>), (status = 404, body = Problem)))]
pub(crate) async fn findings(
    State(detection): State<Detection>,
    Query(query): Query<FindingsQuery>,
) -> Result<Json<Page<FindingView>>, Problem> {
    let paging = PageQuery { limit: query.limit, cursor: query.cursor };
    let (limit, before) = (paging.limit(), paging.after()?);
    let device = wanted_device(query.device.as_deref())?;
    let mut connection = detection.inner.platform.db.read().await.map_err(DetectionError::from)?;
    let wanted = i64::from(limit) + 1;
    let found = store::findings::page(&mut connection, device, before.as_deref(), wanted).await?;
    let items = found.into_iter().map(FindingView::from).collect();
    Ok(Json(Page::from_surplus(items, limit, |finding: &FindingView| finding.id.to_string())))
}
