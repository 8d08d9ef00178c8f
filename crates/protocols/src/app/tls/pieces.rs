//! Bytes of a handshake message, joined across the records that carry it (RFC 8446, 5.1).

/// Octets of a record's header.
pub(super) const RECORD_BYTES: usize = 5;
/// Content type of handshake records.
pub(super) const HANDSHAKE: u8 = 22;

/// A part of a handshake message. Copies are cheap and read on independently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pieces<'a> {
    /// What is left of the record at hand.
    piece: &'a [u8],
    /// The records behind it.
    records: &'a [u8],
    /// Octets left of the part.
    left: usize,
}

impl<'a> Pieces<'a> {
    /// All handshake octets of the records.
    pub(super) const fn new(records: &'a [u8]) -> Self {
        Self { piece: &[], records, left: usize::MAX }
    }

    pub(super) const fn left(&self) -> usize {
        self.left
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.run(1)?.first().copied()
    }

    pub(super) fn be16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.u8()?, self.u8()?]))
    }

    pub(super) fn be24(&mut self) -> Option<usize> {
        let high = usize::from(self.u8()?);
        Some(high << 16 | usize::from(self.be16()?))
    }

    /// At least one and at most `most` octets that lie together.
    fn run(&mut self, most: usize) -> Option<&'a [u8]> {
        if self.left == 0 {
            return None;
        }
        while self.piece.is_empty() {
            let (header, rest) = self.records.split_first_chunk::<RECORD_BYTES>()?;
            let &[HANDSHAKE, _, _, high, low] = header else {
                return None;
            };
            let len = usize::from(u16::from_be_bytes([high, low]));
            let (piece, records) = rest.split_at(len.min(rest.len()));
            (self.piece, self.records) = (piece, records);
        }
        let (run, piece) = self.piece.split_at(most.min(self.left).min(self.piece.len()));
        self.piece = piece;
        self.left -= run.len();
        Some(run)
    }

    /// Passes over octets.
    pub(super) fn skip(&mut self, mut count: usize) -> Option<()> {
        while count > 0 {
            count -= self.run(count)?.len();
        }
        Some(())
    }

    /// The next `count` octets as a part of their own.
    pub(super) fn part(&mut self, count: usize) -> Option<Self> {
        if count > self.left {
            return None;
        }
        let part = Self { left: count, ..*self };
        self.skip(count)?;
        Some(part)
    }

    /// The octets, as many as fit.
    pub(super) fn copy_to(mut self, target: &mut [u8]) -> usize {
        let mut filled = 0;
        while let Some(run) = self.run(target.len() - filled).filter(|run| !run.is_empty()) {
            target[filled..filled + run.len()].copy_from_slice(run);
            filled += run.len();
        }
        filled
    }
}
