//! Messages: a real mosquitto, an SMTP server that keeps what it is told, and servers that speak as Matrix, Mattermost
//! and receivers of webhooks do.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::routing::any;
use model::Outcome;
use playbooks::actuators::config::{ActuatorsConfig, Hook, Mail, Matrix, Mattermost, Mqtt};
use playbooks::actuators::{Outside, configured};
use ports::{Actuator, ActuatorCommand, PortError, Repeat};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use crate::actuators::command;
use crate::room::Room;

/// A node with one secret for this machine, and the actuator of that name as configured.
pub(crate) struct Desk {
    pub(crate) room: Room,
    pub(crate) actuator: Arc<dyn Actuator>,
    _folder: tempfile::TempDir,
}

pub(crate) async fn desk(config: ActuatorsConfig, name: &str, secret: &str) -> Desk {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path(), &Arc::default()).await;
    let secret = json!({ "value": secret, "hosts": ["127.0.0.1"] });
    let (status, said) = room.call("PUT", "/api/v1/secrets/key", secret).await;
    assert!(status.is_success(), "{said}");
    let all = configured(&Outside::new(&room.platform, &config));
    let actuator = all.into_iter().find(|it| it.name() == name).unwrap();
    Desk { room, actuator, _folder: folder }
}

pub(crate) type Heard = Arc<Mutex<Vec<(Method, Uri, HeaderMap, Value)>>>;
/// What a server answers.
type Says = fn(&Method, &Uri) -> Value;

async fn note(
    State((heard, answer)): State<(Heard, Says)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, String) {
    let said = answer(&method, &uri).to_string();
    let body = serde_json::from_str(&body).unwrap_or(Value::Null);
    heard.lock().unwrap().push((method, uri, headers, body));
    (StatusCode::OK, said)
}

pub(crate) async fn server(answer: Says) -> (String, Heard) {
    let heard: Heard = Arc::default();
    let app = Router::new().fallback(any(note)).with_state((Arc::clone(&heard), answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    #[allow(clippy::disallowed_methods)] // ends with the test
    tokio::spawn(async move { axum::serve(listener, app).await });
    (url, heard)
}

pub(crate) fn done(outcome: Outcome) -> Value {
    match outcome {
        Outcome::Done { data, .. } => data,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn with_outcome(asked: &ActuatorCommand, data: Value) -> ActuatorCommand {
    let mut asked = asked.clone();
    asked.arguments.insert("outcome".into(), data);
    asked
}

#[tokio::test]
async fn a_matrix_room_gets_a_message_once_and_it_can_be_taken_back() {
    let (url, heard) = server(|_, _| json!({ "event_id": "$event", "user_id": "@s:x" })).await;
    let matrix = Matrix { url, secret: "key".into(), rooms: vec!["!room:x".into()] };
    let config = ActuatorsConfig { matrix: Some(matrix), ..ActuatorsConfig::default() };
    let desk = desk(config, "matrix", "t0ken-of-matrix").await;
    let asked = command("send", json!({ "room": "!room:x", "title": "Look", "text": "a\"b\n<c>" }));
    for _ in 0..2 {
        let data = done(desk.actuator.perform(&asked).await.unwrap());
        assert_eq!(data["event_id"], "$event");
    }
    let told = with_outcome(&asked, json!({ "event_id": "$event" }));
    assert_eq!(desk.actuator.verify(&told).await.unwrap(), Some(true));
    assert!(desk.actuator.undo(&told).await.unwrap().is_some());
    let probed = desk.actuator.probe().await.unwrap();
    assert_eq!(probed.as_deref(), Some("logged in as @s:x"));
    {
        let heard = heard.lock().unwrap();
        assert_eq!(heard[0].1, heard[1].1, "one transaction, whatever the attempt");
        assert_eq!(
            heard[0].1.path(),
            "/_matrix/client/v3/rooms/%21room%3Ax/send/m.room.message/key"
        );
        assert_eq!(heard[0].3["body"], "Look\n\na\"b\n<c>");
        assert_eq!(heard[0].2["authorization"], "Bearer t0ken-of-matrix");
        assert!(heard[3].1.path().contains("/redact/%24event/"), "{:?}", heard[3].1);
    }
    let elsewhere = command("send", json!({ "room": "!other:x", "text": "x" }));
    let refused = desk.actuator.perform(&elsewhere).await.unwrap_err().to_string();
    assert!(refused.contains("playbooks.actuators.matrix.rooms"), "{refused}");
    desk.room.close().await;
}

#[tokio::test]
async fn a_mattermost_channel_is_looked_through_before_a_message_is_repeated() {
    fn answer(method: &Method, uri: &Uri) -> Value {
        match (method, uri.path()) {
            (&Method::GET, "/api/v4/channels/again/posts") => json!({ "posts": { "p1":
                { "id": "p1", "props": { "sereno_key": "key" }, "delete_at": 0 } } }),
            (&Method::POST, _) => json!({ "id": "p2" }),
            _ => json!({ "posts": {}, "username": "sereno" }),
        }
    }
    let (url, heard) = server(answer).await;
    let channels = vec!["fresh".into(), "again".into()];
    let mattermost = Mattermost { url, secret: "key".into(), channels };
    let config = ActuatorsConfig { mattermost: Some(mattermost), ..ActuatorsConfig::default() };
    let desk = desk(config, "mattermost", "t0ken-of-mattermost").await;
    let send = |channel: &str| command("send", json!({ "channel": channel, "text": "x" }));
    assert_eq!(done(desk.actuator.perform(&send("fresh")).await.unwrap())["post"], "p2");
    assert_eq!(done(desk.actuator.perform(&send("again")).await.unwrap())["post"], "p1");
    assert!(desk.actuator.undo(&send("again")).await.unwrap().is_some());
    assert_eq!(desk.actuator.undo(&send("fresh")).await.unwrap(), None);
    let heard = heard.lock().unwrap().clone();
    let posts: Vec<_> = heard.iter().filter(|it| it.0 == Method::POST).collect();
    assert_eq!(posts.len(), 1);
    assert_eq!(posts[0].3["props"]["sereno_key"], "key");
    assert!(heard.iter().any(|it| it.0 == Method::DELETE && it.1.path() == "/api/v4/posts/p1"));
    desk.room.close().await;
}

#[tokio::test]
async fn a_webhook_is_signed_under_the_key_of_the_command() {
    let (url, heard) = server(|_, _| json!({})).await;
    let hook = Hook { url, secret: "key".into() };
    let webhooks = [("soc".to_owned(), hook)].into();
    let config = ActuatorsConfig { webhooks, ..ActuatorsConfig::default() };
    let desk = desk(config, "webhook", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").await;
    let asked = command("send", json!({ "receiver": "soc", "message": { "a": "é\"" } }));
    done(desk.actuator.perform(&asked).await.unwrap());
    assert_eq!(desk.actuator.repeat("send", &asked.arguments), Repeat::Safe);
    {
        let heard = heard.lock().unwrap();
        let (_, _, headers, body) = &heard[0];
        assert_eq!(headers["webhook-id"], "msg_key");
        assert_eq!(body["data"]["message"], json!({ "a": "é\"" }));
        let at = headers["webhook-timestamp"].to_str().unwrap().parse().unwrap();
        let key =
            platform::standard_webhook::key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let right = platform::standard_webhook::signature(&key, "msg_key", at, &body.to_string());
        assert_eq!(headers["webhook-signature"].to_str().unwrap(), right);
    }
    let nobody = command("send", json!({ "receiver": "none" }));
    let refused = desk.actuator.perform(&nobody).await.unwrap_err().to_string();
    assert!(refused.contains("has soc"), "{refused}");
    desk.room.close().await;
}

/// An SMTP server that takes everything and keeps the text of each mail.
pub(crate) async fn smtp(mails: Arc<Mutex<Vec<String>>>) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    #[allow(clippy::disallowed_methods)] // ends with the test
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mails = Arc::clone(&mails);
            tokio::spawn(async move {
                let (read, mut write) = stream.into_split();
                let mut lines = BufReader::new(read).lines();
                write.write_all(b"220 test\r\n").await.unwrap();
                let (mut data, mut text) = (false, String::new());
                while let Ok(Some(line)) = lines.next_line().await {
                    let said: &[u8] = match (data, line.as_str()) {
                        (true, ".") => {
                            data = false;
                            mails.lock().unwrap().push(std::mem::take(&mut text));
                            b"250 taken\r\n"
                        }
                        (true, line) => {
                            text.push_str(line);
                            text.push('\n');
                            continue;
                        }
                        (_, "DATA") => {
                            data = true;
                            b"354 go on\r\n"
                        }
                        (_, line) if line.starts_with("EHLO") => b"250-test\r\n250 AUTH PLAIN\r\n",
                        (_, line) if line.starts_with("RCPT TO:<full@") => b"552 full\r\n",
                        (_, line) if line.starts_with("AUTH") => b"235 in\r\n",
                        (_, "QUIT") => b"221 bye\r\n",
                        _ => b"250 fine\r\n",
                    };
                    if write.write_all(said).await.is_err() {
                        break;
                    }
                }
            });
        }
    });
    port
}

#[tokio::test]
async fn mail_goes_to_configured_recipients_under_one_message_id() {
    let mails: Arc<Mutex<Vec<String>>> = Arc::default();
    let port = smtp(Arc::clone(&mails)).await;
    let mail = Mail {
        server: format!("smtp://127.0.0.1:{port}"),
        user: Some("sereno".into()),
        secret: Some("key".into()),
        from: "Sereno <sereno@city.example>".into(),
        to: vec!["@city.example".into(), "cert@cert.example".into()],
    };
    let config = ActuatorsConfig { mail: Some(mail), ..ActuatorsConfig::default() };
    let desk = desk(config, "mail", "pass-of-mail").await;
    let asked = command(
        "send",
        json!({ "to": "soc@city.example, cert@cert.example",
            "subject": "Look\r\nBcc: evil@evil.example", "text": "one\n.\ntwo" }),
    );
    let mut ids = Vec::new();
    for _ in 0..2 {
        ids.push(done(desk.actuator.perform(&asked).await.unwrap())["message_id"].clone());
    }
    assert_eq!(ids[0], ids[1]);
    assert_eq!(desk.actuator.repeat("send", &asked.arguments), Repeat::AskPerson);
    assert_eq!(desk.actuator.probe().await.unwrap().as_deref(), Some("127.0.0.1 lets us in"));
    let kept = mails.lock().unwrap()[0].clone();
    let (head, body) = kept.split_once("\n\n").unwrap();
    assert!(head.contains(&format!("Message-ID: {}", ids[0].as_str().unwrap())), "{head}");
    assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
    assert!(body.starts_with("one\n"), "{body}");
    for (to, says) in [
        ("x@evil.example", "playbooks.actuators.mail.to"),
        ("x@city.example.evil.example", "playbooks.actuators.mail.to"),
        ("a\r\nRCPT TO:<b@c>", "no address of mail"),
        ("", "needs 'to'"),
    ] {
        let asked = command("send", json!({ "to": to, "subject": "x", "text": "x" }));
        let refused = desk.actuator.perform(&asked).await.unwrap_err().to_string();
        assert!(refused.contains(says), "{to:?}: {refused}");
    }
    let full = command("send", json!({ "to": "full@city.example", "subject": "x", "text": "x" }));
    let refused = desk.actuator.perform(&full).await.unwrap();
    assert!(matches!(&refused, Outcome::Failed { retry: false, .. }), "{refused:?}");
    desk.room.close().await;
}

/// Where Debian's package mosquitto puts it.
const MOSQUITTO: &str = "/usr/sbin/mosquitto";

struct Broker {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn broker() -> Option<Broker> {
    if !Path::new(MOSQUITTO).exists() {
        eprintln!("skipped: MQTT, because {MOSQUITTO} (Debian package mosquitto) is not here");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let file = folder.path().join("mosquitto.conf");
    std::fs::write(&file, format!("listener {port} 127.0.0.1\nallow_anonymous true\n")).unwrap();
    let child = Command::new(MOSQUITTO)
        .args(["-c", &file.display().to_string()])
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let until = Instant::now() + Duration::from_secs(10);
    while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < until, "mosquitto does not come up");
        std::thread::sleep(Duration::from_millis(20));
    }
    Some(Broker { child, port, _folder: folder })
}

/// A lamp that answers every command where it is asked to, with the same correlation data.
async fn lamp(port: u16) {
    use rumqttc::v5::mqttbytes::QoS;
    use rumqttc::v5::mqttbytes::v5::{Packet, PublishProperties};
    use rumqttc::v5::{AsyncClient, Event, MqttOptions};
    let (client, mut events) = AsyncClient::new(MqttOptions::new("lamp", "127.0.0.1", port), 8);
    client.subscribe("city/lamp/command", QoS::ExactlyOnce).await.unwrap();
    let ready = Arc::new(tokio::sync::Notify::new());
    let told = Arc::clone(&ready);
    #[allow(clippy::disallowed_methods)] // ends with the test
    tokio::spawn(async move {
        while let Ok(event) = events.poll().await {
            match event {
                Event::Incoming(Packet::SubAck(_)) => told.notify_one(),
                Event::Incoming(Packet::Publish(asked)) => {
                    let asked_for = asked.properties.unwrap();
                    if let Some(topic) = asked_for.response_topic {
                        let answer = PublishProperties {
                            correlation_data: asked_for.correlation_data,
                            ..PublishProperties::default()
                        };
                        let text = [b"did ".as_slice(), &asked.payload].concat();
                        client
                            .publish_with_properties(topic, QoS::AtLeastOnce, false, text, answer)
                            .await
                            .unwrap();
                    }
                }
                _ => {}
            }
        }
    });
    ready.notified().await;
}

#[tokio::test]
async fn a_device_gets_a_command_over_a_real_broker_and_answers() {
    let Some(broker) = broker() else { return };
    lamp(broker.port).await;
    let mqtt = Mqtt {
        broker: format!("mqtt://127.0.0.1:{}", broker.port),
        user: None,
        secret: None,
        topics: vec!["city/+/command".into()],
    };
    let config = ActuatorsConfig { mqtt: Some(mqtt), timeout_s: 3, ..ActuatorsConfig::default() };
    let desk = desk(config, "mqtt", "unused").await;
    let publish = |arguments: Value| command("publish", arguments);
    for qos in [1, 2] {
        let asked = publish(json!({ "topic": "city/lamp/command", "payload": "off", "qos": qos,
            "response_topic": "city/answers" }));
        let data = done(desk.actuator.perform(&asked).await.unwrap());
        assert_eq!(data["response"], "did off", "qos {qos}");
    }
    let plain = publish(json!({ "topic": "city/lamp/command", "payload": { "on": true } }));
    assert_eq!(done(desk.actuator.perform(&plain).await.unwrap())["taken"], true);
    let nobody = publish(json!({ "topic": "city/none/command", "payload": "x" }));
    let outcome = desk.actuator.perform(&nobody).await.unwrap();
    let Outcome::NotEnforced { reason, .. } = outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("nobody listens"), "{reason}");
    for (topic, says) in
        [("city/lamp/other", "mqtt.topics"), ("city/+/command", "no '+'"), ("", "needs 'topic'")]
    {
        let refused = desk.actuator.perform(&publish(json!({ "topic": topic }))).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(says), "{refused}");
    }
    assert!(desk.actuator.probe().await.unwrap().is_some());
    drop(broker);
    let away = desk.actuator.perform(&plain).await;
    assert!(matches!(away, Err(PortError::Unavailable(_))), "{away:?}");
    desk.room.close().await;
}
