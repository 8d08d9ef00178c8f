//! Where this node may go by itself: what a person or a redirect names must not lead into the own network unasked.

use std::net::{IpAddr, SocketAddr};

/// Resolves a host once and judges what comes out; the connection must go to these addresses and no others, or a name that
/// changes in between leads past the judgement.
///
/// # Errors
/// One sentence: it is not found, or an address of it is not public and `allow_private` is not set; `key` is the key of
/// the configuration that allows it.
pub async fn resolve(
    host: &str,
    port: u16,
    allow_private: bool,
    key: &str,
) -> Result<Vec<SocketAddr>, String> {
    let host = host.trim_matches(['[', ']']);
    let found: Vec<SocketAddr> = tokio::net::lookup_host((host, port))
        .await
        .map_err(|cause| format!("{host} is not found: {cause}"))?
        .collect();
    if found.is_empty() {
        return Err(format!("{host} has no address"));
    }
    match found.iter().find(|address| !is_public(address.ip())) {
        Some(private) if !allow_private => Err(format!(
            "{host} is {}, which is not a public address; set {key} to reach your own network",
            private.ip()
        )),
        _ => Ok(found),
    }
}

/// Whether an address is one of the open internet.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            !(v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || v4.is_multicast()
                || v4.is_documentation()
                || a == 0
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (18..20).contains(&b))
                || a >= 240)
        }
        IpAddr::V6(v6) => {
            if let Some(v4) = v6.to_ipv4_mapped() {
                return is_public(IpAddr::V4(v4));
            }
            let first = v6.segments()[0];
            !(v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_multicast()
                || first & 0xfe00 == 0xfc00
                || first & 0xffc0 == 0xfe80
                || (first == 0x2001 && v6.segments()[1] == 0xdb8)
                || (first == 0x0064 && v6.segments()[1] == 0xff9b))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_public_is_known_in_every_notation() {
        for text in [
            "127.0.0.1",
            "10.1.2.3",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "::1",
            "fe80::1",
            "fd00::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2001:db8::1",
        ] {
            assert!(text.parse().is_ok_and(|address| !is_public(address)), "{text}");
        }
        for text in ["9.9.9.9", "2620:fe::fe"] {
            assert!(text.parse().is_ok_and(is_public), "{text}");
        }
    }
}
