//! `DELETE /taxii2/{root}/collections/{id}/objects/{object}/`: takes an object out of a collection (§5.7). The object
//! itself stays known: what was learned is not forgotten, it is only no longer handed out here.

use ::intel::pages::{self, Versions, Wanted};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use platform::http::Caller;

use super::TaxiiError;
use super::asking::Asking;
use super::filter::{Filter, MAX_LIMIT};
use super::media::{Accepts, written};
use super::outside::{self, Reader};
use super::rights::{self, Need};
use crate::error::CtiError;
use crate::room::Cti;
use crate::store::collections::Collection;

/// Takes an object out of a collection: all its versions, or those of `match[version]` and `match[spec_version]`.
#[utoipa::path(delete, path = "/taxii2/{root}/collections/{id}/objects/{object}/", tag = "taxii",
    params(("root" = String, Path, description = "API root"),
        ("id" = String, Path, description = "UUID or alias of the collection"),
        ("object" = String, Path, description = "id of the object"),
        ("match[version]" = Option<String>, Query, description = "all, first, last, timestamps"),
        ("match[spec_version]" = Option<String>, Query, description = "STIX versions")),
    responses((status = 200, description = "Taken out"),
    (status = 401, body = TaxiiError), (status = 403, body = TaxiiError),
    (status = 404, body = TaxiiError)))]
pub(crate) async fn delete(
    _: Accepts,
    State(cti): State<Cti>,
    Asking { caller, sight }: Asking,
    Path((root, id, object)): Path<(String, String, String)>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Response, TaxiiError> {
    let (collection, _) = rights::open(&cti, &caller, &root, &id, Need::Both).await?;
    let asked = Filter::from_query(&query)?;
    let versions = Some(asked.versions.unwrap_or(Versions::All));
    let ids = vec![object.clone()];
    let spec_versions = asked.spec_versions;
    let filter = Filter { ids, versions, spec_versions, limit: MAX_LIMIT, ..Filter::default() };
    let wanted = filter.wanted(cti.cursors(), &collection.id, sight)?;
    if let Some(reader) = outside::reader(&caller, &collection) {
        return delete_shown(&cti, &caller, reader, &collection, wanted).await;
    }
    let number = collection.number;
    let gone: Result<u64, CtiError> = cti
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let Some(node) = ::intel::objects::node(tx.sql(), &object).await? else {
                    return Ok(0);
                };
                let (mut gone, now_us) = (0, tx.now().as_micros());
                loop {
                    let (lines, more) = pages::lines(tx.sql(), number, &wanted).await?;
                    let places: Vec<i64> = lines.iter().map(|line| line.added_us).collect();
                    let sql = tx.sql();
                    gone +=
                        ::intel::collections::delete(sql, number, node, &places, now_us).await?;
                    // `first` and `last` speak of what stood there, not of what is left.
                    if !more || wanted.versions != Versions::All {
                        return Ok(gone);
                    }
                }
            })
        })
        .await;
    if gone? == 0 {
        return Err(TaxiiError::not_found("the object"));
    }
    Ok(written(StatusCode::OK, "{}"))
}

/// As somebody of another organisation: what it does not see it takes away as little as what is not there.
async fn delete_shown(
    cti: &Cti,
    caller: &Caller,
    reader: Reader,
    collection: &Collection,
    mut wanted: Wanted,
) -> Result<Response, TaxiiError> {
    let mut gone = 0;
    loop {
        let outside::Page { shown, next_us } =
            outside::page(cti, caller, reader, collection, &wanted).await?;
        let number = collection.number;
        let done: Result<u64, CtiError> = cti
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let (mut gone, now_us) = (0, tx.now().as_micros());
                    for one in &shown {
                        let node = ::intel::objects::node(tx.sql(), &one.id).await?;
                        let Some(node) = node else { continue };
                        let (sql, place) = (tx.sql(), [one.line.added_us]);
                        gone +=
                            ::intel::collections::delete(sql, number, node, &place, now_us).await?;
                    }
                    Ok(gone)
                })
            })
            .await;
        gone += done?;
        match next_us {
            Some(next_us) => wanted.after_us = next_us,
            None if gone == 0 => return Err(TaxiiError::not_found("the object")),
            None => return Ok(written(StatusCode::OK, "{}")),
        }
    }
}
