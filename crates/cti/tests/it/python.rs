//! A real client looks in from outside: PyPI `taxii2-client` 2.3.0, where a Python has it
//! (`SERENO_TAXII_PYTHON` names one).

use crate::support::Setup;

const SCRIPT: &str = r#"
import sys
from taxii2client.v21 import Server, as_pages
server = Server(sys.argv[1], user="token", password="administrator")
root = server.default
assert root.max_content_length == 10485760, root.max_content_length
inbox = [c for c in root.collections if c.alias == "inbox"][0]
assert inbox.can_read and inbox.can_write
objects = [{"type": "malware", "spec_version": "2.1", "name": "m", "is_family": False,
    "id": "malware--00000000-0000-4000-8000-%012d" % n,
    "created": "2020-01-01T00:00:00.000Z", "modified": "2020-01-01T00:00:00.000Z"} for n in range(30)]
status = inbox.add_objects({"objects": objects + [{"type": "malware", "id": "nonsense"}]})
assert status.status == "complete", status.status
assert (status.success_count, status.failure_count, status.pending_count) == (30, 1, 0)
assert status.custom_properties["x_sereno_receipt"]["statement"]["status_id"] == status.id
status.refresh()
seen = [o for page in as_pages(inbox.get_objects, per_request=7) for o in page.get("objects", [])]
assert seen == objects, len(seen)
records = [r for page in as_pages(inbox.get_manifest, per_request=7) for r in page["objects"]]
assert len(records) == 30
one = inbox.get_object(objects[3]["id"])
assert one["objects"] == [objects[3]]
assert inbox.object_versions(objects[3]["id"])["versions"] == ["2020-01-01T00:00:00.000Z"]
assert len(inbox.get_objects(type=["malware"], version="all")["objects"]) == 30
inbox.delete_object(objects[4]["id"])
assert len(inbox.get_objects()["objects"]) == 29
print("taxii2-client: ok")
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_python_client_reads_and_writes() {
    let python = std::env::var("SERENO_TAXII_PYTHON").unwrap_or_else(|_| "python3".into());
    let has = tokio::process::Command::new(&python)
        .args(["-c", "import taxii2client.v21"])
        .output()
        .await;
    if !has.is_ok_and(|output| output.status.success()) {
        println!("skipped: no Python with taxii2-client (SERENO_TAXII_PYTHON)");
        return;
    }
    let node = Setup::new(1, "operator").start().await;
    let output = tokio::process::Command::new(&python)
        .args(["-c", SCRIPT, &node.url("/taxii2/")])
        .output()
        .await
        .unwrap();
    let (out, error) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("ok"), "{out}\n{error}");
}
