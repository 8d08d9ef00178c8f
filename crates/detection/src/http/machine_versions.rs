//! `GET /api/v1/detection/commands/{edge}/versions`: the versions of a machine model.

use axum::extract::{Path, Query, State};
use model::Timestamp;
use platform::http::{Json, Page, PageQuery, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Detection;
use crate::error::DetectionError;
use crate::machines::versions::no_machine;
use crate::registry;
use crate::state::moment;
use crate::store::machine_models::{self, MachineModelRow};

/// One version of a machine model.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct MachineVersion {
    /// Number of the version, from 1.
    version: i64,
    /// `active` or `retired`.
    state: String,
    /// `learned`, `edited` or `taught` (a person said "learn it").
    origin: String,
    /// Who made it.
    author: String,
    /// Why, in words.
    reason: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    made_at: Timestamp,
    /// Pairs of machines.
    pairs: i64,
    /// Functions of all pairs.
    functions: i64,
    /// Operations learned from.
    operations: i64,
    /// Over how long, seconds.
    seconds: f64,
    /// SHA-256 of its text.
    file: String,
    /// Ed25519 by the node's key, hex.
    signature: String,
    /// The public key, hex.
    signed_by: String,
    /// Whether the signature fits.
    signature_valid: bool,
}

/// The versions of a machine model, newest first.
#[utoipa::path(get, path = "/api/v1/detection/commands/{edge}/versions", tag = "detection",
    params(("edge" = String, Path, description = "The edge's name"), PageQuery),
    responses((status = 200, body = Page<MachineVersion>), (status = 404, body = Problem)))]
pub(crate) async fn versions(
    State(detection): State<Detection>,
    Path(edge): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<MachineVersion>>, Problem> {
    let (limit, after) = (query.limit(), query.after()?);
    let before = after.and_then(|text| text.parse().ok()).unwrap_or(i64::MAX);
    if detection.engine().await?.machine(&edge).is_none() {
        return Err(no_machine(&edge).into());
    }
    let platform = &detection.inner.platform;
    let mut connection = platform.db.read().await.map_err(DetectionError::from)?;
    let wanted = i64::from(limit) + 1;
    let rows = machine_models::of_edge(&mut connection, &edge, before, wanted).await?;
    let view = |row: MachineModelRow| MachineVersion {
        signature_valid: registry::check_machine(platform, &row).is_ok(),
        version: row.number,
        state: row.state,
        origin: row.origin,
        author: row.author,
        reason: row.reason,
        made_at: moment(row.created_at),
        pairs: row.pairs,
        functions: row.functions,
        operations: row.operations,
        seconds: row.seconds,
        file: row.blob,
        signature: row.signature,
        signed_by: row.signed_by,
    };
    let items = rows.into_iter().map(view).collect();
    Ok(Json(Page::from_surplus(items, limit, |item: &MachineVersion| item.version.to_string())))
}
