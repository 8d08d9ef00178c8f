//! Checksum of the link layer (IEEE 1815-2012, clause 9.2.4.3): CRC-16 with the polynomial 0x3d65.

/// The polynomial, bits reversed.
const POLYNOMIAL: u16 = 0xa6bc;

const TABLE: [u16; 256] = table();

const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = byte as u16;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 0 { sum >> 1 } else { sum >> 1 ^ POLYNOMIAL };
            bit += 1;
        }
        table[byte] = sum;
        byte += 1;
    }
    table
}

/// Checksum of some bytes.
pub(super) fn sum(bytes: &[u8]) -> u16 {
    !bytes
        .iter()
        .fold(0, |sum: u16, byte| sum >> 8 ^ TABLE[usize::from((sum ^ u16::from(*byte)) & 0xff)])
}

/// Whether the last two bytes are the checksum of those before.
pub(super) fn right(block: &[u8]) -> bool {
    block
        .split_last_chunk::<2>()
        .is_some_and(|(data, stated)| sum(data) == u16::from_le_bytes(*stated))
}
