//! `GET /api/v1/hooks`: webhooks that start playbooks; `POST /api/v1/hooks/{hook}`: a call of one.

use axum::body::{Body, to_bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use cacao::Playbook;
use model::{ProposalId, RunId, TriggerId};
use platform::http::{Beyond, Json, Problem};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::triggers::{TriggerList, TriggerView};
use crate::store::playbooks;
use crate::store::triggers::{self, Kept};
use crate::triggers::hook::{
    MAX_CALLS_PER_MINUTE, MAX_HOOK_BODY_BYTES, MAX_ID_CHARS, Shown, Taken, knows, secret, take,
};
use crate::triggers::launch::{Launch, Launched, launch};
use crate::triggers::{MAX_TRIGGERS, OnWebhook, Trigger};
use crate::{Playbooks, PlaybooksError};

/// Webhooks that start playbooks, those of one playbook together.
#[utoipa::path(get, path = "/api/v1/hooks", tag = "playbooks",
    responses((status = 200, body = TriggerList)))]
pub(crate) async fn list(
    State(room): State<Playbooks>,
    beyond: Beyond,
) -> Result<Json<TriggerList>, Problem> {
    let mut sql = room.platform().db.read().await?;
    let all = triggers::on(&mut sql, "webhook").await?;
    let items = all.into_iter().map(|it| TriggerView::of(it, &beyond)).collect();
    Ok(Json(TriggerList { items, at_most: MAX_TRIGGERS }))
}

/// What became of a call.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HookAnswer {
    /// The run that it started, or had started before under the same `webhook-id`.
    #[schema(value_type = Option<String>)]
    run: Option<RunId>,
    /// The proposal that waits for people instead.
    #[schema(value_type = Option<String>)]
    proposal: Option<ProposalId>,
    /// The same `webhook-id` came before: nothing new was started.
    repeated: bool,
    /// Fields of the body that nothing was taken of.
    ignored: usize,
}

/// Starts the playbook of a webhook. Nobody signs in here: the caller knows the hook's secret, and sends it as
/// `webhook-secret`, or signs the body with it as Standard Webhooks says (`webhook-id`, `webhook-timestamp`,
/// `webhook-signature`). The same `webhook-id` starts once.
#[utoipa::path(post, path = "/api/v1/hooks/{hook}", tag = "playbooks",
    params(("hook" = String, Path, description = "The hook's id")),
    request_body(content = Object, description = "A JSON object, up to 64 KiB", content_type = "application/json"),
    responses((status = 202, body = HookAnswer), (status = 401, body = Problem),
        (status = 413, body = Problem), (status = 422, body = Problem), (status = 429, body = Problem)))]
pub(crate) async fn call(
    State(room): State<Playbooks>,
    Path(text): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let body = to_bytes(body, MAX_HOOK_BODY_BYTES).await.map_err(|_| too_large())?;
    let shown = shown(&headers);
    let (kept, hook) = opened(&room, &text, &shown, &body).await?.ok_or_else(refused)?;
    let now = room.platform().now();
    if let Err(seconds) = room.calls.admit(kept.id, now) {
        let text = format!("a hook takes {MAX_CALLS_PER_MINUTE} calls a minute");
        return Ok(too_many(text, seconds));
    }
    let id = named(&shown)?;
    let object = match serde_json::from_slice::<Value>(if body.is_empty() { b"{}" } else { &body })
    {
        Ok(Value::Object(object)) => object,
        Ok(_) => return Err(invalid("the body is no JSON object", vec![])),
        Err(cause) => return Err(invalid(&format!("the body is no JSON: {cause}"), vec![])),
    };
    let stored = {
        let mut sql = room.platform().db.read().await?;
        playbooks::one(&mut sql, kept.playbook).await?.ok_or_else(refused)?
    };
    let playbook = Playbook::parse(&stored.body).map_err(Problem::internal)?;
    let Taken { values, ignored } = take(&hook, &playbook, &object)
        .map_err(|errors| invalid("the body does not fit what this hook takes", errors))?;
    let launched = begin(&room, kept, values, id).await?;
    let (run, proposal, repeated) = match launched {
        Launched::Run(run) => (Some(run), None, false),
        Launched::Proposal(proposal) => (None, Some(proposal), false),
        Launched::Before(run, proposal) => (run, proposal, true),
        Launched::Held(why) => return Ok(too_many(why, 60)),
    };
    let answer = HookAnswer { run, proposal, repeated, ignored };
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

fn shown(headers: &HeaderMap) -> Shown {
    let text = |name: &str| headers.get(name).and_then(|it| it.to_str().ok()).map(str::to_owned);
    Shown {
        secret: text("webhook-secret"),
        id: text("webhook-id"),
        timestamp: text("webhook-timestamp"),
        signature: text("webhook-signature"),
    }
}

/// The hook, where the caller knows its secret. The same is done for an id that names nothing.
async fn opened(
    room: &Playbooks,
    text: &str,
    shown: &Shown,
    body: &[u8],
) -> Result<Option<(Kept, OnWebhook)>, Problem> {
    let mut sql = room.platform().db.read().await?;
    let kept = match text.parse::<TriggerId>() {
        Ok(id) => triggers::one(&mut sql, id).await?,
        Err(_) => None,
    };
    let hook = kept.as_ref().and_then(|kept| match &kept.trigger {
        Trigger::Webhook(hook) => Some(hook.clone()),
        _ => None,
    });
    let salt = kept.as_ref().and_then(|kept| kept.salt.clone());
    let there = hook.is_some() && salt.is_some();
    let signer = room.platform().signer.as_ref();
    let secret = secret(signer, salt.as_deref().unwrap_or("nobody"));
    let hook = hook.unwrap_or(OnWebhook { fields: Default::default(), signed: false, level: None });
    let good = knows(&secret, &hook, shown, body, room.platform().now());
    Ok(kept.filter(|_| good && there).map(|kept| (kept, hook)))
}

/// What makes two calls the same one.
fn named(shown: &Shown) -> Result<Option<String>, Problem> {
    let Some(id) = &shown.id else { return Ok(None) };
    let length = id.chars().count();
    if (1..=MAX_ID_CHARS).contains(&length) {
        return Ok(Some(id.clone()));
    }
    let text = format!("webhook-id has 1 to {MAX_ID_CHARS} characters, it has {length}");
    Err(invalid(&text, vec![]))
}

async fn begin(
    room: &Playbooks,
    kept: Kept,
    given: crate::cacao::variables::Values,
    id: Option<String>,
) -> Result<Launched, PlaybooksError> {
    let criticality = room.engine.criticality_of(&given).await?;
    let engine = std::sync::Arc::clone(&room.engine);
    room.platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                // Read again: it may have been taken away, and others count as well.
                let now = triggers::one(tx.sql(), kept.id).await?;
                let Some(mut kept) = now.filter(|now| now.salt == kept.salt) else {
                    return Ok(Launched::Held("the hook was closed meanwhile".into()));
                };
                let id = id.unwrap_or_else(|| tx.mint::<model::EventId>().to_string());
                let cause = Launch {
                    report: None,
                    given,
                    tlp: None,
                    criticality,
                    why: String::new(),
                    start_key: format!("hook/{}/{id}", kept.id),
                };
                let launched = launch(tx, &engine, &mut kept, cause).await?;
                triggers::put(tx.sql(), &kept).await?;
                Ok(launched)
            })
        })
        .await
}

fn refused() -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "hook", "There is no such hook, or its secret is another one.")
        .remedy(
            "Send the secret as webhook-secret, or sign as Standard Webhooks says; the time must be right. \
             An administrator sees and rotates secrets at the playbook.",
        )
}

fn too_large() -> Problem {
    let text = format!("the body of a call has at most {MAX_HOOK_BODY_BYTES} bytes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body", text).remedy("Send a smaller body.")
}

fn invalid(text: &str, errors: Vec<String>) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid", text)
        .remedy("Mend what it names and call again.")
        .errors(errors)
}

fn too_many(text: String, seconds: i64) -> Response {
    let mut response = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many", text)
        .remedy("Wait as long as Retry-After says.")
        .into_response();
    response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    response
}
