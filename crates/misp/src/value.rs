//! Values by attribute type: defanging undone, normal form, and what is wrong with what is left. The rules are those of
//! MISP's attribute validation, as PyMISP publishes them.

use std::net::IpAddr;

/// Longest value, in bytes.
pub const MAX_VALUE_BYTES: usize = 1 << 20;

/// Why a value does not fit its type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is not a value of type {kind}: {what}")]
pub struct ValueError {
    /// The type.
    pub kind: String,
    /// The value, cut to 80 characters.
    pub value: String,
    /// What is expected.
    pub what: String,
}

fn error(kind: &str, value: &str, what: impl Into<String>) -> ValueError {
    ValueError { kind: kind.to_owned(), value: value.chars().take(80).collect(), what: what.into() }
}

/// Undoes the usual ways of making addresses harmless: `hxxp`, `[.]`, `(dot)`, `[at]`, `[:]`.
#[must_use]
pub fn refang(text: &str) -> String {
    let mut out = text.to_owned();
    for (from, to) in [
        ("[.]", "."),
        ("(.)", "."),
        ("{.}", "."),
        ("[dot]", "."),
        ("(dot)", "."),
        ("[DOT]", "."),
        ("\\.", "."),
        ("[.", "."),
        (".]", "."),
        ("[@]", "@"),
        ("[at]", "@"),
        ("(at)", "@"),
        ("[:]", ":"),
        ("[://]", "://"),
        ("[/]", "/"),
    ] {
        if out.contains(from) {
            out = out.replace(from, to);
        }
    }
    for (from, to) in
        [("hxxps", "https"), ("hxxp", "http"), ("meow", "http"), ("h**p", "http"), ("fxp", "ftp")]
    {
        if let Some(head) = out.get(..from.len())
            && head.eq_ignore_ascii_case(from)
        {
            out = format!("{to}{}", &out[from.len()..]);
            break;
        }
    }
    out
}

/// Length of a hash in hexadecimal digits; 0 for those of another form.
fn hash_digits(kind: &str) -> Option<usize> {
    Some(match kind {
        "md5"
        | "imphash"
        | "x509-fingerprint-md5"
        | "ja3-fingerprint-md5"
        | "hassh-md5"
        | "hasshserver-md5"
        | "dom-hash" => 32,
        "sha1" | "x509-fingerprint-sha1" | "pehash" | "cdhash" | "git-commit-id" => 40,
        "sha224" | "sha512/224" | "sha3-224" => 56,
        "jarm-fingerprint" => 62,
        "sha256" | "sha512/256" | "sha3-256" | "authentihash" | "x509-fingerprint-sha256" => 64,
        "telfhash" => 70,
        "sha384" | "sha3-384" => 96,
        "sha512" | "sha3-512" => 128,
        _ => return None,
    })
}

/// The normal form of a value: trimmed, refanged, lower case where MISP does so.
///
/// # Errors
/// [`ValueError`] where the value cannot be one of the type. A type that is not known takes any text.
pub fn normalise(kind: &str, value: &str) -> Result<String, ValueError> {
    let text = value.trim();
    if text.is_empty() {
        return Err(error(kind, value, "it is empty"));
    }
    if text.len() > MAX_VALUE_BYTES {
        return Err(error(
            kind,
            value,
            format!("it is longer than {MAX_VALUE_BYTES} bytes; attach it instead"),
        ));
    }
    if let Some((first, second)) = parts(kind) {
        return composite(kind, (first, second), text);
    }
    single(kind, text)
}

/// The types of a composite type's two values.
#[must_use]
pub fn parts(kind: &str) -> Option<(&str, &str)> {
    match kind {
        "malware-sample" => Some(("filename", "md5")),
        "domain|ip" => Some(("domain", "ip-dst")),
        "regkey|value" => Some(("regkey", "text")),
        _ => kind.split_once('|'),
    }
}

/// Splits a composite value into its two.
#[must_use]
pub fn split<'a>(kind: &str, value: &'a str) -> Option<(&'a str, &'a str)> {
    parts(kind)?;
    match (kind.starts_with("filename|") || kind == "malware-sample", kind.ends_with("|port")) {
        // A name may contain the separator, a hash or port never.
        (true, _) | (_, true) => value.rsplit_once('|'),
        _ => value.split_once('|'),
    }
}

fn composite(kind: &str, (first, second): (&str, &str), text: &str) -> Result<String, ValueError> {
    let pair = split(kind, text).map(|(a, b)| (a.to_owned(), b.to_owned())).or_else(|| {
        // MISP takes `host:port` for `host|port`, but not for an IPv6 address, in which the colon is no separator.
        let (host, port) = kind.ends_with("|port").then(|| text.rsplit_once(':'))??;
        (!host.contains(':')).then(|| (host.to_owned(), port.to_owned()))
    });
    let Some((a, b)) = pair else {
        return Err(error(kind, text, format!("write it as {first}|{second}")));
    };
    let of = |kind: &str, part: &str| normalise(kind, part);
    Ok(format!("{}|{}", of(first, &a)?, of(second, &b)?))
}

fn single(kind: &str, text: &str) -> Result<String, ValueError> {
    if let Some(digits) = hash_digits(kind) {
        let lower = text.to_ascii_lowercase();
        let hexadecimal = lower.bytes().all(|b| b.is_ascii_hexdigit());
        return if lower.len() == digits && hexadecimal {
            Ok(lower)
        } else {
            Err(error(kind, text, format!("{digits} hexadecimal digits are expected")))
        };
    }
    match kind {
        "ip-src" | "ip-dst" => address(kind, text),
        "domain" | "hostname" => domain(kind, text),
        "url" | "link" => {
            let url = refang(text);
            if url.contains(char::is_whitespace) {
                Err(error(kind, text, "it has a blank"))
            } else {
                Ok(url)
            }
        }
        "email"
        | "email-src"
        | "email-dst"
        | "email-reply-to"
        | "target-email"
        | "whois-registrant-email"
        | "dns-soa-email"
        | "jabber-id"
        | "eppn" => mail(kind, text),
        "AS" => autonomous_system(text),
        "mac-address" => mac(kind, text, 6),
        "mac-eui-64" => mac(kind, text, 8),
        "port" | "size-in-bytes" | "counter" | "integer" | "float" | "boolean" => {
            number(kind, text)
        }
        "hex" => hexadecimal(kind, text),
        "uuid" => uuid::Uuid::parse_str(text)
            .map(|uuid| uuid.to_string())
            .map_err(|_| error(kind, text, "a UUID is expected")),
        "vulnerability" | "weakness" => Ok(text.to_ascii_uppercase().replace('\u{2013}', "-")),
        "tlsh" | "ssdeep" | "impfuzzy" | "cortex" | "onion-address" => written(kind, text),
        "btc" | "dash" | "xmr" if !text.bytes().all(|b| b.is_ascii_alphanumeric()) => {
            Err(error(kind, text, "only letters and digits are expected"))
        }
        "iban" | "bic" => Ok(text.to_ascii_uppercase().replace([' ', '-'], "")),
        "http-method" => Ok(text.to_ascii_uppercase()),
        _ => Ok(text.to_owned()),
    }
}

fn number(kind: &str, text: &str) -> Result<String, ValueError> {
    match kind {
        "port" => match text.parse::<u16>() {
            Ok(port) if port > 0 => Ok(port.to_string()),
            _ => Err(error(kind, text, "a number from 1 to 65535 is expected")),
        },
        "size-in-bytes" | "counter" => match text.parse::<u64>() {
            Ok(number) => Ok(number.to_string()),
            Err(_) => Err(error(kind, text, "a whole number, 0 or more, is expected")),
        },
        "integer" => text
            .parse::<i64>()
            .map(|n| n.to_string())
            .map_err(|_| error(kind, text, "a whole number")),
        "float" => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(text.to_owned()),
            _ => Err(error(kind, text, "a number is expected")),
        },
        "boolean" => match text.to_ascii_lowercase().as_str() {
            "1" | "true" => Ok("1".to_owned()),
            "0" | "false" => Ok("0".to_owned()),
            _ => Err(error(kind, text, "0 or 1 is expected")),
        },
        _ => Ok(text.to_owned()),
    }
}

/// Types with a form of their own.
fn written(kind: &str, text: &str) -> Result<String, ValueError> {
    match kind {
        "tlsh" => {
            let lower = text.to_ascii_lowercase();
            let digits = lower.strip_prefix("t1").unwrap_or(&lower);
            let fits = digits.len() >= 35 && digits.bytes().all(|b| b.is_ascii_hexdigit());
            if fits {
                Ok(lower)
            } else {
                Err(error(kind, text, "at least 35 hexadecimal digits are expected"))
            }
        }
        "ssdeep" | "impfuzzy" => {
            let mut parts = text.splitn(3, ':');
            let number = parts.next().is_some_and(|size| size.parse::<u64>().is_ok());
            let fits = number && parts.next().is_some() && parts.next().is_some();
            if fits {
                Ok(text.to_owned())
            } else {
                Err(error(kind, text, "write it as size:hash:hash"))
            }
        }
        "cortex" => match serde_json::from_str::<serde::de::IgnoredAny>(text) {
            Ok(_) => Ok(text.to_owned()),
            Err(_) => Err(error(kind, text, "JSON is expected")),
        },
        "onion-address" => {
            let name = text.to_ascii_lowercase();
            let host = name.strip_suffix(".onion").unwrap_or_default();
            let letters =
                host.bytes().all(|b| b.is_ascii_lowercase() || (b'2'..=b'7').contains(&b));
            let fits = matches!(host.len(), 16 | 56) && letters;
            if fits {
                Ok(name)
            } else {
                Err(error(kind, text, "16 or 56 of a-z and 2-7 before .onion are expected"))
            }
        }
        _ => Ok(text.to_owned()),
    }
}

fn address(kind: &str, text: &str) -> Result<String, ValueError> {
    let text = refang(text);
    let (bare, bits) =
        text.split_once('/').map_or((text.as_str(), None), |(bare, bits)| (bare, Some(bits)));
    let Ok(address) = bare.parse::<IpAddr>() else {
        return Err(error(kind, &text, "an IPv4 or IPv6 address is expected"));
    };
    let most = if address.is_ipv4() { 32 } else { 128 };
    match bits.map(str::parse::<u8>) {
        None => Ok(address.to_string()),
        Some(Ok(bits)) if bits == most => Ok(address.to_string()),
        Some(Ok(bits)) if bits < most => Ok(format!("{address}/{bits}")),
        Some(_) => Err(error(kind, &text, format!("a prefix length from 0 to {most} is expected"))),
    }
}

fn domain(kind: &str, text: &str) -> Result<String, ValueError> {
    let name = refang(text).to_lowercase();
    let name = name.trim_end_matches('.');
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
    };
    let fits = name.len() <= 253 && name.contains('.') && name.split('.').all(label);
    if fits && name.parse::<IpAddr>().is_err() {
        Ok(name.to_owned())
    } else {
        Err(error(kind, text, "a domain name is expected"))
    }
}

fn mail(kind: &str, text: &str) -> Result<String, ValueError> {
    let mail = refang(text).to_lowercase();
    match mail.rsplit_once('@') {
        Some((local, host))
            if !local.is_empty() && host.contains('.') && !mail.contains(char::is_whitespace) =>
        {
            Ok(mail)
        }
        _ => Err(error(kind, text, "an address like name@host.example is expected")),
    }
}

/// `AS64500`, `64500` or `1.2` (two halves of 16 bits, RFC 5396), as `64500`.
fn autonomous_system(text: &str) -> Result<String, ValueError> {
    let digits = text.strip_prefix("AS").or_else(|| text.strip_prefix("as")).unwrap_or(text);
    let number = match digits.split_once('.') {
        Some((high, low)) => high
            .parse::<u16>()
            .ok()
            .zip(low.parse::<u16>().ok())
            .map(|(high, low)| u32::from(high) << 16 | u32::from(low)),
        None => digits.parse::<u32>().ok(),
    };
    number
        .map(|number| number.to_string())
        .ok_or_else(|| error("AS", text, "a number of 32 bits is expected"))
}

fn mac(kind: &str, text: &str, bytes: usize) -> Result<String, ValueError> {
    let digits: String = text
        .chars()
        .filter(|c| !matches!(c, ':' | '-' | '.' | ' '))
        .collect::<String>()
        .to_ascii_lowercase();
    if digits.len() != 2 * bytes || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(error(kind, text, format!("{bytes} pairs of hexadecimal digits are expected")));
    }
    let pairs: Vec<&str> = (0..bytes).filter_map(|at| digits.get(2 * at..2 * at + 2)).collect();
    Ok(pairs.join(":"))
}

fn hexadecimal(kind: &str, text: &str) -> Result<String, ValueError> {
    if text.bytes().all(|b| b.is_ascii_hexdigit()) {
        Ok(text.to_ascii_uppercase())
    } else {
        Err(error(kind, text, "hexadecimal digits are expected"))
    }
}
