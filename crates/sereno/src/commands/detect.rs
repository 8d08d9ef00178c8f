//! `sereno detect train|score|eval|compare`: on capture files, without a node.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use analytics::host::Host;
use analytics::policy::DevicePolicy;
use analytics::windows::{DEFAULT_WINDOW_US, WINDOW_RANGE_US};
use detection::offline::eval::training_captures;
use detection::offline::keys::{KeyError, signing_key, verifying_key};
use detection::offline::rows::{RowSummary, is_row_scenario};
use detection::offline::scenario::{Kind, Scenario};
use detection::offline::{
    CaptureSummary, LawTraining, OfflineError, OfflineProgress, RowTraining, ScoreRequest,
    ScoreSummary, TrainRequest, TrainSummary, is_of_rows, score_rows, score_with, train,
    train_rows,
};
use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::{DetectCommand, Score, Train};
use crate::output::{self, FAILURE, Failure, WRONG_USE};

pub(crate) fn run(command: DetectCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        DetectCommand::Train(arguments) => run_train(arguments, json),
        DetectCommand::Score(arguments) => run_score(arguments, json),
        DetectCommand::Eval(eval) => super::detect_eval::run(eval, json),
        DetectCommand::Compare(sides) => super::detect_eval::run_compare(sides, json),
    }
}

fn run_train(arguments: Train, json: bool) -> Result<ExitCode, Failure> {
    let mut request = TrainRequest::new(arguments.pcap);
    request.policy = policy(&arguments.device)?;
    let wrong_key = |error: KeyError| Failure::wrong_use(error.to_string());
    request.signer = arguments.sign.as_deref().map(signing_key).transpose().map_err(wrong_key)?;
    request.options.seed = arguments.seed;
    request.window_us = window_us(arguments.window)?;
    request.baselines = arguments.only.is_none();
    if let Some(folder) = &arguments.scenario {
        let scenario = scenario(folder)?;
        if is_row_scenario(&scenario) {
            if request.window_us != DEFAULT_WINDOW_US {
                return Err(Failure::wrong_use("--window is for captures")
                    .remedy("leave it out: rows are judged in windows of 10 seconds"));
            }
            return run_train_rows(&scenario, request, &arguments.out, json);
        }
        let (captures, notes) = training_captures(&scenario).map_err(failed)?;
        notes.iter().for_each(|text| output::note(text));
        (request.captures, request.policy) = (captures, scenario.policy());
    }
    let progress = Progress::new();
    let summary = train(&request, &arguments.out, |step| progress.show(step)).map_err(failed)?;
    progress.end();
    say_trained(&summary, &arguments.out, json)
}

/// A window length in microseconds.
fn window_us(seconds: f64) -> Result<i64, Failure> {
    let length_us = (seconds * 1e6).round() as i64;
    if WINDOW_RANGE_US.contains(&length_us) {
        return Ok(length_us);
    }
    let (least, most) = (WINDOW_RANGE_US.start() / 1_000_000, WINDOW_RANGE_US.end() / 1_000_000);
    Err(Failure::wrong_use(format!("--window {seconds}: out of bounds"))
        .remedy(format!("choose {least} to {most} seconds; 10 is usual")))
}

fn run_train_rows(
    scenario: &Scenario,
    request: TrainRequest,
    out: &Path,
    json: bool,
) -> Result<ExitCode, Failure> {
    let training = RowTraining {
        options: request.options,
        baselines: request.baselines,
        signer: request.signer,
    };
    let progress = Progress::new();
    let summary =
        train_rows(scenario, &training, out, |step| progress.show(step)).map_err(failed)?;
    progress.end();
    for (name, why) in &summary.not_trained {
        output::note(&format!("{name} was not trained: {why}"));
    }
    say_rows(&summary.path, &summary.rows);
    if json {
        output::value(&summary)?;
    } else {
        if let Some(key) = &summary.signed_by {
            output::line(&format!("signed with {key}"));
        }
        let detectors = summary.detectors.join(", ");
        output::line(&format!("{} ({} bytes): {detectors}", out.display(), summary.model_bytes));
    }
    Ok(ExitCode::SUCCESS)
}

fn run_score(arguments: Score, json: bool) -> Result<ExitCode, Failure> {
    let (capture, rows) = match (&arguments.scenario, arguments.pcap) {
        (Some(folder), _) => {
            let scenario = scenario(folder)?;
            let rows = is_row_scenario(&scenario);
            (scenario.test, rows)
        }
        // A file by itself is what the model was trained on.
        (None, pcap) => (pcap, is_of_rows(&arguments.model).map_err(failed)?),
    };
    let capture = capture.ok_or_else(|| Failure::wrong_use("give --pcap or --scenario"))?;
    let mut request = ScoreRequest::new(arguments.model, capture);
    request.detectors = arguments.detector;
    let wrong_key = |error: KeyError| Failure::wrong_use(error.to_string());
    request.signer =
        arguments.verify_key.as_deref().map(verifying_key).transpose().map_err(wrong_key)?;
    if rows {
        return run_score_rows(&request, &arguments.out, json);
    }
    let progress = Progress::new();
    let summary =
        score_with(&request, &arguments.out, |step| progress.show(step)).map_err(failed)?;
    progress.end();
    say_scored(&summary, &arguments.out, json)
}

fn run_score_rows(request: &ScoreRequest, out: &Path, json: bool) -> Result<ExitCode, Failure> {
    let summary = score_rows(request, out).map_err(failed)?;
    say_rows(&summary.path, &summary.rows);
    if json {
        output::value(&summary)?;
    } else {
        for (detector, lines) in &summary.detectors {
            output::line(&format!("{detector}: {lines} windows"));
        }
        output::line(&format!("{} alerts", summary.alerts));
        output::line(&out.display().to_string());
    }
    Ok(output::answer(summary.alerts == 0))
}

/// Rows that were skipped are said.
fn say_rows(path: &Path, rows: &RowSummary) {
    if let Some((row, reason)) = rows.reasons.first() {
        let path = path.display();
        output::note(&format!(
            "{path}: {} of {} rows were skipped; the first is row {row}: {reason}",
            rows.skipped, rows.rows
        ));
    }
}

fn scenario(folder: &Path) -> Result<Scenario, Failure> {
    let scenario = Scenario::read(folder).map_err(|error| Failure::wrong_use(error.to_string()))?;
    if scenario.kind == Kind::Pcap || is_row_scenario(&scenario) {
        return Ok(scenario);
    }
    Err(Failure::wrong_use(format!("{} holds neither captures nor rows", scenario.name))
        .remedy("name a folder whose scenario.toml says kind = pcap, rows-csv or rows-jsonl"))
}

fn policy(devices: &[String]) -> Result<DevicePolicy, Failure> {
    if devices.is_empty() {
        return Ok(DevicePolicy::Local);
    }
    let hosts: Result<Vec<Host>, Failure> = devices
        .iter()
        .map(|text| {
            text.parse().map_err(|cause| Failure::wrong_use(format!("--device {text}: {cause}")))
        })
        .collect();
    Ok(DevicePolicy::Listed(hosts?))
}

pub(super) fn failed(error: OfflineError) -> Failure {
    let code = match &error {
        OfflineError::Train(_)
        | OfflineError::WindowLength(_)
        | OfflineError::Scenario(_)
        | OfflineError::Unknown(_) => WRONG_USE,
        _ => FAILURE,
    };
    Failure { code, message: error.to_string(), remedy: String::new() }
}

/// What was skipped is said, never silent; a cut capture ends with "failure" after its good part.
fn say_capture(capture: &CaptureSummary) -> bool {
    let path = capture.path.display();
    if capture.undecodable > 0 || capture.flawed > 0 {
        output::note(&format!(
            "{path}: {} frames could not be read, {} are damaged",
            capture.undecodable, capture.flawed
        ));
    }
    if let Some(error) = &capture.error {
        output::note(&format!("{path}: {error}; everything before was used"));
    }
    capture.error.is_none()
}

fn say_trained(summary: &TrainSummary, out: &Path, json: bool) -> Result<ExitCode, Failure> {
    let whole = summary.captures.iter().map(say_capture).fold(true, |all, one| all & one);
    summary.warnings.iter().for_each(|text| output::note(text));
    for (name, why) in &summary.not_trained {
        output::note(&format!("{name} was not trained: {why}"));
    }
    if json {
        output::value(summary)?;
    } else {
        for device in &summary.devices {
            let name = device.device.map(|host| host.to_string()).unwrap_or_default();
            output::line(&format!(
                "{name}: {} windows, {}; {:.2} % of held-out windows alert{}",
                device.windows,
                device.detector,
                device.held_out_rate * 100.0,
                if device.unreliable { " (too few windows for a reliable rate)" } else { "" },
            ));
        }
        for laws in &summary.laws {
            output::line(&law_line(laws));
        }
        for (host, windows) in &summary.too_few {
            output::line(&format!("{host}: only {windows} windows, no model of its own"));
        }
        if let Some(key) = &summary.signed_by {
            output::line(&format!("signed with {key}"));
        }
        output::line(&format!(
            "{} ({} bytes): {}",
            out.display(),
            summary.model_bytes,
            summary.detectors.join(", ")
        ));
    }
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::from(FAILURE) })
}

fn law_line(laws: &LawTraining) -> String {
    let known = match laws.detector {
        "goose" => "control blocks",
        _ => "kinds of messages",
    };
    format!(
        "{}: {} messages over {:.1} minutes, {} {known}",
        laws.detector, laws.messages, laws.minutes, laws.known
    )
}

fn say_scored(summary: &ScoreSummary, out: &Path, json: bool) -> Result<ExitCode, Failure> {
    let whole = say_capture(&summary.capture);
    let laws = summary.laws.unwrap_or_default();
    if laws.untold > 0 {
        output::note(&format!(
            "{} messages of GOOSE or MMS were not judged: too many in one window",
            laws.untold
        ));
    }
    if laws.late > 0 {
        output::note(&format!(
            "laws proved broken in {} windows after their lines were written; not told",
            laws.late
        ));
    }
    if json {
        output::value(summary)?;
    } else {
        for (detector, lines) in &summary.detectors {
            output::line(&format!("{detector}: {lines} windows"));
        }
        let judged = summary.judged;
        output::line(&format!(
            "{} windows by a device's own model, {} by the pooled one, {} without a model; {} alerts",
            judged.own, judged.pooled, judged.without_model, summary.alerts
        ));
        if laws.alone > 0 {
            output::line(&format!("{} windows by the laws of GOOSE or MMS alone", laws.alone));
        }
        for device in &summary.devices {
            output::line(&format!(
                "{}: {} alerts, first at {:.0}, largest score {:.2}",
                device.device, device.alerts, device.first, device.largest_score
            ));
        }
        output::line(&out.display().to_string());
    }
    if !whole {
        return Ok(ExitCode::from(FAILURE));
    }
    Ok(output::answer(summary.alerts == 0))
}

/// A bar on a terminal, nothing elsewhere.
struct Progress(Option<ProgressBar>);

impl Progress {
    fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{msg:10} {wide_bar} {percent} % {eta}");
            let bar = ProgressBar::new(0);
            match style {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        Self(bar)
    }

    fn show(&self, step: OfflineProgress) {
        let Some(bar) = &self.0 else { return };
        let (text, done, total) = match step {
            OfflineProgress::Reading { bytes, total_bytes, .. } => ("reading", bytes, total_bytes),
            OfflineProgress::Fitting { done, total } => ("fitting", done as u64, total as u64),
        };
        bar.set_message(text);
        bar.set_length(total);
        bar.set_position(done);
    }

    fn end(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
