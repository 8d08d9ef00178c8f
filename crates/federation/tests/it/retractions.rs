//! Retractions reach exactly those who got the object, and are counted down the chain.

use serde_json::{Value, json};
use stix::Tlp;

use crate::house::{FIRST, House, bring, calm, id, indicator};

async fn retract(house: &House, ids: &[&str]) -> Value {
    let body = json!({ "objects": ids, "reason": "it was wrong" });
    let (status, made) = house.ask("POST", "/retractions", &body).await;
    assert_eq!(status, 201, "{made}");
    made
}

async fn shown(house: &House, retraction: &Value) -> Value {
    let path = format!("/retractions/{}", retraction["id"].as_str().unwrap());
    house.ask("GET", &path, &Value::Null).await.1
}

#[tokio::test]
async fn a_retraction_reaches_those_who_got_it_and_their_recipients_and_nobody_else() {
    let (a, b) = (House::new("a", 1).await, House::new("b", 2).await);
    let (c, d) = (House::new("c", 3).await, House::new("d", 4).await);
    for (one, other) in [(&a, &b), (&b, &c), (&a, &d)] {
        one.knows(other);
        other.knows(one);
    }
    let all = [&a, &b, &c, &d];
    a.say(&[indicator(1, Tlp::Clear, FIRST, "wrong"), indicator(2, Tlp::Clear, FIRST, "right")])
        .await;
    a.share(&[&id(1), &id(2)], &[&b]).await;
    a.share(&[&id(2)], &[&d]).await;
    calm(&all).await;
    let onward = b.share(&[&id(1), &id(2)], &[&c]).await;
    calm(&all).await;
    let letters_to_d = a.ask("GET", "/links", &Value::Null).await.1["items"][1]["out_seq"].clone();
    let made = retract(&a, &[&id(1)]).await;
    assert_eq!(made["counts"], json!({ "waiting": 1 }), "{made:#}");
    calm(&all).await;
    for house in [&b, &c] {
        assert_eq!(house.knows_of(&id(1)).await.unwrap()["revoked"], true, "{}", house.name);
        assert_eq!(house.knows_of(&id(2)).await.unwrap().get("revoked"), None);
    }
    let told = shown(&a, &made).await;
    assert_eq!(told["counts"], json!({ "acknowledged": 1 }), "{told:#}");
    assert_eq!(told["behind"][0]["reached"], 1);
    assert_eq!(told["behind"][0]["acknowledged"], 1);
    assert!(!told.to_string().contains(&c.node().to_string()), "the origin learned a stranger");
    assert_eq!(b.counts(&onward).await, json!({ "received": 1, "retracted": 1 }));
    let now = a.ask("GET", "/links", &Value::Null).await.1["items"][1]["out_seq"].clone();
    assert_eq!(now, letters_to_d, "somebody was told who never got it");
    // The origin keeps its own.
    assert_eq!(a.knows_of(&id(1)).await.unwrap().get("revoked"), None);
}

#[tokio::test]
async fn what_has_not_left_is_cancelled_and_nothing_is_sent() {
    let (a, b) = (House::new("a", 1).await, House::new("b", 2).await);
    a.knows(&b);
    b.knows(&a);
    a.say(&[indicator(1, Tlp::Clear, FIRST, "wrong")]).await;
    let share = a.share(&[&id(1)], &[&b]).await;
    let made = retract(&a, &[&id(1)]).await;
    assert_eq!(made["counts"], json!({}));
    assert_eq!(a.counts(&share).await, json!({ "cancelled": 1 }));
    assert_eq!(bring(&a, &b).await, 0);
    assert_eq!(b.knows_of(&id(1)).await, None);
}

#[tokio::test]
async fn a_retraction_takes_back_the_peers_word_and_nobody_elses() {
    let (a, b, c) = (House::new("a", 1).await, House::new("b", 2).await, House::new("c", 3).await);
    for (one, other) in [(&a, &b), (&c, &b)] {
        one.knows(other);
        other.knows(one);
    }
    let all = [&a, &b, &c];
    for house in [&a, &c] {
        house.say(&[indicator(1, Tlp::Clear, FIRST, "both say it")]).await;
        house.share(&[&id(1)], &[&b]).await;
        calm(&all).await;
    }
    retract(&a, &[&id(1)]).await;
    calm(&all).await;
    assert_eq!(
        b.knows_of(&id(1)).await.unwrap().get("revoked"),
        None,
        "another's word was taken back"
    );
    retract(&c, &[&id(1)]).await;
    calm(&all).await;
    assert_eq!(b.knows_of(&id(1)).await.unwrap()["revoked"], true);
}

#[tokio::test]
async fn what_was_taken_back_can_be_shared_anew() {
    let (a, b) = (House::new("a", 1).await, House::new("b", 2).await);
    a.knows(&b);
    b.knows(&a);
    a.say(&[indicator(1, Tlp::Clear, FIRST, "doubtful")]).await;
    a.share(&[&id(1)], &[&b]).await;
    calm(&[&a, &b]).await;
    retract(&a, &[&id(1)]).await;
    calm(&[&a, &b]).await;
    // The revocation that the recipient made of it is dated by its own clock: a later word is newer.
    a.say(&[indicator(1, Tlp::Clear, "2999-01-01T00:00:00.000Z", "sure")]).await;
    let share = a.share(&[&id(1)], &[&b]).await;
    calm(&[&a, &b]).await;
    assert_eq!(a.counts(&share).await, json!({ "received": 1 }));
    assert_eq!(b.knows_of(&id(1)).await.unwrap()["name"], "sure");
}
