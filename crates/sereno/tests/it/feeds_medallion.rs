//! A real TAXII server that nobody here wrote: medallion 3.0.0, pulled from and pushed to.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::feeds_pull::{indicator, private_folder, run, secret};
use crate::programs::{Node, free_port, status};
use crate::taxii::python_with;

const FULL: &str = "91a7b528-80eb-42ed-a74d-c6fbd5a26116";
const EMPTY: &str = "365fed99-08fa-4dcd-a1b3-fb247eb41d01";
const OBJECTS: usize = 300;

/// Ends with the test.
struct Medallion(Child);

impl Drop for Medallion {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A collection as medallion keeps it in its file.
fn collection(id: &str, title: &str, objects: &[Value]) -> Value {
    let media = "application/stix+json;version=2.1";
    let manifest: Vec<Value> = objects
        .iter()
        // All were added at one moment.
        .map(|object| {
            json!({"id": object["id"], "date_added": "2026-01-01T00:00:00.000000Z",
            "version": object["modified"], "media_type": media})
        })
        .collect();
    json!({"id": id, "title": title, "can_read": true, "can_write": true, "media_types": [media],
        "objects": objects, "manifest": manifest})
}

fn start(python: &Path, folder: &Path) -> (Medallion, String) {
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}");
    let objects: Vec<Value> = (0..OBJECTS).map(indicator).collect();
    let data = json!({
        "/discovery": {"title": "medallion", "default": format!("{url}/main/"), "api_roots": [format!("{url}/main/")]},
        "main": {"information": {"title": "Main", "versions": ["application/taxii+json;version=2.1"], "max_content_length": 9_765_625},
            "status": [], "collections": [collection(FULL, "full", &objects), collection(EMPTY, "empty", &[])]}});
    std::fs::write(folder.join("data.json"), data.to_string()).unwrap();
    let config = json!({"backend": {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend",
            "filename": folder.join("data.json")},
        "users": {"admin": "Passw0rd"}, "taxii": {"max_page_size": 1_000}});
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let process = Command::new(python)
        .args(["-m", "medallion.scripts.run", "--port", &port.to_string()])
        .arg(folder.join("config.json"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let server = Medallion(process);
    let deadline = Instant::now() + Duration::from_secs(30);
    while status(&format!("{url}/taxii2/"), None) == 0 {
        assert!(Instant::now() < deadline, "medallion does not start");
        std::thread::sleep(Duration::from_millis(50));
    }
    (server, url)
}

/// A node that knows the server, and who it is there.
struct Here {
    folder: tempfile::TempDir,
    secret: String,
    url: String,
}

impl Here {
    /// A command with the credentials.
    fn with(&self, arguments: &[&str]) -> Value {
        let who = ["--auth", "basic", "--user", "admin", "--secret-file", &self.secret];
        let all: Vec<&str> = arguments.iter().chain(&who).copied().collect();
        run(self.folder.path(), &all)
    }

    fn run(&self, arguments: &[&str]) -> Value {
        run(self.folder.path(), arguments)
    }

    /// Indicators that are known here.
    fn indicators(&self) -> usize {
        let exported = self.run(&["intel", "export", "type:indicator"]);
        let objects = exported["objects"].as_array().unwrap();
        objects.iter().filter(|one| one["type"] == "indicator").count()
    }

    fn pulls(&self) {
        let offer = self.with(&["feed", "discover", &self.url]);
        assert_eq!(offer["collections"].as_array().unwrap().len(), 2, "{offer}");
        let page = r#"{"page": 50}"#;
        let kind = ["--form", "taxii", "--collection", "full", "--format", page, "--tlp", "green"];
        let add: Vec<&str> =
            ["feed", "add", "full", "--url", &self.url].into_iter().chain(kind).collect();
        self.with(&add);
        let pulled = self.run(&["feed", "run", "full"]);
        let state = (&pulled["state"], &pulled["last_error"]);
        assert_eq!(state, (&json!("fine"), &Value::Null), "{pulled}");
        assert_eq!(self.indicators(), OBJECTS, "tied dates, pages of fifty");
    }

    /// Ours go there, theirs do not go back.
    fn pushes(&self) {
        let clear = json!(["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"]);
        let ours = (1_000..1_040).map(|n| {
            let mut object = indicator(n);
            object["object_marking_refs"] = clear.clone();
            object
        });
        let file = self.folder.path().join("bundle.json");
        std::fs::write(&file, Value::Array(ours.collect()).to_string()).unwrap();
        let file = file.to_str().unwrap();
        self.run(&["intel", "import", file, "--label", "ours", "--tlp", "clear"]);
        let there = format!("{}/main/collections/{EMPTY}/", self.url);
        self.with(&["feed", "push", "add", "out", "--to", &there, "--type", "indicator"]);
        let pushed = self.run(&["feed", "push", "run", "out"]);
        let counts = ["sent", "withheld", "failed", "pending"].map(|name| pushed[name].as_u64());
        assert_eq!(counts, [Some(40), Some(OBJECTS as u64), Some(0), Some(0)], "{pushed}");
        let main = format!("{}/main/", self.url);
        self.with(&[
            "feed",
            "add",
            "back",
            "--form",
            "taxii",
            "--url",
            &main,
            "--collection",
            EMPTY,
        ]);
        let back = self.run(&["feed", "run", "back"]);
        assert_eq!(
            (&back["counts"]["new"], &back["counts"]["same"]),
            (&json!(0), &json!(40)),
            "{back}"
        );
    }
}

#[test]
fn the_reference_server_is_pulled_from_and_pushed_to() {
    let module = "medallion.scripts.run";
    let Some(python) = python_with("taxii-server", "medallion==3.0.0", module) else {
        eprintln!("skipped: medallion 3.0.0 cannot be installed here (needs python3-venv, PyPI)");
        return;
    };
    let (files, folder) = (tempfile::tempdir().unwrap(), private_folder());
    let (_server, url) = start(&python, files.path());
    let _node = Node::start(folder.path());
    let secret = secret(folder.path(), "Passw0rd");
    let here = Here { folder, secret, url };
    here.pulls();
    here.pushes();
}
