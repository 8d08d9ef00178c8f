//! The loop closes: a device behaves oddly on real wires; the finding becomes an incident, its playbook blocks the
//! device at a real gateway and restarts its service from before the infection; health checks and the detector then
//! lift the block in steps, and a CERT acknowledges the incident. By itself, or by hand in the consoles of both.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::closing_device::{ADDRESS, STATE, TEST};
use crate::nets::{self, Site, shell};
use crate::programs::edge;

/// How long any one step may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);
const MAC: &str = "02:00:00:00:00:07";
/// Times short enough for a test; a trial must hold a window (10 s) that began in it, and its report.
const MORE: &str = "[detection]\ntraining_span_s = 60\nmin_training_windows = 5\n\
    [incidents]\nopen_from = \"low\"\n[playbooks]\ninstall_shipped = false\n\
    [recovery]\nhold_s = 4\ntrial_s = 25\n";

/// Ended when dropped.
struct Program(Child);

impl Program {
    fn start(command: &mut Command) -> Self {
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // An agent ends its services when it is asked to end.
        let _ = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        let until = Instant::now() + Duration::from_secs(10);
        while Instant::now() < until && matches!(self.0.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_finding_ends_in_a_proven_block_and_a_recovered_device_by_itself() {
    nets::inside("closing::by_itself", None);
}

#[test]
#[ignore = "three minutes; make test-long"]
fn with_the_level_ask_the_same_is_done_by_hand() {
    nets::inside("closing::by_hand", None);
}

#[test]
#[ignore = "runs inside namespaces, started by another test"]
fn by_itself() {
    assert!(nets::is_inside());
    let folder = tempfile::tempdir().unwrap();
    let city = City::build(folder.path(), "act");
    city.infect();
    city.closes(
        "no proposal was needed",
        |_| {},
        |city| {
            assert!(city.items("/api/v1/proposals").is_empty());
        },
    );
}

#[test]
#[ignore = "runs inside namespaces, started by another test"]
fn by_hand() {
    assert!(nets::is_inside());
    let folder = tempfile::tempdir().unwrap();
    let city = City::build(folder.path(), "ask");
    city.infect();
    let proposal = until("a proposal", || city.items("/api/v1/proposals?state=open").pop());
    assert_eq!(proposal["level"], "ask", "{proposal}");
    assert!(!proposal["reasons"].as_array().unwrap().is_empty(), "{proposal}");
    assert!(city.items("/api/v1/orders").is_empty(), "nothing is done before the yes");
    assert!(city.answers(), "the device is still reached");
    person("approve", &city.site, || {
        let path = format!("/api/v1/proposals/{}/answer", proposal["id"].as_str().unwrap());
        city.site.call("POST", &path, &json!({ "accept": true, "comment": "seen on the camera" }))
    });
    let acknowledge = |city: &City| {
        let received = until("the CERT has it", || items(&city.cert, INCIDENTS).pop());
        person("acknowledge", &city.cert, || {
            let path =
                format!("/api/v1/incidents/{}/acknowledge", received["id"].as_str().unwrap());
            city.cert.call("POST", &path, &json!({ "text": "we look" }))
        });
    };
    city.closes("by hand", acknowledge, |city| {
        let path = format!("/api/v1/proposals/{}", proposal["id"].as_str().unwrap());
        let (_, answered) = city.site.call("GET", &path, &Value::Null);
        let run = &city.items("/api/v1/runs")[0];
        assert_eq!(run["id"], answered["run"], "the run is the one that was answered: {run}");
        let yes = &answered["voices"][0]["at"];
        assert!(at(yes) <= at(&run["started_at"]), "first the yes: {answered} {run}");
    });
}

/// A person's act in the console of a site; over the API, with a word about it, where no browser is.
fn person(act: &str, site: &Site, without_browser: impl FnOnce() -> (u16, Value)) {
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web");
    let browser = std::env::var("CHROMIUM").unwrap_or_else(|_| "/usr/bin/chromium".into());
    if !Path::new(&browser).exists() || !web.join("node_modules/playwright-core").exists() {
        eprintln!("figure: skipped the console ({act}): no Chromium or no console built here");
        let (status, answered) = without_browser();
        assert_eq!(status, 200, "{answered}");
        return;
    }
    let mut command = site.within(Path::new("node"));
    command.arg(web.join("e2e/by-hand.mjs")).arg(act).current_dir(&web);
    command.env("SERENO_URL", "http://127.0.0.1:8080").env("HOME", &site.data);
    command.env("SERENO_USER", "chief").env("SERENO_PASSWORD", nets::PASSWORD);
    command.env("SERENO_PICTURE", web.join(format!("test-results/by-hand-{act}.png")));
    let done = command.output().unwrap();
    assert!(done.status.success(), "{act}: {}", String::from_utf8_lossy(&done.stderr));
}

fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A time of an answer, microseconds.
fn at(value: &Value) -> i64 {
    let text = value.as_str().unwrap_or_else(|| panic!("no time: {value}"));
    text.parse::<model::Timestamp>().unwrap().as_micros()
}

/// Block, restart from before the infection, tell the CERT.
fn playbook() -> Value {
    let id = |kind: &str, number: u32| format!("{kind}--7e2f0f0e-8a4b-4b53-9a6d-{number:012x}");
    let agent = |number: u32| id("x-sereno-actuator", number);
    let step = |name: &str, number: u32, next: String, verb: &str, arguments: Value| {
        json!({ "type": "action", "name": name, "agent": agent(number), "on_success": next,
            "commands": [{ "type": "x-sereno-actuator", "command": verb, "arguments": arguments }] })
    };
    let (block, restore, tell) = (id("action", 2), id("action", 3), id("action", 4));
    let external = |kind: &str| json!({ "type": kind, "value": "", "external": true });
    json!({ "type": "playbook", "spec_version": "cacao-2.0", "name": "Contain and restore",
        "id": id("playbook", 9), "created_by": "identity--0b0b6e0e-5c6e-4a0f-9d5b-3a1f5a7c2e01",
        "created": "2026-11-22T00:00:00.000Z", "modified": "2026-11-22T00:00:00.000Z",
        "playbook_variables": { "__device_mac__": external("mac-addr"),
            "__device_address__": external("ipv4-addr") },
        "workflow_start": id("start", 1),
        "workflow": {
            id("start", 1): { "type": "start", "on_completion": block },
            block: step("Block", 12, restore.clone(), "block", json!({ "mac": "__device_mac__:value",
                "address": "__device_address__:value", "timeout_s": 600 })),
            restore: step("Restore", 13, tell.clone(), "restore_before", json!({ "service": "controller" })),
            tell: step("Tell", 14, id("end", 5), "share", json!({ "peers": "cert" })),
            id("end", 5): { "type": "end" }
        },
        "agent_definitions": {
            agent(12): { "type": "x-sereno-actuator", "name": "gateway" },
            agent(13): { "type": "x-sereno-actuator", "name": "checkpoint" },
            agent(14): { "type": "x-sereno-actuator", "name": "exchange" } } })
}

/// Takes notice of what others share.
fn noticing() -> Value {
    let id = |kind: &str, number: u32| format!("{kind}--7e2f0f0e-8a4b-4b53-9a6d-{number:012x}");
    let agent = id("x-sereno-actuator", 25);
    json!({ "type": "playbook", "spec_version": "cacao-2.0", "name": "Take notice",
        "id": id("playbook", 20), "created_by": "identity--0b0b6e0e-5c6e-4a0f-9d5b-3a1f5a7c2e01",
        "created": "2026-11-22T00:00:00.000Z", "modified": "2026-11-22T00:00:00.000Z",
        "workflow_start": id("start", 21),
        "workflow": {
            id("start", 21): { "type": "start", "on_completion": id("action", 22) },
            id("action", 22): { "type": "action", "name": "Acknowledge", "agent": agent,
                "on_success": id("end", 23), "commands": [{ "type": "x-sereno-actuator",
                    "command": "acknowledge", "arguments": { "text": "Received; looked at in the morning." } }] },
            id("end", 23): { "type": "end" } },
        "agent_definitions": { agent: { "type": "x-sereno-actuator", "name": "incidents" } } })
}

const INCIDENTS: &str = "/api/v1/incidents?state=all";

/// The first page of a list.
fn items(site: &Site, path: &str) -> Vec<Value> {
    let (_, answer) = site.call("GET", path, &Value::Null);
    answer["items"].as_array().cloned().unwrap_or_default()
}

/// Stores a playbook that starts by itself on these facts, as far as `level` lets it.
fn arm(site: &Site, playbook: &Value, on: &str, level: &str) {
    let (status, stored) = site.call("POST", "/api/v1/playbooks", playbook);
    assert!((200..300).contains(&status), "{stored}");
    let path = format!("/api/v1/playbooks/{}/triggers", stored["id"].as_str().unwrap());
    let trigger = json!({ "on": on, "min_severity": "low", "level": level });
    let (status, set) = site.call("POST", &path, &trigger);
    assert_eq!(status, 201, "{set}");
}

/// A node in the control room, a gateway, a device under checkpoint behind it, and a CERT elsewhere.
struct City {
    // In the order in which they end.
    _agent: Program,
    _gate: Program,
    _poll: Program,
    site: Site,
    cert: Site,
    place: PathBuf,
}

impl City {
    fn build(folder: &Path, level: &str) -> Self {
        nets::bridge();
        let site = Site::up_with(folder, "rest", "operator", 2, MORE);
        let cert =
            Site::up_with(folder, "cert", "cert", 3, "[playbooks]\ninstall_shipped = false\n");
        site.joins(&cert, folder);
        wires();
        let place = folder.join("place");
        let gate = gate(&site.data);
        let agent = agent(&site.data, &place);
        // The control room reads the controller all the time, as the health check will.
        let poll = Program::start(site.within(Path::new("bash")).args(["-c",
            "while sleep 1; do timeout 1 bash -c 'exec 3<>/dev/tcp/10.9.0.7/502 && \
             printf \"\\0\\1\\0\\0\\0\\6\\1\\3\\0\\3\\0\\1\" >&3 && head -c 11 <&3' > /dev/null 2>&1; done"]));
        let city = Self { _agent: agent, _gate: gate, _poll: poll, site, cert, place };
        city.prepare(level);
        until("the device is watched", || {
            let devices = city.items("/api/v1/detection/devices");
            devices
                .into_iter()
                .find(|one| one["name"] == MAC && one["state"]["state"] == "watching")
        });
        city
    }

    fn prepare(&self, level: &str) {
        let made = self.site.ask(&[
            "recovery",
            "check",
            "add",
            ADDRESS,
            "modbus",
            "10.9.0.7:502",
            "3",
            "40",
            "45",
        ]);
        assert!(made["id"].is_string(), "{made}");
        arm(&self.site, &playbook(), "incidents.opened", level);
        // By hand, an analyst acknowledges.
        if level == "act" {
            arm(&self.cert, &noticing(), "incidents.received", level);
        }
    }

    fn items(&self, path: &str) -> Vec<Value> {
        items(&self.site, path)
    }

    fn infect(&self) {
        assert!(self.answers(), "the control room reaches the device");
        std::fs::write(self.place.join("state/behaviour"), "evil").unwrap();
    }

    /// Whether the control room gets through to the device.
    fn answers(&self) -> bool {
        let mut try_it = self.site.within(Path::new("timeout"));
        try_it.args(["1", "bash", "-c", "exec 3<>/dev/tcp/10.9.0.7/502"]).stderr(Stdio::null());
        try_it.status().unwrap().success()
    }

    /// From the finding to the end, and whether all is told; `acknowledge`: what a person does at the CERT.
    fn closes(&self, how: &str, acknowledge: impl Fn(&Self), more: impl Fn(&Self)) {
        let milestones =
            |it: &Value, name: &str| it["milestones"][name].as_str().map(str::to_owned);
        let contained = until("contained", || {
            let incident = self.items(INCIDENTS).pop()?;
            let path = format!("/api/v1/incidents/{}", incident["id"].as_str()?);
            let (_, whole) = self.site.call("GET", &path, &Value::Null);
            milestones(&whole, "contained").map(|_| path)
        });
        assert!(!self.answers(), "a blocked device is not reached");
        let whole = until("recovered", || {
            let (_, whole) = self.site.call("GET", &contained, &Value::Null);
            let case = self.items("/api/v1/recovery/cases").pop().unwrap_or_default();
            assert!(case["failures"].as_u64().unwrap_or(0) == 0, "a trial failed: {case:#}");
            milestones(&whole, "recovered").map(|_| whole)
        });
        assert!(self.answers(), "a recovered device is reached");
        acknowledge(self);
        let by = until("acknowledged", || {
            let (_, whole) = self.site.call("GET", &contained, &Value::Null);
            whole["incident"]["acknowledged_by"].as_str().map(str::to_owned)
        });
        assert!(by.contains("cert"), "the CERT's answer came back: {by}");
        let behaviour = std::fs::read_to_string(self.place.join("state/behaviour")).unwrap();
        assert_eq!(behaviour, "good", "it runs from before the infection");
        more(self);
        self.proven(&whole, how);
    }

    /// The proof, the order of the times, the steps of the lifting.
    fn proven(&self, whole: &Value, how: &str) {
        let mut orders = self.items("/api/v1/orders");
        orders.sort_by_key(|order| at(&order["requested_at"]));
        let verbs: Vec<&str> = orders.iter().filter_map(|order| order["verb"].as_str()).collect();
        assert_eq!(
            verbs,
            ["block", "release", "rate_limit", "release"],
            "lifted in steps: {orders:#?}"
        );
        let block = &orders[0];
        let proof = &block["outcome"]["data"]["proof"];
        assert_eq!((&proof["by"], &proof["passed"]), (&json!("probe"), &json!(0)), "{block:#}");
        assert!(proof["dropped"].as_u64() >= Some(1), "{block:#}");
        let run = &self.items("/api/v1/runs")[0];
        assert_eq!(run["state"], "succeeded", "{run:#}");
        let finding = &whole["findings"][0];
        let times = [
            ("finding", at(&finding["recorded_at"])),
            ("detected", at(&whole["milestones"]["detected"])),
            ("run", at(&run["started_at"])),
            ("ordered", at(&block["requested_at"])),
            ("proven", at(&block["done_at"])),
            ("contained", at(&whole["milestones"]["contained"])),
            ("eradicated", at(&whole["milestones"]["eradicated"])),
            ("released", at(&orders[1]["done_at"])),
            ("recovered", at(&whole["milestones"]["recovered"])),
        ];
        assert!(times.is_sorted_by_key(|(_, at)| *at), "in order: {times:?}");
        let ms = (at(&block["done_at"]) - at(&finding["recorded_at"])) / 1_000;
        eprintln!("figure: finding to proven block {ms} ms ({how})");
    }
}

fn wires() {
    shell(
        "set -e
         ip netns add dev; ip link add dev-p type veth peer name eth0 netns dev
         ip link set dev-p master hub; ip link set dev-p up
         for n in dev rest; do nsenter --net=/run/netns/$n bash -c 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6'; done
         ip -n dev link set eth0 address 02:00:00:00:00:07; ip -n dev link set lo up; ip -n dev link set eth0 up
         ip -n dev addr add 10.9.0.7/16 dev eth0
         for n in $(seq 1 20); do ip -n rest addr add 10.9.5.$n/16 dev eth0; done
         sleep 0.3",
    );
}

fn gate(data: &Path) -> Program {
    let mut command = Command::new(edge());
    command.args(["gateway", "--name", "gw", "--device-port", "dev-p", "--rest-port", "v-rest"]);
    command.arg("--socket").arg(data.join("run/edge.sock"));
    command.arg("--token-file").arg(data.join("keys/edge.token"));
    command.arg("--state").arg(data.join("edge-state"));
    Program::start(command.stderr(Stdio::null()))
}

/// The device's service under checkpoint, in the device's network.
fn agent(data: &Path, place: &Path) -> Program {
    std::fs::create_dir_all(place.join("state")).unwrap();
    std::fs::write(place.join("state/behaviour"), "good").unwrap();
    let (at, own) = (place.display(), std::env::current_exe().unwrap());
    // The margin is one window: an infection in the middle of one may show in the next only.
    let declared = format!(
        "[agent]\nname = 'harbour'\nstore = '{at}/store'\nmargin_s = 12\ninterrupt_mean_s = 0.2\n\
         interrupt_max_s = 0.5\nrestart_mean_s = 0.2\nrestart_max_s = 0.5\n\n\
         [[service]]\nname = 'controller'\nmin_interval_s = 5\nmax_interval_s = 5\n\
         keep = {{ backend = 'state', state = '{at}/state' }}\n\
         command = ['/usr/bin/env', '{STATE}={at}/state', '{}', '--ignored', '--exact', '{TEST}']\n",
        own.display()
    );
    std::fs::write(place.join("protect.toml"), declared).unwrap();
    let mut command = Command::new("nsenter");
    command.arg("--net=/run/netns/dev").arg(edge());
    command.args(["checkpoint", "run", "--exit-with-parent", "--protect"]);
    command.arg(place.join("protect.toml"));
    command.arg("--socket").arg(data.join("run/checkpoint/harbour.sock"));
    command.arg("--token-file").arg(data.join("keys/checkpoint.token"));
    Program::start(command.stderr(Stdio::null()))
}
