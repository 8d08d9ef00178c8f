//! Runs begun by an earlier version go on after the upgrade.

use std::sync::Arc;

use platform::db::{DbError, RoomMigrations};
use playbooks::MIGRATIONS;
use serde_json::{Value, json};

use crate::room::{Room, World, block, end, manual, notify, playbook};

const RUN: &str = "01930000-0000-7000-8000-000000000001";

/// A database of the earlier version with a run that stands at `position`, the step `row`.
async fn earlier(folder: &std::path::Path, it: &Value, row: (&str, &str, &str), returns: Value) {
    let first = RoomMigrations { room: MIGRATIONS.room, steps: &MIGRATIONS.steps[..1] };
    let platform = platform::testing::platform(folder, &[first]).await.unwrap();
    let state = if row.2 == "waiting" { "waiting" } else { "running" };
    let now = platform.now().as_micros();
    let (body, returns) = (it.to_string(), returns.to_string());
    let (step, name, step_state) = (row.0.to_owned(), row.1.to_owned(), row.2.to_owned());
    let written: Result<(), DbError> = platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO playbooks_runs (id, playbook, name, body, state, trigger_text, \
                     start_key, variables, returns, position, not_enforced, failed, started_at) \
                     VALUES ($1, $1, 'Old', $2, $3, 'by hand', 'k', '{\"__who__\":\"nobody\"}', $4, 2, 0, 0, $5)",
                )
                .bind(RUN)
                .bind(body)
                .bind(state)
                .bind(returns)
                .bind(now)
                .execute(tx.sql())
                .await?;
                sqlx::query(
                    "INSERT INTO playbooks_steps (run, position, step, name, type, state, command, \
                     outcomes, deadline_at, started_at, attempts) \
                     VALUES ($1, 2, $2, $3, 'action', $4, 0, '[]', $5, $6, 0)",
                )
                .bind(RUN)
                .bind(step)
                .bind(name)
                .bind(step_state)
                .bind(now + 60_000_000)
                .bind(now)
                .execute(tx.sql())
                .await?;
                Ok(())
            })
        })
        .await;
    written.unwrap();
    platform.db.close().await;
}

fn steps() -> Value {
    playbook(&[
        ("ask", manual("Look", json!({ "on_success": "@back@" }))),
        ("block", block(json!({ "on_success": "@back@" }))),
        ("back", end()),
        ("after", notify("after", json!({ "on_completion": "@end@" }))),
        ("end", end()),
    ])
}

const AFTER: &str = "action--5d1f0f0e-8a4b-4b53-9a6d-000000000003";

#[tokio::test]
async fn a_run_that_waited_goes_on_where_its_branch_returns() {
    let folder = tempfile::tempdir().unwrap();
    let ask = "action--5d1f0f0e-8a4b-4b53-9a6d-000000000000";
    earlier(folder.path(), &steps(), (ask, "ask", "waiting"), json!([AFTER])).await;
    let room = Room::open(folder.path(), &Arc::default()).await;
    let run = room.run_in(&["waiting"]).await;
    assert_eq!(run["steps"][0]["name"], "ask", "{run:#}");
    let answer = format!("/api/v1/runs/{RUN}/steps/{ask}/answer");
    let (status, said) = room.call("POST", &answer, json!({ "approve": true })).await;
    assert!(status.is_success(), "{said}");
    let run = room.ended().await;
    assert_eq!(run["state"], "succeeded", "{run:#}");
    let names: Vec<&str> =
        run["path"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(names.contains(&AFTER), "{names:?}");
    room.close().await;
}

#[tokio::test]
async fn a_command_under_way_is_asked_again_under_its_old_key() {
    let folder = tempfile::tempdir().unwrap();
    let block = "action--5d1f0f0e-8a4b-4b53-9a6d-000000000001";
    earlier(folder.path(), &steps(), (block, "block", "running"), json!([])).await;
    let world: Arc<World> = Arc::default();
    let room = Room::open(folder.path(), &world).await;
    let run = room.ended().await;
    assert_eq!(run["state"], "succeeded", "{run:#}");
    let asked = world.asked.lock().unwrap().clone();
    assert_eq!(asked, [(format!("{RUN}/2/0"), "block".to_owned())]);
    room.close().await;
}

#[tokio::test]
async fn the_one_trigger_of_an_earlier_version_is_the_first_of_the_list() {
    let folder = tempfile::tempdir().unwrap();
    let first = RoomMigrations { room: MIGRATIONS.room, steps: &MIGRATIONS.steps[..7] };
    let platform = platform::testing::platform(folder.path(), &[first]).await.unwrap();
    let it =
        playbook(&[("tell", notify("x", json!({ "on_completion": "@end@" }))), ("end", end())]);
    let written: Result<(), DbError> = platform
        .db
        .write(move |tx| {
            Box::pin(async move {
                sqlx::query(
                    "INSERT INTO playbooks_playbooks (id, cacao_id, name, description, modified, body, \
                     start_on, steps, recorded_at) VALUES ($1, $2, 'Old', '', 0, $3, $4, 3, 0)",
                )
                .bind(RUN)
                .bind(it["id"].as_str().unwrap().to_owned())
                .bind(it.to_string())
                .bind(r#"{"on":"incidents.opened","min_severity":"high","kinds":[],"level":"ask"}"#)
                .execute(tx.sql())
                .await?;
                Ok(())
            })
        })
        .await;
    written.unwrap();
    platform.db.close().await;
    drop(platform);
    let room = Room::open(folder.path(), &Arc::default()).await;
    let triggers = room.triggers(RUN).await;
    assert_eq!(triggers.len(), 1, "{triggers:#?}");
    assert_eq!(
        triggers[0]["trigger"],
        json!({ "on": "incidents.opened", "min_severity": "high", "kinds": [], "level": "ask" })
    );
    room.publish(&crate::room::opened(9, model::Severity::High)).await;
    loop {
        let (_, list) = room.call("GET", "/api/v1/proposals", Value::Null).await;
        let items = list["items"].as_array().unwrap().clone();
        if items.iter().any(|it| it["playbook"] == RUN && it["level"] == "ask") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    room.close().await;
}
