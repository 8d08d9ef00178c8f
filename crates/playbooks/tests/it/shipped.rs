//! The playbooks that come with the program.

use std::sync::Arc;

use axum::http::StatusCode;
use playbooks::signature::{Trust, public_key, verify};
use playbooks::{Config, Signatures, abilities, explain, shipped, validate};
use serde_json::{Value, json};

use crate::room::{Room, World};

#[test]
fn shipped_playbooks_are_valid_without_a_warning_and_run_here() {
    for shipped in shipped::all() {
        let playbook: Value = serde_json::from_str(shipped.body).unwrap();
        let report = validate(&playbook, &abilities::standard());
        assert!(report.valid && report.runnable.ok, "{report:#?}");
        assert!(report.warnings.is_empty(), "{:#?}", report.warnings);
        let words = explain(&serde_json::from_value(playbook).unwrap());
        assert!(words.contains("ask gateway to block ("), "{words}");
    }
}

#[test]
fn shipped_playbooks_are_signed_with_the_documented_key() {
    let key = public_key(shipped::PROJECT_KEY.as_bytes()).unwrap();
    let trust = Trust { trusted: vec![key.fingerprint], ..Trust::default() };
    for shipped in shipped::all() {
        let playbook: Value = serde_json::from_str(shipped.body).unwrap();
        let at = "2026-12-01T00:00:00Z".parse().unwrap();
        let verdict = verify(&playbook, &trust, at);
        assert!(verdict.valid, "{}: {verdict:#?}", playbook["name"]);
    }
}

/// Where signatures are required the shipped playbooks run, and each of them is rehearsed to its end without touching anything.
#[tokio::test]
async fn shipped_playbooks_are_rehearsed_where_signatures_are_required() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let config = Config { signatures: Signatures::Require, ..Config::default() };
    let room = Room::open_with(folder.path(), &world, config).await;
    let (_, list) = room.call("GET", "/api/v1/playbooks", Value::Null).await;
    let all = list["items"].as_array().unwrap();
    assert_eq!(all.len(), shipped::all().len());
    let given = json!({ "__incident__": "0197aaaa-0000-7000-8000-000000000001", "__incident_title__": "Camera 7 scans",
        "__device_name__": "Camera 7", "__device_mac__": "00:00:5e:00:53:01",
        "__device_address__": "192.0.2.7" });
    for playbook in all {
        let name = &playbook["name"];
        let body = json!({ "playbook": playbook["id"], "variables": given, "dry_run": true });
        let (status, run) = room.call("POST", "/api/v1/runs", body).await;
        assert_eq!(status, StatusCode::CREATED, "{name}: {run:#}");
        let path = format!("/api/v1/runs/{}", run["id"].as_str().unwrap());
        let mut state = String::new();
        for _ in 0..500 {
            let (_, run) = room.call("GET", &path, Value::Null).await;
            state = run["state"].as_str().unwrap().to_owned();
            if !["running", "waiting"].contains(&state.as_str()) {
                break;
            }
            let waiting: Vec<&Value> = run["steps"]
                .as_array()
                .unwrap()
                .iter()
                .filter(|step| step["state"] == "waiting")
                .collect();
            for step in waiting {
                let answer = json!({ "approve": true, "variables": { "__healthy__": "true",
                    "__safe__": "true", "__quiet__": "true", "__flood__": "false", "__agree__": "true",
                    "__alone__": "true", "__goes_on__": "false", "__closed__": "true" } });
                let step = step["step"].as_str().unwrap_or_default();
                room.call("POST", &format!("{path}/steps/{step}/answer"), answer).await;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        assert_eq!(state, "succeeded", "{name}");
    }
    assert!(world.verbs().is_empty(), "a rehearsal touches nothing: {:?}", world.verbs());
    room.close().await;
}
