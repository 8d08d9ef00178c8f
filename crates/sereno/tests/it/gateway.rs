//! A node and a gateway on real wires, commanded from the shell and by another tool.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::faults_kit::{ask, plain, send};
use crate::nets;
use crate::programs::{Node, edge, output, sereno};

const MAC: &str = "02:00:00:00:00:07";
const DEADLINE: Duration = Duration::from_secs(30);

fn shell(line: &str) {
    let done = output(Command::new("bash").args(["-ec", line]));
    assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Ended when dropped.
struct Gate(Child);

impl Gate {
    fn start(data: &Path) -> Self {
        let mut command = Command::new(edge());
        command.args([
            "gateway",
            "--name",
            "gw",
            "--device-port",
            "dev-p",
            "--rest-port",
            "rest-p",
        ]);
        command.arg("--socket").arg(data.join("run/edge.sock"));
        command.arg("--token-file").arg(data.join("keys/edge.token"));
        command.arg("--state").arg(data.join("edge-state"));
        Self(command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn until(what: &str, mut look: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !look() {
        assert!(begun.elapsed() < DEADLINE, "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

pub(crate) fn show(data: &Path) -> Value {
    ask(data, &["gateway", "show", "gw"])
}

/// The device speaks ten times.
pub(crate) fn speak() {
    shell(
        "ip netns exec dev bash -c 'for n in 1 2 3 4 5 6 7 8 9 10; do echo a word > /dev/udp/10.0.0.2/9; done'",
    );
}

fn packets(count: &Value) -> u64 {
    count["packets"].as_u64().unwrap_or(0)
}

pub(crate) fn dropped(gateway: &Value) -> u64 {
    gateway["totals"]["dropped"].as_object().unwrap().values().map(packets).sum()
}

#[test]
fn a_gateway_does_what_the_shell_and_other_tools_say() {
    nets::inside("gateway::commanded", None);
}

/// A device and a far end on one bridge.
fn wires() {
    shell(
        "ip link set lo up; ip link add br0 type bridge; ip link set br0 up
         for n in dev rest; do
           ip netns add $n; ip link add $n-p type veth peer name eth0 netns $n
           ip link set $n-p master br0; ip link set $n-p up
           ip netns exec $n bash -c 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6'
         done
         ip -n dev link set eth0 address 02:00:00:00:00:07; ip -n dev link set eth0 up; ip -n dev addr add 10.0.0.7/24 dev eth0
         ip -n rest link set eth0 up; ip -n rest addr add 10.0.0.2/24 dev eth0; sleep 0.3",
    );
}

fn taken(data: &Path) {
    until("the gateway has taken it", || {
        let shown = show(data);
        shown["policy"]["taken"] == shown["policy"]["version"]
    });
}

#[test]
#[ignore = "runs inside namespaces, started by another test"]
fn commanded() {
    assert!(nets::is_inside());
    wires();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let node = Node::start(data);
    let gate = Gate::start(data);
    until("the gateway is known", || ask(data, &["gateway", "list"])["items"][0]["name"] == "gw");
    until("the gateway connects", || {
        show(data)["connected"] == true && show(data)["totals"].is_object()
    });
    speak();
    until("packets pass", || packets(&show(data)["totals"]["passed"]) >= 10);
    by_hand(data);
    // The process is killed and comes back: the order is there, with its reason.
    drop(gate);
    until("it is gone", || show(data)["connected"] == false);
    let gate = Gate::start(data);
    until("it is back with its order", || show(data)["standing"][0]["why"] == "incident 7");
    let mut release = sereno();
    release.args(["gateway", "order", "gw", "release", "--mac", MAC, "--data"]).arg(data);
    assert!(output(&mut release).status.success());
    modes(data);
    by_another_tool(&node, data);
    crate::gateway_openc2::by_a_playbook(&node);
    by_its_maker(data);
    drop(gate);
}

/// With the reason; the outcome carries its proof.
fn by_hand(data: &Path) {
    let begun = Instant::now();
    let order = ask(
        data,
        &[
            "gateway",
            "order",
            "gw",
            "block",
            "--mac",
            MAC,
            "--seconds",
            "600",
            "--why",
            "incident 7",
        ],
    );
    let took = begun.elapsed();
    assert_eq!(order["outcome"]["data"]["proof"]["by"], "probe", "{order}");
    eprintln!("figure: order from the shell to proven block {:.0} ms", took.as_secs_f64() * 1e3);
    speak();
    until("packets are dropped", || dropped(&show(data)) >= 10);
    let shown = show(data);
    assert_eq!(
        (&shown["standing"][0]["why"], &shown["standing"][0]["verb"]),
        (&json!("incident 7"), &json!("block"))
    );
    until("it comes to rest and adds up", || {
        let shown = show(data);
        packets(&shown["totals"]["seen"]) == packets(&shown["totals"]["passed"]) + dropped(&shown)
    });
}

fn modes(data: &Path) {
    // Dry run: exit 1, the answer is no.
    ask(data, &["gateway", "mode", "gw", "dry-run"]);
    taken(data);
    let done = output(
        sereno().args(["gateway", "order", "gw", "block", "--mac", MAC, "--data"]).arg(data),
    );
    assert_eq!(done.status.code(), Some(1), "{done:?}");
    ask(data, &["gateway", "mode", "gw", "enforce", "--fail", "closed"]);
    taken(data);
    assert_eq!(show(data)["policy"]["fail"], "closed");
}

/// In its own language.
fn by_another_tool(node: &Node, data: &Path) {
    let token = node.token("operator");
    let command = |body: Value| {
        let url = format!("{}/.well-known/openc2", node.url);
        let token = token.clone();
        send(plain, move |client| client.post(url).bearer_auth(token).body(body.to_string()))
            .unwrap()
    };
    let answer = command(
        json!({"action": "deny", "target": {"ipv4_connection": {"protocol": "udp", "dst_addr": "10.0.0.2", "dst_port": 9}},
        "args": {"duration": 60_000}}),
    );
    assert_eq!(answer.kind(), "application/openc2-rsp+json;version=1.0");
    let number = answer.json()["results"]["slpf"]["rule_number"].clone();
    assert_eq!((answer.status, &answer.json()["status"]), (200, &json!(200)), "{answer:?}");
    let before = dropped(&show(data));
    speak();
    until("the tool's rule drops", || dropped(&show(data)) >= before + 10);
    let answer = command(json!({"action": "delete", "target": {"slpf:rule_number": number}}));
    assert_eq!(answer.json()["status"], 200, "{answer:?}");
    until("nothing is in force", || show(data)["standing"].as_array().unwrap().is_empty());
}

/// The list of a maker, enforced.
fn by_its_maker(data: &Path) {
    let file = data.join("lamp.json");
    std::fs::write(&file, r#"{"ietf-mud:mud": {"mud-version": 1, "systeminfo": "lamp"}}"#).unwrap();
    let done = output(
        sereno()
            .args(["gateway", "mud", "gw", MAC])
            .arg(&file)
            .args(["--freeze", "--data"])
            .arg(data),
    );
    assert!(done.status.success(), "{done:?}");
    taken(data);
    speak();
    until("violations are counted", || {
        ask(data, &["gateway", "allow", "gw"])["items"][0]["violations"].as_u64() >= Some(10)
    });
}
