//! `GET /api/v1/recovery/cases`.

use axum::extract::{Query, State};
use model::{BlockTarget, Timestamp};
use platform::http::{Json, Page, PageQuery, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Recovery;
use crate::store::cases::{self, CaseRow};

/// A block that is being lifted by itself.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CaseView {
    incident: String,
    device: String,
    #[schema(value_type = Object)]
    target: BlockTarget,
    /// `holding`, `trial`, `recovered`, `escalated`, `stopped`.
    stage: String,
    /// Trials passed in a row.
    trial: i64,
    /// Trials failed.
    failures: i64,
    /// One sentence with the reasons.
    detail: String,
    /// When the next step is due.
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    started_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

impl From<CaseRow> for CaseView {
    fn from(row: CaseRow) -> Self {
        let CaseRow {
            incident,
            device,
            target,
            stage,
            trial,
            failures,
            detail,
            due_at,
            started_at,
            updated_at,
            ..
        } = row;
        Self {
            incident,
            device,
            target,
            stage,
            trial,
            failures,
            detail,
            due_at,
            started_at,
            updated_at,
        }
    }
}

/// Incidents whose block is being lifted, the newest first.
#[utoipa::path(get, path = "/api/v1/recovery/cases", tag = "recovery", params(PageQuery),
    responses((status = 200, body = Page<CaseView>), (status = 403, body = Problem)))]
pub(crate) async fn cases(
    State(room): State<Recovery>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<CaseView>>, Problem> {
    let mut sql = room.platform.db.read().await?;
    let rows = cases::cases(&mut sql, i64::from(query.limit())).await?;
    Ok(Json(Page {
        items: rows.into_iter().map(CaseView::from).collect(),
        next: None,
        total: None,
    }))
}
