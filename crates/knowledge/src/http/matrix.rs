//! `GET /api/v1/intel/matrix` and `…/layer`: an ATT&CK matrix lit by what is known.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use feeds::knowledge::layer::Layer;
use platform::http::{Caller, Gate, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::ontology::{self, Ontology};
use crate::room::Knowledge;
use crate::sight;

/// Relations that say that somebody does it, not how to meet it.
const DOING: &[&str] = &["uses", "indicates", "related-to", "targets", "object", "sighting-of"];

/// Query.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct MatrixQuery {
    /// `enterprise-attack`, `ics-attack`, `mobile-attack`, `mitre-atlas`; the first there is when absent.
    domain: Option<String>,
}

/// A matrix.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntelMatrix {
    /// Domains that are loaded.
    domains: Vec<String>,
    /// Columns of techniques with how many relations speak of each; absent when nothing is loaded.
    #[schema(value_type = Option<Object>)]
    matrix: Option<feeds::knowledge::matrix::Matrix>,
    /// Terms of use of what is shown.
    statements: Vec<String>,
}

async fn numbers(
    room: &Knowledge,
    sight: intel::Sight,
    ontology: &Ontology,
) -> Result<BTreeMap<String, f64>, Problem> {
    let mut sql = room.platform().db.read().await?;
    let found = intel::graph::mentions(&mut sql, "attack-pattern", DOING, sight).await?;
    let mut numbers = BTreeMap::new();
    for (id, held) in found {
        if let Some(item) = ontology.tables.get(&id) {
            // Counts stay far below what a float holds exactly.
            #[allow(clippy::cast_precision_loss)]
            numbers.insert(item.id.clone(), held as f64);
        }
    }
    Ok(numbers)
}

fn domain(ontology: &Ontology, asked: Option<&str>) -> Result<Option<String>, Problem> {
    let known = || ontology.tables.matrices.iter().map(|order| order.domain.clone());
    match asked {
        None => Ok(known().next()),
        Some(wanted) => known().find(|domain| domain == wanted).map(Some).ok_or_else(|| {
            let all: Vec<String> = known().collect();
            let clip: String = wanted.chars().take(60).collect();
            Problem::not_found(format!("matrix '{clip}'")).remedy(format!(
                "Loaded are: {}. Import a bundle with `sereno intel import`.",
                all.join(", ")
            ))
        }),
    }
}

/// A matrix with how many relations in sight speak of each technique.
#[utoipa::path(get, path = "/api/v1/intel/matrix", tag = "knowledge", params(MatrixQuery), responses(
    (status = 200, description = "The matrix", body = IntelMatrix),
    (status = 404, description = "That matrix is not loaded", body = Problem)))]
pub(crate) async fn matrix(
    State(room): State<Knowledge>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Query(query): Query<MatrixQuery>,
) -> Result<Json<IntelMatrix>, Problem> {
    let sight = sight::of(&gate, &caller)?;
    let ontology = ontology::current(&room).await?;
    let domain = domain(&ontology, query.domain.as_deref())?;
    let numbers = numbers(&room, sight, &ontology).await?;
    let mut domains: Vec<String> =
        ontology.tables.matrices.iter().map(|order| order.domain.clone()).collect();
    domains.dedup();
    Ok(Json(IntelMatrix {
        matrix: domain.and_then(|domain| ontology.tables.matrix_of(&domain, &numbers)),
        domains,
        statements: ontology.tables.statements.clone(),
    }))
}

/// The same numbers as a layer for the ATT&CK Navigator.
#[utoipa::path(get, path = "/api/v1/intel/layer", tag = "knowledge", params(MatrixQuery), responses(
    (status = 200, description = "A Navigator layer", body = Object),
    (status = 404, description = "That matrix is not loaded", body = Problem)))]
pub(crate) async fn layer(
    State(room): State<Knowledge>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Query(query): Query<MatrixQuery>,
) -> Result<Response, Problem> {
    let sight = sight::of(&gate, &caller)?;
    let ontology = ontology::current(&room).await?;
    let domain = domain(&ontology, query.domain.as_deref())?;
    let domain = domain.ok_or_else(|| {
        Problem::not_found("a matrix").remedy("Import ATT&CK with `sereno intel import`.")
    })?;
    let mut numbers = numbers(&room, sight, &ontology).await?;
    numbers
        .retain(|id, _| ontology.tables.get(id).is_some_and(|item| item.domains.contains(&domain)));
    let name = format!("{} knows", room.platform().node.name);
    let text = Layer::of_scores(&name, &domain, &numbers).to_json();
    let kind = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"layer.json\""),
    ];
    Ok((kind, text).into_response())
}
