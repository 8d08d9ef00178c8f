//! `sereno config check|show`.

use std::process::ExitCode;

use crate::arguments::ConfigCommand;
use crate::output::{self, Failure, NO};
use crate::settings;

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
    }
}
