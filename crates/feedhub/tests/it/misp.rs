//! MISP feeds and servers of the test's own, in the shapes that MISP 2.4 and 2.5 write.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use ports::PortError;
use ports::disclosure::{Address, Recipient};
use ports::misp::{EventHead, EventOut, EventTaken, MispDesk};
use serde_json::{Value, json};

use super::{House, serve};

/// What a server holds: events by UUID, files by name.
#[derive(Default)]
struct There {
    files: Mutex<BTreeMap<String, String>>,
    asked: AtomicUsize,
    pushed: Mutex<Vec<Value>>,
}

fn uuid(n: usize) -> String {
    format!("{n:08x}-1111-4111-8111-111111111111")
}

fn event(n: usize, stamp: i64, values: &[&str]) -> Value {
    let attributes: Vec<Value> = values
        .iter()
        .map(|value| {
            let own = format!("{:08x}-2222-4222-8222-{n:012x}", value.bytes().map(u32::from).sum::<u32>());
            json!({"id": "9", "uuid": own, "type": "ip-dst", "category": "Network activity", "to_ids": true,
                "value": value, "timestamp": stamp.to_string(), "distribution": "5", "comment": ""})
        })
        .collect();
    json!({"Event": {"id": "7", "uuid": uuid(n), "info": format!("event {n}"), "date": "2026-01-02",
        "timestamp": stamp.to_string(), "publish_timestamp": stamp.to_string(), "published": true, "analysis": "2",
        "threat_level_id": "2", "distribution": "3", "extends_uuid": "",
        "Orgc": {"id": "1", "name": "CIRCL", "uuid": "55f6ea5e-2c60-40e5-964f-47a8950d210f"},
        "Tag": [{"id": "1", "name": "type:OSINT", "colour": "#004646"}], "Attribute": attributes}})
}

impl There {
    fn put(&self, event: &Value) {
        let name = format!("{}.json", event["Event"]["uuid"].as_str().unwrap());
        self.files.lock().unwrap().insert(name, event.to_string());
        self.renew();
    }

    fn drop_event(&self, n: usize) {
        self.files.lock().unwrap().remove(&format!("{}.json", uuid(n)));
        self.renew();
    }

    fn renew(&self) {
        let mut files = self.files.lock().unwrap();
        files.remove("manifest.json");
        let mut manifest = serde_json::Map::new();
        for text in files.values() {
            let event: Value = serde_json::from_str(text).unwrap();
            let event = &event["Event"];
            manifest.insert(
                event["uuid"].as_str().unwrap().to_owned(),
                json!({"Orgc": event["Orgc"],
                "Tag": event["Tag"], "info": event["info"], "date": event["date"], "analysis": "2",
                "threat_level_id": "2", "timestamp": event["timestamp"]}),
            );
        }
        files.insert("manifest.json".into(), Value::Object(manifest).to_string());
    }
}

async fn file(State(there): State<Arc<There>>, Path(name): Path<String>) -> impl IntoResponse {
    there.asked.fetch_add(1, Ordering::SeqCst);
    match there.files.lock().unwrap().get(&name) {
        Some(text) => (StatusCode::OK, text.clone()),
        None => (StatusCode::NOT_FOUND, String::new()),
    }
}

async fn feed(there: &Arc<There>) -> String {
    let router = axum::Router::new().route("/feed/{name}", get(file)).with_state(Arc::clone(there));
    format!("{}/feed/", serve(router).await)
}

async fn house() -> House {
    let _ = rustls::crypto::ring::default_provider().install_default();
    House::new(true).await
}

#[tokio::test(flavor = "multi_thread")]
async fn only_changed_events_of_a_feed_are_fetched_and_what_goes_is_withdrawn() {
    let there = Arc::new(There::default());
    for n in 1..=3 {
        there.put(&event(n, 1_700_000_000, &[&format!("45.9.148.{n}"), "45.9.148.200"]));
    }
    let url = feed(&there).await;
    let house = house().await;
    let body = json!({"name": "m", "url": format!("{url}manifest.json"), "tlp": "green", "format": {"form": "misp-feed"}});
    assert_eq!(house.add(body).await.0, 201);
    let (status, feed) = house.run("m").await;
    assert_eq!((status, &feed["counts"]["rejected"]), (200, &json!(0)), "{feed}");
    assert!(house.known("45.9.148.1").await && house.known("45.9.148.200").await);
    let before = there.asked.load(Ordering::SeqCst);
    assert_eq!(house.run("m").await.1["counts"]["records"], 0);
    assert_eq!(there.asked.load(Ordering::SeqCst) - before, 1, "only the manifest");
    // A newer state: one value goes, another comes.
    there.put(&event(1, 1_700_000_100, &["45.9.148.77", "45.9.148.200"]));
    house.run("m").await;
    assert!(house.known("45.9.148.77").await && !house.known("45.9.148.1").await);
    // An event goes; what another says too stays.
    there.drop_event(2);
    let (_, feed) = house.run("m").await;
    assert!(feed["counts"]["gone"].as_u64().unwrap() > 0, "{feed}");
    assert!(!house.known("45.9.148.2").await && house.known("45.9.148.200").await);
    // It comes back.
    there.put(&event(2, 1_700_000_000, &["45.9.148.2"]));
    house.run("m").await;
    assert!(house.known("45.9.148.2").await);
    house.ask("DELETE", "/api/v1/feeds/m", &Value::Null).await;
    assert!(!house.known("45.9.148.77").await && !house.known("45.9.148.200").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_manifest_is_not_believed_at_once() {
    let there = Arc::new(There::default());
    for n in 1..=10 {
        there.put(&event(n, 1_700_000_000, &[&format!("45.9.149.{n}")]));
    }
    let url = feed(&there).await;
    let house = house().await;
    house.add(json!({"name": "m", "url": url, "format": {"form": "misp-feed"}})).await;
    house.run("m").await;
    let whole = there.files.lock().unwrap().get("manifest.json").unwrap().clone();
    let set =
        |text: &str| there.files.lock().unwrap().insert("manifest.json".into(), text.to_owned());
    for text in [
        "",
        "{}",
        "[]",
        &whole[..whole.len() / 2],
        "<html>moved</html>",
        r#"{"../../etc/passwd": {}}"#,
    ] {
        set(text);
        assert_eq!(house.run("m").await.0, 502, "{text}");
        assert!(house.known("45.9.149.9").await, "{text}");
    }
    for n in 1..=8 {
        there.drop_event(n);
    }
    assert_eq!(house.run("m").await.0, 502);
    assert!(house.known("45.9.149.3").await, "most of it missing: not at once");
    assert_eq!(house.run("m").await.0, 200);
    assert!(!house.known("45.9.149.3").await && house.known("45.9.149.9").await);
    // A file that is not there, one that is another event, one that is none: refused, the rest goes on.
    there.put(&event(20, 1, &["45.9.149.20"]));
    there.put(&event(21, 1, &["45.9.149.21"]));
    there.put(&event(22, 1, &["45.9.149.22"]));
    there.put(&event(23, 1, &["45.9.149.23"]));
    let mut files = there.files.lock().unwrap().clone();
    files.remove(&format!("{}.json", uuid(20)));
    files.insert(format!("{}.json", uuid(21)), event(99, 1, &["45.9.149.99"]).to_string());
    files.insert(format!("{}.json", uuid(22)), "{\"Event\": 7}".into());
    *there.files.lock().unwrap() = files;
    let (_, feed) = house.run("m").await;
    assert_eq!(feed["counts"]["rejected"], 3, "{feed}");
    assert!(house.known("45.9.149.23").await && !house.known("45.9.149.99").await);
}

/// A desk that remembers.
#[derive(Default)]
struct Desk {
    taken: Mutex<Vec<(String, String, String)>>,
    out: Mutex<Vec<Value>>,
    /// Clusters and proposals, each as often as it was told.
    beside: Mutex<Vec<String>>,
}

#[async_trait::async_trait]
impl MispDesk for Desk {
    async fn take(&self, event: Value, label: &str, teller: &str) -> Result<EventTaken, PortError> {
        let uuid = event["Event"]["uuid"].as_str().unwrap().to_owned();
        if event["Event"]["info"] == "event 5" {
            return Err(PortError::Invalid("it cannot be".into()));
        }
        let stamp = event["Event"]["timestamp"].as_str().unwrap().to_owned();
        assert!(teller.starts_with("feed:") && label == "TLP:AMBER", "{label}");
        self.taken.lock().unwrap().push((uuid, stamp, label.to_owned()));
        Ok(EventTaken::New)
    }
    async fn published(&self, highest: &str) -> Result<Vec<EventHead>, PortError> {
        assert_eq!(highest, "TLP:GREEN");
        let out = self.out.lock().unwrap();
        let head = |event: &Value| EventHead {
            uuid: event["Event"]["uuid"].as_str().unwrap().to_owned(),
            stamp: event["Event"]["timestamp"].as_str().unwrap().parse().unwrap(),
        };
        Ok(out.iter().map(head).collect())
    }
    async fn outgoing(
        &self,
        uuid: &str,
        _: &str,
        to: Recipient,
        address: Address,
    ) -> Result<EventOut, PortError> {
        assert_eq!((to, address), (Recipient::Unnamed, Address::Open));
        let out = self.out.lock().unwrap();
        let event = out.iter().find(|event| event["Event"]["uuid"] == uuid).cloned();
        Ok(EventOut { event, ..EventOut::default() })
    }
    async fn take_proposals(&self, list: Vec<Value>, teller: &str) -> Result<usize, PortError> {
        assert!(teller.starts_with("feed:"));
        let values = list.iter().map(|one| one["ShadowAttribute"]["value"].as_str().unwrap());
        self.beside.lock().unwrap().extend(values.map(str::to_owned));
        Ok(list.len())
    }
    async fn take_clusters(
        &self,
        list: Vec<Value>,
        label: &str,
        _: &str,
    ) -> Result<usize, PortError> {
        assert_eq!(label, "TLP:AMBER");
        let values = list.iter().map(|one| one["GalaxyCluster"]["value"].as_str().unwrap());
        self.beside.lock().unwrap().extend(values.map(str::to_owned));
        Ok(list.len())
    }
    async fn remove(&self, _: &str, _: &str) -> Result<bool, PortError> {
        Ok(true)
    }
}

/// The clusters of a server: which there are, and each of them.
async fn heads(body: String) -> String {
    let asked: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&asked["minimal"], &asked["custom"]), (&json!(1), &json!(1)));
    json!({"response": [{"GalaxyCluster": {"uuid": uuid(90), "version": "1"}},
        {"GalaxyCluster": {"uuid": "../../etc", "version": "1"}}]})
    .to_string()
}

async fn cluster(Path(id): Path<String>) -> String {
    assert_eq!(id, uuid(90));
    json!({"GalaxyCluster": {"uuid": uuid(90), "value": "a cluster", "version": "1",
        "Galaxy": {"type": "rat", "name": "RAT"}}})
    .to_string()
}

fn beside() -> axum::Router {
    axum::Router::new()
        .route("/galaxy_clusters/restSearch", post(heads))
        .route("/galaxy_clusters/view/{uuid}", get(cluster))
        .route("/shadow_attributes/index/{*rest}", get(proposals))
}

async fn proposals(Path(_): Path<String>) -> String {
    json!([{"ShadowAttribute": {"id": "2", "old_id": "0", "type": "domain", "category": "Network activity",
        "uuid": uuid(91), "value": "proposed.example", "event_uuid": uuid(1), "timestamp": "1662472028"}}])
    .to_string()
}

/// What MISP 2.5 answers, recorded in its shapes.
async fn misp_server(there: &Arc<There>) -> String {
    async fn index(
        State(there): State<Arc<There>>,
        headers: HeaderMap,
        body: String,
    ) -> impl IntoResponse {
        if headers.get("authorization").is_none_or(|key| key != "k3y") {
            let text = json!({"name": "Authentication failed.", "message": "Authentication failed.", "url": "/events/index"});
            return (StatusCode::FORBIDDEN, text.to_string());
        }
        let asked: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&asked["minimal"], &asked["published"]), (&json!(1), &json!(1)));
        let files = there.files.lock().unwrap();
        let list: Vec<Value> = files
            .iter()
            .filter(|(name, _)| *name != "manifest.json")
            .map(|(_, text)| serde_json::from_str::<Value>(text).unwrap())
            .map(|event| json!({"id": "7", "timestamp": event["Event"]["timestamp"], "sighting_timestamp": "0",
                "published": true, "uuid": event["Event"]["uuid"],
                "orgc_uuid": "55f6ea5e-2c60-40e5-964f-47a8950d210f"}))
            .collect();
        (StatusCode::OK, Value::Array(list).to_string())
    }
    async fn view(
        State(there): State<Arc<There>>,
        Path((uuid, _)): Path<(String, String)>,
    ) -> impl IntoResponse {
        there.asked.fetch_add(1, Ordering::SeqCst);
        match there.files.lock().unwrap().get(&format!("{uuid}.json")) {
            Some(text) => (StatusCode::OK, text.clone()),
            None => (
                StatusCode::NOT_FOUND,
                r#"{"name":"Invalid event","message":"Invalid event","url":"/events/view"}"#
                    .to_owned(),
            ),
        }
    }
    async fn edit() -> impl IntoResponse {
        (
            StatusCode::NOT_FOUND,
            r#"{"name":"Invalid event.","message":"Invalid event.","url":"/events/edit"}"#,
        )
    }
    async fn add(State(there): State<Arc<There>>, body: String) -> impl IntoResponse {
        let event: Value = serde_json::from_str(&body).unwrap();
        if event["Event"]["info"] == "event 31" {
            let text = r#"{"saved":false,"name":"Could not add Event","message":"Could not add Event","url":"/events/add","errors":"Invalid event"}"#;
            return (StatusCode::FORBIDDEN, text.to_owned());
        }
        there.pushed.lock().unwrap().push(event);
        (StatusCode::OK, body)
    }
    async fn filter(body: String) -> String {
        let asked: Vec<Value> = serde_json::from_str(&body).unwrap();
        let uuids: Vec<Value> = asked.iter().map(|one| one["Event"]["uuid"].clone()).collect();
        // It knows this one.
        let kept: Vec<Value> = uuids.into_iter().filter(|one| *one != json!(uuid(32))).collect();
        Value::Array(kept).to_string()
    }
    let version = json!({"version": "2.5.4", "pymisp_recommended_version": "2.5.4", "perm_sync": true,
        "perm_sighting": true, "perm_galaxy_editor": false, "request_encoding": ["gzip", "br"], "filter_sightings": true});
    let router = axum::Router::new()
        .route("/servers/getVersion", get(move || async move { version.to_string() }))
        .route("/events/index", post(index))
        .route("/events/view/{uuid}/{deleted}", get(view))
        .route("/events/filterEventIdsForPush", post(filter))
        .route("/events/edit/{uuid}", post(edit))
        .route("/events/add", post(add))
        .with_state(Arc::clone(there));
    serve(router.merge(beside())).await
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_server_are_taken_once_and_filters_hold() {
    let there = Arc::new(There::default());
    for n in 1..=6 {
        there.put(&event(n, 1_700_000_000, &[&format!("45.9.150.{n}")]));
    }
    let mut other = event(7, 1_700_000_000, &["45.9.150.7"]);
    other["Event"]["Orgc"]["name"] = "Other".into();
    there.put(&other);
    there.put(&event(8, 1_500_000_000, &["45.9.150.8"]));
    let url = misp_server(&there).await;
    let house = house().await;
    let desk = Arc::new(Desk::default());
    house.room.meet(Arc::clone(&desk) as Arc<dyn MispDesk>);
    let body = json!({"name": "s", "url": url, "tlp": "amber", "auth": {"scheme": "key"}, "secret": "k3y",
        "format": {"form": "misp-server", "orgs": ["CIRCL"], "since": "2020-01-01T00:00:00Z"}});
    house.add(body).await;
    let (status, feed) = house.run("s").await;
    assert_eq!(
        (status, &feed["counts"]["new"], &feed["counts"]["rejected"]),
        (200, &json!(5), &json!(1)),
        "{feed}"
    );
    assert_eq!(desk.taken.lock().unwrap().len(), 5);
    assert_eq!(*desk.beside.lock().unwrap(), ["a cluster", "proposed.example"]);
    let before = there.asked.load(Ordering::SeqCst);
    there.put(&event(3, 1_700_000_500, &["45.9.150.33"]));
    house.run("s").await;
    // The changed one, and the refused one anew.
    assert_eq!(there.asked.load(Ordering::SeqCst) - before, 2);
    assert_eq!(desk.taken.lock().unwrap().last().unwrap().1, "1700000500");
    // A cluster that is as it was is not asked for again; proposals are told whole, and known ones change nothing.
    let told = desk.beside.lock().unwrap().clone();
    assert_eq!(told, ["a cluster", "proposed.example", "proposed.example"]);
    let wrong = json!({"name": "w", "url": url, "auth": {"scheme": "key"}, "secret": "no", "format": {"form": "misp-server"}});
    house.add(wrong).await;
    let (status, problem) = house.run("w").await;
    assert!(
        status == 502 && problem["detail"].as_str().unwrap().contains("Authentication failed"),
        "{problem}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_pushed_once_and_refusals_are_told() {
    let there = Arc::new(There::default());
    let url = misp_server(&there).await;
    let house = house().await;
    let desk = Arc::new(Desk::default());
    house.room.meet(Arc::clone(&desk) as Arc<dyn MispDesk>);
    *desk.out.lock().unwrap() =
        (30..=33).map(|n| event(n, 1_700_000_000, &["45.9.151.1"])).collect();
    let body = json!({"name": "p", "url": url, "auth": {"scheme": "key"}, "secret": "k3y", "origin": {"what": "events"}});
    assert_eq!(house.ask("POST", "/api/v1/pushes", &body).await.0, 201);
    let (status, push) = house.ask("POST", "/api/v1/pushes/p/run", &Value::Null).await;
    assert_eq!((status, &push["sent"], &push["failed"]), (200, &json!(2), &json!(1)), "{push}");
    let (_, failures) = house.ask("GET", "/api/v1/pushes/p/failures", &Value::Null).await;
    assert!(
        failures["items"][0]["reason"].as_str().unwrap().contains("Invalid event"),
        "{failures}"
    );
    house.ask("POST", "/api/v1/pushes/p/run", &Value::Null).await;
    let pushed = there.pushed.lock().unwrap().clone();
    assert_eq!(pushed.len(), 2, "nothing twice, and what it knows not at all");
    assert_eq!(pushed[0]["Event"]["timestamp"], "1700000000");
}
