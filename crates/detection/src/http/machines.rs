//! `GET /api/v1/detection/commands`: the machine models.

use axum::extract::State;
use model::{Timestamp, WatchState};
use platform::http::{Json, Page, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Detection;
use crate::config::Config;
use crate::machines::state::MachineState;
use crate::state::moment;

/// What is known of the commands behind one edge.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct MachineView {
    /// The edge's name.
    edge: String,
    /// How far it is.
    #[schema(value_type = Object)]
    state: WatchState,
    /// How the machines are protected just now, in words.
    protection: String,
    /// The version in use; 0 for none.
    version: i64,
    /// Pairs of machines the model knows.
    pairs: usize,
    /// Functions of all pairs.
    functions: usize,
    /// Operations learned from: of the model in use, else so far.
    operations: u64,
    /// Over how long, seconds.
    seconds: f64,
    /// Whether that is so little that unusual may only mean not yet seen.
    thin: bool,
    /// End of the newest window.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_at: Option<Timestamp>,
    /// Operations judged.
    judged: i64,
    /// Unusual commands told in findings.
    unusual: i64,
    /// Unusual commands that only inform.
    informed: i64,
    /// Unusual commands that people called normal.
    suppressed: i64,
    /// Operations not learned, because an alert or an incident speaks against them.
    kept_out: i64,
    /// Unusual commands between devices that are not watched.
    unwatched: i64,
    /// Reports that wait for the model.
    waiting: i64,
    /// Reports that could not be read.
    unread: i64,
    /// Operations that nobody judged, because there was no model.
    unjudged: i64,
}

impl MachineView {
    fn new(machine: &MachineState, config: &Config) -> Self {
        let row = &machine.row;
        let model = machine.in_use.as_ref().map(|it| &it.model);
        let learned = u64::try_from(row.operations).unwrap_or(0);
        Self {
            edge: row.edge.clone(),
            state: row.watch_state(config),
            protection: row.protection(config),
            version: row.version,
            pairs: model.map_or(0, |model| model.pairs.len()),
            functions: model.map_or(0, |it| it.pairs.iter().map(|pair| pair.functions.len()).sum()),
            operations: model.map_or(learned, |model| model.training.operations),
            seconds: model
                .map_or((row.last_us - row.first_us) as f64 / 1e6, |it| it.training.seconds),
            thin: model.is_none_or(|model| model.training.is_thin()),
            last_at: (row.last_us > 0).then(|| moment(row.last_us)),
            judged: row.judged,
            unusual: row.unusual,
            informed: row.informed,
            suppressed: row.suppressed,
            kept_out: row.kept_out,
            unwatched: row.unwatched,
            waiting: row.waiting,
            unread: row.unread,
            unjudged: row.unjudged,
        }
    }
}

/// The machine models, one per edge that told of operations, in the order of the edges' names.
#[utoipa::path(get, path = "/api/v1/detection/commands", tag = "detection",
    responses((status = 200, body = Page<MachineView>)))]
pub(crate) async fn machines(
    State(detection): State<Detection>,
) -> Result<Json<Page<MachineView>>, Problem> {
    let engine = detection.engine().await?;
    let mut machines: Vec<&MachineState> = engine.machines().collect();
    machines.sort_by(|a, b| a.row.edge.cmp(&b.row.edge));
    let config = &detection.inner.config;
    Ok(Json(Page::whole(machines.into_iter().map(|it| MachineView::new(it, config)).collect())))
}
