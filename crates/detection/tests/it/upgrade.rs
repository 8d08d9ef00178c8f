//! What a node makes of windows that an earlier version of the program stored.

use std::sync::Arc;

use analytics::record::RECORD_VERSION;
use platform::db::DbError;
use ports::fake::FakeAssets;

use crate::meter::{LEARNED, LIVED, Watch, life_of};

/// Makes the stored windows of a table look like those of the version before.
async fn age(watch: &Watch, table: &'static str) {
    let sql = format!(
        "UPDATE {table} SET record = REPLACE(record, '\"version\":{RECORD_VERSION}', '\"version\":{}')",
        RECORD_VERSION - 1
    );
    let done: Result<(), DbError> = watch
        .node
        .platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                sqlx::query(sqlx::AssertSqlSafe(sql)).execute(tx.sql()).await?;
                Ok(())
            })
        })
        .await;
    done.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_learning_goes_on_without_the_windows_of_before_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut watch = Watch::start(folder.path(), &Arc::new(FakeAssets::default())).await;
    watch.feed(&life_of(1, 0..180)).await;
    let stored = watch.node.number("SELECT COUNT(*) FROM detection_training").await;
    age(&watch, "detection_training").await;
    watch.feed(&life_of(1, 180..LEARNED + 10)).await;
    let versions = watch.versions().await;
    let reason = versions[0]["reason"].as_str().unwrap();
    assert!(reason.contains(&format!("{stored} stored windows of another version")), "{reason}");
    assert_eq!(watch.device(0).await["protection"], "watched by its own model, version 1");
    // The anchor is what taught, so that learning goes on.
    let kept = "SELECT COUNT(*) FROM detection_kept WHERE role = 'anchor'";
    assert_eq!(watch.node.number(kept).await, versions[0]["windows"].as_i64().unwrap());
    watch.feed(&life_of(1, LEARNED + 10..LIVED)).await;
    assert!(watch.device(0).await["learning"]["held"].is_null());
    assert!(watch.versions().await.len() > 1, "fitted again");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_windows_of_this_version_are_told_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let mut watch = Watch::start(folder.path(), &Arc::new(FakeAssets::default())).await;
    watch.feed(&life_of(1, 0..LEARNED - 5)).await;
    age(&watch, "detection_training").await;
    watch.feed(&life_of(1, LEARNED - 5..LEARNED + 10)).await;
    let protection = watch.device(0).await["protection"].as_str().unwrap().to_owned();
    assert!(protection.starts_with("not protected: "), "{protection}");
    assert!(protection.contains("stored windows of another version"), "{protection}");
    assert!(protection.contains("let it learn again"), "{protection}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_stays_and_its_learning_is_held_where_its_anchor_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let assets = Arc::new(FakeAssets::default());
    let mut watch = Watch::start(folder.path(), &assets).await;
    watch.feed(&life_of(1, 0..LEARNED + 10)).await;
    age(&watch, "detection_kept").await;
    watch.feed(&life_of(1, LEARNED + 10..LIVED)).await;
    let device = watch.device(0).await;
    let held = device["learning"]["held"].as_str().unwrap_or_default();
    assert!(held.contains("windows of its first training are of another version"), "{device}");
    assert_eq!((&device["version"], watch.versions().await.len()), (&1.into(), 1));
    let scored = watch.node.number("SELECT scored FROM detection_devices").await;
    assert!(scored >= LIVED - LEARNED - 10, "{scored} windows judged");
}
