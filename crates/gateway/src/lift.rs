//! A block ends by itself after its time, or is lost with its gateway; this says so when it happens.

use async_trait::async_trait;
use model::event::EnforcementChanged;
use model::{Outcome, Timestamp};
use platform::Platform;
use platform::db::{DbError, Tx};
use platform::jobs::{Job, JobEnd, JobHandler};
use ports::edge::{DeviceCounters, Standing, Verb};
use serde_json::{Value, json};

use crate::error::GatewayError;
use crate::orders::target_name;
use crate::store::{self, OrderRow};

const KIND: &str = "gateway.lift";
/// How long after its answer, and how long before its end, a block need not show in the readings.
const SETTLE_US: i64 = 3_000_000;

/// Remembers to look when the block's time is over.
pub(crate) async fn enqueue(tx: &mut Tx, key: &str, at: Timestamp) -> Result<(), DbError> {
    tx.enqueue(KIND, key, &json!({}), at).await?;
    Ok(())
}

/// The end of a block as a fact.
async fn say_ended(tx: &mut Tx, row: &OrderRow, summary: String) -> Result<(), GatewayError> {
    let fact = EnforcementChanged {
        edge: row.edge.clone(),
        key: format!("{}/end", row.order.key),
        verb: "release".into(),
        target: target_name(&row.order),
        outcome: Outcome::Done { summary, data: Value::Null },
    };
    tx.publish("system", &fact).await?;
    Ok(())
}

/// Blocks that should be in force and that the gateway's own reading does not show are not in force:
/// its source started again, or somebody changed its table.
pub(crate) async fn lost(
    tx: &mut Tx,
    in_force: Vec<OrderRow>,
    standing: &[Standing],
    devices: &[DeviceCounters],
) -> Result<(), GatewayError> {
    let now = tx.now();
    for row in in_force {
        let Some(done_at) = row.done_at else { continue };
        let Some(timeout_s) = row.order.verb.timeout_s().map(i64::from) else { continue };
        // Near its end the block ends by itself, and a reading may be older than the answer.
        let settled = now.micros_since(done_at) > SETTLE_US
            && done_at.plus_secs(timeout_s).micros_since(now) > SETTLE_US;
        // A gateway that was started anew without a state file knows the block, not whose order it was.
        let whole = matches!(row.order.verb, Verb::Block { .. }) && row.order.flow.is_none();
        let blocked = |line: &DeviceCounters| line.blocked && row.mac() == Some(line.mac.as_str());
        let shown = standing.iter().any(|held| held.key == row.order.key)
            || whole && devices.iter().any(blocked);
        if !settled || shown || !store::lift(tx.sql(), &row.order.key, now).await? {
            continue;
        }
        let target = target_name(&row.order);
        let text = format!(
            "the {} of {target} is gone: the gateway's source started again, or its table was changed",
            row.order.verb.name()
        );
        say_ended(tx, &row, text).await?;
    }
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
                    let (target, verb) = (target_name(&row.order), row.order.verb.name());
                    say_ended(tx, &row, format!("the {verb} of {target} ended by itself")).await?;
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
