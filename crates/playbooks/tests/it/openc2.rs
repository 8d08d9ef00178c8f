//! OpenC2 over HTTPS against a consumer that keeps to the specification's words.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use model::Outcome;
use playbooks::actuators::Outside;
use playbooks::actuators::config::ActuatorsConfig;
use playbooks::actuators::openc2::OpenC2;
use ports::{Actuator, Repeat};
use serde_json::{Value, json};

use crate::actuators::command;
use crate::room::{Room, action, end, playbook};

type Heard = Arc<Mutex<Vec<(HeaderMap, Value)>>>;

const MEDIA_TYPE: &str = "application/openc2+json;version=1.0";

/// A packet filter that knows denying, asking and deleting alone: rules get the number 1234, IPv6 is refused, any other action
/// is answered with 501 as the standard has it.
async fn consumer(
    State(heard): State<Heard>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, [(&'static str, &'static str); 1], String) {
    let message: Value = serde_json::from_str(&body).unwrap();
    heard.lock().unwrap().push((headers, message.clone()));
    let request = &message["body"]["openc2"]["request"];
    let (status, response) = match request["action"].as_str().unwrap() {
        "deny" if request["target"].get("ipv6_net").is_some() => {
            (StatusCode::BAD_REQUEST, json!({ "status": 400, "status_text": "no IPv6" }))
        }
        "deny" => (
            StatusCode::OK,
            json!({ "status": 200, "results": { "slpf": { "rule_number": 1234 } } }),
        ),
        "query" => (
            StatusCode::OK,
            json!({ "status": 200, "results": { "versions": ["1.0"], "profiles": ["slpf"] } }),
        ),
        "delete" => (StatusCode::OK, json!({ "status": 200 })),
        _ => (StatusCode::NOT_IMPLEMENTED, json!({ "status": 501, "status_text": "never" })),
    };
    let answer = json!({ "headers": { "request_id": message["headers"]["request_id"] },
        "body": { "openc2": { "response": response } } });
    (status, [("content-type", MEDIA_TYPE)], answer.to_string())
}

async fn listening(heard: &Heard) -> u16 {
    let app =
        Router::new().route("/.well-known/openc2", post(consumer)).with_state(Arc::clone(heard));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    #[allow(clippy::disallowed_methods)] // ends with the test
    tokio::spawn(async move { axum::serve(listener, app).await });
    port
}

#[tokio::test]
async fn rules_are_made_asked_for_and_deleted_by_their_number() {
    let heard: Heard = Arc::default();
    let url = format!("http://127.0.0.1:{}", listening(&heard).await);
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path(), &Arc::default()).await;
    let openc2 = OpenC2::new(Outside::new(&room.platform, &ActuatorsConfig::default()));
    let deny = command(
        "deny",
        json!({ "url": url, "address": "192.0.2.1", "direction": "ingress", "timeout_s": "60" }),
    );
    let mut data = Value::Null;
    for _ in 0..2 {
        let outcome = openc2.perform(&deny).await.unwrap();
        let Outcome::Done { data: told, .. } = outcome else { panic!("{outcome:?}") };
        data = told;
    }
    assert_eq!(data["rule_number"], 1234);
    let mut told = deny.clone();
    told.arguments.insert("outcome".into(), data);
    let undone = openc2.undo(&told).await.unwrap();
    assert!(matches!(undone, Some(Outcome::Done { .. })), "{undone:?}");
    assert_eq!(openc2.undo(&deny).await.unwrap(), None, "without a number there is no way back");
    {
        let heard = heard.lock().unwrap();
        let (headers, first) = &heard[0];
        assert_eq!(headers["content-type"], MEDIA_TYPE);
        assert_eq!(headers["accept"], MEDIA_TYPE);
        let id = &first["headers"]["request_id"];
        assert_eq!(headers["x-request-id"].to_str().unwrap(), id.as_str().unwrap());
        assert_eq!(id, &heard[1].1["headers"]["request_id"], "one id, whatever the attempt");
        assert!(first["headers"]["created"].is_i64());
        assert_eq!(
            first["body"]["openc2"]["request"],
            json!({ "action": "deny", "target": { "ipv4_net": "192.0.2.1" },
                "args": { "response_requested": "complete", "duration": 60_000,
                    "slpf": { "direction": "ingress", "drop_process": "none" } },
                "actuator": { "slpf": {} } })
        );
        let delete = &heard[2].1["body"]["openc2"]["request"];
        assert_eq!(delete["target"], json!({ "slpf:rule_number": 1234 }));
    }
    let query = command("query", json!({ "url": url, "features": "versions,profiles" }));
    let Outcome::Done { data, .. } = openc2.perform(&query).await.unwrap() else { panic!() };
    assert_eq!(data["results"]["profiles"], json!(["slpf"]));
    assert_eq!(openc2.repeat("query", &query.arguments), Repeat::Safe);
    assert_eq!(openc2.repeat("deny", &deny.arguments), Repeat::AskPerson);
    let allow = command("allow", json!({ "url": url, "address": "192.0.2.1" }));
    let outcome = openc2.perform(&allow).await.unwrap();
    assert!(matches!(outcome, Outcome::NotEnforced { .. }), "{outcome:?}");
    let refused = command("deny", json!({ "url": url, "address": "2001:db8::/32" }));
    let outcome = openc2.perform(&refused).await.unwrap();
    let Outcome::Failed { reason, retry: false } = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("answered 400: no IPv6"), "{reason}");
    for wrong in [
        json!({ "url": url, "address": "not an address" }),
        json!({ "url": url, "address": "192.0.2.1", "direction": "up" }),
        json!({ "url": "http://192.0.2.1", "address": "192.0.2.1" }),
        json!({ "url": url, "target": { "file": { "name": "x" } } }),
    ] {
        assert!(openc2.perform(&command("deny", wrong.clone())).await.is_err(), "{wrong}");
    }
    room.close().await;
}

#[tokio::test]
async fn a_command_of_the_standard_goes_out_with_its_values() {
    use base64::Engine as _;
    let heard: Heard = Arc::default();
    let port = listening(&heard).await;
    let target = "http-api--9c0f1d2e-5b77-4bb0-8a7a-000000000011";
    let content = json!({ "action": "deny", "target": { "ipv4_net": "__who__:value" },
        "actuator": { "slpf": {} } });
    let content = base64::engine::general_purpose::STANDARD.encode(content.to_string());
    let commands = json!([{ "type": "openc2-http", "content_b64": content,
        "command": "POST /.well-known/openc2 HTTP/1.1" }]);
    let person = "individual--9c0f1d2e-5b77-4bb0-8a7a-000000000003";
    let next = json!({ "on_completion": "@end@", "targets": [target] });
    let mut it = playbook(&[("deny", action(person, commands, next)), ("end", end())]);
    let evil = "192.0.2.1\", \"x\": \"";
    it["playbook_variables"]["__who__"]["value"] = json!(evil);
    it["target_definitions"] = json!({ target: { "type": "http-api", "name": "filter",
        "address": { "ipv4": ["127.0.0.1"] }, "port": port.to_string() } });
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path(), &Arc::default()).await;
    room.start(&it).await;
    let run = room.ended().await;
    assert_eq!(run["state"], "succeeded", "{run:#}");
    let request = heard.lock().unwrap()[0].1["body"]["openc2"]["request"].clone();
    assert_eq!(request["target"], json!({ "ipv4_net": evil }));
    room.close().await;
}

/// Two commands to a packet filter: the first is done, the second refused.
fn half(port: u16) -> Value {
    use base64::Engine as _;
    let encoded = |target: Value| {
        let command = json!({ "action": "deny", "target": target, "actuator": { "slpf": {} } });
        base64::engine::general_purpose::STANDARD.encode(command.to_string())
    };
    let of = |target: Value| {
        json!({ "type": "openc2-http", "command": "POST /.well-known/openc2 HTTP/1.1",
            "content_b64": encoded(target) })
    };
    let commands =
        json!([of(json!({ "ipv4_net": "192.0.2.1" })), of(json!({ "ipv6_net": "2001:db8::1" }))]);
    let target = "http-api--9c0f1d2e-5b77-4bb0-8a7a-000000000011";
    let person = "individual--9c0f1d2e-5b77-4bb0-8a7a-000000000003";
    let next = json!({ "on_completion": "@end@", "targets": [target] });
    let mut it = playbook(&[("deny", action(person, commands, next)), ("end", end())]);
    it["target_definitions"] = json!({ target: { "type": "http-api", "name": "filter",
        "address": { "ipv4": ["127.0.0.1"] }, "port": port.to_string() } });
    it
}

#[tokio::test]
async fn a_step_that_failed_half_way_shows_what_it_did_and_takes_it_back() {
    let heard: Heard = Arc::default();
    let port = listening(&heard).await;
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path(), &Arc::default()).await;
    room.start(&half(port)).await;
    let run = room.ended().await;
    assert_eq!(run["state"], "failed", "{run:#}");
    let path = format!("/api/v1/runs/{}/steps/2/undo", run["id"].as_str().unwrap());
    let (_, shown) = room.call("GET", &path, Value::Null).await;
    let states = |shown: &Value| -> Vec<String> {
        let items = shown["items"].as_array().unwrap();
        items.iter().map(|it| it["state"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(states(&shown), ["there", "failed"], "{shown:#}");
    assert!(shown["items"][0]["summary"].as_str().unwrap().contains("did 'deny'"), "{shown:#}");
    let (status, undone) = room.call("POST", &path, Value::Null).await;
    assert_eq!((status, states(&undone)), (StatusCode::OK, vec!["undone".into(), "failed".into()]));
    assert_eq!(undone["items"][0]["undone_by"], "local administrator", "{undone:#}");
    let last = heard.lock().unwrap().last().unwrap().1["body"]["openc2"]["request"].clone();
    assert_eq!(
        (&last["action"], &last["target"]["slpf:rule_number"]),
        (&json!("delete"), &json!(1234))
    );
    let (status, _) = room.call("POST", &path, Value::Null).await;
    assert_eq!(status, StatusCode::CONFLICT, "once is enough");
    let by_id = path.replace("/2/", &format!("/{}/", run["steps"][1]["step"].as_str().unwrap()));
    let (_, same) = room.call("GET", &by_id, Value::Null).await;
    assert_eq!(same, undone);
    let nothing = path.replace("/2/", "/1/");
    let (_, shown) = room.call("GET", &nothing, Value::Null).await;
    assert_eq!(shown["items"], json!([]));
    let (status, _) = room.call_as(false, "POST", &path, Value::Null).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    room.close().await;
}

/// A consumer behind TLS, under an authority of its own; gives its port and the authority's certificate.
async fn behind_tls(folder: &std::path::Path) -> u16 {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let _ = rustls::crypto::ring::default_provider().install_default();
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(folder.join("ca.pem"), made.cert.pem()).unwrap();
    let key = rustls_pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    #[allow(clippy::disallowed_methods)] // ends with the test
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut bytes = [0; 4096];
            let _ = stream.read(&mut bytes).await;
            let body =
                json!({ "body": { "openc2": { "response": { "status": 200 } } } }).to_string();
            let text = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            let _ = stream.write_all(text.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    port
}

#[tokio::test]
async fn tls_is_believed_only_under_a_known_authority() {
    let folder = tempfile::tempdir().unwrap();
    let port = behind_tls(folder.path()).await;
    let room = Room::open(&folder.path().join("data"), &Arc::default()).await;
    let query = command("query", json!({ "url": format!("https://127.0.0.1:{port}") }));
    let stranger = OpenC2::new(Outside::new(&room.platform, &ActuatorsConfig::default()));
    let refused = stranger.perform(&query).await.unwrap_err().to_string();
    assert!(refused.contains("certificate"), "{refused}");
    let ca_file = Some(folder.path().join("ca.pem").display().to_string());
    let config = ActuatorsConfig { ca_file, ..ActuatorsConfig::default() };
    let known = OpenC2::new(Outside::new(&room.platform, &config));
    let outcome = known.perform(&query).await.unwrap();
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    room.close().await;
}
