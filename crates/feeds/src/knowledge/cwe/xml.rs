//! `cwec_v*.xml`, read for the names of weaknesses: tags, their attributes and the text of one element, in one pass.
//! Document types are refused, so that no entity grows.

use memchr::memchr;

use super::{CweError, MAX_NAME_CHARS, MAX_WEAKNESSES, Weakness};

/// Longest tag, bytes.
const MAX_TAG_BYTES: usize = 64 << 10;
/// Characters of a description.
const MAX_DESCRIPTION_CHARS: usize = 20_000;
/// Deepest nesting of elements.
const MAX_DEPTH: usize = 256;

/// A weakness under way.
struct Open {
    weakness: Weakness,
    /// Depth of its element.
    depth: usize,
    deprecated: bool,
}

pub(super) fn read(bytes: &[u8]) -> Result<Vec<Weakness>, CweError> {
    let (mut at, mut depth) = (0, 0_usize);
    let mut found: Vec<Weakness> = Vec::new();
    let mut open: Option<Open> = None;
    let mut in_description = false;
    while let Some(start) = memchr(b'<', bytes.get(at..).unwrap_or_default()) {
        let text = bytes.get(at..at + start).unwrap_or_default();
        if let Some(open) = open.as_mut().filter(|_| in_description) {
            unescaped(text, &mut open.weakness.description);
        }
        at += start;
        let rest = bytes.get(at..).unwrap_or_default();
        let (length, kind) = tag(rest).map_err(|why| CweError::Xml(at, why))?;
        let body = rest.get(..length).unwrap_or_default();
        match kind {
            Tag::Other => {}
            Tag::Text(text) => {
                if let Some(open) = open.as_mut().filter(|_| in_description) {
                    open.weakness.description.push_str(&String::from_utf8_lossy(text));
                }
            }
            Tag::Start { closed } => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(CweError::Xml(at, "elements lie too deep in each other"));
                }
                match (&open, name(body)) {
                    (None, b"Weakness") => open = weakness(body, depth),
                    (Some(open), b"Description") if depth == open.depth + 1 => {
                        in_description = !closed;
                    }
                    _ => {}
                }
                if closed {
                    depth -= 1;
                }
            }
            Tag::End => {
                if open.as_ref().is_some_and(|open| depth == open.depth + 1) {
                    in_description = false;
                }
                if let Some(done) = open.take_if(|open| depth == open.depth)
                    && !done.deprecated
                {
                    found.push(clean(done.weakness));
                    if found.len() > MAX_WEAKNESSES {
                        return Err(CweError::TooMany);
                    }
                }
                depth = depth.checked_sub(1).ok_or(CweError::Xml(at, "an end without begin"))?;
            }
        }
        at += length;
    }
    match (depth, found.is_empty()) {
        (0, true) => Err(CweError::Empty),
        (0, false) => Ok(found),
        _ => Err(CweError::Xml(bytes.len(), "the file ends within an element")),
    }
}

enum Tag<'b> {
    Start {
        closed: bool,
    },
    End,
    /// CDATA.
    Text(&'b [u8]),
    /// A comment or an instruction.
    Other,
}

/// What begins here with `<`, and how long it is.
fn tag(rest: &[u8]) -> Result<(usize, Tag<'_>), &'static str> {
    let until = |begin: usize, end: &[u8]| {
        let found = memchr::memmem::find(rest.get(begin..).unwrap_or_default(), end);
        found.map(|at| begin + at + end.len()).ok_or("it has no end")
    };
    if rest.starts_with(b"<!--") {
        return Ok((until(4, b"-->")?, Tag::Other));
    }
    if rest.starts_with(b"<![CDATA[") {
        let end = until(9, b"]]>")?;
        return Ok((end, Tag::Text(rest.get(9..end - 3).unwrap_or_default())));
    }
    if rest.starts_with(b"<?") {
        return Ok((until(2, b"?>")?, Tag::Other));
    }
    if rest.starts_with(b"<!") {
        return Err("document types are not read");
    }
    let mut quote = None;
    for (at, &byte) in rest.iter().enumerate().take(MAX_TAG_BYTES) {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            (None, b'>') => {
                let kind = match (rest.get(1), rest.get(at - 1)) {
                    (Some(b'/'), _) => Tag::End,
                    (_, Some(b'/')) => Tag::Start { closed: true },
                    _ => Tag::Start { closed: false },
                };
                return Ok((at + 1, kind));
            }
            _ => {}
        }
    }
    Err("a tag has no end, or is too long")
}

fn name(tag: &[u8]) -> &[u8] {
    let inner = tag.get(1..).unwrap_or_default();
    let end = inner.iter().position(|b| b.is_ascii_whitespace() || matches!(b, b'>' | b'/'));
    inner.get(..end.unwrap_or(inner.len())).unwrap_or_default()
}

/// The value of an attribute.
fn attribute(tag: &[u8], wanted: &str) -> Option<String> {
    let mut rest = tag.get(1 + name(tag).len()..)?;
    loop {
        let equals = memchr(b'=', rest)?;
        let key = rest.get(..equals)?.trim_ascii();
        let after = rest.get(equals + 1..)?.trim_ascii_start();
        let (quote, value) = after.split_first()?;
        let end = memchr(*quote, value)?;
        if key == wanted.as_bytes() {
            let mut text = String::new();
            unescaped(value.get(..end)?, &mut text);
            return Some(text);
        }
        rest = value.get(end + 1..)?;
    }
}

fn weakness(tag: &[u8], depth: usize) -> Option<Open> {
    let number: u32 = attribute(tag, "ID")?.parse().ok()?;
    let name: String = attribute(tag, "Name")?.trim().chars().take(MAX_NAME_CHARS).collect();
    let deprecated = attribute(tag, "Status").is_some_and(|status| status == "Deprecated");
    let id = format!("CWE-{number}");
    let weakness = Weakness { id, name, description: String::new() };
    (!weakness.name.is_empty()).then_some(Open { weakness, depth, deprecated })
}

/// Blanks of the file's own layout are none of the text's.
fn clean(mut weakness: Weakness) -> Weakness {
    let words: Vec<&str> = weakness.description.split_whitespace().collect();
    weakness.description = words.join(" ").chars().take(MAX_DESCRIPTION_CHARS).collect();
    weakness
}

/// Text with the five names of XML and numbers put in (XML 1.0 §4.1, §4.6); what else looks like one stays.
fn unescaped(text: &[u8], out: &mut String) {
    let text = String::from_utf8_lossy(text);
    let mut rest = text.as_ref();
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let known = after.split_once(';').and_then(|(word, more)| Some((entity(word)?, more)));
        match known {
            Some((c, more)) => {
                out.push(c);
                rest = more;
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
}

fn entity(word: &str) -> Option<char> {
    match word {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = word.strip_prefix('#')?;
            let code = match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|c| !c.is_control() || matches!(c, '\n' | '\t'))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn weaknesses_are_read_and_nothing_that_only_looks_like_one() {
        let text = r#"<?xml version="1.0"?><!-- <Weakness ID="1" Name="a comment"> -->
<Weakness_Catalog><Weaknesses>
  <Weakness ID="79" Name='Cross-site &quot;Scripting&#34; > x' Status="Stable">
    <Description>It  does
      &lt;this&gt; <![CDATA[& that]]></Description>
    <Extended_Description>Not <Description>this</Description></Extended_Description>
    <Related_Weaknesses><Weakness ID="3" Name="within another"/></Related_Weaknesses>
  </Weakness>
  <Weakness ID="80" Name="No description"></Weakness>
  <Weakness ID="81" Name="Old" Status="Deprecated"><Description>x</Description></Weakness>
  <Weakness ID="x" Name="No number"><Description>y</Description></Weakness>
</Weaknesses><Categories><Category ID="2" Name="7PK"/></Categories></Weakness_Catalog>"#;
        let found = super::super::read(text.as_bytes()).unwrap();
        let ids: Vec<&str> = found.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(ids, ["CWE-79", "CWE-80"]);
        assert_eq!(found[0].name, "Cross-site \"Scripting\" > x");
        assert_eq!(found[0].description, "It does <this> & that");
        assert_eq!(found[1].description, "");
    }

    #[test]
    fn what_is_no_list_is_refused() {
        let check = |text: &str, words: &str| {
            let why = read(text.as_bytes()).unwrap_err().to_string();
            assert!(why.contains(words), "{why}");
        };
        check("<html></html>", "no weakness");
        check("<!DOCTYPE x [<!ENTITY a \"b\">]><x/>", "document types");
        check("<Weakness_Catalog><Weakness ID=\"1\" Name=\"x\">", "ends within");
        check("</x>", "without begin");
        check("<x", "no end");
        check("<!-- ", "no end");
        check(&"<a>".repeat(10_000), "too deep");
        check(&format!("<a b=\"{}\">", "x".repeat(MAX_TAG_BYTES)), "too long");
    }
}
