//! `GET /api/v1/intel/sources`: what lookups ask.

use ::intel::Sight;
use axum::extract::State;
use axum::{Extension, Json};
use model::Timestamp;
use platform::http::{Caller, Gate, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::intel;
use crate::room::Cti;
use crate::store::lists::{self, List};

/// One source.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntelSourceItem {
    /// Name.
    name: String,
    /// Values held, as far as they are in sight.
    values: i64,
    /// When it was loaded; absent for what grows by itself.
    #[schema(value_type = Option<String>)]
    loaded_at: Option<Timestamp>,
    /// Licence, or what it consists of.
    licence: String,
}

/// The sources of intelligence.
#[utoipa::path(get, path = "/api/v1/intel/sources", tag = "cti", responses(
    (status = 200, description = "Sources", body = Vec<IntelSourceItem>)))]
pub(crate) async fn sources(
    State(cti): State<Cti>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
) -> Result<Json<Vec<IntelSourceItem>>, Problem> {
    let sight = Sight::of(&gate, &caller);
    let mut sql = cti.platform().db.read().await?;
    let mut items = Vec::new();
    for list in lists::all(&mut sql).await? {
        let source = ::intel::sources::by_key(&mut sql, &List::key(&list.name)).await?;
        items.push(IntelSourceItem {
            name: list.name,
            values: list.held,
            loaded_at: Some(Timestamp::from_micros(list.loaded_at_us)),
            licence: source.map(|stored| stored.source.licence).unwrap_or_default(),
        });
    }
    items.push(IntelSourceItem {
        name: intel::STIX.into(),
        values: cti.counted().get(&mut sql, cti.platform().now(), sight).await?,
        loaded_at: None,
        licence: "what the stored STIX objects name; each its origin's".into(),
    });
    Ok(Json(items))
}
