//! GOOSE and MMS in captures: learned, judged message by message, joined into the row of the window.

#![allow(clippy::print_stderr)] // what is skipped is said

use std::io::Write;
use std::path::{Path, PathBuf};

use analytics::policy::DevicePolicy;
use detection::offline::eval::{CompareRequest, EvalRequest, Side, compare, evaluate};
use detection::offline::store::{ModelStore, Trust};
use detection::offline::{
    ScoreRequest, ScoreSummary, TrainRequest, TrainSummary, score_with, train,
};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use tempfile::TempDir;

use crate::substation::{
    ATTACK_S, ATTACK_WINDOW, END_S, LEARNED_S, Message, PUBLISHER, SECOND_US, START_S, attacked,
    frames, lawful, mms, write, zstandard,
};

struct Bench(TempDir);

impl Bench {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn capture(&self, name: &str, frames: Vec<(i64, Vec<u8>)>) -> PathBuf {
        std::fs::write(self.path(name), write(frames)).unwrap();
        self.path(name)
    }

    fn train(&self, captures: &[PathBuf]) -> (PathBuf, TrainSummary) {
        let mut request = TrainRequest::new(captures.to_vec());
        request.baselines = false;
        let model = self.path("some.model");
        let summary = train(&request, &model, |_| {}).unwrap();
        (model, summary)
    }

    fn score(&self, model: &Path, capture: &Path, detector: &str) -> (ScoreSummary, Vec<Value>) {
        let mut request = ScoreRequest::new(model, capture);
        request.detectors = vec![detector.to_owned()];
        let out = self.path("out.jsonl");
        let summary = score_with(&request, &out, |_| {}).unwrap();
        let text = std::fs::read_to_string(out).unwrap();
        (summary, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }
}

/// Starts of the windows of a device that alert.
fn alerts(lines: &[Value], device: &str) -> Vec<i64> {
    let own = lines.iter().filter(|line| line["device"] == device && line["alert"] == true);
    own.map(|line| line["start"].as_i64().unwrap()).collect()
}

/// A name, what is done to the publisher's messages, and seconds by which it shows.
type Attack = (&'static str, fn(&mut Vec<Message>), i64);

const ATTACKS: [Attack; 5] =
    [
        (
            "replayed",
            |messages| {
                let old: Vec<Message> = messages
                    .iter()
                    .filter(|message| message.ts_us >= (START_S + ATTACK_S - 90) * SECOND_US)
                    .take(3)
                    .cloned()
                    .collect();
                messages.extend(old.into_iter().map(|message| Message {
                    ts_us: message.ts_us + 90 * SECOND_US + 400,
                    ..message
                }));
            },
            4,
        ),
        (
            "one value changed on the way",
            |messages| {
                for message in messages.iter_mut().filter(|message| attacked(message, 3)) {
                    message.closed = !message.closed;
                }
            },
            3,
        ),
        ("three taken out", |messages| messages.retain(|message| !attacked(message, 3)), 5),
        ("silenced", |messages| messages.retain(|message| !attacked(message, 20)), 21),
        (
            "another's state with a higher number",
            |messages| {
                let at_us = (START_S + ATTACK_S) * SECOND_US + 400_000;
                let state = messages.iter().rfind(|message| message.ts_us < at_us).unwrap().clone();
                messages.extend((0..4).map(|sequence| Message {
                    ts_us: at_us + i64::from(sequence) * SECOND_US,
                    state: state.state + 1,
                    sequence,
                    t_us: at_us - 500,
                    closed: !state.closed,
                }));
            },
            5,
        ),
    ];

#[test]
fn what_is_done_to_goose_alerts_in_its_window_and_nothing_else_does() {
    let bench = Bench::new();
    let learned = bench.capture("learned.pcap", frames(&lawful(0, LEARNED_S)));
    let (model, summary) = bench.train(&[learned]);
    assert_eq!((summary.laws.len(), summary.laws[0].detector), (1, "goose"), "{summary:?}");
    assert_eq!((summary.laws[0].known, summary.laws[0].not_learned), (1, 0));
    assert!(summary.detectors.contains(&"goose".to_owned()));
    assert!(summary.not_trained.iter().any(|(name, why)| name == "mms" && why.contains("no MMS")));
    assert!(summary.warnings.iter().all(|text| !text.starts_with("goose")), "{summary:?}");

    let everyday = bench.capture("everyday.pcap", frames(&lawful(LEARNED_S, END_S)));
    for detector in ["goose", "ensemble"] {
        let (summary, lines) = bench.score(&model, &everyday, detector);
        assert_eq!(alerts(&lines, PUBLISHER), Vec::<i64>::new(), "{detector}");
        // A publisher that speaks no IP has no window of counts; its windows are told all the same.
        assert_eq!(lines.len() as i64, (END_S - LEARNED_S) / 10, "{detector}");
        assert!(lines.iter().all(|line| line["detector"] == detector));
        assert_eq!(summary.alerts, 0);
    }
    for (name, attack, seconds) in ATTACKS {
        let mut messages = lawful(LEARNED_S, END_S);
        attack(&mut messages);
        let capture = bench.capture("attacked.pcap", frames(&messages));
        let (summary, own) = bench.score(&model, &capture, "goose");
        let found = alerts(&own, PUBLISHER);
        let last = (START_S + ATTACK_S + seconds).div_euclid(10) * 10;
        assert_eq!(found.first(), Some(&ATTACK_WINDOW), "{name}: {found:?}");
        assert!(found.iter().all(|start| *start <= last), "{name}: {found:?}");
        assert_eq!(summary.alerts, found.len() as u64);
        let why = &own.iter().find(|line| line["alert"] == true).unwrap()["why"][0];
        assert!(why["metric"].is_string() && why["expected"] == 0.0, "{name}: {why}");
        assert!(why["measured"].as_f64().unwrap() >= 1.0, "{name}: {why}");
        let (_, joint) = bench.score(&model, &capture, "ensemble");
        assert_eq!(alerts(&joint, PUBLISHER), found, "{name}");
        let told = joint.iter().find(|line| line["alert"] == true).unwrap();
        assert_eq!((&told["why"][0], &told["detector"]), (why, &"ensemble".into()), "{name}");
    }
}

#[test]
fn both_protocols_join_the_windows_of_a_machine_that_speaks_ip() {
    let bench = Bench::new();
    let all = |from_s, to_s, attack| {
        let mut all = mms(from_s, to_s, attack);
        let mut messages = lawful(from_s, to_s);
        if attack {
            messages.retain(|message| !attacked(message, 3));
        }
        all.extend(frames(&messages));
        all
    };
    let (model, summary) = bench.train(&[bench.capture("a.pcap", all(0, LEARNED_S, false))]);
    let names: Vec<&str> = summary.laws.iter().map(|one| one.detector).collect();
    assert_eq!(names, ["goose", "mms"]);
    let everyday = bench.capture("everyday.pcap", all(LEARNED_S, END_S, false));
    let (_, lines) = bench.score(&model, &everyday, "ensemble");
    assert_eq!(alerts(&lines, "192.168.7.20"), Vec::<i64>::new(), "{lines:?}");
    let capture = bench.capture("b.pcap", all(LEARNED_S, END_S, true));
    // The machine sends from one MAC address: its publisher is named as its windows are.
    for (detector, device, metric) in [
        ("goose", "192.168.7.20", "missing_messages"),
        ("mms", "192.168.7.20", "unknown_service"),
        ("mms", "192.168.7.9", "unknown_service"),
    ] {
        let (_, lines) = bench.score(&model, &capture, detector);
        let alerting = lines.iter().find(|line| line["device"] == device && line["alert"] == true);
        let alerting = alerting.unwrap_or_else(|| panic!("{detector} of {device}"));
        assert_eq!(alerting["start"], ATTACK_WINDOW, "{alerting}");
        let whys = alerting["why"].as_array().unwrap();
        assert!(whys.iter().any(|why| why["metric"] == metric), "{alerting}");
    }
    let (summary, lines) = bench.score(&model, &capture, "ensemble");
    assert_eq!(alerts(&lines, "192.168.7.20"), [ATTACK_WINDOW]);
    assert_eq!(summary.laws.unwrap().alone, 0, "every window has its counts");
    // One row a window and device, in the order of time.
    let rows: Vec<(i64, String)> = lines
        .iter()
        .map(|line| (line["start"].as_i64().unwrap(), line["device"].to_string()))
        .collect();
    let mut once = rows.clone();
    once.sort();
    once.dedup();
    assert_eq!(rows.len(), once.len());
    assert!(rows.is_sorted_by_key(|row| row.0));
    let counted: u64 = summary.judged.own + summary.judged.pooled + summary.judged.without_model;
    assert_eq!(lines.len() as u64, counted);
}

#[test]
fn a_machine_that_is_listed_by_its_mac_address_is_named_by_it() {
    let bench = Bench::new();
    let all =
        |from_s, to_s, attack| [mms(from_s, to_s, attack), frames(&lawful(from_s, to_s))].concat();
    let mut request = TrainRequest::new(vec![bench.capture("a.pcap", all(0, LEARNED_S, false))]);
    request.policy = DevicePolicy::Listed(vec![PUBLISHER.parse().unwrap()]);
    request.baselines = false;
    let model = bench.path("listed.model");
    train(&request, &model, |_| {}).unwrap();
    let capture = bench.capture("b.pcap", all(LEARNED_S, END_S, true));
    for detector in ["mms", "ensemble"] {
        let (_, lines) = bench.score(&model, &capture, detector);
        assert_eq!(alerts(&lines, PUBLISHER), [ATTACK_WINDOW], "{detector}");
        // The client is no device: it is told where it breaks a law, and nowhere else.
        let client = lines.iter().filter(|line| line["device"] == "192.168.7.9").count();
        assert_eq!(client, 1, "{detector}");
        let addressed = lines.iter().any(|line| line["device"] == "192.168.7.20");
        assert!(!addressed, "{detector}");
    }
}

#[test]
fn who_speaks_in_anothers_name_is_told_although_he_is_not_listed() {
    const STRANGER: &str = "02:00:00:00:07:66";
    let bench = Bench::new();
    let learned = bench.capture("learned.pcap", frames(&lawful(0, LEARNED_S)));
    let mut request = TrainRequest::new(vec![learned]);
    request.policy = DevicePolicy::Listed(vec![PUBLISHER.parse().unwrap()]);
    request.baselines = false;
    let model = bench.path("listed.model");
    train(&request, &model, |_| {}).unwrap();
    let own = lawful(LEARNED_S, END_S);
    let mut spoken = frames(&own);
    let copied: Vec<_> = own.iter().filter(|one| attacked(one, 3)).cloned().collect();
    for (ts_us, mut frame) in frames(&copied) {
        frame[6..12].copy_from_slice(&[2, 0, 0, 0, 7, 0x66]);
        spoken.push((ts_us + 200, frame));
    }
    let (summary, lines) = bench.score(&model, &bench.capture("two.pcap", spoken), "ensemble");
    assert_eq!(alerts(&lines, PUBLISHER), Vec::<i64>::new(), "the publisher itself is lawful");
    assert_eq!(alerts(&lines, STRANGER), [ATTACK_WINDOW]);
    let strange: Vec<&Value> = lines.iter().filter(|line| line["device"] == STRANGER).collect();
    assert_eq!(strange.len(), 1, "{strange:?}");
    assert_eq!(strange[0]["why"][0]["metric"], "header", "{strange:?}");
    assert_eq!(summary.laws.unwrap().alone, 1, "the publisher is listed: it has windows of counts");
}

#[test]
fn packed_cut_and_foreign_captures_are_treated_as_for_counts() {
    let bench = Bench::new();
    let learned = bench.capture("learned.pcap", frames(&lawful(0, LEARNED_S)));
    let plain = std::fs::read(&learned).unwrap();
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(&plain).unwrap();
    std::fs::write(bench.path("learned.pcap.gz"), packer.finish().unwrap()).unwrap();
    std::fs::write(bench.path("learned.pcap.zst"), zstandard(&plain)).unwrap();
    let bytes = |path: PathBuf| std::fs::read(bench.train(&[path]).0).unwrap();
    let expected = bytes(learned.clone());
    for packed in ["learned.pcap.gz", "learned.pcap.zst"] {
        assert_eq!(bytes(bench.path(packed)), expected, "{packed}");
    }

    let (model, _) = bench.train(&[learned]);
    let mut messages = lawful(LEARNED_S, END_S);
    messages.retain(|message| !attacked(message, 3));
    let whole = bench.capture("whole.pcap", frames(&messages));
    let bytes = std::fs::read(&whole).unwrap();
    std::fs::write(bench.path("cut.pcap"), &bytes[..bytes.len() * 3 / 4]).unwrap();
    let (summary, lines) = bench.score(&model, &bench.path("cut.pcap"), "ensemble");
    assert!(summary.capture.error.unwrap().contains("cut off"), "told");
    // Where reading ends nobody looks: no silence is invented behind it.
    assert_eq!(alerts(&lines, PUBLISHER), [ATTACK_WINDOW]);

    let (_, doubted) = bench.train(std::slice::from_ref(&whole));
    let doubt = |text: &String| text.starts_with("goose: ") && text.contains("missing_messages");
    assert!(doubted.warnings.iter().any(doubt), "a training that breaks laws: {doubted:?}");
    let foreign = bench.capture("mms.pcap", mms(0, LEARNED_S, false));
    let (model, summary) = bench.train(&[foreign]);
    assert!(!summary.detectors.contains(&"goose".to_owned()), "{summary:?}");
    assert!(summary.not_trained.iter().any(|(name, _)| name == "goose"));
    let mut request = ScoreRequest::new(&model, &whole);
    request.detectors = vec!["goose".to_owned()];
    let error = score_with(&request, &bench.path("no.jsonl"), |_| {}).unwrap_err().to_string();
    assert!(error.contains("no detector `goose`") && error.contains("ensemble"), "{error}");
    for (section, word) in [
        ("{\"form\":\"sereno laws 9\",\"model\":{}}", "reads 'sereno laws 1'"),
        ("{\"form\":\"sereno laws 1\",\"model\":{}}", "missing field"),
        ("no JSON", "expected"),
    ] {
        let mut store = ModelStore::read(&model, Trust::Anyone).unwrap();
        store.add("goose", section.as_bytes().to_vec());
        std::fs::write(bench.path("bad.model"), store.to_bytes(None).unwrap()).unwrap();
        request.model = bench.path("bad.model");
        let error = score_with(&request, &bench.path("no.jsonl"), |_| {}).unwrap_err().to_string();
        assert!(error.contains("detector `goose` cannot be used"), "{error}");
        assert!(error.contains(word), "{error}");
    }
}

fn scenario(bench: &Bench) -> PathBuf {
    let folder = bench.path("substation");
    std::fs::create_dir(&folder).unwrap();
    let mut messages = lawful(LEARNED_S, END_S);
    messages.iter_mut().filter(|one| attacked(one, 12)).for_each(|one| one.closed = !one.closed);
    let mut labels = "frame,label,attack\n".to_owned();
    for (number, message) in messages.iter().enumerate() {
        let (label, attack) = if attacked(message, 12) { ("1", "flipped") } else { ("0", "") };
        labels.push_str(&format!("{},{label},{attack}\n", number + 1));
    }
    for (name, messages) in [("train", &lawful(0, LEARNED_S)), ("test", &messages)] {
        let written = bench.capture("part.pcap", frames(messages));
        std::fs::rename(written, folder.join(format!("{name}.pcap"))).unwrap();
    }
    let text =
        format!("name = \"substation\"\nkind = \"pcap\"\n[[device]]\nmac = \"{PUBLISHER}\"\n");
    std::fs::write(folder.join("scenario.toml"), text).unwrap();
    std::fs::write(folder.join("labels.csv"), labels).unwrap();
    folder
}

#[test]
fn the_evaluation_and_the_comparison_list_them() {
    let bench = Bench::new();
    let folder = scenario(&bench);
    let mut request = EvalRequest::new(vec![folder.clone()]);
    request.seeds = 1;
    let report = evaluate(&request, &|| std::time::Duration::ZERO, &mut |_| {}).unwrap();
    let scenario = &report.scenarios[0];
    assert_eq!(scenario.failed, None);
    let names: Vec<&str> = scenario.detectors.iter().map(|one| one.detector.as_str()).collect();
    assert!(names.contains(&"goose") && !names.contains(&"mms"), "{names:?}");
    for name in ["goose", "ensemble"] {
        let one = scenario.detectors.iter().find(|one| one.detector == name).unwrap();
        assert_eq!(one.failed, None, "{name}");
        let subject = &one.subjects[0];
        assert_eq!(subject.tpr.unwrap().min, 1.0, "{name}");
        assert!(subject.fpr.unwrap().max <= 0.05, "{name}: {:?}", subject.fpr);
    }
    let (model, _) = bench.train(&[folder.join("train.pcap")]);
    let sides = |a: &str, b: &str| {
        let found = compare(&CompareRequest {
            a: Side::parse(a),
            b: Side::parse(b),
            capture: None,
            scenario: Some(folder.clone()),
            options: request.options,
        });
        found.unwrap()
    };
    let file = format!("{}#goose", model.display());
    let same = sides(&file, "goose");
    assert_eq!((same.only_a, same.only_b, same.unmatched), (0, 0, 0), "{same:?}");
    assert!(same.both >= 2, "{same:?}");
    let joint = sides(model.to_str().unwrap(), "goose");
    assert_eq!(joint.only_b, 0, "{joint:?}");
}

/// The public captures of IEC 61850 devices: read, learned and judged as they are.
#[test]
fn public_captures_are_learned_and_judged() {
    let root = std::env::var_os("SERENO_TEST_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let archive = root.join("detection/ics-pcaps/ics-pcaps-iti.tar.zst");
    if !archive.is_file() {
        eprintln!("skipped: {} is not there (SERENO_TEST_DATA)", archive.display());
        return;
    }
    let bench = Bench::new();
    let unpacked = std::process::Command::new("tar")
        .args(["--zstd", "-xf"])
        .arg(&archive)
        .args(["--strip-components=1", "-C"])
        .arg(bench.0.path())
        .args(["ics-pcaps-iti/IEC61850"])
        .status();
    assert!(unpacked.unwrap().success());
    let capture = bench.path("IEC61850/Sample_File_MMS_and_GOOSE.pcap");
    let (model, summary) = bench.train(std::slice::from_ref(&capture));
    eprintln!("{:?} {:?}", summary.laws, summary.warnings);
    assert!(summary.laws.iter().any(|one| one.detector == "goose" && one.messages == 34));
    assert!(summary.warnings.iter().any(|text| text.contains("less than 10 minutes")));
    for detector in summary.laws.iter().map(|one| one.detector) {
        let (scored, lines) = bench.score(&model, &capture, detector);
        assert_eq!(scored.capture.error, None);
        assert!(!lines.is_empty());
        assert_eq!(scored.alerts, 0, "{detector}, on what it learned: {lines:?}");
    }
    // Another substation: nobody of it was ever heard.
    let other = bench.path("IEC61850/GOOSE/Sample_File_GOOSE.pcap");
    let (scored, lines) = bench.score(&model, &other, "goose");
    eprintln!("{} alerts in {} windows of another substation", scored.alerts, lines.len());
    assert!(!lines.is_empty());
}
