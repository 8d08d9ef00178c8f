//! `POST /api/v1/knowledge/reports/extract` and `…/reports`: a report is looked through, and what a person accepts of it
//! is stored.

use std::collections::BTreeSet;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use intel::objects;
use platform::http::{Caller, Gate, Problem};
use serde::{Deserialize, Serialize};
use stix::Tlp;
use utoipa::ToSchema;

use crate::import::{self, ImportReport, Origin};
use crate::review::{self, Draft, Item, MAX_REPORT_BYTES, Reviewed};
use crate::room::Knowledge;
use crate::{ontology, sight};

/// Characters of a title and of a source's name.
const MAX_TITLE_CHARS: usize = 300;
const MAX_LABEL_CHARS: usize = 120;
/// Bytes of a request around its text: JSON writes some characters with six.
const MAX_REQUEST_BYTES: usize = 6 * MAX_REPORT_BYTES + (1 << 20);

/// What a report names.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReportReview {
    /// SHA-256 of the text, hexadecimal.
    sha256: String,
    /// Reports in sight that hold this very text.
    stored_as: Vec<String>,
    /// Candidates by their first place.
    candidates: Vec<Item>,
    /// Finds beyond the limit, which are not listed.
    untold: u64,
}

/// A report and what a person accepts of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReport {
    /// The text, Markdown or HTML, as it was reviewed.
    text: String,
    /// What it is called.
    title: String,
    /// TLP label of everything that is made of it.
    tlp: String,
    /// What the source is called; the person who stores it when absent.
    #[serde(default)]
    source: String,
    /// Keys of candidates, or `all` alone for every one that is suggested.
    accept: Vec<String>,
    /// 0 to 100.
    confidence: Option<u8>,
    /// When it was published; now when absent.
    published: Option<String>,
}

/// What was stored.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReportStored {
    /// Id of the report object.
    report: String,
    /// What became of every object.
    stored: ImportReport,
    /// Accepted candidates that STIX has no object for.
    skipped: Vec<String>,
}

async fn body(request: Request, most: usize) -> Result<Bytes, Problem> {
    axum::body::to_bytes(request.into_body(), most).await.map_err(|_| {
        let text = format!("a report has at most {MAX_REPORT_BYTES} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", text).remedy("Send it in parts.")
    })
}

/// Looks through a report (text, Markdown or HTML) for values and techniques; nothing is stored.
#[utoipa::path(post, path = "/api/v1/knowledge/reports/extract", tag = "knowledge",
    request_body(content = String, content_type = "text/plain"), responses(
    (status = 200, description = "The list to review", body = ReportReview),
    (status = 400, description = "Not UTF-8", body = Problem),
    (status = 413, description = "Too large", body = Problem)))]
pub(crate) async fn extract(
    State(room): State<Knowledge>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    request: Request,
) -> Result<Json<ReportReview>, Problem> {
    let sight = sight::of(&gate, &caller)?;
    let text = String::from_utf8(body(request, MAX_REPORT_BYTES).await?.to_vec())
        .map_err(|_| Problem::bad_request("the report is not UTF-8").remedy("Convert it first."))?;
    let _turn = room.turn().await;
    let reviewed = review::review(&room, text, sight).await?;
    let mut stored_as = Vec::new();
    let mut sql = room.platform().db.read().await?;
    for tlp in Tlp::ALL {
        let id = reviewed.report_id(tlp);
        if objects::known_at(&mut sql, id.as_str(), sight, i64::MAX).await?.is_some() {
            stored_as.push(id.as_str().to_owned());
        }
    }
    Ok(Json(ReportReview {
        sha256: reviewed.sha256,
        stored_as,
        candidates: reviewed.items,
        untold: reviewed.untold as u64,
    }))
}

/// Stores a report with what a person accepts of it, under one label. The same text under the same label is stored once.
#[utoipa::path(post, path = "/api/v1/knowledge/reports", tag = "knowledge", request_body = NewReport, responses(
    (status = 201, description = "What was stored", body = ReportStored),
    (status = 400, description = "It cannot be read", body = Problem),
    (status = 409, description = "This very text is stored under this label", body = Problem),
    (status = 413, description = "Too large", body = Problem),
    (status = 422, description = "A label, a title or a candidate that cannot be", body = Problem)))]
pub(crate) async fn store(
    State(room): State<Knowledge>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    request: Request,
) -> Result<(StatusCode, Json<ReportStored>), Problem> {
    let sight = sight::of(&gate, &caller)?;
    let bytes = body(request, MAX_REQUEST_BYTES).await?;
    let new: NewReport = serde_json::from_slice(&bytes).map_err(|cause| {
        Problem::bad_request(format!("the request cannot be read: {cause}"))
            .remedy("Compare it with the API description at /api/v1/openapi.json.")
    })?;
    let draft = drafted(&room, &new)?;
    if !sight.sees(intel::rank(draft.tlp)) {
        return Err(cannot(&format!("what you store as {} you could not read", draft.tlp.label()))
            .remedy("Choose a label that your role may read."));
    }
    let _turn = room.turn().await;
    let reviewed = review::review(&room, new.text, sight).await?;
    let accepted = accepted(&reviewed, &new.accept)?;
    let id = reviewed.report_id(draft.tlp);
    let mut sql = room.platform().db.read().await?;
    if objects::known_at(&mut sql, id.as_str(), sight, i64::MAX).await?.is_some() {
        let text = format!("this very text is stored as {}", id.as_str());
        return Err(
            Problem::conflict(text).remedy("Open that report; change or sight what it names.")
        );
    }
    drop(sql);
    let ontology = ontology::current(&room).await?;
    let made = reviewed.make(&draft, &accepted, &ontology);
    if made.objects.is_empty() {
        let text =
            format!("nothing of what was accepted can be stored: {}", made.skipped.join(", "));
        return Err(cannot(&text));
    }
    let origin = Origin::person(&caller.name, new.source.trim(), draft.tlp);
    let stored = import::keep_counted(&room, origin.source, made.objects).await?;
    let answer = ReportStored { report: made.report, stored, skipped: made.skipped };
    Ok((StatusCode::CREATED, Json(answer)))
}

fn drafted(room: &Knowledge, new: &NewReport) -> Result<Draft, Problem> {
    let bad =
        |text: &str, most: usize| text.chars().count() > most || text.chars().any(char::is_control);
    let title = new.title.trim();
    if title.is_empty() || bad(title, MAX_TITLE_CHARS) {
        return Err(cannot(&format!(
            "a title has 1 to {MAX_TITLE_CHARS} characters and no control signs"
        )));
    }
    if bad(&new.source, MAX_LABEL_CHARS) {
        return Err(cannot(&format!(
            "a source has at most {MAX_LABEL_CHARS} characters and no control signs"
        )));
    }
    if new.confidence.is_some_and(|confidence| confidence > 100) {
        return Err(cannot("confidence lies between 0 and 100"));
    }
    let tlp = Tlp::from_label(&new.tlp)
        .ok_or_else(|| cannot("tlp is none of clear, green, amber, amber+strict, red"))?;
    let now = room.platform().now();
    let published = super::time("published", new.published.as_deref())?;
    let published = published.map_or(now, model::Timestamp::from_micros);
    Ok(Draft {
        title: title.to_owned(),
        tlp,
        confidence: new.confidence,
        published: published.to_millis_text(),
        now: now.to_millis_text(),
        node: room.platform().node.id.to_string(),
    })
}

fn accepted(reviewed: &Reviewed, keys: &[String]) -> Result<BTreeSet<String>, Problem> {
    if let [all] = keys
        && all == "all"
    {
        let suggested = reviewed.items.iter().filter(|item| item.suggestion == "accept");
        let all: BTreeSet<String> = suggested.map(|item| item.key.clone()).collect();
        if all.is_empty() {
            return Err(cannot("nothing in this report is suggested without doubt")
                .remedy("Name the candidates that you accept."));
        }
        return Ok(all);
    }
    let known: BTreeSet<&str> = reviewed.items.iter().map(|item| item.key.as_str()).collect();
    if keys.is_empty() {
        return Err(cannot("no candidate is accepted").remedy("Accept at least one."));
    }
    let foreign = keys.iter().find(|key| !known.contains(key.as_str()));
    if let Some(key) = foreign {
        let clip: String = key.chars().take(120).collect();
        return Err(cannot(&format!("'{clip}' is no candidate of this text"))
            .remedy("Take the keys of POST /api/v1/knowledge/reports/extract for the same text."));
    }
    Ok(keys.iter().cloned().collect())
}

fn cannot(text: &str) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", text.to_owned())
}
