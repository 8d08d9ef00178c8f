//! A TAXII 2.1 server: collections read page by page, one page in flight, each kept with the place after it.

use std::hash::{DefaultHasher, Hash, Hasher};

use reqwest::Url;
use serde_json::Value;

use super::discover::{self, Found, MEDIA, below};
use super::walk::{MAX_TIED, Step, Told, Walk};
use super::{Judged, Run};
use crate::fetch::shown;
use crate::format::Taxii;
use crate::net::{Answer, Fault, Request};

/// Objects asked for at once when the feed does not say.
const PAGE: u32 = 1_000;
/// Bytes of a page.
const MAX_PAGE_BYTES: usize = 32 << 20;
/// Values of a page: bounds the memory, about a hundred bytes each.
const MAX_PAGE_VALUES: usize = 2_000_000;
/// Times in one run that a place gets lost and the dates tell where to go on.
const MAX_LOST: u32 = 3;
/// Pages of one collection in one run.
const MAX_PAGES: u32 = 500;

/// Reads what is new in the collections of a feed.
pub(crate) async fn run(run: &mut Run<'_>, wanted: &Taxii) -> Result<(), Fault> {
    let offer = discover::offer(&run.line, &run.url).await?;
    let chosen = choose(&offer.collections, &wanted.collections)?;
    if chosen.is_empty() {
        let why = offer.problems.first().map(|problem| format!(" ({})", problem.text));
        let why = why.unwrap_or_default();
        return Err(Fault::new(format!("no collection may be read{why}")));
    }
    for problem in offer.problems {
        if problem.passing {
            run.problem = Some(problem.text);
        } else {
            let mut refused = Judged::default();
            refused.refuse("offer", "discovery".to_owned(), &problem.text, "");
            run.refuse_all(refused.rejects);
        }
    }
    for found in chosen {
        let url = Url::parse(&found.url).map_err(|_| Fault::new("a collection has no address"))?;
        collection(run, &url, &found.title, wanted).await?;
    }
    Ok(())
}

/// Those that are asked for by UUID, alias or title; all that may be read when none is.
fn choose(offered: &[Found], wanted: &[String]) -> Result<Vec<Found>, Fault> {
    if wanted.is_empty() {
        return Ok(offered.iter().filter(|found| found.can_read).cloned().collect());
    }
    wanted
        .iter()
        .map(|name| {
            let fits = |found: &&Found| {
                found.id.eq_ignore_ascii_case(name)
                    || found.alias.as_ref() == Some(name)
                    || found.title == *name
            };
            match offered.iter().find(fits) {
                Some(found) if found.can_read => Ok(found.clone()),
                Some(_) => Err(Fault::new(format!("collection '{name}' may not be read"))),
                None => Err(Fault::new(format!("there is no collection '{name}'"))),
            }
        })
        .collect()
}

/// Whether the place is gone: the server refuses it, or has moved on while its answer did not come.
fn is_lost(fault: &Fault, walk: &Walk) -> bool {
    let refused = walk.next.is_some() && fault.refuses();
    refused || (walk.is_fragile() && fault.again_s.is_none())
}

fn page_url(objects: &Url, walk: &Walk, limit: u32, wanted: &Taxii) -> Url {
    let mut url = objects.clone();
    {
        let mut query = url.query_pairs_mut();
        query.append_pair("limit", &limit.to_string());
        if let Some(after) = &walk.after {
            query.append_pair("added_after", after);
        }
        if let Some(next) = &walk.next {
            query.append_pair("next", next);
        }
        if !wanted.types.is_empty() {
            query.append_pair("match[type]", &wanted.types.join(","));
        }
    }
    url
}

/// The place up to which a collection was read, or its beginning.
async fn walk_of(run: &Run<'_>, name: &str, wanted: &Taxii) -> Result<Walk, Fault> {
    let known = run.cursor(name).await?;
    let known: Option<Walk> = known.and_then(|state| serde_json::from_str(&state).ok());
    let mut walk = known.unwrap_or_else(|| Walk::from(wanted.added_after.clone()));
    if walk.is_fragile() {
        // A page may have been on its way when the node died.
        walk.fall_back();
    }
    Ok(walk)
}

async fn collection(
    run: &mut Run<'_>,
    url: &Url,
    title: &str,
    wanted: &Taxii,
) -> Result<(), Fault> {
    let name = url.to_string();
    let objects = below(url, "objects/")?;
    let mut walk = walk_of(run, &name, wanted).await?;
    let mut limit = wanted.page.unwrap_or(PAGE).clamp(1, MAX_TIED);
    let (mut lost, most) = (0, run.most(MAX_PAGE_BYTES));
    for _ in 0..MAX_PAGES {
        if run.is_over() {
            break;
        }
        let asked = page_url(&objects, &walk, limit, wanted);
        let answer = match walk.is_fragile() {
            true => run.line.once(&Request::get(&asked, MEDIA, most)).await,
            false => run.line.get(&asked, MEDIA, most).await,
        };
        let page = match answer {
            Ok(answer) => read(&objects, answer, title.to_owned()).await,
            Err(fault) => Err(fault),
        };
        let (judged, told) = match page {
            Ok(page) => page,
            Err(fault) if fault.too_large && limit > 1 => {
                limit = (limit / 4).max(1);
                if walk.is_fragile() {
                    walk.fall_back();
                }
                continue;
            }
            Err(fault) if is_lost(&fault, &walk) && lost < MAX_LOST => {
                lost += 1;
                walk.fall_back();
                continue;
            }
            Err(fault) => return Err(fault),
        };
        run.counts.bytes += told.0;
        let step =
            walk.step(told.1, limit).map_err(|text| Fault::new(format!("{title}: {text}")))?;
        let state = serde_json::to_string(&walk).map_err(|cause| Fault::new(cause.to_string()))?;
        run.keep(judged, (name.clone(), state)).await?;
        match step {
            Step::Done => return Ok(()),
            Step::On => {}
            Step::Larger(more) => limit = more,
            Step::Past => {
                run.problem = Some(format!(
                    "{title}: more than {MAX_TIED} objects, or more than the server gives at once, have one date, and it tells no \
                     place between them; some may be missing"
                ));
            }
        }
    }
    run.more = true;
    Ok(())
}

/// A page taken apart, its bytes, and what it says about the rest.
async fn read(url: &Url, answer: Answer, title: String) -> Result<(Judged, (u64, Told)), Fault> {
    discover::check_media(url, &answer)?;
    // The reference server tells only the first date of a page with one object.
    let last = answer.header("x-taxii-date-added-last");
    let last = last.or_else(|| answer.header("x-taxii-date-added-first")).map(str::to_owned);
    let place = shown(url);
    let work = move || {
        let limits = stix::json::Limits {
            max_bytes: MAX_PAGE_BYTES,
            max_values: MAX_PAGE_VALUES,
            ..stix::json::DEFAULT_LIMITS
        };
        let bytes = answer.body.len() as u64;
        let value = stix::json::read(&answer.body, limits).map_err(|error| Fault {
            text: format!("{place}: {error}"),
            // One object that cannot be read hides the others of its page: fewer are asked for.
            too_large: true,
            ..Fault::default()
        })?;
        drop(answer);
        let Value::Object(mut map) = value else {
            return Err(Fault::new(format!("{place}: the answer is no envelope")));
        };
        let objects = match map.shift_remove("objects") {
            Some(Value::Array(list)) => list,
            None => vec![],
            Some(_) => return Err(Fault::new(format!("{place}: `objects` is no list"))),
        };
        let more = map.get("more").and_then(Value::as_bool).unwrap_or(false);
        let next = map.get("next").and_then(|next| match next {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        });
        let next = next.filter(|next| !next.is_empty() && next.len() <= MAX_NEXT_BYTES);
        let mut page = DefaultHasher::new();
        for object in &objects {
            object.get("id").and_then(Value::as_str).hash(&mut page);
        }
        let told = Told { more, next, last, count: objects.len(), page: page.finish() };
        Ok((Judged::of(objects, &title), (bytes, told)))
    };
    let read = tokio::task::spawn_blocking(work).await;
    read.map_err(|_| Fault::new("the page could not be judged"))?
}

/// Bytes of a server's word for a place.
const MAX_NEXT_BYTES: usize = 4_096;
