//! Every type of step: branches at the same time, loops, cases, playbooks inside playbooks, time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use model::Outcome;
use serde_json::{Value, json};

use crate::room::{Room, World, action, block, end, manual, notify, playbook, steps};

const GATEWAY: &str = "x-sereno-actuator--9c0f1d2e-5b77-4bb0-8a7a-000000000001";

async fn walk(playbook: &Value, world: &Arc<World>) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path(), world).await;
    room.start(playbook).await;
    let run = room.ended().await;
    room.close().await;
    run
}

fn slow(next: &str, out: &[&str]) -> Value {
    let ask = json!([{ "type": "x-sereno-actuator", "command": "release" }]);
    action(GATEWAY, ask, json!({ "on_success": next, "out_args": out }))
}

fn failed() -> Outcome {
    Outcome::Failed { reason: "no such device".into(), retry: false }
}

fn row<'r>(run: &'r Value, name: &str) -> &'r Value {
    let steps = run["steps"].as_array().unwrap();
    steps.iter().find(|step| step["name"] == name).unwrap_or_else(|| panic!("{name}: {run:#}"))
}

/// Two branches of one slow command each, then `after`.
fn two_branches(handlers: Value) -> Value {
    let mut fork = json!({ "type": "parallel", "next_steps": ["@a@", "@b@"] });
    for (name, value) in handlers.as_object().unwrap() {
        fork[name] = value.clone();
    }
    playbook(&[
        ("fork", fork),
        ("a", slow("@end a@", &["__who__"])),
        ("end a", end()),
        ("b", slow("@end b@", &["__who__"])),
        ("end b", end()),
        ("after", notify("after", json!({ "on_completion": "@end@" }))),
        ("end", end()),
    ])
}

#[tokio::test]
async fn branches_run_at_the_same_time_and_come_together_in_their_order() {
    let world: Arc<World> = Arc::default();
    // The later branch answers first, and its value still counts: the order is the playbook's.
    let says = |who: &str| Outcome::Done { summary: who.into(), data: json!({ "who": who }) };
    world.script.lock().unwrap().extend([Ok(says("a")), Ok(says("b"))]);
    world.slow_ms.lock().unwrap().extend([400, 300]);
    let begun = Instant::now();
    let run = walk(&two_branches(json!({ "on_success": "@after@" })), &world).await;
    assert_eq!(run["state"], "succeeded", "{run:#}");
    let at = |name: &str, what: &str| {
        row(&run, name)[what].as_str().unwrap().parse::<model::Timestamp>().unwrap()
    };
    let (latest_start, first_end) = (
        at("a", "started_at").max(at("b", "started_at")),
        at("a", "ended_at").min(at("b", "ended_at")),
    );
    assert!(latest_start < first_end, "one after the other, {:?}", begun.elapsed());
    assert_eq!(world.most_at_once(), 2, "both were asked before either answered");
    let fork = row(&run, "fork");
    assert_eq!(fork["outcome"]["summary"], "2 branches ended");
    assert_eq!(row(&run, "a")["parent"], fork["position"]);
    assert_eq!(run["variables"]["__who__"], "b", "the later branch of the list");
    let after = row(&run, "after")["position"].as_i64().unwrap();
    assert!(after > row(&run, "end b")["position"].as_i64().unwrap());
}

#[tokio::test]
async fn a_branch_that_fails_fails_the_parallel_step_after_the_others_have_ended() {
    let world: Arc<World> = Arc::default();
    world.script.lock().unwrap().push_back(Ok(failed()));
    let handled = json!({ "on_success": "@end@", "on_failure": "@after@" });
    let run = walk(&two_branches(handled), &world).await;
    assert_eq!(run["state"], "succeeded", "on_failure took care: {run:#}");
    assert_eq!(row(&run, "fork")["state"], "failed");
    let reason = row(&run, "fork")["outcome"]["reason"].as_str().unwrap();
    assert!(reason.contains("1 of 2 branches failed"), "{reason}");
    assert_eq!(row(&run, "after")["state"], "done");
    let ended: BTreeSet<&str> =
        ["a", "b"].into_iter().filter(|name| !row(&run, name)["ended_at"].is_null()).collect();
    assert_eq!(ended.len(), 2);

    let world: Arc<World> = Arc::default();
    world.script.lock().unwrap().push_back(Ok(failed()));
    let run = walk(&two_branches(json!({ "on_success": "@after@" })), &world).await;
    assert_eq!(run["state"], "failed");
    assert_eq!(row(&run, "after")["state"], "skipped");
}

#[tokio::test]
async fn a_loop_turns_while_its_condition_holds() {
    let it = playbook(&[
        (
            "while",
            json!({ "type": "while-condition", "condition": "__blocked__:value = 'false'",
                "on_true": "@ask@", "on_completion": "@after@" }),
        ),
        ("ask", slow("@turn@", &["__blocked__"])),
        ("turn", end()),
        ("after", notify("after", json!({ "on_completion": "@end@" }))),
        ("end", end()),
    ]);
    let world: Arc<World> = Arc::default();
    let says = |blocked: bool| Outcome::Done {
        summary: String::new(),
        data: json!({ "blocked": blocked }),
    };
    world.script.lock().unwrap().extend([false, false, true].map(|it| Ok(says(it))));
    let run = walk(&it, &world).await;
    assert_eq!(run["state"], "succeeded", "{run:#}");
    assert_eq!(world.verbs().len(), 3);
    assert_eq!(row(&run, "while")["outcome"]["summary"], "ended after 3 turns");
    assert_eq!(row(&run, "after")["state"], "done");

    // A condition that could change and does not: stopped at the named limit, which the loop's failure tells.
    let id =
        |kind: &str, number: u8| format!("{kind}--5d1f0f0e-8a4b-4b53-9a6d-0000000000{number:02x}");
    let mut endless = it.clone();
    let (gate, ask) = (id("if-condition", 9), id("action", 1));
    endless["workflow"][gate.clone()] = json!({ "type": "if-condition",
        "condition": "__who__:value = 'somebody'", "on_true": ask, "on_completion": id("end", 2) });
    endless["workflow"][id("while-condition", 0)]["on_true"] = json!(gate);
    let run = walk(&endless, &Arc::default()).await;
    assert_eq!(run["state"], "failed");
    assert!(run["note"].as_str().unwrap().contains("2000 steps"), "{}", run["note"]);
}

#[tokio::test]
async fn a_switch_takes_the_case_that_fits_or_the_default() {
    let it = |value: &str| {
        let mut it = playbook(&[
            (
                "switch",
                json!({ "type": "switch-condition", "switch": "__who__:value",
                    "cases": { "guard": "@guard@", "default": "@other@" },
                    "on_completion": "@after@" }),
            ),
            ("guard", notify("guard", json!({ "on_completion": "@back@" }))),
            ("other", notify("other", json!({ "on_completion": "@back@" }))),
            ("back", end()),
            ("after", notify("after", json!({ "on_completion": "@end@" }))),
            ("end", end()),
        ]);
        it["playbook_variables"]["__who__"]["value"] = json!(value);
        it
    };
    for (value, taken, left, word) in
        [("guard", "guard", "other", "case guard"), ("thief", "other", "guard", "case default")]
    {
        let run = walk(&it(value), &Arc::default()).await;
        assert_eq!(run["state"], "succeeded", "{run:#}");
        assert_eq!(row(&run, "switch")["outcome"]["summary"], word);
        assert_eq!(row(&run, taken)["state"], "done");
        assert_eq!(row(&run, left)["state"], "skipped");
        assert_eq!(row(&run, "after")["state"], "done");
    }
}

const INNER: &str = "playbook--5d1f0f0e-8a4b-4b53-9a6d-0000000000aa";

fn inner() -> Value {
    let mut inner = playbook(&[("tell", slow("@end@", &["__blocked__"])), ("end", end())]);
    inner["id"] = json!(INNER);
    inner["name"] = json!("Inner");
    inner["playbook_variables"]["__who__"] = json!({ "type": "string", "external": true });
    inner
}

fn outer() -> Value {
    let mut outer = playbook(&[
        (
            "call",
            json!({ "type": "playbook-action", "playbook_id": INNER, "on_completion": "@end@",
                "in_args": ["__who__"], "out_args": ["__blocked__", "__fixed__"] }),
        ),
        ("end", end()),
    ]);
    outer["playbook_variables"]["__fixed__"] =
        json!({ "type": "string", "value": "stays", "constant": false });
    outer
}

#[tokio::test]
async fn a_playbook_calls_another_with_arguments_and_never_runs_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let world: Arc<World> = Arc::default();
    let room = Room::open(folder.path(), &world).await;
    let id = room.store(&outer()).await;
    let (status, problem) = room.call("POST", "/api/v1/runs", json!({ "playbook": id })).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(problem["errors"][0].as_str().unwrap().contains("not stored here"), "{problem}");

    room.store(&inner()).await;
    let (status, _) = room.call("POST", "/api/v1/runs", json!({ "playbook": id })).await;
    assert_eq!(status, StatusCode::CREATED);
    let run = room.ended().await;
    assert_eq!(run["state"], "succeeded", "{run:#}");
    assert_eq!(run["variables"]["__blocked__"], "true", "the out argument came back");
    assert_eq!(row(&run, "tell")["playbook"], INNER);
    assert_eq!(row(&run, "call")["arguments"]["in"]["__who__"], "nobody");
    room.close().await;
}

#[tokio::test]
async fn playbooks_that_call_each_other_are_stopped_at_the_depth_limit() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path(), &Arc::default()).await;
    let mut it = playbook(&[
        (
            "again",
            json!({ "type": "playbook-action", "on_completion": "@end@",
                "playbook_id": "playbook--5d1f0f0e-8a4b-4b53-9a6d-000000000fff" }),
        ),
        ("end", end()),
    ]);
    it["workflow_exception"] = Value::Null;
    it.as_object_mut().unwrap().remove("workflow_exception");
    room.start(&it).await;
    let run = room.ended().await;
    assert_eq!(run["state"], "failed");
    assert!(run.to_string().contains("deeper than 8"), "{run:#}");
    room.close().await;
}

#[tokio::test]
async fn a_step_with_branches_inside_ends_when_its_time_is_over() {
    let mut it = two_branches(json!({ "on_success": "@end@", "on_failure": "@after@" }));
    it["workflow"]["parallel--5d1f0f0e-8a4b-4b53-9a6d-000000000000"]["timeout"] = json!(300);
    let ask = "action--5d1f0f0e-8a4b-4b53-9a6d-000000000001";
    let mut wait =
        manual("Look", json!({ "on_completion": "end--5d1f0f0e-8a4b-4b53-9a6d-000000000002" }));
    wait["name"] = json!("a");
    it["workflow"][ask] = wait;
    let run = walk(&it, &Arc::default()).await;
    assert_eq!(run["state"], "succeeded", "{run:#}");
    assert!(row(&run, "fork")["outcome"]["reason"].as_str().unwrap().contains("ACTION_TIMEOUT"));
    assert_eq!(row(&run, "a")["state"], "skipped", "nobody needs the answer any more");
    assert_eq!(row(&run, "after")["state"], "done");
}

#[tokio::test]
async fn a_failure_inside_a_branch_goes_to_what_is_around_it() {
    let it = playbook(&[
        (
            "if",
            json!({ "type": "if-condition", "condition": "__who__:value = 'nobody'",
            "on_true": "@block@", "on_false": "@back@", "on_success": "@end@", "on_failure": "@rescue@" }),
        ),
        ("block", block(json!({ "on_success": "@back@" }))),
        ("back", end()),
        ("rescue", notify("rescue", json!({ "on_completion": "@end@" }))),
        ("end", end()),
    ]);
    let world: Arc<World> = Arc::default();
    world.script.lock().unwrap().push_back(Ok(failed()));
    let run = walk(&it, &world).await;
    assert_eq!(run["state"], "succeeded", "{run:#}");
    assert!(steps(&run).contains(&("rescue".into(), "done".into())));
}

#[tokio::test]
async fn constants_stay_and_values_from_outside_are_taken_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path(), &Arc::default()).await;
    let mut it = playbook(&[("block", block(json!({ "on_completion": "@end@" }))), ("end", end())]);
    it["playbook_variables"]["__who__"]["external"] = json!(true);
    let id = room.store(&it).await;
    let body = json!({ "playbook": id, "variables": { "who": "guard" } });
    let (status, _) = room.call("POST", "/api/v1/runs", body).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(room.ended().await["variables"]["__who__"], "guard");
    let body = json!({ "playbook": id, "variables": { "__blocked__": "true" } });
    let (status, problem) = room.call("POST", "/api/v1/runs", body).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(problem["errors"][0].as_str().unwrap().contains("__blocked__"), "{problem}");
    tokio::time::sleep(Duration::from_millis(1)).await;
    room.close().await;
}

#[tokio::test]
async fn a_run_keeps_only_so_much_of_what_its_steps_say() {
    // 150 answers of 60 KB: more than the 8 MiB of a run, each within the 64 KiB of a step.
    let world: Arc<World> = Arc::default();
    let big = "x".repeat(60_000);
    let says = Outcome::Done { summary: "said".into(), data: json!({ "text": big }) };
    world.script.lock().unwrap().extend(std::iter::repeat_n(Ok(says), 150));
    let it = playbook(&[
        (
            "while",
            json!({ "type": "while-condition", "condition": "__blocked__:value = 'false'",
                "on_true": "@ask@", "on_completion": "@end@" }),
        ),
        ("ask", slow("@turn@", &["__blocked__"])),
        ("turn", end()),
        ("end", end()),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let room = Room::open(folder.path(), &world).await;
    room.start(&it).await;
    let state = loop {
        let run = room.runs().await[0].clone();
        if !run["ended_at"].is_null() {
            break run["state"].clone();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(state, "succeeded");
    let mut connection = room.platform.db.read().await.unwrap();
    let row = sqlx::query("SELECT SUM(LENGTH(outcome)) AS kept FROM playbooks_steps")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    let kept: i64 = sqlx::Row::try_get(&row, "kept").unwrap();
    assert!((8_000_000..9_000_000).contains(&kept), "{kept} bytes kept");
    drop(connection);
    room.close().await;
}
