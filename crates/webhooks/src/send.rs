//! One call of a receiver: only where it may go, signed, bounded.

use std::time::Duration;

use platform::Platform;
use reqwest::{Client, StatusCode, Url};

use crate::config::Config;
use crate::sign;
use crate::store::{Hook, Message};

/// Why a receiver did not take a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// One sentence; never the address beyond its host.
    pub(crate) reason: String,
    /// It says that it is gone for good.
    pub(crate) gone: bool,
    /// It asks to be called again after so many seconds.
    pub(crate) after_s: Option<i64>,
}

impl From<String> for Refused {
    fn from(reason: String) -> Self {
        Self { reason, gone: false, after_s: None }
    }
}

/// The address of a receiver.
pub(crate) fn address(text: &str, allow_private: bool) -> Result<Url, String> {
    // The text itself is not told: it may hold a key.
    let url = Url::parse(text).map_err(|cause| format!("this is no address: {cause}"))?;
    match url.scheme() {
        "https" => {}
        "http" if allow_private => {}
        "http" => {
            return Err(
                "http is not called: what is told would travel in the clear; use https, or set \
                 webhooks.allow_private for a receiver in your own network"
                    .into(),
            );
        }
        other => return Err(format!("'{other}' is not called; https is")),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("an address with a password in it would stand in logs; leave it out".into());
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("the address names no host".into());
    }
    Ok(url)
}

/// A client that reaches the receiver's host and nothing else.
pub(crate) async fn client(config: &Config, url: &Url) -> Result<Client, String> {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let port = url.port_or_known_default().unwrap_or(443);
    let key = "webhooks.allow_private";
    let found = platform::outward::resolve(&host, port, config.allow_private, key).await?;
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .resolve_to_addrs(&host, &found)
        .no_proxy()
        .connect_timeout(Duration::from_secs(config.timeout_s.min(10)))
        .timeout(Duration::from_secs(config.timeout_s))
        .user_agent(concat!("sereno/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|cause| cause.without_url().to_string())
}

/// Tells a receiver one message; any answer from 200 to 299 is "taken". The answer's body is not read.
pub(crate) async fn send(
    platform: &Platform,
    client: &Client,
    hook: &Hook,
    url: &Url,
    message: &Message,
) -> Result<(), Refused> {
    let secret = sign::secret(platform.signer.as_ref(), &hook.new.salt);
    let at_s = platform.now().as_micros().div_euclid(1_000_000);
    let signature = sign::signature(&secret, &message.id, at_s, &message.body);
    let host = url.host_str().unwrap_or_default();
    let response = client
        .post(url.clone())
        .header("content-type", "application/json")
        .header("webhook-id", &message.id)
        .header("webhook-timestamp", at_s.to_string())
        .header("webhook-signature", signature)
        .body(message.body.clone())
        .send()
        .await
        .map_err(|cause| format!("{host} does not answer: {}", cause.without_url()))?;
    let status = response.status();
    if status.is_success() {
        return Ok(());
    }
    let after = response.headers().get("retry-after");
    let after_s = after.and_then(|text| text.to_str().ok()?.parse::<i64>().ok());
    Err(Refused {
        reason: format!("{host} answers {status}"),
        gone: status == StatusCode::GONE,
        after_s: after_s.filter(|seconds| *seconds > 0),
    })
}
