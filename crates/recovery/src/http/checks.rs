//! `GET /api/v1/recovery/checks`.

use axum::extract::State;
use model::Timestamp;
use platform::http::{Json, Page, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Recovery;
use crate::health::Spec;
use crate::store::cases::{self, CheckRow};

/// A health check.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CheckView {
    id: String,
    /// The device: MAC or network address.
    target: String,
    check: Spec,
    created_by: String,
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
}

impl From<CheckRow> for CheckView {
    fn from(row: CheckRow) -> Self {
        let CheckRow { id, target, spec, created_by, recorded_at } = row;
        Self { id, target, check: spec, created_by, recorded_at }
    }
}

/// How it is seen that devices are well.
#[utoipa::path(get, path = "/api/v1/recovery/checks", tag = "recovery",
    responses((status = 200, body = Page<CheckView>), (status = 403, body = Problem)))]
pub(crate) async fn checks(State(room): State<Recovery>) -> Result<Json<Page<CheckView>>, Problem> {
    let mut sql = room.platform.db.read().await?;
    let rows = cases::checks(&mut sql).await?;
    Ok(Json(Page::whole(rows.into_iter().map(CheckView::from).collect())))
}
