//! `/api/v1/sites/{id}`: one site: read, replaced, removed.

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use platform::http::{Caller, Json, Problem};
use serde::Deserialize;
use sqlx::AnyConnection;
use utoipa::IntoParams;

use super::sites::SiteGiven;
use crate::sites::{Draft, Site, SiteChanged, store};
use crate::{Assets, AssetsError, layers};

/// Refuses a name that another site has, and a plan that is none.
pub(crate) async fn free(
    connection: &mut AnyConnection,
    draft: &Draft,
    own: Option<&str>,
) -> Result<(), AssetsError> {
    let same = store::find(connection, &draft.name).await?;
    if let Some(other) = same.filter(|other| Some(other.id.as_str()) != own) {
        return Err(AssetsError::Conflict(format!(
            "a site called {} exists; choose another name, or change that one",
            other.name
        )));
    }
    if let Some(spot) = &draft.plan {
        let layer = layers::store::find(connection, &spot.layer).await?;
        if layer.is_none_or(|layer| layer.form != "plan") {
            return Err(AssetsError::Invalid(
                "there is no plan with this id; upload the image first (`sereno site plan`)".into(),
            ));
        }
    }
    Ok(())
}

fn missing(id: &str) -> AssetsError {
    AssetsError::NoSite(id.chars().take(80).collect())
}

/// One site, by its id or its name.
#[utoipa::path(get, path = "/api/v1/sites/{id}", tag = "assets",
    params(("id" = String, Path, description = "The site's id or name")),
    responses((status = 200, body = Site), (status = 404, body = Problem)))]
pub(crate) async fn site(
    State(assets): State<Assets>,
    Path(id): Path<String>,
) -> Result<Json<Site>, Problem> {
    let mut connection = assets.platform.db.read().await.map_err(AssetsError::from)?;
    let site = store::find(&mut connection, &id).await.map_err(AssetsError::from)?;
    Ok(Json(site.ok_or_else(|| missing(&id))?))
}

/// Replaces what is known of a site; its devices stay.
#[utoipa::path(put, path = "/api/v1/sites/{id}", tag = "assets",
    params(("id" = String, Path, description = "The site's id or name")), request_body = SiteGiven,
    responses((status = 200, body = Site), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn replace(
    State(assets): State<Assets>,
    Path(id): Path<String>,
    caller: Caller,
    Json(given): Json<SiteGiven>,
) -> Result<Json<Site>, Problem> {
    let draft = Draft::from(given).checked()?;
    let site: Result<Site, AssetsError> = assets
        .platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                let known = store::find(tx.sql(), &id).await?.ok_or_else(|| missing(&id))?;
                free(tx.sql(), &draft, Some(&known.id)).await?;
                store::replace(tx, &known.id, &draft).await?;
                let change = format!("Site changed: {} ({})", draft.name, draft.kind);
                tx.publish(&caller.name, &SiteChanged { id: known.id.clone(), change }).await?;
                store::find(tx.sql(), &known.id).await?.ok_or_else(|| missing(&id))
            })
        })
        .await;
    Ok(Json(site?))
}

/// What shall become of the devices.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct Removal {
    /// Where the devices go: another site's id or name, or `none`. Without it a site with devices stays.
    move_to: Option<String>,
}

/// Removes a site; refused while devices stand there and nobody says where they go.
#[utoipa::path(delete, path = "/api/v1/sites/{id}", tag = "assets",
    params(("id" = String, Path, description = "The site's id or name"), Removal),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
pub(crate) async fn remove(
    State(assets): State<Assets>,
    Path(id): Path<String>,
    Query(removal): Query<Removal>,
    caller: Caller,
) -> Result<StatusCode, Problem> {
    let done: Result<(), AssetsError> = assets
        .platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                let known = store::find(tx.sql(), &id).await?.ok_or_else(|| missing(&id))?;
                let target = match removal.move_to.as_deref() {
                    None if known.devices > 0 => {
                        return Err(AssetsError::Conflict(format!(
                            "{} devices stand at {}; say where they go (move_to: a site, or none)",
                            known.devices, known.name
                        )));
                    }
                    None | Some("none") => None,
                    Some(other) => {
                        let to =
                            store::find(tx.sql(), other).await?.ok_or_else(|| missing(other))?;
                        if to.id == known.id {
                            return Err(AssetsError::Invalid(
                                "devices cannot move to the site that goes".into(),
                            ));
                        }
                        Some(to)
                    }
                };
                let to = target.as_ref().map(|to| to.id.as_str());
                store::move_all(tx, &known.id, to).await?;
                store::remove(tx, &known.id).await?;
                let went = match &target {
                    Some(to) => format!("; its {} devices went to {}", known.devices, to.name),
                    None => String::new(),
                };
                let change = format!("Site removed: {}{went}", known.name);
                tx.publish(&caller.name, &SiteChanged { id: known.id, change }).await?;
                Ok(())
            })
        })
        .await;
    done?;
    Ok(StatusCode::NO_CONTENT)
}
