//! Training and scoring of capture files, good and bad.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::io::Write;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use analytics::train::TrainOptions;
use detection::offline::eval::{CompareRequest, Side, compare};
use detection::offline::{OfflineError, ScoreSummary, TrainRequest, score, train};
use flate2::Compression;
use flate2::write::GzEncoder;
use protocols::capture::{CaptureWriter, WriterOptions};
use serde_json::Value;
use tempfile::TempDir;

const SECOND_NS: i64 = 1_000_000_000;
const START_NS: i64 = 1_600_000_000 * SECOND_NS;
const DEVICE: Ipv4Addr = Ipv4Addr::new(192, 168, 5, 7);
const SYN: u8 = 0x02;
const UDP: u8 = 17;
const TCP: u8 = 6;

/// An Ethernet frame with an IPv4 packet; checksums are not looked at.
fn frame(src: Ipv4Addr, dst: Ipv4Addr, protocol: u8, ports: (u16, u16), payload: usize) -> Vec<u8> {
    let header = if protocol == TCP { 20 } else { 8 };
    let total = (20 + header + payload) as u16;
    let mut bytes = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0];
    bytes.extend(total.to_be_bytes());
    bytes.extend([0, 0, 0, 0, 64, protocol, 0, 0]);
    bytes.extend(src.octets());
    bytes.extend(dst.octets());
    bytes.extend(ports.0.to_be_bytes());
    bytes.extend(ports.1.to_be_bytes());
    if protocol == TCP {
        bytes.extend([0, 0, 0, 1, 0, 0, 0, 0, 0x50, SYN, 4, 0, 0, 0, 0, 0]);
    } else {
        bytes.extend(((8 + payload) as u16).to_be_bytes());
        bytes.extend([0, 0]);
    }
    bytes.resize(bytes.len() + payload, 0x55);
    bytes
}

type Packets = Vec<(i64, Vec<u8>)>;

/// A device that asks its name server every five seconds, a little unevenly.
fn benign(start_ns: i64, seconds: i64) -> Packets {
    let server = Ipv4Addr::new(192, 168, 5, 1);
    (0..seconds / 5)
        .flat_map(|turn| {
            let at = start_ns + turn * 5 * SECOND_NS;
            let size = 40 + (turn % 7) as usize * 3;
            [
                (at, frame(DEVICE, server, UDP, (40_000, 53), size)),
                (at + 1_000_000, frame(server, DEVICE, UDP, (53, 40_000), 2 * size)),
            ]
        })
        .collect()
}

/// Connection attempts to one unknown host, two a second.
fn attack(start_ns: i64, seconds: i64) -> Packets {
    let host = Ipv4Addr::new(203, 0, 113, 66);
    (0..2 * seconds)
        .map(|turn| (start_ns + turn * SECOND_NS / 2, frame(DEVICE, host, TCP, (50_000, 50), 0)))
        .collect()
}

struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn capture(&self, name: &str, mut packets: Packets) -> PathBuf {
        packets.sort_by_key(|packet| packet.0);
        self.capture_as_given(name, &packets)
    }

    fn capture_as_given(&self, name: &str, packets: &Packets) -> PathBuf {
        let mut writer = CaptureWriter::new(Vec::new(), WriterOptions::default()).unwrap();
        for (ts_ns, bytes) in packets {
            writer.write(*ts_ns, bytes, bytes.len() as u32).unwrap();
        }
        self.file(name, &writer.finish().unwrap())
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn train(&self, captures: &[PathBuf], seed: u64) -> Result<PathBuf, OfflineError> {
        let mut request = TrainRequest::new(captures.to_vec());
        request.options.seed = seed;
        let model = self.path(&format!("{seed}.model"));
        train(&request, &model, |_| {})?;
        Ok(model)
    }

    fn score(
        &self,
        model: &Path,
        capture: &Path,
    ) -> Result<(ScoreSummary, Vec<Value>), OfflineError> {
        let out = self.path("out.jsonl");
        let summary = score(model, capture, &out, |_| {})?;
        let text = std::fs::read_to_string(out).unwrap();
        Ok((summary, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()))
    }
}

fn trained() -> (Bench, PathBuf) {
    let bench = Bench::new();
    let capture = bench.capture("train.pcap", benign(START_NS, 4_000));
    let model = bench.train(&[capture], 1).unwrap();
    (bench, model)
}

const TEST_NS: i64 = START_NS + 10_000 * SECOND_NS;

fn test_packets() -> Packets {
    let mut packets = benign(TEST_NS, 600);
    packets.extend(attack(TEST_NS + 300 * SECOND_NS, 60));
    packets
}

fn of_device(lines: &[Value]) -> Vec<&Value> {
    lines.iter().filter(|line| line["device"] == DEVICE.to_string()).collect()
}

#[test]
fn the_output_keeps_its_contract() {
    let (bench, model) = trained();
    let (summary, lines) =
        bench.score(&model, &bench.capture("test.pcap", test_packets())).unwrap();
    assert_eq!(summary.capture.error, None);
    assert_eq!(summary.judged.without_model, 0);
    let lines = of_device(&lines);
    assert_eq!(lines.len(), 60);
    for line in lines {
        let start = line["start"].as_i64().unwrap();
        assert_eq!(line["end"].as_i64().unwrap(), start + 10);
        let attacked = (300..360).contains(&(start - TEST_NS / SECOND_NS));
        assert_eq!(line["alert"], attacked, "{line}");
        assert_eq!(line["score"].as_f64().unwrap() > 1.0, attacked, "{line}");
        assert_eq!(line["detector"], "ensemble");
        assert_eq!(line["model"], "own");
        let why = &line["why"][0];
        assert!((why["ratio"].as_f64().unwrap() - line["score"].as_f64().unwrap()).abs() < 1e-9);
        for field in ["measured", "expected"] {
            assert!(why[field].as_f64().unwrap() >= 0.0);
        }
        // The network is not asked about what training never saw.
        assert_eq!(line["judges"]["network"].is_number(), !attacked, "{line}");
        if attacked {
            assert_ne!(why["measured"], why["expected"]);
        }
    }
    assert_eq!(summary.devices[0].alerts, 6);
}

#[test]
fn packed_and_plain_give_the_same() {
    let (bench, model) = trained();
    let plain = bench.capture("test.pcap", test_packets());
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(&std::fs::read(&plain).unwrap()).unwrap();
    let packed = bench.file("test.pcap.gz", &packer.finish().unwrap());
    assert_eq!(bench.score(&model, &plain).unwrap().1, bench.score(&model, &packed).unwrap().1);
}

#[test]
fn the_seed_decides_the_bytes() {
    let bench = Bench::new();
    let capture = bench.capture("train.pcap", benign(START_NS, 4_000));
    let bytes =
        |seed| std::fs::read(bench.train(std::slice::from_ref(&capture), seed).unwrap()).unwrap();
    assert_eq!(bytes(3), bytes(3));
    assert_ne!(bytes(3), bytes(4));
    assert!(!bench.path("3.model.partial").exists());
}

#[test]
fn a_cut_capture_is_scored_up_to_the_cut() {
    let (bench, model) = trained();
    let whole = std::fs::read(bench.capture("test.pcap", test_packets())).unwrap();
    let (_, all) = bench.score(&model, &bench.path("test.pcap")).unwrap();
    let cut = bench.file("cut.pcap", &whole[..whole.len() * 2 / 3]);
    let (summary, lines) = bench.score(&model, &cut).unwrap();
    assert!(summary.capture.error.unwrap().contains("cut off at byte"));
    assert!(lines.len() > 40 && lines.len() < all.len());
    // The window in which the cut lies differs; those before it do not.
    assert_eq!(lines[..lines.len() - 4], all[..lines.len() - 4]);

    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(&whole).unwrap();
    let packed = packer.finish().unwrap();
    let cut = bench.file("cut.pcap.gz", &packed[..packed.len() * 2 / 3]);
    let (summary, lines) = bench.score(&model, &cut).unwrap();
    assert!(summary.capture.error.is_some());
    assert!(!lines.is_empty());
}

#[test]
fn what_is_no_capture_is_refused() {
    let (bench, model) = trained();
    for (name, bytes) in [("text", b"hello, world, this is no capture".as_slice()), ("empty", b"")]
    {
        let path = bench.file(name, bytes);
        let error = bench.score(&model, &path).unwrap_err();
        assert!(matches!(error, OfflineError::NotACapture { .. }), "{error}");
        assert!(error.to_string().contains(name), "{error}");
        assert!(matches!(bench.train(&[path], 1), Err(OfflineError::NotACapture { .. })));
    }
    let error = bench.score(&model, &bench.path("absent.pcap")).unwrap_err();
    assert!(matches!(error, OfflineError::Read { .. }), "{error}");
    let error = score(
        &model,
        &bench.capture("ok.pcap", vec![]),
        &bench.path("no/such/folder.jsonl"),
        |_| {},
    );
    assert!(matches!(error.unwrap_err(), OfflineError::Write { .. }));
}

#[test]
fn a_capture_without_packets_is_fine_to_score_and_too_little_to_train() {
    let (bench, model) = trained();
    let empty = bench.capture("empty.pcap", vec![]);
    let (summary, lines) = bench.score(&model, &empty).unwrap();
    assert_eq!((summary.capture.packets, lines.len()), (0, 0));
    let error = bench.train(&[empty], 1).unwrap_err().to_string();
    assert!(error.contains("0 windows") && error.contains("longer"), "{error}");
}

#[test]
fn damaged_models_are_refused_with_the_reason() {
    let (bench, model) = trained();
    let capture = bench.capture("test.pcap", benign(TEST_NS, 60));
    let good = std::fs::read(&model).unwrap();
    let refuse = |bytes: &[u8], word: &str| {
        let path = bench.file("bad.model", bytes);
        let error = bench.score(&path, &capture).unwrap_err();
        assert!(matches!(error, OfflineError::Model { .. }));
        assert!(error.to_string().contains(word), "{error}");
    };
    refuse(b"", "not a detector model");
    refuse(
        b"{\"format\":\"other\",\"version\":1,\"bytes\":0,\"sha256\":\"\"}\n",
        "not a detector model",
    );
    refuse(&good[..good.len() - 100], "damaged");
    let mut flipped = good.clone();
    let middle = good.len() / 2;
    flipped[middle] ^= 1;
    refuse(&flipped, "SHA-256");
    let text = String::from_utf8(good).unwrap();
    refuse(text.replacen("\"version\":1", "\"version\":9", 1).as_bytes(), "newer version (form 9");
}

#[test]
fn odd_times_and_frames_lose_nothing() {
    let (bench, model) = trained();
    let year_ns = 365 * 86_400 * SECOND_NS;
    let mut packets = benign(TEST_NS, 60);
    packets.extend(benign(TEST_NS + 10 * year_ns, 60));
    packets.extend(benign(TEST_NS + 100 * SECOND_NS, 60));
    packets.swap(3, 9);
    packets.push((TEST_NS, Vec::new()));
    packets.push((TEST_NS, vec![0xff; 9_100]));
    let (summary, lines) =
        bench.score(&model, &bench.capture_as_given("odd.pcap", &packets)).unwrap();
    assert_eq!(summary.capture.packets, packets.len() as u64);
    assert_eq!(summary.capture.undecodable, 1);
    assert_eq!(summary.capture.windows.clock_steps, 2);
    let counted: u64 = summary.judged.own + summary.judged.pooled + summary.judged.without_model;
    assert_eq!(counted, lines.len() as u64);
}

#[test]
fn a_device_without_training_is_told() {
    let (bench, model) = trained();
    let stranger = Ipv4Addr::new(192, 168, 5, 99);
    let host = Ipv4Addr::new(203, 0, 113, 1);
    let packets =
        (0..50).map(|turn| (TEST_NS + turn * SECOND_NS, frame(stranger, host, UDP, (1, 2), 9)));
    let (summary, lines) =
        bench.score(&model, &bench.capture("new.pcap", packets.collect())).unwrap();
    assert_eq!(summary.judged.pooled, 5);
    assert!(lines.iter().all(|line| line["model"] == "pooled"));
}

#[test]
fn the_shipped_capture_alerts_when_the_attack_begins() {
    let root = std::env::var_os("SERENO_TEST_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let folder = root.join("detection/hakai");
    if !folder.is_dir() {
        eprintln!("skipped: {} is not there (SERENO_TEST_DATA)", folder.display());
        return;
    }
    let bench = Bench::new();
    let model = bench.train(&[folder.join("train.pcap.gz")], 1).unwrap();
    let (summary, lines) = bench.score(&model, &folder.join("test.pcap.gz")).unwrap();
    assert_eq!(summary.capture.packets, 23_192);
    let attack_first = 1_533_047_044;
    let device = |line: &&Value| line["device"] == "192.168.100.113";
    let alerts: Vec<i64> = lines
        .iter()
        .filter(device)
        .filter(|line| line["alert"] == true)
        .map(|line| line["start"].as_i64().unwrap())
        .collect();
    let before = alerts.iter().filter(|start| **start + 10 <= attack_first).count();
    assert_eq!(before, 0);
    assert!(alerts[0] <= attack_first, "{}", alerts[0]);
    assert!(alerts.len() > 6_500, "{}", alerts.len());
}

/// A DNS query for a name of two labels, the first of them changing.
fn query(turn: i64) -> Vec<u8> {
    let label = format!("name{turn}");
    let mut message = vec![0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, label.len() as u8];
    message.extend(label.as_bytes());
    message.extend(b"\x07example\0\0\x01\0\x01");
    let server = Ipv4Addr::new(192, 168, 5, 1);
    let mut bytes = frame(DEVICE, server, UDP, (40_000, 53), message.len());
    let at = bytes.len() - message.len();
    bytes[at..].copy_from_slice(&message);
    bytes
}

#[test]
fn a_model_of_another_window_length_scores_and_compares_in_it() {
    let bench = Bench::new();
    let ask = |start_ns: i64, turns: i64| -> Packets {
        (0..turns).map(|turn| (start_ns + turn * 5 * SECOND_NS, query(turn % 9))).collect()
    };
    let capture = bench.capture("train.pcap", ask(START_NS, 2_000));
    // From the beginning of a window of thirty seconds on.
    let test = bench.capture("test.pcap", ask(TEST_NS - 20 * SECOND_NS, 120));
    let mut request = TrainRequest::new(vec![capture.clone()]);
    request.window_us = 30_000_000;
    request.baselines = false;
    let slow = bench.path("slow.model");
    let summary = train(&request, &slow, |_| {}).unwrap();
    // Training counts each query, as scoring does.
    assert_eq!(summary.captures[0].windows.messages, 2_000);
    let (scored, lines) = bench.score(&slow, &test).unwrap();
    assert_eq!(scored.capture.windows.messages, 120);
    let of_device = of_device(&lines);
    assert_eq!(of_device.len(), 20);
    for line in of_device {
        assert_eq!(line["end"].as_i64().unwrap() - line["start"].as_i64().unwrap(), 30, "{line}");
        assert_eq!(line["alert"], false, "{line}");
    }
    let usual = bench.train(&[capture], 1).unwrap();
    let sides = |a: &Path, b: &Path| {
        let side = |path: &Path| Side::Model(path.to_path_buf(), "ensemble".to_owned());
        CompareRequest {
            a: side(a),
            b: side(b),
            capture: Some(test.clone()),
            scenario: None,
            options: TrainOptions::default(),
        }
    };
    assert_eq!(compare(&sides(&slow, &slow)).unwrap().both, 0);
    assert!(compare(&sides(&slow, &slow)).unwrap().windows >= 20);
    let error = compare(&sides(&slow, &usual)).unwrap_err().to_string();
    assert!(error.contains("windows of 30 s") && error.contains("--window"), "{error}");
    request.window_us = 1;
    let error = train(&request, &bench.path("none.model"), |_| {}).unwrap_err().to_string();
    assert!(error.contains("out of bounds"), "{error}");
}
