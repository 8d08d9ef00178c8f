//! `GET /taxii2/sereno/collections/{id}/objects/{object}/versions/`: an object's versions (§5.8).

use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::TaxiiError;
use super::asking::Asking;
use super::filter::Filter;
use super::media::Accepts;
use super::objects::Lines;
use crate::room::Cti;
use ::intel::pages::Versions;

/// The versions of an object in a collection.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TaxiiVersionList)]
pub(crate) struct VersionList {
    /// More versions follow.
    more: bool,
    /// Where to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// The versions.
    versions: Vec<String>,
}

/// The versions of an object.
#[utoipa::path(get, path = "/taxii2/{root}/collections/{id}/objects/{object}/versions/",
    tag = "taxii",
    params(("root" = String, Path, description = "API root"),
        ("id" = String, Path, description = "UUID or alias of the collection"),
        ("object" = String, Path, description = "id of the object")),
    responses((status = 200, description = "Versions", body = VersionList,
        content_type = "application/taxii+json;version=2.1"),
    (status = 401, body = TaxiiError), (status = 404, body = TaxiiError)))]
pub(crate) async fn versions(
    _: Accepts,
    State(cti): State<Cti>,
    asking: Asking,
    Path((root, id, object)): Path<(String, String, String)>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Response, TaxiiError> {
    let filter =
        Filter { ids: vec![object], versions: Some(Versions::All), ..Filter::from_query(&query)? };
    let page = Lines::read(&cti, &asking, (&root, &id), &filter).await?;
    if page.is_empty() && filter.next.is_none() && filter.after_us.is_none() {
        return Err(TaxiiError::not_found("the object"));
    }
    let text = |us: i64| stix::Timestamp::from_unix_us(us).to_string();
    let versions = page.lines.iter().map(|line| text(line.version_us)).collect();
    let next = page.next.clone();
    Ok(page.answer(&VersionList { more: next.is_some(), next, versions }))
}
