//! Text out of HTML: tags away, scripts and styles with their content, entities resolved. It does
//! not build a tree and runs nothing.

/// Tags whose content is no text.
const DROPPED: &[&str] = &["script", "style", "noscript", "template", "svg", "head", "iframe"];
/// Tags that do not part words.
const INLINE: &[&str] = &[
    "a", "abbr", "b", "bdi", "bdo", "code", "em", "font", "i", "kbd", "mark", "q", "s", "samp",
    "small", "span", "strong", "sub", "sup", "u", "var", "wbr",
];
/// Longest name of an entity, in bytes.
const MAX_ENTITY_BYTES: usize = 10;

/// Whether a text is HTML: it has a doctype or one of the tags that every page has.
#[must_use]
pub fn is_html(text: &str) -> bool {
    let mut end = text.len().min(4_096);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let head = text[..end].to_ascii_lowercase();
    let head = head.trim_start_matches('\u{feff}').trim_start();
    head.starts_with("<!doctype html")
        || head.starts_with("<?xml") && head.contains("<html")
        || ["<html", "<body", "<div", "<p>", "<table", "<head>"]
            .iter()
            .any(|tag| head.contains(tag))
}

/// The text of a page, in linear time.
#[must_use]
pub fn strip(html: &str) -> String {
    let mut out = String::with_capacity(html.len() / 2);
    let mut rest = html;
    while let Some(at) = memchr::memchr2(b'<', b'&', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = if rest.starts_with('&') { entity(rest, &mut out) } else { tag(rest, &mut out) };
    }
    out.push_str(rest);
    out
}

/// Takes a tag or comment from the front; returns what follows.
fn tag<'a>(text: &'a str, out: &mut String) -> &'a str {
    if let Some(comment) = text.strip_prefix("<!--") {
        return comment.find("-->").map_or("", |end| &comment[end + 3..]);
    }
    let inner = &text[1..];
    let closing = inner.starts_with('/');
    let name_at = &inner[usize::from(closing)..];
    if !name_at.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!' || c == '?') {
        out.push('<');
        return inner;
    }
    let Some(end) = tag_end(inner) else { return "" };
    let after = &inner[end + 1..];
    let length = name_at.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name_at.len());
    let name = name_at[..length].to_ascii_lowercase();
    if !closing && DROPPED.contains(&name.as_str()) && !inner[..end].ends_with('/') {
        return close(after, &name);
    }
    if !INLINE.contains(&name.as_str()) {
        out.push('\n');
    }
    after
}

/// The `>` of a tag, quotes respected; an open quote falls back to the first `>`.
fn tag_end(inner: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in inner.bytes().enumerate().take(64 << 10) {
        match (quote, byte) {
            (None, b'>') => return Some(at),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    memchr::memchr(b'>', inner.as_bytes())
}

/// What follows the end tag of `name`.
fn close<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest.as_bytes(), b"</") {
        rest = &rest[at + 2..];
        if rest.get(..name.len()).is_some_and(|have| have.eq_ignore_ascii_case(name)) {
            return memchr::memchr(b'>', rest.as_bytes()).map_or("", |end| &rest[end + 1..]);
        }
    }
    ""
}

/// Takes an entity from the front; returns what follows.
fn entity<'a>(text: &'a str, out: &mut String) -> &'a str {
    let window = &text.as_bytes()[1..text.len().min(MAX_ENTITY_BYTES + 2)];
    let found = memchr::memchr(b';', window).and_then(|end| {
        let name = text.get(1..=end)?;
        let c = match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "apos" => '\'',
            "nbsp" => ' ',
            "period" => '.',
            "colon" => ':',
            "commat" => '@',
            "sol" => '/',
            "lsqb" | "lbrack" => '[',
            "rsqb" | "rbrack" => ']',
            "hyphen" | "dash" => '-',
            "ndash" => '\u{2013}',
            "mdash" => '\u{2014}',
            "shy" | "zwnj" => '\u{200b}',
            _ => {
                let digits = name.strip_prefix('#')?;
                let code = match digits.strip_prefix(['x', 'X']) {
                    Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
                    None => digits.parse().ok()?,
                };
                char::from_u32(code).filter(|c| !c.is_control() || c.is_whitespace())?
            }
        };
        Some((c, end + 2))
    });
    match found {
        Some((c, used)) => {
            out.push(c);
            &text[used..]
        }
        None => {
            out.push('&');
            &text[1..]
        }
    }
}
