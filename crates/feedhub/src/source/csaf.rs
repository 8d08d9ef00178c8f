//! A CSAF 2.0 provider (§7.1): its metadata, then ROLIE feeds or a folder with `changes.csv` (else `index.txt`), then each
//! advisory that is new or changed. An aggregator (§7.2) is read as all the providers that it lists. Digests are checked
//! where they are offered, OpenPGP signatures as the feed's policy has it.

use std::collections::{HashMap, HashSet};

use feeds::csaf::{self, Aggregator, Provider, Published};
use intel::Prepared;
use reqwest::Url;

use super::csaf_check::Checks;
use super::csaf_list::{Offered, offered, refer};
use super::csaf_stix::{self, Stix};
use super::discover::below;
use super::item::Item;
use super::{Judged, Run};
use crate::fetch::shown;
use crate::format::Csaf2;
use crate::net::Fault;
use crate::store::Rejected;

pub(super) const JSON: &str = "application/json";
/// Bytes of an advisory, a list or the metadata.
pub(super) const MAX_FILE_BYTES: usize = csaf::LIMITS.max_bytes;
/// The place in an aggregator's list at which the next run begins.
const NEXT_PROVIDER: &str = "next provider";

/// Advisories that are known, and those that were seen in this run.
struct Seen {
    known: HashMap<String, String>,
    offered: HashSet<String>,
}

/// Reads advisories that are new or changed.
pub(crate) async fn run(run: &mut Run<'_>, wanted: &Csaf2) -> Result<(), Fault> {
    let url = match run.url.path() {
        "/" => below(&run.url, ".well-known/csaf/provider-metadata.json")?,
        _ => run.url.clone(),
    };
    let mut seen = Seen { known: run.items().await?, offered: HashSet::new() };
    match published(run, &url).await? {
        Published::Provider(one) => provider(run, &url, &one, wanted, &mut seen).await?,
        Published::Aggregator(list) => aggregator(run, &url, &list, wanted, &mut seen).await?,
    }
    if seen.offered.is_empty() && !seen.known.is_empty() && run.problem.is_none() {
        return Err(Fault::new("no advisory is listed; what was known before stays"));
    }
    if run.problem.is_none() && !run.more {
        return run.let_go(&seen.known, &seen.offered).await;
    }
    Ok(())
}

async fn published(run: &Run<'_>, url: &Url) -> Result<Published, Fault> {
    let answer = run.line.get(url, JSON, run.most(MAX_FILE_BYTES)).await?;
    csaf::published(&answer.body).map_err(|error| Fault::new(format!("{}: {error}", shown(url))))
}

/// All providers that an aggregator lists. One that cannot be read is told and does not stop the others.
async fn aggregator(
    run: &mut Run<'_>,
    at: &Url,
    list: &Aggregator,
    wanted: &Csaf2,
    seen: &mut Seen,
) -> Result<(), Fault> {
    let mut problem = (list.rejected + list.left_out > 0).then(|| {
        let (odd, beyond) = (list.rejected, list.left_out);
        format!("{odd} entries of the aggregator are unreadable, {beyond} are too many")
    });
    let count = list.providers.len();
    let begin = run.cursor(NEXT_PROVIDER).await?.and_then(|text| text.parse().ok()).unwrap_or(0);
    for step in 0..count {
        let place = (begin + step) % count;
        let Some(listed) = list.providers.get(place) else { break };
        if run.is_over() {
            run.more = true;
        }
        if run.more {
            run.set_cursor(NEXT_PROVIDER, place.to_string()).await?;
            break;
        }
        // Each may lead to servers of its own.
        run.line.forget_servers().await;
        let mut why = None;
        for text in &listed.places {
            match mirrored(run, at, text, wanted, seen).await {
                Ok(()) => {
                    why = run.problem.take();
                    break;
                }
                Err(fault) if fault.again_s.is_some() => return Err(fault),
                Err(fault) => why = Some(fault.text),
            }
        }
        if let Some(why) = why {
            problem.get_or_insert(format!("{}: {why}", listed.name));
        }
    }
    run.problem = problem;
    Ok(())
}

/// The provider whose metadata, or a mirror of it, is at an address.
async fn mirrored(
    run: &mut Run<'_>,
    at: &Url,
    text: &str,
    wanted: &Csaf2,
    seen: &mut Seen,
) -> Result<(), Fault> {
    let url = refer(at, text)?;
    match published(run, &url).await? {
        Published::Provider(one) => provider(run, &url, &one, wanted, seen).await,
        Published::Aggregator(_) => Err(Fault::new("an aggregator within an aggregator")),
    }
}

async fn provider(
    run: &mut Run<'_>,
    at: &Url,
    provider: &Provider,
    wanted: &Csaf2,
    seen: &mut Seen,
) -> Result<(), Fault> {
    let list = offered(run, at, &provider.distributions, wanted).await?;
    seen.offered.extend(list.iter().map(|one| one.url.to_string()));
    let since = wanted.since.as_deref().and_then(time_us).unwrap_or(i64::MIN);
    let mut checks = None;
    for one in &list {
        if seen.known.get(one.url.as_str()) == Some(&one.stamp) || too_old(&one.stamp, since) {
            run.counts.skipped += 1;
            continue;
        }
        if run.is_over() {
            run.more = true;
            return Ok(());
        }
        // Keys are fetched only when there is something to judge.
        let checks = match &mut checks {
            Some(checks) => checks,
            none => {
                let keys = &provider.public_openpgp_keys;
                none.insert(Checks::of(run, at, keys, wanted.signatures).await?)
            }
        };
        advisory(run, one, checks).await?;
    }
    Ok(())
}

fn time_us(text: &str) -> Option<i64> {
    text.parse::<model::Timestamp>().ok().map(model::Timestamp::as_micros)
}

fn too_old(stamp: &str, since_us: i64) -> bool {
    time_us(stamp).is_some_and(|at| at < since_us)
}

/// Fetches an advisory and keeps it. What cannot be read is refused and asked for again the next time.
async fn advisory(run: &mut Run<'_>, one: &Offered, checks: &mut Checks) -> Result<(), Fault> {
    let answer = match run.line.get(&one.url, JSON, run.most(MAX_FILE_BYTES)).await {
        Ok(answer) => answer,
        Err(fault) if fault.refuses() || fault.too_large => {
            run.refuse_one("fetch", one, &fault.text);
            return Ok(());
        }
        Err(fault) => return Err(fault),
    };
    run.counts.bytes += answer.body.len() as u64;
    if let Some((kind, why)) = checks.objection(run, one, &answer.body).await? {
        run.refuse_one(kind, one, &why);
        return Ok(());
    }
    let url = one.url.clone();
    let work = move || {
        let read = csaf::read(&answer.body).map_err(|error| error.to_string())?;
        let Stix { objects, tlp } = csaf_stix::convert(&read, &shown(&url))?;
        let mut judged = Judged::default();
        for object in &objects {
            match stix::validate::object(object).first_error() {
                None => judged.sound.push(Prepared::new(object)),
                Some(error) => {
                    judged.refuse("stix", error.property.clone(), &error.message, object.id_text())
                }
            }
        }
        Ok::<_, String>((judged, tlp))
    };
    let read = tokio::task::spawn_blocking(work).await;
    match read.map_err(|_| Fault::new("an advisory could not be read"))? {
        Ok((judged, tlp)) => {
            run.refuse_all(judged.rejects);
            let unmarked = tlp.map_or(intel::rank(run.feed.new.tlp), intel::rank);
            let (name, stamp) = (one.url.to_string(), one.stamp.clone());
            run.keep_item(Item { name, stamp, objects: judged.sound, unmarked }).await
        }
        Err(reason) => {
            run.refuse_one("advisory", one, &reason);
            Ok(())
        }
    }
}

impl Run<'_> {
    fn refuse_one(&mut self, kind: &'static str, one: &Offered, reason: &str) {
        let (place, reason) = (shown(&one.url), reason.chars().take(300).collect());
        self.refuse(kind, Rejected { place, reason, excerpt: String::new() });
    }
}
