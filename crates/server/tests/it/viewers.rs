//! Many pages on one node: each hears everything, in few writes, and the node stays small.

use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures::StreamExt;
use futures::future::join_all;
use platform::http::Caller;
use tower::ServiceExt;

use crate::node::{call, open};

const VIEWERS: usize = 200;
const FACTS: usize = 400;

/// Listens until so many facts were heard; how many writes it took.
async fn listen(app: axum::Router, facts: usize) -> usize {
    let mut request = Request::get("/api/v1/events?after=0").body(Body::empty()).unwrap();
    request.extensions_mut().insert(Caller::local_admin());
    let response = app.oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let mut stream = response.into_body().into_data_stream();
    let (mut heard, mut writes) = (Vec::new(), 0);
    while heard.len() < facts {
        let chunk = tokio::time::timeout(Duration::from_secs(60), stream.next()).await;
        let chunk = chunk.unwrap().unwrap().unwrap();
        let text = std::str::from_utf8(&chunk).unwrap();
        let seqs = text.lines().filter_map(|line| line.strip_prefix("id: ")?.parse::<i64>().ok());
        heard.extend(seqs);
        writes += 1;
    }
    assert!(heard.is_sorted() && heard.windows(2).all(|two| two[0] + 1 == two[1]), "{heard:?}");
    writes
}

/// Resident memory of this process, MB.
fn resident_mb() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages: f64 = text.split(' ').nth(1).and_then(|pages| pages.parse().ok()).unwrap_or(0.0);
    pages * 4096.0 / 1e6
}

async fn make_fact(app: &axum::Router, number: usize) {
    let body = format!(r#"{{"role": "read-only", "label": "t{number}"}}"#);
    let mut request = Request::post("/api/v1/tokens")
        .header("content-type", "application/json")
        .body(Body::from(body))
        .unwrap();
    request.extensions_mut().insert(Caller::local_admin());
    assert!(app.clone().oneshot(request).await.unwrap().status().is_success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_pages_hear_every_fact_in_few_writes() {
    let folder = tempfile::tempdir().unwrap();
    let node = open(folder.path()).await;
    let app = node.app();
    let (_, facts) = call(&app, "GET", "/api/v1/facts?limit=1", Some(Caller::local_admin())).await;
    let before = usize::try_from(facts["items"][0]["seq"].as_i64().unwrap_or(0)).unwrap();
    let begun = Instant::now();
    let pages = join_all((0..VIEWERS).map(|_| listen(app.clone(), before + FACTS)));
    let pump = async {
        for chunk in (0..FACTS).collect::<Vec<_>>().chunks(50) {
            join_all(chunk.iter().map(|number| make_fact(&app, *number))).await;
        }
    };
    let (writes, ()) = tokio::join!(pages, pump);
    let seconds = begun.elapsed().as_secs_f64();
    let most = writes.iter().max().copied().unwrap_or(0);
    println!(
        "{VIEWERS} viewers, {FACTS} facts: {seconds:.1} s, {most} writes to a page at most, {:.0} MB resident",
        resident_mb()
    );
    // Ten a second, and the first one at once.
    assert!(most as f64 <= seconds * 10.0 + 2.0, "{most} writes in {seconds} s");
    assert!(resident_mb() < 300.0, "{} MB", resident_mb());
}
