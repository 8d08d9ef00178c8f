//! `evaluate FOLDER… OUT`: every detector on scenario folders, into `OUT.md`, `OUT.json` and
//! `OUT.html`; what `make eval` runs. The same report as `sereno detect eval`, without building the
//! node.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use detection::offline::eval::{EvalRequest, evaluate, to_html, to_markdown, to_table};
use nix::time::{ClockId, clock_gettime};

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(out) = arguments.pop().filter(|_| !arguments.is_empty()) else {
        eprintln!("usage: evaluate FOLDER… OUT");
        return ExitCode::from(2);
    };
    match run(arguments.iter().map(PathBuf::from).collect(), &out) {
        Ok(table) => {
            println!("{table}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(3)
        }
    }
}

fn run(scenarios: Vec<PathBuf>, out: &str) -> Result<String, Box<dyn std::error::Error>> {
    let clock =
        || clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from);
    let report = evaluate(&EvalRequest::new(scenarios), &clock, &mut |step| {
        let detector = step.detector.unwrap_or_else(|| "reading".to_owned());
        eprintln!("{}: {detector}, seed {}", step.scenario, step.seed);
    })?;
    if let Some(folder) = PathBuf::from(out).parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(format!("{out}.md"), to_markdown(&report))?;
    std::fs::write(format!("{out}.json"), serde_json::to_string(&report)?)?;
    std::fs::write(format!("{out}.html"), to_html(&report))?;
    Ok(to_table(&report))
}
