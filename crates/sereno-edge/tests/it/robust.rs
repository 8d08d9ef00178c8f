//! What a probe does when it is killed, when its interface goes away, when it lacks a right, and when
//! exporters of flows misbehave.

use std::ffi::OsStr;
use std::io::Write;
use std::net::UdpSocket;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use analytics::record::WindowRecord;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use protocols::capture::{CaptureWriter, WriterOptions};
use serde_json::Value;

use crate::node::Node;
use crate::probe::{PROBE, namespaces, probe_folder};

/// Captures of the folder, and frames in each.
const CAPTURES: i64 = 40;
const FRAMES: i64 = 3_000;

/// A datagram from one of eight devices to a server.
fn frame(number: i64) -> Vec<u8> {
    let device = 1 + (number * 7 % 8) as u8;
    let mut bytes =
        vec![2, 0, 0, 0, 0, 100, 2, 0, 0, 0, 0, device, 8, 0, 0x45, 0, 0, 46, 0, 0, 0x40, 0];
    bytes.extend([64, 17, 0, 0, 192, 168, 1, device, 192, 168, 1, 100]);
    bytes.extend([0x9c, 0x40, (number % 5) as u8, 53, 0, 26, 0, 0]);
    bytes.resize(60, number as u8);
    bytes
}

/// Captures as a sensor rotates them, some packed: a frame every 50 ms of packet time.
fn write_captures(folder: &Path) {
    for capture in 0..CAPTURES {
        let mut writer = CaptureWriter::new(Vec::new(), WriterOptions::default()).unwrap();
        for number in capture * FRAMES..(capture + 1) * FRAMES {
            writer
                .write(1_700_000_000_000_000_000 + number * 50_000_000, &frame(number), 60)
                .unwrap();
        }
        let plain = writer.finish().unwrap();
        let path = folder.join(format!("{capture:03}.pcap"));
        if capture % 3 == 2 && zstd(&plain, &path.with_extension("pcap.zst")) {
            // Packed by the real program, where it is installed.
        } else if capture % 3 == 1 {
            let file = std::fs::File::create(path.with_extension("pcap.gz")).unwrap();
            let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
            encoder.write_all(&plain).unwrap();
            encoder.finish().unwrap();
        } else {
            std::fs::write(path, plain).unwrap();
        }
        // The order of reading is the order of change.
        let made = std::time::UNIX_EPOCH + Duration::from_secs(1_700_000_000 + capture as u64);
        for ending in ["pcap", "pcap.gz", "pcap.zst"] {
            if let Ok(file) = std::fs::File::open(folder.join(format!("{capture:03}.{ending}"))) {
                file.set_modified(made).unwrap();
            }
        }
    }
}

fn zstd(plain: &[u8], to: &Path) -> bool {
    let child = Command::new("zstd").args(["-q", "-o"]).arg(to).stdin(Stdio::piped()).spawn();
    let Ok(mut child) = child else { return false };
    child.stdin.take().unwrap().write_all(plain).unwrap();
    child.wait().unwrap().success()
}

/// A window without what was said in messages: a conversation that began in a capture read before the
/// kill is recognised anew after it.
fn record(line: &str) -> WindowRecord {
    WindowRecord { talk: None, ..serde_json::from_str(line).unwrap() }
}

/// Lets a probe run into a file until it has written so much more, then ends it; false when it ended
/// before.
fn end_after(probe: &mut Child, out: &Path, more: u64, signal: Signal) -> bool {
    let size = || std::fs::metadata(out).map_or(0, |metadata| metadata.len());
    let start = size();
    while size() < start + more {
        if let Some(status) = probe.try_wait().unwrap() {
            assert!(status.success());
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    kill(Pid::from_raw(probe.id() as i32), signal).unwrap();
    probe.wait().unwrap();
    true
}

#[test]
fn a_probe_killed_in_the_middle_of_a_folder_tells_every_window_once() {
    let folder = tempfile::tempdir().unwrap();
    write_captures(folder.path());
    let (summary, expected) = probe_folder(folder.path(), &[]);
    assert_eq!(summary["folder"]["frames"], CAPTURES * FRAMES);
    assert!(expected.len() > 4_000, "{}", expected.len());
    let place = tempfile::tempdir().unwrap();
    let (state, out) = (place.path().join("state.json"), place.path().join("out.jsonl"));
    let mut kills = 0;
    loop {
        let mut probe = Command::new(PROBE)
            .args(["probe", "--settle", "0", "--once", "--folder"])
            .arg(folder.path())
            .arg("--state")
            .arg(&state)
            .arg("--out")
            .arg(&out)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Asked to end, it ends in good order: that must not tell half a window either.
        let signal = if kills % 3 == 2 { Signal::SIGTERM } else { Signal::SIGKILL };
        // Not a divisor of anything: the kills come in different states.
        if !end_after(&mut probe, &out, 200_003, signal) {
            break;
        }
        kills += 1;
    }
    eprintln!("ended {kills} times");
    assert!(kills >= 3, "ended only {kills} times");
    let written = std::fs::read_to_string(&out).unwrap();
    let told: Vec<WindowRecord> = written.lines().map(record).collect();
    let expected: Vec<WindowRecord> = expected.iter().map(|line| record(line)).collect();
    assert_eq!(told.len(), expected.len());
    assert!(told == expected, "other windows than without kills");
}

#[test]
fn a_node_hears_of_every_window_once_from_a_probe_that_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    write_captures(folder.path());
    let (_, expected) = probe_folder(folder.path(), &[]);
    std::fs::remove_file(folder.path().join("windows.jsonl")).unwrap();
    let expected: Vec<WindowRecord> = expected.iter().map(|line| record(line)).collect();
    let mut node = Node::new();
    let state = node.folder.path().join("state.json");
    let arguments = ["--settle", "0", "--once", "--folder"].map(OsStr::new);
    let arguments =
        [&arguments[..], &[folder.path().as_os_str(), OsStr::new("--state"), state.as_os_str()]]
            .concat();
    let mut epoch = 0;
    for part in 1..=4 {
        let probe = node.start_probe(&arguments);
        let enough = expected.len() * part / 5;
        node.until(|node| node.records.len() >= enough);
        if part == 1 {
            // Before anything is noted, a restart rightly begins anew.
            node.until(|_| state.exists());
            epoch = node.epoch;
        }
        // Dropping kills; what it had said and what was acknowledged may differ.
        drop(probe);
        node.die();
    }
    let mut probe = node.start_probe(&arguments);
    let mut heard = false;
    node.until(|node| {
        heard |= node.is_connected();
        let gone = heard && !node.is_connected();
        // It ends by itself, whether or not anything is missing.
        node.records.len() >= expected.len() || (gone && probe.wait().success())
    });
    assert!(probe.wait().success());
    assert_eq!(node.epoch, epoch, "a restart goes on where the one before was killed");
    assert_eq!(node.records.len(), expected.len());
    let told = node.records.iter().map(|told| WindowRecord { talk: None, ..told.clone() });
    assert!(told.eq(expected), "other windows than without kills");
}

/// Runs in a namespace of its own. `again` waits until the probe has said so often that it captures
/// again.
const AWAY: &str = r#"
set -e
wires() {
    ip link add dev left address 02:00:00:00:00:0a type veth peer name right address 02:00:00:00:00:0b
    ip addr add 10.9.0.1/24 dev left
    ip link set left up; ip link set right up
    ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:0b dev left nud permanent
}
said() { while [ "$(grep -c "$1" "$LOG")" -lt "$2" ]; do sleep 0.05; done; }
send() { "$SENDER" --ignored --exact probe::send_frames --nocapture >/dev/null; sleep 0.1; }
wires
"$PROBE" probe --interface right --filter "udp dst port 9999" --ring 8 --count >"$OUT" 2>"$LOG" &
probe=$!
sleep 1
send
ip link set right down
said "nothing is captured" 1
ip link set right up
said "capturing again" 1
send
ip link del left
said "nothing is captured" 2
wires
said "capturing again" 2
send
kill -TERM $probe
wait $probe
"#;

#[test]
fn an_interface_that_goes_away_is_waited_for() {
    if !namespaces() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (out, log) = (folder.path().join("out.json"), folder.path().join("log"));
    std::fs::write(&log, b"").unwrap();
    let status = Command::new("unshare")
        .args(["-rn", "bash", "-c", AWAY])
        .env("PROBE", PROBE)
        .env("OUT", &out)
        .env("LOG", &log)
        .env("SENDER", std::env::current_exe().unwrap())
        .env("SERENO_TEST_FRAMES", "1000")
        .env("SERENO_LOG", "info")
        .status()
        .unwrap();
    assert!(status.success(), "{}", std::fs::read_to_string(&log).unwrap());
    let summary: Value = serde_json::from_slice(&std::fs::read(out).unwrap()).unwrap();
    let capture = &summary["capture"];
    assert_eq!(
        (&capture["interruptions"], &capture["seen"]),
        (&2.into(), &3_000.into()),
        "{capture}"
    );
    assert_eq!((&capture["passed"], &capture["dropped"]), (&3_000.into(), &0.into()), "{capture}");
}

#[test]
fn a_missing_capability_is_named_with_its_remedy() {
    let without = ["--inh-caps=-all", "--bounding-set=-all", "--reuid=65534", "--clear-groups"];
    let mut command = if nix::unistd::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(without).arg(PROBE);
        command
    } else {
        Command::new(PROBE)
    };
    let Ok(output) =
        command.args(["probe", "--interface", "lo", "--count", "--last", "1"]).output()
    else {
        eprintln!("skipped: setpriv is not installed");
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    if said.contains("failed to execute") {
        eprintln!("skipped: others may not start the program here");
        return;
    }
    assert_eq!(output.status.code(), Some(3), "{said}");
    for words in ["CAP_NET_RAW", "setcap cap_net_raw+ep", "AmbientCapabilities=CAP_NET_RAW"] {
        assert!(said.contains(words), "{said}");
    }
}

/// An IPFIX datagram of one set.
fn ipfix(sequence: u32, set: u16, body: &[u8]) -> Vec<u8> {
    let mut datagram = vec![0, 10];
    datagram.extend((20 + body.len() as u16).to_be_bytes());
    for word in [1_700_000_000_u32, sequence, 5] {
        datagram.extend(word.to_be_bytes());
    }
    datagram.extend(set.to_be_bytes());
    datagram.extend((4 + body.len() as u16).to_be_bytes());
    datagram.extend(body);
    datagram
}

#[test]
fn exporters_that_misbehave_are_counted() {
    let listen = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let probe = Command::new(PROBE)
        .args(["probe", "--count", "--netflow", &listen.to_string()])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(listen).unwrap();
    // Until somebody listens, the second datagram meets the refusal of the first.
    let mut heard = 0;
    loop {
        let first = socket.send(&[0, 77]).is_ok();
        std::thread::sleep(Duration::from_millis(50));
        if first && socket.send(&[0, 77]).is_ok() {
            break;
        }
    }
    let mut say = |datagram: &[u8]| {
        heard += 1;
        socket.send(datagram).unwrap();
        // The queue of a socket is short.
        std::thread::sleep(Duration::from_millis(1));
    };
    let record = [10, 0, 0, 1, 10, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 180];
    let template: Vec<u8> =
        [256_u16, 4, 8, 4, 12, 4, 2, 4, 1, 4].iter().flat_map(|word| word.to_be_bytes()).collect();
    say(&ipfix(9_000, 256, &record));
    say(&ipfix(9_000, 2, &template));
    say(&ipfix(9_000, 256, &record));
    say(&ipfix(9_004, 256, &record));
    say(&[0, 10, 0xff, 0xff, 0]);
    // The exporter starts again and does not tell its template.
    say(&ipfix(0, 256, &record));
    // A flood of templates, each of another number: 600 of one exporter.
    for id in 1_000_u16..1_600 {
        let template: Vec<u8> = [id, 1, 8, 4].iter().flat_map(|word| word.to_be_bytes()).collect();
        say(&ipfix(0, 2, &template));
    }
    kill(Pid::from_raw(probe.id() as i32), Signal::SIGTERM).unwrap();
    let output = probe.wait_with_output().unwrap();
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    let flows = &summary["flows"];
    let count = |name: &str| flows[name].as_u64().unwrap();
    assert!(count("datagrams") >= heard + 2, "{flows}");
    assert_eq!((count("flows"), count("lost"), count("restarts")), (2, 3, 1), "{flows}");
    assert_eq!(count("without_template"), 2, "{flows}");
    assert_eq!(count("templates_refused"), 600 - 512, "{flows}");
    assert!(count("malformed") >= 3, "{flows}");
}
