//! Bad input against a running node: an answer in words, never a failure of the node.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::faults_kit::{Answer, items, plain, send};
use crate::programs::{Node, output, sereno, status};

const TAXII: &str = "application/taxii+json;version=2.1";
const INBOX: &str = "/taxii2/sereno/collections/inbox/objects/";
const HUNDRED_MB: usize = 100_000_000;
/// Schemathesis draws its cases from it, so that a failure can be repeated.
const SEED: &str = "20261122";

struct Bench {
    _folder: tempfile::TempDir,
    node: Node,
    token: String,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let node = Node::start(folder.path());
        let token = node.token("administrator");
        Self { _folder: folder, node, token }
    }

    /// One request with the administrator's token.
    fn ask(
        &self,
        method: &str,
        path: &str,
        more: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Answer {
        let url = format!("{}{path}", self.node.url);
        let method: Method = method.parse().unwrap();
        let request = |client: &Client| more(client.request(method, &url).bearer_auth(&self.token));
        send(plain, request).unwrap_or_else(|cause| panic!("{path}: {cause}"))
    }

    fn taxii(&self, body: impl Into<Vec<u8>>) -> Answer {
        let body = body.into();
        self.ask("POST", INBOX, |request| {
            request.header("accept", TAXII).header("content-type", TAXII).body(body)
        })
    }

    fn json(&self, method: &str, path: &str, body: impl Into<String>) -> Answer {
        let body = body.into();
        self.ask(method, path, |request| {
            request.header("content-type", "application/json").body(body)
        })
    }

    /// Nothing that came before has hurt the node, and nothing was stored by the way.
    fn still_well(&self) {
        assert_eq!(status(&format!("{}/readyz", self.node.url), None), 200);
        assert!(items(&self.node.data, &["incidents"]).is_empty());
    }
}

/// A refusal by the API: a client's error, as problem+json with words for people.
fn refused(answer: &Answer, statuses: &[u16]) {
    assert!(statuses.contains(&answer.status), "{statuses:?} expected: {answer:?}");
    assert_eq!(answer.kind(), "application/problem+json", "{answer:?}");
    let problem = answer.json();
    assert!(problem["type"].as_str().unwrap().starts_with("urn:sereno:problem:"), "{problem}");
    assert!(!problem["detail"].as_str().unwrap().is_empty(), "{problem}");
    assert_eq!(problem["status"], answer.status, "{problem}");
}

/// A refusal by TAXII: its error message resource (§3.6.1).
fn taxii_refused(answer: &Answer, status: u16) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.kind(), TAXII, "{answer:?}");
    assert!(answer.json()["title"].is_string(), "{answer:?}");
}

/// Sends a head and as much of a body as the node takes; the status line, read whatever happens to
/// the rest.
fn pour(node: &str, head: &str, size_bytes: usize) -> u16 {
    let mut stream = TcpStream::connect(node.trim_start_matches("http://")).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut answers = stream.try_clone().unwrap();
    let reader = std::thread::spawn(move || {
        let mut text = [0; 16];
        answers.read_exact(&mut text).map(|()| String::from_utf8_lossy(&text).into_owned())
    });
    let chunk = vec![b' '; 1 << 16];
    let mut left = size_bytes;
    while left > 0 {
        let now = left.min(chunk.len());
        if stream.write_all(&chunk[..now]).is_err() {
            break;
        }
        left -= now;
    }
    // Ends a body in chunks; after a body of a said length nobody reads it.
    let _ = stream.write_all(b"\r\n0\r\n\r\n");
    let line = reader.join().unwrap().unwrap();
    line.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn a_hundred_megabytes_are_refused() {
    let bench = Bench::new();
    for (path, kind) in [(INBOX, TAXII), ("/api/v1/playbooks", "application/json")] {
        for length in
            [format!("content-length: {HUNDRED_MB}"), "transfer-encoding: chunked".to_owned()]
        {
            let chunked = length.starts_with("transfer");
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\naccept: */*\r\n\
                 content-type: {kind}\r\n{length}\r\n\r\n{}",
                bench.token,
                if chunked { format!("{HUNDRED_MB:x}\r\n") } else { String::new() },
            );
            let status = pour(&bench.node.url, &head, HUNDRED_MB);
            assert_eq!(status, 413, "{path} {length}");
        }
    }
    // A client that sends everything before it listens hears why, in the words of each interface.
    for size_bytes in [(10 << 20) + 1, 50 << 20] {
        let above = " ".repeat(size_bytes);
        taxii_refused(&bench.taxii(above.clone()), 413);
        refused(&bench.json("POST", "/api/v1/playbooks", above), &[413]);
    }
    bench.still_well();
}

#[test]
fn taxii_bodies_that_are_none_store_nothing() {
    let bench = Bench::new();
    let nested = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let in_envelope = format!("{{\"objects\":[{nested}]}}");
    for body in [nested, in_envelope, String::new(), "{".into(), "nothing at all".into()] {
        taxii_refused(&bench.taxii(body), 400);
    }
    let mut broken = br#"{"objects":[{"type":"identity","name":""#.to_vec();
    broken.extend([0xff, 0xfe, 0xc0, 0x80]);
    broken.extend(br#""}]}"#);
    taxii_refused(&bench.taxii(broken), 400);
    for body in ["null", "[]", "{}", r#"{"objects":[]}"#, r#"{"objects":{}}"#, r#"{"objects":[7]}"#]
    {
        taxii_refused(&bench.taxii(body), 422);
    }
    // An envelope of things that look like STIX and are not: taken, and refused one by one.
    let id = "identity--8c6af861-7b20-41ef-9b59-6344fd872a8f";
    let at = "2026-01-01T00:00:00.000Z";
    let good = json!({ "type": "identity", "spec_version": "2.1", "id": id, "created": at,
        "modified": at, "name": "Somebody" });
    let with = |field: &str, value: Value| {
        let mut bad = good.clone();
        bad[field] = value;
        bad
    };
    let bad = [
        with("id", json!("identity--nonsense")),
        with("id", json!("malware--8c6af861-7b20-41ef-9b59-6344fd872a8f")),
        with("created", json!("yesterday")),
        with("spec_version", json!("9.9")),
        with("name", json!(["a", "list"])),
        json!({ "hello": "world" }),
    ];
    let answer = bench.taxii(json!({ "objects": bad }).to_string());
    if answer.status == 202 {
        let said = answer.json();
        assert_eq!(said["success_count"], 0, "{said:#}");
        assert_eq!(said["failure_count"], bad.len(), "{said:#}");
    } else {
        taxii_refused(&answer, 422);
    }
    let list = bench.ask("GET", INBOX, |request| request.header("accept", TAXII));
    assert_eq!(list.status, 200, "{list:?}");
    assert!(list.json()["objects"].as_array().is_none_or(Vec::is_empty), "{list:?}");
    // The same object without the fault is taken: the refusals above were about the faults.
    let answer = bench.taxii(json!({ "objects": [good] }).to_string());
    assert_eq!((answer.status, &answer.json()["success_count"]), (202, &json!(1)), "{answer:?}");
    bench.still_well();
}

#[test]
fn taxii_media_types_and_queries_are_held_to() {
    let bench = Bench::new();
    for kind in ["application/json", "text/plain", "application/taxii+json;version=2.0", "\"", ";;"]
    {
        let answer = bench.ask("POST", INBOX, |request| {
            request.header("accept", TAXII).header("content-type", kind).body("{}")
        });
        taxii_refused(&answer, 415);
    }
    for accept in ["text/html", "application/taxii+json;version=2.0", "*/*;q=0", "nonsense", ",,;"]
    {
        let answer = bench.ask("GET", "/taxii2/", |request| request.header("accept", accept));
        taxii_refused(&answer, 406);
    }
    let get = |path: &str| bench.ask("GET", path, |request| request.header("accept", TAXII));
    for query in ["limit=0", "limit=-1", "limit=x", "next=zzz", "added_after=soon", "limit=%ff"] {
        taxii_refused(&get(&format!("{INBOX}?{query}")), 400);
    }
    let nonsense = ["nonsense", "%00", "..%2f..%2fetc", "5e2e0a1c-7f0b-4d64-9b0e-000000000000"];
    for id in nonsense {
        let answer = get(&format!("/taxii2/sereno/collections/{id}/objects/"));
        taxii_refused(&answer, 404);
        taxii_refused(&get(&format!("/taxii2/sereno/status/{id}/")), 404);
    }
    bench.still_well();
}

#[test]
fn api_bodies_paths_and_queries_are_refused_as_problems() {
    let bench = Bench::new();
    let token = json!({ "role": "read-only", "label": "l", "surprise": 1 }).to_string();
    let invite = json!({ "name": "N", "kind": "cert", "surprise": 1 }).to_string();
    for (path, body) in [("/api/v1/tokens", token), ("/api/v1/peers/invitations", invite)] {
        let answer = bench.json("POST", path, body);
        refused(&answer, &[422]);
        assert!(answer.text.contains("surprise"), "names the field: {answer:?}");
    }
    let nested = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for body in ["", "{", "null", "7", "\u{0}", &nested] {
        for path in ["/api/v1/tokens", "/api/v1/playbooks", "/api/v1/runs", "/api/v1/sign-in"] {
            refused(&bench.json("POST", path, body), &[400, 422]);
        }
    }
    let plain_text = bench.ask("POST", "/api/v1/tokens", |request| request.body("{}"));
    refused(&plain_text, &[415]);
    let nonsense =
        ["x", "-1", "%00", "%ff", "..%2f..%2fetc", "99999999999999999999999", "%F0%9F%A6%80"];
    for id in nonsense {
        for (method, path) in [
            ("GET", format!("/api/v1/incidents/{id}")),
            ("GET", format!("/api/v1/incidents/{id}/share-preview")),
            ("GET", format!("/api/v1/devices/{id}")),
            ("GET", format!("/api/v1/findings/{id}")),
            ("GET", format!("/api/v1/runs/{id}")),
            ("GET", format!("/api/v1/playbooks/{id}")),
            ("GET", format!("/api/v1/shares/{id}")),
            ("GET", format!("/api/v1/gateways/{id}/counters")),
            ("GET", format!("/api/v1/detection/devices/{id}/scores")),
            ("GET", format!("/api/v1/ledger/entries/{id}/proof")),
            ("DELETE", format!("/api/v1/tokens/{id}")),
            ("DELETE", format!("/api/v1/peers/{id}")),
            ("POST", format!("/api/v1/runs/{id}/cancel")),
            ("POST", format!("/api/v1/detection/devices/{id}/relearn")),
        ] {
            refused(&bench.ask(method, &path, |request| request), &[400, 404, 422]);
        }
    }
    for path in [
        "/api/v1/facts?limit=-1",
        "/api/v1/facts?limit=x",
        "/api/v1/incidents?state=odd",
        "/api/v1/incidents?cursor=zzz",
        "/api/v1/ledger/consistency?first=9&second=1",
        "/api/v1/intel/lookup",
        "/api/v1/intel/lookup?value=",
        "/api/v1/nothing",
    ] {
        refused(&bench.ask("GET", path, |request| request), &[400, 404, 422]);
    }
    let wrong_method = bench.ask("DELETE", "/api/v1/incidents", |request| request);
    refused(&wrong_method, &[405]);
    assert!(wrong_method.headers.contains_key("allow"), "{wrong_method:?}");
    bench.still_well();
}

#[test]
fn a_playbook_with_a_missing_step_is_refused_and_the_step_named() {
    const MISSING: &str = "action--00000000-0000-4000-8000-00000000dead";
    let shipped =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/playbooks/contain-and-tell.json");
    let mut playbook: Value = serde_json::from_slice(&std::fs::read(&shipped).unwrap()).unwrap();
    let steps = playbook["workflow"].as_object_mut().unwrap();
    let step = steps.values_mut().find(|step| step["type"] == "action").unwrap();
    step["on_completion"] = MISSING.into();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("missing.json");
    std::fs::write(&file, playbook.to_string()).unwrap();
    let whole = output(sereno().args(["playbook", "validate"]).arg(&shipped));
    assert_eq!(whole.status.code(), Some(0), "{}", String::from_utf8_lossy(&whole.stdout));
    let checked = output(sereno().args(["playbook", "validate"]).arg(&file));
    assert_eq!(checked.status.code(), Some(1));
    let text = String::from_utf8_lossy(&checked.stdout);
    assert!(text.contains(MISSING) && text.contains("not valid"), "{text}");

    // Both ways to store one: with a running node and without.
    let data = folder.path().join("node");
    let add = |data: &Path| {
        let added = output(sereno().args(["playbook", "add", "--data"]).arg(data).arg(&file));
        let text = String::from_utf8_lossy(&added.stderr).into_owned();
        assert_eq!(added.status.code(), Some(1), "{text}");
        assert!(text.contains(MISSING), "{text}");
    };
    let count = |data: &Path| items(data, &["playbook", "list"]).len();
    add(&data);
    let before = count(&data);
    let node = Node::start(&data);
    add(&node.data);
    assert_eq!(count(&node.data), before, "the playbook was stored all the same");
    let no_file = output(sereno().args(["playbook", "validate", "/nowhere/at/all.json"]));
    assert_eq!(no_file.status.code(), Some(3));
}

/// A Python environment with Schemathesis, made once below the build folder.
fn schemathesis() -> Option<std::path::PathBuf> {
    let place = Path::new(env!("CARGO_BIN_EXE_sereno")).parent()?.join("schemathesis");
    let program = place.join("bin/schemathesis");
    let works =
        || Command::new(&program).arg("--version").output().is_ok_and(|done| done.status.success());
    if works() {
        return Some(program);
    }
    let _ = Command::new("python3").args(["-m", "venv"]).arg(&place).output();
    let wanted = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "schemathesis==4.32.5",
        "hypothesis==6.170.15",
    ];
    let _ = Command::new(place.join("bin/python")).args(wanted).output();
    works().then_some(program)
}

#[test]
fn no_request_that_fits_the_description_fails_the_node() {
    let Some(program) = schemathesis() else {
        eprintln!("skipped: schemathesis cannot be installed here (needs python3-venv and PyPI)");
        return;
    };
    let bench = Bench::new();
    let folder = tempfile::tempdir().unwrap();
    let done = output(
        Command::new(program)
            .current_dir(folder.path())
            .args(["run", "--checks", "not_a_server_error", "--phases", "examples,fuzzing"])
            .args(["--max-examples", "5", "--seed", SEED, "--no-color"])
            // A stream of events has no end.
            .args([
                "--exclude-path",
                "/api/v1/events",
                "--exclude-path",
                "/api/v1/knowledge/stream",
            ])
            .args(["--request-timeout", "30"])
            // Revoking the token it uses would end the test.
            .args(["--exclude-path-regex", "^/api/v1/tokens/"])
            .args(["-H", &format!("Authorization: Bearer {}", bench.token)])
            .args(["--url", &bench.node.url])
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../openapi.json")),
    );
    let text = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{text}\n{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(status(&format!("{}/readyz", bench.node.url), None), 200);
}
