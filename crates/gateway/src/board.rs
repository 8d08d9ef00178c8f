//! What stands at gateways, as the situation shows it.

use async_trait::async_trait;
use model::{Outcome, Timestamp};
use ports::PortError;
use ports::situation::{OrderBoard, StandingOrder};

use crate::store::{self, OrderRow};
use crate::{Gateway, GatewayError};

#[async_trait]
impl OrderBoard for Gateway {
    async fn standing(&self, limit: u32) -> Result<Vec<StandingOrder>, PortError> {
        let now = self.platform.now();
        let read = async {
            let mut sql = self.platform.db.read().await?;
            store::standing(&mut sql, i64::from(limit)).await
        };
        let rows = read.await.map_err(GatewayError::from)?;
        Ok(rows
            .into_iter()
            .map(brief)
            .filter(|one| one.until.is_none_or(|end| end > now))
            .collect())
    }

    async fn gateways(&self) -> Result<(u64, u64), PortError> {
        let read = async {
            let mut sql = self.platform.db.read().await?;
            store::edges(&mut sql).await
        };
        let edges = read.await.map_err(GatewayError::from)?;
        let connected = edges.iter().filter(|edge| self.registry.is_connected(&edge.name)).count();
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Ok((count(edges.len()), count(connected)))
    }
}

fn brief(row: OrderRow) -> StandingOrder {
    let enforced = row.outcome.as_ref().map(|outcome| matches!(outcome, Outcome::Done { .. }));
    let ends = |done: Timestamp| {
        let seconds = row.order.verb.timeout_s()?;
        Some(done.plus_secs(i64::from(seconds)))
    };
    let mac = row.mac().map(str::to_owned);
    let addresses = row.order.target.addresses.iter().map(ToString::to_string);
    let target: Vec<String> = mac.clone().into_iter().chain(addresses).collect();
    StandingOrder {
        until: row.done_at.and_then(ends),
        target: target.join(", "),
        verb: row.order.verb.name().into(),
        key: row.order.key,
        gateway: row.edge,
        mac,
        why: row.order.why,
        since: row.done_at,
        enforced,
    }
}
