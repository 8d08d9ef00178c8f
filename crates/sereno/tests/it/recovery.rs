//! A node and a checkpoint agent as real programs: a service that was infected runs again from before it, told in the
//! incident's own words; the node may die in between.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::programs::{Node, edge, json, output, sereno};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

struct Agent(Child);

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until && matches!(self.0.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts an agent beside the node, with a service that shows how it behaves.
fn agent(data: &Path, place: &Path, waits_s: f64) -> Agent {
    std::fs::create_dir_all(place.join("state")).unwrap();
    std::fs::write(place.join("state/behaviour"), "good").unwrap();
    let at = place.display();
    let declared = format!(
        "[agent]\nname = 'harbour'\nstore = '{at}/store'\nmargin_s = 0\ninterrupt_mean_s = {waits_s}\n\
         interrupt_max_s = {waits_s}\nrestart_mean_s = 0.2\nrestart_max_s = 1\n\n\
         [[service]]\nname = 'telemetry'\nmin_interval_s = 0.4\nmax_interval_s = 0.4\n\
         keep = {{ backend = 'state', state = '{at}/state' }}\ncommand = ['/bin/sh', '-c', '''\n\
         cd {at}/state; while :; do cp behaviour ../seen; date +%N > count; sleep 0.02; done\n''']\n"
    );
    std::fs::write(place.join("protect.toml"), declared).unwrap();
    let process = Command::new(edge())
        .args(["checkpoint", "run", "--exit-with-parent", "--protect"])
        .arg(place.join("protect.toml"))
        .arg("--socket")
        .arg(data.join("run/checkpoint/harbour.sock"))
        .arg("--token-file")
        .arg(data.join("keys/checkpoint.token"))
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    Agent(process)
}

fn recovery(data: &Path, words: &[&str]) -> (Option<i32>, Value) {
    let done = output(sereno().arg("recovery").args(words).args(["--json", "--data"]).arg(data));
    (done.status.code(), json(&done))
}

fn until(what: &str, done: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < until, "not within {PATIENCE:?}: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn checkpoints(data: &Path) -> usize {
    let (_, agents) = recovery(data, &["agents"]);
    let services = &agents["items"][0]["listing"]["services"];
    services[0]["checkpoints"].as_array().map_or(0, Vec::len)
}

fn seen(place: &Path) -> String {
    std::fs::read_to_string(place.join("seen")).unwrap_or_default()
}

fn now() -> String {
    let told = Command::new("date").args(["-u", "+%Y-%m-%dT%H:%M:%S.%6NZ"]).output().unwrap();
    String::from_utf8(told.stdout).unwrap().trim().to_owned()
}

fn infect(place: &Path) -> String {
    let at = now();
    std::fs::write(place.join("state/behaviour"), "evil").unwrap();
    until("the infection shows", || seen(place) == "evil");
    at
}

fn ground() -> (tempfile::TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let (data, place) = (folder.path().join("data"), folder.path().join("place"));
    (folder, data, place)
}

#[test]
fn an_infected_service_is_restored_by_command_and_the_report_says_what_it_cost() {
    let (_folder, data, place) = ground();
    let _node = Node::start(&data);
    let _agent = agent(&data, &place, 0.3);
    until("three checkpoints", || checkpoints(&data) >= 3);
    let at = infect(&place);
    let (code, order) = recovery(&data, &["restore", "telemetry", "--before", &at]);
    assert_eq!((code, order["state"].as_str()), (Some(0), Some("done")), "{order}");
    until("it behaves again", || seen(&place) == "good");
    let report = &order["report"];
    assert!(report["downtime_s"].as_f64().unwrap() > 0.0, "{report}");
    assert!(report["lost_s"].as_f64().unwrap() > 0.0 && report["lost_bytes"].as_u64().unwrap() > 0);
    assert!((0.0..=1.0).contains(&report["chance_infected"].as_f64().unwrap()));
    assert!(report["counter"].as_str().unwrap().contains("not hardware"));
    // It stands in the log of what was done.
    let (_, orders) = recovery(&data, &["orders"]);
    assert_eq!(orders["items"][0]["key"], order["key"]);
    let facts = output(sereno().args(["ledger", "list", "--json", "--data"]).arg(&data));
    let facts = String::from_utf8_lossy(&facts.stdout).into_owned();
    assert!(facts.contains("telemetry runs again from checkpoint"), "{facts}");
    // Nothing is older than this; the answer is "no", with what is offered.
    let (code, order) =
        recovery(&data, &["restore", "telemetry", "--before", "2020-01-01T00:00:00Z"]);
    assert_eq!((code, order["state"].as_str()), (Some(1), Some("failed")), "{order}");
    assert!(order["offers"][0].as_str().unwrap().starts_with("oldest"), "{order}");
    let (code, problem) = {
        let done = output(sereno().args(["recovery", "take", "nothing", "--data"]).arg(&data));
        (done.status.code(), String::from_utf8_lossy(&done.stderr).into_owned())
    };
    assert_ne!(code, Some(0));
    assert!(problem.contains("nothing"), "{problem}");
}

#[test]
fn a_restore_goes_on_although_its_node_is_killed() {
    let (_folder, data, place) = ground();
    let node = Node::start(&data);
    let _agent = agent(&data, &place, 2.0);
    until("two checkpoints", || checkpoints(&data) >= 2);
    let at = infect(&place);
    let (_, order) = recovery(&data, &["restore", "telemetry", "--before", &at, "--no-wait"]);
    let key = order["key"].as_str().unwrap().to_owned();
    node.kill();
    let _node = Node::start(&data);
    until("the order has ended", || recovery(&data, &["show", &key]).1["state"] == "done");
    assert_eq!(seen(&place), "good");
    let (_, agents) = recovery(&data, &["agents"]);
    let services = &agents["items"][0]["listing"]["services"][0];
    let evidence =
        services["checkpoints"].as_array().unwrap().iter().filter(|one| one["evidence"] == true);
    assert_eq!(evidence.count(), 1, "restored once: {services}");
}

#[test]
fn checks_are_declared_by_command() {
    let (_folder, data, _place) = ground();
    let _node = Node::start(&data);
    let (code, made) =
        recovery(&data, &["check", "add", "10.0.0.7", "modbus", "10.0.0.7:502", "3", "40", "45"]);
    assert_eq!((code, made["check"]["register"].as_u64()), (Some(0), Some(3)), "{made}");
    let (_, list) = recovery(&data, &["check", "list"]);
    assert_eq!(list["items"][0]["id"], made["id"]);
    let wrong = output(
        sereno()
            .args(["recovery", "check", "add", "10.0.0.7", "ping", "10.0.0.7", "--data"])
            .arg(&data),
    );
    assert_eq!(wrong.status.code(), Some(2));
    assert_eq!(recovery(&data, &["cases"]).1["items"], serde_json::json!([]));
}

#[test]
fn a_node_itself_goes_back_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (data, place) = (folder.path().join("node"), folder.path());
    std::fs::create_dir(&data).unwrap();
    let port = crate::programs::free_port();
    let declared = format!(
        "[agent]\nname = 'house'\nstore = '{at}/store'\nmargin_s = 0\ninterrupt_mean_s = 0\nrestart_mean_s = 0\n\n\
         [[service]]\nname = 'node'\nmin_interval_s = 3600\nkeep = {{ backend = 'state', state = '{data}' }}\n\
         command = ['{program}', 'up', '--data', '{data}', '--listen', '127.0.0.1:{port}']\n",
        at = place.display(),
        data = data.display(),
        program = env!("CARGO_BIN_EXE_sereno")
    );
    std::fs::write(place.join("protect.toml"), declared).unwrap();
    std::fs::write(place.join("token"), "a-token").unwrap();
    let (socket, token) = (place.join("house.sock"), place.join("token"));
    let mut command = Command::new(edge());
    command
        .args(["checkpoint", "run", "--exit-with-parent", "--protect"])
        .arg(place.join("protect.toml"));
    command.arg("--socket").arg(&socket).arg("--token-file").arg(&token);
    let _agent = Agent(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap());
    let url = format!("http://127.0.0.1:{port}");
    crate::programs::wait_ready(&url);
    let ask = |words: &[&str]| {
        let mut command = Command::new(edge());
        command
            .arg("checkpoint")
            .args(words)
            .arg("--socket")
            .arg(&socket)
            .arg("--token-file")
            .arg(&token);
        json(&output(&mut command))
    };
    let add = |target: &str| recovery(&data, &["check", "add", target, "tcp", "10.0.0.7:1"]).0;
    assert_eq!(add("10.0.0.1"), Some(0));
    // While it writes: many rows, one checkpoint in between.
    let taken = std::thread::scope(|scope| {
        let writing = scope.spawn(|| (0..8).all(|_| add("10.0.0.2") == Some(0)));
        std::thread::sleep(Duration::from_millis(300));
        let taken = ask(&["take", "node"]);
        assert!(writing.join().unwrap(), "writing went on");
        taken
    });
    assert_eq!(taken["reply"], "done", "{taken}");
    let at = now();
    assert_eq!(add("10.0.0.3"), Some(0));
    let back = ask(&["restore", "node", "--before", &at]);
    assert_eq!(back["reply"], "done", "{back}");
    crate::programs::wait_ready(&url);
    let (_, list) = recovery(&data, &["check", "list"]);
    let targets: Vec<&str> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["target"].as_str().unwrap())
        .collect();
    assert!(targets.contains(&"10.0.0.1") && !targets.contains(&"10.0.0.3"), "{targets:?}");
    let verified = output(sereno().args(["ledger", "verify", "--data"]).arg(&data));
    assert_eq!(verified.status.code(), Some(0), "{}", String::from_utf8_lossy(&verified.stdout));
}
