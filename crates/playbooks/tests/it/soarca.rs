//! SOARCA's interface, driven with SOARCA's own examples.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::room::{Room, block, end, playbook};

fn data() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("SERENO_TEST_DATA")?).join("cti/cacao");
    let there = folder.is_dir();
    if !there {
        eprintln!("skipped: {} is not there", folder.display());
    }
    there.then_some(folder)
}

fn read(path: PathBuf) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Every property of a definition is there, in its type.
fn check(api: &Value, definition: &str, answer: &Value) {
    let properties = api["definitions"][definition]["properties"].as_object().unwrap();
    for (name, property) in properties {
        let value = &answer[name];
        if name == "downstream-call" {
            continue;
        }
        let fits = match property["type"].as_str() {
            Some("string") => value.is_string(),
            Some("integer") => value.is_i64(),
            Some("boolean") => value.is_boolean(),
            Some("array") => value.is_array(),
            _ => value.is_object(),
        };
        assert!(fits, "{definition}.{name}: {value} in {answer:#}");
    }
}

#[tokio::test]
async fn a_manual_example_runs_as_it_does_at_soarca() {
    let Some(data) = data() else { return };
    let api = read(data.join("soarca-openapi.json"));
    let manual = read(data.join("soarca-examples/manual-playbook.json"));
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path(), &Arc::default()).await;
    let get = async |path: &str| room.call("GET", path, Value::Null).await;
    let post = async |path: &str, body: &Value| room.call("POST", path, body.clone()).await;

    let (status, stored) = post("/soarca/playbook/", &manual).await;
    assert_eq!((status, &stored), (StatusCode::OK, &manual));
    let id = manual["id"].as_str().unwrap();
    assert_eq!(get(&format!("/soarca/playbook/{id}")).await.1, manual);
    let (_, metas) = get("/soarca/playbook/meta").await;
    let meta = metas.as_array().unwrap().iter().find(|meta| meta["id"] == id).unwrap();
    check(&api, "api.PlaybookMeta", meta);
    for path in ["/soarca/playbook/", "/soarca/playbook"] {
        assert!(get(path).await.1.as_array().unwrap().contains(&manual));
    }

    let (status, begun) = post(&format!("/soarca/trigger/playbook/{id}"), &json!({})).await;
    assert_eq!(status, StatusCode::OK, "{begun}");
    check(&api, "api.Execution", &begun);
    assert_eq!(begun["payload"], id);
    let execution = begun["execution_id"].as_str().unwrap();
    let report = format!("/soarca/reporter/{execution}");
    let (_, waits) = get(&report).await;
    check(&api, "api.PlaybookExecutionReport", &waits);
    assert_eq!(waits["status"], "await_user_input");

    let (_, list) = get("/soarca/manual").await;
    let command = &list[0];
    assert_eq!(command["command"], "prepare Falcon for hyperspeed jump");
    assert!(command["out_args"]["__hyperspeed_ready__"].is_object(), "{command}");
    let step = command["step_id"].as_str().unwrap();
    assert_eq!(get(&format!("/soarca/manual/{execution}/{step}")).await.1, *command);
    let mut answer = json!({ "type": "manual-step-response", "execution_id": execution,
        "playbook_id": id, "step_id": step, "response_status": "maybe", "response_out_args":
        { "__hyperspeed_ready__": { "type": "string", "value": "true" } } });
    let (status, error) = post("/soarca/manual/continue", &answer).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    check(&api, "api.Error", &error);
    answer["response_status"] = json!("success");
    let (status, _) = post("/soarca/manual/continue", &answer).await;
    assert_eq!(status, StatusCode::OK);
    let (status, _) = post("/soarca/manual/continue", &answer).await;
    assert_eq!(status, StatusCode::CONFLICT, "an answer is given once");
    let run = room.ended().await;
    assert_eq!(run["state"], "succeeded");
    let (_, done) = get(&report).await;
    assert_eq!(done["status"], "successfully_executed", "{done:#}");
    check(&api, "api.StepExecutionReport", &done["step_results"][step]);
    assert_eq!(done["step_results"][step]["automated_execution"], false);
    assert_eq!(get("/soarca/reporter").await.1[0], done);
    assert_eq!(get("/soarca/manual").await.1, json!([]));

    let (status, _) = room.call("DELETE", &format!("/soarca/playbook/{id}"), Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(get(&format!("/soarca/playbook/{id}")).await.0, StatusCode::NOT_FOUND);
    assert_eq!(get(&report).await.1, done, "the run keeps what it executed");
    room.close().await;
}

#[tokio::test]
async fn every_example_is_run_or_refused_with_reasons_and_nothing_is_skipped() {
    let Some(data) = data() else { return };
    let api = read(data.join("soarca-openapi.json"));
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path(), &Arc::default()).await;
    let mut seen = 0;
    for entry in std::fs::read_dir(data.join("soarca-examples")).unwrap() {
        let mut example = read(entry.unwrap().path());
        seen += 1;
        // Three of them share an id.
        example["id"] = json!(format!("playbook--5d1f0f0e-8a4b-4b53-9a6d-{seen:012x}"));
        let before = room.runs().await.len();
        let (status, answer) = room.call("POST", "/soarca/trigger/playbook", example.clone()).await;
        if status == StatusCode::OK {
            check(&api, "api.Execution", &answer);
            continue;
        }
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{answer}");
        check(&api, "api.Error", &answer);
        assert_eq!(answer["original-call"], "/soarca/trigger/playbook");
        assert!(answer["message"].as_str().unwrap().len() > 20, "{answer}");
        assert_eq!(room.runs().await.len(), before, "refused before the first step");
    }
    assert_eq!(seen, 6);
    room.close().await;
}

#[tokio::test]
async fn values_go_in_and_errors_come_out_in_soarcas_form() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path(), &Arc::default()).await;
    let mut it = playbook(&[("block", block(json!({ "on_completion": "@end@" }))), ("end", end())]);
    it["playbook_variables"]["__who__"]["external"] = json!(true);
    let id = it["id"].as_str().unwrap().to_owned();
    let (status, _) = room.call("POST", "/soarca/playbook", it.clone()).await;
    assert_eq!(status, StatusCode::OK);
    let trigger = format!("/soarca/trigger/playbook/{id}");
    let given = json!({ "__who__": { "type": "string", "value": "guard" } });
    let (status, _) = room.call("POST", &trigger, given).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(room.ended().await["variables"]["__who__"], "guard");
    let mut other = it.clone();
    other["name"] = json!("Other content, same version");
    let (status, _) = room.call("PUT", &format!("/soarca/playbook/{id}"), other.clone()).await;
    assert_eq!(status, StatusCode::CONFLICT);
    other["modified"] = json!("2026-11-24T00:00:00.000Z");
    let (status, changed) = room.call("PUT", &format!("/soarca/playbook/{id}"), other).await;
    assert_eq!((status, &changed["name"]), (StatusCode::OK, &json!("Other content, same version")));

    let nobody = "018f0000-0000-7000-8000-000000000000";
    let calls = [
        ("GET", "/soarca/playbook/playbook--x".to_owned(), Value::Null, 404),
        ("DELETE", "/soarca/playbook/playbook--x".into(), Value::Null, 404),
        ("PUT", "/soarca/playbook/playbook--x".into(), json!({}), 404),
        ("POST", "/soarca/playbook/".into(), json!([]), 422),
        ("POST", "/soarca/trigger/playbook".into(), json!("x"), 422),
        ("POST", "/soarca/trigger/playbook/playbook--x".into(), json!({}), 404),
        ("POST", trigger.clone(), json!([1]), 400),
        ("POST", trigger, json!({ "__blocked__": { "value": "x" } }), 422),
        ("GET", format!("/soarca/reporter/{nobody}"), Value::Null, 404),
        ("GET", "/soarca/reporter/x".into(), Value::Null, 404),
        ("GET", format!("/soarca/manual/{nobody}/x"), Value::Null, 404),
        ("POST", "/soarca/manual/continue".into(), json!({}), 400),
        ("GET", "/soarca/keymanagement".into(), Value::Null, 403),
        ("PUT", "/soarca/keymanagement/k".into(), json!({}), 403),
        ("DELETE", "/soarca/keymanagement/k".into(), Value::Null, 403),
    ];
    for (method, path, body, expect) in calls {
        let (status, error) = room.call(method, &path, body.clone()).await;
        assert_eq!(status.as_u16(), expect, "{method} {path}: {error}");
        assert_eq!(error["status"], expect, "{method} {path}: {error}");
        assert_eq!(error["original-call"], path.as_str());
        assert!(!error["message"].as_str().unwrap().is_empty());
        let (status, error) = room.call_as(false, method, &path, body).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path} without the right");
        assert!(error["message"].is_string() && error["original-call"].is_string(), "{error}");
    }
    let (_, now) = room.call("GET", "/soarca/status", Value::Null).await;
    assert!(now["uptime"]["milliseconds"].is_i64() && now["version"].is_string(), "{now}");
    tokio::time::sleep(Duration::from_millis(1)).await;
    room.close().await;
}
