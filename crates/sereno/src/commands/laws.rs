//! `sereno laws …`: what GOOSE publishers and MMS associations keep to, per edge: list, show, go back.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::table;
use crate::api::Api;
use crate::arguments::Place;
use crate::output::{self, Failure};

const ROOT: &str = "/api/v1/detection/laws";

#[derive(Debug, Args)]
pub(crate) struct Laws {
    #[command(subcommand)]
    action: Action,
}

/// Whose laws.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Protocol {
    Goose,
    Mms,
}

impl Protocol {
    const fn word(self) -> &'static str {
        match self {
            Self::Goose => "goose",
            Self::Mms => "mms",
        }
    }
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Every edge and protocol that was heard, and how far its model is.
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Who speaks, what training broke, and the versions of a model.
    Show {
        #[command(flatten)]
        place: Place,
        /// The edge's name.
        edge: String,
        protocol: Protocol,
    },
    /// Put a version in use in place of the one that is. Its signature is checked.
    Activate {
        #[command(flatten)]
        place: Place,
        /// The edge's name.
        edge: String,
        protocol: Protocol,
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
        protocol: Protocol,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

pub(crate) async fn run(laws: Laws, json: bool) -> Result<ExitCode, Failure> {
    let place = match &laws.action {
        Action::List { place }
        | Action::Show { place, .. }
        | Action::Activate { place, .. }
        | Action::Relearn { place, .. } => place,
    };
    let api = Api::of(place).await?;
    let done = act(&api, laws.action, json).await;
    api.close().await;
    done.map(|()| ExitCode::SUCCESS)
}

async fn act(api: &Api, action: Action, json: bool) -> Result<(), Failure> {
    match action {
        Action::List { .. } => {
            let answer = api.get(ROOT).await?;
            let columns = ["edge", "protocol", "version", "known", "unusual", "protection"];
            table(&answer, &columns, json)
        }
        Action::Show { edge, protocol, .. } => {
            let answer = api.get(&format!("{ROOT}/{edge}/{}", protocol.word())).await?;
            show(&answer, json)
        }
        Action::Activate { edge, protocol, version, reason, .. } => {
            let path = format!("{ROOT}/{edge}/{}/versions/{version}/activate", protocol.word());
            api.post(&path, &json!({ "reason": reason })).await?;
            output::note(&format!("version {version} is in use"));
            Ok(())
        }
        Action::Relearn { edge, protocol, reason, .. } => {
            let path = format!("{ROOT}/{edge}/{}/relearn", protocol.word());
            api.post(&path, &json!({ "reason": reason })).await?;
            output::note("it learns again; until then no message is judged");
            Ok(())
        }
    }
}

fn show(answer: &Value, json: bool) -> Result<(), Failure> {
    if json {
        return output::value(answer);
    }
    let parts: [(&str, &[&str]); 3] = [
        ("speakers", &["name", "device", "messages", "rest_ms", "changes"]),
        ("broken_in_training", &["law", "largest", "windows", "meaning"]),
        ("versions", &["version", "state", "made_at", "messages", "signature_valid", "reason"]),
    ];
    for (part, columns) in parts {
        output::line(&format!("{part}:"));
        table(answer.get(part).unwrap_or(&Value::Null), columns, false)?;
    }
    Ok(())
}
