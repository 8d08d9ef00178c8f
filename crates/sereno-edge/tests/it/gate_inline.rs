//! Verdicts on single packets: what they stop, how fast they are, what a flood does to them.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use model::Outcome;
use ports::edge::{FailMode, GatewayPolicy, Mode, Reason, Totals, Verb};

use crate::gate::round_trips;
use crate::gate_kit::{
    DEVICE_MAC, Gate, OTHER_MAC, arrives, bridge, device, inside, is_inside, sends, shell, socket,
    took,
};

/// Runs a test inside, where the kernel has a queue.
fn inside_with_queue(test: &str) {
    let works = std::process::Command::new("unshare")
        .args(["-Urn", "iptables-nft", "-A", "FORWARD", "-j", "NFQUEUE", "--queue-num", "31"])
        .arg("--queue-bypass")
        .output()
        .is_ok_and(|done| done.status.success());
    if works {
        inside(test);
    } else {
        eprintln!(
            "skipped: no NFQUEUE here (package iptables, CONFIG_NETFILTER_XT_TARGET_NFQUEUE)"
        );
    }
}

/// A gateway with two patterns and more words.
fn judging(folder: &tempfile::TempDir, more: &[&str]) -> Gate {
    let file = folder.path().join("patterns");
    std::fs::write(&file, "/bin/busybox\nhex: de ad be ef\n").unwrap();
    let mut words = vec!["--inline-patterns", file.to_str().unwrap()];
    words.extend(more);
    started(&words)
}

/// The first counters may come before the judge is in place.
fn started(words: &[&str]) -> Gate {
    let mut gate = Gate::start_with(words);
    gate.node.until(|node| node.judging.is_some());
    gate
}

fn adds_up(totals: &Totals) {
    assert_eq!(totals.seen.packets, totals.passed.packets + totals.dropped_packets(), "{totals:?}");
}

#[test]
fn packets_are_judged_one_by_one_where_the_kernel_has_a_queue() {
    inside_with_queue("gate_inline::judged");
}

#[test]
#[ignore = "runs inside namespaces, started by another test"]
fn judged() {
    assert!(is_inside());
    bridge();
    let folder = tempfile::tempdir().unwrap();
    let mut gate = judging(&folder, &[]);
    let (dev, two) = (socket("dev", "10.0.0.7:4000"), socket("two", "10.0.0.8:4000"));
    let server = socket("rest", "10.0.0.2:5001");
    assert!(arrives(&dev, &server) && arrives(&two, &server) && arrives(&server, &dev));
    dev.send_to(b"sh /bin/busybox MIRAI", "10.0.0.2:5001").unwrap();
    dev.send_to(&[0, 0xde, 0xad, 0xbe, 0xef], "10.0.0.2:5001").unwrap();
    assert_eq!(took(&server), 0);
    // Towards a device it counts for that device.
    server.send_to(b"/bin/busybox", "10.0.0.8:4000").unwrap();
    assert_eq!(took(&two), 0);
    let totals = gate.at_rest();
    assert_eq!(totals.dropped[&Reason::Verdict].packets, 3);
    adds_up(&totals);
    for (mac, count) in [(DEVICE_MAC, 2), (OTHER_MAC, 1)] {
        let line = &gate.node.counters[mac];
        assert_eq!(line.reasons[&Reason::Verdict].packets, count, "{line:?}");
        assert_eq!(line.dropped_packets, count);
    }
    // What was only tried passes and is counted so; a gateway that watches counts nothing.
    let policy = |version, mode| GatewayPolicy {
        version,
        mode,
        fail: FailMode::Open,
        ..GatewayPolicy::default()
    };
    assert_eq!(gate.policy(policy(1, Mode::DryRun)), None);
    std::thread::sleep(Duration::from_millis(600));
    dev.send_to(b"/bin/busybox", "10.0.0.2:5001").unwrap();
    assert_eq!(took(&server), 1);
    let tried = |totals: &Totals| totals.would_drop.get(&Reason::Verdict).map(|line| line.packets);
    gate.node.until(|node| tried(&node.totals) == Some(1));
    assert_eq!(gate.node.totals.dropped[&Reason::Verdict].packets, 3);
    assert_eq!(gate.policy(policy(2, Mode::Watch)), None);
    std::thread::sleep(Duration::from_millis(600));
    dev.send_to(b"/bin/busybox", "10.0.0.2:5001").unwrap();
    assert_eq!(took(&server), 1);
    let readings = gate.node.readings;
    gate.node.until(|node| node.readings > readings + 6);
    assert_eq!(tried(&gate.at_rest()), Some(1));
    // Without the process packets pass: the rule says so.
    gate.kill();
    assert!(arrives(&dev, &server));
}

#[test]
fn packets_of_ipv6_are_judged_too() {
    inside_with_queue("gate_inline::judged_six");
}

#[test]
#[ignore = "runs inside namespaces, started by another test"]
fn judged_six() {
    assert!(is_inside());
    bridge();
    shell(
        "for n in dev rest; do ip netns exec $n bash -c 'echo 0 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6'; done
         ip -n dev addr add fd00::7/64 dev eth0 nodad; ip -n rest addr add fd00::2/64 dev eth0 nodad; sleep 0.2",
    );
    let folder = tempfile::tempdir().unwrap();
    let mut gate = judging(&folder, &[]);
    let (dev, server) = (socket("dev", "[fd00::7]:4000"), socket("rest", "[fd00::2]:5001"));
    assert!(arrives(&dev, &server) && arrives(&server, &dev));
    dev.send_to(b"sh /bin/busybox MIRAI", "[fd00::2]:5001").unwrap();
    assert_eq!(took(&server), 0);
    server.send_to(b"/bin/busybox", "[fd00::7]:4000").unwrap();
    assert_eq!(took(&dev), 0);
    let totals = gate.at_rest();
    adds_up(&totals);
    assert_eq!(gate.node.counters[DEVICE_MAC].reasons[&Reason::Verdict].packets, 2);
}

#[test]
fn of_a_suspect_only_what_was_usual_passes() {
    inside_with_queue("gate_inline::suspected");
}

/// The time a verdict of the node takes to reach the judge.
const REACHES_JUDGE: Duration = Duration::from_millis(300);

#[test]
#[ignore = "runs inside namespaces, started by another test"]
fn suspected() {
    assert!(is_inside());
    bridge();
    let mut gate = started(&["--inline", "--usual-after", "0"]);
    // The lower port is the service.
    let (dev, two) = (socket("dev", "10.0.0.7:40000"), socket("two", "10.0.0.8:40000"));
    let (server, bad) = (socket("rest", "10.0.0.2:5001"), socket("rest", "10.0.0.3:6667"));
    assert!(arrives(&dev, &server) && arrives(&server, &dev) && arrives(&two, &server));
    let outcome = gate.order(device(), Verb::Suspect { timeout_s: 600 }, None);
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    std::thread::sleep(REACHES_JUDGE);
    assert!(arrives(&dev, &server) && arrives(&server, &dev), "what it always did");
    assert!(!arrives(&dev, &bad) && !arrives(&bad, &dev), "what it never did");
    assert!(arrives(&two, &bad), "its neighbour is no suspect");
    gate.node.until(|node| {
        let line =
            node.counters.get(DEVICE_MAC).and_then(|line| line.reasons.get(&Reason::Verdict));
        line.is_some_and(|line| line.packets == 2)
    });
    let standing = &gate.node.standing[0];
    assert_eq!((standing.verb.as_str(), standing.why.as_str()), ("suspect", "incident 7"));
    assert_eq!(gate.node.judging.unwrap().suspects, 1);
    adds_up(&gate.at_rest());
    // It holds over the process, but what was usual is learned anew: nothing is, until the order has ended.
    gate.kill();
    gate.start_again();
    std::thread::sleep(REACHES_JUDGE);
    assert!(!arrives(&dev, &bad) && arrives(&two, &bad));
    assert!(matches!(gate.order(device(), Verb::Release, None), Outcome::Done { .. }));
    std::thread::sleep(REACHES_JUDGE);
    assert!(arrives(&dev, &bad) && arrives(&dev, &server));
    // Tried only: it passes and is counted.
    let tried = GatewayPolicy { version: 1, mode: Mode::DryRun, ..GatewayPolicy::default() };
    assert_eq!(gate.policy(tried), None);
    gate.order(device(), Verb::Suspect { timeout_s: 600 }, None);
    std::thread::sleep(REACHES_JUDGE);
    let unheard = socket("rest", "10.0.0.3:6668");
    assert!(arrives(&dev, &unheard));
    gate.node.until(|node| node.totals.would_drop.contains_key(&Reason::Verdict));
    // It ends by itself.
    gate.order(device(), Verb::Release, None);
    let holds = GatewayPolicy { version: 2, ..GatewayPolicy::default() };
    assert_eq!(gate.policy(holds), None);
    gate.order(device(), Verb::Suspect { timeout_s: 1 }, None);
    std::thread::sleep(REACHES_JUDGE);
    let last = socket("rest", "10.0.0.3:6669");
    assert!(!arrives(&dev, &last));
    std::thread::sleep(Duration::from_secs(1) + REACHES_JUDGE);
    assert!(arrives(&dev, &last));
}

#[test]
fn a_gateway_that_judges_no_packets_takes_no_suspects() {
    inside("gate_inline::suspected_without_judge");
}

#[test]
#[ignore = "runs inside namespaces, started by another test"]
fn suspected_without_judge() {
    assert!(is_inside());
    bridge();
    let mut gate = Gate::start(false);
    let outcome = gate.order(device(), Verb::Suspect { timeout_s: 600 }, None);
    assert!(
        matches!(&outcome, Outcome::NotEnforced { reason, .. } if reason.contains("--inline")),
        "{outcome:?}"
    );
}

/// Sends as fast as one thread can for so long; gives how many.
fn flood(from: &UdpSocket, to: &str, lasting: Duration) -> u64 {
    from.connect(to).unwrap();
    let (begun, mut sent) = (Instant::now(), 0);
    while begun.elapsed() < lasting {
        for _ in 0..64 {
            // A full queue of the sender is no loss: it was not sent.
            sent += u64::from(from.send(b"a word").is_ok());
        }
    }
    sent
}

#[test]
fn verdicts_are_fast() {
    inside_with_queue("gate_inline::fast");
}

#[test]
#[ignore = "runs inside namespaces, started by another test"]
fn fast() {
    assert!(is_inside());
    bridge();
    let (dev, server) = (socket("dev", "10.0.0.7:4000"), socket("rest", "10.0.0.2:5001"));
    round_trips(&dev, &server);
    let without = round_trips(&dev, &server)[2_000];
    let folder = tempfile::tempdir().unwrap();
    let mut gate = judging(&folder, &["--flood-window", "0"]);
    round_trips(&dev, &server);
    let with = round_trips(&dev, &server)[2_000];
    eprintln!(
        "figure: a verdict takes a passed packet {:.1} us at the median (round trip {:.1} us without, {:.1} us with)",
        (with as f64 - without as f64) / 2e3,
        without as f64 / 1e3,
        with as f64 / 1e3
    );
    let (before, cpu) = (gate.at_rest(), gate.cpu_seconds("judge"));
    let begun = Instant::now();
    let sent = flood(&dev, "10.0.0.2:5001", Duration::from_secs(4));
    let seconds = begun.elapsed().as_secs_f64();
    let after = gate.at_rest();
    let cpu = gate.cpu_seconds("judge") - cpu;
    let shed = after.dropped.get(&Reason::Shaping).map_or(0, |count| count.packets);
    let judged = after.passed.packets - before.passed.packets;
    eprintln!(
        "figure: {:.0} packets/s through user-space verdicts, {:.0} a CPU second of the judge ({sent} sent in {seconds:.2} s, {judged} judged in {cpu:.2} CPU s, {shed} shed)",
        judged as f64 / seconds,
        judged as f64 / cpu.max(0.01)
    );
    adds_up(&after);
    assert!(judged + shed >= sent, "{after:?}");
    assert!(took(&server) > 0 && (arrives(&dev, &server) || took(&server) > 0), "it still judges");
}

/// How long the flood lasts, and the judge's time for a packet: 5,000 a second of 50,000.
const FLOOD: Duration = Duration::from_secs(1);
const SPEND_US: &str = "200";
const FLOOD_PER_MS: u32 = 50;
/// What the gateway promises of the wait for a verdict, from the start.
const WAIT_MS: f64 = 100.0;

/// Takes the packets that say when they were sent; gives the milliseconds they were on their way.
fn ways(to: UdpSocket, begun: Instant, until: Arc<AtomicBool>) -> JoinHandle<Vec<f64>> {
    std::thread::spawn(move || {
        let (mut ways, mut text) = (Vec::new(), [0; 16]);
        while !until.load(Ordering::Relaxed) {
            if to.recv_from(&mut text).is_ok() {
                let sent = Duration::from_nanos(u128::from_be_bytes(text) as u64);
                ways.push((begun.elapsed() - sent).as_secs_f64() * 1e3);
            }
        }
        ways
    })
}

/// A gateway is flooded with ten times what it can judge, by one device. Gives how many packets another device sent
/// meanwhile, the times (ms) of those that came through, and the counts in the end.
fn flooded(words: &[&str]) -> (usize, Vec<f64>, Gate) {
    bridge();
    let (dev, two) = (socket("dev", "10.0.0.7:4000"), socket("two", "10.0.0.8:4000"));
    let (server, other) = (socket("rest", "10.0.0.2:5001"), socket("rest", "10.0.0.2:5002"));
    let folder = tempfile::tempdir().unwrap();
    let mut gate = judging(&folder, &[&["--inline-spend", SPEND_US], words].concat());
    assert!(arrives(&dev, &server) && arrives(&two, &other));
    let (begun, ended) = (Instant::now(), Arc::new(AtomicBool::new(false)));
    let ways = ways(other, begun, ended.clone());
    let flooding = std::thread::spawn(move || {
        for number in 1..=FLOOD.as_millis() as u32 {
            (0..FLOOD_PER_MS).for_each(|_| sends(&dev, "10.0.0.2:5001"));
            let due = begun + Duration::from_millis(number.into());
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
        }
    });
    let mut sent = 0;
    while !flooding.is_finished() {
        let text = begun.elapsed().as_nanos().to_be_bytes();
        two.send_to(&text, "10.0.0.2:5002").unwrap();
        sent += 1;
        std::thread::sleep(Duration::from_millis(10));
    }
    flooding.join().unwrap();
    let totals = gate.at_rest();
    adds_up(&totals);
    ended.store(true, Ordering::Relaxed);
    (sent, ways.join().unwrap(), gate)
}

fn longest(ways: &[f64]) -> f64 {
    ways.iter().copied().fold(0.0, f64::max)
}

#[test]
fn a_flood_of_ten_times_what_can_be_judged_delays_verdicts_by_the_promised_wait() {
    inside_with_queue("gate_inline::flooded_shaped");
    inside_with_queue("gate_inline::flooded_unshaped");
}

#[test]
#[ignore = "runs inside namespaces, started by another test"]
fn flooded_shaped() {
    assert!(is_inside());
    let (sent, ways, gate) = flooded(&[]);
    let shed = gate.node.totals.dropped[&Reason::Shaping].packets;
    let line = |mac: &str| gate.node.counters[mac].reasons.get(&Reason::Shaping).copied();
    let (flooder, neighbour) = (line(DEVICE_MAC).unwrap(), line(OTHER_MAC).unwrap_or_default());
    eprintln!(
        "figure: flood of 10x capacity, shaped: verdicts at most {:.0} ms late, {} of {sent} packets of a neighbour through, {shed} shed ({} of the flooder, {} of the neighbour)",
        longest(&ways),
        ways.len(),
        flooder.packets,
        neighbour.packets
    );
    assert!(longest(&ways) <= 2.0 * WAIT_MS, "two windows: {}", longest(&ways));
    assert!(ways.len() * 10 > sent * 8, "a neighbour goes on: {} of {sent}", ways.len());
    assert!(flooder.packets > 20_000 && neighbour.packets * 100 < flooder.packets);
}

#[test]
#[ignore = "runs inside namespaces, started by another test"]
fn flooded_unshaped() {
    assert!(is_inside());
    let (sent, ways, _gate) = flooded(&["--inline-wait", "60000", "--flood-window", "0"]);
    eprintln!(
        "figure: the same without shaping: verdicts up to {:.0} ms late, {} of {sent} packets of a neighbour through",
        longest(&ways),
        ways.len()
    );
    assert!(longest(&ways) > 10.0 * WAIT_MS, "{}", longest(&ways));
}
