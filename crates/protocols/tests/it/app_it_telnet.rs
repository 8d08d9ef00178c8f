//! Telnet dialogues: logins are followed, passwords never shown.

use protocols::app::message::{Telnet, telnet};
use protocols::app::{Carrier, Place, Protocol, Record, Scratch, Step, parser};

/// A conversation as it happens: who speaks, and what.
fn dialogue(parts: &[(bool, &str)]) -> Vec<String> {
    let up = Place {
        carrier: Carrier::Tcp,
        src_port: 40_000,
        dst_port: 23,
        from_opener: Some(true),
        cut: 0,
    };
    let down = Place { src_port: 23, dst_port: 40_000, from_opener: Some(false), ..up };
    let (mut scratch, mut told) = (Scratch::default(), Vec::new());
    let mut held = [String::new(), String::new()];
    for (client, text) in parts {
        let place = if *client { up } else { down };
        // What waits for more of its line is given again with what comes.
        let bytes = std::mem::take(&mut held[usize::from(*client)]) + text;
        let mut at = 0;
        while at < bytes.len() {
            let rest = &bytes.as_bytes()[at..];
            match parser(Protocol::Telnet).next(&place, &mut scratch, rest) {
                Step::Message { record: Record::Telnet(message), consumed } => {
                    told.push(in_words(&message));
                    at += consumed;
                }
                Step::Pass { consumed } => at += consumed,
                Step::NeedMore(_) => break,
                step => panic!("{step:?}"),
            }
        }
        held[usize::from(*client)] = bytes[at..].to_owned();
    }
    told
}

fn in_words(message: &Telnet<'_>) -> String {
    let Telnet::Text { text, failed_logins } = message else { panic!("{message:?}") };
    let text = match text {
        telnet::Text::Name(name) => format!("name {}", name.escape_ascii()),
        telnet::Text::Command(line) => format!("command {}", line.escape_ascii()),
        telnet::Text::Told(_) => "told".to_owned(),
        other => format!("{other:?}"),
    };
    format!("{text} {failed_logins}")
}

#[test]
fn logins_are_followed_and_passwords_never_shown() {
    let told = dialogue(&[
        (false, "Welcome\r\nhub login: "),
        (true, "root\r\n"),
        (false, "Password: "),
        (true, "xc3511\r\n"),
        (false, "\r\nLogin incorrect\r\nhub login: "),
        (true, "admin\r\nsmcadmin\r\n"),
        (false, "Password: \r\nLast login: Monday\r\n# "),
        (true, "/bin/busybox MIRAI\r\nsecond\r\n"),
    ]);
    assert_eq!(
        told,
        [
            "told 0",
            "LoginPrompt 0",
            "name root 0",
            "PasswordPrompt 0",
            "Withheld 0",
            "Refused 1",
            "LoginPrompt 1",
            "name admin 1",
            "Withheld 1",
            "PasswordPrompt 1",
            "told 1",
            "ShellPrompt 1",
            "command /bin/busybox MIRAI 1",
            "Withheld 1",
        ]
    );
}

#[test]
fn a_command_is_shown_behind_a_login_and_what_it_asks_for_is_not() {
    let told = dialogue(&[
        (false, "login: "),
        (true, "root\r\n"),
        (false, "Password: "),
        (true, "\r\n"),
        (false, "\r\n# "),
        (true, "su\r\nsecret\r\n"),
        (false, "$ "),
        (true, "id\r\n"),
    ]);
    let shown: Vec<_> = told.iter().filter(|text| text.starts_with("command")).collect();
    assert_eq!(shown, ["command su 0", "command id 0"]);
    assert!(!told.iter().any(|text| text.contains("secret")));
}
