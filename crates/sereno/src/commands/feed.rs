//! `sereno feed list|new|run|load|rejects|pause|resume|secret|remove|discover|push`.

mod credentials;
mod push;

use std::process::ExitCode;

use serde_json::{Value, json};

use super::{read_file, table, text};
use crate::api::{Api, escape};
use crate::arguments::{FeedCommand, NewFeed, Place};
use crate::output::{self, Failure};

/// Largest file read, bytes; the node has a limit of its own.
const MAX_FEED_BYTES: u64 = 4 << 30;

pub(crate) async fn run(command: FeedCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        FeedCommand::List(place) => {
            let api = Api::of(&place).await?;
            let answer = api.get("/api/v1/feeds").await;
            api.close().await;
            table(&answer?, &["name", "state", "last_ok", "last_error", "url"], json)?;
        }
        FeedCommand::New(wanted) => show(&add(&wanted).await?, json)?,
        FeedCommand::Run { place, feed } => {
            let api = Api::of(&place).await?;
            let feed = api.post(&format!("{}/run", path(&feed)), &Value::Null).await;
            api.close().await;
            show(&feed?, json)?;
        }
        FeedCommand::Load { place, feed, file } => {
            let bytes = read_file(&file, MAX_FEED_BYTES)?;
            let api = Api::of(&place).await?;
            let path = format!("{}/load", path(&feed));
            let feed = api.post_bytes(&path, bytes, "application/octet-stream").await;
            api.close().await;
            show(&feed?, json)?;
        }
        FeedCommand::Rejects { place, feed } => {
            let api = Api::of(&place).await?;
            let answer = api.get(&format!("{}/rejects", path(&feed))).await;
            api.close().await;
            table(&answer?, &["place", "reason", "excerpt"], json)?;
        }
        FeedCommand::Pause { place, feed } => {
            change(&place, &feed, &json!({ "paused": true }), json).await?;
        }
        FeedCommand::Resume { place, feed } => {
            change(&place, &feed, &json!({ "paused": false }), json).await?;
        }
        FeedCommand::Secret { place, feed, secret_file } => {
            let secret = credentials::read(&secret_file)?;
            change(&place, &feed, &json!({ "secret": secret }), json).await?;
        }
        FeedCommand::Remove { place, feed } => {
            let api = Api::of(&place).await?;
            let answer = api.delete(&path(&feed)).await;
            api.close().await;
            answer?;
            output::note("removed");
        }
        FeedCommand::Discover { place, url, credentials } => {
            let mut body = json!({ "url": url });
            credentials::add(&credentials, &mut body)?;
            let api = Api::of(&place).await?;
            let answer = api.post("/api/v1/feeds/discover", &body).await;
            api.close().await;
            return discovered(&answer?, json);
        }
        FeedCommand::Push(command) => return push::run(command, json).await,
    }
    Ok(ExitCode::SUCCESS)
}

/// Adds a feed; what the node made of it.
async fn add(wanted: &NewFeed) -> Result<Value, Failure> {
    let since_name = if wanted.form == "taxii" { "added_after" } else { "since" };
    let more = [
        ("kinds", json!(wanted.kind)),
        ("collections", json!(wanted.collection)),
        ("types", json!(wanted.types)),
        ("tags", json!(wanted.tag)),
        ("orgs", json!(wanted.org)),
        (since_name, json!(wanted.since)),
    ];
    let format = format_of(&wanted.form, more, wanted.format.as_deref())?;
    let mut body = json!({ "name": wanted.name, "url": wanted.url, "format": format, "tlp": wanted.tlp,
        "every_minutes": wanted.every_minutes, "licence": wanted.licence, "whole": !wanted.keep });
    credentials::add(&wanted.credentials, &mut body)?;
    let api = Api::of(&wanted.place).await?;
    let feed = api.post("/api/v1/feeds", &body).await;
    api.close().await;
    feed
}

fn path(feed: &str) -> String {
    format!("/api/v1/feeds/{}", escape(feed))
}

fn format_of<const N: usize>(
    form: &str,
    fields: [(&str, Value); N],
    more: Option<&str>,
) -> Result<Value, Failure> {
    let mut format = match more.map(serde_json::from_str).transpose() {
        Ok(Some(Value::Object(map))) => map,
        Ok(None) => serde_json::Map::new(),
        _ => return Err(Failure::wrong_use("--format is no JSON object")),
    };
    format.insert("form".into(), form.into());
    for (name, value) in fields {
        let is_empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if !is_empty {
            format.insert(name.into(), value);
        }
    }
    Ok(Value::Object(format))
}

async fn change(place: &Place, feed: &str, change: &Value, json: bool) -> Result<(), Failure> {
    let api = Api::of(place).await?;
    let feed = api.patch(&path(feed), change).await;
    api.close().await;
    show(&feed?, json)
}

/// Exit 1 when there is nothing to read or write.
fn discovered(answer: &Value, json: bool) -> Result<ExitCode, Failure> {
    let list = answer.get("collections").and_then(Value::as_array).cloned().unwrap_or_default();
    if json {
        output::value(answer)?;
    } else {
        for one in &list {
            let right = |name: &str, letter| match one.get(name).and_then(Value::as_bool) {
                Some(true) => letter,
                _ => "-",
            };
            let rights = format!("{}{}", right("can_read", "r"), right("can_write", "w"));
            output::line(&format!("{rights}  {}  {}", text(one, "url"), text(one, "title")));
        }
        for problem in answer.get("problems").and_then(Value::as_array).into_iter().flatten() {
            output::note(problem.as_str().unwrap_or_default());
        }
    }
    Ok(output::answer(!list.is_empty()))
}

fn show(feed: &Value, json: bool) -> Result<(), Failure> {
    if json {
        return output::value(feed);
    }
    let counts = feed.get("counts").filter(|counts| counts.is_object());
    let said = counts.map_or_else(
        || "not read yet".to_owned(),
        |counts| {
            let count = |name: &str| counts.get(name).and_then(Value::as_u64).unwrap_or_default();
            format!(
                "{} read: {} new, {} updated, {} known, {} twice, {} well known, {} refused, {} gone",
                count("records"),
                count("new"),
                count("updated"),
                count("same"),
                count("duplicate"),
                count("well_known"),
                count("rejected"),
                count("gone")
            )
        },
    );
    output::line(&format!("{} ({}): {said}", text(feed, "name"), text(feed, "state")));
    if let Some(signatures) = counts.and_then(|counts| counts.get("signatures")) {
        let count = |name: &str| signatures.get(name).and_then(Value::as_u64).unwrap_or_default();
        let (good, bad) = (count("good"), count("bad"));
        let (missing, unknown) = (count("missing"), count("unknown"));
        if good + bad + missing + unknown > 0 {
            let said = format!("{good} good, {bad} bad, {missing} missing, {unknown} not judged");
            output::line(&format!("  signatures: {said}"));
        }
    }
    Ok(())
}
