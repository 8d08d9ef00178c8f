//! `sereno intel tail`: what becomes known, as it does.

use std::process::ExitCode;
use std::time::Duration;

use serde_json::Value;

use super::text;
use crate::api::{Api, escape};
use crate::arguments::Place;
use crate::output::{self, Failure};

/// Pause before the node is asked again after a stream ended.
const AGAIN_AFTER: Duration = Duration::from_millis(500);
/// Longest event read, bytes.
const MAX_EVENT_BYTES: usize = 4 << 20;

pub(super) async fn run(
    place: &Place,
    types: Option<&str>,
    after: Option<i64>,
    limit: Option<u64>,
    json: bool,
) -> Result<ExitCode, Failure> {
    let mut reader = Reader { after, shown: 0, limit, json };
    loop {
        let api = Api::of(place).await?;
        let mut query = types.map_or_else(String::new, |types| format!("types={}&", escape(types)));
        if let Some(after) = reader.after {
            query.push_str(&format!("after={after}"));
        }
        let stream = api.stream(&format!("/api/v1/knowledge/stream?{query}")).await;
        let over = match stream {
            Ok(response) => reader.read(response).await,
            Err(failure) => {
                api.close().await;
                return Err(failure);
            }
        };
        api.close().await;
        if over? {
            return Ok(ExitCode::SUCCESS);
        }
        tokio::time::sleep(AGAIN_AFTER).await;
    }
}

struct Reader {
    after: Option<i64>,
    shown: u64,
    limit: Option<u64>,
    json: bool,
}

impl Reader {
    /// Reads a stream to its end; whether enough was shown.
    async fn read(&mut self, mut response: reqwest::Response) -> Result<bool, Failure> {
        let mut held: Vec<u8> = Vec::new();
        // A stream that breaks off is one that ended: the next one goes on where this one was.
        while let Ok(Some(part)) = response.chunk().await {
            held.extend_from_slice(&part);
            while let Some(end) = held.windows(2).position(|two| two == b"\n\n") {
                let event: Vec<u8> = held.drain(..end + 2).collect();
                self.show(&String::from_utf8_lossy(&event))?;
                if self.limit.is_some_and(|limit| self.shown >= limit) {
                    return Ok(true);
                }
            }
            if held.len() > MAX_EVENT_BYTES {
                return Err(Failure::new(format!(
                    "an event is longer than {MAX_EVENT_BYTES} bytes"
                )));
            }
        }
        Ok(false)
    }

    fn show(&mut self, event: &str) -> Result<(), Failure> {
        let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
        let data = field("data: ").and_then(|data| serde_json::from_str::<Value>(data).ok());
        let (Some(place), Some(data)) = (field("id: "), data) else { return Ok(()) };
        self.after = place.parse().ok().or(self.after);
        self.shown += 1;
        if self.json {
            output::line(&data.to_string());
            return Ok(());
        }
        let item = data.get("item").cloned().unwrap_or_default();
        let name = analytics::inventory::seen_as_it_is(text(&item, "name"));
        let (change, tlp, kind) = (text(&data, "change"), text(&item, "tlp"), text(&item, "type"));
        output::line(&format!("{place}  {change}  {tlp}  {kind}  {name}  {}", text(&item, "id")));
        Ok(())
    }
}
