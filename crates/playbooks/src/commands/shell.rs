//! Variables in shell commands. A value never becomes text of a command: `__name__:value` is replaced by
//! `"${__name__}"`, and the value travels as an environment variable of that name.
//!
//! That holds only where the shell reads a plain word. Inside quotes the replacement would end them, and
//! elsewhere (arithmetic, here-documents, `eval`) the shell reads a value as program: there a variable is
//! refused, with place and remedy.

use std::collections::BTreeMap;

use crate::cacao::variables::{Values, references};

/// Largest environment handed to a command, in bytes.
pub(crate) const MAX_ENVIRONMENT_BYTES: usize = 128 * 1024;

/// Words after which a shell, or what it starts, reads its arguments as program.
const READS_PROGRAM: [&str; 20] = [
    "[[", "alias", "ash", "awk", "bash", "dash", "declare", "eval", "fish", "ksh", "let", "local",
    "perl", "printf", "python", "python3", "readonly", "sh", "source", "zsh",
];
/// The same where they are the whole command, not an argument.
const READS_PROGRAM_FIRST: [&str; 6] = [".", "export", "read", "test", "trap", "typeset"];
/// Words before a command that are no command.
const PREFIXES: [&str; 9] = ["!", "do", "elif", "else", "if", "then", "time", "until", "while"];

/// A command with its values beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shell {
    pub text: String,
    pub environment: BTreeMap<String, String>,
}

/// True for names that a shell takes as names of variables.
pub(crate) fn is_shell_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Refuses a command in which a variable stands where a shell would read its value as program.
pub(crate) fn check(text: &str) -> Result<(), String> {
    walk(text).map(|_| ())
}

/// The command with `"${__name__}"` for each variable, and the values.
pub(crate) fn script(text: &str, values: &Values) -> Result<Shell, String> {
    let places = walk(text)?;
    let mut environment = BTreeMap::new();
    let mut out = String::with_capacity(text.len() + 4 * places.len());
    let mut rest = 0;
    for (begin, end, name) in places {
        let value = values.get(name).ok_or_else(|| format!("variable {name} has no value"))?;
        if value.contains('\0') {
            return Err(format!("the value of {name} holds the byte 0, which no shell takes"));
        }
        environment.insert(name.to_owned(), value.clone());
        out.push_str(&text[rest..begin]);
        out.push_str(&format!("\"${{{name}}}\""));
        rest = end;
    }
    out.push_str(&text[rest..]);
    let size: usize = environment.values().map(String::len).sum();
    if size > MAX_ENVIRONMENT_BYTES {
        return Err(format!(
            "the values of the command have {size} bytes; {MAX_ENVIRONMENT_BYTES} are handed over"
        ));
    }
    Ok(Shell { text: out, environment })
}

/// What the walk is inside of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// Plain text of a command; `true` in `$(…)` or `(…)`.
    Plain(bool),
    Single,
    Double,
    /// `${…}`
    Expansion,
    /// `$((…))`, `((…))`; how many parentheses are open.
    Arithmetic(u32),
    Comment,
    Backtick,
}

/// One simple command as far as it was read.
#[derive(Default)]
struct Words {
    /// Words read whole.
    whole: Vec<String>,
    /// The word being read.
    open: String,
}

impl Words {
    fn end_word(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let word = std::mem::take(&mut self.open);
        let assignment = word.split_once('=').is_some_and(|(name, _)| is_shell_name(name));
        if self.whole.is_empty() && (assignment || PREFIXES.contains(&word.as_str())) {
            return;
        }
        self.whole.push(word);
    }

    fn end_command(&mut self) {
        self.end_word();
        self.whole.clear();
    }

    /// Why a variable may not stand here.
    fn objection(&self) -> Option<String> {
        let base = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
        let assignment = self.open.split_once('=').is_some_and(|(name, _)| is_shell_name(name));
        let Some(first) = self.whole.first() else {
            return (!assignment).then(|| "where the command itself is named".to_owned());
        };
        if READS_PROGRAM_FIRST.contains(&base(first).as_str()) {
            return Some(format!("behind '{}', which reads it as more than a value", base(first)));
        }
        let reader = self.whole.iter().map(|word| base(word)).find(|word| {
            READS_PROGRAM.contains(&word.as_str()) && (word != "printf" || base(first) == "printf")
        });
        // printf takes values as arguments; its first one is a format, and -v names a variable.
        match reader {
            Some(word) if word == "printf" => {
                let format_read = self.whole.len() >= 2 && !self.whole[1].starts_with('-');
                (!format_read).then(|| "as the format of printf".to_owned())
            }
            Some(word) => Some(format!("behind '{word}', which reads it as program")),
            None => None,
        }
    }
}

/// Every reference with its place, if all stand where they may.
fn walk(text: &str) -> Result<Vec<(usize, usize, &str)>, String> {
    let places = places(text);
    let mut inside = vec![Inside::Plain(false)];
    let mut words = vec![Words::default()];
    let (mut at, mut next, mut here_document) = (0, 0, false);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        if let Some((begin, end, name)) = places.get(next)
            && *begin == at
        {
            allowed(name, &inside, words.last(), here_document, &text[..at])?;
            if let Some(open) = words.last_mut() {
                open.open.push_str(name);
            }
            (at, next) = (*end, next + 1);
            continue;
        }
        here_document |= text[at..].starts_with("<<")
            && !text[at..].starts_with("<<<")
            && (at == 0 || bytes[at - 1] != b'<')
            && matches!(inside.last(), Some(Inside::Plain(_)));
        at += step(&text[at..], &mut inside, &mut words);
        // Whatever took its first character along made something else of it.
        if let Some((begin, _, name)) = places.get(next)
            && *begin < at
        {
            return Err(refusal(name, "behind a backslash"));
        }
    }
    Ok(places)
}

/// All references of a text with their places.
fn places(text: &str) -> Vec<(usize, usize, &str)> {
    let mut from = 0;
    let mut places = Vec::new();
    for name in references(text) {
        let whole = format!("{name}:value");
        let Some(begin) = text[from..].find(&whole).map(|begin| begin + from) else { break };
        from = begin + whole.len();
        places.push((begin, from, name));
    }
    places
}

fn allowed(
    name: &str,
    inside: &[Inside],
    words: Option<&Words>,
    here_document: bool,
    before: &str,
) -> Result<(), String> {
    let bad = inside.iter().find_map(|it| match it {
        Inside::Single | Inside::Double => Some("inside quotes"),
        Inside::Expansion => Some("inside ${…}"),
        Inside::Arithmetic(_) => Some("inside arithmetic, which reads it as program"),
        Inside::Backtick => Some("inside backticks"),
        Inside::Comment => Some("inside a comment"),
        Inside::Plain(_) => None,
    });
    let bad = bad.map(str::to_owned);
    let bad = bad.or_else(|| here_document.then(|| "behind a here-document (<<)".to_owned()));
    let bad = bad.or_else(|| before.ends_with('$').then(|| "behind a dollar sign".to_owned()));
    let bad = bad.or_else(|| (!is_shell_name(name)).then(|| "with a name no shell takes".into()));
    match bad.or_else(|| words.and_then(Words::objection)) {
        None => Ok(()),
        Some(place) => Err(refusal(name, &place)),
    }
}

fn refusal(name: &str, place: &str) -> String {
    format!(
        "the variable {name} stands {place} in a shell command, where its value could become part \
         of the program; let {name}:value stand alone as an argument, outside of quotes"
    )
}

/// Takes one character (or a pair that belongs together) and gives its length in bytes.
fn step(rest: &str, inside: &mut Vec<Inside>, words: &mut Vec<Words>) -> usize {
    let c = rest.chars().next().unwrap_or(' ');
    let length = c.len_utf8();
    let following = rest[length..].chars().next().map_or(0, char::len_utf8);
    let note = |words: &mut Vec<Words>, c: char| {
        if let Some(words) = words.last_mut() {
            words.open.push(c);
        }
    };
    match inside.last().copied().unwrap_or(Inside::Plain(false)) {
        Inside::Single if c == '\'' => drop(inside.pop()),
        Inside::Comment if c == '\n' => {
            inside.pop();
            words.last_mut().map(Words::end_command).unwrap_or_default();
        }
        Inside::Single | Inside::Comment => note(words, c),
        Inside::Double if c == '"' => drop(inside.pop()),
        Inside::Backtick if c == '`' => drop(inside.pop()),
        Inside::Expansion if c == '}' => drop(inside.pop()),
        Inside::Arithmetic(open) if matches!(c, '(' | ')') => {
            let open = if c == '(' { open + 1 } else { open - 1 };
            inside.pop();
            if open > 0 {
                inside.push(Inside::Arithmetic(open));
            }
        }
        _ if c == '\\' => {
            note(words, c);
            return length + following;
        }
        _ if rest.starts_with("$((") => {
            inside.push(Inside::Arithmetic(2));
            return 3;
        }
        _ if rest.starts_with("${") => {
            inside.push(Inside::Expansion);
            return 2;
        }
        Inside::Expansion | Inside::Arithmetic(_) | Inside::Backtick => {}
        _ if rest.starts_with("$(") => {
            inside.push(Inside::Plain(true));
            words.push(Words::default());
            return 2;
        }
        _ if c == '`' => inside.push(Inside::Backtick),
        Inside::Double => note(words, c),
        Inside::Plain(nested) => return plain(rest, c, nested, inside, words),
    }
    length
}

/// A character of plain text.
fn plain(
    rest: &str,
    c: char,
    nested: bool,
    inside: &mut Vec<Inside>,
    words: &mut Vec<Words>,
) -> usize {
    let at_word_start = words.last().is_some_and(|words| words.open.is_empty());
    match c {
        '\'' => inside.push(Inside::Single),
        '"' => inside.push(Inside::Double),
        '#' if at_word_start => inside.push(Inside::Comment),
        '(' if rest.starts_with("((") => {
            inside.push(Inside::Arithmetic(2));
            return 2;
        }
        '(' => {
            inside.push(Inside::Plain(true));
            words.push(Words::default());
        }
        ')' if nested => {
            inside.pop();
            words.pop();
        }
        ';' | '|' | '&' | '\n' | '{' | '}' | ')' => {
            words.last_mut().map(Words::end_command).unwrap_or_default();
        }
        c if c.is_whitespace() => words.last_mut().map(Words::end_word).unwrap_or_default(),
        c => {
            if let Some(words) = words.last_mut() {
                words.open.push(c);
            }
        }
    }
    c.len_utf8()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn variables_stand_as_plain_words() {
        for text in [
            "echo __v__:value",
            "ip route add blackhole __v__:value dev lo; echo done",
            "if test -n x; then logger __v__:value; fi",
            "grep -- __v__:value /etc/hosts | wc -l && echo 'it is fine'",
            "A=__v__:value; echo \"$A\"",
            "A=__v__:value cmd --ip=__v__:value",
            "echo $(cat __v__:value)",
            "(cd /tmp && ls __v__:value)",
            "printf '%s\\n' __v__:value",
            "cat <<< __v__:value",
            "for i in __v__:value; do echo \"$i\"; done",
            "echo it\\'s __v__:value # a 'comment",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn elsewhere_they_are_refused_with_place_and_remedy() {
        for (text, place) in [
            ("echo \"__v__:value\"", "inside quotes"),
            ("echo '__v__:value'", "inside quotes"),
            ("echo \"a $(cat __v__:value)\"", "inside quotes"),
            ("echo `cat __v__:value`", "inside backticks"),
            ("echo $((1 + __v__:value))", "arithmetic"),
            ("((x = __v__:value))", "arithmetic"),
            ("echo ${x:-__v__:value}", "inside ${…}"),
            ("cat <<EOF\n__v__:value\nEOF", "here-document"),
            ("eval __v__:value", "behind 'eval'"),
            ("sudo /bin/bash -c __v__:value", "behind 'bash'"),
            ("[[ __v__:value -eq 1 ]]", "behind '[['"),
            ("__v__:value --help", "where the command itself is named"),
            ("true; __v__:value", "where the command itself is named"),
            ("printf __v__:value", "format of printf"),
            ("printf -v __v__:value x", "format of printf"),
            ("echo \\__v__:value", "backslash"),
            ("echo x # __v__:value", "inside a comment"),
            ("echo __a-b__:value", "a name no shell takes"),
        ] {
            let refused = check(text);
            let fits = |why: &String| why.contains(place) && why.contains("stand alone");
            assert!(refused.as_ref().is_err_and(fits), "{text}: {refused:?}");
        }
    }

    #[test]
    fn values_are_beside_the_text() {
        let values: Values = [("__v__".to_owned(), "'; rm -rf / #".to_owned())].into();
        let shell = script("echo __v__:value", &values);
        let shell = shell.unwrap_or_else(|_| Shell { text: String::new(), environment: [].into() });
        assert_eq!(shell.text, "echo \"${__v__}\"");
        assert_eq!(shell.environment.get("__v__").map(String::as_str), Some("'; rm -rf / #"));
        assert!(script("echo __w__:value", &values).is_err_and(|why| why.contains("no value")));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[ -~\n]{0,60}(__v__:value)?[ -~é\n]{0,60}") {
            let _ = check(&text);
        }
    }
}
