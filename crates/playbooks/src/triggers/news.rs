//! Intelligence that becomes known: read in its order by a cursor, gathered, and told to one run for all of it.
//!
//! A feed with a hundred thousand new indicators starts one run: it is told of the first [`MAX_GATHERED`], the rest is counted.
//! After a start what matches is gathered until the cool-down is over. The cursor and what was gathered move in one
//! transaction, and so do what was gathered and the start: nothing is told twice, whatever dies in between.
//!
//! What this node says itself starts nothing, so that a playbook that makes intelligence does not start itself.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use intel::changes::{self, Change};
use intel::{Sight, objects, sources, values};
use model::{Timestamp, Tlp, TriggerId};
use platform::db::{DbError, FactFilter, Tx, find_facts};
use serde_json::Value;

use super::launch::{Launch, Launched, cools, launch};
use super::{MAX_GATHERED, OnNews, Trigger, scheduled};
use crate::PlaybooksError;
use crate::context;
use crate::engine::Engine;
use crate::store::triggers::{self, Gathered, Kept};

/// Pause between two looks at what became known.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Versions read at once for one trigger.
const PAGE: i64 = 500;
/// Longest name kept of an object, in characters.
const MAX_NAME_CHARS: usize = 100;
/// Values that one run is told of, and the bytes they have together at most: a variable keeps 16 KiB.
const MAX_VALUES: usize = 200;
const MAX_VALUES_BYTES: usize = 15 * 1024;

/// Follows what becomes known, and looks after schedules, until the node stops.
pub(crate) async fn follow(engine: Arc<Engine>) {
    loop {
        match look(&engine).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "triggers cannot be looked after; trying again"),
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// One page for each trigger that is behind; whether there may be more.
async fn look(engine: &Arc<Engine>) -> Result<bool, PlaybooksError> {
    let now = engine.platform.now();
    let (all, astray) = {
        let mut sql = engine.platform.db.read().await?;
        let schedules = triggers::on(&mut sql, "schedule").await?;
        let astray = schedules.iter().any(|kept| scheduled::astray(kept, now));
        (triggers::on(&mut sql, "intel.new").await?, astray)
    };
    if astray {
        let mended: Result<(), PlaybooksError> =
            engine.platform.db.write(|tx| Box::pin(scheduled::mend(tx))).await;
        mended?;
    }
    let mut more = false;
    for kept in all {
        let Trigger::News(wanted) = &kept.trigger else { continue };
        let read = read(engine, &kept, wanted).await?;
        more |= read.more;
        if read.cursor != kept.cursor || ripe(&kept, wanted, now) {
            let engine = Arc::clone(engine);
            let done: Result<(), PlaybooksError> = engine
                .platform
                .clone()
                .db
                .write(move |tx| {
                    Box::pin(async move { take(tx, &engine, (kept.id, kept.revision), read).await })
                })
                .await;
            done?;
        }
    }
    Ok(more)
}

/// What a page held.
struct Read {
    /// Where it began.
    from: i64,
    /// Where it ended.
    cursor: i64,
    matching: Vec<Match>,
    more: bool,
}

struct Match {
    id: String,
    name: String,
    rank: i64,
    values: Vec<String>,
}

async fn read(engine: &Engine, kept: &Kept, wanted: &OnNews) -> Result<Read, PlaybooksError> {
    let mut sql = engine.platform.db.read().await?;
    let last = objects::last_seq(&mut sql).await?;
    let mut read = Read { from: kept.cursor, cursor: last, matching: vec![], more: false };
    // Rows that were taken out give their numbers back: then it goes on from the newest.
    if kept.cursor >= last {
        return Ok(read);
    }
    let sight = Sight::up_to(stix_label(wanted.tlp));
    let found = changes::after(&mut sql, kept.cursor, &wanted.types, sight, PAGE).await?;
    if i64::try_from(found.len()).unwrap_or(PAGE) >= PAGE {
        read.more = true;
        read.cursor = found.last().map_or(last, |change| change.stored.seq);
    }
    let named: HashSet<i64> = match wanted.sources.is_empty() {
        true => HashSet::new(),
        false => sources::all(&mut sql)
            .await?
            .into_iter()
            .filter(|it| {
                wanted.sources.iter().any(|one| *one == it.source.name || *one == it.source.key)
            })
            .map(|it| it.id)
            .collect(),
    };
    let own = intel::own::identity_id(&engine.platform.node.id.to_string());
    for change in found {
        if !wanted.matches(&change, &named, own.as_str()) {
            continue;
        }
        let stored = change.stored;
        // Beyond the list nothing but the count is told.
        let values = match read.matching.len() < MAX_GATHERED {
            true => values::named_by(&mut sql, stored.node, sight).await?,
            false => vec![],
        };
        read.matching.push(Match {
            id: stored.id,
            name: stored.name.chars().take(MAX_NAME_CHARS).collect(),
            rank: stored.tlp,
            values: values.into_iter().map(|(shared, _)| shared.value).collect(),
        });
    }
    Ok(read)
}

impl OnNews {
    fn matches(&self, change: &Change, sources: &HashSet<i64>, own: &str) -> bool {
        let stored = &change.stored;
        if !change.is_new || stored.revoked {
            return false;
        }
        let least = self.min_confidence.map_or(i64::MIN, i64::from);
        if stored.confidence.unwrap_or(i64::MIN) < least
            || !(self.sources.is_empty() || sources.contains(&stored.source))
        {
            return false;
        }
        let Ok(object) = serde_json::from_str::<Value>(&stored.body) else { return false };
        if object.get("created_by_ref").and_then(Value::as_str) == Some(own) {
            return false;
        }
        let labels = object.get("labels").and_then(Value::as_array);
        let mut labels = labels.into_iter().flatten().filter_map(Value::as_str);
        self.labels.is_empty() || labels.any(|label| self.labels.iter().any(|it| it == label))
    }
}

/// Whether what was gathered starts a run now.
fn ripe(kept: &Kept, wanted: &OnNews, now: Timestamp) -> bool {
    let Some(gathered) = &kept.gathered else { return false };
    let since = Timestamp::from_micros(gathered.since_us);
    !cools(Some(since), now, wanted.gather_s) && !cools(kept.last_at, now, wanted.cooldown_s)
}

/// Takes a page: the cursor, what was gathered and perhaps a start, together.
async fn take(
    tx: &mut Tx,
    engine: &Engine,
    (id, revision): (TriggerId, i64),
    read: Read,
) -> Result<(), PlaybooksError> {
    let Some(mut kept) = triggers::one(tx.sql(), id).await? else { return Ok(()) };
    let Trigger::News(wanted) = kept.trigger.clone() else { return Ok(()) };
    // Changed meanwhile: it reads again.
    if kept.revision != revision || kept.cursor != read.from {
        return Ok(());
    }
    let now = tx.now();
    kept.cursor = read.cursor;
    for found in read.matching {
        let fresh = || Gathered { since_us: now.as_micros(), ..Gathered::default() };
        gather(kept.gathered.get_or_insert_with(fresh), found);
    }
    // While there is more to read, it belongs to the same run.
    if !read.more && ripe(&kept, &wanted, now) {
        start(tx, engine, &mut kept, now).await?;
    }
    triggers::put(tx.sql(), &kept).await?;
    Ok(())
}

fn gather(into: &mut Gathered, found: Match) {
    if into.objects.len() >= MAX_GATHERED {
        into.more += 1;
        return;
    }
    // Only what a run is told binds it.
    into.rank = into.rank.max(found.rank);
    into.objects.push((found.id, found.name));
    let mut bytes: usize = into.values.iter().map(|value| value.len() + 1).sum();
    for value in found.values {
        bytes += value.len() + 1;
        // Lists are comma-separated.
        if into.values.len() >= MAX_VALUES || bytes > MAX_VALUES_BYTES || value.contains(',') {
            continue;
        }
        if !into.values.contains(&value) {
            into.values.push(value);
        }
    }
}

async fn start(
    tx: &mut Tx,
    engine: &Engine,
    kept: &mut Kept,
    now: Timestamp,
) -> Result<(), PlaybooksError> {
    let Some(gathered) = kept.gathered.take() else { return Ok(()) };
    let first = gathered.objects.first().map_or("", |(_, name)| name.as_str());
    let others = i64::try_from(gathered.objects.len()).unwrap_or(0) - 1;
    let mut why = format!("'{first}'");
    if others > 0 {
        why.push_str(&format!(" and {others} more"));
    }
    if gathered.more > 0 {
        why.push_str(&format!("; {} beyond the {MAX_GATHERED} that it is told of", gathered.more));
    }
    let cause = Launch {
        report: None,
        given: context::of_news(&gathered),
        tlp: Some(label(gathered.rank)),
        criticality: None,
        why,
        start_key: format!("intel/{}/{}/{}", kept.id, kept.revision, kept.cursor),
    };
    let launched = launch(tx, engine, kept, cause).await?;
    // The cool-down begins, whatever came of it: what a bound held back is told after it.
    kept.last_at = Some(now);
    if matches!(launched, Launched::Held(_)) {
        kept.gathered = Some(gathered);
    } else if gathered.more > 0 {
        kept.held += gathered.more;
        kept.note = Some(format!(
            "{}: {} matches were more than a run is told of ({MAX_GATHERED})",
            now.to_millis_text(),
            gathered.more
        ));
    }
    Ok(())
}

/// Where a trigger that is made now begins: what was true before is none of its business.
pub(crate) async fn from_now_on(tx: &mut Tx, kept: &mut Kept) -> Result<(), DbError> {
    kept.gathered = None;
    kept.cursor = match kept.trigger {
        Trigger::News(_) => objects::last_seq(tx.sql()).await?,
        // Facts are told from clocks, which may be set, by their number.
        _ => {
            let newest = find_facts(tx.sql(), &FactFilter::default(), 1).await?;
            newest.first().map_or(0, |fact| fact.seq)
        }
    };
    Ok(())
}

fn label(rank: i64) -> Tlp {
    usize::try_from(rank).ok().and_then(|at| Tlp::ALL.get(at).copied()).unwrap_or(Tlp::Red)
}

const fn stix_label(tlp: Tlp) -> stix::Tlp {
    match tlp {
        Tlp::Clear => stix::Tlp::Clear,
        Tlp::Green => stix::Tlp::Green,
        Tlp::Amber => stix::Tlp::Amber,
        Tlp::AmberStrict => stix::Tlp::AmberStrict,
        Tlp::Red => stix::Tlp::Red,
    }
}
