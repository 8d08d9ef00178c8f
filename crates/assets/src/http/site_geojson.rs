//! `/api/v1/sites/geojson`: all sites as one file, and back.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use platform::http::{Caller, Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::sites::{MAX_SITES, SiteChanged, geojson, store};
use crate::{Assets, AssetsError};

/// What an import did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Imported {
    /// Sites that are new.
    made: u64,
    /// Sites that had the name and were changed.
    changed: u64,
}

/// All sites as GeoJSON (RFC 7946): points, or no geometry where no position is known.
#[utoipa::path(get, path = "/api/v1/sites/geojson", tag = "assets",
    responses((status = 200, description = "A feature collection", content_type = "application/geo+json")))]
pub(crate) async fn export(State(assets): State<Assets>) -> Result<impl IntoResponse, Problem> {
    let mut connection = assets.platform.db.read().await.map_err(AssetsError::from)?;
    let most = i64::try_from(MAX_SITES).unwrap_or(i64::MAX);
    let sites = store::list(&mut connection, None, most).await.map_err(AssetsError::from)?;
    let headers = [
        (header::CONTENT_TYPE, "application/geo+json"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"sites.geojson\""),
    ];
    Ok((headers, geojson::write(&sites).to_string()))
}

/// Makes or changes sites by their names, all or none; at most 4 MiB and 5000 features.
#[utoipa::path(post, path = "/api/v1/sites/geojson", tag = "assets",
    request_body(content = String, content_type = "application/geo+json"),
    responses((status = 200, body = Imported), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn import(
    State(assets): State<Assets>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<Imported>, Problem> {
    let drafts = geojson::read(&body).map_err(|faults| {
        let text = "this is no file of sites; nothing was changed";
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "not-geojson", text)
            .remedy("Correct what is named, and load the file again.")
            .errors(faults)
    })?;
    let done: Result<Imported, AssetsError> = assets
        .platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                let (mut made, mut changed) = (0, 0);
                for mut draft in drafts {
                    match store::find(tx.sql(), &draft.name).await? {
                        Some(known) => {
                            super::site::free(tx.sql(), &draft, Some(&known.id)).await?;
                            // A file without plans does not take a site off its plan.
                            draft.plan = draft.plan.or(known.plan);
                            store::replace(tx, &known.id, &draft).await?;
                            changed += 1;
                        }
                        None => {
                            super::site::free(tx.sql(), &draft, None).await?;
                            store::insert(tx, &draft).await?;
                            made += 1;
                        }
                    }
                }
                if store::count(tx.sql()).await? > i64::try_from(MAX_SITES).unwrap_or(i64::MAX) {
                    return Err(AssetsError::Conflict(format!(
                        "with these there would be more than {MAX_SITES} sites; nothing was changed"
                    )));
                }
                let change = format!("Sites imported: {made} new, {changed} changed");
                tx.publish(&caller.name, &SiteChanged { id: "import".into(), change }).await?;
                Ok(Imported { made, changed })
            })
        })
        .await;
    Ok(Json(done?))
}
