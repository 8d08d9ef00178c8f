//! `sereno models …` and `sereno suppressions …`: versions of models, and what people called normal.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{table, text};
use crate::api::Api;
use crate::arguments::Place;
use crate::output::{self, Failure};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Models {
    #[command(subcommand)]
    action: Option<ModelsAction>,
    #[command(flatten)]
    place: Place,
    /// A device's id: its versions; without, every device and the version in use.
    device: Option<String>,
}

#[derive(Debug, Subcommand)]
enum ModelsAction {
    /// Put an earlier version in use. Its signature is checked; learning of the device is held.
    Rollback {
        #[command(flatten)]
        place: Place,
        /// The device's id.
        device: String,
        /// The version's number.
        #[arg(id = "number", value_name = "VERSION")]
        version: i64,
        /// Why.
        #[arg(long, default_value = "rolled back from the command line")]
        reason: String,
    },
    /// Judge the newest windows kept by two versions.
    Compare {
        #[command(flatten)]
        place: Place,
        /// The device's id.
        device: String,
        /// The first version.
        a: i64,
        /// The second version.
        b: i64,
        /// How many windows.
        #[arg(long, default_value_t = 1_000)]
        windows: u32,
    },
    /// Let the learning of a device go on. Accepts a change of habits.
    Resume {
        #[command(flatten)]
        place: Place,
        /// The device's id.
        device: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
    /// Hold the learning of a device; the model in use stays.
    Hold {
        #[command(flatten)]
        place: Place,
        /// The device's id.
        device: String,
        /// Why.
        #[arg(long)]
        reason: String,
    },
}

pub(crate) async fn run(models: Models, json: bool) -> Result<ExitCode, Failure> {
    match models.action {
        None => list(&models.place, models.device.as_deref(), json).await,
        Some(ModelsAction::Rollback { place, device, version, reason }) => {
            let path = format!("/api/v1/detection/devices/{device}/models/{version}/activate");
            post(&place, &path, &json!({ "reason": reason })).await?;
            output::note(&format!(
                "version {version} is in use; learning is held until `sereno models resume {device}`"
            ));
            Ok(ExitCode::SUCCESS)
        }
        Some(ModelsAction::Compare { place, device, a, b, windows }) => {
            let api = Api::of(&place).await?;
            let path = format!(
                "/api/v1/detection/devices/{device}/models/compare?a={a}&b={b}&windows={windows}"
            );
            let answer = api.get(&path).await;
            api.close().await;
            say_compared(&answer?, json)
        }
        Some(ModelsAction::Resume { place, device, reason }) => {
            let path = format!("/api/v1/detection/devices/{device}/learning");
            post(&place, &path, &json!({ "on": true, "reason": reason })).await?;
            output::note("learning goes on");
            Ok(ExitCode::SUCCESS)
        }
        Some(ModelsAction::Hold { place, device, reason }) => {
            let path = format!("/api/v1/detection/devices/{device}/learning");
            post(&place, &path, &json!({ "on": false, "reason": reason })).await?;
            output::note("learning is held");
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn post(place: &Place, path: &str, body: &Value) -> Result<Value, Failure> {
    let api = Api::of(place).await?;
    let answer = api.post(path, body).await;
    api.close().await;
    answer
}

async fn list(place: &Place, device: Option<&str>, json: bool) -> Result<ExitCode, Failure> {
    let api = Api::of(place).await?;
    let (path, columns): (String, &[&str]) = match device {
        None => (
            "/api/v1/detection/devices?limit=500".into(),
            &["device", "version", "name", "measured_false_rate", "protection"],
        ),
        Some(device) => (
            format!("/api/v1/detection/devices/{device}/models?limit=100"),
            &[
                "version",
                "state",
                "made_at",
                "windows",
                "held_out_rate",
                "alarm_rate",
                "signature_valid",
                "reason",
            ],
        ),
    };
    let answer = api.get(&path).await;
    api.close().await;
    table(&answer?, columns, json)?;
    Ok(ExitCode::SUCCESS)
}

fn say_compared(answer: &Value, json: bool) -> Result<ExitCode, Failure> {
    if json {
        output::value(answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let figure = |side: &str, name: &str| {
        let value = answer.get(side).and_then(|side| side.get(name)).unwrap_or(&Value::Null);
        match value.as_f64() {
            Some(number) if value.is_f64() => format!("{number:.3}"),
            _ => value.to_string(),
        }
    };
    for name in
        ["version", "alerts", "alerts_found_again", "false_alarms", "mean_score", "max_score"]
    {
        output::line(&format!("{name:20} {:>12} {:>12}", figure("a", name), figure("b", name)));
    }
    let whole = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or(0);
    output::line(&format!(
        "{} windows, {} disagreements",
        whole("windows"),
        whole("disagreements")
    ));
    let examples = answer.get("examples").and_then(Value::as_array).cloned().unwrap_or_default();
    for example in examples.iter().take(10) {
        let score = |side: &str| example.get(side).and_then(Value::as_f64).unwrap_or(0.0);
        let (start, role) = (text(example, "start"), text(example, "role"));
        output::line(&format!("{start}  {role:6}  {:.2}  {:.2}", score("a"), score("b")));
    }
    Ok(ExitCode::SUCCESS)
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Suppressions {
    #[command(subcommand)]
    action: Option<SuppressionsAction>,
    #[command(flatten)]
    place: Place,
    /// Only those of this device.
    #[arg(long)]
    device: Option<String>,
    /// Also those that ended or were taken back.
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Subcommand)]
enum SuppressionsAction {
    /// Take one back: what it covered is told again.
    Revoke {
        #[command(flatten)]
        place: Place,
        /// Its id.
        id: String,
    },
}

pub(crate) async fn suppressions(args: Suppressions, json: bool) -> Result<ExitCode, Failure> {
    if let Some(SuppressionsAction::Revoke { place, id }) = args.action {
        let api = Api::of(&place).await?;
        let answer = api.delete(&format!("/api/v1/detection/suppressions/{id}")).await;
        api.close().await;
        answer?;
        output::note("taken back");
        return Ok(ExitCode::SUCCESS);
    }
    let api = Api::of(&args.place).await?;
    let device = args.device.map(|device| format!("&device={device}")).unwrap_or_default();
    let path = format!("/api/v1/detection/suppressions?limit=500&all={}{device}", args.all);
    let answer = api.get(&path).await;
    api.close().await;
    table(&answer?, &["id", "active", "until", "hits", "author", "scope", "reason"], json)?;
    Ok(ExitCode::SUCCESS)
}
