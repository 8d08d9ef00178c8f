//! `GET /api/v1/intel/objects/{id}/relations`: neighbours, page by page.

use std::collections::HashMap;

use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use intel::graph::{self, Relation};
use intel::{Sight, objects};
use model::Timestamp;
use platform::http::{Caller, Gate, Problem};
use serde::{Deserialize, Serialize};
use sqlx::AnyConnection;
use utoipa::{IntoParams, ToSchema};

use super::{IntelItem, Names, not_here, time};
use crate::room::Knowledge;
use crate::sight;

/// Query.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct RelationsQuery {
    /// As known on this time.
    at: Option<String>,
    /// Relations on the page, at most 1000; 100 when absent.
    limit: Option<i64>,
    /// Where to go on, from `next`.
    cursor: Option<String>,
}

/// Relations with the objects at their ends.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntelRelations {
    /// The relations.
    relations: Vec<IntelRelation>,
    /// The objects at their ends that are known here.
    objects: Vec<IntelItem>,
    /// Cursor of the next page.
    next: Option<String>,
}

/// One relation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntelRelation {
    /// STIX id where it begins.
    origin: String,
    /// STIX id where it ends.
    target: String,
    /// Its kind.
    kind: String,
    /// The object that says so.
    told_by: String,
    /// When that became known.
    #[schema(value_type = String, format = DateTime)]
    known_at: Timestamp,
}

impl From<&Relation> for IntelRelation {
    fn from(relation: &Relation) -> Self {
        Self {
            origin: relation.origin.clone(),
            target: relation.target.clone(),
            kind: relation.kind.clone(),
            told_by: relation.teller.clone(),
            known_at: Timestamp::from_micros(relation.recorded_us),
        }
    }
}

/// The objects at the ends of relations, each once.
pub(crate) async fn ends(
    sql: &mut AnyConnection,
    relations: &[Relation],
    sight: Sight,
) -> Result<Vec<IntelItem>, Problem> {
    let mut nodes: Vec<i64> = relations.iter().flat_map(Relation::ends).collect();
    nodes.sort_unstable();
    nodes.dedup();
    let names = Names::read(sql).await?;
    let found = objects::by_nodes(sql, &nodes, sight).await?;
    let by_id: HashMap<&str, &objects::Stored> =
        found.iter().map(|stored| (stored.id.as_str(), stored)).collect();
    let mut items: Vec<IntelItem> =
        by_id.values().map(|stored| IntelItem::new(stored, &names)).collect();
    items.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(items)
}

/// What stands in relation with an object, both directions.
#[utoipa::path(get, path = "/api/v1/intel/objects/{id}/relations", tag = "knowledge",
    params(("id" = String, Path, description = "STIX id"), RelationsQuery), responses(
    (status = 200, description = "Relations", body = IntelRelations),
    (status = 404, description = "Not known, or not for you", body = Problem)))]
pub(crate) async fn relations(
    State(room): State<Knowledge>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<RelationsQuery>,
) -> Result<Json<IntelRelations>, Problem> {
    let sight = sight::of(&gate, &caller)?;
    let at_us = time("at", query.at.as_deref())?.unwrap_or(i64::MAX);
    let after = match &query.cursor {
        Some(cursor) => super::search::place(&platform::http::decode_cursor(cursor)?)?,
        None => 0,
    };
    let mut sql = room.platform().db.read().await?;
    let stored = objects::known_at(&mut sql, &id, sight, at_us).await?;
    let stored = stored.ok_or_else(|| not_here(&id))?;
    let limit = query.limit.unwrap_or(100);
    let (relations, next) =
        graph::neighbours(&mut sql, stored.node, sight, at_us, after, limit).await?;
    Ok(Json(IntelRelations {
        objects: ends(&mut sql, &relations, sight).await?,
        relations: relations.iter().map(IntelRelation::from).collect(),
        next: next.map(|place| platform::http::encode_cursor(&place.to_string())),
    }))
}
