//! `sereno actuator list|test`: what playbooks command.

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::Value;

use super::{table, text};
use crate::api::{Api, escape};
use crate::arguments::Place;
use crate::output::{self, Failure};

const PATH: &str = "/api/v1/actuators";

#[derive(Debug, Subcommand)]
pub(crate) enum ActuatorCommand {
    /// Those that are there, and how to have the others.
    List(Place),
    /// Ask the other side whether it would take commands; changes nothing. Exit 0 or 1.
    Test {
        #[command(flatten)]
        place: Place,
        /// Its name.
        name: String,
    },
}

pub(crate) async fn run(command: ActuatorCommand, as_json: bool) -> Result<ExitCode, Failure> {
    match command {
        ActuatorCommand::List(place) => {
            let api = Api::of(&place).await?;
            let answer = api.get(PATH).await;
            api.close().await;
            table(&answer?, &["name", "configured", "commands", "remedy"], as_json)?;
            Ok(ExitCode::SUCCESS)
        }
        ActuatorCommand::Test { place, name } => {
            let api = Api::of(&place).await?;
            let answer = api.post(&format!("{PATH}/{}/test", escape(&name)), &Value::Null).await;
            api.close().await;
            let answer = answer?;
            if as_json {
                output::value(&answer)?;
            } else {
                output::line(text(&answer, "summary"));
            }
            Ok(output::answer(answer["ok"] != Value::Bool(false)))
        }
    }
}
