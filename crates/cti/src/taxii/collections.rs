//! `GET /taxii2/sereno/collections/`: the collections a caller has any right to (§5.1).

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use platform::http::Caller;
use serde::Serialize;
use utoipa::ToSchema;

use super::media::{Accepts, taxii};
use super::{TaxiiError, rights};
use crate::room::Cti;
use crate::store::collections::Collection;

/// One collection as TAXII shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TaxiiCollection)]
pub(crate) struct CollectionResource {
    /// UUID.
    id: String,
    /// Title.
    title: String,
    /// Description.
    description: String,
    /// A name that can stand for the id.
    alias: String,
    /// May the caller read it?
    can_read: bool,
    /// May the caller write to it?
    can_write: bool,
    /// What it holds.
    media_types: Vec<String>,
}

impl CollectionResource {
    pub(super) fn new(collection: Collection, rights: rights::Rights) -> Self {
        Self {
            id: collection.id,
            title: collection.title,
            description: collection.description,
            alias: collection.alias,
            can_read: rights.read,
            can_write: rights.write,
            media_types: super::manifest::STIX_MEDIA_TYPES.map(str::to_owned).into(),
        }
    }
}

/// All collections of the API root.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TaxiiCollections)]
pub(crate) struct Collections {
    /// The collections; absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    collections: Vec<CollectionResource>,
}

/// The collections.
#[utoipa::path(get, path = "/taxii2/{root}/collections/", tag = "taxii",
    params(("root" = String, Path, description = "API root")), responses(
    (status = 200, description = "Collections", body = Collections,
        content_type = "application/taxii+json;version=2.1"),
    (status = 401, body = TaxiiError), (status = 406, body = TaxiiError)))]
pub(crate) async fn collections(
    _: Accepts,
    State(cti): State<Cti>,
    caller: Caller,
    Path(root): Path<String>,
) -> Result<Response, TaxiiError> {
    let root = rights::root(&cti, &caller, &root).await?;
    let mut sql = cti.platform().db.read().await?;
    let shown = ::intel::collections::all(&mut sql)
        .await?
        .into_iter()
        .filter(|collection| collection.root == root.name)
        .map(|collection| (rights::of(&caller, &collection), collection))
        .filter(|(rights, _)| rights.read || rights.write)
        .map(|(rights, collection)| CollectionResource::new(collection, rights))
        .collect();
    Ok(taxii(StatusCode::OK, &Collections { collections: shown }))
}
