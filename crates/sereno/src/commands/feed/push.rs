//! `sereno feed push list|new|run|failures|withheld|for|pause|resume|secret|remove`.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::super::{table, text};
use super::credentials;
use crate::api::{Api, escape};
use crate::arguments::{Place, PushCommand};
use crate::output::{self, Failure};

pub(super) async fn run(command: PushCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        PushCommand::List(place) => {
            let api = Api::of(&place).await?;
            let answer = api.get("/api/v1/pushes").await;
            api.close().await;
            table(
                &answer?,
                &[
                    "name",
                    "state",
                    "for",
                    "highest",
                    "sent",
                    "withheld",
                    "failed",
                    "last_error",
                    "url",
                ],
                json,
            )?;
        }
        PushCommand::New {
            place,
            name,
            to,
            collection,
            types,
            events,
            organisation,
            highest,
            credentials,
            every_minutes,
        } => {
            let origin = origin(collection.as_deref(), &types, events)?;
            let mut body = json!({ "name": name, "url": to, "origin": origin, "highest": highest,
                "for": organisation, "every_minutes": every_minutes });
            credentials::add(&credentials, &mut body)?;
            let api = Api::of(&place).await?;
            let push = api.post("/api/v1/pushes", &body).await;
            api.close().await;
            show(&push?, json)?;
        }
        PushCommand::Run { place, push } => {
            let api = Api::of(&place).await?;
            let push = api.post(&format!("{}/run", path(&push)), &Value::Null).await;
            api.close().await;
            show(&push?, json)?;
        }
        PushCommand::Failures { place, push } => told(&place, &push, "failures", json).await?,
        PushCommand::Withheld { place, push } => told(&place, &push, "withheld", json).await?,
        PushCommand::For { place, push, organisation } => {
            change(&place, &push, &json!({ "for": organisation }), json).await?;
        }
        PushCommand::Pause { place, push } => {
            change(&place, &push, &json!({ "paused": true }), json).await?;
        }
        PushCommand::Resume { place, push } => {
            change(&place, &push, &json!({ "paused": false }), json).await?;
        }
        PushCommand::Secret { place, push, secret_file } => {
            let secret = credentials::read(&secret_file)?;
            change(&place, &push, &json!({ "secret": secret }), json).await?;
        }
        PushCommand::Remove { place, push } => remove(&place, &push).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// What did not go, with the reasons.
async fn told(place: &Place, push: &str, what: &str, json: bool) -> Result<(), Failure> {
    let api = Api::of(place).await?;
    let answer = api.get(&format!("{}/{what}", path(push))).await;
    api.close().await;
    table(&answer?, &["id", "version", "reason"], json)
}

async fn remove(place: &Place, push: &str) -> Result<(), Failure> {
    let api = Api::of(place).await?;
    let answer = api.delete(&path(push)).await;
    api.close().await;
    answer?;
    output::note("removed");
    Ok(())
}

fn path(push: &str) -> String {
    format!("/api/v1/pushes/{}", escape(push))
}

fn origin(collection: Option<&str>, types: &[String], events: bool) -> Result<Value, Failure> {
    match (collection, types, events) {
        (Some(name), ..) => match name.split_once('/') {
            Some((root, name)) => {
                Ok(json!({ "what": "collection", "root": root, "collection": name }))
            }
            None => Ok(json!({ "what": "collection", "root": "sereno", "collection": name })),
        },
        (None, _, true) => Ok(json!({ "what": "events" })),
        (None, [], false) => {
            Err(Failure::wrong_use("say what goes out: --collection, --type or --events"))
        }
        (None, types, false) => {
            let types: Vec<&String> = types.iter().filter(|name| *name != "all").collect();
            Ok(json!({ "what": "known", "types": types }))
        }
    }
}

async fn change(place: &Place, push: &str, change: &Value, json: bool) -> Result<(), Failure> {
    let api = Api::of(place).await?;
    let push = api.patch(&path(push), change).await;
    api.close().await;
    show(&push?, json)
}

fn show(push: &Value, json: bool) -> Result<(), Failure> {
    if json {
        return output::value(push);
    }
    let count = |name: &str| push.get(name).and_then(Value::as_i64).unwrap_or_default();
    output::line(&format!(
        "{} ({}) for {}: {} acknowledged, {} pending, {} refused, {} held back; nothing above {} leaves",
        text(push, "name"),
        text(push, "state"),
        push["for"].as_str().unwrap_or("an organisation without a name (kind other)"),
        count("sent"),
        count("pending"),
        count("failed"),
        count("withheld"),
        text(push, "highest")
    ));
    Ok(())
}
