//! What a caller of another organisation reads: each entry is judged for that organisation, and redacted. An entry that
//! may not go is as if it were not there: not in lists, not in counts, not in dates.
//!
//! What an organisation has sent itself goes back to it as it came. A peer's own outbox is not judged: each answer in it
//! was written by a person for that peer, and signed.

use std::collections::HashSet;

use ::intel::Sight;
use ::intel::entries::{self, Entry};
use ::intel::pages::{Line, MAX_PAGE_BYTES, Versions, Wanted};
use axum::http::StatusCode;
use platform::http::{Caller, CallerKind};
use ports::PortError;
use ports::disclosure::{Address, Disclosed, Known, Recipient};
use serde_json::Value;

use super::TaxiiError;
use super::filter::MAX_LIMIT;
use crate::error::CtiError;
use crate::mapping::model_tlp;
use crate::room::Cti;
use crate::store::collections::{Collection, Kind};

/// Entries looked at in one go at least: most are often judged alike.
const LEAST_LOOK: i64 = 100;
/// Entries looked at for one page at most; then the page ends, empty or not, and says where to go on.
const MAX_LOOKED: usize = 5_000;

/// For whom a collection is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reader {
    to: Recipient,
    address: Address,
}

/// An entry as it goes out.
pub(super) struct Shown {
    /// With the id under which it goes out.
    pub(super) line: Line,
    /// The id it has here.
    pub(super) id: String,
    /// The JSON text.
    pub(super) text: String,
}

/// A page of them, and the place behind which to go on.
pub(super) struct Page {
    pub(super) shown: Vec<Shown>,
    pub(super) next_us: Option<i64>,
}

/// For whom the caller reads; `None` when it is of the house. A grant that names a collection addresses the organisation
/// by name; what it reads because many may is addressed to nobody.
pub(super) fn reader(caller: &Caller, collection: &Collection) -> Option<Reader> {
    let to = caller.outside?;
    if let CallerKind::Peer { node, .. } = &caller.kind
        && Kind::of(collection) == Kind::Outbox
        && collection.peer.as_deref() == Some(node.to_string().as_str())
    {
        return None;
    }
    let address = if caller.grants.is_empty() { Address::Open } else { Address::Named };
    Some(Reader { to, address })
}

/// Key and kind of the source under which is kept what a caller sends: of an organisation one, whatever it shows.
pub(super) async fn source_of(
    cti: &Cti,
    caller: &Caller,
) -> Result<(String, &'static str), CtiError> {
    if let CallerKind::Peer { node, .. } = &caller.kind {
        return Ok((format!("sender:{node}"), "peer"));
    }
    match caller.outside {
        Some(it @ Recipient::Organisation(_)) => Ok((it.to_string(), "organisation")),
        Some(Recipient::Peer(id)) => match cti.deps().peers.peer(id).await? {
            Some(peer) => Ok((format!("sender:{}", peer.node), "peer")),
            None => Ok((format!("sender:{}", caller.id), "peer")),
        },
        // Nobody knows whose client it is: what it sends is not taken for our own word.
        _ if caller.roles.iter().any(|role| role == "taxii") => {
            Ok((format!("sender:{}", caller.id), "taxii"))
        }
        _ => Ok((format!("sender:{}", caller.id), "person")),
    }
}

/// The page that a reader asks for.
pub(super) async fn page(
    cti: &Cti,
    caller: &Caller,
    reader: Reader,
    collection: &Collection,
    wanted: &Wanted,
) -> Result<Page, TaxiiError> {
    let (key, _) = source_of(cti, caller).await?;
    let mut sql = cti.platform().db.read().await?;
    let asker = ::intel::sources::by_key(&mut sql, &key).await?.map(|source| source.id);
    drop(sql);
    let Some(mut look) = look(cti, reader, wanted).await? else {
        return Ok(Page { shown: vec![], next_us: None });
    };
    let most = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
    let (mut shown, mut bytes, mut looked): (Vec<Shown>, usize, usize) = (vec![], 0, 0);
    loop {
        let mut sql = cti.platform().db.read().await?;
        let (found, more) = entries::whole(&mut sql, collection.number, &look, asker).await?;
        drop(sql);
        looked += found.len();
        let last_us = found.last().map(|entry| entry.line.added_us);
        for one in judged(cti, reader, collection, found).await? {
            // Under an id that it does not have for this reader nothing is found.
            if !wanted.ids.is_empty() && !wanted.ids.contains(&one.line.id) {
                continue;
            }
            let full = bytes + one.text.len() > usize::try_from(MAX_PAGE_BYTES).unwrap_or(0);
            if shown.len() >= most || (full && !shown.is_empty()) {
                // Just before what comes next: the place of what stays is nobody's business.
                return Ok(Page { shown, next_us: Some(one.line.added_us - 1) });
            }
            bytes += one.text.len();
            shown.push(one);
        }
        let Some(last_us) = last_us.filter(|_| more) else {
            return Ok(Page { shown, next_us: None });
        };
        if looked >= MAX_LOOKED {
            return Ok(Page { shown, next_us: Some(last_us) });
        }
        look.after_us = last_us;
    }
}

/// What is looked at: a little more than a page. Where ids may change on the way out, an observable that is asked for by
/// id is looked for among all of its type. `None` when nothing can fit.
async fn look(cti: &Cti, reader: Reader, wanted: &Wanted) -> Result<Option<Wanted>, TaxiiError> {
    let limit = (wanted.limit + 1).clamp(LEAST_LOOK, MAX_LIMIT);
    let mut look = Wanted { limit, ..wanted.clone() };
    let may_change = |id: &String| {
        stix::id::uuid_version(id) == 5
            && stix::id::check(id).is_ok_and(stix::id::is_cyber_observable)
    };
    if wanted.ids.iter().any(may_change)
        && cti.deps().disclosure.renames(reader.to).await.map_err(unknown)?
    {
        let mut kinds: Vec<String> = wanted
            .ids
            .iter()
            .filter_map(|id| stix::id::check(id).ok())
            .map(str::to_owned)
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds.retain(|kind| wanted.types.is_empty() || wanted.types.contains(kind));
        look.ids.clear();
        look.types = kinds;
        if look.types.is_empty() {
            return Ok(None);
        }
    }
    Ok(Some(look))
}

fn unknown(error: PortError) -> TaxiiError {
    match error {
        PortError::NotFound(_) => TaxiiError::new(
            StatusCode::FORBIDDEN,
            "recipient-unknown",
            "the organisation that this access is for is no longer known here; ask the \
             administrator of this node for a new token",
        ),
        other => CtiError::Port(other).into(),
    }
}

/// Those of some entries that go, in their order.
async fn judged(
    cti: &Cti,
    reader: Reader,
    collection: &Collection,
    found: Vec<Entry>,
) -> Result<Vec<Shown>, TaxiiError> {
    // An older version goes only where the newest one does: what that one keeps back, they keep back too.
    let older: HashSet<&str> =
        found.iter().filter(|entry| !entry.is_last).map(|entry| entry.line.id.as_str()).collect();
    let newest = match older.is_empty() {
        true => vec![],
        false => {
            let wanted = Wanted {
                after_us: i64::MIN,
                ids: older.into_iter().map(str::to_owned).collect(),
                types: vec![],
                spec_versions: vec![],
                versions: Versions::LAST,
                limit: MAX_LIMIT,
                sight: Sight::ALL,
            };
            let mut sql = cti.platform().db.read().await?;
            entries::whole(&mut sql, collection.number, &wanted, None).await?.0
        }
    };
    let known: Vec<Known> = found.iter().chain(&newest).map(known).collect();
    let judge = cti.deps().disclosure.judge_known(reader.to, reader.address, &known);
    let mut answers = judge.await.map_err(unknown)?.into_iter();
    let own: Vec<Option<Disclosed>> = found.iter().map(|_| answers.next()).collect();
    let goes: HashSet<String> = newest
        .into_iter()
        .zip(answers)
        .filter(|(_, answer)| answer.object.is_some())
        .map(|(entry, _)| entry.line.id)
        .collect();
    let shown = found.into_iter().zip(&known).zip(own).filter_map(|((entry, known), answer)| {
        if entry.said {
            let (line, id, text) = (entry.line.clone(), entry.line.id, entry.body);
            return Some(Shown { line, id, text });
        }
        let may = entry.is_last || goes.contains(&entry.line.id);
        let object = answer.filter(|answer| may && answer.decision.allowed)?.object?;
        let id = object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        // What is not changed goes out as it came in.
        let text = if object == known.object { entry.body } else { object.to_string() };
        let line = Line { id, ..entry.line.clone() };
        Some(Shown { line, id: entry.line.id, text })
    });
    Ok(shown.collect())
}

fn known(entry: &Entry) -> Known {
    Known {
        object: serde_json::from_str(&entry.body).unwrap_or(Value::Null),
        tlp: model_tlp(::intel::label(entry.tlp)),
        source: entry.source,
    }
}
