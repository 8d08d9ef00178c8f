//! `GET /api/v1/intel/common-values`: values that so many name that they tell nothing.

use axum::Json;
use axum::extract::{Query, State};
use intel::excuse::Excuses;
use intel::values;
use platform::http::Problem;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::room::Knowledge;

/// Query.
#[derive(Debug, Deserialize, IntoParams)]
pub(crate) struct HeldQuery {
    /// Only values that at least so many name; 100 when absent.
    least: Option<i64>,
}

/// A value that many name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CommonValue {
    /// The value.
    value: String,
    /// Its kind.
    kind: String,
    /// How many name it.
    held: i64,
    /// Why it is treated as common.
    reason: String,
}

/// The most common values, with the reason why they are not followed further.
#[utoipa::path(get, path = "/api/v1/intel/common-values", tag = "knowledge", params(HeldQuery), responses(
    (status = 200, description = "Common values, the most common first", body = Vec<CommonValue>)))]
pub(crate) async fn held(
    State(room): State<Knowledge>,
    axum::Extension(gate): axum::Extension<platform::http::Gate>,
    caller: platform::http::Caller,
    Query(query): Query<HeldQuery>,
) -> Result<Json<Vec<CommonValue>>, Problem> {
    // Counts run over everything stored: they are for those who may see everything.
    let sight = crate::sight::of(&gate, &caller)?;
    if sight != intel::Sight::ALL {
        return Ok(Json(vec![]));
    }
    let mut sql = room.platform().db.read().await?;
    let least = query.least.unwrap_or(100).max(2);
    let found = values::most_held(&mut sql, least, 500).await?;
    let excuses = Excuses::current(&mut sql).await?;
    let shown = found.into_iter().map(|shared| CommonValue {
        reason: match excuses.of(&shared.value) {
            Some(list) => format!("on the list of well-known values “{list}”"),
            None if shared.held > values::MAX_HOLDERS => {
                format!("named by more than {}: only counted beyond", values::MAX_HOLDERS)
            }
            None => "named by many".to_owned(),
        },
        value: shared.value,
        kind: shared.kind,
        held: shared.held,
    });
    Ok(Json(shown.collect()))
}
