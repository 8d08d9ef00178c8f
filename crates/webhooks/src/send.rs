//! One call of a receiver: only where it may go, signed, bounded.

use platform::Platform;
use platform::outward::{self, Reach};
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
    let url = outward::address(text)?;
    if url.scheme() == "http" && !allow_private {
        return Err(
            "http is not called: what is told would travel in the clear; use https, or set \
             webhooks.allow_private for a receiver in your own network"
                .into(),
        );
    }
    Ok(url)
}

/// A client that reaches the receiver's host and nothing else.
pub(crate) async fn client(config: &Config, url: &Url) -> Result<Client, String> {
    let reach = Reach {
        allow_private: config.allow_private,
        key: "webhooks.allow_private",
        timeout_s: config.timeout_s,
    };
    outward::client(url, reach).await
}

/// Tells a receiver one message; any answer from 200 to 299 is "taken". The answer's body is not read.
pub(crate) async fn send(
    platform: &Platform,
    client: &Client,
    hook: &Hook,
    url: &Url,
    message: &Message,
) -> Result<(), Refused> {
    let now_us = platform.now().as_micros();
    let before = (now_us < hook.before_until_us).then_some(&hook.salt_before);
    let salts = [Some(&hook.new.salt), before].into_iter().flatten();
    let secrets: Vec<[u8; 32]> =
        salts.map(|salt| sign::secret(platform.signer.as_ref(), salt)).collect();
    let at_s = now_us.div_euclid(1_000_000);
    let signature = sign::signatures(&secrets, &message.id, at_s, &message.body);
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
