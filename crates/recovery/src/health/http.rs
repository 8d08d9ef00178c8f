//! A page that answers.

use std::time::Duration;

use reqwest::redirect::Policy;

/// Bytes of a page that are looked at.
const MAX_PAGE_BYTES: usize = 64 << 10;

pub(super) async fn ask(
    url: &str,
    status: Option<u16>,
    contains: Option<&str>,
    within: Duration,
) -> Result<String, String> {
    // Certificates of devices are their own; what is asked is whether it answers, and nothing secret is sent.
    let client = reqwest::Client::builder()
        .redirect(Policy::none())
        .danger_accept_invalid_certs(true)
        .no_proxy()
        .timeout(within)
        .build()
        .map_err(|cause| format!("{url}: {cause}"))?;
    let failed = |cause: reqwest::Error| format!("{url}: {}", cause.without_url());
    let mut answer = client.get(url).send().await.map_err(failed)?;
    let found = answer.status().as_u16();
    let right = status.map_or((200..400).contains(&found), |wanted| wanted == found);
    if !right {
        return Err(format!("{url}: status {found}"));
    }
    let Some(wanted) = contains else { return Ok(format!("{url}: status {found}")) };
    let mut page = Vec::new();
    while page.len() < MAX_PAGE_BYTES {
        let Some(bytes) = answer.chunk().await.map_err(failed)? else { break };
        page.extend_from_slice(&bytes);
    }
    page.truncate(MAX_PAGE_BYTES);
    if page.windows(wanted.len()).any(|part| part == wanted.as_bytes()) {
        Ok(format!("{url}: status {found}, with the text looked for"))
    } else {
        Err(format!("{url}: the text looked for is not in its first {MAX_PAGE_BYTES} bytes"))
    }
}
