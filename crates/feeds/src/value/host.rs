//! Addresses, networks, host names, endpoints, URLs, e-mail addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Kind;

/// Longest host name in bytes, without the trailing dot (RFC 1035 §2.3.4).
const MAX_NAME_BYTES: usize = 253;
/// Longest label in bytes (RFC 1035 §2.3.4).
const MAX_LABEL_BYTES: usize = 63;
/// Longest part before the `@` in bytes (RFC 5321 §4.5.3.1.1).
const MAX_LOCAL_BYTES: usize = 64;

/// An address or network; host bits are cleared, a full prefix is an address.
pub(super) fn address(text: &str) -> Option<(Kind, String)> {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix_length(prefix)?)),
        None => (text, None),
    };
    if !address.bytes().all(|b| b.is_ascii_hexdigit() || b == b'.' || b == b':') {
        return None;
    }
    match (address.parse().ok()?, prefix) {
        (IpAddr::V4(ip), None | Some(32)) => Some((Kind::Ipv4, dotted(ip))),
        (IpAddr::V6(ip), None | Some(128)) => Some((Kind::Ipv6, ip.to_string())),
        (IpAddr::V4(ip), Some(length @ 0..32)) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            Some((Kind::Ipv4Net, format!("{}/{length}", Ipv4Addr::from(u32::from(ip) & mask))))
        }
        (IpAddr::V6(ip), Some(length @ 0..128)) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(length)).unwrap_or(0);
            Some((Kind::Ipv6Net, format!("{}/{length}", Ipv6Addr::from(u128::from(ip) & mask))))
        }
        _ => None,
    }
}

/// `Ipv4Addr::to_string` goes through a padding buffer; feeds are millions of these.
fn dotted(ip: Ipv4Addr) -> String {
    let mut text = String::with_capacity(15);
    for (place, octet) in ip.octets().into_iter().enumerate() {
        if place > 0 {
            text.push('.');
        }
        if octet >= 100 {
            text.push(char::from(b'0' + octet / 100));
        }
        if octet >= 10 {
            text.push(char::from(b'0' + octet / 10 % 10));
        }
        text.push(char::from(b'0' + octet % 10));
    }
    text
}

fn prefix_length(text: &str) -> Option<u8> {
    let plain = !text.is_empty() && text.len() <= 3 && text.bytes().all(|b| b.is_ascii_digit());
    if plain && (text == "0" || !text.starts_with('0')) { text.parse().ok() } else { None }
}

/// A host name of two labels or more in ASCII, lower case, without trailing dot. Underscores are
/// allowed, as they are in the wild; a last label of digits only is not (RFC 3696 §2).
pub(super) fn domain(text: &str) -> Option<String> {
    let text = text.strip_suffix('.').unwrap_or(text);
    let name = if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        idna::domain_to_ascii(text).ok().filter(|name| name.is_ascii())?
    };
    let name = name.strip_suffix('.').map(str::to_owned).unwrap_or(name);
    is_name(&name).then_some(name)
}

fn is_name(name: &str) -> bool {
    if name.len() > MAX_NAME_BYTES {
        return false;
    }
    let mut labels = 0;
    let mut last = "";
    for label in name.split('.') {
        let bytes = label.as_bytes();
        let (Some(first), Some(end)) = (bytes.first(), bytes.last()) else { return false };
        let letters =
            |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_');
        if bytes.len() > MAX_LABEL_BYTES
            || *first == b'-'
            || *end == b'-'
            || !bytes.iter().all(letters)
        {
            return false;
        }
        labels += 1;
        last = label;
    }
    // Top-level domains are letters, or punycode.
    labels >= 2
        && !last.contains('_')
        && (last.bytes().all(|b| b.is_ascii_lowercase()) && last.len() >= 2
            || last.starts_with("xn--"))
}

/// `host:port` with a port from 1.
pub(super) fn endpoint(text: &str) -> Option<String> {
    let (host, port) = text.rsplit_once(':')?;
    if port.is_empty() || !port.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let port: u16 = port.parse().ok().filter(|port| *port > 0)?;
    if let Some(inner) = host.strip_prefix('[') {
        let ip: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
        return Some(format!("[{ip}]:{port}"));
    }
    if let Ok(ip) = host.parse::<Ipv4Addr>() {
        return Some(format!("{ip}:{port}"));
    }
    Some(format!("{}:{port}", domain(host)?))
}

/// A URL with a host, as the WHATWG URL standard serialises it.
pub(super) fn url(text: &str) -> Option<String> {
    let parsed = url::Url::parse(text).ok()?;
    let host = parsed.host_str().filter(|host| !host.is_empty())?;
    // Schemes unknown to the standard keep their host as it was written.
    if parsed.host_str().is_some_and(|host| host.bytes().any(|b| b.is_ascii_uppercase())) {
        let lower = host.to_ascii_lowercase();
        let mut parsed = parsed.clone();
        parsed.set_host(Some(&lower)).ok()?;
        return Some(parsed.into());
    }
    if host.ends_with('.') && host.len() > 1 {
        let bare = host.trim_end_matches('.').to_owned();
        let mut parsed = parsed.clone();
        parsed.set_host(Some(&bare)).ok()?;
        return Some(parsed.into());
    }
    Some(parsed.into())
}

/// The host in a normal URL, IPv6 in brackets.
pub(crate) fn url_host(url: &str) -> Option<&str> {
    let rest = &url[url.find("://")? + 3..];
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.starts_with('[') {
        return host.find(']').map(|end| &host[..=end]);
    }
    Some(host.split_once(':').map_or(host, |(host, _)| host))
}

/// An address `local@domain`, in lower case: RFC 5321 lets a host tell cases apart in the local
/// part, no mail system in use does, and lists spell the same address either way.
pub(super) fn email(text: &str) -> Option<String> {
    let (local, host) = text.rsplit_once('@')?;
    let text_char = |c: char| {
        !c.is_ascii() && !c.is_whitespace()
            || c.is_ascii_alphanumeric()
            || "!#$%&'*+-/=?^_`{|}~.".contains(c)
    };
    if local.is_empty()
        || local.len() > MAX_LOCAL_BYTES
        || local.starts_with('.')
        || local.ends_with('.')
        || local.contains("..")
        || !local.chars().all(text_char)
    {
        return None;
    }
    Some(format!("{}@{}", local.to_lowercase(), domain(host)?))
}
