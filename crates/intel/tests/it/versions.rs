//! Versions, conflicts, provenance, time travel.

use intel::{Put, Sight, objects};
use serde_json::json;

use crate::support::{Store, id, object, relationship};

#[tokio::test(flavor = "multi_thread")]
async fn every_version_is_kept_once_and_the_newest_is_found() {
    let store = Store::new().await;
    let version = |second: u32| object("tool", 1, second, json!({"name": format!("v{second}")}));
    let put = store.put("a", 100, &[version(5), version(7), version(6), version(7)]).await;
    assert_eq!(put, [Put::New, Put::Updated, Put::Older, Put::Same]);
    let put = store.put("b", 200, &[version(7), version(9), version(1)]).await;
    assert_eq!(put, [Put::Same, Put::Updated, Put::Older]);
    let mut other = version(9);
    other["name"] = "another word".into();
    assert_eq!(store.put("b", 300, &[other]).await, [Put::Conflict]);

    let mut sql = store.db.read().await.unwrap();
    let newest = objects::newest(&mut sql, &id("tool", 1), Sight::ALL).await.unwrap().unwrap();
    assert_eq!((newest.name.as_str(), newest.superseded_us), ("v9", None));
    let all = objects::versions(&mut sql, &id("tool", 1), Sight::ALL).await.unwrap();
    let names: Vec<&str> = all.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(names, ["v9", "v7", "v6", "v5", "v1"]);
    assert!(all[1..].iter().all(|v| v.superseded_us.is_some()));

    let then = objects::known_at(&mut sql, &id("tool", 1), Sight::ALL, 150).await.unwrap().unwrap();
    assert_eq!(then.name, "v7");
    assert!(objects::known_at(&mut sql, &id("tool", 1), Sight::ALL, 99).await.unwrap().is_none());

    let said = objects::said(&mut sql, all[1].seq).await.unwrap();
    let said: Vec<_> = said.iter().map(|s| (s.source.as_str(), s.first_us, s.last_us)).collect();
    assert_eq!(said, [("A", 100, 100), ("B", 200, 200)]);
    assert_eq!(objects::said(&mut sql, newest.seq).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_goes_out() {
    let store = Store::new().await;
    let odd = object(
        "x-odd",
        1,
        0,
        json!({"zeta": [1, 2.5, {"a": "é"}], "alpha": "\u{0}\u{1f600}", "n": 1e300}),
    );
    let text = odd.to_string();
    store.put("a", 1, &[odd]).await;
    let mut sql = store.db.read().await.unwrap();
    let kept = objects::newest(&mut sql, &id("x-odd", 1), Sight::ALL).await.unwrap().unwrap();
    assert_eq!(kept.body, text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_the_same_object_is_like_one_after_the_other() {
    let many: Vec<_> = (0..600)
        .map(|n| object("tool", n % 7, (n * 13) % 50, json!({"name": format!("t{}", n % 7)})))
        .collect();
    let (together, alone) = (Store::new().await, Store::new().await);
    let all = together.put("a", 1, &many).await;
    let mut each = Vec::new();
    for object in &many {
        each.extend(alone.put("a", 1, std::slice::from_ref(object)).await);
    }
    assert_eq!(all, each);
    for n in 0..7 {
        let mut newest = Vec::new();
        for store in [&together, &alone] {
            let mut sql = store.db.read().await.unwrap();
            let found =
                objects::newest(&mut sql, &id("tool", n), Sight::ALL).await.unwrap().unwrap();
            newest.push((found.version_us, found.superseded_us));
        }
        assert_eq!(newest[0], newest[1]);
        assert_eq!(newest[0].1, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_said_it_may_protect_it_more_and_nobody_else() {
    let store = Store::new().await;
    let tool = object("tool", 1, 0, json!({"name": "x"}));
    let target = object("tool", 2, 0, json!({"name": "y"}));
    let uses = relationship(3, &id("tool", 1), "uses", &id("tool", 2), json!({}));
    let all = [tool, target, uses];
    let labels = async || -> Vec<i64> {
        let mut sql = store.db.read().await.unwrap();
        let mut labels = Vec::new();
        for (kind, n) in [("tool", 1), ("tool", 2), ("relationship", 3)] {
            let found = objects::newest(&mut sql, &id(kind, n), Sight::ALL).await.unwrap().unwrap();
            labels.push(found.tlp);
        }
        let edge = sqlx::query("SELECT MIN(tlp) FROM intel_edges").fetch_one(&mut *sql).await;
        labels.push(sqlx::Row::try_get(&edge.unwrap(), 0).unwrap());
        labels
    };
    store.put_marked("a", 1, 0, &all).await;
    assert_eq!(labels().await, [0, 0, 0, 0]);
    let put = store.put_marked("b", 2, 4, &all).await;
    assert_eq!((put, labels().await), (vec![Put::Same; 3], vec![0, 0, 0, 0]));
    store.put_marked("a", 3, 4, &all).await;
    assert_eq!(labels().await, [4, 4, 4, 4]);
    store.put_marked("a", 4, 1, &all).await;
    assert_eq!(labels().await, [4, 4, 4, 4], "and not less again by saying it again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_beside_never_becomes_the_newest_until_its_author_says_it() {
    let store = Store::new().await;
    let version = |second: u32| object("tool", 1, second, json!({"name": format!("v{second}")}));
    store.put("a", 100, &[version(3)]).await;
    assert_eq!(
        store.put_beside("b", 200, &[version(9), version(3)]).await,
        [Put::Beside, Put::Same]
    );
    assert_eq!(store.put_beside("b", 210, &[version(9)]).await, [Put::Same]);
    assert_eq!(store.newest("tool", 1).await, "v3");
    // Older than what stands beside, newer than what is known.
    assert_eq!(store.put("a", 300, &[version(5)]).await, [Put::Updated]);
    assert_eq!(store.newest("tool", 1).await, "v5");
    assert_eq!(store.put("a", 400, &[version(9)]).await, [Put::Updated]);
    assert_eq!(store.newest("tool", 1).await, "v9");
    let mut sql = store.db.read().await.unwrap();
    let all = objects::versions(&mut sql, &id("tool", 1), Sight::ALL).await.unwrap();
    let names: Vec<&str> = all.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(names, ["v9", "v5", "v3"], "a version stands there twice");
    let said = objects::said(&mut sql, all[0].seq).await.unwrap();
    let said: Vec<_> = said.iter().map(|s| (s.source.as_str(), s.first_us)).collect();
    assert_eq!(said, [("B", 200), ("A", 400)], "who said it first is lost");
    let then = objects::known_at(&mut sql, &id("tool", 1), Sight::ALL, 250).await.unwrap().unwrap();
    assert_eq!(then.name, "v3");
    let origins =
        intel::beside::origins(&mut sql, &[&id("tool", 1), &id("tool", 2)]).await.unwrap();
    assert_eq!(origins.len(), 1);
    assert_eq!(origins[&id("tool", 1)].key, "a");
}
