//! Items of a source, such as events and advisories: each is kept whole in one transaction, with what it no longer says
//! withdrawn.

use std::collections::{BTreeMap, HashMap, HashSet};

use intel::from_misp::is_common;
use intel::{Batch, Prepared, Put, SourceId};
use sha2::{Digest, Sha256};
use sqlx::AnyConnection;

use super::Run;
use crate::error::FeedError;
use crate::net::Fault;
use crate::store::progress;

/// Fewer items than these may all go at once.
const FEW: usize = 4;
/// Items dropped in one transaction.
const DROPPED_AT_ONCE: usize = 16;
/// The name under which a short list of items is remembered.
const SHORT_LIST: &str = "short list";

/// What an item says, in which state.
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) stamp: String,
    pub(crate) objects: Vec<Prepared>,
    /// Rank of what is not marked.
    pub(crate) unmarked: i64,
}

impl Run<'_> {
    /// The items that were read, with the state they were read in.
    pub(crate) async fn items(&self) -> Result<HashMap<String, String>, Fault> {
        let mut sql = self.room.platform().db.read().await.map_err(FeedError::Db)?;
        Ok(progress::items(&mut sql, &self.feed.id).await.map_err(FeedError::Db)?)
    }

    /// Keeps what an item says now and withdraws what it said before.
    pub(crate) async fn keep_item(&mut self, item: Item) -> Result<(), Fault> {
        self.counts.records += item.objects.len() as u64;
        let (feed, source) = (self.feed.id.clone(), self.source);
        let kept: Result<(Vec<(String, Put)>, u64), FeedError> = self
            .room
            .platform()
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let now_us = tx.now().as_micros();
                    keep(tx.sql(), &feed, source, item, now_us).await
                })
            })
            .await;
        let (puts, gone) = kept?;
        self.counts.gone += gone;
        for (id, put) in puts {
            self.count(put, &id);
        }
        Ok(())
    }

    /// Lets go of items that are no longer offered, unless the list looks like half a list: most of what is known missing
    /// is believed when the very same is missing a second time.
    pub(crate) async fn let_go(
        &mut self,
        known: &HashMap<String, String>,
        offered: &HashSet<String>,
    ) -> Result<(), Fault> {
        let mut gone: Vec<String> =
            known.keys().filter(|name| !offered.contains(*name)).cloned().collect();
        if gone.is_empty() || !self.feed.new.whole {
            return Ok(());
        }
        gone.sort_unstable();
        if gone.len() > FEW && gone.len() * 2 > known.len() {
            let digest = hex::encode(Sha256::digest(gone.join("\n")));
            if self.cursor(SHORT_LIST).await?.as_deref() != Some(&digest) {
                self.set_cursor(SHORT_LIST, digest).await?;
                self.problem = Some(format!(
                    "the list lacks {} of {} known items; they stay until it lacks them once more",
                    gone.len(),
                    known.len()
                ));
                return Ok(());
            }
        }
        for chunk in gone.chunks(DROPPED_AT_ONCE) {
            let (feed, source, chunk) = (self.feed.id.clone(), self.source, chunk.to_vec());
            let done: Result<u64, FeedError> = self
                .room
                .platform()
                .db
                .write(move |tx| {
                    Box::pin(async move {
                        let now_us = tx.now().as_micros();
                        let mut gone = 0;
                        for item in &chunk {
                            gone += drop(tx.sql(), &feed, source, item, now_us).await?;
                        }
                        Ok(gone)
                    })
                })
                .await;
            self.counts.gone += done?;
        }
        Ok(())
    }
}

async fn keep(
    sql: &mut AnyConnection,
    feed: &str,
    source: SourceId,
    item: Item,
    now_us: i64,
) -> Result<(Vec<(String, Put)>, u64), FeedError> {
    let Item { name, stamp, mut objects, unmarked } = item;
    let says: HashSet<&str> = objects.iter().map(|object| object.id.as_str()).collect();
    let before = progress::said(sql, feed, &name).await?;
    let gone: Vec<&str> =
        before.iter().map(String::as_str).filter(|id| !says.contains(id)).collect();
    let free = progress::unsay(sql, feed, &name, &gone).await?;
    let free: Vec<&str> = free.iter().map(String::as_str).collect();
    let gone = intel::withdraw::withdraw(sql, source, &free, now_us).await?;
    intel::withdraw::renew(sql, source, &mut objects, now_us).await?;
    let batch = Batch { source, unmarked, collection: None, objects: &objects, now_us };
    let puts = intel::write::store(sql, &batch).await?;
    let mut by_label: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
    for (object, put) in objects.iter().zip(&puts) {
        if matches!(put, Put::Same | Put::Conflict) {
            by_label.entry(object.tlp.unwrap_or(unmarked)).or_default().push(&object.id);
        }
    }
    for (tlp, ids) in by_label {
        intel::withdraw::raise(sql, source, &ids, tlp).await?;
    }
    let ids: Vec<&str> =
        objects.iter().map(|object| object.id.as_str()).filter(|id| !is_common(id)).collect();
    progress::say(sql, feed, &name, &ids).await?;
    progress::set_item(sql, feed, &name, &stamp, now_us).await?;
    Ok((objects.into_iter().map(|object| object.id).zip(puts).collect(), gone))
}

async fn drop(
    sql: &mut AnyConnection,
    feed: &str,
    source: SourceId,
    item: &str,
    now_us: i64,
) -> Result<u64, FeedError> {
    let before = progress::said(sql, feed, item).await?;
    let ids: Vec<&str> = before.iter().map(String::as_str).collect();
    let free = progress::unsay(sql, feed, item, &ids).await?;
    let free: Vec<&str> = free.iter().map(String::as_str).collect();
    let gone = intel::withdraw::withdraw(sql, source, &free, now_us).await?;
    progress::drop_item(sql, feed, item).await?;
    Ok(gone)
}
