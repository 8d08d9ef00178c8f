//! Pages of a collection against a walk that looks at every entry.

use intel::Sight;
use intel::collections::{self, NewCollection};
use intel::pages::{self, Versions, Wanted};
use platform::db::DbError;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};
use stix::Tlp;

use crate::support::{Store, id, object};

const TYPES: [&str; 3] = ["tool", "malware", "campaign"];

/// An entry as the naive walk sees it.
#[derive(Clone)]
struct Known {
    body: Value,
    added: i64,
    first: bool,
    last: bool,
    /// Its own rank, or that of the newest version where it is stricter.
    rank: usize,
}

async fn filled(store: &Store) -> (i64, Vec<Known>) {
    let new = NewCollection {
        id: "id".into(),
        root: "r".into(),
        alias: "c".into(),
        title: String::new(),
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
    let c = collections::find(&mut sql, "r", "c").await.unwrap().unwrap().number;
    drop(sql);
    let mut all: Vec<Value> = Vec::new();
    for n in 0..60_u32 {
        for second in 0..(n % 3 + 1) {
            // Versions of an object are marked differently: stricter later, or freer.
            let label = Tlp::ALL[((n / 3 + second * (n % 5)) % 5) as usize];
            let more = json!({"name": "t", "object_marking_refs": [label.id()]});
            let mut value = object(TYPES[(n % 3) as usize], n, second, more);
            if n % 7 == 0 {
                value.as_object_mut().unwrap().remove("spec_version");
            }
            all.push(value);
        }
    }
    store.put_into("a", 1_000, Some(c), &all).await;
    let seconds = |v: &Value| v["modified"].as_str().unwrap().to_owned();
    let known = all.iter().enumerate().map(|(at, body)| {
        let rank = |of: &Value| {
            let id = of["object_marking_refs"][0].as_str().unwrap();
            Tlp::ALL.iter().position(|label| label.id() == id).unwrap()
        };
        let same = || all.iter().filter(|other| other["id"] == body["id"]);
        Known {
            body: body.clone(),
            added: 1_000 + i64::try_from(at).unwrap(),
            first: same().all(|other| seconds(other) >= seconds(body)),
            last: same().all(|other| seconds(other) <= seconds(body)),
            rank: rank(body).max(rank(same().max_by_key(|other| seconds(other)).unwrap())),
        }
    });
    (c, known.collect())
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let id = (0..70_u32).prop_map(|n| {
        object(TYPES[(n % 3) as usize], n, 0, json!({}))["id"].as_str().unwrap().to_owned()
    });
    let kinds = proptest::sample::subsequence(vec!["tool", "malware", "campaign", "x-none"], 0..=4);
    let specs = proptest::sample::subsequence(vec!["2.0", "2.1"], 0..=2);
    let versions = prop_oneof![
        Just(Versions::All),
        (any::<bool>(), any::<bool>(), proptest::collection::vec(0..4_u32, 0..2)).prop_map(
            |(first, last, seconds)| {
                let us = |second| {
                    let value = object("tool", 0, second, json!({}));
                    let text = value["modified"].as_str().unwrap().to_owned();
                    stix::Timestamp::parse(&text).unwrap().unix_us()
                };
                Versions::Only { first, last, exact_us: seconds.into_iter().map(us).collect() }
            }
        ),
    ];
    let ids = prop_oneof![3 => Just(vec![]), 1 => proptest::collection::vec(id, 1..4)];
    let sights = prop_oneof![2 => Just(Sight::ALL), 1 => Just(Sight::NOTHING), 4 => (0..5_usize).prop_map(|at| Sight::up_to(Tlp::ALL[at]))];
    (990_i64..1_130, ids, kinds, specs, versions, 1_i64..30, sights).prop_map(
        |(after_us, ids, types, specs, versions, limit, sight)| Wanted {
            sight,
            after_us,
            ids,
            types: types.into_iter().map(str::to_owned).collect(),
            spec_versions: specs.into_iter().map(str::to_owned).collect(),
            versions,
            limit,
        },
    )
}

fn passes(known: &Known, wanted: &Wanted) -> bool {
    let text = |name: &str| known.body[name].as_str().unwrap_or("2.0").to_owned();
    let among = |list: &[String], value: String| list.is_empty() || list.contains(&value);
    let us = stix::Timestamp::parse(&text("modified")).unwrap().unix_us();
    known.added > wanted.after_us
        && wanted.sight.sees(i64::try_from(known.rank).unwrap())
        && among(&wanted.ids, text("id"))
        && among(&wanted.types, text("type"))
        && among(&wanted.spec_versions, text("spec_version"))
        && match &wanted.versions {
            Versions::All => true,
            Versions::Only { first, last, exact_us } => {
                (*first && known.first) || (*last && known.last) || exact_us.contains(&us)
            }
        }
}

#[test]
fn every_page_holds_what_a_walk_over_all_entries_finds() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let store = runtime.block_on(Store::new());
    let (c, known) = runtime.block_on(filled(&store));
    let mut runner = TestRunner::new(ProptestConfig { cases: 300, ..ProptestConfig::default() });
    let law = runner.run(&wanted(), |wanted| {
        let found: Vec<&Known> = known.iter().filter(|known| passes(known, &wanted)).collect();
        let shown = found.len().min(usize::try_from(wanted.limit).unwrap());
        let (page, (lines, more)) = runtime.block_on(async {
            let mut sql = store.db.read().await.unwrap();
            let page = pages::bodies(&mut sql, c, &wanted).await.unwrap();
            (page, pages::lines(&mut sql, c, &wanted).await.unwrap())
        });
        let objects: Vec<Value> = serde_json::from_str(&format!("[{}]", page.text)).unwrap();
        let expect: Vec<&Value> = found[..shown].iter().map(|known| &known.body).collect();
        prop_assert_eq!(objects.iter().collect::<Vec<_>>(), expect);
        prop_assert_eq!(page.count, i64::try_from(shown).unwrap());
        prop_assert_eq!((page.more, more), (found.len() > shown, found.len() > shown));
        let ends = found[..shown].first().map(|first| (first.added, found[shown - 1].added));
        prop_assert_eq!(page.ends_us, ends);
        let added: Vec<i64> = lines.iter().map(|line| line.added_us).collect();
        prop_assert_eq!(added, found[..shown].iter().map(|k| k.added).collect::<Vec<_>>());
        Ok(())
    });
    law.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_ends_before_it_has_too_many_bytes_and_a_large_object_still_comes() {
    let store = Store::new().await;
    let (c, _) = filled(&store).await;
    let large = |n: u32, bytes: usize| object("tool", n, 9, json!({"name": "x".repeat(bytes)}));
    let half = usize::try_from(pages::MAX_PAGE_BYTES / 2).unwrap();
    let all = [large(100, half), large(101, half), large(102, 3 * half), large(103, 10)];
    store.put_into("a", 9_000, Some(c), &all).await;
    let mut wanted = Wanted {
        after_us: 8_000,
        ids: vec![],
        types: vec![],
        spec_versions: vec![],
        versions: Versions::LAST,
        limit: 10,
        sight: Sight::ALL,
    };
    let mut sql = store.db.read().await.unwrap();
    let mut pages_of = Vec::new();
    loop {
        let page = pages::bodies(&mut sql, c, &wanted).await.unwrap();
        pages_of.push(page.count);
        wanted.after_us = page.ends_us.unwrap().1;
        if !page.more {
            break;
        }
    }
    assert_eq!(pages_of, [1, 1, 1, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_holds_what_was_said_to_it_and_nothing_of_what_others_hold() {
    let store = Store::new().await;
    let (c, known) = filled(&store).await;
    let tool = |name: &str| object("tool", 500, 1, json!({"name": name}));
    let bodies = async || -> Vec<String> {
        let mut sql = store.db.read().await.unwrap();
        let text = "SELECT o.name AS name FROM intel_entries e JOIN intel_objects o ON o.seq = e.seq \
             WHERE e.collection = $1 AND o.type = 'tool' AND o.name IN ('secret', 'guess', 'other')";
        let rows = sqlx::query(text).bind(c).fetch_all(&mut *sql).await.unwrap();
        rows.iter().map(|row| sqlx::Row::try_get(row, 0).unwrap()).collect()
    };
    store.put("a", 5_000, &[tool("secret")]).await;
    assert_eq!(store.put_into("b", 6_000, Some(c), &[tool("guess")]).await, [intel::Put::Beside]);
    assert_eq!(bodies().await, ["guess"]);
    // The collection keeps its first word, also against what is known elsewhere; said again it is the same.
    for (name, expect) in [
        ("other", intel::Put::Conflict),
        ("secret", intel::Put::Conflict),
        ("guess", intel::Put::Same),
    ] {
        assert_eq!(store.put_into("b", 7_000, Some(c), &[tool(name)]).await, [expect], "{name}");
    }
    assert_eq!(bodies().await, ["guess"]);
    let mut sql = store.db.read().await.unwrap();
    let held = collections::find(&mut sql, "r", "c").await.unwrap().unwrap().held;
    assert_eq!(usize::try_from(held).unwrap(), known.len() + 1);
    let newest = intel::objects::newest(&mut sql, &id("tool", 500), intel::Sight::ALL).await;
    assert_eq!(newest.unwrap().unwrap().name, "secret", "the first word stays what is known");
}
