//! Search over everything: objects of intelligence by the words of their full text.

use async_trait::async_trait;
use intel::Sight;
use intel::objects::Stored;
use intel::search::{Query, Wanted as Asked, run};
use model::Timestamp;
use platform::db::DbError;
use ports::PortError;
use ports::find::{Find, Found, Wanted};

use crate::room::Knowledge;

fn failed(cause: DbError) -> PortError {
    PortError::Internal(cause.to_string())
}

fn shown(hit: Stored) -> Found {
    let unnamed = hit.name.is_empty();
    Found {
        path: format!("/knowledge/{}", hit.id),
        title: if unnamed { hit.id.clone() } else { hit.name },
        detail: hit.kind,
        at: Some(Timestamp::from_micros(hit.recorded_us)),
        id: hit.id,
    }
}

#[async_trait]
impl Find for Knowledge {
    fn kind(&self) -> &'static str {
        "intel"
    }

    fn permission(&self) -> &'static str {
        "knowledge.read"
    }

    async fn find(&self, wanted: &Wanted) -> Result<Vec<Found>, PortError> {
        let (sight, words) = (Sight::without_strictest(wanted.beyond.len()), wanted.words());
        let last = words.len().saturating_sub(1);
        let begun = |(at, text): (usize, String)| Query::Words { text, prefix: at == last };
        let query = Query::And(words.into_iter().enumerate().map(begun).collect());
        if sight == Sight::NOTHING || query == Query::And(vec![]) {
            return Ok(vec![]);
        }
        let asked = Asked {
            query: &query,
            sight,
            at_us: None,
            before_seq: None,
            limit: i64::from(wanted.limit),
            count: false,
        };
        let _turn = self.turn().await;
        let mut sql = self.platform().db.read().await.map_err(failed)?;
        let found = run(&mut sql, &asked).await.map_err(failed)?;
        Ok(found.hits.into_iter().map(shown).collect())
    }
}
