//! `POST /.well-known/openc2`: other tools command gateways.
//!
//! A command that was understood is answered with HTTP 200 whatever its outcome; the status of the language
//! stands in the body (OpenC2 over HTTPS 1.0 §3.2.2, messages of 1.1 too).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::{BlockTarget, EventId, Outcome};
use platform::http::Caller;
use ports::PortError;
use ports::edge::{Flow, Order, Verb};
use serde_json::{Value, json};

use crate::error::GatewayError;
use crate::openc2::{self, Asked, Command, Wanted};
use crate::{Gateway, store};

/// Longest command, bytes.
const MAX_COMMAND_BYTES: usize = 64 << 10;
const PLAIN: &str = "application/openc2-rsp+json;version=1.0";
const MESSAGE: &str = "application/openc2;version=1.0";
const REQUEST_ID: &str = "x-request-id";

/// A status of the language with a word about it and, where there are any, results.
struct Answer {
    status: u16,
    text: Option<String>,
    results: Option<Value>,
}

fn answer(status: u16, text: impl Into<String>) -> Answer {
    Answer { status, text: Some(text.into()), results: None }
}

/// Commands of the profile for stateless packet filters (SLPF 1.0): deny, allow, delete, query.
#[utoipa::path(post, path = "/.well-known/openc2", tag = "gateway",
    request_body(content = Object, content_type = "application/openc2-cmd+json;version=1.0", description = "An OpenC2 command, or a message with one"),
    responses((status = 200, body = Object, content_type = "application/openc2-rsp+json;version=1.0", description = "The OpenC2 response; its `status` tells the outcome"),
        (status = 204, description = "No response was asked for"), (status = 400, body = Object, description = "Not JSON, or too long")))]
pub(crate) async fn openc2(
    State(room): State<Gateway>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let parsed = if body.len() > MAX_COMMAND_BYTES {
        Err(format!("a command has at most {MAX_COMMAND_BYTES} bytes"))
    } else {
        serde_json::from_slice::<Value>(&body).map_err(|error| format!("not JSON: {error}"))
    };
    let (message, wrapped) = match parsed {
        Ok(message) if message["body"]["openc2"].is_object() => (message, true),
        Ok(message) => (message, false),
        Err(text) => {
            return written(
                StatusCode::BAD_REQUEST,
                &answer(400, text),
                &Value::Null,
                false,
                &headers,
            );
        }
    };
    let command = if wrapped { &message["body"]["openc2"]["request"] } else { &message };
    let now_ms = room.platform.now().as_micros() / 1_000;
    let read = openc2::read(command, now_ms).map(|mut command| {
        // A message's id stands for the command's where that has none (language specification 1.0 §3.3.1).
        command.id = command.id.or_else(|| id_of(&message["headers"]["request_id"]));
        command
    });
    let done = match read {
        Ok(command) if command.wanted == Wanted::None => {
            let _ = carry_out(&room, &caller, &command).await;
            return StatusCode::NO_CONTENT.into_response();
        }
        Ok(command) => {
            let done = carry_out(&room, &caller, &command).await;
            match command.wanted {
                Wanted::Ack if done.status == 200 => {
                    Answer { status: 102, text: None, results: None }
                }
                Wanted::Status => Answer { results: None, ..done },
                _ => done,
            }
        }
        Err(refusal) => answer(refusal.status, refusal.text),
    };
    written(StatusCode::OK, &done, &message["headers"], wrapped, &headers)
}

fn id_of(value: &Value) -> Option<String> {
    let id = value.as_str().filter(|id| (1..=openc2::MAX_ID_BYTES).contains(&id.len()));
    id.map(str::to_owned)
}

fn written(
    http: StatusCode,
    answer: &Answer,
    message_headers: &Value,
    wrapped: bool,
    asked: &HeaderMap,
) -> Response {
    let mut response = json!({ "status": answer.status });
    if let Some(text) = &answer.text {
        response["status_text"] = json!(text);
    }
    if let Some(results) = &answer.results {
        response["results"] = results.clone();
    }
    let (kind, body) = if wrapped {
        let headers = json!({ "request_id": message_headers["request_id"] });
        (MESSAGE, json!({ "headers": headers, "body": { "openc2": { "response": response } } }))
    } else {
        (PLAIN, response)
    };
    let mut written =
        (http, [(header::CONTENT_TYPE, HeaderValue::from_static(kind))], body.to_string())
            .into_response();
    if let Some(id) = asked.get(REQUEST_ID).filter(|id| id.len() <= 128) {
        written.headers_mut().insert(REQUEST_ID, id.clone());
    }
    written
}

async fn carry_out(room: &Gateway, caller: &Caller, command: &Command) -> Answer {
    let done = match &command.asked {
        Asked::Features(names) => Ok(features(names)),
        Asked::Delete(number) => delete(room, caller, *number, command).await,
        Asked::Filter { allow, flow, duration_ms, rule_number } => {
            let wish =
                Wish { allow: *allow, flow, duration_ms: *duration_ms, rule_number: *rule_number };
            filter(room, caller, command, wish).await
        }
    };
    done.unwrap_or_else(|error| {
        tracing::error!(%error, "an OpenC2 command could not be carried out");
        answer(500, "the node could not carry it out; its log says why")
    })
}

fn features(names: &[String]) -> Answer {
    let mut results = serde_json::Map::new();
    for name in names {
        let value = match name.as_str() {
            "versions" => json!(["1.0"]),
            "profiles" => json!(["slpf"]),
            "pairs" => openc2::pairs(),
            // Commands a minute: as many as the API takes.
            _ => json!(6_000),
        };
        results.insert(name.clone(), value);
    }
    let results = Some(Value::Object(results)).filter(|_| !names.is_empty());
    Answer { status: 200, text: None, results }
}

struct Wish<'a> {
    allow: bool,
    flow: &'a Flow,
    duration_ms: Option<i64>,
    rule_number: Option<i64>,
}

/// The gateway a command is for.
async fn gateway(
    room: &Gateway,
    command: &Command,
) -> Result<Result<String, Answer>, GatewayError> {
    let mut connection = room.platform.db.read().await?;
    let known = store::edges(&mut connection).await?;
    if let Some(name) = &command.gateway {
        let found = known.into_iter().find(|edge| edge.name == *name);
        return Ok(found
            .map(|edge| edge.name)
            .ok_or_else(|| answer(404, "no gateway has this hostname")));
    }
    let can = |edge: &store::Edge| edge.not_enforcing.is_none();
    let mut able: Vec<_> = known.into_iter().filter(can).collect();
    Ok(match (able.pop(), able.is_empty()) {
        (Some(edge), true) => Ok(edge.name),
        (None, _) => Err(answer(500, "no gateway that enforces is enrolled at this node")),
        (Some(_), false) => {
            Err(answer(400, "there are several gateways: name one by actuator.slpf.hostname"))
        }
    })
}

fn key(room: &Gateway, caller: &Caller, command: &Command) -> String {
    let id = command.id.clone().unwrap_or_else(|| room.platform.mint::<EventId>().to_string());
    let who: String = caller.id.chars().take(80).collect();
    format!("openc2/{who}/{id}")
}

/// Whether a command with this id was given before.
enum Known {
    Not,
    /// It was, and made the rule with this number.
    Same(Option<i64>),
    /// The id was used for another command.
    Other,
}

async fn known(room: &Gateway, order: &Order) -> Result<Known, GatewayError> {
    let mut connection = room.platform.db.read().await?;
    let Some(row) = store::find_order(&mut connection, &order.key).await? else {
        return Ok(Known::Not);
    };
    let undoes = |verb: &Verb| matches!(verb, Verb::Undo { .. });
    // What is left of a duration is another number each time.
    let same = row.order.verb.name() == order.verb.name()
        && row.order.flow == order.flow
        && (!undoes(&order.verb) || row.order.verb == order.verb);
    if !same {
        return Ok(Known::Other);
    }
    Ok(Known::Same(store::rule_of(&mut connection, &order.key).await?))
}

fn used() -> Answer {
    answer(400, "Validation Error: this id was used for another command; take a new one")
}

async fn filter(
    room: &Gateway,
    caller: &Caller,
    command: &Command,
    wish: Wish<'_>,
) -> Result<Answer, GatewayError> {
    let edge = match gateway(room, command).await? {
        Ok(edge) => edge,
        Err(refused) => return Ok(refused),
    };
    let longest = i64::from(room.config.max_block_s);
    let seconds = wish.duration_ms.map_or(longest, |left| (left + 999) / 1_000);
    if seconds > longest {
        return Ok(answer(
            501,
            format!("Option not supported: longer than {longest} s (gateway.max_block_s)"),
        ));
    }
    let timeout_s = u32::try_from(seconds).unwrap_or(u32::MAX);
    let verb = if wish.allow { Verb::Allow { timeout_s } } else { Verb::Block { timeout_s } };
    let order = Order {
        key: key(room, caller, command),
        verb,
        target: BlockTarget { mac: None, addresses: vec![] },
        flow: Some(wish.flow.clone()),
        why: format!("OpenC2 command of {}", caller.name.chars().take(200).collect::<String>()),
    };
    match known(room, &order).await? {
        Known::Other => return Ok(used()),
        Known::Same(number) => {
            let results = number.map(|number| json!({ "slpf": { "rule_number": number } }));
            return Ok(told(room.command(Some(&edge), order, &caller.name).await, results));
        }
        Known::Not => {}
    }
    let (key, name) = (order.key.clone(), edge.clone());
    let wished = wish.rule_number;
    let number: Result<Option<i64>, GatewayError> = room
        .platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                let now = tx.now();
                let number = match wished {
                    Some(number) => number,
                    None => store::next_rule(tx.sql()).await?,
                };
                Ok(store::keep_rule(tx.sql(), number, &key, &name, now).await?.then_some(number))
            })
        })
        .await;
    let Some(number) = number? else { return Ok(answer(501, "Rule number currently in use")) };
    let results = json!({ "slpf": { "rule_number": number } });
    Ok(told(room.command(Some(&edge), order, &caller.name).await, Some(results)))
}

async fn delete(
    room: &Gateway,
    caller: &Caller,
    number: i64,
    command: &Command,
) -> Result<Answer, GatewayError> {
    let found = {
        let mut connection = room.platform.db.read().await?;
        store::rule(&mut connection, number).await?
    };
    let Some((order, edge)) = found else { return Ok(answer(404, "no rule has this number")) };
    let undo = Order {
        key: key(room, caller, command),
        verb: Verb::Undo { order },
        target: BlockTarget { mac: None, addresses: vec![] },
        flow: None,
        why: format!("OpenC2 command of {}", caller.name.chars().take(200).collect::<String>()),
    };
    if matches!(known(room, &undo).await?, Known::Other) {
        return Ok(used());
    }
    let done = told(room.command(Some(&edge), undo, &caller.name).await, None);
    if done.status != 200 {
        return Ok(answer(500, "firewall rule not removed or updated"));
    }
    Ok(done)
}

/// What became of an order, in the language's statuses.
fn told(outcome: Result<Outcome, PortError>, results: Option<Value>) -> Answer {
    match outcome {
        Ok(Outcome::Done { .. }) => Answer { status: 200, text: None, results },
        Ok(Outcome::NotEnforced { reason, .. }) => {
            answer(500, format!("the rule is not in force: {reason}"))
        }
        Ok(Outcome::Failed { reason, .. }) if reason.starts_with("refused:") => answer(403, reason),
        Ok(Outcome::Failed { reason, .. }) => answer(500, reason),
        Err(PortError::Invalid(reason)) => answer(400, reason),
        Err(PortError::Unavailable(_)) => Answer {
            status: 102,
            text: Some("the gateway has the command and has not answered yet".into()),
            results,
        },
        Err(PortError::NotFound(what)) => answer(404, what),
        Err(PortError::Internal(error)) => {
            tracing::error!(error, "an OpenC2 command could not be carried out");
            answer(500, "the node could not carry it out; its log says why")
        }
    }
}
