//! `GET /api/v1/ledger/entries`: the entries, newest first.

use axum::Extension;
use axum::extract::{Query, State};
use model::Timestamp;
use platform::db::Hidden;
use platform::http::{Caller, Gate, Json, Page, PageQuery, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::entry::Entry;
use crate::store::{self, EntryFilter};
use crate::{Accountability, LedgerError};

/// Which entries.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub(crate) struct EntriesQuery {
    /// Only entries after this position.
    after: Option<u64>,
    /// Only entries before this position.
    before: Option<u64>,
    /// Only entries about this id or name.
    subject: Option<String>,
    /// Entries wanted, 1 to 500.
    limit: Option<u32>,
    /// Where to go on.
    cursor: Option<String>,
}

/// An entry in a list; its text and salt come with its proof.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EntryView {
    /// Position in the log, from 0.
    index: u64,
    /// When the fact was recorded.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `room.what_happened`; empty when erased.
    kind: String,
    /// What it is about.
    subject: String,
    /// Who caused it.
    actor: String,
    /// One sentence.
    sentence: String,
    /// The fact's position in the node's sequence.
    fact_seq: i64,
    /// The entry's leaf, hex.
    leaf_hash: String,
    /// True when what it said was erased.
    erased: bool,
    /// True when what it says is not for the reader; the leaf stands for it in proofs.
    hidden: bool,
}

impl From<Entry> for EntryView {
    fn from(entry: Entry) -> Self {
        Self {
            index: entry.index,
            at: Timestamp::from_micros(entry.recorded_at),
            kind: entry.kind,
            subject: entry.subject,
            actor: entry.actor,
            sentence: entry.sentence,
            fact_seq: entry.fact_seq,
            leaf_hash: entry.leaf_hash,
            erased: entry.erased,
            hidden: false,
        }
    }
}

impl EntryView {
    /// What an entry shows; its place and its leaf alone, where it is not for the reader.
    fn of(entry: Entry, hidden: &Hidden) -> Self {
        let hides = hidden.hides(&entry.kind, entry.tlp);
        let mut view = Self::from(entry);
        if hides {
            view.hidden = true;
            for text in [&mut view.kind, &mut view.subject, &mut view.actor, &mut view.sentence] {
                text.clear();
            }
        }
        view
    }
}

/// Entries of the log, newest first.
#[utoipa::path(get, path = "/api/v1/ledger/entries", tag = "accountability", params(EntriesQuery),
    responses((status = 200, body = Page<EntryView>)))]
pub(crate) async fn entries(
    State(log): State<Accountability>,
    Extension(gate): Extension<Gate>,
    caller: Caller,
    Query(query): Query<EntriesQuery>,
) -> Result<Json<Page<EntryView>>, Problem> {
    let paging = PageQuery { limit: query.limit, cursor: query.cursor };
    let limit = paging.limit();
    let from_cursor = paging
        .after()?
        .map(|key| key.parse::<u64>())
        .transpose()
        .map_err(|_| Problem::bad_request("the cursor was not made by this list"))?;
    let hidden = gate.hidden_facts(&caller);
    let filter = EntryFilter {
        after: query.after,
        before: from_cursor.or(query.before),
        subject: query.subject.clone(),
        // Who asks for one subject must not learn from the number of entries what they may not read.
        hidden: if query.subject.is_some() { hidden.clone() } else { Hidden::default() },
    };
    let mut sql = log.platform.db.read().await?;
    let found =
        store::newest(&mut sql, &filter, i64::from(limit) + 1).await.map_err(LedgerError::from)?;
    let items: Vec<EntryView> =
        found.into_iter().map(|entry| EntryView::of(entry, &hidden)).collect();
    let mut page = Page::from_surplus(items, limit, |entry| entry.index.to_string());
    if query.subject.is_none() {
        page.total = Some(store::size(&mut sql).await?);
    }
    Ok(Json(page))
}
