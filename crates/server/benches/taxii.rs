//! TAXII over a large collection, client and server on the cores of this machine: the whole way through token, policy,
//! rights and database. `TAXII_OBJECTS` sets the size (1,000,000), `TAXII_SECONDS` how long pages of 100 are read (10).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
// The server of a measurement ends with it.
#![allow(clippy::disallowed_methods)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use intel::collections::{self, NewCollection};
use intel::{Batch, Prepared, Source, sources, write};
use platform::db::{Db, DbError};
use platform::http::Caller;
use platform::system::{SystemClock, SystemRandom};
use server::wire::{MIGRATIONS, Node, RoomConfigs};
use tower::ServiceExt;

const COLLECTION: &str = "7b1e0a1c-7f0b-4d64-9b0e-1c5a3f6d2b71";
const KINDS: [&str; 4] = ["malware", "tool", "campaign", "identity"];

fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn object(n: u64) -> Prepared {
    let kind = KINDS[(n % 4) as usize];
    let value = serde_json::json!({"type": kind, "spec_version": "2.1",
        "id": format!("{kind}--00000000-0000-4000-8000-{n:012x}"),
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
        "name": format!("thing {n}"), "is_family": false,
        "description": "A description of the usual length, which says what was seen where and by whom."});
    Prepared::new(&stix::Object::from_value(value).unwrap())
}

async fn fill(file: &std::path::Path, objects: u64) {
    let db =
        Db::open(file, &MIGRATIONS, Arc::new(SystemClock), Arc::new(SystemRandom)).await.unwrap();
    let new = NewCollection {
        id: COLLECTION.into(),
        root: "sereno".into(),
        alias: "large".into(),
        title: "Large".into(),
        description: String::new(),
        kind: "open".into(),
        peer: None,
    };
    let made: Result<(i64, i64), DbError> = db
        .write(move |tx| {
            Box::pin(async move {
                collections::create(tx.sql(), &new, 1).await?;
                let found = collections::find(tx.sql(), "sereno", COLLECTION).await?;
                let source = Source {
                    key: "bench".into(),
                    name: "bench".into(),
                    kind: "import".into(),
                    tlp: stix::Tlp::Clear,
                    licence: String::new(),
                };
                let source = sources::ensure(tx.sql(), &source, 1).await?;
                Ok((found.unwrap().number, source))
            })
        })
        .await;
    let (collection, source) = made.unwrap();
    let start = Instant::now();
    for from in (0..objects).step_by(10_000) {
        let batch: Vec<Prepared> = (from..(from + 10_000).min(objects)).map(object).collect();
        let put: Result<usize, DbError> = db
            .write(move |tx| {
                Box::pin(async move {
                    let now_us = tx.now().as_micros();
                    let batch = Batch {
                        source,
                        unmarked: 0,
                        collection: Some(collection),
                        objects: &batch,
                        now_us,
                    };
                    Ok(write::store(tx.sql(), &batch).await?.len())
                })
            })
            .await;
        put.unwrap();
    }
    println!("{objects} objects stored, searchable, in {:.1} s", start.elapsed().as_secs_f64());
    db.close().await;
}

/// One connection that asks page after page.
struct Reader {
    socket: TcpStream,
    token: String,
    buffer: Vec<u8>,
}

impl Reader {
    fn new(address: SocketAddr, token: &str) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_nodelay(true).unwrap();
        Self { socket, token: token.to_owned(), buffer: vec![0; 8 << 20] }
    }

    /// The cursor of the next page, and the bytes of this one.
    fn page(&mut self, query: &str) -> (Option<String>, usize) {
        let request = format!(
            "GET /taxii2/sereno/collections/large/objects/?{query} HTTP/1.1\r\nHost: x\r\n\
             Accept: application/taxii+json;version=2.1\r\nAuthorization: Bearer {}\r\n\r\n",
            self.token
        );
        self.socket.write_all(request.as_bytes()).unwrap();
        let mut filled = 0;
        let (mut head, mut whole) = (0, usize::MAX);
        while filled < whole {
            let count = self.socket.read(&mut self.buffer[filled..]).unwrap();
            assert!(count > 0, "the server closed the connection");
            filled += count;
            if head == 0
                && let Some(at) = self.buffer[..filled].windows(4).position(|w| w == b"\r\n\r\n")
            {
                head = at + 4;
                let text = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
                assert!(text.starts_with("http/1.1 200"), "{text}");
                let length = text.split("content-length: ").nth(1).unwrap();
                whole = head + length.split('\r').next().unwrap().parse::<usize>().unwrap();
            }
        }
        let start = &self.buffer[head..(head + 120).min(whole)];
        let start = String::from_utf8_lossy(start).into_owned();
        let next = start.split("\"next\":\"").nth(1).and_then(|rest| rest.split('"').next());
        (next.map(str::to_owned), whole)
    }
}

/// Page after page, from the beginning again at the end, until the time is over.
fn read_for(address: SocketAddr, token: &str, query: &str, time: Duration) -> Vec<Duration> {
    let mut reader = Reader::new(address, token);
    let (mut times, mut next) = (Vec::new(), None::<String>);
    let end = Instant::now() + time;
    while Instant::now() < end {
        let cursor = next.as_ref().map_or_else(String::new, |next| format!("&next={next}"));
        let start = Instant::now();
        let (following, _) = reader.page(&format!("{query}{cursor}"));
        times.push(start.elapsed());
        next = following;
    }
    times
}

fn say(what: &str, mut times: Vec<Duration>, seconds: f64) {
    times.sort_unstable();
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize].as_secs_f64() * 1_000.0;
    println!(
        "{what}: {:.0} pages/s; {:.2} ms median, {:.2} ms p99, {:.2} ms longest",
        times.len() as f64 / seconds,
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    runtime.block_on(fill(&folder.path().join("sereno.db"), setting("TAXII_OBJECTS", 1_000_000)));
    let (own, demo) = (Default::default(), Default::default());
    let opened = Node::open(folder.path(), &own, &demo, RoomConfigs::default());
    let node = runtime.block_on(opened).unwrap();
    let app = node.app();
    let mut make = axum::http::Request::post("/api/v1/tokens")
        .header("content-type", "application/json")
        .body(axum::body::Body::from(r#"{"role":"taxii","label":"bench"}"#))
        .unwrap();
    make.extensions_mut().insert(Caller::local_admin());
    let token = runtime.block_on(async {
        let answer = app.clone().oneshot(make).await.unwrap();
        let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        value["token"].as_str().unwrap().to_owned()
    });
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let service = app.into_make_service_with_connect_info::<SocketAddr>();
    // As the node's own doors do.
    let listener = axum::serve::ListenerExt::tap_io(listener, |socket| {
        socket.set_nodelay(true).unwrap();
    });
    runtime.spawn(async move { axum::serve(listener, service).await });
    let time = Duration::from_secs(setting("TAXII_SECONDS", 10));
    let seconds = time.as_secs_f64();
    for (what, query) in [
        ("pages of 1,000, one reader", "limit=1000"),
        (
            "pages of 1,000 of three types, one reader",
            "limit=1000&match[type]=malware,tool,campaign",
        ),
    ] {
        say(what, read_for(address, &token, query, time), seconds);
    }
    for readers in [1, 4] {
        let threads: Vec<_> = (0..readers)
            .map(|_| {
                let token = token.clone();
                std::thread::spawn(move || read_for(address, &token, "limit=100", time))
            })
            .collect();
        let times = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        say(&format!("pages of 100, {readers} reader(s)"), times, seconds);
    }
}
