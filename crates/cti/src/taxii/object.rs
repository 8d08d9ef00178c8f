//! `GET /taxii2/sereno/collections/{id}/objects/{object}/`: one object (§5.6).

use axum::extract::{Path, Query, State};
use axum::response::Response;

use super::TaxiiError;
use super::asking::Asking;
use super::filter::Filter;
use super::media::Accepts;
use super::objects::{Envelope, page};
use crate::room::Cti;

/// One object, by default its last version.
#[utoipa::path(get, path = "/taxii2/{root}/collections/{id}/objects/{object}/", tag = "taxii",
    params(("root" = String, Path, description = "API root"),
        ("id" = String, Path, description = "UUID or alias of the collection"),
        ("object" = String, Path, description = "id of the object")),
    responses((status = 200, description = "Envelope", body = Envelope,
        content_type = "application/taxii+json;version=2.1"),
    (status = 401, body = TaxiiError), (status = 404, body = TaxiiError)))]
pub(crate) async fn object(
    _: Accepts,
    State(cti): State<Cti>,
    asking: Asking,
    Path((root, id, object)): Path<(String, String, String)>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Response, TaxiiError> {
    let filter = Filter { ids: vec![object], ..Filter::from_query(&query)? };
    let fresh = filter.next.is_none() && filter.after_us.is_none();
    let page = page(&cti, &asking, (&root, &id), &filter).await?;
    if page.is_empty() && fresh {
        return Err(TaxiiError::not_found("the object"));
    }
    Ok(page.answer())
}
