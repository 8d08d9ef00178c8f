//! The room over a real database, with a server of its own.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, missing_docs)]

mod csaf;
mod csaf_trust;
mod misp;
mod push;
mod runs;
mod taxii;

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use feedhub::{Config, Feedhub};
use platform::Platform;
use platform::testing::call;
use ports::fake::{FakeDisclosure, FakeOrganisations};
use serde_json::{Value, json};

struct House {
    room: Feedhub,
    platform: Platform,
    judge: Arc<FakeDisclosure>,
    organisations: Arc<FakeOrganisations>,
    _folder: tempfile::TempDir,
}

impl House {
    async fn new(allow_private: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let rooms = [intel::MIGRATIONS, feedhub::MIGRATIONS];
        let platform = platform::testing::platform(folder.path(), &rooms).await.unwrap();
        let config = Config { allow_private, ..Config::default() };
        let room = Feedhub::open(&platform, config).unwrap();
        let judge = Arc::new(FakeDisclosure::by(|_, _, object| Ok(object.object.clone())));
        let organisations: Arc<FakeOrganisations> = Arc::default();
        room.ask(judge.clone(), organisations.clone());
        Self { room, platform, judge, organisations, _folder: folder }
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (status, answer) = call(self.room.router(), true, method, path, body).await;
        (status.as_u16(), answer)
    }

    async fn add(&self, body: Value) -> (u16, Value) {
        self.ask("POST", "/api/v1/feeds", &body).await
    }

    /// new, updated, same, duplicate, well known, rejected, gone
    async fn load(&self, name: &str, bytes: &[u8]) -> [u64; 7] {
        let feed = self.room.feed(name).await.unwrap();
        let c = self.room.load(&feed, bytes).await.unwrap();
        [c.new, c.updated, c.same, c.duplicate, c.well_known, c.rejected, c.gone]
    }

    async fn known(&self, value: &str) -> bool {
        let mut sql = self.platform.db.read().await.unwrap();
        let found =
            intel::values::lookup(&mut sql, value, intel::Sight::ALL, i64::MAX).await.unwrap();
        !found.is_empty()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_is_accounted_for_and_kept_once() {
    let house = House::new(false).await;
    let (status, _) = house
        .add(json!({"name": "list", "format": {"form": "plain", "kinds": ["ipv4"], "score": 1}}))
        .await;
    assert_eq!(status, 201);
    let first =
        b"# a list\n45.9.148.7 5\n45.9.149.9\t1\n45.9.148.7 5\nnonsense\n\xff\xfe\n8.8.8.8 1\n";
    assert_eq!(house.load("list", first).await, [2, 0, 0, 1, 1, 2, 0]);
    assert!(house.known("45.9.148.7").await && !house.known("8.8.8.8").await);
    // the same again changes nothing, a changed score is told, what is missing goes
    assert_eq!(house.load("list", first).await, [0, 0, 2, 1, 1, 2, 0]);
    assert_eq!(house.load("list", b"45.9.148.7 9\n").await, [0, 1, 0, 0, 0, 0, 1]);
    assert!(!house.known("45.9.149.9").await);
    house.load("list", first).await;
    let (_, refused) = house.ask("GET", "/api/v1/feeds/list/rejects", &Value::Null).await;
    assert_eq!(refused["items"][0]["place"], "line 5");
    assert_eq!(refused["items"][0]["excerpt"], "nonsense");
    let (_, feeds) = house.ask("GET", "/api/v1/feeds", &Value::Null).await;
    assert_eq!(
        (&feeds["items"][0]["state"], &feeds["items"][0]["counts"]["rejected"]),
        (&json!("fine"), &json!(2))
    );
    let (status, _) = house.ask("DELETE", "/api/v1/feeds/list", &Value::Null).await;
    assert_eq!(status, 204);
    assert!(!house.known("45.9.148.7").await, "its word goes with it");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_forms_are_read() {
    let house = House::new(false).await;
    house.add(json!({"name": "csv", "format": {"form": "csv", "header": true, "delimiter": ";", "value": "ioc", "kind": "type"}})).await;
    let csv = b"type;ioc\ndomain;Evil-Host-4711.top\nmd5;d41d8cd98f00b204e9800998ecf8427f\nip;45.9.148.1\n";
    assert_eq!(house.load("csv", csv).await[0..2], [3, 0]);
    assert!(house.known("evil-host-4711.top").await);
    house.add(json!({"name": "kev", "format": {"form": "kev"}})).await;
    let kev = br#"{"vulnerabilities": [{"cveID": "CVE-2026-0001", "dateAdded": "2026-01-01"}, {"cveID": 7}]}"#;
    assert_eq!(house.load("kev", kev).await, [1, 0, 0, 0, 0, 1, 0]);
    house
        .add(json!({"name": "json", "format": {"form": "json", "path": "/data/*", "value": "/v"}}))
        .await;
    assert_eq!(
        house.load("json", br#"{"data": [{"v": "45.9.148.2"}, {"w": 1}]}"#).await,
        [1, 0, 0, 0, 0, 1, 0]
    );
    house.add(json!({"name": "text", "format": {"form": "free-text"}})).await;
    assert_eq!(house.load("text", b"It called hxxp://bad-host-4711[.]top/x twice.").await[0], 1);
    // packed as it may come
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(b"{\"vulnerabilities\": []}").unwrap();
    assert_eq!(house.load("kev", &packed.finish().unwrap()).await, [0, 0, 0, 0, 0, 0, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_off_keeps_what_was_read_and_lets_nothing_go() {
    let house = House::new(false).await;
    house.add(json!({"name": "kev", "format": {"form": "kev"}})).await;
    house
        .load(
            "kev",
            br#"{"vulnerabilities": [{"cveID": "CVE-2026-0001", "dateAdded": "2026-01-01"}]}"#,
        )
        .await;
    let feed = house.room.feed("kev").await.unwrap();
    let cut =
        br#"{"vulnerabilities": [{"cveID": "CVE-2026-0002", "dateAdded": "2026-01-01"}, {"cve"#;
    assert!(house.room.load(&feed, cut).await.is_err());
    assert!(
        house.known("CVE-2026-0001".to_lowercase().as_str()).await
            && house.known("cve-2026-0002").await
    );
    let (_, feeds) = house.ask("GET", "/api/v1/feeds", &Value::Null).await;
    assert_eq!(feeds["items"][0]["state"], "failing");
    // a bomb: much more comes out than goes in
    let mut bomb = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        bomb.write_all(&vec![b'\n'; 1 << 20]).unwrap();
    }
    house.add(json!({"name": "bomb", "format": {"form": "plain"}})).await;
    let feed = house.room.feed("bomb").await.unwrap();
    let refused = house.room.load(&feed, &bomb.finish().unwrap()).await.unwrap_err();
    assert!(
        refused.to_string().contains("ratio") || refused.to_string().contains("more"),
        "{refused}"
    );
}

async fn serve(router: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_is_fetched_once_while_it_does_not_change() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let list = move |headers: HeaderMap| {
        let count = Arc::clone(&count);
        async move {
            count.fetch_add(1, Ordering::SeqCst);
            if headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag == "\"one\"") {
                return StatusCode::NOT_MODIFIED.into_response();
            }
            ([(header::ETAG, "\"one\"")], "45.9.148.3\n").into_response()
        }
    };
    let redirect = || async { (StatusCode::FOUND, [(header::LOCATION, "/list")]) };
    let turn = || async { (StatusCode::FOUND, [(header::LOCATION, "/turn")]) };
    let router = axum::Router::new()
        .route("/list", get(list))
        .route("/moved", get(redirect))
        .route("/turn", get(turn));
    let url = serve(router).await;
    let house = House::new(true).await;
    house
        .add(json!({"name": "a", "url": format!("{url}/moved"), "format": {"form": "plain"}}))
        .await;
    let (status, feed) = house.ask("POST", "/api/v1/feeds/a/run", &Value::Null).await;
    assert_eq!((status, &feed["counts"]["new"]), (200, &json!(1)), "{feed}");
    let (status, feed) = house.ask("POST", "/api/v1/feeds/a/run", &Value::Null).await;
    assert_eq!((status, &feed["state"], &feed["counts"]["new"]), (200, &json!("fine"), &json!(1)));
    assert_eq!(asked.load(Ordering::SeqCst), 2);
    house
        .add(json!({"name": "b", "url": format!("{url}/turn"), "format": {"form": "plain"}}))
        .await;
    house
        .add(json!({"name": "c", "url": format!("{url}/gone"), "format": {"form": "plain"}}))
        .await;
    for (name, word) in [("b", "redirects"), ("c", "404")] {
        let (status, problem) =
            house.ask("POST", &format!("/api/v1/feeds/{name}/run"), &Value::Null).await;
        assert_eq!(status, 502);
        assert!(problem["detail"].as_str().unwrap().contains(word), "{problem}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_goes_to_the_feeds_own_server_only() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let said = |headers: &HeaderMap| {
        let said = headers.get(header::AUTHORIZATION);
        said.map_or("nothing".to_owned(), |said| said.to_str().unwrap().to_owned())
    };
    let other = axum::Router::new().route(
        "/list",
        get(move |headers: HeaderMap| async move {
            if said(&headers) == "nothing" {
                "45.9.148.3\n".into_response()
            } else {
                StatusCode::IM_A_TEAPOT.into_response()
            }
        }),
    );
    let other = serve(other).await;
    let own = axum::Router::new().route(
        "/list",
        get(move |headers: HeaderMap| async move {
            if said(&headers) != "Basic bWU6cGFzcw==" {
                return StatusCode::UNAUTHORIZED.into_response();
            }
            (StatusCode::FOUND, [(header::LOCATION, format!("{other}/list"))]).into_response()
        }),
    );
    let url = serve(own).await;
    let house = House::new(true).await;
    house
        .add(json!({"name": "a", "url": format!("{url}/list"), "format": {"form": "plain"},
        "auth": {"scheme": "basic", "user": "me"}, "secret": "pass"}))
        .await;
    let (status, feed) = house.ask("POST", "/api/v1/feeds/a/run", &Value::Null).await;
    assert_eq!((status, &feed["counts"]["new"]), (200, &json!(1)), "{feed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn feeds_come_from_public_addresses_only() {
    let house = House::new(false).await;
    for (n, url) in [
        "http://127.0.0.1:9/x",
        "http://localhost/x",
        "http://[::1]/x",
        "http://169.254.169.254/latest",
        "http://[::ffff:10.0.0.1]/",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("f{n}");
        house.add(json!({"name": name, "url": url, "format": {"form": "plain"}})).await;
        let (status, problem) =
            house.ask("POST", &format!("/api/v1/feeds/{name}/run"), &Value::Null).await;
        assert_eq!(status, 502, "{url}");
        let said = problem["detail"].as_str().unwrap();
        assert!(
            said.contains("not a public address") || said.contains("not found"),
            "{url}: {said}"
        );
    }
    for url in ["file:///etc/passwd", "ftp://x/", "http://user:secret@x/", "nonsense"] {
        let (status, problem) =
            house.add(json!({"name": "x", "url": url, "format": {"form": "plain"}})).await;
        assert_eq!(status, 422, "{url}: {problem}");
        assert!(!problem.to_string().contains("secret"), "{problem}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_with_the_reason() {
    let house = House::new(false).await;
    house.add(json!({"name": "taken", "format": {"form": "plain"}})).await;
    for (body, status) in [
        (json!({"name": "taken", "format": {"form": "plain"}}), 409),
        (json!({"name": " ", "format": {"form": "plain"}}), 422),
        (json!({"name": "x", "format": {"form": "plain", "kinds": ["colour"]}}), 422),
        (json!({"name": "x", "format": {"form": "csv", "delimiter": "→"}}), 422),
        (json!({"name": "x", "format": {"form": "plain"}, "every_minutes": 0}), 422),
        (json!({"name": "x", "format": {"form": "plain"}, "tlp": "purple"}), 422),
    ] {
        let (got, problem) = house.add(body.clone()).await;
        assert_eq!(got, status, "{body}: {problem}");
    }
    assert_eq!(house.ask("POST", "/api/v1/feeds/none/run", &Value::Null).await.0, 404);
    assert_eq!(
        house.ask("POST", "/api/v1/feeds/taken/run", &Value::Null).await.0,
        422,
        "no address"
    );
    // What the caller brought is the caller's: no gateway failed. `null` is no address either.
    let (status, problem) = house.ask("POST", "/api/v1/feeds/taken/load", &Value::Null).await;
    assert_eq!(status, 422, "{problem}");
    for (method, path) in [
        ("GET", "/api/v1/feeds"),
        ("POST", "/api/v1/feeds"),
        ("PATCH", "/api/v1/feeds/x"),
        ("DELETE", "/api/v1/feeds/x"),
        ("POST", "/api/v1/feeds/x/run"),
        ("POST", "/api/v1/feeds/x/load"),
        ("GET", "/api/v1/feeds/x/rejects"),
    ] {
        let (status, _) = call(house.room.router(), false, method, path, &Value::Null).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{method} {path}");
    }
}
