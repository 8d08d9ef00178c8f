//! `POST /api/v1/knowledge/catalogues/{name}`: D3FEND and CWE, from the files that their sites offer.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use platform::http::Problem;
use serde::Serialize;
use utoipa::ToSchema;

use crate::catalogue::{self, Catalogue};
use crate::import::ImportReport;
use crate::room::Knowledge;

/// Largest file, bytes, packed or not.
const MAX_FILE_BYTES: usize = 64 << 20;
/// Unknown techniques that are told.
const MAX_TOLD: usize = 100;

/// What a catalogue brought.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CatalogueLoaded {
    /// What became of every object.
    stored: ImportReport,
    /// Techniques that it names and that are not loaded here, the first hundred.
    unknown: Vec<String>,
    /// How many those are.
    unknown_count: u64,
}

/// Loads D3FEND (`d3fend`: its ontology in Turtle) or CWE (`cwe`: a CSV table), packed or not. ATT&CK first: countermeasures
/// are related to the techniques that are loaded.
#[utoipa::path(post, path = "/api/v1/knowledge/catalogues/{name}", tag = "knowledge",
    params(("name" = String, Path, description = "`d3fend` or `cwe`")),
    request_body(content = String, content_type = "application/octet-stream"), responses(
    (status = 200, description = "What was stored", body = CatalogueLoaded),
    (status = 404, description = "No such catalogue", body = Problem),
    (status = 413, description = "Too large", body = Problem),
    (status = 422, description = "It cannot be read", body = Problem)))]
pub(crate) async fn load(
    State(room): State<Knowledge>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<CatalogueLoaded>, Problem> {
    let clip: String = name.chars().take(60).collect();
    let which = Catalogue::named(&name).ok_or_else(|| {
        Problem::not_found(format!("catalogue '{clip}'")).remedy("There are d3fend and cwe.")
    })?;
    let body = axum::body::to_bytes(request.into_body(), MAX_FILE_BYTES).await.map_err(|_| {
        let text = format!("the file is larger than {MAX_FILE_BYTES} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", text)
            .remedy("Is it the right one?")
    })?;
    let loaded = catalogue::load(&room, which, body.to_vec()).await?;
    Ok(Json(CatalogueLoaded {
        stored: loaded.report,
        unknown_count: loaded.unknown.len() as u64,
        unknown: loaded.unknown.into_iter().take(MAX_TOLD).collect(),
    }))
}
