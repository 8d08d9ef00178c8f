//! The actuator `gateway` of playbooks.

use std::collections::BTreeMap;
use std::net::IpAddr;

use async_trait::async_trait;
use model::{BlockTarget, Outcome};
use ports::edge::{Flow, Net, NotANet, Order, Verb};
use ports::{Actuator, ActuatorCommand, PortError};
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
            (
                "block",
                "drops what is forwarded from or to a device (mac, address, timeout_s; only to remote, protocol, remote_port)",
            ),
            (
                "rate_limit",
                "lets so much of a device pass a second (mac, address, packets_s, bytes_s, timeout_s)",
            ),
            (
                "quarantine",
                "lets a device speak to these networks only (mac, address, to, timeout_s)",
            ),
            (
                "redirect",
                "sends a device's traffic elsewhere, such as to a honeypot (mac, address, remote, protocol, remote_port, to, port, to_mac, timeout_s)",
            ),
            (
                "suspect",
                "lets only what was usual for a device pass, judged packet by packet (mac, address, timeout_s)",
            ),
            ("release", "ends everything ordered for a device (mac, address)"),
            ("undo", "ends what one order began (order)"),
        ]
    }

    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        let arguments = &command.arguments;
        let verb = verb(&command.verb, arguments)?;
        let target = match &verb {
            Verb::Undo { .. } => BlockTarget { mac: None, addresses: vec![] },
            _ => target(arguments)?,
        };
        let why = match command.incident {
            Some(incident) => format!("run {} for incident {incident}", command.run),
            None => format!("run {}", command.run),
        };
        let order = Order { key: command.key.clone(), verb, target, flow: flow(arguments)?, why };
        self.command(None, order, "playbook").await
    }

    fn undoes(&self, verb: &str) -> bool {
        matches!(verb, "block" | "rate_limit" | "quarantine" | "redirect" | "suspect")
    }

    /// Ends what the command began, at the gateway that was given it; nobody else's order about the same device.
    async fn undo(&self, command: &ActuatorCommand) -> Result<Option<Outcome>, PortError> {
        if !self.undoes(&command.verb) {
            return Ok(None);
        }
        self.take_back(&command.key).await.map(Some)
    }
}

type Arguments = BTreeMap<String, Value>;

fn verb(name: &str, arguments: &Arguments) -> Result<Verb, PortError> {
    let timeout_s = || seconds(arguments);
    Ok(match name {
        "block" => Verb::Block { timeout_s: timeout_s()? },
        "suspect" => Verb::Suspect { timeout_s: timeout_s()? },
        "release" => Verb::Release,
        "rate_limit" => Verb::RateLimit {
            timeout_s: timeout_s()?,
            packets_s: number(arguments, "packets_s")?,
            bytes_s: number(arguments, "bytes_s")?,
        },
        "quarantine" => Verb::Quarantine { timeout_s: timeout_s()?, to: nets(arguments, "to")? },
        "redirect" => Verb::Redirect {
            timeout_s: timeout_s()?,
            to: parsed(arguments, "to")?.ok_or_else(|| {
                PortError::Invalid("redirect needs 'to': the address of the honeypot".into())
            })?,
            port: number(arguments, "port")?,
            mac: text(arguments, "to_mac").map(str::to_ascii_lowercase),
        },
        "undo" => {
            let order = text(arguments, "order").ok_or_else(|| {
                PortError::Invalid("undo needs 'order': the key of the order".into())
            })?;
            Verb::Undo { order: order.to_owned() }
        }
        other => {
            return Err(PortError::Invalid(format!(
                "the actuator gateway has no verb '{other}'; it knows block, rate_limit, quarantine, redirect, release and undo"
            )));
        }
    })
}

fn text<'a>(arguments: &'a Arguments, name: &str) -> Option<&'a str> {
    arguments.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
}

fn parsed<T: std::str::FromStr>(arguments: &Arguments, name: &str) -> Result<Option<T>, PortError> {
    let wrong = |text: &str| PortError::Invalid(format!("'{name}' cannot be '{text}'"));
    text(arguments, name).map(|text| text.parse().map_err(|_| wrong(text))).transpose()
}

/// A whole number, written as one or as text.
fn number<T: TryFrom<u64>>(arguments: &Arguments, name: &str) -> Result<Option<T>, PortError> {
    let Some(value) = arguments.get(name).filter(|value| !value.is_null()) else { return Ok(None) };
    let number =
        value.as_u64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
    let fits = number.and_then(|number| T::try_from(number).ok());
    fits.map(Some).ok_or_else(|| {
        PortError::Invalid(format!("{name} must be a whole number in its range, not {value}"))
    })
}

/// Networks: a list, or text with commas.
fn nets(arguments: &Arguments, name: &str) -> Result<Vec<Net>, PortError> {
    let value = arguments.get(name).unwrap_or(&Value::Null);
    let words: Vec<&str> = match value {
        Value::String(text) => {
            text.split(',').map(str::trim).filter(|word| !word.is_empty()).collect()
        }
        other => other.as_array().into_iter().flatten().filter_map(Value::as_str).collect(),
    };
    words
        .into_iter()
        .map(|word| word.parse().map_err(|error: NotANet| PortError::Invalid(error.to_string())))
        .collect()
}

/// The traffic a command names, where it names any.
fn flow(arguments: &Arguments) -> Result<Option<Flow>, PortError> {
    let flow = Flow {
        remote: parsed(arguments, "remote")?,
        protocol: number(arguments, "protocol")?,
        remote_port: number(arguments, "remote_port")?,
        local_port: number(arguments, "local_port")?,
        ..Flow::default()
    };
    Ok(Some(flow).filter(|flow| *flow != Flow::default()))
}

/// The device a command names: `mac`, `address` or a list `addresses`.
fn target(arguments: &BTreeMap<String, Value>) -> Result<BlockTarget, PortError> {
    let text = |name: &str| text(arguments, name);
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
