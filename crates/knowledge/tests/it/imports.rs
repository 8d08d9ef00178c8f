//! Imports that people follow: counts that grow, lists of what was not stored, and nodes that die in between.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use model::Timestamp;
use platform::jobs::{Job, JobEnd, JobHandler};
use platform::testing::call;
use serde_json::{Value, json};

use crate::{House, bundle, example, object};

impl House {
    async fn begin(&self, body: &Value) -> String {
        let path = "/api/v1/intel/imports?label=test&name=bundle.json";
        let (status, begun) = call(self.room.router(), true, "POST", path, body).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{begun}");
        assert_eq!((&begun["state"], &begun["name"]), (&json!("waiting"), &json!("bundle.json")));
        begun["id"].as_str().unwrap().to_owned()
    }

    async fn state(&self, id: &str) -> Value {
        let (status, state) = self.get(&format!("/api/v1/intel/imports/{id}")).await;
        assert_eq!(status, StatusCode::OK, "{state}");
        state
    }

    fn handler(&self) -> Arc<dyn JobHandler> {
        self.room.jobs().remove(0)
    }

    fn file(&self, id: &str) -> std::path::PathBuf {
        self._folder.path().join("imports").join(format!("{id}.json"))
    }
}

fn job(id: &str, attempts: i64) -> Job {
    use model::id::TypedId;
    Job {
        id: model::JobId::mint(Timestamp::from_secs(1_700_000_000), [1; 10]),
        kind: "knowledge.import".into(),
        key: id.into(),
        payload: Value::Null,
        attempts,
    }
}

fn many(count: u32) -> Value {
    let malware = |n| object("malware", n, json!({"name": format!("m {n}"), "is_family": true}));
    bundle(&(1..=count).map(malware).collect::<Vec<_>>())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_object_of_a_followed_import_is_accounted_for() {
    let house = House::new().await;
    let id = house.begin(&example()).await;
    assert!(house.file(&id).exists(), "the file is on the disk before the answer");
    assert_eq!(house.handler().run(&job(&id, 1)).await, JobEnd::Done);
    let state = house.state(&id).await;
    let counts = ["objects", "settled", "new", "same", "refused", "conflicts"].map(|n| &state[n]);
    assert_eq!(counts, [&json!(5), &json!(5), &json!(3), &json!(0), &json!(2), &json!(0)]);
    assert_eq!((&state["state"], &state["error"]), (&json!("done"), &json!("")));
    assert!(!house.file(&id).exists(), "what is stored is not kept twice");
    let (_, problems) = house.get(&format!("/api/v1/intel/imports/{id}/problems")).await;
    let places: Vec<&Value> =
        problems["items"].as_array().unwrap().iter().map(|one| &one["index"]).collect();
    assert_eq!(places, [&json!(3), &json!(4)], "{problems}");
    let (_, first) = house.get(&format!("/api/v1/intel/imports/{id}/problems?limit=1")).await;
    assert_eq!(first["items"].as_array().unwrap().len(), 1);
    // an import that ended is not stored again, whoever asks
    assert_eq!(house.handler().run(&job(&id, 2)).await, JobEnd::Done);
    assert_eq!(house.state(&id).await, state);

    let mut changed = example();
    changed["objects"][0]["name"] = "Another bird".into();
    let again = house.begin(&changed).await;
    house.handler().run(&job(&again, 1)).await;
    let state = house.state(&again).await;
    assert_eq!((&state["same"], &state["conflicts"]), (&json!(2), &json!(1)), "{state}");
    let (_, problems) = house.get(&format!("/api/v1/intel/imports/{again}/problems")).await;
    assert!(problems["items"][0]["reason"].as_str().unwrap().contains("another content"));
    let (_, list) = house.get("/api/v1/intel/imports").await;
    assert_eq!(list["items"][0]["id"], json!(again), "the newest first");
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_was_cut_goes_on_behind_its_last_commit() {
    let house = House::new().await;
    let count = 7_000;
    let id = house.begin(&many(count)).await;
    for attempt in 1..=4 {
        let (handler, job) = (house.handler(), job(&id, attempt));
        let running = tokio::spawn(async move { handler.run(&job).await });
        let before = house.state(&id).await["settled"].as_u64().unwrap();
        while !running.is_finished() && house.state(&id).await["settled"] == before {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        // A kill: the task dies wherever it stands.
        running.abort();
        let _ = running.await;
    }
    assert_eq!(house.handler().run(&job(&id, 5)).await, JobEnd::Done);
    let state = house.state(&id).await;
    assert_eq!((&state["new"], &state["same"]), (&json!(count), &json!(0)), "each once: {state}");
    assert_eq!(state["state"], "done");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_in_says_so() {
    let house = House::new().await;
    let id = house.begin(&json!({"type": "bundle", "objects": {}})).await;
    house.handler().run(&job(&id, 1)).await;
    let state = house.state(&id).await;
    assert_eq!((&state["state"], &state["objects"]), (&json!("failed"), &json!(0)), "{state}");
    assert!(state["error"].as_str().unwrap().contains("no list"));
    // the file went, by whatever way
    let id = house.begin(&example()).await;
    std::fs::remove_file(house.file(&id)).unwrap();
    house.handler().run(&job(&id, 1)).await;
    assert!(house.state(&id).await["error"].as_str().unwrap().contains("import it again"));
    // a file that ends the node every time is given up
    let id = house.begin(&example()).await;
    assert_eq!(house.handler().run(&job(&id, 6)).await, JobEnd::Done);
    assert_eq!(house.state(&id).await["state"], "failed");
    for path in ["imports/none", "imports/none/problems"] {
        let (status, _) = house.get(&format!("/api/v1/intel/{path}")).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn imports_are_bounded_and_cut_uploads_are_swept() {
    let house = House::new().await;
    let mut open = Vec::new();
    for _ in 0..6 {
        open.push(house.begin(&example()).await);
    }
    let path = "/api/v1/intel/imports";
    let (status, refused) = call(house.room.router(), true, "POST", path, &example()).await;
    assert_eq!(status, StatusCode::TOO_MANY_REQUESTS, "{refused}");
    let files = || std::fs::read_dir(house._folder.path().join("imports")).unwrap().count();
    assert_eq!(files(), 6, "nothing of the refused one stays");
    std::fs::write(house.file("cut"), "{").unwrap();
    house.room.sweep().await.unwrap();
    assert_eq!(files(), 6);
    assert!(open.iter().all(|id| house.file(id).exists()));
    for id in &open {
        house.handler().run(&job(id, 1)).await;
    }
    house.begin(&example()).await;
    for query in ["tlp=purple", &format!("label={}", "x".repeat(121))] {
        let path = format!("/api/v1/intel/imports?{query}");
        let (status, _) = call(house.room.router(), true, "POST", &path, &example()).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
    }
}
