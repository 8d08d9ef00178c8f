#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;

fn heard(datagram: &[u8]) -> Vec<Heard<'_>> {
    let mut all = Vec::new();
    read(datagram, |heard| all.push(heard));
    all
}

/// As the kernel writes it for a packet of 1,500 bytes on a bridge of which four were copied.
fn packet() -> Vec<u8> {
    let mut out = Vec::new();
    message(
        &mut out,
        PACKET,
        0,
        31,
        &[
            (1, &[0, 0, 1, 2, 8, 0, 2]),
            (5, &[0, 0, 0, 9]),
            (6, &[0, 0, 0, 9]),
            (7, &[0, 0, 0, 3]),
            (8, &[0, 0, 0, 4]),
            (9, &[0, 6, 0, 0, 2, 0, 0, 0, 0, 7, 0, 0]),
            (13, &[0, 0, 5, 220]),
            (10, &[0x45, 0, 5, 220]),
        ],
    );
    out
}

#[test]
fn a_packet_is_read_with_the_ports_of_the_bridge() {
    let expected = Queued {
        id: 258,
        from: 3,
        to: 4,
        mac: Some([2, 0, 0, 0, 0, 7]),
        length: 1_500,
        bytes: &[0x45, 0, 5, 220],
    };
    let mut two = packet();
    two.extend_from_slice(&packet());
    assert_eq!(heard(&two), [Heard::Packet(expected), Heard::Packet(expected)]);
}

#[test]
fn a_run_is_one_verdict_and_comes_after_what_is_dropped() {
    let mut verdicts = Verdicts::new(31);
    assert_eq!(verdicts.take(), None);
    (1..=9).for_each(|id| if id == 5 { verdicts.drop(id) } else { verdicts.pass_up_to(id) });
    let sent = verdicts.take().unwrap();
    assert_eq!(sent.len(), 64, "two messages");
    assert_eq!((half(sent, 4), half(sent, 36)), (Some(VERDICT), Some(VERDICT_BATCH)));
    assert_eq!((big(&sent[24..]), big(&sent[28..])), (Some(NF_DROP), Some(5)));
    assert_eq!((big(&sent[56..]), big(&sent[60..])), (Some(NF_ACCEPT), Some(9)));
    verdicts.clear();
    assert_eq!(verdicts.take(), None);
}

proptest! {
    #[test]
    fn any_bytes_are_read_within_their_bounds(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = heard(&bytes);
    }

    #[test]
    fn a_packet_cut_or_changed_anywhere_is_read_within_its_bounds(cut in 0usize..120, at in 0usize..120, value: u8) {
        let mut bytes = packet();
        let last = bytes.len() - 1;
        bytes[at.min(last)] = value;
        bytes.truncate(cut);
        let _ = heard(&bytes);
    }
}
