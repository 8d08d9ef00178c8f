//! Captures that are broken, empty or strange, through `sereno detect`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::programs::{json, output, sereno};

const START_S: u32 = 1_700_000_000;
const TEN_YEARS_S: u32 = 10 * 365 * 86_400;
const DEVICE: [u8; 4] = [192, 168, 7, 20];
const ETHERNET: u32 = 1;
/// Larger than any frame on Ethernet, smaller than what a reader must take.
const JUMBO_BYTES: usize = 9_200;
/// What a small file unpacks to; a reader that keeps it all would need as much memory.
const BOMB_BYTES: u64 = 1 << 30;
/// Memory a command may use on the bomb, KiB.
const MEMORY_KIB: u64 = 400 << 10;

/// A capture as bytes: little-endian pcap with microseconds.
struct Capture(Vec<u8>);

impl Capture {
    fn new() -> Self {
        let mut bytes = 0xa1b2_c3d4_u32.to_le_bytes().to_vec();
        bytes.extend([2, 0, 4, 0]);
        bytes.extend([0; 8]);
        bytes.extend(262_144_u32.to_le_bytes());
        bytes.extend(ETHERNET.to_le_bytes());
        Self(bytes)
    }

    fn packet(mut self, at_s: u32, frame: &[u8]) -> Self {
        let size = u32::try_from(frame.len()).unwrap();
        for number in [at_s, 0, size, size] {
            self.0.extend(number.to_le_bytes());
        }
        self.0.extend(frame);
        self
    }

    /// An hour of a quiet device: one request every ten seconds.
    fn hour(mut self, from_s: u32) -> Self {
        for i in 0..360 {
            self = self.packet(from_s + i * 10, &udp(i as u16 % 7, 40));
        }
        self
    }

    fn write(&self, folder: &Path, name: &str) -> PathBuf {
        let file = folder.join(name);
        std::fs::write(&file, &self.0).unwrap();
        file
    }
}

/// A UDP datagram of the device in an Ethernet frame.
fn udp(port: u16, payload_bytes: usize) -> Vec<u8> {
    let total = u16::try_from(28 + payload_bytes).unwrap();
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0];
    frame.extend([0x45, 0]);
    frame.extend(total.to_be_bytes());
    frame.extend([0, 0, 0, 0, 64, 17, 0, 0]);
    frame.extend(DEVICE);
    frame.extend([192, 168, 7, 1]);
    frame.extend((40_000 + port).to_be_bytes());
    frame.extend(53_u16.to_be_bytes());
    frame.extend((total - 20).to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(vec![7; payload_bytes]);
    frame
}

fn train(folder: &Path, captures: &[&Path]) -> Output {
    let mut command = sereno();
    command.args(["detect", "train", "--json", "--out"]).arg(folder.join("model")).arg("--pcap");
    output(command.args(captures))
}

fn score_command(folder: &Path, capture: &Path) -> Command {
    let mut command = sereno();
    command.args(["detect", "score", "--json", "--model"]).arg(folder.join("model"));
    command.arg("--out").arg(folder.join("out.jsonl")).arg("--pcap").arg(capture);
    command
}

fn score(folder: &Path, capture: &Path) -> Output {
    output(&mut score_command(folder, capture))
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A folder with a model of the quiet device.
fn trained() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let capture = Capture::new().hour(START_S).hour(START_S + 3_600);
    let done = train(folder.path(), &[&capture.write(folder.path(), "train.pcap")]);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    folder
}

/// Windows of the last score.
fn windows(folder: &Path) -> Vec<Value> {
    let lines = std::fs::read_to_string(folder.join("out.jsonl")).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_capture_that_is_cut_is_used_up_to_the_cut() {
    let folder = trained();
    let whole = Capture::new().hour(START_S);
    let file = whole.write(folder.path(), "whole.pcap");
    let done = score(folder.path(), &file);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    let all = windows(folder.path()).len();
    assert!(all > 50, "{all} windows");
    // In the middle of a packet, in the middle of a packet's head.
    for cut in [whole.0.len() - 20, 24 + 200 * (16 + 82) + 5] {
        let file = Capture(whole.0[..cut].to_vec()).write(folder.path(), "cut.pcap");
        let done = score(folder.path(), &file);
        assert_eq!(done.status.code(), Some(3), "{}", said(&done));
        assert!(said(&done).contains("cut.pcap"), "{}", said(&done));
        assert!(said(&done).contains("everything before was used"), "{}", said(&done));
        let found = windows(folder.path()).len();
        assert!(found > 0 && found <= all, "{found} of {all}");
    }
    // Training says the same.
    let file = Capture(whole.0[..whole.0.len() - 20].to_vec()).write(folder.path(), "cut.pcap");
    let done = train(folder.path(), &[&file]);
    assert_eq!(done.status.code(), Some(3), "{}", said(&done));
    assert!(said(&done).contains("everything before was used"), "{}", said(&done));
}

#[test]
fn what_is_no_capture_is_refused_by_name() {
    let folder = trained();
    let mut wrong = Capture::new().hour(START_S);
    wrong.0[..4].copy_from_slice(b"MZ\x90\0");
    let cases = [
        ("magic.pcap", wrong.0),
        ("empty.pcap", vec![]),
        ("short.pcap", vec![0xd4, 0xc3, 0xb2]),
        ("head.pcap", Capture::new().0[..20].to_vec()),
        ("text.pcap", b"{\"this\": \"is JSON\"}".to_vec()),
    ];
    for (name, bytes) in cases {
        let file = Capture(bytes).write(folder.path(), name);
        for done in [score(folder.path(), &file), train(folder.path(), &[&file])] {
            let code = done.status.code();
            assert!(matches!(code, Some(2 | 3)), "{name}: {code:?} {}", said(&done));
            assert!(said(&done).contains(name), "{name}: {}", said(&done));
            assert!(!said(&done).contains("panicked"), "{name}: {}", said(&done));
        }
    }
    let nowhere = score(folder.path(), &folder.path().join("nowhere.pcap"));
    assert_eq!(nowhere.status.code(), Some(3));
    assert!(said(&nowhere).contains("nowhere.pcap"), "{}", said(&nowhere));
    // The model is held to the same.
    std::fs::write(folder.path().join("model"), b"no model").unwrap();
    let file = Capture::new().hour(START_S).write(folder.path(), "good.pcap");
    let done = score(folder.path(), &file);
    assert_eq!(done.status.code(), Some(3), "{}", said(&done));
    assert!(said(&done).contains("model"), "{}", said(&done));
}

#[test]
fn no_packets_are_no_windows_and_no_lesson() {
    let folder = trained();
    let file = Capture::new().write(folder.path(), "none.pcap");
    let done = score(folder.path(), &file);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
    assert!(windows(folder.path()).is_empty());
    let done = train(folder.path(), &[&file]);
    assert_eq!(done.status.code(), Some(2), "{}", said(&done));
    assert!(!said(&done).is_empty());
}

#[test]
fn ten_silent_years_cost_no_windows() {
    let folder = trained();
    let late = START_S - TEN_YEARS_S;
    let file = Capture::new().hour(late).hour(START_S).write(folder.path(), "gap.pcap");
    let done = score(folder.path(), &file);
    assert!(matches!(done.status.code(), Some(0 | 1)), "{}", said(&done));
    let found = windows(folder.path()).len();
    assert!(found < 1_000, "{found} windows for two hours of traffic");
    assert!(found > 100, "{found} windows for two hours of traffic");
    let done = train(folder.path(), &[&file]);
    assert_eq!(done.status.code(), Some(0), "{}", said(&done));
}

#[test]
fn packets_out_of_order_are_judged_or_counted() {
    let folder = trained();
    let mut mixed = Capture::new();
    for i in 0_u32..360 {
        // Pairs changed over, and now and then one from an hour ago or from the year 1970.
        let at = START_S + (i ^ 1) * 10;
        mixed = mixed.packet(at, &udp((i % 7) as u16, 40));
        if i % 60 == 59 {
            mixed = mixed.packet(at - 3_600, &udp(1, 40)).packet(0, &udp(1, 40));
        }
    }
    let file = mixed.write(folder.path(), "mixed.pcap");
    let done = score(folder.path(), &file);
    assert!(matches!(done.status.code(), Some(0 | 1)), "{}", said(&done));
    let found = windows(folder.path());
    assert!((50..1_000).contains(&found.len()), "{} windows", found.len());
    let packets = json(&done)["capture"]["packets"].as_u64();
    assert_eq!(packets, Some(372), "every packet is accounted for: {:#}", json(&done));
}

#[test]
fn jumbo_and_empty_frames_pass() {
    let folder = trained();
    let mut strange = Capture::new();
    for i in 0..360 {
        let at = START_S + i * 10;
        let frame = match i % 4 {
            0 => udp(1, JUMBO_BYTES),
            1 => vec![],
            2 => vec![0xff; 13],
            _ => udp(1, 0),
        };
        strange = strange.packet(at, &frame);
    }
    let file = strange.write(folder.path(), "strange.pcap");
    let done = score(folder.path(), &file);
    assert!(matches!(done.status.code(), Some(0 | 1)), "{}", said(&done));
    assert!(said(&done).contains("180 frames could not be read"), "{}", said(&done));
    assert!(!windows(folder.path()).is_empty());
    // A packet that says it is larger than any file: the break is named, memory is not taken.
    let mut liar = Capture::new().hour(START_S);
    for number in [START_S + 3_600, 0, u32::MAX, u32::MAX] {
        liar.0.extend(number.to_le_bytes());
    }
    let done = score(folder.path(), &liar.write(folder.path(), "liar.pcap"));
    assert_eq!(done.status.code(), Some(3), "{}", said(&done));
    assert!(said(&done).contains("liar.pcap"), "{}", said(&done));
}

/// A gigabyte of nothing after one packet's head, in about a megabyte of gzip.
fn bomb(folder: &Path) -> Option<PathBuf> {
    let file = folder.join("bomb.pcap.gz");
    let mut gzip = Command::new("gzip")
        .arg("-c")
        .stdin(Stdio::piped())
        .stdout(std::fs::File::create(&file).unwrap())
        .spawn()
        .ok()?;
    let mut stream = gzip.stdin.take().unwrap();
    let mut capture = Capture::new().hour(START_S);
    for number in [START_S + 3_600, 0, u32::MAX, u32::MAX] {
        capture.0.extend(number.to_le_bytes());
    }
    stream.write_all(&capture.0).unwrap();
    let nothing = vec![0; 1 << 20];
    for _ in 0..BOMB_BYTES >> 20 {
        stream.write_all(&nothing).unwrap();
    }
    drop(stream);
    gzip.wait().unwrap().success().then_some(file)
}

#[test]
fn a_small_file_that_unpacks_to_a_gigabyte_needs_no_gigabyte() {
    let folder = trained();
    let Some(file) = bomb(folder.path()) else {
        eprintln!("skipped: no gzip here");
        return;
    };
    assert!(std::fs::metadata(&file).unwrap().len() < 4 << 20);
    let score = score_command(folder.path(), &file);
    let mut limited = Command::new("sh");
    limited.arg("-c").arg(format!("ulimit -v {MEMORY_KIB}; exec \"$0\" \"$@\""));
    limited.arg(score.get_program()).args(score.get_args());
    let done = output(&mut limited);
    assert_eq!(done.status.code(), Some(3), "{}", said(&done));
    assert!(said(&done).contains("bomb.pcap.gz"), "{}", said(&done));
    assert!(!windows(folder.path()).is_empty(), "what came before the bomb was used");
    // A compressed file that ends too early, and one whose sum is wrong.
    let good = Capture::new().hour(START_S).write(folder.path(), "good.pcap");
    let packed = output(Command::new("gzip").arg("-c").arg(&good)).stdout;
    let mut wrong_sum = packed.clone();
    let end = wrong_sum.len() - 8;
    wrong_sum[end] ^= 0xff;
    for (name, bytes) in
        [("early.pcap.gz", packed[..packed.len() / 2].to_vec()), ("sum.pcap.gz", wrong_sum)]
    {
        let file = Capture(bytes).write(folder.path(), name);
        let done = output(&mut score_command(folder.path(), &file));
        assert_eq!(done.status.code(), Some(3), "{name}: {}", said(&done));
        assert!(said(&done).contains(name), "{name}: {}", said(&done));
    }
}
