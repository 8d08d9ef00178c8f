//! What belongs to the list of findings: its description, facets, and the list as a file.

use axum::extract::{Query, State};
use axum::response::Response;
use lists::Query as Asked;
use platform::http::{Caller, Json, Problem};
use platform::lists::{
    EXPORT_PAGE_ROWS, ExportQuery, Facets, FacetsQuery, ListQuery, ListView, Wanted,
};
use serde_json::json;

use crate::Detection;
use crate::listing::{self, LIST, SIGHT};

/// The columns of an export.
const COLUMNS: &[&str] = &[
    "id",
    "title",
    "severity",
    "kind",
    "score",
    "windows",
    "verdict",
    "device_name",
    "device_address",
    "device_mac",
    "device",
    "peers",
    "techniques",
    "detector",
    "first_at",
    "last_at",
    "recorded_at",
];

/// What the list of findings can be asked, and how it can be sorted.
#[utoipa::path(get, path = "/api/v1/findings/fields", tag = "detection",
    responses((status = 200, body = ListView)))]
pub(crate) async fn fields() -> Json<ListView> {
    Json(platform::lists::view(&LIST))
}

/// Values of fields among what a query finds, the most frequent first; at most a few seconds old.
#[utoipa::path(get, path = "/api/v1/findings/facets", tag = "detection", params(FacetsQuery),
    responses((status = 200, body = Facets), (status = 400, body = Problem)))]
pub(crate) async fn facets(
    State(detection): State<Detection>,
    caller: Caller,
    Query(query): Query<FacetsQuery>,
) -> Result<Json<Facets>, Problem> {
    let platform = &detection.inner.platform;
    let now_us = platform.now().as_micros();
    let asked = listing::read(query.q.as_deref(), now_us, &caller.name)?;
    let mut connection = platform.db.read().await?;
    let known = platform::lists::rarities(&mut connection, &LIST, &asked).await?;
    let names: Vec<&str> = query.fields.split(',').collect();
    let key = format!("{} {} {}", caller.name, query.fields, query.q.as_deref().unwrap_or(""));
    let sort = &LIST.sorts[0];
    let wanted =
        Wanted { list: &LIST, query: &asked, sight: SIGHT, known: &known, sort, down: true };
    let cache = &detection.inner.facets;
    let found =
        platform::lists::facets(&mut connection, cache, &wanted, &names, (key, now_us)).await?;
    Ok(Json(found))
}

/// The list as a file, in its order.
#[utoipa::path(get, path = "/api/v1/findings/export", tag = "detection", params(ExportQuery),
    responses((status = 200, description = "CSV or JSON lines", body = String), (status = 400, body = Problem)))]
pub(crate) async fn export(
    State(detection): State<Detection>,
    caller: Caller,
    Query(query): Query<ExportQuery>,
) -> Result<Response, Problem> {
    let now_us = detection.inner.platform.now().as_micros();
    let asked = listing::read(query.q.as_deref(), now_us, &caller.name)?;
    let order = ListQuery { sort: query.sort.clone(), ..ListQuery::default() };
    let (sort, down) = order.order(&LIST)?;
    let read = move |after| {
        let (detection, asked) = (detection.clone(), asked.clone());
        let page: std::pin::Pin<Box<dyn Future<Output = _> + Send>> =
            Box::pin(async move { export_page(&detection, &asked, (sort, down), after).await });
        page
    };
    platform::lists::export(&query, "findings", COLUMNS, read)
}

async fn export_page(
    detection: &Detection,
    asked: &Asked,
    (sort, down): (&'static lists::Sort, bool),
    after: Option<(String, i64)>,
) -> Result<platform::lists::ExportPage, Problem> {
    let mut connection = detection.inner.platform.db.read().await?;
    let known = platform::lists::rarities(&mut connection, &LIST, asked).await?;
    let wanted = Wanted { list: &LIST, query: asked, sight: SIGHT, known: &known, sort, down };
    let after = after.as_ref().map(|(key, seq)| (key.as_str(), *seq));
    let hits =
        platform::lists::page(&mut connection, &wanted, after, i64::from(EXPORT_PAGE_ROWS)).await?;
    let rows = listing::rows(&mut connection, &hits).await?;
    let shown = rows.into_iter().map(|(finding, verdict)| {
        let peers: Vec<String> = finding.evidence.iter().map(|one| one.peer.to_string()).collect();
        let techniques: Vec<&str> = finding.techniques.iter().map(|one| one.id.as_str()).collect();
        let (peers, techniques) = (json!(peers), json!(techniques));
        let mut row = json!(finding);
        row["verdict"] = json!(verdict);
        row["peers"] = peers;
        row["techniques"] = techniques;
        row
    });
    let full = hits.len() >= EXPORT_PAGE_ROWS as usize;
    let next = hits.last().filter(|_| full).map(|hit| (hit.key.clone(), hit.seq));
    Ok((shown.collect(), next))
}
