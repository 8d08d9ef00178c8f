//! OpenC2 commands (OASIS OpenC2 Language 1.0) of the profile for stateless packet filters (SLPF 1.0), read.
//!
//! Pure: JSON in, an order or the refusal the standard asks for out.

use ports::edge::{Direction, Flow, Net};
use serde_json::{Map, Value, json};

/// Longest command id, bytes.
pub(crate) const MAX_ID_BYTES: usize = 36;
/// Longest order, milliseconds (as of a gateway: 30 days).
const MAX_DURATION_MS: i64 = 30 * 86_400 * 1_000;

/// What is answered: a status of the language (§3.3.2.2), with a word about it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) text: String,
}

fn refuse<T>(status: u16, text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { status, text: text.into() })
}

/// What a command asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Asked {
    /// `query features`.
    Features(Vec<String>),
    /// `deny` or `allow` of traffic.
    Filter { allow: bool, flow: Flow, duration_ms: Option<i64>, rule_number: Option<i64> },
    /// `delete slpf:rule_number`.
    Delete(i64),
}

/// How much is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    None,
    Ack,
    Status,
    Complete,
}

/// One command.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Command {
    pub(crate) id: Option<String>,
    pub(crate) asked: Asked,
    pub(crate) wanted: Wanted,
    /// The gateway by name (`actuator.slpf.hostname`).
    pub(crate) gateway: Option<String>,
}

/// Action and target pairs that are carried out.
pub(crate) fn pairs() -> Value {
    let filters = ["ipv4_net", "ipv6_net", "ipv4_connection", "ipv6_connection"];
    json!({ "allow": filters, "deny": filters, "query": ["features"], "delete": ["slpf:rule_number"] })
}

/// Reads a command; `now_ms` is wall time in milliseconds since 1970.
pub(crate) fn read(command: &Value, now_ms: i64) -> Result<Command, Refusal> {
    let Some(command) = command.as_object() else {
        return refuse(400, "Validation Error: a command is an object");
    };
    known(command, &["action", "target", "args", "actuator", "command_id"], "command")?;
    let id = match command.get("command_id") {
        None => None,
        Some(Value::String(id)) if !id.is_empty() && id.len() <= MAX_ID_BYTES => Some(id.clone()),
        Some(_) => {
            return refuse(
                400,
                format!("Validation Error: command_id has 1 to {MAX_ID_BYTES} bytes"),
            );
        }
    };
    let Some(action) = command.get("action").and_then(Value::as_str) else {
        return refuse(400, "Validation Error: action is missing");
    };
    let Some((kind, target)) = command
        .get("target")
        .and_then(Value::as_object)
        .filter(|target| target.len() == 1)
        .and_then(|target| target.iter().next())
    else {
        return refuse(400, "Validation Error: target names exactly one thing");
    };
    let gateway = gateway(command.get("actuator"))?;
    let empty = Map::new();
    let args = match command.get("args") {
        None => &empty,
        Some(Value::Object(args)) => args,
        Some(_) => return refuse(400, "Validation Error: args is an object"),
    };
    let wanted = wanted(args)?;
    let asked = match (action, kind.as_str()) {
        ("query", "features") => features(target, args)?,
        ("deny" | "allow", "ipv4_net" | "ipv6_net" | "ipv4_connection" | "ipv6_connection") => {
            filter(action == "allow", kind, target, args, now_ms, wanted)?
        }
        ("delete", "slpf:rule_number") => {
            only(args, &["response_requested"])?;
            match target.as_i64().filter(|number| *number >= 0) {
                Some(number) => Asked::Delete(number),
                None => return refuse(400, "Validation Error: slpf:rule_number is a whole number"),
            }
        }
        ("query" | "deny" | "allow" | "delete", _) => {
            return refuse(501, "Target type not supported");
        }
        ("update", "file") => return refuse(501, "Command not supported"),
        _ if ACTIONS.contains(&action) => return refuse(501, "Action not supported"),
        _ => return refuse(400, "Validation Error: action is none of the language"),
    };
    Ok(Command { id, asked, wanted, gateway })
}

/// The actions of the language (§3.3.1.1).
const ACTIONS: [&str; 21] = [
    "scan",
    "locate",
    "query",
    "deny",
    "contain",
    "allow",
    "start",
    "stop",
    "restart",
    "cancel",
    "set",
    "update",
    "redirect",
    "create",
    "delete",
    "detonate",
    "restore",
    "copy",
    "investigate",
    "remediate",
    "report",
];

fn known(object: &Map<String, Value>, names: &[&str], what: &str) -> Result<(), Refusal> {
    match object.keys().find(|name| !names.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => refuse(400, format!("Validation Error: {what}: {}", short(name))),
    }
}

fn short(text: &str) -> String {
    text.chars().take(40).collect()
}

/// Arguments that are understood but not carried out here are refused, never ignored.
fn only(args: &Map<String, Value>, names: &[&str]) -> Result<(), Refusal> {
    match args.keys().find(|name| !names.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => refuse(501, format!("Option not supported: {}", short(name))),
    }
}

fn wanted(args: &Map<String, Value>) -> Result<Wanted, Refusal> {
    match args.get("response_requested").map(|value| value.as_str()) {
        None | Some(Some("complete")) => Ok(Wanted::Complete),
        Some(Some("ack")) => Ok(Wanted::Ack),
        Some(Some("status")) => Ok(Wanted::Status),
        Some(Some("none")) => Ok(Wanted::None),
        Some(_) => {
            refuse(400, "Validation Error: response_requested is none, ack, status or complete")
        }
    }
}

/// The gateway an actuator names. A command for another profile is not for us.
fn gateway(actuator: Option<&Value>) -> Result<Option<String>, Refusal> {
    let Some(actuator) = actuator else { return Ok(None) };
    let Some(actuator) = actuator.as_object() else {
        return refuse(400, "Validation Error: actuator is an object");
    };
    let Some(slpf) = actuator.get("slpf") else {
        return refuse(501, "Actuator profile not supported: this consumer speaks slpf");
    };
    let Some(slpf) = slpf.as_object() else {
        return refuse(400, "Validation Error: actuator slpf is an object");
    };
    known(slpf, &["hostname", "named_group", "asset_id", "asset_tuple"], "actuator")?;
    Ok(slpf.get("hostname").and_then(Value::as_str).map(ToOwned::to_owned))
}

fn features(target: &Value, args: &Map<String, Value>) -> Result<Asked, Refusal> {
    only(args, &["response_requested"])?;
    let Some(asked) = target.as_array() else {
        return refuse(400, "Validation Error: features is a list");
    };
    let names: Option<Vec<String>> =
        asked.iter().map(|name| name.as_str().map(ToOwned::to_owned)).collect();
    let Some(names) = names else { return refuse(400, "Validation Error: features are texts") };
    if let Some(name) = names
        .iter()
        .find(|name| !["versions", "profiles", "pairs", "rate_limit"].contains(&name.as_str()))
    {
        return refuse(400, format!("Validation Error: feature {}", short(name)));
    }
    if names.iter().enumerate().any(|(place, name)| names[..place].contains(name)) {
        return refuse(400, "Validation Error: a feature is asked for twice");
    }
    Ok(Asked::Features(names))
}

fn filter(
    allow: bool,
    kind: &str,
    target: &Value,
    args: &Map<String, Value>,
    now_ms: i64,
    wanted: Wanted,
) -> Result<Asked, Refusal> {
    only(args, &["response_requested", "start_time", "stop_time", "duration", "slpf"])?;
    let mut flow = match kind {
        "ipv4_net" | "ipv6_net" => {
            Flow { remote: Some(net(target, kind == "ipv4_net")?), ..Flow::default() }
        }
        _ => connection(target, kind == "ipv4_connection")?,
    };
    // A packet filter does not know which end is on the device side.
    flow.either = true;
    let empty = Map::new();
    let slpf = match args.get("slpf") {
        None => &empty,
        Some(Value::Object(slpf)) => slpf,
        Some(_) => return refuse(400, "Validation Error: args slpf is an object"),
    };
    only(slpf, &["drop_process", "persistent", "direction", "insert_rule"])?;
    match slpf.get("drop_process").map(|value| value.as_str()) {
        None => {}
        Some(Some("none")) if !allow => {}
        Some(Some("none" | "reject" | "false_ack")) => {
            return refuse(501, "Option not supported: drop_process other than none");
        }
        Some(_) => {
            return refuse(400, "Validation Error: drop_process is none, reject or false_ack");
        }
    }
    match slpf.get("persistent") {
        None | Some(Value::Bool(true)) => {}
        Some(Value::Bool(false)) => {
            return refuse(501, "Option not supported: rules here outlive a restart");
        }
        Some(_) => return refuse(400, "Validation Error: persistent is true or false"),
    }
    flow.direction = match slpf.get("direction").map(|value| value.as_str()) {
        None | Some(Some("both")) => None,
        Some(Some("ingress")) => Some(Direction::In),
        Some(Some("egress")) => Some(Direction::Out),
        Some(_) => return refuse(400, "Validation Error: direction is both, ingress or egress"),
    };
    let rule_number = match slpf
        .get("insert_rule")
        .map(|value| value.as_i64().filter(|number| *number >= 0))
    {
        None => None,
        Some(Some(_)) if wanted != Wanted::Complete => {
            return refuse(400, "Validation Error: insert_rule needs response_requested complete");
        }
        Some(Some(number)) => Some(number),
        Some(None) => return refuse(400, "Validation Error: insert_rule is a whole number"),
    };
    Ok(Asked::Filter { allow, flow, duration_ms: duration(args, now_ms)?, rule_number })
}

/// Milliseconds from now until the command ends. Of start, stop and duration at most two may stand (§3.3.1.4).
fn duration(args: &Map<String, Value>, now_ms: i64) -> Result<Option<i64>, Refusal> {
    let number = |name: &str| match args.get(name) {
        None => Ok(None),
        Some(value) => match value.as_i64().filter(|number| *number >= 0) {
            Some(number) => Ok(Some(number)),
            None => refuse(400, format!("Validation Error: {name} is a number of milliseconds")),
        },
    };
    let (start, stop, length) = (number("start_time")?, number("stop_time")?, number("duration")?);
    if start.is_some() && stop.is_some() && length.is_some() {
        return refuse(
            400,
            "Validation Error: of start_time, stop_time and duration two may stand",
        );
    }
    if start.is_some_and(|start| start > now_ms.saturating_add(1_000)) {
        return refuse(501, "Option not supported: start_time in the future");
    }
    let ends = match (stop, length) {
        (Some(stop), _) => Some(stop),
        (None, Some(length)) => Some(start.unwrap_or(now_ms).saturating_add(length)),
        (None, None) => None,
    };
    match ends.map(|ends| ends.saturating_sub(now_ms)) {
        None => Ok(None),
        Some(left) if left <= 0 => {
            refuse(400, "Validation Error: the time of this command is over")
        }
        Some(left) if left > MAX_DURATION_MS => {
            refuse(501, "Option not supported: longer than 30 days")
        }
        Some(left) => Ok(Some(left)),
    }
}

fn net(value: &Value, v4: bool) -> Result<Net, Refusal> {
    let found =
        value.as_str().and_then(|text| text.parse::<Net>().ok()).filter(|net| net.is_v4() == v4);
    match found {
        Some(net) => Ok(net),
        None => {
            refuse(400, "Validation Error: an address or network of the target's kind is expected")
        }
    }
}

fn connection(target: &Value, v4: bool) -> Result<Flow, Refusal> {
    let Some(target) = target.as_object().filter(|target| !target.is_empty()) else {
        return refuse(400, "Validation Error: a connection names at least one of its five parts");
    };
    known(target, &["src_addr", "src_port", "dst_addr", "dst_port", "protocol"], "connection")?;
    let address = |name: &str| target.get(name).map(|value| net(value, v4)).transpose();
    let port = |name: &str| match target.get(name) {
        None => Ok(None),
        Some(value) => match value.as_u64().and_then(|number| u16::try_from(number).ok()) {
            Some(port) => Ok(Some(port)),
            None => refuse(400, format!("Validation Error: {name} is a number up to 65535")),
        },
    };
    let protocol = match target.get("protocol").map(|value| value.as_str()) {
        None => None,
        Some(Some("icmp")) => Some(if v4 { 1 } else { 58 }),
        Some(Some("tcp")) => Some(6),
        Some(Some("udp")) => Some(17),
        Some(Some("sctp")) => Some(132),
        Some(_) => return refuse(400, "Validation Error: protocol is icmp, tcp, udp or sctp"),
    };
    Ok(Flow {
        local: address("src_addr")?,
        remote: address("dst_addr")?,
        protocol,
        local_port: port("src_port")?,
        remote_port: port("dst_port")?,
        ..Flow::default()
    })
}

#[cfg(test)]
#[path = "openc2_tests.rs"]
mod tests;
