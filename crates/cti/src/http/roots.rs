//! `/api/v1/taxii/roots`: the API roots of the TAXII server.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use platform::http::{Caller, Json as Body, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::CtiError;
use crate::room::Cti;
use crate::store::roots::{self as store, Root};
use crate::taxii::OWN_ROOT;

/// Roots at most.
const MAX_ROOTS: usize = 100;
/// Characters of a title; of a description ten times as many.
pub(super) const MAX_TITLE_CHARS: usize = 200;
/// Longest name in a path, bytes.
pub(super) const MAX_NAME_BYTES: usize = 64;
/// Words in the list of who sees a root.
const MAX_SEEN_BY: usize = 100;

/// An API root.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TaxiiRoot)]
pub(crate) struct RootItem {
    /// Its place in the path: small letters, digits and dashes.
    pub(super) name: String,
    /// Title.
    pub(super) title: String,
    /// Description.
    #[serde(default)]
    pub(super) description: String,
    /// Largest envelope, bytes; the node's own limit when absent.
    #[serde(default)]
    pub(super) max_content_length: Option<usize>,
    /// Roles and `peer:NODE` that see it; empty: everybody who may read over TAXII.
    #[serde(default)]
    pub(super) seen_by: Vec<String>,
}

/// A name that stands in paths.
pub(super) fn check_name(name: &str) -> Result<(), Problem> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(fits) {
        return Ok(());
    }
    let text = format!("a name has 1 to {MAX_NAME_BYTES} small letters, digits and dashes");
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", text))
}

/// Texts that people read.
pub(super) fn check_texts(title: &str, description: &str) -> Result<(), Problem> {
    let (titles, texts) = (title.chars().count(), description.chars().count());
    let clean = !title.chars().any(char::is_control);
    if (1..=MAX_TITLE_CHARS).contains(&titles) && texts <= 10 * MAX_TITLE_CHARS && clean {
        return Ok(());
    }
    let text = format!(
        "a title has 1 to {MAX_TITLE_CHARS} characters on one line, a description at most {}",
        10 * MAX_TITLE_CHARS
    );
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", text))
}

/// The API roots.
#[utoipa::path(get, path = "/api/v1/taxii/roots", tag = "taxii", responses(
    (status = 200, description = "Roots, the node's own first", body = Vec<RootItem>)))]
pub(crate) async fn list(State(cti): State<Cti>) -> Result<Json<Vec<RootItem>>, Problem> {
    let known = cti.catalogue().known(&cti).await?;
    let items = known.roots.iter().map(|root| RootItem {
        name: root.name.clone(),
        title: root.title.clone(),
        description: root.description.clone(),
        max_content_length: Some(root.max_content_length),
        seen_by: root.seen_by.clone(),
    });
    Ok(Json(items.collect()))
}

/// Makes an API root.
#[utoipa::path(post, path = "/api/v1/taxii/roots", tag = "taxii", request_body = RootItem,
    responses((status = 201, description = "Made", body = RootItem),
    (status = 409, description = "The name is taken", body = Problem),
    (status = 422, description = "Something cannot be so", body = Problem)))]
pub(crate) async fn create(
    State(cti): State<Cti>,
    caller: Caller,
    Body(asked): Body<RootItem>,
) -> Result<(StatusCode, Json<RootItem>), Problem> {
    check_name(&asked.name)?;
    check_texts(&asked.title, &asked.description)?;
    let most = cti.config().max_content_length_bytes;
    let max_content_length = asked.max_content_length.unwrap_or(most);
    let word = |word: &String| (1..=100).contains(&word.len());
    if !(1_024..=most).contains(&max_content_length)
        || asked.seen_by.len() > MAX_SEEN_BY
        || !asked.seen_by.iter().all(word)
    {
        let text = format!(
            "max_content_length lies between 1024 and {most} (cti.max_content_length_bytes); seen_by has at \
             most {MAX_SEEN_BY} roles or peer:NODE"
        );
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", text));
    }
    let known = cti.catalogue().known(&cti).await?;
    if known.root(&asked.name).is_some() || known.roots.len() > MAX_ROOTS {
        let text = format!("'{}' is taken, or there are {MAX_ROOTS} roots already", asked.name);
        return Err(Problem::conflict(text));
    }
    let root = Root {
        name: asked.name.clone(),
        title: asked.title.clone(),
        description: asked.description.clone(),
        max_content_length,
        seen_by: asked.seen_by.clone(),
    };
    let made: Result<bool, CtiError> = cti
        .change(move |tx| {
            Box::pin(async move {
                let now = tx.now().as_micros();
                Ok(store::add(tx.sql(), &root, now).await?)
            })
        })
        .await;
    if !made? {
        return Err(Problem::conflict(format!("'{}' is taken", asked.name)));
    }
    tracing::info!(root = asked.name, by = caller.name, "TAXII root made");
    let made = RootItem { max_content_length: Some(max_content_length), ..asked };
    Ok((StatusCode::CREATED, Json(made)))
}

/// Takes an API root away; one that still has collections stays.
#[utoipa::path(delete, path = "/api/v1/taxii/roots/{name}", tag = "taxii",
    params(("name" = String, Path, description = "The root")),
    responses((status = 204, description = "Gone"),
    (status = 404, description = "No such root", body = Problem),
    (status = 409, description = "It has collections, or is the node's own", body = Problem)))]
pub(crate) async fn remove(
    State(cti): State<Cti>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    if name == OWN_ROOT {
        return Err(Problem::conflict("this root is the node's own: peers use it"));
    }
    let wanted = name.clone();
    let gone: Result<Option<bool>, CtiError> = cti
        .change(move |tx| {
            Box::pin(async move {
                let all = ::intel::collections::all(tx.sql()).await?;
                if all.iter().any(|collection| collection.root == wanted) {
                    return Ok(None);
                }
                Ok(Some(store::remove(tx.sql(), &wanted).await?))
            })
        })
        .await;
    match gone? {
        Some(true) => Ok(StatusCode::NO_CONTENT),
        Some(false) => Err(Problem::not_found(format!("API root {name}"))),
        None => Err(Problem::conflict(format!("'{name}' has collections; remove them first"))),
    }
}
