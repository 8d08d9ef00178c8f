//! `/api/v1/sites`: the list and new ones.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use platform::http::{Caller, Json, Page, PageQuery, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::sites::{Draft, MAX_SITES, PlanSpot, Site, SiteChanged, store};
use crate::{Assets, AssetsError};

/// A site as it shall be.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SiteGiven {
    /// 1 to 80 characters, no other site's.
    name: String,
    /// What it is: `tram stop`, `substation`, `plant`, `office` …, any word of up to 40 characters.
    kind: String,
    /// Where it is, in words; up to 160 characters.
    #[serde(default)]
    place: Option<String>,
    /// Degrees north (WGS 84), with `longitude` or not at all.
    #[serde(default)]
    latitude: Option<f64>,
    /// Degrees east.
    #[serde(default)]
    longitude: Option<f64>,
    /// Its spot on a plan.
    #[serde(default)]
    plan: Option<PlanSpot>,
}

impl From<SiteGiven> for Draft {
    fn from(given: SiteGiven) -> Self {
        Self {
            name: given.name,
            kind: given.kind,
            place: given.place,
            latitude: given.latitude,
            longitude: given.longitude,
            plan: given.plan,
        }
    }
}

/// Sites in the order of their names, with how many devices stand at each.
#[utoipa::path(get, path = "/api/v1/sites", tag = "assets", params(PageQuery),
    responses((status = 200, body = Page<Site>), (status = 400, body = Problem)))]
pub(crate) async fn list(
    State(assets): State<Assets>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Site>>, Problem> {
    let (limit, after) = (query.limit(), query.after()?);
    let mut connection = assets.platform.db.read().await.map_err(AssetsError::from)?;
    let sites = store::list(&mut connection, after.as_deref(), i64::from(limit) + 1).await;
    let total = store::count(&mut connection).await.map_err(AssetsError::from)?;
    let sites = sites.map_err(AssetsError::from)?;
    let mut page = Page::from_surplus(sites, limit, |site: &Site| site.name.clone());
    page.total = u64::try_from(total).ok();
    Ok(Json(page))
}

/// Makes a site.
#[utoipa::path(post, path = "/api/v1/sites", tag = "assets", request_body = SiteGiven,
    responses((status = 201, body = Site), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn add(
    State(assets): State<Assets>,
    caller: Caller,
    Json(given): Json<SiteGiven>,
) -> Result<(StatusCode, Json<Site>), Problem> {
    let draft = Draft::from(given).checked()?;
    let site: Result<Site, AssetsError> = assets
        .platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                let full = i64::try_from(MAX_SITES).unwrap_or(i64::MAX);
                if store::count(tx.sql()).await? >= full {
                    return Err(AssetsError::Conflict(format!(
                        "there are {MAX_SITES} sites, the most there can be; remove some first"
                    )));
                }
                super::site::free(tx.sql(), &draft, None).await?;
                let id = store::insert(tx, &draft).await?;
                let change = format!("Site made: {} ({})", draft.name, draft.kind);
                tx.publish(&caller.name, &SiteChanged { id: id.clone(), change }).await?;
                store::find(tx.sql(), &id).await?.ok_or(AssetsError::NoSite(id))
            })
        })
        .await;
    Ok((StatusCode::CREATED, Json(site?)))
}
