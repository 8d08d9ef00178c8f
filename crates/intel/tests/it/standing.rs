//! What is left of a word: age, reports, weights, networks, excuses.

use feeds::decay::DAY_US;
use feeds::warninglist::Warninglist;
use intel::excuse::{self, ExcuseError};
use intel::standing::{self, Standing};
use intel::values::{self, Listed};
use intel::{Sight, decay, reports, sources};
use platform::db::DbError;
use serde_json::{Value, json};
use stix::Tlp;

use crate::support::{Store, id, object, source_of};

/// 2026-01-01T00:00:00Z, when the objects of these tests were made.
const MADE_US: i64 = 1_767_225_600_000_000;

fn indicator(n: u32, value: &str, more: Value) -> Value {
    let mut indicator = object("indicator", n, 0, more);
    indicator["pattern"] = format!("[ipv4-addr:value = '{value}']").into();
    indicator["pattern_type"] = "stix".into();
    indicator["valid_from"] = "2026-01-01T00:00:00Z".into();
    indicator
}

fn day(days: i64) -> i64 {
    MADE_US + days * DAY_US
}

async fn stands(store: &Store, value: &str, days: i64) -> Vec<Standing> {
    let mut sql = store.db.read().await.unwrap();
    standing::of_value(&mut sql, value, Sight::ALL, day(days)).await.unwrap()
}

async fn write<T: Send + 'static>(
    store: &Store,
    job: impl for<'t> FnOnce(
        &'t mut platform::db::Tx,
    )
        -> std::pin::Pin<Box<dyn Future<Output = Result<T, DbError>> + Send + 't>>
    + Send
    + 'static,
) -> T {
    let done: Result<T, DbError> = store.db.write(job).await;
    done.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_indicator_fades_is_seen_again_and_ends() {
    let store = Store::new().await;
    store.put("a", day(0), &[indicator(1, "198.51.100.7", json!({"confidence": 80}))]).await;
    let value = async |days| {
        let found = stands(&store, "198.51.100.7", days).await;
        (found[0].score.value.round(), found[0].why.word())
    };
    assert_eq!(value(0).await, (80.0, "lives"));
    // τ = 30 days, δ = 2: 80 · (1 − √(1/4)) after 7.5 days; below 20 from the day 16.9 on
    assert_eq!((value(7).await.0, value(16).await.1), (41.0, "lives"));
    assert_eq!(value(17).await.1, "faded");
    let until = stands(&store, "198.51.100.7", 0).await[0].until_us.unwrap();
    assert!((day(16)..day(17)).contains(&until));
    assert_eq!(stands(&store, "198.51.100.7", 40).await[0].until_us, Some(until));
    let seen = json!({"sighting_of_ref": id("indicator", 1), "last_seen": "2026-01-21T00:00:00Z"});
    store.put("b", day(20), &[object("sighting", 2, 0, seen)]).await;
    assert_eq!(value(20).await, (84.0, "lives"));
    assert_eq!(value(19).await.1, "faded", "later reports do not count yet");
    let mut wrong = object(
        "opinion",
        3,
        0,
        json!({"opinion": "strongly-disagree", "object_refs": [id("indicator", 1)]}),
    );
    wrong["created"] = "2026-01-22T00:00:00.000Z".into();
    store.put("c", day(21), &[wrong]).await;
    assert!(value(21).await.0 < 84.0 * 0.61);
    let mut ended = object(
        "note",
        4,
        0,
        json!({"content": "gone", "labels": [reports::ENDED], "object_refs": [id("indicator", 1)]}),
    );
    ended["created"] = "2026-01-23T00:00:00.000Z".into();
    store.put("c", day(22), &[ended.clone()]).await;
    assert_eq!(value(22).await, (0.0, "ended"));
    // who said it takes it back: it lives again
    ended["revoked"] = true.into();
    ended["modified"] = "2026-01-24T00:00:00.000Z".into();
    store.put("c", day(22), &[ended]).await;
    assert_eq!(value(22).await.1, "lives");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_source_talks_no_indicator_down() {
    let store = Store::new().await;
    store.put("a", day(0), &[indicator(1, "198.51.100.7", json!({"confidence": 80}))]).await;
    let wrong = |n: u32| {
        let said = json!({"opinion": "strongly-disagree", "object_refs": [id("indicator", 1)]});
        object("opinion", n, 0, said)
    };
    // a flood of one source, also on days of its own choice, is one word
    let flood: Vec<serde_json::Value> = (10..3_010)
        .map(|n| {
            let mut one = wrong(n);
            one["created"] = format!("2025-{:02}-01T00:00:00.000Z", n % 12 + 1).into();
            one["modified"] = one["created"].clone();
            one
        })
        .collect();
    store.put("flooding", day(0), &flood).await;
    let score = async || {
        let found = stands(&store, "198.51.100.7", 0).await;
        (found[0].score.value.round(), found[0].reports, found[0].repeated)
    };
    assert_eq!(score().await, (48.0, 1, 2_999));
    // others have a word of their own
    store.put("b", day(0), &[wrong(5)]).await;
    assert_eq!(score().await, (29.0, 2, 2_999));
    // and the flood hides nobody who saw it
    let seen = json!({"sighting_of_ref": id("indicator", 1), "last_seen": "2026-01-01T00:00:00Z"});
    store.put("c", day(0), &[object("sighting", 6, 0, seen)]).await;
    assert_eq!(score().await.1, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_out_of_sight_change_nothing_that_is_seen() {
    let store = Store::new().await;
    store.put("a", day(0), &[indicator(1, "198.51.100.7", json!({"confidence": 80}))]).await;
    let secret = json!({"opinion": "strongly-disagree", "object_refs": [id("indicator", 1)],
        "object_marking_refs": [Tlp::Red.id()]});
    store.put("b", day(0), &[object("opinion", 3, 0, secret)]).await;
    let mut sql = store.db.read().await.unwrap();
    let mut score = async |sight| {
        let found = standing::of_value(&mut sql, "198.51.100.7", sight, day(0)).await.unwrap();
        (found[0].score.value, found[0].reports)
    };
    assert_eq!(score(Sight::up_to(Tlp::Amber)).await, (80.0, 0));
    assert_eq!(score(Sight::ALL).await, (48.0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn validity_ends_it_and_the_rest_comes_first() {
    let store = Store::new().await;
    let short = json!({"confidence": 100, "valid_until": "2026-01-03T00:00:00Z"});
    store
        .put(
            "a",
            day(0),
            &[
                indicator(1, "198.51.100.7", short),
                indicator(2, "198.51.100.7", json!({"confidence": 30})),
            ],
        )
        .await;
    let before = stands(&store, "198.51.100.7", 1).await;
    assert_eq!(
        (before[0].known.object.clone(), before[0].until_us),
        (Some(id("indicator", 1)), Some(day(2)))
    );
    let after = stands(&store, "198.51.100.7", 2).await;
    assert_eq!(after[0].known.object, Some(id("indicator", 2)));
    assert_eq!((after[1].why.word(), after[1].score.value), ("past-validity", 0.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_found_in_the_networks_around_it() {
    let store = Store::new().await;
    let lines = ["198.51.100.0/24", "2001:db8::/32", "203.0.113.0/28"].map(|network| Listed {
        value: network.into(),
        kind: "network",
        score: Some(7.0),
        since_us: 0,
        until_us: None,
    });
    write(&store, move |tx| {
        Box::pin(async move {
            let source = source_of(tx.sql(), "list", day(0)).await?;
            values::list(tx.sql(), source, &lines, day(0)).await
        })
    })
    .await;
    let mut subset = indicator(2, "x", json!({}));
    subset["pattern"] = "[ipv6-addr:value ISSUBSET '2001:db8:2::/48']".into();
    store.put("a", day(0), &[indicator(1, "203.0.113.9/28", json!({})), subset]).await;
    let named = async |value: &str| -> Vec<String> {
        stands(&store, value, 0).await.into_iter().map(|found| found.named).collect()
    };
    assert_eq!(named("198.51.100.7").await, ["198.51.100.0/24"]);
    assert_eq!(named("198.51.100.128/25").await, ["198.51.100.0/24"]);
    assert_eq!(named("2001:db8:1::7").await, ["2001:db8::/32"]);
    assert_eq!(named("2001:db8:2::7").await, ["2001:db8:2::/48", "2001:db8::/32"]);
    assert_eq!(named("203.0.113.15").await, ["203.0.113.0/28"; 2]);
    assert!(named("203.0.113.16").await.is_empty() && named("198.51.101.7").await.is_empty());
    // the score of a list is in a scale of its own: the base is the default of the kind
    assert_eq!(stands(&store, "198.51.100.7", 0).await[0].score.base, 70.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_and_weights_are_chosen_and_given_back() {
    let store = Store::new().await;
    store.put("a", day(0), &[indicator(1, "198.51.100.7", json!({"confidence": 80}))]).await;
    let slow = feeds::decay::Model {
        lifetime_days: 1_000.0,
        ..feeds::decay::default_model(feeds::value::Kind::Ipv4)
    };
    let address = decay::kind("address").unwrap();
    write(&store, move |tx| {
        Box::pin(async move {
            decay::choose(tx.sql(), address, Some(slow), "ana", 1).await?;
            sources::weigh(tx.sql(), "a", 50).await
        })
    })
    .await;
    let found = stands(&store, "198.51.100.7", 10).await;
    assert_eq!((found[0].score.base, found[0].why.word()), (40.0, "lives"));
    assert!(found[0].score.value > 35.0);
    let mut sql = store.db.read().await.unwrap();
    let models = decay::models(&mut sql).await.unwrap();
    let chosen = models.all().find(|(kind, _)| *kind == "address").unwrap().1.clone();
    assert_eq!((chosen.model, chosen.by.as_deref()), (slow, Some("ana")));
    write(&store, move |tx| {
        Box::pin(async move { decay::choose(tx.sql(), address, None, "ana", 2).await })
    })
    .await;
    assert_ne!(decay::models(&mut sql).await.unwrap().of("address"), slow);
}

async fn load(store: &Store, list: Value) -> Result<usize, ExcuseError> {
    let mut sql = store.db.read().await.unwrap();
    let tried = excuse::try_list(&mut sql, list.to_string()).await?;
    let left_out = tried.left_out.len();
    write(store, move |tx| Box::pin(async move { excuse::put(tx.sql(), &tried, "ana", 1).await }))
        .await;
    Ok(left_out)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_well_known_values_excuses_and_its_removal_undoes_it() {
    let store = Store::new().await;
    store.put("a", day(0), &[indicator(1, "198.51.100.7", json!({}))]).await;
    let list = json!({"name": "Our resolvers", "description": "", "version": 1, "type": "cidr",
        "list": ["198.51.100.0/24", "nonsense"]});
    assert_eq!(load(&store, list.clone()).await.unwrap(), 1);
    let why = async || stands(&store, "198.51.100.7", 0).await[0].why.clone();
    assert_eq!(why().await, standing::Why::Excused("Our resolvers".into()));
    let mut newer = list;
    newer["version"] = 2.into();
    newer["list"] = json!(["203.0.113.0/24"]);
    load(&store, newer).await.unwrap();
    assert_eq!(
        why().await,
        standing::Why::Lives,
        "the newer list takes the place of the older one"
    );
    let regex = json!({"name": "Everything", "version": 1, "type": "regex", "list": ["/^198\\./"]});
    load(&store, regex).await.unwrap();
    assert_eq!(why().await, standing::Why::Excused("Everything".into()));
    write(&store, |tx| Box::pin(async move { excuse::remove(tx.sql(), "Everything").await })).await;
    assert_eq!(why().await, standing::Why::Lives);
    let mut sql = store.db.read().await.unwrap();
    let names: Vec<String> =
        excuse::all(&mut sql).await.unwrap().into_iter().map(|list| list.name).collect();
    assert_eq!(names, ["Our resolvers"]);
    assert!(Warninglist::read(b"{}").is_err());
    assert!(matches!(load(&store, json!({"name": 1})).await, Err(ExcuseError::List(_))));
}
