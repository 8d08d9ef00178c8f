//! `sereno policy …`, `sereno redaction …`, `sereno share preview`.

use std::path::PathBuf;
use std::process::ExitCode;

use analytics::inventory::seen_as_it_is;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::community::{community_id, organisation_id};
use super::{read_file, table, text};
use crate::api::{Api, escape};
use crate::arguments::Place;
use crate::output::{self, Failure};

/// Largest policy or file of tests read, bytes.
const MAX_FILE_BYTES: u64 = 4 << 20;
const POLICIES: &str = "/api/v1/sharing/policies";
const TESTS: &str = "/api/v1/sharing/tests";
const RULES: &str = "/api/v1/sharing/redactions";

/// Sharing policies: what may leave, to whom.
#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Those in force, in plain words.
    List(Place),
    /// One of them as Cedar, with its versions in --json.
    Show {
        #[command(flatten)]
        place: Place,
        /// Its id.
        id: String,
    },
    /// Put a policy in force. Exit 1 when it cannot be, or breaks a test.
    Put {
        #[command(flatten)]
        place: Place,
        /// One Cedar policy.
        file: PathBuf,
        /// Its id; the file's name without ending when absent.
        #[arg(long)]
        id: Option<String>,
        /// Also when it breaks tests.
        #[arg(long)]
        force: bool,
    },
    /// Take an own policy away.
    Remove {
        #[command(flatten)]
        place: Place,
        /// Its id.
        id: String,
        /// Also when it breaks tests.
        #[arg(long)]
        force: bool,
    },
    /// Run the tests of the policies. Exit 0 when all pass, 1 when not.
    Test {
        #[command(flatten)]
        place: Place,
        /// Keep the tests of this file instead: {"tests": […]}, as in docs/communities.md.
        #[arg(long)]
        put: Option<PathBuf>,
    },
}

/// Redaction rules: what is changed on the way out.
#[derive(Debug, Subcommand)]
pub(crate) enum RedactionCommand {
    /// The rules, in the order in which they are applied.
    List(Place),
    /// Add a rule.
    New(Box<NewRule>),
    /// Apply it no longer for now.
    Pause(Rule),
    /// Apply it again.
    Resume(Rule),
    /// Take it away.
    Remove(Rule),
}

#[derive(Debug, Args)]
pub(crate) struct Rule {
    #[command(flatten)]
    place: Place,
    /// Its id.
    id: String,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("what").required(true).multiple(false))]
pub(crate) struct NewRule {
    #[command(flatten)]
    place: Place,
    /// What it is called.
    name: String,
    /// Leave a property away: a JSON pointer, or a name with `*`; repeatable.
    #[arg(long, group = "what")]
    remove: Vec<String>,
    /// Replace what this regular expression matches.
    #[arg(long, group = "what", requires = "with")]
    replace: Option<String>,
    /// What stands instead.
    #[arg(long)]
    with: Option<String>,
    /// Replace addresses of own networks by pseudonyms.
    #[arg(long, group = "what")]
    pseudonymise: bool,
    /// Keep the object back.
    #[arg(long, group = "what")]
    drop: bool,
    /// For this kind of organisation; repeatable.
    #[arg(long)]
    kind: Vec<String>,
    /// For this organisation, by name or id of its node; repeatable.
    #[arg(long)]
    organisation: Vec<String>,
    /// For members of this community, by name or id; repeatable.
    #[arg(long)]
    community: Vec<String>,
    /// For objects of this STIX type; repeatable.
    #[arg(long = "type")]
    types: Vec<String>,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("which").required(true).multiple(false))]
pub(crate) struct Preview {
    #[command(flatten)]
    place: Place,
    /// A STIX id; repeatable.
    #[arg(long, group = "which")]
    object: Vec<String>,
    /// A query in the language of `sereno intel search`.
    #[arg(long, group = "which")]
    query: Option<String>,
    /// A community or an organisation, by name or id; repeatable [default: every organisation by name].
    #[arg(long)]
    to: Vec<String>,
    /// The objects as they would leave (with --json).
    #[arg(long)]
    bodies: bool,
}

pub(crate) async fn policy(command: PolicyCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        PolicyCommand::List(place) => {
            let api = Api::of(&place).await?;
            let all = api.get(POLICIES).await;
            api.close().await;
            table(&all?, &["id", "effect", "words"], json)?;
        }
        PolicyCommand::Show { place, id } => {
            let api = Api::of(&place).await?;
            let found = api.get(&format!("{POLICIES}/{}", escape(&id))).await;
            api.close().await;
            let found = found?;
            if json || found["policy"].is_null() {
                output::value(&found)?;
            } else {
                output::note(&seen_as_it_is(text(&found["policy"], "words")));
                output::line(text(&found["policy"], "text"));
            }
        }
        PolicyCommand::Put { place, file, id, force } => {
            let bytes = read_file(&file, MAX_FILE_BYTES)?;
            let text = String::from_utf8(bytes).map_err(Failure::file(&file))?;
            let stem = file.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
            let id = id.or(stem).ok_or_else(|| Failure::wrong_use("say --id"))?;
            let body = json!({ "text": text, "force": force }).to_string().into_bytes();
            let api = Api::of(&place).await?;
            let path = format!("{POLICIES}/{}", escape(&id));
            let done = api.put_bytes(&path, body, "application/json").await;
            api.close().await;
            changed(&done?, json)?;
        }
        PolicyCommand::Remove { place, id, force } => {
            let api = Api::of(&place).await?;
            let path = format!("{POLICIES}/{}?force={force}", escape(&id));
            let done = api.delete(&path).await;
            api.close().await;
            changed(&done?, json)?;
        }
        PolicyCommand::Test { place, put } => return test(&place, put, json).await,
    }
    Ok(ExitCode::SUCCESS)
}

/// A policy that was changed, and which tests fail now.
fn changed(answer: &Value, json: bool) -> Result<(), Failure> {
    if json {
        return output::value(answer);
    }
    match answer["policy"].is_null() {
        true => output::note("removed"),
        false => output::line(&seen_as_it_is(text(&answer["policy"], "words"))),
    }
    let tests = answer["tests"].as_array().map_or(0, Vec::len);
    let failing = answer["tests"].as_array().into_iter().flatten();
    let failing = failing.filter(|test| test["passed"] == false).count();
    if tests > 0 {
        output::note(&format!("{} of {tests} tests pass", tests - failing));
    }
    Ok(())
}

async fn test(place: &Place, put: Option<PathBuf>, json: bool) -> Result<ExitCode, Failure> {
    let body = put.map(|file| read_file(&file, MAX_FILE_BYTES)).transpose()?;
    let api = Api::of(place).await?;
    let run = match body {
        Some(body) => api.put_bytes(TESTS, body, "application/json").await,
        None => api.get(TESTS).await,
    };
    api.close().await;
    let run = run?;
    let results: Vec<&Value> =
        run["items"].as_array().into_iter().flatten().map(|item| &item["result"]).collect();
    if json {
        output::value(&run)?;
    } else {
        table(&json!(results), &["passed", "name", "reason"], false)?;
    }
    Ok(output::answer(results.iter().all(|result| result["passed"] == true)))
}

pub(crate) async fn redaction(command: RedactionCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        RedactionCommand::List(place) => {
            let api = Api::of(&place).await?;
            let all = api.get(RULES).await;
            api.close().await;
            table(&all?, &["id", "name", "paused", "types", "to", "action"], json)?;
        }
        RedactionCommand::New(rule) => {
            let api = Api::of(&rule.place).await?;
            let made = new_rule(&api, &rule).await;
            api.close().await;
            table(&json!([made?]), &["id", "name", "action"], json)?;
        }
        RedactionCommand::Pause(rule) => pause(&rule, true, json).await?,
        RedactionCommand::Resume(rule) => pause(&rule, false, json).await?,
        RedactionCommand::Remove(rule) => {
            let api = Api::of(&rule.place).await?;
            let done = api.delete(&format!("{RULES}/{}", escape(&rule.id))).await;
            api.close().await;
            done?;
            output::note("removed");
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn new_rule(api: &Api, rule: &NewRule) -> Result<Value, Failure> {
    let (mut organisations, mut communities) = (Vec::new(), Vec::new());
    for name in &rule.organisation {
        organisations.push(organisation_id(api, name).await?);
    }
    for name in &rule.community {
        communities.push(community_id(api, name).await?);
    }
    let action = match (&rule.replace, rule.pseudonymise, rule.drop) {
        (Some(pattern), ..) => json!({ "do": "replace", "pattern": pattern, "with": rule.with }),
        (None, true, _) => json!({ "do": "pseudonymise" }),
        (None, false, true) => json!({ "do": "drop" }),
        (None, false, false) => json!({ "do": "remove", "properties": rule.remove }),
    };
    let to = json!({
        "kinds": rule.kind, "organisations": organisations, "communities": communities });
    let body = json!({ "name": rule.name, "to": to, "types": rule.types, "action": action });
    api.post(RULES, &body).await
}

async fn pause(rule: &Rule, paused: bool, json: bool) -> Result<(), Failure> {
    let api = Api::of(&rule.place).await?;
    let path = format!("{RULES}/{}", escape(&rule.id));
    let changed = api.patch(&path, &json!({ "paused": paused })).await;
    api.close().await;
    table(&json!([changed?]), &["id", "name", "paused"], json)
}

pub(crate) async fn preview(asked: Preview, json: bool) -> Result<(), Failure> {
    let api = Api::of(&asked.place).await?;
    let answer = ask(&api, &asked).await;
    api.close().await;
    let answer = answer?;
    if json {
        return output::value(&answer);
    }
    for id in answer["missing"].as_array().into_iter().flatten() {
        output::note(&format!("not known here: {}", id.as_str().unwrap_or_default()));
    }
    for recipient in answer["recipients"].as_array().into_iter().flatten() {
        let through = match recipient["community_name"].as_str() {
            Some(name) => format!(" through {}", seen_as_it_is(name)),
            None => String::new(),
        };
        output::line(&format!(
            "{}{through}: {} go, {} changed, {} stay",
            seen_as_it_is(text(recipient, "name")),
            recipient["allowed"],
            recipient["redacted"],
            recipient["withheld"]
        ));
        for answer in recipient["answers"].as_array().into_iter().flatten() {
            let goes = if answer["allowed"] == true { "goes " } else { "stays" };
            let (object, reason) = (text(answer, "object"), text(answer, "reason"));
            output::line(&format!("  {goes} {object}  {}", seen_as_it_is(reason)));
        }
    }
    if !answer["next"].is_null() || !answer["next_recipient"].is_null() {
        output::note("there are more; use --json and the API's `cursor` and `skip_recipients`");
    }
    Ok(())
}

async fn ask(api: &Api, asked: &Preview) -> Result<Value, Failure> {
    let (mut organisations, mut communities) = (Vec::new(), Vec::new());
    for name in &asked.to {
        match community_id(api, name).await {
            Ok(id) => communities.push(id),
            Err(failure) if failure.code == output::NO => {
                organisations.push(organisation_id(api, name).await?);
            }
            Err(failure) => return Err(failure),
        }
    }
    let to = json!({ "communities": communities, "organisations": organisations });
    let body = match &asked.query {
        Some(query) => json!({ "query": query, "to": to }),
        None => json!({ "objects": asked.object, "to": to }),
    };
    api.post(&format!("/api/v1/sharing/preview?bodies={}", asked.bodies), &body).await
}
