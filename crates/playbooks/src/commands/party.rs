//! Where a party is reached (CACAO §7): values in an address stay within their part of it.

use std::net::IpAddr;

use serde_json::Value;

use super::escape::{fill_escaped, host, percent};
use crate::cacao::AgentTarget;
use crate::cacao::variables::{Values, references};

/// The first address of one kind.
fn first<'a>(party: &'a AgentTarget, kind: &str) -> Option<&'a str> {
    party.address.get(kind).and_then(|all| all.first()).and_then(Value::as_str)
}

/// True when the party has an address that can be called.
pub(super) fn is_addressed(party: &AgentTarget) -> bool {
    ["url", "dname", "ipv4", "ipv6"].iter().any(|kind| first(party, kind).is_some())
}

fn unaddressed(party: &AgentTarget) -> String {
    let name: String = party.name.chars().take(64).collect();
    format!("'{name}' has no url, dname, ipv4 or ipv6 address")
}

/// Host name or address, and the port where the party names one.
pub(super) fn endpoint(
    party: &AgentTarget,
    values: &Values,
) -> Result<(String, Option<u16>), String> {
    let text = first(party, "dname")
        .or_else(|| first(party, "ipv4"))
        .or_else(|| first(party, "ipv6"))
        .ok_or_else(|| unaddressed(party))?;
    let found = fill_escaped(text, values, host)?;
    let port = match &party.port {
        None => None,
        Some(text) => {
            let text = fill_escaped(text, values, host)?;
            let port = text.trim().parse::<u16>().ok().filter(|port| *port > 0);
            Some(port.ok_or_else(|| format!("'{text}' is no port; ports go from 1 to 65535"))?)
        }
    };
    Ok((host("the address", &found)?, port))
}

/// The base of the party's URLs, without a path's end.
pub(super) fn base(party: &AgentTarget, values: &Values) -> Result<String, String> {
    if let Some(url) = first(party, "url") {
        // An address that is one variable is the value's whole; otherwise values are parts.
        let whole = references(url).first().is_some_and(|name| url == format!("{name}:value"));
        return if whole {
            fill_escaped(url, values, |_, value| Ok(value.to_owned()))
        } else {
            fill_escaped(url, values, percent)
        };
    }
    let (host, port) = endpoint(party, values)?;
    let address = host.parse::<IpAddr>().ok();
    let local = host == "localhost" || address.is_some_and(|ip| ip.is_loopback());
    let scheme = if local { "http" } else { "https" };
    let host = if address.is_some_and(|ip| ip.is_ipv6()) { format!("[{host}]") } else { host };
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    Ok(format!("{scheme}://{host}{port}"))
}
