//! Shares: what goes, what stays, what follows, and whose word counts.

use serde_json::{Value, json};
use stix::Tlp;

use crate::house::{FIRST, House, SECOND, bring, calm, hand_over, id, indicator, waiting};

async fn chain() -> (House, House, House) {
    let (a, b, c) = (House::new("a", 1).await, House::new("b", 2).await, House::new("c", 3).await);
    a.knows(&b);
    b.knows(&a);
    b.knows(&c);
    c.knows(&b);
    (a, b, c)
}

#[tokio::test]
async fn what_may_go_arrives_under_its_label_and_the_rest_stays() {
    let (a, b, _) = chain().await;
    a.say(&[
        indicator(1, Tlp::Clear, FIRST, "clear"),
        indicator(2, Tlp::Green, FIRST, "green"),
        indicator(3, Tlp::Red, FIRST, "red"),
    ])
    .await;
    let share = a.share(&[&id(1), &id(2), &id(3)], &[&b]).await;
    assert_eq!(share["counts"], json!({ "queued": 2, "withheld": 1 }));
    let red = share["objects"].as_array().unwrap().iter().find(|o| o["object"] == id(3)).unwrap();
    assert_eq!((&red["state"], &red["reason"]), (&json!("withheld"), &json!("TLP:RED stays")));
    calm(&[&a, &b]).await;
    assert_eq!(a.counts(&share).await, json!({ "received": 2, "withheld": 1 }));
    assert_eq!(b.knows_of(&id(1)).await.unwrap()["name"], "clear");
    assert_eq!(b.knows_of(&id(3)).await, None);
    let (_, brought) = b.ask("GET", "/received", &Value::Null).await;
    let labels: Vec<(&str, &str)> = brought["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["tlp"].as_str().unwrap(), row["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(labels, [("TLP:GREEN", "kept"), ("TLP:CLEAR", "kept")]);
    // The same once more is not sent twice.
    let again = a.share(&[&id(1)], &[&b]).await;
    assert_eq!(a.link().await["out_seq"], 1);
    calm(&[&a, &b]).await;
    assert_eq!(a.counts(&again).await, json!({ "received": 1 }));
    assert_eq!(a.link().await["out_seq"], 1, "the same version went twice");
}

#[tokio::test]
async fn an_object_is_judged_again_when_it_leaves() {
    let (a, b, _) = chain().await;
    a.say(&[indicator(1, Tlp::Clear, FIRST, "one"), indicator(2, Tlp::Clear, FIRST, "two")]).await;
    let share = a.share(&[&id(1), &id(2)], &[&b]).await;
    // Expelled in between.
    *a.disclosure.rule.lock().unwrap() = |_, _, _| Err("the member was expelled".into());
    assert!(waiting(&a, &b).await.is_empty(), "a letter left");
    let (_, shown) =
        a.ask("GET", &format!("/shares/{}", share["id"].as_str().unwrap()), &Value::Null).await;
    assert_eq!(shown["counts"], json!({ "cancelled": 2 }));
    assert_eq!(shown["objects"][0]["reason"], "the member was expelled");
    assert_eq!(a.link().await["out_seq"], 0, "what was cancelled took a number");
    assert_eq!(a.link().await["queued"], 0);
}

#[tokio::test]
async fn updates_and_revocations_follow_down_the_chain_and_labels_bind() {
    let (a, b, c) = chain().await;
    a.say(&[indicator(1, Tlp::Clear, FIRST, "first"), indicator(2, Tlp::Green, FIRST, "green")])
        .await;
    a.share(&[&id(1), &id(2)], &[&b]).await;
    calm(&[&a, &b, &c]).await;
    let onward = b.share(&[&id(1), &id(2)], &[&c]).await;
    assert_eq!(onward["counts"], json!({ "queued": 1, "withheld": 1 }), "received GREEN stays");
    calm(&[&a, &b, &c]).await;
    assert_eq!(c.knows_of(&id(1)).await.unwrap()["name"], "first");
    a.say(&[indicator(1, Tlp::Clear, SECOND, "second")]).await;
    calm(&[&a, &b, &c]).await;
    assert_eq!(c.knows_of(&id(1)).await.unwrap()["name"], "second");
    assert_eq!(b.counts(&onward).await, json!({ "received": 1, "withheld": 1 }));
    let mut revoked = indicator(1, Tlp::Clear, "2026-01-03T00:00:00.000Z", "second");
    revoked["revoked"] = true.into();
    a.say(&[revoked]).await;
    calm(&[&a, &b, &c]).await;
    assert_eq!(c.knows_of(&id(1)).await.unwrap()["revoked"], true);
    // Nothing came back up the chain.
    assert_eq!(a.link().await["in_seq"], 0);
}

#[tokio::test]
async fn what_a_recipient_may_not_have_any_more_is_taken_back() {
    let (a, b, c) = chain().await;
    a.say(&[indicator(1, Tlp::Clear, FIRST, "open")]).await;
    let share = a.share(&[&id(1)], &[&b]).await;
    calm(&[&a, &b, &c]).await;
    b.share(&[&id(1)], &[&c]).await;
    calm(&[&a, &b, &c]).await;
    a.say(&[indicator(1, Tlp::Red, SECOND, "secret")]).await;
    calm(&[&a, &b, &c]).await;
    assert_eq!(a.counts(&share).await, json!({ "retracted": 1 }));
    for house in [&b, &c] {
        let known = house.knows_of(&id(1)).await.unwrap();
        assert_eq!(
            (&known["revoked"], &known["name"]),
            (&json!(true), &json!("open")),
            "{}",
            house.name
        );
    }
}

#[tokio::test]
async fn a_stricter_label_without_a_new_version_is_noticed() {
    let (a, b, _) = chain().await;
    a.say(&[indicator(1, Tlp::Clear, FIRST, "open")]).await;
    let share = a.share(&[&id(1)], &[&b]).await;
    calm(&[&a, &b]).await;
    let raised: Result<(), platform::db::DbError> = a
        .platform
        .db
        .write(|tx| {
            Box::pin(async move {
                let source = intel::sources::by_key(tx.sql(), "person:test").await?.unwrap().id;
                let ids = [id(1)];
                intel::withdraw::raise(tx.sql(), source, &[ids[0].as_str()], 4).await
            })
        })
        .await;
    raised.unwrap();
    calm(&[&a, &b]).await;
    assert_eq!(a.counts(&share).await, json!({ "retracted": 1 }));
}

#[tokio::test]
async fn a_peer_speaks_only_for_what_it_brought() {
    let (a, b, c) = chain().await;
    b.say(&[indicator(1, Tlp::Clear, FIRST, "ours")]).await;
    a.say(&[indicator(1, Tlp::Clear, SECOND, "theirs")]).await;
    let share = a.share(&[&id(1)], &[&b]).await;
    calm(&[&a, &b, &c]).await;
    assert_eq!(b.knows_of(&id(1)).await.unwrap()["name"], "ours", "overwritten");
    let (_, brought) = b.ask("GET", "/received?outcome=beside", &Value::Null).await;
    assert_eq!(brought["items"][0]["object"], id(1), "{brought:#}");
    assert_eq!(a.counts(&share).await, json!({ "received": 1 }));
    // Both can be read, with who said them.
    let mut sql = b.platform.db.read().await.unwrap();
    let versions = intel::objects::versions(&mut sql, &id(1), intel::Sight::ALL).await.unwrap();
    assert_eq!(versions.len(), 2);
    let said = intel::objects::said(&mut sql, versions[0].seq).await.unwrap();
    assert_eq!((said.len(), said[0].source.as_str()), (1, "a"));
    drop(sql);
    // Our own later word counts although theirs is older than it and newer than our first.
    b.say(&[indicator(1, Tlp::Clear, "2026-01-01T12:00:00.000Z", "ours again")]).await;
    assert_eq!(b.knows_of(&id(1)).await.unwrap()["name"], "ours again");
    // What is sent on is ours, also to the one who says it differently.
    b.share(&[&id(1)], &[&c, &a]).await;
    calm(&[&a, &b, &c]).await;
    assert_eq!(c.knows_of(&id(1)).await.unwrap()["name"], "ours again");
    // When we say what stood beside, it becomes what is known.
    b.say(&[indicator(1, Tlp::Clear, SECOND, "theirs")]).await;
    assert_eq!(b.knows_of(&id(1)).await.unwrap()["name"], "theirs");
    calm(&[&a, &b, &c]).await;
    assert_eq!(c.knows_of(&id(1)).await.unwrap()["name"], "theirs");
}

#[tokio::test]
async fn refused_objects_are_named_in_the_receipt() {
    let (a, b, _) = chain().await;
    let mut broken = indicator(2, Tlp::Clear, FIRST, "broken");
    broken["pattern_type"] = json!(5);
    a.say(&[indicator(1, Tlp::Clear, FIRST, "sound"), broken]).await;
    let share = a.share(&[&id(1), &id(2)], &[&b]).await;
    let receipts = hand_over(&a, &b, &waiting(&a, &b).await).await.unwrap();
    let refused = &receipts[0].statement.objects;
    assert_eq!((refused.len(), refused[0].object.as_str()), (1, id(2).as_str()));
    assert!(refused[0].reason.contains("pattern_type"), "{refused:?}");
    bring(&a, &b).await;
    assert_eq!(a.counts(&share).await, json!({ "received": 1, "refused": 1 }));
    let (_, brought) = b.ask("GET", "/received?outcome=refused", &Value::Null).await;
    assert_eq!(brought["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn many_objects_go_in_letters_of_bounded_size() {
    let (a, b, _) = chain().await;
    let long = "x".repeat(3_000);
    let objects: Vec<Value> = (1..=900)
        .map(|number| {
            let mut object = indicator(number, Tlp::Clear, FIRST, "one of many");
            object["description"] = long.clone().into();
            object
        })
        .collect();
    let mut huge = indicator(901, Tlp::Clear, FIRST, "too large");
    huge["description"] = "x".repeat(federation::MAX_LETTER_BYTES).into();
    a.say(&objects).await;
    a.say(&[huge]).await;
    let ids: Vec<String> = (1..=901).map(id).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let share = a.share(&ids, &[&b]).await;
    for (_, text) in waiting(&a, &b).await {
        assert!(text.len() <= federation::MAX_LETTER_BYTES, "{} bytes", text.len());
    }
    calm(&[&a, &b]).await;
    assert_eq!(a.counts(&share).await, json!({ "received": 900, "cancelled": 1 }));
    assert!(b.knows_of(&id(900)).await.is_some());
}

#[tokio::test]
async fn a_peer_that_is_away_gets_the_newest_once_and_fills_no_queue() {
    let (a, b, _) = chain().await;
    a.say(&[indicator(1, Tlp::Clear, FIRST, "0"), indicator(2, Tlp::Clear, FIRST, "0")]).await;
    a.share(&[&id(1), &id(2)], &[&b]).await;
    calm(&[&a, &b]).await;
    for day in 2..28 {
        let modified = format!("2026-01-{day:02}T00:00:00.000Z");
        let number = 1 + day % 2;
        a.say(&[indicator(number, Tlp::Clear, &modified, &day.to_string())]).await;
        a.room.follow().await.unwrap();
    }
    assert_eq!(a.link().await["queued"], 1, "one letter a change");
    calm(&[&a, &b]).await;
    assert_eq!(b.knows_of(&id(1)).await.unwrap()["name"], "26");
    assert_eq!(b.knows_of(&id(2)).await.unwrap()["name"], "27");
    assert_eq!(a.link().await["out_seq"], 2);
}

#[tokio::test]
async fn what_cannot_be_shared_is_said() {
    let (a, b, _) = chain().await;
    a.say(&[indicator(1, Tlp::Clear, FIRST, "one")]).await;
    let cases = [
        (json!({ "objects": [], "to": { "peers": [b.name] } }), 422),
        (json!({ "objects": [id(1)], "to": {} }), 422),
        (json!({ "objects": [id(1)], "to": { "peers": ["nobody"] } }), 404),
        (json!({ "objects": [id(7)], "to": { "peers": [b.name] } }), 404),
        (json!({ "objects": [id(1)], "to": { "communities": [a.node()] } }), 404),
        (json!({ "objects": vec![id(1); 1_001], "to": { "peers": [b.name] } }), 422),
    ];
    for (body, expected) in cases {
        let (status, problem) = a.ask("POST", "/shares", &body).await;
        assert_eq!(status, expected, "{problem}");
        assert!(problem["remedy"].as_str().is_some_and(|remedy| !remedy.is_empty()), "{problem}");
    }
}
