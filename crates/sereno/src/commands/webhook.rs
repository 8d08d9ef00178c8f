//! `sereno webhook list|add|test|rotate|pause|resume|dead|resend|remove`.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{table, text};
use crate::api::{Api, escape};
use crate::arguments::{Place, WebhookCommand};
use crate::output::{self, Failure};

const PATH: &str = "/api/v1/webhooks";

pub(crate) async fn run(command: WebhookCommand, as_json: bool) -> Result<ExitCode, Failure> {
    match command {
        WebhookCommand::List(place) => {
            let api = Api::of(&place).await?;
            let answer = api.get(PATH).await;
            api.close().await;
            let columns =
                ["name", "state", "tlp", "delivered", "waiting", "dead", "last_error", "url"];
            table(&answer?, &columns, as_json)?;
        }
        WebhookCommand::Add { place, url, events, types, labels, tlp, name } => {
            let body = json!({ "name": name, "url": url, "events": events,
                "filter": { "types": types, "labels": labels, "tlp": tlp } });
            let answer = post(&place, PATH, &body).await?;
            if as_json {
                output::value(&answer)?;
            } else {
                secret(&answer);
            }
        }
        WebhookCommand::Rotate { place, webhook, overlap } => {
            let body = json!({ "overlap_seconds": overlap });
            let answer = post(&place, &format!("{}/rotate", path(&webhook)), &body).await?;
            if as_json {
                output::value(&answer)?;
            } else {
                secret(&answer);
                let until = answer["webhook"]["both_until"].as_str();
                output::note(&until.map_or_else(
                    || "the old secret signs no longer".to_owned(),
                    |until| {
                        format!("until {until} its messages carry a signature by the old one too")
                    },
                ));
            }
        }
        WebhookCommand::Test { place, webhook } => {
            let answer = post(&place, &format!("{}/test", path(&webhook)), &Value::Null).await?;
            let taken = answer.get("taken").and_then(Value::as_bool).unwrap_or(false);
            match (as_json, taken) {
                (true, _) => output::value(&answer)?,
                (false, true) => output::line("taken"),
                (false, false) => output::line(text(&answer, "error")),
            }
            return Ok(output::answer(taken));
        }
        WebhookCommand::Pause { place, webhook } => pause(&place, &webhook, true, as_json).await?,
        WebhookCommand::Resume { place, webhook } => {
            pause(&place, &webhook, false, as_json).await?
        }
        WebhookCommand::Dead { place, webhook } => {
            let api = Api::of(&place).await?;
            let answer = api.get(&format!("{}/dead", path(&webhook))).await;
            api.close().await;
            table(&answer?, &["n", "event", "attempts", "last_error", "made_at"], as_json)?;
        }
        WebhookCommand::Resend { place, webhook, n } => {
            post(&place, &format!("{}/dead/{n}/resend", path(&webhook)), &Value::Null).await?;
            output::note("it waits to be told");
        }
        WebhookCommand::Remove { place, webhook } => {
            let api = Api::of(&place).await?;
            let answer = api.delete(&path(&webhook)).await;
            api.close().await;
            answer?;
            output::note("removed");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints the secret of a webhook, this once.
fn secret(answer: &Value) {
    let webhook = answer.get("webhook").cloned().unwrap_or_default();
    output::line(&format!("{} ({})", text(&webhook, "name"), text(&webhook, "id")));
    output::line(text(answer, "secret"));
    output::note("this is the secret that signs its messages; it cannot be shown again");
}

fn path(webhook: &str) -> String {
    format!("{PATH}/{}", escape(webhook))
}

async fn post(place: &Place, path: &str, body: &Value) -> Result<Value, Failure> {
    let api = Api::of(place).await?;
    let answer = api.post(path, body).await;
    api.close().await;
    answer
}

async fn pause(place: &Place, webhook: &str, paused: bool, as_json: bool) -> Result<(), Failure> {
    let api = Api::of(place).await?;
    let answer = api.patch(&path(webhook), &json!({ "paused": paused })).await;
    api.close().await;
    let answer = answer?;
    if as_json {
        return output::value(&answer);
    }
    output::line(&format!("{}: {}", text(&answer, "name"), text(&answer, "state")));
    Ok(())
}
