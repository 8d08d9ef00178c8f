//! The dialogue of a login: what is asked, what is typed, whether it was refused.

use crate::app::Scratch;

use super::{IAC, MAX_TEXT_BYTES};

/// The part of a text in the dialogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text<'a> {
    /// The server asks who it is.
    LoginPrompt,
    /// The server asks for the password.
    PasswordPrompt,
    /// The server refuses the login.
    Refused,
    /// The server waits for a command.
    ShellPrompt,
    /// The server tells something else.
    Told(&'a [u8]),
    /// The name typed where it was asked for.
    Name(&'a [u8]),
    /// Something typed that is not shown: a password, or what may be one.
    Withheld,
    /// A command typed behind a login that succeeded.
    Command(&'a [u8]),
}

/// Where a dialogue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing was asked.
    Start,
    /// The name was asked for.
    Name,
    /// A name was typed: what comes next may be a password, asked for or not.
    Password,
    /// The password was asked for.
    Asked,
    /// The password was typed before it was asked for.
    Ahead,
    /// The password was typed.
    Judged,
    /// The server showed a shell.
    Shell,
    /// A command runs: what is typed meanwhile may be a password it asks for.
    Running,
}

/// What is remembered of it: the stage in the low octet, refusals in the next.
pub(super) struct Dialogue {
    stage: Stage,
    failed: u8,
}

/// Words before the colon of a prompt.
const NAME_WORDS: [&[u8]; 4] = [b"login", b"username", b"user name", b"user"];
const PASSWORD_WORDS: [&[u8]; 5] = [b"password", b"passwd", b"passcode", b"pin", b"secret"];
/// Words of a refusal, wherever they stand.
const REFUSALS: [&[u8]; 8] = [
    b"incorrect",
    b"failed",
    b"failure",
    b"invalid",
    b"denied",
    b"bad password",
    b"wrong",
    b"fail!",
];
/// Words of a prompt that asks for a new password, and for the same again.
const CHANGES: [&[u8]; 4] = [b"new ", b"again", b"retype", b"confirm"];
/// Words of a text that only look like a login's end.
const NOT_A_PROMPT: &[u8] = b"last login";

fn ends_with(text: &[u8], words: &[&[u8]]) -> bool {
    words.iter().any(|word| {
        text.len().checked_sub(word.len()).is_some_and(|at| text[at..].eq_ignore_ascii_case(word))
    })
}

fn contains(text: &[u8], words: &[&[u8]]) -> bool {
    words.iter().any(|word| text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word)))
}

fn is_prompt(text: &[u8]) -> bool {
    let Some(text) = text.trim_ascii_end().strip_suffix(b":") else {
        return false;
    };
    let text = text.trim_ascii_end();
    (ends_with(text, &NAME_WORDS) || ends_with(text, &PASSWORD_WORDS))
        && !ends_with(text, &[NOT_A_PROMPT])
}

/// Whether somebody is asked for a name or a password anywhere in a text.
pub(super) fn has_prompt(text: &[u8]) -> bool {
    text.split(|byte| matches!(byte, b'\r' | b'\n')).any(is_prompt)
}

fn is_shell(text: &[u8]) -> bool {
    matches!(text, [.., b'#' | b'$' | b'>', b' '])
}

/// The first line or prompt, without its end, and the bytes to go on behind. Decided octet by octet,
/// so that it does not depend on how the stream was cut into segments.
pub(super) fn cut(bytes: &[u8], from_server: bool) -> Option<(&[u8], usize)> {
    for (at, &byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' | b'\r' | 0 => return Some((&bytes[..at], at + 1)),
            IAC => return Some((&bytes[..at], at)),
            b':' | b' ' if from_server => {
                let text = &bytes[..=at];
                if is_shell(text) || (byte == b':' && is_prompt(text)) {
                    return Some((text, at + 1));
                }
            }
            _ => {}
        }
        if at + 1 >= MAX_TEXT_BYTES {
            return Some((&bytes[..=at], at + 1));
        }
    }
    None
}

impl Dialogue {
    pub(super) const fn of(scratch: Scratch) -> Self {
        let stage = match scratch.0 & 0xff {
            1 => Stage::Name,
            2 => Stage::Password,
            3 => Stage::Asked,
            4 => Stage::Ahead,
            5 => Stage::Judged,
            6 => Stage::Shell,
            7 => Stage::Running,
            _ => Stage::Start,
        };
        Self { stage, failed: (scratch.0 >> 8 & 0xff) as u8 }
    }

    pub(super) const fn kept(&self) -> Scratch {
        Scratch(self.stage as u64 | (self.failed as u64) << 8)
    }

    pub(super) const fn failed(&self) -> u8 {
        self.failed
    }

    const fn refuse(&mut self) {
        if matches!(self.stage, Stage::Judged | Stage::Ahead) {
            self.failed = self.failed.saturating_add(1);
            self.stage = Stage::Start;
        }
    }

    /// The server says something.
    pub(super) fn told<'a>(&mut self, line: &'a [u8]) -> Text<'a> {
        if is_prompt(line) {
            let text = line.trim_ascii_end();
            let text = text.strip_suffix(b":").unwrap_or(text).trim_ascii_end();
            if ends_with(text, &PASSWORD_WORDS) {
                if self.stage == Stage::Ahead {
                    self.stage = Stage::Judged;
                    return Text::PasswordPrompt;
                }
                // Asked again without the name: the first try was refused.
                if !contains(text, &CHANGES) {
                    self.refuse();
                }
                self.stage = Stage::Asked;
                return Text::PasswordPrompt;
            }
            self.refuse();
            self.stage = Stage::Name;
            return Text::LoginPrompt;
        }
        if contains(line, &REFUSALS) && matches!(self.stage, Stage::Judged | Stage::Ahead) {
            self.refuse();
            return Text::Refused;
        }
        if is_shell(line) {
            if matches!(self.stage, Stage::Ahead | Stage::Judged | Stage::Shell | Stage::Running) {
                self.stage = Stage::Shell;
            }
            return Text::ShellPrompt;
        }
        Text::Told(line)
    }

    /// The client says something; where the beginning was not seen, nothing typed is shown.
    pub(super) const fn typed<'a>(&mut self, line: &'a [u8], whole: bool) -> Text<'a> {
        match self.stage {
            Stage::Name => {
                self.stage = Stage::Password;
                if whole { Text::Name(line) } else { Text::Withheld }
            }
            Stage::Password => {
                self.stage = Stage::Ahead;
                Text::Withheld
            }
            Stage::Asked => {
                self.stage = Stage::Judged;
                Text::Withheld
            }
            Stage::Shell if whole => {
                self.stage = Stage::Running;
                Text::Command(line)
            }
            Stage::Start | Stage::Ahead | Stage::Judged | Stage::Shell | Stage::Running => {
                Text::Withheld
            }
        }
    }
}
