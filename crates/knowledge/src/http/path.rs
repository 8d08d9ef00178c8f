//! `GET /api/v1/intel/path`: how two objects hang together.

use axum::extract::{Query, State};
use axum::{Extension, Json};
use intel::{graph, objects};
use platform::http::{Caller, Gate, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::relations::{IntelRelation, ends};
use super::{IntelItem, not_here, time};
use crate::room::Knowledge;
use crate::sight;

/// Query.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct PathQuery {
    /// STIX id where it begins.
    from: String,
    /// STIX id where it ends.
    to: String,
    /// As known on this time.
    at: Option<String>,
}

/// A shortest path.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntelPath {
    /// Whether there is one.
    found: bool,
    /// One sentence.
    summary: String,
    /// The relations in order.
    relations: Vec<IntelRelation>,
    /// The objects on the way.
    objects: Vec<IntelItem>,
}

/// A shortest path of at most eight relations, hubs passed by.
#[utoipa::path(get, path = "/api/v1/intel/path", tag = "knowledge", params(PathQuery), responses(
    (status = 200, description = "The path, if there is one", body = IntelPath),
    (status = 404, description = "An end is not known, or not for you", body = Problem)))]
pub(crate) async fn path(
    State(room): State<Knowledge>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Query(query): Query<PathQuery>,
) -> Result<Json<IntelPath>, Problem> {
    let sight = sight::of(&gate, &caller)?;
    let at_us = time("at", query.at.as_deref())?.unwrap_or(i64::MAX);
    let _turn = room.turn().await;
    let mut sql = room.platform().db.read().await?;
    let mut nodes = [0, 0];
    for (node, id) in nodes.iter_mut().zip([&query.from, &query.to]) {
        let stored = objects::known_at(&mut sql, id, sight, at_us).await?;
        *node = stored.ok_or_else(|| not_here(id))?.node;
    }
    let (relations, summary) = match graph::path(&mut sql, nodes[0], nodes[1], sight, at_us).await?
    {
        graph::Path::Found(steps) => {
            let summary = format!("{} relation(s) lead from one to the other", steps.len());
            (steps, summary)
        }
        graph::Path::None => (vec![], format!("no path of at most {} relations", graph::MAX_STEPS)),
        graph::Path::TooWide => {
            let text = format!("more than {} objects lie around; start closer", graph::MAX_VISITED);
            (vec![], text)
        }
    };
    Ok(Json(IntelPath {
        found: !relations.is_empty() || nodes[0] == nodes[1],
        summary,
        objects: ends(&mut sql, &relations, sight).await?,
        relations: relations.iter().map(IntelRelation::from).collect(),
    }))
}
