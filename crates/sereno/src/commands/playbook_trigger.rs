//! `sereno playbook triggers|trigger|hooks`: when playbooks start by themselves, and the webhooks that start them.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Map, Value, json};

use super::{read_file, table, text};
use crate::api::{Api, escape};
use crate::arguments::Place;
use crate::output::{self, Failure};

/// Largest trigger file read, bytes.
const MAX_TRIGGER_BYTES: u64 = 1 << 20;

#[derive(Debug, Subcommand)]
pub(crate) enum TriggerCommand {
    /// Adds a trigger; the secret of a webhook is printed this once
    Add {
        #[command(flatten)]
        place: Place,
        /// The playbook's id
        playbook: String,
        #[command(flatten)]
        wanted: Box<Wanted>,
    },
    /// Replaces a trigger; a webhook keeps its secret
    Change {
        #[command(flatten)]
        place: Place,
        /// The playbook's id
        playbook: String,
        /// The trigger's id
        trigger: String,
        #[command(flatten)]
        wanted: Box<Wanted>,
    },
    /// Takes a trigger away; a webhook stops to answer
    Remove(Which),
    /// Gives a webhook a new secret, printed this once; the old one opens nothing any more
    Rotate(Which),
    /// Closes a webhook until it gets a new secret
    Revoke(Which),
}

#[derive(Debug, Args)]
pub(crate) struct Which {
    #[command(flatten)]
    place: Place,
    /// The playbook's id
    playbook: String,
    /// The trigger's id
    trigger: String,
}

/// A trigger, by flags or as a file.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("on").required(true)))]
pub(crate) struct Wanted {
    /// JSON, as `triggers --json` prints it under `trigger`
    #[arg(long, group = "on")]
    file: Option<PathBuf>,
    /// When an incident of this severity or worse is opened: low, medium, high, critical
    #[arg(long, value_name = "SEVERITY", group = "on")]
    incident: Option<String>,
    /// When an incident of this severity or worse arrives from another organisation
    #[arg(long, value_name = "SEVERITY", group = "on")]
    received: Option<String>,
    /// When a finding of this severity or worse is raised
    #[arg(long, value_name = "SEVERITY", group = "on")]
    finding: Option<String>,
    /// When new intelligence becomes known
    #[arg(long, group = "on")]
    intel: bool,
    /// When a value met here is known to intelligence
    #[arg(long, group = "on")]
    hit: bool,
    /// Every so many seconds, 60 or more
    #[arg(long, value_name = "SECONDS", group = "on")]
    every: Option<u32>,
    /// At this time of the day
    #[arg(long, value_name = "HH:MM", group = "on")]
    at: Option<String>,
    /// When its webhook is called
    #[arg(long, group = "on")]
    webhook: bool,
    /// With --received: names of the organisations that opened it
    #[arg(long, value_delimiter = ',')]
    origins: Vec<String>,
    /// With --incident, --received and --finding: kinds of attack, e.g. scan,flood
    #[arg(long, value_delimiter = ',')]
    kinds: Vec<String>,
    /// With --finding: least criticality of the device
    #[arg(long, value_name = "SEVERITY")]
    criticality: Option<String>,
    /// With --finding: only when a remote address of the evidence is known to intelligence
    #[arg(long)]
    known: bool,
    /// With --finding, --intel and --hit: how long the same starts nothing after a start, seconds
    #[arg(long, value_name = "SECONDS")]
    cooldown: Option<u32>,
    /// With --intel: STIX types, e.g. indicator,malware
    #[arg(long, value_delimiter = ',')]
    types: Vec<String>,
    /// With --intel: one of these labels
    #[arg(long, value_delimiter = ',')]
    labels: Vec<String>,
    /// With --intel and --hit: names of sources
    #[arg(long, value_delimiter = ',')]
    sources: Vec<String>,
    /// With --intel: least confidence, 0 to 100
    #[arg(long)]
    confidence: Option<u8>,
    /// With --intel and --received: the strictest label it reads, e.g. TLP:GREEN
    #[arg(long)]
    tlp: Option<String>,
    /// With --at: days of the week, e.g. mon,tue
    #[arg(long, value_delimiter = ',')]
    days: Vec<String>,
    /// With --at: minutes by which its clock is ahead of UTC
    #[arg(long, value_name = "MINUTES", allow_hyphen_values = true)]
    zone: Option<i16>,
    /// With --every and --at: leave out what was missed while the node was down
    #[arg(long)]
    skip_missed: bool,
    /// With --every and --at: start also while the last run goes on
    #[arg(long)]
    overlap: bool,
    /// With --webhook: a field of the body and the external variable that gets it, e.g. host=__host__
    #[arg(long = "field", value_name = "FIELD=VARIABLE")]
    fields: Vec<String>,
    /// With --webhook: only signed calls (Standard Webhooks)
    #[arg(long)]
    signed: bool,
    /// How far it goes by itself at most: act, ask, recommend
    #[arg(long)]
    level: Option<String>,
}

impl Wanted {
    /// The trigger as the API takes it. What does not go together the node refuses: unknown fields are errors there.
    fn json(&self) -> Result<Value, Failure> {
        if let Some(file) = &self.file {
            let bytes = read_file(file, MAX_TRIGGER_BYTES)?;
            return serde_json::from_slice(&bytes).map_err(Failure::file(file));
        }
        let mut it = Map::new();
        let mut set = |name: &str, value: Value| {
            let absent = value.is_null()
                || value == json!(false)
                || value.as_array().is_some_and(Vec::is_empty);
            if !absent {
                it.insert(name.to_owned(), value);
            }
        };
        let severity = self.incident.as_ref().or(self.received.as_ref()).or(self.finding.as_ref());
        let on = match self {
            Self { incident: Some(_), .. } => "incidents.opened",
            Self { received: Some(_), .. } => "incidents.received",
            Self { finding: Some(_), .. } => "findings.raised",
            Self { intel: true, .. } => "intel.new",
            Self { hit: true, .. } => "intel.hit",
            Self { webhook: true, .. } => "webhook",
            _ => "schedule",
        };
        set("on", json!(on));
        set("min_severity", json!(severity));
        set("kinds", json!(self.kinds));
        set("origins", json!(self.origins));
        set("min_criticality", json!(self.criticality));
        set("known", json!(self.known));
        set("cooldown_s", json!(self.cooldown));
        set("types", json!(self.types));
        set("labels", json!(self.labels));
        set("sources", json!(self.sources));
        set("min_confidence", json!(self.confidence));
        set("tlp", json!(self.tlp));
        set("every_s", json!(self.every));
        set("at", json!(self.at));
        set("days", json!(self.days));
        set("zone_minutes", json!(self.zone));
        set("catch_up", if self.skip_missed { json!("skip") } else { Value::Null });
        set("overlap", json!(self.overlap));
        set("signed", json!(self.signed));
        set("level", json!(self.level));
        if !self.fields.is_empty() {
            it.insert("fields".to_owned(), Value::Object(self.mapped()?));
        }
        Ok(Value::Object(it))
    }

    fn mapped(&self) -> Result<Map<String, Value>, Failure> {
        let mut fields = Map::new();
        for pair in &self.fields {
            let Some((field, variable)) = pair.rsplit_once('=') else {
                let text = format!("--field: '{pair}' is no FIELD=VARIABLE");
                return Err(Failure::wrong_use(text));
            };
            // `host` and `__host__` mean the same variable.
            let variable = match variable.starts_with("__") {
                true => variable.to_owned(),
                false => format!("__{variable}__"),
            };
            fields.insert(field.to_owned(), json!(variable));
        }
        Ok(fields)
    }
}

fn path(playbook: &str) -> String {
    format!("/api/v1/playbooks/{}/triggers", escape(playbook))
}

fn one(which: &Which) -> String {
    format!("{}/{}", path(&which.playbook), escape(&which.trigger))
}

pub(crate) async fn run(command: TriggerCommand, as_json: bool) -> Result<ExitCode, Failure> {
    match command {
        TriggerCommand::Add { place, playbook, wanted } => {
            let body = wanted.json()?;
            let api = Api::of(&place).await?;
            let made = api.post(&path(&playbook), &body).await;
            api.close().await;
            say(&made?, as_json)?;
        }
        TriggerCommand::Change { place, playbook, trigger, wanted } => {
            let body = wanted.json()?;
            let api = Api::of(&place).await?;
            let path = format!("{}/{}", path(&playbook), escape(&trigger));
            let made = api.put(&path, &body).await;
            api.close().await;
            say(&made?, as_json)?;
        }
        TriggerCommand::Remove(which) => {
            let api = Api::of(&which.place).await?;
            let done = api.delete(&one(&which)).await;
            api.close().await;
            done?;
            output::note("removed");
        }
        TriggerCommand::Rotate(which) => secret(&which, "rotate", as_json).await?,
        TriggerCommand::Revoke(which) => secret(&which, "revoke", as_json).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn secret(which: &Which, verb: &str, as_json: bool) -> Result<(), Failure> {
    let api = Api::of(&which.place).await?;
    let made = api.post(&format!("{}/{verb}", one(which)), &Value::Null).await;
    api.close().await;
    say(&made?, as_json)
}

/// A trigger that was made or changed.
fn say(made: &Value, as_json: bool) -> Result<(), Failure> {
    if as_json {
        return output::value(made);
    }
    output::line(text(made, "id"));
    output::note(&format!("it starts by itself {}", text(made, "words")));
    if made.get("secret").is_some_and(Value::is_string) {
        output::line(text(made, "secret"));
        output::note(&format!(
            "the secret of POST {}, shown this once; send it as webhook-secret, or sign with it (Standard Webhooks)",
            text(made, "hook")
        ));
    }
    Ok(())
}

/// The triggers of a playbook, with what they did and held back.
pub(crate) async fn triggers(
    place: &Place,
    playbook: &str,
    as_json: bool,
) -> Result<ExitCode, Failure> {
    let api = Api::of(place).await?;
    let answer = api.get(&path(playbook)).await;
    api.close().await;
    let fields = ["id", "words", "started", "proposed", "held", "skipped", "next_at", "note"];
    table(&answer?, &fields, as_json)?;
    Ok(ExitCode::SUCCESS)
}

/// Every webhook that starts a playbook.
pub(crate) async fn hooks(place: &Place, as_json: bool) -> Result<ExitCode, Failure> {
    let api = Api::of(place).await?;
    let answer = api.get("/api/v1/hooks").await;
    api.close().await;
    let fields = ["hook", "playbook", "id", "words", "started", "proposed", "held", "last_at"];
    table(&answer?, &fields, as_json)?;
    Ok(ExitCode::SUCCESS)
}
