//! Mutual TLS as programs nobody here wrote speak it: openssl makes the requests, curl and taxii2-client call.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::programs::{Node, free_port, json, output, sereno};
use crate::taxii::python_with;

const SCRIPT: &str = r#"
import sys
from taxii2client.v21 import Server, as_pages
url, cert, key, ca = sys.argv[1:5]
cert = cert if key == "-" else (cert, key)
server = Server(url, cert=cert, verify=ca)
collections = [c for root in server.api_roots for c in root.collections]
assert [c.title for c in collections] == ["C2 servers"], [c.title for c in collections]
c2 = collections[0]
assert c2.can_read and not c2.can_write
assert [o for page in as_pages(c2.get_objects, per_request=5) for o in page.get("objects", [])] == []
print("taxii2-client is content")
"#;

struct Desk {
    folder: tempfile::TempDir,
    node: Node,
    door: String,
}

impl Desk {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let tls = format!("127.0.0.1:{port}");
        let node = Node::start_with(&folder.path().join("data"), &["--tls-listen", &tls]);
        Self { folder, node, door: format!("https://{tls}/taxii2/") }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn taxii(&self, args: &[&str]) -> Output {
        let mut command = sereno();
        command.arg("taxii").args(args).arg("--data").arg(&self.node.data);
        output(command.current_dir(self.folder.path()))
    }

    fn openssl(&self, args: &str) -> Output {
        let mut command = Command::new("openssl");
        output(command.args(args.split_whitespace()).current_dir(self.folder.path()))
    }

    /// Status (0 without an answer) and body.
    fn curl(&self, url: &str, own: &[&str]) -> (u16, String) {
        let mut command = Command::new("curl");
        command.args(["--silent", "--max-time", "20", "--noproxy", "*", "--cacert", "ca.pem"]);
        command.args(["--header", "Accept: application/taxii+json;version=2.1"]);
        command.args(["--write-out", "\n%{http_code}"]).args(own).arg(url);
        let done = output(command.current_dir(self.folder.path()));
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        let (body, status) = text.rsplit_once('\n').unwrap_or(("", "0"));
        (status.parse().unwrap_or(0), body.to_owned())
    }
}

fn has(program: &str) -> bool {
    Command::new(program).arg("version").output().is_ok()
}

fn sound(done: &Output) -> &Output {
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{error}");
    done
}

#[test]
fn foreign_programs_read_with_a_certificate_until_it_is_revoked() {
    if !has("openssl") || !has("curl") {
        eprintln!("skipped: openssl and curl are not installed");
        return;
    }
    let desk = Desk::open();
    sound(&desk.taxii(&["collection", "new", "--title", "C2 servers", "--alias", "c2"]));
    sound(&desk.openssl(
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout own.key -subj /CN=whatever -out own.csr",
    ));
    let made = desk.taxii(&[
        "certificate",
        "new",
        "isac",
        "--collection",
        "c2:read",
        "--csr",
        "own.csr",
        "--out",
        "own.crt",
        "--ca-out",
        "ca.pem",
        "--json",
    ]);
    let made = json(sound(&made));
    assert!(made.get("key").is_none(), "the client's key never left it");
    let own = ["--cert", "own.crt", "--key", "own.key"];
    let collections = format!("{}sereno/collections/", desk.door);
    let (status, body) = desk.curl(&collections, &own);
    assert_eq!(status, 200, "{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(body["collections"].as_array().unwrap().len(), 1, "no collection but its own");
    assert_eq!(body["collections"][0]["title"], "C2 servers");
    let good = desk.openssl("verify -CAfile ca.pem -purpose sslclient own.crt");
    assert!(good.status.success(), "{}", String::from_utf8_lossy(&good.stderr));
    let server = desk.openssl("verify -CAfile ca.pem -purpose sslserver own.crt");
    assert!(!server.status.success(), "it does not stand for a server");

    // None, a stranger's, and keys that this node does not certify.
    assert_eq!(desk.curl(&collections, &[]).0, 401);
    sound(&desk.openssl(
        "req -x509 -new -newkey rsa:2048 -nodes -keyout foreign.key -subj /CN=isac -days 2 -out foreign.crt",
    ));
    let foreign = ["--cert", "foreign.crt", "--key", "foreign.key"];
    assert_eq!(desk.curl(&collections, &foreign).0, 0, "the handshake ends");
    sound(&desk.openssl(
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout p384.key -subj /CN=x -out p384.csr -sha256",
    ));
    let odd = desk.taxii(&["certificate", "new", "odd", "--csr", "p384.csr", "--out", "odd.crt"]);
    let complaint = String::from_utf8_lossy(&odd.stderr);
    assert!(odd.status.code() == Some(1) && complaint.contains("P-256"), "{complaint}");
    assert!(!desk.file("odd.crt").exists(), "nothing half made is left");

    with_python(&desk);

    let id = made["id"].as_str().unwrap();
    sound(&desk.taxii(&["certificate", "revoke", id]));
    let (status, body) = desk.curl(&collections, &own);
    assert!(status == 403 && body.contains("was revoked"), "{status} {body}");
    let listed = json(sound(&desk.taxii(&["certificate", "list", "--json"])));
    let row = listed["items"].as_array().unwrap().iter().find(|row| row["id"] == id).unwrap();
    assert_eq!(row["state"], "revoked");
    assert_eq!(desk.taxii(&["certificate", "revoke", id]).status.code(), Some(1), "only once");
}

/// A key made by the command, and the client's own.
fn with_python(desk: &Desk) {
    sound(&desk.taxii(&[
        "certificate",
        "new",
        "reader",
        "--collection",
        "c2:read",
        "--out",
        "both.pem",
    ]));
    let mode = std::fs::metadata(desk.file("both.pem")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = desk.taxii(&["certificate", "new", "reader", "--out", "both.pem"]);
    assert!(!again.status.success(), "an existing file is not written over");
    let Some(python) = python_with("taxii-client", "taxii2-client==2.3.0", "taxii2client") else {
        eprintln!("skipped: taxii2-client 2.3.0 cannot be installed here");
        return;
    };
    let run = |cert: &str, key: &str| {
        let mut command = Command::new(&python);
        command.args(["-c", SCRIPT, &desk.door, cert, key, "ca.pem"]);
        // What the environment says of authorities would win over what the client is told.
        for name in ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTPS_PROXY", "https_proxy"] {
            command.env_remove(name);
        }
        output(command.current_dir(desk.folder.path()))
    };
    for (cert, key) in [("both.pem", "-"), ("own.crt", "own.key")] {
        let done = run(cert, key);
        let error = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "{cert}: {error}");
    }
    assert!(!run("foreign.crt", "foreign.key").status.success());
    assert!(Path::new(&desk.node.data).is_dir());
}
