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

#[test]
fn the_reference_server_is_pulled_from_and_pushed_to() {
    let Some(python) = python_with("taxii-server", "medallion==3.0.0", "medallion.scripts.run")
    else {
        eprintln!(
            "skipped: medallion 3.0.0 cannot be installed here (needs python3-venv and PyPI)"
        );
        return;
    };
    let (files, here) = (tempfile::tempdir().unwrap(), private_folder());
    let (_server, url) = start(&python, files.path());
    let _node = Node::start(here.path());
    let secret = secret(here.path(), "Passw0rd");
    let who = ["--auth", "basic", "--user", "admin", "--secret-file", &secret];
    let with = |arguments: &[&str]| {
        let all: Vec<&str> = arguments.iter().chain(&who).copied().collect();
        run(here.path(), &all)
    };
    let offer = with(&["feed", "discover", &url]);
    assert_eq!(offer["collections"].as_array().unwrap().len(), 2, "{offer}");
    with(&[
        "feed",
        "add",
        "full",
        "--form",
        "taxii",
        "--url",
        &url,
        "--collection",
        "full",
        "--format",
        r#"{"page": 50}"#,
        "--tlp",
        "green",
    ]);
    let pulled = run(here.path(), &["feed", "run", "full"]);
    assert_eq!(
        (&pulled["state"], &pulled["last_error"]),
        (&json!("fine"), &Value::Null),
        "{pulled}"
    );
    let held = |query: &str| {
        let exported = run(here.path(), &["intel", "export", query]);
        exported["objects"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|one| one["type"] == "indicator")
            .count()
    };
    assert_eq!(held("type:indicator"), OBJECTS, "tied dates, pages of fifty");
    // Ours go there, theirs do not go back.
    let bundle: Vec<Value> = (1_000..1_040)
        .map(indicator)
        .map(|mut object| {
            object["object_marking_refs"] =
                json!(["marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487"]);
            object
        })
        .collect();
    let file = here.path().join("bundle.json");
    std::fs::write(&file, Value::Array(bundle).to_string()).unwrap();
    run(
        here.path(),
        &["intel", "import", file.to_str().unwrap(), "--label", "ours", "--tlp", "clear"],
    );
    with(&[
        "feed",
        "push",
        "add",
        "out",
        "--to",
        &format!("{url}/main/collections/{EMPTY}/"),
        "--type",
        "indicator",
    ]);
    let pushed = run(here.path(), &["feed", "push", "run", "out"]);
    assert_eq!(
        (&pushed["sent"], &pushed["failed"], &pushed["pending"]),
        (&json!(40), &json!(0), &json!(0)),
        "{pushed}"
    );
    assert_eq!(pushed["withheld"], OBJECTS, "{pushed}");
    with(&[
        "feed",
        "add",
        "back",
        "--form",
        "taxii",
        "--url",
        &format!("{url}/main/"),
        "--collection",
        EMPTY,
    ]);
    let back = run(here.path(), &["feed", "run", "back"]);
    assert_eq!(
        (&back["counts"]["new"], &back["counts"]["same"]),
        (&json!(0), &json!(40)),
        "{back}"
    );
}
