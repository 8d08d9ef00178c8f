//! Runs about incidents of others are for those alone who see that far.

use std::sync::Arc;

use axum::http::StatusCode;
use model::id::TypedId;
use model::{Severity, ShareDecision, ShareId, Timestamp};
use ports::{AccessQuestion, Authorizer};
use serde_json::{Value, json};

use crate::room::{Room, World, end, manual, notify, playbook, report};

/// Lets everybody do everything, and see up to TLP:GREEN.
struct UpToGreen;

impl Authorizer for UpToGreen {
    fn decide(&self, question: &AccessQuestion) -> ShareDecision {
        let open = ["TLP:CLEAR", "TLP:GREEN"].contains(&question.resource.as_str());
        let allowed = question.action != "see" || open;
        ShareDecision { allowed, reason: "test".into(), policies: vec![] }
    }
}

const NOBODY: &str = "0198c0de-0000-7000-8000-000000000000";

/// A run about an incident that came under TLP:AMBER, and one about our own; both wait for a person.
async fn two_runs(room: &Room, world: &World) -> (String, String) {
    let mut others = report(1, Severity::High);
    others.incident.received_share = Some(ShareId::mint(Timestamp::from_secs(1), [7; 10]));
    others.incident.title = "the curlew's nest".into();
    let own = report(2, Severity::High);
    let mut text = playbook(&[
        ("tell", notify("about __incident_title__:value", json!({ "on_completion": "@ask@" }))),
        ("ask", manual("Look", json!({ "on_completion": "@end@" }))),
        ("end", end()),
    ]);
    text["playbook_variables"]["__incident_title__"] =
        json!({ "type": "string", "external": true });
    let id = room.store(&text).await;
    let mut runs = Vec::new();
    for one in [others, own] {
        world.incidents.0.lock().unwrap().insert(one.incident.id, one.clone());
        let wanted = json!({ "playbook": id, "incident": one.incident.id });
        let (status, run) = room.call("POST", "/api/v1/runs", wanted).await;
        assert_eq!(status, StatusCode::CREATED, "{run}");
        runs.push(run["id"].as_str().unwrap().to_owned());
        room.run_in(&["waiting"]).await;
    }
    let own = runs.pop().unwrap();
    (runs.pop().unwrap(), own)
}

#[tokio::test]
async fn a_run_about_an_incident_beyond_sight_is_not_here() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let room = Room::open(folder.path(), &world).await;
    let (hidden, own) = two_runs(&room, &world).await;
    let ask = async |method: &str, path: &str, body: Value| {
        room.call_through(Arc::new(UpToGreen), method, path, body).await
    };
    for list in ["/api/v1/runs", "/api/v1/runs?state=waiting", "/soarca/reporter", "/soarca/manual"]
    {
        let (_, all) = room.call("GET", list, Value::Null).await;
        assert!(all.to_string().contains(&hidden), "{list}: {all}");
        let (status, seen) = ask("GET", list, Value::Null).await;
        assert_eq!(status, StatusCode::OK);
        let seen = seen.to_string();
        assert!(seen.contains(&own) && !seen.contains(&hidden), "{list}: {seen}");
    }
    let (_, notices) = room.call("GET", "/api/v1/notices", Value::Null).await;
    assert!(notices.to_string().contains("curlew"), "{notices}");
    let (_, notices) = ask("GET", "/api/v1/notices", Value::Null).await;
    assert!(!notices.to_string().contains("curlew"), "{notices}");
    for (method, act, body) in [
        ("GET", "", Value::Null),
        ("POST", "/pause", Value::Null),
        ("POST", "/resume", Value::Null),
        ("POST", "/cancel", Value::Null),
        ("POST", "/retry", json!({})),
        ("POST", "/steps/3/answer", json!({ "approve": true })),
        ("POST", "/steps/3/settle", json!({ "answer": "done" })),
        ("GET", "/steps/3/undo", Value::Null),
        ("POST", "/steps/3/undo", Value::Null),
    ] {
        let path = |id: &str| format!("/api/v1/runs/{id}{act}");
        let (status, said) = ask(method, &path(&hidden), body.clone()).await;
        let (missing, nothing) = ask(method, &path(NOBODY), body).await;
        assert_eq!((status, missing), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND), "{act}");
        assert_eq!(said.to_string().replace(&hidden, NOBODY), nothing.to_string(), "{act}");
    }
    let (_, run) = room.call("GET", &format!("/api/v1/runs/{hidden}"), Value::Null).await;
    assert_eq!(run["state"], "waiting", "nobody moved it: {run:#}");
    for kind in ["playbooks.run_started", "playbooks.step_finished"] {
        for fact in room.facts(kind).await {
            assert_eq!(fact.tlp.is_some(), fact.subject == hidden, "{kind}: {fact:?}");
        }
    }
    room.close().await;
}
