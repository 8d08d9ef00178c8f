//! `GET /api/v1/intel/export`: what a query finds, as a STIX bundle.

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::{Extension, http::StatusCode};
use intel::search::{self, MAX_LIMIT, Wanted};
use platform::http::{Caller, Gate, Problem};
use serde::Deserialize;
use utoipa::IntoParams;

use super::time;
use crate::room::Knowledge;
use crate::sight;

/// Query.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct ExportQuery {
    /// What is wanted, in the query language.
    q: Option<String>,
    /// As known on this time.
    at: Option<String>,
}

/// Everything a query finds, each object as it came.
#[utoipa::path(get, path = "/api/v1/intel/export", tag = "knowledge", params(ExportQuery), responses(
    (status = 200, description = "A STIX 2.1 bundle", body = Object,
        content_type = "application/stix+json;version=2.1"),
    (status = 400, description = "The query cannot be read", body = Problem),
    (status = 413, description = "More objects than one answer holds", body = Problem)))]
pub(crate) async fn export(
    State(room): State<Knowledge>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Query(query): Query<ExportQuery>,
) -> Result<Response, Problem> {
    let sight = sight::of(&gate, &caller)?;
    let now_us = room.platform().now().as_micros();
    let parsed = super::search::read(query.q.as_deref(), now_us)?;
    let most = room.config().max_export_objects;
    let mut wanted = Wanted {
        query: &parsed,
        sight,
        // As known now, all the way: what changes while pages are read is in none of them twice, and in one.
        at_us: Some(time("at", query.at.as_deref())?.unwrap_or(now_us)),
        before_seq: None,
        limit: MAX_LIMIT,
        count: false,
    };
    let _turn = room.turn().await;
    let mut sql = room.platform().db.read().await?;
    let max_bytes = room.config().max_import_bytes;
    let (mut held, mut objects) = (0, String::new());
    loop {
        let found = search::run(&mut sql, &wanted).await?;
        for hit in found.hits {
            held += 1;
            objects.push_str(if objects.is_empty() { "" } else { "," });
            objects.push_str(&hit.body);
        }
        if held > most || objects.len() > max_bytes {
            let text = format!("the query finds more than {most} objects, or {max_bytes} bytes");
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many", text).remedy(
                "Narrow the query down, or raise knowledge.max_export_objects or max_import_bytes.",
            ));
        }
        wanted.before_seq = found.next_seq;
        if found.next_seq.is_none() {
            break;
        }
    }
    let id = room.platform().uuid4();
    let mut text = format!("{{\"type\":\"bundle\",\"id\":\"bundle--{id}\"");
    if !objects.is_empty() {
        text.push_str(",\"objects\":[");
        text.push_str(&objects);
        text.push(']');
    }
    text.push('}');
    let kind = [
        (header::CONTENT_TYPE, "application/stix+json;version=2.1"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"intelligence.stix.json\""),
    ];
    Ok((kind, text).into_response())
}
