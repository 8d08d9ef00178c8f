//! A CSAF 2.0 provider (§7.1): its metadata, then ROLIE feeds or a folder with `changes.csv` (else `index.txt`), then each
//! advisory that is new or changed. Digests are checked where they are offered; OpenPGP signatures are not verified.

use std::collections::HashSet;
use std::ops::ControlFlow;

use feeds::csaf::{self, Distributions};
use feeds::record::{DEFAULT_LIMITS, End, Item as Read};
use intel::Prepared;
use reqwest::Url;
use sha2::{Digest, Sha256, Sha512};

use super::csaf_stix::{self, Stix};
use super::discover::below;
use super::item::Item;
use super::{Judged, Run};
use crate::fetch::{address, shown};
use crate::format::Csaf2;
use crate::net::Fault;
use crate::store::Rejected;

const JSON: &str = "application/json";
/// Bytes of an advisory, a list or the metadata.
const MAX_FILE_BYTES: usize = csaf::LIMITS.max_bytes;
/// Bytes of a digest file.
const MAX_DIGEST_BYTES: usize = 4_096;
/// Ways to get advisories that are looked at.
const MAX_WAYS: usize = 20;
/// Advisories of one provider.
const MAX_ADVISORIES: usize = 200_000;
/// Folders in which so many advisories in a row have no digest are not asked for more.
const NO_DIGESTS: u32 = 3;

/// An advisory that is offered.
struct Offered {
    url: Url,
    stamp: String,
    digest: Digests,
}

/// Where the digest of an advisory is.
enum Digests {
    /// At this address.
    At(Url),
    /// Beside it, if at all.
    Beside,
    /// None is offered.
    None,
}

/// Reads advisories that are new or changed.
pub(crate) async fn run(run: &mut Run<'_>, wanted: &Csaf2) -> Result<(), Fault> {
    let url = match run.url.path() {
        "/" => below(&run.url, ".well-known/csaf/provider-metadata.json")?,
        _ => run.url.clone(),
    };
    let answer = run.line.get(&url, JSON, run.most(MAX_FILE_BYTES)).await?;
    let provider = csaf::provider(&answer.body)
        .map_err(|error| Fault::new(format!("{}: {error}", shown(&url))))?;
    let offered = offered(run, &url, &provider.distributions, wanted).await?;
    let known = run.items().await?;
    if offered.is_empty() && !known.is_empty() {
        return Err(Fault::new("no advisory is listed; what was known before stays"));
    }
    let since = wanted.since.as_deref().and_then(time_us).unwrap_or(i64::MIN);
    let mut without = 0;
    for one in &offered {
        if known.get(one.url.as_str()) == Some(&one.stamp) || too_old(&one.stamp, since) {
            run.counts.skipped += 1;
            continue;
        }
        if run.is_over() {
            run.more = true;
            return Ok(());
        }
        advisory(run, one, &mut without).await?;
    }
    let names: HashSet<String> = offered.iter().map(|one| one.url.to_string()).collect();
    if run.problem.is_none() { run.let_go(&known, &names).await } else { Ok(()) }
}

fn time_us(text: &str) -> Option<i64> {
    text.parse::<model::Timestamp>().ok().map(model::Timestamp::as_micros)
}

fn too_old(stamp: &str, since_us: i64) -> bool {
    time_us(stamp).is_some_and(|at| at < since_us)
}

/// All advisories of a provider: of its ROLIE feeds where it has any, else of its folders.
async fn offered(
    run: &mut Run<'_>,
    at: &Url,
    ways: &[Distributions],
    wanted: &Csaf2,
) -> Result<Vec<Offered>, Fault> {
    let mut list = Vec::new();
    let feeds: Vec<(String, String)> = ways
        .iter()
        .flat_map(Distributions::feeds)
        .map(|(label, url)| (label.to_owned(), url.to_owned()))
        .filter(|(label, _)| {
            wanted.labels.is_empty()
                || wanted.labels.iter().any(|one| one.eq_ignore_ascii_case(label))
        })
        .collect();
    let folders: Vec<&str> = ways.iter().filter_map(|way| way.directory_url.as_deref()).collect();
    let (mut read, mut fault) = (0, None);
    for (label, url) in feeds.iter().take(MAX_WAYS) {
        match rolie(run, at, url, &mut list).await {
            Ok(()) => read += 1,
            // Feeds of other labels may be closed to us.
            Err(why) => fault = Some(Fault { text: format!("{label}: {}", why.text), ..why }),
        }
    }
    if feeds.is_empty() {
        for url in folders.iter().take(MAX_WAYS) {
            match folder(run, at, url, &mut list).await {
                Ok(()) => read += 1,
                Err(why) => fault = Some(why),
            }
        }
    }
    match fault {
        Some(fault) if read == 0 => return Err(fault),
        Some(fault) => run.problem = Some(fault.text),
        None if read == 0 => return Err(Fault::new("the provider names no way to its advisories")),
        None => {}
    }
    let mut seen = HashSet::new();
    list.retain(|one: &Offered| seen.insert(one.url.to_string()));
    list.truncate(MAX_ADVISORIES);
    Ok(list)
}

fn refer(at: &Url, text: &str) -> Result<Url, Fault> {
    let url = at.join(text).map_err(|_| Fault::new("a reference is no address"))?;
    address(url.as_str()).map_err(Fault::new)
}

async fn rolie(
    run: &mut Run<'_>,
    at: &Url,
    url: &str,
    list: &mut Vec<Offered>,
) -> Result<(), Fault> {
    let url = refer(at, url)?;
    let answer = run.line.get(&url, JSON, run.most(MAX_FILE_BYTES)).await?;
    let feed = csaf::rolie(&answer.body)
        .map_err(|error| Fault::new(format!("{}: {error}", shown(&url))))?;
    let mut refused = Judged::default();
    for (place, reason) in feed.rejected {
        refused.refuse("entry", format!("{} entry {place}", shown(&url)), &reason, "");
    }
    for entry in feed.entries {
        let digest = entry.hash.as_deref().map(|hash| refer(&url, hash)).transpose();
        match (refer(&url, &entry.url), digest) {
            (Ok(url), Ok(digest)) => {
                let digest = digest.map_or(Digests::None, Digests::At);
                list.push(Offered { url, stamp: entry.updated, digest });
            }
            (Err(fault), _) | (_, Err(fault)) => {
                refused.refuse("entry", entry.id, &fault.text, &entry.url);
            }
        }
    }
    run.refuse_all(refused.rejects);
    Ok(())
}

async fn folder(
    run: &mut Run<'_>,
    at: &Url,
    url: &str,
    list: &mut Vec<Offered>,
) -> Result<(), Fault> {
    let base = below(&refer(at, url)?, "")?;
    let changes = below(&base, "changes.csv")?;
    let (answer, dated) =
        match run.line.get(&changes, "text/csv, */*", run.most(MAX_FILE_BYTES)).await {
            Ok(answer) => (answer, true),
            Err(fault) if fault.status.is_some_and(|status| status.as_u16() == 404) => {
                let index = below(&base, "index.txt")?;
                (run.line.get(&index, "text/plain, */*", run.most(MAX_FILE_BYTES)).await?, false)
            }
            Err(fault) => return Err(fault),
        };
    let (mut refused, mut faults) = (Judged::default(), 0_u32);
    let mut take = |path: &str, stamp: String| match below(&base, path) {
        Ok(url) => list.push(Offered { url, stamp, digest: Digests::Beside }),
        Err(_) => faults += 1,
    };
    let mut refuse = |reject: feeds::record::Reject| {
        let place = format!("{} {}", shown(&base), reject.place);
        refused.refuse("entry", place, &reject.reason.to_string(), &reject.excerpt);
    };
    let summary = if dated {
        csaf::changes(answer.body.as_slice(), DEFAULT_LIMITS, &mut |item| {
            match item {
                Read::Record(change) => take(&change.path, change.date),
                Read::Reject(reject) => refuse(reject),
            }
            ControlFlow::Continue(())
        })
    } else {
        csaf::index(answer.body.as_slice(), DEFAULT_LIMITS, &mut |item| {
            match item {
                Read::Record(path) => take(&path, String::new()),
                Read::Reject(reject) => refuse(reject),
            }
            ControlFlow::Continue(())
        })
    };
    run.refuse_all(refused.rejects);
    match summary.end {
        End::Broken { place, reason } => {
            Err(Fault::new(format!("{} broke off at {place}: {reason}", shown(&base))))
        }
        _ => Ok(()),
    }
}

/// Fetches an advisory and keeps it. What cannot be read is refused and asked for again the next time.
async fn advisory(run: &mut Run<'_>, one: &Offered, without: &mut u32) -> Result<(), Fault> {
    let answer = match run.line.get(&one.url, JSON, run.most(MAX_FILE_BYTES)).await {
        Ok(answer) => answer,
        Err(fault) if fault.refuses() || fault.too_large => {
            run.refuse_one("fetch", one, &fault.text);
            return Ok(());
        }
        Err(fault) => return Err(fault),
    };
    run.counts.bytes += answer.body.len() as u64;
    match expected(run, one, without).await? {
        Some(said) if !fits(&answer.body, &said) => {
            run.refuse_one("digest", one, "the digest that is offered is not that of the file");
            return Ok(());
        }
        _ => {}
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

/// The digest that is offered, in hex.
async fn expected(
    run: &Run<'_>,
    one: &Offered,
    without: &mut u32,
) -> Result<Option<String>, Fault> {
    let beside = |ending: &str| Url::parse(&format!("{}{ending}", one.url)).ok();
    let places = match &one.digest {
        Digests::At(url) => vec![url.clone()],
        Digests::Beside if *without < NO_DIGESTS => {
            [beside(".sha512"), beside(".sha256")].into_iter().flatten().collect()
        }
        _ => vec![],
    };
    let asked = !places.is_empty();
    for url in places {
        match run.line.get(&url, "text/plain, */*", MAX_DIGEST_BYTES).await {
            Ok(answer) => {
                *without = 0;
                let text = String::from_utf8_lossy(&answer.body);
                let hex = text.split_whitespace().next().unwrap_or_default();
                return Ok(Some(hex.to_ascii_lowercase()));
            }
            Err(fault) if fault.refuses() => {}
            // A page instead of a digest is none.
            Err(fault) if fault.too_large => {}
            Err(fault) => return Err(fault),
        }
    }
    *without += u32::from(asked);
    Ok(None)
}

/// Whether a digest is that of the bytes; one of an unknown length is not.
fn fits(bytes: &[u8], said: &str) -> bool {
    match said.len() {
        64 => hex::encode(Sha256::digest(bytes)) == said,
        128 => hex::encode(Sha512::digest(bytes)) == said,
        _ => false,
    }
}
