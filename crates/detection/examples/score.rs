//! `score train MODEL CAPTURE…` and `score score MODEL CAPTURE OUT`: the offline engine alone, for
//! measuring it.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use detection::offline::{OfflineError, TrainRequest, score, train};

fn run(arguments: &[String]) -> Result<String, OfflineError> {
    let text =
        |value: Result<String, serde_json::Error>| value.unwrap_or_else(|error| error.to_string());
    match arguments {
        [command, model, captures @ ..] if command == "train" => {
            let request = TrainRequest::new(captures.iter().map(PathBuf::from).collect());
            let summary = train(&request, Path::new(model), |_| {})?;
            Ok(text(serde_json::to_string_pretty(&summary)))
        }
        [command, model, capture, out] if command == "score" => {
            let summary = score(Path::new(model), Path::new(capture), Path::new(out), |_| {})?;
            Ok(text(serde_json::to_string_pretty(&summary)))
        }
        _ => Ok("usage: score train MODEL CAPTURE… | score score MODEL CAPTURE OUT".to_owned()),
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(3)
        }
    }
}
