//! The interface over a real database.
#![allow(clippy::unwrap_used, missing_docs)]

mod exchange;
mod search;
mod sight;
mod store;
mod sync;
mod whole;

use std::sync::Arc;

use axum::http::StatusCode;
use misphub::Misphub;
use platform::http::Gate;
use platform::testing::{call, call_through};
use ports::AccessQuestion;
use ports::fake::FakeDisclosure;
use ports::fake::FakeRule;
use serde_json::{Value, json};

struct House {
    room: Misphub,
    platform: platform::Platform,
    judge: Arc<FakeDisclosure>,
    _folder: tempfile::TempDir,
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rooms = [intel::MIGRATIONS, misphub::MIGRATIONS];
        let platform = platform::testing::platform(folder.path(), &rooms).await.unwrap();
        Self::over(platform, folder)
    }

    fn over(platform: platform::Platform, folder: tempfile::TempDir) -> Self {
        let room = Misphub::open(&platform);
        let judge = Arc::new(FakeDisclosure::by(|_, _, object| Ok(object.object.clone())));
        room.ask(judge.clone());
        Self { room, platform, judge, _folder: folder }
    }

    async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        let (status, answer) =
            call(self.room.router(), true, "POST", &format!("/misp/{path}"), &body).await;
        (status.as_u16(), answer)
    }

    /// As somebody who sees up to TLP:GREEN and may write.
    async fn green(&self, path: &str, body: Value) -> (u16, Value) {
        let rule = |question: &AccessQuestion| {
            question.action != "see"
                || ["TLP:CLEAR", "TLP:GREEN"].contains(&question.resource.as_str())
        };
        let (gate, path) = (Gate(Arc::new(FakeRule(rule))), format!("/misp/{path}"));
        let (status, answer) = call_through(self.room.router(), gate, "POST", &path, &body).await;
        (status.as_u16(), answer)
    }

    /// Sources that say a value, for somebody who sees so much.
    async fn known(&self, value: &str, sight: intel::Sight) -> Vec<String> {
        let mut sql = self.platform.db.read().await.unwrap();
        let found = intel::values::lookup(&mut sql, value, sight, i64::MAX).await.unwrap();
        found.into_iter().map(|known| known.source).collect()
    }

    async fn objects(&self) -> Vec<(String, i64, bool)> {
        use sqlx::Row;
        let mut sql = self.platform.db.read().await.unwrap();
        let rows = sqlx::query(
            "SELECT n.id AS id, o.tlp AS tlp, o.revoked AS revoked FROM intel_objects o \
             JOIN intel_nodes n ON n.node = o.node WHERE o.superseded_at IS NULL ORDER BY n.id",
        )
        .fetch_all(&mut *sql)
        .await
        .unwrap();
        rows.iter()
            .map(|row| (row.get("id"), row.get("tlp"), row.get::<i64, _>("revoked") != 0))
            .collect()
    }

    /// Puts objects into the store of intelligence.
    async fn keep(&self, objects: Vec<Value>) {
        let objects: Vec<intel::Prepared> = objects
            .into_iter()
            .map(|one| {
                intel::Prepared::new(&stix::Object::from_map(one.as_object().unwrap().clone()))
            })
            .collect();
        self.platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let source = intel::Source {
                        key: "t".into(),
                        name: "t".into(),
                        kind: "feed".into(),
                        tlp: stix::Tlp::Clear,
                        licence: String::new(),
                    };
                    let source = intel::sources::ensure(tx.sql(), &source, 0).await?;
                    let batch = intel::Batch {
                        source,
                        unmarked: 0,
                        collection: None,
                        objects: &objects,
                        now_us: 1,
                    };
                    intel::write::store(tx.sql(), &batch).await?;
                    Ok::<(), platform::db::DbError>(())
                })
            })
            .await
            .unwrap();
    }

    /// All bodies that the store of intelligence keeps now.
    async fn bodies(&self) -> String {
        use sqlx::Row;
        let mut sql = self.platform.db.read().await.unwrap();
        let text = "SELECT body FROM intel_objects WHERE superseded_at IS NULL";
        let rows = sqlx::query(text).fetch_all(&mut *sql).await.unwrap();
        rows.iter().map(|row| row.get::<String, _>("body")).collect()
    }

    /// An answer that is no JSON.
    async fn text(&self, path: &str, body: Value) -> String {
        use tower::ServiceExt;
        let gate = Gate(Arc::new(FakeRule(|_: &AccessQuestion| true)));
        let (routes, _) = self.room.router().into_parts();
        let app = axum::Router::from(routes).layer(axum::Extension(gate));
        let request = axum::http::Request::post(format!("/misp/{path}"))
            .header("content-type", "application/json")
            .extension(platform::http::Caller::local_admin())
            .body(axum::body::Body::from(body.to_string()))
            .unwrap();
        let answer = app.oneshot(request).await.unwrap();
        let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        let (status, answer) =
            call(self.room.router(), true, "GET", &format!("/misp/{path}"), &Value::Null).await;
        (status.as_u16(), answer)
    }
}

const EVENT: &str = "57c06bb1-625c-4d34-9b9f-4066950d210f";

fn event() -> Value {
    json!({"Event": {"uuid": EVENT, "info": "a test", "date": "2016-08-26", "threat_level_id": "1",
        "timestamp": "1472228273", "x_unknown": {"kept": [1, 2.5]},
        "Orgc": {"uuid": "55f6ea5e-2c60-40e5-964f-47a8950d210f", "name": "CIRCL"},
        "Tag": [{"name": "tlp:amber", "colour": "#ffc000", "exportable": true}],
        "Attribute": [{"type": "ip-dst", "value": "198.51.100.7", "comment": "c", "x_own": true,
            "uuid": "57c06bb1-625c-4d34-9b9f-4066950d2100", "timestamp": 1472228273}],
        "Object": [{"name": "file", "meta-category": "file", "template_version": "1",
            "Attribute": [{"type": "filename", "value": "a.exe", "object_relation": "filename"}]}]}})
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_goes_out() {
    let house = House::new().await;
    let (status, added) = house.post("events/add", event()).await;
    assert_eq!(status, 200, "{added}");
    let (_, shown) = house.get(&format!("events/view/{EVENT}")).await;
    let shown = &shown["Event"];
    assert_eq!(shown["x_unknown"], json!({"kept": [1, 2.5]}));
    assert_eq!(
        (&shown["Orgc"]["name"], &shown["timestamp"]),
        (&json!("CIRCL"), &json!("1472228273"))
    );
    assert_eq!(shown["Tag"][0]["colour"], "#ffc000");
    assert_eq!(
        (&shown["Attribute"][0]["x_own"], &shown["Attribute"][0]["comment"]),
        (&json!(true), &json!("c"))
    );
    assert_eq!(shown["Object"][0]["meta-category"], "file");
    assert_eq!(shown["Object"][0]["Attribute"][0]["object_relation"], "filename");
    assert_eq!(shown["attribute_count"], "2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_cannot_be_stored_takes_the_whole_event_back() {
    let house = House::new().await;
    let mut bad = event();
    bad["Event"]["Object"][0]["Attribute"][0]["type"] = "no-such-type".into();
    let (status, problem) = house.post("events/add", bad).await;
    assert_eq!(status, 403, "{problem}");
    assert!(problem["errors"]["type"][0].as_str().unwrap().contains("no-such-type"));
    assert_eq!(house.get(&format!("events/view/{EVENT}")).await.0, 404);
    let (_, found) = house.post("attributes/restSearch", json!({})).await;
    assert_eq!(found["response"]["Attribute"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_state_does_not_undo_a_newer_one() {
    let house = House::new().await;
    house.post("events/add", event()).await;
    let (status, _) = house.post(&format!("events/edit/{EVENT}"), json!({"info": "newer"})).await;
    assert_eq!(status, 200);
    let (status, problem) = house.post(&format!("events/edit/{EVENT}"), event()).await;
    assert_eq!(status, 403, "{problem}");
    let (_, shown) = house.get(&format!("events/view/{EVENT}")).await;
    assert_eq!(shown["Event"]["info"], "newer");
}

#[tokio::test(flavor = "multi_thread")]
async fn abuse_gets_an_answer_and_never_a_fault() {
    let house = House::new().await;
    house.post("events/add", event()).await;
    let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    for (path, body) in [
        ("events/add", json!([1, 2])),
        ("events/add", json!({"Event": 7})),
        ("events/add", json!({"info": "x", "uuid": "../../etc"})),
        ("events/add", json!({"info": "x", "date": "2016-99-99"})),
        ("events/add", json!({"info": "x", "Attribute": "y"})),
        ("events/add", json!({"info": "x", "deep": deep})),
        ("events/view/999999999999999999999", json!({})),
        ("events/restSearch", json!({"value": {"OR": 7}})),
        ("events/restSearch", json!({"timestamp": "yesterday"})),
        ("events/restSearch", json!({"timestamp": ["1d"]})),
        ("events/restSearch", json!({"returnFormat": "openioc"})),
        ("events/restSearch", json!({"tags": ["' OR 1=1 --", "%"], "limit": -5, "page": "x"})),
        ("attributes/restSearch", json!({"value": vec!["x"; 600]})),
        ("attributes/add/1", json!({"type": "ip-dst", "value": {"a": 1}})),
        ("attributes/add/77", json!({"type": "ip-dst", "value": "198.51.100.1"})),
        ("tags/attachTagToObject", json!({"uuid": EVENT, "tag": "\u{7}"})),
        ("tags/attachTagToObject", json!({"uuid": "nothing", "tag": "x"})),
        ("sightings/add", json!({"value": ""})),
        ("sightings/add/1", json!({"type": "9"})),
        ("objects/add/1", json!({"Object": {}})),
        ("objectReferences/add", json!({})),
        ("nonsense/../events", json!({})),
        ("events/delete/%00", json!({})),
    ] {
        let (status, answer) = house.post(path, body.clone()).await;
        assert!(status < 500, "{path} {body}: {status} {answer}");
    }
    assert_eq!(house.get("events/delete/1").await.0, 405, "reading deletes nothing");
    assert_eq!(house.get("no/such/thing").await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_passes_without_the_policy() {
    let house = House::new().await;
    for (method, path) in [
        ("GET", "/misp/events/index"),
        ("POST", "/misp/events/add"),
        ("DELETE", "/misp/events/delete/1"),
    ] {
        let (status, _) = call(house.room.router(), false, method, path, &Value::Null).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_is_known_as_stix_under_its_label() {
    let house = House::new().await;
    house.post("events/add", event()).await;
    let known = |sight: intel::Sight| {
        let db = house.platform.db.clone();
        async move {
            let mut sql = db.read().await.unwrap();
            let found =
                intel::values::lookup(&mut sql, "198.51.100.7", sight, i64::MAX).await.unwrap();
            found.into_iter().map(|known| known.source).collect::<Vec<_>>()
        }
    };
    assert!(known(intel::Sight::ALL).await.is_empty(), "not before it is published");
    let (status, published) = house.post(&format!("events/publish/{EVENT}"), Value::Null).await;
    assert_eq!(status, 200, "{published}");
    assert!(published["x_sereno_not_carried"].is_array());
    assert!(known(intel::Sight::ALL).await.contains(&"MISP: CIRCL".to_owned()));
    assert!(known(intel::Sight::up_to(stix::Tlp::Green)).await.is_empty(), "its tag says amber");
}
