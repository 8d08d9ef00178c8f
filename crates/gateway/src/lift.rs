//! A block ends by itself after its time; this says so when it happens.

use async_trait::async_trait;
use model::event::EnforcementChanged;
use model::{Outcome, Timestamp};
use platform::Platform;
use platform::db::{DbError, Tx};
use platform::jobs::{Job, JobEnd, JobHandler};
use serde_json::{Value, json};

use crate::error::GatewayError;
use crate::orders::target_name;
use crate::store;

const KIND: &str = "gateway.lift";

/// Remembers to look when the block's time is over.
pub(crate) async fn enqueue(tx: &mut Tx, key: &str, at: Timestamp) -> Result<(), DbError> {
    tx.enqueue(KIND, key, &json!({}), at).await?;
    Ok(())
}

/// Says that a block ended, unless somebody ended it before.
pub(crate) struct Lift(Platform);

impl Lift {
    pub(crate) fn new(platform: Platform) -> Self {
        Self(platform)
    }
}

#[async_trait]
impl JobHandler for Lift {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn run(&self, job: &Job) -> JobEnd {
        let key = job.key.clone();
        let done: Result<(), GatewayError> = self
            .0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let now = tx.now();
                    let Some(row) = store::find_order(tx.sql(), &key).await? else { return Ok(()) };
                    if !store::lift(tx.sql(), &key, now).await? {
                        return Ok(());
                    }
                    let target = target_name(&row.order.target);
                    let summary = format!("the block of {target} ended by itself");
                    let fact = EnforcementChanged {
                        edge: row.edge,
                        key: format!("{key}/end"),
                        verb: "release".into(),
                        target,
                        outcome: Outcome::Done { summary, data: Value::Null },
                    };
                    tx.publish("system", &fact).await?;
                    Ok(())
                })
            })
            .await;
        match done {
            Ok(()) => JobEnd::Done,
            Err(error) => JobEnd::Retry { reason: error.to_string(), after_ms: 0 },
        }
    }
}
