//! `sereno recovery agents|orders|show|take|restore|restart|check|cases|case|learn`.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use model::Timestamp;
use serde_json::{Value, json};

use super::{table, text};
use crate::api::{Api, escape};
use crate::arguments::Place;
use crate::output::{self, Failure};

const PATH: &str = "/api/v1/recovery";
/// Pause between two questions about an order under way.
const ASK_AGAIN: Duration = Duration::from_millis(300);

#[derive(Debug, Subcommand)]
pub(crate) enum RecoveryCommand {
    /// Checkpoint agents of this machine: services, checkpoints, intervals.
    Agents(Place),
    /// Orders to agents, the newest first.
    Orders(Place),
    /// One order with its report: lost work, downtime, chance of an infected checkpoint.
    Show {
        #[command(flatten)]
        place: Place,
        /// The order's key.
        key: String,
    },
    /// Take a checkpoint of a service now.
    Take(Service),
    /// Restart a service covertly from before an infection. Exit 1 when no checkpoint is old enough.
    Restore {
        #[command(flatten)]
        service: Service,
        /// The first evidence of infection (RFC 3339); that of the incident when absent.
        #[arg(long, value_name = "TIME", required_unless_present = "incident")]
        before: Option<Timestamp>,
        /// Seconds before the evidence from which nothing is trusted.
        #[arg(long, value_name = "SECONDS")]
        margin: Option<u32>,
        /// What to do when no checkpoint is old enough.
        #[arg(long, value_enum, default_value = "refuse")]
        when_none: Fallback,
    },
    /// Restart a service at a random moment from its own state.
    Restart(Service),
    /// How it is seen that a device is well: only such devices are released by themselves.
    #[command(subcommand)]
    Check(CheckCommand),
    /// Incidents whose block is being lifted by itself.
    Cases(Place),
    /// Stop the lifting of a block, or begin it anew.
    Case {
        #[command(flatten)]
        place: Place,
        /// The incident.
        incident: String,
        /// What shall happen.
        #[arg(value_enum)]
        action: CaseAction,
    },
    /// Tell when an infection really happened: it teaches how old a checkpoint must be.
    Learn {
        #[command(flatten)]
        place: Place,
        /// The incident.
        incident: String,
        /// When it happened (RFC 3339).
        #[arg(long, value_name = "TIME")]
        infected_at: Timestamp,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Service {
    #[command(flatten)]
    place: Place,
    /// The service.
    service: String,
    /// Its agent; looked for when absent.
    #[arg(long)]
    agent: Option<String>,
    /// The incident it answers: the end stands in its timeline.
    #[arg(long)]
    incident: Option<String>,
    /// Do not wait for the end.
    #[arg(long)]
    no_wait: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Fallback {
    /// Do nothing, and tell what is offered.
    Refuse,
    /// The oldest checkpoint, which may be infected.
    Oldest,
    /// The declared clean base.
    Clean,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum CaseAction {
    /// Nothing more by itself; the block stays as it was ordered.
    Stop,
    /// Begin anew, the first trial at once.
    Again,
}

#[derive(Debug, Subcommand)]
pub(crate) enum CheckCommand {
    /// The checks.
    List(Place),
    /// Add a check of a device.
    Add {
        #[command(flatten)]
        place: Place,
        /// The device: MAC or network address.
        target: String,
        /// `tcp ADDRESS:PORT`, `http URL` or `modbus ADDRESS:PORT REGISTER MIN MAX`.
        #[arg(required = true, num_args = 2..=5)]
        what: Vec<String>,
        /// A text that the page must hold.
        #[arg(long)]
        contains: Option<String>,
        /// Unit of the Modbus device.
        #[arg(long, default_value_t = 1)]
        unit: u8,
    },
    /// Remove a check.
    Remove {
        #[command(flatten)]
        place: Place,
        /// Its id.
        id: String,
    },
}

pub(crate) async fn run(command: RecoveryCommand, as_json: bool) -> Result<ExitCode, Failure> {
    match command {
        RecoveryCommand::Agents(place) => agents(&get(&place, "/agents").await?, as_json)?,
        RecoveryCommand::Orders(place) => {
            let columns = ["asked_at", "verb", "service", "state", "detail", "key"];
            table(&get(&place, "/orders").await?, &columns, as_json)?;
        }
        RecoveryCommand::Show { place, key } => {
            let answer = get(&place, &format!("/orders/{}", escape(&key))).await?;
            return ended(&answer, as_json);
        }
        RecoveryCommand::Take(service) => {
            return order(service, json!({ "verb": "take" }), as_json).await;
        }
        RecoveryCommand::Restart(service) => {
            return order(service, json!({ "verb": "restart" }), as_json).await;
        }
        RecoveryCommand::Restore { service, before, margin, when_none } => {
            let when_none = match when_none {
                Fallback::Refuse => "refuse",
                Fallback::Oldest => "oldest",
                Fallback::Clean => "clean",
            };
            let body = json!({ "verb": "restore_before", "evidence_at": before, "margin_s": margin,
                "when_none": when_none });
            return order(service, body, as_json).await;
        }
        RecoveryCommand::Check(command) => check(command, as_json).await?,
        RecoveryCommand::Cases(place) => {
            let columns = ["incident", "stage", "trial", "failures", "due_at", "detail"];
            table(&get(&place, "/cases").await?, &columns, as_json)?;
        }
        RecoveryCommand::Case { place, incident, action } => {
            let word = match action {
                CaseAction::Stop => "stop",
                CaseAction::Again => "again",
            };
            let path = format!("{PATH}/cases/{}", escape(&incident));
            let answer = post(&place, &path, &json!({ "action": word })).await?;
            shown(&answer, "detail", as_json)?;
        }
        RecoveryCommand::Learn { place, incident, infected_at } => {
            let api = Api::of(&place).await?;
            let path = format!("{PATH}/delays/{}", escape(&incident));
            let answer = api.put(&path, &json!({ "infected_at": infected_at })).await;
            api.close().await;
            let answer = answer?;
            if as_json {
                output::value(&answer)?;
            } else {
                output::line(&format!(
                    "{} s from the infection to the first evidence",
                    answer["delay_s"]
                ));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn get(place: &Place, path: &str) -> Result<Value, Failure> {
    let api = Api::of(place).await?;
    let answer = api.get(&format!("{PATH}{path}")).await;
    api.close().await;
    answer
}

async fn post(place: &Place, path: &str, body: &Value) -> Result<Value, Failure> {
    let api = Api::of(place).await?;
    let answer = api.post(path, body).await;
    api.close().await;
    answer
}

fn shown(answer: &Value, field: &str, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return output::value(answer);
    }
    output::line(text(answer, field));
    Ok(())
}

/// Gives an order, waits for its end and shows it.
async fn order(service: Service, mut body: Value, as_json: bool) -> Result<ExitCode, Failure> {
    body["service"] = json!(service.service);
    body["agent"] = json!(service.agent);
    body["incident"] = json!(service.incident);
    let api = Api::of(&service.place).await?;
    let mut answer = api.post(&format!("{PATH}/orders"), &body).await;
    while let Ok(now) = &answer
        && !service.no_wait
        && !matches!(text(now, "state"), "done" | "failed")
    {
        tokio::time::sleep(ASK_AGAIN).await;
        let path = format!("{PATH}/orders/{}", escape(text(now, "key")));
        answer = api.get(&path).await;
    }
    api.close().await;
    ended(&answer?, as_json)
}

/// Shows an order; exit 1 when it failed.
fn ended(answer: &Value, as_json: bool) -> Result<ExitCode, Failure> {
    if as_json {
        output::value(answer)?;
    } else {
        output::line(&format!("{}: {}", text(answer, "state"), text(answer, "detail")));
        if let Some(model) = answer["report"]["model"].as_str() {
            output::note(&format!("model: {model}"));
        }
        if let Some(counter) = answer["report"]["counter"].as_str() {
            output::note(&format!("counter against rollback: {counter}"));
        }
        for offer in answer["offers"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            output::line(&format!("offered  {offer}"));
        }
    }
    Ok(output::answer(text(answer, "state") != "failed"))
}

fn agents(answer: &Value, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return output::value(answer);
    }
    let items = answer["items"].as_array().cloned().unwrap_or_default();
    if items.is_empty() {
        output::note("no agent runs on this machine; see docs/recovery.md");
    }
    for agent in &items {
        let listing = &agent["listing"];
        match agent["error"].as_str() {
            Some(error) => output::line(&format!("{}: {error}", text(agent, "agent"))),
            None => output::line(&format!(
                "{}: counter: {}",
                text(agent, "agent"),
                text(listing, "counter")
            )),
        }
        if let Some(rollback) = listing["rollback"].as_str() {
            output::line(&format!("  {rollback}"));
        }
        for service in listing["services"].as_array().into_iter().flatten() {
            let checkpoints = service["checkpoints"].as_array().map_or(0, Vec::len);
            let state = match (service["unavailable"].as_str(), service["running"].as_bool()) {
                (Some(why), _) => format!("not protected: {why}"),
                (None, Some(true)) => "running".to_owned(),
                _ => "not running".to_owned(),
            };
            output::line(&format!(
                "  {}  {}  {state}  {checkpoints} checkpoints, one every {:.0} s of operation",
                text(service, "service"),
                text(service, "backend"),
                service["interval"]["interval_s"].as_f64().unwrap_or_default()
            ));
        }
    }
    Ok(())
}

async fn check(command: CheckCommand, as_json: bool) -> Result<(), Failure> {
    match command {
        CheckCommand::List(place) => {
            table(&get(&place, "/checks").await?, &["target", "check", "id"], as_json)
        }
        CheckCommand::Add { place, target, what, contains, unit } => {
            let spec = spec(&what, contains, unit)?;
            let body = json!({ "target": target, "check": spec });
            let answer = post(&place, &format!("{PATH}/checks"), &body).await?;
            shown(&answer, "id", as_json)
        }
        CheckCommand::Remove { place, id } => {
            let api = Api::of(&place).await?;
            let answer = api.delete(&format!("{PATH}/checks/{}", escape(&id))).await;
            api.close().await;
            answer?;
            output::note("removed");
            Ok(())
        }
    }
}

fn spec(what: &[String], contains: Option<String>, unit: u8) -> Result<Value, Failure> {
    let words: Vec<&str> = what.iter().map(String::as_str).collect();
    let number = |text: &str| {
        text.parse::<u16>()
            .map_err(|_| Failure::wrong_use(format!("'{text}' is not a number from 0 to 65535")))
    };
    Ok(match words.as_slice() {
        ["tcp", address] => json!({ "kind": "tcp", "address": address }),
        ["http", url] => json!({ "kind": "http", "url": url, "contains": contains }),
        ["modbus", address, register, min, max] => {
            json!({ "kind": "modbus", "address": address, "unit": unit, "register": number(register)?,
                "min": number(min)?, "max": number(max)? })
        }
        _ => {
            return Err(Failure::wrong_use(
                "a check is: tcp ADDRESS:PORT, http URL, or modbus ADDRESS:PORT REGISTER MIN MAX"
                    .to_owned(),
            ));
        }
    })
}
