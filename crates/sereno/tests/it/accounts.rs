//! Accounts from the first-run page to the administrator who forgot the password.

use std::io::Write;
use std::path::Path;
use std::process::{Output, Stdio};

use reqwest::header::{COOKIE, SET_COOKIE};
use serde_json::{Value, json};

use crate::programs::{Node, blocking, json as read, output, sereno};

const ADMIN: &str = "a lantern for every door";

fn user(words: &[&str], data: &Path) -> Output {
    output(sereno().arg("user").args(words).args(["--json", "--data"]).arg(data))
}

/// A browser: what it sends, and the cookies it keeps.
#[derive(Default)]
struct Browser(Vec<(String, String)>);

impl Browser {
    fn send(&mut self, url: &str, method: &str, body: &Value) -> (u16, Value) {
        let cookies: Vec<String> =
            self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let (status, set, text) = blocking(async {
            let method = method.parse::<reqwest::Method>().unwrap();
            let mut request = reqwest::Client::new()
                .request(method, url)
                .header(COOKIE, cookies.join("; "))
                .header("x-sereno-request", "1");
            if !body.is_null() {
                request = request.json(body);
            }
            let answer = request.send().await.unwrap();
            let set: Vec<String> = answer
                .headers()
                .get_all(SET_COOKIE)
                .iter()
                .map(|value| value.to_str().unwrap().to_owned())
                .collect();
            (answer.status().as_u16(), set, answer.text().await.unwrap())
        });
        for cookie in set {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.0.retain(|(known, _)| known != name);
            self.0.push((name.to_owned(), value.to_owned()));
        }
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    fn sign_in(&mut self, node: &Node, name: &str, password: &str) -> u16 {
        let body = json!({ "name": name, "password": password });
        self.send(&format!("{}/api/v1/sign-in", node.url), "POST", &body).0
    }

    fn me(&mut self, node: &Node) -> (u16, Value) {
        self.send(&format!("{}/api/v1/me", node.url), "GET", &Value::Null)
    }
}

fn first_administrator(node: &Node) -> Browser {
    let mut browser = Browser::default();
    let body = json!({ "organisation": "Harbour", "name": "ana", "password": ADMIN });
    let (status, said) = browser.send(&format!("{}/api/v1/first-run", node.url), "POST", &body);
    assert!(status < 300, "{status} {said}");
    browser
}

#[test]
fn people_are_let_in_shut_out_and_let_in_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let node = Node::start(data);
    let mut ana = first_administrator(&node);
    assert_eq!(ana.me(&node).0, 200);
    let made = user(&["new", "ben", "--role", "analyst"], data);
    let password = read(&made)["password"].as_str().unwrap().to_owned();
    let mut ben = Browser::default();
    assert_eq!(ben.sign_in(&node, "ben", &password), 204);
    assert_eq!(ben.me(&node).1["roles"], json!(["analyst"]));

    assert!(user(&["role", "ben", "operator"], data).status.success());
    assert_eq!(ben.me(&node).0, 401, "another role ends the sessions");
    assert_eq!(ben.sign_in(&node, "ben", &password), 204);
    assert!(user(&["disable", "ben"], data).status.success());
    assert_eq!(ben.me(&node).0, 401);
    assert_eq!(ben.sign_in(&node, "ben", &password), 401, "as with a wrong password");
    let again = read(&user(&["recover", "ben"], data))["password"].as_str().unwrap().to_owned();
    assert_eq!(ben.sign_in(&node, "ben", &password), 401);
    assert_eq!(ben.sign_in(&node, "ben", &again), 204);

    let mut typed = sereno();
    typed.args(["user", "password", "ben", "--data"]).arg(data).stdin(Stdio::piped());
    let mut typing = typed.stdout(Stdio::null()).spawn().unwrap();
    typing.stdin.take().unwrap().write_all(b"nine candles in a row\n").unwrap();
    assert!(typing.wait().unwrap().success());
    assert_eq!(ben.me(&node).0, 401, "a new password ends the sessions");
    assert_eq!(ben.sign_in(&node, "ben", "nine candles in a row"), 204);
    let sessions = read(&user(&["sessions", "ben"], data));
    assert_eq!(sessions.as_array().map_or(0, Vec::len), 1, "{sessions}");
    assert!(user(&["sign-out", "ben"], data).status.success());
    assert_eq!(ben.me(&node).0, 401);
    assert!(user(&["remove", "ben"], data).status.success());
    assert_eq!(ben.sign_in(&node, "ben", "nine candles in a row"), 401);
}

#[test]
fn the_last_administrator_stays_and_gets_in_without_a_running_node() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let node = Node::start(data);
    let mut ana = first_administrator(&node);
    for words in [&["disable", "ana"][..], &["remove", "ana"], &["role", "ana", "analyst"]] {
        let refused = user(words, data);
        assert_eq!(
            refused.status.code(),
            Some(1),
            "{words:?}: {}",
            String::from_utf8_lossy(&refused.stderr)
        );
    }
    let own = format!("{}/api/v1/users/ana", node.url);
    let (status, said) = ana.send(&own, "DELETE", &Value::Null);
    assert!(status == 409 || status == 422, "nobody removes themself: {status} {said}");
    assert_eq!(ana.me(&node).0, 200);
    node.kill();
    let again = read(&user(&["recover", "ana"], data))["password"].as_str().unwrap().to_owned();
    let node = Node::start(data);
    assert_eq!(ana.me(&node).0, 401);
    assert_eq!(Browser::default().sign_in(&node, "ana", ADMIN), 401);
    assert_eq!(Browser::default().sign_in(&node, "ana", &again), 204);
}
