//! Pushing to a TAXII server of the test's own.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use intel::{Batch, Prepared, Source};
use platform::http::Gate;
use platform::testing::call_through;
use ports::AccessQuestion;
use ports::disclosure::{Address, Named, Recipient};
use ports::fake::FakeRule;
use serde_json::{Value, json};

use super::taxii::{COLLECTION, indicator};
use super::{House, serve};

const MEDIA: &str = "application/taxii+json;version=2.1";
const STATUS: &str = "2d086da7-4bdc-4f91-900e-d77486753710";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Everything is taken at once but what stands in `bad`.
    Good,
    /// First pending, taken when asked the second time.
    Pending,
    /// An envelope with a bad object is refused whole.
    Whole,
    /// Wants a pause.
    Busy,
    /// May not be written to.
    Closed,
}

struct Fake {
    way: Way,
    bad: HashSet<String>,
    got: Mutex<Vec<String>>,
    bodies: Mutex<Vec<String>>,
    waiting: Mutex<Vec<String>>,
    looks: Mutex<u32>,
}

fn taxii(status: StatusCode, value: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, MEDIA)], value.to_string()).into_response()
}

async fn add(State(fake): State<Arc<Fake>>, body: String) -> Response {
    let envelope: Value = serde_json::from_str(&body).unwrap();
    fake.bodies.lock().unwrap().push(body.clone());
    let ids: Vec<String> = envelope["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|o| o["id"].as_str().unwrap().to_owned())
        .collect();
    if body.len() > 3_000 {
        return taxii(StatusCode::PAYLOAD_TOO_LARGE, &json!({"title": "too large"}));
    }
    if fake.way == Way::Busy {
        let headers = [(header::RETRY_AFTER, "5")];
        return (StatusCode::SERVICE_UNAVAILABLE, headers).into_response();
    }
    let (bad, good): (Vec<String>, Vec<String>) =
        ids.into_iter().partition(|id| fake.bad.contains(id));
    if fake.way == Way::Whole && !bad.is_empty() {
        return taxii(
            StatusCode::UNPROCESSABLE_ENTITY,
            &json!({"title": "no", "description": "bad object"}),
        );
    }
    if fake.way == Way::Pending {
        fake.waiting.lock().unwrap().extend(good);
        let told = json!({"id": STATUS, "status": "pending", "total_count": 1, "success_count": 0,
            "failure_count": 0, "pending_count": 1});
        return taxii(StatusCode::ACCEPTED, &told);
    }
    fake.got.lock().unwrap().extend(good);
    let failures: Vec<Value> =
        bad.iter().map(|id| json!({"id": id, "message": "not here"})).collect();
    taxii(StatusCode::ACCEPTED, &json!({"id": STATUS, "status": "complete", "failures": failures}))
}

async fn status(State(fake): State<Arc<Fake>>, Path(id): Path<String>) -> Response {
    assert_eq!(id, STATUS);
    let mut looks = fake.looks.lock().unwrap();
    *looks += 1;
    if *looks % 2 == 1 {
        return taxii(StatusCode::OK, &json!({"id": STATUS, "status": "pending"}));
    }
    let waiting: Vec<String> = fake.waiting.lock().unwrap().drain(..).collect();
    fake.got.lock().unwrap().extend(waiting);
    taxii(StatusCode::OK, &json!({"id": STATUS, "status": "complete"}))
}

async fn server(way: Way, bad: &[usize]) -> (String, Arc<Fake>) {
    let bad = bad.iter().map(|n| indicator(*n)["id"].as_str().unwrap().to_owned()).collect();
    let fake = Arc::new(Fake {
        way,
        bad,
        got: Mutex::default(),
        bodies: Mutex::default(),
        waiting: Mutex::default(),
        looks: Mutex::default(),
    });
    let described = json!({"id": COLLECTION, "title": "In", "can_read": false, "can_write": way != Way::Closed});
    let root = json!({"title": "Root", "versions": [MEDIA], "max_content_length": 3_000});
    let router = axum::Router::new()
        .route("/api/", get(move || async move { taxii(StatusCode::OK, &root) }))
        .route(
            &format!("/api/collections/{COLLECTION}/"),
            get(move || async move { taxii(StatusCode::OK, &described) }),
        )
        .route(&format!("/api/collections/{COLLECTION}/objects/"), post(add))
        .route("/api/status/{id}/", get(status))
        .with_state(Arc::clone(&fake));
    (format!("{}/api/collections/{COLLECTION}/", serve(router).await), fake)
}

impl House {
    /// Indicators of one label, as a person said them.
    async fn knows(&self, numbers: std::ops::Range<usize>, tlp: stix::Tlp) {
        let objects: Vec<Prepared> = numbers
            .map(|n| Prepared::new(&stix::Object::from_value(indicator(n)).unwrap()))
            .collect();
        let done: Result<(), platform::db::DbError> = self
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let now_us = tx.now().as_micros();
                    let source = Source {
                        key: format!("person:{}", tlp.value()),
                        name: "somebody".into(),
                        kind: "person".into(),
                        tlp,
                        licence: String::new(),
                    };
                    let source = intel::sources::ensure(tx.sql(), &source, now_us).await?;
                    let batch = Batch {
                        source,
                        unmarked: intel::rank(tlp),
                        collection: None,
                        objects: &objects,
                        now_us,
                    };
                    intel::write::store(tx.sql(), &batch).await?;
                    Ok(())
                })
            })
            .await;
        done.unwrap();
    }

    async fn push(&self, url: &str) -> Value {
        let body = json!({"name": "out", "url": url, "origin": {"what": "known", "types": ["indicator"]},
            "auth": {"scheme": "basic", "user": "me"}, "secret": "pa55word"});
        let (status, push) = self.ask("POST", "/api/v1/pushes", &body).await;
        assert_eq!(status, 201, "{push}");
        assert!(!push.to_string().contains("pa55word"));
        push
    }

    async fn send(&self) -> (u16, Value) {
        self.ask("POST", "/api/v1/pushes/out/run", &Value::Null).await
    }
}

async fn house() -> House {
    let _ = rustls::crypto::ring::default_provider().install_default();
    House::new(true).await
}

fn counts(push: &Value) -> [i64; 4] {
    ["sent", "withheld", "pending", "failed"].map(|name| push[name].as_i64().unwrap_or(-1))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_is_not_sent_again_and_what_was_not_is_told() {
    for way in [Way::Good, Way::Whole] {
        let (url, fake) = server(way, &[7, 8]).await;
        let house = house().await;
        house.knows(0..30, stix::Tlp::Green).await;
        house.knows(100..105, stix::Tlp::Amber).await;
        house.push(&url).await;
        let (status, push) = house.send().await;
        assert_eq!((status, counts(&push)), (200, [28, 5, 0, 2]), "{push}");
        let (_, failures) = house.ask("GET", "/api/v1/pushes/out/failures", &Value::Null).await;
        let reason = failures["items"][0]["reason"].as_str().unwrap();
        assert!(reason.contains("not here") || reason.contains("bad object"), "{reason}");
        house.knows(30..32, stix::Tlp::Green).await;
        assert_eq!(counts(&house.send().await.1), [30, 5, 0, 2]);
        let got = fake.got.lock().unwrap().clone();
        let distinct: HashSet<&String> = got.iter().collect();
        assert_eq!((got.len(), distinct.len()), (30, 30), "each once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pending_is_followed_to_its_end() {
    let (url, fake) = server(Way::Pending, &[]).await;
    let house = house().await;
    house.knows(0..4, stix::Tlp::Clear).await;
    house.push(&url).await;
    let (status, push) = house.send().await;
    assert_eq!((status, counts(&push)), (200, [4, 0, 0, 0]), "{push}");
    assert_eq!(fake.got.lock().unwrap().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_take_is_told_and_nothing_moves() {
    let (url, _) = server(Way::Busy, &[]).await;
    let first = house().await;
    first.knows(0..4, stix::Tlp::Green).await;
    first.push(&url).await;
    assert_eq!(first.send().await.0, 502);
    let (_, listed) = first.ask("GET", "/api/v1/pushes", &Value::Null).await;
    let push = &listed["items"][0];
    assert_eq!((counts(push), &push["state"]), ([0, 0, 0, 0], &json!("failing")), "{push}");
    let (url, fake) = server(Way::Closed, &[]).await;
    let second = house().await;
    second.knows(0..4, stix::Tlp::Green).await;
    second.push(&url).await;
    let (status, problem) = second.send().await;
    assert_eq!(status, 502);
    assert!(problem["detail"].as_str().unwrap().contains("written"), "{problem}");
    assert!(fake.got.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_is_changed_within_its_bounds_and_its_secret_is_never_shown() {
    let (url, fake) = server(Way::Good, &[]).await;
    let house = house().await;
    house.knows(0..2, stix::Tlp::Amber).await;
    house.push(&url).await;
    assert_eq!(counts(&house.send().await.1), [0, 2, 0, 0], "GREEN at most");
    let change = json!({"highest": "amber", "every_minutes": 5, "secret": "an0ther"});
    let (status, push) = house.ask("PATCH", "/api/v1/pushes/out", &change).await;
    assert_eq!((status, &push["highest"]), (200, &json!("TLP:AMBER")), "{push}");
    assert_eq!(push["every_minutes"], 5);
    assert!(!push.to_string().contains("an0ther"));
    let next: model::Timestamp = push["next_at"].as_str().unwrap().parse().unwrap();
    assert!(next <= house.platform.now().plus_secs(300), "an hour is not waited for: {push}");
    // what was passed over stays where it is, what comes from now on goes
    house.knows(10..13, stix::Tlp::Amber).await;
    assert_eq!(counts(&house.send().await.1), [3, 2, 0, 0]);
    assert_eq!(fake.got.lock().unwrap().len(), 3);
    for change in [json!({"highest": "purple"}), json!({"every_minutes": 0}), json!({"url": "x"})] {
        assert_eq!(house.ask("PATCH", "/api/v1/pushes/out", &change).await.0, 422, "{change}");
    }
    let (_, same) = house.ask("PATCH", "/api/v1/pushes/out", &json!({"paused": true})).await;
    assert_eq!((&same["highest"], &same["state"]), (&json!("TLP:AMBER"), &json!("paused")));
    let rule =
        |question: &AccessQuestion| question.action != "see" || question.resource != "TLP:RED";
    let gate = Gate(Arc::new(FakeRule(rule)));
    let red = json!({"highest": "red"});
    let (status, _) =
        call_through(house.room.router(), gate, "PATCH", "/api/v1/pushes/out", &red).await;
    assert_eq!(status.as_u16(), 422, "nobody raises it beyond his own sight");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sends_what_lies_beyond_his_own_sight() {
    let house = house().await;
    let rule =
        |question: &AccessQuestion| question.action != "see" || question.resource == "TLP:CLEAR";
    let gate = || Gate(Arc::new(FakeRule(rule)));
    let body = |highest: &str| json!({"name": highest, "url": "https://example.com/", "origin": {"what": "known"}, "highest": highest});
    let add = async |highest: &str| {
        let (status, _) =
            call_through(house.room.router(), gate(), "POST", "/api/v1/pushes", &body(highest))
                .await;
        status.as_u16()
    };
    assert_eq!((add("red").await, add("green").await, add("clear").await), (422, 422, 201));
    // Somebody else's push of higher things does not exist for him.
    assert_eq!(house.ask("POST", "/api/v1/pushes", &body("amber")).await.0, 201);
    for (method, path) in [
        ("POST", "/api/v1/pushes/amber/run"),
        ("PATCH", "/api/v1/pushes/amber"),
        ("DELETE", "/api/v1/pushes/amber"),
        ("GET", "/api/v1/pushes/amber/failures"),
    ] {
        let (status, _) =
            call_through(house.room.router(), gate(), method, path, &json!({"paused": true})).await;
        assert_eq!(status.as_u16(), 404, "{method} {path}");
    }
    let (_, listed) =
        call_through(house.room.router(), gate(), "GET", "/api/v1/pushes", &Value::Null).await;
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    for body in [
        json!({"name": "x", "url": "https://example.com/", "origin": {"what": "collection", "root": "sereno", "collection": "none"}}),
        json!({"name": "x", "url": "file:///x", "origin": {"what": "known"}}),
        json!({"name": "x", "url": "https://example.com/", "origin": {"what": "known"}, "highest": "purple"}),
        json!({"name": "x", "url": "https://example.com/", "origin": {"what": "known"}, "every_minutes": 0}),
    ] {
        assert_eq!(house.ask("POST", "/api/v1/pushes", &body).await.0, 422, "{body}");
    }
}

/// What goes is judged right before it goes, for the organisation that the push names; what stays is told with its reason.
#[tokio::test(flavor = "multi_thread")]
async fn what_goes_is_judged_for_whom_it_goes_to() {
    let (url, fake) = server(Way::Good, &[]).await;
    let house = house().await;
    let isac = Recipient::Organisation("01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap());
    house.organisations.0.lock().unwrap().push(Named { recipient: isac, name: "ISAC".into() });
    *house.judge.rule.lock().unwrap() = |to, address, candidate| {
        let id = candidate.object["id"].as_str().unwrap_or_default();
        match (to, address) {
            (Recipient::Unnamed, Address::Open) => Err("denied because of its kind".into()),
            (Recipient::Organisation(_), Address::Named)
                if id.starts_with("indicator--00000003") =>
            {
                Err("denied because of a three".into())
            }
            (Recipient::Organisation(_), Address::Named) => {
                let mut object = candidate.object.clone();
                object["name"] = "(redacted)".into();
                Ok(object)
            }
            other => panic!("{other:?}"),
        }
    };
    house.knows(0..10, stix::Tlp::Green).await;
    house.knows(100..102, stix::Tlp::Amber).await;
    let unnamed = house.push(&url).await;
    assert_eq!(unnamed["for"], Value::Null);
    let (status, push) = house.send().await;
    assert_eq!((status, counts(&push)), (200, [0, 12, 0, 0]), "{push}");
    let (_, withheld) = house.ask("GET", "/api/v1/pushes/out/withheld", &Value::Null).await;
    let items = withheld["items"].as_array().unwrap();
    assert_eq!(items.len(), 10, "what is above the label is counted alone: {withheld}");
    let reason = items[0]["reason"].as_str().unwrap();
    assert!(reason.contains("of its kind") && reason.contains("names no organisation"), "{reason}");
    let (_, failures) = house.ask("GET", "/api/v1/pushes/out/failures", &Value::Null).await;
    assert_eq!(failures["items"], json!([]), "the other side refused nothing");
    // named, it begins again
    for (name, expect) in [("Nobody", 422), ("ISAC", 200)] {
        let path = "/api/v1/pushes/out";
        let (status, answer) = house.ask("PATCH", path, &json!({ "for": name })).await;
        assert_eq!(status, expect, "{answer}");
    }
    let (status, push) = house.send().await;
    assert_eq!(
        (status, counts(&push), &push["for"]),
        (200, [9, 3, 0, 0], &json!("ISAC")),
        "{push}"
    );
    let (_, withheld) = house.ask("GET", "/api/v1/pushes/out/withheld", &Value::Null).await;
    assert_eq!(withheld["items"].as_array().unwrap().len(), 1, "{withheld}");
    assert!(withheld.to_string().contains("of a three"), "{withheld}");
    let bodies = fake.bodies.lock().unwrap().join("");
    assert_eq!(bodies.matches("(redacted)").count(), 9);
    // a judgement that cannot be had passes nothing over
    house.knows(20..22, stix::Tlp::Green).await;
    house.organisations.0.lock().unwrap().clear();
    let (_, listed) = house.ask("GET", "/api/v1/pushes", &Value::Null).await;
    assert_eq!(listed["items"][0]["for"], "(no longer known)");
    let (status, _) = house
        .ask(
            "POST",
            "/api/v1/pushes",
            &json!({ "name": "x", "url": url, "origin": { "what": "known" }, "for": "ISAC" }),
        )
        .await;
    assert_eq!(status, 422);
}
