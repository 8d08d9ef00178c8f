//! What waits for people, as the situation shows it.

use async_trait::async_trait;
use model::Tlp;
use platform::db::DbError;
use ports::PortError;
use ports::situation::{OpenQuestion, QuestionBoard};

use crate::Playbooks;
use crate::automation::Level;
use crate::automation::proposals::ProposalState;
use crate::store::{proposals, runs};

#[async_trait]
impl QuestionBoard for Playbooks {
    async fn open(&self, beyond: &[Tlp], limit: u32) -> Result<Vec<OpenQuestion>, PortError> {
        let most = i64::from(limit);
        let read = async {
            let mut sql = self.platform().db.read().await?;
            let runs = runs::waiting(&mut sql, beyond, most).await?;
            let which = proposals::Which::State(ProposalState::Open);
            let proposals = proposals::list(&mut sql, which, beyond, None, most).await?;
            Ok::<_, DbError>((runs, proposals))
        };
        let (runs, proposals) =
            read.await.map_err(|error| PortError::Internal(error.to_string()))?;
        let runs = runs.into_iter().map(|run| OpenQuestion {
            what: "run",
            run: Some(run.id),
            title: run.name,
            incident: run.incident,
            since: run.started_at,
        });
        // What is only recommended calls nobody.
        let asking = proposals.into_iter().filter(|one| matches!(one.level, Level::Ask));
        let asking = asking.map(|one| OpenQuestion {
            what: "proposal",
            run: None,
            title: one.name,
            incident: one.incident,
            since: one.recorded_at,
        });
        let mut all: Vec<OpenQuestion> = runs.chain(asking).collect();
        all.sort_by_key(|one| one.since);
        all.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(all)
    }
}
