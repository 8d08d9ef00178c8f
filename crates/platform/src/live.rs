//! Fleeting news for open pages: counters, scores, progress. Not durable, never the only home of a fact.

use serde_json::Value;
use tokio::sync::broadcast;

/// How many items a slow page may lag behind before it misses some (it then sees the next ones).
pub const LIVE_BUFFER_ITEMS: usize = 512;

/// Sends news to whoever listens.
#[derive(Clone, Debug)]
pub struct Live(broadcast::Sender<Value>);

impl Default for Live {
    fn default() -> Self {
        Self(broadcast::channel(LIVE_BUFFER_ITEMS).0)
    }
}

impl Live {
    /// Sends `{"topic": topic, …fields}`; nobody listening is fine.
    pub fn send(&self, topic: &str, mut fields: Value) {
        if let Value::Object(map) = &mut fields {
            map.insert("topic".into(), Value::String(topic.into()));
        }
        let _ = self.0.send(fields);
    }

    /// How many listen now: open pages, and commands that follow what happens.
    pub fn listeners(&self) -> usize {
        self.0.receiver_count()
    }

    /// Listens from now on.
    pub fn listen(&self) -> broadcast::Receiver<Value> {
        self.0.subscribe()
    }
}
