//! What `nft -j` prints, read.

use std::collections::{BTreeMap, BTreeSet};

use ports::edge::{Count, Reason};
use serde_json::Value;

use crate::enforce::{DeviceReading, Reading};

/// Bytes of the link header, which the kernel does not count where it forwards.
const LINK_HEADER_BYTES: u64 = 14;

/// Reads a listing of the table. A set or counter that is not there is an error, never a zero.
pub(crate) fn parse(text: &str) -> Result<Reading, String> {
    let mut reading = Reading::default();
    let mut missing = BTreeSet::from(["blocked", "seen", "passed"]);
    for document in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let document = document.map_err(|error| format!("nft printed no JSON: {error}"))?;
        for part in document["nftables"].as_array().map_or(&[][..], Vec::as_slice) {
            let name = part["set"]["name"].as_str().or_else(|| part["counter"]["name"].as_str());
            missing.remove(name.unwrap_or_default());
            if let Some(set) = part.get("set") {
                take_set(set, &mut reading);
            } else if let Some(counter) = part.get("counter") {
                take_counter(counter, &mut reading);
            } else if let Some(rule) = part.get("rule") {
                take_rule(rule, &mut reading);
            }
        }
    }
    match missing.first() {
        None => Ok(reading),
        Some(name) => Err(format!("the table sereno has no '{name}': was it changed by hand?")),
    }
}

fn take_set(set: &Value, reading: &mut Reading) {
    let name = set["name"].as_str().unwrap_or_default();
    let elements = set["elem"].as_array().map_or(&[][..], Vec::as_slice);
    if let Some(id) = name.strip_prefix("alive_").and_then(|id| id.parse().ok()) {
        let left = elements.iter().filter_map(|element| element["elem"]["expires"].as_u64()).max();
        reading.orders.entry(id).or_default().left_s =
            left.and_then(|left| u32::try_from(left).ok()).unwrap_or(0);
        reading.orders.entry(id).or_default().alive = !elements.is_empty();
        return;
    }
    let plain = name.trim_end_matches(['4', '6']);
    match plain {
        "blocked" => {
            for element in elements {
                let left =
                    element["elem"]["expires"].as_u64().and_then(|left| u32::try_from(left).ok());
                reading.blocked.extend(value(element).map(|value| (value, left.unwrap_or(0))));
            }
        }
        "forwarded" => {
            for (device, count) in counts(elements) {
                reading.devices.entry(device).or_default().forwarded = count;
            }
        }
        _ => {
            let Some(reason) = plain.strip_prefix("by_").and_then(Reason::named) else { return };
            for (device, count) in counts(elements) {
                let line: &mut DeviceReading = reading.devices.entry(device).or_default();
                line.dropped.insert(reason, count);
            }
        }
    }
}

fn take_counter(counter: &Value, reading: &mut Reading) {
    let Some(count) = count(counter) else { return };
    let name = counter["name"].as_str().unwrap_or_default();
    let reason = |prefix: &str| name.strip_prefix(prefix).and_then(Reason::named);
    match name {
        "seen" => reading.totals.seen = count,
        "passed" => reading.totals.passed = count,
        "probe_passed" => reading.probe_passed = count.packets,
        "probe_dropped" => reading.probe_dropped = count.packets,
        _ if count.packets == 0 => {}
        _ => {
            if let Some(reason) = reason("drop_") {
                reading.totals.dropped.insert(reason, count);
            } else if let Some(reason) = reason("would_") {
                reading.totals.would_drop.insert(reason, count);
            }
        }
    }
}

fn take_rule(rule: &Value, reading: &mut Reading) {
    let chain = rule["chain"].as_str().unwrap_or_default();
    let id = chain.strip_prefix("order_").or_else(|| chain.strip_prefix("steer_"));
    let Some(id) = id.and_then(|id| id.parse().ok()) else { return };
    for expression in rule["expr"].as_array().map_or(&[][..], Vec::as_slice) {
        if let Some(count) = expression.get("counter").and_then(count) {
            reading.orders.entry(id).or_default().caught += count;
        }
    }
}

fn count(counter: &Value) -> Option<Count> {
    let packets = counter["packets"].as_u64()?;
    let bytes =
        counter["bytes"].as_u64()?.saturating_add(packets.saturating_mul(LINK_HEADER_BYTES));
    Some(Count { packets, bytes })
}

/// An element stands bare, or wrapped with its timeout or counter.
fn value(element: &Value) -> Option<String> {
    let value = element.as_str().or_else(|| element["elem"]["val"].as_str())?;
    Some(value.to_ascii_lowercase())
}

fn counts(elements: &[Value]) -> BTreeMap<String, Count> {
    elements
        .iter()
        .filter_map(|element| Some((value(element)?, count(&element["elem"]["counter"])?)))
        .collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_nft_prints_is_read() {
        let text = r#"{"nftables": [{"metainfo": {"version": "1.0.6"}}, {"set": {"family": "bridge", "name": "blocked", "table": "sereno", "type": "ether_addr", "elem": ["02:00:00:00:00:01", {"elem": {"val": "b8:27:eb:7d:6b:a6", "timeout": 40, "expires": 39}}]}}]}
{"nftables": [{"counter": {"name": "seen", "packets": 12, "bytes": 600}}, {"counter": {"name": "passed", "packets": 10, "bytes": 500}}, {"counter": {"name": "drop_block", "packets": 2, "bytes": 100}}, {"counter": {"name": "would_rate", "packets": 0, "bytes": 0}}]}
{"nftables": [{"set": {"name": "forwarded", "elem": [{"elem": {"val": "B8:27:eb:7d:6b:a6", "counter": {"packets": 10, "bytes": 500}}}]}}]}
{"nftables": [{"set": {"name": "by_block", "elem": [{"elem": {"val": "b8:27:eb:7d:6b:a6", "counter": {"packets": 2, "bytes": 100}}}]}}]}
{"nftables": [{"set": {"name": "alive_7", "elem": [{"elem": {"val": "dev0", "timeout": 60, "expires": 59}}]}}, {"rule": {"chain": "order_7", "expr": [{"match": {}}, {"counter": {"packets": 3, "bytes": 30}}, {"goto": {"target": "drop_block"}}]}}]}"#;
        let reading = parse(text).unwrap();
        assert_eq!(reading.blocked["b8:27:eb:7d:6b:a6"], 39);
        assert_eq!(reading.blocked.len(), 2);
        let device = &reading.devices["b8:27:eb:7d:6b:a6"];
        assert_eq!(device.forwarded, Count { packets: 10, bytes: 640 });
        assert_eq!(device.dropped[&Reason::Block].packets, 2);
        assert_eq!(
            reading.totals.seen.packets,
            reading.totals.passed.packets + reading.totals.dropped_packets()
        );
        assert!(reading.totals.would_drop.is_empty());
        let order = &reading.orders[&7];
        assert_eq!((order.left_s, order.caught.packets, order.alive), (59, 3, true));
        assert!(parse("no JSON").is_err());
        assert!(parse("").is_err());
    }
}
