//! A transaction in progress: SQL, facts and jobs that become true together.

use std::sync::Arc;

use model::event::{Fact, Payload};
use model::{EventId, Timestamp, Tlp};
use ports::{Clock, Random};
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Row};

use super::{DbError, Hidden};

/// Handed to a write job.
pub struct Tx {
    pub(super) connection: AnyConnection,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn Random>,
    /// The newest fact, committed or not.
    pub(super) last_seq: i64,
    /// Facts published and not yet inserted: the whole group's go in together, before the commit.
    pub(super) unwritten: Vec<NewFact>,
    /// Set when a job was enqueued, so that the worker wakes after the commit.
    pub(super) jobs_added: bool,
}

/// A fact to be inserted.
pub(super) struct NewFact {
    seq: i64,
    id: String,
    kind: &'static str,
    version: u16,
    subject: String,
    actor: String,
    sentence: String,
    payload: String,
    event_at: Option<Timestamp>,
    tlp: Option<Tlp>,
    recorded_at: Timestamp,
}

const FACT_COLUMNS: usize = 11;
/// Facts of one statement; few different texts, as each is prepared once and kept.
const FACTS_PER_STATEMENT: [usize; 3] = [16, 4, 1];

impl Tx {
    /// The connection, for `sqlx::query(…).execute(tx.sql())`.
    pub fn sql(&mut self) -> &mut AnyConnection {
        &mut self.connection
    }

    /// Now, UTC.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Mints a typed id.
    pub fn mint<T: model::id::TypedId>(&self) -> T {
        ports::mint(self.clock.as_ref(), self.random.as_ref())
    }

    /// Puts a fact on the bus, true if and only if this transaction commits. `actor`: a user's
    /// name, `playbook:…`, `edge:…`, `peer:…` or `system`. Its row appears with the commit, not before.
    ///
    /// # Errors
    /// The payload cannot be written as JSON.
    // Async, as every other write of a transaction is.
    #[allow(clippy::unused_async)]
    pub async fn publish<P: Payload + Sync>(
        &mut self,
        actor: &str,
        payload: &P,
    ) -> Result<i64, DbError> {
        let body = serde_json::to_string(payload)
            .map_err(|cause| DbError::corrupt("platform_facts.payload", cause))?;
        let id: EventId = self.mint();
        let seq = self.last_seq + 1;
        self.unwritten.push(NewFact {
            seq,
            id: id.to_string(),
            kind: P::KIND,
            version: P::VERSION,
            subject: payload.subject(),
            actor: actor.to_owned(),
            sentence: payload.sentence(),
            payload: body,
            event_at: payload.event_at(),
            tlp: payload.tlp(),
            recorded_at: self.now(),
        });
        self.last_seq = seq;
        Ok(seq)
    }

    /// The kinds of what was published and is not yet written, one for each fact.
    pub(super) fn kinds(&self) -> Vec<&'static str> {
        self.unwritten.iter().map(|fact| fact.kind).collect()
    }

    /// Inserts what was published.
    pub(super) async fn write_facts(&mut self) -> Result<(), sqlx::Error> {
        let mut facts = std::mem::take(&mut self.unwritten).into_iter();
        while facts.len() > 0 {
            let rows = FACTS_PER_STATEMENT.into_iter().find(|rows| *rows <= facts.len());
            let rows = rows.unwrap_or(1);
            let mut query = sqlx::query(sqlx::AssertSqlSafe(insert_facts(rows)));
            for it in facts.by_ref().take(rows) {
                query = query
                    .bind(it.seq)
                    .bind(it.id)
                    .bind(it.kind)
                    .bind(i64::from(it.version))
                    .bind(it.subject)
                    .bind(it.actor)
                    .bind(it.sentence)
                    .bind(it.payload)
                    .bind(it.event_at.map(Timestamp::as_micros))
                    .bind(it.tlp.map(Tlp::label))
                    .bind(it.recorded_at.as_micros());
            }
            query.execute(&mut self.connection).await?;
        }
        Ok(())
    }

    /// Enqueues durable work, once per `(kind, key)`. True when it was not there yet.
    ///
    /// # Errors
    /// The insert failed.
    pub async fn enqueue(
        &mut self,
        kind: &str,
        key: &str,
        payload: &serde_json::Value,
        due_at: Timestamp,
    ) -> Result<bool, DbError> {
        let id: model::JobId = self.mint();
        let done = sqlx::query(
            "INSERT INTO platform_jobs (id, kind, key, payload, state, due_at, attempts, recorded_at) \
             VALUES ($1, $2, $3, $4, 'waiting', $5, 0, $6) ON CONFLICT (kind, key) DO NOTHING",
        )
        .bind(id.to_string())
        .bind(kind)
        .bind(key)
        .bind(payload.to_string())
        .bind(due_at.as_micros())
        .bind(self.now().as_micros())
        .execute(&mut self.connection)
        .await?;
        self.jobs_added = true;
        Ok(done.rows_affected() == 1)
    }
}

fn insert_facts(rows: usize) -> String {
    let row = |row: usize| {
        let places: Vec<String> =
            (1..=FACT_COLUMNS).map(|at| format!("${}", row * FACT_COLUMNS + at)).collect();
        format!("({})", places.join(", "))
    };
    let rows: Vec<String> = (0..rows).map(row).collect();
    format!(
        "INSERT INTO platform_facts (seq, id, kind, version, subject, actor, sentence, payload, event_at, \
         tlp, recorded_at) VALUES {}",
        rows.join(", ")
    )
}

/// Facts after `after`, oldest first; `kinds` empty means all.
///
/// # Errors
/// The query failed or a row cannot be read.
pub async fn read_facts(
    connection: &mut AnyConnection,
    after: i64,
    kinds: &[&str],
    limit: i64,
) -> Result<Vec<Fact>, DbError> {
    let filter = if kinds.is_empty() {
        String::new()
    } else {
        // Kinds are constants of this program, never input.
        let quoted: Vec<String> = kinds.iter().map(|kind| format!("'{kind}'")).collect();
        format!("AND kind IN ({})", quoted.join(", "))
    };
    let sql = format!("SELECT * FROM platform_facts WHERE seq > $1 {filter} ORDER BY seq LIMIT $2");
    let rows =
        sqlx::query(sqlx::AssertSqlSafe(sql)).bind(after).bind(limit).fetch_all(connection).await?;
    rows.iter().map(fact).collect()
}

/// Which facts a list wants; absent means all.
#[derive(Clone, Debug, Default)]
pub struct FactFilter {
    /// Only facts before this position.
    pub before: Option<i64>,
    /// Only facts after this position.
    pub after: Option<i64>,
    /// Only facts about this.
    pub subject: Option<String>,
    /// Only facts of this kind.
    pub kind: Option<String>,
    /// What is left out.
    pub hidden: Hidden,
}

/// The newest facts that pass the filter, newest first.
///
/// # Errors
/// The query failed or a row cannot be read.
pub async fn find_facts(
    connection: &mut AnyConnection,
    filter: &FactFilter,
    limit: i64,
) -> Result<Vec<Fact>, DbError> {
    let hidden = filter.hidden.sql();
    let rows = sqlx::query(sqlx::AssertSqlSafe(format!(
        "SELECT * FROM platform_facts WHERE seq < $1 AND seq > $2 \
         AND ($3 = '' OR subject = $3) AND ($4 = '' OR kind = $4) {hidden}ORDER BY seq DESC LIMIT $5",
    )))
    .bind(filter.before.unwrap_or(i64::MAX))
    .bind(filter.after.unwrap_or(0))
    .bind(filter.subject.clone().unwrap_or_default())
    .bind(filter.kind.clone().unwrap_or_default())
    .bind(limit)
    .fetch_all(connection)
    .await?;
    rows.iter().map(fact).collect()
}

/// A row of `platform_facts` as a fact.
pub(crate) fn fact(row: &AnyRow) -> Result<Fact, DbError> {
    let id: String = row.try_get("id")?;
    let payload: String = row.try_get("payload")?;
    let version: i64 = row.try_get("version")?;
    Ok(Fact {
        seq: row.try_get("seq")?,
        id: id.parse().map_err(|cause| DbError::corrupt("platform_facts.id", cause))?,
        kind: row.try_get("kind")?,
        version: u16::try_from(version).unwrap_or(u16::MAX),
        subject: row.try_get("subject")?,
        actor: row.try_get("actor")?,
        sentence: row.try_get("sentence")?,
        payload: serde_json::from_str(&payload)
            .map_err(|cause| DbError::corrupt("platform_facts.payload", cause))?,
        event_at: row.try_get::<Option<i64>, _>("event_at")?.map(Timestamp::from_micros),
        tlp: label(row)?,
        recorded_at: Timestamp::from_micros(row.try_get("recorded_at")?),
    })
}

/// A label of a row; one that cannot be read counts as the strictest.
fn label(row: &AnyRow) -> Result<Option<Tlp>, DbError> {
    let text: Option<String> = row.try_get("tlp")?;
    Ok(text.map(|text| text.parse().unwrap_or(Tlp::Red)))
}
