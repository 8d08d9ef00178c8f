//! `POST /api/v1/federation/standing`, `GET` of all, `DELETE` of one: what is shared by itself.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::{LetterId, Timestamp};
use platform::db::DbError;
use platform::http::{Caller, Json as Body, Page, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::FederationError;
use crate::room::Federation;
use crate::standing::{MAX_STANDING, Rule};
use crate::store::json;
use crate::store::standing::{self, Standing};

/// A standing share.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingShare {
    /// Id.
    id: String,
    /// Who made it.
    made_by: String,
    /// What is shared with whom.
    rule: Rule,
    /// When it was made; what arrived before is not shared by it.
    #[schema(value_type = String, format = DateTime)]
    recorded_at: Timestamp,
}

fn view(row: Standing) -> Result<StandingShare, DbError> {
    Ok(StandingShare {
        rule: json(&row.rule, "federation_standing.rule")?,
        id: row.id,
        made_by: row.made_by,
        recorded_at: Timestamp::from_micros(row.recorded_us),
    })
}

/// All standing shares.
#[utoipa::path(get, path = "/api/v1/federation/standing", tag = "federation", responses(
    (status = 200, description = "Standing shares", body = Page<StandingShare>)))]
pub(crate) async fn list(
    State(room): State<Federation>,
) -> Result<Json<Page<StandingShare>>, Problem> {
    let mut sql = room.platform().db.read().await?;
    let all: Result<Vec<_>, _> = standing::all(&mut sql).await?.into_iter().map(view).collect();
    Ok(Json(Page::whole(all?)))
}

/// Makes a standing share: what arrives from now on and fits is shared by itself, each object judged like any other.
#[utoipa::path(post, path = "/api/v1/federation/standing", tag = "federation", request_body = Rule, responses(
    (status = 201, description = "The standing share", body = StandingShare),
    (status = 404, description = "A recipient is not known", body = Problem),
    (status = 422, description = "It cannot be", body = Problem)))]
pub(crate) async fn create(
    State(room): State<Federation>,
    caller: Caller,
    Body(rule): Body<Rule>,
) -> Result<(StatusCode, Json<StandingShare>), Problem> {
    rule.check().map_err(FederationError::Invalid)?;
    for peer in &rule.peers {
        if room.peer(*peer).await?.is_none() {
            return Err(FederationError::NotFound(format!("peer {peer}")).into());
        }
    }
    for community in &rule.communities {
        room.disclosure()?.recipients(*community).await?;
    }
    let text = serde_json::to_string(&rule).map_err(Problem::internal)?;
    let row: Result<Standing, FederationError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                if standing::all(tx.sql()).await?.len() >= MAX_STANDING {
                    let text =
                        format!("there are {MAX_STANDING} standing shares, the limit; remove one");
                    return Err(FederationError::Invalid(text));
                }
                let id: LetterId = tx.mint();
                let recorded_us = tx.now().as_micros();
                let row =
                    Standing { id: id.to_string(), made_by: caller.name, rule: text, recorded_us };
                standing::insert(tx.sql(), &row).await?;
                Ok(row)
            })
        })
        .await;
    Ok((StatusCode::CREATED, Json(view(row?)?)))
}

/// Ends a standing share; what went by it stays shared.
#[utoipa::path(delete, path = "/api/v1/federation/standing/{id}", tag = "federation",
    params(("id" = String, Path, description = "Id")), responses(
    (status = 204, description = "Removed"),
    (status = 404, description = "No such standing share", body = Problem)))]
pub(crate) async fn remove(
    State(room): State<Federation>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let gone: Result<bool, FederationError> = room
        .platform()
        .db
        .write(move |tx| Box::pin(async move { Ok(standing::remove(tx.sql(), &id).await?) }))
        .await;
    if gone? { Ok(StatusCode::NO_CONTENT) } else { Err(Problem::not_found("the standing share")) }
}
