//! Somebody speaks in the name of a GOOSE publisher, in a capture that a real edge reads: the node
//! names it, although it dies meanwhile.

use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::faults_kit::{Phoenix, ask, items, until};
use crate::programs::{edge, output, sereno};

/// Seconds of learning.
const LEARNED_S: u32 = 700;
/// When the false state is told.
const FALSE_S: u32 = 900;
/// Where the capture ends.
const END_S: u32 = 1_100;
const START_S: u32 = 1_700_000_000;
const PUBLISHER: [u8; 6] = [2, 0, 0, 0, 7, 20];
const CONTROL: &[u8] = b"BAY1/LLN0$GO$Trip";

/// A field of IEC 61850-8-1, annex A: tag, length, contents.
fn field(tag: u8, contents: &[u8]) -> Vec<u8> {
    let length = u8::try_from(contents.len()).unwrap();
    if length < 0x80 {
        [&[tag, length], contents].concat()
    } else {
        [&[tag, 0x81, length], contents].concat()
    }
}

/// A frame that tells a state: begun at a second, with its sequence number.
fn frame(began_s: u32, (state, sequence): (u32, u32), closed: bool) -> Vec<u8> {
    let mut time = began_s.to_be_bytes().to_vec();
    time.extend([0, 0, 0, 10]);
    let fields = [
        field(0x80, CONTROL),
        field(0x81, &2_000_u16.to_be_bytes()),
        field(0x82, b"BAY1/LLN0$DS"),
        field(0x83, b"trip"),
        field(0x84, &time),
        field(0x85, &state.to_be_bytes()),
        field(0x86, &sequence.to_be_bytes()),
        field(0x87, &[0]),
        field(0x88, &[1]),
        field(0x89, &[0]),
        field(0x8a, &[1]),
        field(0xab, &field(0x83, &[u8::from(closed)])),
    ]
    .concat();
    let message = field(0x61, &fields);
    let length = u16::try_from(message.len() + 8).unwrap();
    let mut frame = [&[1, 0x0c, 0xcd, 1, 0, 1][..], &PUBLISHER, &[0x88, 0xb8, 0, 1]].concat();
    frame.extend(length.to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(message);
    frame
}

/// One state all the time, repeated every second; five times somebody else tells another, where these
/// seconds are among those told.
fn capture(file: &Path, seconds: Range<u32>) {
    let mut capture = 0xa1b2_c3d4_u32.to_le_bytes().to_vec();
    capture.extend([2, 0, 4, 0]);
    capture.extend([0; 8]);
    capture.extend(262_144_u32.to_le_bytes());
    capture.extend(1_u32.to_le_bytes());
    let mut put = |at: (u32, u32), frame: Vec<u8>| {
        let size = u32::try_from(frame.len()).unwrap();
        for number in [at.0, at.1, size, size] {
            capture.extend(number.to_le_bytes());
        }
        capture.extend(frame);
    };
    for second in seconds {
        let at_s = START_S + second;
        put((at_s, 1_000), frame(START_S, (1, second), false));
        if (FALSE_S..FALSE_S + 5).contains(&second) {
            put((at_s, 500_000), frame(START_S + FALSE_S, (2, second - FALSE_S), true));
        }
    }
    std::fs::write(file, capture).unwrap();
}

struct Reader(Child);

impl Reader {
    fn start(node: &Phoenix, file: &Path) -> Self {
        let mut command = Command::new(edge());
        command.args(["gateway", "--file", "--device-mac", "02:00:00:00:07:14"]);
        command.args(["--speed", "20000", "--capture"]).arg(file);
        command.arg("--socket").arg(node.data.join("run/edge.sock"));
        command.arg("--token-file").arg(node.data.join("keys/edge.token"));
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn found(data: &Path) -> Vec<Value> {
    let findings = items(data, &["findings"]).into_iter();
    findings.filter(|finding| finding["detector"] == "goose").collect()
}

#[test]
fn a_masquerade_in_a_capture_is_named_although_the_node_dies() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("goose.pcap");
    capture(&file, 0..END_S);
    let mut node = Phoenix::up(&folder.path().join("node"), "Grid works", "operator");
    let settings = node.data.join("sereno.toml");
    let more =
        format!("[detection]\ntraining_span_s = {LEARNED_S}\nmin_training_operations = 500\n");
    let text = std::fs::read_to_string(&settings).unwrap() + &more;
    node.fall();
    std::fs::write(&settings, text).unwrap();
    node.rise();
    let data = node.data.clone();
    let reader = Reader::start(&node, &file);
    let law = || items(&data, &["laws", "list"]).into_iter().next();
    until("the model of GOOSE to begin", law);
    node.fall();
    node.rise();
    let watched = || law().filter(|one| one["state"]["state"] == "watching");
    let watched = until("the model of GOOSE to watch", watched);
    let edge = watched["edge"].as_str().unwrap().to_owned();
    until("the masquerade", || Some(found(&data)).filter(|all| !all.is_empty()));
    node.fall();
    node.rise();
    let found = found(&data);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0]["severity"], "high", "{found:#?}");
    let title = found[0]["title"].as_str().unwrap();
    assert!(title.contains("BAY1/LLN0$GO$Trip"), "{title}");
    eprintln!("{title}");
    let shown = ask(&data, &["laws", "show", &edge, "goose"]);
    assert_eq!(shown["speakers"][0]["device"], "02:00:00:00:07:14", "{shown}");
    assert_eq!(shown["versions"][0]["signature_valid"], true, "{shown}");
    drop(reader);
    let words = ["laws", "relearn", &edge, "goose", "--reason", "a new bay", "--data"];
    let again = output(sereno().args(words).arg(&data));
    assert!(again.status.success(), "{again:?}");
    assert_eq!(law().unwrap()["version"], 0);
    let words = ["laws", "activate", &edge, "goose", "1", "--data"];
    let back = output(sereno().args(words).arg(&data));
    assert!(back.status.success(), "{back:?}");
    assert_eq!(law().unwrap()["version"], 1);
}

fn detect(words: &[&str], files: &[(&str, &Path)]) -> Output {
    let mut command = sereno();
    command.arg("detect").args(words);
    files.iter().for_each(|(flag, file)| {
        command.arg(flag).arg(file);
    });
    output(&mut command)
}

#[test]
fn a_masquerade_is_named_in_captures_without_a_node() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    let (learned, everyday, attacked) = (place("a.pcap"), place("b.pcap"), place("c.pcap"));
    capture(&learned, 0..LEARNED_S);
    capture(&everyday, LEARNED_S..FALSE_S - 10);
    capture(&attacked, LEARNED_S..END_S);
    let (model, out) = (place("model"), place("out.jsonl"));
    let trained =
        detect(&["train", "--only", "ensemble"], &[("--pcap", &learned), ("--out", &model)]);
    assert!(trained.status.success(), "{trained:?}");
    let told = String::from_utf8_lossy(&trained.stdout).into_owned();
    assert!(told.contains("goose: 700 messages over 11.7 minutes, 1 control blocks"), "{told}");
    let noted = String::from_utf8_lossy(&trained.stderr).into_owned();
    assert!(noted.contains("mms was not trained: the captures hold no MMS message"), "{noted}");
    let score = |capture: &Path, words: &[&str]| {
        let words = [&["score"], words].concat();
        let done = detect(&words, &[("--model", &model), ("--pcap", capture), ("--out", &out)]);
        let text = std::fs::read_to_string(&out).unwrap_or_default();
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        (done.status.code(), lines, String::from_utf8_lossy(&done.stderr).into_owned())
    };
    let (code, lines, _) = score(&everyday, &[]);
    assert_eq!((code, lines.len()), (Some(0), 19), "{lines:?}");
    for words in [&[][..], &["--detector", "goose"]] {
        let (code, lines, _) = score(&attacked, words);
        assert_eq!(code, Some(1), "it alerts");
        let alerting: Vec<&Value> = lines.iter().filter(|line| line["alert"] == true).collect();
        assert_eq!(alerting[0]["start"], START_S + FALSE_S, "{alerting:#?}");
        assert_eq!(alerting[0]["device"], "02:00:00:00:07:14");
        assert!(alerting.len() <= 2, "{alerting:#?}");
        assert!(alerting[0]["why"][0]["measured"].as_f64().unwrap() >= 1.0);
    }
    std::fs::remove_file(&out).unwrap();
    let (code, _, told) = score(&attacked, &["--detector", "mms"]);
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains("holds no detector `mms`: it holds ensemble, goose"), "{told}");
}
