//! Any bytes as a dialogue with a machine.

use crate::app::{Carrier, Object, Place, Protocol, Scratch, Step, parser};

/// Most messages of one dialogue.
const MAX_MESSAGES: usize = 256;

/// Byte 0 picks the protocol; then come messages, each behind a byte whose lowest bit says who
/// speaks and whose others say how long it is (in units of four bytes). The operations each message
/// tells must be no more than its bits, and their values no more than they state.
///
/// # Panics
/// When an operation states what its message cannot hold: that is the finding.
pub fn machines(data: &[u8]) {
    let Some((&pick, mut rest)) = data.split_first() else { return };
    let protocols = Protocol::industrial();
    let parser = parser(protocols[usize::from(pick) % protocols.len()]);
    let carriers = [Carrier::Tcp, Carrier::Udp, Carrier::Link(0x88b8)];
    let Some(carrier) = carriers.into_iter().find(|carrier| parser.carried_by(*carrier)) else {
        return;
    };
    let mut scratch = Scratch::default();
    for _ in 0..MAX_MESSAGES {
        let Some((&head, behind)) = rest.split_first() else { return };
        let (bytes, behind) = behind.split_at(behind.len().min(4 + usize::from(head >> 1) * 4));
        rest = behind;
        let asks = head & 1 == 0;
        let (src_port, dst_port) = if asks { (40_001, 502) } else { (502, 40_001) };
        let place = Place { carrier, src_port, dst_port, from_opener: Some(asks), cut: 0 };
        if bytes.is_empty() {
            return;
        }
        if let Step::Message { record, .. } = parser.next(&place, &mut scratch, bytes) {
            let mut operations = 0_usize;
            record.operations(&mut |operation| {
                operations += 1;
                let values = operation.values.iter().count();
                assert!(values <= operation.values.len(), "more values than stated");
                assert!(values <= bytes.len() * 8, "more values than bits");
                assert!(!operation.name.is_empty(), "an operation without a name");
                if let Object::Name(name) | Object::Member { name, .. } = operation.object {
                    assert!(name.len() <= bytes.len(), "a name longer than its message");
                }
            });
            assert!(operations <= bytes.len() * 8, "{operations} operations");
        }
    }
}
