//! The room over a real database, with receivers of its own.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, missing_docs)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine;
use intel::{Batch, Prepared, Source, write};
use model::event::FeedMoved;
use platform::Platform;
use platform::db::DbError;
use platform::http::Gate;
use platform::testing::{call, call_through};
use ports::fake::FakeRule;
use serde_json::{Value, json};
use stix::{Object, Tlp};
use webhooks::{Config, Webhooks};

struct House {
    room: Webhooks,
    platform: Platform,
    _folder: tempfile::TempDir,
}

impl House {
    async fn new(config: Config) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let rooms = [intel::MIGRATIONS, webhooks::MIGRATIONS];
        let platform = platform::testing::platform(folder.path(), &rooms).await.unwrap();
        let room = Webhooks::open(&platform, config).unwrap();
        platform::bus::start(&platform, room.consumers());
        room.start();
        Self { room, platform, _folder: folder }
    }

    async fn own() -> Self {
        Self::new(Config { allow_private: true, ..Config::default() }).await
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (status, answer) = call(self.room.router(), true, method, path, body).await;
        (status.as_u16(), answer)
    }

    /// Stores objects as somebody's word.
    async fn put(&self, objects: &[Value]) {
        let prepared: Vec<Prepared> = objects
            .iter()
            .map(|value| Prepared::new(&Object::from_value(value.clone()).unwrap()))
            .collect();
        let done: Result<(), DbError> = self
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let now_us = tx.now().as_micros();
                    let source = Source {
                        key: "a".into(),
                        name: "A".into(),
                        kind: "peer".into(),
                        tlp: Tlp::Green,
                        licence: String::new(),
                    };
                    let source = intel::sources::ensure(tx.sql(), &source, now_us).await?;
                    let batch =
                        Batch { source, unmarked: 1, collection: None, objects: &prepared, now_us };
                    write::store(tx.sql(), &batch).await?;
                    Ok(())
                })
            })
            .await;
        done.unwrap();
    }

    async fn sql(&self, text: &'static str) {
        let done: Result<(), DbError> = self
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    sqlx::query(text).execute(tx.sql()).await?;
                    Ok(())
                })
            })
            .await;
        done.unwrap();
    }

    async fn hook(&self) -> Value {
        self.ask("GET", "/api/v1/webhooks", &Value::Null).await.1["items"][0].clone()
    }
}

/// A receiver that keeps what it took and answers as it is told.
#[derive(Clone, Default)]
struct Receiver {
    taken: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    answer: Arc<Mutex<u16>>,
}

impl Receiver {
    async fn start() -> (Self, String) {
        let receiver = Self::default();
        *receiver.answer.lock().unwrap() = 204;
        let own = receiver.clone();
        let take = move |headers: HeaderMap, body: String| async move {
            own.taken.lock().unwrap().push((headers, body));
            StatusCode::from_u16(*own.answer.lock().unwrap()).unwrap()
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/in?key=abc", listener.local_addr().unwrap());
        let router = axum::Router::new().route("/in", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
        (receiver, url)
    }

    fn bodies(&self) -> Vec<Value> {
        let taken = self.taken.lock().unwrap();
        taken.iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect()
    }

    async fn until(&self, many: usize) -> Vec<Value> {
        for _ in 0..200 {
            if self.taken.lock().unwrap().len() >= many {
                return self.bodies();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.bodies()
    }
}

fn object(kind: &str, n: u32, second: u32, more: Value) -> Value {
    let mut object = json!({
        "type": kind, "spec_version": "2.1", "id": format!("{kind}--00000000-0000-4000-8000-{n:012}"),
        "created": "2026-01-01T00:00:00.000Z", "modified": format!("2026-01-01T00:00:{second:02}.000Z"),
    });
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

const OBJECTS: [&str; 4] = ["object.new", "object.updated", "object.revoked", "sighting"];

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_known_is_told_in_order_signed_and_within_the_label() {
    let house = House::own().await;
    house
        .put(&[object("malware", 1, 0, json!({"name": "before the hook", "is_family": true}))])
        .await;
    let (receiver, url) = Receiver::start().await;
    let new = json!({"name": "soar", "url": url, "events": OBJECTS,
        "filter": {"types": ["malware", "sighting"], "tlp": "green"}});
    let (status, made) = house.ask("POST", "/api/v1/webhooks", &new).await;
    assert_eq!(status, 201, "{made}");
    let red = json!({"name": "secret", "is_family": true, "object_marking_refs": [Tlp::Red.id()]});
    house
        .put(&[
            object("malware", 2, 0, json!({"name": "Heron", "is_family": true})),
            object("malware", 3, 0, red),
            object("tool", 4, 0, json!({"name": "another type"})),
        ])
        .await;
    house.put(&[object("malware", 2, 1, json!({"name": "Night Heron", "is_family": true}))]).await;
    house
        .put(&[
            object(
                "malware",
                2,
                2,
                json!({"name": "Night Heron", "is_family": true, "revoked": true}),
            ),
            object(
                "sighting",
                5,
                0,
                json!({"sighting_of_ref": object("malware", 2, 0, json!({}))["id"]}),
            ),
        ])
        .await;
    let told = receiver.until(4).await;
    let what: Vec<(&str, &str)> = told
        .iter()
        .map(|one| (one["type"].as_str().unwrap(), one["data"]["type"].as_str().unwrap()))
        .collect();
    let wanted = [
        ("object.new", "malware"),
        ("object.updated", "malware"),
        ("object.revoked", "malware"),
        ("sighting", "sighting"),
    ];
    assert_eq!(what, wanted);
    assert_eq!(told[0]["data"]["object"]["name"], "Heron");
    signatures_hold(&receiver, made["secret"].as_str().unwrap(), 4);
    for _ in 0..50 {
        if house.hook().await["delivered"] == 4 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let shown = house.hook().await;
    assert_eq!(
        (&shown["state"], &shown["delivered"], &shown["waiting"]),
        (&json!("fine"), &json!(4), &json!(0))
    );
    assert!(!shown.to_string().contains("whsec_") && !shown.to_string().contains("salt"));
}

/// As a receiver with a library for Standard Webhooks checks it.
fn signatures_hold(receiver: &Receiver, secret: &str, many: usize) {
    let secret = secret.strip_prefix("whsec_").unwrap();
    let secret = base64::engine::general_purpose::STANDARD.decode(secret).unwrap();
    let mut ids = Vec::new();
    for (headers, body) in receiver.taken.lock().unwrap().iter() {
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        let at: i64 = header("webhook-timestamp").parse().unwrap();
        assert_eq!(
            header("webhook-signature"),
            webhooks::signature(&secret, &header("webhook-id"), at, body)
        );
        ids.push(header("webhook-id"));
    }
    ids.dedup();
    assert_eq!(ids.len(), many);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_secret_is_changed_both_sign_and_then_the_new_one_alone() {
    let house = House::own().await;
    let (receiver, url) = Receiver::start().await;
    let new = json!({"name": "soar", "url": url, "events": ["feed.failed"]});
    let (_, made) = house.ask("POST", "/api/v1/webhooks", &new).await;
    let decoded = |answer: &Value| {
        let text = answer["secret"].as_str().unwrap().strip_prefix("whsec_").unwrap().to_owned();
        base64::engine::general_purpose::STANDARD.decode(text).unwrap()
    };
    let rotate = "/api/v1/webhooks/soar/rotate";
    let (status, rotated) = house.ask("POST", rotate, &json!({"overlap_seconds": 60})).await;
    assert_eq!(status, 200, "{rotated}");
    let until: model::Timestamp =
        rotated["webhook"]["both_until"].as_str().unwrap().parse().unwrap();
    assert!(until > house.platform.now() && until <= house.platform.now().plus_secs(60));
    let (old, fresh) = (decoded(&made), decoded(&rotated));
    assert_ne!(old, fresh);
    let signed_by = |secrets: &[&Vec<u8>]| {
        let taken = receiver.taken.lock().unwrap();
        let (headers, body) = taken.last().unwrap();
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        let at: i64 = header("webhook-timestamp").parse().unwrap();
        let by = |secret: &&Vec<u8>| webhooks::signature(secret, &header("webhook-id"), at, body);
        let wanted: Vec<String> = secrets.iter().map(by).collect();
        assert_eq!(header("webhook-signature"), wanted.join(" "));
    };
    let test = "/api/v1/webhooks/soar/test";
    assert_eq!(house.ask("POST", test, &Value::Null).await.1["taken"], true);
    signed_by(&[&fresh, &old]);
    // over: the old one is worth nothing any more
    house.sql("UPDATE webhooks_hooks SET salt_before_until = 1").await;
    house.ask("POST", test, &Value::Null).await;
    signed_by(&[&fresh]);
    assert_eq!(house.hook().await["both_until"], Value::Null);
    // a secret that is known to others is changed without an overlap
    let (_, at_once) = house.ask("POST", rotate, &json!({"overlap_seconds": 0})).await;
    house.ask("POST", test, &Value::Null).await;
    signed_by(&[&decoded(&at_once)]);
    let (_, a_day) = house.ask("POST", rotate, &json!({})).await;
    assert!(a_day["webhook"]["both_until"].is_string(), "{a_day}");
    assert!(!house.hook().await.to_string().contains("whsec_"));
    for wrong in
        [json!({"overlap_seconds": -1}), json!({"overlap_seconds": 2_592_001}), json!({"x": 1})]
    {
        assert_eq!(house.ask("POST", rotate, &wrong).await.0, 422, "{wrong}");
    }
    assert_eq!(house.ask("POST", "/api/v1/webhooks/none/rotate", &json!({})).await.0, 404);
}

async fn publish(house: &House, tlp: &str, error: Option<&str>) {
    let moved = FeedMoved {
        feed: "f".into(),
        name: "list".into(),
        tlp: tlp.into(),
        error: error.map(str::to_owned),
    };
    let done: Result<(), DbError> = house
        .platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                tx.publish("system", &moved).await?;
                Ok(())
            })
        })
        .await;
    done.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_taken_is_tried_again_given_up_and_told_when_asked() {
    let house = House::own().await;
    let (receiver, url) = Receiver::start().await;
    *receiver.answer.lock().unwrap() = 500;
    let new = json!({"name": "soar", "url": url, "events": ["feed.failed", "feed.works"]});
    assert_eq!(house.ask("POST", "/api/v1/webhooks", &new).await.0, 201);
    publish(&house, "TLP:AMBER", Some("beyond the label")).await;
    publish(&house, "TLP:GREEN", Some("it answers 404")).await;
    publish(&house, "TLP:GREEN", None).await;
    assert_eq!(receiver.until(1).await[0]["data"]["error"], "it answers 404");
    let state = async |wanted: &str| {
        for _ in 0..100 {
            let hook = house.hook().await;
            if hook["state"] == wanted {
                return hook;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        house.hook().await
    };
    let hook = state("failing").await;
    assert_eq!((&hook["failures"], &hook["waiting"]), (&json!(1), &json!(2)), "{hook}");
    assert_eq!(hook["last_error"], "127.0.0.1 answers 500 Internal Server Error");
    // the last try: then the next one has its turn
    house.sql("UPDATE webhooks_deliveries SET attempts = 7, due_at = 0 WHERE n = 1").await;
    let told = receiver.until(3).await;
    assert_eq!(told[2]["type"], "feed.works");
    let (_, dead) = house.ask("GET", "/api/v1/webhooks/soar/dead", &Value::Null).await;
    assert_eq!(
        (&dead["items"][0]["n"], &dead["items"][0]["attempts"]),
        (&json!(1), &json!(8)),
        "{dead}"
    );
    *receiver.answer.lock().unwrap() = 200;
    let again = "/api/v1/webhooks/soar/dead/1/resend";
    assert_eq!(house.ask("POST", again, &Value::Null).await.0, 202);
    assert_eq!(receiver.until(4).await[3]["type"], "feed.failed");
    assert_eq!(house.ask("POST", again, &Value::Null).await.0, 404, "it waits no longer");
    let ids: Vec<String> = receiver
        .taken
        .lock()
        .unwrap()
        .iter()
        .map(|(headers, _)| headers["webhook-id"].to_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids[0], ids[3], "told again under the same id");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_pauses_its_hook_and_nothing_is_lost() {
    let house = House::own().await;
    let (receiver, url) = Receiver::start().await;
    *receiver.answer.lock().unwrap() = 410;
    let new = json!({"name": "soar", "url": url, "events": ["feed.failed"]});
    house.ask("POST", "/api/v1/webhooks", &new).await;
    publish(&house, "TLP:GREEN", Some("one")).await;
    receiver.until(1).await;
    for _ in 0..100 {
        if house.hook().await["state"] == "paused" {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let hook = house.hook().await;
    assert_eq!(hook["paused_because"], "the receiver says that it is gone for good", "{hook}");
    assert_eq!(house.room.health().await.len(), 1);
    publish(&house, "TLP:GREEN", Some("two")).await;
    *receiver.answer.lock().unwrap() = 200;
    let (_, tested) = house.ask("POST", "/api/v1/webhooks/soar/test", &Value::Null).await;
    assert_eq!(tested, json!({"taken": true, "error": null}));
    let (_, hook) = house.ask("PATCH", "/api/v1/webhooks/soar", &json!({"paused": false})).await;
    assert_eq!(hook["paused_because"], Value::Null);
    let told = receiver.until(4).await;
    let errors: Vec<&Value> = told.iter().map(|one| &one["data"]["error"]).collect();
    assert_eq!(errors[2..], [&json!("one"), &json!("two")]);
    assert_eq!(house.ask("DELETE", "/api/v1/webhooks/soar", &Value::Null).await.0, 204);
    assert_eq!(house.ask("DELETE", "/api/v1/webhooks/soar", &Value::Null).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_called_is_refused_with_the_reason() {
    let house = House::new(Config::default()).await;
    for (url, events, tlp, word) in [
        ("http://hooks.example.org/", json!(["sighting"]), "green", "https"),
        ("ftp://hooks.example.org/", json!(["sighting"]), "green", "ftp"),
        ("https://u:p@hooks.example.org/", json!(["sighting"]), "green", "password"),
        ("nothing?key=abc", json!(["sighting"]), "green", "no address"),
        ("https://hooks.example.org/", json!([]), "green", "object.new"),
        ("https://hooks.example.org/", json!(["everything"]), "green", "everything"),
        ("https://hooks.example.org/", json!(["sighting"]), "pink", "tlp"),
    ] {
        let new = json!({"url": url, "events": events, "filter": {"tlp": tlp}});
        let (status, problem) = house.ask("POST", "/api/v1/webhooks", &new).await;
        assert_eq!(status, 422, "{url}");
        assert!(problem["detail"].as_str().unwrap().contains(word), "{problem}");
        assert!(!problem.to_string().contains("abc"), "keys are not told");
    }
    for (n, url) in ["https://127.0.0.1:1/", "https://[::ffff:10.0.0.1]/", "https://localhost:1/"]
        .iter()
        .enumerate()
    {
        let new = json!({"name": format!("h{n}"), "url": url, "events": ["sighting"]});
        assert_eq!(house.ask("POST", "/api/v1/webhooks", &new).await.0, 201);
        let path = format!("/api/v1/webhooks/h{n}/test");
        let (_, tested) = house.ask("POST", &path, &Value::Null).await;
        let error = tested["error"].as_str().unwrap();
        assert!(
            error.contains("not a public address") && error.contains("allow_private"),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_more_than_the_maker_may_read() {
    let house = House::own().await;
    let (_, url) = Receiver::start().await;
    let amber =
        json!({"name": "soar", "url": url, "events": ["sighting"], "filter": {"tlp": "amber"}});
    let gate = || {
        Gate(Arc::new(FakeRule(|question| {
            question.action != "see"
                || ["TLP:CLEAR", "TLP:GREEN"].contains(&question.resource.as_str())
        })))
    };
    let green = async |method: &'static str, path: &'static str, body: &Value| {
        call_through(house.room.router(), gate(), method, path, body).await
    };
    assert_eq!(green("POST", "/api/v1/webhooks", &amber).await.0.as_u16(), 422);
    assert_eq!(house.ask("POST", "/api/v1/webhooks", &amber).await.0, 201);
    assert_eq!(green("GET", "/api/v1/webhooks", &Value::Null).await.1["items"], json!([]));
    let nothing = green("GET", "/api/v1/webhooks/other/dead", &Value::Null).await;
    let hidden = green("GET", "/api/v1/webhooks/soar/dead", &Value::Null).await;
    assert_eq!((nothing.0.as_u16(), hidden.0.as_u16()), (404, 404));
    assert_eq!(hidden.1.to_string().replace("soar", "other"), nothing.1.to_string());
    for (method, path) in [
        ("GET", "/api/v1/webhooks"),
        ("POST", "/api/v1/webhooks"),
        ("PATCH", "/api/v1/webhooks/soar"),
        ("DELETE", "/api/v1/webhooks/soar"),
        ("POST", "/api/v1/webhooks/soar/test"),
        ("GET", "/api/v1/webhooks/soar/dead"),
        ("POST", "/api/v1/webhooks/soar/dead/1/resend"),
    ] {
        let (status, _) = call(house.room.router(), false, method, path, &Value::Null).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path}");
    }
}
