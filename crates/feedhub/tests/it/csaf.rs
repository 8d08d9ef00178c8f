//! A CSAF provider of the test's own.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use serde_json::{Value, json};

use super::{House, serve};

#[derive(Default)]
pub(super) struct Site {
    files: Mutex<BTreeMap<String, String>>,
    advisories: AtomicUsize,
}

async fn file(State(site): State<Arc<Site>>, uri: Uri) -> (StatusCode, String) {
    if uri.path().contains("/2026/") && uri.path().ends_with(".json") {
        site.advisories.fetch_add(1, Ordering::SeqCst);
    }
    match site.files.lock().unwrap().get(uri.path()) {
        Some(text) => (StatusCode::OK, text.clone()),
        None => (StatusCode::NOT_FOUND, "nothing here".into()),
    }
}

pub(super) async fn site() -> (String, Arc<Site>) {
    let site = Arc::new(Site::default());
    let router = axum::Router::new().fallback(file).with_state(Arc::clone(&site));
    (serve(router).await, site)
}

pub(super) fn advisory(n: usize, date: &str, tlp: &str) -> Value {
    json!({"document": {"category": "csaf_security_advisory", "csaf_version": "2.0", "title": format!("Advisory {n}"),
            "publisher": {"category": "vendor", "name": "Example", "namespace": "https://example.com"},
            "distribution": {"tlp": {"label": tlp}},
            "notes": [{"category": "summary", "text": "A summary."}],
            "references": [{"summary": "self", "url": "https://example.com/a"}],
            "tracking": {"id": format!("EX-{n}"), "status": "final", "version": "1",
                "current_release_date": date, "initial_release_date": "2026-01-01T00:00:00+01:00",
                "revision_history": [{"date": date, "number": "1", "summary": "first"}]}},
        "product_tree": {"full_product_names": [{"product_id": "P1", "name": "Controller X 1.0"}]},
        "vulnerabilities": [{"cve": format!("CVE-2026-{:04}", 4_000 + n), "title": "Overflow",
            "product_status": {"known_affected": ["P1"]},
            "remediations": [{"category": "vendor_fix", "details": "Install 1.1", "product_ids": ["P1"]}],
            "scores": [{"products": ["P1"], "cvss_v3": {"baseScore": 9.8, "vectorString": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}]}]})
}

impl Site {
    pub(super) fn put(&self, path: &str, text: impl Into<String>) {
        self.files.lock().unwrap().insert(path.to_owned(), text.into());
    }

    fn provider(&self, url: &str, distributions: Value) {
        let metadata = json!({"canonical_url": format!("{url}/provider-metadata.json"), "role": "csaf_provider",
            "metadata_version": "2.0", "last_updated": "2026-01-01T00:00:00Z", "list_on_CSAF_aggregators": true,
            "mirror_on_CSAF_aggregators": true, "distributions": distributions,
            "publisher": {"category": "vendor", "name": "Example", "namespace": "https://example.com"}});
        self.put("/.well-known/csaf/provider-metadata.json", metadata.to_string());
    }
}

fn digest(text: &str) -> String {
    use sha2::Digest;
    format!("{}  file.json\n", hex::encode(sha2::Sha256::digest(text)))
}

pub(super) async fn house(url: &str, format: Value) -> House {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let house = House::new(true).await;
    let (status, feed) = house.add(json!({"name": "c", "url": url, "format": format})).await;
    assert_eq!(status, 201, "{feed}");
    house
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_read_by_its_changes_and_digests_are_checked() {
    let (url, site) = site().await;
    site.provider(&url, json!([{"directory_url": format!("{url}/csaf/")}]));
    for n in 1..=3 {
        let text = advisory(n, "2026-02-01T00:00:00Z", "WHITE").to_string();
        site.put(&format!("/csaf/2026/{n}.json.sha256"), digest(&text));
        site.put(&format!("/csaf/2026/{n}.json"), text);
    }
    site.put("/csaf/2026/3.json.sha256", digest("something else"));
    let changes = |three: &str| {
        format!(
            "\"2026/3.json\",\"{three}\"\n\"2026/2.json\",\"2026-02-01T00:00:00Z\"\n\"2026/1.json\",\"2026-02-01T00:00:00Z\"\n\"../../x.json\",\"2026-02-01T00:00:00Z\"\n"
        )
    };
    site.put("/csaf/changes.csv", changes("2026-02-01T00:00:00Z"));
    let house = house(&url, json!({"form": "csaf"})).await;
    let (status, feed) = house.run("c").await;
    assert_eq!((status, &feed["counts"]["rejected"]), (200, &json!(2)), "{feed}");
    assert!(house.known("cve-2026-4001").await && !house.known("cve-2026-4003").await);
    let mut sql = house.platform.db.read().await.unwrap();
    let note = sqlx::query("SELECT body FROM intel_objects WHERE type = 'note' LIMIT 1");
    let note: String = sqlx::Row::get(&note.fetch_one(&mut *sql).await.unwrap(), 0);
    assert!(note.contains("Controller X 1.0") && note.contains("Install 1.1"), "{note}");
    drop(sql);
    // What could not be taken is asked for again, what did not change is not.
    let third = site.files.lock().unwrap()["/csaf/2026/3.json"].clone();
    site.put("/csaf/2026/3.json.sha256", digest(&third));
    let before = site.advisories.load(Ordering::SeqCst);
    house.run("c").await;
    assert_eq!(site.advisories.load(Ordering::SeqCst) - before, 1);
    assert!(house.known("cve-2026-4003").await);
    // A new version replaces, and the number of objects stays.
    let held = house.held().await;
    let text = advisory(3, "2026-03-01T00:00:00Z", "WHITE")
        .to_string()
        .replace("Install 1.1", "Install 1.2");
    site.put("/csaf/2026/3.json.sha256", digest(&text));
    site.put("/csaf/2026/3.json", text);
    site.put("/csaf/changes.csv", changes("2026-03-01T00:00:00Z"));
    let (_, feed) = house.run("c").await;
    assert!(feed["counts"]["updated"].as_u64().unwrap() >= 3, "{feed}");
    assert_eq!(house.held().await, held);
}

#[tokio::test(flavor = "multi_thread")]
async fn rolie_feeds_are_read_and_closed_ones_do_not_stop_the_open() {
    let (url, site) = site().await;
    let entry = |n: usize| {
        json!({"id": format!("EX-{n}"), "title": "x", "published": "2026-01-01T00:00:00Z",
        "updated": "2026-01-02T00:00:00Z", "content": {"type": "application/json", "src": format!("{url}/2026/{n}.json")},
        "link": [{"rel": "self", "href": format!("{url}/2026/{n}.json")}]})
    };
    site.provider(
        &url,
        json!([{"rolie": {"feeds": [
        {"tlp_label": "WHITE", "url": format!("{url}/white.json")},
        {"tlp_label": "AMBER", "url": format!("{url}/amber.json")}]}}]),
    );
    let feed = json!({"feed": {"id": "f", "title": "t", "updated": "2026-01-02T00:00:00Z",
        "entry": [entry(1), entry(2), entry(3), {"id": "odd"}]}});
    site.put("/white.json", feed.to_string());
    site.put("/2026/1.json", advisory(1, "2026-01-02T00:00:00Z", "AMBER").to_string());
    site.put("/2026/2.json", "{\"document\": {}}");
    let house = house(&url, json!({"form": "csaf"})).await;
    let (status, problem) = house.run("c").await;
    assert_eq!(status, 502, "the closed feed is told: {problem}");
    assert!(problem["detail"].as_str().unwrap().contains("AMBER"));
    let shown = house.shown("c").await;
    // One that is no advisory, one that is not there, one entry without a place.
    assert_eq!(shown["counts"]["rejected"], 3, "{shown}");
    assert!(house.known("cve-2026-4001").await);
    let mut sql = house.platform.db.read().await.unwrap();
    let least = sqlx::query("SELECT MIN(tlp) FROM intel_objects WHERE type = 'vulnerability'");
    let least: i64 = sqlx::Row::get(&least.fetch_one(&mut *sql).await.unwrap(), 0);
    assert_eq!(least, 2, "an advisory under AMBER stays so");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_provider_is_told() {
    let (url, site) = site().await;
    let house = house(&url, json!({"form": "csaf"})).await;
    for text in ["", "<html>", "{}", "{\"metadata_version\": \"9\"}", &"[".repeat(100_000)] {
        site.put("/.well-known/csaf/provider-metadata.json", text);
        assert_eq!(house.run("c").await.0, 502, "{text:.40}");
    }
    site.provider(&url, json!([]));
    let (_, problem) = house.run("c").await;
    assert!(problem["detail"].as_str().unwrap().contains("no way"), "{problem}");
}
