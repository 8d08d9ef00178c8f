//! `sereno detect train|score|eval`: on capture files, without a node.

use std::io::IsTerminal;
use std::process::ExitCode;

use analytics::host::Host;
use analytics::policy::DevicePolicy;
use detection::offline::{
    CaptureSummary, OfflineError, OfflineProgress, ScoreSummary, TrainRequest, TrainSummary, score,
    train,
};
use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::DetectCommand;
use crate::output::{self, FAILURE, Failure, WRONG_USE};

pub(crate) fn run(command: DetectCommand, json: bool) -> Result<ExitCode, Failure> {
    match command {
        DetectCommand::Train { pcap, out, seed, device } => {
            let mut request = TrainRequest::new(pcap);
            request.options.seed = seed;
            request.policy = policy(&device)?;
            let progress = Progress::new();
            let summary = train(&request, &out, |step| progress.show(step)).map_err(failed)?;
            progress.end();
            say_trained(&summary, &out, json)
        }
        DetectCommand::Score { model, pcap, out } => {
            let progress = Progress::new();
            let summary = score(&model, &pcap, &out, |step| progress.show(step)).map_err(failed)?;
            progress.end();
            say_scored(&summary, &out, json)
        }
        DetectCommand::Eval(eval) => super::detect_eval::run(eval, json),
    }
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

fn say_trained(
    summary: &TrainSummary,
    out: &std::path::Path,
    json: bool,
) -> Result<ExitCode, Failure> {
    let whole = summary.captures.iter().map(say_capture).fold(true, |all, one| all & one);
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
        for (host, windows) in &summary.too_few {
            output::line(&format!("{host}: only {windows} windows, no model of its own"));
        }
        output::line(&format!("{} ({} bytes)", out.display(), summary.model_bytes));
    }
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::from(FAILURE) })
}

fn say_scored(
    summary: &ScoreSummary,
    out: &std::path::Path,
    json: bool,
) -> Result<ExitCode, Failure> {
    let whole = say_capture(&summary.capture);
    if json {
        output::value(summary)?;
    } else {
        let judged = summary.judged;
        let windows = judged.own + judged.pooled;
        output::line(&format!(
            "{windows} windows judged ({} by the pooled model), {} alert; {} without a model",
            judged.pooled, judged.alerts, judged.without_model
        ));
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
    Ok(output::answer(summary.judged.alerts == 0))
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
