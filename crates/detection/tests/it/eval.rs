//! Evaluation over scenario folders, good and bad.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use detection::offline::eval::{
    CompareRequest, EvalRequest, Report, Side, compare, evaluate, to_html, to_markdown, to_table,
};
use detection::offline::store::ENSEMBLE;
use detection::offline::{OfflineError, ScoreRequest, TrainRequest, score_with, train};
use protocols::capture::{CaptureWriter, WriterOptions};
use tempfile::TempDir;

const SECOND_NS: i64 = 1_000_000_000;
const START_NS: i64 = 1_600_000_000 * SECOND_NS;
const SYN: u8 = 0x02;

/// An Ethernet frame from the device: a UDP question or a connection attempt.
fn frame(src: [u8; 4], dst: [u8; 4], protocol: u8, port: u16, payload: usize) -> Vec<u8> {
    let header = if protocol == 6 { 20 } else { 8 };
    let mut bytes = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0];
    bytes.extend(((20 + header + payload) as u16).to_be_bytes());
    bytes.extend([0, 0, 0, 0, 64, protocol, 0, 0]);
    bytes.extend(src);
    bytes.extend(dst);
    bytes.extend(40_000_u16.to_be_bytes());
    bytes.extend(port.to_be_bytes());
    if protocol == 6 {
        bytes.extend([0, 0, 0, 1, 0, 0, 0, 0, 0x50, SYN, 4, 0, 0, 0, 0, 0]);
    } else {
        bytes.extend(((8 + payload) as u16).to_be_bytes());
        bytes.extend([0, 0]);
    }
    bytes.resize(bytes.len() + payload, 0x55);
    bytes
}

const DEVICE: [u8; 4] = [192, 168, 5, 7];

fn benign(start_ns: i64, seconds: i64) -> Vec<(i64, Vec<u8>, char)> {
    (0..seconds / 5)
        .map(|turn| {
            let at = start_ns + turn * 5 * SECOND_NS;
            let size = 40 + (turn % 7) as usize * 3;
            (at, frame(DEVICE, [192, 168, 5, 1], 17, 53, size), '0')
        })
        .collect()
}

fn attack(start_ns: i64, seconds: i64) -> Vec<(i64, Vec<u8>, char)> {
    (0..2 * seconds)
        .map(|turn| {
            (start_ns + turn * SECOND_NS / 2, frame(DEVICE, [203, 0, 113, 66], 6, 50, 0), '1')
        })
        .collect()
}

fn capture(path: &Path, packets: &[(i64, Vec<u8>, char)]) {
    let mut writer = CaptureWriter::new(Vec::new(), WriterOptions::default()).unwrap();
    for (ts_ns, bytes, _) in packets {
        writer.write(*ts_ns, bytes, bytes.len() as u32).unwrap();
    }
    std::fs::write(path, writer.finish().unwrap()).unwrap();
}

fn labels(folder: &Path, labels: &[char]) {
    let mut text = "frame,label,attack\n".to_owned();
    for (number, label) in labels.iter().enumerate() {
        let attack = if *label == '1' { "calls" } else { "" };
        text.push_str(&format!("{},{label},{attack}\n", number + 1));
    }
    std::fs::write(folder.join("labels.csv"), text).unwrap();
}

/// A scenario folder: an hour of training, an hour of test with a minute of attack.
fn scenario(root: &Path, name: &str, train: bool) -> (PathBuf, Vec<char>) {
    let folder = root.join(name);
    std::fs::create_dir(&folder).unwrap();
    let text = format!(
        "name = \"{name}\"\nkind = \"pcap\"\n[[device]]\nip = \"192.168.5.7\"\nrole = \"lock\"\n"
    );
    std::fs::write(folder.join("scenario.toml"), text).unwrap();
    if train {
        capture(&folder.join("train.pcap"), &benign(START_NS, 4_000));
    }
    let test_ns = START_NS + 10_000 * SECOND_NS;
    let mut packets = benign(test_ns, 3_600);
    packets.extend(attack(test_ns + 1_800 * SECOND_NS, 60));
    packets.sort_by_key(|packet| packet.0);
    capture(&folder.join("test.pcap"), &packets);
    let truth: Vec<char> = packets.iter().map(|packet| packet.2).collect();
    labels(&folder, &truth);
    (folder, truth)
}

fn clock() -> Duration {
    Duration::ZERO
}

fn run(root: &Path, scores: &Path) -> Report {
    let mut request = EvalRequest::new(vec![root.to_path_buf()]);
    request.seeds = 2;
    request.scores = Some(scores.to_path_buf());
    evaluate(&request, &clock, &mut |_| {}).unwrap()
}

/// Every file under a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

fn relative(files: BTreeMap<PathBuf, Vec<u8>>, folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files.into_iter().map(|(p, bytes)| (p.strip_prefix(folder).unwrap().into(), bytes)).collect()
}

/// The report without what labels may change.
fn without_figures(mut report: Report) -> Report {
    for scenario in &mut report.scenarios {
        scenario.test.attacks.clear();
        for detector in &mut scenario.detectors {
            detector.subjects.clear();
        }
    }
    report
}

#[test]
fn labels_change_the_figures_and_nothing_else() {
    let home = TempDir::new().unwrap();
    let (root, first, second) =
        (home.path().join("data"), home.path().join("first"), home.path().join("second"));
    std::fs::create_dir(&root).unwrap();
    let (folder, mut truth) = scenario(&root, "lock", true);
    let honest = run(&root, &first);
    // Any permutation will do; this one moves the attack to other windows.
    truth.rotate_right(317);
    truth.swap(0, 600);
    labels(&folder, &truth);
    let permuted = run(&root, &second);
    let (a, b) = (relative(files(&first), &first), relative(files(&second), &second));
    assert!(a.len() >= 9, "{:?}", a.keys());
    assert_eq!(a.keys().collect::<Vec<_>>(), b.keys().collect::<Vec<_>>());
    assert_eq!(a, b, "scores are the same byte for byte");
    assert_ne!(honest, permuted, "figures are not");
    assert_eq!(without_figures(honest), without_figures(permuted));
    std::fs::remove_file(folder.join("labels.csv")).unwrap();
    let third = home.path().join("third");
    let blind = run(&root, &third);
    assert_eq!(relative(files(&third), &third), a, "without labels too");
    assert!(!blind.scenarios[0].test.labelled);
}

#[test]
fn an_attack_is_found_and_told_in_every_form() {
    let home = TempDir::new().unwrap();
    let (folder, _) = scenario(home.path(), "lock", true);
    let mut request = EvalRequest::new(vec![folder]);
    request.seeds = 3;
    let report = evaluate(&request, &clock, &mut |_| {}).unwrap();
    assert!(report.is_whole());
    let scenario = &report.scenarios[0];
    assert_eq!(scenario.test.attacks, [("calls".to_owned(), 120)]);
    let ensemble = &scenario.detectors[0];
    assert_eq!(ensemble.detector, "ensemble");
    let subject = &ensemble.subjects[0];
    assert_eq!(subject.device.as_deref(), Some("192.168.5.7"));
    assert_eq!((subject.positive, subject.negative, subject.unscored), (6, 354, 0));
    assert_eq!(subject.tpr.unwrap().min, 1.0);
    assert_eq!(subject.auc.unwrap().min, 1.0);
    assert_eq!(subject.delay_windows.unwrap().max, 0.0);
    assert_eq!(subject.delay_s.unwrap().max, 10.0);
    assert_eq!(subject.missed.unwrap().max, 0.0);
    for text in [to_table(&report), to_markdown(&report), to_html(&report)] {
        assert!(text.contains("ensemble") && text.contains("192.168.5.7"));
        assert!(!text.contains(home.path().to_str().unwrap()), "no path of the machine");
    }
    let page = to_html(&report);
    assert!(page.contains("<svg") && !page.contains("<script") && !page.contains("http"));
    let back: Report = serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap();
    assert_eq!(back, report);
}

#[test]
fn a_suggested_training_is_found_beside_the_scenario() {
    let home = TempDir::new().unwrap();
    scenario(home.path(), "bed", true);
    let (folder, _) = scenario(home.path(), "other", false);
    let lonely = evaluate(&EvalRequest::new(vec![folder.clone()]), &clock, &mut |_| {}).unwrap();
    let why = lonely.scenarios[0].failed.as_ref().unwrap();
    assert!(why.contains("suggested_train"), "{why}");
    let description = std::fs::read_to_string(folder.join("scenario.toml")).unwrap();
    std::fs::write(
        folder.join("scenario.toml"),
        format!("{description}[protocol]\nsuggested_train = \"bed\"\n"),
    )
    .unwrap();
    let mut request = EvalRequest::new(vec![folder.clone()]);
    request.detectors = vec!["ensemble".to_owned()];
    request.seeds = 1;
    let report = evaluate(&request, &clock, &mut |_| {}).unwrap();
    assert_eq!(report.scenarios[0].training.from, ["bed"]);
    assert_eq!(report.scenarios[0].detectors[0].subjects[0].tpr.unwrap().min, 1.0);
    // A name that leads elsewhere is refused.
    std::fs::write(
        folder.join("scenario.toml"),
        format!("{description}[protocol]\nsuggested_train = \"../bed\"\n"),
    )
    .unwrap();
    let report = evaluate(&request, &clock, &mut |_| {}).unwrap();
    assert!(report.scenarios[0].failed.as_ref().unwrap().contains("folder beside"), "{report:?}");
}

#[test]
fn what_is_wrong_with_a_folder_is_named() {
    let home = TempDir::new().unwrap();
    let empty = home.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let error = evaluate(&EvalRequest::new(vec![empty]), &clock, &mut |_| {}).unwrap_err();
    assert!(error.to_string().contains("holds no scenario.toml"), "{error}");

    let (folder, mut truth) = scenario(home.path(), "lock", true);
    let mut request = EvalRequest::new(vec![folder.clone()]);
    request.detectors = vec!["zscore".to_owned()];
    let failed = |request: &EvalRequest| {
        let report = evaluate(request, &clock, &mut |_| {}).unwrap();
        assert!(!report.is_whole());
        report.scenarios[0].failed.clone().unwrap()
    };
    truth.pop();
    labels(&folder, &truth);
    assert!(failed(&request).contains("do not belong together"));
    std::fs::write(folder.join("labels.csv"), "frame,label,attack\n1,0,\n2,maybe,\n").unwrap();
    assert!(failed(&request).contains("line 3"));
    std::fs::write(folder.join("test.pcap"), b"no capture at all, not even nearly").unwrap();
    assert!(failed(&request).contains("test.pcap"));
    std::fs::remove_file(folder.join("test.pcap")).unwrap();
    assert!(failed(&request).contains("[test]"));
    std::fs::write(folder.join("scenario.toml"), "name = \"../out\"\nkind = \"pcap\"\n").unwrap();
    assert!(failed(&request).contains("cannot name a file"));
    std::fs::write(folder.join("scenario.toml"), "kind = 7").unwrap();
    assert!(failed(&request).contains("scenario.toml"));

    request.detectors = vec!["oracle".to_owned()];
    let error = evaluate(&request, &clock, &mut |_| {}).unwrap_err();
    assert!(matches!(&error, OfflineError::Unknown(text) if text.contains("ensemble")), "{error}");
}

/// The capture the product ships, `train` or `test` part.
fn hakai(part: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../data/captures");
    folder.join(format!("hakai-{part}.pcap.gz"))
}

#[test]
fn a_training_that_holds_an_attack_is_told_with_its_peers() {
    if !hakai("test").is_file() {
        return;
    }
    let home = TempDir::new().unwrap();
    let learn = |part: &str| {
        let mut request = TrainRequest::new(vec![hakai(part)]);
        request.baselines = false;
        train(&request, &home.path().join(part), |_| {}).unwrap().warnings
    };
    let attacked = learn("test");
    assert!(
        attacked.iter().any(|text| text.contains("not be benign") && text.contains("port 50")),
        "{attacked:?}"
    );
    let benign = learn("train");
    assert!(!benign.iter().any(|text| text.contains("not be benign")), "{benign:?}");
    assert!(benign.iter().any(|text| text.contains("180 too few")), "{benign:?}");
}

#[test]
fn every_detector_of_a_model_file_can_be_chosen_and_compared() {
    let home = TempDir::new().unwrap();
    let (folder, _) = scenario(home.path(), "lock", true);
    let model = home.path().join("lock.model");
    let made = train(&TrainRequest::new(vec![folder.join("train.pcap")]), &model, |_| {}).unwrap();
    assert!(made.detectors.len() >= 8, "{:?}", made.detectors);
    assert_eq!(made.detectors[0], ENSEMBLE);
    let out = home.path().join("out.jsonl");
    for detector in &made.detectors {
        let mut request = ScoreRequest::new(&model, folder.join("test.pcap"));
        request.detectors = vec![detector.clone()];
        let summary = score_with(&request, &out, |_| {}).unwrap();
        assert_eq!(summary.detectors, [(detector.clone(), 360)], "{detector}");
        let text = std::fs::read_to_string(&out).unwrap();
        assert_eq!(text.lines().count(), 360, "{detector}");
    }
    let mut request = ScoreRequest::new(&model, folder.join("test.pcap"));
    request.detectors = vec!["oracle".to_owned()];
    let error = score_with(&request, &out, |_| {}).unwrap_err();
    assert!(error.to_string().contains("holds no detector `oracle`: it holds"), "{error}");

    let side = |name: &str| Side::Model(model.clone(), name.to_owned());
    let compared = compare(&CompareRequest {
        a: side(ENSEMBLE),
        b: side("knn"),
        capture: None,
        scenario: Some(folder),
        options: detection::offline::eval::EvalRequest::new(Vec::new()).options,
    })
    .unwrap();
    assert_eq!(compared.windows, 360);
    assert_eq!(
        compared.both + compared.only_a + compared.only_b + compared.neither,
        compared.windows
    );
    assert!(compared.both >= 6, "{compared:?}");
    assert_eq!(compared.figures.unwrap().0.auc, Some(1.0));
}
