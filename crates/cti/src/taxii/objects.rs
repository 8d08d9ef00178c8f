//! `GET /taxii2/sereno/collections/{id}/objects/`: the objects of a collection (§5.4), and the page
//! that all lists of a collection share.

use ::intel::pages::{self, Line};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use stix::Timestamp;
use utoipa::ToSchema;

use super::TaxiiError;
use super::asking::Asking;
use super::filter::Filter;
use super::media::{Accepts, taxii, written};
use super::outside::{self, Shown};
use super::rights::{self, Need};
use crate::room::Cti;

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

/// Where a page begins and ends, microseconds UTC.
type Ends = Option<(i64, i64)>;

/// The bodies of one page, as they are sent.
pub(super) struct Page {
    ends: Ends,
    next: Option<String>,
    text: String,
}

/// The page that a filter asks for, if the caller may read the collection.
pub(super) async fn page(
    cti: &Cti,
    Asking { caller, sight }: &Asking,
    (root, name): (&str, &str),
    filter: &Filter,
) -> Result<Page, TaxiiError> {
    let (collection, _) = rights::open(cti, caller, root, name, Need::Read).await?;
    let wanted = filter.wanted(cti.cursors(), &collection.id, *sight)?;
    if let Some(reader) = outside::reader(caller, &collection) {
        let page = outside::page(cti, caller, reader, &collection, &wanted).await?;
        let next = page.next_us.map(|last| filter.next(cti.cursors(), &collection.id, last));
        let texts: Vec<&str> = page.shown.iter().map(|one| one.text.as_str()).collect();
        return Ok(Page { ends: ends(&page.shown), next, text: texts.join(",") });
    }
    let mut sql = cti.platform().db.read().await?;
    let found = pages::bodies(&mut sql, collection.number, &wanted).await?;
    let last = found.ends_us.filter(|_| found.more).map(|(_, last)| last);
    let next = last.map(|last| filter.next(cti.cursors(), &collection.id, last));
    Ok(Page { ends: found.ends_us, next, text: found.text })
}

fn ends(shown: &[Shown]) -> Ends {
    let (first, last) = shown.first().zip(shown.last())?;
    Some((first.line.added_us, last.line.added_us))
}

impl Page {
    /// Whether nothing is on it and nothing follows.
    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty() && self.next.is_none()
    }

    /// The envelope around the stored texts, which are not read again.
    pub(super) fn answer(self) -> Response {
        let mut text = String::with_capacity(self.text.len() + 120);
        text.push_str(if self.next.is_some() { "{\"more\":true" } else { "{\"more\":false" });
        if let Some(next) = &self.next {
            // Letters, digits, '-' and '_' only.
            text.push_str(&format!(",\"next\":\"{next}\""));
        }
        if !self.text.is_empty() {
            text.push_str(",\"objects\":[");
            text.push_str(&self.text);
            text.push(']');
        }
        text.push('}');
        dated(written(StatusCode::OK, text), self.ends)
    }
}

/// One page without bodies.
pub(super) struct Lines {
    pub(super) lines: Vec<Line>,
    pub(super) next: Option<String>,
}

impl Lines {
    /// As [`page`].
    pub(super) async fn read(
        cti: &Cti,
        Asking { caller, sight }: &Asking,
        (root, name): (&str, &str),
        filter: &Filter,
    ) -> Result<Self, TaxiiError> {
        let (collection, _) = rights::open(cti, caller, root, name, Need::Read).await?;
        let wanted = filter.wanted(cti.cursors(), &collection.id, *sight)?;
        if let Some(reader) = outside::reader(caller, &collection) {
            let page = outside::page(cti, caller, reader, &collection, &wanted).await?;
            let next = page.next_us.map(|last| filter.next(cti.cursors(), &collection.id, last));
            return Ok(Self { lines: page.shown.into_iter().map(|one| one.line).collect(), next });
        }
        let mut sql = cti.platform().db.read().await?;
        let (lines, more) = pages::lines(&mut sql, collection.number, &wanted).await?;
        let last = lines.last().filter(|_| more);
        let next = last.map(|last| filter.next(cti.cursors(), &collection.id, last.added_us));
        Ok(Self { lines, next })
    }

    /// Whether nothing is on it and nothing follows.
    pub(super) fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.next.is_none()
    }

    pub(super) fn answer<T: Serialize>(&self, body: &T) -> Response {
        let ends = self.lines.first().zip(self.lines.last());
        dated(taxii(StatusCode::OK, body), ends.map(|(a, b)| (a.added_us, b.added_us)))
    }
}

/// Adds the headers that name the first and last date of a page (§3.2).
fn dated(mut response: Response, ends: Ends) -> Response {
    let Some((first, last)) = ends else { return response };
    let names = ["x-taxii-date-added-first", "x-taxii-date-added-last"];
    for (name, at_us) in names.into_iter().zip([first, last]) {
        if let Ok(value) = HeaderValue::from_str(&date(at_us)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
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
#[utoipa::path(get, path = "/taxii2/{root}/collections/{id}/objects/", tag = "taxii",
    params(("root" = String, Path, description = "API root"),
        ("id" = String, Path, description = "UUID or alias of the collection"),
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
    asking: Asking,
    Path((root, id)): Path<(String, String)>,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Response, TaxiiError> {
    let filter = Filter::from_query(&query)?;
    Ok(page(&cti, &asking, (&root, &id), &filter).await?.answer())
}
