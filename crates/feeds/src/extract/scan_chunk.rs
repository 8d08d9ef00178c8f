//! Values in one run of characters without gaps.

use super::report::List;
use super::scan::{chunk, take};
use crate::value::{Kind, MAX_VALUE_BYTES, Observable, has_root, is_file_extension, is_known_tld};

/// Schemes whose URLs are looked for.
const SCHEMES: &[&str] = &[
    "http", "https", "ftp", "ftps", "sftp", "tcp", "udp", "ws", "wss", "ssh", "telnet", "ldap",
    "ldaps", "smb", "rtsp", "mqtt", "mqtts", "coap", "coaps", "opc.tcp", "socks5", "tftp",
];
/// Runs that a path may go on over behind a blank: `C:\Program Files (x86)\…`.
const PATH_RUNS: usize = 3;
/// Longest path over blanks, in bytes.
const MAX_PATH_BYTES: usize = 260;

/// Takes the values of `text[start..end]`; returns where the reading goes on.
pub(super) fn chunk_values(text: &str, start: usize, end: usize, list: &mut List<'_>) -> usize {
    let run = &text[start..end];
    if run.contains("://") {
        return urls(text, start, end, list);
    }
    if run.contains('\\')
        && let Some(after) = path(text, start, end, list)
    {
        return after;
    }
    let (from, to) = trimmed(text, start, end);
    if from < to && whole(text, from, to, list) {
        return end;
    }
    // Parts of a run: `1.2.3.4,5.6.7.8`, `(evil.example)`, `md5=…`.
    let mut part = start;
    for (at, c) in text[start..end].char_indices() {
        if matches!(
            c,
            ',' | ';'
                | '('
                | ')'
                | '['
                | ']'
                | '{'
                | '}'
                | '='
                | '*'
                | '!'
                | '?'
                | '\''
                | '#'
                | '&'
                | '\\'
        ) {
            piece(text, part, start + at, list);
            part = start + at + c.len_utf8();
        }
    }
    piece(text, part, end, list);
    end
}

/// Kinds that contain the characters that part a run.
fn whole(text: &str, start: usize, end: usize, list: &mut List<'_>) -> bool {
    let run = &text[start..end];
    let colons = run.bytes().filter(|b| *b == b':').count();
    if run.starts_with('[') && colons >= 2 {
        return take(Kind::Endpoint, text, (start, end), list);
    }
    // Hashes of almost nothing (`3::`) and times (`12:30:00`) have the form as well.
    if colons == 2 && run.len() >= 24 && take(Kind::Ssdeep, text, (start, end), list) {
        return true;
    }
    run.starts_with('/') && has_root(run) && take(Kind::FilePath, text, (start, end), list)
}

/// Without the punctuation of the sentence around it.
fn trimmed(text: &str, mut start: usize, mut end: usize) -> (usize, usize) {
    let run = &text[start..end];
    start += run.len()
        - run.trim_start_matches(['(', '{', '\'', ',', ';', ':', '*', '.', '-', '_', '=']).len();
    // What opens is never trimmed from the end, so it is looked for once.
    let run = &text[start..end];
    let opened = ['(', '[', '{'].map(|open| run.contains(open));
    while start < end {
        let Some(last) = text[start..end].chars().next_back() else { break };
        let closes = match last {
            '.' | ',' | ';' | ':' | '!' | '?' | '\'' | '*' | '-' | '_' | '/' | '=' => true,
            ')' => !opened[0],
            ']' => !opened[1],
            '}' => !opened[2],
            _ => false,
        };
        if !closes {
            break;
        }
        end -= last.len_utf8();
    }
    (start, end)
}

fn urls(text: &str, start: usize, end: usize, list: &mut List<'_>) -> usize {
    let mut from = start;
    while let Some(found) = text[from..end].find("://") {
        let colon = from + found;
        let scheme = scheme_start(text, from, colon);
        // The next URL of the run, where there is one, ends this one.
        let next = text[colon + 3..end]
            .find("://")
            .map(|at| scheme_start(text, colon + 3, colon + 3 + at));
        let stop =
            next.filter(|next| *next > colon + 3 && text[..*next].ends_with([',', ';', '|']));
        let (_, until) = trimmed_url(text, scheme, stop.unwrap_or(end));
        let known = SCHEMES.iter().any(|known| known.eq_ignore_ascii_case(&text[scheme..colon]));
        if known && until > colon + 3 && until - scheme <= MAX_VALUE_BYTES {
            take(Kind::Url, text, (scheme, until), list);
        }
        from = stop.unwrap_or(end);
    }
    end
}

fn scheme_start(text: &str, from: usize, colon: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = colon;
    while at > from
        && (bytes[at - 1].is_ascii_alphanumeric() || matches!(bytes[at - 1], b'+' | b'.' | b'-'))
    {
        at -= 1;
    }
    at
}

/// A slash at the end belongs to a URL.
fn trimmed_url(text: &str, start: usize, end: usize) -> (usize, usize) {
    let (from, to) = trimmed(text, start, end);
    let slash = text[to..end].starts_with('/');
    (from, if slash { to + 1 } else { to })
}

/// A Windows path or registry key from the beginning of a run, over blanks where it goes on.
fn path(text: &str, start: usize, end: usize, list: &mut List<'_>) -> Option<usize> {
    let run = &text[start..end];
    let lead = run.len() - run.trim_start_matches(['(', '[', '{', '\'', ',', ';', '=']).len();
    let from = start + lead;
    let run = &text[from..end];
    let upper = run.get(..2).is_some_and(|head| head.eq_ignore_ascii_case("HK"));
    let kind = if upper && Observable::of_kind(Kind::RegistryKey, run).is_ok() {
        Kind::RegistryKey
    } else if has_root(run) {
        Kind::FilePath
    } else {
        return None;
    };
    let mut until = end;
    let quoted = text[..start].ends_with(['"', '\u{201c}', '\u{201e}']);
    let window = (start..=text.len().min(start + MAX_PATH_BYTES))
        .rev()
        .find(|at| text.is_char_boundary(*at));
    let window = &text[start..window.unwrap_or(end).max(end)];
    let line = window.find('\n').map_or(window, |at| &window[..at]);
    let closing = line.find(['"', '\u{201d}', '\u{201c}']).filter(|_| quoted);
    match closing {
        Some(close) => until = (start + close).max(end),
        None => {
            while let Some(next) = goes_on(text, from, until) {
                if next - from > MAX_PATH_BYTES {
                    break;
                }
                until = next;
            }
        }
    }
    let (_, to) = trimmed(text, from, until);
    take(kind, text, (from, to), list).then_some(until)
}

/// The end of the run in which a path goes on behind a blank: one of the next runs has another
/// backslash, none before it ends a sentence, and the path so far does not end like a file.
fn goes_on(text: &str, from: usize, end: usize) -> Option<usize> {
    let last = text[from..end].rsplit('\\').next().unwrap_or_default();
    let file = last.rsplit_once('.').is_some_and(|(_, ending)| {
        is_file_extension(ending.trim_end_matches([',', ';', ')', '.']))
    });
    if file || text[from..end].ends_with([',', ';', '.', ':', ')']) {
        return None;
    }
    let mut at = end;
    for _ in 0..PATH_RUNS {
        let (start, stop) = chunk(text, at)?;
        // One blank exactly: anything else is another column or line.
        if text.get(at..start) != Some(" ") {
            return None;
        }
        let run = &text[start..stop];
        if run.contains(":\\") || run.starts_with(['\\', '%']) || run.contains("://") {
            return None;
        }
        if run.contains('\\') {
            return Some(stop);
        }
        if run.ends_with([',', ';', '.', ':']) {
            return None;
        }
        at = stop;
    }
    None
}

/// One part of a run.
fn piece(text: &str, start: usize, end: usize, list: &mut List<'_>) {
    let (from, to) = trimmed(text, start, end);
    if from >= to || to - from < 4 || to - from > MAX_VALUE_BYTES {
        return;
    }
    let part = &text[from..to];
    if value(text, from, to, list) {
        return;
    }
    // `host/path` without scheme; `sha256:…`, `hash/hash`.
    if let Some(at) = part.find(['/', ':']) {
        let head = trimmed(text, from, from + at);
        if part.as_bytes()[at] == b'/' && head.1 - head.0 >= 4 && value(text, head.0, head.1, list)
        {
            return;
        }
        // Only what cannot be part of a path: names of files inside paths are no hosts.
        let mut place = from;
        for segment in part.split(['/', ':']) {
            if segment.len() >= 32 {
                digest(text, place, place + segment.len(), list);
            }
            place += segment.len() + 1;
        }
    }
}

fn value(text: &str, start: usize, end: usize, list: &mut List<'_>) -> bool {
    let part = &text[start..end];
    let bytes = part.as_bytes();
    let has = |byte: u8| memchr::memchr(byte, bytes).is_some();
    let place = (start, end);
    if has(b'@') {
        return take(Kind::Email, text, place, list);
    }
    let first = bytes[0];
    if first.is_ascii_hexdigit() || first == b':' {
        if digest(text, start, end, list) {
            return true;
        }
        if has(b':') || has(b'.') || has(b'-') {
            for kind in [Kind::Ipv4, Kind::Ipv4Net, Kind::Mac, Kind::Ipv6, Kind::Ipv6Net] {
                // `::`, `a::b` are code; addresses in reports are longer.
                let short = matches!(kind, Kind::Ipv6 | Kind::Ipv6Net) && bytes.len() < 6;
                if !short && take(kind, text, place, list) {
                    return true;
                }
            }
        }
    }
    let word = bytes.iter().all(u8::is_ascii_alphanumeric);
    if word {
        let coin = matches!(first, b'1' | b'3' | b'b') && bytes.len() >= 26;
        let tlsh = matches!(bytes.len(), 70 | 72);
        let asn = bytes.len() <= 12 && (part.starts_with("AS") || part.starts_with("as"));
        return coin && take(Kind::Bitcoin, text, place, list)
            || tlsh && take(Kind::Tlsh, text, place, list)
            || asn
                && bytes[2..].iter().all(u8::is_ascii_digit)
                && take(Kind::Asn, text, place, list);
    }
    if has(b':') {
        return take(Kind::Endpoint, text, place, list);
    }
    has(b'.') && !has(b'/') && name(text, start, end, list)
}

/// A digest; "imphash" before an MD5 makes it one of imports.
fn digest(text: &str, start: usize, end: usize, list: &mut List<'_>) -> bool {
    let kind = match end - start {
        32 => {
            let mut from = start.saturating_sub(16);
            while !text.is_char_boundary(from) {
                from += 1;
            }
            let before = text[from..start].to_ascii_lowercase();
            if before.contains("imphash") { Kind::Imphash } else { Kind::Md5 }
        }
        40 => Kind::Sha1,
        56 => Kind::Sha224,
        64 => Kind::Sha256,
        96 => Kind::Sha384,
        128 => Kind::Sha512,
        _ => return false,
    };
    take(kind, text, (start, end), list)
}

/// A name with dots: of a host or of a file. Words of a text that only happen to have a dot inside
/// are neither.
fn name(text: &str, start: usize, end: usize, list: &mut List<'_>) -> bool {
    let part = &text[start..end];
    let Some((_, last)) = part.rsplit_once('.') else { return false };
    // Who defangs by rote defangs names of files as well.
    let host = list.defanged(start, end) && !is_file_extension(last);
    if is_known_tld(last) || last.starts_with("xn--") || host || !last.is_ascii() {
        return take(Kind::Domain, text, (start, end), list);
    }
    is_file_extension(last) && take(Kind::FileName, text, (start, end), list)
}
