//! Orders, modes and counters on real traffic between real networks.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use model::{BlockTarget, Outcome};
use ports::edge::{AllowEntry, AllowList, FailMode, Flow, GatewayPolicy, Mode, Reason, Verb};

use crate::gate_kit::{
    DEVICE_MAC, Gate, OTHER_MAC, arrives, bridge, device, inside, is_inside, router, sends, socket,
    took,
};

/// Finding to effective block, as promised: what the gateway may take of it.
const BLOCK_WITHIN: Duration = Duration::from_millis(100);

fn proven(outcome: &Outcome) -> serde_json::Value {
    match outcome {
        Outcome::Done { data, .. } => {
            assert_eq!(
                (&data["proof"]["by"], &data["proof"]["dropped"]),
                (&"probe".into(), &1.into()),
                "{data}"
            );
            data.clone()
        }
        other => panic!("{other:?}"),
    }
}

fn to(remote: &str, port: Option<u16>) -> Option<Flow> {
    let protocol = port.map(|_| 17);
    Some(Flow {
        remote: Some(remote.parse().unwrap()),
        protocol,
        remote_port: port,
        ..Flow::default()
    })
}

#[test]
fn orders_do_what_they_say_on_a_bridge() {
    inside("gate::orders_on_a_bridge");
}

#[test]
#[ignore = "runs inside namespaces, started by another test"]
fn orders_on_a_bridge() {
    assert!(is_inside());
    bridge();
    let mut gate = Gate::start(false);
    let (dev, two) = (socket("dev", "10.0.0.7:4000"), socket("two", "10.0.0.8:4000"));
    let (server, other, pot) = (
        socket("rest", "10.0.0.2:5001"),
        socket("rest", "10.0.0.2:5002"),
        socket("rest", "10.0.0.3:9000"),
    );
    assert!(arrives(&dev, &server) && arrives(&two, &server) && arrives(&server, &dev));
    // A whole device, proven, quickly; the other device does not notice.
    let asked = Instant::now();
    let data = proven(&gate.order(device(), Verb::Block { timeout_s: 600 }, None));
    let took_ms = asked.elapsed().as_secs_f64() * 1e3;
    let effective_us = data["effective_after_us"].as_u64().unwrap();
    eprintln!(
        "figure: order to effective block {:.1} ms, with its proof {took_ms:.1} ms",
        effective_us as f64 / 1e3
    );
    assert!(Duration::from_micros(effective_us) < BLOCK_WITHIN, "{data}");
    assert!(!arrives(&dev, &server) && !arrives(&server, &dev) && arrives(&two, &server));
    gate.node.until(|node| {
        node.standing.iter().any(|order| order.why == "incident 7" && order.caught.packets >= 2)
    });
    assert!(matches!(gate.order(device(), Verb::Release, None), Outcome::Done { .. }));
    assert!(arrives(&dev, &server));
    // One service of the far end only.
    proven(&gate.order(device(), Verb::Block { timeout_s: 600 }, to("10.0.0.2", Some(5_001))));
    assert!(!arrives(&dev, &server) && arrives(&dev, &other) && arrives(&two, &server));
    // ... but for what is let through.
    let outcome = gate.order(device(), Verb::Allow { timeout_s: 600 }, to("10.0.0.2", Some(5_001)));
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    assert!(arrives(&dev, &server));
    gate.order(device(), Verb::Undo { order: "o4".into() }, None);
    assert!(!arrives(&dev, &server));
    gate.order(device(), Verb::Release, None);
    // So many a second.
    gate.order(
        device(),
        Verb::RateLimit { timeout_s: 600, packets_s: Some(20), bytes_s: None },
        None,
    );
    (0..400).for_each(|_| sends(&dev, "10.0.0.2:5001"));
    let passed = took(&server);
    assert!((5..60).contains(&passed), "of 400 at once {passed} passed");
    gate.order(device(), Verb::Release, None);
    // Quarantine: only the honeypot's address.
    proven(&gate.order(
        device(),
        Verb::Quarantine { timeout_s: 600, to: vec!["10.0.0.3".parse().unwrap()] },
        None,
    ));
    assert!(!arrives(&dev, &server) && arrives(&dev, &pot) && arrives(&pot, &dev));
    gate.order(device(), Verb::Release, None);
    to_the_honeypot(&mut gate, &dev, &server, &pot);
    // It ends by itself.
    proven(&gate.order(device(), Verb::Block { timeout_s: 1 }, to("10.0.0.2", None)));
    assert!(!arrives(&dev, &server));
    std::thread::sleep(Duration::from_millis(1_200));
    assert!(arrives(&dev, &server));
    gate.node.until(|node| node.standing.is_empty());
    let totals = gate.at_rest();
    assert_eq!(totals.seen.packets, totals.passed.packets + totals.dropped_packets(), "{totals:?}");
    for reason in [Reason::Block, Reason::Rate, Reason::Quarantine] {
        assert!(totals.dropped[&reason].packets > 0, "{totals:?}");
    }
    let devices: u64 = gate.node.counters.values().map(|line| line.dropped_packets).sum();
    assert_eq!(devices, totals.dropped_packets(), "by device as in all: {:?}", gate.node.counters);
    own_address_stays(&mut gate);
}

/// The honeypot gets it, and its answer comes from where the device asked.
fn to_the_honeypot(gate: &mut Gate, dev: &UdpSocket, server: &UdpSocket, pot: &UdpSocket) {
    let verb = Verb::Redirect {
        timeout_s: 600,
        to: "10.0.0.3".parse().unwrap(),
        port: Some(9_000),
        mac: None,
    };
    let outcome = gate.order(device(), verb, to("10.0.0.2", Some(5_001)));
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    sends(dev, "10.0.0.2:5001");
    assert_eq!((took(server), took(pot)), (0, 1));
    pot.send_to(b"welcome", "10.0.0.7:4000").unwrap();
    let (_, from) = dev.recv_from(&mut [0; 64]).unwrap();
    assert_eq!(from.to_string(), "10.0.0.2:5001");
    gate.order(device(), Verb::Release, None);
}

/// By name or by network.
fn own_address_stays(gate: &mut Gate) {
    let gateway = BlockTarget { mac: None, addresses: vec!["10.0.0.1".parse().unwrap()] };
    let nobody = BlockTarget { mac: None, addresses: vec![] };
    for (target, flow) in [(gateway, None), (nobody, to("10.0.0.0/24", None))] {
        let outcome = gate.order(target, Verb::Block { timeout_s: 60 }, flow);
        assert!(
            matches!(&outcome, Outcome::Failed { reason, retry: false } if reason.starts_with("refused: 10.0.0.1")),
            "{outcome:?}"
        );
    }
}

#[test]
fn modes_and_fail_modes_hold_without_the_process() {
    inside("gate::modes_and_kills");
}

#[test]
#[ignore = "runs inside namespaces, started by another test"]
fn modes_and_kills() {
    assert!(is_inside());
    bridge();
    let mut gate = Gate::start(false);
    let (dev, two, server) = (
        socket("dev", "10.0.0.7:4000"),
        socket("two", "10.0.0.8:4000"),
        socket("rest", "10.0.0.2:5001"),
    );
    let policy =
        |version, mode, fail| GatewayPolicy { version, mode, fail, ..GatewayPolicy::default() };
    assert_eq!(gate.policy(policy(1, Mode::Watch, FailMode::Open)), None);
    let outcome = gate.order(device(), Verb::Block { timeout_s: 600 }, None);
    assert!(matches!(outcome, Outcome::NotEnforced { .. }) && arrives(&dev, &server));
    assert_eq!(gate.policy(policy(2, Mode::DryRun, FailMode::Open)), None);
    let outcome = gate.order(device(), Verb::Block { timeout_s: 600 }, None);
    assert!(matches!(outcome, Outcome::NotEnforced { .. }) && arrives(&dev, &server));
    let totals = gate.at_rest();
    assert!(
        totals.would_drop[&Reason::Block].packets > 0 && totals.dropped.is_empty(),
        "{totals:?}"
    );
    assert_eq!(gate.policy(policy(3, Mode::Enforce, FailMode::Open)), None);
    assert!(arrives(&dev, &server), "what was only tried has no effect");
    // Open: the process is killed; what was blocked stays so, all else passes.
    proven(&gate.order(device(), Verb::Block { timeout_s: 600 }, None));
    gate.kill();
    std::thread::sleep(Duration::from_secs(5));
    assert!(!arrives(&dev, &server) && arrives(&two, &server));
    // It comes back with mode, order and reason.
    gate.start_again();
    gate.node.until(|node| {
        node.standing.iter().any(|order| order.why == "incident 7" && order.left_s > 500)
    });
    assert!(!arrives(&dev, &server));
    // Closed: nothing passes once its signs of life have stopped.
    assert_eq!(gate.policy(policy(4, Mode::Enforce, FailMode::Closed)), None);
    assert!(arrives(&two, &server));
    let killed = gate.kill();
    while arrives(&two, &server) {
        assert!(killed.elapsed() < Duration::from_secs(8), "it does not close");
    }
    eprintln!("figure: fails closed {:.1} s after kill -9", killed.elapsed().as_secs_f64());
    assert!(!arrives(&server, &two));
    gate.start_again();
    assert!(arrives(&two, &server), "with the process it opens again");
    let totals = gate.at_rest();
    assert_eq!(totals.seen.packets, totals.passed.packets + totals.dropped_packets(), "{totals:?}");
}

#[test]
fn an_allow_list_stops_what_is_not_on_it() {
    inside("gate::allow_list");
}

#[test]
#[ignore = "runs inside namespaces, started by another test"]
fn allow_list() {
    assert!(is_inside());
    bridge();
    let mut gate = Gate::start(false);
    let (dev, two) = (socket("dev", "10.0.0.7:4000"), socket("two", "10.0.0.8:4000"));
    let (server, other) = (socket("rest", "10.0.0.2:5001"), socket("rest", "10.0.0.2:5002"));
    let entry = |peer: &str, protocol, port| AllowEntry {
        peer: peer.parse().unwrap(),
        protocol,
        port,
        local_port: None,
    };
    let list = AllowList {
        device: DEVICE_MAC.into(),
        entries: vec![
            entry("10.0.0.2", Some(17), Some(5_001)),
            entry("10.0.0.0/24", Some(1), None),
            entry("10.0.0.0/16", Some(1), None),
            entry("2001:db8::/32", None, None),
            entry("192.0.2.0/24", Some(6), Some(443)),
        ],
    };
    let policy = GatewayPolicy { version: 1, allow: vec![list], ..GatewayPolicy::default() };
    assert_eq!(gate.policy(policy.clone()), None);
    assert!(arrives(&dev, &server) && arrives(&server, &dev));
    assert!(!arrives(&dev, &other) && !arrives(&other, &dev));
    assert!(arrives(&two, &other), "who has no list is free");
    gate.at_rest();
    let line = &gate.node.counters[DEVICE_MAC];
    assert_eq!(line.reasons[&Reason::AllowList].packets, 2, "{line:?}");
    assert!(!gate.node.counters[OTHER_MAC].reasons.contains_key(&Reason::AllowList));
    let totals = gate.at_rest();
    assert_eq!(totals.seen.packets, totals.passed.packets + totals.dropped_packets(), "{totals:?}");
    // What the kernel cannot take is said, and the list before still holds.
    let wrong = AllowList { device: "10.0.0.7".into(), entries: vec![] };
    let problem = gate.policy(GatewayPolicy { version: 2, allow: vec![wrong], ..policy });
    assert!(problem.unwrap().contains("MAC address"));
    assert!(!arrives(&dev, &other));
    assert_eq!(gate.policy(GatewayPolicy { version: 3, ..GatewayPolicy::default() }), None);
    assert!(arrives(&dev, &other));
}

#[test]
fn orders_do_what_they_say_at_a_router() {
    inside("gate::orders_at_a_router");
}

#[test]
#[ignore = "runs inside namespaces, started by another test"]
fn orders_at_a_router() {
    assert!(is_inside());
    router();
    let mut gate = Gate::start(true);
    let dev = socket("dev", "10.0.0.7:4000");
    let (server, other, pot) = (
        socket("rest", "10.0.1.2:5001"),
        socket("rest", "10.0.1.2:5002"),
        socket("rest", "10.0.1.3:9000"),
    );
    let device = || BlockTarget { mac: None, addresses: vec!["10.0.0.7".parse().unwrap()] };
    assert!(arrives(&dev, &server) && arrives(&server, &dev));
    let outcome = gate.order(device(), Verb::Block { timeout_s: 600 }, None);
    proven(&outcome);
    assert!(!arrives(&dev, &server) && !arrives(&server, &dev));
    // What a router forwards to nobody cannot be tried: that is said.
    let nowhere = BlockTarget { mac: None, addresses: vec!["10.0.0.9".parse().unwrap()] };
    let outcome = gate.order(nowhere, Verb::Block { timeout_s: 600 }, to("224.0.0.0/4", None));
    assert!(
        matches!(&outcome, Outcome::Done { data, .. } if data["proof"]["by"] == "read_back"),
        "{outcome:?}"
    );
    gate.order(device(), Verb::Release, None);
    proven(&gate.order(device(), Verb::Block { timeout_s: 600 }, to("10.0.1.2", Some(5_001))));
    assert!(!arrives(&dev, &server) && arrives(&dev, &other));
    gate.order(device(), Verb::Release, None);
    // Another port of the device: the kernel follows connections, and the old one goes on.
    let fresh = socket("dev", "10.0.0.7:4001");
    let verb = Verb::Redirect {
        timeout_s: 600,
        to: "10.0.1.3".parse().unwrap(),
        port: Some(9_000),
        mac: None,
    };
    let outcome = gate.order(device(), verb, to("10.0.1.2", Some(5_001)));
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    sends(&fresh, "10.0.1.2:5001");
    assert_eq!((took(&server), took(&pot)), (0, 1));
    pot.send_to(b"welcome", "10.0.0.7:4001").unwrap();
    let (_, from) = fresh.recv_from(&mut [0; 64]).unwrap();
    assert_eq!(from.to_string(), "10.0.1.2:5001");
    gate.order(device(), Verb::Release, None);
    let totals = gate.at_rest();
    assert_eq!(totals.seen.packets, totals.passed.packets + totals.dropped_packets(), "{totals:?}");
    assert_eq!(gate.node.counters["10.0.0.7"].dropped_packets, totals.dropped_packets());
}

#[test]
fn the_table_costs_passing_packets_little() {
    inside("gate::added_latency");
}

/// Round trips through the bridge, nanoseconds, sorted.
pub(crate) fn round_trips(dev: &UdpSocket, server: &UdpSocket) -> Vec<u128> {
    let mut buffer = [0; 64];
    let mut times: Vec<u128> = (0..4_000)
        .map(|_| {
            let begun = Instant::now();
            sends(dev, "10.0.0.2:5001");
            let (_, from) = server.recv_from(&mut buffer).unwrap();
            server.send_to(b"back", from).unwrap();
            dev.recv_from(&mut buffer).unwrap();
            begun.elapsed().as_nanos()
        })
        .collect();
    times.sort_unstable();
    times
}

#[test]
#[ignore = "runs inside namespaces, started by another test"]
fn added_latency() {
    assert!(is_inside());
    bridge();
    let (dev, server) = (socket("dev", "10.0.0.7:4000"), socket("rest", "10.0.0.2:5001"));
    round_trips(&dev, &server);
    let without = round_trips(&dev, &server)[2_000];
    let mut gate = Gate::start(false);
    for number in 0..64_u32 {
        let mac = format!("02:00:00:00:01:{number:02x}");
        gate.order(
            BlockTarget { mac: Some(mac), addresses: vec![] },
            Verb::Block { timeout_s: 600 },
            None,
        );
    }
    let entries = (0..200_u8).map(|last| AllowEntry {
        peer: format!("10.0.0.{last}").parse().unwrap(),
        protocol: Some(17),
        port: Some(5_001),
        local_port: None,
    });
    let list = AllowList { device: DEVICE_MAC.into(), entries: entries.collect() };
    assert_eq!(
        gate.policy(GatewayPolicy { version: 1, allow: vec![list], ..GatewayPolicy::default() }),
        None
    );
    round_trips(&dev, &server);
    let with = round_trips(&dev, &server)[2_000];
    // A round trip passes the gateway twice.
    let added_us = (with as f64 - without as f64) / 2e3;
    eprintln!(
        "figure: added latency of a passed packet {added_us:.1} us at the median (round trip {:.1} us without, {:.1} us with)",
        without as f64 / 1e3,
        with as f64 / 1e3
    );
    assert!(added_us < 50.0, "{added_us} us");
}
