use platform::db::{DbError, Migration, RoomMigrations};
use platform::testing::platform;
use sqlx::Row;

pub(crate) const ROOM: RoomMigrations = RoomMigrations {
    room: "probe",
    steps: &[Migration {
        number: 1,
        sql: "CREATE TABLE probe_notes (name TEXT PRIMARY KEY, body TEXT NOT NULL);",
    }],
};

pub(crate) async fn note(p: &platform::Platform, name: &str) -> Result<(), DbError> {
    let name = name.to_owned();
    p.db.write(move |tx| {
        Box::pin(async move {
            sqlx::query("INSERT INTO probe_notes (name, body) VALUES ($1, 'x')")
                .bind(name)
                .execute(tx.sql())
                .await?;
            Ok(())
        })
    })
    .await
}

pub(crate) async fn count(p: &platform::Platform, table: &'static str) -> i64 {
    let mut connection = p.db.read().await.unwrap();
    let sql = format!("SELECT COUNT(*) FROM {table}");
    let row = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_one(&mut *connection).await.unwrap();
    row.try_get(0).unwrap()
}

#[tokio::test]
async fn a_failed_job_leaves_nothing_while_its_group_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let p = platform(folder.path(), &[ROOM]).await.unwrap();
    let jobs = (0..50).map(|i| {
        let p = p.clone();
        async move { note(&p, &format!("n{}", i % 25)).await }
    });
    let outcomes = futures::future::join_all(jobs).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 25);
    assert_eq!(count(&p, "probe_notes").await, 25);
}

#[tokio::test]
async fn a_panicking_job_is_rolled_back_and_the_writer_lives_on() {
    let folder = tempfile::tempdir().unwrap();
    let p = platform(folder.path(), &[ROOM]).await.unwrap();
    let outcome: Result<(), DbError> =
        p.db.write(|tx| {
            Box::pin(async move {
                sqlx::query("INSERT INTO probe_notes (name, body) VALUES ('lost', 'x')")
                    .execute(tx.sql())
                    .await?;
                panic!("on purpose");
            })
        })
        .await;
    assert!(matches!(outcome, Err(DbError::Panicked)));
    assert_eq!(count(&p, "probe_notes").await, 0);
    note(&p, "after").await.unwrap();
    assert_eq!(count(&p, "probe_notes").await, 1);
}

#[tokio::test]
async fn readers_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let p = platform(folder.path(), &[ROOM]).await.unwrap();
    let mut connection = p.db.read().await.unwrap();
    let outcome = sqlx::query("INSERT INTO probe_notes (name, body) VALUES ('a', 'b')")
        .execute(&mut *connection)
        .await;
    assert!(outcome.unwrap_err().to_string().contains("readonly"));
}

#[tokio::test]
async fn an_older_program_refuses_a_newer_database_and_an_upgrade_is_backed_up() {
    const NEWER: RoomMigrations = RoomMigrations {
        room: "probe",
        steps: &[
            Migration { number: 1, sql: ROOM.steps[0].sql },
            Migration { number: 2, sql: "ALTER TABLE probe_notes ADD COLUMN more TEXT;" },
        ],
    };
    let folder = tempfile::tempdir().unwrap();
    platform(folder.path(), &[ROOM]).await.unwrap().db.close().await;
    platform(folder.path(), &[NEWER]).await.unwrap().db.close().await;
    let backups = std::fs::read_dir(folder.path().join("backups")).unwrap().count();
    assert_eq!(backups, 1);
    let refused = platform(folder.path(), &[ROOM]).await.err().unwrap().to_string();
    assert!(refused.contains("newer version") && refused.contains("probe/2"), "{refused}");
}

/// SQLite gives up the whole transaction when it finds no place for a page, not only the job.
#[tokio::test]
async fn a_full_database_takes_its_whole_group_and_nothing_after_it() {
    async fn fact(p: &platform::Platform, name: &str, size_bytes: usize) -> Result<(), DbError> {
        let (name, body) = (name.to_owned(), "x".repeat(size_bytes));
        p.db.write(move |tx| {
            Box::pin(async move {
                let fact = model::event::AccessNoted {
                    what: "probe".into(),
                    who: name.clone(),
                    detail: String::new(),
                };
                tx.publish("system", &fact).await?;
                if body.len() > 1 {
                    sqlx::query("PRAGMA max_page_count = 1").execute(tx.sql()).await?;
                }
                sqlx::query("INSERT INTO probe_notes (name, body) VALUES ($1, $2)")
                    .bind(name)
                    .bind(body)
                    .execute(tx.sql())
                    .await?;
                Ok(())
            })
        })
        .await
    }
    let folder = tempfile::tempdir().unwrap();
    let p = platform(folder.path(), &[ROOM]).await.unwrap();
    // The first write keeps the writer busy, so that the rest share one commit.
    let jobs = (0..20).map(|i| {
        let p = p.clone();
        async move { fact(&p, &format!("n{i}"), if i == 10 { 1 << 20 } else { 1 }).await }
    });
    let outcomes = futures::future::join_all(jobs).await;
    assert!(matches!(outcomes[10], Err(DbError::DiskFull)), "{:?}", outcomes[10]);
    let refused = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    assert!(refused > 1, "the group did not share a commit");
    let kept = i64::try_from(outcomes.len() - refused).unwrap();
    assert_eq!(count(&p, "probe_notes").await, kept, "{outcomes:?}");
    assert_eq!(count(&p, "platform_facts").await, kept);
    // There is room again: writing goes on, and facts have no gap.
    let roomy: Result<(), DbError> =
        p.db.write(|tx| {
            Box::pin(async move {
                sqlx::query("PRAGMA max_page_count = 1000000").execute(tx.sql()).await?;
                Ok(())
            })
        })
        .await;
    roomy.unwrap();
    fact(&p, "after", 1).await.unwrap();
    let mut connection = p.db.read().await.unwrap();
    let facts = platform::db::read_facts(&mut connection, 0, &[], 100).await.unwrap();
    let seqs: Vec<i64> = facts.iter().map(|fact| fact.seq).collect();
    assert_eq!(seqs, (1..=kept + 1).collect::<Vec<i64>>());
}

/// What another connection shows of a note that was written in the same breath.
async fn shown_to(p: &platform::Platform, after_all: bool, name: &'static str) -> i64 {
    let (first, asks) = (p.clone(), p.clone());
    // The writer is busy while the two that follow gather in its queue, so that they would share a commit.
    let busy = p.db.write(|_| {
        Box::pin(async {
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            Ok::<(), DbError>(())
        })
    });
    let gathered = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let seen = async {
            if after_all {
                p.db.write_after_all(|_| {
                    Box::pin(async move { Ok::<_, DbError>(count(&asks, "probe_notes").await) })
                })
                .await
            } else {
                p.db.write(|_| {
                    Box::pin(async move { Ok::<_, DbError>(count(&asks, "probe_notes").await) })
                })
                .await
            }
        };
        futures::future::join(note(&first, name), seen).await
    };
    let (busy, (noted, seen)) = futures::future::join(busy, gathered).await;
    busy.unwrap();
    noted.unwrap();
    seen.unwrap()
}

#[tokio::test]
async fn a_job_after_all_sees_through_other_connections_what_was_written_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let p = platform(folder.path(), &[ROOM]).await.unwrap();
    assert_eq!(shown_to(&p, false, "one").await, 0, "the two no longer share a commit");
    assert_eq!(shown_to(&p, true, "two").await, 2);
}

/// A job that goes on after the database gave up its transaction must not be told that it succeeded, and what it
/// published must not be written outside of it.
#[tokio::test]
async fn who_overlooks_a_full_database_keeps_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let p = platform(folder.path(), &[ROOM]).await.unwrap();
    let overlooked: Result<(), DbError> =
        p.db.write(|tx| {
            Box::pin(async move {
                let fact = model::event::AccessNoted {
                    what: "probe".into(),
                    who: "nobody".into(),
                    detail: String::new(),
                };
                tx.publish("system", &fact).await?;
                sqlx::query("PRAGMA max_page_count = 1").execute(tx.sql()).await?;
                let refused = sqlx::query("INSERT INTO probe_notes (name, body) VALUES ('a', $1)")
                    .bind("x".repeat(1 << 20))
                    .execute(tx.sql())
                    .await;
                assert!(refused.is_err());
                sqlx::query("PRAGMA max_page_count = 1000000").execute(tx.sql()).await?;
                Ok(())
            })
        })
        .await;
    assert!(overlooked.is_err());
    assert_eq!((count(&p, "platform_facts").await, count(&p, "probe_notes").await), (0, 0));
    note(&p, "after").await.unwrap();
    assert_eq!(count(&p, "probe_notes").await, 1);
}
