//! Checks the whole log against itself, the outbox and the node's key, and names the first entry
//! that was altered, whichever column was edited.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use model::event::{Fact, Payload};
use platform::data::DataFolder;
use platform::db::DbError;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{AnyConnection, Connection};
use utoipa::ToSchema;

use crate::entry::{Entry, body_of, hash_from_hex, leaf_of};
use crate::erase::EntryErased;
use crate::error::LedgerError;
use crate::head::TreeHead;
use crate::merkle::{Edge, Hash, Node};
use crate::store;

/// Entries read at once.
const ENTRIES_PER_READ: u32 = 256;
/// Facts compared at once with the entries they became.
const MAX_FACTS_PER_READ: i64 = 4_096;

/// The first thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Altered {
    /// Position of the entry.
    pub index: u64,
    /// What was altered, in one sentence.
    pub what: String,
}

/// The verdict over the whole log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct VerifyReport {
    /// Is everything as it was written?
    pub verified: bool,
    /// Entries that were checked and are as they were written.
    pub entries: u64,
    /// Of these, entries that were lawfully erased.
    pub erased: u64,
    /// The first altered entry.
    pub first_altered: Option<Altered>,
    /// The newest signed tree head.
    pub head: Option<TreeHead>,
}

impl VerifyReport {
    /// The verdict for a person.
    pub fn sentence(&self) -> String {
        match (&self.first_altered, &self.head) {
            (Some(first), _) => format!(
                "ALTERED: entry {}: {} The {} entries before it are as they were written.",
                first.index, first.what, self.entries
            ),
            (None, Some(head)) => format!(
                "Verified: {} entries ({} erased), root {}, signed at {}.",
                self.entries, self.erased, head.root, head.signed_at
            ),
            (None, None) => "Verified: the log has no entry yet.".into(),
        }
    }
}

/// Checks the log in an open database; one read transaction, so a running node may go on writing.
///
/// # Errors
/// The database cannot be read; an altered log is not an error but the answer.
pub async fn verify(
    connection: &mut AnyConnection,
    key: &[u8; 32],
) -> Result<VerifyReport, LedgerError> {
    let mut snapshot = connection.begin().await?;
    let report = Walk::new(key).run(&mut snapshot).await;
    snapshot.rollback().await?;
    report
}

/// Checks the log of a data folder without its node: opens the database read-only and takes the
/// public key from `keys/`.
///
/// # Errors
/// The folder has no database or no key, or they cannot be read.
pub async fn verify_folder(data: &Path) -> Result<VerifyReport, LedgerError> {
    let folder = DataFolder::beside(data);
    let text =
        folder.read_key("node.ed25519").map_err(|cause| LedgerError::Data(cause.to_string()))?;
    let seed = text.as_deref().and_then(|text| hash_from_hex(text.trim())).ok_or_else(|| {
        let place = folder.key_file("node.ed25519");
        LedgerError::Data(format!(
            "{}: no key there; --data must name the data folder of a node",
            place.display()
        ))
    })?;
    let key = ed25519_dalek::SigningKey::from_bytes(&seed).verifying_key().to_bytes();
    verify_file(&folder.database(), &key).await
}

/// Checks the log in a database file against the node's public key; the file is opened read-only.
///
/// # Errors
/// The file cannot be read as a database.
pub async fn verify_file(file: &Path, key: &[u8; 32]) -> Result<VerifyReport, LedgerError> {
    sqlx::any::install_default_drivers();
    let open = |more: &'static str| {
        let url = format!("sqlite://{}?mode=ro{more}", file.display());
        async move { AnyConnection::connect(&url).await }
    };
    if !file.is_file() {
        return Err(LedgerError::Data(format!("{}: no database there", file.display())));
    }
    // On a read-only medium SQLite cannot make its shared memory file; without a write-ahead log
    // beside it the file is complete by itself.
    let beside = file.with_extension("db-wal");
    let mut connection = match open("").await {
        Ok(mut connection) => match readable(&mut connection).await {
            Ok(()) => connection,
            Err(_) if !beside.exists() => open("&immutable=true").await.map_err(DbError::from)?,
            Err(cause) => return Err(DbError::from(cause).into()),
        },
        Err(_) if !beside.exists() => open("&immutable=true").await.map_err(DbError::from)?,
        Err(cause) => return Err(DbError::from(cause).into()),
    };
    let report = verify(&mut connection, key).await;
    let _ = connection.close().await;
    report
}

async fn readable(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT COUNT(*) FROM platform_cursors").fetch_one(connection).await.map(|_| ())
}

/// What one read brings: a stretch of entries with all that belongs to them.
struct Stretch {
    entries: Vec<Option<Entry>>,
    nodes: HashMap<Node, String>,
    heads: BTreeMap<u64, Option<TreeHead>>,
    facts: HashMap<i64, Option<Fact>>,
    set_aside: BTreeMap<i64, String>,
}

/// A walk over the log from its first entry.
struct Walk {
    key: [u8; 32],
    edge: Edge,
    last_fact: Option<i64>,
    oldest_fact: i64,
    origin: Option<String>,
    head: Option<TreeHead>,
    erased: BTreeMap<u64, i64>,
    accounted: BTreeSet<u64>,
}

impl Walk {
    fn new(key: &[u8; 32]) -> Self {
        Self {
            key: *key,
            edge: Edge::default(),
            last_fact: None,
            oldest_fact: 0,
            origin: None,
            head: None,
            erased: BTreeMap::new(),
            accounted: BTreeSet::new(),
        }
    }

    async fn run(mut self, sql: &mut AnyConnection) -> Result<VerifyReport, LedgerError> {
        let (oldest_fact, cursor) = store::outbox_span(sql).await?;
        self.oldest_fact = oldest_fact;
        loop {
            let stretch = self.read(sql).await?;
            let last = stretch.entries.len() < ENTRIES_PER_READ as usize;
            for entry in &stretch.entries {
                if let Some(what) = self.check(entry.as_ref(), &stretch) {
                    return Ok(self.report(Some(what)));
                }
            }
            if last {
                break;
            }
        }
        let end = self.check_end(sql, cursor).await?;
        if end.is_some() {
            return Ok(self.report(end));
        }
        let silent = self.erased.keys().find(|index| !self.accounted.contains(index)).copied();
        let mut report = self.report(None);
        if let Some(index) = silent {
            let what = "it was emptied and marked as erased, but no entry accounts for an erasure.";
            report.verified = false;
            report.entries = index;
            report.first_altered = Some(Altered { index, what: what.into() });
        }
        Ok(report)
    }

    fn report(self, what: Option<String>) -> VerifyReport {
        let index = self.edge.size();
        VerifyReport {
            verified: what.is_none(),
            entries: index,
            erased: self.erased.len() as u64,
            first_altered: what.map(|what| Altered { index, what }),
            head: self.head,
        }
    }

    async fn read(&self, sql: &mut AnyConnection) -> Result<Stretch, LedgerError> {
        let from = self.edge.size();
        let to = from + u64::from(ENTRIES_PER_READ);
        let entries = store::entries_from(sql, from, i64::from(ENTRIES_PER_READ)).await?;
        let seqs = || entries.iter().flatten().map(|entry| entry.fact_seq);
        let first = self.last_fact.map_or_else(|| seqs().min().unwrap_or(0), |last| last + 1);
        // An edited number must not make us read the whole outbox.
        let last = seqs().max().unwrap_or(0).min(first.saturating_add(MAX_FACTS_PER_READ));
        Ok(Stretch {
            nodes: store::nodes(sql, from, to).await?,
            heads: store::heads(sql, from + 1, to + 1, &hex::encode(self.key)).await?,
            facts: store::facts(sql, first, last).await?,
            set_aside: store::set_aside(sql, first, last).await?,
            entries,
        })
    }

    /// Takes the next entry, or says what is wrong with it.
    fn check(&mut self, entry: Option<&Entry>, stretch: &Stretch) -> Option<String> {
        let index = self.edge.size();
        let Some(entry) = entry else {
            return Some("a column does not hold what it must (text or number).".into());
        };
        if entry.index != index {
            return Some(format!("it was deleted; the next one there is entry {}.", entry.index));
        }
        let leaf = match self.check_content(entry) {
            Ok(leaf) => leaf,
            Err(what) => return Some(what),
        };
        let what =
            self.check_sequence(entry, stretch).or_else(|| self.check_fact(entry, &stretch.facts));
        if what.is_some() {
            return what;
        }
        let mut grown = self.edge.clone();
        for (node, hash) in grown.push(leaf) {
            let stored = stretch.nodes.get(&node);
            if stored != Some(&hex::encode(hash)) {
                let state = if stored.is_some() { "altered" } else { "deleted" };
                return Some(format!(
                    "the tree's node over it at level {} was {state}.",
                    node.level
                ));
            }
        }
        if let Err(what) = self.check_head(&grown, stretch.heads.get(&grown.size())) {
            return Some(what);
        }
        self.edge = grown;
        self.last_fact = Some(entry.fact_seq);
        None
    }

    /// The leaf, once text, salt and repeated columns agree with it.
    fn check_content(&mut self, entry: &Entry) -> Result<Hash, String> {
        let leaf = hash_from_hex(&entry.leaf_hash).ok_or("leaf_hash is no hash any more.")?;
        let (body, salt) = match (&entry.body, &entry.salt) {
            (Some(body), Some(salt)) if !entry.erased => (body, salt),
            (None, None) if entry.erased => {
                if !(entry.kind.is_empty()
                    && entry.subject.is_empty()
                    && entry.actor.is_empty()
                    && entry.sentence.is_empty())
                {
                    return Err("it is marked as erased, but something was written into it.".into());
                }
                self.erased.insert(entry.index, entry.fact_seq);
                return Ok(leaf);
            }
            _ => return Err("body, salt and the mark of erasure contradict each other.".into()),
        };
        let salt = hex::decode(salt).map_err(|_| "salt is not hex any more.")?;
        if leaf_of(&salt, body) != leaf {
            return Err(
                "body, salt or leaf_hash was edited: the text is not the one its leaf commits to."
                    .into(),
            );
        }
        let body: Value =
            serde_json::from_str(body).map_err(|_| "body is not the text of a fact.")?;
        if let Some(column) = entry.disagreement(&body) {
            return Err(format!("column {column} was edited: the committed text says otherwise."));
        }
        if entry.kind == EntryErased::KIND
            && let Some(erased) = body["payload"]["index"].as_u64()
        {
            self.accounted.insert(erased);
        }
        Ok(leaf)
    }

    /// Facts come in their order and without gaps.
    fn check_sequence(&self, entry: &Entry, stretch: &Stretch) -> Option<String> {
        let expected = self.last_fact? + 1;
        if entry.fact_seq < expected {
            return Some(format!(
                "it holds fact {} where fact {expected} belongs: entries were swapped.",
                entry.fact_seq
            ));
        }
        let missing =
            (expected..entry.fact_seq).find(|seq| !stretch.set_aside.contains_key(seq))?;
        Some(format!("it holds fact {}, but fact {missing} has no entry.", entry.fact_seq))
    }

    /// The outbox still says what was taken from it; old facts may be gone.
    fn check_fact(&self, entry: &Entry, facts: &HashMap<i64, Option<Fact>>) -> Option<String> {
        let seq = entry.fact_seq;
        match (facts.get(&seq), &entry.body) {
            (None, _) if seq < self.oldest_fact => None,
            (None, _) => Some(format!("its fact {seq} was deleted from the outbox.")),
            (Some(None), _) => Some(format!("its fact {seq} in the outbox is unreadable.")),
            (Some(Some(fact)), Some(body)) if body_of(fact) != *body => {
                Some(format!("its fact {seq} was edited in the outbox."))
            }
            (Some(Some(fact)), None) if fact.version != 0 => {
                Some(format!("it is marked as erased, but its fact {seq} is still there."))
            }
            (Some(Some(fact)), None) if fact.recorded_at.as_micros() != entry.recorded_at => {
                Some("column recorded_at was edited: its fact says otherwise.".into())
            }
            _ => None,
        }
    }

    fn check_head(&mut self, grown: &Edge, head: Option<&Option<TreeHead>>) -> Result<(), String> {
        let size = grown.size();
        let Some(Some(head)) = head else {
            return Err(format!("the signed head of the log with {size} entries is missing."));
        };
        if !head.is_signed_by(&self.key) {
            return Err(format!(
                "the head of the log with {size} entries does not bear this node's signature."
            ));
        }
        if head.root != hex::encode(grown.root()) {
            return Err(
                "the signed head over it has another root: it was replaced or swapped.".into()
            );
        }
        if self.origin.as_ref().is_some_and(|origin| *origin != head.origin) {
            return Err(format!("the head over it belongs to another log, {}.", head.origin));
        }
        self.origin = Some(head.origin.clone());
        self.head = Some(head.clone());
        Ok(())
    }

    /// Nothing was cut off at the end.
    async fn check_end(
        &self,
        sql: &mut AnyConnection,
        cursor: i64,
    ) -> Result<Option<String>, LedgerError> {
        let size = self.edge.size();
        let (largest_head, largest_leaf) = store::extent(sql).await?;
        if u64::try_from(largest_head).is_ok_and(|head| head > size) {
            return Ok(Some(format!(
                "it was deleted: a head was signed for {largest_head} entries."
            )));
        }
        if u64::try_from(largest_leaf).is_ok_and(|leaf| leaf >= size) {
            return Ok(Some(format!("it was deleted: the tree reached entry {largest_leaf}.")));
        }
        let Some(last) = self.last_fact.or((cursor > 0).then_some(0)) else { return Ok(None) };
        let first = (last + 1).max(self.oldest_fact);
        let dead = store::set_aside(sql, first, cursor).await?;
        let lost = (first..=cursor).find(|seq| !dead.contains_key(seq));
        Ok(lost.map(|seq| format!("it was deleted: fact {seq} was taken into the log.")))
    }
}
