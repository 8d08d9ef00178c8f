//! Classic BPF programs (linux/filter.h): building with labels, and running on a file's frames.

use crate::sys::ring::Instruction;

/// Instructions of a program at most (BPF_MAXINSNS of the kernel).
pub(super) const MAX_INSTRUCTIONS: usize = 4_096;

const LOAD: u16 = 0x00;
const LOAD_X: u16 = 0x01;
const ALU: u16 = 0x04;
const JUMP: u16 = 0x05;
const RETURN: u16 = 0x06;
const HALF: u16 = 0x08;
const BYTE: u16 = 0x10;
const ABSOLUTE: u16 = 0x20;
const INDIRECT: u16 = 0x40;
const LENGTH: u16 = 0x80;
const HEADER_LENGTH: u16 = 0xa0;
const AND: u16 = 0x50;
const ALWAYS: u16 = 0x00;
const EQUAL: u16 = 0x10;
const GREATER: u16 = 0x20;
const GREATER_EQUAL: u16 = 0x30;
const ANY_BIT: u16 = 0x40;

pub(super) const LOAD_WORD: u16 = LOAD | ABSOLUTE;
pub(super) const LOAD_HALF: u16 = LOAD | HALF | ABSOLUTE;
pub(super) const LOAD_BYTE: u16 = LOAD | BYTE | ABSOLUTE;
pub(super) const LOAD_HALF_INDIRECT: u16 = LOAD | HALF | INDIRECT;
pub(super) const LOAD_LENGTH: u16 = LOAD | LENGTH;
/// X = 4 × the low half of a byte: the length of an IPv4 header.
pub(super) const LOAD_X_HEADER: u16 = LOAD_X | BYTE | HEADER_LENGTH;
pub(super) const AND_K: u16 = ALU | AND;
pub(super) const IF_EQUAL: u16 = JUMP | EQUAL;
pub(super) const IF_GREATER: u16 = JUMP | GREATER;
pub(super) const IF_GREATER_EQUAL: u16 = JUMP | GREATER_EQUAL;
pub(super) const IF_ANY_BIT: u16 = JUMP | ANY_BIT;
const GO: u16 = JUMP | ALWAYS;

/// A place in a program that is not known yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label(usize);

#[derive(Clone, Copy, Debug)]
enum Line {
    Plain(u16, u32),
    Branch { code: u16, k: u32, if_true: Label, if_false: Label },
    Bind(Label),
}

/// A program under construction. Jumps only go forward.
#[derive(Debug, Default)]
pub(super) struct Builder {
    lines: Vec<Line>,
    labels: usize,
}

impl Builder {
    pub(super) fn label(&mut self) -> Label {
        self.labels += 1;
        Label(self.labels - 1)
    }

    pub(super) fn bind(&mut self, label: Label) {
        self.lines.push(Line::Bind(label));
    }

    pub(super) fn plain(&mut self, code: u16, k: u32) {
        self.lines.push(Line::Plain(code, k));
    }

    pub(super) fn branch(&mut self, code: u16, k: u32, if_true: Label, if_false: Label) {
        self.lines.push(Line::Branch { code, k, if_true, if_false });
    }

    /// Goes on with the next line where the test holds, else to `if_false`.
    pub(super) fn require(&mut self, code: u16, k: u32, if_false: Label) {
        let here = self.label();
        self.branch(code, k, here, if_false);
        self.bind(here);
    }

    /// The program: frames that reach `pass` are taken whole, those that reach `drop` not at all.
    /// Every branch becomes a test over two long jumps, so that no distance is too far; `None`
    /// where the program is too long for the kernel.
    pub(super) fn finish(mut self, pass: Label, drop: Label) -> Option<Vec<Instruction>> {
        self.bind(pass);
        self.plain(RETURN, u32::MAX);
        self.bind(drop);
        self.plain(RETURN, 0);
        let mut places = vec![0_usize; self.labels];
        let mut at = 0_usize;
        for line in &self.lines {
            match line {
                Line::Bind(label) => places[label.0] = at,
                Line::Plain(..) => at += 1,
                Line::Branch { .. } => at += 3,
            }
        }
        if at > MAX_INSTRUCTIONS {
            return None;
        }
        let mut program = Vec::with_capacity(at);
        let plain = |code, k| Instruction { code, if_true: 0, if_false: 0, k };
        for line in &self.lines {
            match *line {
                Line::Bind(_) => {}
                Line::Plain(code, k) => program.push(plain(code, k)),
                Line::Branch { code, k, if_true, if_false } => {
                    program.push(Instruction { code, if_true: 0, if_false: 1, k });
                    for label in [if_true, if_false] {
                        let distance = places[label.0].checked_sub(program.len() + 1)?;
                        program.push(plain(GO, u32::try_from(distance).ok()?));
                    }
                }
            }
        }
        Some(program)
    }
}

/// Runs a program on a frame as the kernel does; a load beyond the captured bytes drops the frame.
pub(super) fn passes(program: &[Instruction], frame: &[u8], wire_len: u32) -> bool {
    let (mut a, mut x, mut at) = (0_u32, 0_u32, 0_usize);
    while let Some(instruction) = program.get(at) {
        at += 1;
        let k = instruction.k;
        let offset = match instruction.code & 0xe0 {
            INDIRECT => k.wrapping_add(x),
            _ => k,
        };
        let load = |length: usize| load(frame, offset as usize, length);
        match instruction.code {
            LOAD_LENGTH => a = wire_len,
            LOAD_X_HEADER => match load(1) {
                Some(byte) => x = 4 * (byte & 0x0f),
                None => return false,
            },
            code if code & 0x07 == LOAD => {
                let length = match code & 0x18 {
                    HALF => 2,
                    BYTE => 1,
                    _ => 4,
                };
                match load(length) {
                    Some(value) => a = value,
                    None => return false,
                }
            }
            AND_K => a &= k,
            GO => at += k as usize,
            code if code & 0x07 == JUMP => {
                let holds = match code {
                    IF_EQUAL => a == k,
                    IF_GREATER => a > k,
                    IF_GREATER_EQUAL => a >= k,
                    IF_ANY_BIT => a & k != 0,
                    _ => return false,
                };
                at += usize::from(if holds { instruction.if_true } else { instruction.if_false });
            }
            RETURN => return k != 0,
            _ => return false,
        }
    }
    false
}

fn load(frame: &[u8], at: usize, length: usize) -> Option<u32> {
    let bytes = frame.get(at..at.checked_add(length)?)?;
    Some(bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)))
}
