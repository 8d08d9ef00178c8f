//! Orders: durable first, then sent, then answered by the gateway.

use std::time::Duration;

use async_trait::async_trait;
use model::event::EnforcementChanged;
use model::{BlockTarget, Outcome};
use ports::edge::{MAX_WHY_BYTES, Order, ToEdge, Verb};
use ports::{Enforcer, PortError};
use serde_json::Value;

use crate::error::GatewayError;
use crate::store::{self, OrderRow};
use crate::{Gateway, lift};

/// Longest idempotency key, bytes.
pub(crate) const MAX_KEY_BYTES: usize = 200;

/// What is added to an order's key for the order that ends it: asked twice, it is one order.
const UNDO_SUFFIX: &str = "/undo";

/// The target of an order in one word: what people and facts call it.
pub(crate) fn target_name(order: &Order) -> String {
    let address = || order.target.addresses.first().map(ToString::to_string);
    let net = || {
        order.flow.as_ref().and_then(|flow| flow.remote.or(flow.local)).map(|net| net.to_string())
    };
    order.target.mac.clone().or_else(address).or_else(net).unwrap_or_else(|| "nobody".into())
}

impl Gateway {
    /// Writes the order once, sends it, and gives what is known of it.
    pub(crate) async fn place(
        &self,
        edge: &str,
        order: Order,
        requested_by: &str,
    ) -> Result<OrderRow, GatewayError> {
        self.check(&order)?;
        let (edge, by) = (edge.to_owned(), requested_by.to_owned());
        let row: Result<OrderRow, GatewayError> = self
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let now = tx.now();
                    store::insert_order(tx.sql(), &edge, &order, &by, now).await?;
                    let row = store::find_order(tx.sql(), &order.key).await?;
                    row.ok_or_else(|| GatewayError::Invalid("the order was not kept".into()))
                })
            })
            .await;
        let row = row?;
        if row.state == "waiting" {
            self.registry.send(&row.edge, ToEdge::Order(row.order.clone()));
        }
        Ok(row)
    }

    fn check(&self, order: &Order) -> Result<(), GatewayError> {
        let invalid = |text: String| Err(GatewayError::Invalid(text));
        if order.key.is_empty() || order.key.len() > MAX_KEY_BYTES {
            return invalid(format!("an order's key has 1 to {MAX_KEY_BYTES} bytes"));
        }
        let net =
            order.flow.as_ref().is_some_and(|flow| flow.local.is_some() || flow.remote.is_some());
        let undo = matches!(order.verb, Verb::Undo { .. });
        if order.target.mac.is_none() && order.target.addresses.is_empty() && !net && !undo {
            return invalid("an order needs the device's MAC or an address".into());
        }
        if order.why.len() > MAX_WHY_BYTES {
            return invalid(format!("the reason of an order has at most {MAX_WHY_BYTES} bytes"));
        }
        let max = self.config.max_block_s;
        if let Some(timeout_s) = order.verb.timeout_s()
            && !(1..=max).contains(&timeout_s)
        {
            return invalid(format!(
                "an order lasts 1 to {max} seconds (gateway.max_block_s), not {timeout_s}"
            ));
        }
        Ok(())
    }

    /// The order's outcome, once the gateway has said it, or `None` after the configured wait.
    async fn wait_for(&self, key: &str) -> Result<Option<Outcome>, GatewayError> {
        let deadline =
            tokio::time::Instant::now() + Duration::from_millis(self.config.answer_wait_ms);
        loop {
            let answered = self.registry.answered.notified();
            tokio::pin!(answered);
            // Listen first, look second: an answer in between is not missed.
            answered.as_mut().enable();
            let row = {
                let mut connection = self.platform.db.read().await?;
                store::find_order(&mut connection, key).await?
            };
            if let Some(outcome) = row.and_then(|row| row.outcome) {
                return Ok(Some(outcome));
            }
            if tokio::time::timeout_at(deadline, answered).await.is_err() {
                return Ok(None);
            }
        }
    }

    /// What a gateway says became of an order; later repetitions change nothing.
    pub(crate) async fn answered(
        &self,
        edge: &str,
        key: String,
        outcome: Outcome,
    ) -> Result<(), GatewayError> {
        if let Outcome::Failed { reason, retry: true } = &outcome {
            // Not an end: the order stays waiting and is sent again.
            tracing::warn!(edge, key, reason, "an order failed for now");
            return Ok(());
        }
        let edge = edge.to_owned();
        let done: Result<(), GatewayError> = self
            .platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let now = tx.now();
                    let Some(row) = store::find_order(tx.sql(), &key).await? else {
                        tracing::warn!(
                            edge,
                            key,
                            "a gateway answered an order nobody gave; ignored"
                        );
                        return Ok(());
                    };
                    if row.edge != edge || !store::answer(tx.sql(), &key, &outcome, now).await? {
                        return Ok(());
                    }
                    let enforced = matches!(outcome, Outcome::Done { .. });
                    let mut about = (row.order.verb.name(), target_name(&row.order));
                    match &row.order.verb {
                        Verb::Release if enforced => lift_all(tx, &edge, &row.order).await?,
                        Verb::Undo { order } if enforced => {
                            if let Some(ended) = store::find_order(tx.sql(), order).await? {
                                about =
                                    (ended_by_undo(&ended.order.verb), target_name(&ended.order));
                            }
                            store::lift(tx.sql(), order, now).await?;
                        }
                        verb => {
                            if let Some(timeout_s) = verb.timeout_s().filter(|_| enforced) {
                                lift::enqueue(tx, &key, now.plus_secs(i64::from(timeout_s)))
                                    .await?;
                            }
                        }
                    }
                    let fact = EnforcementChanged {
                        edge: edge.clone(),
                        key,
                        verb: about.0.into(),
                        target: about.1,
                        outcome,
                    };
                    tx.publish(&format!("edge:{edge}"), &fact).await?;
                    Ok(())
                })
            })
            .await;
        self.registry.answered.notify_waiters();
        done
    }

    /// Places an order and waits for what becomes of it; `None` as gateway: the one that has seen the
    /// target.
    pub(crate) async fn command(
        &self,
        edge: Option<&str>,
        order: Order,
        by: &str,
    ) -> Result<Outcome, PortError> {
        let known = {
            let mut connection = self.platform.db.read().await.map_err(GatewayError::from)?;
            store::find_order(&mut connection, &order.key).await.map_err(GatewayError::from)?
        };
        let found = match (known, edge) {
            (Some(row), _) => Some(row.edge),
            (None, Some(edge)) => Some(edge.to_owned()),
            (None, None) => self.gateway_for(&order.target).await?,
        };
        let Some(edge) = found else {
            return Ok(Outcome::NotEnforced {
                reason: "no gateway is enrolled at this node".into(),
                data: Value::Null,
            });
        };
        let key = order.key.clone();
        self.place(&edge, order, by).await?;
        let outcome = self.wait_for(&key).await?;
        outcome.ok_or_else(|| {
            PortError::Unavailable(format!("gateway {edge} has the order and has not answered yet"))
        })
    }

    /// Ends what the order with this key began. An order that was never written down began nothing; one that waits for
    /// its gateway is followed by its end there, in this order.
    pub(crate) async fn take_back(&self, key: &str) -> Result<Outcome, PortError> {
        let known = {
            let mut connection = self.platform.db.read().await.map_err(GatewayError::from)?;
            store::find_order(&mut connection, key).await.map_err(GatewayError::from)?
        };
        let Some(row) = known else {
            let summary = "no gateway was given this order".to_owned();
            return Ok(Outcome::Done { summary, data: Value::Null });
        };
        let order = Order {
            key: format!("{key}{UNDO_SUFFIX}"),
            verb: Verb::Undo { order: key.to_owned() },
            target: BlockTarget { mac: None, addresses: vec![] },
            flow: None,
            why: "taken back".into(),
        };
        self.command(Some(&row.edge), order, "playbook").await
    }

    /// The gateway that has seen the device; any connected one, then the one last heard, otherwise.
    pub(crate) async fn gateway_for(
        &self,
        target: &BlockTarget,
    ) -> Result<Option<String>, GatewayError> {
        if let Some(name) = self.registry.names_for(target.mac.as_deref()).into_iter().next() {
            return Ok(Some(name));
        }
        let mut connection = self.platform.db.read().await?;
        let edges = store::edges(&mut connection).await?;
        Ok(edges.into_iter().max_by_key(|edge| edge.last_contact).map(|edge| edge.name))
    }
}

/// What the end of an order means to whoever listens: a block that was taken back contains nothing any more.
const fn ended_by_undo(verb: &Verb) -> &'static str {
    match verb {
        Verb::Block { .. } => "release",
        _ => "undo",
    }
}

/// Marks everything in force for the target at this gateway as lifted.
async fn lift_all(
    tx: &mut platform::db::Tx,
    edge: &str,
    release: &Order,
) -> Result<(), GatewayError> {
    let now = tx.now();
    let target = &release.target;
    for row in store::in_force(tx.sql(), edge).await? {
        let same_mac = target.mac.is_some() && row.mac() == target.mac.as_deref();
        let shares_address =
            row.order.target.addresses.iter().any(|address| target.addresses.contains(address));
        let nobody = target.mac.is_none() && target.addresses.is_empty();
        let same_flow = row.order.flow == release.flow;
        if (same_mac || shares_address || nobody) && (same_flow || release.flow.is_none()) {
            store::lift(tx.sql(), &row.order.key, now).await?;
        }
    }
    Ok(())
}

/// An order about a whole target.
fn plain(key: &str, target: &BlockTarget, verb: Verb) -> Order {
    Order { key: key.to_owned(), verb, target: target.clone(), flow: None, why: "playbook".into() }
}

#[async_trait]
impl Enforcer for Gateway {
    async fn block(
        &self,
        key: &str,
        target: &BlockTarget,
        timeout_s: u32,
    ) -> Result<Outcome, PortError> {
        self.command(None, plain(key, target, Verb::Block { timeout_s }), "playbook").await
    }

    async fn release(&self, key: &str, target: &BlockTarget) -> Result<Outcome, PortError> {
        self.command(None, plain(key, target, Verb::Release), "playbook").await
    }
}
