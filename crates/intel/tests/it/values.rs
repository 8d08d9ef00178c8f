//! Values: lookup, lists, the bound on correlation.

use intel::objects;
use intel::values::{self, Listed};
use intel::{Sight, sources};
use platform::db::DbError;
use serde_json::{Value, json};
use stix::Tlp;

use crate::support::{Store, id, object, source_of};

fn indicator(n: u32, second: u32, pattern: &str, more: Value) -> Value {
    let mut indicator = object("indicator", n, second, more);
    indicator["pattern"] = pattern.into();
    indicator["pattern_type"] = "stix".into();
    indicator["valid_from"] = "2026-01-01T00:00:00Z".into();
    indicator
}

async fn holders(store: &Store, value: &str, sight: Sight) -> Vec<String> {
    let mut sql = store.db.read().await.unwrap();
    let found = values::lookup(&mut sql, value, sight, 2_000_000_000_000_000).await.unwrap();
    found.into_iter().map(|known| known.object.unwrap_or(known.source)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_found_under_every_object_that_names_it_and_only_in_sight() {
    let store = Store::new().await;
    let red = json!({"object_marking_refs": [Tlp::Red.id()]});
    store
        .put(
            "a",
            1,
            &[
                indicator(
                    1,
                    0,
                    "[ipv4-addr:value = '198.51.100.7' OR domain-name:value = 'B.example.']",
                    json!({}),
                ),
                indicator(2, 0, "[ipv4-addr:value = '198.51.100.7']", red),
                json!({"type": "domain-name", "id": id("domain-name", 3), "value": "b.EXAMPLE"}),
            ],
        )
        .await;
    assert_eq!(
        holders(&store, "198.51.100.7", Sight::ALL).await,
        [id("indicator", 1), id("indicator", 2)]
    );
    assert_eq!(
        holders(&store, "198.51.100.7", Sight::up_to(Tlp::Amber)).await,
        [id("indicator", 1)]
    );
    assert_eq!(
        holders(&store, "b.example", Sight::ALL).await,
        [id("domain-name", 3), id("indicator", 1)]
    );
    // a newer version names something else; a revoked one nothing
    store.put("a", 2, &[indicator(1, 1, "[ipv4-addr:value = '203.0.113.9']", json!({}))]).await;
    assert_eq!(
        holders(&store, "198.51.100.7", Sight::up_to(Tlp::Amber)).await,
        Vec::<String>::new()
    );
    assert_eq!(holders(&store, "203.0.113.9", Sight::ALL).await, [id("indicator", 1)]);
    let revoked = json!({"revoked": true});
    store.put("a", 3, &[indicator(1, 2, "[ipv4-addr:value = '203.0.113.9']", revoked)]).await;
    assert_eq!(holders(&store, "203.0.113.9", Sight::ALL).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_value_that_everybody_names_a_read_looks_at_some_and_none_is_lost() {
    let store = Store::new().await;
    let most = u32::try_from(values::MAX_HOLDERS).unwrap();
    let pattern = "[domain-name:value = 'common.example']";
    let many: Vec<Value> = (0..most + 300).map(|n| indicator(n, 0, pattern, json!({}))).collect();
    store.put("a", 1, &many).await;
    let held = async || -> (i64, i64) {
        let mut sql = store.db.read().await.unwrap();
        let held = values::most_held(&mut sql, 1, 10).await.unwrap();
        let node = objects::node(&mut sql, &id("indicator", most + 1)).await.unwrap().unwrap();
        let named = values::named_by(&mut sql, node, Sight::ALL).await.unwrap();
        (held.first().map_or(0, |one| one.held), named.first().map_or(0, |(_, seen)| *seen))
    };
    assert_eq!(held().await, (i64::from(most) + 300, i64::from(most)));
    // What is said anew does not count twice, whatever its place was.
    let again: Vec<Value> =
        (most..most + 300).map(|n| indicator(n, 9, pattern, json!({}))).collect();
    store.put("a", 2, &again).await;
    assert_eq!(held().await, (i64::from(most) + 300, i64::from(most)));
    // When those who came first take it back, those who came late are still there.
    let gone: Vec<Value> =
        (0..most).map(|n| indicator(n, 9, pattern, json!({"revoked": true}))).collect();
    store.put("a", 3, &gone).await;
    assert_eq!(held().await, (300, 300));
    assert_eq!(holders(&store, "common.example", Sight::ALL).await.len(), 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_counts_what_is_new_changed_and_gone() {
    let store = Store::new().await;
    let line = |n: u32, score: f64| Listed {
        value: format!("198.51.100.{n}"),
        kind: "address",
        score: Some(score),
        since_us: 0,
        until_us: None,
    };
    let say = |at_us: i64, lines: Vec<Listed>| {
        let db = store.db.clone();
        async move {
            let counts: Result<values::ListCounts, DbError> = db
                .write(move |tx| {
                    Box::pin(async move {
                        let source = source_of(tx.sql(), "list", at_us).await?;
                        let counts = values::list(tx.sql(), source, &lines, at_us).await?;
                        values::drop_unsaid(tx.sql(), source, at_us).await?;
                        Ok(counts)
                    })
                })
                .await;
            let counts = counts.unwrap();
            (counts.new, counts.updated, counts.same)
        }
    };
    assert_eq!(say(1, vec![line(1, 1.0), line(2, 1.0), line(2, 1.0)]).await, (2, 0, 1));
    assert_eq!(say(2, vec![line(1, 1.0), line(2, 5.0), line(3, 1.0)]).await, (1, 1, 1));
    assert_eq!(holders(&store, "198.51.100.2", Sight::ALL).await, ["LIST"]);
    assert_eq!(say(3, vec![line(1, 1.0)]).await, (0, 0, 1));
    assert_eq!(holders(&store, "198.51.100.2", Sight::ALL).await, Vec::<String>::new());
    let mut sql = store.db.read().await.unwrap();
    let source = sources::by_key(&mut sql, "list").await.unwrap().unwrap();
    assert_eq!(values::count_listed(&mut sql, source.id).await.unwrap(), 1);
    let held = values::most_held(&mut sql, 1, 10).await.unwrap();
    assert_eq!(held.len(), 1, "{held:?}");
}
