//! `GET /api/v1/knowledge/licences`: under which terms the knowledge here may be used.

use axum::Json;
use axum::extract::State;
use intel::sources;
use platform::http::{Caller, Gate, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::room::Knowledge;
use crate::{ontology, sight};

/// Name, terms in a word, text, and what of it lies here when it is not part of the program.
const TEXTS: &[(&str, &str, &str, Option<&str>)] = &[
    ("ipsum", "Unlicense", include_str!("../../../../data/intel/LICENSE-ipsum"), None),
    (
        "MISP warninglists",
        "CC0-1.0",
        include_str!("../../../../data/licences/misp-warninglists.txt"),
        None,
    ),
    (
        "MISP object templates",
        "CC0-1.0 or BSD-2-Clause",
        include_str!("../../../../data/licences/misp-objects.txt"),
        None,
    ),
    (
        "MISP taxonomies",
        "CC0-1.0 or BSD-2-Clause",
        include_str!("../../../../data/licences/misp-taxonomies.txt"),
        None,
    ),
    (
        "ATT&CK and CAPEC",
        "MITRE's terms of use",
        include_str!("../../../../data/licences/attack-and-capec.txt"),
        Some("attack"),
    ),
    ("ATLAS", "Apache-2.0", include_str!("../../../../data/licences/atlas.txt"), Some("atlas")),
    ("D3FEND", "MIT", include_str!("../../../../data/licences/d3fend.txt"), Some("d3fend")),
];

/// Terms of one thing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KnowledgeLicence {
    /// Of what.
    name: String,
    /// In a word.
    terms: String,
    /// The text, where the program has it.
    text: Option<String>,
    /// `shipped` with the program, `loaded` by somebody here, `source`: as a source states it, `statement`: as objects
    /// state it.
    origin: String,
}

/// Licences of the knowledge that ships with the program and of what is loaded and in sight.
#[utoipa::path(get, path = "/api/v1/knowledge/licences", tag = "knowledge", responses(
    (status = 200, description = "Terms", body = Vec<KnowledgeLicence>)))]
pub(crate) async fn licences(
    State(room): State<Knowledge>,
    axum::Extension(gate): axum::Extension<Gate>,
    caller: Caller,
) -> Result<Json<Vec<KnowledgeLicence>>, Problem> {
    let sight = sight::of(&gate, &caller)?;
    let ontology = ontology::current(&room).await?;
    let domain = |wanted: &str| {
        let mut domains = ontology.tables.items().iter().flat_map(|item| &item.domains);
        domains.any(|domain| domain.contains(wanted))
    };
    let mut sql = room.platform().db.read().await?;
    let known = sources::all(&mut sql).await?;
    let d3fend = known.iter().any(|one| one.source.key == "knowledge:d3fend");
    let loaded = |what: &str| match what {
        "attack" => domain("attack") || domain("capec"),
        "d3fend" => d3fend,
        other => domain(other),
    };
    let mut all: Vec<KnowledgeLicence> = TEXTS
        .iter()
        .filter(|(.., when)| when.is_none_or(loaded))
        .map(|(name, terms, text, when)| KnowledgeLicence {
            name: (*name).to_owned(),
            terms: (*terms).to_owned(),
            text: Some((*text).to_owned()),
            origin: if when.is_none() { "shipped" } else { "loaded" }.to_owned(),
        })
        .collect();
    let stated = known
        .into_iter()
        .filter(|one| sight.sees(intel::rank(one.source.tlp)) && !one.source.licence.is_empty());
    all.extend(stated.map(|one| KnowledgeLicence {
        name: one.source.name,
        terms: one.source.licence,
        text: None,
        origin: "source".into(),
    }));
    all.extend(ontology.tables.statements.iter().map(|text| KnowledgeLicence {
        name: "Statement of loaded objects".into(),
        terms: text.clone(),
        text: None,
        origin: "statement".into(),
    }));
    Ok(Json(all))
}
