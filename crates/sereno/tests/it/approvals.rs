//! Answers by the link of a mail, through the real program and a real conversation over SMTP: looking changes nothing, a
//! kill between mail and answer loses nothing, and a link answers once.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::programs::{Node, blocking, json as read_json, output, sereno};

type Mails = Arc<Mutex<Vec<String>>>;

/// A server of mail that keeps what it is told.
fn smtp() -> (u16, Mails) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mails: Mails = Arc::default();
    let kept = Arc::clone(&mails);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let kept = Arc::clone(&kept);
            std::thread::spawn(move || talk(stream, &kept));
        }
    });
    (port, mails)
}

/// Ends when the other side does.
fn talk(mut stream: TcpStream, mails: &Mails) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    stream.write_all(b"220 test\r\n").ok()?;
    let mut text: Option<String> = None;
    loop {
        let line = lines.next()?.ok()?;
        let said: &[u8] = match (&mut text, line.as_str()) {
            (Some(done), ".") => {
                mails.lock().unwrap().push(std::mem::take(done));
                text = None;
                b"250 taken\r\n"
            }
            (Some(text), line) => {
                text.push_str(line);
                text.push('\n');
                continue;
            }
            (None, "DATA") => {
                text = Some(String::new());
                b"354 go on\r\n"
            }
            (None, line) if line.starts_with("EHLO") => b"250 test\r\n",
            (None, "QUIT") => b"221 bye\r\n",
            _ => b"250 fine\r\n",
        };
        stream.write_all(said).ok()?;
    }
}

/// The paths of the links by who got them, once there are so many mails.
fn links(mails: &Mails, count: usize) -> Vec<(String, String)> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let all = mails.lock().unwrap().clone();
        if all.len() >= count {
            return all.iter().map(|mail| read(mail)).collect();
        }
        assert!(Instant::now() < deadline, "not {count} mails: {all:#?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn read(mail: &str) -> (String, String) {
    let mail = mail.replace("=\n", "").replace("=3D", "=");
    let to = mail.lines().find_map(|line| line.strip_prefix("To: ")).unwrap();
    let to = to.trim_start_matches('<').split('@').next().unwrap().to_owned();
    let at = mail.find("/answer/").unwrap_or_else(|| panic!("no link: {mail}"));
    (to, mail[at..].split_whitespace().next().unwrap().to_owned())
}

fn cli(data: &Path, arguments: &[&str]) -> Value {
    let done = output(sereno().args(arguments).args(["--json", "--data"]).arg(data));
    assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    read_json(&done)
}

/// Status and text of a page; a form is posted.
fn page(node: &Node, path: &str, form: Option<&str>) -> (u16, String) {
    blocking(async {
        let client = reqwest::Client::new();
        let url = format!("{}{path}", node.url);
        let request = match form {
            None => client.get(url),
            Some(form) => client
                .post(url)
                .header("content-type", "application/x-www-form-urlencoded")
                // What a browser sends along that is signed in here must not be in the way.
                .header("cookie", "sereno_session_00000000=anything")
                .header("sec-fetch-site", "same-origin")
                .body(form.to_owned()),
        };
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    })
}

/// A playbook that asks twice: each answer is a person's.
fn playbook() -> Value {
    let agent = "x-sereno-actuator--9c0f1d2e-5b77-4bb0-8a7a-000000000002";
    let id = |kind: &str, number: u32| format!("{kind}--5d1f0f0e-8a4b-4b53-9a6d-{number:012x}");
    let (start, ask, end) = (id("start", 1), id("action", 2), id("end", 3));
    json!({ "type": "playbook", "spec_version": "cacao-2.0", "name": "Pull it",
        "id": id("playbook", 77), "created_by": "identity--0b0b6e0e-5c6e-4a0f-9d5b-3a1f5a7c2e01",
        "created": "2026-11-22T00:00:00.000Z", "modified": "2026-11-22T00:00:00.000Z",
        "workflow_start": start,
        "workflow": {
            start: { "type": "start", "on_completion": ask },
            ask: { "type": "action", "name": "Ask", "agent": agent, "on_success": end,
                "commands": [{ "type": "manual", "command": "Pull the plug of <pump 7>" }] },
            end: { "type": "end" }
        },
        "agent_definitions": { agent: { "type": "x-sereno-actuator", "name": "console" } } })
}

/// A node that writes mail to that port.
fn prepare(data: &Path, port: u16) {
    std::fs::create_dir_all(data).unwrap();
    let config = format!(
        "[server]\npublic_url = \"http://127.0.0.1:1\"\n\n[playbooks.actuators.mail]\n\
         server = \"smtp://127.0.0.1:{port}\"\nfrom = \"sereno@city.example\"\nto = [\"@city.example\"]\n"
    );
    std::fs::write(data.join("sereno.toml"), config).unwrap();
}

#[test]
fn a_mailed_link_answers_once_after_a_kill_and_is_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("node");
    let (port, mails) = smtp();
    prepare(&data, port);
    let node = Node::start(&data);
    for name in ["ana", "ben"] {
        let token = node.token("administrator");
        let made = blocking(async {
            let body = json!({ "name": name, "role": "operator" });
            let url = format!("{}/api/v1/users", node.url);
            reqwest::Client::new().post(url).bearer_auth(token).json(&body).send().await.unwrap()
        });
        assert_eq!(made.status().as_u16(), 201);
        cli(&data, &["user", "mail", name, &format!("{name}@city.example")]);
    }
    cli(&data, &["automation", "links", "on", "--role", "operator"]);
    let file = folder.path().join("pull.json");
    std::fs::write(&file, playbook().to_string()).unwrap();
    let run = cli(&data, &["playbook", "run", file.to_str().unwrap()]);
    let links = links(&mails, 2);
    let of = |who: &str| links.iter().find(|(to, _)| to == who).unwrap().1.clone();

    let (status, shown) = page(&node, &of("ana"), None);
    assert_eq!(status, 200, "{shown}");
    assert!(shown.contains("Pull the plug of &lt;pump 7&gt;"), "{shown}");
    node.kill();
    let node = Node::start(&data);
    for _ in 0..2 {
        assert_eq!(page(&node, &of("ana"), None).0, 200, "looking again changes nothing");
    }
    let id = run["id"].as_str().unwrap();
    assert_eq!(cli(&data, &["playbook", "show", id])["state"], "waiting");
    let (status, text) = page(&node, &of("ana"), Some("answer=yes&comment=it+is+out"));
    assert_eq!(status, 200, "{text}");
    let (status, text) = page(&node, &of("ana"), Some("answer=no"));
    assert_eq!((status, text.contains("used before")), (410, true), "{text}");
    let (status, text) = page(&node, &of("ben"), Some("answer=no"));
    assert_eq!((status, text.contains("Ask")), (410, false), "it tells nothing: {text}");
    let (status, _) = page(&node, &format!("/answer/{}", "A".repeat(64)), Some("answer=yes"));
    assert_eq!(status, 404);
    let ended = cli(&data, &["playbook", "show", id]);
    assert_eq!(ended["state"], "succeeded", "{ended:#}");
    assert!(ended.to_string().contains("approved by ana (by link): it is out"), "{ended:#}");
    assert_eq!(mails.lock().unwrap().len(), 2, "the kill sent nothing twice");

    let token = node.token("administrator");
    let log = blocking(async {
        let url = format!("{}/api/v1/ledger/entries?limit=200", node.url);
        reqwest::Client::new()
            .get(url)
            .bearer_auth(token)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap()
    });
    assert!(log.contains("ana says yes to step 'Ask' of 'Pull it' (by link): it is out"), "{log}");
    assert!(log.contains("mail for ana goes to ana@city.example"), "{log}");
    for secret in [of("ana"), of("ben")] {
        assert!(!log.contains(&secret), "a link is in the log");
    }
    let sent = cli(&data, &["automation", "mails"]);
    assert!(sent["items"].as_array().unwrap().iter().all(|it| it["state"] == "sent"), "{sent:#}");
}

#[test]
fn a_voice_is_given_listed_and_ended_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("node");
    let node = Node::start(&data);
    let token = node.token("administrator");
    for name in ["ana", "ben"] {
        let body = json!({ "name": name, "role": "operator" });
        let url = format!("{}/api/v1/users", node.url);
        assert_eq!(crate::programs::post_status(&url, &token, &body), 201);
    }
    let until = "2099-01-01T00:00:00Z";
    let add = ["automation", "delegate", "add", "--giver", "ana", "--to", "ben", "--until", until];
    let refused = output(sereno().args(add).args(["--json", "--data"]).arg(&data));
    assert_eq!(refused.status.code(), Some(1), "at most 92 days");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("92 days"));
    let tomorrow = ["-u", "-d", "+1 day", "+%Y-%m-%dT%H:%M:%SZ"];
    let until = output(std::process::Command::new("date").args(tomorrow)).stdout;
    let until = String::from_utf8(until).unwrap().trim().to_owned();
    let mut add = add;
    add[8] = &until;
    let made = cli(&data, &add);
    assert_eq!(
        (&made["giver"], &made["taker"], &made["active"]),
        (&json!("ana"), &json!("ben"), &json!(true))
    );
    cli(&data, &["automation", "delegate", "end", made["id"].as_str().unwrap()]);
    let list = cli(&data, &["automation", "delegate", "list"]);
    assert_eq!(list["items"][0]["active"], false, "{list:#}");
}
