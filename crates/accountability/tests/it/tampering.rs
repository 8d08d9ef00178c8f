//! Somebody edits the database: the first altered entry is named, whichever column it was.

use std::path::Path;

use accountability::{VerifyReport, verify_folder};
use sqlx::{AnyConnection, Connection, Executor};

use crate::{close, folder_with, open, publish};

/// Runs SQL on a copy of the folder and verifies the copy.
async fn forged(folder: &Path, sql: &str) -> VerifyReport {
    let copy = tempfile::tempdir().unwrap();
    std::fs::create_dir(copy.path().join("keys")).unwrap();
    for file in ["sereno.db", "keys/node.ed25519"] {
        std::fs::copy(folder.join(file), copy.path().join(file)).unwrap();
    }
    sqlx::any::install_default_drivers();
    let url = format!("sqlite://{}", copy.path().join("sereno.db").display());
    let mut connection = AnyConnection::connect(&url).await.unwrap();
    connection.execute(sqlx::AssertSqlSafe(sql.to_owned())).await.unwrap();
    connection.close().await.unwrap();
    verify_folder(copy.path()).await.unwrap()
}

/// Checks that the edit is found at this entry and described with these words.
async fn check(folder: &Path, sql: &str, index: u64, words: &str) {
    let report = forged(folder, sql).await;
    assert!(!report.verified, "unseen: {sql}");
    let first = report.first_altered.clone().unwrap();
    assert_eq!(first.index, index, "{sql}: {}", first.what);
    assert!(first.what.contains(words), "{sql}: {}", first.what);
    assert!(report.sentence().contains(&format!("entry {index}")), "{}", report.sentence());
}

#[tokio::test]
async fn an_edit_of_any_column_of_an_entry_is_named() {
    let folder = folder_with(13).await;
    let folder = folder.path();
    assert!(forged(folder, "SELECT 1").await.verified);
    let edits = [
        ("body = replace(body, 'user', 'usher')", "body"),
        ("body = body || ' '", "body"),
        ("body = NULL", "erasure"),
        ("salt = 'zz'", "salt"),
        ("salt = NULL", "erasure"),
        ("leaf_hash = 'gone'", "leaf_hash"),
        ("kind = 'cti.share_moved'", "kind"),
        ("subject = 'somebody else'", "subject"),
        ("actor = 'nobody'", "actor"),
        ("sentence = 'nothing happened'", "sentence"),
        ("recorded_at = recorded_at + 1", "recorded_at"),
        ("fact_seq = fact_seq + 1000", "fact_seq"),
        ("erased = 1", "erasure"),
        ("erased = 1, body = NULL, salt = NULL", "erased"),
        (
            "erased = 1, body = NULL, salt = NULL, kind = '', subject = '', actor = '', sentence = ''",
            "still there",
        ),
    ];
    // Entries are picked so that small and large subtrees are hit, the first and the last too.
    for (turn, (edit, words)) in edits.into_iter().enumerate() {
        let index = (turn * 5) as u64 % 13;
        let sql = format!("UPDATE accountability_entries SET {edit} WHERE idx = {index}");
        check(folder, &sql, index, words).await;
    }
    for index in [0, 7, 12] {
        for column in ["salt", "leaf_hash"] {
            let sql = format!(
                "UPDATE accountability_entries SET {column} = substr({column}, 1, 2) || \
                 CASE substr({column}, 3, 1) WHEN '0' THEN '1' ELSE '0' END || \
                 substr({column}, 4) WHERE idx = {index}"
            );
            check(folder, &sql, index, column).await;
        }
    }
}

#[tokio::test]
async fn deleted_swapped_and_added_rows_are_named() {
    let folder = folder_with(13).await;
    let folder = folder.path();
    check(folder, "DELETE FROM accountability_entries WHERE idx = 4", 4, "deleted").await;
    check(folder, "DELETE FROM accountability_entries WHERE idx = 0", 0, "deleted").await;
    check(folder, "DELETE FROM accountability_entries WHERE idx >= 11", 11, "deleted").await;
    check(folder, "DELETE FROM accountability_entries", 0, "deleted").await;
    let renumbered = "DELETE FROM accountability_entries WHERE idx = 4; \
                      UPDATE accountability_entries SET idx = idx - 1 WHERE idx > 4";
    check(folder, renumbered, 4, "fact 5 has no entry").await;
    let swapped = "UPDATE accountability_entries SET idx = 100 WHERE idx = 3; \
                   UPDATE accountability_entries SET idx = 3 WHERE idx = 8; \
                   UPDATE accountability_entries SET idx = 8 WHERE idx = 100";
    check(folder, swapped, 3, "has no entry").await;
    let back = "UPDATE accountability_entries SET idx = 100 WHERE idx = 0; \
                UPDATE accountability_entries SET idx = 0 WHERE idx = 1; \
                UPDATE accountability_entries SET idx = 1 WHERE idx = 100";
    let report = forged(folder, back).await;
    assert_eq!(report.first_altered.unwrap().index, 0);
    // Cut off with everything the log itself keeps: the outbox remembers.
    let cut = "DELETE FROM accountability_entries WHERE idx >= 9; \
               DELETE FROM accountability_nodes WHERE last_leaf >= 9; \
               DELETE FROM accountability_heads WHERE size > 9";
    check(folder, cut, 9, "fact 10 was taken").await;
    let mut all = cut.replace("idx >= 9", "idx >= 0").replace("last_leaf >= 9", "last_leaf >= 0");
    all = all.replace("size > 9", "size > 0");
    check(folder, &all, 0, "fact 1 was taken").await;
}

#[tokio::test]
async fn edits_of_nodes_heads_and_facts_are_named() {
    let folder = folder_with(13).await;
    let folder = folder.path();
    let zeros = "0".repeat(64);
    let node = format!(
        "UPDATE accountability_nodes SET hash = '{zeros}' WHERE last_leaf = 7 AND level = 3"
    );
    check(folder, &node, 7, "level 3 was altered").await;
    check(folder, "DELETE FROM accountability_nodes WHERE last_leaf = 5", 5, "level 1 was deleted")
        .await;
    let added = format!("INSERT INTO accountability_nodes VALUES (40, 1, '{zeros}')");
    check(folder, &added, 13, "reached entry 40").await;
    for column in ["root", "signature"] {
        let sql = format!("UPDATE accountability_heads SET {column} = '{zeros}' WHERE size = 6");
        check(folder, &sql, 5, "signature").await;
    }
    check(folder, "UPDATE accountability_heads SET signed_at = 1 WHERE size = 6", 5, "signature")
        .await;
    check(folder, "UPDATE accountability_heads SET origin = 'x' WHERE size = 6", 5, "signature")
        .await;
    check(folder, "DELETE FROM accountability_heads WHERE size = 13", 12, "missing").await;
    for column in ["subject", "actor", "sentence", "kind"] {
        let sql = format!("UPDATE platform_facts SET {column} = 'x' WHERE seq = 10");
        check(folder, &sql, 9, "fact 10 was edited in the outbox").await;
    }
    let payload =
        "UPDATE platform_facts SET payload = replace(payload, 'user', 'usher') WHERE seq = 10";
    check(folder, payload, 9, "edited in the outbox").await;
    check(folder, "UPDATE platform_facts SET payload = '{' WHERE seq = 10", 9, "unreadable").await;
    check(folder, "UPDATE platform_facts SET version = 7 WHERE seq = 10", 9, "edited").await;
    check(folder, "DELETE FROM platform_facts WHERE seq = 10", 9, "deleted from the outbox").await;
    // What retention does: the oldest facts go, the log stays provable.
    assert!(forged(folder, "DELETE FROM platform_facts WHERE seq <= 10").await.verified);
}

#[tokio::test]
async fn a_whole_history_rewritten_with_another_key_is_found_at_its_first_entry() {
    let folder = folder_with(4).await;
    let other = folder_with(4).await;
    std::fs::copy(other.path().join("sereno.db"), folder.path().join("sereno.db")).unwrap();
    let report = verify_folder(folder.path()).await.unwrap();
    let first = report.first_altered.unwrap();
    assert_eq!(first.index, 0);
    assert!(first.what.contains("signature"), "{}", first.what);
}

#[tokio::test]
async fn a_node_that_goes_on_after_an_edit_does_not_cover_it_up() {
    let folder = folder_with(5).await;
    {
        let url = format!("sqlite://{}", folder.path().join("sereno.db").display());
        let mut connection = AnyConnection::connect(&url).await.unwrap();
        let sql = "UPDATE accountability_entries SET sentence = 'nothing' WHERE idx = 1";
        connection.execute(sql).await.unwrap();
        connection.close().await.unwrap();
    }
    let (platform, log) = open(folder.path()).await;
    publish(&platform, "later").await;
    crate::entries(&log, 6).await;
    let report = log.verify().await.unwrap();
    assert_eq!(report.first_altered.unwrap().index, 1);
    close(platform).await;
}
