//! A peer's bytes, damaged in every way: none of them fails the node, and none takes effect that was not signed.

use federation::FederationError;

use crate::house::{FIRST, House, id, indicator, message, waiting};

/// Damaged messages that are tried.
const TRIES: usize = 1_500;

/// Numbers that look like chance and come again.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % sides.max(1)
    }
}

/// What stands in for something else: numbers and texts at the edges of what is read.
const SPLICES: [&[u8]; 10] = [
    b"null",
    b"-1",
    b"9223372036854775808",
    b"1e999",
    b"\"\\ud800\"",
    b"{}",
    b"[[[[[[[[[[[[",
    b"\xff\xfe",
    b"\"stream\":\"\",",
    b",,",
];

fn damaged(honest: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = honest.to_vec();
    for _ in 0..=dice.roll(3) {
        let at = dice.roll(bytes.len());
        let end = (at + dice.roll(40)).min(bytes.len());
        match dice.roll(5) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << dice.roll(8),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let copy = bytes[at..end].to_vec();
                drop(bytes.splice(at..at, copy));
            }
            3 => bytes.truncate(at),
            _ => drop(bytes.splice(at..end, SPLICES[dice.roll(SPLICES.len())].to_vec())),
        }
    }
    bytes
}

#[tokio::test]
async fn no_bytes_of_a_peer_fail_the_node_or_take_effect_unsigned() {
    let (a, b) = (House::new("a", 1).await, House::new("b", 2).await);
    let to = a.knows(&b);
    b.knows(&a);
    a.say(&[indicator(1, stix::Tlp::Clear, FIRST, "one")]).await;
    a.post(to, "test.note", "said").await.unwrap();
    a.share(&[&id(1)], &[&b]).await;
    let honest = message(&waiting(&a, &b).await);
    let (peer, mut dice) = (b.peer(&a), Dice(42));
    let mut refused = 0;
    for number in 0..TRIES {
        let bytes = damaged(&honest, &mut dice);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        match b.room.accept(&peer, bytes).await {
            // Space between values says nothing, and a letter before the damage is honest.
            Ok(_) => {}
            Err(FederationError::Unreadable(reason)) => {
                assert!(reason != "the letters could not be read", "a panic at {number}: {text}");
                refused += 1;
            }
            Err(FederationError::Lie(_) | FederationError::Gap { .. }) => refused += 1,
            Err(other) => panic!("{number}: {other}: {text}"),
        }
    }
    assert!(refused > TRIES / 2, "{refused} refused");
    let notes = b.notes().await;
    assert!(notes.is_empty() || notes == ["said"], "{notes:?}");
    let known = b.knows_of(&id(1)).await;
    assert!(known.is_none_or(|object| object["name"] == "one"));
    // The honest ones still come in, each once.
    b.room.accept(&peer, honest).await.unwrap();
    assert_eq!(b.notes().await, ["said"]);
    assert_eq!(b.knows_of(&id(1)).await.unwrap()["name"], "one");
}
