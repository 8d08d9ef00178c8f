//! `GET /api/v1/notices`: what people were told, newest first.

use axum::extract::{Query, State};
use model::Timestamp;
use platform::http::{Beyond, Json, Page, PageQuery, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::position;
use crate::{Playbooks, store};

/// A notice.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NoticeView {
    /// Its key.
    key: String,
    /// Shown first.
    title: String,
    /// The rest.
    body: String,
    /// Link into the console.
    link: Option<String>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
}

/// Notices, newest first.
#[utoipa::path(get, path = "/api/v1/notices", tag = "playbooks", params(PageQuery),
    responses((status = 200, body = Page<NoticeView>)))]
pub(crate) async fn notices(
    State(room): State<Playbooks>,
    beyond: Beyond,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<NoticeView>>, Problem> {
    let limit = query.limit();
    let before = query.after()?.map(|key| position(&key)).transpose()?;
    let mut connection = room.platform().db.read().await?;
    let found =
        store::notices::list(&mut connection, &beyond.0, before, i64::from(limit) + 1).await?;
    let items = found
        .into_iter()
        .map(|(key, notice, recorded_at)| NoticeView {
            key,
            title: notice.title,
            body: notice.body,
            link: notice.link,
            recorded_at,
        })
        .collect();
    Ok(Json(Page::from_surplus(items, limit, |it: &NoticeView| {
        format!("{} {}", it.recorded_at.as_micros(), it.key)
    })))
}
