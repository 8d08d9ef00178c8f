//! `sereno gateway list|show|order|mode|history|allow|mud`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::{read_file, table, text};
use crate::api::{Api, escape};
use crate::arguments::Place;
use crate::output::{self, Failure};

const PATH: &str = "/api/v1/gateways";
/// Longest MUD file read, bytes.
const MAX_MUD_BYTES: u64 = 1 << 20;
/// How often an order's outcome is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// Looks at most.
const MAX_LOOKS: u32 = 100;

#[derive(Debug, Subcommand)]
pub(crate) enum GatewayCommand {
    /// All gateways.
    List(Place),
    /// One gateway: policy, orders in force, packets seen, passed and dropped by reason.
    Show {
        #[command(flatten)]
        place: Place,
        /// Its name.
        gateway: String,
    },
    /// Order something and wait for what becomes of it. Exit 0 done, 1 not enforced or failed.
    Order(NewOrder),
    /// Set what it does (watch, dry_run, enforce), and what holds when its process is gone.
    Mode {
        #[command(flatten)]
        place: Place,
        /// Its name.
        gateway: String,
        /// watch, dry_run or enforce.
        mode: Option<String>,
        /// open or closed.
        #[arg(long)]
        fail: Option<String>,
        /// Address that no order may cut off; repeat for more. In place of those before.
        #[arg(long)]
        protect: Vec<std::net::IpAddr>,
    },
    /// Changes of its policy and allow lists.
    History {
        #[command(flatten)]
        place: Place,
        /// Its name.
        gateway: String,
    },
    /// Its allow lists; with a device and --state: make one, let it learn, edit it, enforce it.
    Allow(Allow),
    /// Take over a MUD file (RFC 8520) as a device's allow list.
    Mud(Mud),
}

#[derive(Debug, Args)]
pub(crate) struct NewOrder {
    #[command(flatten)]
    place: Place,
    /// The gateway's name.
    gateway: String,
    /// block, allow, rate_limit, quarantine, redirect, suspect, release or undo.
    verb: String,
    /// The device's MAC address.
    #[arg(long)]
    mac: Option<String>,
    /// An internet address of the device; repeat for more.
    #[arg(long = "address")]
    addresses: Vec<std::net::IpAddr>,
    /// Only traffic with this address or network.
    #[arg(long)]
    remote: Option<String>,
    /// Only this IP protocol, by number (6 TCP, 17 UDP).
    #[arg(long)]
    protocol: Option<u8>,
    /// Only this port of the other end.
    #[arg(long)]
    remote_port: Option<u16>,
    /// Seconds until it ends by itself; one hour when absent.
    #[arg(long)]
    seconds: Option<u32>,
    /// rate_limit: packets a second.
    #[arg(long)]
    packets: Option<u32>,
    /// rate_limit: bytes a second.
    #[arg(long)]
    bytes: Option<u32>,
    /// quarantine: networks it may still speak to; redirect: the address it is sent to.
    #[arg(long)]
    to: Vec<String>,
    /// redirect: another port.
    #[arg(long)]
    port: Option<u16>,
    /// redirect: MAC address of the new far end, on the link of a bridge.
    #[arg(long)]
    to_mac: Option<String>,
    /// undo: key of the order whose effect is to end.
    #[arg(long)]
    order: Option<String>,
    /// Why.
    #[arg(long, default_value = "")]
    why: String,
}

#[derive(Debug, Args)]
pub(crate) struct Allow {
    #[command(flatten)]
    place: Place,
    /// The gateway's name.
    gateway: String,
    /// The device's MAC address; at a router its internet address.
    #[arg(requires = "state")]
    device: Option<String>,
    /// learning, frozen (enforced) or off.
    #[arg(long, requires = "device")]
    state: Option<String>,
    /// learning: seconds.
    #[arg(long)]
    seconds: Option<u32>,
    /// Entry to add, PEER[,PROTOCOL[,PORT]]: 10.0.0.0/8,6,443; repeat for more.
    #[arg(long)]
    add: Vec<String>,
    /// Entry to take out, in the same form.
    #[arg(long)]
    remove: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Mud {
    #[command(flatten)]
    place: Place,
    /// The gateway's name.
    gateway: String,
    /// The device's MAC address; at a router its internet address.
    device: String,
    /// The MUD file.
    file: PathBuf,
    /// Network of the house (local-networks); repeat for more.
    #[arg(long)]
    local: Vec<String>,
    /// Controller of the device (my-controller); repeat for more.
    #[arg(long)]
    controller: Vec<String>,
    /// What a name of the file stands for, NAME=ADDRESS; repeat for more.
    #[arg(long = "name")]
    names: Vec<String>,
    /// Enforce the list at once.
    #[arg(long)]
    freeze: bool,
    /// Only show what would be taken over. Exit 1: something could not be carried over.
    #[arg(long)]
    preview: bool,
}

pub(crate) async fn run(command: GatewayCommand, as_json: bool) -> Result<ExitCode, Failure> {
    match command {
        GatewayCommand::List(place) => {
            let answer = get(&place, PATH).await?;
            table(&answer, &["name", "connected", "not_enforcing", "last_contact"], as_json)?;
        }
        GatewayCommand::Show { place, gateway } => {
            let answer = get(&place, &path(&gateway)).await?;
            if as_json { output::value(&answer)? } else { show(&answer) }
        }
        GatewayCommand::Order(order) => return give(order, as_json).await,
        GatewayCommand::Mode { place, gateway, mode, fail, protect } => {
            let mut body = Map::new();
            body.extend(mode.map(|mode| ("mode".to_owned(), json!(mode.replace('-', "_")))));
            body.extend(fail.map(|fail| ("fail".to_owned(), json!(fail))));
            if !protect.is_empty() {
                body.insert("protect".into(), json!(protect));
            }
            let answer = put(&place, &format!("{}/policy", path(&gateway)), &body.into()).await?;
            if as_json { output::value(&answer)? } else { policy(&answer) }
        }
        GatewayCommand::History { place, gateway } => {
            let answer = get(&place, &format!("{}/policy/history", path(&gateway))).await?;
            table(&answer, &["version", "set_at", "set_by", "change"], as_json)?;
        }
        GatewayCommand::Allow(asked) => allow(asked, as_json).await?,
        GatewayCommand::Mud(asked) => return mud(asked, as_json).await,
    }
    Ok(ExitCode::SUCCESS)
}

fn path(gateway: &str) -> String {
    format!("{PATH}/{}", escape(gateway))
}

async fn get(place: &Place, path: &str) -> Result<Value, Failure> {
    let api = Api::of(place).await?;
    let answer = api.get(path).await;
    api.close().await;
    answer
}

async fn put(place: &Place, path: &str, body: &Value) -> Result<Value, Failure> {
    let api = Api::of(place).await?;
    let answer = api.put(path, body).await;
    api.close().await;
    answer
}

fn policy(policy: &Value) {
    let holds = policy["taken"] == policy["version"];
    let state = if holds { "in force" } else { "not yet taken by the gateway" };
    let (mode, fail) = (text(policy, "mode"), text(policy, "fail"));
    output::line(&format!("mode {mode}, fails {fail}, version {} ({state})", policy["version"]));
    if let Some(problem) = policy["problem"].as_str() {
        output::note(problem);
    }
}

fn show(gateway: &Value) {
    output::line(text(gateway, "name"));
    policy(&gateway["policy"]);
    let packets = |count: &Value| count["packets"].as_u64().unwrap_or(0);
    if let Some(totals) = gateway.get("totals").filter(|totals| totals.is_object()) {
        output::line(&format!(
            "seen {} packets, passed {}",
            packets(&totals["seen"]),
            packets(&totals["passed"])
        ));
        for (reason, count) in totals["dropped"].as_object().into_iter().flatten() {
            output::line(&format!("dropped {} ({reason})", packets(count)));
        }
        for (reason, count) in totals["would_drop"].as_object().into_iter().flatten() {
            output::line(&format!("would have dropped {} ({reason})", packets(count)));
        }
    }
    judging(&gateway["judging"]);
    for device in gateway["devices"].as_array().into_iter().flatten() {
        let reasons = device["reasons"].as_object().into_iter().flatten();
        let reasons: Vec<String> =
            reasons.map(|(reason, count)| format!("{} {reason}", packets(count))).collect();
        if !reasons.is_empty() {
            let (mac, passed) = (text(device, "mac"), &device["forwarded_packets"]);
            output::line(&format!("{mac}: passed {passed}, dropped {}", reasons.join(", ")));
        }
    }
    for order in gateway["standing"].as_array().into_iter().flatten() {
        let (verb, target, why, key) =
            (text(order, "verb"), text(order, "target"), text(order, "why"), text(order, "key"));
        let left = &order["left_s"];
        output::line(&format!(
            "{verb} {target}: {left} s left, caught {}, because: {why} [{key}]",
            packets(&order["caught"])
        ));
    }
}

/// How packets are judged one by one, where they are.
fn judging(judging: &Value) {
    if !judging.is_object() {
        return;
    }
    let [judged, waiting, may_wait, suspects, floods, batch] =
        ["judged", "waiting", "may_wait", "suspects", "floods", "batch"]
            .map(|name| judging[name].as_u64().unwrap_or(0));
    let each_us = judging["packet_ns"].as_f64().unwrap_or(0.0) / 1e3;
    output::line(&format!(
        "judged {judged} packets one by one, {each_us:.1} us each; {waiting} of {may_wait} places taken, {suspects} suspects"
    ));
    if judging["flood"] == true {
        output::line(&format!(
            "a flood goes on: {batch} packets of it are dropped between two looks"
        ));
    } else if floods > 0 {
        output::line(&format!("{floods} floods since its start, none now"));
    }
}

impl NewOrder {
    fn body(&self) -> Value {
        let mut body = json!({
            "verb": self.verb.replace('-', "_"), "mac": self.mac, "addresses": self.addresses, "timeout_s": self.seconds,
            "why": self.why, "packets_s": self.packets, "bytes_s": self.bytes, "to": self.to, "port": self.port,
            "to_mac": self.to_mac, "order": self.order,
        });
        if self.remote.is_some() || self.protocol.is_some() || self.remote_port.is_some() {
            body["flow"] = json!({
                "remote": self.remote, "protocol": self.protocol, "remote_port": self.remote_port,
            });
        }
        body
    }
}

/// Places the order and waits until the gateway has said what became of it.
async fn give(order: NewOrder, as_json: bool) -> Result<ExitCode, Failure> {
    let api = Api::of(&order.place).await?;
    let done = follow(&api, &order).await;
    api.close().await;
    let order = done?;
    let outcome = &order["outcome"];
    if as_json {
        output::value(&order)?;
    } else {
        let said = outcome["summary"].as_str().or_else(|| outcome["reason"].as_str());
        output::line(said.unwrap_or("the gateway has not answered yet; the order waits for it"));
        output::note(text(&order, "key"));
    }
    Ok(output::answer(outcome["summary"].is_string()))
}

async fn follow(api: &Api, order: &NewOrder) -> Result<Value, Failure> {
    let placed = api.post(&format!("{}/orders", path(&order.gateway)), &order.body()).await?;
    let key = text(&placed, "key").to_owned();
    for _ in 0..MAX_LOOKS {
        let orders = api.get("/api/v1/orders?limit=50").await?;
        let found = orders["items"]
            .as_array()
            .into_iter()
            .flatten()
            .find(|order| text(order, "key") == key);
        if let Some(found) = found.filter(|order| text(order, "state") == "done") {
            return Ok(found.clone());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(placed)
}

/// `PEER[,PROTOCOL[,PORT]]`.
fn entry(text: &str) -> Result<Value, Failure> {
    let wrong = || {
        Failure::wrong_use(format!(
            "'{text}' is no entry such as 10.0.0.0/8,6,443 (peer, IP protocol, port)"
        ))
    };
    let mut parts = text.split(',').map(str::trim);
    let peer = parts.next().filter(|peer| !peer.is_empty()).ok_or_else(wrong)?;
    let protocol: Option<u8> = parts.next().map(str::parse).transpose().map_err(|_| wrong())?;
    let port: Option<u16> = parts.next().map(str::parse).transpose().map_err(|_| wrong())?;
    if parts.next().is_some() {
        return Err(wrong());
    }
    Ok(json!({ "peer": peer, "protocol": protocol, "port": port, "local_port": null }))
}

async fn allow(asked: Allow, as_json: bool) -> Result<(), Failure> {
    let lists = format!("{}/allow", path(&asked.gateway));
    let (Some(device), Some(state)) = (&asked.device, &asked.state) else {
        let answer = get(&asked.place, &lists).await?;
        if as_json {
            return output::value(&answer);
        }
        for list in answer["items"].as_array().into_iter().flatten() {
            output::line(&format!(
                "{} {}: stopped {} packets",
                text(list, "device"),
                text(list, "state"),
                list["violations"]
            ));
            for entry in list["entries"].as_array().into_iter().flatten() {
                let (peer, source) = (text(entry, "peer"), text(entry, "source"));
                output::line(&format!(
                    "  {peer} protocol {} port {} of the device {} ({source})",
                    entry["protocol"], entry["port"], entry["local_port"]
                ));
            }
        }
        return Ok(());
    };
    let entries = |texts: &[String]| {
        texts.iter().map(|text| entry(text)).collect::<Result<Vec<Value>, Failure>>()
    };
    let body = json!({
        "state": state, "learn_s": asked.seconds, "add": entries(&asked.add)?, "remove": entries(&asked.remove)?,
    });
    let answer = put(&asked.place, &format!("{lists}/{}", escape(device)), &body).await?;
    if as_json {
        return output::value(&answer);
    }
    policy(&answer);
    Ok(())
}

async fn mud(asked: Mud, as_json: bool) -> Result<ExitCode, Failure> {
    let file: Value = serde_json::from_slice(&read_file(&asked.file, MAX_MUD_BYTES)?)
        .map_err(|error| Failure::wrong_use(format!("{}: {error}", asked.file.display())))?;
    let mut names: Map<String, Value> = Map::new();
    for pair in &asked.names {
        let (name, address) = pair
            .split_once('=')
            .ok_or_else(|| Failure::wrong_use(format!("'{pair}': write NAME=ADDRESS")))?;
        if let Some(list) = names.entry(name).or_insert_with(|| json!([])).as_array_mut() {
            list.push(json!(address));
        }
    }
    let body = json!({
        "mud": file, "local": asked.local, "controllers": asked.controller, "names": names,
        "freeze": asked.freeze, "preview": asked.preview,
    });
    let api = Api::of(&asked.place).await?;
    let place = format!("{}/allow/{}/mud", path(&asked.gateway), escape(&asked.device));
    let answer = api.post(&place, &body).await;
    api.close().await;
    let answer = answer?;
    let left_out = answer["left_out"].as_array().cloned().unwrap_or_default();
    if as_json {
        output::value(&answer)?;
    } else {
        let count = answer["entries"].as_array().map_or(0, Vec::len);
        output::line(&format!("{}: {count} entries", text(&answer, "system")));
        for line in left_out.iter().filter_map(Value::as_str) {
            output::line(&format!("left out: {line}"));
        }
    }
    Ok(output::answer(left_out.is_empty()))
}
