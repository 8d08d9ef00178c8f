//! Search, neighbours and paths, in sight and as known at a time.

use intel::graph::{self, Path};
use intel::search::{self, Wanted};
use intel::{Sight, objects};
use serde_json::{Value, json};
use stix::Tlp;

use crate::support::{Store, id, object, relationship};

async fn find(store: &Store, query: &str, sight: Sight, at_us: Option<i64>) -> Vec<String> {
    let query = search::parse(query, 10_000_000).unwrap();
    let mut sql = store.db.read().await.unwrap();
    let wanted = Wanted { query: &query, sight, at_us, before_seq: None, limit: 100, count: true };
    let found = search::run(&mut sql, &wanted).await.unwrap();
    let counted: i64 = found.by_type.iter().map(|(_, held)| held).sum();
    assert_eq!(
        usize::try_from(counted).unwrap(),
        found.hits.len(),
        "counts see what the list sees"
    );
    let mut names: Vec<String> = found.hits.into_iter().map(|hit| hit.name).collect();
    names.sort();
    names
}

async fn filled() -> Store {
    let store = Store::new().await;
    let marked = |tlp: Tlp| json!([tlp.id()]);
    store
        .put(
            "a",
            1_000_000,
            &[
                object(
                    "malware",
                    1,
                    0,
                    json!({"name": "Night Heron", "is_family": true, "labels": ["botnet"],
                    "description": "Scans for telnet, then “naïve” words.", "confidence": 80}),
                ),
                object(
                    "tool",
                    2,
                    0,
                    json!({"name": "Heron Kit", "aliases": ["HK-1"],
                    "object_marking_refs": marked(Tlp::Amber),
                    "external_references": [{"source_name": "x", "external_id": "S9999"}]}),
                ),
                object(
                    "tool",
                    3,
                    0,
                    json!({"name": "Secret Heron", "object_marking_refs": marked(Tlp::Red)}),
                ),
            ],
        )
        .await;
    store.put("b", 5_000_000, &[object("tool", 2, 9, json!({"name": "Heron Kit 2"}))]).await;
    store
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_find_what_they_say() {
    let store = filled().await;
    let all = Sight::ALL;
    for (query, names) in [
        ("heron", &["Heron Kit 2", "Night Heron", "Secret Heron"][..]),
        ("heron type:tool", &["Heron Kit 2", "Secret Heron"]),
        ("hero*", &["Heron Kit 2", "Night Heron", "Secret Heron"]),
        ("\"for telnet\"", &["Night Heron"]),
        ("\"telnet for\"", &[]),
        ("naive", &["Night Heron"]),
        ("label:botnet", &["Night Heron"]),
        ("name:telnet", &[]),
        ("technique:S9999", &[]),
        ("confidence>=80", &["Night Heron"]),
        ("confidence<80", &[]),
        ("-confidence:80", &["Heron Kit 2", "Secret Heron"]),
        ("tlp:red", &["Secret Heron"]),
        ("tlp<=green", &["Heron Kit 2", "Night Heron"]),
        ("source:B", &["Heron Kit 2"]),
        ("known>1970-01-01T00:00:02Z", &["Heron Kit 2"]),
        ("modified:2026-01-01 NOT type:tool", &["Night Heron"]),
        ("(type:malware OR source:b) -\"heron kit\"", &["Night Heron"]),
        ("\"x' OR 1=1 --\"", &[]),
        ("name:NEAR", &[]),
        ("is:custom", &[]),
    ] {
        assert_eq!(find(&store, query, all, None).await, names, "{query}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn search_and_counts_see_no_more_than_the_reader_may() {
    let store = filled().await;
    let green = Sight::up_to(Tlp::Green);
    for query in ["heron", "secret", "tlp:red", "", "type:tool", "-type:malware", "NOT secret"] {
        let found = find(&store, query, green, None).await;
        assert!(!found.iter().any(|name| name.contains("Secret")), "{query}: {found:?}");
    }
    // as known on: the amber version was the newest then
    assert_eq!(find(&store, "type:tool", green, Some(2_000_000)).await, Vec::<String>::new());
    assert_eq!(
        find(&store, "type:tool", Sight::ALL, Some(2_000_000)).await,
        ["Heron Kit", "Secret Heron"]
    );
    assert_eq!(find(&store, "", Sight::ALL, Some(1)).await, Vec::<String>::new());
}

fn knot() -> Vec<Value> {
    let node = |n: u32, more: Value| object("tool", n, 0, more);
    let red = json!({"name": "r", "object_marking_refs": [Tlp::Red.id()]});
    let edge = |n: u32, from: u32, to: u32| {
        relationship(n, &id("tool", from), "uses", &id("tool", to), json!({}))
    };
    vec![
        node(1, json!({"name": "1"})),
        node(2, red),
        node(3, json!({"name": "3"})),
        node(4, json!({"name": "4"})),
        node(5, json!({"name": "5"})),
        // the short way leads over what only some may see
        edge(12, 1, 2),
        edge(23, 2, 3),
        edge(14, 1, 4),
        edge(54, 5, 4),
        edge(53, 5, 3),
        // to an object that is only spoken of
        edge(19, 1, 9),
    ]
}

async fn way(store: &Store, sight: Sight, at_us: i64) -> Option<Vec<String>> {
    let mut sql = store.db.read().await.unwrap();
    let from = objects::node(&mut sql, &id("tool", 1)).await.unwrap().unwrap();
    let to = objects::node(&mut sql, &id("tool", 3)).await.unwrap().unwrap();
    match graph::path(&mut sql, from, to, sight, at_us).await.unwrap() {
        Path::Found(steps) => Some(steps.into_iter().map(|step| step.teller).collect()),
        Path::None => None,
        Path::TooWide => panic!("too wide"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn neighbours_and_paths_pass_by_what_is_out_of_sight() {
    let store = Store::new().await;
    store.put("a", 10, &knot()).await;
    let told = |n: &[u32]| Some(n.iter().map(|n| id("relationship", *n)).collect::<Vec<_>>());
    assert_eq!(way(&store, Sight::ALL, 20).await, told(&[12, 23]));
    assert_eq!(way(&store, Sight::up_to(Tlp::Amber), 20).await, told(&[14, 54, 53]));
    assert_eq!(way(&store, Sight::ALL, 5).await, None);

    let mut sql = store.db.read().await.unwrap();
    let one = objects::node(&mut sql, &id("tool", 1)).await.unwrap().unwrap();
    let green = Sight::up_to(Tlp::Green);
    let (near, next) = graph::neighbours(&mut sql, one, green, 20, 0, 10).await.unwrap();
    let ends: Vec<&str> = near.iter().map(|relation| relation.target.as_str()).collect();
    assert_eq!((ends, next), (vec![id("tool", 4).as_str(), id("tool", 9).as_str()], None));
    let kinds = graph::kinds(&mut sql, one, green, 20).await.unwrap();
    assert_eq!(kinds, [("uses".to_owned(), 2)]);
    // page by page nothing is lost or repeated
    let (first, next) = graph::neighbours(&mut sql, one, Sight::ALL, 20, 0, 2).await.unwrap();
    let (rest, end) =
        graph::neighbours(&mut sql, one, Sight::ALL, 20, next.unwrap(), 2).await.unwrap();
    assert_eq!((first.len(), rest.len(), end), (2, 1, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relation_that_is_taken_back_is_still_known_then() {
    let store = Store::new().await;
    store.put("a", 10, &knot()).await;
    let mut gone =
        relationship(14, &id("tool", 1), "uses", &id("tool", 4), json!({"revoked": true}));
    gone["modified"] = "2026-02-01T00:00:00.000Z".into();
    store.put("a", 30, &[gone]).await;
    let amber = Sight::up_to(Tlp::Amber);
    assert!(way(&store, amber, 20).await.is_some());
    assert_eq!(way(&store, amber, 40).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn related_objects_are_found_over_relations_in_sight_only() {
    let store = Store::new().await;
    let tool = |n: u32, tlp: Tlp| {
        let marked = json!([tlp.id()]);
        object("tool", n, 0, json!({"name": format!("T{n}"), "object_marking_refs": marked}))
    };
    let red = json!({"object_marking_refs": [Tlp::Red.id()]});
    let open = json!({"object_marking_refs": [Tlp::Clear.id()]});
    let joined = |n: u32, from: u32, to: u32, marks: &Value| {
        relationship(n, &id("tool", from), "uses", &id("tool", to), marks.clone())
    };
    let all = [
        tool(1, Tlp::Green),
        tool(2, Tlp::Green),
        tool(3, Tlp::Green),
        tool(4, Tlp::Red),
        joined(1, 1, 2, &open),
        joined(2, 1, 3, &red),
        joined(3, 4, 3, &open),
    ];
    store.put("a", 1, &all).await;
    let green = Sight::up_to(Tlp::Green);
    let of = |n: u32| format!("type:tool related:{}", id("tool", n));
    assert_eq!(find(&store, &of(1), green, None).await, ["T2"]);
    assert_eq!(find(&store, &of(4), green, None).await, Vec::<String>::new());
    assert_eq!(find(&store, &of(1), Sight::ALL, None).await, ["T2", "T3"]);
    assert_eq!(find(&store, &of(4), Sight::ALL, None).await, ["T3"]);
    // As known before all of it.
    assert_eq!(find(&store, &of(1), Sight::ALL, Some(0)).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_stricter_is_not_read_by_looking_back() {
    let store = Store::new().await;
    let version = |second: u32, tlp: Tlp| {
        let marked = json!([tlp.id()]);
        object(
            "tool",
            1,
            second,
            json!({"name": format!("v{second}"), "object_marking_refs": marked}),
        )
    };
    store.put("a", 10, &[version(1, Tlp::Green)]).await;
    store.put("a", 20, &[version(2, Tlp::Red)]).await;
    let green = Sight::up_to(Tlp::Green);
    for at_us in [None, Some(15), Some(25)] {
        assert_eq!(find(&store, "type:tool", green, at_us).await, Vec::<String>::new());
        let mut sql = store.db.read().await.unwrap();
        let at_us = at_us.unwrap_or(i64::MAX);
        let found = objects::known_at(&mut sql, &id("tool", 1), green, at_us).await.unwrap();
        assert_eq!(found, None);
    }
    assert_eq!(find(&store, "type:tool", Sight::ALL, Some(15)).await, ["v1"]);
}

#[test]
fn a_query_costs_no_more_than_it_may() {
    for (text, at) in [("a\u{0}b", 2), ("q*", 1), ("a b c d e f g h i j k l m n o p q", 33)] {
        let error = search::parse(text, 0).unwrap_err();
        assert_eq!(error.at, at, "{text}: {error}");
    }
}
