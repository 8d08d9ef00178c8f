//! Backups as an administrator makes them: beside the running node, after a death, on another machine.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::programs::{Node, json, output, sereno};

fn backup(words: &[&str], data: &Path) -> std::process::Output {
    output(sereno().arg("backup").args(words).args(["--json", "--data"]).arg(data))
}

fn said(output: &std::process::Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The tokens a node knows, as a list of labels.
fn tokens(data: &Path) -> Vec<String> {
    let listed = json(&output(sereno().args(["token", "list", "--json", "--data"]).arg(data)));
    let items = listed["items"].as_array().unwrap();
    items.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_node_comes_back_from_its_backup_with_its_keys_and_its_proofs() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let node = Node::start(&data);
    node.token("analyst");
    let secret = folder.path().join("passphrase");
    std::fs::write(&secret, "seven lanterns by night\n").unwrap();
    let secret = secret.to_str().unwrap();
    let out = folder.path().join("kept.age");
    let made = backup(
        &["new", "--keys", "--passphrase-file", secret, "--out", out.to_str().unwrap()],
        &data,
    );
    assert!(made.status.success(), "{}", said(&made));
    let before = tokens(&data);
    node.kill();
    let verified = backup(&["verify", out.to_str().unwrap(), "--passphrase-file", secret], &data);
    assert_eq!(
        (verified.status.code(), &json(&verified)["database"]),
        (Some(0), &Value::from("ok"))
    );
    let closed = backup(&["verify", out.to_str().unwrap()], &data);
    assert!(
        closed.status.code() == Some(3) && said(&closed).contains("passphrase"),
        "{}",
        said(&closed)
    );

    let elsewhere = folder.path().join("elsewhere");
    let words = ["restore", out.to_str().unwrap(), "--passphrase-file", secret];
    let restored = backup(&words, &elsewhere);
    assert!(restored.status.success(), "{}", said(&restored));
    assert_eq!(json(&restored)["keys"], "backup");
    let ledger = output(sereno().args(["ledger", "verify", "--data"]).arg(&elsewhere));
    assert_eq!(ledger.status.code(), Some(0), "{}", said(&ledger));
    let again = Node::start(&elsewhere);
    assert_eq!(tokens(&elsewhere), before);
    assert!(backup(&["verify"], &elsewhere).status.success(), "also beside the running node");
    let refused = backup(&words, &elsewhere);
    assert_eq!(refused.status.code(), Some(1), "a folder in use is left alone: {}", said(&refused));
    drop(again);
}

/// Killed while it makes a backup: what stands on the shelf is whole, and what was half written is gone after the next start.
#[test]
fn kill_9_in_the_middle_leaves_whole_backups_only() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    Node::start(&data).kill();
    // Enough to be in the middle of it for a while; not compressible.
    let large = data.join("imports-of-the-test");
    std::fs::create_dir_all(&large).unwrap();
    let mut state = 7_u64;
    for number in 0..24 {
        let mut bytes = vec![0; 1 << 20];
        for chunk in bytes.chunks_mut(8) {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            chunk.copy_from_slice(&state.to_le_bytes());
        }
        std::fs::write(large.join(format!("{number}.bin")), bytes).unwrap();
    }
    for pause_ms in [20, 150, 400] {
        let node = Node::start(&data);
        let token = node.token("administrator");
        let status = crate::programs::post_status(
            &format!("{}/api/v1/backups", node.url),
            &token,
            &serde_json::json!({}),
        );
        assert_eq!(status, 202);
        std::thread::sleep(Duration::from_millis(pause_ms));
        node.kill();
    }
    let node = Node::start(&data);
    let left: Vec<PathBuf> = std::fs::read_dir(data.join("backups"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(
        left.iter().all(|path| path.extension().is_none_or(|ending| ending != "part")),
        "{left:?}"
    );
    for path in left.iter().filter(|path| path.extension().is_some_and(|ending| ending == "gz")) {
        let verified = backup(&["verify", path.to_str().unwrap()], &data);
        assert!(verified.status.success(), "{}", said(&verified));
    }
    let made = backup(&["new"], &data);
    assert!(made.status.success(), "the next one works: {}", said(&made));
    drop(node);
}
