//! A MISP feed: a folder with `manifest.json` and a file for each event. Only events whose time in the manifest changed
//! are fetched. `hashes.csv` says nothing that the events do not say, so that it is not fetched.

use std::collections::HashSet;

use intel::from_misp;
use misp::feed::ManifestEntry;
use reqwest::Url;
use serde_json::Value;
use stix::json::Limits;

use super::discover::below;
use super::item::Item;
use super::{Judged, Run};
use crate::fetch::shown;
use crate::format::MispFeed;
use crate::net::Fault;

/// Bytes of a manifest or an event.
pub(crate) const MAX_FILE_BYTES: usize = 64 << 20;
/// What may be read of them.
pub(crate) const LIMITS: Limits =
    Limits { max_bytes: MAX_FILE_BYTES, max_depth: 64, max_values: 4_000_000 };
const JSON: &str = "application/json";

/// Reads events that are new or changed.
pub(crate) async fn run(run: &mut Run<'_>, wanted: &MispFeed) -> Result<(), Fault> {
    let base = folder(&run.url)?;
    let entries = manifest(run, &base).await?;
    let known = run.items().await?;
    if entries.is_empty() && !known.is_empty() {
        return Err(Fault::new("the manifest is empty; what was known before stays"));
    }
    let entries: Vec<ManifestEntry> =
        entries.into_iter().filter(|entry| is_wanted(entry, wanted)).collect();
    for entry in &entries {
        let stamp = stamp(entry.fields.get("timestamp"));
        if known.get(&entry.uuid) == Some(&stamp) {
            run.counts.skipped += 1;
            continue;
        }
        if run.is_over() {
            run.more = true;
            return Ok(());
        }
        event(run, &base, &entry.uuid, stamp).await?;
    }
    let offered: HashSet<String> = entries.into_iter().map(|entry| entry.uuid).collect();
    run.let_go(&known, &offered).await
}

/// The folder of a feed; people write down its manifest too.
fn folder(url: &Url) -> Result<Url, Fault> {
    match url.path().ends_with(".json") {
        true => below(&url.join("./").map_err(|_| Fault::new("the address has no folder"))?, ""),
        false => below(url, ""),
    }
}

async fn manifest(run: &Run<'_>, base: &Url) -> Result<Vec<ManifestEntry>, Fault> {
    let url = below(base, "manifest.json")?;
    let answer = run.line.get(&url, JSON, run.most(MAX_FILE_BYTES)).await?;
    let read =
        tokio::task::spawn_blocking(move || misp::feed::manifest(&answer.body, LIMITS)).await;
    let read = read.map_err(|_| Fault::new("the manifest could not be read"))?;
    read.map_err(|error| {
        Fault::new(format!("{}: {error}; what was known before stays", shown(&url)))
    })
}

/// MISP writes times as numbers or as texts of digits.
pub(crate) fn stamp(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.chars().take(40).collect(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

fn is_wanted(entry: &ManifestEntry, wanted: &MispFeed) -> bool {
    let tags = entry.fields.get("Tag").and_then(Value::as_array);
    let has = |name: &String| {
        tags.into_iter().flatten().any(|tag| tag["name"].as_str() == Some(name.as_str()))
    };
    let org = entry.fields.get("Orgc").and_then(|org| org["name"].as_str()).unwrap_or_default();
    (wanted.tags.is_empty() || wanted.tags.iter().any(has))
        && (wanted.orgs.is_empty() || wanted.orgs.iter().any(|name| name == org))
}

/// Fetches an event and keeps it. What cannot be read is refused and asked for again the next time.
async fn event(run: &mut Run<'_>, base: &Url, uuid: &str, stamp: String) -> Result<(), Fault> {
    let url = below(base, &format!("{uuid}.json"))?;
    let mut refused = Judged::default();
    let answer = match run.line.get(&url, JSON, run.most(MAX_FILE_BYTES)).await {
        Ok(answer) => answer,
        Err(fault) if fault.refuses() || fault.too_large => {
            refused.refuse("fetch", uuid.to_owned(), &fault.text, "");
            run.refuse_all(refused.rejects);
            return Ok(());
        }
        Err(fault) => return Err(fault),
    };
    run.counts.bytes += answer.body.len() as u64;
    let feed_tlp = intel::rank(run.feed.new.tlp);
    let wanted = uuid.to_owned();
    let work = move || converted(&answer.body, &wanted, feed_tlp);
    let read = tokio::task::spawn_blocking(work).await;
    match read.map_err(|_| Fault::new("an event could not be converted"))? {
        Ok((found, unmarked)) => {
            for told in found.not_carried.iter().filter(|told| told["why"].is_string()) {
                // What STIX has no place for is no fault of the feed; what breaks a rule is.
                if told["place"].as_str().is_some_and(|place| place.contains("--")) {
                    let place = told["place"].as_str().unwrap_or_default().to_owned();
                    let why = told["why"].as_str().unwrap_or_default();
                    refused.refuse("stix", place, why, uuid);
                }
            }
            run.refuse_all(refused.rejects);
            let objects = found.objects;
            run.keep_item(Item { name: uuid.to_owned(), stamp, objects, unmarked }).await
        }
        Err(reason) => {
            refused.refuse("event", uuid.to_owned(), &reason, "");
            run.refuse_all(refused.rejects);
            Ok(())
        }
    }
}

/// An event as objects, and the rank that holds for it: its own label, that of the feed where it has none.
fn converted(
    bytes: &[u8],
    uuid: &str,
    feed_tlp: i64,
) -> Result<(from_misp::FromMisp, i64), String> {
    let value = stix::json::read(bytes, LIMITS).map_err(|error| error.to_string())?;
    let said = value["Event"]["uuid"].as_str().unwrap_or_default();
    if !said.eq_ignore_ascii_case(uuid) {
        return Err("the file holds another event than the manifest says".to_owned());
    }
    let tags = value["Event"]["Tag"].as_array().cloned().unwrap_or_default();
    let own = from_misp::tagged(tags.iter().filter_map(|tag| tag["name"].as_str()));
    let rank = own.map_or(feed_tlp, intel::rank);
    Ok((from_misp::prepared(value, rank)?, rank))
}
