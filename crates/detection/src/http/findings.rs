//! `GET /api/v1/findings`: findings, newest first or as sorted.

use axum::extract::{Query, State};
use lists::{Query as Asked, Test};
use platform::http::{Caller, Json, Problem};
use platform::lists::{ListPage, ListQuery, Wanted};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::finding::FindingView;
use super::wanted_device;
use crate::Detection;
use crate::listing::{self, LIST, SIGHT};

/// Which findings, besides the query.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct DeviceQuery {
    /// Only findings about this device; the same as `device_id:` in the query.
    device: Option<String>,
}

/// A finding in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FindingRow {
    #[serde(flatten)]
    finding: FindingView,
    /// What people last said of it: `normal` or `attack`.
    verdict: Option<String>,
}

impl From<listing::Row> for FindingRow {
    fn from((finding, verdict): listing::Row) -> Self {
        Self { finding: finding.into(), verdict }
    }
}

/// Findings, newest first or as sorted.
#[utoipa::path(get, path = "/api/v1/findings", tag = "detection", params(DeviceQuery, ListQuery),
    responses((status = 200, body = ListPage<FindingRow>), (status = 400, body = Problem),
        (status = 404, body = Problem)))]
pub(crate) async fn findings(
    State(detection): State<Detection>,
    caller: Caller,
    Query(of): Query<DeviceQuery>,
    Query(query): Query<ListQuery>,
) -> Result<Json<ListPage<FindingRow>>, Problem> {
    let platform = &detection.inner.platform;
    let mut asked = listing::read(query.q.as_deref(), platform.now().as_micros(), &caller.name)?;
    if let Some(device) = wanted_device(of.device.as_deref())? {
        asked = with(asked, device.to_string());
    }
    let (sort, down) = query.order(&LIST)?;
    let place = query.place(sort, down)?;
    let limit = query.limit();
    let mut connection = platform.db.read().await?;
    let known = platform::lists::rarities(&mut connection, &LIST, &asked).await?;
    let wanted = Wanted { list: &LIST, query: &asked, sight: SIGHT, known: &known, sort, down };
    let after = place.as_ref().map(|(key, seq)| (key.as_str(), *seq));
    let mut hits =
        platform::lists::page(&mut connection, &wanted, after, i64::from(limit) + 1).await?;
    let next = ListPage::<FindingRow>::next(&hits, limit, sort, down);
    hits.truncate(limit as usize);
    let items = listing::rows(&mut connection, &hits).await?;
    let (total, more_than_total) = if query.count == Some(true) {
        let (total, more) = platform::lists::count(&mut connection, &wanted).await?;
        (Some(total), more)
    } else {
        (None, false)
    };
    let items = items.into_iter().map(FindingRow::from).collect();
    Ok(Json(ListPage { items, next, total, more_than_total }))
}

/// The query, of one device only.
fn with(query: Asked, device: String) -> Asked {
    let own = Asked::Term(lists::Term {
        at: lists::Place(1),
        name: "device_id",
        compare: lists::Compare::Is,
        given: vec![],
        test: Test::Texts { column: "device", any: vec![device] },
    });
    match query {
        Asked::All => own,
        Asked::And(mut all) => {
            all.push(own);
            Asked::And(all)
        }
        other => Asked::And(vec![other, own]),
    }
}
