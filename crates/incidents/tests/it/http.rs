use std::sync::Arc;

use axum::http::StatusCode;
use model::event::FindingRaised;
use model::{Severity, ShareDecision};
use platform::http::Gate;
use ports::{AccessQuestion, Authorizer, IncidentReader};
use serde_json::{Value, json};

use crate::cases::received;
use crate::desk::{Desk, finding};

async fn call(
    desk: &Desk,
    allowed: bool,
    method: &str,
    path: &str,
    body: Value,
) -> (StatusCode, Value) {
    platform::testing::call(desk.room.router(), allowed, method, path, &body).await
}

#[tokio::test]
async fn people_move_note_and_acknowledge_within_the_law() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path()).await;
    desk.tell(&FindingRaised { finding: finding(1, 1, Severity::High) }).await;
    let (_, list) = call(&desk, true, "GET", "/api/v1/incidents?state=open", Value::Null).await;
    let path = format!("/api/v1/incidents/{}", list["items"][0]["id"].as_str().unwrap());

    let (status, _) =
        call(&desk, true, "POST", &format!("{path}/state"), json!({"state": "new", "reason": "x"}))
            .await;
    assert_eq!(status, StatusCode::CONFLICT);
    let (status, problem) = call(
        &desk,
        true,
        "POST",
        &format!("{path}/state"),
        json!({"state": "closed", "reason": " "}),
    )
    .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(problem["detail"].as_str().unwrap().contains("reason"));
    let (status, moved) = call(
        &desk,
        true,
        "POST",
        &format!("{path}/state"),
        json!({"state": "triaged", "reason": "mine"}),
    )
    .await;
    assert_eq!((status, moved["state"].as_str()), (StatusCode::OK, Some("triaged")));
    let (status, _) =
        call(&desk, true, "POST", &format!("{path}/notes"), json!({"text": "seen before"})).await;
    assert_eq!(status, StatusCode::CREATED);
    let (status, _) =
        call(&desk, true, "POST", &format!("{path}/acknowledge"), json!({"text": "ok"})).await;
    assert_eq!(status, StatusCode::OK);
    let (status, _) =
        call(&desk, true, "POST", &format!("{path}/acknowledge"), json!({"text": "ok"})).await;
    assert_eq!(status, StatusCode::CONFLICT);

    let (_, whole) = call(&desk, true, "GET", &path, Value::Null).await;
    let kinds: Vec<&str> = whole["timeline"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["finding", "state", "note", "acknowledged"]);
}

#[tokio::test]
async fn others_may_not_and_unknown_ids_are_not_found() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path()).await;
    let (routes, access) = desk.room.router().into_parts();
    drop(routes);
    assert_eq!(access.len(), 9);
    for rule in access {
        let path = rule.path.replace("{id}", "0198c0de-0000-7000-8000-000000000000");
        let (status, _) = call(&desk, false, &rule.method, &path, json!({})).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{} {path}", rule.method);
    }
    let (status, _) = call(&desk, true, "GET", "/api/v1/incidents/nonsense", Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

/// Lets everybody do everything, and see up to some labels.
struct Sees(&'static [&'static str]);

impl Authorizer for Sees {
    fn decide(&self, question: &AccessQuestion) -> ShareDecision {
        let allowed = question.action != "see" || self.0.contains(&question.resource.as_str());
        ShareDecision { allowed, reason: "test".into(), policies: vec![] }
    }
}

#[tokio::test]
async fn an_incident_of_others_beyond_sight_is_not_here() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::open(folder.path()).await;
    desk.tell(&FindingRaised { finding: finding(9, 9, Severity::High) }).await;
    let own = desk.all().await[0].incident.id;
    desk.tell(&received(1, "the curlew's nest")).await;
    let gate = |labels| Gate(Arc::new(Sees(labels)));
    let green: &[&str] = &["TLP:CLEAR", "TLP:GREEN"];
    let amber: &[&str] = &["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER"];
    let ask = async |labels, method: &str, path: String, body: Value| {
        let room = desk.room.router();
        platform::testing::call_through(room, gate(labels), method, &path, &body).await
    };
    let hidden = received(1, "").incident.id;
    let nobody = "0198c0de-0000-7000-8000-000000000000";
    let acts = [
        ("GET", "", Value::Null),
        ("POST", "/notes", json!({"text": "mine"})),
        ("POST", "/state", json!({"state": "closed", "reason": "mine"})),
        ("POST", "/acknowledge", json!({"text": "mine"})),
    ];
    for (method, act, body) in &acts {
        let path = |id: String| format!("/api/v1/incidents/{id}{act}");
        let (status, said) = ask(green, method, path(hidden.to_string()), body.clone()).await;
        let (missing, nothing) = ask(green, method, path(nobody.into()), body.clone()).await;
        assert_eq!((status, missing), (StatusCode::NOT_FOUND, StatusCode::NOT_FOUND), "{act}");
        let alike = said.to_string().replace(&hidden.to_string(), nobody);
        assert_eq!(alike, nothing.to_string(), "{act}");
    }
    let untouched = desk.room.report(hidden).await.unwrap().unwrap();
    assert_eq!(untouched.timeline.len(), 1, "nobody wrote on it: {untouched:?}");
    for state in ["all", "open"] {
        let path = format!("/api/v1/incidents?state={state}");
        let ids = async |labels| {
            let (_, list) = ask(labels, "GET", path.clone(), Value::Null).await;
            let items = list["items"].as_array().unwrap().clone();
            items.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(ids(green).await, [own.to_string()], "our own stays");
        assert_eq!(ids(amber).await.len(), 2);
    }
    for (method, act, body) in acts {
        let path = format!("/api/v1/incidents/{hidden}{act}");
        let (status, said) = ask(amber, method, path, body).await;
        assert!(status.is_success() || status == StatusCode::CONFLICT, "{act}: {said}");
    }
    for kind in ["incidents.opened", "incidents.changed", "incidents.acknowledged"] {
        for fact in desk.facts(kind).await {
            let others = fact.subject == hidden.to_string();
            assert_eq!(
                fact.tlp.is_some(),
                others,
                "{kind} carries the label of others' word: {fact:?}"
            );
        }
    }
}
