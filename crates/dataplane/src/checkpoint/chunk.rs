//! Cutting a stream of bytes where its content says so, so that what did not change is kept once.
//!
//! A gear hash runs over the bytes; a cut is made where its top bits are zero. An inserted byte then moves the cuts near
//! it and no others. (Xia et al., "FastCDC", USENIX ATC 2016, without its second mask.)

use std::io::{self, Read};

/// Shortest chunk that a cut makes, bytes.
pub const MIN_CHUNK_BYTES: usize = 16 << 10;
/// Longest chunk, bytes.
pub const MAX_CHUNK_BYTES: usize = 256 << 10;
/// A cut where these bits are zero: one in 65,536 places.
const MASK: u64 = 0xffff << 48;

/// One fixed number for each byte value: the first numbers of SplitMix64 from zero.
const GEAR: [u64; 256] = gear();

const fn gear() -> [u64; 256] {
    let mut table = [0; 256];
    let mut state: u64 = 0;
    let mut at = 0;
    while at < 256 {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        table[at] = z ^ (z >> 31);
        at += 1;
    }
    table
}

/// First byte of a chunk's file: as it is, or packed (RFC 1950).
pub(crate) const PLAIN: u8 = 0;
pub(crate) const PACKED: u8 = 1;

/// The bytes of a chunk's file, at most one more than a chunk may have; none where it is of no known form.
///
/// # Errors
/// They were packed and are damaged.
pub(crate) fn unpacked(raw: &[u8]) -> io::Result<Vec<u8>> {
    let mut plain = Vec::new();
    match raw.split_first() {
        Some((&PLAIN, rest)) => plain.extend_from_slice(rest),
        Some((&PACKED, packed)) => {
            flate2::read::ZlibDecoder::new(packed)
                .take(MAX_CHUNK_BYTES as u64 + 1)
                .read_to_end(&mut plain)?;
        }
        _ => {}
    }
    Ok(plain)
}

/// Length of the first chunk of `bytes`; all of them when no cut comes before their end or the limit.
pub fn first(bytes: &[u8]) -> usize {
    let end = bytes.len().min(MAX_CHUNK_BYTES);
    let mut hash: u64 = 0;
    for (at, byte) in bytes[..end].iter().enumerate().skip(MIN_CHUNK_BYTES.min(end)) {
        hash = (hash << 1).wrapping_add(GEAR[usize::from(*byte)]);
        if hash & MASK == 0 {
            return at + 1;
        }
    }
    end
}

/// Hands every chunk of what `reader` gives to `take`.
///
/// # Errors
/// Reading failed, or `take` did.
pub fn each<E: From<io::Error>>(
    mut reader: impl Read,
    mut take: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let mut buffer = vec![0; 2 * MAX_CHUNK_BYTES];
    let (mut start, mut end, mut over) = (0, 0, false);
    loop {
        if !over && end - start < MAX_CHUNK_BYTES {
            buffer.copy_within(start..end, 0);
            (start, end) = (0, end - start);
            while end < buffer.len() && !over {
                match reader.read(&mut buffer[end..]) {
                    Ok(0) => over = true,
                    Ok(read) => end += read,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        if start == end {
            return Ok(());
        }
        let length = first(&buffer[start..end]);
        take(&buffer[start..start + length])?;
        start += length;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use ports::Random;
    use ports::fake::FakeRandom;

    use super::*;

    fn chunks(bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        each::<io::Error>(bytes, |chunk| {
            all.push(chunk.to_vec());
            Ok(())
        })
        .unwrap();
        all
    }

    #[test]
    fn chunks_add_up_and_keep_their_bounds() {
        let mut bytes = vec![0; 3 << 20];
        FakeRandom::seeded(7).fill(&mut bytes);
        let cut = chunks(&bytes);
        assert_eq!(cut.concat(), bytes);
        let (last, others) = cut.split_last().unwrap();
        assert!(
            others.iter().all(|chunk| (MIN_CHUNK_BYTES..=MAX_CHUNK_BYTES).contains(&chunk.len()))
        );
        assert!(last.len() <= MAX_CHUNK_BYTES);
        assert!(cut.len() > 20, "{} chunks", cut.len());
        assert!(chunks(&[]).is_empty());
        assert_eq!(chunks(&vec![0; 1 << 20]).len(), 4, "what has no cut is cut at the limit");
    }

    #[test]
    fn an_inserted_byte_changes_the_chunks_near_it_only() {
        let mut bytes = vec![0; 4 << 20];
        FakeRandom::seeded(8).fill(&mut bytes);
        let before: HashSet<Vec<u8>> = chunks(&bytes).into_iter().collect();
        bytes.insert(2 << 20, 42);
        let after = chunks(&bytes);
        let fresh = after.iter().filter(|chunk| !before.contains(*chunk)).count();
        assert!((1..=3).contains(&fresh), "{fresh} of {} chunks are new", after.len());
    }
}
