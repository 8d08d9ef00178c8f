//! The disk is full: writes are refused in words, reads go on, and room heals without a restart.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use crate::faults_kit::{Answer, plain, send, send_all, until};
use crate::programs::{free_port, status, wait_ready};

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

/// A shell in a user and mount namespace of its own, with a small disk at `$D`.
struct Island {
    shell: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Island {
    /// `None` where the system allows no such namespace, which is said.
    fn new(mount_point: &std::path::Path) -> Option<Self> {
        let mut shell = Command::new("unshare")
            .args(["-Urm", "sh"])
            .env("SERENO", env!("CARGO_BIN_EXE_sereno"))
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
        self.run("kill -9 $P; wait $P");
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

struct Bench {
    _folder: tempfile::TempDir,
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
        Some(Self { _folder: folder, island, port, token })
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
        let list = self.get("/api/v1/tokens?limit=200").json();
        let label = |token: &Value| token["label"].as_str().unwrap().to_owned();
        list["items"].as_array().unwrap().iter().map(label).collect()
    }

    /// Every fact stands in the log once, in sequence, and the log verifies.
    fn whole(&mut self) {
        let facts = self.get("/api/v1/facts?limit=200").json();
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
    for i in 0..5 {
        is_disk_full(&bench.write(&format!("refused {i}")));
    }
    // Reads go on, and what is read is what was acknowledged.
    for path in ["/api/v1/incidents", "/api/v1/facts", "/api/v1/ledger", "/api/v1/doctor"] {
        assert_eq!(bench.get(path).status, 200, "{path}");
    }
    assert_eq!(status(&bench.url("/healthz"), None), 200);
    let expected = BTreeSet::from(["first".to_owned(), "before".to_owned()]);
    assert_eq!(bench.labels(), expected);

    // A node that is started on a full disk says so.
    let line = "\"$SERENO\" up --data \"$D/other\" --listen 127.0.0.1:0 2>&1; echo code $?";
    let said = bench.island.run(line);
    assert!(said.contains("code 3"), "{said}");
    assert!(said.contains("full") || said.contains("No space"), "{said}");

    bench.island.run("rm -rf \"$D/fill\" \"$D/other\"");
    assert_eq!(bench.write("after").status, 201);
    let expected = BTreeSet::from(["first", "before", "after"].map(str::to_owned));
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
