//! The actuator `gateway` of playbooks.

use std::collections::BTreeMap;
use std::net::IpAddr;

use async_trait::async_trait;
use model::{BlockTarget, Outcome};
use ports::{Actuator, ActuatorCommand, Enforcer, PortError};
use serde_json::Value;

use crate::Gateway;

/// Seconds of a block when the playbook does not say.
const DEFAULT_BLOCK_S: u32 = 3_600;

#[async_trait]
impl Actuator for Gateway {
    fn name(&self) -> &'static str {
        "gateway"
    }

    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[
            ("block", "drops everything forwarded from or to a device (mac, address, timeout_s)"),
            ("release", "lifts the blocks of a device (mac, address)"),
        ]
    }

    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        let target = target(&command.arguments)?;
        match command.verb.as_str() {
            "block" => {
                let timeout_s = seconds(&command.arguments)?;
                self.block(&command.key, &target, timeout_s).await
            }
            "release" => self.release(&command.key, &target).await,
            other => Err(PortError::Invalid(format!(
                "the actuator gateway has no verb '{other}'; it knows block and release"
            ))),
        }
    }
}

/// The device a command names: `mac`, `address` or a list `addresses`.
fn target(arguments: &BTreeMap<String, Value>) -> Result<BlockTarget, PortError> {
    let text = |name: &str| {
        arguments.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
    };
    let mut addresses = Vec::new();
    let listed = arguments.get("addresses").and_then(Value::as_array);
    let one = text("address").into_iter();
    for word in one.chain(listed.into_iter().flatten().filter_map(Value::as_str)) {
        let address: IpAddr = word
            .parse()
            .map_err(|_| PortError::Invalid(format!("'{word}' is not a network address")))?;
        addresses.push(address);
    }
    let mac = text("mac").map(str::to_ascii_lowercase);
    if let Some(mac) = &mac
        && !is_mac(mac)
    {
        return Err(PortError::Invalid(format!(
            "'{mac}' is not a MAC address like 02:00:00:00:00:01"
        )));
    }
    if mac.is_none() && addresses.is_empty() {
        return Err(PortError::Invalid(
            "name the device by 'mac', 'address' or 'addresses'".into(),
        ));
    }
    Ok(BlockTarget { mac, addresses })
}

fn is_mac(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    parts.len() == 6
        && parts.iter().all(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn seconds(arguments: &BTreeMap<String, Value>) -> Result<u32, PortError> {
    let Some(value) = arguments.get("timeout_s") else { return Ok(DEFAULT_BLOCK_S) };
    let number =
        value.as_u64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
    number
        .and_then(|seconds| u32::try_from(seconds).ok())
        .ok_or_else(|| PortError::Invalid(format!("timeout_s must be whole seconds, not {value}")))
}
