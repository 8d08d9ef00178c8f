//! `sereno assets`: which devices there are, on the node or in a capture.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use analytics::inventory::{DeviceFacts, guess};
use assets::makers::{FOLDER, Makers};
use clap::{Args, Subcommand};
use detection::offline::inventory::inventory;
use serde_json::{Value, json};

use super::table;
use crate::api::Api;
use crate::arguments::Place;
use crate::output::{self, FAILURE, Failure};

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Assets {
    #[command(subcommand)]
    action: Option<AssetsAction>,
    #[command(flatten)]
    place: Place,
    /// Only devices of this kind: camera, plc, controller, router, unknown …
    #[arg(long)]
    kind: Option<String>,
    /// Only devices whose name, maker or facts contain this text.
    #[arg(long)]
    search: Option<String>,
    /// Devices listed at most.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
    limit: u32,
    /// Read a capture instead of asking a node.
    #[arg(long, conflicts_with_all = ["kind", "search", "limit"])]
    pcap: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum AssetsAction {
    /// All that is known of one device, and since when.
    Show {
        #[command(flatten)]
        place: Place,
        /// The device's id.
        id: String,
    },
}

pub(crate) async fn run(assets: Assets, json: bool) -> Result<ExitCode, Failure> {
    match (assets.action, assets.pcap) {
        (Some(AssetsAction::Show { place, id }), _) => show(&place, &id).await,
        (None, Some(pcap)) => of_capture(&pcap, json),
        (None, None) => {
            let mut path = format!("/api/v1/devices?limit={}", assets.limit);
            for (name, value) in [("kind", assets.kind), ("q", assets.search)] {
                if let Some(value) = value {
                    path.push_str(&format!("&{name}={}", encoded(&value)));
                }
            }
            let api = Api::of(&assets.place).await?;
            let answer = api.get(&path).await;
            api.close().await;
            let columns = ["id", "name", "kind_words", "maker", "mac", "last_seen"];
            table(&answer?, &columns, json)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn show(place: &Place, id: &str) -> Result<ExitCode, Failure> {
    let api = Api::of(place).await?;
    let device = api.get(&format!("/api/v1/devices/{}", encoded(id))).await;
    let evidence = api.get(&format!("/api/v1/devices/{}/evidence", encoded(id))).await;
    api.close().await;
    output::value(&json!({ "device": device?, "evidence": evidence? }))?;
    Ok(ExitCode::SUCCESS)
}

/// Text inside a URL: all but the unreserved characters as `%xx` (RFC 3986, 2.1).
fn encoded(text: &str) -> String {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| match byte {
            byte if unreserved(byte) => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect()
}

fn of_capture(pcap: &Path, json: bool) -> Result<ExitCode, Failure> {
    let found = inventory(pcap, |_| {}).map_err(|error| Failure::new(error.to_string()))?;
    let makers = Makers::read(Path::new(FOLDER));
    if makers.is_empty() {
        output::note(&format!("makers are not known: no tables in {FOLDER} (package ieee-data)"));
    }
    let devices: Vec<Value> = found.devices.iter().map(|facts| described(facts, &makers)).collect();
    if json {
        output::value(&json!({
            "devices": devices,
            "not_remembered": found.stats.beyond,
            "packets": found.capture.packets,
            "undecodable": found.capture.undecodable,
            "conversations": found.conversations,
        }))?;
    } else {
        let columns = ["device", "names", "kind", "sure", "maker", "parts", "protocols"];
        table(&json!({ "items": devices }), &columns, false)?;
    }
    if found.stats.beyond > 0 {
        output::note(&format!("{} packets of devices beyond the limit", found.stats.beyond));
    }
    match &found.capture.error {
        None => Ok(ExitCode::SUCCESS),
        Some(error) => {
            output::note(&format!("{}: {error}; everything before was used", pcap.display()));
            Ok(ExitCode::from(FAILURE))
        }
    }
}

fn described(facts: &DeviceFacts, makers: &Makers) -> Value {
    let maker = facts.mac.and_then(|mac| mac.as_mac()).and_then(|mac| makers.of(mac));
    let guess = guess(facts, maker);
    let newest = facts.addresses.iter().max_by_key(|address| address.last_us);
    let device = newest.map(|address| address.value).or(facts.mac);
    json!({
        "device": device.map(|host| host.to_string()),
        "names": facts.names.iter().map(|name| name.value.1.as_str()).collect::<Vec<_>>().join(", "),
        "kind": guess.kind.words(),
        "sure": (guess.confidence * 100.0).round() / 100.0,
        "reasons": guess.reasons,
        "maker": maker,
        "parts": words(&facts.parts),
        "protocols": facts.protocols.join(", "),
        "facts": facts,
    })
}

fn words(parts: &[analytics::inventory::Part]) -> String {
    let words = parts.iter().filter_map(|part| serde_json::to_value(part).ok());
    let words: Vec<String> =
        words.filter_map(|word| word.as_str().map(|word| word.replace('_', " "))).collect();
    words.join(", ")
}
