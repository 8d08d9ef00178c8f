//! Letters arrive once and in order, whatever is lost.

use serde_json::Value;

use crate::house::{House, bring, hand_over, waiting};

async fn pair() -> (House, House, model::PeerId) {
    let (a, b) = (House::new("a", 1).await, House::new("b", 2).await);
    let to = a.knows(&b);
    b.knows(&a);
    (a, b, to)
}

#[tokio::test]
async fn a_letter_is_posted_once_a_key_and_arrives_with_a_receipt() {
    let (a, b, to) = pair().await;
    assert!(a.post(to, "test.note", "one").await.unwrap());
    assert!(!a.post(to, "test.note", "one").await.unwrap());
    assert!(a.post(to, "test.refuse", "two").await.unwrap());
    assert!(a.post(to, "nobody.knows", "three").await.unwrap());
    assert_eq!(a.link().await["queued"], 3);
    let receipts = hand_over(&a, &b, &waiting(&a, &b).await).await.unwrap();
    let refused: Vec<Option<&str>> =
        receipts.iter().map(|receipt| receipt.statement.refused.as_deref()).collect();
    assert_eq!(refused, [None, Some("not today"), Some("letters of this kind are not known here")]);
    assert_eq!(b.notes().await, ["one"]);
    // Without the receipts all of them are still under way, and come again with the same answer.
    assert_eq!(a.link().await["under_way"], 3);
    let again = hand_over(&a, &b, &waiting(&a, &b).await).await.unwrap();
    assert_eq!(again, receipts);
    assert_eq!(b.notes().await, ["one"]);
    a.room.settle(&a.peer(&b), again).await.unwrap();
    let link = a.link().await;
    assert_eq!(
        (&link["queued"], &link["under_way"], &link["out_seq"]),
        (&0.into(), &0.into(), &3.into())
    );
    assert_eq!(b.link().await["in_seq"], 3);
}

#[tokio::test]
async fn a_full_queue_says_so_and_queues_nothing() {
    let config = federation::Config { max_queued_letters: 2, ..federation::Config::default() };
    let a = House::with("a", 1, config).await;
    let b = House::new("b", 2).await;
    let to = a.knows(&b);
    b.knows(&a);
    for key in ["one", "two"] {
        assert!(a.post(to, "test.note", key).await.unwrap());
    }
    let error = a.post(to, "test.note", "three").await.unwrap_err().to_string();
    assert!(error.contains("federation.max_queued_letters") && error.contains('2'), "{error}");
    let state = a.room.health().await;
    assert_eq!(state[0].state, platform::health::Health::Degraded, "{state:?}");
    assert_eq!(bring(&a, &b).await, 2);
    assert!(a.post(to, "test.note", "three").await.unwrap(), "the refused letter took its key");
    assert_eq!(bring(&a, &b).await, 1);
    assert_eq!(b.notes().await, ["one", "two", "three"]);
}

#[tokio::test]
async fn what_fails_here_is_sent_again_and_leaves_no_trace() {
    let (a, b, to) = pair().await;
    a.post(to, "test.note", "one").await.unwrap();
    a.post(to, "test.broken", "two").await.unwrap();
    let letters = waiting(&a, &b).await;
    let receipts = hand_over(&a, &b, &letters).await.unwrap();
    assert_eq!(receipts.len(), 1, "what fails kept what came before it back");
    a.room.settle(&a.peer(&b), receipts).await.unwrap();
    for _ in 0..2 {
        hand_over(&a, &b, &waiting(&a, &b).await).await.unwrap_err();
        assert_eq!(b.notes().await, ["one"], "the effect without the receipt");
    }
    assert_eq!(a.link().await["under_way"], 1);
}

#[tokio::test]
async fn letters_survive_deaths_on_both_sides() {
    let (a, b, to) = pair().await;
    for key in ["one", "two", "three"] {
        a.post(to, "test.note", key).await.unwrap();
    }
    let letters = waiting(&a, &b).await;
    let a = a.reborn(1).await;
    assert_eq!(waiting(&a, &b).await, letters, "a sealed letter changed");
    // The receiver commits and dies before it answers.
    hand_over(&a, &b, &letters[..2]).await.unwrap();
    let b = b.reborn(2).await;
    assert_eq!(bring(&a, &b).await, 3);
    assert_eq!(b.notes().await, ["one", "two", "three"]);
}

#[tokio::test]
async fn what_waits_for_a_former_peer_is_cancelled_and_a_new_beginning_works() {
    let (a, b, to) = pair().await;
    a.post(to, "test.note", "one").await.unwrap();
    bring(&a, &b).await;
    a.post(to, "test.note", "two").await.unwrap();
    let (peers_a, peers_b) =
        (a.directory.0.lock().unwrap().split_off(0), b.directory.0.lock().unwrap().split_off(0));
    a.room.start();
    b.room.start();
    let gone = |house: &House| {
        let db = house.platform.db.clone();
        async move {
            loop {
                let mut sql = db.read().await.unwrap();
                let row =
                    sqlx::query("SELECT COUNT(*) FROM federation_links").fetch_one(&mut *sql).await;
                if sqlx::Row::get::<i64, _>(&row.unwrap(), 0) == 0 {
                    return;
                }
                drop(sql);
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        }
    };
    gone(&a).await;
    gone(&b).await;
    a.directory.0.lock().unwrap().extend(peers_a);
    b.directory.0.lock().unwrap().extend(peers_b);
    a.post(to, "test.note", "three").await.unwrap();
    assert_eq!(bring(&a, &b).await, 1);
    assert_eq!(b.notes().await, ["one", "three"]);
}

/// What a side forgets, and how it looks in its tables.
const FORGOTTEN: [(&str, bool, &str); 3] = [
    ("the receiver knows nothing of the stream", false, "DELETE FROM federation_links"),
    (
        "the receiver is back at letter 1",
        false,
        "UPDATE federation_links SET in_seq = 1, in_digest = (SELECT digest FROM federation_taken WHERE seq = 1)",
    ),
    (
        "the sender was restored to letter 1",
        true,
        "UPDATE federation_links SET out_seq = 1, out_digest = (SELECT digest FROM federation_letters WHERE seq = 1); \
         DELETE FROM federation_letters WHERE seq > 1",
    ),
];

#[tokio::test]
async fn whoever_forgets_a_link_alone_the_letters_go_on_and_none_takes_effect_twice() {
    for (name, sender, statement) in FORGOTTEN {
        let (a, b, to) = pair().await;
        for key in ["one", "two"] {
            a.post(to, "test.note", key).await.unwrap();
        }
        bring(&a, &b).await;
        // The receipt of the third is lost, so that it comes again.
        a.post(to, "test.note", "three").await.unwrap();
        hand_over(&a, &b, &waiting(&a, &b).await).await.unwrap();
        let forgetful = if sender { &a } else { &b };
        forgetful.forget(statement).await;
        a.post(to, "test.note", "four").await.unwrap();
        bring(&a, &b).await;
        assert_eq!(b.notes().await, ["one", "two", "three", "four"], "{name}");
        let link = a.link().await;
        assert_eq!((&link["queued"], &link["under_way"]), (&0.into(), &0.into()), "{name}: {link}");
    }
}

#[tokio::test]
async fn only_peers_exchange_letters() {
    let (a, ..) = pair().await;
    for (method, path) in [("POST", "/letters"), ("GET", "/letters?after=0"), ("POST", "/receipts")]
    {
        let (status, problem) = a.ask(method, path, &Value::Null).await;
        assert_eq!(status, 403, "{problem}");
    }
}
