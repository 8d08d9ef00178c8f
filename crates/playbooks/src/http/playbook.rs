//! `GET /api/v1/playbooks/{id}`: one playbook as CACAO JSON.

use axum::extract::{Path, State};
use model::PlaybookId;
use platform::http::{Beyond, Json, Problem};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::triggers::TriggerView;
use super::{PlaybookView, id};
use crate::Playbooks;
use crate::secrets::needed::lacking;
use crate::trust::Asked;
use crate::validate::{Report, validate};
use crate::{PlaybooksError, cacao, explain, store};

/// A playbook with what is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PlaybookDetail {
    /// The CACAO JSON as it came.
    #[schema(value_type = Object)]
    playbook: Value,
    /// Its row in the list.
    #[serde(flatten)]
    view: PlaybookView,
    /// When it starts by itself, with what each trigger did.
    triggers: Vec<TriggerView>,
    /// The playbook in plain words.
    in_words: String,
    /// Conformant? Runnable here?
    report: Report,
}

/// One playbook, with its trigger, in plain words, and whether this node can run it.
#[utoipa::path(get, path = "/api/v1/playbooks/{id}", tag = "playbooks",
    params(("id" = String, Path, description = "The playbook's id")),
    responses((status = 200, body = PlaybookDetail), (status = 404, body = Problem)))]
pub(crate) async fn playbook(
    State(room): State<Playbooks>,
    beyond: Beyond,
    Path(text): Path<String>,
) -> Result<Json<PlaybookDetail>, Problem> {
    let id: PlaybookId = id("playbook", &text)?;
    let mut connection = room.platform().db.read().await?;
    let stored = store::playbooks::one(&mut connection, id).await?;
    let stored = stored.ok_or(PlaybooksError::NoPlaybook(id))?;
    let value: Value = serde_json::from_str(&stored.body).map_err(Problem::internal)?;
    let parsed = cacao::Playbook::parse(&stored.body).map_err(Problem::internal)?;
    let mut report = validate(&value, room.abilities());
    let asked = Asked::read(room.config(), &mut connection).await?;
    let lacking = lacking(&mut connection, std::iter::once(&stored.body)).await?;
    report.runnable.ok &= lacking.is_empty();
    report.runnable.missing.extend(lacking);
    report.warnings.extend(asked.doubt(&stored.body, room.platform().now()));
    Ok(Json(PlaybookDetail {
        report,
        in_words: explain(&parsed),
        triggers: stored.triggers.iter().map(|it| TriggerView::of(it.clone(), &beyond)).collect(),
        playbook: value,
        view: stored.into(),
    }))
}
