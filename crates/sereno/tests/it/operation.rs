//! What the service manager, the collector of metrics and the reader of logs see of a real node.

use std::io::Write as _;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::{Connection, Executor};

use crate::programs::{Node, blocking, free_port, json, output, sereno, wait_ready};

/// A node under a service manager of the test.
struct Managed {
    manager: UnixDatagram,
    process: Child,
    url: String,
}

impl Managed {
    fn start(folder: &Path) -> Self {
        let socket = folder.join("notify");
        let manager = UnixDatagram::bind(&socket).unwrap();
        manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let port = free_port();
        let process = sereno()
            .args(["up", "--data"])
            .arg(folder.join("data"))
            .args(["--listen", &format!("127.0.0.1:{port}")])
            .env("NOTIFY_SOCKET", &socket)
            .env("WATCHDOG_USEC", "900000")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { manager, process, url: format!("http://127.0.0.1:{port}") }
    }

    /// The next thing told, `None` when nothing comes in time.
    fn told(&self, within: Duration) -> Option<String> {
        self.manager.set_read_timeout(Some(within)).unwrap();
        let mut buffer = [0; 512];
        let length = self.manager.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..length]).into_owned())
    }

    /// How many signs of life come within this time.
    fn signs(&self, within: Duration) -> usize {
        let end = Instant::now() + within;
        let mut count = 0;
        while let Some(left) = end.checked_duration_since(Instant::now()).filter(|d| !d.is_zero()) {
            count += usize::from(self.told(left).is_some_and(|text| text == "WATCHDOG=1"));
        }
        count
    }
}

impl Drop for Managed {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn the_manager_hears_ready_with_open_doors_then_signs_of_life_while_the_database_answers() {
    let folder = tempfile::tempdir().unwrap();
    let mut node = Managed::start(folder.path());
    let first = node.told(Duration::from_secs(60)).unwrap();
    assert!(first.starts_with("READY=1\nSTATUS="), "{first}");
    // Ready means ready: no waiting here.
    assert_eq!(crate::programs::status(&format!("{}/readyz", node.url), None), 200);
    assert!(node.signs(Duration::from_secs(2)) >= 2);

    // Somebody holds the database: the process lives, its work does not go on, and the manager hears nothing.
    let file = folder.path().join("data/sereno.db");
    blocking(async {
        sqlx::any::install_default_drivers();
        let url = format!("sqlite://{}", file.display());
        let mut other = sqlx::AnyConnection::connect(&url).await.unwrap();
        other.execute("BEGIN IMMEDIATE").await.unwrap();
        std::thread::sleep(Duration::from_millis(700));
        node.signs(Duration::from_millis(100));
        assert_eq!(node.signs(Duration::from_secs(2)), 0, "signs of life from a stuck node");
        other.execute("ROLLBACK").await.unwrap();
    });
    let deadline = Instant::now() + Duration::from_secs(30);
    while node.signs(Duration::from_secs(1)) == 0 {
        assert!(Instant::now() < deadline, "no sign of life after the database was free again");
    }

    let pid = nix::unistd::Pid::from_raw(i32::try_from(node.process.id()).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while !node.told(Duration::from_secs(30)).unwrap().starts_with("STOPPING=1") {
        assert!(Instant::now() < deadline, "the manager was not told of the stop");
    }
    assert!(node.process.wait().unwrap().success());
}

fn metrics(node: &Node, token: &str) -> String {
    blocking(async {
        let url = format!("{}/metrics", node.url);
        let answer = reqwest::Client::new().get(url).bearer_auth(token).send().await.unwrap();
        let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
        assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
        answer.text().await.unwrap()
    })
}

/// The value of a series; its labels as they stand in the text.
fn value(text: &str, series: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok())
}

#[test]
fn metrics_say_what_the_node_does_and_made_up_requests_make_no_series() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(folder.path());
    let token = node.token("administrator");
    let before = metrics(&node, &token);
    for name in [
        "sereno_build_info{version=\"0.1.0\"}",
        "sereno_parts{state=\"ok\"}",
        "sereno_jobs{state=\"waiting\"}",
        "sereno_disk_free_bytes",
        "sereno_database_bytes{file=\"main\"}",
        "sereno_process_memory_bytes",
        "sereno_db_commits_total{outcome=\"kept\"}",
        "sereno_db_commit_seconds_count",
        "sereno_clock_seconds",
    ] {
        assert!(
            value(&before, name).is_some_and(|n| n > 0.0) || name.contains("jobs"),
            "{name}: {before}"
        );
    }
    assert_eq!(value(&before, "sereno_facts_set_aside"), Some(0.0));
    assert_eq!(value(&before, "sereno_live_viewers"), Some(0.0));
    let known: Vec<&str> =
        platform::measures::MEASURES.iter().map(|measure| measure.name).collect();
    for line in before.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let name = line.split(['{', ' ']).next().unwrap();
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
        assert!(
            known.contains(&name) || base.is_some_and(|b| known.contains(&b)),
            "unknown: {name}"
        );
    }
    for measure in platform::measures::MEASURES {
        let there =
            before.contains(&format!("\n{}", measure.name)) || before.starts_with(measure.name);
        let help = format!("# HELP {} {}", measure.name, measure.help);
        assert!(!there || before.contains(&help), "no help: {}", measure.name);
    }

    blocking(async {
        let client = reqwest::Client::new();
        for at in 0..20 {
            let method = reqwest::Method::from_bytes(format!("MADEUP{at}").as_bytes()).unwrap();
            let url = format!("{}/api/v1/nothing/{at}", node.url);
            client.request(method, url).send().await.unwrap();
        }
        let live = client.get(format!("{}/api/v1/events", node.url)).bearer_auth(&token);
        let _live = live.send().await.unwrap();
        let after = metrics_of(&client, &node, &token).await;
        assert_eq!(value(&after, "sereno_live_viewers"), Some(1.0));
        let series =
            |text: &str| text.lines().filter(|l| l.starts_with("sereno_http_requests")).count();
        assert!(series(&after) <= series(&before) + 4, "{after}");
        assert!(!after.contains("MADEUP"), "a caller's word became a label");
        let count = "sereno_http_request_seconds_count{class=\"api\"}";
        assert!(value(&after, count) >= Some(20.0), "{after}");
    });
}

async fn metrics_of(client: &reqwest::Client, node: &Node, token: &str) -> String {
    let url = format!("{}/metrics", node.url);
    client.get(url).bearer_auth(token).send().await.unwrap().text().await.unwrap()
}

#[test]
fn logs_are_lines_of_json_with_the_number_of_the_request_and_never_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let port = free_port();
    let mut process = sereno()
        .args(["up", "--log-format", "json", "--data"])
        .arg(folder.path().join("data"))
        .args(["--listen", &format!("127.0.0.1:{port}")])
        .env("SERENO_LOG__FILTER", "debug")
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let url = format!("http://127.0.0.1:{port}");
    wait_ready(&url);
    let data = folder.path().join("data");
    let secrets = use_secrets(&url, &data);
    let number = blocking(async {
        let answer = reqwest::get(format!("{url}/api/v1/incidents")).await.unwrap();
        answer.headers()["x-request-id"].to_str().unwrap().to_owned()
    });
    process.kill().unwrap();
    process.wait().unwrap();

    let text = std::fs::read_to_string(&log).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    let own: Vec<&Value> =
        lines.iter().filter(|line| line["span"]["id"] == json!(number)).collect();
    assert!(!own.is_empty(), "no line has the number of the request {number}");
    assert!(own.iter().any(|line| line["status"] == 401), "{own:?}");
    assert!(secrets.len() >= 6);
    for secret in &secrets {
        assert!(secret.len() >= 8 && !text.contains(secret.as_str()), "in the log: {secret}");
    }
}

/// Every way by which a secret comes in: password, cookie, tokens in headers, basic credentials, secrets of playbooks.
fn use_secrets(url: &str, data: &Path) -> Vec<String> {
    let password = "correct horse battery staple 77".to_owned();
    let (token, cookie) = blocking(async {
        let client = reqwest::Client::new();
        let body = json!({ "organisation": "Harbour", "name": "chief", "password": password });
        let first = client.post(format!("{url}/api/v1/first-run")).json(&body);
        let answer = first.send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
        let made = sereno()
            .args(["token", "new", "--json", "--role", "taxii", "--data"])
            .arg(data)
            .output();
        let token = json(&made.unwrap())["token"].as_str().unwrap().to_owned();
        let wrong = json!({ "name": "chief", "password": "a wrong one 4711" });
        let signed = client.post(format!("{url}/api/v1/sign-in")).json(&wrong);
        assert_eq!(signed.send().await.unwrap().status(), 401);
        for request in [
            client.get(format!("{url}/api/v1/me")).bearer_auth(&token),
            client.get(format!("{url}/taxii2/")).basic_auth("token", Some(&token)),
            client.get(format!("{url}/api/v1/me")).bearer_auth("a-made-up-token-0815"),
            client.get(format!("{url}/api/v1/me?token=in-the-address-0816")),
            client.get(format!("{url}/api/v1/me")).header("cookie", &cookie),
        ] {
            request.send().await.unwrap();
        }
        (token, cookie)
    });
    let kept = "kept-for-playbooks-0817".to_owned();
    let mut set = sereno()
        .args(["secret", "set", "switch", "--for", "192.0.2.1", "--data"])
        .arg(data)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    set.stdin.take().unwrap().write_all(kept.as_bytes()).unwrap();
    assert!(set.wait().unwrap().success());
    assert!(output(sereno().args(["secret", "list", "--data"]).arg(data)).status.success());
    let cookie = cookie.split(['=', ';']).nth(1).unwrap().to_owned();
    let said = ["a wrong one 4711", "a-made-up-token-0815", "in-the-address-0816"];
    said.map(str::to_owned).into_iter().chain([password, token, cookie, kept]).collect()
}
