//! `sereno config check|show|reference|example`.

use std::process::ExitCode;

use crate::arguments::ConfigCommand;
use crate::output::{self, Failure, NO};
use crate::settings;

/// Both are made from the code; a test fails when they are stale.
const REFERENCE: &str = include_str!("../../../../docs/configuration.md");
const EXAMPLE: &str = include_str!("../../../../packaging/sereno.toml");

pub(crate) async fn run(command: ConfigCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        ConfigCommand::Check(place) => match settings::load(&place, None) {
            Ok(_) if json => {
                output::value(&serde_json::json!({ "valid": true })).map(|()| ExitCode::SUCCESS)
            }
            Ok(_) => {
                output::line("the configuration is right");
                Ok(ExitCode::SUCCESS)
            }
            Err(mut failure) => {
                failure.code = NO;
                Err(failure)
            }
        },
        ConfigCommand::Show(place) => {
            let settings = settings::load(&place, None)?;
            if json {
                output::value(&settings)?;
            } else {
                let text =
                    toml::to_string_pretty(&settings).map_err(Failure::io("configuration"))?;
                output::line(&text);
            }
            Ok(ExitCode::SUCCESS)
        }
        ConfigCommand::Reference => text(REFERENCE, json),
        ConfigCommand::Example => text(EXAMPLE, json),
    }
}

fn text(text: &str, json: bool) -> Result<ExitCode, Failure> {
    if json {
        output::value(&serde_json::json!({ "text": text }))?;
    } else {
        output::line(text.trim_end());
    }
    Ok(ExitCode::SUCCESS)
}
