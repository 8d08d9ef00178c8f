//! `GET /taxii2/sereno/collections/{id}/objects/`: the objects of a collection (§5.4), and the page
//! that all lists of a collection share.

use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use platform::http::Caller;
use serde::Serialize;
use serde_json::Value;
use stix::Timestamp;
use utoipa::ToSchema;

use super::TaxiiError;
use super::filter::{self, Filter};
use super::media::{Accepts, taxii};
use super::rights::{self, Need};
use crate::room::Cti;
use crate::store::objects::{self as store, Member};

/// Objects in an envelope (§3.7).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = TaxiiEnvelope)]
pub(crate) struct Envelope {
    /// More objects follow.
    more: bool,
    /// Where to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    /// The objects; absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    objects: Vec<Value>,
}

/// One page of a collection.
pub(super) struct Page {
    pub(super) members: Vec<Member>,
    pub(super) next: Option<String>,
}

impl Page {
    /// The page that `query` asks for, if the caller may read the collection.
    pub(super) async fn read(
        cti: &Cti,
        caller: &Caller,
        name: &str,
        filter: &Filter,
    ) -> Result<Self, TaxiiError> {
        let (collection, _) = rights::open(cti, caller, name, Need::Read).await?;
        let mut sql = cti.platform().db.read().await?;
        // One more than shown tells whether there is more.
        let mut members =
            store::members(&mut sql, &collection.id, filter, filter.limit + 1).await?;
        let shown = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        let more = members.len() > shown;
        members.truncate(shown);
        let next = if more { members.last().map(|last| filter::next(last.added_us)) } else { None };
        Ok(Self { members, next })
    }

    /// Adds the headers that name the first and last date of the page (§3.2).
    pub(super) fn answer<T: Serialize>(&self, body: &T) -> Response {
        let mut response = taxii(StatusCode::OK, body);
        let ends = [
            ("x-taxii-date-added-first", self.members.first()),
            ("x-taxii-date-added-last", self.members.last()),
        ];
        for (name, member) in ends {
            let date = member.map(|member| date(member.added_us));
            if let Some(Ok(value)) = date.map(|date| HeaderValue::from_str(&date)) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }

    /// The page as an envelope.
    pub(super) fn envelope(&self) -> Response {
        let objects = self.members.iter().map(|member| member.object.to_value()).collect();
        let next = self.next.clone();
        self.answer(&Envelope { more: next.is_some(), next, objects })
    }
}

/// A date as TAXII writes it: microseconds, so that no two objects of a collection share one.
pub(crate) fn date(us: i64) -> String {
    let text = Timestamp::from_unix_us(us).to_string();
    match text.len() {
        24 => text.replace('Z', "000Z"),
        _ => text,
    }
}

/// The objects of a collection.
#[utoipa::path(get, path = "/taxii2/sereno/collections/{id}/objects/", tag = "taxii",
    params(("id" = String, Path, description = "UUID or alias of the collection"),
        ("added_after" = Option<String>, Query, description = "only objects added later"),
        ("limit" = Option<i64>, Query, description = "objects on the page, at most 1000"),
        ("next" = Option<String>, Query, description = "where to go on"),
        ("match[id]" = Option<String>, Query, description = "ids"),
        ("match[type]" = Option<String>, Query, description = "types"),
        ("match[version]" = Option<String>, Query, description = "all, first, last, timestamps"),
        ("match[spec_version]" = Option<String>, Query, description = "STIX versions")),
    responses((status = 200, description = "Envelope", body = Envelope,
        content_type = "application/taxii+json;version=2.1"),
    (status = 401, body = TaxiiError), (status = 403, body = TaxiiError),
    (status = 404, body = TaxiiError)))]
pub(crate) async fn objects(
    _: Accepts,
    State(cti): State<Cti>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Response, TaxiiError> {
    let filter = Filter::from_query(&query)?;
    Ok(Page::read(&cti, &caller, &id, &filter).await?.envelope())
}
