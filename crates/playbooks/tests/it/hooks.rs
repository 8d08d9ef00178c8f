//! Webhooks that start playbooks: who may call, what reaches the playbook, once for each call.

use std::sync::Arc;

use axum::http::StatusCode;
use platform::standard_webhook::{key, signature};
use playbooks::{MAX_CALLS_PER_MINUTE, MAX_HOOK_BODY_BYTES};
use serde_json::{Value, json};

use crate::room::{Room, World};
use crate::triggers::telling;

/// What a caller has of a hook.
struct Hook {
    playbook: String,
    trigger: String,
    path: String,
    secret: String,
}

impl Hook {
    async fn make(room: &Room, it: &Value, trigger: Value) -> Self {
        let playbook = room.store(it).await;
        let made = room.trigger(&playbook, trigger).await;
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        let (trigger, path, secret) = (text("id"), text("hook"), text("secret"));
        Self { playbook, trigger, path, secret }
    }

    async fn call(&self, room: &Room, id: &str, body: &Value) -> (StatusCode, Value) {
        let headers = [("webhook-secret", self.secret.clone()), ("webhook-id", id.into())];
        room.hook(&self.path, &headers, body.to_string()).await
    }
}

async fn room(folder: &std::path::Path) -> Room {
    let config = playbooks::Config { install_shipped: false, ..playbooks::Config::default() };
    Room::open_with(folder, &Arc::<World>::default(), config).await
}

fn mapped() -> Value {
    let mut it = telling(&["__who__", "__text__"]);
    it["playbook_variables"]["__address__"] = json!({ "type": "ipv4-addr", "external": true });
    it["playbook_variables"]["__who__"]["value"] = json!("somebody");
    it
}

fn mapping() -> Value {
    json!({ "on": "webhook", "fields": { "who": "__who__", "/alarm/ip": "__address__", "text": "__text__" } })
}

#[tokio::test]
async fn a_call_starts_one_run_with_the_fields_that_the_trigger_names() {
    let folder = tempfile::tempdir().unwrap();
    let room = room(folder.path()).await;
    let hook = Hook::make(&room, &mapped(), mapping()).await;
    let evil = "$(touch /tmp/x); `id` \"'\\ __who__:value\n";
    let body =
        json!({ "alarm": { "ip": "192.0.2.7" }, "text": evil, "__blocked__": "true", "more": 1 });
    let (status, answer) = hook.call(&room, "call-1", &body).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    assert_eq!((&answer["repeated"], &answer["ignored"]), (&json!(false), &json!(2)), "{answer}");
    let run = room.ended().await;
    assert_eq!(run["id"], answer["run"]);
    assert_eq!(run["variables"]["__address__"], "192.0.2.7");
    assert_eq!(run["variables"]["__text__"], evil, "as it came, and never looked into");
    assert_eq!(run["variables"]["__who__"], "somebody", "what is not sent keeps its value");
    assert_eq!(run["variables"]["__blocked__"], "false");
    assert!(run["trigger"].as_str().unwrap().contains("on calls of its webhook"), "{run:#}");
    // The same call again, also after the node died: the same run.
    let (status, again) = hook.call(&room, "call-1", &json!({})).await;
    // What it lacks is said before: a repetition is one that could have been taken.
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{again}");
    let (_, again) = hook.call(&room, "call-1", &body).await;
    assert_eq!((&again["run"], &again["repeated"]), (&answer["run"], &json!(true)));
    room.close().await;
    let config = playbooks::Config { install_shipped: false, ..playbooks::Config::default() };
    let room = Room::open_with(folder.path(), &Arc::default(), config).await;
    let (_, again) = hook.call(&room, "call-1", &body).await;
    assert_eq!((&again["run"], &again["repeated"]), (&answer["run"], &json!(true)));
    hook.call(&room, "call-2", &body).await;
    room.count(2).await;
    let (_, hooks) = room.call("GET", "/api/v1/hooks", Value::Null).await;
    assert_eq!(hooks["items"][0]["started"], 2, "{hooks}");
    assert!(!hooks.to_string().contains("whsec_"), "the secret is shown once");
    room.close().await;
}

#[tokio::test]
async fn whoever_does_not_know_the_secret_learns_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let room = room(folder.path()).await;
    let hook = Hook::make(&room, &telling(&[]), json!({ "on": "webhook" })).await;
    let id = hook.playbook.clone();
    let schedule = room.trigger(&id, json!({ "on": "schedule", "at": "03:00" })).await;
    let nobody = "/api/v1/hooks/018f0000-0000-7000-8000-000000000000".to_owned();
    let not_a_hook = format!("/api/v1/hooks/{}", schedule["id"].as_str().unwrap());
    let wrong = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned();
    let mut texts = Vec::new();
    for (path, secret) in [
        (&hook.path, Some(wrong.clone())),
        (&hook.path, None),
        (&nobody, Some(hook.secret.clone())),
        (&not_a_hook, Some(hook.secret.clone())),
        (&"/api/v1/hooks/x".to_owned(), Some(wrong)),
    ] {
        let headers: Vec<(&str, String)> =
            secret.into_iter().map(|secret| ("webhook-secret", secret)).collect();
        let (status, problem) = room.hook(path, &headers, "{}").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}: {problem}");
        texts.push(problem.to_string());
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:#?}");
    // Rotated: the old secret is one of those. Revoked: the new one too.
    let path = format!("/api/v1/playbooks/{}/triggers/{}", hook.playbook, hook.trigger);
    let (_, rotated) = room.call("POST", &format!("{path}/rotate"), Value::Null).await;
    let fresh = Hook { secret: rotated["secret"].as_str().unwrap().into(), ..hook };
    assert_eq!(fresh.call(&room, "1", &json!({})).await.0, StatusCode::ACCEPTED);
    let (_, revoked) = room.call("POST", &format!("{path}/revoke"), Value::Null).await;
    assert_eq!((&revoked["hook"], &revoked["secret"]), (&Value::Null, &Value::Null));
    let (status, problem) = fresh.call(&room, "2", &json!({})).await;
    assert_eq!((status, problem.to_string()), (StatusCode::UNAUTHORIZED, texts.remove(0)));
    room.count(1).await;
    let other = format!("/api/v1/playbooks/{id}/triggers/{}", schedule["id"].as_str().unwrap());
    let (status, _) = room.call("POST", &format!("{other}/rotate"), Value::Null).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "a schedule has no secret");
    room.close().await;
}

#[tokio::test]
async fn a_signed_call_counts_once_and_only_signed_ones_where_that_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let room = room(folder.path()).await;
    let trigger = json!({ "on": "webhook", "signed": true, "fields": { "text": "__text__" } });
    let hook = Hook::make(&room, &telling(&["__text__"]), trigger).await;
    let body = json!({ "text": "x" });
    assert_eq!(hook.call(&room, "1", &body).await.0, StatusCode::UNAUTHORIZED, "bare");
    let secret = key(&hook.secret).unwrap();
    let now_s = room.platform.now().as_micros() / 1_000_000;
    let signed = |id: &str, at_s: i64| {
        [
            ("webhook-id", id.to_owned()),
            ("webhook-timestamp", at_s.to_string()),
            ("webhook-signature", signature(&secret, id, at_s, &body.to_string())),
        ]
    };
    let (status, first) = room.hook(&hook.path, &signed("msg_1", now_s), body.to_string()).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{first}");
    let (_, again) = room.hook(&hook.path, &signed("msg_1", now_s), body.to_string()).await;
    assert_eq!((&again["run"], &again["repeated"]), (&first["run"], &json!(true)));
    let (status, _) = room.hook(&hook.path, &signed("msg_2", now_s - 400), body.to_string()).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "too old");
    let (status, _) = room.hook(&hook.path, &signed("msg_3", now_s), r#"{"text": "y"}"#).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED, "another body");
    room.count(1).await;
    room.close().await;
}

#[tokio::test]
async fn a_body_that_does_not_fit_starts_nothing_and_is_told_why() {
    let folder = tempfile::tempdir().unwrap();
    let room = room(folder.path()).await;
    let hook = Hook::make(&room, &mapped(), mapping()).await;
    let secret = [("webhook-secret", hook.secret.clone())];
    for (body, line) in [
        (r#"{"alarm": {"ip": "192.0.2.7"}}"#.to_owned(), "text is missing"),
        (r#"{"alarm": {"ip": "nowhere"}, "text": "x"}"#.to_owned(), "is no ipv4-addr"),
        (r#"{"alarm": {"ip": null}, "text": "x"}"#.to_owned(), "/alarm/ip is missing"),
        (r#"{"alarm": {"ip": "192.0.2.7"}, "text": "a\u0000b"}"#.to_owned(), "zero byte"),
        (
            json!({ "alarm": { "ip": "192.0.2.7" }, "text": "x".repeat(17_000) }).to_string(),
            "16384 bytes",
        ),
        ("[1]".to_owned(), "no JSON object"),
        ("{".to_owned(), "no JSON"),
        ("[".repeat(10_000), "no JSON"),
    ] {
        let (status, problem) = room.hook(&hook.path, &secret, body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{line}: {problem}");
        assert!(problem.to_string().contains(line), "{line}: {problem}");
    }
    let (status, problem) =
        room.hook(&hook.path, &secret, " ".repeat(MAX_HOOK_BODY_BYTES + 1)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(problem["detail"].as_str().unwrap().contains("65536"), "{problem}");
    let long = [("webhook-secret", hook.secret.clone()), ("webhook-id", "x".repeat(201))];
    let (status, _) = room.hook(&hook.path, &long, "{}").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(room.runs().await.is_empty());
    room.close().await;
}

#[tokio::test]
async fn more_calls_than_a_minute_has_are_told_to_wait_and_the_stop_asks() {
    let folder = tempfile::tempdir().unwrap();
    let room = room(folder.path()).await;
    let hook = Hook::make(&room, &telling(&[]), json!({ "on": "webhook" })).await;
    room.call("POST", "/api/v1/automation/stop", json!({ "reason": "works" })).await;
    let (status, asked) = hook.call(&room, "1", &json!({})).await;
    assert_eq!((status, &asked["run"]), (StatusCode::ACCEPTED, &Value::Null), "{asked}");
    assert!(asked["proposal"].is_string(), "{asked}");
    let mut last = StatusCode::ACCEPTED;
    // The minute may turn once on the way.
    for _ in 0..2 * MAX_CALLS_PER_MINUTE + 1 {
        last = hook.call(&room, "1", &json!({})).await.0;
        if last != StatusCode::ACCEPTED {
            break;
        }
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    assert!(room.runs().await.is_empty());
    room.close().await;
}

#[tokio::test]
async fn a_call_that_names_a_device_is_judged_by_it() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    *world.criticality.lock().unwrap() = Some(model::Severity::Critical);
    let config = playbooks::Config { install_shipped: false, ..playbooks::Config::default() };
    let room = Room::open_with(folder.path(), &world, config).await;
    let mut it = telling(&["__device__"]);
    it["playbook_variables"]["__device__"]["value"] = json!("");
    let hook =
        Hook::make(&room, &it, json!({ "on": "webhook", "fields": { "device": "__device__" } }))
            .await;
    let device = "018f0000-0000-7000-8000-000000000001";
    let (_, asked) = hook.call(&room, "1", &json!({ "device": device })).await;
    assert!(asked["run"].is_null() && asked["proposal"].is_string(), "{asked}");
    // The repetition is told what the first call led to.
    let (_, again) = hook.call(&room, "1", &json!({ "device": device })).await;
    assert_eq!((&again["proposal"], &again["repeated"]), (&asked["proposal"], &json!(true)));
    let (_, none) = hook.call(&room, "2", &json!({})).await;
    assert!(none["run"].is_string(), "it names none: {none}");
    room.close().await;
}
