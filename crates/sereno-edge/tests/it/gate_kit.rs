//! A gateway between two networks of its own, with real sockets on both sides.

use std::net::UdpSocket;
use std::os::fd::AsFd;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use model::{BlockTarget, Outcome};
use ports::edge::{Flow, GatewayPolicy, Order, ToEdge, Verb};

use crate::node::Node;

/// Set for the copy of this program that runs inside.
const INSIDE: &str = "SERENO_TEST_GATE";
/// How long a datagram may take over two wires.
const ARRIVES_WITHIN: Duration = Duration::from_millis(100);

pub(crate) const DEVICE_MAC: &str = "02:00:00:00:00:07";
pub(crate) const OTHER_MAC: &str = "02:00:00:00:00:08";

/// Runs an ignored test of this program in user, mount and network namespaces of its own. False, with a
/// word about it, where this machine allows none.
pub(crate) fn inside(test: &str) -> bool {
    let works = Command::new("unshare")
        .args(["-Urnm", "bash", "-c"])
        .arg("mount -t tmpfs none /run && ip netns add try && nft list ruleset")
        .output()
        .is_ok_and(|done| done.status.success());
    if !works {
        eprintln!("skipped: no namespaces here (unshare -Urnm, iproute2, nftables)");
        return false;
    }
    let done = Command::new("unshare")
        .args(["-Urnm", "bash", "-c", "mount -t tmpfs none /run && exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", test, "--nocapture"])
        .env(INSIDE, "yes")
        .output()
        .unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr)
    );
    assert!(done.status.success() && said.contains("1 passed"), "{said}");
    for line in said.lines().filter(|line| line.starts_with("figure: ")) {
        eprintln!("{line}");
    }
    true
}

pub(crate) fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

pub(crate) fn shell(line: &str) {
    let done = Command::new("bash").args(["-ec", line]).output().unwrap();
    assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
}

/// Two networks, `dev` (10.0.0.7 and 10.0.0.8) and `rest` (10.0.0.2 and 10.0.0.3), on one bridge.
pub(crate) fn bridge() {
    shell(
        "ip link set lo up; ip link add br0 type bridge; ip link set br0 up; ip addr add 10.0.0.1/24 dev br0
         for n in dev rest; do
           ip netns add $n; ip link add $n-p type veth peer name eth0 netns $n
           ip link set $n-p master br0; ip link set $n-p up; ip -n $n link set lo up
           ip netns exec $n bash -c 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6'
         done
         ip -n dev link set eth0 address 02:00:00:00:00:07; ip -n dev link set eth0 up; ip -n dev addr add 10.0.0.7/24 dev eth0
         ip -n dev link add link eth0 name other address 02:00:00:00:00:08 type macvlan mode bridge
         ip -n rest link set eth0 address 02:00:00:00:00:02; ip -n rest link set eth0 up
         ip -n rest addr add 10.0.0.2/24 dev eth0; ip -n rest addr add 10.0.0.3/24 dev eth0
         ip netns add two; ip netns exec two bash -c 'echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6'; ip -n dev link set other netns two; ip -n two link set other up; ip -n two addr add 10.0.0.8/24 dev other
         sleep 0.3",
    );
}

/// The same ends on two networks with this machine as the router between them.
pub(crate) fn router() {
    shell(
        "ip link set lo up; echo 1 > /proc/sys/net/ipv4/ip_forward
         for n in dev rest; do
           ip netns add $n; ip link add $n-p type veth peer name eth0 netns $n
           ip link set $n-p up; ip -n $n link set lo up; ip -n $n link set eth0 up
         done
         ip addr add 10.0.0.1/24 dev dev-p; ip addr add 10.0.1.1/24 dev rest-p
         ip -n dev addr add 10.0.0.7/24 dev eth0; ip -n dev route add default via 10.0.0.1
         ip -n rest addr add 10.0.1.2/24 dev eth0; ip -n rest addr add 10.0.1.3/24 dev eth0; ip -n rest route add default via 10.0.1.1",
    );
}

/// A socket in another network.
pub(crate) fn socket(network: &str, address: &str) -> UdpSocket {
    let (network, address) = (network.to_owned(), address.to_owned());
    let opened = std::thread::spawn(move || {
        let file = std::fs::File::open(format!("/run/netns/{network}")).unwrap();
        nix::sched::setns(file.as_fd(), nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
        let socket = UdpSocket::bind(&address).unwrap();
        socket.set_read_timeout(Some(ARRIVES_WITHIN)).unwrap();
        socket
    });
    opened.join().unwrap()
}

/// Whether a datagram from one socket reaches the other.
pub(crate) fn arrives(from: &UdpSocket, to: &UdpSocket) -> bool {
    sends(from, &to.local_addr().unwrap().to_string());
    took(to) > 0
}

pub(crate) fn sends(from: &UdpSocket, to: &str) {
    from.send_to(b"a word", to).unwrap();
}

/// How many datagrams a socket has got, until none comes any more.
pub(crate) fn took(socket: &UdpSocket) -> usize {
    let mut buffer = [0; 64];
    let mut count = 0;
    while socket.recv_from(&mut buffer).is_ok() {
        count += 1;
    }
    count
}

/// The gateway under test, with the node it belongs to.
pub(crate) struct Gate {
    pub(crate) node: Node,
    child: Child,
    arguments: Vec<String>,
    number: u32,
}

impl Gate {
    pub(crate) fn start(router: bool) -> Self {
        Self::start_with(if router { &["--router"] } else { &[] })
    }

    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let node = Node::new();
        let arguments: Vec<String> = arguments.iter().map(|&word| word.to_owned()).collect();
        let child = Self::spawn(&node, &arguments);
        let mut gate = Self { node, child, arguments, number: 0 };
        gate.node.until(|node| node.readings > 0);
        gate
    }

    fn spawn(node: &Node, arguments: &[String]) -> Child {
        let folder = node.folder.path();
        let mut command = Command::new(env!("CARGO_BIN_EXE_sereno-edge"));
        command.args([
            "gateway",
            "--device-port",
            "dev-p",
            "--rest-port",
            "rest-p",
            "--name",
            "gw",
        ]);
        command.arg("--socket").arg(folder.join("edge.sock"));
        command.arg("--token-file").arg(folder.join("edge.token"));
        command.arg("--state").arg(folder.join("state"));
        command.args(arguments);
        command.stdin(Stdio::null()).spawn().unwrap()
    }

    /// CPU seconds that the threads of this name have used.
    pub(crate) fn cpu_seconds(&self, thread: &str) -> f64 {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let ticks = tasks.filter_map(|task| {
            let stat = std::fs::read_to_string(task.ok()?.path().join("stat")).ok()?;
            let (_, rest) = stat.split_once(&format!("({thread}) "))?;
            // User and system time are the 14th and 15th of the line; the state is the third.
            let words: Vec<&str> = rest.split(' ').collect();
            Some(words.get(11)?.parse::<u64>().ok()? + words.get(12)?.parse::<u64>().ok()?)
        });
        ticks.sum::<u64>() as f64 / 100.0
    }

    /// Killed without a word, as by the kernel.
    pub(crate) fn kill(&mut self) -> Instant {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.node.die();
        Instant::now()
    }

    pub(crate) fn start_again(&mut self) {
        self.child = Self::spawn(&self.node, &self.arguments);
        let before = self.node.readings;
        self.node.until(|node| node.readings > before);
    }

    pub(crate) fn policy(&mut self, policy: GatewayPolicy) -> Option<String> {
        let version = policy.version;
        self.node.policy = None;
        self.node.say(&ToEdge::Policy(policy));
        self.node.until(|node| node.policy.as_ref().is_some_and(|(taken, _)| *taken == version));
        self.node.policy.take().unwrap().1
    }

    pub(crate) fn order(&mut self, target: BlockTarget, verb: Verb, flow: Option<Flow>) -> Outcome {
        self.number += 1;
        let key = format!("o{}", self.number);
        let order = Order { key: key.clone(), verb, target, flow, why: "incident 7".into() };
        self.node.say(&ToEdge::Order(order));
        self.node.until(|node| node.done.contains_key(&key));
        self.node.done[&key].clone()
    }

    /// The counters when no packet is on its way any more.
    pub(crate) fn at_rest(&mut self) -> ports::edge::Totals {
        loop {
            let (before, readings) = (self.node.totals.clone(), self.node.readings);
            self.node.until(|node| node.readings > readings + 1);
            if self.node.totals == before {
                return before;
            }
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn device() -> BlockTarget {
    BlockTarget { mac: Some(DEVICE_MAC.into()), addresses: vec![] }
}
