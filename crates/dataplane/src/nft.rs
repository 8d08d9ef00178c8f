//! The table in the kernel, through the program `nft`.
//!
//! Only `table bridge sereno` of the caller's network namespace is ever touched. The table is made
//! so that it can be made again: blocks outlive a restart of the gateway process.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::enforce::{Count, Reading, Table};

/// Where `nft` is looked for beside `PATH`.
const USUAL_PLACES: [&str; 3] = ["/usr/sbin/nft", "/sbin/nft", "/usr/local/sbin/nft"];
/// Devices the sets have room for. A device beyond still is blocked, only not counted.
const SET_SIZE: usize = 4_096;
/// Bytes of the link header, which the kernel does not count on a bridge.
const LINK_HEADER_BYTES: u64 = 14;

/// `nft` is missing.
pub const NO_NFT: &str = "the program nft is missing: install the package nftables";

/// Finds the program.
///
/// # Errors
/// It is nowhere; the text says what to install.
pub fn find() -> Result<PathBuf, String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join("nft"))
        .chain(USUAL_PLACES.iter().map(PathBuf::from))
        .find(|candidate| candidate.is_file())
        .ok_or_else(|| NO_NFT.to_owned())
}

/// Runs a script, all or nothing.
fn run(program: &Path, script: &str) -> Result<(), String> {
    call(program, &["-f", "-"], script).map(drop)
}

/// Runs the program and gives what it prints.
fn call(program: &Path, arguments: &[&str], script: &str) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", program.display());
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut input) = child.stdin.take() {
        // A script is far smaller than a pipe, so this cannot block on a child that writes. A child
        // that did not want to read says why on its own.
        let _ = input.write_all(script.as_bytes());
    }
    let output = child.wait_with_output().map_err(failed)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("nft refused: {}", said.lines().next().unwrap_or("without a word")))
}

/// The gateway's table.
#[derive(Debug)]
pub struct NftTable {
    program: PathBuf,
}

impl NftTable {
    /// Makes the table for a bridge whose device side is `device_port`.
    ///
    /// # Errors
    /// `nft` is missing or refuses; the text is for people.
    pub fn create(device_port: &str) -> Result<Self, String> {
        let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if device_port.is_empty() || !device_port.chars().all(safe) {
            return Err(format!("'{device_port}' is not the name of an interface"));
        }
        let program = find()?;
        run(&program, &script(device_port))?;
        Ok(Self { program })
    }
}

/// The drop rules stand first and by themselves: a counting set that is full cannot let a blocked
/// device through. A look-up in a set that counts would count too, hence the separate set `seen`.
fn script(port: &str) -> String {
    format!(
        "table bridge sereno {{
  set blocked {{ type ether_addr; flags timeout; size {SET_SIZE}; }}
  set seen {{ type ether_addr; flags dynamic; size {SET_SIZE}; }}
  set forwarded {{ type ether_addr; flags dynamic; size {SET_SIZE}; }}
  set dropped {{ type ether_addr; flags dynamic; size {SET_SIZE}; }}
  chain drop_from {{ }}
  chain drop_to {{ }}
  chain forward {{ type filter hook forward priority 0; policy accept; }}
}}
flush chain bridge sereno forward
flush chain bridge sereno drop_from
flush chain bridge sereno drop_to
table bridge sereno {{
  chain drop_from {{
    update @dropped {{ ether saddr counter }}
    drop
  }}
  chain drop_to {{
    update @dropped {{ ether daddr counter }}
    drop
  }}
  chain forward {{
    iifname \"{port}\" ether saddr @blocked jump drop_from
    oifname \"{port}\" ether daddr @blocked jump drop_to
    iifname \"{port}\" add @seen {{ ether saddr }}
    iifname \"{port}\" update @forwarded {{ ether saddr counter }}
    oifname \"{port}\" ether daddr @seen update @forwarded {{ ether daddr counter }}
  }}
}}
"
    )
}

impl Table for NftTable {
    fn block(&mut self, mac: &str, timeout_s: u32) -> Result<(), String> {
        // Adding an element that is there keeps its old timeout: take it out and add it anew, in
        // one transaction, so that there is no moment without the block.
        let script = format!(
            "add element bridge sereno blocked {{ {mac} }}\n\
             delete element bridge sereno blocked {{ {mac} }}\n\
             add element bridge sereno blocked {{ {mac} timeout {timeout_s}s }}\n"
        );
        run(&self.program, &script)
    }

    fn release(&mut self, mac: &str) -> Result<(), String> {
        let script = format!(
            "add element bridge sereno blocked {{ {mac} }}\n\
             delete element bridge sereno blocked {{ {mac} }}\n"
        );
        run(&self.program, &script)
    }

    fn release_all(&mut self) -> Result<(), String> {
        run(&self.program, "flush set bridge sereno blocked\n")
    }

    fn read(&mut self) -> Result<Reading, String> {
        // One command: nft 1.0.6 finds only the last of several listed sets.
        parse(&call(&self.program, &["-j", "list", "table", "bridge", "sereno"], "")?)
    }
}

/// Reads what `nft -j` printed. A set that is not there is an error, never a zero.
fn parse(text: &str) -> Result<Reading, String> {
    let mut reading = Reading::default();
    let mut missing = BTreeSet::from(["blocked", "forwarded", "dropped"]);
    for document in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let document = document.map_err(|error| format!("nft printed no JSON: {error}"))?;
        let parts = document["nftables"].as_array().map_or(&[][..], Vec::as_slice);
        for set in parts.iter().filter_map(|part| part.get("set")) {
            let elements = set["elem"].as_array().map_or(&[][..], Vec::as_slice);
            let name = set["name"].as_str();
            missing.remove(name.unwrap_or_default());
            match name {
                Some("blocked") => reading.blocked = elements.iter().filter_map(mac).collect(),
                Some("forwarded") => reading.forwarded = counts(elements),
                Some("dropped") => reading.dropped = counts(elements),
                _ => {}
            }
        }
    }
    match missing.first() {
        None => Ok(reading),
        Some(name) => {
            Err(format!("table bridge sereno has no set {name}: was it changed by hand?"))
        }
    }
}

/// An element stands bare, or wrapped with its timeout or counter.
fn mac(element: &Value) -> Option<String> {
    let value = element.as_str().or_else(|| element["elem"]["val"].as_str())?;
    Some(value.to_ascii_lowercase())
}

fn counts(elements: &[Value]) -> BTreeMap<String, Count> {
    elements
        .iter()
        .filter_map(|element| {
            let counter = &element["elem"]["counter"];
            let packets = counter["packets"].as_u64()?;
            let bytes = counter["bytes"].as_u64()?.saturating_add(packets * LINK_HEADER_BYTES);
            Some((mac(element)?, Count { packets, bytes }))
        })
        .collect()
}

/// MAC addresses of a reading, for tests and messages.
impl Reading {
    /// All devices the table knows.
    #[must_use]
    pub fn devices(&self) -> BTreeSet<String> {
        self.forwarded.keys().chain(self.dropped.keys()).chain(&self.blocked).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_nft_prints_is_read() {
        let text = r#"{"nftables": [{"metainfo": {"version": "1.0.6"}}, {"set": {"family": "bridge", "name": "blocked", "table": "sereno", "type": "ether_addr", "elem": ["02:00:00:00:00:01", {"elem": {"val": "b8:27:eb:7d:6b:a6", "timeout": 40, "expires": 39}}]}}]}
{"nftables": [{"set": {"name": "forwarded", "elem": [{"elem": {"val": "B8:27:eb:7d:6b:a6", "counter": {"packets": 10, "bytes": 500}}}]}}]}
{"nftables": [{"set": {"name": "dropped"}}]}"#;
        let reading = parse(text).unwrap();
        assert_eq!(reading.blocked.len(), 2);
        assert_eq!(reading.forwarded["b8:27:eb:7d:6b:a6"], Count { packets: 10, bytes: 640 });
        assert!(reading.dropped.is_empty());
        assert_eq!(reading.devices().len(), 2);
        assert!(parse("no JSON").is_err());
        assert!(parse("").is_err());
    }
}
