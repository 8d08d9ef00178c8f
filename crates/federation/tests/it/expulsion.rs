//! An expulsion and a letter about to leave in the same breath of the writer.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use federation::{Config, Federation};
use model::{CommunityId, PeerId, ShareDecision};
use platform::Platform;
use platform::db::DbError;
use platform::peers::PeerDirectory;
use ports::PortError;
use ports::disclosure::{Address, Candidate, Disclosed, Disclosure, Known, Recipient};
use serde_json::{Value, json};
use stix::Tlp;

use crate::house::{FIRST, House, id, indicator};

/// Lets everything leave until somebody noted an expulsion; reads through a connection of its own, as the room does that
/// decides in the program.
struct Members(Platform);

#[async_trait]
impl Disclosure for Members {
    async fn judge(
        &self,
        _: Recipient,
        _: Address,
        objects: &[Candidate],
    ) -> Result<Vec<Disclosed>, PortError> {
        let mut sql = self.0.db.read().await.unwrap();
        let expelled = sqlx::query("SELECT 1 FROM notes WHERE body = 'expelled'");
        let allowed = expelled.fetch_optional(&mut *sql).await.unwrap().is_none();
        let answer = |candidate: &Candidate| Disclosed {
            decision: ShareDecision { allowed, reason: "members only".into(), policies: vec![] },
            object: allowed.then(|| candidate.object.clone()),
            redactions: vec![],
        };
        Ok(objects.iter().map(answer).collect())
    }
    // Federation hands over candidates and asks for nothing of the rest.
    async fn judge_known(
        &self,
        _: Recipient,
        _: Address,
        _: &[Known],
    ) -> Result<Vec<Disclosed>, PortError> {
        Ok(vec![])
    }
    async fn rewrite(
        &self,
        _: Recipient,
        _: &[(Value, BTreeSet<String>)],
    ) -> Result<Vec<(Value, BTreeSet<String>)>, PortError> {
        Ok(vec![])
    }
    async fn renames(&self, _: Recipient) -> Result<bool, PortError> {
        Ok(false)
    }
    async fn pseudonym_names(&self, _: Recipient) -> Result<[String; 2], PortError> {
        Ok(Default::default())
    }
    async fn recipients(&self, _: CommunityId) -> Result<Vec<PeerId>, PortError> {
        Ok(vec![])
    }
    async fn led(&self) -> Result<Vec<CommunityId>, PortError> {
        Ok(vec![])
    }
    async fn may_send(&self, _: PeerId, _: CommunityId) -> Result<bool, PortError> {
        Ok(true)
    }
}

async fn expel(platform: &Platform) {
    let done: Result<(), DbError> = platform
        .db
        .write(|tx| {
            Box::pin(async move {
                sqlx::query("INSERT INTO notes (peer, body) VALUES ('b', 'expelled')")
                    .execute(tx.sql())
                    .await?;
                Ok(())
            })
        })
        .await;
    done.unwrap();
}

#[tokio::test]
async fn no_letter_is_sealed_after_an_expulsion_not_even_in_the_same_commit() {
    let (a, b) = (House::new("a", 1).await, House::new("b", 2).await);
    a.knows(&b);
    let directory: Arc<dyn PeerDirectory> = a.directory.clone();
    let room = Federation::open(&a.platform, Config::default(), directory).await.unwrap();
    room.meet(Arc::new(Members(a.platform.clone())), vec![]);
    a.say(&[indicator(1, Tlp::Clear, FIRST, "one"), indicator(2, Tlp::Clear, FIRST, "two")]).await;
    a.share(&[&id(1)], &[&b]).await;
    let before = room.offer(&a.peer(&b), None).await.unwrap();
    assert_eq!(before.len(), 1, "members get what is shared");
    let late = a.share(&[&id(2)], &[&b]).await;
    // The writer is busy while the expulsion and then the letter come into its queue.
    let busy = a.platform.db.write(|_| {
        Box::pin(async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            Ok::<(), DbError>(())
        })
    });
    let peer = a.peer(&b);
    let both = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        futures::future::join(expel(&a.platform), room.offer(&peer, None)).await.1
    };
    let (busy, offered) = futures::future::join(busy, both).await;
    busy.unwrap();
    assert_eq!(offered.unwrap().len(), 1, "a letter was sealed for an expelled member");
    assert_eq!(a.counts(&late).await, json!({ "cancelled": 1 }));
}
