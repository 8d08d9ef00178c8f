use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use model::event::{AccessNoted, Fact};
use platform::bus::{self, ConsumeError, Consumer};
use platform::db::{DbError, Tx};
use platform::testing::platform;
use sqlx::Row;

use crate::db::{ROOM, count};

/// Writes one row per fact; fails now and then, as real rooms do.
struct Clerk {
    calls: AtomicU32,
    fail_every: u32,
    never: &'static str,
}

#[async_trait]
impl Consumer for Clerk {
    fn name(&self) -> &'static str {
        "clerk"
    }
    fn kinds(&self) -> &'static [&'static str] {
        &["identity.access_noted"]
    }
    async fn handle(&self, tx: &mut Tx, fact: &Fact) -> Result<(), ConsumeError> {
        sqlx::query("INSERT INTO probe_notes (name, body) VALUES ($1, $2)")
            .bind(fact.seq.to_string())
            .bind(&fact.sentence)
            .execute(tx.sql())
            .await?;
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        if fact.subject == self.never
            || (self.fail_every > 0 && call.is_multiple_of(self.fail_every))
        {
            return Err(ConsumeError::Other("on purpose".into()));
        }
        Ok(())
    }
}

async fn publish(p: &platform::Platform, who: String) {
    let done: Result<i64, DbError> =
        p.db.write(move |tx| {
            Box::pin(async move {
                let fact = AccessNoted { what: "signed_in".into(), who, detail: "test".into() };
                tx.publish("system", &fact).await
            })
        })
        .await;
    done.unwrap();
}

async fn wait_for(p: &platform::Platform, table: &'static str, wanted: i64) {
    while count(p, table).await < wanted {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn every_fact_takes_effect_once_although_the_consumer_fails_and_the_node_restarts() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let p = platform(folder.path(), &[ROOM]).await.unwrap();
        let clerk = Arc::new(Clerk { calls: AtomicU32::new(1), fail_every: 3, never: "" });
        bus::start(&p, vec![clerk]);
        for i in 0..10 {
            publish(&p, format!("user {i}")).await;
        }
        wait_for(&p, "probe_notes", 10 * (round + 1)).await;
        p.tasks.stop(Duration::from_secs(5)).await;
        p.db.close().await;
    }
    let p = platform(folder.path(), &[ROOM]).await.unwrap();
    assert_eq!(count(&p, "probe_notes").await, 30);
    let mut connection = p.db.read().await.unwrap();
    let row = sqlx::query("SELECT MIN(seq), MAX(seq), COUNT(*) FROM platform_facts")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    let (min, max, all): (i64, i64, i64) =
        (row.try_get(0).unwrap(), row.try_get(1).unwrap(), row.try_get(2).unwrap());
    assert_eq!((min, max, all), (1, 30, 30), "the sequence has no gaps");
}

#[tokio::test]
async fn a_fact_that_cannot_be_taken_is_set_aside_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let p = platform(folder.path(), &[ROOM]).await.unwrap();
    bus::start(&p, vec![Arc::new(Clerk { calls: AtomicU32::new(1), fail_every: 0, never: "bad" })]);
    publish(&p, "bad".into()).await;
    publish(&p, "good".into()).await;
    wait_for(&p, "probe_notes", 1).await;
    assert_eq!(bus::dead_facts(&p.db).await.unwrap(), 1);
}
