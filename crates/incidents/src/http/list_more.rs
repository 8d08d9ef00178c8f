//! What belongs to the list of incidents: its description, facets, counts, and the list as a file.

use axum::extract::{Query, State};
use axum::response::Response;
use lists::Query as Asked;
use platform::http::{Beyond, Caller, Json, Problem};
use platform::lists::{
    EXPORT_PAGE_ROWS, ExportQuery, Facets, FacetsQuery, ListQuery, ListView, Wanted,
};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::Incidents;
use crate::listing::{self, LIST};

/// The columns of an export.
const COLUMNS: &[&str] = &[
    "id",
    "title",
    "state",
    "severity",
    "tlp",
    "owner",
    "tags",
    "acknowledged_by",
    "findings",
    "origin_name",
    "event_at",
    "recorded_at",
    "updated_at",
];

/// What the list of incidents can be asked, and how it can be sorted.
#[utoipa::path(get, path = "/api/v1/incidents/fields", tag = "incidents",
    responses((status = 200, body = ListView)))]
pub(crate) async fn fields() -> Json<ListView> {
    Json(platform::lists::view(&LIST))
}

/// Values of fields among what a query finds, the most frequent first; at most a few seconds old.
#[utoipa::path(get, path = "/api/v1/incidents/facets", tag = "incidents", params(FacetsQuery),
    responses((status = 200, body = Facets), (status = 400, body = Problem)))]
pub(crate) async fn facets(
    State(room): State<Incidents>,
    beyond: Beyond,
    caller: Caller,
    Query(query): Query<FacetsQuery>,
) -> Result<Json<Facets>, Problem> {
    let now_us = room.platform.now().as_micros();
    let asked = listing::read(query.q.as_deref(), now_us, &caller.name)?;
    let sight = listing::sight(&beyond);
    let mut connection = room.platform.db.read().await?;
    let known = platform::lists::rarities(&mut connection, &LIST, &asked).await?;
    let names: Vec<&str> = query.fields.split(',').collect();
    let key =
        format!("{sight} {} {} {}", caller.name, query.fields, query.q.as_deref().unwrap_or(""));
    let wanted = listing::usual(&asked, &sight, &known);
    let found =
        platform::lists::facets(&mut connection, &room.facets, &wanted, &names, (key, now_us))
            .await?;
    Ok(Json(found))
}

/// How many incidents there are in the caller's sight.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IncidentCounts {
    /// Open ones.
    open: u64,
    /// New ones that nobody acknowledged.
    unanswered: u64,
    /// Open ones that the caller owns.
    mine: u64,
    /// A figure ended at this bound; there are more.
    at_most: i64,
}

/// A few counts for the frame of the console, cheap enough to be asked often.
#[utoipa::path(get, path = "/api/v1/incidents/counts", tag = "incidents",
    responses((status = 200, body = IncidentCounts)))]
pub(crate) async fn counts(
    State(room): State<Incidents>,
    beyond: Beyond,
    caller: Caller,
) -> Result<Json<IncidentCounts>, Problem> {
    let now_us = room.platform.now().as_micros();
    let sight = listing::sight(&beyond);
    let mut connection = room.platform.db.read().await?;
    let mut found = [0_u64; 3];
    for (place, text) in
        found.iter_mut().zip(["is:open", "is:open is:unacknowledged", "is:open owner:me"])
    {
        let asked = listing::read(Some(text), now_us, &caller.name)?;
        let known = platform::lists::rarities(&mut connection, &LIST, &asked).await?;
        let wanted = listing::usual(&asked, &sight, &known);
        *place = platform::lists::count(&mut connection, &wanted).await?.0;
    }
    let [open, unanswered, mine] = found;
    Ok(Json(IncidentCounts { open, unanswered, mine, at_most: platform::lists::MAX_COUNT }))
}

/// The list as a file, in its order, as far as the caller sees.
#[utoipa::path(get, path = "/api/v1/incidents/export", tag = "incidents", params(ExportQuery),
    responses((status = 200, description = "CSV or JSON lines", body = String), (status = 400, body = Problem)))]
pub(crate) async fn export(
    State(room): State<Incidents>,
    beyond: Beyond,
    caller: Caller,
    Query(query): Query<ExportQuery>,
) -> Result<Response, Problem> {
    let asked = listing::read(query.q.as_deref(), room.platform.now().as_micros(), &caller.name)?;
    let order = ListQuery { sort: query.sort.clone(), ..ListQuery::default() };
    let (sort, down) = order.order(&LIST)?;
    let sight = listing::sight(&beyond);
    let read = move |after| {
        let (room, asked, sight) = (room.clone(), asked.clone(), sight.clone());
        let page: std::pin::Pin<Box<dyn Future<Output = _> + Send>> =
            Box::pin(async move { export_page(&room, &asked, (&sight, sort, down), after).await });
        page
    };
    platform::lists::export(&query, "incidents", COLUMNS, read)
}

async fn export_page(
    room: &Incidents,
    asked: &Asked,
    (sight, sort, down): (&str, &'static lists::Sort, bool),
    after: Option<(String, i64)>,
) -> Result<platform::lists::ExportPage, Problem> {
    let mut connection = room.platform.db.read().await?;
    let known = platform::lists::rarities(&mut connection, &LIST, asked).await?;
    let wanted = Wanted { list: &LIST, query: asked, sight, known: &known, sort, down };
    let after = after.as_ref().map(|(key, seq)| (key.as_str(), *seq));
    let hits =
        platform::lists::page(&mut connection, &wanted, after, i64::from(EXPORT_PAGE_ROWS)).await?;
    let rows = listing::rows(&mut connection, &hits).await?;
    let shown = rows.into_iter().map(|(incident, owner, tags)| {
        let mut row = json!(incident);
        row["owner"] = json!(owner);
        row["tags"] = json!(tags);
        row
    });
    let full = hits.len() >= EXPORT_PAGE_ROWS as usize;
    let next = hits.last().filter(|_| full).map(|hit| (hit.key.clone(), hit.seq));
    Ok((shown.collect(), next))
}
