//! `sereno commands …`: what machines may be told, per edge: list, show, check, write, go back.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{read_file, table, text};
use crate::api::{Api, escape};
use crate::arguments::Place;
use crate::output::{self, Failure};

/// Largest text sent.
const MAX_TEXT_BYTES: u64 = 64 << 20;
const ROOT: &str = "/api/v1/detection/commands";

#[derive(Debug, Args)]
pub(crate) struct Commands {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Every edge and how far its model is.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// The model of an edge as text.
    Show {
        #[command(flatten)]
        place: Place,
        /// The edge's name.
        edge: String,
        /// A version in place of the one in use.
        #[arg(long)]
        number: Option<i64>,
    },
    /// Read a text as a model without storing it: the line that is wrong, or what it would change.
    Check {
        #[command(flatten)]
        place: Place,
        /// The text.
        file: PathBuf,
        /// Compare with the model of this edge; without, with that of the only one.
        #[arg(long)]
        edge: Option<String>,
    },
    /// Put a text in use as the next version of an edge's model.
    Apply {
        #[command(flatten)]
        place: Place,
        /// The edge's name.
        edge: String,
        /// The text.
        file: PathBuf,
        /// The version it was made from; without, the one in use.
        #[arg(long)]
        from: Option<i64>,
        /// Why.
        #[arg(long, default_value = "applied from the command line")]
        reason: String,
    },
    /// The versions of an edge's model.
    Versions {
        #[command(flatten)]
        place: Place,
        /// The edge's name.
        edge: String,
    },
    /// Put a version in use in place of the one that is. Its signature is checked.
    Activate {
        #[command(flatten)]
        place: Place,
        /// The edge's name.
        edge: String,
        /// The version's number.
        #[arg(id = "number", value_name = "VERSION")]
        version: i64,
        /// Why.
        #[arg(long, default_value = "activated from the command line")]
        reason: String,
    },
    /// Give the model in use up and learn again.
    Relearn {
        #[command(flatten)]
        place: Place,
        /// The edge's name.
        edge: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Make the unusual commands of a finding normal for good.
    Learn {
        #[command(flatten)]
        place: Place,
        /// The edge's name.
        edge: String,
        /// The finding's id.
        finding: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

pub(crate) async fn run(commands: Commands, json: bool) -> Result<ExitCode, Failure> {
    let place = match &commands.action {
        Action::List { place }
        | Action::Show { place, .. }
        | Action::Check { place, .. }
        | Action::Apply { place, .. }
        | Action::Versions { place, .. }
        | Action::Activate { place, .. }
        | Action::Relearn { place, .. }
        | Action::Learn { place, .. } => place,
    };
    let api = Api::of(place).await?;
    let done = act(&api, commands.action, json).await;
    api.close().await;
    done.map(|()| ExitCode::SUCCESS)
}

async fn act(api: &Api, action: Action, json: bool) -> Result<(), Failure> {
    match action {
        Action::List { .. } => {
            let answer = api.get(ROOT).await?;
            let columns = ["edge", "version", "pairs", "functions", "unusual", "protection"];
            table(&answer, &columns, json)
        }
        Action::Show { edge, number, .. } => {
            let query = number.map(|number| format!("?version={number}")).unwrap_or_default();
            let body = api.get_text(&format!("{ROOT}/{edge}{query}")).await?;
            output::line(body.trim_end());
            Ok(())
        }
        Action::Check { file, edge, .. } => {
            let body = read_file(&file, MAX_TEXT_BYTES)?;
            let edge = match edge {
                Some(edge) => edge,
                None => only_edge(api).await?,
            };
            let path = format!("{ROOT}/{edge}/check");
            say_text(&api.post_text(&path, body).await?, json)
        }
        Action::Apply { edge, file, from, reason, .. } => {
            let body = read_file(&file, MAX_TEXT_BYTES)?;
            apply(api, &edge, (body, from, &reason), json).await
        }
        Action::Versions { edge, .. } => {
            let answer = api.get(&format!("{ROOT}/{edge}/versions?limit=100")).await?;
            let columns = [
                "version",
                "state",
                "origin",
                "author",
                "made_at",
                "pairs",
                "functions",
                "signature_valid",
                "reason",
            ];
            table(&answer, &columns, json)
        }
        Action::Activate { edge, version, reason, .. } => {
            let path = format!("{ROOT}/{edge}/versions/{version}/activate");
            api.post(&path, &json!({ "reason": reason })).await?;
            output::note(&format!("version {version} is in use"));
            Ok(())
        }
        Action::Relearn { edge, reason, .. } => {
            api.post(&format!("{ROOT}/{edge}/relearn"), &json!({ "reason": reason })).await?;
            output::note("it learns again; until then no command is judged");
            Ok(())
        }
        Action::Learn { edge, finding, reason, .. } => {
            let body = json!({ "finding": finding, "reason": reason });
            let answer = api.post(&format!("{ROOT}/{edge}/learn"), &body).await?;
            let version = answer.get("version").and_then(Value::as_i64).unwrap_or(0);
            output::note(&format!("learned; version {version} is in use"));
            Ok(())
        }
    }
}

/// Puts a text in use: the text, the version it was made from, and why.
async fn apply(
    api: &Api,
    edge: &str,
    (body, from, reason): (Vec<u8>, Option<i64>, &str),
    json: bool,
) -> Result<(), Failure> {
    let from = match from {
        Some(from) => from,
        None => version_of(api, edge).await?,
    };
    let path = format!("{ROOT}/{edge}?reason={}", escape(reason));
    let answer = api.put_text(&path, body, &format!("\"{from}\"")).await?;
    if !json {
        let version = answer.get("version").and_then(Value::as_i64).unwrap_or(0);
        output::note(&format!("version {version} is in use"));
    }
    say_text(&answer, json)
}

async fn machines(api: &Api) -> Result<Vec<Value>, Failure> {
    let answer = api.get(ROOT).await?;
    Ok(answer.get("items").and_then(Value::as_array).cloned().unwrap_or_default())
}

async fn only_edge(api: &Api) -> Result<String, Failure> {
    match machines(api).await?.as_slice() {
        [only] => Ok(text(only, "edge").to_owned()),
        [] => Err(Failure::new("no edge told of operations so far")
            .remedy("Connect an edge, or name one with --edge.")),
        many => {
            Err(Failure::wrong_use(format!("there are {} edges: name one with --edge", many.len())))
        }
    }
}

async fn version_of(api: &Api, edge: &str) -> Result<i64, Failure> {
    let all = machines(api).await?;
    let own = all.iter().find(|machine| text(machine, "edge") == edge);
    Ok(own.and_then(|own| own.get("version")).and_then(Value::as_i64).unwrap_or(0))
}

fn say_text(answer: &Value, json: bool) -> Result<(), Failure> {
    if json {
        return output::value(answer);
    }
    let count = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or(0);
    output::line(&format!(
        "{} pairs ({} new, {} gone), {} functions ({} new, {} gone)",
        count("pairs"),
        count("pairs_added"),
        count("pairs_removed"),
        count("functions"),
        count("functions_added"),
        count("functions_removed")
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_goes_through_a_query() {
        assert_eq!(escape("new recipe & more"), "new%20recipe%20%26%20more");
    }
}
