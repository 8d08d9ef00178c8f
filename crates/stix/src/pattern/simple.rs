//! STIX patterns (§9): the simple ones, a disjunction of equalities, which are what lists of
//! addresses and names are made of. They turn an indicator into rows of a value index; a pattern
//! of any other form yields `None` and is left to a matcher.

/// Longest pattern that is looked at, in bytes.
const MAX_PATTERN_BYTES: usize = 64 * 1024;
/// Most values taken of one pattern.
pub const MAX_VALUES: usize = 1_000;

/// One equality: an object path like `ipv4-addr:value` and the text it must equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimpleValue {
    /// Object path as written, e.g. `ipv4-addr:value`.
    pub path: String,
    /// The text, with its escapes resolved.
    pub value: String,
}

#[derive(Debug, PartialEq)]
enum Token {
    Open,
    Close,
    ParenOpen,
    ParenClose,
    Comma,
    Equals,
    Word(String),
    Text(String),
}

/// The values of a pattern of the form `[a = 'x' OR b IN ('y', 'z')] OR [c = 'w']`; `None` for
/// every other pattern.
#[must_use]
pub fn simple_values(pattern: &str) -> Option<Vec<SimpleValue>> {
    let tokens = tokens(pattern)?;
    let mut at = 0;
    let mut values = Vec::new();
    loop {
        take(&tokens, &mut at, &Token::Open)?;
        loop {
            comparison(&tokens, &mut at, &mut values)?;
            if values.len() > MAX_VALUES {
                return None;
            }
            match tokens.get(at)? {
                Token::Close => break,
                Token::Word(word) if word == "OR" => at += 1,
                _ => return None,
            }
        }
        at += 1;
        match tokens.get(at) {
            None => return Some(values),
            Some(Token::Word(word)) if word == "OR" => at += 1,
            Some(_) => return None,
        }
    }
}

fn take(tokens: &[Token], at: &mut usize, expect: &Token) -> Option<()> {
    (tokens.get(*at)? == expect).then(|| *at += 1)
}

fn comparison(tokens: &[Token], at: &mut usize, values: &mut Vec<SimpleValue>) -> Option<()> {
    let Token::Word(path) = tokens.get(*at)? else { return None };
    if !path.contains(':') {
        return None;
    }
    match (tokens.get(*at + 1)?, tokens.get(*at + 2)?) {
        (Token::Equals, Token::Text(value)) => {
            values.push(SimpleValue { path: path.clone(), value: value.clone() });
            *at += 3;
            Some(())
        }
        (Token::Word(word), Token::ParenOpen) if word == "IN" => {
            *at += 3;
            loop {
                let Token::Text(value) = tokens.get(*at)? else { return None };
                values.push(SimpleValue { path: path.clone(), value: value.clone() });
                *at += 2;
                match tokens.get(*at - 1)? {
                    Token::Comma => {}
                    Token::ParenClose => return Some(()),
                    _ => return None,
                }
            }
        }
        _ => None,
    }
}

fn tokens(pattern: &str) -> Option<Vec<Token>> {
    if pattern.len() > MAX_PATTERN_BYTES {
        return None;
    }
    let mut tokens = Vec::new();
    let mut rest = pattern.chars().peekable();
    while let Some(&c) = rest.peek() {
        let single = match c {
            '[' => Some(Token::Open),
            ']' => Some(Token::Close),
            '(' => Some(Token::ParenOpen),
            ')' => Some(Token::ParenClose),
            ',' => Some(Token::Comma),
            '=' => Some(Token::Equals),
            _ => None,
        };
        if let Some(token) = single {
            rest.next();
            // `==` is an accepted spelling of `=`
            if token == Token::Equals && rest.peek() == Some(&'=') {
                rest.next();
            }
            tokens.push(token);
        } else if c.is_whitespace() {
            rest.next();
        } else if c == '\'' {
            rest.next();
            tokens.push(Token::Text(text(&mut rest)?));
        } else if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.') {
            let mut word = String::new();
            while let Some(&c) = rest.peek() {
                if !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.')) {
                    break;
                }
                word.push(c);
                rest.next();
            }
            tokens.push(Token::Word(word));
        } else {
            return None;
        }
    }
    Some(tokens)
}

/// Reads up to the closing quote; `\'` and `\\` are the two escapes of §9.
fn text(rest: &mut impl Iterator<Item = char>) -> Option<String> {
    let mut out = String::new();
    loop {
        match rest.next()? {
            '\'' => return Some(out),
            '\\' => match rest.next()? {
                c @ ('\'' | '\\') => out.push(c),
                _ => return None,
            },
            c => out.push(c),
        }
    }
}

/// The pattern `[path = 'value']`, escaped.
#[must_use]
pub fn equals(path: &str, value: &str) -> String {
    format!("[{path} = '{}']", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// Whether a pattern has at least the outer form of one: it is not empty, starts with `[` or `(`,
/// and its brackets close outside of texts.
#[must_use]
pub fn looks_like_pattern(pattern: &str) -> bool {
    let (mut open, mut in_text, mut escaped) = (Vec::new(), false, false);
    if !pattern.trim_start().starts_with(['[', '(']) {
        return false;
    }
    for c in pattern.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if in_text => escaped = true,
            '\'' => in_text = !in_text,
            _ if in_text => {}
            '[' | '(' => open.push(c),
            ']' if open.pop() != Some('[') => return false,
            ')' if open.pop() != Some('(') => return false,
            _ => {}
        }
    }
    open.is_empty() && !in_text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn check(pattern: &str, expect: &[(&str, &str)]) {
        let got = simple_values(pattern).unwrap();
        let got: Vec<_> = got.iter().map(|v| (v.path.as_str(), v.value.as_str())).collect();
        assert_eq!(got, expect, "{pattern}");
    }

    #[test]
    fn takes_the_values_of_simple_patterns() {
        check("[ipv4-addr:value = '198.51.100.1']", &[("ipv4-addr:value", "198.51.100.1")]);
        check(
            "[ ipv4-addr:value == '1.2.3.4' OR domain-name:value IN ('a.example', 'b\\'s') ] OR [url:value='http://x']",
            &[
                ("ipv4-addr:value", "1.2.3.4"),
                ("domain-name:value", "a.example"),
                ("domain-name:value", "b's"),
                ("url:value", "http://x"),
            ],
        );
    }

    #[test]
    fn leaves_other_patterns_alone() {
        for pattern in [
            "",
            "[",
            "[ipv4-addr:value = '1' AND domain-name:value = '2']",
            "[ipv4-addr:value != '1']",
            "[ipv4-addr:value = '1'] FOLLOWEDBY [url:value = 'x']",
            "[file:hashes.'SHA-256' = 'aa']",
            "[ipv4-addr:value = 'open",
            "[ipv4-addr:value IN ()]",
            "[ipv4-addr:value = '1'] WITHIN 5 SECONDS",
        ] {
            assert_eq!(simple_values(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn outer_form() {
        assert!(looks_like_pattern("([a:b = ']'] AND [c:d = 'e']) WITHIN 5 SECONDS"));
        for pattern in ["", "rule x {}", "[a:b = 'c'", "[a:b = 'c)]", "[(a:b = 'c'])"] {
            assert!(!looks_like_pattern(pattern), "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_taken(value in "\\PC{0,40}") {
            let pattern = equals("domain-name:value", &value);
            prop_assert!(looks_like_pattern(&pattern));
            let got = simple_values(&pattern).unwrap();
            prop_assert_eq!(&got[0].value, &value);
        }

        #[test]
        fn any_text_is_taken_or_left(text in "[\\[\\]()a:=' ,\\\\OR]{0,60}") {
            let _ = (simple_values(&text), looks_like_pattern(&text));
        }
    }
}
