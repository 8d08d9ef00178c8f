//! The head of messages made of lines: a start line, fields, an empty line (RFC 9112, 2.1).

/// A complete head.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head<'a> {
    /// First line.
    pub(super) line: &'a [u8],
    /// The lines behind it, unread.
    lines: &'a [u8],
    /// Its length with the empty line.
    pub(super) len: usize,
}

/// One line and what is behind it.
fn split_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| byte == b'\n')?;
    let (line, rest) = (&bytes[..end], &bytes[end + 1..]);
    Some((line.strip_suffix(b"\r").unwrap_or(line), rest))
}

impl<'a> Head<'a> {
    /// The head at the beginning of the bytes, once its empty line is there.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (line, lines) = split_line(bytes)?;
        let mut rest = lines;
        loop {
            let (next, behind) = split_line(rest)?;
            if next.is_empty() {
                let lines = &lines[..lines.len() - rest.len()];
                return Some(Self { line, lines, len: bytes.len() - behind.len() });
            }
            rest = behind;
        }
    }

    /// Fields: name and value without the blanks around; lines without a colon are passed over.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let mut rest = self.lines;
        std::iter::from_fn(move || {
            loop {
                let (line, behind) = split_line(rest)?;
                rest = behind;
                if let Some(colon) = line.iter().position(|&byte| byte == b':') {
                    return Some((line[..colon].trim_ascii(), line[colon + 1..].trim_ascii()));
                }
            }
        })
    }
}

/// The first line, once it is complete.
pub(super) fn first_line(bytes: &[u8]) -> Option<&[u8]> {
    split_line(bytes).map(|(line, _)| line)
}

/// Whether bytes are the beginning of a text, or begin with it.
pub(super) fn agrees(bytes: &[u8], text: &[u8]) -> bool {
    let both = bytes.len().min(text.len());
    bytes[..both] == text[..both]
}

/// A number of decimal digits and nothing else.
pub(super) fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |number, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}
