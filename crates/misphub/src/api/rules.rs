//! Attributes as rules of intrusion detection.

use serde_json::Value;

/// Whose rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Suricata,
    Snort,
}

/// The number of the first rule; an attribute's rule has this plus its number, in every answer the same.
const FIRST_SID: i64 = 4_000_000;
/// Actions with which a rule begins.
const ACTIONS: &[&str] =
    &["alert ", "drop ", "reject ", "pass ", "log ", "rejectsrc ", "rejectdst "];

/// Text within `content:"…"`: what means something to the tool is written as bytes, so that a value ends no rule.
fn content(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'.'
            | b'-'
            | b'_'
            | b'/'
            | b'='
            | b'&'
            | b' '
            | b'?' => {
                written.push(char::from(byte));
            }
            other => written.push_str(&format!("|{other:02X}|")),
        }
    }
    written
}

/// Text within `msg:"…"`.
fn message(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_alphanumeric() || " .,:/_-@#()".contains(*c))
        .take(120)
        .collect()
}

/// A domain name as DNS writes it, in bytes.
fn labels(name: &str) -> Option<String> {
    let mut written = String::new();
    for label in name.trim_end_matches('.').split('.') {
        if label.is_empty() || label.len() > 63 {
            return None;
        }
        written.push_str(&format!("|{:02X}|{}", label.len(), content(label)));
    }
    written.push_str("|00|");
    Some(written)
}

fn address(value: &str) -> Option<&str> {
    let (ip, prefix) = value.split_once('/').unwrap_or((value, "0"));
    (ip.parse::<std::net::IpAddr>().is_ok() && prefix.parse::<u8>().is_ok_and(|n| n <= 128))
        .then_some(value)
}

/// Protocol, from, to and the options between message and number.
fn parts(tool: Tool, kind: &str, value: &str) -> Option<(String, &'static str, String)> {
    let to = |proto: &str, there: &str, port: &str| {
        format!("alert {proto} $HOME_NET any -> {there} {port}")
    };
    let (first, last) = value.split_once('|').unwrap_or((value, ""));
    let port = || last.parse::<u16>().ok().map(|port| port.to_string());
    Some(match (kind, tool) {
        ("ip-dst", _) => (to("ip", address(value)?, "any"), "Outgoing To IP", String::new()),
        ("ip-src", _) => {
            let from = format!("alert ip {} any -> $HOME_NET any", address(value)?);
            (from, "Incoming From IP", String::new())
        }
        ("ip-dst|port", _) => {
            (to("tcp", address(first)?, &port()?), "Outgoing To IP", String::new())
        }
        ("ip-src|port", _) => {
            let from = format!("alert tcp {} {} -> $HOME_NET any", address(first)?, port()?);
            (from, "Incoming From IP", String::new())
        }
        ("domain" | "hostname" | "domain|ip", Tool::Suricata) => {
            labels(first)?;
            let dotted = if kind == "hostname" { "" } else { "dotprefix; " };
            let dot = if kind == "hostname" { "" } else { "." };
            let ends = if kind == "hostname" { "startswith; endswith; " } else { "endswith; " };
            let options =
                format!("dns.query; {dotted}content:\"{dot}{}\"; nocase; {ends}", content(first));
            (to("dns", "any", "any"), "Domain", options)
        }
        ("domain" | "hostname" | "domain|ip", Tool::Snort) => {
            let options = format!(
                "content:\"|01 00 00 01 00 00 00 00 00 00|\"; depth:10; offset:2; content:\"{}\"; nocase; ",
                labels(first)?
            );
            (to("udp", "any", "53"), "Domain", options)
        }
        ("url" | "uri", Tool::Suricata) => {
            let (host, path) = split(value);
            let mut options = String::new();
            if !host.is_empty() {
                options.push_str(&format!(
                    "http.host; content:\"{}\"; startswith; endswith; ",
                    content(&host.to_lowercase())
                ));
            }
            if !path.is_empty() {
                options.push_str(&format!("http.uri; content:\"{}\"; startswith; ", content(path)));
            }
            (!options.is_empty()).then_some((to("http", "any", "any"), "HTTP URL", options))?
        }
        ("url" | "uri", Tool::Snort) => {
            let (_, path) = split(value);
            let options = format!("content:\"{}\"; http_uri; nocase; ", content(path));
            (!path.is_empty()).then_some((to("tcp", "any", "$HTTP_PORTS"), "HTTP URL", options))?
        }
        ("user-agent", Tool::Suricata) => {
            let options = format!("http.user_agent; content:\"{}\"; ", content(value));
            (to("http", "any", "any"), "HTTP User-Agent", options)
        }
        ("user-agent", Tool::Snort) => {
            let options =
                format!("content:\"User-Agent|3A 20|{}|0D 0A|\"; http_header; ", content(value));
            (to("tcp", "any", "$HTTP_PORTS"), "HTTP User-Agent", options)
        }
        ("ja3-fingerprint-md5", Tool::Suricata) => {
            let options = format!("ja3.hash; content:\"{}\"; ", content(value));
            (to("tls", "any", "any"), "JA3", options)
        }
        _ => return None,
    })
}

/// Host and path of a web address without its scheme, port and query's fragment.
fn split(value: &str) -> (&str, &str) {
    let rest = match value.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
        // What is encrypted is not seen.
        Some(_) => return ("", ""),
        None if value.starts_with('/') => return ("", value),
        None => value,
    };
    let rest = rest.split('#').next().unwrap_or(rest);
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    (host.split(':').next().unwrap_or(host), path)
}

/// The rule of an attribute; `None` where there is none. An attribute that is a rule is given as it is, in one line.
pub(crate) fn rule(one: &Value, tool: Tool) -> Option<String> {
    let text = |name: &str| one[name].as_str().unwrap_or_default();
    let (kind, value) = (text("type"), text("value"));
    let own = if tool == Tool::Suricata { "suricata" } else { "snort" };
    if kind == own {
        let line = value.trim();
        let sound = ACTIONS.iter().any(|action| line.starts_with(action));
        return (sound && !line.contains(['\n', '\r'])).then(|| line.to_owned());
    }
    let (head, what, options) = parts(tool, kind, value)?;
    let sid = FIRST_SID.checked_add(text("id").parse::<i64>().ok()?)?;
    Some(format!(
        "{head} (msg:\"MISP e{} {what}: {}\"; {options}classtype:trojan-activity; sid:{sid}; rev:1; priority:2;)",
        message(text("event_id")),
        message(value),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(kind: &str, value: &str, tool: Tool) -> Option<String> {
        rule(&json!({ "id": "7", "event_id": "3", "type": kind, "value": value }), tool)
    }

    #[test]
    fn a_value_ends_no_rule() {
        let written =
            of("user-agent", "x\"; sid:1;) alert ip any any -> any any (", Tool::Suricata).unwrap();
        assert_eq!(
            written.matches("sid:").count(),
            2,
            "the number stands in the message only as text: {written}"
        );
        assert_eq!(written.matches('"').count(), 4, "{written}");
        assert!(!written.contains('\n'));
        assert_eq!(of("ip-dst", "1.2.3.4 any (msg:", Tool::Snort), None);
        assert_eq!(
            of("suricata", "alert ip any any -> any any (sid:1;)\nalert x", Tool::Suricata),
            None
        );
    }

    #[test]
    fn names_are_matched_where_they_are_asked_for() {
        let domain = of("domain", "evil.example", Tool::Suricata).unwrap();
        assert!(
            domain.contains("dns.query; dotprefix; content:\".evil.example\"; nocase; endswith;"),
            "{domain}"
        );
        let snort = of("hostname", "a.evil.example", Tool::Snort).unwrap();
        assert!(snort.contains("|01|a|04|evil|07|example|00|"), "{snort}");
        assert!(
            of("url", "https://evil.example/x", Tool::Suricata).is_none(),
            "what is encrypted is not seen"
        );
        let url = of("url", "http://u:p@evil.example:8080/a?b=c#d", Tool::Suricata).unwrap();
        assert!(
            url.contains(
                "content:\"evil.example\"; startswith; endswith; http.uri; content:\"/a?b=c\""
            ),
            "{url}"
        );
    }
}
