//! The disk is full: writes are refused in words, reads go on, and room heals without a restart.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::faults_kit::{Answer, plain, send, send_all, until};
use crate::programs::{edge, free_port, status, wait_ready};

const TAXII: &str = "application/taxii+json;version=2.1";
/// Ends what one command printed.
const MARK: &str = "--- done";
/// The small disk, MiB: a fresh node needs two.
const DISK_MIB: u32 = 24;
/// Left free for the envelope that does not fit, KiB.
const SOME_ROOM_KIB: u32 = 1_536;
/// An object whose text alone has this length makes the database write before the commit.
const LARGE_TEXT_BYTES: usize = 9 << 20;

/// Envelopes that do not fit, sent side by side.
const LARGE_ONES: usize = 6;
/// Small writes beside them: lists show up to 200 of what they leave.
const MAX_SMALL_ONES: usize = 150;

/// Small writes after which a full disk must have refused one.
const MAX_FILLERS: u32 = 2_000;

/// A shell in a user and mount namespace of its own, with a small disk at `$D`.
struct Island {
    shell: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Island {
    /// `None` where the system allows no such namespace, which is said.
    fn new(mount_point: &Path) -> Option<Self> {
        let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/captures");
        let mut shell = Command::new("unshare")
            .args(["-Urm", "sh"])
            .env("SERENO", env!("CARGO_BIN_EXE_sereno"))
            .env("EDGE", edge())
            .env("CAPTURES", captures)
            .env("D", mount_point)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let orders = shell.stdin.take()?;
        let answers = BufReader::new(shell.stdout.take()?);
        let mut island = Self { shell, orders, answers };
        let mount = format!("mount -t tmpfs -o size={DISK_MIB}m small \"$D\" && echo mounted");
        (island.run(&mount).trim() == "mounted").then_some(island)
    }

    /// Runs one command line; what it printed.
    fn run(&mut self, line: &str) -> String {
        if writeln!(self.orders, "{line}\necho; echo '{MARK}'").is_err() {
            return String::new();
        }
        let mut said = String::new();
        loop {
            let start = said.len();
            if self.answers.read_line(&mut said).unwrap() == 0 {
                return said;
            }
            if said[start..].trim_end() == MARK {
                said.truncate(start);
                return said.trim_end().to_owned();
            }
        }
    }

    fn start(&mut self, port: u16) {
        self.run(&format!(
            "\"$SERENO\" up --data \"$D/node\" --listen 127.0.0.1:{port} >/dev/null 2>\"$D/../log\" & P=$!"
        ));
        wait_ready(&format!("http://127.0.0.1:{port}"));
    }

    fn json(&mut self, words: &str) -> Value {
        let said = self.run(&format!("\"$SERENO\" {words} --json --data \"$D/node\""));
        serde_json::from_str(&said).unwrap_or_else(|cause| panic!("{words}: {cause}: {said}"))
    }

    /// Fills the disk, leaving some room.
    fn fill(&mut self, leaving_kib: u32) {
        self.run("dd if=/dev/zero of=\"$D/fill\" bs=4k 2>/dev/null");
        if leaving_kib > 0 {
            self.run(&format!("truncate -s -{leaving_kib}K \"$D/fill\""));
        }
    }
}

impl Drop for Island {
    fn drop(&mut self) {
        self.run("kill -9 $P $E; wait $P $E");
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

struct Bench {
    folder: tempfile::TempDir,
    island: Island,
    port: u16,
    token: String,
}

impl Bench {
    fn new() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mount_point = folder.path().join("disk");
        std::fs::create_dir(&mount_point).unwrap();
        let Some(mut island) = Island::new(&mount_point) else {
            eprintln!("skipped: no user and mount namespace here (unshare -Urm, mount -t tmpfs)");
            return None;
        };
        let port = free_port();
        island.start(port);
        let token = island.json("token new --role administrator --label first");
        let token = token["token"].as_str().unwrap().to_owned();
        Some(Self { folder, island, port, token })
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn get(&self, path: &str) -> Answer {
        let request =
            |client: &reqwest::Client| client.get(self.url(path)).bearer_auth(&self.token);
        send(plain, request).unwrap()
    }

    fn new_token(&self, client: &reqwest::Client, label: &str) -> reqwest::RequestBuilder {
        let body = json!({ "role": "read-only", "label": label });
        client.post(self.url("/api/v1/tokens")).bearer_auth(&self.token).json(&body)
    }

    fn write(&self, label: &str) -> Answer {
        send(plain, |client| self.new_token(client, label)).unwrap()
    }

    /// Labels of all tokens that exist.
    fn labels(&self) -> BTreeSet<String> {
        let list = self.get("/api/v1/tokens?limit=500").json();
        let label = |token: &Value| token["label"].as_str().unwrap().to_owned();
        list["items"].as_array().unwrap().iter().map(label).collect()
    }

    /// Every fact stands in the log once, in sequence, and the log verifies.
    fn whole(&mut self) {
        let facts = self.get("/api/v1/facts?limit=500").json();
        let seqs: Vec<i64> =
            facts["items"].as_array().unwrap().iter().map(|f| f["seq"].as_i64().unwrap()).collect();
        let newest = seqs[0];
        assert_eq!(seqs, (1..=newest).rev().collect::<Vec<i64>>(), "gaps or doubles");
        until("the log to catch up", || {
            (self.get("/api/v1/ledger").json()["size"].as_i64() == Some(newest)).then_some(())
        });
        assert_eq!(self.island.json("ledger verify")["verified"], true);
    }
}

fn is_disk_full(answer: &Answer) {
    assert_eq!(answer.status, 507, "{answer:?}");
    assert_eq!(answer.kind(), "application/problem+json");
    let problem = answer.json();
    assert_eq!(problem["type"], "urn:sereno:problem:disk-full");
    assert!(problem["detail"].as_str().unwrap().contains("full"), "{problem}");
    assert!(problem["remedy"].as_str().unwrap().contains("Free space"), "{problem}");
}

#[test]
fn a_full_disk_refuses_writes_and_recovers_without_a_restart() {
    let Some(mut bench) = Bench::new() else { return };
    assert_eq!(bench.write("before").status, 201);
    bench.island.fill(0);
    // Room that the database's own log has from before is used up first.
    let mut expected = BTreeSet::from(["first".to_owned(), "before".to_owned()]);
    loop {
        let label = format!("last room {}", expected.len());
        let answer = bench.write(&label);
        if answer.status != 201 {
            break is_disk_full(&answer);
        }
        expected.insert(label);
        assert!(expected.len() < 400, "the disk never fills");
    }
    for i in 0..5 {
        is_disk_full(&bench.write(&format!("refused {i}")));
    }
    // Reads go on, and what is read is what was acknowledged.
    for path in ["/api/v1/incidents", "/api/v1/facts", "/api/v1/ledger", "/api/v1/doctor"] {
        assert_eq!(bench.get(path).status, 200, "{path}");
    }
    assert_eq!(status(&bench.url("/healthz"), None), 200);
    assert_eq!(bench.labels(), expected);

    // A node that is started on a full disk says so.
    let line = "\"$SERENO\" up --data \"$D/other\" --listen 127.0.0.1:0 2>&1; echo code $?";
    let said = bench.island.run(line);
    assert!(said.contains("code 3"), "{said}");
    assert!(said.contains("full") || said.contains("No space"), "{said}");

    bench.island.run("rm -rf \"$D/fill\" \"$D/other\"");
    assert_eq!(bench.write("after").status, 201);
    expected.insert("after".to_owned());
    assert_eq!(bench.labels(), expected);
    bench.whole();
}

#[test]
fn an_envelope_too_large_for_the_disk_takes_nothing_half() {
    let Some(mut bench) = Bench::new() else { return };
    bench.island.fill(SOME_ROOM_KIB);
    let object = json!({
        "type": "identity", "spec_version": "2.1",
        "id": "identity--8c6af861-7b20-41ef-9b59-6344fd872a8f",
        "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
        "name": "x".repeat(LARGE_TEXT_BYTES),
    });
    let envelope = json!({ "objects": [object] }).to_string();
    let inbox = bench.url("/taxii2/sereno/collections/inbox/objects/");
    let bearer = bench.token.clone();
    let large = std::thread::spawn(move || {
        let post = |client: &reqwest::Client| {
            let request = client.post(&inbox).bearer_auth(&bearer).header(CONTENT_TYPE, TAXII);
            request.body(envelope.clone())
        };
        send_all(plain, |client| (0..LARGE_ONES).map(|_| post(client)).collect())
    });
    // Small ones meanwhile, so that some share a commit with a large one.
    let mut expected = BTreeSet::from(["first".to_owned()]);
    let mut sent = 0;
    while !large.is_finished() && sent < MAX_SMALL_ONES {
        let labels: Vec<String> = (sent..sent + 8).map(|i| format!("beside {i}")).collect();
        sent += labels.len();
        let answers =
            send_all(plain, |client| labels.iter().map(|l| bench.new_token(client, l)).collect());
        for (answer, label) in answers.into_iter().zip(labels) {
            let answer = answer.unwrap();
            // 503: its neighbour took the commit along. 507: the disk is full for it too.
            assert!(matches!(answer.status, 201 | 503 | 507), "{label}: {answer:?}");
            if answer.status == 201 {
                expected.insert(label);
            }
        }
    }
    for answer in large.join().unwrap() {
        let answer = answer.unwrap();
        assert_eq!((answer.status, answer.kind()), (507, TAXII), "{answer:?}");
    }
    assert_eq!(bench.labels(), expected, "what was acknowledged, and nothing else");
    bench.island.run("rm \"$D/fill\"");
    assert_eq!(bench.write("after").status, 201);
    expected.insert("after".into());
    bench.whole();

    // A power cut on top: the same.
    bench.island.run("kill -9 $P; wait $P");
    let port = bench.port;
    bench.island.start(port);
    assert_eq!(bench.labels(), expected);
    bench.whole();
}

/// The loop meets the full disk at whatever step it has reached, waits there and goes on.
#[test]
fn the_loop_waits_on_a_full_disk_and_finishes() {
    let Some(mut bench) = Bench::new() else { return };
    for leaving_kib in [0, 64, 256, 512] {
        bench.island.fill(leaving_kib);
        if leaving_kib == 0 {
            bench.island.run(
                "\"$EDGE\" gateway --file --device-mac b8:27:eb:7d:6b:a6 --speed 20000 \
                 --capture \"$CAPTURES/hakai-train.pcap.gz\" --capture \"$CAPTURES/hakai-test.pcap.gz\" \
                 --socket \"$D/node/run/edge.sock\" --token-file \"$D/node/keys/edge.token\" \
                 >/dev/null 2>&1 & E=$!",
            );
        }
        std::thread::sleep(std::time::Duration::from_millis(1_500));
        bench.island.run("rm \"$D/fill\"");
        // A little room each time: the loop gets a few steps further and stands again.
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let run = until("the playbook's end", || {
        let runs = bench.get("/api/v1/runs").json();
        runs["items"].as_array()?.iter().find(|run| run["state"] == "succeeded").cloned()
    });
    assert_eq!(
        bench.get("/api/v1/incidents?state=all").json()["items"].as_array().unwrap().len(),
        1
    );
    assert_eq!(bench.get("/api/v1/runs").json()["items"].as_array().unwrap().len(), 1, "{run:#}");
    let log = std::fs::read_to_string(bench.folder.path().join("log")).unwrap();
    assert!(log.contains("is full"), "the loop never met the full disk: {log}");
    bench.island.run("kill -9 $E; wait $E; E=");
    bench.whole();

    // With things to write to, every kind of write is refused in the same words. A log that was
    // folded into the database leaves some room in its own file first.
    bench.island.fill(0);
    let full = (0..MAX_FILLERS).any(|i| bench.write(&format!("filler {i}")).status == 507);
    assert!(full, "{MAX_FILLERS} writes found room on a full disk");
    let incident = run["incident"].as_str().unwrap();
    let control = json!({ "verb": "block", "timeout_s": 60, "mac": "b8:27:eb:7d:6b:a6" });
    let devices = bench.get("/api/v1/detection/devices").json();
    let device = devices["items"][0]["device"].as_str().unwrap();
    let writes = [
        (format!("/api/v1/incidents/{incident}/notes"), json!({ "text": "seen" })),
        ("/api/v1/runs".to_owned(), json!({ "playbook": run["playbook"], "incident": incident })),
        ("/api/v1/gateways/harbour-gw/orders".to_owned(), control),
        (format!("/api/v1/detection/devices/{device}/relearn"), json!({})),
    ];
    for (path, body) in writes {
        let post = |client: &reqwest::Client| {
            client.post(bench.url(&path)).bearer_auth(&bench.token).json(&body)
        };
        // A smaller write may fit where a larger one did not: until this one is refused.
        let refused = (0..MAX_FILLERS).find_map(|_| {
            let answer = send(plain, post).unwrap();
            (!(200..300).contains(&answer.status)).then_some(answer)
        });
        is_disk_full(&refused.unwrap());
    }
}
