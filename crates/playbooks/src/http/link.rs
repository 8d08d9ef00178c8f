//! `GET`, `POST /answer/{token}`: the page behind the link of a mail. Looking changes nothing: scanners of mail look too.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::body::to_bytes;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;

use crate::approvals::question::Question;
use crate::approvals::token::Token;
use crate::approvals::{Kind, Method, Said, Spent, page};
use crate::automation::proposals::Answer;
use crate::engine::Answered;
use crate::store::letters::{self, Letter};
use crate::{Playbooks, PlaybooksError, store};

/// Longest form that is read, bytes.
const MAX_FORM_BYTES: usize = 256 << 10;
/// Fields of a form that are looked at.
const MAX_FIELDS: usize = 200;

const WRONG: &str = "This link is not valid.";
const USED: &str = "This link was used before.";
const EXPIRED: &str = "This link has expired.";
const CLOSED: &str =
    "This was answered, changed or ended before; there is nothing to answer any more.";
const POWERLESS: &str = "This link does not answer anything any more.";

/// Why a link shows no question.
type Refused = Box<Response>;

fn refuse(status: StatusCode, text: &str) -> Refused {
    Box::new(page::sentence(status, text))
}

fn failed(error: impl std::fmt::Display) -> Refused {
    tracing::error!(%error, "a link of a mail could not be looked at");
    refuse(StatusCode::SERVICE_UNAVAILABLE, "Sereno cannot look at this now; try again later.")
}

/// The question of a link, if it may be answered with it.
async fn opened(room: &Playbooks, source: &str, text: &str) -> Result<(Letter, Question), Refused> {
    let approvals = &room.approvals;
    let now = room.platform().now();
    if !approvals.openings.admit(source, now) {
        let text = "Too many links were opened from your address; wait a minute.";
        return Err(refuse(StatusCode::TOO_MANY_REQUESTS, text));
    }
    let wrong = || refuse(StatusCode::NOT_FOUND, WRONG);
    let token = Token::read(text).ok_or_else(wrong)?;
    let (letter, policy) = {
        let mut sql = room.platform().db.read().await.map_err(failed)?;
        let letter = letters::one(&mut sql, &token.letter).await.map_err(failed)?;
        (letter, store::automation::current(&mut sql).await.map_err(failed)?)
    };
    let mint = approvals.mint().await.map_err(failed)?;
    let letter = letter.filter(|letter| mint.holds(&token, letter)).ok_or_else(wrong)?;
    let gone = |text| refuse(StatusCode::GONE, text);
    if letter.used_at.is_some() {
        return Err(gone(USED));
    }
    if letter.expires_at <= now {
        return Err(gone(EXPIRED));
    }
    let question = approvals.question(letter.kind, &letter.about).await.map_err(failed)?;
    let question =
        question.filter(|it| it.version == letter.version).ok_or_else(|| gone(CLOSED))?;
    let person = approvals.entitled(&letter, question.tlp).await.map_err(failed)?;
    let person = person.ok_or_else(|| gone(POWERLESS))?;
    // Whoever was named for somebody else is asked as long as that one is; what was passed on needs no list.
    let giver = match letter.giver.as_str() {
        "" => None,
        id => approvals.people.person(id).await.map_err(failed)?,
    };
    let listed = policy.mail_links.names(giver.as_ref().unwrap_or(&person), &letter.round);
    let passed = letter.round == crate::approvals::asking::PASSED;
    if !policy.mail_links.on || question.red() || !(listed || passed) {
        return Err(gone(POWERLESS));
    }
    Ok((letter, question))
}

fn source(request: &Request) -> String {
    let from = request.extensions().get::<ConnectInfo<SocketAddr>>();
    from.map_or_else(|| "this machine".into(), |ConnectInfo(from)| from.ip().to_string())
}

/// The question behind a link, with a form. Changes nothing.
#[utoipa::path(get, path = "/answer/{token}", tag = "answer", operation_id = "show_answer_page",
    params(("token" = String, Path, description = "The secret part of the link")),
    responses((status = 200, description = "A page with a form", content_type = "text/html", body = String),
        (status = 404, description = "No such link", content_type = "text/html", body = String),
        (status = 410, description = "Used, expired, answered or without effect", content_type = "text/html", body = String),
        (status = 429, description = "Too many from this address", content_type = "text/html", body = String)))]
pub(crate) async fn show(
    State(room): State<Playbooks>,
    Path(token): Path<String>,
    request: Request,
) -> Response {
    match opened(&room, &source(&request), &token).await {
        Ok((letter, question)) => page::asking(&room.platform().node.name, &letter, &question),
        Err(refused) => *refused,
    }
}

/// Answers with a link; it answers once.
#[utoipa::path(post, path = "/answer/{token}", tag = "answer", operation_id = "answer_by_link",
    params(("token" = String, Path, description = "The secret part of the link")),
    request_body(content = String, content_type = "application/x-www-form-urlencoded",
        description = "`answer` (`yes` or `no`), `comment`, and `value.NAME` for each value a step gives back"),
    responses((status = 200, description = "It was taken", content_type = "text/html", body = String),
        (status = 404, description = "No such link", content_type = "text/html", body = String),
        (status = 409, description = "It does not fit", content_type = "text/html", body = String),
        (status = 410, description = "Used, expired, answered or without effect", content_type = "text/html", body = String),
        (status = 413, description = "The form is too large", content_type = "text/html", body = String),
        (status = 422, description = "Neither yes nor no, or too long", content_type = "text/html", body = String),
        (status = 429, description = "Too many from this address", content_type = "text/html", body = String)))]
pub(crate) async fn answer(
    State(room): State<Playbooks>,
    Path(token): Path<String>,
    request: Request,
) -> Response {
    match taken(&room, &token, request).await {
        Ok(text) => page::sentence(StatusCode::OK, &text),
        Err(refused) => *refused,
    }
}

async fn taken(room: &Playbooks, token: &str, request: Request) -> Result<String, Refused> {
    let (letter, question) = opened(room, &source(&request), token).await?;
    let large = |_| {
        let text = format!("The form is larger than {MAX_FORM_BYTES} bytes; shorten the comment.");
        refuse(StatusCode::PAYLOAD_TOO_LARGE, &text)
    };
    let body = to_bytes(request.into_body(), MAX_FORM_BYTES).await.map_err(large)?;
    let fields: Vec<(String, String)> =
        url::form_urlencoded::parse(&body).into_owned().take(MAX_FIELDS).collect();
    let field = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, it)| it.as_str());
    let accept = match field("answer") {
        Some("yes") => true,
        Some("no") => false,
        _ => {
            let text = "The answer is yes or no; go back and use one of the buttons.";
            return Err(refuse(StatusCode::UNPROCESSABLE_ENTITY, text));
        }
    };
    let comment = field("comment").unwrap_or_default().to_owned();
    let giver = Some((letter.giver.clone(), letter.giver_name.clone()));
    let said = Said {
        person: letter.name.clone(),
        account: letter.account.clone(),
        giver: giver.filter(|(id, _)| !id.is_empty()),
        method: Method::Link,
        link: Some(Spent { letter: letter.id, version: letter.version }),
    };
    let (kind, title) = (question.kind, question.title.clone());
    let done = match kind {
        Kind::Proposal => proposal(room, question, Answer { accept, comment, said }).await,
        _ => {
            let variables: BTreeMap<String, String> = fields
                .iter()
                .filter_map(|(key, value)| Some((key.strip_prefix("value.")?, value)))
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| (name.to_owned(), value.clone()))
                .collect();
            step(room, &question, Answered { approve: accept, text: comment, variables }, said)
                .await
        }
    };
    let rest = done.map_err(|error| match error {
        PlaybooksError::Conflict(text) => {
            refuse(StatusCode::CONFLICT, &format!("This was not taken: {text}."))
        }
        PlaybooksError::Invalid { summary, errors } => {
            let text = [vec![summary], errors].concat().join("; ");
            refuse(StatusCode::UNPROCESSABLE_ENTITY, &format!("This was not taken: {text}."))
        }
        other => failed(other),
    })?;
    let word = if accept { "yes" } else { "no" };
    Ok(format!("Your {word} was taken. {title} {rest}"))
}

async fn proposal(
    room: &Playbooks,
    question: Question,
    answer: Answer,
) -> Result<String, PlaybooksError> {
    let id = question.about.parse().map_err(|_| PlaybooksError::invalid("no proposal"))?;
    let it = room.engine.decide(id, answer, question.report).await?;
    Ok(match (it.run, it.state.word()) {
        (Some(_), _) => "It has started.".into(),
        (None, "open") => "One more person has to say yes.".into(),
        _ => "It does not start.".into(),
    })
}

async fn step(
    room: &Playbooks,
    question: &Question,
    answer: Answered,
    said: Said,
) -> Result<String, PlaybooksError> {
    let wrong = || PlaybooksError::invalid("no step");
    let (run, position) = question.about.split_once('/').ok_or_else(wrong)?;
    let run = run.parse().map_err(|_| wrong())?;
    room.engine.answer(run, position.to_owned(), answer, said).await?;
    Ok("The run goes on.".into())
}
