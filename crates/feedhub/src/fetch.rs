//! Fetching a feed: only from where it may come, bounded, into a file.

use std::path::Path;

pub(crate) use platform::outward::address;
use platform::outward::{self, Reach};
use reqwest::header::{ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED, LOCATION};
use reqwest::{Client, Response, StatusCode, Url};
use tokio::io::AsyncWriteExt;

use crate::config::Config;
use crate::net::signed;
use crate::store::Feed;

/// Redirects followed.
pub(crate) const MAX_REDIRECTS: usize = 3;

/// What a fetch brought.
#[derive(Debug)]
pub(crate) enum Fetched {
    /// The feed has not changed since it was last read.
    Unchanged,
    /// It lies in the file.
    Body { etag: Option<String>, last_modified: Option<String> },
}

/// Fetches a feed into a file. The secret goes to the feed's own server only, not to where that one redirects.
pub(crate) async fn fetch(
    config: &Config,
    feed: &Feed,
    secret: Option<&str>,
    into: &Path,
) -> Result<Fetched, String> {
    let mut url = address(feed.new.url.as_deref().unwrap_or_default())?;
    let home = url.origin();
    for _ in 0..=MAX_REDIRECTS {
        let secret = secret.filter(|_| url.origin() == home);
        let response = ask(config, feed, secret, &url).await?;
        let status = response.status();
        if status == StatusCode::NOT_MODIFIED {
            return Ok(Fetched::Unchanged);
        }
        if status.is_redirection() {
            let target = header(&response, &LOCATION).unwrap_or_default();
            let next = url
                .join(&target)
                .map_err(|_| format!("{} redirects to what is no address", shown(&url)))?;
            if url.scheme() == "https" && next.scheme() != "https" {
                return Err(format!("redirects from https to {}, which is refused", next.scheme()));
            }
            url = address(next.as_str())?;
            continue;
        }
        if !status.is_success() {
            return Err(format!("{} answers {status}", shown(&url)));
        }
        let tags = (header(&response, &ETAG), header(&response, &LAST_MODIFIED));
        save(config, response, into).await?;
        return Ok(Fetched::Body { etag: tags.0, last_modified: tags.1 });
    }
    Err(format!("more than {MAX_REDIRECTS} redirects"))
}

/// An address as it may stand in logs and answers: scheme, host and path. Keys of feeds stand in the query.
pub(crate) fn shown(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let host = url.host_str().unwrap_or_default();
    format!("{}://{host}{port}{}", url.scheme(), url.path())
}

async fn ask(
    config: &Config,
    feed: &Feed,
    secret: Option<&str>,
    url: &Url,
) -> Result<Response, String> {
    let mut request = client(config, url).await?.get(url.clone());
    if secret.is_some() {
        request = signed(request, &feed.new.auth, secret)?;
    }
    if let Some(etag) = &feed.etag {
        request = request.header(IF_NONE_MATCH, etag);
    }
    if let Some(date) = &feed.last_modified {
        request = request.header(IF_MODIFIED_SINCE, date);
    }
    request
        .send()
        .await
        .map_err(|cause| format!("{} does not answer: {}", shown(url), cause.without_url()))
}

/// A client that reaches the host of an address and nothing else, if that may be fetched from.
pub(crate) async fn client(config: &Config, url: &Url) -> Result<Client, String> {
    let reach = Reach {
        allow_private: config.allow_private,
        key: "feedhub.allow_private",
        timeout_s: config.timeout_s,
    };
    outward::client(url, reach).await
}

fn header(response: &Response, name: &reqwest::header::HeaderName) -> Option<String> {
    response.headers().get(name)?.to_str().ok().map(str::to_owned)
}

async fn save(config: &Config, mut response: Response, into: &Path) -> Result<(), String> {
    let most = config.max_bytes as u64;
    let too_large = || format!("larger than {most} bytes (feedhub.max_bytes)");
    if response.content_length().is_some_and(|length| length > most) {
        return Err(too_large());
    }
    let mut file = tokio::fs::File::create(into).await.map_err(|cause| cause.to_string())?;
    let mut size = 0_u64;
    loop {
        let part = response.chunk().await;
        let part =
            part.map_err(|cause| format!("broke off after {size} bytes: {}", cause.without_url()))?;
        let Some(part) = part else { break };
        size += part.len() as u64;
        if size > most {
            return Err(too_large());
        }
        file.write_all(&part).await.map_err(|cause| cause.to_string())?;
    }
    file.flush().await.map_err(|cause| cause.to_string())
}
