//! Forms of texts: languages, names of the network, registries. Each is a test without a regular
//! expression, linear in the text.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A form of text.
pub(crate) struct Form {
    /// Whether a text has it.
    pub(crate) test: fn(&str) -> bool,
    /// In plain words.
    pub(crate) what: &'static str,
    /// Whether defanging (§6, `defanged`) may break it.
    pub(crate) defangs: bool,
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.what)
    }
}

const fn form(test: fn(&str) -> bool, what: &'static str) -> Form {
    Form { test, what, defangs: false }
}

const fn observable(test: fn(&str) -> bool, what: &'static str) -> Form {
    Form { test, what, defangs: true }
}

pub(super) static LANGUAGE: Form = form(is_language, "an RFC 5646 language tag");
pub(super) static HEX: Form = form(is_hex, "hexadecimal digits in pairs");
pub(super) static BASE64: Form = form(is_base64, "base64 with padding (RFC 4648)");
pub(super) static IPV4: Form =
    observable(|t| is_cidr::<Ipv4Addr>(t, 32), "an IPv4 address or CIDR range");
pub(super) static IPV6: Form =
    observable(|t| is_cidr::<Ipv6Addr>(t, 128), "an IPv6 address or CIDR range");
pub(super) static MAC: Form = observable(is_mac, "a MAC address in lower case with colons");
pub(super) static URL: Form = observable(is_url, "a URL (RFC 3986)");
pub(super) static DOMAIN: Form = observable(is_domain, "a domain name (RFC 1034, RFC 5890)");
pub(super) static EMAIL: Form = observable(is_email, "an addr-spec like user@host (RFC 5322)");
pub(super) static CPE: Form = form(is_cpe, "a CPE 2.3 formatted string");
pub(super) static MIME: Form = form(is_mime, "a media type like text/plain");
pub(super) static CHARSET: Form = form(is_charset, "a name of the IANA character set registry");
pub(super) static COUNTRY: Form = form(is_country, "an ISO 3166-1 alpha-2 code in upper case");
pub(super) static ADMINISTRATIVE_AREA: Form = form(is_area, "an ISO 3166-2 code like DE-BY");
pub(super) static PRODUCT: Form = form(is_phase_name, "lower case with words separated by dashes");
pub(super) static PHASE_NAME: Form =
    form(is_phase_name, "lower case, hyphens instead of spaces and underscores");
pub(super) static PROTOCOL: Form =
    form(is_service_name, "a service name of the IANA registry, in lower case");
pub(super) static PRIORITY: Form = form(|t| t.ends_with("_CLASS"), "a text that ends in _CLASS");
pub(super) static PROPERTY_NAME: Form =
    form(is_property_name, "a property name: 3 to 250 of a-z, 0-9 and `_`");
pub(super) static RELATIONSHIP_TYPE: Form =
    form(|t| !t.is_empty() && t.bytes().all(is_type_byte), "a-z, 0-9 and hyphens");
pub(super) static REGISTRY_KEY: Form =
    form(|t| !has_short_hive(t), "a key whose hive is written out, like HKEY_LOCAL_MACHINE");

const fn is_type_byte(b: u8) -> bool {
    b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'
}

/// Names of properties (§3.1, §11.1).
pub(crate) fn is_property_name(name: &str) -> bool {
    (3..=250).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Keys of dictionaries (§2.3).
pub(crate) fn is_dictionary_key(key: &str) -> bool {
    (1..=250).contains(&key.len())
        && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.len().is_multiple_of(2) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    text.len().is_multiple_of(4)
        && text.len() - body.len() <= 2
        && body.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}

fn is_cidr<A: std::str::FromStr>(text: &str, max_prefix: u8) -> bool {
    let (address, prefix) = text.split_once('/').unwrap_or((text, "0"));
    address.parse::<A>().is_ok()
        && !prefix.starts_with('+')
        && prefix.parse::<u8>().is_ok_and(|n| n <= max_prefix)
}

fn is_mac(text: &str) -> bool {
    let hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    text.len() == 17
        && text.bytes().enumerate().all(|(at, b)| if at % 3 == 2 { b == b':' } else { hex(b) })
}

/// RFC 3986: a scheme, a colon, and only characters of URIs, `%` before two digits. A locator
/// (§1.1.3) names a place, so something follows the scheme.
fn is_url(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_ok = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b));
    let bytes = rest.as_bytes();
    let authority = rest.strip_prefix("//");
    let host_ok = authority.is_none_or(|rest| !rest.is_empty());
    scheme_ok
        && !rest.is_empty()
        && host_ok
        && bytes.iter().enumerate().all(|(at, &b)| match b {
            b'%' => bytes.len() > at + 2 && bytes[at + 1..at + 3].iter().all(u8::is_ascii_hexdigit),
            _ => b.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(&b),
        })
}

/// Labels of 1 to 63 bytes, 253 in all; letters and digits of any script (U-labels), hyphens
/// inside, and the underscores of service names. A dot at the end is the root.
fn is_domain(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    (1..=253).contains(&name.len()) && name.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    // a U-label is longer in UTF-8 than as A-label's Punycode in most scripts: 4 bytes a character
    let most = if label.is_ascii() { 63 } else { 252 };
    (1..=most).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| match c {
            '-' | '_' => true,
            c if c.is_ascii() => c.is_ascii_alphanumeric(),
            // combining marks, joiners and the middle dot belong to labels of many scripts
            c => !c.is_whitespace() && !c.is_control() && !('\u{2000}'..='\u{200b}').contains(&c),
        })
}

/// `addr-spec` of RFC 5322 §3.4.1 (obsolete forms left out), UTF-8 allowed (RFC 6532).
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let atext =
        |c: char| !c.is_ascii() || c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let dot_atom =
        |text: &str| text.split('.').all(|part| !part.is_empty() && part.chars().all(atext));
    let quoted = local.len() >= 2
        && local.starts_with('"')
        && local.ends_with('"')
        && !local[1..local.len() - 1].contains(['\r', '\n']);
    let literal = domain.starts_with('[') && domain.ends_with(']') && domain.len() > 2;
    (dot_atom(local) || quoted) && (dot_atom(domain) || literal)
}

/// `cpe:2.3:` and eleven components, colons inside them escaped.
fn is_cpe(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("cpe:2.3:") else { return false };
    let (mut parts, mut length, mut escaped) = (1, 0, false);
    for c in rest.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ':' if length == 0 => return false,
            ':' => {
                parts += 1;
                length = 0;
                continue;
            }
            c if c.is_whitespace() || c.is_control() || !c.is_ascii() => return false,
            _ => {}
        }
        length += 1;
    }
    let part = rest.split(':').next().unwrap_or_default();
    parts == 11 && length > 0 && !escaped && matches!(part, "a" | "o" | "h" | "*" | "-")
}

/// A top-level type of the IANA registry and a subtype; parameters are not part of the template.
fn is_mime(text: &str) -> bool {
    const TOP: &[&str] = &[
        "application",
        "audio",
        "font",
        "haptics",
        "image",
        "message",
        "model",
        "multipart",
        "text",
        "video",
    ];
    text.split_once('/').is_some_and(|(top, sub)| {
        TOP.contains(&top)
            && (1..=127).contains(&sub.len())
            && sub.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&b))
    })
}

fn is_charset(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    CHARSETS.split_ascii_whitespace().any(|name| name.eq_ignore_ascii_case(&lower))
}

fn is_country(text: &str) -> bool {
    text.len() == 2 && COUNTRIES.split(' ').any(|code| code == text)
}

fn is_area(text: &str) -> bool {
    text.split_once('-').is_some_and(|(country, area)| {
        is_country(country)
            && (1..=3).contains(&area.len())
            && area.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    })
}

fn is_phase_name(text: &str) -> bool {
    !text.chars().any(|c| c.is_uppercase() || c.is_whitespace() || c == '_')
}

/// RFC 6335 §5.1, and lower case as §6.12 asks.
fn is_service_name(text: &str) -> bool {
    (1..=15).contains(&text.len())
        && text.bytes().all(is_type_byte)
        && text.bytes().any(|b| b.is_ascii_lowercase())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
}

fn has_short_hive(key: &str) -> bool {
    let hive = key.split('\\').next().unwrap_or_default();
    ["HKLM", "HKCC", "HKCR", "HKCU", "HKU"].iter().any(|short| hive.eq_ignore_ascii_case(short))
}

/// Whether a hash by a similarity algorithm of the vocabulary has its characters.
pub(crate) fn is_fuzzy_hash(name: &str, hash: &str) -> bool {
    match name {
        "SSDEEP" => {
            let parts: Vec<&str> = hash.split(':').collect();
            parts.len() == 3
                && !parts[0].is_empty()
                && parts[0].bytes().all(|b| b.is_ascii_digit())
                && parts[1..].iter().all(|part| {
                    part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
                })
        }
        "TLSH" => {
            // version 4 writes `T1` in front
            let body = hash.strip_prefix("T1").unwrap_or(hash);
            body.len() == 70 && body.bytes().all(|b| b.is_ascii_hexdigit())
        }
        _ => true,
    }
}

/// Well-formed by the grammar of RFC 5646 §2.1: language, extlang, script, region, variants,
/// extensions, private use; or grandfathered. Case does not matter.
pub(crate) fn is_language(text: &str) -> bool {
    const GRANDFATHERED: &str = "en-GB-oed i-ami i-bnn i-default i-enochian i-hak i-klingon \
        i-lux i-mingo i-navajo i-pwn i-tao i-tay i-tsu sgn-BE-FR sgn-BE-NL sgn-CH-DE";
    if GRANDFATHERED.split(' ').any(|tag| tag.eq_ignore_ascii_case(text)) {
        return true;
    }
    let parts: Vec<&str> = text.split('-').collect();
    if parts.iter().any(|p| !(1..=8).contains(&p.len()) || !p.bytes().all(alphanumeric)) {
        return false;
    }
    let letters = |p: &str| p.bytes().all(|b| b.is_ascii_alphabetic());
    let private = |p: &str| p.eq_ignore_ascii_case("x");
    if private(parts[0]) {
        return parts.len() > 1;
    }
    // No language of four to eight letters is registered, four are kept for later (§2.2.1).
    let registered = match parts[0].len() {
        2 => LANGUAGES.split_ascii_whitespace().any(|code| code.eq_ignore_ascii_case(parts[0])),
        length => length == 3,
    };
    if !registered || !letters(parts[0]) {
        return false;
    }
    let mut at = 1;
    let next = |at: usize| parts.get(at).copied().unwrap_or_default();
    while at <= 3 && next(at).len() == 3 && letters(next(at)) {
        at += 1;
    }
    at += usize::from(next(at).len() == 4 && letters(next(at)));
    let region = next(at);
    let digits = |p: &str| p.bytes().all(|b| b.is_ascii_digit());
    at += usize::from(
        (region.len() == 2 && letters(region)) || (region.len() == 3 && digits(region)),
    );
    while (5..=8).contains(&next(at).len())
        || (next(at).len() == 4 && next(at).starts_with(|c: char| c.is_ascii_digit()))
    {
        at += 1;
    }
    while next(at).len() == 1 && !private(next(at)) {
        let start = at + 1;
        at = start;
        while next(at).len() >= 2 {
            at += 1;
        }
        if at == start {
            return false;
        }
    }
    at == parts.len() || (private(next(at)) && at + 1 < parts.len())
}

const fn alphanumeric(b: u8) -> bool {
    b.is_ascii_alphanumeric()
}

const LANGUAGES: &str = include_str!("../../data/iso-639-1.txt");
const COUNTRIES: &str = include_str!("../../data/iso-3166-1.txt");
const CHARSETS: &str = include_str!("../../data/iana-charsets.txt");
