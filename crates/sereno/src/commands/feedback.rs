//! `sereno findings …`: the list, a person's word on a finding, and its packets.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use analytics::host::Host;
use clap::{Args, Subcommand};
use detection::SliceRequest;
use model::Timestamp;
use protocols::capture::Unpacked;
use serde_json::{Map, Value, json};

use super::{lists, text};
use crate::api::Api;
use crate::arguments::{List, Place};
use crate::output::{self, Failure};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Findings {
    #[command(subcommand)]
    action: Option<FindingsAction>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, Subcommand)]
enum FindingsAction {
    /// Say what a finding is: normal for its device, or an attack.
    Feedback(Box<FeedbackArgs>),
    /// Cut the packets of a finding out of a capture (pcap or pcapng, also packed with gzip or Zstandard).
    Slice {
        #[command(flatten)]
        place: Place,
        /// The finding's id.
        id: String,
        /// The capture.
        #[arg(long)]
        pcap: PathBuf,
        /// Write them here instead of keeping them with the finding.
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
struct FeedbackArgs {
    #[command(flatten)]
    place: Place,
    /// The finding's id.
    id: String,
    /// This is normal for this device.
    #[arg(long, required_unless_present = "attack", conflicts_with = "attack")]
    normal: bool,
    /// This is an attack.
    #[arg(long)]
    attack: bool,
    /// Why.
    #[arg(long)]
    reason: String,
    /// Until when it is normal (RFC 3339); without, until it is taken back, and learned from.
    #[arg(long, conflicts_with = "attack")]
    until: Option<Timestamp>,
    /// Only this metric.
    #[arg(long, conflicts_with = "attack")]
    metric: Option<String>,
    /// Only traffic with this address.
    #[arg(long, conflicts_with = "attack")]
    peer: Option<String>,
    /// Over this protocol.
    #[arg(long, requires = "peer")]
    protocol: Option<String>,
    /// And this service port.
    #[arg(long, requires = "peer")]
    port: Option<u16>,
    /// Only findings of this technique.
    #[arg(long, conflicts_with = "attack")]
    technique: Option<String>,
    /// Everything the device does.
    #[arg(long, conflicts_with_all = ["attack", "metric", "peer", "technique"])]
    whole_device: bool,
}

pub(crate) async fn run(findings: Findings, json: bool) -> Result<ExitCode, Failure> {
    match findings.action {
        None => lists::run("findings", findings.list, json).await,
        Some(FindingsAction::Feedback(args)) => feedback(*args, json).await,
        Some(FindingsAction::Slice { place, id, pcap, out }) => {
            slice(&place, &id, &pcap, out.as_deref(), json).await
        }
    }
}

async fn feedback(args: FeedbackArgs, json: bool) -> Result<ExitCode, Failure> {
    let mut scope = Map::new();
    for (name, value) in [
        ("metric", args.metric),
        ("peer", args.peer),
        ("protocol", args.protocol),
        ("technique", args.technique),
    ] {
        scope.extend(value.map(|value| (name.to_owned(), json!(value))));
    }
    scope.extend(args.port.map(|port| ("port".to_owned(), json!(port))));
    if args.whole_device {
        scope.insert("whole_device".into(), json!(true));
    }
    let verdict = if args.normal { "normal" } else { "attack" };
    let mut body = json!({ "verdict": verdict, "reason": args.reason, "scope": scope });
    if let Some(until) = args.until {
        body["until"] = json!(until);
    }
    let api = Api::of(&args.place).await?;
    let answer = api.post(&format!("/api/v1/findings/{}/feedback", args.id), &body).await;
    api.close().await;
    let answer = answer?;
    if json {
        output::value(&answer)?;
        return Ok(ExitCode::SUCCESS);
    }
    let made = answer.get("suppressions").and_then(Value::as_array).cloned().unwrap_or_default();
    for one in &made {
        output::line(&format!("{}  {}", text(one, "id"), text(one, "scope")));
    }
    if made.is_empty() {
        output::note("noted");
    }
    Ok(ExitCode::SUCCESS)
}

async fn slice(
    place: &Place,
    id: &str,
    pcap: &std::path::Path,
    out: Option<&std::path::Path>,
    json: bool,
) -> Result<ExitCode, Failure> {
    let api = Api::of(place).await?;
    let done = slice_with(&api, id, pcap, out).await;
    api.close().await;
    let (packets, beyond) = done?;
    if json {
        output::value(&json!({ "packets": packets, "beyond": beyond }))?;
    } else {
        output::line(&format!("{packets} packets; {beyond} more found no place"));
    }
    Ok(output::answer(packets > 0))
}

async fn slice_with(
    api: &Api,
    id: &str,
    pcap: &std::path::Path,
    out: Option<&std::path::Path>,
) -> Result<(u64, u64), Failure> {
    let finding = api.get(&format!("/api/v1/findings/{id}")).await?;
    let request = request(&finding)?;
    let cut = detection::slice(open(pcap)?, &request).map_err(Failure::file(pcap))?;
    if cut.packets > 0 {
        match out {
            Some(path) => std::fs::write(path, &cut.pcap).map_err(Failure::file(path))?,
            None => {
                let path = format!("/api/v1/findings/{id}/capture");
                api.put_bytes(&path, cut.pcap, "application/octet-stream").await?;
            }
        }
    }
    Ok((cut.packets, cut.beyond))
}

fn request(finding: &Value) -> Result<SliceRequest, Failure> {
    let host = |name: &str| text(finding, name).parse::<Host>().ok();
    let time = |name: &str| -> Result<Timestamp, Failure> {
        text(finding, name).parse().map_err(Failure::io("the finding"))
    };
    let evidence = finding.get("evidence").and_then(Value::as_array).cloned().unwrap_or_default();
    Ok(SliceRequest {
        device: host("device_address"),
        mac: host("device_mac"),
        peers: evidence.iter().filter_map(|party| text(party, "peer").parse().ok()).collect(),
        from: time("first_at")?,
        to: time("last_at")?,
    })
}

fn open(path: &std::path::Path) -> Result<impl Read + use<>, Failure> {
    let file = File::open(path).map_err(Failure::file(path))?;
    Unpacked::new(file, detection::offline::UNPACK_LIMITS).map_err(Failure::file(path))
}
