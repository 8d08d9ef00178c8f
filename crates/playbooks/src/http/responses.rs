//! `GET /api/v1/incidents/{id}/responses`: which playbook first, and why.

use axum::extract::{Path, State};
use model::{AttackKind, IncidentId, IncidentReport, Severity};
use platform::http::{Beyond, Json, Problem};

use crate::automation::rank::{Candidate, worth};
use crate::automation::{Automation, Level};
use crate::cacao::Playbook;
use crate::store::playbooks::Stored;
use crate::triggers::{OnIncident, Trigger};
use crate::{Playbooks, store};

/// Playbooks compared for one incident at most; the oldest first.
const MAX_CANDIDATES: i64 = 500;

/// Playbooks for an incident, the one of most worth first; those that cannot run here last.
#[utoipa::path(get, path = "/api/v1/incidents/{id}/responses", tag = "playbooks",
    params(("id" = String, Path, description = "The incident")),
    responses((status = 200, body = Vec<Candidate>), (status = 404, body = Problem)))]
pub(crate) async fn responses(
    State(room): State<Playbooks>,
    beyond: Beyond,
    Path(text): Path<String>,
) -> Result<Json<Vec<Candidate>>, Problem> {
    let id: IncidentId = super::id("incident", &text)?;
    let report = super::in_sight(&room, &beyond, id).await?;
    let criticality = room.engine.criticality(&report).await?;
    let mut sql = room.platform().db.read().await?;
    let policy = store::automation::current(&mut sql).await?;
    let stored = store::playbooks::list(&mut sql, None, MAX_CANDIDATES).await?;
    let mut candidates = Vec::new();
    for one in stored {
        let history = store::runs::history(&mut sql, one.id).await?;
        let asked = Asked { room: &room, policy: &policy, report: &report, criticality };
        candidates.extend(asked.candidate(&one, history));
    }
    candidates.sort_by(|a, b| {
        let runs = a.missing.is_empty().cmp(&b.missing.is_empty()).reverse();
        runs.then(b.value.total_cmp(&a.value)).then_with(|| a.name.cmp(&b.name))
    });
    Ok(Json(candidates))
}

struct Asked<'a> {
    room: &'a Playbooks,
    policy: &'a Automation,
    report: &'a IncidentReport,
    criticality: Severity,
}

impl Asked<'_> {
    /// `None` for a stored playbook that cannot be read any more.
    fn candidate(
        &self,
        stored: &Stored,
        history: crate::automation::rank::History,
    ) -> Option<Candidate> {
        let playbook = Playbook::parse(&stored.body).ok()?;
        let trigger = self.chosen(stored);
        let meant = meant(stored, trigger);
        let worth = worth(&playbook, meant, history, self.report, self.criticality);
        let (level, level_reasons) = self.by_itself(trigger);
        let value: serde_json::Value = serde_json::from_str(&stored.body).ok()?;
        Some(Candidate {
            playbook: stored.id,
            name: stored.name.clone(),
            value: worth.value,
            reasons: worth.reasons,
            history,
            level,
            level_reasons,
            missing: crate::validate(&value, self.room.abilities()).runnable.missing,
        })
    }

    /// The trigger that counts: of those that match the one that lets it go furthest, else the first for incidents.
    fn chosen<'t>(&self, stored: &'t Stored) -> Option<&'t OnIncident> {
        let all = || stored.triggers.iter().filter_map(|kept| kept.trigger.incident());
        let far = |it: &&OnIncident| it.level.unwrap_or(Level::Act);
        all().filter(|it| it.matches(self.report)).max_by_key(far).or_else(|| all().next())
    }

    /// How far a playbook goes by itself for this incident, and why not further.
    fn by_itself(&self, trigger: Option<&OnIncident>) -> (Option<Level>, Vec<String>) {
        let only_people = |why: &str| (None, vec![why.to_owned()]);
        match trigger {
            None => only_people("it has no trigger for incidents"),
            Some(trigger) if !trigger.matches(self.report) => {
                only_people("its trigger does not match this incident")
            }
            Some(trigger) => {
                let now = self.room.platform().now();
                let judged = self.policy.judge(trigger.level, self.criticality, now);
                (Some(judged.level), judged.reasons)
            }
        }
    }
}

/// The kinds of attack a playbook is meant for: those of the trigger that counts, else those of one for findings.
fn meant<'t>(stored: &'t Stored, chosen: Option<&'t OnIncident>) -> Option<&'t [AttackKind]> {
    let findings = || {
        stored.triggers.iter().find_map(|kept| match &kept.trigger {
            Trigger::Finding(it) => Some(it.kinds.as_slice()),
            _ => None,
        })
    };
    chosen.map(|it| it.kinds.as_slice()).or_else(findings)
}
