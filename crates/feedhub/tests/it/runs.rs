//! Runs that go wrong, and who may see of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::response::IntoResponse;
use axum::routing::get;
use platform::http::Gate;
use platform::testing::call_through;
use ports::AccessQuestion;
use ports::fake::FakeRule;
use serde_json::{Value, json};

use super::{House, serve};

impl House {
    /// As a reader of feeds who sees up to TLP:GREEN.
    async fn reader(&self, method: &str, path: &str) -> (u16, Value) {
        let rule = |question: &AccessQuestion| match question.action.as_str() {
            "see" => ["TLP:CLEAR", "TLP:GREEN"].contains(&question.resource.as_str()),
            action => action == "feeds.read",
        };
        let gate = Gate(Arc::new(FakeRule(rule)));
        let (status, answer) =
            call_through(self.room.router(), gate, method, path, &Value::Null).await;
        (status.as_u16(), answer)
    }

    /// As somebody who writes feeds and sees up to TLP:GREEN.
    async fn writer(&self, method: &str, path: &str) -> u16 {
        let rule = |question: &AccessQuestion| {
            question.action != "see" || question.resource == "TLP:CLEAR"
        };
        let gate = Gate(Arc::new(FakeRule(rule)));
        let body = if method == "PATCH" { json!({ "paused": true }) } else { Value::Null };
        call_through(self.room.router(), gate, method, path, &body).await.0.as_u16()
    }
}

fn rustls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A house with a feed `f` at this address that lists everything it knows.
async fn fetching(url: &str) -> House {
    rustls();
    let house = House::new(true).await;
    let (status, feed) =
        house.add(json!({ "name": "f", "url": url, "format": { "form": "plain" } })).await;
    assert_eq!(status, 201, "{feed}");
    house
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_beyond_sight_does_not_exist() {
    let house = House::new(false).await;
    house.add(json!({ "name": "red", "tlp": "red", "format": { "form": "plain" } })).await;
    house.add(json!({ "name": "open", "format": { "form": "plain" } })).await;
    house.load("red", b"45.9.148.7\nsecret-line\n").await;
    let (_, shown) = house.reader("GET", "/api/v1/feeds").await;
    assert_eq!(shown["items"].as_array().unwrap().len(), 1, "{shown}");
    assert_eq!(shown["items"][0]["name"], "open");
    let (status, told) = house.reader("GET", "/api/v1/feeds/red/rejects").await;
    let (unknown, never) = house.reader("GET", "/api/v1/feeds/rad/rejects").await;
    assert_eq!((status, unknown), (404, 404));
    assert_eq!(told.to_string(), never.to_string().replace("rad", "red"), "like one never added");
    for (method, path) in [
        ("POST", "/api/v1/feeds/red/run"),
        ("POST", "/api/v1/feeds/red/load"),
        ("PATCH", "/api/v1/feeds/red"),
        ("DELETE", "/api/v1/feeds/red"),
    ] {
        assert_eq!(house.writer(method, path).await, 404, "{method} {path}");
    }
    let (_, refused) = house.ask("GET", "/api/v1/feeds/red/rejects", &Value::Null).await;
    assert_eq!(refused["items"][0]["excerpt"], "secret-line");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_in_addresses_are_told_only_to_those_who_may_write() {
    let moved = || async {
        let to = [(axum::http::header::LOCATION, "http://[nowhere/?auth-key=SECRET")];
        (axum::http::StatusCode::FOUND, to)
    };
    let away = || async {
        let to = [(axum::http::header::LOCATION, "http://127.0.0.1:1/x?auth-key=SECRET")];
        (axum::http::StatusCode::FOUND, to)
    };
    let router = axum::Router::new().route("/moved", get(moved)).route("/away", get(away));
    let url = serve(router).await;
    rustls();
    let house = House::new(true).await;
    for (name, place) in [
        ("gone", format!("{url}/gone")),
        ("moved", format!("{url}/moved")),
        ("away", format!("{url}/away")),
        ("down", "http://127.0.0.1:1/list".to_owned()),
    ] {
        let place = format!("{place}?auth-key=SECRET");
        house.add(json!({ "name": name, "url": place, "format": { "form": "plain" } })).await;
        let (status, problem) =
            house.ask("POST", &format!("/api/v1/feeds/{name}/run"), &Value::Null).await;
        assert_eq!(status, 502);
        assert!(!problem.to_string().contains("SECRET"), "{problem}");
    }
    let (_, shown) = house.reader("GET", "/api/v1/feeds").await;
    assert!(!shown.to_string().contains("SECRET"), "{shown}");
    let gone = shown["items"].as_array().unwrap().iter().find(|feed| feed["name"] == "gone");
    assert_eq!(gone.unwrap()["url"], format!("{url}/gone"));
    let (_, all) = house.ask("GET", "/api/v1/feeds", &Value::Null).await;
    assert!(all.to_string().contains("SECRET"), "who writes sees the whole address");
    for feed in all["items"].as_array().unwrap() {
        assert!(!feed["last_error"].as_str().unwrap().contains("SECRET"), "{feed}");
    }
    for component in house.room.health().await {
        assert!(!format!("{component:?}").contains("SECRET"), "{component:?}");
    }
    for url in ["nonsense?auth-key=SECRET", "http://?auth-key=SECRET", "http://[x/?k=SECRET"] {
        let (_, problem) =
            house.add(json!({ "name": "x", "url": url, "format": { "form": "plain" } })).await;
        assert!(!problem.to_string().contains("SECRET"), "{problem}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_the_feed_lets_nothing_go() {
    for form in ["plain", "free-text"] {
        let house = House::new(false).await;
        house.add(json!({ "name": "f", "format": { "form": form } })).await;
        house.load("f", b"45.9.148.7\n").await;
        let feed = house.room.feed("f").await.unwrap();
        for page in ["<html><body>We are back soon</body></html>\n", ""] {
            let refused = house.room.load(&feed, page.as_bytes()).await.unwrap_err();
            assert!(refused.to_string().contains("stays"), "{refused}");
            assert!(house.known("45.9.148.7").await, "{form} {page}");
        }
    }
    // A list that says of itself that it is empty is empty.
    let house = House::new(false).await;
    house.add(json!({ "name": "f", "format": { "form": "plain" } })).await;
    house.load("f", b"45.9.148.7\n").await;
    house.load("f", b"# nothing today\n").await;
    assert!(!house.known("45.9.148.7").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_load_by_hand_the_feed_is_fetched_anew() {
    let list = |headers: axum::http::HeaderMap| async move {
        if headers.get("if-none-match").is_some() {
            return axum::http::StatusCode::NOT_MODIFIED.into_response();
        }
        ([(axum::http::header::ETAG, "\"one\"")], "45.9.148.3\n").into_response()
    };
    let url = serve(axum::Router::new().route("/list", get(list))).await;
    let house = fetching(&format!("{url}/list")).await;
    house.ask("POST", "/api/v1/feeds/f/run", &Value::Null).await;
    house.load("f", b"45.9.148.4\n").await;
    assert!(!house.known("45.9.148.3").await);
    house.ask("POST", "/api/v1/feeds/f/run", &Value::Null).await;
    assert!(house.known("45.9.148.3").await && !house.known("45.9.148.4").await);
}

/// A server that waits before it gives its list, and counts who asked.
async fn slow(ms: u64) -> (String, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let list = move || {
        count.fetch_add(1, Ordering::SeqCst);
        async move {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            "45.9.148.3\n"
        }
    };
    (serve(axum::Router::new().route("/list", get(list))).await + "/list", asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_that_is_removed_while_it_runs_leaves_nothing() {
    let (url, asked) = slow(300).await;
    let house = fetching(&url).await;
    let run = house.ask("POST", "/api/v1/feeds/f/run", &Value::Null);
    let remove = async {
        while asked.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        house.ask("DELETE", "/api/v1/feeds/f", &Value::Null).await
    };
    let (_, (status, _)) = tokio::join!(run, remove);
    assert_eq!(status, 204);
    assert!(!house.known("45.9.148.3").await);
    assert_eq!(house.ask("POST", "/api/v1/feeds/f/run", &Value::Null).await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_on_when_its_caller_hangs_up() {
    let (url, asked) = slow(300).await;
    let house = fetching(&url).await;
    let hung = tokio::time::timeout(
        Duration::from_millis(100),
        house.ask("POST", "/api/v1/feeds/f/run", &Value::Null),
    );
    assert!(hung.await.is_err());
    let mut waited = 0;
    while !house.known("45.9.148.3").await {
        waited += 1;
        assert!(waited < 200, "asked {}", asked.load(Ordering::SeqCst));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_run_has_left_is_swept() {
    let house = House::new(false).await;
    let left = house.platform.data.root().join("feed-0.part");
    std::fs::write(&left, b"x").unwrap();
    house.room.start();
    assert!(!left.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_cannot_be_noted_is_not_repeated_without_a_pause() {
    let (url, asked) = slow(0).await;
    let house = fetching(&url).await;
    let broken: Result<(), platform::db::DbError> = house
        .platform
        .db
        .write(|tx| {
            Box::pin(async move {
                let text = "CREATE TRIGGER full BEFORE UPDATE ON feedhub_feeds BEGIN SELECT RAISE(ABORT, 'full'); END";
                sqlx::query(text).execute(tx.sql()).await?;
                Ok(())
            })
        })
        .await;
    broken.unwrap();
    house.room.start();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    // `add` wakes the worker once more.
    let asked = asked.load(Ordering::SeqCst);
    assert!((1..=2).contains(&asked), "{asked}");
}
