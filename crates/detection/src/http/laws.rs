//! `GET /api/v1/detection/laws`: what GOOSE and MMS keep to, per edge.

use axum::extract::State;
use model::{Timestamp, WatchState};
use platform::http::{Json, Page, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Detection;
use crate::config::Config;
use crate::laws::state::LawState;
use crate::state::moment;

/// What is known of one protocol behind one edge.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct LawView {
    /// The edge's name.
    edge: String,
    /// `goose` or `mms`.
    protocol: String,
    /// How far it is.
    #[schema(value_type = Object)]
    state: WatchState,
    /// How those who speak are protected just now, in words.
    protection: String,
    /// The version in use; 0 for none.
    version: i64,
    /// GOOSE control blocks, or kinds of MMS messages between two ends, that the model knows.
    known: usize,
    /// Messages learned from: of the model in use, else so far.
    messages: u64,
    /// Newest report.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_at: Option<Timestamp>,
    /// Messages judged.
    judged: i64,
    /// Windows in which a law was broken, told in findings.
    unusual: i64,
    /// Windows that broke what training broke as well, or that only inform.
    informed: i64,
    /// Windows that people called normal.
    suppressed: i64,
    /// Messages not learned, because an alert or an incident speaks against them.
    kept_out: i64,
    /// Broken windows of devices that are not watched.
    unwatched: i64,
    /// Reports that wait for the model.
    waiting: i64,
    /// Messages the edge had no place for.
    untold: i64,
    /// Messages that nobody judged, because there was no model.
    unjudged: i64,
}

impl LawView {
    pub(crate) fn new(law: &LawState, config: &Config) -> Self {
        let row = &law.row;
        Self {
            edge: row.edge.clone(),
            protocol: row.protocol.word().to_owned(),
            state: row.watch_state(config),
            protection: row.protection(config),
            version: row.version,
            known: law.model.as_ref().map_or(0, |model| model.size()),
            messages: law
                .model
                .as_ref()
                .map_or_else(|| u64::try_from(row.messages).unwrap_or(0), |model| model.messages()),
            last_at: (row.last_us > 0).then(|| moment(row.last_us)),
            judged: row.judged,
            unusual: row.unusual,
            informed: row.informed,
            suppressed: row.suppressed,
            kept_out: row.kept_out,
            unwatched: row.unwatched,
            waiting: row.waiting,
            untold: row.untold,
            unjudged: row.unjudged,
        }
    }
}

/// What GOOSE and MMS keep to, one entry per edge and protocol that was heard, in their order.
#[utoipa::path(get, path = "/api/v1/detection/laws", tag = "detection",
    responses((status = 200, body = Page<LawView>)))]
pub(crate) async fn laws(
    State(detection): State<Detection>,
) -> Result<Json<Page<LawView>>, Problem> {
    let engine = detection.engine().await?;
    let mut laws: Vec<&LawState> = engine.laws.values().collect();
    laws.sort_by_key(|law| law.key());
    let config = &detection.inner.config;
    Ok(Json(Page::whole(laws.into_iter().map(|law| LawView::new(law, config)).collect())))
}
