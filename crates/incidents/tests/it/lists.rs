//! The list: asked, sorted, paged, counted, as a file, and only as far as the reader sees.

use std::sync::Arc;

use axum::http::StatusCode;
use model::event::FindingRaised;
use model::{Severity, ShareDecision};
use platform::db::DbError;
use platform::http::Gate;
use ports::{AccessQuestion, Authorizer};
use serde_json::Value;

use crate::cases::received;
use crate::desk::{Desk, finding};

struct Sees(&'static [&'static str]);

impl Authorizer for Sees {
    fn decide(&self, question: &AccessQuestion) -> ShareDecision {
        let allowed = question.action != "see" || self.0.contains(&question.resource.as_str());
        ShareDecision { allowed, reason: "test".into(), policies: vec![] }
    }
}

const GREEN: &[&str] = &["TLP:CLEAR", "TLP:GREEN"];
const AMBER: &[&str] = &["TLP:CLEAR", "TLP:GREEN", "TLP:AMBER"];

async fn ask(desk: &Desk, labels: &'static [&'static str], path: &str) -> (StatusCode, Value) {
    let gate = Gate(Arc::new(Sees(labels)));
    platform::testing::call_through(desk.room.router(), gate, "GET", path, &Value::Null).await
}

fn query(q: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric();
    let code =
        |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    q.bytes().map(code).collect()
}

async fn found(desk: &Desk, q: &str) -> usize {
    let path = format!("/api/v1/incidents?count=true&q={}", query(q));
    let (status, answer) = ask(desk, AMBER, &path).await;
    assert_eq!(status, StatusCode::OK, "{q}: {answer}");
    let items = answer["items"].as_array().unwrap().len();
    assert_eq!(answer["total"].as_u64(), Some(items as u64), "{q}: the count is that of the list");
    items
}

/// Three incidents of three devices, high, medium and high, and one of others.
async fn four(folder: &std::path::Path) -> Desk {
    let desk = Desk::open(folder).await;
    for (number, severity) in [(1, Severity::High), (2, Severity::Medium), (3, Severity::High)] {
        desk.tell(&FindingRaised { finding: finding(number, number, severity) }).await;
    }
    desk.tell(&received(7, "the curlew's nest")).await;
    desk
}

#[tokio::test]
async fn what_people_ask_is_what_they_get() {
    let folder = tempfile::tempdir().unwrap();
    let desk = four(folder.path()).await;
    for (q, expect) in [
        ("", 4),
        ("is:own", 3),
        ("severity:medium is:own", 1),
        ("severity>=medium is:own", 3),
        ("-severity:medium is:own", 2),
        ("state:new,triaged is:own", 3),
        ("state:closed", 0),
        ("device:\"device 2\"", 1),
        ("device:device", 3),
        ("address:192.168.1.3", 1),
        ("mac:02:00:00:00:00:01", 1),
        ("owner:none is:own", 3),
        ("owner:me", 0),
        ("opened>-1h", 4),
        ("opened:..2020-01-01", 0),
        ("findings:1..1 is:own", 3),
        ("(address:192.168.1.3 OR address:192.168.1.1) severity:high", 2),
        ("curlew", 1),
        ("curl* is:received", 1),
        ("\"nest curlew\"", 0),
    ] {
        assert_eq!(found(&desk, q).await, expect, "{q}");
    }
    let path = format!("/api/v1/incidents?q={}", query("is:own colour:red"));
    let (status, problem) = ask(&desk, AMBER, &path).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(problem["detail"].as_str().unwrap().contains("at character 8"), "{problem}");
    assert!(problem["remedy"].as_str().unwrap().contains("severity"), "{problem}");
}

#[tokio::test]
async fn pages_of_every_order_hold_each_incident_once() {
    let folder = tempfile::tempdir().unwrap();
    let desk = four(folder.path()).await;
    for sort in ["opened", "-opened", "updated", "-happened", "severity", "-severity", "-findings"]
    {
        let mut seen = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/api/v1/incidents?limit=1&sort={sort}{cursor}");
            let (status, page) = ask(&desk, AMBER, &path).await;
            assert_eq!(status, StatusCode::OK, "{page}");
            seen.extend(page["items"].as_array().unwrap().iter().map(|one| one["id"].to_string()));
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        let all = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!((all, seen.len()), (4, 4), "{sort}");
    }
    let (_, first) = ask(&desk, AMBER, "/api/v1/incidents?limit=1&sort=severity").await;
    let next = first["next"].as_str().unwrap();
    let path = format!("/api/v1/incidents?limit=1&sort=opened&cursor={next}");
    assert_eq!(ask(&desk, AMBER, &path).await.0, StatusCode::BAD_REQUEST, "of another order");
    assert_eq!(ask(&desk, AMBER, "/api/v1/incidents?sort=colour").await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_is_beyond_sight_is_in_no_count_facet_or_file() {
    let folder = tempfile::tempdir().unwrap();
    let desk = four(folder.path()).await;
    for (labels, all) in [(GREEN, 3_u64), (AMBER, 4)] {
        let (_, list) = ask(&desk, labels, "/api/v1/incidents?count=true").await;
        assert_eq!(list["total"].as_u64(), Some(all));
        let (_, counts) = ask(&desk, labels, "/api/v1/incidents/counts").await;
        assert_eq!(counts["open"].as_u64(), Some(all));
        let (_, facets) =
            ask(&desk, labels, "/api/v1/incidents/facets?fields=state,severity").await;
        let sum = |facet: &Value| {
            facet["values"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["count"].as_u64().unwrap())
                .sum::<u64>()
        };
        let facets = facets["facets"].as_array().unwrap();
        assert_eq!(facets.iter().map(sum).collect::<Vec<_>>(), [all, all]);
        let file = "/api/v1/incidents/export?format=jsonl&q=is:received&columns=title";
        let (status, row) = ask(&desk, labels, file).await;
        let expect = if labels == AMBER { "the curlew's nest".into() } else { Value::Null };
        assert_eq!((status, &row["title"]), (StatusCode::OK, &expect));
    }
}

#[tokio::test]
async fn the_read_model_follows_whoever_writes() {
    let folder = tempfile::tempdir().unwrap();
    let desk = four(folder.path()).await;
    let done: Result<(), DbError> = desk
        .platform
        .db
        .write(|tx| {
            Box::pin(async move {
                for sql in [
                    "UPDATE incidents_incidents SET owner = 'ana', tags = '[\"night\", \"tram\"]', state = 'closed', \
                     title = 'Something else' WHERE id = (SELECT incident FROM incidents_findings \
                     WHERE device_address = '192.168.1.1')",
                    "UPDATE incidents_findings SET incident = (SELECT incident FROM incidents_findings \
                     WHERE device_address = '192.168.1.2') WHERE device_address = '192.168.1.3'",
                ] {
                    sqlx::query(sql).execute(tx.sql()).await?;
                }
                Ok(())
            })
        })
        .await;
    done.unwrap();
    for (q, expect) in [
        ("owner:ana tag:night,day is:closed title:something", 1),
        ("is:open is:own", 2),
        ("findings:2", 1),
        ("address:192.168.1.3 findings:2", 1),
        ("findings:0 is:own", 1),
    ] {
        assert_eq!(found(&desk, q).await, expect, "{q}");
    }
}
