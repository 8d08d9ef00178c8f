//! Keeping the store of intelligence in line with an event: what it no longer says is withdrawn, a raised label
//! reaches what is there.

use std::collections::BTreeMap;

use sqlx::AnyConnection;

use crate::error::MispError;
use crate::store::events::Event;
use crate::store::published::{self, Stored};

/// By source, as the store takes it.
fn by_source(stored: &[Stored]) -> BTreeMap<i64, Vec<&str>> {
    let mut found: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
    for one in stored {
        found.entry(one.source).or_default().push(&one.id);
    }
    found
}

/// Withdraws these objects of an event, but for those that another event of the same source says.
pub(crate) async fn stored(
    sql: &mut AnyConnection,
    event: i64,
    list: &[Stored],
    now_s: i64,
) -> Result<(), MispError> {
    for (source, ids) in by_source(list) {
        let free = published::strike(sql, event, source, &ids).await?;
        let free: Vec<&str> = free.iter().map(String::as_str).collect();
        let now_us = now_s.saturating_mul(1_000_000);
        intel::withdraw::withdraw(sql, source, &free, now_us).await?;
    }
    Ok(())
}

/// Withdraws all that an event put there.
pub(crate) async fn event(
    sql: &mut AnyConnection,
    event: i64,
    now_s: i64,
) -> Result<(), MispError> {
    let list = published::of(sql, event).await?;
    stored(sql, event, &list, now_s).await
}

/// The UUID in a STIX id.
pub(crate) fn uuid_of(id: &str) -> &str {
    id.split_once("--").map_or("", |(_, uuid)| uuid)
}

/// What attributes and objects of an event, by their UUIDs, became in the store, with what falls with it.
async fn of_parts(
    sql: &mut AnyConnection,
    event: i64,
    uuids: &[&str],
) -> Result<Vec<Stored>, MispError> {
    let all = published::of(sql, event).await?;
    let own = |id: &str| uuids.contains(&uuid_of(id)) && !is_container(id);
    let roots: Vec<&str> = all.iter().map(|one| one.id.as_str()).filter(|id| own(id)).collect();
    if roots.is_empty() {
        return Ok(vec![]);
    }
    let more = intel::withdraw::dependents(sql, &roots).await?;
    Ok(all.iter().filter(|one| own(&one.id) || more.contains(&one.id)).cloned().collect())
}

fn is_container(id: &str) -> bool {
    id.starts_with("report--") || id.starts_with("grouping--")
}

/// Withdraws what parts of an event became.
pub(crate) async fn parts(
    sql: &mut AnyConnection,
    event: i64,
    uuids: &[&str],
    now_s: i64,
) -> Result<(), MispError> {
    let list = of_parts(sql, event, uuids).await?;
    stored(sql, event, &list, now_s).await
}

/// Raises the label of all that an event put there.
pub(crate) async fn raise(sql: &mut AnyConnection, event: &Event) -> Result<(), MispError> {
    let list = published::of(sql, event.id).await?;
    for (source, ids) in by_source(&list) {
        intel::withdraw::raise(sql, source, &ids, event.tlp).await?;
    }
    Ok(())
}

/// Raises the label of what a part of an event became.
pub(crate) async fn raise_part(
    sql: &mut AnyConnection,
    event: i64,
    uuid: &str,
    tlp: i64,
) -> Result<(), MispError> {
    let list = of_parts(sql, event, &[uuid]).await?;
    for (source, ids) in by_source(&list) {
        intel::withdraw::raise(sql, source, &ids, tlp).await?;
    }
    Ok(())
}
