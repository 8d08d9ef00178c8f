//! Where this node may go by itself: what a person or a redirect names must not lead into the own network unasked.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Url};

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How far calls of a room may go.
#[derive(Clone, Copy, Debug)]
pub struct Reach<'c> {
    /// Whether addresses that are not public may be called.
    pub allow_private: bool,
    /// The key of the configuration that allows it.
    pub key: &'c str,
    /// Seconds until an answer must be whole.
    pub timeout_s: u64,
}

/// An http or https address without credentials in it.
///
/// # Errors
/// One sentence that does not hold the text: it may hold a key.
pub fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|cause| format!("this is no address: {cause}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("'{}' is not called; http and https are", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address with a password in it would stand in logs; leave it out".into());
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("the address names no host".into());
    }
    Ok(url)
}

/// A client that reaches the host of an address and nothing else, if that may be called: the name is resolved once, and
/// redirects are not followed.
///
/// # Errors
/// One sentence: the host is not found or not public, or no client can be made.
pub async fn client(url: &Url, reach: Reach<'_>) -> Result<Client, String> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or(443);
    let found = addresses(host, port, reach).await?;
    builder(host, &found, reach).build().map_err(|cause| cause.without_url().to_string())
}

/// Where a host stands, if that may be called. Whoever connects must do it to these addresses and no others.
///
/// # Errors
/// One sentence: the host is not found, or not public.
pub async fn addresses(host: &str, port: u16, reach: Reach<'_>) -> Result<Vec<SocketAddr>, String> {
    let limit = Duration::from_secs(reach.timeout_s).min(CONNECT_TIMEOUT);
    match tokio::time::timeout(limit, resolve(host, port, reach.allow_private, reach.key)).await {
        Ok(found) => found,
        Err(_) => Err(format!("{host} is not found within {} s", limit.as_secs())),
    }
}

/// What such a client is made of, for whoever adds to it: it goes to these addresses of the host and nowhere else.
pub fn builder(host: &str, found: &[SocketAddr], reach: Reach<'_>) -> ClientBuilder {
    let timeout = Duration::from_secs(reach.timeout_s);
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .resolve_to_addrs(host, found)
        .no_proxy()
        .connect_timeout(timeout.min(CONNECT_TIMEOUT))
        .timeout(timeout)
        .user_agent(concat!("sereno/", env!("CARGO_PKG_VERSION")))
}

/// Resolves a host and judges what comes out; the connection must go to these addresses and no others, or a name that
/// changes in between leads past the judgement.
async fn resolve(
    host: &str,
    port: u16,
    allow_private: bool,
    key: &str,
) -> Result<Vec<SocketAddr>, String> {
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
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
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
                // Protocol assignments, and relays of 6to4 (RFC 6890, RFC 7526).
                || (a == 192 && b == 0 && c == 0)
                || (a == 192 && b == 88 && c == 99)
                || a >= 240)
        }
        IpAddr::V6(v6) => {
            if let Some(v4) = v6.to_ipv4_mapped() {
                return is_public(IpAddr::V4(v4));
            }
            // What was given out for the open internet (2000::/3), without what stands for another address: Teredo and
            // 6to4 carry an IPv4 address of somebody's choice.
            let [first, second, ..] = v6.segments();
            first & 0xe000 == 0x2000
                && !(first == 0x2001 && (second == 0 || second == 0xdb8))
                && first != 0x2002
                && !(first == 0x3fff && second < 0x1000)
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
            "3fff::1",
            "::127.0.0.1",
            "::ffff:0:7f00:1",
            "64:ff9b:1::7f00:1",
            "2002:7f00:1::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "fec0::1",
            "100::1",
            "192.0.0.8",
            "192.88.99.1",
        ] {
            assert!(text.parse().is_ok_and(|address| !is_public(address)), "{text}");
        }
        for text in ["9.9.9.9", "2620:fe::fe", "192.0.1.1", "2001:4860:4860::8888", "2a00:1450::1"]
        {
            assert!(text.parse().is_ok_and(is_public), "{text}");
        }
    }

    const REACH: Reach<'_> = Reach { allow_private: false, key: "x.allow_private", timeout_s: 5 };

    #[tokio::test]
    async fn hosts_that_hide_where_they_lead_are_refused() {
        for text in [
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/",
            "http://127.1:8080/",
            "https://[::ffff:7f00:1]/",
            "https://[2002:7f00:1::]/",
            "http://localhost/",
            "http://LOCALHOST/",
            "http://169.254.169.254/latest/meta-data/",
        ] {
            let judged = match address(text) {
                Ok(url) => client(&url, REACH).await.map(|_| ()),
                Err(why) => Err(why),
            };
            assert!(judged.is_err_and(|why| why.contains("not a public address")), "{text}");
        }
    }

    #[test]
    fn only_the_web_is_called_and_no_secret_stands_in_an_address() {
        for (text, words) in [
            ("file:///etc/passwd", "'file' is not called"),
            ("gopher://a.example/", "'gopher' is not called"),
            ("javascript:alert(1)", "'javascript' is not called"),
            ("https://user:word@a.example/", "password"),
            ("https://a.example@127.0.0.1/", "password"),
            ("http://", "no address"),
        ] {
            assert!(address(text).is_err_and(|why| why.contains(words)), "{text}");
        }
    }
}
