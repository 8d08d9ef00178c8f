//! The probe: an interface in a namespace of its own, and folders of rotated captures.

use std::net::UdpSocket;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::node::captures;

pub(crate) const PROBE: &str = env!("CARGO_BIN_EXE_sereno-edge");
/// Frames of the exactness test; the speed is measured by `make bench`.
const FRAMES: u32 = 60_000;

/// Runs in a network namespace of its own: `right` is watched, frames are sent into `left`.
const SCRIPT: &str = r#"
set -e
ip link add dev left address 02:00:00:00:00:0a type veth peer name right address 02:00:00:00:00:0b
ip addr add 10.9.0.1/24 dev left
ip link set left up; ip link set right up
ip neigh add 10.9.0.2 lladdr 02:00:00:00:00:0b dev left nud permanent
"$PROBE" probe --interface right --filter "udp dst port 9999" --ring "$RING" --count >"$OUT" &
probe=$!
sleep 1
if [ -n "$STALL" ]; then kill -STOP $probe; fi
"$SENDER" --ignored --exact probe::send_frames --nocapture >/dev/null
kill -CONT $probe
sleep 1
kill -TERM $probe
wait $probe
"#;

/// False, with a word about it, where this machine allows no namespaces.
pub(crate) fn namespaces() -> bool {
    let there = Command::new("unshare")
        .args(["-rn", "ip", "link", "add", "dev", "left", "type", "veth", "peer", "name", "right"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !there {
        eprintln!("skipped: no network namespaces here (unshare, iproute2)");
    }
    there
}

fn watch_flood(frames: u32, ring_mib: u32, stall: bool) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.json");
    let status = Command::new("unshare")
        .args(["-rn", "bash", "-c", SCRIPT])
        .env("PROBE", PROBE)
        .env("RING", ring_mib.to_string())
        .env("STALL", if stall { "yes" } else { "" })
        .env("OUT", &out)
        .env("SENDER", std::env::current_exe().unwrap())
        .env("SERENO_TEST_FRAMES", frames.to_string())
        .env("SERENO_LOG", "warn")
        .status()
        .unwrap();
    assert!(status.success());
    serde_json::from_slice(&std::fs::read(out).unwrap()).unwrap()
}

/// Not a test: the sender of the others, started inside their namespace.
#[test]
#[ignore = "the sender of the probe's tests"]
fn send_frames() {
    let Ok(frames) = std::env::var("SERENO_TEST_FRAMES") else { return };
    let socket = UdpSocket::bind("10.9.0.1:0").unwrap();
    socket.connect("10.9.0.2:9999").unwrap();
    for _ in 0..frames.parse::<u32>().unwrap() {
        socket.send(&[0; 18]).unwrap();
    }
}

#[test]
fn every_frame_is_seen_or_counted_as_dropped() {
    if !namespaces() {
        return;
    }
    for (ring_mib, stall) in [(64, false), (2, true)] {
        let summary = watch_flood(FRAMES, ring_mib, stall);
        let capture = &summary["capture"];
        let count = |name: &str| capture[name].as_u64().unwrap();
        eprintln!("ring of {ring_mib} MiB: {capture}");
        assert_eq!(count("passed"), u64::from(FRAMES), "the filter let others through");
        assert_eq!(count("seen") + count("dropped"), u64::from(FRAMES));
        assert_eq!(summary["watch"]["frames"], count("seen"));
        assert_eq!(count("interface_dropped"), 0);
        assert_eq!(count("dropped") > 0, stall, "a stopped reader with a small ring must lose");
    }
}

pub(crate) fn probe_folder(folder: &Path, more: &[&str]) -> (Value, Vec<String>) {
    let out = folder.join("windows.jsonl");
    let output = Command::new(PROBE)
        .args(["probe", "--settle", "0", "--once", "--folder"])
        .arg(folder)
        .arg("--out")
        .arg(&out)
        .args(more)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = std::fs::read_to_string(&out).unwrap();
    (serde_json::from_slice(&output.stdout).unwrap(), lines.lines().map(str::to_owned).collect())
}

#[test]
fn rotated_captures_are_read_once_in_order_and_damage_is_counted() {
    let Some([train, test]) = captures() else {
        eprintln!("skipped: the hakai capture is not there (SERENO_TEST_DATA)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("done.json");
    let keep = ["--state", state.to_str().unwrap()];
    std::fs::copy(train, folder.path().join("1.pcap.gz")).unwrap();
    let (first, windows) = probe_folder(folder.path(), &keep);
    assert_eq!(first["folder"]["frames"], 431);
    assert!(windows.len() > 100, "{}", windows.len());
    std::fs::write(folder.path().join("2.pcap"), b"no capture at all").unwrap();
    std::fs::copy(test, folder.path().join("3.pcap.gz")).unwrap();
    let before = windows.len();
    let (second, windows) = probe_folder(folder.path(), &keep);
    assert_eq!(second["folder"]["files"], 2, "the first file was read again: {second}");
    assert_eq!(second["folder"]["damaged"], 1);
    assert_eq!(second["folder"]["frames"], 23_192);
    assert!(windows.len() > before + 1_000, "the windows of before are gone");
    let (third, windows_after) = probe_folder(folder.path(), &keep);
    assert_eq!((third["folder"]["frames"].as_u64(), windows_after), (Some(0), windows));
    let (filtered, _) = probe_folder(folder.path(), &["--filter", "udp port 123"]);
    assert!(filtered["watch"]["frames"].as_u64().unwrap() < 23_623, "{filtered}");
}

/// The filter decides as tcpdump does, frame by frame counted.
#[test]
fn filters_agree_with_tcpdump() {
    let Some([train, test]) = captures() else {
        eprintln!("skipped: the hakai capture is not there (SERENO_TEST_DATA)");
        return;
    };
    if Command::new("tcpdump").arg("--version").output().is_err() {
        eprintln!("skipped: tcpdump is not installed");
        return;
    }
    for capture in [train, test] {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("one.pcap");
        let packed = std::fs::File::open(&capture).unwrap();
        let mut unpacked = std::fs::File::create(&plain).unwrap();
        std::io::copy(&mut flate2::read::MultiGzDecoder::new(packed), &mut unpacked).unwrap();
        for expression in [
            "tcp",
            "udp port 123",
            "arp",
            "not tcp and not udp",
            "host 192.168.100.113",
            "src host 192.168.100.113 and tcp dst port 50",
            "net 128.185.0.0/16 or net 178.128.0.0/16",
            "tcp or udp and portrange 100-200",
            "ether src b8:27:eb:7d:6b:a6 and (icmp or arp or port 53)",
            "less 64 and ip",
            "ip6 or greater 200",
        ] {
            let theirs = Command::new("tcpdump")
                .args(["-nn", "-r"])
                .arg(&plain)
                .arg(expression)
                .output()
                .unwrap();
            let theirs = theirs.stdout.iter().filter(|byte| **byte == b'\n').count() as u64;
            let (ours, _) = probe_folder(folder.path(), &["--filter", expression]);
            assert_eq!(ours["watch"]["frames"].as_u64(), Some(theirs), "{expression}");
            std::fs::remove_file(folder.path().join("windows.jsonl")).unwrap();
        }
    }
}

#[test]
fn bad_use_is_told_with_place_and_remedy() {
    for (arguments, words) in [
        (&["--interface", "no-such", "--count"][..], "no interface no-such here; there are: lo"),
        (&["--folder", "/no/such", "--count"], "/no/such"),
        (&["--interface", "lo", "--count", "--filter", "tcp port x"], "character 10"),
        (&["--count"], "--interface"),
        (&["--interface", "lo"], "--socket"),
    ] {
        let output = Command::new(PROBE).arg("probe").args(arguments).output().unwrap();
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}

/// What `tcpdump -r … 'ip host 192.168.100.113'` counts in the test part of hakai; ARP is no flow.
const INTERNET_PACKETS: u64 = 16_477;

/// A real exporter reads the capture and tells its flows; every packet of the device is counted.
#[test]
fn flow_export_of_softflowd_is_understood() {
    let Some([_, capture]) = captures() else {
        eprintln!("skipped: the hakai capture is not there (SERENO_TEST_DATA)");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let plain = folder.path().join("test.pcap");
    let packed = std::fs::File::open(&capture).unwrap();
    let mut unpacked = std::fs::File::create(&plain).unwrap();
    std::io::copy(&mut flate2::read::MultiGzDecoder::new(packed), &mut unpacked).unwrap();
    for version in ["5", "9", "10"] {
        let listen = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let out = folder.path().join("windows.jsonl");
        let probe = Command::new(PROBE)
            .args(["probe", "--netflow", &listen, "--lateness", "3600", "--last", "4", "--out"])
            .arg(&out)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        std::thread::sleep(std::time::Duration::from_millis(500));
        let exporter = Command::new("softflowd")
            .args(["-n", &listen, "-v", version, "-d", "-p"])
            .arg(folder.path().join("pid"))
            .arg("-r")
            .arg(&plain)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        let output = probe.wait_with_output().unwrap();
        if exporter.is_err() {
            eprintln!("skipped: softflowd is not installed");
            return;
        }
        let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        let flows = &summary["flows"];
        eprintln!("version {version}: {flows}");
        assert_eq!(flows["malformed"], 0);
        assert!(flows["flows"].as_u64().unwrap() > 100, "{flows}");
        let lines = std::fs::read_to_string(&out).unwrap();
        let packets: u64 = lines
            .lines()
            .map(|line| serde_json::from_str::<analytics::record::WindowRecord>(line).unwrap())
            .filter(|record| record.device.to_string() == "192.168.100.113")
            .map(|record| record.packets())
            .sum();
        eprintln!("version {version}: {packets} packets in windows");
        assert_eq!(packets, INTERNET_PACKETS);
    }
}
