//! `sereno detect eval|compare`: detectors beside each other.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use analytics::train::TrainOptions;
use detection::offline::eval::{
    CompareRequest, Comparison, EvalProgress, EvalRequest, Report, Side, SideFigures, compare,
    evaluate, to_html, to_markdown, to_table,
};
use indicatif::{ProgressBar, ProgressStyle};
use nix::time::{ClockId, clock_gettime};
use serde_json::json;

use super::detect::failed;
use crate::api::Api;
use crate::arguments::{Compare, Eval, Place};
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
    if let Some(name) = &eval.keep {
        crate::runtime()?.block_on(keep(&eval.place, name, &report))?;
    }
    for scenario in &report.scenarios {
        if let Some(why) = &scenario.failed {
            output::note(&format!("{}: {why}", scenario.name));
        }
    }
    Ok(if report.is_whole() { ExitCode::SUCCESS } else { ExitCode::from(FAILURE) })
}

/// Hands the report to the node.
async fn keep(place: &Place, name: &str, report: &Report) -> Result<(), Failure> {
    let report = serde_json::to_value(report).map_err(Failure::io("the report"))?;
    let api = Api::of(place).await?;
    let body = json!({ "name": name, "report": report });
    let kept = api.post("/api/v1/detection/evaluations", &body).await;
    api.close().await;
    let id = kept?["id"].as_str().map(str::to_owned).unwrap_or_default();
    output::note(&format!("kept as \u{201c}{name}\u{201d} (/evaluations/{id})"));
    Ok(())
}

/// Exit 0 when the sides agree on every window, 1 when they do not.
pub(crate) fn run_compare(sides: Compare, json: bool) -> Result<ExitCode, Failure> {
    let request = CompareRequest {
        a: Side::parse(&sides.a),
        b: Side::parse(&sides.b),
        capture: sides.pcap,
        scenario: sides.scenario,
        options: TrainOptions { seed: sides.seed, ..TrainOptions::default() },
    };
    let found = compare(&request).map_err(failed)?;
    if json {
        output::value(&found)?;
    } else {
        say_compared(&found);
    }
    Ok(output::answer(found.only_a + found.only_b == 0))
}

fn say_compared(found: &Comparison) {
    let (a, b) = (&found.a, &found.b);
    output::line(&format!(
        "{} windows: both alert {}, only {a} {}, only {b} {}, neither {}",
        found.windows, found.both, found.only_a, found.only_b, found.neither
    ));
    if found.unmatched > 0 {
        output::line(&format!("{} windows are judged by one side alone", found.unmatched));
    }
    if let Some((of_a, of_b)) = &found.figures {
        output::line(&side_line(a, of_a));
        output::line(&side_line(b, of_b));
    }
    for one in &found.disagreements {
        output::line(&format!(
            "{} at {:.0}: {a} {:.2}, {b} {:.2}{}",
            one.device,
            one.start,
            one.a,
            one.b,
            one.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default()
        ));
    }
}

fn side_line(name: &str, figures: &SideFigures) -> String {
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.4}"));
    format!(
        "{name}: AUC {}, TPR {}, FPR {}",
        number(figures.auc),
        number(figures.tpr),
        number(figures.fpr)
    )
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
