//! Where a JSON value ends, byte by byte.

/// Finds the end of one value. It need not understand JSON: what it cuts out is read by a parser.
#[derive(Default)]
pub(crate) struct Scan {
    /// Arrays and objects that are open.
    pub(crate) depth: usize,
    in_text: bool,
    escaped: bool,
    started: bool,
    scalar: bool,
}

impl Scan {
    /// Whether a number or a word ends before this byte.
    pub(crate) const fn ends_before(&self, byte: u8) -> bool {
        let ends = matches!(byte, b',' | b']' | b'}' | b':' | b' ' | b'\t' | b'\n' | b'\r');
        (self.scalar || !self.started) && ends
    }

    /// Takes a byte; `true` when the value ends with it.
    pub(crate) const fn take(&mut self, byte: u8) -> bool {
        self.started = true;
        if self.in_text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => {
                    self.in_text = false;
                    return self.depth == 0;
                }
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.in_text = true,
            b'[' | b'{' => self.depth += 1,
            b']' | b'}' => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0;
            }
            _ if self.depth == 0 => self.scalar = true,
            _ => {}
        }
        false
    }
}
