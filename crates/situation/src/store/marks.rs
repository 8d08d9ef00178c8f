//! What received incidents have in common: campaigns that several organisations see.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::{Timestamp, Tlp};
use platform::db::{DbError, Tx};
use sqlx::{AnyConnection, Row};

use super::without;

/// Common marks looked at.
const MAX_COMMON: i64 = 40;
/// Incidents of one mark looked at, the newest.
const MAX_OF_MARK: i64 = 50;

/// Incidents of several organisations that name the same remote party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Campaign {
    pub(crate) peers: BTreeSet<String>,
    pub(crate) techniques: BTreeSet<String>,
    pub(crate) organisations: BTreeSet<String>,
    pub(crate) incidents: Vec<(String, String)>,
    pub(crate) first_at: Timestamp,
    pub(crate) last_at: Timestamp,
}

/// Notes what an incident names, and which of it another organisation named before.
pub(crate) async fn note(
    tx: &mut Tx,
    (incident, origin, bound): (&str, &str, &str),
    (kind, value): (&str, &str),
    at: Timestamp,
) -> Result<(), DbError> {
    sqlx::query(
        "INSERT INTO situation_marks (incident, kind, value, origin, bound, at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (incident, kind, value) DO UPDATE SET bound = excluded.bound",
    )
    .bind(incident)
    .bind(kind)
    .bind(value)
    .bind(origin)
    .bind(bound)
    .bind(at.as_micros())
    .execute(tx.sql())
    .await?;
    sqlx::query(
        "INSERT INTO situation_common (kind, value, at) SELECT $1, $2, $3 WHERE EXISTS \
         (SELECT 1 FROM situation_marks WHERE kind = $1 AND value = $2 AND origin <> $4) \
         ON CONFLICT (kind, value) DO UPDATE SET at = excluded.at",
    )
    .bind(kind)
    .bind(value)
    .bind(at.as_micros())
    .bind(origin)
    .execute(tx.sql())
    .await?;
    Ok(())
}

struct Seen {
    incident: String,
    title: String,
    organisation: String,
    at: Timestamp,
}

async fn seen(
    connection: &mut AnyConnection,
    peer: &str,
    beyond: &[Tlp],
) -> Result<Vec<Seen>, DbError> {
    // Sight is asked of the incident as it stands: its label may have been raised since.
    let hidden = without(beyond).replace("bound", "i.bound");
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT m.incident, m.at, i.title, i.origin_name FROM situation_marks m \
         JOIN situation_incidents i ON i.id = m.incident \
         WHERE m.kind = 'peer' AND m.value = $1 {hidden}ORDER BY m.at DESC LIMIT $2"
    )))
    .bind(peer)
    .bind(MAX_OF_MARK)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Seen {
                incident: row.try_get("incident")?,
                title: row.try_get("title")?,
                organisation: row.try_get("origin_name")?,
                at: Timestamp::from_micros(row.try_get("at")?),
            })
        })
        .collect()
}

/// What several organisations see, the newest first: incidents that share a remote party are one campaign, also by
/// way of a third. What the reader may not see joins nothing and counts for nothing.
pub(crate) async fn campaigns(
    connection: &mut AnyConnection,
    beyond: &[Tlp],
    limit: usize,
) -> Result<Vec<Campaign>, DbError> {
    let rows = sqlx::query(
        "SELECT value FROM situation_common WHERE kind = 'peer' ORDER BY at DESC LIMIT $1",
    )
    .bind(MAX_COMMON)
    .fetch_all(&mut *connection)
    .await?;
    let mut joined = Joined::default();
    for row in &rows {
        let peer: String = row.try_get("value")?;
        let all = seen(connection, &peer, beyond).await?;
        joined.add(&peer, all);
    }
    let mut found: Vec<Campaign> = joined.groups.into_values().collect();
    found.retain(|one| one.organisations.len() > 1);
    found.sort_by_key(|one| std::cmp::Reverse(one.last_at));
    found.truncate(limit);
    for campaign in &mut found {
        campaign.techniques = techniques(connection, campaign).await?;
    }
    Ok(found)
}

/// Groups of incidents, and which group each incident is in.
#[derive(Default)]
struct Joined {
    groups: BTreeMap<usize, Campaign>,
    of: HashMap<String, usize>,
    next: usize,
}

impl Joined {
    fn add(&mut self, peer: &str, all: Vec<Seen>) {
        let Some((first_at, last_at)) =
            all.last().zip(all.first()).map(|(old, new)| (old.at, new.at))
        else {
            return;
        };
        let touched: BTreeSet<usize> =
            all.iter().filter_map(|one| self.of.get(&one.incident).copied()).collect();
        let mut whole = Campaign {
            peers: BTreeSet::from([peer.to_owned()]),
            techniques: BTreeSet::new(),
            organisations: all.iter().map(|one| one.organisation.clone()).collect(),
            incidents: Vec::new(),
            first_at,
            last_at,
        };
        let fresh = all.into_iter().filter(|one| !self.of.contains_key(&one.incident));
        whole.incidents.extend(fresh.map(|one| (one.incident, one.title)));
        for other in touched.iter().filter_map(|at| self.groups.remove(at)) {
            whole.peers.extend(other.peers);
            whole.organisations.extend(other.organisations);
            whole.first_at = whole.first_at.min(other.first_at);
            whole.last_at = whole.last_at.max(other.last_at);
            whole.incidents.extend(other.incidents);
        }
        for (incident, _) in &whole.incidents {
            self.of.insert(incident.clone(), self.next);
        }
        self.groups.insert(self.next, whole);
        self.next += 1;
    }
}

/// Techniques that at least two of a campaign's incidents name.
async fn techniques(
    connection: &mut AnyConnection,
    campaign: &Campaign,
) -> Result<BTreeSet<String>, DbError> {
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    let ids: Vec<&String> = campaign.incidents.iter().take(50).map(|(id, _)| id).collect();
    let places: Vec<String> = (1..=ids.len()).map(|n| format!("${n}")).collect();
    let sql = format!(
        "SELECT value FROM situation_marks WHERE incident IN ({}) AND kind = 'technique'",
        places.join(", ")
    );
    let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
    for id in ids {
        query = query.bind(id.clone());
    }
    for row in query.fetch_all(connection).await? {
        *times.entry(row.try_get("value")?).or_default() += 1;
    }
    Ok(times.into_iter().filter(|(_, times)| *times > 1).map(|(value, _)| value).collect())
}
