//! Letters that are not what they say they are.

use federation::{FederationError, Letter};
use model::id::TypedId;
use serde_json::{Value, json};

use crate::house::{House, bring, hand_over, message, waiting};

async fn pair() -> (House, House, model::PeerId) {
    let (a, b) = (House::new("a", 1).await, House::new("b", 2).await);
    let to = a.knows(&b);
    b.knows(&a);
    (a, b, to)
}

fn altered(text: &str, change: impl FnOnce(&mut Value)) -> (i64, String) {
    let mut value: Value = serde_json::from_str(text).unwrap();
    change(&mut value);
    (0, value.to_string())
}

/// Signs a changed letter anew, as the peer itself would who lies.
fn signed(house: &House, text: &str, change: impl FnOnce(&mut Value)) -> (i64, String) {
    let (_, text) = altered(text, change);
    let mut value: Value = serde_json::from_str(&text).unwrap();
    value.as_object_mut().unwrap().remove("signature");
    let said = format!("sereno federation letter v1\n{}", stix::jcs::to_string(&value));
    value["signature"] = hex::encode(house.platform.signer.sign(said.as_bytes())).into();
    (0, value.to_string())
}

#[tokio::test]
async fn every_lie_is_refused_counted_and_told() {
    let (a, b, to) = pair().await;
    let c = House::new("c", 3).await;
    a.post(to, "test.note", "one").await.unwrap();
    bring(&a, &b).await;
    a.post(to, "test.note", "two").await.unwrap();
    let honest = waiting(&a, &b).await[0].1.clone();
    let stranger = c.node().to_string();
    let lies = [
        (
            "changed content",
            altered(&honest, |v| v["body"] = json!({ "text": "other" })),
            "signature",
        ),
        (
            "no signature",
            altered(&honest, |v| v["signature"] = "00".repeat(64).into()),
            "signature",
        ),
        ("signed by another", signed(&c, &honest, |_| ()), "signature"),
        (
            "from another node",
            signed(&a, &honest, |v| v["from"] = stranger.clone().into()),
            "another node",
        ),
        (
            "for another node",
            signed(&a, &honest, |v| v["to"] = stranger.clone().into()),
            "another node",
        ),
        ("another version", signed(&a, &honest, |v| v["version"] = 2.into()), "version"),
        ("no stream", signed(&a, &honest, |v| v["stream"] = "".into()), "stream"),
        ("number 0", signed(&a, &honest, |v| v["seq"] = 0.into()), "numbered"),
        ("another letter under a number", signed(&a, &honest, |v| v["seq"] = 1.into()), "number 1"),
        ("another past", signed(&a, &honest, |v| v["previous"] = "0".repeat(64).into()), "follow"),
    ];
    for (number, (name, lie, word)) in lies.into_iter().enumerate() {
        match hand_over(&a, &b, &[lie]).await {
            Err(FederationError::Lie(reason)) => assert!(reason.contains(word), "{name}: {reason}"),
            other => panic!("{name}: {other:?}"),
        }
        assert_eq!(b.link().await["refused"], number + 1, "{name}");
    }
    assert_eq!(b.notes().await, ["one"]);
    // The bus is told once a minute, not by every lie.
    let mut sql = b.platform.db.read().await.unwrap();
    let facts = platform::db::read_facts(&mut sql, 0, &["federation.letter_refused"], 100).await;
    assert_eq!(facts.unwrap().len(), 1);
    drop(sql);
    assert_eq!(bring(&a, &b).await, 1, "a lie stood in the way of the truth");
    assert_eq!(b.notes().await, ["one", "two"]);
}

#[tokio::test]
async fn a_gap_is_told_with_the_number_that_is_expected() {
    let (a, b, to) = pair().await;
    for key in ["one", "two", "three"] {
        a.post(to, "test.note", key).await.unwrap();
    }
    let letters = waiting(&a, &b).await;
    match hand_over(&a, &b, &letters[1..]).await {
        Err(FederationError::Gap { expected: 1, seq: 2 }) => {}
        other => panic!("{other:?}"),
    }
    let swapped = [letters[0].clone(), letters[2].clone(), letters[1].clone()];
    assert_eq!(hand_over(&a, &b, &swapped).await.unwrap().len(), 1, "up to the gap");
    assert_eq!(b.link().await["refused"], 0, "a gap is no lie");
    assert_eq!(bring(&a, &b).await, 3);
    assert_eq!(b.notes().await, ["one", "two", "three"]);
}

#[tokio::test]
async fn a_letter_that_took_effect_does_so_in_no_other_stream() {
    let (a, b, to) = pair().await;
    a.post(to, "test.note", "one").await.unwrap();
    let letters = waiting(&a, &b).await;
    bring(&a, &b).await;
    let other = signed(&a, &letters[0].1, |v| v["stream"] = "another".into());
    let receipts = hand_over(&a, &b, std::slice::from_ref(&other)).await.unwrap();
    assert_eq!(receipts[0].statement.refused, None);
    assert_eq!(b.notes().await, ["one"], "the old letter took effect again");
    // A letter of the stream that was given up gets its old receipt and nothing else.
    assert_eq!(hand_over(&a, &b, &letters).await.unwrap().len(), 1);
    let late = signed(&a, &letters[0].1, |v| v["seq"] = 2.into());
    match hand_over(&a, &b, &[late]).await {
        Err(FederationError::Gap { expected: 1, seq: 2 }) => {}
        other => panic!("{other:?}"),
    }
    assert_eq!(b.notes().await, ["one"]);
}

#[tokio::test]
async fn receipts_hold_only_from_the_peer_and_for_the_letter() {
    let (a, b, to) = pair().await;
    let c = House::new("c", 3).await;
    c.knows(&a);
    a.post(to, "test.note", "one").await.unwrap();
    let letters = waiting(&a, &b).await;
    let receipt = hand_over(&a, &b, &letters).await.unwrap().remove(0);
    let mut others = vec![receipt.clone(); 4];
    others[0].statement.refused = Some("never said".into());
    others[1].statement.letter = "0".repeat(64);
    others[2].signature = "0".repeat(128);
    others[3].statement.from = c.node();
    a.room.settle(&a.peer(&b), others).await.unwrap();
    assert_eq!(a.link().await["under_way"], 1);
    a.room.settle(&a.peer(&b), vec![receipt.clone(), receipt]).await.unwrap();
    assert_eq!(a.link().await["under_way"], 0);
}

#[tokio::test]
async fn what_is_no_letter_is_refused_without_harm() {
    let (a, b, to) = pair().await;
    a.post(to, "test.note", "one").await.unwrap();
    let honest = waiting(&a, &b).await[0].1.clone();
    let deep = format!("{{\"letters\":[{}{}]}}", "[".repeat(10_000), "]".repeat(10_000));
    let many = format!("{{\"letters\":[{}]}}", vec![honest.as_str(); 65].join(","));
    let extra = altered(&honest, |v| v["hidden"] = true.into());
    let bad: Vec<Vec<u8>> = vec![
        vec![],
        b"\xff\xfe".to_vec(),
        b"[]".to_vec(),
        b"{\"letters\":{}}".to_vec(),
        b"{\"letters\":[],\"letters\":[]}".to_vec(),
        deep.into_bytes(),
        many.into_bytes(),
        message(&[extra]),
        vec![b' '; federation::MAX_BATCH_BYTES + 1],
    ];
    for bytes in bad {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
        match b.room.accept(&b.peer(&a), bytes).await {
            Err(FederationError::Unreadable(_)) => {}
            other => panic!("{shown}: {other:?}"),
        }
    }
    let letter: Letter = serde_json::from_str(&honest).unwrap();
    assert_eq!(letter.id.uuid().get_version_num(), 7);
    assert_eq!(bring(&a, &b).await, 1);
}

#[tokio::test]
async fn a_letter_with_anything_as_its_content_is_answered() {
    let (a, b, to) = pair().await;
    a.post(to, "test.note", "one").await.unwrap();
    let honest = waiting(&a, &b).await[0].1.clone();
    let contents = [
        json!(null),
        json!([]),
        json!({ "objects": [] }),
        json!({ "share": "x", "community": null, "objects": [{}] }),
        json!({ "retraction": "", "reason": "r", "objects": ["a"] }),
        json!({ "retraction": "r", "reason": "r", "objects": [] }),
        json!({ "retraction": "r", "reached": -5, "acknowledged": 9e300 }),
        json!({ "retraction": "r", "reached": 5, "acknowledged": 9 }),
    ];
    let (mut seq, mut previous) = (0, String::new());
    for kind in ["federation.objects", "federation.retraction", "federation.progress", ""] {
        for body in &contents {
            seq += 1;
            let letter = signed(&a, &honest, |v| {
                v["kind"] = kind.into();
                v["id"] = format!("01890a5d-ac96-774b-bcce-{seq:012}").into();
                v["body"] = body.clone();
                v["seq"] = seq.into();
                v["previous"] = previous.clone().into();
            });
            let receipts = hand_over(&a, &b, &[letter]).await.unwrap();
            let said = &receipts[0].statement;
            assert!(said.refused.is_some(), "{kind} {body}: {said:?}");
            previous = said.letter.clone();
        }
    }
}
