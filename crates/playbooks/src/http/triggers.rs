//! `GET`, `POST /api/v1/playbooks/{id}/triggers`, `PUT`, `DELETE …/{trigger}`: when a playbook starts by itself.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use model::event::AutomationChanged;
use model::{PlaybookId, RunId, Timestamp, TriggerId};
use platform::db::Tx;
use platform::http::{Beyond, Caller, Json, Problem};
use serde::Serialize;
use utoipa::ToSchema;

use super::id;
use crate::cacao::Playbook;
use crate::store::playbooks::{Stored, one};
use crate::store::triggers::{self, Kept};
use crate::triggers::{MAX_TRIGGERS, Trigger, hook, news, scheduled};
use crate::{Playbooks, PlaybooksError};

/// A trigger, with what it did.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = PlaybookTriggerState)]
pub(crate) struct TriggerView {
    #[schema(value_type = String)]
    pub id: TriggerId,
    #[schema(value_type = String)]
    pub playbook: PlaybookId,
    /// In words: "when …".
    pub words: String,
    pub trigger: Trigger,
    /// Who made it, or changed it last.
    pub changed_by: String,
    #[schema(value_type = String, format = DateTime)]
    pub changed_at: Timestamp,
    /// Schedule: when it starts next.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_at: Option<Timestamp>,
    /// Intelligence: how many matches wait for the next run.
    pub gathered: i64,
    /// Webhook: the path to call; `null` when its secret was revoked.
    pub hook: Option<String>,
    /// Runs it started.
    pub started: i64,
    /// Runs it proposed.
    pub proposed: i64,
    /// Matches that started nothing, because of a cool-down or a bound.
    pub held: i64,
    /// Moments that started nothing: missed, or the last run went on.
    pub skipped: i64,
    /// When it last started or proposed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_at: Option<Timestamp>,
    /// The run it last started.
    #[schema(value_type = Option<String>)]
    pub last_run: Option<RunId>,
    /// Why the last match or moment started nothing.
    pub note: Option<String>,
}

impl TriggerView {
    /// As a caller sees it: of what lies beyond sight, nothing it did.
    pub(crate) fn of(it: Kept, beyond: &Beyond) -> Self {
        let hidden = beyond.hides(it.trigger.reads());
        let seen = |number: i64| if hidden { 0 } else { number };
        let gathered = it.gathered.as_ref().map_or(0, |it| {
            i64::try_from(it.objects.len()).unwrap_or(i64::MAX).saturating_add(it.more)
        });
        Self {
            id: it.id,
            playbook: it.playbook,
            words: it.trigger.words(),
            changed_by: it.changed_by,
            changed_at: it.changed_at,
            next_at: it.next_at,
            gathered: seen(gathered),
            hook: it.salt.is_some().then(|| format!("/api/v1/hooks/{}", it.id)),
            started: seen(it.started),
            proposed: seen(it.proposed),
            held: seen(it.held),
            skipped: seen(it.skipped),
            last_at: it.last_at.filter(|_| !hidden),
            last_run: it.last_run.filter(|_| !hidden),
            note: it.note.filter(|_| !hidden),
            trigger: it.trigger,
        }
    }
}

/// Triggers of a playbook.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TriggerList {
    pub items: Vec<TriggerView>,
    /// How many a playbook may have.
    pub at_most: usize,
}

/// A trigger that was made or changed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TriggerMade {
    #[serde(flatten)]
    pub view: TriggerView,
    /// Webhook: its secret, shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

/// When a playbook starts by itself, with what each trigger did.
#[utoipa::path(get, path = "/api/v1/playbooks/{id}/triggers", tag = "playbooks",
    params(("id" = String, Path, description = "The playbook's id")),
    responses((status = 200, body = TriggerList), (status = 404, body = Problem)))]
pub(crate) async fn list(
    State(room): State<Playbooks>,
    beyond: Beyond,
    Path(text): Path<String>,
) -> Result<Json<TriggerList>, Problem> {
    let id: PlaybookId = id("playbook", &text)?;
    let mut sql = room.platform().db.read().await?;
    let stored = one(&mut sql, id).await?.ok_or(PlaybooksError::NoPlaybook(id))?;
    let items = stored.triggers.into_iter().map(|it| TriggerView::of(it, &beyond)).collect();
    Ok(Json(TriggerList { items, at_most: MAX_TRIGGERS }))
}

/// Adds a trigger. The secret of a webhook is in this answer and nowhere else.
#[utoipa::path(post, path = "/api/v1/playbooks/{id}/triggers", tag = "playbooks",
    params(("id" = String, Path, description = "The playbook's id")), request_body = Trigger,
    responses((status = 201, body = TriggerMade), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(crate) async fn add(
    State(room): State<Playbooks>,
    beyond: Beyond,
    caller: Caller,
    Path(text): Path<String>,
    Json(wanted): Json<Trigger>,
) -> Result<(StatusCode, Json<TriggerMade>), Problem> {
    let id: PlaybookId = id("playbook", &text)?;
    sees(&beyond, &wanted)?;
    let salt = room.platform().uuid4().to_string();
    let made: Result<Kept, PlaybooksError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let stored = checked(tx, id, &wanted).await?;
                if stored.triggers.len() >= MAX_TRIGGERS {
                    let text = format!(
                        "'{}' has {MAX_TRIGGERS} triggers, and a playbook has at most {MAX_TRIGGERS}",
                        stored.name
                    );
                    return Err(PlaybooksError::Full(text));
                }
                let (new, now) = (tx.mint(), tx.now());
                let mut kept = Kept::new(new, id, wanted, &caller.name, now);
                kept.salt = matches!(kept.trigger, Trigger::Webhook(_)).then_some(salt);
                begin(tx, &mut kept).await?;
                let what = format!("'{}' starts by itself {}", stored.name, kept.trigger.words());
                tell(tx, &caller.name, what).await?;
                Ok(kept)
            })
        })
        .await;
    Ok((StatusCode::CREATED, Json(made_with_secret(&room, made?, &beyond))))
}

/// Replaces a trigger; what it did so far stays counted, and a webhook keeps its secret.
#[utoipa::path(put, path = "/api/v1/playbooks/{id}/triggers/{trigger}", tag = "playbooks",
    params(("id" = String, Path, description = "The playbook's id"),
        ("trigger" = String, Path, description = "The trigger's id")),
    request_body = Trigger,
    responses((status = 200, body = TriggerMade), (status = 404, body = Problem),
        (status = 422, body = Problem)))]
pub(crate) async fn replace(
    State(room): State<Playbooks>,
    beyond: Beyond,
    caller: Caller,
    Path((playbook, trigger)): Path<(String, String)>,
    Json(wanted): Json<Trigger>,
) -> Result<Json<TriggerMade>, Problem> {
    let (id, trigger) = ids(&playbook, &trigger)?;
    sees(&beyond, &wanted)?;
    let salt = room.platform().uuid4().to_string();
    let changed: Result<(Kept, bool), PlaybooksError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let stored = checked(tx, id, &wanted).await?;
                let mut kept = find(&stored, trigger)?;
                let was_hook = matches!(kept.trigger, Trigger::Webhook(_));
                let is_hook = matches!(wanted, Trigger::Webhook(_));
                kept.trigger = wanted;
                kept.revision += 1;
                kept.changed_by.clone_from(&caller.name);
                kept.changed_at = tx.now();
                kept.note = None;
                match (was_hook, is_hook) {
                    (true, true) => {}
                    (_, is_hook) => kept.salt = is_hook.then_some(salt),
                }
                begin(tx, &mut kept).await?;
                let what =
                    format!("'{}' now starts by itself {}", stored.name, kept.trigger.words());
                tell(tx, &caller.name, what).await?;
                Ok((kept, is_hook && !was_hook))
            })
        })
        .await;
    let (kept, fresh) = changed?;
    let mut made = made_with_secret(&room, kept, &beyond);
    made.secret = made.secret.filter(|_| fresh);
    Ok(Json(made))
}

/// Takes a trigger away; a webhook stops to answer at once.
#[utoipa::path(delete, path = "/api/v1/playbooks/{id}/triggers/{trigger}", tag = "playbooks",
    params(("id" = String, Path, description = "The playbook's id"),
        ("trigger" = String, Path, description = "The trigger's id")),
    responses((status = 204), (status = 404, body = Problem)))]
pub(crate) async fn remove(
    State(room): State<Playbooks>,
    caller: Caller,
    Path((playbook, trigger)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (id, trigger) = ids(&playbook, &trigger)?;
    let done: Result<(), PlaybooksError> = room
        .platform()
        .db
        .write(move |tx| {
            Box::pin(async move {
                let stored = one(tx.sql(), id).await?.ok_or(PlaybooksError::NoPlaybook(id))?;
                let kept = find(&stored, trigger)?;
                triggers::remove(tx.sql(), kept.id).await?;
                let what = format!(
                    "'{}' no longer starts by itself {}",
                    stored.name,
                    kept.trigger.words()
                );
                tell(tx, &caller.name, what).await
            })
        })
        .await;
    done?;
    Ok(StatusCode::NO_CONTENT)
}

/// The ids in a path.
pub(super) fn ids(playbook: &str, trigger: &str) -> Result<(PlaybookId, TriggerId), Problem> {
    Ok((id("playbook", playbook)?, id("trigger", trigger)?))
}

/// Nobody makes a trigger read what lies beyond their own sight: its runs would tell them.
fn sees(beyond: &Beyond, wanted: &Trigger) -> Result<(), PlaybooksError> {
    match wanted.reads().filter(|tlp| beyond.hides(Some(*tlp))) {
        None => Ok(()),
        Some(tlp) => Err(PlaybooksError::Trigger(vec![format!(
            "tlp: {tlp} is beyond your own sight; choose a label that you may read"
        )])),
    }
}

async fn checked(tx: &mut Tx, id: PlaybookId, wanted: &Trigger) -> Result<Stored, PlaybooksError> {
    let stored = one(tx.sql(), id).await?.ok_or(PlaybooksError::NoPlaybook(id))?;
    let playbook = Playbook::parse(&stored.body).map_err(|cause| {
        PlaybooksError::invalid(format!("the playbook cannot be read: {cause}"))
    })?;
    wanted.check(&playbook)?;
    Ok(stored)
}

pub(super) fn find(stored: &Stored, trigger: TriggerId) -> Result<Kept, PlaybooksError> {
    let found = stored.triggers.iter().find(|kept| kept.id == trigger);
    found.cloned().ok_or(PlaybooksError::NoTrigger(trigger))
}

/// A trigger is new, or another than before: it begins with what happens from now on.
pub(crate) async fn begin(tx: &mut Tx, kept: &mut Kept) -> Result<(), PlaybooksError> {
    let now = tx.now();
    news::from_now_on(tx, kept).await?;
    scheduled::arm(tx, kept, now).await?;
    triggers::put(tx.sql(), kept).await?;
    Ok(())
}

pub(super) async fn tell(tx: &mut Tx, by: &str, detail: String) -> Result<(), PlaybooksError> {
    let fact = AutomationChanged { what: "changed".into(), by: by.to_owned(), detail };
    tx.publish(by, &fact).await?;
    Ok(())
}

pub(super) fn made_with_secret(room: &Playbooks, kept: Kept, beyond: &Beyond) -> TriggerMade {
    let signer = room.platform().signer.as_ref();
    let secret = kept.salt.as_deref().map(|salt| hook::shown(&hook::secret(signer, salt)));
    TriggerMade { view: TriggerView::of(kept, beyond), secret }
}
