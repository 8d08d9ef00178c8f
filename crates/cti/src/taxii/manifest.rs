//! `GET /taxii2/sereno/collections/{id}/manifest/`: what a collection holds (§5.3).

use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::TaxiiError;
use super::asking::Asking;
use super::filter::Filter;
use super::media::Accepts;
use super::objects::{Lines, date};
use crate::room::Cti;

/// What collections hold.
pub(super) const STIX_MEDIA_TYPES: [&str; 2] =
    ["application/stix+json;version=2.1", "application/stix+json;version=2.0"];

/// One object without its content.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TaxiiManifestRecord)]
pub(crate) struct ManifestRecord {
    /// Id of the object.
    id: String,
    /// When it was added.
    date_added: String,
    /// Its version.
    version: String,
    /// What it would be sent as.
    media_type: String,
}

/// The manifest.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TaxiiManifest)]
pub(crate) struct Manifest {
    /// More records follow.
    more: bool,
    /// Where to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// The records; absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    objects: Vec<ManifestRecord>,
}

/// The manifest of a collection.
#[utoipa::path(get, path = "/taxii2/{root}/collections/{id}/manifest/", tag = "taxii",
    params(("root" = String, Path, description = "API root"),
        ("id" = String, Path, description = "UUID or alias of the collection")),
    responses((status = 200, description = "Manifest", body = Manifest,
        content_type = "application/taxii+json;version=2.1"),
    (status = 401, body = TaxiiError), (status = 403, body = TaxiiError),
    (status = 404, body = TaxiiError)))]
pub(crate) async fn manifest(
    _: Accepts,
    State(cti): State<Cti>,
    asking: Asking,
    Path((root, id)): Path<(String, String)>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Response, TaxiiError> {
    let filter = Filter::from_query(&query)?;
    let page = Lines::read(&cti, &asking, (&root, &id), &filter).await?;
    let objects = page
        .lines
        .iter()
        .map(|line| ManifestRecord {
            id: line.id.clone(),
            date_added: date(line.added_us),
            version: stix::Timestamp::from_unix_us(line.version_us).to_string(),
            media_type: format!("application/stix+json;version={}", line.spec_version),
        })
        .collect();
    let next = page.next.clone();
    Ok(page.answer(&Manifest { more: next.is_some(), next, objects }))
}
