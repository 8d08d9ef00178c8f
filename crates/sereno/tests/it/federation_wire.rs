//! A line between two nodes that is cut and heals, and how fast letters are.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::faults_kit::{Phoenix, ask, facts, invitation, items, join, plain, send_all, until};
use crate::programs::{output, sereno};

/// Waits at most so long for what must come.
const LIMIT: Duration = Duration::from_secs(90);

/// A cable that can be cut: nothing passes then, and nothing is told of it.
struct Cable {
    port: u16,
    cut: Arc<AtomicBool>,
}

impl Cable {
    fn to(target: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let cut = Arc::new(AtomicBool::new(false));
        let own = Arc::clone(&cut);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let cut = Arc::clone(&own);
                std::thread::spawn(move || {
                    pass(&cut);
                    let Ok(far) = TcpStream::connect(("127.0.0.1", target)) else { return };
                    let (from, to) = (near.try_clone().unwrap(), far.try_clone().unwrap());
                    let also = Arc::clone(&cut);
                    std::thread::spawn(move || carry(from, to, &also));
                    carry(far, near, &cut);
                });
            }
        });
        Self { port, cut }
    }

    fn cut(&self, cut: bool) {
        self.cut.store(cut, Ordering::SeqCst);
    }
}

fn pass(cut: &AtomicBool) {
    while cut.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, cut: &AtomicBool) {
    let mut buffer = [0; 16 << 10];
    loop {
        let read = from.read(&mut buffer).unwrap_or(0);
        pass(cut);
        if read == 0 || to.write_all(&buffer[..read]).is_err() {
            let _ = to.shutdown(Shutdown::Both);
            let _ = from.shutdown(Shutdown::Both);
            return;
        }
    }
}

/// An operator that calls its CERT over a cable.
struct Pair {
    folder: tempfile::TempDir,
    operator: Phoenix,
    cert: Phoenix,
    cable: Cable,
}

impl Pair {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let operator = Phoenix::up(&folder.path().join("operator"), "Harbour", "operator");
        let mut cert = Phoenix::up(&folder.path().join("cert"), "Harbour CERT", "cert");
        let tls: u16 = cert.tls.rsplit(':').next().unwrap().parse().unwrap();
        let cable = Cable::to(tls);
        cert.fall();
        let file = cert.data.join("sereno.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        let url = format!("[identity]\npeer_url = \"https://127.0.0.1:{}\"\n", cable.port);
        std::fs::write(&file, format!("{text}{url}")).unwrap();
        cert.rise();
        let invited = invitation(&cert.data, folder.path(), "Harbour");
        let (code, said) = join(&operator.data, &invited);
        assert_eq!(code, 0, "{said}");
        Self { folder, operator, cert, cable }
    }

    fn import(&self, node: &Phoenix, numbers: std::ops::Range<u32>) {
        let objects: Vec<Value> = numbers.map(indicator).collect();
        let bundle = json!({ "type": "bundle", "objects": objects,
            "id": "bundle--00000000-0000-4000-8000-000000000001" });
        let file = self.folder.path().join("bundle.json");
        std::fs::write(&file, bundle.to_string()).unwrap();
        let done = output(sereno().args(["intel", "import", "--data"]).arg(&node.data).arg(&file));
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
}

fn id(number: u32) -> String {
    format!("indicator--00000000-0000-4000-8000-{number:012}")
}

fn indicator(number: u32) -> Value {
    json!({
        "type": "indicator", "spec_version": "2.1", "id": id(number), "name": "one of many",
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
        "indicator_types": ["malicious-activity"], "pattern": "[ipv4-addr:value = '198.51.100.7']",
        "pattern_type": "stix", "valid_from": "2026-01-01T00:00:00Z",
        "object_marking_refs": [stix::Tlp::Clear.id()],
    })
}

fn share(node: &Phoenix, number: u32, to: &str) {
    ask(&node.data, &["share", "objects", "--to", to, &id(number)]);
}

fn received(node: &Phoenix) -> usize {
    items(&node.data, &["share", "received", "--limit", "500"]).len()
}

#[test]
fn what_is_said_both_ways_over_a_cut_line_arrives_once_when_it_heals() {
    let pair = Pair::new();
    pair.import(&pair.operator, 1..31);
    pair.import(&pair.cert, 101..131);
    for round in 0..30 {
        // Cut while letters are under way, three times.
        if round % 10 == 3 {
            pair.cable.cut(true);
        }
        share(&pair.operator, 1 + round, "Harbour CERT");
        share(&pair.cert, 101 + round, "Harbour");
        if round % 10 == 8 {
            let waits = items(&pair.operator.data, &["federation", "links"]);
            let open = |name: &str| waits[0][name].as_i64().unwrap();
            assert!(open("queued") + open("under_way") > 0, "it passed a cut line: {waits:#?}");
            pair.cable.cut(false);
        }
    }
    let start = Instant::now();
    for node in [&pair.operator, &pair.cert] {
        until("all of it on the other side", || {
            assert!(start.elapsed() < LIMIT, "not within {LIMIT:?}");
            (received(node) == 30).then_some(())
        });
        let kept: u64 = facts(&node.data, "federation.objects_received")
            .iter()
            .map(|fact| fact["payload"]["kept"].as_u64().unwrap())
            .sum();
        assert_eq!(kept, 30, "something took effect twice");
        let link = items(&node.data, &["federation", "links"]).remove(0);
        assert_eq!(link["refused"], 0, "{link:#}");
    }
}

/// Times for docs/measurements/figures.md: `cargo nextest run -p sereno --run-ignored only -E 'test(how_fast)' --no-capture`.
#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout)]
fn how_fast_letters_are() {
    const TIMES: u32 = 100;
    const LETTERS: u32 = 1_000;
    let pair = Pair::new();
    pair.import(&pair.operator, 1..TIMES + LETTERS + 1);
    pair.import(&pair.cert, 10_001..10_001 + TIMES);
    for (way, from, to, name, first) in [
        ("caller to called", &pair.operator, &pair.cert, "Harbour CERT", 1),
        ("called to caller", &pair.cert, &pair.operator, "Harbour", 10_001),
    ] {
        let (token, reader) = (administrator(from), administrator(to));
        let mut times: Vec<Duration> = (first..first + TIMES)
            .map(|number| once(from, &token, to, &reader, number, name))
            .collect();
        times.sort_unstable();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100];
        println!("{way}: p50 {:?}, p99 {:?}, most {:?}", at(50), at(99), at(100));
    }
    // Letters that wait for a cut line, then all at once.
    pair.cable.cut(true);
    let token = administrator(&pair.operator);
    for chunk in (TIMES + 1..=TIMES + LETTERS).collect::<Vec<_>>().chunks(50) {
        send_all(plain, |client| {
            chunk
                .iter()
                .map(|number| posting(&pair.operator, client, &token, *number, "Harbour CERT"))
                .collect()
        });
    }
    let reader = administrator(&pair.cert);
    let url = format!("{}/api/v1/federation/links", pair.cert.url);
    let seq = || {
        let answer =
            send_all(plain, |client| vec![client.get(&url).bearer_auth(&reader)]).remove(0);
        answer.unwrap().json()["items"][0]["in_seq"].as_i64().unwrap()
    };
    let target = i64::from(TIMES + LETTERS);
    pair.cable.cut(false);
    let start = Instant::now();
    let (mut begun, mut before) = (start, seq());
    until("all letters", || {
        let now = seq();
        if now == before && now < target && now == i64::from(TIMES) {
            begun = Instant::now();
        }
        before = now;
        (now >= target).then_some(())
    });
    println!("{LETTERS} letters in {:?} once the line carried them", begun.elapsed());
}

fn administrator(node: &Phoenix) -> String {
    let words = ["token", "new", "--json", "--role", "administrator", "--data"];
    let made = output(sereno().args(words).arg(&node.data));
    crate::programs::json(&made)["token"].as_str().unwrap().to_owned()
}

fn posting(
    node: &Phoenix,
    client: &reqwest::Client,
    token: &str,
    number: u32,
    to: &str,
) -> reqwest::RequestBuilder {
    let body = json!({ "objects": [id(number)], "to": { "peers": [to] } });
    client.post(format!("{}/api/v1/federation/shares", node.url)).bearer_auth(token).json(&body)
}

/// From the request that shares to the first answer of the other node that shows the object.
fn once(
    from: &Phoenix,
    token: &str,
    to: &Phoenix,
    reader: &str,
    number: u32,
    name: &str,
) -> Duration {
    crate::programs::blocking(async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = format!("{}/api/v1/intel/objects/{}", to.url, id(number));
        let start = Instant::now();
        let made = posting(from, &client, token, number, name).send().await.unwrap();
        assert_eq!(made.status().as_u16(), 201);
        loop {
            let seen = client.get(&url).bearer_auth(reader).send().await.unwrap();
            if seen.status().as_u16() == 200 {
                return start.elapsed();
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
}
