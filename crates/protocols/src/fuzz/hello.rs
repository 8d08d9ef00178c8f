//! Any bytes as the contents of a client's hello.

use crate::app::message::Tls;
use crate::app::{Carrier, Place, Protocol, Record, Scratch, Step, parser};

/// Longest record that is made, and most records.
const RECORD_BYTES: usize = 16_384;
const FINEST: usize = 500;

/// The input is the body of a client hello; lengths and records around it are made to fit, so that
/// whatever is found lies in extensions, names and the fingerprint. Byte 0 says how long the records
/// are into which the hello is cut.
///
/// # Panics
/// When the hello is read differently in one record and in many, or a fingerprint is not of the
/// form of JA4.
pub fn hello(data: &[u8]) {
    let Some((&cut, body)) = data.split_first() else { return };
    let Ok(len) = u16::try_from(body.len()) else { return };
    let mut message = vec![1, 0];
    message.extend(len.to_be_bytes());
    message.extend(body);
    let one = records(&message, RECORD_BYTES);
    // Hellos cut finer are refused.
    let least = message.len() / FINEST + 1;
    let many = records(&message, (usize::from(cut) * 4).max(least));
    let (left, right) = (read(&one), read(&many));
    assert_eq!(left, right, "records change what a hello says");
}

fn records(message: &[u8], most: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in message.chunks(most) {
        bytes.extend([22, 3, 1]);
        bytes.extend(u16::try_from(part.len()).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend(part);
    }
    bytes
}

/// What a hello says, in words that do not depend on where its bytes lie.
fn read(records: &[u8]) -> Option<String> {
    let place = Place {
        carrier: Carrier::Tcp,
        src_port: 40_001,
        dst_port: 443,
        from_opener: Some(true),
        cut: 0,
    };
    let step = parser(Protocol::Tls).next(&place, &mut Scratch::default(), records);
    let Step::Message { record: Record::Tls(Tls::Client(hello)), .. } = step else { return None };
    let ja4 = hello.ja4();
    if let Some(ja4) = &ja4 {
        let parts: Vec<&str> = ja4.as_str().split('_').collect();
        assert!(ja4.as_str().is_ascii(), "a fingerprint is text");
        let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
        assert_eq!(lengths, [10, 12, 12], "the form of JA4: {}", ja4.as_str());
    }
    Some(format!(
        "{:?} {:x} {:?} {:?} {:?} {:?} {:?}",
        ja4.as_ref().map(crate::app::message::tls::Ja4::as_str),
        hello.version(),
        hello.server_name(),
        hello.protocols().collect::<Vec<_>>(),
        hello.ciphers().collect::<Vec<_>>(),
        hello.extensions().collect::<Vec<_>>(),
        hello.signatures().collect::<Vec<_>>(),
    ))
}
