//! Credentials by name: used, never shown, only with their hosts.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::any;
use serde_json::{Value, json};

use crate::room::{Room, action, end, playbook};

type Heard = Arc<Mutex<Vec<String>>>;

/// Answers with the credentials it was sent: the rudest of all servers.
async fn echo(State(heard): State<Heard>, headers: HeaderMap) -> String {
    let said = headers.get("authorization").map_or("", |it| it.to_str().unwrap()).to_owned();
    heard.lock().unwrap().push(said.clone());
    format!("you said {said}; {}", hex_free(&said))
}

/// The password inside a Basic header, in the clear.
fn hex_free(header: &str) -> String {
    use base64::Engine as _;
    let encoded = header.trim_start_matches("Basic ");
    let bytes = base64::engine::general_purpose::STANDARD.decode(encoded).unwrap_or_default();
    String::from_utf8(bytes).unwrap_or_default()
}

async fn server(heard: Heard) -> u16 {
    let app = Router::new().fallback(any(echo)).with_state(heard);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    #[allow(clippy::disallowed_methods)] // ends with the test
    tokio::spawn(async move { axum::serve(listener, app).await });
    port
}

fn asking(port: u16, info: Value) -> Value {
    let kind = info["type"].as_str().unwrap().to_owned();
    let target = "http-api--9c0f1d2e-5b77-4bb0-8a7a-000000000011";
    let login = format!("{kind}--9c0f1d2e-5b77-4bb0-8a7a-000000000012");
    let commands = json!([{ "type": "http-api", "command": "GET /x HTTP/1.1" }]);
    let next = json!({ "on_completion": "@end@", "targets": [target], "out_args": ["__body__"] });
    let mut it = playbook(&[
        ("ask", action("individual--9c0f1d2e-5b77-4bb0-8a7a-000000000003", commands, next)),
        ("end", end()),
    ]);
    it["playbook_variables"]["__body__"] = json!({ "type": "string", "value": "" });
    it["target_definitions"] = json!({ target: { "type": "http-api", "name": "desk",
        "address": { "ipv4": ["127.0.0.1"] }, "port": port.to_string(), "authentication_info": login } });
    it["authentication_info_definitions"] = json!({ login: info });
    it
}

#[tokio::test]
async fn secrets_log_in_and_are_shown_nowhere() {
    let heard: Heard = Arc::default();
    let port = server(Arc::clone(&heard)).await;
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path(), &Arc::default()).await;
    let value = json!({ "value": "sesame-open\n", "hosts": ["127.0.0.1"] });
    let (status, _) = room.call("PUT", "/api/v1/secrets/desk", value).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let basic = json!({ "type": "http-basic", "user_id": "guard", "kms": true,
        "kms_key_identifier": "desk" });
    room.start(&asking(port, basic)).await;
    let run = room.ended().await;
    assert_eq!(run["state"], "succeeded", "{run:#}");
    assert_eq!(heard.lock().unwrap()[0], "Basic Z3VhcmQ6c2VzYW1lLW9wZW4=", "guard:sesame-open");

    let (_, listed) = room.call("GET", "/api/v1/secrets", Value::Null).await;
    assert_eq!(listed["items"][0]["name"], "desk");
    let facts = room.facts("playbooks.step_finished").await;
    let shown = format!("{run}{listed}{}", serde_json::to_string(&facts).unwrap());
    let database = std::fs::read(room.platform.data.database()).unwrap();
    let wal = room.platform.data.database().with_extension("db-wal");
    let stored = [database, std::fs::read(wal).unwrap_or_default()].concat();
    for secret in ["sesame-open", "Z3VhcmQ6c2VzYW1lLW9wZW4"] {
        assert!(!shown.contains(secret), "{secret} is shown: {shown}");
        let found = stored.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{secret} lies in the database in the clear");
    }
    room.close().await;
}

#[tokio::test]
async fn a_secret_is_for_its_hosts_only() {
    let heard: Heard = Arc::default();
    let port = server(Arc::clone(&heard)).await;
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path(), &Arc::default()).await;
    let value = json!({ "value": "sesame-open", "hosts": ["fw.example"] });
    room.call("PUT", "/api/v1/secrets/fw", value).await;
    let token = |name: &str| {
        json!({ "type": "oauth2", "oauth_header": "Bearer", "token": "", "kms": true,
            "kms_key_identifier": name })
    };
    room.start(&asking(port, token("fw"))).await;
    let run = room.ended().await;
    assert_eq!(run["state"], "failed", "{run:#}");
    let reason = run["steps"][1]["outcome"]["reason"].as_str().unwrap();
    assert!(reason.contains("--for 127.0.0.1"), "{reason}");
    // What names a secret that is not here is not begun, and said to be so before.
    let mut absent = asking(port, token("none"));
    absent["modified"] = json!("2026-11-24T00:00:00.000Z");
    let (_, report) = room.call("POST", "/api/v1/playbooks/validate", absent.clone()).await;
    assert_eq!(report["runnable"]["ok"], false, "{report}");
    let says = "sereno secret set none";
    assert!(report["runnable"]["missing"].to_string().contains(says), "{report}");
    let id = room.store(&absent).await;
    let (_, detail) = room.call("GET", &format!("/api/v1/playbooks/{id}"), Value::Null).await;
    assert!(detail["report"]["runnable"]["missing"].to_string().contains(says), "{detail}");
    let (status, said) = room.call("POST", "/api/v1/runs", json!({ "playbook": id })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
    assert!(said["errors"].to_string().contains(says), "{said}");
    let told: Vec<String> =
        room.facts("playbooks.secret_changed").await.into_iter().map(|it| it.sentence).collect();
    assert_eq!(told, ["Secret 'fw' set by local administrator for fw.example"]);
    assert!(heard.lock().unwrap().is_empty(), "nothing was sent");

    let (status, _) = room.call("DELETE", "/api/v1/secrets/fw", Value::Null).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, _) = room.call("DELETE", "/api/v1/secrets/fw", Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    for bad in [json!({ "value": "", "hosts": ["a"] }), json!({ "value": "x", "hosts": [] })] {
        let (status, problem) = room.call("PUT", "/api/v1/secrets/x", bad).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    }
    room.close().await;
}

#[tokio::test]
async fn actuators_tell_what_is_there_and_how_to_have_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path(), &Arc::default()).await;
    let (_, list) = room.call("GET", "/api/v1/actuators", Value::Null).await;
    let items = list["items"].as_array().unwrap();
    let one = |name: &str| items.iter().find(|it| it["name"] == name).unwrap().clone();
    assert_eq!(one("http-api")["configured"], true);
    assert_eq!(one("http-api")["commands"], json!(["http-api"]));
    for absent in [
        "ssh",
        "bash",
        "mail",
        "mqtt",
        "webhook",
        "matrix",
        "mattermost",
        "caldera",
        "elastic",
        "jupyter",
    ] {
        let it = one(absent);
        assert_eq!(it["configured"], false, "{it}");
        assert!(it["remedy"].as_str().unwrap().contains("playbooks.actuators."), "{it}");
    }
    let (status, said) = room.call("POST", "/api/v1/actuators/console/test", Value::Null).await;
    assert_eq!((status, &said["ok"]), (StatusCode::OK, &Value::Null));
    let (status, _) = room.call("POST", "/api/v1/actuators/none/test", Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let commands = json!([{ "type": "bash", "command": "true" }, { "type": "yara", "command_b64": "cnVsZSB4IHt9" }]);
    let it = playbook(&[
        (
            "run",
            action(
                "individual--9c0f1d2e-5b77-4bb0-8a7a-000000000003",
                commands,
                json!({ "on_completion": "@end@" }),
            ),
        ),
        ("end", end()),
    ]);
    let (_, report) = room.call("POST", "/api/v1/playbooks/validate", it).await;
    let missing = report["runnable"]["missing"].to_string();
    assert!(missing.contains("playbooks.actuators.bash"), "{missing}");
    assert!(missing.contains("of the type yara are not carried out here"), "{missing}");
    room.close().await;
}
