//! The room's own actuators, http-api against a real server.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use model::Outcome;
use model::id::TypedId;
use model::{RunId, Timestamp};
use playbooks::actuators::config::ActuatorsConfig;
use playbooks::actuators::{Outside, console, http_api};
use ports::{Actuator, ActuatorCommand, PortError, Repeat};
use serde_json::{Value, json};

use crate::room::{Room, World, action, end, playbook};

type Heard = Arc<Mutex<Vec<(String, String, String)>>>;

async fn hook(
    State(heard): State<Heard>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, String) {
    let text = |name: &str| headers.get(name).map_or("", |it| it.to_str().unwrap()).to_owned();
    let key = text("idempotency-key");
    let again = heard.lock().unwrap().iter().any(|(known, _, _)| *known == key);
    heard.lock().unwrap().push((key, text("authorization"), body));
    if again {
        (StatusCode::OK, "ticket 42".into())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "come back".into())
    }
}

async fn server(heard: Heard) -> u16 {
    let app = Router::new().route("/tickets", post(hook)).with_state(heard);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    #[allow(clippy::disallowed_methods)] // ends with the test
    tokio::spawn(async move { axum::serve(listener, app).await });
    port
}

#[tokio::test]
async fn http_commands_are_repeated_under_one_key_and_keep_their_secrets() {
    let heard: Heard = Arc::default();
    let port = server(Arc::clone(&heard)).await;
    let target = "http-api--9c0f1d2e-5b77-4bb0-8a7a-000000000011";
    let login = "http-basic--9c0f1d2e-5b77-4bb0-8a7a-000000000012";
    let commands = json!([{ "type": "http-api", "command": "POST /tickets HTTP/1.1",
        "headers": { "X-Secret": ["hush-hush"] }, "content": "about __who__:value" }]);
    let next =
        json!({ "on_completion": "@end@", "targets": [target], "out_args": ["__blocked__"] });
    let mut it = playbook(&[
        ("ticket", action("individual--9c0f1d2e-5b77-4bb0-8a7a-000000000003", commands, next)),
        ("end", end()),
    ]);
    it["target_definitions"] = json!({ target: { "type": "http-api", "name": "desk",
        "address": { "ipv4": ["127.0.0.1"] }, "port": port.to_string(), "authentication_info": login } });
    it["authentication_info_definitions"] =
        json!({ login: { "type": "http-basic", "user_id": "guard", "password": "s3cret" } });
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path(), &Arc::default()).await;
    room.start(&it).await;
    let run = room.ended().await;
    assert_eq!(run["state"], "succeeded", "{run:#}");
    assert_eq!(run["steps"][1]["outcome"]["data"]["body"], "ticket 42");
    assert_eq!(run["steps"][1]["attempts"], 2);
    let heard = heard.lock().unwrap().clone();
    assert_eq!(heard[0].0, heard[1].0, "one key");
    assert_eq!(
        (heard[0].1.as_str(), heard[0].2.as_str()),
        ("Basic Z3VhcmQ6czNjcmV0", "about nobody")
    );
    // No page and no fact shows a secret.
    let facts = room.facts("playbooks.step_finished").await;
    let shown = format!("{run}{}", serde_json::to_string(&facts).unwrap());
    for secret in ["hush-hush", "s3cret", "Z3VhcmQ6czNjcmV0"] {
        assert!(!shown.contains(secret), "{secret} is shown");
    }
    room.close().await;
}

pub(crate) fn command(verb: &str, arguments: Value) -> ActuatorCommand {
    ActuatorCommand {
        key: "key".into(),
        verb: verb.into(),
        arguments: serde_json::from_value(arguments).unwrap(),
        run: RunId::mint(Timestamp::from_secs(1), [1; 10]),
        incident: None,
    }
}

#[tokio::test]
async fn plain_http_is_spoken_with_this_machine_only() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path(), &Arc::default()).await;
    let outside = Outside::new(&room.platform, &ActuatorsConfig::default());
    let actuator = http_api::HttpApi::new(outside);
    for url in ["http://192.0.2.1/", "ftp://127.0.0.1/", "no url", "http://127.0.0.1.example/"] {
        let asked = command("request", json!({ "method": "GET", "url": url }));
        let refused = actuator.perform(&asked).await;
        assert!(matches!(refused, Err(PortError::Invalid(_))), "{url}: {refused:?}");
    }
    let nobody = command("request", json!({ "method": "GET", "url": "http://127.0.0.1:9/" }));
    assert!(matches!(actuator.perform(&nobody).await, Err(PortError::Unavailable(_))));
    room.close().await;
}

#[tokio::test]
async fn only_what_may_be_repeated_is_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path(), &Arc::default()).await;
    let config =
        ActuatorsConfig { idempotent_hosts: vec!["desk.example".into()], ..Default::default() };
    let actuator = http_api::HttpApi::new(Outside::new(&room.platform, &config));
    let repeat = |method: &str, url: &str| {
        let asked = command("request", json!({ "method": method, "url": url }));
        actuator.repeat(&asked.verb, &asked.arguments)
    };
    for method in ["GET", "PUT", "DELETE"] {
        assert_eq!(repeat(method, "https://fw.example/"), Repeat::Safe, "{method}");
    }
    for method in ["POST", "PATCH", "?"] {
        assert_eq!(repeat(method, "https://fw.example/"), Repeat::AskPerson, "{method}");
    }
    assert_eq!(repeat("POST", "https://DESK.example/x"), Repeat::Safe);
    let asked = command(
        "request",
        json!({ "method": "POST",
        "url": "https://fw.example/x", "headers": [["X-Key", "hush"]], "body": "hush" }),
    );
    let planned = actuator.plan(&asked);
    let planned = planned.await.unwrap();
    assert_eq!(planned.summary, "would send POST https://fw.example/x");
    assert!(!format!("{planned:?}").contains("hush"), "{planned:?}");
    room.close().await;
}

#[tokio::test]
async fn notices_are_shown_once_and_lead_nowhere_else() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let room = Room::open(folder.path(), &world).await;
    let mut live = room.platform.live.listen();
    let actuator = console::Console(room.platform.clone());
    let asked = command("notify", json!({ "title": "Look", "link": "//elsewhere.example/" }));
    for _ in 0..2 {
        assert!(matches!(actuator.perform(&asked).await, Ok(Outcome::Done { .. })));
    }
    let (_, list) = room.call("GET", "/api/v1/notices", Value::Null).await;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(list["items"][0]["link"], Value::Null);
    assert_eq!(live.recv().await.unwrap()["topic"], "notice");
    assert!(live.try_recv().is_err(), "told once");
    let nothing = actuator.perform(&command("notify", json!({}))).await;
    assert!(matches!(nothing, Err(PortError::Invalid(_))));
    let unknown = actuator.perform(&command("sing", json!({ "title": "x" }))).await;
    assert!(unknown.unwrap_err().to_string().contains("knows notify"));
    room.close().await;
}
