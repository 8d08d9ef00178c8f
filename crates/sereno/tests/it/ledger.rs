//! Somebody edits the database: the log names the first altered entry.

use std::process::Command;

use sqlx::Connection;

use crate::programs::{Node, json, output, sereno};

fn edit(database: &std::path::Path, sql: &'static str) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        sqlx::any::install_default_drivers();
        let url = format!("sqlite://{}", database.display());
        let mut connection = sqlx::AnyConnection::connect(&url).await.unwrap();
        let done = sqlx::query(sql).execute(&mut connection).await.unwrap();
        assert!(done.rows_affected() > 0, "{sql}");
        connection.close().await.unwrap();
    });
}

fn verify() -> Command {
    let mut command = sereno();
    command.args(["ledger", "verify", "--json", "--data"]);
    command
}

#[test]
fn an_edited_entry_is_named_and_a_proof_holds_offline() {
    let folder = tempfile::tempdir().unwrap();
    let node = Node::start(folder.path());
    for _ in 0..4 {
        node.token("read-only");
    }
    std::thread::sleep(std::time::Duration::from_millis(500));
    let proof = output(sereno().args(["ledger", "proof", "2", "--data"]).arg(folder.path()));
    let file = folder.path().join("proof.json");
    std::fs::write(&file, &proof.stdout).unwrap();
    node.kill();

    let before = output(verify().arg(folder.path()));
    assert_eq!(json(&before)["verified"], true);
    assert!(output(sereno().args(["ledger", "verify", "--proof"]).arg(&file)).status.success());
    let mut forged = json(&proof);
    let hash = forged["leaf_hash"].as_str().unwrap().to_owned();
    forged["leaf_hash"] =
        format!("{}{}", if hash.starts_with('0') { '1' } else { '0' }, &hash[1..]).into();
    std::fs::write(&file, forged.to_string()).unwrap();
    assert_eq!(
        output(sereno().args(["ledger", "verify", "--proof"]).arg(&file)).status.code(),
        Some(1)
    );

    edit(
        &folder.path().join("sereno.db"),
        "UPDATE accountability_entries SET sentence = 'nothing happened' WHERE idx = 2",
    );
    let after = output(verify().arg(folder.path()));
    assert_eq!(after.status.code(), Some(1));
    assert_eq!(json(&after)["verified"], false);
    assert_eq!(json(&after)["first_altered"]["index"], 2);
}
