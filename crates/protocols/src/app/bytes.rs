//! Reading numbers out of bytes that may be too short.

/// A place in bytes that moves on as it is read. Every reading gives `None` where too little is
/// left, and moves nothing then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(rest: &'a [u8]) -> Self {
        Self { rest }
    }

    /// What is left.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next `count` bytes.
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (head, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(head)
    }

    /// As many of the next `count` bytes as there are.
    pub(super) fn up_to(&mut self, count: usize) -> &'a [u8] {
        let (head, rest) = self.rest.split_at(count.min(self.rest.len()));
        self.rest = rest;
        head
    }

    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.rest.split_first_chunk::<N>()?;
        self.rest = rest;
        Some(*head)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.chunk::<1>().map(|[byte]| byte)
    }

    pub(super) fn be16(&mut self) -> Option<u16> {
        self.chunk().map(u16::from_be_bytes)
    }

    pub(super) fn le16(&mut self) -> Option<u16> {
        self.chunk().map(u16::from_le_bytes)
    }

    pub(super) fn be24(&mut self) -> Option<u32> {
        self.chunk().map(|[a, b, c]| u32::from_be_bytes([0, a, b, c]))
    }

    pub(super) fn le24(&mut self) -> Option<u32> {
        self.chunk().map(|[a, b, c]| u32::from_le_bytes([a, b, c, 0]))
    }

    pub(super) fn be32(&mut self) -> Option<u32> {
        self.chunk().map(u32::from_be_bytes)
    }

    pub(super) fn le32(&mut self) -> Option<u32> {
        self.chunk().map(u32::from_le_bytes)
    }

    pub(super) fn le64(&mut self) -> Option<u64> {
        self.chunk().map(u64::from_le_bytes)
    }
}

/// Two bytes at a place, most significant first.
pub(super) fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Cursor::new(bytes.get(at..)?).be16()
}

/// Two bytes at a place, least significant first.
pub(super) fn le16(bytes: &[u8], at: usize) -> Option<u16> {
    Cursor::new(bytes.get(at..)?).le16()
}

/// Four bytes at a place, least significant first.
pub(super) fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Cursor::new(bytes.get(at..)?).le32()
}

/// Whether a text is not empty and printable ASCII throughout.
pub(super) fn printable(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| (0x20..0x7f).contains(byte))
}
