//! What is known of a value: the shipped list, and indicators of the STIX store.

use std::net::IpAddr;

use async_trait::async_trait;
use model::Timestamp;
use platform::db::Tx;
use ports::{IntelAnswer, IntelLookup, IntelSource, PortError};
use stix::{Object, pattern};

use crate::error::CtiError;
use crate::room::Cti;
use crate::store::objects;
use crate::store::values::{self, Indicated, Known, Source};

/// Name of the shipped list.
pub(crate) const IPSUM: &str = "ipsum";
/// Name under which indicators answer.
pub(crate) const STIX: &str = "STIX indicators";
/// Longest value that is looked up, in bytes.
pub(crate) const MAX_VALUE_BYTES: usize = 2_048;
/// The shipped list: address, tab, number of block lists it stood on.
const IPSUM_SAMPLE: &str = include_str!("../../../data/intel/ipsum-sample.txt");
/// 2026-08-22T01:00:29Z: the shipped list's last update.
const IPSUM_SINCE_US: i64 = 1_787_360_429_000_000;
const IPSUM_LICENCE: &str =
    "Unlicense; stamparm/ipsum, 2026-08-22; each list it counts has its own";

/// Loads the shipped list, unless this very list is loaded.
pub(crate) async fn load_sample(cti: &Cti) -> Result<(), CtiError> {
    let digest = crate::receipt::digest(IPSUM_SAMPLE.as_bytes());
    let mut sql = cti.platform().db.read().await?;
    let known = values::sources(&mut sql).await?;
    drop(sql);
    if known.iter().any(|source| source.name == IPSUM && source.digest == digest) {
        return Ok(());
    }
    let rows = parse_list(IPSUM_SAMPLE);
    let source = Source {
        name: IPSUM.into(),
        digest,
        held: i64::try_from(rows.len()).unwrap_or(i64::MAX),
        licence: IPSUM_LICENCE.into(),
        loaded_at_us: cti.platform().now().as_micros(),
    };
    cti.platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                values::replace_list(tx.sql(), &source, IPSUM_SINCE_US, &rows).await?;
                Ok(())
            })
        })
        .await
}

/// Lines `address<TAB>count`; comments and lines that are no address are passed over.
fn parse_list(text: &str) -> Vec<(String, f64)> {
    text.lines()
        .filter_map(|line| line.split_once('\t'))
        .filter_map(|(address, count)| Some((address.parse::<IpAddr>().ok()?, count.parse().ok()?)))
        .map(|(address, count)| (address.to_string(), count))
        .collect()
}

/// The form in which a value is stored and asked for.
pub(crate) fn normal(value: &str) -> String {
    let value = value.trim();
    match value.parse::<IpAddr>() {
        Ok(address) => address.to_string(),
        Err(_) => value.trim_end_matches('.').to_lowercase(),
    }
}

/// Object paths of indicators whose values are found, with the kind of value.
const PATHS: &[(&str, &str)] = &[
    ("ipv4-addr:value", "address"),
    ("ipv6-addr:value", "address"),
    ("domain-name:value", "domain"),
    ("url:value", "url"),
    ("email-addr:value", "email"),
];

/// Puts what an indicator names into the lookup index; a revoked one leaves it.
pub(crate) async fn index(tx: &mut Tx, object: &Object) -> Result<(), CtiError> {
    if object.kind() != "indicator" || object.text("pattern_type") != Some("stix") {
        return Ok(());
    }
    // An older version that comes late must not undo a newer one.
    if objects::newest(tx.sql(), object.id_text()).await? > objects::version_key(object) {
        return Ok(());
    }
    let simple = match object.text("pattern") {
        Some(pattern) if !object.is_revoked() => pattern::simple_values(pattern),
        _ => None,
    };
    let until = object.timestamp("valid_until").map(stix::Timestamp::unix_us);
    let since = object.timestamp("valid_from").map_or(0, stix::Timestamp::unix_us);
    let score = object.get("confidence").and_then(serde_json::Value::as_f64);
    let values: Vec<Indicated> = simple
        .unwrap_or_default()
        .into_iter()
        .filter_map(|simple| {
            let (_, kind) = PATHS.iter().find(|(path, _)| *path == simple.path)?;
            let value = normal(&simple.value);
            Some(Indicated { value, kind, score, since_us: since, until_us: until })
        })
        .collect();
    values::replace_indicator(tx.sql(), STIX, object.id_text(), &values).await?;
    Ok(())
}

#[async_trait]
impl IntelLookup for Cti {
    async fn lookup(&self, value: &str) -> Result<IntelAnswer, PortError> {
        let value = normal(value);
        if value.is_empty() || value.len() > MAX_VALUE_BYTES {
            let text = format!("a value to look up has 1 to {MAX_VALUE_BYTES} bytes");
            return Err(PortError::Invalid(text));
        }
        Ok(answer(self, value).await?)
    }
}

async fn answer(cti: &Cti, value: String) -> Result<IntelAnswer, CtiError> {
    let mut sql = cti.platform().db.read().await?;
    let found = values::lookup(&mut sql, &value, cti.platform().now().as_micros()).await?;
    let indicators = values::count(&mut sql, STIX).await?;
    let lists = values::sources(&mut sql).await?;
    let held: i64 = indicators + lists.iter().map(|list| list.held).sum::<i64>();
    let summary = if found.is_empty() {
        format!("unknown to {} sources, {} values", lists.len() + 1, thousands(held))
    } else {
        found.iter().map(sentence).collect::<Vec<_>>().join("; ")
    };
    let sources = found
        .into_iter()
        .map(|known| IntelSource {
            name: known.source,
            score: known.score,
            object: Some(known.object).filter(|object| !object.is_empty()),
        })
        .collect::<Vec<_>>();
    Ok(IntelAnswer { known: !sources.is_empty(), value, summary, sources })
}

fn sentence(known: &Known) -> String {
    let since = Timestamp::from_micros(known.since_us).to_string();
    let day = since.get(..10).unwrap_or_default();
    match known.score {
        Some(score) if known.source == IPSUM => {
            format!("on {score} public block lists (ipsum, {day})")
        }
        _ => format!("named by {} (valid from {day})", known.object),
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
    use super::*;

    #[test]
    fn the_shipped_list_is_read_whole() {
        let rows = parse_list(IPSUM_SAMPLE);
        assert_eq!(rows.len(), IPSUM_SAMPLE.lines().count() - 1);
        assert!(rows.iter().all(|(_, count)| (3.0..100.0).contains(count)));
    }

    #[test]
    fn values_have_one_form() {
        assert_eq!(normal(" 2001:DB8:0:0::1 "), "2001:db8::1");
        assert_eq!(normal("Evil.Example."), "evil.example");
        assert_eq!((thousands(14_217), thousands(7)), ("14,217".into(), "7".into()));
    }
}
