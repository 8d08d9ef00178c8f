//! What becomes due of proposals: people are told once more, and what nobody answered is over.

use std::sync::Arc;

use async_trait::async_trait;
use model::ProposalId;
use platform::db::Tx;
use platform::jobs::{Job, JobEnd, JobHandler};

use super::proposals::{Decider, ProposalState, end, put_to_people, tell};
use crate::PlaybooksError;
use crate::approvals::asking::AGAIN;
use crate::engine::Engine;
use crate::store::proposals;

/// Kind of the job that looks at a proposal when its time has come.
pub(crate) const DUE: &str = "playbooks.proposal";

/// Tells people once more, and ends what nobody answered.
pub(crate) struct Due(pub(crate) Arc<Engine>);

#[async_trait]
impl JobHandler for Due {
    fn kind(&self) -> &'static str {
        DUE
    }

    async fn run(&self, job: &Job) -> JobEnd {
        let id = job.payload.get("proposal").and_then(|id| id.as_str());
        let Some(id) = id.and_then(|id| id.parse().ok()) else {
            return JobEnd::Failed { reason: "the job names no proposal".into() };
        };
        let looked: Result<(), PlaybooksError> =
            self.0.platform.db.write(move |tx| Box::pin(async move { look(tx, id).await })).await;
        match looked {
            Ok(()) => JobEnd::Done,
            Err(error) => JobEnd::Retry { reason: error.to_string(), after_ms: 0 },
        }
    }
}

async fn look(tx: &mut Tx, id: ProposalId) -> Result<(), PlaybooksError> {
    let Some(mut it) = proposals::one(tx.sql(), id).await? else { return Ok(()) };
    let now = tx.now();
    if it.state != ProposalState::Open {
        return Ok(());
    }
    if it.expires_at <= now {
        let nobody = Decider { who: "system".into(), actor: "system".into(), at: now };
        let comment = "nobody answered in time";
        return end(tx, &mut it, ProposalState::Expired, &nobody, comment).await;
    }
    if it.escalate_at.is_some_and(|at| at <= now) {
        it.escalate_at = None;
        proposals::update(tx.sql(), &it).await?;
        let title = format!("Nobody has answered: start '{}'?", it.name);
        tell(tx, &it, "again", title).await?;
        put_to_people(tx, &it, AGAIN, now).await?;
    }
    Ok(())
}
