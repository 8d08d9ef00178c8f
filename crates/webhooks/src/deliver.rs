//! Telling receivers what waits for them: for each hook one message after the other, several hooks at once.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::event::WebhookChanged;

use crate::error::WebhookError;
use crate::room::Webhooks;
use crate::send::{self, Refused};
use crate::store::{self, Delivery, Hook, Message};

/// Tries of one delivery; then it is dead.
pub(crate) const MAX_TRIES: i64 = 8;
/// Pause after the first failed try, seconds; it grows four times with each.
const FIRST_PAUSE_S: i64 = 5;
/// Longest pause between two tries, seconds.
const MAX_PAUSE_S: i64 = 3_600;
/// Hooks told at the same time.
const MAX_AT_ONCE: usize = 8;
/// Messages told to one hook before others get its place.
const IN_A_ROW: usize = 100;
/// Pause between two looks at what is due.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Hooks that are being told right now.
#[derive(Debug, Default)]
pub(crate) struct Busy(Mutex<HashSet<String>>);

impl Busy {
    fn take(&self, hook: &str) -> bool {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.len() < MAX_AT_ONCE && held.insert(hook.to_owned())
    }

    fn give_back(&self, hook: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(hook);
    }
}

/// Runs until the node stops.
pub(crate) async fn run(room: Webhooks) {
    loop {
        match due(&room).await {
            Ok(hooks) => {
                for hook in hooks.into_iter().filter(|hook| room.busy().take(hook)) {
                    let own = room.clone();
                    room.platform().tasks.spawn("webhook", async move {
                        if let Err(error) = tell(&own, &hook).await {
                            tracing::warn!(hook, %error, "what waits for a webhook cannot be looked after");
                        }
                        own.busy().give_back(&hook);
                        own.wake();
                    });
                }
            }
            Err(error) => tracing::warn!(%error, "webhooks cannot be looked after; trying again"),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = room.asked() => {}
        }
    }
}

async fn due(room: &Webhooks) -> Result<Vec<String>, WebhookError> {
    let mut sql = room.platform().db.read().await?;
    Ok(store::due(&mut sql, room.platform().now().as_micros()).await?)
}

/// Tells one hook what is due, in order, until a try fails.
async fn tell(room: &Webhooks, id: &str) -> Result<(), WebhookError> {
    let mut client = None;
    for _ in 0..IN_A_ROW {
        let mut sql = room.platform().db.read().await?;
        let hook = store::get(&mut sql, id).await?.filter(|hook| hook.paused.is_none());
        let Some(hook) = hook else { return Ok(()) };
        let now_us = room.platform().now().as_micros();
        let head = store::head(&mut sql, id).await?.filter(|head| head.due_us <= now_us);
        let Some(head) = head else { return Ok(()) };
        drop(sql);
        let told = one(room, &hook, &head, &mut client).await;
        metrics::counter!("sereno_webhook_tries_total", "outcome" => if told.is_ok() { "told" } else { "failed" })
            .increment(1);
        let goes_on = told.is_ok();
        note(room, hook, head, told).await?;
        if !goes_on {
            return Ok(());
        }
    }
    Ok(())
}

async fn one(
    room: &Webhooks,
    hook: &Hook,
    head: &Delivery,
    client: &mut Option<reqwest::Client>,
) -> Result<(), Refused> {
    let url = send::address(&hook.new.url, room.config().allow_private)?;
    let ready = match client {
        Some(ready) => ready,
        None => client.insert(send::client(room.config(), &url).await?),
    };
    let message =
        Message { id: head.id.clone(), event: head.event.clone(), body: head.body.clone() };
    send::send(room.platform(), ready, hook, &url, &message).await
}

/// Pause before the next try, seconds; `None` when there is none.
fn pause_s(attempts: i64, asked_s: Option<i64>) -> Option<i64> {
    if attempts + 1 >= MAX_TRIES {
        return None;
    }
    let own = FIRST_PAUSE_S << (2 * attempts.clamp(0, 8));
    Some(own.max(asked_s.unwrap_or_default()).min(MAX_PAUSE_S))
}

async fn note(
    room: &Webhooks,
    hook: Hook,
    head: Delivery,
    told: Result<(), Refused>,
) -> Result<(), WebhookError> {
    let pause_after = room.config().pause_after;
    room.platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let now_us = tx.now().as_micros();
                let refused = match told {
                    Ok(()) => return Ok(store::told(tx.sql(), &head, now_us).await?),
                    Err(refused) => refused,
                };
                let pause = pause_s(head.attempts, refused.after_s);
                // One that is gone keeps what waits: a person decides.
                let due_us = match refused.gone {
                    true => Some(now_us),
                    false => pause.map(|seconds| now_us + seconds * 1_000_000),
                };
                let failures = store::failed(tx.sql(), &head, &refused.reason, due_us).await?;
                if refused.gone || failures >= pause_after {
                    let reason = match refused.gone {
                        true => "the receiver says that it is gone for good".to_owned(),
                        false => format!(
                            "{failures} tries failed in a row, the last: {}",
                            refused.reason
                        ),
                    };
                    store::pause(tx.sql(), &hook.id, Some(&reason)).await?;
                    let detail = format!("{} is paused: {reason}", hook.new.name);
                    tx.publish("system", &WebhookChanged { hook: hook.id, detail }).await?;
                }
                Ok(())
            })
        })
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let pauses: Vec<Option<i64>> = (0..MAX_TRIES).map(|tried| pause_s(tried, None)).collect();
        let wanted = [5, 20, 80, 320, 1_280, 3_600, 3_600].map(Some);
        assert_eq!(pauses[..7], wanted);
        assert_eq!(pauses[7], None);
        assert_eq!((pause_s(0, Some(60)), pause_s(0, Some(1 << 40))), (Some(60), Some(3_600)));
    }
}
