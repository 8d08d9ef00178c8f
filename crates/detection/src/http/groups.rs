//! `GET /api/v1/detection/groups`: findings of one device, peer and technique near in time.

use axum::extract::{Query, State};
use model::{AttackKind, DeviceId, FindingGroup, GroupId, Severity, Timestamp};
use platform::http::{Json, Page, PageQuery, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::wanted_device;
use crate::Detection;
use crate::error::DetectionError;
use crate::store;

/// Ids of findings shown of one group.
const MAX_SHOWN: i64 = 100;

/// Which groups.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct GroupsQuery {
    /// Only groups about this device.
    device: Option<String>,
    /// Groups wanted, 1 to 500.
    limit: Option<u32>,
    /// Where to go on.
    cursor: Option<String>,
}

/// Findings that belong together.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct GroupView {
    /// Identity.
    #[schema(value_type = String)]
    id: GroupId,
    /// The device.
    #[schema(value_type = String)]
    device: DeviceId,
    /// Its name.
    device_name: String,
    /// The remote party they have in common.
    peer: Option<String>,
    /// The technique they have in common.
    technique: Option<String>,
    /// What kind of attack.
    #[schema(value_type = String)]
    kind: AttackKind,
    /// The worst of them.
    #[schema(value_type = String)]
    severity: Severity,
    /// The title of the worst of them.
    title: String,
    /// Packet time of the first alerting window.
    #[schema(value_type = String, format = DateTime)]
    first_at: Timestamp,
    /// Packet time of the last one.
    #[schema(value_type = String, format = DateTime)]
    last_at: Timestamp,
    /// How many findings.
    findings: u64,
    /// The first hundred of them, oldest first.
    finding_ids: Vec<String>,
}

impl GroupView {
    fn new(group: FindingGroup, finding_ids: Vec<String>) -> Self {
        Self {
            id: group.id,
            device: group.device,
            device_name: group.device_name,
            peer: group.peer.map(|peer| peer.to_string()),
            technique: group.technique,
            kind: group.kind,
            severity: group.severity,
            title: group.title,
            first_at: group.first_at,
            last_at: group.last_at,
            findings: group.findings,
            finding_ids,
        }
    }
}

/// Groups of findings, newest first.
#[utoipa::path(get, path = "/api/v1/detection/groups", tag = "detection", params(GroupsQuery),
    responses((status = 200, body = Page<GroupView>), (status = 404, body = Problem)))]
pub(crate) async fn groups(
    State(detection): State<Detection>,
    Query(query): Query<GroupsQuery>,
) -> Result<Json<Page<GroupView>>, Problem> {
    let paging = PageQuery { limit: query.limit, cursor: query.cursor };
    let (limit, before) = (paging.limit(), paging.after()?);
    let device = wanted_device(query.device.as_deref())?;
    let mut connection = detection.inner.platform.db.read().await.map_err(DetectionError::from)?;
    let wanted = i64::from(limit) + 1;
    let found = store::groups::page(&mut connection, device, before.as_deref(), wanted).await?;
    let mut items = Vec::with_capacity(found.len());
    for group in found {
        let ids =
            store::groups::findings(&mut connection, &group.id.to_string(), MAX_SHOWN).await?;
        items.push(GroupView::new(group, ids));
    }
    Ok(Json(Page::from_surplus(items, limit, |group: &GroupView| group.id.to_string())))
}
