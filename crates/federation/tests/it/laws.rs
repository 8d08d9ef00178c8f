//! Laws: whatever is lost, doubled, cut short or dies, each letter arrives once and in order.

use proptest::prelude::*;

use crate::house::{House, calm, hand_over, waiting};

/// What happens next.
#[derive(Clone, Copy, Debug)]
enum Act {
    /// A letter is posted.
    Post,
    /// Letters are handed over, only the first few of them, and their receipts come back or not.
    Bring {
        few: usize,
        receipts: bool,
    },
    /// Letters of an earlier time come again, from a place in the middle on.
    Replay {
        from: usize,
    },
    /// A node dies and comes back.
    SenderDies,
    ReceiverDies,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => Just(Act::Post),
        4 => (0_usize..5, any::<bool>()).prop_map(|(few, receipts)| Act::Bring { few, receipts }),
        2 => (0_usize..6).prop_map(|from| Act::Replay { from }),
        1 => Just(Act::SenderDies),
        1 => Just(Act::ReceiverDies),
    ];
    prop::collection::vec(act, 1..24)
}

async fn live(acts: Vec<Act>) {
    let (mut a, mut b) = (House::new("a", 1).await, House::new("b", 2).await);
    let to = a.knows(&b);
    b.knows(&a);
    let mut posted = vec![];
    let mut seen: Vec<(i64, String)> = vec![];
    for act in acts {
        match act {
            Act::Post => {
                let key = format!("letter {}", posted.len());
                a.post(to, "test.note", &key).await.unwrap();
                posted.push(key);
            }
            Act::Bring { few, receipts } => {
                let mut letters = waiting(&a, &b).await;
                letters.truncate(few);
                seen.extend(letters.iter().cloned());
                let given = hand_over(&a, &b, &letters).await.unwrap();
                assert_eq!(given.len(), letters.len());
                if receipts {
                    a.room.settle(&a.peer(&b), given).await.unwrap();
                }
            }
            Act::Replay { from } => {
                let letters: Vec<_> = seen.iter().skip(from).take(3).cloned().collect();
                // Known letters get their receipts again, whatever their order.
                let given = hand_over(&a, &b, &letters).await.unwrap();
                assert_eq!(given.len(), letters.len());
            }
            Act::SenderDies => a = a.reborn(1).await,
            Act::ReceiverDies => b = b.reborn(2).await,
        }
        let arrived = b.notes().await;
        assert_eq!(arrived, posted[..arrived.len()], "out of order or twice");
    }
    calm(&[&a, &b]).await;
    assert_eq!(b.notes().await, posted, "something was lost");
    assert_eq!(b.link().await["refused"], 0);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn each_letter_arrives_once_and_in_order(acts in acts()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live(acts));
    }
}
