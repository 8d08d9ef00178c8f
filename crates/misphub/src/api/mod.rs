//! The interface: one door, one visible list of what is understood behind it.

mod attack;
mod attributes;
mod beside;
mod cluster_relations;
mod clusters;
mod collections;
mod condition;
mod events;
mod exclusions;
mod form;
mod formats;
mod found;
mod freetext;
mod galaxies;
mod groups;
mod index;
mod meta;
mod objects;
mod proposals;
mod publish;
mod reports;
mod routes;
mod rules;
mod search;
mod show;
mod sightings;
mod statistics;
mod sync;
mod tags;
mod take;
mod taxonomies;
mod templates;
mod upload;
mod warninglists;
mod withdraw;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use intel::Sight;
use platform::http::{Caller, Gate, Permission, RoomRouter};
use serde_json::Value;
use utoipa_axum::routes;

use self::routes::{ROUTES, Route};
use crate::error::MispError;
use crate::fields::Fields;
use crate::room::Misphub;
use crate::store::Name;

/// Largest request body, bytes.
const MAX_BODY_BYTES: usize = 64 << 20;
/// What opens the door; what a caller may do behind it stands with each route.
const USE: Permission = Permission("misp.read");
/// What changes something.
const WRITE: &str = "misp.write";

pub(crate) fn routes() -> RoomRouter<Misphub> {
    RoomRouter::default().route(USE, routes!(get, post, delete))
}

/// What a handler answers.
pub(crate) enum Answer {
    Json(Value),
    Text(&'static str, String),
}

impl From<Value> for Answer {
    fn from(value: Value) -> Self {
        Self::Json(value)
    }
}

/// A request, taken apart.
#[derive(Clone)]
pub(crate) struct Ask {
    pub(crate) room: Misphub,
    pub(crate) caller: Caller,
    /// What the caller may see.
    pub(crate) sight: Sight,
    pub(crate) method: Method,
    /// The segments that `*` stood for.
    pub(crate) parts: Vec<String>,
    /// The JSON body together with `name:value` segments of the path.
    pub(crate) fields: Fields,
    /// The body when it is a list.
    pub(crate) list: Vec<Value>,
}

impl Ask {
    /// The thing that the path names.
    pub(crate) fn name(&self, what: &str) -> Result<Name, MispError> {
        let part = self.parts.first().map(String::as_str).unwrap_or_default();
        Name::parse(part).ok_or_else(|| MispError::not_found(what))
    }
}

/// The interface for reading: GET and HEAD.
#[utoipa::path(get, path = "/misp/{*path}", tag = "misp",
    params(("*path" = String, Path, description = "What MISP's REST interface calls it, e.g. events/view/1")),
    responses((status = 200, description = "As MISP answers", body = Object),
        (status = 404, description = "Not understood, not there, or not for you", body = Object)))]
pub(crate) async fn get(
    state: State<Misphub>,
    gate: Extension<Gate>,
    caller: Caller,
    path: Path<String>,
    request: Request,
) -> Response {
    run(state.0, gate.0, caller, path.0, request).await
}

/// The interface for searching and writing.
#[utoipa::path(post, path = "/misp/{*path}", tag = "misp",
    params(("*path" = String, Path, description = "What MISP's REST interface calls it, e.g. events/add")),
    request_body(content = Object, content_type = "application/json"),
    responses((status = 200, description = "As MISP answers", body = Object),
        (status = 403, description = "Not allowed, or a field that cannot be stored", body = Object),
        (status = 404, description = "Not understood, not there, or not for you", body = Object)))]
pub(crate) async fn post(
    state: State<Misphub>,
    gate: Extension<Gate>,
    caller: Caller,
    path: Path<String>,
    request: Request,
) -> Response {
    run(state.0, gate.0, caller, path.0, request).await
}

/// Deletion: the same as POST to `…/delete/…`.
#[utoipa::path(delete, path = "/misp/{*path}", tag = "misp",
    params(("*path" = String, Path, description = "e.g. events/delete/1")),
    responses((status = 200, description = "As MISP answers", body = Object),
        (status = 404, description = "Not understood, not there, or not for you", body = Object)))]
pub(crate) async fn delete(
    state: State<Misphub>,
    gate: Extension<Gate>,
    caller: Caller,
    path: Path<String>,
    request: Request,
) -> Response {
    run(state.0, gate.0, caller, path.0, request).await
}

async fn run(
    room: Misphub,
    gate: Gate,
    caller: Caller,
    path: String,
    request: Request,
) -> Response {
    match answer(room, gate, caller, &path, request).await {
        Ok(Answer::Json(value)) => Json(value).into_response(),
        Ok(Answer::Text(kind, text)) => {
            ([(header::CONTENT_TYPE, HeaderValue::from_static(kind))], text).into_response()
        }
        Err(error) => error.into_response(),
    }
}

async fn answer(
    room: Misphub,
    gate: Gate,
    caller: Caller,
    path: &str,
    request: Request,
) -> Result<Answer, MispError> {
    let (words, named) = split(path);
    let unknown = || {
        let clip: String = path.chars().take(80).collect();
        let text = format!("'{clip}' is not understood here; docs/misp-api.md lists what is");
        MispError::new(StatusCode::NOT_FOUND, text)
    };
    let (route, parts) = find(&words).ok_or_else(unknown)?;
    // What goes to others is judged part by part, which no search here does.
    if caller.outside.is_some() {
        return Err(MispError::forbidden());
    }
    let sight = sight(&gate, &caller)?;
    let method = request.method().clone();
    if route.writes {
        if !matches!(method, Method::POST | Method::PUT | Method::DELETE) {
            let text = "This needs POST.";
            return Err(MispError::new(StatusCode::METHOD_NOT_ALLOWED, text));
        }
        gate.check(&caller, WRITE, "/misp/{*path}").map_err(|_| MispError::forbidden())?;
    }
    let body = axum::body::to_bytes(request.into_body(), MAX_BODY_BYTES).await.map_err(|_| {
        let text = format!("the request is larger than {MAX_BODY_BYTES} bytes; nothing was stored");
        MispError::new(StatusCode::PAYLOAD_TOO_LARGE, text)
    })?;
    let (mut fields, list) = read(&body)?;
    for (name, value) in named {
        name_field(&mut fields, name, value);
    }
    let ask = Ask { room, caller, sight, method, parts, fields, list };
    let everything = ask.sight.most() >= Sight::ALL.most();
    let mut answer = (route.run)(&ask).await?;
    if let Answer::Json(value) = &mut answer
        && !everything
    {
        show::without_groups(value);
    }
    Ok(answer)
}

/// A `name:value` of the path as a field; `name[]:value` is one of a list.
fn name_field(fields: &mut Fields, name: String, value: String) {
    let value = Value::String(value);
    match name.strip_suffix("[]") {
        None => {
            fields.entry(name).or_insert(value);
        }
        Some(list) => {
            let known = fields.entry(list.to_owned()).or_insert_with(|| Value::Array(vec![]));
            if let Value::Array(items) = known {
                items.push(value);
            }
        }
    }
}

/// Words of the path, and its `name:value` parts; `.json` at the end says nothing.
fn split(path: &str) -> (Vec<String>, Vec<(String, String)>) {
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".json").unwrap_or(path);
    let (mut words, mut named) = (Vec::new(), Vec::new());
    for part in path.split('/').filter(|part| !part.is_empty()) {
        match part.split_once(':') {
            Some((name, value)) => named.push((name.to_owned(), value.to_owned())),
            None => words.push(part.to_owned()),
        }
    }
    (words, named)
}

/// Controllers are written in several ways.
fn controller(word: &str) -> String {
    match word {
        "sharingGroups" => "sharing_groups".into(),
        "object_references" => "objectReferences".into(),
        "shadowAttributes" => "shadow_attributes".into(),
        "eventReports" | "EventReports" => "event_reports".into(),
        "galaxyClusters" => "galaxy_clusters".into(),
        "galaxyClusterRelations" => "galaxy_cluster_relations".into(),
        "object_templates" => "objectTemplates".into(),
        "tagCollections" => "tag_collections".into(),
        "correlationExclusions" => "correlation_exclusions".into(),
        "analystData" => "analyst_data".into(),
        other => other.to_owned(),
    }
}

fn find(words: &[String]) -> Option<(&'static Route, Vec<String>)> {
    ROUTES.iter().find_map(|route| {
        let pattern: Vec<&str> = route.path.split('/').collect();
        if pattern.len() != words.len() {
            return None;
        }
        let mut parts = Vec::new();
        for (at, (wanted, word)) in pattern.iter().zip(words).enumerate() {
            let word = if at == 0 { controller(word) } else { word.clone() };
            if *wanted == "*" {
                parts.push(word);
            } else if !wanted.eq_ignore_ascii_case(&word) {
                return None;
            }
        }
        Some((route, parts))
    })
}

/// Up to which label the caller may read, by the policies.
fn sight(gate: &Gate, caller: &Caller) -> Result<Sight, MispError> {
    let sight = Sight::of(gate, caller);
    if sight == Sight::NOTHING { Err(MispError::forbidden()) } else { Ok(sight) }
}

fn read(body: &[u8]) -> Result<(Fields, Vec<Value>), MispError> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok((Fields::new(), vec![]));
    }
    let limits = stix::json::Limits {
        max_bytes: MAX_BODY_BYTES,
        max_values: 5_000_000,
        ..stix::json::DEFAULT_LIMITS
    };
    let mut said = stix::json::read(body, limits);
    if let Ok(Value::String(text)) = &said {
        // PyMISP sends a text that is JSON already as a text of JSON.
        said = stix::json::read(text.as_bytes(), limits);
    }
    match said {
        Ok(Value::Object(fields)) => Ok((fields, vec![])),
        Ok(Value::Array(list)) => Ok((Fields::new(), list)),
        Ok(_) => Err(MispError::bad_request("the body is neither an object nor a list")),
        Err(error) => Err(MispError::bad_request(error.to_string())),
    }
}
