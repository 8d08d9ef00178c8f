//! The whole loop: two nodes, a gateway, a real capture.

use serde_json::Value;

use crate::programs::{demo, json, output, sereno};

/// Checks one report.
pub(crate) fn check(report: &Value) {
    assert_eq!(report["missing"], serde_json::json!([]), "{report:#}");
    assert_eq!(report["share"]["decision"]["allowed"], true, "{report:#}");
    assert!(!report["share"]["decision"]["reason"].as_str().unwrap().is_empty());
    assert_eq!(report["share"]["receipt_verified"], true, "{report:#}");
    assert_eq!(report["ledger"]["verified"], true, "{report:#}");
    assert_eq!(report["run"]["state"], "succeeded", "{report:#}");
    assert!(report["finding"]["why"].as_array().is_some_and(|why| !why.is_empty()), "{report:#}");
    // Packet time speaks of 2018, wall time of today.
    assert!(report["finding"]["first_at"].as_str().unwrap().starts_with("2018-07-31T14:2"));
    assert!(!report["finding"]["recorded_at"].as_str().unwrap().starts_with("2018"));
    let enforcement = &report["enforcement"];
    if let Some(reason) = enforcement["not_enforced"].as_str() {
        assert!(!reason.is_empty());
        eprintln!("not enforced on this machine: {reason}");
    } else {
        assert!(enforcement["dropped_after"].as_u64().unwrap() > 0, "{report:#}");
        let before = enforcement["forwarded_before"].as_u64().unwrap();
        assert_eq!(enforcement["forwarded_after"].as_u64().unwrap(), before, "{report:#}");
    }
}

#[test]
fn the_loop_is_walked_through_the_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let done = output(demo(&data).args(["--speed", "720"]));
    check(&json(&done));
    assert!(done.status.success());
    // Both logs hold afterwards, offline.
    for side in ["operator", "cert"] {
        let verified =
            output(sereno().args(["ledger", "verify", "--json", "--data"]).arg(data.join(side)));
        assert_eq!(json(&verified)["verified"], true);
    }
    // And the second command removes everything.
    assert!(output(sereno().args(["demo", "remove", "--data"]).arg(&data)).status.success());
    assert!(!data.exists());
}

#[test]
fn without_namespaces_the_loop_says_that_nothing_is_enforced() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo");
    let done = output(demo(&data).args(["--speed", "1440", "--no-enforce"]));
    let report = json(&done);
    check(&report);
    let reason = report["enforcement"]["not_enforced"].as_str().unwrap();
    assert!(reason.contains("--no-enforce"), "{report:#}");
    let incident = report["incident"]["state"].as_str().unwrap();
    assert_ne!(incident, "contained", "a block that is not enforced contains nothing");
}
