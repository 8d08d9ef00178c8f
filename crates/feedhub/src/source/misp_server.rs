//! A MISP server: the index of its published events, then each that is new or changed, into this node's own events, so that
//! `/misp/` shows them and they are intelligence like all published ones.

use std::collections::HashSet;

use ports::PortError;
use ports::misp::EventTaken;
use reqwest::{Method, Url};
use serde_json::{Value, json};
use stix::Timestamp;

use super::discover::below;
use super::misp_feed::{LIMITS, MAX_FILE_BYTES, stamp};
use super::{Judged, Run};
use crate::error::FeedError;
use crate::fetch::shown;
use crate::format::MispServer;
use crate::net::{Fault, Line, Request};
use crate::store::progress;

const JSON: &str = "application/json";
/// Events on one page of the index.
const PAGE: usize = 5_000;
/// Pages of the index.
const MAX_PAGES: usize = 200;

/// An event of the index.
struct Head {
    uuid: String,
    stamp: String,
}

/// An answer of MISP to what is sent as JSON.
pub(crate) async fn ask(
    line: &Line,
    url: &Url,
    body: Option<&Value>,
    most: usize,
) -> Result<Value, Fault> {
    let answer = match body {
        None => line.get(url, JSON, most).await?,
        Some(body) => {
            let body = Some((JSON, body.to_string().into_bytes()));
            let request = Request { method: Method::POST, url, accept: JSON, body, most };
            line.once(&request).await?
        }
    };
    let place = shown(url);
    let read = move || stix::json::read(&answer.body, LIMITS);
    let read = tokio::task::spawn_blocking(read).await;
    let read = read.map_err(|_| Fault::new("an answer could not be read"))?;
    read.map_err(|error| Fault::new(format!("{place}: {error}")))
}

/// The server must say which MISP it is.
pub(crate) async fn version(line: &Line, base: &Url) -> Result<Value, Fault> {
    let url = below(base, "servers/getVersion")?;
    let told = ask(line, &url, None, 64 * 1024).await?;
    match told.get("version").and_then(Value::as_str) {
        Some(_) => Ok(told),
        None => Err(Fault::new(format!("{} does not answer like MISP", shown(&url)))),
    }
}

/// Reads events that are new or changed.
pub(crate) async fn run(run: &mut Run<'_>, wanted: &MispServer) -> Result<(), Fault> {
    let base = below(&run.url, "")?;
    version(&run.line, &base).await?;
    let heads = index(run, &base, wanted).await?;
    let known = run.items().await?;
    if heads.is_empty() && known.keys().any(|item| !item.starts_with(CLUSTER)) {
        return Err(Fault::new("the index is empty; what was known before stays"));
    }
    for head in &heads {
        if known.get(&head.uuid) == Some(&head.stamp) {
            run.counts.skipped += 1;
            continue;
        }
        if run.is_over() {
            run.more = true;
            return Ok(());
        }
        event(run, &base, head, wanted).await?;
    }
    beside(run, &base).await
}

/// What the items of clusters begin with; those of events are their UUIDs.
const CLUSTER: &str = "cluster:";
/// Proposals, or clusters, on one page.
const PAGE_BESIDE: usize = 1_000;
/// Pages of either.
const MAX_PAGES_BESIDE: usize = 20;

/// What stands beside events: clusters that people made there, and proposals. Servers that have no such thing, or do not
/// give it to this key, are left in peace.
async fn beside(run: &mut Run<'_>, base: &Url) -> Result<(), Fault> {
    let Some(desk) = run.room.desk() else { return Ok(()) };
    let teller = format!("feed:{}", run.feed.id);
    let internal = |error: PortError| Fault::new(error.to_string());
    clusters(run, base, desk.as_ref(), &teller).await?;
    for page in 1..=MAX_PAGES_BESIDE {
        let path = format!(
            "shadow_attributes/index/all:1/timestamp:0/limit:{PAGE_BESIDE}/page:{page}/deleted[]:0.json"
        );
        let Some(list) = listed(run, &below(base, &path)?, None).await? else { break };
        let count = list.len();
        desk.take_proposals(list, &teller).await.map_err(internal)?;
        if count < PAGE_BESIDE || run.is_over() {
            break;
        }
    }
    Ok(())
}

/// Clusters that people made there: first which, then those that are new or newer, one by one, as MISP itself asks.
async fn clusters(
    run: &mut Run<'_>,
    base: &Url,
    desk: &dyn ports::misp::MispDesk,
    teller: &str,
) -> Result<(), Fault> {
    let url = below(base, "galaxy_clusters/restSearch")?;
    let known = run.items().await?;
    for page in 1..=MAX_PAGES_BESIDE {
        let body = json!({ "minimal": 1, "custom": 1, "published": 1, "limit": PAGE_BESIDE, "page": page });
        let Some(list) = listed(run, &url, Some(&body)).await? else { return Ok(()) };
        for one in &list {
            let head = one.get("GalaxyCluster").unwrap_or(one);
            let uuid = head["uuid"].as_str().and_then(|said| uuid::Uuid::parse_str(said).ok());
            let Some(uuid) = uuid else { continue };
            let (item, version) = (format!("{CLUSTER}{uuid}"), stamp(head.get("version")));
            if known.get(&item) == Some(&version) {
                continue;
            }
            if run.is_over() {
                run.more = true;
                return Ok(());
            }
            let url = below(base, &format!("galaxy_clusters/view/{uuid}"))?;
            let told = match ask(&run.line, &url, None, run.most(MAX_FILE_BYTES)).await {
                Ok(told) => told,
                Err(fault) if fault.refuses() || fault.too_large => continue,
                Err(fault) => return Err(fault),
            };
            let done = desk.take_clusters(vec![told], run.feed.new.tlp.label(), teller).await;
            done.map_err(|error| Fault::new(error.to_string()))?;
            noted(run, item, version).await?;
        }
        if list.len() < PAGE_BESIDE {
            return Ok(());
        }
    }
    Ok(())
}

/// Notes in which state something was taken.
async fn noted(run: &Run<'_>, item: String, stamp: String) -> Result<(), Fault> {
    let feed = run.feed.id.clone();
    let done: Result<(), FeedError> = run
        .room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let now_us = tx.now().as_micros();
                Ok(progress::set_item(tx.sql(), &feed, &item, &stamp, now_us).await?)
            })
        })
        .await;
    Ok(done?)
}

/// A list that a server answers, also within `response`; `None` where it has none for this key.
async fn listed(
    run: &mut Run<'_>,
    url: &Url,
    body: Option<&Value>,
) -> Result<Option<Vec<Value>>, Fault> {
    let mut told = match ask(&run.line, url, body, run.most(MAX_FILE_BYTES)).await {
        Ok(told) => told,
        Err(fault) if fault.refuses() || fault.status.is_some_and(|s| s.is_client_error()) => {
            return Ok(None);
        }
        Err(fault) => return Err(fault),
    };
    if let Some(inner) = told.get_mut("response") {
        told = inner.take();
    }
    Ok(match told {
        Value::Array(list) => Some(list),
        _ => None,
    })
}

/// The published events of the server, page by page; servers that know no pages give all at once, again and again.
async fn index(run: &mut Run<'_>, base: &Url, wanted: &MispServer) -> Result<Vec<Head>, Fault> {
    let url = below(base, "events/index")?;
    let since = wanted.since.as_deref().and_then(|text| Timestamp::parse(text).ok());
    let since = since.map_or(i64::MIN, |at| at.unix_us() / 1_000_000);
    let (mut heads, mut seen) = (Vec::new(), HashSet::new());
    for page in 1..=MAX_PAGES {
        let mut body = json!({ "minimal": 1, "published": 1, "limit": PAGE, "page": page });
        if !wanted.tags.is_empty() {
            body["tags"] = json!(wanted.tags);
        }
        if !wanted.orgs.is_empty() {
            body["org"] = json!(wanted.orgs);
        }
        let told = ask(&run.line, &url, Some(&body), run.most(MAX_FILE_BYTES)).await?;
        let Value::Array(list) = told else {
            return Err(Fault::new(format!("{}: a list of events is expected", shown(&url))));
        };
        let (count, before) = (list.len(), seen.len());
        for one in &list {
            let uuid = one.get("uuid").and_then(Value::as_str);
            let uuid = uuid.and_then(|uuid| uuid::Uuid::parse_str(uuid).ok());
            let Some(uuid) = uuid.map(|uuid| uuid.to_string()) else {
                let mut refused = Judged::default();
                refused.refuse("event", "index".to_owned(), "an event without UUID", "");
                run.refuse_all(refused.rejects);
                continue;
            };
            let published = one.get("published").is_none_or(is_true);
            let stamp = stamp(one.get("timestamp"));
            let new = seen.insert(uuid.clone());
            if new && published && stamp.parse::<i64>().is_ok_and(|at| at > since) {
                heads.push(Head { uuid, stamp });
            }
        }
        if count < PAGE || seen.len() == before {
            return Ok(heads);
        }
    }
    run.problem = Some(format!("the index has more than {MAX_PAGES} pages; the rest was not read"));
    Ok(heads)
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_i64() != Some(0),
        Value::String(text) => text != "0" && text != "false",
        _ => true,
    }
}

/// Whether the filters hold: servers that do not know them give everything.
fn is_wanted(event: &Value, wanted: &MispServer) -> bool {
    let tags = event["Event"]["Tag"].as_array().cloned().unwrap_or_default();
    let has = |name: &str| tags.iter().any(|tag| tag["name"].as_str() == Some(name));
    let (out, of): (Vec<&String>, Vec<&String>) =
        wanted.tags.iter().partition(|tag| tag.starts_with('!'));
    let org = &event["Event"]["Orgc"];
    let from = |name: &String| {
        org["name"].as_str() == Some(name)
            || org["uuid"].as_str().is_some_and(|uuid| uuid.eq_ignore_ascii_case(name))
    };
    (of.is_empty() || of.iter().any(|tag| has(tag)))
        && !out.iter().any(|tag| has(tag.trim_start_matches('!')))
        && (wanted.orgs.is_empty() || wanted.orgs.iter().any(from))
}

async fn event(
    run: &mut Run<'_>,
    base: &Url,
    head: &Head,
    wanted: &MispServer,
) -> Result<(), Fault> {
    let url = below(base, &format!("events/view/{}/deleted:1", head.uuid))?;
    let mut refused = Judged::default();
    let told = match ask(&run.line, &url, None, run.most(MAX_FILE_BYTES)).await {
        Ok(told) => told,
        Err(fault) if fault.refuses() || fault.too_large => {
            refused.refuse("fetch", head.uuid.clone(), &fault.text, "");
            run.refuse_all(refused.rejects);
            return Ok(());
        }
        Err(fault) => return Err(fault),
    };
    run.counts.records += 1;
    let said = told["Event"]["uuid"].as_str().unwrap_or_default();
    if !said.eq_ignore_ascii_case(&head.uuid) {
        refused.refuse("event", head.uuid.clone(), "the server gave another event", said);
        run.refuse_all(refused.rejects);
        return Ok(());
    }
    if is_wanted(&told, wanted) {
        let desk = run.room.desk().ok_or_else(|| Fault::new("this node keeps no MISP events"))?;
        let teller = format!("feed:{}", run.feed.id);
        match desk.take(told, run.feed.new.tlp.label(), &teller).await {
            Ok(EventTaken::New) => run.counts.new += 1,
            Ok(EventTaken::Updated) => run.counts.updated += 1,
            Ok(EventTaken::Same) => run.counts.same += 1,
            Err(PortError::Invalid(reason) | PortError::NotFound(reason)) => {
                refused.refuse("event", head.uuid.clone(), &reason, "");
                run.refuse_all(refused.rejects);
                return Ok(());
            }
            Err(error) => return Err(Fault::new(error.to_string())),
        }
    }
    noted(run, head.uuid.clone(), head.stamp.clone()).await
}
