//! What a CSAF provider offers: its ROLIE feeds, or folders with `changes.csv`, else `index.txt` (§7.1.11 to §7.1.15).

use std::collections::HashSet;
use std::ops::ControlFlow;

use feeds::csaf::{self, Distributions};
use feeds::record::{DEFAULT_LIMITS, End, Item as Read};
use reqwest::Url;

use super::csaf::{JSON, MAX_FILE_BYTES};
use super::discover::below;
use super::{Judged, Run};
use crate::fetch::{address, shown};
use crate::format::Csaf2;
use crate::net::Fault;

/// Ways to get advisories that are looked at.
const MAX_WAYS: usize = 20;
/// Advisories of one provider.
const MAX_ADVISORIES: usize = 200_000;

/// An advisory that is offered.
pub(super) struct Offered {
    pub(super) url: Url,
    pub(super) stamp: String,
    pub(super) digest: Beside,
    pub(super) signature: Beside,
}

/// Where a digest or a signature is.
pub(super) enum Beside {
    /// At this address.
    At(Url),
    /// Beside the advisory, if at all.
    Perhaps,
    /// None is offered.
    Nowhere,
}

impl Offered {
    /// The address of the advisory with an ending.
    pub(super) fn beside(&self, ending: &str) -> Option<Url> {
        Url::parse(&format!("{}{ending}", self.url)).ok()
    }
}

/// All advisories of a provider: of its ROLIE feeds where it has any, else of its folders.
pub(super) async fn offered(
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

pub(super) fn refer(at: &Url, text: &str) -> Result<Url, Fault> {
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
        let beside = |place: Option<&str>| match place {
            Some(place) => refer(&url, place).map(Beside::At),
            None => Ok(Beside::Nowhere),
        };
        let (digest, signature) =
            (beside(entry.hash.as_deref()), beside(entry.signature.as_deref()));
        match (refer(&url, &entry.url), digest, signature) {
            (Ok(url), Ok(digest), Ok(signature)) => {
                list.push(Offered { url, stamp: entry.updated, digest, signature });
            }
            (Err(fault), _, _) | (_, Err(fault), _) | (_, _, Err(fault)) => {
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
        Ok(url) => {
            let (digest, signature) = (Beside::Perhaps, Beside::Perhaps);
            list.push(Offered { url, stamp, digest, signature });
        }
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
