//! Laws: whatever is lost, doubled, cut short or dies, each letter arrives once and in order.

use federation::FederationError;
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
    /// A side forgets the link, which the other one learns when a letter comes.
    SenderForgets,
    ReceiverForgets,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        4 => Just(Act::Post),
        4 => (0_usize..5, any::<bool>()).prop_map(|(few, receipts)| Act::Bring { few, receipts }),
        2 => (0_usize..6).prop_map(|from| Act::Replay { from }),
        1 => Just(Act::SenderDies),
        1 => Just(Act::ReceiverDies),
        1 => Just(Act::SenderForgets),
        1 => Just(Act::ReceiverForgets),
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
                let given = match hand_over(&a, &b, &letters).await {
                    Ok(given) => given,
                    Err(FederationError::Gap { .. } | FederationError::Lie(_)) => {
                        a.room.begin_anew(to).await.unwrap();
                        continue;
                    }
                    Err(error) => panic!("{error}"),
                };
                assert!(given.len() <= letters.len());
                if receipts {
                    a.room.settle(&a.peer(&b), given).await.unwrap();
                }
            }
            Act::Replay { from } => {
                let letters: Vec<_> = seen.iter().skip(from).take(3).cloned().collect();
                // Known letters get their receipts again, or are refused; both change nothing.
                let _ = hand_over(&a, &b, &letters).await;
            }
            Act::SenderDies => a = a.reborn(1).await,
            Act::ReceiverDies => b = b.reborn(2).await,
            Act::SenderForgets => a.room.begin_anew(to).await.unwrap(),
            Act::ReceiverForgets => {
                b.forget("UPDATE federation_links SET in_stream = '', in_seq = 0, in_digest = ''")
                    .await
            }
        }
        let arrived = b.notes().await;
        assert_eq!(arrived, posted[..arrived.len()], "out of order or twice");
    }
    calm(&[&a, &b]).await;
    assert_eq!(b.notes().await, posted, "something was lost");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]
    #[test]
    fn each_letter_arrives_once_and_in_order(acts in acts()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(live(acts));
    }
}
