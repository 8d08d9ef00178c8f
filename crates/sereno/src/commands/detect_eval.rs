//! `sereno detect eval`: every detector over scenario folders, beside each other.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use analytics::train::TrainOptions;
use detection::offline::eval::{
    EvalProgress, EvalRequest, Report, evaluate, to_html, to_markdown, to_table,
};
use indicatif::{ProgressBar, ProgressStyle};
use nix::time::{ClockId, clock_gettime};

use super::detect::failed;
use crate::arguments::Eval;
use crate::output::{self, FAILURE, Failure};

pub(crate) fn run(eval: Eval, json: bool) -> Result<ExitCode, Failure> {
    let request = EvalRequest {
        scenarios: eval.scenario,
        detectors: eval.detector,
        seeds: eval.seeds,
        options: TrainOptions { seed: eval.seed, alpha: eval.alpha, ..TrainOptions::default() },
        scores: eval.scores,
    };
    let progress = Progress::new();
    let report = evaluate(&request, &thread_time, &mut |step| progress.show(&step));
    progress.end();
    let report = report.map_err(failed)?;
    if let Some(path) = &eval.json_file {
        write(path, &as_json(&report)?)?;
    }
    if let Some(path) = &eval.html {
        write(path, &to_html(&report))?;
    }
    if let Some(path) = &eval.markdown {
        write(path, &to_markdown(&report))?;
    }
    if json {
        output::line(&as_json(&report)?);
    } else {
        output::line(to_table(&report).trim_end());
    }
    for scenario in &report.scenarios {
        if let Some(why) = &scenario.failed {
            output::note(&format!("{}: {why}", scenario.name));
        }
    }
    Ok(if report.is_whole() { ExitCode::SUCCESS } else { ExitCode::from(FAILURE) })
}

fn as_json(report: &Report) -> Result<String, Failure> {
    serde_json::to_string(report).map_err(Failure::io("the report"))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(Failure::file(path))
}

/// Processor time of this thread: what the detectors cost, whatever else runs on the machine.
fn thread_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map_or(Duration::ZERO, Duration::from)
}

/// A line that tells where the evaluation is, on a terminal only.
struct Progress(Option<ProgressBar>);

impl Progress {
    fn new() -> Self {
        Self(std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            match ProgressStyle::with_template("{pos}/{len} {wide_msg}") {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        }))
    }

    fn show(&self, step: &EvalProgress) {
        let Some(bar) = &self.0 else { return };
        bar.set_length(step.total as u64);
        bar.set_position(step.done as u64);
        bar.set_message(match &step.detector {
            Some(detector) => format!("{}: {detector}, seed {}", step.scenario, step.seed),
            None => format!("{}: reading", step.scenario),
        });
    }

    fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
