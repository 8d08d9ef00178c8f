//! `/api/v1/taxii/collections`: the collections of the TAXII server.

use ::intel::collections::{self as store, NewCollection};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use platform::http::{Caller, Json as Body, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::roots::{check_name, check_texts};
use crate::error::CtiError;
use crate::room::Cti;
use crate::store::collections::{Collection, Kind};
use crate::taxii::OWN_ROOT;

/// Collections at most.
const MAX_COLLECTIONS: usize = 10_000;

/// A collection.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TaxiiCollectionItem)]
pub(crate) struct CollectionItem {
    /// UUID.
    id: String,
    /// The API root it belongs to.
    root: String,
    /// A name that can stand for the id in paths.
    alias: String,
    /// Title.
    title: String,
    /// Description.
    description: String,
    /// `inbox`, `outbox`, `open` or `closed`.
    kind: String,
    /// Entries in it.
    objects: i64,
}

impl From<Collection> for CollectionItem {
    fn from(collection: Collection) -> Self {
        Self {
            kind: Kind::of(&collection).word().into(),
            objects: collection.held,
            id: collection.id,
            root: collection.root,
            alias: collection.alias,
            title: collection.title,
            description: collection.description,
        }
    }
}

/// What a collection shall be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewTaxiiCollection)]
pub(crate) struct NewItem {
    /// Title.
    title: String,
    /// Description.
    #[serde(default)]
    description: String,
    /// The API root; the node's own when absent.
    #[serde(default)]
    root: Option<String>,
    /// A name that can stand for the id; the id when absent.
    #[serde(default)]
    alias: Option<String>,
    /// UUID; made when absent.
    #[serde(default)]
    id: Option<String>,
    /// Whoever sees the root may read it; else this organisation and those who were granted it.
    #[serde(default)]
    public_read: bool,
}

/// The collections.
#[utoipa::path(get, path = "/api/v1/taxii/collections", tag = "taxii", responses(
    (status = 200, description = "Collections, oldest first", body = Vec<CollectionItem>)))]
pub(crate) async fn list(State(cti): State<Cti>) -> Result<Json<Vec<CollectionItem>>, Problem> {
    let mut sql = cti.platform().db.read().await?;
    let all = store::all(&mut sql).await?;
    Ok(Json(all.into_iter().map(CollectionItem::from).collect()))
}

/// Makes a collection.
#[utoipa::path(post, path = "/api/v1/taxii/collections", tag = "taxii", request_body = NewItem,
    responses((status = 201, description = "Made", body = CollectionItem),
    (status = 404, description = "No such root", body = Problem),
    (status = 409, description = "Id or alias is taken", body = Problem),
    (status = 422, description = "Something cannot be so", body = Problem)))]
pub(crate) async fn create(
    State(cti): State<Cti>,
    caller: Caller,
    Body(asked): Body<NewItem>,
) -> Result<(StatusCode, Json<CollectionItem>), Problem> {
    check_texts(&asked.title, &asked.description)?;
    if let Some(alias) = &asked.alias {
        check_name(alias)?;
    }
    let root = asked.root.unwrap_or_else(|| OWN_ROOT.into());
    if cti.catalogue().known(&cti).await?.root(&root).is_none() {
        return Err(Problem::not_found(format!("API root {root}")));
    }
    let id = match &asked.id {
        Some(text) => uuid::Uuid::parse_str(text).map_err(|_| {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", "id is no UUID")
        })?,
        None => cti.platform().uuid4(),
    };
    let id = id.hyphenated().to_string();
    let kind = if asked.public_read { Kind::Open } else { Kind::Closed };
    let new = NewCollection {
        alias: asked.alias.unwrap_or_else(|| id.clone()),
        id,
        root,
        title: asked.title,
        description: asked.description,
        kind: kind.word().into(),
        peer: None,
    };
    let made: Result<Option<Collection>, CtiError> = cti
        .change(move |tx| {
            Box::pin(async move {
                let now = tx.now().as_micros();
                let all = store::all(tx.sql()).await?;
                // An alias that is the id of another would make grants speak of two things.
                let names = [&new.id, &new.alias];
                let taken = all.iter().any(|known| {
                    names.contains(&&known.id)
                        || (known.root == new.root && names.contains(&&known.alias))
                });
                if taken || all.len() >= MAX_COLLECTIONS {
                    return Ok(None);
                }
                if !store::create(tx.sql(), &new, now).await? {
                    return Ok(None);
                }
                Ok(store::find(tx.sql(), &new.root, &new.id).await?)
            })
        })
        .await;
    let made = made?.ok_or_else(|| {
        Problem::conflict(format!(
            "id or alias is taken (also by a collection that was removed), or there are {MAX_COLLECTIONS} \
             collections already"
        ))
    })?;
    tracing::info!(collection = made.id, by = caller.name, "TAXII collection made");
    Ok((StatusCode::CREATED, Json(made.into())))
}

/// Takes a collection away; its objects stay known.
#[utoipa::path(delete, path = "/api/v1/taxii/collections/{id}", tag = "taxii",
    params(("id" = String, Path, description = "UUID of the collection")),
    responses((status = 204, description = "Gone"),
    (status = 404, description = "No such collection", body = Problem),
    (status = 409, description = "It is the node's own", body = Problem)))]
pub(crate) async fn remove(
    State(cti): State<Cti>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let mut sql = cti.platform().db.read().await?;
    let all = store::all(&mut sql).await?;
    drop(sql);
    let found = all.into_iter().find(|collection| collection.id == id);
    let found = found.ok_or_else(|| Problem::not_found(format!("collection {id}")))?;
    if matches!(Kind::of(&found), Kind::Inbox | Kind::Outbox) {
        return Err(Problem::conflict("this collection is the node's own: peers use it"));
    }
    let gone: Result<bool, CtiError> = cti
        .change(move |tx| {
            Box::pin(async move {
                let now = tx.now().as_micros();
                Ok(store::remove(tx.sql(), found.number, now).await?)
            })
        })
        .await;
    match gone? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::not_found(format!("collection {id}"))),
    }
}
