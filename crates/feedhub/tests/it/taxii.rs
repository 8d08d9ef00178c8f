//! Pulling from a TAXII server of the test's own, which may lie.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::{House, serve};

const MEDIA: &str = "application/taxii+json;version=2.1";
pub(crate) const COLLECTION: &str = "91a7b528-80eb-42ed-a74d-c6fbd5a26116";

/// How the server behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// As the standard has it.
    Good,
    /// Never names the next page.
    NoNext,
    /// Names no next page and gives no more than so many.
    NoNextCapped(usize),
    /// Names the same next page for ever.
    Circle,
    /// Always says that more follows, with nothing on the page.
    Empty,
    /// Keeps the place itself under one name, as the reference server does.
    Session,
    /// The same, and its second page gets lost on the way.
    SessionLost,
    /// Forgets places: asked for one it answers 404, once.
    Forgets,
    /// Has another page for ever, each with the same objects.
    Endless,
    /// Fails at the second page, once.
    Fails,
    /// Wants a pause at the second page, once.
    Busy,
    /// Answers with a web page.
    Html,
    /// Answers with more than is read.
    Huge,
    /// Nests without end.
    Deep,
    /// Says another server is its root.
    Elsewhere,
}

struct Fake {
    way: Way,
    objects: Mutex<Vec<(String, Value)>>,
    asked: AtomicUsize,
    hiccups: AtomicUsize,
    session: AtomicUsize,
}

pub(crate) fn indicator(n: usize) -> Value {
    json!({"type": "indicator", "spec_version": "2.1", "id": format!("indicator--{n:08x}-0000-4000-8000-000000000000"),
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z", "pattern_type": "stix",
        "indicator_types": ["malicious-activity"], "pattern": format!("[domain-name:value = 'n{n}.example.net']"),
        "valid_from": "2026-01-01T00:00:00Z"})
}

fn taxii(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, MEDIA)], value.to_string()).into_response()
}

fn page(fake: &Fake, query: &[(String, String)]) -> Response {
    let of = |name: &str| query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    fake.asked.fetch_add(1, Ordering::SeqCst);
    let first = |fake: &Fake| fake.hiccups.fetch_add(1, Ordering::SeqCst) == 0;
    match fake.way {
        Way::Html => return ([(header::CONTENT_TYPE, "text/html")], "<html>").into_response(),
        Way::Huge => {
            let text = format!("{{\"objects\": [\"{}\"]}}", "x".repeat(40 << 20));
            return ([(header::CONTENT_TYPE, MEDIA)], text).into_response();
        }
        Way::Deep => {
            let text = format!("{{\"objects\": [{}{}]}}", "[".repeat(10_000), "]".repeat(10_000));
            return ([(header::CONTENT_TYPE, MEDIA)], text).into_response();
        }
        Way::Empty => {
            return taxii(
                &json!({"more": true, "next": fake.asked.load(Ordering::SeqCst).to_string()}),
            );
        }
        Way::Endless => {
            let next = fake.asked.load(Ordering::SeqCst).to_string();
            return taxii(&json!({"more": true, "next": next, "objects": [indicator(1)]}));
        }
        Way::Forgets if of("next").is_some() && first(fake) => {
            return (StatusCode::NOT_FOUND, "{}").into_response();
        }
        Way::Fails if of("next").is_some() && first(fake) => {
            return StatusCode::BAD_GATEWAY.into_response();
        }
        Way::Busy if of("next").is_some() && first(fake) => {
            return (StatusCode::TOO_MANY_REQUESTS, [("retry-after", "7")]).into_response();
        }
        _ => {}
    }
    let after = of("added_after").unwrap_or_default().to_owned();
    let limit: usize = of("limit").unwrap().parse().unwrap();
    let limit = if let Way::NoNextCapped(most) = fake.way { limit.min(most) } else { limit };
    let skip: usize = of("next").and_then(|next| next.parse().ok()).unwrap_or(0);
    let session = matches!(fake.way, Way::Session | Way::SessionLost);
    let skip = match (session, of("next")) {
        (true, None) => {
            fake.session.store(limit, Ordering::SeqCst);
            0
        }
        (true, Some(_)) => fake.session.fetch_add(limit, Ordering::SeqCst),
        (false, _) => skip,
    };
    if fake.way == Way::SessionLost && of("next").is_some() && first(fake) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let objects = fake.objects.lock().unwrap();
    let later: Vec<&(String, Value)> = objects.iter().filter(|(at, _)| *at > after).collect();
    let shown: Vec<&(String, Value)> = later.iter().skip(skip).take(limit).copied().collect();
    let more = skip + shown.len() < later.len();
    let mut answer =
        json!({"more": more, "objects": shown.iter().map(|(_, o)| o).collect::<Vec<_>>()});
    match fake.way {
        Way::NoNext | Way::NoNextCapped(_) => {}
        Way::Circle => {
            answer = json!({"more": true, "next": "again", "objects": answer["objects"]})
        }
        _ if more && session => answer["next"] = "session".into(),
        _ if more => answer["next"] = (skip + shown.len()).to_string().into(),
        _ => {}
    }
    let mut response = taxii(&answer);
    if let Some((last, _)) = shown.last() {
        response.headers_mut().insert("x-taxii-date-added-last", last.parse().unwrap());
    }
    response
}

async fn objects(
    State(fake): State<Arc<Fake>>,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Response {
    if headers.get("authorization").is_none_or(|said| said != "Bearer s3cret-token") {
        return (StatusCode::UNAUTHORIZED, taxii(&json!({"title": "who? s3cret-token"})))
            .into_response();
    }
    page(&fake, &query)
}

async fn server(way: Way, objects_there: Vec<(String, Value)>) -> (String, Arc<Fake>) {
    let fake = Arc::new(Fake {
        way,
        objects: Mutex::new(objects_there),
        asked: AtomicUsize::new(0),
        hiccups: AtomicUsize::new(0),
        session: AtomicUsize::new(0),
    });
    let root = if way == Way::Elsewhere { "http://198.51.100.7/api/" } else { "/api/" };
    let discovery = json!({"title": "Fake", "api_roots": [root]});
    let described = json!({"id": COLLECTION, "title": "All", "can_read": true, "can_write": false});
    let list = json!({"collections": [described.clone(),
        {"id": "472c94ae-3113-4e3e-a4dd-a9f4ac7471d4", "title": "Closed", "can_read": false, "can_write": true},
        {"id": "../../admin", "title": "Odd", "can_read": true, "can_write": true}]});
    let router = axum::Router::new()
        .route("/taxii2/", get(move || async move { taxii(&discovery) }))
        .route(
            "/api/",
            get(|| async {
                taxii(
                    &json!({"title": "Root", "versions": [MEDIA], "max_content_length": 1_000_000}),
                )
            }),
        )
        .route("/api/collections/", get(move || async move { taxii(&list) }))
        .route(
            &format!("/api/collections/{COLLECTION}/"),
            get(move || async move { taxii(&described) }),
        )
        .route(&format!("/api/collections/{COLLECTION}/objects/"), get(objects))
        .with_state(Arc::clone(&fake));
    (serve(router).await, fake)
}

impl House {
    async fn taxii(&self, url: &str, page: usize) -> (u16, Value) {
        self.add(json!({"name": "t", "url": url, "tlp": "green", "auth": {"scheme": "bearer"},
            "secret": "s3cret-token", "format": {"form": "taxii", "page": page}}))
            .await
    }

    pub(crate) async fn run(&self, name: &str) -> (u16, Value) {
        self.ask("POST", &format!("/api/v1/feeds/{name}/run"), &Value::Null).await
    }

    pub(crate) async fn shown(&self, name: &str) -> Value {
        let (_, feeds) = self.ask("GET", "/api/v1/feeds", &Value::Null).await;
        let feeds = feeds["items"].as_array().unwrap().clone();
        feeds.into_iter().find(|feed| feed["name"] == name).unwrap()
    }

    /// Objects that are not revoked.
    pub(crate) async fn held(&self) -> i64 {
        let mut sql = self.platform.db.read().await.unwrap();
        let text = "SELECT COUNT(*) FROM intel_objects WHERE superseded_at IS NULL AND revoked = 0";
        sqlx::Row::get(&sqlx::query(text).fetch_one(&mut *sql).await.unwrap(), 0)
    }
}

/// Objects added one a microsecond.
fn spread(count: usize) -> Vec<(String, Value)> {
    (0..count).map(|n| (format!("2026-02-01T00:00:00.{n:06}Z"), indicator(n))).collect()
}

/// Objects added all at once.
fn tied(count: usize) -> Vec<(String, Value)> {
    (0..count).map(|n| ("2026-02-01T00:00:00.000000Z".to_owned(), indicator(n))).collect()
}

async fn house() -> House {
    let _ = rustls::crypto::ring::default_provider().install_default();
    House::new(true).await
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_of_every_kind_are_read_whole_once() {
    for (way, objects, page) in [
        (Way::Good, spread(95), 10),
        (Way::Good, tied(95), 10),
        (Way::NoNext, spread(95), 10),
        (Way::NoNext, tied(95), 10),
        (Way::Forgets, spread(95), 10),
        (Way::Fails, tied(95), 10),
        (Way::Session, tied(95), 10),
        (Way::SessionLost, tied(95), 10),
        (Way::SessionLost, spread(95), 10),
    ] {
        let what = format!("{way:?} from {}", objects[1].0);
        let (url, fake) = server(way, objects).await;
        let house = house().await;
        assert_eq!(house.taxii(&format!("{url}/taxii2/"), page).await.0, 201);
        let (status, feed) = house.run("t").await;
        assert_eq!((status, &feed["counts"]["new"]), (200, &json!(95)), "{what}: {feed}");
        assert_eq!(house.held().await, 95, "{what}");
        assert!(house.known("n94.example.net").await, "{what}");
        // What is added under the last date is not passed over.
        let last = fake.objects.lock().unwrap().last().unwrap().0.clone();
        fake.objects.lock().unwrap().push((last, indicator(1_000)));
        assert_eq!(house.run("t").await.1["counts"]["new"], 1, "{what}");
        house.run("t").await;
        let before = fake.asked.load(Ordering::SeqCst);
        let (_, feed) = house.run("t").await;
        assert_eq!(
            (&feed["counts"]["records"], fake.asked.load(Ordering::SeqCst) - before),
            (&json!(0), 1),
            "{what}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_server_is_left_alone_as_long_as_it_wants() {
    let (url, _) = server(Way::Busy, spread(30)).await;
    let house = house().await;
    house.taxii(&url, 10).await;
    let (status, problem) = house.run("t").await;
    assert_eq!(status, 502, "{problem}");
    let feed = house.shown("t").await;
    let time = |name: &str| feed[name].as_str().unwrap().parse::<model::Timestamp>().unwrap();
    let pause = time("next_at").micros_since(time("last_try"));
    assert!((6_000_000..=8_000_000).contains(&pause), "{pause}: {feed}");
    // What came before stays, and the rest follows from there.
    assert_eq!(feed["counts"]["new"], 10);
    assert_eq!(house.run("t").await.1["counts"]["new"], 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn liars_are_left_with_the_reason() {
    for (way, words, status) in [
        (Way::Circle, "same page again", 502),
        (Way::Empty, "empty", 502),
        (Way::Html, "text/html", 502),
        (Way::Huge, "more than", 502),
        (Way::Deep, "inside each other", 502),
        (Way::Elsewhere, "another server", 502),
    ] {
        let (url, fake) = server(way, spread(30)).await;
        let house = house().await;
        house.taxii(&format!("{url}/taxii2/"), 10).await;
        let (got, problem) = house.run("t").await;
        assert_eq!(got, status, "{way:?}: {problem}");
        let said = problem["detail"].as_str().unwrap().to_lowercase();
        assert!(said.contains(words), "{way:?}: {said}");
        assert!(!said.contains("s3cret"), "{said}");
        assert!(fake.asked.load(Ordering::SeqCst) < 20, "{way:?} goes on and on");
    }
    // One that goes on for ever has an end here, and has to wait for its turn once it says nothing new.
    let (url, fake) = server(Way::Endless, vec![]).await;
    let house = house().await;
    house.taxii(&url, 10).await;
    for _ in 0..2 {
        assert_eq!(house.run("t").await.0, 200);
    }
    assert_eq!(fake.asked.load(Ordering::SeqCst), 1_000, "five hundred pages a run");
    let feed = house.shown("t").await;
    let time = |name: &str| feed[name].as_str().unwrap().parse::<model::Timestamp>().unwrap();
    assert_eq!(time("next_at").micros_since(time("last_try")), 3_600_000_000, "{feed}");
    // A server that gives no way through one date is read as far as that goes, and it is said.
    let mut objects = tied(95);
    objects.push(("2026-03-01T00:00:00.000000Z".to_owned(), indicator(2_000)));
    let (url, _) = server(Way::NoNextCapped(20), objects).await;
    let house = self::house().await;
    house.taxii(&url, 10).await;
    assert_eq!(house.run("t").await.0, 502);
    let feed = house.shown("t").await;
    assert!(feed["last_error"].as_str().unwrap().contains("may be missing"), "{feed}");
    assert!(house.known("n2000.example.net").await, "what comes after that date is read");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_server_offers_is_listed_with_rights_and_the_secret_is_never_shown() {
    let (url, _) = server(Way::Good, spread(3)).await;
    let house = house().await;
    for from in ["/", "/taxii2/", "/api", &format!("/api/collections/{COLLECTION}")] {
        let body = json!({"url": format!("{url}{from}")});
        let (status, offer) = house.ask("POST", "/api/v1/feeds/discover", &body).await;
        assert_eq!(status, 200, "{from}: {offer}");
        let one = &offer["collections"][0];
        assert_eq!(one["url"], format!("{url}/api/collections/{COLLECTION}/"), "{from}");
        assert_eq!((&one["can_read"], &one["can_write"]), (&json!(true), &json!(false)));
    }
    let (_, added) = house.taxii(&url, 10).await;
    let (_, listed) = house.ask("GET", "/api/v1/feeds", &Value::Null).await;
    assert!(!format!("{added}{listed}").contains("s3cret"));
    let id = added["id"].as_str().unwrap();
    let kept = house.platform.data.key_file(&format!("feed-{id}"));
    assert!(kept.exists());
    // What a node that died between secret and feed has left goes at the next start.
    let orphan = house.platform.data.key_file("feed-00000000-0000-4000-8000-000000000001");
    std::fs::write(&orphan, "x").unwrap();
    house.room.start();
    for _ in 0..200 {
        if !orphan.exists() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(kept.exists() && !orphan.exists());
    // A wrong one is refused, in words that do not hold it even when the server says it.
    std::fs::write(&kept, "s3cret-other").unwrap();
    let (_, problem) = house.run("t").await;
    assert!(problem["detail"].as_str().unwrap().contains("401"), "{problem}");
    let change = |secret: &str| json!({ "secret": secret });
    house.ask("PATCH", "/api/v1/feeds/t", &change("s3cret-token")).await;
    assert_eq!(house.run("t").await.0, 200);
    assert_eq!(house.ask("PATCH", "/api/v1/feeds/t", &change("")).await.0, 422);
    // Lost, as after a restore without keys: said, and not tried again at once.
    std::fs::remove_file(&kept).unwrap();
    let (_, problem) = house.run("t").await;
    assert!(problem["detail"].as_str().unwrap().contains("sereno feed secret"), "{problem}");
    assert_eq!(house.shown("t").await["state"], "failing");
    house.ask("DELETE", "/api/v1/feeds/t", &Value::Null).await;
    assert!(!kept.exists());
    for (auth, secret) in [
        (json!({"scheme": "bearer"}), Value::Null),
        (json!({"scheme": "none"}), json!("x")),
        (json!({"scheme": "basic", "user": "a:b"}), json!("x")),
        (json!({"scheme": "key"}), json!("a\nb")),
    ] {
        let body = json!({"name": "x", "url": url, "auth": auth, "secret": secret, "format": {"form": "taxii"}});
        assert_eq!(house.add(body.clone()).await.0, 422, "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_objects_are_refused_one_by_one_and_removing_takes_everything_back() {
    let at = |n: usize| format!("2026-02-01T00:00:00.{n:06}Z");
    let mut old = indicator(2);
    old.as_object_mut().unwrap().remove("spec_version");
    let observed = json!({"type": "observed-data", "id": "observed-data--b67d30ff-02ac-498a-92f9-32f845f448cf",
        "created": "2016-04-06T19:58:16.000Z", "modified": "2016-04-06T19:58:16.000Z", "number_observed": 1,
        "first_observed": "2015-12-21T19:00:00Z", "last_observed": "2015-12-21T19:00:00Z",
        "objects": {"0": {"type": "ipv4-addr", "value": "45.9.148.99"}}});
    let marked = {
        let mut object = indicator(3);
        object["object_marking_refs"] =
            json!(["marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"]);
        object
    };
    let objects = vec![
        (at(0), indicator(1)),
        (at(1), json!({"type": "indicator", "id": "indicator--x"})),
        (at(2), json!(7)),
        (at(3), old),
        (at(4), observed),
        (at(5), marked),
    ];
    let (url, _) = server(Way::Good, objects).await;
    let house = house().await;
    house.taxii(&url, 10).await;
    let (_, feed) = house.run("t").await;
    assert_eq!(feed["counts"]["rejected"], 2 + 1, "{feed}");
    assert!(house.known("45.9.148.99").await, "STIX 2.0 is brought to 2.1");
    let mut sql = house.platform.db.read().await.unwrap();
    let rows = sqlx::query("SELECT tlp FROM intel_objects WHERE type = 'indicator' ORDER BY seq");
    let labels: Vec<i64> =
        rows.fetch_all(&mut *sql).await.unwrap().iter().map(|row| sqlx::Row::get(row, 0)).collect();
    drop(sql);
    assert_eq!(labels, [1, 1, 4], "the feed's label where there is none, red stays red");
    let (_, refused) = house.ask("GET", "/api/v1/feeds/t/rejects", &Value::Null).await;
    assert_eq!(
        refused["items"].as_array().unwrap().len(),
        3,
        "with the collection that has no UUID"
    );
    assert_eq!(house.ask("DELETE", "/api/v1/feeds/t", &Value::Null).await.0, 204);
    assert_eq!(house.held().await, 0);
    assert!(!house.known("n1.example.net").await && !house.known("45.9.148.99").await);
}
