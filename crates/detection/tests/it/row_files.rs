//! `detect train` and `score` on rows: the models survive their file, and the scores are those that
//! `eval` measures.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::path::{Path, PathBuf};

use detection::offline::eval::{EvalRequest, evaluate};
use detection::offline::scenario::Scenario;
use detection::offline::{
    OfflineError, RowTraining, ScoreRequest, TrainRequest, score_rows, score_with, train,
    train_rows,
};
use ed25519_dalek::SigningKey;

/// A device that talks to one server, and later scans.
fn flows(folder: &Path) -> Scenario {
    let line = |second: u64| {
        let attack = second >= 6_500;
        let (host, state) = if attack { (second % 200, "S0") } else { (9, "SF") };
        format!(
            "{{\"ts\":{second}.5,\"id.orig_h\":\"10.0.0.5\",\"id.orig_p\":{},\
             \"id.resp_h\":\"10.0.0.{host}\",\"id.resp_p\":443,\"proto\":\"tcp\",\
             \"orig_pkts\":4,\"orig_bytes\":{},\"resp_pkts\":{},\"conn_state\":\"{state}\"}}\n",
            40_000 + second % 1_000,
            400 + second % 7,
            if attack { 0 } else { 3 },
        )
    };
    let rows = |range: std::ops::Range<u64>| range.map(line).collect::<String>();
    std::fs::write(folder.join("train.jsonl"), rows(0..6_000)).unwrap();
    std::fs::write(folder.join("test.jsonl"), rows(6_000..7_000)).unwrap();
    let toml = "name = \"made\"\nkind = \"rows-jsonl\"\n[[device]]\nip = \"10.0.0.5\"\n";
    std::fs::write(folder.join("scenario.toml"), toml).unwrap();
    Scenario::read(folder).unwrap()
}

/// A valve and a level, without addresses.
fn values(folder: &Path) -> Scenario {
    let line = |second: u64| {
        let level = if second >= 6_500 { 90.0 } else { 20.0 + (second % 5) as f64 };
        format!("{second},{level},{}\n", if second.is_multiple_of(2) { "open" } else { "shut" })
    };
    let rows = |range: std::ops::Range<u64>| {
        format!("time,level,valve\n{}", range.map(line).collect::<String>())
    };
    std::fs::write(folder.join("train.csv"), rows(0..6_000)).unwrap();
    std::fs::write(folder.join("test.csv"), rows(6_000..7_000)).unwrap();
    std::fs::write(
        folder.join("scenario.toml"),
        "name = \"made\"\nkind = \"rows-csv\"\n[[device]]\nip = \"10.0.0.5\"\n",
    )
    .unwrap();
    Scenario::read(folder).unwrap()
}

/// Scenarios of the developer data with messages, where they are present.
fn messages(name: &str) -> Option<Scenario> {
    let data = std::env::var_os("SERENO_TEST_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let folder = data.join("detection").join(name);
    if !folder.exists() {
        eprintln!("skipped: {name} (SERENO_TEST_DATA)");
        return None;
    }
    Some(Scenario::read(&folder).unwrap())
}

fn sorted(path: &Path) -> Vec<String> {
    let mut lines: Vec<String> =
        std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// Trains, scores through the file, and compares with the lines that `eval --scores` writes.
fn same_as_eval(scenario: &Scenario, detectors: &[&str], baselines: bool) -> (usize, u64) {
    let folder = tempfile::tempdir().unwrap();
    let (model, out) = (folder.path().join("model"), folder.path().join("lines"));
    let training = RowTraining { baselines, ..RowTraining::default() };
    let trained = train_rows(scenario, &training, &model, |_| {}).unwrap();
    assert_eq!(trained.signed_by, None);
    let scores = folder.path().join("scores");
    let request = EvalRequest {
        scenarios: vec![scenario.folder.clone()],
        detectors: detectors.iter().map(|name| (*name).to_owned()).collect(),
        seeds: 1,
        scores: Some(scores.clone()),
        ..EvalRequest::new(Vec::new())
    };
    evaluate(&request, &|| std::time::Duration::ZERO, &mut |_| {}).unwrap();
    let (mut lines, mut alerts) = (0, 0);
    for detector in detectors {
        let mut request = ScoreRequest::new(&model, scenario.test.clone().unwrap());
        request.detectors = vec![(*detector).to_owned()];
        let summary = score_rows(&request, &out).unwrap();
        let measured = scores.join(&scenario.name).join(format!("{detector}.jsonl"));
        assert_eq!(sorted(&out), sorted(&measured), "{} {detector}", scenario.name);
        lines += sorted(&out).len();
        alerts += summary.alerts;
    }
    assert!(lines > 0);
    (lines, alerts)
}

#[test]
fn flows_and_values_score_as_they_are_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    let (_, alerts) = same_as_eval(&flows(folder.path()), &["ensemble", "windows", "knn"], true);
    assert!(alerts >= 100, "{alerts}");
    let folder = tempfile::tempdir().unwrap();
    let (_, alerts) = same_as_eval(&values(folder.path()), &["ensemble", "rows"], false);
    assert!(alerts >= 90, "{alerts}");
}

#[test]
fn messages_score_as_they_are_evaluated() {
    for (name, detector) in [("goose", "goose"), ("mms-scanning", "mms")] {
        let Some(scenario) = messages(name) else { return };
        let (lines, alerts) = same_as_eval(&scenario, &["ensemble", detector], false);
        eprintln!("{name}: {lines} lines, {alerts} alerts");
        assert!(alerts > 0);
    }
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let scenario = values(folder.path());
    let path = |name: &str| folder.path().join(name);
    let signer = Some(SigningKey::from_bytes(&[7; 32]));
    let training = RowTraining { signer, ..RowTraining::default() };
    let trained = train_rows(&scenario, &training, &path("model"), |_| {}).unwrap();
    assert!(trained.signed_by.is_some());
    let test = scenario.test.clone().unwrap();
    let text = |error: OfflineError| error.to_string();

    // A detector that is not in the file, a capture, a changed and a newer file.
    let mut request = ScoreRequest::new(path("model"), &test);
    request.detectors = vec!["knn".to_owned()];
    let error = text(score_rows(&request, &path("out")).unwrap_err());
    assert!(error.contains("knn") && error.contains("rows"), "{error}");
    let request = ScoreRequest::new(path("model"), path("some.pcap"));
    let error = text(score_with(&request, &path("out"), |_| {}).unwrap_err());
    assert!(error.contains("trained on rows"), "{error}");
    let bytes = std::fs::read(path("model")).unwrap();
    let newer =
        String::from_utf8_lossy(&bytes).replace("\"version\":1,\"form\"", "\"version\":9,\"form\"");
    std::fs::write(path("changed"), newer).unwrap();
    let error =
        text(score_rows(&ScoreRequest::new(path("changed"), &test), &path("out")).unwrap_err());
    assert!(error.contains("changed") && error.contains("rows"), "{error}");
    std::fs::write(path("cut"), &bytes[..bytes.len() / 2]).unwrap();
    let error = text(score_rows(&ScoreRequest::new(path("cut"), &test), &path("out")).unwrap_err());
    assert!(error.contains("cut"), "{error}");

    let mut request = ScoreRequest::new(path("model"), &test);
    request.signer = Some(SigningKey::from_bytes(&[8; 32]).verifying_key());
    let error = text(score_rows(&request, &path("out")).unwrap_err());
    assert!(error.contains("sign"), "{error}");

    // Nothing to learn from says how much there was.
    std::fs::write(path("train.csv"), "time,level,valve\nx,1,open\n").unwrap();
    let error =
        text(train_rows(&scenario, &RowTraining::default(), &path("none"), |_| {}).unwrap_err());
    assert!(error.contains("train.csv") && error.contains("no time"), "{error}");
    assert!(!path("none").exists());
    let captures = TrainRequest::new(vec![path("train.csv")]);
    assert!(train(&captures, &path("none"), |_| {}).is_err());
}
