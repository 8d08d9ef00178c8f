use std::io::Read;
use std::process::Command;

use analytics::host::Host;
use analytics::record::WindowRecord;
use analytics::windows::{WindowConfig, Windower};
use model::Outcome;
use ports::edge::{FromEdge, ReplayControl, Source, Verb};
use protocols::capture::CaptureReader;
use protocols::flow::Tracker;
use protocols::packet;

use crate::node::{MAC, Node, captures};

/// Fast enough for a test, slow enough that the capture passes in steps.
const FAST: &str = "20000";

/// The windows computed straight from the files, without gateway, time or network.
fn expected() -> Vec<WindowRecord> {
    let mut windower = Windower::new(WindowConfig::default()).unwrap();
    let mut tracker = Tracker::default();
    for path in captures().unwrap() {
        let mut bytes = Vec::new();
        let file = std::fs::File::open(path).unwrap();
        flate2::read::MultiGzDecoder::new(file).read_to_end(&mut bytes).unwrap();
        for frame in CaptureReader::new(&bytes) {
            let frame = frame.unwrap();
            let view = packet::decode(frame.link, frame.captured, frame.wire_len).unwrap();
            windower.push(frame.ts_ns, &view);
            tracker.push(frame.ts_ns, &view, &mut |sighting| windower.hear(sighting));
        }
    }
    windower.finish();
    let device = Host::mac(analytics::host::parse_mac(MAC).unwrap());
    windower.take_ready().into_iter().filter(|record| record.mac == Some(device)).collect()
}

/// False, with a word about it, where the captures are not there.
fn data() -> bool {
    let there = captures().is_some();
    if !there {
        eprintln!("skipped: the hakai capture is not there (SERENO_TEST_DATA)");
    }
    there
}

/// False, with a word about it, where this machine allows no lab.
fn lab() -> bool {
    if !data() {
        return false;
    }
    let check =
        Command::new(env!("CARGO_BIN_EXE_sereno-edge")).args(["check", "--json"]).output().unwrap();
    let report: serde_json::Value = serde_json::from_slice(&check.stdout).unwrap();
    let enforces = report["enforces"] == true;
    assert_eq!(check.status.success(), enforces);
    if !enforces {
        eprintln!("skipped: no lab on this machine: {}", report["capabilities"]);
    }
    enforces
}

fn assert_same(node: &Node) {
    let expected = expected();
    assert!(!expected.is_empty());
    for (got, expected) in node.records.iter().zip(&expected) {
        assert_eq!(got, expected);
    }
    assert_eq!(node.records.len(), expected.len());
}

fn children(of: u32) -> Vec<u32> {
    std::fs::read_to_string(format!("/proc/{of}/task/{of}/children"))
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|id| id.parse().ok())
        .collect()
}

fn alive(id: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn windows_through_the_gateway_equal_those_from_the_file_even_when_the_node_dies() {
    if !lab() {
        return;
    }
    let mut node = Node::new();
    let _edge = node.start(&["lab", "--speed", FAST]);
    // Dies with batches taken and not acknowledged, and with batches on the way.
    node.acks = false;
    node.until(|node| node.last_seq >= Some(3));
    node.die();
    node.until(|node| node.last_seq >= Some(6));
    node.acks = true;
    node.die();
    node.until(|node| node.state.sent > node.state.total / 2);
    node.die();
    node.until(|node| node.state.finished && node.records.len() >= expected().len());
    assert!(node.repeated == 0 || node.repeated < 50, "{}", node.repeated);
    assert!(
        matches!(
            &node.hello,
            Some(FromEdge::Hello {
                not_enforcing: None,
                source: Source::Replay { through_gateway: true, .. },
                ..
            })
        ),
        "{:?}",
        node.hello
    );
    assert_eq!(node.capture_dropped, 0);
    assert_eq!(node.state.sent, node.state.total);
    assert_same(&node);
}

#[test]
fn a_block_stops_the_device_and_a_release_lets_it_pass_again() {
    if !lab() {
        return;
    }
    let mut node = Node::new();
    let mut edge = node.start(&["lab", "--speed", "2000"]);
    node.until(|node| node.device().is_some_and(|device| device.forwarded_packets > 500));
    node.order("b1", Verb::Block { timeout_s: 600 });
    node.until(|node| node.done.contains_key("b1"));
    let Outcome::Done { data, .. } = &node.done["b1"] else { panic!("{:?}", node.done) };
    let before = data["forwarded_before"].as_u64().unwrap();
    // Read right after the block took hold, so a few frames may already have been dropped.
    let dropped = data["dropped_before"].as_u64().unwrap();
    let sent = node.state.sent;
    node.until(|node| node.state.sent > sent + 1_000);
    node.until(|node| node.device().unwrap().dropped_packets > dropped + 500);
    let device = node.device().unwrap().clone();
    assert!(device.blocked);
    assert_eq!(device.forwarded_packets, before, "nothing passes while blocked");
    // The same key again is answered and changes nothing.
    node.done.clear();
    node.order("b1", Verb::Block { timeout_s: 600 });
    node.until(|node| node.done.contains_key("b1"));
    node.order("r1", Verb::Release);
    node.until(|node| node.done.contains_key("r1"));
    assert!(matches!(node.done["r1"], Outcome::Done { .. }));
    node.until(|node| {
        node.device()
            .is_some_and(|device| !device.blocked && device.forwarded_packets > before + 200)
    });
    // A block lifts by itself after its seconds.
    node.order("b2", Verb::Block { timeout_s: 1 });
    node.until(|node| node.done.contains_key("b2"));
    node.until(|node| node.device().is_some_and(|device| device.blocked));
    node.until(|node| node.device().is_some_and(|device| !device.blocked));
    // A restart lifts blocks and begins a new epoch.
    node.order("b3", Verb::Block { timeout_s: 600 });
    node.until(|node| node.done.contains_key("b3"));
    let epoch = node.state.epoch;
    node.control(ReplayControl::Restart);
    node.until(|node| {
        node.state.epoch > epoch && node.device().is_some_and(|device| !device.blocked)
    });
    // The end leaves nothing behind.
    let gateways = children(edge.id());
    assert_eq!(gateways.len(), 1);
    let id = nix::unistd::Pid::from_raw(edge.id() as i32);
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGTERM).unwrap();
    assert!(edge.wait().success());
    assert!(!alive(gateways[0]));
}

#[test]
fn a_killed_lab_takes_its_gateway_with_it() {
    if !lab() {
        return;
    }
    let mut node = Node::new();
    let mut edge = node.start(&["lab", "--speed", FAST]);
    node.until(|node| node.state.sent > 100);
    let gateways = children(edge.id());
    assert_eq!(gateways.len(), 1);
    let id = nix::unistd::Pid::from_raw(edge.id() as i32);
    nix::sys::signal::kill(id, nix::sys::signal::Signal::SIGKILL).unwrap();
    edge.wait();
    while alive(gateways[0]) {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn pause_and_speed_are_obeyed() {
    if !data() {
        return;
    }
    let mut node = Node::new();
    let _edge = node.start(&["lab", "--speed", "2000", "--force-file", "as the test wishes"]);
    node.until(|node| node.state.sent > 50);
    node.control(ReplayControl::Pause);
    node.until(|node| node.state.paused);
    let stood = node.state.clone();
    let mut heard = 0;
    node.until(|_| {
        heard += 1;
        heard > 40
    });
    assert_eq!((node.state.sent, node.state.at), (stood.sent, stood.at));
    node.control(ReplayControl::Speed { factor: 100_000.0 });
    node.control(ReplayControl::Resume);
    node.until(|node| node.state.finished);
    assert!((node.state.speed - 100_000.0).abs() < 1e-9);
}

#[test]
fn from_the_file_the_windows_are_the_same_and_orders_say_they_are_not_enforced() {
    if !data() {
        return;
    }
    for arguments in [
        &["lab", "--speed", "100000", "--force-file", "as the test wishes"][..],
        &["gateway", "--file", "--speed", "100000", "--reason", "as the test wishes"][..],
    ] {
        let mut node = Node::new();
        let _edge = node.start(arguments);
        node.until(|node| node.hello.is_some());
        assert!(
            matches!(&node.hello, Some(FromEdge::Hello { not_enforcing: Some(why), source: Source::Replay { through_gateway: false, .. }, .. }) if why == "as the test wishes"),
            "{:?}",
            node.hello
        );
        node.order("b1", Verb::Block { timeout_s: 600 });
        node.until(|node| node.done.contains_key("b1"));
        assert!(
            matches!(&node.done["b1"], Outcome::NotEnforced { reason, .. } if reason == "as the test wishes")
        );
        node.until(|node| node.state.finished && node.records.len() >= expected().len());
        assert!(node.counters.is_empty(), "nothing was forwarded, so nothing is counted");
        assert_same(&node);
    }
}

#[test]
fn a_full_outbox_holds_the_replay_and_loses_nothing() {
    if !data() {
        return;
    }
    let mut node = Node::new();
    node.acks = false;
    let _edge = node.start(&["lab", "--speed", "100000", "--force-file", "as the test wishes"]);
    // Nothing is acknowledged: the source comes to a stand by itself, long before its end.
    let mut still = (0, 0);
    node.until(|node| {
        still =
            if still.0 == node.state.sent { (still.0, still.1 + 1) } else { (node.state.sent, 0) };
        node.state.finished || (node.state.sent > 0 && still.1 > 40)
    });
    node.acks = true;
    node.die();
    node.until(|node| node.state.finished && node.records.len() >= expected().len());
    assert_same(&node);
}
