//! What is known of a value: the shipped list, and indicators of the STIX store.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use ::intel::Sight;
use ::intel::excuse::Excuses;
use ::intel::sources::{self, Source};
use ::intel::standing::{self, Standing, Why};
use ::intel::terms::{MAX_VALUE_BYTES, normal};
use ::intel::values::{self, Listed};
use async_trait::async_trait;
use model::Timestamp;
use platform::db::DbError;
use ports::{IntelAnswer, IntelLookup, IntelSource, PortError};
use sqlx::AnyConnection;
use stix::Tlp;
use stix::pattern::met_by_port;

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

/// How many values objects in each sight name, as counted a moment ago.
#[derive(Debug, Default)]
pub(crate) struct Counted(Mutex<HashMap<i64, (Timestamp, i64)>>);

impl Counted {
    pub(crate) async fn get(
        &self,
        sql: &mut AnyConnection,
        now: Timestamp,
        sight: Sight,
    ) -> Result<i64, DbError> {
        let counts = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = counts().get(&sight.most()).copied();
        if let Some((at, count)) = last
            && (0..COUNT_FOR_US).contains(&now.micros_since(at))
        {
            return Ok(count);
        }
        let count = values::count_named(sql, sight).await?;
        counts().insert(sight.most(), (now, count));
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

/// Said in place of what only some may read.
const ABOVE: &str =
    "known to sources marked above TLP:GREEN; a lookup names them to who may see them";
const NO_MORE: &str = "known no more, by a word marked above TLP:GREEN";

/// For the node's own playbooks, which act upon everything that is known here. What faded, has ended or is well known is
/// not known to them; the sentence says so. Steps of runs and findings are read under every role: the sentence and the
/// sources tell no more than TLP:GREEN lets everybody here read.
#[async_trait]
impl IntelLookup for Cti {
    async fn lookup(&self, value: &str) -> Result<IntelAnswer, PortError> {
        let found = look_up(self, value, Sight::ALL).await?;
        if found.known {
            crate::hits::note(self, value).await?;
        }
        let open = look_up(self, value, Sight::up_to(stix::Tlp::Green)).await?;
        let sources = open.words.iter().filter(|word| found.known && word.counts());
        let summary = match (found.known, open.known) {
            (true, false) => ABOVE.to_owned(),
            (false, true) => NO_MORE.to_owned(),
            _ => open.summary,
        };
        Ok(IntelAnswer {
            value: found.value,
            known: found.known,
            summary,
            sources: sources
                .map(|word| IntelSource {
                    name: source_name(word),
                    score: word.known.score,
                    object: word.known.object.clone(),
                })
                .collect(),
        })
    }
}

/// What is known of a value.
#[derive(Clone, Debug)]
pub(crate) struct Looked {
    /// In its normal form.
    pub(crate) value: String,
    /// Whether a word counts that is not excused.
    pub(crate) known: bool,
    /// One sentence.
    pub(crate) summary: String,
    /// Every word in sight, those that count first.
    pub(crate) words: Vec<Standing>,
    /// The lists of well-known values that hold it, whether somebody names it or not.
    pub(crate) excused_by: Option<String>,
}

/// Under which name a source answers.
pub(crate) fn source_name(word: &Standing) -> String {
    if word.known.object.is_some() { STIX.into() } else { word.known.source.clone() }
}

/// What sources in sight say of a value, however it is written. Of `HOST:PORT` what they say of the host, and what they
/// say of the host together with this port counts too.
pub(crate) async fn look_up(cti: &Cti, value: &str, sight: Sight) -> Result<Looked, PortError> {
    let (value, port) = match endpoint(value) {
        Some((host, port)) => (normal(host), Some(port)),
        None => (normal(value), None),
    };
    if value.is_empty() || value.len() > MAX_VALUE_BYTES {
        let text = format!("a value to look up has 1 to {MAX_VALUE_BYTES} bytes");
        return Err(PortError::Invalid(text));
    }
    Ok(answer(cti, value, port, sight).await?)
}

/// Host and port of an endpoint: `198.51.100.7:443`, `[2001:db8::1]:443`, `a.example:443`.
fn endpoint(text: &str) -> Option<(&str, u16)> {
    let (host, port) = text.trim().rsplit_once(':')?;
    let port = port.parse().ok().filter(|_| port.bytes().all(|byte| byte.is_ascii_digit()))?;
    let bare = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']'));
    match bare {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok().then_some((inner, port)),
        // A name has a dot; what has none is another value with a colon.
        None => {
            (host.contains('.') && !host.contains([':', '/', '@', '\\'])).then_some((host, port))
        }
    }
}

async fn answer(
    cti: &Cti,
    value: String,
    port: Option<u16>,
    sight: Sight,
) -> Result<Looked, CtiError> {
    let mut sql = cti.platform().db.read().await?;
    let now = cti.platform().now();
    let mut words = standing::of_value(&mut sql, &value, sight, now.as_micros()).await?;
    // What merely mentions a value says nothing against it: playbooks act upon this answer.
    words.retain(|word| {
        word.known.object.as_ref().is_none_or(|object| object.starts_with("indicator--"))
    });
    for word in &mut words {
        // What is there besides makes the word whole.
        if let (Why::Needs(besides), Some(port)) = (&word.why, port)
            && met_by_port(besides, port)
        {
            word.why = Why::Lives;
        }
    }
    words.sort_by_key(|word| !word.counts());
    let known = words.iter().any(Standing::counts);
    let excused_by = Excuses::current(&mut sql).await?.of(&value);
    let summary = if words.is_empty() {
        let named = cti.counted().get(&mut sql, now, sight).await?;
        let lists = lists::all(&mut sql).await?;
        let held: i64 = named + lists.iter().map(|list| list.held).sum::<i64>();
        let well_known = excused_by.as_ref();
        let well_known =
            well_known.map_or_else(String::new, |lists| format!("; well known by {lists}"));
        format!("unknown to {} sources, {} values{well_known}", lists.len() + 1, thousands(held))
    } else {
        // What no longer counts is told where nothing else is.
        let told = words.iter().filter(|word| word.counts() == known);
        told.map(|word| sentence(word, &value)).collect::<Vec<_>>().join("; ")
    };
    Ok(Looked { value, known, summary, words, excused_by })
}

fn day(at_us: i64) -> String {
    let text = Timestamp::from_micros(at_us).to_string();
    text.get(..10).unwrap_or_default().to_owned()
}

fn sentence(word: &Standing, asked: &str) -> String {
    let known = &word.known;
    let since = day(known.since_us);
    let mut said = match (&known.object, known.score) {
        (None, Some(score)) if known.source == IPSUM => {
            format!("on {score} public block lists (ipsum, {since})")
        }
        (None, _) => format!("listed by {} ({since})", known.source),
        (Some(object), _) => format!("named by {object} (valid from {since})"),
    };
    if word.named != asked {
        said.push_str(&format!(" as part of {}", word.named));
    }
    let until = word.until_us.map(day);
    match (&word.why, until) {
        (Why::Lives, _) => said,
        (Why::Needs(besides), _) => format!("{said}, which also needs {besides}"),
        (Why::Excused(lists), _) => {
            format!("well known by {lists}, so that it counts for nothing: {said}")
        }
        (_, None) => format!("no longer counted: {said}"),
        (Why::Ended, Some(until)) => {
            format!("known until {until}, when it was reported as ended: {said}")
        }
        (_, Some(until)) => format!("known until {until}: {said}"),
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
    fn an_endpoint_is_a_host_with_a_port() {
        for (text, expect) in [
            ("198.51.100.7:443", Some(("198.51.100.7", 443))),
            ("[2001:db8::1]:443", Some(("2001:db8::1", 443))),
            (" a.example:80 ", Some(("a.example", 80))),
            ("2001:db8::1", None),
            ("http://a.example:80", None),
            ("a.example:80/x", None),
            ("a.example:99999", None),
            ("a.example:+80", None),
            (":80", None),
            ("00:11:22:33:44:55", None),
            ("global\\mutex:1", None),
            ("x:1", None),
        ] {
            assert_eq!(endpoint(text), expect, "{text}");
        }
    }

    #[test]
    fn numbers_are_readable() {
        assert_eq!((thousands(14_217), thousands(7)), ("14,217".into(), "7".into()));
    }
}
