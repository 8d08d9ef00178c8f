//! `GET /api/v1/intel/sources`: what lookups ask.

use axum::Json;
use axum::extract::State;
use model::Timestamp;
use platform::http::Problem;
use serde::Serialize;
use utoipa::ToSchema;

use crate::intel;
use crate::room::Cti;
use crate::store::{objects, values};

/// One source.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct IntelSourceItem {
    /// Name.
    name: String,
    /// Values held.
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
pub(crate) async fn sources(State(cti): State<Cti>) -> Result<Json<Vec<IntelSourceItem>>, Problem> {
    let mut sql = cti.platform().db.read().await?;
    let mut items: Vec<IntelSourceItem> = values::sources(&mut sql)
        .await?
        .into_iter()
        .map(|source| IntelSourceItem {
            name: source.name,
            values: source.held,
            loaded_at: Some(Timestamp::from_micros(source.loaded_at_us)),
            licence: source.licence,
        })
        .collect();
    let stored = objects::count(&mut sql).await?;
    items.push(IntelSourceItem {
        name: intel::STIX.into(),
        values: values::count(&mut sql, intel::STIX).await?,
        loaded_at: None,
        licence: format!(
            "indicators among {stored} stored STIX object versions; each its origin's"
        ),
    });
    Ok(Json(items))
}
