//! `/api/v1/map/layers`: maps and plans of the house.

use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use platform::blobs::Blobs;
use platform::http::{Caller, Json, Page, Problem};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::layers::{Layer, MAX_LAYERS, MAX_NAME_CHARS, MAX_UPLOAD_BYTES, sniff, store};
use crate::sites::{Fresh, SiteChanged};
use crate::{Assets, AssetsError};

/// All layers.
#[utoipa::path(get, path = "/api/v1/map/layers", tag = "assets",
    responses((status = 200, body = Page<Layer>)))]
pub(crate) async fn list(State(assets): State<Assets>) -> Result<Json<Page<Layer>>, Problem> {
    let mut connection = assets.platform.db.read().await.map_err(AssetsError::from)?;
    let layers = store::list(&mut connection).await.map_err(AssetsError::from)?;
    Ok(Json(Page::whole(layers)))
}

/// How it shall be called.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Named {
    /// 1 to 80 characters.
    name: String,
}

fn checked(name: &str) -> Result<String, AssetsError> {
    let name = name.trim();
    let long = name.chars().count() > MAX_NAME_CHARS;
    if name.is_empty() || long || name.chars().any(char::is_control) {
        return Err(AssetsError::Invalid(format!(
            "a layer's name has 1 to {MAX_NAME_CHARS} characters on one line"
        )));
    }
    Ok(name.to_owned())
}

/// Keeps a file: GeoJSON, PMTiles 3, PNG or JPEG. What it is, its bytes say.
#[utoipa::path(post, path = "/api/v1/map/layers", tag = "assets", params(Named),
    request_body(content_type = "application/octet-stream"),
    responses((status = 201, body = Layer), (status = 409, body = Problem), (status = 413, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn add(
    State(assets): State<Assets>,
    Query(named): Query<Named>,
    caller: Caller,
    request: Request,
) -> Result<(StatusCode, Json<Layer>), Problem> {
    let name = checked(&named.name)?;
    // One upload at a time: each is held whole in memory while it is judged.
    let Ok(_one) = assets.uploads.try_acquire() else {
        return Err(Problem::conflict("another map or plan is being uploaded")
            .remedy("Try again when it is done."));
    };
    let body = axum::body::to_bytes(request.into_body(), MAX_UPLOAD_BYTES).await.map_err(|_| {
        let text = format!("the file is larger than {MAX_UPLOAD_BYTES} bytes, or broke off");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", text)
            .remedy("Make the area or the detail of the map smaller (`pmtiles extract`).")
    })?;
    let found = sniff::sniff(&body).map_err(AssetsError::Invalid)?;
    let blob = Blobs::new(&assets.platform.data)
        .put(&body)
        .await
        .map_err(|error| AssetsError::Files(error.to_string()))?;
    let bytes = u64::try_from(body.len()).unwrap_or(u64::MAX);
    let layer: Result<Layer, AssetsError> = assets
        .platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                if store::count(tx.sql()).await? >= MAX_LAYERS {
                    return Err(AssetsError::Conflict(format!(
                        "there are {MAX_LAYERS} maps and plans, the most there can be; remove one first"
                    )));
                }
                let layer = Layer {
                    id: tx.mint::<Fresh>().to_string(),
                    name,
                    form: found.form.into(),
                    media: found.media.into(),
                    bytes,
                    width: found.size.map(|(width, _)| width.into()),
                    height: found.size.map(|(_, height)| height.into()),
                    added_by: caller.name.clone(),
                    recorded_at: tx.now(),
                    blob,
                };
                store::insert(tx, &layer).await?;
                let change = format!("Map layer added: {} ({})", layer.name, layer.form);
                tx.publish(&caller.name, &SiteChanged { id: layer.id.clone(), change }).await?;
                Ok(layer)
            })
        })
        .await;
    Ok((StatusCode::CREATED, Json(layer?)))
}

/// Removes a layer; refused while sites stand on it.
#[utoipa::path(delete, path = "/api/v1/map/layers/{id}", tag = "assets",
    params(("id" = String, Path, description = "The layer's id")),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn remove(
    State(assets): State<Assets>,
    Path(id): Path<String>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    let done: Result<(), AssetsError> = assets
        .platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                let missing = || AssetsError::NoLayer(id.chars().take(80).collect());
                let layer = store::find(tx.sql(), &id).await?.ok_or_else(missing)?;
                let sites = store::sites_on(tx.sql(), &id).await?;
                if !sites.is_empty() {
                    return Err(AssetsError::Conflict(format!(
                        "sites stand on this plan ({}); take them off it first",
                        sites.join(", ")
                    )));
                }
                store::remove(tx, &id).await?;
                let change = format!("Map layer removed: {}", layer.name);
                tx.publish(&caller.name, &SiteChanged { id: id.clone(), change }).await?;
                Ok(())
            })
        })
        .await;
    done?;
    Ok(StatusCode::NO_CONTENT)
}
