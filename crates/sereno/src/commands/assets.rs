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
        (Some(AssetsAction::Show { place, id }), _) => show(&place, &id, json).await,
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
            let columns =
                ["id", "name", "kind_words", "sure", "maker", "mac", "first_seen", "last_seen"];
            table(&with_sureness(answer?), &columns, json)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Adds how sure each guess is in whole percent: what people read.
fn with_sureness(mut answer: Value) -> Value {
    for item in answer.get_mut("items").and_then(Value::as_array_mut).into_iter().flatten() {
        let sure = item.get("kind_confidence").and_then(Value::as_f64);
        if let (Some(sure), Some(fields)) = (sure.filter(|sure| *sure > 0.0), item.as_object_mut())
        {
            fields.insert("sure".into(), percent(sure).into());
        }
    }
    answer
}

fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

async fn show(place: &Place, id: &str, json: bool) -> Result<ExitCode, Failure> {
    let api = Api::of(place).await?;
    let device = api.get(&format!("/api/v1/devices/{}", encoded(id))).await;
    let evidence = api.get(&format!("/api/v1/devices/{}/evidence", encoded(id))).await;
    api.close().await;
    let (device, evidence) = (device?, evidence?);
    if json {
        output::value(&json!({ "device": device, "evidence": evidence }))?;
    } else {
        described_to_people(&device, &evidence)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What it is, why, and every fact with its times.
fn described_to_people(device: &Value, evidence: &Value) -> Result<(), Failure> {
    let list = |of: &Value, field: &str| of.get(field).cloned().unwrap_or_else(|| json!([]));
    table(&json!([device]), &["name", "mac", "first_seen", "last_seen", "place"], false)?;
    for known in list(evidence, "known").as_array().into_iter().flatten() {
        let sure = known.get("confidence").and_then(Value::as_f64).unwrap_or_default();
        let mut head = known.clone();
        head["sure"] = (sure > 0.0).then(|| percent(sure)).into();
        if known.get("mac_is_private").and_then(Value::as_bool) == Some(true) {
            head["maker"] = "MAC address made up by the device".into();
        }
        output::line("");
        table(&json!([head]), &["kind", "sure", "maker", "sensor"], false)?;
        let mut reasons = list(known, "reasons");
        for reason in reasons.as_array_mut().into_iter().flatten() {
            reason["because"] = "  because it".into();
            reason["sure"] = percent(reason["weight"].as_f64().unwrap_or_default()).into();
        }
        table_if_any(&reasons, &["because", "text", "sure"])?;
        table_if_any(&list(known, "facts"), &["first_seen", "last_seen", "what", "value"])?;
        let beyond = known.get("beyond").and_then(Value::as_u64).unwrap_or_default();
        if beyond > 0 {
            output::note(&format!("{beyond} further facts found no place"));
        }
    }
    output::line("");
    table_if_any(
        &list(evidence, "identity"),
        &["valid_from", "valid_to", "last_seen", "kind", "value", "sensor"],
    )
}

fn table_if_any(rows: &Value, columns: &[&str]) -> Result<(), Failure> {
    if rows.as_array().is_some_and(|rows| !rows.is_empty()) {
        table(rows, columns, false)?;
    }
    Ok(())
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
        output::note(&format!(
            "makers are not known: no tables in {FOLDER}; apt-get install ieee-data"
        ));
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
        let columns = [
            "device",
            "mac",
            "names",
            "kind",
            "sure_words",
            "maker_words",
            "parts",
            "protocols",
            "first_seen",
            "last_seen",
        ];
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
    let private = facts.mac_is_private().then_some("(MAC address made up by the device)");
    let newest = facts.addresses.iter().max_by_key(|address| address.last_us);
    let device = newest.map(|address| address.value).or(facts.mac);
    json!({
        "device": device.map(|host| host.to_string()),
        "names": facts.names.iter().map(|name| name.value.1.as_str()).collect::<Vec<_>>().join(", "),
        "kind": guess.kind.words(),
        "sure": (guess.confidence * 100.0).round() / 100.0,
        "sure_words": (guess.confidence > 0.0).then(|| percent(guess.confidence)),
        "mac": facts.mac.map(|mac| mac.to_string()),
        "mac_is_private": facts.mac_is_private(),
        "first_seen": model::Timestamp::from_micros(facts.first_us).to_string(),
        "last_seen": model::Timestamp::from_micros(facts.last_us).to_string(),
        "reasons": guess.reasons,
        "maker": maker,
        "maker_words": maker.or(private),
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
