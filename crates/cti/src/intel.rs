//! What is known of a value: the shipped list, and indicators of the STIX store.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use ::intel::Sight;
use ::intel::sources::{self, Source};
use ::intel::terms::{MAX_VALUE_BYTES, normal};
use ::intel::values::{self, Known, Listed};
use async_trait::async_trait;
use model::Timestamp;
use platform::db::DbError;
use ports::{IntelAnswer, IntelLookup, IntelSource, PortError};
use sqlx::AnyConnection;
use stix::Tlp;

use crate::error::CtiError;
use crate::room::Cti;
use crate::store::lists::{self, List};

/// Name of the shipped list.
pub(crate) const IPSUM: &str = "ipsum";
/// Name under which indicators answer.
pub(crate) const STIX: &str = "STIX indicators";
/// The shipped list: address, tab, number of block lists it stood on.
const IPSUM_SAMPLE: &str = include_str!("../../../data/intel/ipsum-sample.txt");
/// 2026-08-22T01:00:29Z: the shipped list's last update.
const IPSUM_SINCE_US: i64 = 1_787_360_429_000_000;
const IPSUM_LICENCE: &str =
    "Unlicense; stamparm/ipsum, 2026-08-22; each list it counts has its own";

/// How long a count of values is good enough, microseconds: with a million of them counting takes longer than the
/// lookup itself.
const COUNT_FOR_US: i64 = 10_000_000;

/// How many values objects name, as counted a moment ago.
#[derive(Debug, Default)]
pub(crate) struct Counted(Mutex<Option<(Timestamp, i64)>>);

impl Counted {
    pub(crate) async fn get(
        &self,
        sql: &mut AnyConnection,
        now: Timestamp,
    ) -> Result<i64, DbError> {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, count)) = last
            && (0..COUNT_FOR_US).contains(&now.micros_since(at))
        {
            return Ok(count);
        }
        let count = values::count_named(sql).await?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, count));
        Ok(count)
    }
}

/// Loads the shipped list, unless this very list is loaded.
pub(crate) async fn load_sample(cti: &Cti) -> Result<(), CtiError> {
    let digest = crate::receipt::digest(IPSUM_SAMPLE.as_bytes());
    let mut sql = cti.platform().db.read().await?;
    let known = lists::all(&mut sql).await?;
    drop(sql);
    if known.iter().any(|list| list.name == IPSUM && list.digest == digest) {
        return Ok(());
    }
    let rows = parse_list(IPSUM_SAMPLE);
    let loaded_at_us = cti.platform().now().as_micros();
    let held = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let list = List { name: IPSUM.into(), digest, held, loaded_at_us };
    let source = Source {
        key: List::key(IPSUM),
        name: IPSUM.into(),
        kind: "feed".into(),
        tlp: Tlp::Clear,
        licence: IPSUM_LICENCE.into(),
    };
    cti.platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let id = sources::ensure(tx.sql(), &source, loaded_at_us).await?;
                values::list(tx.sql(), id, &rows, loaded_at_us).await?;
                values::drop_unsaid(tx.sql(), id, loaded_at_us).await?;
                lists::note(tx.sql(), &list).await?;
                Ok(())
            })
        })
        .await
}

/// Lines `address<TAB>count`; comments and lines that are no address are passed over.
fn parse_list(text: &str) -> Vec<Listed> {
    text.lines()
        .filter_map(|line| line.split_once('\t'))
        .filter_map(|(address, count)| Some((address.parse::<IpAddr>().ok()?, count.parse().ok()?)))
        .map(|(address, count)| Listed {
            value: address.to_string(),
            kind: "address",
            score: Some(count),
            since_us: IPSUM_SINCE_US,
            until_us: None,
        })
        .collect()
}

/// For the node's own playbooks, which act upon everything that is known here.
#[async_trait]
impl IntelLookup for Cti {
    async fn lookup(&self, value: &str) -> Result<IntelAnswer, PortError> {
        look_up(self, value, Sight::ALL).await
    }
}

/// What sources in sight say of a value, however it is written.
pub(crate) async fn look_up(
    cti: &Cti,
    value: &str,
    sight: Sight,
) -> Result<IntelAnswer, PortError> {
    let value = normal(value);
    if value.is_empty() || value.len() > MAX_VALUE_BYTES {
        let text = format!("a value to look up has 1 to {MAX_VALUE_BYTES} bytes");
        return Err(PortError::Invalid(text));
    }
    Ok(answer(cti, value, sight).await?)
}

async fn answer(cti: &Cti, value: String, sight: Sight) -> Result<IntelAnswer, CtiError> {
    let mut sql = cti.platform().db.read().await?;
    let now = cti.platform().now();
    let mut found = values::lookup(&mut sql, &value, sight, now.as_micros()).await?;
    // What merely mentions a value says nothing against it: playbooks act upon this answer.
    found.retain(|known| {
        known.object.as_ref().is_none_or(|object| object.starts_with("indicator--"))
    });
    let named = cti.counted().get(&mut sql, now).await?;
    let lists = lists::all(&mut sql).await?;
    let held: i64 = named + lists.iter().map(|list| list.held).sum::<i64>();
    let summary = if found.is_empty() {
        format!("unknown to {} sources, {} values", lists.len() + 1, thousands(held))
    } else {
        found.iter().map(sentence).collect::<Vec<_>>().join("; ")
    };
    let sources = found
        .into_iter()
        .map(|known| IntelSource {
            name: if known.object.is_some() { STIX.into() } else { known.source },
            score: known.score,
            object: known.object,
        })
        .collect::<Vec<_>>();
    Ok(IntelAnswer { known: !sources.is_empty(), value, summary, sources })
}

fn sentence(known: &Known) -> String {
    let since = Timestamp::from_micros(known.since_us).to_string();
    let day = since.get(..10).unwrap_or_default();
    match (&known.object, known.score) {
        (None, Some(score)) if known.source == IPSUM => {
            format!("on {score} public block lists (ipsum, {day})")
        }
        (None, _) => format!("listed by {} ({day})", known.source),
        (Some(object), _) => format!("named by {object} (valid from {day})"),
    }
}

fn thousands(number: i64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_shipped_list_is_read_whole() {
        let rows = parse_list(IPSUM_SAMPLE);
        assert_eq!(rows.len(), IPSUM_SAMPLE.lines().count() - 1);
        assert!(rows.iter().all(|row| (3.0..100.0).contains(&row.score.unwrap())));
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!((thousands(14_217), thousands(7)), ("14,217".into(), "7".into()));
    }
}
