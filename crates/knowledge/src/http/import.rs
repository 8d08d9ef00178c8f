//! `POST /api/v1/intel/import`: takes a STIX bundle in.

use axum::extract::{Query, Request, State};
use axum::{Extension, Json};
use platform::http::{Caller, Gate, Problem};
use serde::Deserialize;
use stix::Tlp;
use utoipa::IntoParams;

use crate::import::{self, ImportReport, Origin};
use crate::room::Knowledge;
use crate::sight;

/// Query.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct ImportQuery {
    /// What the source is called; the person who imports when absent.
    label: Option<String>,
    /// TLP of objects that carry no marking; `amber` when absent.
    tlp: Option<String>,
}

/// Characters of a source's name.
const MAX_LABEL_CHARS: usize = 120;

/// Stores the objects of a STIX 2.1 bundle; those that break a rule are refused one by one and named.
#[utoipa::path(post, path = "/api/v1/intel/import", tag = "knowledge", params(ImportQuery),
    request_body(content = Object, content_type = "application/json",
        description = "A STIX 2.1 bundle, a list of objects, or one object"),
    responses((status = 200, description = "What became of every object", body = ImportReport),
    (status = 400, description = "It cannot be read; nothing was stored", body = Problem),
    (status = 413, description = "Too large", body = Problem)))]
pub(crate) async fn import(
    State(room): State<Knowledge>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Query(query): Query<ImportQuery>,
    request: Request,
) -> Result<Json<ImportReport>, Problem> {
    sight::of(&gate, &caller)?;
    let (label, tlp) = wanted(query.label, query.tlp.as_deref())?;
    let most = room.config().max_import_bytes;
    let body = axum::body::to_bytes(request.into_body(), most).await.map_err(|_| {
        let text = format!("the bundle is larger than {most} bytes; nothing was stored");
        Problem::new(axum::http::StatusCode::PAYLOAD_TOO_LARGE, "too-large", text)
            .remedy("Send it in parts, or raise knowledge.max_import_bytes.")
    })?;
    let origin = Origin::person(&caller.name, &label, tlp);
    Ok(Json(import::run(&room, origin, body).await?))
}

/// The name of the source and the label of what carries none, read from a query.
pub(crate) fn wanted(label: Option<String>, tlp: Option<&str>) -> Result<(String, Tlp), Problem> {
    let label = label.unwrap_or_default();
    if label.chars().count() > MAX_LABEL_CHARS || label.chars().any(char::is_control) {
        let text = format!("a label has at most {MAX_LABEL_CHARS} characters and no control signs");
        return Err(Problem::bad_request(text));
    }
    let tlp = Tlp::from_label(tlp.unwrap_or("amber")).ok_or_else(|| {
        Problem::bad_request("tlp is none of clear, green, amber, amber+strict, red")
    })?;
    Ok((label.trim().to_owned(), tlp))
}
