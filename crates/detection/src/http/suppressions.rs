//! `GET /api/v1/detection/suppressions`: what people called normal.

use axum::extract::{Query, State};
use model::{DeviceId, FindingId, SuppressionId, Timestamp};
use platform::http::{Json, Page, PageQuery, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::wanted_device;
use crate::Detection;
use crate::error::DetectionError;
use crate::store;
use crate::suppress::Suppression;

/// Which suppressions.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct SuppressionsQuery {
    /// Only those of this device.
    device: Option<String>,
    /// Also those that ended or were taken back.
    all: Option<bool>,
    /// How many are wanted, 1 to 500.
    limit: Option<u32>,
    /// Where to go on.
    cursor: Option<String>,
}

/// "This is normal for this device."
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SuppressionView {
    /// Identity.
    #[schema(value_type = String)]
    pub(crate) id: SuppressionId,
    /// The device.
    #[schema(value_type = String)]
    device: DeviceId,
    /// The finding it came from.
    #[schema(value_type = Option<String>)]
    finding: Option<FindingId>,
    /// What it covers, in words.
    scope: String,
    /// Only this metric.
    metric: Option<String>,
    /// Only traffic with this party.
    peer: Option<String>,
    /// Over this protocol.
    protocol: Option<String>,
    /// And service port.
    port: Option<u16>,
    /// Only findings of this technique.
    technique: Option<String>,
    /// Nothing above this score is covered.
    ceiling: f64,
    /// Why.
    reason: String,
    /// Who said so.
    author: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Until when; absent until it is taken back.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// When it was taken back.
    #[schema(value_type = Option<String>, format = DateTime)]
    revoked_at: Option<Timestamp>,
    /// Who took it back.
    revoked_by: Option<String>,
    /// Whether it holds now.
    active: bool,
    /// Windows it covered.
    hits: i64,
    /// When it last covered one.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_hit_at: Option<Timestamp>,
}

impl SuppressionView {
    pub(crate) fn new(one: Suppression, now: Timestamp) -> Self {
        Self {
            scope: one.scope(),
            active: one.is_active(now),
            id: one.id,
            device: one.device,
            finding: one.finding,
            metric: one.metric,
            peer: one.peer.map(|peer| peer.to_string()),
            protocol: one.protocol,
            port: one.port,
            technique: one.technique,
            ceiling: one.ceiling,
            reason: one.reason,
            author: one.author,
            created_at: one.created_at,
            until: one.until,
            revoked_at: one.revoked_at,
            revoked_by: one.revoked_by,
            hits: one.hits,
            last_hit_at: one.last_hit_at,
        }
    }
}

/// What people called normal, newest first.
#[utoipa::path(get, path = "/api/v1/detection/suppressions", tag = "detection",
    params(SuppressionsQuery),
    responses((status = 200, body = Page<SuppressionView>), (status = 404, body = Problem)))]
pub(crate) async fn suppressions(
    State(detection): State<Detection>,
    Query(query): Query<SuppressionsQuery>,
) -> Result<Json<Page<SuppressionView>>, Problem> {
    let paging = PageQuery { limit: query.limit, cursor: query.cursor };
    let (limit, before) = (paging.limit(), paging.after()?);
    let device = wanted_device(query.device.as_deref())?;
    let now = detection.inner.platform.now();
    let since = (!query.all.unwrap_or(false)).then_some(now);
    let mut connection = detection.inner.platform.db.read().await.map_err(DetectionError::from)?;
    let wanted = i64::from(limit) + 1;
    let found =
        store::suppressions::page(&mut connection, device, since, before.as_deref(), wanted)
            .await?;
    let items = found.into_iter().map(|one| SuppressionView::new(one, now)).collect();
    Ok(Json(Page::from_surplus(items, limit, |one: &SuppressionView| one.id.to_string())))
}
