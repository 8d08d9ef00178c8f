//! Places in collections.

use intel::collections::{self, NewCollection};
use platform::db::DbError;
use serde_json::json;
use sqlx::Row;

use crate::support::{Store, object};

async fn collection(store: &Store, alias: &str) -> i64 {
    let new = NewCollection {
        id: format!("id-{alias}"),
        root: "r".into(),
        alias: alias.into(),
        title: alias.into(),
        description: String::new(),
        kind: "plain".into(),
        peer: None,
    };
    let made: Result<bool, DbError> = store
        .db
        .write(move |tx| Box::pin(async move { collections::create(tx.sql(), &new, 1).await }))
        .await;
    assert!(made.unwrap());
    let mut sql = store.db.read().await.unwrap();
    collections::find(&mut sql, "r", alias).await.unwrap().unwrap().number
}

/// (added, version second, first, last) of all entries.
async fn entries(store: &Store, collection: i64) -> Vec<(i64, i64, i64, i64)> {
    let mut sql = store.db.read().await.unwrap();
    let rows = sqlx::query(
        "SELECT added, version, is_first, is_last FROM intel_entries WHERE collection = $1 ORDER BY added",
    )
    .bind(collection)
    .fetch_all(&mut *sql)
    .await
    .unwrap();
    rows.iter()
        .map(|row| {
            let version: i64 = row.get(1);
            (row.get(0), version / 1_000_000 % 60, row.get(2), row.get(3))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn places_rise_strictly_also_when_the_clock_stands_still_or_goes_back() {
    let store = Store::new().await;
    let c = collection(&store, "c").await;
    let tools = |from: u32, to: u32| -> Vec<_> {
        (from..to).map(|n| object("tool", n, 0, json!({"name": "t"}))).collect()
    };
    store.put_into("a", 1_000, Some(c), &tools(0, 600)).await;
    store.put_into("a", 1_000, Some(c), &tools(600, 700)).await;
    store.put_into("a", 10, Some(c), &tools(700, 701)).await;
    // what is there already gets no second place
    store.put_into("b", 5_000, Some(c), &tools(0, 701)).await;
    store.put_into("b", 9_000, Some(c), &tools(701, 702)).await;
    let places: Vec<i64> = entries(&store, c).await.iter().map(|e| e.0).collect();
    let expect: Vec<i64> = (1_000..1_701).chain([9_000]).collect();
    assert_eq!(places, expect);
    let mut sql = store.db.read().await.unwrap();
    let held = collections::find(&mut sql, "r", "c").await.unwrap().unwrap();
    assert_eq!((held.held, held.last_added_us), (702, 9_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn first_and_last_versions_follow_additions_and_deletions() {
    let store = Store::new().await;
    let c = collection(&store, "c").await;
    let version = |second: u32| object("tool", 1, second, json!({"name": "t"}));
    store.put_into("a", 10, Some(c), &[version(5), version(3), version(8)]).await;
    assert_eq!(entries(&store, c).await, [(10, 5, 0, 0), (11, 3, 1, 0), (12, 8, 0, 1)]);
    let gone: Result<u64, DbError> = store
        .db
        .write(move |tx| {
            Box::pin(async move { collections::delete(tx.sql(), c, 1, &[12, 99], 11).await })
        })
        .await;
    assert_eq!(gone.unwrap(), 1);
    // who follows the newest versions has passed place 10 without seeing version 5
    assert_eq!(entries(&store, c).await, [(11, 3, 1, 0), (13, 5, 0, 1)]);
    // a place is never used twice, not even when the newest entry was deleted
    store.put_into("a", 10, Some(c), &[version(8)]).await;
    assert_eq!(entries(&store, c).await[2], (14, 8, 0, 1));
}
