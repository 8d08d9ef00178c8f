//! At the size the console must stay quick with: a million findings, 100,000 incidents.

use std::time::{Duration, Instant};

use platform::Platform;
use serde_json::json;

use crate::{get, open};

/// Nine of ten reads, in a build without optimisation; what is slower is the machine's other work, and is printed.
const WITHIN: Duration = Duration::from_millis(150);
const READS: usize = 100;

/// Rows as facts would have left them: findings of 400 days, incidents of which each tenth is open and each second is
/// received, from 40 organisations that share remote parties.
const FILL: [&str; 7] = [
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 999999) \
     INSERT INTO situation_findings SELECT 'f' || i, 20000 + i % 400, 'low', 'aarnn', 'scan' FROM n",
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1599) \
     INSERT INTO situation_daily SELECT 20000 + i / 4, 'findings.severity', \
     CASE i % 4 WHEN 0 THEN 'low' WHEN 1 THEN 'medium' WHEN 2 THEN 'high' ELSE 'critical' END, '', 625 FROM n",
    "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 99999) \
     INSERT INTO situation_incidents SELECT printf('01890a5d-ac96-774b-bcce-%012d', i), 'Incident ' || i, 'high', i % 4, \
     CASE i % 10 WHEN 0 THEN 'new' ELSE 'closed' END, i % 10 = 0, i % 2, i % 10 = 0, 'amber', \
     CASE i % 2 WHEN 1 THEN 'TLP:AMBER' ELSE '' END, 'o' || (i % 40), 'Operator ' || (i % 40), NULL, \
     1728000000000000 + i * 345600000, NULL, NULL, NULL, NULL, 1728000000000000 + i * 345600000 FROM n",
    "INSERT INTO situation_daily SELECT opened_at / 86400000000, 'incidents.state', state, bound, COUNT(*) \
     FROM situation_incidents GROUP BY 1, 3, 4",
    "INSERT INTO situation_daily SELECT opened_at / 86400000000, 'incidents.origin', origin_name, bound, COUNT(*) \
     FROM situation_incidents WHERE received = 1 GROUP BY 1, 3, 4",
    "INSERT INTO situation_marks SELECT id, 'peer', '198.51.100.' || (CAST(substr(id, -6) AS INTEGER) % 250), origin, \
     bound, opened_at FROM situation_incidents WHERE received = 1",
    "INSERT INTO situation_common SELECT 'peer', value, MAX(at) FROM situation_marks GROUP BY value",
];

async fn fill(platform: &Platform) {
    for sql in FILL {
        let done: Result<(), platform::db::DbError> = platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    sqlx::query(sql).execute(tx.sql()).await?;
                    Ok(())
                })
            })
            .await;
        done.unwrap();
    }
}

#[tokio::test]
#[ignore = "fills a database with 1.1 million rows"]
async fn the_page_and_the_figures_are_quick_with_a_million_findings() {
    let folder = tempfile::tempdir().unwrap();
    let (platform, room) = open(folder.path()).await;
    fill(&platform).await;
    let now = get(&room, "/api/v1/situation").await;
    assert_eq!(now["open"], json!({ "new": 10_000 }));
    assert_eq!(now["calling"].as_array().unwrap().len(), 50);
    assert!(!now["campaigns"].as_array().unwrap().is_empty());
    for path in [
        "/api/v1/situation",
        "/api/v1/situation?since=2024-10-04T00:00:00Z",
        "/api/v1/figures?from=2024-10-05&to=2025-11-01",
    ] {
        let mut took = Vec::with_capacity(READS);
        for _ in 0..READS {
            let begun = Instant::now();
            get(&room, path).await;
            took.push(begun.elapsed());
        }
        took.sort_unstable();
        let [median, late, latest] = [50, 90, 99].map(|share| took[READS * share / 100 - 1]);
        eprintln!("{path}: median {median:?}, nine of ten {late:?}, 99th percentile {latest:?}");
        assert!(late < WITHIN, "{path}: {late:?}");
    }
}
